"""What programs import as `nasbench.lib.config`."""

from nb101.compat.config import build_config

__all__ = ["build_config"]
