"""Accuracies of a network: what the evaluations of a run measure (section 2.5 of the paper)."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch

from nb101.nn import Network
from nb101.train.batches import EvaluationBatches
from nb101.train.config import TrainConfig
from nb101.train.device import autocast
from nb101.train.images import ImageData


def evaluated_batches(
    data: ImageData, config: TrainConfig, device: torch.device
) -> dict[str, EvaluationBatches]:
    """Return what the three accuracies are measured on, by name."""
    return {
        name: EvaluationBatches(split, data, config.batch_size, device)
        for name, split in data.evaluated.items()
    }


@torch.inference_mode()
def evaluate(
    network: Network,
    sets: Mapping[str, EvaluationBatches],
    config: TrainConfig,
    device: torch.device,
    report: Callable[[str], object] = lambda words: None,
) -> list[float]:
    """Measure the accuracy on each set with the running statistics of batch norm.

    Parameters
    ----------
    network
        Which is left as it is to evaluate: call its ``train()`` to go on.
    sets
        By name.
    config, device
        How it is computed.
    report
        Told in words what is done, before each batch: on a CPU a set may take minutes.

    Returns
    -------
    Fractions of the images of all full batches, as float32s; NaN where there are no images.
    """
    network.eval()
    accuracies = []
    for name, batches in sets.items():
        correct = torch.zeros((), dtype=torch.int64, device=device)
        for images, labels in batches:
            report(f"evaluating on {name} images")
            with autocast(config, device):
                logits = network(images)
            correct += (logits.argmax(1) == labels).sum()
        accuracy = int(correct) / batches.images if batches.images else math.nan
        accuracies.append(float(np.float32(accuracy)))
    return accuracies
