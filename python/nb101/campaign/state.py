"""How far a campaign is: its `Status`, from the ledger and from what its workers note."""

import math
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from nb101._base.progress import duration
from nb101.campaign.database import STATES
from nb101.campaign.folder import run_key
from nb101.campaign.ledger import Compared, Ledger
from nb101.campaign.session import NO_NOTE, is_at_work, read_now, session_start
from nb101.plain import counted, printable

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
        Which; see `nb101.campaign.plan.PlannedRun`.
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
        lost = [f"{what} is damaged in both" for what in compared.lost]
        warn_of_damage(path, [*compared.damage(), *lost])
        return read_status(path, ledger, at_work=is_at_work(path), compared=compared)


def warn_of_damage(folder: Path, words: Sequence[str]) -> None:
    """Warn of what is damaged in a folder."""
    if words:
        warnings.warn(
            f"{folder} is damaged, and nb101 campaign run {folder} repairs it: {'; '.join(words)}",
            RuntimeWarning,
            stacklevel=4,
        )


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
        per_second, costs = _rates(ledger, session_start(folder), under_way)
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
        with suppress(*NO_NOTE):
            about = read_now(folder / run_key(*which))
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
