"""Tables to be explored, and a page that stands in for the one that is built."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101.explore import bundle as bundles

MARKUP = "<img src=x onerror=alert(1)> & \"'"


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the build leaves it."""
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>nb101</title><p>here</p>")
    (folder / "assets" / "page.js").write_text("export {};")
    (folder / "assets" / "page.css").write_text("p {}")
    (folder / "widget.js").write_text("export default {};")
    (folder / "widget.css").write_text("div {}")
    return folder


@pytest.fixture
def built(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with that page."""
    monkeypatch.setattr(bundles, "BUNDLE", bundle)
    return bundle


@pytest.fixture(scope="session")
def markup() -> str:
    """The name of a column that would do something, if a page took it for HTML."""
    return MARKUP


@pytest.fixture(scope="session")
def predicted() -> nb101.Table:
    """The table that the package carries."""
    return nb101.load_table()


@pytest.fixture(scope="session")
def measured() -> nb101.Table:
    """Cells with one to three runs at two budgets, some without accuracies; own columns too."""
    rng = np.random.default_rng(0)
    columns: dict[str, list[float]] = {"cell_id": [], "epochs": [], "repeat": []}
    for epochs in (4, 36):
        for cell_id in range(1, 91, 2):
            for repeat in range(1 + cell_id % 3 if epochs == 36 else 1):
                columns["cell_id"].append(cell_id)
                columns["epochs"].append(epochs)
                columns["repeat"].append(repeat)
    n = len(columns["cell_id"])
    numbers: dict[str, Any] = {
        "final_validation_accuracy": rng.random(n).astype(np.float32),
        "final_test_accuracy": rng.random(n),
        "final_training_time": 1000 * rng.random(n),
        MARKUP: rng.normal(size=n),
    }
    numbers["final_validation_accuracy"][::7] = np.nan
    return nb101.Table.from_columns(
        columns | numbers,
        space=nb101.SearchSpace(4),
        provenance={"kind": "measured", "recipe": {"of": "nobody"}},
        directions={MARKUP: "min"},
    )
