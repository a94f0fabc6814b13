"""What NASLib takes of a benchmark, and the loops of its optimizers upon it.

NASLib is in no package registry, so `Graph` stands in for its ``NasBench101SearchSpace``: the calls
are those that its sources (commit 00a668b) make, each function of ours. The optimizers' loops run
on it.
"""

import copy
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nb101
from nb101 import api
from nb101.adapters import naslib
from official import write

SPACE = nb101.SearchSpace()
BUDGETS = (4, 12, 36, 108)
OPS = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"]
NUMBERS = ["input", "output", "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu"]
"""Ops by their numbers there."""
RNG = np.random.default_rng(0)

# Stand-in


class Graph:
    """A search space of NASLib: a spec, and what is asked of `dataset_api`."""

    def __init__(self) -> None:
        self.spec: dict[str, Any] = {}

    def set_spec(self, spec: Any, dataset_api: Any = None) -> None:
        if isinstance(spec, str):
            fixed, _ = dataset_api["nb101_data"].get_metrics_from_hash(spec)
            matrix, ops = fixed["module_adjacency"], fixed["module_operations"]
            last, whole = len(ops) - 1, np.zeros((7, 7), "int8")
            whole[: last + 1, :last] = matrix[:, :last]
            whole[: last + 1, 6] = matrix[:, last]
            spec = {"matrix": whole, "ops": [*ops[:-1], *OPS[:1] * (6 - last), "output"]}
        self.spec = spec

    def get_hash(self) -> tuple[int, ...]:
        numbers = [NUMBERS.index(op) for op in self.spec["ops"]]
        return (*self.spec["matrix"].flatten(), *numbers)

    def sample_random_architecture(self, dataset_api: Any) -> None:
        while True:
            matrix = np.triu(RNG.choice([0, 1], size=(7, 7)), 1)
            ops = ["input", *RNG.choice(OPS, size=5).tolist(), "output"]
            if dataset_api["nb101_data"].is_valid(dataset_api["api"].ModelSpec(matrix, ops)):
                break
        self.set_spec({"matrix": matrix, "ops": ops})

    def mutate(self, parent: "Graph", dataset_api: Any) -> None:
        while True:
            spec = copy.deepcopy(parent.spec)
            flips = np.triu(RNG.random((7, 7)) < 1 / 7, 1)
            spec["matrix"] = np.where(flips, 1 - spec["matrix"], spec["matrix"])
            for vertex in range(1, 6):
                if RNG.random() < 1 / 3:
                    others = [op for op in OPS if op != spec["ops"][vertex]]
                    spec["ops"][vertex] = RNG.choice(others)
            if dataset_api["nb101_data"].is_valid(dataset_api["api"].ModelSpec(**spec)):
                break
        self.set_spec(spec)

    def get_nbhd(self, dataset_api: Any) -> list["Graph"]:
        found = []
        for vertex in range(1, 6):
            for op in OPS:
                if op != self.spec["ops"][vertex]:
                    found.append(copy.deepcopy(self.spec))
                    found[-1]["ops"][vertex] = op
        for x, y in zip(*np.triu_indices(7, 1), strict=True):
            found.append(copy.deepcopy(self.spec))
            found[-1]["matrix"][x, y] ^= 1
        graphs = []
        for spec in found:
            if dataset_api["nb101_data"].is_valid(dataset_api["api"].ModelSpec(**spec)):
                graphs.append(Graph())
                graphs[-1].set_spec(spec)
        return graphs

    def query(self, metric: str, dataset_api: Any, full_lc: bool = False) -> Any:
        spec = dataset_api["api"].ModelSpec(**self.spec)
        if not dataset_api["nb101_data"].is_valid(spec):
            return -1
        results = dataset_api["nb101_data"].query(spec)
        if full_lc:
            return [dataset_api["nb101_data"].query(spec, epochs=e)[metric] for e in BUDGETS]
        return results[metric] * 100


@pytest.fixture(scope="module", autouse=True)
def kept() -> Iterator[None]:
    state = random.getstate()
    yield
    random.setstate(state)


