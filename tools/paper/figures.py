"""Figures of the section, drawn from the record alone: the paper's numbers, and both of ours.

On white, so that they can be read on a dark page too.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from nb101.analysis import paper
from nb101.analysis.figures import (
    BLUE,
    CYCLE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    STYLE,
    VERMILLION,
    op_label,
    plain_log,
    render,
)
from paper import record as records
from paper.numbers import BUDGETS, FEWEST, LEVELS, Numbers

FOLDER = records.ROOT / "docs" / "figures"
PREDICTED, MEASURED, PAPER = BLUE, ORANGE, VERMILLION
EARLIEST = 1e4
"""Seconds that curves of searches are drawn from."""
LABELS = {PREDICTED: "predicted, all cells", MEASURED: "measured, sample", PAPER: "paper"}

Draw = Callable[[Figure, Numbers], None]
DRAWN: dict[str, Draw] = {}


def _figure(name: str) -> Callable[[Draw], Draw]:
    def add(function: Draw) -> Draw:
        DRAWN[name] = function
        return function

    return add


def make() -> list[Path]:
    """Draw all figures of the newest record, note their digests in it, and return their paths."""
    record = records.read()
    made = []
    for name, function in DRAWN.items():
        path = FOLDER / f"paper-{name}.svg"
        path.write_bytes(draw(function, record))
        made.append(path)
    path = FOLDER / "paper-best.svg"
    path.write_text(paper.NAMED_CELLS["best of the paper"].to_svg() + "\n", "utf-8")
    made.append(path)
    record["figures"] = {path.name: records.sha256(path) for path in made}
    records.write(records.newest(), record)
    return made


def draw(function: Draw, record: Numbers) -> bytes:
    """Return a figure as a file."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 3.7))
        function(figure, record)
        buffer = io.BytesIO()
        render(figure, buffer, "svg")
    return buffer.getvalue()


def _panels(figure: Figure, *titles: str) -> Any:
    axes = figure.subplots(1, len(titles))
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title)
    return axes


def _percent(values: Any) -> Any:
    return 100 * np.array(values, dtype=float)


@_figure("metrics")
def _metrics(figure: Figure, record: Numbers) -> None:
    """Figure 2: distributions of accuracy, and of noise."""
    p, m = record["predicted"], record["measured"]
    left, right = _panels(figure, "Accuracy at 108 epochs", "Noise between runs")
    shares = 100 * LEVELS
    left.plot(
        _percent(p["validation"]["108"]["quantiles"]), shares, color=PREDICTED, label="validation"
    )
    left.plot(
        _percent(p["test"]["108"]["quantiles"]), shares, color=PREDICTED, ls="--", label="test"
    )
    left.plot(
        _percent(m["validation"]["108"]["quantiles"]),
        shares,
        color=MEASURED,
        label="validation, measured\n(best of three)",
    )
    train = m["repeats"]["train"]
    left.step(
        _percent(train),
        100 * np.arange(1, len(train) + 1) / len(train),
        where="post",
        color=GREEN,
        label=f"train, measured\n({len(train)} cells)",
    )
    left.set(xlim=(80, 100.5), xlabel="accuracy (%)", ylabel="share of cells (%)")
    left.legend(loc="upper left")
    for epochs, color in zip(BUDGETS, (PURPLE, GREEN, ORANGE, BLUE), strict=True):
        quantiles = _percent(p["noise"][str(epochs)]["quantiles"])
        right.plot(quantiles, shares, color=color, label=f"{epochs} epochs")
    noise = _percent(m["repeats"]["noise"]["quantiles"])
    right.plot(noise, shares, color=INK, ls=":", label=f"108, measured\n({len(train)} cells)")
    right.set(xscale="log", xlim=(0.01, 30), xlabel="standard deviation of test accuracy (points)")
    plain_log(right, "x")
    right.legend(loc="upper left")


@_figure("costs")
def _costs(figure: Figure, record: Numbers) -> None:
    """Figure 3: time by parameters, accuracy by time."""
    left, right = _panels(figure, "Training time by parameters", "Accuracy by training time")
    for part, color in (("predicted", PREDICTED), ("measured", MEASURED)):
        costs = record[part]["costs"]
        bins = np.array(costs["time_by_parameters"])
        _band(left, bins[:, 0] / 1e6, bins[:, 1:4], color)
        bins = np.array(costs["accuracy_by_time"])
        _band(right, bins[:, 0], 100 * bins[:, 1:4], color)
        right.plot(bins[:, 0], 100 * bins[:, 4], color=color, ls=":")
    left.set(
        xscale="log", yscale="log", xlabel="trainable parameters (millions)", ylabel="time (s)"
    )
    p = record["predicted"]
    right.plot(
        p["neighbors"]["times"],
        _percent(p["neighbors"]["values"]),
        ".",
        ms=5,
        color=GREEN,
        label="neighbours of Inception-like",
    )
    for (name, own), marker in zip(p["named"].items(), "*sD", strict=True):
        right.plot(own["time"], 100 * own["validation"], marker, ms=7, color=INK, label=name)
    right.set(xscale="log", ylim=(80, 95.5), xlabel="time (s)", ylabel="validation accuracy (%)")
    for ax, axis in ((left, "x"), (left, "y"), (right, "x")):
        plain_log(ax, axis)
    left.legend()
    handles, labels = right.get_legend_handles_labels()
    own_labels = [(h, x) for h, x in zip(handles, labels, strict=True) if x not in LABELS.values()]
    right.legend(*zip(*own_labels, strict=True), loc="lower right")


