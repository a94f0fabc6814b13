"""Summaries by structure against groups made by hand."""

import statistics

import numpy as np
import pytest

import nb101
from nb101 import analysis


def test_features(table: nb101.Table) -> None:
    found = analysis.features(table)
    assert list(found) == ["depth", "width", "edges", "vertices", *table.space.ops]
    for i, cell in enumerate(table.cells):
        assert found["depth"][i] == cell.depth
        assert found["width"][i] == cell.width
        assert found["edges"][i] == cell.edges
        assert found["vertices"][i] == cell.vertices
        for op in table.space.ops:
            assert found[op][i] == cell.ops.count(op)


def test_structure(holes: nb101.Table) -> None:
    accuracy = holes.mean("test_accuracy", 36)
    times = holes.mean("training_time", 36)
    groups: dict[tuple[str, int], list[int]] = {}
    for name, column in analysis.features(holes).items():
        for i, value in enumerate(column.tolist()):
            if not np.isnan(accuracy[i]):
                groups.setdefault((name, value), []).append(i)
    rows = analysis.structure(holes, 36, metric="test_accuracy").to_pylist()
    assert {(row["feature"], row["value"]) for row in rows} == set(groups)
    assert len(rows) == len(groups)
    for row in rows:
        own = groups[row["feature"], row["value"]]
        values = accuracy[own].tolist()
        assert row["cells"] == len(own)
        assert row["accuracy_mean"] == pytest.approx(statistics.fmean(values))
        assert row["accuracy_sd"] == pytest.approx(statistics.pstdev(values))
        assert row["accuracy_q50"] == pytest.approx(statistics.median(values))
        assert row["accuracy_best"] == pytest.approx(max(values))
        known = [x for x in times[own].tolist() if not np.isnan(x)]
        assert row["training_time_mean"] == pytest.approx(statistics.fmean(known))


def test_without_times() -> None:
    columns = {"cell_id": [0, 1], "epochs": [4, 4], "final_validation_accuracy": [0.5, 0.75]}
    rows = analysis.structure(nb101.Table.from_columns(columns)).to_pylist()
    assert all(np.isnan(row["training_time_mean"]) for row in rows)
