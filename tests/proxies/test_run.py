"""Many cells by processes: kept in a folder, gone on with, and the same as in one process."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import nb101
from torch_tests import small_data

import torch  # isort: skip

from nb101.proxies import folder as folders  # isort: skip
from nb101.proxies import read, run, running, score  # isort: skip
from nb101.train import TrainConfig  # isort: skip

CONFIG = TrainConfig(stem_channels=4, stacks=1, cells_per_stack=1, device="cpu")
NAMES = ["snip", "params", "nwot"]
SPACE = nb101.SearchSpace()
IDS = [5, 423_000, 77_777, 12, 90_000]


class Here(Executor):
    """Does what it is given at once, and dies at the first calls."""

    def __init__(self, deaths: int = 0) -> None:
        self.deaths, self.calls = deaths, 0
        self._max_workers = 1

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        self.calls += 1
        if self.calls <= self.deaths:
            future.set_exception(BrokenProcessPool("x"))
        else:
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:
                future.set_exception(error)
        return future


def start(folder: Path, ids: Any = IDS, **given: Any) -> nb101.proxies.Scores:
    settings = {"config": CONFIG, "batch_size": 4, "threads": 1, "executor": Here(), **given}
    return run(ids, folder, settings.pop("names", NAMES), **settings)


def parts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "parts").glob("*.npz")}


def same(found: nb101.proxies.Scores, expected: nb101.proxies.Scores) -> None:
    assert found.cells == expected.cells
    assert list(found) == list(expected)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


def test_the_same_as_score(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = start(tmp_path / "s", progress=lambda *x: seen.append(x))
    expected = score(SPACE[sorted(IDS)], NAMES, config=CONFIG, batch_size=4)
    same(found, expected)
    same(read(tmp_path / "s"), expected)
    assert found.about["asked"] == 5
    assert seen == [(n, 5) for n in range(6)]
    assert (found.seconds["snip"] > 0).all()


def test_images_are_passed_on(tmp_path: Path) -> None:
    data = small_data()
    found = start(tmp_path / "s", images=data, seed=4)
    expected = score(SPACE[sorted(IDS)], NAMES, config=CONFIG, batch_size=4, images=data, seed=4)
    same(found, expected)


def test_it_goes_on(tmp_path: Path) -> None:
    start(tmp_path / "s", IDS[:2])
    before = parts(tmp_path / "s")
    executor = Here()
    found = start(tmp_path / "s", executor=executor)
    assert executor.calls == 3
    assert before.items() <= parts(tmp_path / "s").items()
    same(found, start(tmp_path / "once"))
    # Fewer cells, all of them done: nothing is computed, and nothing is taken away.
    executor = Here()
    same(start(tmp_path / "s", IDS[:1], executor=executor), found)
    assert executor.calls == 0


def test_small_parts_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is killed between writing the joined one and deleting the others loses nothing."""
    monkeypatch.setattr(running, "MOST_CELLS", 2)
    monkeypatch.setattr(running, "SECONDS", 0.0)
    ids = list(range(100, 120))
    apart = start(tmp_path / "s", ids, names=["l2-norm"])
    small = parts(tmp_path / "s")
    assert len(small) == 20
    monkeypatch.setattr(folders, "SMALL", 8)
    monkeypatch.setattr(folders, "MANY", 3)
    same(start(tmp_path / "s", ids[:1], executor=Here(), names=["l2-norm"]), apart)
    joined = parts(tmp_path / "s")
    assert list(map(int, (name.removesuffix(".npz") for name in sorted(joined)))) == [100, 108, 116]
    for name in set(small) - set(joined):
        (tmp_path / "s" / "parts" / name).write_bytes(small[name])
    same(read(tmp_path / "s"), apart)
    executor = Here()
    same(start(tmp_path / "s", ids, executor=executor, names=["l2-norm"]), apart)
    assert executor.calls == 0
    assert parts(tmp_path / "s") == joined
    # While cells come, too.
    same(start(tmp_path / "t", ids, names=["l2-norm"]), apart)
    assert len(parts(tmp_path / "t")) < 6


