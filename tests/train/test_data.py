"""Image sets: official files in every layout, damaged ones, and pickles that must not run."""

import contextlib
import gzip
import hashlib
import io
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101.train import ImageData, cifar10, cifar_pickle, data
from nb101.train.data import Split, load, load_cifar10, load_fashion_mnist, read_idx, read_pickle
from nb101.train.images import moments

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


WRITERS = {"": [old_pickle, new_pickle, newest_pickle], ".bin": [binary]}


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


# Pickles


class Evil:
    """What runs a command when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.system, ("touch evil",)


class State:
    """An object with a state."""

    def __init__(self) -> None:
        self.x = 1


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("what", [Evil(), State(), {"labels": [Evil()]}, os.system, range])
def test_nothing_is_run(
    what: Any, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if what in (os.system, range):
        # A name alone is no harm, and no more than a name.
        with contextlib.suppress(nb101.DatasetError):
            assert isinstance(read_pickle(pickle.dumps(what, protocol)), str)
    else:
        with pytest.raises(nb101.DatasetError):
            read_pickle(pickle.dumps(what, protocol))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_data_comes_back(protocol: int) -> None:
    value: dict[str, Any] = {
        "a": [1, 300, 70_000, -5, 2**40, True, None],
        "b": (),
        "c": (1, (2, 3), "ü", ("x" * 300,) * 3, {}, []),
        "d": [0] * 2500,
    }
    assert read_pickle(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back(order: Any) -> None:
    array = np.asarray(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), order=order)
    for protocol in (2, 3, 4):
        found = read_pickle(pickle.dumps([array, array, 3], protocol))
        assert found[2] == 3
        assert (found[0] == array).all()
        assert (found[1] == array).all()


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros(3, ">i4"), np.array([None, 1])])
def test_other_arrays_are_refused(array: Any) -> None:
    with pytest.raises(nb101.DatasetError):
        read_pickle(pickle.dumps(array, 2), "this one")


def test_damaged_pickles_end_in_one_error() -> None:
    """Whatever bytes: a value or the error, and nothing else."""
    rng = np.random.default_rng(0)
    whole = old_pickle(*draw(2, 0))
    for _ in range(300):
        wrong = bytearray(whole)
        for place in rng.integers(0, 200, 3):
            wrong[place] = rng.integers(256)
        with contextlib.suppress(nb101.DatasetError):
            read_pickle(bytes(wrong), "x")


BOMBS = {
    "nested": b"\x80\x02}N" + b"\x85" * 200_000 + b"Ns.",
    "nested lists": b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b".",
    "marks": b"(" * 30_000 + b"t" * 30_000,
    "many operations": b"\x80\x02" + b"N" * 3_000_000 + b".",
    "a list in itself": b"\x80\x02]q\x00h\x00a.",
    "doubled tuples": b"\x80\x02}N" + b"q\x00h\x00\x86" * 60 + b"Ns.",
    "a tuple as a key": b"\x80\x02})Ns.",
    "a long number": b"\x80\x02\x8a\xff" + b"\x7f" * 255 + b".",
    "digits": b"I" + b"9" * 1_000_000 + b"\n.",
    "a long name": b"c" + b"a" * 1_000_000 + b"\nb\n.",
    "a length": b"\x80\x02\x8e" + b"\xff" * 8 + b".",
    "no end": b"\x80\x02}",
    "nothing on the stack": b"\x80\x02\x85.",
    "a shape": b"\x80\x02cnumpy\nndarray\nq\x00cnumpy.core.multiarray\n_reconstruct\nh\x00\x85R"
    + b"(K\x01(J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7fK\x00tcnumpy\ndtype\nU\x02u1\x85R"
    + b"\x89U\x00tb.",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_no_pickle_is_a_bomb(bomb: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(nb101.DatasetError, match=r"^the pickle (is damaged|has|holds)[^\n]*$"):
        read_pickle(bomb)
    assert time.monotonic() - began < 2


def test_no_module_of_pythons_reads_pickles() -> None:
    for module in (data, cifar_pickle):
        assert "import pickle" not in Path(str(module.__file__)).read_text()


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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "train-images-idx3-ubyte")
    for read in (load_fashion_mnist, load_cifar10):
        with pytest.raises(nb101.DatasetError):
            read(tmp_path)
    with pytest.raises(nb101.DatasetError, match="is no regular file"):
        load_cifar10(tmp_path / "train-images-idx3-ubyte")


# IDX


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


# One's own


def test_image_data() -> None:
    images, labels = np.zeros((4, 2, 3, 1), np.uint8), [0, 1, 2, 1]
    part = (images, labels)
    one = ImageData(name="own", train=part, validation=part, test=part, num_classes=5)
    assert repr(one) == (
        "<ImageData: own: 4 train, 4 validation, 4 test images, 2 x 3 x 1, 5 classes>"
    )
    assert (one.mean, one.std) == ((0.0,), (1.0,))
    merged = one.merge()
    assert [len(split) for split in merged.splits.values()] == [8, 0, 4]
    assert merged.num_classes == 5
    assert merged.checksum != one.checksum
    changed = ImageData(name="own", train=part, validation=part, test=(images + 1, labels))
    assert changed.checksum != one.checksum
    assert isinstance(one.train, Split)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": (np.zeros((4, 2, 2, 1)), [0] * 4)}, "own: train: images must be uint8"),
        ({"test": (np.zeros((4, 2, 2), np.uint8), [0] * 4)}, "test: images must have the shape"),
        ({"test": (np.zeros((4, 3, 32, 320), np.uint8), [0] * 4)}, "must have the shape"),
        ({"train": (np.zeros((4, 2, 2, 1), np.uint8), [0] * 3)}, "4 images, and labels of shape"),
        ({"train": (np.zeros((4, 2, 2, 1), np.uint8), [0.5] * 4)}, "labels must be whole numbers"),
        ({"train": (np.zeros((4, 2, 2, 1), np.uint8), [-1] * 4)}, "there is a label -1; they cou"),
        ({"train": (np.zeros((0, 2, 2, 1), np.uint8), np.zeros(0, int))}, "no training images"),
        ({"train": (np.zeros((4, 2, 9, 1), np.uint8), [0] * 4)}, "validation are 2 x 2 x 1, and"),
        ({"num_classes": 2}, "there is a label 3, and num_classes is 2"),
        ({"mean": (1, 2)}, r"mean must be 1 numbers, one a channel, not \(1.0, 2.0\)"),
        ({"mean": (1,), "std": (0,)}, "std must be above 0"),
    ],
)
def test_wrong_image_data(changes: dict[str, Any], message: str) -> None:
    part = (np.zeros((4, 2, 2, 1), np.uint8), [0, 1, 2, 3])
    settings: dict[str, Any] = {"train": part, "validation": part, "test": part, **changes}
    with pytest.raises(nb101.DatasetError, match=message):
        ImageData(name="own", **settings)


# Fetching


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files, whose MD5s are the ones expected; the cache is empty."""
    monkeypatch.setenv("NB101_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "mirror"
    folder.mkdir()
    write_fashion(folder, ".gz")
    write(tmp_path / "in", old_pickle, "")
    with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "in", arcname="cifar-10-batches-py")
    archives = {}
    for name, files in data.ARCHIVES.items():
        contents = [(folder / one.file).read_bytes() for one in files]
        archives[name] = tuple(
            data.Archive(
                file=one.file, url=one.url, md5=hashlib.md5(text).hexdigest(), size=len(text)
            )
            for one, text in zip(files, contents, strict=True)
        )
    monkeypatch.setattr(data, "ARCHIVES", archives)
    return folder


