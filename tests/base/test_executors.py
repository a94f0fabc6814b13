"""How much work executors are given, and what their errors mean."""

from concurrent.futures import CancelledError, Executor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from concurrent.futures.thread import BrokenThreadPool
from typing import Any

from nb101._base.executors import ending_of, in_flight


class Cluster(Executor):
    """What an executor of Dask is seen as."""

    def __init__(self, nthreads: Any) -> None:
        self._client = self
        self.nthreads = nthreads


def test_how_much_is_in_flight() -> None:
    with ThreadPoolExecutor(3) as threads:
        assert in_flight(threads) == 6
    assert in_flight(Cluster(lambda: {"a": 4, "b": 2})) == 28
    assert in_flight(Cluster(dict)) == 16
    assert in_flight(Executor()) is None

    def away() -> Any:
        raise TimeoutError

    assert in_flight(Cluster(away)) == 16


def test_what_errors_of_executors_mean() -> None:
    class KilledWorker(Exception):  # noqa: N818
        """As Dask calls it."""

    assert ending_of(CancelledError()) == "cancelled"
    assert ending_of(BrokenProcessPool("terminated")) == "ended"
    assert ending_of(BrokenThreadPool("its initializer failed")) == "broken"
    assert ending_of(KilledWorker()) == "killed"
    assert ending_of(ZeroDivisionError()) is None
