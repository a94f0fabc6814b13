"""RMSProp against TensorFlow's rules, written out in NumPy."""

from typing import Any

import numpy as np
import pytest

import nb101
import torch_tests  # noqa: F401

import torch  # isort: skip

from nb101.train import RMSProp  # isort: skip

SHAPES = [(3, 4), (5,), (2, 3, 3, 3), (1,)]


def gradients(step: int) -> list[Any]:
    rng = np.random.default_rng(step)
    return [rng.normal(0, 2, shape).astype(np.float32) for shape in SHAPES]


def run(steps: int, *, foreach: bool = True, **settings: Any) -> tuple[list[Any], RMSProp]:
    params = [torch.nn.Parameter(torch.from_numpy(g.copy())) for g in gradients(1000)]
    optimizer = RMSProp(params, foreach=foreach, **settings)
    advance(params, optimizer, range(steps))
    return params, optimizer


def advance(params: list[Any], optimizer: RMSProp, steps: range) -> None:
    for step in steps:
        for param, gradient in zip(params, gradients(step), strict=True):
            param.grad = torch.from_numpy(gradient)
        for group in optimizer.param_groups:
            group["lr"] = 0.2 / (step + 1)
        optimizer.step()


@pytest.mark.parametrize("foreach", [True, False])
def test_steps_are_tensorflows(foreach: bool) -> None:
    settings = {"momentum": 0.8, "decay": 0.95, "epsilon": 0.7, "weight_decay": 0.01}
    found, _ = run(6, foreach=foreach, **settings)
    expected = [g.astype(np.float64) for g in gradients(1000)]
    squares = [np.ones(shape) for shape in SHAPES]
    velocities = [np.zeros(shape) for shape in SHAPES]
    for step in range(6):
        rate = 0.2 / (step + 1)
        for i, gradient in enumerate(gradients(step)):
            # The gradient of weight_decay / 2 * w^2 comes to that of the loss.
            g = gradient + 0.01 * expected[i]
            squares[i] = 0.95 * squares[i] + 0.05 * g * g
            velocities[i] = 0.8 * velocities[i] + rate * g / np.sqrt(squares[i] + 0.7)
            expected[i] = expected[i] - velocities[i]
    for param, value in zip(found, expected, strict=True):
        np.testing.assert_allclose(param.detach(), value, rtol=1e-4, atol=1e-5)


def test_a_first_step_by_hand() -> None:
    param = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = RMSProp([param], lr=0.2)
    param.grad = torch.tensor([3.0])
    optimizer.step()
    # ms = 0.9 + 0.1 * 9 = 1.8; 0.2 * 3 / sqrt(1.8 + 1)
    assert param.item() == pytest.approx(1 - 0.6 / 2.8**0.5)


def test_a_rate_of_0_moves_the_mean_of_squares_only() -> None:
    param = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = RMSProp([param], lr=0.0)
    param.grad = torch.tensor([3.0])
    optimizer.step()
    assert param.item() == 1
    assert optimizer.state[param]["mean_square"].item() == pytest.approx(1.8)
    assert optimizer.state[param]["velocity"].item() == 0


def test_foreach_is_the_same_to_the_bit() -> None:
    a, _ = run(5, foreach=True, weight_decay=0.1)
    b, _ = run(5, foreach=False, weight_decay=0.1)
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_state_dict_round_trip() -> None:
    whole, _ = run(6, weight_decay=0.1)
    half, optimizer = run(3, weight_decay=0.1)
    params = [torch.nn.Parameter(param.detach().clone()) for param in half]
    again = RMSProp(params, lr=9.0)
    again.load_state_dict(optimizer.state_dict())
    advance(params, again, range(3, 6))
    assert all(torch.equal(x, y) for x, y in zip(params, whole, strict=True))


def test_groups_closures_and_what_has_no_gradient() -> None:
    a, b, c = (torch.nn.Parameter(torch.ones(2)) for _ in range(3))
    groups: list[dict[str, Any]] = [{"params": [a], "lr": 0.0}, {"params": [b, c]}]
    optimizer = RMSProp(groups, lr=0.5)
    closures = []

    def closure() -> float:
        optimizer.zero_grad()
        loss = (a + b).sum()
        torch.autograd.backward(loss)
        closures.append(1)
        return float(loss.detach())

    assert optimizer.step(closure) == 4.0
    assert closures == [1]
    assert a.tolist() == [1, 1]
    assert b.tolist() == pytest.approx([1 - 0.5 / 2**0.5] * 2)
    assert c.tolist() == [1, 1]
    assert c not in optimizer.state


def test_mixed_types() -> None:
    a = torch.nn.Parameter(torch.ones(2))
    b = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    for param in (a, b):
        param.grad = torch.ones_like(param)
    RMSProp([a, b], lr=0.5).step()
    assert a.tolist() == pytest.approx(b.tolist())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": -1.0}, "lr must be at least 0, not -1.0"),
        ({"epsilon": 0.0}, "epsilon must be above 0"),
        ({"momentum": 1.0}, "momentum must be at least 0 and below 1"),
        ({"decay": -0.1}, "decay must be at least 0 and below 1"),
        ({"weight_decay": -1.0}, "weight_decay must be at least 0"),
    ],
)
def test_wrong_settings(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RMSProp([torch.nn.Parameter(torch.ones(1))], **settings)  # type: ignore[arg-type]


def test_sparse_gradients() -> None:
    param = torch.nn.Parameter(torch.ones(2))
    param.grad = torch.sparse_coo_tensor(
        torch.tensor([[0]]), torch.ones(1), (2,), check_invariants=False
    )
    with pytest.raises(nb101.TrainingError, match="no sparse gradients"):
        RMSProp([param]).step()
