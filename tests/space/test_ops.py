"""Names and codes of ops."""

import numpy as np
import pytest

from nb101 import INPUT, OPS, OUTPUT, InvalidCellError, SpaceError, UnknownOpError
from nb101.space.ops import check_ops, encode


def test_the_original_ops() -> None:
    assert OPS == ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
    assert encode([INPUT, *OPS, OUTPUT], OPS) == [-1, 0, 1, 2, -2]
    assert encode([-1, np.int8(1), "maxpool3x3", -2], OPS) == [-1, 1, 2, -2]


def test_lists_of_ops() -> None:
    assert check_ops(iter(["a", "b"])) == ("a", "b")
    for wrong in ([], ["a", "a"], ["a", INPUT], ["a,b"], [""], [1], "ab", list("abcdefghijklmnop")):
        with pytest.raises(SpaceError):
            check_ops(wrong)  # type: ignore[arg-type]


def test_what_is_no_op() -> None:
    with pytest.raises(UnknownOpError, match=r"here: unknown op 'maxpool' at vertex 1: .*maxpool3"):
        encode([INPUT, "maxpool"], OPS, "here: ")
    with pytest.raises(UnknownOpError, match=r"op code 3 at vertex 1: .*0 to 2"):
        encode([INPUT, 3], OPS)
    with pytest.raises(InvalidCellError, match=r"vertex 0 .* not 0.5 of type float"):
        encode([0.5], OPS)
