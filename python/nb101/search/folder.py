"""The folder of a comparison: what is compared, what lies in it, and under which names.

``comparison.json`` is the plan, and says how many runs were asked for. Those that are done are the
files that there are: ``traces/NAME/RUN.parquet``, one a run. Beside them lie the page, its numbers,
and the table, if no other file has it. All appear whole or not at all, and what is read again has a
seal that is compared before.
"""

import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nb101._base.checks import check_choice, check_path, suggest
from nb101._base.files import atomic, locked
from nb101._base.seals import read_sealed_json, sealed_json
from nb101.errors import ArgumentError, DatasetError, SearchError, UnknownNameError
from nb101.plain import counted, printable
from nb101.search.objectives import OBJECTIVES, ExactFront
from nb101.search.searcher import fill_options, registry
from nb101.search.trace import Floats, Trace, read_columns, step
from nb101.space.one_shot import OneShotSpace
from nb101.space.search_space import SearchSpace

FORMAT, WIDER_FORMAT = 4, 5
"""Of what says what is compared: the wider one has the entries of `ComparisonPlan` in `WIDER`."""
WIDER = ("one_shot", "workers", "synchronous", "objectives", "front")
"""Entries that have defaults: a plan that has all of those is written without them."""
MANIFEST, TRACES, TABLE = "comparison.json", "traces", "table.arrow"
PAGE, NUMBERS, LOCK = "index.html", "numbers.json", ".lock"
MADE_BY = "search compare"
"""What folders of comparisons are marked with."""
VIEWED = 300
"""Runs whose traces are read to show a comparison in a notebook."""


@dataclass(frozen=True, kw_only=True)
class ComparisonPlan:
    """What is compared: all that decides what a run is.

    Attributes
    ----------
    limits
        ``seconds``, ``max_epochs`` and ``queries``, as for `run`; those that are given.
    seed
        Runs of all algorithms are seeded from it.
    epochs, unique
        As for `run`; `epochs` is a number here.
    options
        Of each algorithm, those that are not its defaults.
    table
        What the table is: its provenance, cells and budgets.
    nb101
        The version of this package, whose algorithms may change from one to the next.
    one_shot
        The number of the space of NAS-Bench-1Shot1 that is searched; 0 for none.
    workers, synchronous
        As for `run`.
    objectives, front
        What is searched for, if it is several objectives, by name; and the exact front: of each of
        its cells the id and the objectives.
    """

    limits: Mapping[str, float]
    seed: int
    epochs: int
    unique: bool
    options: Mapping[str, Mapping[str, Any]]
    table: Mapping[str, Any]
    nb101: str
    one_shot: int = 0
    workers: int = 1
    synchronous: bool = False
    objectives: Sequence[str] = ()
    front: Sequence[Sequence[float]] = ()

    @property
    def exact_front(self) -> ExactFront | None:
        """The exact front, of several objectives."""
        if not self.objectives:
            return None
        rows = np.array(self.front, dtype=np.float64)
        return ExactFront(
            objectives=tuple(self.objectives),
            cell_ids=rows[:, 0].astype(np.int64),
            values=rows[:, 1:],
        )

    @property
    def subspace(self) -> OneShotSpace | None:
        """The space of NAS-Bench-1Shot1 that is searched, if it is one."""
        return OneShotSpace(self.one_shot) if self.one_shot else None

    def settings(self, name: str) -> dict[str, Any]:
        """Return all options that an algorithm runs with, defaults too."""
        return fill_options(name, self.options.get(name, {}))


