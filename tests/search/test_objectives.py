"""Searches for several objectives, their indicators and their page, against plain code."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import nb101
from nb101 import search
from nb101.analysis.pareto import non_dominated
from nb101.search.comparison import SEVERAL
from nb101.search.domain import domain_of
from nb101.search.folder import FORMAT, MANIFEST, WIDER_FORMAT
from nb101.search.genetic import NSGA2, crowding_of, ranks_of
from nb101.search.objectives import SETS, goals_of, objectives_of
from nb101.search.page import write_page
from nb101.search.searcher import REGISTRY
from nb101.search.statistics import summarize
from nb101.search.trace import COLUMNS

from .conftest import make_table as make_any

BOTH = ("error", "parameters")
ALL = ("error", "training_time", "parameters", "flops")


def make_table(space: nb101.SearchSpace, **given_: Any) -> nb101.Table:
    """Cells of which parameters and multiply-accumulates are known."""
    return make_any(space, provenance={"recipe": "NAS-Bench-101"}, **given_)


@pytest.fixture(scope="session")
def table() -> nb101.Table:
    """All cells of up to 5 vertices, three noisy repeats."""
    return make_table(nb101.SearchSpace(5), noise=0.01, repeats=3)


def points(costs: int, most: int = 8) -> Any:
    """Points of few values, so that some are equal."""
    values = st.integers(0, 8).map(lambda x: x / 6)
    shape = st.tuples(st.integers(0, most), st.just(costs))
    return arrays.arrays(np.float64, shape, elements=values)


some_points = st.integers(1, 5).flatmap(points)


def dominates(one: Any, other: Any) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


# Indicators


def volume_plainly(costs: Any, reference: Any) -> float:
    """By inclusion and exclusion of the boxes that points dominate."""
    total = 0.0
    for size in range(1, len(costs) + 1):
        for subset in itertools.combinations(costs, size):
            edges = np.maximum(np.asarray(reference) - np.max(subset, axis=0), 0)
            total += (-1) ** (size + 1) * float(np.prod(edges))
    return total


def distance_plainly(costs: Any, front: Any) -> float:
    nearest = [
        min(float(np.sqrt((np.maximum(x - aim, 0) ** 2).sum())) for x in costs) for aim in front
    ]
    return sum(nearest) / len(nearest)


@given(some_points)
@settings(max_examples=150, deadline=None)
def test_hypervolume_is_that_of_inclusion_and_exclusion(costs: Any) -> None:
    reference = np.ones(costs.shape[1])
    assert search.hypervolume(costs, reference) == pytest.approx(
        volume_plainly(costs, reference), abs=1e-12
    )


@pytest.mark.parametrize("costs", [2, 3, 4, 5])
def test_hypervolume_is_what_random_points_say(costs: int) -> None:
    rng = np.random.default_rng(costs)
    found = rng.random((30, costs))
    drawn = rng.random((40_000, costs))
    inside = np.zeros(len(drawn), dtype=bool)
    for point in found:
        inside |= (drawn >= point).all(axis=1)
    assert search.hypervolume(found, np.ones(costs)) == pytest.approx(inside.mean(), abs=0.012)


@pytest.mark.parametrize("costs", [1, 2, 3, 4, 5])
def test_indicators_are_those_of_pymoo(costs: int) -> None:
    pytest.importorskip("pymoo", reason="pymoo is not installed: pip install pymoo")
    from pymoo.indicators.hv import HV
    from pymoo.indicators.igd_plus import IGDPlus

    rng = np.random.default_rng(costs)
    reference = np.ones(costs)
    for n in (1, 2, 17, 60):
        found, front = 1.2 * rng.random((n, costs)), rng.random((9, costs))
        assert search.hypervolume(found, reference) == pytest.approx(
            HV(ref_point=reference)(found), rel=1e-9, abs=1e-12
        )
        assert search.igd_plus(found, front) == pytest.approx(IGDPlus(front)(found), rel=1e-9)


@given(points(3).filter(len), points(3).filter(len))
@settings(max_examples=60, deadline=None)
def test_igd_plus_is_what_it_says(costs: Any, front: Any) -> None:
    found = search.igd_plus(costs, front)
    assert found == pytest.approx(distance_plainly(costs, front), abs=1e-12)
    assert search.igd_plus(front, front) == 0
    assert search.igd_plus(np.concatenate([costs, front]), front) == 0


@given(some_points)
@settings(max_examples=50, deadline=None)
def test_what_is_dominated_adds_nothing(costs: Any) -> None:
    reference = np.ones(costs.shape[1])
    front = costs[non_dominated(costs)] if len(costs) else costs
    assert search.hypervolume(costs, reference) == pytest.approx(
        search.hypervolume(front, reference), abs=1e-12
    )
    assert search.hypervolume(costs[::-1], reference) == pytest.approx(
        search.hypervolume(costs, reference), abs=1e-12
    )


def test_wrong_points_are_refused() -> None:
    for call, kind, field in (
        (lambda: search.hypervolume([[1.0, 2.0]], [1.0]), nb101.ArgumentError, "costs"),
        (lambda: search.hypervolume([1.0, 2.0], [1.0, 1.0]), nb101.ArgumentError, "costs"),
        (lambda: search.hypervolume([[np.nan, 2.0]], [1, 1]), nb101.ArgumentError, "costs"),
        (lambda: search.hypervolume([["a", "b"]], [1, 1]), nb101.ArgumentTypeError, "costs"),
        (lambda: search.hypervolume([[1, 2], [3]], [1, 1]), nb101.ArgumentTypeError, "costs"),
        (lambda: search.hypervolume([[1, 2]], 1.0), nb101.ArgumentError, "reference"),
        (lambda: search.hypervolume([[1, 2]], []), nb101.ArgumentError, "reference"),
        (lambda: search.hypervolume([[1, 2]], [np.inf, 1]), nb101.ArgumentError, "reference"),
        (lambda: search.igd_plus([], [[1.0, 2.0]]), nb101.ArgumentError, "costs"),
        (lambda: search.igd_plus([[1.0, 2.0]], []), nb101.ArgumentError, "front"),
        (lambda: search.igd_plus([[1.0]], [[1.0, 2.0]]), nb101.ArgumentError, "costs"),
    ):
        with pytest.raises(kind) as caught:
            call()  # type: ignore[no-untyped-call]
        assert caught.value.field == field
        assert "\n" not in str(caught.value)
    assert search.hypervolume([], [1.0, 1.0]) == 0
    # Beyond the reference in one of them.
    assert search.hypervolume([[0.5, 1.0], [2.0, 0.0]], [1.0, 1.0]) == 0


# Objectives


def test_names_of_objectives() -> None:
    assert objectives_of("c10mop1") == BOTH
    assert objectives_of("error, flops") == ("error", "flops")
    assert objectives_of(["validation_error", "trainable_parameters"]) == BOTH
    for wrong, kind, words in (
        ("error", nb101.ArgumentError, "two or more"),
        (("error", "error"), nb101.ArgumentError, "different"),
        (("error", "validation_error"), nb101.ArgumentError, "different"),
        (("error", "latency"), nb101.UnknownNameError, "there are error, parameters.*c10mop2"),
        ("C10MOP1", nb101.UnknownNameError, "did you mean 'c10mop1'"),
        ("", nb101.ArgumentError, "not none"),
        ("error,", nb101.ArgumentError, "not error$"),
        (("error", "parameter"), nb101.UnknownNameError, "did you mean 'parameters'"),
        (("c10mop1", "flops"), nb101.UnknownNameError, "name it alone"),
        (3, nb101.ArgumentTypeError, "list of names"),
        ((1, 2), nb101.ArgumentTypeError, "list of names"),
    ):
        with pytest.raises(kind, match=words) as caught:
            objectives_of(wrong)  # type: ignore[arg-type]
        assert caught.value.field == "objectives"


def test_the_exact_front_is_what_nothing_beats(table: nb101.Table) -> None:
    for names in (BOTH, ("error", "flops", "parameters"), ALL):
        front = search.exact_front(table, names)
        columns = {
            "error": 1 - table.mean("test_accuracy", 108),
            "training_time": table.mean("training_time", 108),
            "parameters": table.cells.parameters(),
            "flops": table.cells.flops(),
        }
        costs = np.stack([columns[name] for name in names], axis=1)
        kept = [x for x in range(len(costs)) if not any(dominates(y, costs[x]) for y in costs)]
        assert sorted(front.cell_ids.tolist()) == table.cell_ids[kept].tolist()
        assert (np.diff(front.values[:, 0]) >= 0).all()
        for cell_id, values in zip(front.cell_ids, front.values, strict=True):
            assert (values == costs[np.searchsorted(table.cell_ids, cell_id)]).all()
        # As EvoXBench normalizes: utopian point and nadir are those of the front.
        assert (front.normalize(front.values).min(axis=0) == 0).all()
        assert (front.normalize(front.values).max(axis=0) == 1).all()
        assert front.hypervolume(front.values) == 1.0
        assert front.igd_plus(front.values) == 0.0
        assert front.hypervolume(front.values[:-1]) <= 1.0


def test_problems_of_evoxbench_are_of_all_of_nas_bench_101(table: nb101.Table) -> None:
    default = nb101.load_table()
    assert dict(SETS) == {"c10mop1": BOTH, "c10mop2": (*BOTH, "flops")}
    trace = search.run("random-search", default, objectives="c10mop2", queries=20, seed=0)
    assert trace.objectives == (*BOTH, "flops")
    for given_, of in (
        ({}, table),
        ({"epochs": 36}, default),
        ({"space": nb101.OneShotSpace(1)}, default),
    ):
        for named in ("c10mop1", ["c10mop1"]):
            with pytest.raises(nb101.ArgumentError, match="NAS-Bench-101 at 108 epochs") as caught:
                search.run("random-search", of, objectives=named, queries=1, **given_)
            assert caught.value.field == "objectives"
        with pytest.raises(nb101.ArgumentError, match="NAS-Bench-101 at 108 epochs"):
            search.exact_front(of, "c10mop1", **given_)
        assert search.exact_front(of, BOTH, **given_).objectives == BOTH
    rows = np.flatnonzero(default.column("cell_id") < 1000)
    some = nb101.Table.from_columns(
        {name: default.column(name)[rows] for name in default.columns}, space=default.space
    )
    with pytest.raises(nb101.ArgumentError, match="all cells of NAS-Bench-101"):
        search.exact_front(some, "c10mop1")
    with pytest.raises(nb101.ArgumentTypeError, match="Table"):
        search.exact_front("x", "c10mop1")  # type: ignore[arg-type]


def test_who_cannot_search_for_several_says_so(table: nb101.Table) -> None:
    with pytest.raises(nb101.ArgumentError, match="several objectives: name two or more"):
        search.run("nsga-ii", table, queries=1)
    for name, entry in search.registry().items():
        if not entry.searcher.several_objectives:
            with pytest.raises(nb101.ArgumentError, match=r"accuracy alone; .*nsga-ii") as caught:
                search.run(name, table, queries=1, objectives=BOTH)
            assert caught.value.field == "objectives"
    assert {x for x in search.registry() if REGISTRY[x].searcher.several_objectives} == {*SEVERAL}


def test_steps_of_ones_own_are_not_for_several() -> None:
    kind: Any = search.registry()["random-search"].searcher

    class Own(kind):  # type: ignore[misc]
        def steps(self) -> search.Steps:
            yield search.Trial(0, self.budget)

    assert kind.several_objectives
    assert not Own.several_objectives


def test_a_table_without_a_front_cannot_judge() -> None:
    table = make_table(nb101.SearchSpace(2))
    with pytest.raises(nb101.DatasetError, match="spans no volume"):
        search.exact_front(table, BOTH)


# Runs


class Noting(search.Sequential):
    """Asks for cells one by one and side by side, and notes what it is told."""

    several_objectives = True

    def __init__(self, domain: search.Domain, rng: Any) -> None:
        super().__init__(domain, rng)
        noted.clear()
        names.append(domain.objectives)

    def steps(self) -> search.Steps:
        while True:
            cell_id = self.domain.random_cell(self.rng)
            noted.append((cell_id, (yield search.Trial(cell_id, self.budget))))
            cells = np.array([self.domain.random_cell(self.rng) for _ in range(4)])
            told = yield search.Trials(cells, self.budget)
            noted.extend(zip(cells.tolist(), told, strict=True))

    strand = steps


noted: list[tuple[int, Any]] = []
names: list[tuple[str, ...]] = []


@pytest.mark.parametrize("given_", [{}, {"unique": True}, {"workers": 3}])
def test_searchers_are_told_objectives(table: nb101.Table, given_: dict[str, Any]) -> None:
    search.register("noting", title="noting", source="tests")(Noting)
    try:
        trace = search.run("noting", table, objectives=ALL, queries=60, seed=4, **given_)
    finally:
        del REGISTRY["noting"]
    assert names[-1] == ALL
    answers = {
        (cell_id, tuple(costs)) for cell_id, costs in zip(trace.cell_ids, trace.costs, strict=True)
    }
    cells = table.cells
    # All but what was under way at the end, and the last, which nobody is told.
    assert len(noted) >= 40
    for cell_id, costs in noted:
        place = int(np.searchsorted(table.cell_ids, cell_id))
        cell = cells[place]
        assert costs.shape == (4,)
        assert costs[2:].tolist() == [cell.parameters, cell.flops]
        accuracies = table.values("validation_accuracy", 108)[place].astype(np.float64)
        assert costs[0] in 1 - accuracies
        assert costs[1] in table.values("training_time", 108)[place]
        assert any(x == cell_id and np.allclose(costs, y, rtol=1e-6) for x, y in answers)


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("objectives", [BOTH, ("error", "flops", "parameters"), ALL])
def test_the_trace_says_how_near_it_is(
    name: str, objectives: tuple[str, ...], table: nb101.Table
) -> None:
    options: dict[str, Any] = {"population": 20} if name == "nsga-ii" else {}
    trace = search.run(name, table, objectives=objectives, queries=150, seed=1, **options)
    assert len(trace) == 150
    assert trace.hypervolume is not None
    assert trace.igd_plus is not None
    front = search.exact_front(table, objectives)
    errors = 1 - table.mean("test_accuracy", 108)
    places = np.searchsorted(table.cell_ids, trace.cell_ids)
    assert (trace.true_costs[:, objectives.index("error")] == errors[places]).all()
    costs, truth = trace.costs, trace.true_costs
    for n in (1, 2, 7, 40, 149, 150):
        kept = [x for x in range(n) if not any(dominates(costs[y], costs[x]) for y in range(n))]
        assert trace.hypervolume[n - 1] == pytest.approx(front.hypervolume(truth[kept]), abs=1e-9)
        assert trace.igd_plus[n - 1] == pytest.approx(front.igd_plus(truth[kept]), abs=1e-12)
    assert trace.front.tolist() == kept
    assert trace.about["objectives"] == list(objectives)
    assert trace.about["nadir"] == front.nadir.tolist()
    assert "on its front" in repr(trace)
    assert "exact front" in trace._repr_html_()


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize(
    "given_",
    [
        {},
        {"unique": True},
        {"workers": 4},
        {"workers": 4, "synchronous": True},
        {"workers": 3, "unique": True},
    ],
)
def test_runs_replay_and_are_kept(
    name: str, given_: dict[str, Any], table: nb101.Table, tmp_path: Path
) -> None:
    given_ = {"objectives": BOTH, "queries": 120, "seed": 2, **given_}
    if name == "nsga-ii":
        given_["population"] = 16
    trace = search.run(name, table, **given_)
    assert trace.to_bytes() == search.run(name, table, **given_).to_bytes()
    trace.save(tmp_path / "t.parquet")
    back = search.Trace.open(tmp_path / "t.parquet")
    assert back.to_bytes() == trace.to_bytes()
    assert back.objectives == BOTH
    assert back.flops is None
    if given_.get("unique"):
        assert len({*trace.cell_ids.tolist()}) == len(trace)


@pytest.mark.parametrize("name", SEVERAL)
def test_no_searcher_sees_test_accuracies(name: str) -> None:
    space = nb101.SearchSpace(5)
    one = make_table(space, noise=0.01)
    other = make_table(space, noise=0.01, test=np.linspace(0.2, 0.9, len(space)))
    options: dict[str, Any] = {"population": 20} if name == "nsga-ii" else {}
    found = [
        search.run(name, each, objectives=ALL, queries=150, seed=5, **options)
        for each in (one, other)
    ]
    assert (found[0].cell_ids == found[1].cell_ids).all()
    assert (found[0].costs == found[1].costs).all()
    assert (found[0].true_costs[:, 0] != found[1].true_costs[:, 0]).any()


@pytest.mark.parametrize("name", SEVERAL)
def test_spaces_of_nas_bench_1shot1_have_fronts_of_their_own(name: str) -> None:
    table, one_shot = nb101.load_table(), nb101.OneShotSpace(1)
    trace = search.run(name, table, objectives=BOTH, space=one_shot, queries=150, seed=0)
    assert one_shot.has(trace.cell_ids).all()
    front = search.exact_front(table, BOTH, space=one_shot)
    assert one_shot.has(front.cell_ids).all()
    assert trace.about["front_cells"] == len(front)
    assert trace.hypervolume is not None
    assert trace.hypervolume[-1] == pytest.approx(
        front.hypervolume(trace.true_costs[trace.front]), abs=1e-9
    )


def test_a_table_with_holes() -> None:
    space = nb101.SearchSpace(5)
    cells = np.arange(3, len(space), 2)
    table = make_table(space, cells=cells, noise=0.01)
    for name in SEVERAL:
        trace = search.run(name, table, objectives=ALL, queries=80, seed=0)
        assert np.isin(trace.cell_ids, cells).all()
        places = np.searchsorted(table.cell_ids, trace.cell_ids)
        assert trace.flops is not None
        assert (trace.flops == table.cells.flops()[places]).all()


def test_without_objectives_a_trace_has_its_old_columns(table: nb101.Table) -> None:
    trace = search.run("local-search", table, queries=20, seed=0)
    assert tuple(trace.to_arrow().column_names) == COLUMNS
    assert trace.objectives == ()
    assert len(trace.front) == 0
    assert "objectives" not in trace.about


def test_a_damaged_column_is_refused(table: nb101.Table, tmp_path: Path) -> None:
    trace = search.run("random-search", table, objectives=BOTH, queries=5, seed=0)
    assert trace.hypervolume is not None
    trace.hypervolume[3] = 1.5
    trace.save(tmp_path / "t.parquet")
    with pytest.raises(nb101.DatasetError, match=r"hypervolume is 1\.5 at query 3"):
        search.Trace.open(tmp_path / "t.parquet")


# NSGA-II


def ranks_plainly(costs: Any) -> list[int]:
    left, ranks, rank = set(range(len(costs))), [0] * len(costs), 0
    while left:
        front = {x for x in left if not any(dominates(costs[y], costs[x]) for y in left)}
        for x in front:
            ranks[x] = rank
        left -= front
        rank += 1
    return ranks


def crowding_plainly(costs: Any) -> list[float]:
    """Of one front, as in the paper (section III B)."""
    found = [0.0] * len(costs)
    for column in range(len(costs[0])):
        order = sorted(range(len(costs)), key=lambda x: costs[x][column])
        reach = costs[order[-1]][column] - costs[order[0]][column]
        found[order[0]] = found[order[-1]] = float("inf")
        for before, x, after in zip(order, order[1:], order[2:], strict=False):
            if reach > 0:
                found[x] += (costs[after][column] - costs[before][column]) / reach
    return found


@given(points(3, 30), st.integers(1, 30))
@settings(max_examples=100, deadline=None)
def test_fronts_are_those_of_plain_code(costs: Any, enough: int) -> None:
    ranks = ranks_of(costs)
    assert ranks.tolist() == ranks_plainly(costs)
    if len(costs):
        assert np.flatnonzero(ranks == 0).tolist() == non_dominated(costs).tolist()
        some = ranks_of(costs, enough)
        last = np.sort(ranks)[min(enough, len(costs)) - 1]
        assert (some[ranks <= last] == ranks[ranks <= last]).all()
        assert (some[ranks > last] == last + 1).all()


@given(points(2, 20).filter(len))
@settings(max_examples=60, deadline=None)
def test_crowding_is_that_of_plain_code(costs: Any) -> None:
    # Points that are equal may come in any order among each other.
    costs = np.unique(costs, axis=0)
    ranks = ranks_of(costs)
    found = crowding_of(costs, ranks)
    for rank in range(ranks.max() + 1):
        front = costs[ranks == rank]
        assert found[ranks == rank].tolist() == pytest.approx(crowding_plainly(front.tolist()))


@pytest.fixture
def nsga(table: nb101.Table) -> NSGA2:
    domain = domain_of(table, (108,)).with_objectives(BOTH)
    return NSGA2(domain, np.random.default_rng(0), population=12)


def test_generations_are_new_cells_and_the_best_survive(nsga: NSGA2, table: nb101.Table) -> None:
    goals = goals_of(table, nsga.domain, BOTH)
    steps = nsga.steps()
    trials: Any = next(steps)
    for _ in range(12):
        alive = dict(zip(nsga._ids, nsga._costs.tolist(), strict=True))
        cells = trials.cell_ids.tolist()
        assert len(cells) == len({*cells}) == 12
        assert not {*cells} & {*alive}
        assert all(map(nsga.domain.has, cells))
        told = goals.truth[cells]
        everyone = alive | dict(zip(cells, told.tolist(), strict=True))
        trials = steps.send(told)
        assert nsga._costs.tolist() == [everyone[cell_id] for cell_id in nsga._ids]
        assert len(nsga._ids) == len({*nsga._ids}) == 12
        for vector, cell_id in zip(nsga._vectors, nsga._ids, strict=True):
            module = nsga.domain.module(vector)
            assert module is not None
            assert module.cell_id == cell_id
        ranks = dict(zip(everyone, ranks_plainly([*everyone.values()]), strict=True))
        worst = max(ranks[cell_id] for cell_id in nsga._ids)
        assert all(x in nsga._ids for x, rank in ranks.items() if rank < worst)
        last = [x for x, rank in ranks.items() if rank == worst]
        crowding = crowding_of(np.array([everyone[x] for x in last]), np.zeros(len(last), int))
        kept = [c for x, c in zip(last, crowding, strict=True) if x in nsga._ids]
        gone = [c for x, c in zip(last, crowding, strict=True) if x not in nsga._ids]
        assert min(kept) >= max(gone, default=0)


def test_tournaments_are_won_by_the_better_front_and_then_by_room(nsga: NSGA2) -> None:
    nsga._ids = [*range(4)]
    nsga._ranks, nsga._crowding = np.array([0, 0, 1, 2]), np.array([1.0, 3.0, np.inf, 5.0])
    counts = np.bincount(nsga._winners(16_000), minlength=4) / 16_000
    # Of 16 pairs of two drawn with replacement: 7 with the second one, 5 more with the first...
    assert counts == pytest.approx([5 / 16, 7 / 16, 3 / 16, 1 / 16], abs=0.02)


@pytest.mark.parametrize(
    ("crossover", "mutation"), [(0.0, 0.0), (1.0, 0.0), (0.0, 3.0), (0.9, 1.0)]
)
def test_children_have_the_values_of_parents_and_some_others(
    table: nb101.Table, crossover: float, mutation: float
) -> None:
    domain = domain_of(table, (108,)).with_objectives(BOTH)
    nsga = NSGA2(
        domain, np.random.default_rng(1), population=2, crossover=crossover, mutation=mutation
    )
    width = len(domain.choices)
    vectors = np.zeros((2, width), dtype=np.int8)
    vectors[1] = 1
    nsga._survive(vectors, [0, 1], np.array([[0.0, 1.0], [1.0, 0.0]]))
    children = nsga._offspring(8000)
    assert (children >= 0).all()
    assert (children < np.array(domain.choices)).all()
    mixed = (children != children[:, :1]).any(axis=1).mean()
    if not mutation:
        # Two parents that differ are drawn half of the time.
        assert mixed == pytest.approx(crossover / 2, abs=0.03)
    if not crossover:
        nearest = (children[:, np.newaxis] != vectors).sum(axis=2).min(axis=1)
        assert nearest.mean() == pytest.approx(mutation, abs=0.1)


def test_a_small_space_is_asked_for_again() -> None:
    table = make_table(nb101.SearchSpace(4), noise=0.01)
    trace = search.run("nsga-ii", table, objectives=BOTH, queries=700, seed=0)
    assert len(trace) == 700
    assert len({*trace.cell_ids[:91].tolist()}) > 80
    unique = search.run("nsga-ii", table, objectives=BOTH, queries=700, seed=0, unique=True)
    assert len(unique) == 91


@pytest.mark.parametrize("workers", [2, 8, 30])
def test_no_cell_is_alive_twice_however_many_workers(table: nb101.Table, workers: int) -> None:
    domain = domain_of(table, (108,))
    domain = domain.with_objectives(BOTH)
    nsga = NSGA2(domain, np.random.default_rng(0), population=20)
    costs = goals_of(table, domain, BOTH).truth
    flying: list[Any] = []
    for _ in range(400):
        while len(flying) < workers:
            steps = nsga.strand()
            flying.append((steps, next(steps)))
        steps, trial = flying.pop(0)
        with pytest.raises(StopIteration):
            steps.send(costs[trial.cell_id])
        assert len(set(nsga._ids)) == len(nsga._ids)
    assert len(nsga._ids) == 20


def test_a_population_has_a_limit(table: nb101.Table) -> None:
    with pytest.raises(nb101.ArgumentError, match="at most 10,000") as caught:
        search.run("nsga-ii", table, objectives=BOTH, queries=1, population=10_001)
    assert caught.value.field == "population"


def test_workers_find_what_one_does(table: nb101.Table) -> None:
    ends = {
        workers: np.mean(
            [
                search.run(
                    *("nsga-ii", table),
                    objectives=BOTH,
                    queries=300,
                    seed=seed,
                    workers=workers,
                    population=20,
                ).hypervolume[-1]  # type: ignore[index]
                for seed in range(8)
            ]
        )
        for workers in (1, 8)
    }
    assert ends[8] == pytest.approx(ends[1], abs=0.05)


# Comparisons


def compare(folder: Path, table: nb101.Table, **given_: Any) -> search.Comparison:
    given_ = {"objectives": BOTH, "runs": 3, "queries": 60, "jobs": 1, **given_}
    return search.compare(table, folder, **given_)


def test_comparisons_go_on_and_keep_their_objectives(table: nb101.Table, tmp_path: Path) -> None:
    found = compare(tmp_path, table, runs=2)
    assert found.runs == dict.fromkeys(sorted(SEVERAL, key=[*search.registry()].index), 2)
    kept = json.loads((tmp_path / MANIFEST).read_text())
    assert kept["format"] == WIDER_FORMAT
    assert kept["objectives"] == list(BOTH)
    front = search.exact_front(table, BOTH)
    assert [row[0] for row in kept["front"]] == front.cell_ids.tolist()
    first = {path: path.read_bytes() for name in SEVERAL for path in found.paths(name)}
    again = compare(tmp_path, table, objectives=["validation_error", "parameters"])
    assert again.runs == dict.fromkeys(found.runs, 3)
    assert all(path.read_bytes() == data for path, data in first.items())
    exact = again.plan.exact_front
    assert exact is not None
    assert (exact.values == front.values).all()
    with pytest.raises(nb101.SearchError, match="another comparison: objectives there") as caught:
        compare(tmp_path, table, objectives=ALL)
    assert caught.value.field == "objectives"
    with pytest.raises(nb101.SearchError, match="another comparison: objectives there"):
        compare(tmp_path, table, objectives=None, names=["random-search"])
    assert "validation error" not in again._repr_html_()
    assert "error, parameters" in again._repr_html_()


def test_comparisons_without_objectives_are_written_as_they_were(
    table: nb101.Table, tmp_path: Path
) -> None:
    compare(tmp_path, table, objectives=None, names=["random-search"])
    kept = json.loads((tmp_path / MANIFEST).read_text())
    assert kept["format"] == FORMAT
    assert "objectives" not in kept
    with pytest.raises(nb101.SearchError, match="accuracy alone"):
        search.Comparison.open(tmp_path).indicators("random-search")


@pytest.mark.parametrize(
    "change",
    [
        {"front": []},
        {"objectives": []},
        {"objectives": ["error", "speed"]},
        {"front": [[1, 0.5]]},
        {"front": [["a", 0.5, 3]]},
        {"front": 7},
    ],
)
def test_a_plan_that_makes_no_sense_is_damaged(
    change: dict[str, Any], table: nb101.Table, tmp_path: Path
) -> None:
    from nb101._base.seals import KEY, sealed_json

    compare(tmp_path, table, runs=1, names=["random-search"])
    values = json.loads((tmp_path / MANIFEST).read_text())
    values.pop(KEY if isinstance(KEY, str) else KEY.decode())
    (tmp_path / MANIFEST).write_bytes(sealed_json({**values, **change}))
    with pytest.raises(nb101.DatasetError, match="damaged"):
        search.Comparison.open(tmp_path)


def test_arrays_by_both_clocks(table: nb101.Table, tmp_path: Path) -> None:
    found = compare(tmp_path, table, workers=4, names=["random-search"])
    trace = next(iter(found.traces("random-search")))
    place = 30
    clocks: dict[Any, Any] = {"wall": trace.seconds, "total": trace.total_seconds}
    for clock, times in clocks.items():
        volumes, distances = found.indicators("random-search", float(times[place]), clock=clock)
        last = np.searchsorted(times, times[place], side="right") - 1
        assert volumes.shape == distances.shape == (3,)
        assert volumes[0] == trace.hypervolume[last]  # type: ignore[index]
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("nope", {}, "name"),
        ("nsga-ii", {}, "name"),
        ("random-search", {"seconds": "x"}, "seconds"),
        ("random-search", {"clock": "x"}, "clock"),
    ]
    for name, given_, field in wrong:
        with pytest.raises(nb101.ArgumentError) as caught:
            found.indicators(name, **given_)
        assert caught.value.field == field


def test_arrays_of_a_comparison(table: nb101.Table, tmp_path: Path) -> None:
    found = compare(tmp_path, table)
    for name in SEVERAL:
        traces = [*found.traces(name)]
        volumes, distances = found.indicators(name)
        assert volumes.tolist() == [x.hypervolume[-1] for x in traces]  # type: ignore[index]
        assert distances.tolist() == [x.igd_plus[-1] for x in traces]  # type: ignore[index]
        times = [0.0, float(traces[0].seconds[9]), 1e9]
        volumes, distances = found.indicators(name, times)
        assert volumes.shape == distances.shape == (3, 3)
        assert np.isnan(volumes[:, 0]).all()
        assert volumes[0, 1] == traces[0].hypervolume[9]  # type: ignore[index]
        assert distances[:, 2].tolist() == [x.igd_plus[-1] for x in traces]  # type: ignore[index]


@pytest.mark.parametrize(
    "given_", [{}, {"objectives": ALL}, {"workers": 3}, {"queries": None, "seconds": 3000}]
)
def test_the_page(given_: dict[str, Any], table: nb101.Table, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found = compare(tmp_path, table, **given_)
    summary = summarize(found)
    page = write_page(found, summary).read_text()
    assert "hypervolume" in page
    assert "Beside the paper" not in page
    assert ("hypervolume-total" in page) == ("workers" in given_)
    for objective in found.plan.objectives[1:]:
        assert f"front-{objective.replace('_', '-')}" in page
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    assert numbers["objectives"] == list(found.plan.objectives)
    front = search.exact_front(table, found.plan.objectives)
    assert numbers["exact_front"]["cell_ids"] == front.cell_ids.tolist()
    for each in summary.standings:
        said = numbers["algorithms"][each.name]
        volumes, distances = found.indicators(each.name)
        assert said["final_hypervolume"]["median"] == pytest.approx(np.median(volumes))
        assert said["final_igd_plus"]["median"] == pytest.approx(np.median(distances))
        assert "final_regret" not in said
        traces = [*found.traces(each.name)]
        exact = [np.isin(np.unique(x.cell_ids[x.front]), front.cell_ids).sum() for x in traces]
        assert said["exact_front_cells_median"] == np.median(exact)
        assert each.reached is not None
        # The curve ends where the runs do.
        assert each.curve[1, -1] == pytest.approx(1 - np.median(volumes))


def test_a_run_without_an_answer_is_shown(table: nb101.Table, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    given_: dict[str, Any] = {"runs": 8, "names": ["random-search"]}
    first = compare(tmp_path / "first", table, queries=1, **given_)
    ends = sorted(float(trace.seconds[0]) for trace in first.traces("random-search"))
    found = compare(tmp_path / "found", table, queries=None, seconds=ends[3], **given_)
    counts = [len(trace) for trace in found.traces("random-search")]
    assert 0 in counts
    assert 1 in counts
    assert "More than half" in write_page(found).read_text() or counts.count(0) <= 4
    volumes, distances = found.indicators("random-search")
    assert np.isnan(volumes).tolist() == np.isnan(distances).tolist() == [not n for n in counts]
