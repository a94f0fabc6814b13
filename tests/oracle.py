"""The specification in plain Python: slow, and obviously right.

Tests compare every fast path with it, and the benchmark measures against it. A module is a matrix
(a tuple of rows of 0 and 1) and a tuple of codes: -1 for input, an op's index, -2 for output.
"""

from collections.abc import Iterator, Sequence
from hashlib import md5
from itertools import permutations, product

Matrix = tuple[tuple[int, ...], ...]
Codes = tuple[int, ...]
Module = tuple[Matrix, Codes]


def module(matrix: Sequence[Sequence[int]], codes: Sequence[int]) -> Module:
    return tuple(tuple(map(int, row)) for row in matrix), tuple(map(int, codes))


def from_edges(vertices: int, edges: Sequence[tuple[int, int]], inner: Sequence[int]) -> Module:
    has = set(edges)
    rows = tuple(tuple(int((x, y) in has) for y in range(vertices)) for x in range(vertices))
    return rows, (-1, *inner, -2)


def from_mask(vertices: int, mask: int, inner: Sequence[int]) -> Module:
    pairs = [(x, y) for y in range(vertices) for x in range(y)]
    return from_edges(vertices, [(x, y) for x, y in pairs if mask >> bit(x, y) & 1], inner)


def bit(x: int, y: int) -> int:
    return x + y * (y - 1) // 2


def edges_of(matrix: Matrix) -> list[tuple[int, int]]:
    v = len(matrix)
    return [(x, y) for x in range(v) for y in range(v) if matrix[x][y]]


def mask_of(matrix: Matrix) -> int:
    return sum(1 << bit(x, y) for x, y in edges_of(matrix))


def prune(matrix: Matrix, codes: Codes) -> Module | None:
    """Drop what is on no path from input to output; None where there is no such path."""
    v = len(codes)
    after, before = {0}, {v - 1}
    for x, y in edges_of(matrix):  # sorted by source, so one pass finds all that input reaches
        if x in after:
            after.add(y)
    for x, y in reversed(edges_of(matrix)):
        if y in before:
            before.add(x)
    if v - 1 not in after:
        return None
    keep = sorted(after & before)
    return tuple(tuple(matrix[x][y] for y in keep) for x in keep), tuple(codes[x] for x in keep)


def hash_module(matrix: Matrix, codes: Codes) -> str:
    """The fingerprint of a pruned module."""

    def digest(text: str) -> str:
        return md5(text.encode()).hexdigest()

    vertices = range(len(codes))
    into = [[x for x in vertices if matrix[x][y]] for y in vertices]
    out = [[y for y in vertices if matrix[x][y]] for x in vertices]
    hashes = [digest(str((len(out[v]), len(into[v]), codes[v]))) for v in vertices]
    for _ in vertices:
        hashes = [
            digest(
                "".join(sorted(hashes[x] for x in into[v]))
                + "|"
                + "".join(sorted(hashes[y] for y in out[v]))
                + "|"
                + hashes[v]
            )
            for v in vertices
        ]
    return digest(str(sorted(hashes)))


def forms(matrix: Matrix, codes: Codes) -> Iterator[Module]:
    """Every isomorphic upper-triangular module: all permutations of the interior are tried."""
    v = len(codes)
    for inner in permutations(range(1, v - 1)):
        order = (0, *inner, v - 1) if v > 1 else (0,)
        moved = tuple(tuple(matrix[x][y] for y in order) for x in order)
        if all(x < y for x, y in edges_of(moved)):
            yield moved, tuple(codes[x] for x in order)


def is_isomorphic(a: Module, b: Module) -> bool:
    return len(a[1]) == len(b[1]) and b in forms(*a)


def representative(matrix: Matrix, codes: Codes) -> Module:
    return min(forms(matrix, codes), key=lambda form: (mask_of(form[0]), form[1]))


