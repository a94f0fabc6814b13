"""The search space: ops, modules, cells, and all cells of a space with their ids and hashes.

Everything here is known without a table of runs; see `nb101.table` for those.
"""

from nb101.space.cell import Cell, alignment_distance, edit_distance
from nb101.space.cells import Cells
from nb101.space.hashing import hash_modules
from nb101.space.one_shot import OneShotSpace
from nb101.space.ops import INPUT, OPS, OUTPUT
from nb101.space.search_space import Count, SearchSpace

__all__ = [
    "INPUT",
    "OPS",
    "OUTPUT",
    "Cell",
    "Cells",
    "Count",
    "OneShotSpace",
    "SearchSpace",
    "alignment_distance",
    "edit_distance",
    "hash_modules",
]


def __dir__() -> list[str]:
    return sorted(__all__)
