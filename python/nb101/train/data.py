"""Image sets to train on: CIFAR-10 from its official files, Fashion-MNIST, and one's own.

`load` finds a set by its name or path, `fetch` gets it from where it was published. `ImageData` is
all that the trainer asks for. Nothing here needs torch, and no code in a file is run.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nb101._base.cache import alone, cache_dir, checksum_of, obtain
from nb101._base.checks import suggest
from nb101._base.progress import NamedProgress
from nb101.errors import DatasetError, MissingFileError, UnknownNameError
from nb101.train.cifar10 import CIFAR10_MEAN as CIFAR10_MEAN
from nb101.train.cifar10 import CIFAR10_SHA256 as CIFAR10_SHA256
from nb101.train.cifar10 import CIFAR10_STD as CIFAR10_STD
from nb101.train.cifar10 import load_cifar10 as load_cifar10
from nb101.train.cifar_pickle import read_pickle as read_pickle
from nb101.train.idx import load_fashion_mnist as load_fashion_mnist
from nb101.train.idx import read_idx as read_idx
from nb101.train.images import ImageData as ImageData
from nb101.train.images import Split as Split
from nb101.train.images import synthetic as synthetic

__all__ = [
    "ARCHIVES",
    "Archive",
    "ImageData",
    "Split",
    "fetch",
    "folder_of",
    "load",
    "load_cifar10",
    "load_fashion_mnist",
    "read_idx",
    "synthetic",
]


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A file that is to be had from a server.

    Attributes
    ----------
    file
        Its name.
    url
        Where it was published.
    md5
        Its MD5 in hexadecimal, as published.
    size
        About how many bytes it has.
    """

    file: str
    url: str
    md5: str
    size: int


ARCHIVES: Mapping[str, tuple[Archive, ...]] = {
    "cifar10": (
        Archive(
            file="cifar-10-python.tar.gz",
            url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            md5="c58f30108f718f92721af3b95e74349a",
            size=170_498_071,
        ),
    ),
    "fashion-mnist": tuple(
        Archive(
            file=f"{part}.gz",
            url=f"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/{part}.gz",
            md5=md5,
            size=size,
        )
        for part, md5, size in (
            ("train-images-idx3-ubyte", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
            ("train-labels-idx1-ubyte", "25c81989df183df01b3e8a0aad5dffbe", 29_515),
            ("t10k-images-idx3-ubyte", "bef4ecab320f06d8554ea6380940ec79", 4_422_102),
            ("t10k-labels-idx1-ubyte", "bb300cfdad3c16e7a12a480ee83cd310", 5_148),
        )
    ),
}
"""Files of the image sets that can be fetched, by the name of the set."""


def load(name_or_path: str | os.PathLike[str], *, verify: bool = True) -> ImageData:
    """Read an image set: ``"cifar10"`` or ``"fashion-mnist"`` once fetched, or a path.

    Which it is shows in the files: those of CIFAR-10 as in `load_cifar10`, a folder with IDX files
    as in `load_fashion_mnist`. Where `verify` is set and the set is known, its checksums are
    compared each time: those of CIFAR-10 wherever it is, those of Fashion-MNIST if it was fetched.

    Raises
    ------
    DatasetError
        If it is not there yet: the message has the command that fetches it. If it is damaged.
    OSError
        If it cannot be read; `MissingFileError` if a path leads nowhere.
    """
    path = Path(name_or_path)
    if isinstance(name_or_path, str) and name_or_path in ARCHIVES:
        path = folder_of(name_or_path)
        if not all((path / archive.file).exists() for archive in ARCHIVES[name_or_path]):
            raise DatasetError(
                f"{name_or_path} is not there yet: run nb101 data fetch {name_or_path}, or give "
                f"the path of its files (it goes to {path})"
            )
        if name_or_path == "cifar10":
            path = path / ARCHIVES[name_or_path][0].file
        elif verify:
            _check_archives(name_or_path)
    if not path.exists():
        import errno

        raise MissingFileError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(path))
    if path.is_dir() and any(path.glob("*-idx[13]-ubyte*")):
        return load_fashion_mnist(path)
    return load_cifar10(path, verify=verify)


def _check_archives(name: str) -> None:
    for archive in ARCHIVES[name]:
        path = folder_of(name) / archive.file
        if checksum_of(path, "md5") != archive.md5:
            raise DatasetError(
                f"{path} is damaged: its MD5 is not {archive.md5}; nb101 data fetch {name} gets it "
                "again",
                path=path,
            )


def folder_of(name: str) -> Path:
    """Return the folder that `fetch` puts an image set into: one of the cache."""
    return cache_dir() / name


def fetch(
    name: str,
    *,
    url: str | None = None,
    force: bool = False,
    progress: NamedProgress | None = None,
) -> Path:
    """Fetch an image set into the cache, and check it, for `load` to read by name.

    What is there already is not fetched again. What an earlier call fetched before it failed or was
    killed is gone on from.

    Parameters
    ----------
    name
        ``"cifar10"`` (170 MB) or ``"fashion-mnist"`` (31 MB).
    url
        A mirror: the address of the file, or of the folder of them if there are several; or
        ``file://`` of a copy. It is checked all the same.
    force
        Fetch it even if it is there.
    progress
        Called with the bytes done, their number and what is being done.

    Returns
    -------
    The folder that it is in.

    Raises
    ------
    UnknownNameError
        If there is no such set.
    DatasetError
        If what came is not the official file, by its MD5.
    ConnectionError
        If it cannot be fetched; the message says why, and what to do.
    OSError
        If a file cannot be written.
    """
    if name not in ARCHIVES:
        raise UnknownNameError(
            f"no image set is called {name!r}: {suggest(name, ARCHIVES)}", field="name"
        )
    folder = folder_of(name)
    with alone(folder / ".lock", progress) as report:
        for archive in ARCHIVES[name]:
            source = archive.url
            if url is not None:
                several = len(ARCHIVES[name]) > 1
                source = f"{url.rstrip('/')}/{archive.file}" if several else url
            obtain(
                source,
                folder / archive.file,
                md5=archive.md5,
                size=archive.size,
                force=force,
                progress=report,
            )
    return folder
