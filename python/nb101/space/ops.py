"""Names of ops, and their codes.

A code is the index of an op in the space's list; input is -1, output -2, padding -3.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from nb101._base.checks import iterated, suggest
from nb101.errors import InvalidCellError, SpaceError, UnknownOpError

INPUT = "input"
OUTPUT = "output"
OPS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
"""The ops of NAS-Bench-101 in their canonical order (section 2 of the paper)."""

INPUT_CODE = -1
OUTPUT_CODE = -2
PADDING_CODE = -3
MAX_OPS = 15
MAX_VERTICES = 11


def check_ops(ops: Iterable[str]) -> tuple[str, ...]:
    """Check a list of ops for a space: 1 to 15 different names, none of them input or output.

    Raises
    ------
    SpaceError
        If it is not.
    """
    if isinstance(ops, str):
        raise SpaceError(f"ops must be a list of names, not the string {ops!r}", field="ops")
    listed = iterated(ops)
    if listed is None:
        raise SpaceError(f"ops must be a list of names, not {ops!r}", field="ops")
    names = tuple(listed)
    for name in names:
        if not isinstance(name, str) or not name:
            raise SpaceError(f"an op is named by a non-empty string, not {name!r}", field="ops")
        if name in (INPUT, OUTPUT):
            raise SpaceError(f"{name!r} is a vertex of every cell and cannot be an op", field="ops")
        if "," in name or name.split() != [name]:
            raise SpaceError(
                f"op {name!r}: a name cannot hold commas or spaces, which separate ops in text",
                field="ops",
            )
        if names.count(name) > 1:
            raise SpaceError(f"op {name!r} is given twice", field="ops")
    if not 1 <= len(names) <= MAX_OPS:
        raise SpaceError(
            f"a space needs from 1 to {MAX_OPS} ops: {len(names)} were given", field="ops"
        )
    return names


@lru_cache(maxsize=64)
def op_codes(names: tuple[str, ...]) -> dict[str, int]:
    """Code of each op, with input and output."""
    return {INPUT: INPUT_CODE, OUTPUT: OUTPUT_CODE} | {name: i for i, name in enumerate(names)}


def encode(ops: Sequence[Any], names: tuple[str, ...], where: str = "") -> list[int]:
    """Codes of one cell's labels, given as names or as codes.

    Raises
    ------
    UnknownOpError
        For a name that is not among `names`; the message has the nearest one.
    InvalidCellError
        For what is neither a name nor an integer.
    """
    codes = op_codes(names)
    try:
        return [codes[op] for op in ops]
    except (KeyError, TypeError):
        return [_encode_one(op, vertex, names, where) for vertex, op in enumerate(ops)]


def _encode_one(op: Any, vertex: int, names: tuple[str, ...], where: str) -> int:
    codes = op_codes(names)
    if isinstance(op, str):
        if op in codes:
            return codes[op]
        hint = suggest(op, names, others=(INPUT, OUTPUT), cutoff=0.4)
        raise UnknownOpError(f"{where}unknown op {op!r} at vertex {vertex}: {hint}")
    if isinstance(op, (int, np.integer)) and not isinstance(op, bool):
        if op >= len(names):
            raise UnknownOpError(
                f"{where}unknown op code {op} at vertex {vertex}: "
                f"the codes of this space are 0 to {len(names) - 1}"
            )
        if op < PADDING_CODE:
            raise InvalidCellError(f"{where}unknown op code {op} at vertex {vertex}")
        return int(op)  # what is in the wrong place is named by the parser
    raise InvalidCellError(
        f"{where}the label of vertex {vertex} must be an op's name or code, "
        f"not {op!r} of type {type(op).__name__}"
    )
