"""The recipe: `TrainConfig`, whose defaults are the original's (section 2.4 of the paper).

Nothing here needs torch, so that plans can be made and read where there is none.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args

from nb101._base.checks import check_number, check_range, suggest
from nb101.errors import ArgumentError, ArgumentTypeError, TrainingError, UnknownNameError

Schedule = Literal["cosine", "stepwise", "stepwise-tenths"]
Precision = Literal["fp32", "tf32", "bf16"]
Compile = Literal["none", "default", "reduce-overhead", "max-autotune"]

EXECUTION = ("device", "compile", "deterministic")
"""Fields that say how a run is computed and not what: a run may be resumed under others."""
MOST_COMPILED_SHARDS = 8
"""Variants of a function that torch.compile keeps; those beyond it run without. Each shard has one,
since batch norm's momentum is another."""
MOST = 1 << 24
"""The largest of all other counts: more than any machine could compute with."""
EVALUATED = 10_000
"""Images of the training set that the training accuracy is measured on."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a network is built and trained.

    The defaults are those that the published tables were made with. Counts are whole numbers from
    1 to 2^24 unless said otherwise.

    Parameters
    ----------
    epochs
        The budget; up to 32,767. There are ``epochs * images // batch_size`` steps.
    batch_size
        Images in a step.
    learning_rate
        Rate at the beginning, for the whole batch; that of each of the original's two shards is
        half of it. At step 0 it is 0, so that this step moves nothing but running statistics.
    schedule
        ``"cosine"``: down to 0, step by step. ``"stepwise"``: as the original's code has it, a
        tenth, a hundredth and a ten-thousandth of the rate after 0.5, 0.667 and 0.833 of the steps;
        the step at a boundary has the old rate. ``"stepwise-tenths"``: as a comment there says, a
        tenth of the rate before after 1/2, 2/3 and 5/6 of the steps each.
    momentum, decay, epsilon
        Of RMSProp as TensorFlow has it; see `RMSProp`. Momentum and decay in [0, 1), epsilon > 0.
    weight_decay
        Times half the sum of squares of all trainable variables, batch norm and bias too, that is
        added to the loss. From 0.
    bn_shards
        Parts of a batch that batch norm takes for itself, with statistics of its own: 2 of 128
        images each. Must divide `batch_size`; at most 8 with `compile`, which compiles each.
    bn_decay, bn_epsilon
        Of batch norm: what running statistics keep of themselves in a step, in [0, 1), and what is
        added to the variance, > 0.
    padding
        Zeros around an image, of which a part as large as the image is cut out at random. From 0.
    flip
        Whether half of the images, drawn at random, are mirrored left to right.
    stem_channels, stacks, cells_per_stack, num_classes
        Of the network; see `nb101.nn.Network`.
    max_attempts
        How often a run is tried that diverges, each time with other draws.
    precision
        ``"fp32"``; ``"tf32"``, the fast matrix units of CUDA devices on float32; ``"bf16"``,
        autocast to bfloat16, with weights, statistics and loss in float32.
    device
        ``"auto"`` (CUDA if there is one, else Apple's GPU, else CPU) or what torch calls it.
    compile
        Mode of ``torch.compile``, or ``"none"``. Takes about a minute once, and pays on GPUs.
    deterministic
        Whether CUDA must choose algorithms that give the same result each time where it has such.
        A CPU always does, given the number of threads.

    Raises
    ------
    ArgumentError
        For a value that cannot be; the message says what can, and `field` is the setting.
    ArgumentTypeError
        For a value of a wrong type.

    Examples
    --------
    >>> config = TrainConfig(epochs=4, stem_channels=16)
    >>> config.steps(40_000), config.learning_rate
    (625, 0.2)
    >>> TrainConfig.from_dict(config.to_dict()) == config
    True
    """

    epochs: int = 108
    batch_size: int = 256
    learning_rate: float = 0.2
    schedule: Schedule = "cosine"
    momentum: float = 0.9
    decay: float = 0.9
    epsilon: float = 1.0
    weight_decay: float = 1e-4
    bn_shards: int = 2
    bn_decay: float = 0.997
    bn_epsilon: float = 1e-5
    padding: int = 4
    flip: bool = True
    stem_channels: int = 128
    stacks: int = 3
    cells_per_stack: int = 3
    num_classes: int = 10
    max_attempts: int = 5
    precision: Precision = "fp32"
    device: str = "auto"
    compile: Compile = "none"
    deterministic: bool = True

    def __post_init__(self) -> None:
        put = object.__setattr__
        limits = {"epochs": 32_767, "stacks": 16}
        counts = ("epochs", "batch_size", "bn_shards", "stem_channels", "stacks")
        for name in (*counts, "cells_per_stack", "num_classes", "max_attempts"):
            value = getattr(self, name)
            put(self, name, check_range(name, value, 1, limits.get(name, MOST)))
        put(self, "padding", check_range("padding", self.padding, 0, 4_096))
        for name in ("learning_rate", "epsilon", "bn_epsilon"):
            put(self, name, check_number(name, getattr(self, name), above=0.0))
        put(self, "weight_decay", check_number("weight_decay", self.weight_decay, least=0.0))
        for name in ("momentum", "decay", "bn_decay"):
            put(self, name, check_number(name, getattr(self, name), least=0.0, below=1.0))
        choices = {"schedule": Schedule, "precision": Precision, "compile": Compile}
        for name, choice in choices.items():
            value, known = getattr(self, name), get_args(choice)
            if value not in known:
                raise ArgumentError(
                    f"{name} must be one of {', '.join(known)}, not {value!r}", field=name
                )
        for name in ("flip", "deterministic"):
            if not isinstance(getattr(self, name), bool):
                raise ArgumentTypeError(
                    f"{name} must be True or False, not {getattr(self, name)!r}", field=name
                )
        if not isinstance(self.device, str) or not self.device:
            raise ArgumentTypeError(
                f"device must be a name such as 'cuda:0', not {self.device!r}", field="device"
            )
        if self.batch_size % self.bn_shards:
            raise ArgumentError(
                f"bn_shards must divide batch_size: {self.batch_size} images do not make "
                f"{self.bn_shards} equal shards",
                field="bn_shards",
            )
        if self.compile != "none" and self.bn_shards > MOST_COMPILED_SHARDS:
            raise ArgumentError(
                f"bn_shards must be at most {MOST_COMPILED_SHARDS} with compile={self.compile!r}, "
                f"not {self.bn_shards}: torch.compile makes a variant for each, and keeps no more; "
                "take compile='none'",
                field="bn_shards",
            )

    @classmethod
    def augmented(cls, **changes: Any) -> Self:
        """Return the recipe for longer training on train + validation: see `nb101.train.augment`.

        200 epochs with the stepwise rate.
        """
        return cls(**{"epochs": 200, "schedule": "stepwise", **changes})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make it of what `to_dict` gives; what is missing is the default.

        Raises
        ------
        UnknownNameError
            For a name that is none of the fields'.
        """
        names = [field.name for field in fields(cls)]
        for name in values:
            if name not in names:
                raise UnknownNameError(
                    f"no setting {name!r}: {suggest(str(name), names)}", field=str(name)
                )
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return all fields by name, as JSON can hold them."""
        return asdict(self)

    def replace(self, **changes: Any) -> Self:
        """Return it with other values for some fields."""
        return replace(self, **changes)

    def recipe(self) -> dict[str, Any]:
        """Return the fields that have a say in the result; not where and how it is computed."""
        return {name: value for name, value in self.to_dict().items() if name not in EXECUTION}

    def steps(self, images: int) -> int:
        """Return the steps of a run on so many training images, rounded down."""
        return self.epochs * images // self.batch_size

    def stops(self, images: int) -> tuple[int, int, int]:
        """Return the steps before each evaluation; the first moves running statistics only."""
        halfway = self.epochs * images // (2 * self.batch_size)
        return 1, max(1, halfway), self.steps(images)

    def check_images(self, name: str, num_classes: int, images: int) -> None:
        """See that a network of this recipe can be trained on so many training images.

        Raises
        ------
        TrainingError
            If it cannot; the message says what to change.
        """
        if num_classes != self.num_classes:
            raise TrainingError(
                f"{name} has {num_classes} classes, and the network {self.num_classes}: "
                f"set num_classes={num_classes}",
                field="num_classes",
            )
        if self.steps(images) < 1:
            raise TrainingError(
                f"{self.epochs} epochs of {images:,} images are no batch of "
                f"{self.batch_size}: lower batch_size",
                field="batch_size",
            )

    def learning_rate_at(self, step: int, steps: float) -> float:
        """Rate of a step, counted from 0, of a run of so many steps.

        The original takes its boundaries of ``epochs * images / batch_size`` before that is rounded
        down to steps; `steps` may be that fraction.
        """
        if step == 0:
            return 0.0
        if self.schedule == "cosine":
            return 0.5 * self.learning_rate * (1 + math.cos(math.pi * step / math.floor(steps)))
        if self.schedule == "stepwise":
            boundaries = (int(0.5 * steps), int(0.667 * steps), int(0.833 * steps))
            factors = (1.0, 0.1, 0.01, 0.0001)
            return self.learning_rate * factors[sum(step > boundary for boundary in boundaries)]
        # Twelfths, so that all is in whole numbers.
        steps = math.floor(steps)
        passed = sum(12 * step >= part * steps for part in (6, 8, 10))
        return float(self.learning_rate * 0.1**passed)
