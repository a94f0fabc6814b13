"""A reader who goes through a document from top to bottom and types all that stands in it.

``python -m reader README.md`` runs its blocks in the current folder, which should be an empty one,
with `stand_ins`: those of Python as one program, lines of shell between them. Notebooks are left to
the build of the site. It ends at the first that fails, and says which.
"""

import os
import shlex
import subprocess
import sys
import traceback
import types
import warnings
from pathlib import Path
from typing import Any

from blocks import ROOT, Block, Line, blocks, is_notebook, lines_of

OPERATORS = ("|", ">", "<", "&&", ";")


class FailedError(Exception):
    """A block that does not run."""


def read(document: Path) -> None:
    """Run a document's blocks."""
    # The program that a reader writes; this one is none of its affair.
    written = sys.modules["__main__"] = types.ModuleType("__main__")
    for block in blocks(document):
        if block.reason:
            continue
        for command in block.given:
            run(command, block)
        if block.language == "python" and not is_notebook(document):
            # On the lines where it stands.
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(ROOT / document), "exec"), written.__dict__)
        elif block.language == "sh":
            for line in lines_of(block):
                if not line.reason:
                    run(line, block)


def run(line: Line, block: Block) -> None:
    """Run a line of shell: a command of nb101 in this process, anything else by bash."""
    words = list(line.words)
    if words[0] == "cd":
        os.chdir(words[1])
        return
    if words[0] == "export":
        for word in words[1:]:
            name, _, value = word.partition("=")
            os.environ[name] = value
        return
    # nb101 run replaces modules: a process of its own.
    if words[0] == "nb101" and words[1:2] != ["run"] and not set(words) & set(OPERATORS):
        from nb101.cli import main

        code = main(words[1:])
        sys.stdout.flush()
    else:
        code = subprocess.run(["bash", "-euo", "pipefail", "-c", line.text]).returncode
    if code:
        raise FailedError(f"{block.document}:{line.number}: {line.text.strip()}: exit code {code}")


def put_on_path(folder: Path) -> None:
    """Let shells find ``nb101`` and ``python``."""
    folder.mkdir()
    for name, arguments in (("nb101", "-m nb101"), ("python", "")):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments} "$@"\n')
        script.chmod(0o755)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


def main(arguments: list[str]) -> int:
    """Read a document in the current folder."""
    import stand_ins

    here = Path.cwd()
    given: dict[str, Any] = {"HOME": here / "home", "NB101_CACHE": here / "home" / "cache"}
    for name, path in given.items():
        path.mkdir()
        os.environ[name] = str(path)
    os.environ["MPLBACKEND"] = "Agg"
    put_on_path(here / "home" / "bin")
    warnings.simplefilter("ignore")
    stand_ins.install(here, (ROOT / arguments[0]).read_text())
    try:
        read(Path(arguments[0]))
    except FailedError as error:
        print(error, file=sys.stderr)
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
