"""Fitting predictors to tables, and finding out how well they do.

In cross-validation all that belongs to fitting (scales, holes that are filled, the choice of the L2
penalty) sees only the cells to learn from. What the default settings were chosen on is another
matter: see the model card of ``surrogate-v1``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb101._base.checks import check_whole, suggest
from nb101._base.progress import Progress, given_or_shown
from nb101.analysis.proxies import columns_of, scored_rows
from nb101.encodings import structural_features
from nb101.errors import ArgumentError, ArgumentTypeError, DatasetError, UnknownNameError
from nb101.plain import counted
from nb101.predict.errors import Errors, Report, TargetErrors, evaluate
from nb101.predict.inputs import Inputs
from nb101.predict.learner import (
    TIME_SETTINGS,
    Regression,
    Settings,
    fit_ensembles,
)
from nb101.predict.predictor import (
    NOT_LEARNT,
    Group,
    Predictor,
    Target,
    apply_groups,
)
from nb101.predict.scale import Scale
from nb101.space.search_space import SearchSpace
from nb101.table.about import prediction_mark
from nb101.table.schema import METRICS, Direction, metric_column
from nb101.table.table import Table

if TYPE_CHECKING:
    from nb101.proxies import Scores

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

FEWEST_CELLS = 50
MOST_CELLS = 20_000
PERMUTE, FIT = 0, 1
"""Streams of random numbers that come from one seed."""


def fit(
    table: Table,
    *,
    metrics: Sequence[str] | None = None,
    proxies: "Scores | None" = None,
    seed: int = 0,
    cells: int | None = MOST_CELLS,
    folds: int = 5,
    settings: Settings | None = None,
    time_settings: Settings | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Predictor:
    """Fit a predictor of every metric and budget of a table.

    It learns the mean over the repeats of each cell. A cell may lack some of them: those are filled
    in from the others, on a line, to learn from; but errors are measured on what there is.

    Parameters
    ----------
    table
        At least 50 cells; a few thousand make a good predictor. It must have been measured, or be
        one of simulated runs (`sample`).
    metrics
        What to learn. By default the times and accuracies that the table has, and those of its own
        columns of which it says whether less or more is better (``directions`` of
        `Table.from_columns`).
    proxies
        Scores of zero-cost proxies, as `nb101.proxies.read` gives them, to learn from as well: only
        of cells that have some then, and predictions need the scores of their cells. The report
        says what they add: it has the errors without them, of the same cells in the same folds.
    seed
        The same seed, table and libraries give the same predictor, whatever `jobs` is.
    cells
        Most cells to learn from, chosen at random; `None` for all.
    folds
        Parts of the cross-validation that its errors come from; at least 2. Fitting takes about as
        many times longer.
    settings, time_settings
        How the ensembles are fitted: those for times by `time_settings`, others by `settings`.
    jobs
        Processes at a time; one a core by default.
    progress
        Called with the networks fitted and their number; a notebook shows them without it.

    Raises
    ------
    DatasetError
        If there is too little to learn from, or the table is predicted itself.
    UnknownNameError
        If the table has no such metric.
    UnknownOpError
        If the space has ops that features are not known of.
    ArgumentError
        If an argument cannot be.
    MissingExtraError
        If scikit-learn is missing. It is an ImportError.

    Examples
    --------
    >>> import nb101
    >>> table = nb101.predict.sample(100, seed=0)
    >>> quick = nb101.predict.Settings(networks=1, hidden=(8,), alpha=(0.1,), schedule=((1e-3, 2),))
    >>> predictor = nb101.predict.fit(
    ...     table, metrics=["validation_accuracy"], folds=2, settings=quick)
    >>> accuracy = predictor.predict(nb101.Cell("0100", "input,output"))
    >>> accuracy.shape, bool(0 <= accuracy[0] <= 1)
    ((1,), True)
    """
    observed = observe(table, cells, seed, metrics, proxies)
    plan = _Plan(observed, seed, settings or Settings(), time_settings or TIME_SETTINGS)
    everything = np.arange(len(observed.cell_ids))
    parts = plan.divide(folds)
    final, *learners = plan.learn([(everything, True), *plan.parts(parts, folds)], jobs, progress)
    report, errors = _assess(observed, parts, learners)
    about = {
        "source": f"a predictor fitted to {table.provenance.get('source', 'a table')}",
        "learnt_from": dict(table.provenance),
        "cells_learnt_from": len(everything),
        "seed": seed,
        "folds": folds,
        "settings": final.settings(plan),
        "versions": _versions(),
    }
    if observed.proxies:
        about["proxies"] = list(observed.proxies)
    return Predictor(
        *(observed.space, final.groups, final.scales, errors, report, about),
        directions=observed.directions,
        inputs=final.inputs,
    )


def cross_validate(
    table: Table,
    *,
    metrics: Sequence[str] | None = None,
    proxies: "Scores | None" = None,
    seed: int = 0,
    cells: int | None = MOST_CELLS,
    folds: int = 5,
    settings: Settings | None = None,
    time_settings: Settings | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Measure what `fit` would say of its errors, without fitting to all cells.

    Arguments and errors as those of `fit`.
    """
    observed = observe(table, cells, seed, metrics, proxies)
    plan = _Plan(observed, seed, settings or Settings(), time_settings or TIME_SETTINGS)
    parts = plan.divide(folds)
    return _assess(observed, parts, plan.learn(plan.parts(parts, folds), jobs, progress))[0]


