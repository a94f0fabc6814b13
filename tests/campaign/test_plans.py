"""Plans, ledgers, tables, and what a coordinator makes of all that can come of a run. No torch."""

import errno
import io
import json
import math
import os
import sqlite3
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from campaigns import Scripted, done, small_config, small_data, small_plan
from nb101 import campaign
from nb101._base import seals
from nb101._base.files import claim_folder, locked
from nb101._base.seals import KEY, sealed_json
from nb101.campaign import Plan, coordinator
from nb101.campaign.database import COLUMNS, about_sum, row_sum
from nb101.campaign.folder import LEDGER, LOCK, RESULTS, SESSION, run_key
from nb101.campaign.images import load_images, save_images
from nb101.campaign.ledger import Ledger
from nb101.campaign.plan import run_seed
from nb101.campaign.results import RECORD, _line, record_line
from nb101.campaign.worker import Outcome, RunTask
from nb101.errors import CampaignError, CellIdError, DatasetError, OutOfSpaceError

# Plans


def test_runs_of_a_plan() -> None:
    plan = small_plan(grid={"learning_rate": [0.1, 0.2]})
    runs = list(plan.runs())
    assert len(runs) == len(plan) == 3 * 2 * 2 * 2
    which = {(run.cell_id, run.epochs, run.repeat, run.setting) for run in runs}
    assert which == {
        (cell, epochs, repeat, setting)
        for cell in (0, 1, 5)
        for epochs in (1, 2)
        for repeat in (0, 1)
        for setting in (0, 1)
    }
    # All cells once before any a second time.
    assert [run.repeat for run in runs] == sorted(run.repeat for run in runs)
    # Settings share their draws; nothing else does.
    seeds = Counter(run.seed for run in runs)
    assert set(seeds.values()) == {2}
    assert [config.learning_rate for config in plan.settings] == [0.1, 0.2]
    costs = {(run.cell_id, run.epochs): run.cost for run in runs}
    for cell in (0, 1, 5):
        assert costs[cell, 2] == 2 * costs[cell, 1]
    flops = [plan.space[cell].flops for cell in (0, 1, 5)]
    shares = np.array([costs[cell, 1] for cell in (0, 1, 5)]) / costs[0, 1]
    assert shares == pytest.approx(
        [(sum(flops) + 3 * x) / (sum(flops) + 3 * flops[0]) for x in flops]
    )


def test_seeds_are_what_they_always_were() -> None:
    # Another way to derive them would make other runs of old plans: they must stay. This one is
    # the first 8 bytes, little-endian and halved, of what sha256sum says of the text.
    assert run_seed(0, "043721b9c7fe8c5fad811d47d83132ec", 4, 0) == 4216869377012298563
    seeds = {
        run_seed(seed, cell, epochs, repeat)
        for seed in (0, 1)
        for cell in ("a" * 32, "b" * 32)
        for epochs in (4, 12)
        for repeat in range(3)
    }
    assert len(seeds) == 24
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_run_has_the_same_seed_in_every_plan(space: nb101.SearchSpace) -> None:
    one = {(r.cell_id, r.epochs, r.repeat): r.seed for r in small_plan().runs()}
    other = small_plan(cells=space[:6], epochs=(2, 4), repeats=3)
    two = {(r.cell_id, r.epochs, r.repeat): r.seed for r in other.runs()}
    common = set(one) & set(two)
    assert len(common) == 6
    assert all(one[run] == two[run] for run in common)


def test_cells_of_a_plan(space: nb101.SearchSpace) -> None:
    expected = small_plan().fingerprint
    same: list[Any] = [
        [5, 1, 0, 1],
        [space[5], 0, space[1]],
        space[[1, 0, 5, 5]],
        [np.int64(5), 1, 0],
    ]
    same += [np.array([5, 1, 0, 1]), [space[5].hash, 1, 0]]
    for cells in same:
        plan = small_plan(cells=cells)
        assert plan.cell_ids.tolist() == [0, 1, 5]
        assert plan.fingerprint == expected
    larger = nb101.SearchSpace(8, 9).enumerate()[-1]
    with pytest.raises(OutOfSpaceError, match="cell 1 of the plan"):
        small_plan(cells=[space[0], larger])
    with pytest.raises(CellIdError, match="cell 0 of the plan, 423624"):
        small_plan(cells=[423_624])
    with pytest.raises(CellIdError, match="cell 0 of the plan, -1: cell id -1 is out of range"):
        small_plan(cells=[-1])
    with pytest.raises(CampaignError, match="at least one cell"):
        small_plan(cells=[])
    with pytest.raises(TypeError, match="a Cell, an id or a hash, not float"):
        small_plan(cells=[1.5])


def test_the_fingerprint_covers_what_has_a_say_in_results() -> None:
    same = small_plan().fingerprint
    assert small_plan(config=small_config(epochs=7, compile="default")).fingerprint == same
    assert small_plan(epochs=[2, 1, 2]).fingerprint == same
    others = [
        small_plan(cells=[0, 1]),
        small_plan(epochs=(1,)),
        small_plan(repeats=3),
        small_plan(seed=1),
        small_plan(config=small_config(momentum=0.8)),
        small_plan(grid={"momentum": [0.8]}),
        small_plan(data=small_data(seed=1)),
        small_plan(data=replace(small_data(), mean=(1.0, 2.0, 3.0))),
        small_plan(data=replace(small_data(), std=(1.0, 2.0, 3.0))),
        small_plan(space=nb101.SearchSpace(5)),
    ]
    prints = [plan.fingerprint for plan in others]
    # A grid of one value is that value.
    assert prints[4] == prints[5]
    assert len({same, *prints}) == len(others)


def test_plans_as_files(tmp_path: Path, space: nb101.SearchSpace) -> None:
    plan = small_plan(grid={"learning_rate": [0.1, 0.2], "flip": [True, False]}, seed=3)
    plan.save(tmp_path / "plan.json")
    again = Plan.load(tmp_path / "plan.json")
    assert again.fingerprint == plan.fingerprint
    assert list(again.runs()) == list(plan.runs())
    assert again.settings == plan.settings
    assert again.to_dict() == plan.to_dict()
    # As people may write it.
    values = json.loads((tmp_path / "plan.json").read_text())
    values["cells"] = [space[0].hash, " ".join(space[1].to_text()), 5]
    assert Plan.from_dict(values).fingerprint == plan.fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nb101_plan": 2}, "has format 2, and this nb101 reads 1"),
        ({"nb101_plan": None}, "is no plan"),
        ({"epoch": [4]}, "no entry 'epoch'"),
        ({"cells": ["0" * 32]}, "cell '0000.*no cell of this space"),
        ({"cells": ["011001000 input,conv9x9,output"]}, "conv9x9"),
        ({"cells": [423_624]}, "out of range"),
        ({"cells": "no"}, "cell 'n'"),
        ({"config": {"learning_rat": 0.1}}, "did you mean 'learning_rate'"),
        ({"config": {"learning_rate": -1}}, "learning_rate must be"),
        ({"epochs": [0]}, "epochs must be"),
        ({"epochs": []}, "needs a budget"),
        ({"repeats": 129}, "repeats must be from 1 to 128"),
        ({"repeats": "3"}, "repeats must be a whole number"),
        ({"grid": {"epochs": [1]}}, "epochs are budgets"),
        ({"grid": {"device": ["cpu"]}}, "no part of a grid"),
        ({"grid": {"momentum": []}}, "no value for momentum"),
        ({"grid": {"momentum": [1.5]}}, "momentum must be"),
        ({"data": {}}, "source"),
        ({"space": {"max_vertices": 99, "max_edges": 9, "ops": ["a"]}}, "max_vertices"),
    ],
)
def test_wrong_plans(changes: dict[str, Any], message: str) -> None:
    values = small_plan().to_dict() | changes
    with pytest.raises(CampaignError, match=message):
        Plan.from_dict(values, "p.json")


