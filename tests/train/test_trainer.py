"""Whole runs against the specification, and what interrupts them."""

import errno
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101.train import TrainConfig
from torch_tests import (
    CHAIN,
    INCEPTION,
    RESNET,
    Stop,
    accuracies,
    small_config,
    small_data,
    train_until,
)

import torch  # isort: skip
from torch import nn  # isort: skip

from nb101.nn import Network  # isort: skip
from nb101.train import augment, checkpoint, clock, load_network, losses, train, trainer  # isort: skip
from nb101.train.batches import EvaluationBatches, TrainingBatches, seed_of  # isort: skip
from nb101.train.checkpoint import FILE, load_checkpoint  # isort: skip
from nb101.train.logs import CsvLog  # isort: skip
from nb101.train.state import TrainState  # isort: skip

CPU = torch.device("cpu")


def reference_run(cell: nb101.Cell, config: TrainConfig, seed: int, steps: int) -> dict[str, Any]:
    """The first steps of a run as the specification has them, in float64.

    Gradients are autograd's of the whole loss; everything else is written out.
    """
    data = small_data()
    key = seed_of(seed, 1).generate_state(2, np.uint32)
    with torch.random.fork_rng():
        torch.manual_seed(int(key[0]) << 32 | int(key[1]))
        network = Network(cell, config.stem_channels, config.stacks, config.cells_per_stack)
    network.double().train()
    norms = {n: m for n, m in network.named_modules() if isinstance(m, nn.BatchNorm2d)}
    params = dict(network.named_parameters())
    squares = {name: np.ones(p.shape) for name, p in params.items()}
    velocities = {name: np.zeros(p.shape) for name, p in params.items()}
    running = {
        name: (np.zeros(m.num_features), np.ones(m.num_features)) for name, m in norms.items()
    }
    batches = TrainingBatches(data, config, CPU, seed)
    total = config.epochs * len(data.train) // config.batch_size
    for step in range(steps):
        images, labels = batches[step]
        loss = torch.zeros((), dtype=torch.float64)
        seen: dict[str, list[Any]] = {name: [] for name in norms}
        hooks = [
            norm.register_forward_pre_hook(lambda m, x, s=seen[name]: s.append(x[0].detach()))
            for name, norm in norms.items()
        ]
        size = config.batch_size // config.bn_shards
        for shard in range(config.bn_shards):
            part = slice(shard * size, (shard + 1) * size)
            logits = network(images[part].double())
            chosen = torch.log_softmax(logits, 1)[range(size), labels[part]]
            loss = loss - chosen.mean() / config.bn_shards
        for p in params.values():
            loss = loss + config.weight_decay * p.square().sum() / 2
        for hook in hooks:
            hook.remove()
        gradients = torch.autograd.grad(loss, list(params.values()))
        rate = (
            0.0 if step == 0 else config.learning_rate * (1 + math.cos(math.pi * step / total)) / 2
        )
        for (name, p), gradient in zip(params.items(), gradients, strict=True):
            g = gradient.numpy()
            squares[name] = 0.9 * squares[name] + 0.1 * g**2
            velocities[name] = 0.9 * velocities[name] + rate * g / np.sqrt(squares[name] + 1.0)
            p.data -= torch.from_numpy(velocities[name])
        for name, inputs in seen.items():
            mean = np.mean([x.mean((0, 2, 3)).numpy() for x in inputs], 0)
            variance = np.mean([x.var((0, 2, 3)).numpy() for x in inputs], 0)
            before = running[name]
            running[name] = (
                0.997 * before[0] + 0.003 * mean,
                0.997 * before[1] + 0.003 * variance,
            )
    found = {name: p.detach().numpy() for name, p in params.items()}
    for name, (mean, variance) in running.items():
        found |= {f"{name}.running_mean": mean, f"{name}.running_var": variance}
    return found


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shards", [1, 2, 4])
@pytest.mark.parametrize("cell", [RESNET, INCEPTION])
def test_steps_are_those_of_the_specification(
    cell: nb101.Cell, shards: int, threads: int, tmp_path: Path, torch_threads: Any
) -> None:
    torch_threads(threads)
    # With so large a penalty and no more momentum than usual, nothing of the rule goes unseen.
    config = small_config(bn_shards=shards, weight_decay=0.05, stem_channels=5)
    train_until(4, tmp_path, cell, small_data(), config, 9)
    tensors, about = load_checkpoint(tmp_path)
    expected = reference_run(cell, config, 9, 4)
    assert about["step"] == 4
    names = {name.removeprefix("network.") for name in tensors if name.startswith("network.")}
    assert names == set(expected)
    for name, value in expected.items():
        found = tensors[f"network.{name}"].numpy()
        np.testing.assert_allclose(found, value, rtol=2e-3, atol=2e-4, err_msg=name)


