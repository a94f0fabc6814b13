"""Checking the files that nb101 writes, and which it does not read back itself."""

from nb101._base.seals import check_seal

__all__ = ["check_seal"]


def __dir__() -> list[str]:
    return sorted(__all__)
