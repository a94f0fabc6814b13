"""What a page is told first: the table, its space and cells, and which columns there are.

`web/src/contract.ts` has the format. Nothing of it needs a column to be computed.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nb101._base.version import __version__
from nb101.explore.columns import Column, Columns, slug
from nb101.plain import counted, printable
from nb101.space.ops import OPS
from nb101.space.words import num_pairs
from nb101.table.about import describe_space, kind_of, prediction_mark
from nb101.table.embedded import EMBEDDED, PATH
from nb101.table.schema import Array
from nb101.table.table import Table

FORMAT, VERSION = "nb101-explorer", 1
ACCURACIES = ("validation_accuracy", "test_accuracy", "train_accuracy")
WORD = 32
"""Bits of a number that pages compute with: words of cells are sent in halves."""

Encode = Callable[[str, Array | None, np.dtype[Any]], dict[str, Any]]
"""What says how a column lies: it takes the path without ending, values where they are at hand, and
their type."""


@dataclass(frozen=True, kw_only=True)
class About:
    """How people call a table.

    Attributes
    ----------
    name, title
        In lists, and above the page.
    command, python
        What opens the same page, and the same table.
    """

    name: str
    title: str
    command: str
    python: str


def describe(table: Table, name: str | None = None) -> About:
    """Say how a table is called.

    Parameters
    ----------
    table
        The table.
    name
        What it was opened by: the argument of `nb101.load_table`.
    """
    if name is None and table.path is not None and table.path != str(PATH):
        name = table.path
    if name == EMBEDDED or (name is None and table.path is not None):
        return About(
            name=EMBEDDED,
            title="NAS-Bench-101, predicted",
            command="nb101 explore",
            python="nb101.load_table()",
        )
    if name is None:
        said = table.provenance.get("source")
        title = printable(said)[:80] if isinstance(said, str) and said else "a table in memory"
        return About(name="table", title=title, command="", python="")
    return About(
        name=name,
        title=printable(name.replace("\\", "/").rstrip("/").rpartition("/")[2] or name),
        command=f"nb101 explore {shlex.quote(name)}",
        python=f"nb101.load_table({name!r})",
    )


def manifest(
    columns: Columns,
    encode: Encode,
    cells: Mapping[str, Any],
    about: About,
    *,
    traces: Sequence[Mapping[str, Any]] = (),
    campaign: Mapping[str, Any] | None = None,
    live: bool,
) -> dict[str, Any]:
    """Make the manifest.

    Parameters
    ----------
    columns
        Of the table.
    encode
        Says of a column how it lies.
    cells
        The entry ``cells``.
    about
        How the table is called.
    traces, campaign
        Their entries.
    live
        Whether somebody answers what is asked later.
    """
    table = columns.table
    return {
        "format": FORMAT,
        "version": VERSION,
        "made": __version__,
        "title": about.title,
        "table": {
            "name": about.name,
            "kind": columns.kind,
            "says": says(columns),
            "command": about.command,
            "python": about.python,
        },
        "space": space_entry(table),
        "cells": dict(cells),
        "epochs": list(table.epochs),
        "columns": [
            entry(column, encode(column_path(column), None, column.dtype))
            for column in columns.values()
        ],
        "start": start(columns),
        "paper": paper_cells(table),
        "best": {},
        "traces": list(traces),
        "campaign": campaign,
        "live": live,
    }


def column_path(column: Column) -> str:
    """Return the path of a column's files, without ending."""
    return f"columns/{slug(column.name)}"


def entry(column: Column, encoding: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a manifest has of a column."""
    error = {"spread": column.spread, "uncertainty": column.uncertainty}
    known = {what: name for what, name in error.items() if name is not None}
    return {
        "name": column.name,
        "title": column.title,
        "short": column.short,
        "metric": column.metric,
        "group": column.group,
        "epochs": column.epochs,
        "unit": column.unit,
        "factor": column.factor,
        "integer": column.integer,
        "scale": column.scale,
        "better": column.better,
        "kind": column.kind,
        "error": known or None,
        "repeats": column.repeats,
        "encoding": dict(encoding),
    }


def space_entry(table: Table) -> dict[str, Any]:
    """Return what a manifest has of the space."""
    space = table.space
    limits = describe_space(space)
    return {
        "max_vertices": space.max_vertices,
        "max_edges": space.max_edges,
        "ops": list(limits["ops"]),
        "size": space.count().total,
        "whole": is_whole(table),
        "hash": space.ops == OPS,
    }


def is_whole(table: Table) -> bool:
    """Whether the table has all cells of the space, so that rows are ids."""
    return table.num_cells == table.space.count().total


def cell_words(columns: Columns) -> dict[str, Callable[[], Array] | None]:
    """Return what makes the numbers of each entry of ``cells``; None for what is not needed."""
    table = columns.table
    high = num_pairs(table.space.max_vertices) > WORD

    def half(word: int, shift: int) -> Callable[[], Array]:
        return lambda: (columns.cells().words[word] >> np.uint64(shift)).astype(np.uint32)

    return {
        "ids": None if is_whole(table) else lambda: table.cell_ids.astype(np.uint32),
        "edges_low": half(0, 0),
        "edges_high": half(0, WORD) if high else None,
        "labels_low": half(1, 0),
        "labels_high": half(1, WORD),
    }


def says(columns: Columns) -> str:
    """Say of which kind the numbers are, in a sentence."""
    table = columns.table
    runs = [column.repeats for column in columns.values() if column.repeats is not None]
    mark = prediction_mark(table.provenance)
    if mark == "predicted":
        text = "Accuracies and times are predicted: none of them was measured."
    elif mark:
        text = "Accuracies and times are partly predicted: not all of them were measured."
    elif kind_of(table.provenance) == "measured":
        most = max(runs, default=1)
        mean = f", each the mean of up to {counted(most, 'run')}" if most > 1 else ""
        text = f"Accuracies and times are measured{mean}."
    else:
        text = "Nobody has said whether accuracies and times are measured or predicted."
    if not has_accuracies(columns):
        text += " The table has no accuracies."
    return text


def has_accuracies(columns: Columns) -> bool:
    """Whether there is a column of accuracies."""
    return any(column.group == "accuracy" for column in columns.values())


def start(columns: Columns) -> dict[str, str]:
    """Return what a page shows first: a cost against an accuracy, or what there is of both."""
    last = columns.table.epochs[-1]
    own = [name for name, column in columns.items() if column.group == "own"]
    costs = [f"training_time@{last}", "parameters", "flops", "edges"]
    values = [f"{metric}@{last}" for metric in ACCURACIES]
    x = next(name for name in costs if name in columns)
    y = next(name for name in [*values, *own, "depth"] if name in columns)
    colours = ["parameters", "flops", "vertices", "depth"]
    colour = next(name for name in colours if name in columns and name not in (x, y))
    return {"x": x, "y": y, "colour": colour}


def paper_cells(table: Table) -> list[dict[str, Any]]:
    """Return the cells that the paper names and the table has, with their rows."""
    from nb101.analysis.paper import NAMED_CELLS

    found = []
    for title, cell in NAMED_CELLS.items():
        if cell in table.space:
            cell_id = table.space.index(cell)
            row = int(np.searchsorted(table.cell_ids, cell_id))
            if row < table.num_cells and table.cell_ids[row] == cell_id:
                found.append({"name": slug(title), "title": title, "row": row})
    return found
