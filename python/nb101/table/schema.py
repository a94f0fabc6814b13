"""What a table of runs is made of: its columns, what they may hold, and the order of its rows.

The one place that knows the layout: `nb101.table.table` and `nb101.table.files` go by it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

# NumPy imports it when it is first used, and a process forked during that waits for ever.
import numpy.ma
import numpy.typing as npt

from nb101._base.checks import nearest
from nb101.errors import ArgumentError, ArgumentTypeError, DatasetError

if TYPE_CHECKING:
    import pyarrow as pa

Array = npt.NDArray[Any]
Columns = dict[str, Array]
Direction = Literal["min", "max"]
"""Whether less or more of a metric is better."""

STAGES = ("start", "halfway", "final")
FIELDS = ("epoch", "training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
METRICS = FIELDS[1:]
"""What an evaluation measures; the epoch is given by the budget."""
ERRORS = tuple(f"{metric}_{what}" for metric in METRICS for what in ("spread", "uncertainty"))
"""Half-widths that a predicted table has beside its metrics."""
EVALUATIONS = tuple(f"{stage}_{field}" for stage in STAGES for field in FIELDS)
"""Numbers of the three evaluations of a run (section 2.5 of the paper)."""
OFFICIAL = (
    *("cell_id", "epochs", "repeat", "record"),
    *EVALUATIONS,
    *("trainable_parameters", "total_time"),
)
"""The columns that a file of official records fills, in the order of a table."""

KEYS: dict[str, type[np.integer[Any]]] = {
    "cell_id": np.int32,
    "epochs": np.int16,
    "repeat": np.int8,
    "record": np.int32,
}
INTEGERS = KEYS | {"seed": np.int64, "trainable_parameters": np.int32}
RAW = "raw"

MOST_TIME = 1e9
"""Seconds that no run takes."""
MOST_EPOCH = float(np.iinfo(np.int16).max)


def limits_of(name: str) -> tuple[float, float] | None:
    """Return what the values of a column lie within, where they are there; `None` for keys.

    Columns that are not a table's own are free, but for what is no number.
    """
    if name in KEYS or name in ("seed", RAW):
        return None
    if name == "trainable_parameters":
        return 0, float(np.iinfo(INTEGERS[name]).max)
    if name in ERRORS or name == "total_time":
        return 0, MOST_TIME
    if name in EVALUATIONS:
        if name.endswith("_time"):
            return 0, MOST_TIME
        return (0, MOST_EPOCH) if name.endswith("_epoch") else (0, 1)
    return -np.inf, np.inf


def check_metric(name: str, column: Array) -> None:
    """Refuse values that cannot be: negative times, accuracies above 1, infinity.

    Raises
    ------
    DatasetError
        With the first row that has one.
    """
    limits = limits_of(name)
    values = np.ma.filled(column, 0) if is_masked(column) else column
    if limits is None or not len(values) or values.dtype.kind not in "fiu":
        return
    least, most = limits
    # These pass over NaN, and make no arrays of their own.
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    if not (low < least or high > most or np.isinf(low) or np.isinf(high)):
        return
    with np.errstate(invalid="ignore"):
        row = int(((values < least) | (values > most) | np.isinf(values)).argmax())
    wanted = "finite" if np.isinf(least) else f"within {least:g} and {most:g}"
    raise DatasetError(
        f"row {row}: {name} is {values[row]}; it must be {wanted}", index=row, field=name
    )


def metric_column(metric: str, halfway: bool = False) -> str:
    """Name of the column of a metric: ``test_accuracy`` is ``final_test_accuracy``."""
    if not isinstance(metric, str):
        raise ArgumentTypeError(
            f"a metric is named by a string, not by {type(metric).__name__}", field="metric"
        )
    if metric in FIELDS:
        return f"{'halfway' if halfway else 'final'}_{metric}"
    return metric


DIRECTIONS: dict[str, Direction] = {
    **{
        name: "max" if name.endswith("_accuracy") else "min"
        for name in (*METRICS, *EVALUATIONS, *ERRORS)
    },
    **dict.fromkeys(("trainable_parameters", "total_time", "parameters", "flops"), "min"),
}
"""Of the metrics that are known: accuracies are to be high, costs and half-widths low.

