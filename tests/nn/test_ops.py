"""Ops by name: the original's others, and one's own."""

from typing import Any

import numpy as np
import pytest

import nb101
from torch_tests import CHAIN, small_config, small_data

import torch  # isort: skip
from torch import nn  # isort: skip

from nb101.nn import Network, count_parameters, register_op, registered_ops, unregister_op  # isort: skip
from nb101.nn.ops import make_op  # isort: skip

KNOWN = [
    *("identity", "conv1x1-bn-relu", "conv3x3-bn-relu", "conv5x5-bn-relu", "maxpool3x3"),
    *("maxpool5x5", "avgpool3x3", "bottleneck3x3", "bottleneck5x5", "maxpool3x3-conv1x1"),
]


def with_op(name: str) -> nb101.Cell:
    return nb101.Cell("010001000", f"input,{name},output", op_names=[name])


@pytest.mark.parametrize("name", KNOWN)
def test_known_ops_count_as_the_cell_does_and_keep_the_shape(name: str) -> None:
    assert count_parameters(with_op(name)) == with_op(name).parameters
    x = torch.randn(2, 8, 6, 6)
    assert make_op(name, 8)(x).shape == x.shape


def test_average_leaves_out_what_is_outside() -> None:
    x = torch.zeros(1, 1, 4, 4)
    x[0, 0, 0, 0] = 4
    found = make_op("avgpool3x3", 1)(x)[0, 0]
    expected = np.zeros((4, 4))
    expected[:2, :2] = [[4 / 4, 4 / 6], [4 / 6, 4 / 9]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_max_pool_then_convolution() -> None:
    op = make_op("maxpool3x3-conv1x1", 2)
    x = torch.randn(3, 2, 5, 5)
    expected = op[1](nn.functional.max_pool2d(x, 3, 1, 1))  # type: ignore[index]
    torch.testing.assert_close(op(x), expected)


class Scale(nn.Module):
    """An op with a parameter for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.rand(channels))

    def forward(self, x: Any) -> Any:
        return x * self.scale[:, None, None]


def test_register() -> None:
    cell = with_op("scale")
    with pytest.raises(nb101.UnknownOpError, match="no network for op 'scale': register one"):
        Network(cell)
    register_op("scale", Scale, parameters=lambda channels: channels)
    try:
        assert registered_ops() == ("scale",)
        with pytest.raises(ValueError, match="op 'scale' is known already: replace=True"):
            register_op("scale", Scale)
        # What its cell cannot count says who does.
        with pytest.raises(nb101.UnknownOpError, match="count_parameters counts those of"):
            _ = cell.parameters
        plain = count_parameters(nb101.Cell("0100", "input,output"), 8, 1, 1)
        assert count_parameters(cell, 8, 1, 1) == plain + 8
        register_op("scale", Scale, parameters=lambda channels: 2 * channels, replace=True)
        with pytest.raises(ValueError, match="has 8 trainable parameters at 8 channels, and decl"):
            Network(cell, 8)
    finally:
        unregister_op("scale")
    assert registered_ops() == ()
    unregister_op("scale")


def test_ops_of_a_network_come_first() -> None:
    network = Network(CHAIN, 4, ops={"conv3x3-bn-relu": Scale})
    assert sum(isinstance(module, Scale) for module in network.modules()) == 9


def test_train_with_ones_own_op() -> None:
    """Its draws follow the seed of the run, whatever they are made with."""
    runs = [
        nb101.train.train(
            with_op("scale"), small_data(), small_config(epochs=1), seed, ops={"scale": Scale}
        )
        for seed in (1, 1, 2)
    ]
    accuracies = [[evaluation[2:] for evaluation in run.evaluations] for run in runs]
    assert accuracies[0] == accuracies[1]
    assert accuracies[0] != accuracies[2]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: make_op("conv4x4-bn-relu", 8), nb101.UnknownOpError, "has an even size"),
        (lambda: make_op("conv3x3", 8), nb101.UnknownOpError, "no network for op 'conv3x3'"),
        (lambda: make_op("maxpool3x5", 8), nb101.UnknownOpError, "no network for op"),
        (lambda: make_op("bottleneck3x3", 3), ValueError, "at least 4 channels, and its vertex"),
        (lambda: make_op("a", 3, {"a": lambda c: "b"}), TypeError, "must give a torch.nn.Module"),  # type: ignore[dict-item, return-value]
        (lambda: register_op("a", 3), TypeError, "must be a function of the channels"),  # type: ignore[arg-type]
        (lambda: register_op("a b", Scale), nb101.SpaceError, "cannot hold commas or spaces"),
        (lambda: register_op("identity", Scale), ValueError, "known already"),
    ],
)
def test_wrong(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
