"""Builds one commit in two folders, and compares what comes out, byte for byte."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from wheels.build import build_sdist, build_wheel, output
from wheels.targets import Target
from wheels.traces import members


def _clone(source: Path, commit: str, folder: Path) -> None:
    git = ["git", "-c", "advice.detachedHead=false"]
    subprocess.run([*git, "clone", "--quiet", str(source), str(folder)], check=True)
    subprocess.run([*git, "checkout", "--quiet", commit], cwd=folder, check=True)


def differences(one: Path, other: Path) -> list[str]:
    """Name the files in which two archives differ."""
    if one.read_bytes() == other.read_bytes():
        return []
    left, right = dict(members(one)), dict(members(other))
    names = sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
    return [f"{one.name}: {name} differs" for name in names] or [f"{one.name}: order or dates"]


def same(source: Path, target: Target, profile: str, given: Path | None) -> list[str]:
    """Build the commit that stands in two clones, of other names and depths; return differences.

    A wheel that was built of that commit before may take the place of the first.
    """
    found = []
    commit = output("git", "rev-parse", "HEAD", at=source).strip()
    with tempfile.TemporaryDirectory(prefix="nb101-same-") as temporary:
        wheels, sdists = [], []
        for place in ("one", "another/deeper/folder")[given is not None :]:
            folder = Path(temporary) / place
            _clone(source, commit, folder)
            # Nothing of an earlier build is used, and the folder of builds is another one too.
            os.environ["CARGO_TARGET_DIR"] = str(folder / "target")
            wheels.append(build_wheel(folder, target, folder / "dist", profile))
            sdists.append(build_sdist(folder, folder / "dist"))
            shutil.rmtree(folder / "target")
        if given is not None:
            wheels.insert(0, next(given.glob(f"nb101-*{target.tag}*.whl")))
            sdists.insert(0, next(given.glob("nb101-*.tar.gz")))
        for one, other in (wheels, sdists):
            found += differences(one, other)
            print(hashlib.sha256(other.read_bytes()).hexdigest(), other.name)
    return found
