"""Makes ``surrogate-v1``, the table that the package carries, from genuine records.

``python -m nb101.predict.surrogate fit RECORDS -o PREDICTOR`` fits a predictor, and prints what
cross-validation finds; ``... report RECORDS PREDICTOR`` prints that again. ``... pack RECORDS
PREDICTOR`` makes the table, and tables and figures of the card. ``make surrogate`` does all. The
records are described in the model card, `docs/surrogate.md`; they are not part of the package.

What is special here, and not in `nb101.predict.fit`, is what the records are: single runs at 4, 12
and 36 epochs, and the best of three at 108. So the spread between repeats, and with it the mean
that is asked for, must be found from the few cells whose repeats or means are known besides.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101._base.lazy import cached_property
from nb101.errors import DatasetError
from nb101.predict.errors import ONE_SIGMA
from nb101.predict.fitting import fit
from nb101.predict.predictor import Predictor, load
from nb101.space.default import default_space
from nb101.table import embedded
from nb101.table.benchmark import IMAGES
from nb101.table.embedded import EMBEDDED
from nb101.table.table import Table

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

EPOCHS = (4, 12, 36, 108)
LONGEST = EPOCHS[-1]
VALIDATION = "validation_accuracy"
BEST_OF_THREE = 0.8463
"""How far the best of three normal draws is above their mean, in standard deviations."""
SPREAD_OF_BEST = 0.7480
"""The standard deviation of the best of three normal draws, in their own."""
UNBIASED = 1.5**0.5
"""What makes a deviation from the mean of three as wide as one from the true mean."""


@dataclass(frozen=True)
class Records:
    """Genuine records of NAS-Bench-101, as other public projects published them.

    Attributes
    ----------
    sample
        20,001 cells: of each the validation accuracy of a single run at 4, 12 and 36 epochs, and
        the best of three at 108; shape ``(n,)`` by budget. ``time`` is that of 108 epochs, seconds.
    sample_ids, time
        Ids of these cells, and their training times.
    means
        By metric and budget: ids, and the means of the three repeats, of cells of up to 5 vertices.
    repeat_ids, repeats, test_repeats, times
        Validation and test accuracy, and training time, of all three repeats at 108 epochs of a few
        more cells, ``(n, 3)``.
    retrained
        By budget validation and test accuracy of three runs each of cells that others trained anew,
        ``(n, 3)``: not genuine ones, and used for one constant only.
    """

    sample_ids: Ids
    sample: Mapping[int, Floats]
    time: Floats
    means: Mapping[tuple[str, int], tuple[Ids, Floats]]
    repeat_ids: Ids
    repeats: Floats
    test_repeats: Floats
    times: Floats
    retrained: Mapping[int, tuple[Floats, Floats]]

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> "Records":
        """Read the files of a folder.

        Raises
        ------
        DatasetError
            If a hash is none of the space.
        OSError
            If a file cannot be read.
        """
        import pyarrow.parquet as pq

        files = Path(folder)
        sample = pq.read_table(files / "real_20001.parquet").to_pydict()
        small = pq.read_table(files / "means_upto5.parquet").to_pydict()
        few = json.loads((files / "records_26.json").read_text())
        hashes = default_space().enumerate().hashes()
        order = np.argsort(hashes)

        def find(texts: Any) -> Ids:
            wanted = np.array(texts, dtype="S32")
            found = order[np.minimum(np.searchsorted(hashes[order], wanted), len(order) - 1)]
            if (hashes[found] != wanted).any():
                wrong = wanted[hashes[found] != wanted][0].decode()
                raise DatasetError(f"{folder}: no cell has the hash {wrong}")
            return np.asarray(found)

        ids, epochs = find(small["hash"]), np.array(small["epochs"])
        means = {}
        for metric in ("training_time", VALIDATION, "test_accuracy"):
            values = np.array(small[metric], dtype=np.float64)
            for budget in EPOCHS:
                own = (epochs == budget) & np.isfinite(values)
                means[metric, budget] = (ids[own], values[own])
        runs = [record["computed"][str(LONGEST)] for record in few]
        return cls(
            sample_ids=find(sample["hash"]),
            sample={x: np.array(sample[f"{VALIDATION}_{x}"]) for x in EPOCHS},
            time=np.array(sample[f"training_time_{LONGEST}"]),
            means=means,
            repeat_ids=find([record["hash"] for record in few]),
            repeats=np.array([[run[f"final_{VALIDATION}"] for run in three] for three in runs]),
            test_repeats=np.array(
                [[run["final_test_accuracy"] for run in three] for three in runs]
            ),
            times=np.array([[run["final_training_time"] for run in three] for three in runs]),
            retrained=_read_retrained(files / "retrained_runs.parquet"),
        )

    def both(self, epochs: int) -> tuple[Ids, Floats, Floats]:
        """Return the cells of the sample whose mean is known: ids, sample's value, mean."""
        ids, means = self.means[VALIDATION, epochs]
        _, own, other = np.intersect1d(self.sample_ids, ids, return_indices=True)
        return self.sample_ids[own], self.sample[epochs][own], means[other]

    @cached_property
    def lifts(self) -> tuple[Ids, Floats]:
        """How far the best of three at 108 epochs is above their mean, where both are known."""
        ids, best, means = self.both(LONGEST)
        own = self.repeats.max(axis=1) - self.repeats.mean(axis=1)
        return np.concatenate([ids, self.repeat_ids]), np.concatenate([best - means, own])

    def table(self) -> Table:
        """Return what is learnt from: validation accuracies, and the time of 108 epochs.

        Where a mean is known it stands for the single run, since it has less noise; at 108 epochs
        it is lifted to what the best of three would have been on average.
        """
        space = default_space()
        values = np.full((len(EPOCHS), len(space)), np.nan)
        for row, epochs in zip(values, EPOCHS, strict=True):
            row[self.sample_ids] = self.sample[epochs]
            ids, means = self.means[VALIDATION, epochs]
            row[ids] = means + (self.lifts[1].mean() if epochs == LONGEST else 0)
        time = np.full(len(space), np.nan)
        ids, means = self.means["training_time", LONGEST]
        time[ids] = means
        time[self.sample_ids] = self.time
        known = np.flatnonzero(np.isfinite(values).any(axis=0))
        times = np.full((len(EPOCHS), len(known)), np.nan)
        times[-1] = time[known]
        columns = {
            "cell_id": np.tile(known, len(EPOCHS)),
            "epochs": np.repeat(EPOCHS, len(known)),
            "final_training_time": times.ravel(),
            f"final_{VALIDATION}": values[:, known].ravel(),
        }
        about = {
            "kind": "measured",
            "source": "genuine records of NAS-Bench-101",
            "sampled_cells": len(self.time),
        }
        return Table.from_columns(columns, provenance=about)


