"""The files of a site read again, in NumPy, as a page reads them."""

import gzip
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

TYPES = {"u8": "u1", "u16": "<u2", "u32": "<u4", "i32": "<i4", "f32": "<f4", "f64": "<f8"}


def decode(encoding: dict[str, Any], read: Callable[[str], bytes]) -> npt.NDArray[Any]:
    """Return the values of a column."""
    if encoding["kind"] == "numbers":
        return _array(read(encoding["file"]), encoding["type"], encoding.get("planes", False))
    codes = _array(read(encoding["codes"]), encoding["codeType"], encoding.get("planes", False))
    values = _array(read(encoding["values"]), encoding["valueType"], False)
    decoded: npt.NDArray[Any] = values[codes]
    return decoded


def _array(data: bytes, kind: str, planes: bool) -> npt.NDArray[Any]:
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    dtype = np.dtype(TYPES[kind])
    if planes:
        data = np.frombuffer(data, np.uint8).reshape(dtype.itemsize, -1).T.tobytes()
    return np.frombuffer(data, dtype)
