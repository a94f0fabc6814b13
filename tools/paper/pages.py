"""Pages of the section: templates of this folder, filled from the newest record alone.

Words are written by hand, in ``pages/*.md``. Numbers are names of the record, of `said` and of
`nb101.analysis.paper`, with filters that say how they are printed.
"""

import json
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from nb101.analysis import paper
from nb101.analysis.figures import op_label
from nb101.search import registry
from nb101.search.findings import listed
from nb101.train import TrainConfig
from paper import record as records
from paper import said
from paper.numbers import LEVELS, Numbers

FOLDER = records.ROOT / "docs" / "paper"
TEMPLATES = Path(__file__).parent / "pages"
MARK = "<!-- Made by `make paper` of tools/paper/pages/{name}: change the words there. -->\n\n"
COMPARISON = "2026-11-27-search-10000000-s"
"""The record that docs/guides/search.md and its picture are of."""
FEW = 20
"""Cells of a depth or width from which on its mean counts."""
MINUS = "\N{MINUS SIGN}"


def make() -> list[Path]:
    """Write all pages from the newest record."""
    made = []
    for name, text in render(records.read()).items():
        path = FOLDER / name
        path.write_text(text, "utf-8")
        made.append(path)
    return made


def stale() -> list[str]:
    """Say what is older than the newest record, and whether that is older than the table."""
    record = records.read()
    name = records.newest().name
    found = []
    if record["table"] != records.table_of():
        found.append(f"{name} is of another default table: make paper")
    if record["searches_of"] != records.searches_of():
        found.append(f"{name} has searches of other programs: make paper")
    for page, text in render(record).items():
        path = FOLDER / page
        if not path.exists() or path.read_text("utf-8") != text:
            found.append(f"docs/paper/{page} is not what {name} makes: make paper")
    for figure, digest in record["figures"].items():
        path = records.ROOT / "docs" / "figures" / figure
        if not path.exists() or records.sha256(path) != digest:
            found.append(f"docs/figures/{figure} is not what {name} says: make paper")
    return found


def render(record: Numbers) -> dict[str, str]:
    """Return the text of each page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Pages are Markdown, and numbers are ours.
        autoescape=False,
    )
    environment.filters |= {
        "percent": percent,
        "points": points,
        "number": number,
        "count": count,
        "op": lambda kind: " → ".join(map(op_label, kind)),
    }
    comparison = json.loads((records.RECORDS / f"{COMPARISON}.json").read_text("utf-8"))
    given: dict[str, Any] = {
        "record": records.newest().name if record.get("date") else "",
        "p": record["predicted"],
        "m": record["measured"],
        "s": record["searches"],
        "date": record["date"],
        "paper": paper,
        "said": said,
        "comparison": comparison,
        "comparison_name": COMPARISON,
        "algorithms": {name: entry.title for name, entry in registry().items()},
        "recipe": TrainConfig(),
        "settings": settings(),
        "sooner": lambda name: sooner(comparison, name),
        "best_depth": lambda part: best(part["depth"], "accuracy"),
        "best_width": lambda part: best(part["width"], "accuracy"),
        "slowest_width": lambda part: best(part["width"], "time"),
        "ours": ours,
        "interval": interval,
        "passes": passes,
        "quantile": quantile,
        "runs_of_comparison": runs_of(comparison),
        "pairs_total": sum(record["measured"]["pairs"]["pairs"]),
    }
    return {
        path.name: MARK.format(name=path.name) + environment.get_template(path.name).render(**given)
        for path in sorted(TEMPLATES.glob("*.md"))
    }


def settings() -> list[tuple[str, str, Any, Any]]:
    """Return the settings of the paper's final comparison beside our defaults."""
    entries = registry()
    return [
        (entries[name].title, option.replace("_", " "), given, entries[name].options[option])
        for name, options in said.SETTINGS
        for option, given in options.items()
    ]


# What pages look up


def sooner(comparison: Numbers, name: str) -> float:
    """Return how many times sooner an algorithm reaches the final level of random search."""
    reaches = {key: own["reaches_random_seconds"] for key, own in comparison["algorithms"].items()}
    return float(reaches["random-search"] / reaches[name])


def best(rows: Numbers, name: str) -> str:
    """Return the depth or width with the highest mean, of those of `FEW` cells or more."""
    return max((x for x in rows if rows[x]["cells"] >= FEW), key=lambda x: rows[x][name])


def ours(field: str, name: str) -> str:
    """Return a setting of `nb101.train.TrainConfig`, as table 1 of the supplement writes it."""
    if field:
        value = getattr(TrainConfig(), field)
        written = f"{value:.5f}".rstrip("0") if isinstance(value, float) else str(value)
        return {"cosine": "cosine decay"}.get(written, written)
    return {
        "ending learning rate": "0.0, which cosine decay ends at",
        "optimizer": "RMSProp, as TensorFlow has it",
        "accelerator": "any that PyTorch has",
    }[name]


def interval(own: Numbers) -> str:
    """Write a median regret in points, with its interval."""
    median, low, high = (points(own[key], 3, sign=False) for key in ("median", "low", "high"))
    return f"{median} [{low}, {high}]"


def passes(own: Numbers, other: Numbers) -> float:
    """Return from when on the median of one setting is below that of another, to two digits.

    Their curves have few points, and times of their own.
    """
    times = np.geomspace(max(own["times"][0], other["times"][0]), own["times"][-1], 300)
    ours, theirs = (_median_at(each, times) for each in (own, other))
    last = np.flatnonzero(ours >= theirs).max()
    return float(f"{times[last + 1]:.2g}")


def _median_at(own: Numbers, times: Any) -> Any:
    median = [np.inf if x is None else x for x in own["curve"][1]]
    return np.array(median)[np.searchsorted(own["times"], times, side="right") - 1]


def quantile(own: Numbers, level: float) -> float:
    """Return a quantile of final regrets."""
    return float(np.interp(level, LEVELS, own["quantiles"]))


def runs_of(comparison: Numbers) -> str:
    """Say how many runs there are of each algorithm."""
    entries = registry()
    by: dict[int, list[str]] = {}
    for name, own in comparison["algorithms"].items():
        by.setdefault(own["runs"], []).append(entries[name].title)
    return ", ".join(f"{runs} of {listed(by[runs])}" for runs in sorted(by, reverse=True))


# How numbers are printed


def percent(value: float | None, digits: int = 1) -> str:
    """Write a share or an accuracy: ``75.3 %``."""
    return "" if value is None else f"{100 * value:.{digits}f} %"


def points(value: float | None, digits: int = 2, *, sign: bool = True) -> str:
    """Write a difference of fractions in points, or per cent, with its sign: ``−1.45``."""
    if value is None:
        return ""
    text = f"{round(100 * value, digits) or 0.0:{'+' if sign else ''}.{digits}f}"
    return text.replace("-", MINUS)


def number(value: float | None, digits: int = 3) -> str:
    """Write a number."""
    return "" if value is None else f"{value:.{digits}f}".replace("-", MINUS)


def count(value: float | None) -> str:
    """Write a count, or seconds: ``423,624``."""
    return "" if value is None else f"{value:,.0f}"
