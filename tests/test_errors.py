"""Every exception that wrong input can cause is of the package, and says what in attributes."""

import ast
import builtins
import errno
import inspect
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import (
    Cell,
    Cells,
    SearchSpace,
    _core,
    analysis,
    encodings,
    errors,
    predict,
    search,
)

PACKAGE = Path(nb101.__file__).parent


def test_all_are_value_errors_and_public() -> None:
    found = dict(inspect.getmembers(errors, inspect.isclass))
    found = {name: kind for name, kind in found.items() if kind.__module__ == errors.__name__}
    assert len(found) >= 8
    for name, kind in found.items():
        assert issubclass(kind, errors.NB101Error)
        assert issubclass(kind, ValueError)
        assert getattr(nb101, name) is kind
        assert name in nb101.__all__
        assert str(kind("what and where")) == "what and where"


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (nb101.ArgumentTypeError, TypeError),
        (nb101.UnknownNameError, KeyError),
        (nb101.DisconnectedError, nb101.InvalidCellError),
        (nb101.UnknownOpError, nb101.InvalidCellError),
        (nb101.CellIdError, IndexError),
        (nb101.UnknownHashError, KeyError),
        (nb101.FileError, OSError),
        (nb101.MissingFileError, FileNotFoundError),
        (nb101.MissingExtraError, ImportError),
    ],
)
def test_what_else_they_are(kind: type[Exception], base: type[Exception]) -> None:
    assert issubclass(kind, base)


def test_a_place_can_be_renamed() -> None:
    error = nb101.UnknownOpError("no such op", field="ops")
    there = error.at("module 3", 3)
    assert (str(there), there.reason, there.index) == ("module 3: no such op", "no such op", 3)
    moved = there.at("line 7", None)
    assert (str(moved), moved.index, moved.field) == ("line 7: no such op", None, "ops")
    assert (str(there.at("", None)), type(moved)) == ("no such op", nb101.UnknownOpError)
    file = there.in_file(Path("some.file"))
    assert (str(file), file.index, file.path) == ("some.file: " + str(there), 3, "some.file")
    assert file.reason == there.reason
    again = pickle.loads(pickle.dumps(there))
    assert (str(again), again.reason, again.index) == (str(there), there.reason, 3)


