"""``nb101 hash``."""

import sys
from typing import Annotated, Any

import typer

from nb101.cli.arguments import parse_module, parse_modules, read_lines
from nb101.cli.options import Ops, op_names
from nb101.errors import InvalidCellError
from nb101.space.hashing import hash_modules
from nb101.space.ops import encode

EXAMPLES = r"""[bold]Examples[/bold]

nb101 hash 011001000 input,conv3x3-bn-relu,output

nb101 hash '\[\[\[0,1,1],\[0,0,1],\[0,0,0]], \[-1,0,-2]]'

nb101 hash '{"matrix": \[\[0,1],\[0,0]], "ops": \["input","output"]}'

nb101 hash - < modules.txt > hashes.txt"""
BATCH = 1 << 14
MOST_ENTRIES = 1 << 23
"""Entries of the matrices of a batch."""
_Named = tuple[str, Any, list[int]]
"""How errors name a module, its matrix and its codes."""


def hash_command(
    modules: Annotated[
        list[str],
        typer.Argument(
            metavar="MODULE",
            help="Modules: ADJACENCY OPS, JSON, or - to read one a line from stdin.",
        ),
    ],
    op: Ops = None,
) -> None:
    """Print the fingerprint of modules, one a line.

    It is the original's iterative MD5 hash of the pruned module. Modules of any size are hashed, in
    any isomorphic form. Ops are names or codes: -1 input, 0, 1, ... the ops in their order, -2
    output.
    """
    names = op_names(op)
    if "-" not in modules:
        parsed = list(parse_modules(modules, names))
        several = len(parsed) > 1
        _print_hashes([_encoded(where if several else "", *rest, names) for where, rest in parsed])
    elif modules == ["-"]:
        _hash_lines(names)
    else:
        raise InvalidCellError("give modules as arguments or on stdin (-), not both")


def _hash_lines(names: tuple[str, ...]) -> None:
    batch: list[_Named] = []
    widest = 0
    try:
        for number, line in read_lines(sys.stdin):
            try:
                module = parse_module(line, names)
            except InvalidCellError as error:
                raise InvalidCellError(f"line {number}: {error}") from None
            widest = max(widest, len(module[0]))
            # Modules of a batch are filled up to the size of its largest.
            if len(batch) == BATCH or (len(batch) + 1) * widest**2 > MOST_ENTRIES:
                _print_hashes(batch)
                batch, widest = [], len(module[0])
            batch.append(_encoded(f"line {number}", *module, names))
    finally:
        # The lines before a wrong one have their hashes all the same.
        _print_hashes(batch)


def _encoded(where: str, matrix: Any, ops: Any, names: tuple[str, ...]) -> _Named:
    """Turn names into codes, and refuse codes that the ops do not have."""
    prefix = f"{where}: " if where else ""
    return prefix, matrix, encode(ops, names, prefix)


def _print_hashes(batch: list[_Named]) -> None:
    if not batch:
        return
    try:
        hashes = hash_modules([matrix for _, matrix, _ in batch], [ops for _, _, ops in batch])
    except InvalidCellError as error:
        # Named as the user knows it, not by its place in a batch.
        if error.index is None:
            raise
        _print_hashes(batch[: error.index])
        raise error.at(batch[error.index][0].removesuffix(": "), None) from None
    print("\n".join(hashes.astype(str).tolist()), flush=True)
