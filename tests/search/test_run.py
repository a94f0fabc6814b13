"""Runs and traces: what is promised of every algorithm."""

import importlib
import json
import os
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nb101
from nb101 import search
from nb101._base.seals import BLANK, seal_bytes
from nb101.search.domain import Domain
from nb101.search.searcher import REGISTRY
from nb101.search.trace import COLUMNS, make_trace, step
from resealing import reseal

from .conftest import LIBRARIES, QUICK, make_table, run


def same(one: search.Trace, other: search.Trace) -> bool:
    """Whether two searches asked and were answered the same."""
    names = ("cell_ids", "epochs", "seconds", "validation_accuracy")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_a_seed_replays_a_run(name: str, table: nb101.Table) -> None:
    traces = [run(name, nb101.Benchmark(table, seed=3), seed=5) for _ in range(2)]
    assert same(*traces)
    assert not same(traces[0], run(name, nb101.Benchmark(table, seed=3), seed=6))


REPLAY = """
import sys
sys.path.insert(0, sys.argv[1])
from search.conftest import make_table, run
print(run(sys.argv[2], make_table(noise=0.01, repeats=3), seed=5).cell_ids.tolist())
"""


def test_a_seed_replays_a_run_in_any_process(name: str) -> None:
    # Hashes of strings, and so the order of sets of them, differ from process to process.
    command = [sys.executable, "-c", REPLAY, str(Path(__file__).parents[1]), name]
    found = {
        subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_a_seed_replays_the_benchmark_of_a_table(table: nb101.Table) -> None:
    sequence = np.random.SeedSequence(4, spawn_key=(1,))
    for seed in (5, sequence):
        one, other = (search.run("reinforce", table, queries=99, seed=seed) for _ in range(2))
        assert same(one, other)
    assert one.about["seed"] == [4, 1]
    free = [search.run("reinforce", table, queries=99) for _ in range(2)]
    assert not same(*free)


@pytest.mark.parametrize("kind", ["table", "benchmark"])
def test_a_trace_says_how_to_replay_it(kind: str, table: nb101.Table) -> None:
    given = table if kind == "table" else nb101.Benchmark(table)
    trace = search.run("hyperband", given, max_epochs=3000, epochs=36, unique=True, eta=2)
    about = trace.about
    again = search.run(
        about["searcher"],
        table if kind == "table" else nb101.Benchmark(table, about["benchmark_seed"]),
        seed=about["seed"],
        epochs=about["epochs"],
        unique=about["unique"],
        **about["limits"],
        **about["options"],
    )
    assert same(trace, again)
    assert again.about == about
    assert (about["kind"], about["predicted"]) == ("unknown", "")
    assert about["libraries"] == {"numpy": np.__version__}
    if isinstance(given, nb101.Benchmark):
        given.reset()
        later = search.run("hyperband", given, queries=2, seed=0)
        assert later.about["benchmark_seed"] is None
    other = make_table(noise=0.01, repeats=3, test=np.zeros(91))
    assert (
        search.run("hyperband", other, queries=1).about["table_checksum"]
        != (about["table_checksum"])
    )


def test_each_finds_the_optimum_of_a_small_space(name: str, exact: nb101.Table) -> None:
    # SMAC takes a second for a few proposals: its space is smaller, and it goes through all of it.
    table = make_table(nb101.SearchSpace(3)) if name == "smac" else exact
    # BOHB, as its authors have it, comes back to what it holds for good again and again.
    queries = {"tpe": 300, "smac": 40, "bananas": 60, "bohb": 4000}.get(name, 1000)
    trace = run(name, table, seed=1, queries=queries)
    assert trace.final_regret == 0
    assert trace.best_cell_ids[-1] == table.best("test_accuracy").cell_id


def test_test_accuracy_is_never_seen(name: str, table: nb101.Table) -> None:
    poisoned = make_table(noise=0.01, repeats=3, test=np.random.default_rng(1).random(91))
    one, other = (run(name, t, seed=2) for t in (table, poisoned))
    assert same(one, other)
    assert one.regret.tolist() != other.regret.tolist()


@settings(max_examples=25)
@given(st.sampled_from(QUICK), st.integers(0, 2**32), st.integers(0, 2**32))
def test_test_accuracy_is_never_seen_whatever_it_is(name: str, seed: int, poison: int) -> None:
    space = nb101.SearchSpace(3)
    rng = np.random.default_rng(poison)
    tables = [make_table(space, test=rng.random(len(space))) for _ in range(2)]
    assert same(*(search.run(name, t, seed=seed, queries=60) for t in tables))


@pytest.mark.parametrize("seconds", [1.0, 5000.0])
def test_simulated_time_is_kept(name: str, table: nb101.Table, seconds: float) -> None:
    bench = nb101.Benchmark(table, seed=0)
    trace = search.run(name, bench, seconds=seconds, seed=0)
    assert (trace.seconds <= seconds).all()
    # The query that did not end in time is charged.
    assert bench.spent.seconds > seconds
    assert len(bench.log()) == len(trace) + 1
    assert np.allclose(trace.seconds, np.cumsum(trace.training_time, dtype=np.float64))


def test_other_limits_are_kept(table: nb101.Table) -> None:
    trace = search.run("hyperband", table, max_epochs=1000, seed=0)
    assert trace.epochs.sum(dtype=int) <= 1000 < trace.epochs.sum(dtype=int) + 108
    assert len(search.run("random-search", table, queries=7, seed=0)) == 7
    empty = search.run("random-search", table, seconds=1.0, seed=0)
    assert len(empty) == 0
    assert np.isnan(empty.final_regret)
    assert np.isnan(empty.regret_at([1.0, 2.0])).all()


def test_only_valid_cells_are_asked_for(name: str) -> None:
    cells = np.arange(0, 91, 2)
    trace = run(name, make_table(cells=cells), seed=0)
    assert set(trace.cell_ids.tolist()) <= set(cells.tolist())


def test_the_benchmark_is_charged(exact: nb101.Table) -> None:
    bench = nb101.Benchmark(exact, seed=0)
    trace = search.run("local-search", bench, queries=20, seed=0)
    assert bench.spent.seconds == trace.seconds[-1]
    again = search.run("local-search", bench, queries=20, seed=1)
    assert bench.spent.seconds == pytest.approx(trace.seconds[-1] + again.seconds[-1])
    assert again.seconds[0] == again.training_time[0]


def test_the_budget_is_kept(table: nb101.Table) -> None:
    assert set(search.run("random-search", table, queries=9, epochs=12).epochs) == {12}
    assert set(search.run("hyperband", table, queries=99, epochs=36).epochs) == {4, 12, 36}
    with pytest.raises(nb101.UnknownNameError, match=r"called epochs.*max_epochs") as caught:
        search.run("random-search", table, queries=9, budget=12)
    assert caught.value.field == "budget"
    with pytest.raises(nb101.MissingRunError, match="13"):
        search.run("random-search", table, queries=9, epochs=13)


@pytest.mark.parametrize("name", QUICK)
def test_repeats_can_be_free(name: str, table: nb101.Table) -> None:
    bench = nb101.Benchmark(table, seed=0)
    trace = search.run(name, bench, queries=80, seed=0, unique=True)
    pairs = list(zip(trace.cell_ids.tolist(), trace.epochs.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs) == len(bench.log())
    if name != "local-search":
        assert trace.about["queries_saved"] > 0


def test_a_search_of_new_cells_ends_when_all_are_known(table: nb101.Table) -> None:
    trace = search.run("random-search", table, seconds=1e12, seed=0, unique=True)
    assert sorted(trace.cell_ids.tolist()) == list(range(91))


def test_a_search_of_new_cells_ends_when_it_finds_none(table: nb101.Table) -> None:
    class Stubborn(search.Sequential):
        def steps(self) -> Generator[search.Trial, float, None]:
            while True:
                yield search.Trial(5, self.budget)

    search.register("stubborn", title="stubborn", source="this test")(Stubborn)
    try:
        trace = search.run("stubborn", table, queries=10, unique=True)
    finally:
        del REGISTRY["stubborn"]
    assert trace.cell_ids.tolist() == [5]
    assert trace.about["queries_saved"] == 10_000


def test_predicted_tables_answer_with_noise() -> None:
    trace = search.run("random-search", nb101.load_table(), queries=4000, seed=0)
    ids, counts = np.unique(trace.cell_ids, return_counts=True)
    common = ids[counts.argmax()]
    assert len(set(trace.validation_accuracy[trace.cell_ids == common].tolist())) > 10


@pytest.mark.parametrize(
    ("provenance", "mark"),
    [
        ({"kind": "predicted"}, "predicted"),
        ({"kind": "mixed", "parts": [{"kind": "predicted"}, {}]}, "partly predicted"),
        ({"kind": "measured"}, ""),
    ],
)
def test_traces_carry_what_is_predicted(
    provenance: dict[str, Any], mark: str, tmp_path: Path
) -> None:
    table = make_table(provenance=provenance)
    search.run("random-search", table, queries=5, seed=0).save(tmp_path / "t.parquet")
    back = search.Trace.open(tmp_path / "t.parquet")
    assert back.predicted == back.about["predicted"] == mark
    assert back.about["kind"] == provenance["kind"]
    metadata = back.to_arrow().schema.metadata
    assert json.loads(metadata[b"nb101.trace"])["predicted"] == mark


def test_what_is_wrong_is_said(table: nb101.Table) -> None:
    with pytest.raises(ValueError, match="did you mean 'random-search'"):
        search.run("random-serch", table, queries=1)
    with pytest.raises(ValueError, match="give a limit"):
        search.run("random-search", table)
    with pytest.raises(ValueError, match="finite"):
        search.run("random-search", table, seconds=float("inf"))
    for wrong in (0, -1, float("nan"), True, "9"):
        with pytest.raises(ValueError, match="positive"):
            search.run("random-search", table, queries=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="seed"):
        search.run("random-search", table, queries=1, seed=-1)
    given: dict[str, Any]
    for given, kind, field in (
        ({"queries": -1}, nb101.ArgumentError, "queries"),
        ({"queries": 1, "eta": 2}, nb101.UnknownNameError, "eta"),
        ({"queries": 1, "method": "rough"}, nb101.ArgumentError, "method"),
        ({"max_epochs": 0}, nb101.ArgumentError, "max_epochs"),
        ({}, nb101.ArgumentError, "seconds"),
    ):
        with pytest.raises(kind) as caught:
            search.run("random-search", table, **given)
        assert caught.value.field == field
    with pytest.raises(TypeError, match="Benchmark or a Table"):
        search.run("random-search", "table", queries=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no option 'populaton'; it has population, tournament"):
        search.run("regularized-evolution", table, queries=1, populaton=3)
    for name, entry in search.registry().items():
        for option, default in entry.options.items():
            if isinstance(default, bool):
                continue
            wrong_one: dict[str, Any] = {option: -1}
            if entry.searcher.needs_objectives:
                wrong_one["objectives"] = ("error", "training_time")
            with pytest.raises(ValueError, match=option):
                search.run(name, table, queries=1, **wrong_one)


@pytest.mark.parametrize(("name", "library"), LIBRARIES.items())
def test_a_missing_library_names_the_extra(
    name: str, library: str, table: nb101.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=r"pip install 'nb101\[search\]'"):
        search.run(name, table, queries=1)


def test_algorithms_can_be_added(table: nb101.Table) -> None:
    class Walk(search.Sequential):
        def __init__(self, domain: search.Domain, rng: Any, *, start: int = 0) -> None:
            super().__init__(domain, rng)
            self.start = start

        def steps(self) -> Generator[search.Trial, float, None]:
            cell_id = self.start
            while True:
                yield search.Trial(cell_id % 91, self.budget)
                cell_id += 1

    search.register("walk", title="walk", source="this test")(Walk)
    try:
        trace = search.run("walk", table, queries=4, start=89)
        with pytest.raises(ValueError, match="called 'walk' already"):
            search.register("walk", title="other", source="")(type("Other", (Walk,), {}))
    finally:
        del REGISTRY["walk"]
    assert trace.cell_ids.tolist() == [89, 90, 0, 1]


def test_what_was_not_asked_for_cannot_be_told(exact: nb101.Table) -> None:
    domain = search.domain_of(exact, (108,))
    searcher = search.create("random-search", domain, np.random.default_rng(0))
    trial = searcher.ask()
    assert searcher.ask() == trial
    with pytest.raises(ValueError, match="not asked for"):
        searcher.tell(search.Trial(trial.cell_id + 1, 108), 0.5, 1.0)
    searcher.tell(trial, 0.5, 1.0)


# One by one, and many at a time


def identical(one: search.Trace, other: search.Trace) -> bool:
    return one.about == other.about and all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in COLUMNS
    )


LIMITS: list[dict[str, Any]] = [
    {"queries": 1},
    {"queries": 700},
    {"seconds": 3e5},
    {"seconds": 1.0},
    {"max_epochs": 5000},
    {"seconds": 1e6, "max_epochs": 30000.5, "queries": 900},
]


@pytest.fixture(scope="session")
def collapsing() -> nb101.Table:
    """Lacks cells, and runs lie apart: of some cells so far that a part of them collapses."""
    cells = np.flatnonzero(np.arange(91) % 5)
    table = make_table(cells=cells)
    columns: dict[str, Any] = {name: table.column(name) for name in table.columns}
    rng = np.random.default_rng(3)
    columns["validation_accuracy_spread"] = rng.choice([0.004, 0.03, 0.2], len(columns["cell_id"]))
    return nb101.Table.from_columns(columns, space=nb101.SearchSpace(4))


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("kind", ["table", "collapsing"])
def test_a_generator_is_answered_alike_in_the_core(
    kind: str, name: str, request: pytest.FixtureRequest
) -> None:
    """Traces, clock, log and what comes next are those of asking and telling one by one."""
    table = request.getfixturevalue(kind)
    for limits in LIMITS:
        one, other = (nb101.Benchmark(table, seed=8, noise=kind != "table") for _ in range(2))
        in_core = search.run(name, one, seed=2, **limits)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(search.Sequential, "generator", None)
            patch.setattr(search.Sequential, "ask_many", search.Sequential.ask)
            plain = search.run(name, other, seed=2, **limits)
        assert identical(in_core, plain)
        assert one.spent == other.spent
        assert one.log().to_pandas().equals(other.log().to_pandas())
        assert one.query(7)[:5] == other.query(7)[:5]


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Registers searchers for the time of a test."""
    search.registry()  # Imports those that there are.
    monkeypatch.setattr("nb101.search.searcher.REGISTRY", dict(REGISTRY))

    def add(name: str, steps: Any, **more: Any) -> None:
        made = type(name, (search.Sequential,), {"steps": steps, **more})
        search.register(name, title=name, source="this test")(made)

    return add


@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_trials_are_answered_as_one_trial_after_the_other(
    limits: dict[str, Any], unique: bool, table: nb101.Table, registered: Any
) -> None:
    def batches(self: search.Sequential) -> Any:
        for _ in range(40):
            yield (
                self.rng.integers(0, 91, self.rng.integers(0, 60)),
                int(self.rng.choice(self.domain.budgets)),
            )

    told: dict[str, list[float]] = {"many": [], "one": []}

    def many(self: search.Sequential) -> search.Steps:
        for cell_ids, epochs in batches(self):
            told["many"] += (yield search.Trials(cell_ids, epochs)).tolist()

    def one(self: search.Sequential) -> search.Steps:
        for cell_ids, epochs in batches(self):
            for cell_id in cell_ids.tolist():
                told["one"].append((yield search.Trial(cell_id, epochs)))

    benches = []
    traces = []
    for name, steps in (("many", many), ("one", one)):
        registered(name, steps, multi_fidelity=True)
        benches.append(nb101.Benchmark(table, seed=8))
        traces.append(search.run(name, benches[-1], seed=2, unique=unique, **limits))
    assert same(*traces)
    assert benches[0].spent == benches[1].spent
    assert benches[0].log().to_pandas().equals(benches[1].log().to_pandas())
    assert told["many"] == told["one"][: len(told["many"])]
    assert "many" not in limits or told["many"]


def test_who_is_asked_or_told_in_a_way_of_its_own_is(table: nb101.Table, registered: Any) -> None:
    told: list[float] = []

    def steps(self: search.Sequential) -> search.Steps:
        accuracies = yield search.Trials(np.arange(5), self.budget)
        assert accuracies.tolist() == told
        yield search.Trial(5, self.budget)

    def tell(self: search.Sequential, trial: search.Trial, accuracy: float, cost: float) -> None:
        told.append(accuracy)
        search.Sequential.tell(self, trial, accuracy, cost)

    registered("listening", steps, tell=tell)
    trace = search.run("listening", table, queries=100, seed=0)
    assert trace.cell_ids.tolist() == list(range(6))
    assert (trace.validation_accuracy == np.array(told, np.float32)).all()


def test_searchers_without_a_generator_take_trials(table: nb101.Table, registered: Any) -> None:
    class Block(search.Searcher):
        def ask(self) -> search.Trial:
            raise NotImplementedError

        def ask_many(self) -> search.Trials:
            return search.Trials(np.arange(7), self.budget)

        def tell(self, trial: search.Trial, accuracy: float, seconds: float) -> None:
            told.append((trial, accuracy, seconds))

    told: list[Any] = []
    search.register("block", title="block", source="this test")(Block)
    trace = search.run("block", table, queries=20, seed=0)
    assert trace.cell_ids.tolist() == [*range(7), *range(7), *range(6)]
    assert [x[0].cell_id for x in told] == [*range(7), *range(7)]
    assert (trace.validation_accuracy[:14] == np.array([x[1] for x in told], np.float32)).all()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (search.Trial(91, 108), nb101.CellIdError),
        (search.Trial(-1, 108), nb101.CellIdError),
        (search.Trial(5, 13), nb101.MissingRunError),
        ("raise", ZeroDivisionError),
    ],
)
def test_errors_on_the_way_come_through(
    wrong: Any, error: type[Exception], table: nb101.Table, registered: Any
) -> None:
    """And what was asked before is charged."""

    def steps(self: search.Sequential) -> search.Steps:
        for cell_id in range(4):
            yield search.Trial(cell_id, self.budget)
        if wrong == "raise":
            raise ZeroDivisionError
        yield wrong

    registered("wrong", steps)
    bench = nb101.Benchmark(table, seed=0)
    with pytest.raises(error):
        search.run("wrong", bench, queries=10, seed=0)
    assert bench.log()["cell_id"].to_pylist() == [0, 1, 2, 3]
    assert bench.spent.epochs == 4 * 108


LOOKS: dict[str, Any] = {
    "spent": lambda bench: bench.spent,
    "repr": repr,
    "page": lambda bench: bench._repr_html_().split("queries")[1][:60],
    "used": lambda bench: bench.is_used,
    "log": lambda bench: bench.log().to_pydict(),
    "query": lambda bench: bench.query(7),
    "query_many": lambda bench: [column.tolist() for column in bench.query_many([7, 3, 8])],
    "copy": lambda bench: (other := pickle.loads(pickle.dumps(bench))).query(7) + other.spent,
    "reset": lambda bench: bench.reset(),
    "search": lambda bench: search.run("random-search", bench, queries=3, seed=1).seconds.tolist(),
    "evolution": lambda bench: search.run(
        "regularized-evolution", bench, queries=9, seed=1, population=4, tournament=2
    ).seconds.tolist(),
}


@pytest.mark.parametrize("kind", ["table", "collapsing"])
@pytest.mark.parametrize("look", LOOKS)
def test_who_looks_at_the_benchmark_meanwhile_sees_each_answer_charged(
    look: str, kind: str, registered: Any, request: pytest.FixtureRequest
) -> None:
    """It is as if each trial had been asked for on its own, whenever one looks."""
    table = request.getfixturevalue(kind)
    ids = table.cell_ids
    seen: list[Any] = []

    def steps(self: search.Sequential) -> search.Steps:
        for cell_id in self.rng.choice(ids, 1500).tolist():
            if self.rng.random() < 0.02:
                seen.append(LOOKS[look](bench))
            seen.append((yield search.Trial(cell_id, self.budget)))

    registered("looking", steps)
    found: list[str] = []
    for patched in (False, True):
        bench = nb101.Benchmark(table, seed=8, noise=kind != "table")
        seen = []
        with pytest.MonkeyPatch.context() as patch:
            if patched:
                patch.setattr(search.Sequential, "generator", None)
            trace = search.run("looking", bench, queries=1400, seed=2)
        assert not bench._stretches
        assert len(seen) > 1400
        # As texts, since NaN is not itself.
        found.append(repr([seen, trace.seconds.tolist(), bench.log().to_pydict(), bench.query(7)]))
    assert found[0] == found[1]


def test_another_thread_sees_each_answer_charged(collapsing: nb101.Table, registered: Any) -> None:
    """And all add up, whichever thread gets which draws."""
    bench = nb101.Benchmark(collapsing, seed=0, noise=True)
    asked, look, seen = [0], threading.Event(), threading.Event()
    ids = collapsing.cell_ids.tolist()

    def steps(self: search.Sequential) -> search.Steps:
        for i in range(4000):
            if i == 700:
                look.set()
                assert seen.wait(10)
            yield search.Trial(ids[i % len(ids)], self.budget)
            asked[0] += 1

    spent = []

    def other() -> None:
        assert look.wait(10)
        spent.append(bench.spent)
        seen.set()
        for _ in range(300):
            bench.query(ids[0])

    registered("shared", steps)
    thread = threading.Thread(target=other)
    thread.start()
    trace = search.run("shared", bench, queries=4000, seed=2)
    thread.join()
    assert spent[0].epochs == 700 * trace.about["epochs"]
    assert len(trace.seconds) == 4000
    assert bench.spent.epochs == 4300 * 108
    log = bench.log()
    assert len(log) == 4300
    assert log["seconds_spent"][-1].as_py() == pytest.approx(bench.spent.seconds)


def test_trials_name_cells_as_queries_do(table: nb101.Table, registered: Any) -> None:
    def steps(self: search.Sequential) -> search.Steps:
        yield search.Trial(np.int64(3), self.budget)  # type: ignore[arg-type]
        yield search.Trial(table.space[4], self.budget)  # type: ignore[arg-type]
        yield search.Trial(table.space[5].hash, self.budget)  # type: ignore[arg-type]
        yield search.Trials([6, table.space[7]], self.budget)  # type: ignore[arg-type]
        yield search.Trial(8, self.budget)

    registered("naming", steps)
    assert search.run("naming", table, queries=10, seed=0).cell_ids.tolist() == [3, 4, 5, 6, 7, 8]


# Traces


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 20)), min_size=1), st.data())
def test_a_trace_is_what_one_would_write_down(
    answers: list[tuple[int, int]], data: st.DataObject
) -> None:
    regrets = np.array([0.3, 0.2, 0.1, 0.05, 0.0])
    n = len(answers)
    ids = np.array([cell_id for cell_id, _ in answers])
    columns = {
        "cell_ids": ids,
        "epochs": np.full(n, 108),
        "training_time": np.arange(1, n + 1),
        "train_accuracy": np.full(n, np.nan),
        "validation_accuracy": np.array([accuracy / 20 for _, accuracy in answers]),
        "test_accuracy": np.full(n, 0.5),
    }
    trace = make_trace({}, columns, regrets[ids])
    clock, best, incumbent = 0.0, -1.0, -1
    for i, (cell_id, accuracy) in enumerate(answers):
        clock += i + 1
        if accuracy / 20 > best:
            best, incumbent = accuracy / 20, cell_id
        assert trace.seconds[i] == clock
        assert trace.best_validation[i] == np.float32(best)
        assert trace.best_cell_ids[i] == incumbent
        assert trace.regret[i] == regrets[incumbent]
    at = data.draw(st.floats(0, clock + 1))
    reached = [i for i in range(n) if trace.seconds[i] <= at]
    expected = trace.regret[reached[-1]] if reached else np.nan
    assert np.array_equal(trace.regret_at(at), expected, equal_nan=True)


def test_steps_of_many_times() -> None:
    found = step(np.array([1.0, 3.0]), np.array([9.0, 8.0]), [0.5, 1.0, 2.9, 3.0, 99.0])
    assert found.tolist()[1:] == [9.0, 9.0, 8.0, 8.0]
    assert np.isnan(found[0])


def test_regret_is_that_of_the_benchmark(table: nb101.Table) -> None:
    trace = search.run("random-search", table, queries=50, seed=0)
    bench = nb101.Benchmark(table)
    assert trace.regret.tolist() == bench.regret(trace.best_cell_ids).tolist()


def test_traces_are_kept_as_parquet(table: nb101.Table, tmp_path: Path) -> None:
    trace = search.run("hyperband", table, queries=50, seed=4, eta=2)
    trace.save(tmp_path / "trace.parquet")
    back = search.Trace.open(tmp_path / "trace.parquet")
    assert same(trace, back)
    assert back.about == trace.about
    assert back.about["options"] == {"eta": 2}
    assert back.regret.tolist() == trace.regret.tolist()
    (tmp_path / "no.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(nb101.DatasetError, match="has no seal"):
        search.Trace.open(tmp_path / "no.parquet")
    (tmp_path / "no.parquet").write_bytes(seal_bytes(b"PAR1 not really" + BLANK.encode()))
    with pytest.raises(nb101.DatasetError, match="not the trace of a search"):
        search.Trace.open(tmp_path / "no.parquet")
    # What Arrow says of it is an OSError that quotes the file.
    whole = (tmp_path / "trace.parquet").read_bytes()
    damaged = whole[:4] + b"\x0f" * 30 + whole[34:]
    blank = re.sub(rb"nb101-sha256:[0-9a-f]{64}", BLANK.encode(), damaged)
    (tmp_path / "no.parquet").write_bytes(seal_bytes(blank))
    with pytest.raises(nb101.DatasetError, match="not the trace of a search") as caught:
        search.Trace.open(tmp_path / "no.parquet")
    assert str(caught.value).isprintable()
    with pytest.raises(FileNotFoundError):
        search.Trace.open(tmp_path / "none.parquet")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seconds", np.inf),
        ("seconds", 1e9),  # More than the next one.
        ("training_time", -1),
        ("cell_ids", -1),
        ("epochs", 0),
        ("validation_accuracy", 1.5),
        ("regret", -0.1),
    ],
)
def test_traces_that_make_no_sense(
    table: nb101.Table, tmp_path: Path, name: str, value: float
) -> None:
    """Though their seal fits: what others have written."""
    trace = search.run("random-search", table, queries=5, seed=0)
    column = getattr(trace, name).copy()
    column[2] = value
    replace(trace, **{name: column}).save(tmp_path / "t.parquet")
    with pytest.raises(nb101.DatasetError, match=rf"search: {name} is .* at query [23]: delete it"):
        search.Trace.open(tmp_path / "t.parquet")
    narrow: dict[str, Any] = {name: np.zeros(5, np.int8)}
    replace(trace, **narrow).save(tmp_path / "t.parquet")
    with pytest.raises(nb101.DatasetError, match=f"{name} is int8 and not"):
        search.Trace.open(tmp_path / "t.parquet")


def test_files_that_are_no_parquet_behind_their_seal(table: nb101.Table, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    search.run("random-search", table, queries=5, seed=0).save(path)
    whole = path.read_bytes()
    # The first page, the schema, and where the end is said to be.
    for place in (20, whole.index(b"training_time"), len(whole) - 6):
        path.write_bytes(reseal(whole[:place] + b"\xff\xff" + whole[place + 2 :]))
        with pytest.raises(nb101.DatasetError, match=r"not the trace of a search: .*: delete it"):
            search.Trace.open(path)


def test_importing_the_package_imports_no_library() -> None:
    code = (
        "import sys, nb101.search as s; s.registry()\n"
        "print([x for x in ('optuna', 'smac', 'ConfigSpace', 'sklearn', 'matplotlib', 'pyarrow')"
        " if x in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_part_registers_something() -> None:
    from nb101.search.searcher import PARTS

    search.registry()
    parts = {entry.searcher.__module__ for entry in REGISTRY.values()}
    assert {importlib.import_module(f"nb101.search.{x}").__name__ for x in PARTS} == parts


def test_cells_with_unfinished_runs_are_not_searched(table: nb101.Table) -> None:
    columns = {name: table.column(name).copy() for name in table.columns}
    for metric, every in (("validation_accuracy", 100), ("training_time", 150)):
        columns[f"final_{metric}"][::every] = np.nan
    holed = nb101.Table.from_columns(columns, space=table.space)
    trace = search.run("hyperband", holed, queries=300, seed=0)
    assert np.isfinite(trace.best_validation).all()
    assert np.isfinite(trace.seconds).all()


def test_a_search_may_come_to_an_end(table: nb101.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    search.registry()  # Imports those that there are.
    monkeypatch.setattr("nb101.search.searcher.REGISTRY", dict(REGISTRY))

    @search.register("three", title="three", source="here")
    class Three(search.Sequential):
        def steps(self) -> Any:
            for cell_id in range(3):
                yield search.Trial(cell_id, self.budget)

    assert search.run("three", table, queries=10, seed=0).cell_ids.tolist() == [0, 1, 2]


def test_progress_is_told(table: nb101.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nb101.search.runner.INTERVAL", 0)
    told: list[tuple[float, float]] = []
    given: dict[str, Any] = {"seconds": 1e9, "queries": 20, "seed": 1}
    trace = search.run("reinforce", table, progress=lambda *spent: told.append(spent), **given)
    assert told == [(0, 1e9), *((i, 20) for i in range(1, 20))]
    assert same(trace, search.run("reinforce", table, **given))


def test_numbers_of_numpy_can_be_kept(table: nb101.Table, tmp_path: Path) -> None:
    trace = search.run("hyperband", table, queries=9, seed=np.int64(4), eta=np.int64(2))  # type: ignore[arg-type]
    trace.save(tmp_path / "t.parquet")
    assert search.Trace.open(tmp_path / "t.parquet").about["seed"] == 4
    with pytest.raises(ValueError, match=r"queries must be a whole number, not 2\.5"):
        search.run("hyperband", table, queries=2.5, seed=0)  # type: ignore[arg-type]


def test_all_edges_of_large_spaces_are_drawn() -> None:
    domain = Domain(nb101.SearchSpace(11, 55), (108,))
    # Such a space has no ids: any will do.
    domain._core_id = lambda edges, labels: 0
    rng = np.random.default_rng(0)
    drawn = 0
    for _ in range(300):
        drawn |= domain.random(rng).edges
    assert drawn == (1 << 55) - 1
