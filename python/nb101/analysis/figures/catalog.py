"""All figures, in the order of a report."""

from typing import Any

from nb101._base.checks import suggest
from nb101.analysis.figures import (
    correlations,
    costs,
    distributions,
    edits,
    locality,
    proxies,
    structure,
)
from nb101.analysis.figures.registry import Figure
from nb101.errors import UnknownNameError

FIGURES: dict[str, Figure] = {
    **distributions.FIGURES,
    **costs.FIGURES,
    **correlations.FIGURES,
    **edits.FIGURES,
    **structure.FIGURES,
    **locality.FIGURES,
    **proxies.FIGURES,
}
"""All figures by name."""


def find(name: Any) -> Figure:
    """Return the figure of a name.

    Raises
    ------
    UnknownNameError
        If there is none; the message has those that there are.
    """
    if not isinstance(name, str) or name not in FIGURES:
        raise UnknownNameError(
            f"no figure is called {name!r}; {suggest(str(name), FIGURES)}", field="name"
        )
    return FIGURES[name]
