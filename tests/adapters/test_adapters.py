"""What holds for all adapters."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

import nb101
from nb101 import adapters

PROGRAM = """
import sys
import nb101, nb101.adapters
nb101.load_table(), nb101.search.run
print([name for name in {names} if name in sys.modules])
"""


def test_no_library_is_imported_without_need() -> None:
    names = ["syne_tune", "optunahub", "optuna", "carps", "ConfigSpace", "huggingface_hub"]
    code = PROGRAM.format(names=names)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_names() -> None:
    assert set(dir(adapters)) >= {"carps", "hpobench", "optunahub", "syne_tune"}
    assert nb101.adapters is adapters
    with pytest.raises(AttributeError, match="no attribute 'autogluon'"):
        adapters.autogluon  # type: ignore[attr-defined]  # noqa: B018


SPACE = nb101.SearchSpace()
COLUMNS = {
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
    try:
        getattr(adapters, name)
    except nb101.MissingExtraError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", MAKERS)
def test_a_table_must_have_what_is_asked(name: str) -> None:
    adapter(name)
    if name in ("hpobench", "carps"):
        pytest.importorskip("ConfigSpace")
    MAKERS[name](nb101.Table.from_columns(COLUMNS))
    for column in list(COLUMNS)[2:]:
        rest = {key: values for key, values in COLUMNS.items() if key != column}
        with pytest.raises(nb101.DatasetError, match=f"no column '{column}'"):
            MAKERS[name](nb101.Table.from_columns(rest))


def test_an_error_needs_validation_accuracies() -> None:
    columns = {key: x for key, x in COLUMNS.items() if key != "final_validation_accuracy"}
    table = nb101.Table.from_columns(columns)
    made = adapters.evoxbench.NASBench101Evaluator(objs="params&flops", table=table)
    archs = adapters.evoxbench.NASBench101SearchSpace().decode(np.zeros((1, 26)))
    for call in (
        lambda: adapters.evoxbench.NASBench101Benchmark(108, "err&params", False, table=table),
        lambda: made.evaluate(archs, "err"),
    ):
        with pytest.raises(nb101.DatasetError, match="no column 'final_validation_accuracy'"):
            call()
