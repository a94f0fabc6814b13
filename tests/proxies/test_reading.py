"""Scores read back from wherever they are kept; none of it needs torch."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import nb101
from nb101._base.seals import sealed, with_seal
from nb101.errors import FolderError
from nb101.proxies import Scores, read, write_naslib
from test_errors import WRONG

SPACE = nb101.SearchSpace(5)
ABOUT = {"config": {"stem_channels": 16}, "seed": 3, "batch_size": 32, "images": "random"}


def some(space: nb101.SearchSpace = SPACE) -> Scores:
    cells = space.enumerate()[[7, 2, 5]]
    columns = {"snip": np.array([1.5, np.nan, -np.inf]), "params": np.array([3.0, 4.0, 5.0])}
    seconds = {"snip": np.array([0.1, 0.2, 0.3])}
    return Scores(
        cells=cells,
        columns=columns,
        seconds=seconds,
        about=ABOUT,
        accuracies=np.array([0.1, np.nan, 0.3]),
        space=space,
    )


def same(found: Scores, expected: Scores) -> None:
    assert found.cells == expected.cells
    for ours, theirs in ((found, expected), (found.seconds, expected.seconds)):
        assert list(ours) == list(theirs)
        for name in theirs:
            np.testing.assert_array_equal(ours[name], theirs[name])
    np.testing.assert_array_equal(
        np.asarray(found.accuracies, float), np.asarray(expected.accuracies, float)
    )
    assert found.about == expected.about
    assert found.space == expected.space


@pytest.mark.parametrize("ending", ["arrow", "feather", "parquet"])
@pytest.mark.parametrize("space", [SPACE, nb101.SearchSpace(4, 5, ["conv1x1-bn-relu", "own"])])
def test_tables(ending: str, space: nb101.SearchSpace, tmp_path: Path) -> None:
    path = tmp_path / f"s.{ending}"
    some(space).save(path)
    same(read(path), some(space))


def test_naslib(tmp_path: Path) -> None:
    write_naslib(some(), tmp_path / "s.json")
    found = read(tmp_path / "s.json")
    assert sorted(found) == ["params", "snip"]
    assert found.cells[0] == some().cells[0]


@pytest.mark.parametrize("ending", ["arrow", "parquet"])
def test_each_damaged_byte_is_seen(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"s.{ending}"
    some().save(path)
    data = bytearray(path.read_bytes())
    for place in range(0, len(data), 97):
        data[place] ^= 4
        path.write_bytes(data)
        with pytest.raises(nb101.DatasetError):
            read(path)
        data[place] ^= 4
    path.write_bytes(data[:-9])
    with pytest.raises(nb101.DatasetError):
        read(path)


def write(path: Path, columns: dict[str, Any], about: Any) -> None:
    table = pa.table(columns).replace_schema_metadata({"nb101": about})
    table = table.cast(with_seal(table.schema))
    with sealed(path) as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def test_what_is_no_table_of_scores(tmp_path: Path) -> None:
    path = tmp_path / "s.arrow"
    space = {"max_vertices": 5, "max_edges": 9, "ops": list(SPACE.ops)}
    good: dict[str, Any] = {"kind": "proxies", "space": space}
    ids = np.array([0, 4])
    for columns, about in (
        ({"cell_id": ids}, "{"),
        ({"cell_id": ids}, "[]"),
        ({"cell_id": ids}, json.dumps({"kind": "proxies"})),
        ({"cell_id": ids}, json.dumps(good | {"kind": "table"})),
        ({"cell_id": ids}, json.dumps(good | {"space": {**space, "max_vertices": 99}})),
        ({"snip": ids * 1.0}, json.dumps(good)),
        ({"cell_id": ids * 1.0}, json.dumps(good)),
        ({"cell_id": ids - 1}, json.dumps(good)),
        ({"cell_id": ids + len(SPACE)}, json.dumps(good)),
        ({"cell_id": ids, "snip": ["a", "b"]}, json.dumps(good)),
    ):
        write(path, columns, about)
        with pytest.raises(nb101.DatasetError) as caught:
            read(path)
        assert "\n" not in str(caught.value)
    write(path, {"cell_id": ids, "snip": ids, "other": ids}, json.dumps(good))
    assert list(read(path)) == ["snip"]
    nb101.Table.from_columns({"cell_id": [1], "epochs": [4], "final_test_accuracy": [0.5]}).save(
        path
    )
    with pytest.raises(nb101.DatasetError, match="no scores of zero-cost proxies"):
        read(path)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="has no scores"):
        read(tmp_path)
    for name in ("x", "x.json", "x.arrow"):
        with pytest.raises(nb101.MissingFileError):
            read(tmp_path / name)
    (tmp_path / "x.csv").write_text("cell_id,snip\n1,2\n")
    with pytest.raises(nb101.DatasetError, match="neither"):
        read(tmp_path / "x.csv")


@pytest.mark.parametrize("wrong", WRONG)
def test_anything_else_is_refused(wrong: Any) -> None:
    with pytest.raises(nb101.NB101Error):
        read(wrong)


def test_no_torch_is_needed(tmp_path: Path) -> None:
    some().save(tmp_path / "s.arrow")
    code = (
        "import sys; sys.modules['torch'] = None; import nb101; "
        f"print(len(nb101.proxies.read({str(tmp_path / 's.arrow')!r}).cells))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "3"
