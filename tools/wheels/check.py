"""Checks wheels and the source distribution as the registry and users' machines will."""

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from wheels.build import PAGE
from wheels.targets import TARGETS
from wheels.traces import machine, members, traces

LARGEST = 6_000_000
"""Bytes of a wheel."""


def _run(name: str, *arguments: str) -> tuple[int, str]:
    """Run a tool of the environment that this runs in."""
    tool = Path(sys.executable).parent / name
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def _audited(wheel: Path) -> str | None:
    """Have auditwheel judge whether a wheel of Linux is what its name says."""
    # Libraries of this machine are none of the wheel's: of musl it has none, or others of its name.
    with tempfile.TemporaryDirectory() as empty:
        musl = ("--ldpaths", empty) if "musllinux" in wheel.name else ()
        code, said = _run("auditwheel", "show", *musl, str(wheel))
    if code:
        return said
    if musl:
        # The loader of musl is its own library, by this name as by Alpine's, which alone the
        # policy of auditwheel has.
        needed = re.findall(r'"(lib[^"]+)": ', said)
        return None if needed == ["libc.so"] else f"needs {', '.join(needed)}"
    asked = next(target for target in TARGETS.values() if target.tag in wheel.name)
    tags = set(re.findall(r'"(manylinux\w+)"', said))
    # It names glibc's versions, of which manylinux2014 is 2.17.
    wanted = asked.tag.replace("manylinux2014", "manylinux_2_17")
    return None if wanted in tags else f"is {', '.join(sorted(tags)) or 'of no policy'}"


def faults(path: Path, source: Path) -> Iterator[str]:
    """Yield what is wrong with a wheel or a source distribution, a line each."""
    size = path.stat().st_size
    if size > LARGEST:
        yield f"{path.name}: {size:,} bytes, {LARGEST:,} at most"
    yield from traces(path, machine(source))
    if not any(name.endswith(PAGE) for name, _ in members(path)):
        yield f"{path.name}: {PAGE} is not in it"
    checks = [["twine", "check", "--strict", str(path)]]
    if path.suffix == ".whl":
        checks.append(["check-wheel-contents", str(path)])
        if "-abi3-" in path.name:
            checks.append(["abi3audit", "--strict", "--summary", str(path)])
        if "linux" in path.name and (said := _audited(path)):
            yield f"{path.name}: auditwheel: {said}"
        with zipfile.ZipFile(path) as archive:
            if broken := archive.testzip():
                yield f"{path.name}: {broken} is damaged"
    for name, *arguments in checks:
        code, said = _run(name, *arguments)
        if code:
            yield f"{path.name}: {name}: {said}"


def check(folder: Path, source: Path) -> list[str]:
    """Check all of a folder; print a line a file, and return the faults."""
    found: list[str] = []
    paths = sorted([*folder.glob("*.whl"), *folder.glob("*.tar.gz")])
    if not paths:
        found.append(f"nothing to check in {folder}")
    for path in paths:
        of_this = list(faults(path, source))
        print(f"{'FAULTS' if of_this else 'ok':7}{path.stat().st_size:>10,} bytes  {path.name}")
        found += of_this
    return found
