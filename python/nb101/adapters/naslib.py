"""NASLib's ways to NAS-Bench-101: its dictionary of an API, and its tuples of cells.

NASLib (Ruchte et al., github.com/automl/NASLib) is in no package registry. Names and behaviour are
those of its sources as of commit 00a668b: ``naslib.utils.get_dataset_api`` makes the dictionary,
which every function of ``NasBench101SearchSpace`` takes as `dataset_api`;
``naslib.search_spaces.nasbench101.conversions`` makes the tuples, by which its optimizers and its
files of zero-cost proxies know a cell.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101 import api
from nb101._base.checks import check_whole, iterated
from nb101.adapters.asking import module_of
from nb101.errors import (
    ArgumentTypeError,
    InvalidCellError,
    NB101Error,
    UnknownNameError,
    UnknownOpError,
)
from nb101.proxies.naslib import CODES, DATASET, VERTICES, cell_of, module_tuple
from nb101.space.cell import Cell, no_cell
from nb101.space.cells import Cells
from nb101.space.ops import INPUT, OPS, OUTPUT, op_codes

__all__ = [
    "from_spec",
    "from_tuple",
    "from_tuples",
    "get_nasbench101_api",
    "to_spec",
    "to_tuple",
    "to_tuples",
]


def __dir__() -> list[str]:
    return sorted(__all__)


def get_nasbench101_api(
    dataset: str | None = None,
    *,
    table: str | os.PathLike[str] | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Return what ``naslib.utils.get_dataset_api("nasbench101", "cifar10")`` does.

    No pickle file is needed, all budgets of the table can be queried, and opening it takes
    milliseconds.

    Parameters
    ----------
    dataset
        ``"cifar10"``, or nothing.
    table
        As for `nb101.api.NASBench`: a file, or a name that `nb101.load_table` knows; the table that
        the package carries if not given, which is predicted: a UserWarning says so.
    seed
        As for `nb101.api.NASBench`.

    Returns
    -------
    A dict: ``"api"`` is the module `nb101.api`, with `ModelSpec`; ``"nb101_data"`` a `NASBench`.

    Raises
    ------
    UnknownNameError
        If `dataset` is another one.
    DatasetError, MissingDatasetError, OSError
        As `NASBench` does.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # That its numbers are predicted.
    ...     dataset_api = get_nasbench101_api("cifar10")
    >>> spec = dataset_api["api"].ModelSpec([[0, 1], [0, 0]], ["input", "output"])
    >>> dataset_api["nb101_data"].query(spec, epochs=12)["trainable_parameters"]
    882570
    """
    if dataset not in (None, DATASET):
        raise UnknownNameError(
            f"NAS-Bench-101 has no data set {dataset!r}: {DATASET!r} is all", field="dataset"
        )
    if seed is not None:
        check_whole("seed", seed, 0)
    return {"api": api, "nb101_data": api.NASBench(table, seed=seed)}


def to_spec(cell: Cell) -> dict[str, Any]:
    """Return what NASLib's `set_spec` takes and `get_spec` gives.

    Parameters
    ----------
    cell
        One of the ops of NAS-Bench-101.

    Returns
    -------
    A dict: ``"matrix"`` (an int array, shape ``(7, 7)``) and ``"ops"`` (a list). Where the cell is
    smaller, output is the last vertex still, and those before it have no edges.

    Raises
    ------
    UnknownOpError
        If an op is not among them.
    """
    numbers = to_tuple(cell)
    size = max(VERTICES, cell.vertices)
    matrix = np.array(numbers[: size * size]).reshape(size, size)
    return {"matrix": matrix, "ops": [CODES[number] for number in numbers[size * size :]]}


def from_spec(spec: Mapping[str, Any]) -> Cell:
    """Return the cell of a dict with ``"matrix"`` and ``"ops"``.

    Raises
    ------
    InvalidCellError
        If it is none.
    """
    return Cell(*module_of(spec))


def to_tuple(cell: Cell) -> tuple[int, ...]:
    """Return NASLib's tuple of a cell, as ``convert_spec_to_tuple`` and `get_hash` give it.

    Parameters
    ----------
    cell
        One of the ops of NAS-Bench-101.

    Returns
    -------
    The entries of the 7 x 7 matrix, row by row, and the numbers of the ops: 0 input, 1 output, 2
    max pool, 3 1x1, 4 3x3 convolution. It is that of the reference form; NASLib's own modules of
    the same cell may have others.

    Raises
    ------
    UnknownOpError
        If an op has no number.

    Examples
    --------
    >>> numbers = to_tuple(Cell("011001000", "input,conv1x1-bn-relu,output"))
    >>> numbers[:7], numbers[-7:]
    ((0, 1, 0, 0, 0, 0, 1), (0, 3, 2, 2, 2, 2, 1))
    >>> from_tuple(numbers)
    Cell('011001000', 'input,conv1x1-bn-relu,output')
    """
    if not isinstance(cell, Cell):
        raise no_cell(cell)
    return module_tuple(cell)


