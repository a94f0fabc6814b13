"""The command explore: the address, the page written, and input that is wrong."""

import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
import webbrowser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import nb101
from commands import refused, run
from nb101.cli import main
from nb101.explore import bundle as bundles
from nb101.explore import server as servers
from nb101.explore.own import read_columns


@pytest.fixture(autouse=True)
def page(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page that stands in for the one that is built."""
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "index.html").write_text("<title>x</title>")
    monkeypatch.setattr(bundles, "BUNDLE", folder)
    return folder


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {"cell_id": np.arange(91), "epochs": np.full(91, 4)}
    for metric in ("validation_accuracy", "test_accuracy", "training_time"):
        columns[f"final_{metric}"] = rng.random(91)
    target = tmp_path_factory.mktemp("tables") / "t <b>.arrow"
    nb101.Table.from_columns(columns, space=nb101.SearchSpace(4)).save(target)
    return target


@pytest.fixture
def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "data" / "manifest.json").read_text())
    return found


def test_a_site(path: Path, tmp_path: Path) -> None:
    out = run("explore", path, "-o", tmp_path / "site")
    assert out.startswith(f"{tmp_path / 'site' / 'index.html'}  ")
    found = manifest(tmp_path / "site")
    assert found["title"] == "t <b>.arrow"
    assert found["table"]["python"] == f"nb101.load_table({str(path)!r})"
    assert found["table"]["kind"] == "unknown"
    assert "<b>" not in (tmp_path / "site" / "index.html").read_text()
    assert not found["live"]


def test_the_page_is_served_until_ctrl_c(
    path: Path, page: Path, free_port: int, tmp_path: Path
) -> None:
    program = (
        "import sys, pathlib; from nb101.explore import bundle; from nb101.cli import main\n"
        "bundle.BUNDLE = pathlib.Path(sys.argv[1]); sys.exit(main(sys.argv[2:]))"
    )
    arguments = ["explore", str(path), "--no-open", "--port", str(free_port)]
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(page), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address == f"http://127.0.0.1:{free_port}/"
    for name in ("", "data/manifest.json"):
        with urllib.request.urlopen(address + name) as response:
            assert response.status == 200
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == "nb101: Ctrl-C ends it\nnb101: interrupted\n"


class FakeServer:
    """A server that ends at once."""

    address = "http://127.0.0.1:1/"

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> "FakeServer":
        return self

    def __exit__(self, *_: object) -> None:
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and thread.daemon:
                thread.join(10)

    def serve_forever(self) -> None:
        pass


class Windowed(webbrowser.BackgroundBrowser):
    """A browser that has windows."""

    opened: list[str]

    def __init__(self) -> None:
        super().__init__("none")
        self.opened = []

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self.opened.append(url)
        return True


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "Server", FakeServer)


@pytest.mark.usefixtures("fake")
def test_a_browser_is_opened_if_there_is_one(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    browser = Windowed()
    monkeypatch.setattr(webbrowser, "get", lambda: browser)
    assert main(["explore", str(path)]) == 0
    assert browser.opened == [FakeServer.address]
    assert "browser" not in capfd.readouterr().err
    assert main(["explore", str(path), "--no-open"]) == 0
    assert len(browser.opened) == 1

    def none() -> None:
        raise webbrowser.Error

    # One of the terminal is none either.
    for get in (none, lambda: webbrowser.GenericBrowser("lynx")):
        monkeypatch.setattr(webbrowser, "get", get)
        capfd.readouterr()
        assert main(["explore", str(path)]) == 0
        out, err = capfd.readouterr()
        assert out == f"{FakeServer.address}\n"
        assert f"nb101: there is no browser to open: open {FakeServer.address} in one\n" in err


def test_wrong_input_is_one_line(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "damaged.arrow"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    (tmp_path / "folder").mkdir()
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "index.html").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        cases: list[tuple[list[str | Path], str]] = [
            ([path, "--port", port], "is in use"),
            ([path, "--port", "0"], "--port must be from 1"),
            ([path, "--runs", "0"], "--runs must be"),
            ([path, "--traces", tmp_path / "folder"], "holds no comparison"),
            ([path, "--traces", tmp_path / "none"], "holds no comparison"),
            ([path, "--campaign", tmp_path / "folder"], "holds no campaign"),
            ([path, "--columns", tmp_path / "none.csv"], "No such file"),
            ([damaged], "damaged"),
            ([tmp_path / "none.arrow"], "none.arrow"),
            ([path, "-o", "-"], "name it"),
            ([path, "-o", tmp_path / "site", "--port", "80"], "--port"),
            ([path, "-o", tmp_path / "others"], "a page of something else"),
            ([path, "-o", damaged], "is no folder"),
        ]
        for arguments, words in cases:
            assert words in refused(capsys, "explore", *arguments, "--no-open"), arguments
    assert sorted(tmp_path.rglob("*")) == before


def test_a_missing_page_is_one_line(
    path: Path, page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (page / "index.html").unlink()
    for more in ([], ["-o", str(tmp_path / "site")]):
        line = refused(capsys, "explore", path, *more)
        assert "lacks the explorer's page" in line
    assert list(tmp_path.iterdir()) == []


def test_too_many_cells(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("nb101.explore.columns.MOST_ROWS", 90)
    assert "up to 90 cells, and this one has 91" in refused(capsys, "explore", path)


def test_a_table_without_accuracies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = {"cell_id": np.arange(9), "epochs": np.full(9, 4), "latency": np.arange(9.0)}
    nb101.Table.from_columns(columns).save(tmp_path / "t.arrow")
    assert main(["explore", str(tmp_path / "t.arrow"), "-o", str(tmp_path / "site")]) == 0
    line = capsys.readouterr().err
    assert line == (
        "nb101: the table has no accuracies: the map begins with latency, 4 epochs against "
        "parameters\n"
    )
    assert manifest(tmp_path / "site")["start"]["y"] == "own:latency@4"


# Columns of one's own


@pytest.mark.parametrize("key", ["cell_id", "hash", "module_hash"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_own_columns(path: Path, tmp_path: Path, key: str, ending: str) -> None:
    table = nb101.Table.open(path)
    order = np.random.default_rng(1).permutation(91)[:60]
    names = table.cell_ids if key == "cell_id" else table.hashes().astype(str)
    values = order * 0.5
    arrow = pa.table(
        {key: names[order], "mine": values, "count": order, "word": ["x"] * 60, "<i>": order > 5}
    )
    file = tmp_path / f"mine.{ending}"
    if ending == "csv":
        pa.csv.write_csv(arrow, file)
    else:
        pq.write_table(arrow, file)
    found = read_columns(file, table)
    expected = np.full(91, np.nan)
    expected[order] = values
    np.testing.assert_array_equal(found.columns["mine"], expected)
    assert found.skipped == ("word",)
    out = run("explore", path, "--columns", file, "-o", tmp_path / "site")
    assert "index.html" in out
    own = [x for x in manifest(tmp_path / "site")["columns"] if x["group"] == "own"]
    assert [column["title"] for column in own] == ["mine", "count", "<i>"]


def test_whole_own_columns_keep_their_integers(path: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(
        "cell_id,mine\n" + "".join(f"{i},{i * 3}\n" for i in range(90, -1, -1)) + "5000,1\n"
    )
    found = read_columns(tmp_path / "mine.csv", nb101.Table.open(path))
    assert found.elsewhere == 1
    assert found.columns["mine"].tolist() == [3 * i for i in range(91)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mine\n1\n", "needs a column cell_id, hash or module_hash"),
        ("cell_id,mine\n1,2\n1,3\n", "has cell 1 in more than one row"),
        ("cell_id,mine\n5000,2\n", "has no cell of the table"),
        ("cell_id,mine\n1,x\n", "no column of numbers"),
        ("cell_id,mine\n,1\n3,1\n", "whole number in each row"),
        ("cell_id,mine\n1.5,1\n", "whole number in each row"),
        ("cell_id,mine\n1,inf\n", "infinite"),
        ("hash,mine\nzz,1\n", "has no cell of the table"),
        ("cell_id,mine\n1,2,3\n", "is no CSV file"),
        ("", "is no CSV file"),
    ],
)
def test_wrong_files_of_columns(
    path: Path, tmp_path: Path, text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.csv").write_text(text)
    command = ("explore", path, "-o", tmp_path / "site", "--columns")
    assert words in refused(capsys, *command, tmp_path / "mine.csv")
    (tmp_path / "mine.parquet").write_text(text)
    assert "is no Parquet file" in refused(capsys, *command, tmp_path / "mine.parquet")
    assert "known endings" in refused(capsys, *command, tmp_path / "mine.txt")
    assert not (tmp_path / "site").exists()


def test_help_says_what_there_is() -> None:
    text = run("explore", "--help")
    for option in ("--traces", "--campaign", "--columns", "--port", "--no-open", "--output"):
        assert option in text
