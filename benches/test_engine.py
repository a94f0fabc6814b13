"""Benchmarks of the graph engine from Python. Run with `make bench`.

Each says what it did in `extra_info`: the number of items of one round, their name, and the figure
asked of it, which `report.py` puts beside the measured one.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nb101
import oracle
from children import in_a_process
from nb101 import _core
from nb101.cli.bench import random_raw_modules

SEED = 2019
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def space() -> nb101.SearchSpace:
    space = nb101.SearchSpace()
    space.index(space[0])
    return space


@pytest.fixture(scope="module")
def cells(space: nb101.SearchSpace) -> nb101.Cells:
    return space.enumerate()


def _first(benchmark: Any, unit: str, asked: float, *arguments: str) -> None:
    """Time Python with these arguments, in seconds of a processor."""
    benchmark.extra_info.update(items=1, unit=unit, asked_seconds=asked)

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def fresh() -> float:
        before = spent()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        return spent() - before

    fresh()
    benchmark.extra_info["seconds"] = min(fresh() for _ in range(15))
    benchmark.pedantic(fresh, rounds=5)


def test_import(benchmark: Any) -> None:
    """With the start of Python itself."""
    _first(benchmark, "imports", 0.06, "-c", "import nb101")


def test_help(benchmark: Any) -> None:
    """The list of all commands."""
    _first(benchmark, "lists", 0.15, "-m", "nb101", "--help")


def test_enumerate_and_hash(benchmark: Any) -> None:
    """From a Python call to arrays: all cells and all digests."""
    size = len(nb101.SearchSpace())
    benchmark.extra_info.update(items=size, unit="cells", asked_seconds=0.2)
    digests = benchmark.pedantic(
        lambda: nb101.SearchSpace().enumerate().hashes(), rounds=15, warmup_rounds=1
    )
    assert len(np.unique(digests)) == size


def test_enumerate(benchmark: Any) -> None:
    size = len(nb101.SearchSpace())
    benchmark.extra_info.update(items=size, unit="cells")
    benchmark(lambda: nb101.SearchSpace().enumerate())


def test_plain_python_hash(benchmark: Any, cells: nb101.Cells) -> None:
    """The hash of the specification in plain Python, on a sample of the space."""
    some = cells[np.random.default_rng(SEED).integers(len(cells), size=300)]
    modules = [oracle.module(cell.matrix.tolist(), cell.codes) for cell in some]
    benchmark.extra_info.update(items=len(modules), unit="cells")
    hashes = benchmark.pedantic(
        lambda: [oracle.hash_module(matrix, labels) for matrix, labels in modules], rounds=5
    )
    assert hashes == [text.decode() for text in some.hashes().tolist()]


def test_plain_python_enumerate_and_hash(benchmark: Any, cells: nb101.Cells) -> None:
    """Enumerating by the specification: look at every matrix, hash every labelled full DAG.

    Timed on samples of both, and put together for the whole space: 2,131,018 matrices and
    1,293,208 labelled cells for 423,624 unique ones.
    """
    rng = np.random.default_rng(SEED)
    masks = rng.integers(0, 2**21, size=2000).tolist()
    some = cells[rng.integers(len(cells), size=300)]
    modules = [oracle.module(cell.matrix.tolist(), cell.codes) for cell in some]

    def look() -> None:
        for mask in masks:
            matrix, codes = oracle.from_mask(7, mask, (0,) * 5)
            oracle.prune(matrix, codes)

    def hash_all() -> None:
        for matrix, codes in modules:
            oracle.hash_module(matrix, codes)

    def best(run: Run) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        return min(times)

    seconds = 2_131_018 * best(look) / len(masks) + 1_293_208 * best(hash_all) / len(modules)
    benchmark.extra_info.update(items=len(cells), unit="cells", seconds=seconds)
    benchmark.pedantic(look, rounds=1)


def test_kernel_peak(benchmark: Any) -> None:
    """The bare MD5 kernel on one core: the bound of everything that hashes."""
    best = max(_core.kernel_peak() for _ in range(3))
    benchmark.extra_info.update(items=1, unit="blocks", per_second=best, cpu=_core.cpu()[0])
    benchmark.pedantic(_core.kernel_peak, rounds=1)


def test_hash_modules(benchmark: Any) -> None:
    """Random raw 7 x 7 modules, as the original notebook draws them, connected or not."""
    n = 1_000_000
    matrices, ops = random_raw_modules(n, np.random.default_rng(SEED))
    benchmark.extra_info.update(items=n, unit="modules", asked_per_second=3e6)
    benchmark.pedantic(
        lambda: nb101.hash_modules(matrices, ops, invalid="empty"), rounds=5, warmup_rounds=1
    )


def test_index_cells(benchmark: Any, space: nb101.SearchSpace, cells: nb101.Cells) -> None:
    """Packed cells in random order to ids."""
    shuffled = cells[np.random.default_rng(SEED).permutation(len(cells))]
    benchmark.extra_info.update(items=len(cells), unit="cells", asked_per_second=5e6)
    benchmark(lambda: space.index(shuffled))


def test_index_raw_modules(benchmark: Any, space: nb101.SearchSpace, cells: nb101.Cells) -> None:
    matrices, ops = cells.adjacency(), cells.operations()
    benchmark.extra_info.update(items=len(cells), unit="modules")
    benchmark(lambda: space.index(matrices, ops))


def test_cells_of_ids(benchmark: Any, space: nb101.SearchSpace) -> None:
    ids = np.random.default_rng(SEED).permutation(len(space))
    benchmark.extra_info.update(items=len(ids), unit="ids")
    benchmark(lambda: space[ids])


STREAM = """
import json
import nb101
for batch in nb101.SearchSpace(8, 11).iter_batches():
    pass
