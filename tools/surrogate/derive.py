"""What makes all that the table holds of validation accuracies and the time of 108 epochs."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nb101.predict.errors import ONE_SIGMA
from nb101.predict.predictor import Predictor
from surrogate.noise import UNBIASED, RecordNoise
from surrogate.records import EPOCHS, LONGEST, VALIDATION, Floats, Records, pairs


def derive(
    records: Records, predictor: Predictor, noise: Mapping[int, RecordNoise]
) -> dict[str, Any]:
    """Find what makes everything else of validation accuracies and the time of 108 epochs."""
    test_line, test_left, time_line, time_left = [], [], [], []
    for epochs in EPOCHS:
        line, left = find_test_line(records, epochs)
        test_line.append(line.tolist())
        test_left.append(left)
        if epochs == LONGEST:
            time_line.append([1.0, 0.0])
            time_left.append(0.0)
            continue
        _, x, y = pairs(
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


def find_test_line(records: Records, epochs: int) -> tuple[Floats, float]:
    """Return the line that makes means of test accuracy of those of validation, and what it misses.

    The latter is the half-width that holds 68 % of cells.
    """
    _, x, y = pairs(records.means[VALIDATION, epochs], records.means["test_accuracy", epochs])
    line = np.polyfit(x, y, 1)
    return line, float(np.quantile(np.abs(y - np.polyval(line, x)), ONE_SIGMA))


def _misses(predictor: Predictor, metric: str, epochs: int) -> Floats:
    _, guess, truth = predictor.report.predictions[metric, epochs]
    return np.abs(guess - truth) / truth