def enumerate_space(max_vertices: int, max_edges: int, num_ops: int) -> Iterator[Module]:
    """The reference order: vertices, then mask, then labels; the first of each class."""
    for v in range(2, max_vertices + 1):
        seen: set[Module] = set()
        for mask in range(1 << v * (v - 1) // 2):
            if mask.bit_count() > max_edges:
                continue
            matrix, _ = from_mask(v, mask, (0,) * (v - 2))
            pruned = prune(matrix, (0,) * v)
            if pruned is None or len(pruned[1]) < v:
                continue
            for inner in product(range(num_ops), repeat=v - 2):
                cell = matrix, (-1, *inner, -2)
                if cell not in seen:
                    seen.update(forms(*cell))
                    yield cell


def channels(matrix: Matrix, width: int) -> list[int]:
    """Channels of each interior vertex and output; input has 0 here."""
    v = len(matrix)
    last = [x for x in range(1, v - 1) if matrix[x][v - 1]]
    widths = [0] * v
    widths[v - 1] = width
    for i, x in enumerate(last):
        widths[x] = width // len(last) + (i < width % len(last))
    for x in reversed(range(1, v - 1)):
        if x not in last:
            widths[x] = max(widths[y] for y in range(x + 1, v) if matrix[x][y])
    return widths


def cost(matrix: Matrix, codes: Codes) -> tuple[int, int]:
    """Trainable parameters and multiply-accumulates of the network for a 32 x 32 image."""
    parameters = macs = 0

    def convolution(kernel: int, source: int, target: int, pixels: int) -> None:
        nonlocal parameters, macs
        parameters += kernel * kernel * source * target + 2 * target
        macs += kernel * kernel * source * target * pixels

    convolution(3, 3, 128, 32 * 32)
    source = 128
    for width, side in ((128, 32), (256, 16), (512, 8)):
        widths = channels(matrix, width)
        for _ in range(3):
            for x, y in edges_of(matrix):
                if x == 0:
                    convolution(1, source, widths[y], side * side)
            for x, code in enumerate(codes):
                if code in (0, 1):
                    convolution((3, 1)[code], widths[x], widths[x], side * side)
            source = width
    return parameters + 512 * 10 + 10, macs + 512 * 10


def alignment_distance(a: Module, b: Module) -> int:
    """Edges and ops that differ, the smaller module placed in the larger in the best way."""
    small, large = sorted((a, b), key=lambda cell: len(cell[1]))
    n, v = len(small[1]), len(large[1])
    best = len(edges_of(small[0])) + len(edges_of(large[0])) + v
    for inner in permutations(range(1, v - 1), n - 2):
        place = (0, *inner, v - 1)
        moved = {(place[x], place[y]) for x, y in edges_of(small[0])}
        edges = len(moved ^ set(edges_of(large[0])))
        ops = sum(small[1][x] != large[1][place[x]] for x in range(n))
        best = min(best, edges + ops)
    return best


def edits(cell: Module, max_vertices: int, max_edges: int, num_ops: int) -> set[Module]:
    """Representatives of all cells that one edit of any form leads to; see `neighbors`."""
    found = set()
    v = len(cell[1])
    for matrix, codes in forms(*cell):
        edits: list[Module] = []
        for x in range(1, v - 1):
            for op in range(num_ops):
                edits.append((matrix, (*codes[:x], op, *codes[x + 1 :])))
        for y in range(v):
            for x in range(y):
                edits.append(from_mask(v, mask_of(matrix) ^ 1 << bit(x, y), codes[1:-1]))
        for edit in edits:
            pruned = prune(*edit)
            if pruned and len(pruned[1]) <= max_vertices and len(edges_of(pruned[0])) <= max_edges:
                found.add(representative(*pruned))
    return found - {representative(*cell)}


def neighbors(max_vertices: int, max_edges: int, num_ops: int) -> dict[Module, set[Module]]:
    """All cells that one edit leads to or from, for each cell of a space."""
    cells = list(enumerate_space(max_vertices, max_edges, num_ops))
    near: dict[Module, set[Module]] = {cell: set() for cell in cells}
    for cell in cells:
        for other in edits(cell, max_vertices, max_edges, num_ops):
            near[cell].add(other)
            near[other].add(cell)
    return near


def edit_distances(near: dict[Module, set[Module]], start: Module) -> dict[Module, int]:
    """Steps to each cell that can be reached, breadth first."""
    found, edge = {start: 0}, [start]
    while edge:
        edge = [other for cell in edge for other in near[cell] if other not in found]
        found |= dict.fromkeys(edge, max(found.values()) + 1)
    return found