def test_step_0_changes_statistics_only(tmp_path: Path) -> None:
    train_until(1, tmp_path, RESNET, small_data(), small_config(), 3)
    tensors, _ = load_checkpoint(tmp_path)
    expected = reference_run(RESNET, small_config(), 3, 0)
    for name, value in expected.items():
        same = np.array_equal(tensors[f"network.{name}"].numpy(), value.astype(np.float32))
        assert same == (not name.endswith(("running_mean", "running_var"))), name


def test_evaluations(tmp_path: Path) -> None:
    """Of the saved weights, in a loop of its own, over full batches only."""
    data, config = small_data(), small_config(epochs=4, learning_rate=0.05)
    result = train(RESNET, data, config, 1, checkpoint=tmp_path)
    assert [one.epoch for one in result.evaluations] == [0.0, 2.0, 4.0]
    assert result.trainable_parameters == Network(RESNET, 4, 2, 1).trainable_parameters
    assert result.attempts == 1
    assert 0 == result.start.training_time < result.halfway.training_time
    assert result.halfway.training_time < result.final.training_time < result.total_time
    network = load_network(tmp_path)
    assert not network.training
    for name, split in data.evaluated.items():
        n = min(len(split), 10_000) // 32 * 32
        images = (split.images[:n] - np.array(data.mean)) / data.std
        x = torch.from_numpy(images.transpose(0, 3, 1, 2)).float()
        # One image at a time: no statistics of a batch are used.
        logits = torch.cat([network(x[i : i + 1]) for i in range(n)])
        correct = int((logits.argmax(1).numpy() == split.labels[:n]).sum())
        found = getattr(result.final, f"{name}_accuracy")
        assert found == np.float32(correct / n)
        assert found * n == pytest.approx(correct)


def test_learns() -> None:
    data = small_data(train=512, seed=3)
    config = small_config(epochs=20, bn_decay=0.9, learning_rate=0.1)
    result = train(CHAIN, data, config, 1)
    assert result.start.test_accuracy < 0.4
    assert result.final.train_accuracy > 0.9
    assert result.final.test_accuracy > 0.9


def test_the_same_seed_gives_the_same_run() -> None:
    data = small_data()
    runs = [train(CHAIN, data, small_config(), seed) for seed in (1, 1, 2)]
    assert accuracies(runs[0]) == accuracies(runs[1])
    assert accuracies(runs[0]) != accuracies(runs[2])


def test_torchs_own_stream_is_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(CHAIN, small_data(), small_config(epochs=1), 1)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(("precision", "threads"), [("fp32", 1), ("bf16", 1), ("fp32", 2)])
@pytest.mark.parametrize("step", [1, 5, 8, 13, 16])
def test_interrupted_runs_come_to_the_same_bits(
    step: int, precision: str, threads: int, tmp_path: Path, torch_threads: Any
) -> None:
    torch_threads(threads)
    data, config = small_data(), small_config(precision=precision)
    whole = train(INCEPTION, data, config, 4, checkpoint=tmp_path / "whole")
    train_until(step, tmp_path / "part", INCEPTION, data, config, 4)
    assert load_checkpoint(tmp_path / "part")[1]["step"] == step
    resumed = train(INCEPTION, data, config, 4, checkpoint=tmp_path / "part")
    assert accuracies(resumed) == accuracies(whole)
    a, b = (load_checkpoint(tmp_path / name)[0] for name in ("whole", "part"))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_finished_run_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = train(CHAIN, small_data(), small_config(), 4, checkpoint=tmp_path)

    def fail(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(trainer, "train_step", fail)
    assert train(CHAIN, small_data(), small_config(), 4, checkpoint=tmp_path) == first


PROGRAM = """
import sys
import torch
import nb101
from torch_tests import CHAIN, small_config, small_data
def progress(done, total, what):
    print(done, flush=True)
nb101.train.train(CHAIN, small_data(), small_config(epochs=10), 4, checkpoint=sys.argv[1],
                  checkpoint_minutes=1e-9, log=sys.argv[1] + "/log.csv", progress=progress)
"""


def test_a_killed_process_is_gone_on_from(tmp_path: Path) -> None:
    data, config = small_data(), small_config(epochs=10)
    whole = train(CHAIN, data, config, 4, checkpoint=tmp_path / "a", log=tmp_path / "a.csv")
    path = os.pathsep.join(sys.path)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "b")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 35:
            break
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    process.wait()
    assert 34 <= load_checkpoint(tmp_path / "b")[1]["step"] < 80
    resumed = train(
        CHAIN, data, config, 4, checkpoint=tmp_path / "b", log=tmp_path / "b" / "log.csv"
    )
    assert accuracies(resumed) == accuracies(whole)
    a, b = (load_checkpoint(tmp_path / name)[0] for name in ("a", "b"))
    assert all(torch.equal(a[name], b[name]) for name in a)
    # Each step is logged once, the same.
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b" / "log.csv").read_text()


