"""Files of ONNX: another runtime computes what torch does, and nothing else is in them."""

import copy
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from torch_tests import CHAIN, INCEPTION, small_config, small_data

import torch  # isort: skip

pytest.importorskip("onnxscript", reason="onnxscript is not installed: pip install 'nb101[onnx]'")
onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'nb101[onnx]'")

from nb101.nn import Network, to_onnx  # noqa: E402
from nb101.train import checkpoint_to_onnx, load_network, train  # noqa: E402

SPACE = nb101.SearchSpace()
IMAGES = np.random.default_rng(0).normal(size=(5, 3, 16, 16)).astype(np.float32)


def session(path: Path) -> Any:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    return runtime.InferenceSession(path, providers=["CPUExecutionProvider"])


def about(path: Path) -> Any:
    (entry,) = onnx.load(path).metadata_props
    assert entry.key == "nb101"
    return json.loads(entry.value)


def trained(network: Network) -> Network:
    """Give weights and statistics that show whether they are used."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.3)
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 2)
    return network


@pytest.fixture(autouse=True)
def drawn() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


# All ops, a direct edge from input to output, widths that do not divide, and truncation.
@pytest.mark.parametrize("cell_id", [0, 77_777, 250_001, 359_715])
def test_it_computes_what_torch_does(cell_id: int, tmp_path: Path) -> None:
    network = trained(Network(SPACE[cell_id], 7, 2, 1, 4))
    path = tmp_path / "network.onnx"
    to_onnx(network, path, image_size=16)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(one.domain, one.version) for one in model.opset_import] == [("", 18)]
    ran = session(path)
    (given,), (made,) = ran.get_inputs(), ran.get_outputs()
    assert (given.name, given.shape) == ("images", ["batch", 3, 16, 16])
    assert (made.name, made.shape) == ("logits", ["batch", 4])
    network.eval()
    for n in (1, 2, 5):
        found = ran.run(None, {"images": IMAGES[:n]})[0]
        with torch.no_grad():
            expected = network(torch.from_numpy(IMAGES[:n])).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_full_size(tmp_path: Path) -> None:
    cell = SPACE[2]
    to_onnx(cell, tmp_path / "network.onnx")
    said = about(tmp_path / "network.onnx")
    assert said["weights"] == "drawn"
    assert said["network"] == {
        **{"stem_channels": 128, "stacks": 3, "cells_per_stack": 3, "num_classes": 10},
        **{"image_channels": 3, "image_size": [32, 32]},
    }
    size = (tmp_path / "network.onnx").stat().st_size
    # Batch norm is part of the convolution before it.
    assert 3.9 * cell.parameters < size < 4.1 * cell.parameters


def test_what_is_in_the_file(tmp_path: Path) -> None:
    network = trained(Network(INCEPTION, 4, 1, 1, image_channels=1)).train()
    before = copy.deepcopy(network.state_dict())
    paths = [tmp_path / "a.onnx", tmp_path / "b.onnx"]
    for path in paths:
        to_onnx(network, path, image_size=(8, 12), opset=20, about={"note": "a test"})
    # The network is as it was, the file the same each time.
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert paths[0].read_bytes() == paths[1].read_bytes()
    said = about(paths[0])
    assert nb101.Cell(f"{said['adjacency']} {said['operations']}") == INCEPTION
    assert said["hash"] == INCEPTION.hash
    assert said["op_names"] == list(nb101.OPS)
    assert (said["weights"], said["note"]) == ("given", "a test")
    assert said["network"] == {**network.sizes, "image_size": [8, 12]}
    assert said["version"] == nb101.__version__
    model = onnx.load(paths[0])
    assert [one.version for one in model.opset_import] == [20]
    assert (model.producer_name, model.graph.name) == ("nb101", "network")
    # No trace of the code that made it.
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
    assert str(Path(nb101.__file__).parent).encode() not in paths[0].read_bytes()
    assert session(paths[0]).get_inputs()[0].shape == ["batch", 1, 8, 12]


def test_ops_of_ones_own(tmp_path: Path) -> None:
    cell = nb101.Cell("011001000", "input,gelu,output", op_names=["gelu", "avgpool3x3"])
    network = Network(cell, 4, 1, 1, ops={"gelu": lambda channels: torch.nn.GELU()}).eval()
    to_onnx(network, tmp_path / "network.onnx", image_size=16)
    found = session(tmp_path / "network.onnx").run(None, {"images": IMAGES})[0]
    with torch.no_grad():
        expected = network(torch.from_numpy(IMAGES)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_exporter_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):  # That of the root logger.
        to_onnx(Network(CHAIN, 4, 1, 1), tmp_path / "network.onnx", image_size=8)
    assert not caplog.records
    names = ("torch.onnx", "onnxscript", "onnx_ir")
    assert all(logging.getLogger(name).level < logging.ERROR for name in names)


def test_a_checkpoint(tmp_path: Path) -> None:
    data, config = small_data(), small_config()
    train(CHAIN, data, config, 3, checkpoint=tmp_path / "run")
    path = tmp_path / "network.onnx"
    checkpoint_to_onnx(tmp_path / "run", path)
    said = about(path)
    assert said["weights"] == "trained"
    assert said["recipe"] == json.loads(json.dumps(config.recipe()))
    assert (said["seed"], said["steps"]) == (3, 16)
    assert said["data"] == json.loads(
        json.dumps({"checksum": data.checksum, "mean": data.mean, "std": data.std})
    )
    assert said["network"]["image_size"] == [6, 6]
    # Of the set's own images, normalised as the file says.
    pixels = data.test.images[:9].astype(np.float32)
    images = ((pixels - said["data"]["mean"]) / said["data"]["std"]).transpose(0, 3, 1, 2)
    images = np.ascontiguousarray(images, np.float32)
    found = session(path).run(None, {"images": images})[0]
    with torch.no_grad():
        expected = load_network(tmp_path / "run")(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(nb101.MissingFileError):
        checkpoint_to_onnx(tmp_path / "none", path)


def test_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network, path = Network(CHAIN, 4, 1, 1), tmp_path / "network.onnx"
    path.write_bytes(b"before")
    wrong: list[dict[str, Any]] = [{"opset": 17}, {"opset": 23}]
    wrong += [{"image_size": 0}, {"image_size": (8, 8, 3)}, {"image_size": 10**9}]
    for settings in wrong:
        with pytest.raises(nb101.ArgumentError):
            to_onnx(network, path, **settings)
    if sys.platform == "linux":  # A folder that takes no files, which is there.
        with pytest.raises(nb101.FileError, match="No such file or directory"):
            to_onnx(network, "/proc/network.onnx")
    for about in (3, {"a": object()}):
        with pytest.raises(nb101.ArgumentTypeError, match="about must be"):
            to_onnx(network, path, about=about)  # type: ignore[arg-type]
    with pytest.raises(nb101.ArgumentTypeError, match="checkpoint must be"):
        checkpoint_to_onnx(3, path)  # type: ignore[arg-type]
    with pytest.raises(nb101.ArgumentTypeError, match="not ReLU"):
        to_onnx(torch.nn.ReLU(), path)  # type: ignore[arg-type]
    with pytest.raises(nb101.FileError):
        to_onnx(network, tmp_path / "none" / "network.onnx")
    from nb101.nn import onnx as module

    with monkeypatch.context() as patch:
        patch.setattr(module, "MOST_BYTES", 1000)
        with pytest.raises(nb101.ArgumentError, match="2 GiB"):
            to_onnx(network, path)

    def broken(model: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(onnx.checker, "check_model", broken)
    with pytest.raises(RuntimeError, match="broken"):
        to_onnx(network, path, image_size=8)
    assert path.read_bytes() == b"before"
    assert sorted(tmp_path.iterdir()) == [path]
