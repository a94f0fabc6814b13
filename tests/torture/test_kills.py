"""Some of the kills of `make torture`."""

import os

import pytest

from torture import kills


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_what_is_killed_comes_to_the_same() -> None:
    found = kills.run(seed=1, kills=5)
    assert found["failures"] == []
    assert found["tried"] == found["repaired"] >= 5
