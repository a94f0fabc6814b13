"""What leaves the page, read again: tables, hashes, Python and pictures are as Python has them."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from matplotlib.image import imread
from matplotlib.path import Path as Polygon
from playwright.sync_api import Page, expect

import nb101

from .conftest import Explorer, Served

ACCURACY, TIME, PARAMETERS = "validation_accuracy@108", "training_time@108", "parameters"
LASSO = [(900, 0.93), (1500, 0.935), (1600, 0.943), (1100, 0.945), (800, 0.94)]

Rows = npt.NDArray[np.int64]


class Filtered:
    """Cells within two ranges, at whose very ends cells lie."""

    def __init__(self, served: Served) -> None:
        accuracy, time = served.values(ACCURACY), served.values(TIME)
        rough = np.flatnonzero((accuracy >= 0.938) & (time <= 2000))
        low, high = accuracy[rough].min(), time[rough].max()
        self.state = f"keep={ACCURACY}:{float(low)!r},1&keep={TIME}:0,{float(high)!r}"
        self.rows: Rows = np.flatnonzero((accuracy >= low) & (time <= high))


class Sheet:
    """The sheet of exports."""

    def __init__(self, page: Page, served: Served, folder: Path) -> None:
        self.page, self.served, self._folder = page, served, folder
        self.sheet = page.locator(".nb-export")

    def open(self, state: str) -> "Sheet":
        Explorer(self.page, self.served).open(state)
        self.page.get_by_role("button", name="Export").click()
        return self

    def choose(self, name: str) -> "Sheet":
        """A format, or a layout of rows."""
        self.sheet.get_by_role("radio", name=name).check()
        return self

    def columns(self, name: str) -> "Sheet":
        self.sheet.get_by_role("button", name=name, exact=True).click()
        return self

    def save(self) -> Path:
        with self.page.expect_download(timeout=60_000) as waited:
            self.sheet.get_by_role("button", name="Save").click()
        path = self._folder / waited.value.suggested_filename
        waited.value.save_as(path)
        expect(self.sheet.get_by_role("status")).to_contain_text(f"Saved as {path.name}")
        # Nothing but the table's own name would say so in a folder of files.
        assert "predicted" in path.name
        return path

    def hashes(self, rows: Rows) -> list[str]:
        return [one.decode() for one in self.served.table.cells[rows].hashes()]


@pytest.fixture
def sheet(watched: Page, served: Served, tmp_path: Path) -> Sheet:
    return Sheet(watched, served, tmp_path)


def check_rows(found: pa.Table, sheet: Sheet, rows: Rows) -> None:
    """A row a cell: each column is the table's own, to the last bit."""
    assert len(found) == len(rows)
    np.testing.assert_array_equal(found["cell_id"], rows)
    assert found["hash"].to_pylist() == sheet.hashes(rows)
    assert set(found["kind"].to_pylist()) == {"predicted"}
    for name in set(found.column_names) - {"cell_id", "hash", "kind"}:
        wanted = sheet.served.columns.array(name)[rows]
        np.testing.assert_array_equal(np.asarray(found[name]).astype(wanted.dtype), wanted)


