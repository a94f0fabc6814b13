"""What the engine says of cells, for the tests of the page's own engine in `web/tests/engine`.

    python tests/explore/golden.py                 write web/tests/golden/engine.json anew
    python tests/explore/golden.py whole FOLDER    all of NAS-Bench-101, as plain little-endian arrays
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import nb101
from nb101 import _core

FILE = Path(__file__).parents[2] / "web" / "tests" / "golden" / "engine.json"
SPACES = [(5, 6, 3), (6, 15, 1), (9, 8, 1), (4, 6, 6)]
"""Spaces that are kept whole: vertices, edges, number of ops."""
LARGE = [(8, 12, 3), (9, 14, 2), (10, 20, 4), (11, 18, 3), (11, 55, 15)]
"""Spaces of which some cells are kept."""
SAMPLE = 300


def text_of(array: npt.NDArray[Any], kind: str) -> str:
    return base64.b64encode(array.astype(kind).tobytes()).decode()


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


def whole_space(limits: tuple[int, int, int], rng: np.random.Generator) -> dict[str, Any]:
    space = space_of(*limits)
    cells = space.enumerate()
    n = len(cells)
    some = sorted({0, 1, 2, 3, n - 1, *rng.integers(n, size=40).tolist()})
    near = {str(row): space.index(space.neighbors(cells[row])).tolist() for row in some}
    far = {str(row): text_of(space.edit_distances(cells[row]), "u1") for row in (0, n // 2, n - 1)}
    return {"space": described(space), **columns(cells), "neighbours": near, "distances": far}


def verdict(matrix: npt.NDArray[Any], codes: list[int], space: nb101.SearchSpace) -> Any:
    """The words of the cell, or which sentence is expected."""
    try:
        cell = nb101.Cell(matrix, codes, op_names=space.ops)
    except nb101.DisconnectedError:
        return "path"
    if cell.vertices > space.max_vertices:
        return "vertices"
    if cell.edges > space.max_edges:
        return "edges"
    return [int(half) for word in (cell._edges, cell._labels) for half in (word % 2**32, word >> 32)]


def modules(rng: np.random.Generator) -> list[dict[str, Any]]:
    found = []
    space = nb101.SearchSpace()
    for n in (2, 3, 5, 7, 7, 7, 7, 8, 9, 11):
        for share in (0.2, 0.3, 0.4, 0.5):
            for _ in range(4):
                matrix = np.triu(rng.random((n, n)) < share, 1).astype(int)
                ops = rng.integers(3, size=n - 2).tolist()
                found.append(
                    {
                        "matrix": ["".join(map(str, row)) for row in matrix.tolist()],
                        "ops": ops,
                        "is": verdict(matrix, [-1, *ops, -2], space),
                    }
                )
    return found


def make() -> dict[str, Any]:
    rng = np.random.default_rng(17)
    space = nb101.SearchSpace()
    rows = np.sort(rng.choice(len(space), SAMPLE, replace=False))
    rows[:4] = [0, 1, 2, 3]
    sample = space[rows]
    return {
        "spaces": [whole_space(limits, rng) for limits in SPACES],
        "sample": {
            "space": described(space),
            "rows": rows.tolist(),
            **facts(sample),
            "aligned": {
                str(i): sample.alignment_distance(sample[i]).tolist() for i in (3, 5, 150, 299)
            },
        },
        "large": [
            {"space": described(space), **facts(cells), "aligned": aligned}
            for space in (space_of(*limits) for limits in LARGE)
            for cells in (space.sample(20, seed=3, method="raw"),)
            for aligned in (
                cells[:6].alignment_distance(cells[6]).tolist() if space.max_vertices < 10 else [],
            )
        ],
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
