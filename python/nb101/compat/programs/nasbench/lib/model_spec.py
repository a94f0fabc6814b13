"""What programs import as `nasbench.lib.model_spec`."""

from nb101.api import ModelSpec
from nb101.compat.graph_util import is_upper_triangular

__all__ = ["ModelSpec", "is_upper_triangular"]
