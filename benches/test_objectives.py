"""Benchmarks of searches for several objectives on the embedded table. Run with `make bench`.

The first runs 100 seeds to 5,000 queries over all cores, as `nb101 search compare` does, traces and
all. Where pymoo is installed its NSGA-II searches the same table beside ours, in turns and on one
core: it has the same population, crossover and mutation, a proposal that is no cell costs neither
any query, and both are judged by one rule. Seconds beside pymoo's are those of the processor.
"""

import importlib.util
import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import search
from nb101.analysis.pareto import non_dominated
from nb101.search.domain import domain_of
from nb101.search.objectives import goals_of

RUNS, QUERIES, ASKED, BESIDE = 100, 5000, 60, 10
SETS = ("c10mop1", "c10mop2")

needs_pymoo = pytest.mark.skipif(
    importlib.util.find_spec("pymoo") is None, reason="pymoo is not installed: pip install pymoo"
)


def processor_seconds() -> float:
    """Seconds of the processor, those of children that have ended too."""
    return sum(os.times()[:4])


@pytest.mark.parametrize("problem", SETS)
@pytest.mark.parametrize("name", ["nsga-ii", "local-search", "random-search"])
def test_objectives_100_runs(benchmark: Any, tmp_path: Path, name: str, problem: str) -> None:
    start, used = time.perf_counter(), processor_seconds()
    found = search.compare(
        None, tmp_path, names=[name], objectives=problem, runs=RUNS, queries=QUERIES
    )
    seconds, used = time.perf_counter() - start, processor_seconds() - used
    assert found.runs == {name: RUNS}
    volumes, distances = found.indicators(name)
    benchmark.name = f"objectives_{name}_{problem}_{RUNS}_runs"
    benchmark.pedantic(lambda: None, rounds=1)
    benchmark.extra_info.update(
        items=RUNS * QUERIES,
        unit="queries",
        seconds=seconds,
        median=seconds,
        cpu_seconds=used,
        hypervolume_median=float(np.median(volumes)),
        igd_plus_median=float(np.median(distances)),
        **({"asked_seconds": ASKED} if name == "nsga-ii" else {}),
    )


# Beside pymoo


def ours(problem: str, seed: int) -> tuple[float, float]:
    """Run NSGA-II, and return hypervolume and IGD+ at the end."""
    table = nb101.load_table()
    trace = search.run("nsga-ii", table, objectives=problem, queries=QUERIES, seed=seed)
    assert trace.hypervolume is not None
    assert trace.igd_plus is not None
    return float(trace.hypervolume[-1]), float(trace.igd_plus[-1])