class TestAttributes:
    GOOD = ([[0, 1], [0, 0]], [-1, -2])

    @pytest.mark.parametrize(
        ("matrix", "ops", "kind"),
        [
            ([[0, 0], [0, 0]], [-1, -2], nb101.DisconnectedError),
            ([[0, 1], [1, 0]], [-1, -2], nb101.InvalidCellError),
            ([[0, 1], [0]], [-1, -2], nb101.InvalidCellError),
            ([[0, 1], [0, 0]], [-1], nb101.InvalidCellError),
            ([[0, 1, 1], [0, 0, 1], [0, 0, 0]], [-1, "conv", -2], nb101.UnknownOpError),
            ([[0, 1, 1], [0, 0, 1], [0, 0, 0]], [-1, 99, -2], nb101.UnknownOpError),
        ],
    )
    def test_which_module(self, matrix: Any, ops: Any, kind: type[errors.NB101Error]) -> None:
        with pytest.raises(kind) as caught:
            Cells.from_modules([self.GOOD[0], matrix], [self.GOOD[1], ops])
        assert caught.value.index == 1
        assert str(caught.value) == f"module 1: {caught.value.reason}"
        # Of a single one there is no place to name.
        with pytest.raises(kind) as caught:
            Cell(matrix, ops)
        assert caught.value.index is None
        assert "module" not in str(caught.value)

    def test_which_cell_of_many(self) -> None:
        cells = SearchSpace(4).enumerate()
        with pytest.raises(nb101.OutOfSpaceError) as caught:
            SearchSpace(3).index(cells)
        assert caught.value.index == int(np.argmax(cells.vertices == 4))
        with pytest.raises(nb101.OutOfSpaceError) as caught:
            encodings.adjacency_one_hot(cells, SearchSpace(3))
        assert caught.value.index == int(np.argmax(cells.vertices == 4))

    def test_which_argument(self) -> None:
        space = SearchSpace()
        calls: list[tuple[str, Callable[[], object]]] = [
            ("max_vertices", lambda: SearchSpace(12)),
            ("max_vertices", lambda: SearchSpace("7")),  # type: ignore[arg-type]
            ("max_edges", lambda: SearchSpace(7, 0)),
            ("ops", lambda: SearchSpace(ops=[])),
            ("n", lambda: space.sample(-1)),
            ("seed", lambda: space.sample(1, "x")),  # type: ignore[arg-type]
            ("method", lambda: space.sample(1, method="x")),  # type: ignore[arg-type]
            ("rate", lambda: space.mutate(space[0], rate=float("nan"))),
            ("hash", lambda: space.find_hash("0" * 31)),
            ("width", lambda: space[1].vertex_channels(0)),
            ("invalid", lambda: nb101.hash_modules([], [], "x")),  # type: ignore[arg-type]
            ("threads", lambda: nb101.set_threads(-1)),
            ("name", lambda: _core.set_cpu("x")),
            ("length", lambda: encodings.path_encoding(space[0], length=0)),
            ("vectors", lambda: encodings.from_one_hot([[1, 2]])),
            ("space", lambda: encodings.from_one_hot([[1, 2]], 7)),  # type: ignore[arg-type]
        ]
        for field, call in calls:
            with pytest.raises(errors.NB101Error) as caught:
                call()
            assert caught.value.field == field
            assert caught.value.index is None

    def test_what_the_system_refuses(self, tmp_path: Path) -> None:
        with pytest.raises(nb101.MissingFileError) as missing:
            _core.read_release(str(tmp_path / "none"), True, False)
        error = missing.value
        assert (error.errno, error.path) == (errno.ENOENT, str(tmp_path / "none"))
        assert error.filename == error.path
        assert str(error) == f"{error.path}: No such file or directory"
        with pytest.raises(nb101.FileError) as caught:
            _core.read_release(str(tmp_path), True, False)
        assert caught.value.errno == errno.EISDIR
        assert not isinstance(caught.value, FileNotFoundError)
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), again.errno, again.path) == (str(error), errno.ENOENT, error.path)

    @pytest.mark.parametrize("kind", [nb101.FetchError, nb101.MissingExtraError])
    def test_what_dask_unpickles(self, kind: type[nb101.NB101Error]) -> None:
        # Where it is imported, exceptions are made without their arguments.
        assert isinstance(kind.__new__(kind), kind)

    def test_which_record(self, tmp_path: Path) -> None:
        # A frame whose data is no record, after which the file ends.
        data = b"[]"
        crc = [_core.masked_crc32c(np.frombuffer(x, np.uint8)) for x in (b"\2" + bytes(7), data)]
        frame = (
            b"\2" + bytes(7) + crc[0].to_bytes(4, "little") + data + crc[1].to_bytes(4, "little")
        )
        path = tmp_path / "wrong.tfrecord"
        path.write_bytes(frame)
        with pytest.raises(nb101.DatasetError) as caught:
            _core.read_release(str(path), True, False)
        assert (caught.value.index, caught.value.offset) == (0, 0)
        assert str(caught.value) == f"record 0 at byte 0: {caught.value.reason}"
        path.write_bytes(b"")
        with pytest.raises(nb101.DatasetError, match="empty"):
            _core.read_release(str(path), True, False)


