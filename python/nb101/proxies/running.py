"""`run`: proxies of many cells by several processes, kept in a folder as they come.

It may be stopped or killed at any moment: the same call goes on. What is in the folder is not
computed again, and what was under way is, which is some seconds of each process.
"""

import os
import socket
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nb101._base.checks import check_path, check_progress, check_range, check_type, check_whole
from nb101._base.executors import CANCELLED, ending_of, in_flight
from nb101._base.files import claim_folder, remove_stale
from nb101._base.processes import import_modules, refuse_in_import
from nb101._base.progress import Progress, given_or_shown
from nb101._base.runtime import get_threads
from nb101._core import __version__
from nb101.campaign.pool import LocalProcesses, local_devices, own_device
from nb101.errors import TrainingError
from nb101.proxies.batch import Batch, make_batch
from nb101.proxies.catalog import check_names
from nb101.proxies.folder import (
    MADE_BY,
    PARTS,
    Keeper,
    Part,
    Plan,
    agree,
    only_writer,
    read,
    read_parts,
)
from nb101.proxies.scores import Scores
from nb101.proxies.scoring import BATCH_SIZE, check_recipe, compute, describe
from nb101.space.cells import Cells
from nb101.space.default import space_of
from nb101.space.lookup import Ids, ids_of
from nb101.space.search_space import SearchSpace
from nb101.train.config import MOST, TrainConfig
from nb101.train.device import find_device, get_torch_threads
from nb101.train.images import ImageData

MOST_CELLS = 64
"""Cells that a process is given at a time."""
SECONDS = 10.0
"""After which it gives back what it has, to be kept."""
TRIES = 3
"""How often cells are given out whose process dies."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Some cells to be scored, as a process gets them.

    Attributes
    ----------
    cells, names, config, seed
        As for `nb101.proxies.score`.
    images, labels
        The batch: pixels as numbers, shape ``(n, h, w, channels)``, and classes.
    threads
        Of the CPU.
    imports
        Modules that register ops.
    nb101
        The version that the scores are to be of.
    nonce
        Makes each task another one, since executors may keep the results of equal ones.
    """

    cells: Cells
    names: tuple[str, ...]
    config: TrainConfig
    seed: int
    images: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    threads: int
    imports: tuple[str, ...]
    nb101: str
    nonce: int


