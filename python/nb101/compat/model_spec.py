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

    def __init__(self, matrix: Any, ops: Any, data_format: str = "channels_last") -> None:
        array = _new_array(matrix)
        labels: list[Any] = ops.tolist() if isinstance(ops, np.ndarray) else (iterated(ops) or [])
        if array.ndim != 2 or array.shape[0] != array.shape[1]:
            raise InvalidCellError("matrix must be square")
        if len(labels) != len(array):
            raise InvalidCellError("length of ops must match matrix dimensions")
        kept = _on_paths(array)
        self.original_matrix = array
        self.original_ops = labels
        self.matrix: Matrix | None = None
        self.ops: list[Any] | None = None
        self.valid_spec = bool(kept)
        self.data_format = data_format
        if len(kept) == len(labels):
            self.matrix, self.ops = array.copy(), labels.copy()
        elif kept:
            self.matrix = array.take(kept, 0).take(kept, 1)
            self.ops = [labels[vertex] for vertex in kept]

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
