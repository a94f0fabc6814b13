"""Benchmarks of the explorer, in headless Chromium. Run with `make bench`.

They are skipped where there is no Chromium. Times are those of the page's own clock: from a mark or
an input event on, to the frame after the map was drawn. Chromium draws in software here, as it does
on any machine without a graphics card.
"""

import gzip
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import search
from nb101.explore.bundle import BUNDLE, PAGE
from nb101.explore.columns import columns_of
from nb101.explore.site import write

sync_api = pytest.importorskip("playwright.sync_api", reason="pytest-playwright is not installed")

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
    pytest.mark.skipif(not (BUNDLE / PAGE).exists(), reason="the page was not built"),
]
ARGUMENTS = (
    *("--no-sandbox", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
)
WINDOW = {"width": 1280, "height": 800}
STARTS, MOVES, PICKS, TRACES, SECONDS = 5, 60, 200, 10, 5
DRAWN = "nb101-map-drawn"


@contextmanager
def served(*arguments: str) -> Iterator[tuple[str, float, float]]:
    """Run the command; give its address, when it was called, and the seconds until it listened."""
    began, start = time.time(), time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "nb101", "explore", "--no-open", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        seconds = time.perf_counter() - start
        try:
            assert address.startswith("http://127.0.0.1:")
            yield address, began, seconds
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def chromium() -> Iterator[tuple[Any, float]]:
    with sync_api.sync_playwright() as playwright:
        start = time.perf_counter()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        seconds = time.perf_counter() - start
        yield browser, seconds
        browser.close()


@contextmanager
def opened(browser: Any, address: str) -> Iterator[Any]:
    """A page in a browser that has seen none of it."""
    context = browser.new_context(viewport=WINDOW)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".nb-map[data-drawn]")
    yield page
    context.close()


@pytest.fixture(scope="module")
def starts(chromium: tuple[Any, float]) -> list[tuple[float, float]]:
    """Seconds from the command until it listens, and until the map is drawn."""
    found = []
    for _ in range(STARTS):
        with served() as (address, began, listening), opened(chromium[0], address) as page:
            drawn = page.evaluate(
                "name => performance.timeOrigin + performance.getEntriesByName(name)[0].startTime",
                DRAWN,
            )
            assert page.locator(".nb-left-count").get_attribute("data-left") == "423624"
            found.append((listening, drawn / 1000 - began))
    return found


