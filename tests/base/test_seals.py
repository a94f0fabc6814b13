"""Seals: what they cover, and what they say."""

import errno
import hashlib
import mmap
from pathlib import Path

import pytest

from nb101 import DatasetError
from nb101._base.seals import BLANK, MARK, check_seal, check_sealed_bytes, seal_bytes, sealed

BODY = b"head " + BLANK.encode() + b" middle " + BLANK.encode() + b" tail"


def test_every_byte_is_covered() -> None:
    whole = seal_bytes(BODY)
    check_sealed_bytes(whole, "file", "make it anew")
    for place in range(len(whole)):
        for flip in (1, 32, 128):
            damaged = bytearray(whole)
            damaged[place] ^= flip
            with pytest.raises(DatasetError, match=r"file .*make it anew"):
                check_sealed_bytes(bytes(damaged), "file", "make it anew")


@pytest.mark.parametrize("size", [0, 100, (1 << 20) - 40, 1 << 20, (1 << 20) + 40, 5 << 20])
def test_seals_are_found_at_either_end(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    for body in ([BLANK.encode(), bytes(size)], [bytes(size), BLANK.encode()]):
        with sealed(path) as file:
            for part in body:
                file.write(part)
        check_seal(path, "")
        data = path.read_bytes()
        assert data == seal_bytes(b"".join(body))
        digits = data[data.index(MARK.encode()) + len(MARK) :][:64].decode()
        assert digits == hashlib.sha256(b"".join(body)).hexdigest()
        path.write_bytes(data[:-1])
        with pytest.raises(DatasetError):
            check_seal(path, "")


def test_a_file_without_a_seal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"nothing here")
    with pytest.raises(DatasetError, match="has no seal"):
        check_seal(path, "delete it")
    path.write_bytes(b"")
    with pytest.raises(DatasetError, match="is empty: delete it"):
        check_seal(path, "delete it")
    with pytest.raises(RuntimeError, match="no place"):
        seal_bytes(b"nothing here")
    with pytest.raises(RuntimeError, match="no place"), sealed(tmp_path / "other") as new:
        new.write(b"nothing here")
    assert not (tmp_path / "other").exists()


def test_no_room_to_map_a_file_is_no_fault_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(seal_bytes(BODY))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(mmap, "mmap", refuse)
    with pytest.raises(MemoryError, match="not enough memory"):
        check_seal(path, "delete it")
    with pytest.raises(MemoryError, match="not enough memory"), sealed(path) as new:
        new.write(BODY)
    assert path.read_bytes() == seal_bytes(BODY)


def test_arrow_and_parquet_have_room_for_seals(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"a": list(range(1000))})
    arrow = table.replace_schema_metadata({"nb101.seal": BLANK})
    with sealed(tmp_path / "t.arrow") as file, pa.ipc.new_file(file, arrow.schema) as writer:
        writer.write_table(arrow)
    check_seal(tmp_path / "t.arrow", "")
    assert pa.ipc.open_file(tmp_path / "t.arrow").read_all().equals(table)
    with (
        sealed(tmp_path / "t.parquet") as file,
        pq.ParquetWriter(file, table.schema) as parquet,
    ):
        parquet.write_table(table)
        # Not in the schema, which is kept in base64 too.
        parquet.add_key_value_metadata({"nb101.seal": BLANK})
    check_seal(tmp_path / "t.parquet", "")
    assert pq.read_table(tmp_path / "t.parquet").equals(table)