def test_time_of_evaluations_and_checkpoints_is_no_training_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A step takes 1 s, an evaluation 100 s, a checkpoint 10,000 s, by this clock.
    now = [0.0]
    for module in (clock, losses, checkpoint):
        monkeypatch.setattr(module, "perf_counter", lambda: now[0])

    def slow(owner: Any, name: str, seconds: float) -> None:
        work = getattr(owner, name)

        def call(*arguments: Any, **settings: Any) -> Any:
            now[0] += seconds
            return work(*arguments, **settings)

        monkeypatch.setattr(owner, name, call)

    slow(trainer, "train_step", 1.0)
    slow(trainer, "evaluate", 100.0)
    slow(checkpoint, "save_checkpoint", 10_000.0)
    config = small_config()
    result = train(CHAIN, small_data(), config, 4, checkpoint=tmp_path, checkpoint_minutes=1e6)
    assert [one.training_time for one in result.evaluations] == [0.0, 6.0, 13.0]
    # The last checkpoint is written when the result is there.
    assert result.total_time == 16 + 300 + 20_000
    train_until(5, tmp_path / "b", CHAIN, small_data(), config, 4)
    assert load_checkpoint(tmp_path / "b")[1]["training_time"] == 4.0
    now[0] += 1e6
    resumed = train(
        CHAIN, small_data(), config, 4, checkpoint=tmp_path / "b", checkpoint_minutes=1e6
    )
    assert resumed.final.training_time == 13.0
    # That of the stop has the time until it was begun.
    assert resumed.total_time == 16 + 300 + 20_000


def test_threads_are_given_back_where_a_log_cannot_be_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []

    def full(log: CsvLog) -> None:
        log._file.close()
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(CsvLog, "close", full)
    monkeypatch.setattr(TrainState, "close", lambda state: closed.append(state))
    with pytest.raises(OSError, match="full"):
        train(CHAIN, small_data(), small_config(epochs=1), 4, log=tmp_path / "log.csv")
    assert len(closed) == 1


class Poison(nn.Module):
    """An op that makes the loss infinite in the first attempts."""

    attempts = 0
    good_after = 2

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        Poison.attempts += 1
        self.bad = Poison.attempts <= Poison.good_after

    def forward(self, x: Any) -> Any:
        x = x * self.scale[:, None, None]
        return x * math.inf if self.bad and self.training else x


POISONED = nb101.Cell("010001000", "input,poison,output", op_names=["poison"])


def test_a_run_that_diverges_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Poison, "attempts", 0)
    words = []
    config = small_config(epochs=1, stacks=1)
    result = train(
        POISONED,
        small_data(),
        config,
        ops={"poison": Poison},
        progress=lambda done, total, what: words.append(what),
    )
    assert result.attempts == 3
    again = [word for word in words if "trying again" in word]
    assert again == [
        f"the loss was nan at step 0 in attempt {n} of 5: trying again" for n in (1, 2)
    ]
    # The draws of the third attempt, and no others.
    monkeypatch.setattr(Poison, "attempts", 9)
    first = train(POISONED, small_data(), config, ops={"poison": Poison})
    assert accuracies(result) != accuracies(first)


