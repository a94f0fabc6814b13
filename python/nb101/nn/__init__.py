"""The network that a cell makes, in PyTorch (section 2.3 of the paper).

`Network` is in ``nb101.nn.network``, what its cells are made of in ``nb101.nn.ops``. It needs
torch: ``pip install 'nb101[train]'``.
"""

from nb101.errors import MissingExtraError

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise  # One that is there, and lacks a part of itself.
    raise MissingExtraError(
        "nb101.nn needs PyTorch: pip install 'nb101[train]'", name="torch"
    ) from error

from nb101.nn.network import CellModule, Network, count_parameters
from nb101.nn.onnx import to_onnx
from nb101.nn.ops import ConvBNReLU, Factory, register_op, registered_ops, unregister_op

__all__ = [
    "CellModule",
    "ConvBNReLU",
    "Factory",
    "Network",
    "count_parameters",
    "register_op",
    "registered_ops",
    "to_onnx",
    "unregister_op",
]


def __dir__() -> list[str]:
    return sorted(__all__)
