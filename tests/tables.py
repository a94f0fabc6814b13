"""Tables for tests: rows as a plain list, which is what a table is checked against."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import nb101
from nb101.table.schema import EVALUATIONS

Columns = dict[str, npt.NDArray[Any]]


class Row(NamedTuple):
    cell_id: int
    epochs: int
    metrics: tuple[float, ...]
    total_time: float


def draw_rows(
    rng: np.random.Generator,
    cells: list[int],
    budgets: tuple[int, ...] = (4, 108),
    repeats: int = 3,
    missing: float = 0.0,
) -> list[Row]:
    """Draw runs in no order; some left out."""
    rows = []
    for cell in rng.permutation(cells).tolist():
        for epochs in budgets:
            for _ in range(repeats):
                if rng.random() < missing:
                    continue
                rows.append(Row(cell, epochs, _metrics(rng, epochs), float(rng.random() * 5000)))
    return rows


def _metrics(rng: np.random.Generator, epochs: int) -> tuple[float, ...]:
    """Draw three evaluations that look like genuine ones."""
    numbers: list[float] = []
    for part in (0.0, 0.5, 1.0):
        time = float(np.float32(part * epochs * rng.uniform(5, 20)))
        accuracies = [float(np.float32(k / 9984)) for k in rng.integers(900, 9985, 3)]
        numbers += [part * epochs, time, *accuracies]
    return tuple(numbers)


def as_columns(rows: list[Row], space: nb101.SearchSpace | None = None) -> Columns:
    """Arrange rows as `Table.from_columns` takes them."""
    space = nb101.SearchSpace() if space is None else space
    parameters = {i: space[i].parameters for i in {row.cell_id for row in rows}}
    columns: dict[str, Any] = {
        "cell_id": [row.cell_id for row in rows],
        "epochs": [row.epochs for row in rows],
        "trainable_parameters": [parameters[row.cell_id] for row in rows],
        "total_time": [row.total_time for row in rows],
    }
    for i, name in enumerate(EVALUATIONS):
        columns[name] = [row.metrics[i] for row in rows]
    kinds = {"cell_id": np.int64, "epochs": np.int64, "trainable_parameters": np.int64}
    return {name: np.array(x, dtype=kinds.get(name, float)) for name, x in columns.items()}


def make(rows: list[Row], **settings: Any) -> nb101.Table:
    return nb101.Table.from_columns(as_columns(rows), **settings)


def runs_of(rows: list[Row], cell: int, epochs: int) -> list[Row]:
    """Runs of a cell at a budget, in their order."""
    return [row for row in rows if row.cell_id == cell and row.epochs == epochs]
