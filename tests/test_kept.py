"""What earlier versions wrote opens: pickles, and files of each kind of docs/reference/files.md.

`kept/make.py` wrote it, with answers beside it.
"""

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

import nb101
from nb101 import api, campaign, predict, seals, search
from nb101.space.writers import write_space
from nb101.train import data

KEPT = Path(__file__).parent / "kept" / "0.1.0"
ANSWERS: dict[str, Any] = json.loads((KEPT / "answers.json").read_text())
PICKLES = sorted(path.stem for path in KEPT.glob("*.pickle"))


@pytest.mark.parametrize("name", PICKLES)
def test_pickles_open(name: str) -> None:
    value = pickle.loads((KEPT / f"{name}.pickle").read_bytes())
    shown = ANSWERS["shown"][name]
    if " at 0x" in shown:
        assert type(value).__name__ in shown
    else:
        assert repr(value) == shown
    # And once more, under the names of today.
    again = pickle.loads(pickle.dumps(value))
    assert type(again) is type(value)


def test_all_kinds_are_there() -> None:
    assert set(PICKLES) == set(ANSWERS["shown"])
    assert len(PICKLES) == 24


def test_pickled_objects_work() -> None:
    def load(name: str) -> Any:
        return pickle.loads((KEPT / f"{name}.pickle").read_bytes())

    table = nb101.Table.open(KEPT / "table.arrow")
    assert load("table").equals(table.select(cells=[0, 5, 17]))
    assert load("cell") == load("space")[17] == load("cells")[2]
    bench: nb101.Benchmark = load("benchmark")
    assert bench.table.equals(table)
    # Two runs were asked of it before the one that it is asked now: those that follow are drawn.
    assert bench.query(3, epochs=12).epochs == 12
    noisy: nb101.Benchmark = load("benchmark_with_noise")
    assert noisy.query(11).validation_accuracy == ANSWERS["noisy"]
    spec = load("model_spec")
    assert isinstance(spec, api.ModelSpec)
    nasbench: api.NASBench = load("nasbench")
    assert nasbench.is_valid(spec)
    assert (
        nasbench.query(spec)["trainable_parameters"]
        == nb101.Cell([[0, 1], [0, 0]], ["input", "output"]).parameters
    )
    assert len(nasbench.fixed_statistics) == 423_624


@pytest.mark.parametrize("ending", ["arrow", "parquet"])
def test_tables_open(ending: str) -> None:
    table = nb101.Table.open(KEPT / f"table.{ending}", verify=True)
    sums = {name: float(np.ma.sum(table.column(name))) for name in table.columns}
    assert sums == pytest.approx(ANSWERS["table"], rel=1e-12)
    assert table.direction("latency") == "min"


def test_cells_are_what_they_were(tmp_path: Path) -> None:
    """Nothing of ours reads these files: who does finds the same columns, and the same JSON."""
    space = nb101.SearchSpace(4, 3)
    for ending, read in (("parquet", pq.read_table), ("arrow", feather.read_table)):
        kept = KEPT / f"cells.{ending}"
        seals.check_seal(kept, "")
        cells = read(kept)
        today = tmp_path / kept.name
        write_space(space, today)
        assert read(today).equals(cells)
        assert read(today).schema.equals(cells.schema)
        assert cells["hash"].to_pylist() == [cell.hash for cell in space.enumerate()]
    for name in ("cells.csv", "cells.json"):
        write_space(space, tmp_path / name)
        assert (tmp_path / name).read_bytes() == (KEPT / name).read_bytes()


def test_official_records_are_read_and_written_as_ever(tmp_path: Path) -> None:
    table = nb101.convert(KEPT / "records.tfrecord", tmp_path / "records.arrow")
    assert table.column("cell_id").tolist() == [0, 0, 0, 25, 25, 25]
    assert table.column("final_test_accuracy").tolist() == ANSWERS["records"]
    table.save(tmp_path / "again.tfrecord")
    assert (tmp_path / "again.tfrecord").read_bytes() == (KEPT / "records.tfrecord").read_bytes()


def test_a_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from nb101 import train

    folder = shutil.copytree(KEPT / "checkpoint", tmp_path / "checkpoint")
    plan = campaign.Plan.load(KEPT / "plan.json")
    images = data.synthetic(train=192, validation=32, test=32, size=6)
    assert images.checksum == plan.data.checksum
    steps: list[int] = []
    result = train.train(
        plan.space[0],
        images,
        plan.config.replace(epochs=1),
        seed=1,
        checkpoint=folder,
        progress=lambda done, total, what: steps.append(done),
    )
    # From the fourth step of six on.
    assert min(steps) >= 3
    expected = [value for one in ANSWERS["checkpoint"] for value in one[2:]]
    found = [value for one in result.evaluations for value in one[2:]]
    # Another machine may round otherwise, and an image in 32 fall to the other side.
    assert found == pytest.approx(expected, abs=0.1)
    assert train.load_network(folder) is not None


def test_traces_and_comparisons_open(tmp_path: Path) -> None:
    trace = search.Trace.open(KEPT / "trace.parquet")
    assert trace.cell_ids.tolist() == ANSWERS["trace"]
    folder = shutil.copytree(KEPT / "comparison", tmp_path / "comparison")
    before = {path: path.read_bytes() for path in folder.glob("traces/*/*")}
    names = ["random-search", "local-search"]
    found = search.compare(KEPT / "table.arrow", folder, names=names, runs=3, queries=5, jobs=1)
    assert found.runs == dict.fromkeys(names, 3)
    assert len(before) == 4
    assert all(path.read_bytes() == content for path, content in before.items())


def test_predictors_open() -> None:
    predictor = predict.load(KEPT / "predictor.npz")
    cells = nb101.SearchSpace(4, 5).enumerate()[:8]
    predicted = predictor.predict(cells, "validation_accuracy", 12)
    assert predicted.tolist() == pytest.approx(ANSWERS["predicted"], rel=1e-6)


def test_plans_open() -> None:
    plan = campaign.Plan.load(KEPT / "plan.json")
    assert len(plan) == 2 * 2 * 2
    assert plan.space == nb101.SearchSpace(4, 5)


def test_a_campaign_goes_on(tmp_path: Path) -> None:
    """With its plan, images, ledger and results; nothing that was done is done again."""
    pytest.importorskip("torch")
    folder = shutil.copytree(KEPT / "campaign", tmp_path / "campaign")
    assert campaign.status(folder).done < 8
    done = campaign.table(folder)
    whole = campaign.run(KEPT / "plan.json", folder, workers=1, threads=1)
    assert whole.column("cell_id").tolist() == ANSWERS["campaign"]["cells"]
    accuracies = whole.column("final_test_accuracy")
    assert np.isfinite(accuracies).all()
    key = ("cell_id", "epochs", "repeat")
    places = {tuple(run): i for i, run in enumerate(np.stack([whole.column(x) for x in key], 1))}
    rows = [places[tuple(run)] for run in np.stack([done.column(x) for x in key], 1)]
    assert len(rows) == len(done)
    expected = np.array(ANSWERS["campaign"]["accuracies"])[rows]
    assert accuracies[rows].tolist() == done.column("final_test_accuracy").tolist()
    assert done.column("final_test_accuracy").tolist() == pytest.approx(expected.tolist())
