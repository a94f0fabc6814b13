"""Official files to tables and back, against a plain reader; and every kind of damage."""

import base64
import gzip
import json
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nb101
import official
import tables
from nb101 import DatasetError, Problem, Table, _core
from nb101._base import seals
from nb101.table import files
from nb101.table.official import RECIPE, RECORDS, SHA256, has_original_runs, read_official
from nb101.table.schema import EVALUATIONS


@pytest.fixture(scope="module")
def rows() -> list[tables.Row]:
    return tables.draw_rows(np.random.default_rng(5), [0, 1, 90, 91, 5000, 423_623], repeats=2)


@pytest.fixture(scope="module")
def data(rows: list[tables.Row], space: nb101.SearchSpace) -> bytes:
    return b"".join(
        official.frame(
            official.record(space[row.cell_id], row.epochs, list(row.metrics), row.total_time)
        )
        for row in rows
    )


@pytest.fixture
def source(data: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "in.tfrecord"
    path.write_bytes(data)
    return path


def test_nothing_is_lost(source: Path, rows: list[tables.Row], tmp_path: Path) -> None:
    table = nb101.convert(source, tmp_path / "out.arrow")
    assert table.path == str(tmp_path / "out.arrow")
    back = np.argsort(table.column("record"))
    for i, name in enumerate(EVALUATIONS):
        assert table.column(name)[back].tolist() == [row.metrics[i] for row in rows]
    assert table.column("cell_id")[back].tolist() == [row.cell_id for row in rows]
    assert table.column("epochs")[back].tolist() == [row.epochs for row in rows]
    assert table.column("total_time")[back].tolist() == [row.total_time for row in rows]
    # These records are nobody's, and nothing in them says whose they are.
    assert table.provenance["kind"] == "unknown"
    assert table.provenance["source"] == "in.tfrecord"
    assert table.provenance["source_bytes"] == source.stat().st_size
    assert table.provenance["hashes_verified"] is True
    assert table.provenance["recipe"] == "unknown, in the layout of the official files"
    table.verify()


def official_runs(epochs: Sequence[int], **changes: Any) -> nb101.Table:
    """Runs as many as an official file has, without evaluations."""
    space = nb101.SearchSpace()
    n = len(space)
    columns: dict[str, Any] = {
        "cell_id": np.tile(np.repeat(np.arange(n, dtype=np.int32), 3), len(epochs)),
        "epochs": np.repeat(np.array(epochs, np.int16), 3 * n),
        "repeat": np.tile(np.arange(3, dtype=np.int8), n * len(epochs)),
    }
    own = space.enumerate().parameters().astype(np.int32)
    columns["trainable_parameters"] = own[columns["cell_id"]]
    return nb101.Table.from_columns(columns | changes, copy=False)


def test_only_what_has_all_runs_is_said_to_be_the_original(rows: list[tables.Row]) -> None:
    table = official_runs([108])
    assert has_original_runs(table)
    assert not has_original_runs(table.select(where=np.arange(len(table)) != 77))
    assert not has_original_runs(table.select(repeats=[0, 1]))
    assert not has_original_runs(tables.make(rows))
    # As many runs of another recipe: its networks have other parameters.
    narrow = table.column("trainable_parameters") // 4
    assert not has_original_runs(official_runs([108], trainable_parameters=narrow))
    assert not has_original_runs(official_runs([36]))


def test_a_known_checksum_tells_an_official_file(source: Path) -> None:
    known = {"source_sha256": SHA256["nasbench_full.tfrecord"]}
    table, _ = read_official(source, provenance=known)
    assert (table.provenance["kind"], table.provenance["recipe"]) == ("measured", RECIPE)
    table, _ = read_official(source, provenance={"source_sha256": "0" * 64, "recipe": "ours"})
    assert (table.provenance["kind"], table.provenance["recipe"]) == ("unknown", "ours")


def test_a_campaign_does_not_come_back_as_the_original(
    rows: list[tables.Row], tmp_path: Path
) -> None:
    own = {"kind": "measured", "source": "nb101 campaign", "recipe": {"stem_channels": 16}}
    tables.make(rows, provenance=own).save(tmp_path / "own.tfrecord")
    back = nb101.convert(tmp_path / "own.tfrecord", tmp_path / "back.arrow")
    assert "Ying" not in str(dict(back.provenance))
    assert back.provenance["recipe"].startswith("unknown")


def test_predictions_are_not_written_as_official_records(
    rows: list[tables.Row], tmp_path: Path
) -> None:
    path = tmp_path / "p.tfrecord"
    with pytest.raises(DatasetError, match="cannot say that numbers were predicted"):
        tables.make(rows, provenance={"kind": "predicted"}).save(path)
    mixed = Table.concat([tables.make(rows), tables.make(rows, provenance={"kind": "predicted"})])
    with pytest.raises(DatasetError, match="partly predicted"):
        mixed.save(path)
    assert not path.exists()


@pytest.mark.parametrize("middle", ["out.arrow", "out.parquet"])
def test_comes_out_as_it_went_in(source: Path, tmp_path: Path, middle: str) -> None:
    nb101.convert(source, tmp_path / middle).save(tmp_path / "back.tfrecord")
    assert (tmp_path / "back.tfrecord").read_bytes() == source.read_bytes()


def test_other_spellings_come_out_as_they_went_in(data: bytes, tmp_path: Path) -> None:
    frames = official.split(data)
    frames[3] = official.frame(official.payload(frames[3]).replace(b", ", b" ,"))
    frames[7] = official.frame(official.payload(frames[7]).replace(b"[", b"[ "))
    path = tmp_path / "in.tfrecord"
    path.write_bytes(b"".join(frames))
    table = nb101.convert(path, tmp_path / "out.arrow")
    assert table.to_arrow()["raw"].null_count == len(table) - 2
    table.verify()
    parts = [table.select(epochs=4), table.select(epochs=108)]
    whole = Table.concat(parts)
    for name, part in (("all", table), ("some", table.select([0, 90])), ("joined", whole)):
        part.save(tmp_path / f"{name}.tfrecord")
        if name != "joined":
            order = np.sort(part.column("record")).tolist()
            expected = b"".join(frames[i] for i in order)
            assert (tmp_path / f"{name}.tfrecord").read_bytes() == expected
    joined = official.split((tmp_path / "joined.tfrecord").read_bytes())
    assert sorted(joined) == sorted(frames)


@pytest.mark.parametrize("times", [1, 3, 0.1])
def test_a_file_is_that_of_the_table_in_memory(
    rows: list[tables.Row], space: nb101.SearchSpace, tmp_path: Path, times: float
) -> None:
    """Columns that are written as they are made are those that a table would write."""
    metrics = np.array([row.metrics for row in rows]) * min(times, 1)
    frames = [
        official.frame(
            official.record(space[row.cell_id], row.epochs, values, times * row.total_time)
        )
        for row, values in zip(rows, metrics.tolist(), strict=True)
    ]
    del frames[4]
    frames[2] = official.frame(b"{}")
    path = tmp_path / "in.tfrecord"
    path.write_bytes(b"".join(frames))
    given = {"about": "a test"}
    nb101.convert(path, tmp_path / "a.arrow", keep_going=True, on_problem=print, provenance=given)
    table, (problem,) = read_official(path, keep_going=True, provenance=given)
    assert problem.record == 2
    table.save(tmp_path / "b.arrow")
    assert (tmp_path / "a.arrow").read_bytes() == (tmp_path / "b.arrow").read_bytes()


@pytest.mark.parametrize("joined", [False, True])
def test_other_ways_of_pyarrow_to_write_change_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, joined: bool
) -> None:
    """It may copy columns, or pass them on with what lies between, some day."""
    new_file = pa.ipc.new_file
    wrote = []

    class Sink(seals.Appending):
        def __init__(self, file: Any) -> None:
            super().__init__(file)
            self.waiting = b""

        def tell(self) -> int:
            return self._file.tell() + len(self.waiting)

        def write(self, data: Any) -> int:
            self.waiting += bytes(data)
            if not joined or len(self.waiting) > 1000:
                self.flush()
            return len(data)

        def flush(self) -> None:
            wrote.append(self._file.write(self.waiting))
            self.waiting = b""

    @contextmanager
    def another(file: Any, schema: pa.Schema) -> Iterator[Any]:
        sink = Sink(file)
        with new_file(sink, schema) as writer:
            yield writer
        sink.flush()

    read_official(source)[0].save(tmp_path / "expected.arrow")
    kinds: list[np.dtype[Any]] = [np.dtype("i2"), np.dtype("f8")]
    schema = pa.schema([("a", pa.int16()), ("b", pa.float64())])
    # The way that is known is the one of this version.
    known = files._pieces(schema, kinds, 3)
    assert known is not None
    assert known.count(None) == 2
    monkeypatch.setattr(pa.ipc, "new_file", another)
    assert files._pieces(schema, kinds, 3) is None
    nb101.convert(source, tmp_path / "found.arrow")
    assert wrote
    assert (tmp_path / "found.arrow").read_bytes() == (tmp_path / "expected.arrow").read_bytes()


