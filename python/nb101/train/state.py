"""All that changes while a network is trained: `TrainState`, and the step that changes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nb101.nn import Factory, registered_ops
from nb101.space.cell import Cell
from nb101.train.batches import TrainingBatches
from nb101.train.checkpoint import restore
from nb101.train.clock import Clock
from nb101.train.config import TrainConfig
from nb101.train.device import move
from nb101.train.images import ImageData
from nb101.train.network import draw_network
from nb101.train.optimizer import RMSProp
from nb101.train.result import Evaluation
from nb101.train.shards import make_shards


class TrainState:
    """An attempt at a run, from its first step on: `train_step` changes it.

    What is drawn for a step is a function of seed, attempt and step, so that the state has no
    generator. To be closed at the end, since on a CPU it has threads.

    Parameters
    ----------
    cell, data, config, device
        What is trained, on what, how and where.
    seed, attempt
        What draws are made of.
    ops
        Factories of the cell's ops by name; see `nb101.nn.register_op`.

    Attributes
    ----------
    network, optimizer
        What is trained, and by what.
    batches, shards
        The batches of the run, and what computes the gradients of one.
    step
        Steps done.
    evaluations
        Those that have been made.
    clock
        How long it took.

    Examples
    --------
    >>> import nb101, torch
    >>> from nb101.train import TrainConfig, data
    >>> cell = nb101.Cell("011001000", "input,conv3x3-bn-relu,output")
    >>> config = TrainConfig(epochs=1, batch_size=64, stem_channels=4, cells_per_stack=1)
    >>> state = TrainState(cell, data.synthetic(), config, torch.device("cpu"))
    >>> losses = [float(train_step(state, rate)) for rate in (0.0, 0.1)]
    >>> state.step
    2
    >>> state.close()
    """

    def __init__(
        self,
        cell: Cell,
        data: ImageData,
        config: TrainConfig,
        device: torch.device,
        seed: int = 0,
        attempt: int = 1,
        ops: Mapping[str, Factory] | None = None,
    ) -> None:
        self.clock = Clock(device)
        self.config, self.device, self.attempt = config, device, attempt
        self.step = 0
        self.evaluations: list[Evaluation] = []
        network = draw_network(cell, config, data.image_shape[2], ops, seed, attempt)
        self.network = move(network, device)
        self.parameters: list[Tensor] = list(self.network.parameters())
        self.optimizer = RMSProp(
            self.parameters,
            lr=0.0,
            momentum=config.momentum,
            decay=config.decay,
            epsilon=config.epsilon,
            weight_decay=config.weight_decay,
        )
        self.batches = TrainingBatches(data, config, device, seed, attempt)
        own_ops = not {*(ops or ()), *registered_ops()}.isdisjoint(cell.ops)
        self.shards = make_shards(self.network, config, device, own_ops=own_ops)

    def close(self) -> None:
        """Give back threads."""
        self.shards.close()

    def state_dict(self) -> dict[str, Any]:
        """Return all of it, for a checkpoint: tensors by name, and what JSON can hold."""
        moments = {
            f"{key}.{name}": value
            for name, param in self.network.named_parameters()
            for key, value in self.optimizer.state[param].items()
        }
        return {
            "network": self.network.state_dict(),
            "optimizer": moments,
            "attempt": self.attempt,
            "step": self.step,
            "training_time": self.clock.training,
            "total_time": self.clock.total,
            "evaluations": [list(evaluation) for evaluation in self.evaluations],
        }

    def load_state_dict(self, state: Mapping[str, Any], path: Path) -> None:
        """Go on from what `state_dict` gave; `path` is where it is from, for errors.

        Raises
        ------
        CheckpointError
            If it does not fit the network.
        """
        restore(state, "network", self.network.state_dict(), path)
        if state["step"] > 0:
            for name, param in self.network.named_parameters():
                self.optimizer.initialise(param)
                moments = self.optimizer.state[param].items()
                restore(state, "optimizer", {f"{key}.{name}": x for key, x in moments}, path)
        self.step = state["step"]
        self.clock.training, self.clock.total = state["training_time"], state["total_time"]
        self.evaluations = [Evaluation(*values) for values in state["evaluations"]]


def train_step(state: TrainState, rate: float) -> Tensor:
    """Take one step at a learning rate: the gradients of the next batch, and what they move.

    Returns
    -------
    The mean cross-entropy of the batch before it; on a GPU it may not be there yet.
    """
    loss = state.shards(*state.batches[state.step])
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    state.optimizer.step()
    # Memory that CUDA graphs write gradients to must stay where it is.
    state.optimizer.zero_grad(set_to_none=state.config.compile in ("none", "default"))
    state.step += 1
    return loss
