"""Runs about a table's values, against the same in plain Python; and numbers drawn ahead."""

from math import isnan, nan, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nb101
from nb101.table.noise import DRAWS, Ahead

N = 91
MEANS = st.one_of(st.floats(0, 1, width=32), st.sampled_from([0.0, 0.1, 0.79, 0.925, 1.0]))
SPREADS = st.one_of(st.floats(0, 0.5, width=32), st.sampled_from([0.0, nan, 0.01, 0.004]))


def spread_of_whole(mean: float) -> float:
    return min(max(0.2 * (0.925 - mean), 0.0), 0.085)


def plain_run(values: list[float], spreads: list[float | None], normals: list[float]) -> list[Any]:
    """What a run of a row with a time and three accuracies is, number by number."""
    common, *own = normals
    spreads = [0.0 if x is not None and isnan(x) else x for x in spreads]
    chance, collapsed = 0.0, False
    mean, spread = values[2], spreads[2]
    if spread is not None and mean < 0.8 and spread > 1.25 * spread_of_whole(mean):
        usual = 0.6 * (0.8 - mean)
        level = max((mean - usual * 0.1) / (1 - usual), 0.45)
        chance = min((level - mean) / (level - 0.1), 1.0)
        below = NormalDist().cdf(common)
        collapsed = below < chance or chance == 1.0
        if not collapsed:
            left = (below - chance) / (1 - chance)
            common = NormalDist().inv_cdf(min(max(left, 1e-16), 1 - 1e-16))
    run: list[float] = []
    for i, (value, spread, normal) in enumerate(zip(values, spreads, own, strict=True)):
        if spread is None or isnan(value):
            run.append(value)
        elif i == 0:
            run.append(float(np.float32(max(value + spread * normal, 0.0))))
        else:
            if collapsed:
                value, spread = 0.1, 0.0
            elif chance:
                value = min(max((value - chance * 0.1) / (1 - chance), 0.0), 1.0)
                spread = spread_of_whole(value)
            shared = max(-2.5, min(2.5, common)) if spread > 0.01 else common
            alone = min(max(0.5 * value * (1 - value) / 9984, 0.0), spread * spread)
            drawn = value + sqrt(spread * spread - alone) * shared + sqrt(alone) * normal
            run.append(float(np.float32(round(min(max(drawn, 0.0), 1.0) * 9984) / 9984)))
    return run


@given(st.data())
def test_runs_are_those_of_plain_python(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    given_means = data.draw(st.lists(MEANS, min_size=1, max_size=20))
    given_spreads = data.draw(st.lists(SPREADS, min_size=1, max_size=20))
    columns: dict[str, Any] = {"cell_id": np.arange(N), "epochs": np.full(N, 108)}
    columns["final_training_time"] = rng.uniform(0, 100, N)
    if data.draw(st.booleans()):
        columns["training_time_spread"] = rng.uniform(0, 100, N)
    for split in ("train", "validation", "test"):
        if split == "validation" or data.draw(st.booleans()):
            columns[f"final_{split}_accuracy"] = rng.choice(given_means, N)
        if split == "validation" or data.draw(st.booleans()):
            columns[f"{split}_accuracy_spread"] = rng.choice(given_spreads, N)
    table = nb101.Table.from_columns(columns, space=nb101.SearchSpace(4))
    seed, asked = int(rng.integers(2**32)), rng.integers(0, N, 60)
    bench = nb101.Benchmark(table, seed=seed, noise=True)
    many = nb101.Benchmark(table, seed=seed, noise=True).query_many(asked)
    normals = np.random.default_rng(seed).spawn(1)[0].standard_normal((60, 5))
    metrics = ("training_time", *(f"{x}_accuracy" for x in ("train", "validation", "test")))
    for i, cell_id in enumerate(asked.tolist()):
        values = [
            float(table.column(f"final_{x}")[cell_id]) if f"final_{x}" in table.columns else nan
            for x in metrics
        ]
        spreads = [
            float(table.column(f"{x}_spread")[cell_id]) if f"{x}_spread" in table.columns else None
            for x in metrics
        ]
        expected = plain_run(values, spreads, normals[i].tolist())
        found = bench.query(cell_id)[4:8]
        assert np.array_equal(found, expected, equal_nan=True)
        assert np.array_equal([column[i] for column in many[4:8]], expected, equal_nan=True)


@given(st.lists(st.tuples(st.sampled_from(["pop", "take", "back", "copy"]), st.integers(0, 1500))))
def test_numbers_drawn_ahead_are_the_generators(steps: list[tuple[str, int]]) -> None:
    rng = np.random.default_rng(0)
    expected = np.random.default_rng(0).random(len(steps) * 1500 + DRAWS).tolist()
    ahead, at = Ahead(rng.random, []), 0
    for step, n in steps:
        if step == "pop":
            for _ in range(min(n, 20)):
                assert (ahead.items or ahead.refill()).pop() == expected[at]
                at += 1
        elif step == "copy":
            ahead = Ahead(rng.random, ahead.left())
        else:
            taken = ahead.take(n)
            assert taken.tolist() == expected[at : at + n]
            if step == "back":
                taken, back = taken[: n // 2], taken[n // 2 :]
                ahead.put_back(back)
            at += len(taken)


def test_the_core_refuses_what_it_cannot_read() -> None:
    core = nb101.Benchmark(nb101.load_table(), seed=0)._evaluation(108, False).core
    assert core.ask(-1, 0.5, None) is None
    assert core.ask(2**62, 0.5, None) is None
    with pytest.raises(ValueError, match="no such row"):
        core.noisy_kind(2**40, [0.0] * 5, 0.0, False)
    with pytest.raises(ValueError, match="five numbers"):
        core.noisy_many(np.zeros(2, np.int64), np.zeros((2, 4)))
