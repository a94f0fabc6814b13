"""Logs of every step: CSV, or TensorBoard's own files."""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from nb101._base.files import atomic, file_errors
from nb101.errors import MissingExtraError


class Step(NamedTuple):
    """What is logged of a step.

    Attributes
    ----------
    attempt
        Which one, from 1.
    step
        From 0.
    epoch
        Passes through the training set before it.
    learning_rate
        Of this step.
    cross_entropy
        Mean of the batch, before the step.
    loss
        The same with the penalty on the size of weights.
    """

    attempt: int
    step: int
    epoch: float
    learning_rate: float
    cross_entropy: float
    loss: float


class Log(Protocol):
    """Where steps go."""

    def write(self, steps: list[Step]) -> None:
        """Take some more steps."""

    def close(self) -> None:
        """Nothing comes any more."""


def open_log(path: str | os.PathLike[str], attempt: int, step: int) -> Log:
    """Open a log, and drop what it has from this step on: it will come again.

    A name that ends in ``.csv`` is a file, any other a folder for TensorBoard.

    Raises
    ------
    MissingExtraError
        If TensorBoard's files are asked for, and it is not installed.
    FileError
        If it cannot be written.
    """
    if Path(path).suffix.lower() == ".csv":
        return CsvLog(Path(path), attempt, step)
    return TensorBoardLog(Path(path), step)


class CsvLog:
    """A line a step; see `Step` for the columns."""

    def __init__(self, path: Path, attempt: int, step: int) -> None:
        kept: list[list[str]] = []
        with file_errors(path):
            if (attempt, step) > (1, 0) and path.exists():
                # What is no text or no CSV is not kept.
                with path.open(newline="", encoding="utf-8", errors="replace") as old:
                    kept = [row for row in _rows(old) if _is_before(row, attempt, step)]
            path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as new:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([Step._fields, *kept])
            new.write(text.getvalue().encode())
        with file_errors(path):
            self._file = path.open("a", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")

    def write(self, steps: list[Step]) -> None:
        """Add lines."""
        self._writer.writerows(steps)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


_WHOLE = re.compile("[0-9]{1,18}")


def _rows(file: Iterable[str]) -> Iterator[list[str]]:
    reader = csv.reader(file)
    while True:
        try:
            yield next(reader)
        except csv.Error:
            continue
        except StopIteration:
            return


def _is_before(row: list[str], attempt: int, step: int) -> bool:
    """Whether a line is whole, and of an earlier step; others are what a killed process left."""
    if len(row) != len(Step._fields) or not all(map(_WHOLE.fullmatch, row[:2])):
        return False
    return (int(row[0]), int(row[1])) < (attempt, step)


class TensorBoardLog:
    """Scalars ``cross_entropy``, ``loss`` and ``learning_rate`` by step."""

    def __init__(self, folder: Path, step: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"a log in TensorBoard's format needs it: pip install tensorboard; or let "
                f"the name {str(folder)!r} end in .csv",
                name="tensorboard",
            ) from error
        writer: Any = SummaryWriter
        self._writer = writer(str(folder), purge_step=step)

    def write(self, steps: list[Step]) -> None:
        """Add points."""
        for one in steps:
            for name in ("cross_entropy", "loss", "learning_rate"):
                self._writer.add_scalar(name, getattr(one, name), one.step)
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