@pytest.mark.parametrize("wrong", ["0" * 32, 423_624, "011001000 input,conv9x9,output"])
def test_a_wrong_cell_of_a_plan_has_a_number(wrong: Any) -> None:
    with pytest.raises(CampaignError) as caught:
        Plan.from_dict(small_plan().to_dict() | {"cells": [0, wrong]})
    assert (caught.value.index, caught.value.field) == (1, "cells")


def test_files_that_are_no_plans(tmp_path: Path) -> None:
    for text in ("", "[1]", "{", '{"a": 1}', '"x"'):
        (tmp_path / "p.json").write_text(text)
        with pytest.raises(CampaignError, match=r"p\.json is no plan"):
            Plan.load(tmp_path / "p.json")
    values = small_plan().to_dict()
    del values["seed"]
    with pytest.raises(CampaignError, match="lacks the entry 'seed'"):
        Plan.from_dict(values)


def test_damage_to_a_plan_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    plan = small_plan()
    plan.save(path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 7
        path.write_bytes(damaged)
        with pytest.raises(CampaignError, match=r"p\.json"):
            Plan.load(path)
    # One that was edited: it says what to do, and so it is done.
    path.write_bytes(whole.replace(b'"repeats": 2', b'"repeats": 3'))
    with pytest.raises(CampaignError, match=r"take the entry 'nb101.seal' out if you have edited"):
        Plan.load(path)
    values = json.loads(path.read_bytes())
    del values["nb101.seal"]
    path.write_text(json.dumps(values))
    assert Plan.load(path).repeats == 3
    with pytest.raises(CampaignError, match="no seal"):
        Plan.load(path, edited=False)


def test_data_and_recipe_must_fit() -> None:
    with pytest.raises(CampaignError, match="set num_classes=3"):
        small_plan(data=small_data(num_classes=3))
    with pytest.raises(CampaignError, match="lower batch_size"):
        small_plan(config=small_config(batch_size=256))
    with pytest.raises(TypeError, match="ImageData, a name or a path"):
        small_plan(data=3)


def test_images_are_kept(tmp_path: Path) -> None:
    data = small_data(channels=1, size=5)
    save_images(data, tmp_path / "images.npz")
    again = load_images(tmp_path / "images.npz")
    assert again.checksum == data.checksum
    assert (again.name, again.mean, again.std) == (data.name, data.mean, data.std)
    assert again.num_classes == data.num_classes
    whole = (tmp_path / "images.npz").read_bytes()
    rng = np.random.default_rng(0)
    flips = [bytearray(whole) for _ in range(100)]
    for flipped in flips:
        flipped[rng.integers(len(whole))] ^= 1 << rng.integers(8)
    damaged = (whole[: len(whole) // 2], b"", b"x" * 100, whole[:-1], *map(bytes, flips))
    for damage in damaged:
        (tmp_path / "images.npz").write_bytes(damage)
        with pytest.raises(
            DatasetError, match=r"images\.npz (is damaged|is empty|has no seal).*make the plan"
        ):
            load_images(tmp_path / "images.npz")


def test_images_of_others_are_no_bomb(tmp_path: Path) -> None:
    """A seal is no signature: what fits its seal may still be hostile."""
    path = tmp_path / "images.npz"

    def refused(message: str, about: bytes = b"{}", **changed: Any) -> None:
        arrays: dict[str, Any] = {
            "about": np.frombuffer(about, np.uint8),
            "mean": np.zeros(3),
            "std": np.ones(3),
        }
        for name in ("train", "validation", "test"):
            arrays[f"{name}_images"] = np.zeros((4, 2, 2, 3), np.uint8)
            arrays[f"{name}_labels"] = np.zeros(4, np.int64)
        with zipfile.ZipFile(path, "w", changed.pop("kind", zipfile.ZIP_STORED)) as archive:
            for name, array in (arrays | changed).items():
                buffer = io.BytesIO()
                if isinstance(array, bytes):
                    buffer.write(array)
                else:
                    np.lib.format.write_array(buffer, array)
                archive.writestr(f"{name}.npy", buffer.getvalue())
            archive.comment = seals.BLANK.encode()
        path.write_bytes(seals.seal_bytes(path.read_bytes()))
        with pytest.raises(DatasetError, match=message) as error:
            load_images(path)
        assert str(error.value).isprintable()

    refused("it would take", kind=zipfile.ZIP_DEFLATED, train_images=np.zeros((99, 99, 99, 3)))
    refused("is damaged: 'name'")
    refused("nested|recursion", b"[" * 100_000)
    refused("digits", b'{"name": ' + b"9" * 5000 + b"}")
    good = b'{"name": "a", "num_classes": 2}'
    refused("head of an array", good, train_images=b"\x93NUMPY\x01\x00\x06\x00{'a'(\n")
    refused("holds no numbers", good, train_images=np.array([{"a": 1}], dtype=object))
    refused("labels of shape", good, train_labels=np.zeros(5, np.int64))
    refused("std must be above 0", good, std=np.zeros(3))


def test_damaged_images_are_written_again(tmp_path: Path) -> None:
    plan = small_plan()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "images.npz").write_bytes(b"damaged")
    campaign.run(plan, tmp_path / "runs", Scripted(), at_once=1)
    assert plan.images is not None
    assert load_images(tmp_path / "runs" / "images.npz").checksum == plan.images.checksum


# What comes of runs


def test_a_campaign_becomes_a_table(tmp_path: Path) -> None:
    plan = small_plan()
    executor = Scripted()
    table = campaign.run(plan, tmp_path, executor)
    assert len(table) == len(plan) == len(executor.tasks)
    runs = {(run.cell_id, run.epochs, run.repeat): run for run in plan.runs()}
    for row in range(len(table)):
        key = tuple(int(table.column(name)[row]) for name in ("cell_id", "epochs", "repeat"))
        run = runs.pop(key)  # type: ignore[arg-type]
        # 63 bits, all of them.
        assert int(table.column("seed")[row]) == run.seed
        assert table.column("final_training_time")[row] == run.seed % 1000
    assert not runs
    assert table.column("total_time").tolist()
    bench = nb101.Benchmark(table)
    assert bench.query(nb101.SearchSpace()[5], epochs=2).validation_accuracy == 0.5
    about = table.provenance
    assert about["kind"] == "measured"
    assert about["recipe"]["stem_channels"] == 4
    assert "epochs" not in about["recipe"]
    assert "device" not in about["recipe"]
    assert about["data"]["checksum"] == plan.data.checksum
    # All that parameters and FLOPs are computed from.
    assert about["data"]["image_shape"] == [6, 6, 3]
    sizes = [about["recipe"][name] for name in ("stacks", "cells_per_stack", "num_classes")]
    assert sizes == [2, 1, 10]
    assert "trainable_parameters" in table.columns
    assert about["plan"]["fingerprint"] == plan.fingerprint
    assert about["versions"]["torch"] == ["2.0"]
    assert about["hardware"] == [{"device": "a CPU", "threads": 1, "runs": 12}]
    assert "here" not in json.dumps(dict(about))
    # All is done: nothing is done again.
    again = Scripted()
    assert campaign.run(plan, tmp_path, again).equals(table)
    assert again.tasks == []
    assert campaign.table(tmp_path).equals(table)


def test_a_table_reads_back_from_official_records(tmp_path: Path) -> None:
    table = campaign.run(small_plan(epochs=4), tmp_path / "runs", Scripted())
    table.save(tmp_path / "t.tfrecord")
    official = nb101.convert(tmp_path / "t.tfrecord", tmp_path / "t.arrow")
    for name in ("cell_id", "epochs", "repeat", "final_test_accuracy", "total_time"):
        assert np.array_equal(official.column(name), table.column(name))


def test_other_spaces(tmp_path: Path) -> None:
    space = nb101.SearchSpace(4, 5, ["conv1x1-bn-relu", "identity"])
    table = campaign.run(small_plan(cells=[0, 3, 8], space=space, repeats=1), tmp_path, Scripted())
    assert table.space == space
    assert table.num_cells == 3
    assert campaign.table(tmp_path).space == space


def test_failed_runs_are_kept_and_tried_again(tmp_path: Path) -> None:
    def answer(task: RunTask) -> Outcome:
        if task.cell == nb101.SearchSpace()[1] and task.config.epochs == 2:
            return Outcome(kind="failed", message="out of memory: lower x", details="a traceback")
        return done(task)

    executor = Scripted(answer)
    with pytest.warns(RuntimeWarning, match="2 of 12 runs have failed"):
        table = campaign.run(small_plan(), tmp_path, executor, retry=2)
    assert len(table) == 10
    assert len(executor.tasks) == 10 + 2 * 3
    failures = campaign.failures(tmp_path)
    assert [(one.cell_id, one.epochs, one.repeat) for one in failures] == [(1, 2, 0), (1, 2, 1)]
    assert {(one.kind, one.message, one.tries) for one in failures} == {
        ("failed", "out of memory: lower x", 3)
    }
    with Ledger.read(tmp_path) as ledger:
        assert ledger.query("SELECT count(*), min(details) FROM failures") == [(6, "a traceback")]
    # The limit counts over all calls; a higher one tries again.
    same = Scripted(answer)
    with pytest.warns(RuntimeWarning):
        campaign.run(small_plan(), tmp_path, same, retry=2)
    assert same.tasks == []
    better = Scripted()
    assert len(campaign.run(small_plan(), tmp_path, better, retry=3)) == 12
    assert len(better.tasks) == 2
    assert campaign.failures(tmp_path) == []


def test_diverged_runs_are_not_tried_again(tmp_path: Path) -> None:
    def answer(task: RunTask) -> Outcome:
        if task.cell == nb101.SearchSpace()[0]:
            return Outcome(kind="diverged", message="the loss was nan")
        return done(task)

    executor = Scripted(answer)
    for retry in (2, 9):
        with pytest.warns(RuntimeWarning, match="4 of 12"):
            campaign.run(small_plan(), tmp_path, executor, retry=retry)
    assert len(executor.tasks) == 12
    assert {one.kind for one in campaign.failures(tmp_path)} == {"diverged"}


def test_a_run_whose_workers_die_is_given_up(tmp_path: Path) -> None:
    class KilledWorker(Exception):  # noqa: N818
        """What Dask calls it."""

    tries = 0

    def answer(task: RunTask) -> Outcome:
        nonlocal tries
        if task.cell != nb101.SearchSpace()[0]:
            return done(task)
        tries += 1
        if tries == 1:
            return Outcome(kind="failed", message="bad luck")
        raise KilledWorker

    with pytest.warns(RuntimeWarning, match="1 of 3"):
        campaign.run(small_plan(epochs=1, repeats=1), tmp_path, Scripted(answer), retry=1)
    (failure,) = campaign.failures(tmp_path)
    assert (failure.kind, failure.tries) == ("lost", 3)
    assert "several workers died of it, in 2 of 3 tries" in failure.message
    assert "memory is short" in failure.message


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Outcome(kind="fatal", message="No space left on device"), "No space left.*nothing is"),
        (BrokenExecutor("gone"), "executor is broken"),
        (ModuleNotFoundError("No module named 'nb101'"), "do all workers have the same nb101"),
    ],
)
def test_what_would_fail_every_run_stops_the_campaign(
    tmp_path: Path, answer: Any, message: str
) -> None:
    def script(task: RunTask) -> Outcome:
        if len(executor.tasks) < 4:
            return done(task)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Outcome)
        return answer

    executor = Scripted(script)
    with pytest.raises(CampaignError, match=message):
        campaign.run(small_plan(), tmp_path, executor)
    status = campaign.status(tmp_path)
    assert (status.done, status.waiting, status.failed, status.running) == (3, 9, 0, 0)
    assert not (tmp_path / SESSION).exists()
    again = Scripted()
    assert len(campaign.run(small_plan(), tmp_path, again)) == 12
    assert len(again.tasks) == 9


