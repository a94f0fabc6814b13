"""What a comparison found: regret over time, ranks, and how much sooner than random search.

Of searches for several objectives, what is missing of the exact front's hypervolume takes the place
of regret: both are 0 at best.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nb101.errors import DatasetError, SearchError
from nb101.search.folder import Comparison
from nb101.search.objectives import ExactFront
from nb101.search.trace import Trace, read_columns, step

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

POINTS = 240
"""Times that curves have."""
RESAMPLES = 1000
"""Samples of the bootstrap, with replacement, of the runs of each algorithm."""
BASELINE = "random-search"


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A number and its 95 % confidence interval by the bootstrap."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Reached:
    """How near an algorithm came to the exact front of several objectives.

    Attributes
    ----------
    igd_plus
        IGD+ at the end of each run, shape ``(runs,)``; infinite where nothing was answered.
    igd_quartiles, igd_curve
        Its quartiles, and these over time, shape ``(3, POINTS)``.
    kept, exact
        Medians of how many cells are on the front that a run ends with, and how many of these are
        on the exact one.
    union
        Cells of the exact front that some run ends with.
    front
        The true objectives of what the run of median hypervolume ends with, shape ``(k, d)``.
    """

    igd_plus: Floats
    igd_quartiles: tuple[float, float, float]
    igd_curve: Floats
    kept: float
    exact: float
    union: frozenset[int]
    front: Floats


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How an algorithm did.

    Of several objectives regret stands for what is missing of the exact front's hypervolume, as a
    fraction.

    Attributes
    ----------
    name, runs
        Which, and of how many runs.
    queries
        Median number of queries of a run.
    distinct
        Median share of these that were of a cell and budget not asked before.
    final
        Regret at the end of each run, shape ``(runs,)``; infinite where nothing was answered.
    quartiles
        Its quartiles.
    median
        Its median.
    rank
        Mean rank among one run of each algorithm, drawn at random; 1 is best.
    better
        Chance that a run ends with lower regret than one of random search, ties as half; NaN if
        that is not compared.
    curve
        Regret over time: quartiles at the times of the summary, shape ``(3, POINTS)``.
    ends
        With which cells runs end: how many, by their ids.
    end_regrets
        The regrets of these cells.
    passes
        Seconds from which on the median is below that of random search; NaN if that is not so at
        the end, or at the last of the times alone.
    reaches
        Seconds from which on the median is at most that of random search at the end; NaN if it is
        not at the end.
    total
        With several workers, regret over the training of all workers: quartiles at the summary's
        `total_times`.
    reached
        Of several objectives, how near it came to the exact front; it has no `ends` then.
    """

    name: str
    runs: int
    queries: float
    distinct: float
    final: Floats
    quartiles: tuple[float, float, float]
    median: Interval
    curve: Floats
    ends: Mapping[int, int] = field(default_factory=dict)
    end_regrets: Mapping[int, float] = field(default_factory=dict)
    rank: Interval = Interval(value=np.nan, low=np.nan, high=np.nan)
    better: float = np.nan
    passes: float = np.nan
    reaches: float = np.nan
    total: Floats | None = None
    reached: Reached | None = None

    @property
    def hypervolume(self) -> Interval:
        """The median hypervolume as a fraction of the exact front's, of several objectives."""
        median = self.median
        return Interval(value=1 - median.value, low=1 - median.high, high=1 - median.low)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """All algorithms of a comparison, the best first.

    Attributes
    ----------
    times
        Simulated seconds, shape ``(POINTS,)``, evenly spaced in their logarithm. With several
        workers, of the wall's clock.
    standings
        By mean rank.
    total_times
        With several workers, seconds of the training of all of them, spaced as `times` are.
    front
        Of several objectives, the exact front.
    """

    times: Floats
    standings: tuple[Standing, ...]
    total_times: Floats | None = None
    front: ExactFront | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON can hold them; curves are left out."""
        return {
            each.name: {
                "runs": each.runs,
                "queries_median": each.queries,
                "distinct_median": each.distinct,
                **_end_of(each),
                "rank": {"mean": each.rank.value, "low": each.rank.low, "high": each.rank.high},
                "better_than_random": each.better,
                **_ends_of(each),
                "passes_random_seconds": each.passes,
                "reaches_random_seconds": each.reaches,
                **self._in_total(each),
            }
            for each in self.standings
        }

    def _in_total(self, each: Standing) -> dict[str, float]:
        """Return when the median passes and reaches that of random search, by the total clock."""
        baseline = next((one for one in self.standings if one.name == BASELINE), None)
        if self.total_times is None or each.total is None:
            return {}
        passes = reaches = np.nan
        if baseline is not None and baseline.total is not None:
            passes = _passes(self.total_times, each.total[1], baseline.total[1])
            reaches = _reaches(self.total_times, each.total[1], baseline.quartiles[1])
        return {"passes_random_total_seconds": passes, "reaches_random_total_seconds": reaches}


def _end_of(each: Standing) -> dict[str, Any]:
    """Return how runs end: by regret, or by how near they came to the exact front."""
    reached = each.reached
    if reached is None:
        return {
            "final_regret": {
                "median": each.median.value,
                "median_low": each.median.low,
                "median_high": each.median.high,
                "q25": each.quartiles[0],
                "q75": each.quartiles[2],
            }
        }
    return {
        "final_hypervolume": {
            "median": each.hypervolume.value,
            "median_low": each.hypervolume.low,
            "median_high": each.hypervolume.high,
            "q25": 1 - each.quartiles[2],
            "q75": 1 - each.quartiles[0],
        },
        "final_igd_plus": dict(zip(("q25", "median", "q75"), reached.igd_quartiles, strict=True)),
        "front_cells_median": reached.kept,
        "exact_front_cells_median": reached.exact,
        "exact_front_cells_of_all_runs": len(reached.union),
    }


def _ends_of(each: Standing) -> dict[str, Any]:
    """Return which cells runs end with, unless it is fronts."""
    ends = {
        str(cell_id): {"runs": count, "regret": each.end_regrets[cell_id]}
        for cell_id, count in each.ends.items()
    }
    return {"ends": ends} if each.reached is None else {}


def summarize(comparison: Comparison, *, seed: int = 0) -> Summary:
    """Read all traces of a comparison, and compute what the page shows.

    Parameters
    ----------
    comparison
        The comparison.
    seed
        Of the bootstrap.

    Raises
    ------
    SearchError
        If no run is done, or none had an answer.
    DatasetError
        If a trace is damaged.
    """
    front = comparison.plan.exact_front
    read = _read if front is None else _read_fronts
    found = {name: read(comparison, name) for name in comparison.runs}
    if not found:
        raise SearchError(f"{comparison.folder} has no run that is done", path=comparison.folder)
    times = _times(comparison, found)
    rng = np.random.default_rng(seed)
    standings = {name: _standing(name, runs, times, rng) for name, runs in found.items()}
    total_times = None
    if comparison.plan.workers > 1:
        totals = [run.total for each in found.values() for run in each if len(run.total)]
        total_times = _spaced(totals, max(float(total[-1]) for total in totals))
        for name, runs in found.items():
            total = _curve([(run.total, run.regret) for run in runs], total_times)
            standings[name] = replace(standings[name], total=total)
    ranks = rank({name: each.final for name, each in standings.items()}, rng)
    baseline = standings.get(BASELINE)
    done = []
    for name, each in standings.items():
        each = replace(each, rank=ranks[name])
        if baseline is not None:
            each = replace(
                each,
                better=1 - _chance_below(baseline.final, np.sort(each.final)),
                passes=_passes(times, each.curve[1], baseline.curve[1]),
                reaches=_reaches(times, each.curve[1], baseline.quartiles[1]),
            )
        if front is not None:
            each = replace(each, reached=_reached(found[name], times, front))
        done.append(each)
    ordered = tuple(sorted(done, key=lambda each: each.rank.value))
    return Summary(times=times, standings=ordered, total_times=total_times, front=front)


class _Course(NamedTuple):
    """How a run went: when its regret changed and to what, and what it came to."""

    seconds: Floats
    total: Floats
    """Seconds of the training of all workers."""
    regret: Floats
    queries: int
    distinct: int
    """Queries of a cell and budget not asked before."""
    last: int
    """The cell that it ends with; -1 if there is none, or several."""
    igd_plus: Floats = np.zeros(0)
    """Of several objectives, when the regret changed."""
    chosen: Ints = np.zeros(0, dtype=np.int64)
    """Of several objectives, the cells that it ends with."""
    values: Floats = np.zeros((0, 0))
    """Their true objectives."""


_COLUMNS = ("seconds", "regret", "cell_ids", "epochs", "best_cell_ids")


def _read(comparison: Comparison, name: str) -> list[_Course]:
    runs = []
    for path in comparison.paths(name):
        columns, about = read_columns(path, _COLUMNS, ("total",))
        if not comparison.is_of(path, about):
            raise _not_of_this(path)
        seconds, regret = columns["seconds"], columns["regret"]
        n = len(seconds)
        changes = np.flatnonzero(np.diff(regret, prepend=np.nan) != 0)
        keys = columns["cell_ids"] * (1 << 16) + columns["epochs"]
        # The end counts too: axes are as long as runs.
        kept = np.unique([*changes.tolist(), n - 1]) if n else changes
        last = int(columns["best_cell_ids"][-1]) if n else -1
        total = columns.get("total", seconds)
        distinct = len(np.unique(keys))
        runs.append(_Course(seconds[kept], total[kept], regret[kept], n, distinct, last))
    return runs


def _not_of_this(path: Path) -> DatasetError:
    return DatasetError(
        f"{path} is not of this comparison: delete it, and run the same command again", path=path
    )


def _read_fronts(comparison: Comparison, name: str) -> list[_Course]:
    """`_read` of several objectives."""
    runs = []
    for path in comparison.paths(name):
        trace = Trace.open(path)
        volume, distance = trace.hypervolume, trace.igd_plus
        if not comparison.is_of(path, trace.about) or volume is None or distance is None:
            raise _not_of_this(path)
        n, missing = len(trace), 1 - volume
        changed = np.diff(missing, prepend=np.nan) != 0
        changed |= np.diff(distance, prepend=np.nan) != 0
        # The end counts too: axes are as long as runs.
        changed[-1:] = True
        distinct = len(np.unique(trace.cell_ids * (1 << 16) + trace.epochs))
        chosen, first = np.unique(trace.cell_ids[trace.front], return_index=True)
        values = trace.true_costs[trace.front][first]
        runs.append(
            _Course(
                trace.seconds[changed],
                trace.total_seconds[changed],
                missing[changed],
                n,
                distinct,
                -1,
                igd_plus=distance[changed],
                chosen=chosen,
                values=values,
            )
        )
    return runs


def _reached(runs: list[_Course], times: Floats, front: ExactFront) -> Reached:
    ends = np.array([run.igd_plus[-1] if run.queries else np.inf for run in runs])
    finals = np.array([run.regret[-1] if run.queries else np.inf for run in runs])
    middle = runs[int(np.argsort(finals, kind="stable")[(len(runs) - 1) // 2])]
    exact = [run.chosen[np.isin(run.chosen, front.cell_ids)] for run in runs]
    return Reached(
        igd_plus=ends,
        igd_quartiles=_quartiles(ends),
        igd_curve=_curve([(run.seconds, run.igd_plus) for run in runs], times),
        kept=float(np.median([len(run.chosen) for run in runs])),
        exact=float(np.median([len(cells) for cells in exact])),
        union=frozenset(np.concatenate(exact).tolist()),
        front=middle.values,
    )


def _times(comparison: Comparison, found: Mapping[str, list[_Course]]) -> Floats:
    runs = [run for each in found.values() for run in each if len(run.seconds)]
    if not runs:
        raise SearchError("no run had an answer in time: allow more", path=comparison.folder)
    last = comparison.plan.limits.get("seconds") or max(float(run.seconds[-1]) for run in runs)
    return _spaced([run.seconds for run in runs], last)


def _spaced(clocks: Sequence[Floats], last: float) -> Floats:
    """Return times up to the last, from about the first that clocks of runs have."""
    first = min(float(clock[0]) for clock in clocks)
    return np.geomspace(max(min(first, last / 2), last * 1e-5), last, POINTS)


def _standing(name: str, runs: list[_Course], times: Floats, rng: np.random.Generator) -> Standing:
    final = np.array([run.regret[-1] if len(run.regret) else np.inf for run in runs])
    n = len(final)
    ends = Counter(run.last for run in runs if run.last >= 0)
    regrets = {run.last: float(run.regret[-1]) for run in runs if run.last >= 0}
    resampled = np.sort(final[rng.integers(n, size=(RESAMPLES, n))], axis=1)[:, (n - 1) // 2]
    return Standing(
        name=name,
        runs=len(runs),
        queries=float(np.median([run.queries for run in runs])),
        distinct=float(
            np.median([run.distinct / run.queries for run in runs if run.queries] or [np.nan])
        ),
        final=final,
        quartiles=_quartiles(final),
        median=_interval(_quartiles(final)[1], resampled),
        curve=_curve([(run.seconds, run.regret) for run in runs], times),
        # The most frequent first, and those that are as frequent by their ids.
        ends=dict(sorted(ends.items(), key=lambda end: (-end[1], end[0]))),
        end_regrets=regrets,
    )


def _curve(runs: Sequence[tuple[Floats, Floats]], times: Floats) -> Floats:
    """Return quartiles of the regret of runs at times, shape ``(3, POINTS)``."""
    # Before its first answer a run has no cell at all, which is worse than any.
    curves = np.array([np.nan_to_num(step(*run, times), nan=np.inf) for run in runs])
    return np.array([_quartiles(column) for column in curves.T]).T


def _quartiles(values: Floats) -> tuple[float, float, float]:
    # Values that there are, the lower of two in the middle: infinity has no mean with another.
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), method="inverted_cdf")
    return float(low), float(middle), float(high)


def rank(final: Mapping[str, Floats], rng: np.random.Generator) -> dict[str, Interval]:
    """Rank algorithms by their final regrets.

    Parameters
    ----------
    final
        Regrets of the runs of each, in any number.
    rng
        Of the bootstrap.

    Returns
    -------
    The mean rank of each among one run of each algorithm, drawn at random: 1 plus the chances that
    each other one is lower, ties as half.
    """
    names = list(final)
    draws = {
        name: np.sort(values[rng.integers(len(values), size=(RESAMPLES, len(values)))], axis=1)
        for name, values in final.items()
    }
    ordered = {name: np.sort(values) for name, values in final.items()}
    ranks = dict.fromkeys(names, 1.0)
    resampled = {name: np.ones(RESAMPLES) for name in names}
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            chance = _chance_below(final[one], ordered[other])
            ranks[other] += chance
            ranks[one] += 1 - chance
            chances = np.array(
                [_chance_below(x, y) for x, y in zip(draws[one], draws[other], strict=True)]
            )
            resampled[other] += chances
            resampled[one] += 1 - chances
    return {name: _interval(ranks[name], resampled[name]) for name in names}


def _chance_below(one: Floats, other: Floats) -> float:
    """Return the chance that a draw of one is below a draw of the other, sorted; ties as half."""
    right = np.searchsorted(other, one, side="right")
    equal = right - np.searchsorted(other, one)
    return float((len(other) - right + 0.5 * equal).mean() / len(other))


def _interval(value: float, resampled: Iterable[float]) -> Interval:
    low, high = np.quantile(np.asarray(resampled), (0.025, 0.975), method="inverted_cdf")
    return Interval(value=value, low=float(low), high=float(high))


def _passes(times: Floats, median: Floats, baseline: Floats) -> float:
    found = _for_good(times, median < baseline)
    # From the last moment on is never.
    return found if found < times[-1] else float("nan")


def _reaches(times: Floats, median: Floats, level: float) -> float:
    return _for_good(times, median <= level)


def _for_good(times: Floats, holds: npt.NDArray[np.bool_]) -> float:
    """Return the time from which on something holds to the end; NaN if it does not at the end."""
    fails = np.flatnonzero(~holds)
    first = int(fails[-1]) + 1 if len(fails) else 0
    return float(times[first]) if first < len(times) else float("nan")
