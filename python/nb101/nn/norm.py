"""Batch norm: torch's own, but for few channels on a CPU, where that is slow.

With channels last, torch's kernel takes the channels of a pixel at once. Where there are fewer than
fit a vector register it goes number by number, and narrow cells spend most of their time there. A
row of pixels is as good: it is taken as one long vector, each channel of it coming round again and
again, and the sums of a row are put together in the end.
"""

from typing import Any

import torch
from torch import Tensor, nn

NARROW = 8
"""Channels from which on torch's kernel is faster."""


class BatchNorm(nn.BatchNorm2d):
    """Batch norm of images, ``(n, channels, h, w)``, without a count of batches."""

    def __init__(self, channels: int, eps: float, momentum: float) -> None:
        super().__init__(channels, eps=eps, momentum=momentum)
        # Nobody asks how many batches there were, and counting them takes a call a step.
        self.num_batches_tracked = None

    def reset_running_stats(self) -> None:
        """Set the running mean to 0 and the running variance to 1."""
        if self.running_mean is not None and self.running_var is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise by the statistics of the batch in training, else by the running ones."""
        if not (self.training and _is_narrow(x)):
            return super().forward(x)
        out, mean, variance, *_ = _NarrowBatchNorm.apply(x, self.weight, self.bias, self.eps)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        count = x.numel() // x.shape[1]
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        normalised: Tensor = out
        return normalised


def _is_narrow(x: Tensor) -> bool:
    """Whether it is a batch that torch's kernel is slow for; what is compiled has kernels made."""
    return (
        x.shape[1] < NARROW
        and x.device.type == "cpu"
        and x.dtype == torch.float32
        and not torch.compiler.is_compiling()
        and x.shape[0] * x.shape[2] * x.shape[3] > 1
        and x.is_contiguous(memory_format=torch.channels_last)
    )


class _NarrowBatchNorm(torch.autograd.Function):
    """Normalise by the statistics of the batch; give mean and biased variance too.

    What the backward needs of the forward, rows less their mean and the scale, are outputs as well:
    so they have a gradient, and the backward can itself be differentiated.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, ...]:
        rows, width = _rows(x), x.shape[3]
        count = x.numel() // x.shape[1]
        mean = _sum(rows, width) / count
        centered = rows - mean.repeat(width)
        variance = _sum(centered.square(), width) / count
        scale = (variance + eps).rsqrt()
        out = torch.empty_like(x)
        torch.addcmul(bias.repeat(width), centered, (weight * scale).repeat(width), out=_rows(out))
        ctx.save_for_backward(centered, weight, scale)
        ctx.mark_non_differentiable(mean, variance)
        ctx.set_materialize_grads(False)
        ctx.shape = x.shape
        return out, mean, variance, centered, scale

    @staticmethod
    def backward(
        ctx: Any,
        grad: Tensor | None,
        _mean: None,
        _variance: None,
        grad_centered: Tensor | None,
        grad_scale: Tensor | None,
    ) -> tuple[Tensor, Tensor | None, Tensor | None, None]:
        centered, weight, scale = ctx.saved_tensors
        once = grad_centered is None and grad_scale is None and not torch.is_grad_enabled()
        if grad is None or not once:
            return _differentiable(
                ctx.shape, (centered, weight, scale), grad, grad_centered, grad_scale
            )
        grad = grad.contiguous(memory_format=torch.channels_last)
        rows, width = _rows(grad), grad.shape[3]
        count = grad.numel() // grad.shape[1]
        total, along = _sum(rows, width), _sum(rows * centered, width)
        factor = weight * scale
        grad_x = torch.empty_like(grad)
        constant, slope = -factor * total / count, -factor * scale.square() * along / count
        torch.addcmul(
            constant.repeat(width), centered, slope.repeat(width), out=_rows(grad_x)
        ).addcmul_(rows, factor.repeat(width))
        return grad_x, along * scale, total, None


def _differentiable(
    shape: torch.Size,
    saved: tuple[Tensor, Tensor, Tensor],
    grad: Tensor | None,
    grad_centered: Tensor | None,
    grad_scale: Tensor | None,
) -> tuple[Tensor, Tensor | None, Tensor | None, None]:
    """Do what the backward does, of all outputs, and by calls that autograd can follow."""
    centered, weight, scale = saved
    n, channels, height, width = shape
    count = n * height * width
    grad_weight = grad_bias = None
    # Of rows less their mean, and of the scale: what was given, and what comes of the output.
    of_rows = torch.zeros_like(centered) if grad_centered is None else grad_centered
    of_scale = torch.zeros_like(scale) if grad_scale is None else grad_scale
    if grad is not None:
        rows = grad.permute(0, 2, 3, 1).reshape(n * height, width * channels)
        along = _sum(rows * centered, width)
        grad_weight, grad_bias = along * scale, _sum(rows, width)
        of_rows = of_rows + rows * (weight * scale).repeat(width)
        of_scale = of_scale + along * weight
    # The scale is that of the mean square: (variance + eps) ** -0.5.
    slope = -of_scale * scale**3 / count
    of_rows = of_rows + centered * slope.repeat(width)
    grad_rows = of_rows - (_sum(of_rows, width) / count).repeat(width)
    grad_x = grad_rows.view(n, height, width, channels).permute(0, 3, 1, 2)
    return grad_x, grad_weight, grad_bias, None


def _rows(x: Tensor) -> Tensor:
    """View images in channels_last as rows of pixels, shape ``(n * h, w * channels)``."""
    n, channels, height, width = x.shape
    return x.permute(0, 2, 3, 1).view(n * height, width * channels)


def _sum(rows: Tensor, width: int) -> Tensor:
    """Sum up each channel."""
    return rows.sum(0).view(width, -1).sum(0)
