"""Pythons of this machine, and environments with the lowest or the latest dependencies."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.14t")
EXTRAS = (
    *("compat", "dask", "networkx", "notebook", "onnx", "predict", "pyg", "report", "search"),
    "train",
)
ALSO = ("pandas", "polars")
"""What is no extra, but a library that a method names."""
LOWEST = "lowest"

PROOF = Path(__file__).resolve().with_name("proof.py")
"""The program that an environment runs."""

_ROOT = Path(__file__).parents[2]
# SMAC3 and what it stands on come as sources alone.
_WHEELS = ("--only-binary", ":all:", "--no-binary", "smac", "--no-binary", "pynisher")


class FailedError(Exception):
    """An environment that could not be made, or whose proof fails; with what was printed."""


def pythons(asked: Iterable[str]) -> list[Path]:
    """Find an interpreter of each version that is here: on the path, or of pyenv."""
    found = []
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for name in asked:
        if os.sep in name:
            found.append(Path(name))
            continue
        places = [Path(place) for place in [shutil.which(f"python{name}")] if place]
        places += sorted(home.glob(f"{name}.*/bin/python{name}"), reverse=True)
        found += [place for place in places if _version(place) == name][:1]
    return found


def _version(python: Path) -> str:
    """Ask an interpreter, since what pyenv puts on the path may stand for none."""
    code = (
        "import sys, sysconfig\n"
        "free = 't' if sysconfig.get_config_var('Py_GIL_DISABLED') else ''\n"
        "print('%d.%d' % sys.version_info[:2] + free)"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return done.stdout.strip()


def install(wheel: Path, python: Path, folder: Path, extra: str, *, lowest: bool) -> Path:
    """Make an environment with a wheel and an extra of it, and return its interpreter.

    With `lowest` each dependency that the project names has the lowest version that it allows and
    that has a wheel for this Python; what those need in turn is the latest.
    """
    at = folder / "environment"
    uv("venv", "--python", str(python), str(at))
    own = at / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    needs = [f"{wheel}[{extra}]" if extra in EXTRAS else str(wheel)]
    pins: tuple[str, ...] = ()
    if lowest:
        low = folder / "lowest.txt"
        extras = ["--extra", extra] if extra in EXTRAS else []
        source = _ROOT / "pyproject.toml"
        if extra in ALSO:
            # The lowest that the project's own tests allow.
            also = folder / "also.txt"
            also.write_text(_requirement(source.read_text(encoding="utf-8"), extra) + "\n")
            extras = [str(also)]
        uv(
            *("pip", "compile", "--resolution", "lowest-direct", "--python", str(own)),
            *("--output-file", str(low), *_WHEELS, *extras, str(source)),
        )
        pins = ("--constraint", str(low))
    if extra in ALSO:
        needs.append(extra)
    uv("pip", "install", "--python", str(own), *_WHEELS, *pins, *needs)
    return own


def _requirement(project: str, name: str) -> str:
    found = re.search(rf'"({name}\b[^"]*)"', project)
    if found is None:
        raise FailedError(f"pyproject.toml does not name {name}")
    return found[1]


def run(python: Path, proof: str) -> str:
    """Run a proof in an environment, away from the sources, and return what it prints."""
    return _done([python, "-I", PROOF, proof], python.parent)


def uv(*words: str) -> None:
    """Run uv of the environment that this runs in."""
    _done([sys.executable, "-m", "uv", "--quiet", *words])


def _done(command: list[str | Path], at: Path | None = None) -> str:
    # Packages of this environment are none of the clean one's.
    told = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=at, env=told)
    if done.returncode:
        raise FailedError(done.stdout + done.stderr)
    return done.stdout.strip()
