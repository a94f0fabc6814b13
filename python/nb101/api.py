"""The original interface: what programs written for NAS-Bench-101's own package rely on.

Names, arguments, results and draws of repeats are those of the original; the numbers are read from
a `Table`, in place. New programs had better use `nb101.Cell` and `nb101.Table`.

The table that the package carries serves too, so that programs run before anything is fetched:
``NASBench()``, or the environment variable ``NB101_TABLE``, which puts a table in the place of
whatever file a program asks for. It is predicted, and `NASBench.kind` says so.
"""

import copy
import errno
import os
import random
import warnings
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import isnan
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from nb101 import _core, datasets
from nb101._base.checks import iterated
from nb101._base.lazy import cached_property
from nb101.compat.config import build_config
from nb101.compat.graph_util import hash_module, integers
from nb101.errors import (
    ArgumentTypeError,
    DatasetError,
    DisconnectedError,
    InvalidCellError,
    MissingExtraError,
    MissingFileError,
    MissingRunError,
    UnknownHashError,
    UnknownOpError,
)
from nb101.space.default import default_space
from nb101.space.ops import INPUT, OUTPUT, encode, op_codes
from nb101.space.words import codes_of, edge_list, vertices_of
from nb101.table.schema import METRICS, prediction_mark

if TYPE_CHECKING:
    import graphviz

__all__ = [
    "MissingDatasetError",
    "ModelSpec",
    "NASBench",
    "OutOfDomainError",
]


def __dir__() -> list[str]:
    return sorted(__all__)


Matrix = npt.NDArray[Any]
Run = dict[str, float]
Value = TypeVar("Value", covariant=True)

RUN = tuple(f"{stage}_{metric}" for stage in ("halfway", "final") for metric in METRICS)
"""What is known of a run."""
TABLE_VARIABLE = "NB101_TABLE"
"""The environment variable that names the table to be read whatever file a program asks for."""
REPEATS = 3
"""Runs of a cell and budget in the official files."""


class OutOfDomainError(Exception):
    """A cell, or a number of epochs, that the dataset does not cover.

    It is no `NB101Error`, which would make it a ValueError: programs tell it from those of
    `ModelSpec`.
    """


class MissingDatasetError(MissingFileError):
    """The file that a program asks for is not there; the message says what can take its place."""


class ModelSpec:
    """A cell as a matrix and labels, pruned, with the order of its vertices kept.

    Parameters
    ----------
    matrix
        Upper-triangular adjacency matrix of 0 and 1, shape ``(v, v)``: nested lists or an array.
    ops
        A label for each vertex. They can be anything until the cell is hashed or looked up.
    data_format
        Kept for programs that ask for it.

    Attributes
    ----------
    original_matrix, original_ops
        Copies of what was given.
    matrix, ops
        The array and list without the vertices off every path from input to output; `None` if there
        is no such path.
    valid_spec
        Whether there is.

    Raises
    ------
    InvalidCellError
        If the matrix is not square, not upper triangular, or does not match the labels. It is a
        ValueError.

    Examples
    --------
    >>> spec = ModelSpec([[0, 1, 1], [0, 0, 0], [0, 0, 0]], ["input", "maxpool3x3", "output"])
    >>> spec.ops
    ['input', 'output']
    """

    def __init__(self, matrix: Any, ops: Any, data_format: str = "channels_last") -> None:
        array = _new_array(matrix)
        labels: list[Any] = ops.tolist() if isinstance(ops, np.ndarray) else (iterated(ops) or [])
        if array.ndim != 2 or array.shape[0] != array.shape[1]:
            raise InvalidCellError("matrix must be square")
        if len(labels) != len(array):
            raise InvalidCellError("length of ops must match matrix dimensions")
        kept = _on_paths(array)
        self.original_matrix = array
        self.original_ops = labels
        self.matrix: Matrix | None = None
        self.ops: list[Any] | None = None
        self.valid_spec = bool(kept)
        self.data_format = data_format
        if len(kept) == len(labels):
            self.matrix, self.ops = array.copy(), labels.copy()
        elif kept:
            self.matrix = array.take(kept, 0).take(kept, 1)
            self.ops = [labels[vertex] for vertex in kept]

    def hash_spec(self, canonical_ops: list[Any]) -> str:
        """Return the fingerprint of the pruned cell: 32 hexadecimal digits.

        Parameters
        ----------
        canonical_ops
            The labels of interior vertices, in the order of their codes.

        Raises
        ------
        InvalidCellError
            If input does not reach output, a label is not among them, or an entry of the matrix is
            neither 0 nor 1.
        """
        matrix, ops = self._pruned()
        codes = []
        for op in ops[1:-1]:
            if op not in canonical_ops:
                raise UnknownOpError(f"unknown op {op!r}: known are {_listed(canonical_ops)}")
            codes.append(canonical_ops.index(op))
        return hash_module(matrix, [-1, *codes, -2])

    def visualize(self) -> "graphviz.Digraph":
        """Return the pruned cell as a graph that notebooks draw.

        Raises
        ------
        MissingExtraError
            If graphviz is not installed (``pip install 'nb101[compat]'``). It is an ImportError.
        DisconnectedError
            If input does not reach output.
        """
        matrix, ops = self._pruned()
        try:
            import graphviz
        except ModuleNotFoundError as error:
            message = "visualize needs graphviz: pip install 'nb101[compat]'"
            raise MissingExtraError(message, name="graphviz") from error
        graph = graphviz.Digraph()
        for vertex, op in enumerate([INPUT, *ops[1:-1], OUTPUT]):
            graph.node(str(vertex), str(op))
        for source, target in np.argwhere(matrix).tolist():
            graph.edge(str(source), str(target))
        return graph

    def _pruned(self) -> tuple[Matrix, list[Any]]:
        if self.matrix is None or self.ops is None:
            raise DisconnectedError("no path leads from input to output")
        return self.matrix, self.ops


