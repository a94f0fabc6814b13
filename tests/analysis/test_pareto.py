"""Fronts against comparing every cell with every other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nb101
from nb101 import DatasetError, analysis
from nb101.analysis.paper import NAMED_CELLS
from nb101.analysis.pareto import non_dominated


@given(
    st.integers(2, 4), st.lists(st.lists(st.integers(0, 6), min_size=4, max_size=4), max_size=60)
)
def test_nobody_beats_the_front(d: int, rows: list[list[int]]) -> None:
    costs = np.array([row[:d] for row in rows], dtype=float).reshape(-1, d)
    expected = [
        i
        for i, own in enumerate(costs)
        if not any((other <= own).all() and (other < own).any() for other in costs)
    ]
    assert non_dominated(costs).tolist() == expected


def test_a_front_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that some beat are left out first: the front is that of all."""
    costs = np.random.default_rng(0).integers(0, 300, (3000, 2)).astype(float)
    expected = non_dominated(costs)
    for some in (1, 7, 100):
        monkeypatch.setattr("nb101.analysis.pareto.SOME", some)
        assert non_dominated(costs).tolist() == expected.tolist()
    beaten = (costs[:, None] <= costs).all(axis=2) & (costs[:, None] < costs).any(axis=2)
    assert expected.tolist() == np.flatnonzero(~beaten.any(axis=0)).tolist()


def test_front_of_a_table(holes: nb101.Table) -> None:
    names = ("training_time", "parameters", "test_accuracy")
    found = analysis.pareto_front(holes, names, 36)
    time, accuracy = holes.mean("training_time", 36), holes.mean("test_accuracy", 36)
    rows = np.stack([time, holes.cells.parameters(), -accuracy], axis=1)
    known = [i for i, row in enumerate(rows) if not np.isnan(row).any()]
    expected = [
        i
        for i in known
        if not any((rows[j] <= rows[i]).all() and (rows[j] < rows[i]).any() for j in known)
    ]
    assert found.cells == len(known)
    assert sorted(found.cell_ids.tolist()) == holes.cell_ids[expected].tolist()
    assert (np.diff(found.values[:, 0]) >= 0).all()
    columns = found.to_arrow()
    assert columns.column_names == ["cell_id", *names]
    ids = holes.cell_ids.tolist()
    for row in columns.to_pylist():
        at = ids.index(row["cell_id"])
        assert row["test_accuracy"] == pytest.approx(accuracy[at])


def test_named_cells(space: nb101.SearchSpace) -> None:
    """They are those whose hashes the paper's data has."""
    assert [cell.hash for cell in NAMED_CELLS.values()] == [
        "02e5a0247bbdcf2860b7e96f74961594",
        "b5fb4f6193360330b6ff6a52cbf0cad7",
        "28cfc7874f6d200472e1a9dcd8650aa0",
    ]
    cells = [space.index(NAMED_CELLS["ResNet-like"]), 7]
    columns = {"cell_id": cells, "epochs": [4, 4], "final_test_accuracy": [0.25, 0.5]}
    table = nb101.Table.from_columns(columns, provenance={"recipe": "NAS-Bench-101"})
    found = analysis.pareto_front(table, ("flops", "test_accuracy"))
    assert found.named == {"ResNet-like": (NAMED_CELLS["ResNet-like"].flops, 0.25)}


def test_what_is_refused(table: nb101.Table) -> None:
    for metrics in (("test_accuracy",), ("flops", "flops")):
        with pytest.raises(ValueError, match="two or more different metrics"):
            analysis.pareto_front(table, metrics)
    apart = {
        "cell_id": [0, 1],
        "epochs": [4, 4],
        "final_training_time": [1.0, np.nan],
        "final_test_accuracy": [np.nan, 0.5],
    }
    with pytest.raises(
        DatasetError, match="no cell has both training time and test accuracy at 4 epochs"
    ):
        analysis.pareto_front(nb101.Table.from_columns(apart))
    with pytest.raises(DatasetError, match="no column 'wealth'"):
        analysis.pareto_front(table, ("wealth", "test_accuracy"))
