"""Makes the section "The paper, again": ``python -m paper``, with ``tools`` on Python's path.

Without options it computes all numbers, writes today's record, and makes figures and pages of it;
``--pages`` makes these of the newest record alone, which is what a change of words takes.
"""

import argparse
import sys
from pathlib import Path

from paper import figures, pages, record


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m paper", description=__doc__)
    parser.add_argument("records", nargs="?", help="folder of the genuine records")
    parser.add_argument("--pages", action="store_true", help="of the newest record, no new one")
    parser.add_argument("--anew", action="store_true", help="run searches again")
    given = parser.parse_args(arguments)
    if not given.pages:
        data = Path(given.records) if given.records else None
        if data is not None and not data.is_dir():
            print(f"{data} is not there: measured numbers stay as they are", file=sys.stderr)
            data = None
        print(record.make(data, anew=given.anew).relative_to(record.ROOT))
    for path in (*figures.make(), *pages.make()):
        print(path.relative_to(record.ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
