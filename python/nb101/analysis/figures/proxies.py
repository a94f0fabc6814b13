"""Rank correlation of zero-cost proxies with accuracies."""

from typing import TYPE_CHECKING

from nb101.analysis.common import in_epochs
from nb101.analysis.figures.axes import heat_map
from nb101.analysis.figures.registry import Figures
from nb101.analysis.figures.style import op_label
from nb101.analysis.proxies import ALL
from nb101.analysis.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURES = Figures()


@FIGURES.add(
    "proxies",
    "Zero-cost proxies by budget",
    "Spearman's coefficient between the score of untrained networks and their accuracy after "
    "training, by proxy (rows) and budget (columns).",
)
def proxies(ax: "Axes", study: Study) -> None:
    """Spearman's coefficient by proxy and budget."""
    found = {
        (row["proxy"], row["epochs"]): row["spearman"]
        for row in study.proxies.to_pylist()
        if (row["metric"], row["part"]) == (study.accuracy, ALL)
    }
    names = list(dict.fromkeys(name for name, _ in found))
    budgets = list(dict.fromkeys(epochs for _, epochs in found))
    values = [[found.get((name, epochs)) for epochs in budgets] for name in names]
    heat_map(ax, values, names, list(map(str, budgets)), "Spearman's coefficient", digits=2)
    ax.set(xlabel=f"epochs, {study.accuracy.replace('_', ' ')}", ylabel="proxy")


@FIGURES.add(
    "proxies-parts",
    "Zero-cost proxies by part",
    "Spearman's coefficient between the score of untrained networks and their accuracy, by proxy "
    "(rows), among all cells and parts of them (columns).",
)
def proxies_parts(ax: "Axes", study: Study) -> None:
    """Spearman's coefficient by proxy and part of the space."""
    found = {
        (row["proxy"], row["part"]): row["spearman"]
        for row in study.proxies.to_pylist()
        if (row["metric"], row["epochs"]) == (study.accuracy, study.epochs)
    }
    names = list(dict.fromkeys(name for name, _ in found))
    parts = list(dict.fromkeys(part for _, part in found))
    values = [[found.get((name, part)) for part in parts] for name in names]
    labels = [f"no {op_label(x.removeprefix('no '))}" if x.startswith("no ") else x for x in parts]
    heat_map(ax, values, names, labels, "Spearman's coefficient", digits=2)
    ax.tick_params(axis="x", rotation=90)
    what = study.accuracy.replace("_", " ")
    ax.set(xlabel=f"cells, {what} at {in_epochs(study.epochs)}", ylabel="proxy")
