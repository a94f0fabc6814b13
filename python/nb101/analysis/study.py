"""All statistics of one table, each computed when it is first asked for."""

from collections.abc import Container
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101._base.lazy import cached_property
from nb101.analysis import correlate, distributions, edits, locality, paper, pareto, proxies, shapes
from nb101.analysis.common import (
    Floats,
    budget_of,
    cell_values,
    has_metric,
    in_epochs,
    skeleton_of,
    stable_order,
)
from nb101.analysis.recipes import differences
from nb101.errors import DatasetError
from nb101.plain import counted
from nb101.space.default import default_space
from nb101.table.about import kind_of, prediction_mark
from nb101.table.embedded import EMBEDDED
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

    from nb101.proxies import Scores

__all__ = ["Study"]

BULKY = ("op_replacement", "edge_changes", "graph")
"""Attributes of 333 MB for NAS-Bench-101, all that is shown of which others sum up."""
COSTS = ("training_time", "parameters", "flops")
FEWEST = 20
"""Cells that would hardly have one order in two metrics by chance."""
NOTHING_TO_CORRELATE = "the table has one accuracy and no repeats: nothing to correlate"


class Study:
    """The statistics of a table at one budget, for figures and reports.

    Parameters
    ----------
    table
        The table.
    epochs
        The budget that is looked at, the largest by default; some statistics compare all budgets.
    seed
        Of random walks.
    scores
        Scores of zero-cost proxies, which are then compared with accuracies.

    Raises
    ------
    MissingRunError
        If the table has no run of this budget. Each attribute raises `DatasetError` or
        `MissingRunError` where the table lacks what it takes; `walks` and `local_optima` also
        where most cells have no neighbour in the table.
    """

    def __init__(
        self,
        table: Table,
        epochs: int | None = None,
        *,
        seed: int = 0,
        scores: "Scores | None" = None,
    ) -> None:
        self.table = table
        self.epochs = budget_of(table, epochs)
        self.seed = seed
        self.scores = None if scores is None else proxies.check_scores(scores)

    def known(self, but: Container[str] = ()) -> dict[str, Any]:
        """Return what has been computed so far, by attribute, but for some and those of `BULKY`."""
        given = ("table", "epochs", "seed", "scores", *BULKY)
        computed = vars(self).copy().items()
        return {name: value for name, value in computed if name not in given and name not in but}

    @property
    def mark(self) -> str:
        """What to say of numbers that were not measured; empty if all were."""
        return prediction_mark(self.table.provenance)

    @property
    def kind(self) -> str:
        """What kind of numbers there are: measured, predicted, partly predicted or unknown."""
        return self.mark or kind_of(self.table.provenance)

    @property
    def best_of_three(self) -> bool:
        """Whether the table was learnt from records with the best run of each cell only."""
        return self.table.provenance.get("name") == EMBEDDED

    @property
    def predicted(self) -> bool:
        """Whether some of the numbers are predictions and were not measured."""
        return bool(self.mark)

    @cached_property
    def apart(self) -> str:
        """Why the paper's numbers are of something else, in a sentence; empty if they are not."""
        changed = differences(self.table.provenance)
        if changed:
            return (
                "The paper's numbers are of another recipe, and are not set beside these: here, "
                f"{', '.join(changed)}."
            )
        space, usual = self.table.space, default_space()
        larger = space.max_vertices > usual.max_vertices or space.max_edges > usual.max_edges
        if larger or not set(space.ops) <= set(usual.ops):
            return (
                "The paper's numbers are of another space, and are not set beside these: "
                f"{usual.max_vertices} vertices, {usual.max_edges} edges, and the ops "
                f"{', '.join(usual.ops)}."
            )
        if changed is None and "trainable_parameters" in self.table.columns and len(self.table):
            try:
                skeleton_of(self.table)
            except DatasetError:
                return (
                    "The paper's numbers are of another network, and are not set beside these: "
                    "the parameters of cells are others here."
                )
        return ""

    @property
    def not_beside(self) -> str:
        """The same without what differs, for where that has been said."""
        return f"{self.apart.split(':')[0]}." if self.apart else ""

    @cached_property
    def comparable(self) -> bool:
        """Whether what section 3 of the paper reports is of this recipe, space and budget."""
        return not self.apart and self.epochs == paper.EPOCHS

    @cached_property
    def reserves(self) -> list[str]:
        """What is to be said wherever the paper's numbers are set beside those of the table."""
        if self.apart:
            return []
        found = []
        cells, whole = self.table.num_cells, len(default_space())
        if self.table.space != default_space() or cells < whole:
            found.append(
                f"The paper's numbers are of all {whole:,} cells of NAS-Bench-101. This table has "
                f"{counted(cells, 'cell')} of a space of {self.table.space.count().total:,}, and "
                "so may well differ."
            )
        if differences(self.table.provenance) is None:
            found.append(
                "The recipe of this table is not known: if it is not the paper's, the two are not "
                "to be compared."
            )
        return found

    def computed(self, metric: str, source: str, epochs: int | None = None) -> bool:
        """Whether a predicted metric is but a function of another one, at a budget.

        So it is where cells that are equal in the source, of which there are some, are all equal
        in the metric, or where both have one order. Measured metrics never are.
        """
        if self.mark != "predicted":
            return False
        asked = (metric, source, self.epochs if epochs is None else epochs)
        if asked not in self._computed:
            self._computed[asked] = self._is_computed(*asked)
        return self._computed[asked]

    @cached_property
    def _computed(self) -> dict[tuple[str, str, int], bool]:
        """What `computed` has found."""
        return {}

    def _is_computed(self, metric: str, source: str, epochs: int) -> bool:
        if not all(has_metric(self.table, name, epochs) for name in (metric, source)):
            return False
        y, x = (cell_values(self.table, name, epochs) for name in (metric, source))
        return is_function(x, y)

    @cached_property
    def artefacts(self) -> list[str]:
        """What of the table is computed from other numbers of it, and so tells nothing more."""
        found = []
        if self.computed("test_accuracy", "validation_accuracy"):
            found.append(
                "Test accuracy of this table is computed from validation accuracy: the two have "
                "one order."
            )
        timed = [
            epochs
            for epochs in (self.table.epochs if self.mark == "predicted" else ())
            if has_metric(self.table, "training_time", epochs)
        ]
        if len(timed) > 1:
            *others, longest = timed
            times = cell_values(self.table, "training_time", longest)
            others = [
                epochs
                for epochs in others
                if is_function(times, cell_values(self.table, "training_time", epochs))
            ]
            if others:
                found.append(
                    f"Training time at {_listed(others)} epochs is computed from that at "
                    f"{longest} epochs."
                )
        return found

    @cached_property
    def accuracy(self) -> str:
        """What the paper compares by validation accuracy: that, or test accuracy without it."""
        return self._first("validation_accuracy", "test_accuracy")

    @cached_property
    def final(self) -> str:
        """What the paper ranks the best cells by: test accuracy, or validation without it."""
        return self._first("test_accuracy", "validation_accuracy")

    def _first(self, *metrics: str) -> str:
        for metric in metrics:
            if has_metric(self.table, metric, self.epochs):
                return metric
        raise DatasetError(
            f"the table has neither validation nor test accuracies at {in_epochs(self.epochs)}"
        )

    @cached_property
    def budgets(self) -> "pa.Table":
        """`nb101.analysis.budgets`."""
        return distributions.budgets(self.table)

    @cached_property
    def splits(self) -> list[distributions.Ecdf]:
        """Distributions of train, validation and test accuracy, those that there are."""
        table, budget = self.table, self.epochs
        splits = [metric for metric in correlate.SPLITS if has_metric(table, metric, budget)]
        if not splits:
            raise DatasetError(f"the table has no accuracies at {in_epochs(budget)}")
        return [distributions.ecdf(table, metric, budget) for metric in splits]

    @cached_property
    def by_budget(self) -> list[distributions.Ecdf]:
        """Distribution of the accuracy at each budget that has any."""
        table, metric = self.table, self.accuracy
        budgets = [epochs for epochs in table.epochs if has_metric(table, metric, epochs)]
        return [distributions.ecdf(table, metric, epochs) for epochs in budgets]

    def lacking(self, *metrics: str) -> list[str]:
        """Say which of some metrics have no value at a budget, or none at all."""
        reasons = []
        for metric in metrics:
            name = metric.replace("_", " ")
            if not has_metric(self.table, metric):
                reasons.append(f"the table has no {name}")
                continue
            without = [n for n in self.table.epochs if not has_metric(self.table, metric, n)]
            if without:
                at = ", ".join(map(str, without))
                reasons.append(f"no run at {at} epochs has {name}")
        return reasons

    @cached_property
    def noise(self) -> list[distributions.Noise]:
        """Noise at each budget that it is known of: of test accuracy, or else of validation."""
        found = []
        reasons = []
        for metric in ("test_accuracy", "validation_accuracy"):
            for epochs in self.table.epochs if has_metric(self.table, metric) else ():
                try:
                    found.append(distributions.noise(self.table, metric, epochs))
                except DatasetError as error:
                    reasons.append(error)
            if found:
                return found
        raise reasons[-1] if reasons else DatasetError("the table has no accuracies")

    @cached_property
    def split_correlations(self) -> "pa.Table":
        """Correlations between splits and between repeats, over all and the best 10 %.

        Splits of which one is computed from the other are left out: see `formulas`.
        """
        pairs = correlate.default_pairs(self.table)
        chosen = [
            pair
            for pair in pairs
            if pair.kind == "repeats" or (pair.kind == "splits" and not self._is_formula(pair))
        ]
        if not chosen:
            raise DatasetError(self.formulas or NOTHING_TO_CORRELATE)
        return correlate.correlations(self.table, chosen, top=(1.0, 0.1))

    @cached_property
    def formulas(self) -> str:
        """Say which splits are computed from others, so that no correlation is taken of them."""
        pairs = {
            (pair.x[0], pair.y[0]): None
            for pair in correlate.default_pairs(self.table)
            if pair.kind == "splits" and self._is_formula(pair)
        }
        words = [" and ".join(name.replace("_", " ") for name in pair) for pair in pairs]
        if not words:
            return ""
        return (
            f"of {', of '.join(words)} one is computed from the other in this table: to compare "
            "them would show the formula, and nothing of cells"
        )

    def _is_formula(self, pair: correlate.Pair) -> bool:
        (x, epochs, _), (y, _, _) = pair.x, pair.y
        return self.computed(x, y, epochs) or self.computed(y, x, epochs)

    @cached_property
    def budget_correlations(self) -> "pa.Table":
        """Correlations between budgets, over all and the best of several shares."""
        pairs = correlate.default_pairs(self.table)
        chosen = [pair for pair in pairs if pair.kind == "budgets"]
        if not chosen:
            raise DatasetError("the table has accuracies of one split at one budget only")
        return correlate.correlations(self.table, chosen)

    @cached_property
    def proxies(self) -> "pa.Table":
        """`nb101.analysis.proxy_correlations`; test accuracy that is computed is left out."""
        if self.scores is None:
            raise DatasetError(
                "no scores of zero-cost proxies were given: --proxies, or Study(table, scores=...)"
            )
        metrics = [metric for metric in proxies.METRICS if has_metric(self.table, metric)]
        for epochs in self.table.epochs:
            if self.computed("test_accuracy", "validation_accuracy", epochs):
                metrics = [metric for metric in metrics if metric != "test_accuracy"]
        return proxies.proxy_correlations(self.table, self.scores, metrics=metrics)

    @cached_property
    def fronts(self) -> dict[str, pareto.ParetoFront]:
        """Pareto fronts of each cost that is known and the accuracy."""
        found, _ = self._fronts
        if not found:
            raise DatasetError("; ".join(dict.fromkeys(self.no_fronts.values())))
        return found

    @property
    def no_fronts(self) -> dict[str, str]:
        """Why there is no front of a cost, for each that has none."""
        return self._fronts[1]

    @cached_property
    def _fronts(self) -> tuple[dict[str, pareto.ParetoFront], dict[str, str]]:
        found, reasons = {}, {}
        for cost in COSTS:
            if cost == "training_time" and not has_metric(self.table, cost):
                reasons[cost] = "the table has no training time"
                continue
            try:
                metrics = (cost, self.final)
                found[cost] = pareto.pareto_front(self.table, metrics, self.epochs)
            except DatasetError as error:
                reasons[cost] = str(error)
        return found, reasons

    @cached_property
    def op_replacement(self) -> edits.Changes:
        """`nb101.analysis.op_replacement`."""
        return edits.op_replacement(self.table, self.epochs, metric=self.accuracy)

    @cached_property
    def op_summary(self) -> "pa.Table":
        """Its summary."""
        return self.op_replacement.summary()

    @cached_property
    def edge_changes(self) -> edits.Changes:
        """`nb101.analysis.edge_changes`."""
        return edits.edge_changes(self.table, self.epochs, metric=self.accuracy)

    @cached_property
    def edge_summary(self) -> "pa.Table":
        """Its summary."""
        return self.edge_changes.summary()

    @cached_property
    def structure(self) -> "pa.Table":
        """`nb101.analysis.structure`."""
        return shapes.structure(self.table, self.epochs, metric=self.accuracy)

    @cached_property
    def graph(self) -> locality.EditGraph:
        """`nb101.analysis.edit_graph`."""
        return locality.edit_graph(self.table)

    @cached_property
    def isolated(self) -> tuple[int, int]:
        """Cells with an accuracy of which no neighbour has one, and all cells with one."""
        known = ~np.isnan(cell_values(self.table, self.accuracy, self.epochs))
        return int((known & ~self.graph.linked(known)).sum()), int(known.sum())

    def _check_linked(self) -> None:
        """Refuse a table so sparse that walks and ascents cannot leave most of its cells."""
        alone, cells = self.isolated
        if alone > cells / 2:
            raise DatasetError(
                f"{alone:,} of {counted(cells, 'cell')} have no neighbour in the table at "
                f"{in_epochs(self.epochs)}: what walks and ascents find in it would tell of the "
                "gaps, not of the space"
            )

    @cached_property
    def walks(self) -> dict[locality.Walk, locality.Autocorrelation]:
        """Autocorrelation along walks through encodings, and through cells."""
        self._check_linked()
        found: dict[locality.Walk, locality.Autocorrelation] = {}
        graphs: dict[locality.Walk, locality.Walk | locality.EditGraph]
        graphs = {"encodings": "encodings", "cells": self.graph}
        for name, graph in graphs.items():
            found[name] = locality.random_walk_autocorrelation(
                self.table, self.epochs, metric=self.accuracy, graph=graph, seed=self.seed
            )
        return found

    @cached_property
    def fitness_distance(self) -> locality.FitnessDistance:
        """`nb101.analysis.fitness_distance`."""
        return locality.fitness_distance(self.table, self.epochs, metric=self.final)

    @cached_property
    def peak_volume(self) -> locality.PeakVolume:
        """`nb101.analysis.peak_volume`."""
        return locality.peak_volume(self.table, self.epochs, metric=self.final)

    @cached_property
    def local_optima(self) -> locality.LocalOptima:
        """`nb101.analysis.local_optima`."""
        self._check_linked()
        return locality.local_optima(
            self.table, self.epochs, metric=self.accuracy, graph=self.graph
        )


def is_function(x: Floats, y: Floats) -> bool:
    """Whether one column is a function of another, as far as their numbers can tell.

    So it is where both have one order, or the reverse one, or where rows that are equal in `x` are
    so in `y`, if these are a hundredth of all rows at least. Rows where one is NaN do not count; of
    fewer than `FEWEST` rows nobody can tell.
    """
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known], y[known]
    if len(x) < FEWEST or (x == x[0]).all():
        return False
    order = stable_order(x)
    x, y = x[order], y[order]
    tied, steps = x[1:] == x[:-1], np.diff(y)
    if steps[tied].any():
        return False
    return bool(tied.mean() >= 0.01 or (steps >= 0).all() or (steps <= 0).all())


def _listed(numbers: list[int]) -> str:
    *others, last = map(str, numbers)
    return f"{', '.join(others)} and {last}" if others else last
