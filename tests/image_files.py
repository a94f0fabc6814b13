"""Files of image sets in every layout, of a few images each."""

import gzip
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np

from nb101.train import ImageData

NAMES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]


def draw(n: int, seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 10, n), rng.integers(0, 256, (n, 3072), dtype=np.uint8)


def old_pickle(labels: Any, pixels: Any) -> bytes:
    """A batch as Python 2 with its NumPy wrote it."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    numbers = b"".join(b"K" + bytes([label]) for label in labels.tolist())
    content = pixels.tobytes()
    shape = b"M" + struct.pack("<H", len(pixels)) + b"M\x00\x0c\x86"
    return b"".join(
        [
            b"\x80\x02}q\x01(",
            *(text(b"batch_label"), text(b"training batch"), text(b"labels"), b"]q\x02("),
            *(numbers, b"e", text(b"data")),
            b"cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85U\x01b\x87R",
            *(b"q\x05(K\x01", shape, b"cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87R"),
            b"q\x07(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
            *(b"T" + struct.pack("<I", len(content)), content, b"tbu."),
        ]
    )


def new_pickle(labels: Any, pixels: Any) -> bytes:
    """The same as Python 3 writes it."""
    return pickle.dumps({"labels": labels.tolist(), "data": pixels}, protocol=2)


def newest_pickle(labels: Any, pixels: Any) -> bytes:
    return pickle.dumps({"labels": labels.tolist(), "data": pixels}, protocol=4)


def binary(labels: Any, pixels: Any) -> bytes:
    rows = np.concatenate([labels.astype(np.uint8)[:, None], pixels], 1)
    return rows.tobytes()


def write(folder: Path, writer: Any, ending: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(NAMES):
        (folder / f"{name}{ending}").write_bytes(writer(*draw(6 + i, i)))


def check(found: ImageData) -> None:
    parts = [draw(6 + i, i) for i in range(6)]
    images = [p.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) for _, p in parts]
    assert (found.train.images == np.concatenate(images[:4])).all()
    assert (found.train.labels == np.concatenate([y for y, _ in parts[:4]])).all()
    for split, i in ((found.validation, 4), (found.test, 5)):
        assert (split.images == images[i]).all()
        assert split.labels.tolist() == parts[i][0].tolist()
    assert found.mean == (125.31, 122.95, 113.87)
    assert found.std == (62.99, 62.09, 66.70)
    assert found.num_classes == 10


def write_idx(path: Path, array: Any) -> None:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    content = head + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_fashion(folder: Path, ending: str) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    arrays = {}
    for part, n in (("train", 60), ("t10k", 20)):
        arrays[f"{part}-images-idx3-ubyte"] = rng.integers(0, 256, (n, 28, 28))
        arrays[f"{part}-labels-idx1-ubyte"] = np.arange(n) % 10
    for name, array in arrays.items():
        write_idx(folder / f"{name}{ending}", array)
    return arrays
