"""Mutations of what the parsers in Python read: most are refused, none crashes, hangs or swells.

Files with a seal get a good one after they were damaged, so that what comes behind it is reached:
what somebody could write who means harm. Text of JSON is damaged in its structure too. What is
read without an error is not compared with anything here: see ``damage_tables`` and
``damage_records`` for that.

``python -m torture.fuzz_python --seconds 60`` is the part of `make fuzz` that is in Python.
"""

import argparse
import copy
import gzip
import io
import json
import os
import pickle
import random
import re
import struct
import sys
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

import nb101
from nb101 import NB101Error, seals
from torture.common import BAD, Count, trials

SECONDS = 20.0
# A parser of a few kilobytes has no use for more.
MEGABYTES = 1500

Corpus = list[bytes]


# What is read, and how: a reader takes the path of a file


def _pickles() -> Corpus:
    labels, pixels = [3, 1, 4], np.arange(9, dtype=np.uint8).reshape(3, 3)
    batch = {"labels": labels, "data": pixels, "batch_label": "one of 3", "filenames": ["a", "b"]}
    found = [pickle.dumps(batch, protocol=protocol) for protocol in (2, 3, 4)]
    return [*found, pickle.dumps({b"labels": labels, b"names": (None, True, 1 << 40)}, protocol=2)]


def _read_pickle(path: Path) -> None:
    from nb101.train.cifar_pickle import read_pickle

    read_pickle(path.read_bytes())


def _idx() -> Corpus:
    images = b"\0\0\x08\x03" + struct.pack(">3I", 2, 4, 4) + bytes(range(32))
    return [images, gzip.compress(images, mtime=0), b"\0\0\x08\x01" + struct.pack(">I", 3) + b"abc"]


def _read_idx(path: Path) -> None:
    from nb101.train.idx import read_idx

    read_idx(path, 3)


def _tars() -> Corpus:
    found = []
    for packed in ("w", "w:gz"):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=packed) as archive:  # type: ignore[call-overload]
            for name in ("data_batch_1", "data_batch_2", "test_batch"):
                data = _pickles()[0]
                member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        found.append(buffer.getvalue())
    return found


def _read_tar(path: Path) -> None:
    from nb101.train.data import load_cifar10

    target = path.with_name("cifar-10-python.tar.gz")
    path.replace(target)
    load_cifar10(target, verify=False)


def _texts() -> Corpus:
    rows = [
        "011001000 input,conv3x3-bn-relu,output",
        "[[[0, 1, 1], [0, 0, 1], [0, 0, 0]], [-1, 2, -2]]",
        '{"matrix": [[0, 1], [0, 0]], "ops": ["input", "output"]}',
        "0111010000000010000001000001000000100000010000000 input,0,1,1,1,2,output",
    ]
    return [row.encode() for row in rows]


def _read_text(path: Path) -> None:
    from nb101.cli.common import parse_module

    text = path.read_bytes().decode("utf-8", errors="replace")
    nb101.Cell(*parse_module(text, nb101.OPS)).hash  # noqa: B018


def _plans() -> Corpus:
    from campaigns import small_plan

    grids: list[dict[str, Any]] = [{}, {"grid": {"learning_rate": (0.1, 0.2)}}]
    found = []
    for grid in grids:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "plan.json"
            small_plan(**grid).save(path)
            found.append(path.read_bytes())
    return found


def _read_plan(path: Path) -> None:
    from nb101.campaign import Plan

    plan = Plan.load(path)
    for _ in zip(plan.runs(), range(100), strict=False):
        pass


def _of_damage(module: str, kind: str, name: str) -> Callable[[], Corpus]:
    """Take the whole file that another kind of torture damages."""

    def make() -> Corpus:
        import importlib

        kinds = importlib.import_module(f"torture.{module}").KINDS
        with tempfile.TemporaryDirectory() as folder:
            made = kinds[kind]
            if isinstance(made, tuple):
                made[0](Path(folder) / name)
            else:
                made.make(Path(folder))
            return [(Path(folder) / name).read_bytes()]

    return make


def _read_table(path: Path) -> None:
    table = nb101.Table.open(path, verify=True)
    table.to_arrow().to_pylist()
    for name in table.columns:
        table.column(name)
    repr(table)


def _read_predictor(path: Path) -> None:
    from nb101 import predict

    found = predict.load(path)
    repr(found)


