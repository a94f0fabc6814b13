"""The parts of a report: of each statistic its columns, and what is said of it beside the paper.

A part whose statistic lacks something says why. Numbers are those of the files, accuracies and
shares as fractions; `Part.shown` has them in the units of the page.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101.analysis import paper
from nb101.analysis.common import (
    Array,
    cell_values,
    has_metric,
    in_epochs,
    kind_in,
    named_rows,
    rows_to_arrow,
    to_arrow,
)
from nb101.analysis.correlate import SPLITS
from nb101.analysis.findings import kind, points
from nb101.analysis.proxies import ALL, BEST_CELLS, PUBLISHED, SUITE
from nb101.analysis.shapes import features
from nb101.analysis.study import Study
from nb101.errors import DatasetError, NB101Error
from nb101.plain import counted
from nb101.space.default import default_space
from nb101.table.schema import METRICS

if TYPE_CHECKING:
    import pyarrow as pa

Fact = str | float | int | None

PROXIES = "proxies"
"""The part that is there only where scores are given."""

DRAWN = 4
"""Local optima that are drawn."""
MOST_ROWS = 60
"""Most rows of a statistic that are on the page."""
SIMILAR = 0.001
"""Difference of two mean changes of accuracy, as fractions, from which on they are not the same."""


@dataclass(frozen=True, kw_only=True)
class Reported:
    """A number of the paper, or of another source, beside that of the table."""

    what: str
    paper: float
    here: float
    form: str
    """How to print both: a format, or ``"%"`` for a share, ``"pp"`` for a change of accuracy."""
    source: str = "paper"
    """Where the number to compare with is from."""
    at_least: bool = False
    """Whether the table's number is a lower bound only."""


@dataclass(kw_only=True)
class Part:
    """One statistic: what is said of it, and its columns."""

    name: str = field(init=False)
    title: str = field(init=False)
    text: str = ""
    figures: tuple[str, ...] = ()
    comparisons: list[Reported] = field(default_factory=list)
    facts: dict[str, Fact] = field(default_factory=dict)
    """Single numbers, by what they are."""
    cells: dict[str, int] = field(default_factory=dict)
    """Cells that the part names and the page draws: ids, by what they are."""
    columns: "pa.Table | None" = None
    shown: "pa.Table | None" = None
    """What of the columns is on the page, in its units; all of them if they are few and this is not
    given."""
    missing: list[str] = field(default_factory=list)
    """Why something is not there."""
    listed: bool = True
    """Whether the rows are in the JSON, if they are few enough."""

    @property
    def on_page(self) -> "pa.Table | None":
        """What of the columns is on the page; `None` if it is too much."""
        shown = self.columns if self.shown is None else self.shown
        return shown if shown is not None and shown.num_rows <= MOST_ROWS else None

    def add_missing(self, reason: str) -> None:
        """Say why something is not there, once."""
        if reason not in self.missing:
            self.missing.append(reason)


def make_part(make: Callable[[Study], Part], study: Study) -> Part:
    """Make a part; one that the table lacks something for says only why."""
    try:
        part = make(study)
    except NB101Error as error:
        part = Part(missing=[sentence(error)])
    part.name, part.title = PARTS[make]
    if study.apart and part.comparisons:
        part.comparisons = []
        part.add_missing(study.not_beside)
    elif part.comparisons:
        for reason in study.reserves:
            part.add_missing(reason)
    return part