WRONG: list[Any] = [
    None,
    "",
    "x",
    "é\ud800",
    b"\xff",
    -1,
    2.5,
    float("nan"),
    float("inf"),
    10**30,
    -(10**30),
    True,
    1j,
    [],
    [[]],
    [1, [2]],
    [[0, 1], [0]],
    {},
    {"a": 1},
    {1},
    (),
    (1, 2, 3),
    object(),
    slice("a", None),
    slice(None, None, 0),
    np.zeros((2, 3)),
    np.zeros((0, 7, 7)),
    np.array([None, "x"]),
    np.array([[1, None]], dtype=object),
    np.array(["a", "b"]),
    np.array(5),
    np.full(36, np.nan),
    np.full(14, 1e300),
    np.full(27, -np.inf),
    np.array([2**64 - 1], dtype=np.uint64),
    np.array([1 + 1j]),
    np.datetime64("2020-01-01"),
    memoryview(b"abc"),
    lambda *_: None,
    Cell,
]
SPACE = SearchSpace()
CELL = SPACE[1000]
CELLS = SPACE[:50]
FOREIGN = Cell([[0, 1, 0], [0, 0, 1], [0] * 3], ["input", "x", "output"], op_names=["x"])
WRONG += [FOREIGN, Cell(np.eye(9, k=1), [-1, *[0] * 7, -2]), SearchSpace(4), CELLS]

TABLE = nb101.Table.from_columns(
    {"cell_id": np.arange(50), "epochs": [108] * 50, "training_time": np.arange(50.0)}
    | {f"final_{name}_accuracy": np.linspace(0, 1, 50) for name in ("validation", "test")},
)
MATRICES = np.triu(np.ones((2, 3, 3), int), 1)
ROWS = np.array([[-1, 0, -2]] * 2)
WRONG += [MATRICES[0], MATRICES[:, :2], ROWS[0], ROWS[:1], ROWS[:, :2], ROWS - 1, ROWS + 99]

