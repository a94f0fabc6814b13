"""The old place of the default table, which pickles of version 0.1 name."""

from nb101.table.embedded import load as EmbeddedTable  # noqa: F401, N812
