"""``nb101 train`` and ``nb101 data``."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import nb101
from commands import refused, run
from nb101.cli.options import RecipeOptions
from nb101.train import TrainConfig, data
from torch_tests import CHAIN, small_data

import torch  # isort: skip

from nb101.train.checkpoint import load_checkpoint  # isort: skip

CELL = ("010001000", "input,conv3x3-bn-relu,output")
SMALL = (
    *("--epochs", "2", "--batch-size", "32", "--stem-channels", "4", "--stacks", "2"),
    *("--cells-per-stack", "1", "--device", "cpu", "--data", "here"),
)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small image set under the name ``here``."""
    load = data.load

    def find(path: Any, **settings: Any) -> Any:
        return small_data() if path == "here" else load(path, **settings)

    monkeypatch.setattr(data, "load", find)


@pytest.mark.usefixtures("here")
def test_train(tmp_path: Path) -> None:
    folder, table = tmp_path / "run", tmp_path / "run.arrow"
    text = run(
        "train",
        *CELL,
        *SMALL,
        "--seed",
        "3",
        "-c",
        folder,
        "-o",
        table,
        "--log",
        tmp_path / "a.csv",
    )
    assert "synthetic 0" in text
    assert CHAIN.hash in text
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 17
    found = nb101.Table.open(table)
    assert found.cells[0] == CHAIN
    assert found.epochs == (2,)
    assert found.column("seed").tolist() == [3]
    assert found.provenance["recipe"]["stem_channels"] == 4
    # As much as a campaign says.
    about = found.provenance
    assert (about["kind"], about["source"]) == ("measured", "nb101 train")
    assert about["data"]["name"] == "synthetic 0"
    assert about["data"]["image_shape"] == [6, 6, 3]
    assert about["hardware"][0]["runs"] == 1
    assert "epochs" not in about["recipe"]
    assert "device" not in about["recipe"]
    # The finished run is there: it is printed, not done again.
    again = json.loads(run("train", "--id", "1", *SMALL, "--seed", "3", "-c", folder, "--json"))
    assert again["evaluations"][2]["test_accuracy"] == found.values("test_accuracy")[0, 0]
    assert again["config"]["epochs"] == 2


@pytest.mark.usefixtures("here")
def test_settings(tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps({"epochs": 1, "momentum": 0.5, "stem_channels": 8}))
    text = run(
        *("train", *CELL, *SMALL, "--config", file, "--set", "decay=0.8", "--set", "bn-shards=4"),
        *("--learning-rate", "0.1", "--precision", "bf16", "--json", "--threads", "1"),
    )
    config = json.loads(text)["config"]
    assert config["momentum"] == 0.5
    assert (config["decay"], config["bn_shards"], config["learning_rate"]) == (0.8, 4, 0.1)
    # Options come on top of the file.
    assert (config["epochs"], config["stem_channels"]) == (2, 4)
    assert config["precision"] == "bf16"
    assert torch.get_num_threads() == 1


@pytest.mark.usefixtures("here")
def test_augmented() -> None:
    found = json.loads(run("train", *CELL, *SMALL, "--augmented", "--json"))
    assert found["config"]["schedule"] == "stepwise"
    assert found["data"] == "synthetic 0, train + validation"
    assert found["evaluations"][2]["validation_accuracy"] is None
    assert found["evaluations"][2]["test_accuracy"] >= 0


