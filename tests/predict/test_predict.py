"""Predictors against plain computations, on tables whose truth is known."""

import contextlib
import json
import re
import subprocess
import sys
import threading
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

import nb101
from nb101 import DatasetError, MissingRunError, predict
from nb101._base import archives
from nb101._base.seals import BLANK, seal_bytes
from nb101.predict import learner
from nb101.predict.errors import LEVELS, ONE_SIGMA, Errors, evaluate
from nb101.predict.fitting import fill, observe
from nb101.predict.learner import Ensemble, Regression, fit_ensembles, from_arrays, to_arrays
from nb101.predict.predictor import Predictor
from nb101.predict.scale import Scale

QUICK = predict.Settings(
    networks=2, hidden=(32, 16), alpha=(0.1,), batch_size=32, schedule=((3e-3, 20), (5e-4, 5))
)
NOISE = 0.01


def make_table(n: int = 600, repeats: int = 3, noise: float = NOISE) -> nb101.Table:
    """Make runs of random cells whose accuracy and time are known functions of their structure."""
    rng = np.random.default_rng(1)
    space = nb101.SearchSpace()
    ids = np.sort(rng.choice(len(space), n, replace=False))
    truth, time = make_truth(space, ids)
    columns: dict[str, Any] = {name: [] for name in ("cell_id", "epochs", "v", "t", "s")}
    for epochs, share in ((12, 0.7), (108, 1.0)):
        for _ in range(repeats):
            columns["cell_id"].append(ids)
            columns["epochs"].append(np.full(n, epochs))
            columns["v"].append(share * truth + noise * rng.standard_normal(n))
            columns["t"].append(share * truth - 0.01)
            columns["s"].append(time * epochs / 108)
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    return nb101.Table.from_columns(
        {
            "cell_id": joined["cell_id"],
            "epochs": joined["epochs"],
            "final_validation_accuracy": joined["v"],
            "final_test_accuracy": joined["t"],
            "final_training_time": joined["s"],
        },
        provenance={"source": "a known function"},
    )


def make_truth(space: nb101.SearchSpace, ids: Any) -> tuple[Any, Any]:
    cells = space[ids]
    ops = cells.operations()
    parameters = cells.parameters()
    truth = 0.75 + 0.03 * (ops == 0).sum(axis=1) - 0.02 * (ops == 2).sum(axis=1)
    return truth, 100 + parameters / 20_000


@pytest.fixture(scope="module")
def table() -> nb101.Table:
    return make_table()


@pytest.fixture(scope="module")
def predictor(table: nb101.Table) -> Predictor:
    return predict.fit(table, settings=QUICK, time_settings=QUICK, folds=3, jobs=1)


def test_it_finds_what_is_there(predictor: Predictor, table: nb101.Table) -> None:
    """On cells that it has never seen, against the truth without its noise."""
    space = table.space
    others = np.setdiff1d(np.arange(0, len(space), 997), table.cell_ids)
    truth, time = make_truth(space, others)
    for metric, expected, within in (
        ("validation_accuracy", truth, 0.01),
        ("test_accuracy", truth - 0.01, 0.01),
        ("training_time", time, 100),
    ):
        found = predictor.predict(space[others], metric)
        assert spearmanr(found, expected).statistic > 0.95
        assert np.abs(found - expected).mean() < within
    shorter = predictor.predict(others, "validation_accuracy", 12)
    assert np.abs(shorter - 0.7 * truth).mean() < 0.01


def test_what_is_asked_for(predictor: Predictor, table: nb101.Table) -> None:
    assert predictor.epochs == (12, 108)
    assert predictor.metrics == ("training_time", "validation_accuracy", "test_accuracy")
    assert set(predictor.targets) == {(m, e) for m in predictor.metrics for e in (12, 108)}
    cell = table.space[123_456]
    one = predictor.predict(cell)
    assert one.shape == (1,)
    for same in (123_456, [cell], [123_456], np.array([123_456]), table.space[[123_456]]):
        assert predictor.predict(same) == one
    assert predictor.predict(cell, "final_validation_accuracy", 108) == one
    assert predictor.predict(cell.hash) == one
    everything = predictor.predict_all([5, 123_456])
    assert set(everything) == set(predictor.targets)
    for target, values in everything.items():
        assert (values == predictor.predict([5, 123_456], *target)).all()
    for wrong in (-1, [-1], 423_624, np.array([-5])):
        with pytest.raises(nb101.CellIdError, match="out of range"):
            predictor.predict(wrong)
    for strange in (True, 1.5, [True]):
        with pytest.raises(TypeError, match="Cell"):
            predictor.predict(strange)
    with pytest.raises(TypeError, match="metric must be a name, not int"):
        predictor.predict(cell, 5)  # type: ignore[arg-type]
    with pytest.raises(MissingRunError, match="validation_accuracy at 36 epochs is not predicted"):
        predictor.predict(cell, epochs=36)
    with pytest.raises(
        MissingRunError, match="train_accuracy at 108 epochs is not predicted; what"
    ):
        predictor.predict(cell, "train_accuracy")
    with pytest.raises(ValueError, match=r"level must be from 0\.5 to 0\.99, not 0\.999"):
        predictor.interval(cell, level=0.999)
    assert "from 600 cells" in repr(predictor)


