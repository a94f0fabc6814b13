"""The command search."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import nb101
from commands import refused, run
from nb101 import search
from nb101._base.files import claim_folder
from nb101.cli import main
from nb101.search.searcher import REGISTRY


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    space = nb101.SearchSpace(4)
    rng = np.random.default_rng(0)
    columns = {"cell_id": np.arange(91), "epochs": np.full(91, 108)}
    for metric in ("validation_accuracy", "test_accuracy", "training_time"):
        columns[f"final_{metric}"] = rng.random(91)
    target = tmp_path_factory.mktemp("search") / "t.arrow"
    about = {"kind": "measured"}
    nb101.Table.from_columns(columns, space=space, provenance=about).save(target)
    return target


@pytest.mark.parametrize("command", [("search",), ("search", "run")])
def test_a_name_is_a_search(path: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    target = tmp_path / "trace.parquet"
    options = ("--table", path, "--queries", 200, "--seed", 3, "--set", "population=10")
    out = run(*command, "regularized-evolution", *map(str, options), "-o", target, "--json")
    facts = json.loads(out)
    table = nb101.Table.open(path)
    trace = search.run("regularized-evolution", table, queries=200, seed=3, population=10)
    assert search.Trace.open(target).cell_ids.tolist() == trace.cell_ids.tolist()
    assert facts["regret"] == trace.final_regret
    assert facts["best_cell_hash"] == table.space[int(trace.best_cell_ids[-1])].hash
    assert (facts["queries"], facts["kind"], facts["predicted"]) == (200, "measured", "")


def test_a_space_of_nas_bench_1shot1(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("random-search", "--queries", "20", "--one-shot", "2")
    space = nb101.OneShotSpace(2)
    facts = json.loads(run("search", *options, "--json"))
    assert space.has(facts["best_cell_id"])
    trace = search.run("random-search", nb101.load_table(), queries=20, seed=0, space=space)
    assert (facts["regret"], facts["one_shot"]) == (trace.final_regret, 2)
    assert "search space 2 of NAS-Bench-1Shot1" in run("search", *options)
    assert "search spaces 1, 2 and 3" in refused(
        capsys, "search", "random-search", "--one-shot", "4"
    )


def test_several_workers(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("reinforce", "--table", path, "--queries", "50", "--workers", "4", "--synchronous")
    facts = json.loads(run("search", *options, "--json"))
    table = nb101.Table.open(path)
    trace = search.run("reinforce", table, queries=50, seed=0, workers=4, synchronous=True)
    assert facts["seconds"] == trace.seconds[-1]
    assert (facts["workers"], facts["total_seconds"]) == (4, trace.total_seconds[-1])
    assert "s of all 4 workers" in run("search", *options)
    folder = tmp_path / "c"
    run("search", "compare", *options[:-1], "--runs", "2", "--jobs", "1", "-o", folder)
    assert search.Comparison.open(folder).plan.workers == 4
    entries = json.loads(run("search", "list", "--json"))
    assert all(entries[name]["several_workers"] for name in ("random-search", "smac", "bananas"))
    assert "workers must be" in refused(
        capsys, "search", "reinforce", "--queries", "5", "--workers", "0"
    )


def test_several_objectives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--objectives", "c10mop1", "--queries", "250")
    facts = json.loads(run("search", "nsga-ii", *options, "--json"))
    table = nb101.load_table()
    trace = search.run("nsga-ii", table, objectives=("error", "parameters"), queries=250, seed=0)
    assert trace.hypervolume is not None
    assert facts["hypervolume"] == trace.hypervolume[-1]
    assert facts["nadir"] == search.exact_front(table, "c10mop1").nadir.tolist()
    assert {x["cell_id"] for x in facts["front"]} == {*trace.cell_ids[trace.front].tolist()}
    shown = run("search", "nsga-ii", "--objectives", "error,parameters", "--queries", "250")
    assert "% of the exact front's" in shown
    folder = tmp_path / "c"
    out = run("search", "compare", *options, "--runs", "1", "--jobs", "1", "-o", folder)
    assert "final hypervolume" in out
    assert "IGD+" in out
    found = search.Comparison.open(folder)
    assert found.runs == {"random-search": 1, "local-search": 1, "nsga-ii": 1}
    assert found.plan.objectives == ["error", "parameters"]
    entries = json.loads(run("search", "list", "--json"))
    assert {x for x, each in entries.items() if each["several_objectives"]} == {*found.runs}
    for wrong, words in (
        (("nsga-ii",), "name two or more"),
        (("nsga-ii", "--objectives", "error"), "two or more different"),
        (("nsga-ii", "--objectives", "error,size"), "no objective is called 'size'"),
        (("reinforce", *options), "accuracy alone"),
        (
            ("nsga-ii", *options, "--epochs", "36"),
            "c10mop1 is of all cells of NAS-Bench-101 at 108 epochs",
        ),
    ):
        assert words in refused(capsys, "search", *wrong, "--queries", "5")


def test_people_read_lines(path: Path) -> None:
    out = run("search", "random-search", "--table", path, "--seconds", "20", "--unique")
    assert "saved" in out
    assert "mean test accuracy" in out


def test_budgets_and_limits_have_names_of_their_own(tmp_path: Path) -> None:
    space = nb101.SearchSpace(4)
    columns = {"cell_id": np.tile(np.arange(91), 2), "epochs": np.repeat([54, 108], 91)}
    for metric in ("validation_accuracy", "test_accuracy", "training_time"):
        columns[f"final_{metric}"] = np.random.default_rng(0).random(182)
    nb101.Table.from_columns(columns, space=space).save(tmp_path / "t.arrow")
    options = ("--table", tmp_path / "t.arrow", "--epochs", "54", "--max-epochs", "540")
    assert json.loads(run("search", "random-search", *options, "--json"))["queries"] == 10


def test_a_comparison_is_a_page(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "comparison"
    command = ["search", "compare", "random-search=3", "reinforce", "--runs", "2", "--queries", "9"]
    command += ["--table", str(path), "-o", str(folder), "--set", "reinforce.momentum=0.5"]
    out = run(*command, "--jobs", "1")
    assert out.endswith(f"{folder / 'index.html'}\n")
    assert "reinforce" in out
    assert all(len(line) <= 80 for line in out.splitlines() if str(folder) not in line)
    found = search.Comparison.open(folder)
    assert found.runs == {"random-search": 3, "reinforce": 2}
    assert found.plan.options == {"reinforce": {"momentum": 0.5}}
    numbers = json.loads(run(*command, "--json"))
    assert numbers["algorithms"]["random-search"]["runs"] == 3


def test_the_page_of_an_unfinished_comparison(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "comparison"
    command = ["search", "compare", "random-search=3", "reinforce=2", "--queries", "9"]
    run(*command, "--table", path, "-o", folder, "--jobs", "1")
    (folder / "index.html").unlink()
    trace = folder / "traces" / "reinforce" / "000001.parquet"
    kept = trace.read_bytes()
    trace.unlink()
    assert main(["search", "page", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert out.endswith(f"{folder / 'index.html'}\n")
    assert err == "nb101: 1 of 5 runs is not done\n"
    assert (folder / "index.html").exists()
    facts = json.loads(run("search", "page", folder, "--json"))
    assert (facts["missing"], facts["algorithms"]["reinforce"]["runs"]) == (1, 1)
    trace.write_bytes(kept[:50])
    assert "damaged" in refused(capsys, "search", "page", folder)
    assert "holds no comparison" in refused(capsys, "search", "page", tmp_path)


def test_own_algorithms_are_imported(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_searchers.py").write_text(
        "from nb101 import search\n"
        "@search.register('mine', title='mine', source='this test')\n"
        "class Mine(search.Sequential):\n"
        "    def steps(self):\n"
        "        for cell_id in range(3):\n"
        "            yield search.Trial(cell_id, self.budget)\n"
    )
    # As for the installed command, whose path lacks the current folder.
    monkeypatch.setattr(sys, "path", [x for x in sys.path if x])
    monkeypatch.chdir(tmp_path)
    options = ("--table", path, "--import", "my_searchers")
    try:
        assert json.loads(run("search", "mine", *options, "--json"))["queries"] == 3
        run("search", "compare", "mine=2", *options, "--jobs", "1")
    finally:
        REGISTRY.pop("mine", None)
        sys.modules.pop("my_searchers", None)
    # The page can do without; and a folder that is not named is called so.
    assert search.Comparison.open("comparison").runs == {"mine": 2}
    assert json.loads(run("search", "page", "comparison", "--json"))["missing"] == 0


def test_options_have_the_names_that_they_have_everywhere(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = ("--table", path, "--queries", "3")
    for command in (("random-search",), ("run", "bohb"), ("compare", "-o", tmp_path / "c")):
        for budget in (("--budget", "108"), ("--budget=108",)):
            error = refused(capsys, "search", *command, *table, *budget)
            assert "--budget is called --epochs, as everywhere" in error
            assert "--max-epochs" in error
    assert not (tmp_path / "c").exists()


def test_a_report_is_not_written_over(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claim_folder(tmp_path / "report", "report")
    command = ("search", "compare", "random-search=1", "--queries", "3", "--table", path)
    error = refused(capsys, *command, "-o", tmp_path / "report", "--jobs", "1")
    assert "is not written over by nb101 search compare: nb101 report made it" in error
    assert [x.name for x in (tmp_path / "report").iterdir()] == [".nb101-folder"]


def test_an_interrupted_run_says_what_is_lost(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(search, "run", stop)
    assert main(["search", "random-search", "--table", str(path)]) == 130
    assert "nb101: interrupted; a run keeps nothing before its end" in capsys.readouterr().err
    monkeypatch.setattr(search, "compare", stop)
    assert main(["search", "compare", "random-search=1", "--table", str(path)]) == 130
    error = capsys.readouterr().err
    assert error == ("nb101: interrupted; 0 of 1 run done; the same command goes on from there\n")


def test_predicted_is_said(tmp_path: Path) -> None:
    facts = json.loads(run("search", "random-search", "--queries", "3", "--json"))
    assert (facts["kind"], facts["predicted"]) == ("predicted", "predicted")
    out = run("search", "random-search", "--queries", "3")
    assert out.count("(predicted)") == 2
    command = ("search", "compare", "random-search=1", "--queries", "3", "--jobs", "1")
    assert "(predicted)" in run(*command, "-o", tmp_path / "c")
    assert json.loads(run(*command, "-o", tmp_path / "c", "--json"))["predicted"] == "predicted"


def test_a_cluster_compares(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    distributed = pytest.importorskip("distributed", reason="no Dask: pip install 'nb101[dask]'")
    command = ["search", "compare", "random-search", "--runs", "3", "--queries", "9"]
    command += ["--table", str(path), "-o", str(tmp_path / "c")]
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0"
    ) as cluster:
        run(*command, "--dask", cluster.scheduler_address)
    assert search.Comparison.open(tmp_path / "c").runs == {"random-search": 3}
    error = refused(capsys, *command, "--dask", "nonsense://127.0.0.1:9")
    assert "no Dask scheduler answers at nonsense://127.0.0.1:9" in error
    assert "of this machine" in refused(capsys, *command, "--dask", "x", "--jobs", "2")


def test_progress_is_shown(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[int, int]] = []

    @contextmanager
    def bar(what: str, total: int | None) -> Iterator[Callable[..., object]]:
        yield lambda done, total: shown.append((done, total))

    monkeypatch.setattr(sys.modules["nb101.cli.search"], "progress_bar", bar)
    run("search", "random-search", "--table", path, "--queries", "5")
    assert shown[0] == (0, 5)


def test_algorithms_are_listed() -> None:
    out = run("search", "list")
    words = " ".join(out.split())
    listed = json.loads(run("search", "list", "--json"))
    assert list(listed) == list(search.registry())
    for name in listed:
        assert name in out
        assert listed[name]["differs"] in words
    assert listed["regularized-evolution"]["options"] == {
        "mutation": "single",
        "population": 100,
        "tournament": 10,
    }


def test_help_has_everything() -> None:
    out = run("search", "--help")
    for word in ("compare", "list", "run"):
        assert word in out


def test_errors_are_one_line(
    path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = ("--table", path)
    assert "did you mean" in refused(capsys, "search", "random-serch", *table)
    assert "positive" in refused(capsys, "search", "bohb", *table, "--seconds", "-1")
    assert "NAME=VALUE" in refused(capsys, "search", "bohb", *table, "--set", "eta")
    assert "no option" in refused(capsys, "search", "bohb", *table, "--set", "zeta=1")
    assert ".parquet" in refused(capsys, "search", "bohb", *table, "-o", tmp_path / "t.csv")
    assert "allow more" in refused(capsys, "search", "bohb", *table, "--seconds", "1e-9")
    for taken in ("seed", "queries", "name", "benchmark"):
        assert "no option" in refused(capsys, "search", "bohb", *table, "--set", f"{taken}=3")
    nowhere = tmp_path / "t.parquet"
    nowhere.mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(search, "run", None)
        assert "cannot write" in refused(capsys, "search", "bohb", *table, "-o", nowhere)
    assert "NAME --seconds" in refused(capsys, "search", "--seconds", "1e5", "random-search")
    folder = ("-o", tmp_path / "no")
    assert "named twice" in refused(capsys, "search", "compare", "bohb", "bohb=3", *table, *folder)
    assert "whole number" in refused(capsys, "search", "compare", "bohb=x", *table, *folder)
    assert "ALGORITHM" in refused(capsys, "search", "compare", *table, *folder, "--set", "eta=2")
    assert "no searcher" in refused(capsys, "search", "compare", "nobody", *table, *folder)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "half_written.py").write_text("register(\n")
    error = refused(capsys, "search", "bohb", *table, "--import", "mine.py")
    assert "named without .py: --import mine" in error
    for module, what in (("no_such_module", "No module named"), ("half_written", "SyntaxError")):
        for command in (("bohb",), ("compare", *folder)):
            error = refused(capsys, "search", *command, *table, "--import", module)
            assert f"cannot import {module}: " in error
            assert what in error
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert "nb101[search]" in refused(capsys, "search", "tpe", *table)
    assert not (tmp_path / "no").exists()


def test_mistyped_searches(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = ("search", "random-search", "--table", path, "--queries", "5")
    assert "no option 'seed'" in refused(capsys, *start, "--set", "seed=3")
    assert "make it first" in refused(capsys, *start, "-o", tmp_path / "no" / "t.parquet")
    compare = ("search", "compare", "random-search", "random-search=3", "-o", tmp_path / "c")
    assert "random-search is named twice" in refused(capsys, *compare)
    assert "beside the paper: " in run("search", "list")
