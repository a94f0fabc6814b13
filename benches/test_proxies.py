"""Benchmarks of zero-cost proxies on one thread. Run with `make bench`.

The oracle is a loop of the reference formulas, written as those of NAS-Bench-Suite-Zero are: for
each proxy the network is copied, and everything it needs is passed through that, in the layout that
PyTorch begins with and with its own batch norm. Ours and the loop take turns, cell by cell; seconds
are those of the processor.
"""

import copy
import types
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from time import process_time
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'nb101[train]'")

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

import nb101
from nb101.analysis import NAMED_CELLS
from nb101.nn import Network
from nb101.proxies import NAMES, score
from nb101.train import TrainConfig

BATCH = 32
SPACE = nb101.SearchSpace()
REDUCED = TrainConfig(stem_channels=16, cells_per_stack=1, device="cpu")
FULL = TrainConfig(device="cpu")
RECIPES = {
    "reduced": (REDUCED, [SPACE[i] for i in (423_000, 77_777, 250_001, 150_002)]),
    "full": (FULL, [NAMED_CELLS["ResNet-like"]]),
}


def layers(network: nn.Module) -> list[Any]:
    return [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]


def total(numbers: Iterable[Tensor]) -> float:
    return float(torch.stack(list(numbers)).sum().detach())


def gradients(network: nn.Module, x: Tensor, y: Tensor) -> list[Any]:
    network.zero_grad()
    torch.autograd.backward(F.cross_entropy(network(x), y))
    return layers(network)


def grad_norm(network: nn.Module, x: Tensor, y: Tensor) -> float:
    return total(m.weight.grad.norm() for m in gradients(network, x, y))


def plain(network: nn.Module, x: Tensor, y: Tensor) -> float:
    return total((m.weight * m.weight.grad).sum() for m in gradients(network, x, y))


def l2_norm(network: nn.Module, x: Tensor, y: Tensor) -> float:
    return total(m.weight.norm() for m in layers(network))


def snip(network: nn.Module, x: Tensor, y: Tensor) -> float:
    def convolve(self: Any, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.mask, None, 1, self.padding)

    def multiply(self: Any, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.mask, self.bias)

    for m in layers(network):
        m.mask = nn.Parameter(torch.ones_like(m.weight))
        m.weight.requires_grad = False
        m.forward = types.MethodType(convolve if isinstance(m, nn.Conv2d) else multiply, m)
    return total(m.mask.grad.abs().sum() for m in gradients(network, x, y))


def grasp(network: nn.Module, x: Tensor, y: Tensor) -> float:
    weights = [m.weight for m in layers(network)]
    first = torch.autograd.grad(F.cross_entropy(network(x), y), weights)
    loss = F.cross_entropy(network(x), y)
    second = torch.autograd.grad(loss, weights, create_graph=True)
    network.zero_grad()
    product = torch.stack([(a * b).sum() for a, b in zip(first, second, strict=True)]).sum()
    torch.autograd.backward(product)
    return total((-w * w.grad).sum() for w in weights)


def fisher(network: nn.Module, x: Tensor, y: Tensor) -> float:
    found: list[Tensor] = []

    def watch(m: nn.Module, given: Any, a: Any) -> None:
        def look(g: Tensor) -> None:
            product = a.detach() * g
            of_image = product.sum((2, 3)) if product.ndim == 4 else product
            found.append(of_image.pow(2).mean(0).mul(0.5))

        a.register_hook(look)

    for m in layers(network):
        m.register_forward_hook(watch)
    gradients(network, x, y)
    return total(one.sum() for one in found)


def nwot(network: nn.Module, x: Tensor, y: Tensor) -> float:
    kernel = np.zeros((len(x), len(x)))

    def count(m: nn.Module, given: Any, out: Tensor) -> None:
        nonlocal kernel
        on = (out.reshape(len(out), -1) > 0).float()
        kernel = kernel + (on @ on.T).numpy() + ((1 - on) @ (1 - on).T).numpy()

    for m in network.modules():
        if isinstance(m, nn.ReLU):
            m.register_forward_hook(lambda m, x, y: count(m, x, y.detach()))
    network(x)
    return float(np.linalg.slogdet(kernel)[1])


def jacobian(network: nn.Module, x: Tensor) -> Any:
    network.zero_grad()
    x = x.clone().requires_grad_()
    y = network(x)
    y.backward(torch.ones_like(y))
    assert x.grad is not None
    return x.grad.reshape(len(x), -1).numpy()


def jacov(network: nn.Module, x: Tensor, y: Tensor) -> float:
    v = np.linalg.eig(np.corrcoef(jacobian(network, x)))[0].real
    return float(-np.sum(np.log(v + 1e-5) + 1 / (v + 1e-5)))


