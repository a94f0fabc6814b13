"""The spaces of NAS-Bench-1Shot1 as domains: searchers draw and change choices, not edges.

A module's two words are here the number of its choice, as `OneShotSpace` counts them, and 0.
"""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101.errors import ArgumentError, ArgumentTypeError, MissingRunError
from nb101.search.domain import ATTEMPTS, Domain, Ints, Module, Rng
from nb101.space.one_shot import OneShotSpace
from nb101.table.benchmark import regrets_of
from nb101.table.table import Table


class ChoiceDomain(Domain):
    """Cells of a space of NAS-Bench-1Shot1, of which modules are choices.

    Parameters
    ----------
    one_shot
        The space.
    budgets
        Epochs, ascending.
    cell_ids
        Those of its cells that can be queried at each of the budgets, ascending.
    """

    def __init__(self, one_shot: OneShotSpace, budgets: Sequence[int], cell_ids: Ints) -> None:
        super().__init__(one_shot.space, budgets, cell_ids)
        self.one_shot = one_shot
        self._ids_of_choices = one_shot.ids_of_choices
        self._moves = one_shot.moves

    @property
    def key(self) -> Hashable:
        """What tells it from other domains of one table."""
        return self.one_shot.number, self.budgets

    @property
    def choices(self) -> tuple[int, ...]:
        """How many values each variable of a choice has: ops, then parents."""
        return self.one_shot.sizes

    @property
    def variables(self) -> dict[str, list[Any]]:
        """What each variable may be, by its name: ops by name, parents by number."""
        named = self.one_shot.variables.items()
        return {
            name: list(of) if name.endswith("_op") else list(range(len(of))) for name, of in named
        }

    def find(self, edges: int, labels: int) -> int:
        """Return the id of a choice's cell; -1 if it cannot be queried."""
        cell_id = int(self._ids_of_choices[edges])
        return cell_id if self.has(cell_id) else -1

    def modules(self, vectors: npt.NDArray[Any]) -> tuple[list[int], list[int]]:
        """Return the numbers of choices of shape ``(n, len(choices))``, and as many zeros."""
        numbers: list[int] = self.one_shot.numbers_of(vectors).tolist()
        return numbers, [0] * len(numbers)

    def vector(self, module: Module) -> npt.NDArray[np.int8]:
        """Undo `module`; shape ``(len(choices),)``."""
        vector: npt.NDArray[np.int8] = self.one_shot.choices_of(np.array([module.edges]))[0]
        return vector

    def neighbors(self, cell_id: int) -> Ints:
        """Return the ids of the cells one change of a choice away, ascending."""
        return self.one_shot.near(cell_id)

    def random(self, rng: Rng) -> Module:
        """Draw a choice, uniformly of those that can be queried.

        After 1,000 that cannot it is one of a random cell.
        """
        for _ in range(ATTEMPTS):
            number = int(rng.random() * len(self._ids_of_choices))
            cell_id = self.find(number, 0)
            if cell_id >= 0:
                return Module(number, 0, cell_id)
        return self.embed(self.random_cell(rng), rng)

    def embed(self, cell_id: int, rng: Rng) -> Module:
        """Draw a choice of a cell."""
        numbers = self.one_shot.numbers(cell_id)
        return Module(int(numbers[int(rng.random() * len(numbers))]), 0, cell_id)

    def mutate(self, module: Module, rng: Rng) -> Module:
        """Change one op or one parent, each change equally likely, until it can be queried.

        A choice of which no change can be queried gives a random one.
        """
        left = list(self._moves)
        while left:
            place = int(rng.random() * len(left))
            stride, size, others, which = left[place]
            old = module.edges // stride % size
            number = module.edges + (others[old][which] - old) * stride
            cell_id = self.find(number, 0)
            if cell_id >= 0:
                return Module(number, 0, cell_id)
            left[place] = left[-1]
            left.pop()
        return self.random(rng)

    def mutate_all(self, module: Module, rng: Rng) -> Module:
        """Change each op, and each vertex's parents, with chance 1 / of as many as have a choice.

        Until the result can be queried: in the mean an op, and the parents of one vertex.
        """
        blocks, sizes = len(self.one_shot.parents) - 1, self.choices
        free = sum(size > 1 for size in sizes[blocks:])
        random = rng.random
        old = self.vector(module).tolist()
        while True:
            number = 0
            for i, (size, value) in enumerate(zip(sizes, old, strict=True)):
                if size > 1 and random() < 1 / (blocks if i < blocks else free):
                    value = (value + 1 + int(random() * (size - 1))) % size
                number = number * size + value
            cell_id = self.find(number, 0)
            if cell_id >= 0:
                return Module(number, 0, cell_id)


def choices_of(domain: Domain, table: Table, one_shot: OneShotSpace) -> Domain:
    """Return what may be queried of a domain that is a table's, in a space of NAS-Bench-1Shot1.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        If `one_shot` is no such space, or the table of other cells.
    MissingRunError
        If no cell of it can be queried.
    """
    if not isinstance(one_shot, OneShotSpace):
        message = f"space must be a OneShotSpace, not {type(one_shot).__name__}"
        raise ArgumentTypeError(message, field="space")
    if table.space != one_shot.space:
        message = f"{one_shot} is of NAS-Bench-101, and the table's cells are of {table.space}"
        raise ArgumentError(message, field="space")

    def make() -> Domain:
        ids = one_shot.ids
        known = ids if domain.is_whole else ids[[domain.has(x) for x in ids.tolist()]]
        if not len(known):
            raise MissingRunError(f"no cell of {one_shot} can be queried at the budgets asked for")
        return ChoiceDomain(one_shot, domain.budgets, known)

    return table.keep(("choices", one_shot.number, domain.budgets), make)


def least_regret(table: Table, one_shot: OneShotSpace) -> float:
    """Return how far the best cell of a space is from the best one of the table."""

    def make() -> float:
        regrets = regrets_of(table)[one_shot.has(table.cell_ids)]
        return float(np.nanmin(regrets))

    return table.keep(("least regret", one_shot.number), make)
