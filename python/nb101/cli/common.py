"""What the commands share: the options of a space, modules as people type them, and output."""

import json
import logging
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from nb101._base.files import STDOUT, Format, finite, is_stream
from nb101._base.progress import Show, show
from nb101.cli.grid import Facts
from nb101.errors import ArgumentError, InvalidCellError, MissingExtraError
from nb101.plain import one_line, printable, printable_lines
from nb101.space.cell import Cell, parse_text
from nb101.space.lookup import is_abbreviated
from nb101.space.search_space import SearchSpace

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from rich.table import Table
    from rich.text import Text

    from nb101.space.search_space import Count

Module = tuple[Any, Any]
MOST_LINE = 1 << 22
"""Characters of a line of input: a module of 2,000 vertices."""
TEXT = ("csv", "json", "svg")
"""Formats that a terminal can show."""


def parse_modules(arguments: Sequence[str], names: tuple[str, ...]) -> Iterator[tuple[str, Module]]:
    """Read modules from arguments, each with what to call it in an error.

    A module is JSON, or adjacency and ops in one argument or two.
    """
    rest = list(arguments)
    while rest:
        text = rest.pop(0)
        refuse_option(text)
        if re.fullmatch("[0-9]+", text.strip()) and rest:
            text = f"{text} {rest.pop(0)}"
        yield repr(text), parse_module(text, names)


def find_cell(module: Sequence[str], id: int | None, space: SearchSpace) -> Cell:  # noqa: A002
    """Return the one cell of the arguments: a module, a hash, an id, or ``-`` for stdin.

    Raises
    ------
    InvalidCellError
        If it is none, or more than one.
    """
    for text in module:
        refuse_option(text)
    if (id is not None) == bool(module):
        raise InvalidCellError("give one cell: a module, a hash, or --id N")
    if id is not None:
        if id < 0:
            raise InvalidCellError(f"--id must be at least 0, not {id}")
        return space[id]
    if list(module) == ["-"]:
        module = [line for _, line in read_lines(sys.stdin, most=3)]
        if not module:
            raise InvalidCellError("no cell on stdin")
    rest, cells = list(module), []
    while rest:
        cells.append(take_cell(rest, space))
    if len(cells) != 1:
        raise InvalidCellError(f"give one cell, not {len(cells)}")
    return cells[0]


