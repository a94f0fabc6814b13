"""Batches of images, drawn, augmented and normalised on the device, all images of a batch at once.

All that is random in batch k is a function of the seed and of k: a run is resumed by going on with
the next number, and no state of a generator has to be kept.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from nb101.train.config import TrainConfig
from nb101.train.images import ImageData, Split


def seed_of(seed: int, *key: int) -> np.random.SeedSequence:
    """Return the seed of one purpose of a run: different for each key, unlike lists of numbers."""
    return np.random.SeedSequence(seed, spawn_key=key)


class Normaliser:
    """Pixels to numbers of mean 0 and deviation 1, in one pass, and to the layout of the network.

    Parameters
    ----------
    data
        The set, whose mean and deviation they are.
    device
        Where images are.
    """

    def __init__(self, data: ImageData, device: torch.device) -> None:
        # Whole rows, since operations on a last dimension of 3 are slow.
        width = data.image_shape[1]
        self._mean = torch.tensor(data.mean, device=device).repeat(width)
        self._std = torch.tensor(data.std, device=device).repeat(width)

    def __call__(self, images: Tensor) -> Tensor:
        """Take uint8 of shape ``(n, h, w, c)``; give ``(n, c, h, w)``, in channels_last."""
        rows = images.flatten(2).to(torch.float32)
        rows.sub_(self._mean).div_(self._std)
        return rows.view(images.shape).permute(0, 3, 1, 2)


class TrainingBatches:
    """The training batches of a run (section 2.4 of the paper): a sequence, one batch a step.

    Its length is that of the run, so that to go through it is to train once; batches beyond that
    are to be had by number. The set is gone through again and again, each time in a new order; a
    batch may have the end of one pass and the beginning of the next. An image has zeros put around
    it, a part of its size is cut out, half of them are mirrored; then mean and deviation are taken
    out.

    Parameters
    ----------
    data
        The set.
    config
        ``epochs``, ``batch_size``, ``padding``, ``flip``.
    device
        Where images are kept, as bytes.
    seed, attempt
        What draws are made of.

    Attributes
    ----------
    images
        Images in a pass through the set.

    Examples
    --------
    >>> import torch
    >>> from nb101.train import TrainConfig
    >>> from nb101.train.data import synthetic
    >>> batches = TrainingBatches(
    ...     synthetic(train=64), TrainConfig(epochs=3, batch_size=32), torch.device("cpu"), seed=0
    ... )
    >>> len(batches), [tuple(images.shape) for images, labels in batches][-1]
    (6, (32, 3, 8, 8))
    """

    def __init__(
        self,
        data: ImageData,
        config: TrainConfig,
        device: torch.device,
        seed: int,
        attempt: int = 1,
    ) -> None:
        self.config, self.device, self.seed, self.attempt = config, device, seed, attempt
        images = torch.from_numpy(data.train.images)
        pad = config.padding
        # Zeros are put around once and for all: each crop is then one look-up.
        self._padded = torch.nn.functional.pad(images, (0, 0, pad, pad, pad, pad)).to(device)
        self._labels = torch.from_numpy(data.train.labels).to(device)
        self.images = len(self._labels)
        self._steps = config.steps(self.images)
        self._normalise = Normaliser(data, device)
        height, width, _ = data.image_shape
        self._rows = torch.arange(height, device=device)
        # Columns of an image and of its mirror image.
        columns = torch.arange(width, device=device)
        self._columns = torch.stack([columns, columns.flip(0)])
        self._passes: dict[int, tuple[Tensor, ...]] = {}

    def __len__(self) -> int:
        """Return the number of steps of the run."""
        return self._steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return (self[step] for step in range(self._steps))

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the images of a batch, ``(n, c, h, w)`` in channels_last, and labels ``(n,)``.

        Raises
        ------
        IndexError
            If it is below 0.
        """
        if step < 0:
            raise IndexError(f"steps count from 0, and {step} is below that")
        first = step * self.config.batch_size
        order, tops, lefts, flips = self._draws(first, first + self.config.batch_size)
        rows = tops[:, None] + self._rows
        columns = lefts[:, None] + self._columns[flips]
        images = self._padded[order[:, None, None], rows[:, :, None], columns[:, None, :]]
        return self._normalise(images), self._labels[order]

    def _draws(self, first: int, last: int) -> tuple[Tensor, ...]:
        """Return index, crop and mirroring of the images at these places of the stream."""
        size = self.images
        passes = range(first // size, (last - 1) // size + 1)
        for number in [number for number in self._passes if number not in passes]:
            del self._passes[number]
        parts = [
            [
                draw[max(0, first - number * size) : last - number * size]
                for draw in self._pass(number)
            ]
            for number in passes
        ]
        return tuple(
            torch.cat(draws) if len(draws) > 1 else draws[0] for draws in zip(*parts, strict=True)
        )

    def _pass(self, number: int) -> tuple[Tensor, ...]:
        if number not in self._passes:
            rng = np.random.default_rng(seed_of(self.seed, self.attempt, number))
            size, places = self.images, 2 * self.config.padding + 1
            order = rng.permutation(size)
            tops, lefts = rng.integers(0, places, (2, size))
            flips = rng.integers(0, 2, size) if self.config.flip else np.zeros(size, np.int64)
            self._passes[number] = tuple(
                torch.from_numpy(draw).to(self.device) for draw in (order, tops, lefts, flips)
            )
        return self._passes[number]


class EvaluationBatches:
    """All full batches of some images, in their order.

    What is left over is not looked at: 10,000 images are 39 batches of 256. Where there are fewer
    images than a batch has, all of them are one.

    Parameters
    ----------
    split
        Images and labels.
    data
        The set that they are of.
    batch_size
        Images in a batch.
    device
        Where images are kept, as bytes.

    Attributes
    ----------
    images
        Images that are looked at.
    """

    def __init__(
        self, split: Split, data: ImageData, batch_size: int, device: torch.device
    ) -> None:
        self.batch_size = min(batch_size, len(split))
        self._batches = len(split) // self.batch_size if len(split) else 0
        self.images = self._batches * self.batch_size
        self._images = torch.from_numpy(split.images).to(device)
        self._labels = torch.from_numpy(split.labels).to(device)
        self._normalise = Normaliser(data, device)

    def __len__(self) -> int:
        """Return the number of batches."""
        return self._batches

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for number in range(self._batches):
            part = slice(number * self.batch_size, (number + 1) * self.batch_size)
            yield self._normalise(self._images[part]), self._labels[part]
