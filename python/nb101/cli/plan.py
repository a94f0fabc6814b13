"""``nb101 campaign plan``."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from nb101._base.files import file_errors
from nb101.cli.arguments import refuse_option, take_cell
from nb101.cli.grid import Facts
from nb101.cli.options import AnyImages, Data, Json, SpaceOptions, grouped
from nb101.cli.output import beside, output_file
from nb101.cli.printing import print_json, print_rich
from nb101.cli.recipe import make_recipe, read_settings
from nb101.errors import ArgumentError, CampaignError
from nb101.space.cell import Cell
from nb101.space.cells import Cells
from nb101.space.lookup import Ids
from nb101.space.search_space import SearchSpace

if TYPE_CHECKING:
    from nb101.campaign import Plan
    from nb101.campaign.plan import DataSource

PLAN_EXAMPLES = """[bold]Examples[/bold]

nb101 campaign plan --all-up-to-vertices 4 --epochs 4 --set stem_channels=16 -o plan.json

nb101 campaign plan 28cfc7874f6d200472e1a9dcd8650aa0 --epochs 4,12,36,108 -o inception.json

nb101 campaign plan --sample 50 --grid learning_rate=0.1,0.2 --epochs 12 -o grid.json"""


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