def sentence(error: Exception | str) -> str:
    """Write what is wrong as a sentence."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


# Parts, in the order of the page

PARTS: dict[Callable[[Study], Part], tuple[str, str]] = {}


def _part(name: str, title: str) -> Callable[[Callable[[Study], Part]], Callable[[Study], Part]]:
    def add(function: Callable[[Study], Part]) -> Callable[[Study], Part]:
        PARTS[function] = (name, title)
        return function

    return add


@_part("budgets", "Accuracy and training time")
def _budgets(study: Study) -> Part:
    part = Part(
        text="Each cell counts by the mean of its repeats. The paper finds most cells above 90 % "
        "in validation and test accuracy at 108 epochs, and all accuracies to rise with the "
        "budget.",
        figures=("ecdf", "ecdf-budgets"),
        columns=study.budgets,
    )
    part.shown = _in_units(study.budgets)
    means = {
        row["epochs"]: row["mean"]
        for row in study.budgets.to_pylist()
        if row["metric"] == "validation_accuracy"
    }
    for epochs, mean in paper.MEAN_VALIDATION.items():
        if epochs in means:
            what = f"mean validation accuracy, {in_epochs(epochs)}"
            part.comparisons.append(
                Reported(what=what, paper=mean, here=means[epochs], form="%", source=paper.SAMPLE)
            )
    if study.predicted and part.comparisons:
        learnt = study.table.provenance.get("learnt_from")
        part.missing.append(
            f"This table was learnt from {learnt}. The cells that the means by budget are of are "
            "among these: that the means agree is no independent check of the predictions."
            if learnt
            else "If this table was learnt from the cells that the means by budget are of, that "
            "the means agree is no independent check of the predictions."
        )
    if study.epochs == paper.EPOCHS and has_metric(study.table, "test_accuracy", study.epochs):
        values = cell_values(study.table, "test_accuracy", study.epochs)
        part.comparisons.append(
            Reported(
                what="highest mean test accuracy",
                paper=paper.BEST_TEST,
                here=float(np.nanmax(values)),
                form="%",
            )
        )
        for name, row in named_rows(study.table).items():
            part.comparisons.append(
                Reported(
                    what=f"mean test accuracy: {name}",
                    paper=paper.NAMED_TEST[name],
                    here=float(values[row]),
                    form="%",
                )
            )
    for found in study.splits:
        name = f"cells above 90 % {found.metric.replace('_', ' ')}, {in_epochs(found.epochs)}"
        part.facts[f"{name} (share)"] = 1 - found.share_below(0.9)
    part.missing += study.artefacts
    part.missing += map(sentence, study.lacking(*SPLITS))
    if len(study.table.epochs) < 2:
        part.missing.append("The table has runs at one budget only.")
    return part


@_part("noise", "Noise between repeats")
def _noise(study: Study) -> Part:
    found = study.noise
    predicted = found[0].source == "spread"
    rows: list[dict[str, Any]] = [
        {
            "epochs": each.epochs,
            "metric": each.metric,
            "cells": len(each.spread),
            "mean": float(each.spread.mean()),
            "median": float(np.median(each.spread)),
            "q95": float(np.quantile(each.spread, 0.95)),
        }
        for each in found
    ]
    text = "Standard deviation between the repeats of a cell; smallest at 108 epochs in the paper."
    if predicted:
        text += " There are no repeats in this table: this is the spread that it predicts."
    part = Part(
        text=text,
        figures=("noise",),
        columns=rows_to_arrow(rows, study.table),
    )
    names = {name: f"{name} (points)" for name in ("mean", "median", "q95")}
    part.shown = _scaled(part.columns, ("epochs", "metric", "cells"), names)
    if len(rows) > 1:
        least = min(rows, key=lambda row: row["median"])["epochs"]
        part.facts["budget with the least noise (epochs)"] = least
    if any(study.computed(f"{x.metric}_spread", x.metric, x.epochs) for x in found if predicted):
        part.missing.append(
            "The spread is computed from the predicted accuracy: equal accuracies have equal "
            "spreads, and it tells nothing of a cell that its accuracy does not."
        )
    return part


@_part("correlation", "Correlation between splits and repeats")
def _correlation(study: Study) -> Part:
    columns = study.split_correlations
    part = Part(
        text="Over all cells, and among the best 10 % by the second of the two. Spearman's "
        "coefficient is Pearson's of ranks; Kendall's is tau-b.",
        figures=("splits",),
        columns=columns,
    )
    _say_smooth(part, study)
    if study.formulas:
        part.missing.append(sentence(study.formulas))
    for row in columns.to_pylist():
        if (row["kind"], row["top"], row["x_epochs"]) == ("splits", 1.0, paper.EPOCHS) and {
            row["x"],
            row["y"],
        } == {"validation_accuracy", "test_accuracy"}:
            part.comparisons.append(
                Reported(
                    what="Pearson's coefficient of validation and test accuracy, 108 epochs",
                    paper=paper.VALIDATION_TEST_PEARSON,
                    here=row["pearson"],
                    form=".4f",
                )
            )
    part.missing += map(sentence, study.lacking(*SPLITS))
    if not any(row["kind"] == "repeats" for row in columns.to_pylist()):
        part.missing.append("The table has one run of each cell: no repeats to compare.")
    return part


@_part("budget-correlation", "Correlation between budgets")
def _budget_correlation(study: Study) -> Part:
    columns = study.budget_correlations
    part = Part(
        text="How well the order of cells at a small budget tells that at a larger one: over all "
        "cells, and among the best by the larger budget. The paper sees in their low correlation "
        "why searches that begin with small budgets gain little.",
        figures=("budget-correlation",),
        columns=columns,
    )
    _say_smooth(part, study)
    part.missing += map(sentence, study.lacking(columns["x"][0].as_py()))
    for row in columns.to_pylist():
        given = paper.TOP_TENTH_SPEARMAN.get((row["x_epochs"], row["y_epochs"]))
        if given is not None and row["top"] == 0.1:
            what = "Spearman's coefficient of {x_epochs} and {y_epochs} epochs, best 10 %"
            part.comparisons.append(
                Reported(what=what.format(**row), paper=given, here=row["spearman"], form=".3f")
            )
    return part


def _say_smooth(
    part: Part,
    study: Study,
    what: str = "lowers such correlations between measured runs, most of all among the best cells",
) -> None:
    """Say of predictions that they lack noise, and what noise does to the numbers of a part."""
    if study.predicted:
        part.missing.append(f"Predictions lack the noise of training, which {what}.")


def _is_comparable(part: Part, study: Study) -> bool:
    """Whether the paper's numbers of this part are of what the table is of; otherwise say why not.

    What section 3 of the paper reports is of 108 epochs.
    """
    if study.apart:
        part.missing.append(study.not_beside)
    elif not study.comparable:
        part.missing.append(
            f"The paper's numbers are of {in_epochs(paper.EPOCHS)}, these of "
            f"{in_epochs(study.epochs)}: they are not compared."
        )
    return study.comparable


@_part("pareto", "Cost and accuracy")
def _pareto(study: Study) -> Part:
    import pyarrow as pa

    part = Part(
        text="A cell is on a front if no other is as good in both and better in one. The paper "
        "finds cells that people designed near the front of time and accuracy, and the best cell "
        "not to be the most expensive one. The table of numbers has the named cells, and how far "
        "below the best cell of no higher cost they are, in percentage points.",
        figures=("time-parameters", *(f"pareto-{_short(cost)}" for cost in study.fronts)),
    )
    tables: list[pa.Table] = []
    named: list[dict[str, Any]] = []
    for cost, front in study.fronts.items():
        costs, accuracies = front.values.T
        n = len(costs)
        part.facts[f"cells on the front of {cost.replace('_', ' ')} and accuracy"] = n
        columns = {"cost": [cost] * n, "cell_id": front.cell_ids}
        tables.append(front._to_arrow(columns | {"value": costs, "accuracy": accuracies}))
        for name, (value, accuracy) in front.named.items():
            lead = accuracies[costs <= value].max(initial=accuracy)
            row = {"cell": name, "cost": cost, "value": value, "accuracy": accuracy}
            named.append(row | {"points_below": float(100 * (lead - accuracy))})
    part.columns = pa.concat_tables(tables)
    if named:
        names = {"accuracy": "accuracy (%)"}
        part.shown = _scaled(
            rows_to_arrow(named, study.table), ("cell", "cost", "value"), names, ("points_below",)
        )
    rows = named_rows(study.table)
    part.cells = {name: int(study.table.cell_ids[row]) for name, row in rows.items()}
    part.missing += map(sentence, study.no_fronts.values())
    return part


def _short(cost: str) -> str:
    return {"training_time": "time"}.get(cost, cost)


@_part("op-replacement", "Replacing an op")
def _op_replacement(study: Study) -> Part:
    part = Part(
        text="Every interior vertex of every cell, and every other op that it could have. Changes "
        "of accuracy are in percentage points, those of training time relative to the old one.",
        figures=("op-accuracy", "op-time"),
        columns=study.op_summary,
        shown=_shown_changes(study.op_summary),
    )
    part.facts["replacements compared"] = len(study.op_replacement)
    _say_smooth(part, study, "spreads measured changes more widely")
    compared = study.op_summary.to_pylist() if _is_comparable(part, study) else []
    for row in compared:
        pair = tuple(row["kind"].split(" -> "))
        for given, what, form in (
            (paper.OP_ACCURACY, "accuracy", "pp"),
            (paper.OP_TIME, "training_time", "change"),
        ):
            here = row[f"{what}_mean"]
            if pair in given and not math.isnan(here):
                label = f"{row['kind'].replace('->', '→')}: {what.replace('_', ' ')}"
                part.comparisons.append(
                    Reported(what=label, paper=given[pair], here=here, form=form)
                )
    part.missing += _say_means(study, compared)
    _say_skipped(part, study.op_replacement.skipped)
    return part


def _say_means(study: Study, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Say how the mean changes of accuracy stand to those that the paper gives."""
    pairs = [
        (row, given)
        for row in rows
        if (given := paper.OP_ACCURACY.get(tuple(row["kind"].split(" -> ")))) is not None
    ]
    if not pairs:
        return []
    apart = [(row, given) for row, given in pairs if abs(row["accuracy_mean"] - given) > SIMILAR]
    if not apart:
        return [f"The mean changes of accuracy are within {points(SIMILAR)} points of the paper's."]
    words = ", ".join(
        f"{points(row['accuracy_mean'])} for {points(given)} ({kind(row)})" for row, given in apart
    )
    some = "All" if len(apart) == len(pairs) else "Some"
    found = [f"{some} of the mean changes of accuracy differ from the paper's, in points: {words}."]
    weaker = all(abs(row["accuracy_mean"]) < abs(given) for row, given in apart)
    if weaker and study.best_of_three:
        found.append(
            "Likely the reason: the table was learnt from records that have the best of three runs "
            "of each cell, which hide the runs that collapsed."
        )
    return found


