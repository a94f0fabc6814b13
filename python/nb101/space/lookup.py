"""Ids of what people call a cell by: the cell itself, an id, or a hash, whole or abbreviated."""

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    CellIdError,
    SpaceError,
    UnknownHashError,
)
from nb101.space.cell import Cell
from nb101.space.cells import Cells

if TYPE_CHECKING:
    from nb101.space.search_space import SearchSpace

Ids = npt.NDArray[np.int64]
CellOrHash = Cell | str | bytes
CellOrId = CellOrHash | int | np.integer[Any]

LEAST_DIGITS = 4
"""Digits that an abbreviated hash has at least."""
MOST_CELLS = 1 << 22
"""Cells of a space whose hashes may be abbreviated: all of them are kept, 16 bytes each."""
NAMED = 4
"""Cells that a message names where an abbreviation is of several."""


def cell_of(space: "SearchSpace", cell: Any) -> Cell:
    """Return the cell that a `Cell`, or a hash, whole or abbreviated, is of.

    Raises
    ------
    UnknownHashError, ArgumentError
        As `SearchSpace.find_hash` does.
    ArgumentTypeError
        If it is something else.
    """
    if isinstance(cell, Cell):
        return cell
    if isinstance(cell, (str, bytes)):
        return space[space.find_hash(cell)]
    raise ArgumentTypeError(f"expected a Cell or a hash, not {type(cell).__name__}", field="cell")


def id_of(space: "SearchSpace", cell: CellOrId) -> int:
    """Return the id of a cell: a `Cell` in any form, an id, or a hash.

    Raises
    ------
    OutOfSpaceError, CellIdError, UnknownHashError
        If it is none of the space.
    """
    if isinstance(cell, Cell):
        return space.index(cell)
    if isinstance(cell, (str, bytes)):
        return space.find_hash(cell)
    if isinstance(cell, bool) or not isinstance(cell, (int, np.integer)):
        raise ArgumentTypeError(
            f"a cell is a Cell, an id or a hash, not {type(cell).__name__}", field="cell"
        )
    if 0 <= cell < len(space):
        return int(cell)
    raise CellIdError(f"cell id {cell} is out of range: the space has {len(space)} cells")


def ids_of(space: "SearchSpace", cells: Any) -> "int | Ids":
    """Return the ids of cells: `Cells`, ids, or a list of what `id_of` takes; or of one."""
    if isinstance(cells, Cells):
        return space.index(cells)
    if isinstance(cells, memoryview):
        cells = np.asarray(cells)
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "iu":
        if cells.ndim != 1:
            raise CellIdError(f"ids must have one dimension, not {cells.ndim}")
        wrong = np.flatnonzero((cells < 0) | (cells >= len(space)))
        if wrong.size:
            id_of(space, int(cells[wrong[0]]))
        return cells.astype(np.int64)
    if isinstance(cells, (Cell, str, bytes, int, np.integer)):
        return id_of(space, cells)
    if not hasattr(cells, "__iter__"):
        raise ArgumentTypeError(
            f"cells are Cells, ids or hashes, not {type(cells).__name__}", field="cells"
        )
    return np.array([id_of(space, cell) for cell in cells], dtype=np.int64)


def is_abbreviated(text: str) -> bool:
    """Whether a text is the beginning of a hash: hexadecimal digits, fewer than all 32."""
    return re.fullmatch(f"[0-9a-fA-F]{{{LEAST_DIGITS},31}}", text) is not None


def find_abbreviated(space: "SearchSpace", text: str) -> int:
    """Return the id of the one cell whose hash begins with these digits.

    The first call on a space hashes all of it; from then on a call takes microseconds.

    Raises
    ------
    UnknownHashError
        If no hash does, or several do: the message names some.
    SpaceError
        If the space is too large to keep its hashes.
    ArgumentError
        If the text is no beginning of a hash, or too short.
    """
    if not is_abbreviated(text):
        raise ArgumentError(
            f"not a hash: {text!r}; a hash has 32 hexadecimal digits, of which the first "
            f"{LEAST_DIGITS} or more will do where no other cell has the same",
            field="hash",
        )
    text = text.lower()
    words, order = space._sorted_hashes
    least, most = (np.uint64(int(text[:16].ljust(16, digit), 16)) for digit in "0f")
    first, last = np.searchsorted(words, least), np.searchsorted(words, most, side="right")
    ids = order[first:last]
    if len(ids) == 1 and len(text) <= 16:
        return int(ids[0])
    hashes = space[ids].hashes()
    if len(text) > 16:
        fits = np.char.startswith(hashes, text.encode())
        ids, hashes = ids[fits], hashes[fits]
    if len(ids) == 1:
        return int(ids[0])
    if not len(ids):
        raise UnknownHashError(
            f"no cell of this space has a hash that begins with {text}", field="hash"
        )
    shown = ", ".join(name.decode()[: len(text) + 6] for name in hashes[:NAMED])
    more = f" and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
    raise UnknownHashError(
        f"{len(ids):,} cells of this space have hashes that begin with {text}: {shown}{more}; "
        "give more digits",
        field="hash",
    )


def sorted_hashes(space: "SearchSpace") -> tuple[npt.NDArray[np.uint64], Ids]:
    """Return the first halves of all hashes as numbers, ascending, and whose they are."""
    total = space.count().total
    if total > MOST_CELLS:
        raise SpaceError(
            f"hashes of spaces of up to {MOST_CELLS:,} cells may be abbreviated, and this one has "
            f"{total:,}: give all 32 digits",
            field="hash",
        )
    halves = space.enumerate().digests().view(">u8")[:, 0].astype(np.uint64)
    order = np.argsort(halves)
    return halves[order], order
