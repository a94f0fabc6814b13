"""`python -m page build` makes python/nb101/explore/bundle; `python -m page check` tests it."""

import shutil
import subprocess
import sys
from pathlib import Path

from page.node import environment, folder

WEB = Path(__file__).parents[2] / "web"
LOCK = WEB / "package-lock.json"
INSTALLED = WEB / "node_modules" / ".package-lock.json"
BUNDLE = WEB.parent / "python" / "nb101" / "explore" / "bundle"


def main() -> None:
    """Run the command of the argument."""
    commands = {"build": build, "check": check}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(f"page: one of {', '.join(commands)}")
    commands[sys.argv[1]]()


def build() -> None:
    """Build the page and the notebook's module, whole or not at all."""
    _install()
    try:
        _npm("run", "--silent", "build")
    except SystemExit:
        shutil.rmtree(BUNDLE, ignore_errors=True)
        raise


def check() -> None:
    """Run every lint and unit test."""
    _install()
    _npm("run", "--silent", "check")


def _install() -> None:
    """Install what package-lock.json names, unless it is there."""
    if INSTALLED.exists() and INSTALLED.stat().st_mtime >= LOCK.stat().st_mtime:
        return
    _npm("ci", "--silent", "--no-audit", "--no-fund")
    INSTALLED.touch()


def _npm(*arguments: str) -> None:
    path = folder()
    npm = shutil.which("npm", path=environment(path)["PATH"])
    if npm is None:
        sys.exit("page: there is a node, and no npm beside it")
    done = subprocess.run([npm, *arguments], cwd=WEB, env=environment(path), check=False)
    if done.returncode:
        sys.exit(f"page: npm {' '.join(arguments)} failed")


if __name__ == "__main__":
    main()
