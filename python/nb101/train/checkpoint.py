"""Checkpoints: one file with all that a run needs to go on, written whole or not at all.

Tensors are kept as safetensors, everything else as JSON in the same file's header, so that the two
are always of one moment. A seal covers all of it, and is compared before anything is read. Nothing
in it is ever run.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from nb101._base.files import file_errors
from nb101._base.seals import BLANK, KEY, check_sealed_bytes, sealed
from nb101._core import __version__
from nb101.errors import CheckpointError, DatasetError, MissingExtraError
from nb101.train.config import TrainConfig

FILE = "checkpoint.safetensors"
FORMAT = 2


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
