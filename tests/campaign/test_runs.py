"""Campaigns that train: on threads, on processes that are killed, on a Dask cluster."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'nb101[train]'")

import torch

import campaign_workers
import nb101
from campaigns import Scripted, small_config, small_data, small_plan
from nb101 import campaign
from nb101._base.files import locked
from nb101._base.seals import sealed_json
from nb101.campaign import pool, worker
from nb101.campaign.coordinator import run as run_campaign
from nb101.campaign.folder import IMAGES, SESSION, run_key
from nb101.campaign.images import save_images
from nb101.campaign.ledger import Ledger
from nb101.campaign.plan import Plan
from nb101.campaign.pool import LocalProcesses, local_devices
from nb101.campaign.worker import Outcome, RunTask, work
from nb101.errors import CampaignError
from nb101.table.table import Table
from nb101.train.checkpoint import FILE
from nb101.train.data import CIFAR10_MEAN, CIFAR10_STD, ImageData, synthetic
from resealing import reseal

# Threads of several processes on the same cores wait for each other, by spinning.
torch.set_num_threads(1)

SECONDS = 60.0
"""For what happens in a moment on an idle machine."""
SAVE_MINUTES = 0.1 / 60
"""Between checkpoints: so often that each kill finds one."""


def slow_plan(folder: Path) -> Plan:
    """A plan whose runs take a second or more each, in a file that other processes read."""
    plan = small_plan(
        cells=[1, 5],
        data=synthetic(train=512, validation=64, test=64, size=6),
        epochs=12,
        repeats=1,
    )
    plan.save(folder / "plan.json")
    (folder / "runs").mkdir()
    assert plan.images is not None
    save_images(plan.images, folder / "runs" / IMAGES)
    return plan


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """What the runs of `slow_plan` come to when nobody disturbs them."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with ThreadPoolExecutor(1) as executor:
        return run_campaign(slow_plan(folder), folder / "runs", executor)


def assert_same_runs(table: Table, expected: Table) -> None:
    """Compare all that does not depend on the clock, bit for bit."""
    assert len(table) == len(expected)
    for name in expected.columns:
        if not name.endswith("_time"):
            assert np.array_equal(table.column(name), expected.column(name)), name


def wait_for(what: Callable[[], Any], process: "subprocess.Popen[bytes] | None" = None) -> Any:
    end = time.monotonic() + SECONDS
    while not (found := what()):
        assert time.monotonic() < end
        assert process is None or process.poll() is None
        time.sleep(0.02)
    return found


