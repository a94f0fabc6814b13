"""Images that came as arrays, kept in a campaign's folder for its workers.

The file is a zip archive of NumPy's arrays, uncompressed, as `numpy.savez` makes it, with a seal
(`nb101.seals`) as its comment: every byte is compared with that before anything is taken from it.
"""

import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from nb101.errors import DatasetError
from nb101.seals import BLANK, check_seal, sealed
from nb101.train.archives import PIECE
from nb101.train.data import ImageData

ADVICE = "make the plan with these images again, and run it"


def save_images(data: ImageData, path: Path) -> None:
    """Keep images that came as arrays for workers."""
    arrays: dict[str, Any] = {}
    for name, split in data.splits.items():
        arrays[f"{name}_images"], arrays[f"{name}_labels"] = split.images, split.labels
    about = {"name": data.name, "num_classes": data.num_classes}
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    arrays["mean"], arrays["std"] = np.array(data.mean), np.array(data.std)
    with sealed(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
        archive.comment = BLANK.encode()


def load_images(path: Path) -> ImageData:
    """Undo `save_images`.

    Raises
    ------
    DatasetError
        If the file is damaged.
    OSError
        If it cannot be read.
    """
    check_seal(path, ADVICE)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if sum(info.file_size for info in entries) > path.stat().st_size:
                raise DatasetError(
                    f"{path} is damaged: its entries are larger than it is: {ADVICE}"
                )
            arrays = {info.filename: _array(archive, info) for info in entries}
        parts: dict[str, Any] = {
            name: (arrays[f"{name}_images.npy"], arrays[f"{name}_labels.npy"])
            for name in ("train", "validation", "test")
        }
        about = json.loads(arrays["about.npy"].tobytes())
        moments = {name: tuple(arrays[f"{name}.npy"].tolist()) for name in ("mean", "std")}
        return ImageData(
            name=str(about["name"]), num_classes=int(about["num_classes"]), **parts, **moments
        )
    except DatasetError:
        raise
    except OSError as error:
        if error.filename is not None:
            raise
        # zipfile looks for entries where none can be.
        raise DatasetError(f"{path} is damaged: {error}: {ADVICE}") from None
    # What a file with a seal that fits may do that is not of `save_images`.
    except (
        *(ValueError, TypeError, KeyError, EOFError, OverflowError, RecursionError),
        *(zipfile.BadZipFile, NotImplementedError, RuntimeError),
    ) as error:
        raise DatasetError(f"{path} is damaged: {error}: {ADVICE}") from None


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Any:
    """Read an array whose size is that of its entry."""
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise DatasetError(f"{archive.filename} is damaged: {info.filename} is compressed")
    with archive.open(info) as entry:
        version = np.lib.format.read_magic(entry)
        if version != (1, 0):
            raise ValueError(f"{info.filename} is of another version of NumPy's format")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(entry)
        size = info.file_size - entry.tell()
        if dtype.hasobject or not dtype.itemsize or dtype.itemsize * math.prod(shape) != size:
            raise ValueError(f"{info.filename} has not the size of its array")
        data = np.empty(size, np.uint8)
        for start in range(0, size, PIECE):
            piece = data[start : start + PIECE]
            # It comes in full unless the entry ends too early, which is an EOFError or no fit.
            piece[:] = np.frombuffer(entry.read(len(piece)), np.uint8)
    return data.view(dtype).reshape(shape, order="F" if fortran else "C")