class NASBench:
    """Queries of a dataset, on a budget that is counted.

    Parameters
    ----------
    dataset_file
        A file of official records, packed by gzip or not: it is converted once, and the result is
        kept (see `nb101.datasets`). Or a converted file, Arrow or Parquet; or a name that
        `nb101.load_table` knows. Nothing is ``"surrogate-v1"``, the table that the package carries,
        whose numbers are predictions. Where the environment variable ``NB101_TABLE`` has a name or
        a path, that table is read in place of whatever is asked for here.
    seed
        For Python's global generator of random numbers, which draws the repeat of each query.

    Attributes
    ----------
    config
        Settings, a dict: ``module_vertices``, ``max_edges``, ``available_ops``, ``num_repeats`` of
        the dataset, and those that the original was trained with.
    valid_epochs
        All budgets, a set.
    fixed_statistics
        By hash: ``module_adjacency``, ``module_operations``, ``trainable_parameters``.
    computed_statistics
        By hash and epochs: a list with a dict for each run, ``halfway_`` and ``final_`` of
        ``training_time`` in seconds, ``train_accuracy``, ``validation_accuracy`` and
        ``test_accuracy`` in [0, 1]. Both are read-only views of the dataset, in the order in which
        cells appear in it.
    kind
        ``"measured"``, ``"predicted"`` or ``"partly predicted"``: what the numbers are. Where they
        are predicted a UserWarning says so too.
    absent
        What a predicted table does not have, and is NaN: of ``surrogate-v1`` the train accuracy and
        all accuracies halfway. The time halfway is half of the final one there, and each of a
        cell's three runs is its predicted mean. A table that was measured must have everything.
    training_time_spent, total_epochs_spent
        What queries have cost so far.

    Raises
    ------
    DatasetError
        If the file is damaged, or lacks a metric, or a table of that name has not been fetched.
    MissingDatasetError
        If there is no such file. It is a FileNotFoundError.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> nasbench = NASBench("nasbench_only108.tfrecord", seed=0)  # doctest: +SKIP
    >>> nasbench.query(ModelSpec([[0, 1], [0, 0]], ["input", "output"]))  # doctest: +SKIP
    """

    def __init__(
        self, dataset_file: str | os.PathLike[str] | None = None, seed: Any = None
    ) -> None:
        # NumPy's integers are none to the generator.
        random.seed(int(seed) if isinstance(seed, np.integer) else seed)
        records = _Records(_find(dataset_file))
        space = records.space
        self.kind: str = prediction_mark(records.table.provenance) or "measured"
        self.absent: tuple[str, ...] = records.absent
        if self.kind != "measured":
            warnings.warn(records.caution(), stacklevel=2)
        self.config = build_config() | {
            "module_vertices": space.max_vertices,
            "max_edges": space.max_edges,
            "available_ops": list(space.ops),
            "num_repeats": records.num_repeats,
        }
        self.fixed_statistics: Mapping[str, dict[str, Any]] = FixedStatistics(records)
        self.computed_statistics: Mapping[str, dict[int, list[Run]]] = ComputedStatistics(records)
        self.valid_epochs = set(records.budgets)
        self.history: dict[Any, Any] = {}
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def query(
        self, model_spec: ModelSpec, epochs: int = 108, stop_halfway: bool = False
    ) -> dict[str, Any]:
        """Return one run of a cell, drawn at random, and charge what it took.

        The draw is ``random.randint(0, num_repeats - 1)`` of Python's global generator, so that a
        seed replays the draws of the original.

        Parameters
        ----------
        model_spec
            The cell.
        epochs
            The budget that it was trained for.
        stop_halfway
            Take, and pay for, the first half of the training.

        Returns
        -------
        A dict of its own with ``module_adjacency`` (int8, shape ``(v, v)``) and
        ``module_operations`` of the reference form, ``trainable_parameters``, ``training_time`` in
        seconds, ``train_accuracy``, ``validation_accuracy`` and ``test_accuracy`` in [0, 1].

        Raises
        ------
        OutOfDomainError
            If the cell is not in the search space, or there is no such budget.
        KeyError
            If the dataset, as a partial one may, lacks the cell, or a run of it at this budget.
        InvalidCellError
            If an entry of the matrix is neither 0 nor 1.
        """
        if epochs not in self.valid_epochs:
            raise OutOfDomainError(
                f"invalid number of epochs: {epochs!r}; there are {_listed(self.valid_epochs)}"
            )
        records = self._plain_records(model_spec)
        if records is None:
            data = self._query_step_by_step(model_spec, epochs, stop_halfway)
        else:
            # The same without the hash, which takes longer than all the rest.
            self._check_spec(model_spec)
            edges, labels = records.find_words(model_spec)
            first, last = records.find_rows(edges, labels, epochs)
            runs = (last - first) * records.copies
            drawn = random.randint(0, min(runs, self.config["num_repeats"]) - 1)
            row = first + drawn // records.copies
            data = records.describe(edges, labels, row)
            for metric, column in records.halfway if stop_halfway else records.final:
                data[metric] = column[row]
        if isnan(data["training_time"]):
            raise MissingRunError(f"the training time at {epochs} epochs is not known")
        self.training_time_spent += data["training_time"]
        self.total_epochs_spent += epochs // 2 if stop_halfway else epochs
        return data

    def _plain_records(self, model_spec: ModelSpec) -> "_Records | None":
        """Return the dataset if all that the steps of a query would do is known.

        It is not where a subclass or a program has put something of its own in place.
        """
        own, mine = type(self), vars(self)
        computed = mine.get("computed_statistics")
        if (
            type(computed) is ComputedStatistics
            and type(mine.get("fixed_statistics")) is FixedStatistics
            and own._hash_spec is _HASH_SPEC
            and own.get_metrics_from_spec is _FROM_SPEC
            and own.get_metrics_from_hash is _FROM_HASH
            and getattr(type(model_spec), "hash_spec", None) is ModelSpec.hash_spec
            and mine.keys().isdisjoint(_STEPS)
            and tuple(self.config["available_ops"]) == computed._records.ops
        ):
            return computed._records
        return None

    def _query_step_by_step(
        self, model_spec: ModelSpec, epochs: int, stop_halfway: bool
    ) -> dict[str, Any]:
        """Query where a subclass or a program has put something of its own in place."""
        fixed, computed = self.get_metrics_from_spec(model_spec)
        runs = computed[epochs]
        run = runs[random.randint(0, min(len(runs), self.config["num_repeats"]) - 1)]
        stage = "halfway" if stop_halfway else "final"
        return {**fixed, **{metric: run[f"{stage}_{metric}"] for metric in METRICS}}

    def is_valid(self, model_spec: ModelSpec) -> bool:
        """Whether a cell is in the search space."""
        try:
            self._check_spec(model_spec)
        except OutOfDomainError:
            return False
        return True

    def get_budget_counters(self) -> tuple[float, int]:
        """Return the seconds and epochs that queries have cost."""
        return self.training_time_spent, self.total_epochs_spent

    def reset_budget_counters(self) -> None:
        """Start counting from 0 again."""
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def hash_iterator(self) -> Any:
        """Return the hashes of all cells, sized, in the order in which cells first appear."""
        return self.fixed_statistics.keys()

    def get_metrics_from_hash(
        self, module_hash: str
    ) -> tuple[dict[str, Any], dict[int, list[Run]]]:
        """Return all that is known of a cell, and charge nothing.

        Returns
        -------
        Dicts of its own, as in `fixed_statistics` and `computed_statistics`.

        Raises
        ------
        KeyError
            If no cell of the dataset has this hash.
        """
        fixed, computed = self.fixed_statistics, self.computed_statistics
        if type(fixed) is FixedStatistics and type(computed) is ComputedStatistics:
            # They are made anew each time: no need for copies.
            return fixed[module_hash], computed[module_hash]
        return copy.deepcopy(fixed[module_hash]), copy.deepcopy(computed[module_hash])

    def get_metrics_from_spec(
        self, model_spec: ModelSpec
    ) -> tuple[dict[str, Any], dict[int, list[Run]]]:
        """Return all that is known of a cell, and charge nothing; see `get_metrics_from_hash`.

        Raises
        ------
        OutOfDomainError
            If the cell is not in the search space.
        KeyError
            If the dataset lacks it.
        """
        self._check_spec(model_spec)
        return self.get_metrics_from_hash(self._hash_spec(model_spec))

    def evaluate(self, model_spec: ModelSpec, model_dir: str | os.PathLike[str]) -> Any:
        """Train a cell from scratch, as each entry of the dataset was made; charges nothing.

        Settings are those of `config`, a seed is drawn anew for each call. ``train_data_files`` may
        have the path of CIFAR-10's archive or folder; else that of ``nb101 data fetch cifar10`` is
        read. This takes hours without a GPU: `nb101.train` can do with less.

        Parameters
        ----------
        model_spec
            The cell.
        model_dir
            A folder for the trained weights and ``metadata.json``. An interrupted run that is there
            is gone on from.

        Returns
        -------
        A dict as `query` gives, with the matrix and labels of `model_spec`.

        Raises
        ------
        OutOfDomainError
            If the cell is not in the search space.
        MissingExtraError
            If torch is not installed (``pip install 'nb101[train]'``).
        TrainingError
            If it cannot be trained; see `nb101.train.train`.
        """
        from nb101.compat.evaluate import evaluate

        self._check_spec(model_spec)
        matrix, ops = model_spec._pruned()
        result = evaluate(matrix, ops, self.config, model_dir)
        return {
            "module_adjacency": matrix.copy(),
            "module_operations": list(ops),
            "trainable_parameters": result.trainable_parameters,
            **{metric: getattr(result.final, metric) for metric in METRICS},
        }

    def _hash_spec(self, model_spec: ModelSpec) -> str:
        """Return the hash that the cell has in the dataset."""
        return model_spec.hash_spec(self.config["available_ops"])

    def _check_spec(self, model_spec: ModelSpec) -> None:
        """Raise `OutOfDomainError` if the cell is not in the search space."""
        config = self.config
        matrix, ops = model_spec.matrix, model_spec.ops
        if not model_spec.valid_spec or matrix is None or ops is None:
            raise OutOfDomainError("the graph is disconnected: no path leads from input to output")
        if len(ops) > config["module_vertices"]:
            raise OutOfDomainError(
                f"too many vertices: {len(ops)}, and at most {config['module_vertices']} can be"
            )
        edges = int(np.count_nonzero(matrix))
        if edges > config["max_edges"]:
            raise OutOfDomainError(
                f"too many edges: {edges}, and at most {config['max_edges']} can be"
            )
        if ops[0] != INPUT:
            raise OutOfDomainError(f"the first op must be {INPUT!r}, not {ops[0]!r}")
        if ops[-1] != OUTPUT:
            raise OutOfDomainError(f"the last op must be {OUTPUT!r}, not {ops[-1]!r}")
        available = config["available_ops"]
        for op in ops[1:-1]:
            if op not in available:
                raise OutOfDomainError(f"unsupported op {op!r}: available are {_listed(available)}")


