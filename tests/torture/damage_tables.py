"""Damage to tables, predictors and what is written beside them: a bit of each byte, cuts, holes.

``run(seed, n)`` makes a small whole file of each kind, damages it in `n` ways and uses what is left
as its readers do, in a child process, so that a crash or a hang is counted like everything else. A
table is used unverified too, which may give any numbers, but must not end the process; nor must
what is ``hostile``: damaged, and given a good seal after that.

``python damage_tables.py KIND HOW ARGUMENT...`` does one damage again, in this process.
"""

import io
import json
import os
import queue
import random
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

import nb101
from nb101 import NB101Error, Table, predict
from nb101._base import seals, seen
from nb101.encodings import structural_feature_names
from nb101.predict.errors import LEVELS, Errors, Report
from nb101.predict.learner import Ensemble
from nb101.predict.predictor import Group, Predictor
from nb101.predict.scale import Scale
from nb101.space import writers as export
from nb101.table import embedded
from nb101.table import files as table_files
from nb101.table.schema import EVALUATIONS, METRICS
from torture.common import nth_byte, padded

PATIENCE = 30.0
"""Seconds after which a file that is still being read counts as a hang."""
MEMORY = 8 << 30
"""Bytes of address space of a child."""
OUTCOMES = ("refused", "unchanged", "wrong", "crash", "hang")

Damage = list[Any]
"""How, and with what numbers: what `spoil` takes."""


# The files


def make_table() -> Table:
    """Make a table with everything that one can hold."""
    rng = np.random.default_rng(0)
    n = 6
    columns: dict[str, Any] = {
        "cell_id": [0, 5, 90, 0, 5, 90],
        "epochs": [4, 4, 4, 108, 108, 108],
        "seed": [1, np.nan, 2, np.nan, 3, 4],
        "energy": rng.random(n),
        "total_time": rng.random(n),
    }
    columns |= {name: rng.random(n).astype(np.float32) for name in EVALUATIONS}
    return Table.from_columns(
        columns, provenance={"kind": "predicted"}, raw=[(1, b"a record"), (4, b"another one")]
    )


def make_predictor() -> Predictor:
    """Make a predictor of random numbers: that it is small is all that matters."""
    rng = np.random.default_rng(0)
    space = nb101.SearchSpace()
    n = len(structural_feature_names(space))
    target = ("test_accuracy", 108)
    layers = tuple(
        (rng.standard_normal((a, b)).astype(np.float32), np.zeros(b, np.float32))
        for a, b in ((n, 2), (2, 1))
    )
    ensemble = Ensemble(np.zeros(n, np.float32), np.ones(n, np.float32), (layers,), 0.1)
    scores = np.linspace(-1, 1, 5)
    errors = Errors(np.array([0.2, 0.8]), np.full((len(LEVELS), 2), 0.1), np.array([0.1, np.nan]))
    report = Report(folds=2, alphas=(0.1,), errors=())
    scales = {target: Scale((scores + 1) / 2, scores)}
    groups = [Group((target,), ensemble)]
    return Predictor(space, groups, scales, {target: errors}, report, {"seed": 0})


def _write_numbers(path: Path) -> None:
    numbers = {"about": {"predicted": True, "runs": 12}, "parts": [1.5, None, "x" * 200]}
    text = json.dumps(numbers | {seals.KEY: seals.BLANK}, indent=1)
    with seals.sealed(path) as file:
        file.write(text.encode() + b"\n")


def _write_note(path: Path) -> None:
    text = json.dumps({"path": "t", "stamp": [1, 2, 3], "found": "x", seals.KEY: seals.BLANK})
    path.write_bytes(seals.seal_bytes(text.encode()))


def _write_embedded(path: Path) -> None:
    path.write_bytes(embedded.PATH.read_bytes())


# How they are read: an answer that is compared with that of the whole file


def _contents(table: Table) -> Any:
    # As bytes, so that NaN is NaN.
    names = [name for name in table.columns if name != "raw"]
    columns = {name: np.ma.getdata(table.column(name)).tobytes() for name in names}
    missing = {name: np.ma.getmaskarray(table.column(name)).tobytes() for name in names}
    about = (repr(table.space), dict(table.provenance), table_files.raw_records(table.to_arrow()))
    return columns, missing, about


def _read_table(path: Path) -> Any:
    with suppress(Exception):
        _use(Table.open(path))
    found = _contents(Table.open(path, verify=True))
    loaded = nb101.load_table(path)
    target = path.with_name("again.arrow")
    loaded.save(target)
    assert _contents(Table.open(target)) == found
    return found


def _use(table: Table) -> None:
    """Ask for everything, whatever comes."""
    for use in (
        lambda: table.to_arrow().to_pylist(),
        lambda: table_files.raw_records(table.to_arrow()),
        lambda: [table.column(name).copy() for name in table.columns if name != "raw"],
        lambda: [table.values(name, 4, halfway=True) for name in METRICS],
        lambda: [table.runs(cell).to_pylist() for cell in (0, 5, 90)],
        lambda: table.select(cells=[5]).to_arrow().to_pylist(),
        lambda: table.select(epochs=108).to_arrow().to_pylist(),
        lambda: (table.hashes(), table.best("test_accuracy"), repr(table)),
        lambda: nb101.Benchmark(table, seed=0).query(5, 4),
        lambda: table.save(os.devnull, format="csv"),
    ):
        with suppress(Exception):
            use()


