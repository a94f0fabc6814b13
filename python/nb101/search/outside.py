"""The space for outside optimizers: an objective for Optuna, definitions for ConfigSpace.

Three encodings, those of the paper's search benchmark (its supplement, and the scripts at
github.com/automl/nas_benchmarks, classes ``NASCifar10A``, ``B`` and ``C``), whose names of
variables are kept. Each has ``op_node_0``... for the interior vertices, and

- ``"adjacency"``: ``edge_0``... of 0 or 1, for each entry of the upper triangle, row by row;
- ``"categorical"``: ``edge_0``... for as many edges as a cell may have, each the number of an entry
  of the triangle; equal ones count once;
- ``"continuous"``: ``num_edges``, and ``edge_0``... in [0, 1] for each entry; those of the highest
  numbers are edges.

A set of values may be no cell of the space, as most are.
"""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101 import encodings
from nb101._base.checks import check_range
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    DisconnectedError,
    MissingRunError,
    UnknownNameError,
)
from nb101.search.searcher import need
from nb101.space.cell import Cell
from nb101.space.cells import Cells
from nb101.space.default import space_of
from nb101.space.search_space import SearchSpace
from nb101.space.words import VERTICES, edge_bit, num_pairs, op_shift
from nb101.table.benchmark import Benchmark, Run

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace
    from optuna import Trial

ADJACENCY, CATEGORICAL, CONTINUOUS = "adjacency", "categorical", "continuous"
ENCODINGS: dict[str, Callable[[Any, SearchSpace], Cells]] = {
    ADJACENCY: encodings.from_one_hot,
    CATEGORICAL: encodings.from_categorical,
    CONTINUOUS: encodings.from_continuous,
}

Range = tuple[int, int] | tuple[float, float]
PLACES = 9
"""Decimals that ConfigSpace keeps of a number."""


class _Interval(tuple[Any, Any]):
    """The lowest and highest value of a number; others are lists of choices."""


def variables(encoding: str, space: SearchSpace | None = None) -> dict[str, Any]:
    """Return the variables of an encoding.

    Parameters
    ----------
    encoding
        ``"adjacency"``, ``"categorical"`` or ``"continuous"``.
    space
        NAS-Bench-101 by default.

    Returns
    -------
    By name a list of choices, or the tuple of the lowest and highest value: of ints for whole
    numbers, of floats for others.
    """
    space = space_of(space)
    _check(encoding)
    v = space.max_vertices
    pairs, most = num_pairs(v), space.max_edges
    found: dict[str, Any] = {}
    if encoding == ADJACENCY:
        found |= {f"edge_{i}": [0, 1] for i in range(pairs)}
    elif encoding == CATEGORICAL:
        found |= {f"edge_{i}": list(range(pairs)) for i in range(most)}
    else:
        found["num_edges"] = _Interval((0, most))
        found |= {f"edge_{i}": _Interval((0.0, 1.0)) for i in range(pairs)}
    return found | {f"op_node_{i}": list(space.ops) for i in range(v - 2)}


def to_cell(
    encoding: str, values: Mapping[str, Any], space: SearchSpace | None = None
) -> Cell | None:
    """Return the cell that values of the variables stand for; `None` if they are no cell.

    Parameters
    ----------
    encoding, space
        As in `variables`.
    values
        A value for each variable: the ``params`` of Optuna's trial, ConfigSpace's configuration.

    Raises
    ------
    ArgumentError
        If a variable is missing, or has a value that it cannot have.
    """
    space = space_of(space)
    _check(encoding)
    if not isinstance(values, Mapping):
        raise ArgumentTypeError(
            f"values must be a dict of variables, not {values!r}", field="values"
        )
    names = variables(encoding, space)
    missing = [name for name in names if name not in values]
    if missing:
        message = f"no value of {missing[0]}: encoding {encoding!r} has {', '.join(names)}"
        raise ArgumentError(message, field=missing[0])
    v = space.max_vertices
    pairs, k = num_pairs(v), len(space.ops)
    ops = [_op(f"op_node_{i}", values[f"op_node_{i}"], space) for i in range(v - 2)]
    count = space.max_edges if encoding == CATEGORICAL else pairs
    edges = [_number(f"edge_{i}", values) for i in range(count)]
    if encoding == ADJACENCY:
        outside = next((i for i, edge in enumerate(edges) if not 0 <= edge <= 1), None)
        if outside is not None:
            name = f"edge_{outside}"
            raise ArgumentError(f"{name} must be 0 or 1, not {values[name]!r}", field=name)
        ops = [int(op == code) for op in ops for code in range(k)]
    elif encoding == CONTINUOUS:
        edges.append(_number("num_edges", values))
    vector = np.array([[*edges, *ops]], dtype=np.float64)
    try:
        cell = ENCODINGS[encoding](vector, space)[0]
    except DisconnectedError:
        return None
    return cell if cell in space else None


