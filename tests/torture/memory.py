"""Shortage of memory: jobs under ``ulimit -v``, from barely enough to import up to plenty.

A job must succeed, raise MemoryError, or end with one clear line and an exit code: not by a
signal, with a traceback, with a file half written, or with a message that blames a file.
"""

import contextlib
import json
import math
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from torture.common import Count, environment

# Called with {few} (official records), {table}, {model} and {out} (a folder) in place. Lists are
# command lines of nb101, strings are Python.
JOBS: dict[str, list[str] | str] = {
    "import": "import nb101; assert len(nb101.SearchSpace()) == 423624",
    "enumerate": ["enumerate", "--no-hashes", "-o", "{out}/space.arrow"],
    "enumerate with hashes": ["enumerate", "-o", "{out}/space.parquet"],
    "hash": "import nb101; assert len(nb101.SearchSpace().enumerate().hashes()) == 423624",
    "hash one": ["hash", "011001000", "input,conv3x3-bn-relu,output"],
    "convert": ["convert", "{few}", "{out}/few.arrow"],
    "report": ["report", "{table}", "-o", "{out}"],
    "index": """
import nb101
space = nb101.SearchSpace()
assert space.index(space[359715]) == 359715
assert space.find_hash('28cfc7874f6d200472e1a9dcd8650aa0') == 359715
""",
    "landscape": """
import nb101.analysis
from nb101.analysis import locality
found = locality.random_walks(nb101.load_table(), walks=100, seed=0)
assert found.shape[0] == 100
""",
    "export": ["export", "{table}", "{out}/few.csv"],
    "export official": ["export", "{table}", "{out}/few.tfrecord"],
    "predict apply": ["predict", "apply", "{model}", "-o", "{out}/predicted.arrow"],
    "search": [
        *("search", "compare", "random-search", "regularized-evolution", "--runs", "2"),
        *("--seconds", "2e5", "--jobs", "1", "-o", "{out}"),
    ],
    "info": ["info", "{table}", "--verify"],
    "top": ["top"],
}
LIMIT = 180.0
# Megabytes beyond what the packages of others take once imported.
LEAST, MOST = 1.0, 2500.0

# Other packages' ways of ending without memory are not this one's: they are imported before. The
# file descriptor hears that this was enough for them, and how much it took.
OTHERS = """
import json, os, sys
import numpy, pyarrow, pyarrow.compute, pyarrow.csv, pyarrow.parquet, rich.console, rich.progress
import rich.table, typer, matplotlib.backends.backend_agg, matplotlib.figure
from pathlib import Path
status = Path("/proc/self/status").read_text()
os.write(int(sys.argv[1]), status.partition("VmPeak:")[2].split()[0].encode() + b"\\n")
"""
PROGRAM = (
    OTHERS
    + """
job = json.loads(sys.argv[2])
try:
    import nb101
    from nb101.cli import main
except (ImportError, MemoryError) as error:
    # Python's own way of saying that there is no place for a module.
    print(repr(error), file=sys.stderr)
    sys.exit(3)
if isinstance(job, list):
    sys.exit(main(job))
try:
    exec(job)
except MemoryError:
    print("MemoryError", file=sys.stderr)
    sys.exit(3)
except Exception as error:
    if type(error).__module__ != "nb101.errors" and not isinstance(error, OSError):
        raise
    print(f"nb101: error: {error}", file=sys.stderr)
    sys.exit(2)
"""
)
INPUTS = """
import sys
from pathlib import Path
import numpy as np
import nb101, tables
from nb101 import predict

folder = Path(sys.argv[1])
cells = list(range(0, 423624, 100))
table = tables.make(tables.draw_rows(np.random.default_rng(0), cells, (4, 108), 3))
table.save(folder / "few.arrow")
table.save(folder / "few.tfrecord")
quick = predict.Settings(networks=1, hidden=(8,), alpha=(0.1,), schedule=((3e-3, 2),))
few = tables.make(tables.draw_rows(np.random.default_rng(0), cells[::8], (108,), 1))
predictor = predict.fit(few, settings=quick, time_settings=quick, folds=2, jobs=1)
predictor.save(folder / "model.npz")
"""


def run(seed: int, n: int) -> dict[str, Any]:
    """Run `n` jobs, each kind as often as the others, with limits drawn by the seed."""
    count = Count()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_inputs(folder)
        least = measure_others()
        for trial in range(n):
            rng = random.Random(f"memory {seed} {trial}")
            job = list(JOBS)[trial % len(JOBS)]
            extra = math.exp(rng.uniform(math.log(LEAST), math.log(MOST)))
            outcome, said = attempt(job, least + int(1024 * extra), folder)
            what = f"trial {trial}, {job} within {extra:.0f} MB more than imports take"
            count.add(outcome, f"{what}: {said}")
    return count.as_dict()


def measure_others() -> int:
    """Kibibytes of addresses that the packages of others take when imported."""
    read, write = os.pipe()
    with os.fdopen(read, "rb") as answers:
        subprocess.run(
            [sys.executable, "-c", OTHERS, str(write)],
            pass_fds=(write,),
            check=True,
            env=environment(),
        )
        os.close(write)
        return int(answers.readline())


def make_inputs(folder: Path) -> None:
    """Write what the jobs read, in a process of its own."""
    subprocess.run([sys.executable, "-c", INPUTS, str(folder)], check=True, env=environment(folder))


def attempt(job: str, kibibytes: int, folder: Path) -> tuple[str, str]:
    """Run a job under a limit: its outcome, and what it said."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    names = {
        "few": folder / "few.tfrecord",
        "table": folder / "few.arrow",
        "model": folder / "model.npz",
        "out": out,
    }
    given = JOBS[job]
    if isinstance(given, list):
        given = [part.format_map(names) for part in given]
    read, write = os.pipe()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (kibibytes << 10, kibibytes << 10))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(write), json.dumps(given)],
        pass_fds=(write,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(folder),
        preexec_fn=limit,
        start_new_session=True,
    )
    os.close(write)
    with os.fdopen(read, "rb") as answers:
        try:
            error = process.communicate(timeout=LIMIT)[1].decode(errors="replace")
            code: int | None = process.returncode
        except subprocess.TimeoutExpired:
            code, error = None, ""
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        begun = bool(answers.readline())
    if not begun:
        # The packages of others took a little more than when they were measured.
        return "refused", "not even imported"
    return judge(job, code, error, out)


def judge(job: str, code: int | None, error: str, out: Path) -> tuple[str, str]:
    """Say what an end was: code (None is no end), standard error, and the folder of its output."""
    lines = [line for line in error.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    said = f"code {code}: {last[-200:]}"
    left = [path.name for path in out.iterdir() if path.is_file() and path.suffix != ".tmp"]
    given = JOBS[job]
    single = isinstance(given, list) and given[-1].startswith("{out}/")
    if code is None:
        return "hang", f"no end in {LIMIT:g} s"
    if "OpenBLAS error" in last or "OpenBLAS Warning" in last:
        # NumPy's own way of ending.
        return "refused", said
    if code < 0 or code not in (0, 2, 3) or "Traceback" in error or "panicked" in error:
        return "crash", said
    if code == 0:
        return ("wrong", "no output, code 0") if single and not left else ("unchanged", "")
    if single and left:
        return "wrong", f"{said}, and yet there is {left}"
    if code == 2 and not last.startswith("nb101: error: "):
        return "crash", said
    if code == 2 and not re.search("memory|thread|alloc|resource", last, re.IGNORECASE):
        # Nothing else is short: whatever else it names is not the cause.
        return "wrong", said
    return "refused", said
