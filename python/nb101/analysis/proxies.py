"""Zero-cost proxies beside accuracies: how scores go with what training gives.

Scores are those of `nb101.proxies`; here they are columns of numbers, and cells.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb101.analysis.common import (
    Floats,
    Ints,
    cell_values,
    check_names,
    check_table,
    has_metric,
    rows_to_arrow,
    sign_of,
    stable_order,
)
from nb101.analysis.correlate import correlation
from nb101.errors import ArgumentTypeError, DatasetError, OutOfSpaceError, UnknownOpError
from nb101.plain import counted
from nb101.space.cells import Cells
from nb101.space.search_space import SearchSpace
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

    from nb101.proxies import Scores

METRICS = ("validation_accuracy", "test_accuracy")
BEST = 0.1
"""Share of the best cells that correlations are taken among, beside all."""
ALL, BEST_CELLS = "all", f"best {100 * BEST:.0f} %"
FEWEST = 20
"""Cells of a part from which on its correlations are given."""
SUITE = "Krishnakumar et al. 2022, figure 2"
PUBLISHED: Mapping[str, float] = {
    **{"epe-nas": 0.00, "fisher": -0.28, "flops": 0.36, "grad-norm": -0.25, "grasp": 0.27},
    **{"jacov": -0.29, "l2-norm": 0.50, "nwot": 0.31, "params": 0.37, "plain": -0.32},
    **{"snip": -0.19, "synflow": 0.31, "zen": 0.59},
}
"""Spearman's coefficients of proxies and validation accuracy at 108 epochs that
NAS-Bench-Suite-Zero reports (arXiv 2210.03230): of 1,000 random cells of NAS-Bench-101."""
SAMSUNG = "Abdelfattah et al. 2021"
MAGNITUDES: Mapping[str, float] = {
    **{"fisher": 0.257, "grad-norm": 0.198, "grasp": 0.448},
    **{"jacov": 0.378, "snip": 0.164, "synflow": 0.372},
}
"""Magnitudes of the same coefficients over all 423,624 cells, which the code of Abdelfattah et al.
2021 prints without their signs."""


def proxy_correlations(
    table: Table,
    scores: "Scores",
    *,
    metrics: str | Sequence[str] = METRICS,
) -> "pa.Table":
    """Correlate scores of zero-cost proxies with accuracies, by budget and by part of the space.

    Parameters
    ----------
    table
        The table.
    scores
        Scores of some of its cells, as `nb101.proxies.score` or `nb101.proxies.read` gives them. Of
        a cell that is there twice, the first counts.
    metrics
        What to compare with, by the mean of repeats; those that the table lacks are left out.

    Returns
    -------
    Arrow table with a row for each metric, budget, part and proxy: ``metric``, ``epochs``,
    ``part``, ``proxy``, ``cells``, ``spearman`` and ``kendall``. Parts are ``all`` cells, the
    ``best 10 %`` by the metric, those of each number of vertices (``7 vertices``) and those without
    an op (``no conv3x3-bn-relu``); a part of fewer than 20 cells is left out.

    Raises
    ------
    DatasetError
        If fewer than 20 cells have both.

    Examples
    --------
    >>> import nb101
    >>> space = nb101.SearchSpace(5)
    >>> table = nb101.load_table()
    >>> scores = nb101.proxies.score(space.enumerate()[:40], ["params", "flops"])
    >>> found = nb101.analysis.proxy_correlations(table, scores).to_pylist()
    >>> found[0]["part"], found[0]["proxy"], found[0]["cells"]
    ('all', 'params', 40)
    """
    check_table(table)
    columns = columns_of(scores, table.space, table.cell_ids)
    chosen = check_names("metrics", metrics)
    parts = _parts(table)
    rows: list[dict[str, Any]] = []
    most = 0
    for metric in chosen:
        for epochs in table.epochs if has_metric(table, metric) else ():
            if not has_metric(table, metric, epochs):
                continue
            y = cell_values(table, metric, epochs)
            up = sign_of(table.direction(metric))
            known = {name: ~(np.isnan(x) | np.isnan(y)) for name, x in columns.items()}
            most = max([most, *(int(each.sum()) for each in known.values())])
            for part, mask in parts.items():
                for name, x in columns.items():
                    own = np.flatnonzero(known[name] if mask is None else known[name] & mask)
                    if part == BEST_CELLS:
                        own = own[stable_order(-up * y[own])[: max(1, round(BEST * len(own)))]]
                    if len(own) < FEWEST:
                        continue
                    row = {"metric": metric, "epochs": epochs, "part": part, "proxy": name}
                    row |= {"cells": len(own)}
                    for method in ("spearman", "kendall"):
                        row[method] = correlation(x[own], y[own], method)
                    rows.append(row)
    if not rows:
        raise DatasetError(
            f"{counted(most, 'cell')} of the table {'has' if most == 1 else 'have'} an accuracy "
            f"and a score: at least {FEWEST} are needed"
        )
    return rows_to_arrow(rows, table)


def _parts(table: Table) -> dict[str, npt.NDArray[np.bool_] | None]:
    """Return parts of the space, each as a mask of cells; those that are all of it as `None`."""
    cells = table.cells
    vertices, ops = cells.vertices, cells.operations()
    found: dict[str, npt.NDArray[np.bool_] | None] = {ALL: None, BEST_CELLS: None}
    for number in np.unique(vertices).tolist():
        found[counted(number, "vertex", "vertices")] = vertices == number
    for code, name in enumerate(table.space.ops):
        found[f"no {name}"] = ~(ops == code).any(axis=1)
    return found


def check_scores(scores: Any) -> "Scores":
    """Check that something is scores of cells.

    Raises
    ------
    ArgumentTypeError
        If it is none; `field` is ``"proxies"``.
    """
    # The class stands higher than this.
    given = isinstance(scores, Mapping) and isinstance(getattr(scores, "cells", None), Cells)
    if not given:
        raise ArgumentTypeError(
            "proxies must be Scores, such as nb101.proxies.read() gives, not "
            f"{type(scores).__name__}",
            field="proxies",
        )
    found: Scores = scores
    return found


def columns_of(scores: "Scores", space: SearchSpace, ids: Ints) -> dict[str, Floats]:
    """Return the scores of some cells: a column a proxy, shape ``(n,)``, NaN where there is none.

    Parameters
    ----------
    scores
        Scores; cells that the space does not have are left out.
    space, ids
        The cells.
    """
    rows = scored_rows(scores, space, ids)
    columns = {}
    for name, column in scores.items():
        values = np.full(len(ids), np.nan)
        values[rows >= 0] = np.asarray(column, np.float64)[rows[rows >= 0]]
        columns[name] = values
    return columns


def scored_rows(scores: "Scores", space: SearchSpace, ids: Ints) -> Ints:
    """Return where the scores of some cells are, shape ``(n,)``; -1 where there are none."""
    cells = check_scores(scores).cells
    rows = np.arange(len(cells))
    try:
        theirs = space.index(cells)
    except (OutOfSpaceError, UnknownOpError):
        rows = np.array([i for i, cell in enumerate(cells) if cell in space], np.int64)
        theirs = space.index(cells[rows]) if len(rows) else np.zeros(0, np.int64)
    # The first of several.
    unique, first = np.unique(theirs, return_index=True)
    if not len(unique):
        return np.full(len(ids), -1)
    place = np.minimum(np.searchsorted(unique, ids), len(unique) - 1)
    return np.where(unique[place] == ids, rows[first[place]], -1)
