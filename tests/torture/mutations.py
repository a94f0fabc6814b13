"""Damage to whole examples: values put into JSON, and bytes as they lie."""

import json
import random
from typing import Any

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1.5, 1e308, -1e308, 10**9, 2**31, 2**63, 2**64, 10**400),
    *(float("nan"), float("inf"), "", "x" * 300, "\x1b[31m", "\n", "\ud800", "²", "108"),
    *([], {}, [[]], {"a": 1}, [1] * 50, [None], "conv3x3-bn-relu"),
)


def mutate(rng: random.Random, whole: bytes, words: tuple[bytes, ...]) -> bytes:
    """Damage bytes once or a few times: by a value, if they are JSON, or as they lie."""
    found = whole
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        if rng.random() < 0.5 and (changed := _change_value(rng, found)) is not None:
            found = changed
        else:
            found = _change_bytes(rng, found, words)
    return found


def _change_value(rng: random.Random, whole: bytes) -> bytes | None:
    """Put another value somewhere into JSON, or into a line of it; `None` if it is none."""
    lines = whole.split(b"\n") if whole[:1] == b"{" and b"\n{" in whole else [whole]
    i = rng.randrange(len(lines))
    if lines[i].lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        value = json.loads(lines[i])
    except (ValueError, RecursionError):
        return None
    places: list[tuple[Any, Any]] = []
    left = [value]
    while left:
        one = left.pop()
        inner = list(one.items() if isinstance(one, dict) else enumerate(one))
        places += [(one, key) for key, _ in inner]
        left += [x for _, x in inner if isinstance(x, dict | list)]
    if not places:
        return None
    where, key = rng.choice(places)
    how = rng.random()
    if how < 0.15:
        del where[key]
    elif how < 0.25:
        other, name = rng.choice(places)
        where[key] = json.loads(json.dumps(other[name]))
    elif how < 0.3 and isinstance(where, dict):
        where[str(rng.choice(VALUES))] = rng.choice(VALUES)
    elif how < 0.45 and type(where[key]) in (int, float):
        where[key] = where[key] * rng.choice((-1, 0, 2, 10**6)) + rng.choice((-1, 0, 1))
    else:
        where[key] = rng.choice(VALUES)
    try:
        lines[i] = json.dumps(value).encode()
    except ValueError:
        return None  # It has more digits than Python writes.
    return b"\n".join(lines)


def _change_bytes(rng: random.Random, whole: bytes, words: tuple[bytes, ...]) -> bytes:
    found = bytearray(whole)
    start = rng.randrange(len(found) + 1)
    length = min(rng.choice((1, 1, 2, 4, 8, 64)), len(found) - start)
    end = start + length
    # Words last, if there are any.
    how = rng.randrange(8 + bool(words))
    if how == 0 and start < len(found):
        found[start] ^= 1 << rng.randrange(8)
    elif how == 1:
        found[start:end] = rng.randbytes(length)
    elif how == 2:
        found[start:end] = bytes([rng.choice((0, 1, 127, 128, 255))]) * length
    elif how == 3:
        del found[start:end]
    elif how == 4:
        found[start:start] = found[start:end]
    elif how == 5:
        del found[start:]
    elif how == 6:
        other = rng.randrange(len(found) + 1)
        found[start:end] = found[other : other + length]
    elif how == 7:
        found[start:start] = rng.randbytes(length)
    else:
        found[start : rng.choice((start, end))] = rng.choice(words)
    return bytes(found)
