"""The commands for tables: convert, export, info, query, top."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
import official
import tables
from commands import refused, run, run_bytes

CELLS = [0, 1, 5, 90, 423_623]


@pytest.fixture(scope="module")
def rows() -> list[tables.Row]:
    return tables.draw_rows(np.random.default_rng(6), CELLS)


@pytest.fixture(scope="module")
def folder(
    rows: list[tables.Row], space: nb101.SearchSpace, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the same runs as official records, as Arrow and as Parquet."""
    folder = tmp_path_factory.mktemp("tables")
    data = b"".join(
        official.frame(
            official.record(space[row.cell_id], row.epochs, list(row.metrics), row.total_time)
        )
        for row in rows
    )
    (folder / "t.tfrecord").write_bytes(data)
    table = nb101.convert(folder / "t.tfrecord", folder / "t.arrow")
    table.save(folder / "t.parquet")
    return folder


def test_convert(folder: Path, tmp_path: Path) -> None:
    text = run("convert", folder / "t.tfrecord", tmp_path / "new.arrow")
    assert "30, of unknown kind" in text
    assert "5 of 423,624" in text
    assert "new.arrow: 30 records of 5 cells" in text
    assert nb101.Table.open(tmp_path / "new.arrow").equals(nb101.Table.open(folder / "t.arrow"))
    found = json.loads(run("convert", folder / "t.tfrecord", tmp_path / "t.pq", "--json"))
    assert found["runs"] == found["records"] == 30
    assert found["left_out"] == []
    assert found["seconds"] > 0


