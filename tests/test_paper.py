"""The page beside the paper: not stale, and its numbers are what is computed."""

import json
import re
from pathlib import Path

import pytest

from paper.__main__ import PAGE, newest, page
from paper.numbers import default_study, of_default_table, of_records
from paper.tables import TABLES, best_shapes, fill

DATA = "nasbench101"


def test_the_page_is_that_of_the_newest_records() -> None:
    assert page(PAGE.read_text()) == PAGE.read_text(), "make paper"


def test_every_table_is_on_the_page() -> None:
    assert set(re.findall("<!-- paper: (.*?) -->", PAGE.read_text())) == {*TABLES, "search"}


def test_predicted_numbers_are_those_of_the_default_table() -> None:
    numbers = of_default_table(default_study())
    numbers |= best_shapes(numbers)
    assert newest("paper")["predicted"] == pytest.approx(numbers, rel=1e-6)


def test_measured_numbers_are_those_of_the_records(test_data: Path) -> None:
    pytest.importorskip("pandas")
    from surrogate.records import Records

    numbers = of_records(Records.read(test_data / DATA))
    numbers |= best_shapes(numbers)
    assert newest("paper")["measured"] == pytest.approx(numbers, rel=1e-6)


def test_a_stale_page_is_noticed() -> None:
    record = json.loads(json.dumps(newest("paper")))
    record["predicted"]["front"] += 1
    text = PAGE.read_text()
    assert fill(text, record, newest("search-10000000-s")) != text