def _read_predictor(path: Path) -> Any:
    opened = predict.load(path)
    return (
        opened.predict([5, 90], "test_accuracy").tolist(),
        opened.interval([5, 90], "test_accuracy").tolist(),
        opened.table([5]).column("test_accuracy_uncertainty").tolist(),
        opened.about,
        opened.report.to_dict(),
    )


def _read_sealed(path: Path) -> bytes:
    # What is compared is what whoever reads it would get.
    seals.check_seal(path, "make it anew")
    return path.read_bytes()


def _read_numbers(path: Path) -> Any:
    return json.loads(_read_sealed(path))


def _read_note(path: Path) -> Any:
    note = seen._read(path)
    if note is None:
        raise NB101Error("a damaged note is none")
    return note


def _read_embedded(path: Path) -> Any:
    table = embedded.load(path)
    table.verify()
    return table.mean("validation_accuracy", 4).sum(), table.provenance["kind"]


def _sealed_anew(path: Path) -> None:
    """Give damage a seal of its own, as somebody would who means harm."""
    blank = re.sub(rb"nb101-sha256:[0-9a-f]{64}", seals.BLANK.encode(), path.read_bytes())
    try:
        path.write_bytes(seals.seal_bytes(blank))
    except RuntimeError as error:
        raise NB101Error("no place for a seal") from error


def _read_hostile_table(path: Path) -> None:
    """Read what has a good seal and was damaged before: any numbers will do."""
    _sealed_anew(path)
    opened = Table.open(path, verify=True)
    _use(opened)
    with suppress(Exception):
        opened.save(path.with_name("again.tfrecord"))


def _read_hostile_predictor(path: Path) -> None:
    _sealed_anew(path)
    opened = predict.load(path)
    with np.errstate(all="ignore"), suppress(NB101Error):
        opened.table([5, 90])


KINDS: dict[str, tuple[Callable[[Path], object], Callable[[Path], Any]]] = {
    "table.arrow": (lambda path: make_table().save(path), _read_table),
    "table.parquet": (lambda path: make_table().save(path), _read_table),
    "predictor.npz": (lambda path: make_predictor().save(path), _read_predictor),
    "hostile.arrow": (lambda path: make_table().save(path), _read_hostile_table),
    "hostile.parquet": (lambda path: make_table().save(path), _read_hostile_table),
    "hostile.npz": (lambda path: make_predictor().save(path), _read_hostile_predictor),
    "embedded.npz": (_write_embedded, _read_embedded),
    "numbers.json": (_write_numbers, _read_numbers),
    "cells.arrow": (lambda path: export.write_space(nb101.SearchSpace(3, 3), path), _read_sealed),
    "cells.parquet": (lambda path: export.write_space(nb101.SearchSpace(3, 3), path), _read_sealed),
    "note.json": (_write_note, _read_note),
}
SLOW = {"embedded.npz": 2000}
"""How many times fewer damages a kind gets for its size."""
LARGEST = "predictor.npz"
"""The kind that gets as many damages as are asked for; others as many for each byte."""


# Damage


FLIPS = 4
"""Damages that are a flipped bit, for one of another kind."""


def draw(key: str, i: int, size: int) -> Damage:
    """Draw the i-th damage to a file of a size: each byte comes once, and then again."""
    rng = random.Random(f"{key} {i}")
    round_, turn = divmod(i, FLIPS + 1)
    if turn < FLIPS:
        return ["flip", nth_byte(key, FLIPS * round_ + turn, size), rng.randrange(8)]
    start = rng.randrange(size)
    length = min(rng.choice((1, 2, 4, 8, 64, 512)), size - start)
    other = rng.randrange(size - length + 1)
    return rng.choice(
        (
            ["cut", start],
            ["drop", start, length],
            ["zero", start, length],
            ["noise", start, length, rng.randrange(1 << 30)],
            ["swap", start, other, length],
            ["append", length, rng.randrange(1 << 30)],
            ["repeat", start, length],
        )
    )


def spoil(whole: bytes, damage: Damage) -> bytes:
    """Return the bytes of a file after a damage."""
    how, first, *rest = damage
    data = bytearray(whole)
    if how == "flip":
        data[first] ^= 1 << rest[0]
    elif how == "cut":
        del data[first:]
    elif how == "drop":
        del data[first : first + rest[0]]
    elif how == "zero":
        data[first : first + rest[0]] = bytes(rest[0])
    elif how == "noise":
        data[first : first + rest[0]] = random.Random(rest[1]).randbytes(rest[0])
    elif how == "swap":
        other, length = rest
        a, b = data[first : first + length], data[other : other + length]
        data[first : first + length], data[other : other + length] = b, a
    elif how == "append":
        data += random.Random(rest[0]).randbytes(first)
    elif how == "repeat":
        data[first:first] = data[first : first + rest[0]]
    else:
        raise ValueError(f"no damage is called {how!r}")
    return bytes(data)


