"""Every result says of which kind the numbers are that it is of, and prints in a few lines."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import nb101
from nb101 import analysis
from nb101.analysis.common import Result
from nb101.proxies.scores import Scores

KINDS = ("measured", "predicted", "mixed", "unknown")


def scores_of(table: nb101.Table) -> Scores:
    """Scores that are there without a network."""
    cells = table.space[table.cell_ids]
    return Scores(
        cells=cells, columns={"params": cells.parameters().astype(float)}, space=table.space
    )


RESULTS: dict[str, Callable[[nb101.Table], Any]] = {
    "budgets": analysis.budgets,
    "correlations": analysis.correlations,
    "ecdf": analysis.ecdf,
    "edge_changes": analysis.edge_changes,
    "fitness_distance": analysis.fitness_distance,
    "local_optima": analysis.local_optima,
    "neighbor_values": lambda table: analysis.neighbor_values(
        table, int(table.cell_ids[9]), ("test_accuracy",)
    ),
    "noise": analysis.noise,
    "op_replacement": analysis.op_replacement,
    "pareto_front": analysis.pareto_front,
    "peak_volume": lambda table: analysis.peak_volume(table, top=3),
    "proxy_correlations": lambda table: analysis.proxy_correlations(table, scores_of(table)),
    "random_walk_autocorrelation": lambda table: analysis.random_walk_autocorrelation(
        table, walks=5, steps=20, lags=5
    ),
    "structure": analysis.structure,
}
"""What gives numbers of a table."""
OTHERS = {
    "cell_values": "an array, as those of the table's methods",
    "correlation": "of arrays",
    "edit_graph": "of cells, whatever their runs",
    "features": "of cells, whatever their runs",
    "random_walks": "of cells, whatever their runs",
}


def of_kind(table: nb101.Table, kind: str) -> nb101.Table:
    columns = {name: table.column(name) for name in table.columns}
    about = {"kind": kind, "recipe": "NAS-Bench-101"}
    return nb101.Table.from_columns(columns, space=table.space, provenance=about)


def told(found: Any) -> str:
    """Return what an Arrow table says in the entry that those of `Table.to_arrow` say it in."""
    assert isinstance(found, pa.Table)
    return str(found.schema.metadata[b"kind"].decode())


def test_every_function_is_looked_at() -> None:
    functions = {
        name
        for name in analysis.__all__
        if callable(getattr(analysis, name)) and not isinstance(getattr(analysis, name), type)
    }
    assert functions == RESULTS.keys() | OTHERS.keys()


@pytest.mark.parametrize("name", RESULTS)
def test_results_say_their_kind(table: nb101.Table, name: str) -> None:
    for kind in KINDS:
        own = of_kind(table, kind)
        found = RESULTS[name](own)
        if isinstance(found, pa.Table):
            assert told(found) == told(own.to_arrow()) == kind
        elif isinstance(found, dict):
            assert found["kind"] == kind
        else:
            assert isinstance(found, Result)
            assert found.kind == pickle.loads(pickle.dumps(found)).kind == kind
            assert told(found.to_arrow()) == kind
            assert f"kind='{kind}'" in repr(found)
            if isinstance(found, analysis.Changes):
                assert told(found.summary()) == kind


@pytest.mark.parametrize("name", [*RESULTS, "edit_graph"])
def test_results_print_in_a_few_lines(table: nb101.Table, name: str) -> None:
    found = {**RESULTS, "edit_graph": analysis.edit_graph}[name](table)
    if isinstance(found, (pa.Table, dict)):
        return
    lines = repr(found).splitlines()
    assert 1 <= len(lines) <= 10
    assert all(len(line) <= 100 for line in lines)
    assert lines[0].startswith(f"{type(found).__name__}(")
    assert lines[-1].endswith(")")


def test_columns_print_their_shape_and_short_ones_their_numbers(table: nb101.Table) -> None:
    found = analysis.ecdf(table)
    assert f"values=<{len(found.values)} float64>" in repr(found)
    few = replace(found, values=np.array([0.5, 0.75]))
    assert repr(few) == (
        "Ecdf(kind='unknown', metric='test_accuracy', epochs=36, values=[0.5, 0.75])"
    )
    front = replace(analysis.pareto_front(table), values=np.zeros((3, 2)), metrics=("m" * 30,) * 5)
    assert "values=<3 x 2 float64>" in repr(front)
    assert "metrics=<5 entries>" in repr(front)
