"""Ctrl-C in the process of the command ``nb101`` while no command runs yet, or none any more.

Imports take a part of a second, and whatever they are in the middle of, Ctrl-C is then to be one
line and exit code 130, as it is later; `nb101.cli.main` has Python's own way between the two, and
imports the command that it is to run by `importing`.
Imported by anything but the command, the package leaves signals alone.
"""

import atexit
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from types import FrameType
from typing import NoReturn

MESSAGE = "nb101: interrupted\n"
INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def is_command(arguments: list[str], original: list[str]) -> bool:
    """Tell whether a process is that of the command, from `sys.argv` and `sys.orig_argv`."""
    if "--multiprocessing-fork" in original:
        # A worker is told the arguments of its parent.
        return False
    if arguments[:1] == ["-m"]:
        # So Python has it while it looks for the module.
        return "-mnb101" in original or ("-m", "nb101") in pairwise(original)
    name, ending = os.path.splitext(os.path.basename(arguments[0] if arguments else ""))  # noqa: PTH119, PTH122
    return name == "nb101" and ending.lower() in ("", ".exe")


def end_at_once() -> None:
    """Let Ctrl-C end the process with a line, where it would raise KeyboardInterrupt."""
    try:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _end)
    except ValueError:
        pass  # Only the main thread can.


def raise_again() -> bool:
    """Let Ctrl-C raise KeyboardInterrupt again, and return whether it did not."""
    if signal.getsignal(signal.SIGINT) is not _end:
        return False
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return True


@contextmanager
def importing() -> Iterator[None]:
    """Let Ctrl-C end the process of the command at once while it imports something."""
    if not _is_command:
        yield
        return
    end_at_once()
    try:
        yield
    finally:
        raise_again()


def leave_by_code() -> None:
    """See to it that the exit code is `INTERRUPTED`, and this process not killed by SIGINT.

    Python does that to itself where KeyboardInterrupt has passed through an ``exec`` of text, such
    as dataclasses make, even if it was caught.
    """
    global _left
    _left = True


_left = False


def _leave() -> None:
    if _left:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(INTERRUPTED)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    # Nothing to clean up, and an exception could end in whatever code is being imported.
    try:
        os.write(2, MESSAGE.encode())
    finally:
        os._exit(INTERRUPTED)


_is_command = is_command(sys.argv, sys.orig_argv)
if _is_command:
    end_at_once()
    atexit.register(_leave)  # The first to be registered is the last to be called.
