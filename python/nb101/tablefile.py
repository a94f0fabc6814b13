"""Arrow underneath a table: NumPy in and out, and files of every format."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nb101 import _core, files
from nb101.errors import DatasetError
from nb101.files import atomic, atomic_path
from nb101.runtime import raise_if_short
from nb101.schema import (
    EVALUATIONS,
    OFFICIAL,
    RAW,
    Array,
    Columns,
    check_names,
    is_masked,
    prediction_mark,
)
from nb101.space import default_space

if TYPE_CHECKING:
    import pyarrow as pa

    from nb101.table import Table

Raw = Sequence[tuple[int, bytes]]
Format = Literal["arrow", "parquet", "csv", "tfrecord"]
ENDINGS: dict[str, Format] = {
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tfrecord": "tfrecord",
}
ROWS = 1 << 18
"""Rows of a row group of Parquet, and of a piece of CSV."""


# NumPy in and out


def assemble(columns: Columns, raw: Raw = ()) -> "pa.Table":
    """Make an Arrow table of arrays, without a copy."""
    import pyarrow as pa

    arrays = {name: _to_array(column) for name, column in columns.items()}
    if raw:
        arrays[RAW] = _raw_column(raw, len(columns["cell_id"]))
    return pa.table(arrays)


def _to_array(column: Array) -> "pa.Array":
    """Wrap a column; by its buffers, since pyarrow's own way would import pandas first."""
    import pyarrow as pa

    mask = None
    if is_masked(column):
        mask = pa.py_buffer(np.packbits(~np.ma.getmaskarray(column), bitorder="little"))
    values = np.ascontiguousarray(np.ma.getdata(column))
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [mask, pa.py_buffer(values)])


def _raw_column(raw: Raw, n: int) -> "pa.Array":
    import pyarrow as pa

    rows = [row for row, _ in raw]
    sizes = np.zeros(n + 1, dtype=np.int64)
    sizes[1:][rows] = [len(record) for _, record in raw]
    there = np.zeros(n, dtype=bool)
    there[rows] = True
    buffers = (
        pa.py_buffer(np.packbits(there, bitorder="little")),
        pa.py_buffer(np.cumsum(sizes)),
        pa.py_buffer(b"".join(record for _, record in raw)),
    )
    return pa.Array.from_buffers(pa.large_binary(), n, list(buffers))


def take_apart(arrow: "pa.Table") -> tuple[Columns, Raw]:
    """Make arrays of an Arrow table of any origin; nulls of numbers become NaN."""
    check_names(arrow.column_names)
    columns: Columns = {}
    for name in arrow.column_names:
        if name != RAW:
            columns[name] = to_numpy(arrow[name], name)
    return columns, raw_records(arrow)


def raw_records(arrow: "pa.Table") -> Raw:
    """Rows that keep the bytes of their official records, and these."""
    if RAW not in arrow.column_names:
        return []
    import pyarrow.compute as pc

    column = arrow[RAW]
    rows = np.flatnonzero(pc.is_valid(column).to_numpy())
    return [(int(row), column[int(row)].as_py()) for row in rows]


def to_numpy(column: "pa.ChunkedArray", name: str = "of a table") -> Array:
    """Return a column of numbers as a read-only array; without a copy if it has no nulls."""
    import pyarrow as pa

    array = _one_piece(column)
    if not (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        raise DatasetError(f"column {name} must hold numbers, not {array.type}")
    if array.null_count and pa.types.is_integer(array.type):
        filled = array.fill_null(0).to_numpy(zero_copy_only=False)
        return np.ma.MaskedArray(filled, mask=array.is_null().to_numpy(zero_copy_only=False))
    if array.null_count or len(array) == 0:
        result: Array = array.to_numpy(zero_copy_only=False)
    else:
        # By its buffer: pyarrow's own way would import pandas first.
        kind = np.dtype(array.type.to_pandas_dtype())
        buffer = array.buffers()[1]
        result = np.frombuffer(buffer, kind, len(array), array.offset * kind.itemsize)
    if result.flags.writeable:
        result.flags.writeable = False
    return result


def _one_piece(column: "pa.ChunkedArray") -> "pa.Array":
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def checksum(column: "pa.ChunkedArray") -> int:
    """Return the masked CRC32C of a column's values, nulls as 0 and raw records joined."""
    import pyarrow as pa

    if pa.types.is_large_binary(column.type):
        array = _one_piece(column)
        offsets = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1, 8 * array.offset)
        data = np.frombuffer(array.buffers()[2] or b"", np.uint8)
        return _core.masked_crc32c(data[offsets[0] : offsets[-1]])
    values = np.ma.getdata(to_numpy(column))
    return _core.masked_crc32c(np.ascontiguousarray(values).view(np.uint8))


# Reading


def read(path: str | os.PathLike[str]) -> "pa.Table":
    """Open an Arrow IPC file in place, or read a Parquet file.

    Raises
    ------
    DatasetError
        If it is neither, or damaged.
    OSError
        If it cannot be read.
    """
    with Path(path).open("rb") as file:
        magic = file.read(6)
    if magic == b"ARROW1":
        return _guarded(_read_ipc, path, "Arrow")
    if magic[:4] == b"PAR1":
        return _guarded(_read_parquet, path, "Parquet")
    hint = "; official files are read by nb101 convert" if ".tfrecord" in os.fspath(path) else ""
    raise DatasetError(f"{os.fspath(path)} is neither an Arrow IPC nor a Parquet file{hint}")