def test_intervals_hold_what_they_say(predictor: Predictor, table: nb101.Table) -> None:
    """Means of other cells' runs, drawn anew, lie within as often as they should."""
    others = np.setdiff1d(np.arange(5, len(table.space), 499), table.cell_ids)
    truth, _ = make_truth(table.space, others)
    means = truth + NOISE * np.random.default_rng(2).standard_normal((3, len(others))).mean(axis=0)
    for level in (0.5, 0.8, 0.9):
        low, high = predictor.interval(others, level=level).T
        # A little more than that: it learnt from more cells than the folds that it was judged by.
        assert level - 0.06 < ((low <= means) & (means <= high)).mean() < level + 0.12
    half = predictor.uncertainty(others)
    low, high = predictor.interval(others, level=ONE_SIGMA).T
    np.testing.assert_allclose(high - low, 2 * half)
    for errors in predictor.report.errors:
        assert errors.covered_68 == pytest.approx(0.68, abs=0.06)
        assert errors.covered_90 == pytest.approx(0.90, abs=0.05)


def test_a_table_of_predictions(predictor: Predictor, table: nb101.Table) -> None:
    ids = np.array([5, 77, 423_623])
    found = predictor.table(ids)
    assert found.provenance["kind"] == "predicted"
    assert found.provenance["cells_learnt_from"] == 600
    assert found.provenance["learnt_from"]["source"] == "a known function"
    assert found.cell_ids.tolist() == ids.tolist()
    assert found.epochs == (12, 108)
    for metric in predictor.metrics:
        for epochs in predictor.epochs:
            expected = predictor.predict(ids, metric, epochs)
            np.testing.assert_allclose(found.mean(metric, epochs), expected, rtol=1e-6)
            expected = predictor.uncertainty(ids, metric, epochs)
            column = found.mean(f"{metric}_uncertainty", epochs)
            np.testing.assert_allclose(column, expected, rtol=1e-5)
    # Three runs with a known deviation.
    spread = found.mean("validation_accuracy_spread", 108)
    np.testing.assert_allclose(spread, NOISE, rtol=0.35)
    np.testing.assert_allclose(found.mean("test_accuracy_spread"), 0, atol=1e-6)
    assert (predictor.table(ids[::-1]).column("cell_id") == found.column("cell_id")).all()


def test_one_run_a_cell_has_no_spread() -> None:
    single = make_table(200, repeats=1)
    found = predict.fit(single, settings=QUICK, time_settings=QUICK, folds=2, jobs=1).table([1])
    assert not any(name.endswith("_spread") for name in found.columns)


def test_cells_without_a_metric_do_not_teach_it(table: nb101.Table) -> None:
    """Times known of half the cells are learnt from these alone."""
    some = table.column("cell_id") % 2 == 0
    columns = {name: table.column(name).copy() for name in table.columns}
    columns["final_training_time"][some] = np.nan
    half = nb101.Table.from_columns(columns)
    quick: dict[str, Any] = {"settings": QUICK, "time_settings": QUICK, "folds": 2, "jobs": 1}
    found = predict.fit(half, **quick)
    columns = {name: column[~some] for name, column in columns.items()}
    alone = predict.fit(nb101.Table.from_columns(columns), **quick)
    ids = np.arange(0, len(table.space), 10_007)
    a, b = (x.predict(ids, "training_time", 108) for x in (found, alone))
    assert (a == b).all()


