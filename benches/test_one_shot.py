"""Benchmarks of the spaces of NAS-Bench-1Shot1. Run with `make bench`.

The first look at a space makes its table of all choices, whose sizes go into the record.
"""

from functools import cache
from typing import Any

import pytest

import nb101
from nb101 import OneShotSpace

ROWS = 100_000
NUMBERS = (1, 2, 3)


@cache
def space_of(number: int) -> OneShotSpace:
    space = OneShotSpace(number)
    # The lookup tables of NAS-Bench-101 and of the space are made before.
    assert len(space.to_cells(space.sample_choices(10, 0))) == 10
    return space


@pytest.mark.parametrize("number", NUMBERS)
def test_one_shot_first(benchmark: Any, number: int) -> None:
    space_of(number)
    space = benchmark.pedantic(lambda: _made(number), rounds=3)
    benchmark.extra_info.update(
        items=space.num_choices,
        unit="choices",
        size_published=space.published,
        size_choices=space.num_choices,
        size_leading=space.num_leading,
        size_unique=len(space),
    )


def _made(number: int) -> OneShotSpace:
    space = OneShotSpace(number)
    assert len(space.ids) == len(space)
    return space


@pytest.mark.parametrize("number", NUMBERS)
def test_one_shot_to_cells(benchmark: Any, number: int) -> None:
    space = space_of(number)
    choices = space.sample_choices(ROWS, 0)
    found = benchmark(space.to_cells, choices)
    assert len(found) == ROWS
    benchmark.extra_info.update(items=ROWS, unit="choices")


@pytest.mark.parametrize("number", NUMBERS)
def test_one_shot_to_choices(benchmark: Any, number: int) -> None:
    space = space_of(number)
    cells = space.sample(ROWS, 0)
    found = benchmark(space.to_choices, cells)
    assert found.shape == (ROWS, len(space.sizes))
    benchmark.extra_info.update(items=ROWS, unit="cells")


@pytest.mark.parametrize("method", ["unique", "raw"])
@pytest.mark.parametrize("number", NUMBERS)
def test_one_shot_sample(benchmark: Any, number: int, method: Any) -> None:
    space = space_of(number)
    found = benchmark(space.sample, ROWS, 0, method=method)
    assert isinstance(found, nb101.Cells)
    benchmark.extra_info.update(items=ROWS, unit="cells")
