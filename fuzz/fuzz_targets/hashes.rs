//! Arbitrary bytes as the text of a hash.

#![no_main]

#[path = "../../rust/core/tests/invariants/packed.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| invariants::check_hash(bytes));