def test_a_seed_is_all_there_is(table: nb101.Table) -> None:
    """The same predictor from one process and from two; another from another seed."""
    quick = replace(QUICK, networks=1, schedule=((1e-3, 2),), alpha=(0.1, 1.0))
    options: dict[str, Any] = {"settings": quick, "time_settings": quick, "folds": 2, "cells": 150}
    a = predict.fit(table, jobs=1, **options)
    b = predict.fit(table, jobs=2, **options)
    c = predict.fit(table, jobs=1, seed=1, **options)
    assert a.report == b.report
    assert (a.predict([1, 2, 3]) == b.predict([1, 2, 3])).all()
    assert (a.predict([1, 2, 3]) != c.predict([1, 2, 3])).all()
    report = predict.cross_validate(table, jobs=1, **options)
    assert report == a.report


def test_a_report_is_shown_as_a_table(predictor: Predictor) -> None:
    report = predictor.report
    n = len(report.errors)
    said = f"errors of {n} targets, by cross-validation with {report.folds} folds"
    assert repr(report) == f"<Report: {said}>"
    shown = report._repr_html_()
    assert said in shown
    assert shown.count("<tr") == n + 1
    found = report.of("test_accuracy", 12)
    assert f">{found.spearman:.4f}<" in shown
    assert f">{found.covered_68:.1%}<".replace("%", " %") in shown
    assert "Errors of time are shares of it." in shown
    none = replace(found, spearman=None, kendall=None)
    shown = replace(report, errors=(none,))._repr_html_()
    assert shown.count(">none<") == 2
    assert "Errors of time" not in shown