def from_tuple(numbers: Iterable[int]) -> Cell:
    """Return the cell of a tuple of NASLib, as ``convert_tuple_to_spec`` reads it.

    Raises
    ------
    InvalidCellError
        If it is none; `DisconnectedError` where no path leads from input to output, as not every
        module that NASLib draws has one.
    UnknownOpError
        If an op has no such number.
    """
    listed = iterated(numbers)
    if listed is None:
        raise ArgumentTypeError(
            f"expected a tuple of numbers, not {type(numbers).__name__}", field="numbers"
        )
    try:
        return cell_of(list(map(index, listed)))
    except TypeError as error:
        raise InvalidCellError(f"no tuple of whole numbers: {error}") from None


def to_tuples(cells: Cells) -> list[tuple[int, ...]]:
    """Return NASLib's tuples of many cells; see `to_tuple`.

    Raises
    ------
    UnknownOpError
        If an op has no number.
    """
    if not isinstance(cells, Cells):
        raise ArgumentTypeError(f"expected Cells, not {type(cells).__name__}", field="cells")
    size = VERTICES
    sizes = cells.vertices.astype(np.intp)
    if int(sizes.max(initial=0)) > size:
        return list(map(module_tuple, cells))  # Each has as many numbers as it needs.
    matrices, ops = cells.adjacency(size), cells.operations(size)
    # By code of an op: input, output, the ops of the cells, and what pads them.
    numbers = np.full(len(cells.op_names) + 3, -1)
    known = [CODES.index(op) if op in CODES else -1 for op in cells.op_names]
    numbers[: len(known)] = known
    numbers[[-1, -2, -3]] = CODES.index(INPUT), CODES.index(OUTPUT), 2
    if -1 in known and (bad := np.isin(ops, np.flatnonzero(np.equal(known, -1)))).any():
        op = cells.op_names[int(ops[bad][0])]
        raise UnknownOpError(f"NASLib has no number for op {op!r}: {', '.join(CODES[2:])}")
    # Output goes to the end.
    rows = np.arange(len(cells))
    last = matrices[rows, :, sizes - 1]
    matrices[rows, :, sizes - 1] = 0
    matrices[rows, :, size - 1] = last
    ops[rows, sizes - 1] = -3
    ops[:, size - 1] = -2
    found = np.concatenate([matrices.reshape(-1, size * size), numbers[ops]], axis=1)
    return list(map(tuple, found.tolist()))


def from_tuples(tuples: Iterable[Sequence[int]]) -> Cells:
    """Return the cells of many tuples of NASLib; see `from_tuple`.

    Raises
    ------
    InvalidCellError, UnknownOpError
        For the first that is none; `index` is its place.
    """
    listed = iterated(tuples)
    if listed is None:
        raise ArgumentTypeError(
            f"expected tuples of numbers, not {type(tuples).__name__}", field="tuples"
        )
    array = _same_length(listed)
    if array is None:
        return Cells(map(_numbered, listed, count()), OPS)
    size = VERTICES
    places = op_codes(OPS)
    codes = np.array([places[op] for op in CODES], np.int8)
    return Cells.from_modules(
        array[:, : size * size].reshape(-1, size, size), codes[array[:, size * size :]]
    )


def _numbered(numbers: Iterable[int], place: int) -> Cell:
    """Do as `from_tuple`; errors say which it is of many."""
    try:
        return from_tuple(numbers)
    except NB101Error as error:
        raise error.at(f"tuple {place}", place) from None


def _same_length(tuples: list[Any]) -> npt.NDArray[Any] | None:
    """Return tuples that are all of 7 vertices, and of numbers of ops, as an array."""
    width = VERTICES * VERTICES + VERTICES
    try:
        array = np.array(tuples)
    except ValueError:
        return None
    if array.ndim != 2 or array.shape[1] != width or array.dtype.kind not in "iu":
        return None
    ops = array[:, VERTICES * VERTICES :]
    return array if ((ops >= 0) & (ops < len(CODES))).all() else None
