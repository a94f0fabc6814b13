"""What a searcher may know of a benchmark: which cells and budgets there are, and no metric.

Searchers propose raw modules, as those of the paper do: matrices of the space's most vertices, of
which some may dangle, with an op for each interior one. A module is two integers, packed as in
`nb101._core`: so that millions of proposals take seconds. Of the numbers of `Draws` a proposal is
made in one call to the core; the same is written here in Python, for generators of NumPy and for
tables that lack cells.
"""

import copy
import zlib
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nb101._core import Draws
from nb101.errors import DatasetError, MissingRunError
from nb101.space.search_space import SearchSpace
from nb101.space.words import NIBBLE, VERTICES, edge_bit, num_pairs, op_shift
from nb101.table.schema import KEYS, metric_column
from nb101.table.table import Table

Ints = npt.NDArray[np.int64]
Rng = np.random.Generator | Draws
"""Where random numbers come from."""

ATTEMPTS = 1000
"""Proposals that may fail before a cell is drawn from those that there are."""


class Module(NamedTuple):
    """A raw module of a cell.

    Attributes
    ----------
    edges, labels
        Edge mask and label word.
    cell_id
        Id of the cell.
    """

    edges: int
    labels: int
    cell_id: int


class Domain:
    """Cells and budgets that may be queried.

    Parameters
    ----------
    space
        The space.
    budgets
        Epochs, ascending.
    cell_ids
        The cells that can be queried at each of the budgets, ascending; `None` for all.
    """

    def __init__(
        self, space: SearchSpace, budgets: Sequence[int], cell_ids: Ints | None = None
    ) -> None:
        self.space = space
        self.budgets = tuple(budgets)
        self.objectives: tuple[str, ...] = ()
        """Names of what is searched for: several, all to be minimized; none for accuracy alone."""
        self.num_ops = len(space.ops)
        self._core = space.core
        self._core_id = self._core.module_id
        self._ids = cell_ids
        self._known = None if cell_ids is None else frozenset(cell_ids.tolist())
        v = space.max_vertices
        self._vertices = v << VERTICES
        self.pairs = num_pairs(v)
        self.interior = v - 2
        rows, columns = np.triu_indices(v, 1)
        self._bits = np.int64(1) << edge_bit(rows, columns)
        self._shifts = [op_shift(vertex) for vertex in range(1, v - 1)]

    def __len__(self) -> int:
        return len(self.space) if self._ids is None else len(self._ids)

    @property
    def is_whole(self) -> bool:
        """Whether every cell of the space can be queried."""
        return self._ids is None

    @property
    def cell_ids(self) -> Ints:
        """The cells that can be queried, ascending."""
        return np.arange(len(self.space)) if self._ids is None else self._ids

    @property
    def key(self) -> Hashable:
        """What tells it from other domains of one table."""
        return self.budgets

    def with_objectives(self, objectives: Sequence[str]) -> "Domain":
        """Return the same cells and budgets, for a search of several objectives."""
        found = copy.copy(self)
        found.objectives = tuple(objectives)
        return found

    @property
    def choices(self) -> tuple[int, ...]:
        """How many values each variable of a module has: edges row by row, then ops."""
        return (2,) * self.pairs + (self.num_ops,) * self.interior

    @property
    def variables(self) -> dict[str, list[Any]]:
        """What each variable may be, by its name: `choices` in words."""
        named: dict[str, list[Any]] = {f"edge_{i}": [0, 1] for i in range(self.pairs)}
        return named | {f"op_node_{i}": list(self.space.ops) for i in range(self.interior)}

    def of_values(self, values: Mapping[str, Any]) -> Module | None:
        """Return the module of values of `variables`; `None` if it cannot be queried."""
        known = self.variables.items()
        return self.module(np.array([of.index(values[name]) for name, of in known]))

    def neighbors(self, cell_id: int) -> Ints:
        """Return the ids of the cells next to a cell that have no more vertices, ascending.

        Some may be cells that cannot be queried.
        """
        cell = self.space[cell_id]
        near = self.space.neighbors(cell)
        return self.space.index(near[near.vertices <= cell.vertices])

    def has(self, cell_id: int) -> bool:
        """Whether a cell can be queried."""
        return self._known is None or cell_id in self._known

    def find(self, edges: int, labels: int) -> int:
        """Return the id of a module's cell; -1 if it is none, or cannot be queried."""
        cell_id = self._core_id(edges, labels)
        if self._known is not None and cell_id not in self._known:
            return -1
        return cell_id

    def modules(self, vectors: npt.NDArray[Any]) -> tuple[list[int], list[int]]:
        """Pack vectors of variables, shape ``(n, len(choices))``: edge masks and label words."""
        edges = vectors[:, : self.pairs].astype(np.int64) @ self._bits
        labels = np.full(len(vectors), self._vertices, dtype=np.uint64)
        for column, shift in enumerate(self._shifts, self.pairs):
            labels |= vectors[:, column].astype(np.uint64) << np.uint64(shift)
        return edges.tolist(), labels.tolist()

    def module(self, vector: npt.NDArray[Any]) -> Module | None:
        """Return the module of one vector of variables; `None` if it cannot be queried."""
        (edges,), (labels,) = self.modules(np.asarray(vector)[np.newaxis])
        cell_id = self.find(edges, labels)
        return None if cell_id < 0 else Module(edges, labels, cell_id)

    def vector(self, module: Module) -> npt.NDArray[np.int8]:
        """Undo `module`; shape ``(len(choices),)``."""
        edges = (module.edges & self._bits) != 0
        ops = [module.labels >> shift & NIBBLE for shift in self._shifts]
        return np.concatenate([edges, ops]).astype(np.int8)

    def random(self, rng: Rng) -> Module:
        """Draw a module as the original does: each edge with probability one half, ops uniform."""
        if type(rng) is Draws and self._known is None:
            found = self._core.propose_random(ATTEMPTS, rng)
            # A table of few cells, or a space where hardly any module is one.
            return self.embed(self.random_cell(rng), rng) if found is None else _module(found)
        random, k = rng.random, self.num_ops
        for _ in range(ATTEMPTS):
            # A float has 53 bits, of which 11 vertices need more.
            edges = int(random() * (1 << min(self.pairs, 48)))
            if self.pairs > 48:
                edges = edges << self.pairs - 48 | int(random() * (1 << self.pairs - 48))
            labels = self._vertices
            for shift in self._shifts:
                labels |= int(random() * k) << shift
            cell_id = self.find(edges, labels)
            if cell_id >= 0:
                return Module(edges, labels, cell_id)
        return self.embed(self.random_cell(rng), rng)

    def random_cell(self, rng: Rng) -> int:
        """Draw the id of a cell, uniformly of those that there are."""
        place = int(rng.random() * len(self))
        return place if self._ids is None else int(self._ids[place])

    def embed(self, cell_id: int, rng: Rng) -> Module:
        """Write a cell as a module: missing vertices dangle, with random ops."""
        matrix, ops = self.space[cell_id].matrix, self.space[cell_id].ops
        v, size = self.space.max_vertices, len(matrix)
        full = np.zeros((v, v), dtype=np.int8)
        full[: size - 1, : size - 1] = matrix[:-1, :-1]
        full[: size - 1, -1] = matrix[:-1, -1]
        codes = [self.space.ops.index(op) for op in ops[1:-1]]
        codes += [int(rng.random() * self.num_ops) for _ in range(v - size)]
        (edges,), (labels,) = self.modules(
            np.concatenate([full[np.triu_indices(v, 1)], codes])[np.newaxis]
        )
        return Module(edges, labels, cell_id)

    def mutate(self, module: Module, rng: Rng) -> Module:
        """Change one edge or one op, each equally likely, until the result can be queried.

        After 1,000 changes that cannot it is a random module.
        """
        if type(rng) is Draws and self._known is None:
            found = self._core.propose_change(module.edges, module.labels, ATTEMPTS, rng)
            return self.random(rng) if found is None else _module(found)
        random, k = rng.random, self.num_ops
        variables = self.pairs + (self.interior if k > 1 else 0)
        for _ in range(ATTEMPTS):
            edges, labels = module.edges, module.labels
            chosen = int(random() * variables)
            if chosen < self.pairs:
                edges ^= 1 << chosen
            else:
                shift = self._shifts[chosen - self.pairs]
                op = labels >> shift & NIBBLE
                other = (op + 1 + int(random() * (k - 1))) % k
                labels ^= (op ^ other) << shift
            cell_id = self.find(edges, labels)
            if cell_id >= 0:
                return Module(edges, labels, cell_id)
        return self.random(rng)

    def mutate_all(self, module: Module, rng: Rng) -> Module:
        """Flip each edge with chance 1 / vertices, change each op with 1 / interior vertices.

        As the original's notebook does, until the result can be queried: three edges and an op in
        the mean. After 1,000 that cannot be it is a random module.
        """
        if type(rng) is Draws and self._known is None:
            found = self._core.propose_changes(module.edges, module.labels, ATTEMPTS, rng)
            return self.random(rng) if found is None else _module(found)
        random, k = rng.random, self.num_ops
        flip = 1 / self.space.max_vertices
        redraw = 1 / self.interior if self.interior and k > 1 else 0.0
        for _ in range(ATTEMPTS):
            edges, labels = module.edges, module.labels
            for bit in range(self.pairs):
                if random() < flip:
                    edges ^= 1 << bit
            for shift in self._shifts:
                if random() < redraw:
                    op = labels >> shift & NIBBLE
                    labels ^= (op ^ (op + 1 + int(random() * (k - 1))) % k) << shift
            cell_id = self.find(edges, labels)
            if cell_id >= 0:
                return Module(edges, labels, cell_id)
        return self.random(rng)


