"""The page of a report: one HTML file that needs nothing else."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nb101.analysis import paper
from nb101.analysis.common import cell_values, in_epochs, rows_of
from nb101.analysis.figures import FIGURES, draw
from nb101.analysis.findings import Finding
from nb101.analysis.html import (
    TEMPLATES,
    DrawnCell,
    Markup,
    draw_cells,
    in_words,
    inline_svg,
    make_page,
)
from nb101.analysis.parts import Part
from nb101.analysis.study import Study
from nb101.plain import counted
from nb101.space.default import default_space
from nb101.table import recipes


def svg(name: str, study: Study) -> Markup:
    """Draw a figure as an element of a page, in the colours of its text."""
    return inline_svg(draw(study, name), name, FIGURES[name].title)


def page_of(
    study: Study,
    about: dict[str, Any],
    found: Sequence[Finding],
    parts: Sequence[Part],
    pictures: Mapping[str, Markup],
) -> str:
    """Return the page of a report.

    Parameters
    ----------
    study
        What is computed of the table.
    about
        What is known of the table.
    found
        What the page opens with.
    parts
        What it consists of.
    pictures
        Figures by their names; those of parts that are not here are left out.
    """
    sections = [("findings", "Findings"), *((part.name, part.title) for part in parts)]
    return make_page(
        TEMPLATES / "report.html.j2",
        about=about,
        citation=paper.CITATION,
        drawn=lambda cells: _drawn(study, cells),
        figures=FIGURES,
        found=found,
        mark=study.mark,
        named=_named(found),
        parts=parts,
        pictures=pictures,
        provenance=_provenance(about),
        reserves=[study.apart] if study.apart else study.reserves,
        sections=[*sections, ("provenance", "Provenance")],
        subject=_subject(about),
        title=title_of(study),
    )


def title_of(study: Study) -> str:
    """Title a page by what its table is: NAS-Bench-101 only where recipe and space are its."""
    images = recipes.images_of(study.table.provenance)
    if study.apart and images:
        return f"Cells trained on {images}: what they look like"
    usual = not study.apart and study.table.space == default_space()
    return f"{'NAS-Bench-101' if usual else 'A space of cells'}: what it looks like"


def _subject(about: dict[str, Any]) -> str:
    cells, whole = about["cells"], about["cells_of_space"]
    *others, last = map(int, about["budgets"])
    budgets = f"{', '.join(map(str, others))} and {in_epochs(last)}" if others else in_epochs(last)
    which = f"all {counted(cells, 'cell')}" if cells == whole else f"{cells:,} of {whole:,} cells"
    words = f"A table of {which} of its space at {budgets}. "
    if others:
        words += f"Where no other budget is named, numbers are of {in_epochs(about['epochs'])}. "
    return words + "Accuracies are in per cent, their differences in percentage points."


def _named(found: Sequence[Finding]) -> dict[str, int]:
    """Return the cells that findings name: ids, by all that they are."""
    cells: dict[int, list[str]] = {}
    for each in found:
        for what, cell_id in each.cells.items():
            cells.setdefault(cell_id, []).append(what)
    return {", ".join(dict.fromkeys(words)): cell_id for cell_id, words in cells.items()}


def _drawn(study: Study, cells: dict[str, int]) -> list[DrawnCell]:
    """Draw cells, with their hash and accuracy below."""
    captions: dict[int, tuple[str, str]] = {}
    if not cells:
        return draw_cells(study.table.space, captions)
    values = cell_values(study.table, study.final, study.epochs)
    rows = rows_of(study.table, np.array(list(cells.values())))
    for (what, cell_id), row in zip(cells.items(), rows.tolist(), strict=True):
        value = float(values[row]) if row >= 0 else math.nan
        known = (
            "" if math.isnan(value) else f", {100 * value:.2f} % {study.final.replace('_', ' ')}"
        )
        captions[cell_id] = (what, known)
    return draw_cells(study.table.space, captions)


def _provenance(about: dict[str, Any]) -> dict[str, str]:
    space = about["space"]
    share = about["cells"] / about["cells_of_space"]
    budgets = ", ".join(
        f"{in_epochs(int(epochs))} ({counted(found['runs'], 'run')} of "
        f"{counted(found['cells'], 'cell')})"
        for epochs, found in about["budgets"].items()
    )
    rows = {
        "cells": f"{about['cells']:,} of {about['cells_of_space']:,}"
        + ("" if share == 1 else f" ({100 * share:.3g} %)"),
        "space": f"up to {space['max_vertices']} vertices, {space['max_edges']} edges; "
        f"{', '.join(space['ops'])}",
        "budgets": budgets,
    }
    for name, value in about["provenance"].items():
        words = in_words(value)
        rows[name.replace("_", " ")] = words if len(words) < 1000 else words[:997] + "..."
    return rows
