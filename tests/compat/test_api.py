"""The original interface, against its plain re-implementation in `original`."""

import copy
import gzip
import math
import pickle
import random
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nb101
import oracle
from nb101 import api
from nb101.compat import records
from official import frame, record, write
from original import OPS, Original
from strategies import modules

INCEPTION = [
    [0, 1, 1, 1, 0, 1, 0],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 1, 0, 0],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0],
]
INCEPTION_OPS = ["input", OPS[1], OPS[0], OPS[0], OPS[0], OPS[2], "output"]
INCEPTION_HASH = "28cfc7874f6d200472e1a9dcd8650aa0"
IDS = [400_000, 5, 77_777, 0, 423_623, 31]
BUDGETS = (108, 4)


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of official records, cells in no order, the largest budget first."""
    path = tmp_path_factory.mktemp("api") / "some.tfrecord"
    space = nb101.SearchSpace()
    inception = space.index(nb101.Cell(INCEPTION, INCEPTION_OPS))
    write(path, [*IDS, inception], BUDGETS)
    return path


@pytest.fixture(scope="module")
def original(official: Path) -> Original:
    return Original(official)


@pytest.fixture
def nasbench(official: Path) -> api.NASBench:
    return api.NASBench(official)


def spec_of(fixed: Mapping[str, Any]) -> api.ModelSpec:
    return api.ModelSpec(fixed["module_adjacency"], fixed["module_operations"])


def labels(codes: oracle.Codes) -> list[str]:
    return ["input", *(OPS[code] for code in codes[1:-1]), "output"]


def plain(fixed: Mapping[str, Any]) -> dict[str, Any]:
    assert fixed["module_adjacency"].dtype == np.int8
    return {**fixed, "module_adjacency": fixed["module_adjacency"].tolist()}


# ModelSpec


@pytest.mark.parametrize(
    ("matrix", "ops", "message"),
    [
        ([[0, 1, 0], [0, 0, 0]], ["input", "output"], "matrix must be square"),
        ([[0, 1], [0]], ["input", "output"], "matrix must be square"),
        ([0, 1], ["input", "output"], "matrix must be square"),
        (1, ["input"], "matrix must be square"),
        ([], [], "matrix must be square"),
        ([[[0]]], ["input"], "matrix must be square"),
        ([[0, 1], [0, 0]], ["input"], "length of ops must match matrix dimensions"),
        ([[0, 1], [0, 0]], ["input", "x", "output"], "length of ops must match matrix dimensions"),
        ([[0, 1], [1, 0]], ["input", "output"], "matrix must be upper triangular"),
        ([[0, 1], [0, 1]], ["input", "output"], "matrix must be upper triangular"),
        ([[0, 1], [float("nan"), 0]], ["input", "output"], "matrix must be upper triangular"),
        ([["0", "1"], ["0", "0"]], ["input", "output"], "matrix must hold numbers 0 and 1"),
    ],
)
def test_wrong_modules_are_refused(matrix: Any, ops: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        api.ModelSpec(matrix, ops)


@given(modules(max_vertices=12, connected=False))
def test_prunes_and_hashes_as_the_oracle(module: oracle.Module) -> None:
    matrix, codes = module
    names = [f"{code} of vertex {i}" for i, code in enumerate(codes)]
    spec = api.ModelSpec(matrix, names)
    assert spec.original_matrix.tolist() == [list(row) for row in matrix]
    assert spec.original_ops == names
    pruned = oracle.prune(*module)
    assert spec.valid_spec == (pruned is not None)
    if pruned is None:
        assert spec.matrix is None
        assert spec.ops is None
        return
    assert spec.matrix is not None
    assert spec.ops is not None
    assert spec.matrix.tolist() == [list(row) for row in pruned[0]]
    assert [int(name.split()[0]) for name in spec.ops] == list(pruned[1])
    assert spec.ops == [name for name in names if name in spec.ops]
    named = api.ModelSpec(matrix, labels(codes))
    assert named.hash_spec(OPS) == oracle.hash_module(*pruned)


def test_one_vertex_is_no_path() -> None:
    assert not api.ModelSpec([[0]], ["input"]).valid_spec
    assert not api.ModelSpec(np.zeros((0, 0)), []).valid_spec


@pytest.mark.parametrize("kind", [int, bool, float, np.uint8, np.int64, object, np.float16])
def test_numbers_of_every_type_hash_alike(nasbench: api.NASBench, kind: Any) -> None:
    spec = api.ModelSpec(np.array(INCEPTION, dtype=kind), INCEPTION_OPS)
    assert spec.matrix is not None
    assert spec.matrix.dtype == spec.original_matrix.dtype == kind
    assert spec.hash_spec(OPS) == INCEPTION_HASH
    assert nasbench.query(spec)["trainable_parameters"] == 2_694_282
    listed = api.ModelSpec(list(map(list, np.array(INCEPTION, dtype=kind))), INCEPTION_OPS)
    assert listed.hash_spec(OPS) == INCEPTION_HASH


@pytest.mark.parametrize("entry", [2, -1, 0.5, float("nan"), 256, 2**70])
def test_other_entries_are_refused_when_hashed(nasbench: api.NASBench, entry: Any) -> None:
    spec = api.ModelSpec([[0, entry, 1], [0, 0, 1], [0, 0, 0]], ["input", OPS[0], "output"])
    message = re.escape(f"matrix entries must be 0 or 1: entry (0, 1) is {entry}")
    with pytest.raises(ValueError, match=message):
        spec.hash_spec(OPS)
    with pytest.raises(ValueError, match=message):
        nasbench.query(spec)


def test_inputs_are_copied() -> None:
    matrix, ops = np.array(INCEPTION), list(INCEPTION_OPS)
    spec = api.ModelSpec(matrix, ops)
    matrix[0, 6] = 1
    ops[1] = "other"
    assert spec.original_matrix.tolist() == INCEPTION
    assert spec.original_ops == spec.ops == INCEPTION_OPS
    assert spec.matrix is not None
    spec.matrix[0, 6] = 1
    assert spec.original_matrix.tolist() == INCEPTION


DANGLING = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("matrix", "ops"),
    [
        (INCEPTION, INCEPTION_OPS),
        (DANGLING, ["input", OPS[2], "anything", "output"]),
        ([[0, 0], [0, 0]], ["input", "output"]),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [None, ["x"], np.zeros(2)]),
    ],
)
def test_lists_and_arrays_make_the_same(matrix: list[list[int]], ops: list[Any]) -> None:
    expected = api.ModelSpec(np.array(matrix), ops)
    rows, labels_ = copy.deepcopy(matrix), list(ops)
    spec = api.ModelSpec(rows, labels_)
    other = api.ModelSpec(rows, labels_)
    rows[0][1], labels_[0] = 0, "changed"
    assert pickle.dumps(other) == pickle.dumps(expected)
    for name in ("original_matrix", "matrix"):
        a, b = getattr(spec, name), getattr(expected, name)
        assert (a is None) == (b is None)
        if a is not None:
            assert (a.dtype, a.tolist()) == (b.dtype, b.tolist())
            assert a.flags.writeable
            assert a.flags.owndata
    for name in ("original_ops", "ops"):
        a, b = getattr(spec, name), getattr(expected, name)
        assert (a is b is None) or all(x is y for x, y in zip(a, b, strict=True))
    assert spec.original_matrix is not spec.matrix
    assert spec.original_ops is not spec.ops
    assert vars(spec).keys() == vars(expected).keys()


def test_a_changed_spec_is_queried_as_changed(nasbench: api.NASBench) -> None:
    def module() -> api.ModelSpec:
        return api.ModelSpec(DANGLING, ["input", OPS[2], "anything", "output"])

    def answer(spec: api.ModelSpec) -> Any:
        return nasbench._place_untouched(spec, nasbench.computed_statistics.records)  # type: ignore

    spec = module()
    assert nasbench.is_valid(spec)
    assert answer(spec) is not None
    assert len(spec.hash_spec(OPS)) == 32
    assert answer(spec) is None
    for name, value in {
        "matrix": np.zeros((2, 2), int),
        "ops": ["input", "other", "output"],
        "valid_spec": False,
    }.items():
        spec = module()
        setattr(spec, name, value)
        assert getattr(spec, name) is value
        assert answer(spec) is None
    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    spec.ops = ["input", *[OPS[2]] * 5, "output"]
    with pytest.raises(KeyError):
        nasbench.query(spec)
    with pytest.raises(AttributeError, match="'ModelSpec' object has no attribute 'nothing'"):
        spec.nothing  # noqa: B018


def test_a_check_of_ones_own_is_made(official: Path, nasbench: api.NASBench) -> None:
    class Narrow(api.NASBench):
        def _check_spec(self, model_spec: api.ModelSpec) -> None:
            raise api.OutOfDomainError("not here")

    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    with pytest.raises(api.OutOfDomainError, match="not here"):
        Narrow(official).query(spec)
    nasbench.config["max_edges"] = 8
    with pytest.raises(api.OutOfDomainError, match="too many edges: 9"):
        nasbench.query(spec)


@pytest.mark.parametrize("kind", [tuple, np.array])
def test_ops_of_other_types(kind: Any) -> None:
    spec = api.ModelSpec(INCEPTION, kind(INCEPTION_OPS), "channels_first")
    assert spec.ops == INCEPTION_OPS
    assert spec.data_format == "channels_first"
    assert spec.hash_spec(OPS) == INCEPTION_HASH
    assert api.ModelSpec(INCEPTION, INCEPTION_OPS).data_format == "channels_last"


def test_labels_can_be_anything_until_hashed() -> None:
    spec = api.ModelSpec([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [None, ["x"], 7])
    assert spec.ops == [None, ["x"], 7]
    with pytest.raises(ValueError, match=r"unknown op \['x'\]: known are conv3x3"):
        spec.hash_spec(OPS)
    assert spec.hash_spec([["x"]]) == spec.hash_spec([["x"], 3])


def test_a_disconnected_spec_has_no_hash() -> None:
    spec = api.ModelSpec([[0, 0], [0, 0]], ["input", "output"])
    for work in (lambda: spec.hash_spec(OPS), spec.visualize):
        with pytest.raises(nb101.DisconnectedError, match="no path"):
            work()


def test_visualize() -> None:
    pytest.importorskip("graphviz")
    spec = api.ModelSpec([[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["input", OPS[2], "output"])
    source = spec.visualize().source
    assert re.findall(r"(\d) -> (\d)", source) == [("0", "1"), ("0", "2"), ("1", "2")]
    assert re.findall(r"(\d) \[label=\"?([^\]\"]*)", source) == [
        ("0", "input"),
        ("1", OPS[2]),
        ("2", "output"),
    ]


def test_visualize_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(nb101.MissingExtraError, match=re.escape("pip install 'nb101[compat]'")):
        api.ModelSpec(INCEPTION, INCEPTION_OPS).visualize()


def test_a_spec_can_be_pickled() -> None:
    spec = pickle.loads(pickle.dumps(api.ModelSpec(INCEPTION, INCEPTION_OPS)))
    assert spec.hash_spec(OPS) == INCEPTION_HASH


# Queries


@pytest.mark.parametrize("seed", [0, 7, "seven", None])
def test_a_seed_replays_the_draws(official: Path, seed: Any) -> None:
    plan = random.Random(3)
    original = Original(official)
    asked = []
    for _ in range(200):
        fixed = original.fixed[plan.choice(list(original.fixed))]
        codes = [-1, *map(OPS.index, fixed["module_operations"][1:-1]), -2]
        module = oracle.module(fixed["module_adjacency"], codes)
        matrix, codes_ = plan.choice(list(oracle.forms(*module)))
        asked.append(
            (list(map(list, matrix)), labels(codes_), plan.choice(BUDGETS), plan.random() < 0.5)
        )
    found: dict[str, Any] = {}
    nasbench = api.NASBench(official, seed)
    if seed is None:
        random.seed(11)
    found["nb101"] = [
        plain(nasbench.query(api.ModelSpec(matrix, ops), epochs, half))
        for matrix, ops, epochs, half in asked
    ]
    after = random.random()
    original = Original(official, seed)
    if seed is None:
        random.seed(11)
    found["original"] = [
        original.query(matrix, ops, epochs, half) for matrix, ops, epochs, half in asked
    ]
    assert found["nb101"] == found["original"]
    assert random.random() == after
    assert nasbench.get_budget_counters() == (original.seconds, original.epochs)


def test_results_are_plain_and_fresh(nasbench: api.NASBench) -> None:
    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    data = nasbench.query(spec)
    assert list(data) == [
        *("module_adjacency", "module_operations", "trainable_parameters"),
        *("training_time", "train_accuracy", "validation_accuracy", "test_accuracy"),
    ]
    assert type(data["trainable_parameters"]) is int
    assert all(type(data[name]) is float for name in list(data)[3:])
    data["module_adjacency"][:] = 7
    data["module_operations"].clear()
    fixed, computed = nasbench.get_metrics_from_spec(spec)
    assert type(computed) is dict
    fixed["module_adjacency"][:] = 7
    computed[108][0].clear()
    computed.clear()
    again = nasbench.query(spec)
    cell = nb101.Cell(INCEPTION, INCEPTION_OPS)
    assert again["module_adjacency"].tolist() == cell.matrix.tolist()
    assert again["module_operations"] == list(cell.ops)
    assert nasbench.computed_statistics[INCEPTION_HASH][108][0]["final_test_accuracy"] >= 0


def test_counters(nasbench: api.NASBench) -> None:
    assert nasbench.get_budget_counters() == (0.0, 0)
    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    seconds = nasbench.query(spec, epochs=4)["training_time"]
    seconds += nasbench.query(spec, epochs=108, stop_halfway=True)["training_time"]
    assert nasbench.get_budget_counters() == (seconds, 4 + 54)
    assert (nasbench.training_time_spent, nasbench.total_epochs_spent) == (seconds, 58)
    nasbench.training_time_spent, nasbench.total_epochs_spent = 1.0, 2
    nasbench.query(spec, epochs=4)
    assert nasbench.training_time_spent > 1
    assert nasbench.total_epochs_spent == 6
    nasbench.get_metrics_from_spec(spec)
    assert nasbench.total_epochs_spent == 6
    nasbench.reset_budget_counters()
    assert nasbench.get_budget_counters() == (0.0, 0)


FULL = np.triu(np.ones((7, 7), dtype=int), 1)


@pytest.mark.parametrize(
    ("matrix", "ops", "message"),
    [
        ([[0, 0], [0, 0]], ["input", "output"], "disconnected"),
        (np.eye(8, k=1), ["input", *[OPS[0]] * 6, "output"], "too many vertices: 8, .* 7"),
        (FULL, ["input", *[OPS[0]] * 5, "output"], "too many edges: 21, .* 9"),
        ([[0, 1], [0, 0]], ["in", "output"], "first op must be 'input', not 'in'"),
        ([[0, 1], [0, 0]], ["input", 3], "last op must be 'output', not 3"),
        (np.eye(3, k=1), ["input", "relu", "output"], "unsupported op 'relu': .* maxpool3x3"),
        (np.eye(3, k=1), ["input", ["relu"], "output"], r"unsupported op \['relu'\]"),
        (np.eye(3, k=1), ["input", "input", "output"], "unsupported op 'input'"),
    ],
)
def test_what_is_out_of_the_domain(
    nasbench: api.NASBench, matrix: Any, ops: list[Any], message: str
) -> None:
    spec = api.ModelSpec(matrix, ops)
    assert not nasbench.is_valid(spec)
    state = random.getstate()
    with pytest.raises(api.OutOfDomainError, match=message):
        nasbench.query(spec)
    with pytest.raises(api.OutOfDomainError, match=message):
        nasbench.get_metrics_from_spec(spec)
    assert random.getstate() == state
    assert nasbench.get_budget_counters() == (0.0, 0)


def test_limits_apply_after_pruning(nasbench: api.NASBench) -> None:
    matrix = np.triu(np.ones((9, 9), dtype=int), 1)
    matrix[1:, 8] = 0
    spec = api.ModelSpec(matrix, ["input", *["anything"] * 7, "output"])
    assert nasbench.is_valid(spec)
    assert nasbench.query(spec)["trainable_parameters"] == 882_570


def test_other_epochs_are_out_of_the_domain(nasbench: api.NASBench) -> None:
    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    assert nasbench.valid_epochs == set(BUDGETS)
    with pytest.raises(api.OutOfDomainError, match="invalid number of epochs: 5; there are 4, 108"):
        nasbench.query(spec, epochs=5)
    # Programs tell it from the ValueErrors of ModelSpec.
    assert not issubclass(api.OutOfDomainError, ValueError)


def test_config(nasbench: api.NASBench) -> None:
    config = nasbench.config
    assert (config["module_vertices"], config["max_edges"], config["num_repeats"]) == (7, 9, 3)
    assert config["available_ops"] == OPS
    assert config["learning_rate"] == 0.1
    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    assert nasbench._hash_spec(spec) == INCEPTION_HASH
    # Programs that narrow the space, or want no noise, write to it.
    config["num_repeats"] = 1
    first = nasbench.computed_statistics[INCEPTION_HASH][108][0]["final_test_accuracy"]
    assert {nasbench.query(spec)["test_accuracy"] for _ in range(20)} == {first}
    config["max_edges"] = 8
    assert not nasbench.is_valid(spec)


# Statistics


def test_statistics_are_those_of_the_plain_reader(
    nasbench: api.NASBench, original: Original
) -> None:
    fixed, computed = nasbench.fixed_statistics, nasbench.computed_statistics
    for view, expected in ((fixed, original.fixed), (computed, original.computed)):
        assert isinstance(view, Mapping)
        assert len(view) == len(expected) == 7
        assert list(view) == list(view.keys()) == list(expected)
        assert all(hash_ in view for hash_ in expected)
        assert "7 cells" in repr(view)
    assert {hash_: plain(value) for hash_, value in fixed.items()} == original.fixed
    assert list(map(plain, fixed.values())) == list(original.fixed.values())
    assert {hash_: dict(value) for hash_, value in computed.items()} == original.computed
    for hash_, expected_runs in original.computed.items():
        runs = computed[hash_]
        assert isinstance(runs, Mapping)
        assert runs == expected_runs
        assert list(runs) == list(expected_runs) == [108, 4]
        assert len(runs) == 2
        assert 108 in runs
        assert 12 not in runs
        assert repr(runs) == repr(expected_runs)
        assert list(runs[4][0]) == list(expected_runs[4][0])
        found = nasbench.get_metrics_from_hash(hash_)
        assert (plain(found[0]), found[1]) == (original.fixed[hash_], expected_runs)
        found = nasbench.get_metrics_from_spec(spec_of(original.fixed[hash_]))
        assert (plain(found[0]), found[1]) == (original.fixed[hash_], expected_runs)


def test_order_is_that_of_the_records(
    tmp_path: Path, original: Original, official: Path, space: nb101.SearchSpace
) -> None:
    runs = [
        frame(record(space[i], epochs, [n / 64] * 15, 1.0))
        for n, (i, epochs) in enumerate(
            [(i, epochs) for i in IDS for epochs in (4, 12, 36) for _ in range(3)]
        )
    ]
    for seed in range(5):
        random.Random(seed).shuffle(runs)
        path = tmp_path / f"{seed}.tfrecord"
        path.write_bytes(b"".join(runs))
        expected = Original(path)
        nasbench = api.NASBench(path)
        assert list(nasbench.hash_iterator()) == list(expected.fixed)
        for hash_, runs_ in nasbench.computed_statistics.items():
            assert list(runs_.items()) == list(expected.computed[hash_].items())


def test_hash_iterator_is_sized(nasbench: api.NASBench, original: Original) -> None:
    hashes = nasbench.hash_iterator()
    assert len(hashes) == 7
    assert INCEPTION_HASH in hashes
    assert list(hashes) == list(original.fixed)


@pytest.mark.parametrize(
    "key", ["0" * 32, "", "no hash", None, 3, "043721b9c7fe8c5fad811d47d83132e", ("a",)]
)
def test_unknown_hashes(nasbench: api.NASBench, key: Any) -> None:
    for view in (nasbench.fixed_statistics, nasbench.computed_statistics):
        assert key not in view
        assert view.get(key) is None
        with pytest.raises(KeyError):
            view[key]
    with pytest.raises(KeyError):
        nasbench.get_metrics_from_hash(key)


def test_statistics_are_read_only(nasbench: api.NASBench) -> None:
    for view in (nasbench.fixed_statistics, nasbench.computed_statistics):
        with pytest.raises(TypeError):
            view["x"] = 1  # type: ignore[index]


# Files


def test_other_files_hold_the_same(
    official: Path, nasbench: api.NASBench, original: Original, tmp_path: Path
) -> None:
    packed = tmp_path / "packed.tfrecord.gz"
    packed.write_bytes(gzip.compress(official.read_bytes()))
    table = nb101.convert(official, tmp_path / "table.arrow")
    table.save(tmp_path / "table.parquet")
    for path in (packed, tmp_path / "table.arrow", str(tmp_path / "table.parquet")):
        found = api.NASBench(path)
        assert list(found.hash_iterator()) == list(original.fixed)
        assert {k: dict(v) for k, v in found.computed_statistics.items()} == original.computed


def test_a_file_of_one_record(tmp_path: Path, space: nb101.SearchSpace) -> None:
    path = tmp_path / "one.tfrecord"
    cell = space[1000]
    path.write_bytes(frame(record(cell, 36, [i / 16 for i in range(15)], 1.0)))
    nasbench = api.NASBench(path, seed=1)
    assert nasbench.config["num_repeats"] == 1
    assert nasbench.valid_epochs == {36}
    assert list(nasbench.hash_iterator()) == [cell.hash]
    spec = api.ModelSpec(cell.matrix, list(cell.ops))
    assert nasbench.query(spec, epochs=36)["test_accuracy"] == 14 / 16
    assert nasbench.query(spec, epochs=36, stop_halfway=True)["training_time"] == 6 / 16
    assert nasbench.get_budget_counters() == (17 / 16, 54)
    with pytest.raises(api.OutOfDomainError, match="invalid number of epochs"):
        nasbench.query(spec)
    # In the space and not in the file: no lie about the domain.
    other = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    assert nasbench.is_valid(other)
    with pytest.raises(KeyError, match="the dataset has no run of cell"):
        nasbench.query(other, epochs=36)
    with pytest.raises(KeyError, match=f"no run of cell .*{INCEPTION_HASH}"):
        nasbench.get_metrics_from_spec(other)
    assert INCEPTION_HASH not in nasbench.fixed_statistics


def test_cells_with_fewer_runs(tmp_path: Path, space: nb101.SearchSpace) -> None:
    path = tmp_path / "uneven.tfrecord"
    runs = [(7, 108), (3, 108), (3, 108), (3, 108), (7, 108), (7, 4)]
    path.write_bytes(
        b"".join(
            frame(record(space[i], epochs, [n / 64] * 15, 1.0))
            for n, (i, epochs) in enumerate(runs)
        )
    )
    nasbench = api.NASBench(path, seed=0)
    assert nasbench.config["num_repeats"] == 3
    found = {
        i: {
            nasbench.query(api.ModelSpec(space[i].matrix, list(space[i].ops)))["test_accuracy"]
            for _ in range(100)
        }
        for i in (3, 7)
    }
    assert found == {3: {1 / 64, 2 / 64, 3 / 64}, 7: {0.0, 4 / 64}}
    assert list(nasbench.hash_iterator()) == [space[7].hash, space[3].hash]
    assert list(nasbench.computed_statistics[space[3].hash]) == [108]
    assert len(nasbench.computed_statistics[space[3].hash]) == 1
    with pytest.raises(KeyError):
        nasbench.computed_statistics[space[3].hash][4]
    with pytest.raises(KeyError, match="no run of cell 3 at 4 epochs"):
        nasbench.query(api.ModelSpec(space[3].matrix, list(space[3].ops)), epochs=4)


def test_a_table_of_another_space(tmp_path: Path) -> None:
    space = nb101.SearchSpace(4, 5, ["identity", OPS[0]])
    runs = {name: np.array([0.25, 0.5], dtype=np.float32) for name in records.RUN}
    last = len(space) - 1
    table = nb101.Table.from_columns({"cell_id": [last, 0], "epochs": [2, 2], **runs}, space=space)
    assert "trainable_parameters" not in table.columns
    assert "record" not in table.columns
    table.save(tmp_path / "small.arrow")
    nasbench = api.NASBench(tmp_path / "small.arrow")
    assert nasbench.config["module_vertices"] == 4
    assert nasbench.config["max_edges"] == 5
    assert nasbench.config["available_ops"] == ["identity", OPS[0]]
    cell = space[last]
    assert list(nasbench.hash_iterator()) == [space[0].hash, cell.hash]
    spec = api.ModelSpec(cell.matrix, list(cell.ops))
    assert nasbench._hash_spec(spec) == cell.hash
    assert nasbench.query(spec, epochs=2)["trainable_parameters"] == cell.parameters
    maxpool = api.ModelSpec(np.eye(3, k=1), ["input", OPS[2], "output"])
    with pytest.raises(api.OutOfDomainError, match="available are identity, conv3x3"):
        nasbench.query(maxpool, epochs=2)


def test_parameters_are_counted_where_the_table_lacks_them(
    tmp_path: Path, space: nb101.SearchSpace
) -> None:
    runs = {name: np.array([0.25, 0.5], dtype=np.float32) for name in records.RUN}
    table = nb101.Table.from_columns({"cell_id": [9, 2], "epochs": [108, 108], **runs})
    table.save(tmp_path / "table.parquet")
    nasbench = api.NASBench(tmp_path / "table.parquet")
    for i in (2, 9):
        assert (
            nasbench.fixed_statistics[space[i].hash]["trainable_parameters"] == space[i].parameters
        )


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        api.NASBench(tmp_path / "nowhere.tfrecord")
    with pytest.raises(OSError, match="Is a directory"):
        api.NASBench(tmp_path)
    (tmp_path / "text.tfrecord").write_text("no records")
    with pytest.raises(nb101.DatasetError):
        api.NASBench(tmp_path / "text.tfrecord")
    table = nb101.Table.from_columns({"cell_id": [1], "epochs": [108], "test_accuracy": [0.5]})
    table.save(tmp_path / "bare.arrow")
    with pytest.raises(nb101.DatasetError, match=r"needs halfway_training_time, .*final_test"):
        api.NASBench(tmp_path / "bare.arrow")


# Predicted tables


WARNED = pytest.mark.filterwarnings("ignore:numbers of .* are predicted")


@pytest.fixture(scope="module")
def predicted() -> api.NASBench:
    with pytest.warns(UserWarning, match="^numbers of surrogate-v1 are predicted, not measured; "):
        return api.NASBench(seed=3)


def test_nothing_asked_for_is_the_table_of_the_package(predicted: api.NASBench) -> None:
    table = nb101.load_table()
    assert predicted.kind == "predicted"
    assert len(predicted.hash_iterator()) == 423_624
    assert predicted.valid_epochs == {4, 12, 36, 108}
    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    data = predicted.query(spec)
    cell = nb101.Cell(INCEPTION, INCEPTION_OPS)
    for metric in ("training_time", "validation_accuracy", "test_accuracy"):
        assert data[metric] == table.mean(metric)[table.space.index(cell)]
    assert data["trainable_parameters"] == 2_694_282
    assert predicted.get_budget_counters() == (data["training_time"], 108)
    with pytest.raises(api.OutOfDomainError, match="invalid number of epochs"):
        predicted.query(spec, epochs=5)


def test_what_a_predicted_table_lacks_is_nan(predicted: api.NASBench) -> None:
    assert predicted.absent == (
        *("halfway_train_accuracy", "halfway_validation_accuracy", "halfway_test_accuracy"),
        "final_train_accuracy",
    )
    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    whole, half = predicted.query(spec), predicted.query(spec, stop_halfway=True)
    assert math.isnan(whole["train_accuracy"])
    assert half["training_time"] == whole["training_time"] / 2
    assert all(math.isnan(half[f"{x}_accuracy"]) for x in ("train", "validation", "test"))
    _, computed = predicted.get_metrics_from_spec(spec)
    assert set(computed) == {4, 12, 36, 108}
    for runs in computed.values():
        assert [list(run) for run in runs] == [list(records.RUN)] * 3
        assert {name for name, value in runs[0].items() if math.isnan(value)} == set(
            predicted.absent
        )


@WARNED
def test_draws_are_those_of_the_official_files(predicted: api.NASBench) -> None:
    """A seed proposes the same cells on the table of the package as on the official files."""
    assert predicted.config["num_repeats"] == 3
    nasbench = api.NASBench("surrogate-v1", seed=8)
    nasbench.query(api.ModelSpec(INCEPTION, INCEPTION_OPS))
    after = random.random()
    random.seed(8)
    random.randint(0, 2)
    assert after == random.random()


@WARNED
def test_the_table_of_the_environment(official: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB101_TABLE", "surrogate-v1")
    assert api.NASBench("nasbench_full.tfrecord").kind == "predicted"
    assert api.NASBench(official).kind == "predicted"
    monkeypatch.setenv("NB101_TABLE", str(official))
    found = api.NASBench()
    assert found.kind == "measured"
    assert found.absent == ()
    assert len(found.hash_iterator()) == 7


def test_pickled_by_its_name(predicted: api.NASBench) -> None:
    data = pickle.dumps(predicted)
    assert len(data) < 3000
    again = pickle.loads(data)
    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    assert again.kind == "predicted"
    assert again.query(spec)["test_accuracy"] == predicted.query(spec)["test_accuracy"]


def test_a_file_that_is_not_there_and_what_can_take_its_place(
    tmp_path: Path, official: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NB101_CACHE", str(tmp_path))
    with pytest.raises(api.MissingDatasetError, match="no such file; nb101 run") as found:
        api.NASBench("nowhere.tfrecord")
    error = found.value
    assert isinstance(error, FileNotFoundError)
    assert isinstance(error, nb101.NB101Error)
    assert (error.errno, error.path, error.filename) == (2, *["nowhere.tfrecord"] * 2)
    assert "--table surrogate-v1" in str(error)
    assert "NB101_TABLE=surrogate-v1" in str(error)
    assert "nb101 download official-108" in str(error)
    with pytest.raises(api.MissingDatasetError, match="nb101 download official-full"):
        api.NASBench(tmp_path / "nasbench_full.tfrecord")
    nb101.convert(official, tmp_path / "official-full.arrow")
    with pytest.raises(api.MissingDatasetError, match="official-full, which is the same, has been"):
        api.NASBench(tmp_path / "nasbench_full.tfrecord")
    assert api.NASBench("official-full").kind == "measured"
    with pytest.raises(nb101.DatasetError, match="run nb101 download official-108"):
        api.NASBench("official-108")
    with pytest.raises(nb101.ArgumentTypeError, match="dataset_file must be a str or a Path"):
        api.NASBench(3)  # type: ignore[arg-type]


# Subclasses, and copies


class Counting(api.NASBench):
    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path, seed=1)
        self.name = name
        self.asked: list[str] = []

    def query(self, *arguments: Any, **settings: Any) -> dict[str, Any]:
        data = super().query(*arguments, **settings)
        self.asked.append("query")
        return data


def test_subclass(official: Path) -> None:
    nasbench = Counting(official, "mine")
    nasbench.query(api.ModelSpec(INCEPTION, INCEPTION_OPS), epochs=4)
    assert nasbench.asked == ["query"]
    assert nasbench.total_epochs_spent == 4


@pytest.mark.parametrize(
    "step", ["_check_spec", "_hash_spec", "get_metrics_from_spec", "get_metrics_from_hash"]
)
def test_what_a_subclass_redefines_is_used(official: Path, step: str) -> None:
    asked = []

    def note(self: api.NASBench, argument: Any) -> Any:
        asked.append(argument)
        return getattr(api.NASBench, step)(self, argument)

    subclass = type("Redefined", (api.NASBench,), {step: note})
    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    found = subclass(official, seed=5).query(spec)
    assert len(asked) == 1
    expected = api.NASBench(official, seed=5).query(spec)
    assert plain(found) == plain(expected)
    assert list(found) == list(expected)


def test_a_spec_with_a_hash_of_its_own(official: Path, original: Original) -> None:
    other = next(hash_ for hash_ in original.fixed if hash_ != INCEPTION_HASH)

    class Disguised(api.ModelSpec):
        def hash_spec(self, canonical_ops: list[Any]) -> str:
            return other

    found = api.NASBench(official).query(Disguised(INCEPTION, INCEPTION_OPS))
    assert found["module_operations"] == original.fixed[other]["module_operations"]


def test_dicts_of_ones_own_in_place_of_the_statistics(official: Path, original: Original) -> None:
    class Own(api.NASBench):
        def __init__(self) -> None:
            self.config = {"module_vertices": 7, "max_edges": 9, "num_repeats": 3}
            self.config["available_ops"] = OPS
            self.fixed_statistics = original.fixed
            self.computed_statistics = original.computed
            self.valid_epochs = {108}
            self.reset_budget_counters()

    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    expected = api.NASBench(official, seed=2).query(spec, stop_halfway=True)
    random.seed(2)
    own = Own()
    assert own.query(spec, stop_halfway=True) == plain(expected)
    own.get_metrics_from_hash(INCEPTION_HASH)[1][108].clear()
    assert len(original.computed[INCEPTION_HASH][108]) == 3


def test_pickling_is_by_reference_to_the_file(official: Path) -> None:
    nasbench = Counting(official, "mine")
    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    nasbench.query(spec)
    list(nasbench.hash_iterator())
    data = pickle.dumps(nasbench)
    assert len(data) < 3000
    state = random.getstate()
    again = pickle.loads(data)
    # The original's pickles do not seed anew either.
    assert random.getstate() == state
    assert type(again) is Counting
    assert (again.name, again.asked) == ("mine", ["query"])
    assert again.get_budget_counters() == nasbench.get_budget_counters()
    assert again.config == nasbench.config
    expected = nasbench.query(spec)
    random.setstate(state)
    assert plain(again.query(spec)) == plain(expected)
    assert vars(again.fixed_statistics)["_records"] is vars(again.computed_statistics)["_records"]
    views = pickle.loads(pickle.dumps(nasbench.computed_statistics))
    assert views == nasbench.computed_statistics


def test_deepcopy(official: Path) -> None:
    nasbench = Counting(official, "mine")
    again = copy.deepcopy(nasbench)
    again.query(api.ModelSpec(INCEPTION, INCEPTION_OPS))
    again.config["max_edges"] = 3
    assert nasbench.asked == []
    assert nasbench.get_budget_counters() == (0.0, 0)
    assert nasbench.config["max_edges"] == 9
    # What cannot change is shared.
    assert vars(again.fixed_statistics) == vars(nasbench.fixed_statistics)
    runs = nasbench.computed_statistics[INCEPTION_HASH]
    assert copy.deepcopy(runs) == runs
    assert copy.copy(nasbench).query(api.ModelSpec(INCEPTION, INCEPTION_OPS))


@given(st.data())
def test_queries_of_the_whole_space(data: st.DataObject) -> None:
    """The reference form comes out, whatever form goes in."""
    matrix, codes = data.draw(modules(max_vertices=7))
    spec = api.ModelSpec(matrix, labels(codes))
    assert spec.matrix is not None
    if np.count_nonzero(spec.matrix) > 9:
        return
    cell = nb101.Cell([list(row) for row in matrix], list(codes))
    assert records.matrix_of(cell._edges, cell.vertices).tolist() == cell.matrix.tolist()
    assert records.op_names_of(cell._labels, nb101.OPS) == cell.ops


def test_steps_put_in_place_are_used(official: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    other = nb101.SearchSpace()[IDS[0]].hash
    nasbench = api.NASBench(official, seed=1)
    nasbench._hash_spec = lambda model_spec: other  # type: ignore[method-assign]
    assert nasbench.query(spec)["module_operations"] != INCEPTION_OPS
    nasbench = api.NASBench(official, seed=1)
    asked: list[str] = []
    found = api.NASBench.get_metrics_from_hash

    def ask(self: api.NASBench, module_hash: str) -> Any:
        asked.append(module_hash)
        return found(self, module_hash)

    monkeypatch.setattr(api.NASBench, "get_metrics_from_hash", ask)
    nasbench.query(spec)
    assert asked == [INCEPTION_HASH]


def test_ops_in_another_order_mean_another_cell(nasbench: api.NASBench) -> None:
    nasbench = copy.deepcopy(nasbench)
    nasbench.config["available_ops"] = OPS[::-1]
    spec = api.ModelSpec([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input", OPS[0], "output"])
    # As the original does: the last op of the list has the code of the dataset's last.
    with pytest.raises(KeyError):
        nasbench.get_metrics_from_spec(spec)
    with pytest.raises(KeyError):
        nasbench.query(spec)


def test_what_numpy_programs_pass(official: Path) -> None:
    spec = api.ModelSpec(INCEPTION, INCEPTION_OPS)
    a, b = (api.NASBench(official, seed).query(spec) for seed in (5, np.int64(5)))
    assert a["test_accuracy"] == b["test_accuracy"]


def test_a_time_that_is_not_known_charges_nothing(tmp_path: Path) -> None:
    columns: dict[str, Any] = {name: [np.nan] for name in records.RUN}
    nb101.Table.from_columns({"cell_id": [0], "epochs": [4], **columns}).save(tmp_path / "t.arrow")
    nasbench = api.NASBench(tmp_path / "t.arrow")
    with pytest.raises(nb101.MissingRunError, match="training time at 4 epochs is not known"):
        nasbench.query(api.ModelSpec([[0, 1], [0, 0]], ["input", "output"]), 4)
    assert nasbench.get_budget_counters() == (0, 0)


def test_hashes_are_lower_case(nasbench: api.NASBench) -> None:
    assert INCEPTION_HASH in nasbench.fixed_statistics
    assert INCEPTION_HASH.upper() not in nasbench.fixed_statistics
    assert nasbench.history == {}
    with pytest.raises(ValueError, match="upper triangular"):
        api.ModelSpec([[1]], ["input"])
