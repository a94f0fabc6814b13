"""`score`: proxies of cells, cell by cell."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from time import perf_counter
from typing import Any

import numpy as np
import torch

from nb101._base.checks import check_progress, check_range, check_type
from nb101._base.progress import Progress, given_or_shown
from nb101.errors import ArgumentError, UnknownOpError
from nb101.nn import Factory, count_parameters
from nb101.proxies.batch import Batch, make_batch
from nb101.proxies.catalog import check_names
from nb101.proxies.passes import measure
from nb101.proxies.scores import Column, Scores
from nb101.space.cell import Cell
from nb101.space.cells import Cells
from nb101.space.default import default_space
from nb101.space.lookup import ids_of
from nb101.space.skeleton import Skeleton
from nb101.train.config import MOST, TrainConfig
from nb101.train.device import computing, find_device, get_torch_threads, memory_errors
from nb101.train.images import ImageData

BATCH_SIZE = 32
"""Images in a batch. NAS-Bench-Suite-Zero has 64 for CIFAR-10, which takes twice as long."""
DECIDING = (
    "stem_channels",
    "stacks",
    "cells_per_stack",
    "num_classes",
    "bn_epsilon",
    "precision",
)
"""Settings of a recipe that have a say in scores."""
_COUNTED = ("flops", "params")
"""Proxies that need no network."""


def score(
    cells: "Cells | Cell | Iterable[Any]",
    names: "str | Iterable[str] | None" = None,
    *,
    config: TrainConfig | None = None,
    seed: int = 0,
    images: ImageData | None = None,
    batch_size: int = BATCH_SIZE,
    device: str | None = None,
    ops: Mapping[str, Factory] | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Score untrained networks by zero-cost proxies.

    What proxies share is computed once a cell: one forward pass serves fisher, grad-norm, grasp,
    plain, snip, jacov, epe-nas and nwot, one pass back all those of the loss. The same seed draws
    the same weights as `nb101.train.train` begins with, and the same batch for all cells.
    Isomorphic cells have the same scores: on a CPU bit for bit, given the number of threads.

    Batch norm takes its statistics of the whole batch, and images are not augmented.

    Parameters
    ----------
    cells
        `Cells`, a `Cell`, or a list of cells, ids or hashes of NAS-Bench-101.
    names
        Of proxies; all of ``nb101.proxies.NAMES`` by default.
    config
        The recipe: its network, number of classes, precision and device. The original's by
        default, full size.
    seed
        Of weights and batch. From 0 to 2^63 - 1.
    images
        Whose training images the batch is drawn from; random numbers without.
    batch_size
        Images in the batch, from 2.
    device
        Instead of that of the recipe.
    ops
        Factories of ops by name, used before those that are registered; see
        `nb101.nn.register_op`.
    progress
        Called with the cells done and their number.

    Returns
    -------
    Columns by name, in the order of `names`.

    Raises
    ------
    UnknownNameError
        If there is no such proxy.
    UnknownOpError
        If there is no module for an op of a cell, or flops are asked for and its cost is not known.
    TrainingError
        If the device cannot be used, or memory is short.
    ArgumentError
        If an argument cannot be what it is.

    Examples
    --------
    >>> import nb101
    >>> config = nb101.train.TrainConfig(stem_channels=4, stacks=1, cells_per_stack=1)
    >>> cells = nb101.SearchSpace(4).enumerate()[3:6]
    >>> scores = nb101.proxies.score(cells, ["params", "synflow"], config=config, device="cpu")
    >>> scores["params"]
    array([190., 366., 238.])
    >>> scores["synflow"].argmax()
    np.int64(1)
    """
    # The first call of torch in this thread may be this; see there.
    get_torch_threads()
    chosen = check_names(names)
    config = check_recipe(config, images, device)
    seed = check_range("seed", seed, 0, 2**63 - 1)
    batch_size = check_range("batch_size", batch_size, 2, MOST)
    if ops is not None and not isinstance(ops, Mapping):
        raise ArgumentError("ops must be factories by name", field="ops")
    check_progress(progress)
    found = as_cells(cells)
    place = find_device(config)
    with given_or_shown(progress, "scoring", len(found)) as show:
        with out_of_memory(config, batch_size, place):
            batch = make_batch(images, batch_size, config, seed, place)
        columns, seconds = compute(found, chosen, config, seed, batch, place, ops, show)
    about = describe(config, seed, images, batch_size)
    return Scores(cells=found, columns=columns, seconds=seconds, about=about)


