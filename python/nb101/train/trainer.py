"""The original's training of one network (section 2.4 of the paper), from top to bottom.

`train` checks what it is given and runs attempts until one ends well. An attempt is steps, and
three evaluations among them: `_Run` has all that changes meanwhile, and a checkpoint holds it.
"""

import math
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nb101._base.files import remove_stale
from nb101._base.progress import NamedProgress, in_notebook, show
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    CheckpointError,
    DivergedError,
    NB101Error,
    TrainingError,
)
from nb101.nn import Factory, Network, registered_ops
from nb101.space.cell import Cell
from nb101.train.batches import EvaluationBatches, TrainingBatches, seed_of
from nb101.train.checkpoint import (
    FILE,
    DamagedCheckpointError,
    check_safetensors,
    has_checkpoint,
    load_checkpoint,
    read_config,
    save_checkpoint,
)
from nb101.train.config import TrainConfig
from nb101.train.data import ImageData
from nb101.train.logs import Log, Step, open_log
from nb101.train.optimizer import RMSProp
from nb101.train.result import Evaluation, Result
from nb101.train.shards import Shards, autocast, get_torch_threads, make_shards

LOOK_STEPS = 100
"""Steps after which losses are looked at, and sooner where that took a second."""
LOOK_SECONDS = 1.0

_drawing = threading.Lock()
"""Weights are drawn from torch's global stream, which the threads of a process share."""


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
        TensorBoard. See `nb101.train.logs.Step`.
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
    _check(cell, data, config, seed)
    if not checkpoint_minutes > 0:
        raise ArgumentError(
            f"checkpoint_minutes must be above 0, not {checkpoint_minutes}",
            field="checkpoint_minutes",
        )
    device = find_device(config)
    run = _Run(cell, data, config, seed, device, dict(ops or {}))
    run.folder = None if checkpoint is None else Path(checkpoint)
    run.checkpoint_seconds = 60 * checkpoint_minutes
    run.log_path = None if log is None else Path(log)
    if run.folder is not None:
        check_safetensors()
    bar = show() if progress is None and in_notebook() else nullcontext(progress)
    with (
        computing(config, device),
        _memory_errors(config, device),
        closing(run),
        bar as report,
        _between_steps(run.folder is not None) as check,
    ):

        def look(done: int, total: int, what: str) -> None:
            if report is not None:
                report(done, total, what)
            check()

        run.progress = look
        try:
            result = run.finish()
            check()
        except KeyboardInterrupt as stop:
            stop.add_note(run.way_on())
            raise
    return result


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


def load_network(
    checkpoint: str | os.PathLike[str], *, ops: Mapping[str, Factory] | None = None
) -> Network:
    """Make a network with the weights of a checkpoint, on the CPU and set to evaluate.

    Its images are normalised by mean and deviation of the data set, and have channels first.

    Parameters
    ----------
    checkpoint
        The folder that `train` was given.
    ops
        As for `train`.

    Raises
    ------
    MissingFileError
        If there is none.
    CheckpointError
        If it is damaged, or of a newer version of this package.
    """
    tensors, about = load_checkpoint(checkpoint)
    matrix, labels = about["cell"]
    cell = Cell(f"{matrix} {labels}", op_names=about["op_names"])
    config = read_config(about, Path(checkpoint) / FILE)
    network = build_network(cell, config, about["image_shape"][2], ops)
    _restore(network, tensors, Path(checkpoint))
    return network.eval()


# One run


