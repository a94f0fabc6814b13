"""Checkpoints: whose they are, what damages them, and what they survive."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import nb101
from resealing import reseal
from torch_tests import CHAIN, RESNET, small_config, small_data, train_until

import torch  # isort: skip

from nb101.train import checkpoint, load_network, train  # isort: skip
from nb101.train.checkpoint import FILE, load_checkpoint, save_checkpoint  # isort: skip


@pytest.mark.parametrize(
    ("cell", "data", "config", "seed", "message"),
    [
        (RESNET, {}, {}, 4, "differs in cell;"),
        (CHAIN, {"seed": 1}, {}, 4, "differs in data;"),
        (CHAIN, {}, {}, 5, "differs in seed;"),
        (CHAIN, {}, {"momentum": 0.5}, 4, r"momentum \(0.9 there, 0.5 here\)"),
        (CHAIN, {}, {"epochs": 3, "flip": False}, 4, r"epochs \(2 there, 3 here\), flip \(True"),
    ],
)
def test_a_checkpoint_of_another_run(
    cell: nb101.Cell, data: Any, config: Any, seed: int, message: str, tmp_path: Path
) -> None:
    train_until(2, tmp_path, CHAIN, small_data(), small_config(), 4)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(nb101.CheckpointError, match=message):
        train(cell, small_data(**data), small_config(**config), seed, checkpoint=tmp_path)
    assert (tmp_path / FILE).read_bytes() == before
    # Where it is computed may change, and what the data is called.
    other = small_config(deterministic=False)
    data = replace(small_data(), name="another file")
    assert train(CHAIN, data, other, 4, checkpoint=tmp_path).epochs == 2


@pytest.mark.parametrize("name", ["mean", "std"])
def test_other_moments_are_another_run(name: str, tmp_path: Path) -> None:
    train_until(2, tmp_path, CHAIN, small_data(), small_config(), 4)
    other: Any = {name: (1.0, 2.0, 3.0)}
    with pytest.raises(nb101.CheckpointError, match="differs in data;"):
        train(CHAIN, replace(small_data(), **other), small_config(), 4, checkpoint=tmp_path)


def test_every_byte_of_a_checkpoint_is_covered(tmp_path: Path) -> None:
    path = tmp_path / FILE
    save_checkpoint(tmp_path, {"a": torch.arange(5), "b": torch.zeros(0)}, {"step": 3})
    tensors, about = load_checkpoint(tmp_path)
    assert about["step"] == 3
    assert tensors["a"].tolist() == [0, 1, 2, 3, 4]
    data = path.read_bytes()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :])
        with pytest.raises(nb101.CheckpointError, match="is damaged: delete it to begin anew"):
            load_checkpoint(tmp_path)


def test_damaged_checkpoints(tmp_path: Path) -> None:
    train_until(2, tmp_path, CHAIN, small_data(), small_config(), 4)
    path = tmp_path / FILE
    data = path.read_bytes()
    half = len(data) // 2
    for wrong in (
        b"",
        data[:-1],
        data[:half],
        data[:half] + bytes([data[half] ^ 1]) + data[half + 1 :],
        data[:-4] + b"\xff\xff\xff\x7f",
        b"\xff" * 100,
        data.replace(b'\\"step\\"', b'\\"Step\\"'),
        reseal(data.replace(b'\\"step\\"', b'\\"Step\\"')),
        # What was once outside the checksum: how far it is, and what it measured.
        data.replace(b'\\"step\\": 2', b'\\"step\\": 1'),
        data.replace(b'\\"attempt\\": 1', b'\\"attempt\\": 2'),
        data.replace(b"[[0.0", b"[[9.0"),
    ):
        assert wrong != data
        path.write_bytes(wrong)
        with pytest.raises(nb101.CheckpointError, match="is damaged: delete it to begin anew"):
            train(CHAIN, small_data(), small_config(), 4, checkpoint=tmp_path)
    path.write_bytes(reseal(data.replace(b'\\"format\\": 2', b'\\"format\\": 9')))
    with pytest.raises(nb101.CheckpointError, match="has format 9, and this nb101 reads 2"):
        train(CHAIN, small_data(), small_config(), 4, checkpoint=tmp_path)
    # Of a version that knows more settings: it is named, and nothing is to be deleted.
    path.write_bytes(reseal(data.replace(b'\\"padding\\"', b'\\"pudding\\"')))
    for read in (
        lambda: train(CHAIN, small_data(), small_config(), 4, checkpoint=tmp_path),
        lambda: load_network(tmp_path),
    ):
        with pytest.raises(nb101.CheckpointError, match=r"by nb101 .* no setting 'pudding'"):
            read()
    with pytest.raises(FileNotFoundError):
        load_network(tmp_path / "nowhere")


def test_a_full_disk_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_until(2, tmp_path, CHAIN, small_data(), small_config(), 4)
    before = (tmp_path / FILE).read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"No space left on device: .*checkpoint.safetensors"):
            train(CHAIN, small_data(), small_config(), 4, checkpoint=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).read_bytes() == before
    # A finished run is worth more than its weights.
    train_until(16, tmp_path, CHAIN, small_data(), small_config(), 4)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.warns(RuntimeWarning, match="the run is finished, but its last checkpoint"):
            result = train(CHAIN, small_data(), small_config(), 4, checkpoint=tmp_path)
    assert len(result.evaluations) == 3


def test_no_checkpoint_there(tmp_path: Path) -> None:
    with pytest.raises(nb101.MissingFileError) as caught:
        load_network(tmp_path)
    assert caught.value.path == str(tmp_path / FILE)


def test_checkpoints_need_safetensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(nb101.MissingExtraError, match=r"pip install 'nb101\[train\]'") as caught:
        train(CHAIN, small_data(), small_config(), checkpoint=tmp_path)
    assert caught.value.name == "safetensors"


def test_checkpoints_are_written_by_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = []

    def note(folder: Any, tensors: Any, about: Any) -> None:
        saved.append(about["step"])
        save_checkpoint(folder, tensors, about)

    monkeypatch.setattr(checkpoint, "save_checkpoint", note)
    train(CHAIN, small_data(), small_config(), 4, checkpoint=tmp_path / "a")
    assert saved == [1, 8, 16]
    saved.clear()
    train(CHAIN, small_data(), small_config(), 4, checkpoint=tmp_path, checkpoint_minutes=1e-9)
    assert saved == [1, 1, *range(2, 9), 8, *range(9, 17), 16]
