"""Comparing searches: many seeds of several algorithms, kept in a folder that grows.

The folder holds ``comparison.json``, which says what is compared; ``traces/NAME/RUN.parquet``, a
file for each run that is done; and the page. All appear whole or not at all, and what is read again
has a seal that is compared before. A comparison that
was stopped, whatever stopped it, goes on from there: runs that are done are not run again, and
each run has its own random numbers, whichever order they come in and whoever runs them.
"""

import json
import os
import re
import socket
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from nb101._base.checks import check_whole
from nb101._base.executors import CANCELLED, ending_of, in_flight
from nb101._base.files import atomic, claim_folder, locked, remove_stale
from nb101._base.processes import (
    GUARD,
    begin_process,
    end_processes,
    import_modules,
    is_unguarded,
    refuse_in_import,
)
from nb101._base.progress import Progress, given_or_shown
from nb101._base.runtime import get_threads, set_threads
from nb101._base.seals import read_sealed_json, sealed_json
from nb101._core import __version__
from nb101.datasets import load_table
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    DatasetError,
    NB101Error,
    SearchError,
)
from nb101.plain import counted, printable
from nb101.search.domain import checksum
from nb101.search.runner import check_limits, domain_for, run
from nb101.search.searcher import check_options, create, fill_options, find, registry
from nb101.search.trace import Trace
from nb101.space.search_space import SearchSpace
from nb101.table.files import check_path
from nb101.table.schema import prediction_mark
from nb101.table.table import Table

FORMAT = 4
MANIFEST, TRACES, TABLE = "comparison.json", "traces", "table.arrow"
MADE_BY = "search compare"
"""What folders of comparisons are marked with."""
VIEWED = 300
"""Runs whose traces are read to show a comparison in a notebook."""
CHEAP = ("random-search", "regularized-evolution", "local-search", "reinforce", "hyperband")
"""Algorithms whose runs take seconds, which are compared by default."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is compared: all that decides what a run is.

    Attributes
    ----------
    limits
        ``seconds``, ``max_epochs`` and ``queries``, as for `run`; those that are given.
    seed
        Runs of all algorithms are seeded from it.
    epochs, unique
        As for `run`; `epochs` is a number here.
    options
        Of each algorithm, those that are not its defaults.
    table
        What the table is: its provenance, cells and budgets.
    nb101
        The version of this package, whose algorithms may change from one to the next.
    """

    limits: Mapping[str, float]
    seed: int
    epochs: int
    unique: bool
    options: Mapping[str, Mapping[str, Any]]
    table: Mapping[str, Any]
    nb101: str

    def settings(self, name: str) -> dict[str, Any]:
        """Return all options that an algorithm runs with, defaults too."""
        return fill_options(name, self.options.get(name, {}))


