"""Exceptions. All are ValueErrors; those about a missing id or hash are look-up errors too."""

from nb101.plain import one_line


class NB101Error(ValueError):
    """What every exception of this package is.

    Its message is one line, whatever of a file's text is in it.
    """

    def __str__(self) -> str:
        # Not that of KeyError, which would print the message quoted.
        return one_line(BaseException.__str__(self))


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
    """A file of records, or a table to be written as one, is damaged or holds what it may not."""


class UnknownHashError(NB101Error, KeyError):
    """A hash that no cell of the space has."""


class MissingRunError(NB101Error, KeyError):
    """A run that a table does not have: of this cell, budget or repeat. It is a KeyError too."""


class TrainingError(NB101Error):
    """A run that cannot be finished: the message says why, and what to change."""


class DivergedError(TrainingError):
    """A run whose loss was no number in every attempt."""


class CheckpointError(TrainingError):
    """A checkpoint that is damaged, or of another run than the one to be resumed."""


class CampaignError(NB101Error):
    """A campaign that cannot be begun or gone on with: the message says why, and what to do."""
