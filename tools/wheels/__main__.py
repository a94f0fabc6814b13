"""Builds and checks what is published. ``PYTHONPATH=tools python -m wheels COMMAND``.

``build`` makes wheels in ``dist/``, of every target whose standard library can be had, and
``sdist``, the source distribution; ``check`` checks what lies there; ``clean`` goes from the source
distribution to a wheel to an environment, and tries it; ``same`` builds the commit again elsewhere
and compares; ``tidy`` does to a wheel that was built otherwise what ``build`` does to its own.
"""

import argparse
import sys
from pathlib import Path

from installs.environments import FailedError
from wheels import build, check, clean, same, tidy
from wheels.targets import TARGETS, obtain

ROOT = Path(__file__).resolve().parent.parent.parent
SDIST = "sdist"


def _build(options: argparse.Namespace) -> list[str]:
    missing = []
    for name in options.targets:
        if name == SDIST:
            build.build_sdist(ROOT, options.out)
        elif why := obtain(TARGETS[name]):
            missing.append(f"{name}: only configured: {why}")
        else:
            build.build_wheel(ROOT, TARGETS[name], options.out, options.profile)
    # What one asks for by name must be built; of all targets, those that can be.
    if options.targets == [*TARGETS, SDIST]:
        for line in missing:
            print(line)
        return []
    return missing


def _clean(options: argparse.Namespace) -> list[str]:
    sdists = list(options.out.glob("nb101-*.tar.gz"))
    # Those of a free-threaded Python are for that one alone.
    wheels = list(options.out.glob("nb101-*-abi3-manylinux*_x86_64.whl"))
    if not sdists + wheels:
        return [f"nothing to try in {options.out}"]
    try:
        for sdist in sdists:
            wheel = clean.build_from_sdist(sdist, options.out / "from-sdist")
            print("from the source distribution:", clean.try_wheel(wheel))
        for path in wheels:
            print("as published:", clean.try_wheel(path))
    except FailedError as error:
        return [str(error)]
    return []


def _same(options: argparse.Namespace) -> list[str]:
    found = []
    for name in options.targets:
        given = options.out if options.with_dist else None
        found += same.same(ROOT, TARGETS[name], options.profile, given)
    return found


def _tidy(options: argparse.Namespace) -> list[str]:
    absent = [f"{wheel}: no such file" for wheel in options.wheels if not wheel.is_file()]
    for wheel in [] if absent else options.wheels:
        tidy.tidy(wheel, int(build.date_of(ROOT)))
    return absent


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the status is 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m wheels", description=__doc__)
    commands = parser.add_subparsers(required=True)
    building = commands.add_parser("build", help="build wheels and the source distribution")
    checking = commands.add_parser("check", help="check what was built")
    cleaning = commands.add_parser("clean", help="try it in clean environments")
    comparing = commands.add_parser("same", help="build the commit twice and compare")
    tidying = commands.add_parser("tidy", help="take the machine out of wheels built otherwise")
    for command, of_all in ((building, True), (comparing, False)):
        default = [*TARGETS, SDIST] if of_all else ["x86_64-unknown-linux-gnu"]
        command.add_argument("targets", nargs="*", default=default, metavar="TARGET")
        command.add_argument("--profile", default="release", help="of cargo")
    comparing.add_argument(
        "--with-dist", action="store_true", help="compare with what was built before: one build"
    )
    for command in (building, checking, cleaning, comparing):
        command.add_argument("--out", type=Path, default=ROOT / "dist")
    tidying.add_argument("wheels", nargs="+", type=Path)
    building.set_defaults(run=_build)
    checking.set_defaults(run=lambda options: check.check(options.out, ROOT))
    cleaning.set_defaults(run=_clean)
    comparing.set_defaults(run=_same)
    tidying.set_defaults(run=_tidy)
    options = parser.parse_args(arguments)
    known = [*TARGETS, SDIST] if options.run is _build else list(TARGETS)
    for name in getattr(options, "targets", []):
        if name not in known:
            parser.error(f"unknown target {name}: {', '.join(known)}")
    found = options.run(options)
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
