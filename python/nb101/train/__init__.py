"""Training networks of cells, and measuring them, as the published tables were made.

>>> import nb101
>>> config = nb101.train.TrainConfig(epochs=4, stem_channels=16)
>>> config.learning_rate
0.2

`TrainConfig` and `Result` say what a run is and gives, `nb101.train.data` has the images; those
need no torch. `train` and `augment` do: ``pip install 'nb101[train]'``.
"""

import importlib
from typing import TYPE_CHECKING

from nb101.errors import MissingExtraError
from nb101.train import data
from nb101.train.config import TrainConfig
from nb101.train.data import ImageData
from nb101.train.images import Split
from nb101.train.result import Evaluation, Result

if TYPE_CHECKING:
    from nb101.train.batches import EvaluationBatches, TrainingBatches
    from nb101.train.network import checkpoint_to_onnx, load_network
    from nb101.train.optimizer import RMSProp
    from nb101.train.state import TrainState, train_step
    from nb101.train.trainer import augment, train

_PLACES = {
    "EvaluationBatches": "batches",
    "RMSProp": "optimizer",
    "TrainState": "state",
    "TrainingBatches": "batches",
    "augment": "trainer",
    "checkpoint_to_onnx": "network",
    "load_network": "network",
    "train": "trainer",
    "train_step": "state",
}

__all__ = [
    "Evaluation",
    "EvaluationBatches",
    "ImageData",
    "RMSProp",
    "Result",
    "Split",
    "TrainConfig",
    "TrainState",
    "TrainingBatches",
    "augment",
    "checkpoint_to_onnx",
    "data",
    "load_network",
    "train",
    "train_step",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import what needs torch when it is first asked for."""
        if name not in _PLACES:
            raise AttributeError(f"module 'nb101.train' has no attribute {name!r}")
        try:
            import torch  # noqa: F401
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise  # One that is there, and lacks a part of itself.
            raise MissingExtraError(
                f"nb101.train.{name} needs PyTorch: pip install 'nb101[train]'", name="torch"
            ) from error
        return getattr(importlib.import_module(f"nb101.train.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