def epe_nas(network: nn.Module, x: Tensor, y: Tensor) -> float:
    rows, labels, found = jacobian(network, x), y.numpy(), 0.0
    for label in np.unique(labels):
        found += abs(np.log(np.abs(np.corrcoef(rows[labels == label])) + 1e-5).sum())
    return found


def synflow(network: nn.Module, x: Tensor, y: Tensor) -> float:
    for m in network.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.forward = types.MethodType(lambda self, x: x, m)  # type: ignore[method-assign]
    network.double()
    with torch.no_grad():
        for value in network.state_dict().values():
            value.abs_()
    network(torch.ones_like(x[:1]).double()).sum().backward()
    return float(np.log(total((m.weight * m.weight.grad).abs().sum() for m in layers(network))))


def zen(network: Any, x: Tensor, y: Tensor) -> float:
    def features(x: Tensor) -> Any:
        x = network.stem(x)
        for stack in network.stacks:
            x = stack(x)
        return x

    with torch.no_grad():
        for m in layers(network):
            nn.init.normal_(m.weight)
        for m in network.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.momentum = 1.0
        x = torch.randn(x.shape)
        one = features(x)
        norms: list[Any] = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
        logs = total(m.running_var.mean().sqrt().log() for m in norms)
        other = features(x + 0.01 * torch.randn(x.shape))
        return float((one - other).flatten(1).norm(dim=1).mean().log() + logs)


def params(network: nn.Module, x: Tensor, y: Tensor) -> float:
    return float(sum(p.numel() for p in network.parameters()))


def flops(network: nn.Module, x: Tensor, y: Tensor) -> float:
    counts: list[int] = []

    def count(m: Any, given: Any, out: Tensor) -> None:
        counts.append(out.numel() * m.weight[0].numel())

    for m in layers(network):
        m.register_forward_hook(count)
    with torch.no_grad():
        network(x[:1])
    return float(sum(counts))


PLAIN: dict[str, Callable[[nn.Module, Tensor, Tensor], float]] = {
    "epe-nas": epe_nas,
    "fisher": fisher,
    "flops": flops,
    "grad-norm": grad_norm,
    "grasp": grasp,
    "jacov": jacov,
    "l2-norm": l2_norm,
    "nwot": nwot,
    "params": params,
    "plain": plain,
    "snip": snip,
    "synflow": synflow,
    "zen": zen,
}


def plain_network(cell: nb101.Cell, config: TrainConfig) -> nn.Module:
    network = Network(cell, config.stem_channels, config.stacks, config.cells_per_stack)
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.BatchNorm2d(child.num_features))
            elif isinstance(child, nn.ReLU):
                setattr(module, name, nn.ReLU())
    return network.train()


def plain_loop(cell: nb101.Cell, names: Sequence[str], config: TrainConfig) -> list[float]:
    network = plain_network(cell, config)
    x, y = torch.randn(BATCH, 3, 32, 32), torch.randint(10, (BATCH,))
    return [PLAIN[name](copy.deepcopy(network), x, y) for name in names]


@cache
def take_turns(recipe: str, names: tuple[str, ...]) -> dict[str, list[float]]:
    """Seconds of each cell, by ours and by the loop."""
    config, cells = RECIPES[recipe]
    found: dict[str, list[float]] = {"ours": [], "plain": []}
    works: dict[str, Callable[[Any], object]] = {
        "ours": lambda cell: score(cell, names, config=config, batch_size=BATCH),
        "plain": lambda cell: plain_loop(cell, names, config),
    }
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        if recipe == "reduced":
            for work in works.values():
                work(cells[0])
        for cell in cells:
            for which, work in works.items():
                rounds = []
                for _ in range(2 if recipe == "reduced" else 1):
                    start = process_time()
                    work(cell)
                    rounds.append(process_time() - start)
                found[which].append(min(rounds))
    finally:
        torch.set_num_threads(threads)
    return found


def record(benchmark: Any, recipe: str, names: tuple[str, ...], which: str) -> None:
    seconds = take_turns(recipe, names)[which]
    name = names[0] if len(names) == 1 else "all"
    benchmark.name = f"{'plain_' * (which == 'plain')}proxies_{recipe}_{name}"
    benchmark.extra_info.update(
        items=len(seconds),
        unit="cells",
        seconds=sum(seconds),
        median=sum(seconds),
        threads=1,
    )
    benchmark.pedantic(lambda: None, rounds=1)


@pytest.mark.parametrize("which", ["ours", "plain"])
@pytest.mark.parametrize("name", ["all", *NAMES])
@pytest.mark.parametrize("recipe", RECIPES)
def test_proxies(benchmark: Any, recipe: str, name: str, which: str) -> None:
    record(benchmark, recipe, NAMES if name == "all" else (name,), which)
