"""The trace of a search: what was asked, what was answered, and how good the best so far is."""

import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from nb101._base.checks import check_choice
from nb101._base.files import atomic
from nb101._base.runtime import raise_if_short
from nb101._base.seals import BLANK, KEY, check_sealed_bytes, seal_bytes
from nb101.errors import DatasetError
from nb101.plain import counted, printable
from nb101.space.search_space import SearchSpace

if TYPE_CHECKING:
    import pyarrow as pa

    from nb101.space.cell import Cell

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

COLUMNS = (
    *("seconds", "cell_ids", "epochs", "training_time", "train_accuracy"),
    *("validation_accuracy", "test_accuracy", "best_validation", "best_cell_ids", "regret"),
)
AHEAD = ("total", "began", "worker")
"""Columns of searches by several workers alone."""
TOWARDS = (*("parameters", "flops", "true_error", "true_training_time", "hypervolume", "igd_plus"),)
"""Columns of searches for several objectives alone, the first four where they are objectives."""
METADATA = b"nb101.trace"
_TYPES = {
    **dict.fromkeys(("seconds", "regret", "total", "began"), np.dtype(np.float64)),
    **dict.fromkeys(("true_error", "true_training_time"), np.dtype(np.float64)),
    **dict.fromkeys(("hypervolume", "igd_plus"), np.dtype(np.float64)),
    **dict.fromkeys(("cell_ids", "best_cell_ids"), np.dtype(np.int64)),
    **dict.fromkeys(("parameters", "flops"), np.dtype(np.int64)),
    **dict.fromkeys(("epochs", "worker"), np.dtype(np.int16)),
}
"""Of columns; all others are float32."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """What a search asked and got: arrays of shape ``(n,)``, one entry a query.

    Attributes
    ----------
    about
        What was run: ``searcher``, ``seed``, ``limits``, ``options`` and so on, the seed of the
        benchmark (`None` if that had answered before), versions; of the table its ``kind``, how
        much of it is ``predicted``, its ``space`` and a checksum; and ``queries_saved``: how many
        queries were answered from memory, where cells are asked once.
    seconds
        The simulated clock after each query, from 0 at the start of the search. With several
        workers queries are in the order of their ends, and this is the wall's clock.
    cell_ids, epochs
        What was queried: the cell and the budget.
    training_time
        What it cost, seconds.
    train_accuracy, validation_accuracy, test_accuracy
        What the run had; fractions, NaN where the table does not have them.
    best_validation
        The highest validation accuracy that any query has answered so far.
    best_cell_ids
        The incumbent: the cell of that query; the first one, if several are equal.
    regret
        How far the mean test accuracy of the incumbent at the largest budget of the table is from
        the highest (section 4.3 of the paper). Searchers do not see it.
    total, began, worker
        With several workers: seconds of training of this query and all that ended before, when it
        began, and which worker had it; `None` with one worker.
    parameters, flops, true_error, true_training_time
        Of a search for several objectives, those that are objectives: what was told beside
        accuracy and time, and what is judged, means at the largest budget of the table of one minus
        the test accuracy, and of time.
    hypervolume, igd_plus
        Of a search for several objectives, after each query: the true objectives of what `front`
        would be then, their hypervolume as a fraction of the exact front's, and their IGD+.
        Searchers do not see them.
    """

    about: Mapping[str, Any]
    seconds: Floats
    cell_ids: Ints
    epochs: npt.NDArray[np.int16]
    training_time: npt.NDArray[np.float32]
    train_accuracy: npt.NDArray[np.float32]
    validation_accuracy: npt.NDArray[np.float32]
    test_accuracy: npt.NDArray[np.float32]
    best_validation: npt.NDArray[np.float32]
    best_cell_ids: Ints
    regret: Floats
    total: Floats | None = None
    began: Floats | None = None
    worker: npt.NDArray[np.int16] | None = None
    parameters: Ints | None = None
    flops: Ints | None = None
    true_error: Floats | None = None
    true_training_time: Floats | None = None
    hypervolume: Floats | None = None
    igd_plus: Floats | None = None

    def __len__(self) -> int:
        return len(self.seconds)

    @property
    def final_regret(self) -> float:
        """Regret at the end; NaN if nothing was answered in time."""
        return float(self.regret[-1]) if len(self) else float("nan")

    @property
    def total_seconds(self) -> Floats:
        """Seconds of training of all queries that have ended: with one worker, its clock."""
        return self.seconds if self.total is None else self.total

    @property
    def workers(self) -> int:
        """How many queries were under way at a time."""
        return int(self.about.get("workers", 1))

    @property
    def objectives(self) -> tuple[str, ...]:
        """The objectives that were searched for; none where it was accuracy alone."""
        return tuple(self.about.get("objectives", ()))

    @property
    def costs(self) -> Floats:
        """What the searcher was told of each query: its objectives, shape ``(n, d)``."""
        return self._stacked(
            {
                "error": 1.0 - self.validation_accuracy.astype(np.float64),
                "training_time": self.training_time,
            }
        )

    @property
    def true_costs(self) -> Floats:
        """What the cell of each query is judged by: its objectives, shape ``(n, d)``."""
        return self._stacked({"error": self.true_error, "training_time": self.true_training_time})

    def _stacked(self, columns: Mapping[str, Any]) -> Floats:
        found = {**columns, "parameters": self.parameters, "flops": self.flops}
        rows = [np.asarray(found[name], dtype=np.float64) for name in self.objectives]
        return np.stack(rows, axis=1) if rows else np.zeros((len(self), 0))

    @property
    def front(self) -> npt.NDArray[np.intp]:
        """The places of the queries that no other one beats by what was told: what was found.

        Of a search for several objectives; `trace.true_costs[trace.front]` is what it is judged by.
        """
        from nb101.analysis.pareto import non_dominated

        return non_dominated(self.costs) if self.objectives else np.zeros(0, dtype=np.intp)

    @property
    def predicted(self) -> str:
        """How much of the table was predicted: "predicted", "partly predicted", or "" for none."""
        return str(self.about.get("predicted", ""))

    @property
    def best_cell(self) -> "Cell | None":
        """The incumbent at the end; `None` if nothing was answered in time."""
        if not len(self) or "space" not in self.about:
            return None
        vertices, edges, ops = self.about["space"]
        return SearchSpace(vertices, edges, ops)[int(self.best_cell_ids[-1])]

    def __repr__(self) -> str:
        mark = f", {self.predicted}" if self.predicted else ""
        queries = counted(len(self), "query", "queries")
        name = printable(str(self.about.get("searcher", "a search")))
        if not len(self):
            return f"<Trace of {name}: {queries}{mark}>"
        by = f" by {self.workers:,} workers" if self.workers > 1 else ""
        if self.hypervolume is not None and self.igd_plus is not None:
            cells = len(np.unique(self.cell_ids[self.front]))
            return (
                f"<Trace of {name}: {queries} in {self.seconds[-1]:,.0f} s{by}; ends with "
                f"{counted(cells, 'cell')} on its front, {100 * self.hypervolume[-1]:.2f} % of the "
                f"exact front's hypervolume, IGD+ {self.igd_plus[-1]:.4f}{mark}>"
            )
        return (
            f"<Trace of {name}: {queries} in {self.seconds[-1]:,.0f} s{by}; ends with cell "
            f"{self.best_cell_ids[-1]}, regret {100 * self.final_regret:.3f} points{mark}>"
        )

    def _repr_html_(self) -> str:
        from nb101.search.views import trace_html

        return trace_html(self)

    def regret_at(
        self, seconds: npt.ArrayLike, *, clock: Literal["wall", "total"] = "wall"
    ) -> Floats:
        """Return the regret at times; NaN before the first answer.

        Parameters
        ----------
        seconds
            The times.
        clock
            Which clock they are of: ``"wall"``, or ``"total"`` for the training of all workers.
        """
        check_choice("clock", clock, "wall", "total")
        times = self.seconds if clock == "wall" else self.total_seconds
        return step(times, self.regret, seconds)

    def to_arrow(self) -> "pa.Table":
        """Return the columns as an Arrow table, `about` in its metadata."""
        import pyarrow as pa

        more = [name for name in (*AHEAD, *TOWARDS) if getattr(self, name) is not None]
        names = (*COLUMNS, *more)
        table = pa.table({name: getattr(self, name) for name in names})
        return table.replace_schema_metadata({METADATA: json.dumps(dict(self.about)).encode()})

    def to_bytes(self) -> bytes:
        """Return the trace as a Parquet file."""
        import pyarrow.parquet as pq

        table = self.to_arrow()
        buffer = io.BytesIO()
        with pq.ParquetWriter(buffer, table.schema, compression="zstd") as writer:
            writer.write_table(table)
            writer.add_key_value_metadata({KEY: BLANK})
        return seal_bytes(buffer.getvalue())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a Parquet file, which appears whole or not at all."""
        data = self.to_bytes()
        with atomic(path) as file:
            file.write(data)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Trace":
        """Read what `save` wrote.

        Raises
        ------
        DatasetError
            If it is no trace, or damaged.
        OSError
            If it cannot be read.
        """
        columns, about = read_columns(path, COLUMNS, (*AHEAD, *TOWARDS))
        return cls(about=about, **columns)


