"""Accuracy and time by the structure of cells."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from nb101.analysis.figures.axes import legend_below, quantile_bars, whole_numbers
from nb101.analysis.figures.registry import Figures
from nb101.analysis.figures.style import BLUE, CYCLE, LABELS, ORANGE, op_label
from nb101.analysis.study import Study
from nb101.errors import DatasetError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURES = Figures()


def _by_feature(feature: str, axis_label: str) -> Callable[["Axes", Study], None]:
    def drawn(ax: "Axes", study: Study) -> None:
        rows = [row for row in study.structure.to_pylist() if row["feature"] == feature]
        at = np.array([row["value"] for row in rows])
        quantile_bars(ax, at, rows, "accuracy", 100, vertical=True)
        for row in rows:
            ax.annotate(
                _short_count(row["cells"]),
                (row["value"], 0.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=7.5,
            )
        low = 100 * min(row["accuracy_q05"] for row in rows)
        high = 100 * max(row["accuracy_q95"] for row in rows)
        room = max(high - low, 1e-3)
        ax.set_ylim(low - 0.16 * room, high + 0.06 * room)
        ax.set_xticks(at)
        ax.set_xlim(at.min() - 0.6, at.max() + 0.6)
        ax.set_xlabel(axis_label)
        ax.set_ylabel(f"{study.accuracy.replace('_', ' ')} (%)")
        ax.grid(visible=False, axis="x")
        legend_below(ax)

    return drawn


def _short_count(n: int) -> str:
    return f"{n:,}" if n < 10_000 else f"{n / 1000:,.0f}k"


_SHAPE = (
    "Accuracy of cells: from the 5 % to the 95 % quantile, from the 25 % to the 75 % quantile "
    "(thick), and the mean. The numbers above the axis are those of cells."
)
for _name, _label, _reference in (
    ("depth", "depth (edges on the longest path)", "5 (left)"),
    ("width", "width (edges of the largest directed cut)", "5 (right)"),
    ("edges", "edges", ""),
    ("vertices", "vertices, input and output included", ""),
):
    FIGURES.add(_name, f"Accuracy by {_name}", _SHAPE, _reference)(_by_feature(_name, _label))


@FIGURES.add(
    "ops",
    "Accuracy by number of ops",
    "Mean accuracy of cells by how many of their vertices have each op.",
)
def ops(ax: "Axes", study: Study) -> None:
    """Mean accuracy by the number of vertices with each op."""
    rows = study.structure.to_pylist()
    for op, color, marker in zip(study.table.space.ops, CYCLE * 3, "osD^vP<>*" * 2, strict=False):
        own = [row for row in rows if row["feature"] == op]
        ax.plot(
            [row["value"] for row in own],
            [100 * row["accuracy_mean"] for row in own],
            marker=marker,
            color=color,
            label=op_label(op),
        )
    ax.set(xlabel="vertices with this op", ylabel=f"mean {study.accuracy.replace('_', ' ')} (%)")
    whole_numbers(ax)
    legend_below(ax)


@FIGURES.add(
    "structure-time",
    "Training time by depth and width",
    "Mean training time of cells by depth and by width.",
    "5",
)
def structure_time(ax: "Axes", study: Study) -> None:
    """Mean training time by depth and width."""
    rows = study.structure.to_pylist()
    for feature, color, marker in (("depth", BLUE, "o"), ("width", ORANGE, "s")):
        own = [row for row in rows if row["feature"] == feature]
        times = [row["training_time_mean"] for row in own]
        if np.isnan(times).all():
            raise DatasetError("no cell with an accuracy has a training time")
        ax.plot([row["value"] for row in own], times, marker=marker, color=color, label=feature)
    ax.set(xlabel="depth, width", ylabel=f"mean {LABELS['training_time']}")
    whole_numbers(ax)
    legend_below(ax)
