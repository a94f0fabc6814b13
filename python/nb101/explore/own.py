"""Columns of one's own from a file: CSV or Parquet, a row a cell, called by id or hash."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101._base.files import choose_format, file_errors
from nb101._base.runtime import raise_if_short
from nb101.errors import DatasetError
from nb101.plain import printable
from nb101.space.lookup import Ids
from nb101.table.schema import Array
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}
HASHES = ("hash", "module_hash")


@dataclass(frozen=True)
class OwnColumns:
    """What a file has.

    Attributes
    ----------
    columns
        Numbers by name, in the order of the table's cells; NaN where the file has none.
    skipped
        Names of columns that hold no numbers.
    elsewhere
        Rows of cells that the table does not have.
    """

    columns: dict[str, Array]
    skipped: tuple[str, ...]
    elsewhere: int


def read_columns(path: str | os.PathLike[str], table: Table) -> OwnColumns:
    """Read a file of columns, which has one of ``cell_id``, ``hash`` and ``module_hash``.

    Raises
    ------
    DatasetError
        If it is damaged, names no cells, or one cell twice; or has no numbers.
    ArgumentError
        If its ending says neither CSV nor Parquet.
    FileError
        If it cannot be read.
    """
    where = os.fspath(path)
    arrow = _read(path, choose_format(path, None, ENDINGS))
    key = next((name for name in ("cell_id", *HASHES) if name in arrow.column_names), None)
    if key is None:
        raise DatasetError(
            f"{where} does not say which cells its rows are of: it needs a column cell_id, hash or "
            "module_hash",
            path=path,
        )
    if arrow.column_names.count(key) > 1:
        raise DatasetError(f"{where} has two columns {key}", path=path, field=key)
    rows = _rows_by_id(arrow, table, where) if key == "cell_id" else _by_hash(arrow, key, table)
    there = rows >= 0
    if not there.any():
        raise DatasetError(f"{where} has no cell of the table", path=path, field=key)
    known = rows[there]
    if len(np.unique(known)) < len(known):
        order = np.sort(known)
        cell = int(table.cell_ids[order[1:][order[1:] == order[:-1]][0]])
        raise DatasetError(f"{where} has cell {cell} in more than one row", path=path, field=key)
    columns: dict[str, Array] = {}
    skipped = []
    for place, name in enumerate(arrow.column_names):
        if name in ("cell_id", *HASHES):
            continue
        values = _numbers(arrow.column(place))
        if values is None or name in columns or not name.strip():
            skipped.append(printable(name) or "a column without a name")
            continue
        whole = there.all() and len(known) == table.num_cells and values.dtype.kind in "biu"
        placed = np.full(table.num_cells, 0 if whole else np.nan, values.dtype if whole else None)
        placed[known] = values[there]
        columns[name] = placed
    if not columns:
        raise DatasetError(f"{where} has no column of numbers beside {key}", path=path)
    return OwnColumns(columns, tuple(skipped), int((~there).sum()))


def _read(path: str | os.PathLike[str], kind: str) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    with file_errors(path):
        data = Path(path).read_bytes()
    try:
        if kind == "csv":
            return pa.csv.read_csv(pa.BufferReader(data))
        return pa.parquet.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise_if_short(error)
        reason = printable(" ".join(str(error).split()))[:200]
        raise DatasetError(
            f"{os.fspath(path)} is no {'CSV' if kind == 'csv' else 'Parquet'} file: {reason}",
            path=path,
        ) from None


def _rows_by_id(arrow: "pa.Table", table: Table, where: str) -> Ids:
    import pyarrow as pa

    column = arrow["cell_id"]
    if not pa.types.is_integer(column.type) or column.null_count:
        raise DatasetError(
            f"{where}: cell_id must hold a whole number in each row", field="cell_id"
        )
    ids = column.to_numpy().astype(np.int64)
    places = np.searchsorted(table.cell_ids, ids)
    found = np.append(table.cell_ids, -1)[places] == ids
    return np.where(found & (ids >= 0), places, -1)


def _by_hash(arrow: "pa.Table", key: str, table: Table) -> Ids:
    """Find rows by hash; of cells that share one, none is told from the others."""
    import pyarrow as pa

    texts = arrow[key].cast(pa.string()).to_numpy(zero_copy_only=False)
    hashes = table.hashes()
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    wanted = np.array([str(x).strip().lower()[:33].encode("ascii", "replace") for x in texts])
    places = np.searchsorted(ordered, wanted)
    inside = np.minimum(places, len(ordered) - 1)
    return np.where(ordered[inside] == wanted, order[inside], -1)


def _numbers(column: Any) -> Array | None:
    """Return a column as numbers, NaN where there is none; None if it holds something else."""
    import pyarrow as pa

    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        return None
    if column.null_count or pa.types.is_boolean(kind):
        column = column.cast(pa.float64() if column.null_count else pa.uint8())
    values: Array = column.to_numpy()
    return values
