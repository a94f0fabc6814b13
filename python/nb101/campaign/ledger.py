"""The ledger: what has become of each run of a plan, in one SQLite file.

Only the coordinator writes, one transaction a change. Every finished run is also a line of
``results.jsonl``, written before the ledger has it. Whenever a table is made, the two files are
compared: what is damaged in one is taken from the other, and the next coordinator repairs it; a run
that is damaged in both is named.
"""

import itertools
import json
import sqlite3
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from nb101._base.files import atomic_path, set_aside
from nb101._core import __version__
from nb101.campaign.database import (
    COLUMNS,
    INDEX,
    RUN,
    SCHEMA,
    STATES,
    DamagedLedgerError,
    Database,
    about_sum,
    connect,
    ledger_errors,
    row_sum,
)
from nb101.campaign.folder import JOURNALS, LEDGER, PLAN, RESULTS
from nb101.campaign.plan import Plan, PlannedRun
from nb101.campaign.results import (
    FORMAT,
    MEASURED,
    RECORD,
    Record,
    Results,
    Writer,
    checksum,
    make_record,
    record_line,
    record_sum,
    write_results,
)
from nb101.errors import CampaignError

NAMED = 5
"""Runs that a message names one by one."""

_AS_RECORD = [COLUMNS.index(name) for name in RECORD]
_STATE = COLUMNS.index("state")
_ALL_ROWS = f"SELECT {', '.join(COLUMNS)}, sum FROM runs NOT INDEXED ORDER BY id"
_SUM_AGAIN = f"UPDATE runs SET sum = row_sum({', '.join(COLUMNS)}) WHERE id = ?"


class Entry(NamedTuple):
    """A run in the ledger: its number there, how often it failed, and how often it was lost."""

    id: int
    run: PlannedRun
    failures: int
    losses: int


@dataclass
class Compared:
    """What ledger and results have between them.

    Attributes
    ----------
    records
        Results by id of the run, in the order of ids.
    counts
        Runs by setting and state; the setting is -1 where that is damaged.
    bad_rows
        Ids of rows of the ledger that are damaged or missing, as far as that shows.
    extra_rows
        Ids of rows of no run of the plan.
    bad_lines
        Ids of runs whose lines are damaged or missing.
    taken
        Ids of runs whose results the ledger does not have; that of a kill is no damage.
    renumbered
        Ids of runs whose rows have other numbers than their lines.
    damaged_lines
        Numbers of damaged lines of the file.
    lost
        What is known of results that are damaged in both.
    """

    records: dict[int, Record] = field(default_factory=dict)
    counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    bad_rows: list[int] = field(default_factory=list)
    extra_rows: list[int] = field(default_factory=list)
    bad_lines: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    renumbered: list[int] = field(default_factory=list)
    damaged_lines: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def damage(self) -> list[str]:
        """Say what is damaged in one file and whole in the other."""
        words = []
        taken = set(self.taken)
        both = {
            f"results of {LEDGER} are damaged or missing, and taken from {RESULTS}": [
                run for run in self.bad_rows if run in taken
            ],
            f"rows of {LEDGER} are of no run": self.extra_rows,
            f"lines of {RESULTS} are damaged or missing, and taken from {LEDGER}": self.bad_lines,
        }
        for what, runs in both.items():
            if runs:
                words.append(f"{what}: {_name(runs)}")
        if self.damaged_lines and not self.bad_lines:
            lines = ", ".join(map(str, self.damaged_lines[:NAMED]))
            words.append(f"{RESULTS} is damaged, in line {lines}")
        return words


def _name(runs: Sequence[int]) -> str:
    """Name runs by their ids."""
    ids = ", ".join(map(str, runs[:NAMED]))
    more = f" and {len(runs) - NAMED:,} more" if len(runs) > NAMED else ""
    return f"run{'s' * (len(runs) > 1)} {ids}{more}"