def test_convert_keeps_going(folder: Path, tmp_path: Path) -> None:
    frames = official.split((folder / "t.tfrecord").read_bytes())
    for i in range(25):
        frames[i] = official.frame(b"wrong")
    damaged = tmp_path / "in.tfrecord"
    damaged.write_bytes(b"".join(frames))
    command = [sys.executable, "-m", "nb101", "convert", str(damaged), str(tmp_path / "o.arrow")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"nb101: error: {damaged}: record 0 at byte 0: ")
    assert not (tmp_path / "o.arrow").exists()
    done = subprocess.run([*command, "--keep-going"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert len(nb101.Table.open(tmp_path / "o.arrow")) == 5
    lines = done.stderr.splitlines()
    assert lines[1].startswith("nb101: left out record 1 at byte 21: ")
    assert lines[20:] == ["nb101: left out 5 more records"]


@pytest.mark.parametrize("name", ["o.tfrecord", "o.parquet", "o.csv", "o.arrow"])
def test_export(folder: Path, tmp_path: Path, name: str) -> None:
    assert "30 runs to" in run("export", folder / "t.arrow", tmp_path / name)
    if name == "o.tfrecord":
        assert (tmp_path / name).read_bytes() == (folder / "t.tfrecord").read_bytes()
    elif name == "o.csv":
        assert len((tmp_path / name).read_text().splitlines()) == 31
    else:
        assert nb101.Table.open(tmp_path / name).equals(nb101.Table.open(folder / "t.arrow"))
    run("export", folder / "t.parquet", tmp_path / "other", "--format", name.split(".")[1])
    assert (tmp_path / "other").read_bytes()[:100] == (tmp_path / name).read_bytes()[:100]


def test_stdout_takes_tables(folder: Path, tmp_path: Path) -> None:
    for form in ("tfrecord", "parquet", "csv", "arrow"):
        path = tmp_path / f"o.{form}"
        run("export", folder / "t.arrow", path)
        data, said = run_bytes("export", folder / "t.arrow", "-", "--format", form)
        assert data == path.read_bytes()
        assert said == "30 runs to stdout\n"
    run("convert", folder / "t.tfrecord", tmp_path / "c.arrow")
    data, said = run_bytes("convert", folder / "t.tfrecord", "-", "--format", "arrow")
    assert data == (tmp_path / "c.arrow").read_bytes()
    assert "30 records of 5 cells" in said
    assert "/dev/stdout" in said
    data, said = run_bytes("convert", folder / "t.tfrecord", "-", "--format", "parquet", "--json")
    (tmp_path / "c.parquet").write_bytes(data)
    assert len(nb101.Table.open(tmp_path / "c.parquet")) == 30
    assert json.loads(said)["bytes"] is None


@pytest.mark.parametrize("name", ["t.arrow", "t.parquet"])
def test_export_of_a_damaged_table(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 16
    (tmp_path / name).write_bytes(data)
    text = refused(capsys, "export", tmp_path / name, tmp_path / "o.tfrecord")
    assert "damaged: its bytes do not fit its seal" in text
    assert not (tmp_path / "o.tfrecord").exists()


@pytest.mark.parametrize("name", ["t.arrow", "t.parquet", "t.tfrecord"])
def test_info(folder: Path, tmp_path: Path, name: str) -> None:
    text = run("info", folder / name, "--verify")
    for part in ("30, of unknown kind", "5 of 423,624", "t.tfrecord", "108", "verified"):
        assert part in text
    assert "each fits the seal" in run("info", folder / name)
    found = json.loads(run("info", folder / name, "--json"))
    assert (found["runs"], found["cells"], found["kind"]) == (30, 5, "unknown")
    assert [budget["epochs"] for budget in found["budgets"]] == [4, 108]
    assert found["budgets"][0]["repeats"] == [3, 3]
    assert found["columns"]["final_test_accuracy"] == "float"


def test_info_says_what_is_predicted(tmp_path: Path) -> None:
    columns = {"cell_id": [1], "epochs": [4], "final_test_accuracy": [0.5]}
    table = nb101.Table.from_columns(columns, provenance={"kind": "predicted"})
    table.save(tmp_path / "p.arrow")
    assert "predicted: no number below was measured" in run("info", tmp_path / "p.arrow")
    assert "by mean predicted test accuracy" in run("top", tmp_path / "p.arrow")
    assert "predicted" in run("query", tmp_path / "p.arrow", "--id", "1")


def ways(cell: nb101.Cell, cell_id: int) -> list[tuple[str, ...]]:
    adjacency, operations = cell.to_text()
    module = json.dumps([cell.matrix.tolist(), list(cell.codes)])
    return [
        (cell.hash,),
        (cell.hash.upper(),),
        (str(cell_id),),
        ("--id", str(cell_id)),
        (adjacency, operations),
        (f"{adjacency} {operations}",),
        (adjacency, ",".join(map(str, cell.codes))),
        (module,),
    ]


def test_query(folder: Path, rows: list[tables.Row], space: nb101.SearchSpace) -> None:
    cell = space[90]
    expected = tables.runs_of(rows, 90, 4) + tables.runs_of(rows, 90, 108)
    for way in ways(cell, 90):
        found = json.loads(run("query", folder / "t.arrow", *way, "--json"))
        assert (found["id"], found["hash"], found["kind"]) == (90, cell.hash, "unknown")
        assert [x["final_test_accuracy"] for x in found["runs"]] == [
            row.metrics[-1] for row in expected
        ]
    text = run("query", "--table", folder / "t.parquet", cell.hash)
    for row in expected:
        assert f"{row.metrics[-1]:.4f}" in text
        assert f"{row.metrics[6]:,.2f}" in text


def test_query_of_what_is_not_there(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = folder / "t.arrow"
    assert "has no run of cell 7" in refused(capsys, "query", table, "7")
    assert "no cell of this space has the hash" in refused(capsys, "query", table, "0" * 32)
    assert "out of range" in refused(capsys, "query", table, "423624")
    assert "give one cell" in refused(capsys, "query", table)
    assert "give one cell" in refused(capsys, "query", table, "7", "--id", "7")
    assert "not a module" in refused(capsys, "query", table, "0100")
    assert "unknown op" in refused(capsys, "query", table, "010001000", "input,conv,output")
    assert "no such option" in refused(capsys, "query", table, "--jsno")


def test_top(folder: Path, rows: list[tables.Row], space: nb101.SearchSpace) -> None:
    def means(place: int, epochs: int) -> dict[int, float]:
        return {
            cell: float(np.mean([x.metrics[place] for x in tables.runs_of(rows, cell, epochs)]))
            for cell in CELLS
        }

    def ids(*arguments: str) -> list[int]:
        found = json.loads(run("top", folder / "t.arrow", "--json", *arguments))
        return [cell["id"] for cell in found["cells"]]

    def ranked(values: dict[int, float], down: bool) -> list[int]:
        return sorted(values, key=lambda cell: values[cell], reverse=down)

    assert ids() == ranked(means(14, 108), True)
    assert ids("--metric", "validation_accuracy", "--epochs", "4") == ranked(means(13, 4), True)
    assert ids("--metric", "training_time", "--halfway") == ranked(means(6, 108), False)
    assert ids("-n", "2", "--worst") == ranked(means(14, 108), False)[:2]
    few = [c for c in ranked(means(14, 108), True) if space[c].parameters <= 1e6]
    assert ids("--max-parameters", "1e6") == few
    assert ids("--max-vertices", "3") == [
        c for c in ranked(means(14, 108), True) if space[c].vertices <= 3
    ]
    limit = float(np.median(list(means(11, 108).values())))
    assert ids("--max-time", str(limit)) == [
        c for c in ranked(means(14, 108), True) if means(11, 108)[c] <= limit
    ]
    first = ids()[0]
    text = run("top", folder / "t.arrow")
    assert space[first].hash in text
    assert f"{means(14, 108)[first]:.4f}" in text


def test_refusals_of_tables(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = folder / "t.arrow"
    nowhere = tmp_path / "nowhere.arrow"
    cases: list[tuple[tuple[Any, ...], str]] = [
        (("info", nowhere), "nowhere.arrow"),
        (("info", tmp_path), str(tmp_path)),
        (("convert", nowhere, tmp_path / "o.arrow"), "nowhere.arrow"),
        (("convert", folder / "t.tfrecord", tmp_path / "o.txt"), "cannot tell the format"),
        (("convert", table, tmp_path / "o.arrow"), "record 0 at byte 0"),
        (("export", table, table), "would overwrite its own source"),
        (("export", table, tmp_path / "o"), "cannot tell the format"),
        (("export", table, tmp_path / "o", "--format", "xls"), "unknown format 'xls'"),
        (("top", table, "--metric", "speed"), "no metric 'speed'"),
        (("top", table, "--epochs", "5"), "budgets are 4, 108"),
        (("top", table, "-n", "0"), "-n must be at least 1"),
        (("top", table, "--max-parameters", "3"), "passes the filters"),
    ]
    for arguments, message in cases:
        assert message in refused(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_json_is_json(tmp_path: Path) -> None:
    columns = {"cell_id": [1], "epochs": [4], "final_test_accuracy": [0.5], "energy": [np.nan]}
    nb101.Table.from_columns(columns).save(tmp_path / "t.arrow")

    def fail(text: str) -> None:
        raise AssertionError(text)

    for command in ("info", "query", "top"):
        cell = ["1"] if command == "query" else []
        text = run(command, tmp_path / "t.arrow", *cell, "--json")
        json.loads(text, parse_constant=fail)


def test_an_official_file_is_not_overwritten_with_another_format(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.tfrecord"
    path.write_bytes((folder / "t.tfrecord").read_bytes())
    for arguments in ((path, path), (path, path, "--format", "csv")):
        assert "would overwrite its own source" in refused(capsys, "export", *arguments)
    assert path.read_bytes() == (folder / "t.tfrecord").read_bytes()


def test_ops_without_a_rule(tmp_path: Path) -> None:
    space = nb101.SearchSpace(4, 5, ["a", "b"])
    columns = {"cell_id": [5], "epochs": [4], "final_test_accuracy": [0.5]}
    nb101.Table.from_columns(columns, space=space).save(tmp_path / "t.arrow")
    assert "unknown" in run("query", tmp_path / "t.arrow", "5")
    assert "unknown" in run("top", tmp_path / "t.arrow")


def test_one_table_is_named_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = folder / "t.arrow"
    assert "name one table" in refused(capsys, "top", table, "--table", table)
    assert "no metric 'cell_id'" in refused(capsys, "top", table, "--metric", "cell_id")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("val_acc", "validation_accuracy"),
        ("valid-accuracy", "validation_accuracy"),
        ("test_acc", "test_accuracy"),
        ("parameters", "trainable_parameters"),
        ("params", "trainable_parameters"),
        ("time", "training_time"),
        ("train_time", "training_time"),
        ("test_acuracy", "test_accuracy"),
    ],
)
def test_metrics_of_others_are_said_to_be_ours(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, meant: str
) -> None:
    table = folder / "t.arrow"
    hint = f"{name!r}; did you mean {meant!r}? it has"
    assert hint in refused(capsys, "top", table, "--metric", name)
    with pytest.raises(nb101.DatasetError, match=f"did you mean '{meant}'") as found:
        nb101.Table.open(table).mean(name)
    assert found.value.field == name


def test_best_of_a_column_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = {"cell_id": [1, 2], "epochs": [4, 4], "latency": [2.0, 1.0]}
    nb101.Table.from_columns(columns).save(tmp_path / "t.arrow")
    command = ("top", tmp_path / "t.arrow", "--metric", "latency")
    said = refused(capsys, *command)
    # In words of the shell, not of Python.
    assert "latency is better is not known: give --direction min or --direction max" in said
    assert "from_columns" not in said
    assert "direction=" not in said
    assert "'min' or 'max'" in refused(capsys, *command, "--direction", "up")
    for direction, ids in (("min", [2, 1]), ("max", [1, 2])):
        found = json.loads(run(*command, "--direction", direction, "--json"))
        assert [cell["id"] for cell in found["cells"]] == ids


def test_cells_by_the_beginning_of_a_hash(folder: Path, space: nb101.SearchSpace) -> None:
    for command in (("query", folder / "t.arrow"), ("cell",)):
        found = json.loads(run(*command, space[90].hash[:8], "--json"))
        assert found["hash"] == space[90].hash
