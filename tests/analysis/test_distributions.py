"""Distributions and noise against plain loops over runs."""

import statistics

import numpy as np
import pytest

import nb101
from nb101 import DatasetError, MissingRunError, analysis


def runs(table: nb101.Table, metric: str, epochs: int) -> dict[int, list[float]]:
    """Values of each cell's runs."""
    found: dict[int, list[float]] = {}
    columns = zip(
        table.column("cell_id").tolist(),
        table.column("epochs").tolist(),
        table.column(f"final_{metric}").tolist(),
        strict=True,
    )
    for cell, budget, value in columns:
        if budget == epochs and not np.isnan(value):
            found.setdefault(cell, []).append(value)
    return found


@pytest.mark.parametrize("metric", ["test_accuracy", "training_time"])
@pytest.mark.parametrize("epochs", [4, 36])
def test_ecdf(holes: nb101.Table, metric: str, epochs: int) -> None:
    means = sorted(statistics.fmean(own) for own in runs(holes, metric, epochs).values())
    found = analysis.ecdf(holes, metric, epochs)
    assert found.values.tolist() == pytest.approx(means)
    assert found.shares.tolist() == pytest.approx([(i + 1) / len(means) for i in range(len(means))])
    for level in (0.0, means[3], 0.5 * (means[3] + means[4]), 1e9):
        expected = sum(mean <= level + 1e-12 for mean in means) / len(means)
        assert found.share_below(level + 1e-12) == pytest.approx(expected)
    assert found.to_arrow().column_names == ["value", "share"]
    assert (found.metric, found.epochs) == (metric, epochs)


def test_ecdf_of_what_is_computed(table: nb101.Table) -> None:
    found = analysis.ecdf(table, "parameters")
    assert found.values.tolist() == sorted(cell.parameters for cell in table.cells)


def test_noise(holes: nb101.Table) -> None:
    expected = {
        cell: statistics.stdev(own)
        for cell, own in sorted(runs(holes, "test_accuracy", 36).items())
        if len(own) > 1
    }
    found = analysis.noise(holes)
    assert found.source == "repeats"
    assert found.cell_ids.tolist() == list(expected)
    assert found.spread.tolist() == pytest.approx(list(expected.values()))


def test_noise_of_predictions() -> None:
    columns = {
        "cell_id": [0, 1, 5],
        "epochs": [4] * 3,
        "final_validation_accuracy": [0.5, 0.6, 0.7],
        "validation_accuracy_spread": [0.1, np.nan, 0.3],
    }
    table = nb101.Table.from_columns(columns)
    found = analysis.noise(table, "validation_accuracy")
    assert found.source == "spread"
    assert found.cell_ids.tolist() == [0, 5]
    assert found.spread.tolist() == pytest.approx([0.1, 0.3])
    with pytest.raises(DatasetError, match="no column 'final_test_accuracy'"):
        analysis.noise(table)
    without = nb101.Table.from_columns({k: v for k, v in columns.items() if "spread" not in k})
    with pytest.raises(DatasetError, match="no cell has two runs"):
        analysis.noise(without, "validation_accuracy")


def test_budgets(holes: nb101.Table) -> None:
    rows = analysis.budgets(holes).to_pylist()
    assert len(rows) == 2 * 4
    for row in rows:
        own = runs(holes, row["metric"], row["epochs"])
        means = [statistics.fmean(values) for values in own.values()]
        assert row["cells"] == len(means)
        assert row["runs"] == int((holes.column("epochs") == row["epochs"]).sum())
        assert row["mean"] == pytest.approx(statistics.fmean(means))
        assert row["sd"] == pytest.approx(statistics.pstdev(means))
        assert (row["least"], row["most"]) == pytest.approx((min(means), max(means)))
        assert row["q50"] == pytest.approx(statistics.median(means))


def test_what_is_not_there(table: nb101.Table) -> None:
    with pytest.raises(DatasetError, match="no column 'halfway_test_accuracy'"):
        analysis.ecdf(table, halfway=True)
    with pytest.raises(MissingRunError, match="no runs at 108 epochs"):
        analysis.ecdf(table, epochs=108)
    nothing = {"cell_id": [0], "epochs": [4], "final_test_accuracy": [np.nan]}
    with pytest.raises(DatasetError, match="no run at 4 epochs has a value"):
        analysis.ecdf(nb101.Table.from_columns(nothing))
    with pytest.raises(DatasetError, match="no metrics"):
        analysis.budgets(nb101.Table.from_columns({"cell_id": [0], "epochs": [4]}))
    strange = nb101.SearchSpace(3, 3, ("a", "b"))
    table = nb101.Table.from_columns(
        {"cell_id": [3], "epochs": [4], "x": [1.0]},
        space=strange,
        provenance={"recipe": "NAS-Bench-101"},
    )
    with pytest.raises(DatasetError, match="of cells cannot be computed"):
        analysis.ecdf(table, "parameters")
