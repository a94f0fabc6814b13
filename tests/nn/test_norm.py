"""Batch norm of few channels against torch's own."""

from typing import Any

import pytest

import torch_tests  # noqa: F401

import torch  # isort: skip
from torch import nn  # isort: skip

from nb101.nn.norm import BatchNorm, _is_narrow, _NarrowBatchNorm  # isort: skip


def draw(shape: tuple[int, ...]) -> Any:
    x = 3 + 2 * torch.randn(*shape, dtype=torch.float64)
    return x.to(memory_format=torch.channels_last)


@pytest.mark.parametrize("shape", [(8, 1, 5, 7), (8, 4, 8, 8), (3, 5, 1, 1), (2, 7, 3, 1)])
@pytest.mark.parametrize("training", [True, False])
def test_same_as_torch(shape: tuple[int, ...], training: bool) -> None:
    """Values, gradients and running statistics, those of torch in float64."""
    torch.manual_seed(1)
    mine, other = BatchNorm(shape[1], 1e-3, 0.1), nn.BatchNorm2d(shape[1], 1e-3, 0.1).double()
    with torch.no_grad():
        for name, param in other.named_parameters():
            param.uniform_(0.5, 1.5)
            mine.get_parameter(name).copy_(param)
    x = draw(shape)
    weights = torch.randn_like(x)
    for one in (mine, other):
        one.train(training)
    for _ in range(2):
        a = x.float().requires_grad_()
        b = x.clone().requires_grad_()
        assert _is_narrow(a)
        found, expected = nn.functional.relu_(mine(a)), other(b).relu()
        assert found.is_contiguous(memory_format=torch.channels_last)
        torch.autograd.backward((found * weights.float()).sum())
        torch.autograd.backward((expected * weights).sum())
        close: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5, "check_dtype": False}
        torch.testing.assert_close(found, expected, **close)
        torch.testing.assert_close(a.grad, b.grad, **close)
    for name, value in mine.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], **close)
    for name, param in other.named_parameters():
        torch.testing.assert_close(mine.get_parameter(name).grad, param.grad, **close)


def test_differentiated_twice() -> None:
    """Gradients of gradients, which penalties on gradients and Hessians need."""
    torch.manual_seed(2)
    x = draw((3, 4, 2, 3)).requires_grad_()
    weight = torch.rand(4, dtype=torch.float64, requires_grad=True)
    bias = torch.rand(4, dtype=torch.float64, requires_grad=True)

    def norm(*inputs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = _NarrowBatchNorm.apply(*inputs, 1e-3)[0]
        return out

    assert torch.autograd.gradcheck(norm, (x, weight, bias))
    assert torch.autograd.gradgradcheck(norm, (x, weight, bias))
    # And what stands before and after it: as torch's own.
    mine, other = BatchNorm(4, 1e-3, 0.1), nn.BatchNorm2d(4, 1e-3, 0.1).double()
    found = []
    for one, kind in ((mine, torch.float32), (other, torch.float64)):
        start = x.detach().to(kind).requires_grad_()
        out = one(start.sin().contiguous(memory_format=torch.channels_last)).cos().sum()
        (first,) = torch.autograd.grad(out, start, create_graph=True)
        first.square().sum().backward()
        assert one.weight.grad is not None
        found.append((first.detach(), start.grad, one.weight.grad))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4, check_dtype=False)


def test_what_is_left_to_torch() -> None:
    narrow = draw((8, 4, 8, 8)).float()
    assert _is_narrow(narrow)
    assert not _is_narrow(narrow.contiguous())
    assert not _is_narrow(narrow.bfloat16())
    assert not _is_narrow(draw((8, 8, 8, 8)).float())
    assert not _is_narrow(draw((1, 4, 1, 1)).float())
    # It is an error there, and so it is here.
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        BatchNorm(4, 1e-5, 0.1)(draw((1, 4, 1, 1)).float())


def test_no_count_of_batches() -> None:
    norm = BatchNorm(4, 1e-5, 0.1)
    assert set(norm.state_dict()) == {"weight", "bias", "running_mean", "running_var"}
    norm(torch.randn(8, 4, 2, 2))
    norm.reset_parameters()
    assert norm.running_mean is not None
    assert (norm.running_mean == 0).all()
