"""Writing a file whole or not at all."""

from pathlib import Path

import pytest

from nb101.files import atomic


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
