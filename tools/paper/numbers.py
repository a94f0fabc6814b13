"""The numbers that stand beside the paper's: of the default table, and of genuine records."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nb101 import Table, load_table
from nb101.analysis import correlation
from nb101.analysis.paper import EPOCHS, NAMED_CELLS
from nb101.analysis.study import Study
from nb101.space.default import default_space
from surrogate.records import Records

VALIDATION, TEST, TIME = "validation_accuracy", "test_accuracy", "training_time"
BUDGETS = (4, 12, 36, 108)
GOOD = 0.9
"""An accuracy that most cells are above, the paper says."""


def of_default_table(study: Study) -> dict[str, float]:
    """Compute the numbers of the default table; accuracies and shares are fractions."""
    table = study.table
    means = {epochs: table.mean(VALIDATION, epochs=epochs) for epochs in BUDGETS}
    parameters = table.cells.parameters()
    walk = study.walks["encodings"]
    peak, optima = study.peak_volume, study.local_optima
    return {
        **{f"validation_{epochs}": float(mean.mean()) for epochs, mean in means.items()},
        **_shared(study, means[EPOCHS], parameters, table.mean(TIME, epochs=EPOCHS)),
        **{
            f"noise_{noise.epochs}": float(np.median(noise.spread))
            for noise in study.noise
            if noise.metric == study.final
        },
        **{
            f"test_{name}": float(table.mean(TEST, epochs=EPOCHS)[table.space.index(cell)])
            for name, cell in NAMED_CELLS.items()
        },
        "best_test": float(table.best(TEST).value),
        "top_tenth_36_108": _among_best(means[36], means[EPOCHS]),
        "front": float(len(study.fronts["training_time"].cell_ids)),
        "rwa_steps": float(_first_in_noise(walk.correlation, walk.noise)),
        "peak_encodings": float(peak.encodings.sum()),
        "peak_share_6": float(peak.share_within[6]),
        "optima": float((~optima.isolated).sum()),
        "optima_to_best": float(optima.global_share),
    }


def of_records(records: Records) -> dict[str, float]:
    """Compute the numbers of genuine records: of the sample, and of means where they are known."""
    space = default_space()
    parameters = space.enumerate().parameters()[records.sample_ids].astype(float)
    sample = records.sample
    study = Study(sample_table(records), EPOCHS)
    ids, test = records.means[TEST, EPOCHS]
    of_validation, validation = records.means[VALIDATION, EPOCHS]
    _, own, other = np.intersect1d(of_validation, ids, return_indices=True)
    repeats = records.repeats
    return {
        **{f"validation_{epochs}": float(sample[epochs].mean()) for epochs in BUDGETS},
        **_shared(study, sample[EPOCHS], parameters, records.time),
        "top_tenth_36_108": _among_best(sample[36], sample[EPOCHS]),
        "validation_test_pearson": correlation(validation[own], test[other]),
        "validation_test_cells": float(len(own)),
        "noise_108": float(np.median(repeats.std(axis=1, ddof=1))),
        "noise_cells": float(len(repeats)),
    }


def sample_table(records: Records) -> Table:
    """Return the sample at 108 epochs as a table: the best of three runs of each cell."""
    columns: Mapping[str, Any] = {
        "cell_id": records.sample_ids,
        "epochs": np.full(len(records.sample_ids), EPOCHS),
        f"final_{TIME}": records.time,
        f"final_{VALIDATION}": records.sample[EPOCHS],
    }
    about = {"kind": "measured", "source": "genuine records of NAS-Bench-101"}
    return Table.from_columns(dict(columns), provenance=about)


def default_study() -> Study:
    """Return the statistics of the default table."""
    return Study(load_table())


def _shared(study: Study, accuracy: Any, parameters: Any, time: Any) -> dict[str, float]:
    """Compute what the whole space and a sample of it can be asked alike."""
    found = {
        "above_90": float((accuracy > GOOD).mean()),
        "time_parameters": correlation(time, parameters, "spearman"),
        "accuracy_parameters": correlation(accuracy, parameters, "spearman"),
        "accuracy_time": correlation(accuracy, time, "spearman"),
    }
    for row in study.op_summary.to_pylist():
        found[f"op_accuracy {row['kind']}"] = row["accuracy_mean"]
        found[f"op_time {row['kind']}"] = row["training_time_mean"]
        found[f"op_changes {row['kind']}"] = float(row["changes"])
    for row in study.structure.to_pylist():
        if row["feature"] in ("depth", "width"):
            found[f"{row['feature']}_{row['value']}"] = row["accuracy_mean"]
            found[f"{row['feature']}_{row['value']}_cells"] = float(row["cells"])
    return found


def _among_best(x: Any, y: Any) -> float:
    """Correlate ranks of two budgets among the best tenth by the larger."""
    top = np.argsort(y)[-len(y) // 10 :]
    return correlation(x[top], y[top], "spearman")


def _first_in_noise(values: Any, noise: Any) -> int:
    """Return the first lag whose correlation is within its noise."""
    within = np.flatnonzero(values <= noise)
    return int(within[0]) if len(within) else len(values)
