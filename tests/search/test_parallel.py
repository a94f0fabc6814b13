"""Several workers in simulated time, against a slow queue of events in plain Python."""

import dataclasses
import importlib.util
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nb101
from nb101 import search
from nb101._base.seals import BLANK, KEY, seal_bytes
from nb101.search.folder import MANIFEST
from nb101.search.parallel import columns_of, simulate
from nb101.search.runner import check_limits, domain_for
from nb101.search.searcher import REGISTRY, Searcher, Sequential, Steps, Trial, Trials
from nb101.search.trace import AHEAD, COLUMNS, step

from .conftest import OPTIONS, QUERIES, QUICK, make_table, run

Event = tuple[float, float, int, int]
"""When a query ended and began, which cell it was of, and at how many epochs."""


class Recorder(Searcher):
    """Asks for one cell after the other, with pauses, and notes what it is asked and told."""

    out_of_order = True

    def __init__(self, domain: search.Domain, rng: np.random.Generator, *, most: int = 9) -> None:
        super().__init__(domain, rng)
        self.most = most
        self.notes: list[tuple[str, int]] = []
        notes.append(self.notes)

    def ask(self) -> Trial:
        raise AssertionError("one worker asks so")

    def ask_ahead(self) -> Trial | None:
        asked = sum(kind == "ask" for kind, _ in self.notes)
        if asked - sum(kind == "tell" for kind, _ in self.notes) == self.most:
            return None
        cell_id = int(self.rng.integers(len(self.domain)))
        self.notes.append(("ask", cell_id))
        return Trial(cell_id, self.budget)

    def tell(self, trial: Trial, accuracy: float, seconds: float) -> None:
        self.notes.append(("tell", trial.cell_id))


notes: list[list[tuple[str, int]]] = []


class InTurn(Sequential):
    """Has no strands."""

    def steps(self) -> Steps:
        while True:
            yield Trial(self.domain.random_cell(self.rng), self.budget)


class Stuck(Sequential):
    """Asks for one cell for ever."""

    def steps(self) -> Steps:
        while True:
            yield from self.strand()

    def strand(self) -> Steps:
        yield Trial(0, self.budget)


class OwnSteps(search.registry()["random-search"].searcher):  # type: ignore[misc]
    """Has the strands of another class, and steps of its own."""

    def steps(self) -> Steps:
        yield Trial(0, self.budget)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    notes.clear()
    own = {"recorder": Recorder, "in-turn": InTurn, "own-steps": OwnSteps, "stuck": Stuck}
    for name, kind in own.items():
        search.register(name, title=name, source="tests")(kind)
    yield
    for name in own:
        del REGISTRY[name]


