"""The cache: where it is, and the one way of a published file into it.

Nothing in it is needed for good; what is missing is fetched or made again.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from nb101._base.files import file_errors, locked
from nb101._base.progress import NamedProgress


def cache_dir() -> Path:
    """Return the folder of what is fetched and converted.

    It is that of the environment variable ``NB101_CACHE``, or else the user's cache folder as the
    system has it. It need not be there yet.
    """
    given = os.environ.get("NB101_CACHE")
    if given:
        return Path(given).expanduser().absolute()
    import platformdirs

    return platformdirs.user_cache_path("nb101", appauthor=False)


def checksum_of(path: Path, kind: Literal["sha256", "md5"]) -> str:
    """Return the checksum of a file, in hexadecimal.

    Raises
    ------
    FileError
        If it cannot be read; `MissingFileError` if it is not there.
    """
    with file_errors(path), path.open("rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(kind, usedforsecurity=False)
        ).hexdigest()


@contextmanager
def alone(lock: Path, progress: NamedProgress | None) -> Iterator[NamedProgress]:
    """Be the one process that fetches something; the others wait, and then find it there.

    Parameters
    ----------
    lock
        A file in the cache, for `nb101._base.files.locked`; its folder is made.
    progress
        Hears that this process is ``"waiting"``. What is given to the block takes its place, and is
        there without it too.
    """
    report = progress or (lambda done, total, what: None)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with locked(lock, waiting=lambda: report(0, 0, "waiting")):
        yield report


def obtain(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    size: int,
    force: bool = False,
    progress: NamedProgress | None = None,
    offline: str = "",
) -> None:
    """Fetch a published file unless it is there: kept, put there by hand, or left by a kill.

    To be called by one process at a time; see `alone`.

    Parameters
    ----------
    url, target, sha256, md5, size, progress, offline
        As for `nb101._base.fetch.fetch`.
    force
        Fetch it even if it is there.

    Raises
    ------
    DatasetError, FetchError, OSError
        As `nb101._base.fetch.fetch` does.
    """
    from nb101._base.fetch import fetch  # It takes a while to import, and few need it.

    if not force:
        with suppress(FileNotFoundError):
            if checksum_of(target, "sha256" if sha256 else "md5") == (sha256 or md5):
                return
    fetch(url, target, sha256=sha256, md5=md5, size=size, progress=progress, offline=offline)
