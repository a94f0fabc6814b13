"""The commands for campaigns: plan, run, status, table."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from campaigns import Scripted, done, small_plan
from commands import refused, run
from nb101 import campaign
from nb101._base.progress import duration
from nb101.campaign import Plan, Status
from nb101.campaign.ledger import Ledger
from nb101.campaign.worker import Outcome, RunTask
from nb101.cli import main
from nb101.cli.status import describe_status

SMALL = ["--set", "batch_size=32", "--set", "stem-channels=4", "--set", "stacks=2"]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of IDX files with a few images of 6 x 6 pixels and 4 classes."""
    folder = tmp_path_factory.mktemp("idx")
    rng = np.random.default_rng(0)
    for part, n in (("train", 120), ("t10k", 40)):
        pixels = rng.integers(0, 256, (n, 6, 6)).astype(np.uint8)
        head = struct.pack(">4B3I", 0, 0, 8, 3, n, 6, 6)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(head + pixels.tobytes())
        labels = (np.arange(n) % 4).astype(np.uint8)
        head = struct.pack(">4BI", 0, 0, 8, 1, n)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())
    return folder


def make_plan(images: Path, output: Path, *options: str | Path) -> Plan:
    run("campaign", "plan", *options, "--data", images, *SMALL, "--output", output)
    return Plan.load(output)


def test_plan(images: Path, tmp_path: Path, space: nb101.SearchSpace) -> None:
    path = tmp_path / "p.json"
    adjacency, ops = space[4].to_text()
    cells = [
        "3",
        space[0].hash,
        adjacency,
        ops,
        json.dumps([space[2].matrix.tolist(), [-1, 1, -2]]),
    ]
    plan = make_plan(images, path, *cells, "--epochs", "12,4", "--repeats", "2", "--seed", "5")
    expected = sorted({0, 3, 4, space.index(space[2])})
    assert plan.cell_ids.tolist() == expected
    assert (plan.epochs, plan.repeats, plan.seed) == ((4, 12), 2, 5)
    assert plan.config.stem_channels == 4
    # Of the images, and not the ten of CIFAR-10.
    assert plan.config.num_classes == 4
    assert plan.data.source == str(images.resolve())
    listed = tmp_path / "cells.txt"
    listed.write_text(f"# some\n3\n{space[0].hash}\n\n{adjacency} {ops}\n2\n")
    assert make_plan(images, path, "--file", listed).cell_ids.tolist() == [0, 2, 3, 4]
    assert len(make_plan(images, path, "--all-up-to-vertices", "4").cells) == 91


def test_plans_of_samples_and_grids(images: Path, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    grid = ["--grid", "learning-rate=0.1,0.2", "--grid", "flip=true,false"]
    plan = make_plan(images, path, "--sample", "50", *grid)
    assert len(plan.cells) == 50
    assert len(plan) == 50 * 4 * 3
    assert [dict(changes) for changes in plan.changes] == [
        {"learning_rate": rate, "flip": flip} for rate in (0.1, 0.2) for flip in (True, False)
    ]
    same = make_plan(images, path, "--sample", "50", *grid)
    assert same.fingerprint == plan.fingerprint
    other = make_plan(images, path, "--sample", "50", *grid, "--seed", "1")
    assert set(other.cell_ids.tolist()) != set(plan.cell_ids.tolist())
    few = make_plan(images, path, "--sample", "5", "--all-up-to-vertices", "3")
    assert set(few.cell_ids.tolist()) < set(range(7))
    found = json.loads(run("campaign", "plan", "0", "-d", images, *SMALL, "-o", path, "--json"))
    assert (found["cells"], found["runs"], found["epochs"]) == (1, 3, [108])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "name cells"),
        (["423624"], "out of range"),
        (["0" * 32], "no cell of this space"),
        (["010001000", "input,conv9x9,output"], "conv9x9"),
        (["--sample", "0"], "--sample must be from 1 to 423,624"),
        (["0", "--epochs", "4,x"], "--epochs takes whole numbers"),
        (["0", "--epochs", "0"], "epochs must be from 1"),
        (["0", "--repeats", "0"], "repeats must be from 1 to 128"),
        (["0", "--set", "epochs=4"], "given by --epochs"),
        (["0", "--set", "learning_rat=1"], "did you mean 'learning_rate'"),
        (["0", "--set", "num_classes=10"], "set num_classes=4"),
        (["0", "--grid", "learning_rate"], "--grid takes NAME=VALUE"),
        (["0", "--grid", "epochs=4,8"], "no part of a grid"),
        (["0", "--data", "nowhere"], "nowhere: No such file"),
        (["0", "--file", "nowhere.txt"], "nowhere.txt: No such file"),
        (["0", "--output", "no/folder/p.json"], "cannot write no/folder/p.json"),
    ],
)
def test_wrong_plans(
    capsys: pytest.CaptureFixture[str],
    images: Path,
    tmp_path: Path,
    options: list[str],
    message: str,
) -> None:
    base: list[str | Path] = [
        "campaign",
        "plan",
        "--output",
        tmp_path / "p.json",
        "--data",
        images,
        *SMALL,
    ]
    assert message in refused(capsys, *base, *options)
    assert not (tmp_path / "p.json").exists()


