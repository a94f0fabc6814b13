"""EvoXBench's interface to NAS-Bench-101: its encoding, objectives and indicators, of any table.

EvoXBench (Lu et al. 2023, arXiv 2208.04321; evoxbench 1.0.5 on PyPI) needs Django and a database
that is fetched by hand. Here its classes for NAS-Bench-101 have the same names, methods and
results, and a table of nb101 in the database's place. Fronts are the exact ones of that table,
where EvoXBench has those of the genuine dataset in files of their own.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101 import datasets, encodings
from nb101._base.checks import check_generator, check_whole, iterated
from nb101._base.lazy import cached_property
from nb101.adapters.asking import check_metrics, module_of
from nb101.analysis.common import cell_values
from nb101.analysis.pareto import non_dominated
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    InvalidCellError,
    MissingRunError,
    UnknownNameError,
    UnknownOpError,
)
from nb101.search.objectives import ExactFront, exact_front, hypervolume
from nb101.space.cell import Cell
from nb101.space.cells import Cells
from nb101.space.default import default_space
from nb101.space.ops import INPUT, OPS, OUTPUT
from nb101.space.words import VERTICES, edge_bit, op_shift
from nb101.table.benchmark import Benchmark
from nb101.table.table import Table

__all__ = [
    "NASBench101Benchmark",
    "NASBench101Evaluator",
    "NASBench101SearchSpace",
    "c10mop",
]


def __dir__() -> list[str]:
    return sorted(__all__)


OBJECTIVES = {"err": "error", "params": "parameters", "flops": "flops"}
"""What objectives are called there and here; in the order in which they stand in results."""
PROBLEMS = {1: "err&params", 2: "err&params&flops"}
OBSERVED = "validation_accuracy"
"""What a query's error is one less of."""
INDICATORS = ("igd", "hv", "normalized_hv")
SIZE = 7
"""Vertices of all matrices."""
EDGES, SPOTS = SIZE * (SIZE - 1) // 2, SIZE - 2
"""Variables for edges, and for ops."""

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Arch = Mapping[str, Any]
"""A cell as EvoXBench has it: ``matrix`` and ``ops``."""


