"""``nb101 cell``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nb101._base.files import STDOUT
from nb101.cli.arguments import find_cell
from nb101.cli.grid import Facts, short_ops
from nb101.cli.options import Json, SpaceOptions, grouped
from nb101.cli.output import output_file
from nb101.cli.printing import print_json, print_rich
from nb101.errors import NB101Error, SpaceError, UnknownOpError
from nb101.space.cell import Cell
from nb101.space.search_space import SearchSpace

EXAMPLES = r"""[bold]Examples[/bold]

nb101 cell 011001000 input,conv3x3-bn-relu,output

nb101 cell 28cfc7874f6d200472e1a9dcd8650aa0

nb101 cell --id 123456 --json

nb101 cell --id 123456 --svg cell.svg

nb101 cell --vertices 9 --edges 12 --id 1000000"""
WIDTHS = (128, 256, 512)


@grouped
def cell(
    module: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODULE | HASH | -",
            help="ADJACENCY OPS, JSON, the hash of a cell, or - to read one of them from stdin.",
        ),
    ] = None,
    id: Annotated[  # noqa: A002
        int | None, typer.Option("--id", metavar="N", help="The cell with this id.")
    ] = None,
    svg: Annotated[
        Path | None,
        typer.Option("--svg", metavar="FILE", help="Draw it as SVG to a file; - for stdout."),
    ] = None,
    json: Json = False,
    *,
    of: SpaceOptions,
) -> None:
    """Print all that is known about a cell, and draw it.

    A module is pruned and shown in its reference form. Its id is its rank in the space that
    --vertices, --edges and --op describe, NAS-Bench-101 by default. FLOPs are multiply-accumulates
    for an image.
    """
    space = of.make()
    found = find_cell(module or [], id, space)
    if svg is not None:
        from nb101._base.files import atomic

        svg = output_file(svg, "svg")
        with atomic(svg) as file:
            file.write(found.to_svg().encode() + b"\n")
        if svg == STDOUT:
            return
    facts = _facts(found, space)
    if json:
        print_json(facts)
    else:
        _print_facts(found, facts, space, svg)


def _facts(cell: Cell, space: SearchSpace) -> dict[str, Any]:
    adjacency, operations = cell.to_text()
    inside = cell in space
    return {
        "id": _or_none(lambda: space.index(cell)) if inside else None,
        "hash": cell.hash,
        "in_space": inside,
        "vertices": cell.vertices,
        "edges": cell.edges,
        "adjacency": adjacency,
        "operations": operations,
        "matrix": cell.matrix.tolist(),
        "ops": list(cell.ops),
        "parameters": _or_none(lambda: cell.parameters),
        "flops": _or_none(lambda: cell.flops),
        "depth": cell.depth,
        "width": cell.width,
        "channels": {width: list(cell.vertex_channels(width)) for width in WIDTHS},
        "neighbors": _or_none(lambda: len(space.neighbors(cell))) if inside else None,
    }


def _or_none(compute: Any) -> Any:
    """Compute what not every cell has: ids only in spaces of some size, costs only of known ops."""
    try:
        return compute()
    except (SpaceError, UnknownOpError):
        return None


def _print_facts(cell: Cell, facts: dict[str, Any], space: SearchSpace, svg: Path | None) -> None:

    def number(value: int | None) -> str:
        return "unknown" if value is None else f"{value:,}"

    why = ""
    if not facts["in_space"]:
        try:
            space.index(cell)
        except NB101Error as error:
            why = f": {error}"
    rows: list[tuple[Any, ...]] = [
        ("id", facts["id"] if facts["in_space"] else "none"),
        ("hash", facts["hash"]),
        ("in the space", ("yes" if facts["in_space"] else "no") + why),
        ("vertices", facts["vertices"]),
        ("edges", facts["edges"]),
        ("adjacency", facts["adjacency"]),
        ("ops", facts["operations"], short_ops(cell.ops[1:-1])),
        ("parameters", number(facts["parameters"])),
        ("FLOPs", number(facts["flops"])),
        ("depth", facts["depth"]),
        ("width", facts["width"]),
        *(
            (f"channels at {width}", " ".join(map(str, channels)))
            for width, channels in facts["channels"].items()
        ),
    ]
    if facts["in_space"]:
        rows.append(("neighbors", number(facts["neighbors"])))
    if svg is not None:
        rows.append(("drawn to", svg))
    print_rich(cell.to_terminal(), "", Facts(rows))
