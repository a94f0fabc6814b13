"""Scores of zero-cost proxies as features, beside those of a cell's structure.

Each is learnt as the normal scores of its ranks, for proxies go over many powers of ten. What is no
number counts as the middle, what is infinite as the furthest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb101.analysis.proxies import check_scores, columns_of, scored_rows
from nb101.errors import ArgumentError
from nb101.plain import counted, printable
from nb101.predict.scale import Scale
from nb101.space.search_space import SearchSpace

if TYPE_CHECKING:
    from nb101.proxies import Scores

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Columns = Mapping[str, Floats]

RECIPE = ("config", "images", "batch_size")
"""What scores are of, of what they say of themselves; seeds may differ."""


@dataclass(frozen=True)
class Inputs:
    """Which proxies are features, and how they are scaled.

    Attributes
    ----------
    names
        Proxies, in the order of the features.
    about
        How the scores came about that were learnt from.
    scales
        By name, of the cells that were learnt from.
    """

    names: tuple[str, ...]
    about: Mapping[str, Any]
    scales: Mapping[str, Scale]

    @classmethod
    def learn(cls, columns: Columns, about: Mapping[str, Any]) -> "Inputs":
        """Take the scales of proxies from scores of cells to learn from."""
        scales = {}
        for name, column in columns.items():
            known = column[np.isfinite(column)]
            scales[name] = Scale.of_ranks(known if len(known) else np.zeros(1))
        return cls(tuple(columns), about, scales)

    def beside(
        self, features: npt.NDArray[np.float32], columns: Columns
    ) -> npt.NDArray[np.float32]:
        """Put scores of the same cells beside features; shape ``(n, features + proxies)``."""
        scaled = [
            np.nan_to_num(self.scales[name].to_scores(columns[name])).astype(np.float32)
            for name in self.names
        ]
        return np.column_stack([features, *scaled])

    def of(self, scores: "Scores | None", space: SearchSpace, ids: Rows) -> Columns:
        """Return the scores of cells.

        Raises
        ------
        ArgumentError
            If some are not there, or they are of another recipe than what was learnt from.
        """
        needed = ", ".join(map(printable, self.names))
        if scores is None:
            raise ArgumentError(
                f"this predictor needs scores of proxies: {needed}; give those of the cells, as "
                "nb101.proxies.score or nb101 proxies run computes them",
                field="proxies",
            )
        lacking = [name for name in self.names if name not in check_scores(scores)]
        if lacking:
            raise ArgumentError(
                f"the scores lack {', '.join(map(printable, lacking))}: this predictor needs "
                f"{needed}",
                field="proxies",
            )
        self._check_recipe(scores.about)
        missing = int((scored_rows(scores, space, ids) < 0).sum())
        if missing:
            verb = "has" if missing == 1 else "have"
            raise ArgumentError(
                f"{counted(missing, 'cell')} of {len(ids):,} {verb} no scores, which this "
                "predictor needs",
                field="proxies",
            )
        columns = columns_of(scores, space, ids)
        return {name: columns[name] for name in self.names}

    def scored(self, scores: "Scores", space: SearchSpace) -> Rows:
        """Return the ids of all cells of a space that have scores."""
        ids = np.arange(len(space))
        return ids[scored_rows(scores, space, ids) >= 0]

    def _check_recipe(self, about: Mapping[str, Any]) -> None:
        for name in RECIPE:
            if name not in about or name not in self.about:
                continue
            here, there = about[name], self.about[name]
            if isinstance(here, dict) and isinstance(there, dict):
                name = next((x for x in there if here.get(x) != there[x]), name)
                here, there = here.get(name, here), there.get(name, there)
            if here != there:
                raise ArgumentError(
                    f"the scores are of another recipe than those that this predictor learnt from: "
                    f"{name} is {printable(str(here))} and not {printable(str(there))}",
                    field="proxies",
                )