@dataclass(frozen=True, kw_only=True, repr=False)
class Comparison:
    """A folder of traces, which a notebook shows with the best cell found.

    Attributes
    ----------
    folder
        Where it is.
    plan
        What is compared.
    runs
        How many runs are done of each algorithm, by name.
    asked
        How many were asked for.
    """

    folder: Path
    plan: ComparisonPlan
    runs: Mapping[str, int]
    asked: Mapping[str, int]

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> "Comparison":
        """Look at what a folder has.

        Raises
        ------
        SearchError
            If it is no folder of a comparison.
        DatasetError
            If what says what it compares is damaged.
        OSError
            If it cannot be read.
        """
        check_path(folder, "folder")
        path = Path(folder)
        found = read_manifest(path)
        if found is None:
            message = f"{os.fspath(folder)} holds no comparison: no {MANIFEST}"
            raise SearchError(message, path=folder)
        plan, asked = found
        done = {}
        order = [*registry()]
        names = [x.name for x in (path / TRACES).iterdir()] if (path / TRACES).is_dir() else []
        for name in sorted(names, key=lambda x: (order.index(x) if x in order else len(order), x)):
            count = len(done_runs(path, name))
            if count:
                done[name] = count
        return cls(folder=path, plan=plan, runs=done, asked={**done, **asked})

    @property
    def missing(self) -> int:
        """How many of the runs that were asked for are not done."""
        return sum(max(n - self.runs.get(name, 0), 0) for name, n in self.asked.items())

    @property
    def space(self) -> SearchSpace:
        """The space of the cells."""
        vertices, edges, ops = self.plan.table["space"]
        return SearchSpace(vertices, edges, ops)

    def nearest(self) -> tuple[int, float] | None:
        """Return the cell of least regret that a run ends with, and that; `None` if none does.

        Of many runs it takes seconds: from `VIEWED` on it is not looked for, nor where a run ends
        with many cells, since it is several objectives that are searched for.
        """
        if sum(self.runs.values()) > VIEWED or self.plan.objectives:
            return None
        ends = [
            (trace.final_regret, int(trace.best_cell_ids[-1]))
            for name in self.runs
            for trace in self.traces(name)
            if len(trace)
        ]
        if not ends:
            return None
        regret, cell_id = min(ends)
        return cell_id, regret

    def __repr__(self) -> str:
        done, asked = sum(self.runs.values()), sum(self.asked.values())
        mark = self.plan.table["predicted"]
        names = ", ".join(f"{name} {count:,}" for name, count in self.runs.items())
        return (
            f"<Comparison in {printable(str(self.folder))}: {done:,} of {counted(asked, 'run')} "
            f"done{f' ({names})' if names else ''}{f', {mark}' if mark else ''}>"
        )

    def _repr_html_(self) -> str:
        from nb101.search.views import comparison_html

        return comparison_html(self)

    def traces(self, name: str) -> Iterator[Trace]:
        """Yield the traces of an algorithm, in the order of its runs."""
        for path in self.paths(name):
            yield Trace.open(path)

    def indicators(
        self,
        name: str,
        seconds: npt.ArrayLike | None = None,
        *,
        clock: Literal["wall", "total"] = "wall",
    ) -> tuple[Floats, Floats]:
        """Return hypervolume and IGD+ of all runs of an algorithm, of several objectives.

        Parameters
        ----------
        name
            The algorithm.
        seconds
            Times, one or shape ``(n,)``; by default the end of each run.
        clock
            Whether times are the wall's, or those of all workers together.

        Returns
        -------
        Two arrays of shape ``(runs, n)``, or ``(runs,)`` of one time or the ends, of the meaning
        that they have in `Trace`; NaN where nothing was answered yet.

        Raises
        ------
        SearchError
            If it is accuracy alone that is searched for.
        UnknownNameError, ArgumentError
            If there is no such algorithm in the comparison, or times are no numbers.
        DatasetError
            If a trace is damaged.
        """
        if not self.plan.objectives:
            raise SearchError(f"{self.folder} compares searches for accuracy alone")
        check_choice("clock", clock, "wall", "total")
        if name not in self.asked:
            message = f"{self.folder} compares no {name!r}: {suggest(str(name), self.asked)}"
            raise UnknownNameError(message, field="name")
        try:
            at = np.asarray(np.inf if seconds is None else seconds, dtype=np.float64)
        except (TypeError, ValueError):
            raise ArgumentError("seconds must be times, as numbers", field="seconds") from None
        found = []
        for path in self.paths(name):
            columns, _ = read_columns(path, ("seconds", "hypervolume", "igd_plus"), ("total",))
            wall, total = columns["seconds"], columns.get("total")
            times = wall if clock == "wall" or total is None else total
            found.append([step(times, columns[x], at) for x in ("hypervolume", "igd_plus")])
        both = np.array(found, dtype=np.float64).reshape(len(found), 2, *np.shape(at))
        return both[:, 0], both[:, 1]

    def paths(self, name: str) -> list[Path]:
        """Return the files of an algorithm's traces, in the order of its runs."""
        return [trace_path(self.folder, name, i) for i in sorted(done_runs(self.folder, name))]

    def is_of(self, path: Path, about: Mapping[str, Any]) -> bool:
        """Whether a trace in a file of this folder is of this comparison, by what it says."""
        name, number = path.parent.name, int(path.stem)
        sequence = seed_of(self.plan.seed, name, number)
        expected = {
            "searcher": name,
            "seed": [sequence.entropy, *sequence.spawn_key],
            "limits": self.plan.limits,
            "epochs": self.plan.epochs,
            "unique": self.plan.unique,
            "options": self.plan.settings(name),
            "table_checksum": self.plan.table["checksum"],
            "nb101": self.plan.nb101,
        }
        if self.plan.one_shot:
            expected["one_shot"] = self.plan.one_shot
        if self.plan.workers > 1:
            expected |= {"workers": self.plan.workers, "synchronous": self.plan.synchronous}
        if self.plan.objectives:
            expected["objectives"] = list(self.plan.objectives)
        found = {key: about.get(key) for key in expected}
        if isinstance(found["options"], dict):
            found["options"] = fill_options(name, found["options"])
        return expected == found


def seed_of(seed: int, name: str, i: int) -> np.random.SeedSequence:
    """Return the seed of a run of a comparison: the same whichever else there are."""
    return np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()), i))


# What says what is compared


