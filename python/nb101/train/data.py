"""Image sets to train on: CIFAR-10 from its official files, Fashion-MNIST, and one's own.

`ImageData` is all that the trainer asks for; make one of any arrays. Nothing here needs torch, and
no code in a file is run: the official Python archive holds pickles, which are read as data.
"""

import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from nb101._base.cache import alone, cache_dir, checksum_of, obtain
from nb101._base.checks import suggest
from nb101._base.lazy import cached_property
from nb101._base.progress import NamedProgress
from nb101.errors import ArgumentTypeError, DatasetError, MissingFileError, UnknownNameError
from nb101.plain import printable
from nb101.train.cifar_pickle import read_pickle as read_pickle
from nb101.train.config import EVALUATED
from nb101.train.idx import read_idx as read_idx
from nb101.train.unpack import Files, read_files

Array = npt.NDArray[Any]
Images = npt.NDArray[np.uint8]

CIFAR10_MEAN = (125.31, 122.95, 113.87)
"""Mean of each channel that the original subtracts, of 0 to 255."""
CIFAR10_STD = (62.99, 62.09, 66.70)


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their labels: a sequence of pairs, an image of shape ``(h, w, channels)`` each.

    A slice of it is a split too.

    Attributes
    ----------
    images
        uint8, shape ``(n, h, w, channels)``.
    labels
        int64, shape ``(n,)``, from 0.
    """

    images: Images
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def __add__(self, other: "Split") -> "Split":
        return Split(
            np.concatenate([self.images, other.images]),
            np.concatenate([self.labels, other.labels]),
        )

    @overload
    def __getitem__(self, part: int) -> tuple[Images, int]: ...
    @overload
    def __getitem__(self, part: slice) -> "Split": ...
    def __getitem__(self, part: int | slice) -> "tuple[Images, int] | Split":
        if isinstance(part, slice):
            return Split(self.images[part], self.labels[part])
        return self.images[part], int(self.labels[part])

    def __iter__(self) -> Iterator[tuple[Images, int]]:
        return (self[place] for place in range(len(self)))


@dataclass(frozen=True, eq=False, init=False, repr=False)
class ImageData:
    """A set of labelled images in three parts: all that `nb101.train.train` has to know.

    Parameters
    ----------
    name
        What it is called in results and provenance.
    train, validation, test
        `Split`, or images and labels: uint8 of shape ``(n, h, w, channels)``, all of one size, and
        whole numbers from 0 of shape ``(n,)``. Accuracy on the training set is measured on its
        first 10,000 images.
    num_classes
        Number of labels; one more than the largest by default.
    mean, std
        Of each channel, on the scale of 0 to 255: subtracted from pixels, and what they are divided
        by, after augmentation. Those of the training images by default.

    Raises
    ------
    DatasetError
        If arrays do not fit together; the message says which and why, and `field` is the argument.
    ArgumentTypeError
        If a part is neither a `Split` nor images and labels, or a moment no number.

    Examples
    --------
    >>> import numpy as np
    >>> images, labels = np.zeros((8, 4, 4, 1), np.uint8), np.arange(8) % 2
    >>> images[:, 0] = 255
    >>> data = ImageData(name="bars", train=(images, labels), validation=(images, labels),
    ...                  test=(images, labels))
    >>> data.num_classes, data.image_shape, data.mean
    (2, (4, 4, 1), (63.75,))
    """

    name: str
    train: Split
    validation: Split
    test: Split
    num_classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __init__(
        self,
        *,
        name: str,
        train: Split | tuple[Any, Any],
        validation: Split | tuple[Any, Any],
        test: Split | tuple[Any, Any],
        num_classes: int = 0,
        mean: Sequence[float] = (),
        std: Sequence[float] = (),
    ) -> None:
        put = object.__setattr__
        put(self, "name", name)
        for part, given in (("train", train), ("validation", validation), ("test", test)):
            put(self, part, _split(f"{name}: {part}", part, given))
        put(self, "num_classes", num_classes)
        self._check()
        moments = ((), ()) if len(mean) and len(std) else _moments(self.train.images)
        for what, chosen, measured in (("mean", mean, moments[0]), ("std", std, moments[1])):
            try:
                put(self, what, tuple(map(float, chosen if len(chosen) else measured)))
            except (TypeError, ValueError):
                raise ArgumentTypeError(
                    f"{name}: {what} must be numbers, one a channel, not {chosen!r}", field=what
                ) from None
        for what in ("mean", "std"):
            values = getattr(self, what)
            channels = self.image_shape[2]
            if len(values) != channels or not np.isfinite(values).all():
                raise DatasetError(
                    f"{name}: {what} must be {channels} numbers, one a channel, not {values}",
                    field=what,
                )
        if min(self.std) <= 0:
            raise DatasetError(f"{name}: std must be above 0, not {self.std}", field="std")

    def _check(self) -> None:
        """Check the parts against each other, and count the classes."""
        shape = self.train.images.shape[1:]
        for name in ("validation", "test"):
            other = getattr(self, name).images.shape[1:]
            if other != shape:
                raise DatasetError(
                    f"{self.name}: images of {name} are {_size(other)}, and those of train "
                    f"{_size(shape)}",
                    field=name,
                )
        if not len(self.train):
            raise DatasetError(f"{self.name}: there are no training images", field="train")
        largest = max(int(s.labels.max()) for s in self.splits.values() if len(s))
        if not self.num_classes:
            object.__setattr__(self, "num_classes", largest + 1)
        if largest >= self.num_classes:
            raise DatasetError(
                f"{self.name}: there is a label {largest}, and num_classes is {self.num_classes}",
                field="num_classes",
            )

    @property
    def splits(self) -> dict[str, Split]:
        """The three parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        height, width, channels = self.train.images.shape[1:]
        return height, width, channels

    @property
    def evaluated(self) -> dict[str, Split]:
        """What the three accuracies are measured on."""
        return self.splits | {"train": self.train[:EVALUATED]}

    def merge(self) -> Self:
        """Return it with the validation images put behind those of the training set.

        None are left for validation: a network would have seen them all.
        """
        return replace(
            self,
            name=f"{self.name}, train + validation",
            train=self.train + self.validation,
            validation=self.validation[:0],
        )

    @cached_property
    def checksum(self) -> int:
        """CRC-32 of all images and labels.

        Two sets are the same if mean and std are so too.
        """
        crc = 0
        for split in self.splits.values():
            for array in (split.images, split.labels):
                crc = zlib.crc32(np.ascontiguousarray(array).data, crc)
        return crc

    def __repr__(self) -> str:
        parts = ", ".join(f"{len(split):,} {name}" for name, split in self.splits.items())
        return (
            f"<ImageData: {printable(self.name)}: {parts} images, {_size(self.image_shape)}, "
            f"{self.num_classes} classes>"
        )


