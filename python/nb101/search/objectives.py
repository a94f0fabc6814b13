"""Several objectives: their names, the sets of EvoXBench, and what a search of them is judged by.

All are to be minimized. A searcher is told what its query answered: one minus the validation
accuracy of that run, and its training time; parameters and multiply-accumulates are the cell's. It
is judged by means at the largest budget of the table, and by one minus the mean *test* accuracy,
as regret is: of these the exact front is known. Objectives are normalized as in EvoXBench (Lu et
al. 2023, arXiv 2208.04321): the least values on the exact front become 0 and the largest 1, and
that point of ones, the nadir, is the reference of the hypervolume.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101._base.checks import check_type, iterated, nearest
from nb101._base.lazy import cached_property
from nb101.errors import ArgumentError, ArgumentTypeError, DatasetError, UnknownNameError
from nb101.search.domain import Domain, Ints, domain_of
from nb101.search.searcher import Entry, registry
from nb101.space.default import default_space
from nb101.space.one_shot import OneShotSpace
from nb101.table.noise import Answer
from nb101.table.table import Table

Floats = npt.NDArray[np.float64]

OBJECTIVES: Mapping[str, str] = {
    "error": "validation error of the run; mean test error where it is judged",
    "parameters": "trainable parameters",
    "flops": "multiply-accumulates",
    "training_time": "seconds of training of the run; their mean where it is judged",
}
"""What each objective is, by its name."""
ALIASES: Mapping[str, str] = {
    "validation_error": "error",
    "trainable_parameters": "parameters",
}
"""What objectives are called elsewhere."""
SETS: Mapping[str, tuple[str, ...]] = {
    "c10mop1": ("error", "parameters"),
    "c10mop2": ("error", "parameters", "flops"),
}
"""The problems of EvoXBench on NAS-Bench-101, in its order of objectives."""
SETS_EPOCHS = 108
"""The budget of these problems, in all of NAS-Bench-101."""


def objectives_of(given: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of objectives, of a list of them, a set's name, or names between commas.

    Raises
    ------
    ArgumentTypeError, ArgumentError, UnknownNameError
        If they are no names, fewer than two, one twice, or one is not known.
    """
    names = given.split(",") if isinstance(given, str) else iterated(given)
    if names is None or isinstance(given, bytes) or not all(isinstance(x, str) for x in names):
        message = f"objectives are a list of names, or the name of a set, not {given!r}"
        raise ArgumentTypeError(message, field="objectives")
    named = [name.strip() for name in names]
    if len(named) == 1 and named[0] in SETS:
        return SETS[named[0]]
    names = [ALIASES.get(name, name) for name in named if name]
    for name in names:
        if name not in OBJECTIVES:
            near = nearest(name.lower(), [*OBJECTIVES, *ALIASES, *SETS])
            there = f"there are {', '.join(OBJECTIVES)}, and the sets {', '.join(SETS)}"
            hint = f"did you mean {near[0]!r}?" if near else there
            if name in SETS:
                hint = "it is a whole set of them: name it alone"
            raise UnknownNameError(f"no objective is called {name!r}; {hint}", field="objectives")
    if len(names) < 2 or len(set(names)) < len(names):
        given_names = ", ".join(filter(None, named)) or "none"
        message = f"a search needs two or more different objectives, not {given_names}"
        raise ArgumentError(message, field="objectives")
    return tuple(names)


def check_objectives(
    entry: Entry, given: str | Sequence[str] | None, table: Table, epochs: int, whole: bool
) -> tuple[str, ...]:
    """Return the names of the objectives of a search, none for accuracy alone.

    Parameters
    ----------
    entry
        The algorithm.
    given
        As in `objectives_of`; `None` for none.
    table, epochs, whole
        What is searched: at which budget, and whether all of the table's space.

    Raises
    ------
    ArgumentTypeError, ArgumentError, UnknownNameError
        If they are wrong, the algorithm cannot search for several, or for one; or if a set is named
        and this is not its space or budget.
    """
    if given is None or (not isinstance(given, str) and iterated(given) == []):
        if entry.searcher.needs_objectives:
            message = (
                f"{entry.name} searches for several objectives: name two or more of "
                f"{', '.join(OBJECTIVES)}, or one of the sets {', '.join(SETS)}"
            )
            raise ArgumentError(message, field="objectives")
        return ()
    names = objectives_of(given)
    if not entry.searcher.several_objectives:
        able = [x.name for x in registry().values() if x.searcher.several_objectives]
        message = (
            f"{entry.name} searches for accuracy alone; several objectives are searched for by "
            f"{', '.join(able)}"
        )
        raise ArgumentError(message, field="objectives")
    _check_set(given, names, table, epochs, whole)
    return names


