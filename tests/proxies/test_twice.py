"""Layers that are quick to differentiate twice, against differences and PyTorch's own layers."""

from typing import Any

import pytest

import nb101
from torch_tests import INCEPTION, RESNET

import torch  # isort: skip
from torch.autograd import gradcheck, gradgradcheck  # isort: skip

from nb101.nn.norm import BatchNorm  # isort: skip
from nb101.nn.ops import Conv  # isort: skip
from nb101.proxies import passes, score, twice  # isort: skip
from nb101.train import TrainConfig  # isort: skip
from nb101.train.network import draw_network  # isort: skip


def draw(*shape: int) -> Any:
    stream = torch.Generator().manual_seed(len(shape) + shape[0])
    return torch.randn(*shape, dtype=torch.float64, generator=stream).requires_grad_()


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("leaf", [True, False])
def test_convolution(kernel: int, leaf: bool) -> None:
    wanted = twice.Wanted(weights=True, images=True)

    def call(x: Any, weight: Any) -> Any:
        return twice._Convolution.apply(x if leaf else x * 1, weight, kernel // 2, wanted)

    given = (draw(2, 3, 4, 5), draw(4, 3, kernel, kernel))
    assert gradcheck(call, given)
    assert gradgradcheck(call, given)


@pytest.mark.parametrize("channels", [1, 3])
def test_batch_norm(channels: int) -> None:
    weight, bias = draw(channels).detach() + 2, draw(channels, 1).detach()[:, 0]

    def call(x: Any) -> Any:
        return twice._Norm.apply(x, weight, bias, 1e-2)

    assert gradcheck(call, draw(4, channels, 3, 2))
    assert gradgradcheck(call, draw(4, channels, 3, 2))


@pytest.mark.parametrize("cell", [RESNET, INCEPTION])
def test_whole_networks(cell: nb101.Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """All proxies of one pass, with the quick layers and without."""
    config = TrainConfig(stem_channels=9, stacks=2, cells_per_stack=1, device="cpu")
    quick = score(cell, config=config, batch_size=8)
    monkeypatch.setattr(passes, "quick_forwards", lambda network, wanted: [])
    ordinary = score(cell, config=config, batch_size=8)
    for name in quick:
        least = 1e-5 * float(ordinary["snip"][0]) if name == "plain" else 0.0
        assert quick[name][0] == pytest.approx(ordinary[name][0], rel=5e-5, abs=least), name


def test_what_is_changed() -> None:
    network = draw_network(RESNET, TrainConfig(stem_channels=4), 3, None, 0, 1)
    changed = {module for module, _ in twice.quick_forwards(network, twice.Wanted())}
    expected = {m for m in network.modules() if isinstance(m, (Conv, BatchNorm))}
    assert changed == expected


def test_gradients_that_are_not_wanted() -> None:
    wanted = twice.Wanted(weights=False, images=True)
    x, weight = draw(2, 3, 4, 4), draw(4, 3, 1, 1)
    twice._Convolution.apply(x, weight, 0, wanted).sum().backward()
    assert x.grad is not None
    assert weight.grad is None
    wanted.weights, wanted.images, x.grad = True, False, None
    twice._Convolution.apply(x, weight, 0, wanted).sum().backward()
    assert x.grad is None
    assert weight.grad is not None
