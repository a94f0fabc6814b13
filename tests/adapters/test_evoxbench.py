"""EvoXBench's interface: against the real one, on equal numbers, and with pymoo's own loop."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import nb101
from nb101.adapters import evoxbench
from nb101.adapters.evoxbench import NASBench101Benchmark, NASBench101SearchSpace, c10mop

SPACE = nb101.SearchSpace()
TABLE = nb101.load_table()
PROBLEMS = {"1": c10mop(1, seed=0), "2": c10mop(2, seed=0)}


def variables(n: int, seed: int) -> npt.NDArray[np.int64]:
    """Rows of variables: half of them of cells, the others as they come, of which some are none."""
    space = NASBench101SearchSpace(seed)
    cells = SPACE.sample(n // 2, seed=seed) + SPACE[:5]
    return np.concatenate([space.encode(cells), space.encode(space.sample(n - len(cells)))])


def plain(row: list[int]) -> nb101.Cell | None:
    """The cell of a row, as EvoXBench's sources say what a row is."""
    matrix = np.zeros((7, 7), int)
    matrix[np.triu_indices(7, 1)] = row[:21]
    names = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"]
    try:
        cell = nb101.Cell(matrix, ["input", *(names[code] for code in row[21:]), "output"])
    except nb101.DisconnectedError:
        return None
    return cell if cell in SPACE else None


# The real one


@pytest.fixture(scope="module")
def asked() -> dict[str, Any]:
    X = variables(120, 0)
    X = np.concatenate([X, PROBLEMS["2"].pareto_set[::5], np.zeros((1, 26), int)])
    cells = {cell for row in X.tolist() if (cell := plain(row)) is not None}
    rows = []
    for cell in cells:
        run = nb101.Benchmark(TABLE).query(cell)
        rows.append(
            {
                "index": cell.hash,
                "params": cell.parameters,
                "flops": cell.flops,
                "final_test_accuracy": {"epoch108": [run.test_accuracy]},
                "final_validation_accuracy": {"epoch108": [run.validation_accuracy]},
            }
        )
    return {
        "X": X.tolist(),
        "rows": rows,
        "pf": {
            problem.evaluator.objs: problem.pareto_front.tolist() for problem in PROBLEMS.values()
        },
        "ps": {
            problem.evaluator.objs: problem.pareto_set.tolist() for problem in PROBLEMS.values()
        },
    }


@pytest.fixture(scope="module")
def real(asked: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    for library in ("evoxbench", "django", "pymoo"):
        if importlib.util.find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
    folder = tmp_path_factory.mktemp("evoxbench")
    (folder / "asked.json").write_text(json.dumps(asked))
    program = Path(__file__).with_name("real_evoxbench.py")
    command = [
        sys.executable,
        "-W",
        "ignore",
        str(program),
        str(folder / "asked.json"),
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "answer.json").read_text())


@pytest.mark.parametrize("number", ["1", "2"])
def test_it_says_what_evoxbench_does(number: str, asked: dict[str, Any], real: Any) -> None:
    problem, theirs = PROBLEMS[number], real[number]
    X, space = np.array(asked["X"]), problem.search_space
    np.testing.assert_allclose(problem.evaluate(X, true_eval=True), theirs["true"], rtol=1e-12)
    np.testing.assert_allclose(problem.evaluate(X), theirs["drawn"], rtol=1e-12)
    assert [problem.utopian_point.tolist(), problem.nadir_point.tolist()] == theirs["points"]
    assert problem.hv_ref_point.tolist() == theirs["reference"]
    for indicator in ("igd", "hv", "normalized_hv"):
        found = problem.calc_perf_indicator(X, indicator)
        assert found == pytest.approx(theirs[indicator], rel=1e-9), indicator
    assert [space.n_var, space.lb, space.ub, space.categories] == theirs["bounds"]
    assert space.encode(space.decode(X)).tolist() == theirs["again"] == asked["X"]
    stats = problem.evaluator.evaluate(space.decode(X), true_eval=True)
    assert [[name for name, _ in row] for row in theirs["stats"]] == [list(row) for row in stats]
    np.testing.assert_allclose(
        [[value for _, value in row] for row in theirs["stats"]],
        [list(row.values()) for row in stats],
        rtol=1e-12,
    )
    assert problem.evaluator.n_objs == theirs["n_objs"]
    assert [problem.name, space.name, problem.evaluator.name] == theirs["names"]


# Without it


def test_objectives_are_those_of_the_cells() -> None:
    X = variables(300, 3)
    problem = NASBench101Benchmark(normalized_objectives=False, seed=1)
    F, bench = problem.evaluate(X), nb101.Benchmark(TABLE, seed=1)
    true = problem.evaluate(X, true_eval=True)
    some = 0
    for row, drawn, judged in zip(X.tolist(), F, true, strict=True):
        cell = plain(row)
        if cell is None:
            assert drawn.tolist() == judged.tolist() == [1, np.inf, np.inf]
            some += 1
            continue
        run = bench.query(cell)
        assert drawn.tolist() == [1 - run.validation_accuracy, cell.parameters, cell.flops]
        assert judged[0] == 1 - run.test_accuracy
    assert 20 < some < 200
    # What is drawn is charged for, the truth is not.
    assert problem.evaluator.bench.spent == bench.spent


