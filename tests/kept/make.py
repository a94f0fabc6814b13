"""Write small files and pickles of this version, which later ones must open.

``python tests/kept/make.py`` writes them into a folder of the version's name beside this file, and
``answers.json`` with what was asked of each. It imports nothing but what users import, and is run
once for a version whose files, or whose names in pickles, are to change: what is there stays.
"""

import contextlib
import json
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import nb101
from nb101 import api, campaign, predict, search, train
from nb101.recipes import Skeleton
from nb101.train.data import synthetic

SPACE = nb101.SearchSpace(4, 5)


def table() -> nb101.Table:
    """Make three runs of each cell of a small space, with numbers that anybody can check."""
    n = len(SPACE)
    ids, epochs, repeat = (
        x.ravel() for x in np.meshgrid(np.arange(n), [4, 12], np.arange(3), indexing="ij")
    )
    columns: dict[str, Any] = {"cell_id": ids, "epochs": epochs, "repeat": repeat}
    for i, part in enumerate(("start", "halfway", "final")):
        columns[f"{part}_epoch"] = epochs * i / 2
        columns[f"{part}_training_time"] = epochs * i * (10.0 + ids % 7) / 2
        for j, split in enumerate(("train", "validation", "test")):
            numbers = 0.1 + 0.25 * i + (ids * 37 % 101 + 7 * repeat + epochs - 3 * j) / 1000
            columns[f"{part}_{split}_accuracy"] = numbers
    columns["trainable_parameters"] = SPACE.enumerate().parameters()[ids]
    columns["total_time"] = columns["final_training_time"] + 1.0
    columns["latency"] = 1.0 + ids / n
    return nb101.Table.from_columns(
        columns,
        space=SPACE,
        provenance={"kind": "measured", "source": "made up", "created": "2026-11-27"},
        directions={"latency": "min"},
    )


def plan() -> campaign.Plan:
    """Two cells, on images that take a moment."""
    return campaign.Plan(
        cells=[0, 5],
        data=synthetic(train=192, validation=32, test=32, size=6),
        epochs=(1, 12),
        repeats=2,
        config=train.TrainConfig(
            batch_size=32, stem_channels=4, cells_per_stack=1, stacks=2, padding=1, device="cpu"
        ),
        space=SPACE,
    )


class StoppedError(Exception):
    """Ends a campaign half-way."""


def stop_at_two(status: campaign.Status) -> None:
    """End a campaign when two of its runs are done."""
    if status.done >= 2:
        raise StoppedError


def beside(folder: Path) -> dict[str, Any]:
    """Write what no object of the others stands for: cells, official records, a checkpoint."""
    for ending in ("parquet", "arrow", "csv", "json"):
        # By the command, which writes them.
        subprocess.run(
            [
                *(sys.executable, "-m", "nb101", "enumerate", "--vertices", "4", "--edges", "3"),
                *("--output", folder / f"cells.{ending}"),
            ],
            check=True,
        )
    whole = nb101.SearchSpace()
    few = {"cell_id": np.repeat([0, 25], 3), "epochs": np.full(6, 4), "repeat": [0, 1, 2] * 2}
    for i, part in enumerate(("start", "halfway", "final")):
        few[f"{part}_epoch"] = np.full(6, 2.0 * i)
        few[f"{part}_training_time"] = np.arange(6) * i + 10.5 * i
        for j, split in enumerate(("train", "validation", "test")):
            few[f"{part}_{split}_accuracy"] = (np.arange(6) + 8 * i + j) / 32
    records = nb101.Table.from_columns(few, space=whole, provenance={"kind": "measured"})
    records.save(folder / "records.tfrecord")

    def stop(done: int, total: int, what: str) -> None:
        if done == 3:
            raise StoppedError

    with contextlib.suppress(StoppedError):
        run(folder / "checkpoint", progress=stop)
    with tempfile.TemporaryDirectory() as elsewhere:
        whole_run = run(Path(elsewhere))
    return {
        "records": records.column("final_test_accuracy").tolist(),
        "checkpoint": [list(evaluation) for evaluation in whole_run.evaluations],
    }


def run(folder: Path, **given: Any) -> train.Result:
    """Train for six steps, keeping checkpoints."""
    made = plan()
    assert made.images is not None
    config = made.config.replace(epochs=1)
    return train.train(SPACE[0], made.images, config, seed=1, checkpoint=folder, **given)


