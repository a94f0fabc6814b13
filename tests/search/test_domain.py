"""Modules as integers, against matrices and labels."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nb101
from nb101.search import Domain, Draws, Module, domain_of

from .conftest import make_table

SPACES = [
    nb101.SearchSpace(),
    nb101.SearchSpace(4),
    nb101.SearchSpace(5, 6, ["a", "b"]),
    nb101.SearchSpace(2),
    nb101.SearchSpace(6, 9, ["only"]),
]


def as_cell(domain: Domain, vector: np.ndarray) -> nb101.Cell | None:
    """Build the module of a vector the plain way; `None` if it is no cell of the space."""
    space = domain.space
    v = space.max_vertices
    matrix = np.zeros((v, v), dtype=int)
    matrix[np.triu_indices(v, 1)] = vector[: domain.pairs]
    try:
        cell = nb101.Cell(matrix, [-1, *vector[domain.pairs :].tolist(), -2], op_names=space.ops)
    except nb101.DisconnectedError:
        return None
    return cell if cell in space else None


@given(st.sampled_from(SPACES), st.integers(0, 2**32))
def test_a_vector_is_its_module(space: nb101.SearchSpace, seed: int) -> None:
    domain, rng = Domain(space, (108,)), np.random.default_rng(seed)
    vector = (rng.random(len(domain.choices)) * domain.choices).astype(np.int8)
    vector[: domain.pairs] &= rng.random(domain.pairs) < 0.7
    cell, module = as_cell(domain, vector), domain.module(vector)
    if cell is None:
        assert module is None
        return
    assert module is not None
    assert module.cell_id == space.index(cell) == domain.find(module.edges, module.labels)
    assert domain.vector(module).tolist() == vector.tolist()


@given(st.sampled_from(SPACES[:3]), st.integers(0, 2**32))
def test_embedded_cells_are_the_cells(space: nb101.SearchSpace, seed: int) -> None:
    domain, rng = Domain(space, (108,)), np.random.default_rng(seed)
    cell_id = domain.random_cell(rng)
    module = domain.embed(cell_id, rng)
    assert module.cell_id == cell_id == domain.find(module.edges, module.labels)


@given(st.sampled_from(SPACES[:3]), st.integers(0, 2**32))
def test_a_mutation_is_one_edit(space: nb101.SearchSpace, seed: int) -> None:
    domain, rng = Domain(space, (108,)), np.random.default_rng(seed)
    module = domain.random(rng)
    child = domain.mutate(module, rng)
    assert (domain.vector(module) != domain.vector(child)).sum() == 1
    assert child.cell_id == domain.find(child.edges, child.labels) >= 0


def test_the_notebooks_mutation_changes_three_edges_and_an_op_in_the_mean() -> None:
    domain, rng = Domain(nb101.SearchSpace(), (108,)), np.random.default_rng(0)
    # A module with few edges: hardly any mutant of it is refused, which would bias the means.
    module = domain.module(np.array([1, 0, 0, 0, 0, 1, *[0] * 15, *[0] * 5]))
    assert module is not None
    before = domain.vector(module)
    n = 4000
    found = np.array([domain.vector(domain.mutate_all(module, rng)) != before for _ in range(n)])
    edges, ops = found[:, : domain.pairs].sum(1), found[:, domain.pairs :]
    # 21 edges with chance 1/7; the direct one, without which nothing is connected, stays.
    assert edges.mean() == pytest.approx(20 / 7, abs=0.15)
    # Each op with chance 1/5, to another one.
    np.testing.assert_allclose(ops.mean(0), 0.2, atol=0.03)


@given(st.sampled_from(SPACES), st.integers(0, 2**32))
def test_the_notebooks_mutation_gives_cells(space: nb101.SearchSpace, seed: int) -> None:
    domain, rng = Domain(space, (108,)), np.random.default_rng(seed)
    child = domain.mutate_all(domain.random(rng), rng)
    assert child.cell_id == domain.find(child.edges, child.labels) >= 0


def test_mutations_are_equally_likely() -> None:
    space = nb101.SearchSpace(3, 3, ["a", "b", "c"])
    domain, rng = Domain(space, (108,)), np.random.default_rng(0)
    # Every edge, with op a: each of 3 edges and 2 other ops is one of 4 variables. Of the edges,
    # the direct one can always go, and each of the others leaves the direct one.
    module = domain.module(np.array([1, 1, 1, 0]))
    assert module is not None
    n = 8000
    found = Counter(tuple(domain.vector(domain.mutate(module, rng)).tolist()) for _ in range(n))
    expected = {(0, 1, 1, 0): 1 / 4, (1, 0, 1, 0): 1 / 4, (1, 1, 0, 0): 1 / 4}
    expected |= {(1, 1, 1, 1): 1 / 8, (1, 1, 1, 2): 1 / 8}
    assert set(found) == set(expected)
    for vector, share in expected.items():
        assert abs(found[vector] / n - share) < 4 * (share * (1 - share) / n) ** 0.5


def test_random_modules_are_uniform_of_the_valid_ones() -> None:
    space = nb101.SearchSpace(3, 2, ["a", "b"])
    domain, rng = Domain(space, (108,)), np.random.default_rng(0)
    valid = [
        vector
        for vector in product((0, 1), (0, 1), (0, 1), (0, 1))
        if as_cell(domain, np.array(vector)) is not None
    ]
    n = 8000
    found = Counter(tuple(domain.vector(domain.random(rng)).tolist()) for _ in range(n))
    assert sorted(found) == sorted(valid)
    share = 1 / len(valid)
    for count in found.values():
        assert abs(count / n - share) < 4 * (share * (1 - share) / n) ** 0.5


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_neighbors_are_those_that_are_no_larger(space: nb101.SearchSpace) -> None:
    domain, rng = Domain(space, (108,)), np.random.default_rng(0)
    vertices = space[np.arange(len(space))].vertices
    for size in np.unique(vertices):
        of_size = np.flatnonzero(vertices == size)
        for cell_id in rng.choice(of_size, min(8, len(of_size)), replace=False).tolist():
            near = space.neighbors(space[cell_id])
            expected = space.index(near[near.vertices <= size])
            assert domain.neighbors(cell_id).tolist() == expected.tolist()


def test_only_cells_of_the_table_can_be_queried() -> None:
    cells = [3, 17, 40]
    domain = domain_of(make_table(cells=cells), (108,))
    rng = np.random.default_rng(0)
    assert len(domain) == 3
    assert {domain.random(rng).cell_id for _ in range(30)} == set(cells)
    module = domain.random(rng)
    assert {domain.mutate(module, rng).cell_id for _ in range(10)} <= set(cells)
    assert [domain.has(i) for i in (3, 4)] == [True, False]


def test_a_few_cells_of_the_whole_space_are_found() -> None:
    space = nb101.SearchSpace()
    cells = [100_000, 300_000, 423_000]
    domain, rng = Domain(space, (108,), np.array(cells)), np.random.default_rng(0)
    assert {domain.random(rng).cell_id for _ in range(30)} == set(cells)


def test_what_a_table_lacks_is_said() -> None:
    columns = {"cell_id": [0, 1], "epochs": [108, 108], "final_training_time": [1.0, 2.0]}
    with pytest.raises(nb101.DatasetError, match="validation_accuracy"):
        domain_of(nb101.Table.from_columns(columns), (108,))
    columns["final_validation_accuracy"] = [0.5, np.nan]
    with pytest.raises(nb101.DatasetError, match="test_accuracy"):
        domain_of(nb101.Table.from_columns(columns), (108,))
    columns["final_test_accuracy"] = [np.nan, 0.5]
    with pytest.raises(nb101.MissingRunError, match="108 epochs"):
        domain_of(nb101.Table.from_columns(columns), (108,))
    columns["final_test_accuracy"] = [0.5, 0.5]
    assert len(domain_of(nb101.Table.from_columns(columns), (108,))) == 1
    with pytest.raises(nb101.MissingRunError):
        domain_of(nb101.Table.from_columns(columns), (36,))


# Proposals of the core


@given(st.sampled_from(SPACES), st.integers(0, 2**32))
def test_proposals_of_the_core_are_those_of_python(space: nb101.SearchSpace, seed: int) -> None:
    domain = Domain(space, (108,))
    rng, draws = np.random.default_rng(seed), Draws(np.random.default_rng(seed))
    ours = theirs = domain.random(draws)
    assert domain.random(rng) == ours
    for step in range(60):
        mutate = domain.mutate_all if step % 3 else domain.mutate
        ours, theirs = mutate(ours, draws), mutate(theirs, rng)
        assert type(ours) is Module
        assert ours == theirs
        assert draws.random() == rng.random()


def test_proposals_where_few_cells_are_known() -> None:
    """Python makes them, of the same numbers."""
    domain = domain_of(make_table(cells=[3, 40, 77]), (108,))
    rng, draws = np.random.default_rng(5), Draws(np.random.default_rng(5))
    for _ in range(20):
        ours, theirs = domain.random(draws), domain.random(rng)
        assert ours == theirs
        assert domain.mutate(ours, draws) == domain.mutate(theirs, rng)
        assert domain.mutate_all(ours, draws) == domain.mutate_all(theirs, rng)


def test_hopeless_proposals_are_drawn_from_the_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nb101.search.domain.ATTEMPTS", 1)
    domain = Domain(nb101.SearchSpace(), (108,))
    rng, draws = np.random.default_rng(1), Draws(np.random.default_rng(1))
    for _ in range(200):
        ours, theirs = domain.random(draws), domain.random(rng)
        assert ours == theirs
        assert domain.mutate(ours, draws) == domain.mutate(theirs, rng)


@given(st.integers(0, 2**32), st.lists(st.integers(0, 700), max_size=5))
def test_draws_are_the_generators_numbers(seed: int, counts: list[int]) -> None:
    rng, draws = np.random.default_rng(seed), Draws(np.random.default_rng(seed))
    for count in counts:
        assert draws.places(count, 7) == [int(rng.random() * 7) for _ in range(count)]
        assert draws.random() == rng.random()


def test_draws_of_what_is_no_generator() -> None:
    with pytest.raises(AttributeError, match="random"):
        Draws(3).random()  # type: ignore[arg-type]
    with pytest.raises(nb101.NB101Error):
        nb101.SearchSpace().core.propose_change(1, 2 << 60, 10, Draws(np.random.default_rng(0)))
