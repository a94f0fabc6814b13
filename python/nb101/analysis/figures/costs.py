"""What accuracy costs: time, parameters, multiply-accumulates."""

from typing import TYPE_CHECKING

import numpy as np

from nb101.analysis import paper
from nb101.analysis.common import cell_values, in_epochs, rows_with_all
from nb101.analysis.figures.axes import legend_below, plain_log, points
from nb101.analysis.figures.registry import Figures
from nb101.analysis.figures.style import LABELS, ORANGE, SCALES, VERMILLION
from nb101.analysis.locality import neighbor_values
from nb101.analysis.study import Study
from nb101.errors import DatasetError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURES = Figures()
FRONT = (
    "All cells, in bins where they are many, the front of those that no other cell beats in both, "
)
NAMED_ALONE = f"{FRONT}and those of the named cells that the table has."


@FIGURES.add(
    "time-parameters",
    "Training time against parameters",
    "Cells, in bins where they are many, by trainable parameters and training time, coloured by "
    "their mean accuracy.",
    "3 (left)",
)
def time_parameters(ax: "Axes", study: Study) -> None:
    """Training time against parameters, coloured by accuracy."""
    x = cell_values(study.table, "parameters") / 1e6
    y = cell_values(study.table, "training_time", study.epochs)
    accuracy = 100 * cell_values(study.table, study.accuracy, study.epochs)
    columns = {"parameters": x, "training_time": y, study.accuracy: accuracy}
    known = rows_with_all(columns, study.epochs)
    x, y, accuracy = x[known], y[known], accuracy[known]
    low, high = np.quantile(accuracy, [0.05, 0.995])
    label = f"mean {study.accuracy.replace('_', ' ')} (%)"
    points(ax, x, y, label, color=accuracy, limits=(low, max(high, low + 1e-3)))
    ax.set(xscale="log", yscale="log", xlabel=LABELS["parameters"])
    ax.set_ylabel(f"{LABELS['training_time']} at {in_epochs(study.epochs)}")
    plain_log(ax, "x")
    plain_log(ax, "y")


@FIGURES.add(
    "pareto-time",
    "Accuracy against training time",
    f"{FRONT}and of the cells that the paper names, and of those one edit away from the "
    "Inception-like one, those that the table has.",
    "3 (right)",
)
def pareto_time(ax: "Axes", study: Study) -> None:
    """Accuracy against training time."""
    _pareto(ax, study, "training_time")


@FIGURES.add(
    "pareto-parameters",
    "Accuracy against parameters",
    NAMED_ALONE,
)
def pareto_parameters(ax: "Axes", study: Study) -> None:
    """Accuracy against trainable parameters."""
    _pareto(ax, study, "parameters")


@FIGURES.add(
    "pareto-flops",
    "Accuracy against multiply-accumulates",
    NAMED_ALONE,
)
def pareto_flops(ax: "Axes", study: Study) -> None:
    """Accuracy against multiply-accumulates."""
    _pareto(ax, study, "flops")


MARKERS = {"best of the paper": ("*", 130), "ResNet-like": ("s", 45), "Inception-like": ("D", 42)}


def _pareto(ax: "Axes", study: Study, cost: str) -> None:
    if cost not in study.fronts:
        raise DatasetError(study.no_fronts[cost])
    front, scale = study.fronts[cost], SCALES[cost]
    x = cell_values(study.table, cost, study.epochs) / scale
    y = 100 * cell_values(study.table, study.final, study.epochs)
    known = rows_with_all({cost: x, study.final: y}, study.epochs)
    x, y = x[known], y[known]
    # Cells that hardly learn would squeeze all others into a line.
    low, high = float(np.quantile(y, 0.05)), float(y.max())
    room = max(high - low, 0.1)
    low -= 0.25 * room
    points(ax, x[y >= low], y[y >= low], log=(True, False))
    steps = front.values / (scale, 0.01)
    ax.step(steps[:, 0], steps[:, 1], where="post", color=VERMILLION, label="Pareto front")
    if cost == "training_time" and "Inception-like" in front.named:
        metrics = (cost, study.final)
        near = neighbor_values(
            study.table, paper.NAMED_CELLS["Inception-like"], metrics, study.epochs
        )
        ax.scatter(
            near[cost] / scale,
            100 * near[study.final],
            s=9,
            color=ORANGE,
            edgecolors="none",
            label="one edit from Inception-like",
            zorder=3,
        )
    for name, (at, value) in front.named.items():
        marker, size = MARKERS[name]
        if value >= low / 100:
            ax.scatter(
                at / scale,
                100 * value,
                marker=marker,
                s=size,
                color="white",
                edgecolors="#000000",
                linewidths=1.1,
                label=name,
                zorder=4,
            )
    label = LABELS[cost] + (f" at {in_epochs(study.epochs)}" if cost == "training_time" else "")
    below = float((y < low).mean())
    if below > 0:
        label += f"\n{100 * below:.1f} % of the cells lie below {low:.1f} %"
    ax.set(xlabel=label, ylabel=f"{study.final.replace('_', ' ')} (%)")
    ax.set_ylim(low, high + 0.07 * room)
    ax.set_xscale("log")
    plain_log(ax, "x")
    legend_below(ax, 3)
