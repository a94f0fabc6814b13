"""Zero-cost proxies of cells that have genuine records, and how they correlate with accuracies.

    python benches/proxies_genuine.py RECORDS IMAGES FOLDER --seconds 3600 -o RECORD.json

RECORDS has ``real_20001.parquet``, the records of the cells with the 20,001 smallest hashes (one
run at 4, 12 and 36 epochs, the best of three at 108), and ``means_upto5.parquet``, means of three
runs of cells of up to 5 vertices; IMAGES is CIFAR-10. Cells are scored in the order of their
hashes, which makes those that are done a uniform sample of the space at any time, by ``nb101
proxies run``, until each recipe has had its seconds of the processor; and the cells of up to 5
vertices by the reduced recipe. It may be stopped or killed, and goes on where it was; with
``--seconds 0`` it writes the record of what there is, and ``--picture FILE.svg`` draws it.
"""

import argparse
import datetime
import itertools
import json
import platform
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import nb101
from nb101.analysis import correlation, proxy_correlations
from nb101.analysis.correlate import Method
from nb101.analysis.proxies import ALL, MAGNITUDES, PUBLISHED, SAMSUNG, SUITE, columns_of

RECIPES = {
    "reduced": ["--stem-channels", "16", "--cells-per-stack", "1"],
    "full": [],
}
STAGES = {"reduced": 500, "full": 32}
"""Cells that a command is given at most."""
WORKERS = 2
"""Processes; a cell takes up to 9 GB at full size, half of them less than 3."""
SMALL = "small"
"""The folder of cells of up to 5 vertices."""
BUDGETS = (4, 12, 36, 108)
RESAMPLED = 1000
"""Samples of the bootstrap."""


# Scoring


