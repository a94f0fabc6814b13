"""The three search spaces of NAS-Bench-1Shot1: cells of NAS-Bench-101 that choices stand for.

A cell has choice blocks in a row, between input and output. Each block, and output, takes so many
parents among what comes before it, and each block has an op: these are its variables, under the
names of the authors' scripts. What no path leads from to output (a loose end) is pruned, as
everywhere, so that many choices stand for one cell.

Source: Zela, Siems, Hutter: NAS-Bench-1Shot1 (ICLR 2020, arXiv 2001.10422), and
github.com/automl/nasbench-1shot1.
"""

from collections.abc import Mapping
from itertools import combinations, product
from math import prod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nb101._base.checks import check_choice, check_generator, check_whole
from nb101._base.lazy import cached_property
from nb101.errors import ArgumentError, OutOfSpaceError, UnknownNameError
from nb101.space.cell import Cell
from nb101.space.cells import Cells
from nb101.space.default import default_space
from nb101.space.lookup import CellOrHash
from nb101.space.search_space import SearchSpace

Ints = npt.NDArray[np.int64]
Choices = npt.NDArray[np.int8]

PARENTS = {1: (1, 2, 2, 2, 2), 2: (1, 1, 2, 2, 3), 3: (1, 1, 1, 2, 2, 2)}
"""Parents of each choice block and of output, by the number of the space."""
PUBLISHED = {1: 6_240, 2: 29_160, 3: 363_648}
"""Sizes with loose ends, as published."""