class Reader:
    """Finds the cells of values of an encoding's variables, as `to_cell` does, in microseconds.

    Of a dict it takes 2 to 4 us where `to_cell` takes 67; of a ``Configuration`` of ConfigSpace 2
    to 6, for it reads the vector within, where ``dict(configuration)`` alone takes 170 to 480.

    Parameters
    ----------
    encoding, space
        As in `variables`.
    original
        Whether values are those of ``NASCifar10A``, ``B`` and ``C``: these number the edges of the
        categorical encoding column by column from the end, refuse more edges than a cell may have
        even where those that count are few, and of equal numbers take what NumPy sorts last.
    """

    def __init__(
        self, encoding: str, space: SearchSpace | None = None, *, original: bool = False
    ) -> None:
        self.space = space = space_of(space)
        self.encoding = encoding
        self.original = original
        self.variables = variables(encoding, space)
        v = space.max_vertices
        pairs = num_pairs(v)
        rows, columns = np.triu_indices(v, 1)
        bits: list[int] = (1 << edge_bit(rows, columns)).tolist()
        self._edges: list[tuple[str, dict[Any, int]]] = []
        self._numbers: list[str] = []
        if encoding == ADJACENCY:
            self._edges = [(f"edge_{i}", {0: 0, 1: bits[i]}) for i in range(pairs)]
        elif encoding == CATEGORICAL:
            named = [1 << (pairs - 1 - i) for i in range(pairs)] if original else bits
            words = dict(enumerate(named))
            self._edges = [(f"edge_{i}", words) for i in range(space.max_edges)]
        else:
            self._numbers = [f"edge_{i}" for i in range(pairs)]
        self._ops: list[tuple[str, dict[Any, int]]] = [
            (f"op_node_{i}", {op: code << op_shift(i + 1) for code, op in enumerate(space.ops)})
            for i in range(v - 2)
        ]
        self._bits, self._pairs, self._vertices = bits, pairs, v << VERTICES
        self._most = space.max_edges
        self._id = space.core.module_id
        self._known: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _reader, (self.encoding, self.space, self.original)

    def cell_id(self, values: Any) -> int:
        """Return the id of the cell that values stand for; -1 if they are no cell.

        Parameters
        ----------
        values
            As in `to_cell`.

        Raises
        ------
        ArgumentError
            As `to_cell` does.
        """
        try:
            edges, labels = self._words(values)
        except (KeyError, IndexError, TypeError, ValueError):
            # What is wrong, or unusual as a flag of 0.7 is.
            cell = to_cell(self.encoding, values, self.space)
            if self.original:
                raise ArgumentError(
                    f"these are no values of the variables of encoding {self.encoding!r}",
                    field="values",
                ) from None
            return -1 if cell is None else self.space.index(cell)
        if self.original and edges.bit_count() > self._most:
            return -1
        return self._id(edges, labels)

    def _words(self, values: Any) -> tuple[int, int]:
        """Pack values as edge mask and label word."""
        if not isinstance(values, dict) and hasattr(values, "get_array"):
            return self._words_of_vector(values)
        edges, labels = 0, self._vertices
        for name, words in self._ops:
            labels |= words[values[name]]
        for name, words in self._edges:
            edges |= words[values[name]]
        if self._numbers:
            edges = self._highest([values[name] for name in self._numbers], values["num_edges"])
        return edges, labels

    def _words_of_vector(self, configuration: Any) -> tuple[int, int]:
        if configuration.config_space is not self._known:
            self._know(configuration.config_space)
        array = configuration.get_array()
        vector = array.tolist()
        edges, labels = 0, self._vertices
        for place, indexed in self._ops_by_place:
            labels |= indexed[int(vector[place])]
        for place, indexed in self._edges_by_place:
            edges |= indexed[int(vector[place])]
        if self._numbers:
            rounded = array.round(PLACES).tolist()
            place = vector[self._count_place]
            # Asking the variable itself takes longer than all else here.
            count = self._counts.get(place)
            if count is None:
                count = self._count.to_value(place)
            edges = self._highest([rounded[i] for i in self._number_places], count)
        return edges, labels

    def _know(self, defined: Any) -> None:
        """Learn where the variables are in vectors of a ``ConfigurationSpace``.

        Raises
        ------
        ValueError
            If it is not that of `config_space`.
        """
        if list(defined) != sorted(self.variables):
            raise ValueError("other variables")
        for name, choices in self.variables.items():
            known = defined[name]
            if isinstance(choices, _Interval):
                same = (known.lower, known.upper, known.log) == (*choices, False)
            else:
                same = list(getattr(known, "choices", [getattr(known, "value", None)])) == choices
            if not same:
                raise ValueError(f"another {name}")
        place = defined.index_of
        self._ops_by_place = [(place[name], list(words.values())) for name, words in self._ops]
        self._edges_by_place = [(place[name], list(words.values())) for name, words in self._edges]
        if self._numbers:
            self._number_places = [place[name] for name in self._numbers]
            self._count, self._count_place = defined["num_edges"], place["num_edges"]
            self._counts = {float(self._count.to_vector(i)): i for i in range(self._most + 1)}
        self._known = defined

    def _highest(self, numbers: list[Any], count: Any) -> int:
        """Return the mask of as many edges as `count` says, those of the highest numbers."""
        if not math.isfinite(sum(numbers)) or not 0 <= count <= self._pairs or count != int(count):
            raise ValueError("no numbers of edges")
        count = int(count)
        if self.original:
            chosen = np.argsort(numbers)[::-1][:count].tolist()
        else:
            chosen = sorted(range(self._pairs), key=numbers.__getitem__, reverse=True)[:count]
        edges = 0
        for i in chosen:
            edges |= self._bits[i]
        return edges


