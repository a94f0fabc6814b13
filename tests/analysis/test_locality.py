"""Walks, distances and optima against brute force on spaces of up to 5 vertices."""

from itertools import pairwise, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import nb101
import oracle
from nb101 import (
    ArgumentError,
    CellIdError,
    DatasetError,
    MissingRunError,
    SpaceError,
    analysis,
)
from nb101.analysis import paper
from nb101.analysis.locality import autocorrelation
from nb101.analysis.study import Study

Matrix = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def near(small: Any) -> list[set[int]]:
    """Neighbours of each cell, in both directions, by the oracle."""
    found: list[set[int]] = [set() for _ in small.modules]
    for i, cell in enumerate(small.modules):
        for other in oracle.neighbors(cell, 5, 6, 2):
            j = small.rank[other]
            found[i].add(j)
            found[j].add(i)
    return found


def test_graph(near: list[set[int]], table: nb101.Table, holes: nb101.Table) -> None:
    for each in (table, holes):
        graph = analysis.edit_graph(each)
        ids = each.cell_ids.tolist()
        assert len(graph) == len(ids)
        row = {cell: i for i, cell in enumerate(ids)}
        for i, cell in enumerate(ids):
            expected = sorted(row[other] for other in near[cell] if other in row)
            assert graph.neighbors(i).tolist() == expected
            assert graph.degrees[i] == len(expected)
    with pytest.raises(CellIdError, match="out of range"):
        graph.neighbors(len(graph))


def test_walks_go_to_neighbours(near: list[set[int]], holes: nb101.Table) -> None:
    graph = analysis.edit_graph(holes)
    for chosen in (graph, "cells"):
        rows = analysis.random_walks(holes, walks=40, steps=50, seed=3, graph=chosen)
        assert rows.shape == (40, 51)
        for walk in rows.tolist():
            for a, b in pairwise(walk):
                if a < 0 or b < 0:
                    assert b < 0
                    assert a < 0 or not len(graph.neighbors(a))
                else:
                    assert holes.cell_ids[b] in near[int(holes.cell_ids[a])]
    same = analysis.random_walks(holes, walks=40, steps=50, seed=3, graph=graph)
    other = analysis.random_walks(holes, walks=40, steps=50, seed=4, graph=graph)
    assert np.array_equal(rows, same)
    assert not np.array_equal(rows, other)


def encodings(vertices: int, num_ops: int) -> list[oracle.Module]:
    bits = vertices * (vertices - 1) // 2
    return [
        oracle.from_mask(vertices, mask, inner)
        for inner in product(range(num_ops), repeat=vertices - 2)
        for mask in range(1 << bits)
    ]


def test_walks_through_encodings(small: Any, holes: nb101.Table) -> None:
    """A step leads to a cell that some encoding of the one before has an edit of."""
    ids = set(holes.cell_ids.tolist())
    cell_of: dict[oracle.Module, int] = {}
    for module in encodings(5, 2):
        pruned = oracle.prune(*module)
        if pruned is not None and len(oracle.edges_of(pruned[0])) <= 6:
            cell = small.rank[oracle.representative(*pruned)]
            if cell in ids:
                cell_of[module] = cell
    steps: dict[int, set[int]] = {}
    for (matrix, codes), cell in cell_of.items():
        mask, inner = oracle.mask_of(matrix), codes[1:-1]
        edits = [oracle.from_mask(5, mask ^ 1 << bit, inner) for bit in range(10)]
        for x in range(3):
            changed = (*inner[:x], 1 - inner[x], *inner[x + 1 :])
            edits.append(oracle.from_mask(5, mask, changed))
        found = {cell_of[edit] for edit in edits if edit in cell_of}
        steps.setdefault(cell, set()).update(found)
    rows = analysis.random_walks(holes, walks=100, steps=200, seed=0)
    assert rows.min() >= 0
    visited = holes.cell_ids[rows]
    for a, b in zip(visited[:, :-1].ravel().tolist(), visited[:, 1:].ravel().tolist(), strict=True):
        assert b in steps[a]
    assert len(np.unique(visited)) > 0.9 * len(ids)


