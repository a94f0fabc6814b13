"""Runs drawn about the values of a table that says how far runs of a cell lie apart.

This is the noise of `nb101.Benchmark`: `nb101.table.benchmark` draws and charges, and asks here
what a new run would have given.
"""

import copy
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101._core import Evaluation
from nb101.errors import DatasetError
from nb101.space.lookup import Ids
from nb101.table.schema import METRICS
from nb101.table.table import Table

Floats = npt.NDArray[np.float64]
DRAWS = 1 << 10
"""Random numbers that are drawn at a time."""
IMAGES = 9984
"""Images that an evaluation looks at: accuracies are multiples of its inverse (section 2.5)."""
SAMPLING = 0.5
"""How much of the binomial variance of an accuracy is a run's own.

What runs of a cell differ by is mostly common to validation and test, but for a part that acts as
if either had been measured on other images. That part has 0.53 of the binomial variance in genuine
repeats at 108 epochs, and 0.34 to 0.44 at all budgets in runs that others trained anew: see the
model card of ``surrogate-v1``.
"""

CHANCE = 0.1
"""Accuracy of a run that has collapsed: that of one class for all images."""
SAFE, RATE = 0.8, 0.6
"""Below which accuracy runs of a cell may collapse, and how much more often the further below.

This and what follows are of records at 36 and 108 epochs: see the model card of ``surrogate-v1``.
"""
LEAST = 0.45
"""Mean accuracy that whole runs have at least, of a cell of which some collapse."""
FLAT, TOP, WIDEST = 0.2, 0.925, 0.085
"""How far whole runs lie apart: by so much of what their mean lacks to `TOP`, and at most so far.

The spread of cells of which some collapse is larger by `SURPLUS`. At 4 and 12 epochs, where none
do, it is not.
"""
SURPLUS = 1.25
FURTHEST, NARROW = 2.5, 0.01
"""How many spreads a run lies from the mean at most, where the spread is above `NARROW`."""

Column = npt.NDArray[Any]
Columns = list[Column | None]
Answer = tuple[float, float, float, float]
"""Training time and accuracies in the order of `METRICS`."""


def item_view(column: Any) -> memoryview:
    """Return a column whose items are Python numbers, several times faster than an array's own."""
    return memoryview(column)


