"""What a campaign has come to: its status, its failures, the ranking of a grid, and the table."""

import json
import math
import time
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from nb101._base.files import locked
from nb101._base.progress import duration
from nb101._base.seals import read_sealed_json
from nb101.campaign.ledger import LEDGER, RESULTS, STATES, Compared, Ledger
from nb101.campaign.plan import Plan
from nb101.campaign.results import MEASURED, RECORD
from nb101.campaign.worker import NOW, SESSION
from nb101.errors import CampaignError, DatasetError
from nb101.plain import counted, printable
from nb101.table.table import Table

LOCK = ".lock"
RECENT = 100
"""Finished runs that a rate is taken from."""
FRESH_SECONDS = 60.0
"""How old the progress of a run may be for it to be at work."""


@dataclass(frozen=True, kw_only=True)
class Active:
    """A run that a worker is computing.

    Attributes
    ----------
    cell_id, epochs, repeat, setting
        Which; see `Run`.
    step, steps, words
        How far it is: steps done, their number, and what is being done.
    host
        Name of the worker's machine.
    seconds
        Since the worker began with it or went on.
    """

    cell_id: int
    epochs: int
    repeat: int
    setting: int
    step: int
    steps: int
    words: str
    host: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that has failed for good, as long as no more tries are allowed.

    Attributes
    ----------
    cell_id, epochs, repeat, setting
        Which; see `Run`.
    kind
        ``"diverged"``, ``"failed"``, or ``"lost"`` with its worker.
    message
        The last error, in one line.
    tries
        How often it was tried.
    """

    cell_id: int
    epochs: int
    repeat: int
    setting: int
    kind: str
    message: str
    tries: int


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A setting of a grid.

    Attributes
    ----------
    setting, changes
        Its place in the plan, and its values.
    accuracy
        Mean final validation accuracy at the largest budget over `cells`, of their means over
        repeats; NaN if there are none.
    cells
        Cells compared: those that all settings have finished, but for settings that have finished
        none, which are not compared: 0 for them.
    done, failed
        Runs of the setting at all budgets.
    """

    setting: int
    changes: dict[str, Any]
    accuracy: float
    cells: int
    done: int
    failed: int


@dataclass(frozen=True, kw_only=True, repr=False)
class Status:
    """How far a campaign is.

    Attributes
    ----------
    folder, summary, fingerprint
        What it is: its folder, and its plan.
    settings
        Of its grid; 1 without.
    total, done, running, failed, waiting
        Runs by state. Running ones have been given to the executor; see `active` for those that a
        worker has begun with.
    runs_per_hour, seconds_left
        By what was finished last; `None` if nothing was yet, or nobody is at work.
    at_work
        Whether a coordinator is.
    stopping
        Whether it is about to stop.
    active
        What workers are doing.
    """

    folder: str
    summary: str
    fingerprint: str
    settings: int
    total: int
    done: int
    running: int
    failed: int
    waiting: int
    runs_per_hour: float | None = None
    seconds_left: float | None = None
    at_work: bool = False
    stopping: bool = False
    active: tuple[Active, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)

    def __repr__(self) -> str:
        states = [f"{n:,} {state}" for state, n in self._states().items() if n or state == "done"]
        work = "" if self.at_work else "; nobody is at work on it"
        total = counted(self.total, "run")
        return f"<Status: {printable(self.folder)}: {total}: {', '.join(states)}{work}>"

    def _states(self) -> dict[str, int]:
        return {state: getattr(self, state) for state in ("done", "running", "failed", "waiting")}

    def _repr_html_(self) -> str:
        from nb101.table import views

        rows: list[tuple[str, object]] = [("folder", self.folder), ("plan", self.summary)]
        rows += [(state, f"{n:,}") for state, n in self._states().items()]
        if self.runs_per_hour is not None:
            rows.append(("rate", f"{self.runs_per_hour:,.3g} runs an hour"))
        if self.seconds_left is not None and self.done < self.total:
            rows.append(("time left", duration(self.seconds_left)))
        note = "" if self.at_work else "Nobody is at work on it."
        return views.page("Campaign", None, views.facts(rows), note=note)


