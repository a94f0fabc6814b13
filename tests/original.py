"""The original interface in plain Python: slow, and obviously right.

A file of official records becomes nested dicts, and a query looks into them.
"""

import random
from pathlib import Path
from typing import Any

import oracle
from official import read

OPS = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"]
METRICS = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")


class Original:
    def __init__(self, path: Path, seed: int | None = None) -> None:
        random.seed(seed)
        self.fixed: dict[str, dict[str, Any]] = {}
        self.computed: dict[str, dict[int, list[dict[str, float]]]] = {}
        for hash_, epochs, matrix, ops, numbers, parameters, _ in read(path.read_bytes()):
            v = int(len(matrix) ** 0.5)
            self.fixed[hash_] = {
                "module_adjacency": [[int(x) for x in matrix[i * v : i * v + v]] for i in range(v)],
                "module_operations": ops.split(","),
                "trainable_parameters": parameters,
            }
            # Five numbers for each of start, half and end, the epoch first.
            run = {f"halfway_{name}": numbers[6 + i] for i, name in enumerate(METRICS)}
            run |= {f"final_{name}": numbers[11 + i] for i, name in enumerate(METRICS)}
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
