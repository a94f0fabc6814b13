"""Jobs under limits of memory, from what their imports took to plenty (``ulimit -v``).

A job may be done, or say that memory is short: by a `MemoryError` in Python, by one line and exit
code 2 on the command line. It may not give another result, die by a signal, print a traceback or
hang.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

from torture.common import Count

# Far more than any job takes; only what hangs reaches it.
PATIENCE = 300
REFUSED = 10

# Python jobs set `result`, which is the same each time.
JOBS = {
    "enumerate": "result = seen(nb101.SearchSpace(8, 9).enumerate().edge_masks)",
    "hash": "result = seen(nb101.SearchSpace().enumerate()[::-3].hashes())",
    "modules": """
        cells = nb101.SearchSpace().enumerate()[::4]
        result = seen(nb101.hash_modules(cells.adjacency(), cells.operations()))
    """,
    "catalogue": """
        space = nb101.SearchSpace(9, 10)
        result = seen(space.index(space.sample(20_000, 0)))
    """,
    "find": "result = str(nb101.SearchSpace().find_hash('28cfc7874f6d200472e1a9dcd8650aa0'))",
    "stream": """
        total = 0
        for batch in nb101.SearchSpace(8, 9).iter_batches(200_000):
            total += int(batch.parameters().sum())
        result = str(total)
    """,
    "landscape": """
        space = nb101.SearchSpace()
        ids = np.arange(len(space), dtype=np.uint64)
        offsets, targets = _core.edit_graph(space._core, ids)
        starts = np.arange(0, 400_000, 1000, dtype=np.uint32)
        walks = _core.walk_graph(offsets, targets, starts, 1000, 1)
        result = seen(walks, *_core.ascend(offsets, targets, np.sin(np.arange(len(space)))))
    """,
    "encodings": """
        cells = nb101.SearchSpace().enumerate()[::4]
        space = nb101.SearchSpace()
        result = seen(
            encodings.path_encoding(cells, space), encodings.adjacency_one_hot(cells, space)
        )
    """,
    "columns": """
        cells = nb101.SearchSpace().enumerate()
        result = seen(cells.depth(), cells.flops(), cells.width()) + str(cells.to_arrow().nbytes)
    """,
    "save": """
        nb101.load_table().save("table.arrow")
        result = seen(nb101.Table.open("table.arrow").mean("validation_accuracy", 108))
    """,
    "convert": """
        result = seen(nb101.convert("few.tfrecord", "few.arrow").column("total_time"))
    """,
    "analysis": """
        result = repr(analysis.op_replacement(nb101.load_table(), epochs=108))
    """,
}
# Commands: their arguments. What they print and write is looked at by their exit code alone, but
# for what is printed as JSON.
COMMANDS = {
    "nb101 enumerate": ["enumerate", "-v", "6", "-o", "cells.parquet"],
    "nb101 hash": ["hash", "[[[0,1,1],[0,0,1],[0,0,0]],[-1,0,-2]]"],
    "nb101 convert": ["convert", "few.tfrecord", "few2.parquet", "--keep-going"],
    "nb101 export": ["export", "few0.arrow", "few.csv"],
    "nb101 report": ["report", "few0.arrow", "-o", "report"],
    "nb101 apply": ["predict", "apply", "model.npz", "-o", "predicted.arrow"],
    "nb101 search": ["search", "regularized-evolution", "--queries", "200", "--json"],
    "nb101 info": ["info", "--json"],
    "nb101 top": ["top", "-n", "3", "--json"],
}

# Imports what most jobs need, then forks for each of them: each has the same memory to begin with.
SERVER = """
import faulthandler, hashlib, json, os, resource, signal, sys, time, traceback, warnings
import numpy as np
import nb101, nb101.cli, nb101.table.table, nb101.table.files
from nb101.cli import commands
from nb101 import _core, analysis, encodings, predict
import pyarrow, pyarrow.parquet, pyarrow.csv, pyarrow.compute
from pathlib import Path
warnings.simplefilter("ignore")
for entry in (*commands.COMMANDS, *commands.PREDICT, *commands.SEARCH):
    entry.load()

def seen(*arrays):
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()

def size(name):
    return int(Path("/proc/self/status").read_text().partition(name)[2].split()[0]) << 10

def child(task):
    os.setsid()
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), number)
    base, more = size("VmSize:"), task["more"]
    if more is not None:
        resource.setrlimit(resource.RLIMIT_AS, (base + more,) * 2)
    names = dict(globals())
    if isinstance(task["job"], list):
        code = nb101.cli.main(task["job"])
    else:
        try:
            exec(task["job"], names)
            code = 0
        except MemoryError:
            code = REFUSED
    if code == 0:
        print(names.get("result", ""), end="", flush=True)
    sys.stdout.flush()
    sys.stderr.flush()
    if more is None:
        Path("peak").write_text(str(size("VmPeak:") - base))
    os._exit(code)

