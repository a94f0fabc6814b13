"""IDX files, and sets of four."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

import nb101
from image_files import write_fashion, write_idx
from nb101.train.data import load
from nb101.train.idx import load_fashion_mnist, read_idx


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_fashion_mnist(ending: str, tmp_path: Path) -> None:
    arrays = write_fashion(tmp_path, ending)
    found = load_fashion_mnist(tmp_path)
    assert [len(split) for split in found.splits.values()] == [50, 10, 20]
    assert found.image_shape == (28, 28, 1)
    train = arrays["train-images-idx3-ubyte"]
    assert (found.train.images[..., 0] == train[:50]).all()
    assert (found.validation.images[..., 0] == train[50:]).all()
    assert found.mean[0] == pytest.approx(train[:50].mean())
    assert found.std[0] == pytest.approx(train[:50].std())
    assert load(tmp_path).checksum == found.checksum


def test_damaged_idx(tmp_path: Path) -> None:
    write_fashion(tmp_path, "")
    path = tmp_path / "t10k-images-idx3-ubyte"
    whole = path.read_bytes()
    for wrong, message in (
        (b"", "is no IDX file of bytes in 3 dimensions"),
        (whole[:-1], "is damaged: 15,679 bytes for an array of 20 x 28 x 28"),
        (b"\0\0\x0d\3" + whole[4:], "is no IDX file of bytes"),
        (gzip.compress(whole)[:-9], "is damaged"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(nb101.DatasetError, match=message):
            load_fashion_mnist(tmp_path)
    path.unlink()
    with pytest.raises(nb101.DatasetError, match="lacks t10k-images-idx3-ubyte and"):
        load_fashion_mnist(tmp_path)
    write_idx(tmp_path / "x", np.zeros(2))
    with pytest.raises(nb101.DatasetError, match="in 2 dimensions"):
        read_idx(tmp_path / "x", 2)


def test_idx_within_bounds(tmp_path: Path) -> None:
    """What the header says decides how much is unpacked, and that has a limit."""
    path = tmp_path / "x.gz"
    for shape, size, message in (
        ((60_000, 28, 28), 60 << 20, "is damaged: more than 47,040,000 bytes for an array"),
        ((60_000, 28, 28), 100, "is damaged: 100 bytes for an array of 60000 x 28 x 28"),
        ((2**32 - 1,) * 3, 100, "array of 4294967295 x 4294967295 x 4294967295: at most 1,073,7"),
        ((0, 2**32 - 1, 2**32 - 1), 1, "is damaged: more than 0 bytes"),
    ):
        head = bytes([0, 0, 8, 3]) + struct.pack(">3I", *shape)
        path.write_bytes(gzip.compress(head + bytes(size), 1))
        with pytest.raises(nb101.DatasetError, match=message):
            read_idx(path, 3)
