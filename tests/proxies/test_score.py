"""Each proxy against plain code, and what its paper says it is invariant to."""

import copy
import gc
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nb101
from nb101.space.skeleton import Skeleton
from test_errors import WRONG
from torch_tests import CHAIN, INCEPTION, RESNET, small_data

import torch  # isort: skip
from torch import nn  # isort: skip

from nb101.nn import register_op, unregister_op  # isort: skip
from nb101.proxies import NAMES, PROXIES, formulas, passes, score  # isort: skip
from nb101.proxies.batch import make_batch  # isort: skip
from nb101.train import TrainConfig  # isort: skip
from nb101.train.batches import seed_of  # isort: skip
from nb101.train.network import draw_network  # isort: skip
from proxies.plain import Plain  # isort: skip

CPU = torch.device("cpu")
CONFIG = TrainConfig(stem_channels=8, stacks=2, cells_per_stack=1, device="cpu")
EMPTY = nb101.Cell([[0, 1], [0, 0]], ["input", "output"])
POOLS = nb101.Cell("010001000", "input,maxpool3x3,output")
SPACE = nb101.SearchSpace()
CELLS = nb101.Cells([EMPTY, CHAIN, POOLS, RESNET, INCEPTION, SPACE[423_000], SPACE[77_777]])
BATCH = 12


def plain_of(cell: nb101.Cell, config: TrainConfig, seed: int, images: Any, n: int) -> Plain:
    batch = make_batch(images, n, config, seed, CPU)
    network = draw_network(cell, config, batch.channels, None, seed, 1).train()
    stream = torch.Generator().manual_seed(
        int(seed_of(seed, 0, 1).generate_state(1, np.uint64)[0] >> 1)
    )
    return Plain(network, batch.images.contiguous(), batch.labels, stream)


def expected(name: str, cell: nb101.Cell, plain: Plain, config: TrainConfig) -> float:
    if name in ("params", "flops"):
        sizes = {"stem_channels": config.stem_channels, "stacks": config.stacks}
        sizes |= {"cells_per_stack": config.cells_per_stack, "num_classes": config.num_classes}
        skeleton = Skeleton(**sizes)
        cells = nb101.Cells([cell])
        count = cells.parameters if name == "params" else cells.flops
        return float(count(skeleton)[0])
    found: float = getattr(plain, name.replace("-", "_"))()
    return found


@pytest.mark.parametrize("number", range(len(CELLS)))
def test_against_plain_code(number: int) -> None:
    cell = CELLS[number]
    scores = score(cell, config=CONFIG, seed=number, batch_size=BATCH)
    assert tuple(scores) == NAMES
    for name in NAMES:
        plain = plain_of(cell, CONFIG, number, None, BATCH)
        # Parts of the sum that is plain are larger by far than it.
        least = 1e-4 * float(scores["snip"][0]) if name == "plain" else 0.0
        np.testing.assert_allclose(
            scores[name], expected(name, cell, plain, CONFIG), rtol=1e-4, atol=least, err_msg=name
        )
        assert scores.seconds[name][0] >= 0


@pytest.mark.parametrize("name", NAMES)
def test_alone_as_together(name: str) -> None:
    cells = CELLS[[1, 4]]
    together = score(cells, config=CONFIG, batch_size=BATCH)
    alone = score(cells, name, config=CONFIG, batch_size=BATCH)
    assert list(alone) == [name]
    np.testing.assert_allclose(alone[name], together[name], rtol=1e-5)


def test_real_images_of_another_recipe() -> None:
    data = small_data(channels=1, size=9, num_classes=4)
    config = CONFIG.replace(num_classes=4, stem_channels=12, stacks=1, bn_epsilon=1e-3)
    scores = score([RESNET], config=config, images=data, seed=3, batch_size=BATCH)
    for name in set(NAMES) - {"params", "flops"}:
        plain = plain_of(RESNET, config, 3, data, BATCH)
        least = 1e-4 * float(scores["snip"][0]) if name == "plain" else 0.0
        np.testing.assert_allclose(
            scores[name], expected(name, RESNET, plain, config), rtol=1e-4, atol=least, err_msg=name
        )
    sizes = Skeleton(
        stem_channels=12,
        stacks=1,
        cells_per_stack=1,
        num_classes=4,
        image_channels=1,
        image_size=9,
    )
    assert scores["params"] == scores.cells.parameters(sizes)
    assert scores["flops"] == scores.cells.flops(sizes)