def test_a_run_that_always_diverges_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Poison, "attempts", 0)
    monkeypatch.setattr(Poison, "good_after", 100)
    config = small_config(epochs=1, stacks=1, max_attempts=3)
    with pytest.raises(nb101.DivergedError) as caught:
        train(
            POISONED,
            small_data(),
            config,
            7,
            ops={"poison": Poison},
            checkpoint=tmp_path,
            log=tmp_path / "log.csv",
        )
    assert "seed 7: the loss was nan at step 0 in attempt 3 of 3" in str(caught.value)
    assert "a lower learning_rate than 0.2 may help" in str(caught.value)
    assert Poison.attempts == 3
    assert not (tmp_path / FILE).exists()
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [["1", "0"], ["2", "0"], ["3", "0"]]


class PoisonedLater(Poison):
    """One whose loss is infinite from its fifth step on, of two shards each."""

    calls = 0

    def forward(self, x: Any) -> Any:
        PoisonedLater.calls += self.training
        self.bad = PoisonedLater.calls > 8
        return super().forward(x)


@pytest.mark.parametrize("step", [6, 8])
def test_weights_that_are_no_numbers_are_not_saved(
    step: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Interrupted before the losses are looked at: also where an evaluation would come next."""
    monkeypatch.setattr(PoisonedLater, "calls", 0)
    monkeypatch.setattr(losses, "LOOK_STEPS", 1000)
    monkeypatch.setattr(losses, "LOOK_SECONDS", 1000.0)
    config = small_config(stacks=1)
    ops = {"poison": PoisonedLater}
    train_until(step, tmp_path, POISONED, small_data(), config, ops=ops)
    tensors, about = load_checkpoint(tmp_path)
    # That of the first evaluation.
    assert about["step"] == 1
    assert all(bool(x.isfinite().all()) for x in tensors.values())


def test_fewer_attempts_than_a_checkpoint_has_had(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The one that is under way is gone on with, and is the last."""
    monkeypatch.setattr(Poison, "attempts", 0)
    config, ops = small_config(epochs=1, stacks=1), {"poison": Poison}
    train_until(3, tmp_path, POISONED, small_data(), config, ops=ops)
    monkeypatch.setattr(Poison, "good_after", 100)
    with pytest.raises(nb101.DivergedError, match="in attempt 3 of 2"):
        train(POISONED, small_data(), config.replace(max_attempts=2), ops=ops, checkpoint=tmp_path)


def test_attempts_are_kept_across_interruptions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Poison, "attempts", 0)
    config, ops = small_config(epochs=1, stacks=1), {"poison": Poison}
    train_until(3, tmp_path, POISONED, small_data(), config, ops=ops)
    assert load_checkpoint(tmp_path)[1]["attempt"] == 3
    assert train(POISONED, small_data(), config, ops=ops, checkpoint=tmp_path).attempts == 3


def test_out_of_memory_says_what_to_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*_: Any) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr(trainer, "train_step", short)
    with pytest.raises(nb101.TrainingError) as caught:
        train(CHAIN, small_data(), small_config())
    assert str(caught.value) == (
        "out of memory on cpu: take precision='bf16', or let fewer runs share it; or, for another "
        "recipe with other results, lower stem_channels (4) or batch_size (32), or raise "
        "bn_shards (2), so that fewer images are passed at a time"
    )


def test_real_lack_of_memory() -> None:
    with pytest.raises(nb101.TrainingError, match="out of memory on cpu: take precision='bf16'"):
        train(CHAIN, small_data(), small_config(stem_channels=2**19, stacks=1))


