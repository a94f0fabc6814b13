"""What notebooks show: short, whole, escaped, and told to be predicted where it is."""

from html.parser import HTMLParser

import numpy as np
import pytest

import nb101
from nb101.table import views

VOID = {"br", "hr", "img"}


class Reader(HTMLParser):
    """Checks that elements are closed in order, and keeps the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.tags: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def said(self) -> str:
        return " ".join(" ".join(self.text).split())


def test_views_of_the_embedded_table() -> None:
    table = nb101.load_table()
    bench = nb101.Benchmark(table, seed=0)
    best = table.best("validation_accuracy")
    runs = bench.query_many(np.arange(100))
    for thing, drawn in ((table, 1), (bench.query(104), 1), (runs, 0), (best, 1), (bench, 0)):
        html = thing._repr_html_()
        page = Reader(html)
        assert "predicted" in page.said()
        assert len(html) < 20_000
        assert page.tags.count("svg") == drawn
    said = Reader(table._repr_html_()).said()
    assert "Table: 1,694,496 runs predicted" in said
    assert "423,624 of 423,624" in said
    assert "and 92 more" in Reader(runs._repr_html_()).said()
    assert best.cell.hash in Reader(best._repr_html_()).said()


def test_a_measured_table_is_not_called_predicted() -> None:
    columns = {"cell_id": [3], "epochs": [4], "final_test_accuracy": [0.5]}
    about = {"kind": "measured", "source": "<b>us</b>"}
    table = nb101.Table.from_columns(columns, provenance=about)
    html = table._repr_html_()
    assert "predicted" not in html
    assert "&lt;b&gt;us&lt;/b&gt;" in html
    said = Reader(html).said()
    assert "Table: 1 run measured" in said
    assert "0.5000, of cell 3" in said


def test_tables_without_accuracy_and_without_rows_are_shown() -> None:
    odd = nb101.Table.from_columns({"cell_id": [3], "epochs": [4], "latency": [2.0]})
    assert "of unknown kind" in Reader(odd._repr_html_()).said()
    empty = nb101.Table.from_columns({"cell_id": [], "epochs": [], "final_test_accuracy": []})
    assert "budgets none" in Reader(empty._repr_html_()).said()


@pytest.mark.parametrize(("n", "drawn", "note"), [(0, 0, ""), (3, 3, ""), (91, 4, "and 87 more")])
def test_some_of_many_cells_are_drawn(n: int, drawn: int, note: str) -> None:
    cells = nb101.SearchSpace(4).enumerate()[:n]
    html = cells._repr_html_()
    page = Reader(html)
    assert page.tags.count("svg") == drawn
    assert page.said().endswith(note)
    if n:
        assert f"{n - 1}: {cells[n - 1].hash[:8]}" in page.said()
    assert len(repr(cells)) < 80


def test_a_drawing_is_no_higher_than_it_may_be() -> None:
    cell = nb101.SearchSpace()[423_623]
    html = views.drawing(cell, height=100)
    assert 'height="100"' in html
    assert Reader(html).said().endswith(cell.hash[:8])


def test_numbers_are_written_as_suits_them() -> None:
    assert views.number("validation_accuracy", 0.93751) == "0.9375"
    assert views.number("training_time", 1234.56) == "1,234.6 s"
    assert views.number("test_accuracy", float("nan")) == "not known"
    assert views.number("trainable_parameters", 1_234_567) == "1,234,567"
    assert views.number("latency", 0.125) == "0.125"
    assert views.number("cell_id", 100_000) == "100000"


def test_badges() -> None:
    assert "predicted" in views.badge("predicted")
    mixed = {"kind": "mixed", "parts": [{"kind": "predicted"}, {"kind": "measured"}]}
    assert "partly predicted" in views.badge(mixed)
    assert "predicted" not in views.badge("measured")
    assert "of unknown kind" in views.badge({})
