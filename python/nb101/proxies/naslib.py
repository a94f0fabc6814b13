"""Scores as NASLib publishes those of NAS-Bench-Suite-Zero: ``zc_nasbench101.json``.

An object by data set, then by module, then by proxy: ``{"cifar10": {"(0, 1, ..., 1)": {"snip":
{"score": 21.3, "time": 0.5}, "val_accuracy": 92.6}}}``. A module is written as the tuple of its
matrix, row by row, and its ops as numbers. Parameters and flops are in millions, accuracies in
percent, and what is no number is -1e8. Earlier files have an object by space around it, and numbers
in the place of scores with their times.
"""

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nb101._base.checks import check_path, suggest
from nb101._base.files import atomic, file_errors
from nb101.errors import DatasetError, InvalidCellError, UnknownNameError, UnknownOpError
from nb101.plain import printable
from nb101.proxies.catalog import NAMES
from nb101.proxies.scores import Column, Scores
from nb101.space.cell import Cell
from nb101.space.cells import Cells
from nb101.space.ops import INPUT, OUTPUT

CODES = (INPUT, OUTPUT, "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu")
"""Ops by their numbers."""
DATASET = "cifar10"
NO_NUMBER = -1e8
MILLIONS = ("flops", "params")
VERTICES = 7
"""Of all matrices: smaller cells have vertices without edges."""
MOST_VERTICES = 11
MOST_BYTES = 1 << 30
"""Of a file that is read: twice what all cells of the space take."""
_SPACES = ("nasbench101",)


def read_naslib(path: str | os.PathLike[str], dataset: str = DATASET) -> Scores:
    """Read scores from a file as NASLib has them.

    Parameters
    ----------
    path
        The file.
    dataset
        Which of its data sets.

    Returns
    -------
    Scores of all modules, in the order of the file: two of them may be one cell. Proxies that a
    module has no score of are NaN, as is what the file has for no number. Where the file has
    validation accuracies, they are in `Scores.accuracies`, as fractions. Other entries are left
    out.

    Raises
    ------
    DatasetError
        If the file is damaged, or none of this layout.
    UnknownNameError
        If there is no such data set.
    OSError
        If it cannot be read.
    """
    check_path(path)
    with file_errors(path):
        size = Path(path).stat().st_size
        if size > MOST_BYTES:
            raise DatasetError(f"{os.fspath(path)} has {size:,} bytes, more than such a file has")
        content = Path(path).read_bytes()
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{os.fspath(path)} is no JSON: {printable(str(error))}") from None
    try:
        return _scores(values, dataset)
    except _LayoutError as error:
        raise DatasetError(f"{os.fspath(path)}: {error}", path=path) from None


def write_naslib(scores: Scores, path: str | os.PathLike[str], dataset: str = DATASET) -> None:
    """Write scores to a file that NASLib reads; see `read_naslib`.

    Cells are written in their reference form, seconds that are not known as 0.

    Raises
    ------
    UnknownOpError
        If a cell has an op that the layout has no number for.
    OSError
        If it cannot be written.
    """
    check_path(path)
    names = list(scores)
    modules: dict[str, dict[str, Any]] = {}
    for number, cell in enumerate(scores.cells):
        entry: dict[str, Any] = {}
        for name in names:
            value = float(scores[name][number]) / (1e6 if name in MILLIONS else 1)
            seconds = float(scores.seconds[name][number]) if name in scores.seconds else 0.0
            entry[name.replace("-", "_")] = {
                "score": value if math.isfinite(value) else NO_NUMBER,
                "time": seconds if math.isfinite(seconds) else 0.0,
            }
        if scores.accuracies is not None and math.isfinite(scores.accuracies[number]):
            entry["val_accuracy"] = 100 * float(scores.accuracies[number])
        modules[module_key(cell)] = entry
    with atomic(path) as file:
        file.write(json.dumps({dataset: modules}).encode())


def module_key(cell: Cell) -> str:
    """Return what NASLib's files call a cell: its tuple as text."""
    return str(module_tuple(cell))


