"""The default executor: processes of this machine, each with a device and a share of the cores.

A pool of one process for each, so that one that dies breaks no other's run, as it would in a common
`ProcessPoolExecutor`; and is made anew by whoever gives it work.
"""

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Any

from nb101._base.processes import (
    GUARD,
    UNGUARDED,
    begin_process,
    end_processes,
    processes_of,
)
from nb101._base.runtime import get_threads
from nb101.campaign.worker import Outcome, RunTask, work
from nb101.errors import CampaignError

GRACE_SECONDS = 60.0
"""For a run to save a checkpoint when its coordinator is gone."""
START_TRIES = 5
"""Processes that may be killed as they start, one after the other, before that is an error."""

_Work = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class LocalProcesses(Executor):
    """An executor of processes that are started when needed and replaced when they die.

    A call whose process dies raises `BrokenProcessPool`; other calls hear nothing of it.

    Parameters
    ----------
    devices
        One entry a process: what its runs are computed on, as torch calls it, or `None` for what
        their recipes say.
    """

    def __init__(self, devices: Sequence[str | None]) -> None:
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._max_workers = len(devices)
        self._lock = threading.Lock()
        self._closed = False
        self._pools: dict[int, ProcessPoolExecutor] = {}
        self._threads = [
            threading.Thread(target=self._serve, args=(place, device), daemon=True)
            for place, device in enumerate(devices)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Call a function in the next process that is free."""
        future: Future[Any] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._queue.put((future, fn, args, kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes when they have done their work."""
        with self._lock:
            self._closed = True
        if cancel_futures:
            with suppress(queue.Empty):
                while True:
                    item = self._queue.get_nowait()
                    if item is not None:
                        item[0].cancel()
        for _ in self._threads:
            self._queue.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def kill(self) -> None:
        """End the processes at once, whatever they do."""
        for pool in list(self._pools.values()):
            end_processes(pool)

    def _serve(self, place: int, device: str | None) -> None:
        """Give work to one process, in a thread of its own."""
        if hasattr(signal, "pthread_sigmask"):
            # Children inherit it: Ctrl-C is the coordinator's business, and reaches all of them.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        while (item := self._queue.get()) is not None:
            future, fn, args, kwargs = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = self._submit(place, device, fn, args, kwargs).result()
            except BaseException as error:
                if isinstance(error, BrokenProcessPool):
                    self._pools.pop(place).shutdown(wait=False)
                future.set_exception(error)
            else:
                if isinstance(result, Outcome) and result.kind == "lost":
                    # Its device is out of order for it; a new process may have it.
                    self._pools.pop(place).shutdown()
                future.set_result(result)
        if place in self._pools:
            self._pools[place].shutdown()

    def _submit(self, place: int, device: str | None, *call: Any) -> "Future[Any]":
        """Give a call to a process, and start that if it is not there or has died idle."""
        if place not in self._pools or not _answers(self._pools[place]):
            self._pools[place] = _start(device)
        return self._pools[place].submit(_call, *call)


def _start(device: str | None) -> ProcessPoolExecutor:
    """Start a process; again if it is killed meanwhile, as when memory is short for a moment."""
    context = multiprocessing.get_context("spawn")
    for _ in range(START_TRIES):
        pool = ProcessPoolExecutor(1, context, initializer=_begin, initargs=(device,))
        processes: list[Any] = []
        try:
            answer = pool.submit(_call, os.getpid, (), {})
            processes = processes_of(pool)
            answer.result()
            return pool
        except (BrokenProcessPool, BrokenPipeError):
            pool.shutdown()
        if any(process.exitcode == UNGUARDED for process in processes):
            raise CampaignError(GUARD)
        # If it cannot start, no run is to blame. What was killed has less than 0 for a code.
        if any((process.exitcode or 0) > 0 for process in processes):
            raise CampaignError(
                f"a worker process ended as it started; what it wrote may say why. If not, {GUARD}"
            )
    raise CampaignError(
        f"a worker process was killed as it started, {START_TRIES} times: the system ends "
        "processes when memory is short; fewer workers need less"
    )


def _answers(pool: ProcessPoolExecutor) -> bool:
    """Ask a pool's process for a sign of life: its death is noticed some time after it."""
    try:
        pool.submit(_call, os.getpid, (), {}).result()
    except BrokenProcessPool:
        return False
    return True


# In the process

_device: str | None = None
_at_work = threading.Lock()


def _begin(device: str | None) -> None:
    global _device
    _device = device
    begin_process(_at_work, GRACE_SECONDS)


def _call(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with _at_work:
        return fn(*args, **kwargs)


def local_work(task: RunTask) -> Outcome:
    """`work`, on the device of this process."""
    return work(task, _device)


def own_device() -> str | None:
    """Return the device of this process; `None` for what recipes say."""
    return _device


# How many


def local_devices(workers: int | None, per_device: int, device: str) -> list[str | None]:
    """Choose the processes of this machine: so many a CUDA device, or `get_threads`.

    Parameters
    ----------
    workers
        Their number, or `None` to choose it.
    per_device
        Processes that share a device.
    device
        That of the recipe. Any but ``"auto"`` and ``"cuda"`` is taken as it is.
    """
    found: list[str | None] = [None]
    if device in ("auto", "cuda"):
        import torch

        found = [f"cuda:{i}" for i in range(torch.cuda.device_count())] or [None]
    on_cpu = found == [None] and device in ("auto", "cpu")
    if workers is None:
        workers = get_threads() if on_cpu else len(found) * per_device
    return [found[i % len(found)] for i in range(workers)]
