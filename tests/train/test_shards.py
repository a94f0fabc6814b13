"""Shards in turn against shards side by side; `test_trainer` has both against the specification."""

import threading
import time
from typing import Any

import numpy as np
import pytest

import nb101
from torch_tests import CHAIN, INCEPTION, RESNET, small_config, small_data

import torch  # isort: skip
from torch import nn  # isort: skip

from nb101.nn import ConvBNReLU, Network, register_op, unregister_op  # isort: skip
from nb101.train import TrainConfig, train  # isort: skip
from nb101.train import state  # isort: skip
from nb101.train.device import get_torch_threads  # isort: skip
from nb101.train.shards import (  # isort: skip
    InTurn,
    SideBySide,
    make_shards,
    shard_momenta,
)
from nb101.train.network import build_network  # isort: skip

CPU = torch.device("cpu")


def batch(config: TrainConfig) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    images = torch.randn(config.batch_size, 3, 8, 8, generator=generator)
    labels = torch.randint(0, 10, (config.batch_size,), generator=generator)
    return images.contiguous(memory_format=torch.channels_last), labels


def network_of(cell: nb101.Cell, config: TrainConfig) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return build_network(cell, config).to(memory_format=torch.channels_last)


@pytest.mark.parametrize(("channels", "precision"), [(5, "fp32"), (16, "fp32"), (16, "bf16")])
@pytest.mark.parametrize("shards", [2, 4])
@pytest.mark.parametrize("cell", [CHAIN, RESNET, INCEPTION])
def test_side_by_side_is_in_turn(
    cell: nb101.Cell, shards: int, channels: int, precision: str, torch_threads: Any
) -> None:
    config = small_config(bn_shards=shards, stem_channels=channels, precision=precision)
    one, other = (network_of(cell, config) for _ in range(2))
    in_turn = InTurn(one, config, CPU)
    torch_threads(2)
    side_by_side = SideBySide(other, config, 2)
    for _ in range(3):  # Gradients add up, and statistics move on.
        torch_threads(1)
        expected = in_turn(*batch(config))
        torch_threads(2)
        assert float(side_by_side(*batch(config))) == pytest.approx(float(expected), rel=1e-6)
    side_by_side.close()
    for (name, p), q in zip(one.named_parameters(), other.parameters(), strict=True):
        assert p.grad is not None
        assert q.grad is not None
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-5, atol=1e-6, err_msg=name)
    assert len(list(one.buffers())) > 4
    for (name, running), same in zip(one.named_buffers(), other.buffers(), strict=True):
        np.testing.assert_allclose(running, same, rtol=1e-5, atol=1e-6, err_msg=name)


def test_gradients_are_the_same_bits_as_those_of_one_thread(torch_threads: Any) -> None:
    config = small_config()
    one, other = (network_of(INCEPTION, config) for _ in range(2))
    InTurn(one, config, CPU)(*batch(config))
    torch_threads(2)
    side_by_side = SideBySide(other, config, 2)
    side_by_side(*batch(config))
    side_by_side.close()
    for p, q in zip(one.parameters(), other.parameters(), strict=True):
        assert p.grad is not None
        assert q.grad is not None
        assert torch.equal(p.grad, q.grad)


def test_gradients_of_many_shards_are_few_at_a_time(torch_threads: Any) -> None:
    config = small_config(bn_shards=8)
    torch_threads(8)
    shards = SideBySide(network_of(RESNET, config), config, 8)
    at_work, most = [0], [0]
    one, lock = shards._one, threading.Lock()

    def counted(*arguments: Any) -> Any:
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        found = one(*arguments)
        with lock:
            at_work[0] -= 1
        return found

    shards._one = counted  # type: ignore[method-assign, assignment]
    shards(*batch(config))
    shards.close()
    assert most[0] == 2


def frozen(channels: int) -> nn.Module:
    """An op whose parameters get no gradient."""
    return ConvBNReLU(channels, channels, 3).requires_grad_(False)