def _reader(encoding: str, space: SearchSpace, original: bool) -> Reader:
    return Reader(encoding, space, original=original)


def config_space(
    encoding: str = ADJACENCY, space: SearchSpace | None = None, *, seed: int | None = None
) -> "ConfigurationSpace":
    """Define an encoding for ConfigSpace, which SMAC and others take.

    Parameters
    ----------
    encoding, space
        As in `variables`.
    seed
        Of its samples.

    Raises
    ------
    MissingExtraError
        If ConfigSpace is missing: ``pip install 'nb101[search]'``.
    """
    return space_of_variables(f"nb101 {encoding}", variables(encoding, space), seed)


def check_seed(seed: Any) -> int | None:
    """Return a seed as NumPy's older generator takes it; `None` stays."""
    return None if seed is None else check_range("seed", seed, 0, 2**32 - 1)


def space_of_variables(
    title: str, named: Mapping[str, Any], seed: int | None
) -> "ConfigurationSpace":
    """Define variables for ConfigSpace: by name a list of choices, or what `variables` has."""
    library = need("ConfigSpace", "ConfigSpace")
    made: ConfigurationSpace = library.ConfigurationSpace(name=title, seed=check_seed(seed))
    for name, values in named.items():
        if not isinstance(values, _Interval):
            # Nothing to choose from is a constant there.
            made.add(
                library.Categorical(name, values)
                if len(values) > 1
                else library.Constant(name, values[0])
            )
        elif isinstance(values[0], int):
            made.add(library.Integer(name, tuple(values)))
        else:
            made.add(library.Float(name, tuple(values)))
    return made


def optuna_objective(
    benchmark: Benchmark, *, encoding: str = ADJACENCY, epochs: int | None = None
) -> "Callable[[Trial], float]":
    """Make an objective for Optuna: to be maximized, it is the validation accuracy of a query.

    What is no cell of the space, or has no run, is pruned and costs nothing; the rest is charged
    to the benchmark. Of each trial the attributes ``cell_id``, ``seconds``, the clock after it, and
    ``kind``, whether the numbers are measured or predicted, are set.

    Parameters
    ----------
    benchmark
        What is queried.
    encoding
        As in `variables`.
    epochs
        The budget; by default the largest of the table.

    Raises
    ------
    MissingExtraError
        If Optuna is missing: ``pip install 'nb101[search]'``.
    """
    optuna = need("optuna", "Optuna")
    table = benchmark.table
    budget = table.budget_or_largest(epochs).epochs
    reader = Reader(encoding, table.space)
    asked = reader.variables

    def objective(trial: "Trial") -> float:
        values: dict[str, Any] = {}
        for name, choices in asked.items():
            if not isinstance(choices, _Interval):
                values[name] = trial.suggest_categorical(name, choices)
            elif isinstance(choices[0], int):
                values[name] = trial.suggest_int(name, *choices)
            else:
                values[name] = trial.suggest_float(name, *choices)
        cell_id = reader.cell_id(values)
        if cell_id < 0:
            raise optuna.TrialPruned("no cell of the space")
        try:
            run = benchmark.query(cell_id, budget)
        except MissingRunError as error:
            raise optuna.TrialPruned(str(error)) from None
        note(trial, run, benchmark)
        return run.validation_accuracy

    return objective


def note(trial: "Trial", run: Run, benchmark: Benchmark) -> None:
    """Set the attributes of a trial of Optuna: cell, clock, and the kind of its numbers."""
    trial.set_user_attr("cell_id", run.cell_id)
    trial.set_user_attr("seconds", benchmark.spent.seconds)
    trial.set_user_attr("kind", benchmark.table.kind)


def _check(encoding: str) -> None:
    if not isinstance(encoding, str) or encoding not in ENCODINGS:
        message = f"encoding must be one of {', '.join(ENCODINGS)}, not {encoding!r}"
        raise ArgumentError(message, field="encoding")


def _number(variable: str, values: Mapping[str, Any]) -> float:
    try:
        return float(values[variable])
    except (TypeError, ValueError, OverflowError):
        message = f"{variable} must be a number, not {values[variable]!r}"
        raise ArgumentError(message, field=variable) from None


def _op(variable: str, name: Any, space: SearchSpace) -> int:
    if not isinstance(name, str) or name not in space.ops:
        message = f"no op is called {name!r}: the space has {', '.join(space.ops)}"
        raise UnknownNameError(message, field=variable)
    return space.ops.index(name)
