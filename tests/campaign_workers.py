"""Imported by the workers of tests: they look at their session, and report, more often."""

import os
import signal
from pathlib import Path

from nb101.campaign import session

session.LOOK_SECONDS = 0.05
session.NOTE_SECONDS = 0.05

KILLS = "NB101_TEST_KILLS"


def begin_killed(device: str | None) -> None:
    """Begin as a worker that is killed as it starts, once for each file in a folder."""
    for path in Path(os.environ[KILLS]).iterdir():
        path.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def begin_wrong(device: str | None) -> None:
    """Begin as a worker whose main module cannot be imported."""
    os._exit(1)