def is_alive(pid: int) -> bool:
    """Whether a process is there, and more than a zombie that nobody has asked after."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def under_way(folder: Path) -> list[dict[str, Any]]:
    """Return what workers say of the runs that they are at and that have a checkpoint."""
    found = []
    for path in folder.glob("checkpoints/*/*/now.json"):
        with contextlib.suppress(OSError, ValueError):
            now = json.loads(path.read_bytes())
            if now["step"] > 0 and (path.parent / FILE).exists():
                found.append(now)
    return found


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers of this process look and report more often."""
    monkeypatch.setattr("nb101.campaign.session.LOOK_SECONDS", 0.01)
    monkeypatch.setattr("nb101.campaign.session.NOTE_SECONDS", 0.01)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Start ``nb101 campaign run`` in a process of its own, with a group of its own."""
    started: list[subprocess.Popen[bytes]] = []
    code = "import sys; from nb101.cli import main; sys.exit(main(sys.argv[1:]))"

    def run(*options: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", code, "campaign", "run"]
        command += [str(tmp_path / "plan.json"), str(tmp_path / "runs"), *options]
        command += ["--threads", "1", "--checkpoint-minutes", str(SAVE_MINUTES)]
        command += ["--import", "campaign_workers"]
        paths = (Path(nb101.__file__).parents[1], Path(__file__).parents[1])
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # So that workers find the package where this process does.
            env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_runs_are_those_of_the_trainer(tmp_path: Path) -> None:
    plan = small_plan(cells=[0, 5], epochs=2, repeats=1)
    with ThreadPoolExecutor(2) as executor:
        table = campaign.run(plan, tmp_path, executor)
    for run in plan.runs():
        config = plan.config.replace(epochs=2)
        assert plan.images is not None
        result = nb101.train.train(plan.space[run.cell_id], plan.images, config, run.seed)
        (row,) = table.rows(run.cell_id)
        for name, value in result.row().items():
            if not name.endswith("_time"):
                assert table.column(name)[row] == value, name
    assert table.provenance["versions"]["torch"] == [torch.__version__]
    # Checkpoints of finished runs are gone, and what was needed to make them too.
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {
        ".lock",
        ".nb101-folder",
        "ledger-plan.json",
        "ledger.sqlite",
        "results.jsonl",
        IMAGES,
    }


def test_weights_can_be_kept(tmp_path: Path) -> None:
    plan = small_plan(cells=[5], epochs=1, repeats=1)
    with ThreadPoolExecutor(1) as executor:
        campaign.run(plan, tmp_path, executor, keep_checkpoints=True)
    network = nb101.train.load_network(tmp_path / run_key(5, 1, 0, 0))
    assert network.cell == plan.space[5]


def test_a_run_that_diverges(tmp_path: Path) -> None:
    config = small_config(learning_rate=1e30, max_attempts=2)
    plan = small_plan(cells=[5], epochs=1, repeats=1, config=config)
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.warns(RuntimeWarning, match="1 of 1 run has failed"),
    ):
        table = campaign.run(plan, tmp_path, executor)
    assert len(table) == 0
    (failure,) = campaign.failures(tmp_path)
    assert failure.kind == "diverged"
    assert "the loss was nan" in failure.message
    assert failure.tries == 1


def test_out_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*arguments: Any, **settings: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("nb101.nn.Network.forward", short)
    plan = small_plan(cells=[5], epochs=1, repeats=1)
    with ThreadPoolExecutor(1) as executor, pytest.warns(RuntimeWarning, match="1 of 1"):
        campaign.run(plan, tmp_path, executor, retry=1)
    (failure,) = campaign.failures(tmp_path)
    assert failure.tries == 2
    assert "lower stem_channels (4)" in failure.message


def test_a_full_disk_of_a_worker_stops_the_campaign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device", "there")

    monkeypatch.setattr("nb101.train.checkpoint.save_checkpoint", full)
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(CampaignError, match="there: No space left on device: the campaign has"),
    ):
        campaign.run(small_plan(), tmp_path, executor)
    status = campaign.status(tmp_path)
    assert (status.waiting, status.failed) == (12, 0)


def test_a_damaged_checkpoint_costs_its_run_only(tmp_path: Path) -> None:
    plan = small_plan(cells=[5], epochs=1, repeats=1)
    place = tmp_path / run_key(5, 1, 0, 0)
    place.mkdir(parents=True)
    (place / FILE).write_bytes(b"no checkpoint")
    (place / f"{FILE}.damaged").write_bytes(b"an earlier one")
    with ThreadPoolExecutor(1) as executor:
        assert len(campaign.run(plan, tmp_path, executor, keep_checkpoints=True)) == 1
    assert (place / f"{FILE}.damaged").read_bytes() == b"an earlier one"
    assert (place / f"{FILE}.damaged1").read_bytes() == b"no checkpoint"


def test_a_checkpoint_of_another_version_is_left_where_it_is(tmp_path: Path) -> None:
    plan = small_plan(cells=[5], epochs=1, repeats=1)
    place = tmp_path / run_key(5, 1, 0, 0)
    with ThreadPoolExecutor(1) as executor:
        campaign.run(plan, tmp_path / "old", executor, keep_checkpoints=True)
        newer = (tmp_path / "old" / run_key(5, 1, 0, 0) / FILE).read_bytes()
        newer = reseal(newer.replace(b'\\"padding\\"', b'\\"pudding\\"'))
        place.mkdir(parents=True)
        (place / FILE).write_bytes(newer)
        with pytest.raises(CampaignError, match=r"no setting 'pudding'.*the campaign has stopped"):
            campaign.run(plan, tmp_path, executor)
    assert (place / FILE).read_bytes() == newer
    assert campaign.status(tmp_path).waiting == 1


def test_a_folder_that_cannot_be_written_stops_the_campaign(tmp_path: Path) -> None:
    place = tmp_path / run_key(5, 1, 0, 0)
    place.parent.mkdir(parents=True)
    # No folder can be made where there is a file.
    place.write_bytes(b"")
    plan = small_plan(cells=[5], epochs=1, repeats=1)
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(CampaignError, match="File exists: the campaign has stopped"),
    ):
        campaign.run(plan, tmp_path, executor)
    assert campaign.status(tmp_path).waiting == 1


def test_a_folder_that_goes_before_its_lock_is_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coordinator has noted another worker's result meanwhile, and tidied up."""
    plan = small_plan()
    assert plan.images is not None
    save_images(plan.images, tmp_path / IMAGES)
    (tmp_path / SESSION).write_bytes(sealed_json({"token": "mine"}))

    def late(path: Path, **settings: Any) -> Any:
        path.parent.rmdir()
        return locked(path, **settings)

    monkeypatch.setattr(worker, "locked", late)
    assert work(task_of(plan, tmp_path)).kind == "stopped"


