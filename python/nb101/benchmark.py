"""The old place of `nb101.Benchmark`, which pickles of version 0.1 name."""

from nb101.table.benchmark import (  # noqa: F401
    Benchmark,
    Run,
    Runs,
    Spent,
    _Chunk,
)
from nb101.table.noise import RunNoise as _Noise  # noqa: F401
