"""Put measured figures beside those asked, and keep a dated record.

Usage: ``python benches/report.py PYTEST_BENCHMARK_JSON [CRITERION_FOLDER]``
"""

import datetime
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import nb101
from nb101 import _core
from nb101.cli.bench import md5_blocks, needed_md5_blocks, random_raw_modules

RECORDS = Path(__file__).parent / "record"


def machine() -> dict[str, Any]:
    """Describe this machine, without its name."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=False)
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "threads": nb101.get_threads(),
        "instruction_set": _core.cpu()[0],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "rust": rustc.stdout.split()[1] if rustc.returncode == 0 else None,
    }


def figures(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Read pytest-benchmark's file: one row for each benchmark, best and median of its rounds."""
    rows = []
    for entry in results["benchmarks"]:
        info, stats = entry["extra_info"], entry["stats"]
        row = {
            "name": entry["name"].removeprefix("test_"),
            "items": info["items"],
            "unit": info["unit"],
            "rounds": stats["rounds"],
            "best_seconds": info.get("seconds", stats["min"]),
            "median_seconds": info.get("median", info.get("seconds", stats["median"])),
        }
        row["per_second"] = info.get("per_second", row["items"] / row["best_seconds"])
        kept = ("asked_", "peak_", "size_", "load", "added_", "alone_", "library_")
        row |= {k: v for k, v in info.items() if k.startswith(kept)}
        rows.append(row)
    return rows


def derived(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Ratios of figures of the same run."""
    by_name = {row["name"]: row for row in rows}
    whole, peak = by_name.get("enumerate_and_hash"), by_name.get("kernel_peak")
    ratios = {}
    for name in ("plain_python_enumerate_and_hash", "plain_python_hash"):
        if whole and name in by_name:
            ratios[f"times_{name}"] = whole["per_second"] / by_name[name]["per_second"]
    convert, plain = by_name.get("convert_108"), by_name.get("plain_python_read")
    if convert and plain:
        ratios["times_plain_python_read"] = convert["per_second"] / plain["per_second"]
    if whole and peak:
        most = peak["per_second"] * nb101.get_threads()
        blocks = needed_md5_blocks(nb101.SearchSpace().enumerate())
        ratios["fraction_of_kernel_peak"] = blocks / whole["best_seconds"] / most
    raw = by_name.get("hash_modules")
    if raw and peak:
        # Blocks of all that are connected, each hashed on its own: equal ones are hashed once.
        matrices, ops = random_raw_modules(100_000, np.random.default_rng(0))
        connected = nb101.hash_modules(matrices, ops, invalid="empty") != b""
        blocks = md5_blocks(nb101.Cells.from_modules(matrices[connected], ops[connected]))
        rate = blocks / len(ops) * raw["per_second"]
        ratios["fraction_of_kernel_peak_raw"] = rate / (peak["per_second"] * nb101.get_threads())
    for cell in ("inception", "resnet"):
        train, loop, batch = (by_name.get(f"{x}_{cell}") for x in ("train", "plain", "input"))
        if train and loop and batch:
            # Medians of steps that took turns.
            step = train["median_seconds"]
            ratios[f"times_plain_loop_{cell}"] = loop["median_seconds"] / step
            ratios[f"fraction_for_input_{cell}"] = batch["median_seconds"] / step
    for name, row in by_name.items():
        loop = by_name.get(f"plain_{name}")
        if name.startswith("proxies_") and loop:
            ratios[f"times_plain_{name}"] = row["per_second"] / loop["per_second"]
    return ratios


def criterion(folder: Path) -> dict[str, float]:
    """Medians of criterion's benchmarks, in seconds."""
    found = {}
    for path in sorted(folder.glob("**/new/estimates.json")):
        name = "/".join(path.relative_to(folder).parts[:-2])
        found[name] = json.loads(path.read_text())["median"]["point_estimate"] / 1e9
    return found


def show(rows: list[dict[str, Any]], ratios: dict[str, float], rust: dict[str, float]) -> None:
    """Print the tables."""
    console = Console(width=110)
    table = Table("benchmark", "asked", "best", "median", "a second", title="From Python")
    for row in rows:
        asked = _asked(row)
        rate = f"{row['per_second']:,.0f} {row['unit']}"
        if row["unit"] == "bytes":
            rate = f"{row['per_second'] / 1e6:,.0f} MB"
        if "peak_megabytes" in row:
            rate += f", {row['peak_megabytes']:.0f} MB"
        if "size_megabytes" in row:
            rate = f"{row['size_megabytes']:.3g} MB"
        best, median = (_duration(row[k]) for k in ("best_seconds", "median_seconds"))
        table.add_row(row["name"], asked, best, median, rate)
    console.print(table)
    goals = {
        "times_plain_python_enumerate_and_hash": ", asked >= 1000",
        "fraction_of_kernel_peak": ", asked >= 0.85",
        "fraction_of_kernel_peak_raw": ", asked >= 0.6",
        **{f"times_plain_loop_{cell}": ", asked >= 1.3" for cell in ("inception", "resnet")},
        **{f"fraction_for_input_{cell}": ", asked <= 0.05" for cell in ("inception", "resnet")},
        **{f"times_plain_proxies_{x}_all": ", asked >= 1.5" for x in ("reduced", "full")},
    }
    for name, value in ratios.items():
        console.print(f"{name}: {value:,.3g}{goals.get(name, '')}")
    if rust:
        table = Table("benchmark", "median", title="Rust core (criterion)")
        for name, seconds in rust.items():
            table.add_row(name, _duration(seconds))
        console.print(table)


def _asked(row: dict[str, Any]) -> str:
    asked = []
    if "asked_seconds" in row:
        asked.append(f"<= {row['asked_seconds']} s")
    if "asked_median" in row:
        asked.append(f"median <= {row['asked_median']} s")
    if "asked_per_second" in row:
        rate = row["asked_per_second"]
        asked.append(f">= {rate / 1e6:g} M a second" if rate >= 1e3 else f">= {rate} a second")
    if "asked_megabytes" in row:
        asked.append(f"< {row['asked_megabytes']} MB")
    return ", ".join(asked)


def _duration(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def main() -> None:
    """Print the report, and write it to the folder of records."""
    results = json.loads(Path(sys.argv[1]).read_text())
    rows = figures(results)
    ratios = derived(rows)
    rust = criterion(Path(sys.argv[2])) if len(sys.argv) > 2 else {}
    show(rows, ratios, rust)
    date = datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d")
    record = {
        "date": date,
        "version": nb101.__version__,
        "machine": machine(),
        "ratios": ratios,
        "python": rows,
        "rust_median_seconds": rust,
    }
    RECORDS.mkdir(exist_ok=True)
    path = RECORDS / f"{date}.json"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(record, indent=1) + "\n")
    temporary.replace(path)
    print(f"recorded in benches/record/{path.name}")


if __name__ == "__main__":
    main()
