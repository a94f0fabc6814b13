"""What is measured of the speed of training."""

import json
import math

import pytest

from commands import run
from nb101.cli import main
from nb101.train import TrainConfig
from torch_tests import RESNET, small_config

import torch  # isort: skip

from nb101.train import bench  # isort: skip


def test_cells_are_those_of_the_paper() -> None:
    assert [cell.hash for cell in bench.CELLS.values()] == [
        "28cfc7874f6d200472e1a9dcd8650aa0",
        "b5fb4f6193360330b6ff6a52cbf0cad7",
        "02e5a0247bbdcf2860b7e96f74961594",
    ]


def test_operations() -> None:
    """Three times the forward pass, two for each multiplication; pixels need no gradient."""
    for cell in bench.CELLS.values():
        found = bench.training_operations(cell, TrainConfig(), (32, 32, 3))
        stem = 2 * 27 * 128 * 32 * 32
        assert found == 256 * (6 * cell.flops - stem)


def test_speeds() -> None:
    config = small_config(stem_channels=8)
    speeds = dict(bench.measure_speeds(config, seconds=0.0))
    assert list(speeds) == list(bench.CELLS)
    for speed in speeds.values():
        assert speed.steps == 2
        assert 0 < speed.input_fraction < 1
        assert 0 < speed.peak_fraction < 1
        assert math.isnan(speed.megabytes) or torch.cuda.is_available()
        # 108 epochs of 40,000 images in batches of 32.
        seconds = 108 * 40_000 / speed.images_per_second
        assert speed.budget_seconds == pytest.approx(seconds)
    resnet = speeds["ResNet-like"]
    operations = bench.training_operations(RESNET, config, (32, 32, 3))
    assert resnet.operations_per_second == pytest.approx(operations * resnet.images_per_second / 32)


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--quick", "--device", "cpu", "--threads", "1"]
    for pair in ("batch_size=16", "stem_channels=8", "cells_per_stack=1", "stacks=1"):
        settings += ["--set", pair]
    text = run("bench", "train", *settings)
    assert "images/s" in text
    assert "stem 8, 1 x 1, batches of 16 in 2 shards" in text
    report = json.loads(run("bench", "train", *settings, "--json"))
    assert report["machine"]["precision"] == "fp32"
    assert report["results"]["best"]["images_per_second"] > 0
    # That would change nothing.
    assert main(["bench", "train", "--quick", "--set", "epochs=4"]) == 2
    assert "epochs have no part in how fast it trains" in capsys.readouterr().err
    assert main(["bench", "everything"]) == 2
    assert "there are space and train" in capsys.readouterr().err
