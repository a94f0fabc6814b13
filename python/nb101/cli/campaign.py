"""``nb101 campaign``: plan, run, status, table."""

import math
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from nb101._base.files import check_writable, file_errors
from nb101._base.progress import duration
from nb101.cli.arguments import refuse_option, take_cell
from nb101.cli.grid import Facts
from nb101.cli.options import (
    AnyImages,
    CheckpointMinutes,
    Dask,
    Data,
    Json,
    SpaceOptions,
    TableFormat,
    grouped,
)
from nb101.cli.output import beside, describe_file, output_and_format, output_file
from nb101.cli.printing import made_plain, note, print_json, print_line, print_rich
from nb101.cli.recipe import make_recipe, read_settings
from nb101.cli.stopping import interrupted
from nb101.cli.workers import cluster, import_modules
from nb101.errors import ArgumentError, CampaignError, NB101Error
from nb101.plain import counted, printable
from nb101.space.cell import Cell
from nb101.space.cells import Cells
from nb101.space.lookup import Ids
from nb101.space.search_space import SearchSpace
from nb101.table.files import table_format

if TYPE_CHECKING:
    from rich.console import RenderableType

    from nb101.campaign import Failure, Plan, Ranked, Status
    from nb101.campaign.plan import DataSource

PLAN_EXAMPLES = """[bold]Examples[/bold]

nb101 campaign plan --all-up-to-vertices 4 --epochs 4 --set stem_channels=16 -o plan.json

nb101 campaign plan 28cfc7874f6d200472e1a9dcd8650aa0 --epochs 4,12,36,108 -o inception.json

nb101 campaign plan --sample 50 --grid learning_rate=0.1,0.2 --epochs 12 -o grid.json"""
RUN_EXAMPLES = """[bold]Examples[/bold]

nb101 campaign run plan.json runs

nb101 campaign run runs

nb101 campaign run plan.json /shared/runs --dask tcp://head:8786"""
STATUS_EXAMPLES = """[bold]Examples[/bold]

nb101 campaign status runs

nb101 campaign status runs --json"""
TABLE_EXAMPLES = """[bold]Examples[/bold]

nb101 campaign table runs table.parquet

nb101 campaign table runs table.tfrecord

nb101 campaign table grid-runs best.arrow --setting 1"""
LINE_SECONDS = 60.0
"""Between two lines of progress where there is no terminal."""
SHOWN = 10
"""Runs, failures and settings that are listed one by one."""

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The campaign's folder.")]


@dataclass(frozen=True, kw_only=True)
class CellsOptions:
    """Which cells."""

    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CELL", help="Cells: ids, hashes, ADJACENCY OPS, or JSON; - for stdin."
        ),
    ] = None
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="Cells from a file, one a line."),
    ] = None
    up_to: Annotated[
        int | None,
        typer.Option("--all-up-to-vertices", metavar="N", help="All cells of up to N vertices."),
    ] = None
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample", metavar="N", help="N different cells at random: of the space, or of those."
        ),
    ] = None

    def choose(self, space: SearchSpace, seed: int) -> Ids:
        """Return their ids, each once."""
        parts = [space.index(Cells(self._listed(space), op_names=space.ops))]
        if self.up_to is not None:
            some = SearchSpace(self.up_to, space.max_edges, space.ops)
            parts.append(space.index(some.enumerate()))
        ids = np.unique(np.concatenate(parts))
        if self.sample is not None:
            return _sampled(ids, self.sample, space, seed)
        if not len(ids):
            raise CampaignError(
                "name cells: their ids, hashes or modules, --file, --all-up-to-vertices or "
                "--sample",
                field="cells",
            )
        return ids

    def _listed(self, space: SearchSpace) -> list[Cell]:
        """Return those that are named one by one."""
        arguments, listed = list(self.arguments or []), []
        for text in arguments:
            refuse_option(text)
        if arguments == ["-"]:
            arguments = [line for line in sys.stdin.read().splitlines() if line.strip()]
        while arguments:
            listed.append(take_cell(arguments, space))
        if self.file is not None:
            listed += _cells_of_file(self.file, space)
        return listed


@dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """On which images."""

    data: Data = "cifar10"
    any_images: AnyImages = False

    def read(self) -> "DataSource":
        """Read them, and return what a plan says of them."""
        from nb101.campaign.plan import read_source

        return read_source(self.data, verify=not self.any_images)


