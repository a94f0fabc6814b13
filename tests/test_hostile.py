"""Calls of the extension module that nobody should make: they raise, and nothing worse."""

import os
import threading
import time
from typing import Any

import numpy as np
import pytest

from nb101 import _core, errors
from torture.hostile import run


def test_no_call_panics() -> None:
    found = run(seed=7, n=1500)
    assert found["failures"] == []
    # Most calls were refused, and many answered: they were near enough to what is right.
    assert found["refused"] > 300
    assert found["unchanged"] > 100


def test_words_with_a_dangling_vertex_are_no_cell() -> None:
    # Input -> output, and a vertex on no path between them: the hash waited for it for ever.
    edges, labels = np.array([0b010], np.uint64), np.array([3 << 60], np.uint64)
    space = _core.Space(7, 9, 3)
    for call in (
        lambda: _core.hash_cells(edges, labels),
        lambda: space.ids(edges, labels),
        lambda: space.id(int(edges[0]), int(labels[0])),
        lambda: space.neighbors(int(edges[0]), int(labels[0])),
        lambda: _core.depth_width(edges, labels),
    ):
        with pytest.raises(errors.InvalidCellError, match="a vertex that is on no path"):
            call()
    # As a module it is pruned first.
    assert space.module_id(int(edges[0]), int(labels[0])) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_stream_that_was_being_read_at_a_fork_says_so() -> None:
    stream = _core.Space(8, 11, 3).stream()
    reader = threading.Thread(target=stream.next, args=(10_000_000,))
    reader.start()
    time.sleep(0.05)
    assert reader.is_alive()
    child = os.fork()
    if child == 0:
        try:
            stream.next(1)
            os._exit(1)
        except RuntimeError as error:
            os._exit(0 if "make one anew" in str(error) else 2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    reader.join()


def test_an_id_that_is_negative_is_named_as_it_is(tmp_path: object) -> None:
    columns: dict[str, Any] = {
        "cell_id": np.array([-1], np.int32),
        "epochs": np.array([4], np.int16),
    }
    columns |= {"record": np.zeros(1, np.int32), "trainable_parameters": np.ones(1, np.int32)}
    for stage in ("start", "halfway", "final"):
        for field in ("epoch", "training_time", "train_accuracy"):
            columns[f"{stage}_{field}"] = np.zeros(1, np.float32)
        for field in ("validation_accuracy", "test_accuracy"):
            columns[f"{stage}_{field}"] = np.zeros(1, np.float32)
    columns["total_time"] = np.zeros(1)
    with pytest.raises(errors.CellIdError, match="-1"):
        _core.write_release(f"{tmp_path}/file", columns, [])


def test_kendall_of_columns_with_nan_is_nan() -> None:
    x = np.array([1.0, np.nan, 3.0])
    assert np.isnan(_core.kendall(x, x[::-1].copy()))
