"""What holds for all adapters."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import adapters

PROGRAM = """
import sys
import nb101, nb101.adapters
from nb101.adapters import evoxbench, hpobench, naslib
nb101.load_table(), nb101.search.run
print([name for name in {names} if name in sys.modules])
"""


def test_no_library_is_imported_without_need() -> None:
    names = ["syne_tune", "optunahub", "optuna", "carps", "ConfigSpace", "huggingface_hub"]
    names += ["torch", "torch_geometric", "onnx", "onnxscript", "evoxbench", "django", "pymoo"]
    code = PROGRAM.format(names=names)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_names() -> None:
    assert dir(adapters) == sorted(adapters.__all__)
    assert nb101.adapters is adapters
    with pytest.raises(AttributeError, match="no attribute 'autogluon'"):
        adapters.autogluon  # type: ignore[attr-defined]  # noqa: B018


SPACE = nb101.SearchSpace()
COLUMNS: dict[str, list[Any]] = {
    "cell_id": [3],
    "epochs": [108],
    "final_training_time": [1.0],
    "final_validation_accuracy": [0.5],
    "final_test_accuracy": [0.5],
}
MAKERS: dict[str, Callable[[nb101.Table], object]] = {
    "syne_tune": lambda table: adapters.syne_tune.NASBench101(nb101.Benchmark(table)),
    "optunahub": lambda table: adapters.optunahub.NASBench101(
        nb101.Benchmark(table), objectives=["validation_accuracy", "test_accuracy", "training_time"]
    ),
    "carps": lambda table: adapters.carps.NASBench101(
        nb101.Benchmark(table), objectives=["validation_accuracy", "test_accuracy"]
    ),
    "hpobench": lambda table: adapters.hpobench.NASCifar10ABenchmark(
        benchmark=nb101.Benchmark(table)
    ),
}


def adapter(name: str) -> None:
    """Skip a test whose library is not installed."""
    if name in ("hpobench", "carps"):
        pytest.importorskip("ConfigSpace")
    try:
        getattr(adapters, name)
    except nb101.MissingExtraError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", MAKERS)
def test_a_table_must_have_what_is_asked(name: str) -> None:
    adapter(name)
    MAKERS[name](nb101.Table.from_columns(COLUMNS))
    for column in list(COLUMNS)[2:]:
        rest = dict(COLUMNS)
        del rest[column]
        with pytest.raises(nb101.DatasetError, match=f"no column '{column}'"):
            MAKERS[name](nb101.Table.from_columns(rest))


def test_an_error_needs_validation_accuracies() -> None:
    columns = dict(COLUMNS)
    del columns["final_validation_accuracy"]
    table = nb101.Table.from_columns(columns)
    made = adapters.evoxbench.NASBench101Evaluator(objs="params&flops", table=table)
    archs = adapters.evoxbench.NASBench101SearchSpace().decode(np.zeros((1, 26)))
    for call in (
        lambda: adapters.evoxbench.NASBench101Benchmark(108, "err&params", False, table=table),
        lambda: made.evaluate(archs, "err"),
    ):
        with pytest.raises(nb101.DatasetError, match="no column 'final_validation_accuracy'"):
            call()


CHAIN: dict[str, Any] = {f"edge_{i}": int(i in (0, 6)) for i in range(21)}
CHAIN |= {f"op_node_{i}": nb101.OPS[0] for i in range(5)}
BENCH = nb101.Benchmark(nb101.load_table())
A = adapters


def of_carps(**trial: Any) -> object:
    from carps.utils.trials import TrialInfo

    function = A.carps.NASBench101(BENCH)
    config = function.configspace.get_default_configuration()
    return function.evaluate(TrialInfo(config=config, **trial))


def hpo(*given: Any, **named: Any) -> Any:
    return A.hpobench.NASCifar10ABenchmark(*given, **named)


def mop(number: Any = 1) -> Any:
    return A.evoxbench.c10mop(number)


NO_MODULES: list[Any] = [{}, None, 3, SPACE[3], {"matrix": 1, "ops": 3}]
NO_NAMES: list[Any] = [3, None]
WRONG: dict[str, list[tuple[Callable[[], object], type[nb101.NB101Error], str]]] = {
    "optunahub": [
        (
            partial(lambda x: A.optunahub.NASBench101(BENCH, objectives=x), x),
            nb101.ArgumentTypeError,
            "names",
        )
        for x in NO_NAMES
    ],
    "naslib": [
        *(
            (partial(A.naslib.from_spec, x), nb101.InvalidCellError, "a dict of a matrix")
            for x in NO_MODULES
        ),
        (lambda: A.naslib.get_nasbench101_api(seed="a"), nb101.ArgumentTypeError, "seed"),  # type: ignore[arg-type]
    ],
    "hpobench": [
        *(
            (partial(hpo, rng=x), nb101.ArgumentError, "rng must be")
            for x in ("a", [1], np.random.default_rng(0), 2**40, 1.5, "5")
        ),
        *(
            (
                lambda x=x: hpo().objective_function(CHAIN, run_index=x),
                nb101.ArgumentError,
                "run_index",
            )
            for x in (1.0, [1.0], True, "a", np.array([0.5]))
        ),
        *(
            (
                lambda x=x: hpo().objective_function(x),
                nb101.ArgumentTypeError,
                "configuration must be",
            )
            for x in (None, 3, [1] * 26)
        ),
        (partial(hpo, 3), nb101.ArgumentTypeError, "data_path must be"),
        (partial(hpo, "/"), nb101.MissingFileError, "there is no nasbench_full.tfrecord in"),
        (A.hpobench.NASCifar10BaseBenchmark, nb101.ArgumentTypeError, "make a NASCifar10A"),
        (
            lambda: hpo().objective_function_test(CHAIN, run_index=0),
            nb101.ArgumentError,
            "of all runs",
        ),
        (lambda: hpo().get_fidelity_space("a"), nb101.ArgumentTypeError, "seed must be"),
        (lambda: hpo().get_configuration_space(-1), nb101.ArgumentError, "seed must be"),
    ],
    "carps": [
        (lambda: of_carps(budget="a"), nb101.ArgumentTypeError, "budget must be"),
        (lambda: of_carps(budget=float("nan")), nb101.ArgumentError, "budget must be"),
        (lambda: of_carps(budget=4.4), nb101.MissingRunError, "4.4 epochs"),
        (lambda: A.carps.make_task(BENCH, trials=1), nb101.ArgumentTypeError, "function must be"),  # type: ignore[arg-type]
        *(
            (
                lambda given=given: A.carps.make_task(A.carps.NASBench101(BENCH), **given),
                nb101.ArgumentError,
                f"{next(reversed(given))} must be",
            )
            for given in (
                {"minutes": "a"},
                {"minutes": -1},
                {"trials": 1, "seed": "a"},
            )
        ),
    ],
    "evoxbench": [
        (lambda: A.evoxbench.NASBench101SearchSpace("a"), nb101.ArgumentTypeError, "seed"),  # type: ignore[arg-type]
        (lambda: A.evoxbench.NASBench101SearchSpace(-1), nb101.ArgumentError, "seed"),
        (lambda: mop().search_space.visualize({}), nb101.InvalidCellError, "a dict of a matrix"),
        (lambda: mop().evaluate([[1], [1, 2]]), nb101.ArgumentError, "equally long"),
        (lambda: mop().evaluate(np.full((1, 26), np.inf)), nb101.ArgumentError, "whole numbers"),
        (lambda: mop().normalize("a"), nb101.ArgumentTypeError, "F must hold numbers"),
        (lambda: mop().normalize(np.zeros((2, 3))), nb101.ArgumentError, "F must have shape"),
        *((partial(mop, x), nb101.ArgumentError, "1 and 2 are") for x in ([1], True, 1.0, "1")),
        (
            lambda: A.evoxbench.NASBench101Benchmark(objs="err"),
            nb101.ArgumentError,
            "two objectives or more",
        ),
        (lambda: mop().calc_perf_indicator(3), nb101.ArgumentError, "X must have shape"),
    ],
}
CALLS = [(name, *case) for name, cases in WRONG.items() for case in cases]


@pytest.mark.parametrize(("name", "call", "error", "message"), CALLS)
def test_what_is_wrong_is_said(
    name: str, call: Callable[[], object], error: type[nb101.NB101Error], message: str
) -> None:
    adapter(name)
    with pytest.raises(error, match=message):
        call()


def test_archs_of_any_iterable_are_judged() -> None:
    problem = mop()
    archs = problem.search_space.decode(problem.pareto_set)
    assert problem.calc_perf_indicator((arch for arch in archs), "igd") == 0
    assert problem.calc_perf_indicator(SPACE[problem.front.cell_ids], "igd") == 0
    assert problem.calc_perf_indicator([], "hv") == 0
    assert problem.calc_perf_indicator(problem.pareto_set.tolist(), "igd") == 0


def test_a_budget_may_miss_a_whole_number_by_a_rounding() -> None:
    adapter("carps")
    assert of_carps(budget=36 - 1e-12) is not None
