"""Hostile calls of the extension module: arguments that no caller of ours would give.

Whatever it is given, a call answers or raises; a panic is a crash. A trial is a seed, which draws
the function and its arguments.
"""

import random
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nb101 import _core
from torture.common import Count, trials

ANSWERS = (TypeError, ValueError, OverflowError, MemoryError, OSError, KeyError, BufferError)
"""What a call may raise. Classes of the package are among them."""
SECONDS = 20.0
LIMITS = [(7, 9, 3), (7, 9, 3), (2, 1, 1), (3, 3, 2), (4, 6, 2), (5, 10, 15), (6, 15, 2)]
TOO_LARGE = [(11, 55, 15), (11, 20, 1), (10, 45, 9)]
NUMBERS = [0, 1, 2, 3, 4, 5, 7, 9, 11, 12, 15, 16, 63, 64, 255, 4096, -1, -2, -3]
HUGE = [2**31, 2**32 - 1, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), 2**70]
THINGS = [None, "7", b"\0", 3.5, float("nan"), True, [], [1], {}, object(), "\ud800", 1j]


@cache
def space(limits: tuple[int, int, int]) -> "_core.Space":
    return _core.Space(*limits)


class Lender:
    """Passes for a generator of random numbers, which are always the same."""

    def __init__(self, numbers: Any) -> None:
        self.numbers = numbers

    def random(self, n: int) -> Any:
        return self.numbers


