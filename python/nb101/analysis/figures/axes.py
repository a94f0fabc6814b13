"""What several figures draw on their axes: points, bars, legends, scales."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101.analysis.common import Floats
from nb101.analysis.figures.style import BLUE, DIVERGING, MAP, SKY

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def whole_numbers(ax: "Axes") -> None:
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


FEW = 3000
"""Cells that are drawn one by one; more are counted in bins."""


def points(
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
        color_bar(ax, drawn, label, plain=True)
    else:
        color_bar(ax, drawn, label, extend="both")


def color_bar(
    ax: "Axes", drawn: Any, label: str, *, extend: str = "neither", plain: bool = False
) -> None:
    """Put a bar beside the axes that says what colours mean; with plain numbers if asked."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    figure: Any = ax.figure
    bar = figure.colorbar(drawn, ax=ax, pad=0.02, aspect=28, extend=extend)
    bar.set_label(label)
    bar.outline.set_visible(False)
    if plain:
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.10g}"))
        bar.ax.yaxis.set_minor_formatter(NullFormatter())


def heat_map(
    ax: "Axes",
    values: Sequence[Sequence[float | None]],
    rows: Sequence[str],
    columns: Sequence[str],
    label: str,
    *,
    digits: int,
) -> None:
    """Draw correlations as a grid of colours, with their numbers; `None` and NaN stay empty."""
    grid = np.array(values, dtype=float)
    drawn = ax.imshow(grid, cmap=DIVERGING, vmin=-1, vmax=1, aspect="auto")
    for i, line in enumerate(grid):
        for j, value in enumerate(line):
            text = "" if np.isnan(value) else f"{value:.{digits}f}"
            color = "white" if abs(value) > 0.65 else "#000000"
            size = 9 if len(columns) * (digits + 3) <= 45 and len(rows) <= 10 else 7
            ax.text(j, i, text, ha="center", va="center", color=color, fontsize=size)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    color_bar(ax, drawn, label)


def quantile_bars(
    ax: "Axes", at: Any, rows: Sequence[dict[str, Any]], what: str, scale: float, *, vertical: bool
) -> None:
    """Draw each row as two bars between quantiles and its mean, at a place on one axis."""
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


def legend_below(ax: "Axes", columns: int = 4) -> None:
    """Put the legend below a figure; within the axes where they share it with others."""
    figure: Any = ax.figure
    handles, labels = ax.get_legend_handles_labels()
    others = [each for each in figure.axes if each is not ax and each.get_label() != "<colorbar>"]
    if others:
        ax.legend(handles, labels, fontsize=8)
        return
    columns = min(columns, len(labels))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=8.5)
