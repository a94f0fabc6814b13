"""How wrong predictions are: half-widths to be expected of each, and the report of all."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101.analysis.correlate import Method, correlation
from nb101.errors import DatasetError, MissingRunError
from nb101.plain import counted

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

ONE_SIGMA = 0.6827
"""The share of values that a spread or an uncertainty covers, as one sigma of a normal does."""
LEVELS = (0.5, ONE_SIGMA, 0.8, 0.9, 0.95, 0.99)
"""The shares of cells for which the half-widths of intervals are kept."""


@dataclass(frozen=True)
class Errors:
    """How far off predictions of a target are, as a function of what is predicted.

    Attributes
    ----------
    centres
        Predictions that the rest is given for, ascending; shape ``(bins,)``.
    halves
        Half-widths about the prediction that hold the shares `LEVELS` of cells; ``(levels, bins)``.
        Those of training time are relative.
    spread
        Half-widths about a cell's mean that hold 68 % of its runs; ``(bins,)``, NaN if not known.
    """

    centres: Floats
    halves: Floats
    spread: Floats

    @classmethod
    def measure(
        cls, predicted: Floats, observed: Floats, deviations: Floats, relative: bool = False
    ) -> "Errors":
        """Measure them on cells that were predicted by ensembles that never saw them.

        `deviations` are those of runs from the mean of their cell, shape ``(n, repeats)``, NaN
        where there is none.
        """
        order = np.argsort(predicted, kind="stable")
        size = np.maximum(predicted, 1e-9) if relative else np.ones(len(predicted))
        misses = (np.abs(observed - predicted) / size)[order]
        deviations = (np.abs(deviations) / size[:, np.newaxis])[order]
        n = len(order)
        # Finer towards both ends, where errors change most; no bin of fewer than 25 cells.
        shares = {round(n * share / 100) for share in (1, 2, 5, *range(10, 91, 5), 95, 98, 99)}
        ends = {near for near in (25, 50, 100, 200) if near < n // 20}
        cuts = [0]
        for cut in sorted(shares | ends | {n - end for end in ends}):
            if cut - cuts[-1] >= 25 and n - cut >= 25:
                cuts.append(cut)
        bins = [slice(a, b) for a, b in zip(cuts, [*cuts[1:], n], strict=True)]
        centres = np.array([predicted[order[rows]].mean() for rows in bins])
        halves = np.array([np.quantile(misses[rows], LEVELS) for rows in bins]).T
        return cls(centres, halves, np.array([_spread(deviations[rows]) for rows in bins]))

    def half(self, predicted: Floats, level: float = ONE_SIGMA) -> Floats:
        """Half-width of the interval about predictions that holds a share of cells."""
        after = min(max(int(np.searchsorted(LEVELS, level)), 1), len(LEVELS) - 1)
        if level == LEVELS[after]:
            # One sigma, which every table has: one line of the six.
            return np.asarray(np.interp(predicted, self.centres, self.halves[after]))
        low, high = LEVELS[after - 1], LEVELS[after]
        share = (level - low) / (high - low)
        below, above = (
            np.interp(predicted, self.centres, row) for row in self.halves[after - 1 : after + 1]
        )
        return np.asarray(below * (1 - share) + above * share)

    def spread_of(self, predicted: Floats) -> Floats:
        """Half-width about means that holds 68 % of runs."""
        return np.asarray(np.interp(predicted, self.centres, self.spread))


def _spread(deviations: Floats) -> float:
    known = deviations[~np.isnan(deviations)]
    return float(np.quantile(known, ONE_SIGMA)) if len(known) else float("nan")


@dataclass(frozen=True, kw_only=True)
class Region:
    """Errors among a part of the cells.

    Attributes
    ----------
    name
        Which part; by what was observed, not by what was predicted.
    cells
        How many.
    mean_absolute_error, median_absolute_error
        In the units of the metric.
    bias
        Mean of predicted less observed.
    found
        Of the best share of cells, how many are in the same share of the best predicted; `None`
        for other parts.
    """

    name: str
    cells: int
    mean_absolute_error: float
    median_absolute_error: float
    bias: float
    found: float | None


@dataclass(frozen=True, kw_only=True)
class TargetErrors:
    """Errors of one metric at one budget, on cells that the predictor never saw.

    Attributes
    ----------
    metric, epochs
        What was predicted.
    cells
        How many cells it was compared on.
    spearman, kendall
        Rank correlations of predicted and observed; `None` if either never differs.
    mean_absolute_error, median_absolute_error
        In the units of the metric; of training time relative to it.
    covered_68, covered_90
        Shares of cells within the half-widths for 68.27 % and 90 %, those taken from other folds.
    regions
        The same by parts of the cells, for accuracies.
    """

    metric: str
    epochs: int
    cells: int
    spearman: float | None
    kendall: float | None
    mean_absolute_error: float
    median_absolute_error: float
    covered_68: float
    covered_90: float
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, kw_only=True, repr=False)
class Report:
    """Errors by cross-validation; a notebook shows them as a table.

    Attributes
    ----------
    folds
        Into how many parts cells were divided at random: each was predicted from the others.
    alphas
        The L2 penalties chosen for accuracies within each fold's cells to learn from.
    errors
        One entry a metric and budget.
    predictions
        Ids, predictions and observations of all cells by metric and budget.
    without_proxies
        Where there are proxies among the features: the errors without them, of the same cells in
        the same folds, in the order of `errors`.
    """

    folds: int
    alphas: tuple[float, ...]
    errors: tuple[TargetErrors, ...]
    predictions: Mapping[tuple[str, int], tuple[Ids, Floats, Floats]] = field(
        default_factory=dict, repr=False, compare=False
    )
    without_proxies: tuple[TargetErrors, ...] = ()

    def of(self, metric: str, epochs: int) -> TargetErrors:
        """Return the errors of a metric at a budget.

        Raises
        ------
        MissingRunError
            If there are none. It is a KeyError.
        """
        for errors in self.errors:
            if (errors.metric, errors.epochs) == (metric, epochs):
                return errors
        raise MissingRunError(f"there are no errors of {metric} at {epochs!r} epochs")

    def summary(self) -> dict[str, Any]:
        """Return the main figures, for provenance."""
        found: dict[str, Any] = {"folds": self.folds}
        for errors in self.errors:
            found[f"{errors.metric} at {errors.epochs}"] = {
                "cells": errors.cells,
                "spearman": _rounded(errors.spearman),
                "kendall": _rounded(errors.kendall),
                "mean_absolute_error": round(errors.mean_absolute_error, 5),
            }
        for errors in self.without_proxies:
            told = found[f"{errors.metric} at {errors.epochs}"]
            told["spearman_without_proxies"] = _rounded(errors.spearman)
        return found

    def __repr__(self) -> str:
        return f"<Report: {self._title()}>"

    def _title(self) -> str:
        targets = counted(len(self.errors), "target")
        return f"errors of {targets}, by cross-validation with {counted(self.folds, 'fold')}"

    def _repr_html_(self) -> str:
        from nb101.table import views

        names: tuple[str, ...]
        names = ("metric", "epochs", "cells", "Spearman", "Kendall", "mean error", "within 68 %")
        rows: list[tuple[Any, ...]] = [
            (
                errors.metric.replace("_", " "),
                errors.epochs,
                f"{errors.cells:,}",
                *(_written(x) for x in (errors.spearman, errors.kendall)),
                f"{errors.mean_absolute_error:.4f}",
                f"{errors.covered_68:.1%}".replace("%", " %"),
            )
            for errors in self.errors
        ]
        if self.without_proxies:
            names = (*names, "Spearman without proxies")
            others = (_written(errors.spearman) for errors in self.without_proxies)
            rows = [(*row, other) for row, other in zip(rows, others, strict=True)]
        title, note = f"Report: {self._title()}", "Errors of time are shares of it."
        times = any(errors.metric == "training_time" for errors in self.errors)
        return views.page(title, None, views.grid(names, rows), note=note if times else "")

    def to_dict(self) -> dict[str, Any]:
        """Return all but `predictions`, as JSON can hold it."""
        found: dict[str, Any] = {
            "folds": self.folds,
            "alphas": list(self.alphas),
            "errors": [asdict(errors) for errors in self.errors],
        }
        if self.without_proxies:
            found["without_proxies"] = [asdict(errors) for errors in self.without_proxies]
        return found

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Report":
        """Undo `to_dict`.

        Raises
        ------
        DatasetError, KeyError, TypeError, ValueError
            If something is missing, too much, or no number.
        """

        def read(listed: Sequence[Mapping[str, Any]]) -> tuple[TargetErrors, ...]:
            for errors in listed:
                for part in (errors, *errors["regions"]):
                    _check_numbers(part)
            return tuple(
                TargetErrors(**{**x, "regions": tuple(Region(**y) for y in x["regions"])})
                for x in listed
            )

        errors, others = read(values["errors"]), read(values.get("without_proxies", ()))
        if others and [(x.metric, x.epochs) for x in others] != [
            (x.metric, x.epochs) for x in errors
        ]:
            raise DatasetError("errors with and without proxies are of other targets")
        return cls(
            folds=int(values["folds"]),
            alphas=tuple(float(x) for x in values["alphas"]),
            errors=errors,
            without_proxies=others,
        )


def _check_numbers(part: Mapping[str, Any]) -> None:
    """Refuse what a dataclass would take without a look."""
    for name, value in part.items():
        if name in ("metric", "name"):
            good = isinstance(value, str)
        elif name == "regions":
            good = isinstance(value, list)
        elif value is None:
            good = name in ("spearman", "kendall", "found")
        else:
            good = type(value) in (int, float) and math.isfinite(value)
        if not good:
            raise DatasetError(f"{name} is {value!r}")


def _written(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def evaluate(
    metric: str,
    epochs: int,
    predicted: Floats,
    observed: Floats,
    fold: Sequence[int] | npt.NDArray[np.int64],
) -> TargetErrors:
    """Compare predictions with what was observed, cell by cell.

    `fold` is the part that each cell was in, and so which predictions came from the same ensembles.
    """
    relative = metric == "training_time"
    misses = np.abs(predicted - observed) / (observed if relative else 1)
    inside = {level: np.zeros(len(observed), dtype=bool) for level in (ONE_SIGMA, 0.9)}
    nothing = np.full((len(observed), 1), np.nan)
    parts = np.asarray(fold)
    for part in np.unique(parts).tolist():
        own = parts == part
        others = ~own if not own.all() else own
        errors = Errors.measure(predicted[others], observed[others], nothing[others], relative)
        size = predicted[own] if relative else 1
        for level, held in inside.items():
            half = errors.half(predicted[own], level) * size
            held[own] = np.abs(predicted[own] - observed[own]) <= half
    return TargetErrors(
        metric=metric,
        epochs=epochs,
        cells=len(observed),
        spearman=_correlation(predicted, observed, "spearman"),
        kendall=_correlation(predicted, observed, "kendall"),
        mean_absolute_error=float(misses.mean()),
        median_absolute_error=float(np.median(misses)),
        covered_68=float(inside[ONE_SIGMA].mean()),
        covered_90=float(inside[0.9].mean()),
        regions=tuple(_regions(predicted, observed)) if metric.endswith("_accuracy") else (),
    )


def _correlation(predicted: Floats, observed: Floats, method: Method) -> float | None:
    """Correlate ranks; where all are equal there is nothing to be said."""
    found = correlation(predicted, observed, method)
    return None if math.isnan(found) else found


COLLAPSED = 0.5
"""Runs of the largest budget that end below this accuracy have collapsed."""


def _regions(predicted: Floats, observed: Floats) -> list[Region]:
    n = len(observed)
    rank = np.argsort(np.argsort(-observed, kind="stable"))
    guess = np.argsort(np.argsort(-predicted, kind="stable"))
    parts = []
    for name, first, last in (
        ("best 1 %", 0.0, 0.01),
        ("best 10 %", 0.0, 0.1),
        ("10 % to 50 %", 0.1, 0.5),
        ("lower half", 0.5, 1.0),
    ):
        own = (rank >= first * n) & (rank < last * n)
        found = float((guess[own] < last * n).mean()) if first == 0 and own.any() else None
        parts.append((name, own, found))
    parts.append((f"below {COLLAPSED:.0%}".replace("%", " %"), observed < COLLAPSED, None))
    misses = predicted - observed
    return [
        Region(
            name=name,
            cells=int(own.sum()),
            mean_absolute_error=float(np.abs(misses[own]).mean()),
            median_absolute_error=float(np.median(np.abs(misses[own]))),
            bias=float(misses[own].mean()),
            found=found,
        )
        for name, own, found in parts
        if own.any()
    ]
