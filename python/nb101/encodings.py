"""Cells as vectors: what predictors and Bayesian optimisers take (White et al. 2020).

Each encoding is an array with a row for each cell, computed for whole batches in Rust. Vertices are
those of the reference form. A cell of fewer vertices than its space has keeps them at the front,
but for output, which is the last of the space: the places between them are empty.

Sources: the encodings of edges are those of the search benchmark of the paper (Ying et al. 2019,
section 4.3 and its supplement); the path encoding is that of White, Neiswanger, Savani: BANANAS
(AAAI 2021, arXiv 1910.11858); White, Neiswanger, Nolen, Savani: A Study on Encodings for Neural
Architecture Search (NeurIPS 2020, arXiv 2007.04965) compares them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101._base.checks import check_whole
from nb101.errors import ArgumentError, OutOfSpaceError, SpaceError
from nb101.space.cell import Cell
from nb101.space.cells import Cells
from nb101.space.default import space_of
from nb101.space.search_space import SearchSpace
from nb101.space.words import num_pairs

Bits = npt.NDArray[np.uint8]
Array = npt.NDArray[Any]

__all__ = [
    "adjacency_categorical",
    "adjacency_continuous",
    "adjacency_one_hot",
    "from_categorical",
    "from_continuous",
    "from_one_hot",
    "path_encoding",
    "path_names",
    "structural_feature_names",
    "structural_features",
]


def __dir__() -> list[str]:
    return sorted(__all__)


MOST_COLUMNS = 1 << 20
"""Columns of an array of paths; larger spaces need a `length`."""


def adjacency_one_hot(cells: Any, space: SearchSpace | None = None) -> Bits:
    """One-hot adjacency encoding: a flag for each possible edge, and for each vertex and op.

    Parameters
    ----------
    cells
        `Cells`, a `Cell`, or a list of them.
    space
        The space that they are of; NAS-Bench-101 by default.

    Returns
    -------
    Array of shape ``(n, v (v - 1) / 2 + (v - 2) k)`` and type uint8, for v vertices and k ops:
    first the upper triangle of the matrix, row by row, then k flags for each interior vertex, all
    0 where the cell has none. 36 columns for NAS-Bench-101.

    Raises
    ------
    OutOfSpaceError, UnknownOpError
        If a cell is not of the space.

    Examples
    --------
    >>> import nb101
    >>> cell = nb101.Cell("011001000", "input,maxpool3x3,output")
    >>> adjacency_one_hot(cell, nb101.SearchSpace(3, 3))
    array([[1, 1, 1, 0, 0, 1]], dtype=uint8)
    """
    words, space = _words(cells, space)
    return _core.encode_one_hot(*words, _frame(space))


def adjacency_categorical(cells: Any, space: SearchSpace | None = None) -> npt.NDArray[np.int8]:
    """Categorical adjacency encoding: the number of each edge, and the op of each vertex.

    Possible edges are numbered as in `adjacency_one_hot`: row by row, from 0.

    Parameters
    ----------
    cells, space
        As in `adjacency_one_hot`.

    Returns
    -------
    Array of shape ``(n, e + v - 2)`` and type int8, for at most e edges and v vertices: first the
    edges, ascending, the last one again where there are fewer than e; then the op code of each
    interior vertex, -1 where the cell has none. 14 columns for NAS-Bench-101.

    Raises
    ------
    OutOfSpaceError, UnknownOpError
        If a cell is not of the space.
    """
    words, space = _words(cells, space)
    return _core.encode_categorical(*words, _frame(space))


def adjacency_continuous(cells: Any, space: SearchSpace | None = None) -> npt.NDArray[np.float32]:
    """Continuous adjacency encoding: a number for each possible edge, and how many edges there are.

    A vector stands for the cell with its `num_edges` edges of the highest numbers; what is made
    here has 1 for edges that there are, and 0 for others.

    Parameters
    ----------
    cells, space
        As in `adjacency_one_hot`.

    Returns
    -------
    Array of shape ``(n, v (v - 1) / 2 + 1 + v - 2)`` and type float32: first the possible edges,
    as in `adjacency_one_hot`; then the number of edges; then the op code of each interior vertex,
    -1 where the cell has none. 27 columns for NAS-Bench-101.

    Raises
    ------
    OutOfSpaceError, UnknownOpError
        If a cell is not of the space.
    """
    words, space = _words(cells, space)
    frame = _frame(space)
    pairs = num_pairs(space.max_vertices)
    edges = _core.encode_one_hot(*words, frame)[:, :pairs]
    ops = _core.encode_categorical(*words, frame)[:, frame[1] :]
    count = edges.sum(axis=1, dtype=np.float32)[:, np.newaxis]
    return np.concatenate([edges.astype(np.float32), count, ops.astype(np.float32)], axis=1)


def path_encoding(
    cells: Any,
    space: SearchSpace | None = None,
    *,
    length: int | None = None,
    counts: bool = False,
) -> Bits:
    """Path encoding: which sequences of ops lead from input to output.

    Of k ops, sequence ``o1, o2, ..., ol`` is column ``(o1 + 1) + (o2 + 1) k + ... + (ol + 1)
    k^(l - 1)``, so that the edge from input to output is column 0 and shorter paths come first.

    Parameters
    ----------
    cells, space
        As in `adjacency_one_hot`.
    length
        How many columns to make: the truncated encoding. A fraction of the 364 of NAS-Bench-101,
        such as 40, loses little, since long paths are rare.
    counts
        Whether to count the paths of a sequence instead of flagging that there is one.

    Returns
    -------
    Array of shape ``(n, 1 + k + ... + k^(v - 2))`` or ``(n, length)`` and type uint8; counts stop
    at 255.

    Raises
    ------
    OutOfSpaceError, UnknownOpError
        If a cell is not of the space.
    SpaceError
        If the space has over 2^20 sequences and no `length` is given.
    """
    words, space = _words(cells, space)
    total = sum(len(space.ops) ** i for i in range(space.max_vertices - 1))
    if length is None:
        if total > MOST_COLUMNS:
            raise SpaceError(
                f"this space has {total:,} op sequences, too many for an array: give a length"
            )
        length = total
    width = min(check_whole("length", length), total)
    found = _core.encode_paths(*words, _frame(space), width)
    return found if counts else np.minimum(found, 1)


def path_names(space: SearchSpace | None = None, *, length: int | None = None) -> list[str]:
    """Return the op sequence of each column of `path_encoding`: names joined by commas."""
    space = space_of(space)
    total = sum(len(space.ops) ** i for i in range(space.max_vertices - 1))
    count = total if length is None else min(check_whole("length", length), total)
    if count > MOST_COLUMNS:
        raise SpaceError(f"this space has {count:,} op sequences, too many: give a length")
    names = []
    for number in range(count):
        ops = []
        while number:
            number, op = divmod(number - 1, len(space.ops))
            ops.append(space.ops[op])
        names.append(",".join(ops))
    return names


def structural_features(cells: Any, space: SearchSpace | None = None) -> npt.NDArray[np.float32]:
    """Describe cells in numbers: what `nb101.predict` learns from.

    Counts and degrees by op; edges, walks of two edges, and sums and concatenations by the ops at
    their ends; channels and weights by op (section 2.3 of the paper); how far ops are from input
    and output; and how many of each op lie along the paths from input to output, with each path
    weighted equally or by its share of what reaches output. `structural_feature_names` has the
    list. Sizes that grow fast are logarithms.

    Parameters
    ----------
    cells, space
        As in `adjacency_one_hot`.

    Returns
    -------
    Array of shape ``(n, len(structural_feature_names(space)))`` and type float32.

    Raises
    ------
    OutOfSpaceError, UnknownOpError
        If a cell is not of the space, or the cost of an op is not known.
    """
    words, space = _words(cells, space)
    return _core.structural_features(*words, list(space.ops), space.max_vertices)


def structural_feature_names(space: SearchSpace | None = None) -> list[str]:
    """Return the name of each column of `structural_features`."""
    space = space_of(space)
    return _core.structural_feature_names(list(space.ops))


def from_one_hot(vectors: Any, space: SearchSpace | None = None) -> Cells:
    """Return the cells of one-hot adjacency vectors.

    Vertices off every path from input to output are dropped, so that any flags of edges will do;
    of the flags of a vertex's op the highest counts.

    Raises
    ------
    DisconnectedError
        If input does not reach output; `index` is the row.
    ArgumentError
        If the shape is wrong.
    """
    space = space_of(space)
    pairs, interior, k = num_pairs(space.max_vertices), space.max_vertices - 2, len(space.ops)
    array = _matrix(vectors, pairs + interior * k)
    ops = array[:, pairs:].reshape(len(array), interior, k).argmax(axis=2)
    return _cells(array[:, :pairs] > 0.5, ops, space)


def from_categorical(vectors: Any, space: SearchSpace | None = None) -> Cells:
    """Return the cells of categorical adjacency vectors; edges may come twice and in any order.

    Vertices without an op (-1) must have no path through them.

    Raises
    ------
    DisconnectedError
        If input does not reach output; `index` is the row.
    ArgumentError
        If the shape is wrong, or an edge or op is out of range.
    """
    space = space_of(space)
    pairs, slots = num_pairs(space.max_vertices), _frame(space)[1]
    array = _whole(_matrix(vectors, slots + space.max_vertices - 2))
    chosen = array[:, :slots]
    if ((chosen < 0) | (chosen >= pairs)).any():
        raise ArgumentError(f"edges are numbered from 0 to {pairs - 1}", field="vectors")
    edges = np.zeros((len(array), pairs), dtype=bool)
    edges[np.arange(len(array))[:, np.newaxis], chosen] = True
    return _cells(edges, array[:, slots:], space)


def from_continuous(vectors: Any, space: SearchSpace | None = None) -> Cells:
    """Return the cells of continuous adjacency vectors: those with the edges of highest numbers.

    Of equal numbers the edge that comes first is taken first.

    Raises
    ------
    DisconnectedError
        If input does not reach output; `index` is the row.
    ArgumentError
        If the shape is wrong, or a number of edges is out of range.
    """
    space = space_of(space)
    pairs = num_pairs(space.max_vertices)
    array = _matrix(vectors, pairs + 1 + space.max_vertices - 2)
    count = np.rint(array[:, pairs])
    if ((count < 0) | (count > pairs)).any() or np.isnan(count).any():
        raise ArgumentError(f"the number of edges must be from 0 to {pairs}", field="vectors")
    rank = np.argsort(np.argsort(-array[:, :pairs], axis=1, kind="stable"), axis=1)
    return _cells(rank < count[:, np.newaxis], _whole(np.rint(array[:, pairs + 1 :])), space)


def _cells(edges: npt.NDArray[np.bool_], ops: Array, space: SearchSpace) -> Cells:
    v = space.max_vertices
    matrices = np.zeros((len(edges), v, v), dtype=np.int8)
    rows, columns = np.triu_indices(v, 1)
    matrices[:, rows, columns] = edges
    if ((ops < -1) | (ops >= len(space.ops))).any():
        raise ArgumentError(
            f"op codes are from 0 to {len(space.ops) - 1}, or -1 for none", field="vectors"
        )
    # A vertex without an op has no edges that count, whatever the vector says.
    none = np.flatnonzero((ops < 0).any(axis=0)) + 1
    for vertex in none.tolist():
        lacking = ops[:, vertex - 1] < 0
        matrices[lacking, vertex, :] = 0
        matrices[lacking, :, vertex] = 0
    codes = np.zeros((len(edges), v), dtype=np.int8)
    codes[:, 0], codes[:, -1] = -1, -2
    codes[:, 1:-1] = np.maximum(ops, 0)
    return Cells.from_modules(matrices, codes, op_names=space.ops)


def _whole(array: Array) -> npt.NDArray[np.int64]:
    """Make whole numbers; what no code can be stays none, however large."""
    return np.clip(array, -2, 1 << 20).astype(np.int64)


def _matrix(vectors: Any, width: int) -> Array:
    try:
        array = np.atleast_2d(np.asarray(vectors))
    except (TypeError, ValueError):
        raise ArgumentError(
            f"vectors must be of shape (n, {width}): their lengths differ", field="vectors"
        ) from None
    if array.ndim != 2 or array.shape[1] != width or array.dtype.kind not in "biuf":
        raise ArgumentError(
            f"vectors must be numbers of shape (n, {width}), not {array.dtype} of {array.shape}",
            field="vectors",
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ArgumentError("vectors must be finite numbers", field="vectors")
    return array


def _words(
    cells: Any, space: SearchSpace | None
) -> tuple[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]], SearchSpace]:
    space = space_of(space)
    if isinstance(cells, Cell):
        cells = [cells]
    if not isinstance(cells, Cells) or cells.op_names != space.ops:
        cells = Cells(cells, op_names=space.ops)
    for what, counts, limit in (
        ("vertices", cells.vertices, space.max_vertices),
        ("edges", cells.num_edges, space.max_edges),
    ):
        wrong = np.flatnonzero(counts > limit)
        if wrong.size:
            row = int(wrong[0])
            error = OutOfSpaceError(f"too many {what}: {counts[row]}, and the space allows {limit}")
            raise error.at(f"cell {row}", row)
    return cells.words, space


def _frame(space: SearchSpace) -> tuple[int, int, int]:
    return space.max_vertices, space.max_edges, len(space.ops)
