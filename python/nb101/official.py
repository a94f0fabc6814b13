"""The old place of `nb101.Problem`, which pickles of version 0.1 name."""

from nb101.table.official import Problem  # noqa: F401
