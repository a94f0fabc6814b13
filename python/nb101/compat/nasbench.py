"""The original's `NASBench`: queries of a dataset, on a budget that is counted."""

import copy
import os
import random
import warnings
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import numpy as np

from nb101._base.lazy import lock_of
from nb101.compat.config import build_config
from nb101.compat.dataset import find_dataset
from nb101.compat.model_spec import ModelSpec, listed
from nb101.compat.records import ComputedStatistics, FixedStatistics, Records, RunDict
from nb101.errors import MissingRunError
from nb101.space.ops import INPUT, OUTPUT
from nb101.table.about import prediction_mark
from nb101.table.schema import METRICS


class OutOfDomainError(Exception):
    """A cell, or a number of epochs, that the dataset does not cover.

    It is no `NB101Error`, which would make it a ValueError: programs tell it from those of
    `ModelSpec`.
    """


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
    >>> nasbench = NASBench("nasbench_only108.tfrecord", seed=0)
    >>> data = nasbench.query(ModelSpec([[0, 1], [0, 0]], ["input", "output"]))
    >>> data["trainable_parameters"], 0 <= data["test_accuracy"] <= 1
    (882570, True)
    """

    def __init__(
        self, dataset_file: str | os.PathLike[str] | None = None, seed: Any = None
    ) -> None:
        # NumPy's integers are none to the generator.
        random.seed(int(seed) if isinstance(seed, np.integer) else seed)
        records = Records(find_dataset(dataset_file))
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
        self.computed_statistics: Mapping[str, dict[int, list[RunDict]]] = ComputedStatistics(
            records
        )
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
                f"invalid number of epochs: {epochs!r}; there are {listed(self.valid_epochs)}"
            )
        records = self._plain_records(model_spec)
        if records is None:
            data = self._query_step_by_step(model_spec, epochs, stop_halfway)
        else:
            # The same without the hash, which takes longer than all the rest.
            place = None
            if type(model_spec) is ModelSpec and "_read" in vars(model_spec):
                place = self._place_untouched(model_spec, records)
            if place is None:
                self._check_spec(model_spec)
                place = records.place(model_spec)
            cell_id, edges, labels = place
            first, last = records.find_rows(cell_id, epochs)
            runs = (last - first) * records.copies
            drawn = random.randint(0, min(runs, self.config["num_repeats"]) - 1)
            row = first + drawn // records.copies
            data = records.describe(edges, labels, row)
            for metric, column in records.halfway if stop_halfway else records.final:
                data[metric] = column[row]
        if isnan(data["training_time"]):
            raise MissingRunError(f"the training time at {epochs} epochs is not known")
        with _CLOCKS._lock:
            self.training_time_spent += data["training_time"]
            self.total_epochs_spent += epochs // 2 if stop_halfway else epochs
        return data

    def _plain_records(self, model_spec: ModelSpec) -> Records | None:
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
            and "_hash_spec" not in mine
            and "get_metrics_from_spec" not in mine
            and "get_metrics_from_hash" not in mine
            and tuple(self.config["available_ops"]) == computed.records.ops
        ):
            return computed.records
        return None

    def _place_untouched(
        self, model_spec: ModelSpec, records: Records
    ) -> tuple[int, int, int] | None:
        """Return what `Records.place` does, of a good cell read from lists: 1.6 us less."""
        pruned = model_spec._untouched()
        # What a subclass or a program checks in its own way is not passed by.
        if pruned is None or getattr(self._check_spec, "__func__", None) is not _CHECK_SPEC:
            return None
        edges, ops = pruned
        config = self.config
        if len(ops) > config["module_vertices"] or edges.bit_count() > config["max_edges"]:
            return None
        return records.core.place_named(edges, ops, records.codes)

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
    ) -> tuple[dict[str, Any], dict[int, list[RunDict]]]:
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
    ) -> tuple[dict[str, Any], dict[int, list[RunDict]]]:
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
        matrix, ops = model_spec.pruned()
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
        pruned = None
        if type(model_spec) is ModelSpec and "_read" in vars(model_spec):
            pruned = model_spec._untouched()
        ops: Sequence[Any] | None
        if pruned is not None:
            edges, ops = pruned[0].bit_count(), pruned[1]
        else:
            matrix, ops = model_spec.matrix, model_spec.ops
            if not model_spec.valid_spec or matrix is None or ops is None:
                raise OutOfDomainError(
                    "the graph is disconnected: no path leads from input to output"
                )
            edges = int(np.count_nonzero(matrix))
        if len(ops) > config["module_vertices"]:
            raise OutOfDomainError(
                f"too many vertices: {len(ops)}, and at most {config['module_vertices']} can be"
            )
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
                raise OutOfDomainError(f"unsupported op {op!r}: available are {listed(available)}")


_HASH_SPEC = NASBench._hash_spec


class _Clocks:
    """The lock under which what queries cost is added up: that of no object, which is pickled."""

    def __init__(self) -> None:
        self._lock = lock_of(self)


_CLOCKS = _Clocks()
_CHECK_SPEC = NASBench._check_spec
_FROM_SPEC = NASBench.get_metrics_from_spec
_FROM_HASH = NASBench.get_metrics_from_hash
