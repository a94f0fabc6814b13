"""Local search: move to better neighbours, or of several objectives to all that are no worse."""

from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from nb101._base.checks import check_whole
from nb101.search.domain import Domain, Ints
from nb101.search.searcher import Floats, Sequential, Steps, Trial, Trials, register


@register(
    "local-search",
    title="local search",
    source="White, Nolen, Savani 2021 (arXiv 2005.02960); of several objectives Paquete, "
    "Chiarandini, Stützle 2004",
    differs="Not in the paper. Neighbours with more vertices than a cell are not looked at, since "
    "small cells have thousands of larger ones. In naszilla an edge can take up a loose vertex.",
)
class LocalSearch(Sequential):
    """Train all neighbours of a cell, move to the best one while that is better, and start again.

    With several objectives it is Pareto local search (Paquete, Chiarandini, Stützle 2004): of the
    cells met since the start that none of these beats, one whose neighbours have not been looked at
    is drawn, and these are trained; when there is none left, it starts again.

    No cell is trained twice, unless all are known: a neighbour that was met before counts with the
    accuracy that it had then.

    Parameters
    ----------
    domain, rng
        As in `Searcher`.
    initial
        Random cells that each start takes the best of.
    """

    several_objectives = True

    def __init__(self, domain: Domain, rng: np.random.Generator, *, initial: int = 10) -> None:
        super().__init__(domain, rng)
        self.initial = check_whole("initial", initial)
        self._known: dict[int, Any] = {}
        self._near: dict[int, Ints] = {}
        """Of cells, which starts come by again and again: 2.6 s of 5,000 queries become 0.4."""
        self._climbing = False

    def steps(self) -> Steps:
        """Yield starts and their neighbours, round by round."""
        return self._search(self._train)

    def strand(self) -> Steps | None:
        """Yield the same round by round, each at once: the next one waits for all of it."""
        if self._climbing:
            return None
        self._climbing = True
        return self._search(self._train_at_once)

    def _search(self, train: Callable[..., Steps]) -> Steps:
        known, rng = self._known, self.rng
        go_on = self._spread if self.domain.objectives else self._climb
        while True:
            starts = [self.domain.random(rng).cell_id for _ in range(self.initial)]
            yield from train(starts)
            if len(known) == len(self.domain):
                # Nothing is new any more; noise alone is left to look at.
                yield from train(starts, again=True)
            yield from go_on(starts, train)

    def _climb(self, starts: list[int], train: Callable[..., Steps]) -> Steps:
        known = self._known
        current = max(starts, key=known.__getitem__)
        while True:
            near = self._neighbors(current)
            yield from train(near)
            best = max(near, key=known.__getitem__, default=current)
            if known[best] <= known[current]:
                return
            current = best

    def _spread(self, starts: list[int], train: Callable[..., Steps]) -> Steps:
        front, seen = self._front(starts), set[int]()
        while left := [cell_id for cell_id in front if cell_id not in seen]:
            current = left[int(self.rng.random() * len(left))]
            near = self._neighbors(current)
            yield from train(near)
            seen.add(current)
            front = self._front(front + near)

    def _front(self, cells: list[int]) -> list[int]:
        """Return those of some cells that no other one of them beats."""
        from nb101.analysis.pareto import non_dominated

        cells = list(dict.fromkeys(cells))
        costs: Floats = np.array([self._known[cell_id] for cell_id in cells])
        return [cells[place] for place in non_dominated(costs).tolist()]

    def _train(self, cells: list[int], again: bool = False) -> Generator[Trial, Any, None]:
        for cell_id in cells:
            if again or cell_id not in self._known:
                self._known[cell_id] = yield Trial(cell_id, self.budget)

    def _train_at_once(self, cells: list[int], again: bool = False) -> Generator[Trials, Any, None]:
        new = cells if again else [x for x in dict.fromkeys(cells) if x not in self._known]
        if new:
            accuracies = yield Trials(np.array(new), self.budget)
            self._known.update(zip(new, accuracies.tolist(), strict=True))

    def _neighbors(self, cell_id: int) -> list[int]:
        near = self._near.get(cell_id)
        if near is None:
            near = self._near[cell_id] = self.domain.neighbors(cell_id)
        ids = self.rng.permutation(near)
        return [found for found in ids.tolist() if self.domain.has(found)]
