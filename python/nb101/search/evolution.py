"""Regularized evolution: the oldest dies."""

from collections.abc import Generator
from typing import Literal, get_args

import numpy as np

from nb101._base.checks import check_whole
from nb101._core import Draws
from nb101.errors import ArgumentError
from nb101.search.domain import Domain, Module
from nb101.search.searcher import Sequential, Trial, register

Mutation = Literal["single", "notebook"]


@register(
    "regularized-evolution",
    title="regularized evolution",
    source="Real et al. 2019 (arXiv 1802.01548); settings of Ying et al. 2019, section 4.3",
    differs="A child that is no valid cell is drawn again, as in the authors' notebook; in the "
    "scripts of the search benchmark it joined the population with accuracy 0, at no cost. One "
    "edge or op changes at a time, as in those scripts; with mutation='notebook' three edges "
    "and an op in the mean, as in the notebook, whose population was 50, and whose tournaments "
    "drew without replacement.",
)
class RegularizedEvolution(Sequential):
    """Mutate the best of a few, and let the oldest go.

    Parameters
    ----------
    domain, rng
        As in `Searcher`.
    population
        Modules that are alive; the first ones are drawn as in random search.
    tournament
        How many of them are drawn, with replacement; the one with the best validation accuracy is
        mutated.
    mutation
        ``"single"``: one edge or one op of the matrix of the most vertices changes. ``"notebook"``:
        as in the authors' notebook, each edge flips with chance 1 / vertices, and each op changes
        with chance 1 / interior vertices.
    """

    def __init__(
        self,
        domain: Domain,
        rng: np.random.Generator,
        *,
        population: int = 100,
        tournament: int = 10,
        mutation: Mutation = "single",
    ) -> None:
        super().__init__(domain, rng)
        self.population = check_whole("population", population)
        self.tournament = check_whole("tournament", tournament)
        if mutation not in get_args(Mutation):
            known = " or ".join(map(repr, get_args(Mutation)))
            message = f"mutation must be {known}, not {mutation!r}"
            raise ArgumentError(message, field="mutation")
        self.mutation = mutation
        self._born = 0
        self._alive: list[tuple[Module, float]] = []
        self._oldest = 0
        self._ahead: Draws | None = None

    def steps(self) -> Generator[Trial, float, None]:
        """Yield a random population, then children without end."""
        domain, draws, size = self.domain, Draws(self.rng), self.population
        budget, tournament = self.budget, self.tournament
        mutate = domain.mutate if self.mutation == "single" else domain.mutate_all
        alive: list[Module] = []
        accuracies: list[float] = []
        while len(alive) < size:
            module = domain.random(draws)
            accuracies.append((yield Trial(module.cell_id, budget)))
            alive.append(module)
        accuracy_of, oldest = accuracies.__getitem__, 0
        while True:
            parent = alive[max(draws.places(tournament, size), key=accuracy_of)]
            child = mutate(parent, draws)
            accuracies[oldest] = yield Trial(child.cell_id, budget)
            alive[oldest] = child
            oldest = (oldest + 1) % size

    def strand(self) -> Generator[Trial, float, None]:
        """Yield one random module or child; it is alive, and the oldest dies, when it is told.

        So each worker does what the paper's do: mutate the best of a few of those that are alive.
        Until the first is told, and while fewer than a population have been begun, modules are
        random.
        """
        if self._ahead is None:
            self._ahead = Draws(self.rng)
        domain, draws, alive = self.domain, self._ahead, self._alive
        if self._born < self.population or not alive:
            module = domain.random(draws)
        else:
            places = draws.places(self.tournament, len(alive))
            parent = alive[max(places, key=lambda place: alive[place][1])][0]
            mutate = domain.mutate if self.mutation == "single" else domain.mutate_all
            module = mutate(parent, draws)
        self._born += 1
        accuracy = yield Trial(module.cell_id, self.budget)
        if len(alive) < self.population:
            alive.append((module, accuracy))
        else:
            alive[self._oldest] = module, accuracy
            self._oldest = (self._oldest + 1) % self.population
