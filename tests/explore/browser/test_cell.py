"""The cell in hand: numbers, names, neighbours, editing; all as Python has them."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

import nb101

from .conftest import Explorer


@pytest.mark.parametrize("row", [0, 5, 4321, 290_000, 423_623])
def test_names_and_numbers(explorer: Explorer, row: int) -> None:
    explorer.open(f"cell={row}")
    page, cell = explorer.page, explorer.served.table.cells[row]
    names = page.locator(".nb-names")
    expect(names).to_contain_text(cell.hash)
    expect(names).to_contain_text(str(row))
    for metric in ("validation_accuracy", "test_accuracy", "training_time"):
        for epochs in (4, 108):
            value = explorer.served.values(f"{metric}@{epochs}")[row]
            shown = page.locator(f'[data-metric="{metric}@{epochs}"]')
            wanted = f"{100 * value:.2f} %" if metric != "training_time" else ""
            expect(shown).to_contain_text(wanted)
            if metric == "training_time":
                number = float(shown.inner_text().split(" s")[0].replace(",", ""))
                assert number == pytest.approx(value, rel=0.005)
    lines = page.locator(".nb-matrix tr").all_inner_texts()
    matrix = [
        [int(entry) for entry in re.findall(r"\b[01]\b", line)[: len(cell.ops)]] for line in lines
    ]
    np.testing.assert_array_equal(matrix, cell.matrix)


@pytest.mark.parametrize("row", [1, 100, 2000, 290_000])
def test_neighbours(explorer: Explorer, space: nb101.SearchSpace, row: int) -> None:
    explorer.open(f"cell={row}")
    page = explorer.page
    heading = page.locator(".nb-neighbours h2")
    expect(heading).not_to_contain_text("looking", timeout=60_000)
    near = space.index(space.neighbors(explorer.served.table.cells[row]))
    expect(heading).to_contain_text(f"{len(near):,} neighbours")
    more = page.locator(".nb-neighbours").get_by_role("button", name=re.compile("Show more"))
    shown = [int(text) for text in page.locator(".nb-neighbours .nb-link").all_inner_texts()]
    if len(near) <= 230:
        if more.count():
            more.click()
        shown = [int(text) for text in page.locator(".nb-neighbours .nb-link").all_inner_texts()]
        assert sorted(shown) == sorted(near)
    # The best comes first, with what it brings.
    accuracy = explorer.served.values("validation_accuracy@108")
    best = max(accuracy[near])
    assert accuracy[shown[0]] == best
    change = page.locator(".nb-neighbours tbody tr").first.locator("td").nth(2).inner_text()
    number = float(
        change.replace("\N{MINUS SIGN}", "-").replace("+", "").replace("\N{PLUS-MINUS SIGN}", "")
    )
    assert number == pytest.approx(100 * (best - accuracy[row]), abs=0.0051)


def test_steps_and_the_way_back(explorer: Explorer) -> None:
    explorer.open("cell=290000")
    page = explorer.page
    link = page.locator(".nb-neighbours .nb-link").first
    other = int(link.inner_text())
    link.click()
    explorer.wait_row(other)
    page.get_by_role("button", name="Back").click()
    explorer.wait_row(290_000)


def test_find(explorer: Explorer, hashes: np.ndarray) -> None:
    page = explorer.page
    field = page.get_by_role("searchbox")
    field.fill("1234")
    field.press("Enter")
    explorer.wait_row(1234)
    field.fill(hashes[77_777].decode())
    field.press("Enter")
    page.wait_for_selector('.nb-cell-panel[data-row="77777"]', timeout=120_000)
    for text, sentence in (
        ("999999", "no cell 999999"),
        ("xyz", "An id is a number"),
        ("f" * 32, "No cell"),
    ):
        field.fill(text)
        field.press("Enter")
        expect(page.locator(".nb-notice")).to_contain_text(sentence)


def test_editing(explorer: Explorer, space: nb101.SearchSpace) -> None:
    """Every toggle says at once which cell it is."""
    explorer.open("cell=290000")
    page = explorer.page
    page.get_by_role("button", name="Edit").click()
    cell = explorer.served.table.cells[290_000]
    matrix, ops = np.array(cell.matrix), list(cell.ops)
    n = len(ops)
    names = ["input", *(f"vertex {at}" for at in range(1, n - 1)), "output"]
    verdict = page.locator(".nb-verdict")
    rng = np.random.default_rng(0)
    seen = {"cell": 0, "none": 0, "pruned": 0}
    for _ in range(25):
        if rng.random() < 0.3:
            vertex = int(rng.integers(1, n - 1))
            op = int(rng.integers(3))
            page.get_by_label(f"Op of vertex {vertex}").select_option(str(op))
            ops[vertex] = space.ops[op]
        else:
            x, y = sorted(rng.choice(n, 2, replace=False))
            page.get_by_role("button", name=f"Edge from {names[x]} to {names[y]}").click()
            matrix[x, y] = not matrix[x, y]
        try:
            wanted = nb101.Cell(matrix, ops)
            row = space.index(wanted)
        except nb101.errors.NB101Error:
            expect(verdict).to_have_attribute("data-ok", "false")
            expect(verdict).to_contain_text("No cell")
            seen["none"] += 1
            continue
        expect(verdict).to_have_attribute("data-row", str(row))
        explorer.wait_row(row)
        seen["cell"] += 1
        if len(wanted.ops) < n:
            expect(verdict).to_contain_text("pruned")
            seen["pruned"] += 1
    assert min(seen.values()) > 0


def test_vertices_are_added_and_dropped(explorer: Explorer, space: nb101.SearchSpace) -> None:
    explorer.open("cell=5")
    page = explorer.page
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("button", name="Add a vertex").click()
    ops = ["input", "conv1x1-bn-relu", "conv3x3-bn-relu", "output"]
    matrix = np.zeros((4, 4), int)
    matrix[[0, 1, 0, 2], [1, 3, 2, 3]] = 1
    matrix[0, 3] = explorer.served.table.cells[5].matrix[0, 2]
    explorer.wait_row(int(space.index(nb101.Cell(matrix, ops))))
    page.get_by_role("button", name="Drop vertex 2").click()
    explorer.wait_row(5)


def test_comparison(explorer: Explorer) -> None:
    """Pinned cells beside each other; as many entries differ as the engine says."""
    rows = [290_000, 290_017, 1234]
    explorer.open(f"pins={','.join(map(str, rows))}&panel=compare")
    page, cells = explorer.page, explorer.served.table.cells
    for other, note in zip(rows[1:], page.locator("[data-distance]").all(), strict=True):
        wanted = cells[rows[0]].alignment_distance(cells[other])
        assert note.get_attribute("data-distance") == str(wanted)
    assert page.locator(".nb-side-by-side figure").count() == 3
    page.get_by_role("button", name="Take B out").click()
    assert page.locator(".nb-side-by-side figure").count() == 2


def test_distances(explorer: Explorer, space: nb101.SearchSpace) -> None:
    """As a column: cells at most two edits away."""
    explorer.open("cell=290000&keep=edit_distance:0,2")
    table = explorer.served.table
    away = np.asarray(space.edit_distances(table.cells[290_000]))
    explorer.wait_left(int((away <= 2).sum()))