def _module(words: tuple[int, int, int]) -> Module:
    # What `Module` would make of them, without the function that takes its arguments: 0.1 us less.
    module: Module = tuple.__new__(Module, words)
    return module


def domain_of(table: Table, budgets: Sequence[int]) -> Domain:
    """Return what may be queried of a table at each of the budgets.

    Those are cells of which time and validation accuracy are known there, of every run that a query
    may draw, and the test accuracy at the largest budget of the table, which regret is computed of.

    Raises
    ------
    DatasetError, MissingRunError
        If the table lacks a metric or a budget, or there is no such cell.
    """
    wanted = tuple(budgets)
    return table.keep(("domain", wanted), lambda: _domain_of(table, wanted))


def _domain_of(table: Table, budgets: tuple[int, ...]) -> Domain:
    if not table.epochs:
        raise MissingRunError("the table has no runs")
    wanted = [(metric, x) for x in budgets for metric in ("training_time", "validation_accuracy")]
    known = np.ones(table.num_cells, dtype=bool)
    for metric, epochs in [*wanted, ("test_accuracy", max(table.epochs))]:
        if metric_column(metric) not in table.columns:
            raise DatasetError(f"a search needs {metric}, which the table does not have")
        known &= np.isfinite(table.values(metric, epochs)).any(axis=1)
    for metric, epochs in wanted:
        known[_unfinished(table, metric, epochs)] = False
    if not known.any():
        raise MissingRunError(
            "no cell of the table has time, validation and test accuracy at "
            f"{', '.join(map(str, budgets))} epochs"
        )
    if known.all() and table.num_cells == len(table.space):
        return Domain(table.space, budgets)
    return Domain(table.space, budgets, table.cell_ids[known])


def checksum(table: Table) -> int:
    """Return a checksum of what searches learn of a table, and what they are judged by."""
    return table.keep("checksum", lambda: _checksum(table))


def _checksum(table: Table) -> int:
    found = 0
    for name in table.columns:
        if name in KEYS or name.startswith("final_") or name.endswith("_spread"):
            found = zlib.crc32(np.ascontiguousarray(table.column(name)).data.cast("B"), found)
    return found


def _unfinished(table: Table, metric: str, epochs: int) -> Ints:
    """Return the places of cells that have a run of a budget without a value of a metric."""
    rows = np.flatnonzero(table.column("epochs") == epochs)
    lacking = rows[~np.isfinite(table.column(metric_column(metric))[rows])]
    return np.searchsorted(table.cell_ids, table.column("cell_id")[lacking])
