"""Several workers in simulated time: a query ends when its training would.

Whenever workers are free the searcher is asked, and it is told when a query ends: other queries
that began before may still be under way. Of queries that end at one moment those that began first
are told first, all of them before anybody is asked. With `synchronous` nobody is asked until all
queries that were begun together have ended.
"""

from bisect import insort
from collections.abc import Callable
from contextlib import closing
from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nb101.errors import ArgumentError
from nb101.search.objectives import Goals, value_of
from nb101.search.searcher import Entry, Searcher, Sequential, Steps, Trial, Trials
from nb101.table.benchmark import Benchmark, ask_one
from nb101.table.noise import Answer
from nb101.table.schema import METRICS

MOST = 10_000
"""Workers at most."""


class Query(NamedTuple):
    """A query that is under way; queries are in the order of their ends, then of their beginnings.

    Attributes
    ----------
    end, number, began
        When it ends, how many were begun before, and when it began.
    worker
        Who has it.
    trial, cell_id, answer
        What was asked, and what will be answered.
    ticket
        What the searcher is told it by.
    """

    end: float
    number: int
    began: float
    worker: int
    trial: Trial
    cell_id: int
    answer: Answer
    ticket: Any


def check_workers(entry: Entry, workers: int) -> None:
    """See that an algorithm can be run by so many workers.

    Raises
    ------
    ArgumentError
        If it can be run by one alone.
    """
    if workers > MOST:
        raise ArgumentError(f"workers must be at most {MOST:,}, not {workers:,}", field="workers")
    if workers > 1 and not entry.searcher.out_of_order:
        message = (
            f"{entry.name} cannot be asked again before it is told: it takes one worker, "
            f"not {workers:,}"
        )
        raise ArgumentError(message, field="workers")


def simulate(
    searcher: Searcher,
    benchmark: Benchmark,
    limits: dict[str, float],
    workers: int,
    *,
    synchronous: bool,
    memory: "Memory | None",
    told: Callable[[tuple[float, int, int]], None],
    goals: Goals | None = None,
) -> list[Query]:
    """Run a search by several workers until its limits: what has ended in time, in that order.

    Seconds are those of the wall: a query that would end after them is charged and not answered.
    One that makes too many epochs in all is charged and not answered either, and none begins after
    it; those under way end. No more queries begin than there may be.
    """
    most_seconds, most_epochs, most_queries = limits.values()
    ended: list[Query] = []
    flying: list[Query] = []
    free = list(range(workers))
    clock, begun, epochs, is_open = 0.0, 0, 0, True
    with closing(_asked(searcher)) as asked:
        while True:
            told((clock, epochs, len(ended)))
            may_ask = not (synchronous and flying)
            while may_ask and is_open and free and begun < most_queries:
                try:
                    taken = asked.ask()
                except StopIteration:
                    is_open = False
                    break
                if taken is None:
                    break
                trial, ticket = taken
                if memory is not None and memory.knows(trial, ticket, asked):
                    is_open = not memory.is_worn
                    continue
                cell_id, answer = ask_one(benchmark, *trial)
                epochs += trial.epochs
                if epochs > most_epochs:
                    is_open = False
                    break
                end, worker = clock + answer[0], heappop(free)
                heappush(flying, Query(end, begun, clock, worker, trial, cell_id, answer, ticket))
                begun += 1
            if not flying or flying[0].end > most_seconds:
                return ended
            clock = flying[0].end
            while flying and flying[0].end == clock:
                query = heappop(flying)
                heappush(free, query.worker)
                ended.append(query)
                value = value_of(query.cell_id, query.answer, goals)
                asked.tell(query.ticket, query.trial, value, query.answer[0])
                if memory is not None and memory.learn(query.trial, value, asked):
                    is_open = False


