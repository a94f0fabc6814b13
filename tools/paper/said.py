"""What the paper reports, where `nb101.analysis.paper` does not have it: numbers, and words.

Version 2 of Ying et al. 2019, arXiv 1902.09635. Fractions and seconds, as everywhere.
"""

ENCODINGS = 510e6
"""Models of the encoding, about (section 2.2)."""
CELLS = 423e3
"""Unique ones of these, about (section 2.2)."""
MINI = 64.5e3
"""Unique cells of 6 vertices or fewer, about: NAS-Bench-Mini (section 4.2)."""
RUNS = 1.27e6
"""Models trained at each budget, about (section 2.4)."""
NEAR_PEAKS = 50_000
"""One encoding in so many is one of the 12 best cells, about (section 3.3)."""
WIDEST = 5
"""Largest width of a cell (section 3.2)."""
FDC_WIDTH = 6
"""Width of the peak of the best cell, coarsely (section 3.3)."""
PASSES_RANDOM = 50_000
"""Seconds from which on evolution, BOHB and SMAC are better than random search, roughly (4.1)."""
SOONER = 5
"""How many times sooner these reach its final level, about (4.1)."""
FIXED_SETTINGS_SPEARMAN = 0.9155
"""Rank correlation of architectures with fixed and with their own best hyper-parameters, on the
protein data of NAS-HPO-Bench (section 5.1, figure 9)."""

TABLE = (
    ("batch size", "256", "batch_size"),
    ("initial convolution filters", "128", "stem_channels"),
    ("learning rate schedule", "cosine decay", "schedule"),
    ("initial learning rate", "0.2", "learning_rate"),
    ("ending learning rate", "0.0", ""),
    ("optimizer", "RMSProp", ""),
    ("momentum", "0.9", "momentum"),
    ("L2 weight decay", "0.0001", "weight_decay"),
    ("batch normalization momentum", "0.997", "bn_decay"),
    ("batch normalization epsilon", "0.00001", "bn_epsilon"),
    ("accelerator", "TPU v2 chip", ""),
)
"""Table 1 of the supplement, in its words; which setting of `nb101.train.TrainConfig` each is."""

SETTINGS = (
    ("regularized-evolution", {"population": 100, "tournament": 10}),
    ("hyperband", {"eta": 3}),
    ("bohb", {"random_fraction": 0.0, "samples": 4, "min_bandwidth": 0.3}),
    ("smac", {"trees": 5, "random_fraction": 0.33}),
    ("reinforce", {"learning_rate": 0.5}),
)
"""Settings that the supplement gives as those of its final comparison (S2.2)."""
