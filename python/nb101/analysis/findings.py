"""What the statistics of a table come to: a few sentences with its numbers.

Each sentence is made of the numbers that it states, and is left out, or says the opposite, where
they do not bear it out.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nb101.analysis.common import cell_values, in_epochs, named_rows
from nb101.analysis.figures import op_label
from nb101.analysis.proxies import ALL, BEST_CELLS
from nb101.analysis.study import Study
from nb101.errors import NB101Error
from nb101.plain import counted

FEW = 20
"""Cells below which shares and means of groups tell nothing."""
NEAR = 0.5
"""Percentage points that count as nearly as good."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A sentence, and the cells that it names: their ids, by what they are in it."""

    text: str
    cells: dict[str, int] = field(default_factory=dict)


def findings(study: Study) -> list[Finding]:
    """Return what there is to be said of a table, the most important first."""
    found = []
    for make in _ALL:
        try:
            sentence = make(study)
        except NB101Error:
            # What the table lacks is said where it is looked for.
            continue
        if sentence is not None:
            found.append(sentence)
    return found


def percent(value: float, digits: int = 2) -> str:
    """Write an accuracy or a share, as a fraction: ``94.32 %``."""
    return f"{100 * value:.{digits}f} %"


def points(value: float, *, sign: bool = False) -> str:
    """Write a difference of accuracies, as a fraction, in points: ``-1.45``."""
    rounded = round(100 * value, 2) or 0.0
    return f"{rounded:{'+' if sign else ''}.2f}".replace("-", "\N{MINUS SIGN}")


def name_of(study: Study, cell_id: int) -> str:
    """Name a cell by its id and the first digits of its hash."""
    return f"cell {cell_id} ({study.table.space[cell_id].hash[:8]})"


def _words(metric: str) -> str:
    return metric.replace("_", " ")


def _level(study: Study) -> Finding | None:
    values = cell_values(study.table, study.accuracy, study.epochs)
    values = values[~np.isnan(values)]
    what, at = _words(study.accuracy), in_epochs(study.epochs)
    if len(values) < FEW:
        return None
    half, tenth = np.quantile(values, [0.5, 0.9])
    return Finding(
        text=f"Half of the {counted(len(values), 'cell')} reach {percent(half)} {what} at {at} or "
        f"more, a tenth {percent(tenth)}."
    )


def _best(study: Study) -> Finding | None:
    values = cell_values(study.table, study.final, study.epochs)
    row = int(np.nanargmax(values))
    cell_id = int(study.table.cell_ids[row])
    known = values[~np.isnan(values)]
    best, what = percent(values[row]), _words(study.final)
    name = name_of(study, cell_id)
    if len(known) == 1:
        text = f"The only cell with a {what} is {name}, with {best}."
    elif equal := int((known == values[row]).sum()) - 1:
        others = "one other has" if equal == 1 else f"{equal:,} others have"
        text = f"The best {what} is {best}: {name} has it, and {others} the same."
    else:
        text = f"The best by {what} is {name}, with {best}."
    return Finding(text=text, cells={"best": cell_id})


def _named(study: Study) -> Finding | None:
    values = cell_values(study.table, study.final, study.epochs)
    known = values[~np.isnan(values)]
    rows = {
        name: row for name, row in named_rows(study.table).items() if values[row] == values[row]
    }
    rows.pop("best of the paper", None)
    if not rows or len(known) < FEW:
        return None
    parts = [
        f"the {name} one is better than {percent(float((known < values[row]).mean()), 1)}"
        for name, row in rows.items()
    ]
    cells = {name: int(study.table.cell_ids[row]) for name, row in rows.items()}
    text = f"By {_words(study.final)}, of the cells that people made, {' and '.join(parts)} of all."
    return Finding(text=text, cells=cells)


def _cheap(study: Study) -> Finding | None:
    cost = next((name for name in ("training_time", "parameters") if name in study.fronts), None)
    if cost is None or study.fronts[cost].cells < FEW:
        return None
    front = study.fronts[cost]
    costs, accuracies = front.values.T
    best = int(np.argmax(accuracies))
    near = int(np.flatnonzero(accuracies >= accuracies[best] - NEAR / 100)[0])
    words = "training time" if cost == "training_time" else "parameters"
    if costs[near] == costs[best]:
        text = f"No cell of less {words} comes within {NEAR} points of the best one."
        if cost == "parameters":
            text = text.replace("less", "fewer")
        return Finding(text=text)
    share = costs[near] / costs[best]
    cell_id = int(front.cell_ids[near])
    text = (
        f"Within {NEAR} points of the best one, {name_of(study, cell_id)} has "
        f"{percent(share, 0)} of that one's {words}."
    )
    return Finding(text=text, cells={"within half a point": cell_id})