That of a column of somebody's own is what they say it is; its name proves nothing.
"""


FOREIGN = {
    **dict.fromkeys(("train_acc", "training_accuracy", "training_acc"), "train_accuracy"),
    **dict.fromkeys(
        ("val_acc", "valid_acc", "val_accuracy", "valid_accuracy", "validation_acc", "validation"),
        "validation_accuracy",
    ),
    **dict.fromkeys(("test_acc", "acc", "accuracy", "test"), "test_accuracy"),
    **dict.fromkeys(
        ("time", "train_time", "train_seconds", "training_seconds", "runtime", "cost"),
        "training_time",
    ),
    **dict.fromkeys(
        ("parameters", "params", "num_params", "n_params", "trainable_params", "num_parameters"),
        "trainable_parameters",
    ),
}
"""What others call the metrics: not understood, but said to be ours by another name."""


def metric_hint(name: str, known: Sequence[str]) -> str:
    """Say of an unknown metric which one may have been meant: a sentence, or nothing."""
    plain = str(name).strip().lower().replace("-", "_").replace(" ", "_")
    if plain.removeprefix("final_").removeprefix("halfway_") in METRICS:
        return ""  # Rightly named: this table lacks it.
    meant = [FOREIGN[plain]] if FOREIGN.get(plain) in known else nearest(plain, known)
    return f"did you mean {meant[0]!r}? " if meant else ""


def check_direction(direction: Any) -> Direction:
    """Return a direction that somebody gave.

    Raises
    ------
    ArgumentError
        If it is neither ``"min"`` nor ``"max"``.
    """
    if isinstance(direction, str):
        if direction == "min":
            return "min"
        if direction == "max":
            return "max"
    raise ArgumentError(
        f"direction must be 'min' or 'max', not {direction!r}: whether less or more is better",
        field="direction",
    )


def check_directions(directions: Any, names: Sequence[str]) -> dict[str, Direction]:
    """Check the directions of a table's own columns, and leave out what is known anyway.

    Raises
    ------
    ArgumentError
        If one is no direction, of no column of `names`, or not that of a known metric.
    """
    if not isinstance(directions, Mapping):
        raise ArgumentError(
            f"directions must be a mapping such as {{'latency': 'min'}}, not {directions!r}",
            field="directions",
        )
    checked: dict[str, Direction] = {}
    for name, given in directions.items():
        direction = check_direction(given)
        known = DIRECTIONS.get(name)
        if known is None and (name not in names or limits_of(name) is None):
            raise ArgumentError(
                f"directions: no column of metrics is called {name!r}", field="directions"
            )
        if known not in (None, direction):
            raise ArgumentError(
                f"directions: {name} is a metric of nb101, whose direction is {known!r}",
                field="directions",
            )
        if known is None:
            checked[name] = direction
    return checked


def is_masked(array: Any) -> bool:
    """Whether an array is a masked one; asked so that NumPy's masks are imported only for them."""
    return type(array) is not np.ndarray and isinstance(array, np.ma.MaskedArray)


def integers(name: str, values: Any, kind: type[np.integer[Any]]) -> Array:
    """Check a column of integers and give it its type."""
    array = _column(name, values)
    if is_masked(array):
        missing = np.ma.getmaskarray(array)
        if missing.any():
            row = int(missing.argmax())
            raise DatasetError(f"row {row}: {name} is missing", index=row, field=name)
        array = np.ma.getdata(array)
    if array.dtype == kind:
        return np.ascontiguousarray(array)
    if array.size == 0:
        return np.zeros(0, dtype=kind)
    if array.dtype.kind == "f":
        wrong = np.flatnonzero(~(np.isfinite(array) & (array == np.rint(array))))
        if wrong.size:
            row = int(wrong[0])
            raise DatasetError(
                f"row {row}: {name} must be a whole number, not {array[row]}", index=row, field=name
            )
    elif array.dtype.kind not in "iu":
        raise DatasetError(f"column {name} must hold whole numbers, not {array.dtype}", field=name)
    limits = np.iinfo(kind)
    for row in (int(array.argmin()), int(array.argmax())):
        if not limits.min <= int(array[row]) <= limits.max:
            raise DatasetError(
                f"row {row}: {name} is {array[row]}; it must lie within {limits.min} and "
                f"{limits.max}",
                index=row,
                field=name,
            )
    return np.ascontiguousarray(array.astype(kind))


