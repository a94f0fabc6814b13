"""All that lies below ``data/``, by path: what the server and the notebook give a page.

Bytes are made when a path is first asked for, and kept, but for distances, of which there is one
for each cell.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101.explore.columns import Columns
from nb101.explore.encoding import plain, type_name
from nb101.explore.manifest import About, cell_words, column_path, describe, manifest, start
from nb101.explore.once import Once
from nb101.table.schema import Array

if TYPE_CHECKING:
    from nb101.explore.live import LiveCampaign
    from nb101.explore.traces import TraceFolder

MANIFEST = "manifest.json"
CAMPAIGN = "campaign.json"
_DISTANCES = re.compile(r"distances/(0|[1-9][0-9]{0,8})\.bin")


class Content:
    """What a page is given of a table.

    Parameters
    ----------
    columns
        Of the table.
    about
        How it is called; by its provenance and path if not given.
    traces
        Folders of comparisons.
    campaign
        A campaign that is followed.
    """

    def __init__(
        self,
        columns: Columns,
        about: About | None = None,
        *,
        traces: "Sequence[TraceFolder]" = (),
        campaign: "LiveCampaign | None" = None,
    ) -> None:
        self.columns = columns
        self._about = describe(columns.table) if about is None else about
        self._traces, self._campaign = traces, campaign
        self._made: dict[str, Once[bytes]] = {MANIFEST: Once(self._manifest)}
        self._cells = self._add_cells()
        for column in columns.values():
            path = f"{column_path(column)}.bin"
            self._made[path] = Once(partial(self._column, column.name))
        for folder in traces:
            for path, make in folder.files(columns.table).items():
                self._made[path] = Once(make)

    def get(self, path: str) -> bytes | None:
        """Return what lies at a path; None if nothing does.

        Raises
        ------
        NB101Error
            If it cannot be made: the message says why.
        """
        if path == CAMPAIGN and self._campaign is not None:
            return to_json(self._campaign.now(self.columns.table))
        if match := _DISTANCES.fullmatch(path):
            return self._distances(int(match[1]))
        make = self._made.get(path)
        return None if make is None else make()

    def prepare(self) -> None:
        """Make what a page asks for first, in its order; what cannot be made is told when asked."""
        first = start(self.columns)
        columns = [first["y"], first["x"], first["colour"], "depth", "edges"]
        words = [entry["file"] for entry in self._cells.values() if isinstance(entry, dict)]
        for path in [MANIFEST, *words, *(f"{column_path(self.columns[x])}.bin" for x in columns)]:
            with suppress(Exception):
                self._made[path]()

    def _manifest(self) -> bytes:
        campaign = self._campaign
        found = manifest(
            self.columns,
            lambda path, _, dtype: _numbers(path, dtype),
            self._cells,
            self._about,
            traces=[one for folder in self._traces for one in folder.entries()],
            campaign=None if campaign is None else campaign.entry(CAMPAIGN, live=True),
            live=True,
        )
        return to_json(found)

    def _add_cells(self) -> Mapping[str, Any]:
        entries: dict[str, Any] = {"count": self.columns.table.num_cells}
        for name, make in cell_words(self.columns).items():
            if make is None:
                entries[name] = None
                continue
            path = f"cells/{name.replace('_', '-')}"
            entries[name] = _numbers(path, np.dtype(np.uint32))
            self._made[f"{path}.bin"] = Once(partial(_plain_of, make))
        return entries

    def _column(self, name: str) -> bytes:
        return plain(self.columns.array(name))

    def _distances(self, row: int) -> bytes | None:
        table = self.columns.table
        ids = table.cell_ids
        if row >= len(ids):
            return None
        return plain(table.space.edit_distances(table.space[int(ids[row])])[ids])


def to_json(value: object) -> bytes:
    """Return what JSON can hold as bytes; what is no number is none there."""
    from nb101._base.files import finite

    return json.dumps(finite(value), allow_nan=False, separators=(",", ":")).encode()


def _numbers(path: str, dtype: np.dtype[Any]) -> dict[str, Any]:
    return {"kind": "numbers", "file": f"{path}.bin", "type": type_name(dtype)}


def _plain_of(make: Callable[[], Array]) -> bytes:
    return plain(make())