@_part("edge-changes", "Changing an edge")
def _edge_changes(study: Study) -> Part:
    part = Part(
        text="Every edge of every cell removed, and every edge added that makes no cycle and that "
        "the space allows. An edge that goes may leave vertices off every path, which go too.",
        figures=("edge-accuracy",),
        columns=study.edge_summary,
        shown=_shown_changes(study.edge_summary),
    )
    part.facts["changes compared"] = len(study.edge_changes)
    _say_smooth(part, study, "spreads measured changes more widely")
    _say_skipped(part, study.edge_changes.skipped)
    return part


def _shown_changes(summary: "pa.Table") -> "pa.Table":
    names = {
        "accuracy_mean": "mean (points)",
        "accuracy_q05": "5 % quantile (points)",
        "accuracy_q95": "95 % quantile (points)",
        "training_time_mean": "mean of training time (%)",
    }
    return _scaled(summary, ("kind", "changes", "better"), names)


def _say_skipped(part: Part, skipped: int) -> None:
    if skipped:
        verb = "is" if skipped == 1 else "are"
        part.missing.append(
            f"{counted(skipped, 'change')} from or to cells without runs {verb} left out."
        )


def _scaled(
    columns: "pa.Table",
    before: Sequence[str],
    scaled: dict[str, str],
    after: Sequence[str] = (),
) -> "pa.Table":
    """Choose columns for the page, and write fractions in per cent or points under other names."""
    chosen: dict[str, Any] = {name: columns[name] for name in before}
    for name, shown in scaled.items():
        chosen[shown] = 100 * columns[name].to_numpy()
    return to_arrow(chosen | {name: columns[name] for name in after}, kind_in(columns))