def attempt(kind: str, folder: Path, whole: bytes, truth: Any, damage: Damage) -> tuple[str, str]:
    """Use a damaged file; return the outcome, and what was said or found."""
    damaged = spoil(whole, damage)
    if damaged == whole:
        return "unchanged", "no byte was changed"
    path = folder / kind
    # Another file, since the one before may be mapped.
    path.unlink(missing_ok=True)
    path.write_bytes(damaged)
    try:
        found = KINDS[kind][1](path)
    except NB101Error as error:
        return "refused", str(error)
    except BaseException as error:
        return "crash", f"{type(error).__name__}: {error}"
    return ("unchanged", "") if found == truth else ("wrong", "other contents")


# Processes


def child() -> None:
    """Try what comes on stdin, a line each: a kind, and a damage to it or nothing.

    A line is written for each: the outcome, or the size of the whole file of a kind.
    """
    with suppress(ImportError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    # What is printed by others is no outcome.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    files: dict[str, tuple[bytes, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["NB101_CACHE"] = str(folder / "cache")
        for line in sys.stdin:
            kind, damage = json.loads(line)
            if kind not in files:
                KINDS[kind][0](folder / kind)
                whole = (folder / kind).read_bytes()
                files[kind] = whole, KINDS[kind][1](folder / kind)
            whole, truth = files[kind]
            answer = attempt(kind, folder, whole, truth, damage) if damage else ("size", len(whole))
            print(json.dumps(answer), file=out, flush=True)


class _Child:
    """A process that tries damages."""

    def __init__(self) -> None:
        command = [sys.executable, os.path.abspath(__file__), "child"]  # noqa: PTH100
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **pipes)
        self._lines: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def size(self, kind: str) -> int:
        """Return the size of the whole file of a kind, which is made if it is the first time."""
        self.tell(kind, None)
        answer = self.hear(4 * PATIENCE)
        if answer is None:
            raise RuntimeError(f"no whole {kind} could be made and read")
        return int(answer[1])

    def _listen(self) -> None:
        assert isinstance(self.process.stdout, io.TextIOBase)
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def tell(self, kind: str, damage: Damage | None) -> None:
        """Ask for an answer."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps([kind, damage]) + "\n")
            self.process.stdin.flush()

    def hear(self, patience: float) -> list[Any] | None:
        """Return the next answer, or `None` if it does not come; an end raises EOFError."""
        try:
            line = self._lines.get(timeout=patience)
        except queue.Empty:
            return None
        if not line:
            raise EOFError(f"the process ended with {self.process.wait()}")
        answer: list[Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()
        self._thread.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()


def needed() -> int:
    """Return how large `n` must be for each byte of each small file to be damaged."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / LARGEST
        KINDS[LARGEST][0](path)
        # A little more, since smaller files are padded by more of their size.
        return int(padded(path.stat().st_size) * (FLIPS + 1) / FLIPS * 1.5)


def run(seed: int, n: int, start: int = 0, patience: float = PATIENCE) -> dict[str, dict[str, Any]]:
    """Damage a file of each kind in `n` ways, or in as many fewer as it is smaller.

    What was damaged by as many calls, each with the next `start`, is each byte if `n` of all of
    them come to `needed`.

    Returns
    -------
    By kind: how many were ``tried``, how many there are of each of `OUTCOMES`, and ``failures``,
    each with the damage and what was said: the arguments of this file when it is run.
    """
    results: dict[str, dict[str, Any]] = {}
    running = _Child()
    try:
        largest = running.size(LARGEST)
        for kind in KINDS:
            size = running.size(kind)
            share = size / largest / SLOW.get(kind, 1)
            first, last = int(start * share), int((start + n) * share)
            found: dict[str, Any] = {"tried": 0, **dict.fromkeys(OUTCOMES, 0), "failures": []}
            results[kind] = found
            for i in range(first, max(last, first + 1)):
                damage = draw(f"{seed} {kind}", i, size)
                running.tell(kind, damage)
                try:
                    answer = running.hear(patience) or ["hang", f"no answer in {patience:g} s"]
                except EOFError as error:
                    answer = ["crash", str(error)]
                outcome, said = answer
                found["tried"] += 1
                found[outcome] += 1
                if outcome in ("wrong", "crash", "hang"):
                    found["failures"].append({"damage": [kind, *damage], "said": said})
                    running.end()
                    running = _Child()
                    running.size(kind)
    finally:
        running.end()
    return results


def main() -> None:
    """Do one damage again, or many."""
    kind, *damage = sys.argv[1:]
    if kind == "child":
        child()
    elif kind == "run":
        print(json.dumps(run(*map(int, damage)), indent=1))
    else:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / kind
            KINDS[kind][0](path)
            whole, truth = path.read_bytes(), KINDS[kind][1](path)
            numbers = [damage[0], *map(int, damage[1:])]
            print(*attempt(kind, Path(name), whole, truth, numbers))


if __name__ == "__main__":
    main()