def cpu() -> float:
    """Seconds of the processor of all commands so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spent(folder: Path) -> list[list[float]]:
    """Seconds that each command of a folder took that ended, and the cells that it scored."""
    try:
        found: list[list[float]] = json.loads((folder / "seconds.json").read_text())
    except FileNotFoundError:
        return []
    return found


def stage(folder: Path, recipe: str, hashes: list[str], images: str) -> None:
    """Score cells, those that are not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    listed = folder.with_suffix(".txt")
    listed.write_text("\n".join(hashes) + "\n")
    start, before = cpu(), count(folder)
    command = [sys.executable, "-m", "nb101", "proxies", "run", str(folder), "-f", str(listed)]
    options = ["--data", images, "--workers", str(WORKERS), "--threads", "1"]
    subprocess.run(
        [*command, *options, *RECIPES[recipe], "--device", "cpu", "--json"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    took = [*spent(folder), [cpu() - start, count(folder) - before]]
    (folder / "seconds.json").write_text(json.dumps(took))


def count(folder: Path) -> int:
    """Cells that are scored."""
    return len(nb101.proxies.read(folder).cells) if (folder / "proxies.json").exists() else 0


def score(given: argparse.Namespace) -> None:
    """Score until the seconds are spent."""
    uniform = pq.read_table(given.records / "real_20001.parquet")["hash"].to_pylist()
    uniform.sort()
    means = pq.read_table(given.records / "means_upto5.parquet")
    if not spent(given.folder / SMALL):
        small = sorted(set(means["hash"].to_pylist()))
        stage(given.folder / SMALL, "reduced", small, given.images)
    while True:
        left = {
            x: given.seconds - sum(seconds for seconds, _ in spent(given.folder / x))
            for x in RECIPES
        }
        recipe = max(left, key=lambda one: left[one])
        if left[recipe] <= 0:
            return
        folder = given.folder / recipe
        hashes = uniform[: count(folder) + STAGES[recipe]]
        stage(folder, recipe, hashes, given.images)


# Correlations


def uniform_table(path: Path) -> nb101.Table:
    """Genuine validation accuracies of the uniform sample."""
    records = pq.read_table(path)
    ids = nb101.SearchSpace().index(records["hash"].to_pylist())
    accuracies = [records[f"validation_accuracy_{epochs}"].to_numpy() for epochs in BUDGETS]
    columns = {
        "cell_id": np.tile(ids, len(BUDGETS)),
        "epochs": np.repeat(BUDGETS, len(ids)),
        "final_validation_accuracy": np.concatenate(accuracies).astype(np.float64),
    }
    return nb101.Table.from_columns(columns, provenance={"kind": "measured"})


def small_table(path: Path) -> nb101.Table:
    """Genuine means of cells of up to 5 vertices."""
    records = pq.read_table(path)
    columns = {
        "cell_id": nb101.SearchSpace().index(records["hash"].to_pylist()),
        "epochs": records["epochs"].to_numpy(),
        "final_validation_accuracy": records["validation_accuracy"].to_numpy(),
        "final_test_accuracy": records["test_accuracy"].to_numpy(),
    }
    return nb101.Table.from_columns(columns, provenance={"kind": "measured"})


def intervals(table: nb101.Table, scores: nb101.proxies.Scores) -> list[dict[str, Any]]:
    """Correlations, and for those over all cells what 95 % of resampled cells give."""
    rows: list[dict[str, Any]] = proxy_correlations(table, scores).to_pylist()
    columns = columns_of(scores, table.space, table.cell_ids)
    for row in rows:
        if row["part"] != ALL:
            continue
        x, y = columns[row["proxy"]], table.mean(row["metric"], row["epochs"])
        known = np.flatnonzero(~(np.isnan(x) | np.isnan(y)))
        rng = np.random.default_rng(0)
        drawn = [rng.choice(known, len(known)) for _ in range(RESAMPLED)]
        methods: tuple[Method, ...] = ("spearman", "kendall")
        for method in methods:
            found = [correlation(x[own], y[own], method) for own in drawn]
            row[f"{method}_95"] = np.round(np.quantile(found, [0.025, 0.975]), 4).tolist()
    for row in rows:
        row |= {method: round(row[method], 4) for method in ("spearman", "kendall")}
    return rows


def without_gaps(scores: nb101.proxies.Scores, hashes: list[str]) -> nb101.proxies.Scores:
    """Leave out what a command had done that was stopped: it goes by ids, which are no sample."""
    own = {cell.hash: i for i, cell in enumerate(scores.cells)}
    rows = [own[x] for x in itertools.takewhile(own.__contains__, sorted(hashes))]
    columns = {name: column[rows] for name, column in scores.items()}
    return nb101.proxies.Scores(cells=scores.cells[rows], columns=columns, about=scores.about)


def make_record(given: argparse.Namespace) -> dict[str, Any]:
    """Put together what is done so far."""
    tables = {
        "uniform": uniform_table(given.records / "real_20001.parquet"),
        SMALL: small_table(given.records / "means_upto5.parquet"),
    }
    runs: dict[str, Any] = {}
    uniform = pq.read_table(given.records / "real_20001.parquet")["hash"].to_pylist()
    for name in (*RECIPES, SMALL):
        folder = given.folder / name
        if not (folder / "proxies.json").exists():
            continue
        scores = nb101.proxies.read(folder)
        if name != SMALL:
            scores = without_gaps(scores, uniform)
        seconds = sum(seconds for seconds, _ in spent(folder))
        timed = sum(cells for _, cells in spent(folder))
        recipe = "reduced" if name == SMALL else name
        runs[name] = {
            "cells": len(scores.cells),
            "recipe": recipe,
            "about": {key: value for key, value in scores.about.items() if key != "asked"},
            "processes": WORKERS,
            "cpu_seconds": round(seconds, 1),
            "cells_timed": int(timed),
            "cells_a_second_on_two_cores": round(2 * timed / seconds, 3) if seconds else None,
            "correlations": intervals(tables[SMALL if name == SMALL else "uniform"], scores),
        }
    return {
        "date": datetime.date.today().isoformat(),
        "version": nb101.__version__,
        "what": "rank correlations of zero-cost proxies, batch of 32 images of CIFAR-10, seed 0, "
        "with genuine accuracies of NAS-Bench-101: the cells of the smallest hashes, a uniform "
        "sample (one run at 4, 12 and 36 epochs, the best of three at 108), by a reduced recipe "
        "(16 channels, 1 cell a stack) and the full one (128, 3); and all cells of up to 5 "
        "vertices of which means of three runs are at hand, by the reduced one; 95 % intervals by "
        f"{RESAMPLED} samples of the cells with replacement; seconds are the processor's, of "
        "commands that ended, start of the processes included",
        "machine": {
            "cores": 2,
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": __import__("importlib.metadata").metadata.version("torch"),
        },
        "published": {
            "source": SUITE,
            "spearman": dict(PUBLISHED),
            "cells": 1000,
            "batch_size": 64,
        },
        "published_magnitudes": {
            "source": SAMSUNG,
            "spearman": dict(MAGNITUDES),
            "cells": 423624,
        },
        "runs": runs,
    }


def draw(record: dict[str, Any], path: Path) -> None:
    """Draw the coefficients at 108 epochs over all cells, beside the published ones."""
    from matplotlib import rc_context

    from nb101.analysis.drawing import Drawing
    from nb101.analysis.figures import BLUE, INK, ORANGE, STYLE, render

    with rc_context({**STYLE, "figure.figsize": (6.4, 4.2)}):
        ax = Drawing().add_subplot()
        names = sorted(PUBLISHED, key=lambda name: PUBLISHED[name])
        at = np.arange(len(names))
        for name, color, shift in (("reduced", BLUE, 0.16), ("full", ORANGE, -0.16)):
            if name not in record["runs"]:
                continue
            found = {
                row["proxy"]: row
                for row in record["runs"][name]["correlations"]
                if (row["metric"], row["epochs"], row["part"])
                == ("validation_accuracy", BUDGETS[-1], ALL)
            }
            low, high = np.array([found[x]["spearman_95"] for x in names]).T
            label = f"{name} recipe, {record['runs'][name]['cells']:,} cells"
            ax.hlines(at + shift, low, high, color=color, linewidth=2.4)
            middle = [found[x]["spearman"] for x in names]
            ax.scatter(middle, at + shift, s=26, color=color, label=label, zorder=3)
        published = [PUBLISHED[name] for name in names]
        ax.scatter(
            published,
            at,
            marker="D",
            s=22,
            color="none",
            edgecolors=INK,
            label="published",
            zorder=4,
        )
        ax.axvline(0, color=INK, linewidth=0.8)
        ax.set_yticks(at, names)
        ax.set(xlim=(-1, 1), xlabel="Spearman's coefficient with validation accuracy, 108 epochs")
        ax.legend(loc="lower right", fontsize=8)
        with path.open("wb") as file:
            render(ax.figure, file, "svg")


def main() -> None:
    """Score, and write the record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("records", type=Path)
    parser.add_argument("images")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=3600.0, help="for each recipe")
    parser.add_argument("-o", "--output", type=Path, help="where to write the record")
    parser.add_argument("--picture", type=Path, help="where to draw it")
    given = parser.parse_args()
    if given.seconds > 0:
        score(given)
    record = make_record(given)
    if given.output is not None:
        given.output.write_text(json.dumps(record, indent=1) + "\n")
    if given.picture is not None:
        draw(record, given.picture)


if __name__ == "__main__":
    main()
