"""Checks of arguments that are the same everywhere, and what errors say of wrong names."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from nb101.errors import ArgumentError, ArgumentTypeError, NB101Error


def check_whole(
    name: str, value: Any, least: int = 1, *, error: type[NB101Error] | None = None
) -> int:
    """Return a whole number that is large enough.

    Raises
    ------
    ArgumentTypeError
        If it is no whole number; `field` is its name, and the message has it.
    ArgumentError
        If it is less than `least`. `error` is raised instead of both where it is given.
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least:
        kind = error or (ArgumentError if whole else ArgumentTypeError)
        raise kind(f"{name} must be a whole number of at least {least}, not {value!r}", field=name)
    return int(value)


def suggest(
    name: str, known: Iterable[str], *, others: Iterable[str] = (), cutoff: float = 0.6
) -> str:
    """Say of an unknown name which one may have been meant, if one is near, and which are known.

    `others` may have been meant too, and are not listed.
    """
    names = list(known)
    near = nearest(name, [*others, *names], cutoff)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}known are {', '.join(names)}"


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """Return the known name that is nearest to an unknown one; none if none is near."""
    import difflib  # only wrong input needs it

    return difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