def _read_retrained(path: Path) -> dict[int, tuple[Floats, Floats]]:
    import pyarrow.parquet as pq

    runs = pq.read_table(path).to_pandas().sort_values(["epochs", "hash", "repeat"])
    found = {}
    for epochs, own in runs.groupby("epochs"):
        own = own[own.groupby("hash")["repeat"].transform("count") == 3]
        pair = (own[name].to_numpy().reshape(-1, 3) for name in (VALIDATION, "test_accuracy"))
        found[int(epochs)] = tuple(pair)
    return found


@dataclass(frozen=True)
class Noise:
    """The spread between repeats at a budget, and how far off predictions of means are.

    Both are multiples of the half-width that holds 68 % of records about their predictions. They
    are found on cells of which more is known, and used for all.

    Attributes
    ----------
    repeats, prediction
        These multiples. Together they make the errors: ``(n * repeats)**2 + prediction**2 == 1``,
        where n is 1 for single runs and 0.748 for the best of three.
    cells
        How many cells `repeats` comes from: by their repeats, and by their means.
    centres
        Predicted means that the rest is given for; shape ``(bins,)``.
    spread, uncertainty
        Half-widths about the mean that hold 68 % of runs, and about the prediction that hold 68 %
        of true means; shape ``(bins,)``.
    """

    repeats: float
    prediction: float
    cells: tuple[int, int]
    centres: Floats
    spread: Floats
    uncertainty: Floats


def measure_noise(
    records: Records, predictor: Predictor, epochs: int, *, draws: int = 200
) -> Noise:
    """Take apart what predictions and records of a budget differ by: noise of runs, and errors."""
    shares, cells = _shares_of_noise(records, predictor, epochs, np.random.default_rng(0), draws)
    share = float(shares[0])
    errors = predictor.errors[VALIDATION, epochs]
    repeats, prediction = share**0.5, (1 - _variance(epochs) * share) ** 0.5
    spread = errors.halves[1] * repeats
    return Noise(
        repeats,
        prediction,
        cells,
        errors.centres - _lift(spread, epochs),
        spread,
        errors.halves[1] * prediction,
    )


