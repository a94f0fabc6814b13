"""The explorer as a folder of files, for any web host: the page, and packed columns below data/."""

import html
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nb101._base.files import MARK, claim_folder, file_errors
from nb101.errors import FolderError
from nb101.explore.bundle import PAGE, STYLE, WIDGET, bundle_files
from nb101.explore.columns import Columns
from nb101.explore.content import CAMPAIGN, MANIFEST, to_json
from nb101.explore.encoding import Packer, gzipped
from nb101.explore.manifest import About, cell_words, column_path, describe, manifest
from nb101.table.schema import Array

if TYPE_CHECKING:
    from nb101.explore.live import LiveCampaign
    from nb101.explore.traces import TraceFolder

MADE_BY = "explore"
"""What folders of sites are marked with."""
_NEW, _OLD = ".nb101-new-", ".nb101-old-"
_TITLE = re.compile(r"<title>.*?</title>", re.DOTALL)


@dataclass(frozen=True)
class Site:
    """A site that was written.

    Attributes
    ----------
    page
        The file to open.
    files, size
        How many files there are, and their bytes.
    """

    page: Path
    files: int
    size: int


def write(
    folder: str | os.PathLike[str],
    columns: Columns,
    about: About | None = None,
    *,
    traces: "Sequence[TraceFolder]" = (),
    campaign: "LiveCampaign | None" = None,
    bundle: Path | None = None,
) -> Site:
    """Write a site; what the folder had of an older one is replaced once all is written.

    Parameters
    ----------
    folder
        Where to; made if need be.
    columns
        Of the table.
    about
        How it is called; by its provenance and path if not given.
    traces
        Folders of comparisons.
    campaign
        A campaign, as it is now.
    bundle
        The folder of the page, if it is not that of the installation.

    Raises
    ------
    FolderError
        If something else made the folder.
    FileError
        If it cannot be written; `MissingFileError` if this installation has no page.
    """
    pages = bundle_files(bundle)
    with _written(Path(folder)) as new:
        for name, path in pages.items():
            if name not in (WIDGET, STYLE):
                _put(new, name, path.read_bytes())
        told = describe(columns.table) if about is None else about
        _put(new, PAGE, _with_title(pages[PAGE].read_bytes(), told.title))
        _write_data(new / "data", columns, told, traces, campaign)
        sizes = [path.stat().st_size for path in new.rglob("*") if path.is_file()]
    return Site(Path(folder) / PAGE, len(sizes), sum(sizes))


def _with_title(page: bytes, title: str) -> bytes:
    """Give a page its title, in which markup is text."""
    named = f"<title>{html.escape(title)} · nb101</title>"
    return _TITLE.sub(lambda _: named, page.decode("utf-8"), count=1).encode("utf-8")


def _write_data(
    folder: Path,
    columns: Columns,
    about: About,
    traces: "Sequence[TraceFolder]",
    campaign: "LiveCampaign | None",
) -> None:
    packer = Packer(lambda path, data: _put(folder, path, data))
    cells: dict[str, Any] = {"count": columns.table.num_cells}
    for name, make in cell_words(columns).items():
        path = f"cells/{name.replace('_', '-')}"
        cells[name] = None if make is None else packer.add(path, make())
    encodings = {
        column_path(columns[name]): packer.add(column_path(columns[name]), columns.array(name))
        for name in packing_order(columns)
    }

    def encode(path: str, _: Array | None, __: np.dtype[Any]) -> dict[str, Any]:
        return encodings[path]

    entry = None
    if campaign is not None:
        entry = campaign.entry(CAMPAIGN, live=False)
        _put(folder, CAMPAIGN, to_json(campaign.now(columns.table)))
    for one in traces:
        for path, make_file in one.files(columns.table).items():
            _put(folder, f"{path}.gz", gzipped(make_file()))
    found = manifest(
        columns,
        encode,
        cells,
        about,
        traces=[each for one in traces for each in one.entries(".bin.gz")],
        campaign=entry,
        live=False,
    )
    _put(folder, MANIFEST, to_json(found))


def packing_order(columns: Columns) -> list[str]:
    """Return names in the order in which columns are packed: those first that others follow from.

    Predictions at smaller budgets may be equal where those at larger ones differ, so that codes are
    those of the largest; and errors follow from accuracies, not these from them.
    """
    groups = ("accuracy", "time", "error")

    def key(name: str) -> tuple[int, int]:
        column = columns[name]
        place = groups.index(column.group) if column.group in groups else len(groups)
        return place, -(column.epochs or 0)

    return sorted(columns, key=key)


def _put(folder: Path, path: str, data: bytes) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


@contextmanager
def _written(folder: Path) -> Iterator[Path]:
    """Give a folder to write to, whose entries then take the place of those of the same names.

    Whatever else is in the folder stays. Whatever goes wrong, it is as it was before.
    """
    is_new = not folder.exists()
    _check_nobodys(folder)
    claim_folder(folder, MADE_BY)
    with file_errors(folder):
        for stale in (*folder.glob(f"{_NEW}*"), *folder.glob(f"{_OLD}*")):
            shutil.rmtree(stale, ignore_errors=True)
        new, old = (folder / f"{name}{os.urandom(4).hex()}" for name in (_NEW, _OLD))
        try:
            new.mkdir()
            yield new
            old.mkdir()
            # The page last: it needs all others.
            for entry in sorted(new.iterdir(), key=lambda path: path.name == PAGE):
                with suppress(FileNotFoundError):
                    (folder / entry.name).rename(old / entry.name)
                entry.rename(folder / entry.name)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            if is_new:
                _remove_claimed(folder)
            raise
        finally:
            shutil.rmtree(old, ignore_errors=True)
            shutil.rmtree(new, ignore_errors=True)


def _check_nobodys(folder: Path) -> None:
    """Raise if what a site would replace is there, and no site was: it may be all that there is."""
    if (folder / MARK).exists():
        return
    for name in ("assets", "data"):
        if (folder / name).exists():
            raise FolderError(
                f"{folder} is not written over by nb101 {MADE_BY}: "
                f"it has {name}, which something else made; name another folder",
                path=folder,
            )


def _remove_claimed(folder: Path) -> None:
    """Remove a folder that has nothing but the mark."""
    with suppress(OSError):
        (folder / MARK).unlink(missing_ok=True)
        folder.rmdir()
