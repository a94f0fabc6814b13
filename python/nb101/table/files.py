"""Arrow underneath a table: NumPy in and out, and files of every format.

Arrow and Parquet files carry a seal (`nb101._base.seals`), which covers each of their bytes. A
Parquet file is compared with it whenever it is read; an Arrow file, which is opened without being
read, when somebody asks for that or writes its rows anew.
"""

import io
import itertools
import mmap
import os
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from nb101 import _core
from nb101._base import files, seals
from nb101._base.beside import ahead
from nb101._base.checks import check_path
from nb101._base.files import atomic, atomic_path, file_errors
from nb101._base.runtime import raise_if_short
from nb101.errors import (
    ArgumentError,
    DatasetError,
    FileError,
)
from nb101.plain import printable
from nb101.space.default import default_space
from nb101.space.search_space import SearchSpace
from nb101.table.about import KIND, kind_of, prediction_mark
from nb101.table.schema import EVALUATIONS, OFFICIAL, RAW, Array, Columns, check_names, is_masked

if TYPE_CHECKING:
    import pyarrow as pa


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
    _validate(arrow)
    columns: Columns = {}
    for name in arrow.column_names:
        if name == KIND and not _holds_numbers(arrow[name].type):
            columns[name] = np.array([str(word) for word in arrow[name].unique().to_pylist()])
        elif name != RAW:
            columns[name] = to_numpy(arrow[name], name)
    return columns, raw_records(arrow)