def _versions() -> dict[str, str]:
    """Versions of what makes a difference to the numbers."""
    from importlib.metadata import version

    return {name: version(name) for name in ("nb101", "numpy", "scikit-learn")}


@dataclass(frozen=True)
class Observed:
    """What a table says of some cells.

    Attributes
    ----------
    space, cell_ids
        Which cells; ids of shape ``(n,)``, ascending.
    features
        Their structural features, shape ``(n, features)``.
    means
        Of each metric and budget the mean over repeats, shape ``(n,)``, NaN where there is none.
    deviations
        And of runs from that mean, shape ``(n, repeats)``, as wide as if it were the true mean.
    directions
        Whether less or more is better of those that are the table's own, where it says so.
    proxies, about
        Scores of the cells by proxy, each of shape ``(n,)``, and how they came about.
    """

    space: SearchSpace
    cell_ids: Rows
    features: npt.NDArray[np.float32]
    means: dict[Target, Floats]
    deviations: dict[Target, Floats]
    directions: dict[str, Direction]
    proxies: dict[str, Floats] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


def observe(
    table: Table,
    cells: int | None,
    seed: int,
    metrics: Sequence[str] | None = None,
    scores: "Scores | None" = None,
) -> Observed:
    """Take from a table what can be learnt, of at most so many cells."""
    if not isinstance(table, Table):
        raise ArgumentTypeError(
            f"a predictor is fitted to a Table, not {type(table).__name__}", field="table"
        )
    seed = check_whole("seed", seed, 0)
    if prediction_mark(table.provenance) and table.provenance.get("simulated") is not True:
        raise DatasetError(
            "the table is predicted itself: fit to one that was measured, or for practice to "
            "simulated runs, which nb101 predict sample -o sample.arrow draws (in Python "
            "nb101.predict.sample)"
        )
    wanted = _metrics_of(table) if metrics is None else _chosen(table, metrics)
    scored = np.ones(table.num_cells, dtype=bool)
    if scores is not None:
        scored = scored_rows(scores, table.space, table.cell_ids) >= 0
        if not len(scores) or scored.sum() < FEWEST_CELLS:
            raise DatasetError(
                f"{counted(int(scored.sum()), 'cell')} of the table have scores of "
                f"{counted(len(scores), 'proxy', 'proxies')}: at least {FEWEST_CELLS} are needed "
                "to learn from them",
            )
    means: dict[Target, Floats] = {}
    deviations: dict[Target, Floats] = {}
    for metric in wanted:
        for epochs in table.epochs:
            values = table.values(metric, epochs).astype(np.float64)
            # A copy: a table may keep its own.
            mean = table.mean(metric, epochs).copy()
            mean[~scored] = np.nan
            if metric == "training_time":
                mean[~(mean > 0)] = np.nan
            elif metric in METRICS and ((mean < 0).any() or (mean > 1).any()):
                wrong = mean[(mean < 0) | (mean > 1)][0]
                raise DatasetError(f"{metric} must be fractions from 0 to 1, not {wrong:g}")
            if np.isfinite(mean).sum() < FEWEST_CELLS:
                continue
            runs = np.isfinite(values).sum(axis=1, keepdims=True)
            with np.errstate(divide="ignore", invalid="ignore"):
                wider = np.where(runs > 1, np.sqrt(runs / (runs - 1)), np.nan)
            means[metric, epochs] = mean
            deviations[metric, epochs] = (values - mean[:, np.newaxis]) * wider
    known = np.zeros(table.num_cells, dtype=bool)
    for mean in means.values():
        known |= np.isfinite(mean)
    rows = np.flatnonzero(known)
    if not means:
        raise DatasetError(
            f"no metric of the table is known of at least {FEWEST_CELLS} cells at one budget: "
            "that is too little to learn from. " + _what_there_is(table, wanted)
        )
    if cells is not None:
        cells = check_whole("cells", cells, FEWEST_CELLS)
        order = np.random.default_rng([seed, PERMUTE]).permutation(rows)
        rows = np.sort(order[:cells])
    ids = table.cell_ids[rows]
    # A target of which the chosen cells have too few could not be learnt.
    chosen = {target: mean[rows] for target, mean in means.items()}
    chosen = {x: mean for x, mean in chosen.items() if np.isfinite(mean).sum() >= FEWEST_CELLS}
    return Observed(
        table.space,
        ids,
        structural_features(table.space[ids], table.space),
        chosen,
        {target: deviations[target][rows] for target in chosen},
        {
            metric: table.directions[metric]
            for metric in dict.fromkeys(metric for metric, _ in chosen)
            if metric in table.directions
        },
        {} if scores is None else columns_of(scores, table.space, ids),
        {} if scores is None else scores.about,
    )


