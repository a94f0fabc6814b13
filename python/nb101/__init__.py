"""NAS-Bench-101, fast: the whole search space, its hashes and ids, in Rust with a Python face.

>>> import nb101
>>> space = nb101.SearchSpace()
>>> len(space)
423624
>>> nb101.Cell([[0, 1], [0, 0]], ["input", "output"]).hash
'043721b9c7fe8c5fad811d47d83132ec'

Sections of "the paper" are those of Ying et al., NAS-Bench-101: Towards Reproducible Neural
Architecture Search (ICML 2019, arXiv 1902.09635).
"""

# ruff: isort: off
from nb101 import interrupts as _interrupts  # noqa: F401  Ctrl-C may come in the imports below.

# ruff: isort: on
import importlib
import os
from typing import TYPE_CHECKING

from nb101._base import lazy as _lazy
from nb101._base.version import __version__
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    CampaignError,
    CellIdError,
    CheckpointError,
    DatasetError,
    DisconnectedError,
    DivergedError,
    FetchError,
    FileError,
    FolderError,
    InvalidCellError,
    MissingExtraError,
    MissingFileError,
    MissingRunError,
    NB101Error,
    OutOfSpaceError,
    SearchError,
    SpaceError,
    TrainingError,
    UnknownHashError,
    UnknownNameError,
    UnknownOpError,
)

if TYPE_CHECKING:
    # What __getattr__ imports, for editors and type checkers.
    from nb101 import adapters as adapters
    from nb101 import analysis as analysis
    from nb101 import api as api
    from nb101 import campaign as campaign
    from nb101 import compat as compat
    from nb101 import datasets as datasets
    from nb101 import encodings as encodings
    from nb101 import nn as nn
    from nb101 import predict as predict
    from nb101 import proxies as proxies
    from nb101 import search as search
    from nb101 import space as space
    from nb101 import table as table
    from nb101 import train as train
    from nb101._base.runtime import get_threads, set_threads
    from nb101.datasets import load_table
    from nb101.explore import itself as explore
    from nb101.space.cell import Cell, alignment_distance, edit_distance
    from nb101.space.cells import Cells
    from nb101.space.hashing import hash_modules
    from nb101.space.one_shot import OneShotSpace
    from nb101.space.ops import INPUT, OPS, OUTPUT
    from nb101.space.search_space import Count, SearchSpace
    from nb101.table.benchmark import Benchmark, Run, Runs, Spent
    from nb101.table.best import Best
    from nb101.table.official import Problem, convert
    from nb101.table.table import Table

_PARTS = (
    *("adapters", "analysis", "api", "campaign", "compat", "datasets", "encodings", "explore"),
    *("nn", "predict", "proxies", "search", "train"),
)
_BELOW = ("space", "table")
"""Packages whose names are here too; they are there without an import of one's own."""
_NAMES = {
    "_base.runtime": ("get_threads", "set_threads"),
    "datasets": ("load_table",),
    "space.cell": ("Cell", "alignment_distance", "edit_distance"),
    "space.cells": ("Cells",),
    "space.hashing": ("hash_modules",),
    "space.one_shot": ("OneShotSpace",),
    "space.ops": ("INPUT", "OPS", "OUTPUT"),
    "space.search_space": ("Count", "SearchSpace"),
    "table.benchmark": ("Benchmark", "Run", "Runs", "Spent"),
    "table.best": ("Best",),
    "table.official": ("Problem", "convert"),
    "table.table": ("Table",),
}
_PLACES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "INPUT",
    "OPS",
    "OUTPUT",
    "ArgumentError",
    "ArgumentTypeError",
    "Benchmark",
    "Best",
    "CampaignError",
    "Cell",
    "CellIdError",
    "Cells",
    "CheckpointError",
    "Count",
    "DatasetError",
    "DisconnectedError",
    "DivergedError",
    "FetchError",
    "FileError",
    "FolderError",
    "InvalidCellError",
    "MissingExtraError",
    "MissingFileError",
    "MissingRunError",
    "NB101Error",
    "OneShotSpace",
    "OutOfSpaceError",
    "Problem",
    "Run",
    "Runs",
    "SearchError",
    "SearchSpace",
    "SpaceError",
    "Spent",
    "Table",
    "TrainingError",
    "UnknownHashError",
    "UnknownNameError",
    "UnknownOpError",
    "__version__",
    "alignment_distance",
    "convert",
    "edit_distance",
    "explore",
    "get_threads",
    "hash_modules",
    "load_table",
    "set_threads",
]


if not TYPE_CHECKING:
    # Type checkers, which would take any name for one of it, are to find those that are wrong.
    def __getattr__(name: str) -> object:
        """Import what a name stands for when it is first asked for: NumPy takes a while."""
        if name not in _PLACES and name not in _PARTS and name not in _BELOW:
            raise AttributeError(f"module 'nb101' has no attribute {name!r}")
        with _lazy.importing:
            value = importlib.import_module(f"nb101.{_PLACES.get(name, name)}")
        if name in _PLACES:
            value = getattr(value, name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_PARTS})


if os.environ.get("NB101_THREADS", "").strip():
    # It is obeyed before the first call, whichever that is.
    importlib.import_module("nb101._base.runtime")
