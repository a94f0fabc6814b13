"""Campaigns: plans of many runs, carried out on one machine or many, into a table.

>>> import nb101
>>> from nb101.train import TrainConfig
>>> from nb101.train.data import synthetic
>>> plan = nb101.campaign.Plan(cells=[0, 1], data=synthetic(), epochs=4, repeats=3,
...                            config=TrainConfig(stem_channels=16, cells_per_stack=1))
>>> len(plan)
6

``nb101.campaign.run(plan, "runs/")`` then carries it out, and goes on with it when called again.
Plans, status and tables need no torch; workers do.
"""

from nb101.campaign.coordinator import run
from nb101.campaign.plan import DataSource, Plan, Run
from nb101.campaign.report import Failure, Ranked, failures, ranking, table
from nb101.campaign.state import Active, Status, status

__all__ = [
    "Active",
    "DataSource",
    "Failure",
    "Plan",
    "Ranked",
    "Run",
    "Status",
    "failures",
    "ranking",
    "run",
    "status",
    "table",
]


def __dir__() -> list[str]:
    return sorted(__all__)
