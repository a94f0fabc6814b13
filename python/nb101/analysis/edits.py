"""What a single change does: one op for another (figure 4), an edge more or less."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101.analysis.common import (
    Array,
    Floats,
    Ints,
    Result,
    budget_of,
    cell_values,
    check_table,
    describe,
    has_metric,
    rows_of,
    rows_to_arrow,
)
from nb101.errors import DatasetError
from nb101.table.about import kind_of
from nb101.table.schema import Direction
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True, repr=False)
class Changes(Result):
    """Single changes of cells, and what the accuracy and the training time become.

    Each array has an entry for each change where both cells have runs.
    """

    metric: str
    direction: Direction
    """Whether less or more of the metric is better."""
    epochs: int
    kinds: tuple[str, ...]
    """Names of the kinds of change, such as ``"conv3x3-bn-relu -> maxpool3x3"``."""
    which: npt.NDArray[np.int8]
    """Which of `kinds` each change is of, by its place among them; shape ``(n,)``."""
    cell_id: Ints
    """The cell that is changed; shape ``(n,)``."""
    new_cell_id: Ints
    """What it becomes, shape ``(n,)``."""
    accuracy: Floats
    """New accuracy less the old one, as a fraction; shape ``(n,)``."""
    training_time: Floats
    """Change of training time as a share of the old one; shape ``(n,)``, NaN if it is not known."""
    skipped: int
    """Changes that lead to a cell, or from one, that the table has no run of at this budget."""

    def __len__(self) -> int:
        return len(self.which)

    def summary(self) -> "pa.Table":
        """Summarise each kind that occurs.

        Columns: ``kind``, ``changes``, ``better`` (share that makes the accuracy better), and mean,
        standard deviation and quantiles of both: ``accuracy_mean``, ``accuracy_q05``...,
        ``training_time_mean``...
        """
        rows = []
        order = np.argsort(self.which, kind="stable")
        ends = np.searchsorted(self.which[order], np.arange(len(self.kinds) + 1))
        for name, first, last in zip(self.kinds, ends[:-1], ends[1:], strict=True):
            if first == last:
                continue
            own = order[first:last]
            accuracy = self.accuracy[own]
            better = accuracy < 0 if self.direction == "min" else accuracy > 0
            row = {"kind": name, "changes": len(own), "better": float(better.mean())}
            row |= {f"accuracy_{key}": value for key, value in describe(accuracy).items()}
            times = describe(self.training_time[own])
            rows.append(row | {f"training_time_{key}": value for key, value in times.items()})
        if not rows:
            raise DatasetError("the table has no two cells with runs that are one change apart")
        return rows_to_arrow(rows, self.kind)

    def to_arrow(self) -> "pa.Table":
        """All changes, a row each: ``kind``, ids, and both changes."""
        import pyarrow as pa

        kind = pa.DictionaryArray.from_arrays(pa.array(self.which), pa.array(self.kinds))
        return self._to_arrow(
            {
                "kind": kind,
                "cell_id": self.cell_id,
                "new_cell_id": self.new_cell_id,
                "accuracy": self.accuracy,
                "training_time": self.training_time,
            }
        )


def op_replacement(
    table: Table,
    epochs: int | None = None,
    *,
    metric: str = "validation_accuracy",
    direction: Direction | None = None,
) -> Changes:
    """Replace each op of each cell by each other one (section 3.2, figure 4).

    Every cell and every interior vertex counts: 4.1 million changes in the whole space.

    Parameters
    ----------
    table
        The table; changes of cells that it has no run of are counted and left out.
    epochs
        The budget; the largest by default.
    metric
        The accuracy to compare, by the mean of repeats.
    direction
        Whether less or more of the metric is better; `Table.direction` by default.

    Returns
    -------
    Changes; their kinds are named ``"old op -> new op"``.

    Raises
    ------
    DatasetError, MissingRunError
        If the table has no such metric or budget, or its space has no ids.

    Examples
    --------
    >>> import nb101
    >>> columns = {"cell_id": [1, 2, 3], "epochs": [4] * 3}
    >>> columns["final_validation_accuracy"] = [0.25, 0.5, 1]
    >>> found = op_replacement(nb101.Table.from_columns(columns), epochs=4)
    >>> found.summary().select(["kind", "accuracy_mean"]).to_pylist()[0]
    {'kind': 'conv3x3-bn-relu -> conv1x1-bn-relu', 'accuracy_mean': 0.25}
    """
    check_table(table)
    cells, ops = table.cells, table.space.ops
    source, old, new, target = _core.op_changes(table.space.core, *cells.words)
    # Kinds in the order of their names: by the old op, then by the new one without the old.
    kind = old * np.int8(len(ops) - 1) + new - (new > old)
    names = tuple(f"{a} -> {b}" for a in ops for b in ops if a != b)
    return _changes(table, epochs, metric, direction, names, kind.astype(np.int8), source, target)


EDGE_KINDS = ("edge removed", "edge removed, vertices too", "edge added")


def edge_changes(
    table: Table,
    epochs: int | None = None,
    *,
    metric: str = "validation_accuracy",
    direction: Direction | None = None,
) -> Changes:
    """Remove each edge of each cell, and add each that the space allows.

    An edge may go from any vertex to any other as long as there is no cycle. Where an edge that is
    removed leaves vertices off every path, they go too, which is a kind of its own.

    Parameters
    ----------
    table, epochs, metric, direction
        As for `op_replacement`.

    Returns
    -------
    Changes, 4.7 million for the whole space; their kinds are `EDGE_KINDS`.

    Raises
    ------
    DatasetError, MissingRunError
        As for `op_replacement`.
    """
    check_table(table)
    cells = table.cells
    source, added, target = _core.edge_changes(table.space.core, *cells.words)
    # Of cells that the table does not have it may be any kind: changes to them are left out. So
    # none is looked up by its id (the whole space: 0.25 s, was 0.48).
    vertices = cells.vertices.astype(np.int8)
    fewer = vertices[rows_of(table, target)] < vertices[source]
    kind = np.where(added, np.int8(2), fewer.view(np.int8))
    return _changes(table, epochs, metric, direction, EDGE_KINDS, kind, source, target)


def _changes(
    table: Table,
    epochs: int | None,
    metric: str,
    direction: Direction | None,
    kinds: tuple[str, ...],
    kind: npt.NDArray[np.int8],
    source: Array,
    target: Ints,
) -> Changes:
    """Compare the cells of changes: `source` are rows of `Table.cell_ids`, `target` ids."""
    budget = budget_of(table, epochs)
    values = cell_values(table, metric, budget)
    rows = rows_of(table, target)
    there = ~np.isnan(values)
    known = rows >= 0
    if not there.all():
        known &= there[source] & there[rows]
    if not known.all():
        kind, source, rows = kind[known], source[known], rows[known]
    if has_metric(table, "training_time"):
        times = table.mean("training_time", budget)
        change = times[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            change /= times[source]
        change -= 1
    else:
        change = np.full(len(rows), np.nan)
    accuracy = values[rows]
    accuracy -= values[source]
    return Changes(
        metric=metric,
        direction=table.direction(metric, direction),
        epochs=budget,
        kinds=kinds,
        which=kind,
        cell_id=table.cell_ids[source],
        new_cell_id=table.cell_ids[rows],
        accuracy=accuracy,
        training_time=change,
        skipped=len(known) - len(rows),
        kind=kind_of(table.provenance),
    )