def test_a_column_that_does_not_fit_is_not_given_up(source: Path) -> None:
    runs, *_ = _core.scan_release(str(source), True, False)
    n = len(runs)
    expected = read_official(source)[0]
    for name, kind in (("final_test_accuracy", np.float32), ("total_time", np.float64)):
        for wrong in (np.zeros(n, np.int8), np.zeros(n - 1, kind), np.zeros(2 * n, kind)[::2]):
            with pytest.raises((TypeError, ValueError)):
                runs.take(name, wrong)
        column = np.zeros(n, kind)
        runs.take(name, column)
        assert column.tolist() == expected.column(name).tolist()
        with pytest.raises(KeyError):
            runs.take(name, column)


def test_all_runs_of_an_official_file_are_said_to_be_the_original(
    space: nb101.SearchSpace, tmp_path: Path
) -> None:
    """A whole file, of numbers that are all the same."""
    n = 3 * len(space)
    columns = {name: official_runs([108]).column(name) for name in ("cell_id", "epochs")}
    columns |= dict.fromkeys(EVALUATIONS, np.zeros(n, np.float32))
    columns["total_time"] = np.ones(n)
    path = tmp_path / "in.tfrecord"
    Table.from_columns(columns).save(path)
    table = nb101.convert(path, tmp_path / "out.arrow")
    assert (table.provenance["kind"], table.provenance["recipe"]) == ("measured", RECIPE)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // 391 * 391)
    found: list[Problem] = []
    table = nb101.convert(path, tmp_path / "out.arrow", keep_going=True, on_problem=found.append)
    assert (table.provenance["kind"], len(found)) == ("unknown", 1)


