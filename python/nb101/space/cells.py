"""Many cells as columns."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101._base.checks import check_index, check_progress, check_type, iterated
from nb101._base.progress import Progress
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    CellIdError,
    OutOfSpaceError,
    UnknownOpError,
)
from nb101.space import columns
from nb101.space.cell import Cell, alignment_distance, check_channels, no_cell
from nb101.space.default import space_of
from nb101.space.modules import many_modules
from nb101.space.ops import OPS, check_ops
from nb101.space.skeleton import Skeleton

if TYPE_CHECKING:
    import pyarrow as pa
    from torch_geometric.data import Batch, InMemoryDataset

    from nb101.space.search_space import SearchSpace

Column = npt.NDArray[np.uint64]
DRAWN = 4
"""Cells that a notebook shows of many."""


class Cells(Sequence[Cell]):
    """A batch of cells in the reference form, two words each.

    Behaves like a sequence of `Cell`; slices, index arrays and boolean masks give `Cells`.
    Everything else is an array with an entry for each cell.

    Parameters
    ----------
    cells
        Cells of one list of ops.
    op_names
        All ops, in the order of their codes; taken from the cells if not given.

    Examples
    --------
    >>> import nb101
    >>> cells = nb101.SearchSpace(max_vertices=4).enumerate()
    >>> len(cells), cells[:2].num_edges
    (91, array([1, 2], dtype=uint8))
    >>> small = cells[cells.parameters() < 2_000_000]
    >>> len(small)
    26
    """

    __slots__ = ("_edges", "_labels", "_op_names")
    _edges: Column
    _labels: Column
    _op_names: tuple[str, ...]

    def __init__(self, cells: Iterable[Cell] = (), op_names: Iterable[str] | None = None) -> None:
        listed = iterated(cells)
        if listed is None:
            raise ArgumentTypeError(
                f"Cells holds Cell objects, not {type(cells).__name__}", field="cells"
            )
        for cell in listed:
            if not isinstance(cell, Cell):
                raise ArgumentTypeError(
                    f"Cells holds Cell objects, not {type(cell).__name__}", field="cells"
                )
        if op_names is None:
            op_names = listed[0].op_names if listed else OPS
        names = check_ops(op_names)
        same = [cell._with_op_names(names) for cell in listed]
        self._edges = np.array([cell._edges for cell in same], dtype=np.uint64)
        self._labels = np.array([cell._labels for cell in same], dtype=np.uint64)
        self._op_names = names
        self._freeze()

    @classmethod
    def _from_columns(cls, edges: Column, labels: Column, op_names: tuple[str, ...]) -> "Cells":
        self = cls.__new__(cls)
        self._edges, self._labels, self._op_names = edges, labels, op_names
        self._freeze()
        return self

    def _freeze(self) -> None:
        self._edges.flags.writeable = False
        self._labels.flags.writeable = False

    @classmethod
    def from_modules(cls, matrices: Any, ops: Any, op_names: Iterable[str] = OPS) -> "Cells":
        """Read, prune and canonicalise raw modules.

        Parameters
        ----------
        matrices, ops
            As for `nb101.hash_modules`: shapes ``(n, v, v)`` and ``(n, v)``, or lists.
        op_names
            All ops, in the order of their codes.

        Raises
        ------
        InvalidCellError, OutOfSpaceError
            For the first module that is no cell; `index` is its place.
        """
        names = check_ops(op_names)
        columns = _core.canonical_modules(*many_modules(matrices, ops, names))
        _core.check_ops(*columns, len(names))
        return cls._from_columns(*columns, names)

    @property
    def op_names(self) -> tuple[str, ...]:
        """All ops, in the order of their codes."""
        return self._op_names

    @property
    def vertices(self) -> npt.NDArray[np.uint8]:
        """Vertices of each cell, input and output included; shape ``(n,)``."""
        return columns.vertices(self._labels)

    @property
    def num_edges(self) -> npt.NDArray[np.uint8]:
        """Edges of each cell; shape ``(n,)``."""
        return np.bitwise_count(self._edges)

    @property
    def words(self) -> tuple[Column, Column]:
        """The two words of each cell, edges and labels, as the core takes them; ``(n,)`` each.

        How a cell lies in them is ``nb101.space.words``.
        """
        return self._edges, self._labels

    @property
    def edge_masks(self) -> Column:
        """Edges of each cell as a mask: (x, y) is bit ``x + y (y - 1) / 2``; shape ``(n,)``."""
        return self._edges

    def hashes(self, progress: Progress | None = None) -> npt.NDArray[np.bytes_]:
        """Return the original's fingerprints: hexadecimal digits, shape ``(n,)``, type ``S32``."""
        digits = _core.to_hex(self.digests(progress))
        return digits.view("S32").reshape(len(self))

    def digests(self, progress: Progress | None = None) -> npt.NDArray[np.uint8]:
        """Return the original's fingerprints as bytes, shape ``(n, 16)``."""
        check_progress(progress)
        return _core.hash_cells(self._edges, self._labels, progress)

    def adjacency(self, size: int | None = None) -> npt.NDArray[np.int8]:
        """Adjacency matrices padded with 0: shape ``(n, size, size)``.

        `size` is that of the largest cell, but at least 7, if not given.
        """
        return _core.adjacency(self._edges, self._labels, self._size(size))

    def operations(self, size: int | None = None) -> npt.NDArray[np.int8]:
        """Op codes, -1 input, -2 output, padded with -3: shape ``(n, size)``; see `adjacency`."""
        return _core.operations(self._edges, self._labels, self._size(size))

    def _size(self, size: int | None) -> int:
        largest = int(self.vertices.max()) if len(self) else 2
        if size is None:
            return max(7, largest)
        if not isinstance(size, (int, np.integer)) or not largest <= size <= 1024:
            raise ArgumentError(
                f"size must be a whole number from {largest}, the largest cell, to 1024, "
                f"not {size!r}",
                field="size",
            )
        return int(size)

    def parameters(self, skeleton: Skeleton | None = None) -> npt.NDArray[np.int64]:
        """Return the trainable parameters of each cell's network; shape ``(n,)``.

        That network is NAS-Bench-101's, as for `Cell.parameters`, if no other one is given.
        """
        return self._costs(skeleton)[0]

    def flops(self, skeleton: Skeleton | None = None) -> npt.NDArray[np.int64]:
        """Return the multiply-accumulates of each network for an image; shape ``(n,)``.

        As for `Cell.flops`, if no other network is given.
        """
        return self._costs(skeleton)[1]

    def _costs(
        self, skeleton: Skeleton | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        if skeleton is None:
            return _core.costs(self._edges, self._labels, list(self._op_names))
        if not isinstance(skeleton, Skeleton):
            raise ArgumentTypeError(
                f"skeleton must be a Skeleton, not {type(skeleton).__name__}", field="skeleton"
            )
        return _core.costs(self._edges, self._labels, list(self._op_names), skeleton.sizes)

    def depth(self) -> npt.NDArray[np.int8]:
        """Edges on the longest path of each cell; shape ``(n,)``."""
        return _core.depth_width(self._edges, self._labels)[0]

    def width(self) -> npt.NDArray[np.int8]:
        """Edges of the largest directed cut of each cell; shape ``(n,)``."""
        return _core.depth_width(self._edges, self._labels)[1]

    def vertex_channels(
        self, width: int, input_channels: int | None = None, size: int | None = None
    ) -> npt.NDArray[np.int64]:
        """Return channels of each vertex, padded with 0: shape ``(n, size)``; see `Cell`."""
        channels = check_channels(width, input_channels)
        return _core.vertex_channels(self._edges, self._labels, *channels, self._size(size))

    def edit_distance(
        self, target: Cell | str | bytes, space: "SearchSpace | None" = None
    ) -> npt.NDArray[np.uint8]:
        """Least number of edits between each cell and one, or that of a hash; shape ``(n,)``.

        See `nb101.edit_distance`; 255 where no edits within the space lead there.
        """
        space = space_of(space)
        return space.edit_distances(target)[space.index(self)]

    def alignment_distance(self, target: Cell) -> npt.NDArray[np.uint8]:
        """How much each cell differs from one; shape ``(n,)``; see `nb101.alignment_distance`."""
        if not isinstance(target, Cell):
            raise no_cell(target, "target")
        if not set(target.ops[1:-1]) <= set(self._op_names):
            return np.array([alignment_distance(cell, target) for cell in self], dtype=np.uint8)
        target = target._with_op_names(self._op_names)
        return _core.alignment_distances(*self.words, target._edges, target._labels)

    def to_arrow(self, *, hashes: bool = True, progress: Progress | None = None) -> "pa.Table":
        """Return a table with a row for each cell.

        Parameters
        ----------
        hashes
            Whether to hash the cells for the column ``hash``.
        progress
            Called with the cells hashed and their number.

        Returns
        -------
        A pyarrow Table: ``hash`` (string), ``adjacency`` and ``operations`` (strings as official
        files have them), ``vertices`` and ``edges`` (uint8), ``depth`` and ``width`` (int8), and,
        where the cost of all ops that occur is known, ``parameters`` and ``flops`` (int64). The
        entry ``nb101`` of the schema's metadata is JSON with the version and the names of the ops.
        """
        try:
            costs = self._costs()
        except UnknownOpError:
            costs = None
        digests = self.digests(progress) if hashes else None
        return columns.to_arrow(self._edges, self._labels, self._op_names, digests, costs)

    @overload
    def to_pyg(
        self,
        y: Any = None,
        *,
        batch: Literal[False] = False,
        space: "SearchSpace | None" = None,
    ) -> "InMemoryDataset": ...
    @overload
    def to_pyg(
        self,
        y: Any = None,
        *,
        batch: Literal[True],
        space: "SearchSpace | None" = None,
    ) -> "Batch": ...
    def to_pyg(
        self,
        y: Any = None,
        *,
        batch: bool = False,
        space: "SearchSpace | None" = None,
    ) -> "InMemoryDataset | Batch":
        """Return the cells as graphs of PyTorch Geometric.

        Each has ``x``, a flag for each vertex and op (float32, shape ``(vertices, ops + 2)``: input
        first, then the ops by their codes, output last), and ``edge_index`` (int64, shape
        ``(2, edges)``), from source to target, by target and then source. Vertices are those of the
        reference form.

        Parameters
        ----------
        y
            Targets: an entry a cell, such as ``table.mean("validation_accuracy")``; shape ``(n,)``
            or ``(n, k)``. They become float32.
        batch
            Whether to give one batch of all graphs instead of a data set, which is a sequence of
            them, as data loaders take it.
        space
            The space that ``cell_id`` is of; NAS-Bench-101 if not given, and no ``cell_id`` then if
            a cell is not in it.

        Raises
        ------
        MissingExtraError
            If PyTorch Geometric is not installed (``pip install 'nb101[pyg]'``).
        OutOfSpaceError
            If a cell is not in the `space` that was given.
        ArgumentError
            If there are not as many targets as cells.
        """
        from nb101.space import graphs

        check_type("batch", batch, bool)
        targets = graphs.check_targets(y, len(self))
        made = graphs.graphs_of(self._edges, self._labels, len(self._op_names))
        ids = self._ids_in(space)
        return (
            graphs.to_batch(made, ids, targets) if batch else graphs.to_dataset(made, ids, targets)
        )

    def _ids_in(self, space: "SearchSpace | None") -> "npt.NDArray[np.int64] | None":
        """Return ids in a space; `None` where none is given and they are not of the default one."""
        try:
            return space_of(space).index(self)
        except (OutOfSpaceError, UnknownOpError):
            if space is not None:
                raise
            return None

    def __len__(self) -> int:
        return len(self._edges)

    @overload
    def __getitem__(self, index: int) -> Cell: ...
    @overload
    def __getitem__(self, index: "slice | npt.ArrayLike") -> "Cells": ...
    def __getitem__(self, index: Any) -> "Cell | Cells":
        if isinstance(index, (int, np.integer)) and not isinstance(index, bool):
            if not -len(self) <= index < len(self):
                raise CellIdError(f"index {index} is out of range for {len(self)} cells")
            return Cell._from_words(
                int(self._edges[index]), int(self._labels[index]), self._op_names
            )
        index = check_index(index)
        if not isinstance(index, slice):
            index = self._checked(index)
        edges, labels = self._edges[index], self._labels[index]
        if isinstance(index, slice):
            edges, labels = np.ascontiguousarray(edges), np.ascontiguousarray(labels)
        return Cells._from_columns(edges, labels, self._op_names)

    def _checked(self, index: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Check an array of indices or a mask."""
        if index.size == 0 and index.dtype == np.float64:
            return index.astype(np.intp)
        if index.ndim != 1 or index.dtype.kind not in "biu":
            raise CellIdError(
                "Cells are indexed by a whole number, a slice, a mask or an array of numbers"
            )
        if index.dtype == bool:
            if len(index) != len(self):
                raise CellIdError(f"a mask of {len(index)} entries does not fit {len(self)} cells")
            return index
        for extreme in (int(index.min()), int(index.max())) if index.size else ():
            if not -len(self) <= extreme < len(self):
                raise CellIdError(f"index {extreme} is out of range for {len(self)} cells")
        return index

    def __iter__(self) -> Iterator[Cell]:
        for edges, labels in zip(self._edges.tolist(), self._labels.tolist(), strict=True):
            yield Cell._from_words(edges, labels, self._op_names)

    def __contains__(self, cell: object) -> bool:
        if not isinstance(cell, Cell) or not set(cell.ops[1:-1]) <= set(self._op_names):
            return False
        cell = cell._with_op_names(self._op_names)
        found = (self._edges == np.uint64(cell._edges)) & (self._labels == np.uint64(cell._labels))
        return bool(found.any())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cells):
            return NotImplemented
        if self._op_names != other._op_names:
            return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))
        return np.array_equal(self._edges, other._edges) and np.array_equal(
            self._labels, other._labels
        )

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: "Cells") -> "Cells":
        if not isinstance(other, Cells):
            return NotImplemented
        if other._op_names != self._op_names:
            raise ArgumentError("cells of different lists of ops cannot be joined")
        edges = np.concatenate([self._edges, other._edges])
        labels = np.concatenate([self._labels, other._labels])
        return Cells._from_columns(edges, labels, self._op_names)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return _restore, (self._edges, self._labels, self._op_names)

    def __repr__(self) -> str:
        if len(self) == 0:
            return "<Cells: none>"
        vertices, edges = self.vertices, self.num_edges
        return (
            f"<Cells: {len(self):,} of {_range(vertices)} vertices, {_range(edges)} "
            f"edge{'' if edges.max() == 1 else 's'}>"
        )

    def _repr_html_(self) -> str:
        from nb101.space import views

        n = len(self)
        half = DRAWN // 2
        shown = range(n) if n <= DRAWN else [*range(half), *range(n - half, n)]
        drawn = "".join(views.drawing(self[i], f"{i}: {self[i].hash[:8]}", 150) for i in shown)
        body = f'<div style="display: flex; flex-wrap: wrap; gap: 1.5em">{drawn}</div>'
        more = len(self) - len(shown)
        note = f"and {more:,} more" if more else ""
        return views.frame(repr(self)[1:-1], body, note=note)


def _range(column: npt.NDArray[np.uint8]) -> str:
    least, most = int(column.min()), int(column.max())
    return str(least) if least == most else f"{least} to {most}"


def _restore(edges: Column, labels: Column, op_names: tuple[str, ...]) -> Cells:
    """Unpickle, with every check."""
    names = check_ops(op_names)
    _core.check_ops(edges, labels, len(names))
    return Cells._from_columns(*_core.canonical_cells(edges, labels), names)
