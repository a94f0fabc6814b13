"""The page of a comparison: one HTML file that needs nothing else, and the numbers beside it.

It shows what the paper's figure of the search benchmark shows (section 4.3), and says of each
algorithm what the paper found of it; of several objectives, hypervolumes and fronts.
"""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nb101._base.extras import need_report
from nb101._base.files import atomic, claim_folder, finite
from nb101._core import __version__
from nb101.analysis import paper
from nb101.analysis.findings import Finding
from nb101.analysis.html import DrawnCell, draw_cells, inline_svg, make_page
from nb101.plain import counted
from nb101.search.figures import FLOOR, OF, figure, figures_of
from nb101.search.findings import (
    findings,
    listed,
    passing,
    percent,
    points,
    reaching,
    reserves,
)
from nb101.search.findings import title as title_of
from nb101.search.folder import MADE_BY, NUMBERS, PAGE, Comparison
from nb101.search.objectives import OBJECTIVES, SETS, is_of_sets
from nb101.search.searcher import registry
from nb101.search.statistics import BASELINE, Standing, Summary, summarize
from nb101.space.ops import OPS

TEMPLATE = Path(__file__).parent / "templates" / "comparison.html.j2"
OF_OBJECTIVES = TEMPLATE.with_name("objectives.html.j2")
PAPERS_SPACE = [7, 9, list(OPS)]
"""Vertices, edges and ops of the space that the paper's findings are of."""

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
    MissingExtraError
        If matplotlib is not installed: ``pip install 'nb101[report]'``.
    FolderError
        If something else has made the folder.
    FileError
        If a file cannot be written.
    """
    need_report("the page of a comparison")
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
    plan = comparison.plan
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "nb101": __version__,
        "limits": dict(plan.limits),
        "epochs": plan.epochs,
        "unique": plan.unique,
        **({"one_shot": plan.one_shot} if plan.one_shot else {}),
        **({"workers": plan.workers, "synchronous": plan.synchronous} if plan.workers > 1 else {}),
        **_of_objectives(comparison),
        "seed": plan.seed,
        "asked": dict(comparison.asked),
        "missing": comparison.missing,
        "options": {name: dict(options) for name, options in plan.options.items()},
        "predicted": plan.table["predicted"],
        "table": dict(plan.table),
    }


def _of_objectives(comparison: Comparison) -> dict[str, Any]:
    """Return the exact front and what it is of, of several objectives."""
    front = comparison.plan.exact_front
    if front is None:
        return {}
    return {
        "objectives": list(front.objectives),
        "exact_front": {
            "utopian": front.utopian.tolist(),
            "nadir": front.nadir.tolist(),
            "cell_ids": front.cell_ids.tolist(),
            "values": front.values.tolist(),
        },
    }


def _page(comparison: Comparison, summary: Summary) -> str:
    mark = comparison.plan.table["predicted"]
    pictures = {
        name: inline_svg(figure(name, summary, mark=mark), name, title)
        for name, (_, title, _, _) in figures_of(summary).items()
    }
    template = TEMPLATE if summary.front is None else OF_OBJECTIVES
    return make_page(template, **_shown(comparison, summary), pictures=pictures)


def _shown(comparison: Comparison, summary: Summary) -> dict[str, Any]:
    """Return what the page shows, but for the pictures of its figures."""
    plan = comparison.plan
    found = findings(comparison, summary)
    drawn_higher = any(
        (each.curve < FLOOR).any() or (each.final < FLOOR).any() for each in summary.standings
    )
    return {
        "about": _about(comparison),
        "algorithms": _algorithms(comparison),
        "beside": _beside(comparison, summary),
        "citation": paper.CITATION,
        "aims": _aims(comparison),
        "drawn": _drawn(comparison, summary, found),
        "facts": _facts(comparison),
        "figures": figures_of(summary),
        "floor": f"{100 * FLOOR:g}" if drawn_higher else "",
        "found": found,
        "has_baseline": _baseline(summary) is not None,
        "is_papers_space": _is_papers_space(comparison),
        "limits": _limits(comparison),
        "limits_are_papers": plan.limits == {"seconds": 1e7} and plan.workers == 1,
        "mark": plan.table["predicted"],
        "reserves": reserves(comparison, summary),
        "standings": _standings(summary) if summary.front is None else _volumes(summary),
    }


def _drawn(comparison: Comparison, summary: Summary, found: list[Finding]) -> list[DrawnCell]:
    """Draw the cells that findings name, with their regrets below."""
    cells: dict[int, list[str]] = {}
    for each in found:
        for what, cell_id in each.cells.items():
            cells.setdefault(cell_id, []).append(what)
    regrets = {x: regret for each in summary.standings for x, regret in each.end_regrets.items()}
    captions = {
        cell_id: (" and ".join(what), f", regret {points(regrets[cell_id])} points")
        for cell_id, what in cells.items()
    }
    return draw_cells(comparison.space, captions)


def _facts(comparison: Comparison) -> dict[str, Any]:
    plan = comparison.plan
    runs = ", ".join(f"{title_of(name)} {count:,}" for name, count in comparison.runs.items())
    entries = registry()
    several = [
        title_of(name)
        for name in comparison.runs
        if name in entries and entries[name].searcher.multi_fidelity
    ]
    facts = {
        "a run ends after": _limits(comparison),
        "runs": runs,
        "trained for": counted(plan.epochs, "epoch")
        + (f"; {listed(several)} at all budgets up to that" if several else ""),
        "seed": plan.seed,
        "table": f"{plan.table['kind']}: {plan.table['source'] or 'source not known'}",
        "cells": f"{plan.table['cells']:,}",
        "budgets": ", ".join(counted(x, "epoch") for x in plan.table["budgets"]),
    }
    if plan.one_shot:
        of = "regrets are from its best cell"
        if plan.objectives:
            of = "the exact front is of its cells"
        facts["space"] = f"search space {plan.one_shot} of NAS-Bench-1Shot1; {of}"
    if plan.workers > 1:
        how = "which wait for each other" if plan.synchronous else "each on its own"
        facts["workers"] = f"{plan.workers:,}, {how}; simulated time is that of the wall"
    front = plan.exact_front
    if front is not None:
        facts["objectives"] = ", ".join(OF[name] for name in front.objectives) + _set_of(comparison)
        facts["exact front"] = counted(len(front), "cell")
    if plan.unique:
        facts["repeats"] = "cells and budgets that were asked before are answered from memory, free"
    for name, options in plan.options.items():
        if options and name in comparison.runs:
            words = ", ".join(f"{key} = {value}" for key, value in options.items())
            facts[f"options of {title_of(name)}"] = words
    return facts


def _set_of(comparison: Comparison) -> str:
    """Say which problem of EvoXBench this is, if it is one."""
    plan = comparison.plan
    table = plan.table
    if plan.one_shot or not is_of_sets(
        table["space"], table["cells"], plan.epochs, table["budgets"]
    ):
        return ""
    found = [name for name, names in SETS.items() if names == tuple(plan.objectives)]
    return f" ({found[0]} of EvoXBench)" if found else ""


def _limits(comparison: Comparison) -> str:
    return ", ".join(_limit(name, value) for name, value in comparison.plan.limits.items())


def _limit(name: str, value: float) -> str:
    if name == "seconds":
        return f"{value:,.0f} simulated second{'' if value == 1 else 's'}"
    if name == "queries":
        return counted(int(value), "query", "queries")
    return f"{value:,.0f} epoch{'' if value == 1 else 's'} in all"


Rows = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""The head of a table, and its rows."""