def columns_of(queries: list[Query]) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a trace of what has ended, in order, and those of several workers."""
    names = ("cell_ids", "epochs", *METRICS, "seconds", "began", "worker")
    if not queries:
        return {name: np.zeros(0) for name in names}
    rows = [(x.cell_id, x.trial.epochs, *x.answer, x.end, x.began, x.worker) for x in queries]
    return dict(zip(names, map(np.array, zip(*rows, strict=True)), strict=True))


class Memory:
    """What is known, where each cell and budget is asked for once: the rest costs nothing.

    What is asked for again while it is under way is told when that ends.

    Parameters
    ----------
    budget, cells
        The search has ended when so many cells are known at this budget,
    patience
        or so many trials in a row were not new.
    """

    def __init__(self, budget: int, cells: int, patience: int) -> None:
        self._budget, self._left, self._patience = budget, cells, patience
        self._known: dict[Trial, Any] = {}
        self._waiting: dict[Trial, list[Any]] = {}
        self._old = 0
        self.saved = 0
        """How many trials were not new."""

    @property
    def is_worn(self) -> bool:
        """Whether nothing new has come for long."""
        return self._old >= self._patience

    def knows(self, trial: Trial, ticket: Any, asked: "_Plain | _Strands") -> bool:
        """Whether a trial is not new: it has been told then, or will be."""
        waiting = self._waiting.get(trial)
        if waiting is None and trial not in self._known:
            self._old, self._waiting[trial] = 0, []
            return False
        self.saved, self._old = self.saved + 1, self._old + 1
        if waiting is None:
            asked.tell(ticket, trial, self._known[trial], 0.0)
        else:
            waiting.append(ticket)
        return True

    def learn(self, trial: Trial, accuracy: Any, asked: "_Plain | _Strands") -> bool:
        """Take an answer, tell those who wait for it, and say whether all is known."""
        self._known[trial] = accuracy
        for ticket in self._waiting.pop(trial):
            asked.tell(ticket, trial, accuracy, 0.0)
        self._left -= trial.epochs == self._budget
        return self._left == 0


# Whom to ask


def _asked(searcher: Searcher) -> "_Plain | _Strands":
    if isinstance(searcher, Sequential) and not searcher.is_one_by_one:
        return _Strands(searcher)
    return _Plain(searcher)


class _Plain:
    """A searcher that is told trials themselves."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    def ask(self) -> tuple[Trial, Any] | None:
        trial = self._searcher.ask_ahead()
        return None if trial is None else (trial, None)

    def tell(self, ticket: Any, trial: Trial, accuracy: Any, seconds: float) -> None:
        self._searcher.tell(trial, accuracy, seconds)

    def close(self) -> None:
        """Do nothing: who made the searcher closes it."""


class _Strands:
    """The strands of a searcher: the first one that has a trial left is asked."""

    def __init__(self, searcher: Sequential) -> None:
        self._searcher = searcher
        self._begun = 0
        self._open: dict[int, _Strand] = {}
        self._left: list[_Strand] = []
        """Those that have a trial that nobody has taken, by their numbers."""

    def ask(self) -> tuple[Trial, Any] | None:
        if not self._left:
            steps = self._searcher.strand()
            if steps is None:
                return None
            strand = _Strand(self._begun, steps)
            self._begun += 1
            self._open[strand.number] = strand
            self._go_on(strand, None)
            if not self._left:
                return None
        strand = self._left[0]
        trial, place = strand.take()
        if not strand.left:
            self._left.pop(0)
        return trial, (strand, place)

    def tell(self, ticket: Any, trial: Trial, accuracy: Any, seconds: float) -> None:
        strand, place = ticket
        if strand.answer(place, accuracy):
            self._go_on(strand, strand.answers)

    def _go_on(self, strand: "_Strand", answers: Any) -> None:
        if strand.go_on(answers):
            insort(self._left, strand, key=_number)
        else:
            del self._open[strand.number]

    def close(self) -> None:
        """End the generators."""
        for strand in self._open.values():
            strand.steps.close()


class _Strand:
    """A generator of trials, and the one or the many that it has yielded."""

    def __init__(self, number: int, steps: Steps) -> None:
        self.number, self.steps = number, steps
        self._asked: Trial | Trials | None = None
        self._taken = self._count = self._told = 0
        self.answers: Any = None

    @property
    def left(self) -> bool:
        """Whether there is a trial that nobody has taken."""
        return self._taken < self._count

    def take(self) -> tuple[Trial, int]:
        """Take the next trial, and its place."""
        place, asked = self._taken, self._asked
        self._taken += 1
        if isinstance(asked, Trials):
            return Trial(int(asked.cell_ids[place]), asked.epochs), place
        assert asked is not None
        return asked, place

    def answer(self, place: int, accuracy: Any) -> bool:
        """Take an answer, and say whether it is the last one."""
        self._told += 1
        if isinstance(self._asked, Trials):
            # Of several objectives each is a row.
            if self.answers is None:
                self.answers = np.zeros((self._count, *np.shape(accuracy)))
            self.answers[place] = accuracy
        else:
            self.answers = accuracy
        return self._told == self._count

    def go_on(self, answers: Any) -> bool:
        """Send answers, and say whether there is more to train."""
        try:
            asked = self.steps.send(answers)
            while isinstance(asked, Trials) and not len(asked.cell_ids):
                asked = self.steps.send(np.zeros(0))
        except StopIteration:
            return False
        self._asked, self._taken, self._told = asked, 0, 0
        self._count = len(asked.cell_ids) if isinstance(asked, Trials) else 1
        self.answers = None
        return True


def _number(strand: _Strand) -> int:
    return strand.number
