"""The columns of a table that the explorer shows: one value a cell, computed when first asked for.

Names, units, kinds and types are known before any of them is computed, so that a page can be told
at once what there is.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101.errors import ArgumentError, ArgumentTypeError, UnknownOpError
from nb101.explore.once import Once
from nb101.plain import printable
from nb101.space.cells import Cells
from nb101.space.ops import OPS
from nb101.space.skeleton import Skeleton
from nb101.table import recipes
from nb101.table.about import kind_of, prediction_mark
from nb101.table.schema import ERRORS, METRICS, OFFICIAL, Array, is_masked, metric_column
from nb101.table.table import Table

Floats = npt.NDArray[np.float64]
Kind = Literal["predicted", "measured", "unknown", "exact"]
MOST_ROWS = 2_000_000
"""Cells that a page can show."""
MOST_TITLE = 120
"""Characters of the name of a column of one's own that are shown."""
_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)
_U8 = np.dtype(np.uint8)
_INTEGERS = (np.uint8, np.uint16, np.uint32, np.int32)


@dataclass(frozen=True, kw_only=True)
class Column:
    """What is known of a column before it is computed; `web/src/contract.ts` has the terms.

    Attributes
    ----------
    name
        Unique, and fit for an address: ``validation_accuracy@108``, ``parameters``, ``own:mine``.
    title, short
        For people, with and without the budget.
    metric, group, epochs
        What it is of.
    unit, factor
        Shown is the value times the factor, in the unit: accuracies are fractions, shown in %.
    integer, scale, better
        Whether values are whole; the axis that suits; 1 if more is better, -1 if less, else 0.
    kind
        Of which kind its numbers are; of what follows from the cell alone ``exact``.
    spread, uncertainty
        Names of the columns that say how far runs of a cell lie apart, and how well it is known.
    repeats
        Runs of a cell that it is the mean over, at most; None where there are no runs.
    dtype
        Type of the values.
    make
        Computes them.
    """

    name: str
    title: str
    short: str
    metric: str
    group: Literal["accuracy", "time", "error", "network", "shape", "ops", "own"]
    dtype: np.dtype[Any]
    make: Callable[[], Array] = field(repr=False, compare=False)
    epochs: int | None = None
    unit: Literal["", "%", "s", "pp"] = ""
    factor: float = 1
    integer: bool = False
    scale: Literal["linear", "log"] = "linear"
    better: Literal[1, -1, 0] = 0
    kind: Kind = "exact"
    spread: str | None = None
    uncertainty: str | None = None
    repeats: int | None = None


