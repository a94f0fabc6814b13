"""The page of a comparison: one HTML file that needs nothing else, and the numbers beside it.

It shows what the paper's figure of the search benchmark shows (section 4.3), and says of each
algorithm what the paper found of it.
"""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101._base.files import atomic, claim_folder, finite
from nb101.analysis import paper
from nb101.analysis.figures import CYCLE, STYLE, VERMILLION, plain_log
from nb101.analysis.html import (
    banner,
    caption,
    cell_pictures,
    description_list,
    document,
    inline_svg,
    marked,
    marked_list,
    text,
)
from nb101.plain import counted, printable
from nb101.search.comparison import MADE_BY, Comparison
from nb101.search.findings import findings, listed, passing, points, reaching, reserves
from nb101.search.findings import title as title_of
from nb101.search.searcher import registry
from nb101.search.statistics import BASELINE, Standing, Summary, summarize
from nb101.space.ops import OPS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAGE, NUMBERS = "index.html", "numbers.json"
PAPERS_SPACE = [7, 9, list(OPS)]
"""Vertices, edges and ops of the space that the paper's findings are of."""
FLOOR = 1e-5
"""Regret that logarithmic axes draw as the least: the optimum itself has none."""

PAPER: dict[str, str] = {
    "random-search": "the baseline",
    "regularized-evolution": "among the best: passes random search after about 50,000 s, and "
    "reaches its final level about five times sooner",
    "reinforce": "slow: below evolution throughout",
    "hyperband": "no gain over random search",
    "bohb": "among the best: passes random search after about 50,000 s, and reaches its final "
    "level about five times sooner; no speed-up from small budgets",
    "tpe": "about as random search",
    "smac": "among the best: passes random search after about 50,000 s, and reaches its final "
    "level about five times sooner",
}
"""What the paper found of each algorithm (section 4.3, figure 7)."""


def write_page(comparison: Comparison, summary: Summary | None = None) -> Path:
    """Write the page of a comparison and its numbers to the comparison's folder.

    Parameters
    ----------
    comparison
        The comparison.
    summary
        What `summarize` says of it, if that is known already.

    Returns
    -------
    The page.

    Raises
    ------
    SearchError
        If no run is done.
    DatasetError
        If a trace is damaged.
    FolderError
        If something else has made the folder.
    FileError
        If a file cannot be written.
    """
    summary = summarize(comparison) if summary is None else summary
    claim_folder(comparison.folder, MADE_BY)
    said = [each.text for each in findings(comparison, summary)]
    said += reserves(comparison, summary)
    numbers = {**_about(comparison), "findings": said, "algorithms": summary.to_dict()}
    with atomic(comparison.folder / NUMBERS) as file:
        file.write(json.dumps(finite(numbers), indent=1).encode() + b"\n")
    page = comparison.folder / PAGE
    with atomic(page) as file:
        file.write(_page(comparison, summary).encode())
    return page


def _about(comparison: Comparison) -> dict[str, Any]:
    from nb101 import __version__

    plan = comparison.plan
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "nb101": __version__,
        "limits": dict(plan.limits),
        "epochs": plan.epochs,
        "unique": plan.unique,
        "seed": plan.seed,
        "asked": dict(comparison.asked),
        "missing": comparison.missing,
        "options": {name: dict(options) for name, options in plan.options.items()},
        "predicted": plan.table["predicted"],
        "table": dict(plan.table),
    }


def draw_regret(ax: "Axes", summary: Summary) -> None:
    """Draw the median regret of each algorithm over time, and the quartiles as bands."""
    for each, color, dashes in _styles(summary):
        low, middle, high = 100 * np.maximum(each.curve, FLOOR)
        ax.fill_between(summary.times, _known(low), _known(high), color=color, alpha=0.13, lw=0)
        label = _label(each.name)
        ax.plot(summary.times, _known(middle), color=color, linestyle=dashes, label=label)
    ax.set(xscale="log", yscale="log", xlabel="simulated time (s)", ylabel="regret (points)")
    ax.set_xlim(summary.times[0], summary.times[-1])
    plain_log(ax, "x")
    plain_log(ax, "y")
    _legend(ax)


