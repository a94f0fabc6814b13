"""What a campaign is to do: cells x settings x budgets x repeats, on one image set.

A plan is a JSON file that people can read and write. Plans that this package wrote have a seal,
which is compared when they are read; who edits one takes it out. The fingerprint of a plan covers
all that has a say in the results, so that a ledger knows whether it is of this plan; where and how
runs are computed is not part of it.
"""

import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from nb101._base.checks import check_range, check_type
from nb101._base.files import atomic, file_errors
from nb101._base.lazy import cached_property
from nb101._base.seals import KEY, read_sealed_json, sealed_json
from nb101._core import __version__
from nb101.campaign.folder import run_key
from nb101.errors import (
    ArgumentTypeError,
    CampaignError,
    DatasetError,
    NB101Error,
    TrainingError,
)
from nb101.plain import counted, printable
from nb101.space.cell import Cell, parse_text
from nb101.space.cells import Cells
from nb101.space.default import default_space
from nb101.space.lookup import id_of, ids_of
from nb101.space.search_space import SearchSpace
from nb101.table.about import describe_space
from nb101.train.config import EXECUTION, TrainConfig
from nb101.train.data import ARCHIVES, ImageData, load

FORMAT = 1
"""Version of the file; newer ones are refused."""
MOST_REPEATS = 128
"""What the column of repeats of a table can number."""


class PlannedRun(NamedTuple):
    """One run of a plan.

    Attributes
    ----------
    setting
        Its place in `Plan.settings`.
    epochs, repeat
        The budget, and which of the runs of a cell at it.
    cell_id
        Id in the plan's space.
    seed
        Of all draws of the run.
    cost
        What it takes, compared with other runs of the plan; without a unit.
    """

    setting: int
    epochs: int
    repeat: int
    cell_id: int
    seed: int
    cost: float

    @property
    def key(self) -> str:
        """Name of its folder in that of the campaign."""
        return run_key(self.cell_id, self.epochs, self.repeat, self.setting)


