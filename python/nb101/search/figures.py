"""The figures of a comparison: regret over time, where runs end, and ranks.

Of several objectives: hypervolume and IGD+ over time, and the fronts that were found.
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101._base.extras import need_report
from nb101.analysis.figures import CYCLE, INK, LABELS, SCALES, STYLE, VERMILLION, plain_log
from nb101.plain import printable
from nb101.search.findings import title as title_of
from nb101.search.searcher import registry
from nb101.search.statistics import Standing, Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FLOOR = 1e-5
"""Regret that logarithmic axes draw as the least: the optimum itself has none."""


def draw_regret(ax: "Axes", summary: Summary) -> None:
    """Draw the median regret of each algorithm over time, and the quartiles as bands."""
    curves = {each.name: each.curve for each in summary.standings}
    _draw_curves(ax, summary, curves, summary.times, "simulated time (s)")


def draw_total(ax: "Axes", summary: Summary) -> None:
    """Draw the same over the training of all workers, of a comparison with several."""
    curves = {each.name: each.total for each in summary.standings}
    _draw_curves(ax, summary, curves, summary.total_times, "simulated time of all workers (s)")


def _draw_curves(
    ax: "Axes",
    summary: Summary,
    curves: Mapping[str, Any],
    times: Any,
    xlabel: str,
    *,
    scale: float = 100.0,
) -> None:
    for each, color, dashes in _styles(summary):
        low, middle, high = scale * np.maximum(curves[each.name], FLOOR)
        ax.fill_between(times, _known(low), _known(high), color=color, alpha=0.13, lw=0)
        label = _label(each.name)
        ax.plot(times, _known(middle), color=color, linestyle=dashes, label=label)
    ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel="regret (points)")
    ax.set_xlim(times[0], times[-1])
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


VOLUME = "hypervolume (% of the exact front's)"
OF = {
    "error": "error",
    "parameters": "parameters",
    "flops": "FLOPs",
    "training_time": "training time",
}
"""Objectives in words."""


def draw_ranks(ax: "Axes", summary: Summary) -> None:
    """Draw the mean rank of each algorithm with its interval."""
    rows = range(len(summary.standings))
    for row, (each, color, _) in zip(rows, _styles(summary), strict=True):
        ax.plot([each.rank.low, each.rank.high], [row, row], color=color, lw=3, alpha=0.4)
        ax.plot([each.rank.value], [row], "o", color=color)
    ax.set_yticks(list(rows), [_label(each.name) for each in summary.standings])
    ax.invert_yaxis()
    what = "regret" if summary.front is None else "hypervolume"
    ax.set(xlabel=f"mean rank of the final {what} (95 % interval)")


# Of several objectives


def draw_hypervolume(ax: "Axes", summary: Summary) -> None:
    """Draw the median hypervolume over time, and the quartiles as bands."""
    draw_regret(ax, summary)
    _as_hypervolume(ax)


def draw_hypervolume_total(ax: "Axes", summary: Summary) -> None:
    """Draw the same over the training of all workers, of a comparison with several."""
    draw_total(ax, summary)
    _as_hypervolume(ax)


def _as_hypervolume(ax: "Axes") -> None:
    ax.set_ylabel(VOLUME)
    _as_reached(ax, "y")


def draw_igd_plus(ax: "Axes", summary: Summary) -> None:
    """Draw the median IGD+ over time, and the quartiles as bands."""
    curves = {each.name: each.reached.igd_curve for each in summary.standings if each.reached}
    _draw_curves(ax, summary, curves, summary.times, "simulated time (s)", scale=1.0)
    ax.set_ylabel("IGD+")


def draw_final_hypervolume(ax: "Axes", summary: Summary) -> None:
    """Draw the distribution of the final hypervolume of each algorithm."""
    draw_final(ax, summary)
    ax.set_xlabel(f"final {VOLUME}")
    _as_reached(ax, "x")


def draw_fronts(ax: "Axes", summary: Summary, *, other: str) -> None:
    """Draw the exact front, and that of the median run of each algorithm, by two objectives."""
    assert summary.front is not None
    first = summary.front.objectives[0]
    across, up = summary.front.objectives.index(other), 0
    scales = [_SCALES.get(name, 1.0) for name in (other, first)]

    def draw(values: Any, **style: Any) -> None:
        values = values[np.argsort(values[:, across], kind="stable")]
        ax.plot(values[:, across] / scales[0], values[:, up] / scales[1], **style)

    line = "-" if len(summary.front.objectives) == 2 else "none"
    draw(
        summary.front.values,
        **{"color": INK, "drawstyle": "steps-post", "linestyle": line, "lw": 0.8, "marker": "."},
        label="exact front",
    )
    marks = "osD^vPX"
    for i, (each, color, _) in enumerate(_styles(summary)):
        if each.reached is not None and len(each.reached.front):
            style = {"color": color, "linestyle": "none", "marker": marks[i % len(marks)]}
            label = _label(each.name)
            draw(each.reached.front, **style, ms=4, mfc="none", label=label)
    ax.set(xscale="log", xlabel=_name(other), ylabel=_name(first))
    if first != "error":
        ax.set_yscale("log")
    else:
        # What is far worse than any of the front is left out.
        most = float(summary.front.nadir[0]) / scales[1]
        least = float(summary.front.utopian[0]) / scales[1]
        ax.set_ylim(least - 0.05 * (most - least), most + 0.25 * (most - least))
    plain_log(ax, "x")
    _legend(ax)


_SCALES = {"error": 0.01, **SCALES}


def _name(objective: str) -> str:
    return "mean test error (%)" if objective == "error" else LABELS[objective]


def _as_reached(ax: "Axes", axis: str) -> None:
    """Write an axis of what is missing in percent as one of what is there, the best at its end."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

    low, high = ax.get_xlim() if axis == "x" else ax.get_ylim()
    high = min(high, 100.0)
    decades = [base * 10.0**k for k in range(-4, 3) for base in (1, 2, 5)]
    ticks = [value for value in decades if low <= value <= high]
    if len(ticks) < 3:
        ticks = [x for x in MaxNLocator(5).tick_values(low, high) if low <= x <= high and x > 0]
    if len(ticks) > 8:
        ticks = [value for value in ticks if f"{value:e}"[0] != "2"]
    chosen = ax.xaxis if axis == "x" else ax.yaxis
    (ax.set_xlim if axis == "x" else ax.set_ylim)(high, low)
    chosen.set_major_locator(FixedLocator(ticks))
    chosen.set_major_formatter(FixedFormatter([f"{100 - value:.10g}" for value in ticks]))
    chosen.set_minor_locator(NullLocator())


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