def run(
    cells: "Cells | Iterable[Any]",
    folder: str | os.PathLike[str],
    names: "str | Iterable[str] | None" = None,
    *,
    config: TrainConfig | None = None,
    seed: int = 0,
    images: ImageData | None = None,
    batch_size: int = BATCH_SIZE,
    space: SearchSpace | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    threads: int | None = None,
    imports: Iterable[str] = (),
    progress: Progress | None = None,
) -> Scores:
    """Score cells by several processes, and keep the scores in a folder; go on where that stopped.

    More cells may be asked for later: those that are done stay. A script has the call under
    ``if __name__ == "__main__":``, for processes import the script.

    Parameters
    ----------
    cells
        `Cells`, or ids, or a list of what `SearchSpace.index` takes; each is scored once.
    folder
        Where scores are kept; made if need be.
    names, config, seed, images, batch_size
        As for `score`.
    space
        Of the ids; NAS-Bench-101 by default.
    executor
        What computes: any of `concurrent.futures`, or one of its kind such as Dask's
        ``client.get_executor()``. By default processes of this machine, one a GPU or one a core.
    workers
        How many of those.
    threads
        Of each process on the CPU; by default the cores are shared out. Scores are the same bit for
        bit where it is.
    imports
        Modules that register ops, here and in processes.
    progress
        Called with the cells done and their number. Without it a notebook shows a bar.

    Returns
    -------
    All scores that the folder has, by ascending id; see `read`.

    Raises
    ------
    FolderError
        If the folder has other scores, and the message says where they differ; or another process
        is writing to it, or it is something else's.
    TrainingError
        If the executor or its workers ended, the device cannot be used, or memory is short.
    ArgumentError
        If an argument cannot be what it is.
    """
    refuse_in_import()
    get_torch_threads()
    import_modules(imports)
    chosen = check_names(names)
    config = check_recipe(config, images, None)
    seed = check_range("seed", seed, 0, 2**63 - 1)
    batch_size = check_range("batch_size", batch_size, 2, MOST)
    check_path(folder, "folder")
    check_progress(progress)
    for name, number in (("workers", workers), ("threads", threads)):
        if number is not None:
            check_whole(name, number)
    if executor is not None:
        check_type("executor", executor, Executor)
    space = space_of(space)
    wanted: Ids = np.unique(np.atleast_1d(ids_of(space, cells)))
    plan = Plan(
        names=chosen,
        about=describe(config, seed, images, batch_size),
        space=(space.max_vertices, space.max_edges, space.ops),
        nb101=__version__,
    )
    batch = make_batch(images, batch_size, config, seed, torch.device("cpu"))
    target = claim_folder(folder, MADE_BY)
    with only_writer(target), given_or_shown(progress, "scoring", len(wanted)) as show:
        (target / PARTS).mkdir(exist_ok=True)
        for place in (target, target / PARTS):
            remove_stale(place)
        # Another plan's parts are none of this one, and not to be put aside.
        agree(target, plan, 0)
        parts = read_parts(target, plan, mend=True)
        done = np.concatenate([np.empty(0, np.int64), *(part.ids for part in parts)])
        agree(target, plan, len(np.union1d(wanted, done)))
        keeper = Keeper(target, plan, parts)
        left = np.setdiff1d(wanted, done)
        show(len(wanted) - len(left), len(wanted))
        if len(left):
            with _workers(executor, workers, config) as (pool, width):
                count = threads or max(1, get_threads() // max(1, width // 2))
                giver = _Giver(plan, config, seed, batch, count, tuple(imports), space)
                for part in giver.collect(pool, width, left):
                    keeper.keep(part)
                    show(len(wanted) - giver.left, len(wanted))
    return read(target)


@contextmanager
def _workers(
    executor: Executor | None, workers: int | None, config: TrainConfig
) -> Iterator[tuple[Executor, int]]:
    """Provide what computes, and how many tasks it should have."""
    if executor is not None:
        yield executor, in_flight(executor) or 64
        return
    devices = local_devices(workers, 1, config.device)
    pool = LocalProcesses(devices)
    try:
        yield pool, 2 * len(devices)
    except BaseException:
        # Nobody waits for them any more.
        pool.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


class _Giver:
    """Gives out cells, and takes back scores."""

    def __init__(
        self,
        plan: Plan,
        config: TrainConfig,
        seed: int,
        batch: Batch,
        threads: int,
        imports: tuple[str, ...],
        space: SearchSpace,
    ) -> None:
        self.plan, self.config, self.seed, self.threads = plan, config, seed, threads
        self.images = batch.images.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels = batch.labels.numpy()
        self.imports, self.space = imports, space
        self.given = 0
        self.left = 0

    def collect(self, pool: Executor, width: int, ids: Ids) -> Iterator[Part]:
        """Keep some tasks in flight, and yield what comes back."""
        self.left = len(ids)
        # Few at a time where there are few, so that all processes have some.
        size = max(1, min(MOST_CELLS, len(ids) // (2 * width)))
        waiting = [(ids[i : i + size], 0) for i in range(0, len(ids), size)][::-1]
        flying: dict[Future[Any], tuple[Ids, int]] = {}
        try:
            while waiting or flying:
                while waiting and len(flying) < width:
                    some, tries = waiting.pop()
                    with _executor_errors():
                        flying[pool.submit(work, self._task(some))] = (some, tries)
                for future in wait(flying, return_when=FIRST_COMPLETED).done:
                    some, tries = flying.pop(future)
                    error = future.exception()
                    if error is not None and ending_of(error) in ("ended", "killed"):
                        if tries + 1 >= TRIES:
                            first, last = int(some[0]), int(some[-1])
                            raise TrainingError(
                                f"a process that scored cells {first} to {last} died, {TRIES} "
                                "times: the system ends processes when memory is short; fewer "
                                "workers or a smaller batch_size need less. The same call goes on "
                                "where this one was"
                            )
                        waiting.append((some, tries + 1))
                        continue
                    with _executor_errors():
                        done, columns, seconds = future.result()
                    if done < len(some):
                        waiting.append((some[done:], 0))
                    self.left -= done
                    yield Part(some[:done], columns, seconds)
        finally:
            for future in flying:
                future.cancel()

    def _task(self, ids: Ids) -> Task:
        self.given += 1
        return Task(
            cells=self.space[ids],
            names=self.plan.names,
            config=self.config,
            seed=self.seed,
            images=self.images,
            labels=self.labels,
            threads=self.threads,
            imports=self.imports,
            nb101=self.plan.nb101,
            nonce=self.given,
        )


@contextmanager
def _executor_errors() -> Iterator[None]:
    """Say what it means that an executor ended."""
    try:
        yield
    except Exception as error:
        if ending_of(error) is None:
            raise
        raise TrainingError(f"{CANCELLED} The same call goes on where this one was") from None


# In the process


def work(task: Task) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Score the first cells of a task, as many as `SECONDS` allow; at least one.

    Returns
    -------
    How many, and their scores and seconds by name.
    """
    if task.nb101 != __version__:
        raise TrainingError(
            f"{socket.gethostname()} has nb101 {__version__}, and the scores are of {task.nb101}"
        )
    import_modules(task.imports)
    if get_torch_threads() != task.threads:
        torch.set_num_threads(task.threads)
    device = own_device()
    config = task.config if device is None else task.config.replace(device=device)
    place = _place(config)
    images = torch.from_numpy(task.images).to(place).permute(0, 3, 1, 2)
    batch = Batch(images, torch.from_numpy(task.labels).to(place))
    started = time.monotonic()
    columns: dict[str, list[Any]] = {name: [] for name in task.names}
    seconds: dict[str, list[Any]] = {name: [] for name in task.names}
    done = 0
    while done < len(task.cells) and (done == 0 or time.monotonic() - started < SECONDS):
        one = task.cells[done : done + 1]
        found, took = compute(one, task.names, config, task.seed, batch, place, None, _unheard)
        for name in task.names:
            columns[name].append(found[name])
            seconds[name].append(took[name])
        done += 1
    return (
        done,
        {name: np.concatenate(column) for name, column in columns.items()},
        {name: np.concatenate(column) for name, column in seconds.items()},
    )


@lru_cache(maxsize=1)
def _place(config: TrainConfig) -> torch.device:
    return find_device(config)


def _unheard(done: int, total: int) -> None:
    """Nobody listens to a process."""
