"""Statistics of comparisons against plain ones, and the page."""

import json
import math
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nb101
from nb101 import search
from nb101.analysis.html import make_page
from nb101.search import page, statistics
from nb101.search.figures import FIGURES, figure
from nb101.search.findings import findings, listed, passing, reaching, reserves
from nb101.search.page import PAPER, write_page
from nb101.search.statistics import BASELINE, Interval, Standing, Summary, rank, summarize

from .conftest import make_table
from .test_comparison import Serial

NAMES = ("random-search", "regularized-evolution", "local-search", "bohb")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> search.Comparison:
    table = make_table(
        nb101.SearchSpace(5),
        noise=0.01,
        repeats=3,
        provenance={"kind": "predicted", "source": "a <test>"},
    )
    return search.compare(
        table,
        tmp_path_factory.mktemp("page"),
        names=NAMES,
        runs=8,
        seconds=1e5,
        options={"bohb": {"samples": 16}},
        executor=Serial(),
    )


def test_a_summary_is_what_the_traces_say(found: search.Comparison) -> None:
    summary = summarize(found)
    assert sorted(each.name for each in summary.standings) == sorted(NAMES)
    ranks = [each.rank.value for each in summary.standings]
    assert ranks == sorted(ranks)
    assert sum(ranks) == pytest.approx(sum(range(1, len(NAMES) + 1)))
    for each in summary.standings:
        traces = list(found.traces(each.name))
        final = [trace.final_regret for trace in traces]
        assert each.final.tolist() == final
        assert each.queries == np.median([len(trace) for trace in traces])
        assert each.median.value == sorted(final)[3] == each.curve[1, -1]
        assert each.median.low <= each.median.value <= each.median.high
        assert each.rank.low <= each.rank.value <= each.rank.high
        i = 150
        at = [float(trace.regret_at(summary.times[i])) for trace in traces]
        at = sorted(math.inf if math.isnan(x) else x for x in at)
        # Of 8 runs the quartiles are the 2nd, 4th and 6th.
        assert each.curve[:, i].tolist() == [at[1], at[3], at[5]]
        shares = [
            len(set(zip(t.cell_ids.tolist(), t.epochs.tolist(), strict=True))) / len(t)
            for t in traces
        ]
        assert each.distinct == np.median(shares)
    assert summary.times[-1] == 1e5
    assert json.dumps(summarize(found).to_dict()) == json.dumps(summary.to_dict())


@settings(max_examples=25)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=2, max_size=4),
)
def test_mean_ranks_are_those_of_all_draws(values: list[list[int]]) -> None:
    final = {str(i): np.array(x, dtype=float) for i, x in enumerate(values)}
    ranks = rank(final, np.random.default_rng(0))
    total = np.zeros(len(values))
    draws = list(product(*values))
    for draw in draws:
        for i, x in enumerate(draw):
            below = sum(y < x for y in draw)
            equal = sum(y == x for y in draw) - 1
            total[i] += 1 + below + equal / 2
    for i, expected in enumerate(total / len(draws)):
        assert ranks[str(i)].value == pytest.approx(expected)


def test_what_random_search_is_passed_by() -> None:
    times = np.array([1.0, 2.0, 3.0, 4.0])
    baseline = np.array([9.0, 8.0, 7.0, 6.0])
    passes, reaches = statistics._passes, statistics._reaches
    # From the last moment on is never.
    assert math.isnan(passes(times, np.array([9.0, 7.0, 7.0, 5.0]), baseline))
    assert passes(times, np.array([9.0, 8.0, 6.0, 5.0]), baseline) == 3
    assert passes(times, np.array([9.0, 7.0, 6.0, 5.0]), baseline) == 2
    assert passes(times, np.array([1.0, 1.0, 1.0, 1.0]), baseline) == 1
    assert math.isnan(passes(times, np.array([1.0, 1.0, 1.0, 6.0]), baseline))
    assert reaches(times, np.array([9.0, 6.0, 6.0, 6.0]), 6.0) == 2
    assert reaches(times, np.array([9.0, 6.0, 7.0, 5.0]), 6.0) == 4
    assert math.isnan(reaches(times, np.array([9.0, 9.0, 9.0, 9.0]), 6.0))


