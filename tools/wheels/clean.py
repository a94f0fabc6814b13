"""Tries what is published in clean environments: sdist to wheel, and wheels that run here."""

import os
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

INSTALLED = Path(__file__).resolve().with_name("installed.py")


def _quietly(*command: str | Path, at: Path) -> str:
    """Run a command without what points Python at other packages."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=at, env=inherited, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\n{command[0]} failed with {done.returncode}")
    return done.stdout.strip()


def try_wheel(wheel: Path, python: Path = Path(sys.executable)) -> str:
    """Install a wheel with its dependencies in a clean environment, and try it there."""
    with tempfile.TemporaryDirectory(prefix="nb101-clean-") as temporary:
        at = Path(temporary)
        if python == Path(sys.executable):
            venv.create(at / "env", with_pip=True)
        else:
            _quietly(python, "-m", "venv", at / "env", at=at)
        there = at / "env" / "bin" / "python"
        pip = (there, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _quietly(*pip, wheel.resolve(), at=at)
        _quietly(there.with_name("nb101"), "--help", at=at)
        return _quietly(there, INSTALLED, at=at)


def build_from_sdist(sdist: Path, out: Path) -> Path:
    """Build a wheel of what the source distribution has, and of nothing else."""
    with tempfile.TemporaryDirectory(prefix="nb101-sdist-") as temporary:
        at = Path(temporary)
        with tarfile.open(sdist) as tar:
            tar.extractall(at, filter="data")
        (folder,) = at.iterdir()
        _quietly(sys.executable, "-m", "build", "--wheel", "--outdir", at / "dist", folder, at=at)
        (wheel,) = (at / "dist").glob("*.whl")
        out.mkdir(parents=True, exist_ok=True)
        return wheel.replace(out / wheel.name)
