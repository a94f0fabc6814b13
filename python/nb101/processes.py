"""Processes of a pool: Ctrl-C is their parent's business, and they end with it."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor

parent_died = threading.Event()
"""Set in a process after `begin_process` when its parent is gone."""


def begin_process(at_work: "threading.Lock | None" = None, grace: float = 0.0) -> None:
    """Make this process of a pool ignore Ctrl-C, and end when its parent is gone.

    A process that waits for work would not notice that, and nobody else would tell it.

    Parameters
    ----------
    at_work
        A lock that is held during work, which then has time to come to an end.
    grace
        That time, in seconds.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(at_work, grace), daemon=True).start()


def _end_with_parent(at_work: "threading.Lock | None", grace: float) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    parent_died.set()
    if at_work is not None:
        at_work.acquire(timeout=grace)
    os._exit(1)


def end_processes(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool at once, whatever they do; it still is to be shut down."""
    # There is no public way before Python 3.14.
    for process in list((pool._processes or {}).values()):
        process.kill()
