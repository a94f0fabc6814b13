"""Parsers in Python given damaged input with good checksums, drawn or guided by coverage.

``python -m torture.fuzz_python --seconds N`` gives each parser of `torture.parsers` so long. With
atheris installed, coverage guides it, as that of Rust is by cargo-fuzz; else inputs are drawn from
whole examples, as `make torture` does. What fails is kept in a folder, and
``python -m torture.fuzz_python PARSER FILE`` does it again.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torture.common import BAD, TESTS, Count, environment, show_counts, trials
from torture.mutations import mutate

MEGABYTES = 4096
SECONDS = 30.0
FAILURES = TESTS.parent / "build" / "fuzz"


# Drawn


def names() -> list[str]:
    """Return the names of all parsers."""
    from torture.parsers import PARSERS

    return list(PARSERS)


def _order(n: int, parsers: list[str], seed: int) -> Iterator[tuple[str, int, int]]:
    for i in range(n):
        yield parsers[i % len(parsers)], seed, i // len(parsers)


def run(seed: int, n: int, parsers: list[str] | None = None) -> dict[str, Any]:
    """Give `n` inputs to parsers, as many to each."""
    found = count_all(_order(n, parsers or names(), seed))
    return {name: count.as_dict() for name, count in found.items()}


def count_all(each: Iterator[tuple[str, int, int]]) -> dict[str, Count]:
    """Make trials and count them by parser."""
    counts: dict[str, Count] = {}
    made = trials(
        "torture.parsers:attempt_drawn", each, seconds=SECONDS, megabytes=MEGABYTES, most=50_000
    )
    for (parser, seed, i), outcome, said in made:
        what = f"input {i} of seed {seed}: {said}"
        if outcome in BAD:
            from torture.parsers import draw

            what = f"{what}   [{keep(parser, draw(parser, seed, i))}]"
        counts.setdefault(parser, Count()).add(outcome, what)
    return counts


def keep(parser: str, given: bytes) -> str:
    """Keep an input that failed, and return what does it again."""
    import hashlib

    folder = FAILURES / re.sub(r"[^a-zA-Z0-9.]", "-", parser)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(given).hexdigest()[:16]
    path.write_bytes(given)
    return f"python -m torture.fuzz_python '{parser}' {path.relative_to(TESTS.parent)}"


def draw_for(parser: str, seconds: float, seed: int) -> Count:
    """Give a parser drawn inputs for so long."""
    end = time.monotonic() + seconds

    def each() -> Iterator[tuple[str, int, int]]:
        i = 0
        while time.monotonic() < end:
            yield parser, seed, i
            i += 1

    return count_all(each()).get(parser, Count())


# Guided


def guide(parser: str, seconds: float, seed: int) -> Count:
    """Give a parser inputs guided by coverage for so long, in processes of atheris."""
    end = time.monotonic() + seconds
    count = Count()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        place = Path(name)
        counted, corpus, seeds = place / "counted.json", place / "corpus", place / "seeds"
        corpus.mkdir()
        seeds.mkdir()
        while (left := end - time.monotonic()) > 1:
            counted.unlink(missing_ok=True)
            ended = subprocess.run(
                [
                    *(
                        sys.executable,
                        "-m",
                        "torture.fuzz_python",
                        parser,
                        "--guided",
                        str(counted),
                    ),
                    *(f"-max_total_time={left:.0f}", f"-seed={seed}", f"-timeout={SECONDS:.0f}"),
                    *(f"-rss_limit_mb={MEGABYTES}", f"-artifact_prefix={place}/failed-"),
                    *("-max_len=65536", "-print_final_stats=1", os.fspath(corpus)),
                    os.fspath(seeds),
                ],
                env=environment(place),
                capture_output=True,
                text=True,
                errors="replace",
            )
            if counted.exists():
                count += Count.of(json.loads(counted.read_text()))
            failed = sorted(place.glob("failed-*"))
            if ended.returncode == 0 and not failed:
                break
            said = (ended.stderr.strip().splitlines() or [""])[-1]
            kept = [keep(parser, path.read_bytes()) for path in failed]
            for path in failed:
                path.unlink()
            kind = "hang" if "timeout" in ended.stderr[-5000:] else "crash"
            count.add(kind, f"ended with code {ended.returncode}: {said}   {kept}")
            seed += 1
    return count


def be_guided(parser: str, counted: Path, arguments: list[str]) -> None:
    """Be the process of atheris, which goes on after exceptions and ends with the process."""
    import atheris

    with atheris.instrument_imports(include=["nb101"]):
        import torture.parsers

    import traceback

    whole = torture.parsers.PARSERS[parser]
    for i, example in enumerate(whole.examples()):
        (Path(arguments[-1]) / str(i)).write_bytes(example)
    count, kept = Count(), set()
    last = time.monotonic()

    def one(given: bytes) -> None:
        nonlocal last
        try:
            outcome, said = torture.parsers.attempt(parser, given)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            outcome, said = "crash", traceback.format_exc(limit=-1).strip().replace("\n", "; ")
            said = said[-300:]
        # One of each kind is enough to see.
        kind = (outcome, re.sub(r"[0-9]+", "0", said)[:150])
        if outcome in BAD and kind not in kept:
            kept.add(kind)
            said = f"{said}   [{keep(parser, given)}]"
        count.add(outcome, said)
        if outcome in BAD and len(count.failures) > len(kept):
            count.failures.pop()
        if time.monotonic() > last + 0.5:
            last = time.monotonic()
            counted.write_text(json.dumps(count.as_dict()))

    def mutator(given: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.5:
            return bytes(atheris.Mutate(given, most))
        return mutate(rng, given, whole.words)[:most]

    atheris.Setup([sys.argv[0], *arguments], one, custom_mutator=mutator)
    atheris.Fuzz()


def has_atheris() -> bool:
    """Whether inputs can be guided."""
    try:
        import atheris  # noqa: F401
    except ImportError:
        return False
    return True


def record(counts: dict[str, Count], guided: bool, seconds: float, seed: int) -> Path:
    """Keep how many inputs there were, dated."""
    from torture.__main__ import RECORDS, about

    parsers = {name: count.as_dict() for name, count in counts.items()}
    kept = about() | {"seed": seed, "seconds": seconds, "guided": guided, "parsers": parsers}
    path = RECORDS / f"{kept['date']}-fuzz-python.json"
    path.write_text(json.dumps(kept, indent=1) + "\n")
    return path


def main() -> int:
    """Read the arguments and do what they say."""
    parser = argparse.ArgumentParser(prog="python -m torture.fuzz_python", description=__doc__)
    parser.add_argument("parser", nargs="?", help="this one alone")
    parser.add_argument("file", nargs="?", type=Path, help="an input to give to it, or done again")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each parser")
    parser.add_argument("--seed", type=int, default=101)
    parser.add_argument("--drawn", action="store_true", help="without atheris")
    parser.add_argument("--record", action="store_true", help="keep counts in benches/record")
    given = parser.parse_args()
    if given.file:
        from torture.parsers import attempt

        print(*attempt(given.parser, given.file.read_bytes()), sep=": ")
        return 0
    chosen = [given.parser] if given.parser else names()
    guided = has_atheris() and not given.drawn
    print("guided by coverage" if guided else "drawn: atheris, which would guide, is not installed")
    counts = {}
    for name in chosen:
        counts[name] = (guide if guided else draw_for)(name, given.seconds, given.seed)
        print(f"{name}: {counts[name].tried:,}", flush=True)
    show_counts(counts, "Parsers in Python")
    if given.record:
        print(f"kept in {record(counts, guided, given.seconds, given.seed)}")
    return int(any(count.bad for count in counts.values()))


if __name__ == "__main__":
    if "--guided" in sys.argv[1:3]:
        be_guided(sys.argv[1], Path(sys.argv[3]), sys.argv[4:])
    else:
        sys.exit(main())
