"""How commands open the table of an argument."""

from nb101.cli.progress import byte_bar
from nb101.datasets import load_table
from nb101.table.table import Table


def open_table(name: str | None) -> Table:
    """Open the table of an argument: a file, a name, or the default one."""
    with byte_bar() as show:
        return load_table(name, progress=lambda done, total: show(done, total, "converting"))
