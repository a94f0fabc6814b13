"""Numbers as they are learnt: normal scores of their ranks, or standardised logarithms."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

KNOTS = 1001
"""Points by which the distribution of what is learnt is kept."""


@dataclass(frozen=True)
class Scale:
    """A column as it is learnt: normal scores of its ranks, or standardised logarithms.

    Both ways go through a monotone line of knots.
    """

    values: Floats
    scores: Floats

    @classmethod
    def of_ranks(cls, values: Floats) -> "Scale":
        """Make the scale of normal scores of ranks."""
        normal = NormalDist()
        furthest = normal.inv_cdf(1 - 0.5 / len(values))
        scores = np.linspace(-furthest, furthest, KNOTS)
        knots = np.quantile(values, [normal.cdf(score) for score in scores.tolist()])
        unique, place = np.unique(knots, return_inverse=True)
        # Equal values get the mean of their scores.
        return cls(unique, np.bincount(place, scores) / np.bincount(place))

    @classmethod
    def of_logarithms(cls, values: Floats) -> "Scale":
        """Make the scale of standardised logarithms."""
        logs = np.log(values)
        centre, spread = float(logs.mean()), max(float(logs.std()), 1e-9)
        scores = np.linspace(-8, 8, KNOTS)
        return cls(np.exp(centre + spread * scores), scores)

    def to_scores(self, values: Floats) -> Floats:
        """Return scores of values; shape kept."""
        return np.asarray(np.interp(values, self.values, self.scores))

    def to_values(self, scores: npt.NDArray[Any]) -> Floats:
        """Return values of scores; shape kept."""
        return np.asarray(np.interp(scores, self.scores, self.values))