def numbers(name: str, values: Any) -> Array:
    """Check a column of numbers: float32 if that loses nothing, else float64."""
    array = _column(name, values)
    if array.dtype == np.float32 and not is_masked(array):
        return np.ascontiguousarray(array)
    if array.dtype.kind not in "fiu" and array.size:
        raise DatasetError(f"column {name} must hold numbers, not {array.dtype}", field=name)
    wide = np.ma.filled(array.astype(np.float64), np.nan)
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
    same = narrow == wide
    if not same.all():
        same |= np.isnan(wide)
    return narrow if same.all() else np.ascontiguousarray(wide)


def seeds(values: Any) -> Array:
    """Check the column of seeds: masked, or NaN among floats, where they are not known."""
    array = _column("seed", values)
    unknown = np.ma.getmaskarray(array)
    if array.dtype.kind == "f":
        unknown = unknown | np.isnan(np.ma.getdata(array))
    if not unknown.any():
        return integers("seed", np.ma.getdata(array), np.int64)
    known = np.zeros(len(array), dtype=np.int64)
    known[~unknown] = integers("seed", np.ma.getdata(array)[~unknown], np.int64)
    return np.ma.MaskedArray(known, mask=unknown)


def _column(name: str, values: Any) -> Array:
    if is_masked(values):
        array: Array = values
    else:
        try:
            array = np.asarray(values)
        except ValueError:
            raise DatasetError(
                f"column {name} must be a flat list of numbers", field=name
            ) from None
    if array.ndim != 1:
        raise DatasetError(f"column {name} must have one dimension, not {array.ndim}", field=name)
    return array


def check_raw(raw: Sequence[tuple[int, bytes]], n: int) -> None:
    """Check the rows of official records that are kept as bytes."""
    try:
        rows = [row for row, _ in raw]
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            "raw must be pairs of a row and the bytes of its record", field=RAW
        ) from None
    if any(not 0 <= row < n for row in rows) or rows != sorted(set(rows)):
        raise DatasetError(f"raw records must have ascending rows from 0 to {n - 1}", field=RAW)


def check_types(arrow: "pa.Table", where: str) -> None:
    """Check that columns have the types that everything else relies on."""
    import pyarrow as pa

    for name in ("cell_id", "epochs", "repeat"):
        if name not in arrow.column_names:
            raise DatasetError(f"{where} is damaged: column {name} is missing", field=name)
    check_names(arrow.column_names, f"{where} is damaged: ")
    for field in arrow.schema:
        kind = field.type
        if field.name in INTEGERS:
            good = kind == pa.from_numpy_dtype(INTEGERS[field.name])
        elif field.name in EVALUATIONS:
            good = pa.types.is_float32(kind) or pa.types.is_float64(kind)
        elif field.name == RAW:
            good = pa.types.is_large_binary(kind)
        else:
            good = pa.types.is_floating(kind) or pa.types.is_integer(kind)
        if not good:
            raise DatasetError(
                f"{where} is damaged: column {field.name} is of type {kind}", field=field.name
            )
        if field.name in KEYS and arrow[field.name].null_count:
            raise DatasetError(
                f"{where} is damaged: column {field.name} lacks values", field=field.name
            )


