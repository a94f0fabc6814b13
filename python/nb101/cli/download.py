"""``nb101 download``."""

from pathlib import Path
from typing import Annotated

import typer

from nb101 import datasets
from nb101.cli import complete
from nb101.cli.grid import Facts
from nb101.cli.options import Url
from nb101.cli.output import file_size
from nb101.cli.printing import print_rich
from nb101.cli.progress import byte_bar
from nb101.cli.stopping import interrupted
from nb101.plain import counted

EXAMPLES = """[bold]Examples[/bold]

nb101 download official-108

nb101 download official-full --url https://mirror.example/nasbench_full.tfrecord

NB101_CACHE=/data/nb101 nb101 download official-108 --keep-original"""


def download(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="; ".join(
                f"{dataset.name}: {dataset.summary}, {file_size(dataset.size)}"
                for dataset in datasets.DATASETS.values()
            )
            + ".",
            autocompletion=complete.datasets,
        ),
    ],
    url: Url = None,
    force: Annotated[
        bool, typer.Option("--force", help="Fetch and convert it even if it is there.")
    ] = False,
    keep_original: Annotated[
        bool, typer.Option("--keep-original", help="Keep the official file beside the table.")
    ] = False,
) -> None:
    """Fetch an official file, check and convert it, for load_table to open in milliseconds.

    It goes to the user's cache folder, or to that of the environment variable NB101_CACHE. What an
    interrupted download has fetched is kept, and the next one goes on from there.
    """
    going_on = "the same command goes on from what has come"
    with interrupted(going_on), byte_bar() as show:
        table = datasets.download(
            name, url=url, force=force, keep_original=keep_original, progress=show
        )
    path = Path(table.path or "")
    budgets = ", ".join(map(str, table.epochs))
    print_rich(
        Facts(
            [
                ("table", f"{path} ({file_size(path.stat().st_size)})"),
                (
                    "runs",
                    f"{len(table):,}, of {counted(table.num_cells, 'cell')} at {budgets} epochs",
                ),
                ("load it with", f"nb101.load_table({name!r})"),
            ]
        )
    )