Run = PlannedRun
"""Its public name, in `nb101.campaign`."""
_KINDS = {str: "a text", int: "a whole number"}


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """Which images a plan is about, and where workers find them.

    Attributes
    ----------
    source
        A name or a path as `nb101.train.data.load` takes it; ``""`` for images that came as arrays,
        which are kept in the campaign's folder.
    name, num_classes, images
        Of the `ImageData`: what it is called, its classes, and images by part.
    checksum
        CRC-32 of all images and labels: workers compare it.
    mean, std
        Of each channel, that images are normalised by: workers compare them too.
    image_shape
        Height, width and channels; `None` in plans that were made before it was noted.
    """

    source: str
    name: str
    num_classes: int
    images: Mapping[str, int]
    checksum: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    image_shape: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for name, kind in (("source", str), ("name", str), ("num_classes", int), ("checksum", int)):
            value = getattr(self, name)
            if type(value) is not kind:
                raise ArgumentTypeError(
                    f"data: {name} must be {_KINDS[kind]}, not {value!r}", field=name
                )
        if not isinstance(self.images, Mapping) or not all(
            isinstance(name, str) and type(count) is int for name, count in self.images.items()
        ):
            raise ArgumentTypeError(
                f"data: images must be numbers by part, not {self.images!r}", field="images"
            )
        # Lists in a plan's file.
        for name, number in (("mean", float), ("std", float), ("image_shape", int)):
            value = getattr(self, name)
            if value is None and name == "image_shape":
                continue
            try:
                object.__setattr__(self, name, tuple(map(number, value)))
            except (TypeError, ValueError):
                raise ArgumentTypeError(
                    f"data: {name} must be numbers, not {value!r}", field=name
                ) from None

    @classmethod
    def of(cls, data: ImageData, source: str = "") -> Self:
        """Describe images that are at hand."""
        return cls(
            source=source,
            name=data.name,
            num_classes=int(data.num_classes),
            images={name: len(split) for name, split in data.splits.items()},
            checksum=data.checksum,
            mean=data.mean,
            std=data.std,
            image_shape=data.image_shape,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        about: dict[str, Any] = {
            "source": self.source,
            "name": self.name,
            "num_classes": self.num_classes,
            "images": dict(self.images),
            "checksum": self.checksum,
            "mean": list(self.mean),
            "std": list(self.std),
        }
        if self.image_shape is not None:
            about["image_shape"] = list(self.image_shape)
        return about


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """A campaign to be: every cell at every budget, so many times each.

    Parameters
    ----------
    cells
        `Cells`, ids of `space`, or a list of `Cell`, ids or hashes. They are put in the order of
        their ids, each once.
    data
        The images: a name or a path as `nb101.train.data.load` takes it, which all workers must be
        able to read; or an `ImageData`, which then is kept in the campaign's folder.
    epochs
        The budgets.
    repeats
        Runs of each cell at each budget: 1 to 128.
    config
        The recipe; its epochs are not looked at. The original's by default.
    grid
        Values to try by name of a setting of the recipe, all combinations of them.
    seed
        That the seeds of all runs are derived from.
    space
        What ids are of; NAS-Bench-101 by default.

    Raises
    ------
    CampaignError
        If there is nothing to do, or parts do not fit together.
    NB101Error
        If a cell is not in the space; the message says which.

    Examples
    --------
    >>> import nb101
    >>> from nb101.train import TrainConfig
    >>> from nb101.train.data import synthetic
    >>> plan = Plan(cells=nb101.SearchSpace(4).enumerate(), data=synthetic(), epochs=(4, 12),
    ...             repeats=3, config=TrainConfig(stem_channels=16))
    >>> plan
    <Plan: 91 cells at 4, 12 epochs, 3 repeats: 546 runs on synthetic 0>
    """

    cells: Any
    data: Any
    epochs: Any = (108,)
    repeats: int = 3
    config: TrainConfig = field(default_factory=TrainConfig)
    grid: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    space: SearchSpace = field(default_factory=default_space)
    images: ImageData | None = field(default=None, init=False, repr=False)
    """The images themselves, if the plan was made with them."""

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name, kind in (("config", TrainConfig), ("grid", Mapping), ("space", SearchSpace)):
            check_type(name, getattr(self, name), kind)
        put(self, "cells", _cells(self.cells, self.space))
        if isinstance(self.data, ImageData):
            put(self, "images", self.data)
            put(self, "data", DataSource.of(self.data))
        elif isinstance(self.data, (str, os.PathLike)):
            put(self, "data", read_source(os.fspath(self.data)))
        elif not isinstance(self.data, DataSource):
            raise ArgumentTypeError(
                f"data must be ImageData, a name or a path, not {type(self.data).__name__}",
                field="data",
            )
        budgets = self.epochs if isinstance(self.epochs, Iterable) else (self.epochs,)
        # The recipe knows what a budget may be.
        put(self, "epochs", tuple(sorted({self.config.replace(epochs=x).epochs for x in budgets})))
        if not self.epochs:
            raise CampaignError("a plan needs a budget: give epochs", field="epochs")
        for name, least, most in (("repeats", 1, MOST_REPEATS), ("seed", 0, 2**63 - 1)):
            given = getattr(self, name)
            put(self, name, check_range(name, given, least, most, error=CampaignError))
        put(self, "grid", _grid(self.grid, self.config))
        for config in self.settings:
            self._check(config)

    def _check(self, config: TrainConfig) -> None:
        """Find out before any work what would fail in every run."""
        try:
            config.replace(epochs=self.epochs[0]).check_images(
                self.data.name, self.data.num_classes, self.data.images["train"]
            )
        except TrainingError as error:
            raise CampaignError(str(error), field=error.field) from None

    @cached_property
    def settings(self) -> tuple[TrainConfig, ...]:
        """The recipes: one, or all combinations of the grid."""
        return tuple(self.config.replace(**changes) for changes in self.changes)

    @cached_property
    def changes(self) -> tuple[dict[str, Any], ...]:
        """What each of the settings takes from the grid."""
        combinations = itertools.product(*self.grid.values())
        return tuple(dict(zip(self.grid, values, strict=True)) for values in combinations)

    @cached_property
    def cell_ids(self) -> npt.NDArray[np.int64]:
        """Ids of the cells, ascending; shape ``(n,)``."""
        cells: Cells = self.cells
        return self.space.index(cells)

    def __len__(self) -> int:
        """Return the number of runs."""
        return len(self.cells) * len(self.settings) * len(self.epochs) * self.repeats

    def runs(self) -> Iterator[PlannedRun]:
        """Yield all runs, in the order that they are done: all cells once, then once more...

        Settings are next to each other, and share their seeds, so that a part of a grid compares
        like with like.
        """
        ids = self.cell_ids.tolist()
        hashes = [digits.decode() for digits in self.cells.hashes().tolist()]
        costs = _costs(self.cells)
        scales = [
            config.stem_channels**2 * config.stacks * config.cells_per_stack
            for config in self.settings
        ]
        for repeat, epochs in itertools.product(range(self.repeats), self.epochs):
            for cell_id, digits, cost in zip(ids, hashes, costs, strict=True):
                seed = run_seed(self.seed, digits, epochs, repeat)
                for setting, scale in enumerate(scales):
                    yield PlannedRun(setting, epochs, repeat, cell_id, seed, cost * scale * epochs)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that has a say in the results, as hexadecimal digits."""
        recipes = [config.recipe() for config in self.settings]
        for recipe in recipes:
            del recipe["epochs"]
        about = {
            "space": describe_space(self.space),
            "cells": self.cell_ids.tolist(),
            "recipes": recipes,
            "epochs": self.epochs,
            "repeats": self.repeats,
            "seed": self.seed,
            "data": [self.data.checksum, self.data.mean, self.data.std],
        }
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it; images that came as arrays apart."""
        config = self.config.to_dict()
        del config["epochs"]
        return {
            "nb101_plan": FORMAT,
            "version": __version__,
            "space": describe_space(self.space),
            "data": self.data.to_dict(),
            "epochs": list(self.epochs),
            "repeats": self.repeats,
            "seed": self.seed,
            "grid": {name: list(values) for name, values in self.grid.items()},
            "config": config,
            "cells": self.cell_ids.tolist(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "the plan") -> Self:
        """Undo `to_dict`. Cells may be hashes, or adjacency and ops in one string, too.

        Raises
        ------
        CampaignError
            If it is no plan, or one of a newer version; or holds what a plan may not.
        """
        version = values.get("nb101_plan") if isinstance(values, Mapping) else None
        if version is None:
            raise CampaignError(f"{where} is no plan: nb101 campaign plan makes one")
        if version != FORMAT:
            raise CampaignError(
                f"{where} has format {version!r}, and this nb101 reads {FORMAT}: upgrade with "
                "pip install -U nb101"
            )
        known = {"nb101_plan", "version", KEY, *_FIELDS}
        for name in values:
            if name not in known:
                raise CampaignError(
                    f"{where}: no entry {name!r}; known are {', '.join(_FIELDS)}", field=str(name)
                )
        try:
            limits = values["space"]
            space = SearchSpace(limits["max_vertices"], limits["max_edges"], limits["ops"])
            return cls(
                space=space,
                cells=[_find_cell(*one, space) for one in enumerate(values["cells"])],
                data=DataSource(**values["data"]),
                epochs=tuple(values["epochs"]),
                repeats=values["repeats"],
                seed=values["seed"],
                grid=values["grid"],
                config=TrainConfig.from_dict(values["config"]),
            )
        except NB101Error as error:
            raise CampaignError(f"{where}: {error}", index=error.index, field=error.field) from None
        except KeyError as error:
            raise CampaignError(f"{where} lacks the entry {error}", field=error.args[0]) from None
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CampaignError(f"{where}: {error}") from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a JSON file, which appears whole or not at all.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        with atomic(path) as file:
            file.write(sealed_json(self.to_dict()))

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, edited: bool = True) -> Self:
        """Read it from a JSON file.

        Parameters
        ----------
        path
            The file.
        edited
            Whether it may be without a seal, as people write it.

        Raises
        ------
        CampaignError
            If it is no plan, is not as it was written, or holds what it may not; the message says
            what.
        OSError
            If it cannot be read.
        """
        with file_errors(path):
            data = Path(path).read_bytes()
        try:
            values = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise CampaignError(f"{os.fspath(path)} is no plan: {error}", path=path) from None
        if not edited or (isinstance(values, dict) and KEY in values):
            advice = f"make it again, or take the entry {KEY!r} out if you have edited it"
            try:
                values = read_sealed_json(data, path, advice)
            except DatasetError as error:
                raise CampaignError(str(error), path=path) from None
        try:
            return cls.from_dict(values, os.fspath(path))
        except CampaignError as error:
            error.path = os.fspath(path)
            raise

    def __repr__(self) -> str:
        return f"<Plan: {self.summary}>"

    @property
    def summary(self) -> str:
        """What it is in a line."""
        budgets = ", ".join(map(str, self.epochs))
        grid = f", {counted(len(self.settings), 'setting')}" if self.grid else ""
        unit = "epoch" if self.epochs == (1,) else "epochs"
        return (
            f"{counted(len(self.cells), 'cell')} at {budgets} {unit}, "
            f"{counted(self.repeats, 'repeat')}{grid}: {counted(len(self), 'run')} on "
            f"{printable(self.data.name)}"
        )


_FIELDS = ("space", "data", "epochs", "repeats", "seed", "grid", "config", "cells")


def run_seed(seed: int, cell_hash: str, epochs: int, repeat: int) -> int:
    """Return the seed of a run: 63 bits of SHA-256 over what it is of."""
    text = f"nb101 campaign {seed} {cell_hash} {epochs} {repeat}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def _cells(given: Any, space: SearchSpace) -> Cells:
    """Make cells of what a plan may be given, in the order of their ids."""
    if isinstance(given, (Cells, np.ndarray)):
        ids = np.asarray(ids_of(space, given))
    else:
        if not isinstance(given, (Cell, Iterable)) or isinstance(given, (str, bytes)):
            raise ArgumentTypeError(
                f"cells must be Cells, ids, or a list of cells, ids or hashes, not "
                f"{type(given).__name__}",
                field="cells",
            )
        listed = [given] if isinstance(given, Cell) else list(given)
        ids = np.zeros(len(listed), dtype=np.int64)
        for place, cell in enumerate(listed):
            try:
                ids[place] = id_of(space, cell)
            except NB101Error as error:
                raise type(error)(
                    f"cell {place} of the plan, {cell!r}: {error}", index=place, field="cells"
                ) from None
    if not len(ids):
        raise CampaignError("a plan needs at least one cell", field="cells")
    return space[np.unique(ids)]


def _find_cell(place: int, cell: Any, space: SearchSpace) -> Cell | int:
    """Read a cell of a plan's file: an id, a hash, or adjacency and ops."""
    if not isinstance(cell, str):
        return cell  # type: ignore[no-any-return]
    try:
        if " " not in cell.strip():
            return space.find_hash(cell)
        return Cell(*parse_text(cell), op_names=space.ops)
    except ValueError as error:
        raise CampaignError(f"cell {cell!r}: {error}", index=place, field="cells") from None


def _grid(grid: Mapping[str, Any], config: TrainConfig) -> dict[str, tuple[Any, ...]]:
    """Check the values of a grid: the recipe's own, each once."""
    checked: dict[str, tuple[Any, ...]] = {}
    for name, values in grid.items():
        if name == "epochs":
            raise CampaignError(
                "epochs are budgets and no part of a grid: give them as epochs", field="grid"
            )
        if name in EXECUTION:
            raise CampaignError(
                f"{name} says how runs are computed, and is no part of a grid", field="grid"
            )
        listed = [values] if isinstance(values, str) or not isinstance(values, Iterable) else values
        # Read by the recipe, which knows what they may be, and by one name for one number.
        kept = [getattr(TrainConfig.from_dict(config.to_dict() | {name: x}), name) for x in listed]
        checked[name] = tuple(dict.fromkeys(kept))
        if not kept:
            raise CampaignError(f"the grid has no value for {name}", field="grid")
    return checked


def read_source(source: str, *, verify: bool = True) -> DataSource:
    """Read images to describe them; as `nb101.train.data.load`."""
    # Of a path that means the same to a worker that was started elsewhere.
    place = source if source in ARCHIVES else str(Path(source).resolve())
    return DataSource.of(load(source, verify=verify), place)


def _costs(cells: Cells) -> list[float]:
    """Estimate what cells take: multiply-accumulates, and as much again that all take alike.

    All alike where ops have no known cost.
    """
    try:
        flops = cells.flops()
    except NB101Error:
        return [1.0] * len(cells)
    costs: list[float] = (1 + flops / flops.mean()).tolist()
    return costs
