"""Benchmarks of the analysis. Run with `make bench`.

The table is the default one, written to a file.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import nb101
from nb101 import analysis
from nb101.analysis.correlate import METHODS

FOLDER = Path(__file__).parent.parent / "build" / "bench"


@pytest.fixture(scope="module")
def path() -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    target = FOLDER / "analysis.arrow"
    nb101.load_table().save(target)
    return target


@pytest.fixture(scope="module")
def table(path: Path) -> nb101.Table:
    return nb101.Table.open(path)


def test_report(benchmark: Any, path: Path) -> None:
    """The command, from the start of its process to its end: the whole page and all files."""
    command = [sys.executable, "-m", "nb101", "report", str(path), "-o", str(FOLDER / "report")]
    benchmark.extra_info.update(items=1, unit="reports", asked_seconds=6)
    benchmark.pedantic(lambda: subprocess.run(command, check=True, capture_output=True), rounds=2)
    page = FOLDER / "report" / "index.html"
    assert page.stat().st_size < 5e6


def test_op_replacement(benchmark: Any, table: nb101.Table) -> None:
    """Every swap and its summary."""
    found = analysis.op_replacement(table)
    benchmark.extra_info.update(items=len(found), unit="changes", asked_seconds=5)
    benchmark.pedantic(lambda: analysis.op_replacement(table).summary(), rounds=5)


def test_edge_changes(benchmark: Any, table: nb101.Table) -> None:
    found = analysis.edge_changes(table)
    benchmark.extra_info.update(items=len(found), unit="changes")
    benchmark.pedantic(lambda: analysis.edge_changes(table).summary(), rounds=3)


def test_fitness_distance(benchmark: Any, table: nb101.Table) -> None:
    """Edit distance of all cells to one."""
    benchmark.extra_info.update(items=table.num_cells, unit="cells", asked_seconds=3)
    benchmark.pedantic(lambda: analysis.fitness_distance(table), rounds=5)


def test_walk_encodings(benchmark: Any, table: nb101.Table) -> None:
    benchmark.extra_info.update(items=1_000_000, unit="steps", asked_seconds=2)
    benchmark.pedantic(lambda: analysis.random_walks(table), rounds=5)


def test_walk_cells(benchmark: Any, table: nb101.Table) -> None:
    """With the graph made anew each time."""
    benchmark.extra_info.update(items=1_000_000, unit="steps", asked_seconds=2)
    benchmark.pedantic(lambda: analysis.random_walks(table, graph="cells"), rounds=5)


def test_edit_graph(benchmark: Any, table: nb101.Table) -> None:
    found = analysis.edit_graph(table)
    benchmark.extra_info.update(items=len(found.targets), unit="entries")
    benchmark.pedantic(lambda: analysis.edit_graph(table), rounds=5)


def test_local_optima(benchmark: Any, table: nb101.Table) -> None:
    graph = analysis.edit_graph(table)
    benchmark.extra_info.update(items=table.num_cells, unit="cells")
    benchmark.pedantic(lambda: analysis.local_optima(table, graph=graph), rounds=5)


def test_peak_volume(benchmark: Any, table: nb101.Table) -> None:
    """All 510 million encodings against those of the 12 best cells."""
    benchmark.extra_info.update(items=2**21 * 3**5, unit="encodings")
    benchmark.pedantic(lambda: analysis.peak_volume(table), rounds=3)


@pytest.mark.parametrize("method", METHODS)
def test_correlation(benchmark: Any, method: Any, table: nb101.Table) -> None:
    x, y = table.mean("validation_accuracy", 36), table.mean("validation_accuracy", 108)
    benchmark.extra_info.update(items=len(x), unit="cells")
    benchmark.pedantic(lambda: analysis.correlation(x, y, method), rounds=5)
