"""Figures of the statistics, each drawn on given matplotlib axes by one call.

`draw` draws any of `FIGURES` by its name, on axes of the caller or on a figure of its own; `save`
writes one to a file. What is predicted is marked as such in the figure itself.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from nb101._base.checks import suggest
from nb101.analysis import paper
from nb101.analysis.common import (
    Floats,
    cell_values,
    in_epochs,
    rows_with_all,
)
from nb101.analysis.correlate import correlation
from nb101.analysis.distributions import Ecdf
from nb101.analysis.locality import neighbor_values
from nb101.analysis.study import Study
from nb101.errors import ArgumentTypeError, DatasetError, UnknownNameError
from nb101.plain import counted, printable
from nb101.space.default import default_space
from nb101.table.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nb101.analysis.drawing import Drawing

# The palette of Okabe and Ito: its colours differ for colour-blind readers too.
BLUE, ORANGE, GREEN, VERMILLION = "#0072b2", "#e69f00", "#009e73", "#d55e00"
PURPLE, SKY = "#cc79a7", "#56b4e9"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION)
INK, FAINT = "#26292e", "#c9ced6"
"""Text and lines; grids. A page replaces them by colours of its own."""
MAP, DIVERGING = "viridis", "PuOr"

STYLE: dict[str, Any] = {
    "figure.figsize": (5.6, 3.9),
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 200,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",
    "svg.hashsalt": "nb101",
}

_SHORT = {"conv3x3-bn-relu": "conv 3×3", "conv1x1-bn-relu": "conv 1×1", "maxpool3x3": "max-pool"}
LABELS = {
    "training_time": "training time (s)",
    "parameters": "trainable parameters (millions)",
    "flops": "multiply-accumulates of an image (billions)",
}


def op_label(op: str) -> str:
    """Write the name of an op for a figure, where dollars would begin a formula."""
    return _SHORT.get(op, printable(op).replace("$", r"\$"))


SCALES = {"training_time": 1.0, "parameters": 1e6, "flops": 1e9}

POINTS = 2000
"""Most points of a curve; a distribution of more is drawn by that many quantiles."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One kind of figure."""

    title: str
    caption: str
    """What is to be seen; a sentence or two."""
    paper: str
    """Which figure of the paper it corresponds to; empty if none."""
    draw: Callable[["Axes", Study], None]


FIGURES: dict[str, Figure] = {}
"""All figures by name."""


def _figure(
    name: str, title: str, caption: str, paper: str = ""
) -> Callable[[Callable[["Axes", Study], None]], Callable[["Axes", Study], None]]:
    def add(function: Callable[["Axes", Study], None]) -> Callable[["Axes", Study], None]:
        FIGURES[name] = Figure(title=title, caption=caption, paper=paper, draw=function)
        return function

    return add


@overload
def draw(
    table: "Table | Study | str",
    name: "str | Table | Study",
    ax: None = None,
    *,
    epochs: int | None = None,
) -> "Drawing": ...
@overload
def draw(
    table: "Table | Study | str",
    name: "str | Table | Study",
    ax: "Axes",
    *,
    epochs: int | None = None,
) -> "Axes": ...
def draw(
    table: "Table | Study | str",
    name: "str | Table | Study",
    ax: "Axes | None" = None,
    *,
    epochs: int | None = None,
) -> "Drawing | Axes":
    """Draw a figure; a notebook shows it.

    Parameters
    ----------
    table
        A table, or the `Study` of one, which keeps what it has computed for the next figure.
    name
        One of `FIGURES`. The two may come in either order.
    ax
        Axes to draw on; those of a new figure if not given. The style is that of `STYLE`.
    epochs
        The budget, the largest by default; that of the study if `table` is one.

    Returns
    -------
    The figure, a `matplotlib.figure.Figure` of no backend: ``figure.savefig("ops.png")``,
    ``figure.axes``. The axes, if these were given.

    Raises
    ------
    UnknownNameError
        If there is no such figure.
    DatasetError, MissingRunError
        If the table lacks what it takes.
    """
    import matplotlib

    from nb101.analysis.drawing import Drawing

    found, study = _figure_and_study(table, name, epochs)
    with matplotlib.rc_context(STYLE):
        title = f"{found.title}, {study.mark}" if study.mark else found.title
        target = Drawing(label=title).add_subplot() if ax is None else ax
        found.draw(target, study)
        target.set_title(found.title)
        target.set_title(study.mark, loc="right", color=VERMILLION, fontsize=9)
    if ax is not None:
        return ax
    figure: Drawing = target.figure  # type: ignore[assignment]
    return figure


