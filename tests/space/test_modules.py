"""Raw modules as arrays; what is refused is tested where it is public (cells and hashing)."""

from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nb101
import nb101.api
import oracle
import strategies
from nb101 import OPS
from nb101.space.modules import many_modules, one_module


@given(strategies.modules(connected=False))
def test_one(module: oracle.Module) -> None:
    matrices, codes = one_module(module[0], module[1], OPS)
    assert matrices.shape == (1, len(module[1]), len(module[1]))
    assert oracle.module(matrices[0], codes[0]) == module


@given(st.lists(strategies.modules(connected=False), max_size=6))
def test_many_of_different_sizes(modules: list[oracle.Module]) -> None:
    matrices, codes = many_modules([m for m, _ in modules], [c for _, c in modules], OPS)
    size = max((len(c) for _, c in modules), default=0)
    assert matrices.shape == (len(modules), size, size)
    assert codes.shape == (len(modules), size)
    for matrix, row, module in zip(matrices, codes, modules, strict=True):
        v = len(module[1])
        assert oracle.module(matrix[:v, :v], row[:v]) == module
        assert matrix.sum() == matrix[:v, :v].sum()
        assert (row[v:] == -3).all()


def test_arrays_are_not_copied() -> None:
    matrices, ops = np.zeros((4, 7, 7), dtype=np.int8), np.zeros((4, 7), dtype=np.int64)
    found = many_modules(matrices, ops, OPS, any_code=True)
    assert np.shares_memory(found[0], matrices)
    assert np.shares_memory(found[1], ops)


def test_a_graph_is_read_in_a_topological_order() -> None:
    graph = nx.DiGraph()
    for name, op in (("z", "output"), ("b", OPS[1]), ("a", OPS[0]), ("i", "input")):
        graph.add_node(name, op=op)
    graph.add_edges_from([("i", "a"), ("a", "b"), ("b", "z"), ("i", "z")])
    matrices, codes = one_module(graph, None, OPS)
    assert codes.tolist() == [[-1, 0, 1, -2]]
    assert oracle.edges_of(matrices[0].tolist()) == [(0, 1), (0, 3), (1, 2), (2, 3)]


def test_views_of_memory_are_read_as_arrays() -> None:
    matrix: Any = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]], dtype=np.int8)
    codes: Any = np.array([-1, 2, -2])
    expected = nb101.hash_modules([matrix], [codes])
    found = nb101.hash_modules(memoryview(matrix[np.newaxis]), memoryview(codes[np.newaxis]))
    assert found.tolist() == expected.tolist()
    assert nb101.Cell(memoryview(matrix), memoryview(codes)).hash == expected[0].decode()
    space = nb101.SearchSpace()
    ids: Any = np.arange(5)
    assert space[ids].hashes().tolist() == nb101.Cells(space[memoryview(ids)]).hashes().tolist()


def test_views_of_memory_that_hold_no_cells_are_refused() -> None:
    # Python cannot go through those of several dimensions.
    for shape in ((2, 2), (2,), (), (2, 2, 2)):
        array: Any = np.zeros(shape)
        view: Any = memoryview(array)
        with pytest.raises(TypeError):
            nb101.SearchSpace().index(view)
        with pytest.raises(TypeError):
            nb101.Cells(view)
        with pytest.raises((nb101.NB101Error, TypeError)):
            nb101.api.ModelSpec(np.zeros((3, 3), int), view)
