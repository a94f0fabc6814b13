"""What programs import as `nasbench.api`."""

from nb101.api import ModelSpec, NASBench, OutOfDomainError

__all__ = ["ModelSpec", "NASBench", "OutOfDomainError"]
