"""What each algorithm does, step by step."""

from itertools import product
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import search
from nb101.search.bandits import Density
from nb101.search.domain import Domain, Module, domain_of

from .conftest import BUDGETS, make_table


def searcher(name: str, domain: Domain, seed: int = 0, **options: Any) -> search.Searcher:
    return search.create(name, domain, np.random.default_rng(seed), **options)


def test_random_search_draws_as_the_original(exact: nb101.Table) -> None:
    raw = search.run("random-search", exact, queries=4000, seed=0)
    drawn = exact.space.index(exact.space.sample(4000, 0, method="raw"))
    shares = [np.bincount(ids, minlength=91) / 4000 for ids in (raw.cell_ids, drawn)]
    assert np.abs(shares[0] - shares[1]).max() < 0.02
    unique = search.run("random-search", exact, queries=4000, seed=0, method="unique")
    assert np.abs(np.bincount(unique.cell_ids, minlength=91) / 4000 - 1 / 91).max() < 0.01


def test_evolution_takes_the_notebooks_mutation(table: nb101.Table) -> None:
    single, notebook = (
        search.run(
            "regularized-evolution", table, queries=300, seed=0, population=20, mutation=name
        )
        for name in ("single", "notebook")
    )
    # The random population is the same, and no child after it.
    assert (single.cell_ids[:20] == notebook.cell_ids[:20]).all()
    assert (single.cell_ids[20:] != notebook.cell_ids[20:]).mean() > 0.5
    with pytest.raises(ValueError, match="mutation must be 'single' or 'notebook', not 'double'"):
        search.run("regularized-evolution", table, queries=30, mutation="double")


def test_evolution_mutates_the_best_of_those_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    table = make_table(noise=0.02, repeats=3)
    mutations: list[tuple[Module, Module]] = []
    original = Domain.mutate

    def mutate(self: Domain, module: Module, rng: np.random.Generator) -> Module:
        child = original(self, module, rng)
        mutations.append((module, child))
        return child

    monkeypatch.setattr(Domain, "mutate", mutate)
    size = 8
    trace = search.run(
        "regularized-evolution", table, queries=300, seed=0, population=size, tournament=64
    )
    # The child of the last query was made already.
    children = [child.cell_id for _, child in mutations][: 300 - size]
    assert children == trace.cell_ids[size:].tolist()
    for i, (parent, _) in enumerate(mutations[: 300 - size]):
        alive = slice(i, i + size)
        assert parent.cell_id in trace.cell_ids[alive]
        # Of 64 draws from 8, the best is nearly always one.
        rows = np.flatnonzero(trace.cell_ids[alive] == parent.cell_id) + i
        chosen = trace.validation_accuracy[rows].max()
        assert chosen >= np.sort(trace.validation_accuracy[alive])[-2]


def test_a_tournament_of_one_is_a_random_parent(exact: nb101.Table) -> None:
    greedy = search.run("regularized-evolution", exact, queries=2000, seed=0, population=20)
    drift = search.run(
        "regularized-evolution", exact, queries=2000, seed=0, population=20, tournament=1
    )
    means = [trace.validation_accuracy[200:].mean() for trace in (greedy, drift)]
    assert means[0] > means[1] + 0.05


def test_local_search_trains_all_neighbours() -> None:
    table = make_table(nb101.SearchSpace(5))
    trace = search.run("local-search", table, queries=200, seed=3, initial=1)
    assert len(set(trace.cell_ids.tolist())) == 200
    accuracy, space = table.mean("validation_accuracy", 108), table.space
    current, known, asked, moves = int(trace.cell_ids[0]), {int(trace.cell_ids[0])}, 1, 0
    while True:
        near = space.neighbors(space[current])
        around = space.index(near[near.vertices <= space[current].vertices])
        new = set(around.tolist()) - known
        assert set(trace.cell_ids[asked : asked + len(new)].tolist()) == new
        known, asked = known | new, asked + len(new)
        best = accuracy[around].max()
        if best <= accuracy[current]:
            break
        (place,) = np.flatnonzero(accuracy[around] == best)
        current, moves = int(around[place]), moves + 1
    assert moves > 2
    # Then it starts again, elsewhere.
    assert int(trace.cell_ids[asked]) not in known


