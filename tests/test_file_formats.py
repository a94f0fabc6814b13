"""docs/reference/files.md says of files what the code writes: columns, types, entries, numbers."""

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101._base import archives
from nb101.campaign import database, results
from nb101.campaign import plan as plans
from nb101.campaign.plan import DataSource, Plan
from nb101.explore import manifest
from nb101.predict import predictor
from nb101.search import folder, trace
from nb101.space import columns
from nb101.table import about, embedded, schema
from nb101.train import logs

KEPT = Path(__file__).parent / "kept" / "0.1.0"
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "files.md"
TEXT = PAGE.read_text()


def rows(mark: str) -> list[list[str]]:
    """Return the rows of the table under a comment of the page."""
    found = re.search(rf"<!-- {mark} -->\n\|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", TEXT)
    assert found, mark
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()]


def named(mark: str) -> dict[str, str]:
    """Return what the second column of a table says of each name of the first."""
    listed = [(name, row[1]) for row in rows(mark) for name in re.findall(r"`([^`]+)`", row[0])]
    assert len(dict(listed)) == len(listed)
    return dict(listed)


def entries(mark: str) -> set[str]:
    return set(named(f"entries: {mark}"))


# Columns


def test_columns_of_tables() -> None:
    shown = named("columns: table")
    order = (*schema.OFFICIAL[:4], "seed", *schema.OFFICIAL[4:])
    assert set(shown) == set(order)
    for name, kind in shown.items():
        if name in schema.INTEGERS:
            assert kind == np.dtype(schema.INTEGERS[name]).name
        else:
            assert kind == ("float64" if name == "total_time" else "float32 or float64")
    errors = named("columns: errors")
    assert set(errors) == set(schema.ERRORS)
    assert set(errors.values()) == {"float32 or float64"}
    # As they are told from others when a file is opened.
    import pyarrow as pa

    for name, kind in (shown | errors).items():
        keys = {"cell_id": pa.int32(), "epochs": pa.int16(), "repeat": pa.int8()}
        for each in kind.split(" or "):
            of = {"float32": pa.float32(), "float64": pa.float64()}.get(each) or getattr(pa, each)()
            names = keys | {name: of}
            schema.check_types(pa.table({x: pa.array([], kind) for x, kind in names.items()}), "it")


def test_columns_of_cells() -> None:
    found: Any = columns.schema_of(True, True, ids=True, about={})
    assert named("columns: cells") == {field.name: str(field.type) for field in found}


def test_columns_of_traces() -> None:
    shown, more = named("columns: trace"), named("columns: workers")
    assert tuple(shown) == trace.COLUMNS
    assert tuple(more) == trace.AHEAD
    for name, kind in (shown | more).items():
        assert kind == str(trace._TYPES.get(name, np.dtype(np.float32)))


def test_columns_of_traces_of_several_objectives() -> None:
    shown = named("columns: objectives")
    assert tuple(shown) == trace.TOWARDS
    for name, kind in shown.items():
        assert kind == str(trace._TYPES[name])


@pytest.mark.parametrize(("mark", "table"), [("ledger", "runs"), ("failures", "failures")])
def test_columns_of_ledgers(mark: str, table: str) -> None:
    with closing(sqlite3.connect(":memory:")) as made:
        made.executescript(database.SCHEMA)
        found = made.execute(f"PRAGMA table_info({table})").fetchall()
    assert list(named(f"columns: {mark}").items()) == [(row[1], row[2]) for row in found]
    if table == "runs":
        (states,) = [row[3] for row in rows("columns: ledger") if row[0] == "`state`"]
        assert tuple(re.findall(r"`(\w+)`", states)) == database.STATES


# Entries


def test_entries_of_what_describes_tables() -> None:
    made = about.pack_metadata(nb101.SearchSpace(), {}, {"latency": "min"})
    assert set(made) == {b"nb101", b"kind"}
    assert entries("table") == set(json.loads(made[b"nb101"]))


def test_entries_of_comparisons() -> None:
    assert entries("comparison") == {
        *("format", "asked"),
        *(field.name for field in fields(folder.ComparisonPlan)),
    }
    kept = json.loads((KEPT / "comparison" / "comparison.json").read_text())
    assert entries("comparison") - set(folder.WIDER) == set(kept) - {"nb101.seal"}


def test_entries_of_plans() -> None:
    plan = Plan.load(KEPT / "plan.json")
    assert entries("plan") == set(plan.to_dict())
    assert (
        entries("data") == {field.name for field in fields(DataSource)} == set(plan.data.to_dict())
    )


def test_entries_of_ledgers_and_results() -> None:
    with closing(sqlite3.connect(KEPT / "campaign" / "ledger.sqlite")) as kept:
        assert entries("ledger") == {name for (name,) in kept.execute("SELECT name FROM about")}
    assert entries("results") == {*results.RECORD, "sum"}
    head, first = (KEPT / "campaign" / "results.jsonl").read_text().splitlines()[:2]
    assert set(json.loads(head)) == {"nb101_results", "fingerprint", "sum"}
    assert list(json.loads(first)) == [*results.RECORD, "sum"]


