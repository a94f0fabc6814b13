"""Predictors of a table's metrics: fitted to some cells, asked about any.

Targets are the means over a cell's repeats of each metric at each budget. Accuracies are learnt as
ranks, by one ensemble for all budgets at once: so neither the few collapsed runs nor the noise of
short budgets drag at it. Training times are learnt as logarithms, by an ensemble of their own, and
metrics of a table's own as ranks, by a third.

What is said of errors comes from cross-validation: every cell is predicted by ensembles that never
saw it. From that also comes the uncertainty of later predictions.
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb101._base import archives, seals
from nb101._base.checks import check_path
from nb101._base.files import file_errors
from nb101._base.progress import Progress, given_or_shown
from nb101.encodings import structural_feature_names, structural_features
from nb101.errors import ArgumentError, ArgumentTypeError, DatasetError, MissingRunError
from nb101.plain import printable
from nb101.predict.errors import LEVELS, ONE_SIGMA, Errors, Report
from nb101.predict.inputs import Inputs
from nb101.predict.learner import (
    BATCH,
    Ensemble,
    from_arrays,
    to_arrays,
)
from nb101.predict.scale import Scale
from nb101.space.cells import Cells
from nb101.space.lookup import Ids, ids_of
from nb101.space.search_space import SearchSpace
from nb101.table.about import check_format, describe_space
from nb101.table.schema import (
    ERRORS,
    FIELDS,
    METRICS,
    MOST_EPOCH,
    OFFICIAL,
    RAW,
    Direction,
    check_direction,
    metric_column,
)
from nb101.table.table import Table

if TYPE_CHECKING:
    from nb101.proxies import Scores

Floats = npt.NDArray[np.float64]
Target = tuple[str, int]
"""A metric and a budget."""

FORMAT = 2
"""Version of the file; those of another one are refused."""
ADVICE = "fit it again, or copy it anew"
NOT_LEARNT = {*OFFICIAL, *ERRORS, *FIELDS, "seed", RAW} - {*METRICS}
"""Names that columns of a table have, and that none of its own metrics can have."""


@dataclass(frozen=True)
class Group:
    """Targets that one ensemble predicts, each an output."""

    targets: tuple[Target, ...]
    ensemble: Ensemble


def apply_groups(
    groups: Sequence[Group],
    scales: Mapping[Target, Scale],
    features: npt.NDArray[np.float32],
    progress: Progress | None = None,
) -> dict[Target, Floats]:
    """Predict all targets of rows of features, each an array of shape ``(n,)``."""
    found = {}
    for group in groups:
        scores = group.ensemble(features, progress)
        for target, column in zip(group.targets, scores.T, strict=True):
            found[target] = scales[target].to_values(column)
    return found


class Predictor:
    """Predicts the metrics of cells: fit one with `fit`, open one with `load`.

    Predictions are for the mean over repeats. Applying it needs NumPy only.

    Attributes
    ----------
    space
        The space whose cells it takes.
    errors
        How far off predictions of each target are.
    report
        Errors by cross-validation.
    about
        What it was fitted to and how, as JSON can hold it.
    directions
        Whether less or more is better of metrics that were the table's own, where it said so.
    """

    # Pickles of version 0.1 have none.
    _inputs: Inputs | None = None

    def __init__(
        self,
        space: SearchSpace,
        groups: Sequence[Group],
        scales: Mapping[Target, Scale],
        errors: Mapping[Target, Errors],
        report: "Report",
        about: Mapping[str, Any],
        *,
        directions: Mapping[str, Direction] | None = None,
        inputs: Inputs | None = None,
    ) -> None:
        self.space = space
        self.errors = dict(errors)
        self.report = report
        self.about = dict(about)
        self.directions = dict(directions or {})
        self._groups = tuple(groups)
        self._scales = dict(scales)
        self._inputs = inputs

    @property
    def proxies(self) -> tuple[str, ...]:
        """Names of the zero-cost proxies whose scores it needs beside the cells; most need none."""
        return () if self._inputs is None else self._inputs.names

    @property
    def targets(self) -> tuple[Target, ...]:
        """What is predicted: metrics and budgets."""
        return tuple(target for group in self._groups for target in group.targets)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that it predicts."""
        own = dict.fromkeys(metric for metric, _ in self.targets)
        return (*(x for x in METRICS if x in own), *(x for x in own if x not in METRICS))

    @property
    def epochs(self) -> tuple[int, ...]:
        """The budgets, ascending."""
        return tuple(sorted({epochs for _, epochs in self.targets}))

    def predict(
        self,
        cells: Any,
        metric: str = "validation_accuracy",
        epochs: int | None = None,
        *,
        proxies: "Scores | None" = None,
    ) -> Floats:
        """Predict the mean over repeats of a metric at a budget.

        Parameters
        ----------
        cells
            `Cells`, an array of ids, or a list of cells, ids and hashes; or one of these.
        metric
            One of `metrics`.
        epochs
            The budget; the largest by default.
        proxies
            Scores of these cells, for a predictor that was fitted with some: see `proxies`.

        Returns
        -------
        Array of shape ``(n,)``: fractions, seconds, or the unit of a metric of one's own.

        Raises
        ------
        MissingRunError
            If it does not predict that.
        ArgumentError
            If it needs scores of proxies that are not there, or are of another recipe.
        OutOfSpaceError, CellIdError, UnknownHashError
            If a cell is not of the space.
        """
        target = self._target(metric, epochs)
        return self.predict_all(cells, proxies=proxies)[target]

    def predict_all(
        self, cells: Any, *, proxies: "Scores | None" = None, progress: Progress | None = None
    ) -> dict[Target, Floats]:
        """Predict every metric at every budget, for little more than `predict` takes for one.

        Parameters
        ----------
        cells, proxies
            As in `predict`.
        progress
            Called with the cells done and their number, once for each ensemble; a notebook shows
            them without it.

        Returns
        -------
        By metric and budget an array of shape ``(n,)``.
        """
        features = self._features(cells, proxies)
        # A bar that comes and goes at once would be in the way.
        total = len(features)
        given = progress if progress is not None or total > BATCH else _nothing
        with given_or_shown(given, "predicting cells", total) as shown:
            return apply_groups(self._groups, self._scales, features, shown)

    def _features(self, cells: Any, proxies: "Scores | None") -> npt.NDArray[np.float32]:
        found = self._cells(cells)
        features = structural_features(found, self.space)
        if self._inputs is not None:
            ids = self.space.index(found)
            return self._inputs.beside(features, self._inputs.of(proxies, self.space, ids))
        if proxies is not None:
            raise ArgumentError(
                "this predictor was fitted without proxies, and takes no scores", field="proxies"
            )
        return features

    def uncertainty(
        self,
        cells: Any,
        metric: str = "validation_accuracy",
        epochs: int | None = None,
        *,
        proxies: "Scores | None" = None,
    ) -> Floats:
        """Return how far off `predict` is: half-widths that hold 68 % of cells.

        Measured by cross-validation on what the predictor was fitted to: where that was a single
        run of each cell, it covers single runs. It depends on what is predicted only; cells of one
        kind may be covered somewhat more, and of another less. Arguments as in `predict`; shape
        ``(n,)``, in the units of the metric.
        """
        target = self._target(metric, epochs)
        return self.half_width(target, self.predict(cells, metric, epochs, proxies=proxies))

    def half_width(self, target: Target, predicted: Floats, level: float = ONE_SIGMA) -> Floats:
        """Return how far off predictions of a target are, for those that have them already.

        Half-widths that hold a share `level` of cells, in the units of the metric; shape kept.
        """
        half = self.errors[target].half(predicted, level)
        return half * predicted if target[0] == "training_time" else half

    def interval(
        self,
        cells: Any,
        metric: str = "validation_accuracy",
        epochs: int | None = None,
        *,
        level: float = 0.9,
        proxies: "Scores | None" = None,
    ) -> Floats:
        """Return intervals that hold a share `level`, 0.5 to 0.99, of cells.

        Arguments as in `predict`; shape ``(n, 2)``, in the units of the metric.
        """
        if not LEVELS[0] <= level <= LEVELS[-1]:
            raise ArgumentError(
                f"level must be from {LEVELS[0]} to {LEVELS[-1]}, not {level}", field="level"
            )
        target = self._target(metric, epochs)
        predicted = self.predict(cells, metric, epochs, proxies=proxies)
        half = self.half_width(target, predicted, level)
        limits = np.stack([predicted - half, predicted + half], axis=1)
        if target[0] not in METRICS:
            return limits
        return np.clip(limits, 0, np.inf if target[0] == "training_time" else 1)

    def table(
        self,
        cells: Any = None,
        *,
        proxies: "Scores | None" = None,
        progress: Progress | None = None,
    ) -> Table:
        """Predict everything there is, as a table of one run a cell and budget.

        Beside the metrics it has ``<metric>_spread``, the half-width about the mean that is to be
        expected to hold 68 % of a cell's runs, where that is known; and ``<metric>_uncertainty``,
        see `uncertainty`. Its provenance says that it is predicted.

        Parameters
        ----------
        cells
            As in `predict`; all of the space by default, or all that have scores where it needs
            some.
        proxies
            As in `predict`.
        progress
            Called with the cells done and their number, once for each ensemble.
        """
        if cells is None and self._inputs is not None and proxies is not None:
            cells = self._inputs.scored(proxies, self.space)
        ids = np.arange(len(self.space)) if cells is None else np.unique(self._ids(cells))
        parts = {}
        found = self.predict_all(ids, proxies=proxies, progress=progress)
        for target, predicted in found.items():
            size = predicted if target[0] == "training_time" else 1
            spread = self.errors[target].spread_of(predicted) * size
            parts[target] = (predicted, spread, self.half_width(target, predicted))
        n = len(ids)
        columns: dict[str, Any] = {
            "cell_id": np.tile(ids, len(self.epochs)),
            "epochs": np.repeat(self.epochs, n),
        }
        for metric in self.metrics:
            nothing = (np.full(n, np.nan),) * 3
            pieces = [parts.get((metric, epochs), nothing) for epochs in self.epochs]
            joined = [np.concatenate(x).astype(np.float32) for x in zip(*pieces, strict=True)]
            columns[metric_column(metric)] = joined[0]
            if not np.isnan(joined[1]).all():
                columns[f"{metric}_spread"] = joined[1]
            columns[f"{metric}_uncertainty"] = joined[2]
        provenance = {"kind": "predicted", **self.about, "errors": self.report.summary()}
        return Table.from_columns(
            columns,
            space=self.space,
            provenance=provenance,
            directions=self.directions,
            copy=False,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, a NumPy archive of numbers; it appears whole or not at all.

        The file carries a seal, which covers each of its bytes and is compared by `load`.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        about = {
            "format": FORMAT,
            "space": describe_space(self.space),
            "features": _feature_names(self.space, self.proxies),
            "groups": [[list(target) for target in group.targets] for group in self._groups],
            "report": self.report.to_dict(),
            "about": self.about,
            "directions": self.directions,
        }
        arrays: dict[str, Any] = {}
        if self._inputs is not None:
            about["proxies"] = {"names": list(self.proxies), "about": dict(self._inputs.about)}
            for i, name in enumerate(self.proxies):
                scale = self._inputs.scales[name]
                arrays[f"proxy{i}/scale"] = np.stack([scale.values, scale.scores])
        arrays["about"] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
        for i, group in enumerate(self._groups):
            arrays |= to_arrays(group.ensemble, f"group{i}")
            for j, target in enumerate(group.targets):
                scale, errors = self._scales[target], self.errors[target]
                arrays[f"target{i}/{j}/scale"] = np.stack([scale.values, scale.scores])
                rows = [errors.centres, errors.spread, *errors.halves]
                arrays[f"target{i}/{j}/errors"] = np.stack(rows)
                if target in self.report.predictions:
                    arrays[f"target{i}/{j}/predictions"] = np.stack(self.report.predictions[target])
        archives.write(path, arrays, packed=False)

    def __repr__(self) -> str:
        budgets = ", ".join(map(str, self.epochs))
        cells = self.about.get("cells_learnt_from", "unknown")
        metrics = ", ".join(self.metrics)
        return printable(f"<Predictor of {metrics} at {budgets} epochs, from {cells} cells>")

    def _ids(self, cells: Any) -> Ids:
        return np.atleast_1d(np.asarray(ids_of(self.space, cells), dtype=np.int64))

    def _cells(self, cells: Any) -> Cells:
        return cells if isinstance(cells, Cells) else self.space[self._ids(cells)]

    def _target(self, metric: str, epochs: int | None) -> Target:
        if not isinstance(metric, str):
            raise ArgumentTypeError(
                f"metric must be a name, not {type(metric).__name__}", field="metric"
            )
        name = metric if metric in self.metrics else metric.removeprefix("final_")
        target = (name, max(self.epochs) if epochs is None else epochs)
        if target not in self.targets:
            known = ", ".join(f"{metric} at {epochs}" for metric, epochs in self.targets)
            raise MissingRunError(
                f"{target[0]} at {target[1]!r} epochs is not predicted; what is: {known}"
            )
        return target


def _feature_names(space: SearchSpace, proxies: Sequence[str]) -> list[str]:
    return [*structural_feature_names(space), *(f"proxy {name}" for name in proxies)]


def _nothing(done: int, total: int) -> None:
    pass


def load(path: str | os.PathLike[str]) -> Predictor:
    """Open a predictor that was saved, and compare each byte with its seal.

    Raises
    ------
    DatasetError
        If the file is no predictor, damaged, or of another format.
    FileError
        If it cannot be read; `MissingFileError` if it is not there. Both are OSErrors.
    """
    check_path(path)
    where = os.fspath(path)
    with file_errors(path):
        data = Path(path).read_bytes()
    if not seals.has_mark(data):
        raise DatasetError(f"{where} is no predictor of nb101, or damaged: {ADVICE}")
    seals.check_sealed_bytes(data, where, ADVICE)
    try:
        # Nothing is packed, so that the arrays are no larger than their file.
        archive = archives.Archive(data, len(data))
        about = json.loads(archive.read("about").tobytes())
        check_format(about["format"], FORMAT, where)
        return _restore(about, {name: archive.read(name) for name in archive.names})
    except DatasetError as error:
        raise DatasetError(f"{where}: {error.reason}") from None
    except MemoryError:
        raise
    except Exception:
        # What others have made fails in a dozen ways.
        raise DatasetError(f"{where} is no predictor of nb101, or damaged: {ADVICE}") from None


def _restore(about: Mapping[str, Any], arrays: Mapping[str, Any]) -> Predictor:
    limits = about["space"]
    space = SearchSpace(limits["max_vertices"], limits["max_edges"], limits["ops"])
    inputs = _read_inputs(about["proxies"], arrays) if "proxies" in about else None
    features = _feature_names(space, () if inputs is None else inputs.names)
    if about["features"] != features:
        raise DatasetError("it was fitted to other features than this nb101 computes: fit it again")
    groups: list[Group] = []
    scales: dict[Target, Scale] = {}
    errors: dict[Target, Errors] = {}
    predictions = {}
    for i, listed in enumerate(about["groups"]):
        targets = tuple(_read_target(*pair) for pair in listed)
        ensemble = from_arrays(arrays, f"group{i}", len(features), len(targets))
        groups.append(Group(targets, ensemble))
        for j, target in enumerate(targets):
            if target in scales:
                raise DatasetError(f"{target[0]} at {target[1]} is there twice")
            scales[target] = _read_scale(arrays[f"target{i}/{j}/scale"])
            errors[target] = _read_errors(arrays[f"target{i}/{j}/errors"])
            if f"target{i}/{j}/predictions" in arrays:
                ids, guess, truth = _finite(arrays[f"target{i}/{j}/predictions"])
                if not ((ids >= 0) & (ids < len(space))).all():
                    raise DatasetError("an id of its predictions is none of the space")
                predictions[target] = (ids.astype(np.int64), guess, truth)
    if not groups or not isinstance(about["about"], dict):
        raise DatasetError("it predicts nothing, or does not say what it is")
    report = replace(Report.from_dict(about["report"]), predictions=predictions)
    # Those of before there were metrics of one's own have none.
    directions = {name: check_direction(x) for name, x in about.get("directions", {}).items()}
    return Predictor(
        *(space, groups, scales, errors, report, about["about"]),
        directions=directions,
        inputs=inputs,
    )


def _read_inputs(told: Mapping[str, Any], arrays: Mapping[str, Any]) -> Inputs:
    names = tuple(told["names"])
    if not names or not all(isinstance(name, str) and name for name in names):
        raise DatasetError("it does not say which proxies it needs")
    if len(set(names)) < len(names) or not isinstance(told["about"], dict):
        raise DatasetError("it does not say which proxies it needs")
    scales = {name: _read_scale(arrays[f"proxy{i}/scale"]) for i, name in enumerate(names)}
    return Inputs(names, told["about"], scales)


def _read_target(metric: Any, epochs: Any) -> Target:
    known = isinstance(metric, str) and bool(metric) and metric not in NOT_LEARNT
    if not known or type(epochs) is not int or not 0 < epochs <= MOST_EPOCH:
        raise DatasetError("it predicts what is no metric of a table")
    return metric, epochs


def _finite(values: npt.NDArray[Any], least: float = -math.inf) -> Floats:
    wide: Floats = values.astype(np.float64)
    if not (np.isfinite(wide) & (wide >= least)).all():
        raise DatasetError("it holds what is no number, or too small a one")
    return wide


def _read_scale(array: npt.NDArray[Any]) -> Scale:
    values, scores = _finite(array)
    if not len(values) or (np.diff(values) < 0).any() or (np.diff(scores) < 0).any():
        raise DatasetError("a scale does not ascend")
    return Scale(values, scores)


def _read_errors(array: npt.NDArray[Any]) -> Errors:
    if array.ndim != 2 or len(array) != 2 + len(LEVELS) or not array.shape[1]:
        raise DatasetError("the errors of a target are not as they should be")
    centres, halves = _finite(array[0]), _finite(array[2:], least=0)
    # What is not known is NaN.
    spread: Floats = array[1].astype(np.float64)
    _finite(spread[~np.isnan(spread)], least=0)
    if (np.diff(centres) < 0).any():
        raise DatasetError("the errors of a target do not ascend")
    return Errors(centres, halves, spread)
