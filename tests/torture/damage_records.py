"""Damage to what campaigns, comparisons and training keep: a bit of each byte, cuts, holes.

``run(seed, n)`` makes a small whole file of each kind, damages it in `n` ways drawn by `seed` and
reads what is left in a child process, so that a crash or a hang is counted like everything else.
The ledger and its results are also gone on with, which must come to the same table. With `n` large
enough (`needed`), each byte of each file has one of its bits flipped.

``python damage_records.py KIND HOW START LENGTH`` does one damage again, in this process.
"""

import json
import os
import random
import select
import shutil
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SECONDS = 30.0
"""After which a file that is still being read counts as a hang."""
OUTCOMES = ("refused", "repaired", "unchanged", "wrong", "crash", "hang")
BAD = ("wrong", "crash", "hang")
MOST_FAILURES = 50
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import numpy as np  # noqa: E402

import nb101  # noqa: E402
from campaigns import Scripted, small_config, small_data, small_plan  # noqa: E402
from nb101 import campaign, search  # noqa: E402
from nb101._base.seals import sealed_json  # noqa: E402
from nb101.campaign.folder import IMAGES, LEDGER, RESULTS, SESSION  # noqa: E402
from nb101.campaign.images import load_images, save_images  # noqa: E402
from nb101.campaign.plan import Plan  # noqa: E402
from nb101.campaign.session import read_note  # noqa: E402
from nb101.search.statistics import summarize  # noqa: E402
from torture.common import nth_byte, padded  # noqa: E402

Damage = tuple[str, int, int]
"""How (``flip``, ``cut``, ``zero``, ``both``), where, and how much: a bit, or bytes."""


@dataclass(frozen=True)
class Kind:
    """A kind of file: how a folder with a whole one is made, its name, and how it is read."""

    make: Callable[[Path], object]
    name: str
    read: Callable[[Path], Any]
    goes_on: bool = False
    """Whether the campaign of the folder is gone on with too."""


def plan() -> Plan:
    """Make a plan of four runs."""
    return small_plan(cells=[0, 5], epochs=1)


def _table(folder: Path) -> Any:
    table = campaign.table(folder)
    status = campaign.status(folder)
    return table.to_arrow().to_pylist(), dict(table.provenance), status.done, status.waiting


def _make_half(folder: Path) -> None:
    """Make a campaign with two of four runs done."""
    executor = Scripted()

    def stop(status: Any) -> None:
        if len(executor.tasks) >= 2:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        campaign.run(plan(), folder, executor, at_once=1, on_status=stop)


def make_table() -> nb101.Table:
    """Make a table that is searched in a moment."""
    cells = nb101.SearchSpace(4).enumerate()
    n = len(cells)
    columns: dict[str, Any] = {"cell_id": np.arange(n), "epochs": np.full(n, 4)}
    rng = np.random.default_rng(0)
    for stage in ("halfway", "final"):
        columns[f"{stage}_training_time"] = np.full(n, 100.0, np.float32)
        for name in ("train", "validation", "test"):
            columns[f"{stage}_{name}_accuracy"] = rng.random(n).astype(np.float32)
    return nb101.Table.from_columns(columns, space=nb101.SearchSpace(4))


def _make_comparison(folder: Path) -> None:
    search.compare(
        make_table(), folder, names=["random-search"], runs=1, queries=4, jobs=1, executor=_Here()
    )


