"""Running one search on a benchmark."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache
from importlib.metadata import version
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101._base.checks import check_whole
from nb101._base.progress import TimeProgress, in_notebook, show
from nb101._core import __version__
from nb101.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from nb101.search.choices import choices_of, least_regret
from nb101.search.domain import Domain, checksum, domain_of
from nb101.search.objectives import Goals, check_objectives, goals_of, value_of
from nb101.search.parallel import Memory, check_workers, columns_of, simulate
from nb101.search.searcher import (
    Entry,
    Searcher,
    Sequential,
    Trials,
    check_options,
    create,
    find,
)
from nb101.search.trace import Trace, make_trace
from nb101.space.one_shot import OneShotSpace
from nb101.table.about import prediction_mark
from nb101.table.benchmark import Benchmark, ask_many, ask_one, converse, regrets_of
from nb101.table.noise import Answer
from nb101.table.schema import METRICS
from nb101.table.table import Table

Seed = int | np.random.SeedSequence | None

INTERVAL = 0.2
"""Seconds between two calls that tell of progress."""
PATIENCE = 10_000
"""Proposals in a row of cells that were asked before after which a search of new ones ends."""


def run(
    name: str,
    benchmark: Benchmark | Table,
    *,
    seconds: float | None = None,
    max_epochs: float | None = None,
    queries: int | None = None,
    seed: Seed = None,
    epochs: int | None = None,
    unique: bool = False,
    space: OneShotSpace | None = None,
    objectives: str | Sequence[str] | None = None,
    workers: int = 1,
    synchronous: bool = False,
    progress: TimeProgress | None = None,
    **options: Any,
) -> Trace:
    """Run a search algorithm until its simulated time is spent (section 4.3 of the paper).

    A query that would end after the limit is charged to the benchmark, but its answer comes too
    late: it is not in the trace, and the searcher is not told.

    Parameters
    ----------
    name
        One of `registry`: ``"random-search"``, ``"regularized-evolution"``...
    benchmark
        Queries are charged to it, and draw from its random numbers: the same searcher, seed,
        options and fresh benchmark of the same seed give the same trace. Or a table: a benchmark of
        `seed` is made then, noisy if the table says how far runs lie apart.
    seconds, max_epochs, queries
        Limits, of which at least one is to be given: simulated seconds, epochs trained in all,
        queries.
    seed
        Of the searcher; `None` for fresh randomness.
    epochs
        The budget that cells are trained with; by default the largest of the table. Searchers that
        use several budgets use those up to it.
    unique
        Whether to ask for each cell and budget once: whenever the searcher comes back to one, it is
        told the old answer, at no cost. The search ends when all cells are known at the largest
        budget, or 10,000 proposals in a row were old.
    space
        A space of NAS-Bench-1Shot1 to search, of a table of NAS-Bench-101: modules are its choices
        then, of which a mutation changes one, and regret is the distance from its own best cell.
    objectives
        Two or more of ``"error"``, ``"parameters"``, ``"flops"`` and ``"training_time"``, all to be
        minimized; or ``"c10mop1"`` or ``"c10mop2"``, the problems of EvoXBench. The searcher is
        told these in place of validation accuracy, and the trace has the hypervolume of what it
        has found, and its IGD+: see `nb101.search.exact_front`.
    workers
        How many queries are under way at a time, in simulated time: each ends when its training
        would, and the searcher is told then. `seconds` is a limit of the wall's clock, and so is
        the trace's; its `total_seconds` are those of all workers.
    synchronous
        Whether workers wait for each other: so many queries begin together, and the next ones when
        all of these have ended.
    progress
        Called several times a second with what is spent of the limit that is nearest, and with
        that limit. Without it a notebook shows a bar.
    options
        Of the searcher.

    Raises
    ------
    ArgumentError
        If there is no such searcher, limit, objective or option, or one has a wrong value; or if
        the searcher takes one worker alone, or searches for accuracy alone.
    DatasetError, MissingRunError
        If the table lacks what it takes.
    MissingExtraError
        If a library is missing; the message says what to install.

    Examples
    --------
    >>> import nb101
    >>> bench = nb101.Benchmark(nb101.load_table(), seed=0, noise=True)
    >>> trace = nb101.search.run("regularized-evolution", bench, seconds=1e6, seed=0)
    >>> trace.final_regret < 0.01
    True
    """
    entry = find(name)
    refuse_old_names(options, entry)
    limits = check_limits(seconds, max_epochs, queries)
    check_workers(entry, check_whole("workers", workers))
    sequence = seed if isinstance(seed, np.random.SeedSequence) else _sequence(seed)
    # Of a copy: to spawn changes the original, which is the caller's.
    own, draws = np.random.SeedSequence(sequence.entropy, spawn_key=sequence.spawn_key).spawn(2)
    if isinstance(benchmark, Table):
        benchmark = _benchmark(benchmark, draws)
    if not isinstance(benchmark, Benchmark):
        message = f"run takes a Benchmark or a Table, not {type(benchmark).__name__}"
        raise ArgumentTypeError(message, field="benchmark")
    table = benchmark.table
    benchmark_seed = None if benchmark.is_used else benchmark.seed
    domain = domain_for(entry, table, epochs, space)
    names = check_objectives(entry, objectives, table, domain.budgets[-1], space is None)
    goals = None
    if names:
        goals = goals_of(table, domain, names)
        domain = domain.with_objectives(names)
    searcher = create(name, domain, np.random.default_rng(own), **options)
    account, saved = _Account(limits), 0
    with closing(searcher), _shown(progress) as shown:
        told = _Progress(shown, limits)
        if workers > 1:
            memory = Memory(domain.budgets[-1], len(domain), PATIENCE) if unique else None
            columns = columns_of(
                simulate(
                    searcher,
                    benchmark,
                    limits,
                    workers,
                    synchronous=synchronous,
                    memory=memory,
                    told=told,
                    goals=goals,
                )
            )
            saved = 0 if memory is None else memory.saved
        elif unique:
            saved = _search_once(searcher, benchmark, account, told, domain, goals)
        else:
            _search(searcher, benchmark, account, told, goals)
    about = {
        "searcher": name,
        "seed": [sequence.entropy, *sequence.spawn_key] if sequence.spawn_key else sequence.entropy,
        "limits": {key: value for key, value in limits.items() if value != float("inf")},
        "epochs": domain.budgets[-1],
        "unique": unique,
        "options": check_options(name, options),
        "queries_saved": saved,
        "noise": benchmark.noise,
        "benchmark_seed": benchmark_seed,
        "kind": table.provenance.get("kind", "unknown"),
        "predicted": prediction_mark(table.provenance),
        "table": str(table.provenance.get("source", "")),
        "table_checksum": checksum(table),
        "space": [table.space.max_vertices, table.space.max_edges, list(table.space.ops)],
        "nb101": __version__,
        "libraries": {x: _version(x) for x in ("numpy", *entry.searcher.libraries)},
    }
    if space is not None:
        about["one_shot"] = space.number
    if workers > 1:
        about |= {"workers": int(workers), "synchronous": bool(synchronous)}
    else:
        columns = account.columns()
    places = columns["cell_ids"].astype(np.int64)
    if not domain.is_whole:
        places = np.searchsorted(table.cell_ids, places)
    regrets = regrets_of(table)[places]
    if space is not None:
        regrets = regrets - least_regret(table, space)
    if goals is None:
        return make_trace(about, columns, regrets)
    return make_trace(about | goals.about(), columns, regrets, goals.columns(columns))


# A look at a package's metadata takes 0.2 to 2 ms, and a comparison has runs by the thousand.
_version = cache(version)


@contextmanager
def _shown(progress: TimeProgress | None) -> Iterator[TimeProgress | None]:
    if progress is not None or not in_notebook():
        yield progress
        return
    with show("searching") as advance:
        yield lambda done, total: advance(int(done), int(total))


class _Account:
    """What was asked and answered in time, one by one or many at a time, and what it has cost."""

    def __init__(self, limits: dict[str, float]) -> None:
        self.most_seconds, self.most_epochs, self.most_queries = limits.values()
        self.seconds, self.epochs, self.queries = 0.0, 0, 0
        self._cell_ids: list[int] = []
        self._epochs: list[int] = []
        self._answers: list[Answer] = []
        self._parts: list[list[npt.NDArray[Any]]] = []

    @property
    def spent(self) -> tuple[float, int, int]:
        """Seconds, epochs and queries."""
        return self.seconds, self.epochs, self.queries

    @property
    def most(self) -> tuple[float, float, float]:
        """How many seconds and epochs there are in all, and how many queries are left."""
        return self.most_seconds, self.most_epochs, self.most_queries - self.queries

    @property
    def is_late(self) -> bool:
        """Whether the last answer came too late."""
        return self.seconds > self.most_seconds or self.epochs > self.most_epochs

    def add(self, cell_id: int, epochs: int, answer: Answer) -> None:
        """Take an answer: what it cost, and what it is, if that is in time."""
        self.seconds += answer[0]
        self.epochs += epochs
        if self.is_late:
            return
        self.queries += 1
        self._cell_ids.append(cell_id)
        self._epochs.append(epochs)
        self._answers.append(answer)

    def extend(self, columns: list[npt.NDArray[Any]]) -> None:
        """Take many answers, of which the last may be late: ids, epochs, time and accuracies."""
        self._close()
        # One by one, as a benchmark's clock adds them.
        for seconds in columns[2].tolist():
            self.seconds += seconds
        self.epochs += int(columns[1].sum())
        if self.is_late:
            columns = [column[:-1] for column in columns]
        self.queries += len(columns[0])
        self._parts.append(columns)

    def _close(self) -> None:
        if self._answers:
            asked = np.array(self._cell_ids), np.array(self._epochs)
            self._parts.append([*asked, *np.array(self._answers).T])
            self._cell_ids, self._epochs, self._answers = [], [], []

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return all that came in time, by name."""
        self._close()
        names = ("cell_ids", "epochs", *METRICS)
        if not self._parts:
            return {name: np.zeros(0) for name in names}
        columns = map(np.concatenate, zip(*self._parts, strict=True))
        return dict(zip(names, columns, strict=True))


