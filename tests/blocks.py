"""The code blocks of README and the documents, and which of them are not run, and why.

Comments right above a block, which no reader sees, say what a test has to know: ``<!-- not run:
needs SLURM -->`` of one that cannot be run, and ``<!-- given: COMMAND -->`` what to run before it,
once for each thing that the text takes for granted. Lines of shell that cannot be run are listed
here, by how they begin.
"""

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    path.relative_to(ROOT)
    for path in (
        *(ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"),
        *sorted((ROOT / "docs").rglob("*.md")),
    )
]
OF_ANOTHER = "is of another package"
"""Why a block is not typed either."""
REASONS = (
    "needs SLURM",
    "needs a cluster",
    "needs a GPU",
    "needs the network",
    "needs a file of the reader's",
    "installs packages",
    "takes hours",
    OF_ANOTHER,
)
"""What a block that is marked may say."""
LINES_NOT_RUN = {
    r"make |\. ": "builds from the sources, as the tests of packaging do",
    r"pip ": "installs packages",
    r"dask ": "starts a cluster",
    r"nb101 report ": "takes 6 s: tests/cli/test_analysis.py",
    r"nb101 --install-completion": "changes the shell of whoever runs it",
}
"""How lines of shell begin that are not run."""


class Block(NamedTuple):
    """A code block.

    Attributes
    ----------
    document, line
        Where it is: the path from the repository, and the number of its first line of code.
    language
        Of its fence; ``python`` for cells of notebooks.
    text
        Its lines, without what IPython alone understands.
    is_cell
        Whether it is a cell of a notebook.
    reason
        Why it is not run, as the mark says; empty if it is.
    given
        Lines of shell that are to be run before it.
    """

    document: Path
    line: int
    language: str
    text: str
    is_cell: bool
    reason: str
    given: "list[Line]"


def blocks(document: Path) -> Iterator[Block]:
    """Yield the code blocks of a document, those within tabs and lists too."""
    lines = (ROOT / document).read_text().splitlines()
    holders: list[str] = []
    reason, i = "", 0
    given: list[Line] = []
    while i < len(lines):
        fence = re.match(r"\s*(`{3,}|:{3,})\s*(.*)", lines[i])
        i += 1
        if not fence:
            if mark := re.fullmatch(r"\s*<!-- (not run|given): (.+?) -->\s*", lines[i - 1]):
                if mark[1] == "given":
                    given += shell_lines(mark[2], i)
                else:
                    reason = mark[2]
            elif lines[i - 1].strip():
                reason, given = "", []
            continue
        ticks, info = fence.groups()
        if not info and holders and ticks.startswith(holders[-1]):
            holders.pop()
            continue
        kind = re.match(r"\{([\w-]+)\}\s*([\w-]*)", info)
        if kind and kind[1] not in ("code-cell", "code-block"):
            # A tab or a note: what is in it is Markdown too.
            holders.append(ticks)
            continue
        start = i
        while i < len(lines) and not re.fullmatch(rf"\s*{ticks}{ticks[0]}*\s*", lines[i]):
            i += 1
        is_cell = kind is not None and kind[1] == "code-cell"
        language = "python" if is_cell else kind[2] if kind else info
        text = textwrap.dedent("\n".join(_code(lines[start:i], bool(kind))))
        yield Block(document, start + 1, language, text, is_cell, reason, given)
        reason, given, i = "", [], i + 1


def _code(lines: list[str], has_options: bool) -> list[str]:
    """Return the lines of a block; those that are no Python are empty, so that numbers stay."""
    if not has_options:
        return lines
    kept = list(lines)
    for place, line in enumerate(kept):
        if not re.match(r"\s*:[\w-]+:", line):
            break
        kept[place] = ""
    return ["" if re.match(r"\s*[%!]\w", line) else line for line in kept]


def is_notebook(document: Path) -> bool:
    """Whether the build of the site executes a document."""
    text = (ROOT / document).read_text()
    return text.startswith("---\n") and "kernelspec:" in text.split("\n---", 1)[0]


def program(document: Path) -> str:
    """Return all Python blocks of a document, on the lines where they stand."""
    text: list[str] = []
    for block in blocks(document):
        if block.language == "python" and block.reason != OF_ANOTHER:
            text += [""] * (block.line - 1 - len(text))
            text += block.text.splitlines()
    return "\n".join(text) + "\n"


class Line(NamedTuple):
    """A line of shell: its number, its text, its words without comments, and why it is not run."""

    number: int
    text: str
    words: list[str]
    reason: str


def lines_of(block: Block) -> Iterator[Line]:
    """Yield the lines of a block of shell that are commands, none run if the block is not."""
    for line in shell_lines(block.text, block.line):
        yield line._replace(reason=block.reason or line.reason)


def shell_lines(text: str, number: int) -> Iterator[Line]:
    """Yield the lines of shell of a text that begins at a line; what is continued is one."""
    for piece in re.split(r"(?<!\\)\n", text):
        joined = piece.replace("\\\n", " ")
        splitter = shlex.shlex(joined, posix=True, punctuation_chars=True)
        splitter.whitespace_split = True
        words = list(splitter)
        if words:
            found = [why for begin, why in LINES_NOT_RUN.items() if re.match(begin, joined)]
            yield Line(number, joined, words, "".join(found))
        number += piece.count("\n") + 1
