"""Ids of what people call a cell by: the cell itself, an id, or a hash."""

from typing import Any

import numpy as np
import numpy.typing as npt

from nb101.cell import Cell
from nb101.cells import Cells
from nb101.errors import CellIdError
from nb101.space import SearchSpace

Ids = npt.NDArray[np.int64]
CellOrId = Cell | int | np.integer[Any] | str | bytes


def id_of(space: SearchSpace, cell: CellOrId) -> int:
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
        raise TypeError(f"a cell is a Cell, an id or a hash, not {type(cell).__name__}")
    if 0 <= cell < len(space):
        return int(cell)
    raise CellIdError(f"cell id {cell} is out of range: the space has {len(space)} cells")


def ids_of(space: SearchSpace, cells: Any) -> "int | Ids":
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
        raise TypeError(f"cells are Cells, ids or hashes, not {type(cells).__name__}")
    return np.array([id_of(space, cell) for cell in cells], dtype=np.int64)