def test_many_classes() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 9))
    labels = np.arange(20) % 3
    plain = Plain(nn.Identity(), torch.zeros(1), torch.from_numpy(labels), torch.Generator())
    plain.jacobians = lambda: rows  # type: ignore[method-assign]
    for classes, few in ((100, True), (101, False)):
        found = formulas.epe_nas(rows, labels, classes)
        np.testing.assert_allclose(found, plain.epe_nas(few), rtol=1e-12)


# Invariances


@given(number=st.integers(0, len(SPACE) - 1), draw=st.data())
@settings(max_examples=8, deadline=None)
def test_isomorphic_cells_have_one_score(number: int, draw: st.DataObject) -> None:
    """Bit for bit: it is the reference form that is built."""
    cell = SPACE[number]
    matrix = np.array(cell.matrix)
    # Any order in which each vertex comes after those that lead to it.
    order: list[int] = []
    while len(order) < cell.vertices:
        left = set(range(cell.vertices)) - set(order)
        free = [v for v in sorted(left) if not matrix[sorted(left), v].any()]
        order.append(draw.draw(st.sampled_from(free)))
    other = nb101.Cell(matrix[np.ix_(order, order)], [cell.ops[i] for i in order])
    one = score(cell, config=CONFIG, batch_size=4)
    again = score(other, config=CONFIG, batch_size=4)
    assert {name: one[name].tobytes() for name in one} == {
        name: again[name].tobytes() for name in again
    }


def test_synflow_knows_no_data() -> None:
    random = score(CELLS, "synflow", config=CONFIG, batch_size=2)
    real = score(CELLS, "synflow", config=CONFIG, images=small_data(size=32), batch_size=9)
    np.testing.assert_array_equal(random["synflow"], real["synflow"])
    assert np.isfinite(random["synflow"]).all()


def test_synflow_conserves_what_flows() -> None:
    """Its paper's theorem: each layer that all paths cross has the same sum, that of the output."""
    network = draw_network(CHAIN, CONFIG, 3, None, 0, 1).double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.forward = nn.Identity().forward  # type: ignore[method-assign]
    for value in network.state_dict().values():
        value.abs_()
    output = network(torch.ones(1, 3, 32, 32, dtype=torch.float64)).sum()
    output.backward()
    layers = passes.layers_of(network)
    for layer in layers:
        assert (layer.weight * layer.weight.grad).sum().item() == pytest.approx(output.item())
    found = score(CHAIN, "synflow", config=CONFIG)["synflow"][0]
    assert found == pytest.approx(np.log(len(layers) * output.item()), abs=1e-5)


def test_synflow_of_a_deep_network() -> None:
    """Where the sum itself is beyond float64."""
    deep = CONFIG.replace(stacks=1, cells_per_stack=260)
    found = score(nb101.Cell("010001000", "input,conv3x3-bn-relu,output"), "synflow", config=deep)
    assert 709 < found["synflow"][0] < 5000


@given(scale=st.floats(0.1, 10), which=st.integers(0, 100))
@settings(max_examples=6, deadline=None)
def test_batch_norm_takes_the_scale_out(scale: float, which: int) -> None:
    """A convolution before batch norm: its scale changes neither loss nor codes nor plain.

    Its gradient is divided by what it is multiplied by, so that snip stays as well.
    """
    batch = make_batch(None, 6, CONFIG, 0, CPU)
    network = draw_network(INCEPTION, CONFIG, 3, None, 0, 1).train()
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    scaled = copy.deepcopy(network)
    chosen = which % len(convolutions)
    with torch.no_grad():
        [m for m in scaled.modules() if isinstance(m, nn.Conv2d)][chosen].weight.mul_(scale)
    names = ["snip", "plain", "nwot", "jacov", "grad-norm"]
    found = []
    for one in (network, scaled):
        run = passes.Run(one, batch, names, CONFIG, CPU)
        scores = run.forward() | run.loss(False, True)
        norms = [g.norm().item() for g in run.gradients]
        found.append((scores | run.jacobian(), norms))
    (first, norms), (second, other) = found
    for name in ("snip", "nwot", "jacov"):
        assert float(second[name]) == pytest.approx(float(first[name]), rel=5e-3), name
    assert float(second["plain"]) == pytest.approx(
        float(first["plain"]), abs=5e-3 * float(first["snip"])
    )
    assert other[chosen] * scale == pytest.approx(norms[chosen], rel=5e-2)