@pytest.mark.parametrize("kind", ["failed", "lost"])
def test_a_machine_that_fails_all_runs_stops_the_campaign(tmp_path: Path, kind: Any) -> None:
    def answer(task: RunTask) -> Outcome:
        if len(executor.tasks) == 1:
            return done(task)
        return Outcome(kind=kind, message="CUDA error: unspecified launch failure")

    executor = Scripted(answer)
    message = "the last 20 tries have all failed, the last one with: CUDA error: unspecified.*again"
    with pytest.raises(CampaignError, match=message):
        campaign.run(small_plan(), tmp_path, executor)
    status = campaign.status(tmp_path)
    # Three tries each: the others are not marked by it.
    assert (status.done, status.failed, status.waiting) == (1, 6, 5)
    assert {one.kind for one in campaign.failures(tmp_path)} == {kind}
    assert len(campaign.run(small_plan(), tmp_path, Scripted(), retry=3)) == 12


def test_runs_that_diverge_are_no_fault_of_the_machine(tmp_path: Path) -> None:
    def answer(task: RunTask) -> Outcome:
        return Outcome(kind="diverged", message="the loss was nan")

    with pytest.warns(RuntimeWarning, match="24 of 24"):
        campaign.run(small_plan(repeats=4), tmp_path, Scripted(answer))


