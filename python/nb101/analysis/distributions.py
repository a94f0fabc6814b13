"""How metrics are distributed over cells, and how much runs of one cell differ (figure 2)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nb101.analysis.common import (
    Floats,
    Ints,
    Result,
    budget_of,
    cell_values,
    check_table,
    describe,
    in_epochs,
    rows_to_arrow,
)
from nb101.errors import DatasetError
from nb101.table.about import kind_of
from nb101.table.schema import METRICS
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True, repr=False)
class Ecdf(Result):
    """An empirical cumulative distribution of cells."""

    metric: str
    epochs: int
    values: Floats
    """The metric of each cell that has it, ascending; shape ``(n,)``."""

    @property
    def shares(self) -> Floats:
        """Share of the cells at or below each of `values`: steps of ``1 / n``."""
        n = len(self.values)
        return np.arange(1, n + 1) / n

    def share_below(self, value: float) -> float:
        """Return the share of the cells at or below a value."""
        return float(np.searchsorted(self.values, value, side="right") / len(self.values))

    def to_arrow(self) -> "pa.Table":
        """Columns ``value`` and ``share``."""
        return self._to_arrow({"value": self.values, "share": self.shares})


def ecdf(
    table: Table,
    metric: str = "test_accuracy",
    epochs: int | None = None,
    *,
    halfway: bool = False,
) -> Ecdf:
    """Return the distribution of a metric over cells, each by the mean of its repeats.

    Parameters
    ----------
    table
        The table; cells without a value are left out.
    metric, epochs, halfway
        As in `Table.values`; or ``"parameters"``, ``"flops"``.

    Raises
    ------
    DatasetError, MissingRunError
        If the table has no such metric or budget, or no value of it.

    Examples
    --------
    >>> import nb101
    >>> columns = {"cell_id": [0, 1], "epochs": [4, 4], "final_test_accuracy": [0.5, 0.75]}
    >>> found = ecdf(nb101.Table.from_columns(columns))
    >>> found.values, found.share_below(0.6)
    (array([0.5 , 0.75]), 0.5)
    """
    check_table(table)
    values = cell_values(table, metric, epochs, halfway=halfway)
    values = np.sort(values[~np.isnan(values)])
    return Ecdf(
        metric=metric,
        epochs=budget_of(table, epochs),
        values=values,
        kind=kind_of(table.provenance),
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class Noise(Result):
    """How much runs of one cell differ."""

    metric: str
    epochs: int
    source: Literal["repeats", "spread"]
    """``"repeats"``: measured between runs; ``"spread"``: what the table says is to be expected."""
    cell_ids: Ints
    """Cells that it is known of, ascending; shape ``(n,)``."""
    spread: Floats
    """Standard deviation between runs of each of these cells; shape ``(n,)``."""

    def to_arrow(self) -> "pa.Table":
        """Columns ``cell_id`` and ``spread``."""
        return self._to_arrow({"cell_id": self.cell_ids, "spread": self.spread})


def noise(
    table: Table,
    metric: str = "test_accuracy",
    epochs: int | None = None,
    *,
    halfway: bool = False,
) -> Noise:
    """Return the standard deviation of a metric between the repeats of each cell (section 3.1).

    Of a table without repeats, it is the column ``<metric>_spread``, where predictions have the
    spread that is to be expected.

    Parameters
    ----------
    table
        The table; cells with fewer than two runs are left out.
    metric, epochs, halfway
        As in `Table.values`.

    Raises
    ------
    DatasetError, MissingRunError
        If the table has no such metric or budget, or neither repeats nor spreads.
    """
    check_table(table)
    budget = budget_of(table, epochs)
    values = table.values(metric, budget, halfway=halfway)
    runs = (~np.isnan(values)).sum(axis=1)
    known = runs >= 2
    if known.any():
        values = values[known].astype(np.float64)
        mean = np.nansum(values, axis=1) / runs[known]
        squares = np.nansum((values - mean[:, np.newaxis]) ** 2, axis=1)
        # Of a sample: three runs of a cell are all that there will be of it, but not all there are.
        spread = np.sqrt(squares / (runs[known] - 1))
        source: Literal["repeats", "spread"] = "repeats"
    elif not halfway and f"{metric}_spread" in table.columns:
        given = table.mean(f"{metric}_spread", budget)
        known = ~np.isnan(given)
        spread = given[known]
        source = "spread"
    else:
        raise DatasetError(
            f"no cell has two runs with {metric} at {in_epochs(budget)}, and there is no column "
            f"{metric}_spread: the noise between repeats is not known"
        )
    return Noise(
        metric=metric,
        epochs=budget,
        source=source,
        cell_ids=table.cell_ids[known],
        spread=spread,
        kind=kind_of(table.provenance),
    )


def budgets(table: Table) -> "pa.Table":
    """Summarise each final metric at each budget, over cells by the mean of their repeats.

    Returns
    -------
    Arrow table with a row for each budget and metric: ``epochs``, ``metric``, ``cells``, ``runs``,
    ``mean``, ``sd``, ``least``, ``most`` and quantiles ``q05`` to ``q95``.
    """
    check_table(table)
    rows = []
    for epochs in table.epochs:
        runs = int(table.counts(epochs).sum())
        for metric in METRICS:
            try:
                values = cell_values(table, metric, epochs)
            except DatasetError:
                continue
            known = values[~np.isnan(values)]
            row = {"epochs": epochs, "metric": metric, "cells": len(known), "runs": runs}
            row |= describe(known) | {"least": float(known.min()), "most": float(known.max())}
            rows.append(row)
    if not rows:
        raise DatasetError("the table has no metrics")
    return rows_to_arrow(rows, table)
