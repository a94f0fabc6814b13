"""Seals: a checksum within a file that covers each of its bytes.

A file that nb101 writes holds the mark ``nb101-sha256:`` and 64 hexadecimal digits wherever its
format has room for text: metadata of Arrow, Parquet and safetensors, an entry of JSON, the comment
of a zip archive. They are the SHA-256 of the whole file with these digits written as zeros, so that
nothing lies outside: neither padding, nor names, nor the seal's own mark. A format may keep the
mark in two places, as Arrow does with its schema; both hold the same digits.

Every format of nb101 needs its seal: a file without one is damaged, or was made by others.
"""

import hashlib
import json
import mmap
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from nb101._base.beside import Beside
from nb101._base.files import atomic
from nb101._base.runtime import raise_if_short
from nb101.errors import ArgumentError, DatasetError

if TYPE_CHECKING:
    import pyarrow as pa

MARK = "nb101-sha256:"
BLANK = MARK + "0" * 64
"""What to write into a file where its seal is to be."""
KEY = "nb101.seal"
"""Name of the seal where entries have names."""

_PATTERN = re.compile(MARK.encode() + rb"([0-9a-f]{64})")
_WINDOW = 1 << 20
"""Bytes at either end of a file in which seals are looked for."""
_PIECE = 1 << 24
"""Bytes hashed at a time, between which Ctrl-C is heard."""
_LARGE = 1 << 20
"""Bytes from which on they are hashed while they are written."""


@contextmanager
def sealed(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file as `nb101._base.files.atomic` does, and fill in the seal at its end.

    What is written holds `BLANK` in the first or last MiB, and is written from front to back.
    """
    with atomic(path) as file:
        writer = _Hashed(file)
        yield writer  # type: ignore[misc]  # All of a file that its writers need.
        file.flush()
        with Path(file.name).open("r+b") as again:
            _fill(again, writer.digest.hexdigest())


def with_seal(schema: "pa.Schema") -> "pa.Schema":
    """Return a schema of Arrow whose metadata has room for a seal."""
    return schema.with_metadata((schema.metadata or {}) | {KEY.encode(): BLANK.encode()})


class Appending:
    """A binary file that can only be appended to: what pyarrow asks of one to write to."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.closed = False
        self.mode = "wb"

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """Leave the file open for whoever opened it."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


class _Hashed(Appending):
    """It hashes what it writes."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        if memoryview(data).nbytes < _LARGE:
            self.digest.update(data)
            return self._file.write(data)
        # On two cores: 0.2 of 0.7 s of the table of all official runs.
        hashed = Beside(self.digest.update, data)
        try:
            return self._file.write(data)
        finally:
            hashed.result()


def _fill(file: IO[bytes], digest: str) -> None:
    with _mapped(file, mmap.ACCESS_WRITE) as data:
        places = _places(data)
        if not places:
            raise RuntimeError("the file has no place for its seal")
        _check_blank(data, places)
        for place in places:
            data[place : place + 64] = digest.encode()


def _mapped(file: IO[bytes], access: int) -> mmap.mmap:
    """Map a file into memory; that there is no room for it is a `MemoryError`."""
    try:
        return mmap.mmap(file.fileno(), 0, access=access)
    except OSError as error:
        raise_if_short(error)
        raise


def _check_blank(data: Any, places: list[int]) -> None:
    """Refuse to write over what looks like a seal and is somebody's text."""
    if any(data[place : place + 64] != b"0" * 64 for place in places):
        raise ArgumentError(
            f"the file holds {MARK} and digits that are not its own: change that text"
        )


def seal_bytes(data: bytes) -> bytes:
    """Return a file's bytes with the seal filled in where `BLANK` is."""
    places = _places(data)
    if not places:
        raise RuntimeError("the file has no place for its seal")
    _check_blank(data, places)
    digest = hashlib.sha256(data).hexdigest().encode()
    whole = bytearray(data)
    for place in places:
        whole[place : place + 64] = digest
    return bytes(whole)


def sealed_json(values: Mapping[str, Any]) -> bytes:
    """Return an object as the text of a sealed file: a line an entry, the seal the last."""
    entries = [
        f"{json.dumps(key)}: {json.dumps(value)}" for key, value in {**values, KEY: BLANK}.items()
    ]
    return seal_bytes(("{\n  " + ",\n  ".join(entries) + "\n}\n").encode())


def read_sealed_json(data: bytes, path: str | os.PathLike[str], advice: str) -> dict[str, Any]:
    """Return what `sealed_json` wrote, without the seal.

    Raises
    ------
    DatasetError
        If it is damaged, or has no seal; `advice` ends the message.
    """
    check_sealed_bytes(data, path, advice)
    try:
        values = json.loads(data)
        del values[KEY]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DatasetError(f"{os.fspath(path)} is damaged: {error}: {advice}") from None
    kept: dict[str, Any] = values
    return kept


def check_seal(path: str | os.PathLike[str], advice: str) -> None:
    """Compare each byte of a file with its seal.

    Parameters
    ----------
    path
        The file.
    advice
        What to do about a damaged one, which ends the message.

    Raises
    ------
    DatasetError
        If it is damaged, or has no seal.
    OSError
        If it cannot be read.
    """
    with Path(path).open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise DatasetError(f"{os.fspath(path)} is empty: {advice}")
        with _mapped(file, mmap.ACCESS_READ) as data, memoryview(data) as view:
            _check(view, data, path, advice)


def check_sealed_bytes(data: bytes | memoryview, path: str | os.PathLike[str], advice: str) -> None:
    """Do as `check_seal` does, for a file that has been read or mapped already."""
    _check(memoryview(data), data, path, advice)


def has_mark(data: bytes | memoryview) -> bool:
    """Whether a file that has been read or mapped holds anything that looks like a seal."""
    return bool(_places(data))


def _check(view: memoryview, data: Any, path: str | os.PathLike[str], advice: str) -> None:
    places = _places(data)
    if not places:
        raise DatasetError(f"{os.fspath(path)} has no seal of nb101, or a damaged one: {advice}")
    found = {bytes(view[place : place + 64]) for place in places}
    digest = hashlib.sha256()
    start = 0
    for place in places:
        _hash(digest, view, start, place)
        digest.update(b"0" * 64)
        start = place + 64
    _hash(digest, view, start, len(view))
    if found != {digest.hexdigest().encode()}:
        raise DatasetError(f"{os.fspath(path)} is damaged: its bytes do not fit its seal: {advice}")


def _hash(digest: Any, view: memoryview, start: int, end: int) -> None:
    for first in range(start, end, _PIECE):
        digest.update(view[first : min(first + _PIECE, end)])


def _places(data: Any) -> list[int]:
    """Return where the digits of seals begin, in the first and the last MiB."""
    size = len(data)
    windows = [(0, min(size, _WINDOW))]
    if size > _WINDOW:
        # Overlapping by a seal's length, so that none is cut in two.
        windows.append((max(size - _WINDOW, _WINDOW - len(BLANK) + 1), size))
    places = {
        first + found.start(1)
        for first, end in windows
        for found in _PATTERN.finditer(data[first:end])
    }
    return sorted(places)
