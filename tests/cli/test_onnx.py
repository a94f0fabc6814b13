"""The command that writes files of ONNX."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from commands import refused, run, run_bytes
from torch_tests import CHAIN, small_config, small_data

pytest.importorskip("onnxscript", reason="onnxscript is not installed: pip install 'nb101[onnx]'")
onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'nb101[onnx]'")

SMALL = ["--stem-channels", "4", "--stacks", "1", "--cells-per-stack", "1"]


def test_a_cell(tmp_path: Path) -> None:
    """By a process of its own: nothing is said beside what is to be said."""
    path = tmp_path / "a.onnx"
    command = ["-m", "nb101", "onnx", CHAIN.hash, *SMALL, "--image-size", "8", "-o", str(path)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{path}, {path.stat().st_size / 1000:,.4g} kB\n"
    said = json.loads(onnx.load(path).metadata_props[0].value)
    assert (said["hash"], said["weights"], said["seed"]) == (CHAIN.hash, "drawn", 0)
    assert said["recipe"]["stem_channels"] == 4
    assert said["network"]["image_size"] == [8, 8]
    # The same again; with another seed another one.
    given: list[str | Path] = ["onnx", CHAIN.hash, *SMALL, "--image-size", "8"]
    data, beside = run_bytes(*given, "-o", "-")
    assert data == path.read_bytes()
    assert beside == "stdout\n"
    assert run_bytes(*given, "-o", "-", "--seed", "1")[0] != data


def test_a_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from nb101.train import train

    train(CHAIN, small_data(), small_config(epochs=1), checkpoint=tmp_path / "run")
    path = tmp_path / "network.onnx"
    run("onnx", "--checkpoint", tmp_path / "run", "-o", path, "--opset", "20")
    said = json.loads(onnx.load(path).metadata_props[0].value)
    assert (said["hash"], said["weights"]) == (CHAIN.hash, "trained")
    begin: list[str | Path] = ["onnx", "--checkpoint", tmp_path / "run", "-o", path]
    assert "not both" in refused(capsys, *begin, "--id", "5")
    assert "--image-size is that of the checkpoint" in refused(capsys, *begin, "--image-size", "8")
    assert "--stacks is that of the checkpoint" in refused(capsys, *begin, "--stacks", "1")


def test_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.onnx"
    for words, said in (
        (["--id", "5", "--image-size", "0"], "image_size"),
        (["--id", "5", "--opset", "9"], "opset"),
        (["--id", "5", "--seed", "-1"], "seed"),
        (["--id", "5", "--stem-channels", "0"], "stem_channels"),
        (["--id", "423624"], "423624"),
        (["--checkpoint", str(tmp_path / "none")], "none"),
        ([], "cell"),
    ):
        assert said in refused(capsys, "onnx", "-o", path, *words)
    assert "no folder" in refused(capsys, "onnx", "--id", "5", "-o", tmp_path / "x" / "a.onnx")
    assert list(tmp_path.iterdir()) == []
