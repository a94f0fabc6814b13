"""`Scores`: columns of proxies, an entry a cell."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb101._base.checks import check_path
from nb101._base.files import atomic, choose_format
from nb101._base.seals import sealed, with_seal
from nb101._core import __version__
from nb101.proxies.catalog import PROXIES
from nb101.space.cells import Cells
from nb101.space.default import space_of
from nb101.table.about import describe_space

if TYPE_CHECKING:
    import pyarrow as pa

    from nb101.space.search_space import SearchSpace

Column = npt.NDArray[np.float64]
ENDINGS = {".arrow": "arrow", ".feather": "arrow", ".parquet": "parquet", ".csv": "csv"}
"""Formats of tables of scores, by the endings of their files."""
KIND, ACCURACY, SECONDS = "proxies", "validation_accuracy", "_seconds"
"""What tables say that they are; a column, and how others end."""


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
        How they came about: recipe, seed, images; empty where that is not known.
    accuracies
        Validation accuracies as fractions, where a file has them too; `None` elsewhere.
    space
        Of the ids in tables; NAS-Bench-101 where it is `None`.
    """

    cells: Cells
    columns: Mapping[str, Column]
    seconds: Mapping[str, Column] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    accuracies: Column | None = None
    space: "SearchSpace | None" = None

    # Not that of mappings: columns are arrays, which are not equal or not as one.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        return f"<Scores: {', '.join(self) or 'none'} of {len(self.cells):,} cells>"

    def to_arrow(self) -> "pa.Table":
        """Return a table with a row for each cell.

        Returns
        -------
        A pyarrow Table: ``cell_id`` (int64), a column a proxy (float64), and its seconds in a
        column such as ``synflow_seconds`` (float64), where they are known, and
        ``validation_accuracy`` where there is one. The entry ``nb101`` of
        the schema's metadata is JSON with what is in `about`, the space, and each proxy's source.

        Raises
        ------
        OutOfSpaceError
            If a cell is not in the space.
        """
        import pyarrow as pa

        space = space_of(self.space)
        columns: dict[str, Any] = {"cell_id": space.index(self.cells)}
        columns |= dict(self.columns)
        columns |= {f"{name}{SECONDS}": seconds for name, seconds in self.seconds.items()}
        if self.accuracies is not None:
            columns[ACCURACY] = self.accuracies
        sources = {name: PROXIES[name].source for name in self if name in PROXIES}
        about = {"kind": KIND, "version": __version__, **self.about, "sources": sources}
        about["space"] = describe_space(space)
        return pa.table(columns).replace_schema_metadata({"nb101": json.dumps(about)})

    def save(
        self,
        path: str | os.PathLike[str],
        format: str | None = None,  # noqa: A002
    ) -> None:
        """Write the table of `to_arrow` to a file; Arrow and Parquet have a seal.

        Parameters
        ----------
        path
            The file, which appears whole or not at all: ``.arrow``, ``.parquet`` or ``.csv``.
        format
            ``"arrow"``, ``"parquet"`` or ``"csv"``; by the ending if not given.

        Raises
        ------
        ArgumentError
            If the format is unknown.
        OutOfSpaceError
            If a cell is not in the space.
        OSError
            If it cannot be written.
        """
        import pyarrow as pa

        check_path(path)
        chosen = choose_format(path, format, ENDINGS)
        table = self.to_arrow()
        if chosen == "csv":
            from pyarrow import csv

            with atomic(path) as file:
                csv.write_csv(table, file)
            return
        table = table.cast(with_seal(table.schema))
        with sealed(path) as file:
            if chosen == "parquet":
                from pyarrow import parquet

                parquet.write_table(table, file)
            else:
                with pa.ipc.new_file(file, table.schema) as writer:
                    writer.write_table(table)