def constant(word: str, n: int) -> "pa.Array":
    """Return a column that says the same word in each of `n` rows."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(np.zeros(n, np.int8), pa.array([word], pa.string()))


def _validate(arrow: "pa.Table") -> None:
    """Refuse lengths and offsets that lead out of buffers, whoever made them."""
    import pyarrow as pa

    try:
        arrow.validate()
        if RAW in arrow.column_names:
            arrow[RAW].validate(full=True)
    except pa.ArrowInvalid as error:
        raise DatasetError(f"the Arrow table is damaged: {error}") from None


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
    if not _holds_numbers(array.type):
        raise DatasetError(f"column {name} must hold numbers, not {array.type}", field=name)
    if array.null_count and pa.types.is_integer(array.type):
        filled = array.fill_null(0).to_numpy(zero_copy_only=False)
        return np.ma.MaskedArray(filled, mask=array.is_null().to_numpy(zero_copy_only=False))
    if array.null_count or len(array) == 0:
        result: Array = array.to_numpy(zero_copy_only=False)
    else:
        # By its buffer: pyarrow's own way would import pandas first, and 18 cannot do without.
        letter = "f" if pa.types.is_floating(array.type) else str(array.type)[0]
        kind = np.dtype(f"{letter}{array.type.bit_width // 8}")
        buffer = array.buffers()[1]
        result = np.frombuffer(buffer, kind, len(array), array.offset * kind.itemsize)
    if result.flags.writeable:
        result.flags.writeable = False
    return result


def _holds_numbers(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _one_piece(column: "pa.ChunkedArray") -> "pa.Array":
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


# Reading


@dataclass
class Source:
    """The file underneath a table: its bytes, mapped into memory.

    Files are never changed in place by nb101, but replaced as a whole, which leaves a mapping as it
    was. Whoever cuts or overwrites a file that is open somewhere changes those tables too.
    """

    path: str
    data: "pa.Buffer | None"
    """What is mapped; `None` if nothing is, as of a file that was read."""
    sealed: bool = False
    """Whether its metadata has an entry for the seal."""
    verified: bool = False
    """Whether each byte was compared with the seal, since the file was opened."""

    def verify(self) -> None:
        """Compare each byte with the seal.

        Raises
        ------
        DatasetError
            If one is not as it was written.
        """
        if self.data is not None:
            view = memoryview(self.data).cast("B")
            seals.check_sealed_bytes(view, self.path, ADVICE)
        self.verified = True


ADVICE = "convert or copy it anew; what other programs wrote is for Table.from_arrow"
MOST_UNPACKED = 1000
"""How often its own size a Parquet file may take in memory, from `LITTLE` on."""
LITTLE = 1 << 26


def read(path: str | os.PathLike[str]) -> tuple["pa.Table", Source]:
    """Open an Arrow IPC file in place, or read a Parquet file and compare it with its seal.

    Of an Arrow file all is checked that later accesses rely on to stay within the file: types,
    lengths, where buffers lie, and each offset of ``raw``; but not what numbers there are.

    Raises
    ------
    DatasetError
        If it is neither, or damaged.
    FileError
        If it cannot be read; `MissingFileError` if it is not there.
    """
    check_path(path)
    with file_errors(path), Path(path).open("rb") as file:
        magic = file.read(6)
    if magic == b"ARROW1":
        return _guarded(_read_ipc, path, "Arrow")
    if magic[:4] == b"PAR1":
        return _guarded(_read_parquet, path, "Parquet")
    hint = "; official files are read by nb101 convert" if ".tfrecord" in os.fspath(path) else ""
    raise DatasetError(
        f"{os.fspath(path)} is neither an Arrow IPC nor a Parquet file{hint}", path=path
    )


def _guarded(reader: Any, path: str | os.PathLike[str], kind: str) -> tuple["pa.Table", Source]:
    where = os.fspath(path)
    try:
        with file_errors(where):
            table, source = reader(where)
        table.validate()
        if RAW in table.column_names:
            # Offsets, which nothing else looks at.
            table[RAW].validate(full=True)
        # Fails where a damaged name is no UTF-8.
        _ = table.column_names
    except (DatasetError, FileError):
        raise
    except Exception as error:
        # Damaged files fail in a dozen ways.
        raise_if_short(error)
        reason = printable(" ".join(str(error).split()))[:200]
        raise DatasetError(f"{where} is a damaged {kind} file: {reason}", path=where) from None
    metadata = dict(table.schema.metadata or {})
    source.sealed = metadata.pop(seals.KEY.encode(), None) is not None
    return table.replace_schema_metadata(metadata), source


def _read_ipc(path: str) -> tuple["pa.Table", Source]:
    import pyarrow as pa

    # The table keeps the mapping alive.
    data = pa.memory_map(path).read_buffer()
    _check_blocks(memoryview(data).cast("B"))
    table = pa.ipc.open_file(data).read_all()
    for column in table.columns:
        for chunk in column.chunks:
            for buffer in chunk.buffers():
                inside = buffer is None or buffer.size == 0
                if not (
                    inside
                    or data.address <= buffer.address <= data.address + data.size - buffer.size
                ):
                    raise ValueError("a column lies outside")
    return table, Source(path, data)


def _check_blocks(data: memoryview) -> None:
    """Refuse what we never write, before room is made for it: packed columns, dictionaries.

    The footer and the heads of blocks are tables of flatbuffers: each begins with the way back to a
    list of where its fields are.
    """
    size, magic = struct.unpack_from("<i6s", data, len(data) - 10)
    start = len(data) - 10 - size
    if magic != b"ARROW1" or size <= 0 or start < 8:
        raise ValueError("it has no end")
    footer = start + _unsigned(data, start)
    for i, most in ((2, 0), (3, 1)):
        # Dictionaries, and batches of rows.
        blocks = _field(data, footer, i)
        if blocks is None:
            continue
        blocks += _unsigned(data, blocks)
        count = _unsigned(data, blocks)
        if count > most:
            raise ValueError("it has dictionaries, or more than one batch of rows")
        if count:
            (place,) = struct.unpack_from("<q", data, blocks + 4)
            if not 0 <= place < start:
                raise ValueError("a block lies outside")
            mark, _ = struct.unpack_from("<Ii", data, place)
            head = place + (8 if mark == 0xFFFFFFFF else 4)
            message = head + _unsigned(data, head)
            batch = _field(data, message, 2)
            if batch is None or _field(data, batch + _unsigned(data, batch), 3) is not None:
                raise ValueError("its columns are packed")


def _field(data: memoryview, table: int, index: int) -> int | None:
    """Return where a field of a table of flatbuffers is; `None` if it is not given."""
    (back,) = struct.unpack_from("<i", data, table)
    listed = table - back
    if listed < 0:
        raise ValueError("a table lies outside")
    (size,) = struct.unpack_from("<H", data, listed)
    if 4 + 2 * index >= size:
        return None
    (offset,) = struct.unpack_from("<H", data, listed + 4 + 2 * index)
    return table + offset if offset else None


def _unsigned(data: memoryview, place: int) -> int:
    (value,) = struct.unpack_from("<I", data, place)
    return int(value)


def _read_parquet(path: str) -> tuple["pa.Table", Source]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = pa.memory_map(path).read_buffer()
    source = Source(path, data)
    if seals.has_mark(memoryview(data).cast("B")):
        # Before anything is made of it.
        source.verify()
    file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
    about = file.metadata
    if not source.verified:
        # Whose it is shall be said, but its rows are not read.
        return file.schema_arrow.empty_table(), source
    size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
    if max(size, 8 * about.num_rows * about.num_columns) > max(LITTLE, MOST_UNPACKED * len(data)):
        raise ValueError(f"it would take more than {MOST_UNPACKED:,} times its size in memory")
    table = file.read().combine_chunks()
    source.data = None
    return table, source


def to_bytes(arrow: "pa.Table") -> bytes:
    """Return a table as an Arrow IPC file in memory."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, arrow.schema) as writer:
        writer.write_table(arrow)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def from_bytes(data: bytes) -> "pa.Table":
    """Undo `to_bytes`."""
    import pyarrow as pa

    return pa.ipc.open_file(pa.py_buffer(data)).read_all()


