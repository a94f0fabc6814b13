"""Searches of the default table that the paper's figures are of, and no other record has.

Figure 7 is of the comparison that docs/guides/search.md shows; of it the final regrets of all runs
are computed anew, which its record does not have, with the same seeds. Figure 8 and those of the
supplement are of their own.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nb101 import SearchSpace, Table
from nb101.search import compare
from nb101.search.statistics import Summary, summarize
from paper.numbers import Numbers, quantiles, rounded

LONG, SHORT, BRIEF = 1e7, 5e6, 1e6
"""Simulated seconds: the paper's, those of the original's notebook, and what BOHB does in time."""
RUNS = 100
"""Of each setting, as in figure 8."""
FINAL = {"regularized-evolution": 500, "random-search": 500, "reinforce": 100}
"""Runs whose final regrets figure 7 right is drawn of: of the record's, those that take minutes."""
POINTS = 40
"""Times that are kept of a curve."""
RATES = (0.25, 0.5, 1.0, 2.0)
TOURNAMENTS = (2, 5, 10, 25, 50)
POPULATIONS = (25, 50, 100, 200, 400)
LEARNING_RATES = (0.02, 0.1, 0.5, 1.0)
VARIANT, EVOLUTION, RANDOM = "evolution-variant", "regularized-evolution", "random-search"
BOHB_SETTINGS: dict[str, dict[str, Any]] = {
    "of the scripts": {},
    "of the supplement": {"random_fraction": 0.0, "samples": 4},
}


def describe(table: Table) -> Numbers:
    """Run all searches, and return what came of them."""
    mini = smaller(table)
    both = {"mini": mini, "full": table}
    found: Numbers = {
        "final": final(table),
        "death": {
            name: {
                "RS": _one(each, RANDOM),
                "NRE": _one(each, VARIANT, oldest=False),
                "RE": _one(each, EVOLUTION),
            }
            for name, each in both.items()
        },
        "rate": {
            name: {str(x): _one(each, VARIANT, rate=x) for x in RATES}
            for name, each in both.items()
        },
        "tournament": {
            name: {str(x): _one(each, EVOLUTION, tournament=x) for x in TOURNAMENTS}
            for name, each in both.items()
        },
        "population": {str(x): _one(table, EVOLUTION, population=x) for x in POPULATIONS},
        "learning_rate": {
            str(x): _one(table, "reinforce", learning_rate=x) for x in LEARNING_RATES
        },
        "bohb": {
            name: _one(table, "bohb", seconds=BRIEF, **options)
            for name, options in BOHB_SETTINGS.items()
        },
    }
    found["random_briefly"] = _one(table, RANDOM, seconds=BRIEF)
    numbers: Numbers = rounded(found)
    return numbers | {"seconds": SHORT, "brief_seconds": BRIEF, "runs": RUNS}


def smaller(table: Table) -> Table:
    """Return the cells of up to 6 vertices as a table of their own space: NAS-Bench-Mini."""
    space = SearchSpace(6, table.space.max_edges, table.space.ops)
    count = len(space)
    # Cells are in order of their vertices, so that these come first in both spaces.
    if (table.space[:count].vertices > 6).any() or (table.space[count:].vertices <= 6).any():
        raise AssertionError("cells of 6 vertices do not come first")
    own = table.column("cell_id") < count
    columns = {name: table.column(name)[own] for name in table.columns}
    return Table.from_columns(columns, space=space, provenance=dict(table.provenance))


def final(table: Table) -> Numbers:
    """Return the final regrets of the runs of the paper's comparison, as quantiles."""
    return {
        each.name: {
            "runs": each.runs,
            "mean": each.final.mean(),
            "quantiles": quantiles(each.final),
        }
        for each in _compare(table, FINAL, LONG, {}).standings
    }


def _one(table: Table, name: str, *, seconds: float = SHORT, **options: Any) -> Numbers:
    """Return the final regrets of one setting, and its curve: quartiles at some times."""
    summary = _compare(table, {name: RUNS}, seconds, {name: options} if options else {})
    (each,) = summary.standings
    kept = np.linspace(0, len(summary.times) - 1, POINTS).round().astype(int)
    print(name, options, f"{100 * each.quartiles[1]:.3f}", file=sys.stderr)
    return {
        "median": each.quartiles[1],
        "low": each.median.low,
        "high": each.median.high,
        "q25": each.quartiles[0],
        "q75": each.quartiles[2],
        "times": summary.times[kept],
        "curve": each.curve[:, kept],
    }


def _compare(
    table: Table,
    runs: Mapping[str, int],
    seconds: float,
    options: Mapping[str, Mapping[str, Any]],
) -> Summary:
    with tempfile.TemporaryDirectory() as folder:
        comparison = compare(
            table,
            Path(folder) / "comparison",
            names=list(runs),
            runs=runs,
            seconds=seconds,
            options=options,
            imports=["paper.variants"],
            progress=lambda done, total: None,
        )
        return summarize(comparison)
