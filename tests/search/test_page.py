"""Statistics of comparisons against plain ones, and the page."""

import json
import math
import re
import shutil
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
from nb101.search import statistics
from nb101.search.page import FIGURES, PAPER, figure, write_page
from nb101.search.statistics import rank, summarize

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
        seconds=3e5,
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
    assert summary.times[-1] == 3e5
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
    assert passes(times, np.array([9.0, 7.0, 7.0, 5.0]), baseline) == 4
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
    page = write_page(found)
    text = page.read_text()
    parsed = Page(text)
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))
    assert all(target.startswith("#") and target[1:] in parsed.ids for target in parsed.targets)
    assert "<script" not in text
    assert text.count("<svg") == len(FIGURES)
    assert "Predicted." in text
    assert "a &lt;test&gt;" in text
    assert "samples = 16" in text
    plain = re.sub(r"<[^>]*>", " ", text)
    for name in NAMES:
        assert search.registry()[name].title in plain
    assert PAPER["regularized-evolution"] in plain
    assert "not in the paper" in plain
    numbers = json.loads((found.folder / "numbers.json").read_text())
    assert numbers["algorithms"]["bohb"]["runs"] == 8
    assert numbers["table"]["kind"] == "predicted"


def test_an_unfinished_comparison_says_so(found: search.Comparison, tmp_path: Path) -> None:
    copied = search.Comparison.open(shutil.copytree(found.folder, tmp_path / "copy"))
    text = write_page(copied).read_text()
    assert "not done yet" not in text
    assert "BOHB at all budgets" in text
    next(iter(copied.paths("bohb"))).unlink()
    text = write_page(search.Comparison.open(copied.folder)).read_text()
    assert "1 of those that were asked for are not done yet" in text
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
    ax = figure("ranks", summary).axes[0]
    assert [x.get_text() for x in ax.get_yticklabels()] == [
        search.registry()[each.name].title for each in summary.standings
    ]


def test_a_folder_without_runs_has_no_page(exact: nb101.Table, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        search.compare(exact, tmp_path, queries=5, runs=1, executor=Serial(0))
    with pytest.raises(ValueError, match="no run that is done"):
        write_page(search.Comparison.open(tmp_path))
