"""What stands at the vertices of a cell: ops by name, and how to add others.

An op keeps the number of channels and the size of the image. Names follow a pattern, as those of
`Cell.parameters` do: ``conv3x3-bn-relu``, ``maxpool5x5``, ``avgpool3x3``, ``bottleneck3x3`` with
any odd size, ``identity`` and ``maxpool3x3-conv1x1``. Any other op is registered, or given to the
network.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor, nn

from nb101.errors import ArgumentError, ArgumentTypeError, UnknownOpError
from nb101.nn.norm import BatchNorm
from nb101.space.ops import check_ops

BN_DECAY = 0.997
"""What running statistics of batch norm keep of themselves in a step."""
BN_EPSILON = 1e-5
TRUNCATED_STD = 0.87962566103423978
"""Standard deviation of a standard normal variable cut off at 2: what TensorFlow corrects by."""

Factory = Callable[[int], nn.Module]
"""Makes an op for a number of channels: a module from ``(n, channels, h, w)`` to the same shape."""
Rule = Callable[[int], int]
"""Trainable parameters of an op at a number of channels."""


class _Op(NamedTuple):
    factory: Factory
    parameters: Rule | None


_registered: dict[str, _Op] = {}


class Conv(nn.Conv2d):
    """A convolution without bias that keeps the size of the image, drawn as the original's.

    Variance scaling by fan-in: a normal distribution cut off at two standard deviations.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2, bias=False)

    def reset_parameters(self) -> None:
        """Draw the weights anew, with torch's global generator."""
        if self.weight.is_meta:
            return  # There is nothing to draw, and many networks are built just to be counted.
        fan_in = self.in_channels * self.kernel_size[0] * self.kernel_size[1]
        std = math.sqrt(1 / fan_in) / TRUNCATED_STD
        nn.init.trunc_normal_(self.weight, 0.0, std, -2 * std, 2 * std)


class Dense(nn.Linear):
    """A dense layer, drawn as the original's: Glorot's uniform distribution, bias 0."""

    def reset_parameters(self) -> None:
        """Draw the weights anew, with torch's global generator."""
        nn.init.xavier_uniform_(self.weight)
        nn.init.zeros_(self.bias)