def _check_set(
    given: str | Sequence[str], names: tuple[str, ...], table: Table, epochs: int, whole: bool
) -> None:
    """See that what is called by the name of a set is of what that is of."""
    called = (given if isinstance(given, str) else given[0]).strip()
    vertices, edges, ops = table.space.max_vertices, table.space.max_edges, table.space.ops
    budgets = table.epochs
    if called in SETS and not (
        whole and is_of_sets((vertices, edges, ops), table.num_cells, epochs, budgets)
    ):
        message = (
            f"{called} is of all cells of NAS-Bench-101 at {SETS_EPOCHS} epochs; here name its "
            f"objectives: {', '.join(names)}"
        )
        raise ArgumentError(message, field="objectives")


def is_of_sets(
    space: tuple[int, int, Sequence[str]], cells: int, epochs: int, budgets: Iterable[int]
) -> bool:
    """Whether a table of so many cells of a space and these budgets, at one, is of the sets."""
    whole = default_space()
    vertices, edges, ops = space
    return (
        (vertices, edges, tuple(ops)) == (whole.max_vertices, whole.max_edges, whole.ops)
        and cells == len(whole)
        and epochs == SETS_EPOCHS == max(budgets)
    )


# Indicators


def hypervolume(costs: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Return the hypervolume of points: of all below the reference and above one of them.

    It is exact. Of two or three objectives it takes the time of a sort; of more, that of the
    algorithm of While, Bradstreet and Barone (2012), which may grow exponentially with their
    number.

    Parameters
    ----------
    costs
        Points to be minimized, shape ``(n, d)``; those that are not below the reference in every
        objective count for nothing.
    reference
        The reference point, shape ``(d,)``.

    Raises
    ------
    ArgumentError
        If shapes do not fit, or a number is not finite.

    Examples
    --------
    >>> import nb101
    >>> nb101.search.hypervolume([[0.25, 0.5], [0.5, 0.25]], [1, 1])
    0.5
    """
    point = _point(reference)
    rows = _rows("costs", costs, len(point))
    return float(_core.hypervolume(rows.ravel(), point))


def igd_plus(costs: npt.ArrayLike, front: npt.ArrayLike) -> float:
    """Return the mean distance from each point of a front to the nearest of some points, IGD+.

    A point is distant only where it is worse than that of the front (Ishibuchi et al. 2015), so
    that a point which is as good throughout has the distance 0.

    Parameters
    ----------
    costs
        Points to be minimized, shape ``(n, d)``.
    front
        The front, shape ``(m, d)``.

    Raises
    ------
    ArgumentError
        If shapes do not fit, a number is not finite, or there are no points.

    Examples
    --------
    >>> import nb101
    >>> nb101.search.igd_plus([[0.5, 0.5]], [[0.5, 0.25], [0.75, 0.5]])
    0.125
    """
    points = _rows("front", front)
    rows = _rows("costs", costs, points.shape[1])
    for name, given in (("costs", rows), ("front", points)):
        if not len(given):
            raise ArgumentError(f"{name} must have a point or more", field=name)
    return float(_core.igd_plus(rows.ravel(), points.ravel(), points.shape[1]))


def _point(values: npt.ArrayLike) -> Floats:
    point = _numbers("reference", values)
    if point.ndim != 1 or not point.size:
        message = f"reference must have shape (d,), not {point.shape}"
        raise ArgumentError(message, field="reference")
    return point


def _rows(name: str, values: npt.ArrayLike, width: int | None = None) -> Floats:
    rows = _numbers(name, values)
    if not rows.size and width is not None:
        rows = rows.reshape(0, width)
    if rows.ndim != 2 or not rows.shape[1] or width not in (None, rows.shape[1]):
        wanted = "shape (n, d)" if width is None else f"shape (n, {width})"
        raise ArgumentError(f"{name} must have {wanted}, not {rows.shape}", field=name)
    return rows


def _numbers(name: str, values: npt.ArrayLike) -> Floats:
    try:
        found = np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise ArgumentTypeError(f"{name} must be an array of numbers", field=name) from None
    if not np.isfinite(found).all():
        raise ArgumentError(f"{name} must be finite numbers", field=name)
    return found


# The exact front


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class ExactFront:
    """The cells of a table that no other one beats in several objectives.

    Attributes
    ----------
    objectives
        Their names.
    cell_ids
        Cells of the front, the first objective ascending; shape ``(n,)``.
    values
        Their objectives as they are judged, shape ``(n, d)``.
    """

    objectives: tuple[str, ...]
    cell_ids: Ints
    values: Floats

    def __len__(self) -> int:
        return len(self.cell_ids)

    def __repr__(self) -> str:
        return f"<ExactFront of {', '.join(self.objectives)}: {len(self):,} cells>"

    @property
    def utopian(self) -> Floats:
        """The least of each objective on the front, which is normalized to 0."""
        least: Floats = self.values.min(axis=0)
        return least

    @property
    def nadir(self) -> Floats:
        """The largest of each objective on the front, which is normalized to 1: the reference."""
        most: Floats = self.values.max(axis=0)
        return most

    def normalize(self, values: npt.ArrayLike) -> Floats:
        """Return objectives, shape ``(n, d)``, between the utopian point and the nadir."""
        rows = _rows("values", values, len(self.objectives))
        return np.asarray((rows - self.utopian) / (self.nadir - self.utopian))

    @cached_property
    def volume(self) -> float:
        """The hypervolume of the front, normalized: what that of others is a fraction of."""
        return hypervolume(self.normalize(self.values), np.ones(len(self.objectives)))

    def hypervolume(self, values: npt.ArrayLike) -> float:
        """Return the hypervolume of points as a fraction of the front's."""
        volume = hypervolume(self.normalize(values), np.ones(len(self.objectives)))
        return min(volume / self.volume, 1.0)

    def igd_plus(self, values: npt.ArrayLike) -> float:
        """Return the IGD+ of points, normalized."""
        return igd_plus(self.normalize(values), self.normalize(self.values))


def exact_front(
    table: Table,
    objectives: str | Sequence[str],
    *,
    epochs: int | None = None,
    space: OneShotSpace | None = None,
) -> ExactFront:
    """Return the exact front of a table, which searches of several objectives are judged by.

    Parameters
    ----------
    table
        The table.
    objectives
        Two or more of ``"error"``, ``"parameters"``, ``"flops"`` and ``"training_time"``; or
        ``"c10mop1"`` or ``"c10mop2"``, the problems of EvoXBench.
    epochs
        The budget that cells are to have runs at, those of the search; by default the largest of
        the table, whose values are the front's in any case.
    space
        A space of NAS-Bench-1Shot1, for the front of its cells.

    Raises
    ------
    ArgumentError
        If the objectives are wrong.
    DatasetError, MissingRunError
        If the table lacks what it takes, or the front spans no volume.

    Examples
    --------
    >>> import nb101
    >>> front = nb101.search.exact_front(nb101.load_table(), "c10mop1")
    >>> front.objectives, len(front), front.hypervolume(front.values)
    (('error', 'parameters'), 37, 1.0)
    """
    from nb101.search.choices import choices_of

    check_type("table", table, Table)
    names = objectives_of(objectives)
    budget = table.budget_or_largest(epochs).epochs
    _check_set(objectives, names, table, budget, space is None)
    domain = domain_of(table, (budget,))
    return goals_of(
        table, domain if space is None else choices_of(domain, table, space), names
    ).front


@dataclass(frozen=True, kw_only=True, eq=False)
class Goals:
    """The objectives of a search of a table: what each query is told of them, and the truth.

    Attributes
    ----------
    front
        The exact front of what is searched.
    cell_ids
        The cells of the table, ascending; `None` where each place is a cell's id.
    truth
        What each of them is judged by, shape ``(cells, d)``.
    fixed
        Parameters and so on of each, whole numbers by name: what no run changes.
    """

    front: ExactFront
    cell_ids: Ints | None
    truth: Floats
    fixed: Mapping[str, Ints]

    @property
    def names(self) -> tuple[str, ...]:
        """The objectives."""
        return self.front.objectives

    def of(self, cell_id: int, answer: Answer) -> Floats:
        """Return what a searcher is told of one answer, shape ``(d,)``."""
        place = cell_id if self.cell_ids is None else int(np.searchsorted(self.cell_ids, cell_id))
        run = {"error": 1.0 - answer[2], "training_time": answer[0]}
        told = [run[name] if name in run else self.fixed[name][place] for name in self.names]
        return np.array(told, dtype=np.float64)

    def of_many(self, cell_ids: Ints, seconds: Any, accuracies: Any) -> Floats:
        """Return what a searcher is told of many answers, shape ``(n, d)``."""
        places = self._places(cell_ids)
        columns = {
            "error": lambda: 1.0 - np.asarray(accuracies, dtype=np.float64),
            "training_time": lambda: np.asarray(seconds, dtype=np.float64),
        }
        told = [
            columns[name]() if name in columns else self.fixed[name][places] for name in self.names
        ]
        return np.stack(told, axis=1).astype(np.float64)

    def columns(self, answers: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
        """Return what a trace has beside the columns of other searches, of its answers."""
        cell_ids = np.asarray(answers["cell_ids"], dtype=np.int64)
        places = self._places(cell_ids)
        # As the trace keeps them, so that its columns say how its front comes about.
        told = self.of_many(
            cell_ids,
            np.asarray(answers["training_time"], dtype=np.float32),
            np.asarray(answers["validation_accuracy"], dtype=np.float32),
        )
        truth, front = self.truth[places], self.front
        volumes, distances = _core.front_course(
            told.ravel(),
            front.normalize(truth).ravel(),
            front.normalize(front.values).ravel(),
            len(self.names),
        )
        found = {name: column[places] for name, column in self.fixed.items()}
        for name, column in zip(self.names, truth.T, strict=True):
            if name not in found:
                found[f"true_{name}"] = np.ascontiguousarray(column)
        return {
            **found,
            "hypervolume": np.minimum(volumes / front.volume, 1.0),
            "igd_plus": distances,
        }

    def about(self) -> dict[str, Any]:
        """Return what a trace says of them."""
        return {
            "objectives": list(self.names),
            "utopian": self.front.utopian.tolist(),
            "nadir": self.front.nadir.tolist(),
            "front_cells": len(self.front),
        }

    def _places(self, cell_ids: Ints) -> Ints:
        return cell_ids if self.cell_ids is None else np.searchsorted(self.cell_ids, cell_ids)


def value_of(cell_id: int, answer: Answer, goals: Goals | None) -> Any:
    """Return what a searcher is told of an answer: validation accuracy, or several objectives."""
    return answer[2] if goals is None else goals.of(cell_id, answer)


def goals_of(table: Table, domain: Domain, names: tuple[str, ...]) -> Goals:
    """Return the objectives of a search of a table; the table keeps them.

    Raises
    ------
    DatasetError
        If the table lacks what is judged of a cell that can be queried, or the exact front spans no
        volume.
    """
    key = ("goals", names, domain.key)
    return table.keep(key, lambda: _goals_of(table, domain, names))


def _goals_of(table: Table, domain: Domain, names: tuple[str, ...]) -> Goals:
    from nb101.analysis.common import cell_values
    from nb101.analysis.pareto import non_dominated

    columns = {
        name: 1.0 - cell_values(table, "test_accuracy")
        if name == "error"
        else cell_values(table, name)
        for name in names
    }
    truth = np.stack(list(columns.values()), axis=1)
    whole = table.num_cells == len(table.space)
    ids = domain.cell_ids
    places = ids if whole else np.searchsorted(table.cell_ids, ids)
    known = np.isfinite(truth[places])
    if not known.all():
        row, column = np.argwhere(~known)[0]
        message = f"the {names[column]} of cell {ids[row]} is not known at the largest budget"
        raise DatasetError(message)
    rows = non_dominated(truth[places])
    rows = rows[np.lexsort(truth[places[rows]].T[::-1])]
    front = ExactFront(objectives=names, cell_ids=ids[rows], values=truth[places[rows]])
    if (front.utopian == front.nadir).any() or not front.volume > 0:
        message = (
            f"the exact front of {', '.join(names)} spans no volume, which hypervolumes could be "
            "compared with: searches of these objectives cannot be judged"
        )
        raise DatasetError(message)
    return Goals(
        front=front,
        cell_ids=None if whole else table.cell_ids,
        truth=truth,
        fixed={
            name: np.nan_to_num(columns[name]).astype(np.int64)
            for name in ("parameters", "flops")
            if name in columns
        },
    )