def _search(
    searcher: Searcher,
    benchmark: Benchmark,
    account: _Account,
    told: "_Progress",
    goals: Goals | None,
) -> None:
    while account.queries < account.most_queries:
        told(account.spent)
        try:
            asked = searcher.ask_many()
        except StopIteration:
            return
        if isinstance(asked, Trials):
            columns = ask_many(benchmark, *asked, account.spent[:2], account.most)
            account.extend(columns)
            if account.is_late or len(columns[0]) < len(asked.cell_ids):
                return
            cell_ids, _, seconds, _, accuracies, _ = columns
            values = accuracies.astype(np.float64)
            if goals is not None:
                values = goals.of_many(cell_ids, seconds, accuracies)
            searcher.tell_many(asked, values, seconds.astype(np.float64))
            continue
        sequential = searcher if goals is None and isinstance(searcher, Sequential) else None
        if sequential is not None and (steps := sequential.generator) is not None:
            spent, most = account.spent[:2], account.most
            columns, after = converse(benchmark, steps.send, asked, spent, most, told.interval)
            if len(columns[0]):
                account.extend(columns)
                if account.is_late:
                    return
                sequential.go_on(after)
                continue
        cell_id, answer = ask_one(benchmark, *asked)
        account.add(cell_id, asked.epochs, answer)
        if account.is_late:
            return
        searcher.tell(asked, value_of(cell_id, answer, goals), answer[0])


