"""Official files through the extension module, against a plain Python reader and writer."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import nb101
from nb101 import _core
from official import frame, record

Columns = dict[str, npt.NDArray[Any]]
STAGES = ("start", "halfway", "final")
FIELDS = ("epoch", "training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
METRICS = [f"{stage}_{field}" for stage in STAGES for field in FIELDS]


@pytest.fixture(scope="module")
def runs(space: nb101.SearchSpace) -> list[tuple[int, int, list[float], float]]:
    """Id, epochs, metrics and total time of runs in no order."""
    rng = np.random.default_rng(3)
    return [
        (
            int(cell),
            int(epochs),
            [float(np.float32(x)) for x in rng.random(15)],
            float(rng.random()),
        )
        for epochs in (108, 4)
        for cell in rng.choice(len(space), 20)
        for _ in range(3)
    ]


@pytest.fixture
def official(
    tmp_path: Path, space: nb101.SearchSpace, runs: list[tuple[int, int, list[float], float]]
) -> Path:
    path = tmp_path / "official.tfrecord"
    path.write_bytes(b"".join(frame(record(space[i], *rest)) for i, *rest in runs))  # type: ignore[arg-type]
    return path


def read(path: Path, keep_going: bool = False) -> tuple[Columns, list[Any], list[Any]]:
    columns, raw, problems, left_out = _core.read_release(str(path), True, keep_going)
    assert left_out == len(problems)
    return columns, raw, problems


def test_every_number_comes_back(
    official: Path, runs: list[tuple[int, int, list[float], float]]
) -> None:
    columns, raw, problems = read(official)
    assert raw == []
    assert problems == []
    assert list(columns) == [
        *("cell_id", "epochs", "repeat", "record"),
        *METRICS,
        *("trainable_parameters", "total_time"),
    ]
    order = columns["record"]
    expected = [runs[i] for i in order]
    assert [
        (int(a), int(b)) for a, b in zip(columns["epochs"], columns["cell_id"], strict=True)
    ] == [(epochs, cell) for cell, epochs, _, _ in expected]
    assert columns["repeat"].tolist() == [0, 1, 2] * 40
    for i, name in enumerate(METRICS):
        assert columns[name].dtype == np.float32
        assert columns[name].astype(float).tolist() == [metrics[i] for _, _, metrics, _ in expected]
    assert columns["total_time"].tolist() == [time for *_, time in expected]


def test_written_byte_for_byte(official: Path, tmp_path: Path) -> None:
    columns, raw, _ = read(official)
    again = tmp_path / "again"
    _core.write_release(str(again), columns, raw)
    assert again.read_bytes() == official.read_bytes()
    columns["final_epoch"] = columns["final_epoch"].astype(float)
    seen: list[tuple[int, int]] = []
    _core.write_release(str(again), columns, raw, lambda done, total: seen.append((done, total)))
    assert again.read_bytes() == official.read_bytes()


def test_other_spellings_keep_their_bytes(space: nb101.SearchSpace, tmp_path: Path) -> None:
    plain = record(space[5], 108, [0.5] * 15, 1.0)
    spaced = plain.replace(b", ", b" , ")
    path, again = tmp_path / "a", tmp_path / "b"
    path.write_bytes(frame(plain) + frame(spaced))
    columns, raw, _ = read(path)
    assert raw == [(1, spaced)]
    _core.write_release(str(again), columns, raw)
    assert again.read_bytes() == path.read_bytes()


def test_gzip_reads_the_same(official: Path, tmp_path: Path) -> None:
    packed = tmp_path / "official.gz"
    packed.write_bytes(gzip.compress(official.read_bytes()))
    plain, unpacked = read(official)[0], read(packed)[0]
    assert all(np.array_equal(plain[name], unpacked[name]) for name in plain)


def test_a_wrong_record_is_named_or_left_out(official: Path) -> None:
    data = bytearray(official.read_bytes())
    start = 2 * 16 + sum(
        struct.unpack_from("<Q", data, at)[0] for at in (0, 16 + data[0] + 256 * data[1])
    )
    data[start + 40] ^= 1
    official.write_bytes(data)
    message = f"record 2 at byte {start}: the checksum of the data is wrong"
    with pytest.raises(nb101.DatasetError, match=message):
        read(official)
    columns, _, problems = read(official, keep_going=True)
    assert problems == [(2, start, "the checksum of the data is wrong")]
    assert len(columns["record"]) == 119
    assert 2 not in columns["record"]


def test_refusals(official: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read(tmp_path / "nowhere")
    with pytest.raises(nb101.FileError, match="Is a directory"):
        read(tmp_path)
    columns, raw, _ = read(official)
    out = str(tmp_path / "out")
    with pytest.raises(FileNotFoundError):
        _core.write_release(str(tmp_path / "no" / "out"), columns, raw)
    with pytest.raises(KeyError, match="no column epochs"):
        _core.write_release(out, {k: v for k, v in columns.items() if k != "epochs"}, raw)
    with pytest.raises(TypeError, match="column cell_id"):
        _core.write_release(out, columns | {"cell_id": columns["cell_id"].astype(float)}, raw)
    with pytest.raises(ValueError, match="differ in length"):
        _core.write_release(out, columns | {"total_time": columns["total_time"][:-1]}, raw)
    with pytest.raises(ValueError, match="ascending"):
        _core.write_release(out, columns, [(10_000, b"")])
    with pytest.raises(nb101.CellIdError):
        _core.write_release(out, columns | {"cell_id": columns["cell_id"] - 423_624}, raw)
    lacking = columns["final_test_accuracy"].copy()
    lacking[7] = np.nan
    with pytest.raises(nb101.DatasetError, match="row 7: final_test_accuracy is NaN"):
        _core.write_release(out, columns | {"final_test_accuracy": lacking}, raw)


def test_an_interrupt_is_heard(official: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    # Large enough to be asked at least once.
    official.write_bytes(official.read_bytes() * 40 * 8)
    with pytest.raises(nb101.DatasetError, match="more than 128 records"):
        read(official)
    with pytest.raises(KeyboardInterrupt):
        _core.read_release(str(official), True, True, stop)


def test_of_many_wrong_records_the_first_are_kept(official: Path, tmp_path: Path) -> None:
    """Some hundred bytes of gzip hold millions of records without data."""
    good = official.read_bytes()
    path = tmp_path / "many.tfrecord"
    path.write_bytes(gzip.compress(good + frame(b"") * 300_000 + good))
    columns, _, problems, left_out = _core.read_release(str(path), True, True)
    assert (len(columns["cell_id"]), len(problems), left_out) == (240, 1000, 300_000)
    assert [problem[0] for problem in problems] == list(range(120, 1120))
    found: list[Any] = []
    table = nb101.convert(path, tmp_path / "t.arrow", keep_going=True, on_problem=found.append)
    assert (len(found), table.provenance["records_left_out"]) == (1000, 300_000)