PROGRAM = """
import sys
import torch
from torch_tests import small_data
from nb101.train import data, trainer
from nb101.cli import main
data.load = lambda path, **settings: small_data()
step = trainer.train_step
def note(state, rate):
    print(state.step, flush=True)
    return step(state, rate)
trainer.train_step = note
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_checkpoint(number: signal.Signals, tmp_path: Path) -> None:
    settings = ("--epochs", "2000", "-c", str(tmp_path))
    command = [sys.executable, "-c", PROGRAM, "train", *CELL, *SMALL, *settings]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 20:
            break
    process.send_signal(number)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "nb101: writing a checkpoint" in errors
    assert "Traceback" not in errors
    step = load_checkpoint(tmp_path)[1]["step"]
    assert step >= 20
    end = f"nb101: interrupted; the same command goes on from step {step:,} of 16,000\n"
    assert errors.endswith(end)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", *SMALL), "give one cell: a module, a hash, or --id N"),
        (("train", "0100", "input,output", *SMALL, "--epoch", "3"), "no such option"),
        (
            ("train", *CELL, *SMALL, "--set", "epoch=3"),
            "no setting 'epoch': did you mean 'epochs'?",
        ),
        (("train", *CELL, *SMALL, "--set", "epochs"), "--set takes NAME=VALUE, not 'epochs'"),
        (("train", *CELL, *SMALL, "--set", "momentum=2"), "momentum must be at least 0 and below"),
        (("train", *CELL, *SMALL, "--set", "num_classes=3"), "has 10 classes, and the network 3"),
        (("train", *CELL, *SMALL, "--threads", "0"), "--threads must be at least 1, not 0"),
        (("train", *CELL, *SMALL, "--data", "nowhere"), "nowhere: No such file or directory"),
        (("train", *CELL, *SMALL, "--device", "cuda:77"), "device 'cuda:77' cannot be used"),
        (("train", *CELL, *SMALL, "--config", "none.json"), "none.json: No such file"),
    ],
)
def test_refused(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(capsys, *arguments)


@pytest.mark.usefixtures("here")
def test_wrong_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.json"
    for text, message in (("{", "is no JSON"), ("[1]", "must hold an object with settings")):
        file.write_text(text)
        assert message in refused(capsys, "train", *CELL, *SMALL, "--config", file)


def python(code: str) -> str:
    """Run a program in a process of its own, and return what it printed."""
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return found.stdout


def test_without_torch(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        nb101.MissingExtraError, match=r"needs PyTorch: pip install 'nb101\[train\]'"
    ):
        nb101.train.train  # noqa: B018
    message = refused(capsys, "train", *CELL, *SMALL)
    assert message == "nb101: error: nb101.train.train needs PyTorch: pip install 'nb101[train]'\n"
    code = (
        "import sys; sys.modules['torch'] = None; import nb101; nb101.train.TrainConfig(); "
        "nb101.train.data.synthetic()\n"
        "try: nb101.nn\nexcept nb101.MissingExtraError as e: print(e)"
    )
    assert python(code) == "nb101.nn needs PyTorch: pip install 'nb101[train]'\n"


def test_recipes_and_images_do_not_import_torch() -> None:
    code = (
        "import sys, nb101; nb101.train.TrainConfig(); nb101.train.data.synthetic(); "
        "print('torch' in sys.modules)"
    )
    assert python(code) == "False\n"


def test_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NB101_CACHE", str(tmp_path / "cache"))
    content = os.urandom(1000)
    import hashlib

    archive = data.Archive(
        file="x.tar.gz", url="file:///nowhere", md5=hashlib.md5(content).hexdigest(), size=1000
    )
    monkeypatch.setattr(data, "ARCHIVES", {"cifar10": (archive,)})
    (tmp_path / "copy").write_bytes(content)
    assert "run nb101 data fetch cifar10" in refused(capsys, "data", "info", "cifar10")
    text = run("data", "fetch", "cifar10", "--url", (tmp_path / "copy").as_uri())
    assert str(tmp_path / "cache" / "cifar10") in text
    assert "--data cifar10" in text
    assert "x.tar.gz is no archive, or damaged" in refused(capsys, "data", "info", "cifar10")
    assert "no image set is called 'mnist'" in refused(capsys, "data", "fetch", "mnist")


@pytest.mark.usefixtures("here")
def test_data_info() -> None:
    assert "synthetic 0" in run("data", "info", "here")
    found = json.loads(run("data", "info", "here", "--json"))
    assert found["train"] == 256
    assert found["image_shape"] == [6, 6, 3]
    assert found["num_classes"] == 10


@pytest.mark.usefixtures("here")
def test_where_a_run_goes_is_looked_at_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "load", None)  # Nothing else is begun.
    for name, message in (("x.foo", "cannot tell the format"), ("no/x.arrow", "cannot write")):
        assert message in refused(capsys, "train", *CELL, *SMALL, "-o", tmp_path / name)


def test_help_says_the_defaults() -> None:
    """Those of `TrainConfig`, which is not imported for the help."""
    kinds = get_type_hints(RecipeOptions, include_extras=True)
    said = {}
    for field in fields(RecipeOptions):
        help_text = get_args(kinds[field.name])[1].help
        if field.name != "augmented" and (found := re.search(r"(\S+) \(?by default", help_text)):
            said[field.name] = found[1]
    assert len(said) == 8
    assert said == {name: str(getattr(TrainConfig(), name)) for name in said}


def test_help_says_what_to_install() -> None:
    assert "install 'nb101[train]'" in " ".join(run("train", "--help").split())


@pytest.mark.usefixtures("here")
def test_settings_of_a_wrong_type(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ("--set", "momentum=abc")
    for command in (("train", *CELL, "--data", "here"), ("bench", "train")):
        assert "momentum must be a number, not 'abc'" in refused(capsys, *command, *wrong)