def test_ops_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_campaign_ops.py").write_text(
        "import torch\nfrom nb101.nn import register_op\n"
        "register_op('my-relu', lambda channels, **settings: torch.nn.ReLU(), replace=True)\n"
    )
    space = nb101.SearchSpace(3, 3, ["my-relu", "maxpool3x3"])
    plan = small_plan(cells=[1], space=space, epochs=1, repeats=1)
    with ThreadPoolExecutor(1) as executor, pytest.warns(RuntimeWarning, match="1 of 1"):
        campaign.run(plan, tmp_path / "a", executor, retry=0)
    assert "my-relu" in campaign.failures(tmp_path / "a")[0].message
    monkeypatch.syspath_prepend(tmp_path)
    with ThreadPoolExecutor(1) as executor:
        table = campaign.run(plan, tmp_path / "b", executor, imports=["my_campaign_ops"])
    assert len(table) == 1
    # It is no run's fault, and none has failed.
    (tmp_path / "half_written_ops.py").write_text("register_op(\n")
    for module, what in (("missing_ops", "No module named"), ("half_written_ops", "SyntaxError")):
        with (
            ThreadPoolExecutor(1) as executor,
            pytest.raises(CampaignError, match=f"cannot import {module}: .*{what}"),
        ):
            campaign.run(plan, tmp_path / "c", executor, imports=[module], retry=0)
    assert campaign.status(tmp_path / "c").waiting == 1


def test_genuine_images(test_data: Path, tmp_path: Path) -> None:
    """Two cells with two repeats on a part of CIFAR-10, interrupted: a table like any other."""
    data = genuine_images(test_data / "cifar10")
    # Statistics that follow within the few steps that there are.
    config = small_config(stem_channels=8, padding=4, batch_size=64, bn_decay=0.9)
    plan = small_plan(cells=[1, 5], data=data, config=config, epochs=4)

    def interrupt(status: campaign.Status) -> None:
        if status.done and not status.stopping:
            raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as executor:
        with pytest.raises(KeyboardInterrupt):
            campaign.run(plan, tmp_path / "runs", executor, on_status=interrupt)
        assert 1 <= campaign.status(tmp_path / "runs").done < 4
        table = campaign.run(plan, tmp_path / "runs", executor)
    assert len(table) == 4
    run = nb101.Benchmark(table).query(plan.space[5], epochs=4)
    # A tenth is chance.
    assert run.train_accuracy > 0.2
    table.save(tmp_path / "t.tfrecord")
    official = nb101.convert(tmp_path / "t.tfrecord", tmp_path / "t.arrow")
    assert np.array_equal(
        official.values("validation_accuracy"), table.values("validation_accuracy")
    )


