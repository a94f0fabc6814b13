"""Figures of the statistics, each drawn on given matplotlib axes by one call.

`draw` draws any of `FIGURES` by its name, on axes of the caller or on a figure of its own; `save`
writes one to a file. What is predicted is marked as such in the figure itself.
"""

from nb101.analysis.figures.axes import FEW, plain_log
from nb101.analysis.figures.catalog import FIGURES, find
from nb101.analysis.figures.correlations import budget_correlation, splits
from nb101.analysis.figures.costs import (
    MARKERS,
    pareto_flops,
    pareto_parameters,
    pareto_time,
    time_parameters,
)
from nb101.analysis.figures.distributions import POINTS, ecdf, ecdf_budgets, noise
from nb101.analysis.figures.edits import edge_accuracy, op_accuracy, op_time
from nb101.analysis.figures.locality import distance, optima, rwa, volume
from nb101.analysis.figures.proxies import proxies, proxies_parts
from nb101.analysis.figures.registry import Figure
from nb101.analysis.figures.saving import draw, figure_format, render, save
from nb101.analysis.figures.structure import ops, structure_time
from nb101.analysis.figures.style import (
    BLUE,
    CYCLE,
    DIVERGING,
    FAINT,
    GREEN,
    INK,
    LABELS,
    MAP,
    ORANGE,
    PURPLE,
    SCALES,
    SKY,
    STYLE,
    VERMILLION,
    op_label,
)

__all__ = [
    "BLUE",
    "CYCLE",
    "DIVERGING",
    "FAINT",
    "FEW",
    "FIGURES",
    "GREEN",
    "INK",
    "LABELS",
    "MAP",
    "MARKERS",
    "ORANGE",
    "POINTS",
    "PURPLE",
    "SCALES",
    "SKY",
    "STYLE",
    "VERMILLION",
    "Figure",
    "budget_correlation",
    "distance",
    "draw",
    "ecdf",
    "ecdf_budgets",
    "edge_accuracy",
    "figure_format",
    "find",
    "noise",
    "op_accuracy",
    "op_label",
    "op_time",
    "ops",
    "optima",
    "pareto_flops",
    "pareto_parameters",
    "pareto_time",
    "plain_log",
    "proxies",
    "proxies_parts",
    "render",
    "rwa",
    "save",
    "splits",
    "structure_time",
    "time_parameters",
    "volume",
]