class OneShotSpace:
    """One of the three search spaces of NAS-Bench-1Shot1, within NAS-Bench-101.

    ``len`` is how many unique cells it has. A **choice** is a row of whole numbers, one for each of
    the `variables`: first the op of each block, then the parents of each block and of output, which
    are numbered in the order of `itertools.combinations`.

    ==  ================  =========  ===========  =======  ============
    no  parents           published  all choices  leading  unique cells
    ==  ================  =========  ===========  =======  ============
    1   1, 2, 2, 2; 2         6,240       14,580    6,240         2,685
    2   1, 1, 2, 2; 3        29,160       29,160   16,632         7,773
    3   1, 1, 1, 2, 2; 2    363,648    1,312,200  363,648        55,854
    ==  ================  =========  ===========  =======  ============

    The sizes that were published are counted in two ways: the second space's are all choices, and
    those of the others the choices whose ops are told apart where a block leads anywhere, by an
    edge to a later block or output (`num_leading`).

    Parameters
    ----------
    number
        1, 2 or 3.

    Raises
    ------
    ArgumentError
        If there is no such space.

    Examples
    --------
    >>> space = OneShotSpace(1)
    >>> len(space), space.num_choices, space.published
    (2685, 14580, 6240)
    >>> choices = space.sample_choices(3, seed=0)
    >>> cells = space.to_cells(choices)
    >>> space.to_cells(space.to_choices(cells)) == cells
    True
    >>> space.variables["choice_block_3_parents"]
    ((0, 1), (0, 2), (1, 2))
    """

    def __init__(self, number: int) -> None:
        if check_whole("number", number) not in PARENTS:
            message = f"NAS-Bench-1Shot1 has the search spaces 1, 2 and 3, not {number!r}"
            raise ArgumentError(message, field="number")
        self._number = int(number)
        self._space = default_space()
        parents = PARENTS[self._number]
        self._blocks = len(parents) - 1
        self._of = [list(combinations(range(i), count)) for i, count in enumerate(parents, 1)]
        self._sizes = (len(self._space.ops),) * self._blocks + tuple(map(len, self._of))
        # Choices are numbered with the last variable the fastest.
        self._strides = [prod(self._sizes[i + 1 :]) for i in range(len(self._sizes))]

    @property
    def number(self) -> int:
        """Which of the three it is."""
        return self._number

    @property
    def space(self) -> SearchSpace:
        """NAS-Bench-101, whose ids cells have."""
        return self._space

    @property
    def parents(self) -> tuple[int, ...]:
        """How many parents each block has, and output, which is last."""
        return PARENTS[self._number]

    @property
    def variables(self) -> dict[str, tuple[Any, ...]]:
        """What there is to choose from, by the names of the authors' configuration space.

        Names of ops, and tuples of parents: 0 is input, others are blocks.
        """
        blocks, ops = range(1, self._blocks + 1), tuple(self._space.ops)
        return {
            **{f"choice_block_{i}_op": ops for i in blocks},
            **{f"choice_block_{i}_parents": tuple(of) for i, of in enumerate(self._of, 1)},
        }

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each of the variables has."""
        return self._sizes

    @property
    def num_choices(self) -> int:
        """How many choices there are in all."""
        return prod(self._sizes)

    @property
    def num_leading(self) -> int:
        """How many choices there are, if ops of blocks that lead nowhere are not told apart."""
        found = 0
        for chosen in product(*self._of):
            leading = {parent for parents in chosen for parent in parents} - {0}
            found += len(self._space.ops) ** len(leading)
        return found

    @property
    def published(self) -> int:
        """The size with loose ends that was published."""
        return PUBLISHED[self._number]

    @property
    def ids(self) -> Ints:
        """Ids of its cells in NAS-Bench-101, ascending; shape ``(len(self),)``."""
        return self._cells[0]

    @property
    def multiplicity(self) -> Ints:
        """How many choices stand for each cell, in the order of `ids`; shape ``(len(self),)``."""
        return self._cells[2]

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, cell: object) -> bool:
        """Whether a cell of NAS-Bench-101, or a hash of one, is one of the space."""
        if cell not in self._space:
            return False
        return bool(self.has(self._space.index(cell)))

    def has(self, cell_ids: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return whether cells of NAS-Bench-101 are of the space, by their ids."""
        ids = self.ids
        asked = np.asarray(cell_ids)
        return np.asarray(ids[np.minimum(np.searchsorted(ids, asked), len(ids) - 1)] == asked)

    def enumerate(self) -> Cells:
        """Return all its unique cells, in the reference order."""
        return self._space[self.ids]

    def sample(
        self,
        n: int,
        seed: "int | np.random.Generator | None" = None,
        *,
        method: Literal["unique", "raw"] = "unique",
    ) -> Cells:
        """Draw cells at random, with replacement.

        Parameters
        ----------
        n
            How many.
        seed
            A seed, a generator, or `None` for fresh randomness.
        method
            ``"unique"``: uniform over the unique cells. ``"raw"``: uniform over the choices, as the
            authors draw with loose ends.
        """
        check_choice("method", method, "unique", "raw")
        if method == "raw":
            return self.to_cells(self.sample_choices(n, seed))
        rng = check_generator("seed", seed)
        return self._space[self.ids[rng.integers(len(self), size=check_whole("n", n, 0))]]

    def sample_choices(self, n: int, seed: "int | np.random.Generator | None" = None) -> Choices:
        """Draw choices uniformly, with replacement; shape ``(n, len(sizes))``."""
        rng = check_generator("seed", seed)
        drawn = rng.integers(self.num_choices, size=check_whole("n", n, 0))
        return self.choices_of(drawn)

    # Choices and what they stand for

    def to_modules(self, choices: Any) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
        """Return the raw modules of choices, loose ends and all.

        Parameters
        ----------
        choices
            Whole numbers of shape ``(n, len(sizes))``.

        Returns
        -------
        Matrices of shape ``(n, v, v)`` and codes of ops of shape ``(n, v)``, for v vertices: 6, and
        7 in the third space. They are what `nb101.hash_modules` takes.

        Raises
        ------
        ArgumentError
            If the shape is wrong, or a value out of range.
        """
        return self._modules(self._checked(choices))

    def to_ids(self, choices: Any) -> Ints:
        """Return the ids in NAS-Bench-101 of the cells of choices; shape ``(n,)``.

        Raises
        ------
        ArgumentError
            As `to_modules` does.
        """
        return self.ids_of_choices[self.numbers_of(self._checked(choices))].astype(np.int64)

    def to_cells(self, choices: Any) -> Cells:
        """Return the cells of choices, pruned.

        Raises
        ------
        ArgumentError
            As `to_modules` does.
        """
        return self._space[self.to_ids(choices)]

    def to_choices(self, cells: Any) -> Choices:
        """Return a choice for each cell: the first one that stands for it, in the order of choices.

        Parameters
        ----------
        cells
            `Cells`, a `Cell` or a hash, or a list of those; shape ``(n, len(sizes))`` comes back.

        Raises
        ------
        OutOfSpaceError
            If a cell is none of the space; `index` says which.
        """
        if isinstance(cells, (Cell, str, bytes)):
            cells = [cells]
        found = self._space.index(cells)
        places = np.searchsorted(self.ids, found)
        wrong = np.flatnonzero(~self.has(found))
        if wrong.size:
            row = int(wrong[0])
            message = f"cell {int(found[row])} is not of search space {self._number}"
            raise OutOfSpaceError(f"{message} of NAS-Bench-1Shot1").at(f"cell {row}", row)
        return self.choices_of(self._cells[1][places])

    def to_one_hot(self, choices: Any) -> npt.NDArray[np.uint8]:
        """Encode choices by a flag for each value of each variable; shape ``(n, sum(sizes))``.

        The encodings of `nb101.encodings` are of cells, and so are the same for all choices that
        stand for one; this one tells them apart.

        Raises
        ------
        ArgumentError
            As `to_modules` does.
        """
        array = self._checked(choices)
        values = np.concatenate([np.arange(size) for size in self._sizes])
        return np.asarray(np.repeat(array, self._sizes, axis=1) == values, dtype=np.uint8)

    def to_values(self, choice: Any) -> dict[str, Any]:
        """Return one choice by the names of its variables: names of ops, tuples of parents."""
        (row,) = self._checked([choice]).tolist()
        names = self.variables.items()
        return {name: values[x] for x, (name, values) in zip(row, names, strict=True)}

    def from_values(self, values: Mapping[str, Any]) -> Choices:
        """Undo `to_values`; shape ``(len(sizes),)``.

        A variable with one value may be left out, and parents may be any sequence, in any order.

        Raises
        ------
        ArgumentError
            If a variable is missing, or has a value that it cannot have.
        """
        row = []
        for name, known in self.variables.items():
            if name not in values and len(known) > 1:
                raise ArgumentError(f"no value of {name}", field=name)
            value = values.get(name, known[0])
            if name.endswith("_parents") and isinstance(value, (list, tuple, np.ndarray)):
                value = tuple(sorted(int(x) for x in value))
            if value not in known:
                message = f"{name} is one of {', '.join(map(str, known))}, not {value!r}"
                raise UnknownNameError(message, field=name)
            row.append(known.index(value))
        return np.array(row, dtype=np.int8)

    # Neighbours

    def neighbors(self, cell: CellOrHash) -> Cells:
        """Return the cells of the space one change of a choice away, in the reference order.

        A change gives a block another op, or puts another parent in the place of one, as the
        authors' evolution does. Two cells are neighbours if a choice of one and a choice of the
        other are a change apart.

        Raises
        ------
        OutOfSpaceError
            If the cell is none of the space.
        """
        self.to_choices(cell)
        return self._space[self.near(int(self._space.index(cell)))]

    def near(self, cell_id: int) -> Ints:
        """Return the ids of the `neighbors` of the cell of an id, ascending."""
        found = np.unique(self.ids_of_choices[self.changes(self.numbers(cell_id))])
        return np.asarray(found[found != cell_id], dtype=np.int64)

    # Choices by their numbers, for the package's own modules

    def numbers(self, cell_id: int) -> Ints:
        """Return the numbers of all choices that stand for a cell of the space, ascending."""
        ids, first = self._sorted
        low, high = np.searchsorted(ids, [cell_id, cell_id + 1])
        numbers: Ints = first[low:high]
        return numbers

    def numbers_of(self, choices: npt.NDArray[Any]) -> Ints:
        """Return the numbers of choices; shape ``(n,)``."""
        return np.asarray(choices.astype(np.int64) @ np.array(self._strides))

    def choices_of(self, numbers: npt.NDArray[Any]) -> Choices:
        """Undo `numbers_of`; shape ``(n, len(sizes))``."""
        numbers = np.asarray(numbers, dtype=np.int64)
        return np.asarray(
            numbers[:, np.newaxis] // np.array(self._strides) % np.array(self._sizes), dtype=np.int8
        )

    @cached_property
    def ids_of_choices(self) -> npt.NDArray[np.int32]:
        """The id in NAS-Bench-101 of each choice, by its number; shape ``(num_choices,)``."""
        patterns = self.choices_of(np.arange(prod(self._sizes[self._blocks :])))
        found = np.empty((prod(self._sizes[: self._blocks]), len(patterns)), dtype=np.int32)
        matrices, codes = self._modules(patterns)
        labels = product(range(len(self._space.ops)), repeat=self._blocks)
        for row, ops in zip(found, labels, strict=True):
            codes[:, 1:-1] = ops
            row[:] = self._space.index(matrices, codes)
        flat = found.reshape(-1)
        flat.flags.writeable = False
        return flat

    @cached_property
    def moves(self) -> "list[tuple[int, int, list[list[int]], int]]":
        """All changes of a choice: stride and size of its variable, and the new value by the old.

        Each change comes once; the last number is its place among those of its variable.
        """
        found = []
        for size, stride, others in zip(self._sizes, self._strides, self._others, strict=True):
            table = others.tolist()
            found += [(stride, size, table, place) for place in range(others.shape[1])]
        return found

    def changes(self, numbers: Ints) -> Ints:
        """Return the numbers of choices one change away; shape ``(n, len(moves))``."""
        parts = []
        for size, stride, others in zip(self._sizes, self._strides, self._others, strict=True):
            old = numbers // stride % size
            parts.append(numbers[:, np.newaxis] + (others[old] - old[:, np.newaxis]) * stride)
        return np.concatenate(parts, axis=1)

    @cached_property
    def _others(self) -> list[Ints]:
        """Of each variable the values a change away from each value, shape ``(size, changes)``."""
        ops = range(len(self._space.ops))
        found = [np.array([[x for x in ops if x != op] for op in ops])] * self._blocks
        for parents in self._of:
            sets = [set(one) for one in parents]
            near = [[i for i, x in enumerate(sets) if len(x - one) == 1] for one in sets]
            found.append(np.array(near, dtype=np.int64).reshape(len(sets), -1))
        return found

    @cached_property
    def _sorted(self) -> tuple[npt.NDArray[np.int32], Ints]:
        order = np.argsort(self.ids_of_choices, kind="stable")
        return self.ids_of_choices[order], order

    @cached_property
    def _cells(self) -> tuple[Ints, Ints, Ints]:
        """Ids of cells, the first choice of each, and how many there are."""
        ids, order = self._sorted
        first = np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]]))
        found = ids[first].astype(np.int64), order[first], np.diff(np.append(first, len(ids)))
        for column in found:
            column.flags.writeable = False
        return found

    def _modules(self, choices: Choices) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
        n, v = len(choices), self._blocks + 2
        matrices = np.zeros((n, v, v), dtype=np.int8)
        for vertex, parents in enumerate(self._of, 1):
            columns = np.zeros((len(parents), v), dtype=np.int8)
            for row, chosen in zip(columns, parents, strict=True):
                row[list(chosen)] = 1
            matrices[:, :, vertex] = columns[choices[:, self._blocks + vertex - 1]]
        codes = np.empty((n, v), dtype=np.int8)
        codes[:, 0], codes[:, -1] = -1, -2
        codes[:, 1:-1] = choices[:, : self._blocks]
        return matrices, codes

    def _checked(self, choices: Any) -> Choices:
        width = len(self._sizes)
        try:
            array = np.asarray(choices)
        except (TypeError, ValueError):
            array = np.zeros(0)
        if array.ndim != 2 or array.shape[1] != width or array.dtype.kind not in "iu":
            message = f"choices must be whole numbers of shape (n, {width})"
            raise ArgumentError(message, field="choices")
        wrong = np.argwhere((array < 0) | (array >= np.array(self._sizes)))
        if wrong.size:
            row, column = wrong[0].tolist()
            name = [*self.variables][column]
            message = (
                f"{name} has the values 0 to {self._sizes[column] - 1}, not {array[row, column]}"
            )
            raise ArgumentError(message, field="choices").at(f"choice {row}", row)
        checked: Choices = array.astype(np.int8)
        return checked

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OneShotSpace):
            return NotImplemented
        return self._number == other._number

    def __hash__(self) -> int:
        return hash((OneShotSpace, self._number))

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return OneShotSpace, (self._number,)

    def __repr__(self) -> str:
        return f"OneShotSpace({self._number})"
