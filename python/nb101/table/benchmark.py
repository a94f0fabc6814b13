"""Queries that cost what training would: the benchmark that search algorithms are run on."""

import copy
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nb101._base.checks import check_whole
from nb101._base.lazy import cached_property, lock_of
from nb101._core import Conversation, Evaluation
from nb101.errors import ArgumentTypeError, DatasetError, MissingRunError
from nb101.space.cell import Cell
from nb101.space.lookup import CellOrId, Ids
from nb101.table.about import KIND, WithKind, kind_of, kind_words
from nb101.table.best import Best
from nb101.table.budget import Budget
from nb101.table.files import constant
from nb101.table.noise import (
    CONSTANTS,
    DRAWS,
    Ahead,
    Answer,
    Floats,
    RunNoise,
    item_view,
    run_about,
)
from nb101.table.schema import METRICS, metric_column
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

PENDING = 1 << 16
"""Entries of the log that are kept as objects before they become arrays."""
PATIENCE = 1.0
"""Seconds to wait for the lock, for those who only look."""

_new_tuple: Any = tuple.__new__
"""Makes a named tuple of its entries."""


class _Run(NamedTuple):
    cell_id: int
    epochs: int
    halfway: bool
    repeat: int
    training_time: float
    train_accuracy: float
    validation_accuracy: float
    test_accuracy: float
    trainable_parameters: int


class Run(WithKind, _Run):
    """What a query answers: one run of a cell (section 2.5 of the paper).

    Attributes
    ----------
    cell_id, epochs, repeat
        What was asked for, and which of the cell's runs it is.
    halfway
        Whether the numbers are of the middle of the run.
    training_time
        Seconds.
    train_accuracy, validation_accuracy, test_accuracy
        Fractions in [0, 1]; NaN where the table does not have them.
    trainable_parameters
        Of the network; -1 where the space has ops without a known rule.
    """

    @property
    def cell(self) -> Cell | None:
        """The cell; `None` of a run that no benchmark has answered with."""
        space = self._told[1]
        return None if space is None else space[self.cell_id]

    def _repr_html_(self) -> str:
        from nb101.table import views

        names = (*METRICS, "trainable_parameters")
        rows = [(name.replace("_", " "), views.number(name, getattr(self, name))) for name in names]
        title = f"Run of cell {self.cell_id} at {_budget_words(self)}"
        cells = () if self.cell is None else (self.cell,)
        return views.page(title, self.kind, views.facts(rows), *cells)


class _Runs(NamedTuple):
    cell_id: Ids
    epochs: npt.NDArray[np.int16]
    halfway: npt.NDArray[np.bool_]
    repeat: npt.NDArray[np.int8]
    training_time: npt.NDArray[Any]
    train_accuracy: npt.NDArray[Any]
    validation_accuracy: npt.NDArray[Any]
    test_accuracy: npt.NDArray[Any]
    trainable_parameters: npt.NDArray[np.int64]


class Runs(WithKind, _Runs):
    """What many queries answer: columns of shape ``(n,)``, of the meaning that `Run` has."""

    def __repr__(self) -> str:
        return f"<Runs: {self._title()}, {kind_words({'kind': self.kind})}; {self._ranges()}>"

    def _title(self) -> str:
        n = len(self.cell_id)
        if not n:
            return "none"
        return f"{'1 run' if n == 1 else f'{n:,} runs'} at {_budget_words(self)}"

    def _ranges(self) -> str:
        texts = []
        for name in METRICS:
            column = getattr(self, name)
            column = column[~np.isnan(column)]
            if len(column):
                digits = ".1f" if name == "training_time" else ".4f"
                least, most = format(column.min(), digits), format(column.max(), digits)
                texts.append(f"{name} {least if least == most else f'{least} to {most}'}")
        return ", ".join(texts) or "no values"

    def _repr_html_(self) -> str:
        from nb101.table import views

        names = ("cell_id", "repeat", *METRICS)
        rows = [
            [views.number(name, getattr(self, name)[i]) for name in names]
            for i in range(min(len(self.cell_id), views.MOST_ROWS))
        ]
        body = views.grid([name.replace("_", " ") for name in names], rows, len(self.cell_id))
        return views.page(f"Runs: {self._title()}", self.kind, body)


