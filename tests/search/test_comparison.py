"""Comparisons: what is kept, what is resumed, and by whom it is run."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import search
from nb101._base.files import claim_folder, locked
from nb101._base.seals import read_sealed_json, sealed_json
from nb101.search import comparison
from nb101.search.folder import FORMAT, ComparisonPlan, read_manifest, seed_of
from nb101.search.searcher import REGISTRY
from nb101.search.statistics import summarize

from .conftest import make_table

NAMES = ("random-search", "regularized-evolution", "hyperband")


class Serial(Executor):
    """Runs at once, counts, and breaks down after so many."""

    def __init__(self, most: int = 1000) -> None:
        self.count, self.most = 0, most

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        if self.count == self.most:
            raise ConnectionError("broken down")
        self.count += 1
        future: Future[Any] = Future()
        future.set_result(function(*arguments, **named))
        return future


def compare(table: Any, folder: Path, **given: Any) -> search.Comparison:
    given.setdefault("executor", Serial())
    return search.compare(
        table, folder, **{"names": NAMES, "runs": 3, "queries": 50, "seed": 1, **given}
    )


def contents(folder: Path) -> dict[str, list[Any]]:
    """What the traces of a folder say, by file."""
    found = {}
    for path in sorted((folder / "traces").glob("*/*")):
        trace = search.Trace.open(path)
        name = f"{path.parent.name}/{path.name}"
        found[name] = [trace.cell_ids.tolist(), trace.seconds.tolist(), dict(trace.about)]
    return found


@pytest.fixture(scope="module")
def whole(table: nb101.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    compare(table, folder)
    return folder


def test_runs_are_those_of_run(table: nb101.Table, whole: Path) -> None:
    found = search.Comparison.open(whole)
    assert found.runs == dict.fromkeys(NAMES, 3)
    for name in NAMES:
        for i, trace in enumerate(found.traces(name)):
            alone = search.run(name, table, queries=50, seed=seed_of(1, name, i))
            assert trace.cell_ids.tolist() == alone.cell_ids.tolist()
            assert trace.regret.tolist() == alone.regret.tolist()
    first = [trace.cell_ids.tolist() for trace in found.traces("random-search")]
    assert first[0] != first[1]


@pytest.mark.parametrize("most", [0, 1, 4, 8])
def test_what_was_stopped_goes_on(
    table: nb101.Table, whole: Path, tmp_path: Path, most: int
) -> None:
    with pytest.raises(ConnectionError):
        compare(table, tmp_path, executor=Serial(most))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "traces").glob("*/*")}
    rest = Serial()
    steps: list[tuple[int, int]] = []
    found = compare(
        table, tmp_path, executor=rest, progress=lambda done, total: steps.append((done, total))
    )
    assert found.runs == dict.fromkeys(NAMES, 3)
    assert rest.count == 9 - len(before)
    assert all(path.stat().st_mtime_ns == mtime for path, mtime in before.items())
    assert contents(tmp_path) == contents(whole)
    assert steps == [(i, 9) for i in range(len(before), 10)]
    again = Serial()
    compare(table, tmp_path, executor=again)
    assert again.count == 0


def test_a_killed_process_loses_and_repeats_nothing(tmp_path: Path) -> None:
    make_table(noise=0.01, repeats=3).save(tmp_path / "table.arrow")
    command = [sys.executable, "-m", "nb101", "search", "compare", "random-search=9", "bohb=9"]
    command += ["--table", str(tmp_path / "table.arrow"), "--queries", "150", "--jobs", "2", "-o"]
    killed, clean = tmp_path / "killed", tmp_path / "clean"
    with subprocess.Popen(
        [*command, str(killed)], stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        deadline = time.monotonic() + 60
        while len(list(killed.glob("traces/*/*.parquet"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    assert_gone(process.pid)
    done = {path: path.stat().st_mtime_ns for path in killed.glob("traces/*/*.parquet")}
    assert 3 <= len(done) < 18
    subprocess.run([*command, str(killed)], check=True, capture_output=True)
    assert all(path.stat().st_mtime_ns == mtime for path, mtime in done.items())
    compare(
        nb101.Table.open(tmp_path / "table.arrow"),
        clean,
        names=("random-search", "bohb"),
        runs=9,
        queries=150,
        seed=0,
    )
    assert contents(killed) == contents(clean)


def test_a_stopped_process_says_so_and_leaves_no_worker(tmp_path: Path) -> None:
    make_table().save(tmp_path / "table.arrow")
    command = [sys.executable, "-m", "nb101", "search", "compare", "random-search=9999"]
    command += ["--table", str(tmp_path / "table.arrow"), "--queries", "999", "--jobs", "2", "-o"]
    folder = tmp_path / "stopped"
    process = subprocess.Popen(
        [*command, str(folder)], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not list(folder.glob("traces/*/*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    said = r"nb101: interrupted; [0-9]+ of 9,999 runs done; the same command goes on from there\n"
    assert re.fullmatch(said, err)
    assert_gone(process.pid)


def assert_gone(group: int) -> None:
    """Wait until no process of a group is left."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"a process of group {group} is left")