def test_saved_and_opened(predictor: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    predictor.save(path)
    opened = predict.load(path)
    assert opened.about == json.loads(json.dumps(predictor.about))
    assert opened.report == predictor.report
    assert opened.report.of("test_accuracy", 12).cells == 600
    for target in predictor.targets:
        assert (opened.predict([7, 9], *target) == predictor.predict([7, 9], *target)).all()
        assert (opened.uncertainty([7], *target) == predictor.uncertainty([7], *target)).all()
        for a, b in zip(
            opened.report.predictions[target], predictor.report.predictions[target], strict=True
        ):
            assert (a == b).all()
    with pytest.raises(FileNotFoundError):
        predict.load(tmp_path / "none.npz")


def test_other_files_are_refused(predictor: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    for data in (b"", b"hello", b"PK\x03\x04" + bytes(50)):
        path.write_bytes(data)
        with pytest.raises(DatasetError, match=r"p\.npz is no predictor of nb101, or damaged"):
            predict.load(path)
    np.savez(path, about=np.array([{"format": 1}], dtype=object))
    with path.open("r+b") as file, zipfile.ZipFile(file, "a") as archive:
        archive.comment = BLANK.encode()
    path.write_bytes(seal_bytes(path.read_bytes()))
    with pytest.raises(DatasetError, match="is no predictor"):
        predict.load(path)
    predictor.save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    about = json.loads(arrays["about"].tobytes())

    def write(changes: dict[str, Any], **others: Any) -> None:
        text = json.dumps(about | changes).encode()
        content = {**arrays, "about": np.frombuffer(text, np.uint8), **others}
        archives.write(path, content, packed=False)

    write({"format": 3})
    with pytest.raises(DatasetError, match=r"p\.npz: has format 3, and this nb101 reads 2: upg"):
        predict.load(path)
    write({"format": 1})
    with pytest.raises(DatasetError, match=r"p\.npz: has format 1, of before there were seals"):
        predict.load(path)
    write({"features": ["x"]})
    with pytest.raises(DatasetError, match="fitted to other features"):
        predict.load(path)
    write({}, **{"group0/0/0/weights": np.zeros((3, 3))})
    with pytest.raises(DatasetError, match="array group0/0/0/weights is missing, or not as"):
        predict.load(path)
    errors, scale = arrays["target0/0/errors"], arrays["target0/0/scale"]
    nothing = np.full_like(arrays["group0/0/0/weights"], np.nan)
    for name, wrong in (
        ("group0/0/0/weights", nothing),
        ("group0/0/0/weights", np.full(nothing.shape, 1e300)),
        ("group0/0/0/weights", np.zeros((len(nothing), 1 << 15))),
        ("target0/0/errors", -errors),
        ("target0/0/errors", errors[:, ::-1]),
        ("target0/0/errors", errors[:, :0]),
        ("target0/0/scale", np.full(scale.shape, np.inf)),
        ("target0/0/scale", scale[:, ::-1]),
        ("target0/0/predictions", np.full((3, 4), -1.0)),
    ):
        write({}, **{name: wrong})
        with pytest.raises(DatasetError, match=r"p\.npz"):
            predict.load(path)
    others: tuple[dict[str, Any], ...] = (
        {"groups": about["groups"] + about["groups"][:1]},
        {"groups": []},
        {"groups": [[["height", 3]]]},
        {"report": about["report"] | {"errors": [{"metric": 7, "regions": []}]}},
        {"about": "x"},
        {"space": {"max_vertices": 7, "max_edges": 9, "ops": ["x"] * 1000}},
    )
    for changes in others:
        write(changes)
        with pytest.raises(DatasetError, match=r"p\.npz"):
            predict.load(path)
    del arrays["group1/scale"]
    write({})
    with pytest.raises(DatasetError, match="array group1/scale is missing"):
        predict.load(path)


@given(st.data())
def test_damaged_files_are_refused(
    predictor: Predictor, tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "p.npz"
    if not path.exists():
        predictor.save(path)
    whole = path.read_bytes()
    damaged = bytearray(whole)
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged[place] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(whole)))
    other = tmp_path / "damaged.npz"
    other.write_bytes(damaged[:cut] if data.draw(st.booleans()) else damaged)
    if other.read_bytes() != whole:
        with pytest.raises(DatasetError, match=r"damaged\.npz"):
            predict.load(other)


def test_little_does_not_unpack_to_much(tmp_path: Path) -> None:
    """Packed zeros, entries over each other, and headers that say more than there is."""
    path = tmp_path / "p.npz"
    archives.write(path, {"about": np.zeros(1 << 28, np.uint8)}, packed=True)
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match="is no predictor of nb101, or damaged"):
            predict.load(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()
    archives.write(path, {"about": np.zeros(1000, np.uint8)}, packed=False)
    whole = path.read_bytes()
    larger = whole.replace(b"(1000,)", b"(9999,)").replace(b"|u1", b"<f8")
    path.write_bytes(seal_bytes(re.sub(rb"(nb101-sha256:)[0-9a-f]{64}", BLANK.encode(), larger)))
    with pytest.raises(DatasetError, match="is no predictor"):
        predict.load(path)


def test_applying_needs_numpy_only(predictor: Predictor, tmp_path: Path) -> None:
    predictor.save(tmp_path / "p.npz")
    code = (
        "import sys; sys.modules.update(sklearn=None, scipy=None, joblib=None)\n"
        "import nb101\n"
        "print(nb101.predict.load(sys.argv[1]).predict([5])[0])\n"
        "table = nb101.load_table().select(range(60))\n"
        "about = {**table.provenance, 'kind': 'measured'}\n"
        "table = nb101.Table.from_arrow(table.to_arrow(), provenance=about)\n"
        "try: nb101.predict.fit(table)\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "p.npz")],
        capture_output=True,
        text=True,
        check=True,
    )
    number, message = done.stdout.splitlines()
    assert float(number) == predictor.predict([5])[0]
    assert message == "fitting a predictor needs scikit-learn: pip install 'nb101[predict]'"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, kind in (
        (tmp_path / "none.npz", nb101.MissingFileError),
        (tmp_path, nb101.FileError),
    ):
        with pytest.raises(kind) as found:
            predict.load(path)
        assert isinstance(found.value, OSError)
        assert found.value.path == str(path)


def test_what_cannot_be_fitted(table: nb101.Table) -> None:
    mixed = nb101.Table.concat([table, nb101.load_table().select([1, 2])])
    with pytest.raises(DatasetError, match="the table is predicted itself"):
        predict.fit(mixed)
    percent = {name: table.column(name).copy() for name in table.columns}
    percent["final_test_accuracy"] *= 100
    with pytest.raises(DatasetError, match=r"final_test_accuracy is .*it must be within 0 and 1"):
        predict.fit(nb101.Table.from_columns(percent))
    for wrong, message in (
        ({"jobs": 0}, "jobs must be a whole number of at least 1, not 0"),
        ({"cells": 10}, "cells must be a whole number of at least 50, not 10"),
        ({"folds": 1}, "folds must be a whole number of at least 2, not 1"),
        ({"folds": 1000}, "folds must be from 2 to 60"),
        ({"seed": -1}, "seed must be a whole number of at least 0, not -1"),
    ):
        with pytest.raises(ValueError, match=message):
            predict.fit(table, **wrong)  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="no metric of the table is known of at least 50 cells"):
        predict.fit(make_table(30))
    with pytest.raises(DatasetError, match="the table is predicted itself"):
        predict.fit(nb101.load_table())
    with pytest.raises(TypeError, match="a predictor is fitted to a Table, not dict"):
        predict.fit({})  # type: ignore[arg-type]
    for name, value, message in (
        ("networks", 0, "networks must be a whole number of at least 1, not 0"),
        ("hidden", (), "hidden must be a tuple that is not empty"),
        ("hidden", (0,), "a width in hidden must be a whole number of at least 1, not 0"),
        ("hidden", (1 << 20,), "widths in hidden must be up to"),
        ("alpha", (-1.0,), "alpha must be finite and not negative"),
        ("schedule", ((0.0, 1),), "rates in schedule must be positive"),
    ):
        with pytest.raises(ValueError, match=message):
            predict.Settings(**{name: value})  # type: ignore[arg-type]
    assert predict.Settings.from_dict(json.loads(json.dumps(QUICK.to_dict()))) == QUICK


