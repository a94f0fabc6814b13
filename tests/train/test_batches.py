"""Batches against the specification: order, crop, mirroring, normalisation, one image at a time."""

import itertools
from typing import Any

import numpy as np
import pytest

from nb101.train.data import ImageData
from torch_tests import small_config, small_data

import torch  # isort: skip

from nb101.train.batches import EvaluationBatches, TrainingBatches, seed_of  # isort: skip

CPU = torch.device("cpu")


def reference(data: ImageData, config: Any, seed: int, attempt: int, step: int) -> tuple[Any, Any]:
    """One batch, image by image: (n, c, h, w) and labels."""
    n, pad = len(data.train), config.padding
    images, labels = [], []
    for place in range(step * config.batch_size, (step + 1) * config.batch_size):
        rng = np.random.default_rng(seed_of(seed, attempt, place // n))
        order = rng.permutation(n)
        tops, lefts = rng.integers(0, 2 * pad + 1, (2, n))
        flips = rng.integers(0, 2, n)
        image = data.train.images[order[place % n]].astype(np.float64)
        height, width, _ = image.shape
        around = np.zeros((height + 2 * pad, width + 2 * pad, image.shape[2]))
        around[pad : pad + height, pad : pad + width] = image
        top, left = tops[place % n], lefts[place % n]
        image = around[top : top + height, left : left + width]
        if config.flip and flips[place % n]:
            image = image[:, ::-1]
        images.append(((image - data.mean) / data.std).transpose(2, 0, 1))
        labels.append(data.train.labels[order[place % n]])
    return np.array(images), np.array(labels)


@pytest.mark.parametrize("changes", [{}, {"padding": 0}, {"flip": False}, {"padding": 4}])
def test_batches(changes: dict[str, Any]) -> None:
    data = small_data(train=50, size=7)
    config = small_config(**changes)
    batches = TrainingBatches(data, config, CPU, seed=5, attempt=2)
    # Batches of 32 of 50 images: most have the end of one pass and the beginning of the next.
    for step in (0, 1, 2, 7, 3):
        images, labels = batches[step]
        expected = reference(data, config, 5, 2, step)
        assert images.dtype == torch.float32
        assert images.is_contiguous(memory_format=torch.channels_last)
        np.testing.assert_allclose(images, expected[0], rtol=1e-5, atol=1e-5)
        assert labels.tolist() == expected[1].tolist()


def test_batches_larger_than_the_set() -> None:
    data, config = small_data(train=5), small_config()
    images, labels = TrainingBatches(data, config, CPU, seed=5)[1]
    expected = reference(data, config, 5, 1, 1)
    np.testing.assert_allclose(images, expected[0], rtol=1e-5, atol=1e-5)
    assert labels.tolist() == expected[1].tolist()


def test_a_pass_has_every_image_once() -> None:
    data = small_data(train=96)
    object.__setattr__(data.train, "labels", np.arange(96))
    batches = TrainingBatches(data, small_config(), CPU, seed=1)
    passes = [[int(x) for step in range(i, i + 3) for x in batches[step][1]] for i in (0, 3)]
    assert [sorted(one) for one in passes] == [list(range(96))] * 2
    assert passes[0] != passes[1]


def test_crops_and_mirrors_are_uniform() -> None:
    """Images with one bright pixel show where they were cut and whether they were mirrored."""
    n, size = 4000, 5
    images = np.zeros((n, size, size, 1), np.uint8)
    images[:, 2, 2] = 255
    images[:, 2, 3] = 128
    split = (images, np.zeros(n, int))
    data = ImageData(name="points", train=split, validation=split, test=split, mean=(0,), std=(1,))
    config = small_config(batch_size=n, padding=1, bn_shards=1)
    found = TrainingBatches(data, config, CPU, seed=3)[0][0][:, 0].numpy()
    rows, columns = (found == 255).reshape(n, -1).argmax(1) // size, None
    columns = (found == 255).reshape(n, -1).argmax(1) % size
    right = found[np.arange(n), rows, np.minimum(columns + 1, size - 1)] == 128
    for values in (rows, columns):
        counts = np.bincount(values, minlength=size)
        assert counts[[0, 4]].tolist() == [0, 0]
        # Five standard deviations.
        np.testing.assert_allclose(counts[1:4], n / 3, atol=5 * (n * 2 / 9) ** 0.5)
    assert abs(right.sum() - n / 2) < 5 * (n / 4) ** 0.5


def test_going_through_batches_ends_with_the_run() -> None:
    data = small_data(train=50, size=4)
    batches = TrainingBatches(data, small_config(epochs=2), CPU, seed=5)
    # 100 images in batches of 32.
    found = list(itertools.islice(batches, 10))
    assert len(found) == len(batches) == 3
    assert batches.images == 50
    for step, (images, labels) in enumerate(found):
        assert torch.equal(images, batches[step][0])
        assert torch.equal(labels, batches[step][1])
    # The stream itself has no end.
    assert len(batches[3][1]) == 32
    with pytest.raises(IndexError, match="steps count from 0"):
        batches[-1]


def test_draws_differ_by_seed_attempt_and_pass() -> None:
    data = small_data()

    def first(seed: int, attempt: int, step: int = 0) -> Any:
        return TrainingBatches(data, small_config(), CPU, seed, attempt)[step][0]

    batches = [first(1, 1), first(2, 1), first(1, 2), first(1, 1, 8), first(2**32 + 1, 1)]
    for i, one in enumerate(batches):
        assert not any(torch.equal(one, other) for other in batches[:i])
    assert torch.equal(first(1, 1), batches[0])


@pytest.mark.parametrize(
    ("images", "batch", "seen"), [(10_000, 256, 9984), (70, 32, 64), (5, 8, 5)]
)
def test_evaluation_has_full_batches_only(images: int, batch: int, seen: int) -> None:
    data = small_data(validation=images, size=2)
    batches = EvaluationBatches(data.validation, data, batch, CPU)
    parts = list(batches)
    assert len(batches) == len(parts) == seen // min(batch, images)
    assert batches.images == seen
    assert {len(labels) for _, labels in parts} == {min(batch, images)}
    labels = torch.cat([labels for _, labels in parts])
    assert labels.tolist() == data.validation.labels[:seen].tolist()
    found = torch.cat([x for x, _ in parts]).permute(0, 2, 3, 1).numpy()
    expected = (data.validation.images[:seen] - np.array(data.mean)) / data.std
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_evaluation_of_nothing() -> None:
    data = small_data()
    batches = EvaluationBatches(data.validation[:0], data, 32, CPU)
    assert len(batches) == 0
    assert list(batches) == []
