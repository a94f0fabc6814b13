//! Criterion benchmarks of the core.
fn main() {}
