"""Logs of every step."""

import csv
import math
import sys
from pathlib import Path
from typing import Any

import pytest

from torch_tests import CHAIN, small_config, small_data

from nb101.train import train  # isort: skip
from nb101.train.checkpoint import load_checkpoint  # isort: skip
from nb101.train.logs import CsvLog, Step  # isort: skip


def rows(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_csv(tmp_path: Path) -> None:
    config = small_config(weight_decay=0.1)
    train(CHAIN, small_data(), config, 3, log=tmp_path / "logs" / "a.csv")
    found = rows(tmp_path / "logs" / "a.csv")
    assert [int(row["step"]) for row in found] == list(range(16))
    for row in found:
        step = int(row["step"])
        assert float(row["learning_rate"]) == config.learning_rate_at(step, 16)
        assert float(row["epoch"]) == step / 8
        assert float(row["loss"]) > float(row["cross_entropy"]) > 0
    # Weights of the start, as batch norm's 1s: those of step 0 are not changed by it.
    assert float(found[0]["cross_entropy"]) == pytest.approx(math.log(10), rel=0.6)


def test_the_loss_is_with_the_squares_of_all_variables(tmp_path: Path) -> None:
    config = small_config(weight_decay=0.1)

    def stop(done: int, total: int, what: str) -> None:
        if done == 9:
            raise KeyboardInterrupt

    settings: dict[str, Any] = {"checkpoint": tmp_path, "log": tmp_path / "a.csv"}
    with pytest.raises(KeyboardInterrupt):
        train(CHAIN, small_data(), config, 3, progress=stop, **settings)
    tensors, _ = load_checkpoint(tmp_path)
    squares = sum(
        float(value.double().square().sum())
        for name, value in tensors.items()
        if name.startswith("network.") and "running" not in name
    )
    train(CHAIN, small_data(), config, 3, **settings)
    row = rows(tmp_path / "a.csv")[9]
    penalty = float(row["loss"]) - float(row["cross_entropy"])
    assert penalty == pytest.approx(0.05 * squares, rel=1e-5)
    # A log does not change the run.
    assert (
        train(CHAIN, small_data(), config, 3).final[2:]
        == (train(CHAIN, small_data(), config, 3, log=tmp_path / "b.csv").final[2:])
    )
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()


def test_what_comes_again_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    log = CsvLog(path, 1, 0)
    log.write([Step(1, step, 0.0, 0.1, 2.0, 2.5) for step in range(5)])
    log.close()
    with path.open("a") as file:
        file.write("1,5,0.0,0")  # a line that a killed process left
    log = CsvLog(path, 1, 3)
    log.write([Step(1, 3, 0.0, 0.1, 1.0, 1.5)])
    log.close()
    assert [(row["step"], row["loss"]) for row in rows(path)] == [
        *(("0", "2.5"), ("1", "2.5"), ("2", "2.5"), ("3", "1.5"))
    ]
    # A new run begins a new log.
    CsvLog(path, 1, 0).close()
    assert rows(path) == []


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe,0,0,0,0,0",
        "1,²,0,0,0,0".encode(),
        b"1," + b"9" * 5000,
        b"\0",
        b'"' + b"x" * 200_000,
    ],
)
def test_damaged_lines_are_dropped(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "a.csv"
    log = CsvLog(path, 1, 0)
    log.write([Step(1, 0, 0.0, 0.1, 2.0, 2.5)])
    log.close()
    whole = path.read_bytes()
    path.write_bytes(whole + line + b"\n")
    CsvLog(path, 1, 3).close()
    assert path.read_bytes() == whole


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard(tmp_path: Path) -> None:
    train(CHAIN, small_data(), small_config(), 3, log=tmp_path / "board")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "board"))
    events.Reload()
    rates = events.Scalars("learning_rate")
    assert [event.step for event in rates] == list(range(16))
    assert rates[3].value == pytest.approx(small_config().learning_rate_at(3, 16))
    assert len(events.Scalars("loss")) == len(events.Scalars("cross_entropy")) == 16


def test_tensorboard_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ModuleNotFoundError, match="pip install tensorboard; or let the name"):
        train(CHAIN, small_data(), small_config(), log=tmp_path / "board")
