"""Evolution as the paper varies it (figure 8): who dies, how much a mutation changes.

A module of its own, since processes that compare searches import it, and with it the algorithm
joins those of `nb101.search.registry`.
"""

from collections.abc import Generator

import numpy as np

from nb101.search import Domain, Sequential, Trial, register
from nb101.search.domain import Module

BATCH = 16
"""Mutations that are drawn at a time; the first one that gives a cell is used."""
ATTEMPTS = 100
"""Batches that may give no cell before a random one is taken."""


@register("evolution-variant", title="evolution, varied", source="Ying et al. 2019, section 4.2")
class EvolutionVariant(Sequential):
    """Evolution with the choices of figure 8.

    Parameters
    ----------
    domain, rng
        As in `nb101.search.Searcher`.
    population, tournament
        As in regularized evolution.
    oldest
        Whether the oldest dies (regularized evolution), or the worst.
    rate
        How much a mutation changes, as in the notebook of the original: each edge flips with chance
        ``rate / vertices``, each op changes with chance ``rate / interior vertices``; 0 for one
        edge or op at a time.
    """

    def __init__(
        self,
        domain: Domain,
        rng: np.random.Generator,
        *,
        population: int = 100,
        tournament: int = 10,
        oldest: bool = True,
        rate: float = 0.0,
    ) -> None:
        super().__init__(domain, rng)
        self.population, self.tournament = population, tournament
        self.oldest, self.rate = oldest, rate

    def steps(self) -> Generator[Trial, float, None]:
        """Yield a random population, then children without end."""
        domain, rng, budget = self.domain, self.rng, self.budget
        alive: list[Module] = []
        accuracies: list[float] = []
        while len(alive) < self.population:
            module = domain.random(rng)
            accuracies.append((yield Trial(module.cell_id, budget)))
            alive.append(module)
        while True:
            drawn = rng.integers(self.population, size=self.tournament).tolist()
            parent = alive[max(drawn, key=accuracies.__getitem__)]
            child = self.mutate(parent) if self.rate else domain.mutate(parent, rng)
            alive.append(child)
            accuracies.append((yield Trial(child.cell_id, budget)))
            # The child may itself be the worst.
            dead = 0 if self.oldest else accuracies.index(min(accuracies))
            del alive[dead], accuracies[dead]

    def mutate(self, parent: Module) -> Module:
        """Flip edges and change ops at random until the result can be queried."""
        domain, rng = self.domain, self.rng
        vector = domain.vector(parent)
        pairs, k = domain.pairs, domain.num_ops
        chances = np.full(len(vector), self.rate / domain.interior)
        chances[:pairs] = self.rate / domain.space.max_vertices
        for _ in range(ATTEMPTS):
            chosen = rng.random((BATCH, len(vector))) < chances
            changed = np.tile(vector, (BATCH, 1))
            changed[:, :pairs] ^= chosen[:, :pairs]
            ops = changed[:, pairs:]
            others = (ops + 1 + rng.integers(k - 1, size=ops.shape)) % k
            changed[:, pairs:] = np.where(chosen[:, pairs:], others, ops)
            for edges, labels in zip(*domain.modules(changed), strict=True):
                cell_id = domain.find(edges, labels)
                if cell_id >= 0:
                    return Module(edges, labels, cell_id)
        return domain.random(rng)