def _ops(study: Study) -> Finding | None:
    rows = study.op_summary.to_pylist()
    if len(study.op_replacement) < FEW or len(rows) < 2:
        return None
    worst = min(rows, key=lambda row: row["accuracy_mean"])
    best = max(rows, key=lambda row: row["accuracy_mean"])
    parts = []
    if worst["accuracy_mean"] < 0:
        parts.append(f"{kind(worst)} costs most, {points(-worst['accuracy_mean'])} points")
    # To undo the costliest one gains what it costs: that would be one number twice.
    undone = best["kind"].split(" -> ") == worst["kind"].split(" -> ")[::-1]
    if best["accuracy_mean"] > 0 and not (parts and undone):
        parts.append(f"{kind(best)} gains most, {points(best['accuracy_mean'])} points")
    if not parts:
        return Finding(text="No replacement of one op by another changes the mean accuracy.")
    text = f"Of replacing one op, {', and '.join(parts)} of {_words(study.accuracy)} on average."
    return Finding(text=text)


def kind(row: dict[str, Any]) -> str:
    """Write the kind of a replacement: ``conv 3×3 → max-pool``."""
    return " → ".join(op_label(op).replace(r"\$", "$") for op in row["kind"].split(" -> "))


def _depth(study: Study) -> Finding | None:
    rows = [
        row
        for row in study.structure.to_pylist()
        if row["feature"] == "depth" and row["cells"] >= FEW
    ]
    if len(rows) < 2:
        return None
    best = max(rows, key=lambda row: row["accuracy_mean"])
    worst = min(rows, key=lambda row: row["accuracy_mean"])
    if best["accuracy_mean"] == worst["accuracy_mean"]:
        return Finding(text="Cells of all depths have the same mean accuracy.")
    text = (
        f"Cells of depth {best['value']} have the highest mean {_words(study.accuracy)}, "
        f"{percent(best['accuracy_mean'])}, those of depth {worst['value']} the lowest, "
        f"{percent(worst['accuracy_mean'])}."
    )
    return Finding(text=text)


def _budgets(study: Study) -> Finding | None:
    rows = study.budget_correlations.to_pylist()
    last = max(row["y_epochs"] for row in rows)
    low = max(row["x_epochs"] for row in rows if row["y_epochs"] == last)
    found = {
        row["top"]: row["spearman"]
        for row in rows
        if (row["x_epochs"], row["y_epochs"]) == (low, last)
        and row["cells"] >= FEW
        and not math.isnan(row["spearman"])
    }
    if 1.0 not in found:
        return None
    text = (
        f"The order of the cells at {in_epochs(low)} and that at {in_epochs(last)} have a rank "
        f"correlation of {found[1.0]:.2f}"
    )
    if 0.1 in found:
        text += f"; among the best 10 % it is {found[0.1]:.2f}"
    return Finding(text=text.replace("-", "\N{MINUS SIGN}") + ".")


def _noise(study: Study) -> Finding | None:
    found = study.noise[-1]
    if len(found.spread) < FEW:
        return None
    middle = points(float(np.median(found.spread)))
    if found.source == "repeats":
        text = f"Runs of one cell differ by a standard deviation of {middle} points"
    else:
        text = f"Runs of one cell are expected to differ by {middle} points"
    text += f" of {_words(found.metric)} at {in_epochs(found.epochs)}, in the median."
    return Finding(text=text)


def _optima(study: Study) -> Finding | None:
    found = study.local_optima
    linked = ~found.isolated
    n = int(linked.sum())
    if not n or len(found.cell_ids) < FEW:
        return None
    value, share = found.values[linked][0], found.basins[linked][0] / len(found.cell_ids)
    name = name_of(study, int(found.optima[linked][0]))
    if n == 1:
        text = f"Steepest ascent by single edits has one end, {name}"
    else:
        text = (
            f"Steepest ascent by single edits ends in {n:,} local optima; {percent(share, 1)} of "
            f"the cells lead to the best of them, {name}"
        )
    text += f", with {percent(value)} {_words(found.metric)}."
    return Finding(text=text, cells={"best local optimum": int(found.optima[linked][0])})


def _proxies(study: Study) -> Finding | None:
    if study.scores is None:
        return None
    rows = [
        row
        for row in study.proxies.to_pylist()
        if (row["metric"], row["epochs"]) == (study.accuracy, study.epochs)
        and not math.isnan(row["spearman"])
    ]
    of_all = [row for row in rows if row["part"] == ALL]
    if len(of_all) < 2:
        return None
    first = max(of_all, key=lambda row: abs(row["spearman"]))
    text = (
        f"Of {counted(len(of_all), 'zero-cost proxy', 'zero-cost proxies')}, {first['proxy']} goes "
        f"best with {_words(study.accuracy)} at {in_epochs(study.epochs)}: their rank correlation "
        f"is {first['spearman']:.2f} over {counted(first['cells'], 'cell')}"
    )
    for row in rows:
        if (row["part"], row["proxy"]) == (BEST_CELLS, first["proxy"]):
            text += f", and {row['spearman']:.2f} among the best 10 %"
    return Finding(text=text.replace("-0.", "\N{MINUS SIGN}0.") + ".")


_ALL: tuple[Callable[[Study], Finding | None], ...] = (
    *(_level, _best, _named, _cheap, _ops, _depth, _budgets, _noise, _optima, _proxies),
)