def test_an_executor_that_has_been_shut_down(tmp_path: Path) -> None:
    class Closed(Scripted):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
            raise RuntimeError("cannot schedule new futures after shutdown")

    with pytest.raises(CampaignError, match="takes no more runs: cannot schedule"):
        campaign.run(small_plan(), tmp_path, Closed())

    class Cancels(Scripted):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
            future: Future[Any] = Future()
            future.cancel()
            return future

    with pytest.raises(CampaignError, match="connection to its scheduler lost"):
        campaign.run(small_plan(), tmp_path, Cancels())
    assert campaign.status(tmp_path).waiting == 12


def test_an_interrupt_keeps_what_is_done(tmp_path: Path) -> None:
    executor = Scripted()
    seen: list[campaign.Status] = []

    def interrupt(status: campaign.Status) -> None:
        seen.append(status)
        if not status.stopping:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        campaign.run(small_plan(), tmp_path, executor, at_once=3, on_status=interrupt)
    status = campaign.status(tmp_path)
    assert status.done >= 1
    assert status.done + status.waiting == 12
    assert not status.at_work
    again = Scripted()
    assert len(campaign.run(small_plan(), tmp_path, again)) == 12
    assert len(again.tasks) == 12 - status.done


def test_two_coordinators(tmp_path: Path) -> None:
    refusals: list[CampaignError] = []

    def look(status: campaign.Status) -> None:
        assert status.at_work
        assert campaign.status(tmp_path).at_work
        if not refusals:
            with pytest.raises(CampaignError, match="one coordinator at a time") as caught:
                campaign.run(small_plan(), tmp_path, Scripted())
            refusals.append(caught.value)

    assert len(campaign.run(small_plan(), tmp_path, Scripted(), on_status=look)) == 12
    assert f"process {os.getpid()} on" in str(refusals[0])
    # Who looks at the status for a moment is no coordinator.
    with locked(tmp_path / LOCK):
        assert campaign.status(tmp_path).at_work


def test_the_session_is_told_to_workers(tmp_path: Path) -> None:
    tokens = []

    def answer(task: RunTask) -> Outcome:
        tokens.append(json.loads((tmp_path / SESSION).read_text())["token"] == task.token)
        return done(task)

    campaign.run(small_plan(), tmp_path, Scripted(answer))
    assert tokens == [True] * 12
    assert not (tmp_path / SESSION).exists()


# Ledgers


def test_the_ledger_of_another_plan(tmp_path: Path) -> None:
    campaign.run(small_plan(), tmp_path, Scripted())
    with pytest.raises(CampaignError, match=r"is of another plan.*3 cells.*give another folder"):
        campaign.run(small_plan(repeats=3), tmp_path, Scripted())
    assert campaign.status(tmp_path).done == 12


def test_the_results_of_another_plan(tmp_path: Path) -> None:
    for name, plan in (("a", small_plan()), ("b", small_plan(repeats=3))):
        campaign.run(plan, tmp_path / name, Scripted())
    theirs = (tmp_path / "b" / RESULTS).read_bytes()
    (tmp_path / "a" / RESULTS).write_bytes(theirs)
    for call in (campaign.status, lambda folder: campaign.run(small_plan(), folder, Scripted())):
        with pytest.raises(CampaignError, match="is of another plan: give") as caught:
            call(tmp_path / "a")
        assert caught.value.path == str(tmp_path / "a" / RESULTS)
    assert (tmp_path / "a" / RESULTS).read_bytes() == theirs


def test_a_newer_ledger(tmp_path: Path) -> None:
    campaign.run(small_plan(), tmp_path, Scripted())
    with Ledger.read(tmp_path) as ledger:
        about = ledger.about | {"format": "9"}
    change(
        tmp_path,
        "UPDATE about SET value = '9' WHERE name = 'format'",
        f"UPDATE about SET value = '{about_sum(about)}' WHERE name = 'sum'",
        "CREATE TABLE more (a)",
    )
    with pytest.raises(CampaignError, match="has format '9', and this nb101 reads 2"):
        campaign.run(small_plan(), tmp_path, Scripted())
    with pytest.raises(CampaignError, match="has format '9'"):
        campaign.status(tmp_path)


def change(folder: Path, *statements: str) -> None:
    """Change a ledger as another program would."""
    with closing(sqlite3.connect(folder / LEDGER)) as database, database:
        database.create_function("row_sum", -1, row_sum)
        for statement in statements:
            database.execute(statement)
            if "row_sum" in statement:
                # Of the values as they are now.
                database.execute(statement)


def test_no_campaign(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="holds no campaign"):
        campaign.status(tmp_path)
    with pytest.raises(CampaignError, match="holds no campaign"):
        campaign.table(tmp_path / "nowhere")


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "name"])
def test_a_damaged_ledger_is_made_anew(tmp_path: Path, damage: str) -> None:
    table = campaign.run(small_plan(), tmp_path, Scripted())
    path = tmp_path / LEDGER
    whole = path.read_bytes()
    spoiled = {
        "cut": whole[:5000],
        "noise": b"\0" * 100 + whole[100:],
        "empty": b"",
        # SQLite quotes it, and Python cannot read the quotation.
        "name": whole.replace(b"CREATE TABLE runs", b"CREATE\xb5TABLE runs"),
    }[damage]
    path.write_bytes(spoiled)
    for look in (campaign.status, campaign.table, campaign.failures, campaign.ranking):
        with pytest.raises(CampaignError, match=r"ledger.sqlite is damaged .* makes it anew"):
            look(tmp_path)
    # As the message says; unless results are damaged too.
    results = (tmp_path / RESULTS).read_bytes()
    lines = results.split(b"\n")
    for other in (b"", b"\n".join([*lines[:3], *lines[4:]]), results[:-100] + b"\n"):
        (tmp_path / RESULTS).write_bytes(other)
        with pytest.raises(CampaignError, match=r"and so is results.jsonl .* move the ledger"):
            campaign.run(small_plan(), tmp_path, Scripted())
        assert path.read_bytes() == spoiled
    (tmp_path / RESULTS).write_bytes(results)
    executor = Scripted()
    with pytest.warns(RuntimeWarning, match=r"made anew of results.jsonl; it is kept as .*damaged"):
        assert campaign.run(small_plan(), tmp_path, executor).equals(table)
    assert executor.tasks == []
    assert (tmp_path / f"{LEDGER}.damaged").read_bytes() == spoiled
    assert campaign.table(tmp_path).equals(table)


def test_results_survive_a_cut_line(tmp_path: Path) -> None:
    table = campaign.run(small_plan(), tmp_path, Scripted())
    results = (tmp_path / RESULTS).read_bytes()
    for end in (-1, -20):
        (tmp_path / LEDGER).unlink()
        (tmp_path / RESULTS).write_bytes(results[:end])
        executor = Scripted()
        assert campaign.run(small_plan(), tmp_path, executor).equals(table)
        # Without its end a line cannot be trusted, even if only that is missing.
        assert len(executor.tasks) == 1
        assert (tmp_path / RESULTS).read_bytes().count(b"\n") == 13
    lines = results.split(b"\n")
    for number, line in ((3, b'{"id": 1}'), (0, b"{}"), (0, lines[0].replace(b"2", b"1", 1))):
        (tmp_path / LEDGER).unlink()
        (tmp_path / RESULTS).write_bytes(b"\n".join([*lines[:number], line, *lines[number + 1 :]]))
        executor = Scripted()
        with pytest.warns(RuntimeWarning, match=rf"results.jsonl .*in line {number + 1}"):
            assert campaign.run(small_plan(), tmp_path, executor).equals(table)
        assert len(executor.tasks) == (number > 0)
    assert len(list(tmp_path.glob(f"{RESULTS}.damaged*"))) == 3


