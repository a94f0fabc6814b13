"""Pieces of the pages that this package writes: one look, and files that need nothing else."""

import html
import io
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101.analysis.figures import FAINT, INK, render
from nb101.plain import printable_lines

if TYPE_CHECKING:
    import pyarrow as pa

    from nb101.space.search_space import SearchSpace


def document(title: str, header: str, nav: str, body: str, footer: str) -> str:
    """Return a page of these parts, of which title and footer are plain text."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{text(title)}</title>
<style>{STYLE_SHEET}</style>
</head>
<body>
<header>
<h1>{text(title)}</h1>
{header}
</header>
{nav}
<main>
{body}
</main>
<footer><p>{text(footer)}</p></footer>
</body>
</html>
"""


def inline_svg(figure: Any, name: str, label: str) -> str:
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
    return element.replace(INK, "currentColor").replace(FAINT, "var(--line)").strip()


def banner(mark: str) -> str:
    """Say of a page that its table is predicted, by its `prediction_mark`."""
    if mark == "predicted":
        return (
            '<p class="banner"><strong>Predicted.</strong> No number of this table was measured by '
            "training: every accuracy and time below is a prediction or computed of predictions."
            "</p>"
        )
    if mark:
        return (
            '<p class="banner"><strong>Partly predicted.</strong> Some of the runs of this table '
            "were not measured but predicted.</p>"
        )
    return ""


def marked(mark: str) -> str:
    """Write a mark beside numbers; empty if they were measured."""
    return f'<strong class="mark">{text(mark.capitalize())}.</strong>' if mark else ""


def marked_list(mark: str) -> str:
    """Write a mark once, before a list of sentences; empty if their numbers were measured."""
    return f"<p>{marked(mark)} That goes for each of these findings:</p>" if mark else ""


def cell_pictures(space: "SearchSpace", cells: dict[int, tuple[str, str]], mark: str) -> str:
    """Draw cells beside each other.

    Parameters
    ----------
    space
        What ids are of.
    cells
        By id what a cell is, and what is to be said of it after its id and hash.
    mark
        Of what is said (`nb101.table.schema.prediction_mark`).
    """
    figures = []
    for cell_id, (what, more) in cells.items():
        cell = space[cell_id]
        label = f"cell {cell_id} ({cell.hash[:8]}){more}"
        kind = f" {marked(mark)}" if mark and more else ""
        words = f"<strong>{text(what[:1].upper() + what[1:])}</strong>: {text(label)}.{kind}"
        picture = re.sub(r' (width|height)="([0-9.]+)"', _smaller, cell.to_svg(), count=2)
        figures.append(f"<figure>{picture}<figcaption>{words}</figcaption></figure>")
    return f'<div class="cells">{"".join(figures)}</div>' if figures else ""


def _smaller(size: re.Match[str]) -> str:
    # Equal boxes have one size in all cells, and four of most fit beside each other.
    return f' {size[1]}="{0.7 * float(size[2]):.0f}"'


def caption(words: str, where: str, mark: str) -> str:
    """Write the caption of a figure of a table with this mark, and where else it is to be seen."""
    label = f"{marked(mark)} " if mark else ""
    return f"<figcaption>{label}{text(words)} <em>{where}</em></figcaption>"


def in_words(value: Any) -> str:
    """Write what JSON can hold as a line of text."""
    if isinstance(value, dict):
        inner = [f"{key}: {in_words(each)}" for key, each in value.items()]
        nested = any(isinstance(each, dict) for each in value.values())
        return ("; " if nested else ", ").join(inner).replace("_", " ")
    if isinstance(value, list):
        return ", ".join(map(in_words, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def description_list(rows: dict[str, Any], kind: str) -> str:
    """Lay out names and values, in the style of a kind: about or facts."""
    items = "".join(f"<dt>{text(key)}</dt><dd>{text(value)}</dd>" for key, value in rows.items())
    return f'<dl class="{kind}">{items}</dl>'


def rows_table(columns: "pa.Table") -> str:
    """Lay out columns as a table."""
    names = columns.column_names
    head = "".join(f"<th>{text(name.replace('_', ' '))}</th>" for name in names)
    lines = []
    for row in columns.to_pylist():
        cells = "".join(f"<td>{text(number(row[name], name))}</td>" for name in names)
        lines.append(f"<tr>{cells}</tr>")
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>{"".join(lines)}</table></div>'
    )


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


def text(value: Any) -> str:
    """Write a value as text of a page, where no line ends between a number and its per cent."""
    return re.sub(r"(?<=[0-9]) %", "\N{NO-BREAK SPACE}%", html.escape(printable_lines(str(value))))


STYLE_SHEET = """
:root { --page: #ffffff; --text: #26292e; --soft: #5c636e; --line: #d5dae1; --card: #f6f7f9;
  --link: #0b63a5; --warn: #b34700; --warn-back: #fff3e8; }
@media (prefers-color-scheme: dark) { :root { --page: #15181c; --text: #e4e7eb; --soft: #a3abb7;
  --line: #3a414b; --card: #1d2126; --link: #7cc0f0; --warn: #ffab70; --warn-back: #3a2415; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem 1.25rem 3rem; background: var(--page);
  color: var(--text); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 1rem 0; }
h2 { font-size: 1.25rem; margin: 0 0 .4rem; }
p { max-width: 48rem; margin: .5rem 0; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: .35rem 1rem; list-style: none; padding: .7rem 0;
  margin: 1rem 0 0; border-block: 1px solid var(--line); font-size: .9rem; }
section { padding: 1.6rem 0 1.2rem; border-bottom: 1px solid var(--line); }
.banner { background: var(--warn-back); color: var(--warn); border-left: 4px solid var(--warn);
  padding: .7rem 1rem; max-width: none; }
.mark { color: var(--warn); }
.missing { color: var(--soft); border-left: 3px solid var(--line); padding-left: .8rem;
  font-size: .92rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr));
  gap: 1.2rem; margin: 1rem 0; }
figure { margin: 0; padding: .9rem; max-width: 46rem; background: var(--card);
  border-radius: .5rem; }
figure svg { width: 100%; height: auto; display: block; color: var(--text); }
figcaption { font-size: .87rem; color: var(--soft); margin-top: .5rem; line-height: 1.45; }
.cells { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0; }
.cells figure { display: flex; flex-direction: column; justify-content: space-between;
  max-width: 100%; }
.cells figure svg { width: auto; max-width: 100%; margin: auto; }
.cells figcaption { width: 0; min-width: max(100%, 12rem); }
.findings { max-width: 48rem; padding-left: 1.2rem; }
.findings li { margin: .35rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .8rem 0;
  font-size: .92rem; }
dl.facts { grid-template-columns: minmax(0, max-content) max-content; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.facts dd { min-width: 0; max-width: 40rem; white-space: normal; }
.scroll { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .8rem .28rem 0; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); }
th:first-child, td:first-child { text-align: left; }
.compared tbody th, .compared tr th:first-child { font-weight: 400; color: var(--text);
  white-space: normal; max-width: 34rem; }
.words th, .words td { text-align: left; white-space: normal; vertical-align: top;
  max-width: 26rem; }
summary { cursor: pointer; color: var(--link); font-size: .92rem; }
.file { font-size: .85rem; color: var(--soft); }
footer { color: var(--soft); font-size: .85rem; padding-top: 1rem; }
@media (max-width: 34rem) { body { padding: .5rem .9rem 2rem; } figure { padding: .5rem; }
  dl, dl.facts { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .45rem; } }
@media print { nav, .file { display: none; } section { break-inside: avoid; } }
"""
