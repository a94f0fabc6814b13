"""What notebooks show: short pieces of HTML that need nothing else.

Colours are those of the page around them, light or dark; styles stand in the elements, since many
pages drop style sheets.
"""

import math
import re
from collections.abc import Iterable, Sequence
from html import escape as escape_html
from typing import TYPE_CHECKING, Any

from nb101.plain import printable

if TYPE_CHECKING:
    from nb101.space.cell import Cell

MOST_ROWS = 8
"""Rows of a table that are shown; of the others their number is said."""
HEIGHT = 220.0
"""Pixels that a drawing is high at most."""

_LINE = "1px solid rgba(128, 128, 128, 0.45)"
QUIET = "opacity: 0.7"
_WIDTH = "34em"
_PLAIN = "border: none; background: none; color: inherit; font-size: inherit"


def escape(text: object) -> str:
    """Make a text fit for HTML, attributes too, and printable."""
    return escape_html(printable(str(text)))


def number(name: str, value: Any) -> str:
    """Write a value as suits its metric: accuracies with four digits, times in seconds."""
    if isinstance(value, (bool, str)) or name.endswith("id"):
        return str(value)
    if math.isnan(value):
        return "not known"
    if name.endswith("_time"):
        return f"{value:,.1f} s"
    if name.endswith(("_accuracy", "_spread", "_uncertainty")):
        return f"{value:.4f}"
    return f"{value:,.6g}" if float(value) != int(value) else f"{int(value):,}"


def facts(rows: Iterable[tuple[str, object]]) -> str:
    """Return a table of names and what they are; texts are escaped."""
    lines = [
        f'<tr style="{_PLAIN}"><th scope="row" style="{_PLAIN}; text-align: left; '
        f"font-weight: normal; padding: 0.1em 1.2em 0.1em 0; vertical-align: top; {QUIET}"
        f'">{escape(name)}</th><td style="{_PLAIN}; text-align: left; padding: 0.1em 0; '
        f'overflow-wrap: anywhere">{escape(value)}</td></tr>'
        for name, value in rows
    ]
    return _table(lines)


def grid(names: Sequence[str], rows: Sequence[Sequence[object]], total: int | None = None) -> str:
    """Return a table with a line for each row, and how many more there are if `total` says so."""
    cell = f"{_PLAIN}; text-align: right; padding: 0.15em 0.8em 0.15em 0; white-space: nowrap"
    head = "".join(
        f'<th scope="col" style="{cell}; border-bottom: {_LINE}">{escape(name)}</th>'
        for name in names
    )
    lines = [f'<tr style="{_PLAIN}">{head}</tr>']
    for row in rows:
        texts = "".join(f'<td style="{cell}">{escape(value)}</td>' for value in row)
        lines.append(f'<tr style="{_PLAIN}">{texts}</tr>')
    more = 0 if total is None else total - len(rows)
    note = f'<div style="{QUIET}">and {more:,} more</div>' if more > 0 else ""
    return _table(lines) + note


def drawing(cell: "Cell", caption: str | None = None, height: float = HEIGHT) -> str:
    """Return the drawing of a cell, no higher than `height` pixels, with a caption or its hash."""
    svg = cell._repr_svg_()
    found = re.search(r'width="([0-9.]+)" height="([0-9.]+)"', svg)
    if found is not None:
        size = [float(x) for x in found.groups()]
        scale = min(1.0, height / size[1])
        scaled = f'width="{size[0] * scale:.0f}" height="{size[1] * scale:.0f}"'
        svg = svg.replace(found.group(), scaled, 1)
    text = cell.hash[:8] if caption is None else caption
    return (
        f'<figure style="margin: 0; text-align: center">{svg}'
        f'<figcaption style="font-size: 85%; {QUIET}">{escape(text)}</figcaption></figure>'
    )


def frame(title: str, body: str, *cells: "Cell", mark: str = "", note: str = "") -> str:
    """Put a view together: title and mark above the body, and drawings beside it.

    Parameters
    ----------
    title
        A text, which is escaped.
    body
        HTML, as `facts` and `grid` return it.
    cells
        What is drawn beside it.
    mark
        HTML beside the title.
    note
        A text below the body.
    """
    head = f'<div style="margin-bottom: 0.4em"><strong>{escape(title)}</strong>{mark}</div>'
    below = f'<div style="{QUIET}">{escape(note)}</div>' if note else ""
    drawn = "".join(drawing(cell) for cell in cells)
    return (
        '<div style="display: flex; flex-wrap: wrap; gap: 1em 2em; align-items: flex-start; '
        f'color: inherit"><div style="flex: 0 1 {_WIDTH if cells else "100%"}; min-width: 0; '
        f'overflow-x: auto">{head}{body}{below}'
        f"</div>{drawn}</div>"
    )


def _table(lines: Sequence[str]) -> str:
    return (
        '<table style="border: none; border-collapse: collapse; margin: 0; color: inherit; '
        f'background: none">{"".join(lines)}</table>'
    )
