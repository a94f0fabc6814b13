"""A short part of `make torture`: nothing wrong, no crash, no hang."""

import importlib
import os
from typing import Any

import pytest

from torture import common
from torture.__main__ import KINDS, exists, make_batch

# The other kinds have short tests of their own.
SHORT = {"forks": 24, "memory": 15, "fuzz_python": 100}


@pytest.mark.skipif(os.name != "posix", reason="needs fork, signals and limits of memory")
@pytest.mark.parametrize("kind", SHORT)
def test_a_short_part(kind: str) -> None:
    counts = make_batch(kind, 1, SHORT[kind])
    assert sum(count.tried for count in counts.values()) > SHORT[kind] // 2
    assert [failure for count in counts.values() for failure in count.failures] == []


def test_every_kind_says_what_it_does() -> None:
    for kind in filter(exists, KINDS):
        module = importlib.import_module(f"torture.{kind}")
        assert module.__doc__
        assert callable(module.run)


def test_parsers_take_whole_examples() -> None:
    parsers = importlib.import_module("torture.parsers")
    found = {
        name: [parsers.attempt(name, example)[0] for example in parser.examples()]
        for name, parser in parsers.PARSERS.items()
    }
    assert {name: set(outcomes) for name, outcomes in found.items()} == {
        name: {"unchanged"} for name in parsers.PARSERS
    }
    assert found["pickle of images"] == ["unchanged"] * 3


def die(trial: Any) -> object:
    """Do in a child what a trial says."""
    match trial:
        case "signal":
            os.abort()
        case "raise":
            raise KeyError("no answer")
        case "endless":
            while True:
                pass
        case "large":
            return "wrong" if bytearray(1 << 30) else "refused"
    return ("refused", "as it should")


@pytest.mark.skipif(os.name != "posix", reason="needs signals and limits of memory")
def test_trials_survive_what_they_do() -> None:
    each = ["good", "signal", "raise", "endless", "large", "good"]
    found = list(common.trials("test_torture:die", each, seconds=2.0, megabytes=200))
    outcomes = [outcome for _, outcome, _ in found]
    assert [trial for trial, _, _ in found] == each
    assert outcomes == ["refused", "crash", "crash", "hang", "hang", "refused"]
    assert found[1][2] == "ended with code -6"
    assert "KeyError" in found[2][2]


def test_counts_add_up() -> None:
    count = common.Count()
    count.add("refused")
    count.add("hang", "trial 3")
    count += common.Count.of(count.as_dict())
    assert (count.tried, count.refused, count.hang, count.bad) == (4, 2, 2, 2)
    assert count.failures == ["hang: trial 3"] * 2
    with pytest.raises(ValueError, match="another number"):
        common.Count.of({"tried": 2, "refused": 1})
    with pytest.raises(ValueError, match="no outcome"):
        count.add("tried")
    several = common.read_counts("damage", {"a": {"tried": 1, "wrong": 1}, "b": {"tried": 0}})
    assert list(several) == ["damage: a", "damage: b"]
