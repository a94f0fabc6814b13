"""NSGA-II: a population that is kept near the front, and spread along it."""

from collections.abc import Generator

import numpy as np
import numpy.typing as npt

from nb101._base.checks import check_whole
from nb101._core import Draws
from nb101.errors import ArgumentError
from nb101.search.domain import Domain, Ints, Module
from nb101.search.searcher import Floats, Sequential, Steps, Trial, Trials, between, register

Vectors = npt.NDArray[np.int8]

MOST = 10_000
"""Modules of a population: who beats whom takes the square of that in memory."""
FRESH = 16
"""Batches of children after which those are taken, too, that are alive or were drawn before."""


@register(
    "nsga-ii",
    title="NSGA-II",
    source="Deb, Pratap, Agarwal, Meyarivan 2002",
    differs="Not in the paper. Crossover is uniform over edges and ops, and a mutation makes "
    "another value equally likely; a child that is no valid cell, or a cell that is alive, is "
    "drawn again, as in pymoo.",
)
class NSGA2(Sequential):
    """Cross and mutate parents that few others beat, and that lie apart from their neighbours.

    A generation of children joins the population, and of all of them the fronts that come first
    survive; of the last front for which there is room, those that are least crowded.

    Parameters
    ----------
    domain, rng
        As in `Searcher`.
    population
        Modules that are alive, and children of a generation; the first ones are random.
    crossover
        Chance that a child takes each edge and op from either of two parents, and not all of them
        from one.
    mutation
        How many edges and ops of a child change, in the mean.
    """

    several_objectives = True
    needs_objectives = True

    def __init__(
        self,
        domain: Domain,
        rng: np.random.Generator,
        *,
        population: int = 100,
        crossover: float = 0.9,
        mutation: float = 1.0,
    ) -> None:
        super().__init__(domain, rng)
        self.population = check_whole("population", population, 2)
        if self.population > MOST:
            message = f"population must be at most {MOST:,}, not {self.population:,}"
            raise ArgumentError(message, field="population")
        self.crossover = between("crossover", crossover, 0, 1)
        self.mutation = between("mutation", mutation, 0, len(domain.choices))
        self._choices = np.array(domain.choices)
        free = max(int((self._choices > 1).sum()), 1)
        self._rates = np.where(self._choices > 1, min(self.mutation / free, 1.0), 0.0)
        self._vectors: Vectors = np.zeros((0, len(self._choices)), dtype=np.int8)
        self._ids: list[int] = []
        self._costs: Floats = np.zeros((0, 0))
        self._ranks: Ints = np.zeros(0, dtype=np.int64)
        self._crowding: Floats = np.zeros(0)
        self._left: list[tuple[Vectors, int]] = []
        self._born: list[tuple[Vectors, int, Floats]] = []
        self._away: set[int] = set()
        """Cells that were handed out to workers and have not joined yet."""

    def steps(self) -> Steps:
        """Yield a random population, then generations without end."""
        while True:
            vectors, ids = self._propose()
            costs = yield Trials(np.array(ids), self.budget)
            self._survive(vectors, ids, costs)

    def strand(self) -> Generator[Trial, Floats, None]:
        """Yield one random module or child of those that are alive.

        When as many as a population have been told, whenever they were begun, they join it, and the
        next children are of those that survive.
        """
        if not self._left:
            self._left = list(zip(*self._propose(), strict=True))
        vector, cell_id = self._left.pop(0)
        self._away.add(cell_id)
        costs = yield Trial(cell_id, self.budget)
        self._born.append((vector, cell_id, costs))
        if len(self._born) == self.population:
            vectors, ids, told = zip(*self._born, strict=True)
            self._born, self._left = [], []
            self._survive(np.array(vectors), list(ids), np.array(told))
            self._away.difference_update(ids)

    def _propose(self) -> tuple[Vectors, list[int]]:
        """Return as many vectors as there are in a population, and the ids of their cells."""
        return self._children() if self._ids else self._strangers(self.population, set(self._away))

    def _strangers(self, count: int, taken: set[int]) -> tuple[Vectors, list[int]]:
        """Draw random modules: of cells that are not taken yet, while such are found."""
        draws = Draws(self.rng)
        modules: list[Module] = []
        for attempt in range((1 + FRESH) * count):
            module = self.domain.random(draws)
            if module.cell_id not in taken or attempt >= FRESH * count:
                taken.add(module.cell_id)
                modules.append(module)
                if len(modules) == count:
                    break
        vectors = np.array([self.domain.vector(module) for module in modules])
        return vectors, [module.cell_id for module in modules]

    def _children(self) -> tuple[Vectors, list[int]]:
        """Cross and mutate many pairs at once, until enough children are new cells."""
        count, find = self.population, self.domain.find
        taken = {*self._ids, *self._away}
        found: list[Vectors] = []
        ids: list[int] = []
        for batch in range(2 * FRESH):
            vectors = self._offspring(2 * (count - len(ids)))
            for vector, *words in zip(vectors, *self.domain.modules(vectors), strict=True):
                cell_id = find(*words)
                if cell_id >= 0 and (cell_id not in taken or batch >= FRESH):
                    taken.add(cell_id)
                    found.append(vector)
                    ids.append(cell_id)
                    if len(ids) == count:
                        return np.array(found), ids
        others, more = self._strangers(count - len(ids), taken)
        return np.array([*found, *others]), ids + more

    def _offspring(self, count: int) -> Vectors:
        """Return children of parents that won their tournaments, be they cells or not."""
        rng, width = self.rng, len(self._choices)
        one, other = (self._vectors[self._winners(count)] for _ in range(2))
        crossed = rng.random(count) < self.crossover
        taken = (rng.random((count, width)) < 0.5) & crossed[:, np.newaxis]
        children = np.where(taken, other, one)
        changed = rng.random((count, width)) < self._rates
        steps = 1 + (rng.random((count, width)) * (self._choices - 1)).astype(np.int8)
        return np.where(changed, (children + steps) % self._choices, children).astype(np.int8)

    def _winners(self, count: int) -> Ints:
        """Return who wins so many tournaments of two: by front, then by crowding."""
        one, other = self.rng.integers(len(self._ids), size=(2, count))
        ranks, crowding = self._ranks, self._crowding
        better = ranks[one] < ranks[other]
        better |= (ranks[one] == ranks[other]) & (crowding[one] >= crowding[other])
        return np.asarray(np.where(better, one, other))

    def _survive(self, vectors: Vectors, ids: list[int], costs: Floats) -> None:
        """Let children join, and keep as many as there may be."""
        if self._ids:
            vectors = np.concatenate([self._vectors, vectors])
            costs = np.concatenate([self._costs, costs])
            ids = self._ids + ids
        ranks = ranks_of(costs, self.population)
        crowding = crowding_of(costs, ranks)
        kept = np.lexsort([-crowding, ranks])[: self.population]
        self._vectors, self._costs = vectors[kept], costs[kept]
        self._ids = [ids[place] for place in kept.tolist()]
        self._ranks, self._crowding = ranks[kept], crowding[kept]