def _band(ax: Any, x: Any, quantiles: Any, color: str) -> None:
    ax.fill_between(x, quantiles[:, 0], quantiles[:, 2], color=color, alpha=0.18, lw=0)
    ax.plot(x, quantiles[:, 1], color=color, label=LABELS[color])


@_figure("budgets")
def _budgets(figure: Figure, record: Numbers) -> None:
    """Figure 7 of the supplement: how the order at a small budget tells that at the largest."""
    axes = _panels(figure, "4 and 108 epochs", "12 and 108 epochs", "36 and 108 epochs")
    for ax, epochs in zip(axes, BUDGETS, strict=False):
        for values, color in (
            (record["predicted"]["budgets"], PREDICTED),
            (record["measured"]["budgets"], MEASURED),
        ):
            row = values[f"{epochs} 108"]
            shares = [100 * float(x) for x in row]
            ax.plot(shares, list(row.values()), "o-", ms=4, color=color, label=LABELS[color])
        given = paper.TOP_TENTH_SPEARMAN.get((epochs, 108))
        if given is not None:
            ax.plot([10], [given], "D", ms=8, mfc="none", mew=1.8, color=PAPER, label=LABELS[PAPER])
        ax.set(xscale="log", ylim=(-0.1, 1.02), xlabel="best cells looked at (%)")
        ax.set_xticks([100, 50, 25, 10, 5, 1], ["100", "50", "25", "10", "5", "1"], minor=False)
        ax.set_xticks([], minor=True)
        ax.invert_xaxis()
    axes[0].set_ylabel("Spearman's coefficient")
    axes[2].legend(loc="lower left")


@_figure("ops")
def _ops(figure: Figure, record: Numbers) -> None:
    """Figure 4: replacing an op by another."""
    left, right = _panels(figure, "Change of accuracy (points)", "Change of training time (%)")
    kinds = list(paper.OP_ACCURACY)
    places = np.arange(len(kinds))
    for ax, name, given in (
        (left, "accuracy", paper.OP_ACCURACY),
        (right, "time", paper.OP_TIME),
    ):
        rows = [" -> ".join(kind) for kind in kinds]
        p = _percent([record["predicted"]["ops"][row][name] for row in rows])
        m = _percent([record["measured"]["ops"][row][name] for row in rows])
        low, high = (
            _percent([record["measured"]["ops"][row][f"{name}_{end}"] for row in rows])
            for end in ("low", "high")
        )
        ax.axvline(0, color=INK, lw=0.8)
        ax.plot(
            _percent([given[kind] for kind in kinds]),
            places - 0.2,
            "D",
            color=PAPER,
            label=LABELS[PAPER],
        )
        ax.plot(p, places, "o", color=PREDICTED, label=LABELS[PREDICTED])
        ax.errorbar(
            m,
            places + 0.2,
            xerr=[m - low, high - m],
            fmt="s",
            ms=5,
            color=MEASURED,
            label=LABELS[MEASURED],
        )
        ax.set_ylim(2.6, -0.6)
        ax.grid(visible=False, axis="y")
    left.set_yticks(places, [" → ".join(map(op_label, kind)) for kind in kinds])
    right.set_yticks(places, [""] * len(kinds))
    right.legend(loc="lower left")


@_figure("shapes")
def _shapes(figure: Figure, record: Numbers) -> None:
    """Figure 5: accuracy and time by depth and by width."""
    axes = figure.subplots(1, 4)
    figure.set_size_inches(8.4, 3.2)
    panels = [(feature, name) for feature in ("depth", "width") for name in ("accuracy", "time")]
    for ax, (feature, name) in zip(axes, panels, strict=True):
        for part, color in (("predicted", PREDICTED), ("measured", MEASURED)):
            rows = record[part][feature]
            own = [(int(x), row[name]) for x, row in rows.items() if row["cells"] >= FEWEST]
            x, y = np.array(own).T
            ax.plot(x, 100 * y if name == "accuracy" else y, "o-", ms=4, color=color)
        ax.set(xlabel=feature, xticks=range(1, 7))
        ax.set_title("accuracy (%)" if name == "accuracy" else "training time (s)")
    axes[1].legend(["predicted", "measured"], loc="upper left")


