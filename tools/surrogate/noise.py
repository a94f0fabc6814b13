"""How far runs of a cell lie apart, and how far off predictions of their mean are.

Records and predictions differ by both. What is special here, and not in `nb101.predict.fit`, is
that most cells have a single run, or the best of three: the spread between repeats, and with it the
mean that is asked for, must be found from the few cells whose repeats or means are known besides.
"""

from dataclasses import dataclass

import numpy as np

from nb101.predict.errors import ONE_SIGMA
from nb101.predict.predictor import Predictor
from surrogate.records import EPOCHS, LONGEST, VALIDATION, Floats, Ids, Records, pairs

BEST_OF_THREE = 0.8463
"""How far the best of three normal draws is above their mean, in standard deviations."""
SPREAD_OF_BEST = 0.7480
"""The standard deviation of the best of three normal draws, in their own."""
UNBIASED = 1.5**0.5
"""What makes a deviation from the mean of three as wide as one from the true mean."""


@dataclass(frozen=True)
class RecordNoise:
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
) -> RecordNoise:
    """Take apart what predictions and records of a budget differ by: noise of runs, and errors."""
    shares, cells = _shares_of_noise(records, predictor, epochs, np.random.default_rng(0), draws)
    share = float(shares[0])
    errors = predictor.errors[VALIDATION, epochs]
    repeats, prediction = share**0.5, (1 - variance_of_a_record(epochs) * share) ** 0.5
    spread = errors.halves[1] * repeats
    return RecordNoise(
        repeats,
        prediction,
        cells,
        errors.centres - lift_of(spread, epochs),
        spread,
        errors.halves[1] * prediction,
    )


def measure_all_noise(records: Records, predictor: Predictor) -> dict[int, RecordNoise]:
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
        truth = sampled + half * np.sqrt(1 - variance_of_a_record(epochs) * x) * normal
        return float(spearmanr(truth, truth + half * np.sqrt(x) * runs).statistic)

    found, *others = (ceiling(x) for x in shares[:51].tolist())
    low, high = np.quantile(others, [0.05, 0.95]).tolist()
    return found, low, high


def variance_of_a_record(epochs: int) -> float:
    """Variance of what the sample has of a cell, in that of a single run."""
    return SPREAD_OF_BEST**2 if epochs == LONGEST else 1.0


def _shares_of_noise(
    records: Records, predictor: Predictor, epochs: int, rng: np.random.Generator, draws: int
) -> tuple[Floats, tuple[int, int]]:
    """Estimate what share of the variance of records about predictions is that of a run.

    Returns the estimate, followed by those of cells drawn anew, and `RecordNoise.cells`. The share
    is estimated twice, and the two are averaged, each by the inverse of its variance when cells
    are drawn anew:

    - by repeats: single runs of the sample against means of three where both are known; at 108
      epochs how far the best of three is above their mean;
    - by means: predictions miss means of three by less than single runs, since a mean has a third
      of the variance of a run.
    """
    errors = predictor.errors[VALIDATION, epochs]
    ids, guess, _ = predictor.report.predictions[VALIDATION, epochs]
    known, apart = _apart(records, predictor, epochs)
    _, means_guess, means = pairs((ids, guess), records.means[VALIDATION, epochs])
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
        return (1 - float(np.quantile(ratios[rows], ONE_SIGMA)) ** 2) / (
            variance_of_a_record(epochs) - 1 / 3
        )

    estimates = []
    for estimate, n in ((by_repeats, len(apart)), (by_means, len(ratios))):
        drawn = [estimate(rng.integers(0, n, n)) for _ in range(draws)]
        estimates.append(np.array([estimate(np.arange(n)), *drawn]))
    weights = np.array([1 / each[1:].var() for each in estimates])
    weights /= weights.sum()
    shares = sum(w * each for w, each in zip(weights, estimates, strict=True))
    return np.clip(shares, 0, 0.98 / variance_of_a_record(epochs)), (len(apart), len(ratios))


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


def lift_of(spread: Floats, epochs: int) -> Floats:
    """How far predictions are above the mean: nothing, or what the best of three is.

    Where some runs collapse no normal draws are a model of them; there it is that of other cells.
    """
    if epochs != LONGEST:
        return np.zeros_like(spread)
    return BEST_OF_THREE * np.minimum(spread, 3 * np.median(spread))