class Ahead:
    """What a generator draws next, in whole pieces: one by one, and many at a time, take turns.

    Parameters
    ----------
    draw
        Draws so many numbers, or rows of them.
    items
        What has been drawn and not been taken yet, last first.
    """

    def __init__(self, draw: Callable[[int], Floats], items: list[Any]) -> None:
        self._draw = draw
        # What comes next; and what comes after it.
        self.items: list[Any] = items
        self._later = draw(0)

    def refill(self) -> list[Any]:
        """Return what comes next, last first, to be popped: for when `items` is empty."""
        later = self._later if len(self._later) else self._draw(DRAWS)
        self.items, self._later = later[::-1].tolist(), later[:0]
        return self.items

    def take(self, n: int) -> Floats:
        """Take the next n."""
        parts = []
        first = min(n, len(self.items))
        if first:
            parts.append(np.array(self.items[: -first - 1 : -1], dtype=np.float64))
            del self.items[-first:]
        if first < n or not n:
            n -= first
            missing = n - len(self._later)
            if missing > 0:
                drawn = self._draw(-(-missing // DRAWS) * DRAWS)
                self._later = np.concatenate([self._later, drawn]) if missing < n else drawn
            parts.append(self._later[:n])
            self._later = self._later[n:]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def put_back(self, taken: Floats) -> None:
        """Take the last of what was taken back: it comes next again."""
        if self.items:
            self.items.extend(taken[::-1].tolist())
        else:
            self._later = np.concatenate([taken, self._later])

    def left(self) -> list[Any]:
        """Return what has been drawn and not been taken, last first."""
        later: list[Any] = self._later[::-1].tolist()
        return later + self.items


class RunNoise:
    """Draws runs about the values of a table; single ones and many take turns on one stream.

    A run of a cell of which some collapse is one of two kinds, whole or collapsed, and which it is
    shows in all of its accuracies. The core draws them; of those cells, of which there are few,
    the kind is found here, where the distribution function of normal numbers is.
    """

    def __init__(self, table: Table, rng: np.random.Generator) -> None:
        self._table = table
        self._rng = rng
        self._begin([])

    def _begin(self, normals: list[list[float]]) -> None:
        # Of each run one that is common to its accuracies, and its metrics'.
        self._normals = Ahead(
            lambda n: self._rng.standard_normal((n, 1 + len(METRICS))),
            normals,
        )
        # Benchmarks come and go by the hundred, and a look at all rows takes 2 ms.
        self._spreads = self._table.keep("spreads", lambda: _spreads_of(self._table))

    @property
    def spreads(self) -> Columns:
        """How far runs lie apart: a column for each metric, `None` where that is not known."""
        return self._spreads

    def waiting(self) -> list[list[float]]:
        """Return the numbers of the next runs, last first: one is to be popped for each run."""
        waiting: list[list[float]] = self._normals.items or self._normals.refill()
        return waiting

    def take(self, n: int) -> Floats:
        """Take the numbers of the next n runs."""
        return self._normals.take(n)

    def many(
        self, core: Evaluation, answers: list[Column], rows: Ids
    ) -> tuple[list[Column], Floats]:
        """Return runs about many rows' values, as columns, and the numbers that were taken."""
        normals = self._normals.take(len(rows))
        drawn, places = core.noisy_many(rows, normals)
        for place in places:
            row, validation = int(rows[place]), float(answers[2][place])
            one = _one_of_two(core, row, validation, normals[place].tolist())
            for column, value in zip(drawn, one, strict=True):
                if column is not None:
                    column[place] = value
        found = [old if new is None else new for old, new in zip(answers, drawn, strict=True)]
        return found, normals

    def put_back(self, normals: Floats) -> None:
        """Let the last runs not have been drawn."""
        self._normals.put_back(normals)

    def __getstate__(self) -> dict[str, Any]:
        state = {"_rng": copy.deepcopy(self._rng), "_normals": self._normals.left()}
        return {"_table": self._table, **state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._table, self._rng = state["_table"], state["_rng"]
        self._begin(list(state["_normals"]))


def run_about(core: Evaluation, row: int, validation: float, normals: list[float]) -> Answer:
    """Return a run about one row's values, of which `validation` is one."""
    return core.noisy(row, normals) or _one_of_two(core, row, validation, normals)


def _one_of_two(core: Evaluation, row: int, validation: float, normals: list[float]) -> Answer:
    """Return a run of a cell of which some collapse."""
    chance = _chance_of_collapse(validation)
    collapsed, common = _kind_of_run(chance, normals[0])
    return core.noisy_kind(row, [common, *normals[1:]], chance, collapsed)


def _spreads_of(table: Table) -> Columns:
    return [_spread_of(table, f"{metric}_spread") for metric in METRICS]


def _spread_of(table: Table, name: str) -> Column | None:
    if name not in table.columns:
        return None
    column = np.require(table.column(name), requirements=["C", "A"])
    if (column < 0).any():
        row = int((column < 0).argmax())
        raise DatasetError(
            f"row {row}: {name} is {column[row]}; it must not be negative", index=row, field=name
        )
    return column


def _chance_of_collapse(mean: float) -> float:
    """How often a run collapses, of a cell of which some do: so that the mean is kept."""
    usual = RATE * (SAFE - mean)
    level = max((mean - usual * CHANCE) / (1 - usual), LEAST)
    return min((level - mean) / (level - CHANCE), 1.0)


def _kind_of_run(chance: float, normal: float) -> tuple[bool, float]:
    """Say by a normal number whether a run has collapsed.

    What is left of the number is normal again, so that nothing else need be drawn.
    """
    below = _NORMAL.cdf(normal)
    if below < chance or chance == 1.0:
        return True, normal
    left = (below - chance) / (1 - chance)
    return False, _NORMAL.inv_cdf(min(max(left, 1e-16), 1 - 1e-16))


_NORMAL = NormalDist()
CONSTANTS = (IMAGES, SAMPLING, CHANCE, SAFE, FLAT, TOP, WIDEST, SURPLUS, FURTHEST, NARROW)
