"""Damage, hostile calls, kills, forks and shortages of memory, counted and summed up in a table.

``python -m torture --minutes 30 --record`` is `make torture`. Everything is drawn by a seed; what
went wrong is listed with the arguments that show it again. Exit code 1 where anything did.
"""

import argparse
import contextlib
import datetime
import importlib
import importlib.util
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torture.common import TESTS, Count, environment, read_counts, show_counts

RECORDS = TESTS.parent / "benches" / "record"
# Each with its part of the time, and the trials of its first batch.
KINDS = {
    "damage_tables": (4.5, 200),
    "damage_records": (4.0, 200),
    "damage_images": (1.5, 200),
    "fuzz_python": (1.5, 500),
    "hostile": (1.5, 2000),
    "kills": (1.5, 5),
    "forks": (1.5, 20),
    "memory": (2.0, 20),
}
# Those that go on where the batch before has ended, until they have had each byte.
SWEEPS = ("damage_tables", "damage_records")
# A batch takes about so long, and is given so long.
BATCH_SECONDS = 30.0
LIMIT_SECONDS = 900.0


def exists(kind: str) -> bool:
    """Whether the module of a kind is there."""
    return importlib.util.find_spec(f"torture.{kind}") is not None


@dataclass
class Share:
    """Time that a kind still has, and what came of what it had."""

    kind: str
    left: float
    seed: int
    start: int = 0
    """Trials that were made, of a kind that goes through all bytes of files."""
    rate: float | None = None
    spent: float = 0.0
    taken: bool = False
    counts: dict[str, Count] = field(default_factory=dict)

    @property
    def bad(self) -> int:
        """Trials that must not be."""
        return sum(count.bad for count in self.counts.values())

    def add(self, counts: dict[str, Count]) -> None:
        """Add what a batch came to."""
        for what, count in counts.items():
            self.counts.setdefault(what, Count())
            self.counts[what] += count

    def next_size(self) -> int:
        """Trials of the next batch."""
        if self.rate is None:
            return KINDS[self.kind][1]
        return max(1, int(min(BATCH_SECONDS, self.left) * self.rate))


def run(kind: str, seed: int, n: int, start: int) -> dict[str, Any]:
    """Make trials of a kind, in this process."""
    module = importlib.import_module(f"torture.{kind}")
    found: dict[str, Any] = module.run(seed, n, start) if kind in SWEEPS else module.run(seed, n)
    return found


