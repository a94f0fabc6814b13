"""The version of the package, as Cargo.toml has it too: ``nb101 --version`` needs no more."""

__version__ = "0.1.0"