def test_more_runs_and_algorithms_can_be_added(table: nb101.Table, tmp_path: Path) -> None:
    compare(table, tmp_path, names=["hyperband"], runs=1)
    executor = Serial()
    found = compare(table, tmp_path, names=["random-search", "hyperband"], executor=executor)
    assert executor.count == 5
    assert found.runs == {"random-search": 3, "hyperband": 3}
    found = compare(table, tmp_path, names=["bohb", "hyperband"], runs={"bohb": 2, "hyperband": 1})
    assert found.runs == {"random-search": 3, "hyperband": 3, "bohb": 2}
    found = compare(
        table, tmp_path, names=["reinforce"], runs=1, options={"reinforce": {"momentum": 0.5}}
    )
    assert found.plan.options == {"reinforce": {"momentum": 0.5}}
    # The options of what is not asked for this time stay.
    assert compare(table, tmp_path).plan.options == {"reinforce": {"momentum": 0.5}}


def test_another_comparison_is_refused(table: nb101.Table, whole: Path) -> None:
    for given, what in (
        ({"queries": 51}, "limits"),
        ({"seed": 2}, "seed"),
        ({"epochs": 36}, "epochs"),
        ({"unique": True}, "unique"),
        ({"options": {"hyperband": {"eta": 2}}}, "options"),
    ):
        with pytest.raises(ValueError, match=f"{what}.*name another folder"):
            compare(table, whole, **given)
    with pytest.raises(ValueError, match=r"table.*name another folder"):
        compare(make_table(cells=range(80)), whole)


