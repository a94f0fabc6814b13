"""Ctrl-C during a run: it ends it between two steps, where a checkpoint can be kept."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def between_steps(keeps: bool) -> Iterator[Callable[[], None]]:
    """Let Ctrl-C end a run between two steps, where it can be kept; a second one ends it at once.

    Programs with a handler of their own keep it.

    Parameters
    ----------
    keeps
        Whether there is a checkpoint. Without one Ctrl-C does as ever.

    Returns
    -------
    A context manager; the function that it gives is to be called between steps.
    """
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    def check() -> None:
        if asked:
            raise KeyboardInterrupt

    if (
        not keeps
        or threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield check
        return
    signal.signal(signal.SIGINT, ask)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
