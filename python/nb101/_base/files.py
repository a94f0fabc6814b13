"""Files that appear whole or not at all, what goes into them, and locks between processes.

What is no regular file cannot be replaced: pipes, devices and stdout get the bytes of a file once
it is whole. Folders that several files go to are marked by what made them.

Locks are the system's own, and end with their process. The package filelock is not used for them:
where a file system has none, it makes do with a file that outlasts a process that is killed, and a
campaign's folder or a download would stay closed; and `atomic` locks a file that it has open, for
which only the newest versions of that package have a function.
"""

import itertools
import json
import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from nb101._base.checks import suggest
from nb101._base.runtime import raise_if_short
from nb101.errors import (
    ArgumentError,
    FileError,
    FolderError,
    MissingFileError,
    NB101Error,
    UnknownNameError,
)

Format = TypeVar("Format", bound=str)

POLL = 0.2
"""Seconds between two looks at a lock that another process has."""


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `path` when the block ends without an error.

    Whatever happens, `path` is the old file or the whole new one. Folders are not made. Pipes,
    devices, `STDOUT` and the like are written to when the block ends without an error.
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
    if is_stream(path):
        import tempfile  # It takes a while, and few need it.

        with tempfile.TemporaryDirectory(prefix="nb101-") as folder:
            temporary = Path(folder) / "file"
            temporary.touch()
            yield temporary
            _copy_to_stream(temporary, path)
        return
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


STDOUT = Path("/dev/stdout")
"""The path that is stdout here on every system, whatever stdout leads to."""
_STREAM = re.compile(r"/dev/(?:(stdout)|(stderr)|fd/([0-9]{1,9}))|/proc/self/fd/([0-9]{1,9})")


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Whether a path is of what takes bytes but is no file that could be replaced.

    Such are stdout and other descriptors by their names, whatever they lead to, pipes and devices.
    """
    if _descriptor(path) is not None:
        return True
    found = Path(path)
    return found.exists() and not found.is_file() and not found.is_dir()


def _descriptor(path: str | os.PathLike[str]) -> int | None:
    match = _STREAM.fullmatch(Path(path).as_posix())
    if match is None:
        return None
    return 1 if match[1] else 2 if match[2] else int(match[3] or match[4])


def _copy_to_stream(source: Path, path: str | os.PathLike[str]) -> None:
    with source.open("rb") as file, _open_stream(path) as stream:
        while data := file.read(1 << 20):
            stream.write(data)
        stream.flush()


@contextmanager
def _open_stream(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open what `is_stream`, behind what this process has written to it so far."""
    number = _descriptor(path)
    name = {1: "stdout", 2: "stderr"}.get(number or 0)
    own = getattr(sys, name, None) if name is not None else None
    if own is not None:
        own.flush()
        if hasattr(own, "buffer"):
            yield own.buffer
            return
    try:
        # Never by its name, which would cut off the file that a descriptor leads to.
        opened = Path(path).open("wb") if number is None else os.fdopen(os.dup(number), "wb")  # noqa: SIM115
    except OSError as error:
        raise _cannot_write(path, error.strerror, error) from error
    with opened:
        yield opened


def check_writable(path: str | os.PathLike[str]) -> None:
    """See that a file can be written, before the work whose result it is to hold.

    Raises
    ------
    FileError
        If it cannot, as `atomic` would say.
    """
    if is_stream(path):
        # To open a pipe would wait for its reader, or tell it that all has come.
        if _descriptor(path) is None and not os.access(path, os.W_OK):
            raise _cannot_write(path, "permission denied")
        return
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
        raise _cannot_write(path, "it is a folder")
    if target.exists() and not os.access(target, os.W_OK):
        raise _cannot_write(path, "permission denied")
    name = f".{target.name[:200]}."
    try:
        remove_stale(target.parent, name)
        while True:
            temporary = target.with_name(f"{name}{os.urandom(4).hex()}.tmp")
            lock = temporary.open("xb")
            if _keep(lock, temporary):
                return target, temporary, lock
            lock.close()
    except FileNotFoundError as error:
        if target.parent.is_dir():  # One that takes no files.
            raise _cannot_write(path, error.strerror, error) from error
        raise MissingFileError(
            f"cannot write {os.fspath(path)}: there is no folder {target.parent}: make it first",
            path=path,
        ) from error
    except OSError as error:
        raise _cannot_write(path, error.strerror, error) from error


