"""Tables of runs: one row a run, on a source of columns, files opened in place.

Nothing is copied, and nothing is read that is not looked at: a metric is a view of the file.
"""

import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from nb101._base.lazy import cached_property
from nb101._base.progress import Progress
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    DatasetError,
    NB101Error,
    UnknownOpError,
)
from nb101.plain import printable
from nb101.space import lookup
from nb101.space.cells import Cells
from nb101.space.default import space_of
from nb101.space.lookup import CellOrId, Ids
from nb101.space.search_space import SearchSpace
from nb101.table import concat, frames, recipes
from nb101.table import files as table_files
from nb101.table.about import (
    METADATA_KEY,
    check_provenance,
    kind_of,
    kind_words,
    pack_metadata,
    take_kind,
    today,
    unpack_metadata,
)
from nb101.table.best import Best
from nb101.table.budget import Budget
from nb101.table.layout import Layout, in_order
from nb101.table.schema import (
    DIRECTIONS,
    KEYS,
    RAW,
    Array,
    Direction,
    check_columns,
    check_direction,
    check_directions,
    check_raw,
    check_runs,
    check_types,
    is_masked,
    metric_column,
    metric_hint,
)
from nb101.table.sources import ArrowColumns, ColumnSource, MemoryColumns

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Kept = TypeVar("Kept")


