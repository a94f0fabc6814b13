"""Pictures of cells: SVG for notebooks and pages, text for terminals."""

from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import east_asian_width

import numpy.typing as npt

from nb101.plain import printable
from nb101.space.ops import INPUT, OPS, OUTPUT

if TYPE_CHECKING:
    from rich.text import Text

# Okabe and Ito's colours, which colour-blind people can tell apart; then paler and darker ones,
# since a space can have 15 ops.
OP_COLOURS = dict(zip(OPS, ("#0072B2", "#E69F00", "#009E73"), strict=True))
MORE_COLOURS = (
    "#CC79A7",
    "#D55E00",
    "#56B4E9",
    "#F0E442",
    "#7A4FA3",
    "#8C6D46",
    "#A6CEE3",
    "#B2DF8A",
    "#FB9A99",
    "#3B4CC0",
    "#7F7F00",
    "#C7B8E0",
    "#004D40",
    "#F4B9D8",
    "#5C1A33",
)
END_COLOUR = "#5F6B7A"
# Grey in the middle shows on white and on black.
EDGE_COLOUR = "#8A94A3"

BOX_HEIGHT = 34.0
LAYER_GAP = 46.0
BOX_GAP = 26.0
EDGE_SLOT = 22.0
MARGIN = 12.0
CHAR_WIDTH = 7.3
LONGEST_NAME = 32


class Drawn(NamedTuple):
    """What a picture is of.

    Attributes
    ----------
    matrix
        Upper-triangular adjacency matrix of 0 and 1, shape ``(v, v)``.
    ops
        Name of each vertex, `input` and `output` included.
    op_names
        All ops of the space: an op has its colour by its place among them.
    """

    matrix: npt.NDArray[Any]
    ops: tuple[str, ...]
    op_names: tuple[str, ...]

    @property
    def vertices(self) -> int:
        """Number of vertices."""
        return len(self.ops)

    def edges(self) -> list[tuple[int, int]]:
        """All edges as pairs of vertices, sorted."""
        pairs = ((x, y) for x in range(self.vertices) for y in range(x + 1, self.vertices))
        return [(x, y) for x, y in pairs if self.matrix[x, y]]


def to_svg(cell: Drawn) -> str:
    """Draw a cell as an SVG picture: input on top, output below, a colour for each op.

    The text is one ``<svg>`` element that needs nothing else, without a background.
    """
    layout = _Layout(cell)
    title = f"Cell: {', '.join(cell.ops)}"
    width, height = f"{layout.width:g}", f"{layout.height:g}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" font-size="13" '
        f'font-family="ui-sans-serif, system-ui, Helvetica, Arial, sans-serif">',
        f"<title>{_xml(title)}</title>",
        *(_svg_edge(points) for points in layout.paths()),
        *(_svg_box(cell, vertex, layout) for vertex in range(cell.vertices)),
        "</svg>",
    ]
    return "\n".join(parts)


def to_terminal(cell: Drawn) -> "Text":
    """Draw a cell with box-drawing characters, for rich to print; ``.plain`` is the text alone.

    Each vertex has a row, and a column that leads down to it. An edge goes right along the row of
    its source and down the column of its target; they join at a corner, ``┬``, ``┤`` or ``┼``.
    A plain ``│`` within a row is a crossing.
    """
    from rich.text import Text

    names = [_name(cell, vertex) for vertex in range(cell.vertices)]
    # Names end just right of the arrow that leads to them, so that none reaches a later column.
    start = max(_columns(name) - 4 * vertex for vertex, name in enumerate(names))
    matrix = cell.matrix
    text = Text(no_wrap=True, end="")
    for row, name in enumerate(names):
        end = start + 4 * row
        targets = [v for v in range(row + 1, cell.vertices) if matrix[row, v]]
        text.append(" " * (end - _columns(name)))
        text.append(name, style=f"bold {_terminal_colour(cell, row)}")
        text.append(_row_lines(cell, row, targets), style="bright_black")
        if row + 1 < cell.vertices:
            below = "".join(
                "   " + ("▼" if v == row + 1 else "│" if matrix[: row + 1, v].any() else " ")
                for v in range(row + 1, cell.vertices)
            )
            text.append("\n" + " " * end + below.rstrip() + "\n", style="bright_black")
    return text


def _row_lines(cell: Drawn, row: int, targets: list[int]) -> str:
    matrix = cell.matrix
    last = max(targets, default=0)
    line = ""
    for v in range(row + 1, cell.vertices):
        above = bool(matrix[:row, v].any())
        if v in targets:
            joint = ("┼" if above else "┬") if v < last else ("┤" if above else "╮")
        else:
            joint = "│" if above else "─" if v < last else " "
        # The first of the three before a column touches the name.
        line += (" ──" if v == row + 1 else "───") if v <= last else "   "
        line += joint
    return line.rstrip()


@dataclass
class _Node:
    """A vertex, or the place where a long edge passes through a layer."""

    layer: int
    width: float
    vertex: int | None = None
    x: float = 0.0
    above: list["_Node"] = field(default_factory=list, repr=False)
    below: list["_Node"] = field(default_factory=list, repr=False)


