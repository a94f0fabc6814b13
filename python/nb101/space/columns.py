"""Words of cells as columns of Arrow: what is told of each cell in tables and files."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101._core import __version__
from nb101.space.words import VERTICES

if TYPE_CHECKING:
    import pyarrow as pa

Digests = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
Costs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Parameters and multiply-accumulates of each cell."""


def vertices(labels: Words) -> npt.NDArray[np.uint8]:
    """Return the number of vertices of each cell; shape ``(n,)``."""
    return (labels >> np.uint64(VERTICES)).astype(np.uint8)


def schema_of(hashes: bool, costs: bool, ids: bool, about: Mapping[str, object]) -> "pa.Schema":
    """Return the schema of a table of cells; `about` is said in its metadata beside the version."""
    import pyarrow as pa

    fields = [
        *([("id", pa.int64())] if ids else []),
        *([("hash", pa.string())] if hashes else []),
        ("adjacency", pa.string()),
        ("operations", pa.string()),
        ("vertices", pa.uint8()),
        ("edges", pa.uint8()),
        ("depth", pa.int8()),
        ("width", pa.int8()),
        *([("parameters", pa.int64()), ("flops", pa.int64())] if costs else []),
    ]
    schema = pa.schema([pa.field(name, kind, nullable=False) for name, kind in fields])
    return schema.with_metadata({"nb101": json.dumps({"version": __version__, **about})})


def rows_under_2gib(op_names: tuple[str, ...]) -> int:
    """Rows whose texts are sure to fit a string column, whose offsets have 31 bits."""
    longest = max(len(name.encode()) for name in op_names) + 1
    return max(1, min(1 << 20, (2**31 - 1) // max(121, 9 * longest + 16)))


def record_batch(
    schema: "pa.Schema",
    edges: Words,
    labels: Words,
    op_names: tuple[str, ...],
    digests: Digests | None,
    costs: Costs | None,
    first: int = 0,
) -> "pa.RecordBatch":
    """Return rows of a `schema`, for cells whose ids begin with `first`."""
    import pyarrow as pa

    adjacency, operations = _core.text_columns(edges, labels, list(op_names))
    depth, width = _core.depth_width(edges, labels)
    columns: dict[str, Any] = {
        "adjacency": _strings(*adjacency),
        "operations": _strings(*operations),
        "vertices": vertices(labels),
        "edges": np.bitwise_count(edges),
        "depth": depth,
        "width": width,
    }
    if "id" in schema.names:
        columns["id"] = np.arange(first, first + len(edges), dtype=np.int64)
    if digests is not None:
        columns["hash"] = _strings(np.arange(len(edges) + 1) * 32, _core.to_hex(digests))
    if costs is not None:
        columns["parameters"], columns["flops"] = costs
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column)
        for column in (columns[name] for name in schema.names)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def to_arrow(
    edges: Words,
    labels: Words,
    op_names: tuple[str, ...],
    digests: Digests | None,
    costs: Costs | None,
) -> "pa.Table":
    """Return a table with a row for each cell, without ids."""
    import pyarrow as pa

    about = {"op_names": list(op_names)}
    schema = schema_of(digests is not None, costs is not None, ids=False, about=about)
    step = rows_under_2gib(op_names)
    batches = []
    for i in range(0, len(edges), step):
        part = slice(i, i + step)
        some = None if costs is None else (costs[0][part], costs[1][part])
        hashed = None if digests is None else digests[part]
        batches.append(record_batch(schema, edges[part], labels[part], op_names, hashed, some))
    return pa.Table.from_batches(batches, schema=schema)


def _strings(offsets: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]) -> "pa.StringArray":
    import pyarrow as pa

    short = pa.py_buffer(np.ascontiguousarray(offsets, dtype=np.int32))
    return pa.StringArray.from_buffers(
        len(offsets) - 1, short, pa.py_buffer(np.ascontiguousarray(data))
    )
