"""The ledger: what has become of each run of a plan, in one SQLite file.

Only the coordinator writes, one transaction a change, with a rollback journal and full
synchronisation: that survives a kill or a power cut at any moment, and unlike a write-ahead log it
works on network file systems. Every finished run is also a line of ``results.jsonl``, which a lost
ledger is made anew of.
"""

import errno
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from nb101.campaign.plan import Plan, Run
from nb101.errors import CampaignError
from nb101.files import atomic
from nb101.schema import EVALUATIONS

FORMAT = 1
"""Version of the tables; ledgers of newer ones are refused."""
LEDGER = "ledger.sqlite"
RESULTS = "results.jsonl"
PLAN = "ledger-plan.json"
"""The plan once more: what a lost ledger is made anew by."""
STATES = ("waiting", "running", "done", "failed")
MEASURED = (*EVALUATIONS, "trainable_parameters", "total_time")
"""Columns of a finished run."""
BUSY_SECONDS = 60.0

_SCHEMA = f"""
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    setting INTEGER NOT NULL,
    epochs INTEGER NOT NULL,
    repeat INTEGER NOT NULL,
    cell_id INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    cost REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN {STATES!r}),
    failures INTEGER NOT NULL DEFAULT 0,
    losses INTEGER NOT NULL DEFAULT 0,
    final INTEGER NOT NULL DEFAULT 0,
    finished REAL,
    attempts INTEGER,
    worker TEXT,
    {", ".join(f"{name} REAL" for name in MEASURED)}
);
CREATE TABLE failures (
    run INTEGER NOT NULL REFERENCES runs (id),
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    details TEXT NOT NULL
);
"""
_INDEX = "CREATE INDEX by_state ON runs (state, id)"


class Entry(NamedTuple):
    """A run in the ledger: its number there, how often it failed, and how often it was lost."""

    id: int
    run: Run
    failures: int
    losses: int


