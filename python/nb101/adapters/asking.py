"""What adapters have in common: a configuration is asked for, and a benchmark answers."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    MissingExtraError,
    MissingRunError,
    UnknownNameError,
)
from nb101.search.outside import Reader
from nb101.table.benchmark import Benchmark, Run

OBJECTIVES = ("validation_accuracy", "test_accuracy", "training_time", "trainable_parameters")
"""What adapters that take a choice of objectives know: fields of a `Run`."""
ACCURACIES = OBJECTIVES[:2]
"""Those of which more is better."""


@contextmanager
def needed(adapter: str, title: str, command: str) -> Iterator[None]:
    """Import within what an adapter stands on.

    Raises
    ------
    MissingExtraError
        If it, or a part of what it needs, is not installed; the message has the pip command.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"nb101.adapters.{adapter} needs {title}: {command}", name=error.name
        ) from error


def check_objectives(objectives: Iterable[str]) -> tuple[str, ...]:
    """Return names of objectives that are known.

    Raises
    ------
    ArgumentError
        If there is none, or one comes twice.
    UnknownNameError
        If one is unknown.
    """
    names = tuple([objectives] if isinstance(objectives, str) else objectives)
    for name in names:
        if name not in OBJECTIVES:
            raise UnknownNameError(
                f"no objective is called {name!r}: there are {', '.join(OBJECTIVES)}",
                field="objectives",
            )
    if not names or len(set(names)) < len(names):
        raise ArgumentError("objectives must be one or more names, each once", field="objectives")
    return names


class Asked:
    """A benchmark that is asked for configurations of an encoding.

    Parameters
    ----------
    benchmark
        What is queried.
    encoding, original
        As in `Reader`.

    Attributes
    ----------
    reader, benchmark, table
        What it was made of.
    kind
        Whether the table's runs are measured or predicted.
    """

    def __init__(self, benchmark: Benchmark, encoding: str, *, original: bool = False) -> None:
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
        """Query a cell at a budget of the table; `None` if it has no run."""
        try:
            return self.benchmark.query(cell_id, epochs, False, repeat)
        except MissingRunError:
            self.table.budget(epochs)  # Which says that no cell has such a run.
            return None

    def worst(self, objective: str, epochs: int) -> float:
        """Return what no cell is worse than at a budget, for values that are no cell."""
        if objective in ACCURACIES:
            return 0.0
        if objective == "trainable_parameters":
            return float(self.table.parameters.max())
        return float(np.nanmax(self.table.values(objective, epochs)))
