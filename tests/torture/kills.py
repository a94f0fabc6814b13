"""SIGKILL at random moments of what is promised to survive it.

``run(seed, kills)`` does five jobs again and again in processes of their own, and kills them: a
campaign with a quick worker, a comparison, one of searches by eight workers in simulated time, a
conversion, and a file that is written anew for ever.
Killed jobs are gone on with, and what they come to is compared with that of one that was not
killed, bit for bit. Nothing may be lost or done twice, and nothing half-written may be left.

``python kills.py JOB FOLDER`` does a job, and goes on with it.
"""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

SECONDS = 120.0
"""After which a job that is still going on counts as a hang."""
LONGEST = 0.6
"""Seconds after its beginning in which a job is killed."""
OUTCOMES = ("refused", "repaired", "unchanged", "wrong", "crash", "hang")
MOST_FAILURES = 50
RUNS = 24
BLOCK = 1 << 18
BEGUN = "begun"
"""What a job prints when all is imported."""


# Jobs


def _campaign(folder: Path) -> None:
    from campaigns import Scripted, done, small_plan
    from nb101 import campaign

    def slowly(task: Any) -> Any:
        time.sleep(0.01)
        return done(task)

    plan = small_plan(cells=[0, 1, 2, 5], epochs=(1, 2), repeats=RUNS // 8)
    print(BEGUN, flush=True)
    campaign.run(plan, folder, Scripted(slowly), at_once=1)


def _comparison(folder: Path, **asked: Any) -> None:
    from nb101 import search
    from torture.damage_records import _Here, make_table

    names = ("random-search", "local-search", "regularized-evolution")
    table = make_table()
    print(BEGUN, flush=True)
    runs = RUNS // 3
    search.compare(table, folder, names=names, runs=runs, queries=60, executor=_Here(), **asked)


def _parallel_comparison(folder: Path) -> None:
    _comparison(folder, workers=8)


def _conversion(folder: Path) -> None:
    import nb101
    import official

    source = folder / "nasbench_only108.tfrecord"
    if not source.exists():
        official.write(source, list(range(60)))
    print(BEGUN, flush=True)
    for ending in ("arrow", "parquet"):
        nb101.convert(source, folder / f"table.{ending}")
    # So that it can be killed between.
    time.sleep(0.05)


def _file(folder: Path) -> None:
    from nb101._base.files import atomic

    print(BEGUN, flush=True)
    for number in itertools.count():
        with atomic(folder / "file") as file:
            for _ in range(4):
                file.write(bytes([number % 256]) * BLOCK)
                file.flush()


def _campaign_says(folder: Path) -> Any:
    from nb101 import campaign
    from nb101.campaign.folder import RESULTS

    lines = (folder / RESULTS).read_bytes().splitlines()[1:]
    ids = sorted(json.loads(line)["id"] for line in lines)
    table = campaign.table(folder)
    return ids, table.to_arrow().to_pylist(), dict(table.provenance)


def _comparison_says(folder: Path) -> Any:
    names = sorted(path for path in folder.rglob("*") if path.is_file())
    # The table is kept by its own writer, with the time at which that was.
    kept = [path for path in names if path.suffix in (".parquet", ".json")]
    return [str(x.relative_to(folder)) for x in names], [path.read_bytes() for path in kept[1:]]


def _conversion_says(folder: Path) -> Any:
    import nb101

    kept = {}
    for name in ("table.arrow", "table.parquet"):
        table = nb101.Table.open(folder / name, verify=True)
        kept[name] = repr(table.to_arrow().to_pylist())
    return kept


JOBS: dict[str, tuple[Callable[[Path], None], Callable[[Path], Any] | None]] = {
    "campaign": (_campaign, _campaign_says),
    "comparison": (_comparison, _comparison_says),
    "parallel comparison": (_parallel_comparison, _comparison_says),
    "conversion": (_conversion, _conversion_says),
    "file": (_file, None),
}


# Kills


def _do(job: str, folder: Path, seconds: float | None) -> str:
    """Begin a job or go on with it, and kill it so long after it began; say what came of it."""
    process = subprocess.Popen(
        [sys.executable, __file__, job, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        process.stdout.readline()
        with suppress(subprocess.TimeoutExpired):
            _, error = process.communicate(timeout=SECONDS if seconds is None else seconds)
            said = error.strip().splitlines()[-1:] or [""]
            return "finished" if process.returncode == 0 else f"failed: {said[0]}"
        return "hang" if seconds is None else "killed"
    finally:
        # All that it has started is of its group's making, and ends with it.
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()


def _left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.tmp*"))


def _series(job: str, place: Path, truth: Any, rng: random.Random, kills: int) -> tuple[int, str]:
    """Kill a job until it is done, so often at most; return how often, and what was wrong."""
    _, says = JOBS[job]
    place.mkdir()
    done = 0
    while done < kills:
        end = _do(job, place, rng.uniform(0, LONGEST))
        if end == "killed":
            done += 1
        elif end != "finished":
            return done, end
        if says is None:
            wrong = _check_file(place)
            if wrong:
                return done, wrong
        elif end == "finished":
            break
    if says is None:
        from nb101._base.files import check_writable

        check_writable(place / "file")
    else:
        end = _do(job, place, None)
        if end != "finished":
            return done, end
        try:
            found = says(place)
        except Exception as error:
            return done, f"wrong: {error}"
        if found != truth:
            return done, f"wrong: {repr(found)[:200]}"
    left = _left(place)
    return done, f"wrong: {', '.join(left)} left" if left else ""


def _check_file(place: Path) -> str:
    """See that a file is whole, of one moment."""
    path = place / "file"
    if not path.exists():
        return ""
    data = path.read_bytes()
    whole = len(data) == 4 * BLOCK and data == data[:1] * len(data)
    return "" if whole else "wrong: the file is half-written"


def run(seed: int, kills: int) -> dict[str, Any]:
    """Kill jobs so often; return how many kills came to what.

    Returns
    -------
    ``tried``, a number for each of `OUTCOMES` (a kill after which all is as without is
    ``repaired``), and ``failures``.
    """
    counts: dict[str, Any] = {"tried": 0, **dict.fromkeys(OUTCOMES, 0), "failures": []}
    rng = random.Random(seed)
    names = list(JOBS)
    with tempfile.TemporaryDirectory() as folder:
        truths = {}
        for job, (_, says) in JOBS.items():
            if says is not None and kills > names.index(job):
                (Path(folder) / job).mkdir()
                end = _do(job, Path(folder) / job, None)
                truths[job] = says(Path(folder) / job) if end == "finished" else end
        for number in itertools.count():
            if counts["tried"] >= kills:
                return counts
            job = names[number % len(names)]
            most = min(rng.randint(1, 5), kills - counts["tried"])
            place = Path(folder) / f"{job}-{number}"
            done, wrong = _series(job, place, truths.get(job), rng, most)
            done = max(done, 1)
            counts["tried"] += done
            if not wrong:
                counts["repaired"] += done
                continue
            kind = wrong.partition(":")[0]
            outcome = kind if kind in ("wrong", "hang") else "crash"
            counts["repaired"] += done - 1
            counts[outcome] += 1
            counts["failures"].append(f"{outcome}: {job}, seed {seed}, {kills} kills: {wrong}")
    raise AssertionError


if __name__ == "__main__":
    JOBS[sys.argv[1]][0](Path(sys.argv[2]))
    os._exit(0)