class NASBench101SearchSpace:
    """Cells as EvoXBench encodes them: 21 edges, row by row, and the ops of 5 vertices.

    Parameters
    ----------
    seed
        Of its samples.

    Attributes
    ----------
    n_var
        26.
    lb, ub, categories
        The lowest and highest value of each variable, and all of them: 0 and 1 of edges; 0, 1 and
        2 of ops, 3x3 and 1x1 convolution and max pool.
    """

    name = "NASBench101SearchSpace"

    def __init__(self, seed: int | None = None) -> None:
        self.n_var = EDGES + SPOTS
        self.lb = [0] * self.n_var
        self.ub = [1] * EDGES + [len(OPS) - 1] * SPOTS
        self.categories = [list(range(most + 1)) for most in self.ub]
        self._rng = check_generator("seed", seed)

    def sample(self, n_samples: int) -> list[dict[str, Any]]:
        """Draw matrices and ops, each entry on its own: many of them are no cells."""
        X = self._rng.integers(
            0, np.add(self.ub, 1), (check_whole("n_samples", n_samples, 0), self.n_var)
        )
        return self.decode(X)

    def encode(self, archs: Iterable[Arch | Cell]) -> npt.NDArray[np.int64]:
        """Return the variables of matrices and ops, or of cells; shape ``(n, 26)``.

        A cell of fewer than 7 vertices has output last, and before it vertices without edges.

        Raises
        ------
        InvalidCellError
            If a matrix is not 7 x 7, of 0 and 1 above its diagonal, or ops are not 7, input
            first and output last.
        UnknownOpError
            If an op is not of NAS-Bench-101.
        """
        if isinstance(archs, Cells):
            return _encode_cells(archs)
        listed = iterated(archs)
        if listed is None:
            raise ArgumentTypeError(
                f"expected a list of matrices and ops, not {type(archs).__name__}", field="archs"
            )
        rows = [
            _encode_cells(Cells([arch]))[0] if isinstance(arch, Cell) else _encode(arch)
            for arch in listed
        ]
        return np.array(rows, np.int64).reshape(-1, self.n_var)

    def decode(self, X: npt.ArrayLike) -> list[dict[str, Any]]:
        """Return the ``matrix`` (int, shape ``(7, 7)``) and the ``ops`` of each row of variables.

        Raises
        ------
        ArgumentError
            If a variable has no such value.
        """
        X = self.check(X)
        matrices = np.zeros((len(X), SIZE, SIZE), np.int64)
        rows, columns = np.triu_indices(SIZE, 1)
        matrices[:, rows, columns] = X[:, :EDGES]
        ops = [[INPUT, *map(OPS.__getitem__, codes), OUTPUT] for codes in X[:, EDGES:].tolist()]
        return [
            {"matrix": matrix, "ops": names} for matrix, names in zip(matrices, ops, strict=True)
        ]

    def visualize(self, arch: Arch) -> Cell:
        """Return the cell, which notebooks draw; EvoXBench does not do this.

        Raises
        ------
        InvalidCellError
            If it is none.
        """
        return Cell(*module_of(arch))

    def check(self, X: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return rows of variables as whole numbers.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            If they are none, or out of range.
        """
        try:
            array = np.asarray(X)
        except ValueError:
            raise ArgumentError("X must have rows that are equally long", field="X") from None
        if array.ndim != 2 or array.shape[1] != self.n_var:
            raise ArgumentError(
                f"X must have shape (n, {self.n_var}), not {array.shape}", field="X"
            )
        if array.dtype.kind not in "biuf":
            raise ArgumentTypeError(f"X must hold whole numbers, not {array.dtype}", field="X")
        if array.dtype.kind == "f" and not (np.isfinite(array) & (np.rint(array) == array)).all():
            raise ArgumentError("X must hold whole numbers", field="X")
        whole = array.astype(np.int64)
        if ((whole < 0) | (whole > self.ub)).any():
            row, column = np.argwhere((whole < 0) | (whole > self.ub))[0]
            raise ArgumentError(
                f"X: variable {column} of row {row} is {whole[row, column]}, and may be 0 to "
                f"{self.ub[column]}",
                field="X",
            )
        return whole


class NASBench101Evaluator:
    """What is known of cells: errors of a table, parameters and multiply-accumulates.

    Parameters
    ----------
    fidelity
        The budget in epochs.
    objs
        Objectives, between ``&``: ``err``, ``params`` and ``flops``, in this order in any case.
    table
        A table of NAS-Bench-101; that of the package if not given, which is predicted.
    seed
        Of the runs that are drawn.
    noise
        As in `nb101.Benchmark`.

    Attributes
    ----------
    bench
        The `Benchmark` that is queried: its clock says what the search would have taken.

    Raises
    ------
    UnknownNameError, ArgumentError
        If an objective is not known, the table is of another space, or has no such budget.
    """

    name = "NASBench101Evaluator"

    def __init__(
        self,
        fidelity: int = 108,
        objs: str = PROBLEMS[2],
        *,
        table: Table | None = None,
        seed: int | None = None,
        noise: bool = False,
    ) -> None:
        self.objs = objs
        self._names = _objectives(objs)
        table = datasets.load_table() if table is None else table
        self.bench = Benchmark(table, seed, noise=noise)
        if "err" in self._names:
            check_metrics(table, [OBSERVED])
        if table.space != default_space():
            raise ArgumentError(
                f"EvoXBench has NAS-Bench-101, and the table is of {table.space}", field="table"
            )
        self.fidelity = table.budget(fidelity).epochs
        self._columns: dict[str, list[float]] = {}
        self._module_id = table.space.core.module_id
        self._whole = table.num_cells == len(table.space)
        rows, columns = np.triu_indices(SIZE, 1)
        self._bits = [1 << int(bit) for bit in edge_bit(rows, columns)]
        self._shifts = [op_shift(vertex) for vertex in range(1, SIZE - 1)]

    @property
    def n_objs(self) -> int:
        """How many objectives there are."""
        return len(self._names)

    @property
    def kind(self) -> str:
        """What the numbers of the table are: ``"measured"``, ``"predicted"`` and so on."""
        return self.bench.table.kind

    def evaluate(
        self, archs: Iterable[Arch], objs: str | None = None, true_eval: bool = False
    ) -> list[OrderedDict[str, float]]:
        """Return the objectives of matrices and ops, to be minimized, by name.

        Parameters
        ----------
        archs
            As `NASBench101SearchSpace.decode` gives them.
        objs
            Those of the evaluator if not given.
        true_eval
            Whether ``err`` is one less the mean test accuracy; else it is one less the validation
            accuracy of a run that is drawn, which the clock of `bench` is charged for.

        Returns
        -------
        A dict each. What is no cell of the space has the error 1, and infinite costs.
        """
        names = self._names if objs is None else _objectives(objs)
        if "err" in names and not true_eval:
            check_metrics(self.bench.table, [OBSERVED])
        X = NASBench101SearchSpace().encode(archs)
        return [OrderedDict(zip(names, row, strict=True)) for row in self.rows(X, names, true_eval)]

    def rows(
        self,
        X: npt.NDArray[np.int64],
        names: Sequence[str],
        true_eval: bool,
    ) -> list[list[float]]:
        """Do as `evaluate` does, of checked rows of variables."""
        columns = [self._column(name) for name in names if name != "err"]
        has_error, query, epochs = "err" in names, self.bench.query, self.fidelity
        bad = [1.0] * has_error + [np.inf] * len(columns)
        found = []
        for row in X.tolist():
            edges, labels = 0, SIZE << VERTICES
            for flag, bit in zip(row, self._bits, strict=False):
                if flag:
                    edges |= bit
            for code, shift in zip(row[EDGES:], self._shifts, strict=True):
                labels |= code << shift
            cell_id = self._module_id(edges, labels)
            if cell_id < 0:
                found.append(bad)
                continue
            place = cell_id if self._whole else self._place(cell_id)
            costs = [column[place] for column in columns]
            if has_error:
                if true_eval:
                    error = 1 - self._truth[place]
                    if error != error:
                        raise MissingRunError(
                            f"the table has no test accuracy of cell {cell_id} at {epochs} epochs"
                        )
                else:
                    error = 1 - query(cell_id, epochs).validation_accuracy
                costs.insert(0, error)
            found.append(costs)
        return found

    def _place(self, cell_id: int) -> int:
        place = int(np.searchsorted(self._ids, cell_id))
        if place == len(self._ids) or self._ids[place] != cell_id:
            raise MissingRunError(f"the table has no run of cell {cell_id}")
        return place

    @cached_property
    def _ids(self) -> npt.NDArray[np.int64]:
        return self.bench.table.cell_ids

    def _column(self, name: str) -> list[float]:
        """Return parameters or multiply-accumulates of each cell of the table, as floats."""
        if name not in self._columns:
            values = cell_values(self.bench.table, OBJECTIVES[name])
            self._columns[name] = values.astype(np.float64).tolist()
        return self._columns[name]

    @cached_property
    def _truth(self) -> list[float]:
        """Mean test accuracy of each cell of the table."""
        means = self.bench.table.mean("test_accuracy", self.fidelity)
        found: list[float] = means.astype(np.float64).tolist()
        return found


class NASBench101Benchmark:
    """A problem of EvoXBench on NAS-Bench-101: variables to objectives, and indicators.

    Parameters
    ----------
    fidelity, objs, table, seed, noise
        As in `NASBench101Evaluator`; two objectives or more. The exact front, which normalizes and
        judges, is of the same budget; EvoXBench has that of 108 epochs for all.
    normalized_objectives
        Whether the exact front lies between 0 and 1 in each objective.

    Attributes
    ----------
    search_space, evaluator
        A `NASBench101SearchSpace` and a `NASBench101Evaluator`.

    Examples
    --------
    >>> problem = c10mop(1, seed=0)
    >>> X = problem.search_space.encode(problem.search_space.sample(4))
    >>> X.shape, problem.evaluate(X).shape
    ((4, 26), (4, 2))
    >>> problem.calc_perf_indicator(problem.pareto_set, "igd")
    0.0
    """

    name = "NASBench101Benchmark"

    def __init__(
        self,
        fidelity: int = 108,
        objs: str = PROBLEMS[2],
        normalized_objectives: bool = True,
        *,
        table: Table | None = None,
        seed: int | None = None,
        noise: bool = False,
    ) -> None:
        self.evaluator = NASBench101Evaluator(fidelity, objs, table=table, seed=seed, noise=noise)
        self.search_space = NASBench101SearchSpace(seed)
        self.normalized_objectives = normalized_objectives
        self._names = _objectives(objs)
        if len(self._names) < 2:
            raise ArgumentError(f"a problem has two objectives or more, not {objs!r}", field="objs")

    @cached_property
    def front(self) -> ExactFront:
        """The exact front of the table at the budget of the problem."""
        table, epochs = self.evaluator.bench.table, self.evaluator.fidelity
        if epochs != table.epochs[-1]:
            table = table.select(epochs=epochs)
        return exact_front(table, [OBJECTIVES[name] for name in self._names])

    @property
    def pareto_front(self) -> Floats:
        """Objectives of the exact front, not normalized; shape ``(n, d)``."""
        return self.front.values

    @property
    def pareto_set(self) -> npt.NDArray[np.int64]:
        """Variables of the cells of the exact front, shape ``(n, 26)``."""
        return self.search_space.encode(default_space()[self.front.cell_ids])

    @property
    def utopian_point(self) -> Floats:
        """The least of each objective on the front, which is normalized to 0."""
        return self.front.utopian

    @property
    def nadir_point(self) -> Floats:
        """The largest of each objective on the front, which is normalized to 1."""
        return self.front.nadir

    @property
    def hv_ref_point(self) -> Floats:
        """The reference of hypervolumes: the nadir."""
        return self.front.nadir

    def normalize(self, F: npt.ArrayLike) -> Floats:
        """Return objectives, shape ``(n, d)``, between the utopian point and the nadir."""
        low, high = self._ends
        try:
            values = np.asarray(F, np.float64)
        except (TypeError, ValueError):
            raise ArgumentTypeError("F must hold numbers", field="F") from None
        if values.ndim not in (1, 2) or values.shape[-1] != len(low):
            raise ArgumentError(f"F must have shape (n, {len(low)}), not {values.shape}", field="F")
        return np.asarray((values - low) / (high - low))

    @cached_property
    def _ends(self) -> tuple[Floats, Floats]:
        return self.front.utopian, self.front.nadir

    def to_matrix(self, batch_stats: Iterable[Mapping[str, float]]) -> Floats:
        """Return objectives by name as an array, shape ``(n, d)``."""
        rows = [list(stats.values()) for stats in batch_stats]
        return np.array(rows, np.float64).reshape(-1, self.evaluator.n_objs)

    def evaluate(self, X: npt.ArrayLike, true_eval: bool = False) -> Floats:
        """Return the objectives of rows of variables, to be minimized; shape ``(n, d)``.

        Parameters
        ----------
        X
            Variables, shape ``(n, 26)``.
        true_eval
            As in `NASBench101Evaluator.evaluate`.

        Raises
        ------
        ArgumentError
            If a variable has no such value.
        MissingRunError
            If the table lacks a cell.
        """
        rows = self.evaluator.rows(self.search_space.check(X), self._names, true_eval)
        F = np.array(rows, np.float64).reshape(-1, len(self._names))
        return self.normalize(F) if self.normalized_objectives else F

    def calc_perf_indicator(self, inputs: Any, indicator: str = "igd") -> float:
        """Judge cells by the mean test accuracies of those that no other one of them beats.

        Parameters
        ----------
        inputs
            Variables, shape ``(n, 26)``, or matrices and ops.
        indicator
            ``"igd"``, the mean distance from a point of the exact front to the nearest of theirs;
            ``"hv"``, their hypervolume; ``"normalized_hv"``, that as a fraction of the front's. All
            are of normalized objectives, also of matrices and ops, which EvoXBench 1.0.5 forgets to
            normalize.

        Raises
        ------
        UnknownNameError
            If there is no such indicator.
        """
        if indicator not in INDICATORS:
            raise UnknownNameError(
                f"no indicator {indicator!r}: {', '.join(INDICATORS)}", field="indicator"
            )
        if not isinstance(inputs, (np.ndarray, Cells)):
            listed = iterated(inputs)
            inputs = inputs if listed is None else listed
        if isinstance(inputs, Cells) or (
            isinstance(inputs, list) and all(isinstance(x, (Mapping, Cell)) for x in inputs)
        ):
            inputs = self.search_space.encode(inputs)
        F = self.evaluate(inputs, true_eval=True)
        if not self.normalized_objectives:
            F = self.normalize(F)
        F = F[np.isfinite(F).all(axis=1)]
        F = F[non_dominated(F)]
        if indicator == "igd":
            front = self.front.normalize(self.front.values)
            if not len(F):
                return float("inf")
            away = np.sqrt(((front[:, np.newaxis] - F) ** 2).sum(axis=2)).min(axis=1)
            return float(away.mean())
        volume = hypervolume(F, np.ones(len(self._names)))
        return volume / self.front.volume if indicator == "normalized_hv" else volume

    def __repr__(self) -> str:
        return f"<{self.name} of {self.evaluator.objs}, {self.evaluator.kind}>"


def c10mop(
    problem_id: int,
    table: Table | None = None,
    *,
    seed: int | None = None,
    noise: bool = False,
) -> NASBench101Benchmark:
    """Return a problem of EvoXBench's suite C-10/MOP by its number.

    Parameters
    ----------
    problem_id
        1, error and parameters; or 2, error, parameters and multiply-accumulates. Others are of
        other search spaces.
    table, seed, noise
        As in `NASBench101Evaluator`.

    Raises
    ------
    ArgumentError
        If the problem is another one.

    Examples
    --------
    >>> c10mop(2)
    <NASBench101Benchmark of err&params&flops, predicted>
    """
    whole = isinstance(problem_id, (int, np.integer)) and not isinstance(problem_id, bool)
    if not whole or problem_id not in PROBLEMS:
        raise ArgumentError(
            f"C-10/MOP{problem_id!r} is not of NAS-Bench-101: 1 and 2 are", field="problem_id"
        )
    return NASBench101Benchmark(objs=PROBLEMS[problem_id], table=table, seed=seed, noise=noise)


def _objectives(objs: str) -> tuple[str, ...]:
    """Return the names of objectives, in the order of results."""
    if not isinstance(objs, str):
        raise ArgumentTypeError(f"objs must be a str, not {type(objs).__name__}", field="objs")
    names = objs.split("&")
    for name in names:
        if name not in OBJECTIVES:
            raise UnknownNameError(
                f"no objective {name!r}: {', '.join(OBJECTIVES)}, between '&'", field="objs"
            )
    return tuple(name for name in OBJECTIVES if name in names)


def _encode(arch: Arch) -> Array:
    """Return the variables of a matrix and ops."""
    given, ops = module_of(arch)
    try:
        matrix = np.asarray(given)
    except ValueError:
        raise InvalidCellError("rows of a matrix must be equally long") from None
    if matrix.shape != (SIZE, SIZE) or len(ops) != SIZE:
        raise InvalidCellError(
            f"EvoXBench's matrices are {SIZE} x {SIZE}, with as many ops, not of shape "
            f"{matrix.shape} with {len(ops)}"
        )
    if matrix.dtype.kind not in "biuf" or not ((matrix == 0) | (matrix == 1)).all():
        raise InvalidCellError("entries of a matrix must be 0 or 1")
    if np.tril(matrix).any():
        raise InvalidCellError("a matrix must have its edges above the diagonal")
    if (ops[0], ops[-1]) != (INPUT, OUTPUT):
        raise InvalidCellError(
            f"ops must begin with {INPUT!r} and end with {OUTPUT!r}, not {ops[0]!r} and {ops[-1]!r}"
        )
    unknown = [op for op in ops[1:-1] if op not in OPS]
    if unknown:
        raise UnknownOpError(f"unknown op {unknown[0]!r}: known are {', '.join(OPS)}")
    return np.array([*matrix[np.triu_indices(SIZE, 1)], *map(OPS.index, ops[1:-1])], np.int64)


def _encode_cells(cells: Cells) -> npt.NDArray[np.int64]:
    """Return the variables of cells."""
    flags = encodings.adjacency_one_hot(cells).astype(np.int64)
    # Vertices that there are not have the first op.
    ops = flags[:, EDGES:].reshape(len(cells), SPOTS, len(OPS)).argmax(axis=2)
    return np.concatenate([flags[:, :EDGES], ops], axis=1)