def test_runs_of_another_version_are_not_added_to(
    table: nb101.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: Any = {"names": ["hyperband"], "runs": 1, "queries": 5}
    compare(table, tmp_path, **given)
    monkeypatch.setattr(comparison, "__version__", "99.0")
    with pytest.raises(ValueError, match=r"nb101 there: .*, here: 99\.0; name another folder"):
        compare(table, tmp_path, **given)


def test_two_do_not_write_at_once(table: nb101.Table, whole: Path) -> None:
    with (
        locked(whole / ".lock"),
        pytest.raises(ValueError, match="another comparison is writing"),
    ):
        compare(table, whole)


def test_what_is_wrong_is_said_before_anything_runs(
    table: nb101.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "none"
    for given, message in (
        ({"names": ["evolution"]}, "no searcher is called"),
        ({"names": []}, "at least one"),
        ({"runs": 0}, "runs"),
        ({"runs": {"hyperband": 1}}, "says nothing of random-search"),
        ({"options": {"hyperband": {"zeta": 2}}}, "no option 'zeta'"),
        ({"options": {"hyperbond": {"eta": 2}}}, "'hyperbond', which is no searcher"),
        ({"queries": -1}, "positive"),
        ({"epochs": 5}, "5"),
    ):
        with pytest.raises((ValueError, nb101.MissingRunError), match=message):
            compare(table, folder, **given)
    with pytest.raises(TypeError, match="list"):
        compare(table, folder, names="hyperband")
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match="nb101\\[search\\]"):
        compare(table, folder, names=["tpe"])
    assert not folder.exists()


def test_a_damaged_folder_is_refused(table: nb101.Table, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no comparison"):
        search.Comparison.open(tmp_path)
    (tmp_path / "comparison.json").write_text("{")
    with pytest.raises(nb101.DatasetError, match=r"no seal .*: delete it, and give the command"):
        compare(table, tmp_path)
    (tmp_path / "comparison.json").write_bytes(sealed_json({"format": 99}))
    with pytest.raises(ValueError, match="another version"):
        compare(table, tmp_path)
    for values in ({}, {"format": FORMAT}):
        (tmp_path / "comparison.json").write_bytes(sealed_json(values))
        with pytest.raises(nb101.DatasetError, match="damaged: delete it"):
            compare(table, tmp_path)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        *(("asked", [1]), ("asked", {"random-search": "1"}), ("limits", 3), ("seed", -1)),
        *(("epochs", "108"), ("unique", 1), ("options", {"a": 1}), ("table", {}), ("nb101", None)),
    ],
)
def test_manifests_that_make_no_sense(
    table: nb101.Table, tmp_path: Path, entry: str, value: Any
) -> None:
    """Though their seal fits: what others have written."""
    compare(table, tmp_path, names=["random-search"], runs=1, queries=3)
    path = tmp_path / "comparison.json"
    values = read_sealed_json(path.read_bytes(), path, "")
    path.write_bytes(sealed_json(values | {entry: value}))
    with pytest.raises(nb101.DatasetError, match=r"comparison.json is damaged: delete it"):
        search.Comparison.open(tmp_path)


def test_damage_to_a_folder_is_noticed(table: nb101.Table, tmp_path: Path) -> None:
    """Any bit of what says what is compared, and of a trace; what was deleted is made again."""
    given: Any = {"names": ["random-search"], "runs": 1, "queries": 3}
    compare(table, tmp_path, **given)
    manifest, trace = tmp_path / "comparison.json", tmp_path / "traces/random-search/000000.parquet"
    before = contents(tmp_path)
    for path, read in (
        (manifest, lambda: search.Comparison.open(tmp_path)),
        (trace, lambda: summarize(search.Comparison.open(tmp_path))),
    ):
        whole = path.read_bytes()
        for place in range(0, len(whole), 7):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << place % 8
            path.write_bytes(damaged)
            with pytest.raises(nb101.DatasetError, match=rf"{path.name} .*: delete it"):
                read()
        path.unlink()
        compare(table, tmp_path, **given)
        assert path.read_bytes() == whole
    assert contents(tmp_path) == before


def test_the_defaults_are_the_papers(
    exact: nb101.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, Any] = {}

    def stop(_path: str, plan: ComparisonPlan, left: Any, _imports: Any) -> Any:
        made.update(plan=plan, left=left)
        return iter(())

    monkeypatch.setattr(comparison, "_assignments", stop)
    search.compare(exact, tmp_path, executor=Serial())
    assert made["plan"].limits == {"seconds": 1e7}
    assert {name: len(runs) for name, runs in made["left"].items()} == dict.fromkeys(
        comparison.CHEAP, 500
    )


