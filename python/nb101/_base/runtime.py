"""Threads that long calls use, and what to make of it when a process may have no more.

The core is imported when it is asked: the command line needs the words without it.
"""

import errno
import os
import warnings

from nb101.errors import ArgumentError

MOST_THREADS = 4096


def set_threads(threads: int | None = None) -> None:
    """Set the number of threads for long calls; `None` or 0 is one for each core.

    The environment variable ``NB101_THREADS`` does the same when the package is imported; what is
    not a number of threads is ignored with a warning.

    Raises
    ------
    ArgumentError
        If it is negative or not a whole number.
    """
    if threads is not None and (not isinstance(threads, int) or not 0 <= threads <= MOST_THREADS):
        raise ArgumentError(
            f"threads must be a whole number from 0 to {MOST_THREADS}, not {threads!r}",
            field="threads",
        )
    from nb101 import _core

    _core.set_threads(threads or 0)


def get_threads() -> int:
    """Return the number of threads that long calls use."""
    from nb101 import _core

    return _core.get_threads()


def is_shortage(error: BaseException) -> bool:
    """Tell whether memory or threads are what was missing, which libraries say in many ways.

    A library that cannot be mapped is an ImportError, a file that cannot be mapped an OSError with
    the words of the system; and what fails to be made within others surfaces as anything.
    """
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    text = str(error).lower()
    told = (
        "allocate memory",
        "out of memory",
        "failed to map segment",
        "malloc",
        "bad_alloc",
        "start new thread",
        "launch worker thread",
        "resource temporarily unavailable",
    )
    if any(words in text for words in told):
        return True
    if isinstance(error, ValueError):
        return False  # A refusal with reasons of its own.
    from nb101 import _core

    # All else is doubtful where there is no room.
    return not _core.has_room()


def raise_if_short(error: Exception) -> None:
    """Raise `MemoryError` if it, and no file, is to blame for an error in reading one."""
    if is_shortage(error):
        raise MemoryError(describe_shortage(error)) from error


def describe_shortage(error: BaseException) -> str:
    """Say in one line what is short."""
    reason = " ".join(str(error).split())
    if reason.startswith("not enough memory"):
        return reason
    what = "not enough memory" + (" or threads" if "thread" in reason else "")
    return f"{what}: {reason}" if reason else what


def _from_environment() -> None:
    text = os.environ.get("NB101_THREADS", "").strip()
    if not text:
        return
    if text.isdecimal() and int(text) <= MOST_THREADS:
        set_threads(int(text))
        return
    # An import must not fail for it.
    message = (
        f"NB101_THREADS must be a whole number from 0 to {MOST_THREADS}, not {text!r}: ignored"
    )
    warnings.warn(message, stacklevel=2)


_from_environment()
