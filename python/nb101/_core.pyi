# The extension module: private. Arrays are contiguous; cells are two uint64 columns.
from collections.abc import Callable
from typing import Any, final

import numpy as np
import numpy.typing as npt

__version__: str

__all__ = [
    "CellStream",
    "Conversation",
    "Draws",
    "Evaluation",
    "Runs",
    "Space",
    "__version__",
    "adjacency",
    "alignment_distances",
    "ascend",
    "canonical_cells",
    "canonical_module",
    "canonical_modules",
    "check_ops",
    "costs",
    "cpu",
    "depth_width",
    "edge_changes",
    "edit_graph",
    "encode_categorical",
    "encode_one_hot",
    "encode_paths",
    "encoding_distances",
    "front_course",
    "get_threads",
    "has_room",
    "hash_cells",
    "hash_graph",
    "hash_modules",
    "hypervolume",
    "igd_plus",
    "kendall",
    "kernel_peak",
    "masked_crc32c",
    "matrix_bytes",
    "op_changes",
    "operations",
    "packed_module",
    "pruned_modules",
    "random_cells",
    "read_lists",
    "read_release",
    "scan_release",
    "set_cpu",
    "set_threads",
    "structural_feature_names",
    "structural_features",
    "text_columns",
    "to_hex",
    "vertex_channels",
    "vertices_on_paths",
    "walk_encodings",
    "walk_graph",
    "write_release",
]

_Words = npt.NDArray[np.uint64]
_Columns = tuple[_Words, _Words]
_Labelled = tuple[int, tuple[Any, ...]]
_Proposal = tuple[int, int, int]
_Answer = tuple[float, float, float, float]
_Progress = Callable[[int, int], object]

@final
class Space:
    def __new__(cls, max_vertices: int, max_edges: int, num_ops: int) -> Space: ...
    def count(self) -> list[list[int]]: ...
    def enumerate(self, progress: _Progress | None = None) -> _Columns: ...
    def stream(self) -> CellStream: ...
    def ids(self, edges: _Words, labels: _Words) -> npt.NDArray[np.int64]: ...
    def id(self, edges: int, labels: int) -> int: ...
    def module_id(self, edges: int, labels: int) -> int: ...
    def place_bytes(self, matrix: bytes, ops: list[int]) -> tuple[int, int, int]: ...
    def place_named(
        self, edges: int, ops: tuple[Any, ...], codes: dict[str, int]
    ) -> tuple[int, int, int] | None: ...
    def cell(self, id: int) -> tuple[int, int]: ...
    def cells(self, ids: _Words) -> _Columns: ...
    def check(self, edges: int, labels: int) -> None: ...
    def find_hash(self, text: str) -> list[int]: ...
    def neighbors(self, edges: int, labels: int) -> _Columns: ...
    def edit_distances(self, target: int) -> npt.NDArray[np.uint8]: ...
    def edit_distance(self, a: int, b: int) -> int: ...
    def mutate_cells(self, edges: _Words, labels: _Words, rate: float, seed: int) -> _Columns: ...
    def mutate_module(self, edges: int, labels: int, rate: float, seed: int) -> tuple[int, int]: ...
    def propose_random(self, attempts: int, draws: Draws) -> _Proposal | None: ...
    def propose_change(
        self, edges: int, labels: int, attempts: int, draws: Draws
    ) -> _Proposal | None: ...
    def propose_changes(
        self, edges: int, labels: int, attempts: int, draws: Draws
    ) -> _Proposal | None: ...

@final
class Draws:
    """The numbers of ``rng.random()``, one after the other, drawn many at a time.

    What has been drawn ahead is gone from the generator: whoever makes this leaves that alone.
    Domains take it in place of a generator, and then make a proposal in one call to the core.
    """

    def __new__(cls, rng: np.random.Generator) -> Draws: ...
    def random(self) -> float:
        """Draw a number in [0, 1)."""

    def places(self, count: int, below: int) -> list[int]:
        """Draw whole numbers below a limit, each as likely and with replacement."""

@final
class Evaluation:
    def __new__(
        cls,
        ids: npt.NDArray[np.int32],
        layout: tuple[int, int, int],
        values: list[npt.NDArray[Any] | None],
        constants: tuple[float, ...],
        spreads: list[npt.NDArray[Any] | None] | None,
    ) -> Evaluation: ...
    def ask(
        self, cell_id: int, draw: float, normals: list[float] | None
    ) -> tuple[int, _Answer] | None: ...
    def noisy(self, row: int, normals: list[float]) -> _Answer | None: ...
    def noisy_kind(
        self, row: int, normals: list[float], collapse: float, collapsed: bool
    ) -> _Answer: ...
    def noisy_many(
        self, rows: npt.NDArray[np.int64], normals: npt.NDArray[np.float64]
    ) -> tuple[list[npt.NDArray[np.float32] | None], list[int]]: ...

@final
class Conversation:
    def __new__(cls, most: int) -> Conversation: ...
    def answer(
        self,
        send: Callable[[float], Any],
        trial: tuple[Any, int],
        evaluations: dict[int, Any],
        draws: npt.NDArray[np.float64],
        normals: npt.NDArray[np.float64] | None,
        spent: tuple[float, float],
        most: tuple[float, float],
        pause: float,
    ) -> tuple[Any, Any]: ...
    def take(
        self,
    ) -> tuple[list[npt.NDArray[np.int64]], list[npt.NDArray[np.float64]]] | None: ...

@final
class CellStream:
    def next(self, n: int) -> _Columns: ...