class Unused(nn.Module):
    """An op with a parameter that nothing comes of."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))

    def forward(self, x: Any) -> Any:
        return x


@pytest.mark.parametrize("op", [frozen, Unused])
def test_ops_of_ones_own_are_taken_in_turn(op: Any, torch_threads: Any) -> None:
    torch_threads(2)
    config = small_config(epochs=1)
    result = train(RESNET, small_data(), config, 1, ops={"conv3x3-bn-relu": op})
    assert 0 <= result.final.test_accuracy <= 1


def test_which_is_taken(torch_threads: Any) -> None:
    def kind(threads: int, own_ops: bool = False, **changes: Any) -> type:
        config = small_config(**changes)
        torch_threads(threads)
        found = make_shards(network_of(RESNET, config), config, CPU, own_ops=own_ops)
        found.close()
        return type(found)

    assert kind(2) is SideBySide
    assert kind(3, bn_shards=2) is SideBySide
    assert kind(1) is InTurn
    assert kind(2, bn_shards=1) is InTurn
    assert kind(2, compile="default") is InTurn
    assert kind(2, own_ops=True) is InTurn
    config = small_config()
    torch_threads(2)
    assert type(make_shards(network_of(RESNET, config), config, torch.device("meta"))) is InTurn


def test_whose_ops_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    original = make_shards

    def note(*arguments: Any, own_ops: bool) -> Any:
        asked.append(own_ops)
        return original(*arguments, own_ops=own_ops)

    monkeypatch.setattr(state, "make_shards", note)
    cell = nb101.Cell("010001000", "input,some,output", op_names=["some"])
    config = small_config(epochs=1)
    register_op("some", lambda channels: nn.ReLU())
    try:
        train(cell, small_data(), config)
        train(CHAIN, small_data(), config)
    finally:
        unregister_op("some")
    train(cell, small_data(), config, ops={"some": lambda channels: nn.ReLU()})
    assert asked == [True, False, True]


def test_new_threads_begin_with_all_threads(torch_threads: Any) -> None:
    """While others make shards: these set the number for a moment."""
    torch_threads(4)
    network, config = network_of(CHAIN, small_config()), small_config()
    done = threading.Event()

    def make() -> None:
        get_torch_threads()
        while not done.is_set():
            SideBySide(network, config, 4).close()

    maker = threading.Thread(target=make)
    maker.start()
    found: list[int] = []
    for _ in range(300):
        thread = threading.Thread(target=lambda: found.append(get_torch_threads()))
        thread.start()
        thread.join()
    done.set()
    maker.join()
    assert set(found) == {4}


def test_threads_are_shared_out_and_given_back(torch_threads: Any) -> None:
    torch_threads(4)
    shards = SideBySide(network_of(RESNET, small_config()), small_config(), 4)
    found = [shards.pool.submit(torch.get_num_threads).result() for _ in range(4)]
    assert found == [2, 2, 2, 2]
    assert torch.get_num_threads() == 4
    shards.close()
    later: list[int] = []
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert later == [4]
    train(CHAIN, small_data(), small_config(epochs=1), 1)
    assert torch.get_num_threads() == 4
    assert not [x for x in threading.enumerate() if x.name.startswith("nb101-shard")]


def test_what_fails_in_a_shard_is_raised(torch_threads: Any) -> None:
    config = small_config()
    torch_threads(2)
    shards = SideBySide(network_of(RESNET, config), config, 2)
    images, labels = batch(config)
    at_work, one = [0], shards._one

    def slowly(network: Any, x: Any, y: Any) -> Any:
        at_work[0] += 1
        try:
            if int(y[0]) < 10:
                time.sleep(0.2)
            return one(network, x, y)
        finally:
            at_work[0] -= 1

    shards._one = slowly  # type: ignore[method-assign]
    half = config.batch_size // 2
    with pytest.raises(IndexError, match="out of bounds"):
        shards(images, torch.cat([labels[:half] + 100, labels[half:]]))
    assert at_work == [0]  # The other one has ended too.
    shards(images, labels)
    shards.close()


def test_shard_momenta_come_to_the_mean_of_shards() -> None:
    rng = np.random.default_rng(0)
    for shards in (1, 2, 5):
        running, seen = 0.7, rng.normal(size=shards)
        for momentum, value in zip(shard_momenta(0.003, shards), seen, strict=True):
            running = (1 - momentum) * running + momentum * value
        assert running == pytest.approx(0.997 * 0.7 + 0.003 * seen.mean(), rel=1e-12)
