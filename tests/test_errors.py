"""Every exception of the package is a ValueError."""

import inspect

import pytest

import nb101
from nb101 import errors


def test_all_are_value_errors_and_public() -> None:
    found = dict(inspect.getmembers(errors, inspect.isclass))
    assert len(found) >= 8
    for name, kind in found.items():
        assert issubclass(kind, errors.NB101Error)
        assert issubclass(kind, ValueError)
        assert getattr(nb101, name) is kind
        assert name in nb101.__all__
        assert str(kind("what and where")) == "what and where"


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (nb101.DisconnectedError, nb101.InvalidCellError),
        (nb101.UnknownOpError, nb101.InvalidCellError),
        (nb101.CellIdError, IndexError),
        (nb101.UnknownHashError, KeyError),
    ],
)
def test_what_else_they_are(kind: type[Exception], base: type[Exception]) -> None:
    assert issubclass(kind, base)