def test_fetch(mirror: Path) -> None:
    for name in ("cifar10", "fashion-mnist"):
        with pytest.raises(nb101.DatasetError, match=f"run nb101 data fetch {name}, or give"):
            load(name)
    seen: list[Any] = []
    url = (mirror / "cifar-10-python.tar.gz").as_uri()
    folder = data.fetch("cifar10", url=url, progress=lambda *args: seen.append(args))
    assert folder == data.folder_of("cifar10")
    assert seen[-1][2] == "downloading"
    check(load("cifar10", verify=False))
    data.fetch("fashion-mnist", url=mirror.as_uri())
    assert len(load("fashion-mnist").train) == 50
    # What is in the cache is checked when it is used.
    kept = data.folder_of("fashion-mnist") / "t10k-labels-idx1-ubyte.gz"
    kept.write_bytes(gzip.compress(gzip.decompress(kept.read_bytes())[:-1] + b"\7"))
    with pytest.raises(
        nb101.DatasetError, match=r"its MD5 is not .* data fetch fashion-mnist gets"
    ):
        load("fashion-mnist")
    data.fetch("fashion-mnist", url=mirror.as_uri())
    # All is there: nothing is asked for. By force it is.
    data.fetch("cifar10", url="file:///nowhere")
    with pytest.raises(ConnectionError):
        data.fetch("cifar10", url="file:///nowhere", force=True)