def status(folder: str | PathLike[str]) -> Status:
    """Say how far the campaign of a folder is, also while it runs.

    Raises
    ------
    CampaignError
        If there is none, or its ledger is damaged or of a newer version.

    Warns
    -----
    RuntimeWarning
        If results are damaged in the ledger or in ``results.jsonl`` beside it.
    """
    path = Path(folder)
    with Ledger.read(path) as ledger:
        compared = ledger.compare()
        _warn(path, [*compared.damage(), *(f"{x} is damaged in both" for x in compared.lost)])
        return read_status(path, ledger, at_work=_is_at_work(path), compared=compared)


def failures(folder: str | PathLike[str]) -> list[Failure]:
    """List the runs that have failed.

    Raises
    ------
    CampaignError
        As for `status`.
    """
    with Ledger.read(Path(folder)) as ledger:
        rows = ledger.failed()
    names = ("cell_id", "epochs", "repeat", "setting", "kind", "message", "tries")
    return [Failure(**dict(zip(names, row, strict=True))) for row in rows]


def ranking(folder: str | PathLike[str]) -> list[Ranked]:
    """Rank the settings of a grid by mean validation accuracy, the best first.

    As the original chose its recipe (section 2.4 of the paper): by the mean over a sample of cells.
    Compared are cells that every setting has finished with all repeats at the largest budget. A
    setting that has finished none of them is left out of that, and comes last.

    Raises
    ------
    CampaignError
        As for `status`.
    """
    with Ledger.read(Path(folder)) as ledger:
        return _rank(_results(Path(folder), ledger), ledger.plan())


def table(folder: str | PathLike[str], *, setting: int | None = None) -> Table:
    """Make a table of the finished runs of a campaign, also while it runs.

    The ledger is compared with ``results.jsonl`` beside it; what is damaged in one is taken from
    the other.

    Parameters
    ----------
    folder
        The campaign's.
    setting
        Which setting of a grid; the one that ranks first by default. A table has one recipe.

    Raises
    ------
    CampaignError
        As for `status`; if there is no such setting; or if results are damaged in both files.

    Warns
    -----
    RuntimeWarning
        As for `status`; or if the settings of a grid cannot be ranked yet, and the first one is
        taken.
    """
    with Ledger.read(Path(folder)) as ledger:
        plan = ledger.plan()
        compared = _results(Path(folder), ledger)
    if setting is None:
        setting = _best(compared, plan) if plan.grid else 0
    if not 0 <= setting < len(plan.settings):
        raise CampaignError(
            f"no setting {setting}: the plan has 0 to {len(plan.settings) - 1}", field="setting"
        )
    names = ("cell_id", "epochs", "repeat", "seed", *MEASURED)
    which, *places = (RECORD.index(name) for name in ("setting", *names))
    # By epochs, cell and repeat.
    rows = sorted(
        (record for record in compared.records.values() if record[which] == setting),
        key=lambda record: (record[places[1]], record[places[0]], record[places[2]]),
    )
    values = [[record[place] for record in rows] for place in places]
    # Seeds need all of their 63 bits; what was not measured is NULL there and NaN here.
    columns: dict[str, Any] = {
        name: np.array(column, dtype=np.int64 if name in names[:4] else np.float64)
        for name, column in zip(names, values, strict=True)
    }
    return Table.from_columns(
        columns,
        space=plan.space,
        provenance=_provenance(plan, setting, [row[_WORKER] for row in rows]),
    )


_WORKER = RECORD.index("worker")


def _results(folder: Path, ledger: Ledger) -> Compared:
    """Compare a ledger and its results; refuse what is damaged in both."""
    compared = ledger.compare()
    if compared.lost:
        raise CampaignError(
            f"{' and '.join(compared.lost)} in {folder} cannot be read in {LEDGER} nor in "
            f"{RESULTS}: nb101 campaign run {folder} does what is lost again",
            path=folder,
        )
    _warn(folder, compared.damage())
    return compared


