"""Checkpoints: one file with all that a run needs to go on, written whole or not at all.

Tensors are kept as safetensors, everything else as JSON in the same file's header, so that the two
are always of one moment. A seal covers all of it, and is compared before anything is read. Nothing
in it is ever run.

Below that: what a checkpoint must share with the run that goes on from it (`identity`), and
`Checkpoints`, by which the trainer keeps a run and resumes it.
"""

import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from nb101._base.checks import check_path
from nb101._base.files import file_errors, remove_stale
from nb101._base.seals import BLANK, KEY, check_sealed_bytes, sealed
from nb101._core import __version__
from nb101.errors import CheckpointError, DatasetError, MissingExtraError
from nb101.space.cell import Cell
from nb101.table.schema import STAGES
from nb101.train.config import TrainConfig
from nb101.train.images import ImageData

FILE = "checkpoint.safetensors"
FORMAT = 2
PARTS = ("network", "optimizer")
"""What has tensors; their names in a file begin with it."""


class DamagedCheckpointError(CheckpointError):
    """A file that nothing can be made of, and that may be put aside."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is damaged: delete it to begin anew", path=path)


def check_safetensors() -> None:
    """See that checkpoints can be read and written, before the work that they are to keep.

    Raises
    ------
    MissingExtraError
        If safetensors is not installed.
    """
    try:
        import safetensors.torch  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name not in ("safetensors", "safetensors.torch"):
            raise
        raise MissingExtraError(
            "checkpoints need safetensors: pip install 'nb101[train]'", name="safetensors"
        ) from error


def save_checkpoint(
    folder: str | os.PathLike[str], tensors: Mapping[str, Tensor], about: Mapping[str, Any]
) -> None:
    """Write the checkpoint of a folder, which is made if it is not there.

    Parameters
    ----------
    folder
        Where it goes, in place of the one that is there.
    tensors
        By name.
    about
        What JSON can hold.

    Raises
    ------
    OSError
        If it cannot be written; the one before is still there then.
    """
    from safetensors.torch import save

    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps({"format": FORMAT, "version": __version__, **about})
    data = save(kept, metadata={"nb101": text, KEY: BLANK})
    with file_errors(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
    with sealed(Path(folder) / FILE) as file:
        file.write(data)


def load_checkpoint(folder: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the checkpoint of a folder: tensors on the CPU, and what else was kept.

    Raises
    ------
    MissingFileError
        If there is none.
    MissingExtraError
        If safetensors is not installed.
    CheckpointError
        If it is damaged (a `DamagedCheckpointError`), or of a newer version of this package.
    """
    check_safetensors()
    check_path(folder, "checkpoint")
    from safetensors import SafetensorError
    from safetensors.torch import load

    path = Path(folder) / FILE
    with file_errors(path):
        data = path.read_bytes()
    try:
        check_sealed_bytes(data, path, "")
        size = int.from_bytes(data[:8], "little")
        about = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["nb101"])
        version = about["format"]
    except (DatasetError, ValueError, KeyError, TypeError, RecursionError):
        raise DamagedCheckpointError(path) from None
    if version != FORMAT:
        raise CheckpointError(
            f"{path} has format {version!r}, and this nb101 reads {FORMAT}: it was written by "
            f"nb101 {about.get('version')}",
            path=path,
        )
    try:
        tensors = load(data)
    except (SafetensorError, ValueError):
        raise DamagedCheckpointError(path) from None
    return tensors, about


def read_config(about: Mapping[str, Any], path: Path) -> TrainConfig:
    """Return the recipe of a checkpoint.

    Raises
    ------
    CheckpointError
        If it is damaged, or has a setting that this version of the package does not know.
    """
    try:
        return TrainConfig.from_dict(about["config"])
    except ValueError as error:
        raise CheckpointError(
            f"{path} was written by nb101 {about.get('version')}, and this is {__version__}: "
            f"{error}",
            path=path,
        ) from None
    except (KeyError, TypeError):
        raise DamagedCheckpointError(path) from None


def has_checkpoint(folder: str | os.PathLike[str]) -> bool:
    """Whether there is one."""
    return (Path(folder) / FILE).is_file()


