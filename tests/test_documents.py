"""What README and the documents show: types hold, and commands exist.

The blocks of a document are taken as one program, as a reader does who goes from top to bottom;
`test_document_blocks` runs them.
"""

import re
import shlex
import subprocess
import sys
import types
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

import nb101
from blocks import DOCUMENTS, ROOT, blocks, lines_of, program
from nb101.cli import app

PARTS = ("", *(f".{name}" for name in nb101._PARTS))
NEEDS = {
    "": "torch",
    ".adapters": "carps",
    ".nn": "torch",
    ".train": "torch",
    ".explore": "anywidget",
}
"""What has to be installed for all names of a part to be there."""
# Not typed, or so large that mypy needs a minute for them: their names are Any.
OTHERS = (
    *(
        "ConfigSpace",
        "carps",
        "dask",
        "dask_jobqueue",
        "distributed",
        "joblib",
        "matplotlib",
        "optuna",
    ),
    *("networkx", "pandas", "polars", "pyarrow", "safetensors", "scipy", "sklearn", "smac"),
    *("optunahub", "syne_tune", "tensorboard", "threadpoolctl", "torch", "torch_geometric"),
    *("graphviz", "onnx"),
)
CONFIG = f"""
[mypy]
strict = True
show_column_numbers = False
[mypy-{",".join(f"{name}.*" for name in OTHERS)}]
follow_imports = skip
ignore_missing_imports = True
"""


def module_of(document: Path) -> str:
    """Name a file for the program of a document, after its path."""
    return re.sub(r"\W", "_", str(document)) + ".py"


def names_of(part: str) -> list[str]:
    module: types.ModuleType = import_module(f"nb101{part}")
    return dir(module)


# Types


@pytest.fixture(scope="module")
def checked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What mypy says of all documents, and of each public name, as of a user's own programs."""
    pytest.importorskip("mypy")
    folder = tmp_path_factory.mktemp("documents")
    (folder / "mypy.ini").write_text(CONFIG)
    for document in DOCUMENTS:
        (folder / module_of(document)).write_text(program(document))
    lines = ["import nb101"]
    for part in PARTS:
        if part == ".nn":
            lines.append("import nb101.nn")
        lines += [
            f"reveal_type(nb101{part}.{name})" for name in names_of(part) if name != "__version__"
        ]
    (folder / "names.py").write_text("\n".join(lines) + "\n")
    assert request.config.cache is not None
    cache = request.config.cache.mkdir("mypy-documents")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--config-file=mypy.ini", "--no-error-summary"),
            *(f"--cache-dir={cache}", "."),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    documents = {module_of(document): str(document) for document in DOCUMENTS}
    found = []
    for line in done.stdout.splitlines():
        file, _, rest = line.partition(":")
        if file == "names.py":
            number, _, said = rest.partition(":")
            found.append(f"{lines[int(number) - 1]}: {said.strip()}")
        else:
            found.append(f"{documents.get(file, file)}:{rest}")
    return found


def test_mypy_accepts_every_block(checked: list[str]) -> None:
    wrong = [line for line in checked if not line.startswith("reveal_type")]
    assert not wrong, "\n".join(wrong)


def test_mypy_knows_every_public_name(checked: list[str]) -> None:
    said = [line for line in checked if line.startswith("reveal_type")]
    assert len(said) > 150
    wrong = [line for line in said if 'Revealed type is "Any"' in line or ": error: " in line]
    assert not wrong, "\n".join(wrong)


# Names


@pytest.mark.parametrize("part", PARTS)
def test_only_public_names_are_listed(part: str) -> None:
    if part in NEEDS:
        pytest.importorskip(NEEDS[part])
    module = import_module(f"nb101{part}")
    listed = dir(module)
    assert listed == sorted(set(listed))
    assert set(module.__all__) <= set(listed)
    for name in listed:
        assert name == "__version__" or not name.startswith("_")
        if isinstance(getattr(module, name), types.ModuleType):
            assert getattr(module, name).__name__.startswith("nb101.")
    others = set(listed) - set(module.__all__)
    assert all(isinstance(getattr(module, name), types.ModuleType) for name in others)