def make_batch(kind: str, seed: int, n: int, start: int = 0) -> dict[str, Count]:
    """Run one batch in a process of its own, whose end is noticed however it comes."""
    replay = f"--only {kind} --seed {seed} --trials {n}" + (f" --start {start}" if start else "")
    given = [str(x) for x in (seed, n, start)]
    # In memory, where that can be had: ledgers wait for disks.
    quick = "/dev/shm" if kind in SWEEPS and os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(
        prefix="torture-", ignore_cleanup_errors=True, dir=quick
    ) as place:
        result = Path(place) / "counted.json"
        log = Path(place) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "torture", "--batch", kind, *given, str(result)],
                env=environment(Path(place)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            try:
                code = process.wait(LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                # Whatever it has started ends with it.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if code == 0:
            counts = read_counts(kind, json.loads(result.read_text()))
            for count in counts.values():
                count.failures = [f"{what}   [{replay}]" for what in count.failures]
            return counts
        count = Count()
        said = log.read_text(errors="replace").strip().splitlines()
        end = f"the batch ended with code {code}: {said[-1] if said else ''}"
        count.add("hang" if code is None else "crash", f"{end}   [{replay}]")
        return {kind: count}


def work(shares: list[Share], lock: threading.Lock, stop: threading.Event) -> None:
    """Run batches of the kind that has most time left, until none has any."""
    while not stop.is_set():
        with lock:
            free = [share for share in shares if not share.taken and share.left > 0]
            if not free:
                return
            share = max(free, key=lambda share: share.left)
            share.taken = True
            seed, n, start = share.seed, share.next_size(), share.start
            if share.kind in SWEEPS:
                share.start += n
            else:
                share.seed += 1
        begun = time.monotonic()
        counts = make_batch(share.kind, seed, n, start)
        took = time.monotonic() - begun
        with lock:
            share.add(counts)
            # As `n` counts: of each of several things there may be so many.
            share.rate = n / took
            share.left -= took
            share.spent += took
            share.taken = False
            print(f"{share.kind}, seed {seed}: {n} trials in {took:.1f} s", end="", flush=True)
            bad = sum(count.bad for count in counts.values())
            print(f", {bad} BAD" if bad else "", flush=True)


def torture(kinds: list[str], minutes: float, seed: int, slots: int) -> list[Share]:
    """Run kinds for so many minutes, so many at a time."""
    whole = sum(KINDS[kind][0] for kind in kinds)
    slots = min(slots, len(kinds))
    shares = [Share(k, KINDS[k][0] / whole * slots * minutes * 60, seed) for k in kinds]
    lock, stop = threading.Lock(), threading.Event()
    workers = [threading.Thread(target=work, args=(shares, lock, stop)) for _ in range(slots)]
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            worker.join()
    except KeyboardInterrupt:
        # Sum up what there is.
        stop.set()
        for worker in workers:
            worker.join()
    return shares


def sweeps(shares: list[Share]) -> dict[str, dict[str, int]]:
    """Return how many trials were made of those that each byte of all files takes."""
    return {
        share.kind: {
            "trials": share.start,
            "each_byte_takes": importlib.import_module(f"torture.{share.kind}").needed(),
        }
        for share in shares
        if share.kind in SWEEPS
    }


def about() -> dict[str, Any]:
    """Return what begins a record: when, what and on what."""
    import nb101

    return {
        "date": datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d"),
        "version": nb101.__version__,
        "machine": runpy.run_path(str(RECORDS.parent / "report.py"))["machine"](),
    }


def record(shares: list[Share], seed: int, minutes: float, missing: list[str]) -> Path:
    """Keep the table, dated."""
    kept = about() | {
        "seed": seed,
        "minutes": minutes,
        "not_tried": missing,
        "sweeps": sweeps(shares),
        "seconds": {share.kind: round(share.spent) for share in shares},
        "counts": {w: count.as_dict() for share in shares for w, count in share.counts.items()},
    }
    path = RECORDS / f"{kept['date']}-torture.json"
    path.write_text(json.dumps(kept, indent=1) + "\n")
    return path


def main() -> int:
    """Read the arguments and do what they say."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--only", action="append", choices=list(KINDS), help="this kind alone")
    parser.add_argument("--seed", type=int, default=101)
    parser.add_argument("--trials", type=int, help="one batch of so many, in this process")
    parser.add_argument("--start", type=int, default=0, help="trials that are left out before")
    parser.add_argument("--slots", type=int, default=2, help="kinds at a time")
    parser.add_argument("--record", action="store_true", help="keep the table in benches/record")
    parser.add_argument("--list", action="store_true", help="say what kinds there are")
    parser.add_argument("--batch", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.batch:
        kind, *numbers, result = given.batch
        found = run(kind, *map(int, numbers))
        Path(result).write_text(json.dumps(found))
        return 0
    kinds = [kind for kind in given.only or KINDS if exists(kind)]
    missing = [kind for kind in given.only or KINDS if not exists(kind)]
    if given.list:
        for kind in kinds:
            about = importlib.import_module(f"torture.{kind}").__doc__ or ""
            print(f"{kind:16}{about.splitlines()[0]}")
    if missing:
        print(f"missing: {', '.join(missing)}", file=sys.stderr)
    if given.list:
        return 0
    if given.trials is not None:
        # As in a batch, but seen: what it prints, and how it dies.
        shares = [Share(kind, 0.0, given.seed) for kind in kinds]
        for share in shares:
            share.add(
                read_counts(share.kind, run(share.kind, given.seed, given.trials, given.start))
            )
    else:
        shares = torture(kinds, given.minutes, given.seed, given.slots)
        for kind, swept in sweeps(shares).items():
            print(
                f"{kind}: {swept['trials']:,} trials; each byte takes {swept['each_byte_takes']:,}"
            )
    show_counts({w: c for share in shares for w, c in share.counts.items()}, "Torture")
    if given.record:
        print(f"kept in {record(shares, given.seed, given.minutes, missing)}")
    return int(bool(sum(share.bad for share in shares)))


if __name__ == "__main__":
    sys.exit(main())