def draw_final(ax: "Axes", summary: Summary) -> None:
    """Draw the distribution of the final regret of each algorithm."""
    for each, color, dashes in _styles(summary):
        values = 100 * np.sort(np.maximum(each.final[np.isfinite(each.final)], FLOOR))
        if not len(values):
            continue
        shares = np.arange(len(values) + 1) / each.runs
        points = np.concatenate([values[:1], values])
        label = _label(each.name)
        ax.step(points, shares, where="post", color=color, linestyle=dashes, label=label)
    ax.set(xscale="log", ylim=(0, 1.02), xlabel="final regret (points)", ylabel="share of runs")
    plain_log(ax, "x")
    _legend(ax)


def draw_ranks(ax: "Axes", summary: Summary) -> None:
    """Draw the mean rank of each algorithm with its interval."""
    rows = range(len(summary.standings))
    for row, (each, color, _) in zip(rows, _styles(summary), strict=True):
        ax.plot([each.rank.low, each.rank.high], [row, row], color=color, lw=3, alpha=0.4)
        ax.plot([each.rank.value], [row], "o", color=color)
    ax.set_yticks(list(rows), [_label(each.name) for each in summary.standings])
    ax.invert_yaxis()
    ax.set(xlabel="mean rank of the final regret (95 % interval)")


def _styles(summary: Summary) -> list[tuple[Standing, str, str]]:
    # An algorithm has the colour of its place in the registry, on every page.
    order = [*registry()]
    order += [each.name for each in summary.standings if each.name not in order]
    found = []
    for each in summary.standings:
        place = order.index(each.name)
        round_ = place // len(CYCLE)
        found.append((each, CYCLE[place % len(CYCLE)], ("-", "--", ":")[round_ % 3]))
    return found


def _known(values: Any) -> Any:
    return np.where(np.isfinite(values), values, np.nan)


def _legend(ax: "Axes") -> None:
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, columnspacing=1.2)


def _label(name: str) -> str:
    """Write a title for matplotlib, which takes what is between dollars for formulas."""
    return printable(title_of(name)).replace("$", r"\$")


FIGURES = {
    "regret": (
        draw_regret,
        "Regret over simulated time",
        "How far the mean test accuracy of the best cell so far, by the validation accuracy that "
        "was seen, is below that of the best cell, in percentage points. Lines are medians over "
        "runs, bands quartiles.",
        "Figure 7 of the paper.",
    ),
    "final": (
        draw_final,
        "Final regret",
        "Share of the runs that end with at most the regret of the horizontal axis.",
        "Figure 7 of the paper (right).",
    ),
    "ranks": (
        draw_ranks,
        "Ranks",
        "The mean rank of an algorithm among one run of each, drawn at random; 1 is best. Bars are "
        "95 % intervals by the bootstrap.",
        "Not in the paper.",
    ),
}


def figure(name: str, summary: Summary, *, mark: str = "") -> Any:
    """Draw one of `FIGURES` on a matplotlib figure of its own, with a mark, and return that."""
    import matplotlib
    from matplotlib.figure import Figure

    draw, title, _, _ = FIGURES[name]
    with matplotlib.rc_context(STYLE):
        # No wider than a phone can show with letters that can be read.
        height = 4.4 if name != "ranks" else 1.3 + 0.36 * len(summary.standings)
        ax = Figure(figsize=(4.8, height)).add_subplot()
        draw(ax, summary)
        ax.set_title(title)
        ax.set_title(mark, loc="right", color=VERMILLION, fontsize=9)
    return ax.figure


# The page


