"""One cell: immutable, canonical, equal to another exactly when they are isomorphic."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    InvalidCellError,
    MissingExtraError,
    NB101Error,
    OutOfSpaceError,
    UnknownOpError,
)
from nb101.space import words
from nb101.space.default import space_of
from nb101.space.modules import one_module
from nb101.space.ops import INPUT, OPS, OUTPUT, check_ops, encode, op_codes

if TYPE_CHECKING:
    import networkx as nx
    from rich.text import Text
    from torch_geometric.data import Data

    from nb101.space.search_space import SearchSpace

Words = tuple[int, int]
Columns = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]


def as_columns(edges: int, labels: int) -> Columns:
    """Make columns of one row."""
    return np.array([edges], np.uint64), np.array([labels], np.uint64)


class Cell:
    """A cell of a search space (section 2.1 of the paper): a small labelled DAG.

    Vertices on no path from input to output are dropped, and the rest is put into the reference
    form: of all isomorphic upper-triangular matrices the one with the lowest edge mask, then the
    lowest op codes. Two cells are equal, and hash alike, exactly when they are isomorphic.

    Parameters
    ----------
    matrix
        Upper-triangular adjacency matrix of 0 and 1, shape ``(v, v)``: nested lists, or an array
        of any integer, bool or integral float type. Or a networkx DiGraph whose nodes have the
        attribute ``op``, without `ops`.
    ops
        A label for each vertex, ``"input"`` first and ``"output"`` last, or their codes (-1, the
        index of the op, -2).
    op_names
        All ops of the space, in the order of their codes; those of NAS-Bench-101 by default.

    Raises
    ------
    InvalidCellError
        If it is no cell; the message says what is wrong and where. `DisconnectedError` where no
        path leads from input to output, `UnknownOpError` for an op that is not in `op_names`.
    OutOfSpaceError
        If more than 11 vertices are left after pruning.

    Examples
    --------
    >>> cell = Cell([[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["input", "conv3x3-bn-relu", "output"])
    >>> cell
    Cell('011001000', 'input,conv3x3-bn-relu,output')
    >>> cell.parameters, cell.depth, cell.width
    (11051402, 2, 2)
    """

    __slots__ = ("_edges", "_hash", "_key", "_labels", "_op_names")
    _edges: int
    _labels: int
    _op_names: tuple[str, ...]
    _key: tuple[object, ...] | None
    _hash: str | None

    def __init__(self, matrix: Any, ops: Any = None, *, op_names: Iterable[str] = OPS) -> None:
        names = OPS if op_names is OPS else check_ops(op_names)
        if isinstance(matrix, str) and (ops is None or isinstance(ops, str)):
            matrix, ops = parse_text(matrix if ops is None else f"{matrix} {ops}")
        if type(matrix) is list and type(ops) is list:
            codes = encode(ops, names)
            # Other numbers than ints go the way below.
            with one_module_errors(), suppress(TypeError, OverflowError):
                _set(self, *_core.canonical_module(matrix, codes), names)
                return
        arrays = one_module(matrix, ops, names)
        with one_module_errors():
            edges, labels = _core.canonical_modules(*arrays)
        _set(self, int(edges[0]), int(labels[0]), names)

    @classmethod
    def _from_words(cls, edges: int, labels: int, op_names: tuple[str, ...] = OPS) -> "Cell":
        """Make a cell from words already known to be in the reference form."""
        self = cls.__new__(cls)
        _set(self, edges, labels, op_names)
        return self

    @classmethod
    def from_hash(
        cls,
        hash: str | bytes,  # noqa: A002
        space: "SearchSpace | None" = None,
    ) -> "Cell":
        """Return the cell of `space` (NAS-Bench-101 by default) with this hash.

        The first call on a space hashes all of it. The first digits will do, four or more, where
        no other cell of the space has the same.

        Raises
        ------
        UnknownHashError
            If no cell of the space has it, or more than one do, which can happen in spaces larger
            than NAS-Bench-101. It is a KeyError too.
        ArgumentError
            If it is no hexadecimal digits.
        """
        space = space_of(space)
        return space[space.find_hash(hash)]

    @property
    def vertices(self) -> int:
        """Number of vertices, input and output included."""
        return words.vertices_of(self._labels)

    @property
    def edges(self) -> int:
        """Number of edges."""
        return self._edges.bit_count()

    @property
    def op_names(self) -> tuple[str, ...]:
        """All ops of the space that the cell is from, in the order of their codes."""
        return self._op_names

    @property
    def matrix(self) -> npt.NDArray[np.int8]:
        """Adjacency matrix in the reference form, shape ``(v, v)``; a new array each time."""
        matrix: npt.NDArray[np.int8] = _core.adjacency(*self._columns(), self.vertices)[0]
        return matrix

    @property
    def codes(self) -> tuple[int, ...]:
        """Code of each vertex: -1 for input, the op's index, -2 for output."""
        return (-1, *words.codes_of(self._labels), -2)

    @property
    def ops(self) -> tuple[str, ...]:
        """Name of each vertex, `input` and `output` included."""
        return (INPUT, *(self._op_names[code] for code in self.codes[1:-1]), OUTPUT)

    @property
    def hash(self) -> str:
        """The original's fingerprint: 32 hexadecimal digits."""
        if self._hash is None:
            digest = _core.hash_cells(*self._columns())
            object.__setattr__(self, "_hash", digest.tobytes().hex())
            assert self._hash is not None
        return self._hash

    @property
    def parameters(self) -> int:
        """Trainable parameters of the network (section 2.3): 3 stacks of 3 cells, 128 to 512 wide.

        Raises `UnknownOpError` for ops without a known rule.
        """
        return int(self._cost(0))

    @property
    def flops(self) -> int:
        """Multiply-accumulates of the network for one 32 x 32 image.

        Convolutions and the dense layer count; batch norm, ReLU, pooling and sums do not.
        """
        return int(self._cost(1))

    @property
    def depth(self) -> int:
        """Edges on the longest path from input to output."""
        return int(_core.depth_width(*self._columns())[0][0])

    @property
    def width(self) -> int:
        """Edges of the largest directed cut between input and output."""
        return int(_core.depth_width(*self._columns())[1][0])

    def vertex_channels(self, width: int, input_channels: int | None = None) -> tuple[int, ...]:
        """Channels of each vertex of a cell that is `width` channels wide (section 2.3).

        Vertices that feed output share its width, the first ones one channel more where it does
        not divide; every other vertex is as wide as the widest that it feeds.

        Parameters
        ----------
        width
            Channels of output.
        input_channels
            Channels of input; `width` if not given.
        """
        channels = check_channels(width, input_channels)
        return tuple(_core.vertex_channels(*self._columns(), *channels, self.vertices)[0].tolist())

    def edge_list(self) -> list[tuple[int, int]]:
        """All edges as pairs of vertices, sorted."""
        return words.edge_list(self._edges, self.vertices)

    def edit_distance(self, other: "Cell | str | bytes", space: "SearchSpace | None" = None) -> int:
        """Return the least number of edits between two cells; see `nb101.edit_distance`."""
        return edit_distance(self, other, space)

    def alignment_distance(self, other: "Cell") -> int:
        """Return how much two cells differ; see `nb101.alignment_distance`."""
        return alignment_distance(self, other)

    def to_networkx(self) -> "nx.DiGraph[int]":
        """Return a networkx DiGraph: vertices as nodes, with the attribute ``op``.

        Raises
        ------
        MissingExtraError
            If networkx is not installed (``pip install 'nb101[networkx]'``). It is an ImportError.
        """
        try:
            import networkx as nx
        except ModuleNotFoundError as error:
            message = "to_networkx needs networkx: pip install 'nb101[networkx]'"
            raise MissingExtraError(message, name="networkx") from error
        graph: nx.DiGraph[int] = nx.DiGraph()
        for vertex, op in enumerate(self.ops):
            graph.add_node(vertex, op=op)
        graph.add_edges_from(self.edge_list())
        return graph

    def to_pyg(self, y: Any = None, *, space: "SearchSpace | None" = None) -> "Data":
        """Return the cell as a graph of PyTorch Geometric; see `Cells.to_pyg`.

        Parameters
        ----------
        y
            A target: a number, or as many as there are; shape ``(1,)`` or ``(1, k)`` there.
        space
            As for `Cells.to_pyg`.

        Raises
        ------
        MissingExtraError
            If PyTorch Geometric is not installed (``pip install 'nb101[pyg]'``).
        OutOfSpaceError
            If the cell is not in the `space` that was given.
        """
        from nb101.space import graphs

        targets = None if y is None else graphs.check_targets([y], 1)
        made = graphs.graphs_of(*self._columns(), len(self._op_names))
        try:
            ids = np.array([space_of(space).index(self)])
        except (OutOfSpaceError, UnknownOpError):
            if space is not None:
                raise
            ids = None
        return graphs.to_data(made, ids, targets)

    def to_text(self) -> tuple[str, str]:
        """Return adjacency, row by row, and ops, joined by commas, as official files have them."""
        matrix = "".join(map(str, self.matrix.ravel().tolist()))
        return matrix, ",".join(self.ops)

    def to_svg(self) -> str:
        """Draw the cell as an SVG picture: input on top, output below, a colour for each op.

        The text is one ``<svg>`` element that needs nothing else, without a background.
        """
        from nb101.space import draw

        return draw.to_svg(draw.Drawn(self.matrix, self.ops, self._op_names))

    def to_terminal(self) -> "Text":
        """Draw the cell with box-drawing characters, for rich; ``.plain`` is the text alone.

        Each vertex has a row, and a column that leads down to it. An edge goes right along the row
        of its source and down the column of its target; they join at a corner, ``┬``, ``┤`` or
        ``┼``. A plain ``│`` within a row is a crossing.

        Examples
        --------
        >>> cell = Cell("0110001100010000", "input,conv3x3-bn-relu,maxpool3x3,output")
        >>> print(cell.to_terminal().plain)
                input ──┬───╮
                        ▼   │
        1 conv3x3-bn-relu ──┼───╮
                            ▼   │
                 2 maxpool3x3 ──┤
                                ▼
                           output
        """
        from nb101.space import draw

        return draw.to_terminal(draw.Drawn(self.matrix, self.ops, self._op_names))

    def _with_op_names(self, names: tuple[str, ...]) -> "Cell":
        """Return the same cell with the codes of another list of ops, which must have all its."""
        if self._op_names == names:
            return self
        return Cell(self.matrix, self.ops, op_names=names)

    def _columns(self) -> Columns:
        return as_columns(self._edges, self._labels)

    def _cost(self, which: int) -> int:
        try:
            return int(_core.costs(*self._columns(), list(self._op_names))[which][0])
        except UnknownOpError as error:
            raise UnknownOpError(
                f"{error}; nb101.nn.count_parameters counts those of ops that were registered with "
                "nb101.nn.register_op",
                field=error.field,
            ) from None

    def _identity(self) -> tuple[object, ...]:
        """Return what equal cells share, whatever the list of ops that they came with."""
        if self._key is None:
            codes = op_codes(self._op_names)
            used = sorted(set(self.ops[1:-1]))
            names = OPS if set(used) <= set(OPS) else tuple(used)
            packed: Words = (self._edges, self._labels)
            if names != self._op_names:
                new = {codes[name]: code for code, name in enumerate(names) if name in codes}
                packed = _relabel(packed, new)
            key = packed if names is OPS else (*packed, names)
            object.__setattr__(self, "_key", key)
        assert self._key is not None
        return self._key

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cell):
            return NotImplemented
        if self._op_names == other._op_names:
            return self._edges == other._edges and self._labels == other._labels
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __reduce__(self) -> tuple[Any, tuple[int, int, tuple[str, ...] | None]]:
        names = None if self._op_names == OPS else self._op_names
        return _restore, (self._edges, self._labels, names)

    def __copy__(self) -> "Cell":
        return self

    def __deepcopy__(self, memo: object) -> "Cell":
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Cell is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Cell is immutable: {name} cannot be deleted")

    def __repr__(self) -> str:
        matrix, ops = self.to_text()
        names = "" if self._op_names == OPS else f", op_names={self._op_names!r}"
        return f"Cell({matrix!r}, {ops!r}{names})"

    def _repr_svg_(self) -> str:
        return self.to_svg()


def no_cell(value: object, field: str = "cell") -> ArgumentTypeError:
    """Return the exception for what is no cell; of a hash it says how to make one."""
    way = ""
    if isinstance(value, (str, bytes)):
        way = ": Cell.from_hash(hash, space) is the cell of a hash"
    return ArgumentTypeError(f"expected a Cell, not {type(value).__name__}{way}", field=field)


def check_channels(width: int, input_channels: int | None) -> tuple[int, int]:
    """Check numbers of channels: those of input, then those of output."""
    given = width if input_channels is None else input_channels
    for name, value in (("width", width), ("input_channels", given)):
        if not isinstance(value, (int, np.integer)) or not 1 <= value < 2**31:
            raise ArgumentError(
                f"{name} must be a whole number from 1 to 2^31 - 1, not {value!r}", field=name
            )
    return int(given), int(width)


@contextmanager
def one_module_errors() -> Iterator[None]:
    """Leave out which module of a batch is wrong where there is just one."""
    try:
        yield
    except NB101Error as error:
        raise error.at("", None) from None


def _set(cell: Cell, edges: int, labels: int, op_names: tuple[str, ...]) -> None:
    store = object.__setattr__
    store(cell, "_edges", edges)
    store(cell, "_labels", labels)
    store(cell, "_op_names", op_names)
    store(cell, "_key", None)
    store(cell, "_hash", None)


def _relabel(packed: Words, new: dict[int, int]) -> Words:
    """Give ops other codes, and return to the reference form."""
    edges, labels = packed
    return _canonical(edges, words.pack_labels([new[code] for code in words.codes_of(labels)]))


def _canonical(edges: int, labels: int) -> Words:
    """Return the reference form."""
    found = _core.canonical_cells(*as_columns(edges, labels))
    return int(found[0][0]), int(found[1][0])


def _restore(edges: int, labels: int, op_names: tuple[str, ...] | None) -> Cell:
    """Unpickle, with every check: a pickle may come from anywhere."""
    names = OPS if op_names is None else check_ops(op_names)
    _core.check_ops(*as_columns(edges, labels), len(names))
    return Cell._from_words(*_canonical(edges, labels), names)


def parse_text(text: str) -> tuple[list[list[int]], list[str]]:
    """Read ``"ADJACENCY OPS"``: 0 and 1 row by row, ops joined by commas, as in official files.

    Raises
    ------
    InvalidCellError
        If it is something else.
    """
    parts = text.split()
    if len(parts) != 2:
        way = ""
        if re.fullmatch("[0-9a-fA-F]{4,32}", text):
            way = "; Cell.from_hash(hash, space) is the cell of a hash"
        raise InvalidCellError(
            f"expected an adjacency string and comma-separated ops, such as "
            f"'011001000 input,conv3x3-bn-relu,output'; got {len(parts)} parts: {text!r}{way}"
        )
    bits, ops = parts
    size = int(len(bits) ** 0.5 + 0.5)
    if size * size != len(bits):
        raise InvalidCellError(
            f"matrix must be square: an adjacency string has v * v digits, this one {len(bits)}"
        )
    for i, digit in enumerate(bits):
        if digit not in "01":
            raise InvalidCellError(
                f"matrix entries must be 0 or 1: entry ({i // size}, {i % size}) is {digit!r}"
            )
    matrix = [[int(digit) for digit in bits[i * size : (i + 1) * size]] for i in range(size)]
    return matrix, ops.split(",")


def edit_distance(
    a: Cell | str | bytes, b: Cell | str | bytes, space: "SearchSpace | None" = None
) -> int:
    """Least number of edits between two cells of a space, with pruning.

    An edit is a step to one of `SearchSpace.neighbors`: one op changed, or one edge added or
    removed, with the vertices that are on no path without it. All cells on the way are of the
    space. It is symmetric, and nothing is nearer by a detour. Since an edge may carry many
    vertices, no two cells of NAS-Bench-101 are further than 8 apart; `alignment_distance` tells
    how alike two cells look.

    The first call in a space finds the neighbours of all its cells, which takes a second for
    NAS-Bench-101; from then on a pair takes some milliseconds at most. `Cells.edit_distance` and
    `SearchSpace.edit_distances` are for many.

    Parameters
    ----------
    a, b
        Two cells, or their hashes, whole or the first digits.
    space
        The space that they are of; NAS-Bench-101 by default.

    Raises
    ------
    OutOfSpaceError, UnknownOpError, UnknownHashError
        If a cell is not in the space.
    SpaceError
        If the space has more than 4,194,304 cells, or no edits lead from one cell to the other,
        which can be in spaces of very few edges.

    Examples
    --------
    Without its first edge ``a`` is input, conv3x3, output; so is ``b`` without one of its edges:

    >>> a = Cell("0110001000010000", "input,conv3x3-bn-relu,conv3x3-bn-relu,output")
    >>> b = Cell(
    ...     "0100000101000100000100000",
    ...     "input,conv3x3-bn-relu,conv1x1-bn-relu,conv1x1-bn-relu,output",
    ... )
    >>> edit_distance(a, b), alignment_distance(a, b)
    (2, 6)
    """
    space = space_of(space)
    return space.core.edit_distance(space._id(a), space._id(b))


def alignment_distance(a: Cell, b: Cell) -> int:
    """How much two cells differ: edges and ops, under the best alignment of interior vertices.

    The smaller cell is filled up with vertices that have no edges and any op. It needs no space,
    and knows no pruning: each edge and op counts, so that it is never less than the number of
    edits but in spaces of very few edges. By way of a smaller cell, whose filling fits any op,
    there may be one less than directly; it is symmetric all the same, and 0 for equal cells alone.

    Examples
    --------
    >>> a = Cell("011001000", "input,conv3x3-bn-relu,output")
    >>> b = Cell("010001000", "input,maxpool3x3,output")
    >>> alignment_distance(a, b)
    2
    """
    for cell in (a, b):
        if not isinstance(cell, Cell):
            raise no_cell(cell)
    if a.op_names != b.op_names:
        # Only equality counts: shared ops get codes of their own, and the others one on each side.
        shared = tuple(sorted(set(a.ops[1:-1]) & set(b.ops[1:-1])))
        names = (*shared, "only-in-a", "only-in-b")
        a, b = (
            Cell(x.matrix, [op if op in known else other for op in x.ops], op_names=names)
            for known in ({*shared, INPUT, OUTPUT},)
            for x, other in ((a, "only-in-a"), (b, "only-in-b"))
        )
    return int(_core.alignment_distances(*a._columns(), b._edges, b._labels)[0])
