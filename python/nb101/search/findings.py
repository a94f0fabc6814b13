"""What a comparison comes to: a few sentences with its numbers, for the top of its page.

Each sentence is made of the numbers that it states, and is left out, or says the opposite, where
they do not bear it out.
"""

import math
from collections.abc import Sequence

from nb101.analysis.findings import Finding
from nb101.plain import counted
from nb101.search.folder import Comparison
from nb101.search.searcher import registry
from nb101.search.statistics import BASELINE, Standing, Summary

ENOUGH = 100
"""Runs of each algorithm, from which on times are right within a factor of about two."""
FAR = 0.05
"""Regret of a run that has gone wrong."""
SAME = 1.05
"""Factors between two times that are too near to 1 to be called sooner or later."""


def title(name: str) -> str:
    """Return what an algorithm is called in a sentence."""
    entries = registry()
    return entries[name].title if name in entries else name


def points(value: float) -> str:
    """Write a regret in percentage points; "none" where there was no answer."""
    return f"{100 * value:.3f}" if math.isfinite(value) else "none"


def findings(comparison: Comparison, summary: Summary) -> list[Finding]:
    """Return what there is to be said, the most important first."""
    if summary.front is not None:
        several = [
            _rank(summary),
            _volumes(summary),
            _against(summary),
            _sooner(summary),
            _exact(summary),
        ]
        return [finding for finding in several if finding is not None]
    found = [
        _rank(summary),
        _level(summary),
        _against(summary),
        _sooner(summary),
        _found(comparison, summary),
        _often(comparison, summary),
        _far(summary),
    ]
    return [finding for finding in found if finding is not None]


def reserves(comparison: Comparison, summary: Summary) -> list[str]:
    """Say what keeps the findings from being certain."""
    return [text for text in (_unfinished(comparison), _few(summary)) if text]


def _baseline(summary: Summary) -> Standing | None:
    """Return random search, if it is compared and its level is known."""
    for each in summary.standings:
        if each.name == BASELINE and math.isfinite(each.median.value):
            return each
    return None


def _rank(summary: Summary) -> Finding | None:
    if len(summary.standings) < 2:
        return None
    first, *others = summary.standings
    level = f"{first.rank.value:.2f} of {len(summary.standings)}"
    near = [title(each.name) for each in others if each.rank.low <= first.rank.high]
    if near:
        text = (
            f"No algorithm is clearly the best: {title(first.name)} has the lowest mean rank, "
            f"{level}, and the interval of {listed(near)} reaches as low as its own."
        )
    else:
        text = (
            f"{upper(title(first.name))} has the lowest mean rank, {level}, and the intervals of "
            "all others lie above its own."
            if len(others) > 1
            else f"{upper(title(first.name))} has the lower mean rank, {level}, and the interval "
            f"of {title(others[0].name)} lies above its own."
        )
    return Finding(text=text)


def _level(summary: Summary) -> Finding:
    ends = [
        f"{title(each.name)} {points(each.median.value)}"
        for each in sorted(summary.standings, key=lambda each: each.median.value)
        if math.isfinite(each.median.value)
    ]
    without = [
        title(each.name) for each in summary.standings if not math.isfinite(each.median.value)
    ]
    text = ""
    if ends:
        text = f"Median final regrets, in percentage points: {', '.join(ends)}."
    if without:
        text += f" More than half of the runs of {listed(without)} had no answer in time."
    return Finding(text=text.strip())


def percent(value: float) -> str:
    """Write a hypervolume in percent of the exact front's; "none" where there was no answer."""
    return f"{100 * value:.2f}" if math.isfinite(value) else "none"


def _volumes(summary: Summary) -> Finding:
    """Say where runs end, as `_level` does, of several objectives."""
    ordered = sorted(summary.standings, key=lambda each: each.median.value)
    known = [each for each in ordered if math.isfinite(each.median.value)]
    volumes = [f"{title(each.name)} {percent(each.hypervolume.value)}" for each in known]
    distances = [
        f"{title(each.name)} {each.reached.igd_quartiles[1]:.4f}"
        for each in known
        if each.reached is not None
    ]
    text = ""
    if known:
        text = (
            f"Median final hypervolumes, in percent of the exact front's: {', '.join(volumes)}; "
            f"median IGD+: {', '.join(distances)}."
        )
    if without := [title(each.name) for each in ordered if not math.isfinite(each.median.value)]:
        text += f" More than half of the runs of {listed(without)} had no answer in time."
    return Finding(text=text.strip())


def _exact(summary: Summary) -> Finding | None:
    """Say how much of the exact front was found."""
    assert summary.front is not None
    reached = {each.name: each.reached for each in summary.standings if each.reached is not None}
    union = frozenset().union(*(each.union for each in reached.values()))
    runs = sum(each.runs for each in summary.standings)
    ends = [f"{title(name)} {each.exact:g} of {each.kept:g}" for name, each in reached.items()]
    return Finding(
        text=f"{counted(runs, 'run')} together end with {len(union):,} of the "
        f"{len(summary.front):,} cells of the exact front. Of the cells that a run ends with, so "
        f"many in the median are on it: {', '.join(ends)}."
    )


def _against(summary: Summary) -> Finding | None:
    baseline = _baseline(summary)
    others = [
        each
        for each in summary.standings
        if each.name != BASELINE and math.isfinite(each.median.value)
    ]
    if baseline is None or not others:
        return None
    level = baseline.median.value
    # Of several objectives it is what is missing of a hypervolume that is compared.
    better, worse = ("below", "above") if summary.front is None else ("above", "below")
    groups = {
        better: [title(each.name) for each in others if each.median.value < level],
        "level with": [title(each.name) for each in others if each.median.value == level],
        worse: [title(each.name) for each in others if each.median.value > level],
    }
    parts = [
        f"{listed(names)} {'ends' if len(names) == 1 else 'end'} {word} random search"
        for word, names in groups.items()
        if names
    ]
    return Finding(text=f"In the median {'; '.join(parts)}.")