class ConvBNReLU(nn.Sequential):
    """Convolution without bias, batch norm, ReLU: shape ``(n, inputs, h, w)`` to ``outputs``.

    Parameters
    ----------
    inputs, outputs
        Channels.
    kernel
        Side of the filter, odd: the image keeps its size.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        norm = BatchNorm(outputs, BN_EPSILON, 1 - BN_DECAY)
        super().__init__(Conv(inputs, outputs, kernel), norm, nn.ReLU(inplace=True))


class AvgPool(nn.AvgPool2d):
    """Mean of the pixels around each one, those outside the image left out as TensorFlow does."""

    def __init__(self, kernel: int) -> None:
        super().__init__(kernel, stride=1, padding=kernel // 2, count_include_pad=False)


class Bottleneck(nn.Sequential):
    """1x1 convolution to a quarter of the channels, a larger one there, 1x1 back."""

    def __init__(self, channels: int, kernel: int) -> None:
        if channels < 4:
            raise ArgumentError(
                f"a bottleneck needs at least 4 channels, and its vertex has {channels}: "
                "choose a larger stem_channels",
                field="stem_channels",
            )
        inner = channels // 4
        super().__init__(
            ConvBNReLU(channels, inner, 1),
            ConvBNReLU(inner, inner, kernel),
            ConvBNReLU(inner, channels, 1),
        )


def _known(name: str) -> Factory | None:
    """Return the maker of an op whose name follows the pattern."""
    if name == "identity":
        return lambda channels: nn.Identity()
    if name == "maxpool3x3-conv1x1":
        return lambda channels: nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), ConvBNReLU(channels, channels, 1)
        )
    match = re.fullmatch(r"(conv|maxpool|avgpool|bottleneck)([1-9]\d?)x\2(-bn-relu)?", name)
    if match is None or (match[1] == "conv") != (match[3] is not None):
        return None
    kernel = int(match[2])
    if kernel % 2 == 0:
        raise UnknownOpError(f"op {name!r} has an even size, which no pixel is the middle of")
    makers: dict[str, Factory] = {
        "conv": lambda channels: ConvBNReLU(channels, channels, kernel),
        "maxpool": lambda channels: nn.MaxPool2d(kernel, stride=1, padding=kernel // 2),
        "avgpool": lambda channels: AvgPool(kernel),
        "bottleneck": lambda channels: Bottleneck(channels, kernel),
    }
    return makers[match[1]]


def make_op(name: str, channels: int, ops: Mapping[str, Factory] | None = None) -> nn.Module:
    """Make an op: of `ops`, or else a registered one, or else one whose name is known.

    Raises
    ------
    UnknownOpError
        If it is none of them.
    ArgumentError
        If it has other than the declared number of parameters.
    ArgumentTypeError
        If its factory gives no module.
    """
    op = _registered.get(name)
    if ops is not None and name in ops:
        op = _Op(ops[name], None)
    if op is None:
        known = _known(name)
        if known is None:
            raise UnknownOpError(
                f"no network for op {name!r}: register one with nb101.nn.register_op({name!r}, "
                "...), or give it in ops="
            )
        op = _Op(known, None)
    module = op.factory(channels)
    if not isinstance(module, nn.Module):
        raise ArgumentTypeError(
            f"the factory of op {name!r} must give a torch.nn.Module, not {type(module).__name__}",
            field="factory",
        )
    if op.parameters is not None:
        found, declared = trainable_parameters(module), op.parameters(channels)
        if found != declared:
            raise ArgumentError(
                f"op {name!r} has {found:,} trainable parameters at {channels} channels, and "
                f"declares {declared:,}",
                field="parameters",
            )
    return module


def register_op(
    name: str, factory: Factory, *, parameters: Rule | None = None, replace: bool = False
) -> None:
    """Make an op known to all networks of this process.

    Parameters
    ----------
    name
        As in `Cell.ops` and in the `op_names` of a space.
    factory
        Called with the number of channels of the vertex; gives a module that keeps the shape of
        what it takes, ``(n, channels, h, w)``. A module class whose only argument is the channels
        is one.
    parameters
        Trainable parameters at a number of channels, if each module made is to be checked.
    replace
        Whether the op may be known already.

    Raises
    ------
    SpaceError
        If `name` can be no op's.
    ArgumentTypeError
        If `factory` or `parameters` is no function.
    ArgumentError
        If there is such an op, and `replace` is false.

    Examples
    --------
    >>> from torch import nn
    >>> register_op("relu", lambda channels: nn.ReLU(), parameters=lambda channels: 0)
    >>> "relu" in registered_ops()
    True
    >>> unregister_op("relu")
    """
    check_ops([name])
    for what, given in (("factory", factory), ("parameters", parameters)):
        if not callable(given) and not (given is None and what == "parameters"):
            raise ArgumentTypeError(
                f"op {name!r}: {what} must be a function of the channels, not "
                f"{type(given).__name__}",
                field=what,
            )
    if not replace and (name in _registered or _known(name) is not None):
        raise ArgumentError(
            f"op {name!r} is known already: replace=True puts another in its place", field="name"
        )
    _registered[name] = _Op(factory, parameters)


def unregister_op(name: str) -> None:
    """Take back `register_op`; nothing happens if there is no such op."""
    _registered.pop(name, None)


def registered_ops() -> tuple[str, ...]:
    """Names of the ops that were registered, in that order."""
    return tuple(_registered)


def trainable_parameters(module: nn.Module) -> int:
    """Count the trainable parameters of a module."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def truncate(x: Tensor, channels: int) -> Tensor:
    """Return the first channels: those of a source that is one wider than its target."""
    return x if x.shape[1] == channels else x[:, :channels]
