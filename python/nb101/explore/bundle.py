"""The page itself: the files that are built from ``web/`` and lie beside this module."""

from collections.abc import Iterator
from pathlib import Path

from nb101.errors import MissingFileError

BUNDLE = Path(__file__).with_name("bundle")
PAGE = "index.html"
WIDGET, STYLE = "widget.js", "widget.css"
ADVICE = "make builds it from the sources, and wheels have it: pip install --force-reinstall nb101"


def bundle_files(folder: Path | None = None) -> dict[str, Path]:
    """Return the files of the page by their path in it, with ``/`` between names.

    `folder` is `BUNDLE` by default.

    Raises
    ------
    MissingFileError
        If this installation has no page.
    """
    folder = BUNDLE if folder is None else folder
    check_bundle(folder / PAGE)
    return dict(_files(folder))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def check_bundle(file: Path) -> None:
    """See that a file of the bundle is there.

    Raises
    ------
    MissingFileError
        If it is not; the message says how to get it.
    """
    if not file.is_file():
        raise MissingFileError(
            f"this installation of nb101 lacks the explorer's page ({file.name}): {ADVICE}",
            path=file,
        )
