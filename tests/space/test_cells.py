"""Batches of cells: the same answers as one by one, in columns."""

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nb101
import oracle
import strategies
from nb101 import Cell, Cells, InvalidCellError, OutOfSpaceError, UnknownOpError


@pytest.fixture(scope="module")
def few(cells: Cells) -> Cells:
    """A few hundred cells of all sizes."""
    return cells[:200] + cells[200::2003]


def test_columns_are_those_of_each_cell(few: Cells) -> None:
    each = list(few)
    assert few.vertices.tolist() == [cell.vertices for cell in each]
    assert few.num_edges.tolist() == [cell.edges for cell in each]
    assert few.depth().tolist() == [cell.depth for cell in each]
    assert few.width().tolist() == [cell.width for cell in each]
    assert few.parameters().tolist() == [cell.parameters for cell in each]
    assert few.flops().tolist() == [cell.flops for cell in each]
    assert few.hashes().tolist() == [cell.hash.encode() for cell in each]
    assert [row.tobytes().hex() for row in few.digests()] == [cell.hash for cell in each]
    modules = [oracle.module(cell.matrix.tolist(), cell.codes) for cell in each]
    assert few.edge_masks.tolist() == [oracle.mask_of(matrix) for matrix, _ in modules]
    for matrix, codes, (small, ops) in zip(few.adjacency(), few.operations(), modules, strict=True):
        v = len(ops)
        assert oracle.module(matrix[:v, :v], codes[:v]) == (small, ops)
        assert not matrix[v:].any()
        assert not matrix[:, v:].any()
        assert (codes[v:] == -3).all()


def test_types_and_shapes(few: Cells) -> None:
    n = len(few)
    expected: dict[str, tuple[Any, tuple[int, ...], Any]] = {
        "vertices": (few.vertices, (n,), np.uint8),
        "num_edges": (few.num_edges, (n,), np.uint8),
        "edge_masks": (few.edge_masks, (n,), np.uint64),
        "hashes": (few.hashes(), (n,), "S32"),
        "digests": (few.digests(), (n, 16), np.uint8),
        "adjacency": (few.adjacency(), (n, 7, 7), np.int8),
        "operations": (few.operations(), (n, 7), np.int8),
        "wider": (few.adjacency(9), (n, 9, 9), np.int8),
        "parameters": (few.parameters(), (n,), np.int64),
        "flops": (few.flops(), (n,), np.int64),
        "distances": (few.alignment_distance(few[3]), (n,), np.uint8),
    }
    for name, (array, shape, dtype) in expected.items():
        assert (array.shape, array.dtype) == (shape, np.dtype(dtype)), name


def test_none_at_all() -> None:
    empty = Cells()
    assert len(empty) == 0
    assert empty.hashes().shape == (0,)
    assert empty.digests().shape == (0, 16)
    assert empty.adjacency().shape == (0, 7, 7)
    assert empty.operations().shape == (0, 7)
    assert empty.parameters().shape == empty.depth().shape == (0,)
    assert list(empty) == []
    assert empty == Cells([])
    assert pickle.loads(pickle.dumps(empty)) == empty


def test_sizes_too_small_are_refused(few: Cells) -> None:
    for size in (6, 0):
        for method in (few.adjacency, few.operations):
            with pytest.raises(ValueError, match="7"):
                method(size)


def test_large_cells_widen_the_arrays() -> None:
    matrix = np.eye(9, k=1)
    chain = Cell(matrix, [-1, *[0] * 7, -2])
    cells = Cells([Cell([[0, 1], [0, 0]], [-1, -2]), chain])
    assert cells.adjacency().shape == (2, 9, 9)
    assert (cells.adjacency()[1] == matrix).all()
    assert (nb101.hash_modules(cells.adjacency(), cells.operations()) == cells.hashes()).all()


