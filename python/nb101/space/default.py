"""The space that is meant where none is given: NAS-Bench-101.

A cell can be asked for its id, its hash or its distance to another in any space, and lies below
spaces. So the class of spaces is not imported here: `nb101.space.search_space` provides it.
"""

from typing import TYPE_CHECKING

from nb101.errors import ArgumentTypeError

if TYPE_CHECKING:
    from nb101.space.search_space import SearchSpace

_provided: "list[type[SearchSpace]]" = []


def provide(kind: "type[SearchSpace]") -> None:
    """Say which class spaces are of, once for the process."""
    _provided[:] = [kind]


_made: "dict[None, SearchSpace]" = {}


def default_space() -> "SearchSpace":
    """Return the space of NAS-Bench-101, one object for the whole process."""
    space = _made.get(None)
    # Threads that come at once may each make one; all get the one that was first.
    return _made.setdefault(None, _provided[0]()) if space is None else space


def space_of(space: "SearchSpace | None") -> "SearchSpace":
    """Return a space that was given as an argument, or NAS-Bench-101.

    Raises
    ------
    ArgumentTypeError
        If it is something else.
    """
    if space is None:
        return default_space()
    if not isinstance(space, _provided[0]):
        raise ArgumentTypeError(
            f"space must be a SearchSpace, not {type(space).__name__}", field="space"
        )
    return space