def test_fetch_of_another_file(mirror: Path) -> None:
    path = mirror / "cifar-10-python.tar.gz"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(nb101.DatasetError, match="is not the file expected: its MD5 is"):
        data.fetch("cifar10", url=path.as_uri())
    with pytest.raises(nb101.UnknownNameError, match="called 'mnist': known are cifar10") as caught:
        data.fetch("mnist")
    assert caught.value.field == "name"


def test_what_is_published() -> None:
    assert data.ARCHIVES["cifar10"][0].md5 == "c58f30108f718f92721af3b95e74349a"
    assert len(data.ARCHIVES["fashion-mnist"]) == 4


def test_synthetic_images_follow_the_seed() -> None:
    one, same, other = (data.synthetic(seed=seed) for seed in (1, 1, 2))
    assert one.checksum == same.checksum != other.checksum


def test_a_split_is_a_sequence_of_pairs() -> None:
    part = data.synthetic(train=5).train
    pairs = list(part)
    assert len(pairs) == len(part) == 5
    for place, (image, label) in enumerate(pairs):
        assert image.shape == (8, 8, 3)
        assert np.array_equal(image, part.images[place])
        assert label == part.labels[place]
    assert part[-1][1] == part.labels[-1]
    assert isinstance(part[1:3], data.Split)
    with pytest.raises(IndexError):
        part[5]


@pytest.mark.parametrize(
    ("change", "kind", "field"),
    [
        ({"train": 5}, nb101.ArgumentTypeError, "train"),
        ({"test": (1, 2, 3)}, nb101.ArgumentTypeError, "test"),
        ({"validation": ([[1], [1, 2]], [0, 1])}, nb101.ArgumentTypeError, "validation"),
        ({"validation": (np.zeros(3), [0])}, nb101.DatasetError, "validation"),
        ({"mean": ("a",) * 3, "std": (1.0,) * 3}, nb101.ArgumentTypeError, "mean"),
        ({"mean": (1.0,) * 3, "std": (0.0,) * 3}, nb101.DatasetError, "std"),
        ({"num_classes": 1}, nb101.DatasetError, "num_classes"),
    ],
)
def test_what_is_wrong_with_images_has_a_name(
    change: dict[str, Any], kind: type[nb101.NB101Error], field: str
) -> None:
    whole = data.synthetic()
    with pytest.raises(kind) as caught:
        ImageData(**{"name": "own", **whole.splits, **change})
    assert caught.value.field == field


def test_files_that_are_not_there_have_a_path(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path / "folder"):
        (tmp_path / "folder").mkdir(exist_ok=True)
        with pytest.raises((nb101.MissingFileError, nb101.DatasetError)) as caught:
            load(path)
        assert caught.value.path == str(path)


def test_one_module_has_all_names() -> None:
    """Also those that pickles of before know."""
    names = (
        *("ARCHIVES", "Archive", "CIFAR10_MEAN", "CIFAR10_SHA256", "CIFAR10_STD", "ImageData"),
        *("Split", "fetch", "folder_of", "load", "load_cifar10", "load_fashion_mnist"),
        *("read_idx", "read_pickle", "synthetic"),
    )
    assert [name for name in names if not hasattr(data, name)] == []
    old = pickle.dumps(data.synthetic(train=2), protocol=0)
    old = old.replace(b"cnb101.train.images\n", b"cnb101.train.data\n")
    assert pickle.loads(old).checksum == data.synthetic(train=2).checksum
