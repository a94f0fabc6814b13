"""Labelled images of one's own."""

from typing import Any

import numpy as np
import pytest

import nb101
from nb101.train import ImageData, data
from nb101.train.images import Split


def test_image_data() -> None:
    images, labels = np.zeros((4, 2, 3, 1), np.uint8), [0, 1, 2, 1]
    part = (images, labels)
    one = ImageData(name="own", train=part, validation=part, test=part, num_classes=5)
    assert repr(one) == (
        "<ImageData: own: 4 train, 4 validation, 4 test images, 2 x 3 x 1, 5 classes>"
    )
    assert (one.mean, one.std) == ((0.0,), (1.0,))
    merged = one.merge()
    assert [len(split) for split in merged.splits.values()] == [8, 0, 4]
    assert merged.num_classes == 5
    assert merged.checksum != one.checksum
    changed = ImageData(name="own", train=part, validation=part, test=(images + 1, labels))
    assert changed.checksum != one.checksum
    assert isinstance(one.train, Split)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": (np.zeros((4, 2, 2, 1)), [0] * 4)}, "own: train: images must be uint8"),
        ({"test": (np.zeros((4, 2, 2), np.uint8), [0] * 4)}, "test: images must have the shape"),
        ({"test": (np.zeros((4, 3, 32, 320), np.uint8), [0] * 4)}, "must have the shape"),
        ({"train": (np.zeros((4, 2, 2, 1), np.uint8), [0] * 3)}, "4 images, and labels of shape"),
        ({"train": (np.zeros((4, 2, 2, 1), np.uint8), [0.5] * 4)}, "labels must be whole numbers"),
        ({"train": (np.zeros((4, 2, 2, 1), np.uint8), [-1] * 4)}, "there is a label -1; they cou"),
        ({"train": (np.zeros((0, 2, 2, 1), np.uint8), np.zeros(0, int))}, "no training images"),
        ({"train": (np.zeros((4, 2, 9, 1), np.uint8), [0] * 4)}, "validation are 2 x 2 x 1, and"),
        ({"num_classes": 2}, "there is a label 3, and num_classes is 2"),
        ({"mean": (1, 2)}, r"mean must be 1 numbers, one a channel, not \(1.0, 2.0\)"),
        ({"mean": (1,), "std": (0,)}, "std must be above 0"),
    ],
)
def test_wrong_image_data(changes: dict[str, Any], message: str) -> None:
    part = (np.zeros((4, 2, 2, 1), np.uint8), [0, 1, 2, 3])
    settings: dict[str, Any] = {"train": part, "validation": part, "test": part, **changes}
    with pytest.raises(nb101.DatasetError, match=message):
        ImageData(name="own", **settings)


def test_synthetic_images_follow_the_seed() -> None:
    one, same, other = (data.synthetic(seed=seed) for seed in (1, 1, 2))
    assert one.checksum == same.checksum != other.checksum


def test_a_split_is_a_sequence_of_pairs() -> None:
    part = data.synthetic(train=5).train
    pairs = list(part)
    assert len(pairs) == len(part) == 5
    for place, (image, label) in enumerate(pairs):
        assert image.shape == (8, 8, 3)
        assert np.array_equal(image, part.images[place])
        assert label == part.labels[place]
    assert part[-1][1] == part.labels[-1]
    assert isinstance(part[1:3], data.Split)
    with pytest.raises(IndexError):
        part[5]


@pytest.mark.parametrize(
    ("change", "kind", "field"),
    [
        ({"train": 5}, nb101.ArgumentTypeError, "train"),
        ({"test": (1, 2, 3)}, nb101.ArgumentTypeError, "test"),
        ({"validation": ([[1], [1, 2]], [0, 1])}, nb101.ArgumentTypeError, "validation"),
        ({"validation": (np.zeros(3), [0])}, nb101.DatasetError, "validation"),
        ({"mean": ("a",) * 3, "std": (1.0,) * 3}, nb101.ArgumentTypeError, "mean"),
        ({"mean": (1.0,) * 3, "std": (0.0,) * 3}, nb101.DatasetError, "std"),
        ({"num_classes": 1}, nb101.DatasetError, "num_classes"),
    ],
)
def test_what_is_wrong_with_images_has_a_name(
    change: dict[str, Any], kind: type[nb101.NB101Error], field: str
) -> None:
    whole = data.synthetic()
    with pytest.raises(kind) as caught:
        ImageData(**{"name": "own", **whole.splits, **change})
    assert caught.value.field == field
