"""The command ``nb101``: one file a command, imported when it is called.

Results go to stdout, progress and errors to stderr. What is wrong with the input, or with the
machine, ends in one line and exit code 2: the package's own exceptions, usage, files and shortages.
All else is a defect: a traceback, a request to report it, and exit code 70.
"""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, NoReturn

import typer

from nb101 import interrupts
from nb101._base.runtime import describe_shortage, is_shortage
from nb101._base.version import __version__
from nb101.cli.commands import (
    CAMPAIGN,
    COMMANDS,
    DATA,
    DATA_EXAMPLES,
    DATA_HELP,
    PREDICT,
    PROXIES,
    SEARCH,
)
from nb101.cli.groups import HELP, Entry, Group, SearchGroup, group_of
from nb101.cli.printing import note
from nb101.cli.stopping import Interrupted, ScriptEnded
from nb101.errors import NB101Error
from nb101.plain import printable_lines

DEFECT = 70
"""Exit code where nb101 itself is wrong; that of sysexits.h for internal errors."""

app = typer.Typer(
    name="nb101",
    cls=group_of(COMMANDS),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings=HELP,
)


def _group(
    name: str,
    text: str,
    entries: Sequence[Entry],
    base: type[Group] = Group,
    examples: str | None = None,
) -> None:
    group = typer.Typer(
        cls=group_of(entries, base),
        no_args_is_help=True,
        rich_markup_mode="rich",
        context_settings=HELP,
    )
    app.add_typer(group, name=name, help=text, epilog=examples)


_group("predict", "Fit predictors of metrics to tables, and apply them.", PREDICT)
_group("search", "Search a table in simulated time, and compare algorithms.", SEARCH, SearchGroup)
_group("proxies", "Score untrained networks by zero-cost proxies.", PROXIES)
_group("campaign", "Carry out many runs, and make tables of them.", CAMPAIGN)
_group("data", DATA_HELP, DATA, examples=DATA_EXAMPLES)


def _print_version(wanted: bool) -> None:
    if wanted:
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
