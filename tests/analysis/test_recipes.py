"""Parameters and FLOPs are those of the network that a table's runs are of, or left out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import ArgumentError, DatasetError, analysis
from nb101.analysis import paper
from nb101.analysis.recipes import differences
from nb101.recipes import Skeleton, skeleton_of
from nb101.train import TrainConfig

RECORD = Path(__file__).parents[2] / "benches" / "record" / "campaign-4-vertices-stem16.parquet"
SMALL = Skeleton(stem_channels=16, cells_per_stack=1)


@pytest.fixture(scope="module")
def campaign() -> nb101.Table:
    return nb101.Table.open(RECORD)


def table_of(provenance: dict[str, Any], **columns: Any) -> nb101.Table:
    ids = [0, 8, 25]
    columns = {"final_test_accuracy": [0.1, 0.5, 0.7], "final_training_time": [1, 2, 3], **columns}
    return nb101.Table.from_columns(
        {"cell_id": ids, "epochs": [4] * 3, **columns},
        space=nb101.SearchSpace(4),
        provenance=provenance,
    )


def test_a_campaign_with_a_narrow_stem(campaign: nb101.Table) -> None:
    values = analysis.cell_values(campaign, "parameters")
    assert values[campaign.cell_ids.tolist().index(8)] == 58_362
    assert values.tolist() == analysis.cell_values(campaign, "trainable_parameters").tolist()
    front = analysis.pareto_front(campaign, ("parameters", "test_accuracy"))
    assert set(front.values[:, 0]) <= set(values.tolist())
    assert values.max() < 250_000
    # What is computed agrees with what was counted of each network that was trained.
    assert campaign.cells.parameters(SMALL).tolist() == values.tolist()
    flops = analysis.cell_values(campaign, "flops")
    assert flops.tolist() == campaign.cells.flops(SMALL).tolist()
    assert flops.max() < campaign.cells.flops().min()


def test_without_the_column_they_are_computed_of_the_recipe(campaign: nb101.Table) -> None:
    rows = campaign.to_arrow().drop_columns(["trainable_parameters"])
    table = nb101.Table.from_arrow(rows)
    expected = analysis.cell_values(campaign, "parameters")
    assert analysis.cell_values(table, "parameters").tolist() == expected.tolist()
    assert table.parameters.tolist() == campaign.parameters.tolist()


@pytest.mark.parametrize(
    "provenance",
    [
        {},
        {"recipe": "unknown, in the layout of the official files"},
        {"recipe": {"stem_channels": 16}, "source": "CIFAR-10"},
        {"recipe": TrainConfig(stem_channels=16).recipe(), "data": {"name": "my images"}},
        {"recipe": TrainConfig().recipe() | {"stem_channels": 10**30}, "source": "CIFAR-10"},
        {"recipe": TrainConfig().recipe() | {"stem_channels": True}, "source": "CIFAR-10"},
        {
            "recipe": TrainConfig().recipe(),
            "data": {"name": "CIFAR-10", "image_shape": [32, 30, 3]},
        },
        {"recipe": TrainConfig().recipe(), "data": {"name": "CIFAR-10", "image_shape": ["a"] * 3}},
        {"parts": [{"recipe": TrainConfig(stem_channels=n).recipe()} for n in (16, 32)]},
    ],
)
def test_of_an_unknown_network_they_are_left_out(provenance: dict[str, Any]) -> None:
    table = table_of(provenance)
    assert skeleton_of(provenance) is None
    for metric in ("parameters", "flops"):
        with pytest.raises(DatasetError, match="does not say of which network"):
            analysis.cell_values(table, metric)
        with pytest.raises(DatasetError, match="does not say of which network"):
            analysis.pareto_front(table, (metric, "test_accuracy"))
    if provenance:
        assert (table.parameters == -1).all()


def test_own_columns_are_the_truth() -> None:
    own = [5, 7, 9]
    for name in ("parameters", "trainable_parameters"):
        table = table_of({"recipe": "NAS-Bench-101"}, **{name: own})
        assert analysis.cell_values(table, "parameters").tolist() == own
    table = table_of({}, flops=own)
    assert analysis.cell_values(table, "flops").tolist() == own


def test_flops_are_of_the_network_that_has_these_parameters() -> None:
    full = nb101.SearchSpace(4)[np.array([0, 8, 25])]
    table = table_of({}, trainable_parameters=full.parameters())
    assert analysis.cell_values(table, "flops").tolist() == full.flops().tolist()
    wrong = table_of({"recipe": "NAS-Bench-101"}, trainable_parameters=[5, 7, 9])
    with pytest.raises(DatasetError, match="are not those of the network of the recipe"):
        analysis.cell_values(wrong, "flops")


def test_predictions_are_of_what_they_were_learnt_from() -> None:
    recipe = TrainConfig(stem_channels=16, cells_per_stack=1).recipe()
    learnt = {"recipe": recipe, "source": "CIFAR-10"}
    assert skeleton_of({"kind": "predicted", "learnt_from": learnt}) == SMALL
    assert skeleton_of(nb101.load_table().provenance) == Skeleton()


def test_images_of_ones_own_are_known_by_their_shape() -> None:
    about = {"recipe": TrainConfig().recipe(), "data": {"name": "mine", "image_shape": [64, 64, 1]}}
    assert skeleton_of(about) == Skeleton(image_channels=1, image_size=64)


def test_differences() -> None:
    usual = {"recipe": TrainConfig(epochs=4, device="cpu").to_dict(), "source": "CIFAR-10"}
    assert differences(usual) == []
    assert differences({"recipe": "NAS-Bench-101 (Ying et al. 2019): CIFAR-10"}) == []
    assert differences({}) is None
    assert differences({"recipe": "my own"}) is None
    other = {"recipe": TrainConfig(stem_channels=16, learning_rate=0.1).recipe()}
    assert differences(other | {"data": {"name": "Fashion-MNIST"}}) == [
        "learning rate 0.1 (paper: 0.2)",
        "stem channels 16 (paper: 128)",
        "trained on Fashion-MNIST (paper: CIFAR-10)",
    ]
    assert differences({"parts": [usual, usual]}) == []
    assert differences({"parts": [usual, {}]}) is None


def test_the_paper_s_recipe_is_the_default() -> None:
    usual = TrainConfig().to_dict()
    how = {"epochs", "max_attempts", "precision", "device", "compile", "deterministic"}
    assert usual.keys() - paper.RECIPE.keys() == how
    assert {name: usual[name] for name in paper.RECIPE} == paper.RECIPE


def test_skeletons(cells: nb101.Cells) -> None:
    few = cells[:100]
    assert few.parameters(Skeleton()).tolist() == few.parameters().tolist()
    assert few.flops(Skeleton()).tolist() == few.flops().tolist()
    with pytest.raises(ArgumentError, match="stacks must be at most 16"):
        Skeleton(stacks=17)
    with pytest.raises(ArgumentError, match="stem_channels must be a whole number"):
        Skeleton(stem_channels=0)
    with pytest.raises(TypeError, match="skeleton must be a Skeleton"):
        few.parameters(16)  # type: ignore[arg-type]


def test_networks_of_all_sizes_have_as_many(cells: nb101.Cells) -> None:
    """What is counted is what PyTorch's networks have."""
    pytest.importorskip("torch")
    from nb101.nn import count_parameters

    rng = np.random.default_rng(0)
    for cell in cells[np.sort(rng.choice(len(cells), 6, replace=False))]:
        sizes: dict[str, Any] = {
            "stem_channels": int(rng.integers(8, 40)),
            "stacks": int(rng.integers(1, 5)),
            "cells_per_stack": int(rng.integers(1, 4)),
            "num_classes": int(rng.integers(2, 20)),
            "image_channels": int(rng.integers(1, 4)),
        }
        found = nb101.Cells([cell]).parameters(Skeleton(**sizes))
        assert found[0] == count_parameters(cell, **sizes)