def test_autocorrelation_is_what_it_says(holes: nb101.Table) -> None:
    """Term by term, with points that are not known left out."""
    values = holes.mean("test_accuracy", 36)
    rows = analysis.random_walks(holes, walks=12, steps=30, seed=5, graph="cells")
    seen = [[values[row] if row >= 0 else np.nan for row in walk] for walk in rows.tolist()]
    points = [x for walk in seen for x in walk if not np.isnan(x)]
    mean = sum(points) / len(points)
    variance = sum((x - mean) ** 2 for x in points) / len(points)
    found = analysis.random_walk_autocorrelation(
        holes, metric="test_accuracy", graph="cells", walks=12, steps=30, lags=8, seed=5
    )
    for lag in range(9):
        products = [
            (walk[t] - mean) * (walk[t + lag] - mean)
            for walk in seen
            for t in range(len(walk) - lag)
            if not np.isnan(walk[t] + walk[t + lag])
        ]
        expected = sum(products) / len(products) / variance
        assert found.correlation[lag] == pytest.approx(expected)
    assert found.correlation[0] == pytest.approx(1)
    assert found.distances.tolist() == pytest.approx([lag**0.5 for lag in range(9)])


def test_autocorrelation_is_that_of_the_chain(table: nb101.Table) -> None:
    """Long walks: covariances by powers of the transition matrix, brute force over all cells."""
    graph = analysis.edit_graph(table)
    n = len(graph)
    step = np.zeros((n, n))
    for row in range(n):
        step[row, graph.neighbors(row)] = 1 / graph.degrees[row]
    values = table.mean("validation_accuracy", 36)
    walks, steps, lags = 4000, 100, 6
    visits = np.full(n, 1 / n)
    share = np.zeros((steps + 1, n))
    for t in range(steps + 1):
        share[t] = visits
        visits = visits @ step
    mean = share.mean(axis=0) @ values
    variance = share.mean(axis=0) @ (values - mean) ** 2
    found = analysis.random_walk_autocorrelation(
        table, graph=graph, walks=walks, steps=steps, lags=lags, seed=1
    )
    ahead = values - mean
    for lag in range(lags + 1):
        expected = share[: steps + 1 - lag].mean(axis=0) @ ((values - mean) * ahead) / variance
        # The noise is 1.96 standard errors: three of it are hardly ever passed.
        assert abs(found.correlation[lag] - expected) < 3 * found.noise[lag] + 1e-3
        ahead = step @ ahead
    assert 0 < found.noise[1] < 0.02


def test_noise_covers_what_is_drawn_at_random() -> None:
    """Of walks without any correlation, about 5 % of the lags pass their noise."""
    rng = np.random.default_rng(0)
    correlation, noise = autocorrelation(rng.random((200, 301)), 200)
    outside = np.abs(correlation[1:]) > noise[1:]
    assert 0.01 < outside.mean() < 0.12
    assert np.isnan(autocorrelation(rng.random((1, 30)), 3)[1]).all()


def test_summaries_of_an_autocorrelation() -> None:
    def made(correlation: list[float], noise: float) -> analysis.Autocorrelation:
        n = len(correlation)
        return analysis.Autocorrelation(
            metric="m",
            epochs=4,
            graph="cells",
            walks=2,
            steps=9,
            lags=np.arange(n),
            correlation=np.array(correlation),
            noise=np.full(n, noise),
        )

    falling = made([1, 0.5, 0.25, 0.04, 0.3], 0.05)
    assert falling.above_noise == pytest.approx(2**0.5)
    assert falling.correlation_length == pytest.approx(1 / np.log(2))
    assert made([1, 0.5], 0.05).above_noise == 1
    assert np.isnan(made([1, -0.5], 2.0).above_noise)
    assert np.isnan(made([1, -0.5], 0.05).correlation_length)
    assert falling.to_arrow().num_rows == 5
    assert not falling.never_below
    assert made([1, 0.5], 0.05).never_below


def test_what_walks_refuse(table: nb101.Table) -> None:
    with pytest.raises(ValueError, match="lags must be from 1"):
        analysis.random_walk_autocorrelation(table, steps=5, lags=6)
    with pytest.raises(ValueError, match="walks must be"):
        analysis.random_walks(table, walks=0)
    with pytest.raises(ValueError, match="graph must be"):
        analysis.random_walks(table, graph="streets")  # type: ignore[arg-type]
    same = {"cell_id": [1, 2], "epochs": [4, 4], "final_validation_accuracy": [0.5, 0.5]}
    with pytest.raises(DatasetError, match="single value"):
        analysis.random_walk_autocorrelation(nb101.Table.from_columns(same), walks=3)
    empty = nb101.Table.from_columns({"cell_id": [], "epochs": []})
    with pytest.raises(MissingRunError, match="no runs"):
        analysis.random_walks(empty)


