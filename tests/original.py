"""The original interface in plain Python: slow, and obviously right.

A file of official records becomes nested dicts, and a query looks into them.
"""

import base64
import json
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oracle

OPS = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"]
METRICS = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")


def records(path: Path) -> Iterator[list[Any]]:
    data, at = path.read_bytes(), 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        yield json.loads(data[at + 12 : at + 12 + length])
        at += 16 + length


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a protobuf message."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 1:
            yield key >> 3, struct.unpack_from("<d", message, at)[0]
            at += 8
        else:
            length = varint()
            yield key >> 3, message[at : at + length]
            at += length


class Original:
    def __init__(self, path: Path, seed: int | None = None) -> None:
        random.seed(seed)
        self.fixed: dict[str, dict[str, Any]] = {}
        self.computed: dict[str, dict[int, list[dict[str, float]]]] = {}
        for hash_, epochs, matrix, ops, packed in records(path):
            metrics = list(fields(base64.b64decode(packed)))
            _, half, final = [dict(fields(value)) for number, value in metrics if number == 1]
            v = int(len(matrix) ** 0.5)
            self.fixed[hash_] = {
                "module_adjacency": [[int(x) for x in matrix[i * v : i * v + v]] for i in range(v)],
                "module_operations": ops.split(","),
                "trainable_parameters": dict(metrics)[2],
            }
            run = {f"halfway_{name}": half[i] for i, name in enumerate(METRICS, 2)}
            run |= {f"final_{name}": final[i] for i, name in enumerate(METRICS, 2)}
            self.computed.setdefault(hash_, {}).setdefault(epochs, []).append(run)
        self.seconds, self.epochs = 0.0, 0

    def query(
        self, matrix: list[list[int]], ops: list[str], epochs: int, halfway: bool
    ) -> dict[str, Any]:
        codes = [-1, *map(OPS.index, ops[1:-1]), -2]
        module = oracle.prune(*oracle.module(matrix, codes))
        assert module is not None
        hash_ = oracle.hash_module(*module)
        run = self.computed[hash_][epochs][random.randint(0, 2)]
        stage = "halfway" if halfway else "final"
        data = self.fixed[hash_] | {name: run[f"{stage}_{name}"] for name in METRICS}
        self.seconds += data["training_time"]
        self.epochs += epochs // 2 if halfway else epochs
        return data
