"""Benchmarks of the embedded table and of predictors. Run with `make bench`."""

import subprocess
import sys
import time
from typing import Any

import numpy as np

import nb101
from nb101 import predict

OPENING = (
    "import time, nb101\n"
    "load_table = nb101.load_table\n"
    "start = time.perf_counter()\n"
    "table = load_table()\n"
    "print(time.perf_counter() - start)\n"
    "table.mean('validation_accuracy', 108)\n"
    "print(time.perf_counter() - start)\n"
)


def test_load_default_table(benchmark: Any) -> None:
    """In new processes, after the imports of nb101."""
    _opening(benchmark, 0, asked_seconds=0.03)


def test_load_default_table_and_look(benchmark: Any) -> None:
    """The same, and the validation accuracy of all cells as an array."""
    _opening(benchmark, 1)


def _opening(benchmark: Any, line: int, **asked: float) -> None:
    def run() -> float:
        done = subprocess.run(
            [sys.executable, "-c", OPENING], capture_output=True, text=True, check=True
        )
        return float(done.stdout.splitlines()[line])

    run()
    seconds = [run() for _ in range(10)]
    benchmark.pedantic(lambda: None, rounds=1)
    benchmark.extra_info.update(
        {"items": 1, "unit": "tables", "seconds": min(seconds), "median": float(np.median(seconds))}
        | asked
    )


def test_predict_the_space(benchmark: Any) -> None:
    """Networks of full size and number; how well they were fitted makes no difference."""
    table = nb101.load_table().select(np.arange(0, 423_624, 4000))
    measured = dict(table.provenance) | {"kind": "measured"}
    table = nb101.Table.from_arrow(table.to_arrow(), provenance=measured)
    settings = predict.Settings(alpha=(0.5,), schedule=((1e-3, 1),))
    predictor = predict.fit(table, settings=settings, folds=2, jobs=1)
    start = time.perf_counter()
    found = benchmark.pedantic(predictor.table, rounds=1)
    seconds = time.perf_counter() - start
    assert found.num_cells == 423_624
    benchmark.extra_info.update(
        items=423_624, unit="cells", seconds=seconds, median=seconds, asked_seconds=6
    )


def test_noisy_queries(benchmark: Any) -> None:
    bench = nb101.Benchmark(nb101.load_table(), seed=0, noise=True)
    ids = np.random.default_rng(0).integers(0, 423_624, 20_000).tolist()

    def ask() -> None:
        for cell in ids:
            bench.query(cell)

    benchmark.pedantic(ask, rounds=5, warmup_rounds=1)
    benchmark.extra_info.update(items=len(ids), unit="queries")
