"""Text of others: no control character reaches a terminal, a message or a page."""

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

import nb101
import official
from commands import refused, run
from nb101.cli.grid import Facts
from nb101.cli.printing import print_json, print_rich
from nb101.plain import counted, printable, printable_lines
from nb101.table import official as files

HOSTILE = "a\x1b[31m[red]x[/red]\nruns  5\x7f\x9b\u202e\u2028<b>&:smile:"
SHOWN = "a�[31m[red]x[/red]�runs  5����<b>&:smile:"


def test_one_for_one() -> None:
    assert printable(HOSTILE) == SHOWN
    assert len(SHOWN) == len(HOSTILE)
    assert printable_lines("a\tb\nc") == "a�b\nc"
    assert printable("Größe 日本") == "Größe 日本"


def test_errors_are_one_line() -> None:
    for error in (nb101.DatasetError, nb101.UnknownHashError, nb101.MissingRunError):
        assert str(error(HOSTILE)) == SHOWN
        assert error(HOSTILE).args == (HOSTILE,)
        assert str(pickle.loads(pickle.dumps(error(HOSTILE)))) == SHOWN


class Screen:
    """A terminal that keeps what it is told."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("terminal", [True, False])
def test_tables_and_facts(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.table import Table

    screen = Screen()
    monkeypatch.setattr(screen, "isatty", lambda: terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(sys, "stdout", screen)
    grid = Table(title=HOSTILE)
    grid.add_column(HOSTILE)
    grid.add_row(HOSTILE)
    print_rich(grid, Facts([(HOSTILE, HOSTILE)]), HOSTILE)
    # Rich's own sequences are for colours and weights.
    for own in ("\x1b[0m", "\x1b[1m", "\x1b[3m", "\x1b[36m"):
        screen.text = screen.text.replace(own, "")
    assert not set(screen.text) & set("\x1b\x7f\x9b\u202e\u2028")
    # Of the row, of the fact and of its name; those of titles keep their lines.
    assert screen.text.count(SHOWN) == 3
    assert screen.text.count("[red]x[/red]") == 6


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": HOSTILE})
    text = capsys.readouterr().out
    assert text.replace("\n", "").isprintable()
    assert text.isascii()
    assert json.loads(text) == {"a": HOSTILE}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table whose provenance is hostile."""
    official.write(tmp_path / "in.tfrecord", [0, 5])
    about: dict[str, Any] = {"recipe": HOSTILE, HOSTILE: {HOSTILE: HOSTILE}}
    files.convert(tmp_path / "in.tfrecord", tmp_path / "t.arrow", provenance=about)
    return tmp_path / "t.arrow"


def test_commands(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = run("info", table)
    assert shown.count(SHOWN) >= 3
    assert not set(shown) & set("\x1b\x7f\x9b\u202e\u2028")
    assert "\x1b" not in run("info", table, "--json")
    assert "\x1b" not in refused(capsys, "info", "no\x1b[31m\nsuch")
    assert "�[31m" in refused(capsys, "info", "no\x1b[31m/\nsuch")
    assert "\x1b" not in refused(capsys, "info", "--no\x1b[31m\nsuch")
    assert "\x1b" not in refused(capsys, "hash", "no\x1b[31m\nsuch")


def test_pages() -> None:
    pytest.importorskip("matplotlib")
    from nb101.analysis import html

    shown = "a�[31m[red]x[/red]\nruns  5����&lt;b&gt;&amp;:smile:"
    assert html.text(HOSTILE) == shown
    pieces: Any = html.environment().get_template("pieces.html.j2").module
    rows = pieces.description_list({HOSTILE: HOSTILE}, "about")
    assert rows == f'<dl class="about"><dt>{shown}</dt><dd>{shown}</dd></dl>'
    figure = pieces.figure("x", "", HOSTILE, "", "")
    assert f"<figcaption>{shown} <em></em></figcaption>" in figure
    about = {"nb101": "1", "made": HOSTILE}
    values = {"title": HOSTILE, "sections": [], "about": about, "citation": HOSTILE}
    page = html.make_page(html.TEMPLATES / "page.html.j2", **values)
    assert page.count(shown) == 4


def test_figures_take_no_formulas_from_names() -> None:
    pytest.importorskip("matplotlib")
    from nb101.search import figures

    assert figures._label("cost $\\frac$ of x\x1b") == "cost \\$\\frac\\$ of x�"


def test_counts_have_the_noun_that_fits() -> None:
    assert [counted(n, "cell") for n in (0, 1, 2)] == ["0 cells", "1 cell", "2 cells"]
    assert counted(1234, "query", "queries") == "1,234 queries"
    assert counted(1, "query", "queries") == "1 query"
