"""A dataset set out for look-ups of one cell at a time, and the statistics by hash of it."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from nb101 import _core, datasets
from nb101._base.lazy import cached_property
from nb101.compat.graph_util import integers
from nb101.compat.model_spec import ModelSpec
from nb101.errors import DatasetError, InvalidCellError, MissingRunError, UnknownHashError
from nb101.space.default import default_space
from nb101.space.ops import INPUT, OUTPUT, encode, op_codes
from nb101.space.words import codes_of, edge_list, vertices_of
from nb101.table.about import prediction_mark
from nb101.table.schema import METRICS

RunDict = dict[str, float]
Value = TypeVar("Value", covariant=True)

RUN = tuple(f"{stage}_{metric}" for stage in ("halfway", "final") for metric in METRICS)
"""What is known of a run."""
REPEATS = 3
"""Runs of a cell and budget in the official files."""


class Records:
    """A dataset set out for look-ups of one cell at a time.

    Columns are memoryviews, which give Python numbers several times faster than arrays do.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        # There are few matrices and lists, and to copy one is faster than to make it.
        self._matrix = lru_cache(maxsize=1 << 13)(matrix_of)
        self._op_names = lru_cache(maxsize=1 << 13)(op_names_of)
        self.table = table = datasets.load_table(path if path in datasets.NAMES else Path(path))
        # One object for the whole process: it keeps what it finds out about hashes.
        self.space = default_space() if table.space == default_space() else table.space
        self.core, self.ops = self.space.core, self.space.ops
        self.codes = op_codes(self.ops)
        self._code = self.codes.__getitem__
        self.budgets = {epochs: table.budget(epochs) for epochs in table.epochs}
        missing = [name for name in RUN if name not in table.columns]
        predicted = bool(prediction_mark(table.provenance))
        if "final_training_time" in missing or (missing and not predicted):
            raise DatasetError(f"{self.path}: the original interface needs {', '.join(missing)}")
        # Programs count on as many runs, and draw among them, as the official files have.
        self.copies = REPEATS if predicted and self._most_repeats() == 1 else 1
        self.halved = "halfway_training_time" in missing
        self.absent = tuple(name for name in missing if name != "halfway_training_time")
        self.columns: list[tuple[str, Any]] = [(name, self._column(name)) for name in RUN]
        values = [column for _, column in self.columns]
        self.halfway = list(zip(METRICS, values[: len(METRICS)], strict=True))
        self.final = list(zip(METRICS, values[len(METRICS) :], strict=True))

    @property
    def num_repeats(self) -> int:
        """The largest number of runs that a cell has at a budget."""
        return self._most_repeats() * self.copies

    def _most_repeats(self) -> int:
        # Runs are numbered; counting them would read, and so keep in memory, all ids of the file.
        return int(self.table.column("repeat").max(initial=-1)) + 1

    def _column(self, name: str) -> Any:
        """Return a column; of what a predicted table lacks, NaN or half the final time."""
        if name in self.absent:
            return np.broadcast_to(np.float32(np.nan), len(self.table)).data
        if name == "halfway_training_time" and self.halved:
            return (self.table.column("final_training_time") / 2).data
        return self.table.column(name).data

    def caution(self) -> str:
        """Say what is not as in a table that was measured."""
        mark = prediction_mark(self.table.provenance)
        parts = [f"numbers of {self.path} are {mark}, not measured"]
        if self.copies > 1:
            parts.append(f"each of the {REPEATS} runs of a cell is its predicted mean")
        if self.halved:
            parts.append("training time halfway is half of the final one")
        if self.absent:
            parts.append(f"there is no {', '.join(self.absent)} (NaN)")
        return "; ".join(parts)

    def place(self, spec: ModelSpec) -> tuple[int, int, int]:
        """Return the id of a checked cell, and the two words of its reference form."""
        matrix, ops = spec.pruned()
        try:
            if matrix.dtype.kind in "biu":
                return self.core.place_bytes(matrix.tobytes(), list(map(self._code, ops)))
        except (KeyError, TypeError, InvalidCellError):
            pass  # What is wrong is said below.
        edges, labels = _core.canonical_module(integers(matrix), encode(ops, self.ops))
        return self.core.id(edges, labels), edges, labels

    def find_rows(self, cell_id: int, epochs: int) -> tuple[int, int]:
        """Return the first row of a cell at a budget, and the row after its last one."""
        first, last = self.budgets[epochs].rows(cell_id)
        if first == last:
            raise MissingRunError(f"the dataset has no run of cell {cell_id} at {epochs} epochs")
        return first, last

    def find_hash(self, module_hash: str) -> tuple[int, int]:
        """Return the id of the cell with a hash, and one of its rows."""
        try:
            # The original knows neither other letters nor abbreviations.
            if module_hash != module_hash.lower() or len(module_hash) != 32:
                raise UnknownHashError
            cell_id = self.space.find_hash(module_hash)
        except (ValueError, TypeError, AttributeError):
            raise UnknownHashError(f"no cell has the hash {module_hash!r}") from None
        for budget in self.budgets.values():
            first, last = budget.rows(cell_id)
            if first < last:
                return cell_id, first
        raise MissingRunError(f"the dataset has no run of cell {cell_id}, hash {module_hash}")

    def find_runs(self, cell_id: int) -> dict[int, list[RunDict]]:
        """Return all runs of a cell by epochs, in the order of the records."""
        found = []
        for epochs, budget in self.budgets.items():
            first, last = budget.rows(cell_id)
            if first < last:
                runs = [
                    {name: x[row] for name, x in self.columns}
                    for row in range(first, last)
                    for _ in range(self.copies)
                ]
                found.append((self._record[first], epochs, runs))
        return {epochs: runs for _, epochs, runs in sorted(found, key=itemgetter(0))}

    def describe(self, edges: int, labels: int, row: int) -> dict[str, Any]:
        """Return what does not depend on the run."""
        return {
            "module_adjacency": self._matrix(edges, vertices_of(labels)).copy(),
            "module_operations": list(self._op_names(labels, self.ops)),
            "trainable_parameters": self._parameters[row],
        }

    def iterate_hashes(self) -> Iterator[str]:
        """Go through the hashes of all cells in the order of the records."""
        for first in range(0, len(self._hashes), 1 << 14):
            yield from self._hashes[first : first + (1 << 14)].astype(str).tolist()

    @cached_property
    def order(self) -> npt.NDArray[np.int64]:
        """Ids of all cells, in the order in which they first appear among the records."""
        ids = self.table.cell_ids
        record = self._record
        least = np.full(len(ids), np.iinfo(np.int64).max)
        for budget in self.budgets.values():
            own = budget.cell_ids()
            rows, _ = budget.many_rows(own)
            # From one cell's first row to the next one's.
            first = np.minimum.reduceat(np.asarray(record)[: budget.stop], rows)
            places = np.searchsorted(ids, own)
            least[places] = np.minimum(least[places], first)
        return ids[np.argsort(least, kind="stable")]

    @cached_property
    def _hashes(self) -> npt.NDArray[np.bytes_]:
        return self.space[self.order].hashes()

    @cached_property
    def _record(self) -> "memoryview[int]":
        table = self.table
        if "record" in table.columns:
            return table.column("record").data
        return np.arange(len(table)).data

    @cached_property
    def _parameters(self) -> "memoryview[int]":
        return self.table.parameters.data

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        # By reference to the file or name: every process maps the same one.
        return Records, (self.path,)

    def __deepcopy__(self, memo: object) -> "Records":
        return self


