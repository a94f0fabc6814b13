"""Convolution and batch norm that are quick to differentiate twice, for the Hessian of grasp.

PyTorch differentiates the backward pass of either by many small steps: of a batch norm by some
forty over all activations, of a convolution by others whose filters are as large as an image. Here
each is what its formula needs: a few passes, and four convolutions. Two cells of 16 channels, one a
stack, take 0.50 s of a processor's time by grasp with them, and 0.72 without.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from nb101.nn.norm import BatchNorm
from nb101.nn.ops import Conv


@dataclass
class Wanted:
    """Which gradients a pass back is for, since a function cannot tell.

    Attributes
    ----------
    weights
        Those of weights.
    images
        Those of the images.
    """

    weights: bool = True
    images: bool = False


def quick_forwards(
    network: nn.Module, wanted: Wanted
) -> list[tuple[nn.Module, Callable[[Tensor], Tensor]]]:
    """Return what convolutions and batch norms of this package are to do instead."""
    changes: list[tuple[nn.Module, Callable[[Tensor], Tensor]]] = []
    for module in network.modules():
        if type(module) is Conv:
            changes.append((module, _convolution(module, wanted)))
        elif type(module) is BatchNorm:
            changes.append((module, _norm(module)))
    return changes


def _convolution(module: Conv, wanted: Wanted) -> Callable[[Tensor], Tensor]:
    padding = module.kernel_size[0] // 2

    def forward(x: Tensor) -> Tensor:
        found: Tensor = _Convolution.apply(x, module.weight, padding, wanted)
        return found

    return forward


def _norm(module: BatchNorm) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        found: Tensor = _Norm.apply(x, module.weight.detach(), module.bias.detach(), module.eps)
        return found

    return forward


# Convolution, with stride 1


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, padding: int, wanted: Wanted) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.padding, ctx.wanted, ctx.of_images = padding, wanted, x.is_leaf
        return F.conv2d(x, weight, None, 1, padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        of_x = ctx.needs_input_grad[0] and (ctx.wanted.images or not ctx.of_images)
        which = (of_x, ctx.wanted.weights)
        return *_ConvolutionBack.apply(gradient, x, weight, ctx.padding, which), None, None


class _ConvolutionBack(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, gradient: Tensor, x: Tensor, weight: Tensor, padding: int, which: Any
    ) -> tuple[Tensor | None, Tensor | None]:
        gradient = _last(gradient)
        ctx.save_for_backward(gradient, x, weight)
        ctx.padding = padding
        ctx.set_materialize_grads(False)
        return _back(gradient, x, weight, padding, *which)

    @staticmethod
    def backward(
        ctx: Any, of_x: Tensor | None, of_weight: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        gradient, x, weight = ctx.saved_tensors
        padding = ctx.padding
        again = new_x = new_weight = None
        if of_x is not None:
            of_x = _last(of_x)
            again = F.conv2d(of_x, weight, None, 1, padding)
            _, new_weight = _back(gradient, of_x, weight, padding, False, True)
        if of_weight is not None:
            of_weight = _last(of_weight)
            more = F.conv2d(x, of_weight, None, 1, padding)
            again = more if again is None else again.add_(more)
            if ctx.needs_input_grad[1]:
                new_x, _ = _back(gradient, x, of_weight, padding, True, False)
        return again, new_x, new_weight, None, None


def _back(
    gradient: Tensor, x: Tensor, weight: Tensor, padding: int, of_x: bool, of_weight: bool
) -> tuple[Tensor | None, Tensor | None]:
    """Pass a gradient back through a convolution, to its input and its weights."""
    if not (of_x or of_weight):
        return None, None
    sizes = ([1, 1], [padding, padding], [1, 1], False, [0, 0], 1)
    found_x, found_weight, _ = torch.ops.aten.convolution_backward(
        gradient, x, weight, None, *sizes, [of_x, of_weight, False]
    )
    return found_x, found_weight


# Batch norm, of the batch's statistics


class _Norm(torch.autograd.Function):
    """Without gradients of its scale and offset, over which no proxy is a sum."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        out, mean, scale = torch.native_batch_norm(x, weight, bias, None, None, True, 0.0, eps)
        ctx.save_for_backward(x, weight, mean, scale)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        found: Tensor = _NormBack.apply(gradient, *ctx.saved_tensors)
        return found, None, None, None


class _NormBack(torch.autograd.Function):
    """w s (g - E g - h E gh), with s the scale, and h the input less its mean, times the scale.

    Numbers of a channel are repeated along a row of pixels, as in `nb101.nn.norm`.
    """

    @staticmethod
    def forward(
        ctx: Any, gradient: Tensor, x: Tensor, weight: Tensor, mean: Tensor, scale: Tensor
    ) -> Tensor:
        width = ctx.width = x.shape[3]
        g = _rows(gradient)
        h = torch.addcmul(-(mean * scale).repeat(width), _rows(x), scale.repeat(width))
        mean_g, mean_gh = _mean(g, width), _mean(g * h, width)
        ctx.save_for_backward(g, h, weight, scale, mean_g, mean_gh)
        ctx.shape = gradient.shape
        factor = weight * scale
        return _images(_sum(width, -factor * mean_g, (h, -factor * mean_gh), (g, factor)), x.shape)

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor | None, ...]:
        g, h, weight, scale, mean_g, mean_gh = ctx.saved_tensors
        width = ctx.width
        v = _rows(given)
        mean_v, mean_vh, mean_gv = (_mean(one, width) for one in (v, v * h, g * v))
        factor = weight * scale
        # The pass is its own transpose.
        again = _sum(width, -factor * mean_v, (h, -factor * mean_vh), (v, factor))
        # The scale and h are functions of the input.
        factor = -factor * scale
        of_h = mean_gv - mean_g * mean_v - 3 * mean_gh * mean_vh
        constant = -factor * (mean_vh * mean_g + mean_gh * mean_v)
        terms = ((h, factor * of_h), (g, factor * mean_vh), (v, factor * mean_gh))
        new_x = _sum(width, constant, *terms)
        return _images(again, ctx.shape), _images(new_x, ctx.shape), None, None, None


def _last(x: Tensor) -> Tensor:
    """Return images, or weights, in channels_last."""
    return x.contiguous(memory_format=torch.channels_last)


def _rows(x: Tensor) -> Tensor:
    """View images as rows of pixels, shape ``(n * h, w * channels)``."""
    return _last(x).permute(0, 2, 3, 1).flatten(2).flatten(0, 1)


def _images(rows: Tensor, shape: torch.Size) -> Tensor:
    """Undo `_rows`."""
    n, channels, height, width = shape
    return rows.view(n, height, width, channels).permute(0, 3, 1, 2)


def _mean(rows: Tensor, width: int) -> Tensor:
    """Mean of each channel."""
    return rows.sum(0).view(width, -1).sum(0) / (rows.shape[0] * width)


def _sum(width: int, constant: Tensor, *terms: tuple[Tensor, Tensor]) -> Tensor:
    """Add rows, each times a number a channel, to a constant a channel."""
    (first, factor), *others = terms
    total = torch.addcmul(constant.repeat(width), first, factor.repeat(width))
    for rows, factor in others:
        total.addcmul_(rows, factor.repeat(width))
    return total
