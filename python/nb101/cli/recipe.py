"""Recipes of settings that people type, and the trainer that takes them.

What needs PyTorch, or takes a while to import, is imported when it is asked for.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb101._base.files import file_errors
from nb101.cli.arguments import read_pairs
from nb101.errors import ArgumentError

if TYPE_CHECKING:
    from nb101.train import Result, TrainConfig


def read_settings(
    config: Path | None, pairs: Sequence[str], augmented: bool = False
) -> dict[str, Any]:
    """Return settings of a recipe from a file of JSON, and then NAME=VALUE pairs.

    Raises
    ------
    ArgumentError
        If the file or a pair is none.
    FileError
        If the file cannot be read.
    """
    from nb101.train import TrainConfig

    settings: dict[str, Any] = {}
    if augmented:
        preset, plain = TrainConfig.augmented().to_dict(), TrainConfig().to_dict()
        settings = {name: value for name, value in preset.items() if value != plain[name]}
    if config is not None:
        with file_errors(config):
            text = config.read_bytes()
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ArgumentError(
                f"{config} is no JSON: {error}", path=config, field="config"
            ) from None
        if not isinstance(found, dict):
            raise ArgumentError(
                f"{config} must hold an object with settings by name", path=config, field="config"
            )
        settings |= found
    return settings | {k.replace("-", "_"): value for k, value in read_pairs(pairs).items()}


def make_recipe(settings: dict[str, Any]) -> "TrainConfig":
    """Make a recipe of settings that were typed."""
    from nb101.train import TrainConfig

    return TrainConfig.from_dict(settings)


def import_torch(threads: int | None) -> "Callable[..., Result]":
    """Import torch before anything slow is done, and set its threads; return the trainer."""
    from nb101.train import train as train_function

    if threads is not None:
        if threads < 1:
            raise ArgumentError(f"--threads must be at least 1, not {threads}", field="threads")
        import torch

        torch.set_num_threads(threads)
    return train_function
