"""A short part of the damage that `make torture` does to images, official records and downloads."""

import pytest

from torture import damage_images


def test_damage_is_noticed() -> None:
    found = damage_images.run(seed=1, n=150)
    assert found["failures"] == []
    assert found["wrong"] == found["crash"] == found["hang"] == 0
    assert found["refused"] > 75
    assert found["repaired"] > 5
    assert found["uncovered"] > 1


def test_what_is_not_covered_is_said() -> None:
    assert set(damage_images.UNCOVERED) < set(damage_images.KINDS)
    # A cut between two records.
    whole, _ = damage_images._truth("records")
    length = int.from_bytes(whole[:8], "little") + 16
    assert damage_images.attempt(["records", "cut", length])[0] == "uncovered"
    assert damage_images.attempt(["records", "cut", length - 1])[0] == "refused"


@pytest.mark.parametrize("name", ["archive-batch", "archive-name", "idx-more", "records-length"])
def test_bombs_are_refused(name: str) -> None:
    assert damage_images.explode(name)[0] == "refused"