def _standings(summary: Summary) -> Rows:
    compared = _baseline(summary) is not None
    rows: list[tuple[str, ...]] = []
    for each in summary.standings:
        row = (
            title_of(each.name),
            f"{each.runs:,}",
            f"{each.queries:,.0f}",
            "none" if math.isnan(each.distinct) else f"{100 * each.distinct:.0f} %",
            f"{points(each.median.value)} [{points(each.median.low)}, {points(each.median.high)}]",
            f"{points(each.quartiles[0])} to {points(each.quartiles[2])}",
            f"{each.rank.value:.2f} [{each.rank.low:.2f}, {each.rank.high:.2f}]",
        )
        rows.append((*row, f"{100 * each.better:.0f} %") if compared else row)
    head = ("algorithm", "runs", "queries", "distinct", "median final regret", "quartiles")
    return (*head, "mean rank", *(["better than random"] if compared else [])), rows


def _volumes(summary: Summary) -> Rows:
    """`_standings` of several objectives."""
    compared = _baseline(summary) is not None
    rows: list[tuple[str, ...]] = []
    for each in summary.standings:
        volume, reached = each.hypervolume, each.reached
        assert reached is not None
        low, middle, high = reached.igd_quartiles
        row = (
            title_of(each.name),
            f"{each.runs:,}",
            f"{each.queries:,.0f}",
            "none" if math.isnan(each.distinct) else f"{100 * each.distinct:.0f} %",
            f"{percent(volume.value)} [{percent(volume.low)}, {percent(volume.high)}]",
            f"{middle:.4f} ({low:.4f} to {high:.4f})",
            f"{reached.exact:g} of {reached.kept:g}",
            f"{each.rank.value:.2f} [{each.rank.low:.2f}, {each.rank.high:.2f}]",
        )
        rows.append((*row, f"{100 * each.better:.0f} %") if compared else row)
    head = ("algorithm", "runs", "queries", "distinct", "median final hypervolume")
    more = ("median IGD+ (quartiles)", "on the exact front", "mean rank")
    return (*head, *more, *(["better than random"] if compared else [])), rows