class _Here(Scripted):
    """Calls at once."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        from concurrent.futures import Future

        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def _read_trace(folder: Path) -> Any:
    (path,) = (folder / "traces" / "random-search").iterdir()
    trace = search.Trace.open(path)
    numbers = summarize(search.Comparison.open(folder)).to_dict()
    return trace.to_arrow().to_pylist(), dict(trace.about), numbers


def _read_comparison(folder: Path) -> Any:
    found = search.Comparison.open(folder)
    return repr(found.plan), dict(found.runs), dict(found.asked)


def _make_checkpoint(folder: Path) -> None:
    import torch

    from nb101.train.checkpoint import save_checkpoint

    config = small_config().to_dict()
    about = {"step": 3, "attempt": 1, "evaluations": [[0.0, 1.0, 0.125, 0.5, 0.5]]}
    save_checkpoint(folder, {"a": torch.arange(9.0), "b": torch.zeros(0)}, about | config)


def _read_checkpoint(folder: Path) -> Any:
    from nb101.train.checkpoint import load_checkpoint

    tensors, about = load_checkpoint(folder)
    return {name: tensor.tolist() for name, tensor in tensors.items()}, about


def _read_images(folder: Path) -> Any:
    data = load_images(folder / IMAGES)
    return data.checksum, data.name, data.num_classes, data.mean, data.std


def _write_session(folder: Path, name: str = SESSION) -> None:
    about = {"token": "0123456789abcdef", "host": "here", "pid": 7, "started": 1.5}
    (folder / name).write_bytes(sealed_json(about))


KINDS = {
    "trace": Kind(_make_comparison, "traces/random-search/000000.parquet", _read_trace),
    "manifest": Kind(_make_comparison, "comparison.json", _read_comparison),
    "checkpoint": Kind(_make_checkpoint, "checkpoint.safetensors", _read_checkpoint),
    "plan": Kind(
        lambda folder: plan().save(folder / "plan.json"),
        "plan.json",
        lambda folder: Plan.load(folder / "plan.json").to_dict(),
    ),
    "session": Kind(_write_session, SESSION, lambda folder: read_note(folder / SESSION)),
    "images": Kind(
        lambda folder: save_images(small_data(train=64, size=2), folder / IMAGES),
        IMAGES,
        _read_images,
    ),
    "ledger": Kind(lambda folder: campaign.run(plan(), folder, Scripted()), LEDGER, _table, True),
    "ledger-half": Kind(_make_half, LEDGER, _table, True),
    "results": Kind(lambda folder: campaign.run(plan(), folder, Scripted()), RESULTS, _table, True),
    "results-half": Kind(_make_half, RESULTS, _table, True),
    "both": Kind(lambda folder: campaign.run(plan(), folder, Scripted()), LEDGER, _table, True),
}


# Damage


FLIPS = 4
"""Damages that are a flipped bit, for one of another kind."""


def draw(key: str, i: int, size: int) -> Damage:
    """Draw the i-th damage to a file of a size: each byte comes once, and then again."""
    rng = random.Random(f"{key} {i}")
    round_, turn = divmod(i, FLIPS + 1)
    if turn < FLIPS:
        return "flip", nth_byte(key, FLIPS * round_ + turn, size), rng.randrange(8)
    if rng.random() < 0.5:
        return "cut", rng.randrange(size), 0
    return "zero", rng.randrange(size), rng.choice((1, 16, 512, 4096))


def spoil(data: bytes, damage: Damage) -> bytes:
    """Return damaged bytes."""
    how, start, length = damage
    # Drawn for a file that was made at another time: its numbers may have had more digits.
    start = min(start, len(data) - 1)
    if how == "flip":
        return data[:start] + bytes([data[start] ^ 1 << length]) + data[start + 1 :]
    if how == "cut":
        return data[:start]
    hole = min(length, len(data) - start)
    return data[:start] + bytes(hole) + data[start + hole :]


@cache
def whole(kind: str) -> tuple[Path, Any, Any]:
    """Return a folder with a whole file, what it says, and what its campaign comes to."""
    folder = Path(tempfile.mkdtemp(prefix=f"{kind}-"))
    one = KINDS[kind]
    one.make(folder)
    again = Path(tempfile.mkdtemp(prefix=f"{kind}-")) / "again"
    end = None
    if one.goes_on:
        shutil.copytree(folder, again)
        end = campaign.run(plan(), again, Scripted()).to_arrow().to_pylist()
    return folder, one.read(folder), end


def attempt(kind: str, damage: Damage) -> tuple[str, str]:
    """Damage a file and read it: what came of that, and what is to be said of it."""
    source, truth, end = whole(kind)
    one = KINDS[kind]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "folder"
        shutil.copytree(source, folder)
        path = folder / one.name
        data = path.read_bytes()
        path.write_bytes(spoil(data, damage))
        if kind == "both":
            # The same part of the other, as if by a disk that forgets at random.
            other = (folder / RESULTS).read_bytes()
            start = damage[1] * len(other) // len(data)
            (folder / RESULTS).write_bytes(spoil(other, (damage[0], start, damage[2])))
        outcome = _compare(lambda: one.read(folder), truth)
        # That takes ten times longer: of flips one in sixteen will do.
        if one.goes_on and outcome[0] not in BAD and (damage[0] != "flip" or damage[1] % 16 == 0):
            again = _compare(
                lambda: campaign.run(plan(), folder, Scripted()).to_arrow().to_pylist(), end
            )
            if again[0] in BAD:
                return again
        return outcome


def _compare(read: Callable[[], Any], truth: Any) -> tuple[str, str]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            found = read()
        except (nb101.NB101Error, ValueError, OSError) as error:
            text = str(error)
            return ("refused", text) if text and "\n" not in text else ("crash", repr(text))
    if repr(found) != repr(truth):
        return "wrong", repr(found)[:200]
    return ("repaired" if said else "unchanged"), "; ".join(str(x.message) for x in said)


# In a child


class Child:
    """A process that makes one trial after another."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def ask(self, kind: str, damage: Damage, seconds: float) -> tuple[str, str]:
        """Make a trial; the child is no more after a crash of it or a hang."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps([kind, damage]).encode() + b"\n")
            self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            self.close()
            return "hang", f"no answer in {seconds:g} s"
        line = self.process.stdout.readline()
        if not line:
            return "crash", f"ended with code {self.process.wait()}"
        outcome, text = json.loads(line)
        return outcome, text

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()


def _attend() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory() as place:
        tempfile.tempdir = place
        for line in sys.stdin:
            kind, damage = json.loads(line)
            try:
                answer = attempt(kind, tuple(damage))
            except BaseException:
                # A panic is no Exception.
                answer = ("crash", traceback.format_exc(limit=-2).replace("\n", "; ")[-300:])
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


SLOW = {"ledger-half": 8, "both": 8}
"""How many times fewer damages a kind gets for its size."""


def _shares(names: list[str]) -> dict[str, float]:
    """Return what each kind gets of all damages: as much as its file is large."""
    sizes = {
        kind: (whole(kind)[0] / KINDS[kind].name).stat().st_size / SLOW.get(kind, 1)
        for kind in names
    }
    return {kind: size / sum(sizes.values()) for kind, size in sizes.items()}


def needed() -> int:
    """Return how large `n` must be for each byte of each file to be damaged, but for `SLOW`."""
    with _place():
        shares = _shares(list(KINDS))
        sizes = {kind: (whole(kind)[0] / KINDS[kind].name).stat().st_size for kind in KINDS}
    each = [padded(sizes[kind]) / shares[kind] for kind in KINDS if kind not in SLOW]
    return int(max(each) * (FLIPS + 1) / FLIPS) + len(KINDS)


@contextmanager
def _place() -> Iterator[None]:
    """Keep whole files somewhere for a while."""
    with tempfile.TemporaryDirectory() as place:
        tempfile.tempdir = place
        try:
            yield
        finally:
            tempfile.tempdir = None
            whole.cache_clear()


def run(seed: int, n: int, start: int = 0, kinds: list[str] | None = None) -> dict[str, Any]:
    """Make `n` trials of all kinds from `start` on, more of larger files; return what came of it.

    Returns
    -------
    ``tried``, a number for each of `OUTCOMES`, and ``failures``, with the arguments that show each
    again.
    """
    counts: dict[str, Any] = {"tried": 0, **dict.fromkeys(OUTCOMES, 0), "failures": []}
    names = list(KINDS) if kinds is None else kinds
    child: Child | None = None
    with _place():
        try:
            for kind, share in _shares(names).items():
                size = (whole(kind)[0] / KINDS[kind].name).stat().st_size
                first, last = int(start * share), int((start + n) * share)
                for i in range(first, max(last, first + 1)):
                    damage = draw(f"{seed} {kind}", i, size)
                    if child is None or child.process.poll() is not None:
                        child = Child()
                        # To import, and to make what is whole, takes its time.
                        child.ask(kind, ("zero", 0, 0), 10 * SECONDS)
                    outcome, text = child.ask(kind, damage, SECONDS)
                    counts["tried"] += 1
                    counts[outcome] += 1
                    if outcome in BAD and len(counts["failures"]) < MOST_FAILURES:
                        replay = " ".join(map(str, (kind, *damage)))
                        counts["failures"].append(f"{outcome}: {replay}: {text}")
        finally:
            if child is not None:
                child.close()
    return counts


def main() -> None:
    """Be a child, or do one damage again."""
    if sys.argv[1:] == ["child"]:
        _attend()
        return
    kind, how, start, length = sys.argv[1:]
    print(*attempt(kind, (how, int(start), int(length))), sep=": ")


if __name__ == "__main__":
    main()
