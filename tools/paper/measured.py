"""Our measured numbers: of genuine records of NAS-Bench-101, which are not part of the project.

The model card (docs/explanation/surrogate.md) describes them: a uniform sample of 20,001 cells with
single runs at 4, 12 and 36 epochs and the best of three at 108; means of three of small cells; 26
cells with all repeats; and runs of small cells that others trained again.
"""

import json
from pathlib import Path

import numpy as np

from nb101 import Table, analysis
from nb101.analysis.paper import NAMED_CELLS
from paper.numbers import (
    BUDGETS,
    Array,
    Numbers,
    budget_order,
    changes_by_kind,
    costs,
    distribution,
    fitness,
    pairs_at_distances,
    rounded,
    shapes,
    spreads,
    volume,
)
from surrogate.records import Records

PEAKS = 11
"""Of the sample's best, beside the best cell of the paper."""
RESAMPLES = 200
"""Samples of cells, with replacement, that intervals come from."""
STRIDE = 20
"""Of so many cells of the sample one is compared with all others."""


def describe(folder: Path, table: Table) -> Numbers:
    """Return all measured numbers, and the predicted ones of the same cells beside some."""
    records = Records.read(folder)
    ids, sample = records.sample_ids, records.sample
    order = np.argsort(ids)
    ids = ids[order]
    values = {x: sample[x][order] for x in BUDGETS}
    time = records.time[order]
    predicted = {x: table.mean("validation_accuracy", x)[ids] for x in BUDGETS}
    longest, single = _table(ids, 108, values[108], time), _table(ids, 36, values[36])
    parameters = table.cells.parameters()[ids].astype(float)
    found: Numbers = {
        "cells": len(ids),
        "validation": {x: distribution(values[x]) for x in BUDGETS},
        "predicted_above_90": (predicted[108] > 0.9).mean(),
        "lift": records.lifts[1].mean(),
        "means": _means(records),
        "repeats": _repeats(records, folder),
        "retrained": {x: _retrained(records, x) for x in BUDGETS},
        "named": _named(records, table),
        "costs": costs(time, parameters, values[108]),
        "budgets": budget_order(values),
        "predicted_budgets": budget_order(predicted),
        "ops": _ops(longest, single, table),
        **shapes(longest),
        "fitness_paper": fitness(longest, table.space.index(NAMED_CELLS["best of the paper"])),
        "pairs": pairs_at_distances(
            table.space[ids],
            range(0, len(ids), STRIDE),
            {"measured": values[108], "predicted": predicted[108]},
        ),
        "volume": volume(table.space, _best(table, ids, values[108])),
    }
    numbers: Numbers = rounded(found)
    return numbers


def _table(ids: Array, epochs: int, accuracy: Array, time: Array | None = None) -> Table:
    columns = {
        "cell_id": ids,
        "epochs": np.full(len(ids), epochs),
        "final_validation_accuracy": accuracy,
    }
    if time is not None:
        columns["final_training_time"] = time
    return Table.from_columns(columns, provenance={"kind": "measured"})


def _means(records: Records) -> Numbers:
    """Correlate mean validation and test accuracies of small cells."""
    one, x = records.means["validation_accuracy", 108]
    other, y = records.means["test_accuracy", 108]
    both, rows, columns = np.intersect1d(one, other, return_indices=True)
    return {"cells": len(both), "validation_test": analysis.correlation(x[rows], y[columns])}


def _repeats(records: Records, folder: Path) -> Numbers:
    """Look at the cells of which all three runs are known."""
    runs = json.loads((folder / "records_26.json").read_text())
    train = np.array(
        [[run["final_train_accuracy"] for run in each["computed"]["108"]] for each in runs]
    )
    return {
        "cells": len(runs),
        "train_median": np.median(train.mean(axis=1)),
        "train_least": train.mean(axis=1).min(),
        "train_full": (train == 1).mean(),
        "train": np.sort(train.mean(axis=1)),
        "noise": spreads(records.test_repeats.std(axis=1, ddof=1)),
        "validation_test": analysis.correlation(
            records.repeats.mean(axis=1), records.test_repeats.mean(axis=1)
        ),
    }


def _retrained(records: Records, epochs: int) -> Numbers:
    _, test = records.retrained[epochs]
    return spreads(test.std(axis=1, ddof=1))


def _named(records: Records, table: Table) -> Numbers:
    """Return what is known of the cells that the paper names."""
    found: Numbers = {}
    for name, cell in NAMED_CELLS.items():
        cell_id = table.space.index(cell)
        own: Numbers = {}
        for key, (ids, values) in (
            ("best_of_three_validation", (records.sample_ids, records.sample[108])),
            ("mean_test", records.means["test_accuracy", 108]),
        ):
            row = np.flatnonzero(ids == cell_id)
            own[key] = float(values[row[0]]) if len(row) else None
        found[name] = own
    return found


def _ops(longest: Table, single: Table, table: Table) -> Numbers:
    """Return mean effects of replacing an op, with intervals, and what is predicted of the same."""
    changes = analysis.op_replacement(longest, 108)
    early = changes_by_kind(analysis.op_replacement(single, 36))
    found = changes_by_kind(changes)
    accuracy = table.mean("validation_accuracy", 108)
    time, accuracy_36 = table.mean("training_time", 108), table.mean("validation_accuracy", 36)
    old, new = changes.cell_id, changes.new_cell_id
    effects = {
        "accuracy": changes.accuracy,
        "time": changes.training_time,
    }
    expected = {
        "accuracy": accuracy[new] - accuracy[old],
        "time": time[new] / time[old] - 1,
        "accuracy_36": accuracy_36[new] - accuracy_36[old],
    }
    rng = np.random.default_rng(0)
    n = len(longest.cell_ids)
    rows, new_rows = (np.searchsorted(longest.cell_ids, x) for x in (old, new))
    weights = [rng.multinomial(n, np.full(n, 1 / n)) for _ in range(RESAMPLES)]
    for i, kind in enumerate(changes.kinds):
        own = changes.which == i
        entry = found[kind]
        entry["accuracy_36"] = early[kind]["accuracy"]
        for name, effect in effects.items():
            # Pairs share cells: cells are drawn anew, and a pair counts by how often both were.
            means = [
                np.average(effect[own], weights=drawn[rows[own]] * drawn[new_rows[own]])
                for drawn in weights
            ]
            entry[f"{name}_low"], entry[f"{name}_high"] = np.quantile(means, (0.025, 0.975))
        entry |= {f"predicted_{name}": x[own].mean() for name, x in expected.items()}
    return found


def _best(table: Table, ids: Array, values: Array) -> list[int]:
    """Return the best cell of the paper, and the sample's best by validation accuracy."""
    best = table.space.index(NAMED_CELLS["best of the paper"])
    others = [i for i in ids[np.argsort(-values, kind="stable")].tolist() if i != best]
    return [best, *others[:PEAKS]]
