"""``nb101 proxies``: scores of untrained networks, their tables, and what the proxies are."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from nb101._base.files import check_writable, choose_format
from nb101.cli.campaign import WorkersOptions
from nb101.cli.grid import Facts
from nb101.cli.options import (
    AnyImages,
    CellsPerStack,
    Device,
    Json,
    Precision,
    SpaceOptions,
    Stacks,
    StemChannels,
    grouped,
)
from nb101.cli.output import beside, describe_file, output_and_format
from nb101.cli.plan import CellsOptions
from nb101.cli.printing import plain_warnings, print_json, print_line, print_rich
from nb101.cli.progress import progress_bar
from nb101.cli.recipe import make_recipe, read_settings
from nb101.cli.stopping import interrupted
from nb101.cli.workers import cluster, import_modules
from nb101.errors import ArgumentError, FolderError, NB101Error
from nb101.plain import counted

if TYPE_CHECKING:
    from nb101.proxies import Scores

RUN_EXAMPLES = """[bold]Examples[/bold]

nb101 proxies run scores --sample 1000 --stem-channels 16 --cells-per-stack 1

nb101 proxies run scores --all --proxy synflow --proxy nwot -o scores.arrow

nb101 proxies run best 28cfc7874f6d200472e1a9dcd8650aa0 --data cifar10

What is done stays in the folder: the same command goes on with the rest."""
TABLE_EXAMPLES = """[bold]Examples[/bold]

nb101 proxies table scores scores.parquet

nb101 proxies table zc_nasbench101.json published.arrow

nb101 proxies table scores zc_nasbench101.json"""
LIST_EXAMPLES = """[bold]Examples[/bold]

nb101 proxies list