@dataclass(frozen=True, kw_only=True, repr=False)
class Comparison:
    """A folder of traces, which a notebook shows with the best cell found.

    Attributes
    ----------
    folder
        Where it is.
    plan
        What is compared.
    runs
        How many runs are done of each algorithm, by name.
    asked
        How many were asked for.
    """

    folder: Path
    plan: Plan
    runs: Mapping[str, int]
    asked: Mapping[str, int]

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> "Comparison":
        """Look at what a folder has.

        Raises
        ------
        SearchError
            If it is no folder of a comparison.
        DatasetError
            If what says what it compares is damaged.
        OSError
            If it cannot be read.
        """
        check_path(folder, "folder")
        path = Path(folder)
        found = _read_manifest(path)
        if found is None:
            message = f"{os.fspath(folder)} holds no comparison: no {MANIFEST}"
            raise SearchError(message, path=folder)
        plan, asked = found
        done = {}
        order = [*registry()]
        names = [x.name for x in (path / TRACES).iterdir()] if (path / TRACES).is_dir() else []
        for name in sorted(names, key=lambda x: (order.index(x) if x in order else len(order), x)):
            count = len(_done(path, name))
            if count:
                done[name] = count
        return cls(folder=path, plan=plan, runs=done, asked={**done, **asked})

    @property
    def missing(self) -> int:
        """How many of the runs that were asked for are not done."""
        return sum(max(n - self.runs.get(name, 0), 0) for name, n in self.asked.items())

    @property
    def space(self) -> SearchSpace:
        """The space of the cells."""
        vertices, edges, ops = self.plan.table["space"]
        return SearchSpace(vertices, edges, ops)

    def nearest(self) -> tuple[int, float] | None:
        """Return the cell of least regret that a run ends with, and that; `None` if none does.

        Of many runs it takes seconds: from `VIEWED` on it is not looked for.
        """
        if sum(self.runs.values()) > VIEWED:
            return None
        ends = [
            (trace.final_regret, int(trace.best_cell_ids[-1]))
            for name in self.runs
            for trace in self.traces(name)
            if len(trace)
        ]
        if not ends:
            return None
        regret, cell_id = min(ends)
        return cell_id, regret

    def __repr__(self) -> str:
        done, asked = sum(self.runs.values()), sum(self.asked.values())
        mark = self.plan.table["predicted"]
        names = ", ".join(f"{name} {count:,}" for name, count in self.runs.items())
        return (
            f"<Comparison in {printable(str(self.folder))}: {done:,} of {counted(asked, 'run')} "
            f"done{f' ({names})' if names else ''}{f', {mark}' if mark else ''}>"
        )

    def _repr_html_(self) -> str:
        from nb101.search.views import comparison_html

        return comparison_html(self)

    def traces(self, name: str) -> Iterator[Trace]:
        """Yield the traces of an algorithm, in the order of its runs."""
        for path in self.paths(name):
            yield Trace.open(path)

    def paths(self, name: str) -> list[Path]:
        """Return the files of an algorithm's traces, in the order of its runs."""
        return [_path(self.folder, name, i) for i in sorted(_done(self.folder, name))]

    def is_of(self, path: Path, about: Mapping[str, Any]) -> bool:
        """Whether a trace in a file of this folder is of this comparison, by what it says."""
        name, number = path.parent.name, int(path.stem)
        sequence = seed_of(self.plan.seed, name, number)
        expected = {
            "searcher": name,
            "seed": [sequence.entropy, *sequence.spawn_key],
            "limits": self.plan.limits,
            "epochs": self.plan.epochs,
            "unique": self.plan.unique,
            "options": self.plan.settings(name),
            "table_checksum": self.plan.table["checksum"],
            "nb101": self.plan.nb101,
        }
        found = {key: about.get(key) for key in expected}
        if isinstance(found["options"], dict):
            found["options"] = fill_options(name, found["options"])
        return expected == found


