"""The network of a recipe: made, drawn for an attempt, or with the weights of a checkpoint."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nb101.nn import Factory, Network, to_onnx
from nb101.nn.onnx import OPSET, need_onnx
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
    return _read(checkpoint, ops)[0]


def checkpoint_to_onnx(
    checkpoint: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    opset: int = OPSET,
    ops: Mapping[str, Factory] | None = None,
) -> None:
    """Write the network of a checkpoint to a file of ONNX, as `nb101.nn.to_onnx` does.

    Its metadata says ``"weights": "trained"``, and has the ``recipe``, the ``seed``, how many
    ``steps`` were done, and ``data``: mean and standard deviation of each channel, by which images
    are normalised, in units of pixels from 0 to 255, and the checksum of the training images.

    Parameters
    ----------
    checkpoint
        The folder that `train` was given.
    path
        The file.
    opset
        As for `nb101.nn.to_onnx`.
    ops
        As for `train`.

    Raises
    ------
    MissingFileError
        If there is no checkpoint.
    CheckpointError
        If it is damaged, or of a newer version of this package.
    MissingExtraError
        If onnx or onnxscript is not installed (``pip install 'nb101[onnx]'``).
    OSError
        If the file cannot be written.
    """
    need_onnx()
    network, about = _read(checkpoint, ops)
    height, width, _ = about["image_shape"]
    said = {
        "weights": "trained",
        "recipe": read_config(about, Path(checkpoint) / FILE).recipe(),
        "seed": about["seed"],
        "steps": about["step"],
        "data": about["data"],
    }
    to_onnx(network, path, image_size=(height, width), opset=opset, about=said)


def _read(
    checkpoint: str | os.PathLike[str], ops: Mapping[str, Factory] | None
) -> tuple[Network, dict[str, Any]]:
    """Return the network of a checkpoint, and what else the checkpoint says."""
    tensors, about = load_checkpoint(checkpoint)
    path = Path(checkpoint) / FILE
    matrix, labels = about["cell"]
    cell = Cell(f"{matrix} {labels}", op_names=about["op_names"])
    config = read_config(about, path)
    network = build_network(cell, config, about["image_shape"][2], ops)
    restore(by_part(tensors), "network", network.state_dict(), path)
    return network.eval(), about