def test_neighbours_of_local_search_have_no_more_vertices() -> None:
    """As docs/guides/search.md says, and what the algorithm says of itself."""
    table = make_table(nb101.SearchSpace(5))
    made: Any = searcher("local-search", domain_of(table, (108,)))
    vertices = table.space[np.arange(len(table.space))].vertices
    for cell_id in range(0, len(table.space), 11):
        around = made._neighbors(cell_id)
        assert all(vertices[near] <= vertices[cell_id] for near in around)
    assert (
        "more vertices than a cell are not looked at" in search.registry()["local-search"].differs
    )


def test_bananas_mutates_its_ten_best_by_one_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    table = make_table(nb101.SearchSpace(5))
    parents: list[int] = []
    original = Domain.mutate

    def mutate(self: Domain, module: Module, rng: np.random.Generator) -> Module:
        parents.append(module.cell_id)
        return original(self, module, rng)

    monkeypatch.setattr(Domain, "mutate", mutate)
    trace = search.run("bananas", table, queries=21, seed=0, initial=20, networks=2, batch=1)
    order = np.argsort(-trace.validation_accuracy[:20], kind="stable")
    assert set(parents[:100]) == set(trace.cell_ids[:20][order[:10]].tolist())
    assert "ten best cells, by one edge or op" in search.registry()["bananas"].differs


def test_local_search_goes_on_when_all_is_known(table: nb101.Table) -> None:
    assert len(search.run("local-search", table, queries=500, seed=0)) == 500


def test_reinforce_learns(exact: nb101.Table) -> None:
    # Accuracies of a table lie close together: a higher rate shows the same sooner.
    trace = search.run("reinforce", exact, queries=3000, seed=0, learning_rate=2.0)
    assert trace.validation_accuracy[-300:].mean() > trace.validation_accuracy[:300].mean() + 0.03
    still = search.run("reinforce", exact, queries=3000, seed=0, learning_rate=0.0)
    change = still.validation_accuracy[-300:].mean() - still.validation_accuracy[:300].mean()
    assert abs(change) < 0.02


def test_reinforce_starts_from_uniform_modules(exact: nb101.Table) -> None:
    trace = search.run("reinforce", exact, queries=4000, seed=0, learning_rate=0.0)
    cells = exact.space.sample(4000, 0, method="raw")
    shares = [
        np.bincount(x, minlength=91) / 4000 for x in (trace.cell_ids, exact.space.index(cells))
    ]
    assert np.abs(shares[0] - shares[1]).max() < 0.02


@pytest.mark.parametrize("name", ["hyperband", "bohb"])
def test_brackets_are_those_of_hpbandster(name: str, table: nb101.Table) -> None:
    """Which the paper used: at s = 2 floor(4 / 3) 3^2 = 9 cells; ceil(4 / 3 x 3^2) = 12 by Li."""
    rungs = [(27, 4), (9, 12), (3, 36), (1, 108), (9, 12), (3, 36), (1, 108)]
    rungs += [(6, 36), (2, 108), (4, 108)]
    queries = sum(count for count, _ in rungs)
    trace = search.run(name, table, queries=2 * queries, seed=0)
    expected = [epochs for count, epochs in rungs for _ in range(count)]
    assert trace.epochs.tolist() == 2 * expected


