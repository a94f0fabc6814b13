"""Writing a file whole or not at all; locks."""

import io
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

import pytest

from nb101._base import files
from nb101._base.files import (
    MARK,
    STDOUT,
    atomic,
    check_writable,
    claim_folder,
    locked,
    remove_stale,
)
from nb101.errors import FileError, FolderError


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
    with pytest.raises(FileError, match="it is a folder") as found, atomic(tmp_path):
        pass
    assert found.value.path == str(tmp_path)
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
from nb101._base.files import atomic
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


def test_stdout_and_pipes_take_a_file_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(taken))
    print("before")
    check_writable(STDOUT)
    with atomic(STDOUT) as file:
        file.write(b"whole")
        assert taken.getvalue() == b""
    assert taken.getvalue() == b"before\nwhole"
    with pytest.raises(ZeroDivisionError), atomic("/dev/stdout") as file:
        print(file.write(b"half") / 0)
    assert taken.getvalue() == b"before\nwhole"


@pytest.mark.skipif(os.name != "posix", reason="descriptors have no names here")
def test_other_streams(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    for path in (f"/dev/fd/{writing}", f"/proc/self/fd/{writing}"):
        with atomic(path) as file:
            file.write(b"bytes")
        assert os.read(reading, 100) == b"bytes"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    check_writable(fifo)
    end = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with atomic(fifo) as file:
        file.write(b"bytes")
    assert os.read(end, 100) == b"bytes"
    for one in (reading, writing, end):
        os.close(one)
    with atomic("/dev/null") as file:
        file.write(b"bytes")
    assert [path.name for path in tmp_path.iterdir()] == ["fifo"]
    with pytest.raises(FileError, match="cannot write /dev/fd/99999"), atomic("/dev/fd/99999"):
        pass


def test_stdout_that_leads_to_a_file_goes_on_where_it_was(tmp_path: Path) -> None:
    """The file is not replaced, which others who write to it would not notice."""
    code = """
import sys
from nb101._base.files import atomic
for _ in range(2):
    with atomic("/dev/stdout") as file:
        file.write(b"part\\n")
"""
    log = tmp_path / "log"
    with log.open("w") as file:
        file.write("first\n")
        file.flush()
        subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
        file.seek(0, os.SEEK_END)
        file.write("last\n")
    assert log.read_text() == "first\npart\npart\nlast\n"


def test_folders_have_one_maker(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert claim_folder(folder, "report") == folder
    (folder / "index.html").touch()
    claim_folder(folder, "report")
    assert json.loads((folder / MARK).read_text()) == {"made_by": "report"}
    with pytest.raises(FolderError, match="nb101 report made it; name another") as found:
        claim_folder(folder, "search compare")
    assert found.value.path == str(folder)
    (folder / MARK).write_text("[]")
    with pytest.raises(FolderError, match="is damaged"):
        claim_folder(folder, "report")
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(FileError, match="is no folder"):
            claim_folder(path, "report")


@pytest.mark.parametrize(
    ("names", "maker"),
    [
        (["numbers.json", "index.html"], "report"),
        (["comparison.json", "numbers.json", "index.html"], "search compare"),
        (["ledger.sqlite"], "campaign run"),
    ],
)
def test_folders_without_a_mark_are_known_by_what_is_in_them(
    tmp_path: Path, names: list[str], maker: str
) -> None:
    for name in names:
        (tmp_path / name).touch()
    for kind in ("report", "search compare", "campaign run"):
        if kind != maker:
            with pytest.raises(FolderError, match=f"nb101 {maker} made it"):
                claim_folder(tmp_path, kind)
    claim_folder(tmp_path, maker)
    assert (tmp_path / MARK).exists()


def test_a_page_of_somebody_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "index.html").touch()
    with pytest.raises(FolderError, match="a page of something else"):
        claim_folder(tmp_path, "report")
    (tmp_path / "index.html").rename(tmp_path / "notes.html")
    claim_folder(tmp_path, "report")
