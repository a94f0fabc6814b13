"""Accuracy and training time by the shape of cells (section 3.2, figure 5)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nb101.analysis.common import (
    Array,
    budget_of,
    cell_values,
    check_table,
    describe,
    has_metric,
    rows_to_arrow,
)
from nb101.table.schema import Direction
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa


def features(table: Table) -> dict[str, Array]:
    """Return what cells are grouped by, in the order of `Table.cell_ids`; shapes ``(n_cells,)``.

    ``depth`` (edges on the longest path), ``width`` (edges of the largest directed cut),
    ``edges``, ``vertices`` (input and output included), and the number of vertices with each op.
    """
    check_table(table)
    cells = table.cells
    ops = cells.operations()
    found: dict[str, Array] = {
        "depth": cells.depth(),
        "width": cells.width(),
        "edges": cells.num_edges,
        "vertices": cells.vertices,
    }
    return found | {name: (ops == code).sum(axis=1) for code, name in enumerate(table.space.ops)}


def structure(
    table: Table,
    epochs: int | None = None,
    *,
    metric: str = "validation_accuracy",
    direction: Direction | None = None,
) -> "pa.Table":
    """Summarise cells by each of their `features`.

    Parameters
    ----------
    table
        The table; cells without a value are left out.
    epochs
        The budget; the largest by default.
    metric
        The accuracy, by the mean of repeats.
    direction
        Whether less or more of it is better; `Table.direction` by default.

    Returns
    -------
    Arrow table with a row for each feature and value that occurs: ``feature``, ``value``,
    ``cells``, mean, standard deviation and quantiles of the accuracy (``accuracy_mean``,
    ``accuracy_q05``...), ``accuracy_best``, and the mean training time in seconds (NaN if it is
    not known).

    Raises
    ------
    DatasetError, MissingRunError
        If the table has no such metric or budget.

    Examples
    --------
    >>> import nb101
    >>> columns = {"cell_id": [0, 1], "epochs": [4, 4], "final_validation_accuracy": [0.5, 0.75]}
    >>> found = structure(nb101.Table.from_columns(columns)).to_pylist()[:2]
    >>> [(row["feature"], row["value"], row["accuracy_mean"]) for row in found]
    [('depth', 1, 0.5), ('depth', 2, 0.75)]
    """
    check_table(table)
    budget = budget_of(table, epochs)
    accuracy = cell_values(table, metric, budget)
    best = np.min if table.direction(metric, direction) == "min" else np.max
    known = ~np.isnan(accuracy)
    accuracy = accuracy[known]
    has_times = has_metric(table, "training_time")
    times = (
        table.mean("training_time", budget)[known] if has_times else np.full(len(accuracy), np.nan)
    )
    rows: list[dict[str, Any]] = []
    for feature, column in features(table).items():
        own = column[known]
        for value in np.unique(own).tolist():
            group = np.flatnonzero(own == value)
            values, timed = accuracy[group], times[group]
            row = {"feature": feature, "value": value, "cells": len(group)}
            row |= {f"accuracy_{k}": x for k, x in describe(values).items()}
            row["accuracy_best"] = float(best(values))
            timed = timed[~np.isnan(timed)]
            mean = float(timed.mean()) if len(timed) else float("nan")
            rows.append(row | {"training_time_mean": mean})
    return rows_to_arrow(rows, table)
