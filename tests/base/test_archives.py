"""Archives of arrays: what NumPy reads of them, we read, and nothing else."""

import ast
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from nb101._base import archives

MOST = 1 << 20
NUMBERS = (
    st_np.integer_dtypes(endianness="?")
    | st_np.unsigned_integer_dtypes(endianness="?")
    | st_np.floating_dtypes(endianness="?", sizes=(16, 32, 64))
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archives") / "numbers.npz"


@given(
    array=st_np.arrays(NUMBERS, st_np.array_shapes(min_dims=0, max_dims=4, min_side=0)),
    fortran=st.booleans(),
    packed=st.booleans(),
)
def test_reads_what_numpy_reads(path: Path, array: np.ndarray, fortran: bool, packed: bool) -> None:
    written = np.asfortranarray(array) if fortran and array.ndim else array
    archives.write(path, {"numbers": written}, packed=packed)
    found = archives.Archive(path.read_bytes(), MOST).read("numbers")
    with np.load(path) as archive:
        expected = archive["numbers"]
    assert found.dtype == expected.dtype
    assert found.flags.f_contiguous == expected.flags.f_contiguous
    np.testing.assert_array_equal(found, expected)


def test_heads_are_not_parsed_as_python(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CPython 3.11 fails by chance where threads parse at once (python/cpython#106905)."""
    archives.write(path, {"numbers": np.arange(6).reshape(2, 3)}, packed=True)

    def fails(*_: object, **__: object) -> None:
        raise SystemError("AST constructor recursion depth mismatch")

    monkeypatch.setattr(ast, "parse", fails)
    monkeypatch.setattr(ast, "literal_eval", fails)
    assert archives.Archive(path.read_bytes(), MOST).read("numbers").shape == (2, 3)


@pytest.mark.parametrize(
    "head",
    [
        "",
        "{}",
        "[1]",
        "{'descr': '<f8', 'fortran_order': False}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': (1,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1e3,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999999999,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'more': 1, }",
        "{'descr': '<f9', 'fortran_order': False, 'shape': (1,), }",
    ],
)
def test_heads_of_other_forms_are_refused(head: str) -> None:
    text = head.encode().ljust(117) + b"\n"
    entry = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(8)
    with pytest.raises((ValueError, TypeError)):
        archives.Archive(_archive(entry), MOST).read("numbers")


def test_a_head_that_would_take_more_than_any_is_refused() -> None:
    entry = b"\x93NUMPY\x02\x00" + (1 << 31).to_bytes(4, "little")
    with pytest.raises(ValueError, match="2,147,483,648 bytes"):
        archives.Archive(_archive(entry), MOST).read("numbers")


def _archive(entry: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("numbers.npy", entry)
    return file.getvalue()
