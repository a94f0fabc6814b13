"""OptunaHub: a benchmark as a ``BaseProblem``, which studies of Optuna optimize."""

from collections.abc import Iterable, Mapping
from typing import Any

from nb101.adapters.asking import ACCURACIES, Asked, check_objectives, needed
from nb101.search.outside import ADJACENCY, note
from nb101.table.benchmark import Benchmark, Run

with needed("optunahub", "OptunaHub", "pip install optunahub"):
    import optuna
    from optunahub.benchmarks import BaseProblem

__all__ = ["NASBench101"]


def __dir__() -> list[str]:
    return sorted(__all__)


class NASBench101(BaseProblem):  # type: ignore[misc]  # Its types are not always there.
    """A benchmark as a problem of OptunaHub, of one objective or several.

    What is no cell of the space, or has no run, is pruned and costs nothing; the rest is charged to
    the benchmark. Of each trial the attributes ``cell_id``, ``seconds``, the clock after it, and
    ``kind``, whether the numbers are measured or predicted, are set.

    Parameters
    ----------
    benchmark
        What is queried.
    encoding
        As in `nb101.search.to_cell`.
    epochs
        The budget; by default the largest of the table.
    objectives
        One or several of ``"validation_accuracy"`` and ``"test_accuracy"``, to be maximized,
        ``"training_time"`` and ``"trainable_parameters"``, to be minimized.

    Attributes
    ----------
    kind
        Whether the runs are measured or predicted.
    objectives
        The names of the values, in order.

    Raises
    ------
    MissingExtraError
        On import, if OptunaHub is missing: ``pip install optunahub``.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        encoding: str = ADJACENCY,
        *,
        epochs: int | None = None,
        objectives: Iterable[str] = ("validation_accuracy",),
    ) -> None:
        self.objectives = check_objectives(objectives)
        self._asked = asked = Asked(benchmark, encoding, self.objectives)
        self._epochs = asked.table.budget_or_largest(epochs).epochs
        self.benchmark = benchmark
        self.kind = asked.kind
        self._space = {name: _distribution(x) for name, x in asked.reader.variables.items()}
        toward = optuna.study.StudyDirection
        self._directions = [
            toward.MAXIMIZE if name in ACCURACIES else toward.MINIMIZE for name in self.objectives
        ]

    @property
    def search_space(self) -> dict[str, Any]:
        """The variables of the encoding, as distributions of Optuna."""
        return dict(self._space)

    @property
    def directions(self) -> list[Any]:
        """Whether each objective is to be maximized or minimized."""
        return list(self._directions)

    def evaluate(self, params: Mapping[str, Any]) -> float | tuple[float, ...]:
        """Query the cell of a value for each variable.

        Returns
        -------
        The objective, or a tuple of several.

        Raises
        ------
        optuna.TrialPruned
            If the values are no cell of the space, or it has no run.
        """
        return self._values(self._run(params))

    def __call__(self, trial: Any) -> float | tuple[float, ...]:
        """Let a trial choose, and evaluate what it has chosen."""
        run = self._run({name: trial._suggest(name, x) for name, x in self._space.items()})
        note(trial, run, self.benchmark)
        return self._values(run)

    def _run(self, params: Mapping[str, Any]) -> Run:
        run = self._asked.run(params, self._epochs)
        if run is None:
            raise optuna.TrialPruned("no cell of the space, or one without a run")
        return run

    def _values(self, run: Run) -> float | tuple[float, ...]:
        values = tuple([float(getattr(run, name)) for name in self.objectives])
        return values[0] if len(values) == 1 else values


def _distribution(values: Any) -> Any:
    kinds = optuna.distributions
    if isinstance(values, list):
        return kinds.CategoricalDistribution(values)
    low, high = values
    whole = isinstance(low, int)
    return kinds.IntDistribution(low, high) if whole else kinds.FloatDistribution(low, high)
