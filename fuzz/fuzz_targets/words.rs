//! Arbitrary words as packed cells: what is accepted must hold.

#![no_main]

#[path = "../../rust/core/tests/invariants/packed.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| invariants::check_words(bytes));