def _read_trace(path: Path) -> None:
    from nb101.search import Trace

    repr(Trace.open(path))


def _read_checkpoint(path: Path) -> None:
    from nb101.train.checkpoint import load_checkpoint

    path.replace(path.with_name("checkpoint.safetensors"))
    load_checkpoint(path.parent)


def _read_ledger(path: Path) -> None:
    from nb101 import campaign
    from nb101.campaign.ledger import LEDGER, RESULTS

    path.replace(path.with_name(LEDGER))
    path.with_name(RESULTS).write_bytes(_corpus("results")[0])
    campaign.table(path.parent)


def _read_results(path: Path) -> None:
    from nb101 import campaign
    from nb101.campaign.ledger import LEDGER, RESULTS

    path.replace(path.with_name(RESULTS))
    path.with_name(LEDGER).write_bytes(_corpus("ledger")[0])
    campaign.table(path.parent)


PARSERS: dict[str, tuple[Callable[[], Corpus], Callable[[Path], None]]] = {
    "cells as text": (_texts, _read_text),
    "pickles": (_pickles, _read_pickle),
    "idx": (_idx, _read_idx),
    "image archives": (_tars, _read_tar),
    "plans": (_plans, _read_plan),
    "table.arrow": (_of_damage("damage_tables", "table.arrow", "t.arrow"), _read_table),
    "table.parquet": (_of_damage("damage_tables", "table.parquet", "t.parquet"), _read_table),
    "predictors": (_of_damage("damage_tables", "predictor.npz", "p.npz"), _read_predictor),
    "traces": (
        _of_damage("damage_records", "trace", "traces/random-search/000000.parquet"),
        _read_trace,
    ),
    "checkpoints": (
        _of_damage("damage_records", "checkpoint", "checkpoint.safetensors"),
        _read_checkpoint,
    ),
    "ledger": (_of_damage("damage_records", "ledger", "ledger.sqlite"), _read_ledger),
    "results": (_of_damage("damage_records", "results", "results.jsonl"), _read_results),
}
# Each trial takes milliseconds: fewer of them.
SLOW = {"ledger": 10, "results": 10, "checkpoints": 3}


@cache
def _corpus(parser: str) -> Corpus:
    return PARSERS[parser][0]()


# Mutations

