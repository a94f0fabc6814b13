"""The command line: in the process where that is enough, as a real one where pipes matter."""

import errno
import importlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import nb101
from commands import refused, run, run_bytes
from nb101 import errors
from nb101.cli import app, main
from nb101.cli import commands as lists
from nb101.cli.groups import Entry

ARROW = "011001000"
CHAIN = "input,conv3x3-bn-relu,output"
HASH = nb101.Cell(f"{ARROW}", CHAIN).hash
INCEPTION = "28cfc7874f6d200472e1a9dcd8650aa0"
COMMANDS = ("enumerate", "count", "hash", "cell", "download", "run", "bench")


def process(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nb101", *arguments], input=text, capture_output=True, text=True
    )


def test_table_of_the_space_fits_a_terminal() -> None:
    assert max(map(len, run("count").splitlines())) <= 80


def test_version() -> None:
    assert run("--version") == f"nb101 {nb101.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command: str) -> None:
    text = run(command, "--help")
    assert "Examples" in text
    assert f"nb101 {command}" in text


def test_no_arguments_print_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert all(command in out for command in COMMANDS)
    assert err == ""


def test_count() -> None:
    text = run("count")
    assert "423,624" in text
    assert "62,010" in text
    assert "\x1b" not in text
    found = json.loads(run("count", "--vertices", "11", "--edges", "55", "--json"))
    assert found["total"] == nb101.SearchSpace(11, 55).count().total


def test_count_never_cuts_numbers_off() -> None:
    text = run("count", "-v", "11", "-e", "55")
    assert f"{nb101.SearchSpace(11, 55).count().total:,}" in text
    assert "…" not in text


@pytest.mark.parametrize(
    "arguments",
    [
        (ARROW, CHAIN),
        (f"{ARROW} {CHAIN}",),
        (ARROW, "-1,0,-2"),
        ("[[[0,1,1],[0,0,1],[0,0,0]],[-1,0,-2]]",),
        ('{"matrix": [[0,1,1],[0,0,1],[0,0,0]], "ops": ["input","conv3x3-bn-relu","output"]}',),
        # Two vertices that dangle.
        ("[[[0,1,1,1,0],[0,0,0,0,1],[0,0,0,0,0],[0,0,0,0,0],[0,0,0,0,0]],[-1,0,1,2,-2]]",),
    ],
)
def test_hash_takes_every_form(arguments: tuple[str, ...]) -> None:
    expected = nb101.Cell("010001000", CHAIN).hash if "[0,0,0,0,1]" in arguments[0] else HASH
    assert run("hash", *arguments) == f"{expected}\n"


def test_hash_of_several_and_of_other_ops() -> None:
    assert run("hash", "0100", "input,output", ARROW, CHAIN).split()[1] == HASH
    assert run("hash", "--op", "a", "--op", "b", ARROW, "input,a,output") == f"{HASH}\n"