def _budget_words(run: "Run | Runs") -> str:
    """Say what was trained for: "108 epochs", or "half of 108 epochs"."""
    epochs = int(np.max(run.epochs))
    half = "half of " if np.any(run.halfway) else ""
    return f"{half}{epochs} epoch{'' if epochs == 1 else 's'}"


class Spent(NamedTuple):
    """What queries have cost so far.

    Attributes
    ----------
    seconds
        Of simulated training.
    epochs
        That were trained in all.
    """

    seconds: float
    epochs: int


class _Chunk(NamedTuple):
    """A part of the log: rows that were asked for, and answers that are not the rows' own."""

    rows: Ids
    halfway: npt.NDArray[np.bool_]
    answers: list[npt.NDArray[Any]] | None


class Benchmark:
    """A table that is queried as if every answer had been trained for (section 4 of the paper).

    Each query draws one of the cell's runs, and adds its training time and epochs to a simulated
    clock. The generator is the benchmark's own: a seed replays the same draws, whatever else the
    program does, and `query_many` draws as that many calls of `query` would. Threads may share a
    benchmark; which of them gets which draw is then up to their order.

    Parameters
    ----------
    table
        The runs.
    seed
        A seed, or `None` for fresh randomness.
    noise
        Whether each answer is a new run about the table's value, as if the cell had been trained
        again. The table must say how far runs of a cell lie apart: ``validation_accuracy_spread``
        and so on, as predicted tables do. Accuracies are drawn from normal distributions, whose
        deviations are mostly common to train, validation and test, and rounded to 1/9984; those
        of a spread above 0.01 end at 2.5 times it. Where validation accuracy is below 0.8 and its
        spread larger than whole runs lie apart, since some runs of the cell collapse, a run is
        whole or has collapsed to chance, and the mean of both is the table's value. Every query is
        a run of its own, also where `repeat` is given, and halfway evaluations have the spread of
        final ones. Without noise, a predicted table answers with the prediction itself.

    Examples
    --------
    >>> import nb101
    >>> table = nb101.Table.from_columns({
    ...     "cell_id": [0, 0], "epochs": [108, 108],
    ...     "final_training_time": [200.5, 210.5],
    ...     "final_validation_accuracy": [0.75, 0.8125], "final_test_accuracy": [0.5, 0.8125],
    ... })
    >>> bench = nb101.Benchmark(table, seed=0)
    >>> bench.query(nb101.Cell("0100", "input,output")).validation_accuracy
    0.8125
    >>> bench.spent
    Spent(seconds=210.5, epochs=108)
    """

    def __init__(self, table: Table, seed: int | None = None, *, noise: bool = False) -> None:
        if not isinstance(table, Table):
            raise ArgumentTypeError(
                f"Benchmark takes a Table, not {type(table).__name__}: see load_table",
                field="table",
            )
        if noise and f"{METRICS[2]}_spread" not in table.columns:
            raise DatasetError(
                "noise needs a table that says how far runs lie apart, in a column "
                f"{METRICS[2]}_spread as predicted ones have; measured ones have runs of their own",
                field="noise",
            )
        self._table = table
        self._rng = np.random.default_rng(None if seed is None else check_whole("seed", seed, 0))
        self._told = (kind_of(table.provenance), table.space)
        self._noise = RunNoise(table, self._rng.spawn(1)[0]) if noise else None
        self._draws = Ahead(self._rng.random, [])
        self._evaluations: dict[tuple[int, bool], _Evaluation] = {}
        self._lock = lock_of(self)
        self._used = False
        self._entries: list[tuple[int, bool, Answer | None]] = []
        self._chunks: list[_Chunk] = []
        self._stretches: list[_Stretch] = []
        self.reset()

    @property
    def table(self) -> Table:
        """The runs."""
        return self._table

    @property
    def seed(self) -> int:
        """The seed: one that was drawn, if none was given."""
        return int(self._rng.bit_generator.seed_seq.entropy)  # type: ignore[attr-defined]

    @property
    def noise(self) -> bool:
        """Whether each answer is a new run about the table's value."""
        return self._noise is not None

    @property
    def is_used(self) -> bool:
        """Whether anything has been drawn: its seed alone then does not replay what comes."""
        self._settle()
        return self._used or bool(self._entries or self._chunks)

    @property
    def spent(self) -> Spent:
        """Simulated seconds and epochs of all queries since the start or `reset`."""
        self._settle()
        return Spent(self._seconds, self._epochs)

    def reset(self) -> None:
        """Set the clock to zero and forget the log; random draws go on."""
        self._settle()
        with self._lock:
            self._used |= bool(self._entries or self._chunks)
            self._seconds = 0.0
            self._epochs = 0
            self._entries = []
            self._chunks = []

    def query(
        self, cell: CellOrId, epochs: int = 108, halfway: bool = False, repeat: int | None = None
    ) -> Run:
        """Train a cell, so to speak: answer with one of its runs, and charge the clock.

        Parameters
        ----------
        cell
            A `Cell` in any form, an id, or a hash.
        epochs
            The budget.
        halfway
            Whether to stop at half the budget: the answer is the evaluation there, and half the
            epochs are charged.
        repeat
            Which run; drawn at random if not given.

        Raises
        ------
        MissingRunError
            If the table has no such run. Nothing is charged then.
        OutOfSpaceError, CellIdError, UnknownHashError
            If the cell is not in the table's space.
        """
        found = self._evaluation(epochs, halfway)
        # What `id_of` would say, without its calls: 0.25 us less.
        if type(cell) is int and 0 <= cell < found.cells:
            cell_id = cell
        elif type(cell) is Cell and cell._op_names is found.ops:
            cell_id = found.id_of_words(cell._edges, cell._labels)
        else:
            cell_id = self._table.id_of(cell)
        row, (seconds, train, validation, test) = self._one(found, cell_id, repeat)
        # What `Run` would make, without the function that takes its arguments: 0.1 us less.
        run: Run = _new_tuple(
            Run,
            (
                cell_id,
                found.epochs,
                found.halfway,
                found.repeat[row],
                seconds,
                train,
                validation,
                test,
                found.parameters[row],
            ),
        )
        run._told = self._told
        return run

    def query_many(
        self, cells: Any, epochs: int = 108, halfway: bool = False, repeat: int | None = None
    ) -> Runs:
        """Answer many queries at once, as that many calls of `query` would.

        Parameters
        ----------
        cells
            `Cells`, an array of ids, or a list of what `query` takes.
        epochs, halfway, repeat
            As in `query`.

        Raises
        ------
        MissingRunError
            If the table lacks one of the runs. Nothing is charged then, and nothing drawn.
        """
        found = self._evaluation(epochs, halfway)
        cell_ids = np.atleast_1d(np.asarray(self._table.ids_of(cells)))
        rows, answers = self._many(found, cell_ids, repeat)
        runs = Runs(
            cell_ids,
            np.full(len(rows), found.budget.epochs, dtype=np.int16),
            np.full(len(rows), found.halfway),
            self._table.column("repeat")[rows],
            answers[0],
            answers[1],
            answers[2],
            answers[3],
            self._table.parameters[rows].astype(np.int64),
        )
        runs._told = self._told
        return runs

    @cached_property
    def optimum(self) -> Best:
        """The cell with the best mean test accuracy at the largest budget, and that mean."""
        return self._table.best("test_accuracy")

    def regret(self, cells: Any) -> Any:
        """Return how far the mean test accuracy of cells at the largest budget is from the optimum.

        This is what the paper's search benchmark reports (section 4.3). Nothing is charged.

        Parameters
        ----------
        cells
            One cell, or many, as `query` and `query_many` take them.

        Returns
        -------
        A float of at least 0, or an array of shape ``(n,)``.

        Raises
        ------
        MissingRunError
            If the table has no run of one of them.
        """
        cell_ids = self._table.ids_of(cells)
        if not self._table.epochs:
            raise MissingRunError("the table has no runs")
        ids = np.atleast_1d(np.asarray(cell_ids))
        places = np.searchsorted(self._table.cell_ids, ids)
        places = np.minimum(places, self._table.num_cells - 1)
        regrets = regrets_of(self._table)[places]
        wrong = (self._table.cell_ids[places] != ids) | np.isnan(regrets)
        if wrong.any():
            raise self._missing(int(ids[wrong.argmax()]), max(self._table.epochs))
        return float(regrets[0]) if isinstance(cell_ids, int) else regrets

    def log(self) -> "pa.Table":
        """Return what was asked and answered, in order, as an Arrow table.

        Columns: those of `Run`, ``seconds_spent`` and ``epochs_spent``, the clock after each query,
        and ``kind``, whether the table is measured or predicted, which its metadata say too.
        """
        import pyarrow as pa

        self._settle()
        with self._lock:
            self._flush()
            chunks = list(self._chunks)
        rows = np.concatenate([np.zeros(0, np.int64), *(chunk.rows for chunk in chunks)])
        halfway = np.concatenate([np.zeros(0, bool), *(chunk.halfway for chunk in chunks)])
        epochs = self._table.column("epochs")[rows].astype(np.int64)
        columns: dict[str, Any] = {
            "cell_id": self._table.column("cell_id")[rows],
            "epochs": epochs,
            "halfway": halfway,
            "repeat": self._table.column("repeat")[rows],
        }
        for i, field in enumerate(METRICS):
            values = np.full(len(rows), np.nan)
            for stage in (False, True):
                name = metric_column(field, stage)
                if name in self._table.columns:
                    chosen = halfway == stage
                    values[chosen] = self._table.column(name)[rows[chosen]]
            first = 0
            for chunk in chunks:
                last = first + len(chunk.rows)
                if chunk.answers is not None:
                    values[first:last] = chunk.answers[i]
                first = last
            columns[field] = values
        columns["trainable_parameters"] = self._table.parameters[rows]
        columns["seconds_spent"] = np.cumsum(columns["training_time"])
        columns["epochs_spent"] = np.cumsum(np.where(halfway, epochs // 2, epochs))
        kind, _ = self._told
        columns[KIND] = constant(kind, len(rows))
        return pa.table(columns).replace_schema_metadata({KIND: kind})

    def save_log(self, path: str | os.PathLike[str]) -> None:
        """Write the log to a file: Arrow, Parquet or CSV by its ending. It appears whole.

        Raises
        ------
        ArgumentError
            If the ending is unknown.
        OSError
            If the file cannot be written.
        """
        from nb101.table.files import write_arrow_table

        write_arrow_table(self.log(), path)

    def __repr__(self) -> str:
        seconds, epochs = self.spent
        noise = " with noise" if self._noise else ""
        spent = f"{seconds:,.0f} s and {epochs:,} epochs spent"
        return f"<Benchmark{noise}: {spent} on {self._table!r}>"

    def _repr_html_(self) -> str:
        from nb101.table import views

        self._settle()
        queries = len(self._entries) + sum(len(chunk.rows) for chunk in self._chunks)
        rows: list[tuple[str, object]] = [
            ("spent", f"{self._seconds:,.0f} simulated seconds, {self._epochs:,} epochs"),
            ("queries", f"{queries:,}"),
            ("answers", "new runs about the table's values" if self._noise else "the table's runs"),
            ("table", repr(self._table)[1:-1]),
        ]
        return views.page("Benchmark", self._table.provenance, views.facts(rows))

    def __getstate__(self) -> dict[str, Any]:
        # Views of memory cannot be pickled, and what was computed from the table need not be.
        self._settle()
        with self._lock:
            state = self.__dict__ | {"_evaluations": {}, "_draws": self._draws.left()}
            state |= {"_entries": list(self._entries), "_chunks": list(self._chunks)}
            state["_noise"] = copy.copy(self._noise)
        state["_rng"] = copy.deepcopy(self._rng)
        for name in ("_lock", "_stretches", "optimum"):
            state.pop(name, None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._draws = Ahead(self._rng.random, list(state["_draws"]))
        self._stretches = []
        self._lock = lock_of(self)

    # Inside

    def _evaluation(self, epochs: int, halfway: bool) -> "_Evaluation":
        try:
            return self._evaluations[epochs, halfway]
        except (KeyError, TypeError):
            # The table says what is wrong with other numbers of epochs.
            budget = self._table.budget(epochs)
        found = _Evaluation(self._table, budget, bool(halfway), self._noise)
        self._evaluations[budget.epochs, found.halfway] = found
        return found

    def _one(
        self, found: "_Evaluation", cell_id: int, repeat: int | None = None
    ) -> tuple[int, Answer]:
        """Answer one query, and charge it: the row that it drew, and its run."""
        if self._stretches:
            self._settle()
        with self._lock:
            if repeat is None:
                draws = self._draws.items or self._draws.refill()
                waiting = [] if self._noise is None else self._noise.waiting()
                draw, normals = draws[-1], waiting[-1] if waiting else None
                asked = found.core.ask(cell_id, draw, normals)
                row, answer = asked or self._odd(found, cell_id, draw, normals)
                draws.pop()
                if waiting:
                    waiting.pop()
            else:
                row, answer = self._repeated(found, cell_id, repeat)
            self._seconds += answer[0]
            self._epochs += found.charge
            entries = self._entries
            entries.append((row, found.halfway, answer if self._noise else None))
            if len(entries) >= PENDING:
                self._flush()
        return row, answer

    def _odd(
        self, found: "_Evaluation", cell: CellOrId, draw: float, normals: list[float] | None
    ) -> tuple[int, Answer]:
        """Answer what the core leaves to others: what is missing, or rare."""
        cell_id = self._table.id_of(cell)
        first, last = found.rows(cell_id)
        if first == last:
            raise self._missing(cell_id, found.epochs)
        row = first + int(draw * (last - first))
        answer = self._known(found, row, cell_id)
        return row, answer if normals is None else run_about(found.core, row, answer[2], normals)

    def _repeated(self, found: "_Evaluation", cell_id: int, repeat: int) -> tuple[int, Answer]:
        first, last = found.rows(cell_id)
        if first == last:
            raise self._missing(cell_id, found.epochs)
        row = self._row_of(repeat, first, last, cell_id, found.epochs)
        answer = self._known(found, row, cell_id)
        if self._noise is None:
            return row, answer
        return row, run_about(found.core, row, answer[2], self._noise.waiting().pop())

    def _known(self, found: "_Evaluation", row: int, cell_id: int) -> Answer:
        seconds: float = found.time[row]
        if seconds != seconds:  # NaN
            raise self._no_time(cell_id, found.epochs)
        return seconds, found.train[row], found.validation[row], found.test[row]

    def _many(
        self,
        found: "_Evaluation",
        cell_ids: Ids,
        repeat: int | None = None,
        clock: float = 0.0,
        most: float = float("inf"),
    ) -> tuple[Ids, list[npt.NDArray[Any]]]:
        """Answer many queries, and charge them: the rows that they drew, and columns of answers.

        The first one that ends when `clock` and the time of all so far are past `most` is the last.
        """
        first, last = found.budget.many_rows(cell_ids)
        if (first == last).any():
            raise self._missing(int(cell_ids[(first == last).argmax()]), found.epochs)
        chosen = None
        if repeat is not None:
            chosen = self._rows_of(repeat, first, last, cell_ids, found.epochs)
        self._settle()
        with self._lock:
            if chosen is None:
                draws = self._draws.take(len(cell_ids))
                rows = first + (draws * (last - first)).astype(np.int64)
            else:
                rows, draws = chosen, None
            seconds = found.take("training_time", rows)
            if np.isnan(seconds).any():
                if draws is not None:
                    self._draws.put_back(draws)
                raise self._no_time(int(cell_ids[np.isnan(seconds).argmax()]), found.epochs)
            answers = [seconds, *(found.take(metric, rows) for metric in METRICS[1:])]
            if self._noise is not None:
                answers, normals = self._noise.many(found.core, answers, rows)
            if most < float("inf"):
                late = _clock(clock, answers[0])[1:] > most
                n = int(late.argmax()) + 1 if late.any() else len(rows)
                if n < len(rows):
                    if draws is not None:
                        self._draws.put_back(draws[n:])
                    if self._noise is not None:
                        self._noise.put_back(normals[n:])
                    rows, answers = rows[:n], [column[:n] for column in answers]
            self._charge(rows, answers, found.charge * len(rows), found.halfway)
        return rows, answers

    def _charge(
        self, rows: Ids, answers: list[npt.NDArray[Any]], epochs: int, halfway: bool
    ) -> None:
        """Charge many queries, and note them in the log."""
        self._seconds = float(_clock(self._seconds, answers[0])[-1])
        self._epochs += epochs
        self._flush()
        halves = np.full(len(rows), halfway)
        self._chunks.append(_Chunk(rows, halves, answers if self._noise else None))

    def _settle(self) -> None:
        """Charge what conversations have been answered, for somebody who looks in between.

        They end with that, and what they have not drawn comes next again.
        """
        # In vain where it is this thread that has the lock, in a handler of signals.
        if self._stretches and self._lock.acquire(timeout=PATIENCE):
            try:
                for stretch in list(self._stretches):
                    self._end(stretch)
            finally:
                self._lock.release()

    def _end(self, stretch: "_Stretch") -> None:
        """Charge a stretch, unless that was done, or another thread is at its next answer."""
        taken = stretch.conversation.take()
        if taken is None:
            return
        (cell_ids, epochs, rows), answers = taken
        self._stretches.remove(stretch)
        n = len(rows)
        self._draws.put_back(stretch.draws[n:])
        if self._noise is not None and stretch.normals is not None:
            self._noise.put_back(stretch.normals[n:])
        if n:
            self._charge(rows, answers, int(epochs.sum()), False)
        stretch.columns = [cell_ids, epochs, *answers]

    def _row_of(self, repeat: Any, first: int, last: int, cell_id: int, epochs: int) -> int:
        own = self._table.column("repeat")[first:last]
        whole = isinstance(repeat, (int, np.integer)) and not isinstance(repeat, bool)
        found = np.flatnonzero(own == repeat) if whole else own[:0]
        if not found.size:
            known = ", ".join(map(str, own.tolist()))
            raise MissingRunError(
                f"cell {cell_id} has no repeat {repeat!r} at {epochs} epochs; it has {known}"
            )
        return first + int(found[0])

    def _rows_of(self, repeat: Any, first: Ids, last: Ids, cell_ids: Ids, epochs: int) -> Ids:
        if not len(first):
            return first
        # This checks what `repeat` is; most often it gives the place among each cell's runs.
        place = self._row_of(repeat, int(first[0]), int(last[0]), int(cell_ids[0]), epochs)
        rows: Ids = np.minimum(first + (place - first[0]), last - 1)
        wrong = np.flatnonzero(self._table.column("repeat")[rows] != repeat)
        for i in wrong.tolist():
            limits = int(first[i]), int(last[i])
            rows[i] = self._row_of(repeat, *limits, int(cell_ids[i]), epochs)
        return rows

    def _flush(self) -> None:
        if self._entries:
            rows, halfway, answers = zip(*self._entries, strict=True)
            noisy = list(np.array(answers).T) if self._noise else None
            self._chunks.append(_Chunk(np.array(rows, np.int64), np.array(halfway, bool), noisy))
            self._entries.clear()

    def _missing(self, cell_id: int, epochs: int) -> MissingRunError:
        slices = {x: self._table.budget(x).rows(cell_id) for x in self._table.epochs}
        others = [x for x, (first, last) in slices.items() if first < last]
        hint = f"; it has some at {', '.join(map(str, others))}" if others else ""
        return MissingRunError(f"the table has no run of cell {cell_id} at {epochs} epochs{hint}")

    def _no_time(self, cell_id: int, epochs: int) -> MissingRunError:
        return MissingRunError(
            f"the training time of cell {cell_id} at {epochs} epochs is not known: "
            "a query could not be charged"
        )


def ask_one(benchmark: Benchmark, cell: CellOrId, epochs: int) -> tuple[int, Answer]:
    """`Benchmark.query` without the `Run`: the cell's id, time and accuracies, 0.3 us sooner."""
    found = benchmark._evaluation(epochs, False)
    cell_id = cell
    if type(cell_id) is not int or not 0 <= cell_id < found.cells:
        cell_id = benchmark.table.id_of(cell)
    return cell_id, benchmark._one(found, cell_id)[1]


def ask_many(
    benchmark: Benchmark,
    cells: Any,
    epochs: int,
    spent: tuple[float, int],
    most: tuple[float, float, float],
) -> list[npt.NDArray[Any]]:
    """`ask_one` of many cells, up to the first answer that comes too late, and of so many queries.

    That is the first one with which seconds or epochs, which begin at `spent`, are past `most`.

    Returns
    -------
    Cell ids, epochs, time and accuracies as columns, of shape ``(n,)``.
    """
    found = benchmark._evaluation(epochs, False)
    cell_ids = np.atleast_1d(np.asarray(benchmark.table.ids_of(cells)))
    n = min(len(cell_ids), most[2])
    if most[1] < float("inf"):
        n = min(n, (most[1] - spent[1]) // epochs + 1)
    cell_ids = cell_ids[: int(n)]
    rows, answers = benchmark._many(found, cell_ids, None, spent[0], most[0])
    return [cell_ids[: len(rows)], np.full(len(rows), epochs), *answers]


def converse(
    benchmark: Benchmark,
    send: Callable[[float], Any],
    trial: tuple[Any, int],
    spent: tuple[float, int],
    most: tuple[float, float, float],
    pause: float,
) -> tuple[list[npt.NDArray[Any]], Any]:
    """Answer a generator of trials as `ask_one` does, in one call to the core: 2.2 us sooner each.

    It goes on for `pause` seconds at most, until seconds or epochs, which begin at `spent`, are
    past `most`, and for so many queries. It ends early where somebody looks at the benchmark
    meanwhile, who sees each answer charged.

    Returns
    -------
    Cell ids, epochs, time and accuracies as columns, of shape ``(n,)``; and what is asked next,
    which may be something else than a trial. `None` is the end.
    """
    noise, normals = benchmark._noise, None
    benchmark._evaluation(trial[1], False)
    evaluations = {
        epochs: (found.core, partial(benchmark._odd, found))
        for (epochs, halfway), found in list(benchmark._evaluations.items())
        if not halfway
    }
    benchmark._settle()
    with benchmark._lock:
        draws = benchmark._draws.take(int(min(DRAWS, most[2])))
        if noise is not None:
            normals = noise.take(len(draws))
        stretch = _Stretch(Conversation(len(draws)), draws, normals)
        benchmark._stretches.append(stretch)
    try:
        after, error = stretch.conversation.answer(
            send, trial, evaluations, draws, normals, spent, most[:2], pause
        )
    finally:
        with benchmark._lock:
            benchmark._end(stretch)
    if error is not None:
        raise error
    return stretch.columns, after


class _Stretch:
    """Trials that are answered in one call, and the numbers that were drawn for them."""

    def __init__(self, conversation: Conversation, draws: Floats, normals: Floats | None) -> None:
        self.conversation, self.draws, self.normals = conversation, draws, normals
        self.columns: list[npt.NDArray[Any]] = []
        """What was asked and answered, once it is charged."""


def _clock(start: float, seconds: npt.NDArray[Any]) -> Floats:
    """Return what a clock says before and after each query: to the last bit as one by one."""
    both: Floats = np.concatenate([[start], seconds.astype(np.float64)])
    return np.add.accumulate(both, out=both)


def regrets_of(table: Table) -> Floats:
    """Return the regret of each cell of a table, in the order of its ids: see `Benchmark.regret`.

    The table keeps it, since benchmarks come and go by the hundred.
    """

    def make() -> Floats:
        best = table.best("test_accuracy").value
        return np.asarray(best - table.mean("test_accuracy", max(table.epochs)))

    return table.keep("regrets", make)


class _Evaluation:
    """The columns of one budget's final or halfway evaluation, for single rows and for many."""

    def __init__(self, table: Table, budget: Budget, halfway: bool, noise: RunNoise | None) -> None:
        space = table.space
        self.id_of_words, self.ops, self.cells = space.core.id, space.ops, space.count().total
        self.budget, self.epochs, self.rows = budget, budget.epochs, budget.rows
        self.halfway = halfway
        self.charge = budget.epochs // 2 if halfway else budget.epochs
        self._columns: dict[str, npt.NDArray[Any] | None] = {}
        for field in METRICS:
            name = metric_column(field, halfway)
            self._columns[field] = table.column(name) if name in table.columns else None
        time = self._columns["training_time"]
        if time is None:
            name = metric_column("training_time", halfway)
            raise DatasetError(f"the table has no column {name}: queries could not be charged")
        self.time = item_view(time)
        self.train, self.validation, self.test = (
            _Nothing() if column is None else item_view(column)
            for column in (self._columns[field] for field in METRICS[1:])
        )
        self.core = Evaluation(
            _aligned(budget.ids),
            (budget.start, int(budget.ids[0]), budget.runs),
            [column if column is None else _aligned(column) for column in self._columns.values()],
            CONSTANTS,
            None if noise is None else noise.spreads,
        )
        self.repeat = item_view(table.column("repeat"))
        self.parameters = item_view(table.parameters)

    def take(self, field: str, rows: Ids) -> npt.NDArray[Any]:
        column = self._columns[field]
        return np.full(len(rows), np.nan, np.float32) if column is None else column[rows]


def _aligned(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a column as the core reads it, which is as it is but for odd arrays of others."""
    return np.require(column, requirements=["C", "A"])


class _Nothing:
    """A column that a table does not have."""

    def __getitem__(self, row: int) -> float:
        return float("nan")
