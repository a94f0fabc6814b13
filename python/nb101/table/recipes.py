"""Which network the runs of a table are of, and how they were trained, as its provenance says it.

Parameters and multiply-accumulates depend on the network around the cells, and a paper's numbers
are of one recipe: what is computed of a table, or set beside it, goes by what is known here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from nb101.errors import ArgumentError
from nb101.space.skeleton import MOST, Skeleton

ORIGINAL = "NAS-Bench-101"
"""How the name of the original recipe begins, where provenance gives it by name."""
IMAGES = {"CIFAR-10": (3, 32), "Fashion-MNIST": (1, 28)}
"""Channels and side of the images of known sets; how provenance calls their parts may go on."""


def skeleton_of(provenance: Mapping[str, Any]) -> Skeleton | None:
    """Return the network that all runs of a table are of.

    Predictions are of the network of the runs that they were learnt from.

    Returns
    -------
    Skeleton; None where the provenance does not say, or its parts are of several networks.
    """
    found = [_skeleton(part) for part in parts_of(provenance)]
    return found[0] if found and all(each == found[0] for each in found) else None


def is_named(provenance: Mapping[str, Any]) -> bool:
    """Whether the provenance of a table says anything of a recipe, understood or not."""
    return any("recipe" in part or "learnt_from" in part for part in parts_of(provenance))


def images_of(provenance: Mapping[str, Any]) -> str:
    """Name the images that all runs of a table were trained on; empty where that is not known."""
    found = {images_of_part(part) for part in parts_of(provenance)}
    return found.pop() if len(found) == 1 else ""


def parts_of(provenance: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
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


def is_original(part: Mapping[str, Any]) -> bool:
    """Whether a part of a provenance names the original recipe."""
    recipe, learnt = part.get("recipe"), part.get("learnt_from")
    if recipe is not None:
        return isinstance(recipe, str) and recipe.startswith(ORIGINAL)
    return isinstance(learnt, str) and learnt.startswith(f"genuine records of {ORIGINAL}")


def images_of_part(part: Mapping[str, Any]) -> str:
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
    return IMAGES.get(images_of_part(part).split(",")[0])


def _skeleton(part: Mapping[str, Any]) -> Skeleton | None:
    if is_original(part):
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
