"""Files of an image set out of a folder or a tar archive, packed or not, within bounds.

An archive is read once from front to back, in pieces, and to its end, where gzip has its checksum.
Only files that are asked for are kept, and none that is larger than it may be: what a header says
is compared with that before anything is unpacked.
"""

import gzip
import os
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from nb101._base.files import file_errors
from nb101.errors import DatasetError

PIECE = 1 << 20
"""Bytes unpacked at a time."""
_BLOCK = 512
_TAIL = 1 << 20
"""Bytes behind the last file."""
_MOST_NAME = 1 << 16
"""Bytes of a name that does not fit a header."""
_MOST_HEADERS = 10_000
"""Headers of an archive, each of which takes its time; official ones have nine."""


class Files:
    """Files by name, and where they are from."""

    def __init__(self, path: Path, most: int) -> None:
        self.path, self.most = path, most
        self.contents: dict[str, bytes] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.contents

    def where(self, name: str) -> str:
        """Name a file in an error."""
        return str(self.path / name) if self.path.is_dir() else f"{self.path}: {name}"

    def take(self, name: str) -> bytes:
        """Return a file, which is not kept any longer."""
        return self.contents.pop(name)

    def check_size(self, name: str, size: int) -> None:
        """Refuse a file that is too large."""
        if size > self.most:
            raise DatasetError(
                f"{self.where(name)} has {size:,} bytes: at most {self.most:,} are read"
            )


def read_files(path: Path, names: Collection[str], *, most: int) -> Files:
    """Read the files of these names that a folder or an archive has, in whatever folder of it.

    Parameters
    ----------
    path
        A folder, which is not searched, or a tar archive, packed by gzip or not.
    names
        Which files.
    most
        Bytes that none of them may exceed; an archive has at most as many for each.

    Raises
    ------
    DatasetError
        If an archive is damaged, or a file too large.
    OSError
        If it cannot be read.
    """
    files = Files(path, most)
    if path.is_dir():
        for name in names:
            if (path / name).is_file():
                with file_errors(path / name), (path / name).open("rb") as file:
                    files.check_size(name, os.fstat(file.fileno()).st_size)
                    # It may be growing.
                    files.contents[name] = file.read(most)
        return files
    check_regular(path)
    try:
        with file_errors(path), path.open("rb") as file, unpacked(file) as content:
            _read_tar(_Stream(content, most * len(names)), frozenset(names), files)
    except _DamagedError as error:
        raise DatasetError(f"{path} is no archive, or damaged: {error}; fetch it again") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(f"{path} is damaged: {error}; fetch it again") from None
    return files


def check_regular(path: Path) -> None:
    """Refuse what is no file, such as a pipe, which nobody may ever write to.

    Raises
    ------
    DatasetError
        If it is something else; nothing if it is not there.
    """
    if path.exists() and not path.is_file():
        raise DatasetError(f"{path} is no regular file", path=path)


@contextmanager
def unpacked(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Open what may be packed by gzip, to be read in pieces."""
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    if not packed:
        yield file
        return
    with gzip.GzipFile(fileobj=file) as content:
        yield content  # type: ignore[misc]  # All of a file that its readers need.


class _DamagedError(Exception):
    """An archive that is none."""


class _Stream:
    """What is read in pieces, up to a number of bytes."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file, self._most, self._rest = file, most, most

    def read(self, size: int) -> bytes:
        """Read so many bytes."""
        self._check(size)
        pieces = []
        while size > 0:
            piece = self.some(size)
            if not piece:
                raise _DamagedError("it ends too early")
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def skip(self, size: int) -> None:
        """Do without so many bytes."""
        self._check(size)
        while size > 0:
            piece = self.some(size)
            if not piece:
                raise _DamagedError("it ends too early")
            size -= len(piece)

    def some(self, size: int) -> bytes:
        """Read at most so many bytes; none at the end."""
        piece = self._file.read(min(size, PIECE))
        self._check(len(piece))
        self._rest -= len(piece)
        return piece

    def end(self) -> None:
        """Read what fills an archive up, where gzip compares its checksum."""
        self._rest = min(self._rest, _TAIL)
        while self.some(PIECE):
            pass

    def _check(self, size: int) -> None:
        if size > self._rest:
            raise _DamagedError(f"it unpacks to more than {self._most:,} bytes")


def _read_tar(stream: _Stream, names: frozenset[str], files: Files) -> None:
    """Read a tar archive, of Python's, GNU's or the older kinds."""
    longer = None  # A name that stands before its header.
    for number in range(_MOST_HEADERS):
        head = stream.read(_BLOCK) if number else stream.some(_BLOCK)
        if len(head) < _BLOCK:
            raise _DamagedError("it has no header")
        if not any(head):
            break
        if _octal(head[148:156]) != sum(head[:148]) + sum(head[156:]) + 8 * ord(" "):
            raise _DamagedError("the checksum of a header is wrong")
        size, kind = _octal(head[124:136]), head[156:157]
        padding = -size % _BLOCK
        if kind in (b"x", b"L"):
            longer = None
            if size <= _MOST_NAME:
                data = stream.read(size)
                longer = _text(data) if kind == b"L" else _path(data)
                stream.skip(padding)
            else:
                stream.skip(size + padding)
            continue
        name = PurePosixPath(longer or _text(head[:100])).name
        longer = None
        if kind in (b"0", b"\0", b"7") and name in names:
            files.check_size(name, size)
            if name in files:
                raise _DamagedError(f"it has {name} twice")
            files.contents[name] = stream.read(size)
            stream.skip(padding)
        else:
            stream.skip(size + padding)
    else:
        raise _DamagedError(f"it has more than {_MOST_HEADERS:,} files")
    stream.end()


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if digits.strip(b"01234567"):
        raise _DamagedError("a number in a header is none")
    return int(digits or b"0", 8)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")


def _path(data: bytes) -> str | None:
    """Find the name among the records of a header of POSIX: ``length name=value``, a line each."""
    while data:
        digits, _, _ = data[:8].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        if not len(digits) < length <= len(data):
            raise _DamagedError("a header of POSIX is none")
        name, _, value = data[len(digits) + 1 : length - 1].partition(b"=")
        if name == b"path":
            return value.decode("utf-8", "replace")
        data = data[length:]
    return None
