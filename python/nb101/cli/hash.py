"""``nb101 hash``."""

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated

import typer

from nb101.cli.common import Module, Ops, op_names, parse_module, parse_modules
from nb101.errors import InvalidCellError
from nb101.hashing import hash_modules

EXAMPLES = r"""[bold]Examples[/bold]

nb101 hash 011001000 input,conv3x3-bn-relu,output

nb101 hash '\[\[\[0,1,1],\[0,0,1],\[0,0,0]], \[-1,0,-2]]'

nb101 hash '{"matrix": \[\[0,1],\[0,0]], "ops": \["input","output"]}'

nb101 hash - < modules.txt > hashes.txt"""
BATCH = 1 << 14


def hash_command(
    modules: Annotated[
        list[str],
        typer.Argument(
            metavar="MODULE...",
            help="Modules: ADJACENCY OPS, JSON, or - to read one a line from stdin.",
        ),
    ],
    op: Ops = None,
) -> None:
    """Print the fingerprint of modules, one a line.

    It is the original's iterative MD5 hash of the pruned module. Modules of any size are hashed, in
    any isomorphic form. Ops are names or codes: -1 input, 0, 1, ... the ops in their order, -2 output.
    """
    names = op_names(op)
    if "-" not in modules:
        _print_hashes(list(parse_modules(modules, names)), names)
        return
    if modules != ["-"]:
        raise InvalidCellError("give modules as arguments or on stdin (-), not both")
    lines = _lines(names)
    while batch := list(islice(lines, BATCH)):
        _print_hashes(batch, names)


def _lines(names: tuple[str, ...]) -> Iterator[tuple[str, Module]]:
    sys.stdin.reconfigure(errors="replace") if hasattr(sys.stdin, "reconfigure") else None
    for number, line in enumerate(sys.stdin, 1):
        if line.strip():
            try:
                module = parse_module(line, names)
            except InvalidCellError as error:
                raise InvalidCellError(f"line {number}: {error}") from None
            yield f"line {number}", module


def _print_hashes(named: Sequence[tuple[str, Module]], names: tuple[str, ...]) -> None:
    # Codes need names too, or a code that the ops do not have would be hashed all the same.
    matrices = [matrix for _, (matrix, _) in named]
    ops = [_encoded(where, labels, names, len(named)) for where, (_, labels) in named]
    try:
        hashes = hash_modules(matrices, ops)
    except InvalidCellError as error:
        raise _renamed(error, named) from None
    print("\n".join(hashes.astype(str).tolist()), flush=True)


def _encoded(where: str, labels: list[object], names: tuple[str, ...], number: int) -> list[int]:
    from nb101.ops import encode

    return encode(labels, names, "" if number == 1 else f"{where}: ")


def _renamed(error: InvalidCellError, named: Sequence[tuple[str, Module]]) -> InvalidCellError:
    """Name the module as the user knows it, not by its place in a batch."""
    text = str(error)
    if match := re.match(r"module (\d+): ", text):
        where, rest = named[int(match[1])][0], text[match.end() :]
        text = f"{where}: {rest}" if len(named) > 1 or where.startswith("line") else rest
    return type(error)(text)
