"""Searches that are replayed: at each time the page says what `Trace` says."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from nb101 import search
from nb101.explore.columns import Columns
from nb101.explore.content import Content
from nb101.explore.traces import TraceFolder

from .conftest import Explorer, Served

NAMES = ("random-search", "regularized-evolution", "reinforce")
RUNS, QUERIES = 2, 150


class Replayed(Served):
    """The default table and a small comparison."""

    def __init__(self, columns: Columns, found: search.Comparison) -> None:
        folder = TraceFolder(found.folder, columns.table, RUNS)
        super().__init__(Content(columns, traces=[folder]))
        self.traces = {
            f"{name}:{run}": trace for name in NAMES for run, trace in enumerate(found.traces(name))
        }


@pytest.fixture(scope="module")
def replayed(columns: Columns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayed]:
    folder = tmp_path_factory.mktemp("traces") / "comparison"
    made = search.compare(columns.table, folder, names=NAMES, runs=RUNS, queries=QUERIES, jobs=1)
    replayed = Replayed(columns, made)
    yield replayed
    replayed.close()


class Replay(Explorer):
    """The panel of searches."""

    served: Replayed

    def seconds(self) -> float:
        return float(
            self.page.locator(".nb-searches output").get_attribute("data-seconds") or "nan"
        )

    def seek(self, share: float) -> None:
        self.page.get_by_role("slider").fill(str(round(1000 * share)))

    def check(self, *runs: str) -> None:
        """Compare what is written of runs with their traces at the time that is written."""
        expect(self.page.locator(".nb-moments [data-run]")).to_have_count(len(runs))
        now = self.seconds()
        for run in runs:
            trace = self.served.traces[run]
            done = int(np.searchsorted(trace.seconds, now, side="right"))
            row = self.page.locator(f'.nb-moments [data-run="{run}"]')
            said = {
                name: float(row.locator(f"[data-{name}]").get_attribute(f"data-{name}") or "nan")
                for name in ("queries", "accuracy", "regret")
            }
            assert said["queries"] == done
            if done == 0:
                assert np.isnan(said["regret"])
                expect(row).to_contain_text("–")
                continue
            assert np.float32(said["accuracy"]) == trace.best_validation[done - 1]
            assert np.float32(said["regret"]) == np.float32(trace.regret_at(now))
            shown = row.locator("[data-regret]").inner_text()
            assert float(shown) == pytest.approx(100 * trace.regret[done - 1], abs=0.0051)
            assert int(row.locator(".nb-link").inner_text()) == trace.best_cell_ids[done - 1]


@pytest.fixture
def replay(watched: Page, replayed: Replayed) -> Replay:
    return Replay(watched, replayed)


FIRST = [f"{name}:0" for name in NAMES]


def test_times(replay: Replay) -> None:
    page, traces = replay.open("panel=searches").page, replay.served.traces
    end = max(traces[run].seconds[-1] for run in FIRST)
    expect(page.locator("[data-run]")).to_have_count(3)
    assert replay.seconds() == end
    replay.check(*FIRST)
    for share in (0.001, 0.02, 0.35, 0.8):
        replay.seek(share)
        assert replay.seconds() == pytest.approx(share * end)
        replay.check(*FIRST)
    page.get_by_role("button", name="Logarithmic time").click()
    for share in (0.2, 0.7):
        replay.seek(share)
        replay.check(*FIRST)
    assert replay.seconds() < 0.4 * end
    # Only one is left: from query to query.
    for name in NAMES[1:]:
        page.get_by_label(search.registry()[name].title, exact=True).uncheck()
    seconds = traces[FIRST[0]].seconds
    page.get_by_role("button", name="To the start").click()
    replay.check(FIRST[0])
    for at in range(3):
        page.get_by_role("button", name="The next query").click()
        assert replay.seconds() == seconds[at]
        replay.check(FIRST[0])
    page.get_by_role("button", name="The query before").click()
    assert replay.seconds() == seconds[1]
    # Another run of it too; a link to its best takes that cell.
    page.get_by_label(f"Runs of {search.registry()[NAMES[0]].title}").click()
    page.get_by_label(f"Run 1 of {search.registry()[NAMES[0]].title}", exact=True).check()
    page.get_by_role("button", name="To the end").click()
    both = [f"{NAMES[0]}:{run}" for run in range(2)]
    replay.check(*both)
    replay.seek(0.6)
    replay.check(*both)
    now, state = replay.seconds(), replay.state("replay")
    page.locator(f'.nb-moments [data-run="{both[1]}"] .nb-link').click()
    page.get_by_role("tab", name="Cell").click()
    trace = traces[both[1]]
    replay.wait_row(int(trace.best_cell_ids[np.searchsorted(trace.seconds, now, "right") - 1]))

    # The address has all of that.
    replay.open(f"panel=searches&replay={state['replay'][0]}")
    expect(page.locator("[data-run]")).to_have_count(2)
    assert replay.seconds() == pytest.approx(now)
    replay.check(*both)
    log = page.get_by_role("button", name="Logarithmic time")
    expect(log).to_have_attribute("aria-pressed", "true")


def test_a_question_plays(replay: Replay) -> None:
    page, traces = replay.open().page, replay.served.traces
    page.locator('[data-question="searches"]').first.click()
    pause = page.get_by_role("button", name="Pause", exact=False).first
    expect(pause).to_be_visible()
    drawn = "canvas.nb-traces[data-frames]"
    page.wait_for_selector(drawn)
    moved = "([name, before]) => document.querySelector(name).dataset.%s !== before"
    for name, key in ((drawn, "frames"), (".nb-searches output", "seconds")):
        before = page.locator(name).get_attribute(f"data-{key}")
        page.wait_for_function(moved % key, arg=[name, before])
    page.keyboard.press("Space")
    play = page.locator("button.nb-play")
    expect(play).to_contain_text("Play")
    assert replay.seconds() < max(traces[run].seconds[-1] for run in FIRST)
    replay.check(*FIRST)
    # What the answer says of the ends, run for run.
    said = page.locator('[data-answer="searches"]').first.inner_text()
    for name in NAMES:
        ends = [traces[f"{name}:{run}"].final_regret for run in range(RUNS)]
        title = search.registry()[name].title
        found = re.search(rf"{title} ([\d.]+) \({RUNS} runs\)", said)
        assert found is not None
        assert float(found[1]) == pytest.approx(100 * np.median(ends), abs=0.0051)
    assert "predicted" in said
    # Ten times as fast it comes to its end, and stops there.
    page.locator(".nb-speed select").select_option("10")
    replay.seek(0.95)
    play.click()
    expect(play).to_contain_text("Play")
    assert replay.seconds() == max(traces[run].seconds[-1] for run in FIRST)
    page.get_by_role("button", name="Back to before").first.click()
    assert page.get_by_role("tab", name="Cell").get_attribute("aria-selected") == "true"
