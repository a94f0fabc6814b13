"""What notebooks show of a trace and of a comparison: a few lines, and the cell that was found."""

from typing import TYPE_CHECKING, Any

from nb101.analysis.html import marked, text
from nb101.draw import to_svg
from nb101.plain import counted
from nb101.search.searcher import registry

if TYPE_CHECKING:
    from nb101.cell import Cell
    from nb101.search.comparison import Comparison
    from nb101.search.trace import Trace


def trace_html(trace: "Trace") -> str:
    """Say what a search came to, and draw the cell that it ends with."""
    queries = counted(len(trace), "query", "queries")
    rows: dict[str, Any] = {
        "search": _title(str(trace.about.get("searcher", ""))),
        "asked": queries,
    }
    cell = trace.best_cell
    if len(trace):
        rows["simulated time"] = f"{trace.seconds[-1]:,.0f} s"
        name = f"cell {trace.best_cell_ids[-1]}"
        rows["ends with"] = name if cell is None else f"{name}, {cell.hash}"
        rows["its validation accuracy"] = f"{100 * trace.best_validation[-1]:.2f} %"
        rows["regret"] = f"{100 * trace.final_regret:.3f} points of mean test accuracy"
    return _view(rows, cell, trace.predicted)


def comparison_html(comparison: "Comparison") -> str:
    """Say what is compared and how far it has come."""
    limits = ", ".join(f"{value:,.0f} {name}" for name, value in comparison.plan.limits.items())
    rows: dict[str, Any] = {
        _title(name): f"{comparison.runs.get(name, 0):,} of {counted(count, 'run')}"
        for name, count in comparison.asked.items()
    }
    rows["each to"] = limits.replace("_", " ")
    rows["folder"] = comparison.folder
    found = comparison.nearest()
    cell = None
    if found is not None:
        cell_id, regret = found
        cell = comparison.space[cell_id]
        rows["nearest to the best"] = (
            f"cell {cell_id}, {cell.hash}, regret {100 * regret:.3f} points"
        )
    return _view(rows, cell, comparison.plan.table["predicted"])


def _title(name: str) -> str:
    entries = registry()
    return entries[name].title if name in entries else name


def _view(rows: dict[str, Any], cell: "Cell | None", mark: str) -> str:
    lines = "".join(
        f'<tr><th style="text-align: left">{text(name)}</th>'
        f'<td style="text-align: left">{text(value)}</td></tr>'
        for name, value in rows.items()
    )
    said = f"<p>{marked(mark)}</p>" if mark else ""
    drawn = f"<div>{to_svg(cell)}</div>" if cell is not None else ""
    inner = f"<div>{said}<table>{lines}</table></div>{drawn}"
    return f'<div style="display: flex; flex-wrap: wrap; gap: 2em">{inner}</div>'
