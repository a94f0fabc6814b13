"""The figures of the model card: errors on the sample, on small cells, and noise."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101.predict.predictor import Predictor
from nb101.table.noise import IMAGES
from surrogate.derive import find_test_line
from surrogate.noise import UNBIASED, RecordNoise, estimate_ceiling, lift_of, measure_noise
from surrogate.records import EPOCHS, LONGEST, VALIDATION, Records, pairs


def describe(
    records: Records, predictor: Predictor, noise: Mapping[int, RecordNoise]
) -> dict[str, Any]:
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


def _on_means(
    records: Records, predictor: Predictor, noise: Mapping[int, RecordNoise]
) -> dict[str, Any]:
    """Errors on means of cells of up to 5 vertices, each predicted without having been seen.

    ``covered`` is how many lie within what uncertainty and a third of the variance of repeats make
    together. Its multiples come from other cells than those that they are tried on.
    """
    found: dict[str, Any] = {}
    for epochs in EPOCHS:
        ids, guess, _ = predictor.report.predictions[VALIDATION, epochs]
        x = predictor.errors[VALIDATION, epochs].centres
        guess = guess - np.interp(guess, x, lift_of(noise[epochs].spread, epochs))
        for metric in (VALIDATION, "test_accuracy"):
            values: npt.NDArray[Any] = guess
            if metric == "test_accuracy":
                values = np.polyval(find_test_line(records, epochs)[0], guess)
            _, found_values, means = pairs((ids, values), records.means[metric, epochs])
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
            guess, predictor.errors[VALIDATION, epochs].centres, lift_of(noise.spread, epochs)
        )
        wide = half * np.hypot(noise.prediction, noise.repeats / 3**0.5)
        held = (all_ids[~learn], all_means[~learn])
        _, predicted, means = pairs((ids, guess - lift), held)
        _, width, _ = pairs((ids, wide), held)
        inside.append(np.abs(predicted - means) <= width)
    return float(np.concatenate(inside).mean())


def _share_of_sampling(records: Records) -> dict[str, float]:
    """How much of the binomial variance of an accuracy is a run's own: `table.noise.SAMPLING`.

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
