"""What passes through a network, once for all proxies that rest on it.

Read from top to bottom: `measure`, then a class or function for each pass. A pass through the
network is by a batch of images, all as one batch for batch norm, which takes its statistics of it
as in training.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from nb101.nn import CellModule, ConvBNReLU, Factory, Network
from nb101.nn.norm import BatchNorm
from nb101.nn.ops import AvgPool, Bottleneck, Conv, Dense
from nb101.proxies import formulas
from nb101.proxies.batch import Batch
from nb101.proxies.catalog import PROXIES
from nb101.proxies.twice import Wanted, quick_forwards
from nb101.space.cell import Cell
from nb101.train.batches import seed_of
from nb101.train.config import TrainConfig
from nb101.train.device import autocast, move, wait_for
from nb101.train.network import draw_network

ALPHA = 0.01
"""How far zen moves an image."""
ZEN = 1
"""The purpose of zen's draws, beside that of a batch: see `seed_of`."""


def measure(
    cell: Cell,
    batch: Batch,
    names: Sequence[str],
    config: TrainConfig,
    seed: int,
    device: torch.device,
    ops: Mapping[str, Factory] | None = None,
) -> tuple[dict[str, float], dict[str, float]]:
    """Compute proxies of one cell.

    Returns
    -------
    The score of each name, but for those that need no network; and for all names the seconds of
    what it rests on, that of a pass in each that shares it.
    """
    started = perf_counter()
    network = draw_network(cell, config, batch.channels, ops, seed, 1)
    network = move(_shielded(network), device).train()
    building = perf_counter() - started
    wanted = {part for name in names for part in PROXIES[name].passes}
    found: dict[str, Any] = {}
    seconds: dict[str, float] = {}

    def timed(part: str, work: Callable[[], dict[str, Any]]) -> None:
        start = perf_counter()
        found.update(work())
        wait_for(device)
        seconds[part] = perf_counter() - start

    weights = weights_of(network)
    if "l2-norm" in names:
        timed("norms", lambda: {"l2-norm": formulas.l2_norm(weights).detach()})
    if "synflow" in wanted:
        timed("synflow", lambda: {"synflow": synflow(network, batch.images[:1].shape)})
    if "forward" in wanted:
        run = Run(network, batch, names, config, device)
        timed("forward", run.forward)
        # What comes last lets go of the graph.
        if "loss" in wanted:
            timed("loss", lambda: run.loss("hessian" in wanted, "jacobian" in wanted))
        if "hessian" in wanted:
            timed("hessian", lambda: run.hessian("jacobian" in wanted))
        if "jacobian" in wanted:
            timed("jacobian", run.jacobian)
        del run
    if "zen" in wanted:
        timed("zen", lambda: zen(network, batch, config, seed, device))
    scores = {name: float(found[name]) for name in names if name in found}
    norms = seconds.get("norms", 0.0)
    times = {}
    for name in names:
        parts = sum(seconds[part] for part in PROXIES[name].passes)
        times[name] = building + parts + (norms if name == "l2-norm" else 0.0)
    return scores, times


def weights_of(network: nn.Module) -> list[Tensor]:
    """Return the weights that proxies are sums over: of convolutions and dense layers."""
    return [module.weight for module in layers_of(network)]


def layers_of(network: nn.Module) -> list[Any]:
    """Return convolutions and dense layers, in their order."""
    return [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]


def _shielded(network: Network) -> Network:
    """Let nothing change a layer's output in place, so that it is there when gradients come.

    A ReLU after batch norm may, as it changes what batch norm gave.
    """
    for module in network.modules():
        if hasattr(module, "inplace"):
            setattr(module, "inplace", False)  # noqa: B010
    for module in network.modules():
        if isinstance(module, ConvBNReLU):
            relu: Any = module[2]
            relu.inplace = True
    return network


