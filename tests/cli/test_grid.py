"""Tables that fit the terminal."""

import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import nb101
from commands import run
from nb101.cli import main
from nb101.cli.grid import Facts, Grid, short_ops

INCEPTION = "28cfc7874f6d200472e1a9dcd8650aa0"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, width: int, *arguments: str | Path) -> list[str]:
    """Run a command on a terminal, and return its lines without colours."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", stream := Terminal())
    assert main(list(map(str, arguments))) == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with every column of an official one."""
    rng = np.random.default_rng(0)
    columns: dict[str, object] = {"cell_id": np.arange(500), "epochs": np.full(500, 108)}
    columns["trainable_parameters"] = np.arange(500) + 10**7
    for name in ("train_accuracy", "validation_accuracy", "test_accuracy"):
        columns[f"final_{name}"] = rng.random(500)
    columns["final_training_time"] = rng.random(500) * 5000
    path = tmp_path_factory.mktemp("grid") / "t.arrow"
    nb101.Table.from_columns(columns).save(path)
    return path


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(
    width: int, measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (
        ("top",),
        ("top", measured),
        ("top", "--metric", "training_time", "-n", "3"),
        ("query", INCEPTION),
        ("query", measured, "90"),
        ("info",),
        ("info", measured),
        ("cell", INCEPTION),
        ("count",),
        ("count", "-v", "11", "-e", "55"),
        ("bench", "--quick"),
        ("search", "list"),
    ):
        lines = shown(monkeypatch, width, *command)
        # Paths are copied whole.
        wide = [line for line in lines if len(line) > width and str(measured) not in line]
        assert wide == [], command


def test_top_at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, 80, "top", "-n", "1")
    assert lines[0].rstrip() == "best by mean predicted test accuracy at 108 epochs"
    assert "predicted test accuracy" in lines[1]
    row = lines[3].split()
    assert row[2] == json.loads(run("top", "-n", "1", "--json"))["cells"][0]["hash"][:8]
    assert row[4] == "±"
    assert "3×3" in row
    assert "left out: predicted training time (s), predicted validation accuracy" in lines[4]


def test_all_is_shown_where_there_is_room_or_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = json.loads(run("top", "-n", "2", "--json"))["cells"]
    for text in (
        run("top", "-n", "2"),
        "\n".join(shown(monkeypatch, 250, "top", "-n", "2")),
        "\n".join(shown(monkeypatch, 250, "top", "-n", "2", "--full")),
    ):
        for cell in found:
            assert cell["hash"] in text
            assert " ".join(cell["operations"].split(",")[1:-1]) in text
            for metric in ("validation_accuracy", "test_accuracy"):
                assert f"{cell[metric]:.4f} ± {cell[f'{metric}_uncertainty']:.4f}" in text
        assert "left out" not in text


def test_grids_give_room_in_turns() -> None:
    grid = Grid("title", rest="--json")
    grid.add("name", ["ab"], left=True)
    grid.add("two words", ["12345"], order=2)
    grid.add("first", ["1"], order=1)
    grid.add("text", ["short"], full=["much longer"], full_order=3)

    def heads(width: int | None) -> list[str]:
        table = grid.fit(width)[0]
        assert not isinstance(table, str)
        return [str(column.header) for column in table.columns]

    assert heads(11) == ["name", "text"]
    assert heads(18) == ["name", "first", "text"]
    assert heads(25) == ["name", "two\nwords", "first", "text"]
    assert heads(None) == heads(100) == ["name", "two words", "first", "text"]
    # The first in its turn that fits, and nothing is lost unsaid.
    assert grid.fit(40)[1:] == []
    assert grid.fit(18)[1] == "left out: two\nwords; a wider\nterminal, or\n--json has more"


def test_facts_go_on_below_themselves() -> None:
    facts = Facts([("a", "word " * 10), ("long name", "x" * 60, "short")])
    lines = facts.fit(40)[0].plain.splitlines()
    assert lines == [
        "a          word word word word word word",
        "           word word word word",
        "long name  short",
    ]
    assert len(facts.fit(None)[0].plain.splitlines()) == 2
    assert "x" * 60 in facts.fit(None)[0].plain


def test_short_names_of_ops() -> None:
    assert short_ops(nb101.SearchSpace().ops) == "3×3 1×1 mp"
    assert short_ops(["identity", "a"]) == "ident… a"