def by_part(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Return the tensors of a checkpoint by part, and then by their names there."""
    return {
        part: {
            name.removeprefix(f"{part}."): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{part}.")
        }
        for part in PARTS
    }


def restore(state: Mapping[str, Any], part: str, into: Mapping[str, Tensor], path: Path) -> None:
    """Copy the tensors of a part to where they belong.

    Parameters
    ----------
    state
        What the checkpoint has; see `by_part`.
    part
        One of `PARTS`.
    into
        Those to be filled, by name.
    path
        The checkpoint's.

    Raises
    ------
    CheckpointError
        If one is missing, or of another shape.
    """
    with torch.no_grad():
        for name, value in into.items():
            tensor = state[part].get(name)
            if tensor is None or tensor.shape != value.shape:
                found = "missing" if tensor is None else f"of shape {tuple(tensor.shape)}"
                raise CheckpointError(
                    f"{path} does not fit the network: {part}.{name} is {found}; were its ops "
                    "others?",
                    path=path,
                )
            value.copy_(tensor)


# Whose it is


def identity(cell: Cell, data: ImageData, config: TrainConfig, seed: int) -> dict[str, Any]:
    """Return what a checkpoint must share with the run that goes on from it."""
    return {
        "cell": list(cell.to_text()),
        "op_names": list(cell.op_names),
        "config": config.to_dict(),
        "seed": seed,
        # By what it is, and not by its name, which may come from that of a file.
        "data": {
            "checksum": data.checksum,
            "mean": list(data.mean),
            "std": list(data.std),
        },
        "image_shape": list(data.image_shape),
    }


def check_same(about: Mapping[str, Any], mine: Mapping[str, Any], path: Path) -> None:
    """Refuse the checkpoint of another run.

    Parameters
    ----------
    about
        What the checkpoint has beside its tensors.
    mine
        The `identity` of the run that would go on from it.
    path
        The checkpoint's.

    Raises
    ------
    CheckpointError
        If it is of another cell, seed, data or recipe; where it is computed may differ. If it is
        damaged, or has a setting that this version of the package does not know.
    """
    theirs, ours = read_config(about, path).recipe(), TrainConfig(**mine["config"]).recipe()
    try:
        what = [name for name in ("cell", "seed", "data") if about[name] != mine[name]]
        known = [about[name] for name in ("attempt", "step", "training_time", "total_time")]
        whole = len(about["evaluations"]) <= len(STAGES) and None not in known
    except (KeyError, TypeError):
        raise DamagedCheckpointError(path) from None
    what += [
        f"{name} ({theirs[name]} there, {ours[name]} here)"
        for name in ours
        # More attempts than before may be made.
        if theirs[name] != ours[name] and name != "max_attempts"
    ]
    if what or not whole:
        raise CheckpointError(
            f"{path} is of another run: it differs in {', '.join(what)}; give another folder, "
            "or delete it to begin anew",
            path=path,
        )


class Checkpoints:
    """The checkpoints of one run, of which its folder has the last.

    Parameters
    ----------
    folder
        Where they go; with `None` none are kept.
    mine
        The `identity` of the run.
    minutes
        After which one is due.
    """

    def __init__(self, folder: Path | None, mine: Mapping[str, Any], minutes: float) -> None:
        self.folder, self.mine, self.seconds = folder, mine, 60 * minutes
        self.path = (folder or Path()) / FILE
        self.step: int | None = None
        """The step that the last one is of."""
        self.saved = perf_counter()
        """When it was written, or the attempt began."""

    def load(self) -> dict[str, Any] | None:
        """Return the state that the folder has, as `save` took it; `None` if there is none.

        Raises
        ------
        CheckpointError
            If it is damaged, of another run, or of a newer version of this package.
        """
        if self.folder is None:
            return None
        remove_stale(self.folder)
        if not has_checkpoint(self.folder):
            return None
        tensors, about = load_checkpoint(self.folder)
        check_same(about, self.mine, self.path)
        self.step = about["step"]
        return {**about, **by_part(tensors)}

    def begin(self) -> None:
        """Begin an attempt: from now on the next one comes nearer."""
        self.saved = perf_counter()

    @property
    def due(self) -> bool:
        """Whether the last one is so old that another is to be written."""
        return self.folder is not None and perf_counter() - self.saved > self.seconds

    def save(self, state: Mapping[str, Any], *, last: bool = False) -> None:
        """Write a state: tensors by name for each of `PARTS`, and what JSON can hold.

        Raises
        ------
        OSError
            If it cannot be written; the one before is still there then. Of the last one of a run
            that is only a warning.
        """
        if self.folder is None:
            return
        tensors = {f"{part}.{name}": x for part in PARTS for name, x in state[part].items()}
        rest = {name: value for name, value in state.items() if name not in PARTS}
        try:
            save_checkpoint(self.folder, tensors, {**self.mine, **rest})
            self.step, self.saved = state["step"], perf_counter()
        except OSError as error:
            if not last:
                raise
            # The result is worth more than the weights.
            warnings.warn(
                f"the run is finished, but its last checkpoint could not be written: {error}",
                RuntimeWarning,
                stacklevel=2,
            )

    def way_on(self, steps: int) -> str:
        """Say how to go on with a run of so many steps that was interrupted."""
        if self.folder is None:
            return "nothing was kept: with checkpoint=FOLDER the same call would go on"
        if self.step is None and not has_checkpoint(self.folder):
            return f"there is no checkpoint in {self.folder} yet: the same call begins anew"
        where = "" if self.step is None else f"step {self.step:,} of {steps:,}, by "
        return f"the same call goes on from {where}the checkpoint in {self.folder}"
