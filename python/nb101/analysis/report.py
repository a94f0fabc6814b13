"""All statistics of a table on one page, with the paper's numbers beside its own.

`write` makes a folder: ``index.html``, which holds every figure and needs nothing else; the numbers
as ``numbers.json``, and as a Parquet file for each statistic. A statistic that the table lacks
something for is left out, and the page says why. nb101 reads none of these again; the numbers carry
a seal for whoever does: see `nb101._base.seals.check_seal`.

The page has accuracies and shares in per cent and differences of accuracies in percentage points;
the files have both as fractions. What is predicted is said to be so wherever it stands: over
the findings, in each figure and table of the page, in each part of the JSON, in each row of the
Parquet files.
"""

import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101._base.files import atomic, claim_folder, finite
from nb101._base.progress import Progress, given_or_shown
from nb101._base.seals import BLANK, KEY, sealed
from nb101.analysis import paper
from nb101.analysis.common import (
    Array,
    Short,
    cell_values,
    has_metric,
    in_epochs,
    kind_in,
    named_rows,
    rows_to_arrow,
    to_arrow,
)
from nb101.analysis.correlate import SPLITS
from nb101.analysis.figures import FIGURES, Figure, draw
from nb101.analysis.findings import Finding, findings, kind, points
from nb101.analysis.html import (
    banner,
    caption,
    cell_pictures,
    description_list,
    document,
    in_words,
    inline_svg,
    marked,
    marked_list,
    number,
    rows_table,
    text,
)
from nb101.analysis.shapes import features
from nb101.analysis.study import Study
from nb101.errors import DatasetError, NB101Error
from nb101.plain import counted
from nb101.space.default import default_space
from nb101.table import recipes
from nb101.table.files import write_parquet
from nb101.table.schema import METADATA_KEY, METRICS
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

Cell = str | float | int | None

KIND = "table_kind"
"""Column of each Parquet file that says whether its numbers were measured or predicted."""
DRAWN = 4
"""Local optima that are drawn."""
SIMILAR = 0.001
"""Difference of two mean changes of accuracy, as fractions, from which on they are not the same."""
MOST_ROWS = 60
"""Most rows of a statistic that are on the page."""
MOST_ROWS_JSON = 1000
"""Most rows of a statistic that are in the JSON; longer ones are in Parquet only."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
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
    comparisons: list[Comparison] = field(default_factory=list)
    facts: dict[str, Cell] = field(default_factory=dict)
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


@dataclass(frozen=True, kw_only=True, repr=False)
class Report(Short):
    """What was written."""

    folder: Path
    page: Path
    files: tuple[Path, ...]
    missing: dict[str, list[str]]
    """Why something is not there, by the title of the part that it is missing in."""


def write(
    table: Table,
    folder: str | os.PathLike[str],
    *,
    epochs: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Analyse a table and write page and numbers to a folder, which is made if need be.

    Files of earlier reports are replaced, each whole, and those of statistics that this table
    lacks something for are removed; the page comes last. A folder that something else has made is
    left alone.

    Parameters
    ----------
    table
        The table.
    folder
        Where to.
    epochs
        The budget that is looked at, the largest by default.
    seed
        Of random walks.
    progress
        Called with the parts done and their number; a notebook shows a bar without it.

    Raises
    ------
    MissingRunError
        If the table has no run of this budget.
    FolderError
        If something else made the folder.
    OSError
        If a file cannot be written.
    """
    study = Study(table, epochs, seed=seed)
    target = claim_folder(folder, "report")
    with given_or_shown(progress, "analysing", len(PARTS)) as advance:
        return _write(study, target, advance)


def _write(study: Study, target: Path, progress: Progress) -> Report:
    parts, pictures, files = [], {}, []
    for done, make in enumerate(PARTS):
        progress(done, len(PARTS))
        part = _attempt(make, study)
        parts.append(part)
        for name in part.figures:
            try:
                pictures[name] = svg(name, study)
            except NB101Error as error:
                _add_missing(part, f"{FIGURES[name].title}: {_sentence(error)}")
        path = target / f"{part.name}.parquet"
        if part.columns is None:
            # One of another table, from an earlier report, would pass for a number of this one.
            path.unlink(missing_ok=True)
        else:
            write_parquet(_labelled(part, study), path)
            files.append(path)
    about = _about(study)
    found = findings(study)
    path = target / "numbers.json"
    with sealed(path) as file:
        numbers = finite(_numbers(study, about, found, parts)) | {KEY: BLANK}
        file.write(json.dumps(numbers, indent=1).encode() + b"\n")
    files.append(path)
    page = target / "index.html"
    with atomic(page) as file:
        file.write(_page(study, about, found, parts, pictures).encode())
    progress(len(PARTS), len(PARTS))
    missing = {part.title: part.missing for part in parts if part.missing}
    return Report(folder=target, page=page, files=(page, *files), missing=missing)


