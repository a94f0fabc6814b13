"""Progress on terminals and in notebooks."""

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from nb101._base import progress
from nb101._base.progress import duration, given_or_shown, show


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_silent_where_stderr_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with show("cells", 10) as advance:
        advance(5)
        advance(7, 20, "others")
    assert stream.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", None)
    with show("cells", 10) as advance:
        advance(5)


def test_a_terminal_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with show("cells", 10) as advance:
        advance(5)
        advance(7, 20, "others\x1b[31m")
    text = stream.getvalue()
    assert "others�[31m" in text
    assert "7/20" in text
    with show(unit="bytes") as advance:
        advance(5_000_000, 0, "downloading")
    assert "5.0/? MB" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")  # It has gone.


class Notebook:
    """What IPython has of a kernel: a shell, and displays that can be updated."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def get_ipython(self) -> Any:
        return SimpleNamespace(kernel=object())

    def display(self, what: str, display_id: bool) -> Any:
        assert display_id
        self.update(what)
        return self

    def update(self, what: str) -> None:
        self.shown.append(what)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    made = Notebook()
    monkeypatch.setitem(sys.modules, "IPython", made)
    display = SimpleNamespace(HTML=str, display=made.display)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(progress, "_PAUSE", 0.0)
    return made


def test_a_notebook_has_a_bar(notebook: Notebook) -> None:
    with show("a < b", 10) as advance:
        advance(5)
        advance(7, 1400, "others")
    assert notebook.shown == [
        'a &lt; b <progress value="0" max="10"></progress> 0 of 10',
        'a &lt; b <progress value="5" max="10"></progress> 5 of 10',
        'others <progress value="7" max="1400"></progress> 7 of 1,400',
        "<span></span>",
    ]
    notebook.shown.clear()
    with pytest.raises(ZeroDivisionError), show("bytes", unit="bytes") as advance:
        print(advance(5_000_000, 0), 1 / 0)
    assert notebook.shown[1:] == ["bytes 5.0 MB", "<span></span>"]


def test_calls_of_the_library_show_theirs_in_notebooks_alone(
    monkeypatch: pytest.MonkeyPatch, notebook: Notebook
) -> None:
    with given_or_shown(None, "searching", 3) as advance:
        advance(1, 3)
    assert "1 of 3" in notebook.shown[1]
    notebook.shown.clear()
    taken: list[tuple[int, int]] = []
    with given_or_shown(lambda done, total: taken.append((done, total)), "searching") as advance:
        advance(1, 3)
    assert (taken, notebook.shown) == ([(1, 3)], [])
    monkeypatch.delitem(sys.modules, "IPython")
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with given_or_shown(None, "searching", 3) as advance:
        advance(1, 3)
    assert stream.getvalue() == ""


def test_durations() -> None:
    assert [duration(x) for x in (0, 59.6, 3700, 90_000)] == [
        "0 s",
        "1 min",
        "1 h 1 min",
        "1 d 1 h",
    ]
