"""The SQLite file of a ledger: what tables it has, and how it is opened, asked and changed.

A rollback journal and full synchronisation survive a kill or a power cut at any moment, and unlike
a write-ahead log they work on network file systems. Each row has a checksum of its own. Nothing of
a file is read before its tables are found to be those of this module, and no query takes longer
than a ledger of its size can need, so that a file of others' making cannot keep its reader busy.
"""

import errno
import itertools
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from nb101.campaign.folder import RESULTS
from nb101.campaign.results import FORMAT, MEASURED, checksum
from nb101.errors import CampaignError, FileError

STATES = ("waiting", "running", "done", "failed")
BUSY_SECONDS = 60.0
STEPS, STEPS_A_BYTE = 20_000_000, 100
"""What SQLite may do for one query: so much, and so much for each byte of the file."""

SCHEMA = f"""
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
    number INTEGER,
    {", ".join(f"{name} REAL" for name in MEASURED)},
    sum TEXT NOT NULL DEFAULT ''
);
CREATE TABLE failures (
    run INTEGER NOT NULL REFERENCES runs (id),
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    details TEXT NOT NULL,
    sum TEXT NOT NULL
);
"""
"""Compared with what is in a file, to the letter."""
INDEX = "CREATE INDEX by_state ON runs (state, id)"
RUN = ("id", "setting", "epochs", "repeat", "cell_id", "seed")
COLUMNS = (
    *(*RUN, "cost", "state", "failures", "losses", "final"),
    *("finished", "attempts", "worker", "number", *MEASURED),
)
"""Columns of runs, all but the checksum of these."""


class DamagedLedgerError(CampaignError):
    """A ledger that nothing can be read of; results may be whole."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(
            f"{path} is damaged ({what}): nb101 campaign run {path.parent} makes it anew of "
            f"{RESULTS} beside it",
            path=path,
        )
        self.what = what


class Database:
    """An open ledger.

    Attributes
    ----------
    about
        What it is about, by name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect(path)
        try:
            self._steps = _Steps(self._connection, path)
            self.about = self._check()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Ask one thing."""
        with ledger_errors(self.path):
            self._steps.begin()
            yield self._connection

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Make changes that are all kept or none."""
        with ledger_errors(self.path), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query."""
        with self.reading() as connection:
            return connection.execute(sql, values).fetchall()

    def is_sound(self) -> bool:
        """Whether tables and indexes fit each other."""
        return self._few("PRAGMA integrity_check(1)", 1) == [("ok",)]

    def _few(self, sql: str, most: int) -> list[Any]:
        """Return the rows of a query, of which there should be no more than so many."""
        with self.reading() as connection:
            return connection.execute(sql).fetchmany(most + 1)

    def _check(self) -> dict[str, str]:
        """Refuse what is no ledger, or one of a newer version; return what it is about."""
        master = self._few("SELECT type, name, tbl_name, sql FROM sqlite_master", 50)
        if not _MASTER["about"].issubset(master):
            raise DamagedLedgerError(self.path, "it has not the tables of a ledger")
        about = dict(self._few("SELECT name, value FROM about", 20))
        total = about.pop("sum", None)
        if total != about_sum(about):
            raise DamagedLedgerError(self.path, "what it is about does not fit its checksum")
        if about["format"] != str(FORMAT):
            raise CampaignError(
                f"{self.path} has format {about['format']!r}, and this nb101 reads {FORMAT}: it "
                f"was written by nb101 {about['version']}",
                path=self.path,
            )
        if set(master) != _MASTER["all"]:
            raise DamagedLedgerError(self.path, "it has other tables than a ledger")
        # Indexes apart: they are made anew of the rows. Tables must be sound, or a query might
        # never end.
        self._few("PRAGMA ignore_check_constraints = ON", 1)
        ((found, *_), *_) = self._few("PRAGMA quick_check(1)", 1)
        self._few("PRAGMA ignore_check_constraints = OFF", 1)
        if found != "ok":
            raise DamagedLedgerError(self.path, _one_line(found))
        return about


def connect(path: Path) -> sqlite3.Connection:
    """Open a file as SQLite does, nothing of it looked at yet."""
    with ledger_errors(path):
        # Not as read-only: a journal that a kill left behind has to be rolled back first.
        database = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        for pragma in ("synchronous = FULL", "trusted_schema = OFF", "cell_size_check = ON"):
            database.execute(f"PRAGMA {pragma}")
        database.create_function("row_sum", len(COLUMNS), row_sum)
    return database


class _Steps:
    """Ends a query that takes more steps than a ledger of its size can need."""

    EACH = 100_000

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self._path = path
        self._left = 0
        self.begin()
        database.set_progress_handler(self._take, self.EACH)

    def begin(self) -> None:
        """Begin with another query."""
        with suppress(OSError):
            self._left = STEPS + STEPS_A_BYTE * self._path.stat().st_size

    def _take(self) -> bool:
        self._left -= self.EACH
        return self._left < 0


@contextmanager
def ledger_errors(path: Path) -> Iterator[None]:
    """Say what SQLite's errors mean."""
    try:
        yield
    except sqlite3.Error as error:
        text = _one_line(error)
        # Its lowest byte: the others say more than anybody needs.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
            full = code == sqlite3.SQLITE_FULL
            reason = "no space left" if full else text
            raise FileError(
                errno.ENOSPC if full else errno.EIO,
                f"{reason}: make room, and start again; nothing is lost",
                os.fspath(path),
            ) from error
        if code == sqlite3.SQLITE_READONLY:
            raise FileError(errno.EACCES, "cannot be written", os.fspath(path)) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise CampaignError(
                f"{path} has been locked by another program for {BUSY_SECONDS:.0f} s: {text}",
                path=path,
            ) from error
        raise DamagedLedgerError(path, text) from error
    except UnicodeDecodeError as error:
        # SQLite's message quotes names of the file, and Python cannot read it.
        raise DamagedLedgerError(path, "its text is not UTF-8") from error


def _one_line(text: object) -> str:
    """Return what SQLite says, which quotes from the file, as a line that can be printed."""
    words = "".join(x if x.isprintable() else " " for x in str(text)).split()
    return " ".join(words)[:200]


def row_sum(*values: Any) -> str:
    """Return the checksum of a row; none at all where it holds what no row does."""
    try:
        return checksum(values)
    except TypeError:
        return "none"


def about_sum(about: Mapping[str, Any]) -> str:
    """Return the checksum of what a ledger is about."""
    return row_sum(*itertools.chain.from_iterable(sorted(about.items(), key=str)))


def _master() -> dict[str, set[tuple[Any, ...]]]:
    """Return what SQLite says of the tables of a ledger."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        database.execute(INDEX)
        rows = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return {"all": set(rows), "about": {row for row in rows if row[1] == "about"}}


_MASTER = _master()
