"""How alike cells that lie near each other are; local optima."""

from typing import TYPE_CHECKING

import numpy as np

from nb101.analysis import paper
from nb101.analysis.figures.axes import legend_below, plain_log, whole_numbers
from nb101.analysis.figures.registry import Figures
from nb101.analysis.figures.style import BLUE, GREEN, INK, ORANGE, VERMILLION
from nb101.analysis.study import Study
from nb101.errors import DatasetError
from nb101.space.default import default_space

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURES = Figures()


@FIGURES.add(
    "rwa",
    "Correlation and distance",
    "Autocorrelation along random walks, with the band of its noise, over the square root of the "
    "steps; and how far cells at each alignment distance from the best one are above the average, "
    "as a share of what that is.",
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
        label="mean at a distance from the best cell",
    )
    ax.axhline(0, color=INK, linewidth=0.9)
    ax.set(
        xlabel="distance (square root of steps; edges and ops that differ)",
        ylabel="correlation",
        xlim=(0, 10),
    )
    legend_below(ax, 2)


@FIGURES.add(
    "volume",
    "Space near the best cells",
    "Share of all raw encodings within a Hamming distance of the nearest encoding of one of the "
    "best cells; and share of the unique cells within an alignment distance of the very best.",
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
    ax.set(
        xlabel="distance (edges and ops that differ)",
        ylabel="share of the space (%)",
        ylim=(0, 103),
    )
    ax.set_xlim(0, min(16, max(peaks.distances[-1], near.distances[-1])))
    legend_below(ax, 2)


@FIGURES.add(
    "distance",
    "Accuracy by distance from the best cell",
    "Mean and best accuracy of the cells at each alignment distance from the best one.",
)
def distance(ax: "Axes", study: Study) -> None:
    """Mean and best accuracy by alignment distance from the best cell."""
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
        xlabel="alignment distance from the best cell",
        ylabel=f"{found.metric.replace('_', ' ')} (%)",
    )
    whole_numbers(ax)
    legend_below(ax)


@FIGURES.add(
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
