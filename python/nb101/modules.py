"""Raw modules as people write them: nested lists, arrays, networkx graphs.

What comes out are arrays that the Rust side reads: matrices of shape ``(n, v, v)`` and op codes of
shape ``(n, v)``, padded with -3 where modules differ in size.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101.errors import InvalidCellError
from nb101.ops import INPUT, OUTPUT, PADDING_CODE, encode

Array = npt.NDArray[Any]


def one_module(matrix: Any, ops: Any, names: tuple[str, ...]) -> tuple[Array, Array]:
    """Arrays of one module, shapes ``(1, v, v)`` and ``(1, v)``."""
    if ops is None:
        matrix, ops = _from_graph(matrix)
    array = _numbers(matrix, "matrix")
    if array.ndim != 2:
        raise InvalidCellError(f"matrix must have two dimensions, not {array.ndim}")
    if isinstance(ops, str):
        raise InvalidCellError(f"ops must be a list with a label for each vertex, not {ops!r}")
    labels = ops.tolist() if isinstance(ops, np.ndarray) else list(ops)
    codes = np.array(encode(labels, names), dtype=np.int32)
    return np.ascontiguousarray(array)[np.newaxis], codes[np.newaxis]


def many_modules(matrices: Any, ops: Any, names: tuple[str, ...] | None) -> tuple[Array, Array]:
    """Arrays of many modules; labels may be codes or, where `names` are known, names."""
    if isinstance(matrices, np.ndarray) and matrices.dtype != object:
        stacked = _numbers(matrices, "matrices")
    else:
        stacked = _stack(list(matrices))
    if stacked.ndim != 3:
        raise InvalidCellError(f"matrices must have shape (n, v, v), not {stacked.shape}")
    codes = _codes(ops, stacked.shape[1], names)
    return np.ascontiguousarray(stacked), np.ascontiguousarray(codes)


def _codes(ops: Any, size: int, names: tuple[str, ...] | None) -> Array:
    if isinstance(ops, np.ndarray) and ops.dtype.kind in "biuf":
        if ops.ndim != 2:
            raise InvalidCellError(f"ops must have shape (n, v), not {ops.shape}")
        return ops
    rows = []
    for index, row in enumerate(ops):
        labels = row.tolist() if isinstance(row, np.ndarray) else list(row)
        if names is not None:
            labels = encode(labels, names, f"module {index}: ")
        elif any(isinstance(label, str) for label in labels):
            raise InvalidCellError(
                f"module {index}: ops are names; op_names must say which codes they have"
            )
        rows.append(labels + [PADDING_CODE] * (size - len(labels)))
    if len({len(row) for row in rows}) > 1:
        longest = max(range(len(rows)), key=lambda i: len(rows[i]))
        raise InvalidCellError(
            f"module {longest}: length of ops must match matrix dimensions: "
            f"{len(rows[longest])} ops for {size} vertices"
        )
    if not rows:
        return np.zeros((0, size), dtype=np.int64)
    codes = np.array(rows)
    if codes.dtype.kind not in "iuf":
        raise InvalidCellError("ops must be op codes: integers, -1 for input and -2 for output")
    return codes


def _stack(matrices: list[Any]) -> Array:
    arrays = [_numbers(matrix, f"module {i}: matrix") for i, matrix in enumerate(matrices)]
    for index, array in enumerate(arrays):
        if array.ndim != 2 or array.shape[0] != array.shape[1]:
            shape = " x ".join(map(str, array.shape))
            raise InvalidCellError(f"module {index}: matrix must be square: it is {shape}")
    size = max((len(array) for array in arrays), default=0)
    stacked = np.zeros((len(arrays), size, size), dtype=np.result_type(np.int8, *arrays))
    for array, to in zip(arrays, stacked, strict=True):
        to[: len(array), : len(array)] = array
    return stacked


def _numbers(values: Any, what: str) -> Array:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InvalidCellError(f"{what} must be square: its rows have different lengths") from error
    if array.dtype.kind not in "biuf":
        if array.size == 0:
            return array.astype(np.int8)
        raise InvalidCellError(f"{what} must hold numbers 0 and 1, not {array.dtype} entries")
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        array = array.astype(np.float64)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _from_graph(graph: Any) -> tuple[Array, list[Any]]:
    """Read a networkx DiGraph whose nodes have an attribute ``op``, in a topological order."""
    if not (hasattr(graph, "nodes") and hasattr(graph, "edges") and hasattr(graph, "successors")):
        raise InvalidCellError(
            "ops are missing: give Cell(matrix, ops), "
            "or a networkx DiGraph whose nodes have the attribute 'op'"
        )
    labels = {node: data.get("op") for node, data in graph.nodes(data=True)}
    for node, label in labels.items():
        if label is None:
            raise InvalidCellError(f"node {node!r} of the graph has no attribute 'op'")
    order = _topological(graph, labels)
    place = {node: i for i, node in enumerate(order)}
    matrix = np.zeros((len(order), len(order)), dtype=np.int8)
    for source, target in graph.edges():
        matrix[place[source], place[target]] = 1
    return matrix, [labels[node] for node in order]


def _topological(graph: Any, labels: dict[Any, Any]) -> Sequence[Any]:
    """Input first, output last, the rest by their edges and then as the graph lists them."""
    rank = {INPUT: 0, -1: 0, OUTPUT: 2, -2: 2}
    waiting = {node: sum(1 for _ in graph.predecessors(node)) for node in graph.nodes}
    order: list[Any] = []
    while waiting:
        ready = [node for node, count in waiting.items() if count == 0]
        if not ready:
            raise InvalidCellError(f"the graph has a cycle through node {next(iter(waiting))!r}")
        node = min(ready, key=lambda node: rank.get(labels[node], 1))
        order.append(node)
        del waiting[node]
        for target in graph.successors(node):
            if target in waiting:
                waiting[target] -= 1
    return order
