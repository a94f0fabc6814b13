"""IDX files, the format of MNIST and its relatives: arrays of bytes behind their shape."""

import gzip
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nb101._base.files import file_errors
from nb101.errors import DatasetError
from nb101.train.unpack import PIECE, check_regular, unpacked

MOST_BYTES = 1 << 30
"""Bytes of an array; the largest set of the kind, EMNIST, has half as many."""


def read_idx(path: str | os.PathLike[str], dimensions: int) -> npt.NDArray[np.uint8]:
    """Read an IDX file of bytes, packed by gzip or not, of so many dimensions.

    What the header says is compared with the file as far as it is, and not more is unpacked. The
    format has no checksum; that of gzip is compared.

    Raises
    ------
    DatasetError
        If it is none, or damaged.
    """
    check_regular(Path(path))
    try:
        with file_errors(path), Path(path).open("rb") as file, unpacked(file) as content:
            head = content.read(4 + 4 * dimensions)
            if len(head) < 4 + 4 * dimensions or head[:4] != bytes([0, 0, 8, dimensions]):
                raise DatasetError(f"{path} is no IDX file of bytes in {dimensions} dimensions")
            shape = struct.unpack(f">{dimensions}I", head[4:])
            size = math.prod(shape)
            words = " x ".join(map(str, shape))
            if size > MOST_BYTES:
                raise DatasetError(
                    f"{path} says that it holds an array of {words}: at most {MOST_BYTES:,} bytes "
                    "are read"
                )
            # It grows with what is there, not with what the header says.
            data = bytearray()
            while piece := content.read(min(PIECE, size + 1 - len(data))):
                data += piece
            if len(data) != size:
                found = f"{len(data):,}" if len(data) < size else f"more than {size:,}"
                raise DatasetError(
                    f"{path} is damaged: {found} bytes for an array of {words}", path=path
                )
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(f"{path} is damaged: {error}", path=path) from None
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)