def genuine_images(source: Path) -> ImageData:
    """Read the first images of CIFAR-10 from the strips that they are kept in, 500 each."""
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    if not (source / "webp").is_dir():
        pytest.skip("no CIFAR-10 in the shared data")
    strips = [image.open(source / "webp" / f"train_{k:03}.webp").convert("RGB") for k in range(2)]
    images = np.concatenate([np.asarray(strip).reshape(-1, 32, 32, 3) for strip in strips])
    labels = np.fromfile(source / "labels_train.bin", np.uint8)[: len(images)]
    # The first is a frog, its first pixel as published.
    assert labels[0] == 6
    assert images[0, 0, 0].tolist() == [59, 62, 63]
    ends = (0, 512, 768, 1000)
    parts = [(images[i:j], labels[i:j]) for i, j in pairwise(ends)]
    return ImageData(
        name="part of CIFAR-10",
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        mean=CIFAR10_MEAN,
        std=CIFAR10_STD,
    )


# One worker


def task_of(plan: Plan, folder: Path, **changes: Any) -> RunTask:
    run = next(plan.runs())
    settings = {
        "folder": str(folder),
        "token": "mine",
        "key": run_key(run.cell_id, run.epochs, run.repeat, run.setting),
        "cell": plan.space[run.cell_id],
        "config": plan.config.replace(epochs=run.epochs),
        "seed": run.seed,
        "data": plan.data,
    }
    return RunTask(**{**settings, **changes})


def test_a_worker_obeys_its_session(tmp_path: Path) -> None:
    plan = small_plan()
    assert plan.images is not None
    # No session: it was over before the task began.
    assert work(task_of(plan, tmp_path)).kind == "stopped"
    outcome = work(task_of(plan, tmp_path / "nowhere"))
    assert outcome.kind == "fatal"
    assert "must be on a file system that all workers share" in outcome.message
    (tmp_path / SESSION).write_bytes(sealed_json({"token": "another"}))
    assert work(task_of(plan, tmp_path)).kind == "stopped"
    (tmp_path / SESSION).write_bytes(sealed_json({"token": "mine"}))
    outcome = work(task_of(plan, tmp_path))
    assert outcome.kind == "fatal"
    assert IMAGES in outcome.message
    save_images(small_data(seed=1), tmp_path / IMAGES)
    outcome = work(task_of(plan, tmp_path))
    assert outcome.kind == "fatal"
    assert "are not those of the plan" in outcome.message
    save_images(replace(plan.images, mean=(1.0, 2.0, 3.0)), tmp_path / IMAGES)
    outcome = work(task_of(plan, tmp_path))
    assert outcome.kind == "fatal"
    assert "their mean is (1.0, 2.0, 3.0) and not (" in outcome.message
    # Whatever they are called there: results and checkpoints have the plan's name.
    save_images(replace(plan.images, name="another file"), tmp_path / IMAGES)
    outcome = work(task_of(plan, tmp_path))
    assert outcome.kind == "done"
    assert outcome.result is not None
    assert outcome.result.data == plan.data.name