def test_what_was_asked_for_adds_up(tmp_path: Path) -> None:
    assert start(tmp_path / "s", IDS[:3]).about["asked"] == 3
    assert start(tmp_path / "s", IDS[3:]).about["asked"] == 5
    assert start(tmp_path / "s", IDS[:1]).about["asked"] == 5


def test_part_of_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process gives back what it has when its time is over; the rest is given out again."""
    monkeypatch.setattr(running, "SECONDS", 0.0)
    monkeypatch.setattr(running, "MOST_CELLS", 5)
    ids = list(range(100, 120))
    executor = Here()
    found = start(tmp_path / "s", ids, executor=executor, names=["l2-norm"])
    assert executor.calls == 20
    assert len(parts(tmp_path / "s")) == 20
    same(found, score(SPACE[ids], ["l2-norm"], config=CONFIG, batch_size=4))


def test_processes_that_die(tmp_path: Path) -> None:
    found = start(tmp_path / "s", executor=Here(deaths=2))
    same(found, start(tmp_path / "other"))
    with pytest.raises(nb101.TrainingError, match=r"cells [0-9]+ to [0-9]+ died, 3 times"):
        start(tmp_path / "third", executor=Here(deaths=1000))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"names": ["snip"]}, "names there"),
        ({"seed": 1}, "seed there: 0, here: 1"),
        ({"batch_size": 5}, "batch_size there: 4, here: 5"),
        ({"config": CONFIG.replace(stem_channels=5)}, "stem_channels there: 4, here: 5"),
        ({"images": small_data()}, "images there: random"),
        ({"space": nb101.SearchSpace(7, 10), "ids": [1]}, "space there"),
    ],
)
def test_other_scores(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    start(tmp_path / "s", IDS[:1])
    before = parts(tmp_path / "s")
    with pytest.raises(nb101.FolderError, match=words):
        start(tmp_path / "s", **changes)
    assert parts(tmp_path / "s") == before
    # What has no say in scores may be another.
    start(tmp_path / "s", IDS[:1], config=CONFIG.replace(epochs=4, learning_rate=0.1))


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    start(tmp_path / "s", IDS[:1])
    with folders.only_writer(tmp_path / "s"), pytest.raises(nb101.FolderError, match="another"):
        start(tmp_path / "s")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "index.html").touch()
    with pytest.raises(nb101.FolderError, match="page of something else"):
        start(tmp_path / "other")
    with pytest.raises(nb101.FolderError, match="no scores"):
        read(tmp_path)


def test_damaged_parts_are_done_again(tmp_path: Path) -> None:
    whole = start(tmp_path / "s")
    path = min((tmp_path / "s" / "parts").glob("*.npz"))
    content = path.read_bytes()
    for place in range(0, len(content), 97):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(nb101.DatasetError, match=path.name):
            read(tmp_path / "s")
    with pytest.warns(RuntimeWarning, match="damaged"):
        same(start(tmp_path / "s"), whole)
    # A part once more under another name: a cell has one score.
    plan, _ = folders.read_plan(tmp_path / "s") or pytest.fail("there is one")
    first, second = folders.read_parts(tmp_path / "s", plan)[:2]
    both = folders._joined([second, first], plan.names)
    path.unlink()
    folders._write_part(tmp_path / "s", plan, folders._joined([first, second], plan.names))
    (tmp_path / "s" / "parts" / second.file).unlink()
    other = folders.Part(
        np.array([both.ids[0], 423_623]),
        {name: column.copy() for name, column in both.columns.items()},
        dict(both.seconds),
    )
    folders._write_part(tmp_path / "s", plan, other)
    with pytest.raises(nb101.DatasetError, match="another part"):
        read(tmp_path / "s")
    with pytest.warns(RuntimeWarning, match="another part"):
        same(start(tmp_path / "s"), whole)
    # One of other scores.
    start(tmp_path / "t", seed=9)
    stranger = min((tmp_path / "t" / "parts").glob("*.npz"))
    path.write_bytes(stranger.read_bytes())
    with pytest.raises(nb101.DatasetError, match="other scores"):
        read(tmp_path / "s")
    manifest = tmp_path / "s" / "proxies.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"snip", b"ship"))
    with pytest.raises(nb101.DatasetError, match=r"proxies\.json"):
        start(tmp_path / "s")


def test_real_processes(tmp_path: Path) -> None:
    expected = start(tmp_path / "here")
    found = start(tmp_path / "processes", executor=None, workers=1)
    same(found, expected)


@pytest.mark.skipif(sys.platform == "win32", reason="it is killed by a signal")
def test_killed_and_gone_on_with(tmp_path: Path) -> None:
    """Nothing is lost, nothing is done twice."""
    ids = list(range(1000, 1040))
    command = [sys.executable, "-m", "nb101", "proxies", "run", str(tmp_path / "s"), "-w", "1"]
    command += ["-t", "1", "--stem-channels", "4", "--stacks", "1", "--cells-per-stack", "1"]
    command += ["--batch-size", "4", "--device", "cpu", *map(str, ids)]
    for name in NAMES:
        command += ["--proxy", name]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not (tmp_path / "s" / "parts").is_dir() or not parts(tmp_path / "s"):
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    before = parts(tmp_path / "s")
    done = len(read(tmp_path / "s").cells)
    assert 0 < done < len(ids)
    executor = Here()
    found = start(tmp_path / "s", ids, executor=executor)
    assert before.items() <= parts(tmp_path / "s").items()
    same(found, start(tmp_path / "once", ids))


def test_a_cluster(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    expected = start(tmp_path / "here")
    with distributed.Client(n_workers=1, threads_per_worker=1, processes=False) as client:
        executor = client.get_executor(pure=False)
        same(start(tmp_path / "there", executor=executor), expected)
        executor.shutdown()


def test_threads_share_no_state(tmp_path: Path) -> None:
    expected = start(tmp_path / "here")
    with ThreadPoolExecutor(2) as pool:
        same(start(tmp_path / "there", executor=pool), expected)


def test_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(Here):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
            monkeypatch.setattr(running, "__version__", "9.9")
            return super().submit(fn, *args, **kwargs)

    with pytest.raises(nb101.TrainingError, match=r"9\.9"):
        start(tmp_path / "s", executor=Later())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ids": [10**9]}, None),
        ({"ids": ["zz"]}, "hash"),
        ({"names": "snap"}, "names"),
        ({"executor": 3}, "executor"),
        ({"workers": 0}, "workers"),
        ({"threads": 0}, "threads"),
        ({"progress": 3}, "progress"),
        ({"space": 3}, "space"),
        ({"seed": -1}, "seed"),
    ],
)
def test_wrong_arguments(changes: dict[str, Any], field: str | None, tmp_path: Path) -> None:
    with pytest.raises(nb101.NB101Error) as caught:
        start(tmp_path / "s", **changes)
    assert caught.value.field == field
    assert not (tmp_path / "s" / "parts").exists()


def test_files(tmp_path: Path) -> None:
    scores = start(tmp_path / "s")
    scores.save(tmp_path / "s.arrow")
    scores.save(tmp_path / "s.parquet")
    scores.save(tmp_path / "s.csv")
    with pa.memory_map(str(tmp_path / "s.arrow")) as source:
        table = pa.ipc.open_file(source).read_all()
    from pyarrow import csv, parquet

    from nb101._base.seals import check_seal

    assert table["cell_id"].to_pylist() == sorted(IDS)
    assert parquet.read_table(tmp_path / "s.parquet").equals(table)
    assert csv.read_csv(tmp_path / "s.csv")["snip"].to_pylist() == scores["snip"].tolist()
    for name in ("s.arrow", "s.parquet"):
        check_seal(tmp_path / name, "x")
    with pytest.raises(nb101.ArgumentError, match="ending"):
        scores.save(tmp_path / "s.txt")
    assert torch.get_num_threads() == 1
