"""The site in a browser: quiet, from this machine alone, in light and dark, on a phone."""

from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="pytest-playwright is not installed")

from playwright.sync_api import Page

from browsing import browser_type_launch_args as browser_type_launch_args
from browsing import need
from browsing import watched as watched

from .conftest import SITE

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1400, "height": 900}
SKIPPED = ("_modules", "explorer", "api")
"""Folders of which one page of many is enough."""
PAGES = sorted(
    str(path.relative_to(SITE))
    for path in (SITE.rglob("*.html") if SITE.exists() else ())
    if not set(path.relative_to(SITE).parts) & set(SKIPPED)
)
PAGES += ["reference/api/nb101.html", "reference/api/nb101.Benchmark.html"]


@pytest.fixture(scope="session", autouse=True)
def browser_there(site: Path) -> None:
    need(None if site.exists() else "the site was not built")


@pytest.mark.parametrize("width", ["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_quiet_and_fit(watched: Page, address: str, scheme: str, width: str) -> None:
    watched.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    watched.set_viewport_size(PHONE if width == "phone" else DESK)  # type: ignore[arg-type]
    wrong = []
    for page in PAGES:
        watched.goto(address + page, wait_until="load")
        shown = watched.evaluate(
            """() => {
                const root = document.documentElement;
                const colour = getComputedStyle(document.body).backgroundColor.match(/\\d+/g);
                return {
                    wide: root.scrollWidth - root.clientWidth,
                    bright: colour.slice(0, 3).reduce((a, b) => a + Number(b), 0) / 765,
                    broken: [...document.images]
                        .filter((image) => image.complete && !image.naturalWidth).length,
                };
            }"""
        )
        if shown["wide"] > 1:
            wrong.append(f"{page}: {shown['wide']} pixels wider than the window")
        if (shown["bright"] > 0.5) != (scheme == "light"):
            wrong.append(f"{page}: brightness {shown['bright']:.2f} in {scheme}")
        if shown["broken"]:
            wrong.append(f"{page}: {shown['broken']} broken pictures")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("Benchmark.query", "reference/api/nb101.Benchmark.html#nb101.Benchmark.query"),
        ("edit distance", "explanation/distances.html#edit-distance"),
        ("nb101 convert", "reference/commands/nb101-convert.html"),
    ],
)
def test_search_finds_first(watched: Page, address: str, asked: str, first: str) -> None:
    watched.goto(f"{address}search.html?q={asked}")
    link = watched.locator("#search-results ul.search li a").first
    link.wait_for()
    found = (link.get_attribute("href") or "").removeprefix("./")
    assert found.split("?")[0] in (first, first.split("#")[0])


def test_the_explorer_is_live(watched: Page, address: str) -> None:
    watched.goto(f"{address}explore.html")
    watched.locator("iframe.explorer").scroll_into_view_if_needed()
    inside = watched.frame_locator("iframe.explorer")
    inside.locator(".nb-map[data-drawn]").wait_for()
    assert inside.locator(".nb-left-count").get_attribute("data-left") == "423624"


def test_the_theme_is_a_click_away(watched: Page, address: str) -> None:
    watched.goto(address)
    colours = set()
    for _ in range(3):
        watched.locator(".theme-toggle:visible").first.click()
        colours.add(watched.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2
