"""Calls on another thread while the caller goes on: of what leaves the interpreter alone.

A thread lasts as long as its call, so that none is there when a process forks. Where the system has
no more threads, the caller does it all.
"""

import threading
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Beside(Generic[T]):
    """A call that has begun; wait for it with `result`, whatever happens in between."""

    def __init__(self, function: Callable[..., T], *arguments: Any) -> None:
        self._call = partial(function, *arguments)
        self._result: list[T] = []
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = threading.Thread(target=self._run)
        try:
            self._thread.start()
        except RuntimeError:
            self._thread = None  # There are no more.

    def _run(self) -> None:
        try:
            self._result.append(self._call())
        except BaseException as error:
            self._error = error

    def wait(self) -> None:
        """Wait until the call is over, whatever it came to; it is not made if it has not begun."""
        if self._thread is not None:
            self._thread.join()

    def result(self) -> T:
        """Wait for the call; return what it returned, once, or raise what it raised."""
        if self._thread is None:
            self._run()
        else:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result.pop()


def ahead(makers: Iterable[Callable[[], T]]) -> Generator[T]:
    """Call one after another; each while the caller uses what the one before has made."""
    beside: Beside[T] | None = None
    try:
        for make in makers:
            before, beside = beside, None
            made = [] if before is None else [before.result()]
            beside = Beside(make)
            if made:
                # Not kept here while it is used.
                yield made.pop()
        if beside is not None:
            before, beside = beside, None
            yield before.result()
    finally:
        if beside is not None:
            # Nobody has asked for this one: its error must not stand for that which ends the rest.
            beside.wait()
