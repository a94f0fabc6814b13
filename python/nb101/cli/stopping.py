"""How commands end early: Ctrl-C and what is said of it, runs between two steps, scripts."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(BaseException):
    """Ctrl-C has ended a command: its message says how to go on.

    Not a KeyboardInterrupt, of which whoever calls commands would keep but that there was one.
    """


class ScriptEnded(BaseException):
    """A script has run: the command ends with its exit code, and nothing is added to its output.

    Not an Exception, so that nothing on the way takes it for an error of its own.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@contextmanager
def interrupted(hint: str | Callable[[], str]) -> Iterator[None]:
    """Say at Ctrl-C how to go on: ``nb101: interrupted; HINT``.

    Parameters
    ----------
    hint
        A clause such as "the same command goes on from run 37 of 500", or what makes it at the end.

    Raises
    ------
    Interrupted
        At Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Interrupted(hint if isinstance(hint, str) else hint()) from stop


@contextmanager
def stoppable(keeps: bool) -> Iterator[Callable[[], None]]:
    """Let Ctrl-C and SIGTERM end a run between two steps; a second one ends it at once.

    The function given is to be called between steps.
    """
    asked: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        if keeps:
            print("\nnb101: writing a checkpoint", file=sys.stderr)

    def check() -> None:
        if asked:
            raise KeyboardInterrupt

    before = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, ask)
    except ValueError:
        pass  # Only the main thread can.
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
