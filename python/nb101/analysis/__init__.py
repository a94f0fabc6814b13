"""The paper's analysis of the space, for any table: statistics first, figures of them second.

Each statistic is a function of a table that returns columns: a frozen dataclass of arrays with
`to_arrow`, or an Arrow table; both say of which kind the numbers are, as `kind`, an attribute of
the one and an entry in the metadata of the other. Each takes the mean over the repeats of a cell,
leaves out cells that lack what it needs, and raises `DatasetError` or `MissingRunError` where
nothing is left; so tables with holes give what they can. `figures` draws them, `report` writes all
of it on one page.

Sections and figures are those of the paper (Ying et al. 2019, arXiv 1902.09635).
"""

import importlib
from typing import TYPE_CHECKING

from nb101.analysis.common import cell_values
from nb101.analysis.correlate import Pair, correlation, correlations
from nb101.analysis.distributions import Ecdf, Noise, budgets, ecdf, noise
from nb101.analysis.edits import Changes, edge_changes, op_replacement
from nb101.analysis.locality import (
    Autocorrelation,
    EditGraph,
    FitnessDistance,
    LocalOptima,
    PeakVolume,
    edit_graph,
    fitness_distance,
    local_optima,
    neighbor_values,
    peak_volume,
    random_walk_autocorrelation,
    random_walks,
)
from nb101.analysis.paper import NAMED_CELLS
from nb101.analysis.pareto import ParetoFront, pareto_front
from nb101.analysis.proxies import proxy_correlations
from nb101.analysis.shapes import features, structure

if TYPE_CHECKING:
    # What __getattr__ imports, for editors and type checkers.
    from nb101.analysis import figures as figures
    from nb101.analysis import paper as paper
    from nb101.analysis import report as report
    from nb101.analysis import study as study

_PARTS = ("figures", "paper", "report", "study")

__all__ = [
    "NAMED_CELLS",
    "Autocorrelation",
    "Changes",
    "Ecdf",
    "EditGraph",
    "FitnessDistance",
    "LocalOptima",
    "Noise",
    "Pair",
    "ParetoFront",
    "PeakVolume",
    "budgets",
    "cell_values",
    "correlation",
    "correlations",
    "ecdf",
    "edge_changes",
    "edit_graph",
    "features",
    "fitness_distance",
    "local_optima",
    "neighbor_values",
    "noise",
    "op_replacement",
    "pareto_front",
    "peak_volume",
    "proxy_correlations",
    "random_walk_autocorrelation",
    "random_walks",
    "structure",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import what not everybody needs, such as matplotlib, when it is first asked for."""
        if name in _PARTS:
            return importlib.import_module(f"nb101.analysis.{name}")
        raise AttributeError(f"module 'nb101.analysis' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_PARTS})
