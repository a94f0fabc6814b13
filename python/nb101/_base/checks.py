"""Checks of arguments that are the same everywhere, and what errors say of wrong names."""

import math
import operator
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from nb101.errors import ArgumentError, ArgumentTypeError, CellIdError, NB101Error


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


def check_range(
    name: str, value: Any, least: int, most: int, *, error: type[NB101Error] = ArgumentError
) -> int:
    """Return a whole number within limits.

    Raises
    ------
    ArgumentTypeError
        If it is no whole number; `field` is its name.
    ArgumentError
        If it is beyond a limit; or `error`.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise ArgumentTypeError(f"{name} must be a whole number, not {value!r}", field=name)
    if not least <= number <= most:
        raise error(f"{name} must be from {least} to {most:,}, not {number}", field=name)
    return number


def check_number(
    name: str,
    value: Any,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
    finite: bool = True,
) -> float:
    """Return a number within limits, as a float.

    Raises
    ------
    ArgumentTypeError
        If it is no number; `field` is its name.
    ArgumentError
        If it is beyond a limit, or not finite where it must be.
    """
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise ArgumentTypeError(f"{name} must be a number, not {value!r}", field=name)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    within = number >= least and number > above and (number < below or below == math.inf)
    if not within or (finite and not math.isfinite(number)):
        parts = [f"at least {least:g}"] if math.isfinite(least) else []
        parts += [f"above {above:g}"] if math.isfinite(above) else []
        parts += [f"below {below:g}"] if math.isfinite(below) else []
        raise ArgumentError(
            f"{name} must be {' and '.join(parts) or 'finite'}, not {value!r}", field=name
        )
    return number


def check_type(name: str, value: Any, kind: type) -> None:
    """Check that an argument is of a class.

    Raises
    ------
    ArgumentTypeError
        If it is not; `field` is its name.
    """
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise ArgumentTypeError(
            f"{name} must be {article} {kind.__name__}, not {type(value).__name__}", field=name
        )


def check_choice(name: str, value: Any, *choices: str) -> None:
    """Check that an argument is one of some words.

    Raises
    ------
    ArgumentError
        If it is none; `field` is its name.
    """
    if not isinstance(value, str) or value not in choices:
        words = " or ".join(map(repr, choices))
        raise ArgumentError(f"{name} must be {words}, not {value!r}", field=name)


def check_generator(name: str, seed: Any) -> np.random.Generator:
    """Return the generator of a seed, or the generator itself; `None` gives a fresh one.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        If it is neither; `field` is its name.
    """
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError) as error:
        kind = ArgumentTypeError if isinstance(error, TypeError) else ArgumentError
        raise kind(
            f"{name} must be a whole number of at least 0, a numpy Generator or None, not {seed!r}",
            field=name,
        ) from None


def check_path(path: Any, name: str = "path") -> None:
    """Refuse what cannot be the name of a file.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        If it is of another type, or has characters that no name has.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str):
        raise ArgumentTypeError(
            f"{name} must be a str or a Path, not {type(path).__name__}", field=name
        )
    try:
        wrong = b"\0" in os.fsencode(text)
    except UnicodeEncodeError:
        wrong = True
    if wrong:
        raise ArgumentError(f"{name} {text!r} cannot be the name of a file", field=name)


def check_progress(progress: Any) -> None:
    """Check that something to be told of progress can be called, or is `None`.

    Raises
    ------
    ArgumentTypeError
        If it is neither.
    """
    if progress is not None and not callable(progress):
        raise ArgumentTypeError(
            f"progress must be a function of two numbers, not {progress!r}", field="progress"
        )


def iterated(values: Any) -> list[Any] | None:
    """Return what an iterable gives; `None` for what is none, arrays of no dimension included."""
    if isinstance(values, memoryview):
        values = np.asarray(values)  # Its own items may not be had.
    try:
        iterator = iter(values)
    except TypeError:
        return None
    return list(iterator)


def check_index(index: Any) -> Any:
    """Return a slice of whole numbers as it is, and anything else as an array.

    Raises
    ------
    CellIdError
        If it is a list of lists of different lengths, or a slice of something else.
    """
    if isinstance(index, slice):
        parts = (index.start, index.stop, index.step)
        whole = all(part is None or hasattr(part, "__index__") for part in parts)
        if whole and (index.step is None or index.step != 0):
            return index
        raise CellIdError(f"a slice must be of whole numbers, its step not 0: {index!r}")
    try:
        return np.asarray(index)
    except (TypeError, ValueError) as error:
        raise CellIdError(f"not a whole number, a slice, a mask or an array: {error}") from None


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
