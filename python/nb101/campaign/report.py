"""What a campaign has come to: its failures, the ranking of a grid, and the table."""

import json
import math
import warnings
from collections import Counter
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from nb101.campaign.folder import LEDGER, RESULTS
from nb101.campaign.ledger import Compared, Ledger
from nb101.campaign.plan import Plan
from nb101.campaign.results import MEASURED, RECORD
from nb101.campaign.state import Active as Active  # In pickles of version 0.1, as the next.
from nb101.campaign.state import Status as Status
from nb101.campaign.state import warn_of_damage
from nb101.errors import CampaignError
from nb101.table.table import Table


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that has failed for good, as long as no more tries are allowed.

    Attributes
    ----------
    cell_id, epochs, repeat, setting
        Which; see `nb101.campaign.plan.PlannedRun`.
    kind
        ``"diverged"``, ``"failed"``, or ``"lost"`` with its worker.
    message
        The last error, in one line.
    tries
        How often it was tried.
    """

    cell_id: int
    epochs: int
    repeat: int
    setting: int
    kind: str
    message: str
    tries: int


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A setting of a grid.

    Attributes
    ----------
    setting, changes
        Its place in the plan, and its values.
    accuracy
        Mean final validation accuracy at the largest budget over `cells`, of their means over
        repeats; NaN if there are none.
    cells
        Cells compared: those that all settings have finished, but for settings that have finished
        none, which are not compared: 0 for them.
    done, failed
        Runs of the setting at all budgets.
    """

    setting: int
    changes: dict[str, Any]
    accuracy: float
    cells: int
    done: int
    failed: int


def failures(folder: str | PathLike[str]) -> list[Failure]:
    """List the runs that have failed.

    Raises
    ------
    CampaignError
        As for `status`.
    """
    with Ledger.read(Path(folder)) as ledger:
        rows = ledger.failed()
    names = ("cell_id", "epochs", "repeat", "setting", "kind", "message", "tries")
    return [Failure(**dict(zip(names, row, strict=True))) for row in rows]


def ranking(folder: str | PathLike[str]) -> list[Ranked]:
    """Rank the settings of a grid by mean validation accuracy, the best first.

    As the original chose its recipe (section 2.4 of the paper): by the mean over a sample of cells.
    Compared are cells that every setting has finished with all repeats at the largest budget. A
    setting that has finished none of them is left out of that, and comes last.

    Raises
    ------
    CampaignError
        As for `status`.
    """
    with Ledger.read(Path(folder)) as ledger:
        return _rank(_results(Path(folder), ledger), ledger.plan())


def table(folder: str | PathLike[str], *, setting: int | None = None) -> Table:
    """Make a table of the finished runs of a campaign, also while it runs.

    The ledger is compared with ``results.jsonl`` beside it; what is damaged in one is taken from
    the other.

    Parameters
    ----------
    folder
        The campaign's.
    setting
        Which setting of a grid; the one that ranks first by default. A table has one recipe.

    Raises
    ------
    CampaignError
        As for `status`; if there is no such setting; or if results are damaged in both files.

    Warns
    -----
    RuntimeWarning
        As for `status`; or if the settings of a grid cannot be ranked yet, and the first one is
        taken.
    """
    with Ledger.read(Path(folder)) as ledger:
        plan = ledger.plan()
        compared = _results(Path(folder), ledger)
    if setting is None:
        setting = _best(compared, plan) if plan.grid else 0
    if not 0 <= setting < len(plan.settings):
        raise CampaignError(
            f"no setting {setting}: the plan has 0 to {len(plan.settings) - 1}", field="setting"
        )
    names = ("cell_id", "epochs", "repeat", "seed", *MEASURED)
    which, *places = (RECORD.index(name) for name in ("setting", *names))
    # By epochs, cell and repeat.
    rows = sorted(
        (record for record in compared.records.values() if record[which] == setting),
        key=lambda record: (record[places[1]], record[places[0]], record[places[2]]),
    )
    values = [[record[place] for record in rows] for place in places]
    # Seeds need all of their 63 bits; what was not measured is NULL there and NaN here.
    columns: dict[str, Any] = {
        name: np.array(column, dtype=np.int64 if name in names[:4] else np.float64)
        for name, column in zip(names, values, strict=True)
    }
    return Table.from_columns(
        columns,
        space=plan.space,
        provenance=_provenance(plan, setting, [row[_WORKER] for row in rows]),
        copy=False,
    )


