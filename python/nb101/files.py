"""Files that appear whole or not at all, what goes into them, and locks between processes."""

import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

Format = TypeVar("Format", bound=str)

POLL = 0.2
"""Seconds between two looks at a lock that another process has."""


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `path` when the block ends without an error.

    Whatever happens, `path` is the old file or the whole new one. Folders are not made.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Do as `atomic` does, for those who open the file themselves: what they get is an empty one.

    They see to it that what they write reaches the disk. What killed processes have left of the
    same file is removed.
    """
    target, temporary, lock = _begin(path)
    with lock:
        try:
            yield temporary
            if target.exists():
                temporary.chmod(target.stat().st_mode & 0o777)
            if sys.platform == "win32":
                lock.close()  # It could not be renamed.
            temporary.replace(target)
        except BaseException as error:
            lock.close()
            temporary.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno is not None and error.filename is None:
                # A full disk does not say which file it could not take.
                error.filename = os.fspath(path)
            raise
    _sync_folder(target.parent)


def check_writable(path: str | os.PathLike[str]) -> None:
    """See that a file can be written, before the work whose result it is to hold.

    Raises
    ------
    OSError
        If it cannot, as `atomic` would say.
    """
    _, temporary, lock = _begin(path)
    lock.close()
    temporary.unlink(missing_ok=True)


def _begin(path: str | os.PathLike[str]) -> tuple[Path, Path, IO[bytes]]:
    """Return the file that a path leads to, an empty one beside it that can take its place.

    The third is the empty one held open: as long as it is, no other process takes it for what a
    killed one has left.
    """
    # Through a link, so that its target is replaced and not the link.
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"cannot write {os.fspath(path)}: it is a folder")
    if target.exists() and not target.is_file():
        raise OSError(f"cannot write {os.fspath(path)}: it is not a regular file")
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(f"cannot write {os.fspath(path)}: permission denied")
    name = f".{target.name[:200]}."
    try:
        remove_stale(target.parent, name)
        while True:
            temporary = target.with_name(f"{name}{os.urandom(4).hex()}.tmp")
            lock = temporary.open("xb")
            if _keep(lock, temporary):
                return target, temporary, lock
            lock.close()
    except OSError as error:
        reason = error.strerror
        if isinstance(error, FileNotFoundError):
            reason = f"there is no folder {target.parent}: make it first"
        raise type(error)(f"cannot write {os.fspath(path)}: {reason}") from error


def _keep(lock: IO[bytes], temporary: Path) -> bool:
    """Lock a new file; whether nobody has removed it as a stale one before it was."""
    if sys.platform == "win32":
        return True
    # On file systems without locks nothing is ever taken for stale.
    with suppress(OSError):
        if not _lock(lock):
            return False
    try:
        return os.path.samestat(os.fstat(lock.fileno()), temporary.stat())
    except FileNotFoundError:
        return False


_STALE = re.compile(r"\..*\.[0-9a-f]{8}\.tmp(-journal)?", re.DOTALL)


def remove_stale(folder: str | os.PathLike[str], beginning: str = ".") -> None:
    """Remove files that `atomic` was writing in a folder when its process was killed.

    Those of processes that live are left: they hold a lock. Folders within are not looked into.

    Parameters
    ----------
    folder
        Where to look.
    beginning
        Of the names of files to look at.
    """
    if sys.platform == "win32":
        return  # A file with a lock could be written by nobody else there.
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError), os.scandir(folder) as it:
        for entry in it:
            if not entry.name.startswith(beginning) or not _STALE.fullmatch(entry.name):
                continue
            with suppress(OSError):
                if not entry.is_file(follow_symlinks=False):
                    continue
                path = Path(entry.path)
                owner = path.with_name(path.name.removesuffix("-journal"))
                if owner == path or owner.exists():
                    with owner.open("rb") as file:
                        if _lock(file):
                            path.unlink()
                else:
                    path.unlink()


def find_format(
    path: str | os.PathLike[str],
    format: str | None,  # noqa: A002
    endings: Mapping[str, Format],
) -> Format:
    """Return the format of a file: as given, or by its ending.

    Parameters
    ----------
    path
        The file.
    format
        One of the formats, or `None`.
    endings
        The format of each known ending.

    Raises
    ------
    ValueError
        If the format or the ending is unknown.
    """
    formats = list(dict.fromkeys(endings.values()))
    for known in formats:
        if format == known:
            return known
    if format is not None:
        raise ValueError(f"unknown format {format!r}: known are {', '.join(formats)}")
    ending = Path(path).suffix.lower()
    if ending not in endings:
        raise ValueError(
            f"cannot tell the format of {os.fspath(path)!r} from its ending: "
            f"known endings are {', '.join(endings)}; or name a format: {', '.join(formats)}"
        )
    return endings[ending]


def finite(value: Any) -> Any:
    """Replace what JSON does not have, NaN and infinity, by null."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def is_same_file(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> bool:
    """Whether two paths, which need not exist, lead to one file."""
    return Path(a).exists() and Path(b).exists() and Path(a).samefile(b)


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where folders can be synced at all."""
    if os.name != "posix":
        return
    # Some network file systems refuse, and some folders cannot be read; the file itself is safe.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def locked(
    path: str | os.PathLike[str], waiting: Callable[[], object] | None = None
) -> Iterator[None]:
    """Hold a lock that one process or thread has at a time; the others wait for it.

    The lock is on the file `path`, which is made and stays there empty: to delete it would take the
    lock from those who wait. It ends with its process, however that ends. `waiting` is called while
    another has it, several times a second.
    """
    with Path(path).open("ab") as file:
        try:
            while not _lock(file):
                if waiting is not None:
                    waiting()
                time.sleep(POLL)
        except OSError as error:
            error.filename = os.fspath(path)
            raise
        try:
            yield
        finally:
            _unlock(file)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
