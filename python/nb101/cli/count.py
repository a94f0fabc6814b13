"""``nb101 count``."""

from nb101.cli.grid import CountTable
from nb101.cli.options import Json, SpaceOptions, grouped
from nb101.cli.printing import describe, print_json, print_rich

EXAMPLES = """[bold]Examples[/bold]

nb101 count

nb101 count --vertices 11 --edges 55 --json

nb101 count --vertices 5 --op conv3x3-bn-relu --op identity"""


@grouped
def count(of: SpaceOptions, json: Json = False) -> None:
    """Count the unique cells of a space by vertices and edges.

    The counts are exact for any space and take an instant, since nothing is enumerated.
    """
    space = of.make()
    found = space.count()
    if json:
        print_json(
            {
                "max_vertices": space.max_vertices,
                "max_edges": space.max_edges,
                "ops": space.ops,
                "total": found.total,
                "by_vertices": found.by_vertices,
                "by_edges": found.by_edges,
                "table": found.table,
            }
        )
    else:
        print_rich(CountTable(found, f"Unique cells: {describe(space)}"))