print(json.dumps({"peak": peak_megabytes()}))
"""


def test_stream_large_space(benchmark: Any) -> None:
    """Every cell of 8 vertices, 11 edges, 3 ops; the peak of memory is measured apart."""
    space = nb101.SearchSpace(8, 11)
    benchmark.extra_info.update(items=len(space), unit="cells", asked_per_second=5e6)
    count = benchmark.pedantic(lambda: sum(map(len, space.iter_batches())), rounds=3)
    assert count == len(space)
    peak = in_a_process(STREAM)["peak"]
    benchmark.extra_info.update(peak_megabytes=peak, asked_megabytes=500)


def test_count_large_space(benchmark: Any) -> None:
    benchmark.extra_info.update(items=1, unit="counts", asked_seconds=3)
    count = benchmark(lambda: nb101.SearchSpace(8, 11).count().total)
    assert count == 24_059_871


def test_count_largest_space(benchmark: Any) -> None:
    benchmark.extra_info.update(items=1, unit="counts")
    space = nb101.SearchSpace(11, 55, [f"op{i}" for i in range(15)])
    benchmark.pedantic(lambda: space.count().total, rounds=5)


def test_parameters(benchmark: Any, cells: nb101.Cells) -> None:
    benchmark.extra_info.update(items=len(cells), unit="cells")
    benchmark(cells.parameters)


def test_alignment_distance(benchmark: Any, cells: nb101.Cells, space: nb101.SearchSpace) -> None:
    """All cells of the space to one."""
    target = space[400_000]
    benchmark.extra_info.update(items=len(cells), unit="cells")
    benchmark(lambda: cells.alignment_distance(target))


def test_edit_distance(benchmark: Any, cells: nb101.Cells, space: nb101.SearchSpace) -> None:
    """All cells of the space to one, once their neighbours are known."""
    target = space[400_000]
    space.edit_distances(target)
    benchmark.extra_info.update(items=len(cells), unit="cells")
    benchmark(lambda: space.edit_distances(target))


def test_edit_distance_of_a_pair(benchmark: Any, space: nb101.SearchSpace) -> None:
    a, b = space[300_000], space[400_000]
    nb101.edit_distance(a, b, space)
    benchmark.extra_info.update(items=1, unit="pairs")
    benchmark(lambda: nb101.edit_distance(a, b, space))


def test_first_edit_distance(benchmark: Any) -> None:
    """Finds the neighbours of all cells, too."""

    def first() -> None:
        space = nb101.SearchSpace()
        space.edit_distances(space[400_000])

    benchmark.extra_info.update(items=423_624, unit="cells")
    benchmark.pedantic(first, rounds=5)


def test_neighbors(benchmark: Any, space: nb101.SearchSpace) -> None:
    cell = space[300_000]
    benchmark.extra_info.update(items=1, unit="cells")
    benchmark(lambda: space.neighbors(cell))


def test_one_cell(benchmark: Any, space: nb101.SearchSpace) -> None:
    """A cell from lists, and its id."""
    matrix, ops = space[300_000].matrix.tolist(), list(space[300_000].ops)
    benchmark.extra_info.update(items=1, unit="cells")
    benchmark(lambda: space.index(nb101.Cell(matrix, ops)))
