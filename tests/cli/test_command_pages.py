"""The pages of commands in the documents have all that ``--help`` prints, and nothing hidden."""

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nb101.cli import app

EXTENSIONS = Path(__file__).parents[2] / "docs" / "_ext"


@pytest.fixture(scope="module")
def maker() -> Any:
    pytest.importorskip("sphinx")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXTENSIONS)
        return importlib.import_module("command_pages")


@pytest.fixture(scope="module")
def pages(maker: Any) -> dict[str, str]:
    return dict(maker.pages())


@cache
def help_of(*command: str) -> list[str]:
    """Return the lines that ``--help`` prints where there is room for each in one."""
    printed = CliRunner().invoke(
        app,
        [*command, "--help"],
        prog_name="nb101",
        env={"COLUMNS": "2000", "TERMINAL_WIDTH": "2000"},
    )
    assert printed.exit_code == 0
    return [line for line in printed.stdout.splitlines() if line.strip()]


def panel(lines: list[str], name: str) -> list[list[str]]:
    """Return the rows of a panel of help, their columns apart."""
    rows: list[list[str]] = []
    inside = False
    for line in lines:
        if line.startswith("╭"):
            inside = f" {name} " in line
        elif line.startswith("│") and inside:
            rows.append(re.split(r"\s{2,}", line.strip("│ *")))
    return rows


def options_in(text: str) -> list[str]:
    """Return the names of options in a line."""
    return re.findall(r"(?<![\w-])--?[a-z][\w-]*", text)


def plain(page: str) -> str:
    """Return what a page says, without its markup."""
    text = re.sub(r":\w+:`([^`<]*?)(?: <[^>]*>)?`", r"\1", page)
    text = re.sub(r"\\(.)", lambda found: found[1].strip(), text).replace("``", "")
    return " ".join(text.split())


@cache
def commands() -> list[tuple[str, ...]]:
    """Return all commands, as the help of each group lists them."""
    found: list[tuple[str, ...]] = [()]
    for path in found:
        found += [(*path, row[0]) for row in panel(help_of(*path), "Commands")]
    return found


def test_every_command_has_a_page(pages: dict[str, str]) -> None:
    names = {"-".join(("nb101", *path)) + ".rst" for path in commands()}
    assert len(names) > 30
    assert set(pages) == {*names, "index.rst"}
    for path in commands():
        name = " ".join(("nb101", *path))
        assert f":doc:`{name} <{name.replace(' ', '-')}>`" in pages["index.rst"]


def test_a_page_has_all_that_help_says(pages: dict[str, str]) -> None:
    for path in commands():
        check(path, pages)


def check(path: tuple[str, ...], pages: dict[str, str]) -> None:
    """Compare the page of a command with its help, row by row."""
    page = pages["-".join(("nb101", *path)) + ".rst"]
    said, lines = plain(page), help_of(*path)
    described = dict(re.findall(r"\.\. option:: (.*)\n\n   (.*)", page))
    for name in ("Arguments", "Options", "Commands"):
        rows = panel(lines, name)
        assert (f"\n{name}\n---" in page) == bool(rows)
        for first, *rest in rows:
            text, *extra = re.split(r" (?=\[(?:default|required|env var))", rest[-1])
            assert text in said
            for entry in extra:
                value = re.sub(r"^(default|env var): ", "", entry.strip("[]"))
                assert value in said.replace("Required", "required")
            if name == "Options":
                names = options_in(" ".join([first, *rest[:-1]]))
                assert names
                (signature,) = [each for each in described if names[0] in options_in(each)]
                assert set(names) == set(options_in(signature))
    listed = sum(len(panel(lines, name)) for name in ("Arguments", "Options"))
    assert page.count(".. option::") == listed
    # What stands outside of panels: usage, description, examples.
    for line in lines:
        if not line.startswith(("│", "╭", "╰")):
            text = " ".join(line.split()).removeprefix("Usage: ")
            assert text in said


def test_pages_are_written_when_they_differ(
    maker: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "commands"
    monkeypatch.setattr(maker, "FOLDER", folder)
    maker.write_pages(None)
    (folder / "nb101-gone.rst").write_text("of a command that is no more")
    (folder / "nb101-top.rst").write_text("another one")
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    maker.write_pages(None)
    after = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert {path.name for path in before if before[path] != after.get(path)} == {
        "nb101-gone.rst",
        "nb101-top.rst",
    }
    assert (folder / "nb101-top.rst").read_text().startswith("nb101 top\n")


def test_hidden_options_are_left_out(maker: Any) -> None:
    (top,) = [each for each in maker.every_command() if each.path == "nb101 top"]
    (shown,) = [each for each in top.parameters("option") if "--full" in each.opts]
    shown.hidden = True
    try:
        assert "--full" not in maker.page_of(top, set())
    finally:
        shown.hidden = False