def test_filtered_cells(sheet: Sheet) -> None:
    table, kept = sheet.served.table, Filtered(sheet.served)
    sheet.open(kept.state)
    filtered = kept.rows
    assert 100 < len(filtered) < 20_000
    expect(sheet.sheet.locator("[data-export-count]")).to_have_attribute(
        "data-export-count", str(len(filtered))
    )
    expect(sheet.sheet).to_contain_text("predicted")
    found = pa.csv.read_csv(sheet.choose("CSV").save())
    assert {ACCURACY, TIME, PARAMETERS} < set(found.column_names)
    check_rows(found, sheet, filtered)

    path = sheet.choose("Parquet").columns("All").save()
    found = pq.read_table(path)
    assert set(found.column_names) == {*sheet.served.columns, "hash", "cell_id", "kind"}
    assert (found.schema.metadata or {})[b"kind"] == b"predicted"
    check_rows(found, sheet, filtered)

    # As nb101's own tables are: the space and where the numbers came from are known again.
    again = nb101.Table.from_arrow(pq.read_table(sheet.choose("One a cell and budget").save()))
    assert (again.space, again.provenance["kind"]) == (table.space, "predicted")
    np.testing.assert_array_equal(again.cell_ids, filtered)
    for metric in ("validation_accuracy", "test_accuracy", "training_time"):
        for epochs in (4, 12, 36, 108):
            wanted = sheet.served.values(f"{metric}@{epochs}")[filtered]
            np.testing.assert_allclose(again.mean(metric, epochs), wanted, rtol=1e-7)

    hashes = sheet.choose("Hashes").save().read_text().split()
    assert hashes == sheet.hashes(filtered)

    path = sheet.choose("Python").save()
    assert list(run(path.read_text())) == list(filtered)
    sheet.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sheet.sheet.get_by_role("button", name="Copy").click()
    expect(sheet.sheet.get_by_role("status")).to_contain_text("Copied")
    copied = sheet.page.evaluate("navigator.clipboard.readText()")
    assert copied == path.read_text()
    assert len(copied.splitlines()) <= 4


def run(code: str) -> npt.NDArray[np.int64]:
    """The ids of the table that a line of Python makes."""
    names: dict[str, Any] = {}
    exec(code, names)
    ids: npt.NDArray[np.int64] = names["table"].cell_ids
    return ids


def test_a_lasso(sheet: Sheet) -> None:
    corners = ";".join(f"{x},{y}" for x, y in LASSO)
    sheet.open(f"select=lasso|{TIME}|{ACCURACY}|{corners}&keep=depth:4,9")
    x, y = np.log(sheet.served.values(TIME)), sheet.served.values(ACCURACY)
    polygon = Polygon([(np.log(a), b) for a, b in LASSO])
    inside = polygon.contains_points(np.c_[x, y]) & (sheet.served.values("depth") >= 4)
    rows = np.flatnonzero(inside)
    assert 500 < len(rows) < 50_000
    check_rows(pa.csv.read_csv(sheet.choose("CSV").save()), sheet, rows)
    # It has no columns of the table alone: the ids are listed.
    np.testing.assert_array_equal(run(sheet.choose("Python").save().read_text()), rows)
    assert sheet.choose("Hashes").save().read_text().split() == sheet.hashes(rows)


def test_pictures(sheet: Sheet) -> None:
    sheet.open("cell=290000&keep=depth:4,9")
    area = sheet.page.locator(".nb-map").bounding_box()
    assert area is not None
    left = int((sheet.served.values("depth") >= 4).sum())

    text = sheet.choose("Picture, SVG").save().read_text("utf-8")
    svg = ET.fromstring(text)
    wide, high = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert wide == pytest.approx(area["width"], abs=1)
    assert high > area["height"]
    for node in svg.iter():
        for name, value in node.attrib.items():
            if name.rpartition("}")[2] in ("href", "src"):
                assert value.startswith(("data:image/png;base64,", "#"))
            # Paints of its own, and no others.
            assert value.count("url(") == value.count("url(#"), (name, value)
            assert not name.startswith("on")
    assert not {node.tag.rpartition("}")[2] for node in svg.iter()} & {
        "script",
        "style",
        "foreignObject",
    }
    said = " ".join(
        "".join(node.itertext()) for node in svg.iter("{http://www.w3.org/2000/svg}text")
    )
    for words in (
        "predicted",
        f"{left:,} of 423,624 cells",
        "cell 290000",
        "depth",
        "predicted validation",
    ):
        assert words in said

    picture = imread(sheet.choose("Picture, PNG").save())
    assert picture.shape[:2] == (2 * high, 2 * wide)
    colours = (255 * picture[::2, ::2, :3]).astype(np.uint32) @ [1 << 16, 1 << 8, 1]
    assert len(np.unique(colours)) > 500
