"""Drawing of a figure by its name, and its file."""

import os
from typing import TYPE_CHECKING, Any, overload

from nb101._base.extras import need_report
from nb101.analysis.figures.catalog import find
from nb101.analysis.figures.registry import Figure
from nb101.analysis.figures.style import STYLE, VERMILLION
from nb101.analysis.study import Study
from nb101.errors import ArgumentTypeError
from nb101.table.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nb101.analysis.drawing import Drawing


@overload
def draw(
    table: "Table | Study | str",
    name: "str | Table | Study",
    ax: None = None,
    *,
    epochs: int | None = None,
) -> "Drawing": ...
@overload
def draw(
    table: "Table | Study | str",
    name: "str | Table | Study",
    ax: "Axes",
    *,
    epochs: int | None = None,
) -> "Axes": ...
def draw(
    table: "Table | Study | str",
    name: "str | Table | Study",
    ax: "Axes | None" = None,
    *,
    epochs: int | None = None,
) -> "Drawing | Axes":
    """Draw a figure; a notebook shows it.

    Parameters
    ----------
    table
        A table, or the `Study` of one, which keeps what it has computed for the next figure.
    name
        One of `FIGURES`. The two may come in either order.
    ax
        Axes to draw on; those of a new figure if not given. The style is that of `STYLE`.
    epochs
        The budget, the largest by default; that of the study if `table` is one.

    Returns
    -------
    The figure, a `matplotlib.figure.Figure` of no backend: ``figure.savefig("ops.png")``,
    ``figure.axes``. The axes, if these were given.

    Raises
    ------
    UnknownNameError
        If there is no such figure.
    DatasetError, MissingRunError
        If the table lacks what it takes.
    MissingExtraError
        If matplotlib is not installed: ``pip install 'nb101[report]'``.
    """
    need_report("a figure")
    import matplotlib

    from nb101.analysis.drawing import Drawing

    found, study = _figure_and_study(table, name, epochs)
    with matplotlib.rc_context(STYLE):
        title = f"{found.title}, {study.mark}" if study.mark else found.title
        target = Drawing(label=title).add_subplot() if ax is None else ax
        found.draw(target, study)
        target.set_title(found.title)
        target.set_title(study.mark, loc="right", color=VERMILLION, fontsize=9)
    if ax is not None:
        return ax
    figure: Drawing = target.figure  # type: ignore[assignment]
    return figure


def _figure_and_study(
    table: "Table | Study | str", name: "str | Table | Study", epochs: int | None
) -> tuple[Figure, Study]:
    if isinstance(table, str):
        table, name = name, table
    if not isinstance(name, str) or not isinstance(table, (Table, Study)):
        raise ArgumentTypeError(
            "a figure is drawn of a table, by its name: draw(table, 'pareto-time'), not of "
            f"{type(table).__name__} and {type(name).__name__}",
            field="table",
        )
    found = find(name)
    return found, table if isinstance(table, Study) else Study(table, epochs)


def save(
    table: "Table | Study | str",
    name: "str | Table | Study",
    path: str | os.PathLike[str],
    *,
    epochs: int | None = None,
    format: str | None = None,  # noqa: A002
) -> None:
    """Draw a figure and write it to a file, which appears whole or not at all.

    Parameters
    ----------
    table, name, epochs
        As for `draw`.
    path
        The file; ``.png``, ``.svg`` or ``.pdf``.
    format
        ``"png"``, ``"svg"`` or ``"pdf"``; by the ending of `path` if not given.

    Raises
    ------
    UnknownNameError
        If there is no such figure.
    ArgumentError
        If there is no such format.
    DatasetError, MissingRunError
        If the table lacks what it takes.
    MissingExtraError
        If matplotlib is not installed: ``pip install 'nb101[report]'``.
    OSError
        If the file cannot be written.
    """
    from nb101._base.files import atomic

    find(table if isinstance(table, str) else name)
    kind = figure_format(path, format)
    figure = draw(table, name, epochs=epochs)
    with atomic(path) as file:
        render(figure, file, kind)


def figure_format(path: str | os.PathLike[str], format: str | None = None) -> str:  # noqa: A002
    """Return the format of a figure's file: as given, or by its ending."""
    from nb101._base import files

    return files.choose_format(path, format, {".png": "png", ".svg": "svg", ".pdf": "pdf"})


def render(figure: Any, file: Any, kind: str, *, transparent: bool = False) -> None:
    """Write a figure to an open binary file, the same bytes each time."""
    import matplotlib

    # Dates would make equal figures different files.
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    # In SVG only what has thousands of parts is an image, and pages hold many of them.
    dpi = 130 if kind == "svg" else STYLE["savefig.dpi"]
    with matplotlib.rc_context(STYLE):
        figure.savefig(file, format=kind, dpi=dpi, metadata=metadata, transparent=transparent)
