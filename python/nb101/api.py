"""The original interface: what programs written for NAS-Bench-101's own package rely on.

Names, arguments, results and draws of repeats are those of the original; the numbers are read from
a `Table`, in place. New programs had better use `nb101.Cell` and `nb101.Table`.

The table that the package carries serves too, so that programs run before anything is fetched:
``NASBench()``, or the environment variable ``NB101_TABLE``, which puts a table in the place of
whatever file a program asks for. It is predicted, and `NASBench.kind` says so.
"""

from nb101.compat.dataset import TABLE_VARIABLE, MissingDatasetError
from nb101.compat.model_spec import ModelSpec
from nb101.compat.nasbench import NASBench, OutOfDomainError
from nb101.compat.records import ComputedStatistics, FixedStatistics
from nb101.compat.records import Records as _Records  # noqa: F401  In pickles of version 0.1.

__all__ = [
    "TABLE_VARIABLE",
    "ComputedStatistics",
    "FixedStatistics",
    "MissingDatasetError",
    "ModelSpec",
    "NASBench",
    "OutOfDomainError",
]


def __dir__() -> list[str]:
    return sorted(__all__)
