"""The original's functions on graphs: adjacency matrices with a label for each vertex.

Matrices are NumPy arrays or nested lists. Nothing is pruned, and no size is too large.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101.errors import ArgumentError, InvalidCellError
from nb101.space.words import has_edge

Matrix = npt.NDArray[Any]
Graph = tuple[Any, Sequence[Any]]
"""A matrix and its labels."""


def gen_is_edge_fn(bits: int) -> Callable[[Any, Any], Any]:
    """Return the function that tells whether there is an edge from x to y in a bitmask.

    Edge (x, y), x < y, is bit ``x + y (y - 1) / 2``. A mask of a small graph therefore names the
    same edges in a larger one. The function takes numbers or arrays of them, as np.fromfunction
    gives, and returns an array of 0 and 1 of their shape.
    """

    def is_edge(x: int, y: int) -> int:
        # np.fromfunction may give floats.
        x, y = int(x), int(y)
        return int(x < y and has_edge(int(bits), x, y))

    return np.vectorize(is_edge, otypes=[int])


def is_full_dag(matrix: Any) -> bool:
    """Whether each vertex but the last has an out-edge, and each but the first an in-edge."""
    there = np.asarray(matrix) != 0
    return bool(there[:-1].any(axis=1).all() and there[:, 1:].any(axis=0).all())


def is_upper_triangular(matrix: Any) -> bool:
    """Whether all edges lead from a vertex to a later one."""
    return not np.tril(np.asarray(matrix)).any()


def num_edges(matrix: Any) -> int:
    """Return the number of edges."""
    return int(np.sum(matrix))


def hash_module(matrix: Any, labeling: Sequence[int]) -> str:
    """Return the fingerprint of a graph as it is: 32 hexadecimal digits.

    Parameters
    ----------
    matrix
        Adjacency matrix of 0 and 1 of any integer, bool or float type, shape ``(v, v)``.
    labeling
        An integer for each vertex: -1 for input, the op's index, -2 for output.

    Raises
    ------
    InvalidCellError
        If the matrix is not square, has other entries, or does not fit the labels.
    """
    rows = integers(matrix)
    if len(rows) != len(labeling):
        raise InvalidCellError(
            f"length of labels must match matrix dimensions: {len(labeling)} labels for "
            f"{len(rows)} vertices"
        )
    inputs = [[x for x, entry in enumerate(column) if entry] for column in zip(*rows, strict=True)]
    return _core.hash_graph(inputs, [int(label) for label in labeling])


def permute_graph(
    graph: Any, label: Sequence[Any], permutation: Sequence[int]
) -> tuple[Matrix, list[Any]]:
    """Return a graph with its vertices in another order: vertex v goes to ``permutation[v]``.

    Raises
    ------
    ArgumentError
        If that is no permutation of the vertices.
    """
    if sorted(permutation) != list(range(len(label))):
        raise ArgumentError(
            f"{list(permutation)} is no permutation of {len(label)} vertices", field="permutation"
        )
    inverse = sorted(range(len(label)), key=lambda v: permutation[v])
    return np.asarray(graph)[np.ix_(inverse, inverse)], [label[v] for v in inverse]


def is_isomorphic(graph1: Graph, graph2: Graph) -> bool:
    """Whether some order of the vertices turns one graph, with its labels, into the other.

    All orders count: neither must the matrices be upper triangular, nor do input and output keep
    their places unless their labels make them.

    Parameters
    ----------
    graph1, graph2
        Pairs of a matrix of shape ``(v, v)`` and v labels.
    """
    a, b = _described(graph1), _described(graph2)
    n = len(a[1])
    if n != len(b[1]) or any(a[1].count(kind) != b[1].count(kind) for kind in a[1]):
        return False
    place: list[int] = []

    def fits(v: int, w: int) -> bool:
        if a[1][v] != b[1][w] or w in place or a[0][v][v] != b[0][w][w]:
            return False
        return all(
            a[0][v][x] == b[0][w][y] and a[0][x][v] == b[0][y][w] for x, y in enumerate(place)
        )

    def extend() -> bool:
        if len(place) == n:
            return True
        for w in range(n):
            if fits(len(place), w):
                place.append(w)
                if extend():
                    return True
                place.pop()
        return False

    return extend()


def _described(graph: Graph) -> tuple[list[list[bool]], list[Any]]:
    """Edges, and what vertices that can take each other's places have in common."""
    matrix, labels = graph
    there = np.asarray(matrix) != 0
    if there.shape != (len(labels), len(labels)):
        raise InvalidCellError(f"{len(labels)} labels do not fit a matrix of shape {there.shape}")
    degrees = zip(there.sum(axis=0).tolist(), there.sum(axis=1).tolist(), strict=True)
    return there.tolist(), [(label, *two) for label, two in zip(labels, degrees, strict=True)]


def integers(matrix: Any) -> list[list[int]]:
    """Return the rows of a matrix as lists of 0 and 1.

    Raises
    ------
    InvalidCellError
        If it is not square, or has other entries.
    """
    array = np.asarray(matrix)
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise InvalidCellError("matrix must be square")
    there = array != 0
    wrong = np.argwhere((array != 1) & there)
    if len(wrong):
        x, y = wrong[0].tolist()
        raise InvalidCellError(
            f"matrix entries must be 0 or 1: entry ({x}, {y}) is {array.tolist()[x][y]!r}"
        )
    rows: list[list[int]] = there.astype(np.int8).tolist()
    return rows