@final
class Runs:
    def __len__(self) -> int: ...
    def budgets(self) -> list[int]: ...
    def counts(self, epochs: int) -> npt.NDArray[np.uint8]: ...
    def parameters(self) -> npt.NDArray[np.int32]: ...
    def is_double(self, name: str) -> bool: ...
    def take(self, name: str, out: npt.NDArray[Any]) -> None: ...

def hash_modules(
    matrices: npt.NDArray[Any],
    ops: npt.NDArray[Any],
    keep_disconnected: bool,
    progress: _Progress | None = None,
) -> npt.NDArray[np.uint8]: ...
def canonical_module(matrix: list[list[int]], ops: list[int]) -> tuple[int, int]: ...
def read_lists(matrix: list[Any], ops: list[Any]) -> tuple[_Labelled, _Labelled | None] | None: ...
def matrix_bytes(edges: int, vertices: int) -> bytes: ...
def vertices_on_paths(matrix: bytes, n: int) -> list[int] | None: ...
def canonical_modules(matrices: npt.NDArray[Any], ops: npt.NDArray[Any]) -> _Columns: ...
def pruned_modules(matrices: npt.NDArray[Any], ops: npt.NDArray[Any]) -> _Columns: ...
def packed_module(matrices: npt.NDArray[Any], ops: npt.NDArray[Any]) -> tuple[int, int]: ...
def canonical_cells(edges: _Words, labels: _Words) -> _Columns: ...
def check_ops(edges: _Words, labels: _Words, num_ops: int) -> None: ...
def hash_graph(inputs: list[list[int]], labels: list[int]) -> str: ...
def hash_cells(
    edges: _Words, labels: _Words, progress: _Progress | None = None
) -> npt.NDArray[np.uint8]: ...
def to_hex(digests: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]: ...
def adjacency(edges: _Words, labels: _Words, size: int) -> npt.NDArray[np.int8]: ...
def operations(edges: _Words, labels: _Words, size: int) -> npt.NDArray[np.int8]: ...
def text_columns(
    edges: _Words, labels: _Words, ops: list[str]
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]]: ...
def costs(
    edges: _Words,
    labels: _Words,
    ops: list[str],
    sizes: tuple[int, int, int, int, int, int] | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]: ...
def vertex_channels(
    edges: _Words, labels: _Words, input: int, output: int, size: int
) -> npt.NDArray[np.int64]: ...
def depth_width(
    edges: _Words, labels: _Words
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]: ...
def alignment_distances(
    edges: _Words, labels: _Words, target_edges: int, target_labels: int
) -> npt.NDArray[np.uint8]: ...
def encode_one_hot(
    edges: _Words, labels: _Words, frame: tuple[int, int, int]
) -> npt.NDArray[np.uint8]: ...
def encode_categorical(
    edges: _Words, labels: _Words, frame: tuple[int, int, int]
) -> npt.NDArray[np.int8]: ...
def encode_paths(
    edges: _Words, labels: _Words, frame: tuple[int, int, int], length: int
) -> npt.NDArray[np.uint8]: ...
def structural_features(
    edges: _Words, labels: _Words, ops: list[str], max_vertices: int
) -> npt.NDArray[np.float32]: ...
def structural_feature_names(ops: list[str]) -> list[str]: ...
def random_cells(space: Space, n: int, seed: int) -> _Columns: ...
def op_changes(
    space: Space, edges: _Words, labels: _Words
) -> tuple[
    npt.NDArray[np.int32], npt.NDArray[np.int8], npt.NDArray[np.int8], npt.NDArray[np.int64]
]: ...
def edge_changes(
    space: Space, edges: _Words, labels: _Words
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_], npt.NDArray[np.int64]]: ...
def edit_graph(
    space: Space, ids: _Words
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]: ...
def walk_graph(
    offsets: npt.NDArray[np.int64],
    targets: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.uint32],
    steps: int,
    seed: int,
) -> npt.NDArray[np.int32]: ...
def walk_encodings(
    space: Space, ids: _Words, starts: npt.NDArray[np.uint32], steps: int, seed: int
) -> npt.NDArray[np.int32]: ...
def ascend(
    offsets: npt.NDArray[np.int64],
    targets: npt.NDArray[np.uint32],
    values: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]: ...
def encoding_distances(space: Space, edges: _Words, labels: _Words) -> list[_Words]: ...
def hypervolume(points: npt.NDArray[np.float64], reference: npt.NDArray[np.float64]) -> float: ...
def igd_plus(
    points: npt.NDArray[np.float64], front: npt.NDArray[np.float64], costs: int
) -> float: ...
def front_course(
    told: npt.NDArray[np.float64],
    truth: npt.NDArray[np.float64],
    front: npt.NDArray[np.float64],
    costs: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]: ...
def kendall(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float: ...
def read_release(
    path: str,
    verify_hashes: bool,
    keep_going: bool,
    progress: _Progress | None = None,
) -> tuple[
    dict[str, npt.NDArray[Any]], list[tuple[int, bytes]], list[tuple[int, int, str]], int
]: ...
def scan_release(
    path: str,
    verify_hashes: bool,
    keep_going: bool,
    progress: _Progress | None = None,
) -> tuple[Runs, list[tuple[int, bytes]], list[tuple[int, int, str]], int]: ...
def write_release(
    path: str,
    columns: dict[str, npt.NDArray[Any]],
    raw: list[tuple[int, bytes]],
    progress: _Progress | None = None,
) -> None: ...
def masked_crc32c(data: npt.NDArray[np.uint8]) -> int: ...
def has_room() -> bool: ...
def set_threads(threads: int) -> None: ...
def get_threads() -> int: ...
def cpu() -> tuple[str, list[str]]: ...
def set_cpu(name: str | None = None) -> None: ...
def kernel_peak() -> float: ...