def read_manifest(folder: Path) -> tuple[ComparisonPlan, dict[str, int]] | None:
    """Return what a folder compares, and how many runs were asked for; `None` without a manifest.

    Raises
    ------
    SearchError
        If it is of another version.
    DatasetError
        If it is damaged.
    """
    try:
        data = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return None
    advice = "delete it, and give the command of the comparison again: runs that are done stay"
    values = read_sealed_json(data, folder / MANIFEST, advice)
    try:
        if values.pop("format") not in (FORMAT, WIDER_FORMAT):
            message = "is of another version of nb101: use that, or another folder"
            raise SearchError(f"{folder / MANIFEST} {message}", path=folder / MANIFEST)
        asked = values.pop("asked", {})
        plan = ComparisonPlan(**values)
        if not _makes_sense(plan, asked):
            raise TypeError
    except (KeyError, TypeError):
        raise DatasetError(f"{folder / MANIFEST} is damaged: {advice}") from None
    return plan, asked


_TABLE = ("checksum", "kind", "predicted", "source", "rows", "cells", "budgets", "space")


def _makes_sense(plan: ComparisonPlan, asked: Any) -> bool:
    """Whether entries are of the types of the plan: a seal that fits is no promise of that."""
    return (
        isinstance(plan.limits, dict)
        and all(type(limit) in (int, float) for limit in plan.limits.values())
        and type(plan.seed) is int
        and plan.seed >= 0
        and type(plan.epochs) is int
        and type(plan.unique) is bool
        and isinstance(plan.options, dict)
        and all(isinstance(options, dict) for options in plan.options.values())
        and isinstance(plan.table, dict)
        and set(_TABLE) <= set(plan.table)
        and type(plan.table["cells"]) is int
        and isinstance(plan.table["budgets"], list)
        and isinstance(plan.nb101, str)
        and type(plan.one_shot) is int
        and 0 <= plan.one_shot <= 3
        and type(plan.workers) is int
        and plan.workers >= 1
        and type(plan.synchronous) is bool
        and _is_of_objectives(plan)
        and isinstance(asked, dict)
        and all(type(count) is int for count in asked.values())
    )


def _is_of_objectives(plan: ComparisonPlan) -> bool:
    """Whether there are no objectives and no front, or a front of the objectives."""
    names, front = plan.objectives, plan.front
    return (
        isinstance(names, list | tuple)
        and isinstance(front, list | tuple)
        and bool(names) == bool(front)
        and all(isinstance(name, str) and name in OBJECTIVES for name in names)
        and all(
            isinstance(row, list)
            and len(row) == 1 + len(names)
            and all(type(value) in (int, float) for value in row)
            for row in front
        )
    )


def agree(folder: Path, plan: ComparisonPlan, counts: Mapping[str, int]) -> None:
    """Write the plan to a new folder; of an old one, see that it is the same comparison.

    Algorithms that are not asked for this time keep their options.

    Raises
    ------
    SearchError
        If it is another one; the message says where they differ.
    DatasetError
        If the old plan is damaged.
    """
    found = read_manifest(folder)
    old, asked = (None, {}) if found is None else found
    options = dict(plan.options)
    if old is not None:
        for name in ("nb101", "limits", "seed", "epochs", "unique", "table", *WIDER):
            before, now = (json.loads(json.dumps(getattr(x, name))) for x in (old, plan))
            if before != now:
                there, here = ("none" if each == [] else each for each in (before, now))
                message = (
                    f"{folder} holds another comparison: {name} there: {there}, here: {here}; "
                    "name another folder"
                )
                raise SearchError(message, path=folder, field=name)
        for name in old.options.keys() | options.keys():
            before, now = old.options.get(name, {}), options.get(name, {})
            if old.settings(name) != plan.settings(name) and done_runs(folder, name):
                if name in counts:
                    message = (
                        f"{folder} has runs of {name} with "
                        f"{f'options {before}' if before else 'default options'}, not "
                        f"{now or 'default ones'}; give the same, or name another folder"
                    )
                    raise SearchError(message, path=folder, field="options")
                options[name] = before
    asked |= {name: max(count, asked.get(name, 0)) for name, count in counts.items()}
    entries = dict(plan.__dict__)
    wider = {name: entries.pop(name) for name in WIDER}
    values = {"format": FORMAT, **entries, "options": options, "asked": asked}
    if any(getattr(ComparisonPlan, name) != value for name, value in wider.items()):
        values |= {"format": WIDER_FORMAT, **wider}
    with atomic(folder / MANIFEST) as file:
        file.write(sealed_json(values))


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Keep other processes from writing to a folder; raise `SearchError` if one does already."""

    def refuse() -> None:
        raise SearchError(f"another comparison is writing to {folder}", path=folder)

    with locked(folder / LOCK, refuse):
        yield


def trace_path(folder: Path, name: str, i: int) -> Path:
    """Return the file of a run of an algorithm."""
    return folder / TRACES / name / f"{i:06}.parquet"


def done_runs(folder: Path, name: str) -> set[int]:
    """Return the numbers of the runs of an algorithm that are done."""
    try:
        files = [path.name for path in (folder / TRACES / name).iterdir()]
    except FileNotFoundError:
        return set()
    return {int(x[:-8]) for x in files if re.fullmatch(r"[0-9]{6,}\.parquet", x)}
