"""Cells as graphs of PyTorch Geometric: all arrays of many at once, and the objects around them.

The library takes a list of graphs apart and puts it together again; a data set of its own kind has
all of them in long tensors, and where each begins. Those are made here, of the two words of each
cell.
"""

import importlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nb101._base.extras import importing
from nb101.errors import ArgumentError, ArgumentTypeError
from nb101.space import columns
from nb101.space.words import NIBBLE, edge_bit, op_shift

if TYPE_CHECKING:
    from torch_geometric.data import Batch, Data, InMemoryDataset

Ints = npt.NDArray[np.int64]
CHUNK = 1 << 16
"""Cells whose bits are looked at at once: 21 bytes each in NAS-Bench-101, 55 at most."""


class Graphs(NamedTuple):
    """Many cells, one after the other.

    Attributes
    ----------
    nodes
        A flag for each vertex and op, input first and output last; shape ``(vertices, ops + 2)``.
    edges
        Sources and targets, numbered within each cell, by target and then source; ``(2, edges)``.
    first_nodes, first_edges
        Where each cell begins, and where the last one ends; ``(n + 1,)``.
    """

    nodes: npt.NDArray[np.float32]
    edges: Ints
    first_nodes: Ints
    first_edges: Ints


def graphs_of(edges: npt.NDArray[np.uint64], labels: npt.NDArray[np.uint64], ops: int) -> Graphs:
    """Return cells, two words each, as graphs; `ops` is the number of ops that there are."""
    sizes = columns.vertices(labels).astype(np.int64)
    first_nodes = _starts(sizes)
    first_edges = _starts(np.bitwise_count(edges).astype(np.int64))
    largest = int(sizes.max(initial=2))
    targets, sources = np.tril_indices(largest, -1)
    # By number of the bit, which is by target and then source.
    assert (edge_bit(sources, targets) == np.arange(len(sources))).all()
    ends = np.stack([sources, targets])
    kinds = np.empty(first_nodes[-1], np.int8)
    found = np.empty((2, first_edges[-1]), np.int64)
    shifts = np.array([op_shift(vertex) for vertex in range(1, largest - 1)], np.uint64)
    bits = np.arange(len(sources), dtype=np.uint64)
    for start in range(0, len(edges), CHUNK):
        stop = min(start + CHUNK, len(edges))
        part = slice(start, stop)
        _, bit = np.nonzero(edges[part, np.newaxis] >> bits & np.uint64(1))
        ends.take(bit, 1, out=found[:, first_edges[start] : first_edges[stop]])
        inner = labels[part, np.newaxis] >> shifts & np.uint64(NIBBLE)
        there = np.arange(1, largest - 1) < sizes[part, np.newaxis] - 1
        own = kinds[first_nodes[start] : first_nodes[stop]]
        middle = np.ones(len(own), bool)
        own[first_nodes[start:stop] - first_nodes[start]] = 0
        own[first_nodes[start + 1 : stop + 1] - first_nodes[start] - 1] = ops + 1
        middle[first_nodes[start:stop] - first_nodes[start]] = False
        middle[first_nodes[start + 1 : stop + 1] - first_nodes[start] - 1] = False
        own[middle] = inner[there] + 1
    nodes = np.zeros((len(kinds), ops + 2), np.float32)
    nodes[np.arange(len(kinds)), kinds] = 1
    return Graphs(nodes, found, first_nodes, first_edges)


def to_dataset(
    graphs: Graphs, cell_ids: Ints | None, y: npt.NDArray[np.float32] | None
) -> "InMemoryDataset":
    """Return graphs as a data set: a sequence of `Data`."""
    torch, data = _libraries()
    tensors, starts = _tensors(torch, graphs, cell_ids, y)
    tensors["edge_index"] = torch.from_numpy(graphs.edges)
    found: InMemoryDataset = data.InMemoryDataset()
    found.data = data.Data.from_dict(tensors)
    found.slices = {name: torch.from_numpy(at) for name, at in starts.items()}
    return found


def to_batch(graphs: Graphs, cell_ids: Ints | None, y: npt.NDArray[np.float32] | None) -> "Batch":
    """Return graphs as one of the library's batches: one graph of parts that are not connected."""
    torch, data = _libraries()
    tensors, starts = _tensors(torch, graphs, cell_ids, y)
    counts = np.diff(graphs.first_nodes)
    moved = np.repeat(graphs.first_nodes[:-1], np.diff(graphs.first_edges))
    tensors["edge_index"] = torch.from_numpy(graphs.edges + moved)
    made = data.Batch(_base_cls=data.Data, **tensors)
    made.batch = torch.from_numpy(np.repeat(np.arange(len(counts)), counts))
    made.ptr = torch.from_numpy(graphs.first_nodes)
    # By these the library takes a batch apart again.
    zeros = np.zeros(len(counts), np.int64)
    steps = {name: graphs.first_nodes[:-1] if name == "edge_index" else zeros for name in starts}
    made._num_graphs = len(counts)
    made._slice_dict = {name: torch.from_numpy(at) for name, at in starts.items()}
    made._inc_dict = {name: torch.from_numpy(step) for name, step in steps.items()}
    found: Batch = made
    return found


def to_data(graphs: Graphs, cell_ids: Ints | None, y: npt.NDArray[np.float32] | None) -> "Data":
    """Return the only graph that there is."""
    torch, data = _libraries()
    tensors, _ = _tensors(torch, graphs, cell_ids, y)
    found: Data = data.Data(edge_index=torch.from_numpy(graphs.edges), **tensors)
    return found


def check_targets(y: Any, n: int) -> npt.NDArray[np.float32] | None:
    """Return targets, shape ``(n,)`` or ``(n, k)``, as float32.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        If they are none, or not as many.
    """
    if y is None:
        return None
    try:
        given = np.asarray(y)
    except (TypeError, ValueError):
        given = np.empty(0, object)
    if given.dtype.kind not in "biuf":
        raise ArgumentTypeError("y must be numbers", field="y")
    with np.errstate(over="ignore"):
        array = np.array(given, np.float32)
    if (np.isinf(array) & np.isfinite(given)).any():
        raise ArgumentError("y has numbers that float32 cannot hold", field="y")
    if array.ndim not in (1, 2) or len(array) != n:
        raise ArgumentError(
            f"y must have shape ({n:,},) or ({n:,}, k), an entry a cell, not {array.shape}",
            field="y",
        )
    return array


def _starts(sizes: Ints) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])


def _tensors(
    torch: Any, graphs: Graphs, cell_ids: Ints | None, y: npt.NDArray[np.float32] | None
) -> tuple[dict[str, Any], dict[str, Ints]]:
    """Return all tensors but the edges, and where the cells begin in each, edges too."""
    ones = np.arange(len(graphs.first_nodes), dtype=np.int64)
    tensors = {"x": torch.from_numpy(graphs.nodes)}
    starts = {"x": graphs.first_nodes, "edge_index": graphs.first_edges}
    for name, column in (("cell_id", cell_ids), ("y", y)):
        if column is not None:
            tensors[name] = torch.from_numpy(column)
            starts[name] = ones
    return tensors, starts


def _libraries() -> tuple[Any, Any]:
    """Import torch, and torch_geometric.data.

    Raises
    ------
    MissingExtraError
        If one is not installed.
    """
    found = []
    for module, title in (("torch", "PyTorch"), ("torch_geometric.data", "PyTorch Geometric")):
        with importing("to_pyg", module, title, "pip install 'nb101[pyg]'"):
            found.append(importlib.import_module(module))
    return found[0], found[1]