class Ledger:
    """The ledger of one campaign's folder. Make one with `Ledger.open` or `Ledger.read`."""

    def __init__(self, path: Path, plan: Plan | None = None) -> None:
        self.path = path
        self._writer: Writer | None = None
        self._database = Database(path)
        if plan is not None and self.about["fingerprint"] != plan.fingerprint:
            self._database.close()
            raise CampaignError(
                f"{self.path} is of another plan ({self.about['summary']}; fingerprint "
                f"{self.about['fingerprint'][:12]}) than this one, {plan!r}, fingerprint "
                f"{plan.fingerprint[:12]}: give another folder",
                path=self.path,
            )

    # Opening

    @classmethod
    def open(cls, folder: Path, plan: Plan) -> Self:
        """Open the ledger of a folder to write, and make it if there is none.

        What is damaged is repaired, and a `RuntimeWarning` says so. Results that are damaged in
        both files are forgotten: their runs are done again.

        Raises
        ------
        CampaignError
            If it is of another plan or a newer version, or damaged so that it takes a person to
            decide.
        OSError
            If it cannot be written.
        """
        path = folder / LEDGER
        self = None
        if path.exists():
            try:
                self = cls(path, plan)
            except DamagedLedgerError as error:
                _put_aside(path, plan, error)
        if self is None:
            _create(path, plan)
            self = cls(path, plan)
        try:
            _keep_plan(folder / PLAN, plan)
            self._mend(plan)
        except BaseException:
            self.close()
            raise
        return self

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Open the ledger of a folder to look at it, also while a campaign runs.

        Raises
        ------
        CampaignError
            If there is none, or it is of a newer version, or damaged.
        """
        path = folder / LEDGER
        if not path.is_file():
            begins = (
                f"run {folder} makes it anew" if (folder / PLAN).is_file() else "run begins one"
            )
            raise CampaignError(
                f"{folder} holds no campaign: {LEDGER} is missing; nb101 campaign {begins}",
                path=folder,
            )
        return cls(path)

    def close(self) -> None:
        """Close its files."""
        self._database.close()
        if self._writer is not None:
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def about(self) -> dict[str, str]:
        """What it is of: plan, fingerprint, version..."""
        return self._database.about

    def plan(self) -> Plan:
        """Return the plan that the ledger is of."""
        return Plan.from_dict(json.loads(self.about["plan"]), f"the plan in {self.path}")

    # Runs

    def waiting(self, most: int) -> list[Entry]:
        """Return the next runs to be done."""
        rows = self.query(
            "SELECT id, setting, epochs, repeat, cell_id, seed, cost, failures, losses "
            "FROM runs WHERE state = 'waiting' ORDER BY id LIMIT ?",
            (most,),
        )
        return [Entry(row[0], PlannedRun(*row[1:7]), *row[7:]) for row in rows]

    def begin(self, ids: Sequence[int]) -> None:
        """Note that runs have been given to the executor."""
        with self._database.changing() as database:
            database.executemany("UPDATE runs SET state = 'running' WHERE id = ?", _each(ids))
            database.executemany(_SUM_AGAIN, _each(ids))

    def wait_again(self, number: int) -> None:
        """Note that a run was given back undone."""
        with self._database.changing() as database:
            database.execute("UPDATE runs SET state = 'waiting' WHERE id = ?", (number,))
            database.execute(_SUM_AGAIN, (number,))

    def finish(
        self, entry: Entry, row: dict[str, Any], attempts: int, worker: dict[str, Any]
    ) -> None:
        """Keep the result of a run. When this returns, nothing can lose it any more.

        The line of ``results.jsonl`` comes first: killed between the two, the run is done, and the
        next coordinator notes it in the ledger.
        """
        assert self._writer is not None
        record = make_record(
            {
                "number": self._number,
                **dict(zip(RUN, (entry.id, *entry.run), strict=False)),
                "finished": time.time(),
                "attempts": attempts,
                "worker": json.dumps(worker),
                **{name: _or_none(row[name]) for name in MEASURED},
            }
        )
        self._writer.add(record_line(record, self.about["fingerprint"]))
        self._number += 1
        with self._database.changing() as database:
            _store(database, record)

    def fail(
        self, entry: Entry, kind: str, message: str, details: str, *, again: bool, final: bool
    ) -> None:
        """Keep the error of a run: whether it waits to be tried again, and if not, may be later."""
        column = "losses" if kind == "lost" else "failures"
        with self._database.changing() as database:
            database.execute(
                f"UPDATE runs SET state = ?, final = ?, {column} = {column} + 1 WHERE id = ?",
                ("waiting" if again else "failed", final, entry.id),
            )
            database.execute(_SUM_AGAIN, (entry.id,))
            error = (entry.id, time.time(), kind, message, details)
            database.execute(
                "INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?)", (*error, checksum(error))
            )

    def release(self, retry: int | None = None) -> None:
        """Let runs wait that were running when the coordinator ended.

        With `retry`, those too that have failed less often than it allows.
        """
        which = "state = 'running'"
        values: tuple[int, ...] = ()
        if retry is not None:
            which += " OR (state = 'failed' AND NOT final AND failures <= ?1 AND losses <= ?1)"
            values = (retry,)
        with self._database.changing() as database:
            rows = database.execute(f"SELECT id FROM runs WHERE {which}", values).fetchall()
            database.executemany("UPDATE runs SET state = 'waiting' WHERE id = ?", rows)
            database.executemany(_SUM_AGAIN, rows)

    # Looking

    def counts(self) -> dict[str, int]:
        """Return the number of runs by state."""
        found = dict(self.query("SELECT state, count(*) FROM runs GROUP BY state"))
        return {state: found.get(state, 0) for state in STATES}

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query."""
        return self._database.query(sql, values)

    def failed(self) -> list[tuple[Any, ...]]:
        """Return ids of failed runs, and kind, message and tries of their last errors."""
        rows = self.query(
            f"SELECT {', '.join(f'r.{name}' for name in COLUMNS)}, r.sum, "
            "f.run, f.time, f.kind, f.message, f.details, f.sum "
            "FROM runs r JOIN failures f ON f.run = r.id WHERE r.state = 'failed' AND f.rowid = "
            "(SELECT max(rowid) FROM failures WHERE run = r.id) ORDER BY r.id"
        )
        found = []
        width = len(COLUMNS)
        for row in rows:
            if row[width] != row_sum(*row[:width]):
                continue  # The status says so.
            run = dict(zip(COLUMNS, row, strict=False))
            *error, total = row[width + 1 :]
            kind, message = error[2:4]
            if total != row_sum(*error):
                kind, message = "failed", f"what it failed of is damaged in {self.path}"
            which = [run[name] for name in ("cell_id", "epochs", "repeat", "setting")]
            found.append((*which, kind, message, run["failures"] + run["losses"]))
        return found

    def compare(self) -> Compared:
        """Compare the ledger with the results beside it, row by row.

        Raises
        ------
        CampaignError
            If both have a whole result of a run, and not the same; or if results are of another
            plan.
        OSError
            If results cannot be read.
        """
        # Rows first: then whatever is noted meanwhile has its line.
        found = Compared()
        rows: dict[int, Record] = {}
        states: dict[int, tuple[int, str]] = {}
        with self._database.reading() as database:
            for *row, total in database.execute(_ALL_ROWS):
                number, state = row[0], row[_STATE]
                if not 1 <= number <= self.size:
                    found.extra_rows.append(number)
                elif total == row_sum(*row):
                    states[number] = (row[1], state)
                    if state == "done":
                        rows[number] = tuple(row[place] for place in _AS_RECORD)
        results = Results(self.path.parent / RESULTS, self.about["fingerprint"])
        found.damaged_lines = results.damaged
        for number in range(1, self.size + 1):
            if number not in states:
                found.bad_rows.append(number)
            record, places = rows.get(number), results.places.get(number)
            if record is not None and places is None:
                found.bad_lines.append(number)
            elif record is not None and places is not None:
                total = record_sum(record)
                line = next((place for place in places if place.sum == total), None)
                if line is None:
                    raise CampaignError(
                        f"{self.path} and {RESULTS} beside it have other results of run {number}: "
                        f"delete the line of that run from {RESULTS} to keep what the ledger has",
                        path=self.path,
                    )
                if line.number != record[0]:
                    found.renumbered.append(number)
                    record = (line.number, *record[1:])
            elif places is not None:
                found.taken.append(number)
                record = results.read(number)
            if record is not None:
                found.records[number] = record
                found.counts[record[2], "done"] += 1
            else:
                found.counts[states.get(number, (-1, "waiting"))] += 1
        # Whether they had been done, nobody knows.
        lost = [number for number in found.bad_rows if number not in found.records]
        if lost:
            found.lost.append(f"what became of {_name(lost)}")
        numbers = {record[0] for record in found.records.values()}
        unnamed = max(numbers, default=0) - len(numbers) - len(lost)
        if unnamed > 0:
            # One by one: whatever the largest says, few are looked at.
            missing = (number for number in itertools.count(1) if number not in numbers)
            gaps = list(itertools.islice(missing, min(unnamed, NAMED)))
            found.lost.append(f"what {RESULTS} had under number {', '.join(map(str, gaps))}")
        return found

    @property
    def size(self) -> int:
        """The number of runs of the plan."""
        return int(self.about["runs"])

    # Inside

    def _mend(self, plan: Plan) -> None:
        """Compare ledger and results, repair each from the other, and begin to write."""
        path = self.path.parent / RESULTS
        results = Results(path, plan.fingerprint)
        found = self.compare()
        records = sorted(found.records.values())
        stored = {*found.taken, *found.renumbered}
        has_gaps = [record[0] for record in records] != list(range(1, len(records) + 1))
        if has_gaps:
            # They would be missed for ever.
            records = [(i, *record[1:]) for i, record in enumerate(records, 1)]
            stored = set(found.records)
        if results.damaged or found.bad_lines or has_gaps or not results.end:
            if results.damaged:
                set_aside(path)
            write_results(path, records, plan.fingerprint)
        self._writer = Writer(path)
        if results.is_cut and results.end and not (results.damaged or found.bad_lines or has_gaps):
            self._writer.cut(results.end)
        self._number = len(records) + 1
        self._mend_rows(plan, [record for record in records if record[1] in stored])
        words = found.damage()
        if found.lost:
            words.append(f"{' and '.join(found.lost)} cannot be read in either: done again")
        if words:
            _warn(f"{self.path.parent} was damaged, and is repaired: {'; '.join(words)}")

    def _mend_rows(self, plan: Plan, records: Iterable[Record]) -> None:
        """Make all rows fit the plan, and note results that the ledger does not have."""
        extra: list[int] = []
        wrong: list[tuple[Any, ...]] = []
        with self._database.changing() as database:
            rows = iter(database.execute(_ALL_ROWS))
            row = next(rows, None)
            for number, run in enumerate(plan.runs(), 1):
                while row is not None and row[0] < number:
                    extra.append(row[0])
                    row = next(rows, None)
                if row is not None and row[0] == number:
                    whole = row[-1] == row_sum(*row[:-1]) and row[1 : len(RUN)] == run[:5]
                    row = next(rows, None)
                    if whole:
                        continue
                wrong.append((number, *run))
            while row is not None:
                extra.append(row[0])
                row = next(rows, None)
            ids = [*_each(extra), *_each(run[0] for run in wrong)]
            database.executemany("DELETE FROM runs WHERE id = ?", ids)
            _insert(database, wrong)
            for record in records:
                _store(database, record)
        if self._database.is_sound():
            return
        # Of an index that does not fit its table.
        with self._database.changing() as database:
            database.execute("REINDEX")
        if not self._database.is_sound():
            raise DamagedLedgerError(self.path, "and cannot be repaired")