CALLS: dict[str, Callable[[Any], object]] = {
    "SearchSpace(max_vertices)": lambda x: SearchSpace(x),
    "SearchSpace(max_edges)": lambda x: SearchSpace(7, x),
    "SearchSpace(ops)": lambda x: SearchSpace(7, 9, x),
    "index": SPACE.index,
    "index of matrices": lambda x: SPACE.index(x, [[-1, -2]]),
    "index of ops": lambda x: SPACE.index([[[0, 1], [0, 0]]], x),
    "getitem": lambda x: SPACE[x],
    "contains": lambda x: x in SPACE,
    "find_hash": SPACE.find_hash,
    "sample(n)": lambda x: SPACE.sample(x if not isinstance(x, int) or x < 99 else -1),
    "sample(seed)": lambda x: SPACE.sample(1, x),
    "sample(method)": lambda x: SPACE.sample(1, method=x),
    "neighbors": SPACE.neighbors,
    "edit_distances": SPACE.edit_distances,
    "mutate": SPACE.mutate,
    "mutate(pair)": lambda x: SPACE.mutate((x, x)),
    "mutate(ops)": lambda x: SPACE.mutate((np.eye(7, k=1), x)),
    "mutate(rng)": lambda x: SPACE.mutate(CELL, x),
    "mutate(rate)": lambda x: SPACE.mutate(CELL, 0, rate=x),
    "enumerate(progress)": lambda x: SearchSpace(3).enumerate(x),
    "iter_batches": lambda x: next(SearchSpace(3).iter_batches(x)),
    "iter_batches(progress)": lambda x: next(SearchSpace(3).iter_batches(9, x)),
    "Cell(matrix)": lambda x: Cell(x),
    "Cell(matrix, ops)": lambda x: Cell(x, ["input", "output"]),
    "Cell(ops)": lambda x: Cell([[0, 1], [0, 0]], x),
    "Cell(array, ops)": lambda x: Cell(np.eye(3, k=1), x),
    "Cell(list, [ops])": lambda x: Cell([[0, 1], [0, 0]], ["input", x]),
    "Cell([x])": lambda x: Cell([[0, x], [0, 0]], ["input", "output"]),
    "Cell(op_names)": lambda x: Cell([[0, 1], [0, 0]], ["input", "output"], op_names=x),
    "from_hash": Cell.from_hash,
    "from_hash(space)": lambda x: Cell.from_hash("0" * 32, x),
    "vertex_channels": CELL.vertex_channels,
    "vertex_channels(input)": lambda x: CELL.vertex_channels(8, x),
    "Cell.edit_distance": CELL.edit_distance,
    "edit_distance(space)": lambda x: nb101.edit_distance(CELL, CELL, x),
    "alignment_distance": lambda x: nb101.alignment_distance(x, CELL),
    "Cells": Cells,
    "Cells([x])": lambda x: Cells([x]),
    "Cells(op_names)": lambda x: Cells([CELL], x),
    "Cells.getitem": lambda x: CELLS[x],
    "Cells.contains": lambda x: x in CELLS,
    "Cells.eq": CELLS.__eq__,
    "adjacency": CELLS.adjacency,
    "operations": CELLS.operations,
    "hashes(progress)": CELLS.hashes,
    "Cells.vertex_channels": lambda x: CELLS.vertex_channels(x, x, x),
    "Cells.edit_distance": CELLS.edit_distance,
    "Cells.edit_distance(space)": lambda x: CELLS.edit_distance(CELL, x),
    "Cells.alignment_distance": CELLS.alignment_distance,
    "from_modules": lambda x: Cells.from_modules(x, [[-1, -2]]),
    "from_modules(ops)": lambda x: Cells.from_modules([[[0, 1], [0, 0]]], x),
    "from_modules([ops])": lambda x: Cells.from_modules([[[0, 1], [0, 0]]], [x]),
    "from_modules(op_names)": lambda x: Cells.from_modules([[[0, 1], [0, 0]]], [[-1, -2]], x),
    "hash_modules": lambda x: nb101.hash_modules(x, [[-1, -2]]),
    "hash_modules(ops)": lambda x: nb101.hash_modules([[[0, 1], [0, 0]]], x),
    "hash_modules([x])": lambda x: nb101.hash_modules([x], [x]),
    "hash_modules(array)": lambda x: nb101.hash_modules(x, ROWS),
    "hash_modules(array of ops)": lambda x: nb101.hash_modules(MATRICES, x),
    "from_modules(array)": lambda x: Cells.from_modules(x, ROWS),
    "from_modules(array of ops)": lambda x: Cells.from_modules(MATRICES, x),
    "index of arrays": lambda x: SPACE.index(MATRICES, x),
    "hash_modules(invalid)": lambda x: nb101.hash_modules([], [], x),
    "hash_modules(progress)": lambda x: nb101.hash_modules([], [], progress=x),
    "set_threads": lambda x: nb101.set_threads(x if x is not None else -1),
}
for _name in (
    *("adjacency_one_hot", "adjacency_categorical", "adjacency_continuous", "path_encoding"),
    *("structural_features", "from_one_hot", "from_categorical", "from_continuous"),
):
    CALLS[_name] = _call = getattr(encodings, _name)
    CALLS[f"{_name}([x])"] = partial(lambda call, x: call([x]), _call)
    CALLS[f"{_name}(space)"] = partial(_call, [])
for _name in analysis.__all__:
    _call = getattr(analysis, _name)
    if inspect.isfunction(_call):
        CALLS[f"analysis.{_name}"] = partial(
            lambda call, given, x: call(x, *given),
            _call,
            {
                **{"cell_values": ["flops"], "correlation": [[1, 2]]},
                **{"neighbor_values": [0, ["x"]], "proxy_correlations": [None]},
            }.get(_name, []),
        )
