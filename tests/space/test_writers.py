"""Tables and files of cells, against dictionaries made one cell at a time."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import nb101
from nb101.space import columns
from nb101.space import writers as export

SMALL = nb101.SearchSpace(5, 9)
FORMATS = ["cells.parquet", "cells.arrow", "cells.csv", "cells.json"]


def row(cell: nb101.Cell) -> dict[str, Any]:
    adjacency, operations = cell.to_text()
    return {
        "hash": cell.hash,
        "adjacency": adjacency,
        "operations": operations,
        "vertices": cell.vertices,
        "edges": cell.edges,
        "depth": cell.depth,
        "width": cell.width,
        "parameters": cell.parameters,
        "flops": cell.flops,
    }


def read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    if path.suffix == ".csv":
        text = pa.csv.ConvertOptions(column_types={"adjacency": pa.string()})
        return pa.csv.read_csv(path, convert_options=text)
    return pa.ipc.open_file(path).read_all()


def test_table_has_what_each_cell_says(space: nb101.SearchSpace) -> None:
    cells = space.sample(200, seed=1)
    table = nb101.Cells(cells).to_arrow()
    table.validate(full=True)
    assert table.to_pylist() == [row(cell) for cell in cells]
    about = json.loads(table.schema.metadata[b"nb101"])
    assert about == {"version": nb101.__version__, "op_names": list(nb101.OPS)}


def test_table_without_hashes_and_without_cells() -> None:
    assert "hash" not in SMALL.enumerate().to_arrow(hashes=False).column_names
    empty = nb101.Cells().to_arrow()
    assert empty.num_rows == 0
    assert empty.schema.equals(SMALL.enumerate().to_arrow().schema)


def test_table_leaves_out_unknown_costs() -> None:
    cells = nb101.SearchSpace(4, ops=["conv3x3-bn-relu", "mystery"]).enumerate()
    assert "parameters" not in cells.to_arrow().column_names
    # None of the cells has the op whose cost is unknown.
    assert "parameters" in cells[:2].to_arrow().column_names


def test_table_of_many_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = SMALL.enumerate()
    whole = cells.to_arrow()
    monkeypatch.setattr(columns, "rows_under_2gib", lambda ops: 100)
    assert cells.to_arrow().combine_chunks().equals(whole.combine_chunks())


def test_table_reports_progress() -> None:
    seen: list[tuple[int, int]] = []
    cells = SMALL.enumerate()
    cells.to_arrow(progress=lambda done, total: seen.append((done, total)))
    assert all(0 <= done <= total == len(cells) for done, total in seen)


@pytest.mark.parametrize("name", FORMATS[:3])
def test_files_read_back(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "BATCH", 1000)
    path = tmp_path / name
    export.write_space(SMALL, path)
    table = read(path)
    expected = SMALL.enumerate().to_arrow().to_pylist()
    assert table.to_pylist() == [{"id": i, **cell} for i, cell in enumerate(expected)]
    assert [file.name for file in tmp_path.iterdir()] == [name]
    if name != "cells.csv":
        about = json.loads(table.schema.metadata[b"nb101"])
        assert (about["max_vertices"], about["max_edges"]) == (5, 9)


@pytest.mark.parametrize("ops", [nb101.OPS, tuple(f"op{i}" for i in range(12))])
def test_json_is_what_the_original_wrote(ops: tuple[str, ...], tmp_path: Path) -> None:
    space = nb101.SearchSpace(4, ops=ops)
    buckets = {cell.hash: [cell.matrix.tolist(), list(cell.codes)] for cell in space.enumerate()}
    path = tmp_path / "cells.json"
    export.write_space(space, path)
    assert path.read_text() == json.dumps(buckets, sort_keys=True)


def test_json_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export.write_space(SMALL, tmp_path / "whole.json")
    monkeypatch.setattr(export, "BATCH", 100)
    export.write_space(SMALL, tmp_path / "parts.json")
    assert (tmp_path / "whole.json").read_bytes() == (tmp_path / "parts.json").read_bytes()


def test_json_refuses_what_it_cannot_hold(tmp_path: Path) -> None:
    path = tmp_path / "cells.json"
    with pytest.raises(nb101.SpaceError, match="24,059,871 cells"):
        export.write_space(nb101.SearchSpace(8, 11), path)
    with pytest.raises(ValueError, match="keyed by hash"):
        export.write_space(SMALL, path, hashes=False)
    cells = SMALL.enumerate()[:3]
    twins = np.zeros((3, 16), dtype=np.uint8)
    with (
        pytest.raises(nb101.SpaceError, match="share the hash"),
        export.open_writer(SMALL, path) as writer,
    ):
        writer.write(cells, twins)
    assert list(tmp_path.iterdir()) == []


def test_digests_sort_as_their_text_does() -> None:
    rng = np.random.default_rng(0)
    digests = rng.integers(0, 3, size=(500, 16)).astype(np.uint8)
    digests[:, :7] = 255
    order = export.sorted_digests(digests)
    texts = [bytes(row).hex() for row in digests]
    assert [texts[i] for i in order] == sorted(texts)
    assert int(export.same_as_next(digests[order]).sum()) == 500 - len(set(texts))


def test_format_is_given_or_by_the_ending(tmp_path: Path) -> None:
    assert export.cells_format("a.PARQUET") == "parquet"
    assert export.cells_format("a.feather") == "arrow"
    assert export.cells_format("a", "csv") == "csv"
    with pytest.raises(ValueError, match="unknown format 'xls': known are parquet, arrow"):
        export.cells_format("a", "xls")
    with pytest.raises(ValueError, match=r"format of 'a\.txt' from its ending"):
        export.cells_format("a.txt")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("old", [None, b"old"])
def test_failure_leaves_the_old_file_or_none(name: str, old: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / name
    if old is not None:
        path.write_bytes(old)

    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export.write_space(SMALL, path, progress=fail)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([] if old is None else [old])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_killed_writer_leaves_the_old_file(number: int, tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    path.write_text("old")
    command = [sys.executable, "-m", "nb101", "enumerate", "-v", "8", "-e", "11", "--no-hashes"]
    process = subprocess.Popen(
        [*command, "-o", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        end = time.monotonic() + 60
        while not any(file.stat().st_size for file in tmp_path.glob(".*.tmp")):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert path.read_text() == "old"
    assert out == ""
    if number != signal.SIGKILL:
        assert list(tmp_path.iterdir()) == [path]
        assert process.returncode == 128 + number
        assert err == (
            "nb101: interrupted; nothing was written, and the same command begins anew\n"
            if number == signal.SIGINT
            else ""
        )


def test_import_is_free_of_pyarrow() -> None:
    code = "import nb101, nb101.space.writers, nb101.cli, sys; print('pyarrow' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "False\n"
