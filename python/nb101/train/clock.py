"""The clock of an attempt: seconds of training alone, and of everything."""

from time import perf_counter

import torch

from nb101.train.device import wait_for


class Clock:
    """Two sums of seconds.

    Attributes
    ----------
    training
        Between `start` and `stop`: steps, but neither evaluations nor checkpoints.
    total
        Of everything, until the last `note`.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.training = self.total = 0.0
        self._noted = perf_counter()
        self._started: float | None = None

    def start(self) -> None:
        """Begin to count training, unless it is counted already."""
        if self._started is None:
            wait_for(self.device)
            self._started = perf_counter()

    def stop(self) -> None:
        """Count no training until the next `start`."""
        if self._started is not None:
            wait_for(self.device)
            self.training += perf_counter() - self._started
            self._started = None

    def note(self) -> None:
        """Bring the total up to now."""
        now = perf_counter()
        self.total += now - self._noted
        self._noted = now
