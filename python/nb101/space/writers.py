"""Cells as Arrow tables, and whole spaces as files.

A file appears under its name only when it is complete: it is written beside it and then moved.
Arrow and Parquet files carry a seal for whoever reads them, which nb101 does not: see
`nb101._base.seals.check_seal`. CSV has no room for one, nor has the JSON of the original script.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101._base import files
from nb101._base.files import atomic
from nb101._base.progress import Progress
from nb101._base.seals import BLANK, KEY, sealed, with_seal
from nb101.errors import ArgumentError, SpaceError, UnknownOpError
from nb101.space import columns
from nb101.space.cell import Cell
from nb101.space.cells import Cells
from nb101.space.ops import INPUT_CODE, OUTPUT_CODE
from nb101.space.search_space import SearchSpace
from nb101.space.words import VERTICES

if TYPE_CHECKING:
    import pyarrow as pa

Digests = npt.NDArray[np.uint8]
Format = Literal["parquet", "arrow", "csv", "json"]

ENDINGS: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".csv": "csv",
    ".json": "json",
}
BATCH = 1 << 18
"""Cells that are worked on at a time: a row group of Parquet, a record batch of Arrow."""

MAX_JSON = 5_000_000
"""Most cells of a JSON file, which is sorted in memory and some 250 bytes a cell."""


def write_space(
    space: SearchSpace,
    path: str | os.PathLike[str],
    *,
    format: Format | None = None,  # noqa: A002
    hashes: bool = True,
    progress: Progress | None = None,
) -> None:
    """Write every cell of a space to a file, in batches and therefore in bounded memory.

    Parameters
    ----------
    space
        The space; its cells are written in the reference order.
    path
        The file. It is replaced only once the new one is complete.
    format
        ``"parquet"``, ``"arrow"`` (an IPC file), ``"csv"`` or ``"json"``; by the ending of `path`
        if not given. The columns are those of `to_arrow` behind ``id`` (int64). JSON is laid out as
        the original generator script does: ``{hash: [matrix, labels]}``, sorted by hash.
    hashes
        Whether to hash the cells; JSON needs it.
    progress
        Called with the cells done and their number.

    Raises
    ------
    SpaceError
        If the space is too large for JSON, or two of its cells share a hash there.
    ValueError
        If the format is unknown.
    OSError
        If the file cannot be written.
    """
    total = space.count().total
    done = 0
    with open_writer(space, path, format=format, hashes=hashes) as writer:
        for cells in space.iter_batches(batch_size(space)):
            writer.write(cells, cells.digests() if hashes else None)
            done += len(cells)
            if progress is not None:
                progress(done, total)


class Writer(Protocol):
    """Takes the cells of a space in the reference order; see `open_writer`."""

    def write(self, cells: Cells, digests: Digests | None) -> None:
        """Write the next cells, with their fingerprints of shape ``(n, 16)``."""

    def finish(self) -> None:
        """Write what has to come last."""

    def abandon(self) -> None:
        """Let go of the file, which will be removed."""


@contextmanager
def open_writer(
    space: SearchSpace,
    path: str | os.PathLike[str],
    *,
    format: Format | None = None,  # noqa: A002
    hashes: bool = True,
) -> Iterator[Writer]:
    """Open a file for the cells of a space; it appears when the block ends without an error."""
    chosen = cells_format(path, format)
    check_format(space, chosen, hashes)
    makers: dict[Format, Callable[[IO[bytes], SearchSpace, bool], Writer]] = {
        "parquet": _ParquetWriter,
        "arrow": _IpcWriter,
        "csv": _CsvWriter,
        "json": lambda file, space, _: _JsonWriter(file, space),
    }
    opened = sealed if chosen in ("parquet", "arrow") else atomic
    with opened(path) as file:
        writer = makers[chosen](file, space, hashes)
        try:
            yield writer
            writer.finish()
        except BaseException:
            writer.abandon()
            raise


def cells_format(path: str | os.PathLike[str], format: str | None = None) -> Format:  # noqa: A002
    """Return the format of a file of cells: as given, or by its ending."""
    return files.choose_format(path, format, ENDINGS)


def check_format(space: SearchSpace, format: Format, hashes: bool) -> None:  # noqa: A002
    """Refuse what a format cannot hold, before any work is done."""
    if format != "json":
        return
    if not hashes:
        raise ArgumentError("a JSON file is keyed by hash and cannot be without", field="hashes")
    total = space.count().total
    if total > MAX_JSON:
        raise SpaceError(
            f"this space has {total:,} cells, and JSON is sorted in memory: "
            f"at most {MAX_JSON:,}; use parquet, arrow or csv"
        )


def batch_size(space: SearchSpace) -> int:
    """Cells to work on at a time."""
    return min(BATCH, columns.rows_under_2gib(space.ops))


def _space_schema(space: SearchSpace, hashes: bool) -> "pa.Schema":
    about = {
        "op_names": list(space.ops),
        "max_vertices": space.max_vertices,
        "max_edges": space.max_edges,
    }
    return columns.schema_of(hashes, _all_costs_known(space), ids=True, about=about)


def _all_costs_known(space: SearchSpace) -> bool:
    """Whether every op that occurs in a space has a known cost; a first batch may not tell."""
    chain = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    codes = range(len(space.ops)) if space.max_vertices > 2 and space.max_edges > 1 else ()
    probes = [Cell(chain, [INPUT_CODE, code, OUTPUT_CODE], op_names=space.ops) for code in codes]
    try:
        Cells(probes, op_names=space.ops).parameters()
    except UnknownOpError:
        return False
    return True


class _TableWriter:
    """What the formats with columns share."""

    def __init__(self, file: IO[bytes], space: SearchSpace, hashes: bool) -> None:
        self._schema = _space_schema(space, hashes)
        self._done = 0
        self._sink = self._open(file)

    def _open(self, file: IO[bytes]) -> Any:
        raise NotImplementedError

    def write(self, cells: Cells, digests: Digests | None) -> None:
        costs = cells._costs() if "parameters" in self._schema.names else None
        batch = columns.record_batch(
            self._schema, *cells.words, cells.op_names, digests, costs, self._done
        )
        self._sink.write_batch(batch)
        self._done += len(cells)

    def finish(self) -> None:
        self._sink.close()

    def abandon(self) -> None:
        # Closing writes a footer, which may fail as the write before did. The file goes anyway.
        with suppress(Exception):
            self._sink.close()


class _ParquetWriter(_TableWriter):
    def _open(self, file: IO[bytes]) -> Any:
        import pyarrow.parquet as pq

        # Ids are a sequence and hashes are noise: a dictionary would only take space.
        plain = ("id", "hash")
        return pq.ParquetWriter(
            file,
            self._schema,
            compression="zstd",
            use_dictionary=[name for name in self._schema.names if name not in plain],
            column_encoding={"id": "DELTA_BINARY_PACKED"},
            write_page_checksum=True,
            store_schema=True,
        )

    def finish(self) -> None:
        self._sink.add_key_value_metadata({KEY: BLANK})
        super().finish()


class _IpcWriter(_TableWriter):
    def _open(self, file: IO[bytes]) -> Any:
        import pyarrow as pa

        return pa.ipc.new_file(file, with_seal(self._schema))


class _CsvWriter(_TableWriter):
    def _open(self, file: IO[bytes]) -> Any:
        import pyarrow.csv

        return pyarrow.csv.CSVWriter(file, self._schema)


class _JsonWriter:
    """The original generator's layout, as ``json.dump(cells, f, sort_keys=True)`` writes it.

    Few structures and labellings occur, each very often, so that their texts are made once.
    """

    def __init__(self, file: IO[bytes], space: SearchSpace) -> None:
        self._file = file
        self._ops = space.ops
        self._parts: list[tuple[Cells, Digests]] = []

    def write(self, cells: Cells, digests: Digests | None) -> None:
        assert digests is not None
        self._parts.append((cells, digests))

    def finish(self) -> None:
        words = zip(*(cells.words for cells, _ in self._parts), strict=True)
        edges, labels = map(np.concatenate, words)
        digests = np.concatenate([digests for _, digests in self._parts])
        self._parts.clear()
        order = sorted_digests(digests)
        twins = same_as_next(digests[order])
        if twins.any():
            raise SpaceError(
                f"{int(twins.sum()):,} cells of this space share the hash of another, "
                f"{bytes(digests[order[twins.argmax()]]).hex()} the first: "
                f"JSON is keyed by hash and cannot hold them; use parquet, arrow or csv"
            )
        self._file.write(b"{")
        for first in range(0, len(order), BATCH):
            chosen = order[first : first + BATCH]
            cells = Cells._from_columns(edges[chosen], labels[chosen], self._ops)
            hexes = _core.to_hex(digests[chosen]).tobytes().decode()
            matrices, codes = _matrix_texts(cells), _label_texts(cells)
            text = ", ".join(
                [
                    f'"{hexes[32 * i : 32 * i + 32]}": [{matrix}, {code}]'
                    for i, (matrix, code) in enumerate(zip(matrices, codes, strict=True))
                ]
            )
            self._file.write((", " if first else "").encode() + text.encode())
        self._file.write(b"}")

    def abandon(self) -> None:
        self._parts.clear()


def _matrix_texts(cells: Cells) -> list[str]:
    # One mask of edges is also a mask in a larger graph, so that the size is part of the key.
    keys = cells.edge_masks | (cells.vertices.astype(np.uint64) << np.uint64(VERTICES))
    _, where, which = np.unique(keys, return_index=True, return_inverse=True)
    texts = [json.dumps(cells[int(i)].matrix.tolist()) for i in where]
    return [texts[i] for i in which.tolist()]


def _label_texts(cells: Cells) -> list[str]:
    _, where, which = np.unique(cells.words[1], return_index=True, return_inverse=True)
    texts = [json.dumps(list(cells[int(i)].codes)) for i in where]
    return [texts[i] for i in which.tolist()]


def sorted_digests(digests: Digests) -> npt.NDArray[np.intp]:
    """Return the order in which fingerprints of shape ``(n, 16)`` are sorted as text is."""
    words = np.ascontiguousarray(digests).view(">u8").astype(np.uint64)
    order = np.argsort(words[:, 0], kind="stable")
    first = words[order, 0]
    # The first halves nearly always differ, and one key sorts several times faster than two.
    return order if (first[1:] != first[:-1]).all() else np.lexsort((words[:, 1], words[:, 0]))


def same_as_next(digests: Digests) -> npt.NDArray[np.bool_]:
    """Whether each of sorted fingerprints equals the next; shape ``(n - 1,)``."""
    words = np.ascontiguousarray(digests).view(np.uint64)
    return np.asarray((words[1:] == words[:-1]).all(axis=1))