def _page(comparison: Comparison, summary: Summary) -> str:
    mark = comparison.plan.table["predicted"]
    about = _about(comparison)
    parts = [
        ("findings", "Findings", _findings(comparison, summary, mark)),
        ("regret", "Regret", _pictures(summary, mark) + _reading(summary)),
        ("standings", "Standings", _standings(summary, mark)),
        ("paper", "Beside the paper", _beside(comparison, summary, mark)),
        ("algorithms", "Algorithms", _algorithms(comparison)),
        ("provenance", "Provenance", description_list(_facts(comparison), "about")),
    ]
    body = "\n".join(
        f'<section id="{name}"><h2>{title}</h2>{inner}</section>' for name, title, inner in parts
    )
    links = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title, _ in parts)
    made = f"Made with nb101 {about['nb101']} on {about['made']}. The paper is {paper.CITATION}."
    nav = f"<nav><ul>{links}</ul></nav>"
    # The plan does not keep the recipe of its table, which need not be that of NAS-Bench-101.
    return document("Search algorithms compared", banner(mark), nav, body, made)


def _findings(comparison: Comparison, summary: Summary, mark: str) -> str:
    found = findings(comparison, summary)
    lines = "".join(f"<li>{text(each.text)}</li>" for each in found)
    cells: dict[int, list[str]] = {}
    for each in found:
        for what, cell_id in each.cells.items():
            cells.setdefault(cell_id, []).append(what)
    regrets = {x: regret for each in summary.standings for x, regret in each.end_regrets.items()}
    captions = {
        cell_id: (" and ".join(what), f", regret {points(regrets[cell_id])} points")
        for cell_id, what in cells.items()
    }
    pictures = cell_pictures(comparison.space, captions, mark)
    doubts = "".join(
        f'<p class="missing">{text(doubt)}</p>' for doubt in reserves(comparison, summary)
    )
    return f'{marked_list(mark)}<ul class="findings">{lines}</ul>{pictures}{doubts}'


def _facts(comparison: Comparison) -> dict[str, Any]:
    plan = comparison.plan
    limits = ", ".join(_limit(name, value) for name, value in plan.limits.items())
    runs = ", ".join(f"{title_of(name)} {count:,}" for name, count in comparison.runs.items())
    entries = registry()
    several = [
        title_of(name)
        for name in comparison.runs
        if name in entries and entries[name].searcher.multi_fidelity
    ]
    facts = {
        "a run ends after": limits,
        "runs": runs,
        "trained for": counted(plan.epochs, "epoch")
        + (f"; {listed(several)} at all budgets up to that" if several else ""),
        "seed": plan.seed,
        "table": f"{plan.table['kind']}: {plan.table['source'] or 'source not known'}",
        "cells": f"{plan.table['cells']:,}",
        "budgets": ", ".join(counted(x, "epoch") for x in plan.table["budgets"]),
    }
    if plan.unique:
        facts["repeats"] = "cells and budgets that were asked before are answered from memory, free"
    for name, options in plan.options.items():
        if options and name in comparison.runs:
            words = ", ".join(f"{key} = {value}" for key, value in options.items())
            facts[f"options of {title_of(name)}"] = words
    return facts


def _limit(name: str, value: float) -> str:
    if name == "seconds":
        return f"{value:,.0f} simulated second{'' if value == 1 else 's'}"
    if name == "queries":
        return counted(int(value), "query", "queries")
    return f"{value:,.0f} epoch{'' if value == 1 else 's'} in all"


def _pictures(summary: Summary, mark: str) -> str:
    shown = []
    for name, (_, title, words, where) in FIGURES.items():
        picture = inline_svg(figure(name, summary, mark=mark), name, title)
        below = caption(words, where, mark)
        shown.append(f'<figure id="figure-{name}">{picture}{below}</figure>')
    return f'<div class="figures">{"".join(shown)}</div>'


def _reading(summary: Summary) -> str:
    words = (
        "Searchers see validation accuracies of single runs, and never a test accuracy. The query "
        "that would end after the limit does not count."
    )
    if any((each.curve < FLOOR).any() or (each.final < FLOOR).any() for each in summary.standings):
        words += f" Regrets below {100 * FLOOR:g} points, 0 among them, are drawn there."
    return f'<p class="missing">{words}</p>'


