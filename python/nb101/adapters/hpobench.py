"""HPOBench: its three benchmarks of NAS-Bench-101, with the calls and answers that it has.

They stand on nb101 alone, and on ConfigSpace: HPOBench itself, which is in no registry and needs
TensorFlow 1 for these, is not imported. Written after its source, version 0.0.2 of
``hpobench/benchmarks/nas/nasbench_101.py``.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nb101._base.checks import check_path, check_range, iterated
from nb101.adapters.asking import ACCURACIES, TIME, Asked
from nb101.datasets import load_table
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    MissingFileError,
    MissingRunError,
    SpaceError,
)
from nb101.search.outside import ADJACENCY, CATEGORICAL, CONTINUOUS, check_seed, config_space
from nb101.search.searcher import need
from nb101.space.default import space_of
from nb101.space.ops import INPUT, OUTPUT
from nb101.space.words import codes_of
from nb101.table.benchmark import Benchmark, Run

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

__all__ = [
    "NASCifar10ABenchmark",
    "NASCifar10BBenchmark",
    "NASCifar10BaseBenchmark",
    "NASCifar10CBenchmark",
]


def __dir__() -> list[str]:
    return sorted(__all__)


BUDGET = "budget"
"""The one fidelity."""
BUDGETS = (4, 12, 36, 108)
RUNS = 3
"""Runs of a cell at a budget, in the official dataset."""
ALL = tuple(range(RUNS))
MOST_SEED = 2**32 - 1
OFFICIAL = "nasbench_full.tfrecord"


class NASCifar10BaseBenchmark:
    """What the three have in common; make one of those.

    Where a configuration is no cell, its error is 1 and its cost 0, as there; so it is of a cell
    that the table has no run of. Where a table has one run of each cell, as every predicted one
    has, it stands for the three.

    Parameters
    ----------
    data_path
        What `nb101.load_table` takes, or a folder that has ``nasbench_full.tfrecord``; the embedded
        table by default.
    rng
        A seed, or a generator: of which run is drawn where `run_index` is `None`.
    benchmark
        What is queried, in the place of a table.

    Attributes
    ----------
    configuration_space, fidelity_space
        Of ConfigSpace.
    rng
        The generator.
    kind
        Whether the runs are measured or predicted; ``info`` of each answer has it, too.
    """

    _encoding: ClassVar[str]

    def __init__(
        self,
        data_path: str | os.PathLike[str] | None = None,
        rng: "np.random.RandomState | int | None" = None,
        *,
        benchmark: Benchmark | None = None,
    ) -> None:
        if not hasattr(self, "_encoding"):
            raise ArgumentTypeError("make a NASCifar10ABenchmark, or one of B or C")
        if benchmark is None:
            benchmark = Benchmark(load_table(*_named(data_path)), seed=0)
        elif data_path is not None:
            raise ArgumentError("give data_path or benchmark, not both", field="benchmark")
        self._asked = asked = Asked(benchmark, self._encoding, (*ACCURACIES, TIME), original=True)
        if asked.table.space != space_of(None):
            raise SpaceError("these benchmarks are of NAS-Bench-101, not of another space")
        self._space = asked.table.space
        self._ops: dict[int, tuple[str, ...]] = {}
        self.benchmark = benchmark
        self.kind = asked.kind
        self.rng = _generator(rng)
        self._repeats = asked.repeats
        self._variables = len(asked.reader.variables)
        self.configuration_space = self.get_configuration_space()
        self.fidelity_space = self.get_fidelity_space()

    def objective_function(
        self,
        configuration: Any,
        fidelity: Any = None,
        run_index: int | Sequence[int] | None = ALL,
        rng: "np.random.RandomState | int | None" = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Train a configuration, so to speak.

        Parameters
        ----------
        configuration
            A ``Configuration`` of ConfigSpace, or a dict.
        fidelity
            ``{"budget": epochs}``, of 4, 12, 36 and 108; the last by default.
        run_index
            Which of the runs, from 0 to 2, or several, of which the error is the mean and the cost
            the sum; by default all that there are. `None` draws one of those. HPOBench obeys it in
            ``A`` alone, and draws runs in ``B`` and ``C``; here it is obeyed in all.
        rng
            As in the class; the benchmark's own by default.
        kwargs
            Is not looked at.

        Returns
        -------
        A dict: ``function_value`` is the validation error, ``cost`` the seconds of training, and
        ``info`` has the fidelity, lists of accuracies and times by run, the parameters and ops of
        the cell, and the ``kind`` of the numbers.

        Raises
        ------
        MissingRunError
            If the cell has runs, and not one of these; or the table lacks the budget.
        """
        self.rng = self.rng if rng is None else _generator(rng)
        budget = _budget(fidelity, kwargs)
        cell_id = self._cell_id(configuration)
        there = self._there(cell_id, budget)
        wanted = self._wanted(run_index, there or ALL)
        missing = [index for index in wanted if index not in there] if there else []
        if missing:
            raise MissingRunError(
                f"cell {cell_id} has no run {missing[0]} at {budget} epochs; "
                f"it has {', '.join(map(str, there))}"
            )
        found = self._runs(cell_id, budget, wanted) if there else []
        validation = [run.validation_accuracy for run in found] or [0.0] * len(wanted)
        times = [run.training_time for run in found] or [0.0] * len(wanted)
        return {
            "function_value": 1 - _mean(validation),
            "cost": _sum(times),
            "info": {
                "fidelity": {BUDGET: budget},
                "train_accuracies": [run.train_accuracy for run in found] or [0.0] * len(wanted),
                "valid_accuracies": validation,
                "test_accuracies": [run.test_accuracy for run in found] or [0.0] * len(wanted),
                "training_times": times,
                "data": self._data(found),
                "kind": self.kind,
            },
        }

    def objective_function_test(
        self,
        configuration: Any,
        fidelity: Any = None,
        rng: "np.random.RandomState | int | None" = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Do what `objective_function` does for all runs, with the test error for its value."""
        if "run_index" in kwargs:
            raise ArgumentError("a test is of all runs: it has no run_index", field="run_index")
        found = self.objective_function(configuration, fidelity, rng=rng, **kwargs)
        found["function_value"] = 1 - _mean(found["info"]["test_accuracies"])
        return found

    def __call__(self, configuration: Any, **kwargs: Any) -> float:
        """Return the validation error alone."""
        value: float = self.objective_function(configuration, **kwargs)["function_value"]
        return value

    @classmethod
    def get_configuration_space(cls, seed: int | None = None) -> "ConfigurationSpace":
        """Return the variables of a configuration, for ConfigSpace.

        Raises
        ------
        MissingExtraError
            If ConfigSpace is missing: ``pip install 'nb101[search]'``.
        """
        return config_space(cls._encoding, seed=seed)

    @staticmethod
    def get_fidelity_space(seed: int | None = None) -> "ConfigurationSpace":
        """Return the budgets, for ConfigSpace."""
        library = need("ConfigSpace", "ConfigSpace")
        made: ConfigurationSpace = library.ConfigurationSpace(seed=check_seed(seed))
        made.add(library.OrdinalHyperparameter(BUDGET, sequence=BUDGETS, default_value=BUDGETS[-1]))
        return made

    @staticmethod
    def get_meta_information() -> dict[str, Any]:
        """Say what this is, and whose."""
        return {
            "name": "Tabular Benchmarks for Hyperparameter Optimization and Neural Architecture "
            "Search",
            "references": [
                "Aaron Klein, Frank Hutter",
                "Tabular Benchmarks for Joint Architecture and Hyperparameter Optimization",
                "https://arxiv.org/abs/1905.04970",
                "https://github.com/automl/nas_benchmarks",
            ],
        }

    # Inside

    def _there(self, cell_id: int, budget: int) -> tuple[int, ...]:
        """Return the numbers of a cell's runs; without any it is no cell."""
        table = self._asked.table
        first, last = table.budget(budget).rows(cell_id)
        if first == last:
            return ()
        return ALL if self._repeats == 1 else tuple(table.column("repeat")[first:last].tolist())

    def _wanted(self, run_index: Any, there: tuple[int, ...]) -> tuple[int, ...]:
        """Return the numbers of the runs that are asked for."""
        if run_index is None:
            return (there[int(self.rng.choice(len(there), size=1)[0])],)
        if run_index is ALL:
            return there
        listed = iterated(run_index)
        wanted = [run_index] if listed is None else listed
        if not wanted:
            raise ArgumentError("run_index must have a run, or be None", field="run_index")
        # Each once, in their order.
        numbers = tuple(
            dict.fromkeys(check_range("run_index", index, 0, RUNS - 1) for index in wanted)
        )
        return there if set(numbers) == set(ALL) else numbers

    def _cell_id(self, configuration: Any) -> int:
        if not isinstance(configuration, Mapping):
            raise ArgumentTypeError(
                f"configuration must be a Configuration or a dict, not {configuration!r}",
                field="configuration",
            )
        reader = self._asked.reader
        if len(configuration) != self._variables:
            unknown = sorted(set(configuration) - set(reader.variables), key=str)
            if unknown:
                raise ArgumentError(f"no variable is called {unknown[0]!r}", field="configuration")
        return reader.cell_id(configuration)

    def _runs(self, cell_id: int, budget: int, wanted: tuple[int, ...]) -> list[Run]:
        query = self.benchmark.query
        if self._repeats == 1:
            # The same as repeat 0, which is 3 us more to ask for by name.
            return [query(cell_id, budget) for _ in wanted]
        return [query(cell_id, budget, False, index) for index in wanted]

    def _data(self, found: list[Run]) -> dict[str, Any]:
        if not found:
            return {"trainable_parameters": 0, "module_operations": 0}
        run = found[0]
        # What `Cell.ops` has, without the cell: 13 us less. There are 364 lists of ops.
        _, labels = self._space.core.cell(run.cell_id)
        ops = self._ops.get(labels)
        if ops is None:
            named = [self._space.ops[code] for code in codes_of(labels)]
            ops = self._ops[labels] = (INPUT, *named, OUTPUT)
        return {
            "trainable_parameters": run.trainable_parameters,
            "module_operations": list(ops),
        }


class NASCifar10ABenchmark(NASCifar10BaseBenchmark):
    """Encoding A: a flag for each of the 21 edges, and five ops.

    Parameters are those of `NASCifar10BaseBenchmark`.
    """

    _encoding = ADJACENCY


class NASCifar10BBenchmark(NASCifar10BaseBenchmark):
    """Encoding B: the numbers of nine edges, and five ops.

    Edges are numbered as HPOBench does, and not as `nb101.search.to_cell`: from 0, the edge into
    output from its nearest vertex, to 20, that from input to the first.
    Parameters are those of `NASCifar10BaseBenchmark`.
    """

    _encoding = CATEGORICAL


class NASCifar10CBenchmark(NASCifar10BaseBenchmark):
    """Encoding C: how many edges, a number in [0, 1] for each of the 21, and five ops.

    Parameters are those of `NASCifar10BaseBenchmark`.
    """

    _encoding = CONTINUOUS


def _named(data_path: str | os.PathLike[str] | None) -> tuple[Any, ...]:
    if data_path is None:
        return ()
    check_path(data_path, "data_path")
    inside = Path(data_path) / OFFICIAL
    if Path(data_path).is_dir() and not inside.is_file():
        raise MissingFileError(f"there is no {OFFICIAL} in {inside.parent}", path=inside)
    return (inside if inside.is_file() else data_path,)


def _generator(rng: "np.random.RandomState | int | None") -> np.random.RandomState:
    """Make of a seed what HPOBench makes of it, so that the same runs are drawn."""
    if isinstance(rng, np.random.RandomState):
        return rng
    seed = None if rng is None else abs(check_range("rng", rng, -MOST_SEED, MOST_SEED))
    return np.random.RandomState(seed)


def _budget(fidelity: Any, others: Mapping[str, Any]) -> int:
    if BUDGET in others:
        raise ArgumentError(f"{BUDGET} belongs into fidelity", field="fidelity")
    if fidelity is None:
        return BUDGETS[-1]
    if not isinstance(fidelity, Mapping):
        raise ArgumentTypeError(
            f"fidelity must be {{{BUDGET!r}: epochs}}, not {fidelity!r}", field="fidelity"
        )
    given = dict(fidelity)
    budget = given.pop(BUDGET, BUDGETS[-1])
    if given or budget not in BUDGETS:
        raise ArgumentError(
            f"fidelity must be {{{BUDGET!r}: one of {BUDGETS}}}, not {dict(fidelity)!r}",
            field="fidelity",
        )
    return int(budget)


def _sum(values: list[float]) -> float:
    """Add up as NumPy does so few: one after another."""
    total = 0.0
    for value in values:
        total += value
    return total


def _mean(values: list[float]) -> float:
    return _sum(values) / len(values)
