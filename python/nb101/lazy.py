"""Attributes that are made on first use, and what else a fork must not catch locked.

`functools.cached_property` holds a lock while it makes a value before Python 3.12. A child that is
forked in the meantime has that lock, but not the thread to open it.
"""

import functools
import os
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any, Protocol

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


class _Owner(Protocol):
    _lock: Any


_owners: "weakref.WeakSet[_Owner]" = weakref.WeakSet()


def own_lock(owner: _Owner) -> None:
    """Give an object a lock, `_lock`, that is open in every forked child."""
    owner._lock = threading.Lock()
    _owners.add(owner)


def _open_locks() -> None:
    for owner in list(_owners):
        owner._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open_locks)