@pytest.fixture(scope="module")
def dataset_api() -> dict[str, Any]:
    with pytest.warns(UserWarning, match="predicted"):
        return naslib.get_nasbench101_api("cifar10", seed=0)


def cell_of(graph: Graph) -> nb101.Cell:
    return nb101.Cell(graph.spec["matrix"], graph.spec["ops"])


# The dictionary


def test_the_dictionary(dataset_api: dict[str, Any]) -> None:
    assert list(dataset_api) == ["api", "nb101_data"]
    assert dataset_api["api"] is api
    assert isinstance(dataset_api["nb101_data"], api.NASBench)
    assert dataset_api["nb101_data"].valid_epochs == set(BUDGETS)
    with pytest.raises(nb101.UnknownNameError, match="cifar100"):
        naslib.get_nasbench101_api("cifar100")


def test_a_file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB101_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "nasbench_full.tfrecord"
    write(path, [0, 5], BUDGETS)
    found = naslib.get_nasbench101_api(table=path)
    assert found["nb101_data"].kind == "measured"
    assert len(found["nb101_data"].hash_iterator()) == 2
    with pytest.raises(api.MissingDatasetError):
        naslib.get_nasbench101_api(table=tmp_path / "nasbench_only108.pkl")


def test_regularized_evolution(dataset_api: dict[str, Any]) -> None:
    dataset_api["nb101_data"].reset_budget_counters()
    bench = nb101.Benchmark(nb101.load_table())
    population: list[tuple[float, Graph]] = []
    best = first = 0.0
    for step in range(60):
        graph = Graph()
        if step < 20:
            graph.sample_random_architecture(dataset_api)
        else:
            sample = [population[i] for i in RNG.choice(len(population), 10, replace=False)]
            graph.mutate(max(sample, key=lambda pair: pair[0])[1], dataset_api)
        accuracy = graph.query("validation_accuracy", dataset_api)
        # It is the one that the table has of that cell.
        cell = cell_of(graph)
        assert accuracy == 100 * bench.query(cell).validation_accuracy
        assert naslib.from_tuple(graph.get_hash()) == cell
        population = [*population, (accuracy, graph)][-20:]
        best = max(best, accuracy)
        first = best if step == 19 else first
    assert best >= first > 80
    seconds, epochs = dataset_api["nb101_data"].get_budget_counters()
    assert epochs == 60 * 108
    assert seconds == pytest.approx(bench.spent.seconds)


def test_local_search(dataset_api: dict[str, Any]) -> None:
    table = nb101.load_table()
    means = table.mean("validation_accuracy", 108)
    graph = Graph()
    graph.set_spec(SPACE[100_000].hash, dataset_api)
    assert cell_of(graph) == SPACE[100_000]
    accuracy, steps = graph.query("validation_accuracy", dataset_api), 0
    while True:
        found = graph.get_nbhd(dataset_api)
        accuracies = [one.query("validation_accuracy", dataset_api) for one in found]
        if max(accuracies) <= accuracy:
            break
        graph, accuracy = found[int(np.argmax(accuracies))], max(accuracies)
        steps += 1
    assert steps > 0
    assert accuracy == pytest.approx(100 * float(means[SPACE.index(cell_of(graph))]), abs=1e-4)
    curve = graph.query("validation_accuracy", dataset_api, full_lc=True)
    assert curve[-1] * 100 == accuracy
    bad = Graph()
    bad.set_spec({"matrix": np.zeros((7, 7), int), "ops": ["input", *OPS[:1] * 5, "output"]})
    assert bad.query("test_accuracy", dataset_api) == -1


# Tuples


def test_tuples_are_those_of_its_graphs(dataset_api: dict[str, Any]) -> None:
    """Of a hash its `set_spec` makes the reference form that the dataset has."""
    for cell in (*SPACE[:40], *SPACE.sample(200, seed=1)):
        graph = Graph()
        graph.set_spec(cell.hash, dataset_api)
        numbers = naslib.to_tuple(cell)
        assert cell_of(graph) == cell == naslib.from_tuple(numbers)
        spec = naslib.to_spec(cell)
        assert spec["matrix"].shape == (7, 7)
        assert naslib.from_spec(spec) == cell
        graph.set_spec(spec)
        assert graph.get_hash() == numbers
        assert all(type(number) is int for number in numbers)