def test_gzip(source: Path, data: bytes, tmp_path: Path) -> None:
    packed = tmp_path / "in.tfrecord.gz"
    packed.write_bytes(gzip.compress(data))
    plain = nb101.convert(source, tmp_path / "a.arrow")
    assert nb101.convert(packed, tmp_path / "b.arrow").equals(plain)


def test_a_campaigns_table_can_be_shared(rows: list[tables.Row], tmp_path: Path) -> None:
    """Columns alone, in no order of records: the original reader gets the same values."""
    columns = tables.as_columns(rows)
    del columns["trainable_parameters"], columns["total_time"]
    table = Table.from_columns(columns)
    table.save(tmp_path / "t.tfrecord")
    found = official.read((tmp_path / "t.tfrecord").read_bytes())
    space = table.space
    for row, (key, epochs, adjacency, operations, numbers, parameters, seconds) in zip(
        rows, found, strict=True
    ):
        cell = space[row.cell_id]
        assert (key, epochs, (adjacency, operations)) == (cell.hash, row.epochs, cell.to_text())
        assert numbers == list(row.metrics)
        assert (parameters, seconds) == (cell.parameters, row.metrics[11])
    again = nb101.convert(tmp_path / "t.tfrecord", tmp_path / "t.arrow")
    for name in EVALUATIONS:
        assert np.array_equal(again.column(name), table.column(name))


