"""One cell: what it accepts, what it refuses, and what it says about itself."""

import copy
import pickle
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nb101
import oracle
import strategies
from nb101 import Cell, DisconnectedError, InvalidCellError, OutOfSpaceError, UnknownOpError
from nb101.space.default import default_space

CONV3, CONV1, POOL = nb101.OPS
CHAIN = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
OPS = ["input", POOL, "output"]


def build(module: oracle.Module) -> Cell:
    return Cell(*module)


def to_module(cell: Cell) -> oracle.Module:
    return oracle.module(cell.matrix.tolist(), cell.codes)


def test_known_cells(golden: dict[str, Any]) -> None:
    for fact in golden["cells"]:
        edges = [tuple(edge) for edge in fact["edges"]]
        matrix, _ = oracle.from_edges(fact["vertices"], edges, [0] * (fact["vertices"] - 2))
        cell = Cell(matrix, ["input", *fact["ops"], "output"])
        assert cell.parameters == fact["parameters"], fact["name"]
        assert fact["hash"] in (None, cell.hash), fact["name"]
        assert cell.edges == len(edges)


def test_the_genuine_record_is_its_own_representative() -> None:
    adjacency = "0100110001000000010010000010000001000000010000000"
    ops = f"input,{CONV3},{POOL},{CONV3},{CONV3},{CONV1},output"
    assert Cell(adjacency, ops).to_text() == (adjacency, ops)
    assert Cell(f"{adjacency} {ops}") == Cell(adjacency, ops)


@given(strategies.modules())
def test_a_cell_is_what_the_oracle_says(module: oracle.Module) -> None:
    cell = build(module)
    pruned = oracle.prune(*module)
    assert pruned is not None
    form = oracle.representative(*pruned)
    assert to_module(cell) == form
    assert cell.hash == oracle.hash_module(*pruned)
    assert (cell.parameters, cell.flops) == oracle.cost(*form)
    assert cell.vertices == len(form[1])
    assert cell.edges == len(cell.edge_list()) == len(oracle.edges_of(form[0]))
    assert cell.edge_list() == oracle.edges_of(form[0])
    assert cell.ops == ("input", *(nb101.OPS[code] for code in form[1][1:-1]), "output")


@given(strategies.modules())
def test_pruning_is_idempotent(module: oracle.Module) -> None:
    cell = build(module)
    assert to_module(Cell(cell.matrix, cell.ops)) == to_module(cell)


@given(strategies.isomorphic_pairs())
def test_relabelling_changes_nothing(pair: tuple[oracle.Module, oracle.Module]) -> None:
    a, b = map(build, pair)
    assert a == b
    assert hash(a) == hash(b)
    assert a.hash == b.hash == oracle.hash_module(*pair[1])
    assert (a.matrix == b.matrix).all()
    assert a.codes == b.codes


