"""What tests in a browser share: the machine's Chromium, and a page that is watched.

Where there is no Chromium they are skipped; with NB101_BROWSER=required that is an error.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytest.importorskip("playwright", reason="pytest-playwright is not installed")

from playwright.sync_api import Page, Route

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def need(missing: str | None) -> None:
    """Skip, or fail where a browser is required, if something is missing."""
    if missing is None and CHROMIUM is None:
        missing = "there is no Chromium"
    if missing is not None:
        if os.environ.get("NB101_BROWSER") == "required":
            pytest.fail(f"NB101_BROWSER=required, and {missing}")
        pytest.skip(missing)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    quiet = ["background-networking", "component-update", "sync", "quic"]
    return {
        "executable_path": CHROMIUM,
        "args": ["--no-sandbox", "--no-first-run", *(f"--disable-{what}" for what in quiet)],
    }


@contextmanager
def serve(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on this machine, and give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def watch(page: Page) -> Iterator[Page]:
    """Hold that a page asks this machine alone, and says nothing wrong on the console."""
    page.set_default_timeout(30_000)
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: said.append(error.stack or str(error)))
    left: list[str] = []

    def local(route: Route) -> None:
        if route.request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            route.continue_()
        else:
            left.append(route.request.url)
            route.abort()

    page.route("**/*", local)
    yield page
    assert not said
    assert not left


@pytest.fixture
def watched(page: Page) -> Iterator[Page]:
    """A page that may ask its own server alone, and says nothing on the console."""
    with watch(page):
        yield page
