"""Locality: walks, distances to the best cells, and where hill climbing ends (section 3.3).

Two graphs of single edits are looked at. That of **encodings** is the paper's: raw matrices of the
most vertices, with all ops, one flipped entry or changed op apart, whatever they are pruned to.
That of **cells** joins unique cells where a single edit leads from one to the other: `graph`.
`walks` go through both, `distance` measures in both, and `optima` are of the second.
"""

from nb101.analysis.locality.distance import (
    LEAST_RUNS,
    PEAKS,
    FitnessDistance,
    PeakVolume,
    fitness_distance,
    peak_volume,
)
from nb101.analysis.locality.graph import EditGraph, edit_graph, neighbor_values
from nb101.analysis.locality.optima import LocalOptima, local_optima
from nb101.analysis.locality.walks import (
    CONFIDENCE,
    Autocorrelation,
    Walk,
    autocorrelation,
    random_walk_autocorrelation,
    random_walks,
)

__all__ = [
    "CONFIDENCE",
    "LEAST_RUNS",
    "PEAKS",
    "Autocorrelation",
    "EditGraph",
    "FitnessDistance",
    "LocalOptima",
    "PeakVolume",
    "Walk",
    "autocorrelation",
    "edit_graph",
    "fitness_distance",
    "local_optima",
    "neighbor_values",
    "peak_volume",
    "random_walk_autocorrelation",
    "random_walks",
]
