"""The network against the specification in NumPy, the counts of the space, and torch's tools."""

import math
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pytest

import nb101
from numpy_network import NumpyNetwork
from torch_tests import CHAIN, INCEPTION, RESNET

import torch  # isort: skip
from torch import nn  # isort: skip

from nb101.nn import CellModule, ConvBNReLU, Network, count_parameters  # isort: skip
from nb101.nn import network as network_module  # isort: skip
from nb101.nn.ops import make_op  # isort: skip


def weights_of(network: Network) -> dict[str, Any]:
    return {name: value.double().numpy() for name, value in network.state_dict().items()}


def scramble(network: Network) -> None:
    """Give batch norm and biases values that show whether they are used."""
    with torch.no_grad():
        for name, param in network.named_parameters():
            if name.endswith("1.weight"):
                param.uniform_(0.5, 1.5)
            elif name.endswith("bias"):
                param.normal_(0, 0.3)


@pytest.fixture(scope="module")
def some(cells: nb101.Cells) -> nb101.Cells:
    chosen = np.random.default_rng(5).integers(len(cells), size=25)
    return cells[np.concatenate([[0, 1, 2, 3, 6, 90], chosen])]


def test_logits_and_statistics_are_those_of_the_specification(some: nb101.Cells) -> None:
    torch.manual_seed(1)
    images = torch.randn(6, 3, 8, 8)
    for cell in some:
        # 5 channels are not divided evenly by most cells.
        network = Network(cell, 5, stacks=2, cells_per_stack=2, num_classes=3)
        scramble(network)
        reference = NumpyNetwork(cell.matrix, cell.ops, weights_of(network), 5, 2, 2)
        expected = reference(images.double().numpy())
        found = network.train()(images).detach().numpy()
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-4)
        for name, norm in network.named_modules():
            if isinstance(norm, nn.BatchNorm2d):
                mean, variance = reference.statistics.pop(name)
                assert norm.running_mean is not None
                assert norm.running_var is not None
                np.testing.assert_allclose(norm.running_mean, 0.003 * mean, rtol=2e-3, atol=1e-6)
                running = 0.997 + 0.003 * variance
                np.testing.assert_allclose(norm.running_var, running, rtol=1e-5)
        assert not reference.statistics


