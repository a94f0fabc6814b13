"""The numbers of docs/guides/search.md are those of its records, and all algorithms are on it."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

import nb101
from nb101 import search

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guides" / "search.md"


@pytest.fixture(scope="module")
def maker() -> Any:
    """Return the module that makes parts of the page."""
    spec = importlib.util.spec_from_file_location("search_docs", ROOT / "benches/search_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_algorithm_is_on_the_page() -> None:
    text = PAGE.read_text()
    for name in search.registry():
        assert f"| `{name}` |" in text


def test_the_tables_are_those_of_the_records(maker: Any) -> None:
    text = PAGE.read_text()
    assert len(maker.BLOCK.findall(text)) >= 3
    assert maker.fill(text) == text, "stale: python benches/search_docs.py makes it anew"


def test_the_picture_is_that_of_the_record(maker: Any) -> None:
    assert f"<title>{maker.FIGURED}</title>" in maker.FIGURE.read_text(), "stale, as above"
    assert f"benches/record/{maker.FIGURED}.json" in PAGE.read_text()
    record = maker.read(maker.FIGURED)
    for each in record["algorithms"].values():
        # The curves that are drawn end where the table says.
        assert each["curve"][1][-1] == pytest.approx(each["final_regret"]["median"], rel=1e-4)
    assert maker.draw(maker.FIGURED).count("<title>") == 1


def test_records_are_of_the_table_and_the_version_that_there_is(maker: Any) -> None:
    from nb101.search.domain import checksum

    names = set(re.findall(r"benches/record/([^`]*)\.json", PAGE.read_text()))
    assert names
    for name in names:
        record = json.loads((ROOT / "benches" / "record" / f"{name}.json").read_text())
        assert record["table"]["checksum"] == checksum(nb101.load_table())
        assert record["table"]["predicted"] == "predicted"


def test_a_stale_table_is_noticed(maker: Any) -> None:
    text = PAGE.read_text()
    changed = re.sub(
        r"\| regularized evolution \| \d+", "| regularized evolution | 7", text, count=1
    )
    assert changed != text
    assert maker.fill(changed) == text


def test_numbers_in_sentences_are_those_of_the_records(maker: Any) -> None:
    text = " ".join(PAGE.read_text().split())
    found = maker.read(maker.FIGURED)["algorithms"]
    evolution, random = found["regularized-evolution"], found["random-search"]
    sooner = random["reaches_random_seconds"] / evolution["reaches_random_seconds"]
    assert f"reaches its final level {sooner:.0f} times sooner than random search" in text
    passes = round(evolution["passes_random_seconds"], -3)
    assert f"the median of evolution is below that of random search from {passes:,.0f} s on" in text
    for mutation in ("single", "notebook"):
        name = f"2026-11-27-search-mutation-{mutation}"
        (each,) = maker.read(name)["algorithms"].values()
        shown = f"{100 * each['final_regret']['median']:.2f}"
        assert f"{shown} points ({mutation})" in text
        assert f"benches/record/{name}.json" in text


def test_what_is_said_of_the_libraries_is_so(maker: Any) -> None:
    old = maker.read("2026-11-24-search-200000-s")["algorithms"]
    again = maker.read("2026-11-27-search-200000-s")["algorithms"]
    assert set(old) - set(again) == {"bananas", "smac", "tpe", "bohb"}
    for name, each in again.items():
        for what in ("runs", "queries_median", "distinct_median"):
            assert each[what] == old[name][what]
        for what in ("q25", "median", "q75"):
            assert each["final_regret"][what] == old[name]["final_regret"][what]
    text = PAGE.read_text()
    smac, tpe, random = old["smac"], old["tpe"], old["random-search"]
    assert f"from {round(smac['passes_random_seconds'], -4):,.0f} s on (the paper" in text
    assert smac["rank"]["high"] < random["rank"]["low"]
    assert smac["rank"]["high"] > tpe["rank"]["low"]
    assert tpe["rank"]["low"] < random["rank"]["mean"] < tpe["rank"]["high"]
    order = sorted(old, key=lambda name: old[name]["rank"]["mean"])
    assert order[:2] == ["bananas", "local-search"]
    assert order[2] == "smac"


def test_what_is_said_of_the_quick_ones_is_so(maker: Any) -> None:
    text = PAGE.read_text()
    found = maker.read(maker.FIGURED)["algorithms"]
    level = found["random-search"]["final_regret"]["median"]
    for name in ("regularized-evolution", "bohb", "reinforce", "hyperband"):
        assert found[name]["final_regret"]["median"] < level
    assert found["regularized-evolution"]["rank"]["mean"] < found["local-search"]["rank"]["mean"]
    slow = sorted(found, key=lambda name: -found[name]["rank"]["mean"])
    assert slow[:3] == ["random-search", "hyperband", "reinforce"]
    runs = sum(each["runs"] for each in found.values())
    assert f"Of the {runs:,} runs above none ends more than " in text
    medians = [
        next(iter(maker.read(f"2026-11-27-search-mutation-{kind}")["algorithms"].values()))
        for kind in ("single", "notebook")
    ]
    single, notebook = (each["final_regret"] for each in medians)
    assert single["median_high"] < notebook["median_low"]
