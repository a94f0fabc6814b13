"""Make the tables and the figure of docs/guides/workers.md anew, from a record of comparisons.

Usage: ``python benches/workers_docs.py [--run]``

With ``--run`` the searches are run first, or gone on with, in ``build/workers``: each algorithm
with 1, 4, 8 and 32 workers, asynchronous and synchronous, for as many epochs in all. What they come
to goes into the record of today. Half an hour on two cores, most of it BOHB's.
"""

import datetime
import io
import json
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import nb101
from nb101 import search
from nb101.analysis.figures import CYCLE, STYLE, VERMILLION, plain_log, render
from nb101.search.domain import checksum
from nb101.search.findings import points
from nb101.search.findings import title as title_of
from nb101.table.about import prediction_mark

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "benches" / "record"
FOLDER = ROOT / "build" / "workers"
PAGE = ROOT / "docs" / "guides" / "workers.md"
FIGURE = ROOT / "docs" / "figures" / "workers.svg"
BLOCK = re.compile(r"<!-- (regrets|hours): \S+ -->\n.*?<!-- end -->", re.DOTALL)

RUNS = {
    "random-search": 500,
    "regularized-evolution": 500,
    "local-search": 500,
    "reinforce": 500,
    "hyperband": 500,
    "bohb": 60,
}
EPOCHS = 54_000
"""Epochs in all of each run: 500 trainings of 108."""
WAYS = [(1, False), *((n, synchronous) for n in (4, 8, 32) for synchronous in (False, True))]
"""Workers, and whether they wait for each other."""
POINTS = 60
"""Moments of a curve."""
DRAWN = "regularized-evolution"


def main(arguments: list[str]) -> None:
    """Make what is asked for."""
    if "--run" in arguments:
        for workers, synchronous in WAYS:
            compare(workers, synchronous)
        # A line for each way of each algorithm.
        lines = json.dumps(make_record()).replace('{"workers"', '\n{"workers"')
        name = f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}-workers-searches.json"
        (RECORDS / name).write_text(lines + "\n")
    name = max(RECORDS.glob("*-workers-searches.json")).stem
    PAGE.write_text(fill(PAGE.read_text(), name))
    FIGURE.write_text(draw(name))


def read(name: str) -> dict[str, Any]:
    """Return a record by its name."""
    found: dict[str, Any] = json.loads((RECORDS / f"{name}.json").read_text())
    return found


# Searches


def compare(workers: int, synchronous: bool) -> search.Comparison:
    """Run, or go on with, all algorithms in one way."""
    return search.compare(
        folder=FOLDER / f"{workers}-{'synchronous' if synchronous else 'asynchronous'}",
        names=[*RUNS],
        runs=RUNS,
        max_epochs=EPOCHS,
        workers=workers,
        synchronous=synchronous,
    )


def make_record() -> dict[str, Any]:
    """Sum up all comparisons."""
    table = nb101.load_table()
    algorithms: dict[str, list[dict[str, Any]]] = {name: [] for name in RUNS}
    for workers, synchronous in WAYS:
        found = compare(workers, synchronous)
        for name, ways in algorithms.items():
            traces = list(found.traces(name))
            ways.append({"workers": workers, "synchronous": synchronous, **sum_up(traces)})
    return {
        "date": f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}",
        "version": nb101.__version__,
        "machine": runpy.run_path(str(Path(__file__).with_name("report.py")))["machine"](),
        "predicted": prediction_mark(table.provenance),
        "table_checksum": checksum(table),
        "max_epochs": EPOCHS,
        "seed": 0,
        "algorithms": algorithms,
    }