def test_a_killed_coordinator_has_noted_a_result_in_one_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole line is a result: it is taken over, and not computed again and noted twice."""
    table = campaign.run(small_plan(), tmp_path / "whole", Scripted())

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nb101.campaign.ledger._store", killed)
    with pytest.raises(KeyboardInterrupt):
        campaign.run(small_plan(), tmp_path, Scripted())
    monkeypatch.undo()
    # They are in the table before anybody goes on, without a warning: nothing is damaged.
    kept = len(campaign.table(tmp_path))
    assert campaign.status(tmp_path).done == kept > 0
    executor = Scripted()
    assert campaign.run(small_plan(), tmp_path, executor).equals(table)
    assert len(executor.tasks) == 12 - kept
    ids = [json.loads(line)["id"] for line in (tmp_path / RESULTS).read_bytes().splitlines()[1:]]
    assert sorted(ids) == list(range(1, 13))


def test_a_run_with_two_lines(tmp_path: Path) -> None:
    """As two coordinators leave it: the ledger has one of them; without it the first counts."""
    table = campaign.run(small_plan(), tmp_path, Scripted())
    with Ledger.read(tmp_path) as ledger:
        records = ledger.compare().records
        fingerprint = ledger.about["fingerprint"]
    other = list(records[2])
    other[RECORD.index("total_time")] = 77.0
    results = tmp_path / RESULTS
    whole = results.read_bytes()
    head, lines = whole.splitlines(keepends=True)[0], whole.splitlines(keepends=True)[1:]
    second = record_line(tuple(other), fingerprint)
    for order, total in (((*lines, second), None), ((second, *lines), 77.0)):
        results.write_bytes(head + b"".join(order))
        assert campaign.table(tmp_path).equals(table)
        (tmp_path / LEDGER).rename(tmp_path / "ledger")
        found = campaign.run(small_plan(), tmp_path, Scripted())
        assert found.equals(table) == (total is None)
        assert total is None or total in found.column("total_time")
        (tmp_path / "ledger").replace(tmp_path / LEDGER)
    # Neither: nobody can know.
    results.write_bytes(head + b"".join(x for x in lines if b'"id": 2,' not in x) + second)
    with pytest.raises(CampaignError, match=r"other results of run 2: delete the line"):
        campaign.table(tmp_path)


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["DELETE FROM runs WHERE id IN (3, 4)"], "results of ledger.sqlite .* runs 3, 4"),
        (["UPDATE runs SET state = 'waiting' WHERE id = 3"], "results of .* run 3"),
        (["UPDATE runs SET final_test_accuracy = 0.9"], "results of .* runs 1, 2, 3, 4, 5 and 7"),
        (["UPDATE runs SET seed = seed + 1 WHERE id = 5"], "results of .* run 5"),
        (["UPDATE runs SET worker = x'00ff' WHERE id = 5"], "results of .* run 5"),
        (["UPDATE runs SET id = 99 WHERE id = 12"], "results of .*run 12"),
    ],
)
def test_rows_changed_by_others_are_taken_from_results(
    tmp_path: Path, statements: list[str], words: str
) -> None:
    table = campaign.run(small_plan(), tmp_path, Scripted())
    change(tmp_path, *statements)
    for look in (campaign.table, campaign.status):
        with pytest.warns(RuntimeWarning, match=rf"run .* repairs it: .*{words}"):
            found = look(tmp_path)
        assert found.done == 12 if isinstance(found, campaign.Status) else found.equals(table)
    executor = Scripted()
    with pytest.warns(RuntimeWarning, match=rf"was damaged, and is repaired: .*{words}"):
        assert campaign.run(small_plan(), tmp_path, executor).equals(table)
    assert executor.tasks == []
    assert campaign.table(tmp_path).equals(table)


def test_lines_that_are_damaged_are_taken_from_the_ledger(tmp_path: Path) -> None:
    table = campaign.run(small_plan(), tmp_path, Scripted())
    path = tmp_path / RESULTS
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    damages = [None, b"", whole[:-200], b"".join(lines[:5] + lines[7:])]
    damages += [whole.replace(b": 0.5", b": 0.6", 1), whole.replace(b"\n", b" ", 1)]
    for damage in damages:
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage)
        with pytest.warns(RuntimeWarning, match=r"results.jsonl"):
            assert campaign.table(tmp_path).equals(table)
        executor = Scripted()
        with pytest.warns(RuntimeWarning, match=r"results.jsonl"):
            assert campaign.run(small_plan(), tmp_path, executor).equals(table)
        assert executor.tasks == []
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        *(("number", "1"), ("number", True), ("number", -3), ("number", 1 << 70), ("id", [1])),
        *(("cell_id", None), ("worker", "here"), ("total_time", 1e200), ("finished", "today")),
        *(("attempts", 0.5), ("final_test_accuracy", float("nan")), ("seed", 1.5)),
    ],
)
def test_lines_that_make_no_sense_are_damaged(tmp_path: Path, entry: str, value: Any) -> None:
    """Though their checksums fit: what others have written."""
    table = campaign.run(small_plan(), tmp_path, Scripted())
    path = tmp_path / RESULTS
    head, line, *rest = path.read_bytes().splitlines(keepends=True)
    values = json.loads(line)
    del values["sum"]
    text = json.dumps(values | {entry: value}).encode()
    path.write_bytes(head + _line(text, small_plan().fingerprint) + b"".join(rest))
    with pytest.warns(RuntimeWarning, match=r"lines of results.jsonl are damaged"):
        assert campaign.table(tmp_path).equals(table)


def test_a_number_of_a_line_that_is_far_too_large(tmp_path: Path) -> None:
    """It ends in one line, not in a list of all numbers before it."""
    campaign.run(small_plan(), tmp_path, Scripted())
    path = tmp_path / RESULTS
    head, line, *rest = path.read_bytes().splitlines(keepends=True)
    values = json.loads(line)
    del values["sum"]
    text = json.dumps(values | {"number": 1 << 60}).encode()
    path.write_bytes(head + _line(text, small_plan().fingerprint) + b"".join(rest))
    with pytest.raises(CampaignError, match=r"what results.jsonl had under number 1, 13"):
        campaign.table(tmp_path)


WAITING = f"UPDATE runs SET state = 'waiting', sum = row_sum({', '.join(COLUMNS)}) WHERE id = 2"
"""As by somebody who knows of the checksums: but the results have numbers."""


def test_a_result_that_is_damaged_in_both_is_named_and_done_again(tmp_path: Path) -> None:
    table = campaign.run(small_plan(), tmp_path, Scripted())
    path = tmp_path / RESULTS
    lines = path.read_bytes().splitlines(keepends=True)
    for statement, words in (
        ("UPDATE runs SET cell_id = 7 WHERE id = 3", "what became of run 3"),
        ("DELETE FROM runs WHERE id = 3", "what became of run 3"),
        (WAITING, r"what results.jsonl had under number \d+"),
    ):
        run = b'"id": 2,' if statement is WAITING else b'"id": 3,'
        path.write_bytes(b"".join(line for line in lines if run not in line))
        change(tmp_path, statement)
        for look in (campaign.table, campaign.ranking):
            with pytest.raises(CampaignError, match=rf"{words}.*nb101 campaign run"):
                look(tmp_path)
        with pytest.warns(RuntimeWarning, match=words):
            assert campaign.status(tmp_path).done == 11
        executor = Scripted()
        with pytest.warns(RuntimeWarning, match=rf"{words}.*done again"):
            assert campaign.run(small_plan(), tmp_path, executor).equals(table)
        assert len(executor.tasks) == 1
        assert campaign.table(tmp_path).equals(table)
        lines = path.read_bytes().splitlines(keepends=True)


def test_rows_without_a_result_are_made_anew(tmp_path: Path) -> None:
    plan = small_plan()
    expected = campaign.run(plan, tmp_path / "whole", Scripted())
    Ledger.open(tmp_path, plan).close()
    change(
        tmp_path,
        "UPDATE runs SET seed = 3 WHERE id = 2",
        "UPDATE runs SET cell_id = 2, sum = 'none' WHERE id = 3",
        "DELETE FROM runs WHERE id = 4",
        "INSERT INTO runs (id, setting, epochs, repeat, cell_id, seed, cost) "
        "VALUES (-1, 0, 1, 0, 0, 0, 0), (99, 0, 1, 0, 0, 0, 0)",
    )
    words = "rows .* are of no run: runs -1, 99; what became of runs 2, 3, 4"
    with pytest.warns(RuntimeWarning, match=words):
        assert campaign.status(tmp_path).waiting == 12
    with pytest.raises(CampaignError, match="what became of runs 2, 3, 4"):
        campaign.table(tmp_path)
    with pytest.warns(RuntimeWarning, match=words):
        assert campaign.run(plan, tmp_path, Scripted()).equals(expected)


def test_an_index_that_does_not_fit_is_made_anew(tmp_path: Path) -> None:
    table = campaign.run(small_plan(), tmp_path, Scripted())
    path = tmp_path / LEDGER
    with closing(sqlite3.connect(path)) as database:
        ((page, size),) = database.execute(
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master "
            "WHERE name = 'by_state'"
        )
    whole = path.read_bytes()
    start = (page - 1) * size
    spoiled = whole[start : start + size].replace(b"done", b"dona")
    path.write_bytes(whole[:start] + spoiled + whole[start + size :])
    assert campaign.table(tmp_path).equals(table)
    executor = Scripted()
    assert campaign.run(small_plan(), tmp_path, executor).equals(table)
    assert executor.tasks == []
    assert b"dona" not in path.read_bytes()


@pytest.mark.parametrize(
    "statements",
    [
        ["DROP TABLE about"],
        ["DROP TABLE runs"],
        ["DROP TABLE failures"],
        ["ALTER TABLE runs DROP COLUMN worker"],
        ["ALTER TABLE failures RENAME TO f"],
        ["CREATE TABLE more (a)"],
        ["CREATE TRIGGER t AFTER UPDATE ON runs BEGIN DELETE FROM runs; END"],
        [
            "DROP TABLE about",
            "CREATE VIEW about AS WITH RECURSIVE r(name, value) AS "
            "(SELECT 'a', 'b' UNION ALL SELECT name, value FROM r) SELECT * FROM r",
        ],
        [
            "DROP TABLE runs",
            "CREATE VIEW runs AS WITH RECURSIVE r(id) AS "
            "(SELECT 1 UNION ALL SELECT id + 1 FROM r) SELECT * FROM r",
        ],
        ["INSERT INTO about VALUES ('huge', zeroblob(50000000))"],
        ["UPDATE about SET value = x'ff00' WHERE name = 'plan'"],
        ["DELETE FROM about"],
    ],
)
def test_hostile_ledgers_are_refused_at_once(tmp_path: Path, statements: list[str]) -> None:
    table = campaign.run(small_plan(), tmp_path, Scripted())
    change(tmp_path, *statements)
    for look in (campaign.status, campaign.table, campaign.failures):
        start = time.monotonic()
        with pytest.raises(CampaignError, match=r"ledger.sqlite is damaged \([^\n]*\)"):
            look(tmp_path)
        assert time.monotonic() - start < 10
    with pytest.warns(RuntimeWarning, match="made anew"):
        assert campaign.run(small_plan(), tmp_path, Scripted()).equals(table)


def test_a_query_that_never_ends_is_stopped(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, small_plan()) as ledger:
        endless = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x FROM r) SELECT sum(x) FROM r"
        with pytest.raises(CampaignError, match=r"damaged \(interrupted\)"):
            ledger.query(endless)


def test_the_journal_of_a_ledger_that_was_deleted(tmp_path: Path) -> None:
    """SQLite would write its pages over those of the new one."""
    campaign.run(small_plan(), tmp_path / "a", Scripted())
    path = tmp_path / "a" / LEDGER
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA cache_size = 1")
    database.execute("BEGIN IMMEDIATE")
    database.execute("UPDATE runs SET worker = zeroblob(100000)")
    journal = path.with_name(f"{LEDGER}-journal").read_bytes()
    database.close()
    campaign.run(small_plan(), tmp_path / "b", Scripted())
    (tmp_path / "b" / LEDGER).unlink()
    (tmp_path / "b" / f"{LEDGER}-journal").write_bytes(journal)
    expected = campaign.table(tmp_path / "a")
    assert campaign.run(small_plan(), tmp_path / "b", Scripted()).equals(expected)


def test_errors_in_the_ledger_are_covered(tmp_path: Path) -> None:
    def answer(task: RunTask) -> Outcome:
        return Outcome(kind="diverged", message="the loss was nan")

    with pytest.warns(RuntimeWarning, match="12 of 12"):
        campaign.run(small_plan(), tmp_path, Scripted(answer))
    assert {x.message for x in campaign.failures(tmp_path)} == {"the loss was nan"}
    change(tmp_path, "UPDATE failures SET message = 'the loss was man'")
    assert {x.kind for x in campaign.failures(tmp_path)} == {"failed"}
    assert all("is damaged in" in x.message for x in campaign.failures(tmp_path))


@pytest.mark.parametrize("length", [0, 1, 20, -1])
def test_a_head_line_that_a_full_disk_has_cut(tmp_path: Path, length: int) -> None:
    Ledger.open(tmp_path, small_plan()).close()
    head = (tmp_path / RESULTS).read_bytes()
    (tmp_path / RESULTS).write_bytes(head[:length])
    table = campaign.run(small_plan(), tmp_path, Scripted())
    assert (tmp_path / RESULTS).read_bytes().startswith(head)
    (tmp_path / LEDGER).unlink()
    again = Scripted()
    assert campaign.run(small_plan(), tmp_path, again).equals(table)
    assert again.tasks == []


def test_a_killed_coordinator_leaves_runs_behind(tmp_path: Path) -> None:
    plan = small_plan()
    with Ledger.open(tmp_path, plan) as ledger:
        entries = ledger.waiting(5)
        ledger.begin([entry.id for entry in entries])
        # Killed here: neither released nor finished.
    now = campaign.status(tmp_path)
    assert (now.running, now.waiting) == (0, 12)
    executor = Scripted()
    assert len(campaign.run(plan, tmp_path, executor)) == 12
    assert len(executor.tasks) == 12


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = Ledger.finish
    calls = []

    def full(self: Ledger, *arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 4:
            # SQLite's own, by a limit on the size of the file.
            self.query("PRAGMA max_page_count = 1")
            self.query("CREATE TABLE large AS SELECT * FROM runs")
        finish(self, *arguments)

    monkeypatch.setattr(Ledger, "finish", full)
    with pytest.raises(OSError, match="make room, and start again; nothing is lost") as caught:
        campaign.run(small_plan(), tmp_path, Scripted())
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(tmp_path / LEDGER)
    monkeypatch.undo()
    assert campaign.status(tmp_path).done >= 3
    assert len(campaign.run(small_plan(), tmp_path, Scripted())) == 12


def test_images_that_are_missing(tmp_path: Path) -> None:
    plan = small_plan()
    plan.save(tmp_path / "plan.json")
    with pytest.raises(CampaignError, match="make the plan with these images again"):
        campaign.run(tmp_path / "plan.json", tmp_path / "runs", Scripted())
    campaign.run(plan, tmp_path / "runs", Scripted(), at_once=1)
    assert len(campaign.run(tmp_path / "plan.json", tmp_path / "runs", Scripted())) == 12


def test_arguments(tmp_path: Path) -> None:
    for name in ("workers", "threads", "at_once", "workers_per_device"):
        with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1"):
            campaign.run(small_plan(), tmp_path, **{name: 0})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="retry must be a whole number of at least 0"):
        campaign.run(small_plan(), tmp_path, retry=-1)
    with pytest.raises(ValueError, match="checkpoint_minutes must be above 0"):
        campaign.run(small_plan(), tmp_path, checkpoint_minutes=0)


# Grids and status


def test_a_grid_is_ranked(tmp_path: Path) -> None:
    accuracies = {0.1: 0.6, 0.2: 0.8, 0.4: 0.7}

    def answer(task: RunTask) -> Outcome:
        rate = task.config.learning_rate
        if rate == 0.4 and task.cell == nb101.SearchSpace()[5]:
            return Outcome(kind="diverged", message="the loss was nan")
        # The cell that one setting lacks would turn the order around.
        shift = -0.5 if rate == 0.2 and task.cell == nb101.SearchSpace()[5] else 0.0
        return done(task, accuracies[rate] + shift + 0.01 * task.config.epochs)

    plan = small_plan(grid={"learning_rate": [0.1, 0.2, 0.4]})
    with pytest.warns(RuntimeWarning, match="4 of 36"):
        table = campaign.run(plan, tmp_path, Scripted(answer))
    ranked = campaign.ranking(tmp_path)
    assert [one.changes["learning_rate"] for one in ranked] == [0.2, 0.4, 0.1]
    # At the largest budget, over the two cells that all have.
    assert [one.accuracy for one in ranked] == pytest.approx([0.82, 0.72, 0.62])
    assert {one.cells for one in ranked} == {2}
    assert [(one.done, one.failed) for one in ranked] == [(12, 0), (8, 4), (12, 0)]
    # A table has one recipe: the best by default.
    assert table.provenance["recipe"]["learning_rate"] == 0.2
    assert table.provenance["setting"] == {"learning_rate": 0.2}
    other = campaign.table(tmp_path, setting=2)
    assert other.provenance["recipe"]["learning_rate"] == 0.4
    assert len(other) == 8
    with pytest.raises(CampaignError, match="no setting 3: the plan has 0 to 2"):
        campaign.table(tmp_path, setting=3)


def test_a_grid_before_anything_is_done(tmp_path: Path) -> None:
    plan = small_plan(grid={"learning_rate": [0.1, 0.2]})
    Ledger.open(tmp_path, plan).close()
    ranked = campaign.ranking(tmp_path)
    assert [one.setting for one in ranked] == [0, 1]
    assert all(np.isnan(one.accuracy) and one.cells == 0 for one in ranked)
    with pytest.warns(RuntimeWarning, match=r"cannot be ranked.*at 2 epochs.*of setting 0"):
        assert len(campaign.table(tmp_path)) == 0
    assert len(campaign.table(tmp_path, setting=1)) == 0


def test_a_setting_that_finishes_nothing_ranks_last(tmp_path: Path) -> None:
    def answer(task: RunTask) -> Outcome:
        rate = task.config.learning_rate
        if rate == 9.0:
            return Outcome(kind="diverged", message="the loss was nan")
        # 0 is an accuracy too.
        return done(task, 0.0 if rate == 0.1 else 0.5)

    plan = small_plan(grid={"learning_rate": [9.0, 0.1, 0.2]})
    with pytest.warns(RuntimeWarning, match="12 of 36"):
        table = campaign.run(plan, tmp_path, Scripted(answer))
    ranked = campaign.ranking(tmp_path)
    assert [one.changes["learning_rate"] for one in ranked] == [0.2, 0.1, 9.0]
    assert [one.accuracy for one in ranked[:2]] == [0.5, 0.0]
    assert np.isnan(ranked[2].accuracy)
    assert [(one.cells, one.done, one.failed) for one in ranked] == [
        *((3, 12, 0), (3, 12, 0)),
        (0, 0, 12),
    ]
    assert table.provenance["setting"] == {"learning_rate": 0.2}


def test_status(tmp_path: Path) -> None:
    seen: list[campaign.Status] = []
    campaign.run(small_plan(), tmp_path, Scripted(), at_once=1, on_status=seen.append)
    last = seen[-1]
    assert (last.done, last.total, last.waiting) == (12, 12, 0)
    assert last.at_work
    assert last.runs_per_hour is not None
    assert last.runs_per_hour > 0
    assert last.seconds_left == 0
    assert json.loads(json.dumps(last.to_dict()))["done"] == 12
    now = campaign.status(tmp_path)
    assert not now.at_work
    assert now.runs_per_hour is None


def test_progress_of_workers_is_shown(tmp_path: Path) -> None:
    plan = small_plan()
    with Ledger.open(tmp_path, plan) as ledger:
        entry = ledger.waiting(1)[0]
        ledger.begin([entry.id])
        run = entry.run
        place = tmp_path / run_key(run.cell_id, run.epochs, run.repeat, run.setting)
        place.mkdir(parents=True)
        now = {"first": 100, "step": 150, "steps": 200, "words": "training", "host": "far"}
        now |= {"time": time.time(), "started": time.time() - 10}
        (place / "now.json").write_bytes(sealed_json(now))
        (tmp_path / SESSION).write_bytes(sealed_json({"started": time.time() - 10}))
        with locked(tmp_path / LOCK):
            status = campaign.status(tmp_path)
            (active,) = status.active
            assert (active.step, active.steps, active.host) == (150, 200, "far")
            assert active.cell_id == run.cell_id
            # A quarter of this run took 10 s: so do all others, by their cost.
            costs = sum(run.cost for run in plan.runs()) - run.cost / 4
            assert status.seconds_left == pytest.approx(costs / (run.cost / 40), rel=0.1)
            assert status.runs_per_hour is None
            # Old news are none.
            (place / "now.json").write_text(json.dumps(now | {"time": time.time() - 100}))
            assert campaign.status(tmp_path).active == ()
            (place / "now.json").write_text("{")
            assert campaign.status(tmp_path).active == ()


HOSTILE_VALUES: list[Any] = [
    *(None, True, -1, 10**30, 10**400, math.inf, math.nan, "", "\x1b[31m\n", "\ud800", "9" * 5000),
    *([], [[]], [None], [10**400], {}, {"a": 1}, [{}], "0" * 100_000, ["0100 input," + "x" * 9999]),
]


def test_plans_of_others(tmp_path: Path) -> None:
    """Whatever a plan's file holds: a plan, or an error of one line."""
    path = tmp_path / "plan.json"
    small_plan().save(path)
    whole = json.loads(path.read_text())
    # As if people had written it: else the seal alone would be looked at.
    del whole["grid"], whole[KEY]
    places: list[tuple[str, ...]] = [(name,) for name in whole]
    places += [(name, key) for name in ("data", "config", "space") for key in whole[name]]
    messages = []
    for place in places:
        for value in HOSTILE_VALUES:
            changed = json.loads(json.dumps(whole | {"grid": {}}))
            inner: Any = changed
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = value
            path.write_text(json.dumps(changed))
            try:
                assert repr(Plan.load(path)).isprintable()
            except CampaignError as error:
                messages.append(str(error))
    assert len(messages) > 500
    assert all(message.isprintable() and len(message) <= 2005 for message in messages)
    for text in ("[" * 100_000, '{"a":' * 100_000, "9" * 5000, "", "null", "\0" * 9):
        path.write_text(text)
        with pytest.raises(CampaignError, match=r"plan\.json is no plan"):
            Plan.load(path)