@st.composite
def near_pairs(draw: st.DrawFn) -> tuple[oracle.Module, oracle.Module]:
    """Modules that are often isomorphic and never far from it."""
    first, second = draw(strategies.isomorphic_pairs(max_vertices=6, max_code=1))
    (matrix, codes), v = second, len(second[1])
    if draw(st.booleans()):
        mask = oracle.mask_of(matrix)
        for _ in range(2):
            mask ^= draw(st.booleans()) << draw(st.integers(0, v * (v - 1) // 2 - 1))
        inner = draw(st.permutations(codes[1:-1]))
        second = oracle.prune(*oracle.from_mask(v, mask, inner)) or second
    return first, second


@given(near_pairs())
def test_equal_exactly_when_isomorphic(pair: tuple[oracle.Module, oracle.Module]) -> None:
    a, b = map(build, pair)

    def graph(module: oracle.Module) -> Any:
        found = nx.DiGraph(oracle.edges_of(module[0]))
        nx.set_node_attributes(found, dict(enumerate(module[1])), "op")
        return found

    expected = nx.is_isomorphic(*map(graph, pair), node_match=lambda x, y: x["op"] == y["op"])
    assert (a == b) == expected == oracle.is_isomorphic(*pair)
    assert (hash(a) == hash(b)) >= expected


@given(strategies.pruned(max_vertices=6), st.integers(5, 600))
def test_channels(module: oracle.Module, width: int) -> None:
    cell = build(module)
    expected = oracle.channels(to_module(cell)[0], width)
    assert cell.vertex_channels(width) == (width, *expected[1:])
    assert cell.vertex_channels(width, 17) == (17, *expected[1:])


@pytest.mark.parametrize("width", [0, -1, 1.5, "128", None])
def test_widths_that_are_none(width: Any) -> None:
    with pytest.raises(ValueError, match="width must be a whole number"):
        Cell(CHAIN, OPS).vertex_channels(width)


@given(strategies.modules())
def test_depth_and_width(module: oracle.Module) -> None:
    cell = build(module)
    graph = nx.DiGraph(cell.edge_list())
    assert cell.depth == nx.dag_longest_path_length(graph)
    # Largest directed cut: no edge goes back from the output's side.
    v, best = cell.vertices, 0
    for inner in range(1 << (v - 2)):
        side = 1 | inner << 1
        crossing = [(side >> x & 1, side >> y & 1) for x, y in cell.edge_list()]
        if (0, 1) not in crossing:
            best = max(best, crossing.count((1, 0)))
    assert cell.width == best


class TestInputs:
    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("kind", list("?bBhHiIlLqQefdg"))
    def test_number_types(self, kind: str, order: Any) -> None:
        dtype = np.dtype(kind).newbyteorder(order)
        assert Cell(np.array(CHAIN, dtype=dtype), OPS) == Cell(CHAIN, OPS)

    def test_memory_layouts(self) -> None:
        wide = np.zeros((6, 9), dtype=np.int64)
        wide[::2, ::3] = CHAIN
        assert Cell(wide[::2, ::3], OPS) == Cell(CHAIN, OPS)
        assert Cell(np.asfortranarray(CHAIN), OPS) == Cell(CHAIN, OPS)
        assert Cell(np.array(CHAIN).T[::-1, ::-1], OPS) == Cell(CHAIN, OPS)
        read_only = np.array(CHAIN)
        read_only.flags.writeable = False
        assert Cell(read_only, OPS) == Cell(CHAIN, OPS)

    def test_sequences(self) -> None:
        expected = Cell(CHAIN, OPS)
        assert Cell(tuple(map(tuple, CHAIN)), tuple(OPS)) == expected
        assert Cell([[bool(x) for x in row] for row in CHAIN], OPS) == expected
        assert Cell([[float(x) for x in row] for row in CHAIN], OPS) == expected
        assert Cell([np.array(row) for row in CHAIN], np.array(OPS)) == expected
        assert Cell(CHAIN, np.array(OPS, dtype=object)) == expected
        assert Cell(np.array(CHAIN, dtype=object), OPS) == expected
        assert Cell(CHAIN, [-1, 2, -2]) == expected
        assert Cell(CHAIN, np.array([-1, 2, -2], dtype=np.int8)) == expected

    def test_the_limits_hold_after_pruning(self) -> None:
        matrix = np.zeros((30, 30), dtype=int)
        matrix[0, 1:] = 1
        matrix[3, 29] = 1
        cell = Cell(matrix, ["input", *[CONV1] * 28, "output"])
        assert (cell.vertices, cell.edges) == (3, 3)

    def test_given_arrays_are_not_kept(self) -> None:
        matrix = np.array(CHAIN)
        cell = Cell(matrix, OPS)
        matrix[0, 2] = 1
        assert cell.edges == 2
        cell.matrix[0, 2] = 1
        assert cell.edges == 2


def with_entry(row: int, column: int, value: Any) -> list[list[Any]]:
    matrix: list[list[Any]] = [list(row) for row in CHAIN]
    matrix[row][column] = value
    return matrix


BAD = {
    # name: (matrix, ops, exception, parts of its message)
    "not square": ([[0, 1, 0], [0, 0, 1]], OPS, InvalidCellError, ["square", "2", "3"]),
    "ragged": ([[0, 1, 0], [0, 1], [0]], OPS, InvalidCellError, ["square"]),
    "flat": ([0, 1, 0, 0], OPS, InvalidCellError, ["two dimensions", "1"]),
    "deep": (np.zeros((1, 3, 3)), OPS, InvalidCellError, ["two dimensions", "3"]),
    "empty": ([], [], InvalidCellError, ["at least 2 vertices", "0"]),
    "no rows": (np.zeros((0, 0)), [], InvalidCellError, ["at least 2 vertices", "0"]),
    "one vertex": ([[0]], ["input"], InvalidCellError, ["at least 2 vertices", "1"]),
    "diagonal": (with_entry(1, 1, 1), OPS, InvalidCellError, ["upper triangular", "(1, 1)", "1"]),
    "below": (with_entry(2, 0, 1), OPS, InvalidCellError, ["upper triangular", "(2, 0)"]),
    "two": (with_entry(0, 1, 2), OPS, InvalidCellError, ["0 or 1", "(0, 1)", "2"]),
    "negative": (with_entry(0, 2, -1), OPS, InvalidCellError, ["0 or 1", "(0, 2)", "-1"]),
    "huge": (with_entry(0, 2, 2**63), OPS, InvalidCellError, ["0 or 1", "(0, 2)"]),
    "beyond": (with_entry(0, 2, 2**80), OPS, InvalidCellError, ["matrix"]),
    "wraps": (np.array(with_entry(0, 2, 2**32 + 1)), OPS, InvalidCellError, ["(0, 2)"]),
    "a half": (with_entry(1, 2, 0.5), OPS, InvalidCellError, ["0 or 1", "(1, 2)", "0.5"]),
    "nan": (with_entry(1, 2, float("nan")), OPS, InvalidCellError, ["0 or 1", "(1, 2)", "NaN"]),
    "nan below": (with_entry(1, 0, float("nan")), OPS, InvalidCellError, ["(1, 0)", "NaN"]),
    "inf": (with_entry(0, 1, float("inf")), OPS, InvalidCellError, ["0 or 1", "(0, 1)", "inf"]),
    "-inf": (with_entry(0, 1, -float("inf")), OPS, InvalidCellError, ["(0, 1)", "-inf"]),
    "tiny": (with_entry(0, 1, 1 + 1e-15), OPS, InvalidCellError, ["0 or 1", "(0, 1)"]),
    "half precision": (np.array(with_entry(0, 1, 0.5), "e"), OPS, InvalidCellError, ["(0, 1)"]),
    "complex": (np.array(CHAIN, complex), OPS, InvalidCellError, ["matrix", "complex128"]),
    "objects": (np.array([[0, "x"], [0, 0]], object), OPS, InvalidCellError, ["(0, 1)", "'x'"]),
    "strings": ([["0", "1"], ["0", "0"]], ["input", "output"], InvalidCellError, ["matrix", "U"]),
    "none": (
        [[0, None], [0, 0]],
        ["input", "output"],
        InvalidCellError,
        ["matrix", "(0, 1)", "None"],
    ),
    "dates": (np.zeros((2, 2), "M8[s]"), ["input", "output"], InvalidCellError, ["matrix"]),
    "no matrix": (None, OPS, InvalidCellError, ["matrix"]),
    "no ops": (CHAIN, None, InvalidCellError, ["ops are missing"]),
    "few ops": (CHAIN, ["input", "output"], InvalidCellError, ["length of ops", "2", "3"]),
    "many ops": (CHAIN, [*OPS, POOL], InvalidCellError, ["length of ops", "4", "3"]),
    "ops as text": (CHAIN, "input", InvalidCellError, ["ops"]),
    "typo": (CHAIN, ["input", "conv3x3", "output"], UnknownOpError, ["vertex 1", CONV3, "mean"]),
    "case": (CHAIN, ["input", "MaxPool3x3", "output"], UnknownOpError, ["MaxPool3x3", POOL]),
    "unlike any": (CHAIN, ["input", "@", "output"], UnknownOpError, ["'@'", "vertex 1", CONV1]),
    "code": (CHAIN, [-1, 3, -2], UnknownOpError, ["3", "vertex 1", "0 to 2"]),
    "huge code": (CHAIN, [-1, 2**80, -2], UnknownOpError, [str(2**80), "vertex 1"]),
    "negative code": (CHAIN, [-1, -7, -2], InvalidCellError, ["-7", "vertex 1"]),
    "hugely negative": (CHAIN, [-1, -(2**80), -2], InvalidCellError, ["vertex 1"]),
    "a half op": (CHAIN, [-1, 0.5, -2], InvalidCellError, ["vertex 1", "0.5"]),
    "no op": (CHAIN, ["input", None, "output"], InvalidCellError, ["vertex 1", "None"]),
    "list op": (CHAIN, ["input", [], "output"], InvalidCellError, ["vertex 1"]),
    "true op": (CHAIN, [-1, True, -2], InvalidCellError, ["vertex 1", "True"]),
    "first": (CHAIN, [POOL, POOL, "output"], InvalidCellError, ["first", "input", "vertex 0"]),
    "last": (CHAIN, ["input", POOL, POOL], InvalidCellError, ["last", "output", "vertex 2"]),
    "swapped": (CHAIN, ["output", POOL, "input"], InvalidCellError, ["first", "input"]),
    "input inside": (CHAIN, ["input"] * 2 + ["output"], InvalidCellError, ["vertex 1", "'input'"]),
    "output inside": (CHAIN, ["input", "output", "output"], InvalidCellError, ["vertex 1"]),
    "padding inside": (CHAIN, [-1, -3, -2], InvalidCellError, ["vertex 1", "padding"]),
    "padding with edges": (CHAIN, [-1, -2, -3], InvalidCellError, ["padding", "(1, 2)"]),
    "disconnected": (with_entry(0, 1, 0), OPS, DisconnectedError, ["input", "output"]),
    "no edges": (np.zeros((7, 7)), [-1, 0, 0, 0, 0, 0, -2], DisconnectedError, ["no path"]),
    "twelve": (
        np.eye(12, k=1),
        ["input", *[CONV1] * 10, "output"],
        OutOfSpaceError,
        ["too many vertices", "12", "11"],
    ),
}


@pytest.mark.parametrize(("matrix", "ops", "kind", "parts"), BAD.values(), ids=BAD.keys())
def test_bad_cells(matrix: Any, ops: Any, kind: type[Exception], parts: list[str]) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        Cell(matrix, ops)
    assert type(caught.value) is kind
    message = str(caught.value)
    assert all(part in message for part in parts), message
    assert "module 0" not in message


def test_the_nearest_op_is_named() -> None:
    with pytest.raises(UnknownOpError, match="did you mean 'conv1x1-bn-relu'"):
        Cell(CHAIN, ["input", "conv1x1_bn_relu", "output"])
    with pytest.raises(UnknownOpError, match="did you mean 'input'"):
        Cell(CHAIN, ["inptu", POOL, "output"])


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("0100 input", "length of ops"),
        ("0100", "1 parts"),
        ("", "0 parts"),
        ("010 input,output", "v \\* v digits, this one 3"),
        ("0x00 input,output", "\\(0, 1\\) is 'x'"),
        ("0200 input,output", "\\(0, 1\\) is '2'"),
        ("0100 input,output more", "3 parts"),
        ("011001000 input,conv,output", "unknown op 'conv'"),
    ],
)
def test_bad_text(text: str, part: str) -> None:
    with pytest.raises(InvalidCellError, match=part):
        Cell(text)