def check_columns(columns: Mapping[str, Any], size: int) -> Columns:
    """Check columns one by one, and put them in the table's order and types."""
    for name in ("cell_id", "epochs"):
        if name not in columns:
            raise DatasetError(
                f"column {name} is missing; a table needs cell_id and epochs", field=name
            )
    order = (*OFFICIAL[:4], "seed", *OFFICIAL[4:])
    order = (*order, *(name for name in columns if name not in order))
    checked: Columns = {}
    for name, values in columns.items():
        if name == "seed":
            checked[name] = seeds(values)
        elif name in INTEGERS:
            checked[name] = integers(name, values, INTEGERS[name])
        elif name == "total_time":
            checked[name] = numbers(name, values).astype(np.float64)
        else:
            checked[name] = numbers(name, values)
    n = len(checked["cell_id"])
    for name, column in checked.items():
        if len(column) != n:
            raise DatasetError(
                f"column {name} has {len(column):,} rows, and cell_id {n:,}", field=name
            )
    limits: dict[str, tuple[int, int | None]] = dict.fromkeys(KEYS, (0, None))
    limits |= {"cell_id": (0, size - 1), "epochs": (1, None)}
    for name, (least, most) in limits.items():
        column = checked.get(name, np.zeros(0, np.int8))
        wrong = column < least
        if most is not None:
            wrong |= column > most
        if wrong.any():
            row = int(wrong.argmax())
            limit = f"at least {least}" if most is None else f"within {least} and {most}"
            raise DatasetError(
                f"row {row}: {name} is {column[row]}; it must be {limit}", index=row, field=name
            )
    for name, column in checked.items():
        check_metric(name, column)
    if "repeat" not in checked:
        checked["repeat"] = _numbered(checked["epochs"], checked["cell_id"])
    if "record" not in checked and set(EVALUATIONS) <= set(checked):
        checked["record"] = np.arange(n, dtype=np.int32)
    return {name: checked[name] for name in order if name in checked}


def _numbered(epochs: Array, cell_ids: Array) -> Array:
    """Return the repeat of each row: runs of one cell and budget, numbered as they come."""
    if not len(epochs):
        return np.zeros(0, np.int8)
    order = np.lexsort((cell_ids, epochs))
    sorted_epochs, sorted_ids = epochs[order], cell_ids[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (sorted_epochs[1:] != sorted_epochs[:-1]) | (sorted_ids[1:] != sorted_ids[:-1])
    places = np.arange(len(order))
    ranks = places - np.maximum.accumulate(np.where(new, places, 0))
    if ranks.max() > 127:
        row = int(order[int(ranks.argmax())])
        raise DatasetError(
            f"row {row}: cell {cell_ids[row]} has more than 128 runs at {epochs[row]} epochs",
            index=row,
            field="repeat",
        )
    repeats = np.empty(len(order), np.int8)
    repeats[order] = ranks
    return repeats


def row_order(columns: Columns) -> npt.NDArray[np.int64] | None:
    """Return the order of rows by budget, cell and repeat; `None` if they are in it."""
    key = columns["epochs"].astype(np.int64) << 48
    key |= columns["cell_id"].astype(np.int64) << 16
    key |= columns["repeat"]
    if (key[1:] >= key[:-1]).all():
        return None
    return np.argsort(key, kind="stable")


def check_runs(columns: Columns) -> None:
    """Check sorted rows against each other."""
    ids, epochs, repeat = (columns[name] for name in ("cell_id", "epochs", "repeat"))
    twice = (ids[1:] == ids[:-1]) & (epochs[1:] == epochs[:-1]) & (repeat[1:] == repeat[:-1])
    if twice.any():
        row = int(twice.argmax())
        raise DatasetError(
            f"two rows are of one run: cell {ids[row]}, {epochs[row]} epochs, repeat {repeat[row]}",
            field="repeat",
        )
    parameters = columns.get("trainable_parameters")
    if parameters is None or not len(ids):
        return
    seen = np.zeros(int(ids.max()) + 1, dtype=parameters.dtype)
    seen[ids] = parameters
    wrong = seen[ids] != parameters
    if wrong.any():
        row = int(wrong.argmax())
        raise DatasetError(
            f"rows contradict each other: cell {ids[row]} has {parameters[row]:,} trainable "
            f"parameters in one and {seen[ids[row]]:,} in another",
            field="trainable_parameters",
        )


def check_names(names: Sequence[str], where: str = "") -> None:
    """Refuse two columns of one name."""
    for name in names:
        if names.count(name) > 1:
            raise DatasetError(f"{where}two columns are called {name!r}", field=name)
