"""Tables and lists that show as much as there is room for.

At 80 columns each is readable: what is long has a short form, and what matters less is left out and
named below. A wider terminal has more, and a pipe all.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nb101.plain import printable

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from nb101.space.search_space import Count

GAP = 2
"""Spaces between two columns."""


@dataclass(frozen=True)
class _Form:
    """A way to show a column, and how wide it is."""

    head: str
    cells: tuple[str, ...]
    width: int


@dataclass(frozen=True)
class _Column:
    short: _Form
    full: _Form
    keep: bool
    left: bool


class Grid:
    """A table whose columns fit a width.

    Parameters
    ----------
    title
        The line above it.
    rest
        What shows the columns that are left out, for the line below it.
    whole
        Whether to show all of it, whatever room there is.
    """

    def __init__(self, title: str = "", *, rest: str = "--json", whole: bool = False) -> None:
        self.title, self._rest, self._whole = title, rest, whole
        self._columns: list[_Column] = []
        self._wishes: list[tuple[int, int, int]] = []

    def add(
        self,
        head: str,
        cells: Sequence[str],
        *,
        full: Sequence[str] | None = None,
        order: int = 0,
        full_order: int = 100,
        left: bool = False,
    ) -> None:
        """Add a column.

        Parameters
        ----------
        head
            Its name; in a narrow table a word a line.
        cells
            Its texts, which may have several lines.
        full
            The texts where there is more room.
        order, full_order
            When its turn comes to get room, and that of its full texts; 0 is a column that is
            always there.
        left
            Whether to begin its texts in one place, and not to end them in one.
        """
        number = len(self._columns)
        short = _form(head, cells, stacked=True)
        whole = _form(head, cells if full is None else full, stacked=False)
        self._columns.append(_Column(short, whole, order == 0, left))
        if order:
            self._wishes.append((order, number, 0))
        if whole.width > short.width or full is not None:
            self._wishes.append((full_order, number, 1))

    def fit(self, width: int | None) -> list["Table | str"]:
        """Return what fits a width, or all: a table of rich, and the line below it if need be."""
        if width is None or self._whole:
            return [self._build({i: column.full for i, column in enumerate(self._columns)})]
        chosen = {i: column.short for i, column in enumerate(self._columns) if column.keep}
        for _, number, is_full in sorted(self._wishes):
            column = self._columns[number]
            if is_full and number not in chosen:
                continue
            wish = chosen | {number: column.full if is_full else column.short}
            if sum(form.width for form in wish.values()) + GAP * (len(wish) - 1) <= width:
                chosen = wish
        parts: list[Table | str] = [self._build(dict(sorted(chosen.items())))]
        left_out = [c.full.head for i, c in enumerate(self._columns) if i not in chosen]
        if left_out:
            advice = f"a wider terminal, or {self._rest}" if self._rest else "a wider terminal"
            text = f"left out: {', '.join(left_out)}; {advice} has more"
            parts.append("\n".join(textwrap.wrap(text, width)))
        return parts

    def _build(self, forms: dict[int, _Form]) -> "Table":
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(
            title=self.title or None,
            title_justify="left",
            box=box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            collapse_padding=True,
            padding=(0, GAP - 1),
        )
        for number, form in forms.items():
            justify: Any = "left" if self._columns[number].left else "right"
            table.add_column(form.head, justify=justify, no_wrap=True)
        for row in zip(*(form.cells for form in forms.values()), strict=True):
            table.add_row(*map(Text, row))
        return table


def _form(head: str, cells: Sequence[str], *, stacked: bool) -> _Form:
    from rich.cells import cell_len

    texts = tuple("\n".join(map(printable, cell.split("\n"))) for cell in cells)
    head = printable(head)
    width = max((cell_len(line) for text in texts for line in text.split("\n")), default=1)
    if stacked and head:
        # No narrower than its longest word.
        width = max(width, *(cell_len(word) for word in head.split()))
        head = "\n".join(textwrap.wrap(head, width))
    return _Form(head, texts, max([width, *(cell_len(line) for line in head.split("\n"))]))


class Facts:
    """Names and values, one a line; long values go on below themselves.

    A third text of a fact is a short form of its value, for where the line would be too long.
    """

    def __init__(self, facts: Sequence[tuple[Any, ...]]) -> None:
        self._facts = [[printable(str(part)) for part in fact] for fact in facts]

    def fit(self, width: int | None) -> list["Text"]:
        """Return the lines that fit a width; without one each fact is a line."""
        from rich.text import Text

        widest = max(len(name) for name, *_ in self._facts)
        lines = []
        for name, value, *short in self._facts:
            rest = value
            if width is not None and short and widest + 2 + len(value) > width:
                rest = short[0]
            elif width is not None:
                indent = " " * (widest + 2)
                pieces = textwrap.wrap(
                    value,
                    max(20, width - len(indent)),
                    # Hashes, paths and addresses are copied whole.
                    break_long_words=False,
                    break_on_hyphens=False,
                )
                rest = f"\n{indent}".join(pieces)
            lines.append(Text.assemble((f"{name:{widest}}", "cyan"), f"  {rest}".rstrip(" ")))
        return [Text("\n").join(lines)]


class CountTable:
    """Unique cells by edges (rows) and vertices (columns), in as many tables as it takes."""

    def __init__(self, count: "Count", title: str) -> None:
        self._count, self._title = count, title

    def fit(self, width: int | None) -> "Sequence[Table]":
        """Return tables that fit a width, one below the other; the last has the totals."""
        columns: list[int | None] = [*self._count.by_vertices, None]
        blocks: list[list[int | None]] = [[]]
        used = 0
        for vertices in columns:
            need = 2 + max(len("vertices"), len(f"{self._total(vertices):,}"))
            if width is not None and len("edges") + used + need > width - 2 and blocks[-1]:
                blocks.append([])
                used = 0
            used += need
            blocks[-1].append(vertices)
        return [
            self._table(block, self._title if i == 0 else None) for i, block in enumerate(blocks)
        ]

    def _total(self, vertices: int | None) -> int:
        return self._count.total if vertices is None else self._count.by_vertices[vertices]

    def _table(self, block: list[int | None], title: str | None) -> "Table":
        from rich import box
        from rich.table import Table

        # That of NAS-Bench-101 fits 80 columns.
        table = Table(
            title=title,
            title_justify="left",
            box=box.SIMPLE_HEAD,
            show_footer=True,
            collapse_padding=True,
            pad_edge=False,
        )
        table.add_column("\nedges", footer="total", justify="right", no_wrap=True)
        for vertices in block:
            table.add_column(
                "\ntotal" if vertices is None else f"{vertices}\nvertices",
                footer=f"{self._total(vertices):,}",
                justify="right",
                no_wrap=True,
                style="bold" if vertices is None else "",
            )
        for edges, total in self._count.by_edges.items():
            row = [total if v is None else self._count.table[v][edges] for v in block]
            table.add_row(str(edges), *(f"{n:,}" if n else "·" for n in row))
        return table


def short_ops(ops: Sequence[str]) -> str:
    """Name ops in a few letters: ``3×3 1×1 mp``; ops of one's own by their first letters."""
    return " ".join(_SHORT.get(op, op if len(op) <= 6 else op[:5] + "…") for op in ops)


_SHORT = {"conv3x3-bn-relu": "3×3", "conv1x1-bn-relu": "1×1", "maxpool3x3": "mp"}