class _Layout:
    """Layers from input down to output (Sugiyama, Tagawa and Toda 1981)."""

    def __init__(self, cell: Drawn) -> None:
        names = [_name(cell, vertex) for vertex in range(cell.vertices)]
        self.box_width = max(_columns(name) for name in names) * CHAR_WIDTH + 26
        depth = [0] * cell.vertices
        for x, y in cell.edges():
            depth[y] = max(depth[y], depth[x] + 1)
        self.nodes = [_Node(depth[v], self.box_width, v) for v in range(cell.vertices)]
        self.layers: list[list[_Node]] = [[] for _ in range(max(depth) + 1)]
        for node in self.nodes:
            self.layers[node.layer].append(node)
        self.chains = [self._chain(self.nodes[x], self.nodes[y]) for x, y in cell.edges()]
        self._order()
        self._place()
        left = min(node.x - node.width / 2 for layer in self.layers for node in layer)
        right = max(node.x + node.width / 2 for layer in self.layers for node in layer)
        for layer in self.layers:
            for node in layer:
                node.x += MARGIN - left
        self.width = round(right - left + 2 * MARGIN, 1)
        self.height = self.top(len(self.layers) - 1) + BOX_HEIGHT + MARGIN

    def top(self, layer: int) -> float:
        return MARGIN + layer * (BOX_HEIGHT + LAYER_GAP)

    def _chain(self, source: _Node, target: _Node) -> list[_Node]:
        chain = [source]
        for layer in range(source.layer + 1, target.layer):
            chain.append(_Node(layer, EDGE_SLOT))
            self.layers[layer].append(chain[-1])
        chain.append(target)
        for upper, lower in pairwise(chain):
            upper.below.append(lower)
            lower.above.append(upper)
        return chain

    def _order(self) -> None:
        """Sort each layer by where its neighbours are, and keep what crosses least."""
        best = (self._crossings(), [list(layer) for layer in self.layers])
        for sweep in range(24):
            down = sweep % 2 == 0
            for layer in self.layers if down else reversed(self.layers):
                places = {id(node): i for other in self.layers for i, node in enumerate(other)}
                layer.sort(key=lambda node: _mean_place(node, down, places))
            self._swap_neighbours()
            best = min(
                best,
                (self._crossings(), [list(layer) for layer in self.layers]),
                key=lambda found: found[0],
            )
        self.layers = best[1]

    def _swap_neighbours(self) -> None:
        for layer in self.layers:
            places = {id(node): i for other in self.layers for i, node in enumerate(other)}
            ends = [
                [[places[id(other)] for other in side] for side in (node.above, node.below)]
                for node in layer
            ]
            for i in range(len(layer) - 1):
                left, right = ends[i], ends[i + 1]
                gain = sum(
                    (x > y) - (x < y)
                    for lefts, rights in zip(left, right, strict=True)
                    for x in lefts
                    for y in rights
                )
                if gain > 0:
                    layer[i], layer[i + 1] = layer[i + 1], layer[i]
                    ends[i], ends[i + 1] = right, left

    def _crossings(self) -> int:
        count = 0
        for layer, lower in pairwise(self.layers):
            place = {id(node): i for i, node in enumerate(lower)}
            ends: list[int] = []
            for node in layer:
                mine = [place[id(target)] for target in node.below]
                count += sum(end > other for other in mine for end in ends)
                ends += mine
        return count

    def _place(self) -> None:
        """Move nodes towards their neighbours, long edges most of all so that they are straight."""
        for layer in self.layers:
            _settle(layer, [0.0] * len(layer), [1.0] * len(layer))
        for sweep in range(60):
            for layer in self.layers if sweep % 2 == 0 else reversed(self.layers):
                wishes, weights = [], []
                for node in layer:
                    neighbours = node.above + node.below
                    near = [8.0 if other.vertex is None else 1.0 for other in neighbours]
                    total = sum(near)
                    pull = sum(w * other.x for w, other in zip(near, neighbours, strict=True))
                    wishes.append(pull / total if total else node.x)
                    weights.append(total if node.vertex is not None else 4.0 + total)
                _settle(layer, wishes, weights)

    def paths(self) -> list[list[tuple[float, float, float]]]:
        """Places that each edge passes: x, and where it enters and leaves the layer."""
        leaving, entering = self._ports(True), self._ports(False)
        paths = []
        for i, chain in enumerate(self.chains):
            first, last = self.top(chain[0].layer) + BOX_HEIGHT, self.top(chain[-1].layer)
            middle = [
                (node.x, self.top(node.layer), self.top(node.layer) + BOX_HEIGHT)
                for node in chain[1:-1]
            ]
            paths.append([(leaving[i], first, first), *middle, (entering[i], last, last)])
        return paths

    def _ports(self, leaving: bool) -> dict[int, float]:
        """Spread the edges of each box over its side, in the order of where they go."""
        ports: dict[int, float] = {}
        for node in self.nodes:
            mine = [
                (chain[1].x if leaving else chain[-2].x, i)
                for i, chain in enumerate(self.chains)
                if chain[0 if leaving else -1] is node
            ]
            mine.sort()
            gap = min(22.0, (node.width - 28) / max(1, len(mine) - 1))
            for place, (_, i) in enumerate(mine):
                ports[i] = node.x + gap * (place - (len(mine) - 1) / 2)
        return ports


