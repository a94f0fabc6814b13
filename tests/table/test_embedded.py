"""The table that the package carries: what it promises, and a plain reading of its file."""

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import spearmanr

import nb101
from nb101 import DatasetError
from nb101.table import embedded
from nb101.table.embedded import PATH, PackedColumns
from surrogate import card

EPOCHS = (4, 12, 36, 108)


@pytest.fixture(scope="module")
def table() -> nb101.Table:
    return nb101.load_table()


def test_the_whole_space_at_four_budgets(table: nb101.Table, cells: nb101.Cells) -> None:
    assert table.epochs == EPOCHS
    assert len(table) == 4 * 423_624
    assert (table.cell_ids == np.arange(423_624)).all()
    assert (table.values("trainable_parameters", 12)[:, 0] == cells.parameters()).all()
    table.verify()
    before = np.zeros(len(cells))
    for epochs in EPOCHS:
        for metric in ("validation_accuracy", "test_accuracy"):
            values = table.mean(metric, epochs)
            assert values.min() >= 0.05
            assert values.max() < 0.96
            assert (table.mean(f"{metric}_spread", epochs) > 0).all()
            assert (table.mean(f"{metric}_uncertainty", epochs) > 0).all()
        assert table.mean("validation_accuracy", epochs).mean() > before.mean()
        before = table.mean("validation_accuracy", epochs)
        time = table.mean("training_time", epochs)
        assert time.min() > 5
        assert time.max() < 10_000


def test_it_says_that_it_is_predicted(table: nb101.Table) -> None:
    about = table.provenance
    assert about["kind"] == "predicted"
    assert about["name"] == "surrogate-v1"
    assert "no number was measured" in about["note"]
    assert "20,001 cells" in about["learnt_from"]
    assert "predicted" in repr(table)
    errors = about["cross_validated"]["validation_accuracy at 108"]
    assert errors["cells"] == 20_001
    assert 0.97 < errors["spearman"] < 0.999


def test_the_model_card_has_the_figures_of_the_table(table: nb101.Table) -> None:
    text = (Path(__file__).parents[2] / "docs" / "explanation" / "surrogate.md").read_text()
    for name, lines in card.tables(embedded.report()).items():
        assert f"<!-- {name} -->\n{lines}<!-- end of {name} -->" in text, name
    assert "| validation accuracy at 108 | 0.98" in text


def test_a_plain_reading_of_the_file(table: nb101.Table) -> None:
    """The file as its description says it is, cell by cell."""
    with np.load(PATH, allow_pickle=False) as archive:
        arrays = dict(archive)
    about = json.loads(arrays["about"].tobytes())
    for cell in (0, 91, 200_000, 423_623):
        high, low = (int(arrays[f"training_time_108_{x}"][cell]) for x in ("high", "low"))
        log = about["least_log_time"] + (256 * high + low) * about["units"]["training_time"]
        for i, epochs in enumerate(EPOCHS):
            high, low = (
                int(arrays[f"validation_accuracy_{epochs}_{x}"][cell]) for x in ("high", "low")
            )
            accuracy = (256 * high + low) * about["units"]["validation_accuracy"][i]
            slope, start = about["test_line"][i]
            rate, base = about["time_line"][i]
            expected = {
                "validation_accuracy": accuracy,
                "test_accuracy": start + slope * accuracy,
                "training_time": np.exp(base + rate * log),
            }
            for metric in ("validation_accuracy", "test_accuracy"):
                for what in ("spread", "uncertainty"):
                    x, y = about[f"{metric}_{what}"][i]
                    expected[f"{metric}_{what}"] = np.interp(accuracy, x, y)
            for what in ("spread", "uncertainty"):
                share = about[f"training_time_{what}"][i]
                expected[f"training_time_{what}"] = share * expected["training_time"]
            row = i * 423_624 + cell
            for metric, value in expected.items():
                name = metric if metric.endswith(("spread", "uncertainty")) else f"final_{metric}"
                assert table.column(name)[row] == pytest.approx(value, rel=1e-5), (name, epochs)


def test_it_is_a_table_like_others(table: nb101.Table, tmp_path: Path) -> None:
    few = table.select([0, 5, 423_623])
    assert len(few) == 12
    for path in (tmp_path / "t.arrow", tmp_path / "t.parquet"):
        few.save(path)
        opened = nb101.Table.open(path)
        assert opened.equals(few)
        assert opened.provenance == table.provenance
    again = nb101.Table.from_arrow(table)
    assert again.equals(table)
    restored = pickle.loads(pickle.dumps(table))
    assert isinstance(restored._source, PackedColumns)
    assert restored.equals(table)
    assert len(pickle.dumps(table)) < 1000
    assert str(PATH).encode() not in pickle.dumps(table)
    assert nb101.load_table() is table
    for cell in (5, table.space[5], table.space[5].hash):
        assert table.runs(cell).equals(nb101.Table.runs(table, cell))
    assert nb101.Table.from_arrow(few.to_pandas()).provenance["kind"] == "predicted"
    with pytest.raises(ValueError, match="read-only"):
        table.column("epochs")[0] = 1
    with pytest.raises(
        DatasetError, match="no column 'final_train_accuracy'; it has cell_id, epochs"
    ):
        table.mean("train_accuracy")
    with pytest.raises(DatasetError, match="cannot say that numbers were predicted"):
        table.save(tmp_path / "t.tfrecord")