def _search_once(
    searcher: Searcher,
    benchmark: Benchmark,
    account: _Account,
    told: "_Progress",
    domain: Domain,
    goals: Goals | None,
) -> int:
    """`_search` for new cells: what was asked before is answered from memory. Returns how often."""
    known: dict[tuple[int, int], Any] = {}
    saved, old, complete = 0, 0, 0
    while account.queries < account.most_queries:
        told(account.spent)
        try:
            trial = searcher.ask()
        except StopIteration:
            break
        accuracy = known.get(trial)
        if accuracy is not None:
            saved, old = saved + 1, old + 1
            if old == PATIENCE:
                break
            searcher.tell(trial, accuracy, 0.0)
            continue
        old = 0
        cell_id, answer = ask_one(benchmark, *trial)
        account.add(cell_id, trial.epochs, answer)
        if account.is_late:
            break
        known[trial] = value_of(cell_id, answer, goals)
        complete += trial.epochs == domain.budgets[-1]
        if complete == len(domain):
            break
        searcher.tell(trial, known[trial], answer[0])
    return saved


class _Progress:
    """Tells somebody, if there is anybody, how far a search is."""

    def __init__(self, tell: TimeProgress | None, limits: dict[str, float]) -> None:
        self._tell, self._limits, self._due = tell, limits, 0.0
        self.interval = float("inf") if tell is None else INTERVAL
        """How long one may go on without telling."""

    def __call__(self, spent: tuple[float, int, int]) -> None:
        if self._tell is not None and monotonic() >= self._due:
            self._tell(*_nearest(spent, self._limits))
            self._due = monotonic() + INTERVAL