def _standings(summary: Summary, mark: str) -> str:
    compared = any(each.name == BASELINE for each in summary.standings)
    head = [
        *("algorithm", "runs", "queries", "distinct", "median final regret", "quartiles"),
        *(("mean rank", "better than random") if compared else ("mean rank",)),
    ]
    rows = []
    for each in summary.standings:
        row = [
            title_of(each.name),
            f"{each.runs:,}",
            f"{each.queries:,.0f}",
            "none" if math.isnan(each.distinct) else f"{100 * each.distinct:.0f} %",
            f"{points(each.median.value)} [{points(each.median.low)}, {points(each.median.high)}]",
            f"{points(each.quartiles[0])} to {points(each.quartiles[2])}",
            f"{each.rank.value:.2f} [{each.rank.low:.2f}, {each.rank.high:.2f}]",
        ]
        rows.append([*row, f"{100 * each.better:.0f} %"] if compared else row)
    last = (
        " The last column is the chance that a run ends with less regret than one of random "
        "search, ties as half."
        if compared
        else ""
    )
    label = f"{marked(mark)} " if mark else ""
    say = (
        f"<p>{label}By mean rank. Regrets are in percentage points of test accuracy; brackets are "
        "95 % intervals by the bootstrap over runs. Queries are medians, and distinct is the share "
        f"of them that asked for a cell and budget for the first time.{last} A median or quartile "
        "is the regret of a run, of two in the middle the lower.</p>"
    )
    return say + _table(head, rows)


def _beside(comparison: Comparison, summary: Summary, mark: str) -> str:
    plan = comparison.plan
    baseline = next((each for each in summary.standings if each.name == BASELINE), None)
    own = plan.table["space"] == PAPERS_SPACE
    rows = []
    for each in summary.standings:
        here = "the baseline" if each.name == BASELINE else ""
        if baseline is not None and each.name != BASELINE:
            here = passing(each, baseline, summary)
            if more := reaching(each, baseline):
                here += f"; {more}"
        row = [title_of(each.name), here]
        rows.append([row[0], PAPER.get(each.name, "not in the paper"), here] if own else row)
    say = ""
    if own:
        say = (
            "<p>The paper ran each algorithm 500 times to 10<sup>7</sup> simulated seconds, on the "
            "full table of measured runs.</p>"
        )
    else:
        say = (
            '<p class="missing">The table is not of the space of the paper, whose findings are '
            "left out.</p>"
        )
    if plan.limits != {"seconds": 1e7} and own:
        limits = ", ".join(_limit(name, value) for name, value in plan.limits.items())
        say += f'<p class="missing">Here a run ends after {limits}.</p>'
    if baseline is None:
        say += '<p class="missing">Random search is not compared: there is nothing to pass.</p>'
    else:
        say += "<p>What is here is by medians over runs.</p>"
    if mark == "predicted":
        say += (
            '<p class="missing">A predicted table is smoother than a measured one, which helps '
            "searches that learn; what differs between cells that are all very good is beyond "
            "it.</p>"
        )
    head = ("algorithm", "the paper", "here") if own else ("algorithm", "here")
    return say + _table(head, rows, "words")


def _algorithms(comparison: Comparison) -> str:
    entries = registry()
    parts = []
    for name in comparison.runs:
        entry = entries.get(name)
        if entry is None:
            parts.append(f"<h3>{text(name)}</h3><p>Not known here: its module is not imported.</p>")
            continue
        settings = ", ".join(
            f"{key.replace('_', ' ')} {value}"
            for key, value in comparison.plan.settings(name).items()
        )
        facts = {"source": entry.source}
        if settings:
            facts["settings"] = settings
        facts["differs from the paper"] = entry.differs or "in nothing"
        parts.append(f"<h3>{text(entry.title)}</h3>{description_list(facts, 'about')}")
    return "".join(parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    top = "".join(f"<th>{text(name)}</th>" for name in head)
    lines = "".join(
        f"<tr>{''.join(f'<td>{text(value)}</td>' for value in row)}</tr>" for row in rows
    )
    marked = f' class="{kind}"' if kind else ""
    return f'<div class="scroll"><table{marked}><thead><tr>{top}</tr></thead>{lines}</table></div>'
