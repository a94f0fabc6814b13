"""Progress of commands: on stderr, if it is a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from nb101._base.progress import Show, show


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Show]:
    """Show progress on stderr if it is a terminal; see `nb101._base.progress`."""
    with show(what, total) as advance:
        yield advance


@contextmanager
def byte_bar() -> Iterator[Show]:
    """Show progress in bytes: a new name begins a new bar; a total of 0 is one not known."""
    with show(unit="bytes") as advance:
        yield advance


@contextmanager
def step_bar() -> Iterator[Show]:
    """Show progress in steps, with words."""
    with show() as advance:
        yield advance
