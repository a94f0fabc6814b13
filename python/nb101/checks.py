"""Checks of arguments that are the same everywhere, and what errors say of wrong names."""

from collections.abc import Iterable
from typing import Any

import numpy as np


def check_whole(
    name: str, value: Any, least: int = 1, *, error: type[ValueError] = ValueError
) -> int:
    """Return a whole number that is large enough.

    Raises
    ------
    ValueError
        If it is none; the message has its name.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise error(f"{name} must be a whole number of at least {least}, not {value!r}")
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
