"""Tables against plain lists of rows, and their files against every kind of damage."""

import contextlib
import errno
import json
import multiprocessing
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nb101
import tables
from nb101 import ArgumentError, DatasetError, MissingRunError, Table
from nb101._base.seals import BLANK, KEY, MARK, check_seal, sealed
from nb101.errors import FileError, MissingExtraError, MissingFileError, NB101Error
from nb101.table import files as table_files
from nb101.table.about import METADATA_KEY, prediction_mark
from nb101.table.schema import EVALUATIONS

CELLS = [0, 5, 6, 7, 90, 423_623]


@pytest.fixture(scope="module")
def rows() -> list[tables.Row]:
    return tables.draw_rows(np.random.default_rng(1), CELLS)


@pytest.fixture(scope="module")
def table(rows: list[tables.Row]) -> Table:
    return tables.make(rows, provenance={"kind": "measured", "source": "a test", "recipe": "dice"})


@pytest.fixture(scope="module")
def holes() -> tuple[list[tables.Row], Table]:
    rows = tables.draw_rows(np.random.default_rng(2), list(range(40)), missing=0.4)
    return rows, tables.make(rows)


def check(rows: list[tables.Row], table: Table) -> None:
    """Compare every number with the plain list."""
    ids = sorted({row.cell_id for row in rows})
    assert len(table) == len(rows)
    assert table.cell_ids.tolist() == ids
    assert table.epochs == tuple(sorted({row.epochs for row in rows}))
    for epochs in table.epochs:
        counts = [len(tables.runs_of(rows, cell, epochs)) for cell in ids]
        assert table.counts(epochs).tolist() == counts
        for i, name in enumerate(EVALUATIONS):
            values = table.values(name, epochs)
            assert values.shape == (len(ids), max(counts))
            for cell, own, count in zip(ids, values.tolist(), counts, strict=True):
                expected = [row.metrics[i] for row in tables.runs_of(rows, cell, epochs)]
                assert own[:count] == expected
                assert all(np.isnan(own[count:]))
            with np.errstate(invalid="ignore"):
                means = [
                    np.mean([row.metrics[i] for row in tables.runs_of(rows, cell, epochs)])
                    if count
                    else np.nan
                    for cell, count in zip(ids, counts, strict=True)
                ]
            assert table.mean(name, epochs).tolist() == pytest.approx(means, rel=1e-12, nan_ok=True)


def test_every_number_is_where_it_belongs(rows: list[tables.Row], table: Table) -> None:
    check(rows, table)


def test_every_number_with_holes(holes: tuple[list[tables.Row], Table]) -> None:
    check(*holes)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.1, 0.8]))
def test_any_table(seed: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    cells = rng.choice(60, size=int(rng.integers(1, 12)), replace=False).tolist()
    repeats = int(rng.integers(1, 5))
    rows = tables.draw_rows(rng, cells, (4, 12), repeats, missing)
    if rows:
        table = tables.make(rows)
        check(rows, table)
        table.verify()


def test_the_columns_have_their_types(table: Table) -> None:
    assert table.columns[:4] == ("cell_id", "epochs", "repeat", "record")
    assert table.column("cell_id").dtype == np.int32
    assert table.column("total_time").dtype == np.float64
    assert all(table.column(name).dtype == np.float32 for name in EVALUATIONS)
    assert "seed" not in table.columns
    assert table.metrics == (*EVALUATIONS, "trainable_parameters", "total_time")


def test_float64_where_float32_would_lose(rows: list[tables.Row]) -> None:
    columns = tables.as_columns(rows)
    columns["final_test_accuracy"][3] = 0.1
    columns["final_train_accuracy"][3] = np.nan
    table = Table.from_columns(columns)
    assert table.column("final_test_accuracy").dtype == np.float64
    assert 0.1 in table.column("final_test_accuracy")
    assert table.column("final_train_accuracy").dtype == np.float32


def test_values_are_views_where_nothing_is_missing(
    table: Table, holes: tuple[list[tables.Row], Table]
) -> None:
    values = table.values("test_accuracy", 108)
    assert np.shares_memory(values, table.column("final_test_accuracy"))
    assert not values.flags.writeable
    halfway = table.values("test_accuracy", 108, halfway=True)
    assert np.shares_memory(halfway, table.column("halfway_test_accuracy"))
    assert not np.shares_memory(
        holes[1].values("test_accuracy", 108), holes[1].column("final_test_accuracy")
    )


def test_arrays_are_shared_with_who_gave_them_and_with_arrow_if_that_is_asked_for() -> None:
    given = np.array([0.5, 0.25], dtype=np.float32)
    columns = {"cell_id": [3, 9], "epochs": [4, 4], "seed": [7, np.nan], "latency": given}
    assert not np.shares_memory(Table.from_columns(columns).column("latency"), given)
    table = Table.from_columns(columns, copy=False)
    latency = table.column("latency")
    assert np.shares_memory(latency, given)
    assert not latency.flags.writeable
    assert given.flags.writeable
    arrow = table.to_arrow()
    assert np.shares_memory(np.asarray(arrow["latency"].chunk(0)), given)
    assert arrow["seed"].to_pylist() == [7, None]
    assert table.runs(9).to_pylist() == [
        {"cell_id": 9, "epochs": 4, "repeat": 0, "seed": None, "latency": 0.25}
    ]


def test_a_budget_that_some_cells_lack() -> None:
    columns = {"cell_id": [3, 9, 9], "epochs": [4, 4, 108], "final_test_accuracy": [0.5, 0.25, 1]}
    table = Table.from_columns(columns)
    assert table.values("test_accuracy", 4).tolist() == [[0.5], [0.25]]
    np.testing.assert_array_equal(table.values("test_accuracy", 108), [[np.nan], [1.0]])
    np.testing.assert_array_equal(table.mean("test_accuracy", 108), [np.nan, 1.0])
    assert table.best("test_accuracy")[:2] == (9, 1.0)
    assert table.counts(108).tolist() == [0, 1]


def test_best(rows: list[tables.Row], table: Table) -> None:
    means = {
        cell: np.mean([row.metrics[-1] for row in tables.runs_of(rows, cell, 108)])
        for cell in CELLS
    }
    found = table.best()
    assert found.cell_id == max(means, key=lambda cell: means[cell])
    assert found.value == pytest.approx(means[found.cell_id])
    assert found.cell == nb101.SearchSpace()[found.cell_id]
    assert table.best("training_time").value == table.mean("training_time", 108).min()
    assert table.best("validation_accuracy", 4).value == table.mean("validation_accuracy", 4).max()
    assert table.best("trainable_parameters").cell_id in CELLS


def measured_twice() -> Table:
    """Two cells with columns of one's own, of which one has a direction."""
    columns = {"cell_id": [0, 1], "epochs": [108, 108], "latency": [3.5, 2.5], "fps": [1.0, 2.0]}
    return Table.from_columns(columns, directions={"latency": "min"})


def test_directions_are_declared_and_not_guessed() -> None:
    table = measured_twice()
    assert table.best("latency").cell_id == 1
    assert table.best("latency", direction="max").cell_id == 0
    with pytest.raises(ArgumentError, match="direction='min'") as caught:
        table.best("fps")
    assert caught.value.field == "direction"
    assert table.best("fps", direction="max").cell_id == 1
    with pytest.raises(ArgumentError, match="'min' or 'max'"):
        table.best("fps", direction="up")  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="no column 'latncy'"):
        table.direction("latncy")
    # Names that sound like something of the table's own say nothing.
    odd = Table.from_columns({"cell_id": [0], "epochs": [4], "robust_accuracy": [0.5]})
    with pytest.raises(ArgumentError):
        odd.direction("robust_accuracy")


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("test_accuracy", "max"),
        ("halfway_train_accuracy", "max"),
        ("training_time", "min"),
        ("final_training_time", "min"),
        ("total_time", "min"),
        ("trainable_parameters", "min"),
        ("flops", "min"),
        ("test_accuracy_uncertainty", "min"),
    ],
)
def test_directions_of_known_metrics(metric: str, direction: str, table: Table) -> None:
    assert table.direction(metric) == direction