def test_names(table: nb101.Table) -> None:
    named = nb101.load_table("surrogate-v1", verify=True)
    assert named.provenance == table.provenance
    assert named.path == table.path == str(PATH)
    with pytest.raises(DatasetError, match="surrogate-v1 need not be fetched"):
        nb101.datasets.download("surrogate-v1")
    with pytest.raises(DatasetError, match="did you mean 'surrogate-v1'"):
        nb101.load_table("surogate")


def test_opening_imports_little(table: nb101.Table) -> None:
    code = (
        "import sys, nb101; t = nb101.load_table(); t.mean('validation_accuracy')\n"
        "print([x for x in ('pyarrow', 'scipy', 'sklearn', 'pandas') if x in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_wheel_stays_small() -> None:
    assert PATH.stat().st_size < 6e6


def test_packing_loses_little_and_is_the_same_each_time(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 423_624
    validation = [rng.random(n) * 0.9 for _ in range(2)]
    time = np.exp(rng.uniform(4, 8, n))
    about: dict[str, Any] = {
        "test_line": [[1.0, 0.0], [0.5, 0.25]],
        "time_line": [[1.0, -2.0], [1.0, 0.0]],
        "training_time_spread": [0.01, 0.01],
        "training_time_uncertainty": [0.02, 0.03],
        "provenance": {"kind": "predicted"},
    }
    for metric in ("validation_accuracy", "test_accuracy"):
        for what in ("spread", "uncertainty"):
            about[f"{metric}_{what}"] = [[[0.0, 1.0], [0.1, 0.2]]] * 2
    for name in ("a.npz", "b.npz"):
        embedded.write(
            tmp_path / name,
            epochs=(4, 108),
            validation=validation,
            time=time,
            units=[2**-14, 2**-16],
            time_unit=2**-11,
            about=about,
        )
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    table = embedded.load(tmp_path / "a.npz")
    for i, (epochs, unit) in enumerate(((4, 2**-14), (108, 2**-16))):
        found = table.mean("validation_accuracy", epochs)
        assert np.abs(found - validation[i]).max() <= unit / 2 + 1e-7
    ratio = table.mean("training_time", 108) / time
    assert np.abs(np.log(ratio)).max() <= 2**-12 + 1e-6
    np.testing.assert_allclose(
        table.mean("training_time", 4) * np.exp(2), table.mean("training_time", 108), rtol=1e-5
    )
    with pytest.raises(ValueError, match=r"codes from \d+ to \d+ do not fit"):
        embedded.write(
            tmp_path / "c.npz",
            epochs=(108,),
            validation=[validation[0]],
            time=time,
            units=[1e-6],
            time_unit=2**-11,
            about=about,
        )
    assert not (tmp_path / "c.npz").exists()


def test_damage_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    whole = PATH.read_bytes()
    for wrong in (b"", whole[:1000], whole[:-100]):
        path.write_bytes(wrong)
        with pytest.raises(DatasetError, match=r"t\.npz is damaged: install nb101 again"):
            embedded.load(path)
    changed = bytearray(whole)
    changed[len(whole) // 3] ^= 1
    path.write_bytes(changed)
    with pytest.raises(DatasetError, match=r"t\.npz is damaged"):
        embedded.load(path).verify()


# Against genuine records


def test_it_agrees_with_genuine_records(table: nb101.Table, test_data: Path, hashes: Any) -> None:
    """Not a measure of its errors, since it learnt from them: that is the model card's."""
    records = pq.read_table(test_data / "nasbench101" / "real_20001.parquet")
    order = np.argsort(hashes)
    wanted = np.array(records["hash"].to_pylist(), dtype="S32")
    ids = order[np.searchsorted(hashes[order], wanted)]
    for epochs, least in ((4, 0.86), (12, 0.91), (36, 0.95), (108, 0.975)):
        genuine = np.array(records[f"validation_accuracy_{epochs}"])
        predicted = table.mean("validation_accuracy", epochs)[ids]
        assert spearmanr(predicted, genuine).statistic > least
    time = np.array(records["training_time_108"])
    assert np.median(np.abs(table.mean("training_time")[ids] / time - 1)) < 0.02


def test_means_of_small_cells(table: nb101.Table, test_data: Path, hashes: Any) -> None:
    """Test accuracy, and the times of shorter budgets, are lines: they must fit genuine means."""
    means = pq.read_table(test_data / "nasbench101" / "means_upto5.parquet").to_pydict()
    place = {digits.decode(): i for i, digits in enumerate(hashes.tolist())}
    ids = np.array([place[digits] for digits in means["hash"]])
    epochs = np.array(means["epochs"])
    for metric, limits in (
        ("validation_accuracy", (0.05, 0.05, 0.015, 0.006)),
        ("test_accuracy", (0.05, 0.05, 0.015, 0.006)),
        ("training_time", (0.1, 0.05, 0.04, 0.03)),
    ):
        values = np.array(means[metric], dtype=np.float64)
        for budget, limit in zip(EPOCHS, limits, strict=True):
            own = (epochs == budget) & np.isfinite(values)
            found = table.mean(metric, budget)[ids[own]]
            size = values[own] if metric == "training_time" else 1
            assert np.median(np.abs(found - values[own]) / size) < limit, (metric, budget)
