"""The page in a browser: used as a person would, and compared with what Python computes.

Where the page was not built these tests are skipped; with NB101_BROWSER=required that is an error.
"""

import re
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import numpy as np
import numpy.typing as npt
import pytest

import nb101
from nb101.explore import bundle as bundles
from nb101.explore.columns import Columns, columns_of
from nb101.explore.content import Content
from nb101.explore.server import Server

pytest.importorskip("playwright", reason="pytest-playwright is not installed")

from playwright.sync_api import Page

from browsing import browser_type_launch_args as browser_type_launch_args
from browsing import need
from browsing import watched as watched

# Tests of the stand-in set the path of the bundle; this is the page as it is installed or built.
BUILT = Path(__file__).parents[3] / "python" / "nb101" / "explore" / "bundle"


def page_folder() -> Path:
    installed = Path(bundles.__file__).with_name("bundle")
    return installed if (installed / "index.html").exists() else BUILT


@pytest.fixture(scope="session", autouse=True)
def browser_there() -> None:
    built = (page_folder() / "index.html").exists()
    need(None if built else "the page was not built: make python/nb101/explore/bundle/index.html")


class Host:
    """A server at work, and the table that its page shows."""

    def __init__(self, server: ThreadingHTTPServer, columns: Columns) -> None:
        self.server, self.columns, self.table = server, columns, columns.table
        self.address = f"http://127.0.0.1:{server.server_address[1]}/"
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        self._thread.start()

    def values(self, name: str) -> npt.NDArray[np.float64]:
        return np.asarray(self.columns.array(name), np.float64)

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


class Served(Host):
    """nb101's own server, and what it serves."""

    def __init__(self, content: Content, port: int = 0) -> None:
        self.content = content
        super().__init__(Server(content.get, port, page_folder()), content.columns)


@pytest.fixture(scope="session")
def columns() -> Columns:
    return columns_of(nb101.load_table())


@pytest.fixture(scope="session")
def served(columns: Columns) -> Iterator[Served]:
    served = Served(Content(columns))
    yield served
    served.close()


class Explorer:
    """The page, by what people see and do."""

    def __init__(self, page: Page, served: Host) -> None:
        self.page, self.served = page, served

    def open(self, state: str = "") -> "Explorer":
        self.page.goto("about:blank")
        self.page.goto(f"{self.served.address}#{state}")
        self.page.wait_for_selector(".nb-map[data-drawn]")
        return self

    def left(self) -> int:
        """How many cells the header says are left."""
        return int(self.page.locator(".nb-left-count").get_attribute("data-left") or -1)

    def wait_left(self, count: int) -> None:
        self.page.wait_for_selector(f'.nb-left-count[data-left="{count}"]')

    def state(self, *keys: str) -> dict[str, list[str]]:
        """What the address says, once it has come to rest and has these keys."""
        for key in keys:
            self.page.wait_for_url(re.compile(rf"[#&]{key}="))
        self.page.wait_for_timeout(400)
        return parse_qs(urlparse(self.page.url).fragment)

    def row(self) -> int:
        """The row of the cell in hand."""
        return int(self.page.locator(".nb-cell-panel").get_attribute("data-row") or -1)

    def wait_row(self, row: int) -> None:
        self.page.wait_for_selector(f'.nb-cell-panel[data-row="{row}"]')

    def filter_box(self, column: str) -> Any:
        return self.page.locator(f'.nb-filter[data-column="{column}"]')


@pytest.fixture
def explorer(watched: Page, served: Served) -> Explorer:
    return Explorer(watched, served).open()