class TestVocabularies:
    NAMES = ("identity", POOL, CONV3)

    def test_equality_is_by_name(self) -> None:
        ours = Cell(CHAIN, OPS, op_names=self.NAMES)
        assert ours == Cell(CHAIN, OPS)
        assert hash(ours) == hash(Cell(CHAIN, OPS))
        assert ours.codes != Cell(CHAIN, OPS).codes
        assert ours != Cell(CHAIN, ["input", "identity", "output"], op_names=self.NAMES)
        assert ours.op_names == self.NAMES

    @given(strategies.modules(max_code=2), st.permutations(["a", "b", "c", "d"]))
    def test_equal_and_hash_alike_in_any_order(
        self, module: oracle.Module, names: list[str]
    ) -> None:
        ops = ["input", *("abc"[code] for code in module[1][1:-1]), "output"]
        one = Cell(module[0], ops, op_names=["a", "b", "c"])
        two = Cell(module[0], ops, op_names=names)
        assert one == two
        assert two == one
        assert hash(one) == hash(two)

    @given(strategies.modules(max_code=2), st.permutations(nb101.OPS))
    def test_the_known_ops_in_any_order(self, module: oracle.Module, names: list[str]) -> None:
        known = build(module)
        other = Cell(known.matrix, known.ops, op_names=names)
        assert known == other
        assert hash(known) == hash(other)
        # Costs go by the op's name. The form may differ, and with it who has the odd channel.
        form = Cell(other.matrix, other.ops)
        assert form == known

    def test_no_two_names_are_mixed_up(self) -> None:
        a = Cell(CHAIN, ["input", "a", "output"], op_names=["a", "b"])
        b = Cell(CHAIN, ["input", "b", "output"], op_names=["b", "a"])
        assert a.codes == b.codes
        assert a != b

    def test_ops_without_a_cost(self) -> None:
        cell = Cell(CHAIN, ["input", "a", "output"], op_names=["a"])
        assert len(cell.hash) == 32
        for cost in ("parameters", "flops"):
            with pytest.raises(UnknownOpError, match=r"op .a.: "):
                getattr(cell, cost)

    @pytest.mark.parametrize(
        "names", [[], ["a", "a"], ["input"], ["output"], [""], [3], ["a,b"], "abc", ["a"] * 16]
    )
    def test_bad_vocabularies(self, names: Any) -> None:
        with pytest.raises(nb101.SpaceError):
            Cell([[0, 1], [0, 0]], ["input", "output"], op_names=names)


