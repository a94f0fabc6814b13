"""The list of slow tests names tests that are there: others would be left out of nothing."""

from pathlib import Path

import timing

ROOT = Path(__file__).parents[1]


def test_all_that_are_listed_exist() -> None:
    listed = timing.LISTED.read_text().splitlines()
    assert len(listed) > 100
    assert listed == sorted(set(listed))
    sources: dict[str, str] = {}
    for name in listed:
        file, *_, test = name.split("[")[0].split("::")
        source = sources.setdefault(file, (ROOT / file).read_text())
        assert f"def {test}(" in source, name
