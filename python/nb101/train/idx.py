"""IDX files, the format of MNIST and its relatives: arrays of bytes behind their shape.

A set is four of them; `load_fashion_mnist` reads one, and is the worked example of another data set
than CIFAR-10.
"""

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
from nb101.train.images import ImageData, Images, Split
from nb101.train.unpack import PIECE, check_regular, reading, unpacked

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


def load_fashion_mnist(path: str | os.PathLike[str]) -> ImageData:
    """Read Fashion-MNIST: 28 x 28 images of one channel, 10 classes.

    The last 10,000 training images are kept for validation, so that the splits are 50,000, 10,000
    and 10,000. MNIST, and any other set of four IDX files, is read the same way.

    Parameters
    ----------
    path
        The folder with ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``,
        ``t10k-images-idx3-ubyte`` and ``t10k-labels-idx1-ubyte``, each packed by gzip or not.

    Raises
    ------
    DatasetError
        If a file is missing or damaged.
    OSError
        If it cannot be read.
    """
    with reading(path):
        return _load_fashion_mnist(Path(path))


def _load_fashion_mnist(folder: Path) -> ImageData:
    train, test = (
        Split(
            _find_idx(folder, f"{part}-images-idx3-ubyte", 3)[..., np.newaxis],
            _find_idx(folder, f"{part}-labels-idx1-ubyte", 1),  # type: ignore[arg-type]
        )
        for part in ("train", "t10k")
    )
    held_out = min(10_000, len(train) // 6)
    return ImageData(
        name="Fashion-MNIST",
        train=train[: len(train) - held_out],
        validation=train[len(train) - held_out :],
        test=test,
    )


def _find_idx(folder: Path, name: str, dimensions: int) -> Images:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return read_idx(path, dimensions)
    raise DatasetError(
        f"{folder} lacks {name} and {name}.gz: nb101 data fetch fashion-mnist gets them"
    )
