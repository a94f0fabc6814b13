"""Zero-cost proxies: scores of networks that are not trained, from one batch of images.

>>> import nb101
>>> nb101.proxies.NAMES[:4]
('epe-nas', 'fisher', 'flops', 'grad-norm')

The thirteen of NAS-Bench-Suite-Zero (Krishnakumar et al., NeurIPS 2022, arXiv 2210.03230), each by
the formula of its own paper, which `PROXIES` names. `score` needs torch:
``pip install 'nb101[train]'``; names and scores that are at hand do not.
"""

import importlib
from typing import TYPE_CHECKING

from nb101.errors import MissingExtraError
from nb101.proxies.catalog import NAMES, PROXIES, Proxy
from nb101.proxies.scores import Scores

if TYPE_CHECKING:
    from nb101.proxies.scoring import score as score

__all__ = ["NAMES", "PROXIES", "Proxy", "Scores", "score"]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import what needs torch when it is first asked for."""
        if name != "score":
            raise AttributeError(f"module 'nb101.proxies' has no attribute {name!r}")
        try:
            import torch  # noqa: F401
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise  # One that is there, and lacks a part of itself.
            raise MissingExtraError(
                "nb101.proxies.score needs PyTorch: pip install 'nb101[train]'", name="torch"
            ) from error
        function = importlib.import_module("nb101.proxies.scoring").score
        globals()[name] = function
        return function


def __dir__() -> list[str]:
    return sorted(__all__)
