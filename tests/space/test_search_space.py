"""Search spaces: counted, enumerated, indexed, sampled and walked."""

import math
import pickle
from collections import Counter
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nb101
import oracle
import strategies
from nb101 import (
    Cell,
    CellIdError,
    Cells,
    DisconnectedError,
    InvalidCellError,
    OutOfSpaceError,
    SearchSpace,
    SpaceError,
    UnknownOpError,
)

SMALL = [(2, 1, 1), (3, 2, 2), (4, 6, 3), (4, 4, 5), (5, 10, 2), (5, 6, 1), (5, 5, 3), (6, 15, 1)]


def make(vertices: int, edges: int, ops: int) -> SearchSpace:
    return SearchSpace(vertices, edges, [f"op{i}" for i in range(ops)])


def modules_of(cells: Cells) -> list[oracle.Module]:
    return [oracle.module(cell.matrix.tolist(), cell.codes) for cell in cells]


def within(counts: Counter[Any], expected: dict[Any, float]) -> bool:
    """Chi-square: whether counts are within six sigma of their expected distribution."""
    n = sum(counts.values())
    assert set(counts) <= set(expected)
    statistic = sum((counts[k] - n * p) ** 2 / (n * p) for k, p in expected.items())
    degrees = len(expected) - 1
    return statistic < degrees + 6 * math.sqrt(2 * degrees)


class TestTheWholeSpace:
    def test_size(self, space: SearchSpace, cells: Cells, golden: dict[str, Any]) -> None:
        count = space.count()
        assert len(space) == len(cells) == int(count) == count.total == golden["size"]
        assert {str(k): n for k, n in count.by_vertices.items()} == golden["by_vertices"]
        assert {str(k): n for k, n in count.by_edges.items()} == golden["by_edges"]
        assert int(SearchSpace(ops=["any"]).count()) == golden["structures"]

    def test_enumeration_has_the_counts(self, space: SearchSpace, cells: Cells) -> None:
        found = Counter(zip(cells.vertices.tolist(), cells.num_edges.tolist(), strict=True))
        table = space.count().table
        assert found == {(v, e): n for v, row in enumerate(table) for e, n in enumerate(row) if n}

    def test_hashes_are_distinct(self, hashes: Any, golden: dict[str, Any]) -> None:
        assert len(np.unique(hashes)) == golden["size"]

    def test_parameters(self, cells: Cells, golden: dict[str, Any]) -> None:
        parameters = cells.parameters()
        assert parameters.min() == golden["parameters"]["least"]
        assert parameters.max() == golden["parameters"]["most"]
        assert round(float(parameters.mean()), 2) == golden["parameters"]["mean"]

    def test_order(self, cells: Cells) -> None:
        words = zip(
            cells.vertices.tolist(),
            cells.edge_masks.tolist(),
            cells.operations().tolist(),
            strict=True,
        )
        keys = list(words)
        assert all(a < b for a, b in pairwise(keys))

    def test_index_and_item_are_inverse(self, space: SearchSpace, cells: Cells) -> None:
        every = np.arange(len(space))
        assert (space.index(cells) == every).all()
        assert space[every] == cells
        assert space[:] == cells
        assert (space.index(space[every[::-1]]) == every[::-1]).all()
        assert (space.index(cells.adjacency(), cells.operations()) == every).all()

    def test_item_of_one(self, space: SearchSpace, cells: Cells) -> None:
        for i in (0, 1, 90, 91, 2531, 64541, 64542, 423623, -1, -423624):
            assert space[i] == cells[i]
            assert space.index(space[i]) == i % len(space)
            assert type(space.index(space[i])) is int

    def test_a_thousand_are_as_the_oracle_says(self, cells: Cells, hashes: Any) -> None:
        chosen = np.random.default_rng(0).choice(len(cells), 1000, replace=False)
        parameters, flops = cells.parameters(), cells.flops()
        for i, module in zip(chosen, modules_of(cells[chosen]), strict=True):
            assert oracle.representative(*module) == module
            assert oracle.hash_module(*module).encode() == hashes[i]
            assert oracle.cost(*module) == (parameters[i], flops[i])


@pytest.mark.parametrize("limits", SMALL)
def test_enumeration_is_brute_force(limits: tuple[int, int, int]) -> None:
    space = make(*limits)
    expected = list(oracle.enumerate_space(*limits))
    cells = space.enumerate()
    assert modules_of(cells) == expected
    assert len(space) == len(expected)
    assert list(space) == list(cells)
    assert (space.index(cells) == np.arange(len(expected))).all()
    assert modules_of(space[np.arange(len(expected))]) == expected
    digests = [oracle.hash_module(*module).encode() for module in expected]
    assert cells.hashes().tolist() == digests


