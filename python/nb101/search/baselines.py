"""Random search."""

from typing import Literal

import numpy as np

from nb101.errors import ArgumentError
from nb101.search.domain import Domain, Ints
from nb101.search.searcher import Sequential, Steps, Trials, register

BATCH = 256
"""Cells drawn at a time."""


@register(
    "random-search",
    title="random search",
    source="Ying et al. 2019, section 4.3",
)
class RandomSearch(Sequential):
    """Draw cells at random, with replacement.

    Parameters
    ----------
    domain, rng
        As in `Searcher`.
    method
        As in `SearchSpace.sample`. ``"raw"``, the default, draws modules until one is valid, as the
        original does; ``"unique"`` draws uniformly of the unique cells.
    """

    several_objectives = True

    def __init__(
        self,
        domain: Domain,
        rng: np.random.Generator,
        *,
        method: Literal["raw", "unique"] = "raw",
    ) -> None:
        super().__init__(domain, rng)
        if method not in ("raw", "unique"):
            message = f"method must be 'raw' or 'unique', not {method!r}"
            raise ArgumentError(message, field="method")
        self.method = method

    def steps(self) -> Steps:
        """Yield random cells."""
        while True:
            # Many at once is several times faster than one by one, and as random.
            yield Trials(self._draw(), self.budget)

    def strand(self) -> Steps:
        """Yield some of the random cells: no answer matters to any other."""
        yield Trials(self._draw(), self.budget)

    def _draw(self) -> Ints:
        if self.domain.is_whole:
            cells = self.domain.space.sample(BATCH, self.rng, method=self.method)
            found: Ints = self.domain.space.index(cells)
            return found
        if self.method == "unique":
            return np.array([self.domain.random_cell(self.rng) for _ in range(BATCH)])
        return np.array([self.domain.random(self.rng).cell_id for _ in range(BATCH)])