class Run:
    """One forward pass, and what goes back through its graph."""

    def __init__(
        self,
        network: Network,
        batch: Batch,
        names: Sequence[str],
        config: TrainConfig,
        device: torch.device,
    ) -> None:
        self.network, self.batch, self.names = network, batch, names
        self.config, self.device = config, device
        self.weights = weights_of(network)
        self.gradient_asked = any(
            part in ("loss", "jacobian") for name in names for part in PROXIES[name].passes
        )
        # Hooks of the graph hold this list, and not `self`: that holds the graph, and neither
        # would ever be let go of.
        self.fishers: list[Tensor] = []
        self._looks: list[Any] = []
        self.wanted = Wanted()
        self.images = batch.images
        if any("jacobian" in PROXIES[name].passes for name in names):
            self.images = self.images.detach().requires_grad_()

    def forward(self) -> dict[str, Any]:
        """Compute logits, and how images are alike on ReLUs."""
        codes: list[Tensor] = []
        hooks = []
        if "nwot" in self.names:
            for module in self.network.modules():
                if isinstance(module, nn.ReLU):
                    hooks.append(module.register_forward_hook(lambda m, x, y: _code(codes, y)))
        if "fisher" in self.names:
            hooks += [layer.register_forward_hook(self._watch) for layer in layers_of(self.network)]
        quick = "grasp" in self.names and self.config.precision != "bf16"
        changes = quick_forwards(self.network, self.wanted) if quick else []
        try:
            with (
                _forwards(changes),
                torch.set_grad_enabled(self.gradient_asked),
                autocast(self.config, self.device),
            ):
                self.logits = self.network(self.images).float()
        finally:
            for hook in hooks:
                hook.remove()
        if not codes:
            return {}
        alike = torch.stack(codes).cpu().numpy().astype(np.float64).sum(0)
        return {"nwot": formulas.nwot(alike)}

    def _watch(self, layer: nn.Module, given: Any, activation: Any) -> None:
        """Have the gradient of a layer's output looked at when that of the loss passes."""
        if not activation.requires_grad:
            return
        kept, fishers = activation.detach(), self.fishers

        def look(gradient: Tensor) -> None:
            with torch.no_grad():
                fishers.append(formulas.fisher(kept.float(), gradient.float()))

        self._looks.append(activation.register_hook(look))

    def loss(self, hessian: bool, jacobian: bool) -> dict[str, Any]:
        """Compute the loss's gradient by the weights, and what is made of it."""
        loss = F.cross_entropy(self.logits, self.batch.labels)
        gradients = torch.autograd.grad(
            loss,
            self.weights,
            create_graph=hessian,
            retain_graph=hessian or jacobian,
            allow_unused=True,
            materialize_grads=True,
        )
        self.gradients = gradients
        # Other passes go back through the same graph.
        for look in self._looks:
            look.remove()
        found: dict[str, Any] = {}
        with torch.no_grad():
            given = [gradient.detach() for gradient in gradients]
            if "grad-norm" in self.names:
                found["grad-norm"] = formulas.grad_norm(given)
            if "plain" in self.names:
                found["plain"] = formulas.plain(self.weights, given)
            if "snip" in self.names:
                found["snip"] = formulas.snip(self.weights, given)
            if "fisher" in self.names:
                found["fisher"] = torch.stack(self.fishers).sum()
        return found

    def hessian(self, jacobian: bool) -> dict[str, Any]:
        """Compute the Hessian times the gradient, and grasp."""
        products = [(g.detach() * g).sum() for g in self.gradients]
        product = torch.stack(products).sum()
        found = torch.autograd.grad(
            product, self.weights, retain_graph=jacobian, allow_unused=True, materialize_grads=True
        )
        del self.gradients
        with torch.no_grad():
            return {"grasp": formulas.grasp(self.weights, found)}

    def jacobian(self) -> dict[str, Any]:
        """Compute the derivative of the sum of logits by the pixels, and what is made of it."""
        self.wanted.weights, self.wanted.images = False, True
        (found,) = torch.autograd.grad(self.logits.sum(), self.images)
        rows = found.flatten(1).cpu().numpy().astype(np.float64)
        scores: dict[str, Any] = {}
        if "jacov" in self.names:
            scores["jacov"] = formulas.jacov(rows)
        if "epe-nas" in self.names:
            labels = self.batch.labels.cpu().numpy()
            scores["epe-nas"] = formulas.epe_nas(rows, labels, self.config.num_classes)
        return scores