def _create(path: Path, plan: Plan) -> None:
    """Make a ledger, which appears whole or not at all."""
    for suffix in JOURNALS:
        # Of a ledger that is gone: SQLite would put what it holds into the new one.
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    with (
        atomic_path(path) as temporary,
        ledger_errors(path),
        closing(connect(temporary)) as database,
        database,
    ):
        database.executescript(SCHEMA)
        database.execute("BEGIN IMMEDIATE")
        about = {
            "format": str(FORMAT),
            "version": __version__,
            "created": str(time.time()),
            "fingerprint": plan.fingerprint,
            "summary": plan.summary,
            "settings": str(len(plan.settings)),
            "runs": str(len(plan)),
            "plan": json.dumps(plan.to_dict()),
        }
        about["sum"] = about_sum(about)
        database.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        _insert(database, ((number, *run) for number, run in enumerate(plan.runs(), 1)))
        database.execute(INDEX)


def _insert(database: sqlite3.Connection, runs: Iterable[tuple[Any, ...]]) -> None:
    """Add runs that wait."""
    names = (*RUN, "cost", "state", "failures", "losses", "final")
    padding = (None,) * (len(COLUMNS) - len(names))
    database.executemany(
        f"INSERT INTO runs ({', '.join(names)}, sum) VALUES ({'?, ' * len(names)}?)",
        ((*row, row_sum(*row, *padding)) for row in ((*run, "waiting", 0, 0, 0) for run in runs)),
    )


