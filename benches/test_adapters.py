"""What adapters add to a query, in microseconds. Run with `make bench`.

Each configuration is asked through an adapter, and its cell, by its id, through `Benchmark.query`:
what lies between is what the adapter adds, for reading the configuration and writing the answer as
its library has it. Where a library's own call stands around ours, it is timed too, with ours and
with one that answers at once, so that what is the library's is told apart.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

import nb101
from nb101 import adapters, search

COUNT, ROUNDS, ASKED = 500, 15, 30
ENCODINGS = ("adjacency", "categorical", "continuous")


def cost(call: Callable[[Any], Any], given: Sequence[Any]) -> float:
    """Return the microseconds of a call: the least mean of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for one in given:
            call(one)
        best = min(best, time.process_time() - start)
    return best / len(given) * 1e6


def configurations(encoding: str) -> tuple[list[Any], list[int]]:
    """Return configurations that are cells, and the cells."""
    defined = search.config_space(encoding, seed=0)
    space = nb101.SearchSpace()
    found, ids = [], []
    for one in defined.sample_configuration(20 * COUNT):
        cell = search.to_cell(encoding, dict(one))
        # Nine edges at most before pruning too: HPOBench refuses more.
        edges = sum(bool(one[f"edge_{i}"]) for i in range(21)) if encoding == "adjacency" else 0
        if cell is not None and edges <= 9:
            found.append(one)
            ids.append(space.index(cell))
        if len(found) == COUNT:
            break
    return found, ids


def record(benchmark: Any, added: float, alone: float, library: float | None = None) -> None:
    """Keep what an adapter adds to a call, what its queries take alone, and what the library's."""
    benchmark.pedantic(lambda: None, rounds=1)
    benchmark.extra_info.update(
        items=1,
        unit="queries",
        seconds=max(added, 0.001) / 1e6,
        asked_seconds=ASKED / 1e6,
        added_microseconds=added,
        alone_microseconds=alone,
    )
    if library is not None:
        benchmark.extra_info["library_microseconds"] = library


def bench_of_table() -> nb101.Benchmark:
    return nb101.Benchmark(nb101.load_table(), seed=0)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_syne_tune_all_budgets(benchmark: Any, encoding: str) -> None:
    bench = bench_of_table()
    blackbox: Any = adapters.syne_tune.NASBench101(bench, encoding)
    given, ids = configurations(encoding)
    values = [dict(one) for one in given]
    nothing = type(blackbox).__mro__[1](blackbox.configuration_space, blackbox.fidelity_space)
    alone = 4 * cost(bench.query, ids)
    added = cost(blackbox._objective_function, values) - alone
    record(benchmark, added, alone, cost(nothing.objective_function, values))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_syne_tune_one_budget(benchmark: Any, encoding: str) -> None:
    bench = bench_of_table()
    blackbox: Any = adapters.syne_tune.NASBench101(bench, encoding)
    given, ids = configurations(encoding)

    def ask(values: Any) -> Any:
        return blackbox._objective_function(values, {"epochs": 108})

    alone = cost(bench.query, ids)
    record(benchmark, cost(ask, [dict(one) for one in given]) - alone, alone)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_optunahub_evaluate(benchmark: Any, encoding: str) -> None:
    bench = bench_of_table()
    problem = adapters.optunahub.NASBench101(bench, encoding)
    given, ids = configurations(encoding)
    alone = cost(bench.query, ids)
    record(benchmark, cost(problem.evaluate, [dict(one) for one in given]) - alone, alone)


def test_optunahub_trial(benchmark: Any) -> None:
    """A call with a trial, in a study: what it adds to one that evaluates nothing."""
    optuna = pytest.importorskip("optuna")
    bench = bench_of_table()
    problem: Any = adapters.optunahub.NASBench101(bench)
    given, ids = configurations("adjacency")
    base = type(problem).__mro__[1]

    class Nothing(base):  # type: ignore[misc,valid-type]
        search_space = problem.search_space
        directions = problem.directions

        def evaluate(self, params: Any) -> float:
            return 0.5

    def trials() -> list[Any]:
        study = optuna.create_study(storage=None, directions=problem.directions)
        made = []
        for one in given:
            study.enqueue_trial(
                {k: v.item() if hasattr(v, "item") else v for k, v in dict(one).items()}
            )
            made.append(study.ask())
        return made

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    best: dict[str, float] = {}
    for _ in range(3):
        for name, call in (("library", Nothing()), ("ours", problem)):
            asked = trials()
            start = time.process_time()
            for one in asked:
                call(one)
            spent = (time.process_time() - start) / len(asked) * 1e6
            best[name] = min(best.get(name, spent), spent)
    alone = cost(bench.query, ids)
    record(benchmark, best["ours"] - best["library"] - alone, alone, best["library"])


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("given_as", ["configuration", "dict"])
def test_hpobench(benchmark: Any, encoding: str, given_as: str) -> None:
    bench = bench_of_table()
    kinds = adapters.hpobench
    made = {
        "adjacency": kinds.NASCifar10ABenchmark,
        "categorical": kinds.NASCifar10BBenchmark,
        "continuous": kinds.NASCifar10CBenchmark,
    }[encoding](benchmark=bench)
    given, ids = configurations(encoding)
    if encoding == "categorical":
        # Other numbers of edges: other cells.
        ids = [made._asked.reader.cell_id(one) for one in given]
        given = [one for one, cell_id in zip(given, ids, strict=True) if cell_id >= 0]
        ids = [cell_id for cell_id in ids if cell_id >= 0]
    values = [dict(one) for one in given] if given_as == "dict" else given
    alone = 3 * cost(bench.query, ids)
    record(benchmark, cost(made.objective_function, values) - alone, alone)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_carps(benchmark: Any, encoding: str) -> None:
    from carps.utils.trials import TrialInfo

    bench = bench_of_table()
    function = adapters.carps.NASBench101(bench, encoding)
    given, ids = configurations(encoding)
    trials = [TrialInfo(config=one) for one in given]

    class Nothing(type(function).__mro__[1]):  # type: ignore[misc]
        configspace = function.configspace

        def _evaluate(self, trial_info: Any) -> Any:
            return None

    alone = cost(bench.query, ids)
    added = cost(function._evaluate, trials) - alone
    record(benchmark, added, alone, cost(Nothing().evaluate, trials[:50]))