def test_genuine_records(test_data: Path, tmp_path: Path) -> None:
    """The known 108-epoch repeats of 26 cells, through both directions."""
    known = json.loads((test_data / "nasbench101" / "records_26.json").read_text())
    frames = []
    for entry in known:
        cell = nb101.Cell(entry["module_adjacency"], entry["module_operations"])
        assert cell.hash == entry["hash"]
        assert cell.parameters == entry["trainable_parameters"]
        for run in entry["computed"]["108"]:
            fields = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
            halfway, final = (
                [run[f"{stage}_{x}"] for x in fields] for stage in ("halfway", "final")
            )
            numbers = [0.0, 0.0, 0.1, 0.1, 0.1, 54.0, *halfway, 108.0, *final]
            frames.append(official.frame(official.record(cell, 108, numbers, 2000.5)))
    path = tmp_path / "genuine.tfrecord"
    path.write_bytes(b"".join(frames))
    table = nb101.convert(path, tmp_path / "genuine.arrow")
    assert table.column("final_test_accuracy").dtype == np.float32
    assert table.values("test_accuracy").shape == (26, 3)
    for entry in known:
        row = table.cell_ids.tolist().index(table.id_of(entry["hash"]))
        for name in ("halfway_training_time", "final_validation_accuracy", "final_test_accuracy"):
            expected = [run[name] for run in entry["computed"]["108"]]
            assert table.values(name)[row].tolist() == expected
    table.save(tmp_path / "back.tfrecord")
    assert (tmp_path / "back.tfrecord").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("n", [1, 5])
def test_a_slice_is_no_damage(data: bytes, tmp_path: Path, n: int) -> None:
    path = tmp_path / "slice.tfrecord"
    path.write_bytes(b"".join(official.split(data)[:n]))
    table = nb101.convert(path, tmp_path / "slice.arrow")
    assert len(table) == n
    table.save(tmp_path / "back.tfrecord")
    assert (tmp_path / "back.tfrecord").read_bytes() == path.read_bytes()


def test_a_file_without_records(tmp_path: Path) -> None:
    path = tmp_path / "empty.tfrecord"
    path.write_bytes(b"")
    with pytest.raises(DatasetError, match=r"empty.tfrecord: .*the file is empty"):
        nb101.convert(path, tmp_path / "out.arrow")
    path.write_bytes(official.frame(b"[]"))
    with pytest.raises(DatasetError, match=r"holds no records: record 0 at byte 0"):
        nb101.convert(path, tmp_path / "out.arrow", keep_going=True)
    assert list(tmp_path.iterdir()) == [path]


# Damage

REFUSED = r"record \d+ at byte \d+: "


def refused(path: Path) -> tuple[int, int]:
    """Convert what must be refused: number and offset of the record, and no file."""
    with pytest.raises(DatasetError, match=REFUSED) as caught:
        nb101.convert(path, path.with_suffix(".arrow"))
    assert list(path.parent.iterdir()) == [path]
    words = str(caught.value).split()
    at = words.index("record")
    return int(words[at + 1]), int(words[at + 4].rstrip(":"))


@given(st.data())
def test_a_flipped_byte_is_found_wherever_it_is(
    data: bytes, tmp_path_factory: pytest.TempPathFactory, draw: st.DataObject
) -> None:
    at = draw.draw(st.integers(0, len(data) - 1))
    changed = bytearray(data)
    changed[at] ^= draw.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("damage") / "in.tfrecord"
    path.write_bytes(changed)
    number, offset = refused(path)
    starts = np.cumsum([0, *map(len, official.split(data))])
    expected = int(np.searchsorted(starts, at, side="right")) - 1
    assert (number, offset) == (expected, starts[expected])


@given(st.data())
def test_a_cut_within_a_record_is_found(
    data: bytes, tmp_path_factory: pytest.TempPathFactory, draw: st.DataObject
) -> None:
    starts = np.cumsum([0, *map(len, official.split(data))]).tolist()
    at = draw.draw(st.integers(1, len(data) - 1).filter(lambda x: x not in starts))
    path = tmp_path_factory.mktemp("damage") / "in.tfrecord"
    path.write_bytes(data[:at])
    number, offset = refused(path)
    assert offset == starts[number] <= at < starts[number + 1]


