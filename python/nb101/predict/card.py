"""Figures and tables of the model card of ``surrogate-v1``; for its makers.

Each compares predictions with records of cells that the predictor had not seen. The tables are made
of the report that the table itself carries, and stand between marks in the card.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nb101._base.files import atomic
from nb101.errors import DatasetError
from nb101.predict.predictor import Predictor
from nb101.predict.surrogate import EPOCHS, VALIDATION, Noise, Records

Rows = list[tuple[str, ...]]
BLUE, ORANGE = "#0072B2", "#D55E00"


def draw(
    records: Records,
    predictor: Predictor,
    noise: Mapping[int, Noise],
    folder: str | os.PathLike[str],
) -> None:
    """Write the figures, as PNG files that begin with ``surrogate-``."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style: Any = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    with mpl.rc_context(style):
        painters: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
            ("agreement", _agreement, (records, predictor)),
            ("errors", _errors, (noise,)),
        )
        for name, painter, given in painters:
            figure = Figure(figsize=(9, 2.9), layout="constrained")
            painter(figure, *given)
            with atomic(Path(folder) / f"surrogate-{name}.png") as file:
                figure.savefig(file, dpi=130, format="png", metadata={"Software": None})


def fill_in(report: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write the tables between their marks in the card."""
    text = Path(path).read_text()
    for name, lines in tables(report).items():
        start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, found, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise DatasetError(f"{path} has no marks for the table {name}", path=path)
        text = before + start + lines + end + after
    with atomic(path) as file:
        file.write(text.encode())


def tables(report: Mapping[str, Any]) -> dict[str, str]:
    """Lay out the report of `nb101.table.embedded.report` as tables in Markdown, by name."""
    noise = report["noise"]
    errors: Rows = [
        ("target", "Spearman", "Kendall", "mean error", "median error", "bias", "ceiling")
    ]
    for target, x in report["sample"].items():
        metric, epochs = target.rsplit(" at ", 1)
        ceiling = ""
        if metric == VALIDATION:
            middle, low, high = noise[epochs]["spearman_ceiling"]
            ceiling = f"{middle:.3f} ({low:.3f} to {high:.3f})"
        numbers = (f"{x[name]:.4f}" for name in ("spearman", "kendall"))
        misses = (f"{x[f'{name}_absolute_error']:.4f}" for name in ("mean", "median"))
        errors.append((_words(target), *numbers, *misses, f"{x['bias']:+.4f}", ceiling))
    regions: Rows = [("budget", "part", "cells", "mean error", "bias", "found")]
    for target, parts in report["regions"].items():
        for x in parts:
            found = "" if x["found"] is None else f"{100 * x['found']:.0f} %"
            error = (f"{x['mean_absolute_error']:.4f}", f"{x['bias']:+.4f}")
            budget = target.rsplit(" ", 1)[1]
            regions.append((budget, x["name"], f"{x['cells']:,}", *error, found))
    means: Rows = [("target", "cells", "mean error", "bias", "covered")]
    for target, x in report["means_of_small_cells"].items():
        error = (f"{x['mean_absolute_error']:.4f}", f"{x['bias']:+.4f}")
        covered = f"{100 * x['covered']:.1f} %" if "covered" in x else ""
        means.append((_words(target), f"{x['cells']:,}", *error, covered))
    coverage: Rows = [("target", "68.3 %", "90 %")]
    for target, (usual, most) in report["covered"].items():
        coverage.append((_words(target), f"{100 * usual:.1f} %", f"{100 * most:.1f} %"))
    multiples: Rows = [
        ("budget", "spread", "uncertainty", "cells with repeats", "cells with means")
    ]
    for epochs, x in noise.items():
        numbers = (f"{x[name]:.2f}" for name in ("repeats", "prediction"))
        multiples.append((epochs, *numbers, *(f"{n:,}" for n in x["cells"])))
    shares: Rows = [("runs at", "share of the binomial variance")]
    shares += [(name, f"{x:.2f}") for name, x in report["share_of_sampling"].items()]
    found_tables = {
        "errors": errors,
        "regions": regions,
        "means": means,
        "coverage": coverage,
        "multiples": multiples,
        "sampling": shares,
    }
    return {name: _markdown(rows) for name, rows in found_tables.items()}


def _words(target: str) -> str:
    return target.replace("_", " ")


def _markdown(rows: Rows) -> str:
    head, *rest = rows
    lines = [head, ("---",) * len(head), *rest]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _agreement(figure: Any, records: Records, predictor: Predictor) -> None:
    """Predicted against recorded, a panel a budget; beyond the plot's edge lie collapsed runs."""
    axes = figure.subplots(1, len(EPOCHS))
    for ax, epochs in zip(axes, EPOCHS, strict=True):
        ids, guess, truth = predictor.report.predictions[VALIDATION, epochs]
        own = np.isin(ids, records.sample_ids)
        low = float(np.quantile(truth[own], 0.02))
        limits = (max(low - 0.02, 0), float(truth.max()) + 0.01)
        inside = own & (truth >= limits[0]) & (guess >= limits[0])
        ax.hexbin(
            guess[inside],
            truth[inside],
            gridsize=45,
            bins="log",
            mincnt=1,
            cmap="Blues",
            extent=(*limits, *limits),
            linewidths=0,
        )
        ax.plot(limits, limits, color=ORANGE, linewidth=0.8)
        ax.set(xlim=limits, ylim=limits, title=f"{epochs} epochs", xlabel="predicted", aspect=1)
        ticks = np.linspace(*limits, 4).round(2)[1:-1] if epochs == 108 else None
        if ticks is not None:
            ax.set(xticks=ticks, yticks=ticks)
    axes[0].set_ylabel("recorded validation accuracy")


def _errors(figure: Any, noise: Mapping[int, Noise]) -> None:
    """Spread and uncertainty by predicted accuracy, a panel a budget."""
    axes = figure.subplots(1, len(EPOCHS))
    for ax, (epochs, found) in zip(axes, noise.items(), strict=True):
        ax.plot(found.centres, 100 * found.spread, color=BLUE, label="between repeats")
        ax.plot(
            *(found.centres, 100 * found.uncertainty),
            color=ORANGE,
            linestyle="--",
            label="of the prediction",
        )
        ax.set(
            title=f"{epochs} epochs",
            xlabel="predicted accuracy",
            ylim=(0, None),
        )
        ax.grid(color="#dddddd", linewidth=0.5)
        ax.margins(x=0.02)
    axes[0].set_ylabel("68 % lie within (points)")
    axes[0].legend(frameon=False, fontsize=8)
