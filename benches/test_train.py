"""Benchmarks of training on the CPU. Run with `make bench`.

The oracle is what one writes without further thought: the same network of standard modules, one
for each edge from input and each op, images augmented one by one in a DataLoader, an optimizer that
goes tensor by tensor, memory as it comes. It has batch norm over the whole batch, which is less
work than the recipe's shards. The two take turns, step by step, so that whatever else the machine
does slows both.
"""

import random
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any, cast

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'nb101[train]'")

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

import nb101
from nb101.nn import count_parameters
from nb101.train import RMSProp, TrainConfig, data
from nb101.train.bench import CELLS
from nb101.train.state import TrainState, train_step

BATCH = 256
STEPS = 12
CONFIG = TrainConfig(stem_channels=16, device="cpu")
CPU = torch.device("cpu")
NAMES = {"Inception-like": "inception", "ResNet-like": "resnet"}


class PlainImages(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
    """Images one by one: padded, cut out, mirrored, normalised."""

    def __init__(self, images: data.ImageData) -> None:
        self.images = torch.from_numpy(images.train.images).permute(0, 3, 1, 2).contiguous()
        self.labels = images.train.labels.tolist()
        self.mean = torch.tensor(images.mean)[:, None, None]
        self.std = torch.tensor(images.std)[:, None, None]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = F.pad(self.images[index], (4, 4, 4, 4))
        top, left = random.randrange(9), random.randrange(9)
        image = image[:, top : top + 32, left : left + 32]
        if random.random() < 0.5:
            image = image.flip(2)
        return (image.float() - self.mean) / self.std, self.labels[index]


def conv(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs, momentum=0.003),
        nn.ReLU(inplace=True),
    )


class PlainCell(nn.Module):
    """A cell, edge by edge."""

    def __init__(self, cell: nb101.Cell, inputs: int, outputs: int) -> None:
        super().__init__()
        self.edges = cell.edge_list()
        self.channels = cell.vertex_channels(outputs, inputs)
        self.projections = nn.ModuleDict(
            {str(y): conv(inputs, self.channels[y], 1) for x, y in self.edges if x == 0}
        )
        makers: dict[str, Callable[[int], nn.Module]] = {
            "conv1x1-bn-relu": lambda n: conv(n, n, 1),
            "conv3x3-bn-relu": lambda n: conv(n, n, 3),
            "maxpool3x3": lambda n: nn.MaxPool2d(3, stride=1, padding=1),
        }
        interior = list(zip(cell.ops, self.channels, strict=True))[1:-1]
        self.ops = nn.ModuleList([makers[op](n) for op, n in interior])

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        found = [image]
        for vertex, op in enumerate(self.ops, 1):
            found.append(op(sum(self.inputs(vertex, found))))
        last = len(self.channels) - 1
        kept = [found[x] for x, y in self.edges if y == last and x > 0]
        direct = [self.projections[str(last)](image)] if str(last) in self.projections else []
        return cast("torch.Tensor", sum([torch.cat(kept, 1), *direct] if kept else direct))

    def inputs(self, vertex: int, found: list[torch.Tensor]) -> list[torch.Tensor]:
        return [
            self.projections[str(vertex)](found[0]) if x == 0 else found[x][:, : self.channels[y]]
            for x, y in self.edges
            if y == vertex
        ]


def plain_network(cell: nb101.Cell) -> nn.Sequential:
    width = CONFIG.stem_channels
    parts: list[nn.Module] = [conv(3, width, 3)]
    for stack in range(CONFIG.stacks):
        if stack > 0:
            parts.append(nn.MaxPool2d(2))
        for i in range(CONFIG.cells_per_stack):
            inputs = width if stack == 0 or i > 0 else width // 2
            parts.append(PlainCell(cell, inputs, width))
        width *= 2
    parts += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width // 2, 10)]
    return nn.Sequential(*parts)


class PlainLoop:
    """A plain eager loop."""

    def __init__(self, cell: Any, images: data.ImageData) -> None:
        self.network = plain_network(cell)
        trainable = sum(p.numel() for p in self.network.parameters())
        assert trainable == count_parameters(cell, CONFIG.stem_channels)
        settings = {"lr": 0.2, "weight_decay": 1e-4}
        self.optimizer = RMSProp(self.network.parameters(), foreach=False, **settings)
        self.loader = torch.utils.data.DataLoader(PlainImages(images), BATCH, shuffle=True)
        self.batches = self.forever()

    def forever(self) -> Iterator[Any]:
        while True:
            yield from self.loader

    def step(self) -> None:
        x, y = next(self.batches)
        self.optimizer.zero_grad()
        torch.autograd.backward(F.cross_entropy(self.network(x), y))
        self.optimizer.step()


@pytest.fixture(scope="module", params=list(NAMES))
def times(request: pytest.FixtureRequest) -> tuple[str, dict[str, list[float]]]:
    return NAMES[request.param], take_turns(request.param)


def take_turns(name: str) -> dict[str, list[float]]:
    """Seconds of each step of either loop, and of the input of ours."""
    images = data.synthetic(train=BATCH * (STEPS + 2), validation=1, test=1, size=32)
    cell = CELLS[name]
    state, plain = TrainState(cell, images, CONFIG, CPU), PlainLoop(cell, images)
    found: dict[str, list[float]] = {"train": [], "plain": [], "input": []}

    works: dict[str, Callable[[], Any]] = {
        "train": lambda: train_step(state, CONFIG.learning_rate),
        "plain": plain.step,
        "input": lambda: state.batches[state.step],
    }
    for round_ in range(STEPS + 1):
        for which, work in works.items():
            start = perf_counter()
            work()
            if round_ > 0:
                found[which].append(perf_counter() - start)
    state.close()
    return found


def record(benchmark: Any, times: tuple[str, dict[str, list[float]]], which: str) -> None:
    cell, found = times
    benchmark.name = f"{which}_{cell}"
    benchmark.extra_info.update(
        items=BATCH,
        unit="images",
        seconds=min(found[which]),
        median=float(np.median(found[which])),
        threads=torch.get_num_threads(),
    )
    benchmark.pedantic(lambda: None, rounds=1)


def test_train(benchmark: Any, times: Any) -> None:
    record(benchmark, times, "train")


def test_plain(benchmark: Any, times: Any) -> None:
    record(benchmark, times, "plain")


def test_input(benchmark: Any, times: Any) -> None:
    record(benchmark, times, "input")
