"""Correlation between splits, budgets and repeats (section 3.1, and figure 7 of the supplement)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101._base.checks import iterated, suggest
from nb101.analysis.common import (
    Floats,
    cell_values,
    check_names,
    check_table,
    has_metric,
    in_epochs,
    rows_to_arrow,
    stable_order,
)
from nb101.errors import ArgumentError, ArgumentTypeError, DatasetError, UnknownNameError
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

Method = Literal["pearson", "spearman", "kendall"]
METHODS: tuple[Method, ...] = ("pearson", "spearman", "kendall")

TOP = (1.0, 0.5, 0.25, 0.1, 0.05, 0.01)
"""Shares of the best cells that correlations are taken among."""
SPLITS = ("train_accuracy", "validation_accuracy", "test_accuracy")


def correlation(x: npt.ArrayLike, y: npt.ArrayLike, method: Method = "pearson") -> float:
    """Return the correlation of two columns, over the rows where both have a number.

    Parameters
    ----------
    x, y
        Arrays of shape ``(n,)``.
    method
        ``"pearson"``; ``"spearman"``, Pearson's of ranks, those of ties averaged; ``"kendall"``,
        tau-b, in the time of a sort.

    Returns
    -------
    A number in [-1, 1]; NaN for fewer than two rows, or if one column is constant.

    Examples
    --------
    >>> correlation([1, 2, 3], [10, 30, 20], "spearman")
    0.5
    """
    a, b = _numbers("x", x), _numbers("y", y)
    if a.shape != b.shape or a.ndim != 1:
        raise ArgumentError(
            f"x and y must be flat and of one length, not {a.shape} and {b.shape}", field="y"
        )
    known = ~(np.isnan(a) | np.isnan(b))
    a, b = a[known], b[known]
    if not isinstance(method, str) or method not in METHODS:
        raise UnknownNameError(
            f"no coefficient is called {method!r}; {suggest(str(method), METHODS)}", field="method"
        )
    if method == "kendall":
        found = _core.kendall(np.ascontiguousarray(a), np.ascontiguousarray(b))
        # Rounding of two roots can lead past the end; NaN stays.
        return float(np.clip(found, -1.0, 1.0))
    if method == "spearman":
        return _pearson(ranks(a), ranks(b))
    return _pearson(a, b)


def _of_the_best(
    x: Floats, y: Floats, sizes: Sequence[int], methods: Sequence[str]
) -> list[dict[str, float]]:
    """Return the correlations among the first rows of two columns, for each number of rows.

    Rows are in the order of `y`, up or down. So each column is sorted once, and not among the best
    of each size (two budgets of NAS-Bench-101, six sizes, three coefficients: 0.17 s, was 0.23).
    """
    order = np.argsort(x) if "spearman" in methods else np.zeros(0, dtype=np.int64)
    found = []
    for size in sizes:
        a, b = x[:size], y[:size]
        row: dict[str, float] = {}
        for method in methods:
            if method == "spearman":
                own = order if size == len(x) else order[order < size]
                falls = size > 0 and b[-1] < b[0]
                row[method] = _pearson(
                    _ranks_in(own, a), _ranks_in(np.arange(size)[:: -1 if falls else 1], b)
                )
            else:
                row[method] = correlation(a, b, cast(Method, method))
        found.append(row)
    return found


def _numbers(name: str, values: Any) -> Floats:
    try:
        array = np.asarray(values)
        if array.dtype.kind != "c":
            return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        pass
    raise ArgumentTypeError(f"{name} must be numbers, not {values!r}", field=name)


def _pearson(x: Floats, y: Floats) -> float:
    # Rounding can leave a trace of a spread where all numbers are the same.
    if len(x) < 2 or x.min() == x.max() or y.min() == y.max():
        return float("nan")
    x, y = _centred(x), _centred(y)
    # Not by BLAS, whose sums are others with each number of threads, and whose threads wait for
    # each other: the coefficients of a report took 4.8 s of CPU with two of them, 1.8 s without.
    found = float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()))
    return min(1.0, max(-1.0, found))


def _centred(values: Floats) -> Floats:
    away = values - values.mean()
    # By a power of two, which rounds nothing: squares of tiny numbers would be 0.
    return np.asarray(np.ldexp(away, -np.frexp(np.abs(away).max())[1]))


def ranks(values: npt.ArrayLike) -> Floats:
    """Return the rank of each number from 1, ties averaged; shape ``(n,)``."""
    array = np.asarray(values, dtype=np.float64)
    return _ranks_in(np.argsort(array), array)


def _ranks_in(order: npt.NDArray[np.intp], array: Floats) -> Floats:
    """Return ranks of numbers that ascend in an order."""
    ordered = array[order]
    # Where a run of equal numbers begins, and where the next one does.
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    lengths = np.diff(np.append(starts, len(ordered)))
    found = np.empty(len(array))
    found[order] = np.repeat(starts + (lengths + 1) / 2, lengths)
    return found


class Pair(NamedTuple):
    """Two metrics of cells.

    Attributes
    ----------
    x, y
        Each: name, budget, and, if it is one run's and no mean, which repeat.
    kind
        Under which heading the pair stands; see `correlations`.
    """

    x: tuple[str, int, int | None]
    y: tuple[str, int, int | None]
    kind: str


def default_pairs(table: Table) -> list[Pair]:
    """Return the pairs that `correlations` compares if none are given.

    ``splits``: accuracies of train, validation and test at each budget; ``budgets``: validation
    accuracy at each two budgets; ``repeats``: that of each two repeats at each budget. Test, then
    train accuracy stands in for validation accuracy where that is known at fewer budgets. What has
    no value at a budget is in no pair of that budget.
    """
    budgets = {
        metric: [epochs for epochs in table.epochs if has_metric(table, metric, epochs)]
        for metric in SPLITS
    }
    pairs = []
    for epochs in table.epochs:
        splits = [metric for metric in SPLITS if epochs in budgets[metric]]
        for i, x in enumerate(splits):
            pairs += [Pair((x, epochs, None), (y, epochs, None), "splits") for y in splits[i + 1 :]]
    metric = max(
        ("validation_accuracy", "test_accuracy", "train_accuracy"),
        key=lambda split: len(budgets[split]),
    )
    for i, low in enumerate(budgets[metric]):
        for high in budgets[metric][i + 1 :]:
            pairs.append(Pair((metric, low, None), (metric, high, None), "budgets"))
    for epochs in budgets[metric]:
        repeats = table.values(metric, epochs).shape[1]
        for i in range(repeats):
            for j in range(i + 1, repeats):
                pairs.append(Pair((metric, epochs, i), (metric, epochs, j), "repeats"))
    return pairs


def correlations(
    table: Table,
    pairs: Sequence[Pair] | None = None,
    *,
    top: Sequence[float] = TOP,
    methods: Sequence[Method] = METHODS,
) -> "pa.Table":
    """Correlate metrics of cells, over all and among the best.

    Parameters
    ----------
    table
        The table.
    pairs
        What to compare; see `default_pairs`.
    top
        Shares of cells in (0, 1]: the best by the second metric of each pair, which is that of the
        larger budget; the paper reports the best 10 % (figure 7 of the supplement).
    methods
        Which coefficients.

    Returns
    -------
    Arrow table with a row for each pair and share: ``kind``, ``x``, ``x_epochs``, ``x_repeat``
    (null for a mean), ``y``, ``y_epochs``, ``y_repeat``, ``top``, ``cells`` and a column a method.

    Raises
    ------
    ArgumentError
        If `top` has other shares than 1, and it is not known whether less or more of a second
        metric is better (`Table.direction`).
    DatasetError
        If there is nothing to compare.
    """
    check_table(table)
    chosen = default_pairs(table) if pairs is None else iterated(pairs)
    if chosen is None or not all(isinstance(pair, Pair) for pair in chosen):
        raise ArgumentTypeError("pairs must hold Pair objects", field="pairs")
    shares, coefficients = _numbers("top", top), check_names("methods", methods)
    if not chosen:
        raise DatasetError(
            "the table has one accuracy at one budget in one run: nothing to correlate"
        )
    if shares.ndim != 1 or not len(shares) or not ((shares > 0) & (shares <= 1)).all():
        raise ArgumentError(f"top must hold shares in (0, 1], not {top!r}", field="top")
    known: dict[tuple[str, int, int | None], Floats] = {}
    rows: list[dict[str, Any]] = []
    for pair in chosen:
        for side in (pair.x, pair.y):
            if side not in known:
                known[side] = _side(table, *side)
        x, y = known[pair.x], known[pair.y]
        both = ~(np.isnan(x) | np.isnan(y))
        x, y = x[both], y[both]
        sign = 1 if _best_is_least(table, pair.y[0], shares.tolist()) else -1
        order = stable_order(sign * y)
        sizes = [min(len(y), max(1, round(share * len(y)))) for share in shares.tolist()]
        found = _of_the_best(x[order], y[order], sizes, coefficients)
        for share, size, own in zip(shares.tolist(), sizes, found, strict=True):
            row: dict[str, Any] = {"kind": pair.kind}
            for name, side in (("x", pair.x), ("y", pair.y)):
                row |= {name: side[0], f"{name}_epochs": side[1], f"{name}_repeat": side[2]}
            rows.append(row | {"top": share, "cells": size, **own})
    return rows_to_arrow(rows, table)


def _best_is_least(table: Table, metric: str, top: Sequence[float]) -> bool:
    # Where all cells are looked at, nobody has to know which are the best.
    return any(share < 1 for share in top) and table.direction(metric) == "min"


def _side(table: Table, metric: str, epochs: int, repeat: int | None) -> Floats:
    if repeat is None:
        return cell_values(table, metric, epochs)
    values = table.values(metric, epochs)
    if not 0 <= repeat < values.shape[1]:
        raise DatasetError(f"the table has no repeat {repeat} at {in_epochs(epochs)}")
    return values[:, repeat].astype(np.float64)
