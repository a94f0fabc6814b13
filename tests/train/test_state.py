"""What changes during training, kept and taken up again."""

from pathlib import Path

import pytest

import nb101
from torch_tests import CHAIN, RESNET, small_config, small_data

import torch  # isort: skip

from nb101.train import TrainState, train_step  # isort: skip

CPU = torch.device("cpu")


def state_of(cell: nb101.Cell = RESNET, seed: int = 3, attempt: int = 1) -> TrainState:
    return TrainState(cell, small_data(), small_config(), CPU, seed, attempt)


def test_a_state_goes_on_from_another() -> None:
    one, other = state_of(), state_of()
    for rate in (0.0, 0.1, 0.1):
        train_step(one, rate)
    one.clock.note()
    other.load_state_dict(one.state_dict(), Path("here"))
    assert (other.step, other.attempt) == (3, 1)
    assert other.clock.total == one.clock.total > 0
    losses = [[float(train_step(state, 0.1)) for _ in range(3)] for state in (one, other)]
    assert losses[0] == losses[1]
    a, b = one.state_dict(), other.state_dict()
    for part in ("network", "optimizer"):
        assert a[part].keys() == b[part].keys()
        assert all(torch.equal(a[part][name], b[part][name]) for name in a[part])
    assert len(a["optimizer"]) == 2 * len(one.parameters)


def test_what_is_drawn() -> None:
    """By seed and attempt."""
    weights = [
        state_of(seed=seed, attempt=attempt).parameters[0]
        for seed, attempt in ((3, 1), (3, 1), (4, 1), (3, 2))
    ]
    assert [torch.equal(weights[0], other) for other in weights] == [True, True, False, False]


def test_a_state_of_another_network_is_refused() -> None:
    with pytest.raises(
        nb101.CheckpointError, match=r"here does not fit the network: network\."
    ) as (caught):
        state_of(RESNET).load_state_dict(state_of(CHAIN).state_dict(), Path("here"))
    assert caught.value.path == "here"