@dataclass(frozen=True, kw_only=True)
class RecipesOptions:
    """By which recipe, or which of a grid."""

    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Settings as JSON; --set comes on top."),
    ] = None
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting of the recipe, such as stem_channels=16; repeat for more.",
        ),
    ] = None
    grid: Annotated[
        list[str] | None,
        typer.Option(
            "--grid",
            metavar="NAME=VALUE,...",
            help="Try each of the values; with several grids all combinations.",
        ),
    ] = None

    def settings(self) -> dict[str, Any]:
        """Return the settings of all of them, by name."""
        settings = read_settings(self.config, self.set_ or [])
        if "epochs" in settings:
            raise ArgumentError(
                "budgets are given by --epochs, and not as a setting", field="epochs"
            )
        return settings

    def ways(self, settings: dict[str, Any]) -> dict[str, list[Any]]:
        """Return the values of the grid, by name; each makes a recipe with the settings."""
        ways = dict(map(_read_grid, self.grid or []))
        for name, values in ways.items():
            for value in values:
                make_recipe(settings | {name: value})
        return ways


@grouped
def plan(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="The plan's file; - for stdout."),
    ] = Path("plan.json"),
    *,
    which: CellsOptions,
    epochs: Annotated[str, typer.Option("--epochs", metavar="N,...", help="The budgets.")] = "108",
    repeats: Annotated[
        int, typer.Option("--repeats", metavar="N", help="Runs of a cell at each budget.")
    ] = 3,
    images: ImageOptions,
    recipes: RecipesOptions,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Of the sample and of all runs.")
    ] = 0,
    of: SpaceOptions,
    json: Json = False,
) -> None:
    """Write a plan: which cells, at which budgets, how often, by which recipe, on which images.

    The recipe is the original's but for --config and --set. The images are read, for their checksum
    is part of the plan. FILE is JSON that may be edited.
    """
    from nb101.campaign import Plan

    space = of.make()
    cells = which.choose(space, seed)
    budgets = tuple(_whole("--epochs", text) for text in epochs.split(","))
    settings = recipes.settings()
    source = images.read()
    settings.setdefault("num_classes", source.num_classes)
    ways = recipes.ways(settings)
    made = Plan(
        cells=cells,
        data=source,
        epochs=budgets,
        repeats=repeats,
        config=make_recipe(settings),
        grid=ways,
        seed=seed,
        space=space,
    )
    output = output_file(output, "json")
    made.save(output)
    facts: dict[str, Any] = {
        "plan": str(output),
        "fingerprint": made.fingerprint,
        "cells": len(made.cells),
        "epochs": list(made.epochs),
        "repeats": made.repeats,
        "settings": [dict(changes) for changes in made.changes],
        "runs": len(made),
        "data": made.data.to_dict(),
    }
    with beside(output):
        _print_plan(made, facts, json)


def _print_plan(made: "Plan", facts: dict[str, Any], json: bool) -> None:
    if json:
        print_json(facts)
        return
    facts["fingerprint"] = made.fingerprint[:12]
    facts["epochs"] = ", ".join(map(str, made.epochs))
    facts["data"] = f"{made.data.name}, checksum {made.data.checksum:08x}"
    facts["settings"] = len(made.settings)
    if not made.grid:
        del facts["settings"]
    for name in ("cells", "runs"):
        facts[name] = f"{facts[name]:,}"
    print_rich(Facts(list(facts.items())))


def _read_grid(text: str) -> tuple[str, list[Any]]:
    name, equals, values = text.partition("=")
    if not equals or not values:
        raise ArgumentError(f"--grid takes NAME=VALUE,..., not {text!r}", field="grid")
    found = [read_settings(None, [f"{name}={value}"]) for value in values.split(",")]
    (key,) = found[0]
    return key, [one[key] for one in found]


def _whole(what: str, text: str) -> int:
    if not re.fullmatch(" *[0-9]{1,9} *", text):
        raise ArgumentError(
            f"{what} takes whole numbers separated by commas, not {text!r}", field=what.lstrip("-")
        )
    return int(text)


def _cells_of_file(file: Path, space: SearchSpace) -> Iterator[Cell]:
    """Read cells from a file, one a line; lines that begin with # are comments."""
    with file_errors(file):
        text = file.read_text(errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            try:
                yield take_cell([line], space)
            except ValueError as error:
                raise CampaignError(
                    f"{file}, line {number}: {error}", index=number - 1, path=file
                ) from None


def _sampled(ids: Ids, n: int, space: SearchSpace, seed: int) -> Ids:
    """Draw from ids, or from the whole space where there are none."""
    total = len(ids) or space.count().total
    if not 1 <= n <= total:
        raise ArgumentError(
            f"--sample must be from 1 to {total:,}, the number of cells; not {n}",
            field="sample",
        )
    rng = np.random.default_rng(seed)
    chosen = rng.choice(total, n, replace=False, shuffle=False)
    return ids[chosen] if len(ids) else chosen


@dataclass(frozen=True, kw_only=True)
class WorkersOptions:
    """Who does the runs."""

    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", "-w", metavar="N", help="Processes; one a GPU, or one a core without."
        ),
    ] = None
    workers_per_device: Annotated[
        int,
        typer.Option(
            "--workers-per-device", metavar="N", help="Processes a GPU; small cells leave it idle."
        ),
    ] = 1
    threads: Annotated[
        int | None,
        typer.Option("--threads", "-t", metavar="N", help="Threads of each worker on the CPU."),
    ] = None
    dask: Dask = None


