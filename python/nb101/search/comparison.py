"""Comparing searches: many seeds of several algorithms, whose traces are kept in a folder.

A comparison that was stopped, whatever stopped it, goes on from there: runs that are done are not
run again, and each run has its own random numbers, whichever order they come in and whoever runs
them. Processes or an executor run them; what lies in the folder is said in `nb101.search.folder`.
"""

import os
import socket
import sys
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

from nb101._base.checks import check_path, check_whole
from nb101._base.executors import CANCELLED, ending_of, in_flight
from nb101._base.files import atomic, claim_folder, remove_stale
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
from nb101._core import __version__
from nb101.datasets import load_table
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    DatasetError,
    NB101Error,
    SearchError,
)
from nb101.search.domain import checksum
from nb101.search.folder import (
    MADE_BY,
    TABLE,
    TRACES,
    Comparison,
    ComparisonPlan,
    agree,
    done_runs,
    only_writer,
    seed_of,
    trace_path,
)
from nb101.search.objectives import check_objectives, exact_front
from nb101.search.parallel import check_workers
from nb101.search.runner import check_limits, domain_for, run
from nb101.search.searcher import check_options, create, find, registry
from nb101.space.one_shot import OneShotSpace
from nb101.table.about import prediction_mark
from nb101.table.table import Table

Plan = ComparisonPlan
"""Its name in pickles of version 0.1."""

CHEAP = ("random-search", "regularized-evolution", "local-search", "reinforce", "hyperband")
"""Algorithms whose runs take seconds, which are compared by default."""
SEVERAL = ("nsga-ii", "random-search", "local-search")
"""Those that are compared by default for several objectives."""


def compare(
    table: Table | str | os.PathLike[str] | None = None,
    folder: str | os.PathLike[str] = "comparison",
    *,
    names: Sequence[str] | None = None,
    runs: int | Mapping[str, int] = 500,
    seconds: float | None = None,
    max_epochs: float | None = None,
    queries: int | None = None,
    seed: int = 0,
    epochs: int | None = None,
    unique: bool = False,
    space: OneShotSpace | None = None,
    objectives: str | Sequence[str] | None = None,
    workers: int = 1,
    synchronous: bool = False,
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
        Algorithms of `registry`; by default those whose runs take seconds.
    runs
        How many of each; a number, or numbers by name.
    seconds, max_epochs, queries, epochs, unique, space, objectives, workers, synchronous
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
    if names is None:
        names = SEVERAL if objectives is not None and len(objectives) else CHEAP
    counts = _counts(names, runs)
    limits = check_limits(
        1e7 if seconds is None and max_epochs is None and queries is None else seconds,
        max_epochs,
        queries,
    )
    check_whole("workers", workers)
    ahead: dict[str, Any] = {
        "workers": int(workers),
        "synchronous": bool(synchronous and workers > 1),
    }
    if space is not None:
        ahead["one_shot"] = space.number
    budget = table.budget_or_largest(epochs).epochs
    wanted = [check_objectives(find(x), objectives, table, budget, space is None) for x in counts]
    if wanted[0]:
        front = exact_front(table, wanted[0], epochs=budget, space=space)
        cells = zip(front.cell_ids.tolist(), front.values.tolist(), strict=True)
        ahead |= {"objectives": list(wanted[0]), "front": [[x, *row] for x, row in cells]}
    plan = _plan(table, limits, seed, epochs, unique, options or {}, counts, ahead)
    if executor is None and jobs is not None:
        check_whole("jobs", jobs)
    for name in counts:
        # A wrong option or a missing library shows before anything runs.
        check_workers(find(name), plan.workers)
        domain = domain_for(find(name), table, plan.epochs, space)
        domain = domain.with_objectives(plan.objectives)
        create(name, domain, np.random.default_rng(0), **plan.options.get(name, {}))
    target = claim_folder(folder, MADE_BY)
    total = sum(counts.values())
    with only_writer(target), given_or_shown(progress, "searching", total) as show:
        agree(target, plan, counts)
        for place in (target, *(target / TRACES / name for name in counts)):
            remove_stale(place)
        source = "" if table.path == load_table().path else table.path
        if source is None:
            source = os.path.abspath(target / TABLE)  # noqa: PTH100
            if not Path(source).exists():
                table.save(source)
        left = {
            name: sorted(set(range(count)) - done_runs(target, name))
            for name, count in counts.items()
        }
        finished = total - sum(map(len, left.values()))
        show(finished, total)
        assignments = _assignments(source, plan, left, imports)
        with _executor_errors(), _workers(executor, jobs) as (pool, width):
            for assignment, data in _collect(pool, width, assignments):
                path = trace_path(target, assignment.name, assignment.number)
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
    wider: Mapping[str, Any],
) -> ComparisonPlan:
    unused = sorted(set(options) - set(names))
    if unused:
        what = "not compared" if unused[0] in registry() else "no searcher"
        raise ArgumentError(f"options of {unused[0]!r}, which is {what}", field="options")
    return ComparisonPlan(
        limits={name: limit for name, limit in limits.items() if limit != float("inf")},
        seed=check_whole("seed", seed, 0),
        epochs=table.budget_or_largest(epochs).epochs,
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
        **wider,
    )