def test_runs_are_drawn_by_a_seed() -> None:
    X = variables(40, 4)
    first, again, other = (c10mop(1, seed=seed, noise=True).evaluate(X) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()
    space = NASBench101SearchSpace(5)
    same = NASBench101SearchSpace(5)
    assert space.encode(space.sample(9)).tolist() == same.encode(same.sample(9)).tolist()


def test_cells_and_variables() -> None:
    space = NASBench101SearchSpace()
    cells = SPACE[:80] + SPACE.sample(100, seed=0)
    X = space.encode(cells)
    assert X.shape == (180, 26)
    assert X.tolist() == space.encode(list(cells)).tolist()
    assert [plain(row) for row in X.tolist()] == list(cells)
    assert [space.visualize(arch) for arch in space.decode(X)] == list(cells)
    assert space.encode([]).shape == (0, 26)
    assert space.decode(X[:0]) == []
    assert c10mop(1).evaluate(X[:0]).shape == (0, 2)


def test_the_front() -> None:
    problem = PROBLEMS["2"]
    front = nb101.search.exact_front(TABLE, "c10mop2")
    assert (problem.pareto_front == front.values).all()
    np.testing.assert_allclose(
        problem.evaluate(problem.pareto_set, true_eval=True), front.normalize(front.values)
    )
    assert problem.calc_perf_indicator(problem.pareto_set, "igd") == 0
    assert problem.calc_perf_indicator(problem.pareto_set, "normalized_hv") == 1
    none = np.zeros((3, 26), int)
    assert problem.calc_perf_indicator(none, "hv") == 0
    assert problem.calc_perf_indicator(none, "igd") == np.inf
    # Matrices and ops are judged as variables are.
    X = variables(50, 7)
    for indicator in ("igd", "hv", "normalized_hv"):
        of_variables = problem.calc_perf_indicator(X, indicator)
        archs = problem.search_space.decode(X)
        assert problem.calc_perf_indicator(archs, indicator) == of_variables
        raw = NASBench101Benchmark(normalized_objectives=False)
        assert raw.calc_perf_indicator(X, indicator) == pytest.approx(of_variables)


def test_other_budgets_and_objectives() -> None:
    X = problem_rows = variables(60, 8)
    problem = NASBench101Benchmark(12, "params&err", False)
    F, bench = problem.evaluate(X), nb101.Benchmark(TABLE)
    for row, found in zip(problem_rows.tolist(), F, strict=True):
        if (cell := plain(row)) is not None:
            assert found.tolist() == [
                1 - bench.query(cell, 12).validation_accuracy,
                cell.parameters,
            ]
    (stats,) = problem.evaluator.evaluate(problem.search_space.decode(X[:1]), "flops&params")
    assert list(stats) == ["params", "flops"]


def test_a_table_of_some_cells() -> None:
    ids = np.arange(0, 400_000, 4001)
    means = TABLE.mean("test_accuracy", 108)
    table = nb101.Table.from_columns(
        {
            "cell_id": np.repeat(ids, 2),
            "epochs": np.full(2 * len(ids), 108),
            "final_training_time": np.full(2 * len(ids), 100.0),
            "final_validation_accuracy": np.tile([0.5, 0.75], len(ids)),
            "final_test_accuracy": np.repeat(means[ids].astype(np.float64), 2),
            "trainable_parameters": np.repeat(SPACE[ids].parameters(), 2),
        },
        provenance={"kind": "measured"},
    )
    problem = c10mop(1, table, seed=0)
    assert repr(problem) == "<NASBench101Benchmark of err&params, measured>"
    X = problem.search_space.encode(SPACE[ids])
    F = problem.evaluate(X, true_eval=True)
    np.testing.assert_allclose(
        F, problem.normalize(np.stack([1 - means[ids].astype(float), SPACE[ids].parameters()], 1))
    )
    raw = NASBench101Benchmark(objs="err&params", normalized_objectives=False, table=table)
    assert set(raw.evaluate(X)[:, 0]) == {0.5, 0.25}
    assert raw.evaluator.bench.spent.seconds == 100 * len(ids)
    for true_eval in (False, True):
        with pytest.raises(nb101.MissingRunError, match="no run of cell 1"):
            problem.evaluate(problem.search_space.encode([SPACE[1]]), true_eval)


def test_what_is_wrong() -> None:
    problem, space = PROBLEMS["1"], NASBench101SearchSpace()
    X = variables(12, 0)
    for bad in (X[0], X[:, :25], np.where(X == 1, 2, X), X - 1, X + 0.5):
        with pytest.raises(nb101.ArgumentError, match="X"):
            problem.evaluate(bad)
    with pytest.raises(nb101.ArgumentTypeError, match="whole numbers"):
        problem.evaluate(X.astype(str))
    assert (problem.evaluate(X.astype(float)) == problem.evaluate(X)).all()
    for number in (0, 3, 9):
        with pytest.raises(nb101.ArgumentError, match="1 and 2 are"):
            c10mop(number)
    with pytest.raises(nb101.UnknownNameError, match="latency"):
        NASBench101Benchmark(objs="err&latency")
    with pytest.raises(nb101.UnknownNameError, match="igd_plus"):
        problem.calc_perf_indicator(X, "igd_plus")
    with pytest.raises(nb101.MissingRunError):
        NASBench101Benchmark(50)
    with pytest.raises(nb101.InvalidCellError, match="7 x 7"):
        space.encode([{"matrix": np.zeros((3, 3)), "ops": ["input", "maxpool3x3", "output"]}])
    arch = {**space.decode(X[:1])[0], "ops": ["input", *["relu"] * 5, "output"]}
    with pytest.raises(nb101.UnknownOpError, match="relu"):
        space.encode([arch])
    with pytest.raises(nb101.ArgumentTypeError):
        space.encode(5)  # type: ignore[arg-type]
    other = nb101.Table.from_columns(
        {
            **{"cell_id": [0], "epochs": [108], "final_training_time": [1.0]},
            **{"final_validation_accuracy": [0.5], "final_test_accuracy": [0.5]},
        },
        space=nb101.SearchSpace(6),
    )
    with pytest.raises(nb101.ArgumentError, match="NAS-Bench-101"):
        c10mop(1, other)
    assert sorted(dir(evoxbench)) == evoxbench.__all__


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"matrix": np.triu(np.full((7, 7), 0.5), 1)}, "0 or 1"),
        ({"matrix": np.full((7, 7), "1")}, "0 or 1"),
        ({"matrix": np.eye(7)}, "above the diagonal"),
        ({"matrix": np.eye(7, k=-1)}, "above the diagonal"),
        ({"matrix": [[0, 1], [0]]}, "equally long"),
        ({"ops": ["output", *["maxpool3x3"] * 5, "output"]}, "begin with 'input'"),
        ({"ops": 3}, "a dict of a matrix and a list of ops"),
        (None, "a dict of a matrix and a list of ops"),
    ],
)
def test_matrices_and_ops_that_are_none(changed: dict[str, Any] | None, message: str) -> None:
    space = NASBench101SearchSpace()
    good = {"matrix": np.eye(7, k=1), "ops": ["input", *["maxpool3x3"] * 5, "output"]}
    assert space.encode([good]).sum() == 6 + 5 * 2
    for arch in [{**good, **changed}] if changed else [{}, 5]:
        with pytest.raises(nb101.InvalidCellError, match=message):
            space.encode([arch])  # type: ignore[list-item]


