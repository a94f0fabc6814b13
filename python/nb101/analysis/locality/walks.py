"""Random walks by single edits, and how a metric at one step tells that some steps on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101._base.checks import check_generator, check_whole
from nb101.analysis.common import Floats, Ints, Result, budget_of, cell_values, check_table
from nb101.analysis.locality.graph import EditGraph, edit_graph
from nb101.errors import ArgumentError, DatasetError, MissingRunError
from nb101.table.about import kind_of
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

Walk = Literal["encodings", "cells"]

CONFIDENCE = 1.96
"""Standard errors on each side of a 95 % interval."""


def random_walks(
    table: Table,
    *,
    walks: int = 1000,
    steps: int = 1000,
    seed: int = 0,
    graph: "Walk | EditGraph" = "encodings",
) -> npt.NDArray[np.int32]:
    """Walk at random, by single edits, through the cells that a table has runs of.

    Parameters
    ----------
    table
        The table; steps to cells that it does not have are drawn again.
    walks, steps
        How many walks, from cells drawn uniformly, and the steps of each.
    seed
        One seed gives the same walks everywhere.
    graph
        ``"encodings"``: each step flips one of the entries of the matrix of the most vertices, or
        changes one op, uniformly among those that give a cell of the table (the paper's). Many of
        these steps change dangling vertices only, and so keep the cell.
        ``"cells"``, or the graph that `edit_graph` gave: to a neighbour, uniformly.

    Returns
    -------
    Array of shape ``(walks, steps + 1)``: rows of `Table.cell_ids`; -1 from where a walk is stuck.

    Raises
    ------
    MissingRunError
        If the table is empty.
    SpaceError
        If the space is too large for ids.
    """
    check_table(table)
    check_whole("walks", walks)
    check_whole("steps", steps, 0)
    if not len(table):
        raise MissingRunError("the table has no runs")
    rng = check_generator("seed", seed)
    starts = rng.integers(table.num_cells, size=walks).astype(np.uint32)
    drawn = int(rng.integers(2**63))
    if isinstance(graph, EditGraph) or (isinstance(graph, str) and graph == "cells"):
        edges = graph if isinstance(graph, EditGraph) else edit_graph(table)
        return _core.walk_graph(edges.offsets, edges.targets, starts, steps, drawn)
    if isinstance(graph, str) and graph == "encodings":
        ids = table.cell_ids.astype(np.uint64)
        return _core.walk_encodings(table.space.core, ids, starts, steps, drawn)
    raise ArgumentError(
        f"graph must be 'encodings', 'cells' or an EditGraph, not {graph!r}", field="graph"
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class Autocorrelation(Result):
    """Correlation of a metric along random walks."""

    metric: str
    epochs: int
    graph: Walk
    walks: int
    steps: int
    lags: Ints
    """Steps between two points, from 0; shape ``(n,)``."""
    correlation: Floats
    """Autocorrelation at each lag, shape ``(n,)``."""
    noise: Floats
    """Half the width of the 95 % interval around each, from the spread between walks; ``(n,)``."""

    @property
    def distances(self) -> Floats:
        """Square roots of `lags`, the paper's axis: a walk of n steps gets some root of n far."""
        return np.sqrt(self.lags)

    @property
    def above_noise(self) -> float:
        """The largest of `distances` up to which each correlation is larger than its noise."""
        below = np.flatnonzero(~(self.correlation > self.noise))
        first = int(below[0]) if len(below) else len(self.lags)
        return float(self.distances[first - 1]) if first else float("nan")

    @property
    def never_below(self) -> bool:
        """Whether no correlation falls below its noise: `above_noise` is then a lower bound."""
        return bool((self.correlation > self.noise).all())

    @property
    def correlation_length(self) -> float:
        """Steps after which the correlation of one step, r, would fall to 1/e: ``-1 / ln r``."""
        if len(self.correlation) < 2 or not 0 < self.correlation[1] < 1:
            return float("nan")
        return float(-1 / np.log(self.correlation[1]))

    def to_arrow(self) -> "pa.Table":
        """Columns ``lag``, ``distance``, ``correlation``, ``noise``."""
        return self._to_arrow(
            {
                "lag": self.lags,
                "distance": self.distances,
                "correlation": self.correlation,
                "noise": self.noise,
            }
        )


def random_walk_autocorrelation(
    table: Table,
    epochs: int | None = None,
    *,
    metric: str = "validation_accuracy",
    graph: "Walk | EditGraph" = "encodings",
    walks: int = 1000,
    steps: int = 1000,
    lags: int = 100,
    seed: int = 0,
) -> Autocorrelation:
    """Correlate a metric with itself along random walks (RWA; section 3.3, figure 6 left).

    Parameters
    ----------
    table, graph, walks, steps, seed
        As for `random_walks`. Points without a value of the metric are left out.
    epochs, metric
        The budget, the largest by default, and the metric, by the mean of repeats.
    lags
        The largest distance along a walk, at most `steps`.

    Returns
    -------
    Autocorrelation: at lag k, the mean of products of deviations k steps apart, over the variance;
    mean and variance are those of all points visited. Where single walks differ by as much, it
    tells nothing: `Autocorrelation.noise`.

    Raises
    ------
    DatasetError, MissingRunError
        If the table has no such metric or budget, or its walks see a single value.
    """
    check_table(table)
    if not 1 <= lags <= steps:
        raise ArgumentError(
            f"lags must be from 1 to the number of steps, {steps}, not {lags!r}", field="lags"
        )
    budget = budget_of(table, epochs)
    values = cell_values(table, metric, budget)
    rows = random_walks(table, walks=walks, steps=steps, seed=seed, graph=graph)
    seen = np.where(rows >= 0, values[rows], np.nan)
    correlations, noise = autocorrelation(seen, lags)
    return Autocorrelation(
        kind=kind_of(table.provenance),
        metric=metric,
        epochs=budget,
        graph="cells" if isinstance(graph, EditGraph) else graph,
        walks=walks,
        steps=steps,
        lags=np.arange(lags + 1),
        correlation=correlations,
        noise=noise,
    )


def autocorrelation(seen: npt.ArrayLike, lags: int) -> tuple[Floats, Floats]:
    """Return the autocorrelation of walks and its noise, both of shape ``(lags + 1,)``.

    `seen` has shape ``(walks, steps + 1)``, NaN where nothing is known; see
    `random_walk_autocorrelation`. Noise is NaN for a single walk.
    """
    points = np.asarray(seen, dtype=np.float64)
    there = ~np.isnan(points)
    count = int(there.sum())
    mean = points[there].mean() if count else np.nan
    variance = points[there].var() if count else np.nan
    if not variance > 1e-15 * max(1.0, mean * mean):
        raise DatasetError("the walks see a single value: there is nothing to correlate")
    deviations = np.where(there, points - mean, 0.0)
    correlations, noise = np.empty(lags + 1), np.empty(lags + 1)
    steps = points.shape[1]
    for lag in range(lags + 1):
        early, late = slice(0, steps - lag), slice(lag, steps)
        products = np.einsum("ij,ij->i", deviations[:, early], deviations[:, late])
        pairs = (there[:, early] & there[:, late]).sum(axis=1)
        total = pairs.sum()
        if not total:
            correlations[lag] = noise[lag] = np.nan
            continue
        found = products.sum() / total
        correlations[lag] = found / variance
        # How far the sum of all walks would move if they were drawn again.
        own = products - found * pairs
        walks = int((pairs > 0).sum())
        error = np.sqrt((own @ own) * walks / (walks - 1)) / total if walks > 1 else np.nan
        noise[lag] = CONFIDENCE * error / variance
    return correlations, noise
