"""CARP-S: a benchmark as an ``ObjectiveFunction``, and the task that its optimizers are given."""

import time
from collections.abc import Iterable
from typing import Any

from nb101._base.checks import check_number, check_type, check_whole
from nb101.adapters.asking import ACCURACIES, TIME, Asked, check_objectives, needed
from nb101.errors import ArgumentError
from nb101.search.outside import ADJACENCY, config_space
from nb101.table.about import prediction_mark
from nb101.table.benchmark import Benchmark

with needed("carps", "CARP-S", "pip install carps"):
    from carps.objective_functions.objective_function import ObjectiveFunction
    from carps.utils import task as tasks
    from carps.utils.trials import TrialValue

__all__ = ["NASBench101", "make_task"]


def __dir__() -> list[str]:
    return sorted(__all__)


ROUNDING = 1e-6


class NASBench101(ObjectiveFunction):  # type: ignore[misc]  # Types need the library.
    """A benchmark as an objective function of CARP-S: costs, to be minimized, and virtual time.

    The budget of a trial is its epochs, the largest of the table where it has none. What is no
    cell, or has no run, has error 1, takes no time, and is as bad as the worst cell by other
    objectives. The additional information of each value has ``kind``, whether numbers are measured
    or predicted, and ``cell_id`` and ``test_accuracy`` of cells.

    Which run of a cell is drawn is up to the benchmark, which has a seed; that of a trial is not
    looked at.

    Parameters
    ----------
    benchmark
        What is queried.
    encoding
        As in `nb101.search.to_cell`.
    objectives
        One or several of ``"validation_accuracy"`` and ``"test_accuracy"``, of which the errors are
        the costs, ``"training_time"`` and ``"trainable_parameters"``.
    seed
        Of the samples of the configuration space.
    loggers
        Of CARP-S.

    Attributes
    ----------
    kind
        Whether the runs are measured or predicted.
    objectives
        The names of the costs, in order.
    epochs
        The budgets of the table, ascending.

    Raises
    ------
    MissingExtraError
        On import, if CARP-S is missing: ``pip install carps``.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        encoding: str = ADJACENCY,
        *,
        objectives: Iterable[str] = ("validation_accuracy",),
        seed: int | None = None,
        loggers: list[Any] | None = None,
    ) -> None:
        super().__init__(loggers)
        self.objectives = check_objectives(objectives)
        self._asked = asked = Asked(benchmark, encoding, (*self.objectives, TIME))
        self._defined = config_space(encoding, asked.table.space, seed=seed)
        self.benchmark = benchmark
        self.kind = asked.kind
        self.epochs = asked.table.epochs
        self._worst: dict[int, float | list[float]] = {}

    @property
    def configspace(self) -> Any:
        """The variables of the encoding, as a configuration space of ConfigSpace."""
        return self._defined

    def _evaluate(self, trial_info: Any) -> Any:
        """Query the cell of a trial."""
        start = time.time()
        epochs = self.epochs[-1] if trial_info.budget is None else self._budget(trial_info.budget)
        run = self._asked.run(trial_info.config, epochs)
        found: dict[str, Any] = {"kind": self.kind}
        if run is None:
            cost, seconds = self._cost_of_nothing(epochs), 0.0
        else:
            cost = self._cost([getattr(run, name) for name in self.objectives])
            seconds = run.training_time
            found |= {"cell_id": run.cell_id, "test_accuracy": run.test_accuracy}
        end = time.time()
        return TrialValue(
            cost=cost,
            time=end - start,
            virtual_time=seconds,
            starttime=start,
            endtime=end,
            additional_info=found,
        )

    def _budget(self, given: Any) -> int:
        # Optimizers work out budgets, which may miss whole numbers by a rounding.
        number = check_number("budget", given)
        near = abs(number - round(number)) < ROUNDING
        return self._asked.table.budget(round(number) if near else given).epochs

    def _cost(self, values: list[float]) -> float | list[float]:
        costs = [
            float(1 - value if name in ACCURACIES else value)
            for name, value in zip(self.objectives, values, strict=True)
        ]
        return costs[0] if len(costs) == 1 else costs

    def _cost_of_nothing(self, epochs: int) -> float | list[float]:
        if epochs not in self._worst:
            values = [self._asked.worst(name, epochs) for name in self.objectives]
            self._worst[epochs] = self._cost(values)
        return self._worst[epochs]


def make_task(
    function: NASBench101,
    *,
    trials: int | None = None,
    minutes: float | None = None,
    multi_fidelity: bool = False,
    seed: int | None = None,
) -> Any:
    """Describe the task of optimizing a function, as optimizers of CARP-S take it.

    Parameters
    ----------
    function
        What is optimized.
    trials
        How many trials at the largest budget there may be; others count as fractions.
    minutes
        How long it may take in all: of simulated time and of real time, added up.
    multi_fidelity
        Whether optimizers may choose budgets.
    seed
        Of the task.

    Returns
    -------
    A ``carps.utils.task.Task``. Its metadata say ``"surrogate"`` of predicted tables, and
    ``"tabular"`` of all others.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        If neither `trials` nor `minutes` is given, or an argument cannot be.
    """
    check_type("function", function, NASBench101)
    if trials is None and minutes is None:
        raise ArgumentError("give trials or minutes, or both", field="trials")
    trials = None if trials is None else check_whole("trials", trials)
    minutes = None if minutes is None else check_number("minutes", minutes, above=0)
    seed = None if seed is None else check_whole("seed", seed, 0)
    fidelity = tasks.FidelitySpace()
    if multi_fidelity:
        fidelity = tasks.FidelitySpace(True, "epochs", function.epochs[0], function.epochs[-1])
    table = function.benchmark.table
    predicted = bool(prediction_mark(table.provenance))
    deterministic = not function.benchmark.noise and function._asked.repeats == 1
    return tasks.Task(
        name="nasbench101",
        objective_function=function,
        input_space=tasks.InputSpace(function.configspace, fidelity),
        output_space=tasks.OutputSpace(len(function.objectives), function.objectives),
        optimization_resources=tasks.OptimizationResources(
            trials,
            minutes,
        ),
        metadata=tasks.TaskMetadata(
            domain="NAS",
            objective_function_approximation="surrogate" if predicted else "tabular",
            has_virtual_time=True,
            has_constraints=False,
            deterministic=deterministic,
            **tasks.get_search_space_info(function.configspace),
        ),
        seed=seed,
    )