def _code(codes: list[Tensor], output: Tensor) -> None:
    """Add on how many units of one ReLU images are both on, or both off; shape ``(n, n)``."""
    # Numbers of units are whole: bfloat16 would round them.
    with torch.no_grad(), torch.autocast(output.device.type, enabled=False):
        # Pixels first, as they lie in memory. What a ReLU gives is 0 or more: its sign is its code.
        on = output.detach().movedim(1, -1).flatten(1).sign().float()
        both = on @ on.T
        count = both.diagonal()
        codes.append(on.shape[1] - count[:, None] - count + 2 * both)


# Synflow

_LINEAR = (
    *(Network, CellModule, ConvBNReLU, Bottleneck, nn.Sequential, nn.ModuleList, nn.ModuleDict),
    *(Conv, Dense, BatchNorm, nn.ReLU, nn.MaxPool2d, AvgPool, nn.Identity),
)
"""Modules that, without batch norm and with positive weights, multiply what is multiplied."""


def synflow(network: Network, shape: Sequence[int]) -> float:
    """``synflow``: ln of the sum of |w| x dR/d|w| (Tanaka et al. 2020).

    R is the sum of the logits of an image of ones, with absolute weights and without batch norm.
    As published by NAS-Bench-Suite-Zero, its logarithm: of 46 layers, the sum itself is 1e40.

    All of it is positive, so that the sum is the derivative of R as all weights grow alike: one
    forward pass with that derivative beside each number (`_grown`). At full size that takes a fifth
    of the time of a pass back in float64, 0.11 s and not 0.55. Networks of other modules than this
    package's are differentiated backwards.
    """
    ordinary = all(type(module) in _LINEAR for module in network.modules())
    return (_grown if ordinary else _differentiated)(network, shape)


def _grown(network: Network, shape: Sequence[int]) -> float:
    """Pass a number and its derivative side by side, as two images.

    With x and x' its derivative, a layer that grows gives w x and w (x' + x). After each cell both
    are divided by the largest, which float32 then suffices for; its logarithm is kept.
    """
    device = next(network.parameters()).device
    logarithms = []

    def layer(module: Any) -> Callable[[Tensor], Tensor]:
        weight = module.weight.detach().abs()
        bias = None if module.bias is None else module.bias.detach().abs()

        def forward(x: Tensor) -> Tensor:
            both = torch.stack([x[0], x[0] + x[1]])
            if isinstance(module, nn.Linear):
                y = F.linear(both, weight)
            else:
                y = module._conv_forward(both, weight, None)
            if bias is not None:
                y[0] += bias.view(-1, *[1] * (y.ndim - 2))
            return y

        return forward

    def pool(module: nn.MaxPool2d) -> Callable[[Tensor], Tensor]:
        def forward(x: Tensor) -> Tensor:
            sizes = (module.kernel_size, module.stride, module.padding, module.dilation)
            most, where = F.max_pool2d(
                x[:1], *sizes, ceil_mode=module.ceil_mode, return_indices=True
            )
            moved = x[1].flatten(1).gather(1, where[0].flatten(1)).view(most.shape)
            return torch.cat([most, moved])

        return forward

    def scale(module: nn.Module, given: Any, x: Tensor) -> Tensor:
        largest = x.max()
        logarithms.append(largest.double().log() if device.type != "mps" else largest.log())
        return x / largest

    changes: list[tuple[nn.Module, Callable[[Tensor], Tensor]]] = []
    hooks = [network.stem.register_forward_hook(scale)]
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            changes.append((module, layer(module)))
        elif isinstance(module, (nn.BatchNorm2d, nn.ReLU)):
            changes.append((module, lambda x: x))
        elif isinstance(module, nn.MaxPool2d):
            changes.append((module, pool(module)))
        elif isinstance(module, CellModule):
            hooks.append(module.register_forward_hook(scale))
    pair = torch.zeros((2, *shape[1:]), device=device)
    pair[0] = 1
    with _forwards(changes), torch.no_grad():
        try:
            _, derivative = network(pair.contiguous(memory_format=torch.channels_last))
        finally:
            for hook in hooks:
                hook.remove()
        total = derivative.sum().log().double().cpu()
        return float(total + sum(one.double().cpu() for one in logarithms))