def _in_units(budgets: "pa.Table") -> "pa.Table":
    """Write the summary of metrics in per cent and seconds."""
    rows = []
    for row in budgets.to_pylist():
        unit = "s" if row["metric"].endswith("_time") else "%"
        scale = 1 if unit == "s" else 100
        shown = {name: row[name] for name in ("epochs", "metric", "cells")} | {"unit": unit}
        for name in ("mean", "sd", "least", "q05", "q50", "q95", "most"):
            value = scale * row[name]
            shown[name] = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}"
        rows.append(shown)
    return rows_to_arrow(rows, kind_in(budgets))


@_part("structure", "Depth, width and ops")
def _structure(study: Study) -> Part:
    columns = study.structure
    part = Part(
        text="Depth is the number of edges on the longest path, width that of the largest directed "
        "cut. The paper finds depth 3 best on average, accuracy to rise with the width up to 5, "
        "and cells of width 1, which never split their channels, to train slowest.",
        figures=("depth", "width", "structure-time", "edges", "vertices", "ops"),
        columns=columns,
        shown=_scaled(
            columns,
            ("feature", "value", "cells"),
            {f"accuracy_{name}": f"{name} (%)" for name in ("mean", "q05", "q50", "q95", "best")},
            ("training_time_mean",),
        ),
    )
    wider = sum(
        row["cells"]
        for row in columns.to_pylist()
        if row["feature"] == "width" and row["value"] > paper.BEST_WIDTH
    )
    if wider and study.table.space == default_space():
        verb = "is" if wider == 1 else "are"
        part.text += (
            f" Of this definition {counted(wider, 'cell')} {verb} wider than "
            f"{paper.BEST_WIDTH}, which the paper has as the largest width."
        )
    bests = (
        ("depth", paper.BEST_DEPTH, "depth with the highest mean accuracy"),
        ("width", paper.BEST_WIDTH, "width with the highest mean accuracy"),
    )
    for feature, given, what in bests if _is_comparable(part, study) else ():
        rows = [row for row in columns.to_pylist() if row["feature"] == feature]
        best = max(rows, key=lambda row: row["accuracy_mean"])["value"]
        part.comparisons.append(Reported(what=what, paper=given, here=best, form=".0f"))
    return part


