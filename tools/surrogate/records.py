"""The genuine records that the table is learnt from: what is known of which cells.

They are single runs at 4, 12 and 36 epochs, and the best of three at 108; of a few cells repeats or
means are known besides. They are described in the model card, and not part of the project.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101._base.lazy import cached_property
from nb101.errors import DatasetError
from nb101.space.default import default_space
from nb101.table.table import Table

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

EPOCHS = (4, 12, 36, 108)
LONGEST = EPOCHS[-1]
VALIDATION = "validation_accuracy"


@dataclass(frozen=True)
class Records:
    """Genuine records of NAS-Bench-101, as other public projects published them.

    Attributes
    ----------
    sample
        20,001 cells: of each the validation accuracy of a single run at 4, 12 and 36 epochs, and
        the best of three at 108; shape ``(n,)`` by budget. ``time`` is that of 108 epochs, seconds.
    sample_ids, time
        Ids of these cells, and their training times.
    means
        By metric and budget: ids, and the means of the three repeats, of cells of up to 5 vertices.
    repeat_ids, repeats, test_repeats, times
        Validation and test accuracy, and training time, of all three repeats at 108 epochs of a few
        more cells, ``(n, 3)``.
    retrained
        By budget validation and test accuracy of three runs each of cells that others trained anew,
        ``(n, 3)``: not genuine ones, and used for one constant only.
    """

    sample_ids: Ids
    sample: Mapping[int, Floats]
    time: Floats
    means: Mapping[tuple[str, int], tuple[Ids, Floats]]
    repeat_ids: Ids
    repeats: Floats
    test_repeats: Floats
    times: Floats
    retrained: Mapping[int, tuple[Floats, Floats]]

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> "Records":
        """Read the files of a folder.

        Raises
        ------
        DatasetError
            If a hash is none of the space.
        OSError
            If a file cannot be read.
        """
        import pyarrow.parquet as pq

        files = Path(folder)
        sample = pq.read_table(files / "real_20001.parquet").to_pydict()
        small = pq.read_table(files / "means_upto5.parquet").to_pydict()
        few = json.loads((files / "records_26.json").read_text())
        hashes = default_space().enumerate().hashes()
        order = np.argsort(hashes)

        def find(texts: Any) -> Ids:
            wanted = np.array(texts, dtype="S32")
            found = order[np.minimum(np.searchsorted(hashes[order], wanted), len(order) - 1)]
            if (hashes[found] != wanted).any():
                wrong = wanted[hashes[found] != wanted][0].decode()
                raise DatasetError(f"{folder}: no cell has the hash {wrong}")
            return np.asarray(found)

        ids, epochs = find(small["hash"]), np.array(small["epochs"])
        means = {}
        for metric in ("training_time", VALIDATION, "test_accuracy"):
            values = np.array(small[metric], dtype=np.float64)
            for budget in EPOCHS:
                own = (epochs == budget) & np.isfinite(values)
                means[metric, budget] = (ids[own], values[own])
        runs = [record["computed"][str(LONGEST)] for record in few]
        return cls(
            sample_ids=find(sample["hash"]),
            sample={x: np.array(sample[f"{VALIDATION}_{x}"]) for x in EPOCHS},
            time=np.array(sample[f"training_time_{LONGEST}"]),
            means=means,
            repeat_ids=find([record["hash"] for record in few]),
            repeats=np.array([[run[f"final_{VALIDATION}"] for run in three] for three in runs]),
            test_repeats=np.array(
                [[run["final_test_accuracy"] for run in three] for three in runs]
            ),
            times=np.array([[run["final_training_time"] for run in three] for three in runs]),
            retrained=_read_retrained(files / "retrained_runs.parquet"),
        )

    def both(self, epochs: int) -> tuple[Ids, Floats, Floats]:
        """Return the cells of the sample whose mean is known: ids, sample's value, mean."""
        ids, means = self.means[VALIDATION, epochs]
        _, own, other = np.intersect1d(self.sample_ids, ids, return_indices=True)
        return self.sample_ids[own], self.sample[epochs][own], means[other]

    @cached_property
    def lifts(self) -> tuple[Ids, Floats]:
        """How far the best of three at 108 epochs is above their mean, where both are known."""
        ids, best, means = self.both(LONGEST)
        own = self.repeats.max(axis=1) - self.repeats.mean(axis=1)
        return np.concatenate([ids, self.repeat_ids]), np.concatenate([best - means, own])

    def table(self) -> Table:
        """Return what is learnt from: validation accuracies, and the time of 108 epochs.

        Where a mean is known it stands for the single run, since it has less noise; at 108 epochs
        it is lifted to what the best of three would have been on average.
        """
        space = default_space()
        values = np.full((len(EPOCHS), len(space)), np.nan)
        for row, epochs in zip(values, EPOCHS, strict=True):
            row[self.sample_ids] = self.sample[epochs]
            ids, means = self.means[VALIDATION, epochs]
            row[ids] = means + (self.lifts[1].mean() if epochs == LONGEST else 0)
        time = np.full(len(space), np.nan)
        ids, means = self.means["training_time", LONGEST]
        time[ids] = means
        time[self.sample_ids] = self.time
        known = np.flatnonzero(np.isfinite(values).any(axis=0))
        times = np.full((len(EPOCHS), len(known)), np.nan)
        times[-1] = time[known]
        columns = {
            "cell_id": np.tile(known, len(EPOCHS)),
            "epochs": np.repeat(EPOCHS, len(known)),
            "final_training_time": times.ravel(),
            f"final_{VALIDATION}": values[:, known].ravel(),
        }
        about = {
            "kind": "measured",
            "source": "genuine records of NAS-Bench-101",
            "sampled_cells": len(self.time),
        }
        return Table.from_columns(columns, provenance=about)


def _read_retrained(path: Path) -> dict[int, tuple[Floats, Floats]]:
    import pyarrow.parquet as pq

    runs = pq.read_table(path).to_pandas().sort_values(["epochs", "hash", "repeat"])
    found = {}
    for epochs, own in runs.groupby("epochs"):
        own = own[own.groupby("hash")["repeat"].transform("count") == 3]
        pair = (own[name].to_numpy().reshape(-1, 3) for name in (VALIDATION, "test_accuracy"))
        found[int(epochs)] = tuple(pair)
    return found


def pairs(a: tuple[Ids, Floats], b: tuple[Ids, Floats]) -> tuple[Ids, Floats, Floats]:
    """Return the cells that both know something of, and what."""
    ids, first, second = np.intersect1d(a[0], b[0], return_indices=True)
    return ids, a[1][first], b[1][second]
