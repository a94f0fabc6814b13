"""The view of a notebook, without a browser: what it is asked, told and remembers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101.errors import ArgumentError, CellIdError, MissingFileError, MissingRunError

pytest.importorskip("anywidget", reason="anywidget is not installed: pip install 'nb101[notebook]'")

from nb101.explore.columns import columns_of
from nb101.explore.widget import View

pytestmark = pytest.mark.usefixtures("built")


class Page:
    """The other side of a view."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.answers: list[tuple[dict[str, Any], Any]] = []
        view.send = lambda content, buffers=None: self.answers.append((content, buffers))

    def get(self, path: Any, number: int = 7) -> tuple[dict[str, Any], Any]:
        self.view._handle_custom_msg({"type": "get", "path": path, "id": number}, [])
        return self.answers.pop()

    def choose(self, rows: list[int]) -> None:
        self.view.set_state({"_selection": np.array(rows, "<u4").tobytes()})


def test_a_page_gets_what_the_server_sends(measured: nb101.Table) -> None:
    page = Page(nb101.explore(measured, columns={"mine": np.arange(45)}))
    content, (data,) = page.get("manifest.json", 3)
    assert content == {"type": "data", "id": 3}
    for column in json.loads(data)["columns"]:
        content, (data,) = page.get(column["encoding"]["file"])
        assert content == {"type": "data", "id": 7}
        if column["name"] in columns_of(measured):
            assert data == columns_of(measured).array(column["name"]).tobytes()
    for path in ("nothing", "../index.html", None, 5):
        content, buffers = page.get(path)
        assert content == {"type": "error", "id": 7, "message": "there is no such file"}
        assert buffers is None
    page.view._handle_custom_msg("hello", [])
    assert page.answers == []


def test_what_is_selected(measured: nb101.Table) -> None:
    view = nb101.explore(measured)
    page = Page(view)
    seen: list[Any] = []
    assert len(view.selection) == 0
    view.observe_selection(seen.append)
    page.choose([5, 2, 2, 999])
    ids = measured.cell_ids[[2, 5]]
    assert view.selected_ids.tolist() == ids.tolist()
    assert view.selection == measured.space[ids]
    assert [x.tolist() for x in seen] == [ids.tolist()]
    view.unobserve_selection(seen.append)
    view.unobserve_selection(print)
    page.choose([1])
    assert len(seen) == 1
    assert "1 cell selected" in repr(view)


def test_what_is_marked_and_selected_from_python(predicted: nb101.Table) -> None:
    view = nb101.explore()
    cells = predicted.cells[[7, 3]]
    for given in (cells, [7, 3], np.array([7, 3, 3]), [cells[0], cells[1].hash]):
        view.highlight(given)
        assert np.frombuffer(view._highlight, "<u4").tolist() == [3, 7]
    view.highlight()
    assert view._highlight == b""
    for count in (1, 2):
        view.select("28cfc787")
        assert view._select_count == count
        assert np.frombuffer(view._select, "<u4").tolist() == view.selected_ids.tolist() == [359715]


def test_views_share_columns_and_nothing_else(measured: nb101.Table) -> None:
    a, b = nb101.explore(measured), nb101.explore(measured, height=300)
    assert a._content.columns is b._content.columns
    Page(a).choose([1])
    assert len(b.selected_ids) == 0
    assert (a.height, b.height) == (640, 300)
    a._state = "x=depth"
    assert b._state == ""


def test_what_does_not_fit(measured: nb101.Table, tmp_path: Path) -> None:
    view = nb101.explore(measured)
    with pytest.raises(MissingRunError, match="no run of cell 2"):
        view.highlight([2])
    with pytest.raises(CellIdError):
        view.select([91])
    with pytest.raises(TypeError):
        view.observe_selection(3)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="height"):
        nb101.explore(measured, height=1)
    with pytest.raises(TypeError, match="Table"):
        nb101.explore(3)  # type: ignore[arg-type]
    with pytest.raises(MissingFileError):
        nb101.explore(tmp_path / "none.arrow")


def test_a_missing_page(
    measured: nb101.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nb101.explore import bundle

    monkeypatch.setattr(bundle, "BUNDLE", tmp_path)
    with pytest.raises(MissingFileError, match=r"lacks the explorer's page \(widget.js\)"):
        nb101.explore(measured)
