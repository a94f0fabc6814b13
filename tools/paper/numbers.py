"""What is computed alike of any table: of the default one, and of one of genuine records."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101 import Cells, SearchSpace, Table, analysis
from nb101.analysis.correlate import ranks

Array = npt.NDArray[Any]
Numbers = dict[str, Any]

BUDGETS = (4, 12, 36, 108)
LEVELS = np.linspace(0, 1, 51)
"""Of quantiles, from the least to the most."""
TIMES = np.geomspace(300, 6000, 14)
PARAMETERS = np.geomspace(3e5, 5e7, 14)
"""Bounds of the bins that costs are divided into, seconds and numbers."""
FEWEST = 20
"""Cells or pairs that a bin has at least, to be kept."""
FARTHEST = 40
"""More than any alignment distance, of the space's 21 edges and 5 ops."""


def rounded(value: Any) -> Any:
    """Return numbers as a record keeps them: six digits, NaN as `None`."""
    if isinstance(value, dict):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [rounded(item) for item in value]
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    number = float(value)
    return float(f"{number:.6g}") if np.isfinite(number) else None


def quantiles(values: Array) -> list[float]:
    """Return the quantiles of a column at `LEVELS`."""
    return [float(x) for x in np.quantile(values, LEVELS)]


def distribution(values: Array) -> Numbers:
    """Say how a column of accuracies is distributed."""
    return {
        "cells": len(values),
        "mean": values.mean(),
        "above_90": (values > 0.9).mean(),
        "most": values.max(),
        "quantiles": quantiles(values),
    }


def spreads(values: Array) -> Numbers:
    """Say how standard deviations between runs are distributed."""
    return {"cells": len(values), "median": np.median(values), "quantiles": quantiles(values)}


def costs(time: Array, parameters: Array, accuracy: Array) -> Numbers:
    """Relate time, parameters and accuracy of cells."""

    def spearman(x: Array, y: Array) -> float:
        return analysis.correlation(x, y, "spearman")

    return {
        "time_parameters": spearman(time, parameters),
        "parameters_accuracy": spearman(parameters, accuracy),
        "time_accuracy": spearman(time, accuracy),
        "time_by_parameters": _bins(parameters, PARAMETERS, time),
        "accuracy_by_time": _bins(time, TIMES, accuracy),
    }


def _bins(x: Array, bounds: Array, y: Array) -> list[list[float]]:
    """Return of each bin of one column its middle, and quantiles of another and its most."""
    found = []
    for low, high in pairwise(bounds):
        own = y[(x >= low) & (x < high)]
        if len(own) >= FEWEST:
            middle = float(np.sqrt(low * high))
            found.append([middle, *np.quantile(own, (0.05, 0.5, 0.95)).tolist(), float(own.max())])
    return found


def budget_order(columns: dict[int, Array]) -> Numbers:
    """Correlate the orders of cells at pairs of budgets, among shares of the best by the larger."""
    table = {}
    for i, x in enumerate(BUDGETS):
        for y in BUDGETS[i + 1 :]:
            order = np.argsort(-columns[y], kind="stable")
            row = {}
            for share in (1.0, 0.5, 0.25, 0.1, 0.05, 0.01):
                best = order[: max(2, round(share * len(order)))]
                row[str(share)] = analysis.correlation(
                    columns[x][best], columns[y][best], "spearman"
                )
            table[f"{x} {y}"] = row
    return table


def shapes(table: Table) -> Numbers:
    """Return cells, mean accuracy and mean time by depth and by width."""
    rows = analysis.structure(table, 108).to_pylist()
    return {
        feature: {
            row["value"]: {
                "cells": row["cells"],
                "accuracy": row["accuracy_mean"],
                "time": row["training_time_mean"],
            }
            for row in rows
            if row["feature"] == feature
        }
        for feature in ("depth", "width")
    }


def changes_by_kind(changes: analysis.Changes) -> Numbers:
    """Return the mean effects of replacing one op by another."""
    return {
        row["kind"]: {
            "changes": row["changes"],
            "accuracy": row["accuracy_mean"],
            "time": row["training_time_mean"],
        }
        for row in changes.summary().to_pylist()
    }


def fitness(table: Table, target: int | None = None) -> Numbers:
    """Relate validation accuracy to the alignment distance from a cell, by default the best."""
    found = analysis.fitness_distance(table, 108, metric="validation_accuracy", target=target)
    return {
        "target": found.target,
        "coefficient": found.coefficient,
        "cells": found.cells,
        "mean": found.mean,
        "best": found.best,
        "relative": found.relative,
        "share_within": found.share_within,
    }


def volume(space: SearchSpace, cell_ids: Sequence[int]) -> Numbers:
    """Return which share of all raw encodings lies how near to those of some cells."""
    n = len(cell_ids)
    ranked = Table.from_columns(
        {
            "cell_id": list(cell_ids),
            "epochs": [108] * n,
            "final_test_accuracy": np.linspace(0.9, 0.8, n),
        },
        space=space,
    )
    found = analysis.peak_volume(ranked, 108, top=n)
    encodings = int(found.encodings.sum())
    return {
        "cells": n,
        "encodings": encodings,
        "one_in": found.counts.sum() / encodings,
        "share_within": found.share_within,
    }


def pairs_at_distances(
    cells: Cells, rows: Iterable[int], columns: dict[str, Array]
) -> dict[str, list[float]]:
    """Correlate ranks of pairs of cells by their alignment distance: some of these with all.

    Deviations of ranks are from the mean of all and divided by their variance, as those of values
    are along a walk: 0 where pairs are like any others.
    """
    sums = {name: np.zeros(FARTHEST) for name in columns}
    counts = np.zeros(FARTHEST)
    centred = {}
    for name, column in columns.items():
        places = ranks(column)
        centred[name] = (places - places.mean()) / places.std()
    for row in rows:
        distance = cells.alignment_distance(cells[row])
        distance[row] = FARTHEST - 1
        counts += np.bincount(distance, minlength=FARTHEST)
        for name, column in centred.items():
            sums[name] += np.bincount(distance, weights=column[row] * column, minlength=FARTHEST)
    own = np.flatnonzero(counts[:-1] >= FEWEST)
    found = {"distance": own.tolist(), "pairs": counts[own].tolist()}
    return found | {name: (sums[name][own] / counts[own]).tolist() for name in columns}