def _figure_and_study(
    table: "Table | Study | str", name: "str | Table | Study", epochs: int | None
) -> tuple[Figure, Study]:
    if isinstance(table, str):
        table, name = name, table
    if not isinstance(name, str) or not isinstance(table, (Table, Study)):
        raise ArgumentTypeError(
            "a figure is drawn of a table, by its name: draw(table, 'pareto-time'), not of "
            f"{type(table).__name__} and {type(name).__name__}",
            field="table",
        )
    found = find(name)
    return found, table if isinstance(table, Study) else Study(table, epochs)


def save(
    table: "Table | Study | str",
    name: "str | Table | Study",
    path: str | os.PathLike[str],
    *,
    epochs: int | None = None,
    format: str | None = None,  # noqa: A002
) -> None:
    """Draw a figure and write it to a file, which appears whole or not at all.

    Parameters
    ----------
    table, name, epochs
        As for `draw`.
    path
        The file; ``.png``, ``.svg`` or ``.pdf``.
    format
        ``"png"``, ``"svg"`` or ``"pdf"``; by the ending of `path` if not given.

    Raises
    ------
    UnknownNameError
        If there is no such figure.
    ArgumentError
        If there is no such format.
    DatasetError, MissingRunError
        If the table lacks what it takes.
    OSError
        If the file cannot be written.
    """
    from nb101._base.files import atomic

    find(table if isinstance(table, str) else name)
    kind = figure_format(path, format)
    figure = draw(table, name, epochs=epochs)
    with atomic(path) as file:
        render(figure, file, kind)


def figure_format(path: str | os.PathLike[str], format: str | None = None) -> str:  # noqa: A002
    """Return the format of a figure's file: as given, or by its ending."""
    from nb101._base import files

    return files.choose_format(path, format, {".png": "png", ".svg": "svg", ".pdf": "pdf"})


def render(figure: Any, file: Any, kind: str, *, transparent: bool = False) -> None:
    """Write a figure to an open binary file, the same bytes each time."""
    import matplotlib

    # Dates would make equal figures different files.
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    # In SVG only what has thousands of parts is an image, and pages hold many of them.
    dpi = 130 if kind == "svg" else STYLE["savefig.dpi"]
    with matplotlib.rc_context(STYLE):
        figure.savefig(file, format=kind, dpi=dpi, metadata=metadata, transparent=transparent)


def find(name: Any) -> Figure:
    """Return the figure of a name.

    Raises
    ------
    UnknownNameError
        If there is none; the message has those that there are.
    """
    if not isinstance(name, str) or name not in FIGURES:
        raise UnknownNameError(
            f"no figure is called {name!r}; {suggest(str(name), FIGURES)}", field="name"
        )
    return FIGURES[name]


# Distributions


