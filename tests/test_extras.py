"""What is not installed is named, with the command that installs it."""

import subprocess
import sys
from pathlib import Path

import pytest

# What hides, what is called, and what the message says.
SAMPLE = "table = nb101.predict.sample(60, repeats=1)\n"
CELL = "cell = nb101.Cell('0100', 'input,output')\n"
CASES = {
    "sklearn": (SAMPLE + "nb101.predict.fit(table)", "pip install 'nb101[predict]'"),
    "joblib": (SAMPLE + "nb101.predict.fit(table)", "pip install 'nb101[predict]'"),
    "threadpoolctl": (SAMPLE + "nb101.predict.fit(table)", "pip install 'nb101[predict]'"),
    "scipy": (SAMPLE + "nb101.predict.fit(table)", "pip install 'nb101[predict]'"),
    "matplotlib": (
        "nb101.analysis.figures.draw(nb101.load_table(), 'ecdf')",
        "pip install 'nb101[report]'",
    ),
    "matplotlib ": (
        "nb101.analysis.report.write(nb101.load_table(), sys.argv[1] + '/report')",
        "pip install 'nb101[report]'",
    ),
    "jinja2": ("nb101.analysis.report", "pip install 'nb101[report]'"),
    "markupsafe": ("nb101.analysis.report", "pip install 'nb101[report]'"),
    "pandas": ("nb101.load_table().to_pandas()", "pip install pandas"),
    "polars": ("nb101.load_table().to_polars()", "pip install polars"),
    "networkx": (CELL + "cell.to_networkx()", "pip install 'nb101[networkx]'"),
    "anywidget": ("nb101.explore()", "pip install 'nb101[notebook]'"),
    "anywidget ": ("nb101.explore.View", "pip install 'nb101[notebook]'"),
    "graphviz": (
        "nb101.api.ModelSpec([[0, 1], [0, 0]], ['input', 'output']).visualize()",
        "pip install 'nb101[compat]'",
    ),
    "torch_geometric": (CELL + "cell.to_pyg()", "pip install 'nb101[pyg]'"),
    "torch_geometric ": ("nb101.Cells().to_pyg(batch=True)", "pip install 'nb101[pyg]'"),
    "torch   ": (CELL + "cell.to_pyg()", "pip install 'nb101[pyg]'"),
    "onnx": (CELL + "nb101.nn.to_onnx(cell, 'cell.onnx')", "pip install 'nb101[onnx]'"),
    "onnx ": (
        "nb101.train.checkpoint_to_onnx(sys.argv[1], 'cell.onnx')",
        "pip install 'nb101[onnx]'",
    ),
    "onnxscript": (CELL + "nb101.nn.to_onnx(cell, 'cell.onnx')", "pip install 'nb101[onnx]'"),
    "torch": ("nb101.nn", "pip install 'nb101[train]'"),
    "torch ": ("nb101.train.train", "pip install 'nb101[train]'"),
    "torch  ": ("nb101.proxies.score", "pip install 'nb101[train]'"),
    "safetensors": (
        "from nb101.train.checkpoint import load_checkpoint\nload_checkpoint(sys.argv[1])",
        "pip install 'nb101[train]'",
    ),
    "optuna": (
        "bench = nb101.Benchmark(nb101.load_table())\nnb101.search.optuna_objective(bench)",
        "pip install 'nb101[search]'",
    ),
    "ConfigSpace": ("nb101.search.config_space('adjacency')", "pip install 'nb101[search]'"),
    "smac": (
        "bench = nb101.Benchmark(nb101.load_table())\nnb101.search.run('smac', bench, queries=2)",
        "pip install 'nb101[search]'",
    ),
    "syne_tune": ("nb101.adapters.syne_tune", "pip install syne-tune huggingface-hub"),
    "optunahub": ("nb101.adapters.optunahub", "pip install optunahub"),
    "carps": ("nb101.adapters.carps", "pip install carps"),
    "ConfigSpace ": (
        "nb101.adapters.hpobench.NASCifar10ABenchmark()",
        "pip install 'nb101[search]'",
    ),
    "distributed": (
        "from nb101.cli.workers import cluster\nwith cluster('tcp://localhost:1'): pass",
        "pip install 'nb101[dask]'",
    ),
}
PROGRAM = """
import sys
sys.modules[{hidden!r}] = None
import nb101
try:
    {body}
except nb101.MissingExtraError as error:
    assert isinstance(error, ImportError) and isinstance(error, nb101.NB101Error)
    assert error.name, error
    print(error)
"""


@pytest.mark.parametrize("library", CASES)
def test_a_library_that_is_not_installed(library: str, tmp_path: Path) -> None:
    body, command = CASES[library]
    (tmp_path / "checkpoint.safetensors").write_bytes(b"")
    code = PROGRAM.format(hidden=library.strip(), body=body.replace("\n", "\n    "))
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert command in done.stdout
    assert done.stdout.count("\n") == 1


def test_a_library_that_lacks_what_it_needs(tmp_path: Path) -> None:
    """It is there: what is said to be missing is what it imports."""
    (tmp_path / "ConfigSpace.py").write_text("import nothing_of_this_name")
    code = PROGRAM.format(hidden="none", body=CASES["ConfigSpace"][0])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    needs = "this needs ConfigSpace, and that nothing_of_this_name: pip install 'nb101[search]'"
    assert done.stdout.strip() == needs


def test_a_program_of_absl(tmp_path: Path) -> None:
    """What a program imports is the program's own: the error is Python's, with the way out."""
    (tmp_path / "program.py").write_text("from absl import app\n")
    (tmp_path / "absl.py").write_text("raise ModuleNotFoundError('No module', name='absl')\n")
    done = subprocess.run(
        [sys.executable, "-m", "nb101", "run", "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "pip install 'nb101[compat]'" in done.stderr


def test_the_commands_install_what_they_say() -> None:
    """Each extra that a message names is one of the package."""
    from importlib.metadata import metadata

    extras = set(metadata("nb101").get_all("Provides-Extra") or [])
    for _, command in CASES.values():
        if "[" in command:
            assert command.split("[")[1].split("]")[0] in extras