def slow(
    name: str,
    table: nb101.Table,
    workers: int,
    *,
    synchronous: bool,
    seed: int,
    unique: bool = False,
    **limits: Any,
) -> list[Event]:
    """Simulate by looking at everything again and again."""
    own, draws = np.random.SeedSequence(seed).spawn(2)
    benchmark = nb101.Benchmark(table, int(draws.generate_state(1, np.uint64)[0]))
    entry = search.registry()[name]
    options = OPTIONS.get(name, {})
    domain = domain_for(entry, table, None)
    searcher: Any = entry.searcher(domain, np.random.default_rng(own), **options)
    strands: list[dict[str, Any]] = []
    running: list[dict[str, Any]] = []
    known: dict[Trial, float] = {}
    found: list[Event] = []
    now, epochs, begun, is_over = 0.0, 0, 0, False

    def send(strand: dict[str, Any], value: Any) -> None:
        strand["answers"] = {}
        try:
            asked = strand["steps"].send(value)
        except StopIteration:
            strands.remove(strand)
            return
        strand["many"] = isinstance(asked, Trials)
        ids = asked.cell_ids.tolist() if strand["many"] else [asked.cell_id]
        strand["trials"] = [Trial(x, asked.epochs) for x in ids]
        strand["waiting"] = list(range(len(ids)))

    def tell(query: dict[str, Any], accuracy: float) -> None:
        strand = query["strand"]
        if strand is None:
            searcher.tell(query["trial"], accuracy, 0.0)
            return
        strand["answers"][query["place"]] = accuracy
        if len(strand["answers"]) == len(strand["trials"]):
            values = [strand["answers"][i] for i in range(len(strand["trials"]))]
            send(strand, np.array(values) if strand["many"] else values[0])

    def ask() -> dict[str, Any] | None:
        if not isinstance(searcher, Sequential):
            trial = searcher.ask_ahead()
            return None if trial is None else {"trial": trial, "strand": None}
        for strand in strands:
            if strand["waiting"]:
                break
        else:
            steps = searcher.strand()
            if steps is None:
                return None
            strand = {"steps": steps}
            strands.append(strand)
            send(strand, None)
        place = strand["waiting"].pop(0)
        return {"trial": strand["trials"][place], "strand": strand, "place": place}

    while True:
        busy = [query for query in running if not query["done"]]
        while not is_over and len([x for x in running if not x["done"]]) < workers:
            if (synchronous and busy) or begun >= limits.get("queries", np.inf):
                break
            query = ask()
            if query is None:
                break
            trial = query["trial"]
            if unique and trial in known:
                tell(query, known[trial])
                continue
            twin = [x for x in running if unique and not x["done"] and x["trial"] == trial]
            if twin:
                twin[0]["waits"].append(query)
                continue
            answer = benchmark.query(trial.cell_id, trial.epochs)
            epochs += trial.epochs
            if epochs > limits.get("max_epochs", np.inf):
                is_over = True
                break
            begun += 1
            end = now + answer.training_time
            accuracy = answer.validation_accuracy
            running.append(
                {**query, "end": end, "began": now, "waits": [], "done": False, "answer": accuracy}
            )
        busy = [query for query in running if not query["done"]]
        if not busy or min(x["end"] for x in busy) > limits.get("seconds", np.inf):
            searcher.close()
            return found
        now = min(query["end"] for query in busy)
        for query in busy:
            if query["end"] == now:
                query["done"] = True
                known[query["trial"]] = query["answer"]
                found.append((now, query["began"], *query["trial"]))
                for one in (query, *query["waits"]):
                    tell(one, query["answer"])
        if unique and sum(x.epochs == domain.budgets[-1] for x in known) == len(domain):
            is_over = True


def events(trace: search.Trace) -> list[Event]:
    assert trace.began is not None
    columns = trace.seconds, trace.began, trace.cell_ids, trace.epochs
    return list(zip(*(column.tolist() for column in columns), strict=True))


LIMITS: list[dict[str, Any]] = [
    {"queries": 150},
    {"seconds": 20_000.0},
    {"max_epochs": 9_000},
    {"queries": 120, "seconds": 50_000.0, "max_epochs": 12_000},
]


@pytest.mark.parametrize("synchronous", [False, True])
@pytest.mark.parametrize("workers", [2, 3, 8])
def test_it_is_the_slow_queue(
    name: str, workers: int, synchronous: bool, table: nb101.Table, exact: nb101.Table
) -> None:
    own = [{"queries": QUERIES[name]}] if name in QUERIES else LIMITS
    for limits in own:
        # Of the exact table many queries end at one moment.
        for each in (table, exact):
            given = {"synchronous": synchronous, "seed": 3, **limits}
            trace = run(name, each, workers=workers, **given)
            assert events(trace) == slow(name, each, workers, **given)


@pytest.mark.parametrize("synchronous", [False, True])
@pytest.mark.parametrize("algorithm", QUICK)
def test_unique_is_the_slow_queue(algorithm: str, synchronous: bool, table: nb101.Table) -> None:
    given: dict[str, Any] = {"synchronous": synchronous, "seed": 3, "queries": 60, "unique": True}
    trace = run(algorithm, table, workers=5, **given)
    assert events(trace) == slow(algorithm, table, 5, **given)
    assert len(set(zip(trace.cell_ids.tolist(), trace.epochs.tolist(), strict=True))) == len(trace)
    assert trace.about["queries_saved"] >= 0


def test_unique_ends_when_all_is_known(table: nb101.Table) -> None:
    trace = run("random-search", table, workers=7, unique=True, seed=0, seconds=1e9)
    assert sorted(trace.cell_ids.tolist()) == list(range(91))


