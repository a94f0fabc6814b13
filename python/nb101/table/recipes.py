"""Which network the runs of a table are of, and how they were trained, as its provenance says it.

Parameters and multiply-accumulates depend on the network around the cells, and a paper's numbers
are of one recipe: what is computed of a table, or set beside it, goes by what is known here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nb101._base.checks import check_whole
from nb101.errors import ArgumentError

ORIGINAL = "NAS-Bench-101"
"""How the name of the original recipe begins, where provenance gives it by name."""
IMAGES = {"CIFAR-10": (3, 32), "Fashion-MNIST": (1, 28)}
"""Channels and side of the images of known sets; how provenance calls their parts may go on."""
MOST = {"stem_channels": 1 << 16, "stacks": 16, "cells_per_stack": 1 << 16, "num_classes": 1 << 24}
"""Sizes that no network has more of; files of others may say anything."""
IRRELEVANT = ("epochs", "max_attempts", "precision", "device", "compile", "deterministic")
"""Settings that make no other recipe: budgets are compared by themselves, and the others say how a
run is computed."""


@dataclass(frozen=True, kw_only=True)
class Skeleton:
    """The network around the cells; the default is that of NAS-Bench-101 on CIFAR-10.

    Parameters
    ----------
    stem_channels, stacks, cells_per_stack, num_classes
        As for `nb101.nn.Network`, whole numbers from 1.
    image_channels, image_size
        Channels and side of a square image, in pixels.

    Raises
    ------
    ArgumentError
        If one is no whole number from 1, or larger than any network's.

    Examples
    --------
    >>> import nb101
    >>> cells = nb101.SearchSpace(4).enumerate()
    >>> cells.parameters()[8], cells.parameters(Skeleton(stem_channels=16, cells_per_stack=1))[8]
    (np.int64(11215242), np.int64(58362))
    """

    stem_channels: int = 128
    stacks: int = 3
    cells_per_stack: int = 3
    num_classes: int = 10
    image_channels: int = 3
    image_size: int = 32

    def __post_init__(self) -> None:
        for name, size in asdict(self).items():
            most = MOST.get(name, 1 << 16)
            if check_whole(name, size) > most:
                raise ArgumentError(f"{name} must be at most {most:,}, not {size!r}", field=name)

    @property
    def sizes(self) -> tuple[int, int, int, int, int, int]:
        """All sizes, in the order of the parameters but for the image, which comes last."""
        return (
            self.stem_channels,
            self.stacks,
            self.cells_per_stack,
            self.num_classes,
            self.image_channels,
            self.image_size,
        )


def skeleton_of(provenance: Mapping[str, Any]) -> Skeleton | None:
    """Return the network that all runs of a table are of.

    Predictions are of the network of the runs that they were learnt from.

    Returns
    -------
    Skeleton; None where the provenance does not say, or its parts are of several networks.
    """
    found = [_skeleton(part) for part in _parts(provenance)]
    return found[0] if found and all(each == found[0] for each in found) else None


def is_named(provenance: Mapping[str, Any]) -> bool:
    """Whether the provenance of a table says anything of a recipe, understood or not."""
    return any("recipe" in part or "learnt_from" in part for part in _parts(provenance))


def differences(provenance: Mapping[str, Any]) -> list[str] | None:
    """Say in what the recipe of a table differs from the original one.

    Returns
    -------
    Words such as ``"stem channels 16 (paper: 128)"``, none for the original recipe; None where it
    is not known.
    """
    found: dict[str, None] = {}
    parts = list(_parts(provenance))
    for part in parts:
        recipe = part.get("recipe")
        if _is_original(part):
            continue
        if not isinstance(recipe, Mapping):
            return None
        found |= dict.fromkeys(_changes(recipe))
        images = _images_of(part)
        if images and not images.startswith("CIFAR-10"):
            found[f"trained on {images} (paper: CIFAR-10)"] = None
        elif "train + validation" in images:
            found["trained on training and validation images (paper: training images)"] = None
    return list(found) if parts else None


def images_of(provenance: Mapping[str, Any]) -> str:
    """Name the images that all runs of a table were trained on; empty where that is not known."""
    found = {_images_of(part) for part in _parts(provenance)}
    return found.pop() if len(found) == 1 else ""


def _changes(recipe: Mapping[str, Any]) -> Iterator[str]:
    from nb101.train.config import TrainConfig

    for name, usual in TrainConfig().to_dict().items():
        value = recipe.get(name, usual)
        if name not in IRRELEVANT and value != usual:
            yield f"{name.replace('_', ' ')} {value} (paper: {usual})"


def _parts(provenance: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Go through the provenance of runs: of a table's parts, and of what it was learnt from."""
    todo = [provenance]
    while todo:
        about = todo.pop()
        parts, learnt = about.get("parts"), about.get("learnt_from")
        if isinstance(parts, list):
            todo += [part for part in reversed(parts) if isinstance(part, Mapping)]
        elif "recipe" not in about and isinstance(learnt, Mapping):
            todo.append(learnt)
        else:
            yield about


def _is_original(part: Mapping[str, Any]) -> bool:
    recipe, learnt = part.get("recipe"), part.get("learnt_from")
    if recipe is not None:
        return isinstance(recipe, str) and recipe.startswith(ORIGINAL)
    return isinstance(learnt, str) and learnt.startswith(f"genuine records of {ORIGINAL}")


def _images_of(part: Mapping[str, Any]) -> str:
    """Name the images of runs, as campaigns and single runs give them."""
    data = part.get("data")
    name = data.get("name") if isinstance(data, Mapping) else part.get("source")
    return name if isinstance(name, str) else ""


def _shape_of(part: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """Channels and side of square images, by their shape in the provenance or by their name."""
    data = part.get("data")
    match data.get("image_shape") if isinstance(data, Mapping) else None:
        case [height, width, channels]:
            return (channels, height) if height == width else None
    return IMAGES.get(_images_of(part).split(",")[0])


def _skeleton(part: Mapping[str, Any]) -> Skeleton | None:
    if _is_original(part):
        return Skeleton()
    recipe, image = part.get("recipe"), _shape_of(part)
    if not isinstance(recipe, Mapping) or image is None:
        return None
    sizes: dict[str, Any] = {name: recipe.get(name) for name in MOST}
    sizes["image_channels"], sizes["image_size"] = image
    try:
        return Skeleton(**sizes)
    except ArgumentError:
        return None