def test_entries_of_checkpoints() -> None:
    about = header("checkpoint/checkpoint.safetensors")
    assert entries("checkpoint") == set(json.loads(about["__metadata__"]["nb101"]))
    assert set(about["__metadata__"]) == {"nb101", "nb101.seal"}
    parts = {re.match(r"network|optimizer\.\w+", name) for name in set(about) - {"__metadata__"}}
    assert {part[0] for part in parts if part} == {
        *("network", "optimizer.mean_square", "optimizer.velocity")
    }
    assert {each["dtype"] for name, each in about.items() if name != "__metadata__"} == {"F32"}


def header(name: str) -> dict[str, Any]:
    """Return the header of a file of safetensors."""
    data = (KEPT / name).read_bytes()
    read: dict[str, Any] = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return read


def test_entries_of_logs() -> None:
    assert entries("log") == set(logs.Step._fields)


# Arrays


def arrays_of(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    archive = archives.Archive(data, 1 << 26)
    return {name: archive.read(name) for name in archive.names}


def check_arrays(mark: str, found: Mapping[str, Any]) -> None:
    """Compare names, in which capitals stand for numbers, types and numbers of dimensions."""
    patterns = {}
    for names, kind, shape in rows(f"arrays: {mark}"):
        inside = re.match(r"\((.*?)\)(?=:|$)", shape)
        assert inside, shape
        size = len([part for part in inside[1].split(",") if part.strip()])
        for name in re.findall(r"`([^`]+)`", names):
            patterns[re.sub("[A-Z]", r"\\d+", name)] = (kind, size)
    used = set()
    for name, array in found.items():
        (fits,) = [pattern for pattern in patterns if re.fullmatch(pattern, name)]
        used.add(fits)
        assert (array.dtype.name, array.ndim) == patterns[fits], name
    assert used == set(patterns)


def test_arrays_of_the_embedded_table() -> None:
    check_arrays("embedded", arrays_of(embedded.PATH))


def test_arrays_of_images() -> None:
    check_arrays("images", arrays_of(KEPT / "campaign" / "images.npz"))


def test_arrays_of_predictors() -> None:
    found = arrays_of(KEPT / "predictor.npz")
    check_arrays("predictor", found)
    assert entries("predictor") == set(json.loads(found["about"].tobytes()))


# Numbers


def test_numbers_of_formats() -> None:
    listed = re.search(r"\| file \| mark \| number \|\n\|[-| ]+\|\n((?:\|.*\n)+)", TEXT)
    assert listed
    shown = {}
    for line in listed[1].splitlines():
        file, _, number = (cell.strip() for cell in line.strip("|").split(" | "))
        shown[re.sub(r"[`\[\]]|\(#.*?\)|, .*", "", file).strip()] = number
    assert shown == {
        "table": str(about.FORMAT),
        "embedded table": str(embedded.FORMAT),
        "trace": "none: its columns",
        "comparison.json": f"{folder.FORMAT} or {folder.WIDER_FORMAT}",
        "plan": str(plans.FORMAT),
        "ledger.sqlite": str(results.FORMAT),
        "results.jsonl": str(results.FORMAT),
        "checkpoint": str(
            json.loads(header("checkpoint/checkpoint.safetensors")["__metadata__"]["nb101"])[
                "format"
            ]
        ),
        "predictor": str(predictor.FORMAT),
        "explorer's site": str(manifest.VERSION),
    }


def test_all_that_is_promised_to_open_is_kept() -> None:
    """Each file that later releases are to open has one of version 0.1 among `tests/kept`."""
    kept = {
        "table": ("table.arrow", "table.parquet"),
        "trace": ("trace.parquet",),
        "comparison": ("comparison/comparison.json",),
        "plan": ("plan.json",),
        "campaign's folder": ("campaign/ledger.sqlite", "campaign/results.jsonl"),
        "checkpoint": ("checkpoint/checkpoint.safetensors",),
        "predictor": ("predictor.npz",),
        "official records": ("records.tfrecord",),
        "cells of `nb101 enumerate`": ("cells.parquet", "cells.arrow", "cells.csv", "cells.json"),
        "Python pickles of public objects": ("cell.pickle",),
    }
    promised = re.search(r"\| file \| later releases .*\n\|[-| ]+\|\n((?:\|.*\n)+)", TEXT)
    assert promised
    listed = [line.strip("|").split("|") for line in promised[1].splitlines()]
    promises = {row[0].strip() for row in listed if not row[1].strip().startswith("none")}
    assert promises == set(kept)
    for names in kept.values():
        assert all((KEPT / name).is_file() for name in names)
