"""Distances to the best cells: of unique cells to one, and of raw encodings to several."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101._base.checks import check_whole
from nb101._base.lazy import cached_property
from nb101.analysis.common import (
    Floats,
    Ints,
    Result,
    budget_of,
    cell_values,
    check_table,
    in_epochs,
    rows_of,
    sign_of,
    stable_order,
)
from nb101.analysis.correlate import correlation
from nb101.errors import MissingRunError
from nb101.space.lookup import CellOrId
from nb101.table.about import kind_of
from nb101.table.schema import Direction
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

PEAKS = 12
"""Cells that the paper takes as equally good: the best and 11 others (section 3.3)."""
LEAST_RUNS = 3
"""Runs of a cell, as the paper's have, from which a standard error is taken: that of two normal
draws is off by a factor of more than two in 43 % of cases."""


@dataclass(frozen=True, kw_only=True, repr=False)
class FitnessDistance(Result):
    """A metric by the alignment distance to a cell."""

    metric: str
    direction: Direction
    """Whether less or more of the metric is better."""
    epochs: int
    target: int
    """Id of the cell that distances are to: the best, if none was named."""
    distance: npt.NDArray[np.uint8]
    """Alignment distance of each cell that has a value; shape ``(n_cells,)``."""
    values: Floats
    """The metric of each of these cells; shape ``(n_cells,)``."""

    @property
    def distances(self) -> Ints:
        """All distances from 0 to the largest, shape ``(d,)``."""
        return np.arange(len(self.cells))

    @cached_property
    def cells(self) -> Ints:
        """Cells at each distance, shape ``(d,)``."""
        return np.bincount(self.distance)

    @property
    def share_within(self) -> Floats:
        """Share of the cells at each distance or nearer, shape ``(d,)``."""
        return np.asarray(np.cumsum(self.cells) / len(self.values))

    @cached_property
    def mean(self) -> Floats:
        """Mean of the metric at each distance, shape ``(d,)``; NaN where there is no cell."""
        sums = np.bincount(self.distance, weights=self.values)
        with np.errstate(invalid="ignore"):
            return np.asarray(sums / self.cells)

    @cached_property
    def best(self) -> Floats:
        """Best value at each distance (of costs the lowest), ``(d,)``; NaN where no cell is."""
        sign = sign_of(self.direction)
        best = np.full(len(self.cells), -np.inf)
        np.maximum.at(best, self.distance, sign * self.values)
        return np.where(self.cells > 0, sign * best, np.nan)

    @property
    def relative(self) -> Floats:
        """Mean above that of all cells, as a share of what the target is above it; shape ``(d,)``.

        It is 1 at the target and 0 where cells are like any others, and so can be drawn beside an
        autocorrelation.
        """
        level = self.values.mean()
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((self.mean - level) / (self.mean[0] - level))

    @property
    def coefficient(self) -> float:
        """Fitness-distance correlation: Pearson's of value and distance (Jones 1995).

        Near -1 where the metric rises steadily towards the target, near 1 where it falls, as
        costs do towards the cell of the lowest.
        """
        return correlation(self.distance, self.values)

    def to_arrow(self) -> "pa.Table":
        """Columns ``distance``, ``cells``, ``share_within``, ``mean``, ``best``, ``relative``."""
        return self._to_arrow(
            {
                "distance": self.distances,
                "cells": self.cells,
                "share_within": self.share_within,
                "mean": self.mean,
                "best": self.best,
                "relative": self.relative,
            }
        )


def fitness_distance(
    table: Table,
    epochs: int | None = None,
    *,
    metric: str = "test_accuracy",
    direction: Direction | None = None,
    target: CellOrId | None = None,
) -> FitnessDistance:
    """Relate a metric of all cells to their distance from the best one (section 3.3).

    The distance is `nb101.alignment_distance`: edges and ops that differ under the best alignment
    of vertices. The least number of edits, `nb101.edit_distance`, is no measure of how alike cells
    are: pruning makes small cells neighbours of thousands. Distances between raw encodings, which
    the paper's figure of 35.4 % is of, are those of `peak_volume`.

    Parameters
    ----------
    table
        The table; cells without a value are left out.
    epochs, metric
        The budget, the largest by default, and the metric, by the mean of repeats.
    direction
        Whether less or more of the metric is better; `Table.direction` by default.
    target
        A cell, its id or hash; that with the best mean by default. It must have a value.

    Raises
    ------
    DatasetError, MissingRunError
        If the table has no such metric or budget, or no value of the target.
    """
    check_table(table)
    budget = budget_of(table, epochs)
    values = cell_values(table, metric, budget)
    better = table.direction(metric, direction)
    known = np.flatnonzero(~np.isnan(values))
    if target is None:
        row = int(np.nanargmax(sign_of(better) * values))
    else:
        row = int(rows_of(table, np.array([table.id_of(target)]))[0])
        if row < 0 or np.isnan(values[row]):
            raise MissingRunError(
                f"the table has no {metric} of cell {table.id_of(target)} at {in_epochs(budget)}"
            )
    target_id = int(table.cell_ids[row])
    distance = table.space[table.cell_ids[known]].alignment_distance(table.space[target_id])
    return FitnessDistance(
        kind=kind_of(table.provenance),
        metric=metric,
        direction=better,
        epochs=budget,
        target=target_id,
        distance=distance,
        values=values[known],
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class PeakVolume(Result):
    """How much of the space of raw encodings lies near the best cells."""

    metric: str
    epochs: int
    rule: str
    """What makes a cell one of the best."""
    cell_ids: Ints
    """The best cells, the very best first; shape ``(n,)``."""
    encodings: Ints
    """Raw encodings of each of these, shape ``(n,)``."""
    counts: Ints
    """Encodings of the whole space by their distance to the nearest of those, shape ``(d,)``."""
    valid_counts: Ints
    """Those of them that give a cell of the space, shape ``(d,)``."""

    @property
    def distances(self) -> Ints:
        """All distances, from 0: entries of the matrix and ops that differ; shape ``(d,)``."""
        return np.arange(len(self.counts))

    @property
    def share_within(self) -> Floats:
        """Share of all encodings at each distance or nearer, shape ``(d,)``."""
        return np.asarray(np.cumsum(self.counts) / self.counts.sum())

    @property
    def valid_share_within(self) -> Floats:
        """The same among valid encodings, shape ``(d,)``."""
        return np.asarray(np.cumsum(self.valid_counts) / self.valid_counts.sum())

    def to_arrow(self) -> "pa.Table":
        """Columns ``distance``, ``encodings`` and ``valid`` with their shares within it."""
        return self._to_arrow(
            {
                "distance": self.distances,
                "encodings": self.counts,
                "share_within": self.share_within,
                "valid": self.valid_counts,
                "valid_share_within": self.valid_share_within,
            }
        )


def peak_volume(
    table: Table,
    epochs: int | None = None,
    *,
    metric: str = "test_accuracy",
    direction: Direction | None = None,
    top: int | None = None,
) -> PeakVolume:
    """Measure how much of the space lies near the best cells (section 3.3, figure 6 right).

    The space is that of raw encodings, 2^21 matrices times 3^5 choices of ops, and each is compared
    exactly with all encodings of the best cells; isomorphic forms are peaks of their own, as are
    those with dangling vertices. The paper's figure, 35.4 % within a distance of 6, is of this
    kind, for 12 cells of 11,570 encodings.

    Parameters
    ----------
    table
        The table.
    epochs, metric
        The budget, the largest by default, and the metric, by the mean of repeats.
    direction
        Whether less or more of the metric is better; `Table.direction` by default.
    top
        How many cells are the best. If not given: those whose mean is within two standard errors
        of that of the best cell (the paper's rule); where that has fewer than `LEAST_RUNS` runs
        to tell that by, the best 12.

    Raises
    ------
    DatasetError, MissingRunError
        If the table has no such metric or budget.
    SpaceError
        If the space has more than 2^31 raw encodings.
    """
    check_table(table)
    budget = budget_of(table, epochs)
    values = cell_values(table, metric, budget)
    height = sign_of(table.direction(metric, direction)) * values
    order = stable_order(-height)
    order = order[~np.isnan(values[order])]
    error = _standard_error(table, metric, budget, int(order[0]))
    if top is not None:
        check_whole("top", top)
        rows = order[:top]
        rule = _best_cells(len(rows))
    elif error is None:
        rows = order[:PEAKS]
        rule = (
            f"{_best_cells(len(rows))}: without repeats of the best one, {LEAST_RUNS} runs at "
            "least, there is no standard error to go by"
        )
    else:
        rows = order[height[order] >= height[order[0]] - 2 * error]
        rule = "cells within two standard errors of the mean of the best"
    cells = table.space[table.cell_ids[rows]]
    found = _core.encoding_distances(table.space.core, *cells.words)
    encodings, counts, valid = (column.astype(np.int64) for column in found)
    return PeakVolume(
        kind=kind_of(table.provenance),
        metric=metric,
        epochs=budget,
        rule=rule,
        cell_ids=table.cell_ids[rows],
        encodings=encodings,
        counts=counts,
        valid_counts=valid,
    )


def _best_cells(n: int) -> str:
    return "the best cell" if n == 1 else f"the {n:,} best cells"


def _standard_error(table: Table, metric: str, epochs: int, row: int) -> float | None:
    runs = table.values(metric, epochs)[row].astype(np.float64)
    runs = runs[~np.isnan(runs)]
    return float(runs.std(ddof=1) / np.sqrt(len(runs))) if len(runs) >= LEAST_RUNS else None
