"""The rows of one budget, in which those of a cell are found without a search."""

import numpy as np

from nb101._base.lazy import cached_property
from nb101.space.lookup import Ids
from nb101.table.schema import KEYS, Array

MOST_ID = int(np.iinfo(KEYS["cell_id"]).max)


class Budget:
    """The rows of one budget: a slice of the table.

    The layout is guessed from the slice's ends: cells with ids in a row, equally many runs each.
    Where a row does not hold what the guess says, the cell is searched for.
    """

    def __init__(self, epochs: int, start: int, stop: int, cell_ids: Array) -> None:
        self.epochs, self.start, self.stop = epochs, start, stop
        self.ids = cell_ids[start:stop]
        # Its items are Python numbers, and come several times faster than those of the array.
        self._view, self._length = self.ids.data, len(self.ids)
        self._first = int(self.ids[0])
        self._runs = int(np.searchsorted(self.ids, self.ids[0], side="right"))

    @property
    def runs(self) -> int:
        """How many runs each cell has, by the guess."""
        return self._runs

    @property
    def most(self) -> int:
        """How many runs a cell has at most."""
        if self._regular:
            return self._runs
        starts = np.flatnonzero(self.ids[1:] != self.ids[:-1]) + 1
        return int(np.diff(starts, prepend=0, append=len(self.ids)).max())

    def rows(self, cell_id: int) -> tuple[int, int]:
        """Return the first row of a cell and the row after its last one; equal if it has none."""
        runs, ids, length = self._runs, self._view, self._length
        first = (cell_id - self._first) * runs
        last = first + runs
        if (
            first >= 0
            and last <= length
            and ids[first] == cell_id
            # Each look costs 0.03 us: that at the last row is spared where it is the first.
            and (runs == 1 or ids[last - 1] == cell_id)
            and (first == 0 or ids[first - 1] != cell_id)
            and (last == length or ids[last] != cell_id)
        ):
            start = self.start
            return start + first, start + last
        if not 0 <= cell_id <= MOST_ID:
            return self.start, self.start
        # A key of another type would make a copy of the whole column.
        key = self.ids.dtype.type(cell_id)
        first = int(np.searchsorted(self.ids, key, side="left"))
        last = int(np.searchsorted(self.ids, key, side="right"))
        return self.start + first, self.start + last

    def many_rows(self, cell_ids: Ids) -> tuple[Ids, Ids]:
        """`rows` of many cells, shapes ``(n,)``."""
        first = (cell_ids - self._first) * self._runs
        if self._regular and first.size and first.min() >= 0 and first.max() < len(self.ids):
            return self.start + first, self.start + first + self._runs
        # No run has an id past what the column holds; -1 is none's either.
        keys = np.where(cell_ids <= MOST_ID, cell_ids, -1).astype(self.ids.dtype)
        first = np.searchsorted(self.ids, keys, side="left").astype(np.int64)
        last = np.searchsorted(self.ids, keys, side="right").astype(np.int64)
        return self.start + first, self.start + last

    def cell_ids(self) -> Ids:
        """All cells that have a run, ascending."""
        if self._regular:
            return np.arange(self._first, int(self.ids[-1]) + 1)
        new = np.ones(len(self.ids), dtype=bool)
        new[1:] = self.ids[1:] != self.ids[:-1]
        return self.ids[new].astype(np.int64)

    @cached_property
    def _regular(self) -> bool:
        """Whether the guess holds throughout; this looks at every row."""
        cells = int(self.ids[-1]) - self._first + 1
        if len(self.ids) != cells * self._runs:
            return False
        expected = np.arange(self._first, self._first + cells, dtype=self.ids.dtype)
        return bool((self.ids.reshape(cells, self._runs) == expected[:, np.newaxis]).all())