def measure_all_noise(records: Records, predictor: Predictor) -> dict[int, Noise]:
    """Do as `measure_noise` at each budget."""
    return {epochs: measure_noise(records, predictor, epochs) for epochs in EPOCHS}


def estimate_ceiling(
    records: Records, predictor: Predictor, epochs: int, *, draws: int = 200
) -> tuple[float, float, float]:
    """Estimate the Spearman correlation of true means with what the sample has of them.

    With it come the limits that hold 90 % of such estimates from cells drawn anew.
    """
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    shares, _ = _shares_of_noise(records, predictor, epochs, rng, draws)
    ids, guess, _ = predictor.report.predictions[VALIDATION, epochs]
    sampled = guess[np.isin(ids, records.sample_ids)]
    half = predictor.errors[VALIDATION, epochs].half(sampled)
    normal = rng.standard_normal(len(sampled))
    runs = rng.standard_normal((3 if epochs == LONGEST else 1, len(sampled))).max(axis=0)

    def ceiling(x: float) -> float:
        # As if true means lay about predictions.
        truth = sampled + half * np.sqrt(1 - _variance(epochs) * x) * normal
        return float(spearmanr(truth, truth + half * np.sqrt(x) * runs).statistic)

    found, *others = (ceiling(x) for x in shares[:51].tolist())
    low, high = np.quantile(others, [0.05, 0.95]).tolist()
    return found, low, high


def _variance(epochs: int) -> float:
    """Variance of what the sample has of a cell, in that of a single run."""
    return SPREAD_OF_BEST**2 if epochs == LONGEST else 1.0


def _shares_of_noise(
    records: Records, predictor: Predictor, epochs: int, rng: np.random.Generator, draws: int
) -> tuple[Floats, tuple[int, int]]:
    """Estimate what share of the variance of records about predictions is that of a run.

    Returns the estimate, followed by those of cells drawn anew, and `Noise.cells`. The share is
    estimated twice, and the two are averaged, each by the inverse of its variance when cells are
    drawn anew:

    - by repeats: single runs of the sample against means of three where both are known; at 108
      epochs how far the best of three is above their mean;
    - by means: predictions miss means of three by less than single runs, since a mean has a third
      of the variance of a run.
    """
    errors = predictor.errors[VALIDATION, epochs]
    ids, guess, _ = predictor.report.predictions[VALIDATION, epochs]
    known, apart = _apart(records, predictor, epochs)
    _, means_guess, means = _pairs((ids, guess), records.means[VALIDATION, epochs])
    lift = records.lifts[1].mean() if epochs == LONGEST else 0
    ratios = np.abs(means + lift - means_guess) / errors.half(means_guess)

    def by_repeats(rows: Ids) -> float:
        if epochs == LONGEST:
            return float(apart[rows].mean() / BEST_OF_THREE / known[rows].mean()) ** 2
        away = np.abs(apart[rows] - np.median(apart[rows]))
        spread = float(np.quantile(away, ONE_SIGMA)) * UNBIASED
        return (spread / float(known[rows].mean())) ** 2

    def by_means(rows: Ids) -> float:
        # Of means: 1 - variance * x + x / 3.
        return (1 - float(np.quantile(ratios[rows], ONE_SIGMA)) ** 2) / (_variance(epochs) - 1 / 3)

    estimates = []
    for estimate, n in ((by_repeats, len(apart)), (by_means, len(ratios))):
        drawn = [estimate(rng.integers(0, n, n)) for _ in range(draws)]
        estimates.append(np.array([estimate(np.arange(n)), *drawn]))
    weights = np.array([1 / each[1:].var() for each in estimates])
    weights /= weights.sum()
    shares = sum(w * each for w, each in zip(weights, estimates, strict=True))
    return np.clip(shares, 0, 0.98 / _variance(epochs)), (len(apart), len(ratios))


