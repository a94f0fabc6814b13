"""``python -m installs WHEEL``: put a wheel into clean environments and run the proof in each."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from installs.environments import ALSO, EXTRAS, LOWEST, VERSIONS, FailedError, install, pythons, run


def main() -> int:
    """Return 0 if every environment does what it must."""
    parser = argparse.ArgumentParser(prog="installs", description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument(
        "--python",
        action="append",
        metavar="VERSION",
        help="a version, or the path of an interpreter; all versions that are found if not given",
    )
    parser.add_argument(
        "--extra",
        action="append",
        choices=[*EXTRAS, *ALSO],
        help="extras to prove on the oldest Python; all but train, which takes gigabytes",
    )
    asked = parser.parse_args()
    found = pythons(asked.python or VERSIONS)
    if not found:
        print("no Python of 3.11 or later was found", file=sys.stderr)
        return 2
    cases = [(python, "base", floor) for python in found for floor in (True, False)]
    extras = asked.extra or [name for name in (*EXTRAS, *ALSO) if name != "train"]
    cases += [(found[0], extra, floor) for extra in extras for floor in (True, False)]
    failed = 0
    for python, extra, floor in cases:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            try:
                at = install(asked.wheel, python, Path(folder), extra, lowest=floor)
                result = run(at, extra)
            except FailedError as error:
                failed += 1
                result = f"FAILED\n{error}"
        which = LOWEST if floor else "latest"
        took = time.monotonic() - began
        print(f"{python.name:12} {extra:9} {which:7} {took:5.0f} s  {result}", flush=True)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
