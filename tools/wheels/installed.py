"""Tells whether an installed nb101 works: golden hashes and a short test.

It needs nothing but the package, so that it runs wherever a wheel is tried: in a clean environment,
on another processor. ``python installed.py`` prints a line, or fails.
"""

import hashlib
import platform
import sys

import nb101
from nb101 import _core

# SHA-256 of the hashes of all 423,624 cells, in order.
SPACE = "d3332c0348a4fb1e"
INCEPTION = "28cfc7874f6d200472e1a9dcd8650aa0"


def main() -> None:
    """Try the package."""
    space = nb101.SearchSpace()
    cells = space.enumerate()
    assert len(cells) == 423_624, len(cells)
    sets = _core.cpu()[1]
    for name in sets:
        _core.set_cpu(name)
        digest = hashlib.sha256(cells.hashes().tobytes()).hexdigest()
        assert digest.startswith(SPACE), (name, digest)
    _core.set_cpu()
    cell = space[INCEPTION]
    assert cell.hash == INCEPTION
    assert cell in space
    table = nb101.load_table()
    assert len(table.cells) == 423_624
    print(
        f"golden hashes {SPACE} by {', '.join(sets)}: {platform.system()} {platform.machine()}, "
        f"{sys.implementation.name} {platform.python_version()}, nb101 {nb101.__version__}"
    )


if __name__ == "__main__":
    main()
