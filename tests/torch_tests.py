"""What tests of networks and training share. Importing it skips them where torch is not."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'nb101[train]'")

import torch

import nb101
from nb101.analysis import NAMED_CELLS
from nb101.train import ImageData, Result, TrainConfig, train
from nb101.train.data import synthetic

# Threads of several processes on the same cores wait for each other, by spinning.
torch.set_num_threads(1)

CHAIN = nb101.Cell("010001000", "input,conv3x3-bn-relu,output")
RESNET, INCEPTION = NAMED_CELLS["ResNet-like"], NAMED_CELLS["Inception-like"]


def small_config(**changes: Any) -> TrainConfig:
    """A recipe that takes a moment."""
    settings = {"epochs": 2, "batch_size": 32, "stem_channels": 4, "cells_per_stack": 1}
    return TrainConfig(**{**settings, "padding": 1, "stacks": 2, "device": "cpu", **changes})


def small_data(**changes: Any) -> ImageData:
    return synthetic(**{"train": 256, "validation": 70, "test": 70, "size": 6, **changes})


def accuracies(result: Result) -> list[Any]:
    """What of a result must come again: all but times."""
    return [(one.epoch, *one[2:]) for one in result.evaluations]


class Stop(Exception):  # noqa: N818
    """What a program may stop a run with."""


def stop_at(step: int) -> Any:
    def progress(done: int, total: int, what: str) -> None:
        if done == step and what.startswith("training"):
            raise Stop

    return progress


def train_until(step: int, folder: Path, *arguments: Any, **settings: Any) -> None:
    with pytest.raises(Stop):
        train(*arguments, checkpoint=folder, progress=stop_at(step), **settings)