# Running


@dataclass(frozen=True)
class _Assignment:
    """One run, as a worker gets it."""

    path: str
    """Of the table; empty for the one that the package carries, wherever that is."""
    plan: ComparisonPlan
    name: str
    number: int
    module: str
    """Where the algorithm registers."""
    imports: tuple[str, ...]


def _assignments(
    path: str, plan: ComparisonPlan, left: Mapping[str, Sequence[int]], imports: Sequence[str]
) -> "Iterator[_Assignment]":
    """Yield runs of all algorithms in turn: whenever it stops, there are some of each."""
    for numbers in zip_longest(*left.values()):
        for name, number in zip(left, numbers, strict=True):
            if number is not None:
                module = find(name).searcher.__module__
                yield _Assignment(path, plan, name, number, module, tuple(imports))


def _carry_out(assignment: _Assignment) -> bytes:
    """Run a search and return its trace as a file: what happens in a worker."""
    plan = assignment.plan
    here = socket.gethostname()
    if plan.nb101 != __version__:
        raise SearchError(f"{here} has nb101 {__version__}, and the comparison is of {plan.nb101}")
    try:
        import_modules(x for x in (*assignment.imports, assignment.module) if x != "__main__")
    except NB101Error as error:
        raise SearchError(f"a worker on {here}: {error}") from error
    if assignment.name not in registry():
        message = (
            f"a worker on {here} does not know {assignment.name!r}: define it in a module that "
            "workers can import, and name that in imports"
        )
        raise SearchError(message, field="imports")
    with _one_thread():
        trace = run(
            assignment.name,
            _open(assignment.path, plan.table["checksum"]),
            seconds=plan.limits.get("seconds"),
            max_epochs=plan.limits.get("max_epochs"),
            queries=plan.limits.get("queries"),  # type: ignore[arg-type]
            seed=seed_of(plan.seed, assignment.name, assignment.number),
            epochs=plan.epochs,
            unique=plan.unique,
            space=plan.subspace,
            objectives=plan.objectives,
            workers=plan.workers,
            synchronous=plan.synchronous,
            progress=_no_progress,
            **plan.options.get(assignment.name, {}),
        )
    return trace.to_bytes()


def _no_progress(done: float, total: float) -> None:
    """Show nothing of a single run: the comparison itself is shown."""


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
    controller = _libraries(len(sys.modules))
    if controller is None:
        yield
        return
    with controller.limit(limits=1):
        yield


@lru_cache(maxsize=1)
def _libraries(modules: int) -> Any:
    """Return what limits the threads of the libraries that are loaded, with so many modules.

    To look for those takes 0.24 ms of each run: it is done again when there are more modules.
    """
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()


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


def _collect(
    pool: Executor, width: int, assignments: Iterator[_Assignment]
) -> Iterator[tuple[_Assignment, bytes]]:
    """Keep some runs in flight, and yield what comes back."""
    flying: dict[Future[bytes], _Assignment] = {}
    try:
        while True:
            while len(flying) < width and (assignment := next(assignments, None)) is not None:
                flying[pool.submit(_carry_out, assignment)] = assignment
            if not flying:
                return
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                yield flying.pop(future), future.result()
    finally:
        for future in flying:
            future.cancel()
