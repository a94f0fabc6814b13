"""The network around the cells: what parameters and multiply-accumulates depend on beside them."""

from dataclasses import asdict, dataclass

from nb101._base.checks import check_whole
from nb101.errors import ArgumentError

MOST = {"stem_channels": 1 << 16, "stacks": 16, "cells_per_stack": 1 << 16, "num_classes": 1 << 24}
"""Sizes that no network has more of; files of others may say anything."""


@dataclass(frozen=True, kw_only=True)
class Skeleton:
    """The network around the cells; the default is that of NAS-Bench-101 on CIFAR-10.

    Parameters
    ----------
    stem_channels, stacks, cells_per_stack, num_classes
        As for `nb101.nn.Network`, whole numbers from 1.
    image_channels, image_size
        Channels and side of a square image, in pixels.

    Raises
    ------
    ArgumentError
        If one is no whole number from 1, or larger than any network's.

    Examples
    --------
    >>> import nb101
    >>> cells = nb101.SearchSpace(4).enumerate()
    >>> cells.parameters()[8], cells.parameters(Skeleton(stem_channels=16, cells_per_stack=1))[8]
    (np.int64(11215242), np.int64(58362))
    """

    stem_channels: int = 128
    stacks: int = 3
    cells_per_stack: int = 3
    num_classes: int = 10
    image_channels: int = 3
    image_size: int = 32

    def __post_init__(self) -> None:
        for name, size in asdict(self).items():
            most = MOST.get(name, 1 << 16)
            if check_whole(name, size) > most:
                raise ArgumentError(f"{name} must be at most {most:,}, not {size!r}", field=name)

    @property
    def sizes(self) -> tuple[int, int, int, int, int, int]:
        """All sizes, in the order of the parameters but for the image, which comes last."""
        return (
            self.stem_channels,
            self.stacks,
            self.cells_per_stack,
            self.num_classes,
            self.image_channels,
            self.image_size,
        )
