"""A small space with tables of random numbers, and genuine means of a complete subspace."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest

import nb101
import oracle

OPS = ("conv3x3-bn-relu", "maxpool3x3")


class Small(NamedTuple):
    """A space of up to 5 vertices, 6 edges and 2 ops, as the oracle lists it, and as a table."""

    space: nb101.SearchSpace
    modules: list[oracle.Module]
    rank: dict[oracle.Module, int]


@pytest.fixture(scope="session")
def small() -> Small:
    modules = list(oracle.enumerate_space(5, 6, 2))
    rank = {module: i for i, module in enumerate(modules)}
    return Small(nb101.SearchSpace(5, 6, OPS), modules, rank)


def random_table(
    space: nb101.SearchSpace, seed: int, *, missing: float = 0.0, repeats: int = 2
) -> nb101.Table:
    """Every cell at 4 and 36 epochs; some cells, runs and values are left out."""
    rng = np.random.default_rng(seed)
    n = len(space)
    kept = np.flatnonzero(rng.random(n) >= missing)
    rows: dict[str, list[Any]] = {"cell_id": [], "epochs": [], "repeat": []}
    for epochs in (4, 36):
        for repeat in range(repeats):
            own = kept[rng.random(len(kept)) >= missing / 2]
            rows["cell_id"] += own.tolist()
            rows["epochs"] += [epochs] * len(own)
            rows["repeat"] += [repeat] * len(own)
    total = len(rows["cell_id"])
    level = rng.random(n)
    cells = np.array(rows["cell_id"])
    columns: dict[str, Any] = dict(rows)
    for split in ("train", "validation", "test"):
        columns[f"final_{split}_accuracy"] = level[cells] * 0.8 + 0.2 * rng.random(total)
    columns["final_training_time"] = 100 + 900 * rng.random(total)
    columns["final_test_accuracy"][rng.random(total) < missing / 4] = np.nan
    provenance = {"recipe": "NAS-Bench-101"}
    return nb101.Table.from_columns(columns, space=space, provenance=provenance)


@pytest.fixture(scope="session")
def table(small: Small) -> nb101.Table:
    return random_table(small.space, 1)


@pytest.fixture(scope="session")
def holes(small: Small) -> nb101.Table:
    return random_table(small.space, 2, missing=0.3)


@pytest.fixture(scope="session")
def genuine(test_data: Path) -> nb101.Table:
    """The released means of all 91 cells of up to 4 vertices, at all budgets; times of some."""
    space = nb101.SearchSpace(4)
    rows = pq.read_table(test_data / "nasbench101" / "means_upto5.parquet").to_pylist()
    ids = {digits.decode(): i for i, digits in enumerate(space.enumerate().hashes().tolist())}
    own = [row for row in rows if row["hash"] in ids]
    assert len(own) == 4 * 91
    columns = {
        "cell_id": [ids[row["hash"]] for row in own],
        "epochs": [row["epochs"] for row in own],
        "trainable_parameters": [row["trainable_parameters"] for row in own],
    }
    for metric in ("validation_accuracy", "test_accuracy", "training_time"):
        column = [np.nan if row[metric] is None else row[metric] for row in own]
        columns[f"final_{metric}"] = column
    return nb101.Table.from_columns(columns, space=space, provenance={"source": "means of 3"})
