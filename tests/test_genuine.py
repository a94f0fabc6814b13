"""Genuine records of the released dataset: our hashes, forms and parameters are theirs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import nb101


@pytest.fixture(scope="module")
def ids(hashes: Any) -> dict[str, int]:
    return {digits.decode(): i for i, digits in enumerate(hashes.tolist())}


@pytest.mark.parametrize(
    ("name", "rows"), [("real_20001.parquet", 20_001), ("means_upto5.parquet", 1_324)]
)
def test_hashes_and_parameters(
    name: str, rows: int, test_data: Path, cells: nb101.Cells, ids: dict[str, int]
) -> None:
    table = pq.read_table(test_data / "nasbench101" / name)
    records = dict(
        zip(table["hash"].to_pylist(), table["trainable_parameters"].to_pylist(), strict=True)
    )
    assert len(records) == rows
    assert set(records) <= set(ids)
    found = cells[[ids[digits] for digits in records]]
    assert found.parameters().tolist() == list(records.values())


def test_the_smallest_hashes(test_data: Path, hashes: Any) -> None:
    """The sample is the 20,001 smallest hashes: ours are the same ones."""
    table = pq.read_table(test_data / "nasbench101" / "real_20001.parquet")
    theirs = sorted(table["hash"].to_pylist())
    assert [digits.decode() for digits in np.sort(hashes)[: len(theirs)].tolist()] == theirs


def test_records(test_data: Path, space: nb101.SearchSpace) -> None:
    records = json.loads((test_data / "nasbench101" / "records_26.json").read_text())
    assert len(records) == 26
    for record in records:
        matrix, ops = record["module_adjacency"], record["module_operations"]
        cell = nb101.Cell(matrix, ops)
        assert cell.matrix.tolist() == matrix
        assert list(cell.ops) == ops
        assert cell.hash == record["hash"]
        assert cell.parameters == record["trainable_parameters"]
        assert nb101.Cell.from_hash(record["hash"], space) == cell
        assert space[space.index(cell)].matrix.tolist() == matrix
