"""Predictors of metrics from the structure of cells, fitted to any table.

`fit` learns from a `Table`; the `Predictor` that comes out predicts accuracy per budget, training
time, and metrics of one's own, of any cell of the space, and says how far off it is. `sample` draws
a table of simulated runs to try that on. Fitting needs ``pip install 'nb101[predict]'``; applying
does not. The default table is made by ``tools/surrogate``, which is not part of the package.
"""

from nb101.predict.errors import Region, Report, TargetErrors
from nb101.predict.fitting import cross_validate, fit
from nb101.predict.learner import TIME_SETTINGS, Settings
from nb101.predict.predictor import Predictor, load
from nb101.predict.simulated import sample

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
    "sample",
]


def __dir__() -> list[str]:
    return sorted(__all__)
