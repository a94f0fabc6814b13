"""CIFAR-10: official files in every layout, and damaged ones."""

import gzip
import io
import pickle
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from image_files import NAMES, binary, check, draw, new_pickle, newest_pickle, old_pickle, write
from nb101.train import cifar10
from nb101.train.cifar10 import load_cifar10
from nb101.train.data import load
from nb101.train.images import moments

WRITERS = {"": [old_pickle, new_pickle, newest_pickle], ".bin": [binary]}


@pytest.mark.parametrize(
    ("ending", "writer"), [(e, w) for e, writers in WRITERS.items() for w in writers]
)
def test_cifar10_layouts(ending: str, writer: Any, tmp_path: Path) -> None:
    inner = tmp_path / f"cifar-10-batches-{'bin' if ending else 'py'}"
    write(inner, writer, ending)
    check(load_cifar10(inner, verify=False))
    check(load_cifar10(tmp_path, verify=False))
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(inner, arcname=inner.name)
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress((tmp_path / "a.tar").read_bytes()))
    for name in ("a.tar", "a.tar.gz"):
        check(load_cifar10(tmp_path / name, verify=False))
    with pytest.raises(nb101.DatasetError, match="data_batch_1 does not hold the images of CIFAR"):
        load_cifar10(inner)


@pytest.fixture(scope="module")
def genuine(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official files, restored."""
    pytest.importorskip("PIL", reason="Pillow is not installed, which restores the images")
    if not (test_data / "cifar10" / "unpack.py").exists():
        pytest.skip("no CIFAR-10 in the shared data")
    folder = tmp_path_factory.mktemp("cifar10")
    program = test_data / "cifar10" / "unpack.py"
    subprocess.run([sys.executable, str(program), str(folder)], check=True, stdout=subprocess.PIPE)
    return folder


def test_genuine_cifar10(genuine: Path) -> None:
    python = load_cifar10(genuine / "cifar-10-batches-py")
    binary = load_cifar10(genuine / "cifar-10-batches-bin")
    assert python.checksum == binary.checksum
    assert [len(split) for split in python.splits.values()] == [40_000, 10_000, 10_000]
    assert np.bincount(python.test.labels).tolist() == [1000] * 10
    assert python.image_shape == (32, 32, 3)
    # The original's mean and deviation, which are those of all 50,000, to two digits or so.
    both = python.train + python.validation
    mean, std = moments(both.images)
    np.testing.assert_allclose(mean, python.mean, atol=0.01)
    np.testing.assert_allclose(std, python.std, atol=0.01)
    # The first training image is a frog, label 6; its first pixel as published.
    assert python.train.labels[:3].tolist() == [6, 9, 9]
    assert python.train.images[0, 0, 0].tolist() == [59, 62, 63]
    # Read by NumPy's own unpickler.
    raw = pickle.loads(
        (genuine / "cifar-10-batches-py" / "data_batch_5").read_bytes(), encoding="latin-1"
    )
    assert (raw["data"].reshape(-1, 3, 32, 32)[:, 1] == python.validation.images[..., 1]).all()
    assert raw["labels"] == python.validation.labels.tolist()


def test_a_damaged_genuine_file(genuine: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.bin").symlink_to(genuine / "cifar-10-batches-bin" / f"{name}.bin")
    bad = bytearray((folder / "data_batch_3.bin").read_bytes())
    bad[123_456] ^= 1
    (folder / "data_batch_3.bin").unlink()
    (folder / "data_batch_3.bin").write_bytes(bad)
    with pytest.raises(nb101.DatasetError, match="data_batch_3 does not hold the images of CIFAR"):
        load_cifar10(folder)


def test_damaged_archives(tmp_path: Path) -> None:
    write(tmp_path / "in", old_pickle, "")
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(tmp_path / "in", arcname="cifar-10-batches-py")
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    for wrong in (whole[:1000], whole[: len(whole) // 2], bytes(flipped), b"", b"not an archive"):
        path.write_bytes(wrong)
        with pytest.raises(nb101.DatasetError, match=r"a.tar.gz"):
            load_cifar10(path, verify=False)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data_batch_2", b"", "data_batch_2 is damaged, or no pickle of images"),
        ("data_batch_2", old_pickle(*draw(6, 0))[:-100], "data_batch_2 is damaged"),
        ("data_batch_2", pickle.dumps([1], 2), "is no batch of CIFAR-10, but a list"),
        ("data_batch_2", pickle.dumps({"labels": [1]}, 2), "'data' is no uint8 array of shape"),
        ("data_batch_2", pickle.dumps({"labels": 7, "data": 1}, 2), "'labels' is no list of num"),
        ("test_batch", None, "lacks test_batch and test_batch.bin: it is not CIFAR-10, or not al"),
    ],
)
def test_damaged_folders(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    write(tmp_path, old_pickle, "")
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(nb101.DatasetError, match=message):
        load_cifar10(tmp_path, verify=False)


def test_damaged_binary(tmp_path: Path) -> None:
    write(tmp_path, binary, ".bin")
    (tmp_path / "data_batch_4.bin").write_bytes(b"1" * 3074)
    with pytest.raises(nb101.DatasetError, match=r"its 3,074 bytes are no whole number of rows of"):
        load_cifar10(tmp_path, verify=False)


def write_tar(path: Path, members: dict[str, bytes], **settings: Any) -> None:
    with tarfile.open(path, "w", **settings) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_archives_of_every_kind(form: int, tmp_path: Path) -> None:
    """Names that do not fit a header, folders, links and others' files are no trouble."""
    deep = "/".join(["a" * 40] * (4 if form == tarfile.USTAR_FORMAT else 8))
    parts = {f"{deep}/{n}": old_pickle(*draw(6 + i, i)) for i, n in enumerate(NAMES)}
    write_tar(tmp_path / "a.tar", {"x": b"x", **parts, "readme": b"y" * 600}, format=form)
    check(load_cifar10(tmp_path / "a.tar", verify=False))


def test_archives_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a header says is compared before it is unpacked, and so is all that there is."""
    monkeypatch.setattr(cifar10, "_MOST_BATCH_BYTES", 1 << 20)
    batch = old_pickle(*draw(6, 0))
    path = tmp_path / "a.tar.gz"

    def refused(members: dict[str, bytes], message: str, tail: bytes = b"") -> None:
        write_tar(tmp_path / "a.tar", members)
        path.write_bytes(gzip.compress((tmp_path / "a.tar").read_bytes() + tail))
        with pytest.raises(nb101.DatasetError, match=message):
            load_cifar10(path, verify=False)

    refused(
        {"data_batch_1": bytes((1 << 20) + 1)},
        r"data_batch_1 has 1,048,577 bytes: at most 1,048,576",
    )
    refused({"another": bytes(30 << 20)}, r"it unpacks to more than 12,582,912 bytes; fetch it ag")
    refused({"another": b""}, r"it unpacks to more than 12,582,912 bytes", tail=bytes(30 << 20))
    refused({"a/test_batch": batch, "b/test_batch": batch}, "it has test_batch twice")
    refused({str(i): b"" for i in range(10_001)}, "it has more than 10,000 files")
    folder = tmp_path / "folder"
    write(folder, old_pickle, "")
    (folder / "test_batch").write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(nb101.DatasetError, match=r"test_batch has 1,048,577 bytes: at most"):
        load_cifar10(folder, verify=False)
