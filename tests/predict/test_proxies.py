"""Proxies as features: what they add, and what a predictor asks for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

import nb101
from nb101 import predict
from nb101.predict.inputs import Inputs
from nb101.proxies import Scores
from test_errors import WRONG

QUICK = predict.Settings(
    networks=2, hidden=(32, 16), alpha=(0.1,), batch_size=32, schedule=((3e-3, 20), (5e-4, 5))
)
SPACE = nb101.SearchSpace()
N = 400
ABOUT = {"config": {"stem_channels": 16}, "images": "random", "batch_size": 32, "seed": 0}


def made() -> tuple[nb101.Table, Scores]:
    """A table whose accuracy no structure tells, but one proxy in part; some cells have no score.

    Scores go over many powers of ten, and have what is no number.
    """
    rng = np.random.default_rng(3)
    ids = np.sort(rng.choice(len(SPACE), N, replace=False))
    hidden = rng.random(N)
    columns = {
        "cell_id": ids,
        "epochs": np.full(N, 108),
        "final_validation_accuracy": 0.8 + 0.1 * hidden,
        "final_training_time": 100 + 1000 * SPACE[ids].parameters() / 1e8,
    }
    table = nb101.Table.from_columns(columns, provenance={"kind": "measured"})
    told = 10.0 ** (30 * hidden + rng.normal(size=N))
    told[::17] = np.nan
    told[5] = -np.inf
    order = rng.permutation(N)[: N - 40]
    scores = Scores(
        cells=SPACE[ids[order]],
        columns={"snip": told[order], "zen": rng.normal(size=len(order))},
        about=ABOUT,
    )
    return table, scores


@pytest.fixture(scope="module")
def table() -> nb101.Table:
    return made()[0]


@pytest.fixture(scope="module")
def scores() -> Scores:
    return made()[1]


def fit(table: nb101.Table, scores: Scores | None, **more: Any) -> predict.Predictor:
    return predict.fit(
        *(table,), proxies=scores, folds=3, settings=QUICK, time_settings=QUICK, jobs=1, **more
    )


@pytest.fixture(scope="module")
def predictor(table: nb101.Table, scores: Scores) -> predict.Predictor:
    return fit(table, scores)


def test_what_they_add(predictor: predict.Predictor, table: nb101.Table, scores: Scores) -> None:
    assert predictor.proxies == ("snip", "zen")
    assert predictor.about["proxies"] == ["snip", "zen"]
    assert predictor.about["cells_learnt_from"] == N - 40
    report = predictor.report
    better, worse = report.errors[1], report.without_proxies[1]
    assert (better.metric, worse.metric) == ("validation_accuracy",) * 2
    assert better.cells == worse.cells == N - 40
    assert better.spearman is not None
    assert worse.spearman is not None
    assert better.spearman > 0.4
    assert abs(worse.spearman) < 0.3
    told = report.summary()["validation_accuracy at 108"]
    assert told["spearman_without_proxies"] == round(worse.spearman, 4)
    assert "Spearman without proxies" in report._repr_html_()
    ids, guess, truth = report.predictions["validation_accuracy", 108]
    assert spearmanr(guess, truth)[0] == pytest.approx(better.spearman)
    assert set(ids.tolist()) == set(SPACE.index(scores.cells).tolist())


def test_without_them_it_is_what_is_fitted_to_the_same_cells(
    predictor: predict.Predictor, table: nb101.Table, scores: Scores
) -> None:
    """Same cells, same folds, same seeds: bit for bit."""
    ids = set(SPACE.index(scores.cells).tolist())
    rows = np.array([int(i) in ids for i in table.column("cell_id")])
    columns = {name: np.asarray(table.column(name))[rows] for name in table.columns}
    same = nb101.Table.from_columns(columns, provenance={"kind": "measured"})
    other = fit(same, None)
    assert other.report.errors == predictor.report.without_proxies
    assert other.report.without_proxies == ()
    assert other.proxies == ()


def test_predictions_need_scores(predictor: predict.Predictor, scores: Scores) -> None:
    some = scores.cells[:7]
    found = predictor.predict(some, proxies=scores)
    assert found.shape == (7,)
    again = predictor.predict(SPACE.index(some)[::-1], proxies=scores)
    np.testing.assert_allclose(found, again[::-1], atol=1e-6)
    assert predictor.uncertainty(some, proxies=scores).shape == (7,)
    assert predictor.interval(some, proxies=scores).shape == (7, 2)
    # What is no number counts as the middle.
    unknown = Scores(
        cells=some, columns={"snip": np.full(7, np.nan), "zen": scores["zen"][:7]}, about=ABOUT
    )
    assert np.isfinite(predictor.predict(some, proxies=unknown)).all()
    predicted = predictor.table(proxies=scores)
    assert predicted.num_cells == len(scores.cells)
    assert predicted.provenance["proxies"] == ["snip", "zen"]
    for cells, given, said in (
        (some, None, "needs scores of proxies: snip, zen"),
        (None, None, "needs scores of proxies"),
        (some, Scores(cells=some, columns={"zen": scores["zen"][:7]}), "lack snip"),
        ([0, 1], scores, "2 cells of 2 have no scores"),
    ):
        with pytest.raises(nb101.ArgumentError, match=said) as caught:
            predictor.table(cells, proxies=given)
        assert caught.value.field == "proxies"


def test_scores_of_another_recipe_are_refused(predictor: predict.Predictor, scores: Scores) -> None:
    for change, said in (
        ({"config": {"stem_channels": 128}}, "stem_channels is 128 and not 16"),
        ({"images": "CIFAR-10"}, "images is CIFAR-10 and not random"),
        ({"batch_size": 64}, "batch_size is 64 and not 32"),
    ):
        other = Scores(cells=scores.cells, columns=scores.columns, about=ABOUT | change)
        with pytest.raises(nb101.ArgumentError, match=said):
            predictor.predict(scores.cells, proxies=other)
    for about in ({}, ABOUT | {"seed": 1}):
        other = Scores(cells=scores.cells, columns=scores.columns, about=about)
        predictor.predict(scores.cells[:1], proxies=other)


def test_a_predictor_without_takes_none(table: nb101.Table, scores: Scores) -> None:
    plain = fit(table, None, metrics=["training_time"])
    with pytest.raises(nb101.ArgumentError, match="takes no scores"):
        plain.predict([3], "training_time", proxies=scores)


def test_saved_and_opened(predictor: predict.Predictor, scores: Scores, tmp_path: Path) -> None:
    predictor.save(tmp_path / "p.npz")
    opened = predict.load(tmp_path / "p.npz")
    assert opened.proxies == predictor.proxies
    assert opened.report == predictor.report
    for target, values in predictor.predict_all(scores.cells, proxies=scores).items():
        np.testing.assert_array_equal(
            opened.predict_all(scores.cells, proxies=scores)[target], values
        )
    other = Scores(cells=scores.cells, columns=scores.columns, about=ABOUT | {"batch_size": 64})
    with pytest.raises(nb101.ArgumentError, match="another recipe"):
        opened.predict(scores.cells, proxies=other)


def test_too_few_scores(table: nb101.Table, scores: Scores) -> None:
    few = Scores(cells=scores.cells[:49], columns={"zen": scores["zen"][:49]})
    with pytest.raises(nb101.DatasetError, match="49 cells of the table have scores of 1 proxy"):
        fit(table, few)
    with pytest.raises(nb101.DatasetError, match="scores of 0 proxies"):
        fit(table, Scores(cells=scores.cells, columns={}))


@pytest.mark.parametrize("wrong", [x for x in WRONG if x is not None])
def test_what_is_no_scores(wrong: Any, predictor: predict.Predictor, table: nb101.Table) -> None:
    with pytest.raises(nb101.NB101Error):
        fit(table, wrong)
    with pytest.raises(nb101.NB101Error):
        predictor.predict([3], proxies=wrong)


def test_scales_of_what_is_no_number() -> None:
    columns = {"snip": np.full(4, np.nan), "zen": np.array([1.0, 2.0, -np.inf, np.nan])}
    inputs = Inputs.learn(columns, {})
    found = inputs.beside(np.zeros((4, 1), np.float32), columns)
    assert found.shape == (4, 3)
    assert (found[:, :2] == 0).all()
    assert found[2, 2] == found[0, 2] < found[1, 2]
    assert found[3, 2] == 0


def test_cross_validation_alone(table: nb101.Table, scores: Scores) -> None:
    report = predict.cross_validate(
        *(table,), proxies=scores, folds=3, settings=QUICK, time_settings=QUICK, jobs=1
    )
    assert len(report.without_proxies) == len(report.errors) == 2
