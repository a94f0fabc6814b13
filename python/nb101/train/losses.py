"""The losses of the last steps: whether all are finite, and where they are logged."""

import math
import os
from time import perf_counter

import torch
from torch import Tensor

from nb101.train.config import TrainConfig
from nb101.train.logs import Log, Step, open_log

LOOK_STEPS = 100
"""Steps after which losses are looked at, and sooner where that took a second."""
LOOK_SECONDS = 1.0
WORDS = "training"
"""What is being done, before the first look."""


class DivergedLoss(Exception):  # noqa: N818  # It ends an attempt, and mostly no run.
    """A loss that was not finite."""


class Losses:
    """Losses that have not been looked at, since on a GPU that waits for all that is under way.

    Parameters
    ----------
    path
        The log; see `nb101.train.logs.open_log`. `None` for none.
    config
        What is trained.
    images
        Images in a pass through the set.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None, config: TrainConfig, images: int
    ) -> None:
        self.path, self.config, self.images = path, config, images
        self.log: Log | None = None
        self.attempt = 1
        self.words = WORDS
        """What is being done, with the last loss that was looked at."""
        self.looked = perf_counter()
        self.waiting: list[tuple[int, float, Tensor, Tensor | None]] = []

    def begin(self, attempt: int, step: int, *, more: bool) -> None:
        """Begin an attempt, or go on with it from a step; its log is opened if there are more."""
        self.attempt, self.words, self.looked = attempt, WORDS, perf_counter()
        self.waiting.clear()
        if self.path is not None and more:
            self.log = open_log(self.path, attempt, step)

    def close(self) -> None:
        """Close the log of an attempt."""
        if self.log is not None:
            self.log.close()
            self.log = None

    def penalty(self, parameters: list[Tensor]) -> Tensor | None:
        """Return what the loss has for the size of weights; only a log needs it."""
        if self.log is None:
            return None
        with torch.no_grad():
            squares = torch.stack(torch._foreach_norm(parameters)).square().sum()
        return self.config.weight_decay / 2 * squares

    def add(self, step: int, rate: float, entropy: Tensor, penalty: Tensor | None) -> None:
        """Take the loss of a step: cross-entropy, and what `penalty` gave before it."""
        self.waiting.append((step, rate, entropy, penalty))

    @property
    def due(self) -> bool:
        """Whether it is time to look."""
        return len(self.waiting) >= LOOK_STEPS or perf_counter() - self.looked > LOOK_SECONDS

    def look(self) -> None:
        """Log those that wait, and see whether all are finite.

        Raises
        ------
        DivergedLoss
            If one is not.
        """
        if not self.waiting:
            return
        entropies = torch.stack([entry[2] for entry in self.waiting]).tolist()
        steps = []
        for (step, rate, _, penalty), entropy in zip(self.waiting, entropies, strict=True):
            epoch = step * self.config.batch_size / self.images
            whole = entropy if penalty is None else entropy + float(penalty)
            steps.append(Step(self.attempt, step, epoch, rate, entropy, whole))
        self.waiting.clear()
        self.looked = perf_counter()
        if self.log is not None:
            self.log.write(steps)
        for one in steps:
            if not math.isfinite(one.cross_entropy):
                raise DivergedLoss(f"the loss was {one.cross_entropy} at step {one.step}")
        self.words = f"{WORDS}, loss {steps[-1].cross_entropy:.3f}"