@pytest.mark.parametrize("limits", [(7, 9, 1), (7, 7, 4), (6, 10, 5), (8, 9, 1), (5, 10, 15)])
def test_counting_is_enumerating(limits: tuple[int, int, int]) -> None:
    space = make(*limits)
    cells = space.enumerate()
    found = Counter(zip(cells.vertices.tolist(), cells.num_edges.tolist(), strict=True))
    table = space.count().table
    assert found == {(v, e): n for v, row in enumerate(table) for e, n in enumerate(row) if n}
    assert (space.index(cells) == np.arange(len(space))).all()


def test_large_spaces_are_counted_exactly() -> None:
    """Spaces grow by one op as a polynomial does; sizes over 64 bits are exact integers."""
    # With k ops, the cells of up to v vertices are a polynomial in k of degree v - 2.
    for vertices, edges in ((5, 10), (6, 9)):
        sizes = [int(make(vertices, edges, k).count()) for k in range(1, 12)]
        differences = sizes
        for _ in range(vertices - 1):
            differences = [b - a for a, b in pairwise(differences)]
        assert set(differences) == {0}
    huge = make(11, 55, 15)
    assert int(huge.count()) > 2**64
    with pytest.raises(OverflowError):
        len(huge)
    with pytest.raises(SpaceError, match="iter_batches"):
        huge.enumerate()
    with pytest.raises(SpaceError, match="ids"):
        huge.index(Cell([[0, 1], [0, 0]], ["input", "output"]))
    first = next(huge.iter_batches(1000))
    assert len(first) == 1000
    assert (first.num_edges[:3] == [1, 2, 2]).all()


@pytest.mark.parametrize("n", [1, 7, 1000, 2532, 2533, 10**9])
def test_batches_are_the_enumeration(n: int) -> None:
    space = SearchSpace(5, 9)
    everything = space.enumerate()
    reported: list[tuple[int, int]] = []
    batches = list(space.iter_batches(n, progress=lambda *at: reported.append(at)))
    assert [len(batch) for batch in batches[:-1]] == [n] * (len(batches) - 1)
    assert 0 < len(batches[-1]) <= n
    assert Cells([cell for batch in batches for cell in batch]) == everything
    assert reported[-1] == (2532, 2532)
    assert len(reported) == len(batches)


def test_batches_over_the_whole_space(space: SearchSpace, cells: Cells) -> None:
    start = 0
    for batch in space.iter_batches(100_000):
        assert batch == cells[start : start + len(batch)]
        start += len(batch)
    assert start == len(cells)


def test_progress_of_an_enumeration() -> None:
    class StopError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        assert 0 <= done <= total == int(space.count())
        raise StopError

    space = make(8, 11, 2)
    with pytest.raises(StopError):
        space.enumerate(progress=stop)


class TestLimits:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"max_vertices": 1},
            {"max_vertices": 12},
            {"max_vertices": 0},
            {"max_vertices": -1},
            {"max_vertices": 10**30},
            {"max_vertices": 7.0},
            {"max_vertices": "7"},
            {"max_vertices": None},
            {"max_vertices": True},
            {"max_edges": 0},
            {"max_edges": -1},
            {"max_edges": 2.5},
            {"ops": []},
            {"ops": ["a"] * 2},
            {"ops": "conv3x3-bn-relu"},
            {"ops": ["input"]},
            {"ops": [1, 2]},
            {"ops": [f"op{i}" for i in range(16)]},
        ],
        ids=str,
    )
    def test_spaces_that_cannot_be(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"\w") as caught:
            SearchSpace(**wrong)
        assert type(caught.value) is SpaceError

    def test_more_edges_than_there_are(self) -> None:
        assert SearchSpace(4, 99) == SearchSpace(4, 6)
        assert SearchSpace(4, 10**30).max_edges == 6

    @pytest.mark.parametrize("n", [0, -1, 1.5, "2", None, True])
    def test_batch_sizes_that_are_none(self, n: Any) -> None:
        with pytest.raises(ValueError, match="n must be a whole number"):
            SearchSpace(4).iter_batches(n)

    def test_objects(self) -> None:
        a, b = SearchSpace(5, 7), SearchSpace(5, 7, nb101.OPS)
        assert a == b
        assert hash(a) == hash(b)
        assert pickle.loads(pickle.dumps(a)) == a
        assert eval(repr(a), {"SearchSpace": SearchSpace}) == a
        other = SearchSpace(5, 7, ["x"])
        assert other != a
        assert eval(repr(other), {"SearchSpace": SearchSpace}) == other
        assert SearchSpace(5, 8) != a
        assert a != (5, 7)


