"""``nb101 query`` and ``nb101 top``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from nb101.cli import complete
from nb101.cli.arguments import find_cell
from nb101.cli.grid import Facts, Grid, short_ops
from nb101.cli.options import Json, TableOption, grouped
from nb101.cli.printing import print_json, print_rich
from nb101.cli.tables import open_table
from nb101.datasets import NAMES
from nb101.errors import ArgumentError, DatasetError, MissingRunError
from nb101.table.about import prediction_mark
from nb101.table.schema import METRICS, RAW, Direction, check_direction, metric_column, metric_hint
from nb101.table.table import Table

QUERY_EXAMPLES = """[bold]Examples[/bold]

nb101 query 28cfc7874f6d200472e1a9dcd8650aa0

nb101 query nasbench108.arrow 28cfc7874f6d200472e1a9dcd8650aa0

nb101 query official-full 011001000 input,conv3x3-bn-relu,output

nb101 query nasbench108.arrow --id 123456 --json"""
TOP_EXAMPLES = """[bold]Examples[/bold]

nb101 top --metric validation_accuracy --epochs 108

nb101 top official-full --metric validation_accuracy --epochs 36 -n 20

nb101 top nasbench108.arrow --max-parameters 2e6 --max-time 1000 --max-vertices 6

nb101 top nasbench108.arrow --metric training_time --json"""

UNKNOWN = "unknown"


def query(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TABLE] CELL",
            help="A table (by default the predictions that nb101 carries), and a cell: its hash, "
            "its id, ADJACENCY OPS, JSON, or - for stdin.",
            autocompletion=complete.tables,
        ),
    ] = None,
    id: Annotated[  # noqa: A002
        int | None, typer.Option("--id", metavar="N", help="The cell with this id.")
    ] = None,
    table: TableOption = None,
    json: Json = False,
) -> None:
    """Print all runs of a cell: every budget and repeat.

    Times are seconds, accuracies fractions; the halfway evaluation is that after half the epochs.
    Of a predicted table, ± is what holds the true mean of 68 % of cells.
    A file of official records is converted the first time; the result is kept beside it.
    """
    rest = list(arguments or [])
    if table is None and rest and _names_table(rest[0]):
        table = rest.pop(0)
    opened = open_table(table)
    cell = find_cell(rest, id, opened.space)
    rows = opened.rows(cell)
    if not rows:
        raise MissingRunError(f"the table has no run of cell {opened.id_of(cell)}, {cell.hash}")
    adjacency, operations = cell.to_text()
    facts: dict[str, Any] = {
        "id": opened.id_of(cell),
        "hash": cell.hash,
        "adjacency": adjacency,
        "operations": operations,
        "vertices": cell.vertices,
        "edges": cell.edges,
        "parameters": _known(opened.parameters[rows[0]]),
        "kind": opened.provenance.get("kind"),
    }
    runs = opened.runs(cell)
    if json:
        names = [name for name in runs.column_names if name not in (RAW, "cell_id")]
        print_json(facts | {"runs": runs.select(names).to_pylist()})
        return
    facts["parameters"] = _count(facts["parameters"])
    facts["runs are"] = facts.pop("kind")
    shown = [
        (name, value, short_ops(cell.ops[1:-1])) if name == "operations" else (name, value)
        for name, value in facts.items()
    ]
    print_rich(Facts(shown), "", _grid(runs))


def _names_table(text: str) -> bool:
    endings = (".arrow", ".feather", ".ipc", ".parquet", ".pq", ".tfrecord", ".tfrecord.gz")
    return text in NAMES or text.lower().endswith(endings) or Path(text).is_file()


def _known(parameters: Any) -> int | None:
    """Parameters of a table, which says -1 where they are not known."""
    return int(parameters) if parameters >= 0 else None


def _count(parameters: int | None) -> str:
    return UNKNOWN if parameters is None else f"{parameters:,}"


def _grid(runs: Any) -> Grid:
    rows: list[list[str]] = []
    for run in runs.to_pylist():
        for halfway in (True, False):
            values = [run.get(metric_column(field, halfway)) for field in METRICS]
            if all(value is None or np.isnan(value) for value in values):
                continue
            stage = "halfway" if halfway else "final"
            texts = [_number(f, v) for f, v in zip(METRICS, values, strict=True)]
            for i, field in enumerate(METRICS):
                uncertainty = run.get(f"{field}_uncertainty")
                if not halfway and uncertainty is not None:
                    texts[i] += f" ± {_number(field, uncertainty)}"
            rows.append([str(run["epochs"]), str(run["repeat"]), stage, *texts])
    grid = Grid()
    heads = ("epochs", "repeat", "evaluation", *map(_head, METRICS))
    for place, head in enumerate(heads):
        texts = [row[place] for row in rows]
        # What nothing is known of need not be there.
        order = 1 if set(texts) == {UNKNOWN} else 0
        grid.add(head, texts, order=order, left=head == "evaluation")
    return grid


def _head(metric: str) -> str:
    return metric.replace("_", " ") + (" (s)" if metric.endswith("_time") else "")


def _number(field: str, value: float | None) -> str:
    if value is None or np.isnan(value):
        return UNKNOWN
    return f"{value:,.2f}" if field.endswith("_time") else f"{value:.4f}"


@dataclass(frozen=True, kw_only=True)
class RankOptions:
    """By which mean, and how many."""

    metric: Annotated[
        str,
        typer.Option(
            "--metric",
            "-m",
            metavar="NAME",
            help="What to sort by.",
            autocompletion=complete.metrics,
        ),
    ] = "test_accuracy"
    epochs: Annotated[
        int | None,
        typer.Option(
            "--epochs",
            metavar="N",
            help="The budget; the largest if not given.",
            autocompletion=complete.budgets,
        ),
    ] = None
    n: Annotated[int, typer.Option("-n", metavar="N", help="How many cells.")] = 10
    halfway: Annotated[
        bool, typer.Option("--halfway", help="Take the evaluations after half the epochs.")
    ] = False

    def check(self, table: Table) -> None:
        """Refuse what a table does not have."""
        metric, halfway = self.metric, self.halfway
        if halfway and metric in METRICS and metric_column(metric, True) not in table.metrics:
            raise DatasetError(f"the table has no halfway evaluations of {metric}")
        if metric_column(metric, halfway) not in table.metrics:
            known = [name.removeprefix("final_") for name in table.metrics]
            hint = metric_hint(metric, known)
            raise DatasetError(
                f"the table has no metric {metric!r}; {hint}it has {', '.join(known)}",
                field="metric",
            )
        if not len(table):
            raise MissingRunError("the table has no runs")


@dataclass(frozen=True, kw_only=True)
class FilterOptions:
    """Which cells may be there."""

    max_parameters: Annotated[
        float | None, typer.Option(metavar="N", help="Most trainable parameters, such as 2e6.")
    ] = None
    max_time: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Longest mean training time.")
    ] = None
    max_vertices: Annotated[
        int | None, typer.Option(metavar="N", help="Most vertices, input and output included.")
    ] = None

    def allowed(self, table: Table, epochs: int, halfway: bool) -> npt.NDArray[np.bool_]:
        """Return whether each cell of a table may be there."""
        allowed = np.ones(table.num_cells, dtype=bool)
        if self.max_parameters is not None:
            counts = _parameters_of_cells(table, epochs)
            allowed &= (counts <= self.max_parameters) & (counts >= 0)
        if self.max_time is not None:
            allowed &= table.mean("training_time", epochs, halfway=halfway) <= self.max_time
        if self.max_vertices is not None:
            allowed &= table.cells.vertices <= self.max_vertices
        return allowed


@dataclass(frozen=True, kw_only=True)
class OrderOptions:
    """Which end of the ranking."""

    worst: Annotated[bool, typer.Option("--worst", help="The worst cells, not the best.")] = False
    direction: Annotated[
        str | None,
        typer.Option(
            "--direction",
            metavar="DIRECTION",
            help="min or max: which is best, of a column of your own.",
        ),
    ] = None


@grouped
def top(
    table_argument: Annotated[
        str | None,
        typer.Argument(
            metavar="TABLE",
            help="A table: a file, or a name; by default the predictions that nb101 carries.",
            autocompletion=complete.tables,
        ),
    ] = None,
    *,
    rank: RankOptions,
    within: FilterOptions,
    order: OrderOptions,
    table: TableOption = None,
    full: Annotated[
        bool, typer.Option("--full", help="Show all columns whole, however wide the terminal.")
    ] = False,
    json: Json = False,
) -> None:
    """List the best cells by the mean of a metric over their repeats.

    The best accuracy is the highest, the best time or number of parameters the lowest. Filters look
    at the same budget. A file of official records is converted the first time; the result is kept
    beside it.
    """
    if rank.n < 1:
        raise ArgumentError(f"-n must be at least 1, not {rank.n}", field="n")
    if table is not None and table_argument is not None:
        raise ArgumentError(
            f"name one table, not both {table_argument!r} and {table!r}", field="table"
        )
    given = None if order.direction is None else check_direction(order.direction)
    opened = open_table(table_argument if table is None else table)
    rank.check(opened)
    budget = max(opened.epochs) if rank.epochs is None else rank.epochs
    lowest = (_direction(opened, rank.metric, given) == "min") != order.worst
    rows = _best_rows(opened, budget, rank, within, lowest)
    shown = _shown_metrics(opened, rank)
    found = _describe_cells(opened, rows, budget, _means(opened, rows, budget, rank, shown))
    if json:
        kind = opened.provenance.get("kind")
        print_json({"epochs": budget, "metric": rank.metric, "kind": kind, "cells": found})
        return
    mark = prediction_mark(opened.provenance)
    by = f"mean {mark} {_head(rank.metric)}" if mark else f"mean {_head(rank.metric)}"
    title = f"{'worst' if order.worst else 'best'} by {by} at {budget} epochs"
    shown.sort(key=lambda m: m != rank.metric.removeprefix("final_"))
    print_rich(_top_grid(found, shown, title, mark, full))


def _direction(table: Table, metric: str, given: Direction | None) -> Direction:
    """Return whether less or more is better, as the table knows it or the option says."""
    try:
        return table.direction(metric, given)
    except ArgumentError as error:
        if error.field != "direction":
            raise
        raise ArgumentError(
            f"whether less or more of {metric} is better is not known: give --direction min or "
            "--direction max",
            field="direction",
        ) from None


def _parameters_of_cells(table: Table, epochs: int) -> npt.NDArray[Any]:
    """Trainable parameters of each cell that has runs at a budget; -1 where they are not known."""
    first, _ = table.budget(epochs).many_rows(table.cell_ids)
    # Where a cell has no run there, the row is another's; it has no mean and is not listed.
    found: npt.NDArray[Any] = table.parameters[np.minimum(first, len(table) - 1)]
    return found


def _best_rows(
    table: Table, epochs: int, rank: RankOptions, within: FilterOptions, lowest: bool
) -> npt.NDArray[np.intp]:
    """Return the rows of the first cells, of those that pass the filters."""
    means = table.mean(rank.metric, epochs, halfway=rank.halfway)
    allowed = within.allowed(table, epochs, rank.halfway)
    key = np.where(allowed, means if lowest else -means, np.nan)
    # NaN sorts last; equal cells stay in the order of their ids.
    rows = np.argsort(key, kind="stable")[: rank.n]
    rows = rows[~np.isnan(key[rows])]
    if not len(rows):
        raise DatasetError(f"no cell with runs at {epochs} epochs passes the filters")
    return rows


def _shown_metrics(table: Table, rank: RankOptions) -> list[str]:
    """Name the metrics that are shown: those that a table has, and the one ranked by."""
    shown = [m for m in METRICS if metric_column(m, rank.halfway) in table.columns]
    if rank.metric.removeprefix("final_") not in shown and rank.metric != "trainable_parameters":
        shown.append(rank.metric)
    return shown


def _means(
    table: Table,
    rows: npt.NDArray[np.intp],
    epochs: int,
    rank: RankOptions,
    shown: Sequence[str],
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the means of cells by metric, and their uncertainties where a table has them."""
    means = {m: table.mean(m, epochs, halfway=rank.halfway)[rows] for m in shown}
    if not rank.halfway:
        for name in map(uncertainty_of, shown):
            if name in table.columns:
                means[name] = table.mean(name, epochs)[rows]
    return means