class Draw:
    """Draws arguments, most of them nearly right."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.generator = np.random.default_rng(seed)
        # Arrays that another thread may change meanwhile.
        self.arrays: list[Any] = []

    def whole(self) -> Any:
        kind = self.rng.random()
        if kind < 0.75:
            return self.rng.choice(NUMBERS)
        return self.rng.choice(HUGE) if kind < 0.9 else self.rng.choice(THINGS)

    def space(self) -> Any:
        if self.rng.random() < 0.05:
            return self.rng.choice(THINGS)
        return space(self.rng.choice(LIMITS if self.rng.random() < 0.9 else TOO_LARGE))

    def numbers(self) -> Any:
        """Return what draws numbers, or should."""
        odd: list[Any] = [Lender(x) for x in (np.array([5.0, np.nan, np.inf, -1.0]), np.zeros(0))]
        return self.rng.choice([self.generator, *odd, Lender(self.spoilt(np.ones(9)))])

    def drawn(self) -> Any:
        return _core.Draws(self.numbers())

    def few(self) -> Any:
        """How often to try, which is no endless task."""
        return self.rng.choice([0, 1, 100, 65535, 65536, -1, None])

    def evaluation(self) -> list[Any]:
        """What an evaluation of 9 rows is made of."""
        kinds = ["f4", "f4", "f8", "i4"]
        columns = [[self.rng.choice([None, self.array(kinds, (9,), 2)]) for _ in range(4)]]
        columns += [[self.rng.choice([None, self.array(kinds, (9,), 2)]) for _ in range(4)]]
        return [
            self.array(["i4", "i4", "i8"], (9,), 9),
            (self.rng.choice([0, 0, 3, 2**63]), *(self.rng.choice([0, 1, 3, -1]) for _ in "ab")),
            columns[0],
            tuple(self.rng.choice([0.0, 0.5, 9984.0, -2.5, float("nan")]) for _ in range(10)),
            self.rng.choice([None, columns[1]]),
        ]

    def made(self) -> Any:
        """Return an evaluation, if what it is made of makes one."""
        try:
            return _core.Evaluation(*self.evaluation())
        except ANSWERS:
            return None

    def converse(self, conversation: "_core.Conversation") -> None:
        """Let it answer, twice at times and taken in between, of what need not fit."""

        def taking(accuracy: float) -> Any:
            if self.rng.random() < 0.5:
                conversation.take()
            return (1, 108)

        sends: list[Any] = [lambda accuracy: (1, 108), lambda accuracy: None, taking, 3]
        trials: list[Any] = [(1, 108), (-1, 108), (2**70, 108), (1, []), (1, 108.0), (True, 108)]
        spent: list[Any] = [(0.0, 0), (float("nan"), -1), (1,)]
        for _ in range(self.rng.choice([1, 2])):
            evaluations: list[Any] = [{108: (self.made(), self.callback())}, {108: 3}, {}, None]
            conversation.answer(
                self.rng.choice(sends),
                self.rng.choice([*trials, None]),
                self.rng.choice(evaluations),
                self.array(["f8"], (30,), 2),
                self.rng.choice([None, self.array(["f8"], (30, 5), 2)]),
                self.rng.choice(spent),
                (self.rate(), 1e9),
                self.rate(),
            )
        conversation.take()

    def ask(self, evaluation: "_core.Evaluation") -> None:
        """Ask an evaluation."""
        kinds: list[Any] = [None, [0.1] * 5, [np.nan] * 5, [1e308] * 5, [1.0]]
        normals = self.rng.choice(kinds)
        evaluation.ask(self.whole(), self.rate(), normals)
        evaluation.noisy(self.rng.choice([0, 8, 9, 2**62]), normals)
        evaluation.noisy_kind(3, normals, self.rate(), True)
        evaluation.noisy_many(self.array(["i8"], (6,), 9), self.array(["f8"], (6, 5), 2))

    def columns(self) -> list[Any]:
        """Two columns of words: cells of a space, with a few bits flipped now and then."""
        small = space(self.rng.choice(LIMITS[2:]))
        n = self.rng.choice([0, 1, 2, 5, 100, 3000])
        pool = small.stream().next(5000)
        chosen = self.generator.integers(0, len(pool[0]), n)
        words = [column[chosen].copy() for column in pool]
        kind = self.rng.random()
        if kind < 0.35 and n:
            for _ in range(self.rng.randint(1, 4)):
                column = words[self.rng.randrange(2)]
                column[self.rng.randrange(n)] ^= np.uint64(1 << self.rng.randrange(64))
        elif kind < 0.45:
            words = [self.generator.integers(0, 2**64, n, dtype=np.uint64) for _ in words]
        elif kind < 0.5:
            words[1] = words[1][: n // 2]
        return [self.spoilt(word) for word in words]

    def word(self) -> Any:
        columns = self.columns()
        try:
            return int(self.rng.choice(columns)[0])
        except (LookupError, TypeError, ValueError, OverflowError):
            return self.whole()

    def array(self, kinds: list[str], shape: tuple[int, ...], high: int) -> Any:
        low = self.rng.choice([0, 0, 0, -3])
        values: Any = self.generator.integers(low, max(high, low + 1), shape)
        if self.rng.random() < 0.1:
            values = values * 1e18
        with np.errstate(invalid="ignore"):
            found = values.astype(self.rng.choice(kinds))
        if found.dtype.kind == "f" and found.size and self.rng.random() < 0.3:
            found.flat[self.rng.randrange(found.size)] = self.rng.choice([np.nan, np.inf, 1e308])
        return self.spoilt(found)

    def spoilt(self, array: Any) -> Any:
        """Give an array another layout now and then."""
        self.arrays.append(array)
        kind = self.rng.random()
        if kind < 0.75:
            return array
        if kind < 0.8:
            return self.rng.choice(THINGS)
        layouts: list[Callable[[], Any]] = [
            lambda: array[::2],
            lambda: array[::-1],
            lambda: array[:0],
            lambda: np.stack([array, array]),
            lambda: array.astype(array.dtype.newbyteorder(">")),
            lambda: array.astype(np.float16),
            lambda: array.astype(object),
            lambda: np.frombuffer(b"\0" + array.tobytes(), np.uint8)[1:].view(array.dtype),
            lambda: np.asfortranarray(array),
            lambda: array.tolist(),
            lambda: np.broadcast_to(array[:1], array.shape) if array.ndim else array,
            lambda: memoryview(np.ascontiguousarray(array).data),
            lambda: array.reshape(-1, 1),
            lambda: np.array(array[0]) if len(array) else array,
        ]
        return self.rng.choice(layouts)()

    def modules(self) -> list[Any]:
        n, v = self.rng.choice([0, 1, 3, 200]), self.rng.choice([0, 1, 2, 3, 5, 7, 11, 12, 20])
        matrices = np.triu(self.generator.integers(0, 2, (n, v, v)), 1)
        ops = self.generator.integers(0, self.rng.choice([3, 15, 40]), (n, v))
        if v:
            ops[:, 0], ops[:, -1] = -1, -2
        if n and v and self.rng.random() < 0.4:
            matrices.flat[self.rng.randrange(matrices.size)] = self.rng.choice([2, -1, 1])
            ops.flat[self.rng.randrange(ops.size)] = self.rng.choice([-3, -2, -1, 99, -9])
        kinds = ["i1", "i2", "i4", "i8", "u1", "u8", "f4", "f8"]
        found = matrices.astype(self.rng.choice([*kinds, "?"]))
        return [self.spoilt(found), self.spoilt(ops.astype(self.rng.choice(["i1", "i4", "i8"])))]

    def graph(self) -> list[Any]:
        n = self.rng.choice([0, 1, 5, 2000])
        counts = self.generator.integers(0, 4, n)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        targets = self.generator.integers(0, max(n, 1), int(offsets[-1])).astype(np.uint32)
        if n and self.rng.random() < 0.2:
            offsets[self.rng.randrange(n + 1)] = self.rng.choice([-1, 2**62, 3])
        return [self.spoilt(offsets), self.spoilt(targets)]

    def ids(self) -> Any:
        n = self.rng.choice([0, 1, 5, 84, 3000])
        ids = np.sort(self.generator.choice(5000, n, replace=False)).astype(np.uint64)
        if n and self.rng.random() < 0.3:
            ids[self.rng.randrange(n)] = self.rng.choice([0, 2**32, 2**63, 2**64 - 1])
        return self.spoilt(ids)

    def names(self) -> Any:
        known = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3", "", "x" * 1000, "\0", "é"]
        if self.rng.random() < 0.1:
            return self.rng.choice(THINGS)
        return [self.rng.choice(known) for _ in range(self.rng.choice([0, 1, 3, 3, 15, 40]))]

    def text(self) -> Any:
        return self.rng.choice(["", "0" * 32, "f" * 32, "é" * 16, "\0" * 32, "g" * 32, "\ud800"])

    def seed(self) -> Any:
        return self.rng.choice([0, 1, 2**63, 2**64 - 1, -1, 2**64, None, 1.5])

    def rate(self) -> Any:
        return self.rng.choice([0.0, 0.5, 1.0, 2.0, 7.0, -1.0, 1e308, float("nan"), float("inf")])

    def flag(self) -> Any:
        return self.rng.choice([True, False, True, False, None, 2])

    def callback(self) -> Any:
        def raises(*_: Any) -> None:
            raise ValueError("from a callback")

        return self.rng.choice([None, None, None, lambda *_: None, raises, 7, lambda: None])

    def frame(self) -> Any:
        if self.rng.random() < 0.6:
            return self.rng.choice([(7, 9, 3), (11, 55, 15), (5, 10, 15)])
        return tuple(self.whole() for _ in range(self.rng.choice([3, 3, 3, 2])))

    def data(self) -> Any:
        size = self.rng.choice([0, 1, 4, 9, 16, 49, 392, 1000])
        return self.rng.choice([bytes(size), self.rng.randbytes(size), bytearray(size), None])

    def lists(self) -> list[Any]:
        n = self.rng.choice([0, 1, 2, 5, 7, 12])
        matrix = [[self.rng.choice([0, 0, 1, 1, 2, -1, 2**63]) for _ in range(n)] for _ in range(n)]
        ops = [-1, *[self.rng.randrange(20) for _ in range(n - 2)], -2][:n]
        return [matrix, self.rng.choice([ops, ops, ops[:-1], None, [2**64] * n])]


def files(draw: Draw, folder: str) -> dict[str, Callable[[], list[Any]]]:
    """Calls that read or write a file."""
    path = Path(folder) / draw.rng.choice(["file", "no/folder", "\ud800", ".", "a" * 300])
    if draw.rng.random() < 0.5 and path.name == "file":
        path.write_bytes(draw.rng.randbytes(draw.rng.choice([0, 11, 12, 16, 500])))

    def columns() -> dict[str, Any]:
        n = draw.rng.choice([0, 1, 5])
        kinds = {"cell_id": "i4", "epochs": "i2", "record": "i4", "trainable_parameters": "i4"}
        metrics = [
            f"{stage}_{field}"
            for stage in ("start", "halfway", "final")
            for field in (
                *("epoch", "training_time", "train_accuracy"),
                *("validation_accuracy", "test_accuracy"),
            )
        ]
        found = {name: draw.array([kind], (n,), 500) for name, kind in kinds.items()}
        found |= {name: draw.array(["f4", "f8"], (n,), 2) for name in metrics}
        found["total_time"] = draw.array(["f8"], (n,), 9)
        if draw.rng.random() < 0.2:
            del found[draw.rng.choice(list(found))]
        return found

    return {
        "read_release": lambda: [str(path), draw.flag(), draw.flag(), draw.callback()],
        "scan_release": lambda: [str(path), draw.flag(), draw.flag(), draw.callback()],
        "write_release": lambda: [
            str(path),
            columns(),
            draw.rng.choice([[], [(0, b"x")], [(9, b"")], [(-1, b"")], [(1, b"a"), (0, b"b")]]),
            draw.callback(),
        ],
    }


def functions(draw: Draw) -> dict[str, Callable[[], list[Any]]]:
    """Each function of the module, with what draws its arguments."""
    words = draw.columns
    return {
        "hash_modules": lambda: [*draw.modules(), draw.flag(), draw.callback()],
        "canonical_module": draw.lists,
        "read_lists": draw.lists,
        "matrix_bytes": lambda: [draw.word(), draw.whole()],
        "vertices_on_paths": lambda: [draw.data(), draw.whole()],
        "canonical_modules": draw.modules,
        "pruned_modules": draw.modules,
        "packed_module": draw.modules,
        "canonical_cells": words,
        "check_ops": lambda: [*words(), draw.whole()],
        "hash_graph": lambda: [
            [[draw.rng.choice([0, 1, 2, 9, -1]) for _ in range(2)] for _ in range(3)],
            draw.rng.choice([[-1, 0, -2], [2**63, 0, 1], [], [-1, -2]]),
        ],
        "hash_cells": lambda: [*words(), draw.callback()],
        "to_hex": lambda: [draw.array(["u1"], draw.rng.choice([(3, 16), (3, 15), (0, 16)]), 255)],
        "adjacency": lambda: [*words(), draw.whole()],
        "operations": lambda: [*words(), draw.whole()],
        "text_columns": lambda: [*words(), draw.names()],
        "costs": lambda: [*words(), draw.names()],
        "vertex_channels": lambda: [*words(), draw.whole(), draw.whole(), draw.whole()],
        "depth_width": words,
        "alignment_distances": lambda: [*words(), draw.word(), draw.word()],
        "encode_one_hot": lambda: [*words(), draw.frame()],
        "encode_categorical": lambda: [*words(), draw.frame()],
        "encode_paths": lambda: [*words(), draw.frame(), draw.whole()],
        "structural_features": lambda: [*words(), draw.names(), draw.whole()],
        "structural_feature_names": lambda: [draw.names()],
        "random_cells": lambda: [draw.space(), draw.rng.choice([0, 1, 99, 2**62]), draw.seed()],
        "op_changes": lambda: [draw.space(), *words()],
        "edge_changes": lambda: [draw.space(), *words()],
        "edit_graph": lambda: [draw.space(), draw.ids()],
        "walk_graph": lambda: [
            *draw.graph(),
            draw.array(["u4"], (3,), 5),
            draw.whole(),
            draw.seed(),
        ],
        "walk_encodings": lambda: [
            draw.space(),
            draw.ids(),
            draw.array(["u4"], (3,), 5),
            draw.whole(),
            draw.seed(),
        ],
        "ascend": lambda: [
            *draw.graph(),
            draw.array(["f8"], (draw.rng.choice([0, 1, 5, 2000]),), 9),
        ],
        "encoding_distances": lambda: [space((5, 10, 2)), *words()],
        "kendall": lambda: [draw.array(["f8"], (50,), 9), draw.array(["f8"], (50,), 9)],
        "masked_crc32c": lambda: [draw.array(["u1"], (100,), 255)],
        "set_threads": lambda: [draw.rng.choice([0, 1, 2, 3, 64, 2**40, -1, None])],
        "set_cpu": lambda: [draw.rng.choice([None, "baseline", "avx2", "avx512", "", "x", 7])],
        "Space": lambda: [draw.whole(), draw.whole(), draw.whole()],
        "Draws": lambda: [draw.numbers()],
        "Evaluation": draw.evaluation,
        "Conversation": lambda: [draw.rng.choice([0, 1, 30, 1000, -1, 2**62])],
    }


def methods(draw: Draw) -> dict[str, Callable[[], list[Any]]]:
    """Each method of a space."""
    words = draw.columns
    return {
        "count": list,
        "ids": words,
        "id": lambda: [draw.word(), draw.word()],
        "module_id": lambda: [draw.word(), draw.word()],
        "place_bytes": lambda: [draw.data(), draw.lists()[1]],
        "place_named": lambda: [
            draw.word(),
            draw.rng.choice([("i", "a", "o"), ("i", "o"), (), ("a", []), None]),
            draw.rng.choice([{"i": -1, "a": 0, "o": -2}, {"i": -1, "o": 2**70}, None]),
        ],
        "cell": lambda: [draw.whole()],
        "cells": lambda: [draw.ids()],
        "check": lambda: [draw.word(), draw.word()],
        "find_hash": lambda: [draw.text()],
        "neighbors": lambda: [draw.word(), draw.word()],
        "edit_distances": lambda: [draw.whole()],
        "edit_distance": lambda: [draw.whole(), draw.whole()],
        "mutate_cells": lambda: [*words(), draw.rate(), draw.seed()],
        "mutate_module": lambda: [draw.word(), draw.word(), draw.rate(), draw.seed()],
        "propose_random": lambda: [draw.few(), draw.drawn()],
        "propose_change": lambda: [draw.word(), draw.word(), draw.few(), draw.drawn()],
        "propose_changes": lambda: [draw.word(), draw.word(), draw.few(), draw.drawn()],
        "enumerate": lambda: [draw.callback()],
        "stream": list,
    }


def call(seed: int) -> tuple[str, str]:
    """Make one hostile call, and say what became of it."""
    draw = Draw(seed)
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        if draw.rng.random() < 0.35:
            drawn = draw.space()
            owner: Any = drawn if isinstance(drawn, _core.Space) else space((3, 3, 2))
            choices = methods(draw)
        else:
            owner, choices = _core, functions(draw) | files(draw, folder)
        name = draw.rng.choice(list(choices))
        if name == "enumerate" and owner is space((11, 20, 1)):
            return "unchanged", name  # Some 10^8 cells: long, and rightly so.
        arguments = choices[name]()
        if draw.rng.random() < 0.02:
            arguments = arguments[:-1]
        stop = threading.Event()
        changer = threading.Thread(target=change, args=(draw.arrays, seed, stop))
        changed = draw.rng.random() < 0.2
        if changed:
            changer.start()
        try:
            found = getattr(owner, name)(*arguments)
            if isinstance(found, _core.CellStream):
                found.next(draw.rng.choice([0, 1, 1000, 2**62]))
            if name == "scan_release":
                found[0].counts(draw.whole())
                found[0].take(draw.text(), draw.array(["f4", "i1"], (len(found[0]),), 9))
            if isinstance(found, _core.Draws):
                found.places(draw.rng.choice([0, 1, 2000, 2**62]), draw.rng.choice([0, 9, 2**63]))
            if isinstance(found, _core.Evaluation):
                draw.ask(found)
            if isinstance(found, _core.Conversation):
                draw.converse(found)
        except ANSWERS:
            return "refused", name
        except BaseException as error:
            # A panic is no Exception.
            return "crash", f"{name}: {type(error).__name__}: {error}"
        finally:
            stop.set()
            if changed:
                changer.join()
            # For the calls that follow.
            _core.set_threads(0)
            _core.set_cpu(None)
    return "unchanged", name


def change(arrays: list[Any], seed: int, stop: threading.Event) -> None:
    """Write to arrays while somebody reads them."""
    generator = np.random.default_rng(seed)
    targets = [array for array in arrays if array.size and array.flags.writeable]
    while targets and not stop.is_set():
        array = targets[int(generator.integers(len(targets)))]
        raw = array.view(np.uint8).reshape(-1) if array.flags.c_contiguous else array.reshape(-1)
        raw[int(generator.integers(raw.size))] = generator.integers(0, 2)


def run(seed: int, n: int) -> dict[str, Any]:
    """Make `n` hostile calls; see `torture.common`."""
    count = Count()
    seeds = (seed * 1_000_003 + i for i in range(n))
    for trial, outcome, message in trials(
        "torture.hostile:call", seeds, seconds=SECONDS, megabytes=3000
    ):
        count.add(outcome, f"torture.hostile:call({trial}): {message}")
    return count.as_dict()
