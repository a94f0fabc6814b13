"""Pictures: valid XML, every vertex and edge in them, no edge through a box."""

import re
from xml.etree import ElementTree

import pytest

import nb101
from nb101.space.draw import OP_COLOURS

NAME = "{http://www.w3.org/2000/svg}"
SPACE = nb101.SearchSpace()
FULL = [[int(x < y) for y in range(11)] for x in range(11)]
NAMES = ("<b>&\"'", "\x00\x1b[31m", "卷积", "x" * 200, *nb101.OPS)
CELLS = [
    SPACE[0],
    SPACE[1],
    nb101.Cell("0101001000010000", "input,conv3x3-bn-relu,conv3x3-bn-relu,output"),
    *SPACE.sample(20, seed=0),
    nb101.Cell(FULL, [-1, *[0] * 9, -2]),
    nb101.Cell(FULL, [-1, 0, 1, 2, 3, 4, 5, 6, 0, 1, -2], op_names=NAMES),
]


@pytest.mark.parametrize("cell", CELLS)
def test_svg_has_every_vertex_and_edge(cell: nb101.Cell) -> None:
    svg = ElementTree.fromstring(cell.to_svg())
    assert svg.find(f"{NAME}title") is not None
    boxes = [group.find(f"{NAME}rect") for group in svg.findall(f"{NAME}g")]
    assert len(boxes) == cell.vertices
    # An edge is its line and its head.
    assert len(svg.findall(f"{NAME}path")) == 2 * cell.edges
    titles = [group.findtext(f"{NAME}title") or "" for group in svg.findall(f"{NAME}g")]
    assert [title.partition(":")[0] for title in titles] == [str(v) for v in range(cell.vertices)]


@pytest.mark.parametrize("cell", CELLS)
def test_svg_edges_join_their_boxes_and_cross_no_other(cell: nb101.Cell) -> None:
    svg = ElementTree.fromstring(cell.to_svg())
    boxes = []
    for rect in svg.iter(f"{NAME}rect"):
        x, y, width, height = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
        assert 0 <= x <= x + width <= float(svg.attrib["width"])
        assert 0 <= y <= y + height <= float(svg.attrib["height"])
        boxes.append((x, y, x + width, y + height))
    for i, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:i]:
            assert right < other[0] or other[2] < left or bottom < other[1] or other[3] < top

    ends = []
    for line, head in zip(*[iter(svg.findall(f"{NAME}path"))] * 2, strict=True):
        points = list(_points(line.attrib["d"]))
        tip = tuple(map(float, head.attrib["d"][1:].split("l")[0].split()))
        source = [
            i
            for i, box in enumerate(boxes)
            if box[0] < points[0][0] < box[2] and abs(points[0][1] - box[3]) < 0.2
        ]
        target = [
            i
            for i, box in enumerate(boxes)
            if box[0] < tip[0] < box[2] and abs(tip[1] - box[1]) < 0.2
        ]
        ends.append((*source, *target))
        for x, y in points:
            assert not any(b[0] < x < b[2] and b[1] + 0.2 < y < b[3] - 0.2 for b in boxes)
    assert sorted(ends) == cell.edge_list()


def _points(path: str) -> list[tuple[float, float]]:
    """Points along a path of M, C and V."""
    points: list[tuple[float, float]] = []
    for command, text in re.findall("([MCV])([^MCV]*)", path):
        values = [float(value) for value in text.split()]
        if command == "M":
            points.append((values[0], values[1]))
            continue
        x, y = points[-1]
        if command == "V":
            values = [x, y, x, values[0], x, values[0]]
        xs, ys = [x, *values[::2]], [y, *values[1::2]]
        for step in range(1, 21):
            t = step / 20
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            points.append(
                (
                    sum(w * v for w, v in zip(weights, xs, strict=True)),
                    sum(w * v for w, v in zip(weights, ys, strict=True)),
                )
            )
    return points


def test_svg_gives_an_op_one_colour() -> None:
    cell = nb101.Cell("0110001100010000", "input,maxpool3x3,maxpool3x3,output")
    assert cell.to_svg().count(OP_COLOURS["maxpool3x3"]) == 2
    same = nb101.Cell(cell.matrix, cell.ops, op_names=["identity", "maxpool3x3"])
    assert OP_COLOURS["maxpool3x3"] in same.to_svg()


def test_svg_is_the_same_every_time() -> None:
    assert CELLS[-1].to_svg() == CELLS[-1].to_svg()
    assert CELLS[0]._repr_svg_() == CELLS[0].to_svg()


@pytest.mark.parametrize("cell", CELLS)
def test_terminal_drawing_can_be_read_back(cell: nb101.Cell) -> None:
    lines = cell.to_terminal().plain.split("\n")
    assert len(lines) == 2 * cell.vertices - 1
    assert all(line == line.rstrip() for line in lines)
    if not cell.ops[1:-1] or set(cell.ops[1:-1]) <= set(nb101.OPS):
        assert _edges(lines) == cell.edge_list()


def _edges(lines: list[str]) -> list[tuple[int, int]]:
    """Follow the rows: where one meets a column that leads to a vertex, there is an edge."""
    arrows = [lines[2 * v - 1].index("▼") for v in range(1, (len(lines) + 1) // 2)]
    rows = enumerate(lines[::2])
    return [
        (row, vertex)
        for row, line in rows
        for vertex, column in enumerate(arrows, 1)
        if vertex > row and line[column : column + 1] in ("╮", "┬", "┤", "┼")
    ]


def test_terminal_drawing_has_no_control_characters() -> None:
    assert "\x1b" not in CELLS[-1].to_terminal().plain
