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

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101 import encodings
from nb101.errors import ArgumentError, DisconnectedError, MissingRunError, UnknownNameError
from nb101.search.searcher import need
from nb101.space.cell import Cell
from nb101.space.cells import Cells
from nb101.space.default import space_of
from nb101.space.search_space import SearchSpace
from nb101.space.words import num_pairs
from nb101.table.benchmark import Benchmark

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
    names = variables(encoding, space)
    missing = [name for name in names if name not in values]
    if missing:
        message = f"no value of {missing[0]}: encoding {encoding!r} has {', '.join(names)}"
        raise ArgumentError(message, field=missing[0])
    v = space.max_vertices
    pairs, k = num_pairs(v), len(space.ops)
    ops = [_op(f"op_node_{i}", values[f"op_node_{i}"], space) for i in range(v - 2)]
    edges: list[Any]
    if encoding == ADJACENCY:
        edges = [values[f"edge_{i}"] for i in range(pairs)]
        ops = [int(op == code) for op in ops for code in range(k)]
    elif encoding == CATEGORICAL:
        edges = [values[f"edge_{i}"] for i in range(space.max_edges)]
    else:
        edges = [*(values[f"edge_{i}"] for i in range(pairs)), values["num_edges"]]
    vector = np.array([[*edges, *ops]], dtype=np.float64)
    try:
        cell = ENCODINGS[encoding](vector, space)[0]
    except DisconnectedError:
        return None
    return cell if cell in space else None


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


def space_of_variables(
    title: str, named: Mapping[str, Any], seed: int | None
) -> "ConfigurationSpace":
    """Define variables for ConfigSpace: by name a list of choices, or what `variables` has."""
    library = need("ConfigSpace", "ConfigSpace")
    made: ConfigurationSpace = library.ConfigurationSpace(name=title, seed=seed)
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
    to the benchmark. Of each trial the attributes ``cell_id`` and ``seconds``, the clock after it,
    are set.

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
    asked = variables(encoding, table.space)

    def objective(trial: "Trial") -> float:
        values: dict[str, Any] = {}
        for name, choices in asked.items():
            if not isinstance(choices, _Interval):
                values[name] = trial.suggest_categorical(name, choices)
            elif isinstance(choices[0], int):
                values[name] = trial.suggest_int(name, *choices)
            else:
                values[name] = trial.suggest_float(name, *choices)
        cell = to_cell(encoding, values, table.space)
        if cell is None:
            raise optuna.TrialPruned("no cell of the space")
        try:
            run = benchmark.query(cell, budget)
        except MissingRunError as error:
            raise optuna.TrialPruned(str(error)) from None
        trial.set_user_attr("cell_id", run.cell_id)
        trial.set_user_attr("seconds", benchmark.spent.seconds)
        return run.validation_accuracy

    return objective


def _check(encoding: str) -> None:
    if encoding not in ENCODINGS:
        message = f"encoding must be one of {', '.join(ENCODINGS)}, not {encoding!r}"
        raise ArgumentError(message, field="encoding")


def _op(variable: str, name: Any, space: SearchSpace) -> int:
    if name not in space.ops:
        message = f"no op is called {name!r}: the space has {', '.join(space.ops)}"
        raise UnknownNameError(message, field=variable)
    return space.ops.index(name)