def test_parameters_of_all_small_cells_and_of_2000_others(
    cells: nb101.Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole networks on the meta device, where equal parts are made once and stand in many places.

    To make each one anew takes most of a minute; the next test does so for some.
    """
    monkeypatch.setattr(network_module, "ConvBNReLU", lru_cache(maxsize=None)(ConvBNReLU))
    monkeypatch.setattr(network_module, "make_op", lru_cache(maxsize=None)(make_op))
    small = np.flatnonzero(cells.vertices <= 5)
    assert len(small) == 2532
    others = np.random.default_rng(0).choice(np.arange(2532, len(cells)), 2000, replace=False)
    chosen = cells[np.concatenate([small, others])]

    @cache
    def count(part: nn.Module) -> int:
        return sum(x.numel() for x in part.parameters())

    found = []
    with torch.device("meta"):
        for cell in chosen:
            network = Network(cell)
            total = count(network.stem) + count(network.dense)
            for module in network.modules():
                if isinstance(module, CellModule):
                    parts = [*module.projections.values(), *module.ops.values()]
                    total += sum(map(count, parts))
            found.append(total)
    assert found == chosen.parameters().tolist()


def test_parameters_of_whole_networks(cells: nb101.Cells) -> None:
    chosen = cells[np.random.default_rng(1).integers(len(cells), size=40)]
    assert [count_parameters(cell) for cell in chosen] == chosen.parameters().tolist()


def test_published_counts() -> None:
    assert count_parameters(INCEPTION) == 2_694_282
    assert count_parameters(RESNET) == 20_346_506
    assert count_parameters(nb101.Cell("0100", "input,output")) == 882_570


def test_nothing_is_allocated_on_the_meta_device() -> None:
    with torch.device("meta"):
        network = Network(INCEPTION)
    assert all(value.is_meta for value in network.state_dict().values())
    assert network.trainable_parameters == INCEPTION.parameters


def test_initialisation() -> None:
    torch.manual_seed(0)
    network = Network(RESNET, 64)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            assert module.bias is None
            weights = module.weight.detach().numpy().astype(np.float64).ravel()
            fan_in = weights.size / module.out_channels
            # Variance 1 / fan_in after the cut, which is at two deviations of what was cut.
            limit = 2 * math.sqrt(1 / fan_in) / 0.87962566103423978
            assert np.abs(weights).max() <= limit * (1 + 1e-6)
            assert np.abs(weights).max() > 0.95 * limit
            assert abs(weights.mean()) < 5 / math.sqrt(weights.size * fan_in)
            assert weights.var() * fan_in == pytest.approx(1, abs=6 / math.sqrt(weights.size))
        elif isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all()
            assert (module.bias == 0).all()
            assert module.momentum == pytest.approx(0.003)
            assert module.eps == 1e-5
    dense = network.dense.weight.detach().numpy()
    limit = math.sqrt(6 / (256 + 10))
    assert np.abs(dense).max() <= limit
    assert dense.var() == pytest.approx(limit**2 / 3, rel=0.1)
    assert (network.dense.bias == 0).all()


def test_weights_follow_the_seed() -> None:
    def make(seed: int) -> Any:
        torch.manual_seed(seed)
        return Network(CHAIN, 4).state_dict()

    a, b, c = make(1), make(1), make(2)
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["stem.0.weight"], c["stem.0.weight"])


def test_the_skeleton() -> None:
    network = Network(CHAIN, 4, stacks=2, cells_per_stack=3, num_classes=7, image_channels=1)
    first, second = (list(stack.children()) for stack in network.stacks)
    assert [len(first), len(second)] == [3, 4]
    assert isinstance(second[0], nn.MaxPool2d)
    assert network(torch.zeros(2, 1, 28, 28)).shape == (2, 7)
    # An odd size: the last row and column are a window of their own, as with TensorFlow.
    seen = []
    second[0].register_forward_hook(lambda module, args, out: seen.append(out.shape))
    network(torch.zeros(2, 1, 7, 7))
    assert seen == [(2, 4, 4, 4)]


def test_isomorphic_forms_give_one_network() -> None:
    a = nb101.Cell([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0] * 4], [-1, 0, 2, -2])
    b = nb101.Cell([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0] * 4], [-1, 2, 0, -2])
    assert a == b
    assert count_parameters(a, 5) == count_parameters(b, 5)


@pytest.mark.parametrize("cell", [RESNET, INCEPTION])
def test_channels_last_is_kept_and_the_same(cell: nb101.Cell) -> None:
    torch.manual_seed(3)
    network = Network(cell, 8, cells_per_stack=1).eval()
    images = torch.randn(4, 3, 16, 16)
    expected = network(images)
    seen = []
    for module in network.modules():
        if isinstance(module, ConvBNReLU):
            module.register_forward_hook(
                lambda module, args, out: seen.append(
                    out.is_contiguous(memory_format=torch.channels_last)
                )
            )
    network.to(memory_format=torch.channels_last)
    found = network(images.to(memory_format=torch.channels_last))
    assert all(seen)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_bf16_autocast() -> None:
    torch.manual_seed(3)
    network = Network(INCEPTION, 8, cells_per_stack=1).train()
    images = torch.randn(16, 3, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(images)
    assert logits.dtype == torch.bfloat16
    torch.autograd.backward(logits.float().square().sum())
    for param in network.parameters():
        assert param.dtype == torch.float32
        assert param.grad is not None
        assert param.grad.isfinite().all()
    norm = network.stem[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_mean.dtype == torch.float32


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_export() -> None:
    network = Network(INCEPTION, 4, cells_per_stack=1).eval()
    images = torch.randn(2, 3, 16, 16)
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(network, (images,), dynamic_shapes=({0: batch},))
    more = torch.randn(5, 3, 16, 16)
    torch.testing.assert_close(program.module()(more), network(more))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_compile_traces_it_whole() -> None:
    """With the backend that needs no compiler: one graph, forward and back, in training."""
    # Others may have compiled networks in this process before.
    torch._dynamo.reset()
    torch.manual_seed(4)
    network = Network(RESNET, 4, cells_per_stack=1, stacks=1).train()
    images = torch.randn(4, 3, 8, 8)
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    torch.autograd.backward(compiled(images).square().sum())
    found = [param.grad for param in network.parameters()]
    network.zero_grad()
    torch.autograd.backward(network(images).square().sum())
    for one, param in zip(found, network.parameters(), strict=True):
        torch.testing.assert_close(one, param.grad, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stem_channels": 0}, "stem_channels must be a whole number of at least 1, not 0"),
        ({"stacks": 2.5}, "stacks must be a whole number of at least 1, not 2.5"),
        ({"num_classes": True}, "num_classes must be a whole number of at least 1, not True"),
    ],
)
def test_wrong_sizes(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Network(CHAIN, **changes)


def test_too_narrow_for_the_cell() -> None:
    with pytest.raises(ValueError, match=r"a vertex would have no channels: .* larger stem"):
        Network(INCEPTION, 2)
    with pytest.raises(TypeError, match="a Network is made of a Cell, not str"):
        Network("cell")  # type: ignore[arg-type]
