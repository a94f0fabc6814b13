"""Search spaces: their size, their cells, ids, samples, neighbours and mutations."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101._base.checks import (
    check_choice,
    check_generator,
    check_index,
    check_progress,
    check_whole,
    iterated,
)
from nb101._base.lazy import cached_property
from nb101._base.progress import Progress
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    CellIdError,
    NB101Error,
    SpaceError,
    UnknownHashError,
)
from nb101.space.cell import Cell, as_columns, one_module_errors
from nb101.space.cells import Cells
from nb101.space.default import provide
from nb101.space.lookup import CellOrHash, cell_of, find_abbreviated, id_of, sorted_hashes
from nb101.space.modules import many_modules
from nb101.space.ops import INPUT, MAX_VERTICES, OPS, OUTPUT, check_ops
from nb101.space.words import num_pairs

Ids = npt.NDArray[np.int64]


class Count:
    """How many unique cells a space has.

    Attributes
    ----------
    table
        ``table[v][e]`` cells have v vertices and e edges; Python integers, exact at any size.
    """

    def __init__(self, table: Iterable[Iterable[int]]) -> None:
        self.table = tuple(map(tuple, table))

    @cached_property
    def total(self) -> int:
        """All cells."""
        return sum(map(sum, self.table))

    @cached_property
    def by_vertices(self) -> dict[int, int]:
        """Cells by number of vertices."""
        return {v: sum(row) for v, row in enumerate(self.table) if v >= 2}

    @cached_property
    def by_edges(self) -> dict[int, int]:
        """Cells by number of edges."""
        return {e: sum(row[e] for row in self.table) for e in range(1, len(self.table[0]))}

    def __int__(self) -> int:
        return self.total

    def __eq__(self, other: object) -> bool:
        return self.table == other.table if isinstance(other, Count) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.table)

    def __repr__(self) -> str:
        return f"<Count: {self.total:,} cells>"


class SearchSpace:
    """All unique cells within limits; NAS-Bench-101 by default (section 2.1 of the paper).

    A cell's **id** is its rank in the reference order: by vertices, then edge mask, then op codes.
    Ids, counts and membership are exact: they rest on the canonical form, not on the hash.

    Wherever a cell is taken, its hash will do too, or the first digits of it, four or more, where
    no other cell has the same; the first such call hashes the whole space.

    Ids, and what rests on them (`index`, ``space[...]``, uniform samples), need a list of the
    structures: they exist in spaces of at most 8,388,608 structures, such as 8 vertices with any
    number of edges. Larger spaces can be counted, streamed, hashed and sampled by raw encodings.

    Parameters
    ----------
    max_vertices
        Most vertices of a cell, input and output included: 2 to 11.
    max_edges
        Most edges of a cell; more than the full number means all.
    ops
        Names of the interior ops, 1 to 15, in the order of their codes.

    Raises
    ------
    SpaceError
        If a limit is out of range or ops are not different names.

    Examples
    --------
    >>> space = SearchSpace()
    >>> len(space), space.count().by_vertices[6]
    (423624, 62010)
    >>> cells = space.enumerate()
    >>> cells.hashes()[0]
    np.bytes_(b'043721b9c7fe8c5fad811d47d83132ec')
    >>> int(space.index(cells[123456])), space[123456] == cells[123456]
    (123456, True)
    >>> space.index("28cfc787"), "28cfc787" in space, len(space.neighbors("28cfc787"))
    (359715, True, 14)
    """

    def __init__(self, max_vertices: int = 7, max_edges: int = 9, ops: Iterable[str] = OPS) -> None:
        self._ops = check_ops(ops)
        self._max_vertices = check_whole("max_vertices", max_vertices, 2, error=SpaceError)
        if self._max_vertices > MAX_VERTICES:
            raise SpaceError(
                f"max_vertices must be from 2 to {MAX_VERTICES}, not {self._max_vertices}",
                field="max_vertices",
            )
        all_edges = num_pairs(self._max_vertices)
        self._max_edges = min(check_whole("max_edges", max_edges, 1, error=SpaceError), all_edges)
        self._core = _core.Space(self._max_vertices, self._max_edges, len(self._ops))

    @property
    def max_vertices(self) -> int:
        """Most vertices of a cell."""
        return self._max_vertices

    @property
    def max_edges(self) -> int:
        """Most edges of a cell."""
        return self._max_edges

    @property
    def ops(self) -> tuple[str, ...]:
        """Names of the interior ops, in the order of their codes."""
        return self._ops

    @property
    def core(self) -> _core.Space:
        """The space in the core, for the package's own modules: it may change at any time."""
        return self._core

    def count(self) -> Count:
        """Count unique cells by vertices and edges, exactly, without enumerating them.

        Burnside's lemma over the permutations of interior vertices: milliseconds for any space.
        """
        return Count(self._core.count())

    @cached_property
    def _sorted_hashes(self) -> tuple[npt.NDArray[np.uint64], Ids]:
        return sorted_hashes(self)

    @cached_property
    def _size(self) -> int:
        return self.count().total

    def __len__(self) -> int:
        # Python raises OverflowError over 2^63 - 1; count().total has no limit.
        return self._size

    def enumerate(self, progress: Progress | None = None) -> Cells:
        """Return all cells in the reference order.

        Parameters
        ----------
        progress
            Called with the cells done and their number.

        Raises
        ------
        SpaceError
            If there are over 2^31: use `iter_batches`.
        """
        check_progress(progress)
        if self._size > 2**31:
            raise SpaceError(
                f"this space has {self._size:,} cells, too many for one array: use iter_batches"
            )
        return Cells._from_columns(*self._core.enumerate(progress), self._ops)

    def iter_batches(self, n: int = 1 << 20, progress: Progress | None = None) -> Iterator[Cells]:
        """Stream all cells in the reference order, `n` at a time, in bounded memory.

        Parameters
        ----------
        n
            Cells in a batch; the last one has what is left.
        progress
            Called after each batch with the cells done and their number.
        """
        check_progress(progress)
        return self._batches(min(check_whole("n", n, 1), self._size, 2**31), progress)

    def _batches(self, n: int, progress: Progress | None) -> Iterator[Cells]:
        stream = self._core.stream()
        done = 0
        while True:
            batch = Cells._from_columns(*stream.next(n), self._ops)
            if len(batch) == 0:
                return
            done += len(batch)
            if progress is not None:
                progress(done, self._size)
            yield batch

    @overload
    def index(self, cells: CellOrHash) -> int: ...
    @overload
    def index(self, cells: Cells) -> Ids: ...
    @overload
    def index(self, cells: Any, ops: Any = None) -> Ids: ...
    def index(self, cells: Any, ops: Any = None) -> "int | Ids":
        """Return the ids of cells, in any isomorphic form.

        Parameters
        ----------
        cells
            A `Cell` or a hash; or `Cells`, or a list of those; or raw modules: matrices of shape
            ``(n, v, v)`` with `ops` of shape ``(n, v)`` as for `nb101.hash_modules`; or a tuple of
            the two.
        ops
            Labels of raw modules.

        Returns
        -------
        An int for a `Cell` or a hash, else an int64 array of shape ``(n,)``.

        Raises
        ------
        InvalidCellError, UnknownOpError, OutOfSpaceError, UnknownHashError
            If one is not a cell of the space; `index` says which of several.
        SpaceError
            If the space is too large for ids.
        """
        if isinstance(cells, Cell) and ops is None:
            return self._id(cells)
        if isinstance(cells, Cells) and ops is None:
            cells = self._own_cells(cells)
            return self._core.ids(*cells.words)
        if ops is None and isinstance(cells, (str, bytes)):
            return self.find_hash(cells)
        is_pair = isinstance(cells, tuple) and len(cells) == 2
        if ops is None and is_pair and not isinstance(cells[0], (Cell, str, bytes)):
            cells, ops = cells
        if ops is None:
            listed = iterated(cells)
            if listed is None or not all(isinstance(cell, (Cell, str, bytes)) for cell in listed):
                raise ArgumentTypeError(
                    "index takes a Cell, a hash, Cells, or matrices and ops of raw modules",
                    field="cells",
                )
            if all(isinstance(cell, Cell) for cell in listed):
                return self.index(Cells(listed, op_names=self._ops))
            return np.fromiter(self._ids_one_by_one(listed), np.int64, len(listed))
        modules = many_modules(cells, ops, self._ops)
        return self._core.ids(*_core.pruned_modules(*modules))

    def _ids_one_by_one(self, cells: Iterable[CellOrHash]) -> Iterator[int]:
        for i, cell in enumerate(cells):
            try:
                yield id_of(self, cell)
            except NB101Error as error:
                raise error.at(f"cell {i}", i) from None

    def _id(self, cell: CellOrHash) -> int:
        return self._core.id(*self._own_words(cell))

    def _own_words(self, cell: CellOrHash) -> tuple[int, int]:
        if not isinstance(cell, Cell):
            cell = cell_of(self, cell)
        cell = cell._with_op_names(self._ops)
        return cell._edges, cell._labels

    def _own_cells(self, cells: Cells) -> Cells:
        return cells if cells.op_names == self._ops else Cells(cells, op_names=self._ops)

    def __contains__(self, cell: object) -> bool:
        """Whether a cell is one of the space, or a hash, whole or abbreviated, that of just one."""
        if not isinstance(cell, Cell):
            return isinstance(cell, (str, bytes)) and self._has_hash(cell)
        try:
            self._core.check(*self._own_words(cell))
        except NB101Error:
            return False
        return True

    def _has_hash(self, text: str | bytes) -> bool:
        try:
            self.find_hash(text)
        except (UnknownHashError, ArgumentError):
            return False
        return True

    @overload
    def __getitem__(  # type: ignore[overload-overlap]  # A string is no array here.
        self, index: int | str | bytes
    ) -> Cell: ...
    @overload
    def __getitem__(self, index: "slice | npt.ArrayLike") -> Cells: ...
    def __getitem__(self, index: Any) -> Cell | Cells:
        """Return the cell of an id or a hash, or the `Cells` of an array or slice of ids.

        Raises `CellIdError`, which is an IndexError, for ids out of range, and `UnknownHashError`,
        which is a KeyError, for hashes of no cell or of several.
        """
        if self._size >= 2**63:
            raise SpaceError(f"this space has {self._size:,} cells, too many for ids")
        if isinstance(index, np.ndarray) and index.ndim == 0 and index.dtype.kind in "iu":
            index = int(index)
        if isinstance(index, slice):
            index = np.arange(*check_index(index).indices(self._size), dtype=np.int64)
        if isinstance(index, (int, np.integer)) and not isinstance(index, bool):
            cell_id = int(index) + self._size if index < 0 else int(index)
            if not 0 <= cell_id < self._size:
                raise self._out_of_range(int(index))
            return Cell._from_words(*self._core.cell(cell_id), self._ops)
        if isinstance(index, (str, bytes)):
            return self[self.find_hash(index)]
        ids = self._checked_ids(index)
        negative = ids < 0
        if negative.any():
            ids = np.where(negative, ids + self._size, ids)
            if (ids < 0).any():
                raise self._out_of_range(int(ids[ids < 0][0]) - self._size)
        return Cells._from_columns(*self._core.cells(ids.astype(np.uint64)), self._ops)

    def _out_of_range(self, cell_id: int) -> CellIdError:
        return CellIdError(
            f"cell id {cell_id} is out of range: the space has {self._size} cells, "
            f"ids 0 to {self._size - 1}"
        )

    def _checked_ids(self, index: Any) -> Ids:
        array: npt.NDArray[Any] = check_index(index)
        if array.dtype == bool:
            if array.shape != (self._size,):
                raise CellIdError(
                    f"a mask must have an entry for each of the {self._size} cells, "
                    f"not shape {array.shape}"
                )
            return np.flatnonzero(array)
        if array.size == 0:
            return np.zeros(0, dtype=np.int64)
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise CellIdError("ids must be a whole number, a slice, a mask or an array of them")
        if array.dtype == np.uint64 and int(array.max()) >= 2**63:
            raise self._out_of_range(int(array.max()))
        return array.astype(np.int64)

    def __iter__(self) -> Iterator[Cell]:
        for batch in self.iter_batches(1 << 16):
            yield from batch

    def find_hash(self, hash: str | bytes) -> int:  # noqa: A002
        """Return the id of the cell with this hash. The first call hashes the whole space.

        The first digits will do, four or more, where no other cell of the space has the same.

        Raises
        ------
        UnknownHashError
            If no cell has it, or several do; it is a KeyError too.
        ArgumentError
            If it is no hexadecimal digits.
        """
        if isinstance(hash, bytes):
            hash = hash.decode("ascii", "replace")  # noqa: A001
        if not isinstance(hash, str):
            raise ArgumentTypeError(
                f"a hash is a string of 32 hexadecimal digits, not {hash!r}", field="hash"
            )
        if not hash.isascii():
            raise ArgumentError(
                f"not a hash: {hash!r}; a hash has 32 hexadecimal digits", field="hash"
            )
        if len(hash) != 32:
            return find_abbreviated(self, hash)
        ids = self._core.find_hash(hash)
        if not ids:
            raise UnknownHashError(f"no cell of this space has the hash {hash}", field="hash")
        if len(ids) > 1:
            raise UnknownHashError(
                f"{len(ids)} cells of this space share the hash {hash}: ids {ids}", field="hash"
            )
        return ids[0]

    def sample(
        self,
        n: int,
        seed: "int | np.random.Generator | None" = None,
        *,
        method: Literal["unique", "raw"] = "unique",
    ) -> Cells:
        """Draw cells at random, with replacement.

        Parameters
        ----------
        n
            How many.
        seed
            A seed, a generator, or `None` for fresh randomness. One seed gives one sample.
        method
            ``"unique"``: uniform over the unique cells. ``"raw"``: as the original's notebook does:
            each edge of the full matrix with probability one half and each op uniform, until the
            module is valid; this favours cells with many encodings.
        """
        n = check_whole("n", n, 0)
        check_choice("method", method, "unique", "raw")
        if n > 2**31:
            raise ArgumentError(f"n must be at most 2^31, not {n}", field="n")
        rng = check_generator("seed", seed)
        if method == "unique":
            if self._size >= 2**63:
                raise SpaceError(
                    f"this space has {self._size:,} cells, too many for ids: "
                    "method='raw' needs none"
                )
            return self[rng.integers(self._size, size=n)]
        return Cells._from_columns(*_core.random_cells(self._core, n, _draw(rng)), self._ops)

    def neighbors(self, cell: CellOrHash) -> Cells:
        """Return all unique cells of the space one edit away, in the reference order.

        Two cells are neighbours if one edit leads from one to the other, *either way*. An edit
        changes one op, removes one edge, or adds one between any two vertices where that makes no
        cycle; the result is pruned, which may take vertices along. In other words, neighbours have
        raw encodings (matrices of `max_vertices` vertices, which may dangle) that differ in one
        entry or one op. So input to output, which no edit leads from, has as neighbours all cells
        that are cut down to it by removing an edge: 52,602 in NAS-Bench-101, where cells of 7
        vertices have 18 on average, and of 6 vertices 27.

        This is the relation of `edit_distance`, of ``nb101.analysis.edit_graph``, its walks and
        local optima, and of local search; `mutate` takes several such steps at once, or none.

        Raises
        ------
        OutOfSpaceError, UnknownOpError, UnknownHashError
            If the cell is not in the space.
        SpaceError
            If it has millions of neighbours, as small cells of large spaces have.
        """
        return Cells._from_columns(*self._core.neighbors(*self._own_words(cell)), self._ops)

    def edit_distances(self, cell: CellOrHash) -> npt.NDArray[np.uint8]:
        """Return the least number of edits between each cell of the space and one.

        An edit is a step to one of the `neighbors`; all cells on the way are of the space. Small
        cells are next to many, so that the largest distance in NAS-Bench-101 is 8. How alike
        two cells look is told by `alignment_distance`.

        The first call finds the neighbours of all cells: a second, and 40 MB for NAS-Bench-101.

        Returns
        -------
        Array of shape ``(len(space),)`` and type uint8, by ids; 255 where no edits lead there,
        which can be in spaces of very few edges.

        Raises
        ------
        OutOfSpaceError, UnknownOpError, UnknownHashError
            If the cell is not in the space.
        SpaceError
            If the space has more than 4,194,304 cells.
        """
        return self._core.edit_distances(self._id(cell))

    @overload
    def mutate(
        self,
        cell: CellOrHash,
        rng: "int | np.random.Generator | None" = None,
        *,
        rate: float = 1.0,
    ) -> Cell: ...
    @overload
    def mutate(
        self, cell: Cells, rng: "int | np.random.Generator | None" = None, *, rate: float = 1.0
    ) -> Cells: ...
    @overload
    def mutate(
        self,
        cell: tuple[Any, Any],
        rng: "int | np.random.Generator | None" = None,
        *,
        rate: float = 1.0,
    ) -> tuple[npt.NDArray[np.int8], list[Any]]: ...
    def mutate(
        self, cell: Any, rng: "int | np.random.Generator | None" = None, *, rate: float = 1.0
    ) -> Any:
        """Mutate as the original's evolution example does, on the raw encoding.

        The raw encoding has `max_vertices` vertices, some of which may dangle. Each edge flips with
        probability ``rate / vertices`` and each op changes with probability ``rate / interior
        vertices``; again until the result is a valid cell of the space. Most edge flips are pruned
        away, so the result is often the same cell; a single flip or change that is not gives one
        of its `neighbors`.

        Parameters
        ----------
        cell
            A `Cell`, a hash or `Cells`, whose missing vertices are added as dangling ones with
            random ops; or a raw module ``(matrix, ops)`` of `max_vertices` vertices, to keep the
            dangling part from generation to generation.
        rng
            A seed, a generator, or `None` for fresh randomness.
        rate
            Expected number of ops that change; of edges, half of ``vertices - 1`` times it.

        Returns
        -------
        The same kind as `cell`; a `Cell` for a hash.
        """
        is_number = isinstance(rate, (int, float, np.integer, np.floating))
        if not is_number or not 0 <= rate <= self._max_vertices:
            kind = ArgumentError if is_number else ArgumentTypeError
            raise kind(
                f"rate must be between 0 and {self._max_vertices}, not {rate!r}", field="rate"
            )
        seed = _draw(check_generator("rng", rng))
        if isinstance(cell, tuple) and len(cell) == 2:
            matrix, ops = cell
            return self._mutate_module(matrix, ops, float(rate), seed)
        one = isinstance(cell, (Cell, str, bytes))
        cells = Cells([cell_of(self, cell)]) if one else cell
        if not isinstance(cells, Cells):
            raise ArgumentTypeError(
                "mutate takes a Cell, a hash, Cells, or a raw module (matrix, ops)", field="cell"
            )
        cells = self._own_cells(cells)
        with one_module_errors() if one else nullcontext():
            mutants = self._core.mutate_cells(*cells.words, float(rate), seed)
        result = Cells._from_columns(*_core.canonical_cells(*mutants), self._ops)
        return result[0] if one else result

    def _mutate_module(
        self, matrix: Any, ops: Any, rate: float, seed: int
    ) -> tuple[npt.NDArray[np.int8], list[Any]]:
        matrices, codes = many_modules([matrix], [ops], self._ops)
        if matrices.shape[1] != self._max_vertices:
            raise ArgumentError(
                f"a raw module of this space has {self._max_vertices} vertices, "
                f"not {matrices.shape[1]}",
                field="cell",
            )
        edges, labels = _core.packed_module(matrices, codes)
        words = self._core.mutate_module(edges, labels, rate, seed)
        columns = as_columns(*words)
        new_matrix = _core.adjacency(*columns, self._max_vertices)[0]
        new_codes = _core.operations(*columns, self._max_vertices)[0].tolist()
        if any(isinstance(op, str) for op in ops):
            inner = [self._ops[code] for code in new_codes[1:-1]]
            return new_matrix, [INPUT, *inner, OUTPUT]
        return new_matrix, new_codes

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SearchSpace):
            return NotImplemented
        return self._description() == other._description()

    def __hash__(self) -> int:
        return hash(self._description())

    def _description(self) -> tuple[int, int, tuple[str, ...]]:
        return self._max_vertices, self._max_edges, self._ops

    def __reduce__(self) -> tuple[Any, tuple[int, int, tuple[str, ...]]]:
        return SearchSpace, self._description()

    def __repr__(self) -> str:
        ops = "" if self._ops == OPS else f", ops={self._ops!r}"
        return f"SearchSpace(max_vertices={self._max_vertices}, max_edges={self._max_edges}{ops})"


def _draw(rng: np.random.Generator) -> int:
    """Draw the seed of one call."""
    return int(rng.integers(2**63))


provide(SearchSpace)
