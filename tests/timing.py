"""Which tests are slow: ``--quick`` leaves them out, and ``--time`` finds them anew.

A test is slow that takes over a tenth of a second of processor time, its children's too, or that
needs something shared which does. They are listed in ``slow.txt``; a test that is not there yet
counts as quick.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LISTED = Path(__file__).with_name("slow.txt")
LEAST = 0.1
"""Seconds from which a test is slow."""
FREE = ("space", "cells", "hashes", "golden")
"""What tests share of which most have use: it is made once for all of them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out the tests of slow.txt")
    parser.addoption("--time", action="store_true", help="write slow.txt anew; takes one process")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--time"):
        config.pluginmanager.register(_Clock(), "nb101-clock")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--quick"):
        return
    slow = set(LISTED.read_text().splitlines())
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in slow])
    items[:] = [item for item in items if item.nodeid not in slow]


def _used() -> float:
    """Processor time of this process and of its children that have ended, seconds."""
    return sum(os.times()[:4])


class _Clock:
    """Measures tests, without what they share, and what they share."""

    def __init__(self) -> None:
        self._shared: dict[str, float] = {}
        self._sharing = 0.0
        self._slow: set[str] = set()
        self._seen: set[str] = set()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        before = _used()
        yield
        if fixturedef.scope != "function" and fixturedef.argname not in FREE:
            spent = _used() - before
            self._shared[fixturedef.argname] = max(spent, self._shared.get(fixturedef.argname, 0.0))
            self._sharing += spent

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._sharing, before, began = 0.0, _used(), time.perf_counter()
        yield
        # What only waits, as for a clock or a socket, is not quick either.
        waited = time.perf_counter() - began > 5 * LEAST
        names = getattr(item, "fixturenames", ())
        shared = max((self._shared.get(name, 0.0) for name in names), default=0.0)
        self._seen.add(item.nodeid)
        if max(_used() - before - self._sharing, shared) > LEAST or (waited and not self._sharing):
            self._slow.add(item.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Keep what was found; of files that were not run, what was known."""
        files = {name.split("::")[0] for name in self._seen}
        known = LISTED.read_text().splitlines() if LISTED.exists() else []
        kept = {name for name in known if name.split("::")[0] not in files}
        LISTED.write_text("".join(f"{name}\n" for name in sorted(kept | self._slow)))
