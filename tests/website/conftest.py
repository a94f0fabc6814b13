"""The built site: skipped where it was not built, which NB101_SITE=required makes an error."""

import functools
import os
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler
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
    from browsing import serve

    with serve(functools.partial(Handler, directory=str(site))) as address:
        yield address