class _Run:
    """All that changes during a run, and what it is of."""

    folder: Path | None = None
    checkpoint_seconds: float = 600.0
    log_path: Path | None = None
    progress: NamedProgress
    attempt = 1
    kept: int | None = None
    """The step that the checkpoint is of."""
    shards: Shards | None = None

    def __init__(
        self,
        cell: Cell,
        data: ImageData,
        config: TrainConfig,
        seed: int,
        device: torch.device,
        ops: Mapping[str, Factory],
    ) -> None:
        self.cell, self.data, self.config, self.seed = cell, data, config, seed
        self.device, self.ops = device, ops
        images = len(data.train)
        self.steps = config.steps(images)
        self.exact_steps = config.epochs * images / config.batch_size
        halfway = config.epochs * images // (2 * config.batch_size)
        # Steps before each evaluation; the first step moves running statistics only.
        self.stops = (1, max(1, halfway), self.steps)
        self.evaluated = {
            name: EvaluationBatches(split, data, config.batch_size, device)
            for name, split in data.evaluated.items()
        }

    def close(self) -> None:
        """Give back what a run has beside its result."""
        if self.shards is not None:
            self.shards.close()

    def way_on(self) -> str:
        """Say how to go on with a run that was interrupted."""
        if self.folder is None:
            return "nothing was kept: with checkpoint=FOLDER the same call would go on"
        if self.kept is None and not has_checkpoint(self.folder):
            return f"there is no checkpoint in {self.folder} yet: the same call begins anew"
        where = "" if self.kept is None else f"step {self.kept:,} of {self.steps:,}, by "
        return f"the same call goes on from {where}the checkpoint in {self.folder}"

    def finish(self) -> Result:
        """Make attempts until one ends well."""
        tensors: dict[str, Tensor] = {}
        about: dict[str, Any] = {}
        if self.folder is not None:
            remove_stale(self.folder)
        if self.folder is not None and has_checkpoint(self.folder):
            tensors, about = load_checkpoint(self.folder)
            self._check_same(about)
            self.attempt = about["attempt"]
        while True:
            self._begin()
            if about:
                self._resume(tensors, about)
                tensors, about = {}, {}
            try:
                self._attempt()
            except _DivergedError as error:
                tries = f"attempt {self.attempt} of {self.config.max_attempts}"
                if self.attempt == self.config.max_attempts:
                    raise DivergedError(
                        f"{self.cell!r}, seed {self.seed}: {error} in {tries}; a lower "
                        f"learning_rate than {self.config.learning_rate} may help"
                    ) from None
                self.progress(0, self.steps, f"{error} in {tries}: trying again")
                self.attempt += 1
            else:
                return self.result()

    def result(self) -> Result:
        start, halfway, final = self.evaluations
        return Result(
            cell=self.cell,
            config=self.config,
            seed=self.seed,
            evaluations=(start, halfway, final),
            trainable_parameters=self.network.trainable_parameters,
            total_time=self.total_time,
            attempts=self.attempt,
            data=self.data.name,
        )

    def _begin(self) -> None:
        """Set everything to the beginning of an attempt."""
        config = self.config
        self.started = perf_counter()
        self.step, self.training_time, self.total_time = 0, 0.0, 0.0
        self.clock: float | None = None
        self.evaluations: list[Evaluation] = []
        key = seed_of(self.seed, self.attempt).generate_state(2, np.uint32)
        # Of a module of one's own too, and whatever it draws with; torch's global stream stays.
        with _drawing, torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(key[0]) << 32 | int(key[1]))
            network = build_network(self.cell, config, self.data.image_shape[2], self.ops)
        # On CPU and GPU alike, convolutions are fastest with the channels of a pixel side by side.
        self.network = network.to(self.device).to(memory_format=torch.channels_last)
        self.close()
        own = {*self.ops, *registered_ops()}
        self.shards = make_shards(
            self.network, config, self.device, own_ops=not own.isdisjoint(self.cell.ops)
        )
        self.parameters: list[Tensor] = list(network.parameters())
        self.optimizer = RMSProp(
            self.parameters,
            lr=0.0,
            momentum=config.momentum,
            decay=config.decay,
            epsilon=config.epsilon,
            weight_decay=config.weight_decay,
        )
        self.batches = TrainingBatches(self.data, config, self.device, self.seed, self.attempt)
        self.log: Log | None = None
        self.losses: list[tuple[int, float, Tensor, Tensor | None]] = []
        self.looked = self.saved = perf_counter()
        self.words = "training"

    def _attempt(self) -> None:
        """Go on from where it is to the end, or until the loss is not finite."""
        if self.log_path is not None and len(self.evaluations) < len(self.stops):
            self.log = open_log(self.log_path, self.attempt, self.step)
        try:
            for number in range(len(self.evaluations), len(self.stops)):
                self._train_until(self.stops[number])
                self._evaluate(number)
                self._save(last=number == len(self.stops) - 1)
        finally:
            if self.log is not None:
                self.log.close()

    def _train_until(self, stop: int) -> None:
        # Only an evaluation leaves it; each call walks through all modules.
        self.network.train()
        while self.step < stop:
            if self.step == stop - 1:
                # The original's clock is read as a step begins, so the last one before an
                # evaluation is never in it, neither then nor later.
                self._stop_clock()
            else:
                self._start_clock()
            self._train_step()
            self.step += 1
            now = perf_counter()
            if len(self.losses) >= LOOK_STEPS or now - self.looked > LOOK_SECONDS:
                self._look_at_losses()
            if self.folder is not None and now - self.saved > self.checkpoint_seconds:
                self._look_at_losses()
                self._stop_clock()
                self._save()
            try:
                self.progress(self.step, self.steps, self.words)
            except BaseException:
                # For a run that is gone on from there. After a loss that is not finite there is
                # nothing to go on from, and the checkpoint before stands.
                with suppress(_DivergedError):
                    self._look_at_losses()
                    self._stop_clock()
                    self._save()
                raise
        self._look_at_losses()

    def _train_step(self) -> None:
        assert self.shards is not None
        config = self.config
        rate = config.learning_rate_at(self.step, self.exact_steps)
        loss = self.shards(*self.batches[self.step])
        self.losses.append((self.step, rate, loss, self._penalty()))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        # Memory that CUDA graphs write gradients to must stay where it is.
        self.optimizer.zero_grad(set_to_none=config.compile in ("none", "default"))

    def _penalty(self) -> Tensor | None:
        """Return what the loss has for the size of weights; only a log needs it."""
        if self.log is None:
            return None
        with torch.no_grad():
            squares = torch.stack(torch._foreach_norm(self.parameters)).square().sum()
        return self.config.weight_decay / 2 * squares

    def _look_at_losses(self) -> None:
        """Log the losses of the last steps, and see whether all are finite.

        Not at each step: on a GPU that would wait for all that is under way.
        """
        if not self.losses:
            return
        entropies = torch.stack([entry[2] for entry in self.losses]).tolist()
        steps = []
        for (step, rate, _, penalty), entropy in zip(self.losses, entropies, strict=True):
            epoch = step * self.config.batch_size / self.batches.images
            whole = entropy if penalty is None else entropy + float(penalty)
            steps.append(Step(self.attempt, step, epoch, rate, entropy, whole))
        self.losses.clear()
        self.looked = perf_counter()
        if self.log is not None:
            self.log.write(steps)
        for one in steps:
            if not math.isfinite(one.cross_entropy):
                raise _DivergedError(f"the loss was {one.cross_entropy} at step {one.step}")
        self.words = f"training, loss {steps[-1].cross_entropy:.3f}"

    @torch.inference_mode()
    def _evaluate(self, number: int) -> None:
        """Measure the accuracies of the three sets with the running statistics of batch norm."""
        self.network.eval()
        accuracies = []
        for name, batches in self.evaluated.items():
            correct = torch.zeros((), dtype=torch.int64, device=self.device)
            for images, labels in batches:
                # At each batch: on a CPU a set may take minutes.
                try:
                    self.progress(self.step, self.steps, f"evaluating on {name} images")
                except BaseException:
                    self._save()
                    raise
                with autocast(self.config, self.device):
                    logits = self.network(images)
                correct += (logits.argmax(1) == labels).sum()
            accuracy = int(correct) / batches.images if batches.images else math.nan
            accuracies.append(float(np.float32(accuracy)))
        self.evaluations.append(
            Evaluation(
                self.config.epochs * number / 2,
                float(np.float32(self.training_time)),
                *accuracies,
            )
        )

    def _start_clock(self) -> None:
        if self.clock is None:
            wait_for(self.device)
            self.clock = perf_counter()

    def _stop_clock(self) -> None:
        if self.clock is not None:
            wait_for(self.device)
            self.training_time += perf_counter() - self.clock
            self.clock = None

    # Checkpoints

    def _save(self, last: bool = False) -> None:
        now = perf_counter()
        self.total_time += now - self.started
        self.started = now
        if self.folder is None:
            return
        tensors = {f"network.{name}": x for name, x in self.network.state_dict().items()}
        for name, param in self.network.named_parameters():
            for key, value in self.optimizer.state[param].items():
                tensors[f"optimizer.{key}.{name}"] = value
        about = self._identity() | {
            "attempt": self.attempt,
            "step": self.step,
            "training_time": self.training_time,
            "total_time": self.total_time,
            "evaluations": [list(evaluation) for evaluation in self.evaluations],
        }
        try:
            save_checkpoint(self.folder, tensors, about)
            self.kept, self.saved = self.step, perf_counter()
        except OSError as error:
            if not last:
                raise
            # The result is worth more than the weights.
            warnings.warn(
                f"the run is finished, but its last checkpoint could not be written: {error}",
                RuntimeWarning,
                stacklevel=2,
            )

    def _identity(self) -> dict[str, Any]:
        """Return what a checkpoint must share with the run that goes on from it."""
        return {
            "cell": list(self.cell.to_text()),
            "op_names": list(self.cell.op_names),
            "config": self.config.to_dict(),
            "seed": self.seed,
            # By what it is, and not by its name, which may come from that of a file.
            "data": {
                "checksum": self.data.checksum,
                "mean": list(self.data.mean),
                "std": list(self.data.std),
            },
            "image_shape": list(self.data.image_shape),
        }

    def _check_same(self, about: Mapping[str, Any]) -> None:
        """Refuse the checkpoint of another run."""
        path, mine = self._path(), self._identity()
        theirs = read_config(about, path).recipe()
        try:
            what = [name for name in ("cell", "seed", "data") if about[name] != mine[name]]
            known = [about[name] for name in ("attempt", "step", "training_time", "total_time")]
            whole = len(about["evaluations"]) <= len(self.stops) and None not in known
        except (KeyError, TypeError):
            raise DamagedCheckpointError(path) from None
        ours = self.config.recipe()
        what += [
            f"{name} ({theirs[name]} there, {ours[name]} here)"
            for name in ours
            # More attempts than before may be made.
            if theirs[name] != ours[name] and name != "max_attempts"
        ]
        if what or not whole:
            raise CheckpointError(
                f"{path} is of another run: it differs in {', '.join(what)}; give another folder, "
                "or delete it to begin anew",
                path=path,
            )

    def _resume(self, tensors: dict[str, Tensor], about: Mapping[str, Any]) -> None:
        path = self._path()
        _restore(self.network, tensors, path)
        if about["step"] > 0:
            for name, param in self.network.named_parameters():
                self.optimizer._initialise(param)
                for key, value in self.optimizer.state[param].items():
                    value.copy_(_tensor(tensors, f"optimizer.{key}.{name}", value, path))
        self.step, self.training_time = about["step"], about["training_time"]
        self.total_time = about["total_time"]
        self.kept = self.step
        self.evaluations = [Evaluation(*values) for values in about["evaluations"]]

    def _path(self) -> Path:
        assert self.folder is not None
        return self.folder / FILE


