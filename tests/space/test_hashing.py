"""Fingerprints of raw modules against hashlib, and every way to write a module."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nb101
import oracle
import strategies
from nb101 import (
    Cells,
    DisconnectedError,
    InvalidCellError,
    UnknownOpError,
    _core,
    hash_modules,
)

CHAIN = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
CODES = [-1, 0, -2]


@pytest.fixture
def cpu() -> Iterator[list[str]]:
    """All instruction sets of this machine; afterwards the fastest is chosen again."""
    yield _core.cpu()[1]
    _core.set_cpu(None)


def expected(modules: list[oracle.Module]) -> list[bytes]:
    pruned = [oracle.prune(*module) for module in modules]
    return [oracle.hash_module(*module).encode() if module else b"" for module in pruned]


def split(modules: list[oracle.Module]) -> tuple[list[oracle.Matrix], list[oracle.Codes]]:
    return [matrix for matrix, _ in modules], [codes for _, codes in modules]


def padded(modules: list[oracle.Module], size: int) -> tuple[Any, Any]:
    matrices = np.zeros((len(modules), size, size), dtype=np.int8)
    ops = np.full((len(modules), size), -3, dtype=np.int64)
    for (matrix, codes), to, row in zip(modules, matrices, ops, strict=True):
        v = len(codes)
        to[:v, :v] = matrix
        row[:v] = codes
    return matrices, ops


def random_modules(n: int, v: int, seed: int, most: int = 3) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    matrices = np.triu(rng.integers(0, 2, (n, v, v), dtype=np.int8), 1)
    ops = rng.integers(0, most, (n, v), dtype=np.int8)
    ops[:, 0], ops[:, -1] = -1, -2
    return matrices, ops


def test_known_hashes(golden: dict[str, Any]) -> None:
    facts = [fact for fact in golden["cells"] if fact["hash"]]
    modules = [
        oracle.from_edges(
            fact["vertices"],
            [tuple(edge) for edge in fact["edges"]],
            [nb101.OPS.index(op) for op in fact["ops"]],
        )
        for fact in facts
    ]
    assert hash_modules(*split(modules)).tolist() == [fact["hash"].encode() for fact in facts]
    assert expected(modules) == [fact["hash"].encode() for fact in facts]


@given(
    st.lists(
        strategies.modules(max_vertices=13, max_code=40, connected=False), min_size=1, max_size=12
    )
)
def test_any_modules_hash_as_the_oracle_says(modules: list[oracle.Module]) -> None:
    hashes = expected(modules)
    assert hash_modules(*split(modules), invalid="empty").tolist() == hashes
    assert hash_modules(*padded(modules, 13), invalid="empty").tolist() == hashes
    assert hash_modules(*padded(modules, 15), invalid="empty").tolist() == hashes
    if b"" in hashes:
        with pytest.raises(DisconnectedError, match=f"module {hashes.index(b'')}: "):
            hash_modules(*split(modules))


@pytest.mark.parametrize("v", range(2, 14))
@pytest.mark.parametrize("most", [1, 3, 16, 41])
def test_batches_of_one_size(v: int, most: int) -> None:
    matrices, ops = random_modules(60, v, seed=v, most=most)
    modules = [oracle.module(*pair) for pair in zip(matrices, ops, strict=True)]
    assert hash_modules(matrices, ops, invalid="empty").tolist() == expected(modules)


def test_labels_of_any_size() -> None:
    for code in (15, 16, 127, 2**31, 2**53, 2**62):
        module = oracle.module(CHAIN, [-1, code, -2])
        assert hash_modules([CHAIN], [[-1, code, -2]]).tolist() == expected([module])
        assert hash_modules([CHAIN], np.array([[-1, code, -2]])).tolist() == expected([module])


def test_a_large_module() -> None:
    matrices, ops = random_modules(2, 60, seed=1, most=100)
    modules = [oracle.module(*pair) for pair in zip(matrices, ops, strict=True)]
    assert hash_modules(matrices, ops).tolist() == expected(modules)


@given(strategies.isomorphic_pairs(max_code=9))
def test_relabelling_changes_no_hash(pair: tuple[oracle.Module, oracle.Module]) -> None:
    a, b = hash_modules(*split(list(pair)))
    assert a == b


def test_padded_arrays_of_the_whole_space(cells: Cells, hashes: Any) -> None:
    assert (hash_modules(cells.adjacency(), cells.operations()) == hashes).all()


def test_order_and_repeats_do_not_matter(cells: Cells, hashes: Any) -> None:
    chosen = np.random.default_rng(2).integers(len(cells), size=200_000)
    chosen[1000:3000] = chosen[0]
    assert (cells[chosen].hashes() == hashes[chosen]).all()


@pytest.mark.parametrize("size", [1, 7, 8, 9, 23, 24, 25, 8191, 8192, 8193, 65537])
def test_batches_of_any_length(cells: Cells, hashes: Any, size: int) -> None:
    for start in (0, 91, 200_001):
        assert (cells[start : start + size].hashes() == hashes[start : start + size]).all()
        back = slice(start + size, start, -1)
        assert (cells[back].hashes() == hashes[back]).all()


def test_every_instruction_set(cells: Cells, hashes: Any, cpu: list[str]) -> None:
    matrices, ops = random_modules(20_000, 9, seed=4, most=5)
    known = hash_modules(matrices, ops, invalid="empty")
    assert cpu
    for name in cpu:
        _core.set_cpu(name)
        assert _core.cpu()[0] == name
        assert (cells.hashes() == hashes).all(), name
        assert (cells[::-7].hashes() == hashes[::-7]).all(), name
        assert (hash_modules(matrices, ops, invalid="empty") == known).all(), name
    _core.set_cpu(None)
    assert _core.cpu()[0] in cpu
    with pytest.raises(ValueError, match="z80"):
        _core.set_cpu("z80")


class TestWaysToWriteModules:
    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("kind", list("?bBhHiIlLqQefdg"))
    def test_matrices_of_any_type(self, kind: str, order: Any) -> None:
        matrices, ops = random_modules(50, 7, seed=0)
        known = hash_modules(matrices, ops, invalid="empty")
        dtype = np.dtype(kind).newbyteorder(order)
        assert (hash_modules(matrices.astype(dtype), ops, invalid="empty") == known).all()
        listed = list(matrices.astype(dtype))
        assert (hash_modules(listed, ops, invalid="empty") == known).all()

    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("kind", list("bhilqefdg"))
    def test_codes_of_any_type(self, kind: str, order: Any) -> None:
        matrices, ops = random_modules(50, 7, seed=0)
        known = hash_modules(matrices, ops, invalid="empty")
        codes = ops.astype(np.dtype(kind).newbyteorder(order))
        assert (hash_modules(matrices, codes, invalid="empty") == known).all()
        assert (hash_modules(matrices, list(codes), invalid="empty") == known).all()

    def test_memory_layouts(self) -> None:
        matrices, ops = random_modules(50, 7, seed=0)
        known = hash_modules(matrices, ops, invalid="empty")
        wide = np.repeat(np.repeat(matrices, 2, axis=1), 3, axis=2)[:, ::2, ::3]
        for layout in (wide, np.asfortranarray(matrices), matrices[::-1][::-1]):
            assert (hash_modules(layout, ops, invalid="empty") == known).all()
            assert (hash_modules(layout, np.asfortranarray(ops), invalid="empty") == known).all()
        assert (hash_modules(matrices[::-2], ops[::-2], invalid="empty") == known[::-2]).all()

    def test_lists_and_names(self) -> None:
        matrices, ops = random_modules(50, 7, seed=0)
        known = hash_modules(matrices, ops, invalid="empty")
        names = [["input", *(nb101.OPS[code] for code in row[1:-1]), "output"] for row in ops]
        assert (hash_modules(matrices.tolist(), names, invalid="empty") == known).all()
        assert (hash_modules(matrices, np.array(names), invalid="empty") == known).all()
        objects = np.array(names, dtype=object)
        assert (hash_modules(list(matrices), objects, invalid="empty") == known).all()
        renamed = hash_modules(matrices, names, invalid="empty", op_names=nb101.OPS[::-1])
        assert (renamed != known).any()

    def test_no_modules(self) -> None:
        for matrices, ops in (
            ([], []),
            (np.zeros((0, 7, 7)), np.zeros((0, 7))),
            (np.zeros((0, 7, 7)), []),
        ):
            found = hash_modules(matrices, ops)
            assert (found.shape, found.dtype) == ((0,), np.dtype("S32"))

    def test_progress(self) -> None:
        class StopError(Exception):
            pass

        def stop(done: int, total: int) -> None:
            assert 0 <= done <= total
            raise StopError

        matrices, ops = random_modules(200_000, 7, seed=0)

        def keep_on() -> None:
            while True:  # a fast machine may not report within one call
                hash_modules(matrices, ops, invalid="empty", progress=stop)

        with pytest.raises(StopError):
            keep_on()


def batch(**changes: Any) -> tuple[Any, Any]:
    """Three chains, with entry or op `at` of module 1 replaced."""
    matrices: list[Any] = [[list(row) for row in CHAIN] for _ in range(3)]
    ops: list[Any] = [list(CODES) for _ in range(3)]
    for name, value in changes.items():
        if name == "matrix":
            matrices[1] = value
        elif name == "op":
            ops[1][1] = value
        elif name == "ops":
            ops[1] = value
        else:
            row, column = map(int, name.removeprefix("at_").split("_"))
            matrices[1][row][column] = value
    return matrices, ops


BAD = {
    "not square": (batch(matrix=[[0, 1, 0], [0, 0, 1]]), InvalidCellError, ["module 1", "square"]),
    "ragged": (batch(matrix=[[0, 1, 0], [0], [0]]), InvalidCellError, ["module 1", "square"]),
    "flat": (batch(matrix=[0, 1]), InvalidCellError, ["module 1", "square"]),
    "below": (batch(at_2_0=1), InvalidCellError, ["module 1", "upper triangular", "(2, 0)"]),
    "two": (batch(at_0_1=2), InvalidCellError, ["module 1", "0 or 1", "(0, 1)", "2"]),
    "negative": (batch(at_0_1=-1), InvalidCellError, ["module 1", "(0, 1)", "-1"]),
    "256": (batch(at_0_1=257), InvalidCellError, ["module 1", "(0, 1)", "257"]),
    "nan": (batch(at_0_1=float("nan")), InvalidCellError, ["module 1", "(0, 1)", "NaN"]),
    "inf": (batch(at_1_2=float("inf")), InvalidCellError, ["module 1", "(1, 2)", "inf"]),
    "a half": (batch(at_1_2=0.5), InvalidCellError, ["module 1", "(1, 2)", "0.5"]),
    "huge": (batch(at_1_2=2**63), InvalidCellError, ["module 1", "(1, 2)"]),
    "beyond": (batch(at_1_2=2**90), InvalidCellError, ["module 1"]),
    "complex": (batch(at_1_2=1j), InvalidCellError, ["module 1", "complex"]),
    "string": (batch(at_1_2="1"), InvalidCellError, ["module 1"]),
    "none": (batch(at_1_2=None), InvalidCellError, ["module 1"]),
    "no matrix": (batch(matrix=None), InvalidCellError, ["module 1"]),
    "disconnected": (batch(at_0_1=0), DisconnectedError, ["module 1", "no path"]),
    "negative code": (batch(op=-4), InvalidCellError, ["module 1", "-4", "vertex 1"]),
    "a half op": (batch(op=0.5), InvalidCellError, ["module 1", "0.5", "vertex 1"]),
    "nan op": (batch(op=float("nan")), InvalidCellError, ["module 1", "NaN", "vertex 1"]),
    "huge op": (batch(op=2**90), InvalidCellError, ["op"]),
    "no op": (batch(op=None), InvalidCellError, ["op"]),
    "complex op": (batch(op=1j), InvalidCellError, ["op"]),
    "input inside": (batch(op=-1), InvalidCellError, ["module 1", "vertex 1", "'input'"]),
    "output inside": (batch(op=-2), InvalidCellError, ["module 1", "vertex 1", "'output'"]),
    "padding inside": (batch(op=-3), InvalidCellError, ["module 1", "vertex 1", "padding"]),
    "first": (batch(ops=[0, 0, -2]), InvalidCellError, ["module 1", "first op", "vertex 0"]),
    "last": (batch(ops=[-1, 0, 0]), InvalidCellError, ["module 1", "last op", "vertex 2"]),
    "few ops": (batch(ops=[-1, -2]), InvalidCellError, ["module 1", "2", "3"]),
    "many ops": (batch(ops=[-1, 0, 0, -2]), InvalidCellError, ["module 1", "4", "3"]),
    "one vertex": (batch(matrix=[[0]], ops=[-1]), InvalidCellError, ["module 1", "at least 2"]),
    "no vertex": (batch(matrix=[], ops=[]), InvalidCellError, ["module 1"]),
    "unknown op": (
        batch(ops=["input", "conv3x3", "output"]),
        UnknownOpError,
        ["module 1", "'conv3x3'", "vertex 1", "did you mean 'conv3x3-bn-relu'"],
    ),
    "not square at all": (
        (np.zeros((2, 3, 4)), np.zeros((2, 3))), InvalidCellError, ["square", "3", "4"]
    ),
    "one matrix": ((CHAIN, CODES), ValueError, []),
    "one array": ((np.array(CHAIN), [CODES]), InvalidCellError, ["(n, v, v)", "(3, 3)"]),
    "flat ops": (([CHAIN], np.array(CODES)), InvalidCellError, ["(n, v)", "(3,)"]),
    "fewer rows": (([CHAIN] * 3, [CODES] * 2), ValueError, ["3", "2"]),
    "fewer matrices": ((np.array([CHAIN]), np.array([CODES] * 2)), ValueError, ["1", "2"]),
    "other sizes": (
        (np.array([CHAIN]), np.array([[-1, 0, 0, -2]])), InvalidCellError, ["length of ops", "4"]
    ),
    "complex array": ((np.array([CHAIN], complex), [CODES]), InvalidCellError, ["complex"]),
    "text array": ((np.array([CHAIN], str), [CODES]), InvalidCellError, ["matrices"]),
    "text": (("text", [CODES]), ValueError, []),
    "no vertices": ((np.zeros((2, 0, 0)), np.zeros((2, 0))), InvalidCellError, ["at least 2"]),
}  # fmt: skip


@pytest.mark.parametrize(("modules", "kind", "parts"), BAD.values(), ids=BAD.keys())
def test_bad_modules(modules: tuple[Any, Any], kind: type[Exception], parts: list[str]) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        hash_modules(*modules)
    assert isinstance(caught.value, kind)
    assert all(part in str(caught.value) for part in parts), str(caught.value)
    if kind is not DisconnectedError:
        with pytest.raises(ValueError, match=r"\w"):
            hash_modules(*modules, invalid="empty")


def test_fewer_ops_than_vertices_are_not_padding() -> None:
    """Not even where the vertices without a label would have no edges."""
    with pytest.raises(InvalidCellError, match=r"length of ops .*: 2 ops for 3 vertices"):
        hash_modules([[[0, 1, 0], [0, 0, 0], [0, 0, 0]]], [[-1, -2]])
    edge = [[0, 1], [0, 0]]
    with pytest.raises(InvalidCellError, match=r"length of ops .*: 3 ops for 2 vertices"):
        hash_modules([edge, CHAIN], [CODES, CODES], invalid="empty")


def test_the_first_wrong_module_is_named() -> None:
    matrices, ops = random_modules(20_000, 7, seed=0)
    matrices[:, 0, 6] = 1
    for wrong in (19_999, 12_345, 70):
        matrices[wrong, 3, 2] = 1
        for chosen in (matrices, matrices.astype(float)):
            with pytest.raises(InvalidCellError, match=rf"^module {wrong}: .*\(3, 2\)"):
                hash_modules(chosen, ops)


def test_disconnected_ones_may_be_empty() -> None:
    apart = np.zeros((3, 3))
    assert hash_modules([CHAIN, apart], [CODES] * 2, invalid="empty").tolist()[1] == b""
    with pytest.raises(ValueError, match="'raise' or 'empty'"):
        hash_modules([CHAIN], [CODES], invalid="skip")  # type: ignore[arg-type]


@settings(max_examples=30)
@given(strategies.modules(max_vertices=12, max_code=300), st.integers(-(2**40), 2**40))
def test_graphs_as_they_stand(module: oracle.Module, label: int) -> None:
    """The bare function hashes what is not pruned, with any labels anywhere."""
    matrix, codes = module
    codes = (label, *codes[1:])
    inputs = [[x for x in range(len(codes)) if matrix[x][y]] for y in range(len(codes))]
    assert _core.hash_graph(inputs, list(codes)) == oracle.hash_module(matrix, codes)


def test_a_module_that_would_take_minutes_is_refused() -> None:
    matrix = np.triu(np.ones((1000, 1000), bool), 1)
    with pytest.raises(InvalidCellError, match="1000 vertices and 499500 edges"):
        hash_modules([matrix], [[-1, *[0] * 998, -2]])
    with pytest.raises(InvalidCellError, match="2 vertices and 2097152 edges"):
        _core.hash_graph([[0] * 2**21, []], [0, 1])
    # What counts is what is left when it is pruned.
    matrix[1:-1] = False
    matrix[0, 2:-1] = False
    assert hash_modules([matrix], [[-1, *[0] * 998, -2]]).tolist() == [
        oracle.hash_module(((0, 1), (0, 0)), (-1, -2)).encode()
    ]


def test_bytes_of_bools_are_not_trusted() -> None:
    matrix = np.array([[[0, 2], [0, 0]]], np.uint8).view(bool)
    with pytest.raises(InvalidCellError, match=r"entry \(0, 1\) is 2"):
        hash_modules(matrix, [CODES[:1] + CODES[-1:]])


def test_columns_first_is_another_matrix() -> None:
    """Its elements are contiguous, but in another order."""
    matrices, ops = random_modules(3, 5, seed=5)
    turned = np.asfortranarray(matrices), np.asfortranarray(ops)
    assert (hash_modules(*turned) == hash_modules(matrices, ops)).all()
    for bad_matrices, bad_ops in ((turned[0], ops), (matrices, turned[1])):
        with pytest.raises(TypeError, match="row-major"):
            _core.hash_modules(bad_matrices, bad_ops, True)
    with pytest.raises(TypeError, match="row-major"):
        _core.to_hex(np.asfortranarray(np.zeros((3, 16), np.uint8)))


def test_equal_large_modules_have_equal_hashes() -> None:
    matrices, ops = random_modules(40, 12, seed=3, most=30)
    modules = [oracle.module(*pair) for pair in zip(matrices, ops, strict=True)]
    twice = hash_modules(np.concatenate([matrices] * 3), np.concatenate([ops] * 3))
    assert twice.tolist() == expected(modules) * 3