@dataclass(frozen=True, kw_only=True)
class CareOptions:
    """How runs are given out, tried again and kept."""

    retry: Annotated[
        int, typer.Option("--retry", metavar="N", help="How often a failed run is tried again.")
    ] = 2
    at_once: Annotated[
        int | None,
        typer.Option("--at-once", metavar="N", help="Runs given out at a time."),
    ] = None
    checkpoint_minutes: CheckpointMinutes = 10
    keep_checkpoints: Annotated[
        bool,
        typer.Option("--keep-checkpoints", help="Keep those of finished runs: trained weights."),
    ] = False


@grouped
def run(
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN", help="The plan's file; or DIR, to go on.")
    ],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="The campaign's folder, made if it is not there."),
    ] = None,
    *,
    by: WorkersOptions,
    care: CareOptions,
    imports: Annotated[
        list[str] | None,
        typer.Option(
            "--import", metavar="MODULE", help="A module that registers ops; repeat for more."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the table there at the end; - for stdout."
        ),
    ] = None,
    format: TableFormat = None,  # noqa: A002
    json: Json = False,
) -> None:
    """Carry out a plan, or go on with it.

    It may be stopped (Ctrl-C), or killed, at any moment: the same command goes on. No finished run
    is done twice, and others are resumed from their checkpoints. Exit code 1 says that runs have
    failed.
    """
    from nb101 import campaign
    from nb101.campaign.coordinator import FailedRunsWarning
    from nb101.campaign.ledger import read_plan

    if output is not None:
        output, format = output_and_format(output, format, table_format)  # noqa: A001
        check_writable(output)
    if by.dask is None:  # Else it is workers who need them.
        import_modules(imports or [])
    if folder is None:
        folder = plan
        chosen = read_plan(folder)
    else:
        chosen = campaign.Plan.load(plan)
    with (
        interrupted(lambda: _way_on(folder)),
        _plain_warnings(),
        cluster(by.dask) as executor,
        _live() as show,
    ):
        # The status at the end says it.
        warnings.simplefilter("ignore", FailedRunsWarning)
        table = campaign.run(
            chosen,
            folder,
            executor,
            retry=care.retry,
            workers=by.workers,
            workers_per_device=by.workers_per_device,
            threads=by.threads,
            at_once=care.at_once,
            checkpoint_minutes=care.checkpoint_minutes,
            keep_checkpoints=care.keep_checkpoints,
            imports=imports or [],
            on_status=show,
        )
    if output is not None and len(table):
        table.save(output, format=format)
    with beside(output):
        status(folder, json=json)
    if campaign.status(folder).failed:
        raise typer.Exit(1)


def _way_on(folder: Path) -> str:
    """Say how to go on with a campaign that was interrupted."""
    from nb101 import campaign

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            now = campaign.status(folder)
    except (NB101Error, OSError):
        return "the same command begins anew"
    done = f"{now.done:,} of {counted(now.total, 'run')} done"
    return f"{done}, and the same command goes on with the others"


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show warnings of the package as one line each, once."""
    shown: set[str] = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        if str(message) not in shown:
            shown.add(str(message))
            note(str(message))

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


@contextmanager
def _live() -> Iterator[Callable[["Status"], object]]:
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


def status(folder: Folder, json: Json = False) -> None:
    """Say how far a campaign is, also while it runs; rank the settings of a grid; list failures.

    Settings are ranked by their mean validation accuracy at the largest budget, over the cells that
    all of them have finished.
    """
    from nb101 import campaign

    with _plain_warnings():
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


def table(
    folder: Folder,
    output: Annotated[
        Path,
        typer.Argument(metavar="OUT", help=".arrow, .parquet, .csv or .tfrecord; - for stdout."),
    ],
    format: Annotated[  # noqa: A002
        str | None,
        typer.Option("--format", metavar="FORMAT", help="By the ending of OUT if left out."),
    ] = None,
    setting: Annotated[
        int | None,
        typer.Option(
            "--setting", metavar="N", help="Of a grid; by default the one that ranks first."
        ),
    ] = None,
) -> None:
    """Write the finished runs of a campaign as a table, also while it runs.

    Its provenance has the recipe, the images, the plan, versions and hardware. As .tfrecord the
    original reader reads it.
    """
    from nb101 import campaign

    output, chosen = output_and_format(output, format, table_format)
    with _plain_warnings():
        made = campaign.table(folder, setting=setting)
    if not len(made):
        raise CampaignError(f"{folder} has no finished run yet that could be written")
    made.save(output, format=chosen)
    with beside(output):
        print_line(f"{counted(len(made), 'run')} to {describe_file(output)}")