class Statistics(Mapping[str, Value]):
    """Something about each cell, by hash, read from the dataset when it is asked for."""

    def __init__(self, records: Records) -> None:
        self._records = records

    @property
    def records(self) -> Records:
        """The dataset that it is read from."""
        return self._records

    def __iter__(self) -> Iterator[str]:
        return self._records.iterate_hashes()

    def __len__(self) -> int:
        return len(self._records.order)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self):,} cells>"


class FixedStatistics(Statistics[dict[str, Any]]):
    """Matrix, ops and trainable parameters of each cell."""

    def __getitem__(self, module_hash: str) -> dict[str, Any]:
        cell_id, row = self._records.find_hash(module_hash)
        return self._records.describe(*self._records.core.cell(cell_id), row)


class ComputedStatistics(Statistics[dict[int, list[RunDict]]]):
    """Runs of each cell, by epochs."""

    def __getitem__(self, module_hash: str) -> dict[int, list[RunDict]]:
        records = self._records
        return records.find_runs(records.find_hash(module_hash)[0])


def matrix_of(edges: int, vertices: int) -> npt.NDArray[np.int8]:
    """Return the adjacency matrix of a cell."""
    matrix = np.zeros((vertices, vertices), dtype=np.int8)
    for edge in edge_list(edges, vertices):
        matrix[edge] = 1
    return matrix


def op_names_of(labels: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the name of each vertex; see `nb101.space.cell.Cell.codes`."""
    return (INPUT, *(names[code] for code in codes_of(labels)), OUTPUT)
