"""Tables by name and path; the cache; downloads from a real server that misbehaves."""

import gzip
import hashlib
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

import nb101
import official
import server
from nb101 import DatasetError, datasets
from nb101._base import fetch, seals, seen
from nb101.cli import main
from nb101.errors import MissingFileError
from server import Server, good, says

IDS = [5, 7, 400_000]
NAME = "official-108"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("NB101_CACHE", str(folder))
    return folder


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    official.write(folder / "small.tfrecord", IDS)
    return folder / "small.tfrecord"


@pytest.fixture
def web(records: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve a small file in the place of an official one."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(fetch, "WAITS", (0.0, 0.0))
    data = records.read_bytes()
    with server.serving(data) as running:
        stand_in = replace(
            datasets.DATASETS[NAME],
            url=running.url,
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
        )
        monkeypatch.setitem(datasets.DATASETS, NAME, stand_in)
        yield running


PROCESS = """
import sys
from dataclasses import replace
from nb101 import cli, datasets
url, sha256, size = sys.argv[1:]
known = datasets.DATASETS
known["official-108"] = replace(known["official-108"], url=url, sha256=sha256, size=int(size))
sys.exit(cli.main(["download", "official-108"]))
"""


def start(**settings: Any) -> "subprocess.Popen[str]":
    """Start a process that downloads the same stand-in."""
    dataset = datasets.DATASETS[NAME]
    arguments = [dataset.url, dataset.sha256, str(dataset.size)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", PROCESS, *arguments], **(pipes | settings))


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# The registry and the cache


def test_official_files_are_as_published() -> None:
    assert list(datasets.DATASETS) == [NAME, "official-full"]
    for name, dataset in datasets.DATASETS.items():
        assert dataset.name == name
        assert dataset.url == f"https://storage.googleapis.com/nasbench/{dataset.file}"
        assert len(bytes.fromhex(dataset.sha256)) == 32


def test_the_cache_can_be_moved(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert datasets.cache_dir() == cache
    assert datasets.DATASETS[NAME].path == cache / "official-108.arrow"
    monkeypatch.setenv("NB101_CACHE", "~/tables")
    assert datasets.cache_dir() == Path.home() / "tables"
    monkeypatch.setenv("NB101_CACHE", "tables")
    assert datasets.cache_dir() == Path.cwd() / "tables"
    for unset in ("", None):
        if unset is None:
            monkeypatch.delenv("NB101_CACHE")
        else:
            monkeypatch.setenv("NB101_CACHE", unset)
        assert "nb101" in datasets.cache_dir().parts


# load_table


def test_load_table_opens_every_kind(records: Path, tmp_path: Path) -> None:
    table = nb101.load_table(records)
    assert table.cell_ids.tolist() == IDS
    assert table.counts().tolist() == [3, 3, 3]
    for ending in ("arrow", "parquet"):
        path = tmp_path / f"table.{ending}"
        table.save(path)
        assert nb101.load_table(path).equals(table)
        assert nb101.load_table(str(path), verify=True).equals(table)


@pytest.mark.parametrize("name", ["x.tfrecord.gz", "x.TFRecord", "plain", "packed"])
def test_official_records_are_known_by_what_they_are(
    records: Path, tmp_path: Path, name: str
) -> None:
    data = records.read_bytes()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name in ("packed", "x.tfrecord.gz") else data)
    assert nb101.load_table(path).equals(nb101.load_table(records))


@pytest.mark.parametrize(
    "data",
    [b"", b"\x1f\x8b", b"\x1f\x8b" + bytes(100), b"hash,accuracy\n", bytes(100)],
    ids=range(5),
)
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="other is neither an Arrow IPC nor a Parquet file"):
        nb101.load_table(path)
    assert left(tmp_path) == ["other"]
    path = path.rename(tmp_path / "other.tfrecord")
    with pytest.raises(DatasetError, match="record 0 at byte 0"):
        nb101.load_table(path)
    assert not list(tmp_path.glob("**/*.arrow"))


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    for name in ("table.pkl", "table.arrow", "table.tfrecord"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
        with pytest.raises(DatasetError):
            nb101.load_table(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_what_is_not_there_says_what_to_do(cache: Path) -> None:
    with pytest.raises(DatasetError, match="run nb101 download official-108 ") as caught:
        nb101.load_table(NAME)
    assert str(cache) in str(caught.value)
    with pytest.raises(DatasetError, match=r"did you mean 'official-full'\? known are surrogate"):
        nb101.load_table("oficial-full")
    with pytest.raises(DatasetError, match="no table is called 'x'; known are surrogate-v1, off"):
        nb101.load_table("x")
    for path in ("x.arrow", "some/x", Path("x")):
        with pytest.raises(MissingFileError, match="tables by name are surrogate-v1") as missing:
            nb101.load_table(path)
        assert isinstance(missing.value, FileNotFoundError)
        assert missing.value.path == str(path)
        assert str(missing.value).startswith(f"there is no file {path}; ")
    assert not cache.exists()


def test_a_damaged_named_table_says_what_to_do(cache: Path, web: Server) -> None:
    cache.mkdir()
    (cache / "official-108.arrow").write_bytes(b"ARROW1\0\0")
    with pytest.raises(DatasetError, match=r"damaged.*nb101 download official-108 --force renews"):
        nb101.load_table(NAME)
    datasets.download(NAME)
    assert nb101.load_table(NAME, verify=True).cell_ids.tolist() == IDS


# converted


def test_a_conversion_that_claims_too_much_is_made_anew(
    records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As earlier versions left them: all of the original's recipe."""
    with monkeypatch.context() as earlier:
        earlier.setattr("nb101.table.official._are_original", lambda runs: True)
        assert "Ying" in nb101.load_table(records).provenance["recipe"]
    table = nb101.load_table(records)
    assert table.provenance["recipe"] == "unknown, in the layout of the official files"
    assert table.provenance["kind"] == "unknown"


def test_converted_once_and_again_when_the_file_changes(records: Path, cache: Path) -> None:
    heard: list[tuple[int, int]] = []
    path = datasets.converted(records, progress=lambda *args: heard.append(args))
    assert path == records.with_name("small.tfrecord.nb101.arrow")
    # A file this small may be read before anybody looks.
    assert all(total == records.stat().st_size for _, total in heard)
    made = path.stat().st_mtime_ns
    heard.clear()
    assert datasets.converted(records, progress=lambda *args: heard.append(args)) == path
    assert (path.stat().st_mtime_ns, heard) == (made, [])
    # Another time alone is reason enough, and so is another size.
    os.utime(records, ns=(1, 1))
    assert datasets.converted(records) == path
    assert nb101.Table.open(path).provenance["source_mtime_ns"] == 1
    assert path.stat().st_mtime_ns != made
    official.write(records, [8])
    os.utime(records, ns=(1, 1))
    assert nb101.load_table(records).cell_ids.tolist() == [8]
    assert not list(cache.glob("**/*.arrow"))


@pytest.mark.parametrize("damage", [b"", b"ARROW1", b"something else"])
def test_a_converted_file_that_cannot_be_read_is_made_anew(records: Path, damage: bytes) -> None:
    path = datasets.converted(records)
    whole = path.read_bytes()
    path.write_bytes(damage or whole[: len(whole) // 2])
    assert nb101.load_table(records, verify=True).cell_ids.tolist() == IDS
    # Any other table of that name is not ours.
    nb101.Table.from_columns({"cell_id": [1], "epochs": [4]}).save(path)
    assert nb101.load_table(records).cell_ids.tolist() == IDS


def test_another_original_of_that_size_and_time_is_converted(records: Path) -> None:
    first = nb101.load_table(records)
    status = records.stat()
    official.write(records, [7, 5, 400_000])
    assert records.stat().st_size == status.st_size
    # As copies that keep the time do.
    os.utime(records, ns=(status.st_atime_ns, status.st_mtime_ns))
    again = nb101.load_table(records)
    assert not again.equals(first)
    assert again.column("record").tolist() == [3, 4, 5, 0, 1, 2, 6, 7, 8]


def flip(path: Path, at: int) -> None:
    """Change a bit in place, and nothing that a glance would see."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("large", [False, True])
def test_what_is_loaded_is_compared_with_its_seal(
    records: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    path = records.with_name("t.arrow")
    nb101.convert(records, path)
    monkeypatch.setattr(seen, "_FRESH", -(10**12))
    calls: list[object] = []
    check = seals.check_sealed_bytes

    def count(data: Any, path: Any, advice: str) -> None:
        calls.append(path)
        check(data, path, advice)

    monkeypatch.setattr(seals, "check_sealed_bytes", count)
    if large:
        monkeypatch.setattr(seen, "LITTLE", 0)
    assert nb101.load_table(path).verified
    first = len(calls)
    found = nb101.load_table(path)
    if large:
        # Remembered: only the note itself is.
        assert not found.verified
        assert [note.name.split(".")[1] for note in (cache / "seen").iterdir()] == ["seal"]
        (note,) = (cache / "seen").iterdir()
        flip(note, 20)
        assert nb101.load_table(path).verified
        found = nb101.load_table(path)
        assert not found.verified
        assert nb101.load_table(path, verify=True).verified
        note.write_bytes(b"[" * 1000)
        assert nb101.load_table(path).verified
    else:
        assert found.verified
        assert len(calls) == 2 * first
        assert not (cache / "seen").exists()
    flip(path, path.stat().st_size // 2)
    with pytest.raises(DatasetError, match=r"t\.arrow is (a )?damaged"):
        nb101.load_table(path)
    # What can be made again is, and without a cache all is looked at.
    made = datasets.converted(records)
    flip(made, made.stat().st_size // 2)
    assert nb101.load_table(records).cell_ids.tolist() == IDS
    monkeypatch.setenv("NB101_CACHE", os.devnull)
    assert nb101.load_table(made).verified
    assert nb101.load_table(made).verified


def test_a_name_that_looks_like_a_seal_is_a_name(
    records: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = records.with_name(seals.MARK + "1" * 64)
    nb101.convert(records, path, format="arrow")
    monkeypatch.setattr(seen, "_FRESH", -(10**12))
    monkeypatch.setattr(seen, "LITTLE", 0)
    for _ in range(2):
        # Looked at each time, since no note can be sealed that has it.
        assert nb101.load_table(path).verified
    assert list((cache / "seen").iterdir()) == []


def test_a_file_that_was_just_written_is_not_remembered(
    records: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may change once more within one tick of the clock."""
    path = records.with_name("t.arrow")
    nb101.convert(records, path)
    monkeypatch.setattr(seen, "LITTLE", 0)
    assert nb101.load_table(path).verified
    assert nb101.load_table(path).verified
    assert not (cache / "seen").exists()


def test_a_folder_that_takes_no_files_is_left_alone(
    records: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> NoReturn:
        raise OSError("read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "TemporaryFile", refuse)
        path = datasets.converted(records)
    assert path.parent == cache / "converted"
    assert left(records.parent) == ["small.tfrecord"]
    # It is found there later too, and by every spelling of the path.
    monkeypatch.chdir(records.parent)
    assert datasets.converted("small.tfrecord") == path
    other = records.with_name("other.tfrecord")
    other.write_bytes(records.read_bytes())
    assert datasets.converted(other).parent == other.parent


def test_a_damaged_original_leaves_nothing(records: Path) -> None:
    records.write_bytes(records.read_bytes()[:-1])
    with pytest.raises(DatasetError, match="record 8 at byte"):
        nb101.load_table(records)
    assert left(records.parent) == ["small.tfrecord"]


# download


def test_download_makes_a_named_table(web: Server, cache: Path) -> None:
    heard: list[tuple[int, int, str]] = []
    table = datasets.download(NAME, progress=lambda *args: heard.append(args))
    assert table.path == str(cache / "official-108.arrow")
    assert nb101.load_table(NAME).equals(table)
    assert table.cell_ids.tolist() == IDS
    about = table.provenance
    assert about["source"] == "nasbench_only108.tfrecord"
    assert about["source_url"] == web.url
    assert about["source_sha256"] == hashlib.sha256(web.data).hexdigest()
    assert left(cache) == ["official-108.arrow", "official-108.lock"]
    assert list(dict.fromkeys(what for *_, what in heard)) == ["downloading", "converting"]
    # That is all: the next call has nothing to do.
    heard.clear()
    assert datasets.download(NAME, progress=lambda *args: heard.append(args)).equals(table)
    assert (len(web.requests), heard) == (1, [])


def test_force_and_keep_original(web: Server, cache: Path) -> None:
    datasets.download(NAME)
    datasets.download(NAME, force=True, keep_original=True)
    assert len(web.requests) == 2
    kept = cache / "nasbench_only108.tfrecord"
    assert kept.read_bytes() == web.data
    # What is there is taken, and what is not the official file is not.
    (cache / "official-108.arrow").unlink()
    datasets.download(NAME, keep_original=True)
    assert len(web.requests) == 2
    (cache / "official-108.arrow").unlink()
    kept.write_bytes(b"else")
    datasets.download(NAME)
    assert len(web.requests) == 3
    assert not kept.exists()


def test_mirrors_are_checked_all_the_same(web: Server, records: Path, cache: Path) -> None:
    with server.serving(bytes(len(web.data))) as wrong:
        with pytest.raises(DatasetError, match="SHA-256") as caught:
            datasets.download(NAME, url=wrong.url)
        assert wrong.url in str(caught.value)
    assert left(cache) == ["official-108.lock"]
    table = datasets.download(NAME, url=records.as_uri())
    assert table.provenance["source_url"] == web.url
    assert web.requests == []
    with pytest.raises(DatasetError, match="did you mean 'official-108'"):
        datasets.download("official-18")


def test_a_killed_download_goes_on(web: Server, cache: Path) -> None:
    half = len(web.data) // 2
    web.answers = [good(cut=half, stall=True)]
    child = start()
    part = cache / "nasbench_only108.tfrecord.part"
    deadline = time.monotonic() + 20
    while not part.exists() or part.stat().st_size < half:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.terminate()
    assert child.communicate()[1] == ""
    assert part.read_bytes() == web.data[: part.stat().st_size]
    assert left(cache) == sorted([part.name, f"{part.name}.json", "official-108.lock"])
    # The lock of the dead process is none.
    assert datasets.download(NAME).cell_ids.tolist() == IDS
    assert web.ranges == [None, f"bytes={half}-"]
    assert left(cache) == ["official-108.arrow", "official-108.lock"]


def test_two_downloads_at_once_fetch_once(web: Server, cache: Path) -> None:
    web.answers = [good(cut=1000, stall=True)]
    first, second = start(), start()
    deadline = time.monotonic() + 20
    while not web.requests:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    web.go_on.set()
    waited: list[str] = []
    datasets.download(NAME, progress=lambda done, total, what: waited.append(what))
    for child in (first, second):
        out, err = child.communicate()
        assert (child.returncode, err) == (0, "")
        assert "nb101.load_table('official-108')" in out
    assert web.ranges == [None, "bytes=1000-"]
    assert set(waited) <= {"waiting"}
    assert left(cache) == ["official-108.arrow", "official-108.lock"]


def test_a_full_disk_is_one_line(web: Server, cache: Path) -> None:
    resource = pytest.importorskip("resource")
    # A limit on the size of files stands in for a full disk.
    child = start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)))
    out, err = child.communicate()
    part = cache / "nasbench_only108.tfrecord.part"
    assert (child.returncode, out, err) == (2, "", f"nb101: error: {part}: File too large\n")
    assert part.read_bytes() == web.data[:2000]
    datasets.download(NAME)
    assert web.ranges == [None, "bytes=2000-"]


# The command


def test_command(web: Server, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["download", NAME, "--keep-original"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert str(cache / "official-108.arrow") in out
    assert "9, of 3 cells at 108 epochs" in out
    assert "nb101.load_table('official-108')" in out
    assert (cache / "nasbench_only108.tfrecord").exists()
    assert main(["download", NAME, "--force", "--url", f"{web.url}/mirror"]) == 0
    assert [request["path"] for request in web.requests] == ["/file", "/file/mirror"]


def test_command_says_in_one_line_what_is_wrong(
    web: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    web.answers = [says(404)]
    for arguments, message in (
        ([NAME], f"could not fetch {web.url}: the server answers 404 Not Found; try again, or"),
        ([], "NAME"),
        (["nonsense"], "known are surrogate-v1, official-108, official-full"),
        ([NAME, "--url", "nonsense"], "cannot fetch 'nonsense'"),
    ):
        assert main(["download", *arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("nb101: error: ")
        assert err.count("\n") == 1
        assert message in err


def test_command_shows_bars_on_a_terminal(
    web: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    web.answers = [says(503)]
    assert main(["download", NAME]) == 0
    assert "converting" in capsys.readouterr().err


def test_many_processes_convert_once(records: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from nb101 import datasets; from nb101.table import official\n"
        "found = official.convert\n"
        "def convert(*a, **k): print('converting'); return found(*a, **k)\n"
        "official.convert = convert; sys.stdin.readline(); datasets.converted(sys.argv[1])"
    )
    command = [sys.executable, "-c", code, str(records)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert "".join(said) == "converting\n"
