"""All statistics of a table on one page, with the paper's numbers beside its own.

`write` makes a folder: ``index.html``, which holds every figure and needs nothing else; the numbers
as ``numbers.json``, and as a Parquet file for each statistic. A statistic that the table lacks
something for is left out, and the page says why. nb101 reads none of these again; the numbers carry
a seal for whoever does: see ``nb101._base.seals.check_seal``.

The page has accuracies and shares in per cent and differences of accuracies in percentage points;
the files have both as fractions. What is predicted is said to be so wherever it stands: over
the findings, in each figure and table of the page, in each part of the JSON, in each row of the
Parquet files.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from nb101._base.beside import Beside
from nb101._base.extras import need_report
from nb101._base.files import atomic, claim_folder, finite
from nb101._base.progress import Progress, given_or_shown
from nb101._base.runtime import get_threads
from nb101._base.seals import BLANK, KEY, sealed
from nb101._core import __version__
from nb101.analysis import paper
from nb101.analysis.common import Short
from nb101.analysis.figures import FIGURES
from nb101.analysis.findings import Finding, findings
from nb101.analysis.page import page_of, svg
from nb101.analysis.painter import Painter
from nb101.analysis.parts import PARTS, PROXIES, Part, make_part, sentence
from nb101.analysis.study import Study
from nb101.errors import NB101Error
from nb101.table.about import METADATA_KEY
from nb101.table.files import write_parquet
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa
    from markupsafe import Markup

    from nb101.proxies import Scores


__all__ = ["Report", "write"]

KIND = "table_kind"
"""Column of each Parquet file that says whether its numbers were measured or predicted."""
MOST_ROWS_JSON = 1000
"""Most rows of a statistic that are in the JSON; longer ones are in Parquet only."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Report(Short):
    """What was written."""

    folder: Path
    page: Path
    files: tuple[Path, ...]
    missing: dict[str, list[str]]
    """Why something is not there, by the title of the part that it is missing in."""


def write(
    table: Table,
    folder: str | os.PathLike[str],
    *,
    epochs: int | None = None,
    seed: int = 0,
    scores: "Scores | None" = None,
    progress: Progress | None = None,
) -> Report:
    """Analyse a table and write page and numbers to a folder, which is made if need be.

    Files of earlier reports are replaced, each whole, and those of statistics that this table
    lacks something for are removed; the page comes last. A folder that something else has made is
    left alone.

    Parameters
    ----------
    table
        The table.
    folder
        Where to.
    epochs
        The budget that is looked at, the largest by default.
    seed
        Of random walks.
    scores
        Scores of zero-cost proxies, as `nb101.proxies.read` gives them: the page then has a part of
        how they go with accuracies.
    progress
        Called with the parts done and their number; a notebook shows a bar without it.

    Raises
    ------
    MissingRunError
        If the table has no run of this budget.
    MissingExtraError
        If matplotlib is not installed: ``pip install 'nb101[report]'``.
    FolderError
        If something else made the folder.
    OSError
        If a file cannot be written.
    """
    need_report("a report")
    study = Study(table, epochs, seed=seed, scores=scores)
    target = claim_folder(folder, "report")
    with given_or_shown(progress, "analysing", len(PARTS)) as advance:
        return _write(study, target, advance)


def _write(study: Study, target: Path, progress: Progress) -> Report:
    with _Making(study, target) as making:
        parts = making.parts(progress)
        pictures = making.pictures()
    about = _about(study)
    found = findings(study)
    path = target / "numbers.json"
    with sealed(path) as file:
        numbers = finite(_numbers(study, about, found, parts)) | {KEY: BLANK}
        file.write(json.dumps(numbers, indent=1).encode() + b"\n")
    files = [target / _file(part) for part in parts if part.columns is not None]
    page = target / "index.html"
    with atomic(page) as file:
        file.write(page_of(study, about, found, parts, pictures).encode())
    progress(len(PARTS), len(PARTS))
    missing = {part.title: part.missing for part in parts if part.missing}
    return Report(folder=target, page=page, files=(page, *files, path), missing=missing)


TOGETHER: tuple[tuple[str, ...], ...] = (
    ("pareto",),
    ("rwa", "distance", "peak-volume", "local-optima"),
    ("budgets", "noise", "correlation"),
    ("budget-correlation",),
    ("edge-changes",),
    ("op-replacement",),
    ("structure",),
    ("proxies",),
    ("cells",),
)
"""Parts by what they compute together, so that it is computed once. What takes long comes early, so
that two threads end at about one time, and first what has figures that take long. The main thread,
where Ctrl-C ends a call of the core, takes the second, which has the longest of these."""


