"""`python -m page.picture` makes docs/figures/explorer.png, the picture of the explorer in README.

It needs Chromium; where there is none it says so, and leaves the picture as it is.
"""

import io
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

PICTURE = Path(__file__).parents[2] / "docs" / "figures" / "explorer.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WINDOW = (1400, 850)
COLOURS = 256
MOST_BYTES = 250_000
# The Inception-like cell of the paper in hand, and cells of at most 10 million parameters left.
VIEW = "colour=depth&cell=359715&keep=parameters%3A227274%2C10000000"


def main() -> None:
    """Make it, where it can be made."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright import sync_api as playwright
    except ImportError:
        sys.exit(_left("pytest-playwright is not installed"))
    if browser is None:
        sys.exit(_left("there is no Chromium"))
    with subprocess.Popen(
        [sys.executable, "-m", "nb101", "explore", "--no-open"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            with playwright.sync_playwright() as play:
                shot = _shoot(play, browser, address)
        finally:
            server.terminate()
    data = _packed(shot)
    if len(data) > MOST_BYTES:
        sys.exit(f"page: the picture has {len(data):,} bytes, more than {MOST_BYTES:,}")
    PICTURE.write_bytes(data)
    print(f"docs/{PICTURE.name}")


def _left(why: str) -> int:
    print(f"docs/{PICTURE.name} stays as it is: {why}")
    return 0


def _shoot(play: "Playwright", browser: str, address: str) -> bytes:
    """Return the window, light, once all that is shown has been read."""
    chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
    width, height = WINDOW
    page = chromium.new_page(viewport={"width": width, "height": height}, color_scheme="light")
    page.goto(f"{address}#{VIEW}")
    page.wait_for_selector(".nb-map[data-drawn]")
    page.wait_for_selector(".nb-neighbours tbody tr")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(2000)
    shot: bytes = page.screenshot(animations="disabled")
    chromium.close()
    return shot


def _packed(shot: bytes) -> bytes:
    """Return a PNG of few colours, which are enough for it."""
    from PIL import Image

    image = Image.open(io.BytesIO(shot)).convert("RGB")
    few = image.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    few.save(packed, "PNG", optimize=True)
    return packed.getvalue()


if __name__ == "__main__":
    main()
