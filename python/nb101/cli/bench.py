"""``nb101 bench``."""

import os
import platform
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from nb101 import _core
from nb101._base.runtime import get_threads, set_threads
from nb101.cli.grid import Facts, Grid
from nb101.cli.options import Json, Threads
from nb101.cli.output import beside, output_file
from nb101.cli.printing import print_json, print_rich
from nb101.cli.progress import progress_bar
from nb101.cli.stopping import interrupted
from nb101.errors import ArgumentError, UnknownNameError
from nb101.space.cells import Cells
from nb101.space.hashing import hash_modules
from nb101.space.ops import INPUT_CODE, OUTPUT_CODE
from nb101.space.search_space import SearchSpace

EXAMPLES = """[bold]Examples[/bold]

nb101 bench

nb101 bench --quick --json

nb101 bench --threads 1 --output bench.json

nb101 bench train --precision bf16 --compile default

nb101 bench train --set stem_channels=16 --quick"""


def bench(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT", help="space (by default): enumerating and hashing; or train."
        ),
    ] = "space",
    quick: Annotated[bool, typer.Option("--quick", help="Run each part once or twice.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the results as JSON too; - for stdout."
        ),
    ] = None,
    threads: Threads = None,
    device: Annotated[
        str | None, typer.Option("--device", help="To train on: auto (by default), cpu, cuda...")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option("--precision", help="To train in: fp32 if not tf32 or bf16."),
    ] = None,
    compile: Annotated[  # noqa: A002
        str | None, typer.Option("--compile", help="Mode of torch.compile to train with, or none.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A setting of the training; repeat for more."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Measure how fast this machine enumerates, hashes, looks up and counts; or trains.

    Each time is the median of n runs. A block is 64 bytes of MD5 input. The blocks of the space are
    those that cells of one structure do not share. The peak is that of the bare MD5 kernel, on as
    many cores as there are threads.
    """
    if what not in ("space", "train"):
        raise UnknownNameError(
            f"nothing to measure is called {what!r}: there are space and train", field="what"
        )
    options = {"device": device, "precision": precision, "compile": compile}
    given = {name: value for name, value in options.items() if value is not None}
    if what == "space" and (given or set_):
        name = next(iter(given), "set")
        raise ArgumentError(f"--{name} is of training: nb101 bench train", field=name)
    if threads is not None:
        set_threads(threads)
    if output is not None:
        output = output_file(output, "json")
    with interrupted("what was measured is not kept; --quick takes less time"):
        if what == "train":
            report = _measure_training(given, set_, threads, quick)
        else:
            report = {"machine": _machine(), "results": _measure(2 if quick else 7, quick)}
    if output is not None:
        import json as json_module

        from nb101._base.files import atomic, is_stream

        if not is_stream(output):
            output.parent.mkdir(parents=True, exist_ok=True)
        with atomic(output) as file:
            file.write(json_module.dumps(report, indent=2).encode() + b"\n")
    with beside(output):
        if json:
            print_json(report)
        elif what == "train":
            _print_training(report)
        else:
            _print_report(report)


def _measure(repeats: int, quick: bool) -> dict[str, dict[str, Any]]:
    parts: list[Callable[[], tuple[str, dict[str, Any]]]] = []
    space = SearchSpace()
    cells = space.enumerate()
    blocks = needed_md5_blocks(cells)
    rng = np.random.default_rng(0)
    matrices, ops = random_raw_modules(100_000 if quick else 1_000_000, rng)
    ids = rng.integers(len(space), size=100_000 if quick else 1_000_000)
    drawn = space[ids]
    large = SearchSpace(8, 11)

    def timed(n: int, work: Callable[[], object], runs: int) -> dict[str, Any]:
        seconds = []
        for _ in range(runs):
            start = perf_counter()
            work()
            seconds.append(perf_counter() - start)
        middle = float(np.median(seconds))
        return {"items": n, "n": runs, "seconds": middle, "per_second": n / middle}

    def peak() -> tuple[str, dict[str, Any]]:
        return "md5 kernel, one core", {"n": 20, "blocks_per_second": _core.kernel_peak()}

    def hashing() -> tuple[str, dict[str, Any]]:
        found = timed(len(cells), cells.digests, repeats)
        return "hash the space", found | {"blocks_per_second": blocks / found["seconds"]}

    parts = [
        peak,
        hashing,
        lambda: (
            "hash random modules",
            timed(len(ops), lambda: hash_modules(matrices, ops, invalid="empty"), repeats),
        ),
        lambda: ("enumerate the space", timed(len(cells), space.enumerate, repeats)),
        lambda: ("ids of cells", timed(len(drawn), lambda: space.index(drawn), repeats)),
        lambda: ("cells of ids", timed(len(ids), lambda: space[ids], repeats)),
        lambda: (
            "count 11 vertices, 55 edges",
            timed(1, lambda: SearchSpace(11, 55).count(), repeats),
        ),
        lambda: (
            "stream 8 vertices, 11 edges",
            timed(
                large.count().total,
                lambda: sum(len(batch) for batch in large.iter_batches()),
                1 if quick else 3,
            ),
        ),
    ]
    results = {}
    with progress_bar("measuring", len(parts)) as advance:
        for done, part in enumerate(parts, 1):
            name, found = part()
            results[name] = found
            advance(done)
    full = results["hash the space"]
    bare = results["md5 kernel, one core"]["blocks_per_second"]
    full["blocks"] = blocks
    full["fraction_of_peak"] = full["blocks_per_second"] / (bare * _busy_cores())
    return results


def random_raw_modules(
    n: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Draw raw modules of 7 vertices as the original's notebook does, connected or not.

    Each edge has probability one half and each op is uniform: shapes ``(n, 7, 7)`` and ``(n, 7)``.
    """
    matrices = np.triu(rng.integers(0, 2, (n, 7, 7), dtype=np.int8), 1)
    ops = rng.integers(0, 3, (n, 7), dtype=np.int8)
    ops[:, 0], ops[:, -1] = INPUT_CODE, OUTPUT_CODE
    return matrices, ops


def md5_blocks(cells: Cells) -> int:
    """Count the blocks of 64 bytes that MD5 takes for cells, each hashed on its own.

    A vertex of degree d hashes 32 (d + 1) + 2 bytes in each of V rounds, and a cell 36 V in the
    end; MD5 appends at least 9 bytes. First hashes of vertices, few in a space, are left out.
    """
    matrices = cells.adjacency().astype(np.int64)
    vertices = cells.vertices.astype(np.int64)
    degrees = matrices.sum(axis=1) + matrices.sum(axis=2)
    there = np.arange(matrices.shape[1]) < vertices[:, np.newaxis]
    rounds = np.where(there, (32 * (degrees + 1) + 2 + 9 + 63) // 64, 0).sum(axis=1) * vertices
    ends = (36 * vertices + 9 + 63) // 64
    return int((rounds + ends).sum())


def needed_md5_blocks(cells: Cells) -> int:
    """Count the blocks of :func:`md5_blocks` that no two cells of one structure share.

    The hash of a vertex after r rounds depends on the structure and on the labels within distance
    r: cells that agree on these need it once. Cells of one structure are to stand together.
    """
    matrices = cells.adjacency().astype(bool)
    (edges, _), vertices = cells.words, cells.vertices
    labels = cells.operations()
    changes = np.flatnonzero((edges[1:] != edges[:-1]) | (vertices[1:] != vertices[:-1])) + 1
    counted: dict[tuple[bytes, bytes], int] = {}

    def different(run: npt.NDArray[np.int8], seen: npt.NDArray[np.bool_]) -> int:
        key = (run.tobytes(), seen.tobytes())
        if key not in counted:
            counted[key] = len(np.unique(run[:, seen], axis=0))
        return counted[key]

    total = 0
    for rows in np.split(np.arange(len(cells)), changes):
        v = int(vertices[rows[0]])
        run = np.ascontiguousarray(labels[rows, :v])
        matrix = matrices[rows[0], :v, :v]
        near = matrix | matrix.T | np.eye(v, dtype=bool)
        blocks = (32 * near.sum(axis=1) + 2 + 9 + 63) // 64
        seen = np.eye(v, dtype=bool)
        for _ in range(v):
            seen = seen @ near
            total += sum(int(blocks[x]) * different(run, seen[x]) for x in range(v))
        total += len(rows) * ((36 * v + 9 + 63) // 64)
    return total


def _busy_cores() -> int:
    return min(get_threads(), os.cpu_count() or 1)


def _machine() -> dict[str, Any]:
    from nb101._core import __version__

    chosen, available = _core.cpu()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "nb101": __version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": get_threads(),
        "instructions": chosen,
        "instructions_available": available,
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def _print_report(report: dict[str, Any]) -> None:
    machine, results = report["machine"], report["results"]
    rows = []
    for name, found in results.items():
        blocks = found.get("blocks_per_second")
        seconds = found.get("seconds")
        rows.append(
            (
                name,
                f"{found['items']:,}" if "items" in found else "",
                str(found["n"]),
                "" if seconds is None else _duration(seconds),
                f"{found['per_second']:,.0f}" if found.get("items", 1) > 1 and seconds else "",
                "" if blocks is None else f"{blocks / 1e6:,.1f} M",
            )
        )
    table = _table(("", "items", "n", "median", "items/s", "blocks/s"), rows)
    full = results["hash the space"]
    instructions = f"{machine['instructions']} (of {', '.join(machine['instructions_available'])})"
    print_rich(
        table,
        "",
        Facts(
            [
                ("peak reached", f"{full['fraction_of_peak']:.0%} in hashing the space"),
                ("MD5 blocks", f"{full['blocks']:,} in the space"),
                ("processor", f"{machine['processor']}, {machine['cores']} cores"),
                ("threads", machine["threads"]),
                ("instructions", instructions),
                ("date", machine["date"]),
            ]
        ),
        "",
    )


def _table(heads: tuple[str, ...], rows: Sequence[Sequence[str]]) -> Grid:
    grid = Grid()
    # What was measured, and how long it takes, come before what follows from it.
    optional = {"n": 3, "items": 2, "blocks/s": 1, "input": 1, "of peak": 2, "memory": 3}
    for place, head in enumerate(heads):
        grid.add(head, [row[place] for row in rows], order=optional.get(head, 0), left=place == 0)
    return grid


def _measure_training(
    settings: dict[str, Any], pairs: list[str] | None, threads: int | None, quick: bool
) -> dict[str, Any]:
    from nb101.cli.recipe import import_torch, make_recipe, read_settings

    import_torch(threads)
    from nb101.train import bench as train_bench

    # For speed, and not for the same bits again.
    given = read_settings(None, pairs or [])
    if "epochs" in given:
        raise ArgumentError(
            "epochs have no part in how fast it trains: the time is told for 108 of them",
            field="epochs",
        )
    chosen = {"deterministic": False} | settings | given
    config = make_recipe(chosen)
    about = train_bench.describe_device(config)
    results = {}
    with progress_bar("measuring", len(train_bench.CELLS)) as advance:
        for name, speed in train_bench.measure_speeds(config, 1.0 if quick else 10.0):
            results[name] = speed._asdict()
            advance(len(results))
    return {"machine": _machine() | about, "results": results}


def _print_training(report: dict[str, Any]) -> None:
    rows = []
    for name, speed in report["results"].items():
        memory = speed["megabytes"]
        rows.append(
            (
                name,
                f"{speed['parameters']:,}",
                _figure(speed["images_per_second"]),
                _figure(speed["operations_per_second"] / 1e9),
                f"{speed['peak_fraction']:.0%}",
                f"{speed['input_fraction']:.1%}",
                f"{speed['budget_seconds'] / 60:,.4g} min",
                "" if memory != memory else f"{memory:,.0f} MB",
            )
        )
    heads = ("parameters", "images/s", "GFLOP/s", "of peak", "input", "108 epochs", "memory")
    table = _table(("", *heads), rows)
    machine = report["machine"]
    shape = f"stem {machine['stem_channels']}, {machine['stacks']} x {machine['cells_per_stack']}"
    batch = f"batches of {machine['batch_size']} in {machine['bn_shards']} shards"
    print_rich(
        table,
        "",
        Facts(
            [
                ("device", machine["device"]),
                ("network", f"{shape}, {batch}"),
                ("precision", f"{machine['precision']}, torch.compile: {machine['compile']}"),
                ("torch", machine["torch"]),
                ("processor", f"{machine['processor']}, {machine['threads']} threads"),
                ("date", machine["date"]),
            ]
        ),
        "",
    )


def _figure(value: float) -> str:
    """Write a number with three digits at least, and all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _duration(seconds: float) -> str:
    return f"{seconds:.3f} s" if seconds >= 0.1 else f"{seconds * 1e3:.3f} ms"