# Metrics of one's own


@pytest.fixture(scope="module")
def own() -> nb101.Table:
    """A table with latencies, of which less is better, and scores, of which it says nothing."""
    table = make_table(200, repeats=1)
    ids = table.column("cell_id")
    latency = 5 + table.space[ids].parameters() / 1e6
    columns = {name: table.column(name) for name in table.columns}
    return nb101.Table.from_columns(
        {**columns, "latency": latency, "score": -latency}, directions={"latency": "min"}
    )


def test_own_metrics_are_learnt(own: nb101.Table, tmp_path: Path) -> None:
    quick: dict[str, Any] = {"settings": QUICK, "time_settings": QUICK, "folds": 2, "jobs": 1}
    predictor = predict.fit(own, **quick)
    # That with a direction is a metric; of the other nobody said so.
    assert predictor.metrics == (
        *("training_time", "validation_accuracy", "test_accuracy"),
        "latency",
    )
    predictor.save(tmp_path / "own.npz")
    for found in (predictor, predict.load(tmp_path / "own.npz")):
        assert found.directions == {"latency": "min"}
        ids = np.arange(0, len(own.space), 9973)
        truth = 5 + own.space[ids].parameters() / 1e6
        assert spearmanr(found.predict(ids, "latency"), truth).statistic > 0.9
        # No fraction: intervals may lie where they will.
        assert found.interval(ids, "latency").max() > 5
        table = found.table(ids)
        assert table.direction("latency") == "min"
        assert table.provenance["kind"] == "predicted"
        assert "latency_uncertainty" in table.columns
        assert table.best("latency").value == pytest.approx(found.predict(ids, "latency").min())
        assert found.report.of("latency", 108).regions == ()
    with pytest.raises(nb101.MissingRunError, match="no errors of latency at 5 epochs"):
        predictor.report.of("latency", 5)


def test_metrics_can_be_chosen(own: nb101.Table) -> None:
    quick: dict[str, Any] = {"settings": QUICK, "time_settings": QUICK, "folds": 2, "jobs": 1}
    report = predict.cross_validate(own, metrics=["score", "final_test_accuracy"], **quick)
    assert {errors.metric for errors in report.errors} == {"score", "test_accuracy"}
    with pytest.raises(nb101.UnknownNameError, match=r"'latensy' .*mean 'latency'") as found:
        predict.fit(own, metrics=["latensy"])
    assert found.value.field == "metrics"
    for wrong, kind in (("latency", nb101.ArgumentTypeError), ([], nb101.ArgumentError)):
        with pytest.raises(kind, match="metrics must"):
            predict.fit(own, metrics=wrong)
    bare = nb101.Table.from_columns(
        {name: own.column(name) for name in ("cell_id", "epochs", "score")}
    )
    with pytest.raises(DatasetError, match="Its own columns are learnt where they are named: "):
        predict.fit(bare)


# Simulated runs