def _warn(folder: Path, words: list[str]) -> None:
    if words:
        warnings.warn(
            f"{folder} is damaged, and nb101 campaign run {folder} repairs it: {'; '.join(words)}",
            RuntimeWarning,
            stacklevel=4,
        )


def _provenance(plan: Plan, setting: int, workers: list[str]) -> dict[str, Any]:
    """Say what the runs of a table are of, and what they were computed on."""
    recipe = plan.settings[setting].recipe()
    del recipe["epochs"]
    computed = [json.loads(worker) for worker in workers]
    hardware = Counter((w.get("device"), w.get("threads")) for w in computed)
    versions: dict[str, list[str]] = {}
    for name in ("nb101", "torch", "python"):
        versions[name] = sorted({str(w[name]) for w in computed if name in w})
    about: dict[str, Any] = {
        "kind": "measured",
        "source": "nb101 campaign",
        "recipe": recipe,
        "data": {name: x for name, x in plan.data.to_dict().items() if name != "source"},
        "plan": {
            "fingerprint": plan.fingerprint,
            "cells": len(plan.cells),
            "epochs": list(plan.epochs),
            "repeats": plan.repeats,
            "seed": plan.seed,
            "runs": len(plan) // len(plan.settings),
        },
        "versions": versions,
        "hardware": [
            {"device": device, "threads": threads, "runs": runs}
            for (device, threads), runs in sorted(hardware.items(), key=str)
        ],
    }
    if plan.grid:
        about["setting"] = plan.changes[setting]
    return about


def _best(compared: Compared, plan: Plan) -> int:
    """Return the setting that ranks first, and warn where there is no ranking."""
    first = _rank(compared, plan)[0]
    if not first.cells:
        warnings.warn(
            "the settings cannot be ranked: there is no cell that they have finished with all "
            f"repeats at {plan.epochs[-1]} epochs and have a validation accuracy of; the table is "
            f"of setting {first.setting}: give setting to choose one",
            RuntimeWarning,
            stacklevel=3,
        )
    return first.setting


def _rank(compared: Compared, plan: Plan) -> list[Ranked]:
    names = ("setting", "epochs", "cell_id", "final_validation_accuracy")
    places = [RECORD.index(name) for name in names]
    accuracies: list[dict[int, list[float | None]]] = [{} for _ in plan.settings]
    for record in compared.records.values():
        setting, epochs, cell_id, accuracy = (record[place] for place in places)
        if epochs == plan.epochs[-1]:
            accuracies[setting].setdefault(cell_id, []).append(accuracy)
    means: list[dict[int, float]] = []
    for own in accuracies:
        # Where there are no validation images, there is no mean.
        whole = {
            cell: [x for x in values if x is not None]
            for cell, values in own.items()
            if len(values) == plan.repeats
        }
        means.append({cell: math.fsum(x) / len(x) for cell, x in whole.items() if x})
    # One that finishes no cell, since it always diverges, says nothing of the others.
    finished = [set(own) for own in means if own]
    common = set.intersection(*finished) if finished else set()
    counts = compared.counts
    ranked = [
        Ranked(
            setting=setting,
            changes=plan.changes[setting],
            accuracy=math.fsum(own[i] for i in common) / len(common)
            if own and common
            else math.nan,
            cells=len(common) if own else 0,
            done=counts[setting, "done"],
            failed=counts[setting, "failed"],
        )
        for setting, own in enumerate(means)
    ]
    return sorted(ranked, key=lambda one: (-one.accuracy if one.cells else 1.0, one.setting))


# Status