class Table:
    """Runs of cells: an immutable table with one row a run (section 2.5 of the paper).

    Make one with `Table.open`, `Table.from_columns`, `Table.from_arrow`, `nb101.convert` or
    `nb101.load_table`. It takes part in the Arrow C stream protocol, so that
    ``polars.DataFrame(table)`` and ``pyarrow.table(table)`` work.

    Columns, of which a table may lack all but the first three:

    - ``cell_id`` (int32), the id of the cell in `space`; ``epochs`` (int16), the budget; ``repeat``
      (int8), the number of the run among those of this cell and budget;
    - ``record`` (int32), the position of the run in the file that it came from; ``seed`` (int64,
      null where it is not known);
    - for each of ``start``, ``halfway`` and ``final``: ``_epoch``, ``_training_time`` in seconds,
      ``_train_accuracy``, ``_validation_accuracy``, ``_test_accuracy`` as fractions in [0, 1];
      float32 where that loses nothing, else float64;
    - ``trainable_parameters`` (int32), ``total_time`` in seconds (float64);
    - ``raw`` (large binary), the bytes of an official record where the other columns would not
      give them back;
    - any more columns of numbers.

    Where a metric is asked for, ``test_accuracy`` is short for ``final_test_accuracy``, and so on.
    """

    def __init__(
        self,
        source: ColumnSource,
        space: SearchSpace,
        provenance: Mapping[str, Any],
        directions: Mapping[str, Direction] | None = None,
    ) -> None:
        self._source = source
        self._space = space
        self._provenance = dict(provenance)
        self._directions = dict(directions or {})
        self._layout = Layout(source)
        self._kept: dict[Hashable, Any] = {}

    # Making tables

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, verify: bool = False) -> "Table":
        """Open a table's file: Arrow IPC in place, Parquet by reading it.

        An Arrow file is mapped into memory: it opens in milliseconds whatever its size, and all
        processes that open it share one copy. Of what it holds, types, lengths and places are
        looked at, so that nothing that is asked for later leads out of the file, and the order of
        some rows; but not each byte: a number that a failing disk has changed is not noticed. That
        is what `verify` is for; see `verified`. A Parquet file is compared with its seal each time.

        While an Arrow file is open it must not be cut or overwritten in place, by whatever
        program: the system ends processes that read what is gone (SIGBUS). To replace or delete it
        is safe, and is what nb101 does.

        Parameters
        ----------
        path
            The file; which kind it is shows in its first bytes.
        verify
            Read all of it, and compare it with the seal that it carries; see `verify`.

        Raises
        ------
        DatasetError
            If it is neither, or damaged, or not a table of runs, or of another format.
        FileError
            If it cannot be read; `MissingFileError` if it is not there. Both are OSErrors.
        """
        arrow, source = table_files.read(path)
        where = os.fspath(path)
        try:
            about = unpack_metadata(arrow.schema.metadata, where)
            check_types(arrow, where)
        except DatasetError as error:
            error.path = where
            raise
        if not source.sealed:
            raise DatasetError(
                f"{where} has no seal of nb101: other programs wrote it; Table.from_arrow takes "
                "what they read",
                path=where,
            )
        if verify and not source.verified:
            source.verify()
        path = os.path.abspath(where)  # noqa: PTH100
        columns = ArrowColumns(arrow, source, path=path, reopen=(cls.open, (path,)))
        table = cls(columns, about.space, about.provenance, about.directions)
        # Other programs may have put its rows in another order, and kept what is said of it.
        table._layout.verify(about.space, table.metrics, most=None if verify else 1 << 16)
        return table

    @classmethod
    def from_columns(
        cls,
        columns: Mapping[str, Any],
        *,
        space: SearchSpace | None = None,
        provenance: Mapping[str, Any] | None = None,
        directions: Mapping[str, Direction] | None = None,
        raw: Sequence[tuple[int, bytes]] = (),
        copy: bool = True,
    ) -> "Table":
        """Make a table of arrays, rows in any order.

        Parameters
        ----------
        columns
            Arrays of shape ``(n,)`` by name: ``cell_id`` and ``epochs`` at least. Without
            ``repeat``, runs of one cell and budget are numbered as they come; without ``record``,
            rows are. Names that are not the table's own are kept if they hold numbers.
        space
            What ids are of; NAS-Bench-101 by default.
        provenance
            Where the runs came from, as JSON can hold it: ``kind`` (``"measured"``,
            ``"predicted"``; if it is not given, what a column ``kind`` says, ``"predicted"`` where
            a column's name ends in ``_uncertainty``, else ``"unknown"``), ``source``, ``recipe``
            and whatever else is to be known.
        directions
            Of columns of your own, whether less or more is better: ``{"latency": "min"}``. Files
            keep it. See `direction`.
        raw
            Rows, ascending, and the bytes of their official records.
        copy
            Whether to copy arrays that the table could use as they are. If not, they must not
            change from now on.

        Raises
        ------
        DatasetError
            If a column is missing, or holds what it may not; or two rows are of one run.
        ArgumentError
            If a direction is none, or of no column.
        """
        if not hasattr(columns, "items"):
            raise ArgumentTypeError(
                f"columns must be arrays by name, not {type(columns).__name__}; what libraries "
                "hold is for Table.from_arrow",
                field="columns",
            )
        check_provenance({} if provenance is None else provenance)
        space = space_of(space)
        columns, kind = take_kind(columns, (provenance or {}).get("kind"))
        given = {"kind": kind, "created": today(), **(provenance or {})}
        checked = check_columns(columns, space.count().total)
        own = check_directions({} if directions is None else directions, list(checked))
        if copy:
            for name, column in checked.items():
                theirs = columns.get(name)
                if hasattr(theirs, "__array__") and np.may_share_memory(column, np.asarray(theirs)):
                    checked[name] = column.copy()
        check_raw(raw, len(checked["cell_id"]))
        checked, raw = in_order(checked, raw)
        check_runs(checked)
        # Bytes are for Arrow to hold.
        source = ArrowColumns(table_files.assemble(checked, raw)) if raw else MemoryColumns(checked)
        return cls(source, space, given, own)

    @classmethod
    def from_arrow(
        cls,
        table: Any,
        *,
        space: SearchSpace | None = None,
        provenance: Mapping[str, Any] | None = None,
        directions: Mapping[str, Direction] | None = None,
    ) -> "Table":
        """Make a table of anything that speaks Arrow: a pyarrow, polars or pandas table.

        Space, provenance and directions are those of its metadata, or ``attrs`` of pandas, if it
        came from a table of this kind and none are given; otherwise as in `from_columns`. If a
        provenance is given that does not tell the kind, that is still the table's own.
        """
        if isinstance(table, Table):
            table.check_whole()
        arrow, metadata = frames.read(table)
        if METADATA_KEY in metadata:
            about = unpack_metadata(metadata, "this Arrow table")
            space = about.space if space is None else space
            if provenance is None:
                provenance = about.provenance
            else:
                check_provenance(provenance)
                # Its rows are no more measured than before.
                own = {k: about.provenance[k] for k in ("kind", "parts") if k in about.provenance}
                provenance = own | dict(provenance) if "kind" not in provenance else provenance
            if directions is None:
                # Of columns that have been dropped since, nothing is said.
                there = set(arrow.column_names)
                directions = {k: v for k, v in about.directions.items() if k in there}
        columns, raw = table_files.take_apart(arrow)
        return cls.from_columns(
            columns,
            space=space,
            provenance=provenance,
            directions=directions,
            raw=raw,
            copy=False,
        )

    @classmethod
    def concat(cls, tables: Iterable["Table"]) -> "Table":
        """Put tables of one space together.

        Runs of one cell and budget are numbered anew, in the order of the tables; a column that
        one of the tables lacks is filled with NaN, and trainable parameters are computed.
        Provenance is that of the parts.

        Raises
        ------
        DatasetError
            If they are of different spaces, or contradict each other on a cell's parameters or on
            the direction of a column.
        """
        if not isinstance(tables, Iterable):
            raise ArgumentTypeError(
                f"concat takes a list of Tables, not {type(tables).__name__}", field="tables"
            )
        parts = list(tables)
        if not parts:
            raise DatasetError("concat needs at least one table", field="tables")
        for table in parts:
            if not isinstance(table, Table):
                raise ArgumentTypeError(f"concat takes Tables, not {type(table).__name__}")
            if table.space != parts[0].space:
                raise DatasetError(
                    f"tables of different spaces: {parts[0].space!r} and {table.space!r}",
                    field="space",
                )
        if len(parts) == 1:
            return parts[0]
        for table in parts:
            table.check_whole()
        return cls.from_columns(
            concat.columns([concat.Counted(table._source, table.parameters) for table in parts]),
            space=parts[0].space,
            provenance=concat.provenance([table.provenance for table in parts]),
            directions=concat.directions([table.directions for table in parts]),
            raw=concat.raw([table._source.arrow() for table in parts]),
            copy=False,
        )

    # What there is

    def __len__(self) -> int:
        return self._source.rows

    @property
    def space(self) -> SearchSpace:
        """The space that ids are of."""
        return self._space

    @property
    def kind(self) -> str:
        """How the numbers came about: ``"measured"``, ``"predicted"``, ``"mixed"``...

        ``provenance`` has it; what is made of the table, runs and traces and files, says it too.
        """
        return kind_of(self._provenance)

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where the runs came from: ``kind`` (measured or predicted), ``source``, ``recipe``..."""
        return MappingProxyType(self._provenance)

    @property
    def path(self) -> str | None:
        """The file that the table was opened from."""
        return self._source.path

    @property
    def verified(self) -> bool:
        """Whether each byte that the table was opened from has been compared with its seal.

        Of an Arrow file it is so after `verify`, and after what verifies by itself: `save`,
        `concat`, `from_arrow`. Of a Parquet file, and of a table that was made here, always.
        """
        return self._source.verified

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns."""
        return self._source.names

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the columns that hold metrics."""
        return tuple(x for x in self.columns if x not in KEYS and x not in ("seed", RAW))

    @property
    def directions(self) -> Mapping[str, Direction]:
        """What was said of the table's own columns: whether less or more is better."""
        return MappingProxyType(self._directions)

    def direction(self, metric: str, given: Direction | None = None) -> Direction:
        """Return whether less (``"min"``) or more (``"max"``) of a metric is better.

        That of accuracies, times, parameters and FLOPs is known. That of other columns is what
        `from_columns` was told; a name is not guessed from.

        Parameters
        ----------
        metric
            A column, or short for one.
        given
            What a caller says, which goes before all else.

        Raises
        ------
        ArgumentError
            If nobody has said it; the message says how to. If `given` is neither.
        DatasetError
            If there is no such column.

        Examples
        --------
        >>> import nb101
        >>> table = nb101.Table.from_columns(
        ...     {"cell_id": [0, 1], "epochs": [108, 108], "latency": [3.5, 2.5]},
        ...     directions={"latency": "min"},
        ... )
        >>> table.direction("latency"), table.direction("test_accuracy")
        ('min', 'max')
        >>> table.best("latency").cell_id
        1
        """
        if given is not None:
            return check_direction(given)
        metric_column(metric)
        direction = DIRECTIONS.get(metric) or self._directions.get(metric)
        if direction is not None:
            return direction
        if metric not in self.metrics:
            raise self._no_column(metric)
        raise ArgumentError(
            f"whether less or more of {metric} is better is not known: give direction='min' or "
            f"'max', or Table.from_columns(..., directions={{{metric!r}: 'min'}})",
            field="direction",
        )

    @property
    def epochs(self) -> tuple[int, ...]:
        """All budgets, ascending."""
        return tuple(self._layout.budgets)

    @property
    def cell_ids(self) -> Ids:
        """Ids of all cells that have a run, ascending; shape ``(n_cells,)``."""
        return self._layout.cell_ids

    @property
    def num_cells(self) -> int:
        """Number of cells that have a run."""
        return len(self.cell_ids)

    @property
    def cells(self) -> Cells:
        """All cells that have a run, in the order of `cell_ids`."""
        return self._space[self.cell_ids]

    def hashes(self) -> npt.NDArray[np.bytes_]:
        """Hashes of all cells that have a run, in the order of `cell_ids`; ``(n_cells,)`` S32."""
        return self.cells.hashes()

    def column(self, name: str) -> Array:
        """Return a column as it is: shape ``(len(table),)``, read-only, without a copy.

        ``seed`` is a masked array where some are not known. ``raw`` is no array: see `to_arrow`.
        """
        if not isinstance(name, str):
            raise self._no_column(name)
        if name == RAW or name not in self._source.names:
            raise self._no_column(name)
        return self._source.column(name)

    def dtype(self, name: str) -> "np.dtype[Any]":
        """Return the type of a column, as `column` does, without making what is packed."""
        if not isinstance(name, str) or name == RAW or name not in self._source.names:
            raise self._no_column(name)
        return self._source.dtype(name)

    @cached_property
    def parameters(self) -> Array:
        """Trainable parameters of the cell of each row, shape ``(len(table),)``.

        Computed if there is no such column: for the network of the recipe that `provenance` has, or
        of NAS-Bench-101 if it has none. -1 where that network is not known, or the space has ops
        without a known rule.
        """
        if "trainable_parameters" in self.columns:
            return self.column("trainable_parameters")
        skeleton = recipes.skeleton_of(self._provenance)
        if skeleton is None and recipes.is_named(self._provenance):
            return _frozen(np.full(len(self), -1))
        try:
            counts = self.cells.parameters(skeleton)
        except UnknownOpError:
            counts = np.full(self.num_cells, -1)
        return _frozen(counts[np.searchsorted(self.cell_ids, self.column("cell_id"))])

    def counts(self, epochs: int | None = None) -> npt.NDArray[np.int64]:
        """Return the number of runs of each cell at a budget; shape ``(n_cells,)``.

        `epochs` is the largest budget by default.
        """
        first, last = self.budget_or_largest(epochs).many_rows(self.cell_ids)
        return last - first

    # Metrics

    def values(self, metric: str, epochs: int | None = None, *, halfway: bool = False) -> Array:
        """Return a metric at a budget, by cell and repeat.

        Parameters
        ----------
        metric
            A column, or short for one: ``"validation_accuracy"``.
        epochs
            The budget; the largest by default.
        halfway
            Whether the short name means the evaluation at half the budget, not the final one.

        Returns
        -------
        Array of shape ``(n_cells, n_repeats)``, rows in the order of `cell_ids`: a read-only view
        of the table if every cell has all repeats; otherwise a copy with NaN where there is no run.

        Raises
        ------
        DatasetError
            If the table has no such column.
        MissingRunError
            If the table has no such budget.
        """
        column = self.column(metric_column(metric, halfway))
        if is_masked(column):
            column = np.ma.filled(column.astype(np.float64), np.nan)
        return self._layout.by_repeat(column, self.budget_or_largest(epochs))

    def mean(
        self, metric: str, epochs: int | None = None, *, halfway: bool = False
    ) -> npt.NDArray[np.float64]:
        """Return the mean over the repeats of each cell; NaN where there is no run.

        Shape ``(n_cells,)``, rows in the order of `cell_ids`; arguments as in `values`.
        """
        values = self.values(metric, epochs, halfway=halfway)
        if values.shape[1] == 1:
            # The same to the last bit, since 0 is added, which makes 0 of -0: 0.3 ms, by sums 1.8.
            return values[:, 0].astype(np.float64) + 0.0
        total = np.zeros(len(values))
        count = np.zeros(len(values))
        # By repeats, of which there are few: several times faster than by rows.
        for repeat in values.T:
            wide = repeat.astype(np.float64)
            there = ~np.isnan(wide)
            total += np.where(there, wide, 0)
            count += there
        with np.errstate(invalid="ignore"):
            return np.asarray(total / count)

    def best(
        self,
        metric: str = "test_accuracy",
        epochs: int | None = None,
        *,
        halfway: bool = False,
        direction: Direction | None = None,
    ) -> Best:
        """Return the cell with the best mean of a metric, and that mean.

        The best is the highest or lowest, by `direction`, which is the metric's own by default; of
        equal cells the first. `epochs` is the largest budget by default.

        Raises
        ------
        ArgumentError
            If the direction of a column of your own is not known: see `direction`.
        """
        lowest = self.direction(metric, direction) == "min"
        epochs = self.budget_or_largest(epochs).epochs
        means = self.mean(metric, epochs, halfway=halfway)
        if np.isnan(means).all():
            raise DatasetError(f"no run at {epochs} epochs has a value of {metric}", field=metric)
        row = int(np.nanargmin(means) if lowest else np.nanargmax(means))
        cell_id = int(self.cell_ids[row])
        best = Best(cell_id, float(means[row]), self._space[cell_id])
        best._told, best.metric = (kind_of(self._provenance), self._space), metric
        return best

    def select(
        self,
        cells: Any = None,
        epochs: npt.ArrayLike | None = None,
        repeats: npt.ArrayLike | None = None,
        *,
        where: npt.ArrayLike | None = None,
    ) -> "Table":
        """Return the runs of some cells, budgets and repeats, as a table of its own.

        Parameters
        ----------
        cells
            A `Cell`, `Cells`, an id, or ids; all if not given.
        epochs, repeats
            A number or several; all if not given. Repeats keep their numbers.
        where
            A mask of rows, shape ``(len(table),)``, on top of that.
        """
        found = None
        if epochs is not None:
            found = [self.budget(x) for x in _whole_numbers("epochs", epochs).tolist()]
        if cells is None and repeats is None and where is None and found and len(found) == 1:
            start, stop = found[0].start, found[0].stop
            return self._with_rows(self._source.arrow().slice(start, stop - start))
        mask = np.ones(len(self), dtype=bool)
        if cells is not None:
            chosen = np.atleast_1d(np.asarray(self.ids_of(cells)))
            mask &= np.isin(self.column("cell_id"), chosen)
        if found is not None:
            mask &= np.isin(self.column("epochs"), [budget.epochs for budget in found])
        if repeats is not None:
            mask &= np.isin(self.column("repeat"), _whole_numbers("repeats", repeats))
        if where is not None:
            given = np.asarray(where)
            if given.dtype != bool or given.shape != mask.shape:
                raise DatasetError(
                    f"where must be a mask with an entry for each of the {len(self):,} rows, "
                    f"not {given.dtype} of shape {given.shape}",
                    field="where",
                )
            mask &= given
        import pyarrow as pa

        return self._with_rows(self._source.arrow().filter(pa.array(mask)).combine_chunks())

    # One cell

    def id_of(self, cell: CellOrId) -> int:
        """Return the id of a cell: a `Cell` in any form, an id, or a hash.

        Raises
        ------
        OutOfSpaceError, CellIdError, UnknownHashError
            If it is none of the table's space.
        """
        return lookup.id_of(self._space, cell)

    def ids_of(self, cells: Any) -> "int | Ids":
        """Return the ids of cells: `Cells`, ids, or a list of what `id_of` takes; or of one."""
        return lookup.ids_of(self._space, cells)

    def rows(self, cell: CellOrId) -> list[int]:
        """Return the rows of all runs of a cell, by budget and repeat."""
        cell_id = self.id_of(cell)
        slices = [budget.rows(cell_id) for budget in self._layout.budgets.values()]
        return [row for first, last in slices for row in range(first, last)]

    def runs(self, cell: CellOrId) -> "pa.Table":
        """Return all runs of a cell as an Arrow table, by budget and repeat."""
        return self._source.take(self.rows(cell)).replace_schema_metadata(self._metadata())

    def budget(self, epochs: int) -> Budget:
        """Return the rows of a budget.

        Raises
        ------
        MissingRunError
            If the table has no run of it; the message has those that it has.
        """
        return self._layout.budget(epochs)

    def budget_or_largest(self, epochs: int | None) -> Budget:
        """Return the rows of a budget, or of the largest one.

        Raises
        ------
        MissingRunError
            If the table has no run of it, or none at all.
        """
        return self._layout.budget_or_largest(epochs)

    # What is said of it, and kept beside it

    def with_provenance(self, provenance: Mapping[str, Any]) -> "Table":
        """Return the same table with another provenance, as `from_columns` takes it.

        Of ``kind`` and ``created`` the table's own are kept where `provenance` has none.
        """
        check_provenance(provenance)
        kept = {k: self._provenance[k] for k in ("kind", "created") if k in self._provenance}
        given = kept | dict(provenance)
        return Table(self._source.part(), self._space, given, self._directions)

    def keep(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """Return what `make` returns, which is called once in the life of the table.

        For what others work out of a table's numbers and ask for again and again.
        """
        if key not in self._kept:
            self._kept[key] = make()
        kept: Kept = self._kept[key]
        return kept

    # Files and other libraries

    def to_arrow(self) -> "pa.Table":
        """Return the Arrow table, without a copy; its metadata says what it is.

        Of a file that was not `verified`, as it lies there.
        """
        return self._source.arrow().replace_schema_metadata(self._metadata())

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def to_pandas(self) -> "pd.DataFrame":
        """Return a pandas DataFrame, without ``raw``. Needs pandas.

        Its ``attrs["nb101"]`` has provenance and space, for `from_arrow`. Since few operations keep
        these, a table with predictions says so in each row too, in a column ``kind``.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        return frames.to_pandas(self.to_arrow(), self._provenance)

    def to_polars(self) -> "pl.DataFrame":
        """Return a polars DataFrame, without ``raw``. Needs polars.

        polars has no room for provenance: a table with predictions says so in each row, in a
        column ``kind``, which stays with rows wherever they go. Nor does it say which space ids
        are of: give that to `from_arrow`.

        Raises
        ------
        MissingExtraError
            If polars is not installed.
        """
        return frames.to_polars(self.to_arrow(), self._provenance)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,  # noqa: A002
        progress: Progress | None = None,
    ) -> None:
        """Write the table to a file, which appears whole or not at all.

        Arrow and Parquet files get a seal, which covers each of their bytes; CSV has room for none.
        A table from a file that was not `verified` is so first.

        Parameters
        ----------
        path
            The file.
        format
            ``"arrow"`` (to be opened in place), ``"parquet"``, ``"csv"`` (with hashes, and without
            ``raw``) or ``"tfrecord"`` (official records, for the original reader; where a total
            time is not known, it is the training time); by the ending of `path` if not given.
        progress
            Called with the rows written and their number, of CSV and official records.

        Raises
        ------
        DatasetError
            If the table cannot be written as official records: it is of another space, or lacks
            metrics. If the file that it was opened from is damaged.
        ArgumentError
            If the format is unknown.
        OSError
            If the file cannot be written.
        """
        self.check_whole()
        table_files.write(self._content(), path, format, progress)

    def verify(self) -> None:
        """Check every byte and every row: the seal of the file, the order of rows, their values.

        Raises
        ------
        DatasetError
            At the first thing that is wrong.
        """
        self._source.verify()
        self._layout.verify(self._space, self.metrics)

    def check_whole(self) -> None:
        """Compare the file with its seal, if nobody has; see `verified`."""
        self._source.check_whole()

    def equals(self, other: "Table") -> bool:
        """Whether both hold the same runs of the same space; provenance may differ."""
        if not isinstance(other, Table):
            raise ArgumentTypeError(
                f"equals compares with a Table, not {type(other).__name__}", field="other"
            )
        mine, others = self._source.arrow(), other._source.arrow()
        if self._space != other._space or not mine.schema.equals(others.schema):
            return False
        if table_files.raw_records(mine) != table_files.raw_records(others):
            return False
        pairs = ((self.column(x), other.column(x)) for x in self.columns if x != RAW)
        return all(
            np.array_equal(np.ma.getmaskarray(a), np.ma.getmaskarray(b))
            and np.array_equal(np.ma.getdata(a), np.ma.getdata(b), equal_nan=a.dtype.kind == "f")
            for a, b in pairs
        )

    def __repr__(self) -> str:
        budgets = ", ".join(map(str, self.epochs)) or "no"
        source = self._provenance.get("source")
        where = f" from {source}" if isinstance(source, str) else ""
        runs = "1 run" if len(self) == 1 else f"{len(self):,} runs"
        return printable(
            f"<Table: {runs} at {budgets} epochs, {kind_words(self._provenance)}{where}>"
        )

    def _repr_html_(self) -> str:
        from nb101.table import views

        rows: list[tuple[str, object]] = [
            ("budgets", ", ".join(map(str, self.epochs)) or "none"),
            ("cells", f"{self.num_cells:,} of {self._space.count().total:,}"),
            ("metrics", ", ".join(name.removeprefix("final_") for name in self.metrics)),
        ]
        rows += [(k, self._provenance[k]) for k in ("source", "recipe") if k in self._provenance]
        best = self._best_to_show()
        if best is not None:
            name = best.metric.replace("_", " ")
            rows.append((f"best mean {name}", f"{best.value:.4f}, of cell {best.cell_id}"))
        title = "Table: 1 run" if len(self) == 1 else f"Table: {len(self):,} runs"
        cells = () if best is None else (best.cell,)
        return views.page(title, self._provenance, views.facts(rows), *cells)

    def _best_to_show(self) -> Best | None:
        for metric in ("test_accuracy", "validation_accuracy"):
            if metric_column(metric) in self.columns:
                with suppress(NB101Error):
                    return self.best(metric)
        return None

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        # By reference to the file: every process maps the same one.
        if self._source.reopen is not None:
            return self._source.reopen
        # What is sent has no seal: what it is made of must be whole.
        self.check_whole()
        return _restore, (table_files.to_bytes(self.to_arrow()),)

    # Inside

    def _with_rows(self, rows: "pa.Table") -> "Table":
        """Return a table of some rows of this one."""
        return Table(self._source.part(rows), self._space, self._provenance, self._directions)

    def _content(self) -> table_files.Content:
        """Return what writers of files need of the table."""
        return table_files.Content(
            arrow=self.to_arrow(),
            column=self.column,
            space=self._space,
            provenance=self._provenance,
            hashes=lambda: (self.cell_ids, self.hashes()),
            parameters=lambda: self.parameters,
        )

    def _metadata(self) -> dict[bytes, bytes]:
        return pack_metadata(self._space, self._provenance, self._directions)

    def _no_column(self, name: str) -> DatasetError:
        known = [x.removeprefix("final_") for x in self.columns if x != RAW]
        hint = metric_hint(name, known)
        return DatasetError(
            f"the table has no column {name!r}; {hint}it has {', '.join(known)}", field=str(name)
        )


def _whole_numbers(name: str, values: Any) -> Array:
    """Return one or more whole numbers as a flat array."""
    try:
        array = np.atleast_1d(np.asarray(values))
    except ValueError:
        array = np.empty((0, 0))
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise ArgumentError(f"{name} must be a whole number or several, not {values!r}", field=name)
    return array


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array


def _restore(data: bytes) -> Table:
    arrow = table_files.from_bytes(data)
    about = unpack_metadata(arrow.schema.metadata, "a pickled table")
    check_types(arrow, "a pickled table")
    return Table(ArrowColumns(arrow), about.space, about.provenance, about.directions)
