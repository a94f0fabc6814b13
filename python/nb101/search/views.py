"""What notebooks show of a trace and of a comparison: a few lines, and the cell that was found."""

from typing import TYPE_CHECKING

from nb101.plain import counted
from nb101.search.searcher import registry
from nb101.table.views import facts, page

if TYPE_CHECKING:
    from nb101.search.folder import Comparison
    from nb101.search.trace import Trace


def trace_html(trace: "Trace") -> str:
    """Say what a search came to, and draw the cell that it ends with."""
    rows = [("asked", counted(len(trace), "query", "queries"))]
    cell = trace.best_cell
    if len(trace) and trace.hypervolume is not None and trace.igd_plus is not None:
        cells = len(set(trace.cell_ids[trace.front].tolist()))
        cell = None
        rows += [
            ("simulated time", f"{trace.seconds[-1]:,.0f} s"),
            ("objectives", ", ".join(trace.objectives)),
            ("ends with", f"a front of {counted(cells, 'cell')}"),
            ("hypervolume", f"{100 * trace.hypervolume[-1]:.2f} % of the exact front's"),
            ("IGD+", f"{trace.igd_plus[-1]:.4f}"),
        ]
    elif len(trace):
        name = f"cell {trace.best_cell_ids[-1]}"
        rows += [
            ("simulated time", f"{trace.seconds[-1]:,.0f} s"),
            ("ends with", name if cell is None else f"{name}, {cell.hash}"),
            ("its validation accuracy", f"{100 * trace.best_validation[-1]:.2f} %"),
            ("regret", f"{100 * trace.final_regret:.3f} points of mean test accuracy"),
        ]
    title = f"Search by {_title(str(trace.about.get('searcher', '')))}"
    kind = _kind(str(trace.about.get("kind", "unknown")), trace.predicted)
    return page(title, kind, facts(rows), *([] if cell is None else [cell]))


def comparison_html(comparison: "Comparison") -> str:
    """Say what is compared and how far it has come, and draw the best cell that was found."""
    table = comparison.plan.table
    limits = ", ".join(f"{value:,.0f} {name}" for name, value in comparison.plan.limits.items())
    rows = [
        (_title(name), f"{comparison.runs.get(name, 0):,} of {counted(count, 'run')}")
        for name, count in comparison.asked.items()
    ]
    if comparison.plan.objectives:
        rows.append(("objectives", ", ".join(comparison.plan.objectives)))
    rows += [("each to", limits.replace("_", " ")), ("folder", str(comparison.folder))]
    found = comparison.nearest()
    cells = []
    if found is not None:
        cell_id, regret = found
        cells = [comparison.space[cell_id]]
        words = f"cell {cell_id}, {cells[0].hash}, regret {100 * regret:.3f} points"
        rows.append(("nearest to the best", words))
    kind = _kind(str(table["kind"]), table["predicted"])
    return page("Comparison of searches", kind, facts(rows), *cells)


def _title(name: str) -> str:
    entries = registry()
    return entries[name].title if name in entries else name


def _kind(kind: str, mark: str) -> str:
    """Return the kind whose badge is the mark."""
    return {"predicted": "predicted", "partly predicted": "mixed"}.get(mark, kind)