nb101 proxies list --json"""
ENDINGS = {
    ".arrow": "arrow",
    ".feather": "arrow",
    ".parquet": "parquet",
    ".csv": "csv",
    ".json": "json",
}

Format = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="FORMAT", help="Of that file: arrow, parquet, csv, or NASLib's json."
    ),
]


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """Of which networks, and on what they are computed."""

    stem_channels: StemChannels = None
    stacks: Stacks = None
    cells_per_stack: CellsPerStack = None
    precision: Precision = None
    device: Device = None
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="A recipe as JSON; options come on top."),
    ] = None
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="Any other setting of it; repeat for more."
        ),
    ] = None

    def settings(self) -> dict[str, Any]:
        """Return what is given, by name: the file's, then those of --set, then the options'."""
        given: dict[str, Any] = {
            "stem_channels": self.stem_channels,
            "stacks": self.stacks,
            "cells_per_stack": self.cells_per_stack,
            "precision": self.precision,
            "device": self.device,
        }
        settings = read_settings(self.config, self.set_ or [])
        return settings | {name: value for name, value in given.items() if value is not None}


@grouped
def run(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where scores are kept; made if it is not there.")
    ],
    *,
    which: CellsOptions,
    whole: Annotated[bool, typer.Option("--all", help="All cells of the space.")] = False,
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            "--proxy", "-p", metavar="NAME", help="A proxy; repeat for more. By default all."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            "-d",
            metavar="PATH",
            help="Images: cifar10 or fashion-mnist once fetched, or a path. Random without.",
        ),
    ] = None,
    any_images: AnyImages = False,
    batch_size: Annotated[
        int, typer.Option("--batch-size", metavar="N", help="Images that are passed, from 2.")
    ] = 32,
    network: NetworkOptions,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Of weights, batch and sample.")
    ] = 0,
    by: WorkersOptions,
    imports: Annotated[
        list[str] | None,
        typer.Option(
            "--import", metavar="MODULE", help="A module that registers ops; repeat for more."
        ),
    ] = None,
    of: SpaceOptions,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write all scores there at the end; - for stdout.",
        ),
    ] = None,
    format: Format = None,  # noqa: A002
    json: Json = False,
) -> None:
    """Score cells by zero-cost proxies, or go on with it.

    Networks are those of the recipe, full size by default, with the weights that a training of this
    seed begins with; a batch of images goes through each. It may be stopped (Ctrl-C), or killed, at
    any moment: the same command goes on, and no cell is scored twice.
    """
    from nb101 import proxies

    if output is not None:
        output, format = output_and_format(output, format, _find_format)  # noqa: A001
        check_writable(output)
    if by.dask is None:  # Else it is workers who need them.
        import_modules(imports or [])
    space = of.make()
    named = any((which.arguments, which.file, which.up_to is not None, which.sample is not None))
    if whole and named:
        raise ArgumentError("give --all or cells, and not both", field="all")
    cells = np.arange(len(space)) if whole else which.choose(space, seed)
    settings = network.settings()
    found = None
    if data is not None:
        from nb101.train.data import load

        found = load(data, verify=not any_images)
        settings.setdefault("num_classes", found.num_classes)
    config = make_recipe(settings)
    with (
        interrupted(lambda: _way_on(folder)),
        plain_warnings(),
        cluster(by.dask) as executor,
        progress_bar("scoring cells", len(cells)) as show,
    ):
        scores = proxies.run(
            cells,
            folder,
            proxy or None,
            config=config,
            seed=seed,
            images=found,
            batch_size=batch_size,
            space=space,
            executor=executor,
            workers=by.workers,
            threads=by.threads,
            imports=imports or [],
            progress=show,
        )
    if output is not None:
        assert format is not None
        _save(scores, output, format)
    with beside(output):
        _print(scores, folder, json)


def table(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SCORES",
            help="What nb101 proxies run wrote, a table of it, or NASLib's file, .json.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help=".arrow, .parquet, .csv, or .json as NASLib has it; - for stdout."
        ),
    ],
    format: Annotated[  # noqa: A002
        str | None,
        typer.Option("--format", metavar="FORMAT", help="By the ending of OUT if left out."),
    ] = None,
) -> None:
    """Write the scores of a folder, a table, or NASLib's file as a table; even while it grows.

    A row a cell: its id, a column a proxy, and what each took in seconds.
    """
    from nb101 import proxies

    output, chosen = output_and_format(output, format, _find_format)
    scores = proxies.read(source)
    if not len(scores.cells):
        raise FolderError(f"{source} has no scores yet that could be written", path=source)
    _save(scores, output, chosen)
    with beside(output):
        print_line(f"{counted(len(scores.cells), 'cell')} to {describe_file(output)}")


def list_proxies(json: Json = False) -> None:
    """List the proxies: what they compute, and where they were published."""
    from nb101.proxies import PROXIES

    if json:
        print_json(
            [
                {"name": proxy.name, "formula": proxy.formula, "source": proxy.source}
                for proxy in PROXIES.values()
            ]
        )
        return
    for proxy in PROXIES.values():
        print_line(f"{proxy.name}: {proxy.formula} ({proxy.source})")


def _find_format(path: Path, format: str | None) -> str:  # noqa: A002
    return choose_format(path, format, ENDINGS)


def _save(scores: "Scores", path: Path, format: str) -> None:  # noqa: A002
    from nb101 import proxies

    if format == "json":
        proxies.write_naslib(scores, path)
    else:
        scores.save(path, format)


def _print(scores: "Scores", folder: Path, json: bool) -> None:
    """Say how many cells there are, and of each proxy its range and what it took."""
    rows = []
    for name, column in scores.items():
        known = column[np.isfinite(column)]
        row: dict[str, Any] = {"proxy": name, "cells": len(known)}
        if len(known):
            row |= {"least": float(known.min()), "median": float(np.median(known))}
            row |= {"most": float(known.max())}
            row["seconds"] = float(np.nanmean(scores.seconds[name]))
        rows.append(row)
    if json:
        print_json({"folder": str(folder), "cells": len(scores.cells), "proxies": rows})
        return
    from rich import box
    from rich.table import Table as RichTable

    grid = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("proxy", "least", "median", "most", "ms a cell"):
        grid.add_column(head, justify="left" if head == "proxy" else "right")
    for row in rows:
        numbers = [f"{row[x]:.5g}" if x in row else "none" for x in ("least", "median", "most")]
        took = f"{1e3 * row['seconds']:.3g}" if "seconds" in row else "none"
        grid.add_row(row["proxy"], *numbers, took)
    facts = [("folder", str(folder)), ("cells", f"{len(scores.cells):,}")]
    print_rich(Facts(facts), grid)


def _way_on(folder: Path) -> str:
    """Say how to go on with scoring that was interrupted."""
    from nb101 import proxies

    try:
        scores = proxies.read(folder)
    except (NB101Error, OSError):
        return "the same command begins anew"
    done, asked = len(scores.cells), scores.about["asked"]
    return (
        f"{done:,} of {counted(asked, 'cell')} done, and the same command goes on with the others"
    )