def test_unique_ends_when_nothing_new_comes(
    table: nb101.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nb101.search.runner.PATIENCE", 20)
    for workers in (1, 3):
        trace = run("stuck", table, workers=workers, unique=True, queries=50)
        assert (len(trace), trace.about["queries_saved"]) == (1, 20)


@pytest.mark.parametrize("synchronous", [False, True])
def test_with_one_worker_it_is_asking_and_telling_in_turn(
    name: str, synchronous: bool, table: nb101.Table
) -> None:
    """What strands ask for is what the steps do, if there is one worker."""
    trace = run(name, nb101.Benchmark(table, seed=2), seed=5)
    own = np.random.SeedSequence(5).spawn(2)[0]
    entry = search.registry()[name]
    domain = domain_for(entry, table, None)
    searcher = entry.searcher(domain, np.random.default_rng(own), **OPTIONS.get(name, {}))
    limits = check_limits(None, None, len(trace))
    found = columns_of(
        simulate(
            searcher,
            nb101.Benchmark(table, seed=2),
            limits,
            1,
            synchronous=synchronous,
            memory=None,
            told=lambda spent: None,
        )
    )
    searcher.close()
    assert found["cell_ids"].tolist() == trace.cell_ids.tolist()
    assert found["epochs"].tolist() == trace.epochs.tolist()
    assert found["seconds"].tolist() == trace.seconds.tolist()


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(QUICK),
    st.integers(2, 40),
    st.booleans(),
    st.integers(0, 2**32),
    st.sampled_from(LIMITS),
)
def test_what_is_true_of_all(
    algorithm: str, workers: int, synchronous: bool, seed: int, limits: dict[str, Any]
) -> None:
    table = make_table(noise=0.01, repeats=3)
    benchmark = nb101.Benchmark(table, seed=seed)
    given = {"seed": seed, "workers": workers, "synchronous": synchronous, **limits}
    trace = search.run(algorithm, benchmark, **given)
    assert trace.began is not None
    assert trace.worker is not None
    took = trace.training_time.astype(float)
    assert (np.diff(trace.seconds) >= 0).all()
    assert trace.total_seconds == pytest.approx(np.cumsum(took))
    assert trace.seconds == pytest.approx(trace.began + took)
    # What has been trained by then is no more than the workers had time for.
    assert (trace.total_seconds <= workers * trace.seconds * (1 + 1e-9)).all()
    assert trace.seconds[-1] <= trace.total_seconds[-1] * (1 + 1e-9)
    for moment in {*trace.began.tolist()}:
        at_once = (trace.began <= moment) & (trace.seconds > moment)
        assert at_once.sum() <= workers
        assert len(set(trace.worker[at_once].tolist())) == at_once.sum()
    if synchronous:
        # Rounds do not overlap.
        rounds = np.unique(trace.began)
        assert all((trace.seconds[trace.began < x] <= x).all() for x in rounds)
    assert len(trace) <= limits.get("queries", np.inf)
    assert trace.seconds[-1] <= limits.get("seconds", np.inf)
    assert trace.epochs.sum() <= limits.get("max_epochs", np.inf)
    # All that was begun is charged, late or not.
    assert benchmark.spent.seconds >= trace.total_seconds[-1] * (1 - 1e-6)
    assert (
        trace.best_validation.tolist() == np.maximum.accumulate(trace.validation_accuracy).tolist()
    )
    again = search.run(algorithm, nb101.Benchmark(table, seed=seed), **given)
    assert again.to_bytes() == trace.to_bytes()


@pytest.mark.parametrize("synchronous", [False, True])
def test_the_order_of_telling_is_that_of_ends(synchronous: bool, table: nb101.Table) -> None:
    trace = run("recorder", table, workers=4, queries=50, seed=0, synchronous=synchronous)
    told = [cell_id for kind, cell_id in notes[-1] if kind == "tell"]
    assert told == trace.cell_ids.tolist()
    ahead = np.cumsum([1 if kind == "ask" else -1 for kind, _ in notes[-1]])
    assert ahead.max() == 4
    # And it may say that there is nothing to be asked.
    search.run("recorder", table, workers=4, queries=50, seed=0, most=2)
    ahead = np.cumsum([1 if kind == "ask" else -1 for kind, _ in notes[-1]])
    assert ahead.max() == 2
    assert search.run("recorder", table, workers=4, queries=50, seed=0, most=0).workers == 4


