"""What an installed wheel must do, and what each extra promises; run by a Python that has it.

``python proof.py base`` or the names of extras; ``golden`` is the part of ``base`` that
starts no other process, which an emulator of one cannot. It takes the standard library and what the
wheel has brought, and none of the tests' libraries.
"""

import hashlib
import importlib.util
import platform
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nb101
from nb101 import _core

SPACE = "d3332c0348a4fb1e"
"""How the SHA-256 of all hashes of NAS-Bench-101, in the reference order, begins."""
INCEPTION = "28cfc7874f6d200472e1a9dcd8650aa0"
RESNET = "b5fb4f6193360330b6ff6a52cbf0cad7"


def golden() -> None:
    """Hash all cells by every set of instructions that is here, and find one, and the table."""
    space = nb101.SearchSpace()
    cells = space.enumerate()
    assert len(space) == len(cells) == 423_624
    for name in _core.cpu()[1]:
        _core.set_cpu(name)
        digest = hashlib.sha256(cells.hashes().tobytes()).hexdigest()
        assert digest.startswith(SPACE), (name, digest)
    _core.set_cpu()
    assert space[INCEPTION].hash == INCEPTION
    assert len(nb101.load_table().cells) == 423_624


def base() -> None:
    """Try what ``pip install nb101`` is enough for."""
    golden()
    space = nb101.SearchSpace()
    cell = space[INCEPTION]
    assert cell.parameters == 2_694_282
    assert space[space.index(cell)] == cell
    assert len(nb101.SearchSpace(5, 7).enumerate()) == len(nb101.SearchSpace(5, 7)) == 1776

    table = nb101.load_table()
    assert table.mean("validation_accuracy", epochs=108).shape == (423_624,)
    assert table.best("validation_accuracy").kind == "predicted"
    bench = nb101.Benchmark(table, seed=0)
    assert 0.9 < bench.query(RESNET, epochs=108).validation_accuracy < 1
    trace = nb101.search.run("regularized-evolution", bench, queries=200, seed=0)
    assert 0 <= trace.final_regret < 0.05
    assert nb101.analysis.pareto_front(table).kind == "predicted"
    assert nb101.api.ModelSpec(cell.matrix, list(cell.ops)).hash_spec([*nb101.OPS]) == INCEPTION
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: space.index(cell), range(64)))) == 1

    assert "Usage" in command("--help")
    assert command("--version") == f"nb101 {nb101.__version__}\n"
    assert "423,624" in command("count") or "423624" in command("count")
    assert "predicted" in command("query", INCEPTION)
    assert "predicted" in command("top", "--metric", "validation_accuracy", "-n", "3")
    assert "regret" in command("search", "run", "random-search", "--queries", "20")
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("parquet", "arrow", "csv", "json"):
            path = Path(folder) / f"space.{ending}"
            command("enumerate", "--vertices", "5", "--edges", "7", "-o", str(path))
            assert path.stat().st_size > 1000
    if not has("matplotlib"):
        for words in (("report", "-o", "page"), ("plot", "ecdf"), ("search", "compare")):
            assert "pip install 'nb101[report]'" in refused(*words)


def report() -> None:
    """Draw figures and write pages."""
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("png", "svg", "pdf"):
            path = Path(folder) / f"ecdf.{ending}"
            command("plot", "ecdf", "-o", str(path))
            assert path.stat().st_size > 1000
        command("report", "-o", f"{folder}/report")
        assert "<svg" in (Path(folder) / "report" / "index.html").read_text(encoding="utf-8")
        command("search", "compare", "random-search", "--runs", "3", "-o", f"{folder}/search")
        assert "<svg" in (Path(folder) / "search" / "index.html").read_text(encoding="utf-8")


def predict() -> None:
    """Fit a predictor, and apply it."""
    with tempfile.TemporaryDirectory() as folder:
        sample, fitted, applied = (f"{folder}/{name}" for name in ("s.arrow", "p.npz", "a.arrow"))
        command("predict", "sample", "--cells", "60", "-o", sample)
        few = ("--folds", "2", "--networks", "1")
        command("predict", "fit", sample, "-o", fitted, *few)
        command("predict", "apply", fitted, "-o", applied)
        assert nb101.Table.open(applied).best("validation_accuracy").kind == "predicted"


