"""The folder of scores: what is scored, what lies in it, and under which names.

``proxies.json`` says which proxies are computed, by which recipe, from which seed and images, and
how many cells were asked for. Those that are done are in ``parts/FIRST.npz``, archives of some
cells each, named by the first of their ids. A part appears whole or not at all, and has a seal; no
cell is in two of them. Small ones are joined from time to time, so that a folder of all cells is of
some hundred files: whoever is killed meanwhile leaves parts whose cells are all in the joined one,
which are passed over, and deleted by the next writer.
"""

import hashlib
import json
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nb101._base import archives
from nb101._base.checks import check_path
from nb101._base.files import atomic, file_errors, locked, set_aside
from nb101._base.seals import check_sealed_bytes, read_sealed_json, sealed_json
from nb101.errors import DatasetError, FolderError
from nb101.proxies.catalog import PROXIES
from nb101.proxies.scores import Column, Scores
from nb101.space.lookup import Ids
from nb101.space.search_space import SearchSpace

FORMAT = 1
MANIFEST, PARTS, LOCK = "proxies.json", "parts", ".lock"
MADE_BY = "proxies run"
"""What such folders are marked with."""
SMALL, MANY = 4096, 256
"""Cells that a part has at least that is not joined any more; and how many small ones are."""
AGAIN = "the command that made it computes its cells again"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a folder has scores of.

    Attributes
    ----------
    names
        Proxies.
    about
        Recipe, seed and images: what `Scores.about` says.
    space
        Of the ids: vertices, edges, ops.
    nb101
        The version of this package.
    """

    names: tuple[str, ...]
    about: Mapping[str, Any]
    space: tuple[int, int, tuple[str, ...]]
    nb101: str

    @property
    def fingerprint(self) -> int:
        """A number that parts have too: they are of this plan."""
        text = json.dumps(self.to_dict(), sort_keys=True).encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:7])

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        vertices, edges, ops = self.space
        return {
            "names": list(self.names),
            "about": dict(self.about),
            "space": [vertices, edges, list(ops)],
            "nb101": self.nb101,
        }


@dataclass(frozen=True)
class Part:
    """Scores and seconds of some cells, by id."""

    ids: Ids
    columns: Mapping[str, Column]
    seconds: Mapping[str, Column]

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{int(self.ids[0]):012}.npz"


# Writing


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Keep other processes from writing to a folder.

    Raises
    ------
    FolderError
        If one does already.
    """

    def refuse() -> None:
        raise FolderError(f"another process is writing scores to {folder}", path=folder)

    with locked(folder / LOCK, refuse):
        yield


