"""Putting tables together: columns, provenance, directions and raw records of one from several."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nb101.errors import DatasetError
from nb101.table.about import kind_of, today
from nb101.table.files import raw_records
from nb101.table.schema import RAW, Array, Columns, Direction, is_masked
from nb101.table.sources import ColumnSource

if TYPE_CHECKING:
    import pyarrow as pa


class Counted(NamedTuple):
    """One of the tables: its columns, and the trainable parameters of the cell of each row."""

    source: ColumnSource
    parameters: Array


def columns(parts: list[Counted]) -> Columns:
    """Put columns of one name together; see `Table.concat`."""
    names = list(dict.fromkeys(name for part in parts for name in part.source.names))
    found: Columns = {}
    for name in names:
        if name in ("repeat", RAW):
            continue
        pieces = []
        for source, parameters in parts:
            if name in source.names:
                pieces.append(source.column(name))
            elif name == "seed":
                nothing = np.ma.MaskedArray(np.zeros(source.rows, np.int64), mask=True)
                pieces.append(nothing)
            elif name == "trainable_parameters" and parameters.min(initial=0) >= 0:
                pieces.append(parameters)
            elif name in ("trainable_parameters", "record"):
                break
            else:
                pieces.append(np.full(source.rows, np.nan, dtype=np.float32))
        else:
            masked = any(is_masked(piece) for piece in pieces)
            found[name] = (np.ma if masked else np).concatenate(pieces)
    if "record" in found:
        offset, shifted = 0, []
        for source, _ in parts:
            record = source.column("record").astype(np.int64)
            shifted.append(record + offset)
            offset += int(record.max()) + 1 if len(record) else 0
        found["record"] = np.concatenate(shifted)
    return found


def provenance(parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Say that a table is of several parts, and what these are."""
    kinds = {kind_of(part) for part in parts}
    return {
        "kind": kinds.pop() if len(kinds) == 1 else "mixed",
        "source": f"{len(parts)} tables",
        "parts": [dict(part) for part in parts],
        "created": today(),
    }


def directions(parts: list[Mapping[str, Direction]]) -> dict[str, Direction]:
    """Put together what was said of columns, which must not contradict each other."""
    merged: dict[str, Direction] = {}
    for part in parts:
        for name, direction in part.items():
            if merged.setdefault(name, direction) != direction:
                raise DatasetError(
                    f"tables contradict each other on the direction of {name}", field=name
                )
    return merged


def raw(parts: list["pa.Table"]) -> list[tuple[int, bytes]]:
    """Put together the bytes of official records, each with its row."""
    found, offset = [], 0
    for arrow in parts:
        found += [(row + offset, record) for row, record in raw_records(arrow)]
        offset += arrow.num_rows
    return found
