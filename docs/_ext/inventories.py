"""Makes of inventories.toml the files that intersphinx reads, so that no build needs a network."""

import tomllib
import zlib
from pathlib import Path

HEADER = "# Sphinx inventory version 2\n# Project: {}\n# Version: \n# The rest is zlib's.\n"


def write(source: Path, folder: Path) -> dict[str, tuple[str, str]]:
    """Write an inventory for each project, and return the mapping that intersphinx takes."""
    folder.mkdir(parents=True, exist_ok=True)
    mapping = {}
    for project, entry in tomllib.loads(source.read_text()).items():
        lines = []
        for page, names in entry["pages"].items():
            for name in names:
                holder, last = name.split(".")[-2:] if "." in name else ("", name)
                role = "method" if holder[:1].isupper() and last[0].islower() else "class"
                lines.append(f"{name} py:{role} 1 {page.replace('$', name)}#$ -\n")
        path = folder / f"{project}.inv"
        content = HEADER.format(project).encode() + zlib.compress("".join(lines).encode())
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
        mapping[project] = (entry["url"], str(path))
    return mapping