TOKENS = (
    *(b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0" * 8, b"\xff" * 8),
    *(b"NaN", b"-1", b"1e308", b"null", b"true", b'""', b"[]", b"{}", b"[[", b"999999999999999999"),
    *(b"\x1b[31m", b"\r", b"\n", b"../../", b"PK\x03\x04", b"(", b"t", b"\x85", b"}", b"N", b"c"),
    *(b"PAR1", b"ARROW1", b"nb101", b"input", b"output"),
)


def mutate(rng: random.Random, data: bytes, others: Corpus) -> bytes:
    """Damage bytes in one to six ways."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at = rng.randrange(len(found) + 1)
        length = rng.choice((1, 1, 2, 4, 8, 16, 64, 256))
        match rng.randrange(9):
            case 0 if at < len(found):
                found[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(found):
                found[at] = rng.randrange(256)
            case 2:
                del found[at : at + length]
            case 3:
                found[at:at] = found[at : at + length] * rng.choice((1, 2, 50))
            case 4:
                token = rng.choice(TOKENS)
                found[at : at + rng.choice((0, len(token)))] = token
            case 5:
                form = rng.choice(("<H", ">H", "<I", ">I", "<Q"))
                size = struct.calcsize(form)
                number = rng.choice((0, 1, 255, 256, (1 << 8 * size - 1) - 1, (1 << 8 * size) - 1))
                found[at : at + size] = struct.pack(form, number % (1 << 8 * size))
            case 6:
                other = rng.choice(others)
                start = rng.randrange(len(other) + 1)
                found[at : at + length] = other[start : start + length]
            case 7:
                found[at:at] = bytes([rng.randrange(256)]) * rng.choice((1, 10, 1000, 30000))
            case _ if rng.random() < 0.3:
                del found[at:]
    return bytes(found)


def mutate_json(rng: random.Random, data: bytes) -> bytes:
    """Put something else in place of one to three parts of JSON, or leave them out."""
    value = json.loads(data)
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    for _ in range(rng.choice((1, 1, 2, 3))):
        places: list[tuple[Any, Any]] = []
        todo = [value]
        while todo:
            part = todo.pop()
            inner = part.items() if isinstance(part, dict) else enumerate(part)
            for key, child in inner:
                places.append((part, key))
                if isinstance(child, dict | list):
                    todo.append(child)
        if not places:
            break
        part, key = rng.choice(places)
        other, name = rng.choice(places)
        hostile = (
            *(
                None,
                True,
                -1,
                0,
                1,
                1 << 70,
                1e308,
                -0.0,
                float("nan"),
                float("inf"),
                "",
                "\x1b[2J",
            ),
            *(
                [],
                {},
                [None],
                [[]],
                {"": 0},
                "x" * 10000,
                deep,
                "0",
                1.5,
                copy.deepcopy(other[name]),
            ),
        )
        if rng.random() < 0.2:
            del part[key]
        else:
            part[key] = rng.choice(hostile)
    return json.dumps(value).encode()


def seal_anew(data: bytes) -> bytes:
    """Give what is damaged a good seal, if there is a place for one."""
    blank = re.sub(rb"nb101-sha256:[0-9a-f]{64}", seals.BLANK.encode(), data)
    try:
        return seals.seal_bytes(blank)
    except ValueError:
        return data


def draw(parser: str, seed: int, trial: int) -> bytes:
    """Draw what a parser is given."""
    rng = random.Random(f"{parser} {seed} {trial}")
    corpus = _corpus(parser)
    data = rng.choice(corpus)
    if data[:1] == b"{" and rng.random() < 0.7:
        try:
            data = mutate_json(rng, data)
        except ValueError:
            # Lines of JSON, or a pickle.
            data = mutate(rng, data, corpus)
    else:
        data = mutate(rng, data, corpus)
    return seal_anew(data) if rng.random() < 0.9 else data


def attempt(given: list[Any] | None) -> tuple[str, str]:
    """Give a parser what was drawn; the child of `run` calls it."""
    if given is None:
        return "unchanged", ""
    parser, seed, trial = given
    data = draw(parser, seed, trial)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "given"
        path.write_bytes(data)
        try:
            PARSERS[parser][1](path)
        except (NB101Error, OSError) as error:
            if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in str(error)):
                return "wrong", f"control characters in the message {str(error)!r}"
            return "refused", str(error)[:200]
    return "unchanged", ""


def fuzz(parser: str, seed: int, n: int, seconds: float = float("inf")) -> Count:
    """Give a parser `n` mutations, or as many as it can be given in so many seconds."""
    count = Count()
    end = time.monotonic() + seconds
    # What the parser imports and the corpus is made of count for nobody's memory.
    _corpus(parser)
    each = takewhile(
        lambda _: time.monotonic() < end, ([parser, seed, trial] for trial in range(n))
    )
    function = "torture.fuzz_python:attempt"
    for given, outcome, said in trials(function, each, seconds=SECONDS, megabytes=MEGABYTES):
        what = f"{parser}, trial {given[2]}: {said}" if outcome in BAD else ""
        count.add(outcome, f"{what}   [python -m torture.fuzz_python --show {given}]")
    return count


def run(seed: int, n: int) -> dict[str, Any]:
    """Give each parser `n` mutations, slow ones fewer."""
    counts = {name: fuzz(name, seed, max(n // SLOW.get(name, 1), 1)) for name in PARSERS}
    return {name: count.as_dict() for name, count in counts.items()}


def main() -> int:
    """Fuzz each parser for a time, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m torture.fuzz_python")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each parser")
    parser.add_argument("--seed", type=int, default=101)
    parser.add_argument("--only", action="append", choices=list(PARSERS))
    parser.add_argument("--show", help="make one trial in this process: [PARSER, SEED, TRIAL]")
    given = parser.parse_args()
    if given.show:
        trial = json.loads(given.show.replace("'", '"'))
        print(draw(*trial)[:2000])
        print(*attempt(trial))
        return 0
    bad = 0
    for name in given.only or PARSERS:
        count = fuzz(name, given.seed, sys.maxsize, given.seconds)
        bad += count.bad
        print(
            f"{name}: {count.tried:,} tried, {count.refused:,} refused, {count.unchanged:,} read, "
            f"{count.bad:,} wrong, crashed or without an end",
            flush=True,
        )
        print(*count.failures[:20], sep="\n", end="\n" if count.failures else "", flush=True)
    return int(bool(bad))


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
