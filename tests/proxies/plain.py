"""The thirteen proxies, each by itself and as plainly as its paper has it, in float64."""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class Plain:
    """A network of float64 in training mode, a batch, and what zen draws from."""

    def __init__(self, network: nn.Module, x: Tensor, y: Tensor, stream: torch.Generator) -> None:
        self.network, self.x, self.y, self.stream = network.double(), x.double(), y, stream
        for module in self.network.modules():
            if isinstance(module, nn.ReLU):
                module.inplace = False

    def layers(self, network: Any = None) -> list[Any]:
        modules = (network or self.network).modules()
        return [m for m in modules if isinstance(m, (nn.Conv2d, nn.Linear))]

    def gradients(self) -> list[tuple[Tensor, Tensor]]:
        self.network.zero_grad()
        torch.autograd.backward(F.cross_entropy(self.network(self.x), self.y))
        return [(m.weight.detach(), m.weight.grad.clone()) for m in self.layers()]

    def l2_norm(self) -> float:
        return sum(float((m.weight.detach() ** 2).sum() ** 0.5) for m in self.layers())

    def grad_norm(self) -> float:
        return sum(float((g**2).sum() ** 0.5) for _, g in self.gradients())

    def plain(self) -> float:
        return sum(float((w * g).sum()) for w, g in self.gradients())

    def snip(self) -> float:
        return sum(float((w * g).abs().sum()) for w, g in self.gradients())

    def grasp(self) -> float:
        weights = [m.weight for m in self.layers()]
        first = torch.autograd.grad(F.cross_entropy(self.network(self.x), self.y), weights)
        loss = F.cross_entropy(self.network(self.x), self.y)
        second = torch.autograd.grad(loss, weights, create_graph=True)
        z = torch.stack([(a * b).sum() for a, b in zip(first, second, strict=True)]).sum()
        product = torch.autograd.grad(z, weights)
        return -sum(float((w * hg).sum().detach()) for w, hg in zip(weights, product, strict=True))

    def fisher(self) -> float:
        kept: list[Any] = []

        def keep(module: nn.Module, given: Any, out: Tensor) -> None:
            out.retain_grad()
            kept.append(out)

        hooks = [m.register_forward_hook(keep) for m in self.layers()]
        torch.autograd.backward(F.cross_entropy(self.network(self.x), self.y))
        for hook in hooks:
            hook.remove()
        total = 0.0
        for a in kept:
            for c in range(a.shape[1]):
                of_images = (a[:, c] * a.grad[:, c]).detach().reshape(len(a), -1).sum(1)
                total += float((of_images**2).sum()) / (2 * len(a))
        return total

    def nwot(self) -> float:
        codes: list[Tensor] = []
        relus = [m for m in self.network.modules() if isinstance(m, nn.ReLU)]
        hooks = [m.register_forward_hook(lambda m, x, y: codes.append(y > 0)) for m in relus]
        self.network(self.x)
        for hook in hooks:
            hook.remove()
        code = torch.cat([c.flatten(1) for c in codes], 1).numpy()
        n = len(code)
        kernel = [[np.sum(code[i] == code[j]) for j in range(n)] for i in range(n)]
        return float(np.linalg.slogdet(np.array(kernel, float))[1])

    def jacobians(self) -> Any:
        x = self.x.clone().requires_grad_()
        self.network(x).sum().backward()
        assert x.grad is not None
        return x.grad.reshape(len(x), -1).numpy()

    def jacov(self) -> float:
        v = np.linalg.eigvals(np.corrcoef(self.jacobians())).real
        return float(-np.sum(np.log(v + 1e-5) + 1 / (v + 1e-5)))

    def epe_nas(self, few: bool = True) -> float:
        rows, labels, scores = self.jacobians(), self.y.numpy(), []
        for label in sorted(set(labels.tolist())):
            c = np.atleast_2d(np.corrcoef(rows[labels == label]))
            scores.append(np.log(np.abs(c) + 1e-5).sum() / (1 if few else len(c)))
        if few:
            return float(np.abs(scores).sum())
        pairs = [(i, j) for i in range(len(scores)) for j in range(i + 1, len(scores))]
        return float(sum(abs(scores[i] - scores[j]) for i, j in pairs) / len(scores))

    def synflow(self) -> float:
        network = copy.deepcopy(self.network)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.forward = nn.Identity().forward  # type: ignore[method-assign]
        for value in network.state_dict().values():
            value.abs_()
        network.zero_grad()
        network(torch.ones_like(self.x[:1])).sum().backward()
        flows = [float((m.weight * m.weight.grad).sum().detach()) for m in self.layers(network)]
        return float(np.log(sum(flows)))

    def zen(self) -> float:
        network: Any = copy.deepcopy(self.network)
        x, epsilon = (torch.randn(self.x.shape, generator=self.stream) for _ in range(2))
        for m in self.layers(network):
            if isinstance(m, nn.Conv2d):
                m.weight.data = torch.randn(m.weight.shape, generator=self.stream).double()
        deviations: list[Tensor] = []
        for m in network.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.register_forward_hook(
                    lambda m, given, _: deviations.append(given[0].var((0, 2, 3), correction=0))
                )

        def f(images: Tensor) -> Any:
            x = network.stem(images.double())
            for stack in network.stacks:
                x = stack(x)
            return x

        one = f(x)
        logs = sum(float(d.mean().sqrt().log().detach()) for d in deviations)
        other = f(x + 0.01 * epsilon)
        distances = [float((a - b).norm().detach()) for a, b in zip(one, other, strict=True)]
        return float(np.log(np.mean(distances))) + logs
