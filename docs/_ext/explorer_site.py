"""Writes the explorer of the default table into the site, as `nb101 explore -o` does.

Half a minute at most, and only where the table or the page is newer than what was written.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import installed
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

FOLDER = Path(__file__).parents[2] / "build" / "extra"
"""What `html_extra_path` puts into the site; Sphinx looks whether it is there before it begins."""
FOLDER.mkdir(parents=True, exist_ok=True)


def write(_app: Sphinx) -> None:
    """Write the explorer, if what there is is older than what it is made of."""
    target = FOLDER / "explorer"
    page = installed.FOLDER / "explore" / "bundle" / "index.html"
    if not page.exists():
        raise ExtensionError("the explorer's page is not built: python -m page build, or make demo")
    sources = [page, installed.FOLDER / "table" / "surrogate-v1.npz"]
    made = target / "index.html"
    if made.exists() and made.stat().st_mtime > max(path.stat().st_mtime for path in sources):
        return
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "nb101", "explore", "--output", str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ExtensionError(f"nb101 explore: {done.stderr.strip()}")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect it."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