def pymoos(problem: str, seed: int) -> tuple[float, float]:
    """Run pymoo's, in its own loop; it drops decision vectors that are alive, and ours cells."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.mutation import Mutation
    from pymoo.core.problem import Problem
    from pymoo.operators.crossover.ux import UX
    from pymoo.operators.sampling.rnd import IntegerRandomSampling
    from pymoo.optimize import minimize

    table = nb101.load_table()
    domain = domain_of(table, (108,))
    goals = goals_of(table, domain, search.exact_front(table, problem).objectives)
    benchmark = nb101.Benchmark(table, seed, noise=True)
    choices = np.array(domain.choices)
    asked: list[Any] = []

    class OneInTheMean(Mutation):  # type: ignore[misc]
        def _do(self, problem: Any, x: Any, **_: Any) -> Any:
            rng = np.random.default_rng(seed + len(asked))
            changed = rng.random(x.shape) < 1 / x.shape[1]
            steps = 1 + (rng.random(x.shape) * (choices - 1)).astype(int)
            return np.where(changed, (x + steps) % choices, x)

    class OfCells(Problem):  # type: ignore[misc]
        def __init__(self) -> None:
            bounds = {"xl": np.zeros(len(choices), int), "xu": choices - 1, "vtype": int}
            super().__init__(n_var=len(choices), n_obj=len(goals.names), **bounds)

        def _evaluate(self, x: Any, out: Any, *_: Any, **__: Any) -> None:
            ids = [domain.find(*words) for words in zip(*domain.modules(x), strict=True)]
            cells = [cell_id for cell_id in ids if cell_id >= 0][: QUERIES - len(asked)]
            known = np.array(cells, dtype=np.int64)
            runs = benchmark.query_many(known)
            costs = goals.of_many(known, runs.training_time, runs.validation_accuracy)
            told = iter(costs)
            # What is no cell is dominated by all that is one.
            worst = np.array([1.0, 1e9, 1e12][: len(goals.names)])
            out["F"] = np.array([worst if x < 0 else next(told, worst) for x in ids])
            asked.extend(zip(cells, costs, strict=True))
            if len(asked) == QUERIES:
                raise StopIteration

    algorithm = NSGA2(
        pop_size=100,
        sampling=IntegerRandomSampling(),
        crossover=UX(prob=0.9),
        mutation=OneInTheMean(),
    )
    # It ends with the last query, in the middle of a generation: proposals that are none are free.
    with suppress(StopIteration):
        minimize(OfCells(), algorithm, ("n_gen", 10 * QUERIES), seed=seed)
    ids, costs = np.array([x for x, _ in asked]), np.array([x for _, x in asked])
    truth = goals.truth[ids[non_dominated(costs)]]
    return goals.front.hypervolume(truth), goals.front.igd_plus(truth)


@cache
def take_turns(problem: str) -> dict[str, tuple[list[float], list[tuple[float, float]]]]:
    """Seconds and ends of runs, by ours and by pymoo."""
    works = {"ours": ours, "pymoo": pymoos}
    found: dict[str, Any] = {which: ([], []) for which in works}
    for work in works.values():
        work(problem, 1000)
    for seed in range(BESIDE):
        for which, work in works.items():
            start = time.process_time()
            end = work(problem, seed)
            found[which][0].append(time.process_time() - start)
            found[which][1].append(end)
    return found


@needs_pymoo
@pytest.mark.parametrize("which", ["ours", "pymoo"])
@pytest.mark.parametrize("problem", SETS)
def test_objectives_beside_pymoo(benchmark: Any, problem: str, which: str) -> None:
    seconds, ends = take_turns(problem)[which]
    volumes, distances = np.array(ends).T
    benchmark.name = f"{'pymoo_' * (which == 'pymoo')}objectives_run_{problem}"
    benchmark.pedantic(lambda: None, rounds=1)
    benchmark.extra_info.update(
        items=QUERIES,
        unit="queries",
        seconds=min(seconds),
        median=float(np.median(seconds)),
        hypervolume_median=float(np.median(volumes)),
        hypervolume_quartiles=np.quantile(volumes, [0.25, 0.75]).tolist(),
        igd_plus_median=float(np.median(distances)),
    )


# Indicators


def front_of(costs: int, n: int) -> Any:
    """Points of a sphere's part, none of which beats another."""
    rng = np.random.default_rng(0)
    found = np.abs(rng.standard_normal((n, costs)))
    return 1 - found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.mark.parametrize(("costs", "n"), [(2, 1000), (3, 1000), (4, 200)])
@pytest.mark.parametrize("which", ["ours", pytest.param("pymoo", marks=needs_pymoo)])
def test_objectives_hypervolume(benchmark: Any, costs: int, n: int, which: str) -> None:
    points, reference = front_of(costs, n), np.ones(costs)
    work: Any = search.hypervolume
    if which == "pymoo":
        from pymoo.indicators.hv import HV

        def work(points: Any, reference: Any) -> Any:
            return HV(ref_point=reference)(points)

    benchmark.name = f"{'pymoo_' * (which == 'pymoo')}objectives_hypervolume_{costs}"
    benchmark(work, points, reference)
    benchmark.extra_info.update(items=n, unit="points")
