"""A campaign for the page: what has finished, also while it is computed."""

import json
from pathlib import Path
from typing import Any

import pytest

import nb101
from nb101.errors import CampaignError

pytest.importorskip("torch", reason="torch is not installed: pip install 'nb101[train]'")

from campaigns import Scripted, done, small_plan
from nb101 import campaign
from nb101.campaign.worker import Outcome, RunTask
from nb101.cli import main
from nb101.explore.columns import columns_of
from nb101.explore.content import Content
from nb101.explore.live import LiveCampaign


def now(content: Content) -> dict[str, Any]:
    data = content.get("campaign.json")
    assert data is not None
    found: dict[str, Any] = json.loads(data)
    return found


def test_runs_are_seen_as_they_finish(predicted: nb101.Table, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    opened: list[Content] = []

    def answer(task: RunTask) -> Outcome:
        if not opened:
            opened.append(Content(columns_of(predicted), campaign=LiveCampaign(tmp_path)))
        seen.append(now(opened[0]))
        return done(task)

    campaign.run(small_plan(), tmp_path, Scripted(answer))
    counts = [one["counts"]["finished"] for one in seen]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert 0 < counts[-1] < 12
    assert all(one["total"] == 12 == sum(one["counts"].values()) for one in seen)
    assert all(len(one["runs"]) == one["counts"]["finished"] for one in seen)
    assert not any(one["done"] for one in seen)
    last = now(opened[0])
    assert last["done"]
    assert last["counts"] == {"finished": 12, "waiting": 0, "running": 0, "failed": 0}


def test_numbers_are_those_of_the_table(tmp_path: Path) -> None:
    campaign.run(small_plan(), tmp_path, Scripted())
    followed = LiveCampaign(tmp_path)
    table = followed.table()
    assert table is not None
    assert table.equals(campaign.table(tmp_path))
    content = Content(columns_of(table), followed.about(), campaign=followed)
    manifest = content.get("manifest.json")
    assert manifest is not None
    entry = json.loads(manifest)["campaign"]
    assert (entry["file"], entry["live"]) == ("campaign.json", True)
    found = now(content)
    assert found["columns"][0] == "row"
    for row, epochs, repeat, validation, test, time in found["runs"]:
        values = (validation, test, time)
        for metric, value in zip(
            ("validation_accuracy", "test_accuracy", "training_time"), values, strict=True
        ):
            assert table.values(metric, epochs)[row, repeat] == value
    # The table of other cells.
    part = table.select([5])
    rows = {run[0] for run in now(Content(columns_of(part), campaign=followed))["runs"]}
    assert rows == {0, -1}


def test_the_command_shows_a_campaign(tmp_path: Path, built: Path) -> None:
    del built
    folder, sites = tmp_path / "runs", [tmp_path / "a", tmp_path / "b"]
    commands = [["explore", "--campaign", str(folder), "-o", str(site)] for site in sites]

    def answer(task: RunTask) -> Outcome:
        if not sites[0].exists():
            # Nothing has finished: the default table.
            assert main(commands[0]) == 0
        return done(task)

    campaign.run(small_plan(), folder, Scripted(answer))
    assert main(commands[1]) == 0
    found = [json.loads((site / "data" / "manifest.json").read_text()) for site in sites]
    assert [one["cells"]["count"] for one in found] == [423_624, 3]
    assert found[1]["table"]["kind"] == "measured"
    assert found[1]["table"]["command"] == f"nb101 explore --campaign {folder}"
    for one, site, runs in zip(found, sites, (0, 12), strict=True):
        assert (one["campaign"]["file"], one["campaign"]["live"]) == ("campaign.json", False)
        assert len(json.loads((site / "data" / "campaign.json").read_text())["runs"]) == runs


def test_a_folder_without_a_campaign(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="holds no campaign"):
        LiveCampaign(tmp_path)