class TestIndex:
    @given(strategies.isomorphic_pairs())
    def test_any_form(self, space: SearchSpace, pair: tuple[oracle.Module, oracle.Module]) -> None:
        if len(oracle.edges_of(pair[0][0])) > 9:
            with pytest.raises(OutOfSpaceError, match="too many edges"):
                space.index(Cell(*pair[0]))
            assert Cell(*pair[0]) not in space
            return
        ids = space.index([matrix for matrix, _ in pair], [codes for _, codes in pair])
        assert ids[0] == ids[1] == space.index(Cell(*pair[1]))
        assert space[int(ids[0])] == Cell(*pair[0])
        assert Cell(*pair[0]) in space

    def test_kinds(self, space: SearchSpace, cells: Cells) -> None:
        chosen = cells[[5, 80, 400000]]
        matrices, codes = chosen.adjacency(), chosen.operations()
        for found in (
            space.index(chosen),
            space.index(list(chosen)),
            space.index(matrices, codes),
            space.index((matrices, codes)),
            space.index([cell.matrix for cell in chosen], [cell.ops for cell in chosen]),
            space.index(Cells(chosen, op_names=nb101.OPS[::-1])),
        ):
            assert found.dtype == np.int64
            assert found.tolist() == [5, 80, 400000]

    def test_other_vocabularies(self, space: SearchSpace) -> None:
        renamed = Cell(space[300].matrix, space[300].ops, op_names=["a", *nb101.OPS[::-1]])
        assert space.index(renamed) == 300
        assert renamed in space
        other = Cell(np.eye(3, k=1), ["input", "a", "output"], op_names=["a"])
        assert other not in space
        with pytest.raises(UnknownOpError, match="'a'"):
            space.index(other)

    def test_outside(self) -> None:
        space = SearchSpace(4, 4)
        chain, dense = (
            Cell(np.eye(5, k=1), [-1, 0, 0, 0, -2]),
            Cell(np.triu(np.ones((4, 4)), 1), [-1, 0, 0, -2]),
        )
        inside = space[3]
        for cell, part in ((chain, "too many vertices: 5"), (dense, "too many edges: 6")):
            assert cell not in space
            with pytest.raises(OutOfSpaceError, match=part):
                space.index(cell)
            with pytest.raises(OutOfSpaceError, match=f"module 1: {part}"):
                space.index(Cells([inside, cell]))
        assert inside in space
        assert inside.hash in space
        assert chain.hash not in space
        assert 3 not in space

    def test_wrong_modules(self, space: SearchSpace) -> None:
        chain = np.eye(3, k=1)
        with pytest.raises(UnknownOpError, match=r"module 1: unknown op 'conv'"):
            space.index([chain, chain], [OPS_OF_CHAIN, ["input", "conv", "output"]])
        with pytest.raises(UnknownOpError, match=r"module 1: unknown op code 3 at vertex 1"):
            space.index([chain, chain], [[-1, 0, -2], [-1, 3, -2]])
        with pytest.raises(UnknownOpError, match=r"module 0: unknown op code 3 at vertex 1"):
            space.index(chain[None], np.array([[-1, 3, -2]]))
        with pytest.raises(nb101.DisconnectedError, match=r"module 1: "):
            space.index([chain, 0 * chain], [OPS_OF_CHAIN] * 2)
        with pytest.raises(TypeError):
            space.index([1, 2, 3])

    @pytest.mark.parametrize(
        "wrong",
        [
            423624,
            -423625,
            2**63,
            -(2**63) - 1,
            2**80,
            np.uint64(2**63),
            [0, 423624],
            [-423625],
            [2**63],
            [2**80],
            np.array([2**64 - 1], dtype=np.uint64),
            1.0,
            [1.0],
            [[1]],
            None,
            [None],
            np.zeros(5, dtype=bool),
            float("nan"),
        ],
        ids=repr,
    )
    def test_ids_that_are_none(self, space: SearchSpace, wrong: Any) -> None:
        with pytest.raises(IndexError) as caught:
            space[wrong]
        assert type(caught.value) is CellIdError
        assert isinstance(caught.value, ValueError)

    def test_a_text_is_a_hash_and_no_id(self, space: SearchSpace) -> None:
        with pytest.raises(nb101.ArgumentError, match="not a hash: '1'"):
            space["1"]

    def test_arrays_of_ids(self, space: SearchSpace, cells: Cells) -> None:
        for dtype in (np.int8, np.uint8, np.int32, np.uint64, ">i4"):
            assert space[np.array([3, 1, 2], dtype=dtype)] == cells[[3, 1, 2]]
        assert space[[-1, -2]] == cells[[-1, -2]]
        assert space[::100000] == cells[::100000]
        assert len(space[[]]) == len(space[5:5]) == 0
        mask = cells.vertices == 4
        assert space[mask] == cells[mask]
        assert (space[np.arange(20)[::-2]].edge_masks == cells[19::-2].edge_masks).all()