def _metrics_of(table: Table) -> list[str]:
    """Return what a table knows that can be learnt: metrics, and its own with a direction."""
    known = [metric for metric in METRICS if metric_column(metric) in table.columns]
    return [*known, *(name for name in table.directions if name not in NOT_LEARNT)]


def _chosen(table: Table, metrics: Sequence[str]) -> list[str]:
    if isinstance(metrics, str) or not all(isinstance(name, str) for name in metrics):
        raise ArgumentTypeError(f"metrics must be names, not {metrics!r}", field="metrics")
    own = [x for x in table.metrics if x not in NOT_LEARNT]
    known = [metric for metric in METRICS if metric_column(metric) in table.columns]
    chosen = list(dict.fromkeys(name.removeprefix("final_") for name in metrics))
    for name in chosen:
        if name not in (*known, *own):
            raise UnknownNameError(
                f"there is no metric {name!r} to be learnt; {suggest(name, [*known, *own])}",
                field="metrics",
            )
    if not chosen:
        raise ArgumentError("metrics must have one name at least", field="metrics")
    return chosen


def _what_there_is(table: Table, wanted: Sequence[str]) -> str:
    own = [x for x in table.metrics if x not in NOT_LEARNT]
    if wanted or not own:
        return f"Asked for: {', '.join(wanted) or 'nothing that the table has'}"
    return f"Its own columns are learnt where they are named: metrics={own[:1]}, --metric {own[0]}"