def test_other_errors_come_through() -> None:
    class Broken(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()

        def forward(self, x: Any) -> Any:
            raise RuntimeError("a defect of an op")

    with pytest.raises(RuntimeError, match="a defect of an op"):
        train(CHAIN, small_data(), small_config(), ops={"conv3x3-bn-relu": Broken})


def test_augment() -> None:
    data = small_data(train=100, validation=60)
    seen = []
    result = augment(
        CHAIN,
        data,
        small_config(schedule="stepwise", epochs=3),
        progress=lambda done, total, what: seen.append(total),
    )
    # 160 images, 3 epochs of 5 batches.
    assert set(seen) == {15}
    assert all(math.isnan(one.validation_accuracy) for one in result.evaluations)
    assert 0 <= result.final.test_accuracy <= 1
    assert result.data == "synthetic 0, train + validation"
    assert math.isnan(result.row()["final_validation_accuracy"])


def test_progress() -> None:
    seen: list[tuple[int, int, str]] = []
    train(CHAIN, small_data(), small_config(), progress=lambda *args: seen.append(args))
    steps = [done for done, _, what in seen if what.startswith("training")]
    assert steps == list(range(1, 17))
    assert {total for _, total, _ in seen} == {16}
    evaluations = [(done, what) for done, _, what in seen if what.startswith("eval")]
    # At each of their batches.
    assert evaluations == [
        (done, f"evaluating on {name} images")
        for done in (1, 8, 16)
        for name, split in small_data().evaluated.items()
        for _ in range(len(split) // 32)
    ]
    last = [what for _, _, what in seen if what.startswith("training")][-1]
    assert last.startswith("training, loss ")


def test_stopped_while_it_evaluates(tmp_path: Path) -> None:
    def stop(done: int, total: int, what: str) -> None:
        if done == 8 and what == "evaluating on test images":
            raise Stop

    with pytest.raises(Stop):
        train(CHAIN, small_data(), small_config(), 4, checkpoint=tmp_path, progress=stop)
    assert load_checkpoint(tmp_path)[1]["step"] == 8
    whole = train(CHAIN, small_data(), small_config(), 4)
    assert accuracies(train(CHAIN, small_data(), small_config(), 4, checkpoint=tmp_path)) == (
        accuracies(whole)
    )


def test_one_step() -> None:
    result = train(CHAIN, small_data(train=33), small_config(epochs=1))
    assert accuracies(result)[0][1:] == accuracies(result)[1][1:] == accuracies(result)[2][1:]
    assert [one.epoch for one in result.evaluations] == [0, 0.5, 1]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same run through torch.compile; its backend here is one that needs no compiler."""
    compiled = []
    compile_module = torch.compile

    def quick(module: Any, mode: str) -> Any:
        compiled.append(mode)
        return compile_module(module, backend="aot_eager")

    monkeypatch.setattr(torch, "compile", quick)
    data = small_data()
    plain = train(CHAIN, data, small_config(epochs=1, stacks=1), 2)
    config = small_config(epochs=1, stacks=1, compile="reduce-overhead")
    result = train(CHAIN, data, config, 2)
    for one, other in zip(accuracies(result), accuracies(plain), strict=True):
        np.testing.assert_allclose(one, other, atol=2 / 64)
    assert compiled == ["reduce-overhead"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_every_shard_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that were compiled before must not use up what torch.compile keeps."""
    compiled = 0
    compile_module = torch.compile

    def backend(graph: Any, inputs: Any) -> Any:
        nonlocal compiled
        compiled += 1
        return graph.forward

    monkeypatch.setattr(
        torch, "compile", lambda module, mode: compile_module(module, backend=backend)
    )
    config = small_config(epochs=1, stacks=1, bn_shards=8, compile="default")
    for number in (1, 2):
        train(CHAIN, small_data(), config, 2)
        assert compiled == 8 * number


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("cell", small_data()), TypeError, "cell must be a Cell, not str"),
        ((CHAIN, "cifar10"), TypeError, "data must be an ImageData, not str"),
        ((CHAIN, small_data(), {"epochs": 4}), TypeError, "config must be a TrainConfig, not dict"),
        ((CHAIN, small_data(), small_config(), 1.5), TypeError, "seed must be a whole number"),
        (
            (CHAIN, small_data(), small_config(), -1),
            ValueError,
            r"seed must be from 0 to 2\^63 - 1",
        ),
        (
            (CHAIN, small_data(), small_config(num_classes=7)),
            nb101.TrainingError,
            "synthetic 0 has 10 classes, and the network 7: set num_classes=10",
        ),
        (
            (CHAIN, small_data(train=20), small_config(epochs=1)),
            nb101.TrainingError,
            "1 epochs of 20 images are no batch of 32: lower batch_size",
        ),
        (
            (CHAIN, small_data(), small_config(device="nonsense")),
            nb101.TrainingError,
            "device 'nonsense' cannot be used",
        ),
        (
            (CHAIN, small_data(), small_config(precision="tf32")),
            nb101.TrainingError,
            "precision tf32 is a matter of CUDA devices, and the device is cpu",
        ),
        ((POISONED, small_data(), small_config()), nb101.UnknownOpError, "no network for op"),
        ((INCEPTION, small_data(), small_config(stem_channels=2)), ValueError, "larger stem_ch"),
    ],
)
def test_wrong_arguments(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        train(*arguments)


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match="checkpoint_minutes must be above 0, not 0"):
        train(CHAIN, small_data(), small_config(), checkpoint_minutes=0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_cuda() -> None:
    with pytest.raises(nb101.TrainingError, match="device 'cuda' cannot be used"):
        train(CHAIN, small_data(), small_config(device="cuda"))


def test_evaluated_sets() -> None:
    """39 full batches of 256 of each: every accuracy is a multiple of 1/9984."""
    data = small_data(train=10_500, validation=10_000, test=10_000, size=2)
    batches = [EvaluationBatches(split, data, 256, CPU) for split in data.evaluated.values()]
    assert [one.images for one in batches] == [9984] * 3
    assert [len(one) for one in batches] == [39] * 3


INTERRUPTED = """
import os, signal, sys
import torch
from torch_tests import CHAIN, small_config, small_data
from nb101.train import train
def progress(done, total, what):
    if done == 5:
        os.kill(os.getpid(), signal.SIGINT)
before = signal.getsignal(signal.SIGINT)
try:
    train(CHAIN, small_data(), small_config(), 4, checkpoint=sys.argv[1] or None, progress=progress)
except KeyboardInterrupt as stop:
    print(*stop.__notes__)
assert signal.getsignal(signal.SIGINT) is before
"""


@pytest.mark.parametrize("keeps", [True, False])
def test_ctrl_c_says_how_to_go_on(keeps: bool, tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path) if keeps else ""],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert found.stderr == ""
    if not keeps:
        assert (
            found.stdout == "nothing was kept: with checkpoint=FOLDER the same call would go on\n"
        )
        return
    way_on = f"the same call goes on from step 5 of 16, by the checkpoint in {tmp_path}\n"
    assert found.stdout == way_on
    resumed = train(CHAIN, small_data(), small_config(), 4, checkpoint=tmp_path)
    assert accuracies(resumed) == accuracies(train(CHAIN, small_data(), small_config(), 4))


