"""What the statistics share, against what NumPy says more slowly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nb101.analysis.common import QUANTILES, quantiles, stable_order

single = st.floats(width=32, allow_nan=True) | st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5])
double = st.floats(allow_nan=True) | st.integers(-3, 3).map(float)


@given(arrays.arrays(float, st.integers(0, 60), elements=single | double))
def test_order(values: np.ndarray) -> None:
    assert (stable_order(values) == np.argsort(values, kind="stable")).all()


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20, 1000, 40_000])
@pytest.mark.parametrize("digits", [3, 17])
def test_quantiles(n: int, digits: int) -> None:
    values = np.random.default_rng(n).normal(size=n).round(digits)
    for levels in (QUANTILES, (0.0, 0.333, 1.0)):
        assert quantiles(np.sort(values), levels) == np.quantile(values, levels).tolist()


@pytest.mark.parametrize("n", [2, 500, 40_000])
def test_order_of_many(n: int) -> None:
    values = np.random.default_rng(n).normal(size=n).astype(np.float32).astype(np.float64).round(3)
    for column in (values, values.astype(np.float32).astype(np.float64), -values):
        assert (stable_order(column) == np.argsort(column, kind="stable")).all()