def test_plans_from_before_the_shape_of_images_was_noted() -> None:
    plan = small_plan()
    values = plan.to_dict()
    del values["data"]["image_shape"]
    old = Plan.from_dict(values)
    assert old.data.image_shape is None
    assert old.fingerprint == plan.fingerprint
    assert old.to_dict() == values


@pytest.mark.parametrize(
    ("change", "kind", "field"),
    [
        ({"cells": 5}, nb101.ArgumentTypeError, "cells"),
        ({"cells": [0, 423_624]}, CellIdError, "cells"),
        ({"cells": []}, CampaignError, "cells"),
        ({"data": 5}, nb101.ArgumentTypeError, "data"),
        ({"epochs": ()}, CampaignError, "epochs"),
        ({"epochs": 0}, nb101.ArgumentError, "epochs"),
        ({"epochs": "four"}, nb101.ArgumentTypeError, "epochs"),
        ({"repeats": 0}, CampaignError, "repeats"),
        ({"repeats": 1.5}, nb101.ArgumentTypeError, "repeats"),
        ({"config": {}}, nb101.ArgumentTypeError, "config"),
        ({"grid": [1]}, nb101.ArgumentTypeError, "grid"),
        ({"grid": {"epochs": [1]}}, CampaignError, "grid"),
        ({"grid": {"rate": [1]}}, nb101.UnknownNameError, "rate"),
        ({"space": 7}, nb101.ArgumentTypeError, "space"),
    ],
)
def test_what_is_wrong_with_a_plan_has_a_name(
    change: dict[str, Any], kind: type[nb101.NB101Error], field: str
) -> None:
    with pytest.raises(kind) as caught:
        small_plan(**change)
    assert caught.value.field == field
    assert caught.value.index == (1 if kind is CellIdError else None)


