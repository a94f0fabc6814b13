"""Networks as files of ONNX, which other runtimes take: written whole or not at all.

torch's exporter traces the network. What it notes beside that, such as where on this machine each
line of code was, is left out, so that the same weights make the same file.
"""

import copy
import importlib
import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from nb101._base.checks import check_path, check_range, check_type, check_whole
from nb101._base.extras import importing
from nb101._base.files import atomic, check_writable
from nb101._core import __version__
from nb101.errors import ArgumentError, ArgumentTypeError
from nb101.nn.network import Network
from nb101.space.cell import Cell

OPSET = 18
"""Version of ONNX's operators: that which torch's exporter writes, and runtimes since 2023 know."""
LEAST, MOST = 18, 22
LARGEST = 2**14
"""Height and width of images at most."""
INPUT, OUTPUT = "images", "logits"
"""Names of what goes in and comes out."""
MOST_BYTES = 2**31 - 2**24
"""Of weights: a file ends before 2 GiB, as its format has it."""
TALKERS = ("torch.onnx", "onnxscript", "onnx_ir")
"""Loggers of the exporter, which the level of a program's root logger would let through."""
LIBRARIES = {"onnx": "onnx", "onnxscript": "onnxscript"}


def to_onnx(
    network: Network | Cell,
    path: str | os.PathLike[str],
    *,
    image_size: int | tuple[int, int] = 32,
    opset: int = OPSET,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write a network to a file of ONNX.

    It has one input, ``images``, float32 of shape ``(batch, image_channels, h, w)``, and one
    output, ``logits``, ``(batch, num_classes)``, for batches of any size. Batch norm has its
    running statistics, as in evaluation, and the network given stays as it is. The entry ``nb101``
    of the file's metadata is JSON: ``version``; ``hash``, ``adjacency``, ``operations`` and
    ``op_names`` of the cell; ``network``, the arguments of `Network`; ``weights``, which are
    ``"drawn"`` where a cell is given, and else ``"given"``; and what `about` has.

    Parameters
    ----------
    network
        A `Network`, or a cell for ``Network(cell)`` with new weights.
    path
        The file.
    image_size
        Height and width of the images, at most 16,384; they are equal if one number is given.
    opset
        Version of ONNX's operators, from 18 to 22.
    about
        More for the metadata, which JSON can hold; it comes on top.

    Raises
    ------
    MissingExtraError
        If onnx or onnxscript is not installed (``pip install 'nb101[onnx]'``).
    ArgumentError
        If an argument cannot be, or the network has 2 GiB of weights.
    OSError
        If the file cannot be written; the one before is still there then.
    """
    onnx = need_onnx()
    check_path(path)
    sizes = tuple(image_size) if isinstance(image_size, (tuple, list)) else (image_size, image_size)
    if len(sizes) != 2:
        raise ArgumentError(f"image_size has a height and a width, not {sizes}", field="image_size")
    height, width = (check_range("image_size", size, 1, LARGEST) for size in sizes)
    if not LEAST <= check_whole("opset", opset) <= MOST:
        raise ArgumentError(f"opset must be from {LEAST} to {MOST}, not {opset}", field="opset")
    weights = "given"
    if isinstance(network, Cell):
        network, weights = Network(network), "drawn"
    if not isinstance(network, Network):
        raise ArgumentTypeError(
            f"to_onnx takes a Network or a Cell, not {type(network).__name__}", field="network"
        )
    more = {} if about is None else about
    check_type("about", more, Mapping)
    described = {**_describe(network, (height, width)), "weights": weights, **more}
    try:
        text = json.dumps(described)
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(
            f"about must be what JSON can hold: {error}", field="about"
        ) from None
    check_writable(path)
    model = _export(network, (height, width), opset)
    _strip(model)
    onnx.helper.set_model_props(model, {"nb101": text})
    onnx.checker.check_model(model)
    with atomic(path) as file:
        file.write(model.SerializeToString(deterministic=True))


def need_onnx() -> Any:
    """Import onnx, and see that the exporter of torch has what it needs.

    Raises
    ------
    MissingExtraError
        If a library is not installed.
    """
    for module, title in LIBRARIES.items():
        with importing("a file of ONNX", module, title, "pip install 'nb101[onnx]'"):
            importlib.import_module(module)
    return importlib.import_module("onnx")


def _describe(network: Network, image_size: tuple[int, int]) -> dict[str, Any]:
    adjacency, operations = network.cell.to_text()
    return {
        "version": __version__,
        "hash": network.cell.hash,
        "adjacency": adjacency,
        "operations": operations,
        "op_names": list(network.cell.op_names),
        "network": {**network.sizes, "image_size": list(image_size)},
    }


def _export(network: Network, image_size: tuple[int, int], opset: int) -> Any:
    """Return the model as ONNX's protocol buffer."""
    size = sum(tensor.nbytes for tensor in network.state_dict().values())
    if size > MOST_BYTES:
        raise ArgumentError(
            f"a file of ONNX holds 2 GiB, and the network has {size:,} bytes of weights",
            field="network",
        )
    plain = copy.deepcopy(network).cpu().float().eval()
    # Of two: what is 1 in the example would be so for ever.
    images = torch.zeros(2, network.sizes["image_channels"], *image_size)
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            plain,
            (images,),
            input_names=[INPUT],
            output_names=[OUTPUT],
            opset_version=opset,
            dynamic_shapes={INPUT: {0: torch.export.Dim("batch")}},
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    return program.model_proto


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what the exporter says of libraries that nobody asked it for."""
    loggers = [logging.getLogger(name) for name in TALKERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _strip(model: Any) -> None:
    """Leave out what the exporter notes of how it came about."""
    graph = model.graph
    model.producer_name, model.producer_version = "nb101", __version__
    model.doc_string = graph.doc_string = ""
    graph.name = "network"
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del part.metadata_props[:]
    for tensor in graph.initializer:
        del tensor.metadata_props[:]
    for node in graph.node:
        node.doc_string = ""