def compare(
    table: Table | str | os.PathLike[str] | None = None,
    folder: str | os.PathLike[str] = "comparison",
    *,
    names: Sequence[str] = CHEAP,
    runs: int | Mapping[str, int] = 500,
    seconds: float | None = None,
    max_epochs: float | None = None,
    queries: int | None = None,
    seed: int = 0,
    epochs: int | None = None,
    unique: bool = False,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    imports: Sequence[str] = (),
    executor: Executor | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Run algorithms many times and keep the traces; go on where that was stopped.

    More runs and more algorithms may be asked for later: those that are done stay.

    Parameters
    ----------
    table
        A table, or the name or file of one; the default table if not given. Workers open its file;
        a table that has none is written to the folder.
    folder
        Where traces are kept; made if need be.
    names
        Algorithms of `registry`.
    runs
        How many of each; a number, or numbers by name.
    seconds, max_epochs, queries, epochs, unique
        As for `run`: 10^7 simulated seconds if no limit is given, as in the paper.
    seed
        Runs are seeded from it, one by one.
    options
        Options of algorithms, by name.
    imports
        Modules that register algorithms, here and in workers.
    executor
        What runs them: any of `concurrent.futures`, or one of its kind such as Dask's
        ``client.get_executor()``, whose workers can open the table's file. By default processes of
        this machine.
    jobs
        How many of those; one a core by default. One alone is this process itself. With more, a
        script has the call under ``if __name__ == "__main__":``, for workers import the script.
    progress
        Called with the runs done and their number. Without it a notebook shows a bar.

    Raises
    ------
    ArgumentError
        If an argument is wrong.
    SearchError
        If the folder holds another comparison, and the message says where they differ; or if
        another process is writing to it.
    FolderError
        If the folder is something else's, such as a report's.
    DatasetError, MissingRunError
        If the table lacks what it takes.
    MissingExtraError
        If a library is missing.
    """
    refuse_in_import()
    import_modules(imports)
    if not isinstance(table, Table):
        table = load_table() if table is None else load_table(os.fspath(table))
    check_path(folder, "folder")
    counts = _counts(names, runs)
    limits = check_limits(
        1e7 if seconds is None and max_epochs is None and queries is None else seconds,
        max_epochs,
        queries,
    )
    plan = _plan(table, limits, seed, epochs, unique, options or {}, counts)
    if executor is None and jobs is not None:
        check_whole("jobs", jobs)
    for name in counts:
        # A wrong option or a missing library shows before anything runs.
        domain = domain_for(find(name), table, plan.epochs)
        create(name, domain, np.random.default_rng(0), **plan.options.get(name, {}))
    target = claim_folder(folder, MADE_BY)
    total = sum(counts.values())
    with _alone(target), given_or_shown(progress, "searching", total) as show:
        _agree(target, plan, counts)
        for place in (target, *(target / TRACES / name for name in counts)):
            remove_stale(place)
        source = "" if table.path == load_table().path else table.path
        if source is None:
            source = os.path.abspath(target / TABLE)  # noqa: PTH100
            if not Path(source).exists():
                table.save(source)
        left = {
            name: sorted(set(range(count)) - _done(target, name)) for name, count in counts.items()
        }
        finished = total - sum(map(len, left.values()))
        show(finished, total)
        tasks = _tasks(source, plan, left, imports)
        with _executor_errors(), _workers(executor, jobs) as (pool, width):
            for task, data in _collect(pool, width, tasks):
                path = _path(target, task.name, task.number)
                path.parent.mkdir(parents=True, exist_ok=True)
                with atomic(path) as file:
                    file.write(data)
                finished += 1
                show(finished, total)
    return Comparison.open(target)


# What is compared


def _counts(names: Sequence[str], runs: int | Mapping[str, int]) -> dict[str, int]:
    if isinstance(names, str):
        raise ArgumentTypeError(f"names are a list of names, not {names!r}", field="names")
    counts = {}
    for name in names:
        find(name)
        count = runs.get(name) if isinstance(runs, Mapping) else runs
        if count is None:
            raise ArgumentError(f"runs says nothing of {name}", field="runs")
        counts[name] = check_whole("runs", count)
    if not counts:
        raise ArgumentError("name at least one searcher", field="names")
    return counts


def _plan(
    table: Table,
    limits: Mapping[str, float],
    seed: int,
    epochs: int | None,
    unique: bool,
    options: Mapping[str, Mapping[str, Any]],
    names: Collection[str],
) -> Plan:
    unused = sorted(set(options) - set(names))
    if unused:
        what = "not compared" if unused[0] in registry() else "no searcher"
        raise ArgumentError(f"options of {unused[0]!r}, which is {what}", field="options")
    return Plan(
        limits={name: limit for name, limit in limits.items() if limit != float("inf")},
        seed=check_whole("seed", seed, 0),
        epochs=table._budget_or_largest(epochs).epochs,
        unique=bool(unique),
        options={
            name: changed for name in options if (changed := check_options(name, options[name]))
        },
        table={
            "checksum": checksum(table),
            "kind": table.provenance.get("kind", "unknown"),
            "predicted": prediction_mark(table.provenance),
            "source": str(table.provenance.get("source", "")),
            "created": str(table.provenance.get("created", "")),
            "rows": len(table),
            "cells": table.num_cells,
            "budgets": list(table.epochs),
            "space": [table.space.max_vertices, table.space.max_edges, list(table.space.ops)],
        },
        nb101=__version__,
    )


def _read_manifest(folder: Path) -> tuple[Plan, dict[str, int]] | None:
    """Return what a folder compares, and how many runs were asked for."""
    try:
        data = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return None
    advice = "delete it, and give the command of the comparison again: runs that are done stay"
    values = read_sealed_json(data, folder / MANIFEST, advice)
    try:
        if values.pop("format") != FORMAT:
            message = "is of another version of nb101: use that, or another folder"
            raise SearchError(f"{folder / MANIFEST} {message}", path=folder / MANIFEST)
        asked = values.pop("asked", {})
        plan = Plan(**values)
        if not _makes_sense(plan, asked):
            raise TypeError
    except (KeyError, TypeError):
        raise DatasetError(f"{folder / MANIFEST} is damaged: {advice}") from None
    return plan, asked


_TABLE = ("checksum", "kind", "predicted", "source", "rows", "cells", "budgets", "space")


def _makes_sense(plan: Plan, asked: Any) -> bool:
    """Whether entries are of the types that `Plan` says: a seal that fits is no promise of that."""
    return (
        isinstance(plan.limits, dict)
        and all(type(limit) in (int, float) for limit in plan.limits.values())
        and type(plan.seed) is int
        and plan.seed >= 0
        and type(plan.epochs) is int
        and type(plan.unique) is bool
        and isinstance(plan.options, dict)
        and all(isinstance(options, dict) for options in plan.options.values())
        and isinstance(plan.table, dict)
        and set(_TABLE) <= set(plan.table)
        and type(plan.table["cells"]) is int
        and isinstance(plan.table["budgets"], list)
        and isinstance(plan.nb101, str)
        and isinstance(asked, dict)
        and all(type(count) is int for count in asked.values())
    )


def _agree(folder: Path, plan: Plan, counts: Mapping[str, int]) -> None:
    """Write the plan to a new folder; of an old one, see that it is the same comparison.

    Algorithms that are not asked for this time keep their options.
    """
    found = _read_manifest(folder)
    old, asked = (None, {}) if found is None else found
    options = dict(plan.options)
    if old is not None:
        for name in ("nb101", "limits", "seed", "epochs", "unique", "table"):
            before, now = getattr(old, name), json.loads(json.dumps(getattr(plan, name)))
            if before != now:
                message = (
                    f"{folder} holds another comparison: {name} there: {before}, here: {now}; "
                    "name another folder"
                )
                raise SearchError(message, path=folder, field=name)
        for name in old.options.keys() | options.keys():
            before, now = old.options.get(name, {}), options.get(name, {})
            if old.settings(name) != plan.settings(name) and _done(folder, name):
                if name in counts:
                    message = (
                        f"{folder} has runs of {name} with "
                        f"{f'options {before}' if before else 'default options'}, not "
                        f"{now or 'default ones'}; give the same, or name another folder"
                    )
                    raise SearchError(message, path=folder, field="options")
                options[name] = before
    asked |= {name: max(count, asked.get(name, 0)) for name, count in counts.items()}
    values = {"format": FORMAT, **plan.__dict__, "options": options, "asked": asked}
    with atomic(folder / MANIFEST) as file:
        file.write(sealed_json(values))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    def refuse() -> None:
        raise SearchError(f"another comparison is writing to {folder}", path=folder)

    with locked(folder / ".lock", refuse):
        yield


def _path(folder: Path, name: str, i: int) -> Path:
    return folder / TRACES / name / f"{i:06}.parquet"


def _done(folder: Path, name: str) -> set[int]:
    try:
        files = [path.name for path in (folder / TRACES / name).iterdir()]
    except FileNotFoundError:
        return set()
    return {int(x[:-8]) for x in files if re.fullmatch(r"[0-9]{6,}\.parquet", x)}


# Running


@dataclass(frozen=True)
class _Task:
    """One run, as a worker gets it."""

    path: str
    """Of the table; empty for the one that the package carries, wherever that is."""
    plan: Plan
    name: str
    number: int
    module: str
    """Where the algorithm registers."""
    imports: tuple[str, ...]


def _tasks(
    path: str, plan: Plan, left: Mapping[str, Sequence[int]], imports: Sequence[str]
) -> "Iterator[_Task]":
    """Yield runs of all algorithms in turn: whenever it stops, there are some of each."""
    for numbers in zip_longest(*left.values()):
        for name, number in zip(left, numbers, strict=True):
            if number is not None:
                module = find(name).searcher.__module__
                yield _Task(path, plan, name, number, module, tuple(imports))


def _run_task(task: _Task) -> bytes:
    """Run a search and return its trace as a file: what happens in a worker."""
    plan = task.plan
    here = socket.gethostname()
    if plan.nb101 != __version__:
        raise SearchError(f"{here} has nb101 {__version__}, and the comparison is of {plan.nb101}")
    try:
        import_modules(x for x in (*task.imports, task.module) if x != "__main__")
    except NB101Error as error:
        raise SearchError(f"a worker on {here}: {error}") from error
    if task.name not in registry():
        message = (
            f"a worker on {here} does not know {task.name!r}: define it in a module that workers "
            "can import, and name that in imports"
        )
        raise SearchError(message, field="imports")
    with _one_thread():
        trace = run(
            task.name,
            _open(task.path, plan.table["checksum"]),
            seconds=plan.limits.get("seconds"),
            max_epochs=plan.limits.get("max_epochs"),
            queries=plan.limits.get("queries"),  # type: ignore[arg-type]
            seed=seed_of(plan.seed, task.name, task.number),
            epochs=plan.epochs,
            unique=plan.unique,
            progress=_no_progress,
            **plan.options.get(task.name, {}),
        )
    return trace.to_bytes()


def _no_progress(done: float, total: float) -> None:
    """Show nothing of a single run: the comparison itself is shown."""


def seed_of(seed: int, name: str, i: int) -> np.random.SeedSequence:
    """Return the seed of a run of a comparison: the same whichever else there are."""
    return np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()), i))


@lru_cache(maxsize=1)
def _open(path: str, expected: int) -> Table:
    try:
        table = Table.open(path) if path else load_table()
    except FileNotFoundError:
        raise SearchError(
            f"a worker on {socket.gethostname()} has no {path}: all workers must see the table",
            path=path,
        ) from None
    if checksum(table) != expected:
        name = path or "the table of the package"
        raise DatasetError(f"{name} is not the table that the comparison is of: it has changed")
    return table


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep libraries from taking all cores for each of several workers."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield
        return
    with threadpool_limits(1):
        yield


_ENDINGS = {
    "ended": "a worker process ended. If it was killed, the same call goes on where this one was; "
    f"if it never began: {GUARD}",
    "cancelled": f"{CANCELLED} The same call goes on where this one was",
    "killed": "several workers of the cluster died of a run; the same call goes on where this one "
    "was",
}


@contextmanager
def _executor_errors() -> Iterator[None]:
    """Say what it means that an executor or its workers ended."""
    try:
        yield
    except Exception as error:
        message = _ENDINGS.get(ending_of(error) or "")
        if message is None:
            raise
        raise SearchError(message) from None


@contextmanager
def _workers(executor: Executor | None, jobs: int | None) -> Iterator[tuple[Executor, int]]:
    if executor is not None:
        yield executor, in_flight(executor) or 64
        return
    count = get_threads() if jobs is None else check_whole("jobs", jobs)
    if count == 1:
        yield _Here(), 1
        return
    # Forked processes would inherit threads' locks, and not the threads.
    pool = ProcessPoolExecutor(count, get_context("spawn"), initializer=_start_worker)
    try:
        yield pool, 2 * count
    except BaseException as error:
        # Runs take minutes, and nobody waits for them any more.
        end_processes(pool)
        if ending_of(error) == "ended" and is_unguarded(pool):
            raise SearchError(GUARD) from None
        raise
    finally:
        pool.shutdown(cancel_futures=True)


class _Here(Executor):
    """Does what it is given at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def _start_worker() -> None:
    set_threads(1)
    begin_process()


def _collect(pool: Executor, width: int, tasks: Iterator[_Task]) -> Iterator[tuple[_Task, bytes]]:
    """Keep some runs in flight, and yield what comes back."""
    flying: dict[Future[bytes], _Task] = {}
    try:
        while True:
            while len(flying) < width and (task := next(tasks, None)) is not None:
                flying[pool.submit(_run_task, task)] = task
            if not flying:
                return
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                yield flying.pop(future), future.result()
    finally:
        for future in flying:
            future.cancel()
