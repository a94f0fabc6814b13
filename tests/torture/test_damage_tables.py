"""A short part of the damage that `make torture` does to tables and predictors."""

from torture import damage_tables


def test_damage_is_refused() -> None:
    found = damage_tables.run(seed=1, n=40)
    assert set(found) == set(damage_tables.KINDS)
    for kind, result in found.items():
        assert result["failures"] == [], kind
        assert result["tried"] == result["refused"] + result["unchanged"] > 0, kind
        assert result["refused"] > 0, kind
