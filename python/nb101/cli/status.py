"""``nb101 campaign status``, and how far a campaign is: in a line, a picture, tables."""

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nb101._base.progress import duration
from nb101.cli.grid import Facts
from nb101.cli.options import Json
from nb101.cli.printing import made_plain, note, plain_warnings, print_json, print_rich
from nb101.plain import counted, printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from nb101.campaign import Failure, Ranked, Status

STATUS_EXAMPLES = """[bold]Examples[/bold]

nb101 campaign status runs

nb101 campaign status runs --json"""

LINE_SECONDS = 60.0
"""Between two lines of progress where there is no terminal."""
SHOWN = 10
"""Runs, failures and settings that are listed one by one."""

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The campaign's folder.")]


def status(folder: Folder, json: Json = False) -> None:
    """Say how far a campaign is, also while it runs; rank the settings of a grid; list failures.

    Settings are ranked by their mean validation accuracy at the largest budget, over the cells that
    all of them have finished.
    """
    from nb101 import campaign

    with plain_warnings():
        now = campaign.status(folder)
        failed = campaign.failures(folder) if now.failed else []
        ranked = campaign.ranking(folder) if now.settings > 1 else []
    if json:
        found = now.to_dict() | {"failures": [asdict(one) for one in failed]}
        if ranked:
            found["ranking"] = [asdict(one) for one in ranked]
        print_json(found)
        return
    facts = [
        ("campaign", now.folder),
        ("plan", f"{now.summary}; fingerprint {now.fingerprint[:12]}"),
        ("done", f"{now.done:,} of {now.total:,}"),
        ("running", f"{len(now.active):,}, and {now.running - len(now.active):,} given out"),
        ("failed", f"{now.failed:,}"),
        ("waiting", f"{now.waiting:,}"),
    ]
    if not now.at_work:
        facts[3] = ("running", "none: nobody is at work on it")
    if now.runs_per_hour is not None:
        facts.append(("rate", f"{now.runs_per_hour:,.3g} runs an hour"))
    if now.seconds_left is not None and now.done < now.total:
        facts.append(("time left", duration(now.seconds_left)))
    from rich.text import Text

    parts: list[Any] = [Facts(facts)]
    if now.active:
        parts.append(_active_table(now))
    if ranked:
        parts.append(_ranking_table(ranked))
    if failed:
        parts.append(Text(_failure_lines(failed, now.settings)))
    print_rich(*parts)


def _ranking_table(ranked: "Sequence[Ranked]") -> Any:
    from rich import box
    from rich.table import Table

    over = counted(ranked[0].cells, "cell")
    title = f"settings by mean validation accuracy over {over}"
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("rank", "setting", *ranked[0].changes, "accuracy", "done", "failed"):
        # Names of settings are long, and their values are not.
        grid.add_column(head.replace("_", "\n"), justify="right", no_wrap=True, vertical="bottom")
    for rank, one in enumerate(ranked, 1):
        accuracy = "" if math.isnan(one.accuracy) else f"{one.accuracy:.4f}"
        values = map(str, one.changes.values())
        counts = (f"{one.done:,}", f"{one.failed:,}")
        grid.add_row(str(rank), str(one.setting), *values, accuracy, *counts)
    return grid


def _failure_lines(failed: "Sequence[Failure]", settings: int) -> str:
    """List failures, a line each: their reasons are of any length."""
    title = "failed runs"
    if len(failed) > SHOWN:
        title += f": {SHOWN} of {len(failed):,}"
    lines = [title]
    for one in failed[:SHOWN]:
        which = f"cell {one.cell_id}, {counted(one.epochs, 'epoch')}, repeat {one.repeat}"
        if settings > 1:
            which += f", setting {one.setting}"
        tries = counted(one.tries, "try", "tries")
        lines.append(f"  {which}, {tries}: {one.kind}: {printable(one.message)}")
    return "\n".join(lines)


@contextmanager
def live_status() -> Iterator[Callable[["Status"], object]]:
    """Show the status on stderr as it changes: a picture on a terminal, else a line a minute."""
    if not sys.stderr.isatty():
        shown, stopping = time.monotonic(), False

        def line(now: "Status") -> None:
            nonlocal shown, stopping
            if time.monotonic() - shown >= LINE_SECONDS or now.stopping != stopping:
                shown, stopping = time.monotonic(), now.stopping
                note(describe_status(now))

        yield line
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, markup=False, emoji=False)
    with Live(console=console, transient=True, refresh_per_second=2) as live:
        yield lambda now: live.update(_picture(now))


def describe_status(now: "Status") -> str:
    """Say in a line how far a campaign is."""
    text = f"{now.done:,} of {counted(now.total, 'run')} done"
    if now.failed:
        text += f", {now.failed:,} failed"
    if now.stopping:
        return f"{text}; stopping: runs under way save their checkpoints"
    if now.at_work:
        text += f", {len(now.active):,} at work"
    if now.runs_per_hour is not None:
        text += f"; {now.runs_per_hour:,.3g} an hour"
    if now.seconds_left is not None and now.done < now.total:
        text += f", {duration(now.seconds_left)} left"
    return text


def _picture(now: "Status") -> "RenderableType":
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    # In a grid, since a bar does not end its line.
    lines = Table.grid()
    lines.add_row(ProgressBar(total=max(1, now.total), completed=now.done + now.failed, width=60))
    lines.add_row(Text(describe_status(now)))
    return Group(lines, *([made_plain(_active_table(now))] if now.active else []))


def _active_table(now: "Status") -> Any:
    from rich import box
    from rich.table import Table

    # Where all are on one machine, its name says nothing, and fits no 80 columns.
    several = len({one.host for one in now.active}) > 1
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for head in ("cell", "epochs", "repeat", "setting", "steps", "since"):
        if head != "setting" or now.settings > 1:
            grid.add_column(head, justify="right", no_wrap=True)
    if several:
        grid.add_column("host", overflow="ellipsis", no_wrap=True, max_width=10)
    grid.add_column("doing", overflow="ellipsis", no_wrap=True, max_width=16 if several else 31)
    for one in now.active[:SHOWN]:
        numbers = [one.cell_id, one.epochs, one.repeat]
        numbers += [one.setting] if now.settings > 1 else []
        texts = [*map(str, numbers), f"{one.step / max(1, one.steps):.0%}"]
        texts += [duration(one.seconds), *([one.host] if several else []), one.words]
        grid.add_row(*texts)
    if len(now.active) > SHOWN:
        grid.add_row(f"and {len(now.active) - SHOWN:,} more")
    return grid
