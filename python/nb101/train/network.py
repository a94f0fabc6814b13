"""The network of a recipe: made, drawn for an attempt, or with the weights of a checkpoint."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from nb101.nn import Factory, Network
from nb101.space.cell import Cell
from nb101.train.batches import seed_of
from nb101.train.checkpoint import FILE, by_part, load_checkpoint, read_config, restore
from nb101.train.config import TrainConfig

_drawing = threading.Lock()
"""Weights are drawn from torch's global stream, which the threads of a process share."""


def build_network(
    cell: Cell,
    config: TrainConfig,
    image_channels: int = 3,
    ops: Mapping[str, Factory] | None = None,
) -> Network:
    """Make the network of a recipe."""
    return Network(
        cell,
        config.stem_channels,
        config.stacks,
        config.cells_per_stack,
        config.num_classes,
        ops,
        image_channels=image_channels,
        bn_decay=config.bn_decay,
        bn_epsilon=config.bn_epsilon,
    )


def draw_network(
    cell: Cell,
    config: TrainConfig,
    image_channels: int,
    ops: Mapping[str, Factory] | None,
    seed: int,
    attempt: int,
) -> Network:
    """Make the network of a recipe with the weights that an attempt begins with."""
    key = seed_of(seed, attempt).generate_state(2, np.uint32)
    # Of a module of one's own too, and whatever it draws with; torch's global stream stays.
    with _drawing, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(key[0]) << 32 | int(key[1]))
        return build_network(cell, config, image_channels, ops)


def load_network(
    checkpoint: str | os.PathLike[str], *, ops: Mapping[str, Factory] | None = None
) -> Network:
    """Make a network with the weights of a checkpoint, on the CPU and set to evaluate.

    Its images are normalised by mean and deviation of the data set, and have channels first.

    Parameters
    ----------
    checkpoint
        The folder that `train` was given.
    ops
        As for `train`.

    Raises
    ------
    MissingFileError
        If there is none.
    CheckpointError
        If it is damaged, or of a newer version of this package.
    """
    tensors, about = load_checkpoint(checkpoint)
    path = Path(checkpoint) / FILE
    matrix, labels = about["cell"]
    cell = Cell(f"{matrix} {labels}", op_names=about["op_names"])
    config = read_config(about, path)
    network = build_network(cell, config, about["image_shape"][2], ops)
    restore(by_part(tensors), "network", network.state_dict(), path)
    return network.eval()
