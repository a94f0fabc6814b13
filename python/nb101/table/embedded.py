"""The table that the package carries: predictions of the whole space, ``surrogate-v1``.

`tools/surrogate` makes the file, and `docs/explanation/surrogate.md` is its model card. Here are
its packing and its columns, each of which is unpacked when it is first asked for. So it opens in
milliseconds, and without pyarrow until somebody wants an Arrow table.

The file is a NumPy archive. Of each cell it holds five numbers: the validation accuracy at four
budgets and the training time at the largest, as 16-bit codes whose high and low bytes lie apart,
since that packs better. Everything else is a function of these, given in ``about``.

Each part has a checksum of its own, which is compared when the part is unpacked, and ``about`` is
so at once. The seal of the whole file (`nb101._base.seals`) is compared before the first
column is made.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb101._base import archives, seals
from nb101._base.files import file_errors
from nb101._base.lazy import cached_property
from nb101.errors import ArgumentError, DatasetError
from nb101.space.default import default_space
from nb101.table import files as table_files
from nb101.table.schema import INTEGERS, Array, Columns, metric_column
from nb101.table.sources import ArrowColumns, Reopen
from nb101.table.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

Floats = npt.NDArray[np.float64]

EMBEDDED = "surrogate-v1"
"""What the table is called."""
PATH = Path(__file__).with_name(f"{EMBEDDED}.npz")
FORMAT = 2
MOST_UNPACKED = 1 << 24
"""Bytes that no such file unpacks to."""
ADVICE = "install nb101 again"
VALIDATION = "validation_accuracy"
TIME = "training_time"
METRICS = (TIME, VALIDATION, "test_accuracy")


def load(path: str | os.PathLike[str] = PATH) -> Table:
    """Return the table that the package carries, or another of its kind."""
    columns = PackedColumns(path)
    return Table(columns, default_space(), columns.provenance)


def report(path: str | os.PathLike[str] = PATH) -> dict[str, Any]:
    """Return what was found out about the errors of the table, as the model card has it."""
    found: dict[str, Any] = _open(path)[1]["report"]
    return found


class PackedColumns:
    """Columns of a packed file, each of which is unpacked when it is first asked for."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._archive, self._about = _open(path)
        self._whole = False
        self._columns: Columns = {}
        self._space = default_space()
        self.path = os.path.abspath(path)  # noqa: PTH100
        epochs, n = self._about["epochs"], len(self._space)
        self.rows = len(epochs) * n
        self._makers: dict[str, Callable[[], Array]] = {
            "cell_id": lambda: np.tile(np.arange(n, dtype=np.int32), len(epochs)),
            "epochs": lambda: np.repeat(np.array(epochs, dtype=np.int16), n),
            "repeat": lambda: np.zeros(n * len(epochs), dtype=np.int8),
            metric_column(TIME): self._time,
            metric_column(VALIDATION): self._validation,
            metric_column("test_accuracy"): self._test,
            "trainable_parameters": self._count_parameters,
        }
        for metric in METRICS:
            for what in ("spread", "uncertainty"):
                self._makers[f"{metric}_{what}"] = self._maker_of_errors(metric, what)
        self.names = tuple(self._makers)

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where the numbers came from."""
        about: Mapping[str, Any] = self._about["provenance"]
        return about

    @property
    def verified(self) -> bool:
        """Whether each byte of the file has been compared with its seal, as for any column."""
        return self._whole

    @property
    def reopen(self) -> Reopen:
        """Another installation carries the same file elsewhere."""
        return load, () if self.path == str(PATH) else (self.path,)

    def column(self, name: str) -> Array:
        """Return a column, unpacked once."""
        array = self._columns.get(name)
        if array is None:
            array = self._makers[name]()
            array.flags.writeable = False
            self._columns[name] = array
        return array

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of a column, without unpacking it."""
        return np.dtype(INTEGERS.get(name, np.float32))

    def arrow(self) -> "pa.Table":
        """Return all columns."""
        return self._arrow

    @cached_property
    def _arrow(self) -> "pa.Table":
        return table_files.assemble({name: self.column(name) for name in self.names})

    def take(self, rows: list[int]) -> "pa.Table":
        """Return some rows, without the rest of the Arrow table."""
        return table_files.assemble({name: self.column(name)[rows] for name in self.names})

    def part(self, rows: "pa.Table | None" = None) -> ArrowColumns:
        """Return rows, which were compared with the seal as they were unpacked."""
        return ArrowColumns(self._arrow if rows is None else rows)

    def verify(self) -> None:
        """Compare each byte of the file with its seal, and each part with its checksum."""
        self._whole = False
        self._verify_seal()
        for name in self._archive.names:
            self._read(name)

    def check_whole(self) -> None:
        """Do nothing: columns are compared as they are made."""

    def _verify_seal(self) -> None:
        if not self._whole:
            seals.check_sealed_bytes(self._archive.data, self.path, ADVICE)
            self._whole = True

    # How columns are made

    def _validation(self) -> Array:
        units = self._about["units"][VALIDATION]
        pieces = [
            self._codes(f"{VALIDATION}_{epochs}") * np.float32(unit)
            for epochs, unit in zip(self._about["epochs"], units, strict=True)
        ]
        return np.concatenate(pieces)

    def _test(self) -> Array:
        return self._by_budget(
            self.column(metric_column(VALIDATION)),
            lambda i, values: np.polyval(self._about["test_line"][i], values).clip(0, 1),
        )

    def _time(self) -> Array:
        longest = self._codes(f"{TIME}_{self._about['epochs'][-1]}") * self._about["units"][TIME]
        logs = longest + self._about["least_log_time"]
        return np.concatenate(
            [np.exp(np.polyval(line, logs)).astype(np.float32) for line in self._about["time_line"]]
        )

    def _count_parameters(self) -> Array:
        own = self._space.enumerate().parameters().astype(np.int32)
        return np.tile(own, len(self._about["epochs"]))

    def _maker_of_errors(self, metric: str, what: str) -> Callable[[], Array]:
        if metric == TIME:
            shares = self._about[f"{TIME}_{what}"]
            return lambda: self._by_budget(
                self.column(metric_column(TIME)), lambda i, values: values * shares[i]
            )
        knots = self._about[f"{metric}_{what}"]
        return lambda: self._by_budget(
            self.column(metric_column(VALIDATION)), lambda i, values: np.interp(values, *knots[i])
        )

    def _by_budget(self, column: Array, function: Callable[[int, Array], Array]) -> Array:
        parts = np.split(column, len(self._about["epochs"]))
        return np.concatenate([function(i, x).astype(np.float32) for i, x in enumerate(parts)])

    def _codes(self, name: str) -> npt.NDArray[np.float32]:
        self._verify_seal()
        high, low = self._read(f"{name}_high"), self._read(f"{name}_low")
        if not high.shape == low.shape == (len(self._space),):
            raise _damaged(self.path)
        codes: npt.NDArray[np.float32] = high.astype(np.float32) * 256 + low
        return codes

    def _read(self, name: str) -> Array:
        try:
            array = self._archive.read(name)
        except MemoryError:
            raise
        except Exception as error:
            raise _damaged(self.path) from error
        return array