@settings(max_examples=300)
@given(st.data())
def test_damage_beneath_good_checksums(
    data: bytes, tmp_path_factory: pytest.TempPathFactory, draw: st.DataObject
) -> None:
    """Bytes of the JSON or of the message: refused, or taken and given back byte for byte."""
    frames = official.split(data)
    which = draw.draw(st.integers(0, len(frames) - 1))
    text = bytearray(official.payload(frames[which]))
    if draw.draw(st.booleans()):
        fields = json.loads(text)
        message = bytearray(base64.b64decode(fields[4]))
        at = draw.draw(st.integers(0, len(message) - 1))
        message[at] ^= 1 << draw.draw(st.integers(0, 7))
        fields[4] = base64.encodebytes(bytes(message)).decode()
        text = bytearray(json.dumps(fields).encode())
    else:
        at = draw.draw(st.integers(0, len(text) - 1))
        change = draw.draw(st.sampled_from(["flip", "cut", "drop", "double"]))
        if change == "flip":
            text[at] ^= draw.draw(st.integers(1, 255))
        elif change == "cut":
            del text[at:]
        elif change == "drop":
            del text[at]
        else:
            text[at:at] = text[at : at + 1]
    frames[which] = official.frame(bytes(text))
    folder = tmp_path_factory.mktemp("damage")
    path = folder / "in.tfrecord"
    path.write_bytes(b"".join(frames))
    try:
        table = nb101.convert(path, folder / "out.arrow")
    except DatasetError:
        assert refused(path)[0] >= which
    else:
        table.save(folder / "back.tfrecord")
        assert (folder / "back.tfrecord").read_bytes() == path.read_bytes()


def changed(frame: bytes, **fields: Any) -> bytes:
    """A record with other fields, in a good frame."""
    names = ("hash", "epochs", "adjacency", "operations", "metrics")
    values = json.loads(official.payload(frame))
    for name, value in fields.items():
        values[names.index(name)] = value
    return official.frame(json.dumps(values).encode())


def message_of(frame: bytes) -> bytes:
    return base64.b64decode(json.loads(official.payload(frame))[4])


def encoded(message: bytes) -> str:
    return base64.encodebytes(message).decode()


def cases(frame: bytes) -> list[tuple[bytes, str]]:
    """Wrong records, and what is said of them."""
    message = message_of(frame)
    two = message[:94] + message[141:]
    return [
        (official.frame(b"not json"), "JSON"),
        (official.frame(b"[1, 2]"), "JSON"),
        (changed(frame, hash="0" * 32), "hash"),
        (changed(frame, hash="xyz"), "hash"),
        (changed(frame, epochs=0), "epochs"),
        (changed(frame, operations="input,conv5x5-bn-relu,output"), "conv5x5-bn-relu"),
        (changed(frame, adjacency="02" + "0" * 14), "adjacency"),
        (changed(frame, adjacency="01"), "adjacency"),
        (changed(frame, metrics="%%%"), "base64"),
        (changed(frame, metrics=encoded(message[:-3])), "protobuf"),
        (changed(frame, metrics=encoded(two)), "evaluations"),
        (changed(frame, metrics=encoded(message[:141])), "missing"),
    ]


@pytest.mark.parametrize("case", range(12))
def test_wrong_records_are_named(data: bytes, tmp_path: Path, case: int) -> None:
    frames = official.split(data)
    frames[4], text = cases(frames[4])[case]
    path = tmp_path / "in.tfrecord"
    path.write_bytes(b"".join(frames))
    assert refused(path) == (4, sum(map(len, frames[:4])))
    with pytest.raises(DatasetError, match=f"(?i){text}"):
        nb101.convert(path, tmp_path / "out.arrow")
    problems: list[Problem] = []
    table = nb101.convert(path, tmp_path / "out.arrow", keep_going=True, on_problem=problems.append)
    assert [(x.record, x.offset) for x in problems] == [(4, sum(map(len, frames[:4])))]
    assert len(table) == len(frames) - 1
    assert table.provenance["records_left_out"] == 1
    table.save(tmp_path / "rest.tfrecord")
    assert (tmp_path / "rest.tfrecord").read_bytes() == b"".join(frames[:4] + frames[5:])


def test_wrong_hashes_can_be_let_through(data: bytes, tmp_path: Path) -> None:
    frames = official.split(data)
    frames[4] = changed(frames[4], hash="0" * 32)
    path = tmp_path / "in.tfrecord"
    path.write_bytes(b"".join(frames))
    table = nb101.convert(path, tmp_path / "out.arrow", verify_hashes=False)
    assert len(table) == len(frames)
    assert table.provenance["hashes_verified"] is False
    table.save(tmp_path / "back.tfrecord")
    assert (tmp_path / "back.tfrecord").read_bytes() == path.read_bytes()