def _apart(records: Records, predictor: Predictor, epochs: int) -> tuple[Floats, Floats]:
    """Return the half-width of errors of cells with known repeats, and how far these lie apart.

    That is a single run less the mean of three, or the best of three less their mean.
    """
    ids, guess, _ = predictor.report.predictions[VALIDATION, epochs]
    if epochs == LONGEST:
        known, apart = records.lifts
    else:
        known, runs, means = records.both(epochs)
        apart = runs - means
    predicted = predictor.predict(known, VALIDATION, epochs)
    # By networks that had not seen the cell, where it was learnt from.
    _, first, second = np.intersect1d(known, ids, return_indices=True)
    predicted[first] = guess[second]
    return predictor.errors[VALIDATION, epochs].half(predicted), apart


def _lift(spread: Floats, epochs: int) -> Floats:
    """How far predictions are above the mean: nothing, or what the best of three is.

    Where some runs collapse no normal draws are a model of them; there it is that of other cells.
    """
    if epochs != LONGEST:
        return np.zeros_like(spread)
    return BEST_OF_THREE * np.minimum(spread, 3 * np.median(spread))


def describe(records: Records, predictor: Predictor, noise: Mapping[int, Noise]) -> dict[str, Any]:
    """Collect the figures of the model card: errors on the sample, on small cells, and noise."""
    from scipy.stats import kendalltau, spearmanr

    found: dict[str, Any] = {"folds": predictor.report.folds, "alphas": predictor.report.alphas}
    sample: dict[str, Any] = {}
    for metric, epochs in predictor.report.predictions:
        ids, guess, _ = predictor.report.predictions[metric, epochs]
        own = np.isin(ids, records.sample_ids)
        # What the sample says, also where the mean was learnt instead.
        order = np.argsort(records.sample_ids)
        rows = order[np.searchsorted(records.sample_ids, ids[own], sorter=order)]
        observed = (records.time if metric == "training_time" else records.sample[epochs])[rows]
        misses = guess[own] - observed
        if metric == "training_time":
            misses = misses / observed
        sample[f"{metric} at {epochs}"] = {
            "cells": int(own.sum()),
            "spearman": round(float(spearmanr(guess[own], observed).statistic), 4),
            "kendall": round(float(kendalltau(guess[own], observed).statistic), 4),
            "mean_absolute_error": round(float(np.abs(misses).mean()), 5),
            "median_absolute_error": round(float(np.median(np.abs(misses))), 5),
            "bias": round(float(misses.mean()), 5),
        }
    found["sample"] = sample
    found["noise"] = {
        str(epochs): {
            "cells": measured.cells,
            "repeats": round(measured.repeats, 3),
            "prediction": round(measured.prediction, 3),
            "median_spread": round(float(np.median(measured.spread)), 4),
            "median_uncertainty": round(float(np.median(measured.uncertainty)), 4),
            "spearman_ceiling": [round(x, 4) for x in estimate_ceiling(records, predictor, epochs)],
        }
        for epochs, measured in noise.items()
    }
    found["share_of_sampling"] = _share_of_sampling(records)
    found["means_of_small_cells"] = _on_means(records, predictor, noise)
    found["regions"] = {
        f"{x.metric} at {x.epochs}": [asdict(region) for region in x.regions]
        for x in predictor.report.errors
        if x.regions
    }
    found["covered"] = {
        f"{x.metric} at {x.epochs}": [round(x.covered_68, 4), round(x.covered_90, 4)]
        for x in predictor.report.errors
    }
    return found


def derive(records: Records, predictor: Predictor, noise: Mapping[int, Noise]) -> dict[str, Any]:
    """Find what makes everything else of validation accuracies and the time of 108 epochs."""
    test_line, test_left, time_line, time_left = [], [], [], []
    for epochs in EPOCHS:
        line, left = _test_line(records, epochs)
        test_line.append(line.tolist())
        test_left.append(left)
        if epochs == LONGEST:
            time_line.append([1.0, 0.0])
            time_left.append(0.0)
            continue
        _, x, y = _pairs(
            records.means["training_time", LONGEST], records.means["training_time", epochs]
        )
        power = np.polyfit(np.log(x), np.log(y), 1)
        time_line.append(power.tolist())
        misses = np.abs(np.log(y) - np.polyval(power, np.log(x)))
        time_left.append(float(np.quantile(misses, ONE_SIGMA)))
    own = float(np.quantile(_misses(predictor, "training_time", LONGEST), ONE_SIGMA))
    away = np.abs(records.times / records.times.mean(axis=1, keepdims=True) - 1) * UNBIASED
    about: dict[str, Any] = {
        "test_line": test_line,
        "time_line": time_line,
        "training_time_spread": [float(np.quantile(away, ONE_SIGMA))] * len(EPOCHS),
        "training_time_uncertainty": [float(np.hypot(own, left)) for left in time_left],
    }
    for metric in (VALIDATION, "test_accuracy"):
        spreads, uncertainties = [], []
        for epochs, left in zip(EPOCHS, test_left, strict=True):
            measured = noise[epochs]
            knots = measured.centres.tolist()
            more = left if metric == "test_accuracy" else 0.0
            spreads.append([knots, measured.spread.tolist()])
            uncertainties.append([knots, np.hypot(measured.uncertainty, more).tolist()])
        about[f"{metric}_spread"] = spreads
        about[f"{metric}_uncertainty"] = uncertainties
    return about


