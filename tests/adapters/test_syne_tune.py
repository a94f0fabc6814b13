"""Syne Tune's blackbox, and its own tuner on it in simulated time."""

import json
import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import search

pytest.importorskip("syne_tune.blackbox_repository", exc_type=ImportError)

from nb101.adapters.syne_tune import NASBench101

ENCODINGS = ("adjacency", "categorical", "continuous")
BUDGETS = (4, 12, 36, 108)


def sample(blackbox: Any, seed: int) -> dict[str, Any]:
    rng = np.random.RandomState(seed)
    return {
        name: domain.sample(random_state=rng)
        for name, domain in blackbox.configuration_space.items()
    }


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_answers_are_those_of_the_table(encoding: str, predicted: nb101.Benchmark) -> None:
    blackbox = NASBench101(predicted, encoding)
    table = predicted.table
    assert blackbox.fidelity_values.tolist() == list(BUDGETS)
    assert blackbox.fidelity_name() == "epochs"
    assert (blackbox.kind, blackbox.num_seeds) == ("predicted", 1)
    cells = 0
    for seed in range(60):
        values = sample(blackbox, seed)
        cell = search.to_cell(encoding, values)
        found: Any = blackbox.objective_function(values)
        assert found.shape == (4, 4)
        for row, epochs in zip(found, BUDGETS, strict=True):
            named: Any = blackbox(values, epochs)
            assert list(named) == blackbox.objectives_names
            assert list(named.values()) == row.tolist()
            if cell is None:
                assert row[:3].tolist() == [1, 1, 0]
                continue
            runs = table.select(cell, epochs)
            expected = [
                1 - runs.values("validation_accuracy")[0][0].item(),
                1 - runs.values("test_accuracy")[0][0].item(),
                runs.values("training_time")[0][0].item(),
                cell.parameters,
            ]
            assert row.tolist() == expected
        cells += cell is not None
    assert 5 < cells < 60


def test_seeds_name_runs(measured: nb101.Benchmark) -> None:
    blackbox = NASBench101(measured)
    assert (blackbox.kind, blackbox.num_seeds) == ("measured", 3)
    cell = nb101.SearchSpace()[359_715]
    flags = nb101.encodings.adjacency_one_hot(cell)[0]
    values: dict[str, Any] = {f"edge_{i}": int(flags[i]) for i in range(21)}
    ops = flags[21:].reshape(5, 3).argmax(axis=1)
    values |= {f"op_node_{i}": nb101.OPS[op] for i, op in enumerate(ops)}
    for seed in range(3):
        found: Any = blackbox.objective_function(values, seed=seed)
        for row, epochs in zip(found, BUDGETS, strict=True):
            runs = measured.table.select(cell, epochs)
            assert row[0] == 1 - runs.values("validation_accuracy")[0][seed].item()
    drawn = {float(blackbox(values, 108)["metric_valid_error"]) for _ in range(40)}
    assert len(drawn) == 3
    with pytest.raises(nb101.NB101Error, match="seed must be from 0 to 2"):
        blackbox(values, seed=3)
    with pytest.raises(nb101.MissingRunError):
        blackbox(values, 5)
    with pytest.raises(nb101.NB101Error, match="no value of edge_0"):
        blackbox({})
    # Of a cell that has no runs nothing is known, as of what is no cell.
    nothing: Any = blackbox(values | {"op_node_0": "maxpool3x3"}, 108)
    assert nothing["metric_valid_error"] == 1
    assert nothing["metric_params"] == measured.table.parameters.max()


def test_a_seed_replays_and_blackboxes_are_pickled(predicted: nb101.Benchmark) -> None:
    def answers(blackbox: Any) -> list[Any]:
        return [blackbox(sample(blackbox, seed)).tolist() for seed in range(20)]

    noisy = nb101.Benchmark(predicted.table, seed=5, noise=True)
    blackbox = NASBench101(noisy)
    copied = pickle.loads(pickle.dumps(blackbox))
    first = answers(blackbox)
    assert answers(copied) == first
    again = nb101.Benchmark(predicted.table, seed=5, noise=True)
    assert answers(NASBench101(again)) == first
    assert answers(blackbox) != first


def schedulers(space: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    from syne_tune.optimizer import baselines

    metric = "metric_valid_error"
    rungs = {"time_attr": "epochs", "max_t": 108, "grace_period": 4, "reduction_factor": 3}
    return {
        "random": lambda: baselines.RandomSearch(space, metrics=[metric], random_seed=1),
        "asha": lambda: baselines.ASHA(space, metric=metric, random_seed=1, **rungs),
        "rea": lambda: baselines.REA(
            space, metric=metric, random_seed=1, population_size=10, sample_size=3
        ),
    }


def tune(name: str, benchmark: nb101.Benchmark) -> tuple[Any, Any]:
    """Run Syne Tune's own loop: four workers for three hours of simulated time.

    It draws choices of NumPy's global generator, whatever the seed of the scheduler.
    """
    from syne_tune import StoppingCriterion, Tuner
    from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
    from syne_tune.blackbox_repository import UserBlackboxBackend
    from syne_tune.experiments import load_experiment

    np.random.seed(1)  # noqa: NPY002
    blackbox = NASBench101(benchmark)
    backend = UserBlackboxBackend(blackbox, elapsed_time_attr="metric_elapsed_time")
    tuner = Tuner(
        backend,
        schedulers(blackbox.configuration_space)[name](),
        StoppingCriterion(max_wallclock_time=1e4),
        n_workers=4,
        sleep_time=0,
        callbacks=[SimulatorCallback()],
        metadata=blackbox.metadata,
        tuner_name=name,
    )
    tuner.run()
    assert (tuner.tuner_path / "tuner.dill").stat().st_size < 1e7
    metadata = json.loads((tuner.tuner_path / "metadata.json").read_text())
    assert metadata["kind"] == "predicted"
    return tuner, load_experiment(tuner.name).results


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["random", "asha", "rea"])
def test_its_tuner_runs_in_simulated_time(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, predicted: nb101.Benchmark
) -> None:
    monkeypatch.setenv("SYNETUNE_FOLDER", str(tmp_path))
    logging.disable(logging.CRITICAL)
    try:
        _, results = tune(name, predicted)
        again = nb101.Benchmark(predicted.table, seed=0)
        _, replayed = tune(name, again)
    finally:
        logging.disable(logging.NOTSET)
    assert set(results["epochs"]) <= set(BUDGETS)
    assert results["st_tuner_time"].max() > 9e3
    full = results[results["epochs"] == 108]
    assert 0.05 < full["metric_valid_error"].min() < 0.1
    if name == "asha":
        assert len(full) < len(results[results["epochs"] == 4]) / 3
    # Real time is added to the simulated, and so decides how far trials come.
    keys, values = ["trial_id", "epochs"], ["metric_valid_error", "metric_test_error"]
    both = results.merge(replayed, on=keys)
    assert len(both) > 10
    if name == "random":
        assert all((both[f"{value}_x"] == both[f"{value}_y"]).all() for value in values)
    # What a trial reported is what the table has of its cell.
    trial = full.iloc[0]
    names = [f"config_{name}" for name in NASBench101(predicted).configuration_space]
    configuration = {name.removeprefix("config_"): trial[name] for name in names}
    cell = search.to_cell("adjacency", configuration)
    if cell is not None:
        value = predicted.table.select(cell, 108).values("validation_accuracy")[0][0].item()
        assert trial["metric_valid_error"] == 1 - value
