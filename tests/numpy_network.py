"""The network by its specification, in NumPy: slow, and obviously right.

It takes the matrix and the ops of a cell, and weights by the names that `nb101.nn.Network` gives
them; batch norm takes the statistics of the batch.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

import oracle

Array = npt.NDArray[np.float64]


def convolve(x: Array, weights: Array) -> Array:
    """Convolve (n, c, h, w) with (d, c, k, k), zeros around, so that the size stays."""
    pad = weights.shape[2] // 2
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weights.shape[2:], axis=(2, 3))
    found: Array = np.einsum("nchwij,dcij->ndhw", windows, weights)
    return found


def pool(x: Array, size: int, stride: int) -> Array:
    """Max of squares; of size 3 with one pixel around that never wins."""
    pad = size // 2 if stride == 1 else 0
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(2, 3))
    found: Array = windows[:, :, ::stride, ::stride].max((4, 5))
    return found


class NumpyNetwork:
    """The whole network.

    `statistics` are mean and unbiased variance of what each batch norm saw, by its name.
    """

    def __init__(
        self,
        matrix: Any,
        ops: tuple[str, ...],
        weights: Mapping[str, Array],
        stem: int,
        stacks: int,
        cells: int,
    ) -> None:
        self.matrix = tuple(tuple(map(int, row)) for row in matrix)
        self.ops, self.weights = ops, weights
        self.stem, self.stacks, self.cells = stem, stacks, cells
        self.statistics: dict[str, tuple[Array, Array]] = {}

    def __call__(self, images: Array) -> Array:
        x = self.conv_bn_relu(images, "stem")
        width = self.stem
        for stack in range(self.stacks):
            first = 0
            if stack > 0:
                x, width, first = pool(x, 2, 2), 2 * width, 1
            for cell in range(self.cells):
                x = self.cell(x, width, f"stacks.{stack}.{first + cell}")
        logits: Array = x.mean((2, 3)) @ self.weights["dense.weight"].T + self.weights["dense.bias"]
        return logits

    def cell(self, x: Array, width: int, name: str) -> Array:
        channels = oracle.channels(self.matrix, width)
        last = len(self.matrix) - 1
        outputs = {0: x}
        for v in range(1, last):
            total = np.zeros((len(x), channels[v], *x.shape[2:]))
            for u in range(v):
                if self.matrix[u][v] and u == 0:
                    total += self.conv_bn_relu(x, f"{name}.projections.{v}")
                elif self.matrix[u][v]:
                    total += outputs[u][:, : channels[v]]
            if self.ops[v] == "maxpool3x3":
                outputs[v] = pool(total, 3, 1)
            else:
                outputs[v] = self.conv_bn_relu(total, f"{name}.ops.{v}")
        parts = [outputs[v] for v in range(1, last) if self.matrix[v][last]]
        result = np.concatenate(parts, 1) if parts else np.zeros(())
        if self.matrix[0][last]:
            result = result + self.conv_bn_relu(x, f"{name}.projections.{last}")
        return result

    def conv_bn_relu(self, x: Array, name: str) -> Array:
        x = convolve(x, self.weights[f"{name}.0.weight"])
        mean, count = x.mean((0, 2, 3)), x.size // x.shape[1]
        variance = ((x - mean[:, None, None]) ** 2).mean((0, 2, 3))
        self.statistics[f"{name}.1"] = mean, variance * count / (count - 1)
        scale = self.weights[f"{name}.1.weight"] / np.sqrt(variance + 1e-5)
        x = (x - mean[:, None, None]) * scale[:, None, None]
        return np.maximum(x + self.weights[f"{name}.1.bias"][:, None, None], 0)
