"""Figures of docs/ and numbers in documents are those of the table and records that they show."""

import json
from pathlib import Path

import pytest

import documents
from nb101.search import registry


def test_nothing_is_stale() -> None:
    assert documents.stale() == []


def test_what_is_stale_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = json.loads(documents.MADE.read_text())
    made["inputs"] = "0" * 64
    made["figures"]["depth.svg"] = "0" * 64
    made["elsewhere"]["search-regret.svg"]["of"] = "0" * 64
    made["numbers"]["peak_share"] = "77.7"
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(made))
    monkeypatch.setattr(documents, "MADE", path)
    found = documents.stale()
    assert [line.split(":")[0] for line in found[:3]] == [
        "the default table or the analysis of it has changed",
        "docs/figures/depth.svg is not what make figures made of it",
        f"docs/figures/search-regret.svg is older than {documents.newest('*-search-10*').name}",
    ]
    assert len(found) == 5
    assert all("77.7 %" in line for line in found[3:])


def test_statements_are_found_whatever_their_numbers() -> None:
    each = documents.Statement("x.md", "| a | {n} s, {m} %\n|", {"n": "5", "m": "7"})
    assert each.pattern().sub(each.text(), "| a | 1,234 s, - %\n| b") == "| a | 5 s, 7 %\n| b"
    assert each.pattern().search("| a | 1 | 2 s, 3 %\n|") is None


def test_tables_of_comparisons() -> None:
    """Those of docs/guides/search.md have the numbers of the records that they name."""
    titles = {entry.title: name for name, entry in registry().items()}
    seen = 0
    for name, record, rows in documents.search_tables():
        for title, *cells in rows:
            found = record["algorithms"][titles[title]]
            assert cells == documents.row_of_search(found), f"{name}: {title}"
        assert len(rows) == len(record["algorithms"]), name
        seen += 1
    assert seen >= 2


def test_all_figures_of_documents_are_known() -> None:
    """Each picture in docs/ is one that is made anew, or whose inputs are compared.

    The one of the explorer is a browser's, whose bytes are others on each machine. Those of the
    section on the paper have a record and a test of their own (`tests/test_paper.py`).
    """
    pictures = {
        path.name
        for path in documents.FIGURES.iterdir()
        if path.suffix in (".svg", ".png") and not path.name.startswith("paper-")
    }
    drawn = {f"{name}.svg" for name in documents.DRAWN}
    assert pictures == drawn | {"explorer.png", "inception.svg", *documents.MADE_ELSEWHERE}