def main() -> None:
    folder = Path(__file__).parent / nb101.__version__
    folder.mkdir(exist_ok=True)
    made = table()
    bench = nb101.Benchmark(made, seed=3)
    queried = bench.query(7, epochs=4)
    cell = SPACE[17]
    own = nb101.Cell(
        [[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["input", "b", "output"], op_names=list("abc")
    )
    trace = search.run("random-search", nb101.Benchmark(made, seed=0), queries=6, seed=0)
    with tempfile.TemporaryDirectory() as elsewhere:
        done = campaign.run(plan(), elsewhere, workers=1, threads=1)
    with contextlib.suppress(StoppedError):
        campaign.run(plan(), folder / "campaign", workers=1, threads=1, on_status=stop_at_two)
    plan().save(folder / "plan.json")
    predictor = predict.fit(
        made,
        metrics=["validation_accuracy"],
        folds=2,
        settings=predict.Settings(networks=1, hidden=(4,), alpha=(0.5,), schedule=((1e-3, 2),)),
    )
    predictor.save(folder / "predictor.npz")
    default = nb101.load_table()
    noisy = nb101.Benchmark(default, seed=3, noise=True)
    noisy.query_many([1, 2, 3])
    search.compare(
        made, folder / "comparison", names=["random-search", "local-search"], runs=2, queries=5
    )
    with contextlib.chdir(folder):
        # Their paths are not to be of this machine.
        compared = search.Comparison.open("comparison")
        status = campaign.status("campaign")
    few = [0, 5, 17]

    objects: dict[str, Any] = {
        "cell": cell,
        "cell_of_other_ops": own,
        "cells": SPACE.enumerate()[few],
        "space": SPACE,
        "count": SPACE.count(),
        "table": made.select(cells=few),
        "default_table": default,
        "best": made.best("test_accuracy"),
        "benchmark": bench,
        "benchmark_with_noise": noisy,
        "comparison": compared,
        "status": status,
        "problem": nb101.Problem(record=3, offset=1234, message="wrong"),
        "run": queried,
        "runs": bench.query_many([7, 8], epochs=4),
        "spent": bench.spent,
        "trace": trace,
        "skeleton": Skeleton(stem_channels=16),
        "config": train.TrainConfig(epochs=12),
        "result": train.Result(
            cell=cell,
            config=train.TrainConfig(epochs=4),
            seed=1,
            evaluations=(
                train.Evaluation(0.0, 0.0, 0.5, 0.4, 0.3),
                train.Evaluation(2.0, 20.0, 0.5, 0.4, 0.3),
                train.Evaluation(4.0, 40.0, 0.5, 0.4, 0.3),
            ),
            trainable_parameters=cell.parameters,
            total_time=50.0,
            data="made up",
        ),
        "predictor": predictor,
        "nasbench": api.NASBench("surrogate-v1"),
        "model_spec": api.ModelSpec([[0, 1], [0, 0]], ["input", "output"]),
        "error": nb101.DatasetError("row 3: wrong", index=3, field="epochs"),
    }
    for name, value in objects.items():
        (folder / f"{name}.pickle").write_bytes(pickle.dumps(value, 4))
    made.save(folder / "table.arrow")
    made.save(folder / "table.parquet")
    trace.save(folder / "trace.parquet")
    answers = {
        "shown": {name: repr(value) for name, value in objects.items()},
        "table": {name: float(np.ma.sum(made.column(name))) for name in made.columns},
        "trace": trace.cell_ids.tolist(),
        "noisy": noisy.query(11).validation_accuracy,
        "predicted": predictor.predict(SPACE.enumerate()[:8], "validation_accuracy", 12).tolist(),
        "campaign": {
            "cells": done.column("cell_id").tolist(),
            "accuracies": done.column("final_test_accuracy").tolist(),
        },
    }
    answers |= beside(folder)
    for lock in folder.rglob(".lock"):
        lock.unlink()
    (folder / "answers.json").write_text(json.dumps(answers, indent=1) + "\n")
    print("made", folder, "with", sys.version.split()[0], "pyarrow", pa.__version__)


if __name__ == "__main__":
    main()
