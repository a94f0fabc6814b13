"""What docs/search.md shows is run as it stands."""

import re
import sys
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, create_autospec

import pytest

import nb101
from nb101 import search
from nb101.search.searcher import REGISTRY

PAGE = Path(__file__).parents[2] / "docs" / "search.md"


def test_the_code_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    optuna = pytest.importorskip("optuna")
    pytest.importorskip("ConfigSpace")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert len(blocks) == 5
    try:
        for block in blocks:
            with monkeypatch.context() as patched:
                if "scheduler:8786" in block:
                    # That one needs a cluster; tests of comparisons have one of their own.
                    patched.setitem(sys.modules, "dask", MagicMock())
                    patched.setitem(sys.modules, "dask.distributed", MagicMock())
                    patched.setattr(search, "compare", create_autospec(search.compare))
                exec(compile(block, str(PAGE), "exec"), names)
                if "scheduler:8786" in block:
                    assert isinstance(names["table"], nb101.Table)
    finally:
        REGISTRY.pop("hill-climbing", None)
    assert search.Trace.open(tmp_path / "trace.parquet").final_regret < 0.01
    assert names["bench"].spent.seconds > 1e6


def test_every_algorithm_is_on_the_page() -> None:
    text = PAGE.read_text()
    for name in search.registry():
        assert f"| `{name}` |" in text
