"""The cell with the best mean of a metric, as tables and benchmarks answer."""

from typing import NamedTuple

from nb101.space.cell import Cell
from nb101.table.about import WithKind


class _Best(NamedTuple):
    cell_id: int
    value: float
    cell: Cell


class Best(WithKind, _Best):
    """A cell and its value of a metric.

    Attributes
    ----------
    cell_id, cell
        The cell.
    value
        Its value, in the unit of the metric.
    metric
        Name of the metric; beside the tuple, and no entry of it.
    """

    metric: str = "value"

    def _repr_html_(self) -> str:
        from nb101.table import views

        rows = [
            (self.metric.replace("_", " "), views.number(self.metric, self.value)),
            ("cell", str(self.cell_id)),
            ("hash", self.cell.hash),
        ]
        return views.page("Best cell", self.kind, views.facts(rows), self.cell)
