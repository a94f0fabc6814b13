"""What goes to stdout and stderr: JSON, lines, tables; no text of others can steer a terminal.

What other modules of the package are for is imported where it is printed: `note` needs none.
"""

import json
import shutil
import sys
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from nb101.plain import one_line, printable, printable_lines

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from nb101.space.search_space import SearchSpace


def print_json(value: object) -> None:
    """Print a value as JSON for people and programs."""
    from nb101._base.files import finite

    # All that is not ASCII is written as escapes; of ASCII itself that leaves one.
    print(json.dumps(finite(value), indent=2, allow_nan=False).replace("\x7f", "\\u007f"))


def print_line(text: str) -> None:
    """Print a line to stdout, whatever of others' text is in it."""
    print(printable(text))


def note(text: str) -> None:
    """Print a line to stderr that says whose it is, whatever of others' text is in it."""
    print(f"nb101: {one_line(text)}", file=sys.stderr)


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Show warnings of the package as one line each, once."""
    shown: set[str] = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        if str(message) not in shown:
            shown.add(str(message))
            note(str(message))

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def print_wrapped(text: str, indent: str, name: str = "") -> None:
    """Print a text in lines that fit the terminal, and are short enough to be read elsewhere.

    `name` stands before it, in the indent.
    """
    width = min(100, shutil.get_terminal_size().columns) if sys.stdout.isatty() else 100
    for line in textwrap.wrap(
        text, width, initial_indent=f"{name:{len(indent)}}", subsequent_indent=indent
    ):
        print_line(line)


class Fitting(Protocol):
    """What can be printed in any width."""

    def fit(self, width: int | None) -> "Sequence[Table | Text | str]":
        """Return what fits a width, in columns; all there is without one."""


def print_rich(*parts: "Fitting | Table | Text | str") -> None:
    """Print tables and text to stdout: to fit a terminal, whole and plain elsewhere."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    measure = Console(width=10_000, markup=False, emoji=False).measure
    room = console.width if console.is_terminal else None
    given = [
        piece
        for part in parts
        for piece in ([part] if isinstance(part, (str, Text, Table)) else part.fit(room))
    ]
    for part in map(made_plain, given):
        if room is not None and isinstance(part, Table) and measure(part).maximum > room:
            _make_narrow(part)
        if room is not None and isinstance(part, Text):
            console.print(part, soft_wrap=True)
            continue
        # A table that is wider than the terminal had better wrap than lose digits.
        console.width = max(room or console.width, measure(part).maximum)
        if room is not None:
            console.print(part)
            continue
        with console.capture() as captured:
            console.print(part)
        print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _make_narrow(table: "Table") -> None:
    """Take room from between the columns of a table, and put heads of several words in lines."""
    table.show_edge, table.pad_edge, table.collapse_padding = False, False, True
    for column in table.columns:
        if isinstance(column.header, str):
            column.header = "\n".join(column.header.split())


def made_plain(part: Any) -> Any:
    """Return what is to be printed by a console without markup, with others' text made printable.

    Line breaks of texts are kept: see `Facts`. Those in the rows of a table are not.
    """
    from rich.table import Table
    from rich.text import Text

    if isinstance(part, str):
        return printable_lines(part)
    if isinstance(part, Text):
        text = part.copy()
        # As long as it was, so that styles stay where they are.
        text.plain = printable_lines(text.plain)
        return text
    if isinstance(part, Table):
        for column in part.columns:
            column.header = made_plain(column.header)
            column._cells = [printable(x) if isinstance(x, str) else x for x in column._cells]
        part.title = made_plain(part.title)
    return part


def describe(space: "SearchSpace") -> str:
    """Say in words what a space is."""
    from nb101.space.search_space import SearchSpace

    if space == SearchSpace():
        return "NAS-Bench-101 (up to 7 vertices, 9 edges, 3 ops)"
    ops = "1 op" if len(space.ops) == 1 else f"{len(space.ops)} ops"
    return f"up to {space.max_vertices} vertices, {space.max_edges} edges, {ops}"
