"""Who does the work of a command elsewhere, and the modules that it takes there."""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb101.cli.printing import note
from nb101.errors import ArgumentError, MissingExtraError

if TYPE_CHECKING:
    from concurrent.futures import Executor


@contextmanager
def cluster(address: str | None) -> Iterator["Executor | None"]:
    """Connect to a Dask cluster; to none without an address."""
    if address is None:
        yield None
        return
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "--dask needs distributed: pip install 'nb101[dask]'", name="distributed"
        ) from error
    place = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    try:
        connect: Any = distributed.Client
        client = connect(**place, timeout="30s")
    except (OSError, TimeoutError, ValueError) as error:
        raise ArgumentError(
            f"no Dask scheduler answers at {address}: {error}", field="dask"
        ) from error
    # It logs a traceback when its scheduler is lost, which a line of this package says.
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with client:
            if not client.nthreads():
                note(f"the cluster at {address} has no workers yet")
            yield client.get_executor(pure=False)
    finally:
        logger.setLevel(level)


def import_modules(names: Sequence[str]) -> None:
    """Import modules of the option ``--import``; those of the current folder too.

    Processes of this machine that are started later find them as well.

    Raises
    ------
    NB101Error
        If one cannot be imported.
    """
    from nb101._base import processes  # It takes others a while to import.

    here = str(Path.cwd())
    if names and "" not in sys.path and here not in sys.path:
        # After all others: a file of the folder takes no library's place.
        sys.path.append(here)
    for name in names:
        if name.endswith(".py"):
            raise ArgumentError(
                f"a module is named without .py: --import {name[:-3]}", field="import"
            )
    processes.import_modules(names)
