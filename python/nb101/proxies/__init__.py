"""Zero-cost proxies: scores of networks that are not trained, from one batch of images.

>>> import nb101
>>> nb101.proxies.NAMES[:4]
('epe-nas', 'fisher', 'flops', 'grad-norm')

The thirteen of NAS-Bench-Suite-Zero (Krishnakumar et al., NeurIPS 2022, arXiv 2210.03230), each by
the formula of its own paper, which `PROXIES` names. `score` scores cells, `run` many of them by
several processes; they need torch: ``pip install 'nb101[train]'``. What is at hand does not: `read`
takes scores from the folder of a run, from a table, or from a file of NASLib, as those that were
published. `nb101.analysis.proxy_correlations` and the report say how they go with accuracies, and
`nb101.predict.fit` learns from them.
"""

import importlib
from typing import TYPE_CHECKING

from nb101.errors import MissingExtraError
from nb101.proxies.catalog import NAMES, PROXIES, Proxy
from nb101.proxies.naslib import read_naslib, write_naslib
from nb101.proxies.reading import read
from nb101.proxies.scores import Scores

if TYPE_CHECKING:
    from nb101.proxies.running import run as run
    from nb101.proxies.scoring import score as score

_PLACES = {"run": "running", "score": "scoring"}

__all__ = [
    "NAMES",
    "PROXIES",
    "Proxy",
    "Scores",
    "read",
    "read_naslib",
    "run",
    "score",
    "write_naslib",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import what needs torch when it is first asked for."""
        if name not in _PLACES:
            raise AttributeError(f"module 'nb101.proxies' has no attribute {name!r}")
        try:
            import torch  # noqa: F401
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise  # One that is there, and lacks a part of itself.
            raise MissingExtraError(
                f"nb101.proxies.{name} needs PyTorch: pip install 'nb101[train]'", name="torch"
            ) from error
        return getattr(importlib.import_module(f"nb101.proxies.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
