"""CIFAR-10 from its official files: the archive of pickles, which are read as data, or the binary.

Any other set of that layout is read too, where nobody asks for the images of CIFAR-10.
"""

import hashlib
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nb101.errors import DatasetError
from nb101.train.cifar_pickle import read_pickle
from nb101.train.images import ImageData, Images, Split
from nb101.train.unpack import Files, read_files, reading

CIFAR10_MEAN = (125.31, 122.95, 113.87)
"""Mean of each channel that the original subtracts, of 0 to 255."""
CIFAR10_STD = (62.99, 62.09, 66.70)

_BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
_PIXELS = 3 * 32 * 32
_BATCH_BYTES = 1 << 25
"""More than an official batch has, of 10,000 images."""
_MOST_BATCH_BYTES = 1 << 27
"""What any other batch may have: 43,000 images."""
CIFAR10_SHA256 = (
    "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
)
"""SHA-256 of labels and pixels of each batch, as the official binary files hold them."""


def load_cifar10(path: str | os.PathLike[str], *, verify: bool = True) -> ImageData:
    """Read CIFAR-10: four batches to train, the fifth for validation, and the test batch.

    Those are the original's splits (section 2.4 of the paper): 40,000, 10,000 and 10,000 images.

    Parameters
    ----------
    path
        An official archive, ``cifar-10-python.tar.gz`` or ``cifar-10-binary.tar.gz``, packed or
        not, or a folder with its files.
    verify
        Whether the images must be those of CIFAR-10, by their SHA-256. If not, any other set of
        this layout will do, with as many images in a batch as there are.

    Raises
    ------
    DatasetError
        If a file is missing or damaged, or the images are others.
    OSError
        If it cannot be read; `MissingFileError` if there is no such path.
    """
    with reading(path):
        return _load_cifar10(Path(path), verify)


def _load_cifar10(path: Path, verify: bool) -> ImageData:
    place = path
    for folder in ("cifar-10-batches-py", "cifar-10-batches-bin"):
        if not (place / _BATCHES[0]).exists() and (place / folder).is_dir():
            place = place / folder
    names = [name + ending for name in _BATCHES for ending in ("", ".bin")]
    files = read_files(place, names, most=_BATCH_BYTES if verify else _MOST_BATCH_BYTES)
    batches = [_read_batch(files, name) for name in _BATCHES]
    if verify:
        for name, (labels, pixels), expected in zip(_BATCHES, batches, CIFAR10_SHA256, strict=True):
            if digest(labels, pixels) != expected:
                raise DatasetError(
                    f"{path}: {name} does not hold the images of CIFAR-10: it is damaged, or of "
                    "another data set (which load_cifar10 reads with verify=False, and commands "
                    "with --any-images)"
                )
    splits = [
        Split(pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels)
        for labels, pixels in batches
    ]
    train = Split(
        np.concatenate([split.images for split in splits[:4]]),
        np.concatenate([split.labels for split in splits[:4]]),
    )
    return ImageData(
        name="CIFAR-10" if verify else f"in the layout of CIFAR-10: {path.name}",
        train=train,
        validation=splits[4],
        test=splits[5],
        num_classes=10,
        mean=CIFAR10_MEAN,
        std=CIFAR10_STD,
    )


def digest(labels: npt.NDArray[np.int64], pixels: Images) -> str:
    """Return the SHA-256 of a batch; see `CIFAR10_SHA256`."""
    rows = np.concatenate([labels.astype(np.uint8)[:, np.newaxis], pixels], axis=1)
    return hashlib.sha256(rows.data).hexdigest()


def _read_batch(files: Files, name: str) -> tuple[npt.NDArray[np.int64], Images]:
    """Read a batch in either layout: labels of shape ``(n,)``, pixels ``(n, 3072)``."""
    if name in files:
        where = files.where(name)
        found = read_pickle(files.take(name), where)
        if not isinstance(found, dict):
            raise DatasetError(f"{where} is no batch of CIFAR-10, but a {type(found).__name__}")
        labels, pixels = found.get("labels"), found.get("data")
        if not isinstance(labels, list) or not all(type(label) is int for label in labels):
            raise DatasetError(f"{where} is no batch of CIFAR-10: 'labels' is no list of numbers")
        if (
            not isinstance(pixels, np.ndarray)
            or pixels.dtype != np.uint8
            or pixels.shape != (len(labels), _PIXELS)
        ):
            raise DatasetError(
                f"{where} is no batch of CIFAR-10: 'data' is no uint8 array of shape "
                f"({len(labels)}, {_PIXELS})"
            )
        return np.array(labels, dtype=np.int64), pixels
    if f"{name}.bin" in files:
        where, data = files.where(f"{name}.bin"), files.take(f"{name}.bin")
        if not data or len(data) % (_PIXELS + 1):
            raise DatasetError(
                f"{where} is no batch of CIFAR-10: its {len(data):,} bytes are no whole number of "
                f"rows of {_PIXELS + 1:,}"
            )
        rows = np.frombuffer(data, dtype=np.uint8).reshape(-1, _PIXELS + 1)
        return rows[:, 0].astype(np.int64), rows[:, 1:]
    raise DatasetError(
        f"{files.path} lacks {name} and {name}.bin: it is not CIFAR-10, or not all of it; "
        "nb101 data fetch cifar10 gets the official archive"
    )