@dataclass(frozen=True)
class _Learner:
    """Ensembles that were fitted to the same cells, and the scales of their targets."""

    groups: tuple[Group, ...]
    scales: dict[Target, Scale]
    inputs: Inputs | None

    def features(self, observed: Observed, rows: Any) -> npt.NDArray[np.float32]:
        """Return what it learns from of some cells, or predicts them by."""
        features: npt.NDArray[np.float32] = observed.features[rows]
        if self.inputs is None:
            return features
        own = {name: column[rows] for name, column in observed.proxies.items()}
        return self.inputs.beside(features, own)

    @property
    def alpha(self) -> float:
        """The L2 penalty that was chosen for the first group: accuracies, if they are learnt."""
        return self.groups[0].ensemble.alpha

    def settings(self, plan: "_Plan") -> dict[str, Any]:
        """Say how each group of targets was fitted."""
        used = {"accuracy": plan.settings, "time": plan.time_settings, "own": plan.settings}
        return {
            kind: used[kind].to_dict() | {"alpha": [group.ensemble.alpha]}
            for kind, group in zip(plan.groups, self.groups, strict=True)
        }


class _Plan:
    """What is to be fitted to which cells: all folds at once, so that no process waits."""

    def __init__(
        self, observed: Observed, seed: int, settings: Settings, time_settings: Settings
    ) -> None:
        self.observed = observed
        self.seed = seed
        self.settings = settings
        self.time_settings = time_settings
        targets = tuple(observed.means)
        groups = {
            "accuracy": tuple(x for x in targets if x[0].endswith("accuracy") and x[0] in METRICS),
            "time": tuple(x for x in targets if x[0] == "training_time"),
            "own": tuple(x for x in targets if x[0] not in METRICS),
        }
        self.groups = {kind: own for kind, own in groups.items() if own}

    def divide(self, folds: int) -> Rows:
        """Put each cell into a fold at random; shape ``(n,)``."""
        n = len(self.observed.cell_ids)
        if check_whole("folds", folds, 2) > n // 10:
            raise ArgumentError(
                f"folds must be from 2 to {n // 10} for {n} cells, not {folds!r}", field="folds"
            )
        order = np.random.default_rng([self.seed, FIT]).permutation(n)
        parts = np.empty(n, dtype=np.int64)
        parts[order] = np.arange(n) % folds
        return parts

    def parts(self, fold_of: Rows, folds: int) -> list[tuple[Rows, bool]]:
        """Return what each fold is predicted from; then, if there are proxies, without them."""
        rows = [np.flatnonzero(fold_of != k) for k in range(folds)]
        ways = (True, False) if self.observed.proxies else (True,)
        return [(own, way) for way in ways for own in rows]

    def learn(
        self, parts: Sequence[tuple[Rows, bool]], jobs: int | None, progress: Progress | None
    ) -> list[_Learner]:
        """Fit to each of several sets of cells, with proxies or without."""
        problems: list[Regression] = []
        learners: list[_Learner] = []
        for rows, with_proxies in parts:
            scores = self.observed.proxies if with_proxies else {}
            own = {name: column[rows] for name, column in scores.items()}
            inputs = Inputs.learn(own, self.observed.about) if own else None
            learner = _Learner((), {}, inputs)
            for kind, targets in self.groups.items():
                problem, made = self._problem(kind, targets, rows, learner)
                problems.append(problem)
                learner.scales.update(made)
            learners.append(learner)
        with given_or_shown(progress, "fitting networks") as shown:
            ensembles = iter(fit_ensembles(problems, jobs=jobs, progress=shown))
        return [
            replace(x, groups=tuple(Group(own, next(ensembles)) for own in self.groups.values()))
            for x in learners
        ]

    def _problem(
        self, kind: str, targets: tuple[Target, ...], rows: Rows, learner: _Learner
    ) -> tuple[Regression, dict[Target, Scale]]:
        values = np.stack([self.observed.means[target][rows] for target in targets], axis=1)
        # What a cell lacks is filled in from what it has; a cell that has nothing is left out.
        known = np.isfinite(values).any(axis=1)
        rows, values = rows[known], values[known]
        if kind == "time":
            filled = np.exp(fill(np.log(values)))
            scale: Callable[[Floats], Scale] = Scale.of_logarithms
        else:
            filled = fill(values)
            if kind == "accuracy":
                # Lines may lead out of the range of fractions.
                filled = np.clip(filled, 0, 1)
            scale = Scale.of_ranks
        scales = {x: scale(column) for x, column in zip(targets, filled.T, strict=True)}
        scores = [scales[x].to_scores(column) for x, column in zip(targets, filled.T, strict=True)]
        problem = Regression(
            learner.features(self.observed, rows),
            np.stack(scores, axis=1).astype(np.float32),
            self.time_settings if kind == "time" else self.settings,
            # Networks of a problem have the seeds that follow.
            self.seed * 1000 % (1 << 31),
            _score,
        )
        return problem, scales


