"""Syne Tune: a table as a ``Blackbox``, for its simulator.

``UserBlackboxBackend`` takes a `NASBench101` and plays a tuning on it in simulated time, with as
many workers as it is told, for any scheduler: random search, ASHA, REA and the rest.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101._base.checks import check_range
from nb101.adapters.asking import OBJECTIVES, Asked, needed
from nb101.errors import ArgumentError
from nb101.search.outside import ADJACENCY
from nb101.table.benchmark import Benchmark, Run

with needed("syne_tune", "Syne Tune", "pip install syne-tune huggingface-hub"):
    from syne_tune.blackbox_repository.blackbox import Blackbox
    from syne_tune.config_space import choice, randint, uniform

__all__ = ["NASBench101"]


def __dir__() -> list[str]:
    return sorted(__all__)


RESOURCE = "epochs"
"""The one fidelity."""
ELAPSED = "metric_elapsed_time"
NAMES = ("metric_valid_error", "metric_test_error", ELAPSED, "metric_params")
"""The objectives, as Syne Tune's blackbox of NAS-Bench-201 has them."""


class NASBench101(Blackbox):  # type: ignore[misc]  # It has no types.
    """A benchmark as a blackbox of Syne Tune: configurations, epochs and four objectives.

    Objectives are ``metric_valid_error`` and ``metric_test_error`` in [0, 1], the seconds that
    training took, ``metric_elapsed_time``, and ``metric_params``, the trainable parameters. What is
    no cell, or has no run, has error 1, took no time, and has as many parameters as the largest
    cell. The one fidelity is ``epochs``, its values the budgets of the table.

    Syne Tune's simulator asks for all budgets of a configuration at once and keeps the time
    itself: so its clock is the one to look at, and that of the benchmark has all that was asked.

    Parameters
    ----------
    benchmark
        What is queried.
    encoding
        As in `nb101.search.to_cell`.

    Attributes
    ----------
    kind
        Whether the runs are measured or predicted.
    num_seeds
        How many runs a cell has at most: the simulator's ``seed`` is below it.
    metadata
        What to hand to ``Tuner(metadata=...)``, so that the files of a tuning say of which kind
        their numbers are.

    Raises
    ------
    MissingExtraError
        On import, if Syne Tune is missing: ``pip install syne-tune huggingface-hub``.
    """

    def __init__(self, benchmark: Benchmark, encoding: str = ADJACENCY) -> None:
        self._asked = asked = Asked(benchmark, encoding, OBJECTIVES)
        self._budgets = asked.table.epochs
        self.benchmark = benchmark
        self.kind = asked.kind
        self.num_seeds = asked.repeats
        self.metadata = {
            "benchmark": "NAS-Bench-101",
            "kind": asked.kind,
            "encoding": encoding,
            "seed": benchmark.seed,
            "noise": benchmark.noise,
        }
        largest = asked.worst("trainable_parameters", self._budgets[-1])
        self._nothing = (1.0, 1.0, 0.0, largest)
        super().__init__(
            configuration_space={
                name: _domain(values) for name, values in asked.reader.variables.items()
            },
            fidelity_space={RESOURCE: randint(self._budgets[0], self._budgets[-1])},
            objectives_names=list(NAMES),
        )

    @property
    def fidelity_values(self) -> npt.NDArray[np.int64]:
        """The budgets of the table, ascending."""
        return np.array(self._budgets)

    def _objective_function(
        self,
        configuration: dict[str, Any],
        fidelity: Mapping[str, int] | None = None,
        seed: int | None = None,
    ) -> dict[str, float] | npt.NDArray[np.float64]:
        """Answer at one budget by name, or at all of them: shape ``(budgets, objectives)``."""
        if seed is not None:
            seed = check_range("seed", seed, 0, self.num_seeds - 1)
        asked = self._asked
        cell_id = asked.reader.cell_id(configuration)
        if fidelity is not None:
            values = self._values(cell_id, _epochs(fidelity), seed)
            return dict(zip(NAMES, values, strict=True))
        return np.array([self._values(cell_id, epochs, seed) for epochs in self._budgets])

    def _values(self, cell_id: int, epochs: int, seed: int | None) -> tuple[float, ...]:
        asked = self._asked
        run: Run | None = None
        if cell_id >= 0:
            run = asked.of_cell(cell_id, epochs, seed)
        else:
            asked.table.budget(epochs)
        if run is None:
            return self._nothing
        return (
            1 - run.validation_accuracy,
            1 - run.test_accuracy,
            run.training_time,
            run.trainable_parameters,
        )


def _epochs(fidelity: Mapping[str, int]) -> int:
    try:
        return fidelity[RESOURCE]
    except (KeyError, TypeError):
        raise ArgumentError(
            f"fidelity must be {{{RESOURCE!r}: ...}}, not {fidelity!r}", field="fidelity"
        ) from None


def _domain(values: Any) -> Any:
    """Return the domain of what a variable may be."""
    if isinstance(values, list):
        return choice(values)
    low, high = values
    return randint(low, high) if isinstance(low, int) else uniform(low, high)