def _attempt(make: Callable[[Study], Part], study: Study) -> Part:
    try:
        part = make(study)
    except NB101Error as error:
        part = Part(missing=[_sentence(error)])
    part.name, part.title = PARTS[make]
    if study.apart and part.comparisons:
        part.comparisons = []
        _add_missing(part, study.not_beside)
    elif part.comparisons:
        for reason in study.reserves:
            _add_missing(part, reason)
    return part


def _labelled(part: Part, study: Study) -> "pa.Table":
    """Say in each row of a part's columns, and in their metadata, what kind of numbers they are."""
    import pyarrow as pa

    assert part.columns is not None
    columns = part.columns
    about = {
        "statistic": part.name,
        "kind": study.kind,
        "epochs": study.epochs,
        "provenance": dict(study.table.provenance),
    }
    kinds = pa.array([study.kind] * len(columns), pa.string())
    told = {**(columns.schema.metadata or {}), METADATA_KEY: json.dumps(about).encode()}
    return columns.append_column(KIND, kinds).replace_schema_metadata(told)


def _add_missing(part: Part, reason: str) -> None:
    if reason not in part.missing:
        part.missing.append(reason)


def _sentence(error: Exception | str) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


# What is known of the table


def _about(study: Study) -> dict[str, Any]:
    from nb101 import __version__

    table = study.table
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "nb101": __version__,
        "epochs": study.epochs,
        "seed": study.seed,
        "kind": study.kind,
        "predicted": study.predicted,
        "runs": len(table),
        "cells": table.num_cells,
        "cells_of_space": table.space.count().total,
        "space": {
            "max_vertices": table.space.max_vertices,
            "max_edges": table.space.max_edges,
            "ops": list(table.space.ops),
        },
        "budgets": {
            str(epochs): {
                "cells": int((table.counts(epochs) > 0).sum()),
                "runs": int(table.counts(epochs).sum()),
            }
            for epochs in table.epochs
        },
        "provenance": dict(table.provenance),
    }


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
                Comparison(what=what, paper=mean, here=means[epochs], form="%", source=paper.SAMPLE)
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
            Comparison(
                what="highest mean test accuracy",
                paper=paper.BEST_TEST,
                here=float(np.nanmax(values)),
                form="%",
            )
        )
        for name, row in named_rows(study.table).items():
            part.comparisons.append(
                Comparison(
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
    part.missing += map(_sentence, study.lacking(*SPLITS))
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
        part.missing.append(_sentence(study.formulas))
    for row in columns.to_pylist():
        if (row["kind"], row["top"], row["x_epochs"]) == ("splits", 1.0, paper.EPOCHS) and {
            row["x"],
            row["y"],
        } == {"validation_accuracy", "test_accuracy"}:
            part.comparisons.append(
                Comparison(
                    what="Pearson's coefficient of validation and test accuracy, 108 epochs",
                    paper=paper.VALIDATION_TEST_PEARSON,
                    here=row["pearson"],
                    form=".4f",
                )
            )
    part.missing += map(_sentence, study.lacking(*SPLITS))
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
    part.missing += map(_sentence, study.lacking(columns["x"][0].as_py()))
    for row in columns.to_pylist():
        given = paper.TOP_TENTH_SPEARMAN.get((row["x_epochs"], row["y_epochs"]))
        if given is not None and row["top"] == 0.1:
            what = "Spearman's coefficient of {x_epochs} and {y_epochs} epochs, best 10 %"
            part.comparisons.append(
                Comparison(what=what.format(**row), paper=given, here=row["spearman"], form=".3f")
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
    part.missing += map(_sentence, study.no_fronts.values())
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
                    Comparison(what=label, paper=given[pair], here=here, form=form)
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
        part.comparisons.append(Comparison(what=what, paper=given, here=best, form=".0f"))
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
            Comparison(
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
        part.missing.append(_sentence(error))
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
        Comparison(
            what="raw encodings of the best cells",
            paper=paper.PEAK_ENCODINGS,
            here=float(peaks.encodings.sum()),
            form=",.0f",
        ),
        Comparison(
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


@_part("cells", "All cells")
def _cells(study: Study) -> Part:
    table = study.table
    columns: dict[str, Array] = {"cell_id": table.cell_ids, **features(table)}
    reasons: list[str] = []
    for name in ("parameters", "flops"):
        try:
            columns[name] = cell_values(table, name).astype(np.int64)
        except DatasetError as error:
            reasons.append(_sentence(error))
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
        _add_missing(part, reason)
    part.facts["cells"] = table.num_cells
    for name, row in named_rows(table).items():
        part.facts[f"id of {name}"] = int(table.cell_ids[row])
    return part


# Numbers


def _numbers(
    study: Study, about: dict[str, Any], found: Sequence[Finding], parts: Sequence[Part]
) -> dict[str, Any]:
    return {
        "about": about | {"paper": paper.CITATION},
        "findings": [
            {"text": each.text, "kind": study.kind, "cells": each.cells} for each in found
        ],
        "parts": {
            part.name: {
                "title": part.title,
                "kind": study.kind,
                "compared": [
                    {
                        "what": each.what,
                        "paper": each.paper,
                        "here": each.here,
                        "here_is": study.kind,
                        "source": each.source,
                        "at_least": each.at_least,
                    }
                    for each in part.comparisons
                ],
                "facts": part.facts,
                "rows": _listed(part),
                "missing": part.missing,
            }
            for part in parts
        },
    }


def _listed(part: Part) -> list[dict[str, Any]] | None:
    if part.columns is None or not part.listed or part.columns.num_rows > MOST_ROWS_JSON:
        return None
    rows: list[dict[str, Any]] = part.columns.to_pylist()
    return rows


# The page


def svg(name: str, study: Study) -> str:
    """Draw a figure as an element of a page, in the colours of its text."""
    return inline_svg(draw(study, name), name, FIGURES[name].title)


def _page(
    study: Study,
    about: dict[str, Any],
    found: Sequence[Finding],
    parts: Sequence[Part],
    pictures: dict[str, str],
) -> str:
    mark = study.mark
    sections = [_findings(study, found), *(_section(part, pictures, study) for part in parts)]
    sections.append(_provenance(about))
    names = [("findings", "Findings"), *((part.name, part.title) for part in parts)]
    names.append(("provenance", "Provenance"))
    links = "".join(f'<li><a href="#{name}">{text(title)}</a></li>' for name, title in names)
    header = f"<p>{text(_subject(about))}</p>{banner(mark)}"
    made = f"Made with nb101 {about['nb101']} on {about['made']}. The paper is {paper.CITATION}."
    nav = f"<nav><ul>{links}</ul></nav>"
    return document(_title(study), header, nav, "\n".join(sections), made)


def _title(study: Study) -> str:
    """Title a page by what its table is: NAS-Bench-101 only where recipe and space are its."""
    images = recipes.images_of(study.table.provenance)
    if study.apart and images:
        return f"Cells trained on {images}: what they look like"
    usual = not study.apart and study.table.space == default_space()
    return f"{'NAS-Bench-101' if usual else 'A space of cells'}: what it looks like"


def _subject(about: dict[str, Any]) -> str:
    cells, whole = about["cells"], about["cells_of_space"]
    *others, last = map(int, about["budgets"])
    budgets = f"{', '.join(map(str, others))} and {in_epochs(last)}" if others else in_epochs(last)
    which = f"all {counted(cells, 'cell')}" if cells == whole else f"{cells:,} of {whole:,} cells"
    words = f"A table of {which} of its space at {budgets}. "
    if others:
        words += f"Where no other budget is named, numbers are of {in_epochs(about['epochs'])}. "
    return words + "Accuracies are in per cent, their differences in percentage points."


def _findings(study: Study, found: Sequence[Finding]) -> str:
    lines = "".join(f"<li>{text(each.text)}</li>" for each in found)
    mark = marked_list(study.mark) if lines else ""
    if not lines:
        lines = "<li>The table has too little for a finding.</li>"
    cells: dict[int, list[str]] = {}
    for each in found:
        for what, cell_id in each.cells.items():
            cells.setdefault(cell_id, []).append(what)
    named = {", ".join(dict.fromkeys(words)): cell_id for cell_id, words in cells.items()}
    inner = f'<h2>Findings</h2>{mark}<ul class="findings">{lines}</ul>{_pictures(study, named)}'
    reserves = [study.apart] if study.apart else study.reserves
    inner += "".join(f'<p class="missing">{text(reason)}</p>' for reason in reserves)
    return f'<section id="findings">{inner}</section>'


def _pictures(study: Study, cells: dict[str, int]) -> str:
    """Draw cells, with their hash and accuracy below."""
    values = cell_values(study.table, study.final, study.epochs) if cells else np.zeros(0)
    rows = dict(zip(study.table.cell_ids.tolist(), values.tolist(), strict=True)) if cells else {}
    captions = {}
    for what, cell_id in cells.items():
        value = rows.get(cell_id, math.nan)
        known = (
            "" if math.isnan(value) else f", {100 * value:.2f} % {study.final.replace('_', ' ')}"
        )
        captions[cell_id] = (what, known)
    return cell_pictures(study.table.space, captions, study.mark)


def _provenance(about: dict[str, Any]) -> str:
    space = about["space"]
    share = about["cells"] / about["cells_of_space"]
    budgets = ", ".join(
        f"{in_epochs(int(epochs))} ({counted(found['runs'], 'run')} of "
        f"{counted(found['cells'], 'cell')})"
        for epochs, found in about["budgets"].items()
    )
    rows = {
        "cells": f"{about['cells']:,} of {about['cells_of_space']:,}"
        + ("" if share == 1 else f" ({100 * share:.3g} %)"),
        "space": f"up to {space['max_vertices']} vertices, {space['max_edges']} edges; "
        f"{', '.join(space['ops'])}",
        "budgets": budgets,
    }
    for name, value in about["provenance"].items():
        words = in_words(value)
        rows[name.replace("_", " ")] = words if len(words) < 1000 else words[:997] + "..."
    inner = f"<h2>Provenance</h2>{description_list(rows, 'about')}"
    return f'<section id="provenance">{inner}</section>'


def _section(part: Part, pictures: dict[str, str], study: Study) -> str:
    mark = study.mark
    inner: list[str] = [f"<h2>{text(part.title)}</h2>"]
    if part.text:
        inner.append(f"<p>{text(part.text)}</p>")
    drawn = [name for name in part.figures if name in pictures]
    if drawn:
        shown = "".join(_picture(name, FIGURES[name], pictures[name], mark) for name in drawn)
        inner.append(f'<div class="figures">{shown}</div>')
    inner += [f'<p class="missing">{text(reason)}</p>' for reason in part.missing]
    if part.comparisons:
        inner.append(_comparison_table(part.comparisons, mark))
    if part.facts:
        rows = {key: number(value, key) for key, value in part.facts.items()}
        inner.append(marked(mark) + description_list(rows, "facts"))
    if part.cells:
        inner.append(_pictures(study, part.cells))
    label = f", {mark}" if mark else ""
    shown_rows = part.shown if part.shown is not None else part.columns
    if shown_rows is not None and shown_rows.num_rows <= MOST_ROWS:
        summary = f"<summary>Numbers{label}</summary>"
        inner.append(f"<details>{summary}{rows_table(shown_rows)}</details>")
    if part.columns is not None:
        link = f"{part.name}.parquet"
        count = counted(part.columns.num_rows, "row")
        inner.append(f'<p class="file"><a href="{link}">{link}</a>, {count}{label}</p>')
    return f'<section id="{part.name}">{"".join(inner)}</section>'


def _picture(name: str, figure: Figure, picture: str, mark: str) -> str:
    where = f"Figure {figure.paper} of the paper." if figure.paper else "Not in the paper."
    return f'<figure id="figure-{name}">{picture}{caption(figure.caption, where, mark)}</figure>'


def _comparison_table(comparisons: Sequence[Comparison], mark: str) -> str:
    rows = "".join(
        f"<tr><th>{text(each.what)}</th><td>{_formatted(each.paper, each.form)}</td>"
        f"<td>{_here(each)}</td><td>{text(each.source)}</td></tr>"
        for each in comparisons
    )
    here = f"this table, {mark}" if mark else "this table"
    head = f"<tr><th></th><th>reported</th><th>{here}</th><th>reported by</th></tr>"
    return f'<div class="scroll"><table class="compared"><thead>{head}</thead>{rows}</table></div>'


def _here(each: Comparison) -> str:
    return ("at least " if each.at_least else "") + _formatted(each.here, each.form)


def _formatted(value: float, form: str) -> str:
    if math.isnan(value):
        return "not known"
    if form == "%":
        return f"{100 * value:.2f} %"
    if form in ("pp", "change"):
        return f"{100 * value:+.2f} {'points' if form == 'pp' else '%'}".replace("-", "\u2212")
    return f"{value:{form}}"
