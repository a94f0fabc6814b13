"""The recipe: its defaults are the original's, and what cannot be is refused."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from nb101.compat.config import build_config
from nb101.train import TrainConfig


def test_defaults_are_those_of_the_original() -> None:
    config, original = TrainConfig(), build_config()
    assert config.epochs == original["train_epochs"]
    assert config.batch_size == original["batch_size"]
    assert config.bn_shards == original["tpu_num_shards"]
    assert config.learning_rate == original["learning_rate"] * original["tpu_num_shards"]
    assert (config.momentum, config.decay, config.epsilon) == (original["momentum"], 0.9, 1.0)
    assert config.weight_decay == original["weight_decay"]
    assert config.max_attempts == original["max_attempts"]
    assert config.stem_channels == original["stem_filter_size"]
    assert config.stacks == original["num_stacks"]
    assert config.cells_per_stack == original["num_modules_per_stack"]
    assert config.num_classes == original["num_labels"]
    assert (config.bn_decay, config.bn_epsilon) == (0.997, 1e-5)
    assert (config.padding, config.flip, config.schedule) == (4, True, "cosine")


def test_steps() -> None:
    assert [TrainConfig(epochs=n).steps(40_000) for n in (4, 12, 36, 108)] == [
        *(625, 1875, 5625, 16_875)
    ]
    assert TrainConfig(epochs=1, batch_size=30).steps(100) == 3


def test_cosine_by_step() -> None:
    config = TrainConfig(epochs=4)
    rates = np.array([config.learning_rate_at(step, 625) for step in range(625)])
    expected = 0.1 * (1 + np.cos(np.pi * np.arange(625) / 625))
    expected[0] = 0
    np.testing.assert_allclose(rates, expected, rtol=1e-12)
    assert rates[1] > 0.1999
    assert 0 < rates[-1] < 2e-6


def test_stepwise() -> None:
    config = TrainConfig.augmented(learning_rate=0.4)
    assert (config.epochs, config.schedule) == (200, "stepwise")
    # 200 epochs of 50,000 images; int(0.5 * 39062.5), int(0.667 * 39062.5), int(0.833 * 39062.5),
    # and the step there has the old rate still, as tf.train.piecewise_constant gives it.
    rates, changes = rates_and_changes(config, 39_062.5)
    assert changes == [19_532, 26_055, 32_540]
    found = [rates[step] for step in (0, 1, *changes)]
    assert found == pytest.approx([0, 0.4, 0.04, 0.004, 0.00004])


def test_stepwise_by_tenths() -> None:
    config = TrainConfig.augmented(learning_rate=0.4, schedule="stepwise-tenths")
    rates, changes = rates_and_changes(config, 39_062.5)
    assert changes == [19_531, math.ceil(39_062 * 2 / 3), math.ceil(39_062 * 5 / 6)]
    found = [rates[step] for step in (0, 1, *changes)]
    assert found == pytest.approx([0, 0.4, 0.04, 0.004, 0.0004])


def rates_and_changes(config: TrainConfig, steps: float) -> tuple[list[float], list[int]]:
    """Return all rates of a run, and the steps from the third on at which they change."""
    rates = [config.learning_rate_at(step, steps) for step in range(int(steps))]
    return rates, [step for step in range(2, len(rates)) if rates[step] != rates[step - 1]]


def test_to_and_from_dict() -> None:
    config = TrainConfig(epochs=4, learning_rate=0.1, precision="bf16", flip=False)
    assert TrainConfig.from_dict(config.to_dict()) == config
    assert TrainConfig.from_dict({"epochs": 4}) == TrainConfig(epochs=4)
    assert set(config.to_dict()) == {field.name for field in dataclasses.fields(config)}
    assert config.replace(epochs=12).epochs == 12
    assert config.replace(device="cuda:1", compile="default").recipe() == config.recipe()
    with pytest.raises(ValueError, match="no setting 'epoch': did you mean 'epochs'"):
        TrainConfig.from_dict({"epoch": 4})
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.epochs = 3  # type: ignore[misc]


def test_numbers_of_numpy_become_pythons() -> None:
    config = TrainConfig(epochs=np.int64(4), learning_rate=np.float32(0.5))  # type: ignore[arg-type]
    assert type(config.epochs) is int
    assert type(config.learning_rate) is float
    assert config == TrainConfig(epochs=4, learning_rate=0.5)
    assert type(TrainConfig(weight_decay=0).weight_decay) is float


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("epochs", 0, ValueError, "epochs must be from 1 to 32,767, not 0"),
        ("epochs", 40_000, ValueError, "epochs must be from 1 to 32,767, not 40000"),
        ("epochs", 4.0, TypeError, "epochs must be a whole number, not 4.0"),
        ("batch_size", -1, ValueError, "batch_size must be from 1 to 16,777,216, not -1"),
        ("bn_shards", 3, ValueError, "bn_shards must divide batch_size: 256 images do not make 3"),
        ("bn_shards", 0, ValueError, "bn_shards must be from 1"),
        ("learning_rate", 0, ValueError, "learning_rate must be above 0, not 0"),
        ("learning_rate", math.nan, ValueError, "learning_rate must be above 0, not nan"),
        ("learning_rate", math.inf, ValueError, "learning_rate must be above 0, not inf"),
        ("learning_rate", "0.1", TypeError, "learning_rate must be a number, not '0.1'"),
        ("momentum", 1.0, ValueError, "momentum must be at least 0 and below 1, not 1.0"),
        ("decay", -0.1, ValueError, "decay must be at least 0 and below 1"),
        ("epsilon", 0.0, ValueError, "epsilon must be above 0"),
        ("weight_decay", -1e-4, ValueError, "weight_decay must be at least 0"),
        ("bn_decay", 1, ValueError, "bn_decay must be at least 0 and below 1"),
        ("bn_epsilon", 0, ValueError, "bn_epsilon must be above 0"),
        ("padding", -1, ValueError, "padding must be from 0 to 4,096, not -1"),
        ("stem_channels", 10**160, ValueError, "stem_channels must be from 1 to 16,777,216"),
        ("flip", 1, TypeError, "flip must be True or False, not 1"),
        ("deterministic", None, TypeError, "deterministic must be True or False"),
        ("stem_channels", 0, ValueError, "stem_channels must be from 1"),
        ("stacks", 17, ValueError, "stacks must be from 1 to 16"),
        ("cells_per_stack", 0, ValueError, "cells_per_stack must be from 1"),
        ("num_classes", True, TypeError, "num_classes must be a whole number"),
        ("max_attempts", 0, ValueError, "max_attempts must be from 1"),
        (
            "schedule",
            "linear",
            ValueError,
            "schedule must be one of cosine, stepwise, stepwise-tenths, not 'linear'",
        ),
        ("precision", "fp16", ValueError, "precision must be one of fp32, tf32, bf16"),
        ("compile", True, ValueError, "compile must be one of none, default"),
        ("device", "", TypeError, "device must be a name"),
        ("device", 0, TypeError, "device must be a name"),
    ],
)
def test_wrong_values(name: str, value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        TrainConfig(**{name: value})


def test_compiled_shards() -> None:
    assert TrainConfig(bn_shards=8, compile="default").bn_shards == 8
    assert TrainConfig(bn_shards=16).bn_shards == 16
    with pytest.raises(ValueError, match="at most 8 with compile='default', not 16"):
        TrainConfig(bn_shards=16, compile="default")