@pytest.mark.parametrize(
    ("change", "kind", "field"),
    [
        ({"cell": 8}, nb101.ArgumentTypeError, "cell"),
        ({"data": "cifar10"}, nb101.ArgumentTypeError, "data"),
        ({"config": {}}, nb101.ArgumentTypeError, "config"),
        ({"seed": -1}, nb101.ArgumentError, "seed"),
        ({"seed": 0.5}, nb101.ArgumentTypeError, "seed"),
        ({"seed": 2**63}, nb101.ArgumentError, "seed"),
        ({"checkpoint_minutes": 0}, nb101.ArgumentError, "checkpoint_minutes"),
        ({"config": small_config(num_classes=3)}, nb101.TrainingError, "num_classes"),
        ({"config": small_config(batch_size=2**20)}, nb101.TrainingError, "batch_size"),
    ],
)
def test_wrong_arguments_have_a_name(
    change: dict[str, Any], kind: type[nb101.NB101Error], field: str
) -> None:
    given = {"cell": CHAIN, "data": small_data(), "config": small_config(), "seed": 1, **change}
    with pytest.raises(kind) as caught:
        train(**given)
    assert caught.value.field == field


def test_public_names_alone() -> None:
    for module in (nb101.nn, nb101.train):
        assert dir(module) == sorted(module.__all__)
        assert all(getattr(module, name) is not None for name in dir(module))


def test_notebooks_show_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[Any, ...]] = []

    @contextmanager
    def show() -> Iterator[Any]:
        yield lambda *now: shown.append(now)

    monkeypatch.setattr(trainer, "in_notebook", lambda: True)
    monkeypatch.setattr(trainer, "show", show)
    train(CHAIN, small_data(), small_config())
    assert [done for done, _, what in shown if what.startswith("training")] == list(range(1, 17))
    assert {total for _, total, _ in shown} == {16}
