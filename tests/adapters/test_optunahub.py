"""OptunaHub's problem, and studies of Optuna on it."""

import pickle
from typing import Any

import pytest

import nb101
from nb101 import search

optuna = pytest.importorskip("optuna")
pytest.importorskip("optunahub.benchmarks", exc_type=ImportError)

from nb101.adapters.optunahub import NASBench101  # noqa: E402

ENCODINGS = ("adjacency", "categorical", "continuous")
COMPLETE, PRUNED = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_study_optimizes_it(encoding: str, predicted: nb101.Benchmark) -> None:
    import optunahub

    problem = NASBench101(predicted, encoding, epochs=36)
    assert isinstance(problem, optunahub.benchmarks.BaseProblem)
    study = optuna.create_study(
        directions=problem.directions, sampler=optuna.samplers.RandomSampler(seed=0)
    )
    study.optimize(problem, n_trials=60)
    complete = study.get_trials(states=[COMPLETE])
    assert len(complete) + len(study.get_trials(states=[PRUNED])) == 60
    log = predicted.log()
    assert 5 < len(complete) == len(log)
    assert set(log["epochs"].to_pylist()) == {36}
    assert [x.value for x in complete] == log["validation_accuracy"].to_pylist()
    assert [x.user_attrs["cell_id"] for x in complete] == log["cell_id"].to_pylist()
    assert complete[-1].user_attrs["seconds"] == predicted.spent.seconds
    assert {x.user_attrs["kind"] for x in complete} == {problem.kind} == {"predicted"}
    # As nb101's own objective for Optuna does.
    other = nb101.Benchmark(predicted.table, seed=0)
    own = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    own.optimize(search.optuna_objective(other, encoding=encoding, epochs=36), n_trials=60)
    assert [x.values for x in own.trials] == [x.values for x in study.trials]


def test_several_objectives(predicted: nb101.Benchmark) -> None:
    names = ("validation_accuracy", "trainable_parameters", "training_time", "test_accuracy")
    problem = NASBench101(predicted, objectives=names)
    toward = optuna.study.StudyDirection
    assert problem.directions == [
        toward.MAXIMIZE,
        toward.MINIMIZE,
        toward.MINIMIZE,
        toward.MAXIMIZE,
    ]
    problem = NASBench101(predicted, objectives=names[:2])
    study = optuna.create_study(
        directions=problem.directions,
        sampler=optuna.samplers.NSGAIISampler(population_size=20, seed=0),
    )
    study.optimize(problem, n_trials=120)
    assert len(study.best_trials) > 3
    for trial in study.best_trials:
        run = predicted.table.select(trial.user_attrs["cell_id"], 108)
        assert trial.values == [
            run.values("validation_accuracy")[0][0].item(),
            float(run.parameters[0]),
        ]


def test_evaluating_and_replaying(measured: nb101.Benchmark) -> None:
    problem = NASBench101(measured)
    cell = nb101.Cell("0100", "input,output")
    values: dict[str, Any] = {f"edge_{i}": int(i == 5) for i in range(21)}
    values |= {f"op_node_{i}": nb101.OPS[0] for i in range(5)}
    assert search.to_cell("adjacency", values) == cell
    drawn = [problem.evaluate(values) for _ in range(20)]
    assert set(drawn) == set(
        measured.table.select(cell, 108).values("validation_accuracy")[0].tolist()
    )
    again = NASBench101(nb101.Benchmark(measured.table, seed=0))
    copied = pickle.loads(pickle.dumps(again))
    assert [again.evaluate(values) for _ in range(20)] == drawn
    assert [copied.evaluate(values) for _ in range(20)] == drawn
    spent = measured.spent
    for wrong in ({"edge_5": 0}, {f"edge_{i}": 1 for i in range(21)}):
        with pytest.raises(optuna.TrialPruned, match="no cell of the space"):
            problem.evaluate(values | wrong)
    assert measured.spent == spent
    space = problem.search_space
    assert list(space) == list(values)
    assert space["edge_0"] == optuna.distributions.CategoricalDistribution([0, 1])


def test_what_is_wrong_is_said(predicted: nb101.Benchmark) -> None:
    with pytest.raises(nb101.NB101Error, match="no objective is called 'accuracy'"):
        NASBench101(predicted, objectives=["accuracy"])
    for wrong in ((), ("test_accuracy", "test_accuracy")):
        with pytest.raises(nb101.NB101Error, match="each once"):
            NASBench101(predicted, objectives=wrong)
    table: Any = predicted.table
    with pytest.raises(nb101.NB101Error, match="takes a Benchmark, not Table"):
        NASBench101(table)
    with pytest.raises(nb101.MissingRunError):
        NASBench101(predicted, epochs=5)
