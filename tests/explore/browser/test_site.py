"""The site of files: all of it works with no server of ours behind it."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page, expect

import nb101
from nb101.explore import site as sites
from nb101.explore.columns import Columns

from .conftest import Explorer, Host, page_folder


class Files(SimpleHTTPRequestHandler):
    """A web host as there are many."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of what is well."""


class Hosted(Host):
    """A site at a web host."""

    def __init__(self, folder: Path, columns: Columns) -> None:
        self.folder = folder
        self.written = sites.write(folder, columns, bundle=page_folder())
        handler = partial(Files, directory=str(folder))
        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), handler), columns)


@pytest.fixture(scope="module")
def hosted(columns: Columns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    hosted = Hosted(tmp_path_factory.mktemp("site") / "space", columns)
    yield hosted
    hosted.close()


def test_everything_is_in_the_page(
    watched: Page, hosted: Hosted, space: nb101.SearchSpace, hashes: npt.NDArray[np.bytes_]
) -> None:
    assert hosted.written.size <= 15_000_000
    asked: list[str] = []
    watched.on("request", lambda request: asked.append(request.url))
    explorer = Explorer(watched, hosted)
    explorer.open("cell=290000")
    field = watched.get_by_role("searchbox")
    field.fill(hashes[77_777].decode()[:12])
    field.press("Enter")
    watched.wait_for_selector('.nb-cell-panel[data-row="77777"]', timeout=120_000)

    # An edited cell is found in the columns.
    watched.get_by_role("button", name="Edit", exact=True).click()
    table = hosted.table
    cell = table.cells[77_777]
    ops = list(cell.ops)
    at = space.ops.index(ops[1])
    ops[1] = space.ops[(at + 1) % 3]
    watched.get_by_label("Op of vertex 1").select_option(str((at + 1) % 3))
    explorer.wait_row(int(space.index(nb101.Cell(cell.matrix, ops))))
    values = watched.locator('[data-metric="test_accuracy@108"]')
    expect(values).to_contain_text(
        f"{100 * hosted.values('test_accuracy@108')[explorer.row()]:.2f} %"
    )

    # Distances are computed in the page; the address changes beneath it.
    state = "cell=290000&keep=validation_accuracy@108:0.93,1&keep=edit_distance:0,3"
    watched.goto(f"{hosted.address}#{state}")
    away = np.asarray(space.edit_distances(table.cells[290_000]))
    good = hosted.values("validation_accuracy@108") >= 0.93
    left = int((good & (away <= 3)).sum())
    watched.wait_for_selector(f'.nb-left-count[data-left="{left}"]', timeout=120_000)

    assert all(url.startswith((hosted.address, "data:", "blob:")) for url in asked)
    read = {url.removeprefix(hosted.address) for url in asked if url.startswith(hosted.address)}
    # By relative addresses: the folder may lie anywhere below a host.
    assert all(
        (hosted.folder / (path.partition("#")[0] or "index.html")).is_file() for path in read
    )


def test_a_page_that_is_opened_as_a_file(page: Page, hosted: Hosted) -> None:
    page.goto((hosted.folder / "index.html").as_uri())
    expect(page.get_by_role("alert")).to_contain_text("python -m http.server")