def agree(folder: Path, plan: Plan, asked: int) -> None:
    """Write the plan to a new folder; of an old one, see that it is the same.

    What was asked for before is still: `asked` says only that there is more.

    Raises
    ------
    FolderError
        If it is another one; the message says where they differ.
    DatasetError
        If the old plan is damaged.
    """
    found = read_plan(folder)
    if found is not None:
        old, before = found
        if old != plan:
            raise FolderError(
                f"{folder} has other scores: {_difference(old.to_dict(), plan.to_dict())}; name "
                "another folder",
                path=folder,
            )
        if before >= asked:
            return
    with atomic(folder / MANIFEST) as file:
        file.write(sealed_json({"format": FORMAT, **plan.to_dict(), "asked": asked}))


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Say where two plans differ first."""
    for name in old:
        if old[name] == new[name]:
            continue
        if isinstance(old[name], dict) and isinstance(new[name], dict):
            return _difference(old[name], new[name])
        return f"{name} there: {old[name]}, here: {new[name]}"
    return "the plans differ"


class Keeper:
    """Keeps parts in a folder, and joins small ones.

    Parameters
    ----------
    folder, plan
        What they are of.
    parts
        Those that there are, as `read_parts` returns them.
    """

    def __init__(self, folder: Path, plan: Plan, parts: Iterable[Part]) -> None:
        self.folder, self.plan = folder, plan
        self._small = [part for part in parts if len(part.ids) < SMALL]
        self._join()

    def keep(self, part: Part) -> None:
        """Keep scores. When this returns, nothing can lose them any more."""
        _write_part(self.folder, self.plan, part)
        self._small.append(part)
        self._join()

    def _join(self) -> None:
        if len(self._small) < MANY:
            return
        small = sorted(self._small, key=lambda part: int(part.ids[0]))
        self._small = []
        while small:
            cells, group = 0, []
            while small and cells < SMALL:
                group.append(small.pop(0))
                cells += len(group[-1].ids)
            # It takes the name of the first, and with it its place.
            joined = _joined(group, self.plan.names)
            if len(group) > 1:
                _write_part(self.folder, self.plan, joined)
                for part in group[1:]:
                    (self.folder / PARTS / part.file).unlink()
            if cells < SMALL:
                self._small.append(joined)


def _joined(parts: Sequence[Part], names: Iterable[str]) -> Part:
    """Return the scores of parts as those of one, in their order."""
    empty = [np.empty(0)]
    columns = {x: np.concatenate([*empty, *(part.columns[x] for part in parts)]) for x in names}
    seconds = {x: np.concatenate([*empty, *(part.seconds[x] for part in parts)]) for x in names}
    ids = np.concatenate([np.empty(0, np.int64), *(part.ids for part in parts)])
    return Part(ids, columns, seconds)


def _write_part(folder: Path, plan: Plan, part: Part) -> None:
    arrays: dict[str, Any] = {
        "fingerprint": np.array([plan.fingerprint], np.int64),
        "cell_id": np.asarray(part.ids, np.int64),
    }
    for name in plan.names:
        arrays[f"score {name}"] = part.columns[name]
        arrays[f"seconds {name}"] = part.seconds[name]
    archives.write(folder / PARTS / part.file, arrays, packed=False)


# Reading


def read_plan(folder: Path) -> tuple[Plan, int] | None:
    """Return what a folder has scores of, and how many cells were asked for; `None` without.

    Raises
    ------
    FolderError
        If it is of another version.
    DatasetError
        If it is damaged.
    """
    try:
        data = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return None
    advice = "delete it, and give the command that made it again: what is scored stays"
    values = read_sealed_json(data, folder / MANIFEST, advice)
    try:
        if values["format"] != FORMAT:
            raise FolderError(
                f"{folder / MANIFEST} is of another version of nb101: use that, or another folder",
                path=folder,
            )
        vertices, edges, ops = values["space"]
        SearchSpace(vertices, edges, ops)
        plan = Plan(
            names=tuple(values["names"]),
            about=values["about"],
            space=(vertices, edges, tuple(ops)),
            nb101=values["nb101"],
        )
        asked = values["asked"]
        sound = isinstance(plan.about, dict) and type(asked) is int and asked >= 0
        if not sound or not plan.names or not set(plan.names) <= set(PROXIES):
            raise TypeError
    except FolderError:
        raise
    except (KeyError, TypeError, ValueError):
        raise DatasetError(f"{folder / MANIFEST} is damaged: {advice}") from None
    return plan, asked


def read_parts(folder: Path, plan: Plan, *, mend: bool = False) -> list[Part]:
    """Return all parts of a folder.

    With `mend`, one that is damaged is put aside, with a `RuntimeWarning`, for its cells to be
    computed again.

    Raises
    ------
    DatasetError
        If one is damaged, or has a cell of another, without `mend`.
    """
    parts: list[Part] = []
    seen: set[int] = set()
    for path in _paths(folder):
        try:
            part = _read_part(path, plan)
            if seen.issuperset(part.ids.tolist()):
                # Its cells were joined with others, and somebody was killed before it was deleted.
                if mend:
                    path.unlink()
                continue
            if not seen.isdisjoint(part.ids.tolist()):
                raise DatasetError(f"{path} has cells that another part has: {AGAIN}")
        except DatasetError as error:
            if not mend:
                raise
            kept = set_aside(path)
            warnings.warn(f"{error} (it is {kept.name} now)", RuntimeWarning, stacklevel=2)
            continue
        seen.update(part.ids.tolist())
        parts.append(part)
    return parts


def _paths(folder: Path) -> list[Path]:
    try:
        names = [path.name for path in (folder / PARTS).iterdir()]
    except FileNotFoundError:
        return []
    return [folder / PARTS / x for x in sorted(names) if re.fullmatch(r"[0-9]{12,}\.npz", x)]


def _read_part(path: Path, plan: Plan) -> Part:
    with file_errors(path):
        content = path.read_bytes()
    check_sealed_bytes(content, path, AGAIN)
    with archives.damage_errors(path, AGAIN):
        archive = archives.Archive(content, len(content))
        ids = archive.read("cell_id")
        columns = {name: archive.read(f"score {name}") for name in plan.names}
        seconds = {name: archive.read(f"seconds {name}") for name in plan.names}
        floats = [*columns.values(), *seconds.values()]
        fitting = all(x.dtype == np.float64 and x.shape == ids.shape for x in floats)
        if not fitting or ids.dtype != np.int64 or ids.ndim != 1 or not len(ids):
            raise ValueError("its columns do not fit together")
        if len(np.unique(ids)) < len(ids) or ids.min() < 0:
            raise ValueError("its ids are none")
        if archive.read("fingerprint").tolist() != [plan.fingerprint]:
            raise ValueError("it is of other scores")
    return Part(ids, columns, seconds)


def join(parts: Sequence[Part], names: Sequence[str], space: SearchSpace) -> Scores:
    """Put parts together, by ascending id."""
    joined = _joined(parts, names)
    order = np.argsort(joined.ids)
    return Scores(
        cells=space[joined.ids[order]],
        columns={name: column[order] for name, column in joined.columns.items()},
        seconds={name: column[order] for name, column in joined.seconds.items()},
        space=space,
    )


def read(folder: str | os.PathLike[str]) -> Scores:
    """Return the scores that a folder of `nb101.proxies.run` has so far, by ascending id.

    Raises
    ------
    FolderError
        If it is no such folder.
    DatasetError
        If a file in it is damaged.
    OSError
        If it cannot be read.
    """
    check_path(folder, "folder")
    path = Path(folder)
    found = read_plan(path)
    if found is None:
        raise FolderError(f"{path} has no scores: no {MANIFEST} in it", path=path)
    plan, asked = found
    scores = join(read_parts(path, plan), plan.names, SearchSpace(*plan.space))
    return replace(scores, about={**plan.about, "asked": asked})
