"""Images that came as arrays, kept in a campaign's folder for its workers.

The file is an archive of NumPy's arrays, not compressed, with a seal over each of its bytes (see
`nb101._base.archives`), which is compared before anything is taken from it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from nb101._base import archives
from nb101._base.seals import check_sealed_bytes
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
    archives.write(path, arrays, packed=False)


def load_images(path: Path) -> ImageData:
    """Undo `save_images`.

    Raises
    ------
    DatasetError
        If the file is damaged.
    OSError
        If it cannot be read.
    """
    content = path.read_bytes()
    check_sealed_bytes(content, path, ADVICE)
    with archives.damage_errors(path, ADVICE):
        # Its arrays are no larger than it is.
        arrays = archives.Archive(content, len(content))
        about = json.loads(arrays.read("about").tobytes())
        return ImageData(
            name=str(about["name"]),
            num_classes=int(about["num_classes"]),
            train=(arrays.read("train_images"), arrays.read("train_labels")),
            validation=(arrays.read("validation_images"), arrays.read("validation_labels")),
            test=(arrays.read("test_images"), arrays.read("test_labels")),
            mean=arrays.read("mean").tolist(),
            std=arrays.read("std").tolist(),
        )
