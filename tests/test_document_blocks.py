"""Every code block of README and the documents runs, as `reader` does it, or says why it does not.

Each document has a process and a folder of its own. Notebooks are run by the build of the site,
which fails where one does.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from blocks import (
    DOCUMENTS,
    LINES_NOT_RUN,
    OF_ANOTHER,
    REASONS,
    ROOT,
    blocks,
    is_notebook,
    lines_of,
)

LANGUAGES = ("python", "sh", "bash", "text", "", "json", "bibtex", "toml", "yaml")
"""Of blocks; what is another language's is no mistyped Python."""
NEEDS = {
    "optuna": "optuna",
    "ConfigSpace": "ConfigSpace",
    "dask": "distributed",
    "nb101.analysis": "matplotlib",
    "nb101 plot": "matplotlib",
    "nb101.train": "torch",
    "nb101 train": "torch",
    "nb101.explore(": "anywidget",
    "adapters.syne_tune": "syne_tune",
    "adapters.optunahub": "optunahub",
    "adapters.carps": "carps",
    "torch_geometric": "torch_geometric",
    "to_onnx": "onnxscript",
}
"""What has to be installed for a document that has these words in its code."""
HERE = Path(__file__).parent


def has_work(document: Path) -> bool:
    """Whether there is anything in a document that is to be run."""
    for block in blocks(document):
        if block.language == "sh" and not all(line.reason for line in lines_of(block)):
            return True
        if block.language == "python" and not block.reason and not is_notebook(document):
            return True
    return False


RUN = [document for document in DOCUMENTS if has_work(document)]


@pytest.mark.skipif(os.name != "posix", reason="lines of shell need one")
@pytest.mark.parametrize("document", RUN, ids=str)
def test_the_blocks_run(document: Path, tmp_path: Path) -> None:
    code = "\n".join(block.text for block in blocks(document) if not block.reason)
    for word, module in NEEDS.items():
        if word in code:
            pytest.importorskip(module)
    path = os.pathsep.join([str(HERE), *sys.path])
    done = subprocess.run(
        [sys.executable, "-m", "reader", str(document)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{document}\n{done.stderr[-4000:]}"


def test_what_is_not_run_says_why() -> None:
    wrong, marked = [], Counter[str]()
    for document in DOCUMENTS:
        found = list(blocks(document))
        for block in found:
            where = f"{document}:{block.line}"
            if block.language not in LANGUAGES:
                wrong.append(f"{where}: a block of {block.language!r}")
            if block.reason and block.reason not in REASONS:
                wrong.append(f"{where}: {block.reason!r} is no reason of tests/blocks.py")
            marked[block.reason] += 1
        comments = re.findall(r"(?m)^\s*<!-- not run: .* -->$", (ROOT / document).read_text())
        if len(comments) != sum(bool(block.reason) for block in found):
            wrong.append(f"{document}: a comment stands over no block")
    assert wrong == []
    total = sum(marked.values())
    assert total > 20
    # Nearly all are run: who marks more than one in twenty has to say so here.
    assert total - marked[""] - marked[OF_ANOTHER] <= 2 + total / 20, marked


def test_lines_that_are_not_run_are_there() -> None:
    lines = [
        line.text
        for document in DOCUMENTS
        for block in blocks(document)
        if block.language == "sh"
        for line in lines_of(block)
    ]
    for begin in LINES_NOT_RUN:
        assert any(re.match(begin, line) for line in lines), begin
    left_out = sum(any(re.match(begin, line) for begin in LINES_NOT_RUN) for line in lines)
    assert left_out < len(lines) / 4


def test_notebooks_are_run_by_the_build() -> None:
    """And one that fails ends it."""
    settings = (ROOT / "docs" / "conf.py").read_text()
    assert 'nb_execution_mode = "cache"' in settings
    assert "nb_execution_raise_on_error = True" in settings
    for document in filter(is_notebook, DOCUMENTS):
        assert any(block.is_cell for block in blocks(document)), document
    for document in DOCUMENTS:
        cells = [block for block in blocks(document) if block.is_cell]
        assert is_notebook(document) or not cells, document


def read(document: Path, folder: Path, text: str) -> "subprocess.CompletedProcess[str]":
    """Read a document that a test has made."""
    (folder / document).write_text(text)
    (folder / "in").mkdir()
    return subprocess.run(
        [sys.executable, "-m", "reader", str(folder / document)],
        cwd=folder / "in",
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(os.name != "posix", reason="lines of shell need one")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n", 'x.md", line 6'),
        ("```sh\nnb101 count\nnb101 count --vertices 99\n```\n", "x.md:3: nb101 count"),
        ("```sh\nfalse | cat\n```\n", "x.md:2: false | cat: exit code 1"),
        ("<!-- given: false -->\n```sh\ntrue\n```\n", "x.md:1: false: exit code 1"),
        (
            "```python\nimport urllib.request as u\nu.urlopen('http://192.0.2.1')\n```\n",
            "an example connects to ('192.0.2.1', 80)",
        ),
    ],
    ids=["python", "nb101", "shell", "given", "network"],
)
def test_what_fails_is_found(text: str, said: str, tmp_path: Path) -> None:
    done = read(Path("x.md"), tmp_path, text)
    assert done.returncode == 1
    assert said in done.stderr


def test_blocks_are_found_in_tabs_and_lists(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text(
        "````{tab-set}\n```{tab-item} A\n:sync: a\n\n1. One:\n\n   ```python\n   x = [\n"
        "       1]\n   ```\n```\n````\n:::{note}\n```sh\nnb101 count \\\n  --json # all\n```\n:::\n"
        "```{code-cell} ipython3\n:tags: [hide-input]\n%config X = 1\ny = 2\n```\n"
        "<!-- not run: needs SLURM -->\n\n```python\nz\n```\n```\nplain\n```\n"
    )
    found = list(blocks(path))
    assert [(block.line, block.language) for block in found] == [
        (8, "python"),
        (15, "sh"),
        (20, "python"),
        (27, "python"),
        (30, ""),
    ]
    assert found[0].text == "x = [\n    1]"
    (line,) = lines_of(found[1])
    assert line.words == ["nb101", "count", "--json"]
    assert found[2].text == "\n\ny = 2"
    assert [block.is_cell for block in found] == [False, False, True, False, False]
    assert [block.reason for block in found] == ["", "", "", "needs SLURM", ""]
