"""Options in groups."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from nb101.cli.options import grouped


@dataclass(frozen=True, kw_only=True)
class Size:
    words: Annotated[list[str], typer.Argument(metavar="WORD")]
    width: Annotated[int, typer.Option("--width", "-w", help="In points.")] = 3
    height: Annotated[float | None, typer.Option("--height")] = None


@pytest.fixture
def calls() -> tuple[typer.Typer, list[Any]]:
    """A command with a group between two options, and what it is called with."""
    app, seen = typer.Typer(), []

    @app.command()
    @grouped
    def draw(
        first: Annotated[bool, typer.Option("--first")] = False,
        *,
        size: Size,
        last: Annotated[str, typer.Option("--last")] = "x",
    ) -> None:
        """Draw it."""
        seen.append((first, size, last))

    return app, seen


def test_a_group_is_filled(calls: tuple[typer.Typer, list[Any]]) -> None:
    app, seen = calls
    for arguments in (["a", "b"], ["a", "-w", "5", "--last", "y", "--first", "--height", "2"]):
        assert CliRunner().invoke(app, arguments).exit_code == 0
    assert seen == [
        (False, Size(words=["a", "b"]), "x"),
        (True, Size(words=["a"], width=5, height=2.0), "y"),
    ]


def test_its_options_are_the_commands(calls: tuple[typer.Typer, list[Any]]) -> None:
    app, _ = calls
    command: Any = typer.main.get_command(app)
    assert [one.name for one in command.params][:5] == ["first", "words", "width", "height", "last"]
    assert command.help == "Draw it."
    assert CliRunner().invoke(app, ["a", "--wide"]).exit_code == 2
    assert CliRunner().invoke(app, []).exit_code == 2