_HASH_SPEC = NASBench._hash_spec
_FROM_SPEC = NASBench.get_metrics_from_spec
_FROM_HASH = NASBench.get_metrics_from_hash
_STEPS = ("_hash_spec", "get_metrics_from_spec", "get_metrics_from_hash")


class _Statistics(Mapping[str, Value]):
    """Something about each cell, by hash, read from the dataset when it is asked for."""

    def __init__(self, records: "_Records") -> None:
        self._records = records

    def __iter__(self) -> Iterator[str]:
        return self._records.iterate_hashes()

    def __len__(self) -> int:
        return len(self._records.order)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self):,} cells>"


class FixedStatistics(_Statistics[dict[str, Any]]):
    """Matrix, ops and trainable parameters of each cell."""

    def __getitem__(self, module_hash: str) -> dict[str, Any]:
        cell_id, row = self._records.find_hash(module_hash)
        return self._records.describe(*self._records.core.cell(cell_id), row)


class ComputedStatistics(_Statistics[dict[int, list[Run]]]):
    """Runs of each cell, by epochs."""

    def __getitem__(self, module_hash: str) -> dict[int, list[Run]]:
        records = self._records
        return records.find_runs(records.find_hash(module_hash)[0])


def _find(dataset_file: str | os.PathLike[str] | None) -> str:
    """Return the name of a table or the absolute path of a file that is there."""
    asked = os.environ.get(TABLE_VARIABLE) or dataset_file
    if asked is None:
        return datasets.EMBEDDED
    if isinstance(asked, str) and asked in datasets.NAMES:
        return asked
    if not isinstance(asked, (str, os.PathLike)):
        raise ArgumentTypeError(
            f"dataset_file must be a str or a Path, not {type(asked).__name__}",
            field="dataset_file",
        )
    path = os.path.abspath(asked)  # noqa: PTH100
    if not os.path.lexists(path):
        raise MissingDatasetError(errno.ENOENT, _advice(path), os.fspath(asked))
    return path


