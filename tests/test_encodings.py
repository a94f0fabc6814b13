"""Encodings against plain loops over vertices and paths, and back to cells."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nb101
import oracle
from nb101 import encodings
from strategies import pruned

SMALL = nb101.SearchSpace(5, 7)


def plain_one_hot(cell: nb101.Cell, space: nb101.SearchSpace) -> list[int]:
    v, k = space.max_vertices, len(space.ops)
    place = [*range(cell.vertices - 1), v - 1]
    matrix = np.zeros((v, v), dtype=int)
    for x, y in cell.edge_list():
        matrix[place[x], place[y]] = 1
    flags = np.zeros((v - 2, k), dtype=int)
    for vertex, code in enumerate(cell.codes[1:-1]):
        flags[vertex, code] = 1
    upper = [matrix[x, y] for x in range(v) for y in range(x + 1, v)]
    return [*upper, *flags.ravel()]


def plain_paths(cell: nb101.Cell) -> list[tuple[int, ...]]:
    """Ops along every path from input to output."""
    found = []

    def follow(vertex: int, ops: tuple[int, ...]) -> None:
        for x, y in cell.edge_list():
            if x == vertex and y == cell.vertices - 1:
                found.append(ops)
            elif x == vertex:
                follow(y, (*ops, cell.codes[y]))

    follow(0, ())
    return found


@given(st.data(), pruned(max_vertices=6))
def test_any_cell_of_any_space(draw: st.DataObject, module: oracle.Module) -> None:
    names = [f"op{i}" for i in range(draw.draw(st.integers(3, 5)))]
    cell = nb101.Cell(*module, op_names=names)
    v = draw.draw(st.integers(max(3, cell.vertices), 7))
    space = nb101.SearchSpace(v, draw.draw(st.integers(cell.edges, 25)), names)
    one_hot = encodings.adjacency_one_hot(cell, space)
    assert one_hot.tolist() == [plain_one_hot(cell, space)]
    assert encodings.from_one_hot(one_hot, space)[0] == cell
    k = len(space.ops)
    pairs = v * (v - 1) // 2
    edges = np.flatnonzero(one_hot[0, :pairs]).tolist()
    codes = [*cell.codes[1:-1], *[-1] * (v - cell.vertices)]
    slots = min(space.max_edges, pairs)
    categorical = encodings.adjacency_categorical(cell, space)
    assert categorical.tolist() == [[*edges, *edges[-1:] * (slots - len(edges)), *codes]]
    assert encodings.from_categorical(categorical, space)[0] == cell
    continuous = encodings.adjacency_continuous(cell, space)
    assert continuous.tolist() == [[*one_hot[0, :pairs], len(edges), *codes]]
    assert encodings.from_continuous(continuous, space)[0] == cell
    counts = encodings.path_encoding(cell, space, counts=True)
    assert counts.shape[1] == sum(k**i for i in range(v - 1))
    expected = np.zeros(counts.shape[1], dtype=int)
    for ops in plain_paths(cell):
        expected[sum((op + 1) * k**i for i, op in enumerate(ops))] += 1
    assert counts[0].tolist() == expected.tolist()
    assert encodings.path_encoding(cell, space)[0].tolist() == np.minimum(expected, 1).tolist()
    length = draw.draw(st.integers(1, counts.shape[1] + 5))
    some = encodings.path_encoding(cell, space, length=length, counts=True)
    assert some[0].tolist() == expected[:length].tolist()


def test_the_whole_space(cells: nb101.Cells) -> None:
    one_hot = encodings.adjacency_one_hot(cells)
    assert one_hot.shape == (423_624, 36)
    assert one_hot[:, :21].sum(axis=1).tolist() == cells.num_edges.tolist()
    assert one_hot[:, 21:].sum(axis=1).tolist() == (cells.vertices - 2).tolist()
    some = cells[::97]
    assert encodings.from_one_hot(encodings.adjacency_one_hot(some)) == some
    assert encodings.from_categorical(encodings.adjacency_categorical(some)) == some
    assert encodings.from_continuous(encodings.adjacency_continuous(some)) == some
    paths = encodings.path_encoding(cells)
    assert paths.shape == (423_624, 364)
    assert (paths.sum(axis=1) > 0).all()
    assert np.array_equal(encodings.path_encoding(cells, length=40), paths[:, :40])


def test_columns_of_paths_are_named() -> None:
    names = encodings.path_names()
    assert len(names) == len(set(names)) == 364
    assert names[:5] == [
        "",
        "conv3x3-bn-relu",
        "conv1x1-bn-relu",
        "maxpool3x3",
        "conv3x3-bn-relu,conv3x3-bn-relu",
    ]
    # The first op of a path is the one that changes from column to column.
    assert names[5] == "conv1x1-bn-relu,conv3x3-bn-relu"
    cell = nb101.Cell(
        [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]],
        ["input", "conv1x1-bn-relu", "conv3x3-bn-relu", "output"],
    )
    (column,) = np.flatnonzero(encodings.path_encoding(cell)[0])
    assert names[column] == "conv1x1-bn-relu,conv3x3-bn-relu"
    assert encodings.path_names(length=2) == names[:2]


def test_vectors_that_no_encoding_made() -> None:
    """Dangling vertices, edges given twice, and numbers that are only ranked."""
    vector: npt.NDArray[Any] = np.zeros(36)
    vector[[5, 20, 21, 24]] = 1  # input -> output, 5 -> output
    assert encodings.from_one_hot(vector)[0] == nb101.Cell("0100", "input,output")
    categorical = [20, 4, 4, 4, 20, 20, 4, 4, 20, -1, -1, -1, -1, 2]
    chain = nb101.Cell("010001000", "input,maxpool3x3,output")
    assert encodings.from_categorical(categorical)[0] == chain
    continuous = np.linspace(0, 0.1, 27)
    continuous[[4, 20, 21, 26]] = 0.7, 0.9, 2, 2
    continuous[22:26] = -1
    assert encodings.from_continuous(continuous)[0] == chain


def test_refusals(space: nb101.SearchSpace) -> None:
    cell = space[300_000]
    with pytest.raises(nb101.OutOfSpaceError, match="cell 0: too many vertices: 7, and the space"):
        encodings.adjacency_one_hot(cell, SMALL)
    dense = nb101.Cell([[int(x < y) for y in range(5)] for x in range(5)], [-1, 0, 0, 0, -2])
    with pytest.raises(nb101.OutOfSpaceError, match="cell 1: too many edges: 10"):
        encodings.path_encoding([SMALL[5], dense], SMALL)
    with pytest.raises(nb101.UnknownOpError):
        encodings.path_encoding(cell, nb101.SearchSpace(ops=["a"]))
    with pytest.raises(TypeError, match="Cells holds Cell objects, not int"):
        encodings.path_encoding([3])
    large = nb101.SearchSpace(11, 12, [f"op{i}" for i in range(15)])
    with pytest.raises(nb101.SpaceError, match="too many for an array: give a length"):
        encodings.path_encoding(nb101.Cells([], op_names=large.ops), large)
    assert encodings.path_encoding(large.sample(3, 0, method="raw"), large, length=9).shape == (
        3,
        9,
    )
    for length in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="length must be a whole number"):
            encodings.path_encoding(cell, length=length)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"shape \(n, 36\), not int64 of \(1, 3\)"):
        encodings.from_one_hot([1, 2, 3])
    with pytest.raises(nb101.DisconnectedError, match="module 0"):
        encodings.from_one_hot(np.zeros(36))
    with pytest.raises(ValueError, match="edges are numbered from 0 to 20"):
        encodings.from_categorical([21] * 9 + [0] * 5)
    with pytest.raises(ValueError, match="op codes are from 0 to 2"):
        encodings.from_categorical([5] * 9 + [3] * 5)
    with pytest.raises(ValueError, match="the number of edges must be from 0 to 21"):
        encodings.from_continuous([0] * 21 + [22] + [0] * 5)
    assert encodings.adjacency_one_hot(nb101.Cells([])).shape == (0, 36)
