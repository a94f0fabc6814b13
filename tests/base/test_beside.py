"""Calls on another thread, and on none where there is none to have."""

import threading
from contextlib import closing
from functools import partial

import pytest

from nb101._base.beside import Beside, ahead


@pytest.fixture(params=["threads", "no threads"])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param == "threads":
        return True

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    return False


def test_a_call_comes_back(threads: bool) -> None:
    here = threading.get_ident()
    beside = Beside(lambda a, b: (a + b, threading.get_ident()), 3, 4)
    total, where = beside.result()
    assert total == 7
    assert (where != here) == threads


@pytest.mark.usefixtures("threads")
def test_an_error_comes_back() -> None:
    beside = Beside(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        beside.result()


@pytest.mark.parametrize("n", [0, 1, 2, 7])
@pytest.mark.usefixtures("threads")
def test_calls_are_made_in_order(n: int) -> None:
    made: list[int] = []

    def make(i: int) -> int:
        made.append(i)
        return i

    assert list(ahead(partial(make, i) for i in range(n))) == list(range(n))
    assert made == list(range(n))


def test_one_is_made_while_the_one_before_is_used() -> None:
    begun = threading.Event()

    def second() -> int:
        begun.set()
        return 2

    with closing(ahead([lambda: 1, second, lambda: 3])) as items:
        assert next(items) == 1
        assert begun.wait(10)


def test_errors_come_where_the_item_would() -> None:
    items = ahead([lambda: 1, lambda: 1 // 0, lambda: 3])
    assert next(items) == 1
    with pytest.raises(ZeroDivisionError):
        next(items)


def test_an_error_of_what_comes_next_does_not_stand_for_the_users() -> None:
    def use() -> None:
        with closing(ahead([lambda: 1, lambda: 1 // 0])) as items:
            assert next(items) == 1
            raise KeyError

    with pytest.raises(KeyError):
        use()


@pytest.mark.usefixtures("threads")
def test_waiting_says_nothing_of_errors() -> None:
    beside = Beside(lambda: 1 // 0)
    beside.wait()
    with pytest.raises(ZeroDivisionError):
        beside.result()
