//! Thin PyO3 wrappers.