def compute(
    cells: Cells,
    names: Sequence[str],
    config: TrainConfig,
    seed: int,
    batch: Batch,
    place: torch.device,
    ops: Mapping[str, Factory] | None,
    progress: Callable[[int, int], object],
) -> tuple[dict[str, Column], dict[str, Column]]:
    """Compute proxies of cells on a batch: their scores and seconds by name.

    `progress` hears of the cells done before each of them, and at the end.
    """
    columns = {name: np.full(len(cells), np.nan) for name in names}
    seconds = {name: np.full(len(cells), np.nan) for name in names}
    for name in _COUNTED:
        if name in columns:
            start = perf_counter()
            columns[name][:] = _count(name, cells, skeleton_of(config, batch), ops)
            seconds[name][:] = (perf_counter() - start) / max(1, len(cells))
    measured = [name for name in names if name not in _COUNTED]
    with out_of_memory(config, len(batch.labels), place), computing(config, place):
        for number, cell in enumerate(cells if measured else ()):
            progress(number, len(cells))
            scores, times = measure(cell, batch, measured, config, seed, place, ops)
            for name in measured:
                columns[name][number], seconds[name][number] = scores[name], times[name]
    progress(len(cells), len(cells))
    return columns, seconds


def check_recipe(
    config: TrainConfig | None, images: ImageData | None, device: str | None
) -> TrainConfig:
    """Return the recipe, on the device.

    Raises
    ------
    ArgumentError
        If an argument cannot be what it is.
    """
    config = TrainConfig() if config is None else config
    check_type("config", config, TrainConfig)
    if images is not None:
        check_type("images", images, ImageData)
    return config if device is None else config.replace(device=device)


def out_of_memory(
    config: TrainConfig, batch_size: int, place: torch.device
) -> AbstractContextManager[None]:
    """Say what to lower where memory is short."""
    return memory_errors(config.replace(batch_size=batch_size, bn_shards=1), place)


def as_cells(cells: Any) -> Cells:
    """Return what was given as `Cells`.

    Raises
    ------
    ArgumentTypeError, UnknownHashError, CellIdError
        If it is none.
    """
    if isinstance(cells, Cells):
        return cells
    if isinstance(cells, Cell):
        return Cells([cells])
    if isinstance(cells, (list, tuple)) and cells and all(isinstance(x, Cell) for x in cells):
        return Cells(cells)
    space = default_space()
    return space[np.atleast_1d(ids_of(space, cells))]


def skeleton_of(config: TrainConfig, batch: Batch) -> Skeleton:
    """Return the network around the cells of a recipe, for the images of a batch."""
    _, channels, size, _ = batch.images.shape
    return Skeleton(
        stem_channels=config.stem_channels,
        stacks=config.stacks,
        cells_per_stack=config.cells_per_stack,
        num_classes=config.num_classes,
        image_channels=channels,
        image_size=size,
    )


def describe(
    config: TrainConfig, seed: int, images: ImageData | None, batch_size: int
) -> dict[str, Any]:
    """Say how scores come about, as JSON can hold it."""
    return {
        "config": {name: getattr(config, name) for name in DECIDING},
        "seed": seed,
        "batch_size": batch_size,
        "images": "random" if images is None else images.name,
        "images_checksum": None if images is None else images.checksum,
    }


def _count(
    name: str, cells: Cells, skeleton: Skeleton, ops: Mapping[str, Factory] | None
) -> "Column | list[int]":
    """Count multiply-accumulates or parameters."""
    own = set() if ops is None else set(ops) & {op for cell in cells for op in cell.ops}
    if name == "flops":
        if own:
            raise ArgumentError(
                f"the flops of op {min(own)!r}, which was given, are not known", field="ops"
            )
        return cells.flops(skeleton).astype(np.float64)
    try:
        if not own:
            return cells.parameters(skeleton).astype(np.float64)
    except UnknownOpError:
        pass
    sizes = asdict(skeleton)
    sizes.pop("image_size")
    return [count_parameters(cell, ops=ops, **sizes) for cell in cells]