OPS_OF_CHAIN = ["input", nb101.OPS[0], "output"]


class TestSample:
    def test_seeds_replay(self, space: SearchSpace) -> None:
        for method in ("unique", "raw"):
            one = space.sample(50, 7, method=method)
            assert one == space.sample(50, np.random.default_rng(7), method=method)
            assert one != space.sample(50, 8, method=method)
        rng = np.random.default_rng(7)
        assert space.sample(50, rng) != space.sample(50, rng)
        assert len(space.sample(0)) == 0
        assert space.sample(20) != space.sample(20)

    def test_unique_is_uniform(self) -> None:
        space = make(4, 6, 2)
        counts = Counter(space.index(space.sample(40 * len(space), seed=3)).tolist())
        assert within(counts, dict.fromkeys(range(len(space)), 1 / len(space)))

    def test_raw_is_as_encodings_are(self) -> None:
        space = make(4, 4, 2)
        weights: Counter[int] = Counter()
        for mask, inner in product(range(1 << 6), product(range(2), repeat=2)):
            pruned = oracle.prune(*oracle.from_mask(4, mask, inner))
            if pruned is not None and len(oracle.edges_of(pruned[0])) <= 4:
                weights[int(space.index([pruned[0]], [pruned[1]])[0])] += 1
        expected = {i: n / weights.total() for i, n in weights.items()}
        assert len(expected) == len(space)
        counts = Counter(space.index(space.sample(50_000, seed=5, method="raw")).tolist())
        assert within(counts, expected)
        # A check of the check: uniform draws are far from it.
        uniform = Counter(space.index(space.sample(50_000, seed=5)).tolist())
        assert not within(uniform, expected)

    @pytest.mark.parametrize("n", [-1, 1.5, "3", None, True])
    def test_numbers_that_are_none(self, space: SearchSpace, n: Any) -> None:
        with pytest.raises(ValueError, match="n must be a whole number"):
            space.sample(n)

    def test_unknown_method(self, space: SearchSpace) -> None:
        with pytest.raises(ValueError, match="'unique' or 'raw'"):
            space.sample(1, method="best")  # type: ignore[arg-type]


