"""Tables of runs, their files, and the benchmark that is queried like the original.

What a table is about, the cells and their ids, is `nb101.space`.
"""

from nb101.table.benchmark import Benchmark, Run, Runs, Spent
from nb101.table.best import Best
from nb101.table.official import Problem, convert
from nb101.table.table import Table, _restore  # noqa: F401  In pickles of version 0.1.

__all__ = ["Benchmark", "Best", "Problem", "Run", "Runs", "Spent", "Table", "convert"]


def __dir__() -> list[str]:
    return sorted(__all__)
