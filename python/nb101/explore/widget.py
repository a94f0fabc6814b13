"""The explorer in a notebook: a widget of anywidget, over the same content as the server's.

The page asks for what it needs by messages, ``{"type": "get", "path": ..., "id": n}``, and is
answered ``{"type": "data", "id": n}`` with a buffer, or ``{"type": "error", "id": n, "message":
...}``. What is selected, highlighted and shown is in traits, so that it outlives the page: a
notebook that is run again, or a second view, begins with it.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets

from nb101._base.checks import check_range, check_type
from nb101._base.runtime import describe_shortage, is_shortage
from nb101.datasets import load_table
from nb101.errors import ArgumentTypeError, MissingRunError, NB101Error
from nb101.explore import bundle
from nb101.explore.columns import Columns, columns_of
from nb101.explore.content import Content
from nb101.explore.live import LiveCampaign
from nb101.explore.manifest import describe
from nb101.explore.traces import TraceFolder
from nb101.plain import counted
from nb101.space.cells import Cells
from nb101.space.lookup import Ids
from nb101.table.table import Table

Rows = npt.NDArray[np.uint32]
Callback = Callable[[Ids], object]
LEAST_HEIGHT, MOST_HEIGHT = 240, 4000


class View(anywidget.AnyWidget):  # type: ignore[misc]  # It has no types.
    """A table in a notebook; `nb101.explore` makes one.

    Examples
    --------
    >>> import nb101
    >>> view = nb101.explore()
    >>> view.highlight(["28cfc787", 25])
    >>> view.select(["28cfc787", 25])
    >>> float(view.selection.parameters().mean())
    11520394.0
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    # Kernels give buffers as views of memory.
    _selection = traitlets.CBytes(b"").tag(sync=True)
    _highlight = traitlets.Bytes(b"").tag(sync=True)
    _select = traitlets.Bytes(b"").tag(sync=True)
    _select_count = traitlets.Int(0).tag(sync=True)
    _state = traitlets.Unicode("").tag(sync=True)
    height = traitlets.Int(640, min=LEAST_HEIGHT, max=MOST_HEIGHT).tag(sync=True)

    def __init__(self, content: Content, height: int = 640) -> None:
        script, style = (bundle.BUNDLE / name for name in (bundle.WIDGET, bundle.STYLE))
        bundle.check_bundle(script)
        super().__init__(
            height=height,
            _esm=script.read_text("utf-8"),
            _css=style.read_text("utf-8") if style.is_file() else "",
        )
        self._content = content
        self._callbacks: list[Callback] = []
        self.on_msg(self._answer)
        self.observe(self._tell, names="_selection")

    @property
    def table(self) -> Table:
        """The table that is shown."""
        return self._content.columns.table

    # What the page says

    @property
    def selected_ids(self) -> Ids:
        """Ids of the cells that are selected on the page, ascending; shape ``(n,)``, int64."""
        rows = np.frombuffer(self._selection, dtype="<u4")
        ids = self.table.cell_ids
        # A page may be of another moment than the table.
        chosen: Ids = ids[np.unique(rows[rows < len(ids)])]
        return chosen

    @property
    def selection(self) -> Cells:
        """The cells that are selected on the page, by ascending id."""
        return self.table.space[self.selected_ids]

    def observe_selection(self, callback: Callback) -> None:
        """Have a function called with the ids that are selected, whenever these have changed."""
        if not callable(callback):
            raise ArgumentTypeError(
                f"callback must be a function of ids, not {type(callback).__name__}",
                field="callback",
            )
        self._callbacks.append(callback)

    def unobserve_selection(self, callback: Callback) -> None:
        """Have it called no more."""
        if callback in self._callbacks:
            self._callbacks.remove(callback)

    def _tell(self, _change: object) -> None:
        for callback in list(self._callbacks):
            callback(self.selected_ids)

    # What the page is told

    def highlight(self, cells: Any = ()) -> None:
        """Mark cells on the page, in the place of those that were; none by default.

        Parameters
        ----------
        cells
            `Cells`, ids or hashes, or one of them.

        Raises
        ------
        CellIdError, OutOfSpaceError, UnknownHashError
            If one is none of the space.
        MissingRunError
            If the table does not have one.
        """
        self._highlight = self._rows(cells).tobytes()

    def select(self, cells: Any = ()) -> None:
        """Select cells on the page, in the place of those that were; arguments as `highlight`."""
        rows = self._rows(cells).tobytes()
        with self.hold_sync():
            self._select = rows
            self._selection = rows
            # The same once more is a change too.
            self._select_count += 1

    def _rows(self, cells: Any) -> Rows:
        """Return the rows of cells, ascending, each once."""
        table = self.table
        wanted = np.unique(np.atleast_1d(np.asarray(table.ids_of(cells), dtype=np.int64)))
        places = np.searchsorted(table.cell_ids, wanted)
        missing = np.append(table.cell_ids, -1)[places] != wanted
        if missing.any():
            first = int(wanted[missing][0])
            raise MissingRunError(f"the table has no run of cell {first}", field="cells")
        return places.astype("<u4")

    def _answer(self, _widget: object, message: Any, _buffers: object) -> None:
        """Answer what the page asks for."""
        if not isinstance(message, dict) or message.get("type") != "get":
            return
        about = {"id": message.get("id")}
        try:
            data = self._content.get(str(message.get("path")))
        except NB101Error as error:
            self.send({"type": "error", "message": str(error)} | about)
        except Exception as error:
            text = describe_shortage(error) if is_shortage(error) else "a defect of nb101"
            self.send({"type": "error", "message": text} | about)
            raise
        else:
            if data is None:
                self.send({"type": "error", "message": "there is no such file"} | about)
            else:
                self.send({"type": "data"} | about, buffers=[data])

    def __repr__(self) -> str:
        chosen = len(self.selected_ids)
        return f"<View of {self.table!r}: {counted(chosen, 'cell')} selected>"


def make_view(
    table: Any,
    columns: Mapping[str, Any] | None,
    traces: Any,
    campaign: Any,
    *,
    runs: int,
    height: int,
) -> View:
    """Make what `nb101.explore` returns."""
    check_range("height", height, LEAST_HEIGHT, MOST_HEIGHT)
    check_range("runs", runs, 1, 10**6)
    followed = None if campaign is None else LiveCampaign(campaign)
    about = None
    if table is None and followed is not None and (own := followed.table()) is not None:
        table, about = own, followed.about()
    elif table is None or isinstance(table, (str, os.PathLike)):
        name = None if table is None else os.fspath(table)
        table = load_table(name)
        about = describe(table, name)
    check_type("table", table, Table)
    listed: Columns = columns_of(table)
    if columns is not None:
        listed = listed.with_own(columns)
    folders: Sequence[Any] = [traces] if isinstance(traces, (str, os.PathLike)) else traces
    found = [TraceFolder(path, table, runs, number) for number, path in enumerate(folders)]
    return View(Content(listed, about, traces=found, campaign=followed), height)