def test_many_tuples_at_once() -> None:
    cells = SPACE[:60] + SPACE.sample(500, seed=3)
    tuples = naslib.to_tuples(cells)
    assert tuples == [naslib.to_tuple(cell) for cell in cells]
    assert naslib.from_tuples(tuples) == cells
    assert naslib.from_tuples(iter(tuples)) == cells
    # Of several lengths, and of numbers of NumPy.
    short: list[Any] = [(0, 1, 0, 0, 0, 1), tuples[5], np.array(tuples[-1], np.int8)]
    assert list(naslib.from_tuples(short)) == [SPACE[0], cells[5], cells[-1]]
    assert naslib.to_tuples(cells[:0]) == []
    larger = nb101.SearchSpace(8, 10).sample(50, seed=0)
    tuples = naslib.to_tuples(larger)
    assert {len(numbers) for numbers in tuples} == {56, 72}
    assert naslib.from_tuples(tuples) == larger
    assert len(naslib.from_tuples([])) == 0


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 1), min_size=21, max_size=21),
    st.lists(st.integers(2, 4), min_size=5, max_size=5),
)
def test_any_module_comes_back(edges: list[int], ops: list[int]) -> None:
    matrix = np.zeros((7, 7), int)
    matrix[np.triu_indices(7, 1)] = edges
    numbers = (*matrix.ravel().tolist(), 0, *ops, 1)
    try:
        cell = nb101.Cell(matrix, [NUMBERS[op] for op in numbers[49:]])
    except nb101.DisconnectedError:
        for read in (naslib.from_tuple, lambda one: naslib.from_tuples([one])):
            with pytest.raises(nb101.DisconnectedError):
                read(numbers)
        return
    assert naslib.from_tuple(numbers) == naslib.from_tuples([numbers])[0] == cell
    assert naslib.from_tuple(naslib.to_tuple(cell)) == cell


@pytest.mark.parametrize(
    ("bad", "error", "said"),
    [
        ((0, 1), "InvalidCellError", "no matrix"),
        ((0, 1, 0, 0, 0, 7), "UnknownOpError", "number 7"),
        ((0, 1, 0, 0, 0, -1), "UnknownOpError", "number -1"),
        ((0, 1, 0, 0, 1, 1), "InvalidCellError", "input"),
        ((0, 2, 0, 0, 0, 1), "InvalidCellError", "must be 0 or 1"),
        ((0.0,) * 56, "InvalidCellError", "whole numbers"),
        (("a",) * 56, "InvalidCellError", "whole numbers"),
        (5, "ArgumentTypeError", "not int"),
    ],
)
def test_what_is_no_tuple(bad: Any, error: str, said: str) -> None:
    with pytest.raises(getattr(nb101, error), match=said):
        naslib.from_tuple(bad)
    with pytest.raises(getattr(nb101, error), match=said) as caught:
        naslib.from_tuples([(0, 1, 0, 0, 0, 1), bad])
    assert caught.value.index == 1


def test_ops_that_have_no_number() -> None:
    cell = nb101.Cell("011001000", "input,a,output", op_names=["maxpool3x3", "a"])
    plain = nb101.Cell("011001000", "input,maxpool3x3,output", op_names=["maxpool3x3", "a"])
    assert naslib.to_tuples(nb101.Cells([plain])) == [naslib.to_tuple(plain)]
    for made in (lambda: naslib.to_tuple(cell), lambda: naslib.to_tuples(nb101.Cells([cell]))):
        with pytest.raises(nb101.UnknownOpError, match="no number for op 'a'"):
            made()
    with pytest.raises(nb101.ArgumentTypeError):
        naslib.to_tuple("28cfc7874f6d200472e1a9dcd8650aa0")  # type: ignore[arg-type]
    with pytest.raises(nb101.ArgumentTypeError):
        naslib.to_tuples([cell])  # type: ignore[arg-type]
