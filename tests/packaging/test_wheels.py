"""Wheels tell nothing of the machine that built them, and their making anew is repeatable.

What lies in ``dist/`` is looked at as it is; without, what the tools do is tried on small archives.
"""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from wheels import __main__ as program
from wheels import same, tidy, traces
from wheels.build import PAGE
from wheels.targets import TARGETS

ROOT = Path(__file__).parent.parent.parent
BUILT = sorted([*(ROOT / "dist").glob("*.whl"), *(ROOT / "dist").glob("*.tar.gz")])
LARGEST = 6_000_000
SBOM = """{{"serialNumber": "urn:uuid:{number}", "metadata": {{"timestamp": "{moment}",
"component": {{"bom-ref": "path+file://{folder}/rust/python#nb101-python@0.1.0 bin-target-0"}}}},
"dependencies": [{{"ref": "path+file://{folder}/rust/core#nb101-core@0.1.0"}},
{{"ref": "registry+https://somewhere/index#anyhow@1.0.104"}}]}}"""


def sbom(folder: str, number: int) -> str:
    return SBOM.format(folder=folder, number=number, moment=f"2026-11-27T21:43:{number}Z")


def wheel(path: Path, folder: str, number: int, names: list[str]) -> Path:
    """Write what looks like a wheel that was built in a folder."""
    about = "nb101-0.1.0.dist-info"
    files = {name: f"# {name}\n" for name in names}
    files |= {f"{about}/WHEEL": "Wheel-Version: 1.0\n"}
    files |= {f"{about}/sboms/nb101-python.cyclonedx.json": sbom(folder, number)}
    files |= {f"{about}/RECORD": "stale,sha256=,1\n"}
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_two_builds_become_one(tmp_path: Path) -> None:
    names = ["nb101/__init__.py", "nb101/cell.py"]
    one = wheel(tmp_path / "one.whl", "/home/builder/nb101", 10, names)
    other = wheel(tmp_path / "other.whl", "/home/somebody/else where", 11, names[::-1])
    assert same.differences(one, other)
    for path in (one, other):
        tidy.tidy(path, 1_800_000_000)
    assert same.differences(one, other) == []
    assert list(traces.traces(one, [b"/home/builder/nb101"])) == []


def test_other_crates_are_another_list() -> None:
    texts = [
        sbom("/home/builder/nb101", 10),
        sbom("/home/builder/nb101", 10).replace("1.0.104", "1.0.105"),
    ]
    numbers = {json.loads(tidy.clean_sbom(text, 1))["serialNumber"] for text in texts}
    assert len(numbers) == 2


def test_record_is_of_what_was_written(tmp_path: Path) -> None:
    path = wheel(tmp_path / "a.whl", "/home/builder/nb101", 10, ["nb101/__init__.py"])
    tidy.tidy(path, 1_800_000_000)
    with zipfile.ZipFile(path) as archive:
        record = archive.read("nb101-0.1.0.dist-info/RECORD").decode()
        rows = {name: int(size or 0) for name, _, size in csv.reader(io.StringIO(record))}
        assert {info.filename for info in archive.infolist()} == rows.keys()
        assert all(
            info.file_size == rows[info.filename]
            for info in archive.infolist()
            if not info.filename.endswith("RECORD")
        )
        # A list that names no folder twice, and the crates of a registry as they were.
        list_of_crates = archive.read("nb101-0.1.0.dist-info/sboms/nb101-python.cyclonedx.json")
    assert b"path+file:///nb101/rust/core#nb101-core@0.1.0" in list_of_crates
    assert b"registry+https://somewhere/index#anyhow@1.0.104" in list_of_crates


@pytest.mark.parametrize(
    "text",
    [
        *("/root/.cargo/registry/src/x/y.rs", "/home/runner/work/nb101/a.rs", "/tmp/build/a.rs"),
        *("/Users/runner/work/a.rs", "C:\\Users\\runneradmin\\.cargo\\a.rs", "/io/rust/core"),
    ],
)
def test_folders_of_machines_are_found(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("nb101/_core.abi3.so", b"\x00" + text.encode() + b"\x00")
    assert list(traces.traces(path, []))


def test_other_paths_are_no_traces(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    kept = (
        b"/rustc/59807616e1/library/std/src/io/mod.rs\x00/crates/pyo3-0.30.1/src/lib.rs\x00src/io"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("nb101/_core.abi3.so", b"\x00" + kept)
    assert list(traces.traces(path, [])) == []


@pytest.mark.skipif(not BUILT, reason="nothing in dist/: make wheels")
@pytest.mark.parametrize("path", BUILT, ids=lambda path: path.name)
def test_built_files_tell_no_machine(path: Path) -> None:
    assert list(traces.traces(path, traces.machine(ROOT))) == []
    assert path.stat().st_size <= LARGEST
    assert any(name.endswith(PAGE) for name, _ in traces.members(path))
    if path.suffix == ".whl":
        assert any(target.tag in path.name for target in TARGETS.values()), path.name


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["check", "--out", "{}"], "nothing to check in {}"),
        (["clean", "--out", "{}"], "nothing to try in {}"),
        (["tidy", "{}/a.whl"], "{}/a.whl: no such file"),
        (["build", "nonsense"], "unknown target nonsense"),
    ],
)
def test_what_is_not_there_is_said(
    command: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status: object
    try:
        status = program.main([word.format(tmp_path) for word in command])
    except SystemExit as error:
        status = error.code
    assert status in (1, 2)
    assert said.format(tmp_path) in capsys.readouterr().err
