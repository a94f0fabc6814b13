"""What examples in docstrings ask for: small official files, as if they had been fetched."""

from pathlib import Path

import pytest

from stand_ins import write_official_files


@pytest.fixture(autouse=True)
def official_files(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Give an example that names an official file a folder with both, and a cache."""
    if not isinstance(request.node, pytest.DoctestItem):
        return
    examples = request.node.dtest.examples if request.node.dtest else []
    if any("official" in each.source or ".tfrecord" in each.source for each in examples):
        folder = tmp_path_factory.mktemp("doctest")
        monkeypatch.chdir(folder)
        monkeypatch.setenv("NB101_CACHE", str(folder / "cache"))
        Path("cache").mkdir()
        write_official_files(folder)