class TestNeighbors:
    @pytest.mark.parametrize("limits", [(4, 6, 3), (5, 5, 2), (4, 4, 1)])
    def test_all_of_small_spaces(self, limits: tuple[int, int, int]) -> None:
        space = make(*limits)
        near = oracle.neighbors(*limits)
        for cell, module in zip(space, oracle.enumerate_space(*limits), strict=True):
            found = space.neighbors(cell)
            assert set(modules_of(found)) == near[module]
            ids = space.index(found)
            assert (np.diff(ids) > 0).all()

    @settings(max_examples=20)
    @given(st.integers(0, 423623))
    def test_of_the_whole_space(self, space: SearchSpace, i: int) -> None:
        cell = space[i]
        module = oracle.module(cell.matrix.tolist(), cell.codes)
        found = space.neighbors(cell)
        edits = oracle.edits(module, 7, 9, 3)
        modules = modules_of(found[:: 1 + len(found) // 5])
        assert len(found) >= len(edits)
        assert edits <= set(modules_of(found))
        for other in modules:
            assert other in edits or module in oracle.edits(other, 7, 9, 3)
        same_size = found[found.vertices == cell.vertices]
        assert (same_size.alignment_distance(cell) == 1).all()

    @pytest.mark.parametrize("i", [0, 1, 5, 7, 90, 1500, 5000, 100_000])
    def test_are_those_of_the_graph_of_all(self, space: SearchSpace, i: int) -> None:
        found = space.index(space.neighbors(space[i]))
        assert found.tolist() == np.flatnonzero(space.edit_distances(space[i]) == 1).tolist()

    def test_of_input_to_output_are_all_that_one_cut_reduces_to_it(
        self, space: SearchSpace
    ) -> None:
        found = space.neighbors(space[0])
        assert len(found) == 52_602
        assert all(space[0] in space.neighbors(cell) for cell in found[::5000])
        assert list(SearchSpace(2).neighbors(space[0])) == []

    @settings(max_examples=30)
    @given(st.integers(0, 423623), st.integers(0, 2**32))
    def test_one_flip_of_a_raw_encoding_is_one_of_them(
        self, space: SearchSpace, i: int, seed: int
    ) -> None:
        cell, rng = space[i], np.random.default_rng(seed)
        # A raw encoding of the cell, whose other vertices have any ops and edges from anywhere.
        v = cell.vertices
        matrix, ops = np.zeros((7, 7), int), [*cell.codes[:-1], *[0] * (7 - v), -2]
        place = [*range(v - 1), 6]
        for x, y in cell.edge_list():
            matrix[place[x], place[y]] = 1
        for extra in range(v - 1, 6):
            ops[extra] = int(rng.integers(3))
            matrix[: v - 1, extra] = rng.integers(2, size=v - 1)
        near = {*space.neighbors(cell), cell}
        for row, column in zip(*np.triu_indices(7, 1), strict=True):
            flipped = matrix.copy()
            flipped[row, column] ^= 1
            try:
                other = Cell(flipped, ops)
            except DisconnectedError:
                continue
            assert other in near or other not in space

    def test_too_many(self) -> None:
        with pytest.raises(SpaceError, match="over 4194304 edits"):
            SearchSpace(11, 55).neighbors(SearchSpace()[0])

    def test_outside(self) -> None:
        with pytest.raises(OutOfSpaceError):
            SearchSpace(4).neighbors(Cell(np.eye(5, k=1), [-1, 0, 0, 0, -2]))
        with pytest.raises(UnknownOpError):
            make(4, 6, 2).neighbors(SearchSpace(3)[2])


class TestMutate:
    def test_is_the_notebooks(self) -> None:
        """Frequencies from one raw module against the exact distribution."""
        space = make(4, 5, 3)
        cell = space.enumerate()[-1]
        matrix, codes = oracle.module(cell.matrix.tolist(), cell.codes)
        assert len(codes) == 4
        weights: dict[int, float] = {}
        for mask, inner in product(range(1 << 6), product(range(3), repeat=2)):
            flips = (mask ^ oracle.mask_of(matrix)).bit_count()
            changes = sum(a != b for a, b in zip(inner, codes[1:-1], strict=True))
            chance = 0.25**flips * 0.75 ** (6 - flips) * 0.25**changes * 0.5 ** (2 - changes)
            pruned = oracle.prune(*oracle.from_mask(4, mask, inner))
            if pruned is not None and len(oracle.edges_of(pruned[0])) <= 5:
                i = int(space.index([pruned[0]], [pruned[1]])[0])
                weights[i] = weights.get(i, 0) + chance
        expected = {i: chance / sum(weights.values()) for i, chance in weights.items()}
        mutants = space.mutate(space[np.full(60_000, space.index(cell))], 11)
        counts = Counter(space.index(mutants).tolist())
        # Classes too rare for chi-square are joined.
        rare = {i for i, chance in expected.items() if chance * 60_000 < 10}
        joined = Counter({i: n for i, n in counts.items() if i not in rare})
        chances = {i: chance for i, chance in expected.items() if i not in rare}
        joined[-1] = sum(counts[i] for i in rare)
        chances[-1] = sum(expected[i] for i in rare)
        if not rare:
            del joined[-1], chances[-1]
        assert within(joined, chances)

    def test_kinds(self, space: SearchSpace, cells: Cells) -> None:
        one = space.mutate(cells[1000], 3)
        assert isinstance(one, Cell)
        assert one in space
        several = space.mutate(cells[::5000], 3)
        assert isinstance(several, Cells)
        assert len(several) == len(cells[::5000])
        assert (space.index(several) >= 0).all()
        assert several == space.mutate(cells[::5000], np.random.default_rng(3))
        assert several != space.mutate(cells[::5000], 4)

    def test_raw_modules_stay_raw(self, space: SearchSpace) -> None:
        codes = [-1, 0, 1, 2, 0, 1, -2]
        matrix = np.zeros((7, 7), dtype=int)
        matrix[0, [1, 2, 6]] = 1
        names = ["input", *(nb101.OPS[code] for code in codes[1:-1]), "output"]
        for seed in range(20):
            mutant, labels = space.mutate((matrix, codes), seed)
            assert mutant.shape == (7, 7)
            assert (labels[0], labels[-1]) == (-1, -2)
            assert Cell(mutant, labels) in space
            same, named = space.mutate((matrix, names), seed)
            assert (same == mutant).all()
            assert named == ["input", *(nb101.OPS[code] for code in labels[1:-1]), "output"]
        still, unchanged = space.mutate((matrix, codes), 1, rate=0)
        assert (still == matrix).all()
        assert unchanged == codes

    def test_nothing_changes_at_rate_0(self, space: SearchSpace, cells: Cells) -> None:
        assert space.mutate(cells[::9999], 0, rate=0) == cells[::9999]

    def test_refused(self, space: SearchSpace, cells: Cells) -> None:
        for rate in (-0.1, 7.5, float("nan"), "1", None):
            with pytest.raises(ValueError, match="rate"):
                space.mutate(cells[5], 0, rate=rate)  # type: ignore[arg-type]
        with pytest.raises(OutOfSpaceError):
            SearchSpace(4).mutate(cells[-1], 0)
        with pytest.raises(OutOfSpaceError, match="module 1"):
            SearchSpace(4).mutate(cells[[5, -1]], 0)
        with pytest.raises(ValueError, match="7 vertices, not 3"):
            space.mutate((np.eye(3, k=1), OPS_OF_CHAIN), 0)
        with pytest.raises(TypeError):
            space.mutate(5, 0)  # type: ignore[call-overload]
        with pytest.raises(InvalidCellError):
            space.mutate((np.ones((7, 7)), [-1, 0, 0, 0, 0, 0, -2]), 0)

    def test_no_way_out_is_an_error(self) -> None:
        # Every edge flips, always: the only path is always cut.
        space = make(2, 1, 1)
        with pytest.raises(ValueError, match="smaller rate"):
            space.mutate(space[0], 0, rate=2)


def test_hashes_name_cells(space: SearchSpace) -> None:
    cell = space[359715]
    for name in (cell.hash, cell.hash[:8], cell.hash[:8].upper(), cell.hash.encode()):
        assert space.index(name) == 359715
        assert space[name] == cell
        assert name in space
        assert space.neighbors(name) == space.neighbors(cell)
        assert space.mutate(name, 1) == space.mutate(cell, 1)
    short = cell.hash[:8]
    assert space.index([short, cell, short]).tolist() == [359715] * 3
    assert space.index((short, cell)).tolist() == space.index((cell, cell)).tolist() == [359715] * 2
    assert space.index(space[7:10].hashes()).tolist() == [7, 8, 9]
    few = SearchSpace(5)
    one, other = few[17], few[99]
    far = nb101.edit_distance(one, other, few)
    assert nb101.edit_distance(one.hash, other.hash[:12], few) == far > 0
    assert one.edit_distance(other.hash, few) == far
    assert (few.edit_distances(one.hash) == few.edit_distances(one)).all()
    assert few[90:].edit_distance(one.hash, few)[9] == far


def test_hashes_of_no_cell_or_several(space: SearchSpace) -> None:
    cell = space[359715]
    several, none, no_hash = "0000", "f" * 12, "28x"
    for name, kind in (
        (several, nb101.UnknownHashError),
        (none, nb101.UnknownHashError),
        (no_hash, nb101.ArgumentError),
    ):
        for call in (
            *(space.index, space.__getitem__, space.neighbors, space.mutate, space.edit_distances),
            *(cell.edit_distance, space[:2].edit_distance),
            lambda name: nb101.edit_distance(name, cell),
        ):
            with pytest.raises(kind):
                call(name)
        assert name not in space
    with pytest.raises(nb101.UnknownHashError, match=r"^cell 1: no cell") as caught:
        space.index([cell, none])
    assert caught.value.index == 1
    with pytest.raises(nb101.ArgumentTypeError, match="expected a Cell or a hash, not int"):
        space.neighbors(3)  # type: ignore[arg-type]


def test_where_there_is_no_space_the_way_is_named(space: SearchSpace) -> None:
    cell, name = space[5], space[5].hash[:8]
    calls: list[Any] = [cell.alignment_distance, space[:2].alignment_distance, Cell]
    for call in calls:
        with pytest.raises(nb101.NB101Error, match=r"Cell\.from_hash\(hash, space\)"):
            call(name)
    assert Cell.from_hash(name, space) == cell
