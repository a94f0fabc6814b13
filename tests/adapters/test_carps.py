"""CARP-S's objective function, and its own optimizers on it."""

from typing import Any

import pytest

import nb101
from nb101 import search

pytest.importorskip("ConfigSpace")
pytest.importorskip("carps.objective_functions.objective_function", exc_type=ImportError)

from nb101.adapters.carps import NASBench101, make_task

# It asks ConfigSpace in an older way.
pytestmark = pytest.mark.filterwarnings("ignore:Please use `space:DeprecationWarning")
ENCODINGS = ("adjacency", "categorical", "continuous")


def trial(function: Any, **given: Any) -> Any:
    from carps.utils.trials import TrialInfo

    return TrialInfo(config=function.configspace.sample_configuration(), **given)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_values_are_those_of_the_table(encoding: str, predicted: nb101.Benchmark) -> None:
    function = NASBench101(predicted, encoding, seed=0)
    cells = 0
    for i in range(60):
        epochs = (4, 12, 36, 108)[i % 4]
        info = trial(function, budget=float(epochs))
        value = function.evaluate(info)
        cell = search.to_cell(encoding, dict(info.config))
        assert value.additional_info["kind"] == "predicted"
        if cell is None:
            assert (value.cost, value.virtual_time) == (1, 0)
            assert "cell_id" not in value.additional_info
            continue
        runs = predicted.table.select(cell, epochs)
        assert value.cost == 1 - runs.values("validation_accuracy")[0][0].item()
        assert value.virtual_time == runs.values("training_time")[0][0].item()
        assert value.additional_info["cell_id"] == predicted.table.space.index(cell)
        test = runs.values("test_accuracy")[0][0].item()
        assert value.additional_info["test_accuracy"] == test
        cells += 1
    assert 5 < cells < 60
    assert function.n_function_calls == 60


def test_its_random_search_runs(predicted: nb101.Benchmark) -> None:
    from carps.optimizers.random_search import RandomSearchOptimizer

    costs = []
    for _ in range(2):
        benchmark = nb101.Benchmark(predicted.table, seed=1, noise=True)
        function = NASBench101(benchmark, seed=1)
        optimizer = RandomSearchOptimizer(make_task(function, trials=50))
        best, value = optimizer.run()
        assert function.n_trials == 50
        assert optimizer.virtual_time_elapsed_seconds == pytest.approx(benchmark.spent.seconds)
        assert 0.04 < value.cost < 0.1
        assert search.to_cell("adjacency", dict(best.config)) is not None
        costs.append([value.cost for _, value in optimizer.history])
    assert costs[0] == costs[1]


def test_a_task_that_ends_by_simulated_time(predicted: nb101.Benchmark) -> None:
    from carps.optimizers.random_search import RandomSearchOptimizer

    function = NASBench101(predicted, "categorical", seed=0)
    optimizer = RandomSearchOptimizer(make_task(function, minutes=1000, multi_fidelity=True))
    optimizer.run()
    last = optimizer.history[-1][1].virtual_time
    assert predicted.spent.seconds - last < 60_000 <= predicted.spent.seconds + 60
    assert set(predicted.log()["epochs"].to_pylist()) == {108}


def test_several_objectives(predicted: nb101.Benchmark) -> None:
    from carps.optimizers.random_search import RandomSearchOptimizer

    names = ("validation_accuracy", "trainable_parameters", "training_time")
    function = NASBench101(predicted, objectives=names, seed=0)
    task = make_task(function, trials=40, seed=3)
    assert task.output_space.n_objectives == 3
    assert task.output_space.objectives == names
    front = RandomSearchOptimizer(task).run()
    costs = [value.cost for _, value in front]
    assert len(costs) > 1
    assert all(error < 1 and parameters > 0 and time > 0 for error, parameters, time in costs)
    table = predicted.table
    nothing = function._cost_of_nothing(108)
    assert nothing == [1, table.parameters.max(), table.values("training_time", 108).max()]


def test_tasks_say_what_they_are(predicted: nb101.Benchmark, measured: nb101.Benchmark) -> None:
    task = make_task(NASBench101(predicted, "continuous"), trials=3, multi_fidelity=True)
    metadata = task.metadata
    assert metadata.objective_function_approximation == "surrogate"
    assert (metadata.dimensions, metadata.search_space_n_floats) == (27, 21)
    assert metadata.deterministic
    fidelity = task.input_space.fidelity_space
    assert (fidelity.fidelity_type, fidelity.min_fidelity, fidelity.max_fidelity) == (
        "epochs",
        4,
        108,
    )
    other = make_task(NASBench101(measured), minutes=5).metadata
    assert other.objective_function_approximation == "tabular"
    assert not other.deterministic
    with pytest.raises(nb101.NB101Error, match="trials or minutes"):
        make_task(NASBench101(measured))
    function = NASBench101(measured)
    with pytest.raises(nb101.MissingRunError):
        function.evaluate(trial(function, budget=5))
