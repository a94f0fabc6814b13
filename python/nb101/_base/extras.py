"""What the base install does not bring, asked for before the work that needs it begins."""

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from nb101.errors import MissingExtraError

_REPORT = {"matplotlib": "matplotlib", "jinja2": "Jinja"}
"""Libraries of the extra ``report``, and their names."""
_NOTEBOOK = {"anywidget": "anywidget"}


def need_report(what: str) -> None:
    """See that the libraries of figures and pages are there, without importing them.

    Raises
    ------
    MissingExtraError
        If one is not installed; the message has the pip command.
    """
    _need(what, "report", _REPORT)


def need_notebook(what: str) -> None:
    """See that the library of widgets is there, without importing it; see `need_report`."""
    _need(what, "notebook", _NOTEBOOK)


@contextmanager
def importing(what: str, module: str, title: str, command: str) -> Iterator[None]:
    """Import a library within.

    Raises
    ------
    MissingExtraError
        If it is not installed, or something that it needs is not; the message says which, and has
        the command.
    """
    try:
        yield
    except MissingExtraError:
        raise
    except ModuleNotFoundError as error:
        own = error.name is None or error.name.partition(".")[0] == module.partition(".")[0]
        lacking = title if own else f"{title}, and that {error.name}"
        raise MissingExtraError(f"{what} needs {lacking}: {command}", name=error.name) from error


def _need(what: str, extra: str, libraries: Mapping[str, str]) -> None:
    for module, title in libraries.items():
        # What hides a module has put None in its place.
        there = sys.modules[module] if module in sys.modules else importlib.util.find_spec(module)
        if there is None:
            raise MissingExtraError(
                f"{what} needs {title}: pip install 'nb101[{extra}]'", name=module
            )
