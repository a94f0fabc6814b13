"""Executors of any make: how much work they should have, and what their errors mean.

An executor raises a call's own error too; those here say that it could not be called to its end.
"""

from concurrent.futures import BrokenExecutor, CancelledError, Executor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Any, Literal

Ending = Literal["cancelled", "ended", "broken", "killed"]

CANCELLED = (
    "the executor has cancelled runs: has it been shut down, or the connection to its scheduler "
    "lost?"
)


def ending_of(error: BaseException) -> Ending | None:
    """Say what an error of an executor means; `None` of any other.

    ``"cancelled"``: nobody will make the call. ``"ended"``: a process of a pool is gone, and the
    pool with it. ``"broken"``: the executor is, for another reason. ``"killed"``: one worker of a
    cluster after the other died of the call.
    """
    if isinstance(error, CancelledError):
        return "cancelled"
    if isinstance(error, BrokenProcessPool):
        return "ended"
    if isinstance(error, BrokenExecutor):
        return "broken"
    # Dask's, which need not be installed.
    return "killed" if type(error).__name__ == "KilledWorker" else None


def in_flight(executor: Executor) -> int | None:
    """Return how many calls an executor should have, so that no worker ever waits for one.

    `None` if it does not say how many workers it has. Clusters come and go: ask again now and then.
    """
    workers = getattr(executor, "_max_workers", None)
    if isinstance(workers, int):
        return 2 * workers
    client: Any = getattr(executor, "_client", None)
    if not hasattr(client, "nthreads"):
        return None
    threads = 0
    with suppress(OSError, TimeoutError):
        threads = sum(client.nthreads().values())
    # An adaptive one grows by what waits for it.
    return 2 * threads + 16
