"""Correlation of splits and of budgets."""

from typing import TYPE_CHECKING

import numpy as np

from nb101.analysis.common import cell_values, in_epochs, rows_with_all
from nb101.analysis.correlate import correlation
from nb101.analysis.figures.axes import heat_map, points
from nb101.analysis.figures.registry import Figures
from nb101.analysis.figures.style import INK
from nb101.analysis.study import Study
from nb101.errors import DatasetError
from nb101.plain import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURES = Figures()


@FIGURES.add(
    "splits",
    "Validation and test accuracy",
    "Cells, in bins where they are many, by mean validation and test accuracy.",
)
def splits(ax: "Axes", study: Study) -> None:
    """Test against validation accuracy."""
    if study.computed("test_accuracy", "validation_accuracy"):
        raise DatasetError(
            "test accuracy of this table is computed from validation accuracy: one drawn over the "
            "other would show the formula, and nothing of cells"
        )
    x = 100 * cell_values(study.table, "validation_accuracy", study.epochs)
    y = 100 * cell_values(study.table, "test_accuracy", study.epochs)
    known = rows_with_all({"validation_accuracy": x, "test_accuracy": y}, study.epochs)
    x, y = x[known], y[known]
    low = float(min(np.quantile(x, 0.05), np.quantile(y, 0.05))) - 2
    inside = (x >= low) & (y >= low)
    points(ax, x[inside], y[inside], log=(False, False))
    high = float(max(x.max(), y.max())) + 0.3
    ax.plot([low, high], [low, high], color=INK, linewidth=0.9, linestyle=":")
    ax.set(xlim=(low, high), ylim=(low, high))
    ax.set(
        xlabel=f"validation accuracy at {in_epochs(study.epochs)} (%)", ylabel="test accuracy (%)"
    )
    ax.text(
        0.03,
        0.95,
        f"r = {correlation(x, y):.4f} of {counted(len(x), 'cell')}",
        transform=ax.transAxes,
        va="top",
    )


@FIGURES.add(
    "budget-correlation",
    "Correlation of budgets",
    "Spearman's coefficient between the accuracies at two budgets (rows), among the best cells by "
    "that at the larger one (columns).",
    "S7",
)
def budget_correlation(ax: "Axes", study: Study) -> None:
    """Spearman's coefficient by pairs of budgets and share of the best."""
    rows = study.budget_correlations.to_pylist()
    pairs = list(dict.fromkeys((row["x_epochs"], row["y_epochs"]) for row in rows))
    tops = list(dict.fromkeys(row["top"] for row in rows))
    values = np.array([row["spearman"] for row in rows], dtype=float).reshape(len(pairs), len(tops))
    heat_map(
        ax,
        values.tolist(),
        [f"{a} and {b}" for a, b in pairs],
        [f"{100 * top:g} %" for top in tops],
        "Spearman's coefficient",
        digits=3,
    )
    ax.set(xlabel="best cells looked at", ylabel="epochs")