class Columns(Mapping[str, Column]):
    """All columns of a table by name, in the order in which they are listed.

    Parameters
    ----------
    table
        The table; its rows here are its cells, in the order of `Table.cell_ids`.

    Raises
    ------
    ArgumentError
        If it has no cells, or more than a page can show.
    """

    def __init__(self, table: Table) -> None:
        check_size(table)
        self.table = table
        self.cells = Once(lambda: table.cells)
        self._repeats = {epochs: table.budget(epochs).most for epochs in table.epochs}
        self._costs = Once(self._compute_costs)
        self._shape = Once(lambda: _core.depth_width(*self.cells().words))
        listed = [*self._runs(), *self._network(), *self._shapes(), *self._ops(), *self._own()]
        self._columns = {column.name: column for column in listed}
        self._values = {column.name: Once(partial(_typed, column)) for column in listed}

    def __getitem__(self, name: str) -> Column:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def array(self, name: str) -> Array:
        """Return the values of a column, shape ``(n_cells,)``; computed once, read-only."""
        return self._values[name]()

    def with_own(self, given: Mapping[str, Any]) -> "Columns":
        """Return the same columns, computed but once for both, and columns of somebody's own.

        Parameters
        ----------
        given
            Numbers by name, shape ``(n_cells,)``; NaN, or masked, where there is none.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            If one is no such column; `field` is its name.
        """
        more = Columns.__new__(Columns)
        more.__dict__ |= self.__dict__
        more._columns, more._values = dict(self._columns), dict(self._values)
        taken = set(map(slug, more._columns))
        for name, values in own_arrays(given, self.table.num_cells).items():
            title = printable(name)[:MOST_TITLE]
            key = _free_name(f"own:{slug(name)}", taken)
            column = Column(
                name=key,
                title=title,
                short=title,
                metric=key,
                group="own",
                dtype=values.dtype,
                make=partial(_given, values),
                integer=values.dtype.kind in "iu",
                kind="unknown",
            )
            more._columns[key] = column
            more._values[key] = Once(partial(_typed, column))
        return more

    # What runs have measured, or predictions say

    @property
    def kind(self) -> Kind:
        """Of which kind the runs are; what is predicted in part counts as predicted."""
        about = self.table.provenance
        if prediction_mark(about):
            return "predicted"
        return "measured" if kind_of(about) == "measured" else "unknown"

    def _runs(self) -> Iterator[Column]:
        table = self.table
        errors: list[Column] = []
        for epochs in table.epochs:
            for metric in ("validation_accuracy", "test_accuracy", "train_accuracy"):
                if metric_column(metric) in table.columns:
                    yield self._metric(metric, epochs, errors)
        for epochs in table.epochs:
            if metric_column("training_time") in table.columns:
                yield self._metric("training_time", epochs, errors)
        yield from errors

    def _metric(self, metric: str, epochs: int, errors: list[Column]) -> Column:
        """Return the column of a metric at a budget; those of its errors go to a list."""
        repeats = self._repeats[epochs]
        is_time = metric == "training_time"
        words = metric.replace("_", " ")
        names: dict[str, str | None] = {"spread": None, "uncertainty": None}
        for place, what in enumerate(names):
            source = f"{metric}_{what}"
            if source in self.table.columns:
                word, make = what, partial(self._mean, source, epochs)
                dtype = self._dtype(source, repeats)
            elif repeats > 1:
                word = ("standard deviation", "standard error")[place]
                make, dtype = partial(self._deviation, metric, epochs, place), _F64
            else:
                continue
            names[what] = f"{source}@{epochs}"
            errors.append(
                Column(
                    name=f"{source}@{epochs}",
                    title=f"{word} of {words}, {_epochs(epochs)}",
                    short=f"{word} of {words}",
                    metric=source,
                    group="error",
                    dtype=dtype,
                    make=make,
                    epochs=epochs,
                    unit="s" if is_time else "pp",
                    factor=1 if is_time else 100,
                    better=-1,
                    kind=self.kind,
                    repeats=repeats,
                )
            )
        return Column(
            name=f"{metric}@{epochs}",
            title=f"{words}, {_epochs(epochs)}",
            short=words,
            metric=metric,
            group="time" if is_time else "accuracy",
            dtype=self._dtype(metric_column(metric), repeats),
            make=partial(self._mean, metric, epochs),
            epochs=epochs,
            unit="s" if is_time else "%",
            factor=1 if is_time else 100,
            scale="log" if is_time else "linear",
            better=-1 if is_time else 1,
            kind=self.kind,
            spread=names["spread"],
            uncertainty=names["uncertainty"],
            repeats=repeats,
        )

    def _dtype(self, column: str, repeats: int) -> np.dtype[Any]:
        """Return the type of means: float32 where they are numbers of that type themselves."""
        return _F32 if repeats == 1 and self.table.dtype(column) == _F32 else _F64

    def _mean(self, metric: str, epochs: int) -> Array:
        return self.table.mean(metric, epochs)

    def _deviation(self, metric: str, epochs: int, place: int) -> Array:
        return deviations(self.table.values(metric, epochs))[place]

    # What follows from the cell

    @property
    def _skeleton(self) -> Skeleton | None:
        """The network of the runs; that of NAS-Bench-101 where no recipe is named."""
        found = recipes.skeleton_of(self.table.provenance)
        return (
            Skeleton() if found is None and not recipes.is_named(self.table.provenance) else found
        )

    def _compute_costs(self) -> tuple[Array, Array]:
        skeleton = self._skeleton
        assert skeleton is not None
        cells: Cells = self.cells()
        return _core.costs(*cells.words, list(cells.op_names), skeleton.sizes)

    def _has_costs(self) -> bool:
        if self._skeleton is None:
            return False
        if set(self.table.space.ops) <= set(OPS):
            return True
        try:
            self._costs()
        except UnknownOpError:
            return False
        return True

    def _network(self) -> Iterator[Column]:
        known = self._has_costs()
        cost = partial(Column, group="network", integer=True, scale="log", better=-1)
        make: Callable[[], Array]
        dtype: np.dtype[Any]
        if "trainable_parameters" in self.table.columns:
            make, dtype = self._counted, np.dtype(np.uint32)
        elif known:
            # Those of NAS-Bench-101 have at most 50 million.
            dtype = np.dtype(np.uint32) if self._skeleton == Skeleton() else _F64
            make = self._parameters
        if known or "trainable_parameters" in self.table.columns:
            title = "parameters"
            yield cost(name=title, title=title, short=title, metric=title, dtype=dtype, make=make)
        if known:
            yield cost(
                name="flops",
                title="FLOPs",
                short="FLOPs",
                metric="flops",
                dtype=_F64,
                make=lambda: self._costs()[1],
            )

    def _parameters(self) -> Array:
        return self._costs()[0]

    def _counted(self) -> Array:
        """Return what the table's own column counts: all rows of a cell agree."""
        table = self.table
        found = np.zeros(table.num_cells, dtype=np.uint32)
        counts = table.column("trainable_parameters")
        found[np.searchsorted(table.cell_ids, table.column("cell_id"))] = counts
        return found

    def _shapes(self) -> Iterator[Column]:
        makers: dict[str, Callable[[], Array]] = {
            "vertices": lambda: self.cells().vertices,
            "edges": lambda: self.cells().num_edges,
            "depth": lambda: self._shape()[0],
            "width": lambda: self._shape()[1],
        }
        for name, make in makers.items():
            yield Column(
                name=name,
                title=name,
                short=name,
                metric=name,
                group="shape",
                dtype=_U8,
                make=make,
                integer=True,
            )

    def _ops(self) -> Iterator[Column]:
        taken: set[str] = set()
        for code, op in enumerate(self.table.space.ops):
            title = f"count of {printable(op)[:MOST_TITLE]}"
            name = _free_name(f"op:{slug(op)}", taken)
            yield Column(
                name=name,
                title=title,
                short=title,
                metric=name,
                group="ops",
                dtype=_U8,
                make=partial(self._count, code),
                integer=True,
            )

    def _count(self, code: int) -> Array:
        return op_counts(self.cells(), code)

    # Columns of the table that are nobody else's

    def _own(self) -> Iterator[Column]:
        known = {*OFFICIAL, *ERRORS, *METRICS, "seed"}
        taken: set[str] = set()
        for metric in self.table.metrics:
            if metric in known:
                continue
            title = printable(metric)[:MOST_TITLE]
            better = {"max": 1, "min": -1}.get(self.table.directions.get(metric, ""), 0)
            for epochs in self.table.epochs:
                repeats = self._repeats[epochs]
                yield Column(
                    name=_free_name(f"own:{slug(metric)}@{epochs}", taken),
                    title=f"{title}, {_epochs(epochs)}",
                    short=title,
                    metric=f"own:{slug(metric)}",
                    group="own",
                    dtype=self._dtype(metric, repeats),
                    make=partial(self._mean, metric, epochs),
                    epochs=epochs,
                    better=better,  # type: ignore[arg-type]
                    kind=self.kind,
                    repeats=repeats,
                )


