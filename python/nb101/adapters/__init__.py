"""The names that other libraries know: a benchmark as what each of them takes.

A module for each library, which is imported when it is first asked for, and the library with it:
``nb101.adapters.syne_tune`` needs Syne Tune, and nothing else here does. NASLib and EvoXBench are
not needed by theirs, which do what those do. All of them answer from a table, so that a seed
replays, the clock is charged, and whether numbers are measured or predicted stays known.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nb101.adapters import carps as carps
    from nb101.adapters import evoxbench as evoxbench
    from nb101.adapters import hpobench as hpobench
    from nb101.adapters import naslib as naslib
    from nb101.adapters import optunahub as optunahub
    from nb101.adapters import syne_tune as syne_tune

__all__ = [
    "carps",
    "evoxbench",
    "hpobench",
    "naslib",
    "optunahub",
    "syne_tune",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import the module of a library when it is first asked for."""
        if name not in __all__:
            raise AttributeError(f"module 'nb101.adapters' has no attribute {name!r}")
        return importlib.import_module(f"nb101.adapters.{name}")


def __dir__() -> list[str]:
    return sorted(__all__)
