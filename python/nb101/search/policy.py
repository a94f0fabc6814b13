"""REINFORCE: learn the distribution that cells are drawn from."""

from collections.abc import Generator

import numpy as np

from nb101.search.domain import Domain, Module
from nb101.search.searcher import Sequential, Trial, between, register

BATCH = 16
"""Samples drawn at a time; the first one that is a cell is used."""
ATTEMPTS = 200
"""Batches before a cell is drawn from those that there are."""


@register(
    "reinforce",
    title="REINFORCE",
    source="Williams 1992; settings of Ying et al. 2019, section 4.3",
)
class Reinforce(Sequential):
    """Ascend the gradient of the expected validation accuracy.

    Each edge and each op of the matrix of the most vertices has a categorical distribution of its
    own, uniform at first. Samples that are no cells are drawn again, and nothing is learnt of them.

    Parameters
    ----------
    domain, rng
        As in `Searcher`.
    learning_rate
        Of the logits.
    momentum
        Of the moving average of accuracies, which is the baseline.
    """

    def __init__(
        self,
        domain: Domain,
        rng: np.random.Generator,
        *,
        learning_rate: float = 0.1,
        momentum: float = 0.9,
    ) -> None:
        super().__init__(domain, rng)
        self.learning_rate = between("learning_rate", learning_rate, 0, 1e6)
        self.momentum = between("momentum", momentum, 0, 1 - 1e-9)
        choices = np.array(domain.choices)
        self._columns = np.arange(choices.max())
        # A row for each variable; what is no choice of it has no probability.
        self._logits = np.where(self._columns < choices[:, np.newaxis], 0.0, -np.inf)
        self._total = self._weight = 0.0

    def steps(self) -> Generator[Trial, float, None]:
        """Yield samples, and learn of each."""
        while True:
            yield from self.strand()

    def strand(self) -> Generator[Trial, float, None]:
        """Yield a sample, and learn of it by the distribution that it was drawn from."""
        logits = self._logits
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        module, vector = self._sample(chances)
        accuracy = yield Trial(module.cell_id, self.budget)
        self._total = self.momentum * self._total + (1 - self.momentum) * accuracy
        self._weight = self.momentum * self._weight + (1 - self.momentum)
        # The gradient of the logarithm of the sample's probability.
        gradient = (self._columns == vector[:, np.newaxis]) - chances
        logits += self.learning_rate * (accuracy - self._total / self._weight) * gradient

    def _sample(self, chances: np.ndarray) -> tuple[Module, np.ndarray]:
        below = chances.cumsum(axis=1)[:, :-1]
        for _ in range(ATTEMPTS):
            draws = self.rng.random((BATCH, len(chances), 1))
            vectors = (draws >= below).sum(axis=2)
            for vector, edges, labels in zip(vectors, *self.domain.modules(vectors), strict=True):
                cell_id = self.domain.find(edges, labels)
                if cell_id >= 0:
                    return Module(edges, labels, cell_id), vector
        module = self.domain.random(self.rng)
        return module, self.domain.vector(module)
