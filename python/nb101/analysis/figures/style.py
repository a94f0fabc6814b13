"""How figures look: colours, sizes, and what ops and costs are called."""

from typing import Any

from nb101.plain import printable

# The palette of Okabe and Ito: its colours differ for colour-blind readers too.
BLUE, ORANGE, GREEN, VERMILLION = "#0072b2", "#e69f00", "#009e73", "#d55e00"
PURPLE, SKY = "#cc79a7", "#56b4e9"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION)
INK, FAINT = "#26292e", "#c9ced6"
"""Text and lines; grids. A page replaces them by colours of its own."""
MAP, DIVERGING = "viridis", "PuOr"

STYLE: dict[str, Any] = {
    "figure.figsize": (5.6, 3.9),
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 200,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",
    "svg.hashsalt": "nb101",
}

SCALES = {"training_time": 1.0, "parameters": 1e6, "flops": 1e9}

_SHORT = {"conv3x3-bn-relu": "conv 3×3", "conv1x1-bn-relu": "conv 1×1", "maxpool3x3": "max-pool"}
LABELS = {
    "training_time": "training time (s)",
    "parameters": "trainable parameters (millions)",
    "flops": "multiply-accumulates of an image (billions)",
}


def op_label(op: str) -> str:
    """Write the name of an op for a figure, where dollars would begin a formula."""
    return _SHORT.get(op, printable(op).replace("$", r"\$"))
