"""Tables of other libraries, in and out: Arrow, polars and pandas.

pandas keeps what is said of a table in ``attrs``, which few of its operations carry on, and polars
has no room for it: so rows that were predicted say so themselves, in a column ``kind``.
"""

import importlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nb101.errors import ArgumentTypeError, DatasetError, MissingExtraError
from nb101.table import files
from nb101.table.about import KIND, METADATA_KEY, kind_of, prediction_mark
from nb101.table.schema import RAW

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


def read(table: Any) -> tuple["pa.Table", Mapping[bytes, bytes]]:
    """Return what speaks Arrow as a table of pyarrow, and the metadata that came with it."""
    import pyarrow as pa

    if isinstance(table, pa.Table):
        arrow = table
    else:
        try:
            arrow = pa.table(table)
        except (TypeError, ValueError, pa.ArrowException) as error:
            raise ArgumentTypeError(
                f"from_arrow takes an Arrow, polars or pandas table, not {type(table).__name__}"
            ) from error
    return arrow, _metadata_of(table, arrow)


def _metadata_of(table: Any, arrow: "pa.Table") -> Mapping[bytes, bytes]:
    """Return the metadata of an Arrow table, or what `to_pandas` has put beside a frame."""
    metadata = dict(arrow.schema.metadata or {})
    attrs = getattr(table, "attrs", None)
    if METADATA_KEY not in metadata and isinstance(attrs, dict) and "nb101" in attrs:
        try:
            metadata[METADATA_KEY] = json.dumps(attrs["nb101"]).encode()
        except (TypeError, ValueError):
            raise DatasetError("attrs['nb101'] of the frame is damaged") from None
    return metadata


def to_pandas(arrow: "pa.Table", provenance: Mapping[str, Any]) -> "pd.DataFrame":
    """Return a table of runs as a frame, with its metadata in ``attrs``."""
    import pyarrow as pa

    pandas = _require("pandas")
    # Seeds, the only large integers, must not become floats where some are not known.
    kinds = {pa.int64(): pandas.Int64Dtype()}
    frame: pd.DataFrame = _labelled(arrow, provenance).to_pandas(types_mapper=kinds.get)
    frame.attrs["nb101"] = json.loads(arrow.schema.metadata[METADATA_KEY])
    return frame


def to_polars(arrow: "pa.Table", provenance: Mapping[str, Any]) -> "pl.DataFrame":
    """Return a table of runs as a frame."""
    frame: pl.DataFrame = _require("polars").DataFrame(_labelled(arrow, provenance))
    return frame


def _labelled(arrow: "pa.Table", provenance: Mapping[str, Any]) -> "pa.Table":
    """Return rows without ``raw``, with the column ``kind`` where some are predicted."""
    if RAW in arrow.column_names:
        arrow = arrow.drop_columns([RAW])
    if prediction_mark(provenance):
        kinds = files.constant(kind_of(provenance), arrow.num_rows)
        arrow = arrow.append_column(KIND, kinds)
    return arrow


def _require(name: str) -> Any:
    """Import a library that tables can go to, and that nb101 does without."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise MissingExtraError(f"to_{name} needs {name}: pip install {name}", name=name) from None