def _mean_place(node: _Node, down: bool, places: dict[int, int]) -> float:
    neighbours = node.above if down else node.below
    if not neighbours:
        return float(places[id(node)])
    return sum(places[id(other)] for other in neighbours) / len(neighbours)


def _settle(layer: list[_Node], wishes: list[float], weights: list[float]) -> None:
    """Place a layer's nodes nearest to their wishes, in their order and apart.

    Least squares under order is isotonic regression, solved by pooling adjacent violators.
    """
    offsets = [0.0]
    for left, right in pairwise(layer):
        gap = BOX_GAP if left.vertex is not None and right.vertex is not None else BOX_GAP / 3
        offsets.append(offsets[-1] + (left.width + right.width) / 2 + gap)
    pools: list[tuple[float, float, int]] = []
    for wish, weight, offset in zip(wishes, weights, offsets, strict=True):
        mean, heavy, size = wish - offset, weight, 1
        while pools and pools[-1][0] > mean:
            other, other_heavy, other_size = pools.pop()
            mean = (mean * heavy + other * other_heavy) / (heavy + other_heavy)
            heavy, size = heavy + other_heavy, size + other_size
        pools.append((mean, heavy, size))
    shifts = [mean for mean, _, size in pools for _ in range(size)]
    for node, shift, offset in zip(layer, shifts, offsets, strict=True):
        node.x = shift + offset


def _svg_edge(points: list[tuple[float, float, float]]) -> str:
    x, _, y = points[0]
    path = f"M{x:.1f} {y:.1f}"
    for at, (next_x, enter, leave) in enumerate(points[1:], 2):
        # The arrowhead covers the end, so that the line must stop short of the tip.
        stop = enter - 6 if at == len(points) else enter
        bend = (stop - y) * 0.55
        path += f"C{x:.1f} {y + bend:.1f} {next_x:.1f} {stop - bend:.1f} {next_x:.1f} {stop:.1f}"
        if leave > enter:
            path += f"V{leave:.1f}"
        x, y = next_x, leave
    return (
        f'<path d="{path}" fill="none" stroke="{EDGE_COLOUR}" stroke-width="1.8"/>'
        f'<path d="M{x:.1f} {y:.1f}l-4.5 -8h9z" fill="{EDGE_COLOUR}"/>'
    )


def _svg_box(cell: Drawn, vertex: int, layout: _Layout) -> str:
    node = layout.nodes[vertex]
    colour = _colour(cell, vertex)
    left, top = node.x - node.width / 2, layout.top(node.layer)
    text = "#FFFFFF" if _is_dark(colour) else "#1A1A1A"
    number, _, name = _name(cell, vertex).rpartition(" ")
    label = f'<tspan opacity="0.75">{number}</tspan> {_xml(name)}' if number else _xml(name)
    return (
        f"<g><title>{_xml(f'{vertex}: {cell.ops[vertex]}')}</title>"
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{node.width:.1f}" height="{BOX_HEIGHT:g}" '
        f'rx="8" fill="{colour}"/>'
        f'<text x="{node.x:.1f}" y="{top + BOX_HEIGHT / 2:.1f}" dy="0.35em" text-anchor="middle" '
        f'fill="{text}">{label}</text></g>'
    )


def _name(cell: Drawn, vertex: int) -> str:
    """Name a vertex for a picture: interior ones with their number in the matrix."""
    op = printable(cell.ops[vertex])
    if vertex in (0, cell.vertices - 1):
        return op
    # Spaces that do not break keep number and name apart for whoever splits them.
    op = op.replace(" ", "\N{NO-BREAK SPACE}")
    return f"{vertex} {op if len(op) <= LONGEST_NAME else op[: LONGEST_NAME - 1] + '…'}"


def _columns(text: str) -> int:
    """Columns of a text in a terminal."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _colour(cell: Drawn, vertex: int) -> str:
    op = cell.ops[vertex]
    if op in (INPUT, OUTPUT):
        return END_COLOUR
    if op in OP_COLOURS:
        return OP_COLOURS[op]
    others = [name for name in cell.op_names if name not in OP_COLOURS]
    return MORE_COLOURS[others.index(op)]


def _terminal_colour(cell: Drawn, vertex: int) -> str:
    """Return one of the colours that each terminal has its own shade of, fit for its background."""
    op = cell.ops[vertex]
    if op in (INPUT, OUTPUT):
        return "default"
    if op in OPS:
        return ("blue", "yellow", "green")[OPS.index(op)]
    others = [name for name in cell.op_names if name not in OPS]
    return ("magenta", "red", "cyan")[others.index(op) % 3]


def _is_dark(colour: str) -> bool:
    """Whether white text reads better than black on a colour (relative luminance, WCAG 2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.28


def _xml(text: str) -> str:
    return escape(printable(text))