def _split(where: str, part: str, given: Any) -> Split:
    """Check images and labels."""
    try:
        images, labels = (given.images, given.labels) if isinstance(given, Split) else given
        images, labels = np.asarray(images), np.asarray(labels)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"{where} must be a Split, or a pair of images and labels, not {type(given).__name__}",
            field=part,
        ) from None
    wrong = _wrong_in(images, labels)
    if wrong:
        raise DatasetError(f"{where}: {wrong}", field=part)
    # Writable, since torch warns of anything else; that is a copy only for files read in place.
    return Split(np.require(images, requirements=["C", "W"]), labels.astype(np.int64))


def _wrong_in(images: Array, labels: Array) -> str:
    """Say what is wrong with images and labels, if anything."""
    if images.dtype != np.uint8:
        return f"images must be uint8, 0 to 255, not {images.dtype}"
    if images.ndim != 4 or images.shape[3] > 64 or 0 in images.shape[1:]:
        return f"images must have the shape (n, h, w, channels), not {images.shape}"
    if labels.shape != (len(images),):
        return f"{len(images):,} images, and labels of shape {labels.shape}"
    if labels.dtype.kind not in "iu":
        return f"labels must be whole numbers, not {labels.dtype}"
    if len(labels) and labels.min() < 0:
        return f"there is a label {labels.min()}; they count from 0"
    return ""


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _moments(images: Images) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, exact."""
    channels = images.shape[3]
    counts = np.stack([np.bincount(images[..., c].ravel(), minlength=256) for c in range(channels)])
    values, total = np.arange(256), counts.sum(1)
    mean = counts @ values / total
    variance = counts @ values**2 / total - mean**2
    # A channel of one value has nothing to be divided by.
    std = np.sqrt(np.where(variance > 1e-9, variance, 1.0))
    return tuple(mean.tolist()), tuple(std.tolist())


def synthetic(
    *,
    train: int = 512,
    validation: int = 256,
    test: int = 256,
    size: int = 8,
    channels: int = 3,
    num_classes: int = 10,
    seed: int = 0,
) -> ImageData:
    """Make images that can be learned quickly: a pattern for each class, and noise.

    For tests and benchmarks; says nothing about any network.
    """
    rng = np.random.default_rng(seed)
    patterns = rng.integers(0, 256, (num_classes, size, size, channels))

    def draw(n: int) -> Split:
        labels = rng.integers(0, num_classes, n)
        noise = rng.normal(0, 40, (n, size, size, channels))
        return Split((patterns[labels] + noise).clip(0, 255).astype(np.uint8), labels)

    return ImageData(
        name=f"synthetic {seed}",
        train=draw(train),
        validation=draw(validation),
        test=draw(test),
        num_classes=num_classes,
    )


# CIFAR-10


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
    with _of_file(path):
        return _load_cifar10(Path(path), verify)


def _load_cifar10(path: Path, verify: bool) -> ImageData:
    place = path
    for folder in ("cifar-10-batches-py", "cifar-10-batches-bin"):
        if not (place / _BATCHES[0]).exists() and (place / folder).is_dir():
            place = place / folder
    names = [name + ending for name in _BATCHES for ending in ("", ".bin")]
    files = read_files(place, names, most=_BATCH_BYTES if verify else _MOST_BATCH_BYTES)
    batches = [_cifar_batch(files, name) for name in _BATCHES]
    if verify:
        for name, (labels, pixels), expected in zip(_BATCHES, batches, CIFAR10_SHA256, strict=True):
            if _cifar_digest(labels, pixels) != expected:
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


@contextmanager
def _of_file(path: str | os.PathLike[str]) -> Iterator[None]:
    """Note on what is raised which file or folder was read."""
    try:
        yield
    except DatasetError as error:
        error.path = error.path or os.fspath(path)
        raise


def _cifar_digest(labels: Array, pixels: Images) -> str:
    rows = np.concatenate([labels.astype(np.uint8)[:, np.newaxis], pixels], axis=1)
    return hashlib.sha256(rows.data).hexdigest()


def _cifar_batch(files: Files, name: str) -> tuple[npt.NDArray[np.int64], Images]:
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


# Fashion-MNIST: the worked example of another data set


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
    with _of_file(path):
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


# Finding and fetching


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