def columns_of(table: Table) -> Columns:
    """Return the columns of a table, which it keeps: several pages have them but once."""
    return table.keep("explore", lambda: Columns(table))


def check_size(table: Table) -> None:
    """Refuse tables that no page can show.

    Raises
    ------
    ArgumentError
        If it has no cells, or too many.
    """
    if not len(table):
        raise ArgumentError("the table has no runs: there is nothing to explore", field="table")
    if table.num_cells > MOST_ROWS:
        raise ArgumentError(
            f"the explorer shows tables of up to {MOST_ROWS:,} cells, and this one has "
            f"{table.num_cells:,}: explore a part of it, such as table.select(...) makes",
            field="table",
        )


def deviations(values: Array) -> tuple[Floats, Floats]:
    """Return the standard deviation of each cell's runs, and the standard error of their mean.

    Shapes ``(n_cells,)``; NaN where there are fewer than two runs with a value.
    """
    total, count, squares = (np.zeros(len(values)) for _ in range(3))
    for repeat in values.T:
        there = ~np.isnan(repeat)
        total += np.where(there, repeat, 0)
        count += there
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
        for repeat in values.T:
            squares += np.where(np.isnan(repeat), 0, (repeat - mean) ** 2)
        variance = np.where(count > 1, squares / (count - 1), np.nan)
        return np.sqrt(variance), np.sqrt(variance / count)


