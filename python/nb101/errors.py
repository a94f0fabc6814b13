"""Exceptions: whatever wrong input can cause is an `NB101Error`, and what else is natural for it.

All are ValueErrors. Those about a name, an id or a hash that is not there are look-up errors too,
those about a wrong type are TypeErrors, those about a file that the system refuses are OSErrors,
and those about a package that is not installed are ImportErrors. What a program needs to go on
stands in attributes, so that no message has to be parsed.
"""

import os
from typing import Any, Self

from nb101.plain import one_line


class NB101Error(ValueError):
    """What every exception of this package is.

    Its message is one line, whatever of a file's text is in it.

    Attributes
    ----------
    index : int or None
        Which module of a batch, row of a table or record of a file is wrong, from 0; None where
        there is but one.
    path : str or None
        The file or folder that is wrong.
    field : str or None
        The argument, column or setting that is wrong.
    reason : str
        The message without the place that `index` is of.
    """

    index: int | None
    path: str | None
    field: str | None
    _reason: str | None = None

    def __init__(
        self,
        *args: Any,
        index: int | None = None,
        path: str | os.PathLike[str] | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(*args)
        self.index = index
        self.path = None if path is None else os.fspath(path)
        self.field = field

    @property
    def reason(self) -> str:  # noqa: D102
        return str(self) if self._reason is None else self._reason

    @reason.setter
    def reason(self, text: str) -> None:
        self._reason = one_line(text)

    def at(self, place: str, index: int | None) -> Self:
        """Make the same exception with another place: ``raise error.at("module 3", 3)``.

        Without a place (an empty string) the message is the reason alone.
        """
        reason = self.reason
        moved = type(self)(f"{place}: {reason}" if place else reason)
        moved.index, moved.field, moved.reason = index, self.field, reason
        return moved

    def in_file(self, path: str | os.PathLike[str]) -> Self:
        """Make the same exception with the file that it is about, in front of its message too."""
        moved = type(self)(f"{os.fspath(path)}: {self}")
        reason = self.reason
        moved.__dict__ |= self.__dict__
        moved.path, moved.reason = os.fspath(path), reason
        return moved

    def __str__(self) -> str:
        # Not that of KeyError, which would print the message quoted.
        return one_line(BaseException.__str__(self))


class ArgumentError(NB101Error):
    """An argument or a setting with a value that it cannot have; `field` is its name."""


class ArgumentTypeError(ArgumentError, TypeError):
    """An argument of a wrong type; `field` is its name where it has one. It is a TypeError too."""


class UnknownNameError(ArgumentError, KeyError):
    """A metric, column, algorithm or other name that is not there. It is a KeyError too."""


class InvalidCellError(NB101Error):
    """A matrix and labels that are no cell; the message says what is wrong and where."""


class DisconnectedError(InvalidCellError):
    """No path leads from input to output."""


class UnknownOpError(InvalidCellError):
    """An op that the space, or a rule for its cost, does not know."""


class OutOfSpaceError(NB101Error):
    """A valid cell that is not in the search space: too many vertices or edges."""


class SpaceError(NB101Error):
    """A search space that cannot be: limits out of range, or too large for what was asked."""


class CellIdError(NB101Error, IndexError):
    """An id past the end of the space."""


class DatasetError(NB101Error):
    """A file of records, or a table to be written as one, is damaged or holds what it may not.

    Attributes
    ----------
    offset : int or None
        Where in a file of official records the one that `index` counts begins, in bytes.
    """

    offset: int | None = None


class UnknownHashError(NB101Error, KeyError):
    """A hash that no cell of the space has."""


class MissingRunError(NB101Error, KeyError):
    """A run that a table does not have: of this cell, budget or repeat. It is a KeyError too."""


class FileError(NB101Error, OSError):
    """A file or folder that the system refuses, or that is not what it must be.

    It is an OSError too, with `errno`, `strerror` and `filename` where the system said them.
    """

    def __new__(cls, *args: Any, **_: Any) -> Self:  # noqa: D102
        # ValueError's, which comes first, may not make it; Dask's pickles call it by its name.
        return OSError.__new__(cls, *args)

    def __init__(self, *args: Any, path: str | os.PathLike[str] | None = None) -> None:
        super().__init__(*args, path=path)
        if len(args) >= 2:
            self.errno, self.strerror = args[:2]
            self.filename = args[2] if len(args) > 2 else self.path
            self.path = self.path or (None if self.filename is None else os.fspath(self.filename))

    def __str__(self) -> str:
        if self.strerror is None:
            return super().__str__()
        return one_line(f"{self.filename}: {self.strerror}" if self.filename else self.strerror)


class MissingFileError(FileError, FileNotFoundError):
    """A file or folder that is not there. It is a FileNotFoundError too."""


class FetchError(FileError, ConnectionError):
    """A file that a server does not send: the message says why. It is a ConnectionError too."""


class MissingExtraError(NB101Error, ModuleNotFoundError):
    """A package that is not installed; the message has the pip command. It is an ImportError too.

    Its attribute `name` is that of the package.
    """

    def __new__(cls, *args: Any, **_: Any) -> Self:  # noqa: D102
        return ModuleNotFoundError.__new__(cls, *args)

    def __init__(self, *args: Any, name: str | None = None) -> None:
        super().__init__(*args)
        self.name = name


class TrainingError(NB101Error):
    """A run that cannot be finished: the message says why, and what to change."""


class DivergedError(TrainingError):
    """A run whose loss was no number in every attempt."""


class CheckpointError(TrainingError):
    """A checkpoint that is damaged, or of another run than the one to be resumed."""


class CampaignError(NB101Error):
    """A campaign that cannot be begun or gone on with: the message says why, and what to do."""


class SearchError(NB101Error):
    """A search or comparison that cannot be begun or gone on with: the message says why."""


class FolderError(NB101Error):
    """A folder that something else has made, and that is not written over; `path` is its name."""
