"""In what the recipe of a table differs from the paper's."""

from collections.abc import Iterator, Mapping
from typing import Any

from nb101.analysis import paper
from nb101.table.recipes import images_of_part, is_original, parts_of


def differences(provenance: Mapping[str, Any]) -> list[str] | None:
    """Say in what the recipe of a table differs from the original one.

    Returns
    -------
    Words such as ``"stem channels 16 (paper: 128)"``, none for the original recipe; None where it
    is not known.
    """
    found: dict[str, None] = {}
    parts = list(parts_of(provenance))
    for part in parts:
        recipe = part.get("recipe")
        if is_original(part):
            continue
        if not isinstance(recipe, Mapping):
            return None
        found |= dict.fromkeys(_changes(recipe))
        images = images_of_part(part)
        if images and not images.startswith("CIFAR-10"):
            found[f"trained on {images} (paper: CIFAR-10)"] = None
        elif "train + validation" in images:
            found["trained on training and validation images (paper: training images)"] = None
    return list(found) if parts else None


def _changes(recipe: Mapping[str, Any]) -> Iterator[str]:
    for name, usual in paper.RECIPE.items():
        value = recipe.get(name, usual)
        if value != usual:
            yield f"{name.replace('_', ' ')} {value} (paper: {usual})"
