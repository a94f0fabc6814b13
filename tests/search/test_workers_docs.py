"""The numbers of docs/guides/workers.md are those of its record."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

import nb101
from nb101.search.domain import checksum

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guides" / "workers.md"


@pytest.fixture(scope="module")
def maker() -> Any:
    """Return the module that makes parts of the page."""
    pytest.importorskip("matplotlib")
    spec = importlib.util.spec_from_file_location("workers_docs", ROOT / "benches/workers_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def name() -> str:
    names = {*re.findall(r"[\d-]+-workers-searches", PAGE.read_text())}
    assert len(names) == 1
    found: str = names.pop()
    return found


def test_the_tables_are_those_of_the_record(maker: Any, name: str) -> None:
    text = PAGE.read_text()
    assert len(maker.BLOCK.findall(text)) == 2
    assert maker.fill(text, name) == text, "stale: python benches/workers_docs.py makes it anew"
    changed = re.sub(r"\| random search \| \d+", "| random search | 7", text)
    assert changed != text
    assert maker.fill(changed, name) == text


def test_the_picture_is_that_of_the_record(maker: Any, name: str) -> None:
    assert f"<title>{name}</title>" in maker.FIGURE.read_text(), "stale, as above"
    assert maker.draw(name).count("<title>") == 1


def test_the_record_is_of_the_table_that_there_is(maker: Any, name: str) -> None:
    record = maker.read(name)
    assert record["table_checksum"] == checksum(nb101.load_table())
    assert record["predicted"] == "predicted"
    assert list(record["algorithms"]) == list(maker.RUNS)
    for algorithm, ways in record["algorithms"].items():
        assert [(way["workers"], way["synchronous"]) for way in ways] == maker.WAYS
        assert {way["runs"] for way in ways} == {maker.RUNS[algorithm]}
        for way in ways:
            # The curves end where the table says, whichever clock they are over.
            assert way["wall"][0][-1] == pytest.approx(way["wall_seconds"], rel=1e-4)
            assert way["total"][0][-1] == pytest.approx(way["total_seconds"], rel=1e-4)
            assert 0 < way["busy"] <= 1


def test_what_the_page_says_of_them_is_so(maker: Any, name: str) -> None:
    found = {
        algorithm: {(way["workers"], way["synchronous"]): way for way in ways}
        for algorithm, ways in maker.read(name)["algorithms"].items()
    }
    brackets = ("hyperband", "bohb")
    plain = [x for x in found if x not in (*brackets, "local-search")]
    for each in (*plain, *brackets):
        ways = found[each]
        assert 7.2 < ways[1, False]["wall_seconds"] / ways[8, False]["wall_seconds"] < 9
        assert all(ways[n, False]["busy"] > 0.9 for n in (4, 8, 32))
    assert all(0.64 < found[each][4, True]["busy"] < 0.76 for each in plain)
    assert all(0.4 < found[each][32, True]["busy"] < 0.6 for each in plain)
    assert all(0.15 < found[each][32, True]["busy"] < 0.18 for each in brackets)
    evolution = found["regularized-evolution"]
    finals = {way: each["final_regret"]["median"] for way, each in evolution.items()}
    assert max(finals, key=finals.__getitem__) == (32, False)
    less = evolution[32, False]["total_seconds"] / evolution[1, False]["total_seconds"]
    assert less == pytest.approx(0.8, abs=0.03)
    for each in ("local-search", "random-search"):
        shown = {maker._regret(way) for way in found[each].values()}
        assert len(shown) == 1
