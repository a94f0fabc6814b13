"""``nb101 info``, and how other commands say what is in a table."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from nb101.cli import complete
from nb101.cli.grid import Facts, Grid
from nb101.cli.options import Json
from nb101.cli.output import file_size
from nb101.cli.printing import describe, print_json, print_rich
from nb101.cli.tables import open_table
from nb101.space.search_space import SearchSpace
from nb101.table.about import describe_space, kind_words, prediction_mark
from nb101.table.embedded import EMBEDDED
from nb101.table.schema import METRICS, metric_column
from nb101.table.table import Table

EXAMPLES = """[bold]Examples[/bold]

nb101 info

nb101 info nasbench108.arrow

nb101 info official-full --verify

nb101 info runs.parquet --json"""

UNVERIFIED = "each fitted the seal when the file was first opened; --verify compares them again"


def info(
    table: Annotated[
        str | None,
        typer.Argument(
            metavar="TABLE",
            help="A table: a file, or a name; by default the predictions that nb101 carries.",
            autocompletion=complete.tables,
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read all of it and compare it with its seal.")
    ] = False,
    json: Json = False,
) -> None:
    """Say what is in a table: runs, budgets, repeats, ranges, and where they came from.

    A file of official records is converted the first time; the result is kept beside it.
    """
    opened = open_table(table)
    if verify:
        opened.verify()
    found = summarize(opened)
    if json:
        print_json(found)
        return
    print_summary(found, opened.space)
    if verify:
        print("verified: every byte fits the seal of the file, and every row is as it should be")


def summarize(table: Table) -> dict[str, Any]:
    """Say what is in a table, for JSON."""
    space = table.space
    return {
        "path": table.path,
        "bytes": None if table.path is None else Path(table.path).stat().st_size,
        "verified": table.verified,
        "kind": table.provenance.get("kind"),
        "runs": len(table),
        "cells": table.num_cells,
        "space": describe_space(space) | {"cells": len(space)},
        "budgets": [_budget(table, epochs) for epochs in table.epochs],
        "columns": {field.name: str(field.type) for field in table.to_arrow().schema},
        "provenance": dict(table.provenance),
    }


def _budget(table: Table, epochs: int) -> dict[str, Any]:
    counts = table.counts(epochs)
    budget = table.budget(epochs)
    facts: dict[str, Any] = {
        "epochs": epochs,
        "cells": int((counts > 0).sum()),
        "runs": int(counts.sum()),
        "repeats": [int(counts[counts > 0].min()), int(counts.max())],
    }
    for metric in METRICS:
        name = metric_column(metric)
        if name not in table.columns:
            continue
        values = table.column(name)[budget.start : budget.stop]
        values = values[~np.isnan(values)]
        if len(values):
            mean = float(values.mean(dtype=np.float64))
            facts[metric] = {
                "least": float(values.min()),
                "mean": mean,
                "most": float(values.max()),
            }
    return facts


def print_summary(found: dict[str, Any], space: SearchSpace) -> None:
    """Print what `summarize` found in a table."""
    kind = kind_words(found)
    facts = [
        ("table", _where(found)),
        ("runs", f"{found['runs']:,}, {kind}"),
        ("cells", f"{found['cells']:,} of {found['space']['cells']:,}"),
        ("space", describe(space)),
    ]
    if found["bytes"] is not None:
        facts.append(("size", file_size(found["bytes"])))
        facts.append(("bytes", "each fits the seal" if found["verified"] else UNVERIFIED))
    for name, value in found["provenance"].items():
        if name not in ("kind", "source_mtime_ns"):
            facts += _lines(name, value)
    note = ""
    if mark := prediction_mark(found["provenance"]):
        share = "no number below was" if mark == "predicted" else "not all numbers below were"
        note = f"predicted: {share} measured\n"
    title = f"\n{note}final evaluations: mean (least to most)"
    print_rich(Facts(facts), title, _budgets_grid(found["budgets"]))


def _budgets_grid(budgets: list[dict[str, Any]]) -> Grid:
    grid = Grid()
    grid.add("epochs", [str(budget["epochs"]) for budget in budgets])
    grid.add("cells", [f"{budget['cells']:,}" for budget in budgets], order=2)
    grid.add("runs", [f"{budget['runs']:,}" for budget in budgets])
    grid.add("repeats", [_repeats(*budget["repeats"]) for budget in budgets], order=1)
    for metric in (m for m in METRICS if any(m in budget for budget in budgets)):
        head = metric.replace("_", " ") + (" (s)" if "time" in metric else "")
        found = [_range(metric, budget.get(metric)) for budget in budgets]
        grid.add(
            head,
            [f"{mean}\n{rest}" for mean, rest in found],
            full=[f"{mean} {rest}" for mean, rest in found],
            order=3 if metric == "train_accuracy" else 0,
            left=True,
        )
    return grid


def _repeats(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def _range(metric: str, found: dict[str, float] | None) -> tuple[str, str]:
    if found is None:
        return "none", ""
    digits = 1 if "time" in metric else 4
    least, mean, most = (f"{found[name]:,.{digits}f}" for name in ("least", "mean", "most"))
    return mean, f"({least} to {most})"


def _where(found: dict[str, Any]) -> str:
    if found["provenance"].get("name") == EMBEDDED and not found["path"].endswith(".arrow"):
        return f"{EMBEDDED}, which the package carries"
    return found["path"] or "in memory"


def _lines(name: str, value: Any) -> list[tuple[str, str]]:
    """Lay out a piece of provenance: a line, or one for each part of what has parts."""
    words = name.replace("_", " ")
    if not isinstance(value, dict):
        return [(words, _one_line(value))]
    if not any(isinstance(x, dict) for x in value.values()):
        return [(words, _inline(value))]
    parts = [(words, "")]
    for key, inner in value.items():
        text = _one_line(inner)
        if isinstance(inner, dict):
            text = _inline(inner)
        parts.append((f"  {key.replace('_', ' ')}", text))
    return parts


def _inline(parts: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_one_line(x)}" for name, x in parts.items())


def _one_line(value: Any) -> str:
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return text if len(text) <= 200 else text[:197] + "..."
