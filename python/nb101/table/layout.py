"""How the rows of a table lie: which are of which budget and cell, and whether each cell has all.

Rows are in the order of budget, cell and repeat. So the rows of one budget are a slice, and where
each cell has the same number of runs, a metric is a matrix of cells by repeats without a copy.
"""

from collections.abc import Iterable

import numpy as np

from nb101._base.lazy import cached_property
from nb101.errors import DatasetError, MissingRunError
from nb101.space.lookup import Ids
from nb101.space.search_space import SearchSpace
from nb101.table.budget import Budget
from nb101.table.files import Raw
from nb101.table.schema import (
    KEYS,
    Array,
    Columns,
    check_columns,
    check_metric,
    check_runs,
    row_order,
)
from nb101.table.sources import ColumnSource


def in_order(columns: Columns, raw: Raw) -> tuple[Columns, Raw]:
    """Return columns, and the bytes of official records by row, in the order of a table's rows."""
    order = row_order(columns)
    if order is None:
        return columns, raw
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    moved = sorted((int(position[row]), record) for row, record in raw)
    return {name: column[order] for name, column in columns.items()}, moved


class Layout:
    """The layout of the rows of a source, which is found out as it is asked for."""

    def __init__(self, source: ColumnSource) -> None:
        self._source = source
        self._repeats: dict[int, tuple[int, bool]] = {}

    @cached_property
    def budgets(self) -> dict[int, Budget]:
        """All budgets, ascending, and their rows."""
        epochs, ids = self._source.column("epochs"), self._source.column("cell_id")
        budgets: dict[int, Budget] = {}
        start = 0
        while start < len(epochs):
            value = epochs[start]
            stop = start + int(np.searchsorted(epochs[start:], value, side="right"))
            if stop == start or int(value) in budgets:
                raise self._not_in_order()
            budgets[int(value)] = Budget(int(value), start, stop, ids)
            start = stop
        return budgets

    @cached_property
    def cell_ids(self) -> Ids:
        """Ids of all cells that have a run, ascending."""
        ids: Ids = np.zeros(0, dtype=np.int64)
        for budget in self.budgets.values():
            others = budget.cell_ids()
            if not np.array_equal(ids, others):
                ids = np.union1d(ids, others) if len(ids) else others
        ids.flags.writeable = False
        return ids

    def budget(self, epochs: int) -> Budget:
        """Return the rows of a budget; see `Table.budget`."""
        try:
            return self.budgets[epochs]
        except (KeyError, TypeError):
            known = ", ".join(map(str, self.budgets)) or "none: it is empty"
            message = f"the table has no runs at {epochs!r} epochs; its budgets are {known}"
            raise MissingRunError(message, field="epochs") from None

    def budget_or_largest(self, epochs: int | None) -> Budget:
        """Return the rows of a budget, or of the largest one; see `Table.budget_or_largest`."""
        if epochs is not None:
            return self.budget(epochs)
        if not self.budgets:
            raise MissingRunError("the table has no runs")
        return self.budgets[max(self.budgets)]

    def by_repeat(self, column: Array, budget: Budget) -> Array:
        """Return a column's rows of a budget as cells by repeats, NaN where there is no run."""
        values = column[budget.start : budget.stop]
        repeats, complete = self._repeats_at(budget)
        if complete:
            return values.reshape(len(self.cell_ids), repeats)
        kind = values.dtype if values.dtype.kind == "f" else np.float64
        filled = np.full((len(self.cell_ids), repeats), np.nan, dtype=kind)
        rows = np.searchsorted(self.cell_ids, budget.ids)
        try:
            filled[rows, self._repeat(budget)] = values
        except IndexError:
            raise self._not_in_order() from None
        return filled

    def _repeat(self, budget: Budget) -> Array:
        return self._source.column("repeat")[budget.start : budget.stop]

    def _repeats_at(self, budget: Budget) -> tuple[int, bool]:
        """Return the number of repeats at a budget, and whether every cell has them all."""
        found = self._repeats.get(budget.epochs)
        if found is None:
            repeat = self._repeat(budget)
            repeats = int(repeat.max()) + 1
            shape = (len(self.cell_ids), repeats)
            complete = len(repeat) == shape[0] * repeats
            if complete:
                ids = budget.ids.reshape(shape) == self.cell_ids[:, np.newaxis]
                numbered = repeat.reshape(shape) == np.arange(repeats, dtype=repeat.dtype)
                complete = bool(ids.all() and numbered.all())
            found = self._repeats[budget.epochs] = (repeats, complete)
        return found

    def verify(self, space: SearchSpace, metrics: Iterable[str], most: int | None = None) -> None:
        """Check the order of rows, and the range of what they are sorted by and of metrics.

        Of a table with more rows than `most`, only some are looked at, evenly spread, and no
        metrics.

        Parameters
        ----------
        space
            What ids are of.
        metrics
            Names of the columns that hold metrics.
        most
            Rows up to which all are looked at; without it always.
        """
        source = self._source
        keys = {name: source.column(name) for name in KEYS if name in source.names}
        sampled = most is not None and source.rows > most
        if sampled:
            # Few, since each look at a mapped file brings in the pages around it.
            some = np.linspace(0, source.rows - 1, 32).astype(np.int64)
            keys = {name: column[some] for name, column in keys.items() if name != "record"}
        where = source.path or "the table"
        try:
            check_columns(keys, space.count().total)
            check_runs(keys)
            if not sampled:
                for name in metrics:
                    check_metric(name, source.column(name))
        except DatasetError as error:
            # A row of a sample has another number.
            what = "; see Table.verify" if sampled else f": {error}"
            raise DatasetError(f"{where} is damaged{what}", path=source.path) from None
        if row_order(keys) is not None:
            raise self._not_in_order()

    def _not_in_order(self) -> DatasetError:
        where = self._source.path or "the table"
        return DatasetError(
            f"{where}: its rows are not in order, which is by budget, cell and repeat; "
            "Table.from_arrow puts them in order",
            path=self._source.path,
        )
