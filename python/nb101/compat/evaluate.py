"""Training as the original interface offers it: `nb101.api.NASBench.evaluate`."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101.cell import Cell
from nb101.errors import NB101Error
from nb101.files import atomic

if TYPE_CHECKING:
    from nb101.train import Result, TrainConfig

SCHEDULES = {"COSINE_BY_STEP": "cosine", "STEPWISE": "stepwise"}


def train_config(config: Mapping[str, Any]) -> "TrainConfig":
    """Make a recipe of the settings of `nb101.compat.config`.

    Raises
    ------
    ValueError
        If a setting cannot be.
    """
    from nb101.train import TrainConfig

    method = config["lr_decay_method"]
    if method not in SCHEDULES:
        raise ValueError(f"lr_decay_method must be one of {', '.join(SCHEDULES)}, not {method!r}")
    shards = config["tpu_num_shards"] if config["use_tpu"] else 1
    return TrainConfig.from_dict(
        {
            "epochs": config["train_epochs"],
            "batch_size": config["batch_size"],
            # There it is that of one shard.
            "learning_rate": config["learning_rate"] * shards,
            "schedule": SCHEDULES[method],
            "momentum": config["momentum"],
            "weight_decay": config["weight_decay"],
            "bn_shards": shards,
            "stem_channels": config["stem_filter_size"],
            "stacks": config["num_stacks"],
            "cells_per_stack": config["num_modules_per_stack"],
            "num_classes": config["num_labels"],
            "max_attempts": config["max_attempts"],
        }
    )


def evaluate(
    matrix: Any, ops: list[str], config: Mapping[str, Any], model_dir: str | os.PathLike[str]
) -> "Result":
    """Train a cell, with a seed of its own, and keep weights and metrics in a folder.

    An interrupted run that is there is gone on from; a finished one is replaced.

    Parameters
    ----------
    matrix, ops
        The cell.
    config
        Settings as in `nb101.compat.config`. ``train_data_files`` may have the path of CIFAR-10's
        archive or folder; if it is empty, the one that nb101 data fetch got is read.
    model_dir
        The folder.
    """
    from nb101.train import data, train
    from nb101.train.checkpoint import FILE, has_checkpoint, load_checkpoint

    recipe = train_config(config)
    files = list(config["train_data_files"])
    if len(files) > 1:
        raise NB101Error(
            "config['train_data_files'] must have one path, of the archive or the folder of "
            f"CIFAR-10, or none for that of nb101 data fetch cifar10; it has {len(files)}"
        )
    images = data.load(files[0] if files else "cifar10")
    folder = Path(model_dir)
    seed = int(np.random.default_rng().integers(2**63))
    if has_checkpoint(folder):
        about = load_checkpoint(folder)[1]
        if len(about["evaluations"]) < 3:
            seed = about["seed"]
        else:
            (folder / FILE).unlink()
    cell = Cell(matrix, ops, op_names=config["available_ops"])
    result = train(cell, images, recipe, seed, checkpoint=folder)
    with atomic(folder / "metadata.json") as file:
        file.write(json.dumps(result.to_dict(), indent=2).encode())
    return result