for line in os.fdopen(os.dup(0)):
    task = json.loads(line)
    os.chdir(task["folder"])
    pid = os.fork()
    if pid == 0:
        try:
            child(task)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(99)
    end, status = time.monotonic() + task["patience"], None
    while status is None:
        done, found = os.waitpid(pid, os.WNOHANG)
        if done:
            status = os.waitstatus_to_exitcode(found)
        elif time.monotonic() > end:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            status = "hang"
        else:
            time.sleep(0.005)
    print(json.dumps(status), flush=True)
""".replace("REFUSED", str(REFUSED))


class Server:
    """Runs jobs, each in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # The threads of BLAS reserve memory of their own, each as much as it likes.
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "COLUMNS": "200"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def run(self, job: str | list[str], more: int | None) -> tuple[Any, str, str]:
        """Return how a job ended, and what it printed."""
        code = textwrap.dedent(job) if isinstance(job, str) else job
        task = {"job": code, "more": more, "folder": str(self.folder), "patience": PATIENCE}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(task), file=self._process.stdin, flush=True)
        status = json.loads(self._process.stdout.readline())
        out, err = (
            (self.folder / name).read_text(errors="replace") for name in ("stdout", "stderr")
        )
        return status, out, err

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)


def verdict(job: str | list[str], status: Any, out: str, err: str, known: str) -> str:
    """Say what an outcome is: finished, refused, wrong, crash, traceback or hang."""
    if status == "hang":
        return "hang"
    if isinstance(status, int) and status < 0:
        return "crash"
    if "Traceback" in err or "panicked" in err:
        return "traceback"
    if status == 0:
        printed = isinstance(job, str) or "--json" in job
        return "finished" if out == known or not printed else "wrong"
    if isinstance(job, str):
        return "refused" if status == REFUSED else "wrong"
    lines = [line for line in err.splitlines() if line.startswith("nb101: ")]
    short = ("not enough memory", "can't start new thread")
    said = len(lines) == 1 and any(text in lines[0] for text in short)
    return "refused" if status == 2 and said else "wrong"


PREPARE = """
import sys
sys.path.insert(0, TESTS)
from tables import as_columns, draw_rows
rng = np.random.default_rng(0)
rows = draw_rows(rng, [0, 1, 5, 50, 500, 5000, *range(60_000, 60_300)])
table = nb101.Table.from_columns(
    as_columns(rows), provenance={"kind": "measured", "source": "a test", "recipe": "none"}
)
table.save("few0.arrow")
table.save("few.tfrecord", progress=lambda *_: None)
ids = np.arange(0, 423_624, 5000)
columns = {
    "cell_id": ids,
    "epochs": np.full(len(ids), 108),
    "final_validation_accuracy": 0.9 + 0.01 * (nb101.SearchSpace()[ids].operations() == 0).sum(1),
}
nb101.Table.from_columns(columns).save("some.arrow")
fit = ["predict", "fit", "some.arrow", "-o", "model.npz", "--jobs", "1", "--networks", "1"]
assert nb101.cli.main([*fit, "--folds", "2", "--cells", "80"]) == 0
result = ""
""".replace("TESTS", repr(str(Path(__file__).parents[1])))


def run(seed: int, n: int, jobs: list[str] | None = None) -> dict[str, Any]:
    """Run jobs under about `n` limits in all, spread evenly over them; see `torture.common`."""
    everything: dict[str, str | list[str]] = {**JOBS, **COMMANDS}
    titles = jobs or list(everything)
    random.Random(seed).shuffle(titles)
    steps = max(1, n // len(titles))
    count = Count()
    with tempfile.TemporaryDirectory() as name:
        server = Server(Path(name))
        status, _, err = server.run(PREPARE, None)
        assert status == 0, err
        # With few limits, not every job is run.
        for title in titles[: max(1, n)]:
            job = everything[title]
            status, known, err = server.run(job, None)
            assert status == 0, f"{title}: {err}"
            peak = int((Path(name) / "peak").read_text())
            rng = random.Random(f"{seed} {title}")
            for step in range(steps):
                # Evenly from nothing to more than is ever taken, and the room that is kept.
                share = (step + rng.random()) / steps
                more = int(share * (1.1 * peak + (64 << 20)))
                status, out, err = server.run(job, more)
                said = err.strip().splitlines()[-1:] or [f"exit code {status}"]
                count.add(
                    OUTCOMES[verdict(job, status, out, err, known)],
                    f"torture.memory.run({seed}, {n}, [{title!r}]) at {more} bytes: {said[0]}",
                )
        server.close()
    return count.as_dict()


OUTCOMES = {
    "finished": "unchanged",
    "refused": "refused",
    "wrong": "wrong",
    "crash": "crash",
    "traceback": "crash",
    "hang": "hang",
}
