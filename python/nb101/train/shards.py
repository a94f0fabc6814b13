"""Gradients of a batch that is taken in shards, as the two halves of the original's chip did.

Each shard is passed forward and back on its own, so that batch norm sees its images only;
gradients are the mean over shards, and so is what running statistics move by. That needs no special
batch norm. `InTurn` takes one shard after the other, in the memory of one. `SideBySide` takes them
at once on a CPU, two at a time, each on threads of its own: layers of few channels leave too little
to do for several threads to share, and a shard never waits for another.
"""

import copy
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from nb101.nn import Network
from nb101.train.config import TrainConfig
from nb101.train.device import autocast, get_torch_threads, share_threads

AT_ONCE = 2
"""Shards at a time: those of the original's recipe. Each more would take the memory of one more."""


class Shards(Protocol):
    """What computes the gradients of a step."""

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        """Add gradients to parameters, move running statistics; return the mean cross-entropy.

        Parameters
        ----------
        images
            A batch, shape ``(n, c, h, w)``; n is a multiple of the number of shards.
        labels
            Shape ``(n,)``.
        """

    def close(self) -> None:
        """Give back threads."""


def make_shards(
    network: Network, config: TrainConfig, device: torch.device, *, own_ops: bool = False
) -> Shards:
    """Choose how shards are taken.

    Parameters
    ----------
    network, config, device
        What is trained, and how.
    own_ops
        Whether it has modules that are not of this package: they may draw random numbers, or have
        state, and then two copies must not be at work at a time.
    """
    threads = get_torch_threads()
    several = threads > 1 and config.bn_shards > 1
    if several and device.type == "cpu" and config.compile == "none" and not own_ops:
        return SideBySide(network, config, threads)
    return InTurn(network, config, device)


class InTurn:
    """One shard after the other."""

    def __init__(self, network: Network, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        self.norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
        self.momenta = shard_momenta(1 - config.bn_decay, config.bn_shards)
        self.forward: Callable[[Tensor], Tensor] = network
        if config.compile != "none":
            # What was compiled for other networks counts towards the limit on variants.
            torch.compiler.reset()
            self.forward = torch.compile(network, mode=config.compile)

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        """See `Shards`."""
        config, shards = self.config, self.config.bn_shards
        loss = torch.zeros((), device=self.device)
        for momentum, x, y in zip(
            self.momenta, images.chunk(shards), labels.chunk(shards), strict=True
        ):
            if shards > 1:
                for norm in self.norms:
                    norm.momentum = momentum
            if config.compile != "none":
                begin_step: Callable[[], None] = torch.compiler.cudagraph_mark_step_begin
                begin_step()
            part = _cross_entropy(self.forward, x, y, config) / shards
            torch.autograd.backward(part)
            loss += part.detach()
        return loss

    def close(self) -> None:
        """See `Shards`."""


class SideBySide:
    """Two shards at a time, on copies of the network that share its parameters.

    Of an odd number of threads one is left over: shards are equal and a step waits for all of them,
    so that one with a thread more would only wait for the others. Sums are taken in the order of
    shards, whichever is done first: results are the same bits each time, and those of as many
    threads as a shard has with shards in turn, but for the rounding of running statistics.
    """

    def __init__(self, network: Network, config: TrainConfig, threads: int) -> None:
        self.config = config
        self.parameters = list(network.parameters())
        shared = {id(parameter): parameter for parameter in self.parameters}
        self.copies = [network]
        self.copies += [
            copy.deepcopy(network, dict(shared)).train() for _ in range(config.bn_shards - 1)
        ]
        self.statistics = [list(each.buffers()) for each in self.copies]
        workers = min(AT_ONCE, config.bn_shards, threads)
        self.pool = ThreadPoolExecutor(workers, "nb101-shard")
        try:
            share_threads(self.pool, workers, threads)
        except BaseException:
            self.pool.shutdown()
            raise

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        """See `Shards`."""
        shards = self.config.bn_shards
        ours, *others = self.statistics
        for statistics in others:
            torch._foreach_copy_(statistics, ours)
        loss = torch.zeros(())
        total: list[Tensor] = []
        work = zip(self.copies, images.chunk(shards), labels.chunk(shards), strict=True)
        waiting = deque(self.pool.submit(self._one, *shard) for shard in work)
        try:
            # As they come, in their order, so that few gradients are there at a time.
            while waiting:
                part, gradients = waiting[0].result()
                waiting.popleft()
                loss += part
                total = list(torch._foreach_add(total, gradients) if total else gradients)
        finally:
            # After an error or Ctrl-C nothing is to be at work on the copies.
            wait(waiting)
        for statistics in others:
            torch._foreach_add_(ours, statistics)
        torch._foreach_div_(ours, shards)
        for parameter, gradient in zip(self.parameters, total, strict=True):
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        return loss

    def _one(self, network: Network, x: Tensor, y: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        part = _cross_entropy(network, x, y, self.config) / self.config.bn_shards
        return part.detach(), torch.autograd.grad(part, self.parameters)

    def close(self) -> None:
        """See `Shards`."""
        self.pool.shutdown()


def shard_momenta(momentum: float, shards: int) -> list[float]:
    """Return the momentum of batch norm for each shard of a step, in their order.

    Running statistics are to become ``(1 - momentum)`` of what they were plus ``momentum`` times
    the mean over shards, and shards come one after the other.
    """
    share = momentum / shards
    return [share / (1 - (shards - 1 - shard) * share) for shard in range(shards)]


def _cross_entropy(
    network: Callable[[Tensor], Tensor], x: Tensor, y: Tensor, config: TrainConfig
) -> Tensor:
    with autocast(config, x.device):
        logits = network(x)
    return F.cross_entropy(logits.float(), y)
