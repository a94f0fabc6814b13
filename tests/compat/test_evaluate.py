"""`api.NASBench.evaluate` trains, with the settings of the original's config."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import api
from nb101.compat.config import build_config
from nb101.compat.evaluate import train_config
from nb101.train import TrainConfig, data
from official import write
from torch_tests import small_data

from nb101.train.checkpoint import FILE, load_checkpoint  # isort: skip

MATRIX = [[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
LABELS = ["input", "conv3x3-bn-relu", "maxpool3x3", "output"]
SMALL = {"train_epochs": 2, "batch_size": 32, "stem_filter_size": 4, "num_stacks": 1}


@pytest.fixture
def nasbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> api.NASBench:
    monkeypatch.setattr(data, "load", lambda path: small_data() if path == "here" else 1 / 0)
    write(tmp_path / "some.tfrecord", [0, 5], (4,))
    nasbench = api.NASBench(tmp_path / "some.tfrecord")
    nasbench.config |= SMALL | {"train_data_files": ["here"]}
    return nasbench


def test_the_originals_settings_are_the_defaults() -> None:
    assert train_config(build_config()) == TrainConfig()
    other = build_config() | {"use_tpu": False, "lr_decay_method": "STEPWISE", "train_epochs": 4}
    assert train_config(other) == (
        TrainConfig(epochs=4, schedule="stepwise", bn_shards=1, learning_rate=0.1)
    )
    with pytest.raises(ValueError, match="lr_decay_method must be one of COSINE_BY_STEP, STEPWISE"):
        train_config(build_config() | {"lr_decay_method": "LINEAR"})


def test_evaluate(nasbench: api.NASBench, tmp_path: Path) -> None:
    spec = api.ModelSpec(MATRIX, LABELS)
    found = nasbench.evaluate(spec, tmp_path / "model")
    assert set(found) == {
        *("module_adjacency", "module_operations", "trainable_parameters", "training_time"),
        *("train_accuracy", "validation_accuracy", "test_accuracy"),
    }
    assert found["module_adjacency"].tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert found["module_operations"] == ["input", "conv3x3-bn-relu", "output"]
    assert found["training_time"] > 0
    assert nasbench.get_budget_counters() == (0.0, 0)
    kept = json.loads((tmp_path / "model" / "metadata.json").read_text())
    assert kept["evaluations"][2]["test_accuracy"] == found["test_accuracy"]
    assert kept["trainable_parameters"] == found["trainable_parameters"]
    # Again, with other draws.
    nasbench.evaluate(spec, tmp_path / "model")
    again = json.loads((tmp_path / "model" / "metadata.json").read_text())
    assert again["seed"] != kept["seed"]


def test_an_interrupted_evaluation_is_gone_on_from(
    nasbench: api.NASBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nb101.train import trainer
    from nb101.train.state import train_step

    steps: list[int] = []

    def note(state: Any, rate: float) -> Any:
        if len(steps) == 12:
            steps.clear()
            raise KeyboardInterrupt
        steps.append(state.step)
        return train_step(state, rate)

    monkeypatch.setattr(trainer, "train_step", note)
    spec = api.ModelSpec(MATRIX, LABELS)
    with pytest.raises(KeyboardInterrupt):
        nasbench.evaluate(spec, tmp_path / "model")
    seed = load_checkpoint(tmp_path / "model")[1]["seed"]
    nasbench.evaluate(spec, tmp_path / "model")
    assert steps == list(range(8, 16))
    assert json.loads((tmp_path / "model" / "metadata.json").read_text())["seed"] == seed


def test_a_finished_run_is_kept_until_its_metrics_are_safe(
    nasbench: api.NASBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nb101.compat import evaluate

    folder = tmp_path / "model"
    spec = api.ModelSpec(MATRIX, LABELS)
    nasbench.evaluate(spec, folder)
    first = json.loads((folder / "metadata.json").read_text())

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(evaluate, "atomic", full)
        with pytest.raises(OSError, match="No space left"):
            nasbench.evaluate(spec, folder)
    seed = load_checkpoint(folder)[1]["seed"]
    assert seed != first["seed"]
    for missing in (False, True):
        if missing:
            (folder / "metadata.json").unlink()
        with monkeypatch.context() as patch:
            # Not trained again.
            patch.setattr("nb101.train.trainer.train_step", lambda *_: 1 / 0)
            found = nasbench.evaluate(spec, folder)
        kept = json.loads((folder / "metadata.json").read_text())
        assert kept["seed"] == seed
        assert kept["evaluations"][2]["test_accuracy"] == found["test_accuracy"]


def test_the_weights_of_another_cell_are_left_alone(nasbench: api.NASBench, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    nasbench.evaluate(api.ModelSpec(MATRIX, LABELS), folder)
    path = folder / FILE
    whole = path.read_bytes()
    other = api.ModelSpec(MATRIX, ["input", "conv1x1-bn-relu", "maxpool3x3", "output"])
    with pytest.raises(nb101.CheckpointError, match="is of another cell: give another model_dir"):
        nasbench.evaluate(other, folder)
    assert path.read_bytes() == whole
    path.write_bytes(whole.replace(b'\\"evaluations\\"', b'\\"Evaluations\\"'))
    with pytest.raises(nb101.CheckpointError, match="is damaged"):
        nasbench.evaluate(api.ModelSpec(MATRIX, LABELS), folder)


def test_refused(nasbench: api.NASBench, tmp_path: Path) -> None:
    cut = api.ModelSpec(np.zeros((2, 2)), ["input", "output"])
    with pytest.raises(api.OutOfDomainError):
        nasbench.evaluate(cut, tmp_path / "model")
    nasbench.config["train_data_files"] = ["train_1.tfrecords", "train_2.tfrecords"]
    with pytest.raises(nb101.NB101Error, match="must have one path, of the archive or the folder"):
        nasbench.evaluate(api.ModelSpec(MATRIX, LABELS), tmp_path / "model")
