"""RMSProp as TensorFlow has it, which the published tables were trained with."""

from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor
from torch.optim import Optimizer

from nb101.errors import ArgumentError, TrainingError


class RMSProp(Optimizer):
    """RMSProp with TensorFlow's rules (section 2.4 of the paper).

    For a gradient g, to which ``weight_decay * w`` is added::

        mean_square = decay * mean_square + (1 - decay) * g**2     # begins at 1
        velocity = momentum * velocity + lr * g / sqrt(mean_square + epsilon)
        w -= velocity

    In three things torch's own differs: there the mean of squares begins at 0, epsilon is added to
    the root and not under it, and the rate is applied after momentum, so that a change of rate
    reaches back to older gradients.

    Parameters
    ----------
    params
        Parameters, or groups of them as dicts with settings of their own.
    lr
        Learning rate, from 0.
    momentum, decay, epsilon, weight_decay
        As above; momentum and decay in [0, 1), epsilon > 0, weight_decay from 0.
    foreach
        Whether all tensors of a device and type are updated in calls for the lot, which is faster
        and needs memory for one more copy of the gradients.

    Raises
    ------
    ArgumentError
        For a setting that cannot be.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 0.2,
        *,
        momentum: float = 0.9,
        decay: float = 0.9,
        epsilon: float = 1.0,
        weight_decay: float = 0.0,
        foreach: bool = True,
    ) -> None:
        if not lr >= 0.0:
            raise ArgumentError(f"lr must be at least 0, not {lr}", field="lr")
        if not epsilon > 0.0:
            raise ArgumentError(f"epsilon must be above 0, not {epsilon}", field="epsilon")
        if not weight_decay >= 0.0:
            raise ArgumentError(
                f"weight_decay must be at least 0, not {weight_decay}", field="weight_decay"
            )
        for name, value in (("momentum", momentum), ("decay", decay)):
            if not 0.0 <= value < 1.0:
                raise ArgumentError(
                    f"{name} must be at least 0 and below 1, not {value}", field=name
                )
        defaults = {"lr": lr, "momentum": momentum, "decay": decay, "epsilon": epsilon}
        super().__init__(params, defaults | {"weight_decay": weight_decay, "foreach": foreach})

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update all parameters that have a gradient; return what `closure` does.

        Raises
        ------
        TrainingError
            If a gradient is sparse.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            kinds: dict[Any, list[Tensor]] = {}
            for param in group["params"]:
                if param.grad is None:
                    continue
                if param.grad.is_sparse:
                    raise TrainingError("RMSProp takes no sparse gradients")
                self.initialise(param)
                kind = (param.device, param.dtype) if group["foreach"] else param
                kinds.setdefault(kind, []).append(param)
            for params in kinds.values():
                self._update(params, group)
        return loss

    def initialise(self, param: Tensor) -> None:
        """Make the state of a parameter, unless it is there: what its first step begins with."""
        state = self.state[param]
        if not state:
            state["mean_square"] = torch.ones_like(param, memory_format=torch.preserve_format)
            state["velocity"] = torch.zeros_like(param, memory_format=torch.preserve_format)

    def _update(self, params: list[Tensor], group: dict[str, Any]) -> None:
        grads = [param.grad for param in params if param.grad is not None]
        mean_squares = [self.state[param]["mean_square"] for param in params]
        velocities = [self.state[param]["velocity"] for param in params]
        if group["weight_decay"]:
            grads = list(torch._foreach_add(grads, params, alpha=group["weight_decay"]))
        torch._foreach_mul_(mean_squares, group["decay"])
        torch._foreach_addcmul_(mean_squares, grads, grads, value=1 - group["decay"])
        roots = torch._foreach_add(mean_squares, group["epsilon"])
        torch._foreach_sqrt_(roots)
        torch._foreach_mul_(velocities, group["momentum"])
        torch._foreach_addcdiv_(velocities, grads, roots, value=group["lr"])
        torch._foreach_sub_(params, velocities)
