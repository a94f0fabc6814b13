"""How a coordinator, its workers and those who look on hear of each other: by small sealed files.

A coordinator at work has a session, whose token is in the campaign's folder and in all that it
gives out. A worker goes on as long as the two are the same, and notes how far its run is. So a
campaign that is stopped, killed or started again reaches its workers through any executor.
"""

import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nb101._base.files import atomic, locked
from nb101._base.processes import parent_died
from nb101._base.seals import read_sealed_json, sealed_json
from nb101.campaign.folder import LOCK, NEW_NOW, NOW, SESSION
from nb101.errors import DatasetError

LOOK_SECONDS = 1.0
"""Between two looks of a worker at the session."""
NOTE_SECONDS = 2.0
"""Between two notes of how far a run is."""

NO_NOTE = (OSError, ValueError, KeyError, TypeError)
"""What reading a note may end with. They are written again and again: a damaged one is no loss."""


def read_note(path: Path) -> dict[str, Any]:
    """Return what a session, or the note of a run, says."""
    return read_sealed_json(path.read_bytes(), path, "")


# The coordinator


def begin_session(folder: Path, token: str) -> None:
    """Say that a coordinator is at work."""
    about = {"token": token, "host": socket.gethostname(), "pid": os.getpid()}
    with atomic(folder / SESSION) as file:
        file.write(sealed_json(about | {"started": time.time()}))


def end_session(folder: Path) -> None:
    """Tell all workers to stop. They look once a second."""
    (folder / SESSION).unlink(missing_ok=True)


# Workers


class Stopped(Exception):  # noqa: N818
    """The session has ended: the run is to stop, which saves a checkpoint."""


class FatalError(Exception):
    """What is wrong with this worker or the campaign, and not with the run."""


class Session:
    """Whether the coordinator that gave a worker its run is still there."""

    def __init__(self, folder: Path, token: str) -> None:
        self.folder, self.token = folder, token
        self.looked = 0.0

    def look(self) -> None:
        """Raise `Stopped` if it has ended; reads the file now and then only."""
        now = time.monotonic()
        if now - self.looked >= LOOK_SECONDS:
            self.looked = now
            self.check()

    def check(self) -> None:
        """Raise `Stopped` if it has ended."""
        if parent_died.is_set():
            raise Stopped
        try:
            text = (self.folder / SESSION).read_bytes()
        except FileNotFoundError:
            if not self.folder.is_dir():
                raise FatalError(
                    f"{socket.gethostname()} has no {self.folder}: a campaign's folder must be on "
                    "a file system that all workers share"
                ) from None
            raise Stopped from None
        except OSError:
            # A network file system that is away for a moment.
            return
        # A damaged one is as good as none: the coordinator, if there is one, writes it again.
        with suppress(DatasetError):
            if read_sealed_json(text, SESSION, "").get("token") == self.token:
                return
        raise Stopped


class Now:
    """A small file that says how far a run is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started = time.time()
        self.first: int | None = None
        self.written = 0.0

    def write(self, step: int, steps: int, words: str) -> None:
        """Note it, unless that was done a moment ago."""
        if self.first is None:
            self.first = step
        now = time.monotonic()
        if now - self.written < NOTE_SECONDS:
            return
        self.written = now
        about = {
            "step": step,
            "steps": steps,
            "words": words,
            "first": self.first,
            "started": self.started,
            "time": time.time(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
        }
        # It is worth nothing compared with the run.
        with suppress(OSError):
            new = self.folder / NEW_NOW
            new.write_bytes(sealed_json(about))
            new.replace(self.folder / NOW)

    def remove(self) -> None:
        """Note no more: the run has ended."""
        with suppress(OSError):
            (self.folder / NOW).unlink(missing_ok=True)


# Those who look on


def read_now(folder: Path) -> dict[str, Any]:
    """Return how far a run is, from its folder."""
    return read_note(folder / NOW)


def session_start(folder: Path) -> float:
    """Return when the session began, by the clock of its coordinator; 0 without one."""
    with suppress(*NO_NOTE):
        return float(read_note(folder / SESSION)["started"])
    return 0.0


def session_words(folder: Path) -> str:
    """Say who has a campaign in hand."""
    try:
        about = read_note(folder / SESSION)
        since = datetime.fromtimestamp(about["started"], UTC)
        return f"process {about['pid']} on {about['host']}, since {since:%Y-%m-%d %H:%M} UTC"
    except NO_NOTE:
        return "another process"


def is_at_work(folder: Path) -> bool:
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