def test_a_sample_is_said_to_be_one() -> None:
    table = predict.sample(70, repeats=2, seed=4)
    assert (len(table), table.num_cells, table.epochs) == (70 * 2 * 4, 70, (4, 12, 36, 108))
    assert table.provenance["kind"] == "predicted"
    assert table.provenance["simulated"] is True
    assert "no number was measured" in table.provenance["note"]
    assert table.equals(predict.sample(70, repeats=2, seed=4))
    assert not table.equals(predict.sample(70, repeats=2, seed=5))
    # Runs of a cell differ, and lie about its prediction.
    runs = table.values("validation_accuracy", 108)
    means = nb101.load_table().mean("validation_accuracy")[table.cell_ids]
    assert (runs[:, 0] != runs[:, 1]).mean() > 0.9
    assert np.median(np.abs(runs - means[:, np.newaxis])) < 0.01
    for wrong, field in (({"n": 0}, "n"), ({"n": 423_625}, "n"), ({"repeats": 129}, "repeats")):
        with pytest.raises(nb101.ArgumentError) as found:
            predict.sample(**wrong)
        assert found.value.field == field


def test_what_is_fitted_to_a_sample_says_so() -> None:
    """It is allowed, and the word goes with what comes of it."""
    sample = predict.sample(60, repeats=1)
    predictor = predict.fit(sample, settings=QUICK, time_settings=QUICK, folds=2, jobs=1)
    found = predictor.table([1, 2])
    assert found.provenance["kind"] == "predicted"
    assert found.provenance["learnt_from"]["simulated"] is True
    # What was predicted by it is no sample.
    with pytest.raises(DatasetError, match=r"simulated runs, .*nb101 predict sample -o"):
        predict.fit(predictor.table(range(60)))


def test_a_notebook_shows_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    from nb101._base import progress

    shown: list[str] = []

    def show(what: str = "", total: int | None = None, **_: Any) -> Any:
        shown.append(what)
        return contextlib.nullcontext(lambda done, total=None, what=None: None)

    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "show", show)
    sample = predict.sample(60, repeats=1)
    predictor = predict.fit(sample, settings=QUICK, time_settings=QUICK, folds=2, jobs=1)
    assert shown == ["fitting networks"]
    predictor.predict([1, 2, 3])
    assert shown == ["fitting networks"]
    predictor.table(range(9000))
    assert shown == ["fitting networks", "predicting cells"]


# Parts


