"""Random search."""

from collections.abc import Generator
from typing import Literal

import numpy as np

from nb101.errors import ArgumentError
from nb101.search.domain import Domain
from nb101.search.searcher import Sequential, Trial, register

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

    def steps(self) -> Generator[Trial, float, None]:
        """Yield random cells."""
        while True:
            for cell_id in self._draw():
                yield Trial(cell_id, self.budget)

    def _draw(self) -> list[int]:
        if self.domain.is_whole:
            # Many at once is several times faster than one by one, and as random.
            cells = self.domain.space.sample(BATCH, self.rng, method=self.method)
            found: list[int] = self.domain.space.index(cells).tolist()
            return found
        if self.method == "unique":
            return [self.domain.random_cell(self.rng)]
        return [self.domain.random(self.rng).cell_id]
