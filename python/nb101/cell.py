"""The old place of `nb101.Cell`, which pickles of version 0.1 name."""

from nb101.space.cell import Cell, _restore  # noqa: F401
