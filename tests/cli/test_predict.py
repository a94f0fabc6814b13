"""The command predict, and the default table in the others."""

import json
from pathlib import Path

import numpy as np
import pytest

import nb101
from commands import refused, run
from nb101 import predict
from nb101.cli import main

INCEPTION = "28cfc7874f6d200472e1a9dcd8650aa0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small measured table, and a predictor that the command fitted to it."""
    folder = tmp_path_factory.mktemp("predict")
    space = nb101.SearchSpace()
    ids = np.arange(0, len(space), 5000)
    columns = {
        "cell_id": ids,
        "epochs": np.full(len(ids), 108),
        "final_validation_accuracy": 0.9 + 0.01 * (space[ids].operations() == 0).sum(axis=1),
        "final_training_time": 100 + space[ids].parameters() / 1e5,
    }
    nb101.Table.from_columns(columns).save(folder / "t.arrow")
    command: list[str | Path] = [
        "predict",
        "fit",
        folder / "t.arrow",
        "-o",
        folder / "p.npz",
        "--jobs",
        "1",
    ]
    text = run(*command, "--networks", "1", "--folds", "2", "--cells", "80")
    assert "learnt from  80 cells" in text
    assert "validation accuracy" in text
    assert "Spearman" in text
    found = json.loads(run(*command, "--networks", "1", "--folds", "2", "--cells", "80", "--json"))
    assert found["folds"] == 2
    assert {error["metric"] for error in found["errors"]} == {
        "training_time",
        "validation_accuracy",
    }
    return folder


def test_apply_to_a_cell(folder: Path) -> None:
    predictor = predict.load(folder / "p.npz")
    value = predictor.predict(nb101.Cell.from_hash(INCEPTION))[0]
    half = predictor.uncertainty(nb101.Cell.from_hash(INCEPTION))[0]
    text = run("predict", "apply", folder / "p.npz", INCEPTION)
    assert f"{value:.4f} ± {half:.4f}" in text
    assert "predicted" in text
    found = json.loads(run("predict", "apply", folder / "p.npz", "--id", "359715", "--json"))
    assert found["kind"] == "predicted"
    rows = {row["metric"]: row for row in found["predictions"]}
    assert rows["validation_accuracy"]["predicted"] == value
    assert rows["validation_accuracy"]["uncertainty"] == half
    assert rows["training_time"]["epochs"] == 108


def test_apply_to_the_space(folder: Path) -> None:
    text = run("predict", "apply", folder / "p.npz", "-o", folder / "all.arrow")
    assert "423,624 predicted runs" in text
    table = nb101.Table.open(folder / "all.arrow", verify=True)
    assert table.provenance["kind"] == "predicted"
    predictor = predict.load(folder / "p.npz")
    np.testing.assert_allclose(
        table.mean("validation_accuracy")[[5, 423_623]], predictor.predict([5, 423_623]), rtol=1e-6
    )
    assert "mean predicted validation" in run(
        "top", folder / "all.arrow", "-m", "validation_accuracy"
    )


def test_what_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = folder / "p.npz"
    cases: list[tuple[list[str | Path], str]] = [
        (["fit", "surrogate-v1", "-o", folder / "x.npz"], "nb101 predict sample -o sample.arrow"),
        (["sample", "-n", "0", "-o", folder / "x.arrow"], "n must be a whole number of at least 1"),
        (["sample", "-n", "500000", "-o", folder / "x.arrow"], "n must be at most 423,624"),
        (["sample", "-o", folder / "x.tfrecord"], "cannot be written as official records"),
        (["sample"], "output"),
        (
            ["fit", folder / "t.arrow", "-o", folder / "x.npz", "-m", "val_accuracy"],
            "did you mean 'validation_accuracy'?",
        ),
        (
            ["fit", folder / "t.arrow", "-o", folder / "x.npz", "--cells", "9"],
            "cells must be a whole",
        ),
        (
            ["fit", folder / "t.arrow", "-o", folder / "x.npz", "--folds", "1"],
            "folds must be a whole",
        ),
        (["fit", folder / "t.arrow", "-o", folder / "none" / "x.npz"], "there is no folder"),
        (["fit", folder / "t.arrow", "-o", folder / "x.arrow"], "ends in .npz"),
        (["apply", model, "-o", folder / "none" / "x.arrow"], "there is no folder"),
        (["fit", folder / "none.arrow", "-o", folder / "x.npz"], "there is no file"),
        (["fit", folder / "t.arrow"], "output"),
        (["apply", folder / "none.npz", INCEPTION], "No such file"),
        (["apply", folder / "t.arrow", INCEPTION], "t.arrow is no predictor of nb101, or damaged"),
        (["apply", model], "give one cell: a module, a hash, or --id N"),
        (["apply", model, INCEPTION, "-o", folder / "x.arrow"], "give a cell, or -o for the whole"),
        (["apply", model, "-o", folder / "x.txt"], "x.txt"),
        (["apply", model, "0" * 32], "0" * 32),
    ]
    for arguments, message in cases:
        assert message in refused(capsys, "predict", *arguments)
    assert not (folder / "x.npz").exists()
    assert not (folder / "x.arrow").exists()


