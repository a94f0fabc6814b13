"""How much work executors are given."""

from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from nb101._base.processes import in_flight


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
