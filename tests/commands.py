"""The command line, called within the process of a test."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from nb101.cli import app, main


def run(*arguments: str | Path, code: int = 0) -> str:
    """Run a command, expect an exit code, and return what it printed."""
    result = CliRunner().invoke(app, list(map(str, arguments)), prog_name="nb101")
    assert result.exit_code == code, result.output
    return result.stdout


def run_bytes(*arguments: str | Path) -> tuple[bytes, str]:
    """Run a command whose file goes to stdout, and return that and what it says beside it."""
    result = CliRunner().invoke(app, list(map(str, arguments)), prog_name="nb101")
    assert result.exit_code == 0, result.output
    return result.stdout_bytes, result.stderr


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Run what must end in one line and exit code 2, and return that line."""
    assert main(list(map(str, arguments))) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("nb101: error: ")
    assert err.count("\n") == 1
    return err