def test_sample_fit_apply(tmp_path: Path) -> None:
    """What a newcomer can do right after installation."""
    text = run("predict", "sample", "-n", "60", "--repeats", "1", "-o", tmp_path / "s.arrow")
    assert "240 simulated runs of 60 cells, drawn about predictions: for practice" in text
    assert "simulated" in run("info", tmp_path / "s.arrow")
    text = run(
        *("predict", "fit", tmp_path / "s.arrow", "-o", tmp_path / "p.npz", "--jobs", "1"),
        *("--networks", "1", "--folds", "2", "--metric", "validation_accuracy"),
    )
    assert "60 cells, runs of which were simulated: for practice" in text
    assert max(map(len, text.splitlines()[4:])) <= 80
    assert "training time" not in text
    text = run("predict", "apply", tmp_path / "p.npz", INCEPTION)
    assert "predicted" in text
    assert "runs of which were simulated: for practice" in text
    found = json.loads(run("predict", "apply", tmp_path / "p.npz", INCEPTION, "--json"))
    assert found["kind"] == "predicted"
    assert "simulated" in found["learnt_from"]


# The default table


def test_query_and_top_and_info_say_predicted() -> None:
    table = nb101.load_table()
    text = run("query", INCEPTION)
    assert "runs are    predicted" in text
    value = table.mean("validation_accuracy")[359_715]
    assert f"{value:.4f} ± " in text
    found = json.loads(run("query", INCEPTION, "--json"))
    assert found["kind"] == "predicted"
    assert [run["epochs"] for run in found["runs"]] == [4, 12, 36, 108]
    assert run("query", "surrogate-v1", INCEPTION) == text
    text = run("top", "--metric", "validation_accuracy", "--epochs", "108")
    assert text.startswith("best by mean predicted validation accuracy at 108 epochs")
    found = json.loads(run("top", "-m", "validation_accuracy", "-n", "3", "--json"))
    assert found["kind"] == "predicted"
    assert [cell["id"] for cell in found["cells"]] == np.argsort(
        -table.mean("validation_accuracy"), kind="stable"
    )[:3].tolist()
    text = run("info")
    assert "1,694,496, predicted" in text
    assert "predicted: no number below was measured" in text
    assert "validation accuracy at 108  cells 20,001, spearman 0.98" in text
    assert json.loads(run("info", "--json", "--verify"))["kind"] == "predicted"


def test_the_default_table_is_exported(tmp_path: Path) -> None:
    assert "predicted runs to" in run("export", "surrogate-v1", tmp_path / "t.parquet")
    nb101.load_table().select([3]).save(tmp_path / "t.csv")
    _, *lines = (tmp_path / "t.csv").read_text().splitlines()
    assert len(lines) == 4
    assert all(line.endswith(',"predicted"') for line in lines)
    assert nb101.Table.open(tmp_path / "t.parquet").equals(nb101.load_table())


def test_ctrl_c_says_what_is_lost(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(predict, "fit", stop)
    monkeypatch.setattr(predict.Predictor, "table", stop)
    for command in (
        ("fit", folder / "t.arrow", "-o", folder / "new.npz"),
        ("apply", folder / "p.npz", "-o", folder / "new.arrow"),
    ):
        assert main(["predict", *map(str, command)]) == 130
        assert "interrupted; nothing was written" in capsys.readouterr().err


def test_with_scores_of_proxies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fitted with scores, it asks for those of what it predicts."""
    space = nb101.SearchSpace()
    ids = np.arange(0, len(space), 6000)
    values = np.linspace(0.8, 0.9, len(ids))
    columns = {"cell_id": ids, "epochs": [108] * len(ids), "final_validation_accuracy": values}
    nb101.Table.from_columns(columns).save(tmp_path / "t.arrow")
    scores = nb101.proxies.Scores(cells=space[ids], columns={"zen": np.exp(100 * values)})
    scores.save(tmp_path / "s.arrow")
    model = tmp_path / "p.npz"
    fit = ("predict", "fit", tmp_path / "t.arrow", "--proxies", tmp_path / "s.arrow")
    quick = ("--jobs", "1", "--networks", "1", "--folds", "2")
    text = run(*fit, "-o", model, *quick)
    assert "without" in text
    assert predict.load(model).proxies == ("zen",)
    run("predict", "apply", model, "-o", tmp_path / "o.arrow", "--proxies", tmp_path / "s.arrow")
    assert nb101.load_table(tmp_path / "o.arrow").cell_ids.tolist() == ids.tolist()
    applied = ("predict", "apply", model, "--id", "6000", "--json")
    assert json.loads(run(*applied, "--proxies", tmp_path / "s.arrow"))["predictions"]
    assert "needs scores of proxies: zen" in refused(capsys, *applied)
    assert "1 cell of 1 has no scores" in refused(
        capsys, "predict", "apply", model, "--id", "7", "--proxies", tmp_path / "s.arrow"
    )
    assert "no scores" in refused(capsys, *fit[:-1], tmp_path, "-o", tmp_path / "no.npz")
    refused(capsys, *fit[:-1], tmp_path / "none.arrow", "-o", tmp_path / "no.npz")
    assert not (tmp_path / "no.npz").exists()
