"""What is said of a table: of which kind its runs are, where they came from, of which space.

It goes into the metadata of files; of which kind numbers are also stands beside each answer.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import numpy as np

from nb101._core import __version__
from nb101.errors import DatasetError, NB101Error
from nb101.space.search_space import SearchSpace
from nb101.table.schema import DIRECTIONS, Direction, check_direction, limits_of

FORMAT = 2
"""Version of the layout; files of another one are refused."""
METADATA_KEY = b"nb101"
"""Entry of the Arrow schema's metadata: JSON with format, version, space, provenance."""
KIND = "kind"
"""A column of words, as tables have it where they leave nb101: of which kind each row is."""
UNKNOWN = "unknown"
"""The kind of a table of which nobody has said whether it was measured."""


def kind_of(provenance: Mapping[str, Any]) -> str:
    """Return of which kind the runs of a table are: measured, predicted, mixed, unknown..."""
    kind = provenance.get("kind")
    return kind if isinstance(kind, str) and kind else UNKNOWN


def kind_words(provenance: Mapping[str, Any]) -> str:
    """Say of which kind runs are, as in "300 runs, measured"."""
    kind = kind_of(provenance)
    return "of unknown kind" if kind == UNKNOWN else kind


def prediction_mark(
    provenance: Mapping[str, Any],
) -> Literal["", "predicted", "partly predicted"]:
    """Say how much of a table was predicted, by its provenance; empty if nothing was.

    A mixture counts by its parts, and as partly predicted if these are not known.
    """
    kind, parts = provenance.get("kind"), provenance.get("parts")
    if kind == "predicted":
        return "predicted"
    if isinstance(parts, list):
        some = any(isinstance(part, dict) and prediction_mark(part) for part in parts)
    else:
        some = kind == "mixed"
    return "partly predicted" if some else ""


def take_kind(columns: Mapping[str, Any], given: Any = None) -> tuple[Mapping[str, Any], str]:
    """Return columns without the one that says of which kind rows are, and what it says.

    If there is none, half-widths tell a prediction: what another library has handled may have lost
    its provenance.

    Raises
    ------
    DatasetError
        If rows are predicted by their own account, and `given` says that they are measured.
    """
    column = np.asarray(columns.get(KIND, ()))
    if column.dtype.kind not in "OSTU":
        # There is none, or one of somebody's own numbers.
        predicted = any(name.endswith("_uncertainty") for name in columns)
        return columns, "predicted" if predicted else UNKNOWN
    words = set(map(str, column.ravel().tolist()))
    kind = words.pop() if len(words) == 1 else "mixed" if words else UNKNOWN
    if given not in (None, kind) and prediction_mark({"kind": kind}):
        raise DatasetError(
            f"the column {KIND} says {kind!r}, and the provenance {given!r}", field=KIND
        )
    return {name: column for name, column in columns.items() if name != KIND}, kind


class WithKind:
    """A named tuple that says beside itself of which kind its numbers are.

    The kind is no entry of the tuple, which stays what it is to whoever takes it apart; but it is
    printed, pickled and in `_asdict`.
    """

    _told: tuple[str, SearchSpace | None] = (UNKNOWN, None)

    @property
    def kind(self) -> str:
        """Of which kind the numbers are: ``"measured"``, ``"predicted"``...; no entry."""
        return self._told[0]

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, kind={self.kind!r})"

    def _asdict(self) -> dict[str, Any]:
        """Return the entries by name, with ``kind`` as the last."""
        entries: dict[str, Any] = super()._asdict()  # type: ignore[misc]
        return entries | {KIND: self.kind}

    def _replace(self, **changes: Any) -> Any:
        """Return the same with other entries."""
        new = super()._replace(**changes)  # type: ignore[misc]
        new._told = self._told
        return new


def check_provenance(provenance: Mapping[str, Any]) -> None:
    """Refuse what the metadata of a file could not hold, before any work is lost."""
    try:
        json.dumps(dict(provenance), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DatasetError(
            f"provenance must be what JSON can hold: {error}", field="provenance"
        ) from None


def today() -> str:
    """Return the date that provenance notes, in UTC."""
    return datetime.now(UTC).date().isoformat()


def describe_space(space: SearchSpace) -> dict[str, Any]:
    """Say in JSON which space ids are of."""
    return {
        "max_vertices": space.max_vertices,
        "max_edges": space.max_edges,
        "ops": list(space.ops),
    }


class About(NamedTuple):
    """What the metadata of a table says."""

    space: SearchSpace
    provenance: dict[str, Any]
    directions: dict[str, Direction]


def pack_metadata(
    space: SearchSpace,
    provenance: Mapping[str, Any],
    directions: Mapping[str, Direction] | None = None,
) -> dict[bytes, bytes]:
    """Metadata of the Arrow schema."""
    about: dict[str, Any] = {
        "format": FORMAT,
        "version": __version__,
        "space": describe_space(space),
        "provenance": dict(provenance),
    }
    if directions:
        about["directions"] = dict(directions)
    # Whoever does not know nb101 can read this one.
    kind = {KIND.encode(): kind_of(provenance).encode()}
    return {METADATA_KEY: json.dumps(about).encode()} | kind


def unpack_metadata(metadata: Mapping[bytes, bytes] | None, where: str) -> About:
    """Read the metadata of the Arrow schema: space, provenance, directions of own columns.

    Raises
    ------
    DatasetError
        If it is not that of a table of runs, or of another format.
    """
    text = (metadata or {}).get(METADATA_KEY)
    if text is None:
        raise DatasetError(
            f"{where} is no table of nb101: the entry 'nb101' of its schema's metadata is missing; "
            "for columns of your own see Table.from_arrow and Table.from_columns"
        )
    try:
        about = json.loads(text)
        version = about.get("format")
        if version is None:
            raise DatasetError(f"{where} holds cells and no runs: it is no table of metrics")
        check_format(version, FORMAT, where)
        limits = about["space"]
        space = SearchSpace(limits["max_vertices"], limits["max_edges"], limits["ops"])
        provenance = about["provenance"]
        directions = about.get("directions", {})
        if not isinstance(provenance, dict) or not isinstance(directions, dict):
            raise TypeError
        directions = {
            name: check_direction(direction)
            for name, direction in directions.items()
            if name not in DIRECTIONS and limits_of(name) is not None
        }
    except DatasetError:
        raise
    except (NB101Error, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DatasetError(f"{where}: the metadata of the table is damaged") from None
    return About(space, provenance, directions)


def check_format(version: Any, own: int, where: str) -> None:
    """Refuse files of another format than `own`.

    Raises
    ------
    DatasetError
        If it is older, newer, or none; `reason` is the message without `where`.
    """
    if type(version) is int and version == own:
        return
    if type(version) is not int or version > own:
        reason = (
            f"has format {version!r}, and this nb101 reads {own}: upgrade with pip install -U nb101"
        )
    else:
        reason = (
            f"has format {version}, of before there were seals, and this nb101 reads {own}: make "
            "it anew"
        )
    error = DatasetError(f"{where} {reason}")
    error.reason = reason
    raise error