@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        ({"workers": 0}, nb101.ArgumentError),
        ({"threads": 1.5}, nb101.ArgumentTypeError),
        ({"retry": -1}, nb101.ArgumentError),
        ({"checkpoint_minutes": 0}, nb101.ArgumentError),
    ],
)
def test_wrong_arguments_of_run(
    setting: dict[str, Any], kind: type[nb101.NB101Error], tmp_path: Path
) -> None:
    with pytest.raises(kind) as caught:
        campaign.run(small_plan(), tmp_path / "runs", Scripted(), **setting)
    assert caught.value.field == next(iter(setting))
    assert not (tmp_path / "runs").exists()


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(nb101.MissingFileError) as missing:
        Plan.load(tmp_path / "plan.json")
    assert missing.value.path == str(tmp_path / "plan.json")
    with pytest.raises(CampaignError) as caught:
        campaign.status(tmp_path)
    assert caught.value.path == str(tmp_path)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    claim_folder(tmp_path, "report")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(nb101.FolderError, match="nb101 report made it"):
        campaign.run(small_plan(), tmp_path, Scripted())
    assert sorted(tmp_path.iterdir()) == before
    campaign.run(small_plan(), tmp_path / "runs", Scripted())
    with pytest.raises(nb101.FolderError, match="nb101 campaign run made it"):
        claim_folder(tmp_path / "runs", "report")


