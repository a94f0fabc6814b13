"""What the base install does not bring, asked for before the work that needs it begins."""

import importlib.util
import sys
from collections.abc import Mapping

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


def _need(what: str, extra: str, libraries: Mapping[str, str]) -> None:
    for module, title in libraries.items():
        # What hides a module has put None in its place.
        there = sys.modules[module] if module in sys.modules else importlib.util.find_spec(module)
        if there is None:
            raise MissingExtraError(
                f"{what} needs {title}: pip install 'nb101[{extra}]'", name=module
            )
