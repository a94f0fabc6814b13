"""Our numbers of the whole space: of the default table, which are predictions, and of the cells."""

import numpy as np

from nb101 import SearchSpace, Table, analysis
from nb101.analysis.paper import NAMED_CELLS
from nb101.analysis.study import Study
from nb101.predict import sample
from paper.numbers import (
    BUDGETS,
    Numbers,
    budget_order,
    changes_by_kind,
    costs,
    distribution,
    fitness,
    rounded,
    shapes,
    spreads,
    volume,
)

VALIDATION, TEST, TIME = "validation_accuracy", "test_accuracy", "training_time"
LAGS = 64
"""Steps of a walk that autocorrelations are kept of."""
PEAKS = 12
SIMULATED = 20_001
"""Cells that runs are simulated of: as many as the sample of genuine records has."""


def describe(table: Table) -> Numbers:
    """Return all numbers of a predicted table of the whole space."""
    study = Study(table)
    found: Numbers = {
        **whole_space(table.space),
        "named": named(table),
        "validation": {x: distribution(table.mean(VALIDATION, x)) for x in BUDGETS},
        "test": {x: distribution(table.mean(TEST, x)) for x in (108,)},
        "noise": {x: spreads(table.mean(f"{TEST}_spread", x)) for x in BUDGETS},
        "costs": costs(
            table.mean(TIME, 108),
            table.cells.parameters().astype(float),
            table.mean(VALIDATION, 108),
        ),
        "extremes": extremes(table),
        "neighbors": neighbors(table),
        "budgets": budget_order({x: table.mean(VALIDATION, x) for x in BUDGETS}),
        "ops": changes_by_kind(study.op_replacement),
        "pooled": pooled(table),
        "simulated": simulated(),
        **shapes(table),
    }
    walk = study.walks["encodings"]
    found["walk"] = {
        "walks": walk.walks,
        "steps": walk.steps,
        "above_noise": walk.above_noise,
        "never_below": walk.never_below,
        "correlation": walk.correlation[: LAGS + 1],
        "noise": walk.noise[: LAGS + 1],
    }
    best = table.space.index(NAMED_CELLS["best of the paper"])
    found["fitness"] = fitness(table)
    found["fitness_paper"] = fitness(table, best)
    order = np.argsort(-table.mean(TEST, 108), kind="stable")
    found["volume"] = volume(table.space, order[:PEAKS].tolist())
    found["volume_best"] = volume(table.space, [best])
    numbers: Numbers = rounded(found)
    return numbers


def whole_space(space: SearchSpace) -> Numbers:
    """Return what is counted, and not predicted."""
    v = space.max_vertices
    return {
        "encodings": 2 ** (v * (v - 1) // 2) * len(space.ops) ** (v - 2),
        "cells": len(space),
        "mini": len(SearchSpace(6, space.max_edges, space.ops)),
    }


def named(table: Table) -> Numbers:
    """Return what there is of the cells that the paper names."""
    test, time = table.mean(TEST, 108), table.mean(TIME, 108)
    found = {}
    for name, cell in NAMED_CELLS.items():
        row = table.space.index(cell)
        found[name] = {
            "cell_id": row,
            "hash": cell.hash,
            "parameters": cell.parameters,
            "test": test[row],
            "validation": table.mean(VALIDATION, 108)[row],
            "time": time[row],
            # How far the best cell of no longer time is above it.
            "below_front": test[time <= time[row]].max() - test[row],
            "better_than": (test < test[row]).mean(),
        }
    return found


def extremes(table: Table) -> Numbers:
    """Compare the best cell with the one of the longest time and that of most parameters."""
    test, time = table.mean(TEST, 108), table.mean(TIME, 108)
    parameters = table.cells.parameters()
    best, longest, largest = int(np.argmax(test)), int(np.argmax(time)), int(np.argmax(parameters))
    return {
        "best": {"cell_id": best, "hash": table.space[best].hash, "test": test[best]},
        "best_time": time[best],
        "best_parameters": parameters[best],
        "longest_time": time[longest],
        "longest_test": test[longest],
        "most_parameters": parameters[largest],
        "largest_test": test[largest],
    }


def neighbors(table: Table) -> Numbers:
    """Look at the cells one edit away from the Inception-like one, beside all cells."""
    space = table.space
    cell = NAMED_CELLS["Inception-like"]
    ids = [space.index(each) for each in space.neighbors(cell)]
    values, times = table.mean(VALIDATION, 108)[ids], table.mean(TIME, 108)[ids]
    return {
        "cells": len(ids),
        "least": values.min(),
        "median": np.median(values),
        "most": values.max(),
        "values": values,
        "times": times,
        "sd": values.std(),
        "sd_all": table.mean(VALIDATION, 108).std(),
    }


def pooled(table: Table) -> Numbers:
    """Count max-pool ops among the hundred best cells."""
    order = np.argsort(-table.mean(TEST, 108), kind="stable")[:100]
    pool = analysis.features(table)["maxpool3x3"][order]
    return {"best": 100, "with_pool": int((pool > 0).sum())}


def simulated() -> Numbers:
    """Simulate runs about predictions, and take of them what the genuine sample has.

    One run at the smaller budgets, and the best of three at 108 epochs: what differs from the
    predictions themselves is the noise of runs, and nothing else.
    """
    runs = sample(SIMULATED, seed=0)
    values = {x: runs.values(VALIDATION, x).astype(float) for x in BUDGETS}
    kept = {x: each[:, 0] for x, each in values.items()} | {108: values[108].max(axis=1)}
    return {
        "cells": SIMULATED,
        "above_90": (kept[108] > 0.9).mean(),
        "budgets": budget_order(kept)["36 108"],
    }