class TestObject:
    @given(strategies.modules())
    def test_copies_are_equal(self, module: oracle.Module) -> None:
        cell = build(module)
        for made in (pickle.loads(pickle.dumps(cell)), copy.copy(cell), copy.deepcopy(cell)):
            assert made == cell
            assert made.op_names == cell.op_names
        assert eval(repr(cell), {"Cell": Cell}) == cell

    def test_with_other_ops(self) -> None:
        cell = Cell(CHAIN, ["input", "it's", "output"], op_names=["b", "it's"])
        for made in (pickle.loads(pickle.dumps(cell)), eval(repr(cell), {"Cell": Cell})):
            assert made == cell
            assert made.op_names == cell.op_names

    def test_immutable(self) -> None:
        cell = Cell(CHAIN, OPS)
        for name in ("hash", "matrix", "_edges", "anything"):
            with pytest.raises(AttributeError):
                setattr(cell, name, 1)
            with pytest.raises(AttributeError):
                delattr(cell, name)
        assert cell == Cell(CHAIN, OPS)

    def test_other_objects_are_not_equal(self) -> None:
        cell = Cell(CHAIN, OPS)
        assert cell != cell.hash
        assert cell != (cell.matrix, cell.ops)
        assert cell is not None

    def test_a_forged_pickle_is_checked(self) -> None:
        restore, (edges, labels, names) = Cell(CHAIN, OPS).__reduce__()
        assert restore(edges, labels, names) == Cell(CHAIN, OPS)
        for forged in [(1 << 60, labels), (edges, labels | 1), (edges, 0), (0, labels)]:
            with pytest.raises(InvalidCellError):
                restore(*forged, names)
        with pytest.raises(UnknownOpError):
            restore(edges, labels, ("a", "b"))


