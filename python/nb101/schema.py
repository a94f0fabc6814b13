"""What a table of runs is made of: its columns, their types, and what is written about it.

The one place that knows the layout: `nb101.table` reads and writes by it.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101.errors import DatasetError, NB101Error
from nb101.space import SearchSpace

Array = npt.NDArray[Any]
Columns = dict[str, Array]

FORMAT = 1
"""Version of the layout; files of a newer one are refused."""
METADATA_KEY = b"nb101"
"""Entry of the Arrow schema's metadata: JSON with format, version, space, provenance, checksums."""

STAGES = ("start", "halfway", "final")
FIELDS = ("epoch", "training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
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


def metric_column(metric: str, halfway: bool = False) -> str:
    """Name of the column of a metric: ``test_accuracy`` is ``final_test_accuracy``."""
    if metric in FIELDS:
        return f"{'halfway' if halfway else 'final'}_{metric}"
    return metric


def lower_is_better(metric: str) -> bool:
    """Whether less of a metric is better: costs, in contrast to accuracies."""
    return metric.endswith(("_time", "parameters", "epoch", "flops", "spread"))


def integers(name: str, values: Any, kind: type[np.integer[Any]]) -> Array:
    """Check a column of integers and give it its type."""
    array = _column(name, values)
    if isinstance(array, np.ma.MaskedArray):
        missing = np.ma.getmaskarray(array)
        if missing.any():
            raise DatasetError(f"row {int(missing.argmax())}: {name} is missing")
        array = np.ma.getdata(array)
    if array.dtype == kind:
        return np.ascontiguousarray(array)
    if array.size == 0:
        return np.zeros(0, dtype=kind)
    if array.dtype.kind == "f":
        wrong = np.flatnonzero(~(np.isfinite(array) & (array == np.rint(array))))
        if wrong.size:
            row = int(wrong[0])
            raise DatasetError(f"row {row}: {name} must be a whole number, not {array[row]}")
    elif array.dtype.kind not in "iu":
        raise DatasetError(f"column {name} must hold whole numbers, not {array.dtype}")
    limits = np.iinfo(kind)
    for row in (int(array.argmin()), int(array.argmax())):
        if not limits.min <= int(array[row]) <= limits.max:
            raise DatasetError(
                f"row {row}: {name} is {array[row]}; it must lie within {limits.min} and "
                f"{limits.max}"
            )
    return np.ascontiguousarray(array.astype(kind))


def numbers(name: str, values: Any) -> Array:
    """Check a column of numbers: float32 if that loses nothing, else float64."""
    array = _column(name, values)
    if array.dtype == np.float32 and not isinstance(array, np.ma.MaskedArray):
        return np.ascontiguousarray(array)
    if array.dtype.kind not in "fiu" and array.size:
        raise DatasetError(f"column {name} must hold numbers, not {array.dtype}")
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
    if isinstance(values, np.ma.MaskedArray):
        array: Array = values
    else:
        try:
            array = np.asarray(values)
        except ValueError:
            raise DatasetError(f"column {name} must be a flat list of numbers") from None
    if array.ndim != 1:
        raise DatasetError(f"column {name} must have one dimension, not {array.ndim}")
    return array


def describe_space(space: SearchSpace) -> dict[str, Any]:
    """Say in JSON which space ids are of."""
    return {
        "max_vertices": space.max_vertices,
        "max_edges": space.max_edges,
        "ops": list(space.ops),
    }


def pack_metadata(
    space: SearchSpace, provenance: Mapping[str, Any], checksums: Mapping[str, int]
) -> dict[bytes, bytes]:
    """Metadata of the Arrow schema."""
    from nb101 import __version__

    about = {
        "format": FORMAT,
        "version": __version__,
        "space": describe_space(space),
        "provenance": dict(provenance),
        "checksums": dict(checksums),
    }
    return {METADATA_KEY: json.dumps(about).encode()}


def unpack_metadata(
    metadata: Mapping[bytes, bytes] | None, where: str
) -> tuple[SearchSpace, dict[str, Any], dict[str, int]]:
    """Read the metadata of the Arrow schema: space, provenance, checksums.

    Raises
    ------
    DatasetError
        If it is not that of a table of runs, or of a newer format.
    """
    text = (metadata or {}).get(METADATA_KEY)
    if text is None:
        raise DatasetError(
            f"{where} is no table of nb101: the entry 'nb101' of its schema's metadata is missing; "
            "for columns of your own see Table.from_arrow and Table.from_columns"
        )
    try:
        about = json.loads(text)
        version = about.get("format")
        if version is None:
            raise DatasetError(f"{where} holds cells and no runs: it is no table of metrics")
        if not isinstance(version, int) or version > FORMAT:
            raise DatasetError(
                f"{where} has format {version!r}, and this nb101 reads up to {FORMAT}: "
                "upgrade with pip install -U nb101"
            )
        limits = about["space"]
        space = SearchSpace(limits["max_vertices"], limits["max_edges"], limits["ops"])
        provenance = about["provenance"]
        checksums = about.get("checksums", {})
        if not isinstance(provenance, dict) or not isinstance(checksums, dict):
            raise TypeError
    except DatasetError:
        raise
    except (NB101Error, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DatasetError(f"{where}: the metadata of the table is damaged") from None
    return space, provenance, checksums
