"""Programs written for the original: what they import, and unmodified ones as real processes."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nb101
import oracle
from nb101.compat import PROGRAMS, graph_util
from nb101.compat.config import build_config
from official import write
from original import OPS, Original
from strategies import isomorphic_pairs, modules, pruned

PROGRAMS_HERE = Path(__file__).parents[1] / "compat_programs"
# Far more than any of these takes.
PATIENCE = 120
INCEPTION = "28cfc7874f6d200472e1a9dcd8650aa0"


def python(*arguments: str | Path, **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        **settings,
    )


def run(*arguments: str | Path, **settings: Any) -> subprocess.CompletedProcess[str]:
    return python("-m", "nb101", "run", *arguments, **settings)


def result(program: str, *arguments: str | Path) -> Any:
    done = run(PROGRAMS_HERE / program, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# Programs


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory, space: nb101.SearchSpace) -> Path:
    """All cells of up to 4 vertices, and the Inception-like one, at two budgets."""
    path = tmp_path_factory.mktemp("compat") / "small.tfrecord"
    write(path, [*range(91), space.find_hash(INCEPTION)], (4, 108))
    return path


@pytest.fixture(scope="module")
def original(official: Path) -> Original:
    return Original(official)


def test_the_example(official: Path, original: Original) -> None:
    pytest.importorskip("absl")
    found = result("example.py", f"--dataset={official}", "--seed", "3", "word")
    replay = Original(official, seed=3)
    fixed = original.fixed[INCEPTION]
    module = (fixed["module_adjacency"], fixed["module_operations"])
    query = replay.query(*module, 108, False)
    halfway = replay.query(*module, 4, True)
    means = {
        hash_: sum(run["final_test_accuracy"] for run in runs[108]) / 3
        for hash_, runs in original.computed.items()
    }
    best = max(means, key=lambda hash_: means[hash_])
    assert found == {
        "rest": ["word"],
        "valid": True,
        "query": query,
        "spent": [query["training_time"], 108],
        "reset": [0.0, 0],
        "halfway": halfway,
        "short": [halfway["training_time"], 2],
        "fixed": fixed,
        "computed": [original.computed[INCEPTION][epochs] for epochs in (4, 108)],
        "best": [best, means[best]],
        "cells": 92,
        "error": "OutOfDomainError",
    }


def test_flags_of_absl_are_the_programs_own(official: Path) -> None:
    pytest.importorskip("absl")
    done = run(PROGRAMS_HERE / "example.py", "--help")
    assert "--dataset: File of official records." in done.stdout
    assert "What the original's example does" in done.stdout
    done = run(PROGRAMS_HERE / "example.py", "--nonsense")
    assert done.returncode == 1
    assert "Unknown command line flag 'nonsense'" in done.stderr


def test_the_notebook(official: Path, original: Original) -> None:
    found = result("search.py", official, "5", "60")
    assert found == result("search.py", official, "5", "60")
    assert found != result("search.py", official, "6", "60")
    for log in found.values():
        seconds = 0.0
        for i, (hash_, time_, validation, test) in enumerate(log["runs"]):
            seconds += time_
            assert log["times"][i] == seconds
            assert log["best"][i] == max(run[2] for run in log["runs"][: i + 1])
            assert (time_, validation, test) in {
                (
                    run["final_training_time"],
                    run["final_validation_accuracy"],
                    run["final_test_accuracy"],
                )
                for run in original.computed[hash_][108]
            }
        assert log["times"][-2] <= 60 < log["times"][-1]
        assert log["epochs"] == 108 * len(log["runs"])
    # The same draws as the original's: random search draws repeats and nothing else.
    replay = Original(official, seed=5)
    for hash_, time_, _, _ in found["random"]["runs"]:
        fixed = original.fixed[hash_]
        data = replay.query(fixed["module_adjacency"], fixed["module_operations"], 108, False)
        assert data["training_time"] == time_


def test_counting_graphs(hashes: Any) -> None:
    found = result("graphs.py", "4", "9")
    full = [
        3 ** (v - 2)
        for v in (2, 3, 4)
        for mask in range(1 << v * (v - 1) // 2)
        if len((oracle.prune(*oracle.from_mask(v, mask, [0] * (v - 2))) or ((), ()))[1]) == v
    ]
    assert found["graphs"] == sum(full)
    assert found["unique"] == hashes[:91].astype(str).tolist()
    assert found["same"]


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_child_processes(official: Path, original: Original, method: str) -> None:
    if os.name != "posix" and method != "spawn":
        pytest.skip("needs fork")
    found = result("parallel.py", method, official)
    assert found["best"] == [
        max(run["final_test_accuracy"] for run in runs[108]) for runs in original.computed.values()
    ]
    assert found["counts"] == [92, 1]
    assert found["child"] == "nasbench.api\n"
    assert found["size"] < 3000


# On the table that the package carries


ONE_QUERY = """
import sys
from nasbench import api
nasbench = api.NASBench("nasbench_only108.tfrecord", seed=1)
spec = api.ModelSpec([[0, 1], [0, 0]], ["input", "output"])
print(nasbench.query(spec)["validation_accuracy"])
"""


def test_the_example_on_predictions(tmp_path: Path) -> None:
    """On a part of the table of the package: the example goes through every cell."""
    pytest.importorskip("absl")
    table = nb101.load_table().select([*range(91), 359_715])
    table.save(tmp_path / "part.arrow")
    done = run(
        *("--table", tmp_path / "part.arrow", PROGRAMS_HERE / "example.py", "--dataset=not-there")
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    best = table.best("test_accuracy")
    assert found["best"][0] == best.cell.hash
    assert found["best"][1] == pytest.approx(best.value)
    assert found["cells"] == 92
    assert found["query"]["test_accuracy"] == table.mean("test_accuracy")[-1]
    assert done.stderr.count("are predicted, not measured") == 1


def test_the_notebook_on_the_table_of_the_package(space: nb101.SearchSpace) -> None:
    done = run("--table=surrogate-v1", PROGRAMS_HERE / "search.py", "not-there", "5", "30000")
    assert done.returncode == 0, done.stderr
    means = nb101.load_table().mean("validation_accuracy")
    for log in json.loads(done.stdout).values():
        ids = [space.find_hash(run[0]) for run in log["runs"]]
        assert [run[2] for run in log["runs"]] == means[ids].tolist()
        assert log["times"][-1] > 30_000


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_children_read_the_same_table(method: str, official: Path, tmp_path: Path) -> None:
    if os.name != "posix" and method != "spawn":
        pytest.skip("needs fork")
    # A path is that of the folder where the command was given.
    done = run(
        *("--table", official.name, PROGRAMS_HERE / "parallel.py", method, "not-there"),
        cwd=official.parent,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"] == [92, 1]


def test_a_dataset_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(ONE_QUERY)
    env = os.environ | {"NB101_CACHE": str(tmp_path / "cache")}
    done = run("program.py", cwd=tmp_path, env=env)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("nb101: error: nasbench_only108.tfrecord: no such file; nb101 ru")
    assert done.stderr.count("\n") == 1
    # What it says works.
    for arguments, more in (
        (["--table", "surrogate-v1", "program.py"], {}),
        (["program.py"], {"NB101_TABLE": "surrogate-v1"}),
    ):
        done = run(*arguments, cwd=tmp_path, env=env | more)
        assert done.returncode == 0, done.stderr
        assert float(done.stdout) == nb101.load_table().mean("validation_accuracy")[0]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("surogate-v1", "no table is called 'surogate-v1'; did you mean 'surrogate-v1'?"),
        ("none.arrow", "none.arrow: No such file or directory"),
    ],
)
def test_a_table_that_is_not_there(tmp_path: Path, table: str, message: str) -> None:
    (tmp_path / "program.py").write_text(ONE_QUERY)
    done = run("--table", table, "program.py", cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


# nb101 run


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    (tmp_path / "beside.py").write_text("name = 'beside'")
    path.write_text(
        "import json, signal, sys\n"
        "import beside\n"
        "from nasbench import api\n"
        "main = sys.modules['__main__']\n"
        "print(json.dumps([sys.argv, __name__, __file__, main.api is api, __doc__, __spec__,\n"
        "    signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, beside.name]))\n"
    )
    return path


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], ["-h", "--flag=x", "--", "-"], ["--", "--version"], ["", "a b"]]
)
def test_arguments_are_the_programs_own(script: Path, arguments: list[str]) -> None:
    done = run("script.py", *arguments, cwd=script.parent)
    argv = ["script.py", *arguments]
    assert json.loads(done.stdout) == [
        *(argv, "__main__", str(script), True, None, None, True, "beside")
    ]
    assert done.stderr == ""


FAILURES = {
    "error": "def f(x):\n    return 1 / x\nf(0)\n",
    "value": "raise ValueError('not ours to report')\n",
    "chain": "try:\n    {}['a']\nexcept KeyError as e:\n    raise OSError(2, 'gone') from e\n",
    "inside": "import json\njson.loads('{')\n",
    "syntax": "x = (\n",
    "nothing": "import sys\nsys.exit()\n",
    "zero": "import sys\nsys.exit(0)\n",
    "one": "import sys\nsys.exit(1)\n",
    "seven": "import sys\nsys.exit(7)\n",
    "many": "import sys\nsys.exit(130)\n",
    "false": "import sys\nsys.exit(False)\n",
    "minus": "import sys\nsys.exit(-1)\n",
    "words": "import sys\nsys.exit('some words')\n",
    "tuple": "import sys\nsys.exit((1, 2))\n",
    "hook": "import sys\nsys.excepthook = lambda *a: print(a[0].__name__)\nraise ValueError\n",
    "exit": "import atexit\natexit.register(print, 'end')\nprint('body')\nraise MemoryError\n",
    "thread": "import threading\nx = 3\nthreading.Timer(0.3, lambda: print(x)).start()\n",
    "output": "import sys\nprint('out')\nprint('err', file=sys.stderr)\n",
    "coding": "# coding: latin-1\nprint(ascii('é'))\n",
}


@pytest.mark.parametrize("name", FAILURES)
def test_ends_as_python_would(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.py"
    path.write_text(FAILURES[name], encoding="utf-8")
    ours, theirs = run(path), python(path)
    assert (ours.returncode, ours.stdout, ours.stderr) == (
        theirs.returncode,
        theirs.stdout,
        theirs.stderr,
    )


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_an_interrupt_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "wait.py"
    path.write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)):
        process = subprocess.Popen(
            [sys.executable, "-m", "nb101", "run", path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == code
        assert errors.endswith("KeyboardInterrupt\n" if number == signal.SIGINT else "")
        assert "nb101" not in errors


def test_what_is_ours_to_report(tmp_path: Path) -> None:
    for arguments, message in (
        ([tmp_path / "nowhere.py"], "No such file or directory"),
        ([tmp_path], "Is a directory"),
        (["--nonsense", "script.py"], "No such option: --nonsense"),
        ([], "Missing argument 'SCRIPT'."),
    ):
        done = run(*arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("nb101: error: ")
        assert message in done.stderr
        assert done.stderr.count("\n") == 1


# install


def test_a_nasbench_beside_the_program_is_not_taken(script: Path) -> None:
    (script.parent / "nasbench").mkdir()
    (script.parent / "nasbench" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    done = run(script)
    assert done.returncode == 0, done.stderr


def test_install() -> None:
    code = """
        import os, sys
        import nb101.compat
        path = list(sys.path)
        nb101.compat.install()
        nb101.compat.install()
        assert sys.path == [nb101.compat.PROGRAMS, *path]
        assert os.environ["PYTHONPATH"].split(os.pathsep).count(nb101.compat.PROGRAMS) == 1
        assert os.environ["PYTHONPATH"].endswith(os.pathsep + "elsewhere")
        from nasbench import api
        from nasbench.lib import config, graph_util, model_spec
        import nb101.api
        assert api.NASBench is nb101.api.NASBench
        assert api.ModelSpec is model_spec.ModelSpec
        assert model_spec.is_upper_triangular([[0, 1], [0, 0]])
    """
    code = "\n".join(line.strip() for line in code.splitlines())
    inherited = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join(filter(None, [inherited, "elsewhere"]))
    done = python("-c", code, env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == 0, done.stderr


def test_install_refuses_another_nasbench(tmp_path: Path) -> None:
    (tmp_path / "nasbench.py").touch()
    code = "import nasbench, nb101.compat; nb101.compat.install()"
    done = python("-c", code, cwd=tmp_path)
    assert done.returncode == 1
    assert "NB101Error: another nasbench has already been imported, from " in done.stderr


def test_the_package_is_complete() -> None:
    names = {str(path.relative_to(PROGRAMS)) for path in Path(PROGRAMS).rglob("*.py")}
    folder = Path("nasbench")
    expected = ["__init__", "api", "lib/__init__", "lib/config", "lib/graph_util", "lib/model_spec"]
    assert names == {str(folder / f"{name}.py") for name in expected}


# Functions on graphs


@given(st.integers(0, 2**55 - 1), st.integers(0, 10), st.integers(0, 10))
def test_edges_of_a_bitmask(bits: int, x: int, y: int) -> None:
    expected = x < y and bool(bits >> oracle.bit(x, y) & 1)
    assert graph_util.gen_is_edge_fn(bits)(x, y) == expected


def test_edges_of_a_large_bitmask() -> None:
    # x + y (y - 1) / 2 is more than a byte.
    is_edge = graph_util.gen_is_edge_fn(1 << oracle.bit(3, 19))
    for function in (is_edge, np.vectorize(is_edge)):
        for kind in (np.int8, float):
            matrix = np.fromfunction(function, (20, 20), dtype=kind)
            assert np.argwhere(matrix).tolist() == [[3, 19]]


@given(modules(connected=False), st.sampled_from([int, bool, float]))
def test_properties_of_graphs(module: oracle.Module, kind: Any) -> None:
    matrix = np.array(module[0], dtype=kind)
    assert graph_util.num_edges(matrix) == len(oracle.edges_of(module[0]))
    pruned = oracle.prune(*module)
    assert graph_util.is_full_dag(matrix) == (pruned == module)
    assert graph_util.hash_module(matrix, module[1]) == oracle.hash_module(*module)
    assert graph_util.is_upper_triangular(matrix)
    assert not graph_util.is_upper_triangular(matrix + np.eye(len(matrix), dtype=kind))


def test_hash_module_refuses_what_is_no_graph() -> None:
    with pytest.raises(ValueError, match="matrix must be square"):
        graph_util.hash_module([[0, 1, 0], [0, 0, 1]], [-1, -2])
    with pytest.raises(ValueError, match="length of labels must match matrix dimensions"):
        graph_util.hash_module([[0, 1], [0, 0]], [-1, 0, -2])
    with pytest.raises(ValueError, match=r"0 or 1: entry \(0, 1\) is 3"):
        graph_util.hash_module([[0, 3], [0, 0]], [-1, -2])


@given(pruned(), st.randoms(use_true_random=False))
def test_permuting(module: oracle.Module, rng: Any) -> None:
    matrix, codes = module
    order = list(range(len(codes)))
    rng.shuffle(order)
    moved, labels = graph_util.permute_graph(np.array(matrix), list(codes), order)
    assert sorted(np.argwhere(moved).tolist()) == sorted(
        [order[x], order[y]] for x, y in oracle.edges_of(matrix)
    )
    assert all(labels[order[v]] == codes[v] for v in range(len(codes)))
    assert graph_util.is_isomorphic((np.array(matrix), list(codes)), (moved, labels))


def test_permuting_takes_permutations_only() -> None:
    for order in ([0, 0], [0], [0, 2]):
        with pytest.raises(ValueError, match="no permutation of 2 vertices"):
            graph_util.permute_graph(np.eye(2), ["a", "b"], order)


def brute_force(a: tuple[Any, list[Any]], b: tuple[Any, list[Any]]) -> bool:
    return any(
        all(a[1][v] == b[1][order[v]] for v in order)
        and all(a[0][x, y] == b[0][order[x], order[y]] for x in order for y in order)
        for order in itertools.permutations(range(len(a[1])))
    )


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Any, list[Any]]:
    """Small graphs of any kind: loops, cycles, equal labels anywhere."""
    bits = draw(st.lists(st.integers(0, 1), min_size=16, max_size=16))
    return np.array(bits).reshape(4, 4), draw(
        st.lists(st.sampled_from("ab"), min_size=4, max_size=4)
    )


@given(graphs(), graphs(), st.permutations(range(4)), st.integers(0, 15))
def test_isomorphism(a: Any, b: Any, order: list[int], place: int) -> None:
    assert graph_util.is_isomorphic(a, b) == brute_force(a, b)
    moved = graph_util.permute_graph(a[0], a[1], order)
    assert graph_util.is_isomorphic(a, moved)
    moved[0].flat[place] ^= 1
    assert graph_util.is_isomorphic(a, moved) == brute_force(a, moved)


@given(isomorphic_pairs(), pruned(min_vertices=5))
def test_isomorphism_of_cells(pair: tuple[oracle.Module, oracle.Module], other: Any) -> None:
    assert graph_util.is_isomorphic(*pair)
    assert graph_util.is_isomorphic(pair[0], other) == oracle.is_isomorphic(pair[0], other)


def test_isomorphism_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="1 labels do not fit a matrix of shape"):
        graph_util.is_isomorphic((np.eye(2), ["a"]), (np.eye(2), ["a", "b"]))


def test_config_is_a_dict_of_ones_own() -> None:
    config = build_config()
    assert config["available_ops"] == OPS
    assert (config["train_epochs"], config["batch_size"], config["num_repeats"]) == (108, 256, 3)
    config["available_ops"].clear()
    assert build_config()["available_ops"] == OPS


def test_the_package_alone_is_enough() -> None:
    code = (
        "import nb101; nb101.compat.install(); import nasbench.api;"
        "print(nasbench.api.NASBench is nb101.api.NASBench, 'api' in dir(nb101))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"
