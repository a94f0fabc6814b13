"""Threads that long calls use."""

import os
import warnings

from nb101 import _core

MOST_THREADS = 4096


def set_threads(threads: int | None = None) -> None:
    """Set the number of threads for long calls; `None` or 0 is one for each core.

    The environment variable ``NB101_THREADS`` does the same when the package is imported; what is
    not a number of threads is ignored with a warning.

    Raises
    ------
    ValueError
        If it is negative or not a whole number.
    """
    if threads is not None and (not isinstance(threads, int) or not 0 <= threads <= MOST_THREADS):
        raise ValueError(
            f"threads must be a whole number from 0 to {MOST_THREADS}, not {threads!r}"
        )
    _core.set_threads(threads or 0)


def get_threads() -> int:
    """Return the number of threads that long calls use."""
    return _core.get_threads()


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
