"""The space for outside optimizers."""

import pickle
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nb101
from nb101 import encodings, search
from nb101.search import outside

ENCODINGS = ("adjacency", "categorical", "continuous")
ENCODERS: dict[str, Any] = {
    "adjacency": encodings.adjacency_one_hot,
    "categorical": encodings.adjacency_categorical,
    "continuous": encodings.adjacency_continuous,
}


def values_of(encoding: str, cell: nb101.Cell, space: nb101.SearchSpace) -> dict[str, Any]:
    """Write a cell as values of variables, by the encodings that are tested elsewhere."""
    vector = ENCODERS[encoding](cell, space)[0].tolist()
    v, k = space.max_vertices, len(space.ops)
    pairs = v * (v - 1) // 2
    if encoding == "adjacency":
        edges = {f"edge_{i}": vector[i] for i in range(pairs)}
        flags = np.reshape(vector[pairs:], (v - 2, k))
        # Vertices that are not there may have any op.
        ops = [int(row.argmax()) for row in flags]
    else:
        count = min(space.max_edges, pairs) if encoding == "categorical" else pairs
        edges = {f"edge_{i}": vector[i] for i in range(count)}
        if encoding == "continuous":
            edges["num_edges"] = int(vector[pairs])
            ops = [int(x) for x in vector[pairs + 1 :]]
        else:
            ops = [int(x) for x in vector[count:]]
    return edges | {f"op_node_{i}": space.ops[max(op, 0)] for i, op in enumerate(ops)}


@given(
    st.sampled_from(ENCODINGS),
    st.sampled_from([nb101.SearchSpace(), nb101.SearchSpace(5, 6, ["a", "b"])]),
    st.integers(0, 10**9),
)
def test_cells_come_back(encoding: str, space: nb101.SearchSpace, number: int) -> None:
    cell = space[number % len(space)]
    assert search.to_cell(encoding, values_of(encoding, cell, space), space) == cell


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("space", [nb101.SearchSpace(), nb101.SearchSpace(4, 4, ["a", "b"])])
def test_a_reader_finds_the_cells_of_to_cell(encoding: str, space: nb101.SearchSpace) -> None:
    pytest.importorskip("ConfigSpace")
    reader = outside.Reader(encoding, space)
    for defined in (search.config_space(encoding, space, seed=i) for i in range(2)):
        for configuration in defined.sample_configuration(100):
            values = dict(configuration)
            cell = search.to_cell(encoding, values, space)
            expected = -1 if cell is None else space.index(cell)
            assert reader.cell_id(values) == reader.cell_id(configuration) == expected
    again = pickle.loads(pickle.dumps(reader))
    assert again.cell_id(values) == expected


def test_a_reader_takes_and_refuses_what_to_cell_does() -> None:
    config_space = pytest.importorskip("ConfigSpace")
    inception = nb101.SearchSpace()[359_715]
    values = values_of("adjacency", inception, nb101.SearchSpace())
    reader = outside.Reader("adjacency")
    soft = {name: 0.7 if value == 1 else value for name, value in values.items()}
    assert reader.cell_id(values) == reader.cell_id(soft) == 359_715
    with pytest.raises(ValueError, match="no values of the variables"):
        outside.Reader("adjacency", original=True).cell_id(soft)
    with pytest.raises(ValueError, match="no value of edge_3"):
        reader.cell_id({k: v for k, v in values.items() if k != "edge_3"})
    with pytest.raises(ValueError, match="no op is called 'conv'"):
        reader.cell_id(values | {"op_node_1": "conv"})
    # Variables in another form, of the same names.
    other = config_space.ConfigurationSpace({f"edge_{i}": [1, 0] for i in range(21)})
    other.add([config_space.Categorical(f"op_node_{i}", nb101.OPS) for i in range(5)])
    assert reader.cell_id(config_space.Configuration(other, values)) == 359_715
    numbers = values_of("continuous", inception, nb101.SearchSpace())
    reader = outside.Reader("continuous")
    assert reader.cell_id(numbers) == 359_715
    for wrong in ({"edge_3": float("nan")}, {"num_edges": 22}, {"num_edges": -1}):
        with pytest.raises(ValueError, match=r"finite|number of edges"):
            reader.cell_id(numbers | wrong)
    values = values_of("adjacency", inception, nb101.SearchSpace())
    for edge in ("a", [1], 2, 10**400):
        for call in (outside.Reader("adjacency").cell_id, partial(search.to_cell, "adjacency")):
            with pytest.raises(nb101.ArgumentError, match="edge_0 must be"):
                call(values | {"edge_0": edge})
    for nothing in (None, 3, [1] * 26):
        with pytest.raises(nb101.ArgumentTypeError, match="a dict of variables"):
            outside.Reader("adjacency").cell_id(nothing)
    with pytest.raises(nb101.ArgumentError, match="encoding must be one of"):
        outside.Reader(["adjacency"])  # type: ignore[arg-type]
    equal = numbers | {f"edge_{i}": 0.5 for i in range(21)}
    expected = search.to_cell("continuous", equal)
    assert expected is not None
    assert reader.cell_id(equal) == nb101.SearchSpace().index(expected)


