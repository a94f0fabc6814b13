"""Programs written for the original: what they import as `nasbench`.

The package of that name lies in the folder `programs`. It is only found where `install` was called
or `nb101 run` runs the program, so that the original can be installed beside this package.
"""

import os
import sys
from importlib import import_module
from pathlib import Path

from nb101.errors import NB101Error

__all__ = [
    "PROGRAMS",
    "install",
]


def __dir__() -> list[str]:
    return sorted(__all__)


PROGRAMS = str(Path(__file__).parent / "programs")


def install() -> None:
    """Let ``import nasbench`` find this package's interface, here and in child processes.

    Then `nasbench.api`, `nasbench.lib.config`, `nasbench.lib.graph_util` and
    `nasbench.lib.model_spec` can be imported. Calling it again does nothing.

    Raises
    ------
    NB101Error
        If another `nasbench` has already been imported.
    """
    found = sys.modules.get("nasbench")
    if found is not None:
        where = getattr(found, "__file__", None) or "an unknown place"
        if not where.startswith(PROGRAMS + os.sep):
            raise NB101Error(
                f"another nasbench has already been imported, from {where}: "
                "call nb101.compat.install() before that"
            )
    if sys.path[:1] != [PROGRAMS]:
        sys.path[:] = [PROGRAMS, *(entry for entry in sys.path if entry != PROGRAMS)]
    inherited = os.environ.get("PYTHONPATH", "")
    if PROGRAMS not in inherited.split(os.pathsep):
        os.environ["PYTHONPATH"] = PROGRAMS + (os.pathsep + inherited if inherited else "")
    # Now, so that a folder put before it on the path later does not hide it.
    import_module("nasbench")
