"""What one edit changes: ops replaced, edges removed and added."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101.analysis import paper
from nb101.analysis.figures.axes import legend_below, quantile_bars
from nb101.analysis.figures.registry import Figures
from nb101.analysis.figures.style import INK, VERMILLION, op_label
from nb101.analysis.study import Study
from nb101.errors import DatasetError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURES = Figures()


@FIGURES.add(
    "op-accuracy",
    "Replacing an op: accuracy",
    "Change of the accuracy by each replacement of one op of one cell: from the 5 % to the 95 % "
    "quantile, from the 25 % to the 75 % quantile (thick), and the mean; of the paper's recipe and "
    "budget also the paper's mean where it gives one.",
    "4 (left)",
)
def op_accuracy(ax: "Axes", study: Study) -> None:
    """Draw changes of accuracy by replacing ops."""
    rows = study.op_summary.to_pylist()
    _changes(ax, rows, "accuracy", _given(rows, paper.OP_ACCURACY, study))
    ax.set_xlabel(f"change of {study.accuracy.replace('_', ' ')} (percentage points)")


@FIGURES.add(
    "op-time",
    "Replacing an op: training time",
    "Relative change of the training time by each replacement of one op of one cell, drawn as that "
    "of the accuracy.",
    "4 (right)",
)
def op_time(ax: "Axes", study: Study) -> None:
    """Draw changes of training time by replacing ops."""
    rows = study.op_summary.to_pylist()
    _changes(ax, rows, "training_time", _given(rows, paper.OP_TIME, study))
    ax.set_xlabel("change of training time (%)")


@FIGURES.add(
    "edge-accuracy",
    "Changing an edge: accuracy",
    "Change of the accuracy by each edge removed, with or without the vertices that it leaves off "
    "every path, and by each edge added; drawn as for ops.",
)
def edge_accuracy(ax: "Axes", study: Study) -> None:
    """Draw changes of accuracy by removing and adding edges."""
    rows = study.edge_summary.to_pylist()
    _changes(ax, rows, "accuracy", [None] * len(rows))
    ax.set_xlabel(f"change of {study.accuracy.replace('_', ' ')} (percentage points)")


def _given(
    rows: Sequence[dict[str, Any]], means: dict[tuple[str, str], float], study: Study
) -> list[float | None]:
    """Return the paper's mean of each row; None where it has none, or is of something else."""
    if not study.comparable:
        return [None] * len(rows)
    found = []
    for row in rows:
        old, new = row["kind"].split(" -> ")
        found.append(means.get((old, new)))
    return found


def _changes(
    ax: "Axes", rows: Sequence[dict[str, Any]], what: str, given: Sequence[float | None]
) -> None:
    if all(np.isnan(row[f"{what}_mean"]) for row in rows):
        name = what.replace("_", " ")
        raise DatasetError(f"no cells compared by accuracy have {name} to compare")
    at = np.arange(len(rows))[::-1]
    quantile_bars(ax, at, rows, what, 100, vertical=False)
    known = [(x, y) for x, y in zip(given, at, strict=True) if x is not None]
    if known:
        ax.scatter(
            [100 * x for x, _ in known],
            [y for _, y in known],
            marker="D",
            s=40,
            facecolors="none",
            edgecolors=VERMILLION,
            linewidths=1.5,
            label="mean in the paper",
            zorder=4,
        )
    ax.axvline(0, color=INK, linewidth=0.9)
    labels = []
    for row in rows:
        names = row["kind"].split(" -> ")
        labels.append(" → ".join(map(op_label, names)).replace(", ", ",\n"))
    ax.set_yticks(at, labels)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(visible=False, axis="y")
    legend_below(ax)
