"""Columns of the explorer: each is what the table and the engine say, in all rows."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import nb101
from nb101.errors import ArgumentError, ArgumentTypeError
from nb101.explore import columns as explored
from nb101.explore.columns import Columns, columns_of, deviations, slug
from nb101.recipes import skeleton_of

Array = npt.NDArray[Any]
METRICS = ("validation_accuracy", "test_accuracy", "training_time")


def same(found: Array, expected: npt.ArrayLike) -> None:
    np.testing.assert_array_equal(found, np.asarray(expected))


def test_every_column_of_the_default_table(predicted: nb101.Table, cells: nb101.Cells) -> None:
    columns = columns_of(predicted)
    expected: dict[str, Any] = {
        "parameters": cells.parameters(),
        "flops": cells.flops(),
        "vertices": cells.vertices,
        "edges": cells.num_edges,
        "depth": cells.depth(),
        "width": cells.width(),
    }
    for code, op in enumerate(nb101.OPS):
        expected[f"op:{op}"] = (cells.operations() == code).sum(axis=1)
    for epochs in (4, 12, 36, 108):
        for metric in METRICS:
            for name in (metric, f"{metric}_spread", f"{metric}_uncertainty"):
                expected[f"{name}@{epochs}"] = predicted.mean(name, epochs)
    assert set(columns) == set(expected)
    for name, values in expected.items():
        found = columns.array(name)
        same(found, values)
        assert found.dtype == columns[name].dtype
        assert not found.flags.writeable
        assert columns.array(name) is found


def test_what_is_said_of_predicted_columns(predicted: nb101.Table) -> None:
    columns = columns_of(predicted)
    accuracy = columns["validation_accuracy@108"]
    assert (accuracy.kind, accuracy.unit, accuracy.factor, accuracy.better) == (
        "predicted",
        "%",
        100,
        1,
    )
    assert accuracy.dtype == np.float32
    assert accuracy.spread is not None
    assert columns[accuracy.spread].unit == "pp"
    assert columns["training_time@4"].scale == "log"
    assert columns["parameters"].kind == "exact"
    assert columns_of(predicted) is columns


def test_names_are_fit_for_addresses_and_files(
    predicted: nb101.Table, measured: nb101.Table
) -> None:
    for table in (predicted, measured):
        names = list(columns_of(table))
        assert all(re.fullmatch(r"[A-Za-z0-9_.:@-]+", name) for name in names)
        assert len(set(map(slug, names))) == len(names)


def test_measured_columns_are_means_with_errors(measured: nb101.Table, markup: str) -> None:
    columns = columns_of(measured)
    assert columns["validation_accuracy@36"].repeats == 3
    assert columns["validation_accuracy@4"].spread is None
    for metric in METRICS:
        for epochs in (4, 36):
            same(columns.array(f"{metric}@{epochs}"), measured.mean(metric, epochs))
        values = measured.values(metric, 36)
        deviation, error = [], []
        for row in values:
            runs = row[~np.isnan(row)].astype(np.float64)
            deviation.append(np.std(runs, ddof=1) if len(runs) > 1 else np.nan)
            error.append(deviation[-1] / np.sqrt(len(runs)) if len(runs) > 1 else np.nan)
        found = [columns.array(f"{metric}_{what}@36") for what in ("spread", "uncertainty")]
        np.testing.assert_allclose(found[0], deviation, rtol=1e-12)
        np.testing.assert_allclose(found[1], error, rtol=1e-12)
    (own,) = (name for name, x in columns.items() if x.group == "own" and x.epochs == 36)
    same(columns.array(own), measured.mean(markup, 36))
    assert (columns[own].better, columns[own].kind) == (-1, "measured")
    assert columns[own].short == markup


def test_costs_of_an_unknown_network_are_left_out(measured: nb101.Table) -> None:
    assert {"parameters", "flops"}.isdisjoint(columns_of(measured))
    known = columns_of(measured.with_provenance({"kind": "measured"}))
    same(known.array("flops"), measured.cells.flops())


def test_costs_are_those_of_the_recipe() -> None:
    recipe = {"stem_channels": 16, "stacks": 2, "cells_per_stack": 1, "num_classes": 10}
    table = nb101.Table.from_columns(
        {"cell_id": [0, 5], "epochs": [4, 4], "trainable_parameters": [17, 19]},
        provenance={"recipe": recipe, "source": "CIFAR-10"},
    )
    columns = columns_of(table)
    same(columns.array("parameters"), [17, 19])
    skeleton = skeleton_of(table.provenance)
    assert skeleton is not None
    same(columns.array("flops"), table.cells.flops(skeleton))


def test_other_ops_and_larger_cells() -> None:
    space = nb101.SearchSpace(9, 9, ["a/b", "a?b"])
    table = nb101.Table.from_columns({"cell_id": [3, 40_000, 5], "epochs": [4] * 3}, space=space)
    columns = columns_of(table)
    assert {"parameters", "flops"}.isdisjoint(columns)
    names = [name for name in columns if columns[name].group == "ops"]
    assert len(names) == 2
    for code, name in enumerate(names):
        same(columns.array(name), (table.cells.operations() == code).sum(axis=1))


def test_columns_of_ones_own(measured: nb101.Table, markup: str) -> None:
    n = measured.num_cells
    given = {
        "small": np.arange(n) % 3,
        "Small": np.arange(n) - 70_000,
        markup: np.where(np.arange(n) % 2, 0.1, np.nan),
        "exact": np.ma.MaskedArray(np.arange(n), mask=np.arange(n) == 2),
        "flag": np.arange(n) > 3,
        "large": np.full(n, 2**40 + 1),
    }
    base = columns_of(measured)
    columns = base.with_own(given)
    own = [columns[name] for name in columns if name not in base]
    assert [column.title for column in own] == list(given)
    types = [column.dtype.name for column in own]
    assert types == ["uint8", "int32", "float64", "float32", "uint8", "float64"]
    for column, values in zip(own, given.values(), strict=True):
        same(columns.array(column.name), np.ma.filled(values.astype(float), np.nan))
    assert columns.array("depth") is base.array("depth")


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ([1, 2], ArgumentError, "45 cells"),
        (["x"] * 45, ArgumentTypeError, "numbers"),
        ([np.inf] * 45, ArgumentError, "infinite"),
        ([[1], [1, 2]], ArgumentTypeError, "flat"),
    ],
)
def test_columns_that_do_not_fit(
    measured: nb101.Table, values: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        columns_of(measured).with_own({"mine": values})


def test_too_many_cells(measured: nb101.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explored, "MOST_ROWS", 44)
    with pytest.raises(ArgumentError, match="up to 44 cells, and this one has 45"):
        Columns(measured)


def test_no_deviation_of_one_run() -> None:
    spread, error = deviations(np.array([[1.0, np.nan], [1.0, 3.0], [np.nan, np.nan]]))
    same(spread, [np.nan, np.sqrt(2), np.nan])
    same(error, [np.nan, 1.0, np.nan])


def test_most_runs_of_a_cell(measured: nb101.Table, predicted: nb101.Table) -> None:
    ragged = [1, 1, 1, 2, 3, 3]
    table = nb101.Table.from_columns(
        {"cell_id": ragged, "epochs": [4] * 6, "final_test_accuracy": [0.5] * 6}
    )
    for each in (measured, predicted, table):
        for epochs in each.epochs:
            assert each.budget(epochs).most == each.counts(epochs).max()
