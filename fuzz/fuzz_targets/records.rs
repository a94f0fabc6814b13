//! Arbitrary bytes as official records and files of them: what is accepted must hold.

#![no_main]

#[path = "../../rust/core/tests/invariants/records.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| invariants::check(bytes));