def _keep_plan(path: Path, plan: Plan) -> None:
    try:
        if Plan.load(path, edited=False).fingerprint == plan.fingerprint:
            return
    except (CampaignError, OSError):
        pass  # There is none, or it is damaged.
    plan.save(path)


def _put_aside(path: Path, plan: Plan, error: DamagedLedgerError) -> None:
    """Put a damaged ledger aside, if all that it holds is in the results too."""
    results = Results(path.parent / RESULTS, plan.fingerprint)
    if not results.is_whole:
        what = f"line {results.damaged[0]} of it" if results.damaged else "it"
        raise CampaignError(
            f"{path} is damaged ({error.what}), and so is {RESULTS} beside it ({what} is damaged "
            "or missing): move the ledger away, and the runs that are lost are done again",
            path=path,
        ) from error
    kept = set_aside(path)
    _warn(f"{path} was damaged ({error.what}), and is made anew of {RESULTS}; it is kept as {kept}")


def _warn(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=4)


def _store(database: sqlite3.Connection, record: Record) -> None:
    """Note a result, under the number of its run, which a plan always gives it."""
    values = dict(zip(RECORD, record, strict=True))
    noted = [name for name in RECORD if name not in RUN]
    cursor = database.execute(
        f"UPDATE runs SET state = 'done', {' = ?, '.join(noted)} = ? "
        f"WHERE {' = ? AND '.join(RUN)} = ?",
        [values[name] for name in (*noted, *RUN)],
    )
    if cursor.rowcount != 1:
        raise CampaignError(f"{RESULTS} has a result of run {values['id']}, which is none")
    database.execute(_SUM_AGAIN, (values["id"],))


def _or_none(value: Any) -> float | None:
    """Replace NaN, which neither JSON nor SQLite has."""
    return None if value != value else float(value)


def _each(ids: Iterable[int]) -> list[tuple[int]]:
    return [(number,) for number in ids]


def read_plan(folder: Path) -> Plan:
    """Return the plan of a folder, from its ledger or, if that is lost or damaged, beside it.

    Raises
    ------
    CampaignError
        If there is none.
    """
    kept = folder / PLAN
    try:
        with Ledger.read(folder) as ledger:
            return ledger.plan()
    except CampaignError as error:
        if not kept.is_file() or (
            (folder / LEDGER).exists() and not isinstance(error, DamagedLedgerError)
        ):
            raise
    return Plan.load(kept, edited=False)
