"""``nb101 run``."""

import errno
import os
import signal
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Annotated

import typer

from nb101 import datasets
from nb101._base.files import file_errors
from nb101.api import TABLE_VARIABLE, MissingDatasetError
from nb101.cli.printing import note
from nb101.cli.stopping import ScriptEnded
from nb101.compat import install
from nb101.errors import MissingFileError

EXAMPLES = """[bold]Examples[/bold]

nb101 run example.py

nb101 run search.py --dataset nasbench_only108.tfrecord --seed 1

nb101 run --table surrogate-v1 search.py

What stands after SCRIPT is for the program, so --table comes before it."""


def run(
    script: Annotated[str, typer.Argument(metavar="SCRIPT", help="A Python program.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ARGUMENTS", help="Everything after it is for the program."),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            metavar="TABLE",
            help="The table, a file or a name, to be read whatever file the program asks for: "
            "surrogate-v1 is the one of the package, and predicted. [NB101_TABLE]",
        ),
    ] = None,
) -> None:
    """Run a program that was written for the original, unchanged.

    What it imports as nasbench is the interface of this package: no TensorFlow is needed, and
    dataset files are official ones or those of nb101 convert. Child processes find it too.
    """
    with file_errors(script):
        source = Path(script).read_bytes()
    install()
    if table is not None:
        # In the environment, so that child processes read the same.
        os.environ[TABLE_VARIABLE] = _find_table(table)
    # As Python does for its own scripts; what programs import as nasbench still comes first.
    sys.argv = [script, *(arguments or [])]
    sys.path.insert(1, str(Path(script).resolve().parent))
    if getattr(signal.getsignal(signal.SIGTERM), "__module__", None) == "nb101.cli":
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise ScriptEnded(_execute(source, os.path.abspath(script)))  # noqa: PTH100


def _find_table(table: str) -> str:
    """Return the name of a table, or an absolute path: programs may change the folder."""
    if table in datasets.NAMES:
        return table
    if not Path(table).exists():
        if not Path(table).suffix and len(Path(table).parts) < 2:
            datasets.find(table)
        raise MissingFileError(errno.ENOENT, os.strerror(errno.ENOENT), table)
    return os.path.abspath(table)  # noqa: PTH100


def _execute(source: bytes, path: str) -> int:
    """Run a program as `__main__`, and return its exit code.

    The module stays in place when it has ended: threads, exit handlers and pickles may need it.
    """
    main = ModuleType("__main__")
    loader = SourceFileLoader("__main__", path)
    vars(main).update(__file__=path, __loader__=loader, __builtins__=__builtins__)
    sys.modules["__main__"] = main
    try:
        exec(compile(source, path, "exec", dont_inherit=True), vars(main))
    except SystemExit as stop:
        return _exit_code(stop.code)
    except MissingDatasetError as error:
        # The first thing that newcomers meet: the way out, and no traceback.
        note(f"error: {error}")
        return 2
    except BaseException as error:
        error.__traceback__ = _own_frames(error.__traceback__, path)
        sys.excepthook(type(error), error, error.__traceback__)
        if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == "absl":
            # The original came with it.
            note("pip install 'nb101[compat]' installs absl")
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _exit_code(code: object) -> int:
    """Take the argument of ``sys.exit`` as Python does: all but numbers is a message."""
    if code is None or isinstance(code, int):
        return code or 0
    print(code, file=sys.stderr)
    return 1


def _own_frames(traceback: TracebackType | None, path: str) -> TracebackType | None:
    """Leave out the frames before those of the program."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename != path:
        traceback = traceback.tb_next
    return traceback