def test_runs_without_an_answer_are_the_worst(exact: nb101.Table, tmp_path: Path) -> None:
    # Some cells take longer than this at 108 epochs, and others do not.
    found = search.compare(
        exact,
        tmp_path,
        names=["random-search", "hyperband"],
        runs=20,
        seconds=900,
        executor=Serial(),
    )
    summary = {each.name: each for each in summarize(found).standings}
    assert np.isinf(summary["random-search"].final).any()
    assert np.isfinite(summary["random-search"].final).any()
    assert summary["hyperband"].rank.value < summary["random-search"].rank.value
    write_page(found)
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    assert set(numbers["algorithms"]) == {"random-search", "hyperband"}


class Page(HTMLParser):
    """Collects what a page links to, and checks that elements are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        given = dict(attributes)
        self.ids += [given["id"]] if "id" in given else []
        self.targets += [given[x] for x in ("href", "src", "xlink:href") if x in given]
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: Any) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in ("meta", "br", "link"):
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone(found: search.Comparison) -> None:
    text = write_page(found).read_text()
    parsed = Page(text)
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))
    assert all(target.startswith("#") and target[1:] in parsed.ids for target in parsed.targets)
    assert "<script" not in text
    assert text.count("<svg") == len(FIGURES) + text.count("<figure>")
    assert "simulated time" in "".join(re.findall("<text[^>]*>([^<]*)", text))
    before, listed = text.split('<ul class="findings">')
    assert before.split('id="findings"')[-1].count("Predicted.") == 1
    assert "Predicted." not in listed[: listed.index("</ul>")]
    assert "<h1>Search algorithms compared</h1>" in text
    assert "a &lt;test&gt;" in text
    assert "samples = 16" in text
    # Findings come first, with the cells that they name, and provenance last.
    order = ["findings", "regret", "standings", "paper", "algorithms", "provenance"]
    assert re.findall(r'<section id="([a-z]+)">', text) == order
    named = set(re.findall(r"cell ([0-9]+) \(", text.split('id="regret"')[0]))
    assert named
    assert text.count("<figure>") == len(named)
    plain = re.sub(r"<[^>]*>", " ", text)
    for name in NAMES:
        assert search.registry()[name].title in plain
    # Five vertices are another space than the paper's.
    assert PAPER["regularized-evolution"] not in plain
    assert "not of the space of the paper" in plain
    numbers = json.loads((found.folder / "numbers.json").read_text())
    assert numbers["algorithms"]["bohb"]["runs"] == 8
    assert numbers["table"]["kind"] == numbers["predicted"] == "predicted"
    summary = summarize(found)
    said = [each.text for each in findings(found, summary)] + reserves(found, summary)
    assert numbers["findings"] == said
    ends = numbers["algorithms"]["bohb"]["ends"]
    assert sum(end["runs"] for end in ends.values()) == 8


def test_an_unfinished_comparison_says_so(found: search.Comparison, tmp_path: Path) -> None:
    copied = search.Comparison.open(shutil.copytree(found.folder, tmp_path / "copy"))
    text = write_page(copied).read_text()
    assert "not done yet" not in text
    assert "BOHB at all budgets" in text
    next(iter(copied.paths("bohb"))).unlink()
    text = write_page(search.Comparison.open(copied.folder)).read_text()
    assert "1 of the 32 runs that were asked for is not done yet." in text
    numbers = json.loads((copied.folder / "numbers.json").read_text())
    assert (numbers["missing"], numbers["asked"]["bohb"]) == (1, 8)


def test_measured_tables_are_not_marked(table: nb101.Table, tmp_path: Path) -> None:
    found = search.compare(
        table, tmp_path, names=["bohb"], runs=2, queries=40, unique=True, executor=Serial()
    )
    text = write_page(found).read_text()
    assert "Predicted." not in text
    assert "Random search is not compared" in text
    assert "answered from memory" in text


def test_figures_show_every_algorithm(found: search.Comparison) -> None:
    summary = summarize(found)
    for name in ("regret", "final"):
        ax = figure(name, summary, mark="predicted").axes[0]
        labels = [x.get_text() for x in ax.get_legend().get_texts()]
        assert sorted(labels) == sorted(search.registry()[x].title for x in NAMES)
        assert ax.get_xscale() == "log"
        assert ax.get_title(loc="right") == "predicted"
        ax.figure.draw_without_rendering()
        shown = [*ax.get_xticklabels(which="both"), *ax.get_yticklabels(which="both")]
        assert not any("^" in x.get_text() for x in shown)
    ax = figure("ranks", summary).axes[0]
    assert [x.get_text() for x in ax.get_yticklabels()] == [
        search.registry()[each.name].title for each in summary.standings
    ]


def test_a_folder_without_runs_has_no_page(exact: nb101.Table, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        search.compare(exact, tmp_path, queries=5, runs=1, executor=Serial(0))
    with pytest.raises(ValueError, match="no run that is done"):
        write_page(search.Comparison.open(tmp_path))


# What the page says


TIMES = np.geomspace(1e4, 1e7, 240)
NAN = math.nan


def standing(name: str, median: float, **given: Any) -> Standing:
    """Make what a sentence is made of."""
    values: dict[str, Any] = {
        "runs": 200,
        "queries": 100.0,
        "distinct": 1.0,
        "final": np.full(200, median),
        "quartiles": (median, median, median),
        "median": Interval(value=median, low=median, high=median),
        "curve": np.full((3, 240), median),
        "rank": Interval(value=1.5, low=1.4, high=1.6),
        "ends": {3: 120, 5: 80},
        "end_regrets": {3: 0.002, 5: 0.004},
        "passes": NAN,
        "reaches": NAN,
    }
    return Standing(name=name, **(values | given))


def said(found: search.Comparison, *standings: Standing) -> str:
    """Return all findings of such standings as a text."""
    summary = Summary(times=TIMES, standings=standings)
    texts = [each.text for each in findings(found, summary)]
    return " ".join([*texts, *reserves(found, summary)])


def ranked(value: float) -> Interval:
    return Interval(value=value, low=value - 0.1, high=value + 0.1)


def test_ranks_are_told_apart_or_not(found: search.Comparison) -> None:
    random = standing(BASELINE, 0.003, rank=ranked(2.9))
    best = standing("bohb", 0.001, rank=ranked(1.1))
    near = standing("reinforce", 0.001, rank=ranked(1.25))
    text = said(found, best, random)
    assert "BOHB has the lower mean rank, 1.10 of 2, and the interval of random search lies" in text
    text = said(found, best, standing("tpe", 0.002, rank=ranked(2)), random)
    assert "BOHB has the lowest mean rank, 1.10 of 3, and the intervals of all others" in text
    text = said(found, best, near, random)
    assert "No algorithm is clearly the best: BOHB has the lowest mean rank" in text
    assert "the interval of REINFORCE reaches" in text
    text = said(found, random)
    assert "rank" not in text
    assert "In the median" not in text


def test_levels_are_those_of_the_medians(found: search.Comparison) -> None:
    random, none = standing(BASELINE, 0.003), standing("tpe", math.inf)
    text = said(found, random, standing("bohb", 0.001), standing("smac", 0.003), none)
    assert "Median final regrets, in percentage points: BOHB 0.100, random search 0.300, " in text
    assert "More than half of the runs of TPE had no answer in time." in text
    words = "In the median BOHB ends below random search; SMAC ends level with random search."
    assert words in text
    text = said(found, random, standing("bohb", 0.004))
    assert "no answer" not in text
    assert "In the median BOHB ends above random search." in text
    assert "below random search" not in text
    # Nothing is above or below a level that is not known.
    text = said(found, standing(BASELINE, math.inf), standing("bohb", 0.004))
    assert "In the median" not in text
    assert "no answer" in said(found, standing(BASELINE, math.inf))


def test_who_is_sooner(found: search.Comparison) -> None:
    random = standing(BASELINE, 0.003, reaches=8e6)
    fast, slow = standing("bohb", 0.001, reaches=1e6), standing("tpe", 0.002, reaches=4e6)
    assert (
        "BOHB is the first to reach the level that random search ends at, 8.0 times sooner"
        in said(found, random, slow, fast)
    )
    for never in (standing("bohb", 0.004), standing("bohb", 0.003, reaches=8e6)):
        assert "sooner" not in said(found, random, never)
    assert "sooner" not in said(found, fast, slow)


def test_which_cells_runs_end_with(found: search.Comparison) -> None:
    one = standing("bohb", 0.002)
    text = said(found, one)
    assert (
        "No run ends with the best cell of the table. 120 of 200 runs end nearest to it, " in text
    )
    assert "0.200 points below, with cell 3 (" in text
    assert "than with any other cell: 120 of 200, with a regret of 0.200 points." in text
    text = said(found, standing("bohb", 0.0, ends={7: 1, 9: 1}, end_regrets={7: 0.0, 9: 0.1}))
    assert "1 of 200 runs ends with the best cell of the table, cell 7 (" in text
    assert "No run ends" not in text
    assert "any other cell" not in text
    text = said(found, standing("bohb", 0.0, ends={7: 2, 9: 2}, end_regrets={7: 0.0, 9: 0.0}))
    assert "4 of 200 runs end with the best cell of the table, cell 7 (" in text
    assert ") or one as good: 4 of BOHB." in text
    assert "any other cell" not in text
    text = said(found, standing("bohb", math.inf, ends={}, end_regrets={}))
    assert "best cell" not in text.replace("below the best cell, or without an answer", "")


def test_runs_that_end_far_off_are_counted(found: search.Comparison) -> None:
    final = np.array([0.06, *[0.001] * 199])
    text = said(found, standing("hyperband", 0.001, final=final), standing("bohb", 0.001))
    assert "1 of 400 runs ends more than 5 points below the best cell" in text
    assert text.count("1 of Hyperband.") == 1
    final = np.array([math.inf, 0.06, *[0.001] * 198])
    assert "2 of 200 runs end more" in said(found, standing("hyperband", 0.001, final=final))
    assert "more than 5 points" not in said(found, standing("hyperband", 0.05))


def test_few_runs_are_said_to_say_little(found: search.Comparison) -> None:
    few = said(found, standing("bohb", 0.1, runs=1), standing("tpe", 0.1, runs=99))
    assert "With fewer than 100 runs, times and factors say little: BOHB (1 run), TPE (99" in few
    assert "fewer than" not in said(found, standing("bohb", 0.1, runs=100))
    assert "asked for" not in few


@pytest.mark.parametrize(
    ("median", "given", "words"),
    [
        (0.004, {}, "ends above random search; does not reach the final level of that"),
        (
            0.003,
            {"reaches": 1e7},
            "ends level with random search; reaches the final level of that"
            " 1.2 times later than it does itself",
        ),
        (
            0.003,
            {"reaches": 8e6},
            "ends level with random search; reaches the final level of that when it does itself",
        ),
        (
            0.001,
            {"passes": 2e5, "reaches": 1e6},
            "below random search from 200,000 s on; reaches "
            "the final level of that 8.0 times sooner than it does itself",
        ),
        (
            0.001,
            {"passes": 1e4, "reaches": 1e4},
            "below random search throughout; reaches the final"
            " level of that 800.0 times sooner than it does itself",
        ),
        (
            0.001,
            {"reaches": 1e7},
            "below random search at the very end alone; reaches the final "
            "level of that 1.2 times later than it does itself",
        ),
        (math.inf, {}, "more than half of its runs have no answer"),
    ],
)
def test_what_is_said_of_an_algorithm_beside_random_search(
    median: float, given: dict[str, Any], words: str
) -> None:
    random = standing(BASELINE, 0.003, reaches=8e6)
    each = standing("bohb", median, **given)
    summary = Summary(times=TIMES, standings=(each, random))
    found = [passing(each, random, summary), reaching(each, random)]
    assert "; ".join(x for x in found if x) == words
    nothing = standing(BASELINE, math.inf)
    assert "there is no level" in passing(each, nothing, summary)
    assert reaching(each, nothing) == ""


def test_names_are_listed() -> None:
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]


def parts(
    found: search.Comparison, *standings: Standing, mark: str = "", **plan: Any
) -> dict[str, str]:
    """Return parts of the page without its pictures, of a comparison with another plan."""
    names = {each.name: each.runs for each in standings}
    table = plan["table"] | {"predicted": mark}
    other = replace(found, plan=replace(found.plan, **plan | {"table": table}), runs=names)
    summary = Summary(times=TIMES, standings=standings)
    text = make_page(
        page.TEMPLATE, **page._shown(other, summary), pictures=dict.fromkeys(FIGURES, "")
    )
    sections = dict(re.findall(r'<section id="(\w+)">(.*?)</section>', text, flags=re.DOTALL))
    facts = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", sections["provenance"])
    return sections | {"facts": "; ".join(f"{name}: {value}" for name, value in facts)}


def test_sentences_of_the_page_are_left_out_where_they_are_not_so(found: search.Comparison) -> None:
    random, bohb = standing(BASELINE, 0.003, reaches=8e6), standing("bohb", 0.001, passes=2e5)
    own = dict(found.plan.table) | {"space": page.PAPERS_SPACE, "budgets": [1]}
    plain: dict[str, Any] = {"limits": {"seconds": 1e7}, "table": own, "options": {}, "epochs": 1}
    said = parts(found, random, bohb, **plain)
    assert "The paper ran each algorithm 500 times" in said["paper"]
    assert "the baseline" in said["paper"]
    assert "below random search from 200,000 s on" in said["paper"]
    assert PAPER["bohb"] in said["paper"]
    assert "by medians over runs" in said["paper"]
    for absent in ("not of the space of", "Here a run ends", "A predicted", "nothing to pass"):
        assert absent not in said["paper"]
    assert "are drawn there" not in said["regret"]
    assert "better than random" in said["standings"]
    assert "chance that a run" in said["standings"]
    assert "redicted" not in said["standings"]
    assert "trained for: 1 epoch; BOHB at all budgets up to that; " in said["facts"]
    assert "budgets: 1 epoch" in said["facts"]
    assert "a run ends after: 10,000,000 simulated seconds;" in said["facts"]
    assert "answered from memory" not in said["facts"]
    assert "options of" not in said["facts"]
    # Each of them the other way round.
    other = plain | {"limits": {"queries": 1}, "unique": True, "options": {"tpe": {"startup": 3}}}
    tpe = standing("tpe", 0.0, distinct=NAN, final=np.zeros(200), ends={1: 1}, end_regrets={1: 0.0})
    said = parts(found, tpe, mark="predicted", **other)
    assert "Here a run ends after 1 query." in said["paper"]
    assert "A predicted table is smoother" in said["paper"]
    assert "Random search is not compared: there is nothing to pass." in said["paper"]
    assert "by medians over runs" not in said["paper"]
    assert "Regrets below 0.001 points, 0 among them, are drawn there." in said["regret"]
    assert "better than random" not in said["standings"]
    assert "chance that a run" not in said["standings"]
    assert "Predicted." in said["standings"]
    assert "<td>none</td>" in said["standings"]
    assert "at all budgets" not in said["facts"]
    assert "answered from memory" in said["facts"]
    assert "options of TPE: startup = 3" in said["facts"]
    said = parts(found, random, bohb, **plain | {"table": found.plan.table})
    assert "The table is not of the space of the paper" in said["paper"]
    assert "The paper ran" not in said["paper"]
    assert PAPER["bohb"] not in said["paper"]
    limits = {"seconds": 1, "max_epochs": 2000.0, "queries": 3}
    said = parts(found, random, **plain | {"limits": limits})
    assert "after: 1 simulated second, 2,000 epochs in all, 3 queries;" in said["facts"]


# Notebooks


def test_notebooks_show_what_was_found(found: search.Comparison) -> None:
    trace = next(found.traces("bohb"))
    assert "predicted" in repr(trace)
    assert repr(trace).startswith("<Trace of bohb: ")
    shown = trace._repr_html_()
    Page(shown)
    assert "<svg" in shown
    assert ">predicted</strong>" in shown
    assert trace.best_cell == found.space[int(trace.best_cell_ids[-1])]
    assert trace.best_cell.hash in shown
    shown = found._repr_html_()
    Page(shown)
    assert ">predicted</strong>" in shown
    assert "8 of 8 runs" in shown
    nearest = found.nearest()
    assert nearest is not None
    assert nearest[1] == min(each.final.min() for each in summarize(found).standings)
    assert found.space[nearest[0]].hash in shown
    assert repr(found).startswith("<Comparison in ")
    assert "32 of 32 runs done" in repr(found)
    assert repr(found).count("\n") == 0


def test_notebooks_show_nothing_that_is_not_so(table: nb101.Table, tmp_path: Path) -> None:
    empty = search.run("random-search", table, seconds=1.0, seed=0)
    assert empty.best_cell is None
    assert repr(empty) == "<Trace of random-search: 0 queries>"
    assert "<svg" not in empty._repr_html_()
    one = search.run("random-search", table, queries=1, seed=0)
    assert "1 query in " in repr(one)
    assert "redicted" not in repr(one) + one._repr_html_()
    with pytest.raises(ConnectionError):
        search.compare(table, tmp_path, queries=5, runs=1, executor=Serial(0))
    unfinished = search.Comparison.open(tmp_path)
    assert "0 of 5 runs done>" in repr(unfinished)
    assert "0 of 1 run<" in unfinished._repr_html_()
    assert "<svg" not in unfinished._repr_html_()