def test_any_executor_will_do(table: nb101.Table, whole: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as threads:
        compare(table, tmp_path / "threads", executor=threads)
    assert contents(tmp_path / "threads") == contents(whole)
    compare(table, tmp_path / "processes", executor=None, jobs=2)
    assert contents(tmp_path / "processes") == contents(whole)


@pytest.mark.filterwarnings("ignore")
def test_dask_will_do(table: nb101.Table, whole: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.Client(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0"
    ) as client:
        compare(table, tmp_path, executor=client.get_executor())
    assert contents(tmp_path) == contents(whole)


def test_the_default_table_is_opened_by_workers(tmp_path: Path) -> None:
    found = compare(None, tmp_path, names=["random-search"], runs=2, executor=None, jobs=2)
    assert found.plan.table["kind"] == found.plan.table["predicted"] == "predicted"
    assert found.runs == {"random-search": 2}
    assert not (tmp_path / "table.arrow").exists()


def test_seeds_differ() -> None:
    states = {
        tuple(seed_of(seed, name, i).generate_state(4))
        for seed in (0, 1)
        for name in search.registry()
        for i in range(50)
    }
    assert len(states) == 2 * len(search.registry()) * 50
    one, other = (seed_of(3, "bohb", 7).generate_state(2) for _ in range(2))
    assert one.tolist() == other.tolist()


def test_a_folder_goes_on_with_its_options_alone(table: nb101.Table, tmp_path: Path) -> None:
    given: Any = {"names": ["hyperband"], "queries": 20, "executor": Serial()}
    compare(table, tmp_path, runs=1, options={"hyperband": {"eta": 2}}, **given)
    with pytest.raises(ValueError, match=r"options \{'eta': 2\}, not default ones"):
        compare(table, tmp_path, runs=2, **given)
    compare(table, tmp_path, runs=2, options={"hyperband": {"eta": np.int64(2)}}, **given)
    # A default that is given is the default, and may be left out or given at any time.
    given["names"] = ["random-search"]
    compare(table, tmp_path, runs=1, **given)
    compare(table, tmp_path, runs=2, options={"random-search": {"method": "raw"}}, **given)
    with pytest.raises(ValueError, match="'hyperband', which is not compared"):
        compare(table, tmp_path, runs=2, options={"hyperband": {"eta": 2}}, **given)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", sorted(search.registry()))
def test_defaults_of_every_algorithm_may_be_given(
    name: str, first: bool, table: nb101.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each on its own, when a comparison is begun and when it is gone on with."""
    monkeypatch.setattr(comparison, "create", lambda *_, **__: None)
    monkeypatch.setattr(comparison, "_assignments", lambda *_: iter(()))
    for option, value in search.registry()[name].options.items():
        folder = tmp_path / option
        given: Any = {"names": [name], "runs": 1, "options": {name: {option: value}}}
        if search.registry()[name].searcher.needs_objectives:
            given["objectives"] = ("error", "training_time")
        compare(table, folder, **{**given, **({} if first else {"options": {}})})
        trace = folder / "traces" / name / "000000.parquet"
        trace.parent.mkdir(parents=True)
        trace.touch()
        compare(table, folder, **{**given, **({"options": {}} if first else {})})
        other = {name: {option: not value if isinstance(value, bool) else 12345}}
        with pytest.raises(nb101.SearchError, match="options") as caught:
            compare(table, folder, **{**given, "options": other})
        assert (caught.value.path, caught.value.field) == (str(folder), "options")


def test_a_default_that_a_folder_holds_is_the_default(table: nb101.Table, tmp_path: Path) -> None:
    given: Any = {"names": ["hyperband"], "runs": 1, "queries": 5}
    found = compare(table, tmp_path, **given)
    path = tmp_path / "comparison.json"
    values = read_sealed_json(path.read_bytes(), path, "")
    path.write_bytes(sealed_json(values | {"options": {"hyperband": {"eta": 3}}}))
    again = compare(table, tmp_path, **given)
    trace, where = next(again.traces("hyperband")), again.paths("hyperband")[0]
    assert again.is_of(where, trace.about)
    assert again.is_of(where, {**trace.about, "options": {"eta": 3}})
    assert not again.is_of(where, {**trace.about, "options": {"eta": 2}})
    assert found.plan.settings("hyperband") == again.plan.settings("hyperband") == {"eta": 3}


def test_options_that_no_file_can_hold_are_refused(table: nb101.Table, tmp_path: Path) -> None:
    options: Any = {"hyperband": {"eta": object()}}
    with pytest.raises(nb101.ArgumentTypeError, match="eta must be what JSON can hold") as caught:
        compare(table, tmp_path / "c", names=["hyperband"], options=options)
    assert caught.value.field == "eta"
    assert not (tmp_path / "c").exists()


def test_folders_of_others_are_left_alone(table: nb101.Table, tmp_path: Path) -> None:
    claim_folder(tmp_path / "report", "report")
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").touch()
    for name in ("report", "page"):
        before = sorted((tmp_path / name).iterdir())
        with pytest.raises(nb101.FolderError, match="not written over") as caught:
            compare(table, tmp_path / name)
        assert caught.value.path == str(tmp_path / name)
        assert sorted((tmp_path / name).iterdir()) == before
    compare(table, tmp_path / "own", names=["hyperband"], runs=1)
    with pytest.raises(nb101.FolderError, match="search compare made it"):
        claim_folder(tmp_path / "own", "report")


def test_a_bar_in_notebooks_is_of_the_comparison(
    table: nb101.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[str, int | None]] = []
    steps: list[tuple[int, int | None]] = []

    @contextmanager
    def bar(what: str = "", total: int | None = None) -> Iterator[Any]:
        shown.append((what, total))
        yield lambda done, total: steps.append((done, total))

    for module in ("nb101._base.progress", "nb101.search.runner"):
        monkeypatch.setattr(f"{module}.in_notebook", lambda: True)
        monkeypatch.setattr(f"{module}.show", bar)
    compare(table, tmp_path, names=["random-search"], runs=2)
    assert shown == [("searching", 2)]
    assert steps == [(0, 2), (1, 2), (2, 2)]
    search.run("random-search", table, queries=3)
    assert shown == [("searching", 2), ("searching", None)]
    assert steps[3:] == [(0, 3)]
    search.run("random-search", table, queries=3, progress=lambda *_: None)
    assert len(shown) == 2


def test_another_table_is_refused(table: nb101.Table, tmp_path: Path) -> None:
    given: Any = {"names": ["random-search"], "queries": 20, "executor": Serial()}
    columns = {name: table.column(name).copy() for name in table.columns}
    columns["final_validation_accuracy"][0] += 0.1
    other = nb101.Table.from_columns(columns, space=table.space)
    compare(table, tmp_path / "a", runs=1, **given)
    with pytest.raises(ValueError, match="table there: "):
        compare(other, tmp_path / "a", runs=2, **given)
    # Nor one that took the place of the file, which a worker may have open.
    table.save(tmp_path / "t.arrow")
    compare(nb101.Table.open(tmp_path / "t.arrow"), tmp_path / "b", runs=1, **given)
    opened = nb101.Table.open(tmp_path / "t.arrow")
    other.save(tmp_path / "t.arrow")
    comparison._open.cache_clear()  # as in a new worker
    with pytest.raises(nb101.DatasetError, match="it has changed"):
        compare(opened, tmp_path / "c", runs=1, **given)


def test_traces_of_others_are_not_taken(table: nb101.Table, tmp_path: Path) -> None:
    given: Any = {"names": ["random-search"], "queries": 20, "executor": Serial(), "runs": 2}
    one = compare(table, tmp_path / "a", **given)
    other = compare(table, tmp_path / "b", seed=2, **given)
    (file, *_) = one.paths("random-search")
    file.write_bytes(other.paths("random-search")[0].read_bytes())
    with pytest.raises(nb101.DatasetError, match="delete it, and run the same command again"):
        summarize(one)
    file.write_bytes(b"PAR1")
    with pytest.raises(nb101.DatasetError, match="runs that search again"):
        summarize(one)
    file.unlink()
    summarize(compare(table, tmp_path / "a", **given))


def test_an_algorithm_that_workers_do_not_know(
    table: nb101.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered = dict(REGISTRY)
    monkeypatch.setattr("nb101.search.searcher.REGISTRY", registered)

    @search.register("local-one", title="local", source="here")
    class LocalOne(search.Sequential):
        def steps(self) -> Any:
            yield search.Trial(0, self.budget)

    class Elsewhere(Serial):
        """A process that has not run what was typed here."""

        def submit(self, *arguments: Any, **named: Any) -> Any:
            del registered["local-one"]
            return super().submit(*arguments, **named)

    with pytest.raises(ValueError, match=r"does not know 'local-one'.*imports"):
        compare(table, tmp_path, names=["local-one"], runs=1, queries=5, executor=Elsewhere())


def test_workers_that_cannot_do_a_run_say_why(
    table: nb101.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: Any = {"names": ["random-search"], "runs": 1, "queries": 5}

    class Elsewhere(Serial):
        """A worker that lacks something."""

        def submit(self, function: Any, task: Any) -> Any:  # type: ignore[override]
            return super().submit(function, dataclasses.replace(task, **self.lacks))

        lacks: Any

    elsewhere = Elsewhere()
    elsewhere.lacks = {"imports": ("no_such_module",)}
    with pytest.raises(nb101.NB101Error, match="cannot import no_such_module: ModuleNotFoundErr"):
        compare(table, tmp_path, executor=elsewhere, **given)
    elsewhere.lacks = {"path": str(tmp_path / "no.arrow")}
    with pytest.raises(nb101.NB101Error, match=r"has no .*no.arrow: all workers must see the tab"):
        compare(table, tmp_path, executor=elsewhere, **given)
    elsewhere.lacks = {"path": ""}
    with pytest.raises(nb101.DatasetError, match="the table of the package is not the table that"):
        compare(table, tmp_path, executor=elsewhere, **given)
    (plan, _) = read_manifest(tmp_path) or (None, None)
    assert plan is not None
    elsewhere.lacks = {"plan": dataclasses.replace(plan, nb101="0.0.9")}
    with pytest.raises(nb101.NB101Error, match=r"and the comparison is of 0\.0\.9"):
        compare(table, tmp_path, executor=elsewhere, **given)
    assert not (tmp_path / "traces").exists()


def test_clusters_that_give_up_are_said_to(table: nb101.Table, tmp_path: Path) -> None:
    class KilledWorker(Exception):  # noqa: N818
        """As Dask calls it."""

    class GivingUp(Serial):
        error: BaseException

        def submit(self, *_: Any, **__: Any) -> Any:
            future: Future[Any] = Future()
            future.set_exception(self.error)
            return future

    executor = GivingUp()
    for error, message in ((CancelledError(), "has cancelled runs"), (KilledWorker(), "died of a")):
        executor.error = error
        with pytest.raises(nb101.NB101Error, match=message):
            compare(table, tmp_path, names=["random-search"], runs=1, executor=executor)
    executor.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        compare(table, tmp_path, names=["random-search"], runs=1, executor=executor)


def test_workers_that_die_are_said_to(table: nb101.Table, tmp_path: Path) -> None:
    class Dying(Serial):
        def submit(self, *_: Any, **__: Any) -> Any:
            raise BrokenProcessPool("terminated abruptly")

    with pytest.raises(nb101.NB101Error, match="the same call goes on"):
        compare(table, tmp_path, names=["random-search"], runs=1, queries=5, executor=Dying())


def test_a_script_without_the_guard(tmp_path: Path) -> None:
    make_table().save(tmp_path / "table.arrow")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom nb101 import search\n"
        "found = search.compare('table.arrow', 'runs', names=['random-search'], runs=3, queries=9,"
        " jobs=int(sys.argv[1]))\nprint(found.runs)\n"
    )
    for jobs in (2, 1):
        done = subprocess.run(
            [sys.executable, str(script), str(jobs)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if jobs == 1:
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout == "{'random-search': 3}\n"
            continue
        assert done.returncode == 1
        assert done.stderr.count("Traceback") == 1
        last = done.stderr.splitlines()[-1]
        assert last.startswith("nb101.errors.SearchError: worker processes import the script")
        assert last.endswith("under if __name__ == '__main__':")


def test_one_job_is_this_process(table: nb101.Table, whole: Path, tmp_path: Path) -> None:
    compare(table, tmp_path, executor=None, jobs=1)
    assert contents(tmp_path) == contents(whole)