@pytest.fixture(scope="module")
def explorer(
    chromium: tuple[Any, float], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """The page at work, with traces to be replayed."""
    folder = tmp_path_factory.mktemp("comparison") / "traces"
    names = ["random-search", "regularized-evolution"]
    search.compare(None, folder, names=names, runs=TRACES // 2, seconds=1e6)
    with served("--traces", str(folder)) as (address, *_), opened(chromium[0], address) as page:
        page.wait_for_timeout(2000)
        yield page


def record(benchmark: Any, seconds: list[float], **more: Any) -> None:
    """Keep what was timed elsewhere, and how many processes the machine had to do."""
    benchmark.pedantic(lambda: None, rounds=1)
    given = {"items": 1, "seconds": min(seconds), "median": float(np.median(seconds))}
    given["load"] = round(os.getloadavg()[0], 1)
    benchmark.extra_info.update(given | more)


def test_explorer_browser_start(benchmark: Any, chromium: tuple[Any, float]) -> None:
    """Chromium's own start, which no figure below has in it."""
    record(benchmark, [chromium[1]], unit="starts")


def test_explorer_listens(benchmark: Any, starts: list[tuple[float, float]]) -> None:
    record(benchmark, [listening for listening, _ in starts], unit="starts", asked_seconds=0.3)


def test_explorer_first_map(benchmark: Any, starts: list[tuple[float, float]]) -> None:
    """From the command on: server, page, columns and all 423,624 points."""
    record(benchmark, [drawn for _, drawn in starts], unit="starts", asked_seconds=3)


WATCH = """
name => {
  // The time of each input is kept until the frame after the map was drawn.
  window.benched = [];
  let input = null;
  addEventListener('pointermove', event => (input = event.timeStamp), true);
  new PerformanceObserver(() => {
    const from = input;
    if (from === null) return;
    input = null;
    requestAnimationFrame(() => window.benched.push(performance.now() - from));
  }).observe({ type: 'mark' });
}
"""


@pytest.fixture(scope="module")
def brushed(explorer: Any) -> list[float]:
    """Seconds from a move of a brush to the frame after all views followed."""
    page = explorer
    area = page.locator('.nb-filter[data-column="validation_accuracy@108"] svg').bounding_box()
    middle = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + 0.3 * area["width"], middle)
    page.mouse.down()
    page.evaluate(WATCH, DRAWN)
    for move in range(1, MOVES + 1):
        page.mouse.move(area["x"] + (0.3 + 0.6 * move / MOVES) * area["width"], middle)
        page.wait_for_function("count => window.benched.length >= count", arg=move)
    page.mouse.up()
    page.get_by_role("button", name="Clear all").click()
    milliseconds = page.evaluate("window.benched")
    return [each / 1000 for each in milliseconds[:MOVES]]


def test_explorer_brush(benchmark: Any, brushed: list[float]) -> None:
    """A brush on a histogram moved: counts, bars, front and map follow."""
    record(benchmark, brushed, unit="moves", asked_median=0.1)


def test_explorer_brush_slowest(benchmark: Any, brushed: list[float]) -> None:
    """The 95th of a hundred."""
    slow = float(np.quantile(brushed, 0.95))
    record(benchmark, [slow], unit="moves", asked_seconds=0.2)


def test_explorer_pick(benchmark: Any, explorer: Any) -> None:
    """The point under the pointer: the 95th of a hundred moves over the map."""
    page = explorer
    area = page.locator(".nb-overlay").bounding_box()
    page.evaluate("performance.clearMeasures('nb101-pick')")
    for x, y in np.random.default_rng(0).uniform(0.1, 0.9, (PICKS, 2)):
        page.mouse.move(area["x"] + x * area["width"], area["y"] + y * area["height"])
    found = page.evaluate("performance.getEntriesByName('nb101-pick').map(one => one.duration)")
    assert len(found) > PICKS // 2
    slow = float(np.quantile(found, 0.95)) / 1000
    record(benchmark, [slow], unit="picks", asked_seconds=0.004)


def test_explorer_replay(benchmark: Any, explorer: Any) -> None:
    """Frames of a replay of ten traces."""
    page = explorer
    page.evaluate("location.hash = 'panel=searches'")
    for each in page.locator(".nb-choices details").all():
        each.locator("summary").click()
        for box in each.get_by_role("checkbox").all():
            box.check()
    assert page.locator(".nb-moments tr[data-run]").count() == TRACES
    page.get_by_role("button", name="▶ Play").click()
    frames = page.evaluate(
        """seconds => new Promise(resolve => {
          let frames = 0;
          const start = performance.now();
          const next = now => {
            if (now - start > 1000 * seconds) resolve(frames);
            else { frames++; requestAnimationFrame(next); }
          };
          requestAnimationFrame(next);
        })""",
        SECONDS,
    )
    record(benchmark, [SECONDS], items=frames, unit="frames", asked_per_second=20)


def test_explorer_bundle(benchmark: Any) -> None:
    """All that the page can load, compressed as web hosts do."""
    files = [BUNDLE / PAGE, *sorted((BUNDLE / "assets").iterdir())]
    start = time.perf_counter()
    size = sum(len(gzip.compress(file.read_bytes(), 6)) for file in files)
    seconds = time.perf_counter() - start
    record(benchmark, [seconds], unit="bundles", size_megabytes=size / 1e6, asked_megabytes=0.6)


def test_explorer_site(benchmark: Any, tmp_path: Path) -> None:
    """The default table as a folder, and how long it takes to write."""
    columns = columns_of(nb101.load_table())
    start = time.perf_counter()
    write(tmp_path / "site", columns)
    seconds = time.perf_counter() - start
    size = sum(path.stat().st_size for path in (tmp_path / "site").rglob("*") if path.is_file())
    record(benchmark, [seconds], unit="sites", size_megabytes=size / 1e6, asked_megabytes=15)
