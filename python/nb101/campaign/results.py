"""Lines of ``results.jsonl``: every result of a campaign, one after the other, in JSON.

The first line says of what plan they are. Each ends with a checksum of itself and the plan's
fingerprint, and has a number, from 1: so neither a damaged nor a missing line goes unnoticed.

A kill may cut the last line, which then has no line feed at its end: it is no result, and its run
is done again. A kill just after a whole line may keep the ledger from noting it: it is a result all
the same, and the next coordinator notes it. So a run has one line. Should it have several, as when
two coordinators were at work by a broken lock, the first counts, unless the ledger has another.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import NoneType
from typing import IO, Any, NamedTuple

from nb101._base.files import atomic
from nb101.errors import CampaignError
from nb101.table.schema import EVALUATIONS

FORMAT = 2
"""Version of ledgers and results; newer ones are refused."""
MEASURED = (*EVALUATIONS, "trainable_parameters", "total_time")
"""What a finished run has measured."""
RECORD = (
    *("number", "id", "setting", "epochs", "repeat", "cell_id", "seed"),
    *("finished", "attempts", "worker", *MEASURED),
)
"""Entries of a line, but for its checksum."""
_SUM = b', "sum": "'
_MOST = 1e30
"""What nothing measured is beyond."""

Record = tuple[Any, ...]
"""A result: the values of `RECORD`, the worker as JSON."""


def checksum(values: Iterable[Any], salt: str = "") -> str:
    """Return half of SHA-256 over what JSON can hold, as hexadecimal digits."""
    text = json.dumps(list(values))
    return hashlib.sha256((salt + text).encode()).hexdigest()[:32]


def record_sum(record: Record) -> str:
    """Return the checksum of a result without its number."""
    return _content_sum(_text(record))


def _content_sum(text: bytes) -> str:
    return hashlib.sha256(text.partition(b", ")[2]).hexdigest()[:32]


def record_line(record: Record, fingerprint: str) -> bytes:
    """Return a result as a line."""
    return _line(_text(record), fingerprint)


def _text(record: Record) -> bytes:
    named = dict(zip(RECORD, record, strict=True))
    return json.dumps(named | {"worker": json.loads(named["worker"])}).encode()


def _sum(text: bytes, fingerprint: str) -> str:
    return hashlib.sha256(fingerprint.encode() + text).hexdigest()[:32]


def _line(text: bytes, fingerprint: str) -> bytes:
    return text[:-1] + _SUM + _sum(text, fingerprint).encode() + b'"}\n'


def head_line(fingerprint: str) -> bytes:
    """Return the first line."""
    text = json.dumps({"nb101_results": FORMAT, "fingerprint": fingerprint}).encode()
    return _line(text, fingerprint)


def _parse(line: bytes, fingerprint: str | None) -> dict[str, Any]:
    """Read a line that is whole; of the first, `None` is for the fingerprint that it says."""
    text, mark, rest = line.rpartition(_SUM)
    text += b"}"
    values = json.loads(text)
    if fingerprint is None:
        fingerprint = str(values["fingerprint"])
    if not mark or rest != _sum(text, fingerprint).encode() + b'"}\n':
        raise ValueError
    if not isinstance(values, dict):
        raise TypeError
    return values


_WHOLE = RECORD[: RECORD.index("finished")]


def _check(values: Mapping[str, Any]) -> None:
    """Refuse what no result has: who knows how lines are summed can write any."""
    if not isinstance(values["worker"], dict):
        raise TypeError
    for name in RECORD:
        value = values[name]
        if name in _WHOLE and not (type(value) is int and 0 <= value < 1 << 63):
            raise ValueError
        if name == "attempts" and type(value) is not int:
            raise TypeError
        if name in ("finished", *MEASURED) and not (
            type(value) in (int, float, NoneType) and abs(value or 0) < _MOST
        ):
            raise TypeError


class Place(NamedTuple):
    """Where a result is: its number, its `record_sum`, and the offset of its line."""

    number: int
    sum: str
    offset: int


class Results:
    """The lines of a file of results that are whole.

    Attributes
    ----------
    places
        Where the results of a run are, by its id; nearly always one.
    damaged
        Numbers of damaged lines, from 1.
    end
        Bytes until the end of the last line that has one.
    is_cut
        Whether there is more after that: a line that a kill has cut.

    Raises
    ------
    CampaignError
        If they are of another plan, or of another version.
    OSError
        If the file cannot be read; one that is not there is empty.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path, self.fingerprint = path, fingerprint
        self.places: dict[int, list[Place]] = {}
        self.damaged: list[int] = []
        self.end = 0
        self.is_cut = False
        with suppress(FileNotFoundError), path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    self.is_cut = True
                    break
                self._take(number, line)
                self.end += len(line)

    def _take(self, number: int, line: bytes) -> None:
        try:
            if number == 1:
                self._check_head(line)
                return
            values = _parse(line, self.fingerprint)
            _check(values)
            content = _content_sum(line.rpartition(_SUM)[0] + b"}")
            place = Place(values["number"], content, self.end)
            self.places.setdefault(values["id"], []).append(place)
        except CampaignError:
            raise  # It is a ValueError too, and no damage.
        except (ValueError, KeyError, TypeError, RecursionError):
            self.damaged.append(number)

    def _check_head(self, line: bytes) -> None:
        head = _parse(line, None)
        if head["nb101_results"] != FORMAT:
            raise CampaignError(
                f"{self.path} has format {head['nb101_results']!r}, and this nb101 reads {FORMAT}: "
                "use the version that wrote it",
                path=self.path,
            )
        if head["fingerprint"] != self.fingerprint:
            raise CampaignError(
                f"{self.path} is of another plan: give another folder", path=self.path
            )

    @property
    def numbers(self) -> set[int]:
        """The numbers of all results."""
        return {place.number for places in self.places.values() for place in places}

    @property
    def is_whole(self) -> bool:
        """Whether no line is damaged or missing, but for the last ones."""
        numbers = self.numbers
        return self.end > 0 and not self.damaged and len(numbers) == max(numbers, default=0)

    def read(self, run: int) -> Record:
        """Return the result of a run: the first, if there are several."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.places[run][0].offset)
                values = _parse(file.readline(), self.fingerprint)
        except (ValueError, KeyError, TypeError):
            raise CampaignError(
                f"{self.path} has changed while it was read: try again", path=self.path
            ) from None
        return make_record(values | {"worker": json.dumps(values["worker"])})


def make_record(values: Mapping[str, Any]) -> Record:
    """Put values by name in order, as a ledger gives them back."""
    return tuple(values[name] for name in RECORD)


def write_results(path: Path, records: Iterable[Record], fingerprint: str) -> None:
    """Write results anew."""
    with atomic(path) as file:
        file.write(head_line(fingerprint))
        for record in records:
            file.write(record_line(record, fingerprint))


class Writer:
    """Adds lines to a file of results, whole or not at all as far as a full disk allows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] = path.open("r+b", buffering=0)

    def cut(self, end: int) -> None:
        """Drop what a kill has left of a line."""
        self._file.truncate(end)

    def add(self, line: bytes) -> None:
        """Add a line. When this returns, nothing can lose it any more."""
        end = self._file.seek(0, os.SEEK_END)
        try:
            left = memoryview(line)
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(end)
            if error.filename is None:
                error.filename = os.fspath(self.path)
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()