def test_fitness_distance(small: Any, holes: nb101.Table) -> None:
    values = holes.mean("test_accuracy", 36)
    known = {
        int(cell): float(value)
        for cell, value in zip(holes.cell_ids, values, strict=True)
        if not np.isnan(value)
    }
    best = max(known, key=lambda cell: known[cell])
    for target in (None, sorted(known)[20]):
        found = analysis.fitness_distance(holes, target=target)
        goal = best if target is None else target
        assert found.target == goal
        groups: dict[int, list[float]] = {}
        for cell, value in known.items():
            distance = oracle.edit_distance(small.modules[cell], small.modules[goal])
            groups.setdefault(distance, []).append(value)
        level = np.mean(list(known.values()))
        for row in found.to_arrow().to_pylist():
            own = groups.get(row["distance"], [])
            assert row["cells"] == len(own)
            within = sum(len(group) for d, group in groups.items() if d <= row["distance"])
            assert row["share_within"] == pytest.approx(within / len(known))
            if own:
                assert row["mean"] == pytest.approx(np.mean(own))
                assert row["best"] == pytest.approx(max(own))
                expected = (np.mean(own) - level) / (known[goal] - level)
                assert row["relative"] == pytest.approx(expected)
        pairs = [(d, value) for d, group in groups.items() for value in group]
        assert found.coefficient == pytest.approx(np.corrcoef(np.array(pairs).T)[0, 1])
    missing = sorted(set(range(len(small.modules))) - set(known))[0]
    with pytest.raises(MissingRunError, match=f"no test_accuracy of cell {missing}"):
        analysis.fitness_distance(holes, target=missing)


def test_peak_volume(small: Any, holes: nb101.Table) -> None:
    found = analysis.peak_volume(holes, top=3)
    values = holes.mean("test_accuracy", 36)
    order = sorted(np.flatnonzero(~np.isnan(values)), key=lambda row: -values[row])
    tops = holes.cell_ids[order[:3]].tolist()
    assert found.cell_ids.tolist() == tops
    peaks, counts = [], dict.fromkeys(tops, 0)
    valid = []
    everything = encodings(5, 2)
    for matrix, codes in everything:
        pruned = oracle.prune(matrix, codes)
        good = pruned is not None and len(oracle.edges_of(pruned[0])) <= 6
        valid.append(good)
        cell = small.rank[oracle.representative(*pruned)] if good and pruned else None
        if cell in counts:
            counts[cell] += 1
            peaks.append((oracle.mask_of(matrix), codes))
    assert found.encodings.tolist() == list(counts.values())
    histogram, valid_histogram = np.zeros(14, int), np.zeros(14, int)
    for (matrix, codes), good in zip(everything, valid, strict=True):
        mask = oracle.mask_of(matrix)
        least = min(
            (mask ^ other).bit_count() + sum(a != b for a, b in zip(codes, labels, strict=True))
            for other, labels in peaks
        )
        histogram[least] += 1
        valid_histogram[least] += good
    assert found.counts.tolist() == histogram.tolist()
    assert found.valid_counts.tolist() == valid_histogram.tolist()
    assert found.share_within[-1] == found.valid_share_within[-1] == 1
    assert found.to_arrow().num_rows == 14


def test_the_best_cells_by_standard_error(small: Any) -> None:
    columns = {
        "cell_id": [1, 1, 1, 2, 2, 2, 3, 3, 3],
        "epochs": [4] * 9,
        # Standard error of the best: 0.01.
        "final_test_accuracy": np.array([0.9, 0.9, 0.9, 0.889, 0.889, 0.889, 0.87, 0.87, 0.87])
        + [0.0, 3**0.5 / 100, -(3**0.5) / 100] * 3,
    }
    table = nb101.Table.from_columns(columns, space=small.space)
    found = analysis.peak_volume(table)
    assert "two standard errors" in found.rule
    assert found.cell_ids.tolist() == [1, 2]
    once = table.select(repeats=0)
    assert "without repeats" in analysis.peak_volume(once).rule
    assert analysis.peak_volume(once).cell_ids.tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="top must be"):
        analysis.peak_volume(once, top=0)
    large = nb101.SearchSpace(8, 9)
    columns = {"cell_id": [5], "epochs": [4], "final_test_accuracy": [0.5]}
    with pytest.raises(SpaceError, match="too many to look at each"):
        analysis.peak_volume(nb101.Table.from_columns(columns, space=large))