@_part("rwa", "Locality: random walks")
def _rwa(study: Study) -> Part:
    import pyarrow as pa

    tables = []
    part = Part(
        text="Walks by single edits, through raw encodings as in the paper, and through unique "
        "cells, where those of few vertices, which many edits prune to, act as hubs. The distance "
        "of n steps is drawn as the root of n. Noise is the 95 % interval from the spread between "
        "walks; they are many and long here, and so tell small correlations from none.",
        figures=("rwa",),
    )
    for name, found in study.walks.items():
        columns = found.to_arrow()
        tables.append(columns.add_column(0, "graph", [[name] * len(columns)]))
        part.facts[f"{name}: correlation after one step"] = float(found.correlation[1])
        part.facts[f"{name}: correlation length (steps)"] = found.correlation_length
    _say_isolated(part, study, "walks through cells do not leave them")
    _say_smooth(
        part,
        study,
        "lowers the correlation between measured cells from the first step on: a smooth table "
        "stays above the noise between walks for longer",
    )
    walk = study.walks["encodings"]
    if _is_comparable(part, study):
        part.comparisons.append(
            Reported(
                what="distance up to which the correlation is above noise (walks through "
                "encodings)",
                paper=paper.RWA_DISTANCE,
                here=walk.above_noise,
                form=".1f",
                at_least=walk.never_below,
            )
        )
    part.facts["walks, each"] = walk.walks
    part.facts["steps of a walk"] = walk.steps
    part.columns = pa.concat_tables(tables)
    lags = part.columns["lag"].to_numpy()
    part.shown = part.columns.filter(pa.array(np.sqrt(lags) % 1 == 0))
    return part