def _sooner(summary: Summary) -> Finding | None:
    baseline = _baseline(summary)
    if baseline is None:
        return None
    factors = {
        each.name: baseline.reaches / each.reaches
        for each in summary.standings
        if each.name != BASELINE and math.isfinite(each.reaches)
    }
    best = max(factors, key=factors.__getitem__, default=None)
    if best is None or factors[best] < SAME:
        return None
    return Finding(
        text=f"{upper(title(best))} is the first to reach the level that random search ends at, "
        f"{factors[best]:.1f} times sooner than that does itself."
    )


def _found(comparison: Comparison, summary: Summary) -> Finding | None:
    regrets = {x: regret for each in summary.standings for x, regret in each.end_regrets.items()}
    if not regrets:
        return None
    least = min(regrets.values())
    as_near = sorted(cell_id for cell_id, regret in regrets.items() if regret == least)
    nearest = as_near[0]
    by = {
        title(each.name): count
        for each in summary.standings
        if (count := sum(each.ends.get(cell_id, 0) for cell_id in as_near))
    }
    count, runs = sum(by.values()), sum(each.runs for each in summary.standings)
    where = listed([f"{n:,} of {name}" for name, n in by.items()])
    name = cell_name(comparison, nearest) + (" or one as good" if len(as_near) > 1 else "")
    of = "the space" if comparison.plan.one_shot else "the table"
    many = f"{count:,} of {counted(runs, 'run')} {'ends' if count == 1 else 'end'}"
    if regrets[nearest] == 0:
        text = f"{many} with the best cell of {of}, {name}: {where}."
        what = f"best of {of}"
    else:
        text = (
            f"No run ends with the best cell of {of}. {many} nearest to it, "
            f"{points(regrets[nearest])} points below, with {name}: {where}."
        )
        what = "nearest to the best"
    return Finding(text=text, cells={what: nearest})


def _often(comparison: Comparison, summary: Summary) -> Finding | None:
    total: dict[int, int] = {}
    regrets: dict[int, float] = {}
    for each in summary.standings:
        for cell_id, count in each.ends.items():
            total[cell_id] = total.get(cell_id, 0) + count
        regrets |= each.end_regrets
    most = max(total, key=lambda cell_id: (total[cell_id], -cell_id), default=None)
    if most is None or total[most] < 2:
        return None
    runs = sum(each.runs for each in summary.standings)
    equal = [cell_id for cell_id, count in total.items() if count == total[most]]
    if len(equal) > 1:
        return None
    return Finding(
        text=f"More runs end with {cell_name(comparison, most)} than with any other cell: "
        f"{total[most]:,} of {runs:,}, with a regret of {points(regrets[most])} points.",
        cells={"the end of more runs than any other": most},
    )


def _far(summary: Summary) -> Finding | None:
    far = {
        title(each.name): int((each.final > FAR).sum())
        for each in summary.standings
        if (each.final > FAR).any()
    }
    if not far:
        return None
    runs = sum(each.runs for each in summary.standings)
    where = listed([f"{n:,} of {name}" for name, n in far.items()])
    verb = "ends" if sum(far.values()) == 1 else "end"
    return Finding(
        text=f"{sum(far.values()):,} of {counted(runs, 'run')} {verb} more than "
        f"{100 * FAR:.0f} points below the best cell, or without an answer: {where}."
    )


def _unfinished(comparison: Comparison) -> str:
    if not comparison.missing:
        return ""
    verb = "is" if comparison.missing == 1 else "are"
    total = counted(sum(comparison.asked.values()), "run")
    return f"{comparison.missing:,} of the {total} that were asked for {verb} not done yet."


def _few(summary: Summary) -> str:
    few = [
        f"{title(each.name)} ({counted(each.runs, 'run')})"
        for each in summary.standings
        if each.runs < ENOUGH
    ]
    if not few:
        return ""
    return f"With fewer than {ENOUGH} runs, times and factors say little: {', '.join(few)}."


# Beside the paper


def passing(each: Standing, baseline: Standing, summary: Summary) -> str:
    """Say from when on an algorithm's median is below that of random search."""
    here, there = each.median.value, baseline.median.value
    if not math.isfinite(there):
        return "more than half of the runs of random search have no answer: there is no level"
    if not math.isfinite(here):
        return "more than half of its runs have no answer"
    if here > there:
        return "ends above random search"
    if here == there:
        return "ends level with random search"
    if math.isnan(each.passes):
        return "below random search at the very end alone"
    if each.passes <= summary.times[0]:
        return "below random search throughout"
    return f"below random search from {each.passes:,.0f} s on"


def reaching(each: Standing, baseline: Standing) -> str:
    """Say when it is at the level that random search ends at; empty if that is no question."""
    if not math.isfinite(baseline.median.value) or not math.isfinite(each.median.value):
        return ""
    if math.isnan(each.reaches):
        return "does not reach the final level of that"
    factor = baseline.reaches / each.reaches
    if 1 / SAME < factor < SAME:
        return "reaches the final level of that when it does itself"
    if factor > 1:
        return f"reaches the final level of that {factor:.1f} times sooner than it does itself"
    return f"reaches the final level of that {1 / factor:.1f} times later than it does itself"


def cell_name(comparison: Comparison, cell_id: int) -> str:
    """Name a cell by its id and the first digits of its hash."""
    return f"cell {cell_id} ({comparison.space[cell_id].hash[:8]})"


def listed(names: Sequence[str]) -> str:
    """Join names: ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def upper(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]
