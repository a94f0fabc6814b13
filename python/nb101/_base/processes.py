"""Processes of pools, for campaigns and comparisons: they leave Ctrl-C to their parent.

They end with it too, and import what registers something before they work.
"""

import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from nb101.errors import ArgumentError

parent_died = threading.Event()
"""Set in a process after `begin_process` when its parent is gone."""


UNGUARDED = 78
"""Exit code of a process that was to work, and began the script of its parent anew instead."""
GUARD = (
    "worker processes import the script, which must not begin anew in them: put what it does under "
    "if __name__ == '__main__':"
)


def refuse_in_import() -> None:
    """End this process, silently, if it still imports the script of the one that started it.

    It would start processes in turn, each of them with a page of traceback. Its parent finds the
    exit code `UNGUARDED`, and says in a sentence what is wrong.
    """
    # multiprocessing itself tells by this whether a process may start others.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.stdout.flush()
        raise SystemExit(UNGUARDED)


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
    for process in processes_of(pool):
        process.kill()


def is_unguarded(pool: ProcessPoolExecutor) -> bool:
    """Tell whether a pool is broken because the script lacks the guard, before it is shut down."""
    processes = processes_of(pool)
    # A pool hears of an end a moment before the exit code is known.
    for process in processes:
        process.join(1)
    return any(process.exitcode == UNGUARDED for process in processes)


def processes_of(pool: ProcessPoolExecutor) -> list[Any]:
    """Return the processes of a pool, of which it forgets when it is shut down."""
    # There is no public way.
    return list((pool._processes or {}).values())


def import_modules(names: Iterable[str]) -> None:
    """Import modules that register something, here as in workers.

    Raises
    ------
    ArgumentError
        If one cannot be imported, whatever is wrong with it.
    """
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            raise ArgumentError(
                f"cannot import {name}: {type(error).__name__}: {error}", field="imports"
            ) from error