def _score(outputs: npt.NDArray[Any], targets: npt.NDArray[Any]) -> float:
    """Mean correlation of the columns; of ranks, since targets are their normal scores."""
    pairs = zip(outputs.T, targets.T, strict=True)
    return float(np.mean([np.corrcoef(a, b)[0, 1] if b.std() > 0 else 0.0 for a, b in pairs]))


def fill(values: Floats) -> Floats:
    """Fill in what rows lack, each from what it has that goes with it best, on a straight line.

    Shape ``(n, targets)``, NaN where there is nothing; what goes with nothing else gets the mean.
    """
    there = np.isfinite(values)
    filled = values.copy()
    for column in range(values.shape[1]):
        lacking = ~there[:, column]
        if not lacking.any():
            continue
        lines = []
        for other in range(values.shape[1]):
            both = there[:, column] & there[:, other]
            if other == column or both.sum() < 10 or values[both, other].std() == 0:
                continue
            slope, start = np.polyfit(values[both, other], values[both, column], 1)
            left = values[both, column] - (start + slope * values[both, other])
            lines.append((float(np.square(left).mean()), other, slope, start))
        for _, other, slope, start in sorted(lines):
            use = lacking & there[:, other]
            filled[use, column] = start + slope * values[use, other]
            lacking &= ~use
        filled[lacking, column] = values[there[:, column], column].mean()
    return filled


def _assess(
    observed: Observed, parts: Rows, learners: Sequence[_Learner]
) -> tuple[Report, dict[Target, Errors]]:
    """Predict each fold by the learner that never saw it, and compare.

    Where there are proxies, as many learners without them follow.
    """
    folds = len(learners) // (2 if observed.proxies else 1)
    learners, others = learners[:folds], learners[folds:]
    predicted = _predict(observed, parts, learners)
    found = _compare(observed, parts, predicted)
    without = _compare(observed, parts, _predict(observed, parts, others)) if others else ()
    errors, predictions = {}, {}
    for target, mean in observed.means.items():
        known = np.isfinite(mean)
        guess, truth = predicted[target][known], mean[known]
        relative = target[0] == "training_time"
        deviations = observed.deviations[target][known]
        errors[target] = Errors.measure(guess, truth, deviations, relative)
        predictions[target] = (observed.cell_ids[known], guess, truth)
    alphas = tuple(learner.alpha for learner in learners)
    report = Report(
        folds=folds,
        alphas=alphas,
        errors=found,
        predictions=predictions,
        without_proxies=without,
    )
    return report, errors


def _predict(observed: Observed, parts: Rows, learners: Sequence[_Learner]) -> dict[Target, Floats]:
    """Predict the cells of each fold by its learner."""
    predicted = {target: np.full(len(parts), np.nan) for target in observed.means}
    for k, learner in enumerate(learners):
        own = parts == k
        features = learner.features(observed, own)
        for target, values in apply_groups(learner.groups, learner.scales, features).items():
            predicted[target][own] = values
    return predicted


def _compare(
    observed: Observed, parts: Rows, predicted: Mapping[Target, Floats]
) -> tuple[TargetErrors, ...]:
    """Compare predictions of cells with what is known of them."""
    found = []
    for target, mean in observed.means.items():
        known = np.isfinite(mean)
        found.append(evaluate(*target, predicted[target][known], mean[known], parts[known]))
    return tuple(found)
