"""The command ``nb101``: one file a command.

Results go to stdout, progress and errors to stderr. What is wrong with the input, or with the
machine, ends in one line and exit code 2: the package's own exceptions, usage, files and shortages.
All else is a defect: a traceback, a request to report it, and exit code 70.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Annotated, NoReturn

import typer
from typer.core import TyperGroup

from nb101 import interrupts
from nb101._base.runtime import describe_shortage, is_shortage
from nb101.cli.analysis import PLOT_EXAMPLES, REPORT_EXAMPLES, plot, report
from nb101.cli.bench import EXAMPLES as BENCH_EXAMPLES
from nb101.cli.bench import bench
from nb101.cli.campaign import RUN_EXAMPLES as CAMPAIGN_EXAMPLES
from nb101.cli.campaign import TABLE_EXAMPLES, table
from nb101.cli.campaign import run as run_campaign
from nb101.cli.cell import EXAMPLES as CELL_EXAMPLES
from nb101.cli.cell import cell
from nb101.cli.convert import CONVERT_EXAMPLES, EXPORT_EXAMPLES, convert, export
from nb101.cli.count import EXAMPLES as COUNT_EXAMPLES
from nb101.cli.count import count
from nb101.cli.download import EXAMPLES as DOWNLOAD_EXAMPLES
from nb101.cli.download import download
from nb101.cli.enumerate import EXAMPLES as ENUMERATE_EXAMPLES
from nb101.cli.enumerate import enumerate_space
from nb101.cli.hash import EXAMPLES as HASH_EXAMPLES
from nb101.cli.hash import hash_command
from nb101.cli.info import EXAMPLES as INFO_EXAMPLES
from nb101.cli.info import info
from nb101.cli.plan import PLAN_EXAMPLES, plan
from nb101.cli.predict import APPLY_EXAMPLES, FIT_EXAMPLES, SAMPLE_EXAMPLES, apply, fit, sample
from nb101.cli.printing import note
from nb101.cli.query import QUERY_EXAMPLES, TOP_EXAMPLES, query, top
from nb101.cli.run import EXAMPLES as RUN_EXAMPLES
from nb101.cli.run import ScriptEnded, run
from nb101.cli.search import (
    COMPARE_EXAMPLES,
    LIST_EXAMPLES,
    PAGE_EXAMPLES,
    SearchGroup,
    compare,
    list_searchers,
    page,
    search,
)
from nb101.cli.search import RUN_EXAMPLES as SEARCH_EXAMPLES
from nb101.cli.status import STATUS_EXAMPLES, status
from nb101.cli.stopping import Interrupted
from nb101.cli.train import DATA_EXAMPLES, TRAIN_EXAMPLES, data_app, train
from nb101.errors import NB101Error
from nb101.plain import printable_lines

DEFECT = 70
"""Exit code where nb101 itself is wrong; that of sysexits.h for internal errors."""

_HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(
    name="nb101",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings=_HELP,
)


def _add(
    name: str,
    command: Callable[..., None],
    examples: str,
    group: typer.Typer = app,
    **settings: bool,
) -> None:
    # rich would break lines where the source does.
    paragraphs = (command.__doc__ or "").split("\n\n")
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    group.command(name, help=text, epilog=examples, context_settings=_HELP | settings)(command)


def _group(name: str, text: str, cls: type[TyperGroup] = TyperGroup) -> typer.Typer:
    group = typer.Typer(
        cls=cls, no_args_is_help=True, rich_markup_mode="rich", context_settings=_HELP
    )
    app.add_typer(group, name=name, help=text)
    return group


_add("enumerate", enumerate_space, ENUMERATE_EXAMPLES)
_add("count", count, COUNT_EXAMPLES)
# An op list such as -1,0,-2 is an argument and not an option.
_add("hash", hash_command, HASH_EXAMPLES, ignore_unknown_options=True)
_add("cell", cell, CELL_EXAMPLES, ignore_unknown_options=True)
_add("convert", convert, CONVERT_EXAMPLES)
_add("export", export, EXPORT_EXAMPLES)
_add("info", info, INFO_EXAMPLES)
_add("query", query, QUERY_EXAMPLES, ignore_unknown_options=True)
_add("top", top, TOP_EXAMPLES)
_add("report", report, REPORT_EXAMPLES)
_add("plot", plot, PLOT_EXAMPLES)
_add("download", download, DOWNLOAD_EXAMPLES)
_predict = _group("predict", "Fit predictors of metrics to tables, and apply them.")
_add("sample", sample, SAMPLE_EXAMPLES, _predict)
_add("fit", fit, FIT_EXAMPLES, _predict)
_add("apply", apply, APPLY_EXAMPLES, _predict, ignore_unknown_options=True)
_search = _group("search", "Search a table in simulated time, and compare algorithms.", SearchGroup)
_add("run", search, SEARCH_EXAMPLES, _search)
_add("compare", compare, COMPARE_EXAMPLES, _search)
_add("page", page, PAGE_EXAMPLES, _search)
_add("list", list_searchers, LIST_EXAMPLES, _search)
_add("run", run, RUN_EXAMPLES, allow_interspersed_args=False)
_add("train", train, TRAIN_EXAMPLES, ignore_unknown_options=True)
_add("bench", bench, BENCH_EXAMPLES)
_campaign = _group("campaign", "Carry out many runs, and make tables of them.")
_add("plan", plan, PLAN_EXAMPLES, _campaign, ignore_unknown_options=True)
_add("run", run_campaign, CAMPAIGN_EXAMPLES, _campaign)
_add("status", status, STATUS_EXAMPLES, _campaign)
_add("table", table, TABLE_EXAMPLES, _campaign)
app.add_typer(data_app, name="data", epilog=DATA_EXAMPLES, context_settings=_HELP)


def _print_version(wanted: bool) -> None:
    if wanted:
        from nb101._core import __version__

        typer.echo(f"nb101 {__version__}")
        raise typer.Exit


@app.callback()
def _nb101(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """NAS-Bench-101, fast: the search space, and tables of its runs.

    A cell is a small graph of up to 7 vertices and 9 edges: input, output, and ops between them.

    Exit codes: 0 done, 2 something given is wrong, 70 a defect of nb101, 130 Ctrl-C.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, that of the process by default, and return its exit code."""
    is_process = interrupts.raise_again()
    try:
        code = _run(arguments)
    except ScriptEnded as script:
        # What a program does as it ends is its own affair, Ctrl-C too.
        return script.code
    except KeyboardInterrupt:
        # Also a second one, while the first is answered.
        print(interrupts.MESSAGE, end="", file=sys.stderr)
        code = interrupts.INTERRUPTED
    if is_process:
        interrupts.end_at_once()
        if code == interrupts.INTERRUPTED:
            interrupts.leave_by_code()
    return code


def _run(arguments: Sequence[str] | None) -> int:
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # A character that an encoding lacks must not end in a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    _clean_up_on(signal.SIGTERM)
    try:
        code = app(
            args=None if arguments is None else list(arguments),
            prog_name="nb101",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_left()
    except Interrupted as stop:
        note(f"interrupted; {stop}")
        return interrupts.INTERRUPTED
    except SystemExit as stop:
        # typer's way of leaving at a broken pipe.
        code = stop.code if isinstance(stop.code, int) else 1
        if code == 1:
            return _reader_left()
    except Exception as error:
        return _fail(error)
    if code == interrupts.INTERRUPTED:
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def _fail(error: Exception) -> int:
    """Say in one line what is wrong with what was given; of a defect say where it is."""
    if hasattr(error, "format_message"):
        message = error.format_message()
        if not message:
            # No arguments at all: the help has been printed.
            return 2
    elif is_shortage(error):
        message = describe_shortage(error)
    elif isinstance(error, NB101Error):
        message = str(error)
    elif isinstance(error, OSError):
        message = error.strerror or str(error) or type(error).__name__
        if error.filename and error.strerror:
            message = f"{error.filename}: {message}"
    else:
        return _report_defect(error)
    note(f"error: {' '.join(message.split())}")
    return 2


def _report_defect(error: Exception) -> int:
    from nb101._core import __version__

    # With it may come what a file says.
    text = printable_lines("".join(traceback.format_exception(error)))
    print(text, end="", file=sys.stderr)
    note(f"this is a defect of nb101 {__version__}: please report it with the lines above")
    return DEFECT


def _reader_left() -> int:
    # Python flushes stdout once more when it exits, and would complain.
    sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
    return 141


def _clean_up_on(number: signal.Signals) -> None:
    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    try:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop)
    except ValueError:
        pass  # Only the main thread can; elsewhere the caller sees to signals.