# Writing


def table_format(path: str | os.PathLike[str], format: str | None = None) -> Format:  # noqa: A002
    """Return the format of a table's file: as given, or by its ending."""
    check_path(path)
    return files.choose_format(path, format, ENDINGS)


class Content(NamedTuple):
    """What writers need of a table.

    Attributes
    ----------
    arrow
        All columns, with metadata.
    column
        Returns a column by its name.
    space, provenance
        Of the table.
    hashes
        Returns all ids that there are, ascending, and their hashes.
    parameters
        Returns the trainable parameters of the cell of each row, -1 where they are not known.
    """

    arrow: "pa.Table"
    column: Callable[[str], Array]
    space: SearchSpace
    provenance: Mapping[str, Any]
    hashes: Callable[[], tuple[Array, Array]]
    parameters: Callable[[], Array]


def write(
    content: Content,
    path: str | os.PathLike[str],
    format: str | None = None,  # noqa: A002
    progress: Any = None,
) -> None:
    """Write a table to a file; see `Table.save`. Progress hears of rows.

    It gets a new seal, so that damage would never be noticed: the table must be whole.
    """
    writers = {
        "arrow": _write_ipc,
        "parquet": _write_parquet,
        "csv": _write_csv,
        "tfrecord": _write_release,
    }
    writers[table_format(path, format)](content, path, progress)


def _write_ipc(content: Content, path: str | os.PathLike[str], progress: Any) -> None:
    # One batch, so that each column is one piece of the file.
    write_ipc(content.arrow.combine_chunks(), path)


def _write_parquet(content: Content, path: str | os.PathLike[str], progress: Any) -> None:
    write_parquet(content.arrow, path)


def write_ipc(arrow: "pa.Table", path: str | os.PathLike[str]) -> None:
    """Write any Arrow table to an Arrow IPC file with a seal."""
    import pyarrow as pa

    schema = seals.with_seal(arrow.schema)
    with seals.sealed(path) as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_table(arrow)


