"""``nb101 campaign run`` and ``nb101 campaign table``."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from nb101._base.files import check_writable
from nb101.cli.options import CheckpointMinutes, Dask, Json, TableFormat, grouped
from nb101.cli.output import beside, describe_file, output_and_format
from nb101.cli.printing import plain_warnings, print_line
from nb101.cli.status import Folder, live_status, status
from nb101.cli.stopping import interrupted
from nb101.cli.workers import cluster, import_modules
from nb101.errors import CampaignError, NB101Error
from nb101.plain import counted
from nb101.table.files import table_format

RUN_EXAMPLES = """[bold]Examples[/bold]

nb101 campaign run plan.json runs

nb101 campaign run runs

nb101 campaign run plan.json /shared/runs --dask tcp://head:8786"""
TABLE_EXAMPLES = """[bold]Examples[/bold]

nb101 campaign table runs table.parquet

nb101 campaign table runs table.tfrecord

nb101 campaign table grid-runs best.arrow --setting 1"""


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
        plain_warnings(),
        cluster(by.dask) as executor,
        live_status() as show,
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
    with plain_warnings():
        made = campaign.table(folder, setting=setting)
    if not len(made):
        raise CampaignError(f"{folder} has no finished run yet that could be written")
    made.save(output, format=chosen)
    with beside(output):
        print_line(f"{counted(len(made), 'run')} to {describe_file(output)}")