def read_lines(stream: IO[str], most: int | None = None) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty, with their numbers; no more than `most` of them.

    Raises
    ------
    InvalidCellError
        If one is longer than any module.
    """
    number = 0
    while line := stream.readline(MOST_LINE + 1):
        number += 1
        if len(line) > MOST_LINE:
            raise InvalidCellError(f"line {number} has more than {MOST_LINE:,} characters")
        if line.strip():
            yield number, line.rstrip("\n")
            most = None if most is None else most - 1
            if most == 0:
                return


def take_cell(rest: list[str], space: SearchSpace) -> Cell:
    """Take the first cell off a list of arguments: a hash, an id, or a module in one or two."""
    text = rest.pop(0).strip()
    if re.fullmatch("[0-9a-fA-F]{32}", text) or (is_abbreviated(text) and not text.isdecimal()):
        return space[space.find_hash(text)]
    # A number that begins with 0 is an adjacency, or the beginning of a hash.
    if re.fullmatch("0|[1-9][0-9]{0,9}", text) and (
        len(text) < 7 or int(text) < space.count().total
    ):
        return space[int(text)]
    if is_abbreviated(text) and set(text) - {"0", "1"}:
        return space[space.find_hash(text)]
    if re.fullmatch("[0-9]+", text) and rest:
        text = f"{text} {rest.pop(0)}"
    return Cell(*parse_module(text, space.ops), op_names=space.ops)


def import_modules(names: Sequence[str]) -> None:
    """Import modules of the option ``--import``; those of the current folder too.

    Processes of this machine that are started later find them as well.

    Raises
    ------
    NB101Error
        If one cannot be imported.
    """
    from nb101._base import processes  # It takes others a while to import.

    here = str(Path.cwd())
    if names and "" not in sys.path and here not in sys.path:
        # After all others: a file of the folder takes no library's place.
        sys.path.append(here)
    for name in names:
        if name.endswith(".py"):
            raise ArgumentError(
                f"a module is named without .py: --import {name[:-3]}", field="import"
            )
    processes.import_modules(names)


@contextmanager
def cluster(address: str | None) -> Iterator["Executor | None"]:
    """Connect to a Dask cluster; to none without an address."""
    if address is None:
        yield None
        return
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "--dask needs distributed: pip install 'nb101[dask]'", name="distributed"
        ) from error
    place = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    try:
        connect: Any = distributed.Client
        client = connect(**place, timeout="30s")
    except (OSError, TimeoutError, ValueError) as error:
        raise ArgumentError(
            f"no Dask scheduler answers at {address}: {error}", field="dask"
        ) from error
    # It logs a traceback when its scheduler is lost, which a line of this package says.
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with client:
            if not client.nthreads():
                note(f"the cluster at {address} has no workers yet")
            yield client.get_executor(pure=False)
    finally:
        logger.setLevel(level)


def refuse_option(text: str) -> None:
    """Refuse what looks like a mistyped option; no module begins like one."""
    if re.match("--?[A-Za-z]", text):
        raise InvalidCellError(f"no such option here: {text!r}; --help lists them")


def parse_module(text: str, names: tuple[str, ...]) -> Module:
    """Read one module.

    Raises
    ------
    InvalidCellError
        If it is none; the message says what was expected.
    """
    text = text.strip()
    if text[:1] in ("[", "{"):
        return _parse_json(text)
    if len(text.split()) != 2:
        raise InvalidCellError(
            f"not a module: {text[:80]!r}; write adjacency and ops, such as "
            f"'011001000 input,conv3x3-bn-relu,output', or JSON [[[0, 1], [0, 0]], [-1, -2]]"
        )
    matrix, ops = parse_text(text)
    return matrix, [_label(label, names) for label in ops]


def _label(text: str, names: tuple[str, ...]) -> str | int:
    is_code = text not in names and re.fullmatch(r"-?[0-9]{1,9}", text)
    return int(text) if is_code else text


def _parse_json(text: str) -> Module:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidCellError(f"bad JSON at character {error.pos + 1}: {error.msg}") from None
    except RecursionError:
        raise InvalidCellError("bad JSON: nested too deeply") from None
    except ValueError:
        raise InvalidCellError("bad JSON: a number has too many digits") from None
    if isinstance(value, dict):
        missing = [key for key in ("matrix", "ops") if key not in value]
        if missing:
            raise InvalidCellError(
                f"bad JSON: a module has the keys matrix and ops; no {missing[0]}"
            )
        value = [value["matrix"], value["ops"]]
    if len(value) != 2 or not all(isinstance(part, list) for part in value):
        raise InvalidCellError('bad JSON: a module is [matrix, ops] or {"matrix": ..., "ops": ...}')
    matrix, ops = value
    if not matrix:
        raise InvalidCellError("bad JSON: matrix has no rows")
    if not all(isinstance(row, list) and len(row) == len(matrix) for row in matrix):
        raise InvalidCellError("bad JSON: matrix must be a list of rows, all as long as it is")
    if not all(type(entry) in (int, float, bool) for row in matrix for entry in row):
        raise InvalidCellError("bad JSON: matrix must hold numbers 0 and 1")
    if len(ops) != len(matrix):
        raise InvalidCellError(
            f"length of ops must match matrix dimensions: {len(ops)} ops for {len(matrix)} vertices"
        )
    return matrix, ops


def read_pairs(pairs: Sequence[str]) -> dict[str, Any]:
    """Read what ``--set NAME=VALUE`` was given: values are JSON, or text where they are none."""
    settings = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ArgumentError(f"--set takes NAME=VALUE, not {pair!r}", field="set")
        try:
            settings[name.strip()] = json.loads(text)
        except RecursionError:
            shown = printable(name)[:80]
            raise ArgumentError(
                f"--set {shown}: its value is nested too deeply", field="set"
            ) from None
        except ValueError:
            settings[name.strip()] = text
    return settings


def print_json(value: object) -> None:
    """Print a value as JSON for people and programs."""
    # All that is not ASCII is written as escapes; of ASCII itself that leaves one.
    print(json.dumps(finite(value), indent=2, allow_nan=False).replace("\x7f", "\\u007f"))


def print_line(text: str) -> None:
    """Print a line to stdout, whatever of others' text is in it."""
    print(printable(text))


def note(text: str) -> None:
    """Print a line to stderr that says whose it is, whatever of others' text is in it."""
    print(f"nb101: {one_line(text)}", file=sys.stderr)


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


def print_wrapped(text: str, indent: str, name: str = "") -> None:
    """Print a text in lines that fit the terminal, and are short enough to be read elsewhere.

    `name` stands before it, in the indent.
    """
    width = min(100, shutil.get_terminal_size().columns) if sys.stdout.isatty() else 100
    for line in textwrap.wrap(
        text, width, initial_indent=f"{name:{len(indent)}}", subsequent_indent=indent
    ):
        print_line(line)


def _make_narrow(table: "Table") -> None:
    """Take room from between the columns of a table, and put heads of several words in lines."""
    table.show_edge, table.pad_edge, table.collapse_padding = False, False, True
    for column in table.columns:
        if isinstance(column.header, str):
            column.header = "\n".join(column.header.split())


