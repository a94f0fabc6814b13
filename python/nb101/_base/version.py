"""The version of the package, as `tools/release.py` writes it; ``nb101 --version`` needs no more."""

__version__ = "0.1.0"
