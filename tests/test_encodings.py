"""Encodings against plain loops over vertices and paths, and back to cells."""

import itertools
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


# Structural features


def walks(cell: nb101.Cell) -> list[list[int]]:
    """Every path from input to output, as vertices."""
    found = []

    def follow(path: list[int]) -> None:
        if path[-1] == cell.vertices - 1:
            found.append(path)
        for x, y in cell.edge_list():
            if x == path[-1]:
                follow([*path, y])

    follow([0])
    return found


def share(cell: nb101.Cell, path: list[int]) -> float:
    """Part of what arrives at output that comes along a path."""
    out, edges = cell.vertices - 1, cell.edge_list()
    channels = cell.vertex_channels(128)
    part = 1.0
    for x, y in itertools.pairwise(path):
        if y != out:
            part /= sum(target == y for _, target in edges)
        elif x == 0:
            part *= 1.0 if sum(target == out for _, target in edges) == 1 else 0.5
        else:
            part *= channels[x] / 128 * (0.5 if (0, out) in edges else 1.0)
    return part


def plain_features(cell: nb101.Cell) -> dict[str, float]:
    """A part of the features, each as its name reads."""
    out, edges, ops = cell.vertices - 1, cell.edge_list(), cell.ops
    channels = [c / 128 for c in cell.vertex_channels(128)]
    inner = range(1, out)
    paths = walks(cell)
    shares = [share(cell, path) for path in paths]
    found = {
        "vertices": cell.vertices,
        "edges": len(edges),
        "depth": cell.depth,
        "width": cell.width,
        "log_parameters": np.log(cell.parameters),
        "log_flops": np.log(cell.flops),
        "skip": float((0, out) in edges),
        "paths": len(paths),
        "channels": sum(channels[1:out]),
        "channels_projected": sum(channels[y] for x, y in edges if x == 0),
    }
    for name in nb101.OPS:
        found[f"count({name})"] = ops.count(name)
        own = [v for v in inner if ops[v] == name]
        found[f"channels({name})"] = sum(channels[v] for v in own)
        found[f"sum_indegree({name})"] = sum(y in own for _, y in edges)
        found[f"max_place_from_input({name})"] = max(
            [path.index(v) for path in paths for v in path if v in own], default=0
        )
        found[f"min_place_from_output({name})"] = min(
            [len(path) - 1 - path.index(v) for path in paths for v in path if v in own], default=6
        )
        found[f"max_flow({name})"] = max(
            [sum(s for path, s in zip(paths, shares, strict=True) if v in path) for v in own],
            default=0,
        )
        for other in (*nb101.OPS, "output"):
            found[f"edges({name},{other})"] = sum(
                (ops[x], ops[y]) == (name, other) for x, y in edges
            )
            for last in (*nb101.OPS, "output"):
                if other != "output":
                    found[f"edges({name},{other},{last})"] = sum(
                        (ops[x], ops[y], ops[z]) == (name, other, last) and y == w
                        for x, y in edges
                        for w, z in edges
                    )
    groups = {
        "op": set(nb101.OPS),
        "weighted": set(nb101.OPS[:2]),
        "spatial": {nb101.OPS[0], nb101.OPS[2]},
        **{name: {name} for name in nb101.OPS},
    }
    for name, members in groups.items():
        counts = [sum(ops[v] in members for v in path) for path in paths]
        found[f"max_on_path({name})"] = max(counts)
        found[f"min_on_path({name})"] = min(counts)
        for weighting, weights in (("flow", shares), ("paths", [1.0] * len(paths))):
            mean = np.average(counts, weights=weights)
            found[f"mean_by_{weighting}({name})"] = mean
            found[f"sd_by_{weighting}({name})"] = np.sqrt(
                np.average((np.array(counts) - mean) ** 2, weights=weights)
            )
            for n in range(4):
                found[f"{weighting}_with_{n}({name})"] = sum(
                    w for w, count in zip(weights, counts, strict=True) if count == n
                )
    return found


@given(pruned())
def test_structural_features(module: oracle.Module) -> None:
    cell = nb101.Cell(*module)
    space = nb101.SearchSpace(7, 21)
    names = encodings.structural_feature_names(space)
    row = encodings.structural_features(cell, space)[0]
    found = dict(zip(names, row.tolist(), strict=True))
    expected = plain_features(cell)
    assert expected.keys() <= found.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-5, abs=2e-4), name


def test_structural_features_of_the_whole_space(cells: nb101.Cells) -> None:
    names = encodings.structural_feature_names()
    assert len(names) == len(set(names)) == 257
    features = encodings.structural_features(cells)
    assert features.shape == (423_624, 257)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    some = cells[[5, 400_000]]
    assert np.array_equal(encodings.structural_features(some), features[[5, 400_000]])


def test_structural_features_of_other_spaces() -> None:
    space = nb101.SearchSpace(8, 11, ["conv5x5-bn-relu", "identity"])
    cells = space.sample(50, 1)
    features = encodings.structural_features(cells, space)
    assert features.shape == (50, len(encodings.structural_feature_names(space)))
    assert np.isfinite(features).all()
    with pytest.raises(nb101.UnknownOpError, match="mystery"):
        encodings.structural_feature_names(nb101.SearchSpace(4, 5, ["mystery"]))
    with pytest.raises(nb101.UnknownOpError, match="mystery"):
        encodings.structural_features([], nb101.SearchSpace(4, 5, ["mystery"]))