TOTAL = {
    "regret-total": (
        draw_total,
        "Regret over total time",
        "The same over the training time of all queries that have ended, whichever worker had "
        "them: what is paid for, where the clock is what is waited for.",
        "Not in the paper.",
    )
}
"""What comparisons with several workers have too."""


HYPERVOLUME = {
    "hypervolume": (
        draw_hypervolume,
        "Hypervolume over simulated time",
        "The hypervolume of the true objectives of what a run has found so far, as a share of the "
        "exact front's, below the nadir of that; the axis is stretched towards all of it. Lines "
        "are medians over runs, bands quartiles.",
        "Not in the paper.",
    ),
    "hypervolume-total": (
        draw_hypervolume_total,
        "Hypervolume over total time",
        "The same over the training time of all queries that have ended, whichever worker had "
        "them: what is paid for, where the clock is what is waited for.",
        "Not in the paper.",
    ),
    "igd-plus": (
        draw_igd_plus,
        "IGD+ over simulated time",
        "The mean distance from a cell of the exact front to the nearest that was found, counting "
        "only where that is worse; objectives are normalized. Lines are medians over runs, bands "
        "quartiles; less than 0.00001 is drawn as that.",
        "Not in the paper.",
    ),
    "final": (
        draw_final_hypervolume,
        "Final hypervolume",
        "Share of the runs that end with at least the hypervolume of the horizontal axis.",
        "Not in the paper.",
    ),
    "ranks": (
        draw_ranks,
        "Ranks",
        "The mean rank of an algorithm among one run of each, drawn at random, by final "
        "hypervolume; 1 is best. Bars are 95 % intervals by the bootstrap.",
        "Not in the paper.",
    ),
}
"""What comparisons of searches for several objectives have."""


def figures_of(summary: Summary) -> dict[str, Any]:
    """Return the figures of a comparison."""
    if summary.front is not None:
        found: dict[str, Any] = dict(HYPERVOLUME)
        if summary.total_times is None:
            del found["hypervolume-total"]
        first, *others = summary.front.objectives
        for other in others:
            found[f"front-{other.replace('_', '-')}"] = (
                partial(draw_fronts, other=other),
                f"Fronts: {OF[first]} and {OF[other]}",
                "The exact front, and what the run of median final hypervolume of each algorithm "
                "ends with, by the true objectives.",
                "Not in the paper.",
            )
        return found
    if summary.total_times is None:
        return FIGURES
    return {"regret": FIGURES["regret"], **TOTAL, **FIGURES}


def figure(name: str, summary: Summary, *, mark: str = "") -> Any:
    """Draw one of `figures_of` on a matplotlib figure of its own, with a mark, and return that."""
    need_report("a figure")
    import matplotlib
    from matplotlib.figure import Figure

    draw, title, _, _ = figures_of(summary)[name]
    with matplotlib.rc_context(STYLE):
        # No wider than a phone can show with letters that can be read.
        height = 4.4 if name != "ranks" else 1.3 + 0.36 * len(summary.standings)
        ax = Figure(figsize=(4.8, height)).add_subplot()
        draw(ax, summary)
        ax.set_title(title)
        ax.set_title(mark, loc="right", color=VERMILLION, fontsize=9)
    return ax.figure
