"""What the statistics share: means of cells, and Arrow tables of their numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb101._base.checks import iterated
from nb101.analysis.paper import NAMED_CELLS
from nb101.errors import ArgumentTypeError, DatasetError, UnknownOpError
from nb101.plain import counted
from nb101.space.skeleton import Skeleton
from nb101.table import recipes
from nb101.table.about import KIND, UNKNOWN, kind_of
from nb101.table.schema import Direction, metric_column
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Levels of the quantiles that distributions are described by."""
COMPUTED = ("parameters", "flops")
"""What can be computed of cells without any run: trainable parameters, multiply-accumulates."""

WIDTH = 88
"""Characters of a line of a printed result."""
LONGEST = 8
"""Entries of an array or a collection up to which they are printed, and not only counted."""


class Short:
    """What prints itself in a few lines: of long columns, shape and type."""

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}("]
        for each in fields(self):  # type: ignore[arg-type]
            word = f"{each.name}={_brief(getattr(self, each.name))}, "
            if len(lines[-1]) + len(word) > WIDTH and lines[-1].strip():
                lines.append("    ")
            lines[-1] += word
        return "\n".join(line.rstrip() for line in lines).rstrip(",") + ")"


def _brief(value: Any) -> str:
    if isinstance(value, np.ndarray):
        if value.ndim == 1 and len(value) <= LONGEST:
            written = (f"{x:.6g}" if isinstance(x, float) else str(x) for x in value.tolist())
            return f"[{', '.join(written)}]"
        return f"<{' x '.join(map(str, value.shape))} {value.dtype}>"
    if isinstance(value, (tuple, list, dict)) and len(repr(value)) > WIDTH:
        return f"<{counted(len(value), 'entry', 'entries')}>"
    return repr(value)


@dataclass(frozen=True, kw_only=True, repr=False)
class Result(Short):
    """A statistic of a table: columns that say of which kind the numbers are that they are of."""

    kind: str = UNKNOWN
    """That of the table: ``"measured"``, ``"predicted"``, ``"mixed"``..."""

    def to_arrow(self) -> "pa.Table":
        """Return the columns as an Arrow table, with the kind in its metadata."""
        raise NotImplementedError

    def _to_arrow(self, columns: dict[str, Any]) -> "pa.Table":
        return to_arrow(columns, self.kind)


def check_table(table: Any) -> None:
    """Check that something is a table.

    Raises
    ------
    ArgumentTypeError
        If it is none; `field` is ``"table"``.
    """
    if not isinstance(table, Table):
        raise ArgumentTypeError(
            f"table must be a Table, such as load_table() gives, not {type(table).__name__}",
            field="table",
        )


def check_names(name: str, values: Any) -> tuple[str, ...]:
    """Return names as a tuple; one may be given by itself.

    Raises
    ------
    ArgumentTypeError
        If they are no names; `field` is that of the argument.
    """
    names = None if isinstance(values, bytes) else iterated(values)
    if isinstance(values, str) or names is None:
        names = [values]
    if not all(isinstance(each, str) for each in names):
        raise ArgumentTypeError(f"{name} must be names of metrics, not {values!r}", field=name)
    return tuple(names)


def budget_of(table: Table, epochs: int | None) -> int:
    """Return a budget of the table: that asked for, or the largest.

    Raises
    ------
    MissingRunError
        If the table has no run of it.
    """
    return table.budget_or_largest(epochs).epochs


def cell_values(
    table: Table, metric: str, epochs: int | None = None, *, halfway: bool = False
) -> Floats:
    """Return a metric of each cell: the mean over its repeats, or what is computed of the cell.

    Parameters
    ----------
    table
        The table.
    metric
        A metric of the table, as `Table.values` takes it; ``"parameters"`` or ``"flops"``: a column
        of the table, or computed for the network that its provenance names.
    epochs, halfway
        As in `Table.values`.

    Returns
    -------
    Array of shape ``(n_cells,)``, in the order of `Table.cell_ids`; NaN where there is no run.

    Raises
    ------
    DatasetError
        If the table has no such metric, or no value of it at this budget; or what is to be computed
        is of a network that is not known.
    """
    check_table(table)
    if not isinstance(metric, str):
        raise ArgumentTypeError(f"metric must be a name, not {metric!r}", field="metric")
    if metric == "parameters":
        # What is counted of a network goes by one name here, and by another in official records.
        metric = metric if metric in table.columns else "trainable_parameters"
    if metric in ("trainable_parameters", "flops") and metric not in table.columns:
        cells = table.cells
        skeleton = skeleton_of(table)
        counts = cells.flops(skeleton) if metric == "flops" else cells.parameters(skeleton)
        return counts.astype(np.float64)
    if metric == "trainable_parameters":
        return _of_cells(table, table.column(metric))
    means = table.mean(metric, epochs, halfway=halfway)
    if np.isnan(means).all():
        stage = "halfway" if halfway else "final"
        raise DatasetError(
            f"no run at {in_epochs(budget_of(table, epochs))} has a value of {stage} {metric}"
        )
    return means


def sign_of(direction: Direction) -> float:
    """Return what makes more of a metric better: -1 where less of it is."""
    return -1.0 if direction == "min" else 1.0


def skeleton_of(table: Table) -> Skeleton:
    """Return the network around the cells that the runs of a table are of.

    It is that of the recipe in the provenance; where that names none, but the table has the
    parameters of its cells, that of NAS-Bench-101, if these are its.

    Raises
    ------
    DatasetError
        If it is not known, or the parameters in the table are not those of the recipe.
    """
    found = recipes.skeleton_of(table.provenance)
    given = "trainable_parameters" in table.columns and len(table) > 0
    if found is None and not given:
        raise DatasetError(
            "parameters and multiply-accumulates of cells are not known: the table has no column "
            "of them, and its provenance does not say of which network its runs are"
        )
    try:
        counts = table.cells.parameters(found)
    except UnknownOpError as error:
        raise DatasetError(
            f"parameters and multiply-accumulates of cells cannot be computed: {error}"
        ) from None
    if given and (_of_cells(table, table.column("trainable_parameters")) != counts).any():
        which = "of the recipe in its provenance" if found else "of NAS-Bench-101"
        raise DatasetError(
            "multiply-accumulates of cells are not known: the table's trainable parameters are not "
            f"those of the network {which}"
        )
    return Skeleton() if found is None else found


def _of_cells(table: Table, column: Array) -> Floats:
    """Return what a column says of each cell, of which all of its rows say the same."""
    values = np.full(table.num_cells, np.nan)
    first, after = table.budget_or_largest(None).many_rows(table.cell_ids)
    if (after > first).all():
        # No search: 6 ms for the four budgets of NAS-Bench-101, 45 ms with one.
        values[:] = column[after - 1]
    else:
        values[np.searchsorted(table.cell_ids, table.column("cell_id"))] = column
    return values


def has_metric(
    table: Table, metric: str, epochs: int | None = None, *, halfway: bool = False
) -> bool:
    """Whether a table has a metric: a column of it, and at a budget, if given, a value there.

    Raises
    ------
    MissingRunError
        If the table has no run at `epochs`.
    """
    if metric in COMPUTED and metric not in table.columns:
        try:
            cell_values(table, metric)
        except DatasetError:
            return False
        return True
    if metric_column(metric, halfway) not in table.columns:
        return False
    return epochs is None or not np.isnan(table.values(metric, epochs, halfway=halfway)).all()


def rows_with_all(columns: dict[str, Floats], epochs: int) -> npt.NDArray[np.intp]:
    """Return the rows where each of some metrics is known, ascending.

    Parameters
    ----------
    columns
        Metrics by name, each of shape ``(n_cells,)``.
    epochs
        Their budget, for the message.

    Raises
    ------
    DatasetError
        If there is no such row.
    """
    known = ~np.isnan(np.stack(list(columns.values()))).any(axis=0)
    if not known.any():
        *others, last = (name.replace("_", " ") for name in columns)
        both = "both" if len(others) == 1 else "all of"
        raise DatasetError(
            f"no cell has {both} {', '.join(others)} and {last} at {in_epochs(epochs)}"
        )
    return np.flatnonzero(known)


def describe(values: Array) -> dict[str, float]:
    """Mean, standard deviation (of the population), and quantiles of numbers; NaN is left out."""
    known = np.asarray(values, dtype=np.float64)
    unknown = np.isnan(known)
    if unknown.any():
        known = known[~unknown]
    if not len(known):
        return dict.fromkeys(("mean", "sd", *map(quantile_name, QUANTILES)), float("nan"))
    found = quantiles(np.sort(known), QUANTILES)
    return {
        "mean": float(known.mean()),
        "sd": float(known.std()),
        **{quantile_name(q): x for q, x in zip(QUANTILES, found, strict=True)},
    }


def quantiles(ascending: Floats, levels: Sequence[float]) -> list[float]:
    """Return quantiles of sorted numbers, without NaN, as `numpy.quantile` has them.

    That one partitions what it is given once a level: of 1.5 million numbers that are in no order
    five levels take 26 ms, a sort 9.
    """
    found = []
    for level in levels:
        place = (len(ascending) - 1) * level
        before = math.floor(place)
        low, high = ascending[before], ascending[min(before + 1, len(ascending) - 1)]
        share, step = place - before, high - low
        # The nearer of the two is exact where the share is.
        found.append(float(low + step * share if share < 0.5 else high - step * (1 - share)))
    return found


def stable_order(values: Floats) -> npt.NDArray[np.intp]:
    """Return the order of numbers, equal ones as they come: that of a stable `numpy.argsort`.

    NumPy sorts whole numbers in vectors, and floats stably by merging. So what single precision
    holds, such as the accuracy of one run, is sorted as a whole number with its row behind it
    (423,624 accuracies: 7 ms, was 28).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype(np.float32)
    # NaN is equal to nothing.
    if len(values) >> 32 or not (single == values).all():
        return np.argsort(values, kind="stable")
    # One zero of two; then of negative numbers all bits are turned, of others the sign.
    bits = (single + np.float32(0)).view(np.uint32)
    bits ^= (bits.view(np.int32) >> 31).view(np.uint32) | np.uint32(1 << 31)
    keys = bits.astype(np.uint64) << np.uint64(32)
    keys |= np.arange(len(values), dtype=np.uint64)
    keys.sort()
    return (keys & np.uint64(2**32 - 1)).astype(np.intp)


def in_epochs(epochs: int) -> str:
    """Write a budget: ``1 epoch``, ``108 epochs``."""
    return counted(epochs, "epoch")


def quantile_name(level: float) -> str:
    """Name of the column of a quantile: ``q05``."""
    return f"q{round(100 * level):02d}"


def to_arrow(columns: dict[str, Any], of: Table | str) -> "pa.Table":
    """Make an Arrow table of columns of one length.

    Its metadata have the kind of the numbers, in the entry that those of `Table.to_arrow` have it
    in: that of the table that they are of, or a word.
    """
    import pyarrow as pa

    kind = of if isinstance(of, str) else kind_of(of.provenance)
    arrays = {
        name: values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(values)
        for name, values in columns.items()
    }
    return pa.table(arrays, metadata={KIND: kind})


def kind_in(columns: "pa.Table") -> str:
    """Return of which kind the numbers of columns are, as `to_arrow` has said it of them."""
    return str(columns.schema.metadata[KIND.encode()].decode())


def rows_to_arrow(rows: Sequence[dict[str, Any]], of: Table | str) -> "pa.Table":
    """Make an Arrow table of rows, at least one, that have the same names in the same order."""
    return to_arrow({name: [row[name] for row in rows] for name in rows[0]}, of)


def rows_of(table: Table, cell_ids: Array) -> Ints:
    """Return the row of each cell among `Table.cell_ids`; -1 where the table does not have it."""
    known = table.cell_ids
    if len(known) == len(table.space):
        return cell_ids.astype(np.int64)
    rows = np.searchsorted(known, cell_ids)
    found = known[np.minimum(rows, len(known) - 1)] == cell_ids
    return np.where(found, rows, -1)


def named_rows(table: Table) -> dict[str, int]:
    """Return the row among `Table.cell_ids` of each of `NAMED_CELLS` that the table has."""
    names = {name: cell for name, cell in NAMED_CELLS.items() if cell in table.space}
    if not names:
        return {}
    ids = np.array([table.space.index(cell) for cell in names.values()], dtype=np.int64)
    rows = rows_of(table, ids)
    return {name: int(row) for name, row in zip(names, rows, strict=True) if row >= 0}
