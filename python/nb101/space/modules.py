"""Raw modules as people write them: nested lists, arrays, networkx graphs.

What comes out are arrays that the Rust side reads: matrices of shape ``(n, v, v)`` and op codes of
shape ``(n, v)``, padded with -3 where modules differ in size.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101._base.checks import iterated
from nb101.errors import InvalidCellError
from nb101.space.ops import INPUT, OUTPUT, PADDING_CODE, encode

Array = npt.NDArray[Any]


def one_module(matrix: Any, ops: Any, names: tuple[str, ...]) -> tuple[Array, Array]:
    """Arrays of one module, shapes ``(1, v, v)`` and ``(1, v)``."""
    if ops is None:
        matrix, ops = _from_graph(matrix)
    array = _numbers(matrix, "matrix")
    if array.ndim != 2:
        raise InvalidCellError(f"matrix must have two dimensions, not {array.ndim}")
    codes = np.array(encode(_listed(ops, "ops"), names), dtype=np.int64)
    return np.ascontiguousarray(array)[np.newaxis], codes[np.newaxis]


def many_modules(
    matrices: Any, ops: Any, names: tuple[str, ...], *, any_code: bool = False
) -> tuple[Array, Array]:
    """Arrays of many modules; labels may be names or codes, codes past `names` if `any_code`."""
    matrices, ops = (np.asarray(x) if isinstance(x, memoryview) else x for x in (matrices, ops))
    if isinstance(matrices, np.ndarray) and matrices.dtype != object:
        stacked = _numbers(matrices, "matrices")
        sizes = [stacked.shape[1]] * len(stacked) if stacked.ndim == 3 else []
    else:
        arrays = []
        for index, matrix in enumerate(_listed(matrices, "matrices")):
            try:
                arrays.append(_square(matrix))
            except InvalidCellError as error:
                raise error.at(f"module {index}", index) from None
        sizes = [len(array) for array in arrays]
        stacked = _stack(arrays)
    if stacked.ndim != 3:
        raise InvalidCellError(f"matrices must have shape (n, v, v), not {stacked.shape}")
    if isinstance(ops, np.ndarray) and ops.dtype.kind in "biuf":
        codes = _numbers(ops, "ops")
        if codes.ndim != 2:
            raise InvalidCellError(f"ops must have shape (n, v), not {codes.shape}")
        _check_rows(len(stacked), len(codes))
    else:
        codes = _codes(_listed(ops, "ops"), sizes, stacked.shape[1], names, any_code)
    return np.ascontiguousarray(stacked), np.ascontiguousarray(codes)


def _codes(
    rows: list[Any], sizes: list[int], size: int, names: tuple[str, ...], any_code: bool
) -> Array:
    _check_rows(len(sizes), len(rows))
    checked = []
    for index, (row, own) in enumerate(zip(rows, sizes, strict=True)):
        try:
            checked.append(_labels(row, own, names, any_code))
        except InvalidCellError as error:
            raise error.at(f"module {index}", index) from None
    # Floats are kept: the parser names those that are no whole numbers.
    codes = np.full((len(rows), size), PADDING_CODE, dtype=np.result_type(np.int64, *checked))
    for to, values in zip(codes, checked, strict=True):
        to[: len(values)] = values
    return _numbers(codes, "ops")


def _check_rows(matrices: int, rows: int) -> None:
    if matrices != rows:
        raise InvalidCellError(
            f"{matrices} matrices but {rows} rows of ops: one row for each matrix is needed"
        )


def _labels(row: Any, vertices: int, names: tuple[str, ...], any_code: bool) -> Array:
    labels = _listed(row, "ops")
    if len(labels) != vertices:
        raise InvalidCellError(
            f"length of ops must match matrix dimensions: {len(labels)} ops for {vertices} vertices"
        )
    if not any_code or any(isinstance(label, str) for label in labels):
        labels = encode(labels, names)
    try:
        values = np.array(labels)
    except (TypeError, ValueError):
        raise InvalidCellError("ops must be a flat list of labels") from None
    if vertices and (values.ndim != 1 or values.dtype.kind not in "biuf"):
        raise InvalidCellError(f"ops must be names or integer codes, not {labels!r}")
    return values


def _listed(values: Any, what: str) -> list[Any]:
    if isinstance(values, memoryview):
        values = np.asarray(values)
    if isinstance(values, np.ndarray) and values.ndim:
        return values.tolist() if values.ndim == 1 else list(values)
    listed = None if isinstance(values, (str, bytes)) else iterated(values)
    if listed is None:
        raise InvalidCellError(f"{what} must be a list or an array, not {values!r}")
    return listed


def _square(matrix: Any) -> Array:
    array = _numbers(matrix, "matrix")
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        shape = " x ".join(map(str, array.shape)) or "a single number"
        hint = "; one module is given as a list of one" if array.ndim < 2 else ""
        raise InvalidCellError(f"matrix must be square: it is {shape}{hint}")
    return array


def _stack(arrays: list[Array]) -> Array:
    size = max((len(array) for array in arrays), default=0)
    stacked = np.zeros((len(arrays), size, size), dtype=np.result_type(np.int8, *arrays))
    for array, to in zip(arrays, stacked, strict=True):
        to[: len(array), : len(array)] = array
    return stacked


def _numbers(values: Any, what: str) -> Array:
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise InvalidCellError(f"{what} must be square: its rows have different lengths") from error
    if array.dtype == object and array.ndim:
        array = _from_objects(array, what)
    if array.dtype.kind not in "biuf":
        if array.size == 0:
            return array.astype(np.int8)
        raise InvalidCellError(f"{what} must hold numbers 0 and 1, not {array.dtype} entries")
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        rounded = array.astype(np.float64)
        # What float64 cannot hold is no integer of use; NaN marks it as wrong.
        array = np.where(rounded == array, rounded, np.nan)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _from_objects(array: Array, what: str) -> Array:
    """Read Python objects one by one: they may be numbers all the same."""
    for place, value in np.ndenumerate(array):
        if not isinstance(value, (int, float, np.number)) or not -(2**62) < value < 2**62:
            where = ", ".join(map(str, place))
            raise InvalidCellError(
                f"{what} must hold numbers 0 and 1: entry ({where}) is {value!r}"
            )
    return array.astype(np.float64)


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
        if not isinstance(label, (str, int, np.integer)):
            raise InvalidCellError(
                f"node {node!r} of the graph: 'op' must be a name or a code, not {label!r}"
            )
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
