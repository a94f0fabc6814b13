"""The command line: a page for each command, made of what its ``--help`` says.

The commands are asked themselves, hidden ones and hidden options left out, so that nothing is said
twice and nothing is forgotten. The pages are made anew where they differ, and are not in the
repository. Each option is an object of Sphinx: ``{option}`nb101 convert --keep-going``` leads to
it. Where a text names a command or an option of its own, it leads there too.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import made_pages
import typer
from rich.text import Text
from sphinx.application import Sphinx

from nb101.cli import app as cli

FOLDER = Path(__file__).parents[1] / "reference" / "commands"
TYPES = {"int": "a whole number", "float": "a number", "path": "a path"}
"""What values are, where their names in capitals do not say it."""


class Command(NamedTuple):
    """A command, and the context in which it is called."""

    path: str
    """Such as ``nb101 search compare``."""
    command: Any
    context: Any

    @property
    def page(self) -> str:
        """Name of its page."""
        return self.path.replace(" ", "-")

    @property
    def subcommands(self) -> list[str]:
        """Names of the commands of a group."""
        return [
            name
            for name, each in getattr(self.command, "commands", {}).items()
            if not getattr(each, "hidden", False)
        ]

    def parameters(self, kind: str) -> list[Any]:
        """Return its arguments or options, as its help has them."""
        every = self.command.get_params(self.context)
        return [x for x in every if x.param_type_name == kind and not getattr(x, "hidden", False)]


def every_command() -> Iterator[Command]:
    """Yield all commands that are not hidden, each before its subcommands."""

    def walk(command: Any, name: str, parent: Any) -> Iterator[Command]:
        # What stands in a group's list is only loaded when it is called.
        command = command.load() if hasattr(command, "load") else command
        context = command.make_context(name, [], parent=parent, resilient_parsing=True)
        found = Command(context.command_path, command, context)
        yield found
        for subcommand in found.subcommands:
            yield from walk(command.commands[subcommand], subcommand, context)

    yield from walk(typer.main.get_command(cli), "nb101", None)


# Texts


def plain(text: str | None) -> str:
    """Return a text without the markup of the terminal."""
    return Text.from_markup(text or "").plain.strip()


def escape(text: str) -> str:
    """Return a text in which nothing is markup of reStructuredText."""
    return re.sub(r"([\\*`|_<>])", r"\\\1", text)


def prose(text: str, mine: Command, paths: set[str]) -> str:
    """Write a text of a command, its options and other commands as links."""
    options = {name for each in mine.parameters("option") for name in each.opts}
    pieces = []
    for piece in re.split(r"(nb101(?: [a-z]+)+|(?<![\w-])--?[a-z][\w-]*)", text):
        if piece.startswith("nb101 "):
            words = piece.split()
            while len(words) > 1 and " ".join(words) not in paths:
                words.pop()
            name = " ".join(words)
            if len(words) > 1:
                pieces.append(f"\\ :doc:`{name} <{name.replace(' ', '-')}>`\\ ")
                piece = piece.removeprefix(name)
            pieces.append(escape(piece))
        elif piece in options:
            pieces.append(f"\\ :option:`{piece} <{mine.path} {piece}>`\\ ")
        elif re.fullmatch(r"--?[a-z][\w-]*", piece):
            pieces.append(f"\\ ``{piece}``\\ ")
        else:
            pieces.append(escape(piece))
    return "".join(pieces).removeprefix("\\ ").strip().removesuffix("\\")


def heading(text: str, line: str) -> list[str]:
    """Write a heading."""
    return [text, line * len(text), ""]


# Parameters


def type_of(parameter: Any) -> str:
    """Say of which type a value is, whichever version of typer tells it."""
    if hasattr(parameter, "bare_type"):
        kind = parameter.bare_type()
    else:
        kind = getattr(parameter.type, "name", "")
    words = str(kind).strip("<>").removeprefix("list[").removesuffix("]").lower()
    return TYPES.get({"integer": "int"}.get(words, words), "")


def describe(parameter: Any, mine: Command, paths: set[str]) -> list[str]:
    """Write an option or an argument: its names, its help, and what its values may be."""
    names, said = parameter.get_help_record(mine.context)
    found = re.fullmatch(r"(.*?)  \[([^\[\]]*)\]", said, re.S)
    text, extra = (found[1], found[2].split("; ")) if found else (said, [])
    if parameter.param_type_name == "argument":
        names = re.sub(r" <[^<>]*>$", "", names).strip()
    else:
        # Such as --hashes / --no-hashes.
        names = names.replace(" / ", ", ")
    facts = []
    is_flag = getattr(parameter, "is_flag", False)
    if not is_flag and (kind := type_of(parameter)):
        facts.append(kind)
    for entry in extra:
        what, _, value = entry.partition(": ")
        words = {"default": "``{}`` by default", "env var": "the environment variable ``{}``"}
        facts.append(words[what].format(value) if what in words else entry)
    if parameter.nargs == -1:
        facts.append("any number of them")
    elif getattr(parameter, "multiple", False) and "repeat" not in text:
        facts.append("may be repeated")
    what = prose(plain(text), mine, paths)
    if facts:
        sentence = "; ".join(facts)
        what += f" {sentence[0].upper()}{sentence[1:]}."
    return [f".. option:: {names}", "", f"   {what}", ""]


def by_panel(parameters: list[Any], default: str) -> dict[str, list[Any]]:
    """Group parameters as the help does."""
    panels: dict[str, list[Any]] = {default: []}
    for each in parameters:
        panels.setdefault(getattr(each, "rich_help_panel", None) or default, []).append(each)
    return {name: listed for name, listed in panels.items() if listed}


# Pages


def page_of(mine: Command, paths: set[str]) -> str:
    """Write the page of a command."""
    lines = [*heading(mine.path, "="), f".. program:: {mine.path}", ""]
    usage = " ".join([mine.path, *mine.command.collect_usage_pieces(mine.context)])
    first, *rest = plain(mine.command.help).split("\n\n")
    lines += [prose(first, mine, paths), "", ".. code-block:: text", "", f"   {usage}", ""]
    for paragraph in rest:
        lines += [prose(paragraph, mine, paths), ""]
    for kind, title in (("argument", "Arguments"), ("option", "Options")):
        for name, listed in by_panel(mine.parameters(kind), title).items():
            lines += heading(name, "-")
            for parameter in listed:
                lines += describe(parameter, mine, paths)
    if mine.subcommands:
        lines += heading("Commands", "-")
        lines += table_of([f"{mine.path} {name}" for name in mine.subcommands], paths)
        if " " in mine.path:
            # Those of nb101 itself stand below the list of all.
            lines += [".. toctree::", "   :hidden:", ""]
            lines += [f"   {mine.page}-{name}" for name in mine.subcommands] + [""]
    lines += examples_of(mine, paths)
    return "\n".join(lines).rstrip() + "\n"


def examples_of(mine: Command, paths: set[str]) -> list[str]:
    """Write what stands below a help: command lines, and sentences between them."""
    lines: list[str] = []
    block: list[str] = []
    for paragraph in [*plain(mine.command.epilog).split("\n\n"), ""]:
        if re.match(r"([A-Z0-9_]+=\S+ )*nb101 [-a-z]", paragraph) and not paragraph.endswith("."):
            block.append(paragraph)
            continue
        if block:
            lines += [".. code-block:: sh", "", *(f"   {line}" for line in block), ""]
            block = []
        if paragraph == "Examples":
            lines += heading(paragraph, "-")
        elif paragraph:
            lines += [prose(paragraph, mine, paths), ""]
    return lines


def table_of(wanted: list[str], paths: set[str]) -> list[str]:
    """Write a table of commands, with the first paragraph of the help of each."""
    lines = [".. list-table::", "   :widths: 25 75", "   :header-rows: 1", ""]
    lines += ["   * - Command", "     - What it does"]
    for each in every_command():
        if each.path in wanted:
            first = plain(each.command.help).split("\n\n")[0]
            lines += [f"   * - :doc:`{each.path} <{each.page}>`"]
            lines += [f"     - {escape(' '.join(first.split()))}"]
    return [*lines, ""]


def pages() -> dict[str, str]:
    """Return all pages by their names."""
    commands = list(every_command())
    paths = {each.path for each in commands}
    made = {f"{each.page}.rst": page_of(each, paths) for each in commands}
    top = [each.page for each in commands if each.path.count(" ") < 2]
    made["index.rst"] = "\n".join(
        [
            *heading("Commands", "="),
            "What each command's ``--help`` says, a page a command. In all of them ``-`` as the",
            "name of a file is standard input or output, and ``--json`` prints what programs read.",
            "",
            *table_of([each.path for each in commands], paths),
            ".. toctree::",
            "   :hidden:",
            "",
            *(f"   {page}" for page in top),
        ]
    )
    return {name: text.rstrip() + "\n" for name, text in made.items()}


def write_pages(_app: Sphinx) -> None:
    """Write all pages."""
    made_pages.write(FOLDER, pages())


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the pages before any is read."""
    app.connect("builder-inited", write_pages, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
