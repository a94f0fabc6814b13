"""The search benchmark: algorithms that look for good cells in simulated time (section 4.3).

`run` runs one on a benchmark and returns its `Trace`; `compare` runs many seeds of several, and
writes a page. An algorithm is a `Searcher`, which is asked for trials and told their validation
accuracy; `register` adds one. Those that stand on libraries need ``pip install 'nb101[search]'``.

>>> import nb101
>>> bench = nb101.Benchmark(nb101.load_table(), seed=0, noise=True)
>>> trace = nb101.search.run("random-search", bench, queries=3, seed=0)
>>> len(trace.seconds), len(trace.regret), len(trace.cell_ids)
(3, 3, 3)
"""

from nb101._core import Draws
from nb101.search.comparison import compare
from nb101.search.domain import Domain, Module, domain_of
from nb101.search.folder import Comparison, ComparisonPlan
from nb101.search.objectives import ExactFront, exact_front, hypervolume, igd_plus
from nb101.search.outside import config_space, optuna_objective, to_cell
from nb101.search.runner import run
from nb101.search.searcher import (
    Entry,
    Searcher,
    Sequential,
    Steps,
    Trial,
    Trials,
    create,
    register,
    registry,
)
from nb101.search.trace import Trace

__all__ = [
    "Comparison",
    "ComparisonPlan",
    "Domain",
    "Draws",
    "Entry",
    "ExactFront",
    "Module",
    "Searcher",
    "Sequential",
    "Steps",
    "Trace",
    "Trial",
    "Trials",
    "compare",
    "config_space",
    "create",
    "domain_of",
    "exact_front",
    "hypervolume",
    "igd_plus",
    "optuna_objective",
    "register",
    "registry",
    "run",
    "to_cell",
]


def __dir__() -> list[str]:
    return sorted(__all__)
