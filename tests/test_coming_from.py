"""The guides for users of other libraries: each row of their tables, and each program, is run.

A table with the header ``| LIBRARY | nb101 |`` has an expression of nb101 in the second cell of
each row. It is evaluated with the names that the Python blocks above it have made, and compared: on
the page of the original with the first cell, which nb101 can run too; elsewhere with what
`EXPECTED` says of that row, worked out in another way. ``X raises Y`` is an expression and its
exception.
"""

import random
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import nb101
import oracle
from nb101 import api
from official import write
from original import METRICS, Original

FOLDER = Path(__file__).parents[1] / "docs" / "guides" / "coming-from"
PAGES = ("nasbench", "naslib", "nasbenchapi", "nats-bench", "nas-benchmarks")
INCEPTION = "28cfc7874f6d200472e1a9dcd8650aa0"
CELLS = [*range(40), 359715]
BUDGETS = (4, 12, 36, 108)
NEEDS = {"nb101.nn": "torch", "config_space": "ConfigSpace", "visualize": "graphviz"}
NEEDS |= {'run("bananas"': "sklearn"}
"""What has to be installed for some expressions."""

Names = dict[str, Any]
Check = Callable[[Names, Any], object]


# Documents


class Row(NamedTuple):
    page: str
    line: int
    old: str
    new: str
    error: str
    """The exception that the second cell says; empty for none."""

    @property
    def place(self) -> str:
        return f"{self.page}.md:{self.line}"


class Block(NamedTuple):
    line: int
    kind: str
    text: str


def read(page: str) -> tuple[list[Row], list[Block]]:
    """Return the rows of the tables of a page, and its blocks of code.

    Raises
    ------
    ValueError
        If a table cannot be understood.
    """
    text = (FOLDER / f"{page}.md").read_text()
    return parse(page, text.splitlines())


def parse(page: str, lines: list[str]) -> tuple[list[Row], list[Block]]:
    rows: list[Row] = []
    blocks: list[Block] = []
    table: list[str] | None = None
    fence: Block | None = None
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            if fence is None:
                fence = Block(number + 1, line.removeprefix("```"), "")
            else:
                blocks.append(fence)
                fence = None
            continue
        if fence is not None:
            fence = fence._replace(text=fence.text + line + "\n")
            continue
        if not line.startswith("|"):
            table = None
            continue
        cells = [
            cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")
        ]
        if table is None:
            table = cells
        elif len(cells) != len(table):
            raise ValueError(f"{page}.md:{number}: {len(cells)} cells below {len(table)}: {line}")
        elif table[1] == "nb101" and not re.fullmatch(r"-+", cells[0]):
            found = re.fullmatch(r"`([^`]+)`(?: raises `(\w+)`)?", cells[1])
            if found is None or not cells[0]:
                raise ValueError(f"{page}.md:{number}: no expression of nb101: {line}")
            rows.append(Row(page, number, cells[0], found[1], found[2] or ""))
    if fence is not None:
        raise ValueError(f"{page}.md:{fence.line}: a block that does not end")
    return rows, blocks


DOCUMENTS = {page: read(page) for page in PAGES}
ROWS = [row for rows, _ in DOCUMENTS.values() for row in rows]


def test_every_page_has_its_tables() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.md")) == sorted([*PAGES, "index"])
    for page, (rows, blocks) in DOCUMENTS.items():
        assert len(rows) > 15, page
        assert [block.kind for block in blocks].count("{code-block} python") == 1, page
        assert len({row.old for row in rows}) == len(rows), page


def test_what_is_no_table_is_found() -> None:
    good = ["| old | nb101 |", "|---|---|", "| `a` | `b` |"]
    assert parse("x", good)[0] == [Row("x", 3, "`a`", "b", "")]
    assert parse("x", ["| old | other |", *good[1:]])[0] == []
    for bad in (
        "| `a` | b |",
        "| `a` | `b` and `c` |",
        "| `a` |",
        "| `a` | `b` | `c` |",
        "| | `b` |",
    ):
        with pytest.raises(ValueError, match=r"x\.md:3"):
            parse("x", [*good[:2], bad])
    with pytest.raises(ValueError, match="does not end"):
        parse("x", ["```python"])


# Programs


class Page:
    """The names of a page as they are at each of its lines."""

    def __init__(self, blocks: list[Block]) -> None:
        names: Names = {"__name__": "__main__"}
        self._made: list[tuple[int, Names]] = []
        for block in blocks:
            if block.kind == "python":
                text = "\n" * (block.line - 1) + block.text
                exec(compile(text, "page", "exec"), names)
                self._made.append((block.line, dict(names)))

    def at(self, line: int) -> Names:
        return next(names for start, names in reversed(self._made) if start < line)

    @property
    def end(self) -> Names:
        return self._made[-1][1]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Page]]:
    """Pages by name, run in a folder that has a small file in the place of the official one."""
    folder = tmp_path_factory.mktemp("coming-from")
    write(folder / "nasbench_full.tfrecord", CELLS, BUDGETS)
    made: dict[str, Page] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("NB101_CACHE", str(folder / "cache"))
        patch.setenv("PYTHONPATH", ":".join(sys.path))
        patch.setattr(sys, "path", list(sys.path))
        before = set(sys.modules)

        def page(name: str) -> Page:
            if name not in made:
                with warnings.catch_warnings():
                    # One of them opens the predicted table as the original would.
                    warnings.filterwarnings("ignore", "numbers of surrogate-v1 are predicted")
                    made[name] = Page(DOCUMENTS[name][1])
            return made[name]

        yield page
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == "nasbench":
                del sys.modules[name]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.place)
