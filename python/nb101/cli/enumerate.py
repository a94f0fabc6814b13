"""``nb101 enumerate``."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from nb101._base.files import is_stream
from nb101._base.runtime import get_threads, set_threads
from nb101.cli.grid import CountTable, Facts
from nb101.cli.options import Json, SpaceOptions, Threads, grouped
from nb101.cli.output import beside, describe_file, output_and_format
from nb101.cli.printing import describe, print_json, print_rich
from nb101.cli.progress import progress_bar
from nb101.cli.stopping import interrupted
from nb101.errors import ArgumentError, SpaceError
from nb101.space.cells import Cells
from nb101.space.search_space import Count, SearchSpace

if TYPE_CHECKING:
    from nb101.space.writers import Format

EXAMPLES = """[bold]Examples[/bold]

nb101 enumerate

nb101 enumerate --output nasbench101.parquet

nb101 enumerate --output generated_graphs.json

nb101 enumerate --format csv --output - | gzip > cells.csv.gz

nb101 enumerate --vertices 8 --edges 11 --no-hashes --output cells.arrow

nb101 enumerate --vertices 5 --op conv3x3-bn-relu --op identity --output small.csv"""
MOST_CELLS = 10**12
"""Cells that nobody waits for: at ten million a second, more than a day."""

MOST_KEPT = 50_000_000
"""Cells whose fingerprints are kept to count different ones, 16 bytes each."""


@grouped
def enumerate_space(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="File to write, its folder is made if missing; - for stdout.",
        ),
    ] = None,
    format: Annotated[  # noqa: A002
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="parquet, arrow, csv or json; by the ending of FILE if left out.",
        ),
    ] = None,
    *,
    of: SpaceOptions,
    hashes: Annotated[
        bool, typer.Option("--hashes/--no-hashes", help="Whether to hash the cells.")
    ] = True,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Enumerate every unique cell of a space, hash it and write it to a file.

    Cells come in the reference order: by vertices, then edges, then ops. A file has a row for each
    with its id, hash, adjacency, ops, vertices, edges, depth, width, parameters and FLOPs. JSON is
    laid out as the original generator script did. The file appears only when it is complete.
    """
    if threads is not None:
        set_threads(threads)
    space = of.make()
    from nb101.space import writers

    total = space.count().total
    if total > MOST_CELLS:
        raise SpaceError(f"this space has {total:,} cells, too many to enumerate: see nb101 count")
    if format is not None and output is None:
        raise ArgumentError("--format needs --output FILE", field="format")
    chosen: Format | None = None
    if output is not None:
        output, chosen = output_and_format(output, format, writers.cells_format)
    with interrupted("nothing was written, and the same command begins anew"):
        run = _enumerate(space, output, chosen, hashes)
    if run.count.table != space.count().table:
        raise RuntimeError(f"{run.count.total:,} cells were found, but {total:,} counted")
    with beside(output):
        if json:
            print_json(_as_json(space, run, output))
        else:
            print_rich(CountTable(run.count, f"Unique cells: {describe(space)}"))
            print_rich(Facts(_facts(run, output)), "")


@dataclass
class _Enumerated:
    """What was found, and the seconds that each stage took."""

    count: Count
    hashes: int | None
    seconds: dict[str, float] = field(default_factory=dict)
    size: int | None = None


def _enumerate(
    space: SearchSpace, output: Path | None, chosen: "Format | None", hashes: bool
) -> _Enumerated:
    from nb101.space import writers

    total = space.count().total
    clock = _Clock()
    table = np.zeros((space.max_vertices + 1, space.max_edges + 1), dtype=np.int64)
    kept: list[npt.NDArray[np.uint8]] = []
    with ExitStack() as stack:
        writer = None
        if output is not None:
            assert chosen is not None
            writers.check_format(space, chosen, hashes)
            if not is_stream(output):
                output.parent.mkdir(parents=True, exist_ok=True)
            writer = stack.enter_context(
                writers.open_writer(space, output, format=chosen, hashes=hashes)
            )
            # Leaving the stack completes the file, which takes its time too.
            stack.enter_context(clock.after("writing"))
        advance = stack.enter_context(progress_bar("cells", total))
        done = 0
        stream = space.iter_batches(writers.batch_size(space))
        while True:
            with clock.timed("enumerating"):
                cells = next(stream, None)
            if cells is None:
                break
            digests = None
            if hashes:
                with clock.timed("hashing"):
                    digests = cells.digests(partial(_advance_from, advance, done))
                if total <= MOST_KEPT:
                    kept.append(digests)
            if writer is not None:
                with clock.timed("writing"):
                    writer.write(cells, digests)
            _tally(table, cells)
            done += len(cells)
            advance(done)
    clock.stop()
    distinct = None
    if kept:
        every = np.concatenate(kept)
        order = writers.sorted_digests(every)
        distinct = len(every) - int(writers.same_as_next(every[order]).sum())
    count = Count(tuple(tuple(row) for row in table.tolist()))
    size = None if output is None or is_stream(output) else output.stat().st_size
    return _Enumerated(count, distinct, clock.seconds, size)


def _advance_from(advance: Callable[[int], object], done: int, part: int, _: int) -> None:
    advance(done + part)


def _tally(table: npt.NDArray[np.int64], cells: Cells) -> None:
    width = table.shape[1]
    places = cells.vertices.astype(np.int64) * width + cells.num_edges
    table += np.bincount(places, minlength=table.size).reshape(table.shape)


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._left: tuple[str, float] | None = None

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self._add(stage, perf_counter() - start)

    @contextmanager
    def after(self, stage: str) -> Iterator[None]:
        """Time a stage from the end of the block to `stop`."""
        yield
        self._left = stage, perf_counter()

    def stop(self) -> None:
        if self._left is not None:
            self._add(self._left[0], perf_counter() - self._left[1])

    def _add(self, stage: str, seconds: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds


def _facts(run: _Enumerated, output: Path | None) -> list[tuple[str, Any]]:
    total = run.count.total
    facts: list[tuple[str, Any]] = [("cells", f"{total:,}, as many as counted without enumerating")]
    if run.hashes is not None:
        shared = "" if run.hashes == total else f": {total - run.hashes:,} cells share another's"
        facts.append(("distinct hashes", f"{run.hashes:,}{shared}"))
    for stage, seconds in run.seconds.items():
        facts.append((stage, f"{seconds:.3f} s  ({total / max(seconds, 1e-9):,.0f} cells/s)"))
    facts.append(("threads", get_threads()))
    if output is not None:
        facts.append(("written", describe_file(output)))
    return facts


def _as_json(space: SearchSpace, run: _Enumerated, output: Path | None) -> dict[str, Any]:
    return {
        "max_vertices": space.max_vertices,
        "max_edges": space.max_edges,
        "ops": space.ops,
        "cells": run.count.total,
        "by_vertices": run.count.by_vertices,
        "by_edges": run.count.by_edges,
        "distinct_hashes": run.hashes,
        "seconds": run.seconds,
        "threads": get_threads(),
        "output": None if output is None else str(output),
        "bytes": run.size,
    }
