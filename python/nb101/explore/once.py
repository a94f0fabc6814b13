"""Values that are made when they are first asked for: by one thread, while others wait for it."""

from collections.abc import Callable
from typing import Generic, TypeVar

from nb101._base.lazy import lock_of

T = TypeVar("T")


class Once(Generic[T]):
    """What `make` returns, which is called when the value is first asked for, and not again.

    If it raises, the next caller tries again.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []
        self._lock = lock_of(self)

    @property
    def made(self) -> bool:
        """Whether the value is there."""
        return bool(self._made)

    def __call__(self) -> T:
        """Return the value."""
        if not self._made:
            with self._lock:
                if not self._made:
                    self._made.append(self._make())
        return self._made[0]
