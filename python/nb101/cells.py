"""The old place of `nb101.Cells`, which pickles of version 0.1 name."""

from nb101.space.cells import Cells, _restore  # noqa: F401