def _describe_cells(
    table: Table,
    rows: npt.NDArray[np.intp],
    epochs: int,
    means: dict[str, npt.NDArray[np.float64]],
) -> list[dict[str, Any]]:
    """Say what cells are, in the order of their ranks, with their means."""
    ids = table.cell_ids[rows]
    parameters = _parameters_of_cells(table, epochs)[rows]
    return [
        {
            "rank": rank + 1,
            "kind": table.provenance.get("kind"),
            "id": int(ids[rank]),
            "hash": cell.hash,
            "adjacency": cell.to_text()[0],
            "operations": cell.to_text()[1],
            "vertices": cell.vertices,
            "parameters": _known(parameters[rank]),
            **{m: float(column[rank]) for m, column in means.items()},
        }
        for rank, cell in enumerate(table.space[ids])
    ]


def uncertainty_of(metric: str) -> str:
    """Name the column with the uncertainties of a predicted metric."""
    return f"{metric}_uncertainty"


def _top_grid(
    found: list[dict[str, Any]],
    shown: list[str],
    title: str,
    mark: str,
    full: bool,
) -> Grid:
    """Lay out cells: what they are ranked by first in its turn, and the rest as there is room."""
    grid = Grid(title, rest="--full or --json", whole=full)
    grid.add("rank", [str(row["rank"]) for row in found])
    grid.add("id", [str(row["id"]) for row in found])
    hashes = [row["hash"] for row in found]
    grid.add("hash", [text[:8] for text in hashes], full=hashes, full_order=10, left=True)
    for place, metric in enumerate(shown):
        texts = []
        for row in found:
            text = _number(metric, row[metric])
            spread = row.get(uncertainty_of(metric))
            if spread is not None and not np.isnan(spread):
                text += f" ± {_number(metric, spread)}"
            texts.append(text)
        head = _head(metric)
        grid.add(f"{mark} {head}" if mark else head, texts, order=0 if place == 0 else 1 + place)
    grid.add("parameters", [_count(row["parameters"]) for row in found], order=1)
    ops = [row["operations"].split(",")[1:-1] for row in found]
    whole = [" ".join(names) for names in ops]
    grid.add("ops", [short_ops(names) for names in ops], full=whole, full_order=20, left=True)
    return grid
