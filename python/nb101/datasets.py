"""Tables by name: the one that the package carries, and the official files, fetched once.

What is fetched or converted is kept in one folder, the cache: see `cache_dir`.
"""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from nb101 import _core
from nb101._base import seen
from nb101._base.cache import alone, cache_dir, checksum_of, obtain
from nb101._base.checks import check_path, suggest
from nb101._base.files import file_errors, locked
from nb101._base.progress import NamedProgress, Progress
from nb101.errors import ArgumentTypeError, DatasetError, FileError, MissingFileError
from nb101.table import embedded, official
from nb101.table.embedded import EMBEDDED
from nb101.table.table import Table

__all__ = [
    "DATASETS",
    "NAMES",
    "Dataset",
    "cache_dir",
    "converted",
    "download",
    "find",
    "load_table",
]


def __dir__() -> list[str]:
    return sorted(__all__)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A file of official records that is to be had from a server.

    Attributes
    ----------
    name
        What `load_table` and `download` know it by.
    summary
        What is in it, in a few words.
    file
        Name of the file.
    url
        Where it was published.
    sha256
        SHA-256 of the file, in hexadecimal.
    size
        About how many bytes it has.
    """

    name: str
    summary: str
    file: str
    url: str
    sha256: str
    size: int

    @property
    def path(self) -> Path:
        """The converted file in the cache, whether it is there or not."""
        return cache_dir() / f"{self.name}.arrow"


DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="official-108",
            summary="every cell trained for 108 epochs, three times",
            file="nasbench_only108.tfrecord",
            url="https://storage.googleapis.com/nasbench/nasbench_only108.tfrecord",
            sha256=official.SHA256["nasbench_only108.tfrecord"],
            size=499_000_000,
        ),
        Dataset(
            name="official-full",
            summary="every cell trained for 4, 12, 36 and 108 epochs, three times each",
            file="nasbench_full.tfrecord",
            url="https://storage.googleapis.com/nasbench/nasbench_full.tfrecord",
            sha256=official.SHA256["nasbench_full.tfrecord"],
            size=1_950_000_000,
        ),
    )
}
"""The official files (section 2.5 of the paper) by name."""


OFFLINE = "nb101.load_table() needs none: it has predictions of every cell"
"""What there is without a network."""
NAMES = (EMBEDDED, *DATASETS)
"""Every name that `load_table` knows."""


def load_table(
    name_or_path: str | os.PathLike[str] | None = None,
    *,
    verify: bool = False,
    progress: Progress | None = None,
) -> Table:
    """Open a table by name or path.

    Parameters
    ----------
    name_or_path
        Nothing, or ``"surrogate-v1"``, for the table that the package carries: **predictions** of
        the whole space, learnt from genuine records; the documentation has its model card.
        ``"official-108"`` or ``"official-full"``, once ``nb101 download`` has fetched it. Or a
        file: of a table (Arrow or Parquet), or of official records, packed by gzip or not, which
        is converted the first time: see `converted`.
    verify
        Compare each byte with the seal of the file now; see `Table.verify`. If not, that is done
        for small files, and for others when they are first seen: not again as long as size, times
        and inode stay what they were, so that they open in milliseconds; see ``nb101._base.seen``.
    progress
        Called with the bytes read and their number where a file is to be converted.

    Raises
    ------
    DatasetError
        If the name is unknown, or its file not there yet: the message has the command that fetches
        it. If the file is damaged, or of another kind.
    FileError
        If it cannot be read; `MissingFileError` if a path leads nowhere. Both are OSErrors.

    Examples
    --------
    >>> import nb101
    >>> table = nb101.load_table()
    >>> table.num_cells, table.provenance["kind"]
    (423624, 'predicted')
    >>> table = nb101.load_table("official-108")
    """
    if name_or_path is None or (isinstance(name_or_path, str) and name_or_path == EMBEDDED):
        table = _load_embedded()
        if verify:
            table.verify()
        return table
    if isinstance(name_or_path, str) and name_or_path in DATASETS:
        return _load_named(DATASETS[name_or_path], verify)
    check_path(name_or_path, "name_or_path")
    path = Path(name_or_path)
    if not path.exists():
        if isinstance(name_or_path, str) and not path.suffix and len(path.parts) < 2:
            find(name_or_path)
        raise MissingFileError(
            f"there is no file {os.fspath(path)}; tables by name are {', '.join(NAMES)}", path=path
        )
    with file_errors(path):
        holds_records = _holds_records(path)
    if holds_records:
        path = converted(path, progress=progress)
    return open_whole(path, verify=verify)


def open_whole(path: str | os.PathLike[str], *, verify: bool = False) -> Table:
    """Open a table's file as `Table.open` does, and compare it with its seal if nobody has yet."""
    with file_errors(path):
        stamp = seen.stamp_of(path)
    table = Table.open(path, verify=verify)
    if not table.verified:
        seen.once(path, "seal", lambda: _verify(table), cache_dir(), stamp)
    return table


