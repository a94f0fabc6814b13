"""The graph of cells: which are one edit apart, and what the neighbours of one have.

A single edit flips an entry of the matrix or changes an op; a cell's neighbours are the unique
cells that it leads to, whatever it prunes them to.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101.analysis.common import Ints, Short, cell_values, check_names, check_table, rows_of
from nb101.errors import CellIdError
from nb101.space.lookup import CellOrId
from nb101.table.about import KIND, kind_of
from nb101.table.table import Table


@dataclass(frozen=True, kw_only=True, repr=False)
class EditGraph(Short):
    """Which cells of a table are one edit apart, as a sparse matrix in the layout of CSR.

    Two cells are neighbours as in `SearchSpace.neighbors`: a single edit leads from one to the
    other, either way. Rows are those of `Table.cell_ids`.
    """

    cell_ids: Ints
    offsets: npt.NDArray[np.int64]
    """Neighbours of row i are ``targets[offsets[i]:offsets[i + 1]]``; shape ``(n + 1,)``."""
    targets: npt.NDArray[np.uint32]
    """Rows, ascending for each; shape ``(edges,)``, each edge once from either side."""

    def __len__(self) -> int:
        return len(self.cell_ids)

    @property
    def degrees(self) -> Ints:
        """Number of neighbours of each row, shape ``(n,)``."""
        return np.diff(self.offsets)

    def neighbors(self, row: int) -> npt.NDArray[np.uint32]:
        """Return the rows of the neighbours of a row, ascending."""
        if not 0 <= row < len(self):
            raise CellIdError(f"row {row} is out of range: the graph has {len(self)} rows")
        return self.targets[self.offsets[row] : self.offsets[row + 1]]

    def linked(self, known: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.bool_]:
        """Mark the rows that have a neighbour, of those marked in `known` if given; ``(n,)``."""
        # Where all count, degrees tell: 1 ms for NAS-Bench-101, 93 by sums over all entries.
        if known is None or known.all():
            return np.asarray(self.degrees > 0)
        before = np.concatenate([[0], np.cumsum(known[self.targets])])
        return np.asarray(before[self.offsets[1:]] > before[self.offsets[:-1]])


def edit_graph(table: Table) -> EditGraph:
    """Return the graph of single edits on the cells that a table has runs of.

    That of the whole space has 9.2 million entries: 21.6 neighbours a cell on average. Cells of few
    vertices have many, since most edits that prune lead to them: input to output has 52,602.

    Raises
    ------
    SpaceError
        If the space is too large for ids.
    """
    check_table(table)
    ids = table.cell_ids
    offsets, targets = _core.edit_graph(table.space.core, ids.astype(np.uint64))
    return EditGraph(cell_ids=ids, offsets=offsets, targets=targets)


def neighbor_values(
    table: Table, cell: CellOrId, metrics: tuple[str, ...], epochs: int | None = None
) -> dict[str, Any]:
    """Return metrics of the cells one edit away from a cell, those that the table has (figure 3).

    Returns
    -------
    Dict of arrays: ``cell_id`` and each metric, NaN where there is no run; and under ``kind`` a
    word: of which kind the numbers of the table are.
    """
    check_table(table)
    neighbors = table.space.neighbors(table.space[table.id_of(cell)])
    rows = rows_of(table, table.space.index(neighbors))
    rows = rows[rows >= 0]
    values = {
        metric: cell_values(table, metric, epochs)[rows]
        for metric in check_names("metrics", metrics)
    }
    return {"cell_id": table.cell_ids[rows], **values, KIND: kind_of(table.provenance)}
