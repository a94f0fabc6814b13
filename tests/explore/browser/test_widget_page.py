"""The notebook's view in a page: selections go to Python and back, and each view keeps its own."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page, expect

import nb101

pytest.importorskip("anywidget", reason="anywidget is not installed: pip install 'nb101[notebook]'")

from browsing import serve
from nb101.explore import bundle as bundles
from nb101.explore.widget import View

from .conftest import page_folder
from .notebook import PAGE, SCRIPT, Notebook

ACCURACY = "validation_accuracy@108"


class Handler(BaseHTTPRequestHandler):
    """The module as it is built, and a page around it."""

    def do_GET(self) -> None:
        made = {"/": ("text/html", PAGE), "/notebook.js": ("text/javascript", SCRIPT)}
        for name, kind in ((bundles.WIDGET, "text/javascript"), (bundles.STYLE, "text/css")):
            made[f"/{name}"] = kind, (page_folder() / name).read_text("utf-8")
        kind, text = made[self.path]
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of what is well."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(Handler) as address:
        yield address


@pytest.fixture(scope="module")
def table(predicted: nb101.Table) -> nb101.Table:
    """A part, so that rows are not ids."""
    return predicted.select(np.arange(3, 423_624, 20))


@pytest.fixture
def notebook(watched: Page, address: str, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    monkeypatch.setattr(bundles, "BUNDLE", page_folder())
    return Notebook(watched, address)


def keep_from(page: Page, place: str, column: str, low: str) -> None:
    box = page.locator(f'#{place} .nb-filter[data-column="{column}"]')
    box.get_by_role("textbox", name="from").fill(low)
    box.get_by_role("textbox", name="from").press("Enter")


class Waiter:
    """Waits for Python to have been told."""

    def __init__(self, view: View, page: Page) -> None:
        self._page, self._told = page, False
        view.observe_selection(self._hear)

    def _hear(self, ids: object) -> None:
        self._told = True

    def wait(self) -> None:
        for _ in range(300):
            if self._told:
                break
            self._page.wait_for_timeout(50)
        assert self._told
        self._told = False


def good(table: nb101.Table, low: float) -> npt.NDArray[np.int64]:
    ids: npt.NDArray[np.int64] = table.cell_ids[table.mean("validation_accuracy", 108) >= low]
    return ids


def test_selections_go_both_ways(notebook: Notebook, table: nb101.Table) -> None:
    page, view = (
        notebook.page,
        nb101.explore(table, columns={"mine": np.arange(len(table.cell_ids))}),
    )
    notebook.add("one", view)
    notebook.show("one", "a")
    told = Waiter(view, page)
    assert len(view.selected_ids) == 0

    # From the page. Keys of the view are not the notebook's.
    page.evaluate("addEventListener('keydown', ({ key }) => (window.heard ??= []).push(key))")
    page.locator("#a .nb-overlay").focus()
    page.keyboard.press("d")
    density = page.locator("#a").get_by_role("button", name="Density")
    expect(density).to_have_attribute("aria-pressed", "true")
    keep_from(page, "a", ACCURACY, "93.5")
    told.wait()
    np.testing.assert_array_equal(view.selected_ids, good(table, 0.935))
    assert view.selection == table.space[good(table, 0.935)]
    page.locator("#a").get_by_role("button", name="Clear all").click()
    told.wait()
    assert len(view.selected_ids) == 0

    assert page.evaluate("window.heard ?? []") == []

    # From Python.
    chosen = table.cell_ids[[5, 17, 900]]
    view.highlight(chosen[:2])
    view.select(chosen)
    notebook.flush("one")
    expect(page.locator("#a .nb-left-count")).to_have_attribute("data-left", "3")
    expect(page.locator("#a circle.nb-highlight")).not_to_have_count(0)
    np.testing.assert_array_equal(view.selected_ids, chosen)
    view.highlight()
    notebook.flush("one")
    expect(page.locator("#a circle.nb-highlight")).to_have_count(0)
    told = Waiter(view, page)
    page.locator("#a").get_by_role("button", name="Unselect").click()
    told.wait()
    assert len(view.selected_ids) == 0


def test_several_views(notebook: Notebook, table: nb101.Table) -> None:
    """One view shown twice, and another one of the same table; and one that is shown again."""
    page = notebook.page
    one, other = nb101.explore(table), nb101.explore(table, height=500)
    notebook.add("one", one)
    notebook.add("other", other)
    notebook.show("one", "a")
    notebook.show("one", "b")
    notebook.show("other", "c")
    told, all_of = Waiter(other, page), len(table.cell_ids)
    keep_from(page, "c", ACCURACY, "94")
    told.wait()
    np.testing.assert_array_equal(other.selected_ids, good(table, 0.94))
    assert len(one.selected_ids) == 0
    for place in "ab":
        count = page.locator(f"#{place} .nb-left-count")
        expect(count).to_have_attribute("data-left", str(all_of))

    best = table.cell_ids[np.argsort(table.mean("validation_accuracy", 108))[-3:]]
    one.highlight(best)
    notebook.flush("one")
    for place, marks in (("a", 3), ("b", 3), ("c", 0)):
        expect(page.locator(f"#{place} circle.nb-highlight")).to_have_count(marks)

    # As "run all" does: the view ends, and begins again with what it had.
    notebook.hide("c")
    notebook.show("other", "d")
    count = page.locator("#d .nb-left-count")
    expect(count).to_have_attribute("data-left", str(len(good(table, 0.94))))
    box = page.locator("#d .nb101").bounding_box()
    assert box is not None
    assert box["height"] == pytest.approx(500, abs=2)
    notebook.hide("a")
    told = Waiter(one, page)
    keep_from(page, "b", ACCURACY, "93")
    told.wait()
    np.testing.assert_array_equal(one.selected_ids, good(table, 0.93))
