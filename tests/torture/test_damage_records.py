"""A short part of the damage that `make torture` does to ledgers, traces, checkpoints and plans."""

from torture import damage_records


def test_damage_is_noticed() -> None:
    found = damage_records.run(seed=1, n=33)
    assert found["failures"] == []
    assert found["tried"] == found["refused"] + found["repaired"] + found["unchanged"] > 25
    assert found["refused"] > 10
    assert found["repaired"] > 1
