"""Attributes that are made on first use, and what else a fork must not catch locked.

`functools.cached_property` holds a lock while it makes a value before Python 3.12, and an import
holds one while it lasts. A child that is forked in the meantime has that lock, but not the thread
to open it. So there is no lock, or it is opened in the child, or a fork waits.
"""

import _imp
import functools
import os
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or sys.version_info >= (3, 12):
    cached_property = functools.cached_property
else:

    class cached_property(functools.cached_property):  # noqa: N801
        """That of Python 3.12: threads that come at once may each make the value."""

        def __get__(self, instance, owner=None):
            if instance is None:
                return self
            values = instance.__dict__
            try:
                return values[self.attrname]
            except KeyError:
                value = values[self.attrname] = self.func(instance)
                return value


_owners: "weakref.WeakSet[Any]" = weakref.WeakSet()


_forking = threading.Lock()
"""Threads fork one at a time: what one has taken is not another's to give back."""
importing = threading.RLock()
"""First uses of names of the package import one at a time: of two threads, one in a package and one
in a module of it, each would wait for the other, until Python gives one of them half a module."""
_held: list[Any] = []
"""Those that a fork has taken, until it is over."""


def lock_of(owner: Any) -> threading.Lock:
    """Make the lock that an object is to keep as `_lock`; a forked child has an open one.

    A fork waits until no other thread has one: what that guards (a generator of random numbers has
    a lock of its own) is whole in the child.
    """
    _owners.add(owner)
    return threading.Lock()


def _take_locks() -> None:
    end = time.monotonic() + PATIENCE
    _take(_forking, end)
    _take(importing, end)
    for owner in _listed():
        if (lock := getattr(owner, "_lock", None)) is not None:
            _take(lock, end)


def _listed() -> list[Any]:
    while True:
        try:
            return list(_owners)
        except RuntimeError:
            continue  # Another thread has just added one.


def _take(lock: Any, end: float) -> None:
    # In vain where the thread that forks has it itself, in a handler of signals.
    if lock.acquire(timeout=max(0.0, end - time.monotonic())):
        _held.append(lock)


def _give_locks_back() -> None:
    while _held:
        _held.pop().release()


def _open_locks() -> None:
    global _forking, importing
    _forking, importing = threading.Lock(), threading.RLock()
    _held.clear()
    for owner in _listed():
        owner._lock = threading.Lock()


IMPORTED = {"nb101", "numpy", "pyarrow", "platformdirs"} | sys.stdlib_module_names
"""Packages that first calls import, of which no import takes for ever: a fork waits for it."""
PATIENCE = 10.0
"""Seconds for which a fork waits at most, for imports and for locks."""


def _is_importing() -> bool:
    """Whether another thread is importing a part of one of these packages."""
    # These locks are CPython's own affair: where they are not found, nothing is waited for.
    locks = getattr(sys.modules.get("_frozen_importlib"), "_module_locks", {})
    for name, reference in list(locks.items()):
        owner = getattr(reference(), "owner", None)
        if owner not in (None, threading.get_ident()) and name.partition(".")[0] in IMPORTED:
            return True
    return False


def _wait_for_imports() -> None:
    end = time.monotonic() + PATIENCE
    # Nobody begins an import while this lock is held, which is until the fork is over.
    _imp.acquire_lock()
    while _is_importing() and time.monotonic() < end:
        _imp.release_lock()
        try:
            time.sleep(0.0005)
        finally:
            _imp.acquire_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_wait_for_imports,
        after_in_parent=_imp.release_lock,
        after_in_child=_imp.release_lock,
    )
    # What is registered last comes first: who has such a lock may yet have to import something.
    os.register_at_fork(
        before=_take_locks, after_in_parent=_give_locks_back, after_in_child=_open_locks
    )