def op_counts(cells: Cells, code: int) -> npt.NDArray[np.uint8]:
    """Return how often each cell has an op; shape ``(n,)``."""
    counts: npt.NDArray[np.uint8] = (cells.operations() == code).sum(axis=1, dtype=np.uint8)
    return counts


def own_arrays(given: Mapping[str, Any], cells: int) -> dict[str, Array]:
    """Check columns of somebody's own, and give each the smallest type that holds it exactly.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        If one is not numbers of shape ``(n_cells,)``; `field` is its name.
    """
    if not isinstance(given, Mapping):
        raise ArgumentTypeError(
            f"columns must be arrays by name, not {type(given).__name__}", field="columns"
        )
    found = {}
    for name, values in given.items():
        if not isinstance(name, str) or not name.strip():
            raise ArgumentTypeError(
                f"a column's name is a string that is not empty, not {name!r}", field="columns"
            )
        found[name] = _own_array(name, values, cells)
    return found


def _own_array(name: str, values: Any, cells: int) -> Array:
    try:
        array = values if is_masked(values) else np.asarray(values)
    except (TypeError, ValueError):
        raise ArgumentTypeError(f"column {name!r} must be a flat array", field=name) from None
    if array.shape != (cells,):
        raise ArgumentError(
            f"column {name!r} must have a value for each of the {cells:,} cells of the table, in "
            f"the order of its cell_ids, not shape {array.shape}",
            field=name,
        )
    if array.dtype.kind not in "biuf":
        raise ArgumentTypeError(f"column {name!r} must hold numbers, not {array.dtype}", field=name)
    if is_masked(array):
        array = np.ma.filled(array.astype(np.float64), np.nan)
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind in "iu":
        least, most = int(array.min()), int(array.max())
        for kind in _INTEGERS:
            limits: np.iinfo[Any] = np.iinfo(kind)
            if limits.min <= least and most <= limits.max:
                return array.astype(kind)
    wide = array.astype(np.float64)
    if np.isinf(wide).any():
        row = int(np.isinf(wide).argmax())
        raise ArgumentError(f"column {name!r} is infinite at cell {row}: use NaN", field=name)
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
    return narrow if np.array_equal(narrow, wide, equal_nan=True) else wide


def slug(name: str) -> str:
    """Return a name of characters that addresses and file names have everywhere."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", name)[:64].strip("-.").lower() or "unnamed"


def _free_name(name: str, taken: set[str]) -> str:
    """Return a name whose slug no other column has, and take it."""
    free, number = name, 1
    while slug(free) in taken:
        number += 1
        free = f"{name[: 64 - 8]}-{number}"
    taken.add(slug(free))
    return free


def _epochs(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"


def _given(values: Array) -> Array:
    return values


def _typed(column: Column) -> Array:
    """Compute a column, in its type; there is one NaN, and no negative zero."""
    values = column.make()
    if column.dtype.kind == "f":
        values = values.astype(column.dtype) + column.dtype.type(0)
        values[np.isnan(values)] = math.nan
    else:
        values = values.astype(column.dtype)
    values.flags.writeable = False
    return values
