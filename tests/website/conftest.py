"""The built site: skipped where it was not built, which NB101_SITE=required makes an error."""

import functools
import os
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "build" / "docs"


@pytest.fixture(scope="session", autouse=True)
def site() -> Path:
    if not (SITE / "index.html").exists():
        missing = "the site was not built: make docs"
        if os.environ.get("NB101_SITE") == "required":
            pytest.fail(f"NB101_SITE=required, and {missing}")
        pytest.skip(missing)
    return SITE


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    handler = functools.partial(Handler, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()
