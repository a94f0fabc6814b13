"""The tables of docs/paper: the paper's numbers beside ours, by figure."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nb101.analysis import paper
from nb101.analysis.paper import EPOCHS
from paper.numbers import BUDGETS

BLOCK = re.compile(r"(<!-- paper: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
SHORT = {"conv3x3-bn-relu": "3x3", "conv1x1-bn-relu": "1x1", "maxpool3x3": "max-pool"}
SEARCHES = {
    "regularized-evolution": (
        "regularized evolution",
        "from about 50,000 s; reaches the level about five times sooner",
    ),
    "bohb": ("BOHB", "the same"),
    "hyperband": ("Hyperband", "no speed-up"),
    "reinforce": ("REINFORCE", "slow"),
}
"""Algorithms that the paper has too, and what it says of each (section 4.3)."""
MOST_FEW = 30
"""A mean over fewer cells says little: how many they are stands beside it."""


class Row(NamedTuple):
    """One number: of the paper, if it gives it, and by its name in the record."""

    what: str
    paper: float | str | None
    name: str
    form: Callable[[float], str]


def per_cent(value: float) -> str:
    """Write a fraction."""
    return f"{100 * value:.1f} %"


def accuracy(value: float) -> str:
    """Write an accuracy."""
    return f"{100 * value:.2f} %"


def points(value: float) -> str:
    """Write a difference of accuracies."""
    return f"{100 * value:+.2f} points"


def change(value: float) -> str:
    """Write a relative change."""
    return f"{100 * value:+.2f} %"


def rank(value: float) -> str:
    """Write a correlation."""
    return f"{value:.3f}"


def count(value: float) -> str:
    """Write a number of things."""
    return f"{value:,.0f}"


def _pairs(given: Mapping[tuple[str, str], float], name: str, form: Any) -> list[Row]:
    return [
        Row(f"{SHORT[x]} → {SHORT[y]}", value, f"{name} {x} -> {y}", form)
        for (x, y), value in given.items()
    ]


def _shapes(feature: str, values: range) -> list[Row]:
    return [
        Row(f"mean accuracy at {feature} {value}", None, f"{feature}_{value}", accuracy)
        for value in values
    ]


TABLES = {
    "cells": [
        *(
            Row(f"mean test accuracy: {name}", value, f"test_{name}", accuracy)
            for name, value in paper.NAMED_TEST.items()
        ),
        Row("highest mean test accuracy", paper.BEST_TEST, "best_test", accuracy),
    ],
    "distributions": [
        *(
            Row(
                f"mean validation accuracy, {epochs} epochs", None, f"validation_{epochs}", accuracy
            )
            for epochs in BUDGETS
        ),
        Row("cells above 90 % validation accuracy, 108 epochs", "most", "above_90", per_cent),
        Row(
            "correlation of validation and test accuracy, 108 epochs (Pearson)",
            paper.VALIDATION_TEST_PEARSON,
            "validation_test_pearson",
            rank,
        ),
    ],
    "noise": [
        Row(f"median deviation between repeats, {epochs} epochs", None, f"noise_{epochs}", accuracy)
        for epochs in BUDGETS
    ],
    "costs": [
        Row("training time and parameters (Spearman)", None, "time_parameters", rank),
        Row("accuracy and parameters (Spearman)", None, "accuracy_parameters", rank),
        Row("accuracy and training time (Spearman)", None, "accuracy_time", rank),
        Row("cells on the front of training time and accuracy", None, "front", count),
    ],
    "op-accuracy": _pairs(paper.OP_ACCURACY, "op_accuracy", points),
    "op-time": _pairs(paper.OP_TIME, "op_time", change),
    "shapes": [
        Row("depth with the highest mean accuracy", str(paper.BEST_DEPTH), "best_depth", count),
        Row("width with the highest mean accuracy", str(paper.BEST_WIDTH), "best_width", count),
        *_shapes("depth", range(1, 7)),
        *_shapes("width", range(1, 7)),
    ],
    "locality": [
        Row("steps to noise", f"about {paper.RWA_DISTANCE**2}", "rwa_steps", count),
        Row(
            "raw encodings of the best cells", count(paper.PEAK_ENCODINGS), "peak_encodings", count
        ),
        Row("share within 6", paper.PEAK_SHARE_WITHIN_6, "peak_share_6", per_cent),
    ],
    "budgets": [
        Row(
            "36 and 108 epochs, best tenth (Spearman)",
            paper.TOP_TENTH_SPEARMAN[36, EPOCHS],
            "top_tenth_36_108",
            rank,
        ),
    ],
}


def fill(text: str, record: Mapping[str, Any], searches: Mapping[str, Any]) -> str:
    """Write the tables into the page."""

    def block(found: re.Match[str]) -> str:
        name = found[2]
        lines = table_of_searches(searches) if name == "search" else table(name, record)
        return found[1] + "\n".join(lines) + "\n" + found[3]

    return BLOCK.sub(block, text)


def table(name: str, record: Mapping[str, Any]) -> list[str]:
    """Write one table; without a column of measured numbers where there are none."""
    rows = TABLES[name]
    sources = [source for source in ("predicted", "measured") if _known(rows, record[source])]
    titles = {"predicted": "default table, predicted", "measured": "genuine records, measured"}
    lines = [" | ".join(["| ", "the paper", *(titles[source] for source in sources)]) + " |"]
    lines.append("| --- |" + " --: |" * (1 + len(sources)))
    for row in rows:
        cells = [_of_paper(row), *(_ours(row, record[source]) for source in sources)]
        lines.append(f"| {row.what} | " + " | ".join(cells) + " |")
    return lines


def table_of_searches(record: Mapping[str, Any]) -> list[str]:
    """Write the table of search algorithms: when they pass random search, and by how much."""
    found = record["algorithms"]
    lines = [
        "| | runs | below random search from | reaches its final level | the paper |",
        "| --- | --: | --: | --: | --- |",
    ]
    level = found["random-search"]["reaches_random_seconds"]
    for name, (title, said) in SEARCHES.items():
        entry = found[name]
        times = level / entry["reaches_random_seconds"]
        from_ = f"{entry['passes_random_seconds']:,.0f} s"
        lines.append(f"| {title} | {entry['runs']} | {from_} | {times:.1f} times sooner | {said} |")
    return lines


def best_shapes(numbers: Mapping[str, float]) -> dict[str, float]:
    """Return the depth and the width with the highest means, of those of many cells."""
    found = {}
    for feature in ("depth", "width"):
        means = {
            value: numbers[f"{feature}_{value}"]
            for value in range(1, 7)
            if numbers.get(f"{feature}_{value}_cells", 0) >= MOST_FEW
        }
        found[f"best_{feature}"] = float(max(means, key=means.__getitem__))
    return found


def _known(rows: list[Row], numbers: Mapping[str, float]) -> bool:
    return any(row.name in numbers for row in rows)


def _of_paper(row: Row) -> str:
    if row.paper is None:
        return ""
    return row.paper if isinstance(row.paper, str) else row.form(row.paper)


def _ours(row: Row, numbers: Mapping[str, float]) -> str:
    if row.name not in numbers:
        return ""
    cells = numbers.get(f"{row.name}_cells", float("inf"))
    few = f" ({cells:,.0f} cells)" if cells < MOST_FEW and cells > 1 else ""
    few = " (one cell)" if cells == 1 else few
    return row.form(numbers[row.name]) + few
