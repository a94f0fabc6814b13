"""The one file that a command writes: where it goes, and what is said beside it."""

import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from nb101._base.files import STDOUT, Format, is_stream
from nb101.errors import ArgumentError

TEXT = ("csv", "json", "svg")
"""Formats that a terminal can show."""


def output_file(
    output: Path | str,
    format: str | None = None,  # noqa: A002
    *,
    text: Collection[str] = TEXT,
) -> Path:
    """Return the path of the one file that a command writes: ``-`` is stdout.

    Parameters
    ----------
    output
        As it was given.
    format
        What will be written, where that is known.
    text
        The formats that a terminal can show.

    Raises
    ------
    ArgumentError
        If it is binary, and stdout a terminal.
    """
    path = STDOUT if os.fspath(output) == "-" else Path(output)
    if path == STDOUT and format is not None and format not in text and sys.stdout.isatty():
        raise ArgumentError(
            f"{format} is binary and not for a terminal: lead stdout to a file or a program, or "
            "name a file",
            field="output",
        )
    return path


def output_and_format(
    output: Path | str,
    format: str | None,  # noqa: A002
    find: Callable[[Path, str | None], Format],
) -> tuple[Path, Format]:
    """Do as `output_file` does, and find the format by `find`, which takes path and format."""
    path = output_file(output)
    chosen = find(path, format)
    return output_file(path, chosen), chosen


@contextmanager
def beside(output: Path | None) -> Iterator[None]:
    """Print to stdout what is said beside a file; to stderr where the file itself is on stdout."""
    if output is None or output != STDOUT:
        yield
        return
    sys.stdout.flush()
    with redirect_stdout(sys.stderr):
        yield


def describe_file(path: Path) -> str:
    """Name a file that was written, with its size."""
    if is_stream(path):
        return "stdout" if path == STDOUT else str(path)
    return f"{path}, {file_size(path.stat().st_size)}"


def file_size(size: int) -> str:
    """Say how large a file is, in units of 1,000."""
    if size < 1000:
        return f"{size} bytes"
    unit = min(3, (len(str(size)) - 1) // 3)
    return f"{size / 1000**unit:,.4g} {('kB', 'MB', 'GB')[unit - 1]}"
