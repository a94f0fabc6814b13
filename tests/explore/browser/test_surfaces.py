"""What the map is drawn on, and the page without a mouse and on a phone."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Browser, BrowserType, Page, expect

import nb101
from nb101.explore.columns import columns_of
from nb101.explore.content import Content

from .conftest import Explorer, Served

ACCURACY = "validation_accuracy@108"
PIXELS = """() => {
  const canvas = document.querySelector('.nb-map canvas:not([hidden])');
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext('2d');
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  return { width: copy.width, height: copy.height, data: Array.from(new Uint32Array(data.buffer)) };
}"""


def picture(page: Page) -> npt.NDArray[np.uint8]:
    """The points as they are seen, shape (height, width, 4)."""
    found = page.evaluate(PIXELS)
    words = np.array(found["data"], "<u4").reshape(found["height"], found["width"], 1)
    return words.view(np.uint8)


def filled(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Where there are points: the corner at the left above has none."""
    away: npt.NDArray[np.bool_] = np.abs(pixels.astype(int) - pixels[2, 2]).max(-1) > 24
    return away


@pytest.fixture(scope="module")
def part(predicted: nb101.Table) -> Iterator[Served]:
    """Some of the table: software draws all of it in a quarter of a second."""
    served = Served(Content(columns_of(predicted.select(np.arange(3, 423_624, 20)))))
    yield served
    served.close()


@pytest.fixture
def launched(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> Iterator[Callable[..., Page]]:
    """A browser with other arguments."""
    browsers: list[Browser] = []

    def launch(*args: str) -> Page:
        own = {**browser_type_launch_args, "args": [*browser_type_launch_args["args"], *args]}
        browsers.append(browser_type.launch(**own))
        return browsers[-1].new_page()

    yield launch
    for browser in browsers:
        browser.close()


def test_webgl_draws_what_the_canvas_draws(launched: Callable[..., Page], part: Served) -> None:
    page = launched("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    drawn: dict[str, npt.NDArray[np.uint8]] = {}
    for surface in ("webgl", "canvas"):
        Explorer(page, part).open(f"surface={surface}&keep={ACCURACY}:0.9,1&front=no&marks=no")
        frame = page.locator(".nb-map")
        expect(frame).to_have_attribute("data-surface", surface)
        drawn[surface] = picture(page)
    high, wide = np.min([one.shape[:2] for one in drawn.values()], axis=0)
    webgl, canvas = (drawn[name][:high, :wide] for name in ("webgl", "canvas"))
    shares = [filled(one).mean() for one in (webgl, canvas)]
    assert 0.05 < shares[1] < 0.9
    # Points of WebGL lie between pixels, so that they touch some more of them.
    assert shares[0] == pytest.approx(shares[1], rel=0.2)
    both = filled(webgl) & filled(canvas)
    assert both.mean() > 0.8 * max(shares)
    means = [one[both][:, :3].mean(0) for one in (webgl, canvas)]
    np.testing.assert_allclose(means[0], means[1], atol=30)
    # Software: nobody who asks for nothing is given it.
    Explorer(page, part).open("surface=&cell=5")
    expect(page.locator(".nb-surface-note")).to_contain_text("drawn on a canvas")
    assert errors == []


def test_without_webgl(launched: Callable[..., Page], part: Served) -> None:
    page = launched("--disable-gpu", "--disable-software-rasterizer", "--disable-3d-apis")
    Explorer(page, part).open("surface=webgl")
    expect(page.locator(".nb-notice")).to_contain_text("no WebGL: drawn on a canvas")
    expect(page.locator(".nb-surface-note")).to_be_visible()
    expect(page.locator(".nb-map")).to_have_attribute("data-surface", "canvas")
    assert filled(picture(page)).mean() > 0.05


def focused(page: Page) -> str:
    """What has the focus, by its role and name."""
    text: str = page.evaluate(
        """() => {
          const { tagName, id, ariaLabel, textContent } = document.activeElement;
          return `${tagName.toLowerCase()} ${id} ${ariaLabel ?? textContent.slice(0, 60)}`;
        }"""
    )
    return text


def tab_to(page: Page, what: str) -> None:
    for _ in range(150):
        page.keyboard.press("Tab")
        if re.search(what, focused(page)):
            return
    raise AssertionError(f"Tab does not lead to {what}")


def test_keys_alone(explorer: Explorer) -> None:
    page, accuracy = explorer.page, explorer.served.values(ACCURACY)
    # To all parts by Tab.
    tab_to(page, "Find a cell")
    tab_to(page, "validation accuracy, 108 epochs, from")
    page.keyboard.press("Control+a")
    page.keyboard.type("94")
    page.keyboard.press("Enter")
    explorer.wait_left(int((accuracy >= 0.94).sum()))
    tab_to(page, "nb-x")
    tab_to(page, "^svg .*Map of")
    page.keyboard.press("+")
    explorer.state("view")
    page.keyboard.press("0")
    tab_to(page, "Cell$")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Compare")).to_be_focused()

    # By single keys, wherever one is.
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("290000")
    page.keyboard.press("Enter")
    page.keyboard.press("m")  # A letter in a field is a letter.
    expect(page.get_by_role("searchbox")).to_have_value("290000m")
    page.keyboard.press("Tab")
    page.keyboard.press("1")
    explorer.wait_row(290_000)
    page.keyboard.press("m")
    expect(page.locator(".nb-overlay")).to_be_focused()
    page.keyboard.press("p")
    page.keyboard.press("2")
    expect(page.get_by_role("tab", name="Compare (1)")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("f")
    expect(page.locator(".nb-filters :focus")).to_have_count(1)
    page.keyboard.press("Escape")

    # The help sheet: Escape closes it, and the focus is where it was.
    page.keyboard.press("Shift+Tab")
    page.locator(".nb-overlay").focus()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Help")
    expect(sheet).to_be_visible()
    expect(sheet).to_contain_text("find a cell by id or hash")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.locator(".nb-overlay")).to_be_focused()


def test_a_phone(launched: Callable[..., Page], served: Served) -> None:
    browser = launched().context.browser
    assert browser is not None
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    page = context.new_page()
    explorer = Explorer(page, served).open()
    parts = page.get_by_role("navigation", name="Parts")
    places = {"Filters": ".nb-filters", "Map": ".nb-overlay", "Cell": ".nb-right"}
    for name, place in places.items():
        parts.get_by_role("button", name=name).tap()
        for other in places.values():
            expect(page.locator(other)).to_be_visible(visible=other == place)
        # Nothing is wider than the screen.
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    parts.get_by_role("button", name="Map").tap()
    area = page.locator(".nb-overlay").bounding_box()
    assert area is not None
    assert area["width"] > 350
    page.touchscreen.tap(area["x"] + 0.6 * area["width"], area["y"] + 0.4 * area["height"])
    parts.get_by_role("button", name="Cell").tap()
    expect(page.locator(".nb-cell-panel[data-row]")).to_be_visible()
    assert explorer.row() >= 0
