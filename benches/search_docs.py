"""Make the figure and the tables of docs/guides/search.md anew, from records of comparisons.

Usage: ``python benches/search_docs.py [NAME=FOLDER]...``

Each folder is one of ``nb101 search compare``: its numbers and curves become the record
``benches/record/NAME.json``. Then what the page has between ``<!-- KIND: NAME -->`` and ``<!-- end
-->`` is written from the records: the standings, or the findings. A test says where it is stale.
"""

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from nb101._base.files import finite
from nb101.analysis.figures import render
from nb101.search import Comparison
from nb101.search.figures import figure
from nb101.search.findings import points
from nb101.search.findings import title as title_of
from nb101.search.page import write_page
from nb101.search.statistics import Interval, Standing, Summary, summarize

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "benches" / "record"
PAGE = ROOT / "docs" / "guides" / "search.md"
FIGURE = ROOT / "docs" / "figures" / "search-regret.svg"
FIGURED = "2026-11-27-search-10000000-s"
"""The record that the figure is drawn of."""
BLOCK = re.compile(r"(<!-- (standings|findings): (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
KEPT = 3
"""Cells that runs end with, of each algorithm, that a record keeps."""


def main(arguments: list[str]) -> None:
    """Write records of the folders, and the page's parts of all records."""
    for argument in arguments:
        name, _, folder = argument.partition("=")
        (RECORDS / f"{name}.json").write_text(
            json.dumps(make_record(Path(folder)), indent=1) + "\n"
        )
    PAGE.write_text(fill(PAGE.read_text()))
    FIGURE.write_text(draw(FIGURED))


def read(name: str) -> dict[str, Any]:
    """Return a record by its name."""
    found: dict[str, Any] = json.loads((RECORDS / f"{name}.json").read_text())
    return found


def make_record(folder: Path) -> dict[str, Any]:
    """Return the numbers of a comparison, without most cells, and with its curves."""
    comparison = Comparison.open(folder)
    summary = summarize(comparison)
    write_page(comparison, summary)
    record: dict[str, Any] = json.loads((folder / "numbers.json").read_text())
    for each in summary.standings:
        entry = record["algorithms"][each.name]
        entry["ends"] = dict(list(entry["ends"].items())[:KEPT])
        entry["curve"] = [[float(f"{x:.5g}") for x in row] for row in each.curve]
    record["times"] = [float(f"{x:.7g}") for x in summary.times]
    rounded: dict[str, Any] = finite(record)
    return rounded


def fill(text: str) -> str:
    """Return the page with all blocks as the records have them."""
    kinds = {"standings": standings, "findings": findings}
    return BLOCK.sub(
        lambda block: f"{block[1]}\n{kinds[block[2]](read(block[3]))}\n{block[4]}", text
    )


def standings(record: dict[str, Any]) -> str:
    """Lay out a table."""
    lines = [
        "| algorithm | runs | queries (median) | distinct | median final regret | quartiles "
        "| mean rank | better than random |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, each in record["algorithms"].items():
        final, rank = each["final_regret"], each["rank"]
        cells = [
            title_of(name),
            f"{each['runs']:,}",
            f"{each['queries_median']:,.0f}",
            f"{100 * each['distinct_median']:.0f} %",
            points(final["median"]),
            f"{points(final['q25'])} to {points(final['q75'])}",
            f"{rank['mean']:.2f} [{rank['low']:.2f}, {rank['high']:.2f}]",
            f"{100 * each['better_than_random']:.0f} %",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def findings(record: dict[str, Any]) -> str:
    """List what the comparison's page says first."""
    return "".join(f"- {text}\n" for text in record["findings"])


def draw(name: str) -> str:
    """Draw median regrets over time; the record's name is the title of the picture."""
    record = read(name)
    nothing = Interval(value=np.nan, low=np.nan, high=np.nan)
    made = [
        Standing(
            name=algorithm,
            runs=each["runs"],
            queries=each["queries_median"],
            distinct=each["distinct_median"],
            final=np.zeros(0),
            quartiles=(np.nan, np.nan, np.nan),
            median=nothing,
            curve=np.array(each["curve"], dtype=np.float64),
        )
        for algorithm, each in record["algorithms"].items()
    ]
    summary = Summary(times=np.array(record["times"]), standings=tuple(made))
    buffer = io.BytesIO()
    render(figure("regret", summary, mark=record["predicted"]), buffer, "svg")
    metadata = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
    return metadata.sub(f"<title>{name}</title>", buffer.getvalue().decode(), count=1)


if __name__ == "__main__":
    main(sys.argv[1:])