def _advice(path: str) -> str:
    """Say what can be done about a file that is not there."""
    same = [d for d in datasets.DATASETS.values() if d.file == os.path.basename(path)]  # noqa: PTH119
    name = same[0].name if same else next(iter(datasets.DATASETS))
    if same and same[0].path.exists():
        return (
            f"no such file, but {name}, which is the same, has been fetched: nb101 run --table "
            f"{name}, or {TABLE_VARIABLE}={name} in the environment, puts it in its place"
        )
    return (
        f"no such file; nb101 run --table {datasets.EMBEDDED}, or {TABLE_VARIABLE}="
        f"{datasets.EMBEDDED} in the environment, puts the table of the package in its place, "
        f"whose numbers are predicted; nb101 download {name} fetches genuine ones, for "
        f"--table {name}"
    )


class _Records:
    """A dataset set out for look-ups of one cell at a time.

    Columns are memoryviews, which give Python numbers several times faster than arrays do.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.table = table = datasets.load_table(path if path in datasets.NAMES else Path(path))
        # One object for the whole process: it keeps what it finds out about hashes.
        self.space = default_space() if table.space == default_space() else table.space
        self.core, self.ops = self.space._core, self.space.ops
        self.codes = op_codes(self.ops)
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

    def find_words(self, spec: ModelSpec) -> tuple[int, int]:
        """Return the reference form of a checked cell."""
        matrix, ops = spec._pruned()
        try:
            if matrix.dtype.kind in "biu":
                return _core.canonical_bytes(matrix.tobytes(), [self.codes[op] for op in ops])
        except (KeyError, TypeError, InvalidCellError):
            pass  # What is wrong is said below.
        return _core.canonical_module(integers(matrix), encode(ops, self.ops))

    def find_rows(self, edges: int, labels: int, epochs: int) -> tuple[int, int]:
        """Return the first row of a cell at a budget, and the row after its last one."""
        cell_id = self.core.id(edges, labels)
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

    def find_runs(self, cell_id: int) -> dict[int, list[Run]]:
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
            "module_adjacency": _matrix(edges, vertices_of(labels)).copy(),
            "module_operations": list(_op_names(labels, self.ops)),
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
        return _Records, (self.path,)

    def __deepcopy__(self, memo: object) -> "_Records":
        return self


def _new_array(matrix: Any) -> Matrix:
    try:
        array = np.array(matrix)
    except ValueError as error:
        # Rows of different lengths.
        raise InvalidCellError("matrix must be square") from error
    if array.dtype.kind not in "biufO":
        raise InvalidCellError(f"matrix must hold numbers 0 and 1, not {array.dtype} entries")
    return array


def _on_paths(matrix: Matrix) -> list[int]:
    """Return the vertices on a path from input to output.

    And check that edges lead from a vertex to a later one.
    """
    there = matrix if matrix.dtype.kind in "biu" else matrix != 0
    kept = _core.vertices_on_paths(there.tobytes(), len(matrix))
    if kept is None:
        raise InvalidCellError("matrix must be upper triangular")
    return kept


@lru_cache(maxsize=1 << 13)
def _matrix(edges: int, vertices: int) -> npt.NDArray[np.int8]:
    """Adjacency matrix of a cell; there are few, and copying one is faster than making it."""
    matrix = np.zeros((vertices, vertices), dtype=np.int8)
    for edge in edge_list(edges, vertices):
        matrix[edge] = 1
    return matrix


@lru_cache(maxsize=1 << 13)
def _op_names(labels: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """Name of each vertex; see `nb101.space.cell.Cell.codes`."""
    return (INPUT, *(names[code] for code in codes_of(labels)), OUTPUT)


def _listed(values: Any) -> str:
    return ", ".join(map(str, sorted(values) if isinstance(values, set) else values))
