"""Benchmarks of official files, tables and queries. Run with `make bench`.

The official files are made here, full in size and faithful in form, with numbers drawn at random:
all 423,624 cells three times at 108 epochs (0.5 GB), and at four budgets (2 GB). They are kept in
`build/bench`. Times of reading are those with the file in the page cache, and include writing the
result; each is taken in a process of its own, whose peak memory is reported.
"""

import base64
import json
import random
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from children import in_a_process
from nb101 import _core, api
from nb101._base.files import atomic_path
from nb101.table.schema import EVALUATIONS

FOLDER = Path(__file__).parent.parent / "build" / "bench"
SEED = 2019
REPEATS = 3


def make_official(path: Path, budgets: tuple[int, ...]) -> None:
    """Write a file as large as the release, cells in no order."""
    rng = np.random.default_rng(SEED)
    cells = nb101.SearchSpace().enumerate()
    parameters = cells.parameters().astype(np.int32)
    rows = len(cells) * REPEATS * len(budgets)
    ids = np.repeat(rng.permutation(len(cells)), REPEATS * len(budgets)).astype(np.int32)
    columns: dict[str, Any] = {
        "cell_id": ids,
        "epochs": np.tile(np.repeat(np.array(budgets, np.int16), REPEATS), len(cells)),
        "record": np.arange(rows, dtype=np.int32),
        "trainable_parameters": parameters[ids],
    }
    seconds = columns["epochs"] * rng.uniform(5, 20, rows)
    for name in EVALUATIONS:
        part = {"start": 0.0, "halfway": 0.5, "final": 1.0}[name.split("_")[0]]
        if name.endswith("_epoch"):
            values = part * columns["epochs"]
        elif name.endswith("_training_time"):
            values = part * seconds
        else:
            values = rng.integers(900, 9985, rows) / 9984
        columns[name] = values.astype(np.float32)
    columns["total_time"] = seconds * 1.1
    with atomic_path(path) as temporary:
        _core.write_release(str(temporary), columns, [])


def official(name: str, budgets: tuple[int, ...]) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / name
    if not path.exists():
        make_official(path, budgets)
    # Into the page cache, so that runs are alike.
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass
    return path


@pytest.fixture(scope="module")
def only108() -> Path:
    return official("only108.tfrecord", (108,))


@pytest.fixture(scope="module")
def full() -> Path:
    return official("full.tfrecord", (4, 12, 36, 108))


@pytest.fixture(scope="module")
def arrow(full: Path) -> Path:
    path = FOLDER / "full.arrow"
    nb101.convert(full, path)
    return path


@pytest.fixture(scope="module")
def table(arrow: Path) -> nb101.Table:
    return nb101.Table.open(arrow)


CONVERT = """
import json, sys, time
import nb101
convert = nb101.convert
start = time.perf_counter()
convert(sys.argv[1], sys.argv[2])
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "peak": peak_megabytes()}))
"""


def convert(benchmark: Any, source: Path, rounds: int, **asked: float) -> None:
    size = source.stat().st_size
    target = FOLDER / "converted.arrow"
    runs = [in_a_process(CONVERT, source, target) for _ in range(rounds)]
    benchmark.extra_info.update(
        items=size,
        unit="bytes",
        seconds=min(run["seconds"] for run in runs),
        median=float(np.median([run["seconds"] for run in runs])),
        peak_megabytes=max(run["peak"] for run in runs),
        **asked,
    )
    benchmark.pedantic(lambda: in_a_process(CONVERT, source, target), rounds=1)
    target.unlink()


def test_convert_108(benchmark: Any, only108: Path) -> None:
    convert(benchmark, only108, 5, asked_per_second=300e6, asked_megabytes=1000)


def test_convert_full(benchmark: Any, full: Path) -> None:
    convert(benchmark, full, 3, asked_per_second=1e9, asked_megabytes=500)


def plain_read(data: bytes) -> dict[str, dict[int, list[Any]]]:
    """Read records as the original does, but for TensorFlow: it checks nothing either."""
    found: dict[str, dict[int, list[Any]]] = {}
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        text = json.loads(data[at + 12 : at + 12 + length])
        at += length + 16
        key, epochs, adjacency, operations, metrics = text
        size = len(operations.split(","))
        matrix = np.array([int(digit) for digit in adjacency], dtype=np.int8)
        message = base64.b64decode(metrics)
        evaluations = [struct.unpack_from("<" + "xd" * 5, message, 2 + 47 * i) for i in range(3)]
        fixed = (matrix.reshape(size, size), operations.split(","))
        found.setdefault(key, {}).setdefault(epochs, []).append((fixed, evaluations))
    return found


def test_plain_python_read(benchmark: Any, only108: Path) -> None:
    """A slice of the file; TensorFlow's iterator and protobuf are slower than what is here."""
    with only108.open("rb") as file:
        data = file.read(20_000_000)
    end, at = 0, 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        at += length + 16
        end = at if at <= len(data) else end
    benchmark.extra_info.update(items=end, unit="bytes")
    found = benchmark.pedantic(lambda: plain_read(data[:end]), rounds=3)
    assert len(found) > 10_000