def _test_line(records: Records, epochs: int) -> tuple[Floats, float]:
    """Return the line that makes means of test accuracy of those of validation, and what it misses.

    The latter is the half-width that holds 68 % of cells.
    """
    _, x, y = _pairs(records.means[VALIDATION, epochs], records.means["test_accuracy", epochs])
    line = np.polyfit(x, y, 1)
    return line, float(np.quantile(np.abs(y - np.polyval(line, x)), ONE_SIGMA))


def _on_means(records: Records, predictor: Predictor, noise: Mapping[int, Noise]) -> dict[str, Any]:
    """Errors on means of cells of up to 5 vertices, each predicted without having been seen.

    ``covered`` is how many lie within what uncertainty and a third of the variance of repeats make
    together. Its multiples come from other cells than those that they are tried on.
    """
    found: dict[str, Any] = {}
    for epochs in EPOCHS:
        ids, guess, _ = predictor.report.predictions[VALIDATION, epochs]
        x = predictor.errors[VALIDATION, epochs].centres
        guess = guess - np.interp(guess, x, _lift(noise[epochs].spread, epochs))
        for metric in (VALIDATION, "test_accuracy"):
            values: npt.NDArray[Any] = guess
            if metric == "test_accuracy":
                values = np.polyval(_test_line(records, epochs)[0], guess)
            _, found_values, means = _pairs((ids, values), records.means[metric, epochs])
            misses = found_values - means
            found[f"{metric} at {epochs}"] = {
                "cells": len(means),
                "mean_absolute_error": round(float(np.abs(misses).mean()), 5),
                "bias": round(float(misses.mean()), 5),
            }
        found[f"{VALIDATION} at {epochs}"]["covered"] = round(
            _covered(records, predictor, epochs), 3
        )
    return found


def _covered(records: Records, predictor: Predictor, epochs: int, folds: int = 5) -> float:
    """Share of means within their half-widths, for multiples that other means gave."""
    all_ids, all_means = records.means[VALIDATION, epochs]
    part = np.random.default_rng(0).permutation(len(all_ids)) % folds
    ids, guess, _ = predictor.report.predictions[VALIDATION, epochs]
    inside = []
    for k in range(folds):
        learn = part != k
        others = {**records.means, (VALIDATION, epochs): (all_ids[learn], all_means[learn])}
        noise = measure_noise(replace(records, means=others), predictor, epochs, draws=50)
        half = predictor.errors[VALIDATION, epochs].half(guess)
        lift = np.interp(
            guess, predictor.errors[VALIDATION, epochs].centres, _lift(noise.spread, epochs)
        )
        wide = half * np.hypot(noise.prediction, noise.repeats / 3**0.5)
        held = (all_ids[~learn], all_means[~learn])
        _, predicted, means = _pairs((ids, guess - lift), held)
        _, width, _ = _pairs((ids, wide), held)
        inside.append(np.abs(predicted - means) <= width)
    return float(np.concatenate(inside).mean())


def _share_of_sampling(records: Records) -> dict[str, float]:
    """How much of the binomial variance of an accuracy is a run's own: `benchmark.SAMPLING`.

    That is the variance of what validation and test accuracy of one run do not share, from the
    correlation of their deviations from the means of three; runs near chance are left out.
    """
    pairs = {f"{epochs}, trained anew": pair for epochs, pair in records.retrained.items()}
    pairs[f"{LONGEST}, genuine"] = (records.repeats, records.test_repeats)
    found = {}
    for name, (validation, test) in pairs.items():
        fine = validation.min(axis=1) > 0.15
        a, b = ((x - x.mean(axis=1, keepdims=True))[fine] for x in (validation, test))
        alone = a.std() * b.std() * (1 - np.corrcoef(a.ravel(), b.ravel())[0, 1]) * UNBIASED**2
        accuracy = float(validation[fine].mean())
        found[name] = round(float(alone / (accuracy * (1 - accuracy) / IMAGES)), 2)
    return found


