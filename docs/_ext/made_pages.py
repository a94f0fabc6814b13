"""Pages that are made when a build begins, and are not in the repository."""

from collections.abc import Mapping
from pathlib import Path

from nb101._base.files import atomic


def write(folder: Path, pages: Mapping[str, str]) -> None:
    """Write the pages that differ, by their names, and take away those that are no more."""
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.rst"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            with atomic(path) as file:
                file.write(text.encode())