def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    def interrupt(now: campaign.Status) -> None:
        if now.done and not now.stopping:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        campaign.run(small_plan(), tmp_path, Scripted(), on_status=interrupt)
    done = campaign.status(tmp_path).done
    assert 0 < done < 12
    assert caught.value.__notes__ == [
        f"{done} of 12 runs done; the same call goes on with the others"
    ]


def test_summaries_count_in_words() -> None:
    assert repr(small_plan(cells=[0], epochs=1, repeats=1)) == (
        "<Plan: 1 cell at 1 epoch, 1 repeat: 1 run on synthetic 0>"
    )
    assert "2 settings" in repr(small_plan(grid={"learning_rate": [0.1, 0.2]}))
    assert dir(campaign) == sorted(campaign.__all__)


def test_notebooks_show_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[Any, ...]] = []

    @contextmanager
    def show(what: str, total: int) -> Iterator[Any]:
        shown.append((what, total))
        yield lambda *now: shown.append(now)

    monkeypatch.setattr(coordinator, "in_notebook", lambda: True)
    monkeypatch.setattr(coordinator, "show", show)
    campaign.run(small_plan(), tmp_path, Scripted())
    assert shown[0] == ("runs", 12)
    assert shown[-1] == (12, 12, "runs")
    status = campaign.status(tmp_path)
    assert repr(status) == f"<Status: {tmp_path}: 12 runs: 12 done; nobody is at work on it>"
    assert "3 cells at 1, 2 epochs" in status._repr_html_()