def test_settings_choose_the_penalty() -> None:
    """Pure noise is best predicted by the strongest penalty, a clean line by the weakest."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((200, 20)).astype(np.float32)
    settings = predict.Settings(
        networks=1, hidden=(64,), alpha=(1e-4, 1000.0), schedule=((3e-3, 40),)
    )

    def score(outputs: Any, targets: Any) -> float:
        return -float(np.square(outputs - targets).mean())

    noise = rng.standard_normal((200, 1)).astype(np.float32)
    problems = [Regression(rows, target, settings, 0, score) for target in (noise, rows[:, :1])]
    assert [ensemble.alpha for ensemble in fit_ensembles(problems, jobs=1)] == [1000.0, 1e-4]


def test_an_ensemble_is_what_scikit_learn_says() -> None:
    from sklearn.neural_network import MLPRegressor

    rng = np.random.default_rng(0)
    rows = rng.standard_normal((300, 5)).astype(np.float32) * 3 + 1
    targets = np.stack([rows.sum(axis=1), rows[:, 0] ** 2], axis=1).astype(np.float32)
    settings = predict.Settings(networks=2, hidden=(8,), alpha=(0.1,), schedule=((1e-2, 3),))
    [ensemble] = fit_ensembles([Regression(rows, targets, settings, 5, lambda a, b: 0.0)], jobs=1)
    standard = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    expected = []
    for seed in (5, 6):
        network = MLPRegressor(
            hidden_layer_sizes=(8,),
            alpha=0.1,
            batch_size=128,
            learning_rate_init=1e-2,
            max_iter=3,
            random_state=seed,
        )
        with pytest.warns(match="Maximum iterations"):
            network.fit(standard.astype(np.float32), targets)
        expected.append(network.predict(standard))
    np.testing.assert_allclose(ensemble(rows), np.mean(expected, axis=0), rtol=2e-3, atol=2e-3)
    again = from_arrays(to_arrays(ensemble, "x"), "x", 5, 2)
    assert isinstance(again, Ensemble)
    assert (again(rows) == ensemble(rows)).all()
    with pytest.raises(DatasetError, match="has 2 outputs and not 3"):
        from_arrays(to_arrays(ensemble, "x"), "x", 5, 3)


def test_batches_in_threads_are_those_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nb101.predict.learner.BATCH", 64)
    rng = np.random.default_rng(0)
    layers = tuple(
        (rng.standard_normal(shape).astype(np.float32), rng.random(shape[1]).astype(np.float32))
        for shape in ((5, 32), (32, 2))
    )
    ensemble = Ensemble(np.zeros(5, np.float32), np.ones(5, np.float32), (layers,) * 3, 0.1)
    rows = rng.standard_normal((1000, 5)).astype(np.float32)
    found, ends = {}, []
    for threads in (1, 3):
        monkeypatch.setattr("nb101.predict.learner.get_threads", lambda threads=threads: threads)
        found[threads] = ensemble(rows, lambda done, _: ends.append(done))
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert (found[1] == found[3]).all()
    assert (ensemble(rows) == found[1]).all()
    assert ends == [*range(64, 1000, 64), 1000] * 2

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.undo()
    monkeypatch.setattr("nb101.predict.learner.BATCH", 64)
    with pytest.raises(KeyboardInterrupt):
        ensemble(rows, stop)


def test_calls_that_overlap_leave_the_threads_of_blas_as_they_were() -> None:
    """Whichever ends first: the last one brings back what was before the first."""
    from threadpoolctl import threadpool_info, threadpool_limits

    def threads() -> set[int]:
        return {x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"}

    with threadpool_limits(2, user_api="blas"):
        one, other = learner._ALONE(), learner._ALONE()
        one.__enter__()
        other.__enter__()
        one.__exit__(None, None, None)
        assert threads() == {1}
        other.__exit__(None, None, None)
        assert threads() == {2}


def test_batches_are_applied_where_there_are_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(learner, "get_threads", lambda: 3)
    done: list[int] = []

    def apply(first: int) -> int:
        done.append(first)
        return first

    with learner._batches(apply, range(5)) as ends:
        assert list(ends) == done == list(range(5))


def test_half_widths_are_on_lines_between_levels() -> None:
    centres, halves = np.array([0.0, 1.0]), np.arange(12.0).reshape(6, 2)
    errors = Errors(centres, halves, centres)
    at = np.array([-1.0, 0.25, 1.0])
    by_level = np.array([np.interp(at, centres, row) for row in halves])
    for i, level in enumerate(LEVELS):
        assert (errors.half(at, level) == by_level[i]).all()
    for level in (0.6, 0.7, 0.97):
        expected = [np.interp(level, LEVELS, column) for column in by_level.T]
        np.testing.assert_allclose(errors.half(at, level), expected)


def test_holes_are_filled_on_lines() -> None:
    x = np.linspace(0, 1, 40)
    noise = np.random.default_rng(0).standard_normal(40)
    values = np.stack([x, 2 * x + 1, noise, np.full(40, np.nan)], axis=1)
    values[30:, 0] = np.nan
    values[35:, 1] = np.nan
    found = fill(values[:, :3])
    # From the second column, which is known of five of them; else from the third.
    np.testing.assert_allclose(found[30:35, 0], x[30:35])
    slope, start = np.polyfit(noise[:30], x[:30], 1)
    np.testing.assert_allclose(found[35:, 0], start + slope * noise[35:])
    assert (found[:, 2] == noise).all()
    alone = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, 5.0]])
    assert fill(alone).tolist() == [[1, 5], [3, 5], [2, 5]]


@given(st.lists(st.floats(0, 1, width=32), min_size=20, max_size=200))
def test_scales_keep_the_order(values: list[float]) -> None:
    array = np.array(values)
    scale = Scale.of_ranks(array)
    scores = scale.to_scores(np.sort(array))
    assert (np.diff(scores) >= 0).all()
    back = scale.to_values(scores)
    assert (np.diff(back) >= 0).all()
    assert back.min() >= array.min()
    assert back.max() <= array.max()


def test_scales() -> None:
    rng = np.random.default_rng(0)
    values = rng.random(5000)
    scores = Scale.of_ranks(values).to_scores(values)
    assert abs(scores.mean()) < 0.01
    assert abs(scores.std() - 1) < 0.01
    np.testing.assert_allclose(Scale.of_ranks(values).to_values(scores), values, atol=1e-3)
    times = np.exp(6 + 0.5 * rng.standard_normal(1000))
    logs = Scale.of_logarithms(times)
    np.testing.assert_allclose(logs.to_values(logs.to_scores(times)), times, rtol=1e-9)
    np.testing.assert_allclose(
        logs.to_scores(times),
        (np.log(times) - np.log(times).mean()) / np.log(times).std(),
        atol=1e-4,
    )


def test_errors_by_what_is_predicted() -> None:
    """Normal errors that grow with the prediction: half-widths are the normal's quantiles."""
    rng = np.random.default_rng(0)
    guess = rng.random(40_000)
    truth = guess + (0.1 + guess) * rng.standard_normal(40_000)
    runs = 0.2 * rng.standard_normal((40_000, 2))
    errors = Errors.measure(guess, truth, runs)
    for level, z in zip(LEVELS, (0.6745, 1.0, 1.2816, 1.6449, 1.96, 2.5758), strict=True):
        half = errors.half(np.array([0.25, 0.75]), level)
        np.testing.assert_allclose(half, z * np.array([0.35, 0.85]), rtol=0.1)
    np.testing.assert_allclose(errors.spread_of(np.array([0.5])), 0.2, rtol=0.05)
    between = errors.half(np.array([0.5]), 0.85)
    low, high = errors.half(np.array([0.5]), 0.8), errors.half(np.array([0.5]), 0.9)
    np.testing.assert_allclose(between, (low + high) / 2)
    unknown = Errors.measure(guess, truth, np.full((40_000, 1), np.nan))
    assert np.isnan(unknown.spread_of(guess)).all()