_WORKER = RECORD.index("worker")


def _results(folder: Path, ledger: Ledger) -> Compared:
    """Compare a ledger and its results; refuse what is damaged in both."""
    compared = ledger.compare()
    if compared.lost:
        raise CampaignError(
            f"{' and '.join(compared.lost)} in {folder} cannot be read in {LEDGER} nor in "
            f"{RESULTS}: nb101 campaign run {folder} does what is lost again",
            path=folder,
        )
    warn_of_damage(folder, compared.damage())
    return compared


def _provenance(plan: Plan, setting: int, workers: list[str]) -> dict[str, Any]:
    """Say what the runs of a table are of, and what they were computed on."""
    recipe = plan.settings[setting].recipe()
    del recipe["epochs"]
    computed = [json.loads(worker) for worker in workers]
    hardware = Counter((w.get("device"), w.get("threads")) for w in computed)
    versions: dict[str, list[str]] = {}
    for name in ("nb101", "torch", "python"):
        versions[name] = sorted({str(w[name]) for w in computed if name in w})
    about: dict[str, Any] = {
        "kind": "measured",
        "source": "nb101 campaign",
        "recipe": recipe,
        "data": {name: x for name, x in plan.data.to_dict().items() if name != "source"},
        "plan": {
            "fingerprint": plan.fingerprint,
            "cells": len(plan.cells),
            "epochs": list(plan.epochs),
            "repeats": plan.repeats,
            "seed": plan.seed,
            "runs": len(plan) // len(plan.settings),
        },
        "versions": versions,
        "hardware": [
            {"device": device, "threads": threads, "runs": runs}
            for (device, threads), runs in sorted(hardware.items(), key=str)
        ],
    }
    if plan.grid:
        about["setting"] = plan.changes[setting]
    return about


def _best(compared: Compared, plan: Plan) -> int:
    """Return the setting that ranks first, and warn where there is no ranking."""
    first = _rank(compared, plan)[0]
    if not first.cells:
        warnings.warn(
            "the settings cannot be ranked: there is no cell that they have finished with all "
            f"repeats at {plan.epochs[-1]} epochs and have a validation accuracy of; the table is "
            f"of setting {first.setting}: give setting to choose one",
            RuntimeWarning,
            stacklevel=3,
        )
    return first.setting


def _rank(compared: Compared, plan: Plan) -> list[Ranked]:
    names = ("setting", "epochs", "cell_id", "final_validation_accuracy")
    places = [RECORD.index(name) for name in names]
    accuracies: list[dict[int, list[float | None]]] = [{} for _ in plan.settings]
    for record in compared.records.values():
        setting, epochs, cell_id, accuracy = (record[place] for place in places)
        if epochs == plan.epochs[-1]:
            accuracies[setting].setdefault(cell_id, []).append(accuracy)
    means: list[dict[int, float]] = []
    for own in accuracies:
        # Where there are no validation images, there is no mean.
        whole = {
            cell: [x for x in values if x is not None]
            for cell, values in own.items()
            if len(values) == plan.repeats
        }
        means.append({cell: math.fsum(x) / len(x) for cell, x in whole.items() if x})
    # One that finishes no cell, since it always diverges, says nothing of the others.
    finished = [set(own) for own in means if own]
    common = set.intersection(*finished) if finished else set()
    counts = compared.counts
    ranked = [
        Ranked(
            setting=setting,
            changes=plan.changes[setting],
            accuracy=math.fsum(own[i] for i in common) / len(common)
            if own and common
            else math.nan,
            cells=len(common) if own else 0,
            done=counts[setting, "done"],
            failed=counts[setting, "failed"],
        )
        for setting, own in enumerate(means)
    ]
    return sorted(ranked, key=lambda one: (-one.accuracy if one.cells else 1.0, one.setting))