def search() -> None:
    """Run the searchers of Optuna, SMAC3 and scikit-learn."""
    bench = nb101.Benchmark(nb101.load_table(), seed=0)
    for name in ("tpe", "smac", "bananas"):
        assert len(nb101.search.run(name, bench, queries=12, seed=0)) == 12
    nb101.search.config_space("adjacency")
    nb101.search.optuna_objective(bench)


def networkx() -> None:
    """Turn a cell into a graph and back."""
    cell = nb101.SearchSpace()[INCEPTION]
    assert nb101.Cell(cell.to_networkx()) == cell


def notebook() -> None:
    """Make a view, and speak with it as a page does."""
    view: Any = nb101.explore()
    view.select("28cfc787")
    assert view.selected_ids.tolist() == [359715]
    view.highlight(view.selection)


def compat() -> None:
    """Run a program of the original's users, with what it imports beside it."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "program.py"
        program.write_text(
            "from absl import app\nfrom nasbench import api\n"
            "def main(_):\n"
            "    spec = api.ModelSpec([[0, 1], [0, 0]], ['input', 'output'])\n"
            "    print(spec.visualize().source)\n"
            "app.run(main)\n"
        )
        assert "digraph" in command("run", str(program))


def dask() -> None:
    """Let a cluster search."""
    import distributed

    client_of: Any = distributed.Client
    with client_of(processes=False, n_workers=1, dashboard_address=None) as client:
        traces = client.submit(_searched).result()
    assert traces == _searched()


def _searched() -> float:
    bench = nb101.Benchmark(nb101.load_table(), seed=0)
    return float(nb101.search.run("random-search", bench, queries=30, seed=1).final_regret)


def train() -> None:
    """Call a network, and import its training."""
    import torch

    network: Any = nb101.nn.Network(nb101.Cell([[0, 1], [0, 0]], ["input", "output"]))
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    from nb101.train import checkpoint, train  # noqa: F401


def onnx() -> None:
    """Write a network to a file of ONNX."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        small = ("--stem-channels", "4", "--stacks", "1", "--cells-per-stack", "1")
        command("onnx", "--id", "0", *small, "-o", str(path))
        assert path.stat().st_size > 1000


def pyg() -> None:
    """Put cells into batches of graphs."""
    cells = nb101.SearchSpace(5).enumerate()
    dataset: Any = cells.to_pyg()
    assert len(dataset) == len(cells) == cells.to_pyg(batch=True).num_graphs


def pandas() -> None:
    """Turn a table into a frame and back."""
    table = nb101.predict.sample(60)
    assert nb101.Table.from_arrow(table.to_pandas()).equals(table)


def polars() -> None:
    """Turn a table into a frame and back."""
    table = nb101.predict.sample(60)
    assert nb101.Table.from_arrow(table.to_polars()).equals(table)


PROOFS = {
    "golden": golden,
    "base": base,
    "compat": compat,
    "dask": dask,
    "networkx": networkx,
    "notebook": notebook,
    "onnx": onnx,
    "pandas": pandas,
    "polars": polars,
    "predict": predict,
    "pyg": pyg,
    "report": report,
    "search": search,
    "train": train,
}


def has(module: str) -> bool:
    """Tell whether a library is installed."""
    return importlib.util.find_spec(module) is not None


def command(*words: str) -> str:
    """Run the command ``nb101``, which must succeed, and return what it prints."""
    done = _run(words)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def refused(*words: str) -> str:
    """Run the command ``nb101``, which must refuse in one line, and return that."""
    done = _run(words)
    assert done.returncode == 2, f"{words}: {done.returncode}: {done.stdout}{done.stderr}"
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def machine() -> str:
    """Tell what runs this."""
    return (
        f"{platform.system()} {platform.machine()} ({', '.join(_core.cpu()[1])}), "
        f"{sys.implementation.name} {platform.python_version()}, nb101 {nb101.__version__}"
    )


def _run(words: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [sys.executable, "-m", "nb101", *words],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
        )


if __name__ == "__main__":
    for asked in sys.argv[1:]:
        PROOFS[asked]()
        print(f"{asked}: as promised: {machine()}")
