"""`read`: scores from wherever they are kept: the folder of a run, a table, NASLib's file."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from nb101._base.checks import check_path
from nb101.errors import DatasetError, NB101Error
from nb101.plain import printable
from nb101.proxies import folder
from nb101.proxies.catalog import NAMES
from nb101.proxies.naslib import read_naslib
from nb101.proxies.scores import ACCURACY, KIND, SECONDS, Scores
from nb101.space.search_space import SearchSpace
from nb101.table import files
from nb101.table.about import METADATA_KEY

ADVICE = "make it anew: nb101 proxies table, or Scores.save"


def read(source: str | os.PathLike[str]) -> Scores:
    """Read scores that were kept, whatever they are kept in; needs no torch.

    Parameters
    ----------
    source
        The folder of `nb101.proxies.run`, of which all is taken that is done so far; a table that
        `Scores.save` wrote, ``.arrow`` or ``.parquet``; or a file of NASLib, ``.json``.

    Returns
    -------
    Scores of a folder by ascending id, others in the order of their file.

    Raises
    ------
    FolderError
        If it is a folder of something else.
    DatasetError
        If a file is damaged, or has no scores.
    OSError
        If it cannot be read.
    """
    check_path(source, "source")
    path = Path(source)
    if path.is_dir():
        return folder.read(path)
    if path.suffix == ".json":
        return read_naslib(path)
    return read_table(path)


def read_table(path: Path) -> Scores:
    """Read a table that `Scores.save` wrote, and compare it with its seal.

    Raises
    ------
    DatasetError
        If it is damaged, or no table of scores.
    OSError
        If it cannot be read.
    """
    table, source = files.read(path)
    source.verify()
    try:
        about = json.loads((table.schema.metadata or {})[METADATA_KEY])
        if about["kind"] != KIND:
            raise DatasetError("it is of something else")
        limits = about["space"]
        space = SearchSpace(limits["max_vertices"], limits["max_edges"], limits["ops"])
    except (KeyError, TypeError, ValueError, RecursionError, NB101Error):
        raise DatasetError(f"{path} has no scores of zero-cost proxies: {ADVICE}", path=path) from (
            None
        )
    columns, _ = files.take_apart(table)
    try:
        ids = np.asarray(columns["cell_id"])
        if ids.dtype != np.int64 or (ids < 0).any():
            raise DatasetError("cell_id has what is none", path=path)
        cells = space[ids]
    except (KeyError, NB101Error) as error:
        reason = printable(str(error))
        raise DatasetError(f"{path} has no ids of cells, {reason}: {ADVICE}", path=path) from None
    told = {name: value for name, value in about.items() if name not in _NOT_ABOUT}

    def of(names: list[str], ending: str = "") -> dict[str, Any]:
        found = {name: columns[name + ending] for name in names if name + ending in columns}
        return {name: np.asarray(column, np.float64) for name, column in found.items()}

    names = [name for name in table.column_names if name in NAMES]
    return Scores(
        cells=cells,
        columns=of(names),
        seconds=of(names, SECONDS),
        about=told,
        accuracies=of([ACCURACY]).get(ACCURACY),
        space=space,
    )


_NOT_ABOUT = ("kind", "version", "sources", "space")
"""What a table says of itself beside how its scores came about."""