def test_a_line_that_is_no_cell(
    capsys: pytest.CaptureFixture[str], images: Path, tmp_path: Path
) -> None:
    (tmp_path / "cells.txt").write_text("0\n\nnonsense\n")
    error = refused(
        capsys, "campaign", "plan", "-f", tmp_path / "cells.txt", "-o", tmp_path / "p", "-d", images
    )
    assert "cells.txt, line 3: not a module: 'nonsense'" in error


def test_run(images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the plan to the table, with a process of its own."""
    pytest.importorskip("torch", reason="torch is not installed: pip install 'nb101[train]'")
    folder, target = tmp_path / "runs", tmp_path / "t.parquet"
    options = ["--epochs", "1", "--repeats", "2", "--set", "device=cpu"]
    make_plan(images, tmp_path / "p.json", "0", "5", *options)
    base: list[str | Path] = ["campaign", "run", tmp_path / "p.json", folder, "-w", "1", "-t", "1"]
    found = json.loads(run(*base, "-o", target, "--json"))
    assert (found["done"], found["total"], found["failed"]) == (4, 4, 0)
    assert len(nb101.Table.open(target)) == 4
    # Everything is done: the same command again does nothing, nor does it without the plan.
    assert "4 of 4" in run(*base)
    assert "4 of 4" in run("campaign", "run", folder)
    assert "4 runs to" in run("campaign", "table", folder, tmp_path / "t.tfrecord")
    nb101.convert(tmp_path / "t.tfrecord", tmp_path / "t.arrow")
    # Another plan in the same folder.
    make_plan(images, tmp_path / "q.json", "0", *options)
    error = refused(capsys, "campaign", "run", tmp_path / "q.json", folder)
    assert "is of another plan (2 cells at 1 epoch, 2 repeats: 4 runs" in error
    assert "give another folder" in error


def test_status_of_a_grid_with_failures(tmp_path: Path) -> None:
    def answer(task: RunTask) -> Outcome:
        if task.cell == nb101.SearchSpace()[5] and task.config.learning_rate == 0.1:
            return Outcome(kind="diverged", message="the loss was nan at step 3")
        return done(task, 2 * task.config.learning_rate)

    plan = small_plan(grid={"learning_rate": [0.1, 0.2]})
    with pytest.warns(RuntimeWarning, match="4 of 24"):
        campaign.run(plan, tmp_path, Scripted(answer))
    text = run("campaign", "status", tmp_path)
    assert "20 of 24" in text
    assert "none: nobody is at work on it" in text
    lines = text[text.index("settings by mean validation accuracy over 2 cells") :].splitlines()
    ranks = [line.split() for line in lines if line.strip()[:1].isdigit()][:2]
    assert ranks == [["1", "1", "0.2", "0.4000", "12", "0"], ["2", "0", "0.1", "0.2000", "8", "4"]]
    assert text.count("diverged: the loss was nan at step 3") == 4
    found: dict[str, Any] = json.loads(run("campaign", "status", tmp_path, "--json"))
    assert [one["setting"] for one in found["ranking"]] == [1, 0]
    assert {one["kind"] for one in found["failures"]} == {"diverged"}
    # The exit code says that something failed.
    assert "20 of 24" in run("campaign", "run", tmp_path, code=1)
    run("campaign", "table", tmp_path, tmp_path / "best.arrow")
    best = nb101.Table.open(tmp_path / "best.arrow")
    assert best.provenance["setting"] == {"learning_rate": 0.2}
    run("campaign", "table", tmp_path, tmp_path / "other.arrow", "--setting", "0")
    assert len(nb101.Table.open(tmp_path / "other.arrow")) == 8


def test_the_status_says_of_a_failed_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(task: RunTask) -> Outcome:
        if task.cell == nb101.SearchSpace()[5]:
            return Outcome(kind="diverged", message="the loss was nan at step 3")
        return done(task)

    with pytest.warns(RuntimeWarning, match="1 of 3 runs has failed"):
        campaign.run(small_plan(epochs=1, repeats=1), tmp_path, Scripted(answer))
    assert main(["campaign", "run", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert "diverged: the loss was nan at step 3" in out
    assert err == ""


def test_wrong_folders(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for command in (["status"], ["run"], ["table"]):
        rest = [tmp_path / "t.arrow"] if command == ["table"] else []
        assert "holds no campaign" in refused(capsys, "campaign", *command, tmp_path, *rest)
    assert "cannot tell the format" in refused(
        capsys, "campaign", "table", tmp_path, tmp_path / "t.what"
    )
    small_plan().save(tmp_path / "p.json")
    run_it: list[str | Path] = ["campaign", "run", tmp_path / "p.json", tmp_path / "runs"]
    assert "--workers" in refused(capsys, *run_it, "--worker", "2")
    assert "must be a whole number of at least 1" in refused(capsys, *run_it, "--workers", "0")
    (tmp_path / "file").write_text("")
    assert "file" in refused(capsys, "campaign", "run", tmp_path / "p.json", tmp_path / "file")


def test_a_campaign_that_was_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, folder = small_plan(cells=[0], epochs=1, repeats=2), tmp_path / "runs"
    folder.mkdir()
    with Ledger.open(folder, plan) as ledger:
        ledger.begin([ledger.waiting(1)[0].id])
    text = run("campaign", "status", folder)
    assert "nobody is at work" in text
    assert text.split("waiting")[1].split()[0] == "2"
    for name in ("t.arrow", "t.tfrecord"):
        assert "no finished run yet" in refused(
            capsys, "campaign", "table", folder, tmp_path / name
        )
        assert not (tmp_path / name).exists()
    target = tmp_path / "no" / "t.arrow"
    assert "cannot write" in refused(capsys, "campaign", "run", folder, "-o", target)


def test_a_ledger_that_was_lost_has_its_plan_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = small_plan(cells=[0], epochs=1)
    table = campaign.run(plan, tmp_path, Scripted())
    (tmp_path / "ledger.sqlite").unlink()
    given: list[Plan] = []
    original = campaign.run

    def note(chosen: Plan, *arguments: Any, **settings: Any) -> nb101.Table:
        given.append(chosen)
        return original(chosen, *arguments, **settings)

    monkeypatch.setattr(campaign, "run", note)
    run("campaign", "run", tmp_path)
    assert given[0].fingerprint == plan.fingerprint
    assert campaign.table(tmp_path).equals(table)


@pytest.mark.filterwarnings("default")
def test_damage_is_told_in_a_line_and_repaired(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = small_plan(cells=[0], epochs=1)
    table = campaign.run(plan, tmp_path, Scripted())
    results = tmp_path / "results.jsonl"
    whole = results.read_bytes()
    results.write_bytes(whole.replace(b"0.5", b"0.6", 1))
    repairs = f"nb101: {tmp_path} is damaged, and nb101 campaign run {tmp_path} repairs it: lines"
    for command in (["status"], ["table"]):
        target = [tmp_path / "t.arrow"] if command == ["table"] else []
        capsys.readouterr()
        assert main(["campaign", *command, str(tmp_path), *map(str, target)]) == 0
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(repairs)
    assert nb101.Table.open(tmp_path / "t.arrow").equals(table)
    assert main(["campaign", "run", str(tmp_path)]) == 0
    line, *_ = capsys.readouterr().err.splitlines()
    assert line.startswith(f"nb101: {tmp_path} was damaged, and is repaired: lines of results")
    assert results.read_bytes() == whole


def test_no_dask_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="no Dask: pip install 'nb101[dask]'")
    small_plan().save(tmp_path / "p.json")
    base: list[str | Path] = ["campaign", "run", tmp_path / "p.json", tmp_path / "runs"]
    error = refused(capsys, *base, "--dask", "nonsense://127.0.0.1:9")
    assert "no Dask scheduler answers at nonsense://127.0.0.1:9" in error


def test_words() -> None:
    assert duration(0.2) == "0 s"
    assert duration(59.6) == "1 min"
    assert duration(3600) == "1 h"
    assert duration(3725) == "1 h 2 min"
    assert duration(90_061) == "1 d 1 h"
    assert duration(86_400 * 1234) == "1,234 d"
    status = Status(
        folder="runs",
        summary="",
        fingerprint="",
        settings=1,
        total=2000,
        done=1000,
        running=3,
        failed=1,
        waiting=996,
        runs_per_hour=12.345,
        seconds_left=3725.0,
        at_work=True,
    )
    assert describe_status(status) == (
        "1,000 of 2,000 runs done, 1 failed, 0 at work; 12.3 an hour, 1 h 2 min left"
    )


def test_a_grid_of_words(images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("campaign", "plan", "0", "--data", images, "--output", tmp_path / "p.json")
    message = refused(capsys, *command, "--grid", "learning_rate=0.1,abc")
    assert "learning_rate must be a number, not 'abc'" in message
    assert not (tmp_path / "p.json").exists()