@_part("distance", "Locality: distance from the best cells")
def _distance(study: Study) -> Part:
    found = study.fitness_distance
    part = Part(
        text="Alignment distance of unique cells, edges and ops that differ; and Hamming "
        "distance of raw encodings to the nearest encoding of one of the best cells, which is what "
        "the paper's share of the space is of. The shares depend on which cells are the best, and "
        "on how many encodings those have: the paper's 12 have 11,570.",
        figures=("volume", "distance"),
        columns=found.to_arrow(),
    )
    part.shown = _scaled(
        part.columns,
        ("distance", "cells", "share_within"),
        {"mean": "mean (%)", "best": "best (%)"},
        ("relative",),
    )
    part.facts["best cell (id)"] = found.target
    part.cells = {"best": found.target}
    part.facts["fitness-distance correlation"] = found.coefficient
    within = found.share_within
    part.facts["cells within alignment distance 6 of the best cell (share)"] = float(
        within[min(6, len(within) - 1)]
    )
    part.missing += [words for words in study.artefacts if words.startswith("Test")]
    _say_smooth(
        part,
        study,
        "lets luck choose the best of measured cells in part, and weakens how the accuracy falls "
        "with the distance from it",
    )
    try:
        peaks = study.peak_volume
    except NB101Error as error:
        part.missing.append(sentence(error))
        return part
    part.facts["best cells"] = len(peaks.cell_ids)
    part.facts["rule"] = peaks.rule
    if not _is_comparable(part, study):
        return part
    if study.predicted:
        part.missing.append(
            "The best cells here are the best by prediction, not the paper's 12: how near the "
            "share within 6 of them comes to the paper's is incidental to that choice."
        )
    part.comparisons += [
        Reported(
            what="raw encodings of the best cells",
            paper=paper.PEAK_ENCODINGS,
            here=float(peaks.encodings.sum()),
            form=",.0f",
        ),
        Reported(
            what="share of all encodings within 6 of these",
            paper=paper.PEAK_SHARE_WITHIN_6,
            here=float(peaks.share_within[min(6, len(peaks.counts) - 1)]),
            form="%",
        ),
    ]
    return part


@_part("peak-volume", "Raw encodings around the best cells")
def _peak_volume(study: Study) -> Part:
    peaks = study.peak_volume
    part = Part(
        text="Every matrix of the most vertices with every choice of ops, whether it is a cell of "
        "the space (valid) or not, by its distance to the nearest encoding of one of the best "
        "cells.",
        columns=peaks.to_arrow(),
    )
    part.facts["rule"] = peaks.rule
    pairs = zip(peaks.cell_ids.tolist(), peaks.encodings.tolist(), strict=True)
    part.facts["best cells: encodings"] = ", ".join(f"{i}: {n:,}" for i, n in list(pairs)[:24])
    return part


@_part("local-optima", "Local optima")
def _local_optima(study: Study) -> Part:
    found = study.local_optima
    columns = found.to_arrow()
    part = Part(
        text="Cells that no cell one edit away is better than, and the cells from which steepest "
        "ascent ends there. The best ones are listed.",
        figures=("optima",),
        columns=columns,
        shown=_scaled(
            columns.slice(0, 10), ("cell_id",), {"value": "accuracy (%)"}, ("basin", "isolated")
        ),
    )
    best = columns["cell_id"][:DRAWN].to_pylist()
    part.cells = {f"local optimum {i}": cell_id for i, cell_id in enumerate(best, 1)}
    _say_smooth(
        part,
        study,
        "makes local optima of its own between measured neighbours: those of a smooth table are "
        "fewer, and their basins larger",
    )
    _say_isolated(part, study, "each is a local optimum by itself, and not counted as one")
    part.facts["local optima"] = len(found.optima) - int(found.isolated.sum())
    part.facts["cells that lead to the best one (share)"] = found.global_share
    part.facts["mean steps of an ascent"] = float(found.steps.mean())
    leads = np.average(found.values, weights=found.basins)
    part.facts["mean accuracy where an ascent ends"] = float(leads)
    return part


