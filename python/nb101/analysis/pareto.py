"""Cost against accuracy: what no other cell beats in everything (figure 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nb101.analysis.common import (
    Floats,
    Ints,
    Result,
    budget_of,
    cell_values,
    check_names,
    check_table,
    named_rows,
    rows_with_all,
)
from nb101.errors import ArgumentError, ArgumentTypeError
from nb101.table.about import kind_of
from nb101.table.schema import Direction
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True, repr=False)
class ParetoFront(Result):
    """The cells that no other one beats."""

    metrics: tuple[str, ...]
    epochs: int
    cell_ids: Ints
    """Cells of the front, the first metric ascending; shape ``(n,)``."""
    values: Floats
    """Their metrics, shape ``(n, len(metrics))``."""
    named: dict[str, tuple[float, ...]]
    """Metrics of the cells that the paper names, those that the table has (`NAMED_CELLS`)."""
    cells: int
    """Cells that have all of the metrics, on the front or not."""

    def to_arrow(self) -> "pa.Table":
        """Columns ``cell_id`` and the metrics."""
        columns = {name: self.values[:, i] for i, name in enumerate(self.metrics)}
        return self._to_arrow({"cell_id": self.cell_ids, **columns})


def pareto_front(
    table: Table,
    metrics: Sequence[str] = ("training_time", "test_accuracy"),
    epochs: int | None = None,
    *,
    halfway: bool = False,
    directions: Mapping[str, Direction] | None = None,
) -> ParetoFront:
    """Return the Pareto front of two or more metrics (section 3.1).

    A cell is on it if no other cell is as good in every metric and better in one.

    Parameters
    ----------
    table
        The table; cells that lack a metric are left out.
    metrics
        Any of the table's, and ``"parameters"`` and ``"flops"``.
    epochs, halfway
        As in `Table.values`.
    directions
        Whether less or more of a metric is better, as ``{"latency": "min"}``; that of others is
        `Table.direction`.

    Raises
    ------
    ArgumentError
        If there are fewer than two metrics, or one whose direction nobody has said.
    DatasetError, MissingRunError
        If the table has no such metric or budget, or no cell has all of the metrics.
    """
    check_table(table)
    names = check_names("metrics", metrics)
    if len(names) < 2 or len(set(names)) < len(names):
        raise ArgumentError(
            f"a front needs two or more different metrics, not {names}", field="metrics"
        )
    given = {} if directions is None else directions
    if not isinstance(given, Mapping):
        raise ArgumentTypeError(f"directions must be a dict, not {given!r}", field="directions")
    if unused := [name for name in given if name not in names]:
        raise ArgumentError(
            f"directions: {unused[0]!r} is none of the metrics of the front", field="directions"
        )
    budget = budget_of(table, epochs)
    columns = {name: cell_values(table, name, budget, halfway=halfway) for name in names}
    known = rows_with_all(columns, budget)
    values = np.stack(list(columns.values()), axis=1)
    least = [table.direction(metric, given.get(metric)) == "min" for metric in names]
    signs = np.where(least, 1.0, -1.0)
    front = known[non_dominated(values[known] * signs)]
    front = front[np.lexsort(values[front].T[::-1])]
    return ParetoFront(
        metrics=names,
        epochs=budget,
        cell_ids=table.cell_ids[front],
        values=values[front],
        named={name: tuple(values[row].tolist()) for name, row in named_rows(table).items()},
        cells=len(known),
        kind=kind_of(table.provenance),
    )


SOME = 4096
"""Rows whose front is found first."""


def non_dominated(costs: Floats) -> npt.NDArray[np.intp]:
    """Return the rows that no other row is at most as large as throughout, and less in one.

    `costs` has shape ``(n, d)``; the result is ascending. Equal rows are kept or left together.
    """
    if costs.shape[1] == 2:
        rows = _not_beaten_by_some(costs)
        order = rows[np.lexsort(costs[rows].T[::-1])]
        return np.sort(order[_staircase(costs[order])])
    # In lexicographic order, nothing that comes later beats what came before.
    order = np.lexsort(costs.T[::-1])
    rest = order
    front = []
    while len(rest):
        first = costs[rest[0]]
        same = (costs[rest] == first).all(axis=1)
        front.append(rest[same])
        rest = rest[(costs[rest] < first).any(axis=1)]
    return np.sort(np.concatenate(front)) if front else order


def _not_beaten_by_some(costs: Floats) -> npt.NDArray[np.intp]:
    """Return the rows that the front of some of the rows does not beat, for two costs.

    They are few, and the rest need not be sorted: all of NAS-Bench-101 take 7 ms, and took 97.
    """
    some = costs[:: max(1, len(costs) // SOME)]
    some = some[np.lexsort(some.T[::-1])]
    some = some[_staircase(some)]
    # The one that costs most of those that cost less: on a front none of these is as low.
    place = np.searchsorted(some[:, 0], costs[:, 0]) - 1
    least = np.append(some[:, 1], np.inf)[place]
    return np.flatnonzero(costs[:, 1] < least)


def _staircase(costs: Floats) -> npt.NDArray[np.bool_]:
    """Mark the front among rows in lexicographic order, for two costs."""
    if not len(costs):
        return np.zeros(0, dtype=bool)
    second = costs[:, 1]
    least = np.minimum.accumulate(second)
    better = np.ones(len(costs), dtype=bool)
    better[1:] = second[1:] < least[:-1]
    # A row equal to the one that made the step is on the front with it.
    step = np.maximum.accumulate(np.where(better, np.arange(len(costs)), 0))
    return np.asarray((costs == costs[step]).all(axis=1))
