"""``nb101 convert`` and ``nb101 export``."""

from contextlib import nullcontext
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from nb101._base.files import atomic_path, is_same_file, is_stream
from nb101.cli import complete
from nb101.cli.info import print_summary, summarize
from nb101.cli.options import Json
from nb101.cli.output import beside, describe_file, file_size, output_and_format
from nb101.cli.printing import note, print_json, print_line
from nb101.cli.progress import byte_bar, progress_bar
from nb101.cli.stopping import interrupted
from nb101.cli.tables import open_table
from nb101.errors import ArgumentError
from nb101.plain import counted
from nb101.table import files as table_files
from nb101.table.about import prediction_mark
from nb101.table.official import Problem
from nb101.table.official import convert as convert_file

CONVERT_EXAMPLES = """[bold]Examples[/bold]

nb101 convert nasbench_only108.tfrecord nasbench108.arrow

nb101 convert nasbench_full.tfrecord.gz nasbench.parquet

nb101 convert damaged.tfrecord rest.arrow --keep-going"""
EXPORT_EXAMPLES = """[bold]Examples[/bold]

nb101 export nasbench108.arrow nasbench108.tfrecord

nb101 export official-108 runs.csv

nb101 export runs.parquet runs --format arrow

nb101 export official-108 - --format csv | gzip > runs.csv.gz"""
SHOWN = 20
"""Problems that are listed one by one."""


def convert(
    source: Annotated[
        Path,
        typer.Argument(metavar="IN", help="A file of official records, packed by gzip or not."),
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The table's file; - for stdout.")],
    format: Annotated[  # noqa: A002
        str | None,
        typer.Option("--format", metavar="FORMAT", help="arrow or parquet; by the ending of OUT."),
    ] = None,
    skip_hashes: Annotated[
        bool, typer.Option("--skip-hashes", help="Do not compare hashes with computed ones.")
    ] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Leave out wrong records and list them.")
    ] = False,
    json: Json = False,
) -> None:
    """Turn a file of official records (TFRecord) into a table, without TensorFlow.

    Every record is checked: both checksums, JSON, base64, protobuf, and the hash of its cell. OUT
    appears whole or not at all. An Arrow file can then be opened in place, in milliseconds.
    """
    problems: list[Problem] = []
    start = perf_counter()
    size = source.stat().st_size
    target, chosen = output_and_format(target, format, table_files.table_format)
    with (
        interrupted("nothing was written, and the same command begins anew"),
        # A stream cannot be opened as a table: what is written to it is made as a file first.
        atomic_path(target) if is_stream(target) else nullcontext(target) as made,
        byte_bar() as show,
    ):
        table = convert_file(
            source,
            made,
            format=chosen,
            verify_hashes=not skip_hashes,
            keep_going=keep_going,
            on_problem=problems.append,
            progress=lambda done, total: show(done, total, "converting"),
        )
        found = summarize(table)
        if is_stream(target):
            found |= {"path": str(target), "bytes": None}
    seconds = perf_counter() - start
    for problem in problems[:SHOWN]:
        note(f"left out {problem}")
    if (more := table.provenance["records_left_out"] - SHOWN) > 0:
        note(f"left out {counted(more, 'more record')}")
    with beside(target):
        if json:
            left_out = [
                {"record": x.record, "offset": x.offset, "message": x.message} for x in problems
            ]
            print_json(found | {"seconds": seconds, "records": len(table), "left_out": left_out})
            return
        print_summary(found, table.space)
        # Nothing in such a file says how many there should be.
        print_line(
            f"converted {file_size(size)} in {seconds:.2f} s to {target}: "
            f"{counted(len(table), 'record')} of {counted(table.num_cells, 'cell')}"
        )


def export(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN", help="A table: a file, or a name.", autocompletion=complete.tables
        ),
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The new file; - for stdout.")],
    format: Annotated[  # noqa: A002
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="tfrecord, parquet, csv or arrow; by the ending of OUT.",
        ),
    ] = None,
) -> None:
    """Write a table in another format.

    tfrecord is that of the official files, which the original reader reads to the same values;
    records that came from an official file come out byte for byte as they went in. csv has the
    hash of each cell too. OUT appears whole or not at all. IN is compared with its seal first;
    arrow and parquet get one of their own, for which tfrecord and csv have no room.
    """
    target, chosen = output_and_format(target, format, table_files.table_format)
    table = open_table(source)
    if any(is_same_file(target, name) for name in (source, table.path or source)):
        raise ArgumentError(f"{target} would overwrite its own source", path=target, field="target")
    with (
        interrupted("nothing was written, and the same command begins anew"),
        progress_bar("writing", len(table)) as advance,
    ):
        table.save(target, format=chosen, progress=lambda done, total: advance(done))
    mark = prediction_mark(table.provenance)
    what = counted(len(table), f"{mark} run" if mark else "run")
    with beside(target):
        print_line(f"{what} to {describe_file(target)}")
