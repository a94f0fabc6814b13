"""What all kinds of torture share: how outcomes are counted, and trials in a child that may die.

A kind is a module with ``run(seed, n) -> dict``: it makes `n` trials drawn by `seed` and returns
what `Count.as_dict` does, or such a dict for each of several things. One that goes through all
bytes of files has ``run(seed, n, start)``, which makes trials from `start` on, and ``needed()``,
the number of trials that has them all. What a trial can come to:

==========  ======================================================================================
refused     damage or misuse was noticed: an error of the package, a MemoryError, one clear line
repaired    noticed, and the right answer was given all the same
unchanged   the right answer, since nothing that matters was touched
uncovered   another answer, where it is written that nothing looks (the documents name the place)
wrong       another answer without a word
crash       death by a signal, a panic, an exception that is no answer
hang        no answer in time, or more memory than is sense
==========  ======================================================================================
"""

import contextlib
import importlib
import json
import math
import os
import random
import select
import subprocess
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).parent.parent
OUTCOMES = ("refused", "repaired", "unchanged", "uncovered", "wrong", "crash", "hang")
BAD = ("wrong", "crash", "hang")
# Failures kept for each kind and seed: the counts are whole.
MOST_FAILURES = 50


@dataclass
class Count:
    """How many trials came to what, and how to see the bad ones again."""

    tried: int = 0
    refused: int = 0
    repaired: int = 0
    unchanged: int = 0
    uncovered: int = 0
    wrong: int = 0
    crash: int = 0
    hang: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, outcome: str, what: object = "") -> None:
        """Count one trial; `what` says how to see it again, and is kept if it was bad."""
        if outcome not in OUTCOMES:
            raise ValueError(f"no outcome {outcome!r}: there are {', '.join(OUTCOMES)}")
        self.tried += 1
        setattr(self, outcome, getattr(self, outcome) + 1)
        if outcome in BAD:
            self.failures.append(f"{outcome}: {what}")

    def __iadd__(self, other: "Count") -> Self:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        return self

    @property
    def bad(self) -> int:
        """Trials that must not be."""
        return self.wrong + self.crash + self.hang

    def as_dict(self) -> dict[str, Any]:
        """Return what `run` of a kind returns."""
        return asdict(self) | {"failures": self.failures[:MOST_FAILURES]}

    @classmethod
    def of(cls, found: dict[str, Any]) -> Self:
        """Read what a kind returned; what it does not name is none, and numbers must add up."""
        names = {one.name for one in fields(cls)}
        if unknown := set(found) - names:
            raise ValueError(f"a kind returned {', '.join(sorted(unknown))}")
        count = cls(**found)
        count.failures = [str(failure) for failure in count.failures]
        if count.tried != sum(getattr(count, name) for name in OUTCOMES):
            raise ValueError(f"{count.tried} trials, but outcomes of another number: {found}")
        return count


def read_counts(kind: str, found: dict[str, Any]) -> dict[str, Count]:
    """Read what `run` of a kind returned: a count, or one for each of several things."""
    if "tried" in found:
        return {kind: Count.of(found)}
    return {f"{kind}: {what}": Count.of(one) for what, one in found.items()}


def show_counts(counts: dict[str, Count], title: str) -> None:
    """Print the table, and what failed."""
    table = Table("what", *("tried", *OUTCOMES), title=title)
    for column in table.columns[1:]:
        column.justify = "right"
    total = Count()
    for count in counts.values():
        total += count
    for what, count in (counts | {"all": total}).items():
        if what == "all":
            table.add_section()
        table.add_row(what, *(f"{getattr(count, x):,}" for x in ("tried", *OUTCOMES)))
    Console(width=120).print(table)
    for what, count in counts.items():
        for failure in count.failures:
            print(f"{what}: {failure}")


def nth_byte(key: str, n: int, size: int) -> int:
    """Return the n-th of all places of a file, in an order drawn by a key: each comes once."""
    # Files with times in them are not always of one size: their order is.
    whole = padded(size)
    rng = random.Random(key)
    first, step = rng.randrange(whole), rng.randrange(whole) | 1
    while math.gcd(step, whole) > 1:
        step += 2
    return (first + n * step) % whole % size


