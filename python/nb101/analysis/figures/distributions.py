"""How the values of cells are distributed: accuracy, and noise."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nb101.analysis.common import Floats, in_epochs
from nb101.analysis.distributions import Ecdf
from nb101.analysis.figures.axes import legend_below, plain_log
from nb101.analysis.figures.registry import Figures
from nb101.analysis.figures.style import CYCLE
from nb101.analysis.study import Study
from nb101.errors import DatasetError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURES = Figures()

POINTS = 2000
"""Most points of a curve; a distribution of more is drawn by that many quantiles."""


@FIGURES.add(
    "ecdf",
    "Accuracy of cells by split",
    "Share of the cells whose mean accuracy is at most that of the horizontal axis.",
    "2 (left)",
)
def ecdf(ax: "Axes", study: Study) -> None:
    """Distributions of train, validation and test accuracy at the budget."""
    for found, color in zip(study.splits, CYCLE, strict=False):
        _curve(ax, found, found.metric.removesuffix("_accuracy"), color)
    _distribution_axes(ax, study.splits, f"accuracy at {in_epochs(study.epochs)} (%)")


@FIGURES.add(
    "ecdf-budgets",
    "Accuracy of cells by budget",
    "Share of the cells whose mean accuracy is at most that of the horizontal axis, one curve a "
    "budget.",
)
def ecdf_budgets(ax: "Axes", study: Study) -> None:
    """Distributions of the accuracy at each budget."""
    for found, color in zip(study.by_budget, CYCLE * len(study.by_budget), strict=False):
        _curve(ax, found, in_epochs(found.epochs), color)
    name = study.accuracy.replace("_", " ")
    _distribution_axes(ax, study.by_budget, f"{name} (%)", least=0.0)


def _curve(ax: "Axes", found: Ecdf, label: str, color: str) -> None:
    x, y = thinned(100 * found.values)
    ax.step(x, 100 * y, where="post", label=label, color=color)


def thinned(values: Floats) -> tuple[Floats, Floats]:
    """Return the points of a distribution's curve, few enough to draw."""
    n = len(values)
    if n > POINTS:
        rows = np.unique(np.linspace(0, n - 1, POINTS).astype(np.int64))
        return values[rows], (rows + 1) / n
    return np.concatenate([values[:1], values]), np.arange(n + 1) / n


def _distribution_axes(
    ax: "Axes", found: Sequence[Ecdf], label: str, least: float | None = None
) -> None:
    if least is None:
        # The tail of what did not learn would squeeze everything else.
        least = min(float(np.quantile(each.values, 0.02)) for each in found)
        least = np.floor(100 * least / 5) * 5
    ax.set(xlabel=label, ylabel="share of cells (%)", ylim=(0, 102), xlim=(least, 100))
    legend_below(ax)


@FIGURES.add(
    "noise",
    "Noise between repeats",
    "Standard deviation of the accuracy between repeats of a cell: share of the cells at most at "
    "that of the horizontal axis.",
    "2 (right)",
)
def noise(ax: "Axes", study: Study) -> None:
    """Distributions of the spread between repeats at each budget."""
    least = []
    for found, color in zip(study.noise, CYCLE * len(study.noise), strict=False):
        spread = 100 * np.sort(found.spread)
        positive = spread[spread > 0]
        if not len(positive):
            continue
        least.append(float(np.quantile(positive, 0.01)))
        x, y = thinned(spread)
        ax.step(x, 100 * y, where="post", label=in_epochs(found.epochs), color=color)
    if not least:
        raise DatasetError("the repeats of each cell are all equal: there is no noise to draw")
    first = study.noise[0]
    name = first.metric.replace("_", " ")
    kind = "" if first.source == "repeats" else ", as predicted"
    ax.set(xscale="log", ylim=(0, 102), ylabel="share of cells (%)")
    ax.set_xlim(left=min(least))
    ax.set_xlabel(f"spread of {name} (percentage points{kind})")
    plain_log(ax, "x")
    legend_below(ax)
