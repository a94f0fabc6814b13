//! Arbitrary bytes as official records and files of them: what is accepted must hold.

#![no_main]

#[path = "../../rust/core/tests/invariants/records.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(
    init: nb101_core::parallel::set_threads(1),
    |bytes: &[u8]| invariants::check_often(bytes)
);
