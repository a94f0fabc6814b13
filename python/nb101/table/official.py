"""Files of official records (section 2.5 of the paper) to tables, without TensorFlow.

`nb101.table.files` writes them again, for users of the original reader.
"""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nb101 import _core
from nb101._base.checks import check_path
from nb101._base.files import file_errors, is_same_file
from nb101._base.progress import Progress
from nb101.errors import ArgumentError, DatasetError
from nb101.space.default import default_space
from nb101.table import files as table_files
from nb101.table.about import check_provenance, pack_metadata, today
from nb101.table.schema import EVALUATIONS, INTEGERS, OFFICIAL
from nb101.table.table import Table

RECORDS = {
    "nasbench_only108.tfrecord": (499_000_000, 1_270_872),
    "nasbench_full.tfrecord": (1_950_000_000, 5_083_488),
}
"""About how many bytes the official files have, and how many records."""
ABOUT = 0.02
"""How far off the size of a file may be that goes by the name of an official one and is it."""

SHA256 = {
    "nasbench_only108.tfrecord": "4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1",
    "nasbench_full.tfrecord": "3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c",
}
"""Of the official files, in hexadecimal."""
BUDGETS = ((108,), (4, 12, 36, 108))
"""What cells of an official file are trained for, `REPEATS` times each."""
REPEATS = 3

RECIPE = (
    "NAS-Bench-101 (Ying et al. 2019): CIFAR-10, 40,000 training images, RMSProp, cosine decay by "
    "step, batches of 256"
)
"""What the runs of the official files are of. No other file is said to hold such runs."""
UNKNOWN_RECIPE = "unknown, in the layout of the official files"
"""What is said of other files, which may hold anybody's runs: records do not name a recipe."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A record that was left out.

    Attributes
    ----------
    record
        Records before it in the file.
    offset
        Bytes before its frame; in a gzip file, of what is packed.
    message
        What is wrong with it.
    """

    record: int
    offset: int
    message: str

    def __str__(self) -> str:
        return f"record {self.record} at byte {self.offset}: {self.message}"


