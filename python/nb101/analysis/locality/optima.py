"""Local optima of the graph of cells, and the cells from which steepest ascent ends there."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101.analysis.common import Floats, Ints, Result, budget_of, cell_values, check_table, sign_of
from nb101.analysis.locality.graph import EditGraph, edit_graph
from nb101.errors import ArgumentError, ArgumentTypeError
from nb101.table.about import kind_of
from nb101.table.schema import Direction
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True, repr=False)
class LocalOptima(Result):
    """Where steepest ascent ends."""

    metric: str
    epochs: int
    cell_ids: Ints
    """The cells that have a value, ascending; shape ``(n_cells,)``."""
    ends: Ints
    """Position among `cell_ids` of the optimum that each of them leads to; ``(n_cells,)``."""
    steps: Ints
    """Steps to there, shape ``(n_cells,)``."""
    optima: Ints
    """Ids of the local optima, the best first; shape ``(n_optima,)``."""
    values: Floats
    """The metric of each optimum, shape ``(n_optima,)``."""
    basins: Ints
    """Cells that lead to each optimum, itself included; shape ``(n_optima,)``."""
    isolated: npt.NDArray[np.bool_]
    """Which optima have no neighbour with a value, and so are the best of themselves only;
    ``(n_optima,)``."""

    @property
    def global_share(self) -> float:
        """Share of the cells from which ascent ends at the best cell."""
        return float(self.basins[0] / len(self.cell_ids))

    def to_arrow(self) -> "pa.Table":
        """Columns ``cell_id``, ``value``, ``basin`` and ``isolated`` of the optima."""
        return self._to_arrow(
            {
                "cell_id": self.optima,
                "value": self.values,
                "basin": self.basins,
                "isolated": self.isolated,
            }
        )


def local_optima(
    table: Table,
    epochs: int | None = None,
    *,
    metric: str = "validation_accuracy",
    direction: Direction | None = None,
    graph: EditGraph | None = None,
) -> LocalOptima:
    """Find the local optima of the graph of cells, and their basins under steepest ascent.

    From a cell, ascent goes to the best of its neighbours (the one with the lowest id of several)
    as long as that is better than the cell. A cell without a better neighbour is an optimum; one
    without any neighbour is an optimum by lack of data only, and marked as such.

    Parameters
    ----------
    table
        The table; cells without a value are left out, as neighbours too.
    epochs, metric
        The budget, the largest by default, and the metric, by the mean of repeats.
    direction
        Whether less or more of the metric is better, so that ascent goes to the lowest or the
        highest; `Table.direction` by default.
    graph
        What `edit_graph` gave for this table, if it is there already.

    Raises
    ------
    DatasetError, MissingRunError
        If the table has no such metric or budget.
    SpaceError
        If the space is too large for ids.
    """
    check_table(table)
    budget = budget_of(table, epochs)
    values = cell_values(table, metric, budget)
    edges = edit_graph(table) if graph is None else graph
    if not isinstance(edges, EditGraph):
        raise ArgumentTypeError(f"graph must be an EditGraph, not {graph!r}", field="graph")
    if len(edges) != len(values):
        raise ArgumentError(
            f"the graph has {len(edges):,} cells, and the table {len(values):,}",
            field="graph",
        )
    height = sign_of(table.direction(metric, direction)) * values
    following, ends = (
        x.astype(np.int64) for x in _core.ascend(edges.offsets, edges.targets, height)
    )
    steps = np.zeros(len(values), dtype=np.int64)
    at = np.arange(len(values))
    while (moving := following[at] != at).any():
        steps += moving
        at = following[at]
    known = ~np.isnan(values)
    position = np.cumsum(known) - 1
    basins = np.bincount(ends[known], minlength=len(values))
    optima = np.flatnonzero(basins)
    optima = optima[np.argsort(-height[optima], kind="stable")]
    return LocalOptima(
        kind=kind_of(table.provenance),
        metric=metric,
        epochs=budget,
        cell_ids=table.cell_ids[known],
        ends=position[ends[known]],
        steps=steps[known],
        optima=table.cell_ids[optima],
        values=values[optima],
        basins=basins[optima],
        isolated=~edges.linked(known)[optima],
    )
