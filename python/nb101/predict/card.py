"""The figures of the model card of ``surrogate-v1``; for its makers, and no part of the interface.

Every figure compares predictions with records of cells that the predictor had not seen.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from nb101.files import atomic
from nb101.predict.predictor import Predictor
from nb101.predict.surrogate import EPOCHS, VALIDATION, Records, measure_noise

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"


def draw(records: Records, predictor: Predictor, folder: str | os.PathLike[str]) -> None:
    """Write the figures, as PNG files that begin with ``surrogate-``."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style: Any = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    with mpl.rc_context(style):
        for name, painter in (("agreement", _agreement), ("errors", _errors)):
            figure = Figure(figsize=(9, 2.9), layout="constrained")
            painter(figure, records, predictor)
            with atomic(Path(folder) / f"surrogate-{name}.png") as file:
                figure.savefig(file, dpi=130, format="png", metadata={"Software": None})


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


def _errors(figure: Any, records: Records, predictor: Predictor) -> None:
    """Spread and uncertainty by predicted accuracy, a panel a budget."""
    axes = figure.subplots(1, len(EPOCHS))
    for ax, epochs in zip(axes, EPOCHS, strict=True):
        noise = measure_noise(records, predictor, epochs)
        ax.plot(noise.centres, 100 * noise.spread, color=BLUE, label="between repeats")
        ax.plot(
            *(noise.centres, 100 * noise.uncertainty),
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
