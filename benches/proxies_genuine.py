"""Zero-cost proxies of cells that have genuine records, and how they correlate with accuracies.

    python benches/proxies_genuine.py RECORDS IMAGES FOLDER --seconds 3600 -o RECORD.json

RECORDS has ``real_20001.parquet``, the records of the cells with the 20,001 smallest hashes, and
``means_upto5.parquet``, means of three repeats of cells of up to 5 vertices; IMAGES is CIFAR-10.
Cells are scored in the order of their hashes, which makes those that are done a uniform sample of
the space at any time, by ``nb101 proxies run``, until each recipe has had its seconds of the
processor; then the cells of up to 5 vertices by the reduced recipe. It may be stopped or killed,
and goes on where it was.
"""

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

RECIPES = {
    "reduced": ["--stem-channels", "16", "--cells-per-stack", "1"],
    "full": [],
}
STAGES = {"reduced": 1500, "full": 24}
"""Cells that a command is given: it then takes some minutes."""
WORKERS = {"reduced": 2, "full": 1}
"""Processes; a cell takes up to 8 GB at full size."""


def cpu() -> float:
    """Seconds of the processor of all commands so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spent(folder: Path) -> float:
    """Seconds that a folder took."""
    try:
        return float(sum(json.loads((folder / "seconds.json").read_text())))
    except FileNotFoundError:
        return 0.0


def stage(folder: Path, recipe: str, hashes: list[str], images: str) -> None:
    """Score cells, as well as those of before."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    listed = folder.with_suffix(".txt")
    listed.write_text("\n".join(hashes) + "\n")
    start = cpu()
    command = [sys.executable, "-m", "nb101", "proxies", "run", str(folder), "-f", str(listed)]
    options = [
        "--data",
        images,
        "--workers",
        str(WORKERS[recipe]),
        "--threads",
        "1",
        "--device",
        "cpu",
    ]
    subprocess.run(
        [*command, *options, *RECIPES[recipe], "--json"], check=True, stdout=subprocess.DEVNULL
    )
    before = []
    if (folder / "seconds.json").exists():
        before = json.loads((folder / "seconds.json").read_text())
    (folder / "seconds.json").write_text(json.dumps([*before, cpu() - start]))


def score(given: argparse.Namespace) -> None:
    """Score until the seconds are spent."""
    table = pq.read_table(given.records / "real_20001.parquet")
    uniform = sorted(table["hash"].to_pylist())
    done = dict.fromkeys(RECIPES, 0)
    for recipe in RECIPES:
        if (given.folder / recipe).exists():
            import nb101

            done[recipe] = len(nb101.proxies.read(given.folder / recipe).cells)
    while True:
        left = {recipe: given.seconds - spent(given.folder / recipe) for recipe in RECIPES}
        recipe = max(left, key=lambda one: left[one])
        if left[recipe] <= 0:
            break
        done[recipe] += STAGES[recipe]
        hashes = uniform[: done[recipe]]
        stage(given.folder / recipe, recipe, hashes, given.images)
    means = pq.read_table(given.records / "means_upto5.parquet")
    small = sorted(set(means["hash"].to_pylist()))
    if not (given.folder / "small" / "seconds.json").exists():
        stage(given.folder / "small", "reduced", small, given.images)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records", type=Path)
    parser.add_argument("images")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    score(given)


if __name__ == "__main__":
    main()
