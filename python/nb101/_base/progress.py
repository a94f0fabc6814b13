"""Progress of long calls: on a terminal, in a notebook, and nowhere else.

A terminal gets a bar on stderr that goes away at the end. A notebook gets one below its cell, for
which it needs no widgets. Where stderr is a file or a pipe there is none.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from html import escape
from typing import TYPE_CHECKING, Any, Literal, Protocol

from nb101.plain import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

Unit = Literal["things", "bytes"]
Progress = Callable[[int, int], object]
"""Hears of what is done, and of how many."""
NamedProgress = Callable[[int, int, str], object]
"""Hears also, in a word or two, of what is being done."""
TimeProgress = Callable[[float, float], object]
"""Hears of what is spent, and of the limit."""

_MOST = 1 << 62
"""Of what cannot be done in anybody's life, there is no bar."""
_PAUSE = 0.2
"""Seconds between two pictures in a notebook."""


class Show(Protocol):
    """Takes what is done, of how many where that has changed (0: not known), and new words."""

    def __call__(self, done: int, total: int | None = None, what: str | None = None) -> object:
        """Show it."""


def show(
    what: str = "", total: int | None = None, *, unit: Unit = "things"
) -> AbstractContextManager[Show]:
    """Show progress while the block runs.

    Parameters
    ----------
    what
        What is being done, in a word or two.
    total
        Of how many things or bytes; `None` if that is not known (yet).
    unit
        Of what: things, or bytes, which are shown as sizes and with their speed.

    Returns
    -------
    A context manager; the function that it gives takes ``(done, total, what)``, the last two where
    they have changed. New words begin a new bar.

    Examples
    --------
    >>> with show("counting", 3) as advance:
    ...     for done in range(3):
    ...         _ = advance(done + 1)
    """
    if (total or 0) < _MOST:
        if in_notebook():
            return _notebook_bar(what, total, unit)
        if sys.stderr is not None and sys.stderr.isatty():
            return _terminal_bar(what, total, unit)
    return nullcontext(_nothing)


def given_or_shown(
    given: Progress | None, what: str, total: int | None = None
) -> AbstractContextManager[Progress]:
    """Return the function for the progress of a long call of the library.

    That is the one that the caller gives; without one, a notebook shows a bar, and all else
    nothing: a program's terminal is its own.
    """
    if given is not None or not in_notebook():
        return nullcontext(given or _nothing)
    return show(what, total)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, which shows what is displayed."""
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython is not None else None
    # Not the shell in a terminal, which has no such connection.
    return getattr(shell, "kernel", None) is not None


def _nothing(done: int, total: int | None = None, what: str | None = None) -> None:
    pass


@contextmanager
def _terminal_bar(what: str, total: int | None, unit: Unit) -> Iterator[Show]:
    with _bars(unit) as bars:
        task = bars.add_task(printable(what), total=total)

        def advance(done: int, total: int | None = None, what: str | None = None) -> None:
            if what is not None and bars.tasks[0].description != printable(what):
                # What is done at the beginning is no speed.
                bars.reset(task, description=printable(what), completed=done)
            bars.update(task, completed=done, total=total)
            if total == 0:
                bars.tasks[0].total = None

        yield advance


def _bars(unit: Unit) -> "Bars":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bars

    amounts = (
        (DownloadColumn(), TransferSpeedColumn()) if unit == "bytes" else (MofNCompleteColumn(),)
    )
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *amounts,
        TimeRemainingColumn(),
    )
    return Bars(*columns, console=Console(stderr=True), transient=True)


@contextmanager
def _notebook_bar(what: str, total: int | None, unit: Unit) -> Iterator[Show]:
    from IPython.display import HTML, display

    start = time.monotonic()
    last = start
    now: dict[str, Any] = {"done": 0, "total": total, "what": what}
    handle = display(HTML(_picture(0, total, what, unit, 0.0)), display_id=True)

    def advance(done: int, total: int | None = None, what: str | None = None) -> None:
        nonlocal last
        now["done"] = done
        if total is not None:
            now["total"] = total or None
        now["what"] = now["what"] if what is None else what
        if handle is not None and time.monotonic() - last >= _PAUSE:
            last = time.monotonic()
            handle.update(HTML(_picture(**now, unit=unit, seconds=last - start)))

    try:
        yield advance
    finally:
        if handle is not None:
            # As on a terminal nothing stays: an empty one would be taken away with its place.
            handle.update(HTML("<span></span>"))


def _picture(done: int, total: int | None, what: str, unit: Unit, seconds: float) -> str:
    """Draw a bar as HTML, with what is done and how long the rest takes."""

    def amount(n: int) -> str:
        return f"{n / 1e6:,.1f} MB" if unit == "bytes" else f"{n:,}"

    bar = f'<progress value="{done}" max="{total}"></progress> ' if total else ""
    text = f"{amount(done)} of {amount(total)}" if total else amount(done)
    if total and 0 < done < total and seconds >= 1:
        text += f", {duration((total - done) * seconds / done)} left"
    return f"{escape(printable(what))} {bar}{text}"


def duration(seconds: float) -> str:
    """Say a duration in its two largest units."""
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    left = round(seconds)
    parts: list[str] = []
    for name, size in units:
        if left >= size or (name == "s" and not parts):
            parts.append(f"{left // size:,} {name}")
            left %= size
        elif parts:
            break
    return " ".join(parts[:2])
