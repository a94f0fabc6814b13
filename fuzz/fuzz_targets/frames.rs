//! Arbitrary bytes as frames, packed by gzip or not: what is read is what a plain reader reads.

#![no_main]

#[path = "../../rust/core/tests/invariants/frames.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| invariants::check(bytes));