def _verify(table: Table) -> str:
    table.check_whole()
    return "whole"


@cache
def _load_embedded() -> Table:
    """Open the table of the package: once, since what it has unpacked serves everybody."""
    return embedded.load()


def _load_named(dataset: Dataset, verify: bool) -> Table:
    try:
        return open_whole(dataset.path, verify=verify)
    except FileNotFoundError:
        raise DatasetError(
            f"{dataset.name} is not there yet: run nb101 download {dataset.name} "
            f"(it goes to {dataset.path}), for which there must be a network; {OFFLINE}"
        ) from None
    except DatasetError as error:
        raise DatasetError(
            f"{error}; nb101 download {dataset.name} --force renews it", path=dataset.path
        ) from None


def find(name: str) -> Dataset:
    """Return the dataset of a name.

    Raises
    ------
    DatasetError
        If there is none; the message has those that there are.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(
            f"a table is named by a string, not by {type(name).__name__}", field="name"
        )
    if name == EMBEDDED:
        raise DatasetError(f"{name} need not be fetched: the package carries it", field="name")
    if name not in DATASETS:
        raise DatasetError(f"no table is called {name!r}; {suggest(name, NAMES)}", field="name")
    return DATASETS[name]


# Files of official records


def converted(path: str | os.PathLike[str], *, progress: Progress | None = None) -> Path:
    """Return the Arrow file that a file of official records was converted to, once and for all.

    It is beside it as ``<name>.nb101.arrow``, or in the cache if that folder takes no files. It is
    made anew if the original has changed, or it is damaged itself. The original has changed if its
    size or time has; and if not, by its SHA-256, which of a large file is computed once as long as
    its inode, too, stays what it was: see ``nb101._base.seen``.

    Parameters
    ----------
    path
        The file of official records, packed by gzip or not.
    progress
        Called with the bytes read and their number, if there is something to be done.

    Raises
    ------
    DatasetError
        If a record is damaged or wrong; see `nb101.convert`.
    OSError
        If a file cannot be read or written.
    """
    source = Path(path).absolute()
    # Taken before it is read: what changes meanwhile is converted again the next time.
    stamp = seen.stamp_of(source)
    about = {"source_bytes": stamp[0], "source_mtime_ns": stamp[1]}
    beside = source.with_name(f"{source.name}.nb101.arrow")
    name = hashlib.sha256(os.fsencode(source)).hexdigest()[:32]
    cached = cache_dir() / "converted" / f"{name}.arrow"

    @cache
    def digest() -> str:
        return seen.once(
            source, "sha256", lambda: checksum_of(source, "sha256"), cache_dir(), stamp
        )

    for target in (beside, cached):
        if _is_of(target, about, digest):
            return target
    target = beside if _can_write(beside) else cached
    # Of many processes that are started at once, one converts and the others wait for it.
    with _locked_if_can_be(cached.with_suffix(".lock")):
        if not _is_of(target, about, digest):
            target.parent.mkdir(parents=True, exist_ok=True)
            whole = about | {"source_sha256": digest()}
            official.convert(source, target, provenance=whole, progress=progress)
    return target


@contextmanager
def _locked_if_can_be(path: Path) -> Iterator[None]:
    """Hold a lock in the cache; where there can be no cache, do without."""
    with ExitStack() as stack:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(path))
        yield


def _is_of(path: Path, about: dict[str, int], digest: Callable[[], str]) -> bool:
    """Whether a converted file is there, whole, and of the original as it is now."""
    table = _open_if_whole(path)
    return (
        table is not None
        and about.items() <= table.provenance.items()
        and table.provenance.get("source_sha256") == digest()
        and _claims_no_more_than_is_so(table)
    )


def _claims_no_more_than_is_so(table: Table) -> bool:
    """Whether a conversion calls its runs the original's only if they are.

    Those that earlier versions of nb101 left beside their originals all do.
    """
    known = table.provenance.get("source_sha256") in official.SHA256.values()
    claimed = table.provenance.get("recipe") == official.RECIPE
    return not claimed or known or official.has_original_runs(table)


def _open_if_whole(path: Path) -> Table | None:
    try:
        return open_whole(path)
    except DatasetError:
        return None
    except FileError as error:
        if error.errno in (errno.ENOENT, errno.EACCES, errno.EPERM):
            return None
        raise


def _can_write(target: Path) -> bool:
    """Find out by trying: permissions do not tell of read-only and network file systems."""
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=target.parent):
            return not target.exists() or os.access(target, os.W_OK)
    except OSError:
        return False


def _holds_records(path: Path) -> bool:
    """Whether a file is one of official records, by its ending or else its first frame."""
    import gzip
    import zlib

    if path.name.lower().endswith((".tfrecord", ".tfrecord.gz")):
        return True
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            head = file.read(12)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    if len(head) < 12:
        return False
    crc = _core.masked_crc32c(np.frombuffer(head[:8], dtype=np.uint8))
    return int.from_bytes(head[8:], "little") == crc


# Fetching


def download(
    name: str,
    *,
    url: str | None = None,
    force: bool = False,
    keep_original: bool = False,
    progress: NamedProgress | None = None,
) -> Table:
    """Fetch an official file into the cache, check and convert it, for `load_table` to open.

    If it is there already, nothing is done. What an earlier call fetched before it failed or was
    killed is gone on from. If another process is at it, this one waits and then takes its result.

    Parameters
    ----------
    name
        ``"official-108"`` (499 MB) or ``"official-full"`` (1.95 GB).
    url
        The address of a mirror, or ``file://`` of a copy; the file is checked all the same.
    force
        Fetch and convert it even if it is there.
    keep_original
        Leave the official file in the cache too.
    progress
        Called with the bytes done, their number (0 if not known) and what is being done:
        ``"checking"``, ``"downloading"``, ``"retrying"``, ``"waiting"``, ``"converting"``.

    Raises
    ------
    DatasetError
        If the name is unknown, or what came is not the official file.
    FetchError
        If it cannot be fetched, a ConnectionError: the message says why, and what to do. Where
        there is no network, that takes two seconds at most.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> from nb101 import datasets
    >>> table = datasets.download("official-108")
    """
    dataset = find(name)
    target = dataset.path
    table = None if force else _open_if_whole(target)
    if table is not None:
        return table
    with alone(target.with_suffix(".lock"), progress) as report:
        # Another process may have done it while this one waited.
        table = None if force else _open_if_whole(target)
        if table is not None:
            return table
        file = target.with_name(dataset.file)
        obtain(
            url or dataset.url,
            file,
            sha256=dataset.sha256,
            size=dataset.size,
            force=force,
            progress=report,
            offline=OFFLINE,
        )
        report(0, file.stat().st_size, "converting")
        table = official.convert(
            file,
            target,
            provenance={"source_url": dataset.url, "source_sha256": dataset.sha256},
            progress=lambda done, total: report(done, total, "converting"),
        )
        if not keep_original:
            file.unlink()
    return table
