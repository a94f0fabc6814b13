"""Losses between two looks at them."""

import csv
from pathlib import Path

import pytest

from torch_tests import small_config

import torch  # isort: skip

from nb101.train.losses import LOOK_STEPS, DivergedLoss, Losses  # isort: skip


def test_losses_are_logged_and_said_when_they_are_looked_at(tmp_path: Path) -> None:
    losses = Losses(tmp_path / "log.csv", small_config(weight_decay=0.5), 64)
    losses.begin(2, 3, more=True)
    assert losses.words == "training"
    penalty = losses.penalty([torch.tensor([3.0, 4.0]), torch.tensor([1.0])])
    losses.add(3, 0.25, torch.tensor(1.5), penalty)
    losses.add(4, 0.125, torch.tensor(2.0), torch.tensor(0.0))
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 1
    losses.look()
    assert losses.words == "training, loss 2.000"
    with (tmp_path / "log.csv").open(newline="") as file:
        found = [list(map(float, row)) for row in list(csv.reader(file))[1:]]
    # Half the decay times 26, the sum of squares; 32 of 64 images in a step.
    assert found == [[2, 3, 1.5, 0.25, 1.5, 8.0], [2, 4, 2.0, 0.125, 2.0, 2.0]]
    losses.close()


def test_without_a_log_no_penalty_is_computed() -> None:
    losses = Losses(None, small_config(), 64)
    losses.begin(1, 0, more=True)
    assert losses.penalty([torch.ones(2)]) is None


def test_a_finished_run_opens_no_log(tmp_path: Path) -> None:
    losses = Losses(tmp_path / "log.csv", small_config(), 64)
    losses.begin(1, 16, more=False)
    losses.close()
    assert list(tmp_path.iterdir()) == []


def test_it_is_time_to_look_after_so_many() -> None:
    losses = Losses(None, small_config(), 64)
    losses.begin(1, 0, more=True)
    losses.looked += 1e9
    for step in range(LOOK_STEPS):
        assert not losses.due
        losses.add(step, 0.1, torch.tensor(1.0), None)
    assert losses.due
    losses.look()
    losses.looked -= 1e9
    assert losses.due


@pytest.mark.parametrize("wrong", ["nan", "inf"])
def test_a_loss_that_is_not_finite_ends_the_attempt_and_is_logged(
    wrong: str, tmp_path: Path
) -> None:
    losses = Losses(tmp_path / "log.csv", small_config(), 64)
    losses.begin(1, 0, more=True)
    for step, loss in enumerate((1.0, float(wrong), 1.0)):
        losses.add(step, 0.1, torch.tensor(loss), None)
    with pytest.raises(DivergedLoss, match=f"the loss was {wrong} at step 1"):
        losses.look()
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4
    losses.look()  # Nothing waits any more.
    losses.close()