class Ledger:
    """The ledger of one campaign's folder. Make one with `Ledger.open` or `Ledger.read`."""

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database
        self._results: IO[bytes] | None = None

    # Opening

    @classmethod
    def open(cls, folder: Path, plan: Plan) -> Self:
        """Open the ledger of a folder to write, and make it if there is none.

        Raises
        ------
        CampaignError
            If it is of another plan or a newer version, or damaged.
        OSError
            If it cannot be written.
        """
        path = folder / LEDGER
        if not path.exists():
            _create(path, plan)
        self = cls(path, _connect(path))
        try:
            self._check(plan)
            _keep_plan(folder / PLAN, plan)
            self._results = _open_results(folder / RESULTS, plan)
            if self.counts()["done"] == 0:
                self._read_results(folder / RESULTS)
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
                f"{folder} holds no campaign: {LEDGER} is missing; nb101 campaign {begins}"
            )
        self = cls(path, _connect(path))
        try:
            self._check(None)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Close its files."""
        self._database.close()
        if self._results is not None:
            self._results.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _check(self, plan: Plan | None) -> None:
        """Refuse the ledger of another plan or a newer version."""
        with self._errors():
            rows = self._database.execute("SELECT name, value FROM about").fetchall()
            self.about: dict[str, str] = dict(rows)
        version = self.about.get("format", "")
        if version != str(FORMAT):
            raise CampaignError(
                f"{self.path} has format {version!r}, and this nb101 reads {FORMAT}: it was "
                f"written by nb101 {self.about.get('version')}"
            )
        if plan is not None and self.about["fingerprint"] != plan.fingerprint:
            raise CampaignError(
                f"{self.path} is of another plan ({self.about['summary']}; fingerprint "
                f"{self.about['fingerprint'][:12]}) than this one, {plan!r}, fingerprint "
                f"{plan.fingerprint[:12]}: give another folder"
            )

    def plan(self) -> Plan:
        """Return the plan that the ledger is of."""
        return Plan.from_dict(json.loads(self.about["plan"]), f"the plan in {self.path}")

    # Runs

    def waiting(self, most: int) -> list[Entry]:
        """Return the next runs to be done."""
        with self._errors():
            rows = self._database.execute(
                "SELECT id, setting, epochs, repeat, cell_id, seed, cost, failures, losses "
                "FROM runs WHERE state = 'waiting' ORDER BY id LIMIT ?",
                (most,),
            ).fetchall()
        return [Entry(row[0], Run(*row[1:7]), *row[7:]) for row in rows]

    def begin(self, ids: Sequence[int]) -> None:
        """Note that runs have been given to the executor."""
        with self._changing() as database:
            database.executemany("UPDATE runs SET state = 'running' WHERE id = ?", _rows(ids))

    def wait_again(self, number: int) -> None:
        """Note that a run was given back undone."""
        with self._changing() as database:
            database.execute("UPDATE runs SET state = 'waiting' WHERE id = ?", (number,))

    def finish(
        self, entry: Entry, row: dict[str, Any], attempts: int, worker: dict[str, Any]
    ) -> None:
        """Keep the result of a run. When this returns, nothing can lose it any more."""
        assert self._results is not None
        line = {
            "id": entry.id,
            **dict(zip(_KEYS, entry.run[:4], strict=True)),
            "finished": time.time(),
            "attempts": attempts,
            "worker": worker,
            **{name: _or_none(row[name]) for name in MEASURED},
        }
        with self._errors():
            self._results.write(json.dumps(line).encode() + b"\n")
            self._results.flush()
            os.fsync(self._results.fileno())
        with self._changing() as database:
            _store(database, line)

    def fail(
        self, entry: Entry, kind: str, message: str, details: str, *, again: bool, final: bool
    ) -> None:
        """Keep the error of a run: whether it waits to be tried again, and if not, may be later."""
        column = "losses" if kind == "lost" else "failures"
        with self._changing() as database:
            database.execute(
                f"UPDATE runs SET state = ?, final = ?, {column} = {column} + 1 WHERE id = ?",
                ("waiting" if again else "failed", final, entry.id),
            )
            database.execute(
                "INSERT INTO failures VALUES (?, ?, ?, ?, ?)",
                (entry.id, time.time(), kind, message, details),
            )

    def release(self, retry: int | None = None) -> None:
        """Let runs wait that were running when the coordinator ended.

        With `retry`, those too that have failed less often than it allows.
        """
        with self._changing() as database:
            database.execute("UPDATE runs SET state = 'waiting' WHERE state = 'running'")
            if retry is not None:
                database.execute(
                    "UPDATE runs SET state = 'waiting' WHERE state = 'failed' AND NOT final "
                    "AND failures <= ?1 AND losses <= ?1",
                    (retry,),
                )

    # Looking

    def counts(self) -> dict[str, int]:
        """Return the number of runs by state."""
        found = dict(self.query("SELECT state, count(*) FROM runs GROUP BY state"))
        return {state: found.get(state, 0) for state in STATES}

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query."""
        with self._errors():
            return self._database.execute(sql, values).fetchall()

    # Inside

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """Make changes that are all kept or none."""
        with self._errors(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            yield self._database

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with ledger_errors(self.path):
            yield

    def _read_results(self, path: Path) -> None:
        """Take over the results of a ledger that was lost."""
        with self._changing() as database, path.open("rb") as file:
            file.readline()
            for number, line in enumerate(file, 2):
                # A kill cuts the line that is being written; that run is done again.
                if not line.endswith(b"}\n"):
                    continue
                try:
                    _store(database, json.loads(line))
                except (ValueError, KeyError, TypeError):
                    raise CampaignError(
                        f"{path} is damaged in line {number}: delete the line, and its run is done "
                        "again"
                    ) from None


@contextmanager
def ledger_errors(path: Path) -> Iterator[None]:
    """Say what SQLite's errors mean."""
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        if "disk is full" in text or "disk I/O error" in text or "unable to open" in text:
            number = errno.ENOSPC if "full" in text else errno.EIO
            reason = "no space left" if "full" in text else text
            raise OSError(
                number, f"{reason}: make room, and start again; nothing is lost", os.fspath(path)
            ) from error
        if "readonly" in text:
            raise PermissionError(errno.EACCES, "cannot be written", os.fspath(path)) from error
        if "locked" in text or "busy" in text:
            raise CampaignError(
                f"{path} has been locked by another program for {BUSY_SECONDS:.0f} s: {text}"
            ) from error
        raise CampaignError(
            f"{path} is damaged ({text}): move it away, and start the campaign again: what was "
            f"finished is taken from {RESULTS} beside it"
        ) from error


_KEYS = ("setting", "epochs", "repeat", "cell_id")


def _create(path: Path, plan: Plan) -> None:
    """Make a ledger, which appears whole or not at all."""
    from nb101 import __version__
    from nb101.files import atomic_path

    with (
        atomic_path(path) as temporary,
        ledger_errors(path),
        closing(_connect(temporary)) as database,
        database,
    ):
        database.executescript(_SCHEMA)
        database.execute("BEGIN IMMEDIATE")
        about = {
            "format": str(FORMAT),
            "version": __version__,
            "created": str(time.time()),
            "fingerprint": plan.fingerprint,
            "summary": repr(plan).removeprefix("<Plan: ").removesuffix(">"),
            "settings": str(len(plan.settings)),
            "plan": json.dumps(plan.to_dict()),
        }
        database.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        database.executemany(
            "INSERT INTO runs (setting, epochs, repeat, cell_id, seed, cost) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            plan.runs(),
        )
        database.execute(_INDEX)


def _keep_plan(path: Path, plan: Plan) -> None:
    try:
        if Plan.load(path).fingerprint == plan.fingerprint:
            return
    except (CampaignError, OSError):
        pass  # There is none, or it is damaged.
    plan.save(path)


def _connect(path: Path) -> sqlite3.Connection:
    with ledger_errors(path):
        # Not as read-only: a journal that a kill left behind has to be rolled back first.
        database = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        database.execute("PRAGMA synchronous = FULL")
    return database


def _open_results(path: Path, plan: Plan) -> IO[bytes]:
    """Open the list of results to add to it; its first line says of what plan it is."""
    head = {"nb101_results": FORMAT, "fingerprint": plan.fingerprint}
    text = json.dumps(head).encode() + b"\n"
    line = b""
    if path.exists():
        with path.open("rb") as file:
            line = file.readline()
    # A full disk may have cut it: then there are no results yet.
    if text.startswith(line) and line != text:
        with atomic(path) as file:
            file.write(text)
        return path.open("ab")
    try:
        known = json.loads(line)["fingerprint"]
    except (ValueError, KeyError, TypeError):
        raise CampaignError(f"{path} is damaged in line 1: move it away") from None
    if known != plan.fingerprint:
        raise CampaignError(f"{path} is of another plan: give another folder")
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        cut = file.read(1) != b"\n"
    results = path.open("ab")
    if cut:
        results.write(b"\n")
    return results


def _store(database: sqlite3.Connection, line: dict[str, Any]) -> None:
    """Note a result, under the number of its run, which a plan always gives it."""
    measured = ", ".join(f"{name} = ?" for name in MEASURED)
    keys = " AND ".join(f"{name} = ?" for name in ("id", *_KEYS))
    cursor = database.execute(
        f"UPDATE runs SET state = 'done', finished = ?, attempts = ?, worker = ?, {measured} "
        f"WHERE {keys}",
        (
            *(line["finished"], line["attempts"], json.dumps(line["worker"])),
            *(line[name] for name in MEASURED),
            *(line[name] for name in ("id", *_KEYS)),
        ),
    )
    if cursor.rowcount != 1:
        raise ValueError(f"no run {line['id']}")


def _or_none(value: Any) -> Any:
    """Replace NaN, which neither JSON nor SQLite has."""
    return None if isinstance(value, float) and value != value else value


def _rows(ids: Sequence[int]) -> list[tuple[int]]:
    return [(number,) for number in ids]
