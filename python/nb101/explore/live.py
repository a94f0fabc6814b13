"""A campaign for the page: the runs that have finished, also while it is computed.

Only its ledger is read, and only if it has changed.
"""

import os
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from nb101._base.files import file_errors
from nb101._base.lazy import lock_of
from nb101.campaign.folder import JOURNALS, LEDGER
from nb101.campaign.ledger import Ledger
from nb101.campaign.report import table as campaign_table
from nb101.campaign.session import is_at_work
from nb101.explore.manifest import About
from nb101.plain import printable
from nb101.space.search_space import SearchSpace
from nb101.table.table import Table

COLUMNS = ("row", "epochs", "repeat", "validation_accuracy", "test_accuracy", "training_time")
_RUNS = (
    "SELECT cell_id, epochs, repeat, final_validation_accuracy, final_test_accuracy, "
    "final_training_time FROM runs WHERE state = 'done' ORDER BY finished, id"
)


class LiveCampaign:
    """The folder of a campaign.

    Raises
    ------
    CampaignError
        If it holds none, or its ledger is damaged.
    OSError
        If it cannot be read.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        with file_errors(folder), Ledger.read(self.folder) as ledger:
            self.space: SearchSpace = ledger.plan().space
            self._summary = ledger.about["summary"]
            self._finished = ledger.counts()["done"]
        self._seen: tuple[object, ...] = ()
        self._counts: dict[str, int] = {}
        self._runs: list[tuple[Any, ...]] = []
        self._lock = lock_of(self)

    def entry(self, file: str, *, live: bool) -> dict[str, Any]:
        """Return what a manifest has of it."""
        name = self.folder.resolve().name
        return {"title": printable(f"{name}: {self._summary}"), "file": file, "live": live}

    def about(self) -> About:
        """Say how the table of its runs is called."""
        name = printable(self.folder.resolve().name)
        command = f"nb101 explore --campaign {shlex.quote(str(self.folder))}"
        python = f"nb101.campaign.table({str(self.folder)!r})"
        return About(name=name, title=f"Campaign {name}", command=command, python=python)

    def table(self) -> Table | None:
        """Return the table of the runs that have finished; None if there are none yet."""
        return campaign_table(self.folder) if self._finished else None

    def now(self, table: Table) -> dict[str, Any]:
        """Return what has finished, as the page reads it.

        Parameters
        ----------
        table
            What is shown: rows are of it, and -1 for cells that it does not have.

        Raises
        ------
        CampaignError, OSError
            If the ledger cannot be read any more.
        """
        with self._lock:
            self._look()
            counts, runs = dict(self._counts), self._runs
        at_work = is_at_work(self.folder)
        if not at_work:
            # Those that a killed coordinator had given out begin again.
            counts["waiting"] += counts["running"]
            counts["running"] = 0
        rows = rows_of(table, [run[0] for run in runs])
        return {
            "total": sum(counts.values()),
            "counts": {"finished": counts.pop("done"), **counts},
            "columns": list(COLUMNS),
            "runs": [[row, *run[1:]] for row, run in zip(rows, runs, strict=True)],
            "done": not counts["waiting"] and not counts["running"],
        }

    def _look(self) -> None:
        """Read the ledger, if its files are others than they were."""
        # Looked at before: what changes meanwhile is read the next time.
        seen = tuple(_signature(self.folder / f"{LEDGER}{ending}") for ending in ("", *JOURNALS))
        if seen == self._seen:
            return
        with Ledger.read(self.folder) as ledger:
            self._counts = ledger.counts()
            self._runs = [row for row in ledger.query(_RUNS) if is_run(row)]
        self._seen = seen


def rows_of(table: Table, cell_ids: list[int]) -> list[int]:
    """Return the rows of cells in a table; -1 for those that it does not have."""
    wanted = np.array(cell_ids, dtype=np.int64)
    places = np.searchsorted(table.cell_ids, wanted)
    found = np.append(table.cell_ids, -1)[places] == wanted
    listed: list[int] = np.where(found, places, -1).tolist()
    return listed


def is_run(row: tuple[Any, ...]) -> bool:
    """Whether a row of a ledger holds what it should."""
    return all(type(value) is int for value in row[:3]) and all(
        value is None or type(value) in (int, float) for value in row[3:]
    )


def _signature(path: Path) -> tuple[int, ...]:
    with suppress(OSError):
        found = path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino
    return ()
