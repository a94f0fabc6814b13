"""Runs drawn about the values of a table that says how far runs of a cell lie apart.

This is the noise of `nb101.Benchmark`: `nb101.table.benchmark` draws and charges, and asks here
what a new run would have given.
"""

import copy
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

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

Answer = tuple[float, float, float, float]
"""Training time and accuracies in the order of `METRICS`."""


def item_view(column: Any) -> memoryview:
    """Return a column whose items are Python numbers, several times faster than an array's own."""
    return memoryview(column)


class RunNoise:
    """Draws runs about the values of a table; `one` and `many` take turns on one stream.

    A run of a cell of which some collapse is one of two kinds, whole or collapsed, and which it is
    shows in all of its accuracies.
    """

    def __init__(self, table: Table, rng: np.random.Generator) -> None:
        self._table = table
        self._rng = rng
        # The next draws, last first: of each run one common to its accuracies, and its metrics'.
        self._normals: list[list[float]] = []
        self._find_columns()

    def _find_columns(self) -> None:
        self._spreads = [self._column(f"{metric}_spread") for metric in METRICS]
        self._views = [None if column is None else item_view(column) for column in self._spreads]

    def _column(self, name: str) -> npt.NDArray[Any] | None:
        if name not in self._table.columns:
            return None
        column = self._table.column(name)
        if (column >= 0).all():
            return column
        if (column < 0).any():
            row = int((column < 0).argmax())
            raise DatasetError(
                f"row {row}: {name} is {column[row]}; it must not be negative",
                index=row,
                field=name,
            )
        # Where it is not known there is no noise.
        return np.nan_to_num(column, nan=0.0)

    def one(self, answer: Answer, row: int) -> Answer:
        """Return a run about one row's values: `many` with plain numbers, which is much faster."""
        common, *own = (self._normals or self._refill()).pop()
        time_view, *views = self._views
        time = answer[0]
        if time_view is not None:
            time = _narrow(max(time + time_view[row] * own[0], 0.0))
        chance, collapsed = 0.0, False
        validation, its_view = answer[2], views[1]
        if (
            its_view is not None
            and validation < SAFE
            and its_view[row] > SURPLUS * _spread_of_whole(validation)
        ):
            chance = _chance_of_collapse(validation)
            collapsed, common = _kind_of_run(chance, common)
        accuracies = []
        for value, view, normal in zip(answer[1:], views, own[1:], strict=True):
            if view is None or value != value:
                accuracies.append(value)
                continue
            spread: float = view[row]
            if collapsed:
                value, spread = CHANCE, 0.0
            elif chance:
                value = min(max((value - chance * CHANCE) / (1 - chance), 0.0), 1.0)
                spread = _spread_of_whole(value)
            # Comparisons in place of `min` and `max`: 0.5 us less.
            shared = common
            if spread > NARROW:
                if common < -FURTHEST:
                    shared = -FURTHEST
                elif common > FURTHEST:
                    shared = FURTHEST
            variance = spread * spread
            alone = SAMPLING * value * (1 - value) / IMAGES
            if alone < 0.0:
                alone = 0.0
            if variance < alone:
                alone = variance
            drawn = value + sqrt(variance - alone) * shared + sqrt(alone) * normal
            if drawn < 0.0:
                drawn = 0.0
            elif drawn > 1.0:
                drawn = 1.0
            accuracies.append(_FRACTIONS[round(drawn * IMAGES)])
        train, validation, test = accuracies
        return time, train, validation, test

    def many(self, answers: list[npt.NDArray[Any]], rows: Ids) -> list[npt.NDArray[Any]]:
        """Return runs about many rows' values, metric by metric."""
        common, *own = self._draw(len(rows)).T
        chance, collapsed = np.zeros(len(rows)), np.zeros(len(rows), dtype=bool)
        if self._spreads[2] is not None:
            means = answers[2].astype(np.float64)
            mixed = self._spreads[2][rows] > SURPLUS * _spreads_of_whole(means)
            common = common.copy()
            # One by one, to the bits of `one`; there are few.
            for place in np.flatnonzero(mixed & (means < SAFE)).tolist():
                chance[place] = _chance_of_collapse(float(means[place]))
                collapsed[place], common[place] = _kind_of_run(
                    float(chance[place]), float(common[place])
                )
        whole = (chance > 0) & ~collapsed
        chance = chance[whole]
        found = []
        for i, (values, column, normals) in enumerate(
            zip(answers, self._spreads, own, strict=True)
        ):
            if column is None:
                found.append(values)
                continue
            spread, mean = column[rows].astype(np.float64), values.astype(np.float64)
            if i == 0:
                found.append(np.maximum(mean + spread * normals, 0).astype(np.float32))
                continue
            mean[whole] = np.clip((mean[whole] - chance * CHANCE) / (1 - chance), 0, 1)
            spread[whole] = _spreads_of_whole(mean[whole])
            mean[collapsed & ~np.isnan(mean)], spread[collapsed] = CHANCE, 0.0
            sampling = np.maximum(SAMPLING * mean * (1 - mean) / IMAGES, 0)
            alone = np.minimum(sampling, spread * spread)
            shared = np.where(spread > NARROW, common.clip(-FURTHEST, FURTHEST), common)
            drawn = mean + np.sqrt(spread * spread - alone) * shared + np.sqrt(alone) * normals
            found.append((np.rint(np.clip(drawn, 0, 1) * IMAGES) / IMAGES).astype(np.float32))
        return found

    def _refill(self) -> list[list[float]]:
        self._normals = self._rng.standard_normal((DRAWS, 1 + len(METRICS)))[::-1].tolist()
        return self._normals

    def _draw(self, n: int) -> Floats:
        stream = [np.array(self._normals[::-1]).reshape(-1, 1 + len(METRICS))]
        missing = n - len(self._normals)
        if missing > 0:
            # Whole pieces, as `_refill` draws them.
            shape = (-(-missing // DRAWS) * DRAWS, 1 + len(METRICS))
            stream.append(self._rng.standard_normal(shape))
        drawn = np.concatenate(stream)
        self._normals = drawn[n:][::-1].tolist()
        return drawn[:n]

    def __getstate__(self) -> dict[str, Any]:
        state = {"_rng": copy.deepcopy(self._rng), "_normals": list(self._normals)}
        return {"_table": self._table, **state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._find_columns()


def _spread_of_whole(mean: float) -> float:
    """How far runs that have not collapsed lie apart, by their mean accuracy."""
    return min(max(FLAT * (TOP - mean), 0.0), WIDEST)


def _spreads_of_whole(means: Floats) -> Floats:
    """`_spread_of_whole` of many, to the same bits."""
    return np.clip(FLAT * (TOP - means), 0.0, WIDEST)


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


def _narrow(value: float) -> float:
    return float(np.float32(value))


_NORMAL = NormalDist()
_FRACTIONS: list[float] = (np.arange(IMAGES + 1) / IMAGES).astype(np.float32).tolist()
