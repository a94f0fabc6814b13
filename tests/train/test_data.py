"""Finding image sets, and fetching them."""

import gzip
import hashlib
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import pytest

import nb101
from image_files import check, old_pickle, write, write_fashion
from nb101.train import data
from nb101.train.cifar10 import load_cifar10
from nb101.train.data import load
from nb101.train.idx import load_fashion_mnist


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "train-images-idx3-ubyte")
    for read in (load_fashion_mnist, load_cifar10):
        with pytest.raises(nb101.DatasetError):
            read(tmp_path)
    with pytest.raises(nb101.DatasetError, match="is no regular file"):
        load_cifar10(tmp_path / "train-images-idx3-ubyte")


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
