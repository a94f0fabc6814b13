"""Training as the original interface offers it: `nb101.api.NASBench.evaluate`."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101._base.files import atomic
from nb101.errors import ArgumentError, CheckpointError
from nb101.space.cell import Cell

if TYPE_CHECKING:
    from nb101.train import Result, TrainConfig

METADATA = "metadata.json"
SCHEDULES = {"COSINE_BY_STEP": "cosine", "STEPWISE": "stepwise"}


def train_config(config: Mapping[str, Any]) -> "TrainConfig":
    """Make a recipe of the settings of `nb101.compat.config`.

    Raises
    ------
    ArgumentError
        If a setting cannot be.
    """
    from nb101.train import TrainConfig

    method = config["lr_decay_method"]
    if method not in SCHEDULES:
        raise ArgumentError(
            f"lr_decay_method must be one of {', '.join(SCHEDULES)}, not {method!r}",
            field="lr_decay_method",
        )
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

    An interrupted run that is there is gone on from. A finished one is replaced, or, if its metrics
    could not be written, taken as it is.

    Parameters
    ----------
    matrix, ops
        The cell.
    config
        Settings as in `nb101.compat.config`. ``train_data_files`` may have the path of CIFAR-10's
        archive or folder; if it is empty, the one that nb101 data fetch got is read.
    model_dir
        The folder.

    Raises
    ------
    CheckpointError
        If the folder has the run of another cell, or a damaged checkpoint.
    """
    from nb101.train import data, train
    from nb101.train.checkpoint import FILE

    recipe = train_config(config)
    files = list(config["train_data_files"])
    if len(files) > 1:
        raise ArgumentError(
            "config['train_data_files'] must have one path, of the archive or the folder of "
            f"CIFAR-10, or none for that of nb101 data fetch cifar10; it has {len(files)}",
            field="train_data_files",
        )
    images = data.load(files[0] if files else "cifar10")
    folder = Path(model_dir)
    seed = int(np.random.default_rng().integers(2**63))
    cell = Cell(matrix, ops, op_names=config["available_ops"])
    found = _find_run(folder, cell)
    if found is not None:
        kept_seed, finished = found
        if finished and _is_noted(folder, kept_seed):
            (folder / FILE).unlink()
        else:
            seed = kept_seed
    result = train(cell, images, recipe, seed, checkpoint=folder)
    with atomic(folder / METADATA) as file:
        file.write(json.dumps(result.to_dict(), indent=2).encode())
    return result


def _find_run(folder: Path, cell: Cell) -> tuple[int, bool] | None:
    """Return the seed of the run that a folder has, and whether it is finished."""
    from nb101.train.checkpoint import (
        FILE,
        DamagedCheckpointError,
        has_checkpoint,
        load_checkpoint,
    )

    if not has_checkpoint(folder):
        return None
    about = load_checkpoint(folder)[1]
    try:
        same = about["cell"] == list(cell.to_text()) and about["op_names"] == list(cell.op_names)
        seed, evaluations = int(about["seed"]), len(about["evaluations"])
    except (KeyError, TypeError, ValueError):
        raise DamagedCheckpointError(folder / FILE) from None
    if not same:
        raise CheckpointError(
            f"{folder / FILE} is of another cell: give another model_dir, or delete it to train "
            "this one there"
        )
    return seed, evaluations == 3


def _is_noted(folder: Path, seed: int) -> bool:
    """Whether the metrics of a finished run are in its folder, and not those of one before."""
    try:
        return bool(json.loads((folder / METADATA).read_bytes())["seed"] == seed)
    except (OSError, ValueError, KeyError, TypeError):
        return False