def test_plain_is_that_of_the_dense_layer() -> None:
    batch = make_batch(None, 6, CONFIG, 0, CPU)
    network = draw_network(RESNET, CONFIG, 3, None, 0, 1).train()
    run = passes.Run(network, batch, ["plain"], CONFIG, CPU)
    run.forward()
    found = float(run.loss(False, False)["plain"])
    dense = float(formulas.plain(run.weights[-1:], run.gradients[-1:]).detach())
    assert found == pytest.approx(dense, rel=1e-2)


def test_the_kernel_of_nwot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Symmetric, positive semidefinite, all ReLUs on its diagonal; the order of images is free."""
    kept: list[Any] = []
    monkeypatch.setattr(formulas, "nwot", kept.append)
    batch = make_batch(None, 7, CONFIG, 0, CPU)
    network = draw_network(INCEPTION, CONFIG, 3, None, 0, 1).train()
    passes.Run(network, batch, ["nwot"], CONFIG, CPU).forward()
    order = torch.tensor([3, 1, 0, 6, 5, 2, 4])
    other = type(batch)(batch.images[order], batch.labels[order])
    passes.Run(network, other, ["nwot"], CONFIG, CPU).forward()
    kernel, moved = kept
    np.testing.assert_array_equal(kernel, kernel.T)
    assert np.linalg.eigvalsh(kernel).min() > 0
    sizes: list[int] = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda m, x, y: sizes.append(y[0].numel()))
    network(batch.images)
    relus = sum(sizes)
    np.testing.assert_array_equal(kernel.diagonal(), relus)
    assert ((kernel >= 0) & (kernel <= relus)).all()
    assert np.linalg.slogdet(moved)[1] == pytest.approx(np.linalg.slogdet(kernel)[1], rel=1e-4)


@given(factor=st.floats(0.01, 100))
def test_jacobians_have_no_scale(factor: float) -> None:
    rows = np.random.default_rng(1).normal(size=(8, 30))
    labels = np.arange(8) % 2
    assert formulas.jacov(rows * factor) == pytest.approx(formulas.jacov(rows))
    one = formulas.epe_nas(rows, labels, 2)
    assert formulas.epe_nas(rows * factor, labels, 2) == pytest.approx(one)


@given(factor=st.floats(0.01, 100))
def test_norms_grow_with_what_they_are_of(factor: float) -> None:
    some = [torch.ones(3, 4), torch.arange(6.0)]
    more = [one * factor for one in some]
    assert float(formulas.grad_norm(more)) == pytest.approx(
        factor * float(formulas.grad_norm(some)), rel=1e-5
    )
    activation, gradient = torch.randn(5, 3, 2, 2), torch.randn(5, 3, 2, 2)
    assert float(formulas.fisher(activation * factor, gradient)) == pytest.approx(
        factor**2 * float(formulas.fisher(activation, gradient)), rel=1e-4
    )


def test_rows_that_are_constant() -> None:
    rows = np.random.default_rng(1).normal(size=(4, 5))
    rows[1] = 3.0
    assert np.isnan(formulas.jacov(rows))
    alike = np.ones((3, 3))
    assert formulas.nwot(alike) == -np.inf


# Calls


def test_seeds_and_what_goes_into_them() -> None:
    one = score(RESNET, config=CONFIG, seed=1, batch_size=4)
    again = score(RESNET, config=CONFIG, seed=1, batch_size=4)
    other = score(RESNET, config=CONFIG, seed=2, batch_size=4)
    for name in NAMES:
        assert one[name].tobytes() == again[name].tobytes()
        assert (one[name] == other[name]).all() == (name in ("params", "flops"))
    before = torch.get_rng_state()
    score(RESNET, config=CONFIG, batch_size=4)
    assert torch.equal(before, torch.get_rng_state())


def test_the_order_of_cells_and_names() -> None:
    seen: list[tuple[int, int]] = []
    names = ["nwot", "params", "snip"]
    found = score(CELLS, names, config=CONFIG, batch_size=4, progress=lambda *x: seen.append(x))
    back = score(CELLS[::-1], names[::-1], config=CONFIG, batch_size=4)
    assert list(found) == names
    assert list(back) == names[::-1]
    for name in names:
        np.testing.assert_array_equal(found[name], back[name][::-1])
    assert seen == [(n, len(CELLS)) for n in range(len(CELLS) + 1)]
    by_id = score([423_000, SPACE[77_777].hash], "snip", config=CONFIG, batch_size=4)
    np.testing.assert_array_equal(by_id["snip"], found["snip"][-2:])
    assert len(score([], config=CONFIG).cells) == 0


def test_graphs_are_let_go_of() -> None:
    """A hook of a graph that holds what holds the graph would keep each cell's for ever."""
    score(CELLS[3:5], config=CONFIG)
    gc.collect()
    assert not [found for found in gc.get_objects() if type(found) is passes.Run]