def _cannot_write(
    path: str | os.PathLike[str], reason: str | None, error: OSError | None = None
) -> FileError:
    made = FileError(f"cannot write {os.fspath(path)}: {reason}", path=path)
    made.errno = None if error is None else error.errno
    return made


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


def choose_format(
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
    ArgumentError
        If the format or the ending is unknown.
    """
    formats = list(dict.fromkeys(endings.values()))
    for known in formats:
        if format == known:
            return known
    if format is not None:
        raise UnknownNameError(
            f"unknown format {format!r}: {suggest(format, formats)}", field="format"
        )
    ending = Path(path).suffix.lower()
    if ending not in endings:
        if is_stream(path):
            raise ArgumentError(
                f"{os.fspath(path)} has no ending that says the format: "
                f"name a format: {', '.join(formats)}",
                path=path,
                field="format",
            )
        raise ArgumentError(
            f"cannot tell the format of {os.fspath(path)!r} from its ending: "
            f"known endings are {', '.join(endings)}; or name a format: {', '.join(formats)}",
            path=path,
            field="format",
        )
    return endings[ending]


MARK = ".nb101-folder"
"""The file in a folder that says what made it."""
_SIGNS = {
    "comparison.json": "search compare",
    "ledger.sqlite": "campaign run",
    "numbers.json": "report",
}
"""By which files folders without a mark are known; the first that is there decides."""
_PAGE = "index.html"
_MOST_MARK = 1 << 16


def claim_folder(path: str | os.PathLike[str], kind: str) -> Path:
    """Make a folder one's own, before anything is written to it; make it if it is not there.

    It gets a mark, the file ``.nb101-folder``: JSON with what made it. What the same made before is
    gone on with. One thing never writes over what another has made, nor over somebody's page.

    Parameters
    ----------
    path
        The folder.
    kind
        What writes to it: the name of the command, such as ``"report"`` or ``"search compare"``.

    Raises
    ------
    FolderError
        If something else made it.
    FileError
        If it is no folder, or cannot be made or written to.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = _maker(folder)
    except (FileExistsError, NotADirectoryError) as error:
        raise FileError(f"{folder} is no folder", path=path) from error
    except OSError as error:
        raise FileError(error.errno, error.strerror, error.filename, path=path) from error
    if found not in (None, kind):
        made = "it has a page of something else" if found == _PAGE else f"nb101 {found} made it"
        raise FolderError(
            f"{folder} is not written over by nb101 {kind}: {made}; name another folder", path=path
        )
    if not (folder / MARK).exists():
        with atomic(folder / MARK) as file:
            file.write(json.dumps({"made_by": kind}).encode() + b"\n")
    return folder


def _maker(folder: Path) -> str | None:
    """Return what made a folder, by its mark or else by what is in it; `None` if nothing did."""
    try:
        with (folder / MARK).open("rb") as file:
            found = json.loads(file.read(_MOST_MARK))["made_by"]
    except FileNotFoundError:
        for name in (*_SIGNS, _PAGE):
            if (folder / name).exists():
                return _SIGNS.get(name, _PAGE)
        return None
    except (ValueError, TypeError, KeyError, RecursionError):
        found = None
    if not isinstance(found, str):
        raise FolderError(
            f"{folder / MARK} is damaged, so that nothing says what made the folder: name another, "
            "or delete that file if the folder may be written over",
            path=folder,
        )
    return found


@contextmanager
def file_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say what the system says of a file as exceptions of this package.

    Raises
    ------
    MissingFileError
        If it is not there.
    FileError
        If the system refuses it.
    MemoryError
        If memory is what was missing.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, NB101Error) or error.errno is None:
            raise
        raise_if_short(error)
        kind = MissingFileError if isinstance(error, FileNotFoundError) else FileError
        name = os.fspath(path) if error.filename is None else error.filename
        raise kind(error.errno, error.strerror, name, path=path) from error


def finite(value: Any) -> Any:
    """Replace what JSON does not have, NaN and infinity, by null."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def set_aside(path: Path) -> Path:
    """Give a damaged file a name that is free, and return that."""
    names = (path.with_name(f"{path.name}.damaged{number or ''}") for number in itertools.count())
    kept = next(name for name in names if not name.exists())
    path.replace(kept)
    return kept


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
