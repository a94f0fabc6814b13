"""Benchmarks of searches by several workers in simulated time. Run with `make bench`.

One worker and eight take turns on the embedded table, with noise; seconds are the least of the
processor. `added_microseconds` is what a query takes longer than with one worker.
"""

from functools import cache
from time import process_time
from typing import Any

import pytest

import nb101
from nb101 import search

QUERIES, ROUNDS = 8_000, 5
WAYS = {"one": (1, False), "eight": (8, False), "eight_synchronous": (8, True)}
NAMES = ("random-search", "regularized-evolution", "local-search", "reinforce", "hyperband")


def seconds_of(name: str, workers: int, synchronous: bool, queries: int = QUERIES) -> float:
    benchmark = nb101.Benchmark(nb101.load_table(), seed=0, noise=True)
    start = process_time()
    trace = search.run(
        name, benchmark, queries=queries, seed=0, workers=workers, synchronous=synchronous
    )
    seconds = process_time() - start
    assert len(trace) == queries
    return seconds


@cache
def measured(name: str) -> dict[str, float]:
    """Return the least seconds of each way."""
    for asked in WAYS.values():
        seconds_of(name, *asked, queries=100)
    found = dict.fromkeys(WAYS, float("inf"))
    for _ in range(ROUNDS):
        for way, asked in WAYS.items():
            found[way] = min(found[way], seconds_of(name, *asked))
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_workers(benchmark: Any, name: str, way: str) -> None:
    found = measured(name)
    benchmark.pedantic(lambda: None, rounds=1)
    benchmark.extra_info.update(
        items=QUERIES,
        unit="queries",
        seconds=found[way],
        added_microseconds=1e6 * (found[way] - found["one"]) / QUERIES,
    )