def made_plain(part: Any) -> Any:
    """Return what is to be printed by a console without markup, with others' text made printable.

    Line breaks of texts are kept: see `facts_table`. Those in the rows of a table are not.
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


class CountTable:
    """Unique cells by edges (rows) and vertices (columns), in as many tables as it takes."""

    def __init__(self, count: "Count", title: str) -> None:
        self._count, self._title = count, title

    def fit(self, width: int | None) -> "Sequence[Table]":
        """Return tables that fit a width, one below the other; the last has the totals."""
        columns: list[int | None] = [*self._count.by_vertices, None]
        blocks: list[list[int | None]] = [[]]
        used = 0
        for vertices in columns:
            need = 2 + max(len("vertices"), len(f"{self._total(vertices):,}"))
            if width is not None and len("edges") + used + need > width - 2 and blocks[-1]:
                blocks.append([])
                used = 0
            used += need
            blocks[-1].append(vertices)
        return [
            self._table(block, self._title if i == 0 else None) for i, block in enumerate(blocks)
        ]

    def _total(self, vertices: int | None) -> int:
        return self._count.total if vertices is None else self._count.by_vertices[vertices]

    def _table(self, block: list[int | None], title: str | None) -> "Table":
        from rich import box
        from rich.table import Table

        # That of NAS-Bench-101 fits 80 columns.
        table = Table(
            title=title,
            title_justify="left",
            box=box.SIMPLE_HEAD,
            show_footer=True,
            collapse_padding=True,
            pad_edge=False,
        )
        table.add_column("\nedges", footer="total", justify="right", no_wrap=True)
        for vertices in block:
            table.add_column(
                "\ntotal" if vertices is None else f"{vertices}\nvertices",
                footer=f"{self._total(vertices):,}",
                justify="right",
                no_wrap=True,
                style="bold" if vertices is None else "",
            )
        for edges, total in self._count.by_edges.items():
            row = [total if v is None else self._count.table[v][edges] for v in block]
            table.add_row(str(edges), *(f"{n:,}" if n else "·" for n in row))
        return table


def count_table(count: "Count", title: str) -> CountTable:
    """Lay out unique cells by edges (rows) and vertices (columns)."""
    return CountTable(count, title)


def facts_table(facts: Sequence[tuple[Any, ...]]) -> Facts:
    """Lay out names and values, one a line; see `Facts`."""
    return Facts(facts)


def describe(space: SearchSpace) -> str:
    """Say in words what a space is."""
    if space == SearchSpace():
        return "NAS-Bench-101 (up to 7 vertices, 9 edges, 3 ops)"
    ops = "1 op" if len(space.ops) == 1 else f"{len(space.ops)} ops"
    return f"up to {space.max_vertices} vertices, {space.max_edges} edges, {ops}"


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Show]:
    """Show progress on stderr if it is a terminal; see `nb101._base.progress`."""
    with show(what, total) as advance:
        yield advance


@contextmanager
def byte_bar() -> Iterator[Show]:
    """Show progress in bytes: a new name begins a new bar; a total of 0 is one not known."""
    with show(unit="bytes") as advance:
        yield advance


@contextmanager
def step_bar() -> Iterator[Show]:
    """Show progress in steps, with words."""
    with show() as advance:
        yield advance


def output_file(
    output: Path | str,
    format: str | None = None,  # noqa: A002
    *,
    text: Collection[str] = TEXT,
) -> Path:
    """Return the path of the one file that a command writes: ``-`` is stdout.

    Parameters
    ----------
    output
        As it was given.
    format
        What will be written, where that is known.
    text
        The formats that a terminal can show.

    Raises
    ------
    ArgumentError
        If it is binary, and stdout a terminal.
    """
    path = STDOUT if os.fspath(output) == "-" else Path(output)
    if path == STDOUT and format is not None and format not in text and sys.stdout.isatty():
        raise ArgumentError(
            f"{format} is binary and not for a terminal: lead stdout to a file or a program, or "
            "name a file",
            field="output",
        )
    return path


def output_and_format(
    output: Path | str,
    format: str | None,  # noqa: A002
    find: Callable[[Path, str | None], Format],
) -> tuple[Path, Format]:
    """Do as `output_file` does, and find the format by `find`, which takes path and format."""
    path = output_file(output)
    chosen = find(path, format)
    return output_file(path, chosen), chosen


@contextmanager
def beside(output: Path | None) -> Iterator[None]:
    """Print to stdout what is said beside a file; to stderr where the file itself is on stdout."""
    if output is None or output != STDOUT:
        yield
        return
    sys.stdout.flush()
    with redirect_stdout(sys.stderr):
        yield


def describe_file(path: Path) -> str:
    """Name a file that was written, with its size."""
    if is_stream(path):
        return "stdout" if path == STDOUT else str(path)
    return f"{path}, {file_size(path.stat().st_size)}"


class Interrupted(BaseException):
    """Ctrl-C has ended a command: its message says how to go on.

    Not a KeyboardInterrupt, of which whoever calls commands would keep but that there was one.
    """


@contextmanager
def interrupted(hint: str | Callable[[], str]) -> Iterator[None]:
    """Say at Ctrl-C how to go on: ``nb101: interrupted; HINT``.

    Parameters
    ----------
    hint
        A clause such as "the same command goes on from run 37 of 500", or what makes it at the end.

    Raises
    ------
    Interrupted
        At Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Interrupted(hint if isinstance(hint, str) else hint()) from stop


def file_size(size: int) -> str:
    """Say how large a file is, in units of 1,000."""
    if size < 1000:
        return f"{size} bytes"
    unit = min(3, (len(str(size)) - 1) // 3)
    return f"{size / 1000**unit:,.4g} {('kB', 'MB', 'GB')[unit - 1]}"