def test_what_is_no_cell_is_none() -> None:
    values = {f"edge_{i}": 0 for i in range(21)} | {f"op_node_{i}": nb101.OPS[0] for i in range(5)}
    assert search.to_cell("adjacency", values) is None
    assert search.to_cell("adjacency", values | {f"edge_{i}": 1 for i in range(21)}) is None
    assert search.to_cell("adjacency", values | {"edge_5": 1}) is not None
    with pytest.raises(ValueError, match="no value of edge_3"):
        search.to_cell("adjacency", {k: v for k, v in values.items() if k != "edge_3"})
    with pytest.raises(ValueError, match="no op is called 'conv'"):
        search.to_cell("adjacency", values | {"op_node_1": "conv"})
    with pytest.raises(ValueError, match="one of adjacency, categorical, continuous"):
        search.to_cell("paths", values)


def test_variables_are_those_of_the_paper() -> None:
    ops = [f"op_node_{i}" for i in range(5)]
    assert list(outside.variables("adjacency")) == [*(f"edge_{i}" for i in range(21)), *ops]
    assert list(outside.variables("categorical")) == [*(f"edge_{i}" for i in range(9)), *ops]
    assert outside.variables("categorical")["edge_8"] == list(range(21))
    continuous = outside.variables("continuous")
    assert list(continuous) == ["num_edges", *(f"edge_{i}" for i in range(21)), *ops]
    assert continuous["num_edges"] == (0, 9)
    assert continuous["edge_20"] == (0.0, 1.0)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_config_space_samples_cells(encoding: str) -> None:
    pytest.importorskip("ConfigSpace")
    for space in (None, nb101.SearchSpace(3, 3, ["only"])):
        defined = search.config_space(encoding, space, seed=0)
        assert sorted(defined) == sorted(outside.variables(encoding, space))
        cells = [search.to_cell(encoding, dict(x), space) for x in defined.sample_configuration(60)]
        assert any(cell is not None for cell in cells)
        assert all(cell in (space or nb101.SearchSpace()) for cell in cells if cell is not None)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_optuna_optimizes_a_benchmark(encoding: str, exact: nb101.Table) -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    bench = nb101.Benchmark(exact, seed=0)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(search.optuna_objective(bench, encoding=encoding, epochs=36), n_trials=40)
    complete = [x for x in study.trials if x.state == optuna.trial.TrialState.COMPLETE]
    pruned = [x for x in study.trials if x.state == optuna.trial.TrialState.PRUNED]
    assert len(complete) + len(pruned) == 40
    log = bench.log()
    assert 5 < len(complete) == len(log)
    assert log["epochs"].to_pylist() == [36] * len(log)
    assert [x.user_attrs["cell_id"] for x in complete] == log["cell_id"].to_pylist()
    assert [x.value for x in complete] == log["validation_accuracy"].to_pylist()
    assert complete[-1].user_attrs["seconds"] == bench.spent.seconds
    assert {x.user_attrs["kind"] for x in complete} == {bench.table.kind}
    assert study.best_value == max(log["validation_accuracy"].to_pylist())


def test_cells_without_runs_are_pruned(exact: nb101.Table) -> None:
    optuna = pytest.importorskip("optuna")
    bench = nb101.Benchmark(exact.select(cells=[0]), seed=0)
    objective = search.optuna_objective(bench)
    values: dict[str, Any] = {f"edge_{i}": int(i in (0, 3, 5)) for i in range(6)}
    values |= {"op_node_0": nb101.OPS[0], "op_node_1": nb101.OPS[0]}
    with pytest.raises(optuna.TrialPruned, match="no run"):
        objective(optuna.trial.FixedTrial(values))
    assert bench.spent.seconds == 0


def test_missing_libraries_name_the_extra(
    exact: nb101.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.setitem(sys.modules, "ConfigSpace", None)
    with pytest.raises(ImportError, match=r"pip install 'nb101\[search\]'"):
        search.optuna_objective(nb101.Benchmark(exact))
    with pytest.raises(ImportError, match=r"pip install 'nb101\[search\]'"):
        search.config_space()