def test_row(row: Row, pages: Callable[[str], Page]) -> None:
    for part, library in NEEDS.items():
        if part in row.old + row.new:
            pytest.importorskip(library)
    names = pages(row.page).at(row.line)
    names["bench"].reset()

    def new() -> Any:
        return eval(row.new, names)

    if row.error:
        with pytest.raises(nb101.NB101Error) as caught:
            new()
        assert type(caught.value).__name__ == row.error
        assert issubclass(caught.type, ValueError)
        names["bench"].reset()
    if row.page == "nasbench":
        check_original(row, names, new)
    else:
        check = EXPECTED[row.page][row.old]
        result = new()
        assert check(names, result) is not False, result


def test_every_expectation_is_of_a_row() -> None:
    for page in PAGES[1:]:
        assert set(EXPECTED[page]) == {row.old for row in DOCUMENTS[page][0]}, page
    assert set(DIFFERENT) <= {row.old for row in DOCUMENTS["nasbench"][0]}


# The original: both cells are run


def check_original(row: Row, names: Names, new: Callable[[], Any]) -> None:
    found = re.fullmatch(r"`([^`]+)`(?: raises `(\w+)`)?", row.old)
    assert found is not None, row
    names["nasbench"].reset_budget_counters()
    if found[2]:
        builtin = {"ValueError": ValueError, "KeyError": KeyError}
        expected = builtin.get(found[2]) or getattr(api, found[2])
        with pytest.raises(expected):
            eval(found[1], names)
        assert names["nasbench"].get_budget_counters() == (0, 0)
        assert names["bench"].spent == (0, 0)
        assert row.error
        if found[2] == "KeyError":
            assert issubclass(getattr(nb101, row.error), KeyError)
        return
    check = DIFFERENT.get(row.old)
    if check is None:
        assert same(eval(found[1], names), new())
    else:
        check(names, eval(found[1], names), new())


def same(old: Any, new: Any) -> bool:
    if isinstance(old, np.ndarray) or isinstance(new, np.ndarray):
        return bool(np.array_equal(old, new))
    return bool(old == new)


def plain_runs(names: Names, epochs: int = 108) -> list[dict[str, float]]:
    """Runs of the page's cell in the small file, by the plain reader."""
    state = random.getstate()
    runs = Original(Path("nasbench_full.tfrecord")).computed[INCEPTION][epochs]
    random.setstate(state)
    return runs


def same_cell(names: Names, old: Any, new: Any) -> None:
    assert type(new) is nb101.Cell
    assert new == names["cell"]
    assert old.hash_spec(list(nb101.OPS)) == new.hash == INCEPTION


def same_graph(names: Names, _old: Any, _new: Any) -> None:
    spec, cell = names["spec"], names["cell"]
    assert nb101.Cell(spec.matrix, spec.ops) == nb101.Cell(cell.matrix, list(cell.ops))
    assert sorted(spec.ops) == sorted(cell.ops)
    assert oracle.hash_module(*oracle.module(cell.matrix.tolist(), cell.codes)) == INCEPTION


def drawing(_names: Names, old: Any, new: Any) -> None:
    assert "->" in old.source
    assert new.startswith("<svg")


def same_hashes(_names: Names, old: Any, new: Any) -> None:
    assert sorted(old) == sorted(new.astype(str).tolist())


def same_runs(names: Names, old: Any, new: Any) -> None:
    rows = [
        (epochs, i, run) for epochs in BUDGETS for i, run in enumerate(plain_runs(names, epochs))
    ]
    assert sorted(old) == list(BUDGETS)
    assert len(new) == len(rows)
    for row, (epochs, i, run) in zip(new, rows, strict=True):
        assert (row["epochs"], row["repeat"]) == (epochs, i)
        assert run == old[epochs][i] == {name: row[name] for name in run}


def same_means(_names: Names, old: Any, new: Any) -> None:
    assert len(old) == len(new) == len(CELLS)
    for key, mean in new.items():
        assert mean == pytest.approx(old[key.decode()], rel=1e-12)


def drawn(names: Names, old: Any, new: Any) -> None:
    """Both are runs of the cell."""
    runs = [tuple(run[f"final_{name}"] for name in METRICS) for run in plain_runs(names)]
    assert tuple(old[name] for name in METRICS) in runs
    assert tuple(getattr(new, name) for name in METRICS) in runs
    assert old["trainable_parameters"] == new.trainable_parameters
    assert names["bench"].spent == (new.training_time, 108)
    assert names["nasbench"].get_budget_counters() == (old["training_time"], 108)