def write_ipc_of(
    fields: Mapping[str, np.dtype[Any]],
    rows: int,
    fill: Callable[[str, Array], object],
    metadata: Mapping[bytes, bytes],
    path: str | os.PathLike[str],
) -> None:
    """Write what `write_ipc` writes of columns without nulls, of which two at most are in memory.

    Each is made while the one before is written, on another thread. Should a version of pyarrow
    write columns in another way than is known, all are made first.

    Parameters
    ----------
    fields
        Names and types of the columns, in their order.
    rows
        How many there are.
    fill
        Writes the column of a name to an array; called once for each, in their order.
    metadata
        Of the schema.
    path
        The file.
    """
    import pyarrow as pa

    schema = pa.schema(
        [(name, pa.from_numpy_dtype(kind)) for name, kind in fields.items()], dict(metadata)
    )
    pieces = _pieces(schema, fields.values(), rows)
    if pieces is None:
        columns = {name: np.empty(rows, kind) for name, kind in fields.items()}
        for name, column in columns.items():
            fill(name, column)
        write_ipc(assemble(columns).replace_schema_metadata(schema.metadata), path)
        return
    widest = rows * max(kind.itemsize for kind in fields.values())
    room = [np.empty(widest, np.uint8) for _ in range(2)]

    def make(i: int, name: str) -> Array:
        kind = fields[name]
        column = room[i % 2][: rows * kind.itemsize].view(kind)
        fill(name, column)
        return column

    makers = [partial(make, i, name) for i, name in enumerate(fields)]
    with seals.sealed(path) as file, closing(ahead(makers)) as made:
        for piece in pieces:
            file.write(next(made).view(np.uint8).data if piece is None else piece)


def _pieces(
    schema: "pa.Schema", kinds: Iterable[np.dtype[Any]], rows: int
) -> list[bytes | None] | None:
    """Return what pyarrow writes for columns that are not made yet: `None` where one belongs.

    What it is given for them are addresses: a range of memory that nobody touches, and so takes
    none. The bytes that it passes on tell by their address which column they are. There is no list
    if it does not pass on each as it is, in their order: it always has, but nothing promises it.
    """
    import pyarrow as pa

    ends = np.cumsum([0, *(kind.itemsize * rows for kind in kinds)]).tolist()
    area = np.frombuffer(mmap.mmap(-1, max(ends[-1], 1)), np.uint8)
    places = list(itertools.pairwise(ends))
    arrays = [
        pa.Array.from_buffers(kind, rows, [None, pa.py_buffer(area[first:end])], 0)
        for kind, (first, end) in zip(schema.types, places, strict=True)
    ]
    sink = _Pieces(area.ctypes.data, places)
    with pa.ipc.new_file(sink, seals.with_seal(schema)) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    return sink.pieces if rows and not sink.left else None


class _Pieces(seals.Appending):
    """What is written to it, but for columns: those are only told by their address."""

    def __init__(self, begin: int, places: list[tuple[int, int]]) -> None:
        super().__init__(io.BytesIO())
        self.pieces: list[bytes | None] = []
        self.left = [(begin + first, end - first) for first, end in places]
        """Addresses and sizes of columns that have not been written yet."""
        self._written = 0

    def tell(self) -> int:
        return self._written

    def write(self, data: Any) -> int:
        view = np.frombuffer(data, np.uint8)
        if self.left and (view.ctypes.data, len(view)) == self.left[0]:
            del self.left[0]
            self.pieces.append(None)
        else:
            self.pieces.append(view.tobytes())
        self._written += len(view)
        return len(view)


def write_parquet(arrow: "pa.Table", path: str | os.PathLike[str]) -> None:
    """Write any Arrow table to a Parquet file with a seal."""
    import pyarrow.parquet as pq

    with (
        seals.sealed(path) as file,
        pq.ParquetWriter(
            file, arrow.schema, compression="zstd", write_page_checksum=True, store_schema=True
        ) as writer,
    ):
        writer.write_table(arrow, row_group_size=ROWS)
        # Not in the schema, which is kept in base64 too.
        writer.add_key_value_metadata({seals.KEY: seals.BLANK})