@_figure(
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


@_figure(
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
    x, y = _thinned(100 * found.values)
    ax.step(x, 100 * y, where="post", label=label, color=color)


def _thinned(values: Floats) -> tuple[Floats, Floats]:
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
    _legend_below(ax)


@_figure(
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
        x, y = _thinned(spread)
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
    _legend_below(ax)


def _whole_numbers(ax: "Axes") -> None:
    """Put ticks of the horizontal axis at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def plain_log(ax: "Axes", axis: str) -> None:
    """Write 0.1, 1, 10 rather than powers, and a few numbers within a decade."""
    from matplotlib.ticker import (
        FuncFormatter,
        LogLocator,
        MaxNLocator,
        NullFormatter,
        NullLocator,
    )

    chosen = ax.xaxis if axis == "x" else ax.yaxis
    low, high = ax.get_xlim() if axis == "x" else ax.get_ylim()
    decades = np.log10(high / low)
    if decades < 0.5:
        # Few of the numbers of a decade, or none, are within so little.
        chosen.set_major_locator(MaxNLocator(5))
        chosen.set_minor_locator(NullLocator())
    else:
        some = (1.0, 2.0, 5.0) if decades > 0.9 else tuple(range(1, 10))
        chosen.set_major_locator(LogLocator(subs=(1.0,) if decades > 2.5 else some))
    chosen.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.10g}"))
    chosen.set_minor_formatter(NullFormatter())


# Cost and accuracy


@_figure(
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
    _points(ax, x, y, label, color=accuracy, limits=(low, max(high, low + 1e-3)))
    ax.set(xscale="log", yscale="log", xlabel=LABELS["parameters"])
    ax.set_ylabel(f"{LABELS['training_time']} at {in_epochs(study.epochs)}")
    plain_log(ax, "x")
    plain_log(ax, "y")


FEW = 3000
"""Cells that are drawn one by one; more are counted in bins."""


def _points(
    ax: "Axes",
    x: Floats,
    y: Floats,
    label: str = "cells in a bin",
    *,
    color: Floats | None = None,
    limits: tuple[float, float] | None = None,
    log: tuple[bool, bool] = (True, True),
) -> None:
    """Draw cells by two numbers: their density, or the mean of a third, with a bar for it."""
    low, high = (None, None) if limits is None else limits
    scale: dict[str, Any] = {"vmin": low, "vmax": high, "cmap": MAP}
    drawn: Any
    if len(x) <= FEW:
        if color is None:
            ax.scatter(x, y, s=12, color=BLUE, alpha=0.5, linewidths=0)
            return
        drawn = ax.scatter(x, y, c=color, s=14, linewidths=0, **scale)
    else:
        if color is None:
            scale["bins"] = "log"
        drawn = ax.hexbin(
            x,
            y,
            C=color,
            gridsize=90 if len(x) > 50_000 else 50,
            xscale="log" if log[0] else "linear",
            yscale="log" if log[1] else "linear",
            mincnt=1,
            linewidths=0.1,
            rasterized=True,
            **scale,
        )
    if color is None:
        _color_bar(ax, drawn, label, plain=True)
    else:
        _color_bar(ax, drawn, label, extend="both")


def _color_bar(
    ax: "Axes", drawn: Any, label: str, *, extend: str = "neither", plain: bool = False
) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    figure: Any = ax.figure
    bar = figure.colorbar(drawn, ax=ax, pad=0.02, aspect=28, extend=extend)
    bar.set_label(label)
    bar.outline.set_visible(False)
    if plain:
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.10g}"))
        bar.ax.yaxis.set_minor_formatter(NullFormatter())


@_figure(
    "pareto-time",
    "Accuracy against training time",
    "All cells, in bins where they are many, the front of those that no other cell beats in both, "
    "and of the cells that the paper names, and of those one edit away from the Inception-like "
    "one, those that the table has.",
    "3 (right)",
)
def pareto_time(ax: "Axes", study: Study) -> None:
    """Accuracy against training time."""
    _pareto(ax, study, "training_time")


@_figure(
    "pareto-parameters",
    "Accuracy against parameters",
    "All cells, in bins where they are many, the front of those that no other cell beats in both, "
    "and those of the named cells that the table has.",
)
def pareto_parameters(ax: "Axes", study: Study) -> None:
    """Accuracy against trainable parameters."""
    _pareto(ax, study, "parameters")


@_figure(
    "pareto-flops",
    "Accuracy against multiply-accumulates",
    "All cells, in bins where they are many, the front of those that no other cell beats in both, "
    "and those of the named cells that the table has.",
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
    _points(ax, x[y >= low], y[y >= low], log=(True, False))
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
    _legend_below(ax, 3)


# Correlation


@_figure(
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
    _points(ax, x[inside], y[inside], log=(False, False))
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


@_figure(
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
    drawn = ax.imshow(values, cmap=DIVERGING, vmin=-1, vmax=1, aspect="auto")
    for i, line in enumerate(values):
        for j, value in enumerate(line):
            text = "" if np.isnan(value) else f"{value:.3f}"
            color = "white" if abs(value) > 0.65 else "#000000"
            ax.text(j, i, text, ha="center", va="center", color=color, fontsize=9)
    ax.set_xticks(range(len(tops)), [f"{100 * top:g} %" for top in tops])
    ax.set_yticks(range(len(pairs)), [f"{a} and {b}" for a, b in pairs])
    ax.set(xlabel="best cells looked at", ylabel="epochs")
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    _color_bar(ax, drawn, "Spearman's coefficient")


# Edits


@_figure(
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


@_figure(
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


@_figure(
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
    _quantile_bars(ax, at, rows, what, 100, vertical=False)
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
    _legend_below(ax)


def _quantile_bars(
    ax: "Axes", at: Any, rows: Sequence[dict[str, Any]], what: str, scale: float, *, vertical: bool
) -> None:
    lines = ax.vlines if vertical else ax.hlines

    def column(key: str) -> Floats:
        return scale * np.array([row[f"{what}_{key}"] for row in rows], dtype=float)

    lines(at, column("q05"), column("q95"), color=SKY, linewidth=1.6, label="5 % to 95 %")
    lines(at, column("q25"), column("q75"), color=BLUE, linewidth=6, label="25 % to 75 %")
    mean = column("mean")
    x, y = (at, mean) if vertical else (mean, at)
    ax.scatter(
        x, y, s=34, color="white", edgecolors="#000000", linewidths=1.1, label="mean", zorder=3
    )


def _legend_below(ax: "Axes", columns: int = 4) -> None:
    figure: Any = ax.figure
    handles, labels = ax.get_legend_handles_labels()
    others = [each for each in figure.axes if each is not ax and each.get_label() != "<colorbar>"]
    if others:
        ax.legend(handles, labels, fontsize=8)
        return
    columns = min(columns, len(labels))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=8.5)


# Structure


def _by_feature(feature: str, axis_label: str) -> Callable[["Axes", Study], None]:
    def drawn(ax: "Axes", study: Study) -> None:
        rows = [row for row in study.structure.to_pylist() if row["feature"] == feature]
        at = np.array([row["value"] for row in rows])
        _quantile_bars(ax, at, rows, "accuracy", 100, vertical=True)
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
        _legend_below(ax)

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
    _figure(_name, f"Accuracy by {_name}", _SHAPE, _reference)(_by_feature(_name, _label))


@_figure(
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
    _whole_numbers(ax)
    _legend_below(ax)


@_figure(
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
    _whole_numbers(ax)
    _legend_below(ax)


# Locality


@_figure(
    "rwa",
    "Correlation and distance",
    "Autocorrelation along random walks, with the band of its noise, over the square root of the "
    "steps; and how far cells at an edit distance from the best one are above the average, as a "
    "share of what that is.",
    "6 (left)",
)
def rwa(ax: "Axes", study: Study) -> None:
    """Random-walk autocorrelation, and fitness by distance from the best cell."""
    names = {"encodings": "walk through raw encodings", "cells": "walk through unique cells"}
    for (name, found), color in zip(study.walks.items(), (BLUE, GREEN), strict=True):
        low, high = found.correlation - found.noise, found.correlation + found.noise
        ax.fill_between(found.distances, low, high, color=color, alpha=0.25, linewidth=0)
        ax.plot(found.distances, found.correlation, color=color, label=names[name])
    near = study.fitness_distance
    shown = near.distances <= 10
    ax.plot(
        near.distances[shown],
        near.relative[shown],
        color=ORANGE,
        marker="o",
        markersize=4,
        label="mean at an edit distance from the best",
    )
    ax.axhline(0, color=INK, linewidth=0.9)
    ax.set(xlabel="distance (square root of steps; edits)", ylabel="correlation", xlim=(0, 10))
    _legend_below(ax, 2)


@_figure(
    "volume",
    "Space near the best cells",
    "Share of all raw encodings within a Hamming distance of the nearest encoding of one of the "
    "best cells; and share of the unique cells within an edit distance of the very best.",
    "6 (right)",
)
def volume(ax: "Axes", study: Study) -> None:
    """Share of the space within each distance of the best cells."""
    peaks, near = study.peak_volume, study.fitness_distance
    n = len(peaks.cell_ids)
    what = "the best cell" if n == 1 else f"the {n} best cells"
    ax.plot(
        peaks.distances,
        100 * peaks.share_within,
        marker="o",
        markersize=4,
        color=BLUE,
        label=f"encodings, from {what}",
    )
    ax.plot(
        near.distances,
        100 * near.share_within,
        marker="s",
        markersize=4,
        color=GREEN,
        label="cells, from the best cell",
    )
    if study.comparable and study.table.space == default_space():
        ax.scatter(
            6,
            100 * paper.PEAK_SHARE_WITHIN_6,
            marker="D",
            s=45,
            facecolors="none",
            edgecolors=VERMILLION,
            linewidths=1.5,
            label="paper: encodings, from its 12 best cells",
            zorder=4,
        )
    # All is within that of a few cells; the last distances add nothing.
    ax.set(xlabel="distance (edits)", ylabel="share of the space (%)", ylim=(0, 103))
    ax.set_xlim(0, min(16, max(peaks.distances[-1], near.distances[-1])))
    _legend_below(ax, 2)


@_figure(
    "distance",
    "Accuracy by distance from the best cell",
    "Mean and best accuracy of the cells at each edit distance from the best one.",
)
def distance(ax: "Axes", study: Study) -> None:
    """Mean and best accuracy by edit distance from the best cell."""
    found = study.fitness_distance
    ax.plot(found.distances, 100 * found.best, marker="s", markersize=4, color=GREEN, label="best")
    ax.plot(found.distances, 100 * found.mean, marker="o", markersize=4, color=BLUE, label="mean")
    ax.axhline(100 * found.values.mean(), color=INK, linewidth=0.9, linestyle=":")
    ax.text(
        0.99,
        100 * found.values.mean(),
        "mean of all cells",
        transform=ax.get_yaxis_transform(),
        ha="right",
        va="bottom",
        fontsize=8.5,
    )
    ax.set(
        xlabel="edit distance from the best cell", ylabel=f"{found.metric.replace('_', ' ')} (%)"
    )
    _whole_numbers(ax)
    _legend_below(ax)


@_figure(
    "optima",
    "Local optima and their basins",
    "Each local optimum of the graph of single edits by its accuracy, and the number of cells from "
    "which steepest ascent ends there.",
)
def optima(ax: "Axes", study: Study) -> None:
    """Basins of attraction of local optima."""
    found = study.local_optima
    kept = ~found.isolated
    if not kept.any():
        raise DatasetError("no local optimum has a neighbour in the table")
    values, basins = 100 * found.values[kept], found.basins[kept]
    low = float(np.quantile(values, 0.02))
    shown = values >= low
    ax.scatter(
        values[shown],
        basins[shown],
        s=9,
        color=BLUE,
        alpha=0.35,
        linewidths=0,
        rasterized=True,
    )
    ax.scatter(
        values[0],
        basins[0],
        marker="*",
        s=130,
        color="white",
        edgecolors="#000000",
        linewidths=1.1,
        label="the only local optimum"
        if len(values) == 1
        else f"best of {len(values):,} local optima",
        zorder=3,
    )
    ax.set(yscale="log", xlabel=f"{found.metric.replace('_', ' ')} of the optimum (%)")
    ax.set_ylabel("cells in its basin")
    plain_log(ax, "y")
    ax.legend(loc="lower right")
