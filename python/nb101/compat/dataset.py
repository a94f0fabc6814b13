"""Which table is read for the file that a program asks for."""

import errno
import os

from nb101 import datasets
from nb101.errors import ArgumentTypeError, MissingFileError
from nb101.table.embedded import EMBEDDED

TABLE_VARIABLE = "NB101_TABLE"
"""The environment variable that names the table to be read whatever file a program asks for."""


class MissingDatasetError(MissingFileError):
    """The file that a program asks for is not there; the message says what can take its place."""


def find_dataset(dataset_file: str | os.PathLike[str] | None) -> str:
    """Return the name of a table or the absolute path of a file that is there."""
    asked = os.environ.get(TABLE_VARIABLE) or dataset_file
    if asked is None:
        return EMBEDDED
    if isinstance(asked, str) and asked in datasets.NAMES:
        return asked
    if not isinstance(asked, (str, os.PathLike)):
        raise ArgumentTypeError(
            f"dataset_file must be a str or a Path, not {type(asked).__name__}",
            field="dataset_file",
        )
    path = os.path.abspath(asked)  # noqa: PTH100
    if not os.path.lexists(path):
        raise MissingDatasetError(errno.ENOENT, _advice(path), os.fspath(asked))
    return path


def _advice(path: str) -> str:
    """Say what can be done about a file that is not there."""
    same = [d for d in datasets.DATASETS.values() if d.file == os.path.basename(path)]  # noqa: PTH119
    name = same[0].name if same else next(iter(datasets.DATASETS))
    if same and same[0].path.exists():
        return (
            f"no such file, but {name}, which is the same, has been fetched: nb101 run --table "
            f"{name}, or {TABLE_VARIABLE}={name} in the environment, puts it in its place"
        )
    return (
        f"no such file; nb101 run --table {EMBEDDED}, or {TABLE_VARIABLE}="
        f"{EMBEDDED} in the environment, puts the table of the package in its place, "
        f"whose numbers are predicted; nb101 download {name} fetches genuine ones, for "
        f"--table {name}"
    )
