"""The network around a cell: a stem, stacks of equal cells, a dense layer.

Read from top to bottom: `Network`, then the `CellModule` that it repeats. The matrix is that of
the cell's reference form, from which the published networks were built: the channel that is left
over where a width does not divide goes by the order of vertices.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from nb101._base.checks import check_whole
from nb101.errors import ArgumentError, ArgumentTypeError
from nb101.nn.ops import (
    BN_DECAY,
    BN_EPSILON,
    ConvBNReLU,
    Dense,
    Factory,
    make_op,
    trainable_parameters,
    truncate,
)
from nb101.space.cell import Cell


class Network(nn.Module):
    """The network of a cell (section 2.3 of the paper), from images to logits.

    A 3x3 stem, `stacks` of `cells_per_stack` equal cells, global average pooling and a dense layer.
    Before each stack but the first, a 2x2 max pool halves the image and the channels double.

    Takes images of shape ``(n, image_channels, h, w)``, normalised, of any size, in any memory
    format, and gives logits of shape ``(n, num_classes)``. Weights are drawn as the original does
    when it is made, with torch's global generator.

    Parameters
    ----------
    cell
        The cell.
    stem_channels
        Channels of the stem and of the first stack.
    stacks, cells_per_stack
        The size of the skeleton.
    num_classes
        Length of the output.
    ops
        Factories of ops by name, used before those that are registered; see `register_op`.
    image_channels
        Channels of the images.
    bn_decay, bn_epsilon
        Of batch norm: what running statistics keep of themselves in a step, and what is added to
        the variance.

    Attributes
    ----------
    sizes
        ``stem_channels``, ``stacks``, ``image_channels``, ``cells_per_stack`` and ``num_classes``.

    Raises
    ------
    UnknownOpError
        If an op of the cell is not known.
    ArgumentError
        If a size is not a whole number from 1, or a vertex would have no channels.

    Examples
    --------
    >>> import nb101, torch
    >>> cell = nb101.Cell("011001000", "input,conv3x3-bn-relu,output")
    >>> network = Network(cell, stem_channels=16)
    >>> network(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    >>> count_parameters(cell) == cell.parameters
    True
    """

    def __init__(
        self,
        cell: Cell,
        stem_channels: int = 128,
        stacks: int = 3,
        cells_per_stack: int = 3,
        num_classes: int = 10,
        ops: Mapping[str, Factory] | None = None,
        *,
        image_channels: int = 3,
        bn_decay: float = BN_DECAY,
        bn_epsilon: float = BN_EPSILON,
    ) -> None:
        super().__init__()
        if not isinstance(cell, Cell):
            raise ArgumentTypeError(
                f"a Network is made of a Cell, not {type(cell).__name__}", field="cell"
            )
        self.cell = cell
        sizes = {"stem_channels": stem_channels, "stacks": stacks, "image_channels": image_channels}
        sizes |= {"cells_per_stack": cells_per_stack, "num_classes": num_classes}
        for name, size in sizes.items():
            check_whole(name, size)
        self.sizes: dict[str, int] = {name: int(size) for name, size in sizes.items()}

        self.stem = ConvBNReLU(image_channels, stem_channels, 3)
        channels = width = stem_channels
        self.stacks = nn.ModuleList()
        for stack in range(stacks):
            modules: list[nn.Module] = []
            if stack > 0:
                # An odd last row or column is a window of its own.
                modules.append(nn.MaxPool2d(2, ceil_mode=True))
                width *= 2
            for _ in range(cells_per_stack):
                modules.append(CellModule(cell, channels, width, ops))
                channels = width
            self.stacks.append(nn.Sequential(*modules))
        self.dense = Dense(channels, num_classes)

        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum, module.eps = 1 - bn_decay, bn_epsilon

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, shape ``(n, num_classes)``."""
        x = self.stem(images)
        for stack in self.stacks:
            x = stack(x)
        logits: Tensor = self.dense(x.mean((2, 3)))
        return logits

    @property
    def trainable_parameters(self) -> int:
        """Number of trainable parameters; `Cell.parameters` at the default sizes."""
        return trainable_parameters(self)

    def extra_repr(self) -> str:
        """Say which cell it is of."""
        return repr(self.cell)


class CellModule(nn.Module):
    """One cell: shape ``(n, inputs, h, w)`` to ``(n, outputs, h, w)``.

    Every edge from input has a projection, a 1x1 convolution to the width of its target. What
    comes into a vertex is summed, and its op applied. What goes into output is concatenated; an
    edge from input to output adds its projection to that.
    """

    def __init__(
        self, cell: Cell, inputs: int, outputs: int, ops: Mapping[str, Factory] | None = None
    ) -> None:
        super().__init__()
        last = cell.vertices - 1
        channels = cell.vertex_channels(outputs, inputs)
        if min(channels) < 1:
            raise ArgumentError(
                f"a vertex would have no channels: {sum(c > 0 for c in channels[1:-1])} of those "
                f"that feed output share {outputs}; choose a larger stem_channels",
                field="stem_channels",
            )
        edges = cell.edge_list()
        # Sources of each vertex, those of output included; input is apart, since it is projected.
        self.sources = [[x for x, y in edges if y == v and x > 0] for v in range(last + 1)]
        self.channels = channels
        self.projections = nn.ModuleDict(
            {str(v): ConvBNReLU(inputs, channels[v], 1) for x, v in edges if x == 0}
        )
        self.ops = nn.ModuleDict(
            {str(v): make_op(cell.ops[v], channels[v], ops) for v in range(1, last)}
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return what the cell makes of its input."""
        output = len(self.sources) - 1
        outputs: list[Tensor] = [x]
        for vertex in range(1, output):
            incoming = [
                truncate(outputs[source], self.channels[vertex]) for source in self.sources[vertex]
            ]
            if str(vertex) in self.projections:
                incoming.append(self.projections[str(vertex)](x))
            outputs.append(self.ops[str(vertex)](_sum(incoming)))
        parts = [outputs[source] for source in self.sources[output]]
        result = [torch.cat(parts, 1) if len(parts) > 1 else parts[0]] if parts else []
        if str(output) in self.projections:
            result.append(self.projections[str(output)](x))
        return _sum(result)


def _sum(parts: list[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def count_parameters(
    cell: Cell,
    stem_channels: int = 128,
    stacks: int = 3,
    cells_per_stack: int = 3,
    num_classes: int = 10,
    ops: Mapping[str, Factory] | None = None,
    *,
    image_channels: int = 3,
) -> int:
    """Count the trainable parameters of a `Network` without allocating weights.

    Arguments are those of `Network`.
    """
    with torch.device("meta"):
        return Network(
            cell,
            stem_channels,
            stacks,
            cells_per_stack,
            num_classes,
            ops,
            image_channels=image_channels,
        ).trainable_parameters
