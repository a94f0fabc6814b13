"""Cells, modules and settings as people type them."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from typing import IO, Any

from nb101.errors import ArgumentError, InvalidCellError
from nb101.plain import printable
from nb101.space.cell import Cell, parse_text
from nb101.space.lookup import is_abbreviated
from nb101.space.search_space import SearchSpace

Module = tuple[Any, Any]
MOST_LINE = 1 << 22
"""Characters of a line of input: a module of 2,000 vertices."""


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


def refuse_option(text: str) -> None:
    """Refuse what looks like a mistyped option; no module begins like one."""
    if re.match("--?[A-Za-z]", text):
        raise InvalidCellError(f"no such option here: {text!r}; --help lists them")


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
