"""The picture of the guide of searches for several objectives: what three of them find.

    python benches/objectives_docs.py

runs 60 searches of the default table, a minute on two cores, and writes
``docs/figures/objectives.svg``: hypervolume over simulated time, and fronts beside the exact one.
"""

import tempfile
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

import nb101
from nb101 import search
from nb101.analysis.figures import STYLE, VERMILLION, render
from nb101.search.figures import draw_fronts, draw_hypervolume
from nb101.search.statistics import summarize

FIGURE = Path(__file__).parents[1] / "docs" / "figures" / "objectives.svg"
NAMES = ["nsga-ii", "local-search", "random-search"]
RUNS, QUERIES = 20, 5000


def main() -> None:
    """Search and draw."""
    table = nb101.load_table()
    with tempfile.TemporaryDirectory() as folder, mpl.rc_context(STYLE):
        found = search.compare(
            table,
            Path(folder) / "fronts",
            names=NAMES,
            objectives="c10mop1",
            runs=RUNS,
            queries=QUERIES,
        )
        summary = summarize(found)
        picture = Figure(figsize=(9.6, 4.2), layout="constrained")
        left, right = picture.subplots(1, 2)
        draw_hypervolume(left, summary)
        draw_fronts(right, summary, other="parameters")
        right.set_title("predicted", loc="right", color=VERMILLION, fontsize=9)
        with FIGURE.open("wb") as file:
            render(picture, file, "svg")


if __name__ == "__main__":
    main()
