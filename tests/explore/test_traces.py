"""Traces for the page: they are what `Trace` says, and folders that have none are refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import search
from nb101.errors import DatasetError, NB101Error, SearchError
from nb101.explore import site
from nb101.explore.columns import columns_of
from nb101.explore.content import Content
from nb101.explore.traces import NOWHERE, TraceFolder, trace_bytes
from nb101.search import Trace


def small_table(seed: int = 0, vertices: int = 4) -> nb101.Table:
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {"cell_id": np.arange(91), "epochs": np.full(91, 108)}
    for metric in ("validation_accuracy", "test_accuracy", "training_time"):
        columns[f"final_{metric}"] = rng.random(91)
    space = nb101.SearchSpace(vertices)
    return nb101.Table.from_columns(columns, space=space, provenance={"kind": "measured"})


@pytest.fixture(scope="module")
def table() -> nb101.Table:
    return small_table()


@pytest.fixture(scope="module")
def folder(table: nb101.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traces") / "comparison"
    runs = {"random-search": 3, "regularized-evolution": 2}
    search.compare(table, path, names=list(runs), runs=runs, queries=12, jobs=1)
    return path


def parts(data: bytes) -> tuple[list[Any], ...]:
    """Take the file of a trace apart."""
    n = len(data) // 20
    return (
        np.frombuffer(data, "<f8", n).tolist(),
        np.frombuffer(data, "<f4", n, 8 * n).tolist(),
        np.frombuffer(data, "<f4", n, 12 * n).tolist(),
        np.frombuffer(data, "<u4", n, 16 * n).tolist(),
    )


def test_traces_are_those_of_the_folder(table: nb101.Table, folder: Path) -> None:
    content = Content(columns_of(table), traces=[TraceFolder(folder, table, 2)])
    data = content.get("manifest.json")
    assert data is not None
    sets = json.loads(data)["traces"]
    assert [(one["algorithm"], len(one["runs"])) for one in sets] == [
        ("random-search", 2),
        ("regularized-evolution", 2),
    ]
    found = search.Comparison.open(folder)
    for one in sets:
        assert one["best"] == table.best("test_accuracy").value
        assert (one["metric"], one["epochs"]) == ("test_accuracy", 108)
        assert one["folder"] == "comparison"
        traces = list(found.traces(one["algorithm"]))
        for run in one["runs"]:
            trace = traces[run["run"]]
            assert run["queries"] == len(trace) == 12
            file = content.get(run["file"])
            assert file is not None
            seconds, accuracy, regret, rows = parts(file)
            assert seconds == trace.seconds.tolist()
            assert accuracy == trace.validation_accuracy.tolist()
            assert regret == trace.regret.astype(np.float32).tolist()
            assert rows == trace.cell_ids.tolist()


def test_cells_that_the_table_lacks(table: nb101.Table, folder: Path) -> None:
    part = table.select(np.arange(10, 50))
    trace = Trace.open(search.Comparison.open(folder).paths("random-search")[0])
    rows = parts(trace_bytes(trace, part.cell_ids))[3]
    expected = [x - 10 if 10 <= x < 50 else int(NOWHERE) for x in trace.cell_ids.tolist()]
    assert rows == expected
    # Regret is against another best than this table's.
    assert all(one["best"] is None for one in TraceFolder(folder, part, 1).entries())


def test_a_site_has_the_same(
    table: nb101.Table, folder: Path, tmp_path: Path, bundle: Path
) -> None:
    import gzip

    folders = [TraceFolder(folder, table, 1, number) for number in range(2)]
    site.write(tmp_path, columns_of(table), traces=folders, bundle=bundle)
    sets = json.loads((tmp_path / "data" / "manifest.json").read_text())["traces"]
    assert len(sets) == 4
    content = Content(columns_of(table), traces=folders)
    for one in sets:
        (run,) = one["runs"]
        packed = (tmp_path / "data" / run["file"]).read_bytes()
        assert gzip.decompress(packed) == content.get(run["file"].removesuffix(".gz"))


def test_folders_without_traces(table: nb101.Table, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="holds no comparison"):
        TraceFolder(tmp_path, table, 1)
    (tmp_path / "empty").mkdir()
    manifest = (folder / "comparison.json").read_bytes()
    (tmp_path / "empty" / "comparison.json").write_bytes(manifest)
    with pytest.raises(SearchError, match="has no traces"):
        TraceFolder(tmp_path / "empty", table, 1)
    with pytest.raises(SearchError, match="of another space"):
        TraceFolder(folder, small_table(vertices=5), 1)


def test_damaged_traces(table: nb101.Table, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "comparison.json").write_bytes((folder / "comparison.json").read_bytes())
    target = tmp_path / "traces" / "random-search" / "000000.parquet"
    target.parent.mkdir(parents=True)
    data = bytearray((folder / "traces" / "random-search" / "000000.parquet").read_bytes())
    data[100] ^= 1
    target.write_bytes(data)
    found = TraceFolder(tmp_path, table, 1)
    with pytest.raises(NB101Error):
        Content(columns_of(table), traces=[found]).get("traces/0/random-search-0.bin")
    target.write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="not the trace of a search"):
        found.entries()
