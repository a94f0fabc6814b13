"""What a release needs: one version everywhere, and the part of the changelog that is of it.

``python tools/release.py --set X.Y.Z`` writes the version wherever it stands.
``python tools/release.py vX.Y.Z`` sees that all of them are of this tag, and prints the notes.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACES = {
    "Cargo.toml": ("version = ", r"nb101-\w+ = {.* version = "),
    "python/nb101/_base/version.py": ("__version__ = ",),
    "CITATION.cff": ("version: ",),
    "conda/recipe.yaml": ("  version: ",),
}
"""Where the version stands, and what its lines begin with."""


def version(root: Path = ROOT) -> str:
    """Return the version of the workspace."""
    manifest = tomllib.loads((root / "Cargo.toml").read_text(encoding="utf-8"))
    return str(manifest["workspace"]["package"]["version"])


def _pattern(name: str) -> "re.Pattern[str]":
    return re.compile(rf"^((?:{'|'.join(PLACES[name])})\"?)([\w.]+)", re.MULTILINE)


def stale(wanted: str, root: Path = ROOT) -> list[str]:
    """Name the files that have another version, or none."""
    found = []
    for name in PLACES:
        text = (root / name).read_text(encoding="utf-8")
        there = {version for _, version in _pattern(name).findall(text)}
        if there != {wanted}:
            found.append(f"{name}: {', '.join(sorted(there)) or 'no version'}, not {wanted}")
    return found


def write(wanted: str, root: Path = ROOT) -> None:
    """Write a version wherever it stands."""
    # Versions before a release are spelt otherwise by cargo than by pip.
    if not re.fullmatch(r"\d+\.\d+\.\d+", wanted):
        raise SystemExit(f"{wanted!r} is no version: X.Y.Z")
    for name in PLACES:
        text = (root / name).read_text(encoding="utf-8")
        (root / name).write_text(_pattern(name).sub(rf"\g<1>{wanted}", text), encoding="utf-8")


def notes(wanted: str, changelog: str) -> str:
    """Return the part of the changelog that is of a version."""
    found = re.search(
        rf"^## {re.escape(wanted)} - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)",
        changelog,
        re.MULTILINE | re.DOTALL,
    )
    if found is None or not found[1].strip():
        raise SystemExit(f"CHANGELOG.md has no part '## {wanted} - YYYY-MM-DD'")
    return found[1].strip() + "\n"


def main(arguments: list[str]) -> None:
    """Set the version, or check that of a tag and print its notes."""
    if len(arguments) == 2 and arguments[0] == "--set":
        write(arguments[1])
    elif len(arguments) == 1 and arguments[0].startswith("v"):
        wanted = arguments[0].removeprefix("v")
        if wrong := stale(wanted):
            raise SystemExit("\n".join(wrong))
        sys.stdout.write(notes(wanted, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