def test_the_paper_counts_the_encodings_of_the_best_cell(space: nb101.SearchSpace) -> None:
    """Four (section 3.3), in a space of 510 million."""
    best = space.find_hash("02e5a0247bbdcf2860b7e96f74961594")
    columns = {"cell_id": [best], "epochs": [108], "final_test_accuracy": [0.943176]}
    found = analysis.peak_volume(nb101.Table.from_columns(columns))
    assert found.encodings.tolist() == [paper.BEST_ENCODINGS]
    assert found.counts.sum() == 2**21 * 3**5
    # Each has 21 flips and 10 changes of an op, and no two are near each other.
    assert found.counts[:2].tolist() == [4, 4 * 31]


def test_local_optima(near: list[set[int]], table: nb101.Table, holes: nb101.Table) -> None:
    for each in (table, holes):
        values = each.mean("test_accuracy", 36)
        height = {
            int(cell): float(value)
            for cell, value in zip(each.cell_ids, values, strict=True)
            if not np.isnan(value)
        }
        ends: dict[int, tuple[int, int]] = {}
        for start in height:
            at, steps = start, 0
            while True:
                better = [c for c in near[at] if height.get(c, -1) > height[at]]
                if not better:
                    break
                at = min(better, key=lambda cell: (-height[cell], cell))
                steps += 1
            ends[start] = at, steps
        found = analysis.local_optima(each, metric="test_accuracy")
        assert found.cell_ids.tolist() == list(height)
        assert found.cell_ids[found.ends].tolist() == [end for end, _ in ends.values()]
        assert found.steps.tolist() == [steps for _, steps in ends.values()]
        optima = sorted({end for end, _ in ends.values()}, key=lambda cell: -height[cell])
        assert found.optima.tolist() == optima
        assert found.values.tolist() == pytest.approx([height[cell] for cell in optima])
        ended = [end for end, _ in ends.values()]
        assert found.basins.tolist() == [ended.count(cell) for cell in optima]
        assert found.global_share == ended.count(optima[0]) / len(ended)
        assert found.to_arrow().num_rows == len(optima)
        alone = [not any(other in height for other in near[cell]) for cell in optima]
        assert found.isolated.tolist() == alone
    assert analysis.local_optima(table, graph=analysis.edit_graph(table)).basins.sum() == len(near)
    with pytest.raises(ValueError, match="the graph has"):
        analysis.local_optima(holes, graph=analysis.edit_graph(table))


def test_sparse_tables(near: list[set[int]], small: Any) -> None:
    """Of a random sample, walks and optima tell of the gaps: they are refused in studies."""
    rng = np.random.default_rng(0)
    n = len(small.space)

    def made(cells: list[int]) -> nb101.Table:
        values = rng.random(len(cells))
        columns = {"cell_id": cells, "epochs": [4] * len(cells), "final_test_accuracy": values}
        return nb101.Table.from_columns(columns, space=small.space)

    apart: list[int] = []
    for cell in rng.permutation(n).tolist():
        if not near[cell] & set(apart):
            apart.append(cell)
    apart.sort()
    assert len(apart) > 5
    sparse = made(apart)
    assert analysis.local_optima(sparse, metric="test_accuracy").isolated.all()
    study = Study(sparse)
    assert study.isolated == (len(apart), len(apart))
    with pytest.raises(DatasetError, match=f"{len(apart)} of {len(apart)} cells have no neighbour"):
        _ = study.walks
    with pytest.raises(DatasetError, match="have no neighbour in the table"):
        _ = study.local_optima
    whole = Study(made(list(range(n))))
    assert whole.isolated == (0, n)
    assert not whole.local_optima.isolated.any()


def test_costs_descend(table: nb101.Table) -> None:
    found = analysis.local_optima(table, metric="training_time")
    assert found.values[0] == table.mean("training_time").min()
    assert (np.diff(found.values) >= 0).all()


