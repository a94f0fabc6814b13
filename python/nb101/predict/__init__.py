"""Predictors of metrics from the structure of cells, fitted to any table.

`fit` learns from a `Table`; the `Predictor` that comes out predicts accuracy per budget and
training time of any cell of the space, and says how far off it is. The default table is made by
`nb101.predict.surrogate`. Fitting needs ``pip install 'nb101[predict]'``; applying does not.
"""

from nb101.predict.errors import Region, Report, TargetErrors
from nb101.predict.fitting import cross_validate, fit
from nb101.predict.learner import TIME_SETTINGS, Settings
from nb101.predict.predictor import Predictor, load

__all__ = [
    "TIME_SETTINGS",
    "Predictor",
    "Region",
    "Report",
    "Settings",
    "TargetErrors",
    "cross_validate",
    "fit",
    "load",
]


def __dir__() -> list[str]:
    return sorted(__all__)