_DIGITS = {"error": 4, "training_time": 1}
"""Of objectives that are no whole numbers."""


def _aims(comparison: Comparison) -> Rows:
    """Return the objectives, and where the exact front begins and ends in each."""
    front = comparison.plan.exact_front
    if front is None:
        return (), []
    rows: list[tuple[str, ...]] = [
        (OF[name], OBJECTIVES[name], *(f"{x:,.{_DIGITS.get(name, 0)}f}" for x in (least, most)))
        for name, least, most in zip(front.objectives, front.utopian, front.nadir, strict=True)
    ]
    return ("objective", "what it is", "least on the front", "most: the reference"), rows


def _beside(comparison: Comparison, summary: Summary) -> Rows:
    baseline, own = _baseline(summary), _is_papers_space(comparison)
    rows: list[tuple[str, ...]] = []
    for each in summary.standings:
        here = "the baseline" if each.name == BASELINE else ""
        if baseline is not None and each.name != BASELINE:
            here = passing(each, baseline, summary)
            if more := reaching(each, baseline):
                here += f"; {more}"
        papers = (PAPER.get(each.name, "not in the paper"),) if own else ()
        rows.append((title_of(each.name), *papers, here))
    return ("algorithm", "the paper", "here") if own else ("algorithm", "here"), rows


def _baseline(summary: Summary) -> Standing | None:
    return next((each for each in summary.standings if each.name == BASELINE), None)


def _is_papers_space(comparison: Comparison) -> bool:
    plan = comparison.plan
    own = plan.table["space"] == PAPERS_SPACE and not plan.one_shot and plan.workers == 1
    return bool(own and not plan.objectives)


def _algorithms(comparison: Comparison) -> list[tuple[str, dict[str, str] | None]]:
    """Return titles of algorithms and what is known of them: nothing of those of other modules."""
    entries = registry()
    found: list[tuple[str, dict[str, str] | None]] = []
    for name in comparison.runs:
        entry = entries.get(name)
        if entry is None:
            found.append((name, None))
            continue
        settings = ", ".join(
            f"{key.replace('_', ' ')} {value}"
            for key, value in comparison.plan.settings(name).items()
        )
        facts = {"source": entry.source}
        if settings:
            facts["settings"] = settings
        facts["differs from the paper"] = entry.differs or "in nothing"
        found.append((entry.title, facts))
    return found
