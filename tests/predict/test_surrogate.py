"""What makes the embedded table, on records whose truth is known, and on genuine ones."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

import nb101
from nb101 import predict
from nb101.predict.errors import Errors, Report
from surrogate.noise import BEST_OF_THREE, SPREAD_OF_BEST, estimate_ceiling, measure_noise
from surrogate.records import EPOCHS, LONGEST, VALIDATION, Records
from surrogate.report import _covered, _share_of_sampling

UNCERTAINTY, SPREAD = 0.01, 0.02


def make_records(epochs: int, rng: np.random.Generator) -> tuple[Records, Any, float]:
    """Records of normal runs about normal means about predictions, with known widths.

    3,000 cells are in the sample, 1,200 have known means, 300 are both. Returned with a predictor
    and the rank correlation of the sample with the true means.
    """
    n = 3900
    guess = rng.uniform(0.5, 0.9, n)
    truth = guess + UNCERTAINTY * rng.standard_normal(n)
    runs = truth[:, np.newaxis] + SPREAD * rng.standard_normal((n, 3))
    sampled, known = np.arange(3000), np.arange(2700, n)
    record = runs.max(axis=1) if epochs == LONGEST else runs[:, 0]
    means = runs.mean(axis=1)
    lift = float((runs.max(axis=1) - means)[2700:3000].mean()) if epochs == LONGEST else 0.0
    if epochs == LONGEST:
        # What a predictor of the best of three says.
        guess = guess + BEST_OF_THREE * SPREAD
    learnt = record.copy()
    learnt[known] = means[known] + lift
    nothing = np.zeros((0, 3))
    records = Records(
        sample_ids=sampled,
        sample={epochs: record[sampled]},
        time=np.ones(len(sampled)),
        means={(VALIDATION, epochs): (known, means[known])},
        repeat_ids=np.zeros(0, dtype=np.int64),
        repeats=nothing,
        test_repeats=nothing,
        times=nothing,
        retrained={},
    )
    target = (VALIDATION, epochs)
    errors = Errors.measure(guess[sampled], record[sampled], np.full((3000, 1), np.nan))
    report = Report(
        folds=5, alphas=(), errors=(), predictions={target: (np.arange(n), guess, learnt)}
    )
    predictor = SimpleNamespace(
        errors={target: errors}, report=report, predict=lambda ids, *_: guess[ids].copy()
    )
    return records, predictor, float(spearmanr(truth[sampled], record[sampled]).statistic)


@pytest.mark.parametrize("epochs", [4, LONGEST])
def test_noise_and_uncertainty_are_taken_apart(epochs: int) -> None:
    records, predictor, correlation = make_records(epochs, np.random.default_rng(epochs))
    noise = measure_noise(records, predictor, epochs)
    np.testing.assert_allclose(np.median(noise.spread), SPREAD, rtol=0.1)
    np.testing.assert_allclose(np.median(noise.uncertainty), UNCERTAINTY, rtol=0.3)
    kind = SPREAD_OF_BEST**2 if epochs == LONGEST else 1
    assert kind * noise.repeats**2 + noise.prediction**2 == pytest.approx(1)
    middle, low, high = estimate_ceiling(records, predictor, epochs)
    assert low <= middle <= high
    assert middle == pytest.approx(correlation, abs=0.015)
    assert _covered(records, predictor, epochs) == pytest.approx(0.6827, abs=0.05)


def test_constants_of_the_best_of_three() -> None:
    best = np.random.default_rng(0).standard_normal((200_000, 3)).max(axis=1)
    assert best.mean() == pytest.approx(BEST_OF_THREE, abs=0.005)
    assert best.std() == pytest.approx(SPREAD_OF_BEST, abs=0.005)


def test_the_share_of_sampling() -> None:
    """Runs that share all but half the binomial variance of their accuracies."""
    rng = np.random.default_rng(0)
    common = 0.9 + 0.01 * rng.standard_normal((4000, 3))
    alone = np.sqrt(0.5 * 0.9 * 0.1 / 9984)
    pair = tuple(common + alone * rng.standard_normal((4000, 3)) for _ in range(2))
    nothing: Any = None
    records = Records(
        *(nothing,) * 5, repeats=pair[0], test_repeats=pair[1], times=nothing, retrained={36: pair}
    )
    shares = _share_of_sampling(records)
    assert shares == {
        "36, trained anew": pytest.approx(0.5, abs=0.06),
        "108, genuine": pytest.approx(0.5, abs=0.06),
    }


# Genuine records


@pytest.fixture(scope="module")
def records(test_data: Path) -> Records:
    return Records.read(test_data / "nasbench101")


def test_what_is_learnt_from(records: Records) -> None:
    table = records.table()
    assert table.epochs == EPOCHS
    assert table.num_cells == 21_255
    assert np.isfinite(table.mean("training_time", LONGEST)).sum() == 20_521
    assert 0.003 < records.lifts[1].mean() < 0.004
    ids, means = records.means[VALIDATION, 36]
    rows = np.searchsorted(table.cell_ids, ids)
    np.testing.assert_allclose(table.mean(VALIDATION, 36)[rows], means, rtol=1e-6)
    single = np.flatnonzero(~np.isin(records.sample_ids, ids))[0]
    row = np.searchsorted(table.cell_ids, records.sample_ids[single])
    assert table.mean(VALIDATION, 36)[row] == pytest.approx(records.sample[36][single])


def test_a_small_predictor_of_genuine_records(records: Records) -> None:
    """A tenth of the cells and a fraction of the work already rank unseen cells well."""
    settings = predict.Settings(
        networks=1, hidden=(128, 64), alpha=(0.3,), schedule=((1e-3, 12), (2e-4, 4))
    )
    report = predict.cross_validate(
        records.table(), cells=2000, folds=2, settings=settings, time_settings=settings, jobs=1
    )
    for epochs, least in ((4, 0.75), (12, 0.8), (36, 0.88), (108, 0.9)):
        spearman = report.of(VALIDATION, epochs).spearman
        assert spearman is not None
        assert spearman > least
    time = report.of("training_time", LONGEST).spearman
    assert time is not None
    assert time > 0.95


def test_the_shipped_table_is_the_best_guess_there_is(records: Records) -> None:
    """Predictions of genuine means agree with them; nothing here was taken over as it was."""
    table = nb101.load_table()
    ids, means = records.means["test_accuracy", LONGEST]
    found = table.mean("test_accuracy", LONGEST)[ids]
    assert spearmanr(found, means).statistic > 0.95
    assert (found != means).all()
