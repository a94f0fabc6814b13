"""The commands of proxies."""

import json
from pathlib import Path

import pyarrow.csv
import pytest

import nb101
from commands import refused, run
from nb101.proxies import NAMES, read_naslib
from torch_tests import CHAIN

SMALL = ["--stem-channels", "4", "--stacks", "1", "--cells-per-stack", "1", "--batch-size", "3"]
SMALL += ["--device", "cpu", "-w", "1"]


def test_a_sample_and_its_tables(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    text = run("proxies", "run", folder, "--sample", "3", *SMALL, "-o", tmp_path / "s.csv")
    assert "cells   3" in text
    for name in NAMES:
        assert name in text
    table = pyarrow.csv.read_csv(tmp_path / "s.csv")
    assert len(table) == 3
    assert set(NAMES) < set(table.column_names)
    said = json.loads(run("proxies", "run", folder, "--sample", "3", *SMALL, "--json"))
    assert said["cells"] == 3
    assert [row["proxy"] for row in said["proxies"]] == list(NAMES)
    assert "3 cells to" in run("proxies", "table", folder, tmp_path / "zc.json")
    assert len(read_naslib(tmp_path / "zc.json").cells) == 3
    run("proxies", "table", tmp_path / "zc.json", tmp_path / "again.csv")
    again = pyarrow.csv.read_csv(tmp_path / "again.csv")
    assert sorted(again["cell_id"].to_pylist()) == table["cell_id"].to_pylist()


def test_a_list_of_a_small_space(tmp_path: Path) -> None:
    arguments: list[str | Path] = [
        "proxies",
        "run",
        tmp_path / "s",
        "--all",
        "-v",
        "3",
        "-p",
        "params",
        *SMALL,
    ]
    run(*arguments, "-o", tmp_path / "s.csv")
    space = nb101.SearchSpace(3)
    table = pyarrow.csv.read_csv(tmp_path / "s.csv")
    assert table["cell_id"].to_pylist() == list(range(len(space)))
    run("proxies", "run", tmp_path / "t", CHAIN.hash, "7", "-p", "l2-norm", *SMALL)
    scores = nb101.proxies.read(tmp_path / "t")
    assert CHAIN in scores.cells
    assert len(scores.cells) == 2


def test_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin: list[str | Path] = ["proxies", "run", tmp_path / "s"]
    assert "name cells" in refused(capsys, *begin)
    assert "not both" in refused(capsys, *begin, "--all", "--sample", "3")
    assert "did you mean 'synflow'" in refused(capsys, *begin, "1", "-p", "synflw")
    assert "ending" in refused(capsys, *begin, "1", "-o", tmp_path / "x.txt")
    assert "no scores" in refused(capsys, "proxies", "table", tmp_path, tmp_path / "x.csv")
    assert "No such file" in refused(
        capsys, "proxies", "table", tmp_path / "x.json", tmp_path / "x.csv"
    )
    assert not (tmp_path / "s").exists()


def test_the_list() -> None:
    text = run("proxies", "list")
    found = json.loads(run("proxies", "list", "--json"))
    assert [row["name"] for row in found] == list(NAMES)
    for row in found:
        assert f"{row['name']}: " in text
        assert row["source"] in text