def read_official(
    path: str | os.PathLike[str],
    *,
    verify_hashes: bool = True,
    keep_going: bool = False,
    provenance: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> tuple[Table, tuple[Problem, ...]]:
    """Read official records into a table in memory; arguments and errors as in `convert`.

    Of the problems the first thousand are kept; the table's provenance has their number.
    """
    with _in_file(path):
        size = Path(path).stat().st_size
        columns, raw, problems, left_out = _core.read_release(
            os.fspath(path), verify_hashes, keep_going, progress
        )
    rows = len(columns["cell_id"])
    found = _check_rows(path, size, rows, problems, keep_going=keep_going)
    with _in_file(path):
        table = Table.from_columns(columns, raw=raw, copy=False)
    given = dict(provenance or {})
    about = _about(
        path,
        size,
        original=_is_known(given) or has_original_runs(table),
        hashes_verified=verify_hashes,
        records_left_out=left_out,
    )
    return table.with_provenance(about | given), found


@contextmanager
def _in_file(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name the file in what is wrong with it."""
    try:
        with file_errors(path):
            yield
    except DatasetError as error:
        raise error.in_file(path) from None


def _check_rows(
    path: str | os.PathLike[str],
    size: int,
    rows: int,
    problems: list[tuple[int, int, str]],
    *,
    keep_going: bool,
) -> tuple[Problem, ...]:
    """Return what was left out of a file, unless there is too little in it."""
    found = tuple(Problem(record=r, offset=o, message=m) for r, o, m in problems)
    cut = _missing(path, size, rows + len(found))
    if cut is not None:
        if not keep_going:
            raise DatasetError(f"{os.fspath(path)}: {cut}", index=cut.record, path=path)
        found += (cut,)
    if not rows:
        reason = f": {found[0]}" if found else ""
        raise DatasetError(f"{os.fspath(path)} holds no records{reason}", path=path)
    return found


def _is_known(provenance: Mapping[str, Any]) -> bool:
    return provenance.get("source_sha256") in SHA256.values()


def _about(
    path: str | os.PathLike[str], size: int, *, original: bool, **more: Any
) -> dict[str, Any]:
    """Return the provenance of records."""
    return {
        "kind": "measured" if original else "unknown",
        "source": Path(path).name,
        "source_bytes": size,
        "recipe": RECIPE if original else UNKNOWN_RECIPE,
        **more,
    }


def has_original_runs(table: Table) -> bool:
    """Whether a table of official records is that of an official file, by what there is in it.

    It has runs of all cells, at 108 epochs or at the four budgets, three times each, and their
    networks have the original's numbers of parameters. A part of a file does not tell where it is
    from, nor do runs of others that are exported to such records.
    """
    if table.epochs not in BUDGETS or table.num_cells != len(table.space):
        return False
    if any((table.counts(epochs) != REPEATS).any() for epochs in table.epochs):
        return False
    own = table.cells.parameters()
    return bool(np.array_equal(table.column("trainable_parameters"), own[table.column("cell_id")]))


def _are_original(runs: _core.Runs) -> bool:
    """Do as `has_original_runs` does, before there is a table."""
    if tuple(runs.budgets()) not in BUDGETS:
        return False
    if any((runs.counts(epochs) != REPEATS).any() for epochs in runs.budgets()):
        return False
    return np.array_equal(runs.parameters(), default_space().enumerate().parameters())


def _missing(path: str | os.PathLike[str], size: int, records: int) -> Problem | None:
    """Say whether an official file has fewer records than it had, or more.

    One that is cut between two records looks whole, and nothing in it says how many there were.
    """
    usual, expected = RECORDS.get(Path(path).name, (0, records))
    if records == expected or abs(size - usual) > ABOUT * usual:
        return None
    message = (
        f"the file ends here, with {records:,} records, and the official file of this name has "
        f"{expected:,}: fetch it again, or give a part of it another name"
    )
    return Problem(record=records, offset=size, message=message)


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002
    verify_hashes: bool = True,
    keep_going: bool = False,
    on_problem: Callable[[Problem], object] | None = None,
    provenance: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Table:
    """Turn a file of official records into a table's file, and open that.

    Nothing is lost: every number of every evaluation, the order of cells and of repeats. A file
    with fewer cells, budgets or repeats than the release has is as good; but only of a file with
    all of them is it said that its runs are the original's. Records do not tell how they came
    about, and those of others are of unknown kind and recipe unless `provenance` says more.

    Parameters
    ----------
    source
        ``nasbench_full.tfrecord``, ``nasbench_only108.tfrecord`` or another file of such records,
        packed by gzip or not.
    target
        The new file, Arrow or Parquet. It appears whole or not at all.
    format
        ``"arrow"`` or ``"parquet"``; by the ending of `target` if not given.
    verify_hashes
        Whether a hash that is not that of the record's cell is an error.
    keep_going
        Whether to leave out wrong records instead of stopping at the first.
    on_problem
        Called with each record that was left out, but with no more than the first thousand:
        ``table.provenance["records_left_out"]`` is their number. Without it there is one warning.
    provenance
        What else is to be kept about the records, as JSON can hold it; it goes before what is
        found out.
    progress
        Called with the bytes read and their number, some ten times a second.

    Raises
    ------
    DatasetError
        If a record is damaged, wrong, or contradicts another of the same cell: the message has its
        number and byte offset. If there is no (good) record at all. If the file has the name and
        about the size of an official one, and not as many records.
    ArgumentError
        If `target` is `source`, or of another format.
    FileError
        If a file cannot be read; `MissingFileError` if it is not there. Both are OSErrors, as is
        what comes of a target that cannot be written.

    Examples
    --------
    >>> import nb101
    >>> table = nb101.convert("nasbench_full.tfrecord", "nasbench_full.arrow")
    >>> table.epochs
    (4, 12, 36, 108)
    """
    check_path(source, "source")
    check_path(target, "target")
    chosen = table_files.table_format(target, format)
    if chosen not in ("arrow", "parquet"):
        raise ArgumentError(
            f"official files are converted to arrow or parquet, not to {chosen}", field="format"
        )
    check_provenance({} if provenance is None else provenance)
    if is_same_file(source, target):
        raise ArgumentError(
            f"{os.fspath(target)} would overwrite its own source", path=target, field="target"
        )
    if chosen == "arrow":
        problems, left_out = _to_arrow(
            source,
            target,
            verify_hashes=verify_hashes,
            keep_going=keep_going,
            provenance=provenance,
            progress=progress,
        )
    else:
        table, problems = read_official(
            source,
            verify_hashes=verify_hashes,
            keep_going=keep_going,
            provenance=provenance,
            progress=progress,
        )
        left_out = table.provenance["records_left_out"]
        table.save(target, format=chosen)
        del table
    if on_problem is not None:
        for problem in problems:
            on_problem(problem)
    elif problems:
        message = f"{left_out:,} records of {os.fspath(source)} left out; {problems[0]}"
        warnings.warn(message, stacklevel=2)
    return Table.open(target)


def _to_arrow(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    verify_hashes: bool,
    keep_going: bool,
    provenance: Mapping[str, Any] | None,
    progress: Progress | None,
) -> tuple[tuple[Problem, ...], int]:
    """Write the file that `Table.save` writes of what `read_official` returns.

    A column is made when it is to be written, so that there is no table in memory. What is checked
    of tables is so of these: rows are in order and of one run each, numbers within their limits.
    """
    with _in_file(source):
        size = Path(source).stat().st_size
        runs, raw, problems, left_out = _core.scan_release(
            os.fspath(source), verify_hashes, keep_going, progress
        )
    found = _check_rows(source, size, len(runs), problems, keep_going=keep_going)
    given = dict(provenance or {})
    about = _about(
        source,
        size,
        original=_is_known(given) or _are_original(runs),
        hashes_verified=verify_hashes,
        records_left_out=left_out,
    )
    about = {"kind": about["kind"], "created": today()} | about | given
    kinds: dict[str, type[np.generic]] = dict(INTEGERS)
    kinds |= {name: np.float64 if runs.is_double(name) else np.float32 for name in EVALUATIONS}
    kinds["total_time"] = np.float64
    fields = {name: np.dtype(kinds[name]) for name in OFFICIAL}
    if raw:
        columns = {name: np.empty(len(runs), kind) for name, kind in fields.items()}
        for name, column in columns.items():
            runs.take(name, column)
        del runs
        with _in_file(source):
            table = Table.from_columns(columns, raw=raw, provenance=about, copy=False)
        table.save(target, format="arrow")
        return found, left_out
    metadata = pack_metadata(default_space(), about)
    table_files.write_ipc_of(fields, len(runs), runs.take, metadata, target)
    return found, left_out
