"""How commands open the table of an argument, and scores of proxies."""

from pathlib import Path
from typing import TYPE_CHECKING

from nb101.cli.progress import byte_bar
from nb101.datasets import load_table
from nb101.table.table import Table

if TYPE_CHECKING:
    from nb101.proxies import Scores


def open_table(name: str | None) -> Table:
    """Open the table of an argument: a file, a name, or the default one."""
    with byte_bar() as show:
        return load_table(name, progress=lambda done, total: show(done, total, "converting"))


def open_scores(path: Path | None) -> "Scores | None":
    """Open scores of proxies, where some are given."""
    if path is None:
        return None
    from nb101.proxies import read

    return read(path)
