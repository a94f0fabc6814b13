"""Tries what is published in clean environments: sdist to wheel, and wheels that run here."""

import sys
import tempfile
from pathlib import Path

from installs.environments import install, run, uv


def try_wheel(wheel: Path) -> str:
    """Install a wheel with its dependencies in a clean environment, and try it there."""
    with tempfile.TemporaryDirectory(prefix="nb101-clean-") as folder:
        python = install(wheel.resolve(), Path(sys.executable), Path(folder), "base", lowest=False)
        return run(python, "base")


def build_from_sdist(sdist: Path, out: Path) -> Path:
    """Build a wheel of what the source distribution has, and of nothing else."""
    for old in out.glob("*.whl"):
        old.unlink()
    uv("build", "--wheel", "--out-dir", str(out), str(sdist))
    (wheel,) = out.glob("*.whl")
    return wheel
