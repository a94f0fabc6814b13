"""What holds for all adapters."""

import subprocess
import sys

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