def test_an_error_of_the_device_is_none_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What CUDA says of a kernel that failed: after that nothing works in the process."""

    def fail(*arguments: Any) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(worker, "_lost", [])
    plan = small_plan()
    assert plan.images is not None
    save_images(plan.images, tmp_path / IMAGES)
    (tmp_path / SESSION).write_bytes(sealed_json({"token": "mine"}))
    with monkeypatch.context() as patch:
        patch.setattr("nb101.train.trainer.train_step", fail)
        outcome = work(task_of(plan, tmp_path))
    assert outcome.kind == "lost"
    assert "an illegal memory access" in outcome.message
    again = work(task_of(plan, tmp_path))
    assert again.kind == "fatal"
    assert "has to be replaced, since RuntimeError: CUDA error: an illegal" in again.message


def test_a_worker_of_an_older_session_stops_and_another_goes_on(
    tmp_path: Path, undisturbed: Table
) -> None:
    """A coordinator that is killed and started again; its workers live on, as on a cluster."""
    plan = slow_plan(tmp_path)
    folder = tmp_path / "runs"
    (folder / SESSION).write_bytes(sealed_json({"token": "mine"}))
    task = task_of(plan, folder)
    with ThreadPoolExecutor(2) as executor:
        old = executor.submit(work, task)
        wait_for(lambda: under_way(folder))
        new = executor.submit(work, task_of(plan, folder, token="new"))
        # Not of the session that there is.
        assert new.result(SECONDS).kind == "stopped"
        assert not old.done()
        (folder / SESSION).write_bytes(sealed_json({"token": "new"}))
        new = executor.submit(work, task_of(plan, folder, token="new"))
        assert old.result(SECONDS).kind == "stopped"
        result = new.result(SECONDS).result
    assert result is not None
    (row,) = undisturbed.rows(result.cell)
    assert undisturbed.column("final_train_accuracy")[row] == result.final.train_accuracy
    assert undisturbed.column("final_validation_accuracy")[row] == result.final.validation_accuracy


# Processes


def lost_outcome() -> Outcome:
    return Outcome(kind="lost", message=str(os.getpid()))


def test_a_process_that_has_lost_its_device_is_replaced() -> None:
    with LocalProcesses([None]) as executor:
        lost = executor.submit(lost_outcome).result(SECONDS)
        assert executor.submit(os.getpid).result(SECONDS) != int(lost.message)


def test_threads_do_not_depend_on_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: None
) -> None:
    """Results do depend on them: an interrupted campaign is to come to the same."""
    nb101.set_threads(4)
    made: list[tuple[list[str | None], Scripted]] = []

    def processes(devices: list[str | None]) -> Any:
        made.append((devices, Scripted()))
        return made[-1][1]

    monkeypatch.setattr("nb101.campaign.coordinator.LocalProcesses", processes)
    for folder, repeats, workers, expected in (("a", 1, 2, 2), ("b", 3, 2, 2), ("c", 1, None, 1)):
        plan = small_plan(cells=[0], epochs=1, repeats=repeats)
        campaign.run(plan, tmp_path / folder, workers=workers)
        devices, executor = made[-1]
        assert len(devices) == min(repeats, workers or 4)
        assert {task.threads for task in executor.tasks} == {expected}


def test_processes_are_replaced() -> None:
    with LocalProcesses([None]) as executor:
        first = executor.submit(os.getpid).result(SECONDS)
        assert executor.submit(os.getpid).result(SECONDS) == first != os.getpid()
        with pytest.raises(BrokenProcessPool):
            executor.submit(os.abort).result(SECONDS)
        second = executor.submit(os.getpid).result(SECONDS)
        assert second != first
        # One that dies while it has nothing to do breaks nobody's call.
        os.kill(second, signal.SIGKILL)
        wait_for(lambda: not is_alive(second))
        assert executor.submit(os.getpid).result(SECONDS) != second
        with pytest.raises(ZeroDivisionError):
            executor.submit(divmod, 1, 0).result(SECONDS)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(os.getpid)


def test_a_process_that_is_killed_as_it_starts_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_begin", campaign_workers.begin_killed)
    monkeypatch.setenv(campaign_workers.KILLS, str(tmp_path))
    for kills in (2, pool.START_TRIES):
        for number in range(kills):
            (tmp_path / str(number)).touch()
        with LocalProcesses([None]) as executor:
            future = executor.submit(os.getpid)
            if kills < pool.START_TRIES:
                assert future.result(SECONDS) != os.getpid()
                continue
            with pytest.raises(CampaignError, match="killed as it started, 5 times"):
                future.result(SECONDS)
    monkeypatch.setattr(pool, "_begin", campaign_workers.begin_wrong)
    with (
        LocalProcesses([None]) as executor,
        pytest.raises(CampaignError, match="under if __name__ == '__main__':"),
    ):
        executor.submit(os.getpid).result(SECONDS)


def test_a_script_without_the_guard(tmp_path: Path) -> None:
    slow_plan(tmp_path)
    script = tmp_path / "script.py"
    script.write_text("from nb101 import campaign\ncampaign.run('plan.json', 'runs', workers=1)\n")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert "RuntimeError" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("nb101.errors.CampaignError: worker processes import the script")


def test_how_many_processes(monkeypatch: pytest.MonkeyPatch, threads: None) -> None:
    assert local_devices(None, 1, "cpu") == [None] * nb101.get_threads()
    nb101.set_threads(3)
    assert local_devices(None, 1, "cpu") == [None] * 3
    assert local_devices(3, 1, "cpu") == [None] * 3
    assert local_devices(None, 2, "cuda:1") == [None, None]
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert local_devices(None, 1, "auto") == ["cuda:0", "cuda:1"]
    assert local_devices(None, 2, "cuda") == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]
    assert local_devices(3, 1, "auto") == ["cuda:0", "cuda:1", "cuda:0"]
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    assert local_devices(None, 4, "auto") == [None] * 3


def test_interrupted_and_killed(
    tmp_path: Path, start: Callable[..., "subprocess.Popen[bytes]"], undisturbed: Table
) -> None:
    """A worker killed, then Ctrl-C, then the coordinator killed: the table is as undisturbed."""
    slow_plan(tmp_path)
    folder = tmp_path / "runs"

    # A worker: its run is lost, and done again from its checkpoint by another one.
    process = start("--workers", "1")
    (first, *_) = wait_for(lambda: under_way(folder), process)
    os.kill(first["pid"], signal.SIGKILL)
    wait_for(lambda: [one for one in under_way(folder) if one["pid"] != first["pid"]], process)
    with Ledger.read(folder) as ledger:
        assert ledger.query("SELECT kind, count(*) FROM failures GROUP BY kind") == [("lost", 1)]

    # Ctrl-C, which reaches workers and coordinator alike.
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    way_on = b"nb101: interrupted; 0 of 2 runs done, and the same command goes on with the others\n"
    assert err.endswith(way_on)
    status = campaign.status(folder)
    assert (status.done, status.running, status.failed, status.at_work) == (0, 0, 0, False)
    assert not (folder / SESSION).exists()
    # Of the run that was lost, and of the one that took its place, if that had begun.
    assert 1 <= len(list(folder.glob(f"checkpoints/*/*/{FILE}"))) <= 2

    # The coordinator: its worker is left alone, and ends too.
    process = start("--workers", "1")
    (now, *_) = wait_for(lambda: under_way(folder), process)
    process.kill()
    process.communicate()
    wait_for(lambda: not is_alive(now["pid"]))

    with ThreadPoolExecutor(1) as executor:
        table = campaign.run(tmp_path / "plan.json", folder, executor)
    assert_same_runs(table, undisturbed)


def test_a_dask_cluster(
    tmp_path: Path, start: Callable[..., "subprocess.Popen[bytes]"], undisturbed: Table
) -> None:
    """A worker of several killed in the middle of a run, then the coordinator."""
    distributed = pytest.importorskip("distributed", reason="no Dask: pip install 'nb101[dask]'")
    slow_plan(tmp_path)
    folder = tmp_path / "runs"
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        host="127.0.0.1",
        local_directory=str(tmp_path),
    ) as cluster:
        process = start("--dask", cluster.scheduler_address)
        (now, *_) = wait_for(lambda: under_way(folder), process)
        os.kill(now["pid"], signal.SIGKILL)
        wait_for(lambda: [one for one in under_way(folder) if one["pid"] != now["pid"]], process)
        process.kill()
        process.communicate()
        # The same cluster, with workers that may still be at it.
        with distributed.Client(cluster) as client:
            executor = client.get_executor(pure=False)
            table = campaign.run(tmp_path / "plan.json", folder, executor, threads=1)
    assert_same_runs(table, undisturbed)
