"""Bytes of columns: plain for a server, and packed for a folder of files.

Packed, columns that are a function of one another share their codes: of the default table all
accuracies at a budget follow from one of them. A code is the place of a value in the ascending
values of the column that came first. Bytes of numbers lie in planes, all lowest ones first, since
gzip then packs them better (by a fifth, of accuracies); and gzip notes no time, so that the same
columns give the same bytes.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nb101.table.schema import Array

NAMES = {"u1": "u8", "u2": "u16", "u4": "u32", "i4": "i32", "f4": "f32", "f8": "f64"}
"""What types are called in a manifest."""
FEW = 4
"""A column is coded where it has at most a value for so many rows."""
SAMPLED = 1 << 12
"""Rows that are looked at before all of them are."""
LEVEL = 9


def type_name(dtype: np.dtype[Any]) -> str:
    """Return what a type is called in a manifest."""
    return NAMES[dtype.str[1:]]


def plain(values: Array) -> bytes:
    """Return values as they lie in a file, little-endian."""
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def planes(values: Array) -> bytes:
    """Return all lowest bytes of values, then all second ones, and so on."""
    data = np.frombuffer(plain(values), dtype=np.uint8)
    return data.reshape(len(values), values.itemsize).T.tobytes()


def gzipped(data: bytes) -> bytes:
    """Pack bytes; the same ones always give the same."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


@dataclass(frozen=True)
class _Codes:
    """The codes of a column, which others may share."""

    codes: Array
    first: Array
    """A row of each code."""
    entry: dict[str, Any]
    """What a manifest says of them."""


class Packer:
    """Packs columns one after the other.

    Parameters
    ----------
    write
        Takes the path of a file, relative, and its bytes.
    """

    def __init__(self, write: Callable[[str, bytes], object]) -> None:
        self._write = write
        self._shared: list[_Codes] = []

    def add(self, path: str, values: Array) -> dict[str, Any]:
        """Write the files of a column, and return its encoding for the manifest.

        Parameters
        ----------
        path
            Where they go, without ending.
        values
            Numbers, without negative zeros.
        """
        codes = next((each for each in self._shared if follows(values, each)), None)
        if codes is None and values.itemsize > 1:
            codes = self._make_codes(path, values)
        if codes is None:
            file = f"{path}.bin.gz"
            many = values.itemsize > 1
            self._write(file, gzipped(planes(values) if many else plain(values)))
            entry = {"kind": "numbers", "file": file, "type": type_name(values.dtype)}
            return entry | ({"planes": True} if many else {})
        listed = _value_type(values[codes.first])
        file = f"{path}.values.bin.gz"
        self._write(file, gzipped(plain(listed)))
        return codes.entry | {"values": file, "valueType": type_name(listed.dtype)}

    def _make_codes(self, path: str, values: Array) -> _Codes | None:
        """Code a column that has few values."""
        found, first, codes = np.unique(values, return_index=True, return_inverse=True)
        if len(found) * FEW > len(values):
            return None
        kind = np.min_scalar_type(len(found) - 1)
        narrow = codes.astype(kind)
        file = f"{path}.codes.bin.gz"
        many = narrow.itemsize > 1
        self._write(file, gzipped(planes(narrow) if many else plain(narrow)))
        entry = {"kind": "codes", "codes": file, "codeType": type_name(narrow.dtype)}
        made = _Codes(narrow, first, entry | ({"planes": True} if many else {}))
        self._shared.append(made)
        return made


def follows(values: Array, codes: _Codes) -> bool:
    """Whether a column has one value for each code."""
    listed = values[codes.first]
    return _same(listed[codes.codes[:SAMPLED]], values[:SAMPLED]) and _same(
        listed[codes.codes], values
    )


def _same(a: Array, b: Array) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _value_type(values: Array) -> Array:
    """Return the values of codes in a type that a manifest has for them."""
    if values.dtype.kind == "f":
        return values
    fits = not len(values) or values.max() <= np.iinfo(np.int32).max
    return values.astype(np.int32 if fits else np.float64)