def test_the_best_by_a_cost_is_the_lowest(holes: nb101.Table) -> None:
    times = holes.mean("training_time", 36)
    order = sorted(np.flatnonzero(~np.isnan(times)), key=lambda row: times[row])
    ids = holes.cell_ids[order].tolist()
    assert analysis.peak_volume(holes, metric="training_time", top=3).cell_ids.tolist() == ids[:3]
    found = analysis.fitness_distance(holes, metric="training_time")
    assert found.target == ids[0]
    for distance, best in enumerate(found.best.tolist()):
        own = found.values[found.distance == distance]
        assert best == pytest.approx(own.min(), nan_ok=True) if len(own) else np.isnan(best)
    columns = {
        "cell_id": [1, 1, 1, 2, 2, 2, 3, 3, 3],
        "epochs": [4] * 9,
        # Standard error of the quickest: 1.
        "final_training_time": np.repeat([90.0, 91.5, 93.0], 3) + [0.0, 3**0.5, -(3**0.5)] * 3,
    }
    table = nb101.Table.from_columns(columns, space=holes.space)
    near = analysis.peak_volume(table, metric="training_time")
    assert near.cell_ids.tolist() == [1, 2]
    # Two runs tell too little of how far the mean may be off.
    two = analysis.peak_volume(table.select(repeats=[0, 1]), metric="training_time")
    assert "without repeats" in two.rule
    assert two.cell_ids.tolist() == [1, 2, 3]


def test_neighbor_values(near: list[set[int]], holes: nb101.Table) -> None:
    cell = int(holes.cell_ids[30])
    found = analysis.neighbor_values(holes, cell, ("test_accuracy", "flops"))
    ids = holes.space.index(holes.space.neighbors(holes.space[cell])).tolist()
    assert found["cell_id"].tolist() == [i for i in ids if i in set(holes.cell_ids.tolist())]
    assert set(found["cell_id"].tolist()) <= near[cell]
    assert found["flops"].tolist() == [holes.space[int(i)].flops for i in found["cell_id"]]


def test_own_metrics_have_the_direction_that_somebody_says(small: Any) -> None:
    """Nobody guesses from a name; said in the table or in the call, all of analysis goes by it."""
    n = len(small.space)
    latency = np.random.default_rng(0).random(n) + 1
    columns = {"cell_id": np.arange(n), "epochs": [4] * n, "latency": latency}
    columns["final_validation_accuracy"] = np.linspace(0.1, 0.9, n)
    silent = nb101.Table.from_columns(columns, space=small.space)
    told = nb101.Table.from_columns(columns, space=small.space, directions={"latency": "min"})
    calls: list[Any] = [
        analysis.local_optima,
        analysis.fitness_distance,
        analysis.peak_volume,
        analysis.op_replacement,
        analysis.structure,
    ]
    for call in calls:
        with pytest.raises(ArgumentError, match="whether less or more of latency is better"):
            call(silent, metric="latency")
        call(silent, metric="latency", direction="max")
    front = ("latency", "validation_accuracy")
    with pytest.raises(ArgumentError, match="whether less or more of latency is better"):
        analysis.pareto_front(silent, front)
    with pytest.raises(ArgumentError, match="'speed' is none of the metrics"):
        analysis.pareto_front(silent, front, directions={"speed": "max"})
    best = int(latency.argmin())
    assert analysis.local_optima(told, metric="latency").optima[0] == best
    assert analysis.fitness_distance(told, metric="latency").target == best
    assert analysis.peak_volume(told, metric="latency").cell_ids[0] == best
    assert best in analysis.pareto_front(told, front).cell_ids
    most = int(latency.argmax())
    given = analysis.pareto_front(silent, front, directions={"latency": "max"})
    assert most in given.cell_ids
    assert best not in given.cell_ids
    up = analysis.op_replacement(told, metric="latency", direction="max").summary()
    down = analysis.op_replacement(told, metric="latency").summary()
    for more, less in zip(up.to_pylist(), down.to_pylist(), strict=True):
        assert more["better"] + less["better"] == pytest.approx(1)
    rows = analysis.structure(told, metric="latency").to_pylist()
    assert min(row["accuracy_best"] for row in rows) == latency.min()