def module_tuple(cell: Cell) -> tuple[int, ...]:
    """Return what NASLib calls a cell: its matrix, row by row, and the numbers of its ops.

    Raises
    ------
    UnknownOpError
        If an op has no number.
    """
    for op in cell.ops:
        if op not in CODES:
            raise UnknownOpError(f"NASLib has no number for op {op!r}: {', '.join(CODES[2:])}")
    last = cell.vertices - 1
    size = max(VERTICES, last + 1)
    flags = [0] * size**2
    for x, y in cell.edge_list():
        flags[x * size + (size - 1 if y == last else y)] = 1
    # Vertices without edges have some op.
    ops = [*cell.ops[:-1], *[CODES[2]] * (size - cell.vertices), OUTPUT]
    return (*flags, *map(CODES.index, ops))


def module_of(key: str) -> Cell:
    """Undo `module_key`: read a module, prune it, and put it into reference form.

    Raises
    ------
    InvalidCellError
        If it is none.
    """
    if len(key) > 1000 or not re.fullmatch(r"[(\[] *[0-9](, *[0-9])* *[)\]]", key):
        raise InvalidCellError(f"not a module of NASLib: {printable(key[:60])!r}")
    return cell_of([int(digit) for digit in re.findall("[0-9]", key)])


def cell_of(numbers: Sequence[int]) -> Cell:
    """Undo `module_tuple`.

    Raises
    ------
    InvalidCellError
        If it is none.
    """
    size = math.isqrt(len(numbers))
    ops = numbers[size * size :]
    if size * size + size != len(numbers) or not 2 <= size <= MOST_VERTICES:
        raise InvalidCellError(f"{len(numbers)} numbers are no matrix with its ops")
    for op in ops:
        if not 0 <= op < len(CODES):
            raise UnknownOpError(f"NASLib has no op of the number {op}")
    matrix = [list(numbers[row * size : (row + 1) * size]) for row in range(size)]
    return Cell(matrix, [CODES[op] for op in ops])


class _LayoutError(Exception):
    """What is not as it should be; for `read_naslib` alone."""


def _scores(values: Any, dataset: str) -> Scores:
    """Make scores of what a file holds."""
    found = _object(values, "the file")
    if dataset not in found and any(name in found for name in _SPACES):
        found = _object(found[_SPACES[0]], _SPACES[0])
    if dataset not in found:
        raise UnknownNameError(
            f"no data set {dataset!r}: {suggest(str(dataset), map(printable, found))}",
            field="dataset",
        )
    modules = _object(found[dataset], dataset)
    columns: dict[str, Column] = {}
    seconds: dict[str, Column] = {}
    accuracies = np.full(len(modules), np.nan)
    cells = []
    for number, (key, entry) in enumerate(modules.items()):
        try:
            cells.append(module_of(key))
        except ValueError as error:
            raise _LayoutError(f"module {number}: {error}") from None
        for name, value in _object(entry, f"module {number}").items():
            what = f"module {number}, {printable(str(name))}"
            proxy = name.replace("_", "-")
            if name == "val_accuracy":
                accuracies[number] = _number(value, what) / 100
            elif proxy in NAMES:
                if proxy not in columns:
                    columns[proxy] = np.full(len(modules), np.nan)
                    seconds[proxy] = np.full(len(modules), np.nan)
                if isinstance(value, dict):
                    if "time" in value:
                        seconds[proxy][number] = _number(value["time"], what)
                    value = value.get("score")
                score = _number(value, what) * (1e6 if proxy in MILLIONS else 1)
                columns[proxy][number] = np.nan if score == NO_NUMBER else score
    for name in MILLIONS:
        if name in columns:
            # They are whole, whatever rounding has made of millions.
            columns[name] = np.round(columns[name])
    return Scores(
        cells=Cells(cells),
        columns={name: columns[name] for name in NAMES if name in columns},
        seconds={name: seconds[name] for name in NAMES if name in columns},
        accuracies=accuracies if np.isfinite(accuracies).any() else None,
        about={"dataset": dataset, "layout": "NASLib"},
    )


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _LayoutError(f"{what} must be an object, not {type(value).__name__}")
    return value


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _LayoutError(f"{what} must be a number, not {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        raise _LayoutError(f"{what} is too large a number") from None