def test_records_that_contradict_each_other(data: bytes, tmp_path: Path) -> None:
    frames = official.split(data)
    message = message_of(frames[1])
    at = message.index(b"\x10", 141)
    frames[1] = changed(
        frames[1],
        metrics=encoded(message[:at] + b"\x10\x07" + message[message.index(b"\x19", at) :]),
    )
    path = tmp_path / "in.tfrecord"
    path.write_bytes(b"".join(frames))
    assert refused(path)[0] == 1


def test_what_is_left_out_is_warned_of(data: bytes, tmp_path: Path) -> None:
    frames = official.split(data)
    frames[2] = official.frame(b"{}")
    path = tmp_path / "in.tfrecord"
    path.write_bytes(b"".join(frames))
    with pytest.warns(UserWarning, match=r"1 records of .* left out; record 2 at byte"):
        nb101.convert(path, tmp_path / "out.arrow", keep_going=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path.write_bytes(data)
        nb101.convert(path, tmp_path / "out.arrow", keep_going=True)


# The rest


def test_an_official_file_that_ends_early(
    source: Path, data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut between two records, where nothing in the file is wrong."""
    frames = official.split(data)
    monkeypatch.setitem(RECORDS, source.name, (len(data), len(frames)))
    assert len(nb101.convert(source, tmp_path / "whole.arrow")) == len(frames)
    source.write_bytes(b"".join(frames[:-1]))
    monkeypatch.setattr("nb101.table.official.ABOUT", 0.1)
    message = f"with {len(frames) - 1} records, and the official file of this name has"
    with pytest.raises(DatasetError, match=message):
        nb101.convert(source, tmp_path / "cut.arrow")
    assert not (tmp_path / "cut.arrow").exists()
    problems: list[Problem] = []
    nb101.convert(source, tmp_path / "cut.arrow", keep_going=True, on_problem=problems.append)
    assert [(x.record, x.offset) for x in problems] == [(len(frames) - 1, source.stat().st_size)]
    # A small part of one is no official file, and a record that is wrong is no missing one.
    source.write_bytes(b"".join(frames[:2]))
    assert len(nb101.convert(source, tmp_path / "part.arrow")) == 2
    source.write_bytes(b"".join([*frames[:-1], official.frame(b"wrong")]))
    problems.clear()
    nb101.convert(source, tmp_path / "cut.arrow", keep_going=True, on_problem=problems.append)
    assert len(problems) == 1


def test_progress_and_interrupts(source: Path, data: bytes, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    nb101.convert(source, tmp_path / "a.arrow", progress=lambda *now: seen.append(now))
    assert seen[-1] == (len(data), len(data))

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    # Large enough to be asked at least once; that there are too many repeats matters not.
    source.write_bytes(data * 1000)
    with pytest.raises(KeyboardInterrupt):
        nb101.convert(source, tmp_path / "b.arrow", keep_going=True, progress=stop)
    assert not (tmp_path / "b.arrow").exists()


def test_refusals(source: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        nb101.convert(tmp_path / "nowhere", tmp_path / "out.arrow")
    with pytest.raises(ValueError, match="converted to arrow or parquet, not to csv"):
        nb101.convert(source, tmp_path / "out.csv")
    with pytest.raises(ValueError, match="cannot tell the format"):
        nb101.convert(source, tmp_path / "out")
    with pytest.raises(ValueError, match="would overwrite its own source"):
        nb101.convert(source, source, format="arrow")
    with pytest.raises(OSError, match="cannot write"):
        nb101.convert(source, tmp_path / "no" / "out.arrow")
    assert list(tmp_path.iterdir()) == [source]


def test_an_interrupted_conversion_leaves_the_old_file(data: bytes, tmp_path: Path) -> None:
    path, out = tmp_path / "in.tfrecord", tmp_path / "out.arrow"
    out.write_text("old")
    path.write_bytes(data * 1000)
    code = (
        "import sys, time, nb101\n"
        "def slow(done, total): print('begun', flush=True); time.sleep(60)\n"
        "nb101.convert(sys.argv[1], sys.argv[2], keep_going=True, progress=slow)"
    )
    command = [sys.executable, "-c", code, str(path), str(out)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, **pipes)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err
    assert out.read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.tfrecord", "out.arrow"]