def _say_isolated(part: Part, study: Study, so: str) -> None:
    alone, cells = study.isolated
    if alone:
        of = f"{alone:,} of {counted(cells, 'cell')}"
        part.missing.append(
            f"{of} {'has' if alone == 1 else 'have'} no neighbour in the table: {so}."
        )


@_part(PROXIES, "Zero-cost proxies")
def _proxies(study: Study) -> Part:
    columns = study.proxies
    part = Part(
        text="How scores of untrained networks go with the accuracy after training: rank "
        "correlations by budget, among all cells that were scored, the best 10 % of them, those of "
        "each number of vertices, and those without an op. One below 0 is of a proxy that prefers "
        "what trains to less.",
        figures=("proxies", "proxies-parts"),
        columns=columns,
    )
    rows = [
        row
        for row in columns.to_pylist()
        if (row["metric"], row["epochs"]) == (study.accuracy, study.epochs)
    ]
    found = {(row["part"], row["proxy"]): row for row in rows}
    shown = []
    for (which, name), row in found.items():
        if which == ALL:
            best = found.get((BEST_CELLS, name), {})
            shown.append(
                {"proxy": name, "cells": row["cells"]}
                | {method: row[method] for method in ("spearman", "kendall")}
                | {
                    f"{method}, best 10 %": best.get(method, math.nan)
                    for method in ("spearman", "kendall")
                }
            )
    if shown:
        part.shown = rows_to_arrow(shown, study.table)
    part.facts |= _say_scores(study)
    if study.predicted:
        part.missing.append(
            "Predictions are made of the structure of cells, and lack what training adds to it: a "
            "correlation with them is not one with accuracies of training."
        )
    if _is_comparable(part, study):
        for row in shown:
            given = PUBLISHED.get(row["proxy"])
            if given is not None and study.accuracy == "validation_accuracy":
                what = f"Spearman's coefficient of {row['proxy']} and validation accuracy"
                here = row["spearman"]
                part.comparisons.append(
                    Reported(what=what, paper=given, here=here, form=".2f", source=SUITE)
                )
    return part


def _say_scores(study: Study) -> dict[str, Fact]:
    """Say how the scores came about, as far as they tell."""
    assert study.scores is not None
    about = study.scores.about
    config = about.get("config")
    facts: dict[str, Fact] = {"cells with scores": len(study.scores.cells)}
    if isinstance(config, dict):
        for name in ("stem_channels", "stacks", "cells_per_stack"):
            if isinstance(config.get(name), int):
                facts[f"scored networks: {name.replace('_', ' ')}"] = config[name]
    for name in ("images", "batch_size", "seed", "layout"):
        if isinstance(about.get(name), (str, int)):
            facts[f"scores: {name.replace('_', ' ')}"] = about[name]
    return facts


@_part("cells", "All cells")
def _cells(study: Study) -> Part:
    table = study.table
    columns: dict[str, Array] = {"cell_id": table.cell_ids, **features(table)}
    reasons: list[str] = []
    for name in ("parameters", "flops"):
        try:
            columns[name] = cell_values(table, name).astype(np.int64)
        except DatasetError as error:
            reasons.append(sentence(error))
    for epochs in table.epochs:
        for metric in METRICS:
            if has_metric(table, metric, epochs):
                columns[f"{metric}_{epochs}"] = table.mean(metric, epochs).astype(np.float32)
    part = Part(
        text="One row a cell: its shape, its costs, and the mean of each metric at each budget, in "
        "the Parquet file.",
        columns=to_arrow(columns, table),
        listed=False,
    )
    for reason in reasons:
        part.add_missing(reason)
    part.facts["cells"] = table.num_cells
    for name, row in named_rows(table).items():
        part.facts[f"id of {name}"] = int(table.cell_ids[row])
    return part
