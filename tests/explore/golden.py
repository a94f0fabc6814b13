"""What the engine says of cells, for the tests of the page's own engine in `web/tests/engine`.

`golden.py` writes `web/tests/golden/engine.json` anew; `golden.py whole FOLDER` writes all of
NAS-Bench-101 as plain little-endian arrays.
"""

import base64
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import nb101
from nb101 import _core

FILE = Path(__file__).parents[2] / "web" / "tests" / "golden" / "engine.json"
SPACES = [(5, 6, 3), (6, 15, 1), (9, 8, 1), (5, 4, 11)]
"""Spaces that are kept whole: vertices, edges, number of ops."""
LARGE = [(8, 14, 3), (9, 18, 2), (10, 22, 4), (11, 26, 3), (11, 55, 15)]
"""Spaces of which some cells are kept."""
SAMPLE = 300


def text_of(array: npt.NDArray[Any], kind: str) -> str:
    return base64.b64encode(array.astype(kind).tobytes()).decode()


def below(rng: random.Random, n: int, count: int) -> list[int]:
    """Random numbers: the one method that all versions of Python promise to keep."""
    return [int(rng.random() * n) for _ in range(count)]


def halves(words: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    return words & np.uint64(0xFFFFFFFF), words >> np.uint64(32)


def columns(cells: nb101.Cells) -> dict[str, str | None]:
    names = ("edges_low", "edges_high", "labels_low", "labels_high")
    parts = [half for word in cells.words for half in halves(word)]
    texts = {name: text_of(part, "<u4") for name, part in zip(names, parts, strict=True)}
    return texts | ({} if parts[1].any() else {"edges_high": None})


def space_of(vertices: int, edges: int, ops: int) -> nb101.SearchSpace:
    return nb101.SearchSpace(vertices, edges, [f"op{i}" for i in range(ops)])


def described(space: nb101.SearchSpace) -> dict[str, Any]:
    return {
        "max_vertices": space.max_vertices,
        "max_edges": space.max_edges,
        "ops": list(space.ops),
    }


def facts(cells: nb101.Cells) -> dict[str, Any]:
    return columns(cells) | {
        "hashes": [digest.tobytes().hex() for digest in cells.digests()],
        "depth": cells.depth().tolist(),
        "width": cells.width().tolist(),
    }


def whole_space(limits: tuple[int, int, int], rng: random.Random) -> dict[str, Any]:
    space = space_of(*limits)
    cells = space.enumerate()
    n = len(cells)
    some = sorted({0, 1, 2, 3, n - 1, *below(rng, n, 40)})
    near = {str(row): space.index(space.neighbors(cells[row])).tolist() for row in some}
    far = {str(row): text_of(space.edit_distances(cells[row]), "u1") for row in (0, n // 2, n - 1)}
    return {"space": described(space), **columns(cells), "neighbours": near, "distances": far}


def draw(rng: random.Random, n: int, share: float, ops: int) -> tuple[list[list[int]], list[int]]:
    """Draw a matrix, each edge with a probability, and the ops of the vertices between."""
    matrix = [[int(y > x and rng.random() < share) for y in range(n)] for x in range(n)]
    return matrix, below(rng, ops, n - 2)


def verdict(matrix: list[list[int]], ops: list[int], space: nb101.SearchSpace) -> Any:
    """Return the words of the cell, or which sentence is expected."""
    try:
        cell = nb101.Cell(matrix, [-1, *ops, -2], op_names=space.ops)
    except nb101.DisconnectedError:
        return "path"
    if cell.vertices > space.max_vertices:
        return "vertices"
    if cell.edges > space.max_edges:
        return "edges"
    words = (cell._edges, cell._labels)
    return [half for word in words for half in (word % 2**32, word >> 32)]


def modules(rng: random.Random) -> list[dict[str, Any]]:
    found = []
    space = nb101.SearchSpace()
    for n in (2, 3, 5, 7, 7, 7, 7, 8, 9, 11):
        for share in (0.2, 0.3, 0.4, 0.5):
            for _ in range(4):
                matrix, ops = draw(rng, n, share, 3)
                rows = ["".join(map(str, row)) for row in matrix]
                found.append({"matrix": rows, "ops": ops, "is": verdict(matrix, ops, space)})
    return found


def large(rng: random.Random, limits: tuple[int, int, int]) -> dict[str, Any]:
    """Twenty cells of as many vertices as the space has."""
    n, edges, num_ops = limits
    space = space_of(*limits)
    cells: list[nb101.Cell] = []
    while len(cells) < 20:
        matrix, ops = draw(rng, n, 2 * edges / (n * n), num_ops)
        if isinstance(verdict(matrix, ops, space), list):
            cell = nb101.Cell(matrix, [-1, *ops, -2], op_names=space.ops)
            cells += [cell] if cell.vertices == n else []
    found = nb101.Cells(cells, space.ops)
    aligned = found[:6].alignment_distance(found[6]).tolist() if n < 10 else []
    return {"space": described(space), **facts(found), "aligned": aligned}


def make() -> dict[str, Any]:
    rng = random.Random(17)
    space = nb101.SearchSpace()
    rows = sorted({0, 1, 2, 3, *below(rng, len(space), SAMPLE - 4)})
    sample = space[rows]
    aligned = {str(i): sample.alignment_distance(sample[i]).tolist() for i in (3, 5, 150, 290)}
    return {
        "spaces": [whole_space(limits, rng) for limits in SPACES],
        "sample": {"space": described(space), "rows": rows, **facts(sample), "aligned": aligned},
        "large": [large(rng, limits) for limits in LARGE],
        "modules": modules(rng),
    }


def as_text(golden: dict[str, Any]) -> str:
    return json.dumps(golden, separators=(",", ":")) + "\n"


def write_whole(folder: Path) -> None:
    space = nb101.SearchSpace()
    cells = space.enumerate()
    for name, words in zip(("edges", "labels"), cells.words, strict=True):
        for half, part in zip(("low", "high"), halves(words), strict=True):
            (folder / f"{name}_{half}.bin").write_bytes(part.astype("<u4").tobytes())
    (folder / "digests.bin").write_bytes(cells.digests().tobytes())
    offsets, targets = _core.edit_graph(space.core, np.arange(len(space), dtype=np.uint64))
    degrees, ends = np.diff(offsets), np.cumsum(targets, dtype=np.uint64)
    ends = np.concatenate([np.zeros(1, np.uint64), ends])[offsets]
    (folder / "degrees.bin").write_bytes(degrees.astype("<u4").tobytes())
    (folder / "sums.bin").write_bytes(np.diff(ends).astype("<f8").tobytes())
    for row in (0, 12345, 423623):
        distances = space.edit_distances(space[row])
        (folder / f"distances_{row}.bin").write_bytes(distances.astype("u1").tobytes())


if __name__ == "__main__":
    if sys.argv[1:2] == ["whole"]:
        write_whole(Path(sys.argv[2]))
    else:
        FILE.write_text(as_text(make()), encoding="utf-8")