class TestSequence:
    @given(st.data())
    def test_indices_and_slices(self, few: Cells, data: st.DataObject) -> None:
        each = list(few)
        chosen = data.draw(st.slices(len(few)))
        assert list(few[chosen]) == each[chosen]
        i = data.draw(st.integers(-len(few), len(few) - 1))
        assert few[i] == few[np.int64(i)] == each[i]
        several = data.draw(st.lists(st.integers(-len(few), len(few) - 1), max_size=9))
        assert list(few[several]) == [each[i] for i in several]
        assert list(few[np.array(several, dtype=np.int16)]) == [each[i] for i in several]

    def test_masks(self, few: Cells) -> None:
        mask = few.vertices == 6
        assert len(few[mask]) == mask.sum() > 0
        assert (few[mask].vertices == 6).all()
        assert few[mask.tolist()] == few[mask]
        assert len(few[~few.vertices.astype(bool)]) == 0

    @pytest.mark.parametrize("index", [0.5, "0", [0.5], [[0]], None, 10**6, -(10**6), [10**6]])
    def test_what_is_no_index(self, few: Cells, index: Any) -> None:
        with pytest.raises(IndexError):
            few[index]

    def test_a_mask_of_another_length(self, few: Cells) -> None:
        with pytest.raises(IndexError):
            few[np.ones(len(few) + 1, dtype=bool)]

    def test_a_slice_hashes_like_its_cells(self, few: Cells) -> None:
        for chosen in (slice(None, None, -1), slice(5, None, 3), slice(9, 9)):
            assert (few[chosen].hashes() == few.hashes()[chosen]).all()

    def test_membership(self, few: Cells, cells: Cells) -> None:
        assert few[17] in few
        assert cells[201] not in few
        assert few[17].hash not in few
        renamed = Cell(few[150].matrix, few[150].ops, op_names=nb101.OPS[::-1])
        assert renamed in few
        assert Cell([[0, 1, 0], [0, 0, 1], [0] * 3], [-1, 0, -2], op_names=["other"]) not in few

    def test_joined(self, few: Cells) -> None:
        assert few[:5] + few[5:] == few
        with pytest.raises(ValueError, match="different lists of ops"):
            _ = few + Cells([], op_names=["other"])


class TestEquality:
    def test_equal(self, few: Cells) -> None:
        assert few == few[:]
        assert few == Cells(list(few))
        assert few != few[::-1]
        assert few != few[:-1]
        assert few != list(few)
        with pytest.raises(TypeError):
            hash(few)

    def test_by_name_across_vocabularies(self, few: Cells) -> None:
        renamed = Cells(few, op_names=nb101.OPS[::-1])
        assert renamed == few
        assert renamed.op_names == nb101.OPS[::-1]
        assert (renamed.operations() != few.operations()).any()
        with pytest.raises(UnknownOpError):
            Cells(few, op_names=nb101.OPS[:1])

    def test_pickled(self, few: Cells) -> None:
        made = pickle.loads(pickle.dumps(few))
        assert made == few
        assert made.op_names == few.op_names

    def test_a_forged_pickle_is_checked(self, few: Cells) -> None:
        restore, (edges, labels, names) = few.__reduce__()
        assert restore(edges, labels, names) == few
        with pytest.raises(InvalidCellError):
            restore(edges, np.zeros_like(labels), names)
        with pytest.raises(UnknownOpError):
            restore(edges, labels, names[:1])

    def test_immutable(self, few: Cells) -> None:
        with pytest.raises(ValueError, match="read-only"):
            few.edge_masks[0] = 3
        with pytest.raises(TypeError):
            few[0] = few[1]  # type: ignore[index]
        with pytest.raises(ValueError, match="read-only"):
            few[2:9].edge_masks[0] = 3

    def test_only_cells_are_held(self) -> None:
        with pytest.raises(TypeError, match="str"):
            Cells(["043721b9c7fe8c5fad811d47d83132ec"])  # type: ignore[list-item]


