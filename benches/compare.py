"""Compare benchmarks of two versions: ``python benches/compare.py OLD.json... --new NEW.json...``.

Files are pytest-benchmark's, several of each version, measured in turns: the best of all rounds
counts. The page that is written names what is slower by more than a tenth.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

LIMIT = 1.1
"""How many times as long counts as slower."""


def best(paths: Sequence[Path]) -> dict[str, float]:
    """Return the least seconds of each benchmark."""
    found: dict[str, float] = {}
    for path in paths:
        for entry in json.loads(path.read_text(encoding="utf-8"))["benchmarks"]:
            seconds = float(entry["extra_info"].get("seconds", entry["stats"]["min"]))
            found[entry["name"]] = min(seconds, found.get(entry["name"], seconds))
    return found


def page(old: dict[str, float], new: dict[str, float]) -> str:
    """Return the comparison in Markdown, the slowest beside its past first."""
    rows = sorted(((new[name] / old[name], name) for name in old if name in new), reverse=True)
    slower = [name for ratio, name in rows if ratio > LIMIT]
    if not rows:
        said = "No benchmark is in both versions."
    elif slower:
        said = f"{len(slower)} of {len(rows)} benchmarks are slower than in the last release."
    else:
        said = f"None of {len(rows)} benchmarks takes longer than in the last release."
    lines = ["### Benchmarks", "", said, ""]
    if rows:
        lines += ["| benchmark | last release | this change | times as long |", "|---|--:|--:|--:|"]
    for ratio, name in rows:
        mark = "**" if ratio > LIMIT else ""
        was, now = (f"{1000 * seconds[name]:.3g} ms" for seconds in (old, new))
        lines.append(f"| {name.removeprefix('test_')} | {was} | {now} | {mark}{ratio:.2f}{mark} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", nargs="+", type=Path)
    parser.add_argument("--new", nargs="+", type=Path, required=True)
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args(arguments)
    text = page(best(asked.old), best(asked.new))
    if asked.output is None:
        sys.stdout.write(text)
        return
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
