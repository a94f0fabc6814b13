"""A benchmark of the embedded table, and one of a small measured file with three runs a cell."""

from pathlib import Path

import pytest

import nb101
from official import write

MEASURED = [*range(0, 40), 359_715]
"""Cells of the measured file."""


@pytest.fixture
def predicted() -> nb101.Benchmark:
    return nb101.Benchmark(nb101.load_table(), seed=0)


@pytest.fixture(scope="session")
def measured_table(tmp_path_factory: pytest.TempPathFactory) -> nb101.Table:
    folder = tmp_path_factory.mktemp("official")
    write(folder / "nasbench_full.tfrecord", MEASURED, (4, 12, 36, 108))
    nb101.convert(folder / "nasbench_full.tfrecord", folder / "table.arrow")
    table = nb101.Table.open(folder / "table.arrow")
    return table.with_provenance({**table.provenance, "kind": "measured"})


@pytest.fixture
def measured(measured_table: nb101.Table) -> nb101.Benchmark:
    return nb101.Benchmark(measured_table, seed=0)


@pytest.fixture
def folder_of_the_official(
    measured_table: nb101.Table, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return next(tmp_path_factory.getbasetemp().glob("official*"))
