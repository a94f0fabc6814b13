"""Options that several commands have, alone and in groups.

A group is a dataclass of options that belong together and read as one thing; a command takes it as
one parameter. `grouped` shows typer the group's fields in its place, so that the command line is
the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from nb101.cli import complete
from nb101.cli.recipe import read_settings
from nb101.space.ops import OPS, check_ops
from nb101.space.search_space import SearchSpace

# Groups as parameters


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command have parameters that are groups: dataclasses whose fields are options.

    Fields are declared as parameters of a command are, by `typing.Annotated`; no two may have one
    name.
    """
    kinds = get_type_hints(command)
    groups: dict[str, Any] = {name: kind for name, kind in kinds.items() if is_dataclass(kind)}
    parameters: list[Parameter] = []
    for name, parameter in signature(command, eval_str=True).parameters.items():
        if name in groups:
            parameters += _parameters(groups[name])
        else:
            parameters.append(parameter.replace(kind=Parameter.KEYWORD_ONLY))

    @wraps(command)
    def call(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        command(**given)

    # Typer reads both.
    call.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    return call


def _parameters(group: Any) -> list[Parameter]:
    """Return the fields of a group as parameters of a function."""
    kinds = get_type_hints(group, include_extras=True)
    return [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is MISSING else field.default,
            annotation=kinds[field.name],
        )
        for field in fields(group)
    ]


# Options

Ops = Annotated[
    list[str] | None,
    typer.Option(
        "--op",
        metavar="NAME",
        help=f"An op; repeat for more, in the order of their codes. By default {', '.join(OPS)}.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", "-t", metavar="N", help="Threads; one a core if left out."),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="A mirror, or file:// and a copy; it is checked all the same.",
    ),
]
Data = Annotated[
    str,
    typer.Option(
        "--data",
        "-d",
        metavar="PATH",
        help="cifar10 or fashion-mnist once fetched, or the path of an archive or folder.",
    ),
]
AnyImages = Annotated[
    bool,
    typer.Option("--any-images", help="Take other images in the layout of CIFAR-10 too."),
]
CheckpointMinutes = Annotated[
    float, typer.Option("--checkpoint-minutes", metavar="N", help="Minutes between two.")
]
Dask = Annotated[
    str | None,
    typer.Option(
        "--dask", metavar="ADDRESS", help="A Dask scheduler, tcp://..., or its scheduler file."
    ),
]
TableFormat = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="FORMAT", help="Of that file: arrow, parquet, csv or tfrecord."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
TableOption = Annotated[
    str | None,
    typer.Option(
        "--table",
        metavar="TABLE",
        help="A table: a file, or a name.",
        autocompletion=complete.tables,
    ),
]


def op_names(ops: Sequence[str] | None) -> tuple[str, ...]:
    """Return the ops of the options."""
    return check_ops(ops) if ops else OPS


# Groups


@dataclass(frozen=True, kw_only=True)
class SpaceOptions:
    """Of which space."""

    vertices: Annotated[
        int,
        typer.Option(
            "--vertices",
            "-v",
            metavar="N",
            help="Most vertices, input and output included: 2 to 11.",
        ),
    ] = 7
    edges: Annotated[int, typer.Option("--edges", "-e", metavar="N", help="Most edges.")] = 9
    op: Ops = None

    def make(self) -> SearchSpace:
        """Return it."""
        return SearchSpace(self.vertices, self.edges, op_names(self.op))


# Of networks, wherever they are asked for.
StemChannels = Annotated[
    int | None, typer.Option("--stem-channels", metavar="N", help="128 by default.")
]
Stacks = Annotated[int | None, typer.Option("--stacks", metavar="N", help="3 by default.")]
CellsPerStack = Annotated[
    int | None, typer.Option("--cells-per-stack", metavar="N", help="3 by default.")
]
Precision = Annotated[
    str | None, typer.Option("--precision", help="fp32 (by default), tf32 or bf16.")
]
Device = Annotated[
    str | None, typer.Option("--device", help="auto (by default), cpu, cuda, cuda:1, mps...")
]


@dataclass(frozen=True, kw_only=True)
class RecipeOptions:
    """The settings of a recipe, by the names of `TrainConfig`; `None` where one is not given."""

    augmented: Annotated[
        bool,
        typer.Option(
            "--augmented",
            help="Longer, on train + validation, with the stepwise rate; 200 epochs by default.",
        ),
    ] = False
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", metavar="N", help="256 by default.")
    ] = None
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", metavar="X", help="0.2 by default.")
    ] = None
    stem_channels: StemChannels = None
    stacks: Stacks = None
    cells_per_stack: CellsPerStack = None
    precision: Precision = None
    device: Device = None
    compile: Annotated[
        str | None,
        typer.Option(
            "--compile", help="torch.compile: none (by default), default, reduce-overhead..."
        ),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Settings as JSON; options come on top."),
    ] = None
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any other setting; repeat for more."),
    ] = None

    def settings(self, epochs: int | None) -> dict[str, Any]:
        """Return what is given, by name: the file's, then those of --set, then the options'."""
        given: dict[str, Any] = {
            "epochs": epochs,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "stem_channels": self.stem_channels,
            "stacks": self.stacks,
            "cells_per_stack": self.cells_per_stack,
            "precision": self.precision,
            "device": self.device,
            "compile": self.compile,
        }
        settings = read_settings(self.config, self.set_ or [], self.augmented)
        return settings | {name: value for name, value in given.items() if value is not None}