def test_hyperband_promotes_the_best(table: nb101.Table) -> None:
    trace = search.run("hyperband", table, queries=40, seed=0)
    for first, count in ((0, 27), (27, 9), (36, 3)):
        rung, after = slice(first, first + count), slice(first + count, first + count + count // 3)
        order = np.argsort(-trace.validation_accuracy[rung], kind="stable")[: count // 3]
        assert trace.cell_ids[after].tolist() == trace.cell_ids[rung][order].tolist()


def test_hyperband_of_one_budget_is_random_search(table: nb101.Table) -> None:
    trace = search.run("hyperband", table.select(epochs=108), queries=100, seed=0)
    assert set(trace.epochs.tolist()) == {108}


def test_bohb_proposes_what_is_good() -> None:
    table = make_table(nb101.SearchSpace(5))
    found = {
        name: np.mean(
            [
                trace.validation_accuracy[trace.epochs == 4][-300:].mean()
                for seed in range(3)
                for trace in [search.run(name, table, queries=1500, seed=seed)]
            ]
        )
        for name in ("hyperband", "bohb")
    }
    assert found["bohb"] > found["hyperband"] + 0.01


def test_densities_of_bohb_are_of_more_answers_than_variables(
    exact: nb101.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    made = Density.__init__

    def count(self: Any, rows: Any, *rest: Any) -> None:
        sizes.append(len(rows))
        made(self, rows, *rest)

    monkeypatch.setattr(Density, "__init__", count)
    search.run("bohb", exact, queries=400, seed=0, random_fraction=0.0)
    variables = len(domain_of(exact, (4,)).choices)
    assert min(sizes) == variables + 1
    sizes.clear()
    # All answers are good: there is nothing to compare them with.
    assert len(search.run("bohb", exact, queries=200, seed=0, top=1.0)) == 200
    assert not sizes
    with pytest.raises(ValueError, match="min_bandwidth must be a number from 1e-06 to 1"):
        search.run("bohb", exact, queries=2, min_bandwidth=0)


def test_a_density_is_one() -> None:
    rng = np.random.default_rng(0)
    choices = np.array([2, 3, 1, 2])
    rows = (rng.random((9, 4)) * choices).astype(np.int8)
    density = Density(rows, choices, 0.3)
    everything = np.array(list(product(*map(range, choices))), dtype=np.int8)
    assert np.exp(density.log(everything)).sum() == pytest.approx(1)
    # The plain formula: a mean over rows of products over variables.
    for vector, found in zip(everything, density.log(everything), strict=True):
        kernels = [
            np.prod(
                [
                    1.0 if c == 1 else 1 - h if x == y else h / (c - 1)
                    for x, y, h, c in zip(vector, row, density.bandwidth, choices, strict=True)
                ]
            )
            for row in rows
        ]
        assert np.exp(found) == pytest.approx(np.mean(kernels))
    drawn = density.sample(500, rng)
    assert ((drawn >= 0) & (drawn < choices)).all()
    # A variable that hardly varies keeps its value as often as the least bandwidth says.
    sure = Density(np.zeros((50, 1), np.int8), np.array([2]), 0.3).sample(4000, rng)
    assert sure.mean() == pytest.approx(0.15, abs=0.03)


def test_bananas_prefers_what_its_networks_do() -> None:
    pytest.importorskip("sklearn")
    table = make_table(nb101.SearchSpace(5))
    trace = search.run("bananas", table, queries=40, seed=0, networks=3)
    assert len(set(trace.cell_ids.tolist())) == 40
    assert trace.validation_accuracy[20:].mean() > trace.validation_accuracy[:10].mean() + 0.03
    few = search.run("bananas", table, queries=40, seed=0, networks=2, most=15)
    assert len(set(few.cell_ids.tolist())) == 40


def test_bananas_goes_on_when_all_around_is_known(exact: nb101.Table) -> None:
    pytest.importorskip("sklearn")
    assert len(search.run("bananas", exact, queries=130, seed=0, networks=2, batch=40)) == 130


@pytest.mark.parametrize(
    ("name", "library", "options"),
    [("tpe", "optuna", {}), ("smac", "smac", {"random_fraction": 0.0})],
)
def test_libraries_do_better_than_chance(name: str, library: str, options: Any) -> None:
    pytest.importorskip(library)
    table = make_table(nb101.SearchSpace(5))
    random = search.run("random-search", table, queries=1000, seed=1)
    traces = [search.run(name, table, queries=60, seed=seed, **options) for seed in range(3)]
    late = np.mean([trace.validation_accuracy[40:].mean() for trace in traces])
    assert late > random.validation_accuracy.mean() + 0.02


def test_tpe_can_model_variables_jointly() -> None:
    pytest.importorskip("optuna")
    table = make_table(nb101.SearchSpace(5))
    one, other = (
        search.run("tpe", table, queries=30, seed=1, multivariate=joint) for joint in (True, False)
    )
    assert one.cell_ids.tolist() != other.cell_ids.tolist()


def test_libraries_leave_no_trace_of_their_own(
    exact: nb101.Table, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    pytest.importorskip("smac")
    pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    for name in ("smac", "tpe"):
        search.run(name, exact, queries=5, seed=0)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_searchers_know_their_budgets(exact: nb101.Table) -> None:
    domain = search.domain_of(exact, BUDGETS)
    assert searcher("hyperband", domain).budget == 108
    assert domain.budgets == BUDGETS
