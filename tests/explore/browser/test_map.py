"""The map and its filters: what is left, selected and taken is what Python says."""

import re

import numpy as np
from matplotlib.path import Path as Polygon
from playwright.sync_api import expect

from .conftest import Explorer

ACCURACY, TIME = "validation_accuracy@108", "training_time@108"


def test_first_sight(explorer: Explorer) -> None:
    page, table = explorer.page, explorer.served.table
    assert explorer.left() == table.num_cells == 423_624
    assert page.locator(".nb-badge").inner_text() == "predicted"
    names = page.locator(".nb-axis-name").all_text_contents()
    assert len(names) == 2
    assert all(name.startswith("predicted ") for name in names)
    assert page.locator(".nb-mark").count() == 3
    # Points are there: the picture has many colours.
    colours = page.evaluate(
        """() => {
          const canvas = document.querySelector('.nb-map canvas:not([hidden])');
          const copy = document.createElement('canvas');
          [copy.width, copy.height] = [canvas.width, canvas.height];
          const context = copy.getContext('2d');
          context.drawImage(canvas, 0, 0);
          const { data } = context.getImageData(0, 0, copy.width, copy.height);
          return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )
    assert colours > 500


def test_typed_ranges(explorer: Explorer) -> None:
    accuracy, time = explorer.served.values(ACCURACY), explorer.served.values(TIME)
    box = explorer.filter_box(ACCURACY)
    box.get_by_role("textbox", name="from").fill("93")
    box.get_by_role("textbox", name="from").press("Enter")
    good = accuracy >= 0.93
    explorer.wait_left(int(good.sum()))
    box = explorer.filter_box(TIME)
    box.get_by_role("textbox", name=" to ").fill("1,000")
    box.get_by_role("textbox", name=" to ").press("Enter")
    explorer.wait_left(int((good & (time <= 1000)).sum()))
    explorer.page.get_by_role("button", name="Clear all").click()
    explorer.wait_left(len(accuracy))


def test_a_brush(explorer: Explorer) -> None:
    page = explorer.page
    svg = explorer.filter_box(ACCURACY).locator("svg.nb-histogram")
    area = svg.bounding_box()
    assert area is not None
    middle = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + 0.7 * area["width"], middle)
    page.mouse.down()
    for share in (0.8, 0.9, 0.97):
        page.mouse.move(area["x"] + share * area["width"], middle)
    page.mouse.up()
    state = explorer.state("keep")
    name, low, high = re.fullmatch(r"(.+):([^,]+),([^,]+)", state["keep"][0]).groups()  # type: ignore[union-attr]
    assert name == ACCURACY
    values = explorer.served.values(ACCURACY)
    kept = (values >= float(low)) & (values <= float(high))
    assert 1000 < kept.sum() < len(values)
    assert explorer.left() == kept.sum()


def test_counts_of_histograms(explorer: Explorer) -> None:
    """A histogram shows what all other filters leave."""
    explorer.open(f"keep={ACCURACY}:0.94,1")
    depth = explorer.served.values("depth")
    kept = depth[explorer.served.values(ACCURACY) >= 0.94]
    path = explorer.filter_box("depth").locator("path.nb-bars").get_attribute("d") or ""
    heights = np.array([-float(height) for height in re.findall(r"v(-[\d.]+)h", path)])
    counts = np.array([(kept == value).sum() for value in np.unique(kept)])
    all_counts = np.array([(depth == value).sum() for value in np.unique(depth)])
    wanted = np.maximum(1, 44 * np.sqrt(counts / all_counts.max()))
    np.testing.assert_allclose(heights, wanted, atol=0.01)


def test_a_lasso(explorer: Explorer) -> None:
    page = explorer.page
    page.get_by_role("button", name="Lasso").click()
    area = page.locator(".nb-overlay").bounding_box()
    assert area is not None
    corners = [(0.4, 0.3), (0.7, 0.25), (0.75, 0.6), (0.5, 0.7), (0.35, 0.5)]
    places = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()
    shape, x_name, y_name, points = explorer.state("select")["select"][0].split("|")
    assert (shape, x_name, y_name) == ("lasso", "training_time%40108", "validation_accuracy%40108")
    polygon = np.array([point.split(",") for point in points.split(";")], float)
    # The axis of times is logarithmic: sides are straight there.
    polygon[:, 0] = np.log(polygon[:, 0])
    x, y = np.log(explorer.served.values(TIME)), explorer.served.values(ACCURACY)
    inside = Polygon(polygon).contains_points(np.c_[x, y])
    assert 1000 < inside.sum() < 400_000
    assert abs(explorer.left() - inside.sum()) <= 3  # Corners in the address are rounded.
    page.get_by_role("button", name="Unselect").click()
    explorer.wait_left(len(x))


def test_a_box_with_shift(explorer: Explorer) -> None:
    page = explorer.page
    area = page.locator(".nb-overlay").bounding_box()
    assert area is not None
    page.keyboard.down("Shift")
    page.mouse.move(area["x"] + 0.4 * area["width"], area["y"] + 0.3 * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + 0.5 * area["width"], area["y"] + 0.5 * area["height"])
    page.mouse.up()
    page.keyboard.up("Shift")
    shape, _, _, points = explorer.state("select")["select"][0].split("|")
    assert shape == "box"
    corners = np.array([point.split(",") for point in points.split(";")], float)
    (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
    x, y = explorer.served.values(TIME), explorer.served.values(ACCURACY)
    inside = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
    assert inside.sum() > 100
    assert abs(explorer.left() - inside.sum()) <= 3


def test_a_point_is_taken(explorer: Explorer) -> None:
    """The point under the pointer is the nearest one that is shown."""
    row = int(np.argmin(explorer.served.values(TIME)))
    explorer.open(f"keep={TIME}:0,{explorer.served.values(TIME)[row] * 1.0001!r}&cell={row}")
    ring = explorer.page.locator("circle.nb-in-hand").bounding_box()
    assert ring is not None
    explorer.open(f"keep={TIME}:0,{explorer.served.values(TIME)[row] * 1.0001!r}")
    place = ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2
    explorer.page.mouse.move(*place)
    expect(explorer.page.locator(".nb-tip b")).to_have_text(f"cell {row}")
    explorer.page.mouse.click(*place)
    explorer.wait_row(row)


def test_zoom_and_keys(explorer: Explorer) -> None:
    page = explorer.page
    page.locator(".nb-overlay").focus()
    page.keyboard.press("+")
    zoomed = [float(at) for at in explorer.state("view")["view"][0].split(",")]
    assert zoomed[1] - zoomed[0] < 0.75
    page.keyboard.press("ArrowRight")
    moved = [float(at) for at in explorer.state("view")["view"][0].split(",")]
    assert moved[0] > zoomed[0]
    page.keyboard.press("0")
    assert "view" not in explorer.state()
    area = page.locator(".nb-overlay").bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + 400, area["y"] + 300)
    page.mouse.wheel(0, -500)
    wheeled = [float(at) for at in explorer.state("view")["view"][0].split(",")]
    assert wheeled[1] - wheeled[0] < 0.9


def test_the_front(explorer: Explorer) -> None:
    """The line has a step for each cell that no other beats in both."""
    accuracy, time = explorer.served.values(ACCURACY), explorer.served.values(TIME)
    order = np.lexsort((-accuracy, time))
    best = np.maximum.accumulate(accuracy[order])
    front = 1 + int((np.diff(best) > 0).sum())
    path = explorer.page.locator("path.nb-front").get_attribute("d") or ""
    assert path.count("M") + path.count("H") == front


def test_axes(explorer: Explorer) -> None:
    page = explorer.page
    page.locator("#nb-x").select_option("parameters")
    page.locator("#nb-y").select_option("test_accuracy@4")
    state = explorer.state("x", "y")
    assert state["x"] == ["parameters"]
    assert state["y"] == ["test_accuracy@4"]
    names = page.locator(".nb-axis-name").all_text_contents()
    assert names == ["parameters", "predicted test accuracy, 4 epochs (%)"]
    drawn = page.locator(".nb-map").get_attribute("data-drawn")
    page.get_by_role("button", name="Density").click()
    expect(page.locator(".nb-map")).not_to_have_attribute("data-drawn", drawn or "")
    assert explorer.state("draw")["draw"] == ["density"]


def test_pareto_ranks(explorer: Explorer) -> None:
    """As columns they can be filtered by: the first three fronts."""
    x, y = explorer.served.values(TIME), explorer.served.values(ACCURACY)
    explorer.open("keep=pareto_rank:1,3")
    alive, kept = np.arange(len(x)), 0
    for _ in range(3):
        order = alive[np.lexsort((-y[alive], x[alive]))]
        best = np.maximum.accumulate(y[order])
        first = np.r_[True, np.diff(best) > 0]
        kept += first.sum()
        alive = order[~first]
    explorer.wait_left(int(kept))


def test_an_address_with_nonsense(explorer: Explorer) -> None:
    image = "%3Cimg%20src=x%20onerror=alert(1)%3E"
    explorer.open(f"x=nothing&y={image}&cell=99999999&keep=a&view=1,0,x&zoom=7&pins=-1")
    notice = explorer.page.locator(".nb-notice")
    expect(notice).to_contain_text("Left out")
    assert explorer.left() == explorer.served.table.num_cells