class TestNetworkx:
    @given(strategies.modules())
    def test_round_trip(self, module: oracle.Module) -> None:
        cell = build(module)
        graph = cell.to_networkx()
        assert sorted(graph.edges) == cell.edge_list()
        assert [graph.nodes[x]["op"] for x in range(cell.vertices)] == list(cell.ops)
        assert Cell(graph) == cell

    @given(strategies.pruned(), st.randoms(use_true_random=False))
    def test_any_names_in_any_order(self, module: oracle.Module, random: Any) -> None:
        nodes = list(enumerate(build(module).ops))
        names = {x: f"node {x * 7 % 11}" for x, _ in nodes}
        random.shuffle(nodes)
        graph = nx.DiGraph()
        for x, op in nodes:
            graph.add_node(names[x], op=op)
        graph.add_edges_from((names[x], names[y]) for x, y in build(module).edge_list())
        assert Cell(graph) == build(module)

    def graph(self) -> Any:
        return Cell(CHAIN, OPS).to_networkx()

    def test_dangling_nodes_are_pruned(self) -> None:
        graph = self.graph()
        graph.add_node("loose", op=CONV1)
        graph.add_edge(0, "dead end")
        graph.nodes["dead end"]["op"] = CONV1
        assert Cell(graph) == Cell(CHAIN, OPS)

    def test_cycle(self) -> None:
        graph = self.graph()
        graph.add_node(3, op=CONV1)
        graph.add_edges_from([(1, 3), (3, 1)])
        with pytest.raises(InvalidCellError, match=r"cycle through node [13]"):
            Cell(graph)
        loop = self.graph()
        loop.add_edge(1, 1)
        with pytest.raises(InvalidCellError, match="cycle through node 1"):
            Cell(loop)

    def test_missing_op(self) -> None:
        graph = self.graph()
        del graph.nodes[1]["op"]
        with pytest.raises(InvalidCellError, match="node 1 of the graph has no attribute 'op'"):
            Cell(graph)

    def test_unknown_op(self) -> None:
        graph = self.graph()
        graph.nodes[1]["op"] = "conv"
        with pytest.raises(UnknownOpError, match="unknown op 'conv'"):
            Cell(graph)

    def test_undirected(self) -> None:
        with pytest.raises(InvalidCellError):
            Cell(self.graph().to_undirected())

    def test_without_ends(self) -> None:
        for missing in (0, 2):
            graph = self.graph()
            graph.remove_node(missing)
            with pytest.raises(InvalidCellError):
                Cell(graph)
        with pytest.raises(InvalidCellError):
            Cell(nx.DiGraph())

    def test_disconnected(self) -> None:
        graph = self.graph()
        graph.remove_edge(0, 1)
        with pytest.raises(DisconnectedError):
            Cell(graph)


