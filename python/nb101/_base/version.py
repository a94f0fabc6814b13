"""The version, which `tools/release.py` writes everywhere: ``nb101 --version`` needs no more."""

__version__ = "0.1.0"
