"""Labelled images: `ImageData`, all that the trainer asks for, which any arrays make."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from nb101._base.lazy import cached_property
from nb101.errors import ArgumentTypeError, DatasetError
from nb101.plain import printable
from nb101.train.config import EVALUATED

Images = npt.NDArray[np.uint8]


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
        found = ((), ()) if len(mean) and len(std) else moments(self.train.images)
        for what, chosen, measured in (("mean", mean, found[0]), ("std", std, found[1])):
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


def _wrong_in(images: npt.NDArray[Any], labels: npt.NDArray[Any]) -> str:
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


def moments(images: Images) -> tuple[tuple[float, ...], tuple[float, ...]]:
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
