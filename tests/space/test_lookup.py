"""Cells by the beginnings of their hashes, against a plain search in the list of all hashes."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nb101
from commands import run
from nb101 import Cell, UnknownHashError
from nb101.errors import ArgumentError, SpaceError
from nb101.space import lookup

SMALL = nb101.SearchSpace(5)


@pytest.fixture(scope="module")
def hashes() -> list[str]:
    return [digest.decode() for digest in SMALL.enumerate().hashes()]


@given(st.integers(0, len(SMALL) - 1), st.integers(4, 31), st.booleans())
def test_what_is_unique_is_found(hashes: list[str], i: int, digits: int, upper: bool) -> None:
    text = hashes[i][:digits]
    alike = [k for k, digest in enumerate(hashes) if digest.startswith(text)]
    text = text.upper() if upper else text
    if len(alike) == 1:
        assert SMALL.find_hash(text) == SMALL.find_hash(text.encode()) == i
        assert Cell.from_hash(text, SMALL) == SMALL[i]
    else:
        with pytest.raises(UnknownHashError, match=f"{len(alike)} cells of this space have"):
            SMALL.find_hash(text)


def test_what_is_ambiguous_is_told_with_some_names(
    hashes: list[str], space: nb101.SearchSpace
) -> None:
    text, count = Counter(digest[:4] for digest in hashes).most_common(1)[0]
    names = sorted(digest for digest in hashes if digest.startswith(text))
    with pytest.raises(UnknownHashError) as caught:
        SMALL.find_hash(text)
    assert str(caught.value).startswith(f"{count} cells of this space have hashes that begin with")
    assert names[0][:10] in str(caught.value)
    assert caught.value.field == "hash"
    with pytest.raises(UnknownHashError, match=r"^1?[0-9] cells .* and [0-9]+ more; give more"):
        space.find_hash("28cf")


def test_all_of_nas_bench_101_by_eight_digits(space: nb101.SearchSpace) -> None:
    cell = space[359_715]
    assert space.find_hash("28cfc787") == 359_715
    table = nb101.load_table()
    assert table.id_of("28cfc787") == 359_715
    assert nb101.Benchmark(table, seed=0).query("28cfc787").cell_id == 359_715
    assert np.array_equal(table.ids_of(["28cfc787", cell.hash]), [359_715, 359_715])
    assert Cell.from_hash("28cfc787") == cell


@pytest.mark.parametrize("text", ["", "28c", "28cfc78g", "28cfc787 ", "x" * 32, "0" * 33])
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a hash"):
        SMALL.find_hash(text)


def test_what_no_cell_has() -> None:
    with pytest.raises(UnknownHashError, match="no cell of this space has a hash that begins with"):
        SMALL.find_hash("00000000")


def test_large_spaces_take_whole_hashes_alone() -> None:
    large = nb101.SearchSpace(8, 11)
    with pytest.raises(SpaceError, match="this one has 24,059,871: give all 32 digits"):
        large.find_hash("28cfc787")


def test_more_digits_than_are_sorted_by(hashes: list[str]) -> None:
    """Digits past the sixteenth are compared too."""
    wrong = hashes[7][:20] + ("0" if hashes[7][20] != "0" else "1")
    assert SMALL.find_hash(hashes[7][:21]) == 7
    with pytest.raises(UnknownHashError, match="begins with"):
        SMALL.find_hash(wrong)


def test_wrong_types_are_named() -> None:
    wrong: Any = 1.5
    for call in (lookup.id_of, lookup.ids_of):
        with pytest.raises(ArgumentError) as caught:
            call(SMALL, wrong)
        assert isinstance(caught.value, TypeError)


def test_the_command_line_takes_them_too() -> None:
    assert json.loads(run("cell", "28cfc787", "--json"))["id"] == 359_715
    assert json.loads(run("cell", "77", "--json"))["id"] == 77