def _nearest(spent: tuple[float, float, float], limits: dict[str, float]) -> tuple[float, float]:
    pairs = zip(spent, limits.values(), strict=True)
    return max(
        ((done, most) for done, most in pairs if most < float("inf")),
        key=lambda pair: pair[0] / pair[1],
    )


def check_limits(
    seconds: float | None, max_epochs: float | None, queries: int | None
) -> dict[str, float]:
    """Check the limits of a run, and return them by name, infinite where none is given.

    Raises
    ------
    ArgumentError
        If one is not positive, or none is finite.
    """
    given = {"seconds": seconds, "max_epochs": max_epochs, "queries": queries}
    if all(value is None for value in given.values()):
        raise ArgumentError("give a limit: seconds, max_epochs or queries", field="seconds")
    for name, value in given.items():
        if value is None:
            continue
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not value > 0:
            raise ArgumentError(f"{name} must be a positive number, not {value!r}", field=name)
        if name == "queries" and float(value) not in (float("inf"), int(min(value, 2**53))):
            raise ArgumentError(f"queries must be a whole number, not {value!r}", field=name)
    # Without any of these a search would never end; infinity is no limit.
    limits = {name: float("inf") if x is None else float(x) for name, x in given.items()}
    if all(value == float("inf") for value in limits.values()):
        raise ArgumentError("at least one limit must be finite", field="seconds")
    return limits


def refuse_old_names(options: Mapping[str, Any], entry: Entry | None = None) -> None:
    """Say what `budget` is called now, unless it is an option of the algorithm.

    Raises
    ------
    UnknownNameError
        If it is given.
    """
    if "budget" in options and (entry is None or "budget" not in entry.options):
        message = (
            "budget is called epochs, as everywhere; the limit of epochs trained in all is "
            "called max_epochs"
        )
        raise UnknownNameError(message, field="budget")


def _sequence(seed: Seed) -> np.random.SeedSequence:
    if seed is None:
        return np.random.SeedSequence()
    return np.random.SeedSequence(check_whole("seed", seed, 0))


def _benchmark(table: Table, draws: np.random.SeedSequence) -> Benchmark:
    noise = "validation_accuracy_spread" in table.columns
    return Benchmark(table, int(draws.generate_state(1, np.uint64)[0]), noise=noise)


def domain_for(
    entry: Entry, table: Table, epochs: int | None, space: OneShotSpace | None = None
) -> Domain:
    """Return what an algorithm may query of a table, given its largest budget, in a space of it."""
    largest = table.budget_or_largest(epochs).epochs
    several = entry.searcher.multi_fidelity
    budgets = tuple(x for x in table.epochs if x <= largest) if several else (largest,)
    domain = domain_of(table, budgets)
    return domain if space is None else choices_of(domain, table, space)
