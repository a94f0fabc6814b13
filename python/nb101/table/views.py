"""What notebooks show of numbers: the pieces of `nb101.space.views`, and of which kind they are.

Numbers that were predicted have a badge that says so.
"""

from collections.abc import Mapping
from typing import Any

from nb101.space.cell import Cell
from nb101.space.views import MOST_ROWS, QUIET, drawing, escape, facts, frame, grid, number
from nb101.table.about import kind_words, prediction_mark

__all__ = ["MOST_ROWS", "badge", "drawing", "escape", "facts", "grid", "number", "page"]

_BADGE = (
    "border-radius: 0.7em; padding: 0.05em 0.6em; font-size: 85%; border: 1px solid #E69F00; "
    "background: rgba(230, 159, 0, 0.22)"
)


def badge(kind: Mapping[str, Any] | str) -> str:
    """Say of which kind numbers are, by the kind or a table's provenance; predicted ones loudly."""
    provenance = {"kind": kind} if isinstance(kind, str) else kind
    mark = prediction_mark(provenance)
    if mark:
        # Plain where styles are dropped, too.
        return f'<strong style="{_BADGE}">{escape(mark)}</strong>'
    return f'<span style="{QUIET}">{escape(kind_words(provenance))}</span>'


def page(
    title: str, kind: Mapping[str, Any] | str | None, body: str, *cells: Cell, note: str = ""
) -> str:
    """Put a view together: title and badge above the body, and drawings beside it.

    Parameters
    ----------
    title
        A text, which is escaped.
    kind
        Of which kind numbers are, for `badge`; `None` if there are none.
    body, cells, note
        As for `nb101.space.views.frame`.
    """
    mark = "" if kind is None else f" {badge(kind)}"
    return frame(title, body, *cells, mark=mark, note=note)
