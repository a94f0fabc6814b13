"""`Scores`: columns of proxies, an entry a cell."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb101._core import __version__
from nb101.proxies.catalog import PROXIES
from nb101.space.cells import Cells
from nb101.space.default import space_of

if TYPE_CHECKING:
    import pyarrow as pa

    from nb101.space.search_space import SearchSpace

Column = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Scores(Mapping[str, Column]):
    """Scores of proxies by name: a mapping to columns, float64 of shape ``(n,)``.

    Attributes
    ----------
    cells
        What was scored.
    columns
        Scores by name of the proxy. NaN where a proxy has no value, as jacov where an image changes
        no logit; minus infinity where it is the logarithm of 0.
    seconds
        What each score took, by name of the proxy; a pass that several share is in each of them.
        NaN where that is not known.
    about
        How they came about: recipe, seed, images, version; empty where that is not known.
    """

    cells: Cells
    columns: Mapping[str, Column]
    seconds: Mapping[str, Column] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        return f"<Scores: {', '.join(self) or 'none'} of {len(self.cells):,} cells>"

    def to_arrow(self, space: "SearchSpace | None" = None) -> "pa.Table":
        """Return a table with a row for each cell.

        Parameters
        ----------
        space
            Of the ids; NAS-Bench-101 if not given.

        Returns
        -------
        A pyarrow Table: ``cell_id`` (int64), a column a proxy (float64), and its seconds in a
        column such as ``synflow_seconds`` (float64), where they are known. The entry ``nb101`` of
        the schema's metadata is JSON with what is in `about`, and each proxy's source.

        Raises
        ------
        OutOfSpaceError
            If a cell is not in the space.
        """
        import pyarrow as pa

        columns: dict[str, Any] = {"cell_id": space_of(space).index(self.cells)}
        columns |= dict(self.columns)
        columns |= {f"{name}_seconds": seconds for name, seconds in self.seconds.items()}
        sources = {name: PROXIES[name].source for name in self if name in PROXIES}
        about = {"kind": "proxies", "version": __version__, **self.about, "sources": sources}
        return pa.table(columns).replace_schema_metadata({"nb101": json.dumps(about)})