def test_local_search_asks_for_the_same_cells(exact: nb101.Table) -> None:
    one = run("local-search", exact, queries=91, seed=4)
    many = run("local-search", exact, queries=91, seed=4, workers=8)
    assert many.began is not None
    assert many.worker is not None
    order = np.lexsort((many.worker, many.began))
    assert many.cell_ids[order].tolist() == one.cell_ids.tolist()
    assert many.seconds[-1] < one.seconds[-1] / 2


def test_a_rung_begins_when_the_one_before_has_ended(exact: nb101.Table) -> None:
    trace = run("hyperband", exact, workers=36, queries=200, seed=0)
    assert trace.began is not None
    at_once = trace.began == 0
    # All of the first rung, and the first one of the next bracket.
    assert sorted(trace.epochs[at_once].tolist()) == [4] * 27 + [12] * 9
    last = trace.seconds[at_once & (trace.epochs == 4)].max()
    second = trace.began[(trace.epochs == 12) & ~at_once]
    assert second.min() == last
    # The next bracket does not wait.
    assert trace.began[trace.epochs == 36].min() < last


@pytest.mark.parametrize("name_", ["in-turn", "own-steps"])
def test_what_is_asked_in_turn_takes_one_worker(
    name_: str, table: nb101.Table, tmp_path: Path
) -> None:
    message = f"{name_} cannot be asked again before it is told: it takes one worker, not 2"
    with pytest.raises(nb101.ArgumentError, match=message) as caught:
        run(name_, table, workers=2, queries=3)
    assert caught.value.field == "workers"
    with pytest.raises(nb101.ArgumentError, match=message):
        search.compare(table, tmp_path / "c", names=[name_], runs=1, queries=3, workers=2, jobs=1)
    assert not (tmp_path / "c").exists()
    assert len(run(name_, table, workers=1, queries=1)) == 1


def test_all_that_are_known_take_several_workers() -> None:
    entries = {**search.registry()}
    assert all(
        entry.searcher.out_of_order for name, entry in entries.items() if name not in REGISTRY
    )
    assert all(entries[name].searcher.out_of_order for name in QUICK)


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2", True, 10_001])
def test_wrong_workers(workers: Any, table: nb101.Table) -> None:
    with pytest.raises(nb101.ArgumentError, match="workers"):
        run("random-search", table, workers=workers, queries=3)


def test_traces_keep_both_clocks(table: nb101.Table, tmp_path: Path) -> None:
    trace = run("random-search", table, workers=4, queries=80, seed=0)
    trace.save(tmp_path / "t.parquet")
    again = search.Trace.open(tmp_path / "t.parquet")
    for name in (*COLUMNS, *AHEAD):
        assert np.array_equal(getattr(again, name), getattr(trace, name), equal_nan=True)
    assert again.about == {**trace.about}
    assert again.workers == 4
    assert "by 4 workers" in repr(again)
    times = trace.total_seconds[[3, 50]]
    assert trace.regret_at(times, clock="total").tolist() == trace.regret[[3, 50]].tolist()
    assert trace.regret_at(times).tolist() == step(trace.seconds, trace.regret, times).tolist()
    # One worker's file has no more columns, and says no more, than it did.
    one = run("random-search", table, queries=80, seed=0)
    assert tuple(one.to_arrow().column_names) == COLUMNS
    assert not {"workers", "synchronous"} & set(one.about)
    assert one.total_seconds is one.seconds
    assert one.workers == 1


def test_traces_that_make_no_sense_are_refused(table: nb101.Table, tmp_path: Path) -> None:
    trace = run("random-search", table, workers=4, queries=8, seed=0)
    assert trace.total is not None
    assert trace.began is not None
    assert trace.worker is not None
    wrong: dict[str, dict[str, Any]] = {
        "total is .* at query 1": {"total": trace.total[::-1]},
        "began is -1.0 at query 3": {"began": np.where(np.arange(8) == 3, -1, trace.began)},
        "worker is -1 at query 0": {"worker": np.full(8, -1, np.int16)},
        "worker is int64 and not int16": {"worker": trace.worker.astype(np.int64)},
    }
    for message, columns in wrong.items():
        dataclasses.replace(trace, **columns).save(tmp_path / "t.parquet")
        with pytest.raises(nb101.DatasetError, match=message):
            search.Trace.open(tmp_path / "t.parquet")
    # One of the three alone.
    lacking = trace.to_arrow().drop_columns(["began"])
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, lacking.schema) as writer:
        writer.write_table(lacking)
        writer.add_key_value_metadata({KEY: BLANK})
    (tmp_path / "t.parquet").write_bytes(seal_bytes(buffer.getvalue()))
    with pytest.raises(nb101.DatasetError, match="is not the trace of a search"):
        search.Trace.open(tmp_path / "t.parquet")


