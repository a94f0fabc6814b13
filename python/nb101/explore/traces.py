"""Traces of searches for the page: what ``nb101 search compare`` has left in a folder."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nb101._base.files import file_errors
from nb101.errors import DatasetError, SearchError
from nb101.explore.columns import slug
from nb101.explore.encoding import plain
from nb101.plain import printable
from nb101.search.folder import Comparison
from nb101.search.searcher import registry
from nb101.search.trace import AGAIN, Trace
from nb101.space.lookup import Ids
from nb101.table.schema import Array
from nb101.table.table import Table

NOWHERE = np.uint32(0xFFFFFFFF)
"""The row of a cell that the table does not have."""
METRIC = "test_accuracy"
"""What regret is of."""


class TraceFolder:
    """The folder of a comparison, some runs of each of its algorithms.

    Parameters
    ----------
    folder
        The folder.
    table
        What is shown: cells are of its space.
    runs
        How many runs of an algorithm there are to be at most: the first ones.
    number
        Of the folder, among several.

    Raises
    ------
    SearchError
        If it is no folder of a comparison, has no trace, or is of another space.
    DatasetError, OSError
        If it is damaged, or cannot be read.
    """

    def __init__(
        self, folder: str | os.PathLike[str], table: Table, runs: int, number: int = 0
    ) -> None:
        with file_errors(folder):
            self.comparison = Comparison.open(folder)
            found = {name: self.comparison.paths(name)[:runs] for name in self.comparison.runs}
        if not found:
            raise SearchError(
                f"{os.fspath(folder)} has no traces: nb101 search compare makes some", path=folder
            )
        if self.comparison.space != table.space:
            raise SearchError(
                f"{os.fspath(folder)} has traces of another space than the table's: "
                f"{self.comparison.space!r}, not {table.space!r}",
                path=folder,
            )
        self._table = table
        self._paths = {
            (name, int(path.stem)): (f"traces/{number}/{slug(name)}-{int(path.stem)}", path)
            for name, paths in found.items()
            for path in paths
        }

    def entries(self, ending: str = ".bin") -> list[dict[str, Any]]:
        """Return what a manifest has of the folder, an entry an algorithm."""
        titles = {name: entry.title for name, entry in registry().items()}
        plan = self.comparison.plan
        budgets = [budget for budget in plan.table["budgets"] if type(budget) is int]
        found: dict[str, dict[str, Any]] = {}
        best = self._best()
        for (name, run), (place, path) in self._paths.items():
            one = found.setdefault(
                name,
                {
                    "algorithm": name,
                    "title": titles.get(name, printable(name)),
                    "folder": printable(self.comparison.folder.name or "."),
                    "metric": METRIC,
                    "epochs": max(budgets, default=None),
                    "best": best,
                    "runs": [],
                },
            )
            one["runs"].append(
                {
                    "run": run,
                    "seed": plan.seed,
                    "queries": count_queries(path),
                    "file": f"{place}{ending}",
                }
            )
        return list(found.values())

    def _best(self) -> float | None:
        """Return what regret is against, where it is of the table that is shown."""
        from nb101.search.domain import checksum

        if checksum(self._table) != self.comparison.plan.table["checksum"]:
            return None
        return self._table.best(METRIC).value

    def files(self, table: Table) -> Mapping[str, Callable[[], bytes]]:
        """Return what makes each file, by its path."""
        return {
            f"{place}.bin": partial(_read, path, table.cell_ids)
            for place, path in self._paths.values()
        }


def count_queries(path: Path) -> int:
    """Return the number of queries of a trace, without reading them.

    Raises
    ------
    DatasetError
        If it is no trace.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError, ValueError):
        raise DatasetError(f"{path} is not the trace of a search: {AGAIN}", path=path) from None


def _read(path: Path, cell_ids: Ids) -> bytes:
    with file_errors(path):
        return trace_bytes(Trace.open(path), cell_ids)


def trace_bytes(trace: Trace, cell_ids: Ids) -> bytes:
    """Return a trace as a page reads it: seconds, accuracies, regrets, rows, one after the other.

    Parameters
    ----------
    trace
        The trace.
    cell_ids
        Ids of the rows, ascending.
    """
    rows = np.searchsorted(cell_ids, trace.cell_ids)
    there = rows < len(cell_ids)
    there[there] = cell_ids[rows[there]] == trace.cell_ids[there]
    parts: tuple[Array, ...] = (
        trace.seconds.astype(np.float64),
        trace.validation_accuracy.astype(np.float32),
        trace.regret.astype(np.float32),
        np.where(there, rows, NOWHERE).astype(np.uint32),
    )
    return b"".join(map(plain, parts))