@_figure("locality")
def _locality(figure: Figure, record: Numbers) -> None:
    """Figure 6: how alike near cells are, and how much of the space is near the best ones."""
    p, m = record["predicted"], record["measured"]
    left, right = _panels(figure, "How alike near cells are", "Space near the best cells")
    steps = np.sqrt(np.arange(len(p["walk"]["correlation"])))
    left.plot(steps, p["walk"]["correlation"], color=PREDICTED, label="random walk, predicted")
    for part, color in ((p, PREDICTED), (m, MEASURED)):
        fitness = part["fitness_paper"]
        cells = np.array(fitness["cells"])
        enough = (cells >= 20) | (np.arange(len(cells)) == 0)
        left.plot(
            np.flatnonzero(enough),
            np.array(fitness["relative"])[enough],
            "o--",
            ms=4,
            color=color,
            label=f"around the best cell, {'predicted' if color == PREDICTED else 'measured'}",
        )
    left.axhline(0, color=INK, lw=0.8)
    left.axvline(paper.RWA_DISTANCE, color=PAPER, lw=1, ls=":", label="6, the paper's limit")
    left.set(xlim=(0, 10), ylim=(-0.35, 1.02), xlabel="distance", ylabel="correlation, or share")
    left.legend(fontsize=8)
    for part, color, label in (
        (p, PREDICTED, "12 best, predicted"),
        (m, MEASURED, "best, and 11 best of the sample"),
    ):
        share = _percent(part["volume"]["share_within"])
        right.plot(np.arange(len(share)), share, "o-", ms=4, color=color, label=label)
    right.plot(
        [6], [100 * paper.PEAK_SHARE_WITHIN_6], "D", ms=8, mfc="none", mew=1.8, color=PAPER,
        label="paper",
    )  # fmt: skip
    right.set(xlim=(0, 14), xlabel="distance", ylabel="raw encodings within it (%)")
    right.legend(loc="lower right", fontsize=8)


@_figure("pairs")
def _pairs(figure: Figure, record: Numbers) -> None:
    """Of figure 6, what can be measured of a sample: pairs of cells by their distance."""
    figure.set_size_inches(5.6, 3.4)
    ax = figure.add_subplot()
    pairs = record["measured"]["pairs"]
    for name, color in (("predicted", PREDICTED), ("measured", MEASURED)):
        ax.plot(
            pairs["distance"], pairs[name], "o-", ms=4, color=color, label=f"{name}, same pairs"
        )
    ax.axhline(0, color=INK, lw=0.8)
    ax.set(xlabel="edges and ops that differ", ylabel="correlation of ranks", xlim=(0, 12.5))
    ax.legend()


@_figure("robustness")
def _robustness(figure: Figure, record: Numbers) -> None:
    """Figure 7 right: final regrets of all runs."""
    figure.set_size_inches(5.6, 3.6)
    ax = figure.add_subplot()
    titles = {
        "regularized-evolution": "regularized evolution",
        "reinforce": "REINFORCE",
        "random-search": "random search",
    }
    for (name, title), color in zip(titles.items(), CYCLE, strict=False):
        own = record["searches"]["final"][name]
        regret = np.maximum(_percent(own["quantiles"]), 0.01)
        ax.plot(regret, 100 * LEVELS, color=color, label=f"{title}, {own['runs']} runs")
    ax.set(xscale="log", xlim=(0.01, 2), xlabel="final test regret (points)")
    ax.set_ylabel("share of runs (%)")
    plain_log(ax, "x")
    ax.legend(loc="lower right")


@_figure("generalization")
def _generalization(figure: Figure, record: Numbers) -> None:
    """Figure 8: the same comparisons in the space of 6 vertices, and in the whole one."""
    figure.set_size_inches(8.4, 8.6)
    axes = figure.subplots(3, 2, sharex=True)
    searches = record["searches"]
    rows: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("death", "", {"RS": "random search", "NRE": "the worst dies", "RE": "the oldest dies"}),
        ("rate", "mutation rate ", {}),
        ("tournament", "tournament ", {}),
    )
    for (key, prefix, titles), pair in zip(rows, axes, strict=True):
        for ax, (space, where) in zip(
            pair, (("mini", "up to 6 vertices"), ("full", "up to 7 vertices")), strict=True
        ):
            for (name, own), color in zip(searches[key][space].items(), CYCLE, strict=False):
                # What is drawn, and the point before it.
                times = np.array(own["times"])
                drawn = slice(int(np.searchsorted(times, EARLIEST)) - 1, None)
                low, median, high = _percent(own["curve"])[:, drawn]
                if key == "death":
                    # Those of four or five settings would cover each other.
                    ax.fill_between(times[drawn], low, high, color=color, alpha=0.12, lw=0)
                ax.plot(times[drawn], median, color=color, label=prefix + titles.get(name, name))
            ax.set(xscale="log", yscale="log", ylim=(0.04, 1.5))
            ax.set_xlim(EARLIEST, searches["seconds"])
            ax.set_title(where)
            plain_log(ax, "y")
        pair[0].set_ylabel("regret (points)")
        pair[1].legend(loc="upper right", fontsize=8)
    for ax in axes[-1]:
        ax.set_xlabel("simulated seconds")