def _guarded(reader: Any, path: str | os.PathLike[str], kind: str) -> "pa.Table":
    import pyarrow as pa

    try:
        table = reader(os.fspath(path))
        table.validate()
        _ = table.column_names  # Fails where a damaged name is no UTF-8.
    except (pa.ArrowException, OSError, ValueError) as error:
        raise_if_short(error)
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = " ".join(str(error).split())[:200]
        raise DatasetError(f"{os.fspath(path)} is a damaged {kind} file: {reason}") from None
    return table


def _read_ipc(path: str) -> "pa.Table":
    import pyarrow as pa

    # The table keeps the mapping alive.
    return pa.ipc.open_file(pa.memory_map(path)).read_all()


def _read_parquet(path: str) -> "pa.Table":
    import pyarrow.parquet as pq

    return pq.read_table(path, page_checksum_verification=True).combine_chunks()


def to_bytes(table: "Table") -> bytes:
    """Return the table as an Arrow IPC file in memory."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    arrow = table.to_arrow()
    with pa.ipc.new_file(sink, arrow.schema) as writer:
        writer.write_table(arrow)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def from_bytes(data: bytes) -> "pa.Table":
    """Undo `to_bytes`."""
    import pyarrow as pa

    return pa.ipc.open_file(pa.py_buffer(data)).read_all()


# Writing


def find_format(path: str | os.PathLike[str], format: str | None = None) -> Format:  # noqa: A002
    """Return the format of a table's file: as given, or by its ending."""
    return files.find_format(path, format, ENDINGS)


def write(
    table: "Table",
    path: str | os.PathLike[str],
    format: str | None = None,  # noqa: A002
    progress: Any = None,
) -> None:
    """Write a table to a file; see `Table.save`. Progress hears of rows."""
    writers = {
        "arrow": _write_ipc,
        "parquet": _write_parquet,
        "csv": _write_csv,
        "tfrecord": _write_release,
    }
    writers[find_format(path, format)](table, path, progress)


def _with_checksums(table: "Table") -> "pa.Table":
    arrow = table._arrow
    checksums = {name: checksum(arrow[name]) for name in arrow.column_names}
    return arrow.replace_schema_metadata(table._metadata(checksums))


def _write_ipc(table: "Table", path: str | os.PathLike[str], progress: Any) -> None:
    import pyarrow as pa

    # One batch, so that each column is one piece of the file.
    arrow = _with_checksums(table).combine_chunks()
    with atomic(path) as file, pa.ipc.new_file(file, arrow.schema) as writer:
        writer.write_table(arrow)


def _write_parquet(table: "Table", path: str | os.PathLike[str], progress: Any) -> None:
    import pyarrow.parquet as pq

    arrow = _with_checksums(table)
    with atomic(path) as file:
        pq.write_table(
            arrow,
            file,
            row_group_size=ROWS,
            compression="zstd",
            write_page_checksum=True,
            store_schema=True,
        )


def write_arrow_table(arrow: "pa.Table", path: str | os.PathLike[str]) -> None:
    """Write any Arrow table to Arrow, Parquet or CSV, by the ending of the path."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    format = find_format(path)  # noqa: A001
    if format == "tfrecord":
        raise ValueError("only tables of runs can be written as official records")
    with atomic(path) as file:
        if format == "arrow":
            with pa.ipc.new_file(file, arrow.schema) as writer:
                writer.write_table(arrow)
        elif format == "parquet":
            pq.write_table(arrow, file, compression="zstd")
        else:
            pyarrow.csv.write_csv(arrow, file)


def _write_csv(table: "Table", path: str | os.PathLike[str], progress: Any) -> None:
    import pyarrow as pa
    import pyarrow.csv

    arrow = table.to_arrow()
    names = [name for name in arrow.column_names if name != RAW]
    ids = table.cell_ids
    hashes = pa.array(table.hashes().astype("U32"))
    kinds = []
    fields = [("hash", pa.string()), *(arrow.schema.field(name) for name in names)]
    if prediction_mark(table.provenance):
        # A file without metadata says it in each row.
        kinds = [pa.array([str(table.provenance["kind"])] * min(len(table), ROWS), pa.string())]
        fields.append(("kind", pa.string()))
    schema = pa.schema(fields)
    with atomic(path) as file, pyarrow.csv.CSVWriter(file, schema) as writer:
        for first in range(0, len(table), ROWS):
            piece = arrow.select(names).slice(first, ROWS)
            own = np.searchsorted(ids, table.column("cell_id")[first : first + ROWS])
            columns = [hashes.take(pa.array(own)), *piece.columns]
            columns += [kind.slice(0, len(piece)) for kind in kinds]
            writer.write_table(pa.table(columns, schema=schema))
            if progress is not None:
                progress(min(first + ROWS, len(table)), len(table))


def _write_release(table: "Table", path: str | os.PathLike[str], progress: Any) -> None:
    _check_official(table)
    columns = {name: table.column(name) for name in OFFICIAL if name in table.columns}
    if "record" not in columns:
        columns["record"] = np.arange(len(table), dtype=np.int32)
    if "trainable_parameters" not in columns:
        columns["trainable_parameters"] = table.parameters.astype(np.int32)
    if "total_time" not in columns:
        columns["total_time"] = columns["final_training_time"].astype(np.float64)
    columns = {name: np.ascontiguousarray(column) for name, column in columns.items()}
    with atomic_path(path) as temporary:
        _core.write_release(str(temporary), columns, list(raw_records(table._arrow)), progress)


def _check_official(table: "Table") -> None:
    if table.space != default_space():
        raise DatasetError(
            f"official records are of NAS-Bench-101's space, and the table is of {table.space!r}"
        )
    missing = [name for name in EVALUATIONS if name not in table.columns]
    if missing:
        raise DatasetError(
            "official records have three evaluations of five numbers, and the table lacks "
            + ", ".join(missing)
        )
