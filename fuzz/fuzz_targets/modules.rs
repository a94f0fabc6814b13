//! Arbitrary bytes as raw modules: the parser may refuse them, but what it accepts must hold.

#![no_main]

#[path = "../../rust/core/tests/invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| invariants::check_often(bytes));