def compare(table: nb101.Table, folder: Path, **given: Any) -> search.Comparison:
    settings_: dict[str, Any] = {
        **{"names": ["random-search", "regularized-evolution", "hyperband"], "runs": 4, "jobs": 1},
        **{"seconds": 30_000.0, "workers": 4},
    }
    return search.compare(table, folder, **{**settings_, **given})


class _StoppedError(Exception):
    pass


def traces(folder: Path) -> dict[str, bytes]:
    return {str(x.relative_to(folder)): x.read_bytes() for x in folder.glob("traces/*/*.parquet")}


@pytest.mark.parametrize("synchronous", [False, True])
def test_a_comparison_goes_on(synchronous: bool, table: nb101.Table, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 5:
            raise _StoppedError

    with pytest.raises(_StoppedError):
        compare(table, tmp_path / "c", synchronous=synchronous, progress=stop)
    first = traces(tmp_path / "c")
    assert len(first) == 5
    found = compare(table, tmp_path / "c", synchronous=synchronous)
    compare(table, tmp_path / "whole", synchronous=synchronous)
    assert first.items() <= traces(tmp_path / "c").items()
    assert traces(tmp_path / "c") == traces(tmp_path / "whole")
    assert (found.plan.workers, found.plan.synchronous) == (4, synchronous)
    assert json.loads((tmp_path / "c" / MANIFEST).read_text())["format"] == 5
    with pytest.raises(nb101.SearchError, match="workers there: 4, here: 1"):
        compare(table, tmp_path / "c", workers=1)
    with pytest.raises(nb101.SearchError, match="synchronous there"):
        compare(table, tmp_path / "c", synchronous=not synchronous)


def test_statistics_have_both_clocks(table: nb101.Table, tmp_path: Path) -> None:
    from nb101.search.statistics import summarize

    found = compare(table, tmp_path)
    summary = summarize(found)
    assert summary.total_times is not None
    assert summary.times[-1] == 30_000
    assert 30_000 < summary.total_times[-1] <= 4 * 30_000
    for each in summary.standings:
        assert each.total is not None
        held = list(found.traces(each.name))
        regrets = [x.regret_at(summary.total_times, clock="total") for x in held]
        expected = np.sort(np.nan_to_num(np.array(regrets), nan=np.inf), axis=0)
        assert each.total[1].tolist() == expected[1].tolist()
        walls = np.sort(np.nan_to_num([x.regret_at(summary.times) for x in held], nan=np.inf), 0)
        assert each.curve[1].tolist() == walls[1].tolist()
    numbers = summary.to_dict()["hyperband"]
    assert {"passes_random_total_seconds", "reaches_random_total_seconds"} <= numbers.keys()
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("matplotlib is not installed")
    from nb101.search.page import write_page

    page = write_page(found, summary).read_text()
    assert "Regret over total time" in page
    assert "4, each on its own; simulated time is that of the wall" in page


def test_notebooks_and_the_page_say_how_many(table: nb101.Table, tmp_path: Path) -> None:
    trace = run("random-search", table, workers=4, queries=20, seed=0)
    total = f"{trace.total_seconds[-1]:,.0f} s of all 4 workers"
    assert f"{trace.seconds[-1]:,.0f} s, {total}" in trace._repr_html_()
    found = compare(table, tmp_path, synchronous=True, queries=5)
    assert "4, which wait for each other" in found._repr_html_()
    assert "workers" not in run("random-search", table, queries=5)._repr_html_()
    if importlib.util.find_spec("matplotlib") is not None:
        from nb101.search.page import write_page

        said = "4, which wait for each other; simulated time is that of the wall"
        assert said in write_page(found).read_text()


def test_one_worker_is_written_as_before(table: nb101.Table, tmp_path: Path) -> None:
    found = compare(table, tmp_path, workers=1, synchronous=True, queries=5)
    values = json.loads((tmp_path / MANIFEST).read_text())
    assert values["format"] == 4
    assert not {"workers", "synchronous", "one_shot"} & values.keys()
    assert found.plan.synchronous is False
