"""How fast networks train on this machine: what ``nb101 bench train`` prints."""

from collections.abc import Iterator
from contextlib import closing
from time import perf_counter
from typing import Any, NamedTuple

import torch
from torch.nn import functional as F  # noqa: N812
from torch.utils.flop_counter import FlopCounterMode

from nb101.space.cell import Cell
from nb101.train.config import TrainConfig
from nb101.train.data import ImageData, synthetic
from nb101.train.trainer import (
    _memory_errors,
    _Run,
    build_network,
    computing,
    find_device,
    wait_for,
)

CIFAR10_IMAGES = 40_000
BUDGET = 108

INCEPTION = Cell(
    "0111010 0000001 0000001 0000100 0000001 0000001 0000000".replace(" ", ""),
    "input,conv1x1-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,maxpool3x3,output",
)
RESNET = Cell("0101001000010000", "input,conv3x3-bn-relu,conv3x3-bn-relu,output")
BEST = Cell(
    "0110011 0000010 0001000 0000100 0000010 0000001 0000000".replace(" ", ""),
    "input,conv1x1-bn-relu,conv3x3-bn-relu,maxpool3x3,conv3x3-bn-relu,conv3x3-bn-relu,output",
)
CELLS = {"Inception-like": INCEPTION, "ResNet-like": RESNET, "best": BEST}
"""The cells that the paper names, and the one of the best mean test accuracy."""


class Speed(NamedTuple):
    """How fast a network trains.

    Attributes
    ----------
    parameters
        Trainable ones.
    steps
        Steps that were measured; times are their median.
    images_per_second
        In training.
    input_fraction
        Share of a step that it takes to draw, augment and normalise its batch.
    operations_per_second
        Floating-point operations of convolutions and dense layer, forward and back; an addition
        and a multiplication are two.
    peak_fraction
        Their share of what a large matrix product reaches here, in the same precision.
    budget_seconds
        Training time for 108 epochs of CIFAR-10.
    megabytes
        Largest amount of memory of a CUDA device; NaN elsewhere.
    """

    parameters: int
    steps: int
    images_per_second: float
    input_fraction: float
    operations_per_second: float
    peak_fraction: float
    budget_seconds: float
    megabytes: float


def measure_speeds(config: TrainConfig, seconds: float = 10.0) -> Iterator[tuple[str, Speed]]:
    """Measure all of `CELLS` with a recipe, on random images of the size of CIFAR-10's.

    Parameters
    ----------
    config
        The recipe. Its epochs are not looked at: the time is told for `BUDGET` of them.
    seconds
        How long to measure a cell; at least two steps are taken.

    Raises
    ------
    TrainingError
        If the device cannot be used, or memory is short.
    """
    device = find_device(config)
    data = synthetic(train=4096, validation=1, test=1, size=32, num_classes=config.num_classes)
    with computing(config, device), _memory_errors(config, device):
        peak = matmul_peak(config, device)
        for name, cell in CELLS.items():
            yield name, measure_speed(cell, config, data, device, peak, seconds)


def measure_speed(
    cell: Cell,
    config: TrainConfig,
    data: ImageData,
    device: torch.device,
    peak: float,
    seconds: float,
) -> Speed:
    """Measure one cell; `peak` is in operations a second."""
    with closing(_Run(cell, data, config, 0, device, {})) as run:
        return _speed_of(run, peak, seconds)


def _speed_of(run: _Run, peak: float, seconds: float) -> Speed:
    config, device = run.config, run.device
    run._begin()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    # What is compiled, chosen or allocated once is no part of a step.
    warm_up = 5 if device.type != "cpu" else 1
    for _ in range(warm_up):
        _step(run)
    times: list[float] = []
    while len(times) < 2 or (sum(times) < seconds and len(times) < 1000):
        wait_for(device)
        clock = perf_counter()
        # Some at a time, as in a run, where nothing waits for a GPU.
        group = 1 if device.type == "cpu" else 10
        for _ in range(group):
            _step(run)
        wait_for(device)
        times += [(perf_counter() - clock) / group] * group
    step = sorted(times)[len(times) // 2]
    operations = training_operations(run.cell, config, run.data.image_shape)
    return Speed(
        parameters=run.network.trainable_parameters,
        steps=len(times),
        images_per_second=config.batch_size / step,
        input_fraction=_input_time(run) / step,
        operations_per_second=operations / step,
        peak_fraction=operations / step / peak,
        budget_seconds=config.replace(epochs=BUDGET).steps(CIFAR10_IMAGES) * step,
        megabytes=torch.cuda.max_memory_allocated(device) / 1e6
        if device.type == "cuda"
        else float("nan"),
    )


def _step(run: _Run) -> None:
    run._train_step()
    run.losses.clear()
    run.step += 1


def _input_time(run: _Run) -> float:
    """Seconds for the input of a step."""
    times = []
    for step in range(run.step, run.step + 10):
        wait_for(run.device)
        clock = perf_counter()
        _ = run.batches[step]
        wait_for(run.device)
        times.append(perf_counter() - clock)
    return sorted(times)[len(times) // 2]


def training_operations(cell: Cell, config: TrainConfig, image_shape: tuple[int, int, int]) -> int:
    """Count the floating-point operations of a step, forward and back, without doing them."""
    height, width, channels = image_shape
    with torch.device("meta"):
        network = build_network(cell, config, channels)
        images = torch.empty(config.batch_size, channels, height, width)
        labels = torch.empty(config.batch_size, dtype=torch.int64)
        with FlopCounterMode(display=False) as counter:
            torch.autograd.backward(F.cross_entropy(network(images), labels))
    return int(counter.get_total_flops())


def matmul_peak(config: TrainConfig, device: torch.device) -> float:
    """Measure what a large matrix product reaches, in operations a second, at a precision."""
    size = 1024 if device.type == "cpu" else 8192
    kind = torch.bfloat16 if config.precision == "bf16" else torch.float32
    a, b = (torch.randn(size, size, device=device).to(kind) for _ in range(2))
    best = float("inf")
    for _ in range(10):
        wait_for(device)
        clock = perf_counter()
        _ = a @ b
        wait_for(device)
        best = min(best, perf_counter() - clock)
    return 2 * size**3 / best


def describe_device(config: TrainConfig) -> dict[str, Any]:
    """Say what the device of a recipe is, and how it is used."""
    device = find_device(config)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {
        "device": name,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "precision": config.precision,
        "compile": config.compile,
        "stem_channels": config.stem_channels,
        "stacks": config.stacks,
        "cells_per_stack": config.cells_per_stack,
        "batch_size": config.batch_size,
        "bn_shards": config.bn_shards,
    }