def test_arrow() -> None:
    table = score(CELLS, ["snip", "params"], config=CONFIG, batch_size=4).to_arrow()
    assert table.column_names == ["cell_id", "snip", "params", "snip_seconds", "params_seconds"]
    assert table["cell_id"].to_pylist() == SPACE.index(CELLS).tolist()
    about = json.loads(table.schema.metadata[b"nb101"])
    assert about["kind"] == "proxies"
    assert about["config"]["stem_channels"] == 8
    assert about["sources"] == {name: PROXIES[name].source for name in ("snip", "params")}
    assert (about["images"], about["seed"], about["batch_size"]) == ("random", 0, 4)


class Noisy(nn.Module):
    """An op that is not linear, with a convolution whose output is changed in place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.relu(self.conv(x)))


def test_ops_of_ones_own() -> None:
    cell = nb101.Cell("010001000", "input,noisy,output", op_names=["noisy"])
    register_op("noisy", Noisy)
    try:
        names = [name for name in NAMES if name != "flops"]
        found = score(cell, names, config=CONFIG, batch_size=BATCH)
        for name in names:
            plain = plain_of(cell, CONFIG, 0, None, BATCH)
            if name != "params":
                wanted = getattr(plain, name.replace("-", "_"))()
                np.testing.assert_allclose(found[name], wanted, rtol=1e-3, err_msg=name)
        assert found["params"][0] == sum(p.numel() for p in plain.network.parameters())
        with pytest.raises(nb101.UnknownOpError):
            score(cell, "flops", config=CONFIG)
    finally:
        unregister_op("noisy")
    given_op = score(cell, "params", config=CONFIG, ops={"noisy": lambda n: nn.Identity()})
    assert given_op["params"][0] < found["params"][0]
    with pytest.raises(nb101.ArgumentError, match="flops"):
        score(RESNET, "flops", config=CONFIG, ops={RESNET.ops[1]: lambda n: nn.Identity()})


def test_both_ways_to_synflow() -> None:
    for cell in CELLS:
        network = draw_network(cell, CONFIG, 3, None, 0, 1)
        backwards = passes._differentiated(network, (1, 3, 32, 32))
        assert passes._grown(network, (1, 3, 32, 32)) == pytest.approx(backwards, abs=1e-5)
        assert not any("forward" in vars(module) for module in network.modules())


def test_bfloat16() -> None:
    exact = score(RESNET, config=CONFIG, batch_size=8)
    rough = score(RESNET, config=CONFIG.replace(precision="bf16"), batch_size=8)
    for name in ("grad-norm", "snip", "nwot", "zen", "l2-norm", "synflow"):
        np.testing.assert_allclose(rough[name], exact[name], rtol=0.2, err_msg=name)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"names": "snap"}, "names"),
        ({"names": []}, "names"),
        ({"names": 3}, "names"),
        ({"names": ["snip", "snip"]}, "names"),
        ({"names": [1]}, "names"),
        ({"config": {}}, "config"),
        ({"seed": -1}, "seed"),
        ({"seed": "x"}, "seed"),
        ({"batch_size": 1}, "batch_size"),
        ({"images": "cifar10"}, "images"),
        ({"images": small_data(num_classes=3)}, "images"),
        ({"images": small_data(train=8), "batch_size": 9}, "batch_size"),
        ({"device": 3}, "device"),
        ({"ops": 3}, "ops"),
        ({"progress": 3}, "progress"),
    ],
)
def test_wrong_arguments(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(nb101.ArgumentError) as caught:
        score(RESNET, **{"config": CONFIG, **changes})
    assert caught.value.field == field


@pytest.mark.parametrize(
    "argument",
    ["cells", "names", "config", "seed", "images", "batch_size", "device", "ops", "progress"],
)
def test_anything_else_is_refused_by_an_error_of_the_package(argument: str) -> None:
    small = CONFIG.replace(stem_channels=4, stacks=1)
    refused = 0
    for value in WRONG:
        called: dict[str, Any] = {
            "cells": CHAIN,
            "config": small,
            "names": "l2-norm",
            "batch_size": 2,
        }
        try:
            score(**called | {argument: value})
        except nb101.NB101Error:
            refused += 1
    assert refused > 10


def test_a_name_that_is_near() -> None:
    with pytest.raises(nb101.UnknownNameError, match="did you mean 'epe-nas'"):
        score(RESNET, "epe_nas")