def write(
    path: str | os.PathLike[str],
    *,
    epochs: Sequence[int],
    validation: Sequence[Floats],
    time: Floats,
    units: Sequence[float],
    time_unit: float,
    about: Mapping[str, Any],
) -> None:
    """Pack predictions of the whole space; the file appears whole or not at all.

    Parameters
    ----------
    path
        The file.
    epochs
        Budgets, ascending.
    validation
        Validation accuracy of each cell at each budget.
    time
        Training time at the last budget, seconds.
    units
        What one step of a code stands for, by budget.
    time_unit
        The same of the logarithm of time.
    about
        ``provenance``, and by budget ``test_line``, ``time_line`` (of logarithms), the knots of
        ``<accuracy>_spread`` and ``<accuracy>_uncertainty`` against validation accuracy, and the
        shares ``training_time_spread`` and ``training_time_uncertainty``.
    """
    logs = np.log(time)
    least = float(logs.min())
    arrays: dict[str, Any] = {}
    for budget, values, unit in zip(epochs, validation, units, strict=True):
        _pack(arrays, f"{VALIDATION}_{budget}", values / unit)
    _pack(arrays, f"{TIME}_{epochs[-1]}", (logs - least) / time_unit)
    text = {
        "format": FORMAT,
        "epochs": list(epochs),
        "units": {VALIDATION: list(units), TIME: time_unit},
        "least_log_time": least,
        **about,
    }
    arrays["about"] = np.frombuffer(json.dumps(text).encode(), dtype=np.uint8)
    archives.write(path, arrays, packed=True)


def _pack(arrays: dict[str, Any], name: str, values: Floats) -> None:
    codes = np.rint(values)
    if codes.min() < 0 or codes.max() >= 1 << 16:
        raise ArgumentError(
            f"{name}: codes from {codes.min():.0f} to {codes.max():.0f} do not fit", field=name
        )
    narrow = codes.astype(np.uint16)
    arrays[f"{name}_high"] = (narrow >> 8).astype(np.uint8)
    arrays[f"{name}_low"] = (narrow & 255).astype(np.uint8)


def _open(path: str | os.PathLike[str]) -> tuple[archives.Archive, dict[str, Any]]:
    with file_errors(path):
        data = Path(path).read_bytes()
    try:
        archive = archives.Archive(data, MOST_UNPACKED)
        about: dict[str, Any] = json.loads(archive.read("about").tobytes())
        version = about["format"]
    except MemoryError:
        raise
    except Exception as error:
        raise _damaged(os.fspath(path)) from error
    if version != FORMAT:
        raise DatasetError(f"{os.fspath(path)} has format {version!r}, not {FORMAT}", path=path)
    return archive, about


def _damaged(path: str) -> DatasetError:
    return DatasetError(f"{path} is damaged: {ADVICE}", path=path)