def _pairs(a: tuple[Ids, Floats], b: tuple[Ids, Floats]) -> tuple[Ids, Floats, Floats]:
    """Return the cells that both know something of, and what."""
    ids, first, second = np.intersect1d(a[0], b[0], return_indices=True)
    return ids, a[1][first], b[1][second]


def _misses(predictor: Predictor, metric: str, epochs: int) -> Floats:
    _, guess, truth = predictor.report.predictions[metric, epochs]
    return np.abs(guess - truth) / truth


def pack(
    records: Records,
    predictor: Predictor,
    noise: Mapping[int, Noise],
    path: str | os.PathLike[str],
) -> Table:
    """Predict the whole space and write the file that the package carries."""
    space = default_space()
    about = derive(records, predictor, noise)
    table = predictor.table()
    validation, units = [], []
    for i, epochs in enumerate(EPOCHS):
        values = table.mean(VALIDATION, epochs)
        if epochs == LONGEST:
            centres = predictor.errors[VALIDATION, epochs].centres
            lift = _lift(noise[epochs].spread, epochs)
            # Where all runs collapse there is nothing that the best of three could be above.
            values = np.maximum(values - np.interp(values, centres, lift), values.min())
        validation.append(values)
        # A hundredth of what predictions are uncertain by, as a power of two.
        least = min(about[f"{VALIDATION}_uncertainty"][i][1])
        units.append(2.0 ** np.floor(np.log2(least / 100)))
    units = [max(unit, 2.0**-16) for unit in units]
    report = describe(records, predictor, noise)
    provenance = {
        "kind": "predicted",
        "name": EMBEDDED,
        "source": f"{EMBEDDED}, which the package carries",
        "note": "no number was measured: means over repeats as predicted from genuine records",
        "learnt_from": f"genuine records of NAS-Bench-101: {len(records.time):,} cells sampled "
        f"uniformly, and means of {len(_all_ids(records)):,} cells of up to 5 vertices",
        "cells_learnt_from": predictor.about["cells_learnt_from"],
        "cross_validated": report["sample"],
        "folds": report["folds"],
    }
    embedded.write(
        path,
        epochs=EPOCHS,
        validation=validation,
        time=table.mean("training_time", LONGEST),
        units=units,
        time_unit=2.0**-11,
        about={**about, "report": report, "provenance": provenance},
    )
    packed = embedded.load(path)
    assert packed.num_cells == len(space)
    return packed


def _all_ids(records: Records) -> Ids:
    return np.unique(np.concatenate([ids for ids, _ in records.means.values()]))


# The command


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m nb101.predict.surrogate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    fitting = commands.add_parser("fit", help="fit the predictor, and print its errors")
    packing = commands.add_parser("pack", help="make the table, and figures and tables of its card")
    reporting = commands.add_parser("report", help="print the errors of a predictor")
    for command in (fitting, packing, reporting):
        command.add_argument("records", help="folder of the genuine records")
    fitting.add_argument("-o", "--output", required=True, help="the predictor")
    for command in (packing, reporting):
        command.add_argument("predictor", help="what fit wrote")
    packing.add_argument("-o", "--output", default=embedded.PATH, help="the table")
    packing.add_argument("--card", help="the model card, whose folder takes its figures")
    given = parser.parse_args(arguments)
    records = Records.read(given.records)
    if given.command == "fit":
        predictor = fit(records.table(), cells=None, progress=_show)
        predictor.save(given.output)
    else:
        predictor = load(given.predictor)
    noise = measure_all_noise(records, predictor)
    if given.command != "pack":
        print(json.dumps(describe(records, predictor, noise), indent=2))
        return 0
    table = pack(records, predictor, noise, given.output)
    print(f"{given.output}: {Path(given.output).stat().st_size:,} bytes, {table!r}")
    if given.card:
        from nb101.predict import card

        card.fill_in(embedded.report(given.output), given.card)
        card.draw(records, predictor, noise, Path(given.card).parent)
    return 0


def _show(done: int, total: int) -> None:
    print(f"{done} of {total} networks", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
