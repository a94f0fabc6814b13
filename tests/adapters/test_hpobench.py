"""HPOBench's benchmarks, against what its source says, and in loops of its kind."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import api, search

pytest.importorskip("ConfigSpace")

from nb101.adapters import hpobench

CLASSES: dict[str, type[hpobench.NASCifar10BaseBenchmark]] = {
    "A": hpobench.NASCifar10ABenchmark,
    "B": hpobench.NASCifar10BBenchmark,
    "C": hpobench.NASCifar10CBenchmark,
}
BY_ROWS = [(x, y) for x in range(7) for y in range(x + 1, 7)]
BY_COLUMNS = [(x, y) for y in range(7) for x in range(y)]
SPACE = nb101.SearchSpace()


def plain(nasbench: api.NASBench, name: str, values: dict[str, Any], budget: int) -> dict[str, Any]:
    """What HPOBench answers for all three runs, by the original interface."""
    matrix = np.zeros((7, 7), dtype=int)
    if name == "A":
        edges = [BY_ROWS[i] for i in range(21) if values[f"edge_{i}"]]
    elif name == "B":
        edges = [BY_COLUMNS[20 - values[f"edge_{i}"]] for i in range(9)]
    else:
        order = sorted(range(21), key=lambda i: -values[f"edge_{i}"])
        edges = [BY_ROWS[i] for i in order[: values["num_edges"]]]
    for x, y in edges:
        matrix[x, y] = 1
    labels = ["input", *(str(values[f"op_node_{i}"]) for i in range(5)), "output"]
    spec = api.ModelSpec(matrix, labels)
    runs = [dict.fromkeys(("final_validation_accuracy", "final_test_accuracy"), 0.0)] * 3
    for run in runs:
        run["final_training_time"] = 0.0
    parameters: int = 0
    ops: Any = 0
    if matrix.sum() <= 9:
        try:
            fixed, computed = nasbench.get_metrics_from_spec(spec)
            runs = computed[budget]
            parameters, ops = fixed["trainable_parameters"], fixed["module_operations"]
        except api.OutOfDomainError:
            pass
    return {
        "function_value": float(1 - np.mean([run["final_validation_accuracy"] for run in runs])),
        "cost": float(np.sum([run["final_training_time"] for run in runs])),
        "test": float(1 - np.mean([run["final_test_accuracy"] for run in runs])),
        "valid": [run["final_validation_accuracy"] for run in runs],
        "parameters": parameters,
        "ops": sorted(ops) if ops else ops,
    }


@pytest.fixture(scope="module")
def nasbench() -> Iterator[api.NASBench]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "numbers of surrogate-v1 are predicted")
        yield api.NASBench()


@pytest.mark.parametrize("name", CLASSES)
def test_answers_are_those_of_its_source(name: str, nasbench: api.NASBench) -> None:
    b = CLASSES[name](rng=0)
    assert b.kind == "predicted"
    valid = 0
    for i, configuration in enumerate(b.get_configuration_space(seed=3).sample_configuration(150)):
        budget = (4, 12, 36, 108)[i % 4]
        expected = plain(nasbench, name, dict(configuration), budget)
        for given in (configuration, dict(configuration)):
            found = b.objective_function(given, {"budget": budget})
            info = found["info"]
            assert found["function_value"] == expected["function_value"]
            assert found["cost"] == expected["cost"]
            assert info["valid_accuracies"] == expected["valid"]
            assert info["fidelity"] == {"budget": budget}
            assert info["kind"] == "predicted"
            assert info["data"]["trainable_parameters"] == expected["parameters"]
            ops = info["data"]["module_operations"]
            assert (sorted(ops) if ops else ops) == expected["ops"]
        tested = b.objective_function_test(configuration, {"budget": budget})
        assert tested["function_value"] == expected["test"]
        assert tested["cost"] == expected["cost"]
        valid += found["cost"] > 0
    assert 20 < valid < 150


def values_of(cell: nb101.Cell, name: str) -> dict[str, Any]:
    """Write a cell as configuration; vertices that it has not have any op."""
    flags = nb101.encodings.adjacency_one_hot(cell)[0].tolist()
    edges = [i for i in range(21) if flags[i]]
    ops = [nb101.OPS[int(np.argmax(flags[21 + 3 * i : 24 + 3 * i]))] for i in range(5)]
    values: dict[str, Any] = {f"op_node_{i}": op for i, op in enumerate(ops)}
    if name == "A":
        return values | {f"edge_{i}": flags[i] for i in range(21)}
    if name == "B":
        theirs = [20 - BY_COLUMNS.index(BY_ROWS[i]) for i in edges]
        theirs += theirs[-1:] * (9 - len(theirs))
        return values | {f"edge_{i}": number for i, number in enumerate(theirs)}
    numbers = {f"edge_{i}": 0.5 * flags[i] + i / 100 for i in range(21)}
    return values | numbers | {"num_edges": len(edges)}


@pytest.mark.parametrize("name", CLASSES)
def test_measured_runs(name: str, measured: nb101.Benchmark, folder_of_the_official: Path) -> None:
    b = CLASSES[name](benchmark=measured, rng=1)
    assert b.kind == "measured"
    table = measured.table
    for cell_id in (3, 17, 39, 359_715):
        values = values_of(SPACE[cell_id], name)
        validation = table.select([cell_id], 36).values("validation_accuracy")[0].tolist()
        times = table.select([cell_id], 36).values("training_time")[0].tolist()
        found = b.objective_function(values, {"budget": 36})
        assert found["function_value"] == float(1 - np.mean(validation))
        assert found["cost"] == float(np.sum(times))
        for index in range(3):
            one = b.objective_function(values, {"budget": 36}, run_index=index)
            assert one["function_value"] == 1 - validation[index]
            assert one["cost"] == times[index]
        two = b.objective_function(values, {"budget": 36}, run_index=(0, 2, 2))
        assert two["cost"] == times[0] + times[2]
    # A run that is drawn is the one that HPOBench draws of the seed.
    for seed in range(5):
        index = int(np.random.RandomState(seed).choice((0, 1, 2), size=1)[0])
        drawn = b.objective_function(values, {"budget": 36}, run_index=None, rng=seed)
        assert drawn["cost"] == times[index]
    # A cell without runs is no cell; the folder of the original's file will do.
    nothing = b.objective_function(values_of(SPACE[5000], name))
    assert (nothing["function_value"], nothing["cost"]) == (1, 0)
    again = CLASSES[name](folder_of_the_official, rng=1)
    assert again.objective_function(values, {"budget": 36}) == found | {
        "info": found["info"] | {"kind": again.kind}
    }


def test_cells_of_fewer_runs() -> None:
    cells, runs = [5, 5, 6, 7, 7, 7], [0.5, 0.75, 0.25, 0.25, 0.5, 0.75]
    table = nb101.Table.from_columns(
        {
            "cell_id": cells,
            "epochs": [108] * 6,
            "final_training_time": [100.0] * 6,
            "final_validation_accuracy": runs,
            "final_test_accuracy": runs,
        },
        provenance={"kind": "measured"},
    )
    b = hpobench.NASCifar10ABenchmark(benchmark=nb101.Benchmark(table, seed=0))
    two, one, three = (values_of(SPACE[cell_id], "A") for cell_id in (5, 6, 7))
    assert [b(values) for values in (two, one, three)] == [1 - 0.625, 0.75, 0.5]
    assert {b(two, run_index=None, rng=seed) for seed in range(20)} == {0.5, 0.25}
    assert {b(one, run_index=None, rng=seed) for seed in range(20)} == {0.75}
    assert {b(three, run_index=None, rng=seed) for seed in range(30)} == {0.75, 0.5, 0.25}
    assert b(two, run_index=1) == 0.25
    found = b.objective_function(three, run_index=[2, 0, 2])
    assert found["info"]["valid_accuracies"] == [0.75, 0.25]
    spent = b.benchmark.spent
    with pytest.raises(
        nb101.MissingRunError, match="cell 5 has no run 2 at 108 epochs; it has 0, 1"
    ):
        b.objective_function(two, run_index=2)
    with pytest.raises(nb101.MissingRunError, match="cell 6 has no run 1 at 108 epochs; it has 0"):
        b.objective_function(one, run_index=(0, 1))
    assert b.benchmark.spent == spent
    assert b(values_of(SPACE[9], "A"), run_index=2) == 1


def test_the_clock_is_charged(measured: nb101.Benchmark) -> None:
    b = hpobench.NASCifar10ABenchmark(benchmark=measured)
    values = values_of(SPACE[359_715], "A")
    found = b.objective_function(values)
    assert measured.spent.seconds == pytest.approx(found["cost"])
    assert measured.spent.epochs == 3 * 108
    b.objective_function(values | {f"edge_{i}": 1 for i in range(21)})
    assert measured.spent.epochs == 3 * 108


def test_more_than_nine_edges_are_refused_whatever_counts() -> None:
    b = hpobench.NASCifar10ABenchmark()
    values = values_of(nb101.Cell("0100", "input,output"), "A")
    # Nine more edges between vertices that input does not reach.
    apart = [i for i, (x, y) in enumerate(BY_ROWS) if x > 0 and y < 6][:10]
    many = values | {f"edge_{i}": 1 for i in apart}
    assert sum(many[f"edge_{i}"] for i in range(21)) > 9
    assert search.to_cell("adjacency", many) is not None
    assert b(many) == 1
    assert b(values) < 1


def test_what_is_wrong_is_said(measured: nb101.Benchmark) -> None:
    b = hpobench.NASCifar10ABenchmark()
    values = values_of(SPACE[359_715], "A")
    for call, message in (
        (lambda: b.objective_function(values, {"budget": 5}), "one of"),
        (lambda: b.objective_function(values, {"epochs": 4}), "one of"),
        (lambda: b.objective_function(values, 4), "fidelity must be"),
        (lambda: b.objective_function(values, budget=4), "belongs into fidelity"),
        (lambda: b.objective_function(values, run_index=3), "run_index must be from 0 to 2"),
        (lambda: b.objective_function(values, run_index=()), "run_index must have a run"),
        (lambda: b.objective_function(values | {"lr": 1}), "no variable is called 'lr'"),
        (lambda: b.objective_function(values | {"edge_0": 2}), "edge_0 must be 0 or 1"),
        (lambda: b.objective_function({}), "no value of edge_0"),
        (lambda: hpobench.NASCifar10ABenchmark("x", benchmark=measured), "not both"),
    ):
        with pytest.raises(nb101.NB101Error, match=message):
            call()
    small = nb101.Benchmark(measured.table.select(epochs=108))
    with pytest.raises(nb101.MissingRunError):
        hpobench.NASCifar10ABenchmark(benchmark=small).objective_function(values, {"budget": 4})


def test_spaces_and_names() -> None:
    b = hpobench.NASCifar10BBenchmark(rng=7)
    assert sorted(b.configuration_space) == sorted(
        [*(f"edge_{i}" for i in range(9)), *(f"op_node_{i}" for i in range(5))]
    )
    budget: Any = b.get_fidelity_space(seed=1)["budget"]
    assert tuple(budget.sequence) == (4, 12, 36, 108)
    assert budget.default_value == 108
    assert "https://github.com/automl/nas_benchmarks" in b.get_meta_information()["references"]
    seeded = [b.get_configuration_space(seed=5).sample_configuration() for _ in range(2)]
    assert dict(seeded[0]) == dict(seeded[1])
    fidelity = b.fidelity_space.get_default_configuration()
    assert b.objective_function(seeded[0], fidelity)["info"]["fidelity"] == {"budget": 108}


def test_a_random_loop_as_its_examples_have(predicted: nb101.Benchmark) -> None:
    b = hpobench.NASCifar10CBenchmark(benchmark=predicted, rng=1)
    best, spent = 1.0, 0.0
    for configuration in b.get_configuration_space(seed=1).sample_configuration(200):
        found = b.objective_function(configuration=configuration, fidelity={"budget": 108}, rng=1)
        best, spent = min(best, found["function_value"]), spent + found["cost"]
    assert best < 0.08
    assert predicted.spent.seconds == pytest.approx(spent)


def test_smac_runs_on_it_with_fidelities(tmp_path: Path, predicted: nb101.Benchmark) -> None:
    smac = pytest.importorskip("smac")
    b = hpobench.NASCifar10ABenchmark(benchmark=predicted, rng=1)
    asked: list[int] = []

    def evaluate(configuration: Any, seed: int, budget: float) -> float:
        asked.append(round(budget))
        found = b.objective_function(configuration, {"budget": round(budget)}, rng=seed)
        return float(found["function_value"])

    scenario = smac.Scenario(
        b.get_configuration_space(seed=1),
        deterministic=True,
        n_trials=40,
        min_budget=4,
        max_budget=108,
        output_directory=tmp_path,
        seed=1,
    )
    facade = smac.MultiFidelityFacade(scenario, evaluate, logging_level=False, overwrite=True)
    incumbent = facade.optimize()
    assert len(asked) == 40
    assert set(asked) <= {4, 12, 36, 108}
    assert len(set(asked)) > 1
    assert b(incumbent) < 0.3