def ranks_of(costs: Floats, enough: int | None = None) -> Ints:
    """Return the front of each point: 0 if no other beats it, 1 if only those of 0 do, and so on.

    Parameters
    ----------
    costs
        Points to be minimized, shape ``(n, d)``.
    enough
        How many need be in a front: those of later fronts are all in the one after.
    """
    n = len(costs)
    at_most = np.ones((n, n), dtype=bool)
    for column in costs.T:
        at_most &= column[:, np.newaxis] <= column
    beats = at_most & ~at_most.T
    left = beats.sum(axis=0)
    ranks = np.full(n, -1)
    rank, done = 0, 0
    while done < (n if enough is None else min(n, enough)):
        front = np.flatnonzero(left == 0)
        ranks[front] = rank
        # Each is beaten by its own front no more, and none is in two.
        left -= beats[front].sum(axis=0)
        left[front] = -1
        rank, done = rank + 1, done + len(front)
    ranks[ranks < 0] = rank
    return ranks


def crowding_of(costs: Floats, ranks: Ints) -> Floats:
    """Return the crowding distance of each point: how far its neighbours on its front lie apart.

    The sum over objectives of the distance between the next points on either side, by the range of
    the front; infinite at either end.
    """
    found = np.zeros(len(costs))
    for rank in np.unique(ranks):
        front = np.flatnonzero(ranks == rank)
        for column in costs[front].T:
            order = np.argsort(column, kind="stable")
            ordered, places = column[order], front[order]
            reach = ordered[-1] - ordered[0]
            if reach > 0:
                found[places[1:-1]] += (ordered[2:] - ordered[:-2]) / reach
            found[places[[0, -1]]] = np.inf
    return found
