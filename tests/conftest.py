"""What all tests share: the space and its cells, golden values, and where shared data is."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import nb101

pytest_plugins = ["timing", "doctest_files"]

# Examples are slow on a busy machine without being wrong.
settings.register_profile(
    "nb101",
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("nb101")

TESTS = Path(__file__).parent
# Programs that tests run: they cannot be imported.
collect_ignore = ["compat_programs"]
if os.name != "posix":
    # Their processes are watched over pipes, signals and limits that are not there.
    collect_ignore += ["torture", "test_torture.py"]


@pytest.fixture(scope="session")
def space() -> nb101.SearchSpace:
    return nb101.SearchSpace()


@pytest.fixture(scope="session")
def cells(space: nb101.SearchSpace) -> nb101.Cells:
    return space.enumerate()


@pytest.fixture(scope="session")
def hashes(cells: nb101.Cells) -> Any:
    return cells.hashes()


@pytest.fixture(scope="session")
def golden() -> dict[str, Any]:
    """Figures of the paper and of genuine records."""
    facts: dict[str, Any] = json.loads((TESTS / "golden" / "facts.json").read_text())
    return facts


@pytest.fixture
def threads() -> Iterator[None]:
    """Let a test choose the number of threads, and take that back."""
    yield
    nb101.set_threads(None)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Directory of the shared data: $NB101_TEST_DATA, or ../shared/data from the repository."""
    given = os.environ.get("NB101_TEST_DATA")
    if given:
        assert Path(given).is_dir(), f"NB101_TEST_DATA is {given!r}, which is no directory"
        return Path(given)
    found = TESTS.parent.parent / "shared" / "data"
    if not found.is_dir():
        pytest.skip("no shared data: neither $NB101_TEST_DATA nor ../shared/data")
    return found
