"""What the paper reports of the full data, to stand beside the numbers of a table.

Sections and figures of Ying et al. 2019 (arXiv 1902.09635), S: of its supplement. Accuracies,
shares and changes of training time are fractions.
"""

from typing import Any

CITATION = (
    "C. Ying, A. Klein, E. Christiansen, E. Real, K. Murphy, F. Hutter: NAS-Bench-101: Towards "
    "Reproducible Neural Architecture Search. ICML 2019, arXiv 1902.09635"
)

EPOCHS = 108
"""Budget that all of these are of where nothing else is said."""
SAMPLE = "sample of 20,001 cells of the released data"
"""What `MEAN_VALIDATION` is of."""

BEST_TEST = 0.9432
"""Highest mean test accuracy (section 3.1)."""
NAMED_TEST = {"best of the paper": 0.9432, "ResNet-like": 0.9312, "Inception-like": 0.9295}
"""Mean test accuracy of cells at 108 epochs (section 3.1)."""
VALIDATION_TEST_PEARSON = 0.999
"""Correlation of validation and test accuracy at 108 epochs (section 3.1)."""
TOP_TENTH_SPEARMAN = {(36, 108): 0.365}
"""Rank correlation of accuracies at two budgets among the best 10 % (figure S7)."""
MEAN_VALIDATION = {4: 0.278, 12: 0.527, 36: 0.842, 108: 0.910}
"""Mean validation accuracy by budget: not the paper's, but of 20,001 cells of the released data,
a uniform sample."""

OP_ACCURACY = {
    ("conv3x3-bn-relu", "conv1x1-bn-relu"): -0.0116,
    ("conv3x3-bn-relu", "maxpool3x3"): -0.0199,
    ("conv1x1-bn-relu", "maxpool3x3"): -0.0081,
}
"""Mean change of validation accuracy by replacing an op (section 3.2, figure 4 left)."""
OP_TIME = {
    ("conv3x3-bn-relu", "conv1x1-bn-relu"): -0.1411,
    ("conv3x3-bn-relu", "maxpool3x3"): -0.0984,
    ("conv1x1-bn-relu", "maxpool3x3"): 0.0504,
}
"""Mean relative change of training time by replacing an op (section 3.2, figure 4 right)."""

BEST_DEPTH = 3
"""Depth with the highest mean accuracy (section 3.2)."""
BEST_WIDTH = 5
"""Width up to which the mean accuracy rises (section 3.2)."""
RWA_DISTANCE = 6
"""Distance, a square root of steps, up to which the autocorrelation is above noise (3.3)."""
PEAK_ENCODINGS = 11_570
"""Raw encodings of the 12 best cells (section 3.3)."""
PEAK_SHARE_WITHIN_6 = 0.354
"""Share of the space within distance 6 of the nearest of these (section 3.3)."""
BEST_ENCODINGS = 4
"""Raw encodings of the best cell (section 3.3)."""

RECIPE: dict[str, Any] = {
    "batch_size": 256,
    "learning_rate": 0.2,
    "schedule": "cosine",
    "momentum": 0.9,
    "decay": 0.9,
    "epsilon": 1.0,
    "weight_decay": 1e-4,
    "bn_shards": 2,
    "bn_decay": 0.997,
    "bn_epsilon": 1e-5,
    "padding": 4,
    "flip": True,
    "stem_channels": 128,
    "stacks": 3,
    "cells_per_stack": 3,
    "num_classes": 10,
}
"""How the published tables were made (section S2.1 and the released code), by names of
`nb101.train.TrainConfig`: all settings that make another recipe. Budgets are compared by
themselves, and how a run is computed changes nothing."""
