"""What adapters have in common: a configuration is asked for, and a benchmark answers."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from nb101._base.checks import iterated
from nb101._base.extras import importing
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    InvalidCellError,
    MissingRunError,
    UnknownNameError,
)
from nb101.search.outside import Reader
from nb101.table.benchmark import Benchmark, Run
from nb101.table.schema import metric_column
from nb101.table.table import Table

OBJECTIVES = ("validation_accuracy", "test_accuracy", "training_time", "trainable_parameters")
"""What adapters that take a choice of objectives know: fields of a `Run`."""
ACCURACIES = OBJECTIVES[:2]
"""Those of which more is better."""
TIME, PARAMETERS = OBJECTIVES[2:]


def needed(adapter: str, title: str, command: str) -> AbstractContextManager[None]:
    """Import within what an adapter stands on; see `importing`."""
    return importing(f"nb101.adapters.{adapter}", adapter, title, command)


def check_objectives(objectives: Iterable[str]) -> tuple[str, ...]:
    """Return names of objectives that are known.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        If there is none, or one comes twice.
    UnknownNameError
        If one is unknown.
    """
    listed = [objectives] if isinstance(objectives, str) else iterated(objectives)
    if listed is None:
        raise ArgumentTypeError(f"objectives must be names, not {objectives!r}", field="objectives")
    names = tuple(listed)
    for name in names:
        if name not in OBJECTIVES:
            raise UnknownNameError(
                f"no objective is called {name!r}: there are {', '.join(OBJECTIVES)}",
                field="objectives",
            )
    if not names or len(set(names)) < len(names):
        raise ArgumentError("objectives must be one or more names, each once", field="objectives")
    return names


def check_metrics(table: Table, metrics: Iterable[str]) -> None:
    """See that a table has what an adapter answers with.

    Raises
    ------
    DatasetError
        If it lacks a column, which the message names.
    """
    for metric in metrics:
        if metric != PARAMETERS:
            table.dtype(metric_column(metric))


def module_of(spec: Any) -> tuple[Any, list[Any]]:
    """Return the ``matrix`` and the ``ops`` of a dict of both.

    Raises
    ------
    InvalidCellError
        If it is no such dict.
    """
    ops = iterated(spec["ops"]) if isinstance(spec, Mapping) and "ops" in spec else None
    if ops is None or "matrix" not in spec:
        given = list(spec) if isinstance(spec, Mapping) else type(spec).__name__
        raise InvalidCellError(f"expected a dict of a matrix and a list of ops, not {given}")
    return spec["matrix"], ops


class Asked:
    """A benchmark that is asked for configurations of an encoding.

    Parameters
    ----------
    benchmark
        What is queried.
    encoding, original
        As in `Reader`.
    metrics
        What the answers are made of.

    Attributes
    ----------
    reader, benchmark, table
        What it was made of.
    kind
        Whether the table's runs are measured or predicted.

    Raises
    ------
    DatasetError
        If the table lacks a metric.
    MissingRunError
        If it has no runs.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        encoding: str,
        metrics: Iterable[str],
        *,
        original: bool = False,
    ) -> None:
        if not isinstance(benchmark, Benchmark):
            raise ArgumentTypeError(
                f"an adapter takes a Benchmark, not {type(benchmark).__name__}", field="benchmark"
            )
        self.benchmark = benchmark
        self.table = benchmark.table
        self.kind = self.table.kind
        self.reader = Reader(encoding, self.table.space, original=original)
        if not self.table.epochs:
            raise MissingRunError("the table has no runs")
        check_metrics(self.table, metrics)

    @property
    def repeats(self) -> int:
        """How many runs the cells have at most, at any budget."""
        return max(int(self.table.counts(epochs).max()) for epochs in self.table.epochs)

    def run(self, values: Any, epochs: int, repeat: int | None = None) -> Run | None:
        """Query the cell of values at a budget of the table; `None` if it is none or has no run.

        Nothing is charged then.
        """
        cell_id = self.reader.cell_id(values)
        return None if cell_id < 0 else self.of_cell(cell_id, epochs, repeat)

    def of_cell(self, cell_id: int, epochs: int, repeat: int | None = None) -> Run | None:
        """Query a cell at a budget of the table; `None` if it has no run.

        Raises
        ------
        MissingRunError
            If it has others than the one asked for, or no cell has runs of this budget.
        """
        try:
            return self.benchmark.query(cell_id, epochs, False, repeat)
        except MissingRunError:
            first, last = self.table.budget(epochs).rows(cell_id)
            if first < last:
                raise
            return None

    def worst(self, objective: str, epochs: int) -> float:
        """Return what no cell is worse than at a budget, for values that are no cell."""
        if objective in ACCURACIES:
            return 0.0
        if objective == PARAMETERS:
            return float(self.table.parameters.max())
        return float(np.nanmax(self.table.values(objective, epochs)))
