"""Packs predictions of the whole space into the file that the package carries."""

import os
from collections.abc import Mapping

import numpy as np

from nb101.predict.predictor import Predictor
from nb101.space.default import default_space
from nb101.table import embedded
from nb101.table.embedded import EMBEDDED
from nb101.table.table import Table
from surrogate.derive import derive
from surrogate.noise import RecordNoise, lift_of
from surrogate.records import EPOCHS, LONGEST, VALIDATION, Ids, Records
from surrogate.report import describe


def pack(
    records: Records,
    predictor: Predictor,
    noise: Mapping[int, RecordNoise],
    path: str | os.PathLike[str],
) -> Table:
    """Predict the whole space and write the file that the package carries."""
    space = default_space()
    about = derive(records, predictor, noise)
    table = predictor.table()
    validation, units = [], []
    for i, epochs in enumerate(EPOCHS):
        values = table.mean(VALIDATION, epochs)
        if epochs == LONGEST:
            centres = predictor.errors[VALIDATION, epochs].centres
            lift = lift_of(noise[epochs].spread, epochs)
            # Where all runs collapse there is nothing that the best of three could be above.
            values = np.maximum(values - np.interp(values, centres, lift), values.min())
        validation.append(values)
        # A hundredth of what predictions are uncertain by, as a power of two.
        least = min(about[f"{VALIDATION}_uncertainty"][i][1])
        units.append(2.0 ** np.floor(np.log2(least / 100)))
    units = [max(unit, 2.0**-16) for unit in units]
    report = describe(records, predictor, noise)
    provenance = {
        "kind": "predicted",
        "name": EMBEDDED,
        "source": f"{EMBEDDED}, which the package carries",
        "note": "no number was measured: means over repeats as predicted from genuine records",
        "learnt_from": f"genuine records of NAS-Bench-101: {len(records.time):,} cells sampled "
        f"uniformly, and means of {len(_all_ids(records)):,} cells of up to 5 vertices",
        "cells_learnt_from": predictor.about["cells_learnt_from"],
        "cross_validated": report["sample"],
        "folds": report["folds"],
    }
    embedded.write(
        path,
        epochs=EPOCHS,
        validation=validation,
        time=table.mean("training_time", LONGEST),
        units=units,
        time_unit=2.0**-11,
        about={**about, "report": report, "provenance": provenance},
    )
    packed = embedded.load(path)
    assert packed.num_cells == len(space)
    return packed


def _all_ids(records: Records) -> Ids:
    return np.unique(np.concatenate([ids for ids, _ in records.means.values()]))
