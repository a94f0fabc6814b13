"""Locality: walks, distances to the best cells, and where hill climbing ends (section 3.3).

Two graphs of single edits are looked at. That of **encodings** is the paper's: raw matrices of the
most vertices, with all ops, one flipped entry or changed op apart, whatever they are pruned to.
That of **cells** joins unique cells where a single edit leads from one to the other.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101._base.checks import check_generator, check_whole
from nb101._base.lazy import cached_property
from nb101.analysis.common import (
    Floats,
    Ints,
    Result,
    Short,
    budget_of,
    cell_values,
    check_names,
    check_table,
    in_epochs,
    rows_of,
)
from nb101.analysis.correlate import correlation
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    CellIdError,
    DatasetError,
    MissingRunError,
)
from nb101.space.lookup import CellOrId
from nb101.table.schema import KIND, Direction, kind_of
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

Walk = Literal["encodings", "cells"]

PEAKS = 12
"""Cells that the paper takes as equally good: the best and 11 others (section 3.3)."""
LEAST_RUNS = 3
"""Runs of a cell, as the paper's have, from which a standard error is taken: that of two normal
draws is off by a factor of more than two in 43 % of cases."""
CONFIDENCE = 1.96
"""Standard errors on each side of a 95 % interval."""


@dataclass(frozen=True, kw_only=True, repr=False)
class EditGraph(Short):
    """Which cells of a table are one edit apart, as a sparse matrix in the layout of CSR.

    Two cells are neighbours as in `SearchSpace.neighbors`: a single edit leads from one to the
    other, either way. Rows are those of `Table.cell_ids`.
    """

    cell_ids: Ints
    offsets: npt.NDArray[np.int64]
    """Neighbours of row i are ``targets[offsets[i]:offsets[i + 1]]``; shape ``(n + 1,)``."""
    targets: npt.NDArray[np.uint32]
    """Rows, ascending for each; shape ``(edges,)``, each edge once from either side."""

    def __len__(self) -> int:
        return len(self.cell_ids)

    @property
    def degrees(self) -> Ints:
        """Number of neighbours of each row, shape ``(n,)``."""
        return np.diff(self.offsets)

    def neighbors(self, row: int) -> npt.NDArray[np.uint32]:
        """Return the rows of the neighbours of a row, ascending."""
        if not 0 <= row < len(self):
            raise CellIdError(f"row {row} is out of range: the graph has {len(self)} rows")
        return self.targets[self.offsets[row] : self.offsets[row + 1]]

    def linked(self, known: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.bool_]:
        """Mark the rows that have a neighbour, of those marked in `known` if given; ``(n,)``."""
        if known is None:
            return np.asarray(self.degrees > 0)
        before = np.concatenate([[0], np.cumsum(known[self.targets])])
        return np.asarray(before[self.offsets[1:]] > before[self.offsets[:-1]])


def edit_graph(table: Table) -> EditGraph:
    """Return the graph of single edits on the cells that a table has runs of.

    That of the whole space has 9.2 million entries: 21.6 neighbours a cell on average. Cells of few
    vertices have many, since most edits that prune lead to them: input to output has 52,602.

    Raises
    ------
    SpaceError
        If the space is too large for ids.
    """
    check_table(table)
    ids = table.cell_ids
    offsets, targets = _core.edit_graph(table.space._core, ids.astype(np.uint64))
    return EditGraph(cell_ids=ids, offsets=offsets, targets=targets)


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
        return _core.walk_encodings(table.space._core, ids, starts, steps, drawn)
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


@dataclass(frozen=True, kw_only=True, repr=False)
class FitnessDistance(Result):
    """A metric by the edit distance to a cell."""

    metric: str
    direction: Direction
    """Whether less or more of the metric is better."""
    epochs: int
    target: int
    """Id of the cell that distances are to: the best, if none was named."""
    distance: npt.NDArray[np.uint8]
    """Edit distance of each cell that has a value; shape ``(n_cells,)``."""
    values: Floats
    """The metric of each of these cells; shape ``(n_cells,)``."""

    @property
    def distances(self) -> Ints:
        """All distances from 0 to the largest, shape ``(d,)``."""
        return np.arange(len(self.cells))

    @cached_property
    def cells(self) -> Ints:
        """Cells at each distance, shape ``(d,)``."""
        return np.bincount(self.distance)

    @property
    def share_within(self) -> Floats:
        """Share of the cells at each distance or nearer, shape ``(d,)``."""
        return np.asarray(np.cumsum(self.cells) / len(self.values))

    @cached_property
    def mean(self) -> Floats:
        """Mean of the metric at each distance, shape ``(d,)``; NaN where there is no cell."""
        sums = np.bincount(self.distance, weights=self.values)
        with np.errstate(invalid="ignore"):
            return np.asarray(sums / self.cells)

    @cached_property
    def best(self) -> Floats:
        """Best value at each distance (of costs the lowest), ``(d,)``; NaN where no cell is."""
        sign = _sign(self.direction)
        best = np.full(len(self.cells), -np.inf)
        np.maximum.at(best, self.distance, sign * self.values)
        return np.where(self.cells > 0, sign * best, np.nan)

    @property
    def relative(self) -> Floats:
        """Mean above that of all cells, as a share of what the target is above it; shape ``(d,)``.

        It is 1 at the target and 0 where cells are like any others, and so can be drawn beside an
        autocorrelation.
        """
        level = self.values.mean()
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((self.mean - level) / (self.mean[0] - level))

    @property
    def coefficient(self) -> float:
        """Fitness-distance correlation: Pearson's of value and distance (Jones 1995).

        Near -1 where the metric rises steadily towards the target, near 1 where it falls, as
        costs do towards the cell of the lowest.
        """
        return correlation(self.distance, self.values)

    def to_arrow(self) -> "pa.Table":
        """Columns ``distance``, ``cells``, ``share_within``, ``mean``, ``best``, ``relative``."""
        return self._to_arrow(
            {
                "distance": self.distances,
                "cells": self.cells,
                "share_within": self.share_within,
                "mean": self.mean,
                "best": self.best,
                "relative": self.relative,
            }
        )


def fitness_distance(
    table: Table,
    epochs: int | None = None,
    *,
    metric: str = "test_accuracy",
    direction: Direction | None = None,
    target: CellOrId | None = None,
) -> FitnessDistance:
    """Relate a metric of all cells to their distance from the best one (section 3.3).

    The distance is `nb101.alignment_distance`: edges and ops that differ under the best alignment
    of vertices. The least number of edits, `nb101.edit_distance`, is no measure of how alike cells
    are: pruning makes small cells neighbours of thousands. Distances between raw encodings, which
    the paper's figure of 35.4 % is of, are those of `peak_volume`.

    Parameters
    ----------
    table
        The table; cells without a value are left out.
    epochs, metric
        The budget, the largest by default, and the metric, by the mean of repeats.
    direction
        Whether less or more of the metric is better; `Table.direction` by default.
    target
        A cell, its id or hash; that with the best mean by default. It must have a value.

    Raises
    ------
    DatasetError, MissingRunError
        If the table has no such metric or budget, or no value of the target.
    """
    check_table(table)
    budget = budget_of(table, epochs)
    values = cell_values(table, metric, budget)
    better = table.direction(metric, direction)
    known = np.flatnonzero(~np.isnan(values))
    if target is None:
        row = int(np.nanargmax(_sign(better) * values))
    else:
        row = int(rows_of(table, np.array([table.id_of(target)]))[0])
        if row < 0 or np.isnan(values[row]):
            raise MissingRunError(
                f"the table has no {metric} of cell {table.id_of(target)} at {in_epochs(budget)}"
            )
    target_id = int(table.cell_ids[row])
    distance = table.space[table.cell_ids[known]].alignment_distance(table.space[target_id])
    return FitnessDistance(
        kind=kind_of(table.provenance),
        metric=metric,
        direction=better,
        epochs=budget,
        target=target_id,
        distance=distance,
        values=values[known],
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class PeakVolume(Result):
    """How much of the space of raw encodings lies near the best cells."""

    metric: str
    epochs: int
    rule: str
    """What makes a cell one of the best."""
    cell_ids: Ints
    """The best cells, the very best first; shape ``(n,)``."""
    encodings: Ints
    """Raw encodings of each of these, shape ``(n,)``."""
    counts: Ints
    """Encodings of the whole space by their distance to the nearest of those, shape ``(d,)``."""
    valid_counts: Ints
    """Those of them that give a cell of the space, shape ``(d,)``."""

    @property
    def distances(self) -> Ints:
        """All distances, from 0: entries of the matrix and ops that differ; shape ``(d,)``."""
        return np.arange(len(self.counts))

    @property
    def share_within(self) -> Floats:
        """Share of all encodings at each distance or nearer, shape ``(d,)``."""
        return np.asarray(np.cumsum(self.counts) / self.counts.sum())

    @property
    def valid_share_within(self) -> Floats:
        """The same among valid encodings, shape ``(d,)``."""
        return np.asarray(np.cumsum(self.valid_counts) / self.valid_counts.sum())

    def to_arrow(self) -> "pa.Table":
        """Columns ``distance``, ``encodings`` and ``valid`` with their shares within it."""
        return self._to_arrow(
            {
                "distance": self.distances,
                "encodings": self.counts,
                "share_within": self.share_within,
                "valid": self.valid_counts,
                "valid_share_within": self.valid_share_within,
            }
        )


def peak_volume(
    table: Table,
    epochs: int | None = None,
    *,
    metric: str = "test_accuracy",
    direction: Direction | None = None,
    top: int | None = None,
) -> PeakVolume:
    """Measure how much of the space lies near the best cells (section 3.3, figure 6 right).

    The space is that of raw encodings, 2^21 matrices times 3^5 choices of ops, and each is compared
    exactly with all encodings of the best cells; isomorphic forms are peaks of their own, as are
    those with dangling vertices. The paper's figure, 35.4 % within a distance of 6, is of this
    kind, for 12 cells of 11,570 encodings.

    Parameters
    ----------
    table
        The table.
    epochs, metric
        The budget, the largest by default, and the metric, by the mean of repeats.
    direction
        Whether less or more of the metric is better; `Table.direction` by default.
    top
        How many cells are the best. If not given: those whose mean is within two standard errors
        of that of the best cell (the paper's rule); where that has fewer than `LEAST_RUNS` runs
        to tell that by, the best 12.

    Raises
    ------
    DatasetError, MissingRunError
        If the table has no such metric or budget.
    SpaceError
        If the space has more than 2^31 raw encodings.
    """
    check_table(table)
    budget = budget_of(table, epochs)
    values = cell_values(table, metric, budget)
    height = _sign(table.direction(metric, direction)) * values
    order = np.argsort(-height, kind="stable")
    order = order[~np.isnan(values[order])]
    error = _standard_error(table, metric, budget, int(order[0]))
    if top is not None:
        check_whole("top", top)
        rows = order[:top]
        rule = _best_cells(len(rows))
    elif error is None:
        rows = order[:PEAKS]
        rule = (
            f"{_best_cells(len(rows))}: without repeats of the best one, {LEAST_RUNS} runs at "
            "least, there is no standard error to go by"
        )
    else:
        rows = order[height[order] >= height[order[0]] - 2 * error]
        rule = "cells within two standard errors of the mean of the best"
    cells = table.space[table.cell_ids[rows]]
    found = _core.encoding_distances(table.space._core, cells._edges, cells._labels)
    encodings, counts, valid = (column.astype(np.int64) for column in found)
    return PeakVolume(
        kind=kind_of(table.provenance),
        metric=metric,
        epochs=budget,
        rule=rule,
        cell_ids=table.cell_ids[rows],
        encodings=encodings,
        counts=counts,
        valid_counts=valid,
    )


def _best_cells(n: int) -> str:
    return "the best cell" if n == 1 else f"the {n:,} best cells"


def _standard_error(table: Table, metric: str, epochs: int, row: int) -> float | None:
    runs = table.values(metric, epochs)[row].astype(np.float64)
    runs = runs[~np.isnan(runs)]
    return float(runs.std(ddof=1) / np.sqrt(len(runs))) if len(runs) >= LEAST_RUNS else None


def _sign(direction: Direction) -> float:
    """Return what makes more of a metric better: -1 where less of it is."""
    return -1.0 if direction == "min" else 1.0


@dataclass(frozen=True, kw_only=True, repr=False)
class LocalOptima(Result):
    """Where steepest ascent ends."""

    metric: str
    epochs: int
    cell_ids: Ints
    """The cells that have a value, ascending; shape ``(n_cells,)``."""
    ends: Ints
    """Position among `cell_ids` of the optimum that each of them leads to; ``(n_cells,)``."""
    steps: Ints
    """Steps to there, shape ``(n_cells,)``."""
    optima: Ints
    """Ids of the local optima, the best first; shape ``(n_optima,)``."""
    values: Floats
    """The metric of each optimum, shape ``(n_optima,)``."""
    basins: Ints
    """Cells that lead to each optimum, itself included; shape ``(n_optima,)``."""
    isolated: npt.NDArray[np.bool_]
    """Which optima have no neighbour with a value, and so are the best of themselves only;
    ``(n_optima,)``."""

    @property
    def global_share(self) -> float:
        """Share of the cells from which ascent ends at the best cell."""
        return float(self.basins[0] / len(self.cell_ids))

    def to_arrow(self) -> "pa.Table":
        """Columns ``cell_id``, ``value``, ``basin`` and ``isolated`` of the optima."""
        return self._to_arrow(
            {
                "cell_id": self.optima,
                "value": self.values,
                "basin": self.basins,
                "isolated": self.isolated,
            }
        )


def local_optima(
    table: Table,
    epochs: int | None = None,
    *,
    metric: str = "validation_accuracy",
    direction: Direction | None = None,
    graph: EditGraph | None = None,
) -> LocalOptima:
    """Find the local optima of the graph of cells, and their basins under steepest ascent.

    From a cell, ascent goes to the best of its neighbours (the one with the lowest id of several)
    as long as that is better than the cell. A cell without a better neighbour is an optimum; one
    without any neighbour is an optimum by lack of data only, and marked as such.

    Parameters
    ----------
    table
        The table; cells without a value are left out, as neighbours too.
    epochs, metric
        The budget, the largest by default, and the metric, by the mean of repeats.
    direction
        Whether less or more of the metric is better, so that ascent goes to the lowest or the
        highest; `Table.direction` by default.
    graph
        What `edit_graph` gave for this table, if it is there already.

    Raises
    ------
    DatasetError, MissingRunError
        If the table has no such metric or budget.
    SpaceError
        If the space is too large for ids.
    """
    check_table(table)
    budget = budget_of(table, epochs)
    values = cell_values(table, metric, budget)
    edges = edit_graph(table) if graph is None else graph
    if not isinstance(edges, EditGraph):
        raise ArgumentTypeError(f"graph must be an EditGraph, not {graph!r}", field="graph")
    if len(edges) != len(values):
        raise ArgumentError(
            f"the graph has {len(edges):,} cells, and the table {len(values):,}",
            field="graph",
        )
    height = _sign(table.direction(metric, direction)) * values
    following, ends = (
        x.astype(np.int64) for x in _core.ascend(edges.offsets, edges.targets, height)
    )
    steps = np.zeros(len(values), dtype=np.int64)
    at = np.arange(len(values))
    while (moving := following[at] != at).any():
        steps += moving
        at = following[at]
    known = ~np.isnan(values)
    position = np.cumsum(known) - 1
    basins = np.bincount(ends[known], minlength=len(values))
    optima = np.flatnonzero(basins)
    optima = optima[np.argsort(-height[optima], kind="stable")]
    return LocalOptima(
        kind=kind_of(table.provenance),
        metric=metric,
        epochs=budget,
        cell_ids=table.cell_ids[known],
        ends=position[ends[known]],
        steps=steps[known],
        optima=table.cell_ids[optima],
        values=values[optima],
        basins=basins[optima],
        isolated=~edges.linked(known)[optima],
    )


def neighbor_values(
    table: Table, cell: CellOrId, metrics: tuple[str, ...], epochs: int | None = None
) -> dict[str, Any]:
    """Return metrics of the cells one edit away from a cell, those that the table has (figure 3).

    Returns
    -------
    Dict of arrays: ``cell_id`` and each metric, NaN where there is no run; and under ``kind`` a
    word: of which kind the numbers of the table are.
    """
    check_table(table)
    neighbors = table.space.neighbors(table.space[table.id_of(cell)])
    rows = rows_of(table, table.space.index(neighbors))
    rows = rows[rows >= 0]
    values = {
        metric: cell_values(table, metric, epochs)[rows]
        for metric in check_names("metrics", metrics)
    }
    return {"cell_id": table.cell_ids[rows], **values, KIND: kind_of(table.provenance)}