def test_hash_reads_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nb101.cli.hash.BATCH", 2)
    lines = [f"{ARROW} {CHAIN}", "", "[[[0,1],[0,0]],[-1,-2]]"] * 3
    result = CliRunner().invoke(app, ["hash", "-"], input="\n".join(lines))
    assert result.stdout.split() == [HASH, nb101.SearchSpace()[0].hash] * 3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0000 input,output", "line 2: disconnected"),
        ("0100 input,outptu", "line 2: unknown op 'outptu'"),
        ("nonsense", "line 2: not a module"),
    ],
)
def test_hash_prints_what_comes_before_a_wrong_line(
    line: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{ARROW} {CHAIN}\n{line}\n0100 input,output\n"))
    assert main(["hash", "-"]) == 2
    out, err = capsys.readouterr()
    assert out == f"{HASH}\n"
    assert message in err


def test_cell_says_all() -> None:
    facts = json.loads(run("cell", INCEPTION, "--json"))
    cell = nb101.Cell.from_hash(INCEPTION)
    assert facts["id"] == nb101.SearchSpace().index(cell)
    assert (facts["vertices"], facts["edges"]) == (7, 9)
    assert facts["parameters"] == 2_694_282
    assert facts["channels"]["128"] == list(cell.vertex_channels(128))
    assert facts["neighbors"] == len(nb101.SearchSpace().neighbors(cell))
    text = run("cell", "--id", str(facts["id"]))
    for value in (INCEPTION, "2,694,282", facts["adjacency"], facts["operations"], "▼"):
        assert value in text
    assert run("cell", facts["adjacency"], facts["operations"]) == text


def test_cell_outside_the_space() -> None:
    text = run("cell", "-v", "3", "0100001000010000", "-1,0,0,-2")
    assert "too many vertices" in text
    facts = json.loads(run("cell", "--op", "mystery", "010001000", "-1,0,-2", "--json"))
    assert facts["parameters"] is None


def test_cell_draws(tmp_path: Path) -> None:
    assert run("cell", "--id", "7", "--svg", "-").startswith("<svg")
    path = tmp_path / "cell.svg"
    assert str(path) in run("cell", "--id", "7", "--svg", str(path))
    assert path.read_text() == run("cell", "--id", "7", "--svg", "-")


def test_enumerate_writes_and_sums_up(tmp_path: Path) -> None:
    path = tmp_path / "new" / "cells.parquet"
    text = run("enumerate", "-v", "5", "-o", str(path))
    assert "2,532" in text
    assert str(path) in text
    assert pq.read_table(path).num_rows == 2532
    assert [file.name for file in path.parent.iterdir()] == ["cells.parquet"]


def test_enumerate_as_json(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    found = json.loads(run("enumerate", "-v", "4", "--json", "-o", str(path)))
    assert found["cells"] == found["distinct_hashes"] == 91
    assert found["by_vertices"] == {"2": 1, "3": 6, "4": 84}
    assert found["bytes"] == path.stat().st_size
    assert set(found["seconds"]) == {"enumerating", "hashing", "writing"}
    bare = json.loads(run("enumerate", "-v", "4", "--no-hashes", "--json"))
    assert bare["distinct_hashes"] is None
    assert set(bare["seconds"]) == {"enumerating"}


def test_bench_counts_blocks_as_the_text_says(cells: nb101.Cells) -> None:
    from nb101.cli.bench import md5_blocks

    def slowly(cell: nb101.Cell) -> int:
        degrees = cell.matrix.sum(axis=0) + cell.matrix.sum(axis=1)
        sizes = [32 * (int(d) + 1) + 2 for d in degrees] * cell.vertices + [36 * cell.vertices]
        return sum(-(-(size + 9) // 64) for size in sizes)

    some = cells[::5000]
    assert md5_blocks(some) == sum(map(slowly, some))
    assert md5_blocks(cells) == 51_767_473


def test_bench_counts_what_labellings_share(cells: nb101.Cells) -> None:
    from nb101.cli.bench import md5_blocks, needed_md5_blocks

    def slowly(run: list[nb101.Cell]) -> int:
        """Blocks of the cells of one structure, by sets of what each message depends on."""
        total = 0
        v = run[0].vertices
        near = [
            {y for y in range(v) if x == y or run[0].matrix[x, y] or run[0].matrix[y, x]}
            for x in range(v)
        ]
        for x in range(v):
            seen, blocks = {x}, -(-(32 * len(near[x]) + 2 + 9) // 64)
            for _ in range(v):
                seen = set().union(*(near[y] for y in seen))
                total += blocks * len({tuple(cell.ops[y] for y in sorted(seen)) for cell in run})
        return total + len(run) * -(-(36 * v + 9) // 64)

    runs: dict[bytes, list[nb101.Cell]] = {}
    some = cells[100_000:102_000]
    for cell in some:
        runs.setdefault(cell.matrix.tobytes(), []).append(cell)
    assert needed_md5_blocks(some) == sum(map(slowly, runs.values())) < md5_blocks(some)
    assert needed_md5_blocks(cells) == 44_139_637


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "nonsense"),
        (["count", "--vertices"], "--vertices"),
        (["count", "--vertices", "12"], "from 2 to 11"),
        (["count", "--edges", "-1"], "-1"),
        (["count", "--op", "input"], "'input'"),
        (["hash"], "MODULE"),
        (["hash", "0100"], "not a module"),
        (["hash", "--typo"], "'--typo'"),
        (["hash", "01", "input,output"], "square"),
        (["hash", ARROW, "input,conv3x3-bn-rel,output"], "did you mean 'conv3x3-bn-relu'"),
        (["hash", ARROW, "-1,3,-2"], "op code 3"),
        (["hash", "[[0,1"], "bad JSON at character"),
        (["hash", "[" * 100_000], "bad JSON"),
        (["hash", '{"matrix": []}'], "ops"),
        (["hash", "[[[0,1],[0]],[-1,-2]]"], "bad JSON"),
        (["hash", '[[[0,"a"],[0,0]],[-1,-2]]'], "numbers"),
        (["hash", "[[],[]]"], "no rows"),
        (["hash", "[[[0,1],[0,0]],[-1,null]]"], "vertex 1"),
        (["cell"], "one cell"),
        (["cell", "--id", "1", "0100", "input,output"], "one cell"),
        (["cell", "--id", "-1"], "at least 0"),
        (["cell", "--id", "423624"], "out of range"),
        (["cell", "--id", "x"], "--id"),
        (["cell", "0" * 32], "no cell of this space"),
        (["cell", "--id", "1", "--svg", "/nowhere/cell.svg"], "/nowhere/cell.svg"),
        (["enumerate", "--format", "csv"], "--output"),
        (["enumerate", "-o", "cells.txt"], "ending"),
        (["enumerate", "-o", "cells.csv", "--format", "xls"], "unknown format 'xls'"),
        (["enumerate", "-o", "/dev/null/cells.csv"], "/dev/null"),
        (["enumerate", "-o", "cells.json", "--no-hashes"], "keyed by hash"),
        (["enumerate", "-v", "11", "-e", "55"], "too many to enumerate"),
        (["enumerate", "--threads", "-1"], "threads"),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("nb101: error: ")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_process_is_clean_in_a_pipe(tmp_path: Path) -> None:
    good = process("hash", "-", text=f"{ARROW} {CHAIN}\n")
    assert (good.stdout, good.stderr, good.returncode) == (f"{HASH}\n", "", 0)
    bad = process("hash", "-", text="nonsense\n")
    assert (bad.stdout, bad.returncode) == ("", 2)
    assert bad.stderr.startswith("nb101: error: line 1: ")
    table = process("enumerate", "-v", "4", "-o", str(tmp_path / "cells.arrow"))
    assert (table.returncode, table.stderr) == (0, "")
    assert "\x1b" not in table.stdout
    assert all(line == line.rstrip() for line in table.stdout.splitlines())


def test_reader_that_leaves_is_no_error() -> None:
    lines = f"{ARROW} {CHAIN}\n" * 100_000
    command = [sys.executable, "-m", "nb101", "hash", "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        try:
            child.stdin.write(lines)
            child.stdin.close()
        except BrokenPipeError:
            pass
        assert child.stderr.read() == ""
        assert child.wait(timeout=60) != 0


def test_full_disk_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "cells.csv"
    # A limit on the size of files stands in for a full disk.
    done = subprocess.run(
        [sys.executable, "-m", "nb101", "enumerate", "-v", "6", "-o", str(path)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.returncode == 2
    assert done.stderr == f"nb101: error: {path}: File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_bench_refuses_settings_of_training(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--precision is of training" in refused(capsys, "bench", "--precision", "bf16")
    assert "--set is of training" in refused(capsys, "bench", "--quick", "--set", "stacks=1")


@pytest.mark.parametrize("command", [["count"], ["cell", "7"], ["search", "random-search"]])
@pytest.mark.parametrize(
    "kind", [RuntimeError, AssertionError, ValueError, TypeError, KeyError, ImportError]
)
def test_a_defect_is_a_traceback_and_a_request(
    kind: type[Exception],
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is no user's mistake, whatever its type."""

    def fail(*_: object, **__: object) -> None:
        raise kind("a thing\x1b[31m")

    monkeypatch.setattr("nb101.SearchSpace.count", fail)
    monkeypatch.setattr("nb101.Cell.to_text", fail)
    monkeypatch.setattr("nb101.search.run", fail)
    assert main(command) == 70
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert any("in fail" in line for line in lines)
    assert lines[-2].startswith(f"{kind.__name__}: ")
    assert "\x1b" not in err
    version = nb101.__version__
    assert lines[-1] == (
        f"nb101: this is a defect of nb101 {version}: please report it with the lines above"
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (nb101.NB101Error("a\nb"), "a�b"),
        (errors.MissingExtraError("pip install 'nb101[x]'", name="x"), "pip install 'nb101[x]'"),
        (errors.FileError(errno.ENOSPC, "No space left on device", "f"), "f: No space left on"),
        (PermissionError(errno.EACCES, "Permission denied", "f"), "f: Permission denied"),
        (OSError("no such thing"), "no such thing"),
        (MemoryError("cannot allocate 5 GB"), "not enough memory: cannot allocate 5 GB"),
        (RuntimeError("can't start new thread"), "not enough memory or threads"),
    ],
)
def test_what_is_no_defect_is_one_line(
    error: Exception,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(nb101.SearchSpace, "count", fail)
    assert message in refused(capsys, "count")


def test_stdout_is_a_file_where_one_is_written(tmp_path: Path) -> None:
    for form in ("parquet", "arrow", "csv", "json"):
        path = tmp_path / f"cells.{form}"
        run("enumerate", "-v", "4", "-o", path)
        data, said = run_bytes("enumerate", "-v", "4", "-o", "-", "--format", form)
        assert data == path.read_bytes()
        assert "stdout" in said
        assert "distinct hashes" in said
    assert run_bytes("enumerate", "-v", "4", "-o", "/dev/stdout", "-f", "json")[0] == data
    facts, said = run_bytes("bench", "--quick", "-o", "-")
    assert json.loads(facts)["results"].keys() >= {"hash the space"}
    assert "peak reached" in said


def test_a_name_of_one_dash_is_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "name a format: parquet" in refused(capsys, "enumerate", "-v", "4", "-o", "-")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    for command in (
        ("enumerate", "-v", "4", "-o", "-", "-f", "arrow"),
        ("export", "surrogate-v1", "-", "--format", "parquet"),
        ("convert", __file__, "-", "--format", "arrow"),
        ("plot", "pareto-time", "-o", "-", "--format", "png"),
        ("predict", "fit", "surrogate-v1", "-o", "-"),
        ("predict", "apply", "x.npz", "-o", "-", "--format", "arrow"),
        ("search", "random-search", "-o", "-"),
        ("campaign", "table", ".", "-", "--format", "tfrecord"),
    ):
        assert main(list(command)) == 2
        assert "is binary and not for a terminal" in capsys.readouterr().err, command
    assert main(["cell", "7", "--svg", "-"]) == 0
    assert list(tmp_path.iterdir()) == []


def test_interrupted_commands_say_how_to_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nb101.SearchSpace.iter_batches", stop)
    for module, name in (("convert", "convert_file"), ("bench", "_measure")):
        monkeypatch.setattr(importlib.import_module(f"nb101.cli.{module}"), name, stop)
    monkeypatch.setattr("nb101.datasets.download", stop)
    (tmp_path / "in.tfrecord").touch()
    again = "the same command begins anew"
    for command, hint in (
        (("enumerate", "-v", "4", "-o", tmp_path / "cells.csv"), again),
        (("convert", tmp_path / "in.tfrecord", tmp_path / "out.arrow"), again),
        (("download", "official-108"), "the same command goes on from what has come"),
        (("bench",), "--quick takes less time"),
    ):
        assert main(list(map(str, command))) == 130
        err = capsys.readouterr().err
        assert err.startswith("nb101: interrupted; ")
        assert err.endswith(f"{hint}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["in.tfrecord"]


@pytest.mark.parametrize(
    "text",
    [
        f"[[[0,{'9' * 5000}],[0,0]],[-1,-2]]",
        f"[[[0,1],[0,0]],[-1,{'9' * 4000}]]",
        "[" * 50_000,
        '{"a":' * 50_000,
        "[[[0,1e400],[0,0]],[-1,-2]]",
        "[[[0,NaN],[0,0]],[-1,-2]]",
        '[[[0,1],[0,0]],["\\ud800\\u001b","output"]]',
        "01" * 50 + " " + "x" * 100_000,
        "0100 input," + "9" * 4000,
        "0" * 100_000 + " input,output",
        "٠١٠٠ input,output",
        "9" * 5000,
    ],
)
def test_hostile_text_of_cells(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers of many digits, deep nesting, long names: one short line, and no traceback."""
    for command in (("hash", text), ("hash", "-"), ("cell", text), ("cell", "-"), ("query", text)):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        message = refused(capsys, *command)
        assert len(message) < 2100
        assert message[:-1].isprintable()


def test_lines_have_a_length(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Endless:
        """A line without an end."""

        def readline(self, size: int = -1) -> str:
            assert 0 < size < 1 << 23
            return "0" * size

    for command in ("hash", "cell"):
        monkeypatch.setattr(sys, "stdin", Endless())
        assert "line 1 has more than 4,194,304 characters" in refused(capsys, command, "-")


def test_one_large_module_among_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules of a batch are filled up to its largest one: then there are few of them."""
    command = importlib.import_module("nb101.cli.hash")
    sizes: list[tuple[int, int]] = []
    plain = nb101.hash_modules

    def count(matrices: Any, ops: Any) -> Any:
        sizes.append((len(matrices), max(map(len, matrices))))
        return plain(matrices, ops)

    monkeypatch.setattr(command, "hash_modules", count)
    monkeypatch.setattr(command, "MOST_ENTRIES", 1000)
    small, large = "0100 input,output", "0" * 624 + "0 input" + ",conv3x3-bn-relu" * 23 + ",output"
    edges = list(large)
    edges[24] = "1"
    lines = [small] * 50 + ["".join(edges)] + [small] * 50
    result = CliRunner().invoke(app, ["hash", "-"], input="\n".join(lines))
    assert result.exit_code == 0, result.output
    found = result.stdout.split()
    assert len(found) == 101
    assert len(set(found)) == 1
    assert all(n * v * v <= 1000 for n, v in sizes)


def completed(words: str) -> list[str]:
    """Ask for what stands at the end of a line, as bash does."""
    given = {"_NB101_COMPLETE": "complete_bash", "COMP_WORDS": words}
    given["COMP_CWORD"] = str(len(words.split(" ")) - 1)
    done = subprocess.run(
        [sys.executable, "-m", "nb101"], env=os.environ | given, capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("nb101 se", ["search"]),
        ("nb101 search com", ["compare"]),
        ("nb101 top --metr", ["--metric"]),
        ("nb101 top --metric v", ["validation_accuracy"]),
        ("nb101 info official-", ["official-108", "official-full"]),
        ("nb101 search run reg", ["regularized-evolution"]),
        ("nb101 plot pareto-", ["pareto-time", "pareto-parameters", "pareto-flops"]),
        ("nb101 info nothing-of-th", []),
    ],
)
def test_the_shell_completes(words: str, found: list[str]) -> None:
    assert completed(words) == found


def test_completion_for_each_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for shell in ("bash", "zsh", "fish"):
        monkeypatch.setenv("_NB101_COMPLETE", f"source_{shell}")
        done = process()
        assert (done.returncode, done.stderr) == (0, "")
        assert "_NB101_COMPLETE=complete_" in done.stdout


@pytest.mark.parametrize("name", ["COMMANDS", "PREDICT", "SEARCH", "PROXIES", "CAMPAIGN", "DATA"])
def test_lists_have_the_first_line_of_help(name: str) -> None:
    entries: tuple[Entry, ...] = getattr(lists, name)
    for entry in entries:
        command = entry.load()
        assert command.name == entry.name
        assert command.help.split("\n\n")[0] == entry.line
        assert bool(command.epilog) == (name != "DATA")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["search"], ["nonsense"]])
def test_lists_and_the_version_import_no_command(arguments: list[str]) -> None:
    code = (
        f"import sys, nb101.cli; nb101.cli.main({arguments}); "
        "print(*{'numpy', 'nb101._core', 'nb101.space', 'nb101.cli.options'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "", done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["search", "--help"], ["query", "--help"]])
def test_help_is_that_of_the_whole_printer(arguments: list[str]) -> None:
    """What help does not show is not imported for it, and is there when it is used."""
    shown = f"nb101.cli.main({arguments})"
    later = "'rich.markdown' in sys.modules, 'rich.traceback' in sys.modules"
    used = (
        "from typer.rich_utils import Markdown, Traceback; from rich import markdown, traceback; "
        "print(Markdown('*'), isinstance(Markdown('*'), markdown.Markdown), "
        "isinstance(markdown.Markdown('*'), Markdown), isinstance('', Markdown), "
        "Traceback.from_exception == traceback.Traceback.from_exception)"
    )
    printed = []
    for code in (
        f"import sys, nb101.cli; {shown}; print({later}); {used}",
        f"import nb101.cli, typer.rich_utils; {shown}",
        f"import nb101.cli; nb101.cli.help._LATER = {{'rich.text': 'Other'}}; {shown}",
    ):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        printed.append(done.stdout)
    end = "False False\n<rich.markdown.Markdown object at "
    assert printed[0].startswith(printed[1] + end)
    assert printed[0].endswith("> True True False True\n")
    # Where the printer needs more than is known.
    assert printed[2] == printed[1]


def test_parts_that_few_need_are_imported_when_they_are_needed() -> None:
    code = (
        "import sys; from nb101.cli.commands import *; "
        "[one.load() for one in (*COMMANDS, *PREDICT, *SEARCH, *PROXIES, *CAMPAIGN, *DATA)]; "
        "print([m for m in ('pyarrow', 'matplotlib', 'scipy', 'pandas', "
        "'jinja2', 'torch', 'nb101.search', 'nb101.train', 'nb101.campaign', "
        "'nb101.analysis.figures') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
