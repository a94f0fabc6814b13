"""NumPy archives (.npz) that carry a seal, and are read within bounds.

What an archive says of itself is not believed: how large an entry is, or what its numbers are, is
checked before room is made for it. Nothing is unpickled.
"""

import io
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101._base import seals
from nb101.errors import DatasetError

Array = npt.NDArray[Any]

MOST_ENTRIES = 10_000
"""Arrays of one archive."""
MOST_HEADER = 10_000
"""Bytes of what an array says of itself."""
_KINDS = "fiu"
_HEADER = re.compile(
    r"\{'descr': '(?P<descr>[<>|=]?[a-zA-Z]\d{0,3})', 'fortran_order': (?P<fortran>True|False), "
    r"'shape': \((?P<shape>|\d{1,18},|\d{1,18}(?:, \d{1,18}){1,31},?)\),? *\} *\n?"
)
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write(path: str | os.PathLike[str], arrays: Mapping[str, Any], *, packed: bool) -> None:
    """Write arrays of numbers to an archive, which appears whole or not at all.

    Parameters
    ----------
    path
        The file.
    arrays
        Arrays by name.
    packed
        Whether to make them smaller.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    import zipfile

    with seals.sealed(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, values in arrays.items():
            # Without the time, so that equal arrays make equal files.
            info = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            with archive.open(info, "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(values), allow_pickle=False)
        archive.comment = seals.BLANK.encode()


@contextmanager
def damage_errors(path: str | os.PathLike[str], advice: str) -> Iterator[None]:
    """Say that an archive is damaged, whatever reading it raises.

    A seal is no signature: a file may hold anything, and its seal fit.
    """
    import zipfile
    import zlib

    try:
        yield
    except (
        *(ValueError, TypeError, KeyError, EOFError, OverflowError, RecursionError, OSError),
        *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
    ) as error:
        raise DatasetError(f"{os.fspath(path)} is damaged: {error}: {advice}") from None


class Archive:
    """The arrays of an archive, each read when it is asked for.

    Parameters
    ----------
    data
        The bytes of the file, in memory, so that processes that are forked share no position.
    most
        The most bytes that all of them may take: none is read where they would take more.

    Raises
    ------
    ValueError
        If it is no archive of arrays of numbers, or would take more.
    """

    def __init__(self, data: bytes, most: int) -> None:
        self.data = data
        import zipfile

        self._zip = zipfile.ZipFile(io.BytesIO(data))
        entries = self._zip.infolist()
        if len(entries) > MOST_ENTRIES:
            raise ValueError(f"it has {len(entries):,} entries")
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            name = entry.filename.removesuffix(".npy")
            if name == entry.filename or name in self._entries or entry.flag_bits & 1:
                raise ValueError(f"entry {entry.filename!r} is no array")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"entry {entry.filename!r} is packed in an unknown way")
            self._entries[name] = entry
        size = sum(entry.file_size for entry in entries)
        if size > most:
            raise ValueError(f"it would take {size:,} bytes, and may take {most:,}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all arrays."""
        return tuple(self._entries)

    def read(self, name: str) -> Array:
        """Return an array, its checksum compared.

        Raises
        ------
        KeyError
            If there is none of this name.
        ValueError
            If it holds no numbers, or is not as large as the archive says.
        zipfile.BadZipFile, zlib.error, OSError
            If it is damaged.
        """
        entry = self._entries[name]
        with self._zip.open(entry) as file:
            shape, fortran, kind = _read_header(file)
            if kind.kind not in _KINDS:
                raise ValueError(f"{name} holds no numbers")
            count = math.prod(shape)
            if file.tell() + count * kind.itemsize != entry.file_size:
                raise ValueError(f"{name} is not as large as it should be")
            # One byte more than there is, so that the end is seen and the checksum compared.
            content = file.read(count * kind.itemsize + 1)
        array = np.frombuffer(content, kind) if count else np.empty(0, kind)
        return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _read_header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the head of an array: its shape, whether Fortran's order, and what its numbers are.

    NumPy reads it as Python's syntax, by `ast`, which CPython 3.11 refuses by chance where threads
    do so at the same time (python/cpython#106905). What NumPy writes is one form.
    """
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"arrays of version {version} are not read")
    size = 2 if version == (1, 0) else 4
    length = int.from_bytes(file.read(size), "little")
    if length > MOST_HEADER:
        raise ValueError(f"the head of an array would take {length:,} bytes")
    head = _HEADER.fullmatch(file.read(length).decode("latin-1"))
    if head is None:
        raise ValueError("the head of an array is not as NumPy writes it")
    shape = tuple(int(axis) for axis in head["shape"].split(",") if axis.strip())
    return shape, head["fortran"] == "True", np.dtype(head["descr"])