# Commands


def commands(document: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the arguments of each ``nb101`` of a document's shell blocks."""
    for block in blocks(document):
        for line in lines_of(block) if block.language == "sh" else ():
            words = line.words
            if words[0] == "nb101":
                ends = [i for i, word in enumerate(words) if word in ("|", ">", "&&", ";", "<")]
                yield line.number, words[1 : min(ends, default=len(words))]


def parse(command: Any, arguments: list[str], parent: Any = None) -> None:
    """Parse a command line as it would be run, and do not run it."""
    context = command.make_context(command.name or "nb101", list(arguments), parent)
    if hasattr(command, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        _, found, rest = command.resolve_command(context, rest)
        parse(found, rest, context)


# They act while they are parsed: the first writes to the home of whoever runs the tests.
AT_ONCE = ({"--install-completion"}, {"--show-completion"})


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_commands_parse(document: Path) -> None:
    root = typer.main.get_command(app)
    wrong = []
    known = {option for parameter in root.params for option in parameter.opts}
    for number, arguments in commands(document):
        if set(arguments) in AT_ONCE:
            assert set(arguments) <= known
            continue
        try:
            parse(root, arguments)
        except typer.Exit:
            pass  # --help and --version are there.
        except (Exception, SystemExit) as error:
            if isinstance(error, SystemExit) and not error.code:
                continue  # So they are in some versions of click.
            wrong.append(f"{document}:{number}: {shlex.join(arguments)}: {error!r}")
    assert wrong == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_commands_in_sentences_exist(document: Path) -> None:
    """And so do their options, of commands that the text names in passing."""
    root: Any = typer.main.get_command(app)
    text = (ROOT / document).read_text()
    wrong = []
    for said in re.findall(r"`nb101 ([^`]+)`", re.sub(r"(?ms)^ *```.*?^ *```", "", text)):
        command, words = root, shlex.split(said)
        while words and hasattr(command, "commands") and words[0] in command.commands:
            command = command.commands[words.pop(0)]
            command = command.load() if hasattr(command, "load") else command
        known = {option for parameter in command.params for option in parameter.opts}
        known |= {"--help", "-h"}
        given = {word.partition("=")[0] for word in words if re.match("--?[a-z]", word)}
        if (command is root and words[:1] not in (["--version"], ["--help"])) or not given <= known:
            wrong.append(said)
    assert wrong == []


def test_the_checks_find_what_is_wrong() -> None:
    root = typer.main.get_command(app)
    for arguments in (["nonsense"], ["top", "--nonsense"], ["search", "compare", "--seconds", "x"]):
        with pytest.raises(Exception, match=r"[Nn]o such|valid"):
            parse(root, arguments)
    readme = program(Path("README.md")).splitlines()
    place = readme.index("import nb101")
    assert (ROOT / "README.md").read_text().splitlines()[place] == "import nb101"


# Places


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_places_that_are_named_exist(document: str) -> None:
    text = (ROOT / document).read_text()
    named = set(re.findall(r"`([\w*./-]+(?:/|\.(?:py|pyi|rs|md|toml|txt)))`", text))
    assert len(named) > 15
    # What is built, and not kept.
    named -= {"dist/"}
    rust = ("rust/core/src", "rust/lanes/src", "rust/python/src")
    bases = ("", "python/nb101", *rust, "tests", "tools/surrogate", "docs")
    lost = {name for name in named if not any(list((ROOT / base).glob(name)) for base in bases)}
    # Those of a package whose section it is.
    packages = [path for path in (ROOT / "python" / "nb101").iterdir() if path.is_dir()]
    lost = {name for name in lost if not any((path / name).exists() for path in packages)}
    assert lost == set()
