"""What a query or a cell costs through NASLib's and EvoXBench's names, as graphs and as ONNX.

Run with `make bench`. Queries are asked through an adapter, and what answers them below it is asked
alone, in turns in one run: what lies between is what the adapter adds. Seconds are those of the
processor, the least of several rounds.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101.adapters import naslib
from nb101.adapters.evoxbench import NASBench101SearchSpace, c10mop
from nb101.space.graphs import graphs_of

COUNT, ROUNDS = 500, 15
ASKED = 30
"""Microseconds that an adapter may add to a query."""
SPACE = nb101.SearchSpace()


def costs(*calls: tuple[Callable[[Any], Any], Sequence[Any]]) -> list[float]:
    """Return the microseconds of each call: the least mean of several rounds, taken in turns."""
    best = [float("inf")] * len(calls)
    for _ in range(ROUNDS):
        for place, (call, given) in enumerate(calls):
            start = time.process_time()
            for one in given:
                call(one)
            best[place] = min(best[place], (time.process_time() - start) / len(given))
    return [1e6 * seconds for seconds in best]


def record(benchmark: Any, added: float, alone: float, unit: str = "queries") -> None:
    """Keep what is added to each, and what it takes alone, in microseconds."""
    benchmark.pedantic(lambda: None, rounds=1)
    benchmark.extra_info.update(
        items=1,
        unit=unit,
        seconds=max(added, 0.001) / 1e6,
        asked_seconds=ASKED / 1e6,
        added_microseconds=added,
        alone_microseconds=alone,
    )


def rate(benchmark: Any, cells: int, call: Callable[[], Any], rounds: int = 5) -> None:
    """Keep how many cells a second go through a call."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    benchmark.pedantic(lambda: None, rounds=1)
    benchmark.extra_info.update(items=cells, unit="cells", seconds=best)


def test_naslib_query(benchmark: Any) -> None:
    """Its steps of a query, from a spec with an array; alone: `Benchmark.query` of the cell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Numbers are predicted.
        made = naslib.get_nasbench101_api()
    spec_of, data = made["api"].ModelSpec, made["nb101_data"]

    def query(spec: dict[str, Any]) -> Any:
        api_spec = spec_of(**spec)
        return data.query(api_spec) if data.is_valid(api_spec) else -1

    cells = SPACE.sample(COUNT, seed=0)
    bench = nb101.Benchmark(nb101.load_table(), seed=0)
    specs = list(map(naslib.to_spec, cells))
    ours, alone = costs((query, specs), (bench.query, list(cells)))
    record(benchmark, ours - alone, alone)


@pytest.mark.parametrize("way", ["to", "from"])
@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
def test_naslib_tuples(benchmark: Any, way: str, many: bool) -> None:
    cells = SPACE.sample(100_000, seed=0)
    tuples = naslib.to_tuples(cells)
    if many and way == "to":
        rate(benchmark, len(cells), lambda: naslib.to_tuples(cells))
    elif many:
        rate(benchmark, len(cells), lambda: naslib.from_tuples(tuples))
    else:
        call: Any = naslib.to_tuple if way == "to" else naslib.from_tuple
        (each,) = costs((call, list(cells[:COUNT]) if way == "to" else tuples[:COUNT]))
        record(benchmark, each, 0.0, "cells")


@pytest.mark.parametrize("true_eval", [False, True], ids=["drawn", "true"])
@pytest.mark.parametrize("rows", [1, 100])
def test_evoxbench_evaluate(benchmark: Any, rows: int, true_eval: bool) -> None:
    """Objectives of rows of variables, each a cell; alone: `Benchmark.query` of ids."""
    problem = c10mop(2, seed=0)
    cells = SPACE.sample(COUNT, seed=0)
    parts = np.split(NASBench101SearchSpace().encode(cells), COUNT // rows)
    bench = nb101.Benchmark(nb101.load_table(), seed=0)
    ours, alone = costs(
        (lambda part: problem.evaluate(part, true_eval=true_eval), parts),
        (bench.query, SPACE.index(cells).tolist()),
    )
    record(benchmark, ours / rows - alone, alone)


def test_graphs_of_the_space(benchmark: Any) -> None:
    """Arrays alone, as PyTorch Geometric has them; no library is needed."""
    cells = SPACE.enumerate()
    rate(benchmark, len(cells), lambda: graphs_of(*cells.words, 3))


@pytest.mark.parametrize("batch", [False, True], ids=["dataset", "batch"])
def test_pyg(benchmark: Any, batch: bool) -> None:
    """The whole space with targets, ids included."""
    _geometric()
    cells = SPACE.enumerate()
    y = nb101.load_table().mean("validation_accuracy", 108)
    if batch:
        rate(benchmark, len(cells), lambda: cells.to_pyg(y, batch=True))
    else:
        rate(benchmark, len(cells), lambda: cells.to_pyg(y))


def test_pyg_one_by_one(benchmark: Any) -> None:
    """What the data set is in place of: a `Data` of each cell, and the library's own batch."""
    _geometric()
    import torch
    from torch_geometric.data import Batch, Data

    cells = SPACE.sample(2000, seed=0)
    flags = torch.eye(5)

    def plain() -> Any:
        made = []
        for cell in cells:
            kinds = torch.tensor([0, *(code + 1 for code in cell.codes[1:-1]), 4])
            made.append(Data(x=flags[kinds], edge_index=torch.tensor(cell.edge_list()).t()))
        return Batch.from_data_list(made)

    rate(benchmark, len(cells), plain, 3)


@pytest.mark.parametrize("size", ["reduced", "full"])
def test_onnx(benchmark: Any, size: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    from nb101.nn import Network, to_onnx

    cell = SPACE[359_715]
    network = Network(cell) if size == "full" else Network(cell, 16, 3, 1)
    rate(benchmark, 1, lambda: to_onnx(network, tmp_path / "network.onnx"), 3)


def _geometric() -> None:
    with warnings.catch_warnings():
        # It compiles functions in a way that its torch has given up.
        warnings.simplefilter("ignore")
        pytest.importorskip("torch_geometric", reason="torch_geometric is not installed")
