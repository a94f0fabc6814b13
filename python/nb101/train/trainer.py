"""The original's training of one network (section 2.4 of the paper), from top to bottom.

`train` is one loop: attempts until one ends well, the three stops of an attempt where it is
evaluated, and the steps to the next stop.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nb101._base.checks import check_number, check_type
from nb101._base.progress import NamedProgress, in_notebook, show
from nb101.errors import ArgumentError, ArgumentTypeError, DivergedError
from nb101.nn import Factory
from nb101.space.cell import Cell
from nb101.train.checkpoint import Checkpoints, check_safetensors, identity
from nb101.train.config import TrainConfig
from nb101.train.device import computing, find_device, get_torch_threads, memory_errors
from nb101.train.evaluate import evaluate, evaluated_batches
from nb101.train.images import ImageData
from nb101.train.losses import DivergedLoss, Losses
from nb101.train.result import Evaluation, Result
from nb101.train.state import TrainState, train_step
from nb101.train.stopping import between_steps


def train(
    cell: Cell,
    data: ImageData,
    config: TrainConfig | None = None,
    seed: int = 0,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_minutes: float = 10,
    log: str | os.PathLike[str] | None = None,
    progress: NamedProgress | None = None,
    ops: Mapping[str, Factory] | None = None,
) -> Result:
    """Train the network of a cell, and measure it as the published tables were.

    The same seed, configuration and data give the same result where the device allows: on a CPU
    bit for bit, given the number of threads.

    Parameters
    ----------
    cell
        The cell.
    data
        What to train on; see `nb101.train.data`.
    config
        The recipe; the original's by default.
    seed
        Of all draws: weights, order, augmentation. From 0 to 2^63 - 1.
    checkpoint
        A folder. Its checkpoint, if there is one, is gone on from: an interrupted run comes to the
        same result as one that was not, and a finished one is returned as it is. It must be of the
        same cell, recipe, seed and data; the device may be another. The last one holds the trained
        weights: see `load_network`.
    checkpoint_minutes
        A checkpoint is written at each evaluation, and when so many minutes have passed.
    log
        Where each step's rate and loss go: a file that ends in ``.csv``, or a folder for
        TensorBoard. See ``nb101.train.logs.Step``.
    progress
        Called after each step, and before each batch of an evaluation, with the steps done, their
        number, and what is being done in words. What it raises ends the run, after a checkpoint.
        Without one a notebook shows a bar.
    ops
        Factories of the cell's ops by name, used before those that are registered; see
        `nb101.nn.register_op`.

    Returns
    -------
    A row of a table: see `Result.row`.

    Raises
    ------
    DivergedError
        If the loss was not finite in any of `max_attempts` attempts.
    TrainingError
        If the data does not fit the configuration, or memory is short: the message says what to
        lower.
    CheckpointError
        If the checkpoint is damaged, of another run, or of a newer version of this package.
    UnknownOpError
        If there is no module for an op of the cell.
    ArgumentError
        If an argument cannot be what it is.
    MissingExtraError
        If a checkpoint or log needs a package that is not installed.
    KeyboardInterrupt
        At Ctrl-C. With `checkpoint` that ends the run between two steps, after a checkpoint, and a
        second one at once, unless the program has a handler of its own. A note on it says from
        where the same call goes on.
    OSError
        If a checkpoint or a log cannot be written. The checkpoint before is still there.

    Examples
    --------
    >>> import nb101
    >>> from nb101.train import TrainConfig, train
    >>> from nb101.train.data import synthetic
    >>> cell = nb101.Cell("011001000", "input,conv3x3-bn-relu,output")
    >>> config = TrainConfig(epochs=1, batch_size=64, stem_channels=4, cells_per_stack=1)
    >>> result = train(cell, synthetic(), config, seed=1)
    >>> [evaluation.epoch for evaluation in result.evaluations]
    [0.0, 0.5, 1.0]
    """
    # The first call of torch in this thread may be this; see there.
    get_torch_threads()
    config = TrainConfig() if config is None else config
    _check(cell, data, config, seed, checkpoint_minutes)
    device = find_device(config)
    images = len(data.train)
    steps, stops = config.steps(images), config.stops(images)
    exact_steps = config.epochs * images / config.batch_size
    sets = evaluated_batches(data, config, device)
    losses = Losses(log, config, images)
    if checkpoint is None:
        checkpoints = Checkpoints(None, {}, checkpoint_minutes)
    else:
        check_safetensors()
        mine = identity(cell, data, config, seed)
        checkpoints = Checkpoints(Path(checkpoint), mine, checkpoint_minutes)

    def save(*, last: bool = False) -> None:
        state.clock.note()
        checkpoints.save(state.state_dict(), last=last)

    def report(words: str) -> None:
        """Say how far it is. What that raises ends the run, after a checkpoint."""
        try:
            tell(state.step, steps, words)
        except BaseException:
            # After a loss that is not finite there is nothing to go on from, and the checkpoint
            # before stands.
            with suppress(DivergedLoss):
                losses.look()
                state.clock.stop()
                save()
            raise

    with _watched(config, device, checkpoints, steps, progress) as tell:
        kept = checkpoints.load()
        attempt: int = kept["attempt"] if kept else 1
        while True:
            state = TrainState(cell, data, config, device, seed, attempt, ops)
            try:
                if kept is not None:
                    state.load_state_dict(kept, checkpoints.path)
                    kept = None
                losses.begin(attempt, state.step, more=len(state.evaluations) < len(stops))
                checkpoints.begin()
                for number in range(len(state.evaluations), len(stops)):
                    # Once a stop: only an evaluation leaves it, and it walks through all modules.
                    state.network.train()
                    while state.step < stops[number]:
                        # The original's clock is read as a step begins, so the last one before an
                        # evaluation is never in it, neither then nor later.
                        if state.step == stops[number] - 1:
                            state.clock.stop()
                        else:
                            state.clock.start()
                        step, rate = state.step, config.learning_rate_at(state.step, exact_steps)
                        penalty = losses.penalty(state.parameters)
                        entropy = train_step(state, rate)
                        losses.add(step, rate, entropy, penalty)
                        if losses.due:
                            losses.look()
                        if checkpoints.due:
                            losses.look()
                            state.clock.stop()
                            save()
                        report(losses.words)
                    losses.look()
                    accuracies = evaluate(state.network, sets, config, device, report)
                    epoch, seconds = config.epochs * number / 2, np.float32(state.clock.training)
                    state.evaluations.append(Evaluation(epoch, float(seconds), *accuracies))
                    save(last=number == len(stops) - 1)
                start, halfway, final = state.evaluations
                return Result(
                    cell=cell,
                    config=config,
                    seed=seed,
                    evaluations=(start, halfway, final),
                    trainable_parameters=state.network.trainable_parameters,
                    total_time=state.clock.total,
                    attempts=attempt,
                    data=data.name,
                )
            except DivergedLoss as error:
                tries = f"attempt {attempt} of {config.max_attempts}"
                if attempt >= config.max_attempts:
                    raise DivergedError(
                        f"{cell!r}, seed {seed}: {error} in {tries}; a lower learning_rate than "
                        f"{config.learning_rate} may help"
                    ) from None
                tell(0, steps, f"{error} in {tries}: trying again")
                attempt += 1
            finally:
                with closing(state):
                    losses.close()


def augment(
    cell: Cell,
    data: ImageData,
    config: TrainConfig | None = None,
    seed: int = 0,
    **settings: Any,
) -> Result:
    """Train a chosen cell for longer, on the training and validation images together.

    As the original provided it: 200 epochs with a stepwise rate (`TrainConfig.augmented`). Only
    the test accuracy then says how good a network is. The validation accuracy of the result is
    NaN: those images were trained on.

    Parameters
    ----------
    cell, data, seed
        As for `train`.
    config
        The recipe; ``TrainConfig.augmented()`` by default.
    settings
        As for `train`: ``checkpoint``, ``log``, ``progress`` and so on.
    """
    config = TrainConfig.augmented() if config is None else config
    return train(cell, data.merge(), config, seed, **settings)


@contextmanager
def _watched(
    config: TrainConfig,
    device: torch.device,
    checkpoints: Checkpoints,
    steps: int,
    progress: Callable[[int, int, str], object] | None,
) -> Iterator[Callable[[int, int, str], None]]:
    """Set up what is around a run, and see to it that it can be stopped.

    The function given says how far the run is, to who asked for it, and ends it at Ctrl-C.
    """
    bar = show() if progress is None and in_notebook() else nullcontext(progress)
    with (
        computing(config, device),
        memory_errors(config, device),
        bar as shown,
        between_steps(checkpoints.folder is not None) as check,
    ):

        def tell(done: int, total: int, words: str) -> None:
            if shown is not None:
                shown(done, total, words)
            check()

        try:
            yield tell
            check()
        except KeyboardInterrupt as stop:
            stop.add_note(checkpoints.way_on(steps))
            raise


def _check(
    cell: Cell, data: ImageData, config: TrainConfig, seed: int, checkpoint_minutes: float
) -> None:
    """Check arguments against each other, before any work."""
    check_type("cell", cell, Cell)
    check_type("data", data, ImageData)
    check_type("config", config, TrainConfig)
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool):
        raise ArgumentTypeError(f"seed must be a whole number, not {seed!r}", field="seed")
    if not 0 <= seed < 2**63:
        raise ArgumentError(f"seed must be from 0 to 2^63 - 1, not {seed}", field="seed")
    config.check_images(data.name, data.num_classes, len(data.train))
    check_number("checkpoint_minutes", checkpoint_minutes, above=0, finite=False)