def write_arrow_table(arrow: "pa.Table", path: str | os.PathLike[str]) -> None:
    """Write any Arrow table to Arrow, Parquet or CSV, by the ending of the path."""
    import pyarrow.csv

    format = table_format(path)  # noqa: A001
    if format == "tfrecord":
        raise ArgumentError(
            "only tables of runs can be written as official records", field="format"
        )
    if format == "arrow":
        write_ipc(arrow, path)
    elif format == "parquet":
        write_parquet(arrow, path)
    else:
        names = arrow.column_names
        if KIND in names:
            # CSV is written of plain texts alone.
            i = names.index(KIND)
            arrow = arrow.set_column(i, KIND, arrow[KIND].cast("string"))
        with atomic(path) as file:
            pyarrow.csv.write_csv(arrow, file)


def _write_csv(content: Content, path: str | os.PathLike[str], progress: Any) -> None:
    import pyarrow as pa
    import pyarrow.csv

    arrow, total = content.arrow, content.arrow.num_rows
    names = [name for name in arrow.column_names if name != RAW]
    ids, texts = content.hashes()
    hashes = pa.array(texts.astype("U32"))
    kinds = []
    fields = [("hash", pa.string()), *(arrow.schema.field(name) for name in names)]
    if prediction_mark(content.provenance):
        # A file without metadata says it in each row.
        kinds = [pa.array([kind_of(content.provenance)] * min(total, ROWS), pa.string())]
        fields.append((KIND, pa.string()))
    schema = pa.schema(fields)
    with atomic(path) as file, pyarrow.csv.CSVWriter(file, schema) as writer:
        for first in range(0, total, ROWS):
            piece = arrow.select(names).slice(first, ROWS)
            own = np.searchsorted(ids, content.column("cell_id")[first : first + ROWS])
            columns = [hashes.take(pa.array(own)), *piece.columns]
            columns += [kind.slice(0, len(piece)) for kind in kinds]
            writer.write_table(pa.table(columns, schema=schema))
            if progress is not None:
                progress(min(first + ROWS, total), total)


def _write_release(content: Content, path: str | os.PathLike[str], progress: Any) -> None:
    _check_official(content)
    there = content.arrow.column_names
    columns = {name: content.column(name) for name in OFFICIAL if name in there}
    if "record" not in columns:
        columns["record"] = np.arange(content.arrow.num_rows, dtype=np.int32)
    if "trainable_parameters" not in columns:
        columns["trainable_parameters"] = content.parameters().astype(np.int32)
    if "total_time" not in columns:
        columns["total_time"] = columns["final_training_time"].astype(np.float64)
    columns = {name: np.ascontiguousarray(column) for name, column in columns.items()}
    with atomic_path(path) as temporary:
        _core.write_release(str(temporary), columns, list(raw_records(content.arrow)), progress)


def _check_official(content: Content) -> None:
    if mark := prediction_mark(content.provenance):
        raise DatasetError(
            f"official records cannot say that numbers were {mark}, and whoever read them would "
            "take them for measured ones: choose arrow, parquet or csv",
            field="format",
        )
    if content.space != default_space():
        raise DatasetError(
            f"official records are of NAS-Bench-101's space, and the table is of {content.space!r}",
            field="space",
        )
    missing = [name for name in EVALUATIONS if name not in content.arrow.column_names]
    if missing:
        raise DatasetError(
            "official records have three evaluations of five numbers, and the table lacks "
            + ", ".join(missing),
            field=missing[0],
        )
    if content.arrow.num_rows and content.parameters().min() < 0:
        raise DatasetError(
            "official records have trainable parameters, and the table has none, nor does its "
            "provenance say of which network they would be"
        )