@pytest.mark.parametrize("name", ["t.arrow", "t.parquet"])
def test_directions_stay_with_the_table(name: str, tmp_path: Path) -> None:
    table = measured_twice()
    table.save(tmp_path / name)
    opened = Table.open(tmp_path / name)
    for kept in (
        opened,
        Table.concat([table, Table.from_columns({"cell_id": [2], "epochs": [108]})]),
        table.select([1]),
        Table.from_arrow(table),
        Table.from_arrow(pa.table(table)),
        pickle.loads(pickle.dumps(table)),
        pickle.loads(pickle.dumps(opened)),
    ):
        assert dict(kept.directions) == {"latency": "min"}
        assert kept.direction("latency") == "min"
    # What is said of a column goes with it.
    fewer = Table.from_arrow(pa.table(table).drop_columns(["latency"]))
    assert not fewer.directions
    assert dict(Table.from_arrow(table, directions={"fps": "max"}).directions) == {"fps": "max"}


@pytest.mark.parametrize(
    ("directions", "message"),
    [
        ({"latency": "less"}, "'min' or 'max'"),
        ({"latncy": "min"}, "no column of metrics is called 'latncy'"),
        ({"cell_id": "min"}, "no column of metrics is called 'cell_id'"),
        ({"test_accuracy": "min"}, "whose direction is 'max'"),
        ("latency", "must be a mapping"),
    ],
)
def test_wrong_directions_are_named(directions: Any, message: str) -> None:
    columns = {"cell_id": [0], "epochs": [108], "latency": [3.5]}
    with pytest.raises(ArgumentError, match=message):
        Table.from_columns(columns, directions=directions)


def test_tables_that_contradict_each_other_on_a_direction_are_not_joined() -> None:
    other = Table.from_arrow(measured_twice(), directions={"latency": "max"})
    with pytest.raises(DatasetError, match="direction of latency"):
        Table.concat([measured_twice(), other])


def test_select(rows: list[tables.Row], table: Table) -> None:
    space = table.space
    some = [row for row in rows if row.cell_id in (5, 90)]
    for cells in ([5, 90], np.array([90, 5]), space[[5, 90]], [space[5], 90]):
        check(some, table.select(cells))
    check([row for row in rows if row.epochs == 4], table.select(epochs=4))
    check([row for row in some if row.epochs == 4], table.select([5, 90], epochs=[4]))
    last = table.select(repeats=2)
    assert last.column("repeat").tolist() == [2] * 12
    assert last.values("test_accuracy", 4).shape == (6, 3)
    assert np.isnan(last.values("test_accuracy", 4)[:, :2]).all()
    good = table.column("final_test_accuracy") > 0.5
    assert len(table.select(where=good)) == good.sum()
    assert len(table.select(repeats=[])) == 0
    assert dict(last.provenance) == dict(table.provenance)
    with pytest.raises(DatasetError, match="mask with an entry for each of the 36 rows"):
        table.select(where=[True])
    with pytest.raises(MissingRunError, match="no runs at 7 epochs; its budgets are 4, 108"):
        table.select(epochs=[4, 7])


def test_concat(rows: list[tables.Row]) -> None:
    half = len(rows) // 2
    first, second = tables.make(rows[:half]), tables.make(rows[half:])
    together = Table.concat([first, second])
    check(rows, together)
    assert together.select(epochs=4).column("record").tolist() == [
        i for cell in CELLS for i, row in enumerate(rows) if row.cell_id == cell and row.epochs == 4
    ]
    assert together.provenance["kind"] == "unknown"
    assert len(together.provenance["parts"]) == 2
    mixed = Table.concat([first, tables.make(rows[half:], provenance={"kind": "predicted"})])
    assert mixed.provenance["kind"] == mixed.kind == "mixed"
    simulated = tables.make(rows[half:], provenance={"kind": "simulated"})
    assert prediction_mark(Table.concat([first, simulated]).provenance) == ""
    twice = Table.concat([first, first])
    assert twice.counts(4).tolist() == [2 * n for n in first.counts(4)]
    assert Table.concat([first]) is first


