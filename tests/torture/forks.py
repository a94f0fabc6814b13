"""Forks at random moments while other threads are in calls that no one has made before.

Each fresh interpreter starts threads whose first calls make the tables that the engine makes once
(hashes, structures, hashes of all cells, readers of official files, the table of the package), or
import what they need, and forks while they do. The child then makes such a call itself: it must
end, with the right answer.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from torture.common import Count, environment

# What each job takes when it is cold, in seconds: forks happen within.
JOBS = {
    "hash": 0.002,
    "modules": 0.003,
    "index": 0.05,
    "find_hash": 0.4,
    "convert": 0.4,
    "table": 0.1,
    "rows": 0.4,
}
LIMIT = 20.0

PROGRAM = """
import json, os, signal, sys, threading, time
import numpy as np
import nb101

trial = json.loads(sys.argv[1])
MATRIX = [[0,1,1,1,0,1,0], [0,0,0,0,0,0,1], [0,0,0,0,0,0,1], [0,0,0,0,1,0,0], [0,0,0,0,0,0,1],
          [0,0,0,0,0,0,1], [0]*7]
OPS = ["input", "conv1x1-bn-relu", "conv3x3-bn-relu", "conv3x3-bn-relu", "conv3x3-bn-relu",
       "maxpool3x3", "output"]
HASH = "28cfc7874f6d200472e1a9dcd8650aa0"

def modules():
    matrices = np.array([MATRIX] * 3000, dtype=np.int8)
    return set(nb101.hash_modules(matrices, [OPS] * 3000).tolist()) == {HASH.encode()}

JOBS = {
    "hash": lambda: nb101.Cell(MATRIX, OPS).hash == HASH,
    "modules": modules,
    "index": lambda: nb101.SearchSpace().index(nb101.Cell(MATRIX, OPS)) == 359715,
    "find_hash": lambda: nb101.SearchSpace().find_hash(HASH) == 359715,
    "convert": lambda: len(nb101.table.official.read_official(trial["file"])[0]) == 9,
    "table": lambda: nb101.load_table().mean("test_accuracy", 108).shape == (423624,),
    "rows": lambda: nb101.load_table().select(cells=[5]).to_arrow().num_rows == 4,
}
right, begun = [], threading.Barrier(len(trial["threads"]) + 1)

def work(job):
    begun.wait()
    right.append(JOBS[job]())

threads = [threading.Thread(target=work, args=(job,), daemon=True) for job in trial["threads"]]
for thread in threads:
    thread.start()
begun.wait()
start = time.monotonic()
children = []
for moment, jobs in trial["forks"]:
    while time.monotonic() < start + moment:
        time.sleep(1e-5)
    pid = os.fork()
    if pid == 0:
        code = 5
        try:
            code = 0 if all([JOBS[job]() for job in jobs]) else 3
        except BaseException as error:
            print("child:", repr(error), file=sys.stderr, flush=True)
        finally:
            os._exit(code)
    children.append(pid)
deadline = time.monotonic() + trial["limit"]
codes = []
for pid in children:
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            codes.append(os.waitstatus_to_exitcode(status))
            break
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            codes.append(None)
            break
        time.sleep(0.002)
for thread in threads:
    thread.join(max(0.1, deadline - time.monotonic()))
alive = any(thread.is_alive() for thread in threads)
print(json.dumps({"codes": codes, "alive": alive, "right": right}), flush=True)
os._exit(0)
"""


def draw(rng: random.Random) -> dict[str, Any]:
    """Draw what threads do, when to fork, and what the children do."""
    threads = [rng.choice(list(JOBS)) for _ in range(rng.choice((1, 1, 2, 3)))]
    longest = max(JOBS[job] for job in threads)
    moments = sorted(rng.random() * longest for _ in range(rng.choice((1, 2, 3))))
    # What a child does is mostly what a thread was about to have done.
    forks = [
        (moment, [rng.choice(threads if rng.random() < 0.7 else list(JOBS)) for _ in range(2)])
        for moment in moments
    ]
    return {"threads": threads, "forks": forks, "limit": LIMIT}


def make_file(path: Path) -> None:
    """Write nine official records; in a process of its own, so that forks find nothing made."""
    code = "import sys, official; from pathlib import Path\n"
    code += "official.write(Path(sys.argv[1]), [5, 359715, 400000])"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, env=environment())


def run(seed: int, n: int) -> dict[str, Any]:
    """Fork `n` times or a little more."""
    count = Count()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "few.tfrecord"
        make_file(file)
        trial = 0
        while count.tried < n:
            drawn = draw(random.Random(f"forks {seed} {trial}"))
            what = f"trial {trial}, threads in {drawn['threads']}"
            fork(drawn | {"file": os.fspath(file)}, what, count)
            trial += 1
    return count.as_dict()


def fork(drawn: dict[str, Any], what: str, count: Count) -> None:
    """Run one interpreter and count what came of its children and threads."""
    try:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, json.dumps(drawn)],
            capture_output=True,
            text=True,
            timeout=2 * LIMIT + 60,
            env=environment(),
        )
    except subprocess.TimeoutExpired:
        count.add("hang", f"{what}: the parent did not end")
        return
    said = (ended.stderr.strip().splitlines() or [""])[-1]
    if ended.returncode:
        count.add("crash", f"{what}: the parent ended with {ended.returncode}: {said}")
        return
    found = json.loads(ended.stdout)
    for (moment, jobs), code in zip(drawn["forks"], found["codes"], strict=True):
        outcome = {0: "unchanged", 3: "wrong", None: "hang"}.get(code, "crash")
        count.add(outcome, f"{what}, fork after {1000 * moment:.2f} ms to {jobs}: {code} {said}")
    if found["alive"]:
        count.add("hang", f"{what}: a thread of the parent did not end")
    elif found["right"] != [True] * len(drawn["threads"]):
        count.add("crash", f"{what}: threads of the parent found {found['right']}: {said}")
