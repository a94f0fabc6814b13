"""What was found out about large files, remembered for as long as they stay as they are.

A file is taken to be as it was where its size, its times and its inode are: whatever writes to it,
or puts another in its place, changes one of them, and copies that keep the time of the original do
so too. A disk that fails silently changes none: that is what `Table.verify` is for.

Notes are small sealed files in the cache. Without a cache, or where a note is damaged, files are
looked at again; so are small ones always.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from nb101._base import seals
from nb101._base.files import atomic
from nb101.errors import ArgumentError, DatasetError

LITTLE = 1 << 23
"""Bytes up to which a file is looked at each time: that takes some 10 ms."""
_FRESH = 2_000_000_000
"""Nanoseconds for which a file may change once more without another time: clocks are coarse."""
_MOST = 1 << 16

Stamp = tuple[int, int, int, int]


def stamp_of(path: str | os.PathLike[str]) -> Stamp:
    """Return what changes with a file: size, time of content, time of anything, inode."""
    status = os.stat(path)  # noqa: PTH116  # Path.stat takes more than all else here.
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def once(
    path: str | os.PathLike[str], what: str, find: Callable[[], str], cache: Path, stamp: Stamp
) -> str:
    """Return what `find` finds out about a file, or found when it was as it is now.

    Parameters
    ----------
    path
        The file.
    what
        Name of what is found out.
    find
        Finds it out.
    cache
        Folder of the notes.
    stamp
        That of the file before it was opened.
    """
    if stamp[0] <= LITTLE:
        return find()
    name = hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:32]
    note = cache / "seen" / f"{name}.{what}.json"
    about = {"path": os.fspath(path), "stamp": list(stamp)}
    known = _read(note)
    if known is not None and known.items() >= about.items() and stamp_of(path) == stamp:
        return str(known["found"])
    found = find()
    if stamp_of(path) == stamp and time.time_ns() - stamp[2] > _FRESH:
        text = json.dumps(about | {"found": found, seals.KEY: seals.BLANK})
        with suppress(OSError, ArgumentError):
            # The path may hold what looks like a seal.
            note.parent.mkdir(parents=True, exist_ok=True)
            with atomic(note) as file:
                file.write(seals.seal_bytes(text.encode()))
    return found


def _read(note: Path) -> dict[str, object] | None:
    try:
        if note.stat().st_size > _MOST:
            return None
        data = note.read_bytes()
        seals.check_sealed_bytes(data, note, "")
        known = json.loads(data)
    except (OSError, DatasetError, ValueError, RecursionError):
        return None
    return known if isinstance(known, dict) and "found" in known else None