def read_status(
    folder: Path,
    ledger: Ledger,
    *,
    at_work: bool,
    stopping: bool = False,
    compared: Compared | None = None,
) -> Status:
    """Make the status of an open ledger; by what was compared, or by the ledger alone."""
    if compared is None:
        counts = ledger.counts()
    else:
        counts = dict.fromkeys(STATES, 0)
        for (_, state), number in compared.counts.items():
            counts[state] += number
    if not at_work:
        # Those that a killed coordinator had given out begin again.
        counts["waiting"] += counts["running"]
        counts["running"] = 0
    active, under_way = _look_at_runs(folder, ledger) if at_work else ([], 0.0)
    per_second = costs = left = None
    if at_work:
        per_second, costs = _rates(ledger, _session_start(folder), under_way)
    if costs:
        ((cost,),) = ledger.query(
            "SELECT total(cost) FROM runs WHERE state IN ('waiting', 'running')"
        )
        left = (cost - under_way) / costs
    return Status(
        folder=str(folder),
        summary=ledger.about["summary"],
        fingerprint=ledger.about["fingerprint"],
        settings=int(ledger.about["settings"]),
        total=sum(counts.values()),
        runs_per_hour=None if per_second is None else 3600 * per_second,
        seconds_left=left,
        at_work=at_work,
        stopping=stopping,
        active=tuple(active),
        **counts,
    )


def _rates(ledger: Ledger, since: float, under_way: float) -> tuple[float | None, float | None]:
    """Return runs and costs a second, by the runs that this session finished last.

    While those are few, what is under way counts too; later as much was so when the first of them
    was finished.
    """
    rows = ledger.query(
        "SELECT finished, cost FROM runs WHERE state = 'done' AND finished > ? "
        "ORDER BY finished DESC LIMIT ?",
        (since, RECENT),
    )
    begun = since
    if len(rows) == RECENT or since == 0:
        begun, under_way = (rows.pop()[0] if rows else 0.0), 0.0
    seconds = time.time() - begun
    if begun == 0 or seconds <= 0 or not (rows or under_way):
        return None, None
    costs = math.fsum(cost for _, cost in rows) + under_way
    return (len(rows) / seconds if rows else None), costs / seconds


def _look_at_runs(folder: Path, ledger: Ledger) -> tuple[list[Active], float]:
    """Return what workers are doing, and the costs of what they have done of their runs."""
    rows = ledger.query(
        "SELECT cell_id, epochs, repeat, setting, cost FROM runs WHERE state = 'running' "
        "ORDER BY id"
    )
    active, under_way = [], 0.0
    now = time.time()
    for *which, cost in rows:
        with suppress(OSError, ValueError, KeyError, TypeError):
            about = _read(folder / run_key(*which) / NOW)
            # By two clocks, if the worker is elsewhere: so only roughly.
            if now - about["time"] > FRESH_SECONDS:
                continue
            active.append(
                Active(
                    **dict(zip(("cell_id", "epochs", "repeat", "setting"), which, strict=True)),
                    seconds=max(0.0, now - about["started"]),
                    **{name: about[name] for name in ("step", "steps", "words", "host")},
                )
            )
            under_way += cost * (about["step"] - about["first"]) / max(1, about["steps"])
    return active, under_way


def run_key(cell_id: int, epochs: int, repeat: int, setting: int) -> str:
    """Name the folder of a run's checkpoint; a thousand folders, so that none is too full."""
    return f"checkpoints/{cell_id % 1000:03}/{cell_id}-{epochs}-{repeat}-{setting}"


def _read(path: Path) -> dict[str, Any]:
    """Read a small file that is written again and again; a damaged one is no loss."""
    try:
        return read_sealed_json(path.read_bytes(), path, "")
    except DatasetError as error:
        raise ValueError(str(error)) from None


def _session_start(folder: Path) -> float:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return float(_read(folder / SESSION)["started"])
    return 0.0


def _is_at_work(folder: Path) -> bool:
    """Whether a coordinator holds the folder's lock."""

    class Busy(Exception):  # noqa: N818
        pass

    def refuse() -> None:
        raise Busy

    try:
        with locked(folder / LOCK, waiting=refuse):
            return False
    except Busy:
        return True
    except OSError:
        # A folder that may only be read: by whether a session is under way.
        return (folder / SESSION).exists()


def session_words(folder: Path) -> str:
    """Say who has a campaign in hand."""
    try:
        about = _read(folder / SESSION)
        since = datetime.fromtimestamp(about["started"], UTC)
        return f"process {about['pid']} on {about['host']}, since {since:%Y-%m-%d %H:%M} UTC"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
