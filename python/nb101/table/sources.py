"""Where the columns of a table come from: each source has names, rows and columns, and no cells.

A `Table` stands on one source, whichever it is: `MemoryColumns`, which are arrays, `ArrowColumns`,
which are an Arrow table in memory or in a mapped file, or `nb101.table.embedded.PackedColumns`,
which are unpacked on demand.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nb101._base.lazy import cached_property
from nb101.table import files
from nb101.table.schema import Array, Columns

if TYPE_CHECKING:
    import pyarrow as pa

Reopen = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function that opens a table again, and its arguments: how it is pickled."""


class ColumnSource(Protocol):
    """What a table needs of its columns, whose rows are in the order of budget, cell, repeat."""

    @property
    def path(self) -> str | None:
        """The file that all of it lies in; `None` if there is none, or it is a part of one."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""

    @property
    def rows(self) -> int:
        """How many rows there are."""

    @property
    def verified(self) -> bool:
        """Whether each byte that the columns come from has been compared with its seal."""

    def column(self, name: str) -> Array:
        """Return a column of numbers that is there, read-only; each time the same."""

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of such a column, which is not made for that."""

    def arrow(self) -> "pa.Table":
        """Return all columns, without metadata."""

    def take(self, rows: list[int]) -> "pa.Table":
        """Return some rows, without metadata."""

    def part(self, rows: "pa.Table | None" = None) -> "ColumnSource":
        """Return these rows of the table, or all, as a source of their own without a path."""

    def verify(self) -> None:
        """Compare each byte with the seal, whether that has been done before or not.

        Raises
        ------
        DatasetError
            If one is not as it was written.
        """

    def check_whole(self) -> None:
        """Do what `verify` does, if what comes of the columns would not be compared otherwise."""

    @property
    def reopen(self) -> Reopen | None:
        """How another process opens the same table; `None` if it must be sent all rows."""


class ArrowColumns:
    """Columns of an Arrow table.

    Parameters
    ----------
    arrow
        The table; its metadata is not looked at.
    file
        What it lies in, or was read from.
    path, reopen
        As attributes of `ColumnSource`.
    """

    def __init__(
        self,
        arrow: "pa.Table",
        file: files.Source | None = None,
        *,
        path: str | None = None,
        reopen: Reopen | None = None,
    ) -> None:
        self._arrow = arrow
        self._file = file
        self._columns: Columns = {}
        self.path = path
        self.reopen = reopen
        self.names = tuple(arrow.column_names)
        self.rows = int(arrow.num_rows)

    @property
    def verified(self) -> bool:
        """Whether each byte has been compared; of columns that were made here always."""
        return self._file is None or self._file.verified

    def column(self, name: str) -> Array:
        """Return a column, without a copy."""
        array = self._columns.get(name)
        if array is None:
            array = self._columns[name] = files.to_numpy(self._arrow[name])
        return array

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of a column."""
        return self.column(name).dtype

    def arrow(self) -> "pa.Table":
        """Return the Arrow table."""
        return self._arrow

    def take(self, rows: list[int]) -> "pa.Table":
        """Return some rows."""
        import pyarrow as pa

        return self._arrow.take(pa.array(rows, pa.int64()))

    def part(self, rows: "pa.Table | None" = None) -> "ArrowColumns":
        """Return rows as a source of their own, which lies in the same file."""
        return ArrowColumns(self._arrow if rows is None else rows, self._file)

    def verify(self) -> None:
        """Compare each byte of the file with its seal."""
        if self._file is not None:
            self._file.verify()

    def check_whole(self) -> None:
        """Compare the file with its seal, if nobody has."""
        if not self.verified:
            self.verify()


class MemoryColumns:
    """Columns that are arrays, which nobody else changes; an Arrow table is made when asked for.

    Parameters
    ----------
    columns
        Arrays of the table's own types, in its order; see `nb101.table.schema.check_columns`.
    """

    path = None
    reopen = None
    verified = True

    def __init__(self, columns: Columns) -> None:
        self._columns = {name: _read_only(column) for name, column in columns.items()}
        self.names = tuple(columns)
        self.rows = len(columns["cell_id"])

    def column(self, name: str) -> Array:
        """Return a column, without a copy."""
        return self._columns[name]

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of a column."""
        return self._columns[name].dtype

    def arrow(self) -> "pa.Table":
        """Return an Arrow table of the same memory."""
        return self._arrow

    @cached_property
    def _arrow(self) -> "pa.Table":
        return files.assemble(self._columns)

    def take(self, rows: list[int]) -> "pa.Table":
        """Return some rows, without the rest of the Arrow table."""
        return files.assemble({name: column[rows] for name, column in self._columns.items()})

    def part(self, rows: "pa.Table | None" = None) -> "ColumnSource":
        """Return these rows, or all, as they are."""
        return self if rows is None else ArrowColumns(rows)

    def verify(self) -> None:
        """Do nothing: there is no file."""

    def check_whole(self) -> None:
        """Do nothing: there is no file."""


def _read_only(column: Array) -> Array:
    """Return another array of the same memory, which cannot be written to."""
    view = column.view()
    view.flags.writeable = False
    return view
