"""The explorer as files: what they hold, and what becomes of the folder that they go to."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from explored import decode
from nb101.errors import FolderError, MissingFileError
from nb101.explore import site
from nb101.explore.columns import Columns, columns_of
from nb101.explore.manifest import About


def read_manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "data" / "manifest.json").read_text("utf-8"))
    return found


def check_columns(folder: Path, columns: Columns) -> dict[str, Any]:
    """Compare all columns and cells of a site with those of a table, bit for bit."""
    found = read_manifest(folder)

    def read(path: str) -> bytes:
        return (folder / "data" / path).read_bytes()

    assert [column["name"] for column in found["columns"]] == list(columns)
    for column in found["columns"]:
        values = columns.array(column["name"])
        decoded = decode(column["encoding"], read)
        assert decoded.astype(values.dtype).tobytes() == values.tobytes(), column["name"]
    table, words = columns.table, found["cells"]
    if words["ids"] is not None:
        assert decode(words["ids"], read).tolist() == table.cell_ids.tolist()
    for place, name in enumerate(("edges", "labels")):
        low, high = words[f"{name}_low"], words[f"{name}_high"]
        word = decode(low, read).astype(np.uint64)
        if high is not None:
            word |= decode(high, read).astype(np.uint64) << np.uint64(32)
        assert np.array_equal(word, table.cells.words[place])
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_default_table(predicted: nb101.Table, tmp_path: Path, bundle: Path) -> None:
    written = site.write(tmp_path / "site", columns_of(predicted), bundle=bundle)
    found = check_columns(tmp_path / "site", columns_of(predicted))
    assert written.size < 8_000_000
    assert found["space"]["whole"]
    assert found["cells"]["edges_high"] is None
    assert found["start"]["y"] == "validation_accuracy@108"
    assert [predicted.space[cell["row"]] for cell in found["paper"]] == list(
        nb101.analysis.paper.NAMED_CELLS.values()
    )
    codes = {x["name"]: x["encoding"].get("codes") for x in found["columns"]}
    assert codes["test_accuracy_spread@12"] == codes["validation_accuracy@12"]
    assert codes["training_time@4"] == codes["training_time@108"]
    # The page and nothing of the notebook's.
    names = set(contents(tmp_path / "site"))
    assert {"index.html", "assets/page.js", ".nb101-folder"} <= names
    assert "widget.js" not in names
    assert sum(not name.startswith(".") for name in names) == written.files


def test_a_measured_table_twice(measured: nb101.Table, tmp_path: Path, bundle: Path) -> None:
    for name in "ab":
        site.write(tmp_path / name, Columns(measured), bundle=bundle)
        check_columns(tmp_path / name, columns_of(measured))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_cells_of_more_than_32_bits(tmp_path: Path, bundle: Path) -> None:
    space = nb101.SearchSpace(9, 8)
    ids = np.arange(0, len(space), 997)
    table = nb101.Table.from_columns({"cell_id": ids, "epochs": np.full(len(ids), 4)}, space=space)
    site.write(tmp_path, columns_of(table), bundle=bundle)
    found = check_columns(tmp_path, columns_of(table))
    assert found["cells"]["edges_high"] is not None
    assert found["start"] == {"x": "parameters", "y": "depth", "colour": "flops"}
    assert "no accuracies" in found["table"]["says"]


def test_markup_does_nothing(
    measured: nb101.Table, tmp_path: Path, bundle: Path, markup: str
) -> None:
    about = About(name=markup, title=f"{markup}</title>", command="", python="")
    site.write(tmp_path, columns_of(measured), about, bundle=bundle)
    page = (tmp_path / "index.html").read_text()
    assert "<img" not in page
    assert page.count("</title>") == 1
    assert read_manifest(tmp_path)["title"] == f"{markup}</title>"


def test_an_older_site_is_replaced_and_the_rest_stays(
    measured: nb101.Table, predicted: nb101.Table, tmp_path: Path, bundle: Path
) -> None:
    folder = tmp_path / "site"
    site.write(folder, columns_of(measured).with_own({"mine": np.arange(45)}), bundle=bundle)
    (folder / "CNAME").write_text("mine")
    before = set(contents(folder))
    site.write(folder, columns_of(measured), bundle=bundle)
    gone = {name for name in before if "own-mine" in name}
    assert gone
    assert before - set(contents(folder)) == gone
    assert (folder / "CNAME").read_text() == "mine"


def test_what_goes_wrong_leaves_nothing(
    measured: nb101.Table, tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    site.write(folder, columns_of(measured), bundle=bundle)
    before = contents(folder)

    def fail(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(site, "to_json", fail)
    for name in ("site", "new"):
        with pytest.raises(KeyboardInterrupt):
            site.write(tmp_path / name, columns_of(measured), bundle=bundle)
    assert contents(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_folders_of_others_and_missing_pages(
    measured: nb101.Table, tmp_path: Path, bundle: Path
) -> None:
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(FolderError, match="a page of something else"):
        site.write(tmp_path, columns_of(measured), bundle=bundle)
    with pytest.raises(MissingFileError, match="lacks the explorer's page"):
        site.write(tmp_path / "site", columns_of(measured), bundle=tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_data_of_others_stay(measured: nb101.Table, tmp_path: Path, bundle: Path) -> None:
    """A folder of somebody's work often has a folder named data."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.csv").write_text("1")
    with pytest.raises(FolderError, match="it has data, which something else made"):
        site.write(tmp_path, columns_of(measured), bundle=bundle)
    assert [path.name for path in tmp_path.rglob("*")] == ["data", "mine.csv"]
