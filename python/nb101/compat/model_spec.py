"""The original's `ModelSpec`: a matrix and labels, pruned, whose vertices keep their order."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101._base.checks import iterated
from nb101.compat.graph_util import hash_module
from nb101.errors import DisconnectedError, InvalidCellError, MissingExtraError, UnknownOpError
from nb101.space.ops import INPUT, OUTPUT

if TYPE_CHECKING:
    import graphviz

Matrix = npt.NDArray[Any]

_MADE = ("original_matrix", "original_ops", "matrix", "ops")
"""Attributes that are made on first use."""
_Labelled = tuple[int, tuple[Any, ...]]
"""Edges as a mask, see `nb101.space.words`, and ops."""


class ModelSpec:
    """A cell as a matrix and labels, pruned, with the order of its vertices kept.

    Parameters
    ----------
    matrix
        Upper-triangular adjacency matrix of 0 and 1, shape ``(v, v)``: nested lists or an array.
    ops
        A label for each vertex. They can be anything until the cell is hashed or looked up.
    data_format
        Kept for programs that ask for it.

    Attributes
    ----------
    original_matrix, original_ops
        Copies of what was given.
    matrix, ops
        The array and list without the vertices off every path from input to output; `None` if there
        is no such path.
    valid_spec
        Whether there is.

    Raises
    ------
    InvalidCellError
        If the matrix is not square, not upper triangular, or does not match the labels. It is a
        ValueError.

    Examples
    --------
    >>> spec = ModelSpec([[0, 1, 1], [0, 0, 0], [0, 0, 0]], ["input", "maxpool3x3", "output"])
    >>> spec.ops
    ['input', 'output']
    """

    original_matrix: Matrix
    original_ops: list[Any]
    matrix: Matrix | None
    ops: list[Any] | None
    _read: tuple[_Labelled, _Labelled | None]

    def __init__(self, matrix: Any, ops: Any, data_format: str = "channels_last") -> None:
        # Of nested lists the arrays are made when they are asked for: 2.3 us less.
        if type(self) is ModelSpec and type(matrix) is list and type(ops) is list:
            read = _core.read_lists(matrix, ops)
            if read is not None:
                self._read = read
                self.valid_spec = read[1] is not None
                self.data_format = data_format
                return
        array = _new_array(matrix)
        labels: list[Any] = ops.tolist() if isinstance(ops, np.ndarray) else (iterated(ops) or [])
        if array.ndim != 2 or array.shape[0] != array.shape[1]:
            raise InvalidCellError("matrix must be square")
        if len(labels) != len(array):
            raise InvalidCellError("length of ops must match matrix dimensions")
        kept = _on_paths(array)
        self.original_matrix = array
        self.original_ops = labels
        self.matrix = None
        self.ops = None
        self.valid_spec = bool(kept)
        self.data_format = data_format
        if len(kept) == len(labels):
            self.matrix, self.ops = array.copy(), labels.copy()
        elif kept:
            self.matrix = array.take(kept, 0).take(kept, 1)
            self.ops = [labels[vertex] for vertex in kept]

    def __getattr__(self, name: str) -> Any:
        """Make all four arrays and lists, of which one is asked for the first time."""
        own = self.__dict__
        if name in _MADE:
            read = own.get("_read")
            if read is not None:
                (edges, ops), pruned = read
                matrix = _new_matrix(edges, len(ops))
                made = [matrix, list(ops), None, None]
                if pruned is not None:
                    edges, kept = pruned
                    whole = len(kept) == len(ops)
                    made[2:] = matrix.copy() if whole else _new_matrix(edges, len(kept)), list(kept)
                for key, value in zip(_MADE, made, strict=True):
                    # What a program, or another thread, has put there stays.
                    own.setdefault(key, value)
                own.pop("_read", None)
            if name in own:
                return own[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        own = self.__dict__
        if "_read" in own:
            self.__getattr__(_MADE[0])
        return {name: own[name] for name in _MADE if name in own} | own

    def _untouched(self) -> _Labelled | None:
        """Return the pruned cell, if it was read from lists and left as it was."""
        own = self.__dict__
        read: tuple[_Labelled, _Labelled | None] | None = own.get("_read")
        if read is None or "matrix" in own or "ops" in own or not self.valid_spec:
            return None
        return read[1]

    def hash_spec(self, canonical_ops: list[Any]) -> str:
        """Return the fingerprint of the pruned cell: 32 hexadecimal digits.

        Parameters
        ----------
        canonical_ops
            The labels of interior vertices, in the order of their codes.

        Raises
        ------
        InvalidCellError
            If input does not reach output, a label is not among them, or an entry of the matrix is
            neither 0 nor 1.
        """
        matrix, ops = self.pruned()
        codes = []
        for op in ops[1:-1]:
            if op not in canonical_ops:
                raise UnknownOpError(f"unknown op {op!r}: known are {listed(canonical_ops)}")
            codes.append(canonical_ops.index(op))
        return hash_module(matrix, [-1, *codes, -2])

    def visualize(self) -> "graphviz.Digraph":
        """Return the pruned cell as a graph that notebooks draw.

        Raises
        ------
        MissingExtraError
            If graphviz is not installed (``pip install 'nb101[compat]'``). It is an ImportError.
        DisconnectedError
            If input does not reach output.
        """
        matrix, ops = self.pruned()
        try:
            import graphviz
        except ModuleNotFoundError as error:
            message = "visualize needs graphviz: pip install 'nb101[compat]'"
            raise MissingExtraError(message, name="graphviz") from error
        graph = graphviz.Digraph()
        for vertex, op in enumerate([INPUT, *ops[1:-1], OUTPUT]):
            graph.node(str(vertex), str(op))
        for source, target in np.argwhere(matrix).tolist():
            graph.edge(str(source), str(target))
        return graph

    def pruned(self) -> tuple[Matrix, list[Any]]:
        """Return `matrix` and `ops`.

        Raises
        ------
        DisconnectedError
            If input does not reach output.
        """
        if self.matrix is None or self.ops is None:
            raise DisconnectedError("no path leads from input to output")
        return self.matrix, self.ops


def _new_array(matrix: Any) -> Matrix:
    try:
        array = np.array(matrix)
    except ValueError as error:
        # Rows of different lengths.
        raise InvalidCellError("matrix must be square") from error
    if array.dtype.kind not in "biufO":
        raise InvalidCellError(f"matrix must hold numbers 0 and 1, not {array.dtype} entries")
    return array


def _new_matrix(edges: int, vertices: int) -> Matrix:
    """Return what NumPy makes of nested lists of ints."""
    entries = np.frombuffer(_core.matrix_bytes(edges, vertices), np.int8)
    return entries.reshape(vertices, vertices).astype(int)


def _on_paths(matrix: Matrix) -> list[int]:
    """Return the vertices on a path from input to output.

    And check that edges lead from a vertex to a later one.
    """
    there = matrix if matrix.dtype.kind in "biu" else matrix != 0
    kept = _core.vertices_on_paths(there.tobytes(), len(matrix))
    if kept is None:
        raise InvalidCellError("matrix must be upper triangular")
    return kept


def listed(values: Any) -> str:
    """Return values as a message names them."""
    return ", ".join(map(str, sorted(values) if isinstance(values, set) else values))
