"""Writing a file whole or not at all; locks."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

import pytest

from nb101 import files
from nb101.files import atomic, check_writable, locked, remove_stale


def test_atomic_keeps_the_mode_and_follows_links(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("old")
    target.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(target)
    with atomic(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640


def test_atomic_refuses_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="it is a folder"), atomic(tmp_path):
        pass
    with pytest.raises(OSError, match="not a regular file"), atomic("/dev/null"):
        pass
    with pytest.raises(OSError, match="cannot write"), atomic(tmp_path / "no" / "file"):
        pass


def test_what_cannot_be_written_is_known_before(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot write"):
        check_writable(tmp_path / "no" / "file")
    target = tmp_path / "file"
    check_writable(target)
    assert list(tmp_path.iterdir()) == []
    target.write_text("old")
    check_writable(target)
    assert [x.name for x in tmp_path.iterdir()] == ["file"]
    assert target.read_text() == "old"


KILLED = """
import os, sys
from nb101.files import atomic
with atomic(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_leaves_is_removed(tmp_path: Path) -> None:
    target = tmp_path / "file"
    for name in ("file", "other"):
        subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / name)], check=False)
    assert len(list(tmp_path.glob(".*.tmp"))) == 2
    (tmp_path / ".file.01234567.tmp-journal").touch()
    mine = tmp_path / ".file.notes.tmp"
    mine.write_text("of somebody else")
    with atomic(target) as file:
        # That of the other file is left to whoever writes it again, or owns the folder.
        assert len(list(tmp_path.glob(".*.tmp"))) == 3
        file.write(b"whole")
        # Nobody takes a living one for stale: neither another writer nor the owner of the folder.
        with atomic(target) as other:
            other.write(b"first")
        remove_stale(tmp_path)
        assert len(list(tmp_path.glob(".*.tmp"))) == 2
    assert target.read_bytes() == b"whole"
    assert {path.name for path in tmp_path.iterdir()} == {"file", mine.name}
    subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False)
    check_writable(target)
    assert {path.name for path in tmp_path.iterdir()} == {"file", mine.name}


def test_a_new_file_that_is_removed_as_stale_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another process, between its making and its lock."""
    keep = files._keep
    removed: list[Path] = []

    def late(lock: IO[bytes], temporary: Path) -> bool:
        if len(removed) < 2:
            removed.append(temporary)
            remove_stale(tmp_path)
        return keep(lock, temporary)

    monkeypatch.setattr(files, "_keep", late)
    with atomic(tmp_path / "file") as file:
        file.write(b"whole")
    assert len(removed) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_one_at_a_time_has_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "POLL", 0.001)
    waits: list[int] = []
    inside = [0]

    def work() -> None:
        with locked(tmp_path / "lock", waiting=lambda: waits.append(1)):
            inside[0] += 1
            time.sleep(0.01)
            assert inside == [1]
            inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "lock"):
        print(1 / 0)
    work()


def test_a_lock_in_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"), locked(tmp_path / "nowhere" / "lock"):
        pass
