"""The explorer: the whole space in a browser, from one command or in a notebook.

``nb101 explore`` serves a page on this machine, and ``nb101 explore -o DIR`` writes it as a folder
of files. ``nb101.explore(table)`` shows it in Jupyter, VS Code and marimo, where it needs
anywidget: ``pip install 'nb101[notebook]'``.

>>> import nb101
>>> view = nb101.explore(nb101.load_table())
>>> view.highlight([0, 25])
>>> view.select(["28cfc787", 25])
>>> view.selection
<Cells: 2 of 4 to 7 vertices, 4 to 9 edges>

The package is the function: what is imported as ``nb101.explore`` can be called.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nb101._base.extras import need_notebook

if TYPE_CHECKING:
    from nb101.explore.widget import View
    from nb101.explore.widget import View as _View
    from nb101.table.table import Table

__all__ = ["View"]

_Path = str | os.PathLike[str]


class _Explore(ModuleType):
    """The package, which can be called: its name is that of the function people look for."""

    if TYPE_CHECKING:
        View: type[_View]

    def __call__(
        self,
        table: "Table | _Path | None" = None,
        *,
        columns: Mapping[str, Any] | None = None,
        traces: "_Path | Sequence[_Path]" = (),
        campaign: "_Path | None" = None,
        runs: int = 20,
        height: int = 640,
    ) -> "_View":
        """Show a table in a notebook: every cell a point, filters, neighbours, searches.

        Parameters
        ----------
        table
            A `Table`, or what `nb101.load_table` takes; by default the predictions that nb101
            carries.
        columns
            Columns of your own: numbers by name, shape ``(n_cells,)``, in the order of
            `Table.cell_ids`; NaN where there is none.
        traces
            Folders of ``nb101 search compare``, whose searches are replayed.
        campaign
            The folder of a campaign, which is followed.
        runs
            How many runs of each algorithm of `traces` there are to be at most.
        height
            Pixels.

        Returns
        -------
        View
            A notebook shows it if it is the last value of a cell.

        Raises
        ------
        MissingExtraError
            If anywidget is not installed.
        MissingFileError
            If this installation has no page; the message says how to get it.
        ArgumentError
            If the table has more than 2,000,000 cells, or a column does not fit it.
        SearchError, CampaignError
            If a folder has no traces or no campaign, or of another space.
        """
        need_notebook("a view in a notebook")
        from nb101.explore.widget import make_view

        return make_view(table, columns, traces, campaign, runs=runs, height=height)

    def __getattr__(self, name: str) -> Any:
        """Import the widget when it is asked for: it needs anywidget."""
        if name != "View":
            raise AttributeError(f"module 'nb101.explore' has no attribute {name!r}")
        need_notebook("nb101.explore.View")
        from nb101.explore.widget import View

        return View


def __dir__() -> list[str]:
    return sorted(__all__)


_package = sys.modules[__name__]
_package.__class__ = _Explore
assert isinstance(_package, _Explore)
itself = _package
"""The package, as type checkers are to know ``nb101.explore``."""
