"""Forks while another thread is in its first call: the child must not wait for what never comes.

Each process begins its first calls on several threads, on spaces that nobody has used yet, and
forks at random moments; the child then makes the same calls on the same objects.

    python tests/torture/forks.py [SEED] [FORKS]
"""

import json
import os
import subprocess
import sys
from typing import Any

# Forks of one process: the first ones meet what is made once for a process, all of them what is
# made once for a space.
FORKS = 8
# Seconds that a child may take for what takes some milliseconds.
PATIENCE = 60

SCRIPT = """
import json, os, random, signal, sys, tempfile, threading, time, warnings
import numpy as np
import nb101
from nb101 import _core
warnings.simplefilter("ignore")
seed, forks, patience = map(int, sys.argv[1:])
rng = random.Random(seed)
nb101.set_threads(rng.choice([1, 2, 3]))
matrix = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
ops = ["input", *nb101.OPS[:2], "output"]
folder = tempfile.mkdtemp()
path = folder + "/one.tfrecord"

def calls(space, stream):
    cell = nb101.Cell(matrix, ops)
    def convert():
        # Refused, but only after the release's own space has been made.
        try:
            return _core.read_release(path, True, True)[3]
        except nb101.NB101Error as error:
            return str(error)
    def batch():
        try:
            return len(stream.next(100)[0]) > 0
        except RuntimeError as error:
            assert "forked" in str(error)
            return True
    return [
        lambda: space.index(cell),
        lambda: space[len(space) // 3].hash,
        lambda: space.find_hash(cell.hash),
        lambda: nb101.hash_modules([matrix] * 3, [[-1, 0, 1, -2]] * 3).tolist(),
        lambda: space[::37].hashes().tobytes(),
        lambda: space.index(space[::41]).tobytes(),
        lambda: refused(space),
        convert,
        batch,
    ]

def refused(space):
    # An error, whose class is looked up.
    try:
        space._core.cell(1 << 40)
    except nb101.CellIdError as error:
        return str(error)

open(path, "wb").write(b"not a record")
outcomes = []
for number in range(forks):
    # With more ops there are more kinds of tables to make.
    more = [*nb101.OPS, *(f"op{i}" for i in range(rng.choice([0, 0, 0, 2, 5])))]
    space = nb101.SearchSpace(rng.choice([5, 6, 7]), 8 if len(more) == 3 else 7, more)
    work = calls(space, space._core.stream())
    threads = []
    for call in rng.sample(work, rng.choice([1, 2, 4])):
        threads.append(threading.Thread(target=call, daemon=True))
    for thread in threads:
        thread.start()
    time.sleep(rng.choice([0, 1e-5, 1e-4, 1e-3, 1e-2]) * rng.random())
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            found = [call() for call in work[:-1]]
            work[-1]()
            fresh = calls(nb101.SearchSpace(space.max_vertices, space.max_edges, space.ops), None)
            code = 0 if found == [call() for call in fresh[:-1]] else 3
        except BaseException:
            import traceback
            traceback.print_exc()
            sys.stderr.flush()
            code = 4
        finally:
            os._exit(code)
    end, status = time.monotonic() + patience, None
    while status is None:
        done, found = os.waitpid(pid, os.WNOHANG)
        if done:
            status = os.waitstatus_to_exitcode(found)
        elif time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            status = "hang"
        else:
            time.sleep(0.001)
    outcomes.append(status)
    for thread in threads:
        thread.join()
print(json.dumps(outcomes))
"""


def run(seed: int = 0, forks: int = 200) -> dict[str, Any]:
    """Fork so many times, and count how the children fared.

    Returns
    -------
    Counts by outcome, and ``failures``: each with the seed of its process, to replay.
    """
    counts = dict.fromkeys(("finished", "wrong", "crash", "hang"), 0)
    failures = []
    for number, start in enumerate(range(0, forks, FORKS)):
        own = seed * 1_000_003 + number
        n = min(FORKS, forks - start)
        result = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(own), str(n), str(PATIENCE)],
            capture_output=True,
            text=True,
            timeout=PATIENCE * (n + 2),
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            check=False,
        )
        try:
            outcomes = json.loads(result.stdout)
        except ValueError:
            outcomes = [result.returncode or "no answer"]
        for status in outcomes:
            if status == 0:
                found = "finished"
            elif status == "hang":
                found = "hang"
            else:
                found = "crash" if isinstance(status, int) and status < 0 else "wrong"
            counts[found] += 1
            if found != "finished":
                message = result.stderr.strip().splitlines()[-1:]
                failures.append(
                    {"seed": own, "forks": n, "outcome": found, "message": "".join(message)}
                )
    return {**counts, "failures": failures}


if __name__ == "__main__":
    report = run(*map(int, sys.argv[1:]))
    print(json.dumps(report, indent=1))
    sys.exit(bool(report["failures"]))
