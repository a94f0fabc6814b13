"""One run, wherever it is computed: what the coordinator gives to an executor.

Coordinator and workers share the campaign's folder, and no other way of talking (see
`nb101.campaign.session`). No run is computed twice at a time: its folder has a lock.
"""

import errno
import os
import platform
import socket
import sys
import threading
import traceback
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from nb101._base.files import locked, set_aside
from nb101._base.processes import import_modules
from nb101._core import __version__
from nb101.campaign.folder import IMAGES, LOCK
from nb101.campaign.images import load_images
from nb101.campaign.plan import DataSource
from nb101.campaign.session import FatalError, Now, Session, Stopped
from nb101.errors import CheckpointError, DatasetError, DivergedError, NB101Error
from nb101.space.cell import Cell
from nb101.train.config import TrainConfig
from nb101.train.data import ImageData, load
from nb101.train.result import Result

Kind = Literal["done", "stopped", "diverged", "failed", "lost", "fatal"]
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, kw_only=True)
class RunTask:
    """A run to be computed.

    Attributes
    ----------
    folder, token
        The campaign's folder, absolute, and the session that the task is of.
    key
        Name of the run: the folder of its checkpoint.
    cell, config, seed, data
        The run; see `nb101.train.train`.
    checkpoint_minutes
        As for `nb101.train.train`.
    threads
        Of the CPU; `None` leaves them as they are.
    imports
        Modules to be imported first: those that register ops.
    nonce
        Makes each task another one, since executors may keep the results of equal ones.
    """

    folder: str
    token: str
    key: str
    cell: Cell
    config: TrainConfig
    seed: int
    data: DataSource
    checkpoint_minutes: float = 10.0
    threads: int | None = None
    imports: tuple[str, ...] = ()
    nonce: int = 0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a task.

    Attributes
    ----------
    kind
        ``"done"``; ``"stopped"``, with a checkpoint; ``"diverged"``; ``"failed"``, as this run did;
        ``"lost"``, as this process did, which can compute nothing more; ``"fatal"``, as every run
        would.
    result
        Of a run that is done.
    message, details
        The error in one line, and its traceback.
    worker
        Who it was, and on what it computed.
    """

    kind: Kind
    result: Result | None = None
    message: str = ""
    details: str = ""
    worker: dict[str, Any] = field(default_factory=dict)


def work(task: RunTask, device: str | None = None) -> Outcome:
    """Compute a run, and say what became of it. This is what an executor is given; never raises.

    Parameters
    ----------
    task
        The run.
    device
        Instead of that of the recipe, for those who share out devices.
    """
    try:
        return _work(task, device)
    except Stopped:
        return Outcome(kind="stopped")
    except Exception as error:
        kind: Kind = "failed"
        if isinstance(error, DivergedError):
            kind = "diverged"
        elif isinstance(error, (FatalError, CheckpointError)) or _is_of_folder(error, task):
            kind = "fatal"
        elif _is_of_device(error):
            kind = "lost"
            _lost.append(_one_line(error))
        return Outcome(
            kind=kind,
            message=_one_line(error),
            details=traceback.format_exc(),
            worker={"host": socket.gethostname()},
        )


def _is_of_folder(error: BaseException, task: RunTask) -> bool:
    """Whether a file of the campaign could not be read or written, or the disk is full."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError):
            if cause.errno in _FULL:
                return True
            name = cause.filename or getattr(cause, "path", None)
            if isinstance(name, (str, os.PathLike)) and Path(name).is_relative_to(task.folder):
                return True
        cause = cause.__cause__
    return False


_lost: list[str] = []
"""The error after which this process cannot use its device any more."""


def _is_of_device(error: BaseException) -> bool:
    """Whether it is an error of CUDA, after which nothing works in this process."""
    # torch.AcceleratorError since torch 2.8, which may be none of CUDA's; RuntimeError before that.
    # Want of memory is a TrainingError by now.
    kind: Any = getattr(sys.modules.get("torch"), "AcceleratorError", ())
    return isinstance(error, kind) or (
        isinstance(error, RuntimeError) and "CUDA error" in str(error)
    )


