"""Pickles of image batches, and those that must not run."""

import contextlib
import os
import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from image_files import draw, old_pickle
from nb101.train import cifar10, cifar_pickle, data
from nb101.train.cifar_pickle import read_pickle


class Evil:
    """What runs a command when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.system, ("touch evil",)


class State:
    """An object with a state."""

    def __init__(self) -> None:
        self.x = 1


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("what", [Evil(), State(), {"labels": [Evil()]}, os.system, range])
def test_nothing_is_run(
    what: Any, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if what in (os.system, range):
        # A name alone is no harm, and no more than a name.
        with contextlib.suppress(nb101.DatasetError):
            assert isinstance(read_pickle(pickle.dumps(what, protocol)), str)
    else:
        with pytest.raises(nb101.DatasetError):
            read_pickle(pickle.dumps(what, protocol))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_data_comes_back(protocol: int) -> None:
    value: dict[str, Any] = {
        "a": [1, 300, 70_000, -5, 2**40, True, None],
        "b": (),
        "c": (1, (2, 3), "ü", ("x" * 300,) * 3, {}, []),
        "d": [0] * 2500,
    }
    assert read_pickle(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back(order: Any) -> None:
    array = np.asarray(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), order=order)
    for protocol in (2, 3, 4):
        found = read_pickle(pickle.dumps([array, array, 3], protocol))
        assert found[2] == 3
        assert (found[0] == array).all()
        assert (found[1] == array).all()


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros(3, ">i4"), np.array([None, 1])])
def test_other_arrays_are_refused(array: Any) -> None:
    with pytest.raises(nb101.DatasetError):
        read_pickle(pickle.dumps(array, 2), "this one")


def test_damaged_pickles_end_in_one_error() -> None:
    """Whatever bytes: a value or the error, and nothing else."""
    rng = np.random.default_rng(0)
    whole = old_pickle(*draw(2, 0))
    for _ in range(300):
        wrong = bytearray(whole)
        for place in rng.integers(0, 200, 3):
            wrong[place] = rng.integers(256)
        with contextlib.suppress(nb101.DatasetError):
            read_pickle(bytes(wrong), "x")


BOMBS = {
    "nested": b"\x80\x02}N" + b"\x85" * 200_000 + b"Ns.",
    "nested lists": b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b".",
    "marks": b"(" * 30_000 + b"t" * 30_000,
    "many operations": b"\x80\x02" + b"N" * 3_000_000 + b".",
    "a list in itself": b"\x80\x02]q\x00h\x00a.",
    "doubled tuples": b"\x80\x02}N" + b"q\x00h\x00\x86" * 60 + b"Ns.",
    "a tuple as a key": b"\x80\x02})Ns.",
    "a long number": b"\x80\x02\x8a\xff" + b"\x7f" * 255 + b".",
    "digits": b"I" + b"9" * 1_000_000 + b"\n.",
    "a long name": b"c" + b"a" * 1_000_000 + b"\nb\n.",
    "a length": b"\x80\x02\x8e" + b"\xff" * 8 + b".",
    "no end": b"\x80\x02}",
    "nothing on the stack": b"\x80\x02\x85.",
    "a shape": b"\x80\x02cnumpy\nndarray\nq\x00cnumpy.core.multiarray\n_reconstruct\nh\x00\x85R"
    + b"(K\x01(J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7fK\x00tcnumpy\ndtype\nU\x02u1\x85R"
    + b"\x89U\x00tb.",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_no_pickle_is_a_bomb(bomb: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(nb101.DatasetError, match=r"^the pickle (is damaged|has|holds)[^\n]*$"):
        read_pickle(bomb)
    assert time.monotonic() - began < 2


def test_no_module_of_pythons_reads_pickles() -> None:
    for module in (data, cifar10, cifar_pickle):
        assert "import pickle" not in Path(str(module.__file__)).read_text()