def drawn_of(metric: str, epochs: int, charged: int) -> Callable[[Names, Any, Any], None]:
    def check(names: Names, old: Any, new: Any) -> None:
        values = [run[metric] for run in plain_runs(names, epochs)]
        assert old in values
        assert new in values
        assert names["nasbench"].total_epochs_spent == names["bench"].spent.epochs == charged

    return check


def counted(names: Names, _old: Any, _new: Any) -> None:
    """Counters after queries of all repeats, whichever are drawn."""
    nasbench, bench = names["nasbench"], names["bench"]
    seconds = 0.0
    for _ in range(20):
        run = nasbench.query(names["spec"])
        bench.query(names["cell"])
        seconds += run["training_time"]
    assert nasbench.get_budget_counters() == (seconds, 20 * 108)
    assert nasbench.training_time_spent == seconds
    log = bench.log()
    assert bench.spent.epochs == nasbench.total_epochs_spent == 20 * 108
    assert bench.spent.seconds == pytest.approx(sum(log["training_time"].to_pylist()))


def reset(names: Names, old: Any, new: Any) -> None:
    assert old is None
    assert new is None
    assert names["nasbench"].get_budget_counters() == names["bench"].spent == (0, 0)
    assert len(names["bench"].log()) == 0


DIFFERENT: dict[str, Callable[[Names, Any, Any], None]] = {
    "`api.ModelSpec(matrix, ops)`": same_cell,
    "`spec.matrix`": same_graph,
    "`spec.ops`": same_graph,
    "`spec.visualize()`": drawing,
    "`nasbench.hash_iterator()`": same_hashes,
    "`nasbench.get_metrics_from_spec(spec)[1]`": same_runs,
    '`{h: np.mean([r["final_test_accuracy"] for r in nasbench.computed_statistics[h][108]]) '
    "for h in nasbench.hash_iterator()}`": same_means,
    "`nasbench.query(spec)`": drawn,
    '`nasbench.query(spec, epochs=12)["validation_accuracy"]`': drawn_of(
        "final_validation_accuracy", 12, 12
    ),
    '`nasbench.query(spec, stop_halfway=True)["training_time"]`': drawn_of(
        "halfway_training_time", 108, 54
    ),
    "`nasbench.get_budget_counters()`": counted,
    "`nasbench.training_time_spent`": counted,
    "`nasbench.total_epochs_spent`": counted,
    "`nasbench.reset_budget_counters()`": reset,
}
"""Rows of the original whose cells are not simply equal."""


def test_the_original_differs_as_said(pages: Callable[[str], Page]) -> None:
    names = pages("nasbench").at(10**6) | pages("nasbench").at(line_of("nasbench", "spec = api"))
    nasbench, spec = names["nasbench"], names["spec"]
    cell, table = names["cell"], names["table"]
    # Draws: those of the global generator there, and only there.
    random.seed(3)
    state = random.getstate()
    nb101.Benchmark(table, seed=0).query(cell)
    assert random.getstate() == state
    expected = plain_runs(names)[random.randint(0, 2)]["final_test_accuracy"]
    random.setstate(state)
    assert nasbench.query(spec)["test_accuracy"] == expected
    seeds = [nb101.Benchmark(table, seed=1).query(cell) for _ in range(2)]
    assert seeds[0] == seeds[1]
    # Statistics
    with pytest.raises(TypeError):
        nasbench.fixed_statistics[INCEPTION] = {}
    with pytest.raises(AttributeError):
        names["bench"].spent = (0, 0)
    # Training
    full = np.triu(np.ones((7, 7), int), 1)
    with pytest.raises(api.OutOfDomainError):
        nasbench.evaluate(api.ModelSpec(full, names["ops"]), "nowhere")
    # Predicted tables
    with pytest.warns(UserWarning, match="predicted"):
        predicted = api.NASBench()
    assert predicted.kind == "predicted"
    runs = predicted.computed_statistics[INCEPTION][108]
    assert len(runs) == 3
    assert same(*[str(run) for run in runs[:2]])
    absent = {name for name, value in runs[0].items() if np.isnan(value)}
    assert absent == set(predicted.absent)
    assert {name for name in runs[0] if "train_acc" in name or "halfway_" in name} == {
        *absent,
        "halfway_training_time",
    }
    assert runs[0]["halfway_training_time"] == runs[0]["final_training_time"] / 2


def line_of(page: str, start: str) -> int:
    """Return the number of the first line that starts with a text, and one more."""
    lines = (FOLDER / f"{page}.md").read_text().splitlines()
    block = next(i for i, line in enumerate(lines) if line.startswith(start))
    return next(i for i in range(block, len(lines)) if lines[i].startswith("```")) + 2


