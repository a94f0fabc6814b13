"""A checkpoint of an earlier version goes on, and comes to what it came to then."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

import nb101
from nb101.train import TrainConfig, data
from torch_tests import small_config

from nb101.train import load_network, train  # isort: skip
from nb101.train.checkpoint import FILE, load_checkpoint  # isort: skip

GOLDEN = Path(__file__).parents[1] / "golden" / "v1" / "training"
CELL = nb101.Cell("0101001000010000", "input,conv3x3-bn-relu,maxpool3x3,output")
CONFIG = TrainConfig(
    epochs=24,
    batch_size=12,
    stem_channels=2,
    stacks=2,
    cells_per_stack=1,
    learning_rate=0.05,
    bn_decay=0.9,
    padding=1,
    num_classes=3,
    device="cpu",
)


def rows(path: Path) -> list[list[float]]:
    with path.open(newline="") as file:
        return [list(map(float, row)) for row in list(csv.reader(file))[1:]]


def test_a_run_that_was_stopped_goes_on_to_the_same_end(tmp_path: Path) -> None:
    """Machines round sums differently, in the last digits."""
    shutil.copytree(GOLDEN / "stopped", tmp_path / "run")
    shutil.copy(GOLDEN / "stopped.csv", tmp_path / "run.csv")
    images = data.load(GOLDEN / "images")
    result = train(CELL, images, CONFIG, 4, checkpoint=tmp_path / "run", log=tmp_path / "run.csv")
    tensors, about = load_checkpoint(tmp_path / "run")
    expected, then = load_checkpoint(GOLDEN / "finished")
    assert tensors.keys() == expected.keys()
    for name, tensor in expected.items():
        np.testing.assert_allclose(tensors[name], tensor, rtol=1e-4, atol=1e-5, err_msg=name)
    own = ("version", "training_time", "total_time", "evaluations")
    assert list(about) == list(then)
    assert [about[name] for name in about if name not in own] == (
        [then[name] for name in then if name not in own]
    )
    for now, before in zip(result.evaluations, then["evaluations"], strict=True):
        assert (now.epoch, *now[2:]) == pytest.approx([before[0], *before[2:]], abs=1e-6)
    np.testing.assert_allclose(
        rows(tmp_path / "run.csv"), rows(GOLDEN / "finished.csv"), rtol=1e-4, atol=1e-5
    )


def test_a_finished_run_is_taken_as_it_is(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "finished", tmp_path / "run")
    before = (tmp_path / "run" / FILE).read_bytes()
    images = data.load(GOLDEN / "images")
    result = train(CELL, images, CONFIG, 4, checkpoint=tmp_path / "run")
    _, then = load_checkpoint(GOLDEN / "finished")
    assert [list(one) for one in result.evaluations] == then["evaluations"]
    assert result.total_time == then["total_time"]
    assert (tmp_path / "run" / FILE).read_bytes() == before
    assert load_network(tmp_path / "run").trainable_parameters == result.trainable_parameters == 277


def test_the_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "stopped", tmp_path / "run")
    images = data.load(GOLDEN / "images")
    with pytest.raises(nb101.CheckpointError, match=r"epochs \(24 there, 2 here\), batch"):
        train(CELL, images, small_config(num_classes=3), 4, checkpoint=tmp_path / "run")
