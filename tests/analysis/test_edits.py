"""Changes of ops and edges against the oracle, cell by cell."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

import nb101
import oracle
from nb101 import DatasetError, analysis
from nb101.analysis.edits import EDGE_KINDS


def listed(changes: analysis.Changes) -> Counter[tuple[str, int, int]]:
    names = [changes.kinds[kind] for kind in changes.which.tolist()]
    return Counter(zip(names, changes.cell_id.tolist(), changes.new_cell_id.tolist(), strict=True))


def check_values(changes: analysis.Changes, table: nb101.Table) -> None:
    ids = table.cell_ids.tolist()
    accuracy = dict(zip(ids, table.mean(changes.metric, changes.epochs).tolist(), strict=True))
    time = dict(zip(ids, table.mean("training_time", changes.epochs).tolist(), strict=True))
    pairs = list(zip(changes.cell_id.tolist(), changes.new_cell_id.tolist(), strict=True))
    gain = [accuracy[b] - accuracy[a] for a, b in pairs]
    longer = [time[b] / time[a] - 1 for a, b in pairs]
    assert changes.accuracy.tolist() == pytest.approx(gain, abs=1e-12)
    assert changes.training_time.tolist() == pytest.approx(longer, nan_ok=True)


def has_runs(table: nb101.Table, metric: str, epochs: int) -> set[int]:
    values = table.mean(metric, epochs)
    return set(table.cell_ids[~np.isnan(values)].tolist())


def expected_op_changes(small: Any, known: set[int]) -> tuple[Counter[Any], int]:
    found: Counter[Any] = Counter()
    skipped = 0
    ops = small.space.ops
    for source, (matrix, codes) in enumerate(small.modules):
        for x in range(1, len(codes) - 1):
            for op in {0, 1} - {codes[x]}:
                changed = oracle.representative(matrix, (*codes[:x], op, *codes[x + 1 :]))
                target = small.rank[changed]
                if source in known and target in known:
                    found[f"{ops[codes[x]]} -> {ops[op]}", source, target] += 1
                skipped += not {source, target} <= known
    return found, skipped


def test_op_replacement(small: Any, table: nb101.Table) -> None:
    found = analysis.op_replacement(table, epochs=36)
    expected, _ = expected_op_changes(small, set(range(len(small.modules))))
    assert listed(found) == expected
    assert found.skipped == 0
    check_values(found, table)


def test_op_replacement_with_holes(small: Any, holes: nb101.Table) -> None:
    found = analysis.op_replacement(holes, metric="test_accuracy")
    known = has_runs(holes, "test_accuracy", 36)
    expected, _ = expected_op_changes(small, known)
    assert listed(found) == expected
    # Changes of cells that have no row at all are not counted.
    rows = set(holes.cell_ids.tolist())
    from_rows = sum(
        len(codes) - 2 for source, (_, codes) in enumerate(small.modules) if source in rows
    )
    assert len(found) + found.skipped == from_rows
    check_values(found, holes)


def expected_edge_changes(small: Any, known: set[int]) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for source, (matrix, codes) in enumerate(small.modules):
        v, edges = len(codes), oracle.edges_of(matrix)
        for edge in edges:
            pruned = oracle.prune(
                *oracle.from_edges(v, [other for other in edges if other != edge], codes[1:-1])
            )
            if pruned is not None:
                kind = EDGE_KINDS[len(pruned[1]) < v]
                found[kind, source, small.rank[oracle.representative(*pruned)]] += 1
        if len(edges) == 6:
            continue
        # Added between two vertices of one form and so of any: once, whichever forms have it.
        for x in range(v):
            for y in range(v):
                more = with_edge(v, edges, codes, x, y)
                if more is not None:
                    found[EDGE_KINDS[2], source, small.rank[more]] += 1
    return Counter({k: n for k, n in found.items() if {k[1], k[2]} <= known})


def with_edge(v: int, edges: Any, codes: Any, x: int, y: int) -> oracle.Module | None:
    """The module with an edge from x to y, whatever order that takes; None if it makes no cell."""
    if x == y or (x, y) in edges or y == 0 or x == v - 1:
        return None
    from itertools import permutations

    for inner in permutations(range(1, v - 1)):
        place = {old: new for new, old in enumerate((0, *inner, v - 1))}
        moved = [(place[a], place[b]) for a, b in [*edges, (x, y)]]
        if all(a < b for a, b in moved):
            return oracle.representative(
                *oracle.from_edges(v, moved, [codes[old] for old in inner])
            )
    return None


def test_edge_changes(small: Any, table: nb101.Table, holes: nb101.Table) -> None:
    for each in (table, holes):
        found = analysis.edge_changes(each)
        known = has_runs(each, "validation_accuracy", 36)
        assert listed(found) == expected_edge_changes(small, known)
        check_values(found, each)


def test_summary(table: nb101.Table) -> None:
    found = analysis.op_replacement(table)
    rows = found.summary().to_pylist()
    assert [row["kind"] for row in rows] == list(found.kinds)
    for kind, row in enumerate(rows):
        own = found.accuracy[found.which == kind]
        assert row["changes"] == len(own)
        assert row["accuracy_mean"] == pytest.approx(sum(own.tolist()) / len(own))
        assert row["accuracy_q05"] == pytest.approx(np.quantile(own, 0.05))
        assert row["better"] == pytest.approx(sum(x > 0 for x in own.tolist()) / len(own))
        times = found.training_time[found.which == kind]
        assert row["training_time_mean"] == pytest.approx(times.mean())
    assert found.to_arrow().num_rows == len(found)


def test_the_whole_space(space: nb101.SearchSpace, cells: nb101.Cells) -> None:
    """As many changes as there are vertices and other ops; by parameters, which way is known."""
    n = len(cells)
    columns = {"cell_id": np.arange(n), "epochs": np.full(n, 4)}
    columns["final_validation_accuracy"] = cells.parameters() / 1e8
    table = nb101.Table.from_columns(columns, space=space)
    found = analysis.op_replacement(table, epochs=4)
    interior = (cells.vertices.astype(int) - 2).sum()
    assert len(found) == 2 * interior == 4_101_894
    assert np.isnan(found.training_time).all()
    rows = {row["kind"]: row for row in found.summary().to_pylist()}
    assert len(rows) == 6
    # A pooling has no weights: each replacement of a convolution by it saves some.
    assert rows["conv3x3-bn-relu -> maxpool3x3"]["better"] == 0
    assert rows["maxpool3x3 -> conv1x1-bn-relu"]["better"] == 1


def test_nothing_to_compare() -> None:
    columns = {"cell_id": [0], "epochs": [4], "final_validation_accuracy": [0.5]}
    table = nb101.Table.from_columns(columns)
    for statistic in (analysis.op_replacement, analysis.edge_changes):
        found = statistic(table)
        assert len(found) == 0
        with pytest.raises(DatasetError, match="no two cells"):
            found.summary()
