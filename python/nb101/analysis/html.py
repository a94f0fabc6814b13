"""Pages that need nothing else: how templates are filled in, and the drawings that they hold.

Templates are Jinja's, with the pieces and the look that all pages share beside them, in
``templates``. A value is text wherever it is put: printable, escaped, and with no line end between
a number and its per cent; what is HTML already is `Markup`.

In templates a line that is indented goes on the one before: directly if it begins with a tag or a
brace, and after a blank otherwise. So they can be laid out, and elements still stand side by side.
"""

import html
import io
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nb101.analysis.figures import FAINT, INK, render
from nb101.errors import MissingExtraError
from nb101.plain import counted, printable_lines

try:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from jinja2.ext import Extension
    from markupsafe import Markup as Markup
except ModuleNotFoundError as error:
    if error.name not in ("jinja2", "markupsafe"):
        raise  # One that is there, and lacks a part of itself.
    raise MissingExtraError(
        "a page needs Jinja: pip install 'nb101[report]'", name=error.name
    ) from error

if TYPE_CHECKING:
    from nb101.space.search_space import SearchSpace

TEMPLATES = Path(__file__).parent / "templates"
"""The templates that all pages share."""


class _Folded(Extension):
    """Joins the lines of templates where they are indented."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        if name is None or not name.endswith(".j2"):
            return source
        return re.sub(r"\n +", " ", re.sub(r"\n +(?=[<{])", "", source))


def environment(folder: Path = TEMPLATES) -> Environment:
    """Return what fills in the templates of a folder, and those that all pages share."""
    made = Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        extensions=[_Folded],
        autoescape=True,
        undefined=StrictUndefined,
        finalize=text,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"counted": counted, "formatted": formatted, "number": number}
    return made


def make_page(template: Path, **values: Any) -> str:
    """Fill in a template.

    Parameters
    ----------
    template
        Its file; it extends ``page.html.j2``.
    values
        What it is filled in with, by name.
    """
    return environment(template.parent).get_template(template.name).render(values)


def text(value: Any) -> Markup:
    """Write a value as text of a page, where no line ends between a number and its per cent."""
    if isinstance(value, Markup):
        return value
    escaped = html.escape(printable_lines(str(value)))
    return Markup(re.sub(r"(?<=[0-9]) %", "\N{NO-BREAK SPACE}%", escaped))


def inline_svg(figure: Any, name: str, label: str) -> Markup:
    """Return a figure as an element of a page, in the colours of its text.

    Parameters
    ----------
    figure
        Matplotlib's.
    name
        A name of its own on the page.
    label
        What it is, for those who do not see it.
    """
    buffer = io.BytesIO()
    render(figure, buffer, "svg", transparent=True)
    element = buffer.getvalue().decode()
    element = element[element.index("<svg") :]
    # Ids are of one page now: figures must not take each other's.
    element = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", element)
    head = rf'<svg viewBox="\1" role="img" aria-label="{text(label)}">'
    element = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', head, element, count=1)
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    return Markup(element.replace(INK, "currentColor").replace(FAINT, "var(--line)").strip())


class DrawnCell(NamedTuple):
    """A cell of a page."""

    picture: Markup
    what: str
    """What the cell is."""
    label: str
    """Its id, its hash, and what else is said of it."""
    told: bool
    """Whether something is: a number, which may be predicted."""


def draw_cells(space: "SearchSpace", cells: dict[int, tuple[str, str]]) -> list[DrawnCell]:
    """Draw cells beside each other.

    Parameters
    ----------
    space
        What ids are of.
    cells
        By id what a cell is, and what is to be said of it after its id and hash.
    """
    drawn = []
    for cell_id, (what, more) in cells.items():
        cell = space[cell_id]
        label = f"cell {cell_id} ({cell.hash[:8]}){more}"
        picture = re.sub(r' (width|height)="([0-9.]+)"', _smaller, cell.to_svg(), count=2)
        drawn.append(DrawnCell(Markup(picture), what[:1].upper() + what[1:], label, bool(more)))
    return drawn


def _smaller(size: re.Match[str]) -> str:
    # Equal boxes have one size in all cells, and four of most fit beside each other.
    return f' {size[1]}="{0.7 * float(size[2]):.0f}"'


def in_words(value: Any) -> str:
    """Write what JSON can hold as a line of text."""
    if isinstance(value, dict):
        inner = [f"{key}: {in_words(each)}" for key, each in value.items()]
        nested = any(isinstance(each, dict) for each in value.values())
        return ("; " if nested else ", ").join(inner).replace("_", " ")
    if isinstance(value, list):
        return ", ".join(map(in_words, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def number(value: Any, name: str) -> str:
    """Write a value of a column or fact of this name."""
    if value is None:
        return ""
    if isinstance(value, (int, np.integer)):
        return str(value) if re.search(r"\bid\b|_id$|epochs\b", name) else f"{value:,}"
    if isinstance(value, float):
        if math.isnan(value):
            return "not known"
        if "(%)" in name or "points" in name:
            return f"{value:,.2f}".replace("-", "\N{MINUS SIGN}")
        if "share" in name or ("accuracy" in name and 0 <= value <= 1) or name in ("top", "better"):
            few = 0 < abs(value) < 0.0001
            return f"{100 * value:.2g} %" if few else f"{100 * value:.2f} %"
        if value.is_integer() and abs(value) >= 100:
            return f"{value:,.0f}"
        return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.4f}"
    return str(value)


def formatted(value: float, form: str) -> Markup:
    """Write a number in a format, ``"%"`` for a share, ``"pp"`` or ``"change"`` for a change.

    It stands in a cell of a table, where no line ends: a blank stays one.
    """
    if math.isnan(value):
        return Markup("not known")
    if form == "%":
        return Markup(f"{100 * value:.2f} %")
    if form in ("pp", "change"):
        words = f"{100 * value:+.2f} {'points' if form == 'pp' else '%'}"
        return Markup(words.replace("-", "\N{MINUS SIGN}"))
    return Markup(f"{value:{form}}")