class _Making:
    """The parts of a report in the making, by two threads, and a process that draws figures.

    The statistics are NumPy and the core, which leave the interpreter alone, but most of them are
    for one core of the machine: so two threads take what is left in turn.
    """

    def __init__(self, study: Study, target: Path) -> None:
        self._study, self._target = study, target
        self._makers = {name: make for make, (name, _) in PARTS.items()}
        self._left = deque(TOGETHER)
        self._over = False
        self._parts: dict[str, Part] = {}
        self._drawn: dict[str, Callable[[], Markup | None]] = {}

    def __enter__(self) -> Self:
        self._painter = Painter(self._study)
        self._asking = ThreadPoolExecutor(1)
        return self

    def __exit__(self, *_: object) -> None:
        # At Ctrl-C, nobody waits for figures any more.
        self._painter.close()
        self._asking.shutdown(cancel_futures=True)

    def parts(self, progress: Progress) -> list[Part]:
        """Make all parts, and write the columns of each to its file."""
        told = 0
        progress(told, len(PARTS))
        other = Beside(self._make_some) if get_threads() > 1 else None
        try:
            for name in self._names():
                self._make(name)
                while told < min(len(self._parts), len(PARTS) - 1):
                    told += 1
                    progress(told, len(PARTS))
        except BaseException:
            # The other one ends its part.
            self._over = True
            raise
        finally:
            if other is not None:
                other.wait()
        if other is not None:
            other.result()
        for done in range(told + 1, len(PARTS)):
            progress(done, len(PARTS))
        left_out = {PROXIES} if self._study.scores is None else set()
        return [self._parts[name] for name in self._makers if name not in left_out]

    def _names(self) -> Iterator[str]:
        while True:
            try:
                group = self._left.popleft()
            except IndexError:
                return
            for name in group:
                if self._over:
                    return
                yield name

    def _make_some(self) -> None:
        try:
            for name in self._names():
                self._make(name)
        except BaseException:
            self._over = True
            raise

    def _make(self, name: str) -> None:
        part = make_part(self._makers[name], self._study)
        for figure in part.figures:
            self._drawn[figure] = self._begin(figure)
        path = self._target / _file(part)
        if part.columns is None:
            # One of another table, from an earlier report, would pass for a number of this one.
            path.unlink(missing_ok=True)
        else:
            write_parquet(_labelled(part, self._study), path)
        self._parts[name] = part

    def _begin(self, name: str) -> "Callable[[], Markup | None]":
        """Begin to draw a figure, and return what waits for it."""
        try:
            return self._asking.submit(self._painter.svg, name).result
        except RuntimeError:
            # There are no more threads.
            return partial(self._painter.svg, name)

    def pictures(self) -> "dict[str, Markup]":
        """Return the figures by name; parts say which are not there."""
        pictures = {}
        for part in self._parts.values():
            for name in part.figures:
                try:
                    pictures[name] = self._drawn[name]() or svg(name, self._study)
                except NB101Error as error:
                    part.add_missing(f"{FIGURES[name].title}: {sentence(error)}")
        return pictures


def _file(part: Part) -> str:
    return f"{part.name}.parquet"


def _labelled(part: Part, study: Study) -> "pa.Table":
    """Say in each row of a part's columns, and in their metadata, what kind of numbers they are."""
    import pyarrow as pa

    assert part.columns is not None
    columns = part.columns
    about = {
        "statistic": part.name,
        "kind": study.kind,
        "epochs": study.epochs,
        "provenance": dict(study.table.provenance),
    }
    kinds = pa.array([study.kind] * len(columns), pa.string())
    told = {**(columns.schema.metadata or {}), METADATA_KEY: json.dumps(about).encode()}
    return columns.append_column(KIND, kinds).replace_schema_metadata(told)


# What is known of the table


def _about(study: Study) -> dict[str, Any]:
    table = study.table
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "nb101": __version__,
        "epochs": study.epochs,
        "seed": study.seed,
        "kind": study.kind,
        "predicted": study.predicted,
        "runs": len(table),
        "cells": table.num_cells,
        "cells_of_space": table.space.count().total,
        "space": {
            "max_vertices": table.space.max_vertices,
            "max_edges": table.space.max_edges,
            "ops": list(table.space.ops),
        },
        "budgets": {
            str(epochs): {
                "cells": int((table.counts(epochs) > 0).sum()),
                "runs": int(table.counts(epochs).sum()),
            }
            for epochs in table.epochs
        },
        "provenance": dict(table.provenance),
    }


# Numbers


def _numbers(
    study: Study, about: dict[str, Any], found: Sequence[Finding], parts: Sequence[Part]
) -> dict[str, Any]:
    return {
        "about": about | {"paper": paper.CITATION},
        "findings": [
            {"text": each.text, "kind": study.kind, "cells": each.cells} for each in found
        ],
        "parts": {
            part.name: {
                "title": part.title,
                "kind": study.kind,
                "compared": [
                    {
                        "what": each.what,
                        "paper": each.paper,
                        "here": each.here,
                        "here_is": study.kind,
                        "source": each.source,
                        "at_least": each.at_least,
                    }
                    for each in part.comparisons
                ],
                "facts": part.facts,
                "rows": _listed(part),
                "missing": part.missing,
            }
            for part in parts
        },
    }


def _listed(part: Part) -> list[dict[str, Any]] | None:
    if part.columns is None or not part.listed or part.columns.num_rows > MOST_ROWS_JSON:
        return None
    rows: list[dict[str, Any]] = part.columns.to_pylist()
    return rows
