"""Sentences say what the numbers of their table bear out, and are absent where these do not."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import nb101
from nb101.analysis import findings as words
from nb101.analysis.findings import findings
from nb101.analysis.study import Study


def table_of(
    space: nb101.SearchSpace, accuracy: Any, *, epochs: int = 108, **columns: Any
) -> nb101.Table:
    n = len(accuracy)
    own = {f"final_{name}": values for name, values in columns.items()}
    given = {"cell_id": np.arange(n), "epochs": [epochs] * n, **own}
    given["final_validation_accuracy"] = np.asarray(accuracy, dtype=float)
    return nb101.Table.from_columns(given, space=space)


def said(table: nb101.Table) -> str:
    return " ".join(each.text for each in findings(Study(table)))


def test_numbers_are_those_of_the_table(small: Any) -> None:
    n = len(small.space)
    accuracy = np.random.default_rng(0).random(n)
    table = table_of(small.space, accuracy, training_time=1 + np.arange(n))
    text = said(table)
    best = int(accuracy.argmax())
    assert f"Half of the {n} cells reach {100 * np.median(accuracy):.2f} %" in text
    assert f"cell {best} ({small.space[best].hash[:8]}), with {100 * accuracy[best]:.2f} %" in text
    # The first, and so the quickest, within half a point.
    near = int((accuracy >= accuracy[best] - 0.005).argmax())
    if near == best:
        assert "No cell of less training time comes within 0.5 points of the best one." in text
    else:
        assert f"cell {near} (" in text
    cells = {each for found in findings(Study(table)) for each in found.cells.values()}
    assert best in cells


def test_few_cells_have_few_findings(small: Any) -> None:
    assert said(table_of(small.space, [0.5])) == (
        f"The only cell with a validation accuracy is {words.name_of(_study(small), 0)}, with "
        "50.00 %."
    )
    assert "Half of" not in said(table_of(small.space, [0.5, 0.6]))
    nothing = nb101.Table.from_columns({"cell_id": [0], "epochs": [4]}, space=small.space)
    assert findings(Study(nothing)) == []


def _study(small: Any) -> Study:
    return Study(table_of(small.space, [0.5]))


def test_equal_cells_are_not_told_apart(small: Any) -> None:
    n = len(small.space)
    text = said(table_of(small.space, np.full(n, 0.5)))
    assert f"and {n - 1:,} others have the same" in text
    assert "No replacement of one op by another changes the mean accuracy." in text
    assert "Cells of all depths have the same mean accuracy." in text
    assert "costs most" not in text
    assert "highest mean" not in text
    two = np.full(n, 0.5)
    two[[3, 5]] = 0.75
    assert "and one other has the same" in said(table_of(small.space, two))


def test_the_cheapest_good_cell(small: Any) -> None:
    n = len(small.space)
    accuracy = np.full(n, 0.5)
    accuracy[7], accuracy[9] = 0.9, 0.896
    time = np.full(n, 10.0)
    time[7], time[9] = 100.0, 25.0
    text = said(table_of(small.space, accuracy, training_time=time))
    assert f"{words.name_of(_study(small), 9)} has 25 % of that one's training time." in text
    accuracy[9] = 0.8
    text = said(table_of(small.space, accuracy, training_time=time))
    assert "No cell of less training time comes within 0.5 points of the best one." in text


@pytest.mark.parametrize(
    ("value", "sign", "expected"),
    [(-0.0145, False, "−1.45"), (0.0145, True, "+1.45"), (-0.00001, False, "0.00")],
)
def test_points(value: float, sign: bool, expected: str) -> None:
    assert words.points(value, sign=sign) == expected


def test_one_local_optimum(small: Any) -> None:
    """Where accuracy falls with the distance from one cell, all ascents end there."""
    cells = small.space.enumerate()
    best = cells[40]
    accuracy = 0.9 - 0.01 * cells.edit_distance(best)
    study = Study(table_of(small.space, accuracy))
    ends = int((~study.local_optima.isolated).sum())
    text = said(study.table)
    assert ("has one end" in text) == (ends == 1)
    assert ("local optima;" in text) == (ends > 1)


def test_a_replacement_and_its_reverse_are_one_finding(small: Any) -> None:
    """Of two ops, to undo what costs most gains most: that is said once."""
    pools = (small.space.enumerate().operations() == 1).sum(axis=1)
    text = said(table_of(small.space, 0.9 - 0.01 * pools))
    assert "Of replacing one op, conv 3×3 → max-pool costs most, 1.00 points of" in text
    assert "gains most" not in text


def test_a_gain_that_undoes_another_replacement_is_said(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = _study(small)
    means = {"a -> b": -0.02, "b -> a": 0.01, "a -> c": 0.015}
    rows = [{"kind": kind, "accuracy_mean": mean} for kind, mean in means.items()]
    monkeypatch.setattr(Study, "op_replacement", range(words.FEW))
    monkeypatch.setattr(Study, "op_summary", pa.Table.from_pylist(rows))
    found = words._ops(study)
    assert found is not None
    assert "a → b costs most, 2.00 points, and a → c gains most, 1.50 points" in found.text