def test_the_original_program_runs_unchanged(tmp_path: Path) -> None:
    (text,) = (b.text for b in DOCUMENTS["nasbench"][1] if b.kind == "{code-block} python")
    (tmp_path / "old.py").write_text("import numpy\nnumpy.random.seed(0)\n" + text)
    command = [sys.executable, "-m", "nb101", "run", "--table", "surrogate-v1", "old.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    accuracy, ops = re.fullmatch(r"(0\.\d+) (\[.*\])\n", done.stdout, re.DOTALL).groups()  # type: ignore[union-attr]
    assert 0.9 < float(accuracy) < 0.96
    assert ops.startswith("['input'")


# Other libraries: what they are known to return, worked out in another way


def row_values(names: Names, metric: str, epochs: int, cell_id: int = 359715) -> list[float]:
    """A metric of a cell's runs: the rows of the table, picked by comparing columns."""
    table = names["table"]
    rows = (table.column("cell_id") == cell_id) & (table.column("epochs") == epochs)
    assert rows.any()
    values: list[float] = table.column(metric)[rows].tolist()
    return values


def number(metric: str, epochs: int = 108, of: Callable[[float], float] = float) -> Check:
    """The number of the table for the cell of the page; a predicted one has one run."""

    def check(names: Names, found: Any) -> None:
        (value,) = row_values(names, metric, epochs)
        assert found == pytest.approx(of(value), rel=1e-6)

    return check


def charged(metric: str, epochs: int = 108, of: Callable[[float], float] = float) -> Check:
    """The same, of a query: and it has been paid for."""

    def check(names: Names, found: Any) -> None:
        number(metric, epochs, of)(names, found)
        (seconds,) = row_values(names, "final_training_time", epochs)
        assert names["bench"].spent == (seconds, epochs)

    return check


def percent(fraction: float) -> float:
    return 100 * fraction


def error(accuracy: float) -> float:
    return 1 - accuracy


def equals(make: Callable[[Names], Any]) -> Check:
    def check(names: Names, found: Any) -> None:
        assert same(make(names), found)

    return check


def the_cell(_names: Names, found: Any) -> None:
    assert isinstance(found, nb101.Cell)
    graph = oracle.module(found.matrix.tolist(), found.codes)
    assert oracle.hash_module(*graph) == INCEPTION


def all_runs(names: Names, found: Any) -> None:
    assert [(row["epochs"], row["repeat"]) for row in found] == [(e, 0) for e in BUDGETS]
    assert all(row["cell_id"] == 359715 for row in found)
    for row in found:
        assert [row["final_test_accuracy"]] == row_values(
            names, "final_test_accuracy", row["epochs"]
        )


def known_cell(names: Names, found: Any) -> None:
    assert isinstance(found, nb101.Cell)
    assert found in names["space"]


def whole_space(names: Names, found: Any) -> None:
    assert found.shape == (423624,)
    assert found[359715] == INCEPTION.encode()


def reset_clock(names: Names, _found: Any) -> None:
    names["bench"].query(0)
    names["bench"].reset()
    assert names["bench"].spent == (0, 0)


# NASLib


def paths_of(names: Names, found: Any) -> None:
    """As NASLib numbers them: an op is a digit 1 to 3 in base 3, the first the least."""
    matrix, ops = names["matrix"].tolist(), names["ops"]
    digits = {"conv3x3-bn-relu": 1, "conv1x1-bn-relu": 2, "maxpool3x3": 3}
    expected = np.zeros(364)
    inner = range(1, 6)
    for length in range(6):
        for path in combinations(inner, length):
            if all(matrix[x][y] for x, y in zip((0, *path), (*path, 6), strict=True)):
                expected[sum(3**i * digits[ops[v]] for i, v in enumerate(path))] = 1
    assert same(expected, found)
    assert found.sum() == 4


def one_hot(names: Names, found: Any) -> None:
    """Edges row by row, then flags; NASLib's order of flags gives the same cell."""
    cell = names["cell"]
    matrix, ops = cell.matrix, cell.ops[1:-1]
    edges = [matrix[x, y] for x in range(7) for y in range(x + 1, 7)]
    assert found.tolist() == [*edges, *(int(op == name) for op in ops for name in nb101.OPS)]
    flags = {"conv1x1-bn-relu": [0, 0, 1], "conv3x3-bn-relu": [0, 1, 0], "maxpool3x3": [1, 0, 0]}
    theirs = [*edges, *(flag for op in ops for flag in flags[op])]
    assert len(theirs) == len(found) == 36
    order = [2, 0, 1]  # Where pool, 3x3 and 1x1 stand in `OPS`.
    assert [theirs[21 + 3 * i + j] for i in range(5) for j in range(3)] == [
        found[21 + 3 * i + order[j]] for i in range(5) for j in range(3)
    ]


def learning_curve(names: Names, found: Any) -> None:
    expected = []
    for epochs, times in zip(BUDGETS, (4, 8, 20, 56), strict=True):
        expected += row_values(names, "final_validation_accuracy", epochs) * times
    assert len(found) == 88
    assert found.tolist() == expected
    assert names["bench"].spent.epochs == sum(BUDGETS)


def raw(names: Names, found: Any) -> None:
    assert found["trainable_parameters"] == 2694282
    number("final_validation_accuracy")(names, found["validation_accuracy"])
    assert set(METRICS) <= set(found)


def network(names: Names, found: Any) -> None:
    parameters = sum(p.numel() for p in found.parameters() if p.requires_grad)
    assert parameters == names["cell"].parameters == 2694282


def neighbours(names: Names, found: Any) -> None:
    """All single changes of the page's matrix that are valid are among them, pruned."""
    space, matrix, ops = names["space"], names["matrix"], names["ops"]
    ids = set(space.index(found).tolist())
    assert len(ids) == len(found)
    changed = []
    for x, y in zip(*np.triu_indices(7, 1), strict=True):
        other = matrix.copy()
        other[x, y] = 1 - other[x, y]
        changed.append((other, ops))
    changed += [(matrix, [*ops[:v], op, *ops[v + 1 :]]) for v in range(1, 6) for op in nb101.OPS]
    for module in changed:
        spec = api.ModelSpec(*module)
        if spec.matrix is not None and np.sum(spec.matrix) <= 9:
            cell = nb101.Cell(*module)
            assert cell == names["cell"] or space.index(cell) in ids


def search_of(name: str) -> Check:
    def check(_names: Names, found: Any) -> None:
        assert found.about["searcher"] == name
        assert len(found) == 50

    return check


def get(text: str) -> str:
    """The first cell of a row of NASLib's queries."""
    return f'`graph.query(Metric.{text}, "cifar10", dataset_api=dataset_api)`'


def summary(text: str) -> str:
    return f"`bm.query(arch, {text}"


def more(text: str) -> str:
    return f"`api.get_more_info(index, {text}"


def variables(names: Mapping[str, list[Any]]) -> Check:
    """A configuration space with `op_node` variables, and these."""

    def check(_names: Names, found: Any) -> None:
        assert set(found) == {*names, *(f"op_node_{i}" for i in range(5))}
        for i in range(5):
            assert set(found[f"op_node_{i}"].choices) == set(nb101.OPS)
        for name, values in names.items():
            variable = found[name]
            if hasattr(variable, "choices"):
                assert list(variable.choices) == values
            else:
                assert [type(variable.lower)(variable.lower), variable.upper] == values
                assert type(variable).__name__ == (
                    "UniformIntegerHyperparameter"
                    if name == "num_edges"
                    else "UniformFloatHyperparameter"
                )

    return check


def entry(names: Names, found: Any) -> None:
    assert found.searcher.__module__.startswith("nb101.search")


def logged(column: str, of: Callable[[float], float] = float) -> Check:
    def check(names: Names, _found: Any) -> None:
        bench = names["bench"]
        ids = [5, 359715, 7]
        for cell_id in ids:
            bench.query(cell_id, 12)
        row = next(row for row in DOCUMENTS["nas-benchmarks"][0] if row.old == f"`b.{column}`")
        found = eval(row.new, names)
        metric, epochs = {
            "costs": ("final_training_time", 12),
            "y_valid": ("final_validation_accuracy", 12),
            "y_test": ("final_test_accuracy", 108),
        }[column]
        expected = [of(row_values(names, metric, epochs, i)[0]) for i in ids]
        assert found == pytest.approx(expected, rel=1e-6)

    return check


def best(metric: str) -> Callable[[Names], float]:
    def make(names: Names) -> float:
        table = names["table"]
        values: Any = table.column(metric)[table.column("epochs") == 108]
        return float(values.max())

    return make


def incumbents(names: Names) -> tuple[Any, Any]:
    """Errors of the incumbent after each query of the trace, as the classes keep them."""
    trace = names["trace"]
    valid, test, found = np.inf, np.inf, []
    for cell_id, accuracy in zip(trace.cell_ids, trace.validation_accuracy, strict=True):
        if 1 - accuracy < valid:
            valid = 1 - accuracy
            test = 1 - row_values(names, "final_test_accuracy", 108, cell_id)[0]
        found.append((valid, test))
    return tuple(np.array(found).T)


def regrets(names: Names, found: Any) -> None:
    expected = incumbents(names)[1] - (1 - best("final_test_accuracy")(names))
    assert found == pytest.approx(expected, abs=1e-7)


def validation_regrets(names: Names, found: Any) -> None:
    expected = incumbents(names)[0] - (1 - best("final_validation_accuracy")(names))
    assert found == pytest.approx(expected, abs=1e-7)


def runtime(names: Names, found: Any) -> None:
    assert found == pytest.approx(np.cumsum(names["trace"].training_time, dtype=float))


def small_best(names: Names, found: Any) -> None:
    table = names["table"]
    rows = (table.column("epochs") == 108) & (table.column("trainable_parameters") <= 10**6)
    assert found.value == pytest.approx(table.column("final_validation_accuracy")[rows].max())
    assert found.cell.parameters <= 10**6


def is_best(names: Names, found: Any) -> None:
    assert found.value == pytest.approx(best("final_validation_accuracy")(names), rel=1e-6)
    assert names["space"][found.cell_id] == found.cell


def opened(_names: Names, found: Any) -> None:
    assert isinstance(found, nb101.Table)
    assert found.num_cells == 423624


VALID, TEST, TIME = "final_validation_accuracy", "final_test_accuracy", "final_training_time"


def of_numbers(found: Any) -> nb101.Cell:
    """The cell of a matrix, row by row, and the numbers that NASLib's list of ops gives them."""
    listed = ["input", "output", "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu"]
    return nb101.Cell(np.reshape(found[:49], (7, 7)), [listed[number] for number in found[49:]])


EXPECTED: dict[str, dict[str, Check]] = {
    "naslib": {
        "`graph.set_spec(spec)`": the_cell,
        "`graph.set_spec(hash, dataset_api)`": the_cell,
        "`graph.get_spec()`": lambda names, found: the_cell(
            names, nb101.Cell(found["matrix"], found["ops"])
        ),
        "`graph.get_hash()`": equals(lambda _: INCEPTION),
        "`convert_spec_to_tuple(spec)`": lambda names, found: the_cell(names, of_numbers(found)),
        "`convert_tuple_to_spec(tup)`": the_cell,
        "`convert_spec_to_model(spec)`": network,
        "`graph.sample_random_architecture(dataset_api)`": known_cell,
        "`child.mutate(graph, dataset_api)`": known_cell,
        "`graph.get_nbhd(dataset_api)`": neighbours,
        "`graph.get_arch_iterator(dataset_api)`": whole_space,
        get("VAL_ACCURACY"): charged(VALID, of=percent),
        get("TEST_ACCURACY"): charged(TEST, of=percent),
        get("TRAIN_ACCURACY"): lambda _, found: bool(np.isnan(found)),
        get("TRAIN_TIME"): charged(TIME),
        get("PARAMETERS"): equals(lambda _: 269428200),
        get("RAW"): raw,
        '`graph.query(Metric.VAL_ACCURACY, "cifar10", full_lc=True, dataset_api=dataset_api)`': (
            learning_curve
        ),
        '`dataset_api["nb101_data"].is_valid(api_spec)`': equals(lambda _: True),
        '`dataset_api["nb101_data"].get_budget_counters()`': equals(lambda _: (0, 0)),
        "`encode_paths(spec)`": paths_of,
        "`encode_adj(spec)`": one_hot,
        '`encode_gcn(spec)["adjacency"]`': equals(lambda names: names["cell"].matrix),
        '`encode_gcn(spec)["operations"]`': equals(
            lambda names: [
                {"input": -1, "output": -2}.get(op) or nb101.OPS.index(op)
                for op in names["cell"].ops
            ]
        ),
        "`RandomSearch`": search_of("random-search"),
        "`RegularizedEvolution`": search_of("regularized-evolution"),
        "`LocalSearch`": search_of("local-search"),
        "`Bananas`": search_of("bananas"),
    },
    "nasbenchapi": {
        "`Arch101(matrix, ops)`": the_cell,
        '`bm.decode({"adjacency_str": "0100", "operations_str": "input,output"})`': equals(
            lambda _: nb101.Cell([[0, 1], [0, 0]], ["input", "output"])
        ),
        "`bm.encode(arch)`": lambda names, found: the_cell(names, nb101.Cell(*found)),
        "`bm.id(arch)`": equals(lambda _: INCEPTION),
        "`bm.op_set()`": equals(
            lambda _: ["input", "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3", "output"]
        ),
        "`bm.is_valid(arch)`": equals(lambda _: True),
        "`bm.exists(arch=arch)`": equals(lambda _: True),
        "`bm.random_sample(n=5, seed=42)`": lambda _, found: len(found) == 5,
        "`bm.iter_all()`": lambda _, found: len(found) == 423624,
        '`bm.mutate(arch, rng, kind="edge_toggle")`': known_cell,
        '`bm.query(arch)[0]["module_hash"]`': equals(lambda _: INCEPTION),
        '`bm.query(arch)[0]["trainable_parameters"]`': equals(lambda _: 2694282),
        "`bm.query(arch)[1]`": all_runs,
        "`sorted(bm.query(arch)[1])`": equals(lambda _: [4, 12, 36, 108]),
        '`bm.query(arch)[1][108][0]["final_validation_accuracy"]`': number(VALID),
        summary('average=True)[1][12]["final_test_accuracy"]`'): number(TEST, 12),
        summary('split="val", summary=True)["metric"]`'): number(VALID),
        summary('split="test", summary=True)["metric"]`'): number(TEST),
        summary('summary=True)["cost"]`'): number(TIME),
        "`bm.train_time(arch)`": number(TIME),
    },
    "nats-bench": {
        '`create("NATS-tss-v1_0-3ffb9-simple", "tss", fast_mode=True)`': opened,
        "`len(api)`": equals(lambda _: 423624),
        "`api.arch(index)`": the_cell,
        "`api.query_index_by_arch(arch)`": equals(lambda _: 359715),
        "`api.random()`": lambda _, found: 0 <= found < 423624,
        "`api.get_unique_str(index)`": equals(lambda _: INCEPTION),
        "`api.str2matrix(arch)`": lambda names, found: the_cell(
            names, nb101.Cell(found, names["cell"].ops)
        ),
        "`api.str2lists(arch)`": equals(
            lambda names: [tuple(edge) for edge in np.argwhere(names["cell"].matrix).tolist()]
        ),
        '`search_space_info("nats-bench", "tss")["op_names"]`': equals(
            lambda _: ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
        ),
        "`api.evaluated_indexes`": equals(lambda _: np.arange(423624)),
        "`api.avaliable_hps`": equals(lambda _: (4, 12, 36, 108)),
        "`api.full_train_epochs`": equals(lambda _: 108),
        more('"cifar10-valid", hp="12", is_random=False)["valid-accuracy"]`'): number(
            VALID, 12, percent
        ),
        more('"cifar10", hp="200", is_random=False)["test-accuracy"]`'): number(TEST, of=percent),
        more('"cifar10-valid", hp="12", is_random=777)["valid-accuracy"]`'): number(
            VALID, 12, percent
        ),
        more('"cifar10-valid", hp="12")["train-all-time"]`'): number(TIME, 12),
        '`api.query_by_index(index, "cifar10-valid", hp="12")`': lambda names, found: (
            [row[TEST] for row in found] == row_values(names, TEST, 12)
        ),
        '`api.query_by_arch(index, hp="12")`': lambda names, found: all_runs(
            names, found.to_pylist()
        ),
        '`api.get_cost_info(index, "cifar10-valid")["params"]`': equals(lambda _: 2.694282),
        '`api.get_cost_info(index, "cifar10-valid")["flops"]`': lambda names, found: (
            found == names["table"].space[[359715]].flops()[0] / 1e6
        ),
        '`api.find_best("cifar10", "valid", hp="200")`': is_best,
        '`api.find_best("cifar10", "valid", hp="200", param_max=1)`': small_best,
        '`api.simulate_train_eval(index, "cifar10", hp="12")[0]`': charged(VALID, 12, percent),
        '`api.simulate_train_eval(index, "cifar10", hp="12")[2]`': charged(TIME, 12),
        "`api.used_time`": equals(lambda names: names["bench"].spent[0]),
        "`api.reset_time()`": reset_clock,
    },
    "nas-benchmarks": {
        "`NASCifar10A.get_configuration_space()`": variables(
            {f"edge_{i}": [0, 1] for i in range(21)}
        ),
        "`NASCifar10B.get_configuration_space()`": variables(
            {f"edge_{i}": list(range(21)) for i in range(9)}
        ),
        "`NASCifar10C.get_configuration_space()`": variables(
            {"num_edges": [0, 9], **{f"edge_{i}": [0, 1] for i in range(21)}}
        ),
        **{f"the cell of `config` in `NASCifar10{kind}`": the_cell for kind in "ABC"},
        "`NASCifar10A(data_dir)`": lambda _, found: isinstance(found, nb101.Benchmark),
        "`b.objective_function(config)[0]`": charged(VALID, of=error),
        "`b.objective_function(config)[1]`": charged(TIME),
        "`b.objective_function(config, budget=12)[0]`": charged(VALID, 12, error),
        "`b.y_star_test`": lambda names, found: (
            found == pytest.approx(1 - best(TEST)(names), rel=1e-6)
        ),
        "`b.y_star_valid`": lambda names, found: (
            found == pytest.approx(1 - best(VALID)(names), rel=1e-6)
        ),
        "`b.reset_tracker()`": reset_clock,
        "`b.costs`": logged("costs"),
        "`b.y_valid`": logged("y_valid", error),
        "`b.y_test`": logged("y_test", error),
        **{
            f"`run_{name}.py`": entry
            for name in (
                *("random_search", "regularized_evolution", "rl", "hyperband"),
                *("bohb", "tpe", "smac"),
            )
        },
        '`b.get_results(ignore_invalid_configs=True)["runtime"]`': runtime,
        '`b.get_results(ignore_invalid_configs=True)["regret_test"]`': regrets,
        '`b.get_results(ignore_invalid_configs=True)["regret_validation"]`': validation_regrets,
    },
}
"""What the second cell of each row gives, by the first."""


# The programs, and what the pages say beside their tables


def values_of(names: Names, metric: str, epochs: int) -> Any:
    """A metric of all cells, by id."""
    table = names["table"]
    rows = table.column("epochs") == epochs
    assert table.column("cell_id")[rows].tolist() == list(range(423624))
    return table.column(metric)[rows]


def test_the_original(pages: Callable[[str], Page]) -> None:
    names = pages("nasbench").end
    assert names["bench"].spent.seconds >= 1e5
    log = names["bench"].log()
    assert names["best"].validation_accuracy == max(log["validation_accuracy"].to_pylist())
    assert names["trace"].seconds[-1] <= 1e5


def test_naslib(pages: Callable[[str], Page]) -> None:
    names = pages("naslib").end
    found, accuracies = names["found"], values_of(names, VALID, 108)
    space = names["space"]
    ids = space.index(space.neighbors(found))
    assert accuracies[ids].max() <= accuracies[space.index(found)] == np.float32(names["accuracy"])
    # What NASLib does with its `dataset_api`.
    made, data = names["dataset_api"]["api"], names["dataset_api"]["nb101_data"]
    spec = made.ModelSpec(**names["spec"])
    assert data.is_valid(spec)
    assert not data.is_valid(made.ModelSpec(np.triu(np.ones((7, 7), int), 1), names["ops"]))
    for epochs in BUDGETS:
        (value,) = row_values(names, VALID, epochs)
        assert data.query(spec, epochs=epochs)["validation_accuracy"] == value
    fixed, _ = data.get_metrics_from_hash(next(iter(data.hash_iterator())))
    assert fixed["module_adjacency"].shape[0] == len(fixed["module_operations"])


def test_nasbenchapi(pages: Callable[[str], Page]) -> None:
    names = pages("nasbenchapi").end
    accuracies = values_of(names, VALID, 108)[names["space"].index(names["cells"])]
    assert len(accuracies) == 1000
    assert accuracies.max() == np.float32(names["means"].max())
    assert accuracies.argmax() == names["cells"].index(names["best"])


def test_nats_bench(pages: Callable[[str], Page]) -> None:
    names = pages("nats-bench").end
    log = names["bench"].log().to_pylist()
    assert {row["epochs"] for row in log} == {12}
    assert log[-2]["seconds_spent"] < 20_000 <= log[-1]["seconds_spent"]
    chosen = max(log, key=lambda row: float(row["validation_accuracy"]))["cell_id"]
    assert names["space"].index(names["best"]) == chosen
    assert names["accuracy"] == pytest.approx(values_of(names, TEST, 108)[chosen])
    text = (FOLDER / "nats-bench.md").read_text()
    assert f"{len(names['space']):,}" in text


def test_nas_benchmarks(pages: Callable[[str], Page]) -> None:
    pytest.importorskip("ConfigSpace")
    names = pages("nas-benchmarks").end
    log = names["bench"].log().to_pylist()
    assert 5 < len(log) < 200
    chosen = max(log, key=lambda row: float(row["validation_accuracy"]))["cell_id"]
    assert names["chosen"] == chosen
    tests = values_of(names, TEST, 108)
    assert names["bench"].regret(chosen) == pytest.approx(tests.max() - tests[chosen], abs=1e-7)


def configuration(rng: np.random.Generator, kind: str) -> dict[str, Any]:
    config: dict[str, Any] = {f"op_node_{i}": nb101.OPS[rng.integers(3)] for i in range(5)}
    if kind == "A":
        return config | {f"edge_{i}": int(rng.random() < 0.4) for i in range(21)}
    if kind == "B":
        return config | {f"edge_{i}": int(rng.integers(21)) for i in range(9)}
    edges = {f"edge_{i}": float(rng.random()) for i in range(21)}
    return config | edges | {"num_edges": int(rng.integers(10))}


def matrix_of(config: Mapping[str, Any], kind: str) -> Any:
    """The matrix that `NASCifar10A`, `B` and `C` make of a configuration."""
    matrix = np.zeros((7, 7), int)
    pairs = [(x, y) for x in range(7) for y in range(x + 1, 7)]
    if kind == "A":
        chosen = [pairs[i] for i in range(21) if config[f"edge_{i}"]]
    elif kind == "B":
        # Bit 20 - k of a mask whose bits go column by column.
        bits = {20 - config[f"edge_{i}"] for i in range(9)}
        chosen = [(x, y) for y in range(7) for x in range(y) if oracle.bit(x, y) in bits]
    else:
        order = sorted(range(21), key=lambda i: -float(config[f"edge_{i}"]))
        chosen = [pairs[i] for i in order[: config["num_edges"]]]
    for x, y in chosen:
        matrix[x, y] = 1
    return matrix


@pytest.mark.parametrize("kind", "ABC")
def test_configurations_are_the_same_cells(kind: str, pages: Callable[[str], Page]) -> None:
    edge_of = pages("nas-benchmarks").at(line_of("nas-benchmarks", "by_rows = "))["edge_of"]
    rng = np.random.default_rng(0)
    cells = refused = 0
    for _ in range(300):
        config = configuration(rng, kind)
        matrix = matrix_of(config, kind)
        ours = dict(config)
        if kind == "B":
            ours |= {f"edge_{i}": edge_of[config[f"edge_{i}"]] for i in range(9)}
        encoding = {"A": "adjacency", "B": "categorical", "C": "continuous"}[kind]
        found = nb101.search.to_cell(encoding, ours)
        spec = api.ModelSpec(
            matrix, ["input", *(config[f"op_node_{i}"] for i in range(5)), "output"]
        )
        if spec.matrix is None or np.sum(spec.matrix) > 9:
            assert found is None
            continue
        assert found is not None
        assert found.hash == spec.hash_spec(list(nb101.OPS))
        cells += 1
        refused += matrix.sum() > 9
    assert cells > 20
    assert (refused > 0) == (kind == "A")