class TestFromHash:
    def test_known(self, space: nb101.SearchSpace, golden: dict[str, Any]) -> None:
        for fact in golden["cells"]:
            if fact["hash"] is None:
                continue
            cell = Cell.from_hash(fact["hash"], space)
            assert cell.hash == fact["hash"]
            assert cell.parameters == fact["parameters"]
            assert Cell.from_hash(fact["hash"].upper(), space) == cell

    def test_of_another_space(self) -> None:
        space = nb101.SearchSpace(4, 6, ["a", "b"])
        for cell in space:
            assert Cell.from_hash(cell.hash, space) == cell

    def test_unknown(self, space: nb101.SearchSpace) -> None:
        for kind in (KeyError, ValueError, nb101.UnknownHashError):
            with pytest.raises(kind, match=r"no cell of this space has the hash 0+") as caught:
                Cell.from_hash("0" * 32, space)
            assert "'" not in str(caught.value)

    @pytest.mark.parametrize("text", ["", "0" * 3, "0" * 33, "g" * 32, "\u0660" * 32, "é" * 16])
    def test_what_is_no_hash(self, text: str, space: nb101.SearchSpace) -> None:
        with pytest.raises(ValueError, match="32 hexadecimal digits"):
            Cell.from_hash(text, space)


class TestAlignmentDistance:
    @given(strategies.pruned(max_vertices=6), strategies.pruned(max_vertices=6))
    def test_is_the_best_alignment(self, a: oracle.Module, b: oracle.Module) -> None:
        expected = oracle.alignment_distance(a, b)
        assert nb101.alignment_distance(build(a), build(b)) == expected
        assert build(b).alignment_distance(build(a)) == expected

    @given(strategies.isomorphic_pairs())
    def test_nothing_to_itself(self, pair: tuple[oracle.Module, oracle.Module]) -> None:
        assert nb101.alignment_distance(*map(build, pair)) == 0

    def test_across_vocabularies(self) -> None:
        a = Cell(CHAIN, OPS)
        b = Cell(CHAIN, OPS, op_names=["other", POOL])
        c = Cell(CHAIN, ["input", "other", "output"], op_names=["other", POOL])
        assert a.alignment_distance(b) == 0
        assert a.alignment_distance(c) == c.alignment_distance(a) == 1

    def test_more_ops_than_a_space_may_have(self) -> None:
        matrix = np.eye(11, k=1)
        a, b = (
            Cell(matrix, ["input", *names, "output"], op_names=names)
            for names in ([f"{letter}{i}" for i in range(9)] for letter in "ab")
        )
        assert a.alignment_distance(b) == 9


class TestEditDistance:
    def test_takes_a_detour_by_way_of_a_smaller_cell(self) -> None:
        a = Cell("0110001000010000", "input,conv3x3-bn-relu,conv3x3-bn-relu,output")
        b = Cell(
            "0100000101000100000100000",
            "input,conv3x3-bn-relu,conv1x1-bn-relu,conv1x1-bn-relu,output",
        )
        middle = Cell("010001000", "input,conv3x3-bn-relu,output")
        space = nb101.SearchSpace()
        assert middle in space.neighbors(a)
        assert middle in space.neighbors(b)
        assert a.edit_distance(b) == nb101.edit_distance(b, a, space) == 2
        # Without pruning it is six, or five by way of it.
        assert a.alignment_distance(b) == 6
        assert a.alignment_distance(middle) + middle.alignment_distance(b) == 5

    @pytest.mark.parametrize("limits", [(4, 6, 2), (5, 6, 1), (4, 3, 2)])
    def test_is_that_of_the_shortest_way(self, limits: tuple[int, int, int]) -> None:
        near = oracle.neighbors(*limits)
        space = nb101.SearchSpace(*limits[:2], ops=nb101.OPS[: limits[2]])
        cells = {module: Cell(*module, op_names=space.ops) for module in near}
        apart = 0
        for a in list(near)[::3]:
            steps = oracle.edit_distances(near, a)
            for b in near:
                if b not in steps:
                    apart += 1
                    with pytest.raises(nb101.SpaceError, match="no edits"):
                        nb101.edit_distance(cells[a], cells[b], space)
                    continue
                found = nb101.edit_distance(cells[a], cells[b], space)
                assert found == steps[b] <= nb101.alignment_distance(cells[a], cells[b])
        # Chains of three edges cannot lose one, where three are all that there may be.
        assert (apart > 0) == (limits == (4, 3, 2))

    @settings(max_examples=60)
    @given(st.lists(st.integers(0, 423623), min_size=3, max_size=3))
    def test_is_a_metric(self, ids: list[int]) -> None:
        a, b, c = (default_space()[i] for i in ids)
        ab, bc, ac = a.edit_distance(b), b.edit_distance(c), a.edit_distance(c)
        assert ab == b.edit_distance(a) <= a.alignment_distance(b)
        assert (ab == 0) == (a == b)
        assert ac <= ab + bc
        assert default_space().edit_distances(a)[ids[1:]].tolist() == [ab, ac]

    def test_outside_of_the_space(self) -> None:
        chain = Cell(CHAIN, OPS)
        with pytest.raises(nb101.OutOfSpaceError):
            chain.edit_distance(Cell(np.eye(8, k=1), [-1, *[0] * 6, -2]))
        with pytest.raises(nb101.UnknownOpError):
            chain.edit_distance(Cell(CHAIN, ["input", "x", "output"], op_names=["x"]))
        with pytest.raises(nb101.SpaceError, match="at most 4194304"):
            chain.edit_distance(chain, nb101.SearchSpace(8, 11))
        wrong: Any
        for wrong in (None, 3):
            with pytest.raises(nb101.ArgumentTypeError):
                chain.edit_distance(wrong)
        # A text is a hash, and alignment distance has no space to look in.
        with pytest.raises(nb101.UnknownHashError, match="begins with 011001000"):
            chain.edit_distance("011001000")
        for wrong in (None, 3, "011001000"):
            with pytest.raises(nb101.ArgumentTypeError):
                chain.alignment_distance(wrong)