@pytest.mark.parametrize("fidelity", [36, 108])
def test_the_front_is_of_the_budget_of_the_problem(fidelity: int) -> None:
    problem = NASBench101Benchmark(fidelity, "err&params")
    assert problem.calc_perf_indicator(problem.pareto_set, "igd") == 0
    best = 1 - float(np.nanmax(TABLE.mean("test_accuracy", fidelity)))
    assert problem.pareto_front[:, 0].min() == pytest.approx(best)


# pymoo


def test_nsga2_of_pymoo() -> None:
    """A problem of pymoo, as EvoXBench's own examples have it."""
    pytest.importorskip("pymoo", reason="pymoo is not installed")
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem
    from pymoo.indicators.hv import HV
    from pymoo.operators.crossover.ux import UniformCrossover
    from pymoo.operators.mutation.pm import PolynomialMutation
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.operators.sampling.rnd import IntegerRandomSampling
    from pymoo.optimize import minimize

    benchmark = c10mop(2, seed=0)

    class Searched(Problem):  # type: ignore[misc]
        def __init__(self) -> None:
            space = benchmark.search_space
            super().__init__(n_var=space.n_var, n_obj=3, xl=space.lb, xu=space.ub, vtype=int)

        def _evaluate(self, x: Any, out: Any, *args: Any, **given: Any) -> None:
            out["F"] = np.nan_to_num(benchmark.evaluate(x), posinf=1e6)

    algorithm = NSGA2(
        pop_size=40,
        sampling=IntegerRandomSampling(),
        crossover=UniformCrossover(prob=0.9, repair=RoundingRepair()),
        mutation=PolynomialMutation(prob=1, prob_var=1 / 26, vtype=float, repair=RoundingRepair()),
        eliminate_duplicates=True,
    )
    volumes = []

    def note(found: Any) -> None:
        volumes.append(benchmark.calc_perf_indicator(found.pop.get("X"), "normalized_hv"))

    result = minimize(Searched(), algorithm, ("n_gen", 25), seed=1, callback=note)
    assert volumes[-1] > volumes[0]
    assert volumes[-1] > 0.95
    assert 0 < benchmark.evaluator.bench.spent.epochs <= 25 * 40 * 108
    # Its indicators of the same points are ours.
    X = np.array(result.X)
    F = benchmark.evaluate(X, true_eval=True)
    assert benchmark.calc_perf_indicator(X, "hv") == pytest.approx(HV(ref_point=np.ones(3))(F))
