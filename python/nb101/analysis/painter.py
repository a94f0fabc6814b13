"""A process that draws the figures of a report while this one computes what they show.

Matplotlib is Python: in a thread it takes turns with the statistics at the interpreter's lock, and
its settings are those of the whole process, a user's own figures included. So it is loaded and
set in a process of its own, which gets the table, by its file if it has one, and with each figure
what has been computed since the one before. What it has not been given it computes itself.

The process is a plain one of this interpreter, and not multiprocessing's, whose workers import the
script that is running: a script needs no guard to write a report. It ends when its input does.
"""

import gc
import os
import pickle
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from nb101.errors import DatasetError, NB101Error

if TYPE_CHECKING:
    from markupsafe import Markup

    from nb101.analysis.study import Study

_START = """
import pickle, sys
try:
    sys.path[:] = pickle.load(sys.stdin.buffer)
except EOFError:
    sys.exit()
from nb101.analysis.painter import serve
serve()
"""
_NOT_SENT = ("backend", "backend_fallback")
"""Settings of matplotlib that figures of no backend do not look at, and that are chosen late."""


class Painter:
    """Draws figures of a study, one after the other, in a process of its own if there can be one.

    Its calls may be made on another thread, one at a time.
    """

    def __init__(self, study: "Study") -> None:
        self._study = study
        self._sent: set[str] = set()
        self._process = _start()
        self._opened = False
        self._lock = threading.Lock()

    def svg(self, name: str) -> "Markup | None":
        """Draw a figure as an element of a page; `None` if that is to be done here.

        Raises
        ------
        DatasetError
            If the table lacks what it takes.
        """
        from markupsafe import Markup

        # Before anything waits: what is computed in the meantime is sent with the next one.
        known = self._study.known(self._sent)
        with self._lock:
            process = self._process
            if process is None:
                return None
            try:
                how, said = self._ask(process, name, known)
            except Exception:
                # It could not be sent all, or has died, for want of memory perhaps.
                self._end()
                return None
        if how == "lacks":
            raise DatasetError(said)
        return Markup(said) if how == "drawn" else None

    def _ask(
        self, process: "subprocess.Popen[bytes]", name: str, known: dict[str, Any]
    ) -> tuple[str, str]:
        assert process.stdin is not None
        assert process.stdout is not None
        if not self._opened:
            pickle.dump(sys.path, process.stdin)
            pickle.dump(_settings(), process.stdin)
            study = self._study
            given = (study.table, study.epochs, study.seed, study.scores)
            pickle.dump(given, process.stdin, protocol=5)
            self._opened = True
        pickle.dump((name, known), process.stdin, protocol=5)
        process.stdin.flush()
        self._sent |= known.keys()
        how, said = pickle.load(process.stdout)
        return how, said

    def close(self) -> None:
        """End the process, whatever it does."""
        process = self._process
        if process is not None:
            process.kill()
        # Who waits for it on another thread is told by the end of its output.
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                # What is left to be written goes nowhere.
                pipe.close()  # type: ignore[union-attr]
        process.wait()


def _start() -> "subprocess.Popen[bytes] | None":
    if not sys.executable or getattr(sys, "frozen", False):
        return None  # What runs is a program of its own.
    # Ctrl-C is for this process alone, which ends the other.
    apart: dict[str, Any] = (
        {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        if os.name == "nt"
        else {"process_group": 0}
    )
    command = [sys.executable, "-P", "-c", _START]
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **apart)
    except OSError:
        return None  # No more processes, or no memory for one.


def _settings() -> dict[str, Any]:
    """Return what a user has set of matplotlib in this process, for figures look so too."""
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is None:
        return {}
    was = matplotlib.rcParamsOrig
    now = {key: dict.get(matplotlib.rcParams, key) for key in matplotlib.rcParams}
    return {
        key: value
        for key, value in now.items()
        if key not in _NOT_SENT and value != dict.get(was, key)
    }


# In the other process


def serve() -> None:
    """Draw what is asked for on standard input, until that ends."""
    with suppress(EOFError, BrokenPipeError):
        _draw_all(sys.stdin.buffer, _own_output())


def _draw_all(asked: BinaryIO, answers: BinaryIO) -> None:
    settings = pickle.load(asked)
    import matplotlib.figure

    from nb101.analysis.page import svg
    from nb101.analysis.study import Study

    matplotlib.rcParams.update(settings)
    table, epochs, seed, scores = pickle.load(asked)
    study = Study(table, epochs, seed=seed, scores=scores)
    # The few figures are garbage only when all is over (2.36 s of drawing, 2.48 with collections).
    gc.disable()
    while True:
        name, known = pickle.load(asked)
        vars(study).update(known)
        try:
            answer = ("drawn", str(svg(name, study)))
        except NB101Error as error:
            answer = ("lacks", str(error))
        except Exception:
            # Whoever asked draws it, and sees what is wrong.
            answer = ("failed", "")
        pickle.dump(answer, answers)
        answers.flush()


def _own_output() -> BinaryIO:
    """Keep standard output for answers; what a library prints goes to where errors go."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers
