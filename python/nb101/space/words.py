"""How a cell lies in two words of 64 bits: the core's packing, for what Python does to cells.

Edge (x, y), x < y, is bit ``x + y (y - 1) / 2`` of the word of edges. The word of labels has the
number of vertices in its four highest bits, and the op of interior vertex v in the four bits from
``4 (9 - v)`` up, so that words compare as lists of ops do.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Place = TypeVar("Place", int, npt.NDArray[np.int64])

VERTICES = 60
"""The lowest of the four bits that hold the number of vertices."""
NIBBLE = 15
"""The highest code of an op."""


def edge_bit(x: Place, y: Place) -> Place:
    """Return the number of the bit of an edge, ``x < y``; of many edges at once for arrays."""
    return x + y * (y - 1) // 2


def num_pairs(vertices: int) -> int:
    """Return how many edges a cell of so many vertices can have: the bits that it may use."""
    return edge_bit(0, vertices)


def op_shift(vertex: int) -> int:
    """Return the lowest bit of the op of an interior vertex, from 1 on."""
    return 4 * (9 - vertex)


def has_edge(edges: int, x: int, y: int) -> bool:
    """Whether there is an edge from `x` to `y`, ``x < y``."""
    return bool(edges >> edge_bit(x, y) & 1)


def edge_list(edges: int, vertices: int) -> list[tuple[int, int]]:
    """Return all edges as pairs of vertices, sorted."""
    pairs = ((x, y) for x in range(vertices) for y in range(x + 1, vertices))
    return [(x, y) for x, y in pairs if has_edge(edges, x, y)]


def vertices_of(labels: int) -> int:
    """Return the number of vertices, input and output included."""
    return labels >> VERTICES


def codes_of(labels: int) -> tuple[int, ...]:
    """Return the code of each interior vertex."""
    interior = range(1, vertices_of(labels) - 1)
    return tuple(labels >> op_shift(vertex) & NIBBLE for vertex in interior)


def pack_labels(codes: list[int]) -> int:
    """Undo `codes_of`."""
    labels = len(codes) + 2 << VERTICES
    for vertex, code in enumerate(codes, 1):
        labels |= code << op_shift(vertex)
    return labels