def test_export_full(benchmark: Any, table: nb101.Table, full: Path) -> None:
    """The table as official records again, byte for byte."""
    target = FOLDER / "exported.tfrecord"
    benchmark.extra_info.update(items=full.stat().st_size, unit="bytes")
    benchmark.pedantic(lambda: table.save(target), rounds=2)
    assert subprocess.run(["cmp", str(full), str(target)], check=False).returncode == 0
    target.unlink()


OPEN = """
import json, sys, time
import nb101
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
nb101.Table, nb101.Benchmark, nb101.Cell
before = resident()
start = time.perf_counter()
table = nb101.Table.open(sys.argv[1])
run = nb101.Benchmark(table, seed=0).query(nb101.Cell("0100", "input,output"))
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "peak": resident() - before}))
"""


def test_open_and_query(benchmark: Any, arrow: Path) -> None:
    """From the imports of nb101 on: pyarrow is imported, the file opened, one query answered."""
    runs = [in_a_process(OPEN, arrow) for _ in range(10)]
    benchmark.extra_info.update(
        items=1,
        unit="opens",
        seconds=min(run["seconds"] for run in runs),
        median=float(np.median([run["seconds"] for run in runs])),
        peak_megabytes=max(run["peak"] for run in runs),
        asked_seconds=0.05,
        asked_megabytes=100,
    )
    benchmark.pedantic(lambda: in_a_process(OPEN, arrow), rounds=1)


@pytest.fixture(scope="module")
def some_cells(table: nb101.Table) -> list[nb101.Cell]:
    ids = np.random.default_rng(SEED).integers(len(table.space), size=5000)
    return list(table.space[ids])


def test_query(benchmark: Any, table: nb101.Table, some_cells: list[nb101.Cell]) -> None:
    """`Benchmark.query` of cells in no order."""
    bench = nb101.Benchmark(table, seed=0)
    bench.query(some_cells[0])
    n = len(some_cells)
    benchmark.extra_info.update(items=n, unit="queries", asked_per_second=0.2e6)
    benchmark.pedantic(lambda: [bench.query(cell) for cell in some_cells], rounds=20)


def test_query_many(benchmark: Any, table: nb101.Table) -> None:
    bench = nb101.Benchmark(table, seed=0)
    n = 1_000_000
    ids = np.random.default_rng(SEED).integers(len(table.space), size=n)
    benchmark.extra_info.update(items=n, unit="queries", asked_per_second=5e6)
    benchmark.pedantic(lambda: bench.query_many(ids), rounds=7, warmup_rounds=1)


def test_query_many_cells(benchmark: Any, table: nb101.Table) -> None:
    bench = nb101.Benchmark(table, seed=0)
    cells = table.space.enumerate()
    benchmark.extra_info.update(items=len(cells), unit="queries", asked_per_second=5e6)
    benchmark.pedantic(lambda: bench.query_many(cells), rounds=7, warmup_rounds=1)


def test_api_query(benchmark: Any, arrow: Path, some_cells: list[nb101.Cell]) -> None:
    """The original interface: a fresh ModelSpec from lists, and its query."""
    nasbench = api.NASBench(str(arrow), seed=0)
    modules = [(cell.matrix.tolist(), list(cell.ops)) for cell in some_cells[:1000]]
    n = len(modules)
    benchmark.extra_info.update(items=n, unit="queries", asked_per_second=40e3)
    nasbench.query(api.ModelSpec(*modules[0]))
    benchmark.pedantic(
        lambda: [nasbench.query(api.ModelSpec(matrix, ops)) for matrix, ops in modules], rounds=20
    )


def test_mean_of_all_cells(benchmark: Any, table: nb101.Table) -> None:
    benchmark.extra_info.update(items=len(table.space), unit="cells")
    benchmark(lambda: table.mean("test_accuracy", 108))


def test_hash_to_cell(benchmark: Any, table: nb101.Table, some_cells: list[nb101.Cell]) -> None:
    hashes = [cell.hash for cell in some_cells]
    table.id_of(hashes[0])
    benchmark.extra_info.update(items=len(hashes), unit="hashes")
    benchmark.pedantic(lambda: [table.id_of(text) for text in hashes], rounds=5)


def test_random_search(benchmark: Any, arrow: Path) -> None:
    """The original notebook's random search through `nb101.api`, to 5,000,000 simulated seconds."""
    nasbench = api.NASBench(str(arrow), seed=SEED)

    def search() -> int:
        rng, n = random.Random(SEED), 0
        nasbench.reset_budget_counters()
        while nasbench.get_budget_counters()[0] < 5e6:
            matrix = np.triu(np.array(rng.choices((0, 1), k=49)).reshape(7, 7), 1)
            ops = ["input", *rng.choices(nasbench.config["available_ops"], k=5), "output"]
            spec = api.ModelSpec(matrix, ops)
            if nasbench.is_valid(spec):
                nasbench.query(spec)
                n += 1
        return n

    start = time.perf_counter()
    n = search()
    benchmark.extra_info.update(items=n, unit="queries", seconds=time.perf_counter() - start)
    benchmark.pedantic(search, rounds=3)