class TestFromModules:
    @given(st.lists(strategies.modules(), max_size=9))
    def test_is_cell_by_cell(self, modules: list[oracle.Module]) -> None:
        matrices, codes = [matrix for matrix, _ in modules], [codes for _, codes in modules]
        expected = Cells([Cell(*module) for module in modules])
        assert Cells.from_modules(matrices, codes) == expected
        names = [["input", *(nb101.OPS[code] for code in row[1:-1]), "output"] for row in codes]
        assert Cells.from_modules(matrices, names) == expected

    def test_padded_arrays(self, few: Cells) -> None:
        assert Cells.from_modules(few.adjacency(), few.operations()) == few
        assert Cells.from_modules(few.adjacency(9), few.operations(9)) == few

    def test_the_wrong_one_is_named(self, few: Cells) -> None:
        matrices, codes = few.adjacency(), few.operations()
        codes[205, 1] = 3
        with pytest.raises(UnknownOpError, match=r"module 205: .*code 3 at vertex 1"):
            Cells.from_modules(matrices, codes)
        codes[100, 1] = -1
        with pytest.raises(InvalidCellError, match=r"module 100: vertex 1"):
            Cells.from_modules(matrices, codes)

    def test_too_many_vertices(self) -> None:
        good, chain = np.zeros((12, 12)), np.eye(12, k=1)
        good[0, 11] = 1
        codes = [[-1, *[0] * 10, -2]] * 2
        assert len(Cells.from_modules([good, good], codes)) == 2
        with pytest.raises(OutOfSpaceError, match=r"module 1: .*12"):
            Cells.from_modules([good, chain], codes)

    def test_a_large_code_is_no_op(self) -> None:
        chain = np.eye(3, k=1)
        for code in (3, 15, 16, 2**40):
            with pytest.raises(UnknownOpError, match=rf"module 0: .*{code} at vertex 1"):
                Cells.from_modules([chain], np.array([[-1, code, -2]]))


@given(st.lists(strategies.pruned(max_vertices=6), max_size=8), strategies.pruned(max_vertices=6))
def test_alignment_distances(modules: list[oracle.Module], target: oracle.Module) -> None:
    cells = Cells([Cell(*module) for module in modules])
    expected = [oracle.alignment_distance(module, target) for module in modules]
    assert cells.alignment_distance(Cell(*target)).tolist() == expected


def test_alignment_distances_across_vocabularies(few: Cells) -> None:
    target = few[150]
    renamed = Cell(target.matrix, target.ops, op_names=nb101.OPS[::-1])
    assert (few.alignment_distance(renamed) == few.alignment_distance(target)).all()
    other = Cell([[0, 1, 0], [0, 0, 1], [0] * 3], ["input", "x", "output"], op_names=["x"])
    assert few[:9].alignment_distance(other).tolist() == [
        c.alignment_distance(other) for c in few[:9]
    ]


def test_parameters_of_isomorphic_matrices_are_those_of_the_reference_form(few: Cells) -> None:
    for cell in few[::25]:
        matrix, codes = oracle.module(cell.matrix.tolist(), cell.codes)
        other = list(oracle.forms(matrix, codes))[-1]
        assert Cells.from_modules([other[0]], [other[1]]).parameters()[0] == cell.parameters


def test_arrow(few: Cells) -> None:
    table = few.to_arrow()
    assert table.num_rows == len(few)
    assert table["hash"].to_pylist() == [cell.hash for cell in few]
    texts = list(zip(table["adjacency"].to_pylist(), table["operations"].to_pylist(), strict=True))
    assert texts == [cell.to_text() for cell in few]
    for name, column in (
        ("vertices", few.vertices),
        ("edges", few.num_edges),
        ("depth", few.depth()),
        ("width", few.width()),
        ("parameters", few.parameters()),
        ("flops", few.flops()),
    ):
        assert table[name].to_pylist() == column.tolist()
    assert "hash" not in few.to_arrow(hashes=False).column_names


def test_what_does_not_fit_in_memory_is_an_exception(cells: Cells) -> None:
    with pytest.raises(MemoryError, match="fewer at a time"):
        cells.adjacency(1024)
    with pytest.raises(ValueError, match="1024"):
        cells.adjacency(1025)


@pytest.mark.parametrize("index", [100, -11, [100], [-11], [True], ["a"], True, 1.5])
def test_wrong_indices(few: Cells, index: Any) -> None:
    with pytest.raises(IndexError, match=r"\w") as caught:
        few[:10][index]
    assert isinstance(caught.value, ValueError)


def test_edit_distances(few: Cells) -> None:
    space = nb101.SearchSpace(4)
    cells = space[::-1]
    for target in space[::11]:
        expected = [nb101.edit_distance(cell, target, space) for cell in cells]
        assert cells.edit_distance(target, space).tolist() == expected
        assert space.edit_distances(target).tolist() == expected[::-1]
    # In a larger space there are shorter ways.
    assert (space[:].edit_distance(space[40]) <= space.edit_distances(space[40])).all()
    with pytest.raises(nb101.OutOfSpaceError):
        few.edit_distance(few[0], nb101.SearchSpace(3))