def sum_up(traces: list[search.Trace]) -> dict[str, Any]:
    """Return the numbers of runs, and the median of their regrets over either clock."""
    final = np.array([trace.final_regret for trace in traces])
    walls = np.array([trace.seconds[-1] for trace in traces])
    totals = np.array([trace.total_seconds[-1] for trace in traces])
    numbers: dict[str, Any] = {
        "runs": len(traces),
        "queries": float(np.median([len(trace) for trace in traces])),
        "final_regret": dict(
            zip(("q25", "median", "q75"), _few(np.quantile(final, [0.25, 0.5, 0.75])), strict=True)
        ),
        "wall_seconds": _few(np.median(walls)),
        "total_seconds": _few(np.median(totals)),
        # The share of the workers' time in which they train.
        "busy": _few(np.median(totals / walls) / max(trace.workers for trace in traces)),
    }
    clocks: tuple[tuple[Literal["wall", "total"], Any], ...] = (("wall", walls), ("total", totals))
    for clock, ends in clocks:
        times = np.geomspace(np.median(ends) / 300, np.median(ends), POINTS)
        regrets = np.median([trace.regret_at(times, clock=clock) for trace in traces], axis=0)
        known = np.isfinite(regrets)
        numbers[clock] = [_few(times[known]), _few(regrets[known])]
    return numbers


def _few(values: Any) -> Any:
    """Return numbers of five digits."""
    if np.ndim(values):
        return [_few(value) for value in values]
    return float(f"{values:.5g}")


# The page


def fill(text: str, name: str) -> str:
    """Return the page with its tables as a record has them."""
    record = read(name)

    def block(found: re.Match[str]) -> str:
        table = lay_out(record, {"regrets": _regret, "hours": _hours}[found[1]])
        return f"<!-- {found[1]}: {name} -->\n\n{table}\n<!-- end -->"

    return BLOCK.sub(block, text)


def lay_out(record: dict[str, Any], cell: Callable[[dict[str, Any]], str]) -> str:
    """Lay out a table: a row for each algorithm, and a column for each way."""
    ways = next(iter(record["algorithms"].values()))
    lines = [
        f"| algorithm | runs | {' | '.join(map(_title, ways))} |",
        "|---" * (2 + len(ways)) + "|",
    ]
    for name, found in record["algorithms"].items():
        cells = [title_of(name), f"{found[0]['runs']:,}", *map(cell, found)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _regret(way: dict[str, Any]) -> str:
    return points(way["final_regret"]["median"])


def _hours(way: dict[str, Any]) -> str:
    return f"{way['wall_seconds'] / 3600:,.1f}"


def _title(way: dict[str, Any]) -> str:
    if way["workers"] == 1:
        return "1 worker"
    return f"{way['workers']}, {'waiting' if way['synchronous'] else 'free'}"


# The figure


def draw(name: str) -> str:
    """Draw median regrets over both clocks; the record's name is the title of the picture."""
    record = read(name)
    shown = [each for each in record["algorithms"][DRAWN] if each["workers"] != 4]
    colors = dict(zip(dict.fromkeys(each["workers"] for each in shown), CYCLE, strict=False))
    with mpl.rc_context(STYLE):
        picture = Figure(figsize=(8, 3.6), layout="constrained")
        left, right = picture.subplots(1, 2, sharey=True)
        clocks = ((left, "wall", "on the wall"), (right, "total", "of all workers"))
        for ax, clock, whose in clocks:
            for way in shown:
                times, regrets = way[clock]
                ax.plot(
                    np.array(times) / 3600,
                    100 * np.array(regrets),
                    color=colors[way["workers"]],
                    linestyle="--" if way["synchronous"] else "-",
                    label=_title(way),
                )
            ax.set(xscale="log", yscale="log", xlabel=f"simulated time {whose} (hours)")
            plain_log(ax, "x")
            plain_log(ax, "y")
        left.set_ylabel("median regret (points)")
        left.set_title(title_of(DRAWN).capitalize())
        right.set_title(record["predicted"], loc="right", color=VERMILLION, fontsize=9)
        right.legend()
        buffer = io.BytesIO()
        render(picture, buffer, "svg")
    metadata = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
    return metadata.sub(f"<title>{name}</title>", buffer.getvalue().decode(), count=1)


if __name__ == "__main__":
    main(sys.argv[1:])
