"""Coefficients against SciPy's, and tables of them against selections made by hand."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import nb101
from nb101 import DatasetError, analysis
from nb101.analysis.correlate import METHODS, Pair, _of_the_best, default_pairs, ranks

REFERENCE = {
    "pearson": scipy.stats.pearsonr,
    "spearman": scipy.stats.spearmanr,
    "kendall": scipy.stats.kendalltau,
}
# Few values, so that there are ties.
columns = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(-3, 3) | st.floats(-2, 2)), min_size=2, max_size=40
)


@given(columns)
@pytest.mark.parametrize("method", METHODS)
def test_coefficients(method: analysis.correlate.Method, rows: list[tuple[int, float]]) -> None:
    x, y = np.array(rows, dtype=float).T
    found = analysis.correlation(x, y, method)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert np.isnan(found)
        return
    if method == "pearson" and (np.ptp(x) < 1e-6 or np.ptp(y) < 1e-6):
        return  # SciPy warns that its answer means little; so does ours.
    assert found == pytest.approx(REFERENCE[method](x, y).statistic, abs=1e-9)
    assert analysis.correlation(y, x, method) == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize("size", [1e-310, 1e-200, 1e-20, 1e20, 1e200])
def test_tiny_and_huge_numbers(size: float) -> None:
    y = np.array([0.0, 1.0, 3.0])
    expected = analysis.correlation([0, 1, 2], y)
    assert analysis.correlation([0, 1, 2], size * y) == pytest.approx(expected)


@given(st.lists(st.integers(0, 5) | st.floats(0, 5), max_size=30))
def test_ranks(values: list[float]) -> None:
    assert ranks(values).tolist() == scipy.stats.rankdata(values).tolist()


@given(columns, st.booleans())
def test_those_among_the_best_are_those_of_the_best(
    rows: list[tuple[int, float]], falling: bool
) -> None:
    """To the last bit, though columns are sorted once."""
    x, y = np.array(rows, dtype=float).T
    order = np.argsort(-y if falling else y, kind="stable")
    x, y = x[order], y[order]
    sizes = [len(x), max(1, len(x) // 2), 1]
    for size, found in zip(sizes, _of_the_best(x, y, sizes, METHODS), strict=True):
        expected = [analysis.correlation(x[:size], y[:size], method) for method in METHODS]
        np.testing.assert_array_equal(list(found.values()), expected)


def test_coefficients_stay_in_their_range() -> None:
    for n in range(2, 60):
        # A tie makes the two roots inexact.
        x = np.array([0, *range(n)], dtype=float)
        for method in METHODS:
            assert 1 - 1e-12 < analysis.correlation(x, x, method) <= 1
            assert -1 <= analysis.correlation(x, -x, method) < -1 + 1e-12


def test_rows_without_numbers_do_not_count() -> None:
    x = [1.0, np.nan, 2.0, 3.0, 9.0]
    y = [1.0, 5.0, 2.0, 4.0, np.nan]
    for method in METHODS:
        assert analysis.correlation(x, y, method) == pytest.approx(
            REFERENCE[method]([1, 2, 3], [1, 2, 4]).statistic
        )
    assert np.isnan(analysis.correlation([1.0], [1.0]))
    with pytest.raises(ValueError, match="one length"):
        analysis.correlation([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="no coefficient is called"):
        analysis.correlation([1.0], [1.0], "guess")  # type: ignore[arg-type]


def test_pairs(table: nb101.Table) -> None:
    pairs = default_pairs(table)
    kinds = [pair.kind for pair in pairs]
    assert kinds == ["splits"] * 6 + ["budgets"] + ["repeats"] * 2
    assert pairs[6].x == ("validation_accuracy", 4, None)
    assert pairs[7] == Pair(("validation_accuracy", 4, 0), ("validation_accuracy", 4, 1), "repeats")


def test_among_the_best(holes: nb101.Table) -> None:
    found = analysis.correlations(holes, top=(1.0, 0.3)).to_pylist()
    for row in found:
        sides = []
        for name in ("x", "y"):
            values = holes.values(row[name], row[f"{name}_epochs"])
            repeat = row[f"{name}_repeat"]
            mean = [
                np.mean([x for x in own if not np.isnan(x)] or [np.nan]) for own in values.tolist()
            ]
            sides.append(values[:, repeat].tolist() if repeat is not None else mean)
        both = [(x, y) for x, y in zip(*sides, strict=True) if not np.isnan(x + y)]
        both.sort(key=lambda pair: -pair[1])
        best = both[: round(row["top"] * len(both))]
        assert row["cells"] == len(best)
        for method in METHODS:
            expected = REFERENCE[method](*np.array(best).T).statistic
            assert row[method] == pytest.approx(expected, abs=1e-6)


def test_what_is_refused(table: nb101.Table) -> None:
    for top in (0.0, 1.5, -1.0):
        with pytest.raises(ValueError, match="top must hold shares"):
            analysis.correlations(table, top=[top])
    side = ("validation_accuracy", 4, 7)
    with pytest.raises(DatasetError, match="no repeat 7 at 4 epochs"):
        analysis.correlations(table, [Pair(side, side, "repeats")])
    one = {"cell_id": [0, 1], "epochs": [4, 4], "final_test_accuracy": [0.1, 0.2]}
    with pytest.raises(DatasetError, match="nothing to correlate"):
        analysis.correlations(nb101.Table.from_columns(one))