def padded(size: int) -> int:
    """Return how large `n` of `nth_byte` must be for all places."""
    return -(-size // 64) * 64


def environment(place: Path | None = None) -> dict[str, str]:
    """Variables for a child that imports kinds; its files and caches go to `place`."""
    variables = dict(os.environ)
    paths = [str(TESTS), *variables.get("PYTHONPATH", "").split(os.pathsep)]
    variables["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    if place is not None:
        variables |= {name: str(place) for name in ("TMPDIR", "XDG_CACHE_HOME", "MPLCONFIGDIR")}
    return variables


class Child:
    """A process that makes one trial after another, and is replaced when it dies."""

    def __init__(self, function: str, megabytes: int | None, imports: Sequence[str]) -> None:
        answers, child_end = os.pipe()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "torture.common"),
                *(function, str(child_end), str(megabytes or 0), *imports),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(child_end,),
            env=environment(),
            text=True,
        )
        os.close(child_end)
        self.answers = answers
        self.rest = b""

    def ask(self, trial: Any, seconds: float) -> tuple[str, str]:
        """Make a trial: its outcome, and what there is to say of it."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(trial) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return self.death()
        while b"\n" not in self.rest:
            if not select.select([self.answers], [], [], seconds)[0]:
                return "hang", f"no answer in {seconds:g} s"
            more = os.read(self.answers, 1 << 16)
            if not more:
                return self.death()
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        outcome, message = json.loads(line)
        return outcome, message

    def death(self) -> tuple[str, str]:
        """Say how it died."""
        return "crash", f"ended with code {self.process.wait()}"

    def close(self) -> None:
        """End it and wait for that."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        # What was not read by a dead child is of no use.
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        os.close(self.answers)


def trials(
    function: str,
    each: Iterable[Any],
    *,
    seconds: float = 20.0,
    megabytes: int | None = None,
    most: int = 5000,
    imports: Sequence[str] = (),
) -> Iterator[tuple[Any, str, str]]:
    """Make many trials in a child that is replaced whenever it dies or hangs.

    Parameters
    ----------
    function
        ``"module:name"``, called in the child with a trial. It returns an outcome, or an outcome
        and what to say of it; what it raises is a crash, but a MemoryError without `megabytes` or
        within them is a refusal that its caller has made of it.
    each
        Trials, as JSON can hold them.
    seconds
        Limit of each trial.
    megabytes
        Limit of the child's address space beyond what it takes once `function` is imported: more
        is a hang.
    most
        Trials of one child.
    imports
        Modules that are imported before memory is measured.

    Yields
    ------
    Trial, outcome, and what is said of it.
    """
    child, made = None, 0
    try:
        for trial in each:
            if child is None or made == most:
                if child is not None:
                    child.close()
                child, made = Child(function, megabytes, imports), 0
                # The import is not part of the first trial's time.
                child.ask(None, 120.0)
            outcome, message = child.ask(trial, seconds)
            made += 1
            yield trial, outcome, message
            if outcome == "hang" or child.process.poll() is not None:
                child.close()
                child = None
    finally:
        if child is not None:
            child.close()


def _attend(function: str, answers: int, megabytes: int, imports: Sequence[str]) -> None:
    """Be the child."""
    for name in imports:
        importlib.import_module(name)
    module, _, name = function.partition(":")
    call = getattr(importlib.import_module(module), name)
    told = Path("/proc/self/statm")
    if megabytes and told.exists():
        # What is of Linux alone, as the limit of address space is.
        import resource

        pages = int(told.read_text().split()[0])
        limit = pages * resource.getpagesize() + (megabytes << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for line in sys.stdin:
        trial = json.loads(line)
        answer: Any = ("unchanged", "")
        if trial is not None:
            try:
                answer = call(trial)
            except MemoryError:
                answer = ("hang", f"asked for more than {megabytes} MB")
            except BaseException:
                # A panic is no Exception.
                answer = (
                    "crash",
                    traceback.format_exc(limit=-1).strip().replace("\n", "; ")[-300:],
                )
        if isinstance(answer, str):
            answer = (answer, "")
        os.write(answers, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    _attend(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
