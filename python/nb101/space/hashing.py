"""Fingerprints of raw modules in bulk."""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nb101 import _core
from nb101._base.checks import check_choice, check_progress
from nb101._base.progress import Progress
from nb101.space.modules import many_modules
from nb101.space.ops import OPS, check_ops


def hash_modules(
    matrices: Any,
    ops: Any,
    invalid: Literal["raise", "empty"] = "raise",
    *,
    op_names: Iterable[str] = OPS,
    progress: Progress | None = None,
) -> npt.NDArray[np.bytes_]:
    """Prune and fingerprint raw modules with the original's iterative MD5 hash.

    Modules are not limited to a search space: any label of at least 0, hundreds of vertices (those
    whose hash would take minutes are refused). Equal hashes mean isomorphic cells over
    NAS-Bench-101; in larger spaces the hash may fail to tell cells apart.

    Parameters
    ----------
    matrices
        Adjacency matrices, upper triangular, 0 or 1: an array of shape ``(n, v, v)`` of any
        integer, bool or integral float type, or a list of square matrices of any sizes.
    ops
        Labels, shape ``(n, v)``: op codes (-1 input, -2 output, -3 padding at the end), or lists of
        op codes or names.
    invalid
        What to do with a module whose input does not reach its output: raise, or give it an
        empty hash. Anything else that is wrong always raises.
    op_names
        The ops in the order of their codes, where `ops` holds names.
    progress
        Called with the modules done and their number, some ten times a second.

    Returns
    -------
    Array of shape ``(n,)`` and type ``S32``: hexadecimal digits as bytes.

    Raises
    ------
    InvalidCellError
        For the first module that is wrong; the message says what and where, `index` is its place.

    Examples
    --------
    >>> hash_modules([[[0, 1], [0, 0]]], [[-1, -2]])
    array([b'043721b9c7fe8c5fad811d47d83132ec'], dtype='|S32')
    """
    check_choice("invalid", invalid, "raise", "empty")
    check_progress(progress)
    arrays = many_modules(matrices, ops, check_ops(op_names), any_code=True)
    digits = _core.hash_modules(*arrays, invalid == "empty", progress)
    return digits.view("S32").reshape(len(digits))