def test_predictions_are_marked_by_the_parts() -> None:
    def of(kind: str, *parts: Any) -> dict[str, Any]:
        return {"kind": kind, "parts": list(parts)} if parts else {"kind": kind}

    measured, simulated, predicted = of("measured"), of("simulated"), of("predicted")
    for provenance in ({}, measured, simulated, of("mixed", measured, simulated, "?")):
        assert prediction_mark(provenance) == ""
    for provenance in (predicted, of("predicted", predicted, predicted)):
        assert prediction_mark(provenance) == "predicted"
    some = of("mixed", measured, predicted)
    for provenance in (some, of("mixed", simulated, some), of("mixed")):
        assert prediction_mark(provenance) == "partly predicted"


def test_concat_fills_what_a_part_lacks() -> None:
    a = Table.from_columns({"cell_id": [1], "epochs": [4], "seed": [7], "extra": [0.5]})
    b = Table.from_columns({"cell_id": [1], "epochs": [4], "final_test_accuracy": [0.25]})
    both = Table.concat([a, b])
    np.testing.assert_array_equal(both.column("extra"), [0.5, np.nan])
    np.testing.assert_array_equal(both.column("final_test_accuracy"), [np.nan, 0.25])
    assert both.column("seed").tolist() == [7, None]
    assert both.column("repeat").tolist() == [0, 1]


