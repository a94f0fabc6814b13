"""Ctrl-C in the process of the command, from its first import to its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nb101 import interrupts

PATIENCE = 120
POINTS = ("nb101.interrupts", "numpy.linalg", "nb101.space.cell", "typer", "nb101.cli")

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


@pytest.fixture(params=["module", "script"])
def command(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Ways to start the command: ``-m``, and what pip writes."""
    if request.param == "module":
        return ["-m", "nb101"]
    script = tmp_path / "nb101"
    script.write_text("import sys\nfrom nb101.cli import main\nsys.exit(main())\n")
    return [str(script)]


@posix
@pytest.mark.parametrize("point", POINTS)
def test_while_it_is_imported(command: list[str], point: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", *command, "enumerate", "--vertices", "9"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    assert any(line.rpartition("|")[2].strip() == point for line in lines)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, rest
    assert rest.endswith("nb101: interrupted\n")
    assert "Traceback" not in rest


@posix
def test_while_it_ends(command: list[str], tmp_path: Path) -> None:
    place = tmp_path / "site"
    place.mkdir()
    (place / "sitecustomize.py").write_text(
        "import atexit, os, signal\natexit.register(os.kill, os.getpid(), signal.SIGINT)\n"
    )
    path = os.pathsep.join([str(place), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, *command, "--version"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 130
    assert done.stdout.startswith("nb101 ")
    assert done.stderr == "nb101: interrupted\n"


@posix
def test_in_code_that_is_made_of_text(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "stopped.py").write_text("exec('raise KeyboardInterrupt')\n")
    done = subprocess.run(
        [sys.executable, *command, "search", "list", "--import", "stopped"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "nb101: interrupted\n")


@posix
def test_who_imports_the_package_keeps_signals() -> None:
    code = (
        "import signal, nb101.cli; nb101.cli.main(['--version']);"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_what_the_command_is() -> None:
    for arguments, original in (
        (["-m", "count"], ["python", "-X", "dev", "-m", "nb101", "count"]),
        (["-m"], ["python", "-mnb101"]),
        (["/usr/bin/nb101"], ["python", "/usr/bin/nb101"]),
        (["C:/nb101.exe", "count"], ["python", "C:/nb101.exe"]),
    ):
        assert interrupts.is_command(arguments, original)
    for arguments, original in (
        (["-m"], ["python", "-m", "pytest", "nb101"]),
        (["-c"], ["python", "-c", "import nb101"]),
        (["/home/me/nb101.py"], ["python", "nb101.py"]),
        (["/usr/bin/nb101"], ["python", "-c", "spawn_main()", "--multiprocessing-fork"]),
        ([], ["python"]),
        ([""], ["python"]),
    ):
        assert not interrupts.is_command(arguments, original)
