"""Groups of commands that are only imported when they are called: help needs a line of each."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import typer

from nb101 import interrupts
from nb101.cli import help as printed
from nb101.errors import ArgumentError

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


@dataclass(frozen=True)
class Entry:
    """A command of a group."""

    name: str
    place: str
    """Its module in `nb101.cli` and its function: ``module:function``."""
    line: str
    """The first paragraph of its help, which is that of the function's docstring."""
    examples: str | None = "EXAMPLES"
    """The name of what stands below its help."""
    settings: dict[str, Any] = field(default_factory=dict)

    def load(self) -> Any:
        """Import the command and return it, to be called."""
        module_name, _, function = self.place.partition(":")
        with interrupts.importing():
            module = importlib.import_module(f"nb101.cli.{module_name}")
        command = getattr(module, function)
        # rich would break lines where the source does.
        paragraphs = (command.__doc__ or "").split("\n\n")
        text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
        app = typer.Typer(rich_markup_mode="rich", add_completion=False)
        app.command(
            self.name,
            cls=printed.Command,
            help=text,
            epilog=getattr(module, self.examples) if self.examples else None,
            context_settings=HELP | self.settings,
        )(command)
        return typer.main.get_command(app)


class Listed(printed.Command):
    """What stands for a command in lists; to be called it is to be loaded."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.name, help=entry.line)
        self.load = entry.load


class Group(printed.Group):
    """A group of listed commands, before those that typer gives it."""

    entries: Sequence[Entry] = ()

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        listed: dict[str, Any] = {entry.name: Listed(entry) for entry in self.entries}
        self.commands = listed | dict(self.commands)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command of the arguments, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, Listed) else command, rest


def group_of(entries: Sequence[Entry], base: type[Group] = Group) -> type[Group]:
    """Make the class of a group that has these commands."""
    return type(base.__name__, (base,), {"entries": entries})


class SearchGroup(Group):
    """The group ``nb101 search``, where the name of an algorithm stands for ``run NAME``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse options before the name of the algorithm, and those of old names."""
        if args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            option = args[0].partition("=")[0]
            raise ArgumentError(
                f"{option}: the name comes first: nb101 search NAME {option} ...; or nb101 search "
                "--help",
                field=option,
            )
        if any(x.partition("=")[0] == "--budget" for x in args):
            raise ArgumentError(
                "--budget is called --epochs, as everywhere; the limit of epochs trained in all "
                "is called --max-epochs",
                field="--budget",
            )
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command of the arguments; what is none is the name of an algorithm."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["run", *args]
        return super().resolve_command(ctx, args)
