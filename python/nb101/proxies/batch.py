"""The images that go through a network: real ones, or numbers drawn from a normal distribution."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nb101.errors import ArgumentError
from nb101.train.batches import Normaliser, seed_of
from nb101.train.config import TrainConfig
from nb101.train.images import ImageData

SIZE, CHANNELS = 32, 3
"""Of random images: those of CIFAR-10."""
BATCH = 0
"""The purpose of a batch's draws: see `seed_of`."""


@dataclass(frozen=True)
class Batch:
    """Images and their labels, on a device.

    Attributes
    ----------
    images
        Shape ``(n, channels, h, w)``, in channels_last.
    labels
        Shape ``(n,)``.
    """

    images: Tensor
    labels: Tensor

    @property
    def channels(self) -> int:
        """Channels of an image."""
        return int(self.images.shape[1])


def make_batch(
    data: ImageData | None, n: int, config: TrainConfig, seed: int, device: torch.device
) -> Batch:
    """Draw a batch: training images as they are, without augmentation, or random ones.

    Random images are drawn from a normal distribution, 32 pixels high and wide, in 3 channels, and
    their labels uniformly.

    Raises
    ------
    ArgumentError
        If there are not so many images, or they are of other classes than the network's.
    """
    rng = np.random.default_rng(seed_of(seed, 0, BATCH))
    if data is None:
        drawn = torch.from_numpy(rng.standard_normal((n, SIZE, SIZE, CHANNELS), dtype=np.float32))
        labels = torch.from_numpy(rng.integers(0, config.num_classes, n))
        return Batch(drawn.to(device).permute(0, 3, 1, 2), labels.to(device))
    if data.num_classes != config.num_classes:
        raise ArgumentError(
            f"{data.name} has {data.num_classes} classes, and the network {config.num_classes}: "
            f"set num_classes={data.num_classes} in the config",
            field="images",
        )
    if n > len(data.train):
        raise ArgumentError(
            f"batch_size must be at most {len(data.train):,}, the training images of {data.name}, "
            f"not {n:,}",
            field="batch_size",
        )
    chosen = rng.choice(len(data.train), n, replace=False)
    pixels = torch.from_numpy(data.train.images[chosen]).to(device)
    classes = torch.from_numpy(data.train.labels[chosen]).to(device)
    return Batch(Normaliser(data, device)(pixels), classes)