def read_columns(
    path: str | os.PathLike[str], names: Sequence[str], more: Sequence[str] = ()
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Read some columns of a trace's file, more if it has those, and what it is about.

    All of the file is compared with its seal, and what is read must make sense.

    Raises
    ------
    DatasetError
        If it is no trace, or damaged.
    OSError
        If it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = Path(path).read_bytes()
    check_sealed_bytes(data, path, AGAIN)
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        names = (*names, *(name for name in more if name in file.schema_arrow.names))
        table = file.read(list(names), use_threads=False)
        about = json.loads(table.schema.metadata[METADATA])
        if not isinstance(about, dict):
            raise TypeError("it does not say what it is about")
        columns = {name: table[name].to_numpy() for name in names}
        for name, values in columns.items():
            _check_column(name, values)
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise_if_short(error)
        # Arrow's errors quote bytes of the file, and some are OSErrors.
        reason = printable(" ".join(str(error).split()))[:200]
        raise DatasetError(
            f"{os.fspath(path)} is not the trace of a search: {reason}: {AGAIN}"
        ) from None
    return columns, about


AGAIN = "delete it, and a comparison runs that search again"


_AT_LEAST_0 = ("seconds", "training_time", "total", "began", "true_training_time", "igd_plus")


def _check_column(name: str, values: npt.NDArray[Any]) -> None:
    """See that a column is what a search may have come to."""
    expected = _TYPES.get(name, np.dtype(np.float32))
    if values.dtype != expected:
        raise ValueError(f"{name} is {values.dtype} and not {expected}")
    if name in _AT_LEAST_0:
        good = np.isfinite(values) & (values >= 0)
        if name in ("seconds", "total"):
            good[1:] &= values[1:] >= values[:-1]
    elif name in ("cell_ids", "best_cell_ids", "worker", "parameters", "flops"):
        good = values >= 0
    elif name == "epochs":
        good = values > 0
    else:
        # Tables need not have all accuracies.
        good = np.isnan(values) | ((values >= 0) & (values <= 1))
    if not good.all():
        place = int(np.argmin(good))
        raise ValueError(f"{name} is {values[place]} at query {place}")


def make_trace(
    about: Mapping[str, Any],
    answers: Mapping[str, Any],
    regrets: Floats,
    towards: Mapping[str, Any] | None = None,
) -> Trace:
    """Make a trace of what queries answered.

    Parameters
    ----------
    about
        What is known of the search.
    answers
        Columns ``cell_ids``, ``epochs``, ``training_time``, and accuracies; of several workers
        ``seconds``, ``began`` and ``worker`` too.
    regrets
        The regret of each cell that was asked for, in order; shape ``(n,)``.
    towards
        Of several objectives, the columns of these.
    """
    validation = np.asarray(answers["validation_accuracy"], dtype=np.float32)
    cell_ids = np.asarray(answers["cell_ids"], dtype=np.int64)
    best = np.maximum.accumulate(validation)
    # The query that first had the best value so far.
    new = np.ones(len(best), dtype=bool)
    new[1:] = best[1:] > best[:-1]
    first = np.maximum.accumulate(np.where(new, np.arange(len(best)), 0))
    # One by one, as a benchmark's clock adds them.
    total = np.add.accumulate(np.asarray(answers["training_time"], dtype=np.float64))
    ahead: dict[str, npt.NDArray[Any]] = {"seconds": total}
    if "seconds" in answers:
        ahead = {x: np.asarray(answers[x], dtype=np.float64) for x in ("seconds", "began")}
        ahead |= {"total": total, "worker": np.asarray(answers["worker"], dtype=np.int16)}
    return Trace(
        about=about,
        **ahead,
        cell_ids=cell_ids,
        epochs=np.asarray(answers["epochs"], dtype=np.int16),
        training_time=np.asarray(answers["training_time"], dtype=np.float32),
        train_accuracy=np.asarray(answers["train_accuracy"], dtype=np.float32),
        validation_accuracy=validation,
        test_accuracy=np.asarray(answers["test_accuracy"], dtype=np.float32),
        best_validation=best,
        best_cell_ids=cell_ids[first],
        regret=regrets[first],
        **({} if towards is None else towards),
    )


def step(times: Floats, values: Floats, at: npt.ArrayLike) -> Floats:
    """Return a step function at times; NaN before its first step."""
    places = np.searchsorted(times, np.asarray(at, dtype=np.float64), side="right") - 1
    padded = np.concatenate([values, [np.nan]])
    return padded[np.where(places < 0, len(values), places)]
