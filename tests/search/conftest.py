"""A small space with tables whose optimum is known, and the algorithms that can be run here."""

import importlib.util
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import search

BUDGETS = (4, 12, 36, 108)
QUICK = ("random-search", "regularized-evolution", "local-search", "reinforce", "hyperband", "bohb")
LIBRARIES = {"tpe": "optuna", "smac": "smac", "bananas": "sklearn"}
QUERIES = {"tpe": 40, "smac": 12, "bananas": 30}
OPTIONS = {"smac": {"initial": 4}, "bananas": {"networks": 2}}
"""Those of algorithms whose proposals take long: enough for their models to take part."""


def make_table(
    space: nb101.SearchSpace | None = None,
    *,
    cells: Any = None,
    noise: float = 0.0,
    repeats: int = 1,
    test: Any = None,
    provenance: dict[str, Any] | None = None,
) -> nb101.Table:
    """Cells whose accuracy is a smooth function of what they hold, at four budgets."""
    space = nb101.SearchSpace(4) if space is None else space
    ids = np.arange(len(space)) if cells is None else np.asarray(cells)
    rng = np.random.default_rng(7)
    held = space[ids]
    ops = held.operations()
    level = 0.5 + 0.05 * (ops == 0).sum(axis=1) + 0.02 * held.num_edges + 0.001 * (ids % 7)
    columns: dict[str, list[Any]] = {name: [] for name in ("cell_id", "epochs", "repeat")}
    validation, truth, seconds = [], [], []
    for epochs in BUDGETS:
        for repeat in range(repeats):
            columns["cell_id"] += ids.tolist()
            columns["epochs"] += [epochs] * len(ids)
            columns["repeat"] += [repeat] * len(ids)
            shrunk = level - 0.1 * (1 - epochs / 108)
            validation.append(shrunk + noise * rng.standard_normal(len(ids)))
            truth.append(level + 0.01 if test is None else test)
            seconds.append(epochs * (5.0 + held.num_edges))
    return nb101.Table.from_columns(
        {
            **columns,
            "final_validation_accuracy": np.concatenate(validation),
            "final_test_accuracy": np.concatenate(truth),
            "final_training_time": np.concatenate(seconds),
        },
        space=space,
        provenance=provenance,
    )


@pytest.fixture(scope="session")
def table() -> nb101.Table:
    """All 91 cells of up to 4 vertices, three noisy repeats."""
    return make_table(noise=0.01, repeats=3)


@pytest.fixture(scope="session")
def exact() -> nb101.Table:
    """The same without noise."""
    return make_table()


@pytest.fixture(params=[*QUICK, *LIBRARIES])
def name(request: pytest.FixtureRequest) -> str:
    """Each algorithm whose library is installed."""
    found: str = request.param
    need = LIBRARIES.get(found)
    if need is not None and importlib.util.find_spec(need) is None:
        pytest.skip(f"{need} is not installed: pip install 'nb101[search]'")
    return found


def run(name: str, table: Any, **given: Any) -> search.Trace:
    """Run with few queries where those are slow."""
    if not {"seconds", "max_epochs", "queries"} & set(given):
        given["queries"] = QUERIES.get(name, 400)
    return search.run(name, table, **{**OPTIONS.get(name, {}), **given})