@contextmanager
def _between_steps(keeps: bool) -> Iterator[Callable[[], None]]:
    """Let Ctrl-C end a run between two steps, where it can be kept; a second one ends it at once.

    The function given is to be called between steps. Programs with a handler of their own keep it.
    """
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    def check() -> None:
        if asked:
            raise KeyboardInterrupt

    if (
        not keeps
        or threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield check
        return
    signal.signal(signal.SIGINT, ask)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class _DivergedError(Exception):
    """A loss that was not finite."""


# Parts of it, for benchmarks and those who write loops of their own


def find_device(config: TrainConfig) -> torch.device:
    """Return the device of a configuration.

    Raises
    ------
    TrainingError
        If there is no such device, or it lacks the precision asked for.
    """
    name = config.device
    if name == "auto":
        name = "cpu"
        if torch.cuda.is_available():
            name = "cuda"
        elif torch.backends.mps.is_available():
            name = "mps"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise TrainingError(f"device {config.device!r} cannot be used: {reason}") from None
    if config.precision == "tf32" and device.type != "cuda":
        raise TrainingError(
            f"precision tf32 is a matter of CUDA devices, and the device is {device}: take fp32"
        )
    return device


def wait_for(device: torch.device) -> None:
    """Wait for what a device has yet to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


@contextmanager
def computing(config: TrainConfig, device: torch.device) -> Iterator[None]:
    """Set the precision and determinism of CUDA for a while."""
    if device.type != "cuda":
        yield
        return
    fast = config.precision == "tf32"
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if fast else "highest")
    try:
        with torch.backends.cudnn.flags(
            enabled=True,
            benchmark=not config.deterministic,
            deterministic=config.deterministic,
            allow_tf32=fast,
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def build_network(
    cell: Cell,
    config: TrainConfig,
    image_channels: int = 3,
    ops: Mapping[str, Factory] | None = None,
) -> Network:
    """Make the network of a recipe."""
    return Network(
        cell,
        config.stem_channels,
        config.stacks,
        config.cells_per_stack,
        config.num_classes,
        ops,
        image_channels=image_channels,
        bn_decay=config.bn_decay,
        bn_epsilon=config.bn_epsilon,
    )


def _restore(network: Network, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Copy the weights of a checkpoint."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            value.copy_(_tensor(tensors, f"network.{name}", value, path))


def _tensor(tensors: Mapping[str, Tensor], name: str, like: Tensor, path: Path) -> Tensor:
    tensor = tensors.get(name)
    if tensor is None or tensor.shape != like.shape:
        raise CheckpointError(
            f"{path} does not fit the network: {name} is "
            f"{'missing' if tensor is None else f'of shape {tuple(tensor.shape)}'}; were its ops "
            "others?",
            path=path,
        )
    return tensor


def _check(cell: Cell, data: ImageData, config: TrainConfig, seed: int) -> None:
    """Check arguments against each other, before any work."""
    for name, value, kind in (
        ("cell", cell, Cell),
        ("data", data, ImageData),
        ("config", config, TrainConfig),
    ):
        if not isinstance(value, kind):
            raise ArgumentTypeError(
                f"{name} must be {'an' if kind is ImageData else 'a'} {kind.__name__}, not "
                f"{type(value).__name__}",
                field=name,
            )
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool):
        raise ArgumentTypeError(f"seed must be a whole number, not {seed!r}", field="seed")
    if not 0 <= seed < 2**63:
        raise ArgumentError(f"seed must be from 0 to 2^63 - 1, not {seed}", field="seed")
    config.check_images(data.name, data.num_classes, len(data.train))


@contextmanager
def _memory_errors(config: TrainConfig, device: torch.device) -> Iterator[None]:
    """Say what to lower where memory is short."""
    try:
        yield
    except NB101Error:
        raise
    except (RuntimeError, MemoryError) as error:
        short = ("out of memory", "can't allocate memory", "not enough memory")
        text = str(error).lower()
        if not isinstance(error, MemoryError) and not any(words in text for words in short):
            raise
        ways = "" if config.precision == "bf16" else "take precision='bf16', or "
        if device.type == "cpu" and torch.get_num_threads() > 1:
            ways = "give torch one thread, or "
        raise TrainingError(
            f"out of memory on {device}: {ways}let fewer runs share it; or, for another recipe "
            f"with other results, lower stem_channels ({config.stem_channels}) or batch_size "
            f"({config.batch_size}), or raise bn_shards ({config.bn_shards}), so that fewer images "
            "are passed at a time"
        ) from error
