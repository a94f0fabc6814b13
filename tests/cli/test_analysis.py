"""The commands report and plot."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from commands import refused, run
from nb101.analysis.figures import FIGURES


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    space = nb101.SearchSpace(4)
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {"cell_id": np.arange(91), "epochs": np.full(91, 108)}
    for metric in ("validation_accuracy", "test_accuracy", "training_time"):
        columns[f"final_{metric}"] = rng.random(91)
    table = nb101.Table.from_columns(columns, space=space, provenance={"kind": "predicted"})
    target = tmp_path_factory.mktemp("analysis") / "t.arrow"
    table.save(target)
    return target


def test_report(path: Path, tmp_path: Path) -> None:
    text = run("report", path, "-o", tmp_path / "r", "--epochs", "108", "--seed", "1")
    assert f"{tmp_path / 'r' / 'index.html'}" in text
    assert "note: Noise between repeats: No cell has two runs" in text
    about = json.loads((tmp_path / "r" / "numbers.json").read_text())["about"]
    assert (about["cells"], about["seed"]) == (91, 1)


def test_report_refuses(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "-o DIR" in refused(capsys, "report", path)
    assert "no runs at 4 epochs" in refused(
        capsys, "report", path, "-o", tmp_path / "r", "--epochs", "4"
    )
    assert "--seed" in refused(capsys, "report", path, "-o", tmp_path / "r", "--seed", "-1")
    (tmp_path / "file").write_text("")
    assert "is no folder" in refused(capsys, "report", path, "-o", tmp_path / "file")
    assert "name the one to write to" in refused(capsys, "report", path, "-o", "-")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "comparison.json").write_text("{}")
    assert "search compare made it" in refused(capsys, "report", path, "-o", tmp_path / "other")


def test_plot(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "o.svg"
    assert str(target) in run("plot", "op-accuracy", path, "-o", target)
    assert target.read_bytes().startswith(b"<?xml")
    monkeypatch.chdir(tmp_path)
    run("plot", "depth", path)
    assert (tmp_path / "depth.png").read_bytes().startswith(b"\x89PNG")
    # The file is all that is on stdout, and nothing is called "-".
    assert run("plot", "depth", path, "-o", "-", "--format", "svg").startswith("<?xml")
    assert not (tmp_path / "-").exists()


def test_plot_lists_the_figures() -> None:
    lines = run("plot", "--list").splitlines()
    assert [line.split()[0] for line in lines] == list(FIGURES)
    assert "figure 4 (left) of the paper" in next(x for x in lines if x.startswith("op-accuracy"))


def test_plot_refuses(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--list" in refused(capsys, "plot")
    assert "did you mean 'depth'" in refused(capsys, "plot", "dept", path)
    assert "known endings" in refused(capsys, "plot", "depth", path, "-o", tmp_path / "x.bmp")
    assert "not known" in refused(capsys, "plot", "noise", path, "-o", tmp_path / "x.png")


def test_scores_of_proxies(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = nb101.load_table(path)
    columns = {"params": table.cells.parameters().astype(float)}
    scores = nb101.proxies.Scores(cells=table.cells, columns=columns, space=table.space)
    scores.save(tmp_path / "s.arrow")
    of = ("plot", "proxies", path, "-o", tmp_path / "p.svg")
    assert "--proxies" in refused(capsys, *of)
    assert not (tmp_path / "p.svg").exists()
    run(*of, "--proxies", tmp_path / "s.arrow")
    assert (tmp_path / "p.svg").read_bytes().startswith(b"<?xml")
    report = ("report", path, "-o", tmp_path / "r")
    assert "no scores of zero-cost proxies" in refused(capsys, *report, "--proxies", path)
    assert not (tmp_path / "r").exists()
    run(*report, "--proxies", tmp_path / "s.arrow")
    assert 'id="figure-proxies"' in (tmp_path / "r" / "index.html").read_text()