def _differentiated(network: Network, shape: Sequence[int]) -> float:
    """Differentiate backwards, in float64, which goes up to 1e308."""
    cpu = torch.device("cpu")
    device = next(network.parameters()).device
    device = cpu if device.type == "mps" else device
    kept = {name: value.detach() for name, value in network.state_dict().items()}
    positive = {
        name: value.to(device, torch.float64).abs() if value.is_floating_point() else value
        for name, value in kept.items()
    }
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    layers = {
        f"{name}.weight": positive[f"{name}.weight"].requires_grad_()
        for name, module in network.named_modules()
        if isinstance(module, (nn.Conv2d, nn.Linear))
    }
    ones = torch.ones((1, *shape[1:]), dtype=torch.float64, device=device)
    with _forwards([(norm, lambda x: x) for norm in norms]), torch.enable_grad():
        total = torch.func.functional_call(network, positive, (ones,)).sum()
        gradients = torch.autograd.grad(
            total, list(layers.values()), allow_unused=True, materialize_grads=True
        )
    with torch.no_grad():
        flows = [(w * g).abs().sum() for w, g in zip(layers.values(), gradients, strict=True)]
        return float(torch.stack(flows).sum().log())


@contextmanager
def _forwards(changes: Sequence[tuple[nn.Module, Callable[[Tensor], Tensor]]]) -> Iterator[None]:
    """Let modules do something else for a while."""
    try:
        for module, forward in changes:
            module.forward = forward
        yield
    finally:
        for module, _ in changes:
            module.__dict__.pop("forward", None)


# Zen


def zen(
    network: Network, batch: Batch, config: TrainConfig, seed: int, device: torch.device
) -> dict[str, Any]:
    """Draw weights and images from a normal distribution, and see how features move.

    The network has other weights afterwards. Draws are made on the CPU, so that all devices have
    the same.
    """
    stream = torch.Generator().manual_seed(
        int(seed_of(seed, 0, ZEN).generate_state(1, np.uint64)[0] >> 1)
    )
    shape = batch.images.shape
    counts: dict[nn.Module, float] = {}

    def count(norm: Any, given: Any, x: Tensor) -> None:
        counts.setdefault(norm, x.numel() / x.shape[1])

    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.no_grad():
        x, epsilon = (torch.randn(shape, generator=stream).to(device) for _ in range(2))
        for layer in layers_of(network):
            if isinstance(layer, nn.Conv2d):
                layer.weight.copy_(torch.randn(layer.weight.shape, generator=stream))
        hooks = [norm.register_forward_hook(count) for norm in norms]
        for norm in norms:
            norm.momentum = 1.0  # So that the running variance is that of the batch.
        variances: list[Tensor] = []
        features: list[Tensor] = []
        for images in (x, x + ALPHA * epsilon):
            with autocast(config, device):
                images = images.contiguous(memory_format=torch.channels_last)
                features.append(_features(network, images).float())
            if not variances:
                for norm in norms:
                    assert norm.running_var is not None
                    # A running variance is that of a sample, that of the batch is over all of it.
                    n = counts.get(norm, 1.0)
                    variances.append(norm.running_var * ((n - 1) / n))
        for hook in hooks:
            hook.remove()
        return {"zen": formulas.zen(features[0] - features[1], variances)}


def _features(network: Network, images: Tensor) -> Tensor:
    """Return what the last cell gives, before pooling."""
    x: Tensor = network.stem(images)
    for stack in network.stacks:
        x = stack(x)
    return x
