"""A campaign that is followed: a run that finishes appears, with the numbers of its ledger."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytest.importorskip("torch", reason="torch is not installed: pip install 'nb101[train]'")

from campaigns import Scripted, done, small_plan
from nb101 import campaign
from nb101.campaign.worker import Outcome, RunTask
from nb101.explore.columns import Columns
from nb101.explore.content import Content
from nb101.explore.live import LiveCampaign

from .conftest import Explorer, Served


def test_runs_appear_as_they_finish(watched: Page, columns: Columns, tmp_path: Path) -> None:
    """The campaign goes on while the page is looked at: between two of its runs."""
    servers: list[Served] = []
    seen: list[int] = []
    finished = watched.locator("[data-finished]")

    def answer(task: RunTask) -> Outcome:
        if not servers:
            content = Content(columns, campaign=LiveCampaign(tmp_path))
            servers.append(Served(content))
            Explorer(watched, servers[0]).open("panel=campaign")
            expect(finished).to_have_attribute("data-finished", "0")
            expect(watched.locator(".nb-moments caption")).to_have_text("No run has finished yet")
        elif len(seen) < 2:
            found = LiveCampaign(tmp_path).now(columns.table)
            count = len(found["runs"])
            if count > (seen[-1] if seen else 0):
                expect(finished).to_have_attribute("data-finished", str(count))
                expect(watched.locator(".nb-takes")).to_have_count(count)
                seen.append(count)
        return done(task)

    try:
        campaign.run(small_plan(), tmp_path, Scripted(answer))
        assert len(seen) == 2
        expect(finished).to_have_attribute("data-finished", "12")
        expect(watched.locator(".nb-searches")).to_contain_text("done")
        # The latest first; each as the campaign's table has it.
        table = campaign.table(tmp_path)
        runs = LiveCampaign(tmp_path).now(table)["runs"]
        rows = watched.locator(".nb-takes")
        for run, row in zip(reversed(runs), rows.all(), strict=True):
            cell, epochs, repeat, test = table.cell_ids[run[0]], run[1], run[2], run[4]
            texts = [text.replace(",", "") for text in row.locator("th, td").all_inner_texts()]
            assert [int(text) for text in texts[:3]] == [cell, epochs, repeat]
            assert float(texts[4]) == pytest.approx(100 * test, abs=0.0051)
        # Finished cells are marked on the map, and taken by their rows of the table.
        marks = watched.locator("circle.nb-highlight")
        expect(watched.get_by_label("Mark the 3 finished cells on the map")).to_be_checked()
        expect(marks).not_to_have_count(0)
        watched.get_by_label("Mark the 3 finished cells on the map").uncheck()
        expect(marks).to_have_count(0)
        rows.first.locator(".nb-link").click()
        watched.get_by_role("tab", name="Cell").click()
        Explorer(watched, servers[0]).wait_row(int(table.cell_ids[runs[-1][0]]))
    finally:
        for server in servers:
            server.close()