NONE: Any = 1  # In the place of None, which is right there.
CALLS |= {
    "correlation(y)": lambda x: analysis.correlation([1, 2], x),
    "correlation(method)": lambda x: analysis.correlation([1, 2], [1, 2], x),
    "correlations(pairs)": lambda x: analysis.correlations(TABLE, NONE if x is None else x),
    "correlations(top)": lambda x: analysis.correlations(TABLE, top=x),
    "correlations(methods)": lambda x: analysis.correlations(TABLE, methods=x),
    "cell_values(metric)": lambda x: analysis.cell_values(TABLE, x),
    "proxy_correlations(scores)": lambda x: analysis.proxy_correlations(TABLE, x),
    "pareto_front(metrics)": lambda x: analysis.pareto_front(TABLE, x),
    "pareto_front(directions)": lambda x: analysis.pareto_front(
        TABLE, directions=NONE if x is None else x
    ),
    "random_walks(seed)": lambda x: analysis.random_walks(TABLE, walks=1, steps=1, seed=x),
    "random_walks(graph)": lambda x: analysis.random_walks(TABLE, walks=1, steps=1, graph=x),
    "local_optima(graph)": lambda x: analysis.local_optima(TABLE, graph=NONE if x is None else x),
    "predict.load": predict.load,
    "compare(folder)": lambda x: search.compare(
        TABLE, NONE if isinstance(x, str) else x, queries=1
    ),
    "Comparison.open": search.Comparison.open,
    "neighbor_values(cell)": lambda x: analysis.neighbor_values(TABLE, x, ("test_accuracy",)),
    "neighbor_values(metrics)": lambda x: analysis.neighbor_values(TABLE, 1, x),
}
CALLS["path_encoding(length)"] = lambda x: encodings.path_encoding(CELL, length=x)
CALLS["path_names"] = lambda x: encodings.path_names(length=x)
CALLS["path_names(space)"] = encodings.path_names
CALLS["structural_feature_names"] = encodings.structural_feature_names


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("error")
def test_wrong_input_gets_an_exception_of_the_package(name: str) -> None:
    threads, refused = nb101.get_threads(), 0
    try:
        for value in WRONG:
            try:
                CALLS[name](value)
            except errors.NB101Error:
                refused += 1
            except Exception as error:
                pytest.fail(f"{name} of {value!r}: {type(error).__name__}: {error}")
    finally:
        nb101.set_threads(threads)
    silent = ("contains", "Cells.contains", "Cells.eq")
    assert refused > 10 or name in silent, refused


# Classes that say nothing of where they come from: wrong input gets one of `nb101.errors`.
PLAIN = {
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type)
    and issubclass(kind, (ValueError, TypeError, LookupError, OSError, ImportError, EOFError))
} | {"ArithmeticError", "Exception", "OverflowError"}

# How many stay in a file: a caller in it catches them at once and says which file is damaged and
# how, or they are what the protocol of a file, a socket or a sequence asks for.
ALLOWED = {
    "_base/archives.py": 9,  # caught where archives are read: `embedded`, predictors, checkpoints
    "campaign/results.py": 6,
    "_base/fetch.py": 4,
    "table/about.py": 1,
    "proxies/folder.py": 4,
    "search/folder.py": 1,
    "search/outside.py": 3,  # caught where a configuration is read
    "search/searcher.py": 1,
    "search/trace.py": 4,
    "table/files.py": 7,
    "train/batches.py": 1,
}


def plain_raises(source: str) -> list[str]:
    """Each plain exception that a source raises, with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Raise):
            continue
        called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if isinstance(called, ast.Name) and called.id in PLAIN:
            found.append(f"{node.lineno}: {called.id}")
    return found


def test_plain_exceptions_are_found() -> None:
    lines = ["raise ValueError('x')", "raise PermissionError", "raise ArgumentError('x')", "raise"]
    assert plain_raises("\n".join(lines)) == ["1: ValueError", "2: PermissionError"]


def test_no_plain_exception_is_raised() -> None:
    found = {
        str(path.relative_to(PACKAGE)): plain_raises(path.read_text("utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }
    too_many = {name: lines for name, lines in found.items() if len(lines) != ALLOWED.get(name, 0)}
    assert too_many == {}