def _work(task: RunTask, device: str | None) -> Outcome:
    session = Session(Path(task.folder), task.token)
    session.check()
    if _lost:
        # Processes of this package are replaced; those of other executors are not ours to end.
        raise FatalError(
            f"{socket.gethostname()}: worker process {os.getpid()} cannot use its device any more, "
            f"and has to be replaced, since {_lost[-1]}"
        )
    config = task.config if device is None else task.config.replace(device=device)
    try:
        import_modules(task.imports)
        import torch

        from nb101.train.checkpoint import FILE, DamagedCheckpointError
        from nb101.train.device import find_device, get_torch_threads
        from nb101.train.trainer import train
    except (ImportError, NB101Error) as error:
        raise FatalError(f"{socket.gethostname()}: {error}") from error
    if task.threads is not None and get_torch_threads() != task.threads:
        torch.set_num_threads(task.threads)
    data = _images(task)
    checkpoint = Path(task.folder) / task.key
    with ExitStack() as stack:
        # A worker of an earlier session, or one that was given up for lost, may still be at it.
        # When that has done it, the coordinator tidies up, at any moment until the lock is had.
        with suppress(FileNotFoundError):
            checkpoint.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(checkpoint / LOCK, waiting=session.look))
        session.check()
        if not (checkpoint / LOCK).is_file():
            raise Stopped
        now = Now(checkpoint)
        try:
            for fresh in (False, True):
                try:
                    result = train(
                        task.cell,
                        data,
                        config,
                        task.seed,
                        checkpoint=checkpoint,
                        checkpoint_minutes=task.checkpoint_minutes,
                        progress=_Reporter(session, now),
                    )
                    break
                except DamagedCheckpointError:
                    if fresh:
                        raise
                    # It stays beside earlier ones: the run begins anew.
                    with suppress(FileNotFoundError):
                        set_aside(checkpoint / FILE)
        finally:
            now.remove()
            if device is not None and device.startswith("cuda"):
                # Others share it.
                torch.cuda.empty_cache()
    return Outcome(kind="done", result=result, worker=describe_worker(find_device(config)))


class _Reporter:
    """What the trainer reports to: tells others how far it is, and ends the run if it must."""

    def __init__(self, session: Session, now: Now) -> None:
        self.session, self.now = session, now

    def __call__(self, step: int, steps: int, words: str) -> None:
        self.session.look()
        self.now.write(step, steps, words)


_loading = threading.Lock()


def _images(task: RunTask) -> ImageData:
    """Return the images of the plan; read once a process."""
    path = str(Path(task.folder) / IMAGES) if not task.data.source else ""
    # One at a time: the others would read the same.
    with _loading:
        try:
            data = _load(task.data.source, path, task.data.name)
        except (DatasetError, OSError) as error:
            raise FatalError(f"{socket.gethostname()}: {_one_line(error)}") from error
        planned = task.data
        what = []
        if data.checksum != planned.checksum:
            what.append(f"checksum is {data.checksum:08x} and not {planned.checksum:08x}")
        for name in ("mean", "std"):
            here, there = getattr(data, name), getattr(planned, name)
            if here != there:
                what.append(f"{name} is {here} and not {there}")
        if what:
            _load.cache_clear()
            raise FatalError(
                f"{socket.gethostname()}: the images of {planned.source or path} are not those of "
                f"the plan, {planned.name}: their {', and their '.join(what)}"
            )
    return data


@lru_cache(maxsize=1)
def _load(source: str, path: str, name: str) -> ImageData:
    # Not by their MD5: the checksum of all images is compared.
    data = load(source, verify=False) if source else load_images(Path(path))
    # The plan's name, since that of a file may differ from worker to worker.
    return replace(data, name=name)


def describe_worker(device: Any) -> dict[str, Any]:
    """Say what a run was computed on."""
    import torch

    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
        "threads": torch.get_num_threads(),
        "nb101": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


@lru_cache(maxsize=1)
def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _one_line(error: BaseException) -> str:
    """Say what an error is; what is not meant for users by its type too."""
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    else:
        text = str(error)
    known = isinstance(error, (NB101Error, OSError, FatalError))
    return " ".join((text if known else f"{type(error).__name__}: {text}").split())
