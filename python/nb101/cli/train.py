"""``nb101 train`` and ``nb101 data``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nb101._base.files import check_writable
from nb101.cli.arguments import find_cell
from nb101.cli.grid import Facts
from nb101.cli.options import (
    AnyImages,
    CheckpointMinutes,
    Data,
    Json,
    RecipeOptions,
    SpaceOptions,
    TableFormat,
    Url,
    grouped,
)
from nb101.cli.output import beside, file_size, output_and_format
from nb101.cli.printing import print_json, print_rich
from nb101.cli.progress import byte_bar, step_bar
from nb101.cli.recipe import import_torch, make_recipe
from nb101.cli.stopping import interrupted, stoppable
from nb101.errors import CheckpointError
from nb101.space.cell import Cell
from nb101.space.search_space import SearchSpace
from nb101.table.files import table_format

if TYPE_CHECKING:
    from nb101.train import ImageData, Result, TrainConfig

TRAIN_EXAMPLES = """[bold]Examples[/bold]

nb101 train 28cfc7874f6d200472e1a9dcd8650aa0 --epochs 4 --checkpoint runs/inception

nb101 train 011001000 input,conv3x3-bn-relu,output --epochs 4 --stem-channels 16 --cells-per-stack 1

nb101 train --id 359715 --data cifar-10-python.tar.gz --precision bf16 --set momentum=0.95"""


@dataclass(frozen=True, kw_only=True)
class CellOptions:
    """Which cell."""

    module: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CELL", help="Adjacency and ops, JSON, a hash, an id, or - for stdin."
        ),
    ] = None
    id: Annotated[
        int | None, typer.Option("--id", metavar="N", help="The cell with this id in the space.")
    ] = None

    def find(self, space: SearchSpace) -> Cell:
        """Return it."""
        return find_cell(self.module or [], self.id, space)


@dataclass(frozen=True, kw_only=True)
class KeepOptions:
    """What is kept while it runs."""

    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            "-c",
            metavar="FOLDER",
            help="Where checkpoints go; what is there is gone on from.",
        ),
    ] = None
    checkpoint_minutes: CheckpointMinutes = 10
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="PATH",
            help="Log of every step: a file .csv, or a folder for TensorBoard.",
        ),
    ] = None


@grouped
def train(
    which: CellOptions,
    epochs: Annotated[
        int | None, typer.Option("--epochs", metavar="N", help="The budget; 108 by default.")
    ] = None,
    data: Data = "cifar10",
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of all draws.")] = 0,
    *,
    keep: KeepOptions,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the run as a table of one row too; - for stdout.",
        ),
    ] = None,
    format: TableFormat = None,  # noqa: A002
    recipe: RecipeOptions,
    threads: Annotated[
        int | None, typer.Option("--threads", "-t", metavar="N", help="Threads on the CPU.")
    ] = None,
    any_images: AnyImages = False,
    of: SpaceOptions,
    json: Json = False,
) -> None:
    r"""Train the network of a cell as the published tables were made, and measure it.

    Prints accuracies at the start, at half and at the end of the budget. With --checkpoint an
    interrupted run (Ctrl-C too) goes on when the same command is given again. Needs PyTorch: pip
    install 'nb101\[train]'.
    """
    if output is not None:
        output, format = output_and_format(output, format, table_format)  # noqa: A001
        check_writable(output)
    space = of.make()
    cell = which.find(space)
    settings = recipe.settings(epochs)
    train_function = import_torch(threads)
    make_recipe(settings)  # Before images are read, which takes seconds.
    images = _load(data, any_images)
    # Those of the set, unless one says otherwise and is told that it is wrong.
    settings.setdefault("num_classes", images.num_classes)
    config = make_recipe(settings)
    if recipe.augmented:
        images = images.merge()
    steps = config.steps(len(images.train))
    with (
        interrupted(lambda: _way_on(keep.checkpoint, steps)),
        step_bar() as show,
        stoppable(keep.checkpoint is not None) as check,
    ):

        def progress(done: int, total: int, what: str) -> None:
            show(done, total, what)
            check()

        result = train_function(
            cell,
            images,
            config,
            seed,
            checkpoint=keep.checkpoint,
            checkpoint_minutes=keep.checkpoint_minutes,
            log=keep.log,
            progress=progress,
        )
    with beside(output):
        if json:
            print_json(result.to_dict())
        else:
            _print_result(result, keep.checkpoint)
    if output is not None:
        from nb101.table.table import Table

        row = result.row(space)
        Table.from_columns(
            {name: [value] for name, value in row.items()},
            space=space,
            provenance=_provenance(images, config),
        ).save(output, format=format)


def _provenance(images: "ImageData", recipe: "TrainConfig") -> dict[str, Any]:
    """Say what a run is of, and what it was computed on, in the words of campaigns."""
    from nb101.campaign.plan import DataSource
    from nb101.campaign.worker import describe_worker
    from nb101.train.device import find_device

    about, computed = DataSource.of(images).to_dict(), describe_worker(find_device(recipe))
    settings = recipe.recipe()
    del about["source"], settings["epochs"]
    return {
        "kind": "measured",
        "source": "nb101 train",
        "recipe": settings,
        "data": about,
        "versions": {name: [computed[name]] for name in ("nb101", "torch", "python")},
        "hardware": [{"device": computed["device"], "threads": computed["threads"], "runs": 1}],
    }


def _way_on(checkpoint: Path | None, steps: int) -> str:
    """Say how to go on with a run that was interrupted."""
    from nb101.train.checkpoint import load_checkpoint

    if checkpoint is None:
        return "nothing was kept; with --checkpoint FOLDER the same command would go on"
    try:
        _, about = load_checkpoint(checkpoint)
    except (CheckpointError, OSError):
        return f"there is no checkpoint in {checkpoint} yet; the same command begins anew"
    return f"the same command goes on from step {about['step']:,} of {steps:,}"


def _load(path: str, any_images: bool) -> "ImageData":
    from nb101.train.data import load

    return load(path, verify=not any_images)


def _print_result(result: "Result", checkpoint: Path | None) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("epoch", "training time", "train", "validation", "test"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in result.evaluations:
        accuracies = (one.train_accuracy, one.validation_accuracy, one.test_accuracy)
        shown = ("" if value != value else f"{value:.4f}" for value in accuracies)
        table.add_row(f"{one.epoch:g}", f"{one.training_time:,.1f} s", *shown)
    matrix, ops = result.cell.to_text()
    facts = [
        ("cell", f"{matrix} {ops}"),
        ("hash", result.cell.hash),
        ("data", result.data),
        ("parameters", f"{result.trainable_parameters:,}"),
        ("seed", result.seed),
        ("total time", f"{result.total_time:,.1f} s"),
    ]
    if result.attempts > 1:
        facts.append(("attempts", result.attempts))
    if checkpoint is not None:
        facts.append(("weights", checkpoint))
    print_rich(Facts(facts), table)


# Image sets


def fetch(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="cifar10, 170 MB; fashion-mnist, 31 MB."),
    ],
    url: Url = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch it even if it is there.")] = False,
) -> None:
    """Fetch an image set from where it was published, and check it.

    It goes to the user's cache folder, or to that of the environment variable NB101_CACHE. What an
    interrupted download has fetched is kept, and the next one goes on from there.
    """
    from nb101.train import data

    with byte_bar() as show:
        folder = data.fetch(name, url=url, force=force, progress=show)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print_rich(
        Facts([("folder", f"{folder} ({file_size(size)})"), ("train on it with", f"--data {name}")])
    )


def info(
    path: Annotated[str, typer.Argument(metavar="PATH", help="As --data of nb101 train takes it.")],
    any_images: AnyImages = False,
    json: Json = False,
) -> None:
    """Say what is in an image set, and check it."""
    images = _load(path, any_images)
    facts: dict[str, Any] = {"name": images.name}
    facts |= {name: len(split) for name, split in images.splits.items()}
    facts |= {
        "image_shape": images.image_shape,
        "num_classes": images.num_classes,
        "mean": images.mean,
        "std": images.std,
        "crc32": f"{images.checksum:08x}",
    }
    if json:
        print_json(facts)
        return
    facts["image_shape"] = " x ".join(map(str, images.image_shape))
    for name in ("mean", "std"):
        facts[name] = ", ".join(f"{value:.2f}" for value in facts[name])
    for name in images.splits:
        facts[name] = f"{facts[name]:,}"
    print_rich(Facts([(name.replace("_", " "), value) for name, value in facts.items()]))
