"""Which network the runs of a table are of: `Skeleton`, and `skeleton_of` a provenance."""

from nb101.space.skeleton import Skeleton
from nb101.table.recipes import images_of, is_named, skeleton_of

__all__ = ["Skeleton", "images_of", "is_named", "skeleton_of"]


def __dir__() -> list[str]:
    return sorted(__all__)