def test_concat_refuses_what_does_not_fit(table: Table) -> None:
    small = nb101.SearchSpace(5, 9)
    other = Table.from_columns({"cell_id": [1], "epochs": [4]}, space=small)
    with pytest.raises(DatasetError, match="tables of different spaces"):
        Table.concat([table, other])
    with pytest.raises(DatasetError, match="at least one table"):
        Table.concat([])
    with pytest.raises(TypeError, match="takes Tables, not str"):
        Table.concat(["table"])  # type: ignore[list-item]
    wrong = {"cell_id": [5], "epochs": [4], "trainable_parameters": [17]}
    full = {"cell_id": [5], "epochs": [4], "trainable_parameters": [18]}
    with pytest.raises(DatasetError, match=r"cell 5 has 1[78] trainable parameters in one and"):
        Table.concat([Table.from_columns(wrong), Table.from_columns(full)])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"epochs": [1]}, "column cell_id is missing"),
        ({"cell_id": [1]}, "column epochs is missing"),
        ({"cell_id": [1, 2], "epochs": [4]}, "column epochs has 1 rows, and cell_id 2"),
        ({"cell_id": [1, -2], "epochs": [4, 4]}, "row 1: cell_id is -2; it must be within 0 and"),
        ({"cell_id": [423_624], "epochs": [4]}, "row 0: cell_id is 423624"),
        ({"cell_id": [1.5], "epochs": [4]}, "row 0: cell_id must be a whole number, not 1.5"),
        ({"cell_id": ["a"], "epochs": [4]}, "column cell_id must hold whole numbers"),
        ({"cell_id": [[1]], "epochs": [4]}, "column cell_id must have one dimension"),
        ({"cell_id": [1], "epochs": [0]}, "row 0: epochs is 0; it must be at least 1"),
        ({"cell_id": [1], "epochs": [40_000]}, "row 0: epochs is 40000; it must lie within"),
        ({"cell_id": [1], "epochs": [4], "final_epoch": ["x"]}, "final_epoch must hold numbers"),
        (
            {"cell_id": [1, 1], "epochs": [4, 4], "repeat": [0, 0]},
            "two rows are of one run: cell 1, 4 epochs, repeat 0",
        ),
        (
            {"cell_id": [1, 1], "epochs": [4, 12], "trainable_parameters": [5, 6]},
            "cell 1 has 5 trainable parameters in one and 6 in another",
        ),
        ({"cell_id": [1] * 130, "epochs": [4] * 130}, "cell 1 has more than 128 runs at 4 epochs"),
    ],
)
def test_wrong_columns_are_named(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        Table.from_columns(columns)


def test_asking_for_what_is_not_there(table: Table) -> None:
    with pytest.raises(
        DatasetError,
        match=r"no column 'accuracy'; did you mean 'test_accuracy'\? it has cell_id, epochs",
    ):
        table.values("accuracy")
    with pytest.raises(MissingRunError, match="no runs at 36 epochs; its budgets are 4, 108"):
        table.values("test_accuracy", 36)
    with pytest.raises(KeyError):
        table.budget("x")  # type: ignore[arg-type]
    with pytest.raises(nb101.CellIdError, match="cell id 423624 is out of range"):
        table.id_of(423_624)
    with pytest.raises(nb101.CellIdError, match="cell id -1 is out of range"):
        table.ids_of(np.array([3, -1]))
    with pytest.raises(TypeError, match="a Cell, an id or a hash, not float"):
        table.id_of(1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="cells are Cells, ids or hashes, not float"):
        table.ids_of(1.5)
    with pytest.raises(nb101.UnknownHashError):
        table.id_of("0" * 32)
    empty = table.select(repeats=[])
    assert (empty.epochs, empty.num_cells, len(empty.cells)) == ((), 0, 0)
    with pytest.raises(MissingRunError, match="the table has no runs"):
        empty.best()


def test_runs_of_one_cell(rows: list[tables.Row], table: Table) -> None:
    for cell in (7, nb101.SearchSpace()[7], nb101.SearchSpace()[7].hash):
        runs = table.runs(cell).to_pylist()
        expected = tables.runs_of(rows, 7, 4) + tables.runs_of(rows, 7, 108)
        assert [run["final_test_accuracy"] for run in runs] == [x.metrics[-1] for x in expected]
        assert [run["repeat"] for run in runs] == [0, 1, 2] * 2
    assert table.runs(8).num_rows == 0


def test_seeds_and_columns_of_ones_own() -> None:
    seeds = np.ma.MaskedArray([2**40, 0], mask=[False, True])
    columns = {"cell_id": [2, 1], "epochs": [4, 4], "seed": seeds, "energy": [1, 2]}
    table = Table.from_columns(columns)
    assert table.column("seed").tolist() == [None, 2**40]
    assert table.to_arrow()["seed"].to_pylist() == [None, 2**40]
    assert table.values("energy", 4).tolist() == [[2.0], [1.0]]
    np.testing.assert_array_equal(table.values("seed", 4), [[np.nan], [2.0**40]])


def test_another_space() -> None:
    space = nb101.SearchSpace(4, 5, ["a", "b"])
    table = Table.from_columns({"cell_id": [len(space) - 1], "epochs": [2]}, space=space)
    assert table.space == space
    assert table.cells[0] == space[len(space) - 1]
    assert Table.from_arrow(table).space == space
    with pytest.raises(DatasetError, match="official records are of NAS-Bench-101's space"):
        table.save("never.tfrecord")


# Files


@pytest.mark.parametrize("name", ["t.arrow", "t.parquet", "t.feather", "t.pq"])
def test_files_come_back(name: str, table: Table, tmp_path: Path) -> None:
    path = tmp_path / name
    table.save(path)
    back = Table.open(path, verify=True)
    assert back.equals(table)
    assert dict(back.provenance) == dict(table.provenance)
    assert back.path == str(path)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_holes_seeds_and_extras_come_back(tmp_path: Path) -> None:
    seeds = np.ma.MaskedArray([2**40, 0], mask=[False, True])
    table = Table.from_columns(
        {"cell_id": [2, 1], "epochs": [4, 4], "seed": seeds, "energy": [1, 2]},
        raw=[(1, b"some bytes")],
    )
    for name in ("t.arrow", "t.parquet"):
        table.save(tmp_path / name)
        back = Table.open(tmp_path / name, verify=True)
        assert back.equals(table)
        assert back.to_arrow()["raw"].to_pylist() == [b"some bytes", None]


def test_csv_has_hashes(table: Table, tmp_path: Path) -> None:
    import pandas as pd

    table.save(tmp_path / "t.csv")
    # As text: before pandas 3 its own parser of numbers is off by a last bit.
    frame = pd.read_csv(tmp_path / "t.csv", dtype=str)
    assert frame["hash"].tolist() == [table.space[int(i)].hash for i in table.column("cell_id")]
    for name in table.columns:
        expected = table.column(name)
        assert np.array_equal(frame[name].to_numpy().astype(expected.dtype), expected)


def test_an_arrow_file_is_not_read_but_mapped(tmp_path: Path) -> None:
    n = 200_000
    ids = np.arange(n)
    table = Table.from_columns({"cell_id": ids, "epochs": np.full(n, 4), "x": ids / n})
    path = tmp_path / "t.arrow"
    table.save(path)
    before = pa.total_allocated_bytes()
    mapped = Table.open(path)
    mapped.budget(4).rows(77)
    assert pa.total_allocated_bytes() - before < 100_000
    assert mapped.values("x", 4)[77, 0] == 77 / n


def test_other_libraries(table: Table) -> None:
    import pandas as pd
    import polars as pl

    frame = table.to_pandas()
    assert list(frame.columns) == list(table.columns)
    assert Table.from_arrow(frame).equals(table)
    polar = table.to_polars()
    assert isinstance(polar, pl.DataFrame)
    assert pl.DataFrame(table).equals(polar)
    assert Table.from_arrow(polar.sample(fraction=1, shuffle=True, seed=1)).equals(table)
    assert pa.table(table).schema.metadata[METADATA_KEY]
    assert Table.from_arrow(pa.table(table)).provenance == table.provenance
    assert isinstance(pd.DataFrame(frame), pd.DataFrame)
    with pytest.raises(TypeError, match="takes an Arrow, polars or pandas table, not int"):
        Table.from_arrow(3)
    with pytest.raises(DatasetError, match=r"must hold numbers, not (large_)?string"):
        Table.from_arrow(frame.assign(note="x"))


def predictions(space: nb101.SearchSpace | None = None) -> Table:
    """A predicted table without half-widths, which would tell."""
    columns = {"cell_id": [3, 1], "epochs": [4, 4], "final_test_accuracy": [0.5, 0.75]}
    return Table.from_columns(columns, space=space, provenance={"kind": "predicted", "by": "us"})


def test_predictions_are_predictions_in_pandas_and_polars(tmp_path: Path) -> None:
    import polars as pl

    table = predictions(nb101.SearchSpace(5, 7))
    frame = table.to_pandas()
    assert frame["kind"].tolist() == ["predicted", "predicted"]
    assert frame.attrs["nb101"]["provenance"]["kind"] == "predicted"
    again = Table.from_arrow(frame)
    assert again.equals(table)
    assert (again.provenance, again.space) == (table.provenance, table.space)
    # Rows keep their kind where attributes are lost.
    bare = frame.copy()
    bare.attrs = {}
    bare.to_parquet(tmp_path / "p.parquet")
    assert Table.from_arrow(pl.read_parquet(tmp_path / "p.parquet")).provenance["kind"] == (
        "predicted"
    )
    polar = table.to_polars().filter(pl.col("cell_id") == 1)
    assert polar["kind"].to_list() == ["predicted"]
    assert Table.from_arrow(polar).provenance["kind"] == "predicted"
    assert Table.from_columns(polar.to_dict()).provenance["kind"] == "predicted"
    trained = pl.lit("measured", pl.Categorical)
    both = pl.concat([polar, polar.with_columns(cell_id=2, kind=trained)])
    assert prediction_mark(Table.from_arrow(both).provenance) == "partly predicted"
    # Nor can they be called something else, but by whoever drops what says it.
    with pytest.raises(DatasetError, match="the column kind says 'predicted'"):
        Table.from_arrow(polar, provenance={"kind": "measured"})
    assert Table.from_arrow(table, provenance={"by": "x"}).provenance["kind"] == "predicted"


@pytest.mark.parametrize("name", ["p.arrow", "p.parquet", "p.csv"])
def test_files_of_predictions_say_so_to_others(name: str, tmp_path: Path) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    path = tmp_path / name
    predictions().save(path)
    if name == "p.csv":
        assert pyarrow.csv.read_csv(path)["kind"].to_pylist() == ["predicted", "predicted"]
        return
    schema = pa.ipc.open_file(path).schema if name == "p.arrow" else pa.parquet.read_schema(path)
    assert schema.metadata[b"kind"] == b"predicted"
    assert Table.open(path).provenance["kind"] == "predicted"


def test_a_column_of_numbers_may_be_called_kind() -> None:
    table = Table.from_columns({"cell_id": [1], "epochs": [4], "kind": [2.5]})
    assert Table.from_arrow(pa.table(table)).column("kind").tolist() == [2.5]
    assert "kind" not in Table.from_columns({"cell_id": [1], "epochs": [4]}).to_pandas()


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_libraries_that_are_missing_are_named(
    name: str, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=f"pip install {name}") as caught:
        getattr(table, f"to_{name}")()
    assert (caught.value.name, isinstance(caught.value, ImportError)) == (name, True)


def test_pickles_by_reference_to_the_file(table: Table, tmp_path: Path) -> None:
    assert pickle.loads(pickle.dumps(table)).equals(table)
    table.save(tmp_path / "t.arrow")
    opened = Table.open(tmp_path / "t.arrow")
    data = pickle.dumps(opened)
    assert len(data) < 500
    assert pickle.loads(data).equals(table)


def _mean_elsewhere(table: Table) -> float:
    return float(table.mean("test_accuracy", 4).sum())


def test_goes_to_other_processes(table: Table, tmp_path: Path) -> None:
    table.save(tmp_path / "t.arrow")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        results = pool.map(_mean_elsewhere, [table, Table.open(tmp_path / "t.arrow")])
    assert results == [_mean_elsewhere(table)] * 2


def test_refuses_foreign_files(tmp_path: Path) -> None:
    path = tmp_path / "foreign"
    with pytest.raises(MissingFileError, match=str(path)) as caught:
        Table.open(path)
    assert isinstance(caught.value, FileNotFoundError)
    assert caught.value.path == str(path)
    for data, message in (
        (b"", "is neither an Arrow IPC nor a Parquet file"),
        (b"\x80\x04pickled", "is neither an Arrow IPC nor a Parquet file"),
        (b"ARROW1\0\0", "is a damaged Arrow file"),
        (b"PAR1", "is a damaged Parquet file"),
        (b"PAR1 and so on PAR1", "is a damaged Parquet file"),
    ):
        path.write_bytes(data)
        with pytest.raises(DatasetError, match=message) as told:
            Table.open(path)
        assert told.value.path == str(path)
    with pytest.raises(FileError) as folder:
        Table.open(tmp_path)
    assert (folder.value.errno, folder.value.path) == (errno.EISDIR, str(tmp_path))
    official = tmp_path / "x.tfrecord"
    official.write_bytes(b"\x01\x02\x03")
    with pytest.raises(DatasetError, match="official files are read by nb101 convert"):
        Table.open(official)


def write(path: Path, arrow: pa.Table) -> None:
    """Write what a table would not, with a seal."""
    metadata = {**(arrow.schema.metadata or {}), KEY.encode(): BLANK.encode()}
    with (
        sealed(path) as file,
        pa.ipc.new_file(file, arrow.schema.with_metadata(metadata)) as writer,
    ):
        writer.write_table(arrow)


def with_metadata(arrow: pa.Table, **changes: Any) -> pa.Table:
    about = json.loads(arrow.schema.metadata[METADATA_KEY]) | changes
    return arrow.replace_schema_metadata({METADATA_KEY: json.dumps(about)})


def test_refuses_what_is_no_table(table: Table, tmp_path: Path) -> None:
    arrow = table.to_arrow()
    path = tmp_path / "t.arrow"
    cells = nb101.SearchSpace(3, 3).enumerate().to_arrow()
    cases: list[tuple[pa.Table, str]] = [
        (pa.table({"a": [1]}), "is no table of nb101"),
        (cells, "holds cells and no runs"),
        (with_metadata(arrow, format=3), "has format 3, and this nb101 reads 2: upgrade"),
        (with_metadata(arrow, format=1), "has format 1, of before there were seals.*make it anew"),
        (with_metadata(arrow, space=3), "metadata of the table is damaged"),
        (with_metadata(arrow, space={"max_vertices": 99}), "metadata of the table is damaged"),
        (with_metadata(arrow, provenance=[]), "metadata of the table is damaged"),
        (arrow.replace_schema_metadata({METADATA_KEY: b"\xff"}), "metadata .* is damaged"),
        (arrow.replace_schema_metadata({METADATA_KEY: b"[1]"}), "metadata .* is damaged"),
        (arrow.drop_columns(["cell_id"]), "column cell_id is missing"),
        (
            arrow.set_column(0, "cell_id", arrow["cell_id"].cast(pa.int64())),
            "column cell_id is of type int64",
        ),
        (
            arrow.append_column("note", pa.array(["x"] * len(table))),
            "column note is of type string",
        ),
        (
            arrow.set_column(1, "epochs", pa.nulls(len(table), pa.int16())),
            "column epochs lacks values",
        ),
    ]
    for case, message in cases:
        write(path, case)
        with pytest.raises(DatasetError, match=message):
            Table.open(path)


def test_verify_finds_what_opening_does_not(table: Table, tmp_path: Path) -> None:
    path = tmp_path / "t.arrow"
    arrow = table.to_arrow()
    shuffled = arrow.take(pa.array(np.random.default_rng(1).permutation(len(table))))
    write(path, shuffled)
    with pytest.raises(DatasetError, match="rows are not in order"):
        Table.open(path, verify=True)
    wrong = arrow.set_column(0, "cell_id", pa.array(np.full(len(table), -1, np.int32)))
    write(path, wrong)
    with pytest.raises(DatasetError, match="cell_id is -1"):
        Table.open(path, verify=True)
    table.save(path)
    data = bytearray(path.read_bytes())
    time_column = table.column("total_time").tobytes()
    at = data.find(time_column)
    data[at + 3] ^= 1
    path.write_bytes(data)
    Table.open(path)
    with pytest.raises(DatasetError, match="damaged: its bytes do not fit its seal: convert"):
        Table.open(path, verify=True)


def test_a_name_that_is_no_text_is_refused(table: Table, tmp_path: Path) -> None:
    path = tmp_path / "t.arrow"
    table.save(path)
    whole = path.read_bytes()
    # The schema is at both ends of the file.
    at = whole.rindex(b"total_time")
    path.write_bytes(whole[:at] + b"\xe8" + whole[at + 1 :])
    with pytest.raises(DatasetError, match=r"t\.arrow is (a damaged Arrow file|damaged)"):
        Table.open(path, verify=True)


@given(st.data())
def test_damaged_files_are_refused(table: Table, tmp_path: Path, data: st.DataObject) -> None:
    """Flipped bytes and truncations, wherever they are: an error that names the file."""
    name = data.draw(st.sampled_from(["t.arrow", "t.parquet"]))
    path = tmp_path / name
    table.save(path)
    whole = path.read_bytes()
    if data.draw(st.booleans()):
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        changed = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 3))):
            changed[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
        damaged = bytes(changed)
    path.write_bytes(damaged)
    if damaged != whole:
        with pytest.raises(DatasetError, match=re.escape(str(path))):
            Table.open(path, verify=True)


def with_raw(table: Table, records: dict[int, bytes]) -> Table:
    return Table.from_columns(
        {name: table.column(name) for name in table.columns},
        provenance=table.provenance,
        raw=sorted(records.items()),
    )


def test_each_byte_is_covered(tmp_path: Path) -> None:
    """One bit of each byte: offsets, validity bits, padding, names, what is said of it."""
    small = Table.from_columns(
        {"cell_id": [1, 5], "epochs": [4, 4], "seed": [np.nan, 2], "energy": [1.0, 2.5]},
        provenance={"kind": "predicted"},
        raw=[(1, b"a record")],
    )
    for name in ("t.arrow", "t.parquet"):
        path = tmp_path / name
        small.save(path)
        assert Table.open(path, verify=True).equals(small)
        whole = path.read_bytes()
        for place in range(len(whole)):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << place % 8
            path.write_bytes(damaged)
            with pytest.raises(DatasetError):
                Table.open(path, verify=True)
            with contextlib.suppress(DatasetError):
                # Not all of it is looked at, but nothing leads out of the file.
                opened = Table.open(path)
                assert name == "t.arrow"
                assert not opened.verified
                table_files.raw_records(opened.to_arrow())
                opened.to_arrow().to_pylist()


def test_what_is_written_anew_is_verified_first(table: Table, tmp_path: Path) -> None:
    path, other = tmp_path / "t.arrow", tmp_path / "other.parquet"
    table.save(path)
    opened = Table.open(path)
    assert not opened.verified
    assert not opened.select(epochs=4).verified
    opened.save(other)
    assert opened.verified
    assert Table.open(other).verified
    assert table.verified
    data = bytearray(path.read_bytes())
    data[data.find(table.column("total_time").tobytes()) + 3] ^= 1
    for use in (
        lambda x: x.save(other),
        lambda x: x.select(epochs=4).save(other),
        lambda x: x.select(cells=[1, 2]).save(other),
        lambda x: Table.concat([x, table]),
        Table.from_arrow,
        # Rows that no file has are pickled themselves.
        lambda x: pickle.dumps(x.select(epochs=4)),
    ):
        path.write_bytes(data)
        with pytest.raises(DatasetError, match=r"t\.arrow is damaged: its bytes do not fit"):
            use(Table.open(path))
    assert Table.open(other).equals(table)


def test_the_seal_is_no_part_of_a_table(table: Table, tmp_path: Path) -> None:
    about = {"kind": "measured", "notes": ["x" * 70] * 40_000}
    long = Table.from_columns({"cell_id": [1], "epochs": [4]}, provenance=about)
    for name in ("t.arrow", "t.parquet"):
        path = tmp_path / name
        table.save(path)
        opened = Table.open(path)
        assert list(opened.to_arrow().schema.metadata) == [METADATA_KEY, b"kind"]
        opened.select(epochs=4).save(tmp_path / f"some-{name}")
        check_seal(tmp_path / f"some-{name}", "")
        assert Table.open(tmp_path / f"some-{name}", verify=True).equals(table.select(epochs=4))
        # Where much is said of a table, there is still a seal to be found.
        long.save(path)
        assert Table.open(path, verify=True).provenance == long.provenance
    odd = Table.from_columns(
        {"cell_id": [1], "epochs": [4]}, provenance={"kind": "measured", "x": MARK + "1" * 64}
    )
    with pytest.raises(NB101Error, match="digits that are not its own"):
        odd.save(path)


def test_no_more_memory_than_a_file_is_worth(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    n = 4_000_000
    about = Table.from_columns({"cell_id": [1], "epochs": [4]}).to_arrow().schema.metadata
    columns = {"cell_id": np.zeros(n, np.int32), "epochs": np.ones(n, np.int16)}
    large = pa.table({**columns, "repeat": np.zeros(n, np.int8)}, metadata=about)
    with (
        sealed(tmp_path / "t.parquet") as file,
        pq.ParquetWriter(file, large.schema, compression="zstd") as parquet,
    ):
        parquet.write_table(large)
        parquet.add_key_value_metadata({KEY: BLANK})
    with pytest.raises(DatasetError, match="more than 1,000 times its size in memory"):
        Table.open(tmp_path / "t.parquet")
    large = large.replace_schema_metadata(about | {KEY.encode(): BLANK.encode()})
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with (
        sealed(tmp_path / "t.arrow") as file,
        pa.ipc.new_file(file, large.schema, options=options) as writer,
    ):
        writer.write_table(large)
    with pytest.raises(DatasetError, match=r"t\.arrow is a damaged Arrow file: .* packed"):
        Table.open(tmp_path / "t.arrow")


def test_offsets_that_lead_out_are_refused() -> None:
    """Made by others, and handed over in memory."""
    offsets = pa.py_buffer(np.array([0, 1 << 40, 3], np.int64))
    raw = pa.Array.from_buffers(pa.large_binary(), 2, [None, offsets, pa.py_buffer(b"abc")])
    keys = {"cell_id": [1, 2], "epochs": [4, 4]}
    with pytest.raises(DatasetError, match="the Arrow table is damaged: "):
        Table.from_arrow(pa.table({**keys, "raw": raw}))


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("final_training_time", -1.0, "within 0 and 1e+09"),
        ("total_time", 1e308, "within 0 and 1e+09"),
        ("halfway_test_accuracy", 1.5, "within 0 and 1"),
        ("final_train_accuracy", -0.1, "within 0 and 1"),
        ("start_epoch", -1.0, "within 0 and 32767"),
        ("test_accuracy_spread", -1e-3, "within 0 and 1e+09"),
        ("training_time_uncertainty", np.inf, "within 0 and 1e+09"),
        ("trainable_parameters", -3, "within 0 and"),
        ("energy", -np.inf, "finite"),
    ],
)
def test_values_are_within_sense(name: str, value: float, wanted: str) -> None:
    keys: dict[str, Any] = {"cell_id": [1, 2, 3], "epochs": [4, 4, 4]}
    good = 1 if name == "trainable_parameters" else np.nan
    with pytest.raises(DatasetError, match=re.escape(f"row 1: {name} is {value}; it must be")) as e:
        Table.from_columns(keys | {name: [good, value, good]})
    assert wanted in str(e.value)
    with pytest.raises(DatasetError, match=f"row 1: {name} is"):
        Table.from_arrow(pa.table(keys | {name: pa.array([good, value, good])}))
    Table.from_columns(keys | {name: [good, 0, 1]}).verify()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_writer_leaves_the_old_file(number: int, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("old")
    code = (
        "import numpy as np, nb101, sys\n"
        "n = 423_624\n"
        "x = {f'x{i}': np.random.default_rng(i).random(n) for i in range(20)}\n"
        "t = nb101.Table.from_columns({'cell_id': np.arange(n), 'epochs': np.full(n, 4), **x})\n"
        "t.save(sys.argv[1])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)])
    try:
        end = time.monotonic() + 60
        while not any(file.stat().st_size for file in tmp_path.glob(".*.tmp")):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.005)
        process.send_signal(number)
        process.wait(60)
    finally:
        process.kill()
    assert path.read_text() == "old"


def test_a_failing_writer_leaves_nothing(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    for name in ("t.arrow", "t.parquet", "t.csv"):
        with pytest.raises(OSError, match="No space left"):
            table.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_save_refuses(table: Table, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot tell the format of"):
        table.save(tmp_path / "t.xlsx")
    with pytest.raises(ValueError, match="unknown format 'xlsx'"):
        table.save(tmp_path / "t.arrow", format="xlsx")
    bare = Table.from_columns({"cell_id": [1], "epochs": [4], "final_test_accuracy": [1]})
    with pytest.raises(DatasetError, match="the table lacks start_epoch, "):
        bare.save(tmp_path / "t.tfrecord")
    assert list(tmp_path.iterdir()) == []


def test_tables_that_are_kept_are_whole() -> None:
    kept = sorted((Path(__file__).parents[2] / "benches" / "record").glob("*.parquet"))
    assert len(kept) >= 2
    for path in kept:
        assert Table.open(path, verify=True).provenance["kind"] == "measured"


def test_repr_says_what_it_is(table: Table) -> None:
    assert repr(table) == "<Table: 36 runs at 4, 108 epochs, measured from a test>"
    unsaid = Table.from_columns({"cell_id": [1], "epochs": [4]})
    assert repr(unsaid) == "<Table: 1 run at 4 epochs, of unknown kind>"


# What is missing or cannot be


def test_nulls_are_never_numbers() -> None:
    import pandas as pd
    import polars as pl

    keys: dict[str, Any] = {"cell_id": [1, 2], "epochs": [4, 4]}
    for name in ("cell_id", "epochs", "repeat", "record", "trainable_parameters"):
        frame = pl.DataFrame(keys | {name: [1, None]})
        with pytest.raises(DatasetError, match=f"row 1: {name} is missing"):
            Table.from_arrow(frame)
        with pytest.raises(DatasetError, match=f"row 1: {name} is missing"):
            Table.from_columns(keys | {name: np.ma.MaskedArray([1, 7], mask=[False, True])})
    frame = pl.DataFrame(keys | {"final_training_time": [5, None], "energy": [None, 3]})
    both = (frame, pd.DataFrame(frame.to_pandas()).astype({"energy": "Int64"}))
    for nulls in both:
        table = Table.from_arrow(nulls)
        np.testing.assert_array_equal(table.column("final_training_time"), [5, np.nan])
        np.testing.assert_array_equal(table.column("energy"), [np.nan, 3])
        assert len(Table.concat([table, table])) == 4


def test_seeds_keep_every_digit() -> None:
    keys = {"cell_id": [1, 2, 3], "epochs": [4, 4, 4]}
    large = pa.array([1, 2**63 + 5, None], pa.uint64())
    with pytest.raises(DatasetError, match="seed is 9223372036854775813; it must lie within"):
        Table.from_arrow(pa.table(keys | {"seed": large}))
    table = Table.from_arrow(pa.table(keys | {"seed": pa.array([1, 2**60 + 1, None])}))
    assert table.column("seed").tolist() == [1, 2**60 + 1, None]
    assert Table.from_arrow(table.to_pandas()).equals(table)
    assert Table.from_arrow(table.to_polars()).equals(table)
    assert Table.from_columns(keys | {"seed": [np.nan, 1.0, 2.0]}).column("seed")[0] is np.ma.masked


def test_a_table_does_not_change_with_what_it_was_made_of() -> None:
    ids, metric = np.array([1, 2], np.int32), np.array([0.5, 0.25], np.float32)
    table = Table.from_columns({"cell_id": ids, "epochs": [4, 4], "metric": metric})
    ids[:], metric[:] = 7, 7
    assert table.column("cell_id").tolist() == [1, 2]
    assert table.column("metric").tolist() == [0.5, 0.25]


def test_equality_takes_nan_for_nan(tmp_path: Path) -> None:
    table = Table.from_columns({"cell_id": [1, 2], "epochs": [4, 4], "metric": [np.nan, 1]})
    table.save(tmp_path / "t.arrow")
    assert table.equals(Table.open(tmp_path / "t.arrow"))
    other = Table.from_columns({"cell_id": [1, 2], "epochs": [4, 4], "metric": [0, 1]})
    assert not table.equals(other)
    assert not table.equals(table.select(epochs=4, cells=[1]))


def test_concat_computes_parameters_that_a_part_lacks(space: nb101.SearchSpace) -> None:
    keys = {"cell_id": [5], "epochs": [4]}
    full = Table.from_columns(keys | {"trainable_parameters": [space[5].parameters]})
    both = Table.concat([full, Table.from_columns({"cell_id": [6], "epochs": [4]})])
    assert both.column("trainable_parameters").tolist() == [
        space[5].parameters,
        space[6].parameters,
    ]


@pytest.mark.parametrize("name", ["t.arrow", "t.parquet"])
def test_what_others_sorted_otherwise_is_refused(name: str, table: Table, tmp_path: Path) -> None:
    """pyarrow keeps the metadata of what it sorts, so that it looks like a table of ours."""
    import pyarrow.parquet as pq

    path = tmp_path / name
    shuffled = table.to_arrow().sort_by("final_test_accuracy")
    if name == "t.arrow":
        write(path, shuffled)
    else:
        pq.write_table(shuffled, path)
    with pytest.raises(DatasetError, match=r"rows are not in order|has no seal of nb101"):
        Table.open(path)
    assert Table.from_arrow(shuffled).equals(table)


def test_a_large_file_that_others_sorted_is_refused(tmp_path: Path) -> None:
    n = 100_000
    table = Table.from_columns(
        {"cell_id": np.arange(n), "epochs": np.full(n, 4), "x": np.random.default_rng(1).random(n)}
    )
    write(tmp_path / "t.arrow", table.to_arrow().sort_by("x"))
    with pytest.raises(DatasetError, match=r"is damaged|not in order"):
        Table.open(tmp_path / "t.arrow")
    write(tmp_path / "t.arrow", table.to_arrow())
    assert Table.open(tmp_path / "t.arrow").equals(table)


def test_ops_without_a_rule() -> None:
    space = nb101.SearchSpace(4, 5, ["a", "b"])
    columns = {"cell_id": [5], "epochs": [4], "final_training_time": [1.0]}
    table = Table.from_columns(columns, space=space)
    assert table.parameters.tolist() == [-1]
    assert nb101.Benchmark(table).query(5, 4).trainable_parameters == -1
    assert nb101.Benchmark(table).query_many([5], 4).trainable_parameters.tolist() == [-1]


def test_ids_that_no_column_holds() -> None:
    ops = [f"conv{2 * k + 1}x{2 * k + 1}-bn-relu" for k in range(15)]
    space = nb101.SearchSpace(8, 28, ops)
    columns = {"cell_id": [5, 6], "epochs": [4, 4], "final_training_time": [1.0, 2.0]}
    table = Table.from_columns(columns, space=space)
    bench = nb101.Benchmark(table)
    for cell in (2**32 + 5, len(space) - 1):
        assert table.runs(cell).num_rows == 0
        with pytest.raises(MissingRunError):
            bench.query(cell, 4)
        with pytest.raises(MissingRunError):
            bench.query_many([cell, 5], 4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"columns": {"cell_id": [np.inf], "epochs": [4]}}, "row 0: cell_id must be a whole numb"),
        ({"columns": {"cell_id": [[1], [2, 3]], "epochs": [4]}}, "cell_id must be a flat list"),
        ({"provenance": {"seed": np.int64(3)}}, "provenance must be what JSON can hold"),
        ({"provenance": {"x": float("nan")}}, "provenance must be what JSON can hold"),
        ({"raw": [(7, b"")]}, "raw records must have ascending rows from 0 to 0"),
        ({"raw": [(0, b""), (0, b"")]}, "raw records must have ascending rows"),
        ({"columns": {"cell_id": [1], "epochs": [4], "record": [-1]}}, "row 0: record is -1"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        Table.from_columns(**({"columns": {"cell_id": [1], "epochs": [4]}} | settings))


def test_wrong_arrow_tables_are_named() -> None:
    twice = pa.Table.from_arrays([pa.array([1])] * 3, ["cell_id", "epochs", "epochs"])
    with pytest.raises(DatasetError, match="two columns are called 'epochs'"):
        Table.from_arrow(twice)
    text = pa.table({"cell_id": [1], "epochs": [4], "note": ["x"]})
    with pytest.raises(DatasetError, match="column note must hold numbers, not string"):
        Table.from_arrow(text)
    with pytest.raises(TypeError, match="space must be a SearchSpace, not str"):
        Table.from_columns({"cell_id": [1], "epochs": [4]}, space="x")  # type: ignore[arg-type]


WRONG: list[Any] = [5, "x", b"x", [[1]], object(), np.array([[1, 2]]), "\ud800", 1 << 70]
CALLS: list[Any] = [
    lambda table, x: table.column(x),
    lambda table, x: table.mean([x]),
    lambda table, x: table.direction([x]),
    lambda table, x: table.best("test_accuracy", direction=x),
    lambda table, x: table.values("test_accuracy", [x]),
    lambda table, x: table.select(epochs=[x]),
    lambda table, x: table.select(repeats=[[x]]),
    lambda table, x: table.select(where=x),
    lambda table, x: table.equals(x),
    lambda table, x: table.with_provenance(x),
    lambda table, x: Table.concat([table, x]),
    lambda table, x: Table.from_columns(x),
    lambda table, x: Table.from_columns({"cell_id": [1], "epochs": [4]}, provenance=x),
    lambda table, x: Table.from_columns({"cell_id": [1], "epochs": [4]}, directions=x),
    lambda table, x: Table.from_columns({"cell_id": [1], "epochs": [4]}, space=x),
    lambda table, x: Table.from_columns({"cell_id": [1], "epochs": [4]}, raw=[x]),
    lambda table, x: Table.from_arrow(x),
    lambda table, x: Table.open(x),
    lambda table, x: nb101.load_table(x),
    lambda table, x: nb101.convert(x, "never.arrow"),
]


@pytest.mark.parametrize("call", CALLS)
def test_wrong_arguments_are_all_told_in_one_way(
    call: Any, table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for wrong in WRONG:
        with pytest.raises(NB101Error) as caught:
            call(table, wrong)
        assert "\n" not in str(caught.value)


def test_errors_say_which_row_and_column() -> None:
    cases: list[tuple[dict[str, Any], int | None, str]] = [
        ({"cell_id": [1, 1.5]}, 1, "cell_id"),
        ({"cell_id": [1, -1]}, 1, "cell_id"),
        ({"cell_id": [1, 2], "final_test_accuracy": [0.5, 1.5]}, 1, "final_test_accuracy"),
        ({"cell_id": [1, 2], "mine": ["a", "b"]}, None, "mine"),
        ({"cell_id": [1, 1], "repeat": [0, 0]}, None, "repeat"),
    ]
    for columns, index, field in cases:
        with pytest.raises(DatasetError) as caught:
            Table.from_columns({"epochs": [4, 4], **columns})
        assert (caught.value.index, caught.value.field) == (index, field)


def test_hashes_of_the_table_select(table: Table) -> None:
    assert table.select(table.hashes()[:2]).cell_ids.tolist() == CELLS[:2]
    assert len(table.select(epochs=np.array(4))) == 18
    assert len(table.select(repeats=range(2))) == 24