def test_few_predictions_far_from_the_others_are_covered_too() -> None:
    """The lowest fifty are far more uncertain than the rest, and said to be."""
    rng = np.random.default_rng(0)
    guess = np.concatenate([rng.uniform(0.1, 0.5, 50), rng.uniform(0.85, 0.95, 5000)])
    scale = np.where(guess < 0.6, 0.2, 0.004)
    errors = Errors.measure(
        guess, guess + scale * rng.standard_normal(5050), np.full((5050, 1), np.nan)
    )
    anew = np.abs(scale * rng.standard_normal(5050)) <= errors.half(guess)
    assert anew[:50].mean() > 0.5
    assert anew[50:].mean() == pytest.approx(0.6827, abs=0.03)


def test_evaluation_by_hand() -> None:
    rng = np.random.default_rng(0)
    truth = np.concatenate([rng.uniform(0.8, 0.95, 990), np.full(10, 0.1)])
    guess = truth + 0.01 * rng.standard_normal(1000)
    found = evaluate("validation_accuracy", 108, guess, truth, np.arange(1000) % 5)
    assert found.spearman == pytest.approx(spearmanr(guess, truth).statistic)
    assert found.kendall == pytest.approx(kendalltau(guess, truth).statistic)
    assert found.mean_absolute_error == pytest.approx(np.abs(guess - truth).mean())
    assert found.covered_68 == pytest.approx(0.68, abs=0.04)
    regions = {region.name: region for region in found.regions}
    best = set(np.argsort(-truth)[:10])
    guessed = set(np.argsort(-guess)[:10])
    assert regions["best 1 %"].cells == 10
    assert regions["best 1 %"].found == pytest.approx(len(best & guessed) / 10)
    own = list(best)
    assert regions["best 1 %"].bias == pytest.approx((guess - truth)[own].mean())
    assert regions["below 50 %"].cells == 10
    assert regions["lower half"].cells == 500


def test_what_is_observed(table: nb101.Table) -> None:
    """Means and deviations by hand; runs that are missing and times that cannot be."""
    values = table.values("validation_accuracy", 108).astype(np.float64)
    found = observe(table, None, 0)
    np.testing.assert_allclose(found.means["validation_accuracy", 108], values.mean(axis=1))
    expected = (values - values.mean(axis=1, keepdims=True)) * np.sqrt(1.5)
    np.testing.assert_allclose(found.deviations["validation_accuracy", 108], expected)
    fewer = observe(table, 100, 3)
    assert len(fewer.cell_ids) == 100
    assert set(fewer.cell_ids) <= set(table.cell_ids)
    columns = {name: table.column(name).copy() for name in table.columns}
    columns["final_training_time"][:] = 0
    assert not any(
        m == "training_time" for m, _ in observe(nb101.Table.from_columns(columns), None, 0).means
    )


def test_ctrl_c_is_not_taken_for_the_end_of_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.neural_network import _stochastic_optimizers as optimizers

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(optimizers.AdamOptimizer, "update_params", stop)
    features = np.zeros((40, 3), np.float32)
    problem = Regression(features, np.zeros((40, 1), np.float32), QUICK, 0, lambda *_: 0.0)
    with pytest.raises(KeyboardInterrupt):
        fit_ensembles([problem], jobs=1)
